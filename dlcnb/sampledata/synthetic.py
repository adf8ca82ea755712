"""The synthetic arena as files: a video, and a whole project with true labels."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dlcnb import frames
from dlcnb.labels import Labels
from dlcnb.poses import Poses
from dlcnb.project import Project
from dlcnb.sampledata.arena import BODYPARTS, SKELETON, Arena, arena_poses
from dlcnb.sampledata.drawing import render_frame
from dlcnb.video import VideoWriter

__all__ = ["make_arena", "synthetic_project"]


def make_arena(path: str | Path, arena: Arena | None = None) -> NDArray[np.float64]:
    """Write the arena's video to ``path`` (.mp4).

    Parameters
    ----------
    path : str or pathlib.Path
    arena : Arena, optional
        The default arena if None.

    Returns
    -------
    numpy.ndarray
        (T, 4, 2) true positions of `BODYPARTS` in pixels of the full frame; no NaN.
    """
    arena = Arena() if arena is None else arena
    with VideoWriter(path, arena.size, arena.fps) as writer:
        for index in range(arena.n_frames):
            writer.write(render_frame(arena, index))
    return arena_poses(arena).copy()


def synthetic_project(
    parent: str | Path,
    *,
    n_label: int = 60,
    seed: int = 0,
    label_noise: float = 0.0,
    arena: Arena | None = None,
    task: str = "arena",
) -> Project:
    """Make a project on a synthetic arena, labeled with the truth.

    It lies in ``parent/<task>-truth-<today>`` and holds the video ``arena.mp4``, the truth of all frames beside it
    (``arenatruth.csv`` and ``.h5``, in the layout of predictions, likelihood 1), and ``n_label`` labeled frames.

    Parameters
    ----------
    parent : the folder to make it in; made if need be.
    n_label : frames to extract (uniformly at random) and label.
    seed : of the arena, of the choice of frames, and of the label noise.
    label_noise : standard deviation of each labeled coordinate about the truth, pixels.
    arena : instead of the default one with ``seed``.
    task : first part of the project's name.

    Raises `ValueError` for more labels than frames, `dlcnb.project.ProjectError` if the project exists already.
    """
    arena = Arena(seed=seed) if arena is None else arena
    if not 1 <= n_label <= arena.n_frames:
        raise ValueError(f"n_label must be 1 to {arena.n_frames}, the arena's frames, got {n_label}.")
    parent = Path(parent)
    parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".dlcnb-tmp-", dir=parent) as making:
        video = Path(making) / "arena.mp4"
        truth = make_arena(video, arena)
        project = Project.create(task, "truth", [video], BODYPARTS, parent=parent, skeleton=SKELETON, copy_videos=True)
    video = project.videos[0]
    Poses(BODYPARTS, "truth", truth, np.ones(truth.shape[:2])).write(video)
    _label(project, video, truth, frames.uniform(arena.n_frames, n_label, seed=seed), (seed, label_noise))
    return project


def _label(
    project: Project, video: Path, truth: NDArray[np.float64], indices: NDArray[np.int64], noise: tuple[int, float]
) -> None:
    """Extract frames of ``video`` and write their true points as labels; ``noise`` is (seed, deviation in pixels)."""
    paths = frames.extract(project, video, indices)
    images = tuple(path.relative_to(project.root).as_posix() for path in paths)
    seed, deviation = noise
    points = truth[np.asarray(indices)]
    points = points + np.random.default_rng([seed, 77]).normal(0, deviation, points.shape)
    Labels(BODYPARTS, "truth", images, points).write(project.labeled_dir(video))
