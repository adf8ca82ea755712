"""Figures of zones: when a bodypart was in which (an ethogram), and a map of how long it was where."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.collections import PolyCollection
from matplotlib.colors import PowerNorm
from matplotlib.patheffects import withStroke
from numpy.typing import ArrayLike, NDArray

from dlcnb.plots.figure import Drawn, axes_for, named
from dlcnb.plots.ground import Ground
from dlcnb.plots.series import upright
from dlcnb.render import palette
from dlcnb.zones import Stays, Zone, heat_map

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from dlcnb.project import Scale

__all__ = ["ethogram", "occupancy"]

HIGHEST = 14  # inches of a map: that of a long track becomes narrow instead


def ethogram(found: Sequence[Stays], times: ArrayLike, *, ax: Axes | None = None) -> Drawn:
    """When a bodypart stayed in each zone: a row for each, a bar for each stay.

    Parameters
    ----------
    found : sequence of dlcnb.zones.Stays
        Of one bodypart, one for each zone.
    times : array_like
        (T,) s of the frames.
    ax : matplotlib.axes.Axes, optional
    """
    when = np.asarray(times, float)
    when = when - when[:1]
    ends = np.append(when, 2 * when[-1] - when[-2] if len(when) > 1 else 1.0)
    fig, ax = axes_for(ax, (8, 0.9 + 0.35 * len(found)))
    for row, (stay, color) in enumerate(zip(found, palette(len(found)) / 255, strict=True)):
        spans = [(ends[first], ends[after] - ends[first]) for first, after in stay.frames]
        ax.broken_barh(spans, (row - 0.4, 0.8), color=color)
    ax.set(xlabel="time (s)", xlim=(0, ends[-1]), ylim=(len(found) - 0.4, -0.6))
    ax.set_yticks(range(len(found)), [named(stay.zone) for stay in found])
    ax.set_title(f"stays of {named(found[0].bodypart)}" if found else "no zones")
    return fig, ax


def occupancy(  # noqa: PLR0913
    points: ArrayLike,
    times: ArrayLike,
    size: tuple[int, int],
    *,
    zones: Sequence[Zone] = (),
    image: NDArray[np.uint8] | None = None,
    bin_px: float = 16.0,
    scale: Scale | None = None,
    ax: Axes | None = None,
) -> Drawn:
    """How long a bodypart was where in the frame, with the outlines of zones.

    Colours grow with the square root of the time, as animals spend most of it in few places.

    Parameters
    ----------
    points : (T, 2) px; NaN = not there.
    times : (T,) s.
    size : (height, width) of the frame.
    zones : sequence of dlcnb.zones.Zone
    image : uint8 (H, W, 3), optional
        The frame, shown below.
    bin_px : the side of a square; in cm the round number next to it.
    scale : dlcnb.project.Scale, optional
        Of the video: the map is in cm, and what a slanted camera saw is shown from straight above.
    ax : matplotlib.axes.Axes, optional
    """
    points = np.asarray(points, float)
    ground = Ground.of_frame(size, bin_px) if scale is None else Ground.in_cm(scale, size, points, zones, bin_px)
    (left, top), (right, bottom) = ground.low, ground.high
    fig, ax = axes_for(ax, (7, min(7 * (bottom - top) / (right - left), HIGHEST) + 0.6))
    ax.grid(False)
    if image is not None:
        ax.imshow(ground.seen(image), extent=(left, right, bottom, top), zorder=0)
    seconds, extent = _time(ground, points, times)
    shown = np.ma.masked_equal(seconds, 0)
    drawn = ax.imshow(
        shown, extent=extent, norm=PowerNorm(0.5, vmin=0), cmap="inferno", zorder=1,
        alpha=0.75 if image is not None else 1.0,
    )  # fmt: skip
    fig.colorbar(drawn, ax=ax, label=f"seconds per {ground.side:g} {ground.unit} square", shrink=0.8)
    colored = zip(zones, palette(len(zones)) / 255, strict=True)
    for zone, color in sorted(colored, key=lambda one: -one[0].polygon.area):  # small ones over large ones
        _outline(ax, zone, color, ground)
    ax.set(xlim=(left, right), ylim=(top, bottom), aspect="equal")
    ax.set(xlabel=f"x ({ground.unit})", ylabel=f"y ({ground.unit})")
    upright(ax)
    return fig, ax


def _time(
    ground: Ground, points: NDArray[np.float64], times: ArrayLike
) -> tuple[NDArray[np.float64], tuple[float, float, float, float]]:
    """The `heat_map` of points (T, 2) px in the plane of a map, and where it lies."""
    begin = ground.low + 0.5  # there a frame's own squares begin half a pixel before (0, 0)
    across, down = ground.high - ground.low
    seconds, extent = heat_map(ground.places(points) - begin, times, (down, across), ground.side)
    left, right, bottom, top = (float(end + begin[axis]) for end, axis in zip(extent, (0, 0, 1, 1), strict=True))
    return seconds, (left, right, bottom, top)


def _outline(ax: Axes, zone: Zone, color: NDArray[np.float64], ground: Ground) -> None:
    """A zone's outline, with its name at its top."""
    rings = [ground.places(ring) for ring in zone.rings()]
    ax.add_collection(PolyCollection(rings, facecolors="none", edgecolors=[color], linewidths=1.5, zorder=2))
    left, top, *_ = zone.box
    at, where = ((zone.centre[0], top), "center") if zone.kind == "ellipse" else ((left, top), "left")
    edge = [withStroke(linewidth=2, foreground="white")]
    ax.annotate(
        named(zone.name), tuple(ground.places(at)), color=color, fontsize="small", ha=where, path_effects=edge, zorder=3
    )
