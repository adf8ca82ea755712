"""What lies over the frame in ZoneEditor: outlines, names, corners, what is being drawn, the scale."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dlcnb.render import palette
from dlcnb.widgets.base.paint import DARK, LIGHT, Circles, Color, Lines, Rectangles, Text, Thing, outlined

if TYPE_CHECKING:
    from dlcnb.geometry import CanvasFit
    from dlcnb.project import Scale
    from dlcnb.widgets.zones.state import ZoneState
    from dlcnb.zones import Zone

__all__ = ["zone_colors", "zone_things"]

HANDLE = 4.0  # half a side of the square on a corner, canvas px
CHOSEN: Color = (240, 228, 66)
WRONG: Color = (255, 80, 80)
RULER: Color = (255, 255, 255)


def zone_colors(count: int) -> list[Color]:
    """The zones' colours (RGB)."""
    return [(c[0], c[1], c[2]) for c in palette(count).tolist()]


def zone_things(state: ZoneState, fit: CanvasFit, scale: Scale | None) -> list[Thing]:
    """All that is drawn over the frame, where ``fit`` puts it on the canvas."""
    things: list[Thing] = []
    if scale is not None and (scale.ends or scale.corners):
        things += _chain(fit.to_canvas(scale.ends or scale.corners), RULER, bool(scale.corners), 1.0)
    colors = zone_colors(len(state.zones))
    for n in sorted(range(len(colors)), key=lambda n: -state.zones[n].polygon.area):  # small ones over large ones
        zone, width = state.zones[n], 3.0 if n in state.chosen else 1.5
        for ring in zone.rings():
            things += _outline(fit.to_canvas(ring), WRONG if zone.problem() else colors[n], width)
    for n, (zone, color) in enumerate(zip(state.zones, colors, strict=True)):
        things.append(_name(zone, fit, color, n in state.chosen))
    if state.zone is not None and state.tool == "choose":
        things += _handles(fit.to_canvas(state.zone.handles()), state.handle)
    if state.ruler:
        things += _chain(fit.to_canvas(state.ruler), CHOSEN, len(state.ruler) == 4, 2.0)
    return things + _draft(state, fit)


def _name(zone: Zone, fit: CanvasFit, color: Color, chosen: bool) -> Text:
    """The name in the zone's upper left corner, of an ellipse at its top; nearly white, outlined dark."""
    ring = fit.to_canvas(zone.rings()[0])
    (x, y), round_one = ring.min(axis=0).tolist(), zone.kind == "ellipse"
    place = (float(ring[:, 0].mean()) if round_one else x + 6, max(y + 11, 10.0))
    pale = (color[0] + 765) // 4, (color[1] + 765) // 4, (color[2] + 765) // 4
    return Text(zone.name, place, 15 if chosen else 14, pale, 2.5, align="center" if round_one else "left", bold=True)


def _draft(state: ZoneState, fit: CanvasFit) -> list[Thing]:
    if not state.draft:
        return []
    places = fit.to_canvas(state.draft)
    if state.tool in ("rectangle", "ellipse"):
        (x1, y1), (x2, y2) = places
        if state.tool == "rectangle":
            return _outline(np.array([(x1, y1), (x2, y1), (x2, y2), (x1, y2)]), CHOSEN, 2.0)
        angle = np.linspace(0, 2 * np.pi, 72, endpoint=False)
        half = np.array([x2 - x1, y2 - y1]) / 2
        return _outline(places.mean(axis=0) + half * np.stack([np.cos(angle), np.sin(angle)], axis=1), CHOSEN, 2.0)
    return _chain(places, CHOSEN, False, 2.0)


def _outline(ring: NDArray[np.float64], color: Color, width: float) -> list[Thing]:
    return outlined(Lines(np.stack([ring, np.roll(ring, -1, axis=0)], axis=1), color, width=width), alpha=0.7)


def _chain(places: ArrayLike, color: Color, closed: bool, width: float) -> list[Thing]:
    """Points with lines between them."""
    corners = np.asarray(places, float)
    ends = np.stack([corners, np.roll(corners, -1, axis=0)], axis=1)[: None if closed else -1]
    lines = outlined(Lines(ends, color, width=width), alpha=0.7) if len(ends) else []
    return [*lines, *outlined(Circles(corners, 4.0, color))]


def _handles(places: NDArray[np.float64], chosen: int | None) -> list[Thing]:
    colors = np.array([CHOSEN if n == chosen else LIGHT for n in range(len(places))])
    sides = np.where(np.arange(len(places)) == chosen, HANDLE + 2, HANDLE)[:, None]
    boxes = np.concatenate([places - sides, np.broadcast_to(2 * sides, places.shape)], axis=1)
    return [Rectangles(boxes, DARK), Rectangles(boxes + (1, 1, -2, -2), colors)]
