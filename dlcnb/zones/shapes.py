"""One zone: a rectangle, an ellipse or a polygon in pixels of the frame, and what can be done with it."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dlcnb import geometry
from dlcnb.project import nearest
from dlcnb.trajectories.kinematics import inside

if TYPE_CHECKING:
    from shapely import Polygon

__all__ = ["KINDS", "Ring", "Zone", "ZoneError", "check_zones", "fitted", "named"]

KINDS = ("rectangle", "ellipse", "polygon")
_LONGEST = 200  # letters of a name
AROUND = 72  # corners that an ellipse has where it has to be a polygon
Place: TypeAlias = tuple[float, float]
Ring: TypeAlias = tuple[Place, ...]


class ZoneError(ValueError):
    """A zone that can't be, or that does not fit a video; the message says what to do."""


@dataclass(frozen=True)
class Zone:
    """A part of the frame with a name.

    Parameters
    ----------
    name : str
    kind : str
        One of `KINDS`.
    points : tuple of (x, y)
        px: two opposite corners of a rectangle, or of the box around an ellipse; the corners of a polygon, in order.
    holes : tuple of tuples of (x, y)
        Corners of what is left out of a polygon, as of the border around a centre.

    Raises
    ------
    ZoneError
        If it has no extent, too few corners, or a corner that is not a number.
    """

    name: str
    kind: str
    points: Ring
    holes: tuple[Ring, ...] = ()

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not self.name.strip():
            raise ZoneError("a zone needs a name")
        if len(self.name) > _LONGEST or any(unicodedata.category(letter) in ("Cc", "Cs") for letter in self.name):
            raise ZoneError(
                f"zone {self.name[:20]!r}: expected a name of one line and at most {_LONGEST} letters; rename it"
            )
        if self.kind not in KINDS:
            raise ZoneError(
                f"zone '{self.name}': expected {', '.join(KINDS)}, found {self.kind!r}{nearest(self.kind, KINDS)}"
            )
        rings = [_ring(self.name, ring) for ring in (self.points, *self.holes)]
        least = 3 if self.kind == "polygon" else 2
        if len(rings[0]) < least or (least == 2 and len(rings[0]) > 2) or any(len(ring) < 3 for ring in rings[1:]):
            raise ZoneError(f"zone '{self.name}': a {self.kind} needs {least} corners, found {len(rings[0])}")
        if self.kind != "polygon":
            (x1, y1), (x2, y2) = rings[0]
            rings = [((min(x1, x2), min(y1, y2)), (max(x1, x2), max(y1, y2)))]
        object.__setattr__(self, "points", rings[0])
        object.__setattr__(self, "holes", tuple(rings[1:]))
        left, top, right, bottom = self.box
        if right - left <= 0 or bottom - top <= 0:
            raise ZoneError(f"zone '{self.name}' has no extent: draw it from one corner to another")

    # --- what it is ---

    @property
    def box(self) -> tuple[float, float, float, float]:
        """(left, top, right, bottom) px."""
        low, high = np.min(self.points, axis=0), np.max(self.points, axis=0)
        return float(low[0]), float(low[1]), float(high[0]), float(high[1])

    @property
    def centre(self) -> Place:
        """The middle of its box."""
        left, top, right, bottom = self.box
        return (left + right) / 2, (top + bottom) / 2

    def rings(self) -> list[NDArray[np.float64]]:
        """Outlines (N, 2) px: the outer one, then those of the holes."""
        left, top, right, bottom = self.box
        if self.kind == "rectangle":
            return [np.array([(left, top), (right, top), (right, bottom), (left, bottom)])]
        if self.kind == "ellipse":
            angle = np.linspace(0, 2 * np.pi, AROUND, endpoint=False)
            half = np.array([right - left, bottom - top]) / 2
            return [self.centre + half * np.stack([np.cos(angle), np.sin(angle)], axis=1)]
        return [np.array(ring) for ring in (self.points, *self.holes)]

    @property
    def polygon(self) -> Polygon:
        """As a `shapely.Polygon`; an ellipse has `AROUND` corners."""
        from shapely import Polygon

        outer, *holes = self.rings()
        return Polygon(outer, holes)

    def problem(self) -> str | None:
        """What is wrong with the outline, in words; None if nothing."""
        return _problem(self)

    def inside(self, points: ArrayLike) -> NDArray[np.bool_]:
        """Which points (..., 2) px are in it, bool (...); NaN is nowhere.

        A point on the left or upper edge of a rectangle is inside, one on the right or lower edge is not, so that
        zones side by side never share one; likewise for polygons. An ellipse has its rim.
        """
        points = np.asarray(points, float)
        left, top, right, bottom = self.box
        x, y = points[..., 0], points[..., 1]
        if self.kind == "ellipse":
            (cx, cy), rx, ry = self.centre, (right - left) / 2, (bottom - top) / 2
            return np.asarray(((x - cx) / rx) ** 2 + ((y - cy) / ry) ** 2 <= 1)
        near = (x >= left) & (x < right) & (y >= top) & (y < bottom)
        if self.kind == "rectangle":
            return near
        there = np.flatnonzero(near.ravel())
        some = points.reshape(-1, 2)[there]
        found = np.zeros(len(some), bool)
        for ring in self.rings():
            found ^= inside(some, ring)
        out = np.zeros(near.size, bool)
        out[there] = found
        return out.reshape(near.shape)

    # --- another one of it ---

    def moved(self, dx: float, dy: float) -> Zone:
        """So many px further to the right and down."""
        return self._through(lambda points: points + (dx, dy))

    def resized(self, factor: float, about: Place | None = None) -> Zone:
        """So many times as large, where ``about`` (by default its centre) stays."""
        centre = np.array(self.centre if about is None else about)
        return self._through(lambda points: (points - centre) * factor + centre)

    def fitted(self, old: tuple[int, int], new: tuple[int, int]) -> Zone:
        """As it lies in frames of another size (height, width)."""
        factors = new[1] / old[1], new[0] / old[0]
        return self._through(lambda points: geometry.scale(points, factors))

    def _through(self, move: Callable[[NDArray[np.float64]], NDArray[np.float64]]) -> Zone:
        rings = [tuple(map(tuple, move(np.array(ring)).tolist())) for ring in (self.points, *self.holes)]
        return replace(self, points=rings[0], holes=tuple(rings[1:]))

    def handles(self) -> NDArray[np.float64]:
        """Corners to take hold of, (n, 2) px: four of a rectangle or an ellipse; of a polygon, then of its holes."""
        if self.kind == "polygon":
            return np.concatenate(self.rings())
        left, top, right, bottom = self.box
        return np.array([(left, top), (right, top), (right, bottom), (left, bottom)])

    def with_handle(self, n: int, place: Place) -> Zone:
        """With one of its `handles` elsewhere."""
        x, y = map(float, place)
        if self.kind != "polygon":
            left, top, right, bottom = self.box
            opposite = [(right, bottom), (left, bottom), (left, top), (right, top)][n]
            return replace(self, points=((x, y), opposite))
        rings = [list(ring) for ring in (self.points, *self.holes)]
        for ring in rings:
            if n < len(ring):
                ring[n] = (x, y)
                break
            n -= len(ring)
        return replace(self, points=tuple(rings[0]), holes=tuple(map(tuple, rings[1:])))


