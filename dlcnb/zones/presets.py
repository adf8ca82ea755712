"""Zones of usual arenas, made from a box around them."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from dlcnb.zones.shapes import Ring, Zone, ZoneError

__all__ = ["PRESETS", "around", "centre_and_border", "plus_maze", "quadrants", "y_maze"]

Box = tuple[float, float, float, float]  # left, top, right, bottom, px


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


# name: (what it makes from a box and a share, what the share is, its usual value)
PRESETS: dict[str, tuple[Callable[..., tuple[Zone, ...]], str, float | None]] = {
    "centre and border": (centre_and_border, "side of the centre, of the box", 0.5),
    "quadrants": (quadrants, "", None),
    "plus maze": (plus_maze, "width of an arm, of the box", 0.2),
    "Y maze": (y_maze, "width of an arm, of the box", 0.2),
}


def _ring(zone: Zone) -> Ring:
    return tuple((float(x), float(y)) for x, y in zone.rings()[0])


def _around_middle(ends: list[NDArray[np.float64]], x: float, y: float) -> Ring:
    return tuple((float(x + dx), float(y + dy)) for dx, dy in ends)
