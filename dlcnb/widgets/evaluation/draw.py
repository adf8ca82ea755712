"""Labels and predictions on a frame, as DeepLabCut marks them: + the label, a dot a prediction, × an unlikely one."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

__all__ = ["Marks", "blend_map", "draw_marks", "marks", "paint_marks", "thumbnail"]

ARM = 7.0  # px of the arms of + and ×, on the canvas
LINE = (235, 238, 241)
HALO = (0, 0, 0)


@dataclass(frozen=True, eq=False)
class Marks:
    """What is drawn over a picture, in its own coordinates (from the top-left corner).

    ``lines`` (L, 2, 2) with ``line_colors`` (L, 3), ``discs`` (D, 2) with ``disc_colors`` (D, 3); ``joins`` (J, 2, 2)
    lead from labels to their predictions.
    """

    lines: np.ndarray
    line_colors: np.ndarray
    discs: np.ndarray
    disc_colors: np.ndarray
    joins: np.ndarray


def marks(labels, predicted, sure, colors, arm=ARM):
    """`Marks` of one frame.

    Parameters
    ----------
    labels, predicted : (K, 2) in coordinates of the picture; NaN = not there.
    sure : (K,) bool
        Predictions that are likely enough.
    colors : uint8 (K, 3)
    arm : float
        Length of the arms of + and ×, px.
    """
    labeled, there = (np.isfinite(p).all(axis=-1) for p in (labels, predicted))
    unsure = there & ~sure
    straight, crooked = np.array([[1, 0], [0, 1]]) * arm, np.array([[1, 1], [1, -1]]) * 0.7 * arm
    lines, tints = [], []
    for shown, points, arms in ((labeled, labels, straight), (unsure, predicted, crooked)):
        for k in np.flatnonzero(shown):
            lines += [(points[k] - a, points[k] + a) for a in arms]
            tints += [colors[k]] * 2
    both = labeled & there
    return Marks(
        np.array(lines, float).reshape(-1, 2, 2),
        np.array(tints, np.uint8).reshape(-1, 3),
        np.asarray(predicted, float)[there & sure],
        colors[there & sure],
        np.stack([labels[both], predicted[both]], axis=1).astype(float),
    )


def paint_marks(layer, drawn):
    """Draw `Marks` on a layer of a canvas."""
    layer.line_cap = "round"
    if len(drawn.joins):
        layer.line_width = 1.5
        layer.stroke_styled_line_segments(drawn.joins, np.tile(np.uint8(LINE), (len(drawn.joins), 1)), 0.8)
    if len(drawn.discs):
        x, y = np.ascontiguousarray(drawn.discs.T)
        layer.fill_styled_circles(x, y, 5.5, np.zeros((len(x), 3), np.uint8), 0.8)
        layer.fill_styled_circles(x, y, 4.0, drawn.disc_colors, 1)
    if len(drawn.lines):
        layer.line_width = 4.5
        layer.stroke_styled_line_segments(drawn.lines, np.zeros((len(drawn.lines), 3), np.uint8), 0.75)
        layer.line_width = 2.2
        layer.stroke_styled_line_segments(drawn.lines, drawn.line_colors, 1)


def draw_marks(picture, drawn):
    """The same on pixels: a copy of a uint8 (H, W, 3) picture with `Marks`."""
    picture = np.ascontiguousarray(picture).copy()
    for line in drawn.joins:
        _line(picture, line, LINE, 1)
    for place, color in zip(drawn.discs, drawn.disc_colors, strict=True):
        for radius, tint in ((5.0, HALO), (3.8, color)):
            cv2.circle(picture, _fixed(place), round(radius * 16), tuple(map(int, tint)), -1, cv2.LINE_AA, 4)
    for width, colors in ((4, [HALO] * len(drawn.lines)), (2, drawn.line_colors)):
        for line, color in zip(drawn.lines, colors, strict=True):
            _line(picture, line, color, width)
    return picture


def _line(picture, ends, color, width):
    cv2.line(picture, _fixed(ends[0]), _fixed(ends[1]), tuple(map(int, color)), width, cv2.LINE_AA, 4)


def _fixed(point):
    """OpenCV's fixed-point coordinates (of pixel centres) of a place counted from the corner."""
    return tuple(round(float(v)) for v in (np.clip(point, -1e5, 1e5) - 0.5) * 16)


def blend_map(image, score):
    """An image with a score-map (H, W), 0..1, over it: brighter colours where it is higher."""
    tint = cv2.cvtColor(
        cv2.applyColorMap(np.rint(255 * score).astype(np.uint8), cv2.COLORMAP_INFERNO), cv2.COLOR_BGR2RGB
    )
    alpha = 0.85 * np.minimum(1.0, 3 * score)[..., None]
    return np.rint(image * (1 - alpha) + tint * alpha).astype(np.uint8)


def thumbnail(image, label, predicted, sure, color, size):
    """The part of a frame around one label and its prediction.

    Parameters
    ----------
    image : uint8 (H, W, 3)
    label, predicted : (2,) px of the frame, NaN = not there.
    sure : bool
        Whether the prediction is likely enough.
    color : uint8 (3,)
    size : (height, width)
        Of the picture, px.

    Returns
    -------
    uint8 (height, width, 3)
    """
    points = np.array([label, predicted], float)
    points = points[np.isfinite(points).all(axis=1)]
    height, width = size
    low, high = (points.min(axis=0), points.max(axis=0)) if len(points) else (np.zeros(2), np.array(image.shape[1::-1]))
    span = np.maximum(high - low, 1)
    side = max(1.6 * max(span[0] / width, span[1] / height), 0.35)  # px of the frame per px of the picture
    centre = (low + high) / 2
    matrix = np.array([[side, 0, 0], [0, side, 0]])
    matrix[:, 2] = centre - side * (np.array([width, height]) - 1) / 2
    how = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    picture = cv2.warpAffine(image, matrix, (width, height), flags=how, borderMode=cv2.BORDER_CONSTANT)
    here = (np.array([label, predicted], float) - matrix[:, 2]) / side + 0.5
    one = marks(here[:1], here[1:], np.array([sure]), np.asarray(color, np.uint8)[None], arm=6.0)
    return draw_marks(picture, one)
