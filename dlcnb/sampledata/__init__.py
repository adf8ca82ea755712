"""Data to try everything on: a synthetic arena with exact ground truth, and the real open-field set."""

from dlcnb.sampledata.arena import BODYPARTS, SKELETON, Arena, arena_poses
from dlcnb.sampledata.drawing import render_frame
from dlcnb.sampledata.real import cached_openfield, openfield, openfield_path
from dlcnb.sampledata.synthetic import make_arena, synthetic_project

__all__ = [
    "BODYPARTS",
    "SKELETON",
    "Arena",
    "arena_poses",
    "cached_openfield",
    "make_arena",
    "openfield",
    "openfield_path",
    "render_frame",
    "synthetic_project",
]
