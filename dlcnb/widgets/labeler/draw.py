"""The labeler's picture: what is to be seen, as a list of things that a canvas or, without a browser, Pillow draws."""

from __future__ import annotations

import base64
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import ipywidgets
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from dlcnb.geometry import CanvasFit
from dlcnb.widgets.base.canvas import FrameCanvas, encode_jpeg, render_view
from dlcnb.widgets.base.paint import (
    LIGHT,
    Circles,
    Lines,
    Picture,
    Polygons,
    Rectangles,
    Text,
    Thing,
    haloed,
    on_picture,
    outlined,
)
from dlcnb.widgets.labeler.crosshair import fields
from dlcnb.widgets.labeler.history import Point
from dlcnb.widgets.labeler.view import REACH

if TYPE_CHECKING:
    from dlcnb.widgets.labeler.state import LabelSession
    from dlcnb.widgets.labeler.view import LabelView

__all__ = [
    "SHAPES",
    "LabelCanvas",
    "Scene",
    "elsewhere",
    "label_things",
    "look",
    "loupe_box",
    "loupe_things",
    "picture",
    "scene",
]

RADIUS = 5.0
LOUPE, LOUPE_ZOOM, MARGIN = 168, 8.0, 6  # canvas px, canvas px per image px, canvas px
LOUPE_SHARE, LOUPE_LEAST = 0.35, 96  # of the canvas's shorter side that it takes, but at least so many px
NEAR = 12.0  # canvas px around the loupe that count as covered
BEYOND = 0.4  # of its length, that an animal reaches beyond its points
WRONG = (255, 64, 64)
SHAPES: tuple[NDArray[np.float64] | None, ...] = (  # by turns; corners for radius 1, None = a disc
    None,
    0.88 * np.array([[-1.0, -1.0], [1.0, -1.0], [1.0, 1.0], [-1.0, 1.0]]),
    1.3 * np.array([[0.0, -1.0], [1.0, 0.0], [0.0, 1.0], [-1.0, 0.0]]),
    1.35 * np.array([[0.0, -1.0], [0.87, 0.5], [-0.87, 0.5]]),
)


@dataclass(frozen=True)
class Scene:
    """What lies over the image, in canvas pixels.

    ``points``, ``ghosts``, ``hollow``: (K, 2), NaN where there is none; ``likelihood``: (K,) of what is hollow;
    ``lines``: (E, 2, 2) of the skeleton; ``disputed``: (C, 2, 2), mine and theirs of each conflict in this frame;
    ``crosshair``: (2,), NaN if it is not used; ``fields``: (9, 2, 2), left top and right bottom of the numbered fields,
    or none; ``size``: (height, width) of the canvas;
    ``loupe``: the image point (x, y) to magnify, or None, and ``loupe_box`` where that is shown: left, top, side;
    ``pointer``: (2,), NaN if it is elsewhere, and ``under`` the bodypart whose point lies there, or None;
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


def scene(session: LabelSession, view: LabelView, edges: NDArray[np.int64], under: int | None = None) -> Scene:
    """The `Scene` of a `LabelSession` and a `LabelView`.

    ``edges`` (E, 2) are those of the skeleton, ``under`` is the bodypart whose point is under the pointer.
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


def look(image: NDArray[np.uint8], view: LabelView, ratio: float = 1.0) -> NDArray[np.uint8]:
    """What the canvas shows of an image, with the view's tones.

    uint8 (height, width, 3) of the canvas, or up to ``ratio`` times that, as fine as the image itself.
    """
    return _toned(render_view(image, view.fit, view.canvas_size, ratio), view)


def _toned(shown: NDArray[np.uint8], view: LabelView) -> NDArray[np.uint8]:
    tones = view.tones()
    return shown if tones is None else tones[shown]


# --- the things to draw ---


def label_things(seen: Scene, colors: NDArray[np.uint8]) -> list[Thing]:
    """What lies over the image but the loupe; ``colors`` uint8 (K, 3)."""
    things = outlined(Lines(seen.lines, LIGHT, 1.5, 0.8), alpha=0.6)
    things += haloed(Lines(_crosses(seen.ghosts, 5.0), np.repeat(colors, 2, axis=0), 1.5, 0.9), 1.0, 0.9)
    things += _marks(seen.hollow, 4.5 + 2.5 * np.nan_to_num(seen.likelihood), colors, 2.0)  # the larger the surer
    things += _unsure_things(seen)
    things += _point_things(seen, colors) + _dispute_things(seen.disputed) + _crosshair_things(seen, colors)
    things += _pointer_things(seen)
    if seen.note:
        things.append(Text(seen.note, (seen.size[1] / 2, 20), 18, outline=2, align="center", bold=True))
    return things


