"""The labeler's picture: what is to be seen, as a list of things that a canvas or, without a browser, Pillow draws."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import ipywidgets
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from dlcnb.geometry import CanvasFit
from dlcnb.widgets.base.canvas import FrameCanvas, render_view
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
from dlcnb.widgets.labeler.pointer_words import pointer_words
from dlcnb.widgets.labeler.scene import Scene

if TYPE_CHECKING:
    from dlcnb.widgets.labeler.view import Look

__all__ = [
    "SHAPES",
    "LabelCanvas",
    "label_things",
    "loupe_things",
    "picture",
    "rendered",
]

RADIUS = 5.0
LOUPE_ZOOM = 8.0  # canvas px per image px
WRONG = (255, 64, 64)
SHAPES: tuple[NDArray[np.float64] | None, ...] = (  # by turns; corners for radius 1, None = a disc
    None,
    0.88 * np.array([[-1.0, -1.0], [1.0, -1.0], [1.0, 1.0], [-1.0, 1.0]]),
    1.3 * np.array([[0.0, -1.0], [1.0, 0.0], [0.0, 1.0], [-1.0, 0.0]]),
    1.35 * np.array([[0.0, -1.0], [0.87, 0.5], [-0.87, 0.5]]),
)


def rendered(image: NDArray[np.uint8], look: Look) -> NDArray[np.uint8]:
    """What the canvas shows of an image.

    uint8 (height, width, 3) of the canvas, or up to the look's ``ratio`` times that, as fine as the image itself.
    """
    return _toned(render_view(image, look.fit, look.size, look.ratio), look)


def _toned(shown: NDArray[np.uint8], look: Look) -> NDArray[np.uint8]:
    tones = look.tones()
    return shown if tones is None else tones[shown]


# --- the things to draw ---


def label_things(seen: Scene, colors: NDArray[np.uint8]) -> list[Thing]:
    """What lies over the image but the loupe; ``colors`` uint8 (K, 3)."""
    things = outlined(Lines(seen.lines, LIGHT, 1.5, 0.8), alpha=0.6)
    things += haloed(Lines(_crosses(seen.ghosts, 5.0), np.repeat(colors, 2, axis=0), 1.5, 0.9), 1.0, 0.9)
    things += _marks(seen.hollow, 4.5 + 2.5 * np.nan_to_num(seen.likelihood), colors, 2.0)  # the larger the surer
    things += _unsure_things(seen)
    things += _point_things(seen, colors) + _dispute_things(seen.disputed) + _crosshair_things(seen, colors)
    things += pointer_words(seen)
    if seen.note:
        things.append(Text(seen.note, (seen.size[1] / 2, 20), 18, outline=2, align="center", bold=True))
    return things


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


def loupe_things(seen: Scene, image: NDArray[np.uint8], look: Look) -> list[Thing]:
    """The loupe: a magnified square of the image with a cross-hair, as fine as the look; or nothing."""
    if seen.loupe is None:
        return []
    zoom = max(LOUPE_ZOOM, 2 * look.fit.zoom) * look.ratio
    left, top, length = seen.loupe_box
    side = round(length * look.ratio)
    x, y = CanvasFit(zoom).to_canvas(seen.loupe).tolist()
    part = _toned(render_view(image, CanvasFit(zoom, side / 2 - x, side / 2 - y), (side, side)), look)
    ways = np.array([[1, 0], [-1, 0], [0, 1], [0, -1]], float)
    middle = np.array([left, top]) + length / 2
    hair = np.stack([middle + ways * 5, middle + ways * 22], axis=1)  # the middle stays free
    return [
        Picture(part, (left, top), 88, None if side == length else (length, length)),
        *outlined(Lines(hair, LIGHT, 1.0, 0.9), alpha=0.9),
        Rectangles([(left, top, length, length)], LIGHT, 2),
    ]


def picture(image: NDArray[np.uint8], look: Look, seen: Scene, colors: NDArray[np.uint8]) -> Image.Image:
    """All of it as a `PIL.Image.Image`, drawn in the kernel."""
    things = [*label_things(seen, colors), *loupe_things(seen, image, look)]
    return on_picture(Image.fromarray(rendered(image, look)), things)


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
        self._magnifier.value = thing.url
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
