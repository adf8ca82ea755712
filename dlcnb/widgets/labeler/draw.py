"""The labeler's picture: one description of what is to be seen, drawn on a canvas or, without a browser, by Pillow."""

from __future__ import annotations

import base64
from dataclasses import dataclass

import cv2
import ipywidgets
import numpy as np
from PIL import Image, ImageDraw

from dlcnb.geometry import CanvasFit
from dlcnb.widgets.base.canvas import FrameCanvas, encode_jpeg, render_view

__all__ = ["LabelCanvas", "Scene", "look", "picture", "scene"]

RADIUS = 5.0
LOUPE, LOUPE_ZOOM, MARGIN = 168, 8.0, 6  # canvas px, canvas px per image px, canvas px
DARK, LIGHT = (15, 15, 15), (250, 250, 250)
WRONG = (255, 64, 64)


@dataclass(frozen=True)
class Scene:
    """What lies over the image, in canvas pixels.

    ``points``, ``ghosts``, ``offered``: (K, 2), NaN where there is none; ``likelihood``: (K,) of what is offered;
    ``lines``: (E, 2, 2) of the skeleton; ``disputed``: (C, 2, 2), mine and theirs of each conflict in this frame;
    ``loupe``: the image point (x, y) to magnify, or None, and ``loupe_left`` whether it goes to the left corner.
    """

    points: np.ndarray
    ghosts: np.ndarray
    offered: np.ndarray
    likelihood: np.ndarray
    lines: np.ndarray
    disputed: np.ndarray
    current: int
    dragging: bool
    names: tuple
    named: bool
    loupe: tuple | None
    loupe_left: bool


def scene(session, view, edges):
    """The `Scene` of a `LabelSession` and a `LabelView`; ``edges`` (E, 2) are those of the skeleton."""
    image, fit, none = session.cursor.image, view.fit, np.full((len(session.bodyparts), 2), np.nan)
    points, offered, likelihood, ghosts = none, none, none[:, 0], none
    if view.labels:
        points = np.array(session.points(image), float)
        if view.held:
            points[view.held[0]] = view.held[1]
        offered, likelihood = session.suggested(image)
        offered = np.where(np.isfinite(points), np.nan, offered)
        previous = session.previous_labeled() if view.ghost else None
        ghosts = none if previous is None else session.points(previous)
    lines = points[edges] if view.skeleton and len(edges) else np.empty((0, 2, 2))
    lines = lines[np.isfinite(lines).all(axis=(1, 2))]
    disputed = [(c.mine, c.theirs) for c in session.conflicts if c.image == image]
    disputed = [[(np.nan, np.nan) if p is None else p for p in pair] for pair in disputed]
    magnified = _magnified(session, view)
    at = None if magnified is None else fit.to_canvas(magnified)
    return Scene(
        fit.to_canvas(points),
        fit.to_canvas(ghosts),
        fit.to_canvas(offered),
        likelihood,
        fit.to_canvas(lines),
        fit.to_canvas(np.array(disputed, float).reshape(-1, 2, 2)),
        session.part,
        view.held is not None,
        session.bodyparts,
        view.names,
        magnified,
        at is not None and at[0] > view.canvas_size[1] - LOUPE - 60 and at[1] < LOUPE + 60,
    )


def _magnified(session, view):
    """The image point for the loupe: what is dragged or nudged, else what is under the pointer; None outside."""
    if not view.loupe:
        return None
    if view.held:
        return view.held[1]
    if view.pointer is None:
        return None
    point = tuple(map(float, view.fit.to_image(view.pointer)))
    return point if session.inside(point) else None


def look(image, view):
    """What the canvas shows of an image, with the view's tones, uint8 (height, width, 3)."""
    return _toned(render_view(image, view.fit, view.canvas_size), view)


def _toned(picture, view):
    tones = view.tones()
    return picture if tones is None else cv2.LUT(picture, tones)


def _loupe_image(image, point, view):
    """A magnified square of the image about a point, and the zoom it has."""
    zoom = max(LOUPE_ZOOM, 2 * view.fit.zoom)
    x, y = CanvasFit(zoom).to_canvas(point)
    part = render_view(image, CanvasFit(zoom, LOUPE / 2 - x, LOUPE / 2 - y), (LOUPE, LOUPE))
    return _toned(part, view)


