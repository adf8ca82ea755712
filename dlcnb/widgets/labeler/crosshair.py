"""Labeling without a mouse: a crosshair that numbered fields and the arrow keys move, and Enter places at."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from dlcnb.geometry import CanvasFit
    from dlcnb.widgets.labeler.history import Point
    from dlcnb.widgets.labeler.state import LabelSession
    from dlcnb.widgets.labeler.view import Field, LabelView

__all__ = ["Crosshair", "fields"]

SIDE = 3  # fields across, and down
WHOLE = "0"
_WAYS = {"ArrowLeft": (-1, 0), "ArrowRight": (1, 0), "ArrowUp": (0, -1), "ArrowDown": (0, 1)}
STEP = 16.0  # canvas px
STEPS = {  # canvas px
    f"{held}{arrow}": (step * dx, step * dy)
    for held, step in (("", STEP), ("Shift+", 5 * STEP))
    for arrow, (dx, dy) in _WAYS.items()
}
HOW = (
    "Press the number of the field with {}, again and again, then Enter. Arrows move on (Shift: far, Alt: 1 px), 0 "
    "shows all fields, W and S change the bodypart, N: not visible, Escape ends it."
)
COMPLETE = "All bodyparts of this frame are placed: F goes on to the next one, W and S to a bodypart to correct."
FINE = {f"Alt+{arrow}": way for arrow, way in _WAYS.items()}  # image px


def fields(field: Field) -> list[Field]:
    """The nine fields, row by row, that a field (left, top, right, bottom) is divided into."""
    across, down = (np.linspace(*ends, SIDE + 1).tolist() for ends in (field[::2], field[1::2]))
    return [(left, top, right, bottom) for top, bottom in pairwise(down) for left, right in pairwise(across)]


class Crosshair:
    """What the crosshair of a `LabelView` does for a `LabelSession`.

    What is seen of the picture is divided into nine numbered fields. The number of one takes the crosshair to its
    middle and divides that field anew, nearer if it is small: four numbers reach any place of a picture of 640 x 480
    to 4 px. Arrows move it on, with the loupe in place of the fields.

    Attributes
    ----------
    keys : those that it takes while it is shown.
    """

    keys = frozenset((*STEPS, *FINE, "Enter", WHOLE, *map(str, range(1, SIDE * SIDE + 1))))

    def __init__(self, session: LabelSession, view: LabelView) -> None:
        self.session, self.view = session, view
        self._aimed: Point | None = None
        self._said = HOW  # of what to press, last
        self._seen: CanvasFit | None = None  # how the picture lay before it was shown nearer

    @property
    def shown(self) -> bool:
        """Whether there is one."""
        return self.view.crosshair is not None

    def toggle(self) -> None:
        """Show it, or put it away."""
        if self.shown:
            self.put_away()
            self.session.note("the crosshair is off: the arrows go from frame to frame")
            return
        self.session.message, self._seen = "", None
        self._begin(_middle(self.view.seen))
        self.aim()
        self.say_how()

    def put_away(self) -> None:
        """Show none."""
        self.look_back()
        self.view.set_crosshair(None)

    def aim(self) -> None:
        """Go, if shown, where the current bodypart is; else where it was in the frame labeled before, moved as those
        were that are placed here already; else stay. All that is seen is divided again.
        """
        if (at := self.view.crosshair) is None:
            return
        session = self.session
        previous = session.previous_labeled()
        for points in (session.shown_points(), self._carried(session.points(previous)) if previous else None):
            if points is not None and np.isfinite(points[session.part]).all():
                x, y = points[session.part].tolist()
                self._begin((x, y))
                self._aimed = self.view.crosshair
                return
        self._begin(at)

    def follow(self) -> None:
        """Aim at another current bodypart, and say so."""
        self.aim()
        self.say_how()

    def aim_again(self) -> None:
        """Aim at where the point is now, if it was aimed at and nobody has moved the crosshair since."""
        if self.shown and self.view.crosshair == self._aimed:
            self.aim()

    def _begin(self, at: Point) -> None:
        """Stand at a point of the image, with fields over all that is seen."""
        self.look_back()
        self._look_at(at)
        self.view.set_crosshair(at, self.view.seen)

    def _look_at(self, at: Point) -> None:
        """Move the picture so that a point that is out of sight is seen."""
        if not self.view.sees(at):
            self.view.bring_in(np.array([at]))

    def look_back(self) -> None:
        """Let the picture lie as it did before a number brought a field nearer."""
        if self._seen is not None:
            self.view.show(self._seen)
            self._seen = None

    def _carried(self, before: NDArray[np.float64]) -> NDArray[np.float64]:
        """Points of another frame, float64 (K, 2), moved as far as those that are placed here lie from theirs."""
        moved = self.session.points() - before
        moved = moved[np.isfinite(moved).all(axis=1)]
        return before + moved.mean(axis=0) if len(moved) else before

    def on_key(self, key: str) -> None:
        """Take one of ``keys``."""
        self.session.begin()
        if (at := self.view.crosshair) is None:
            return
        if key == "Enter":
            self._place(at)
        elif key == WHOLE:
            self._begin(at)
        elif key.isdigit():
            self._narrow(int(key))
        else:
            scale = 1.0 if key in FINE else max(1 / self.view.fit.zoom, 1 / STEP)  # of an arrow alone, 1 px at least
            dx, dy = FINE.get(key) or STEPS[key]
            self.view.set_crosshair(at := (at[0] + dx * scale, at[1] + dy * scale))
            self._look_at(at)

    def _narrow(self, number: int) -> None:
        """Go to the middle of a numbered field, or show the fields first."""
        if self.view.field is None:
            self.view.set_crosshair(self.view.crosshair, self.view.seen)
            return
        field = fields(self.view.field)[number - 1]
        seen = self.view.fit
        if self.view.come_near(field) and self._seen is None:
            self._seen = seen
        self.view.set_crosshair(_middle(field), field)

    def _place(self, at: Point) -> None:
        if not self.view.sees(at):  # the picture was moved away from it
            self._look_at(at)
            self.session.note("the crosshair was out of sight: Enter again places where it is")
            return
        self.look_back()
        placed = self.session.points()[self.session.part]
        if not np.isfinite(placed).all():
            self.session.click(at)
        elif tuple(placed) != at:
            self.session.place(at)
        self.aim()
        self.say_how()

    def say_how(self) -> None:
        """Say what to press next, if it is shown and nothing else is said."""
        if self.shown and self.session.message in ("", self._said):
            left = self.session.open_parts().any()
            self._said = HOW.format(self.session.cursor.bodypart) if left else COMPLETE
            self.session.note(self._said)


def _middle(field: Field) -> Point:
    left, top, right, bottom = field
    return (left + right) / 2, (top + bottom) / 2
