"""How fine a picture is sent: as fine as the screen shows it, if it is looked at; coarser while it changes quickly."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Hashable
from typing import TYPE_CHECKING

from dlcnb.widgets.base.canvas import PaintCanvas, fineness

if TYPE_CHECKING:
    from dlcnb.widgets.base.input_guard import Input

__all__ = ["REST", "Sharpness"]

REST = 0.2  # s that a picture is looked at before it comes as fine as the screen shows it


class Sharpness:
    """Decides with how many pixels for each px of a canvas its picture is sent.

    Parameters
    ----------
    canvas : PaintCanvas
        Of a ratio; on one of ratio 1 all is as fine as it can be.
    again : callable
        Paints once more, after so many seconds in which nothing else does.
    """

    def __init__(self, canvas: PaintCanvas, again: Callable[[float], object]) -> None:
        self._canvas, self._again = canvas, again
        self._what: Hashable = None
        self._since, self._finer, self._settled = -math.inf, 1.0, False

    def finer(self, what: Hashable, zoom: float, input: Input, moving: bool = False) -> float:
        """Call once for each painting.

        Parameters
        ----------
        what
            Says which picture it is, and where it lies.
        zoom : float
            Canvas px per px of the image.
        input : Input
            Of the canvas; by a slow way all is sent coarse.
        moving : bool
            It will have changed before anybody has looked at it.
        """
        best, now = fineness(zoom, self._canvas.ratio), time.monotonic()
        rested = not moving and now - self._since >= REST
        if what != self._what or self._canvas.shown is None:
            self._what, self._since = what, now
            self._settled = best <= 1 or (rested and input.quick)
            self._finer = best if self._settled else 1.0
        elif rested and not self._settled:
            if not input.arrived:
                input.when_arrived(lambda: self._again(REST))  # then it is known how long the way is
                return self._finer
            self._settled = True
            self._finer = best if input.quick else 1.0
        if not (self._settled or moving):
            self._again(REST)
        return self._finer