def _loupe_corner(view, left):
    return (MARGIN if left else view.canvas_size[1] - LOUPE - MARGIN), MARGIN


class LabelCanvas(FrameCanvas):
    """Layer 0 shows the image, layer 1 the labels, layer 2 the loupe."""

    _magnifier = None

    def __init__(self, size):
        super().__init__(size, layers=3)
        self._magnifier = ipywidgets.Image(format="url", value=b"")

    def draw_labels(self, seen, colors):
        """Paint a `Scene` on layer 1 (call within `batch`); ``colors`` uint8 (K, 3)."""
        layer = self[1]
        layer.clear()
        layer.line_cap = "round"
        self._draw_lines(layer, seen.lines)
        self._draw_ghosts(layer, seen.ghosts, colors)
        self._draw_offered(layer, seen, colors)
        self._draw_points(layer, seen, colors)
        self._draw_disputed(layer, seen.disputed)
        if seen.loupe is not None:  # what a click would place; not on the loupe's layer, which a click leaves as it is
            left = MARGIN if seen.loupe_left else self.width - LOUPE - MARGIN
            layer.font, layer.text_baseline = "13px sans-serif", "top"
            _write(layer, seen.names[seen.current], (left + 2, MARGIN + LOUPE + 6))

    @staticmethod
    def _draw_lines(layer, lines):
        if len(lines):
            for width, color, alpha in ((3.5, DARK, 0.6), (1.5, LIGHT, 0.8)):
                layer.line_width = width
                layer.stroke_styled_line_segments(np.ascontiguousarray(lines), _tiled(color, len(lines)), alpha)

    @staticmethod
    def _draw_ghosts(layer, ghosts, colors):
        there = np.flatnonzero(np.isfinite(ghosts).all(axis=1))
        if len(there):
            crosses = _crosses(ghosts[there], 5.0)
            layer.line_width = 3
            layer.stroke_styled_line_segments(crosses, _tiled(DARK, len(crosses)), 0.5)
            layer.line_width = 1.5
            layer.stroke_styled_line_segments(crosses, np.repeat(colors[there], 2, axis=0), 0.8)

    @staticmethod
    def _draw_offered(layer, seen, colors):
        there = np.flatnonzero(np.isfinite(seen.offered).all(axis=1))
        if len(there):
            x, y = np.ascontiguousarray(seen.offered[there].T)
            alpha = opacity(seen.likelihood[there])
            layer.line_width = 4
            layer.stroke_styled_circles(x, y, 7.0, _tiled(DARK, len(there)), alpha * 0.7)
            layer.line_width = 2
            layer.stroke_styled_circles(x, y, 7.0, _light(colors[there]), alpha)

    @staticmethod
    def _draw_points(layer, seen, colors):
        there = np.flatnonzero(np.isfinite(seen.points).all(axis=1))
        if not len(there):
            return
        x, y = np.ascontiguousarray(seen.points[there].T)
        solid = np.where((there == seen.current) & seen.dragging, 0.35, 1.0)
        layer.fill_styled_circles(x, y, RADIUS + 1.5, _rings(colors[there]), 0.85 * solid)
        layer.fill_styled_circles(x, y, RADIUS, colors[there], solid)
        if seen.current in there:
            point = seen.points[seen.current]
            for width, color in ((4.0, DARK), (2.0, LIGHT)):
                layer.line_width = width
                layer.stroke_styled_circles([point[0]], [point[1]], RADIUS + 5.0, _tiled(color, 1), 1)
        if seen.named:
            layer.font = "13px sans-serif"
            layer.text_baseline = "middle"
            for k in there:
                _write(layer, seen.names[k], seen.points[k] + (RADIUS + 8, 0))

    @staticmethod
    def _draw_disputed(layer, disputed):
        for n, letter in ((0, "mine"), (1, "theirs")):
            ends = disputed[:, n]
            ends = ends[np.isfinite(ends).all(axis=1)]
            layer.line_width = 2.5
            layer.font = "bold 13px sans-serif"
            for end in ends:
                layer.stroke_styled_circles([end[0]], [end[1]], RADIUS + 8.0, _tiled(WRONG, 1), 1)
                _write(layer, letter, end + (RADIUS + 12, 0))

    def draw_loupe(self, seen, image, view):
        """Paint the loupe, or nothing, on layer 2 (call within `batch`)."""
        layer = self[2]
        layer.clear()
        if seen.loupe is None:
            return
        left, top = _loupe_corner(view, seen.loupe_left)
        data = encode_jpeg(_loupe_image(image, seen.loupe, view), 88)
        self._magnifier.value = b"data:image/jpeg;base64," + base64.b64encode(data)
        layer.draw_image(self._magnifier, left, top)
        middle = np.array([left, top]) + LOUPE / 2
        for width, color in ((3.0, DARK), (1.0, LIGHT)):
            layer.line_width = width
            layer.stroke_styled_line_segments(_cross_hair(middle), _tiled(color, 4), 0.9)
        layer.line_width = 2
        layer.stroke_style = f"rgb{LIGHT}"
        layer.stroke_rect(left, top, LOUPE, LOUPE)

    def draw_problem(self, text):
        """Say in the picture why there is none (call within `batch`)."""
        self[1].font = "18px sans-serif"
        self[1].text_align = "center"
        _write(self[1], text, (self.width / 2, self.height / 2))
        self[1].text_align = "start"

    def close(self):
        """Close the images with the canvas."""
        if self._magnifier is not None:
            self._magnifier.close()
        super().close()