def _pointer_things(seen: Scene) -> list[Thing]:
    """Beside the pointer, what a click would place, or the name of the point, and of the ghost, under it."""
    (x, y), (height, width) = seen.pointer.tolist(), seen.size
    if not np.isfinite([x, y]).all() or seen.dragging or np.isfinite(seen.crosshair).all():
        return []
    lines = [*filter(None, [_named(seen), _ghost_named(seen)])]
    left, low = x < width - 24 - 0.6 * seen.letters * max(map(len, lines)), y < height - 4.4 * seen.letters
    start, across = (1.7 if low else 0.2 - 1.6 * len(lines)), x + (16 if left else -16)
    return [
        Text(
            *(line, (across, y + (start + 1.4 * n) * seen.letters), seen.letters),
            outline=1.5, align="left" if left else "right", bold=seen.under is not None and not n,
        )
        for n, line in enumerate(lines)
    ]  # fmt: skip


def _named(seen: Scene) -> str:
    """The name of the point under the pointer, of a hollow one with its likelihood; else of what a click places."""
    if seen.under is None:
        open_one = np.isnan(seen.points[seen.current]).any()
        return f"place {seen.names[seen.current]}" if open_one else seen.names[seen.current]
    likelihood = seen.likelihood[seen.under]
    return seen.names[seen.under] + (f" {likelihood:.2f}" if np.isfinite(likelihood) else "")


def _ghost_named(seen: Scene) -> str:
    """What the ghost under the pointer is, if there is one."""
    apart = np.linalg.norm(seen.ghosts - seen.pointer, axis=1)
    near = np.flatnonzero(apart <= REACH)  # NaN is not
    return f"× {seen.names[near[apart[near].argmin()]]} before" if len(near) else ""


def _point_things(seen: Scene, colors: NDArray[np.uint8]) -> list[Thing]:
    solid = np.ones(len(colors))
    solid[seen.current] = 0.35 if seen.dragging else 1.0
    things = _marks(seen.points, np.full(len(colors), RADIUS), colors, alpha=solid)
    things += outlined(Circles(seen.points[seen.current], RADIUS + 5, LIGHT, 2))
    there = np.isfinite(seen.points).all(axis=1)
    for name, (x, y) in zip(seen.names, seen.points.tolist(), strict=True):
        if seen.named and there[seen.names.index(name)]:
            things.append(Text(name, (x + RADIUS + 8, y), seen.letters, outline=1.5))
    return things


def _unsure_things(seen: Scene) -> list[Thing]:
    """A question mark beside each hollow point that `accept_all` does not take at once."""
    points = [] if seen.unsure is None else seen.hollow[seen.unsure].tolist()
    return [Text("?", (x - 12, y - 9), seen.letters, outline=1.5, bold=True) for x, y in points]


def _marks(
    points: NDArray[np.float64],
    radius: NDArray[np.float64],
    colors: NDArray[np.uint8],
    width: float = 0.0,
    alpha: NDArray[np.float64] | float = 1.0,
) -> list[Thing]:
    """Points (K, 2) as discs, squares, diamonds and triangles by turns, so that colours need not tell them apart."""
    things, alpha = list[Thing](), np.broadcast_to(alpha, len(points))
    for shape, corners in enumerate(SHAPES):
        some = slice(shape, None, len(SHAPES))
        if not len(points[some]):
            continue
        thing: Circles | Polygons = (
            Circles(points[some], radius[some], colors[some], width, alpha[some])
            if corners is None
            else Polygons(points[some, None] + corners * radius[some, None, None], colors[some], width, alpha[some])
        )
        things += haloed(thing, 1.5 if not width else 1.0, alpha[some])
    return things


def _dispute_things(disputed: NDArray[np.float64]) -> list[Thing]:
    things: list[Thing] = [Circles(disputed.reshape(-1, 2), RADIUS + 8, WRONG, 2.5)]
    for pair in disputed.tolist():
        for whose, (x, y) in zip(("mine", "theirs"), pair, strict=True):
            if np.isfinite([x, y]).all():
                things.append(Text(whose, (x + RADIUS + 12, y), outline=1.5, bold=True))
    return things


