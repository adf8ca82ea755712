"""Poses over time: of one animal, of several, and the linking of places into animals."""

from dlcnb.poses.multianimal import MultiAnimalPoses, bone_edges, is_several, read_poses
from dlcnb.poses.single import Poses, find_poses, newest_poses, pose_tables, poses_path, write_chunks
from dlcnb.poses.spread import Spread, combine

__all__ = [
    "MultiAnimalPoses",
    "Poses",
    "Spread",
    "bone_edges",
    "combine",
    "find_poses",
    "is_several",
    "newest_poses",
    "pose_tables",
    "poses_path",
    "read_poses",
    "write_chunks",
]
