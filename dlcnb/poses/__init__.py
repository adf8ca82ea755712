"""Poses over time: of one animal, of several, and the linking of places into animals."""

from dlcnb.poses.multianimal import MultiAnimalPoses, read_poses
from dlcnb.poses.single import Poses, find_poses, poses_path, write_chunks

__all__ = ["MultiAnimalPoses", "Poses", "find_poses", "poses_path", "read_poses", "write_chunks"]
