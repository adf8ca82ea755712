"""From poses to clean trajectories: filters, a Kalman smoother, movement, bones. Pure functions; NaN = not there."""

from dlcnb.trajectories.bones import bone_angles, bone_lengths, joint_angles, place_bones
from dlcnb.trajectories.filters import fill_gaps, mask, median_filter, savgol_filter
from dlcnb.trajectories.kalman import Smoothed, estimate_noise, kalman_smooth
from dlcnb.trajectories.kinematics import acceleration, distance_travelled, occupancy, speed, velocity, visits

__all__ = [
    "Smoothed",
    "acceleration",
    "bone_angles",
    "bone_lengths",
    "distance_travelled",
    "estimate_noise",
    "fill_gaps",
    "joint_angles",
    "kalman_smooth",
    "mask",
    "median_filter",
    "occupancy",
    "place_bones",
    "savgol_filter",
    "speed",
    "velocity",
    "visits",
]
