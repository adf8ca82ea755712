"""A list of things to draw, and two painters for it: the canvas of a page, and Pillow where no page is.

Places are canvas pixels, (x, y), counted from the corner of the canvas. Rows that are not finite are not drawn, so
absent points need no sorting out. Things are drawn in their order, each row of a thing over those before.
"""

from __future__ import annotations

import base64
import functools
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray
from PIL import Image, ImageDraw, ImageFont

from dlcnb.render import DARK, LIGHT, halos
from dlcnb.widgets.base.jpeg import encode_jpeg

if TYPE_CHECKING:
    import ipywidgets
    from ipycanvas import Canvas

__all__ = [
    "DARK",
    "LIGHT",
    "Circles",
    "Color",
    "Lines",
    "Picture",
    "Polygons",
    "Rectangles",
    "Text",
    "Thing",
    "font",
    "haloed",
    "on_canvas",
    "on_picture",
    "outlined",
]

Color: TypeAlias = tuple[int, int, int]

FINE = 4  # steps per pixel of what Pillow draws, which knows no anti-aliasing
ALIGN = {"left": "l", "center": "m", "right": "r"}
BASELINE = {"top": "a", "middle": "m", "alphabetic": "s"}


@dataclass(frozen=True, eq=False)
class Circles:
    """Discs, or rings of a ``width``.

    ``centers``: (n, 2); ``radius``, ``alpha``: one number or (n,); ``color``: RGB of all, or (n, 3).
    """

    centers: ArrayLike
    radius: ArrayLike
    color: ArrayLike
    width: float = 0.0
    alpha: ArrayLike = 1.0


@dataclass(frozen=True, eq=False)
class Lines:
    """Straight lines with round ends.

    ``ends``: (n, 2, 2), the place of one end, then of the other; ``color``: RGB of all, or (n, 3); ``alpha``: one
    number or (n,).
    """

    ends: ArrayLike
    color: ArrayLike
    width: float = 1.0
    alpha: ArrayLike = 1.0


@dataclass(frozen=True, eq=False)
class Rectangles:
    """Filled rectangles, or frames of a ``width``.

    ``boxes``: (n, 4), left, top, width, height; ``color``: RGB of all, or (n, 3); ``alpha``: one number or (n,).
    """

    boxes: ArrayLike
    color: ArrayLike
    width: float = 0.0
    alpha: ArrayLike = 1.0


@dataclass(frozen=True, eq=False)
class Polygons:
    """Filled polygons, or their outlines of a ``width``.

    ``corners``: (n, V, 2); ``color``: RGB of all, or (n, 3); ``alpha``: one number or (n,).
    """

    corners: ArrayLike
    color: ArrayLike
    width: float = 0.0
    alpha: ArrayLike = 1.0


@dataclass(frozen=True)
class Text:
    """A line of text at a place; ``outline`` is the width of a dark edge, ``baseline`` top, middle or alphabetic."""

    text: str
    place: tuple[float, float]
    size: int = 13
    color: Color = (255, 255, 255)
    outline: float = 0.0
    align: str = "left"
    baseline: str = "middle"
    bold: bool = False


@dataclass(frozen=True, eq=False)
class Picture:
    """A uint8 (H, W, 3) image, its corner at a place; ``quality`` is that of the JPEG for the page.

    ``size`` is the (width, height) that it takes; by default pixel by pixel.
    """

    image: NDArray[np.uint8]
    place: tuple[float, float] = (0, 0)
    quality: int = 85
    size: tuple[float, float] | None = None

    @functools.cached_property
    def url(self) -> bytes:
        """It as a data URL of a JPEG, which is how it travels to the page."""
        return b"data:image/jpeg;base64," + base64.b64encode(encode_jpeg(self.image, self.quality))


Rows: TypeAlias = Circles | Lines | Rectangles | Polygons
Thing: TypeAlias = Rows | Text | Picture


