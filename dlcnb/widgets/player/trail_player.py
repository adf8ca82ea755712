"""A player that draws where each bodypart comes from and where it goes."""

from __future__ import annotations

import numpy as np
from PIL import ImageDraw

from dlcnb.widgets.player.player import Player

__all__ = ["TrailPlayer"]

PAST, FUTURE = 2.5, 1.5  # px, widths of the lines


class TrailPlayer(Player):
    """A `Player` with a trail: the past as bold lines, the future as thin dashes (as in Fig. 3 of the paper).

    ``trail`` is the number of frames before and after the present one; 0 = none. ``shown`` are the names of the
    bodyparts that have one; None = all.
    """

    trail = 0
    shown = None

    def set_trail(self, trail, shown=None):
        """Draw a trail of that many frames."""
        self.trail, self.shown = trail, shown
        self.redraw()

    def _segments(self, fit):
        """(past, future), each (lines (n, 2, 2) on the canvas, colours uint8 (n, 3))."""
        state = self.state
        if state.points is None or not state.show_poses or not self.trail:
            return []
        first, stop = max(state.frame - self.trail, 0), min(state.frame + self.trail + 1, state.n_frames)
        sure = state.likelihood[first:stop] >= state.pcutoff
        points = fit.to_canvas(np.where(sure[..., None], state.points[first:stop], np.nan))  # (n, K, 2)
        found, now = [], state.frame - first
        for part, every in ((points[: now + 1], 1), (points[now:], 2)):
            lines, colors = [np.empty((0, 2, 2))], [np.empty((0, 3), np.uint8)]
            for k, name in enumerate(self.bodyparts):
                if self.shown is None or name in self.shown:
                    steps = np.stack([part[:-1, k], part[1:, k]], axis=1)[::every]
                    lines.append(steps[np.isfinite(steps).all(axis=(1, 2))])
                    colors.append(np.tile(self._colors[k], (len(lines[-1]), 1)))
            found.append((np.ascontiguousarray(np.concatenate(lines)), np.concatenate(colors)))
        return found

    def _draw_pose(self, layer, fit):
        super()._draw_pose(layer, fit)
        for (lines, colors), width in zip(self._segments(fit), (PAST, FUTURE), strict=False):
            if len(lines):
                layer.line_width = width
                layer.stroke_styled_line_segments(lines, colors, 0.9)

    def snapshot(self):
        """As `Player.snapshot`, with the trail."""
        picture = super().snapshot()
        draw = ImageDraw.Draw(picture)
        for (lines, colors), width in zip(self._segments(self.state.fit), (PAST, FUTURE), strict=False):
            for line, color in zip(lines.reshape(-1, 4).tolist(), colors.tolist(), strict=True):
                draw.line(line, fill=tuple(color), width=round(width))
        return picture
