"""Points through crop, scale, flip, affine and canvas fit, and back: the one home of the coordinate convention.

Points are float64 arrays ``(..., 2)`` of ``(x, y)`` in pixels. An integer coordinate is the *centre* of a pixel:
the top-left pixel covers -0.5..0.5. NaN means "not there" and stays NaN. No function changes its input.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = [
    "CanvasFit",
    "affine",
    "animal_px",
    "crop",
    "far_outside",
    "flip_horizontal",
    "from_corner_origin",
    "homography",
    "invert_affine",
    "nearest_in",
    "perspective",
    "scale",
    "to_corner_origin",
    "uncrop",
    "unscale",
    "widest_px",
]

FAR = 0.1  # of the frame's longer side: a point that is further outside is no place of anything in the frame
_MOST = 1e100  # px of a coordinate: larger ones overflow when they are squared


def far_outside(points: ArrayLike, size: tuple[int, int]) -> NDArray[np.bool_]:
    """Which points ``(..., 2)`` lie beyond the edge of a frame (height, width) by a tenth of its longer side; not NaN.

    A poor network has such predictions; they would blow up the axes of plots.
    """
    (height, width), places = size, np.asarray(points)
    margin = FAR * max(size)
    x, y = places[..., 0], places[..., 1]
    return (x < -margin) | (x > width + margin) | (y < -margin) | (y > height + margin)


def nearest_in(point: tuple[float, float], size: tuple[int, int]) -> tuple[float, float]:
    """The point (x, y) itself, or the nearest one in a frame (height, width), up to the edges of its pixels."""
    (x, y), (height, width) = point, size
    return min(max(x, -0.5), width - 0.5), min(max(y, -0.5), height - 0.5)


def crop(points: ArrayLike, left: float, top: float) -> NDArray[np.float64]:
    """Coordinates in the full frame -> coordinates in a crop whose top-left pixel is ``(left, top)``."""
    return np.asarray(points, float) - (left, top)


def uncrop(points: ArrayLike, left: float, top: float) -> NDArray[np.float64]:
    """Inverse of `crop`."""
    return np.asarray(points, float) + (left, top)


def scale(points: ArrayLike, factor: float | tuple[float, float]) -> NDArray[np.float64]:
    """Coordinates in an image -> coordinates in the same image resized by ``factor`` (a number or ``(fx, fy)``).

    Pixel centres sit at integers, so the image edge at -0.5, not the pixel at 0, is the fixed point.

    >>> scale([0.0, 9.0], 2)
    array([ 0.5, 18.5])
    """
    return (np.asarray(points, float) + 0.5) * factor - 0.5


def unscale(points: ArrayLike, factor: float | tuple[float, float]) -> NDArray[np.float64]:
    """Inverse of `scale`."""
    return (np.asarray(points, float) + 0.5) / factor - 0.5


def flip_horizontal(points: ArrayLike, width: float) -> NDArray[np.float64]:
    """Coordinates after mirroring an image of ``width`` pixels left to right; its own inverse."""
    flipped = np.array(points, float)
    flipped[..., 0] = width - 1 - flipped[..., 0]
    return flipped


def affine(points: ArrayLike, matrix: ArrayLike) -> NDArray[np.float64]:
    """Points through a ``(2, 3)`` matrix as `cv2.warpAffine` takes it: ``(x', y') = M[:, :2] @ (x, y) + M[:, 2]``."""
    matrix = np.asarray(matrix, float)
    moved: NDArray[np.float64] = np.asarray(points, float) @ matrix[:, :2].T + matrix[:, 2]
    return moved


def invert_affine(matrix: ArrayLike) -> NDArray[np.float64]:
    """The ``(2, 3)`` matrix that undoes ``matrix``; raises `numpy.linalg.LinAlgError` if there is none."""
    matrix = np.asarray(matrix, float)
    linear = np.linalg.inv(matrix[:, :2])
    return np.column_stack([linear, -linear @ matrix[:, 2]])


def homography(points: ArrayLike, places: ArrayLike) -> NDArray[np.float64]:
    """The (3, 3) matrix by which `perspective` takes four points to four places, as a slanted camera sees a plane.

    Parameters
    ----------
    points, places : array_like
        (4, 2) each, in the same order; no three of either on a line, else there is no such matrix: `ValueError`.
    """
    points, places = np.asarray(points, float), np.asarray(places, float)
    if points.shape != (4, 2) or places.shape != (4, 2) or not np.isfinite([points, places]).all():
        raise ValueError(f"expected four points and four places (4, 2), found {points.shape} and {places.shape}")
    rows = [
        row
        for (x, y), (u, v) in zip(points, places, strict=True)
        for row in ((x, y, 1, 0, 0, 0, -u * x, -u * y), (0, 0, 0, x, y, 1, -v * x, -v * y))
    ]
    if min(_smallest_area(points), _smallest_area(places)) <= 1e-6:
        raise ValueError("expected four corners, no three of them on one line")
    return np.append(np.linalg.solve(np.array(rows), places.ravel()), 1.0).reshape(3, 3)


def _smallest_area(corners: NDArray[np.float64]) -> float:
    """Of the triangles between three of four corners, the smallest area as a share of the square of their extent."""
    extent = float(np.ptp(corners, axis=0).max()) or 1.0
    sides = [(corners[(k + 1) % 4] - corners[k], corners[(k + 2) % 4] - corners[k]) for k in range(4)]
    return min(abs(float(a[0] * b[1] - a[1] * b[0])) for a, b in sides) / 2 / extent**2


def perspective(points: ArrayLike, matrix: ArrayLike) -> NDArray[np.float64]:
    """Points (..., 2) through the (3, 3) matrix of a `homography`."""
    points, matrix = np.asarray(points, float), np.asarray(matrix, float)
    moved = points @ matrix[:2, :2].T + matrix[:2, 2]
    below = points @ matrix[2, :2] + matrix[2, 2]
    return np.asarray(moved / below[..., None], np.float64)


def to_corner_origin(points: ArrayLike) -> NDArray[np.float64]:
    """Pixel-centre coordinates -> coordinates whose origin is the top-left *corner* of the image (COCO, canvas)."""
    return np.asarray(points, float) + 0.5


def from_corner_origin(points: ArrayLike) -> NDArray[np.float64]:
    """Inverse of `to_corner_origin`."""
    return np.asarray(points, float) - 0.5


@dataclass(frozen=True)
class CanvasFit:
    """Where an image lies on a canvas: ``zoom`` canvas pixels per image pixel; ``(left, top)`` is the canvas
    position of the image's top-left corner.
    """

    zoom: float
    left: float = 0.0
    top: float = 0.0

    @classmethod
    def fit(cls, image_size: tuple[float, float], canvas_size: tuple[float, float]) -> CanvasFit:
        """The largest centred fit of an image ``(height, width)`` in a canvas ``(height, width)``."""
        zoom = min(canvas_size[0] / image_size[0], canvas_size[1] / image_size[1])
        return cls(zoom, (canvas_size[1] - image_size[1] * zoom) / 2, (canvas_size[0] - image_size[0] * zoom) / 2)

    def to_canvas(self, points: ArrayLike) -> NDArray[np.float64]:
        """Image coordinates -> canvas coordinates (a canvas counts from its top-left corner)."""
        return to_corner_origin(points) * self.zoom + (self.left, self.top)

    def to_image(self, points: ArrayLike) -> NDArray[np.float64]:
        """Inverse of `to_canvas`."""
        return from_corner_origin((np.asarray(points, float) - (self.left, self.top)) / self.zoom)

    def zoomed(self, factor: float, at: tuple[float, float]) -> CanvasFit:
        """The fit zoomed by ``factor`` so that the canvas position ``at = (x, y)`` keeps its image point."""
        x, y = at
        return CanvasFit(self.zoom * factor, x - (x - self.left) * factor, y - (y - self.top) * factor)


def animal_px(labels: ArrayLike) -> float:
    """The animal's size: the median diagonal of the box around the labels of a frame.

    Parameters
    ----------
    labels : array_like
        (N, K, 2) pixels; NaN = not labeled.

    Returns
    -------
    float
        Pixels; NaN if no frame has two labels at different places.
    """
    diagonals = _diagonals(labels)
    size = float(np.median(diagonals)) if len(diagonals) else math.nan
    return size if size > 0 else math.nan


def widest_px(labels: ArrayLike) -> float:
    """How far the animal reaches at most: the longest diagonal of the box around the labels ``(N, K, 2)`` of a frame.

    Pixels; NaN as for `animal_px`.
    """
    size = float(_diagonals(labels).max(initial=0))
    return size if size > 0 else math.nan


def _diagonals(labels: ArrayLike) -> NDArray[np.float64]:
    """Diagonals, px, of the boxes around labels ``(N, K, 2)``, of frames that have two or more."""
    points = np.clip(np.asarray(labels, float), -_MOST, _MOST)
    there = np.isfinite(points).all(axis=2, keepdims=True)
    some = there.sum(axis=1).ravel() > 1
    low = np.where(there, points, np.inf)[some].min(axis=1)
    high = np.where(there, points, -np.inf)[some].max(axis=1)
    diagonals: NDArray[np.float64] = np.hypot(*(high - low).T)
    return diagonals