def outlined(thing: Rows, color: ArrayLike = DARK, margin: float = 1.0, alpha: ArrayLike = 1.0) -> list[Thing]:
    """Discs, rings, lines, frames or polygons with an edge around them, so that they show on any ground.

    Parameters
    ----------
    color
        RGB of the edge, or one for each row, (n, 3).
    margin
        px that the edge is seen on each side.
    alpha
        Of the edge: one number or (n,).
    """
    if isinstance(thing, Circles) and not thing.width:
        wide: Thing = replace(thing, radius=np.asarray(thing.radius, float) + margin, color=color, alpha=alpha)
    else:
        wide = replace(thing, width=thing.width + 2 * margin, color=color, alpha=alpha)
    return [wide, thing]


def haloed(thing: Rows, margin: float = 1.5, alpha: ArrayLike = 1.0) -> list[Thing]:
    """What marks bodyparts in their colours, `outlined` so that it is seen on dark, light and grey animals alike."""
    colors = halos(thing.color)
    return outlined(thing, colors if np.ndim(thing.color) > 1 else colors[0], margin, alpha)


# --- on the page ---


def on_canvas(layer: Canvas, things: Iterable[Thing], image: Callable[[Picture], ipywidgets.Image]) -> None:
    """Draw things on a layer of an ipycanvas (call within `batch`).

    Parameters
    ----------
    image
        Gives the `ipywidgets.Image` that takes a picture to the page.
    """
    layer.line_cap = layer.line_join = "round"
    for thing in things:
        if isinstance(thing, Picture):
            layer.draw_image(image(thing), *thing.place, *(thing.size or ()))
        elif isinstance(thing, Text):
            _write_on_canvas(layer, thing)
        else:
            _rows_on_canvas(layer, thing)


def _rows_on_canvas(layer: Canvas, thing: Rows) -> None:
    rows, colors, alpha = _there(thing)
    if not len(rows):
        return
    if isinstance(thing, Lines):
        layer.line_width = thing.width
        layer.stroke_styled_line_segments(np.ascontiguousarray(rows.reshape(-1, 2, 2)), colors, alpha)
        return
    if thing.width:
        layer.line_width = thing.width
    if isinstance(thing, Polygons):
        draw = layer.stroke_styled_polygons if thing.width else layer.fill_styled_polygons
        draw(np.ascontiguousarray(rows.reshape(len(rows), -1, 2)), colors, alpha)
        return
    columns = np.ascontiguousarray(rows.T)
    kind = "circles" if isinstance(thing, Circles) else "rects"
    draw = getattr(layer, f"{'stroke' if thing.width else 'fill'}_styled_{kind}")
    draw(*columns, colors, alpha)


def _write_on_canvas(layer: Canvas, text: Text) -> None:
    layer.font = f"{'bold ' if text.bold else ''}{text.size}px sans-serif"
    layer.text_align, layer.text_baseline = text.align, text.baseline
    x, y = map(float, text.place)
    if text.outline:
        layer.line_width, layer.stroke_style = 2 * text.outline, "rgba(0, 0, 0, 0.8)"
        layer.stroke_text(text.text, x, y)
    layer.fill_style = "rgb({}, {}, {})".format(*text.color)
    layer.fill_text(text.text, x, y)


# --- without a page ---


def on_picture(picture: Image.Image, things: Iterable[Thing]) -> Image.Image:
    """Draw things on an RGB image, in place, as the canvas shows them; returns it."""
    for thing in things:
        if isinstance(thing, Picture):
            shown = Image.fromarray(thing.image)
            if thing.size is not None:
                shown = shown.resize((round(thing.size[0]), round(thing.size[1])))
            picture.paste(shown, (round(thing.place[0]), round(thing.place[1])))
        elif isinstance(thing, Text):
            _write_on_picture(picture, thing)
        else:
            for row, color, alpha in zip(*_there(thing), strict=True):
                _blend(picture, thing, row, tuple(color.tolist()), float(alpha))
    return picture


def _blend(
    picture: Image.Image,
    thing: Rows,
    row: NDArray[np.float64],
    color: tuple[int, ...],
    alpha: float,
) -> None:
    """Draw one row of a thing, finer than the picture, and lay it over."""
    low, high = _extent(thing, row)
    first = np.maximum(np.floor(low), 0).astype(int)
    last = np.minimum(np.ceil(high), picture.size).astype(int)
    size = last - first
    if (size <= 0).any():
        return
    mask = Image.new("L", tuple((size * FINE).tolist()))
    _draw_fine(ImageDraw.Draw(mask), thing, row, first)
    mask = mask.reduce(FINE).point([round(value * min(max(alpha, 0.0), 1.0)) for value in range(256)])
    picture.paste(color, tuple(first.tolist()), mask)


