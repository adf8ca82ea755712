"""Poses over time: of one animal, of several, and the linking of places into animals."""

from dlcnb.poses.crops import part_looked_at, tells_of_crop
from dlcnb.poses.multianimal import MultiAnimalPoses, bone_edges, is_several, read_poses
from dlcnb.poses.single import Poses, find_poses, newest_poses, pose_tables, poses_path, write_chunks
from dlcnb.poses.spread import Spread, combine
from dlcnb.poses.unsure import SELDOM, TopLikelihood, left_out, seldom_sure

__all__ = [
    "SELDOM",
    "MultiAnimalPoses",
    "Poses",
    "Spread",
    "TopLikelihood",
    "bone_edges",
    "combine",
    "find_poses",
    "is_several",
    "left_out",
    "newest_poses",
    "part_looked_at",
    "pose_tables",
    "poses_path",
    "read_poses",
    "seldom_sure",
    "tells_of_crop",
    "write_chunks",
]