def check_zones(zones: Sequence[Zone], size: tuple[int, int] | None = None, where: str = "") -> None:
    """Raise `ZoneError` for the first thing that can't be: two of one name, edges that cross, a zone off the frame."""
    before = f"{where}: " if where else ""
    names = Counter(zone.name for zone in zones)
    for zone in zones:
        if names[zone.name] > 1:
            raise ZoneError(f"{before}two zones are named '{zone.name}'; rename one")
        if problem := zone.problem():
            raise ZoneError(f"{before}{problem}")
        left, top, right, bottom = zone.box
        if size and (right < 0 or bottom < 0 or left > size[1] - 1 or top > size[0] - 1):
            raise ZoneError(
                f"{before}zone '{zone.name}' lies outside the frame of {size[1]}×{size[0]} px; move it there"
            )


def fitted(zones: Iterable[Zone], old: tuple[int, int], new: tuple[int, int]) -> tuple[Zone, ...]:
    """Zones as they lie in frames of another size (height, width)."""
    return tuple(zone.fitted(old, new) for zone in zones)


def named(name: str, zones: Iterable[Zone]) -> str:
    """A name that none of the zones has: this one, or with a number behind it."""
    taken = {zone.name for zone in zones}
    return next(found for n in range(1, len(taken) + 2) if (found := name if n == 1 else f"{name} {n}") not in taken)


@lru_cache(512)
def _problem(zone: Zone) -> str | None:
    if zone.kind != "polygon":
        return None
    from shapely import is_valid_reason

    polygon = zone.polygon
    if polygon.is_valid and polygon.area > 0:
        return None
    why = str(is_valid_reason(polygon))
    if "intersection" in why.lower() and "[" in why:
        x, y = (round(float(number)) for number in why.split("[")[1].rstrip("]").split()[:2])
        return f"zone '{zone.name}': its edges cross at ({x}, {y}); move a corner so that they don't"
    return f"zone '{zone.name}' is not a simple outline ({why}); move a corner, or draw it again"


def _ring(name: str, ring: Ring) -> Ring:
    try:
        found = np.array(ring, float).reshape(-1, 2)
    except (TypeError, ValueError):
        raise ZoneError(f"zone '{name}': expected corners (x, y), found {ring!r}") from None
    if not (np.isfinite(found) & (np.abs(found) < 1e6)).all():
        raise ZoneError(f"zone '{name}': expected corners in pixels, found {found.tolist()}")
    return tuple((float(x), float(y)) for x, y in found)