def _crosshair_things(seen: Scene, colors: NDArray[np.uint8]) -> list[Thing]:
    """Lines through the whole picture, open in the middle, with the name of what Enter places; and the fields."""
    (x, y), (height, width) = seen.crosshair.tolist(), seen.size
    if not np.isfinite([x, y]).all():
        return []
    ends = np.array([[[0, y], [x - 8, y]], [[x + 8, y], [width, y]], [[x, 0], [x, y - 8]], [[x, y + 8], [x, height]]])
    name = Text(seen.names[seen.current], _name_place(seen), seen.letters, outline=1.5)
    return [*_field_things(seen), *haloed(Lines(ends, colors[seen.current], 1.5, 0.9), 1.0, 0.7), name]


def _name_place(seen: Scene) -> tuple[float, float]:
    """Beside the crosshair; above or below fields that are so small that it would lie on their numbers."""
    (x, y), height = seen.crosshair.tolist(), seen.size[0]
    tops, bottoms = seen.fields[:, 0, 1], seen.fields[:, 1, 1]
    if not len(tops) or bottoms.max() - tops.min() > 0.9 * height:
        return x + 12, y - 12
    above = tops.min() - seen.letters
    return float(seen.fields[:, 0, 0].min()), float(above if above > seen.letters else bottoms.max() + seen.letters)


def _field_things(seen: Scene) -> list[Thing]:
    """The frames of the fields, with their numbers in their corners, smaller in narrow or low ones."""
    boxes = np.concatenate([seen.fields[:, 0], seen.fields[:, 1] - seen.fields[:, 0]], axis=1)
    high = max(min([seen.letters, *(0.8 * boxes[:, 2:]).astype(int).ravel().tolist()]), 1)
    numbers = [
        Text(str(n), (left + 0.4 * high, top + 0.8 * high), high, outline=1.5, bold=True)
        for n, (left, top) in enumerate(seen.fields[:, 0].tolist(), 1)
    ]
    return [*outlined(Rectangles(boxes, LIGHT, 1.0, 0.6), alpha=0.4), *numbers]


def loupe_things(seen: Scene, image: NDArray[np.uint8], view: LabelView, ratio: float = 1.0) -> list[Thing]:
    """The loupe: a magnified square of the image with a cross-hair, ``ratio`` times as fine; or nothing."""
    if seen.loupe is None:
        return []
    zoom = max(LOUPE_ZOOM, 2 * view.fit.zoom)
    left, top, length = seen.loupe_box
    side = round(length * ratio)
    x, y = CanvasFit(zoom * ratio).to_canvas(seen.loupe).tolist()
    part = _toned(render_view(image, CanvasFit(zoom * ratio, side / 2 - x, side / 2 - y), (side, side)), view)
    ways = np.array([[1, 0], [-1, 0], [0, 1], [0, -1]], float)
    middle = np.array([left, top]) + length / 2
    hair = np.stack([middle + ways * 5, middle + ways * 22], axis=1)  # the middle stays free
    return [
        Picture(part, (left, top), 88, None if side == length else (length, length)),
        *outlined(Lines(hair, LIGHT, 1.0, 0.9), alpha=0.9),
        Rectangles([(left, top, length, length)], LIGHT, 2),
    ]


def picture(image: NDArray[np.uint8], view: LabelView, seen: Scene, colors: NDArray[np.uint8]) -> Image.Image:
    """All of it as a `PIL.Image.Image`, drawn in the kernel."""
    things = [*label_things(seen, colors), *loupe_things(seen, image, view)]
    return on_picture(Image.fromarray(look(image, view)), things)


class LabelCanvas(FrameCanvas):
    """Layer 0 shows the image, layer 1 the labels, layer 2 the loupe."""

    _magnifier: Any = None  # an `ipywidgets.Image`

    def __init__(self, size: tuple[int, int]) -> None:
        super().__init__(size, layers=3)
        self._magnifier = ipywidgets.Image(format="url", value=b"")

    def draw(self, layer: int, things: list[Thing]) -> None:
        """Paint things on a layer, in place of what was there (call within `batch`)."""
        self[layer].clear()
        self._on_layer(layer, things, self._sent)

    def _sent(self, thing: Picture) -> ipywidgets.Image:
        """The one image widget that takes the loupe to the page."""
        data = base64.b64encode(encode_jpeg(thing.image, thing.quality))
        self._magnifier.value = b"data:image/jpeg;base64," + data
        return self._magnifier

    def close(self) -> None:
        """Close the images with the canvas."""
        if self._magnifier is not None:
            self._magnifier.close()
        super().close()


def _crosses(points: NDArray[np.float64], arm: float) -> NDArray[np.float64]:
    """Two diagonal lines for each of (n, 2) points, float64 (2 n, 2, 2)."""
    arms = np.array([[[-arm, -arm], [arm, arm]], [[-arm, arm], [arm, -arm]]])
    return (points[:, None, None] + arms).reshape(-1, 2, 2)
