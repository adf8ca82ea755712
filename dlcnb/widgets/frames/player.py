"""The player of the frame picker: what is picked is marked on its timeline, and the region of interest can be drawn."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dlcnb.geometry import CanvasFit
from dlcnb.widgets.base.html import muted
from dlcnb.widgets.base.paint import Rectangles, Thing, outlined
from dlcnb.widgets.base.view import set_class
from dlcnb.widgets.frames.work import Crop
from dlcnb.widgets.player.player import Player

__all__ = ["PickingPlayer"]

LEAST = 8  # px, the sides of a region of interest
ROI = (240, 228, 66)
SHADE = 0.45
LANES = {"picked": (230, 159, 0), "extracted": (86, 180, 233), "ends of the range": (204, 121, 167)}


class PickingPlayer(Player):
    """A `Player` with a region of interest.

    Parameters
    ----------
    video, width : see `Player`
    crop : (x1, x2, y1, y2) or None
        The region, px with ends excluded; None = the whole frame.
    on_crop : callable
        Called with the region that was drawn.
    """

    lanes = LANES
    drawing = False  # whether a drag draws the region instead of moving the picture

    def __init__(
        self,
        video: str | Path,
        *,
        crop: Crop | None = None,
        on_crop: Callable[[Crop], object] | None = None,
        width: int | None = None,
    ) -> None:
        self.crop, self._on_crop = crop, on_crop
        self._corner: NDArray[np.int64] | None = None
        super().__init__(video, width=width)
        for key, where in {"[": "before", "]": "after"}.items():
            self.buttons[key].description = "Picked"
            self.buttons[key].tooltip = f"To the picked or extracted frame {where}, or an end of the range ({key})"

    def _legend(self) -> None:
        super()._legend()
        if not self.legend.value:
            self.legend.value = muted("timeline: where frames are picked or extracted")

    def set_crop(self, crop: Crop | None) -> None:
        """Show another region."""
        self.crop = crop
        self.state.revision += 1

    def set_drawing(self, drawing: bool) -> None:
        """Let a drag draw the region, or move the picture."""
        self.drawing = drawing
        set_class(self.canvas, "dlcnb-crosshair", drawing)

    def mark(self, **frames: NDArray[np.int64] | Sequence[int]) -> None:
        """Show frames on the timeline, by the names of ``LANES`` ('_' for blanks)."""
        for name, numbers in frames.items():
            name = name.replace("_", " ")
            if not np.array_equal(self.state.marks.get(name, ()), numbers):
                self.state.set_marks(name, numbers)
                self._legend()

    def _on_input(self, message: dict[str, Any]) -> None:
        if not self.drawing or message.get("surface") != 0 or message["type"] not in ("down", "move", "up", "cancel"):
            super()._on_input(message)
            return
        try:
            self._draw(message["type"], message)
        except Exception as error:
            self.fail(error)

    def _draw(self, kind: str, message: dict[str, Any]) -> None:
        fit, (height, width) = self.state.fit, self.state.image_size
        corner = (np.array([message["x"], message["y"]]) - (fit.left, fit.top)) / fit.zoom  # counted from the edge
        corner = np.clip(np.round(corner), 0, (width, height)).astype(int)
        if kind == "down":
            self._corner, self._before = corner, self.crop
        elif self._corner is not None:
            (x1, y1), (x2, y2) = np.sort([self._corner, corner], axis=0).tolist()
            if kind == "cancel":
                self.set_crop(self._before)
            elif x2 - x1 >= LEAST and y2 - y1 >= LEAST:
                self.set_crop((x1, x2, y1, y2))
            if kind == "up" and (x2 - x1 < LEAST or y2 - y1 < LEAST):
                self.set_crop(self._before)
                self.tell(f"Drag over the part that matters, at least {LEAST} px wide and high.")
            elif kind == "up" and self._on_crop and self.crop:
                self._on_crop(self.crop)
            if kind != "move":
                self._corner = None

    def _edges_on_canvas(self) -> tuple[float, float, float, float] | None:
        """The region on the canvas as (left, right, top, bottom); None for the whole frame."""
        height, width = self.state.image_size
        if self.crop is None or self.crop == (0, width, 0, height):
            return None
        fit, (x1, x2, y1, y2) = self.state.fit, self.crop
        return (
            fit.left + x1 * fit.zoom, fit.left + x2 * fit.zoom,
            fit.top + y1 * fit.zoom, fit.top + y2 * fit.zoom,
        )  # fmt: skip

    def things(self, fit: CanvasFit) -> list[Thing]:
        """The pose, and the region: what is around it is darker."""
        things, edges = super().things(fit), self._edges_on_canvas()
        if edges is None:
            return things
        (left, right, top, bottom), (height, width) = edges, self.state.canvas_size
        around = np.maximum(
            [
                (0, 0, width, top), (0, bottom, width, height - bottom),
                (0, top, left, bottom - top), (right, top, width - right, bottom - top),
            ], 0
        )  # fmt: skip
        region = Rectangles([(left, top, right - left, bottom - top)], ROI, width=2)
        return [*things, Rectangles(around, (0, 0, 0), alpha=SHADE), *outlined(region, (0, 0, 0), alpha=0.8)]
