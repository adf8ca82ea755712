"""What is to be seen of a labeled frame, in canvas pixels: points, hollow points, fields, and where the loupe lies."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from dlcnb.widgets.labeler.crosshair import fields
from dlcnb.widgets.labeler.history import Point

if TYPE_CHECKING:
    from dlcnb.widgets.labeler.state import LabelSession
    from dlcnb.widgets.labeler.view import LabelView

__all__ = ["Scene", "elsewhere", "loupe_box", "scene"]

LOUPE, MARGIN = 168, 6  # canvas px
LOUPE_SHARE, LOUPE_LEAST = 0.35, 96  # of the canvas's shorter side that it takes, but at least so many px
NEAR = 12.0  # canvas px around the loupe that count as covered
BEYOND = 0.4  # of its length, that an animal reaches beyond its points


@dataclass(frozen=True)
class Scene:
    """What lies over the image, in canvas pixels.

    ``points``, ``ghosts``, ``hollow``: (K, 2), NaN where there is none; ``likelihood``: (K,) of what is hollow;
    ``lines``: (E, 2, 2) of the skeleton; ``disputed``: (C, 2, 2), mine and theirs of each conflict in this frame;
    ``crosshair``: (2,), NaN if it is not used; ``fields``: (9, 2, 2), left top and right bottom of the numbered fields,
    or none; ``size``: (height, width) of the canvas;
    ``loupe``: the image point (x, y) to magnify, or None, and ``loupe_box`` where that is shown: left, top, side;
    ``pointer``: (2,), NaN if it is elsewhere, ``under`` the bodypart whose point lies there, or None, and ``placing``
    the one that a click would place, or None;
    ``note``: what stands on top, such as how many frames away the picture is; ``letters``: height of names.
    """

    points: NDArray[np.float64]
    ghosts: NDArray[np.float64]
    hollow: NDArray[np.float64]
    likelihood: NDArray[np.float64]
    lines: NDArray[np.float64]
    disputed: NDArray[np.float64]
    crosshair: NDArray[np.float64]
    fields: NDArray[np.float64]
    size: tuple[int, int]
    current: int
    placing: int | None
    dragging: bool
    names: tuple[str, ...]
    named: bool
    loupe: Point | None
    loupe_box: tuple[float, float, float]
    pointer: NDArray[np.float64]
    under: int | None = None
    note: str = ""
    letters: int = 13
    unsure: NDArray[np.bool_] | None = None


def scene(
    session: LabelSession,
    view: LabelView,
    edges: NDArray[np.int64],
    under: int | None = None,
    placing: int | None = None,
) -> Scene:
    """The `Scene` of a `LabelSession` and a `LabelView`.

    ``edges`` (E, 2) are those of the skeleton, ``under`` is the bodypart whose point is under the pointer, ``placing``
    the one that a click there would place.
    """
    image, fit, none = session.cursor.image, view.fit, np.full((len(session.bodyparts), 2), np.nan)
    points, hollow, likelihood, ghosts = none, none, none[:, 0], none
    if view.labels:
        points = session.points(image)
        if view.held:
            points[view.held[0]] = view.held[1]
        hollow, likelihood = session.suggested(image)
        hollow = np.where(np.isfinite(points), np.nan, hollow)
        previous = session.previous_labeled() if view.ghost else None
        bare = session.open_parts(image)[:, None] & np.isnan(hollow)
        ghosts = none if previous is None else np.where(bare, session.points(previous), np.nan)
    disputed = [
        [(np.nan, np.nan) if point is None else point for point in (c.mine, c.theirs)]
        for c in session.conflicts
        if c.image == image
    ]
    magnified = _magnified(session, view)
    seen = np.concatenate([fit.to_canvas(points), fit.to_canvas(hollow)])
    if np.isnan(seen).all():
        seen = fit.to_canvas(ghosts)  # the animal is not far from there
    return Scene(
        points=fit.to_canvas(points),
        ghosts=fit.to_canvas(ghosts),
        hollow=fit.to_canvas(hollow),
        likelihood=likelihood,
        lines=fit.to_canvas(points[edges] if view.skeleton and len(edges) else np.empty((0, 2, 2))),
        disputed=fit.to_canvas(np.array(disputed, float).reshape(-1, 2, 2)),
        crosshair=fit.to_canvas(view.crosshair or (np.nan, np.nan)),
        fields=fit.to_canvas(np.reshape(fields(view.field) if view.field else [], (-1, 2, 2))),
        size=view.canvas_size,
        current=session.part,
        placing=placing,
        dragging=view.held is not None,
        names=session.bodyparts,
        named=view.names,
        loupe=magnified,
        loupe_box=loupe_box(fit.to_canvas(magnified or (0.0, 0.0)), seen, view.canvas_size),
        pointer=np.array(view.pointer or (np.nan, np.nan)),
        under=under,
        unsure=session.unsure() & np.isfinite(hollow[:, 0]),
    )


def loupe_box(
    at: NDArray[np.float64], points: NDArray[np.float64], size: tuple[int, int]
) -> tuple[float, float, float]:
    """Where the loupe is shown: left, top and side of a square in a corner, smaller on a low or narrow canvas.

    The corner is the farthest from ``at`` that covers no point, nor the animal, which is taken to reach a little
    beyond its points; if each does, one that covers the fewest points, and never what is looked at.

    Parameters
    ----------
    at : (2,), what is looked at.
    points : (n, 2), NaN = not there.
    size : (height, width) of the canvas; all in its px.
    """
    height, width = size
    side = float(min(LOUPE, max(LOUPE_LEAST, round(LOUPE_SHARE * min(size)))))
    lefts, tops = (MARGIN, width - side - MARGIN), (MARGIN, height - side - MARGIN)
    corners = np.array([(left, top) for left in lefts for top in tops])
    there = points[np.isfinite(points).all(axis=1)]
    body = (there.min(axis=0), there.max(axis=0)) if len(there) else np.full((2, 2), np.nan)
    beyond = BEYOND * np.max(np.subtract(body[1], body[0]))

    def worse(corner: NDArray[np.float64]) -> tuple[bool, int, bool, float]:
        low, high = corner - NEAR, corner + side + NEAR
        covered = int(((there > low) & (there < high)).all(axis=1).sum())
        box = bool(((body[0] - beyond < high) & (body[1] + beyond > low)).all())
        return bool(((at > low) & (at < high)).all()), covered, box, -float(np.hypot(*(corner + side / 2 - at)))

    left, top = min(corners, key=worse)
    return float(left), float(top), side


def elsewhere(seen: Scene, note: str) -> Scene:
    """A scene without labels, for a picture that they are not of, with a note."""
    gone = {name: np.full_like(getattr(seen, name), np.nan) for name in ("points", "ghosts", "hollow", "lines")}
    gone |= {name: np.full_like(getattr(seen, name), np.nan) for name in ("disputed", "crosshair", "fields", "pointer")}
    return replace(seen, **gone, loupe=None, note=note)


def _magnified(session: LabelSession, view: LabelView) -> Point | None:
    """The image point for the loupe: what is dragged, the crosshair, or what is under the pointer; None outside.

    No loupe covers the numbered fields.
    """
    if not view.loupe or view.field:
        return None
    if view.held:
        return view.held[1]
    if view.crosshair or view.pointer is None:
        return view.crosshair
    point = view.image_point(view.pointer)
    return point if session.inside(point) else None
