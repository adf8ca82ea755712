"""What is known of a project's networks: how they were judged, and which videos have poses of an older one."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dlcnb.evaluate import Evaluation, judging_evaluations, worse
from dlcnb.evaluate.verdict import LEVELS, SHORT
from dlcnb.files import read_json
from dlcnb.jobs import PAUSE, attach
from dlcnb.jobs.origin import Origin, made_by
from dlcnb.jobs.starting import last_network
from dlcnb.labels import image_problem
from dlcnb.poses import newest_poses
from dlcnb.project import ProjectError
from dlcnb.run import Run

if TYPE_CHECKING:
    from dlcnb.project import Project

__all__ = [
    "BAD",
    "Older",
    "error_px",
    "halted",
    "has_poses",
    "labeled_since",
    "last_report",
    "older_poses",
]

BAD = ("useless", "poor")  # levels of a verdict, with which looking further is of no use


@dataclass(frozen=True)
class Older:
    """Videos whose poses are of another network of the project than the newest one.

    Attributes
    ----------
    videos : {path of a video: the network that its poses are of}
    worth : bool
        Whether to analyze again is worth it: the newest network is judged usable, and no worse than the others.
    """

    videos: dict[Path, Origin] = field(default_factory=dict)
    worth: bool = False


def older_poses(project: Project) -> Older:
    """The `Older` of a project; poses of other programs, and of several networks together, are none of them."""
    newest = last_network(project)
    if newest is None:
        return Older()
    best, found = newest.find("best")[0], {}
    for video in project.videos:
        origins = _origins(project, video)
        if len(origins) == 1 and origins[0].run is not None and not _is(origins[0], newest, best):
            found[video] = origins[0]
    runs = {origin.run.folder for origin in found.values() if origin.run is not None}
    level, before = _level(project, newest.folder), [_level(project, run) for run in runs]
    worth = bool(found) and level >= len(BAD) and all(level >= other for other in before)
    return Older(found, worth and not any(_is_worse(project, newest.folder, run) for run in runs))


def _origins(project: Project, video: Path) -> tuple[Origin, ...]:
    try:
        return made_by(project, newest_poses(video))
    except FileNotFoundError:
        return ()


def _is(origin: Origin, run: Run, step: int) -> bool:
    return origin.run is not None and origin.run.folder == run.folder and origin.step == step


def _level(project: Project, run: Path) -> int:
    """How good a network was judged to be, as a place among `LEVELS`; -1 if that is not known."""
    level = (last_report(project, run).get("verdict") or {}).get("level")
    return LEVELS.index(level) if level in LEVELS else -1


def _is_worse(project: Project, run: Path, other: Path) -> bool:
    """Whether the newest evaluation of a run says that it is worse than another one (see `dlcnb.evaluate.worse`)."""
    found = [path for one in (run, other) for path in judging_evaluations(project, one)[:1]]
    return len(found) == 2 and _compared(*((path, path.stat().st_mtime_ns) for path in found))


@lru_cache(maxsize=16)  # it is asked again and again, and the files of large projects are large
def _compared(report: tuple[Path, int], other: tuple[Path, int]) -> bool:
    try:
        return worse(Evaluation.read(report[0]), Evaluation.read(other[0])) is not None
    except (OSError, ValueError):  # a damaged one; the tab Evaluate tells of it
        return False


def last_report(project: Project, run: Path) -> dict[str, Any]:
    """The newest evaluation of a run; empty if there is none."""
    for path in judging_evaluations(project, run):
        with suppress(OSError, TypeError, ValueError):  # a damaged one; the tab Evaluate tells of it
            return dict(read_json(path))
    return {}


def error_px(report: dict[str, Any]) -> float | None:
    """Mean test error, px, or that on the training frames; None if there is none."""
    test, train = (report.get(name, {}).get("mean_px") for name in ("test", "train"))
    return train if test is None else test


def labeled_since(project: Project, run: Path, labeled: Iterable[str]) -> int:
    """How many of these frames a run does not have and another one would; 0 if it does not say which it has."""
    try:
        others = set(labeled).difference(*Run(run).split.values())
    except ProjectError:
        return 0
    return sum(image_problem(project.root / name) is None for name in others)


def halted(run: Path, steps: int) -> str:
    """How a training ended that is to be gone on with: "paused", or "stopped" after few ``steps``; empty for others."""
    if not Run(run).job_file.is_file():
        return ""
    job = attach(run)
    if job.reason == PAUSE:
        return "paused"
    return "stopped" if steps < SHORT and job.status in ("stopped", "lost") else ""


def has_poses(video: Path) -> bool:
    """Whether there is a table of poses of a video."""
    try:
        return bool(newest_poses(video))
    except FileNotFoundError:
        return False
