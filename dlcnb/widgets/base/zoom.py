"""Zoom and pan of a picture on a canvas, as state."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from dlcnb.geometry import CanvasFit

__all__ = ["MAX_ZOOM", "Zoomable", "canvas_size"]

MAX_ZOOM = 32.0
AROUND = 0.08  # of the canvas's shorter side, that is to be seen around points
SMALL, NEAR = 120.0, 0.5  # canvas px of a box that is shown nearer, and how much of the canvas it takes then


class Zoomable:
    """Part of a state that has a ``revision``: where a picture lies on a canvas.

    ``image_size`` and ``canvas_size`` are (height, width) in pixels, ``fit`` is a `geometry.CanvasFit`.
    """

    revision: int
    fit: CanvasFit

    def _set_sizes(self, image_size: tuple[int, int], canvas_size: tuple[int, int]) -> None:
        (tall, wide), (height, width) = image_size, canvas_size
        self.image_size, self.canvas_size = (tall, wide), (height, width)
        self.fit = CanvasFit.fit(self.image_size, self.canvas_size)

    def zoom(self, factor: float, at: tuple[float, float] | None = None) -> None:
        """Zoom by ``factor`` so that the canvas position ``at = (x, y)`` (default: the centre) stays in place."""
        whole = CanvasFit.fit(self.image_size, self.canvas_size)
        factor = min(max(factor, whole.zoom / self.fit.zoom), whole.zoom * MAX_ZOOM / self.fit.zoom)
        height, width = self.canvas_size
        self._set_fit(self.fit.zoomed(factor, at or (width / 2, height / 2)))

    def pan(self, dx: float, dy: float) -> None:
        """Move the picture by ``(dx, dy)`` canvas pixels, never off the canvas."""
        self._set_fit(CanvasFit(self.fit.zoom, self.fit.left + dx, self.fit.top + dy))

    def pinch(self, message: dict[str, Any]) -> None:
        """Follow two fingers: a message of type 'pinch' of the `InputGuard`."""
        x, y, dx, dy = (message[name] for name in ("x", "y", "dx", "dy"))
        self.zoom(message["factor"], (x - dx, y - dy))
        self.pan(dx, dy)

    def reset_view(self) -> None:
        """Show the whole frame again."""
        self._set_fit(CanvasFit.fit(self.image_size, self.canvas_size))

    def bring_in(self, points: NDArray[np.float64]) -> None:
        """Move the picture so that all of these points are seen, zoomed out only if they don't fit.

        Nothing moves where they are seen already.

        Parameters
        ----------
        points : (n, 2)
            x and y, pixels of the image; NaN = not there.
        """
        there = points[np.isfinite(points).all(axis=1)]
        if not (self.zoomed and len(there)):
            return
        room, image = np.array(self.canvas_size[::-1]), np.array(self.image_size[::-1])
        edge, start = AROUND * room.min(), np.array((self.fit.left, self.fit.top))
        places = self.fit.to_canvas(there)
        low, high = places.min(axis=0), places.max(axis=0)
        before = (low < edge) & (start < 0)  # and there is more of the picture on that side
        after = (high > room - edge) & (start + image * self.fit.zoom > room)
        if (before | after).any():
            factor = min(1.0, float(((room - 2 * edge) / np.maximum(high - low, 1e-9)).min()))
            whole = CanvasFit.fit(self.image_size, self.canvas_size)
            zoom = max(self.fit.zoom * factor, whole.zoom)
            middle = CanvasFit(zoom).to_canvas((there.min(axis=0) + there.max(axis=0)) / 2)
            left, top = (room / 2 - middle).tolist()
            self._set_fit(CanvasFit(zoom, left, top))

    def come_near(self, box: tuple[float, float, float, float]) -> bool:
        """Show a box (left, top, right, bottom; px of the image) half as large as the canvas if it is seen small.

        Returns whether that changed anything: it doesn't where the box is large enough or the zoom at its end.
        """
        room, (left, top, right, bottom) = np.array(self.canvas_size[::-1]), box
        if min(right - left, bottom - top) * self.fit.zoom >= SMALL:
            return False
        before = self.fit
        self.zoom(NEAR * float((room / (right - left, bottom - top)).min()) / before.zoom)
        x, y = (room / 2 - self.fit.to_canvas(((left + right) / 2, (top + bottom) / 2))).tolist()
        self.pan(x, y)
        return self.fit != before

    def show(self, fit: CanvasFit) -> None:
        """Let the picture lie as it did; never off the canvas."""
        self._set_fit(fit)

    @property
    def zoomed(self) -> bool:
        """Whether less than the whole frame is shown."""
        return self.fit != CanvasFit.fit(self.image_size, self.canvas_size)

    def _set_fit(self, fit: CanvasFit) -> None:
        sides = []
        for canvas, image, start in zip(self.canvas_size, self.image_size, (fit.top, fit.left), strict=True):
            slack = canvas - image * fit.zoom
            sides.append(slack / 2 if slack >= 0 else min(max(start, slack), 0.0))
        fit = CanvasFit(fit.zoom, sides[1], sides[0])
        if fit != self.fit:
            self.fit = fit
            self.revision += 1


def canvas_size(size: tuple[int, int], width: int | None, least: int, most: int) -> tuple[int, int]:
    """Canvas ``(height, width)`` for pictures of a size, of their shape: ``width`` px wide, or by default between
    ``least`` and ``most`` px wide and at most 640 high.
    """
    height, natural = size
    scale = (width or min(max(natural, least), most)) / natural
    if width is None:
        scale = min(scale, 640 / height)
    return max(round(height * scale), 1), max(round(natural * scale), 1)
