"""Are several networks better than one? The median of equally trained ones against each alone, by the arena's truth.

    python benchmarks/ensemble.py [--networks 3] [--steps 150] [--labels 40] [--frames 300]
        [--size 240 320] [--work FOLDER]

The networks have the same labeled frames of a synthetic video, each another split and seed, and the same steps. They
analyze a video that none of them has seen, whose truth is known. Prints mean, median and 95th percentile of the error
in px, of all points whatever their likelihood, for each network, for `analyze --ensemble`, and for both smoothed by
the Kalman smoother (which trusts the points of an ensemble by their spread). Networks that are there are used again.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import numpy as np

from dlcnb import Poses, Project, jobs, sampledata
from dlcnb.sampledata import Arena, arena_poses, make_arena
from dlcnb.trajectories import filter_poses


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--networks", type=int, default=3)
    parser.add_argument("--steps", type=int, default=150)
    parser.add_argument("--labels", type=int, default=40)
    parser.add_argument("--frames", type=int, default=300, help="of each video")
    parser.add_argument("--size", type=int, nargs=2, default=(240, 320), help="height and width of the videos, px")
    parser.add_argument("--seed", type=int, default=0, help="of the videos")
    parser.add_argument("--work", type=Path, help="keep the project here; by default it is thrown away")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = options.work or Path(scratch)
        project, video, truth = _made(folder, options)
        runs = _trained(project, options)
        tables = [_analyzed(project, video, folder / f"alone-{n}", run=str(run)) for n, run in enumerate(runs)]
        together = _analyzed(project, video, folder / "together", ensemble=list(map(str, runs)))
    print(f"{len(runs)} networks, {options.steps} steps, {options.labels} labeled frames, {options.size} px")
    for name, poses in [*((f"network {n}", one) for n, one in enumerate(tables, 1)), ("ensemble", together)]:
        smooth = filter_poses(poses, "kalman")
        print(f"{name:12} {_errors(poses, truth)}   smoothed {_errors(smooth, truth)}", flush=True)


def _made(folder: Path, options: argparse.Namespace) -> tuple[Project, Path, np.ndarray]:
    """(the labeled project, a video that it does not have, where everything is in that, (T, K, 2) px)."""
    size = tuple(options.size)
    found = list(folder.glob("*/config.yaml"))
    arena = Arena(seed=options.seed, n_frames=options.frames, size=size)
    project = (
        Project.open(found[0].parent)
        if found
        else sampledata.synthetic_project(folder, n_label=options.labels, seed=options.seed, arena=arena)
    )
    other, video = Arena(seed=options.seed + 1000, n_frames=options.frames, size=size), folder / "unseen.mp4"
    if not video.exists():
        make_arena(video, other)
    return project, video, arena_poses(other)


def _trained(project: Project, options: argparse.Namespace) -> list[Path]:
    """Folders of the networks' runs, those that lack trained now."""
    for n in range(len(project.runs()), options.networks):
        config = {"steps": options.steps, "minutes": None, "train_fraction": 0.8, "split_seed": n, "seed": n}
        _done(jobs.start("train", project, config=config))
    return project.runs()[: options.networks]


def _analyzed(project: Project, video: Path, folder: Path, **which: object) -> Poses:
    folder.mkdir(exist_ok=True)
    found = _done(jobs.start("analyze", project, videos=[video], folder=str(folder), **which))
    return Poses.read(found["videos"][0]["output"])


def _done(job: jobs.Job) -> dict:
    if job.wait() != "done":
        raise SystemExit(f"{job.kind}: {job.error or job.status}")
    return job.result or {}


def _errors(poses: Poses, truth: np.ndarray) -> str:
    away = np.hypot(*np.moveaxis(poses.points - truth, -1, 0))
    away = away[np.isfinite(away)]
    return f"mean {away.mean():5.2f}  median {np.median(away):5.2f}  95 % {np.percentile(away, 95):6.2f} px"


if __name__ == "__main__":
    main()
