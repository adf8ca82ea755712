"""What lies over a frame in the player, as things to paint."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dlcnb.widgets.base.html import Markup, legend, muted
from dlcnb.widgets.base.paint import Circles, Lines, Text, Thing, haloed, outlined

__all__ = ["legends", "pose_things", "problem_text"]


def legends(
    lanes: Mapping[str, Any],
    marks: Mapping[str, NDArray[np.int64]],
    bodyparts: Sequence[str],
    colors: NDArray[np.uint8],
    outside: int = 0,
) -> Markup:
    """What the colours are: of the bars on the timeline, and of the bodyparts ``(K, 3)``; what is not drawn."""
    found = [(lanes[name], f"{name} ({len(frames)})") for name, frames in marks.items() if len(frames)]
    parts: list[tuple[Any, str]] = []
    if bodyparts:
        found.append((lanes["low likelihood"], "low likelihood"))
        parts = list(zip(colors, bodyparts, strict=True))
    points = "1 point far outside of the frame is" if outside == 1 else f"{outside} points far outside of the frame are"
    gone = muted(f"{points} not drawn", "dlcnb-item") if outside else Markup()
    bars = muted("timeline:", "dlcnb-item") + legend(found, "dlcnb-swatch-bar") if found else Markup()
    return bars + legend(parts) + gone


def pose_things(points: NDArray[np.float64], edges: NDArray[np.int64], colors: NDArray[np.uint8]) -> list[Thing]:
    """A pose: the lines of its skeleton, and a disc for each bodypart.

    Parameters
    ----------
    points : (K, 2)
        Canvas px; NaN = not there.
    edges : (E, 2)
        Bodyparts that a line joins.
    colors : (K, 3)
    """
    if not len(points):
        return []
    lines = Lines(points[edges], (255, 255, 255), 2.5, 0.7)
    return [
        *outlined(lines, (0, 0, 0), margin=1.0, alpha=0.7),
        *haloed(Circles(points, 5.0, colors)),
    ]


def problem_text(text: str, canvas_size: tuple[int, int]) -> Text:
    """Words in the middle of a canvas (height, width)."""
    height, width = canvas_size
    return Text(text, (width / 2, height / 2), size=20, align="center")
