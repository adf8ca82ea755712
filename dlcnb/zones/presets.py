"""Zones of usual arenas, made from a box around them."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from dlcnb.zones.shapes import Ring, Zone, ZoneError

__all__ = ["PRESETS", "around", "centre_and_border", "inner_box", "plus_maze", "quadrants", "y_maze"]

Box = tuple[float, float, float, float]  # left, top, right, bottom, px
ALIKE = 12  # levels that pixels of a plain border are apart from its colour at most, as video is compressed
PLAIN = 0.98  # share of a line's pixels that are so if it is a line of a border
SHARP = 0.5  # share of the pixels behind a border that are not so: the picture begins along all of it at once


def centre_and_border(box: Box, share: float = 0.5) -> tuple[Zone, ...]:
    """The centre of a box, ``share`` of its width and height, and the border around it: zones *centre*, *border*."""
    if not 0 < share < 1:
        raise ZoneError(f"the centre takes a share of the box between 0 and 1, found {share:g}")
    whole = Zone("border", "rectangle", ((box[0], box[1]), (box[2], box[3])))
    centre = replace(whole.resized(share), name="centre")
    return centre, Zone("border", "polygon", _ring(whole), (_ring(centre),))


def quadrants(box: Box) -> tuple[Zone, ...]:
    """The four quarters of a box: *top left*, *top right*, *bottom left*, *bottom right*."""
    left, top, right, bottom = box
    x, y = (left + right) / 2, (top + bottom) / 2
    places = {
        "top left": ((left, top), (x, y)),
        "top right": ((x, top), (right, y)),
        "bottom left": ((left, y), (x, bottom)),
        "bottom right": ((x, y), (right, bottom)),
    }
    return tuple(Zone(name, "rectangle", ends) for name, ends in places.items())


def plus_maze(box: Box, share: float = 0.2) -> tuple[Zone, ...]:
    """Four arms and the centre of a plus maze, arms as wide as ``share`` of the box: *centre*, *arm top* and so on."""
    if not 0 < share < 1:
        raise ZoneError(f"an arm is as wide as a share of the box between 0 and 1, found {share:g}")
    left, top, right, bottom = box
    middle = Zone("centre", "rectangle", ((left, top), (right, bottom))).resized(share)
    x1, y1, x2, y2 = middle.box
    arms = {
        "arm top": ((x1, top), (x2, y1)),
        "arm right": ((x2, y1), (right, y2)),
        "arm bottom": ((x1, y2), (x2, bottom)),
        "arm left": ((left, y1), (x1, y2)),
    }
    return middle, *(Zone(name, "rectangle", ends) for name, ends in arms.items())


def y_maze(box: Box, share: float = 0.2) -> tuple[Zone, ...]:
    """Three arms at equal angles, one of them down, and the triangle between them: *centre*, *arm a*, *arm b*, *arm c*.

    Arms are as wide as ``share`` of the box; move their corners to where the maze's are.
    """
    if not 0 < share < 0.8:
        raise ZoneError(f"an arm is as wide as a share of the box between 0 and 0.8, found {share:g}")
    left, top, right, bottom = box
    x, length = (left + right) / 2, min(right - left, bottom - top)
    width = share * length
    y, near = (top + bottom) / 2, width / (2 * math.sqrt(3))  # from the middle to the side of the triangle
    places = {}
    for name, degrees in (("arm a", 90), ("arm b", 210), ("arm c", 330)):
        along = np.array([math.cos(math.radians(degrees)), math.sin(math.radians(degrees))])
        across = np.array([-along[1], along[0]]) * width / 2
        ends = [near * along - across, near * along + across, length / 2 * along + across, length / 2 * along - across]
        places[name] = _around_middle(ends, x, y)
    triangle = [2 * near * np.array([math.cos(a), math.sin(a)]) for a in np.radians([30, 150, 270])]
    centre = Zone("centre", "polygon", _around_middle(triangle, x, y))
    return centre, *(Zone(name, "polygon", ring) for name, ring in places.items())


def around(zone: Zone, margin: float) -> Zone:
    """A zone with so many px around it, as where a nose is near an object: *near <name>*."""
    if not margin > 0:
        raise ZoneError(f"a margin is a number of pixels above 0, found {margin:g}")
    left, top, right, bottom = zone.box
    if zone.kind == "ellipse":
        grown: Ring = ((left - margin, top - margin), (right + margin, bottom + margin))
        return Zone(f"near {zone.name}", "ellipse", grown)
    outline = zone.polygon.buffer(margin, quad_segs=6)
    ring = tuple((float(px), float(py)) for px, py in outline.exterior.coords[:-1])
    return Zone(f"near {zone.name}", "polygon", ring)


def inner_box(image: NDArray[np.uint8]) -> Box:
    """The box of what a frame shows: the frame without the plain borders (black bars, say) at its edges.

    A border is of one colour, straight, and ends along its whole length: a plain floor around an animal is none.

    Parameters
    ----------
    image : uint8 (H, W, 3)

    Returns
    -------
    (left, top, right, bottom), px
        The whole frame, -0.5, -0.5, W - 0.5, H - 0.5, where there are no borders, or nothing else.
    """
    top, bottom = _inner_lines(image)
    left, right = _inner_lines(image[top:bottom].swapaxes(0, 1))
    return left - 0.5, top - 0.5, right - 0.5, bottom - 0.5


def _inner_lines(lines: NDArray[np.uint8]) -> tuple[int, int]:
    """(first, stop) of the lines (N, M, 3) between the borders at both ends."""
    first, last = _border(lines), _border(lines[::-1])
    return (first, len(lines) - last) if first + last < len(lines) else (0, len(lines))


def _border(lines: NDArray[np.uint8]) -> int:
    """How many of the lines (N, M, 3) from the first on are a plain border."""
    color = np.rint(np.median(lines[0], axis=0)).astype(np.int16)
    alike = (np.abs(lines.astype(np.int16) - color) <= ALIKE).all(axis=2).mean(axis=1)
    count = int(np.argmin(alike >= PLAIN))  # 0, too, where all are plain
    behind = min(count + 2, len(lines) - 1)  # beyond what compression blurs
    return count if alike[behind] <= 1 - SHARP else 0


# name: (what it makes from a box and a share, what the share is, its usual value)
PRESETS: dict[str, tuple[Callable[..., tuple[Zone, ...]], str, float | None]] = {
    "centre and border": (centre_and_border, "of each side is the centre", 0.5),
    "quadrants": (quadrants, "", None),
    "plus maze": (plus_maze, "of the width is an arm", 0.2),
    "Y maze": (y_maze, "of the width is an arm", 0.2),
}


def _ring(zone: Zone) -> Ring:
    return tuple((float(x), float(y)) for x, y in zone.rings()[0])


def _around_middle(ends: list[NDArray[np.float64]], x: float, y: float) -> Ring:
    return tuple((float(x + dx), float(y + dy)) for dx, dy in ends)
