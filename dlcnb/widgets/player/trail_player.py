"""A player that draws where each bodypart comes from and where it goes."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np

from dlcnb.geometry import CanvasFit
from dlcnb.widgets.base.paint import Lines, Thing
from dlcnb.widgets.player.player import Player

__all__ = ["TrailPlayer"]

PAST, FUTURE = 2.5, 1.5  # px, widths of the lines


class TrailPlayer(Player):
    """A `Player` with a trail: the past as bold lines, the future as thin dashes (as in Fig. 3 of the paper).

    ``trail`` is the number of frames before and after the present one; 0 = none. ``shown`` are the names of the
    bodyparts that have one; None = all.
    """

    trail = 0
    shown: Collection[str] | None = None

    def set_trail(self, trail: int, shown: Collection[str] | None = None) -> None:
        """Draw a trail of that many frames."""
        self.trail, self.shown = trail, shown
        self.redraw()

    def things(self, fit: CanvasFit) -> list[Thing]:
        """The pose, and its trail over it."""
        things, state = super().things(fit), self.state
        if state.points is None or not state.show_poses or not self.trail:
            return things
        first, stop = max(state.frame - self.trail, 0), min(state.frame + self.trail + 1, state.n_frames)
        points = fit.to_canvas(state.points_of(slice(first, stop)))  # (n, K, 2)
        ks = [k for k, name in enumerate(self.bodyparts) if self.shown is None or name in self.shown]
        now = state.frame - first
        for part, every, width in ((points[: now + 1], 1, PAST), (points[now:], 2, FUTURE)):
            steps = np.stack([part[:-1, ks], part[1:, ks]], axis=2)[::every]  # (steps, bodyparts, 2, 2)
            things.append(Lines(steps.reshape(-1, 2, 2), np.tile(self._colors[ks], (len(steps), 1)), width, 0.9))
        return things
