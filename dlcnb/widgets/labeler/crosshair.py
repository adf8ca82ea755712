"""Labeling without a mouse: a crosshair that the arrow keys move and Enter places at."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from dlcnb.widgets.labeler.state import LabelSession
    from dlcnb.widgets.labeler.view import LabelView

__all__ = ["Crosshair"]

_WAYS = {"ArrowLeft": (-1, 0), "ArrowRight": (1, 0), "ArrowUp": (0, -1), "ArrowDown": (0, 1)}
STEPS = {  # canvas px
    f"{held}{arrow}": (step * dx, step * dy)
    for held, step in (("", 16.0), ("Shift+", 80.0))
    for arrow, (dx, dy) in _WAYS.items()
}
FINE = {f"Alt+{arrow}": way for arrow, way in _WAYS.items()}  # image px


class Crosshair:
    """What the crosshair of a `LabelView` does for a `LabelSession`.

    Attributes
    ----------
    keys : those that it takes while it is shown.
    """

    keys = frozenset((*STEPS, *FINE, "Enter"))

    def __init__(self, session: LabelSession, view: LabelView) -> None:
        self.session, self.view = session, view

    @property
    def shown(self) -> bool:
        """Whether there is one."""
        return self.view.crosshair is not None

    def toggle(self) -> None:
        """Show it, or put it away."""
        if self.shown:
            self.view.set_crosshair(None)
            self.session.note("the crosshair is off: the arrows go from frame to frame")
            return
        self.session.note("the crosshair is on: arrows move it, Enter places, Escape puts it away")
        height, width = self.view.canvas_size
        self.view.set_crosshair(self.session.clipped(self.view.image_point((width / 2, height / 2))))
        self.aim()

    def aim(self) -> None:
        """Go, if shown, where the current bodypart is; else where it was in the frame labeled before, moved as those
        were that are placed here already.
        """
        if not self.shown:
            return
        session = self.session
        previous = session.previous_labeled()
        for points in (session.shown_points(), self._carried(session.points(previous)) if previous else None):
            if points is not None and np.isfinite(points[session.part]).all():
                x, y = points[session.part].tolist()
                self.view.set_crosshair(session.clipped((x, y)))
                return

    def _carried(self, before: NDArray[np.float64]) -> NDArray[np.float64]:
        """Points of another frame, float64 (K, 2), moved as far as those that are placed here lie from theirs."""
        moved = self.session.points() - before
        moved = moved[np.isfinite(moved).all(axis=1)]
        return before + moved.mean(axis=0) if len(moved) else before

    def on_key(self, key: str) -> None:
        """Take one of ``keys``."""
        if (at := self.view.crosshair) is None:
            return
        if key == "Enter":
            placed = self.session.points()[self.session.part]
            if not np.isfinite(placed).all():
                self.session.click(at)
            elif tuple(placed) != at:
                self.session.place(at)
            self.aim()
            return
        scale = 1.0 if key in FINE else 1 / self.view.fit.zoom
        dx, dy = FINE.get(key) or STEPS[key]
        self.view.set_crosshair(self.session.clipped((at[0] + dx * scale, at[1] + dy * scale)))
