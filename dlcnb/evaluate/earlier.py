"""A network beside those that were trained before it, on the frames that held both of them out."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtr

from dlcnb.evaluate.core import Evaluation
from dlcnb.evaluate.summary import errors, px_text, summarize
from dlcnb.evaluate.verdict import FEW_TESTED
from dlcnb.files import StrPath
from dlcnb.project import ProjectError, run_info
from dlcnb.run import Run

if TYPE_CHECKING:
    from dlcnb.project import Project

__all__ = ["Before", "Worse", "before", "judging_evaluations", "worse"]

_REPORT = "evaluation-*[0-9].json"  # not its details


@dataclass(frozen=True)
class Worse:
    """How much worse a network is: its mean error and that of the other one, px, on so many ``frames``."""

    px: float
    other_px: float
    frames: int


@dataclass(frozen=True, eq=False)
class Before:
    """The evaluation of the network that was trained before another one; ``name`` says which it is."""

    name: str
    evaluation: Evaluation

    def words(self, after: Evaluation) -> str:
        """One line if the network of ``after`` is worse; empty if it is not, or if that can't be told."""
        found = worse(after, self.evaluation)
        if found is None:
            return ""
        px, other_px = (f"{px_text(value, 1)}\N{NO-BREAK SPACE}px" for value in (found.px, found.other_px))
        return (
            f"Worse than the network before ({self.name}): {px} off beside {other_px}, on the {found.frames} test "
            "frames of both. Train longer before you analyze with it: poses of the network before are kept, and can be "
            "chosen in Look, in the list of poses."
        )


def judging_evaluations(project: Project, run: StrPath) -> list[Path]:
    """The files of a run's evaluations that say what it is worth, the newest first: of its best snapshot or later ones.

    Where it has no snapshots any more, all of them do.
    """
    try:
        best = Run(run).find("best")[0]
    except ProjectError:
        best = 0
    found = [path for path in project.evaluation_dir(run).glob(_REPORT) if path.is_file() and _step(path) >= best]
    return sorted(found, key=lambda path: path.stat().st_mtime, reverse=True)


def _step(report: Path) -> int:
    return int(re.findall(r"\d+", report.stem)[-1])


def before(project: Project, report: Path) -> Before | None:
    """What is known of the network before the one of an evaluation (its json file); None if there is nothing."""
    iteration = _iteration(report)
    for run in _runs_before(project, iteration, report.parent.name):
        for path in judging_evaluations(project, run)[:1]:
            try:
                found = Evaluation.read(path)
            except (ValueError, OSError):  # a damaged one is told where it is chosen
                return None
            of = f"iteration {_iteration(path)}, " if _iteration(path) != iteration else ""
            return Before(f"{of}shuffle {run_info(run)['shuffle']}", found)
    return None


def _iteration(report: Path) -> int:
    """The iteration of an evaluation; 0 for one that is not of a project."""
    found = re.fullmatch(r"iteration-(\d+)", report.parents[1].name)
    return int(found[1]) if found else 0


def _runs_before(project: Project, iteration: int, name: str) -> Iterator[Path]:
    """The runs that were begun before the one of this iteration and name, the last of them first."""
    here = project.runs(iteration)
    own = next((n for n, run in enumerate(here) if run.parent.name == name), 0)
    yield from reversed(here[:own])
    for earlier in reversed(range(iteration)):
        yield from reversed(project.runs(earlier))


def worse(evaluation: Evaluation, other: Evaluation) -> Worse | None:
    """Whether a network is worse than another one, by more than chance.

    Both are judged by the frames that both held out, at least five, and by the labels of ``evaluation``: the 95 %
    interval of the mean difference of a frame lies above 0 (Student's t; a bootstrap is too sure with so few).

    Returns
    -------
    Worse or None
        None also where it can't be told: too few frames, or the other one goes on from a network that may know them.
    """
    if other.steps_behind > other.step:
        return None
    px, other_px = _on_shared(evaluation, other)
    known = np.isfinite(px).any(axis=1) if px.size else np.zeros(0, bool)
    if known.sum() < FEW_TESTED or not _surely_larger(np.nanmean((px - other_px)[known], axis=1)):
        return None
    found = Worse(summarize(px).mean_px, summarize(other_px).mean_px, int(known.sum()))
    return found if found.px > found.other_px and px_text(found.px, 1) != px_text(found.other_px, 1) else None


def _surely_larger(differences: NDArray[np.float64]) -> bool:
    """Whether the 95 % interval of the mean of these (n,) lies above 0."""
    n = len(differences)
    with np.errstate(divide="ignore", invalid="ignore"):  # all may be the same
        t = differences.mean() / (differences.std(ddof=1) / np.sqrt(n))
    return bool(stdtr(n - 1, -t) < 0.025)


def _on_shared(evaluation: Evaluation, other: Evaluation) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Errors (N', K') px of both networks in the test frames and bodyparts of both; NaN where one of them has none."""
    rows = {image: n for n, image in enumerate(other.images) if other.is_test[n]}
    ours = [n for n, image in enumerate(evaluation.images) if evaluation.is_test[n] and image in rows]
    parts = [part for part in evaluation.bodyparts if part in other.bodyparts]
    here = np.ix_(ours, [evaluation.bodyparts.index(part) for part in parts])
    there = np.ix_([rows[evaluation.images[n]] for n in ours], [other.bodyparts.index(part) for part in parts])
    labels = evaluation.labels[here]
    found, others = errors(labels, evaluation.predicted[here]), errors(labels, other.predicted[there])
    both = np.isfinite(found) & np.isfinite(others)
    return np.where(both, found, np.nan), np.where(both, others, np.nan)
