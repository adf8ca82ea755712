"""ClassBoard: who of a class has done what, how far the class agrees, and whose network leads, while it happens."""

from __future__ import annotations

import shutil
import tempfile
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from dlcnb.teaching import HUMAN_PX, SUFFIX, Board, ClassError, HandIn, Standing, gather
from dlcnb.widgets.base.html import Html, Markup, heading, joined, markup, muted, notice, table
from dlcnb.widgets.base.input_guard import InputGuard
from dlcnb.widgets.base.pictures import figure_picture
from dlcnb.widgets.base.task import Task
from dlcnb.widgets.base.upload import Upload
from dlcnb.widgets.base.view import View, button, gesture, row

if TYPE_CHECKING:
    from PIL import Image

__all__ = ["ClassBoard"]

SECONDS = 2.0  # between two looks at the folder
NOBODY = "Nobody has handed in yet. The last cell of a student's notebook writes a file: it appears here, or upload it."


class Lesson(Protocol):
    """What the board needs to know of the lesson."""

    name: str
    bodyparts: Sequence[str]
    images: Sequence[str]

    @property
    def hidden(self) -> NDArray[np.float64] | None:
        """True points ``(H, K, 2)``, px, of the frames that networks are compared on; None = they aren't."""


class ClassBoard(View):
    """A class's work on the same frames, live: as files appear in the folder, or as the teacher uploads them.

    It shows what each student has labeled, how far from the rest of the class, which labels may be worth a second
    look, how far the class spreads for each bodypart (beside the paper's 2.69 px), and the networks' errors on frames
    that nobody has seen. Files that can't be taken are named and kept.

    Parameters
    ----------
    folder : path
        Where the hand-ins are: one that the class shares, or an empty one for uploads; made if need be.
    lesson : the class's lesson, such as `dlcnb.teaching.Lesson`.

    Attributes
    ----------
    board : dlcnb.teaching.Board
        As of the last look.
    """

    def __init__(self, folder: str | Path, lesson: Lesson) -> None:
        self.folder, self.lesson = Path(folder).expanduser().absolute(), lesson
        self.folder.mkdir(parents=True, exist_ok=True)
        self._seen: object = None
        self._problems: list[str] = []
        self._refused: dict[str, str] = {}  # name of an uploaded file: why it was not taken
        self.board = self._board([])
        self._arriving = Path(tempfile.mkdtemp(prefix="dlcnb-class-"))
        self.upload = Upload(
            lambda: self._arriving, self._on_arrived, self.fail, accept=[".json"], label="Add students' files"
        )
        self.again = button("refresh", "Look into the folder again", self._look_again)
        self.headline, self.students, self.spread, self.leaders, self.problems = (Html() for _ in range(5))
        super().__init__(
            [
                self.headline, row([self.upload, self.again]), self.students, self.spread, self.leaders, self.problems,
                InputGuard(surfaces=0),
            ]
        )  # fmt: skip
        self.refresh()
        self.task = Task(self.fail)
        self.task.start(self._watch)

    def _board(self, found: Sequence[HandIn]) -> Board:
        lesson = self.lesson
        return Board(lesson.name, lesson.bodyparts, lesson.images, found, lesson.hidden)

    # --- what is in the folder ---

    def _watch(self, stop: threading.Event) -> None:
        while not stop.wait(SECONDS):
            if self._signature() != self._seen:
                self.refresh()

    def _signature(self) -> object:
        """What changes when a student hands in."""
        found = []
        for path in self.folder.glob(f"*{SUFFIX}"):
            try:
                state = path.stat()
            except OSError:  # replaced at this moment
                continue
            found.append((path.name, state.st_mtime_ns, state.st_size))
        return sorted(found)

    @gesture
    def refresh(self) -> None:
        """Look into the folder again."""
        self._seen = self._signature()
        found, self._problems = gather(self.folder)
        self.board = self._board(found)
        self.redraw()

    def _look_again(self) -> None:
        """Look into the folder, and forget what was not taken of the uploads."""
        self._refused.clear()
        self.refresh()

    def _on_arrived(self, path: Path) -> None:
        """Take a file that the teacher uploaded; a newer one of the same student replaces the one before."""
        self._refused.pop(path.name, None)
        try:
            taken = HandIn.read(path)
            taken.write(self.folder)
            self.tell(f"{taken.student}'s file is in.")
        except (ClassError, OSError) as error:
            self._refused[path.name] = str(error)  # it stays on the board while others arrive
        finally:
            path.unlink(missing_ok=True)
        self.refresh()

    # --- what is shown ---

    def redraw(self) -> None:
        """Show the board as it is."""
        standings = self.board.standings()
        done = sum(one.labeled == len(self.board.images) for one in standings)
        people = "1 student" if len(standings) == 1 else f"{len(standings)} students"
        note = f"{people}, {done} with all {len(self.board.images)} frames" if standings else ""
        self.headline.value = heading(self.lesson.name, note)
        self.students.value = _students(standings, len(self.board.images)) if standings else muted(NOBODY)
        self.spread.value = _spread(self.board) if standings else Markup()
        self.leaders.value = _leaders(self.board.leaders())
        problems = [*self._refused.values(), *self._problems, *self.board.problems]
        self.problems.value = joined(notice(text, "error") for text in problems)

    def snapshot(self) -> Image.Image:
        """Each student's distance from the class for each bodypart, as a `PIL.Image.Image`."""
        from matplotlib.figure import Figure

        figure = Figure((7, 3.2), layout="constrained")
        axes = figure.subplots()
        apart = self.board.apart
        for s, name in enumerate(self.board.names):
            means = [float(np.nanmean(d)) if np.isfinite(d).any() else np.nan for d in apart[s].T]
            axes.plot(range(len(means)), means, "o", alpha=0.7, label=name)
        axes.axhline(HUMAN_PX, color="black", linestyle=":", label=f"one person twice: {HUMAN_PX} px (the paper)")
        axes.set_xticks(range(len(self.board.bodyparts)), self.board.bodyparts)
        axes.set_ylabel("px from the rest of the class")
        axes.set_title(self.lesson.name, parse_math=False)
        return figure_picture(figure, 100)

    def close(self) -> None:
        """Take the widget off the page; the files stay."""
        self.task.end(5)
        shutil.rmtree(self._arriving, ignore_errors=True)
        super().close()


