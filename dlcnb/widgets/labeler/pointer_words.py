"""The words beside the labeler's pointer: what a click would place, which point lies there, and where they stand."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from dlcnb.widgets.base.paint import Text
from dlcnb.widgets.labeler.scene import Scene
from dlcnb.widgets.labeler.view import REACH

__all__ = ["pointer_words"]

BESIDE, BELOW = 16.0, 1.0  # from the pointer: canvas px to the side; up or down, in heights of a letter
LINE, LETTER = 1.4, 0.6  # the height of a line and the width of a letter, in the same
FREE = 8.0  # canvas px around a point that count as covered

_Box = tuple[float, float, float, float]  # left, top, right, bottom; canvas px


def pointer_words(seen: Scene) -> list[Text]:
    """What a click would place, or the name of the point, and of the ghost, under the pointer; none while dragging."""
    if not np.isfinite(seen.pointer).all() or seen.dragging or np.isfinite(seen.crosshair).all():
        return []
    lines = [*filter(None, [_named(seen), _ghost_named(seen)])]
    left, top, right, _ = _place(seen, lines)
    after = left > seen.pointer[0]
    return [
        Text(
            *(line, (left if after else right, top + LINE * (n + 0.5) * seen.letters), seen.letters),
            outline=1.5, align="left" if after else "right", bold=seen.under is not None and not n,
        )
        for n, line in enumerate(lines)
    ]  # fmt: skip


def _place(seen: Scene, lines: Sequence[str]) -> _Box:
    """The corner around the pointer for these lines.

    In the canvas, beside the loupe, over as few points as can be, and then as far from the animal.
    """
    x, y = seen.pointer.tolist()
    wide, high = LETTER * seen.letters * max(map(len, lines)), LINE * seen.letters * len(lines)
    lefts = (x + BESIDE, x - BESIDE - wide)
    tops = (y + BELOW * seen.letters, y - BELOW * seen.letters - high)
    boxes = [(left, top, left + wide, top + high) for left in lefts for top in tops]
    points = np.concatenate([seen.points, seen.hollow])
    if np.isnan(points).all():
        points = seen.ghosts
    points = points[np.isfinite(points).all(axis=1)]
    middle = (points.min(axis=0) + points.max(axis=0)) / 2 if len(points) else np.array([x, y])
    side = seen.loupe_box[2] if seen.loupe is not None else 0.0
    loupe = (*seen.loupe_box[:2], seen.loupe_box[0] + side, seen.loupe_box[1] + side)

    def worse(box: _Box) -> tuple[bool, bool, int, float]:
        inside = box[0] >= 0 and box[1] >= 0 and box[2] <= seen.size[1] and box[3] <= seen.size[0]
        beside = not side or box[0] > loupe[2] or box[2] < loupe[0] or box[1] > loupe[3] or box[3] < loupe[1]
        low, high = np.array(box[:2]) - FREE, np.array(box[2:]) + FREE
        covered = int(((points > low) & (points < high)).all(axis=1).sum())
        return not inside, not beside, covered, -float(np.hypot(*((low + high) / 2 - middle)))

    left, top, _, bottom = min(boxes, key=worse)
    left = min(max(left, 0.0), max(seen.size[1] - wide, 0.0))  # where they are long
    return left, top, left + wide, bottom


def _named(seen: Scene) -> str:
    """The name of the point under the pointer, of a hollow one with its likelihood; else of what a click places."""
    under, part = seen.under, seen.placing
    if under is None:
        return seen.names[seen.current] if part is None else f"place {seen.names[part]}"
    likelihood = seen.likelihood[under]
    sure = f" (likelihood {likelihood:.2f})" if np.isfinite(likelihood) else ""
    if part is None or part == under:
        return "place " * (part == under) + seen.names[under] + sure
    beside = "beside" if np.isfinite(likelihood) else "on"
    return f"place {seen.names[part]} {beside} {seen.names[under]}"


def _ghost_named(seen: Scene) -> str:
    """What the ghost under the pointer is, if there is one."""
    apart = np.linalg.norm(seen.ghosts - seen.pointer, axis=1)
    near = np.flatnonzero(apart <= REACH)  # NaN is not
    return f"× {seen.names[near[apart[near].argmin()]]} before" if len(near) else ""