def _extent(thing: Rows, row: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The corners (x, y) of what a row covers."""
    if isinstance(thing, Circles):
        return row[:2] - row[2] - thing.width / 2, row[:2] + row[2] + thing.width / 2
    ends = np.array([row[:2], row[:2] + row[2:]]) if isinstance(thing, Rectangles) else row.reshape(-1, 2)
    return ends.min(axis=0) - thing.width / 2, ends.max(axis=0) + thing.width / 2


def _draw_fine(pen: ImageDraw.ImageDraw, thing: Rows, row: NDArray[np.float64], origin: NDArray[np.int64]) -> None:
    """Draw a row on a mask of `FINE` steps per pixel whose corner is at ``origin``."""
    width = round(thing.width * FINE)
    if isinstance(thing, Lines):
        ends = (row.reshape(2, 2) - origin) * FINE - 0.5  # Pillow counts from the middle of the first pixel
        pen.line([*ends.ravel().tolist()], fill=255, width=max(width, 1))
        for x, y in ends.tolist() if width > 2 else ():
            pen.ellipse((x - (width - 1) / 2, y - (width - 1) / 2, x + (width - 1) / 2, y + (width - 1) / 2), fill=255)
        return
    if isinstance(thing, Polygons):
        corners = [tuple(corner) for corner in ((row.reshape(-1, 2) - origin) * FINE - 0.5).tolist()]
        if width:
            pen.line([*corners, *corners[:2]], fill=255, width=width, joint="curve")
        else:
            pen.polygon(corners, fill=255)
        return
    low, high = ((corner - origin) * FINE for corner in _extent(thing, row))
    shape = pen.ellipse if isinstance(thing, Circles) else pen.rectangle
    box = [*low.tolist(), *np.maximum(high - 1, low).tolist()]
    if width:
        shape(box, outline=255, width=width)
    else:
        shape(box, fill=255)


def _write_on_picture(picture: Image.Image, text: Text) -> None:
    pen = ImageDraw.Draw(picture, "RGBA")
    (x, y), anchor, letters = text.place, ALIGN[text.align] + BASELINE[text.baseline], font(text.size)
    if text.outline:
        edge = round(text.outline)
        pen.text((x, y), text.text, (0, 0, 0, 204), letters, anchor, stroke_width=edge, stroke_fill=(0, 0, 0, 204))
    for shift in (0.0, 0.5) if text.bold else (0.0,):
        pen.text((x + shift, y), text.text, text.color, letters, anchor)


@functools.cache
def font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """The font of still pictures, ``size`` px high; about as wide as a page's sans-serif."""
    return ImageFont.load_default(size)


def _there(
    thing: Rows,
) -> tuple[NDArray[np.float64], NDArray[np.uint8], NDArray[np.float64]]:
    """What is finite: rows (n, 3) of circles, (n, 2 V) of polygons or (n, 4), colours uint8 (n, 3), opacity (n,)."""
    if isinstance(thing, Circles):
        centers = np.asarray(thing.centers, float).reshape(-1, 2)
        rows = np.column_stack([centers, np.broadcast_to(np.asarray(thing.radius, float), len(centers))])
    elif isinstance(thing, Polygons):
        corners = np.asarray(thing.corners, float)
        rows = corners.reshape(len(corners), -1)
    else:
        rows = np.asarray(thing.ends if isinstance(thing, Lines) else thing.boxes, float).reshape(-1, 4)
    there = np.isfinite(rows).all(axis=1)
    colors = np.broadcast_to(np.asarray(thing.color, np.uint8), (len(rows), 3))
    alpha = np.broadcast_to(np.asarray(thing.alpha, float), len(rows))
    return rows[there], np.ascontiguousarray(colors[there]), alpha[there]