def _students(standings: Sequence[Standing], frames: int) -> Markup:
    """A row for each student."""
    rows: list[list[Any]] = []
    for one in standings:
        again = joined(one.advice, markup("<br>")) if one.advice else muted("as the class has it")
        words = markup('<td class="dlcnb-words">{}</td>', muted("not yet") if one.labeled == 0 else again)
        given = joined([markup("<br>"), muted(f"+ {one.given} points given")]) if one.given else Markup()
        rows.append(
            [
                *(one.student, joined([f"{one.labeled} of {frames}", given]), _px(one.apart_px)),
                *(words, f"{one.score:g}", _px(one.network_px)),
            ]
        )
    heads = ["student", "labeled", "from the class", "worth a second look", "points", "network"]
    return table(heads, rows)


def _spread(board: Board) -> Markup:
    """How far the class spreads for each bodypart, beside the paper's figure."""
    rows = [[part, _px(value)] for part, value in board.spread.items()]
    return table(["spread of the class", f"one person twice: {HUMAN_PX} px"], rows)


def _leaders(standings: Sequence[Standing]) -> Markup:
    """The networks, the best first; nothing before there is one."""
    if not standings:
        return Markup()
    rows: list[list[Any]] = [
        [joined([f"{n}. {s.student}", muted(" with given points") if s.given else ""]), _px(s.network_px)]
        for n, s in enumerate(standings, 1)
    ]
    return table(["network of", "error on hidden frames"], rows)


def _px(value: float) -> str:
    return f"{value:.1f} px" if np.isfinite(value) else "–"