def opacity(likelihood):
    """How solid a suggestion is drawn: never invisible."""
    return np.clip(0.25 + 0.75 * np.nan_to_num(likelihood), 0.25, 1.0)


def picture(image, view, seen, colors):
    """The same as a `PIL.Image.Image`, drawn in the kernel."""
    drawn = Image.fromarray(look(image, view))
    pen = ImageDraw.Draw(drawn, "RGBA")
    for line in seen.lines:
        pen.line([*line.ravel()], fill=(*LIGHT, 200), width=2)
    for point, color in _there(seen.ghosts, colors):
        for ends in _crosses(point[None], 5.0):
            pen.line([*ends.ravel()], fill=(*color, 200), width=2)
    shown = zip(seen.offered, colors, opacity(seen.likelihood), strict=True)
    for point, color, alpha in shown:
        if np.isfinite(point).all():
            _circle(pen, point, 7, outline=(*map(int, color), round(255 * alpha)), width=2)
    for point, color in _there(seen.points, colors):
        _circle(pen, point, RADIUS + 1.5, fill=(*DARK, 220))
        _circle(pen, point, RADIUS, fill=color)
    if np.isfinite(seen.points[seen.current]).all():
        _circle(pen, seen.points[seen.current], RADIUS + 5, outline=LIGHT, width=2)
    return drawn


def _there(points, colors):
    for point, color in zip(points, colors, strict=True):
        if np.isfinite(point).all():
            yield point, tuple(map(int, color))


def _circle(pen, point, radius, **style):
    (x, y), r = point, radius
    pen.ellipse((x - r, y - r, x + r, y + r), **style)


def _write(layer, text, place):
    layer.line_width = 3
    layer.stroke_style, layer.fill_style = "rgba(0, 0, 0, 0.8)", "white"
    layer.stroke_text(text, *map(float, place))
    layer.fill_text(text, *map(float, place))


def _tiled(color, count):
    return np.tile(np.uint8(color), (count, 1))


def _rings(colors):
    """Dark rings, light ones about dark colours, uint8 (n, 3)."""
    dark = colors @ np.array([0.299, 0.587, 0.114]) < 50
    return np.where(dark[:, None], np.uint8(LIGHT), np.uint8(DARK))


def _light(colors):
    """Colours for lines on a dark line: black becomes light grey, uint8 (n, 3)."""
    dark = colors @ np.array([0.299, 0.587, 0.114]) < 50
    return np.where(dark[:, None], np.uint8((200, 200, 200)), colors)


def _crosses(points, arm):
    """Two diagonal lines for each of (n, 2) points, float64 (2 n, 2, 2)."""
    arms = np.array([[[-arm, -arm], [arm, arm]], [[-arm, arm], [arm, -arm]]])
    return np.ascontiguousarray((points[:, None, None] + arms).reshape(-1, 2, 2))


def _cross_hair(middle):
    """Four lines that leave the middle free, float64 (4, 2, 2)."""
    ways = np.array([[1, 0], [-1, 0], [0, 1], [0, -1]], float)
    return np.stack([middle + ways * 5, middle + ways * 22], axis=1)
