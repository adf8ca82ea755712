"""Simulated students, for a rehearsal: each does what a person in a lesson does, with the same files and functions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dlcnb.labels import LabelStore
from dlcnb.labels.journal import Edit
from dlcnb.poses import Poses
from dlcnb.project import Project
from dlcnb.sampledata import arena_poses
from dlcnb.teaching.exercises import EXERCISES, check
from dlcnb.teaching.lesson import Lesson
from dlcnb.teaching.stages import fill_labels, start_analysis, start_training

if TYPE_CHECKING:
    from dlcnb.jobs import Job

__all__ = ["ACTIONS", "Pupil", "act", "class_of"]

LATE_FRAMES = 3  # that a late student has labeled before catching up
SCATTER = (0.8, 2.4)  # px, of the students' hands
TWIN = "Kim"  # what two of them call themselves


@dataclass(frozen=True)
class Pupil:
    """A simulated student.

    Attributes
    ----------
    number : from 0. name : as typed. home : folder of their own.
    scatter : standard deviation of their clicks, px, in x and in y.
    late : comes after the first hand-in, with few frames labeled. swaps : frame, from 0, in which the ears are
    exchanged, or None. half : the first file arrives only half.
    """

    number: int
    name: str
    home: Path
    scatter: float
    late: bool = False
    swaps: int | None = None
    half: bool = False

    def clicks(self, lesson: Lesson) -> NDArray[np.float64]:
        """Where this student clicks, ``(T, K, 2)`` px; NaN = nowhere."""
        rng = np.random.default_rng([self.number, len(lesson.name)])
        points = lesson.truth + rng.normal(0, self.scatter, lesson.truth.shape)
        if self.swaps is not None:
            points[self.swaps, [1, 2]] = points[self.swaps, [2, 1]]
        if self.late:
            points[LATE_FRAMES:] = np.nan
        return points


def class_of(students: int, folder: Path, seed: int = 0) -> list[Pupil]:
    """A class: one in seven late, one in nine with exchanged ears, two of one name, one half-downloaded file.

    A class of three has one of each of these.
    """
    rng = np.random.default_rng(seed)
    pupils = []
    for n in range(students):
        name = TWIN if n in (0, 1) else f"Student {n + 1}"
        late, swaps = n % 7 == 2, int(rng.integers(LATE_FRAMES)) if n % 9 == 1 else None
        pupils.append(Pupil(n, name, folder / f"home-{n + 1:03d}", float(rng.uniform(*SCATTER)), late, swaps, n == 0))
    return pupils


def act(pupil: Pupil, lesson: Lesson, action: str, **options: Any) -> Any:
    """Let a student do one of `ACTIONS`; for a process of the student's own."""
    return ACTIONS[action](pupil, lesson, **options)


def _open(pupil: Pupil, lesson: Lesson) -> Project:
    return lesson.start(pupil.home, pupil.name)


def _start(pupil: Pupil, lesson: Lesson) -> str:
    return str(_open(pupil, lesson).root)


def _label(pupil: Pupil, lesson: Lesson) -> int:
    """Click bodypart by bodypart, frame by frame; returns the number of points."""
    project, points = _open(pupil, lesson), pupil.clicks(lesson)
    store = LabelStore(project, project.videos[0].stem)
    placed = np.argwhere(~np.isnan(points[..., 0])).tolist()
    for t, k in placed:
        store.apply([Edit(lesson.images[t], lesson.bodyparts[k], (float(points[t, k, 0]), float(points[t, k, 1])))])
    store.save()
    return len(placed)


def _catch_up(pupil: Pupil, lesson: Lesson) -> int:
    """As ``dlcnb class stage 1``."""
    return fill_labels(lesson, _open(pupil, lesson))


def _exercises(pupil: Pupil, lesson: Lesson, names: tuple[str, ...]) -> dict[str, bool]:
    """Answer some exercises: with the solution, or, for "label five frames", with the labels that are there."""
    project, found = _open(pupil, lesson), {}
    for name in names:
        labeling = name == "label five frames"
        answer = None if labeling else EXERCISES[name].solution(lesson, project)
        found[name] = check(lesson, project, name, answer).passed
    return found


def _hand_in(pupil: Pupil, lesson: Lesson, folder: Path, half: bool = False) -> str:
    """Write the file; ``half`` of it if the connection broke."""
    path = lesson.hand_in(_open(pupil, lesson)).write(folder)
    if half:
        data = path.read_bytes()
        path.write_bytes(data[: len(data) // 2])
    return path.name


def _train(pupil: Pupil, lesson: Lesson, **budget: Any) -> dict[str, Any]:
    return _waited(start_training(_open(pupil, lesson), **budget))


def _analyze(pupil: Pupil, lesson: Lesson) -> dict[str, Any]:
    return _waited(start_analysis(_open(pupil, lesson)))


def _pretend(pupil: Pupil, lesson: Lesson) -> dict[str, Any]:
    """Poses as of a network with the student's own scatter, where nothing is to be trained."""
    truth = arena_poses(lesson.arena)
    points = truth + np.random.default_rng(pupil.number).normal(0, pupil.scatter, truth.shape)
    made = Poses(lesson.bodyparts, "DLC_rehearsal", points, np.ones(truth.shape[:2]))
    made.write(_open(pupil, lesson).videos[0])
    return {}


def _waited(job: Job | None) -> dict[str, Any]:
    """What a job left, waited for; raises RuntimeError if it failed."""
    if job is None:
        return {}
    if job.wait() != "done":
        raise RuntimeError(job.error or f"{job.kind} was {job.status}")
    return job.result or {}


ACTIONS: dict[str, Callable[..., Any]] = {
    "start": _start,
    "label": _label,
    "catch up": _catch_up,
    "exercises": _exercises,
    "hand in": _hand_in,
    "train": _train,
    "analyze": _analyze,
    "pretend": _pretend,
}
