"""A rehearsal: a class of simulated students goes through the whole plan on one machine, before real ones do."""

from __future__ import annotations

import multiprocessing
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, wait
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from dlcnb.teaching.board import Board
from dlcnb.teaching.exercises import EXERCISES
from dlcnb.teaching.hand_in import gather
from dlcnb.teaching.lesson import Lesson
from dlcnb.teaching.marking import board_mistakes, lost_points
from dlcnb.teaching.pupils import Pupil, act, class_of

__all__ = ["Report", "Stage", "rehearse"]

LOOK_EVERY = 1.0  # s, between two looks at the memory
FIRST = "label five frames"


@dataclass(frozen=True)
class Stage:
    """A block of the plan.

    Attributes
    ----------
    name : of the block. students : that took part.
    seconds : from its beginning until the last was done.
    waited : s, the longest that one waited for the turn. worked : s, the longest that one's own work took.
    failed : what failed, a line each.
    """

    name: str
    students: int
    seconds: float
    waited: float
    worked: float
    failed: tuple[str, ...] = ()


@dataclass(frozen=True)
class Report:
    """What a rehearsal came to.

    Attributes
    ----------
    students, at_once : of the class; that train or analyze at the same time.
    seconds : of all blocks. peak_mb : most memory of all processes together; seat_mb : of one student's processes.
    lost : points that a student placed and that are not there at the end.
    mistakes : what the board shows otherwise than the students' files tell, a line each.
    problems : files that the board named. network_px : errors of the networks on the hidden frames, ascending.
    """

    students: int
    at_once: int
    seconds: float
    peak_mb: float
    seat_mb: float
    lost: int
    mistakes: tuple[str, ...]
    problems: tuple[str, ...]
    network_px: tuple[float, ...]


def rehearse(
    folder: Path, lesson: Lesson, students: int = 30, *, at_once: int = 1, train: dict[str, Any] | None = None
) -> Iterator[Stage | Report]:
    """Let a class go through the plan of ``teaching/README.md``; yields a `Stage` for each block, and a `Report`.

    Each student is a process with a home of its own, as on a hub; labels, files, trainings and the board are real.

    Parameters
    ----------
    folder : an empty one, for the students' homes and the class's folder.
    at_once : how many train, or analyze, at the same time; the others wait for their turn.
    train : ``{"minutes": 3}`` or ``{"steps": 5}``; None = nothing is trained, and the networks' answers are made up.
    """
    shared = folder / "class"
    shared.mkdir(parents=True)
    pupils = class_of(students, folder)
    punctual = [one for one in pupils if not one.late]
    board = _Checked(lesson, shared)
    with _Seats(pupils, lesson) as seats:
        began = time.monotonic()
        yield seats.do("start", punctual)
        yield seats.do("label", punctual)
        yield seats.do("exercises", punctual, names=(FIRST,))
        yield seats.do("hand in", [one for one in punctual if not one.half], folder=shared)
        yield seats.do("hand in", [one for one in punctual if one.half], folder=shared, half=True)
        yield board.look(punctual)
        late = [one for one in pupils if one.late]
        yield seats.do("start", late)
        yield seats.do("label", late)
        yield seats.do("catch up", late)
        if train is None:
            yield seats.do("pretend", pupils)
        else:
            yield seats.do("train", pupils, at_once, **train)
        yield seats.do("exercises", pupils, names=tuple(EXERCISES))
        if train is not None:
            yield seats.do("analyze", pupils, at_once)
        yield seats.do("hand in", pupils, folder=shared)
        yield board.look(pupils, final=True)
        seconds = time.monotonic() - began
        yield Report(
            students, at_once, seconds, seats.peak, seats.seat_peak, lost_points(pupils, lesson),
            (*seats.failed, *board.mistakes), tuple(board.problems), tuple(board.network_px),
        )  # fmt: skip


@dataclass
class _Checked:
    """The class's board, looked at and checked against what the students did."""

    lesson: Lesson
    folder: Path
    mistakes: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    network_px: list[float] = field(default_factory=list)

    def look(self, pupils: Sequence[Pupil], final: bool = False) -> Stage:
        """Gather the files and check the board; when it is not the ``final`` one, half a file is expected."""
        began = time.monotonic()
        found, problems = gather(self.folder)
        lesson = self.lesson
        made = Board(lesson.name, lesson.bodyparts, lesson.images, found, lesson.hidden)
        standings = made.standings()
        seconds = time.monotonic() - began
        counted = [one for one in pupils if final or not one.half]
        self.mistakes += board_mistakes(counted, lesson, made, final)
        half = sum(one.half for one in pupils) if not final else 0
        if len(problems) != half:
            self.mistakes.append(f"expected {half} damaged files, the board named {len(problems)}")
        self.problems += [*problems, *made.problems]
        self.network_px = sorted(one.network_px for one in standings if np.isfinite(one.network_px))
        return Stage("board", len(standings), seconds, 0.0, seconds)


class _Seats:
    """A process for each student, and how much memory they take."""

    def __init__(self, pupils: Sequence[Pupil], lesson: Lesson) -> None:
        self.lesson, self.failed = lesson, list[str]()
        self.peak = self.seat_peak = 0.0
        self._stack = ExitStack()
        context = multiprocessing.get_context("spawn")  # a kernel shares nothing with another, either
        self._seats = {one.number: self._stack.enter_context(ProcessPoolExecutor(1, context)) for one in pupils}
        self._over = threading.Event()
        self._watch = threading.Thread(target=self._look, name="dlcnb-rehearsal-memory", daemon=True)

    def __enter__(self) -> _Seats:
        self._watch.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._over.set()
        self._watch.join()
        self._stack.close()

    def do(self, action: str, pupils: Sequence[Pupil], at_once: int | None = None, **options: Any) -> Stage:
        """Let students do something at the same time, or at most ``at_once`` of them."""
        began, turns = time.monotonic(), list(pupils)
        waited, worked, failed = [0.0], [0.0], []
        running: dict[Future[Any], tuple[Pupil, float]] = {}
        while turns or running:
            while turns and len(running) < (at_once or len(pupils)):
                one = turns.pop(0)
                waited.append(time.monotonic() - began)
                future = self._seats[one.number].submit(act, one, self.lesson, action, **options)
                running[future] = one, time.monotonic()
            for future in wait(running, return_when="FIRST_COMPLETED").done:
                one, since = running.pop(future)
                worked.append(time.monotonic() - since)
                if error := future.exception():
                    failed.append(f"{action}, {one.name}: {error}")
        self.failed += failed
        return Stage(action, len(pupils), time.monotonic() - began, max(waited), max(worked), tuple(failed))

    def _look(self) -> None:
        """Look at the memory of all processes, again and again."""
        while not self._over.wait(LOOK_EVERY):
            mine = psutil.Process()
            seats = [_memory(child) for child in _quietly(mine.children)]
            self.peak = max(self.peak, _own_memory(mine) + sum(seats))
            self.seat_peak = max(self.seat_peak, *seats, 0.0)


def _memory(process: psutil.Process) -> float:
    """MB of a process and all that it started."""
    return _own_memory(process) + sum(_own_memory(child) for child in _quietly(process.children, recursive=True))


def _own_memory(process: psutil.Process) -> float:
    """MB of a process, with its share of what it shares with others where the system tells that."""
    try:
        full = process.memory_full_info()
        return float(getattr(full, "pss", 0) or full.rss) / 2**20
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return 0.0


def _quietly(children: Any, **options: Any) -> list[psutil.Process]:
    try:
        return list(children(**options))
    except psutil.NoSuchProcess:
        return []
