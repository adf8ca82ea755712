"""Cells that several browser tests run in their notebooks."""

SPIKE = """
import pathlib, tempfile
import numpy as np
from dlcnb import FrameMap, Poses, Studio, TrajectoryView, sampledata
arena = sampledata.Arena(seed=0, n_frames=120, size=(120, 160))
project = sampledata.synthetic_project(pathlib.Path(tempfile.mkdtemp()), n_label=4, arena=arena)
points = sampledata.arena_poses(arena)
likelihood = np.full(points.shape[:2], 0.97)
likelihood[71, 0] = 0.05
points[71, 0] += 25
poses = Poses(project.bodyparts, "DLC_test", points, likelihood)
"""  # a project, and poses of its video that are wrong in frame 71
