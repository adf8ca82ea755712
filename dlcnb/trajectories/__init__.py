"""From poses to clean trajectories: filters, a Kalman smoother, movement, bones. Pure functions; NaN = not there."""

from dlcnb.trajectories.body import body_axis, in_body_frame, liveliest
from dlcnb.trajectories.bones import bone_angles, bone_lengths, joint_angles, place_bones
from dlcnb.trajectories.filters import fill_gaps, mask, median_filter, savgol_filter
from dlcnb.trajectories.kalman import Smoothed, ensemble_noise, estimate_noise, kalman_smooth
from dlcnb.trajectories.kinematics import acceleration, distance_travelled, heading, occupancy, speed, velocity, visits
from dlcnb.trajectories.movement import kinematics_table, movement_summary, skeleton_table, tracks
from dlcnb.trajectories.whole import METHODS, filter_poses

__all__ = [
    "METHODS",
    "Smoothed",
    "acceleration",
    "body_axis",
    "bone_angles",
    "bone_lengths",
    "distance_travelled",
    "ensemble_noise",
    "estimate_noise",
    "fill_gaps",
    "filter_poses",
    "heading",
    "in_body_frame",
    "joint_angles",
    "kalman_smooth",
    "kinematics_table",
    "liveliest",
    "mask",
    "median_filter",
    "movement_summary",
    "occupancy",
    "place_bones",
    "savgol_filter",
    "skeleton_table",
    "speed",
    "tracks",
    "velocity",
    "visits",
]
