"""Small pictures of labeled frames: the whole frame or a close-up of the animal, with one or two scorers' points."""

from __future__ import annotations

import threading
from collections.abc import Hashable, Sequence
from typing import Any

import cv2
import numpy as np
from cachetools import LRUCache
from numpy.typing import ArrayLike, NDArray
from PIL import Image

from dlcnb.geometry import crop, scale
from dlcnb.labels import LabelError, frame_images, read_image
from dlcnb.project import Project, Skeleton, nearest
from dlcnb.render import draw_pose, palette
from dlcnb.widgets.base.jpeg import decode_jpeg, encode_jpeg
from dlcnb.widgets.base.paint import LIGHT, Circles, Lines, haloed, on_picture, outlined
from dlcnb.widgets.gallery.thumbnails import FINE, fitted

__all__ = ["LabelPictures", "close_up", "draw_rivals", "edges_of", "pose_picture"]

MARGIN = 0.3  # of the extent of the points, around them
LEAST = 96  # px, the sides of a close-up
RADIUS = 3.5 * FINE  # of a point, pixels
KEPT = 1500  # pictures, some 30 kB each


def close_up(points: ArrayLike, image_size: tuple[int, int], aspect: float) -> tuple[int, int, int, int]:
    """The part of a frame around some points.

    Parameters
    ----------
    points : (..., 2) array
        px of the full frame; NaN = not there, points outside the frame don't count.
    image_size : (height, width)
    aspect : float
        Width by height of the part, as far as the frame allows.

    Returns
    -------
    (x1, x2, y1, y2) in px, ends excluded; the whole frame if no point is there.
    """
    height, width = image_size
    points = np.asarray(points, float).reshape(-1, 2)
    inside = (points >= -0.5).all(1) & (points <= (width - 0.5, height - 0.5)).all(1)  # NaN is not
    if not inside.any():
        return 0, width, 0, height
    low, high = points[inside].min(0), points[inside].max(0)
    wide, tall = np.maximum((high - low) * (1 + 2 * MARGIN), LEAST)
    wide, tall = max(wide, tall * aspect), max(tall, wide / aspect)
    middle = (low + high) / 2
    edges = []
    for center, side, end in ((middle[0], wide, width), (middle[1], tall, height)):
        side = min(round(side), end)
        first = int(min(max(round(center - side / 2), 0), end - side))
        edges += [first, first + side]
    return edges[0], edges[1], edges[2], edges[3]


def edges_of(skeleton: Skeleton, bodyparts: Sequence[str]) -> NDArray[np.int64]:
    """Edges of a `Skeleton` between the bodyparts that are there, int (E, 2) of their positions."""
    known = [edge for edge in skeleton.edges if set(edge) <= set(bodyparts)]
    return np.array([[bodyparts.index(part) for part in edge] for edge in known], int).reshape(-1, 2)


def draw_rivals(image: NDArray[np.uint8], first: ArrayLike, second: ArrayLike, radius: float) -> NDArray[np.uint8]:
    """Two scorers' points on a copy of an image: discs for the first, rings for the second, a line between them.

    Parameters
    ----------
    image : uint8 (H, W, 3)
    first, second : (K, 2) arrays
        px; NaN = not placed.
    radius : float
        px

    Returns
    -------
    uint8 (H, W, 3)
    """
    one, two = (np.asarray(points, float) + 0.5 for points in (first, second))  # from the corner of the image
    things = [
        *outlined(Lines(np.stack([one, two], axis=1), LIGHT, 2.0)),
        *haloed(Circles(two, radius + 3, palette(len(two)), width=2.0)),
    ]
    drawn = on_picture(Image.fromarray(image.copy()), things)
    return draw_pose(np.asarray(drawn), first, radius=radius)


def pose_picture(
    whole: NDArray[np.uint8],
    points: NDArray[np.float64],
    size: tuple[int, int],
    *,
    edges: ArrayLike = (),
    rivals: NDArray[np.float64] | None = None,
    close: bool = True,
) -> NDArray[np.uint8]:
    """A small picture of a frame with its points.

    Parameters
    ----------
    whole : uint8 (H, W, 3)
    points : float (K, 2) px; NaN = not placed.
    size : (height, width) px of the picture.
    edges, rivals, close : as of `LabelPictures.picture`.

    Returns
    -------
    uint8 (height, width, 3)
    """
    both = points if rivals is None else np.stack([points, rivals])
    height, width = size
    tall, wide = whole.shape[:2]
    x1, x2, y1, y2 = close_up(both, (tall, wide), width / height) if close else (0, wide, 0, tall)
    part = whole[y1:y2, x1:x2]
    zoom = min(height / part.shape[0], width / part.shape[1])
    fine = max(round(part.shape[1] * zoom), 1), max(round(part.shape[0] * zoom), 1)
    small: Any = cv2.resize(part, fine, interpolation=cv2.INTER_AREA if zoom < 1 else cv2.INTER_CUBIC)

    shown = scale(crop(points, x1, y1), zoom)
    if rivals is not None:
        return fitted(draw_rivals(small, shown, scale(crop(rivals, x1, y1), zoom), RADIUS), size)
    lines = np.asarray(edges, int).reshape(-1, 2)
    return fitted(draw_pose(small, shown, skeleton=lines if len(lines) else None, radius=RADIUS), size)


class LabelPictures:
    """Pictures of a project's labeled frames, kept as small JPEGs once they are drawn.

    Parameters
    ----------
    project : Project
    size : (height, width)
        Of a picture, px; it has `FINE` pixels for each.
    """

    def __init__(self, project: Project, size: tuple[int, int]) -> None:
        self.project, self.size = project, (FINE * size[0], FINE * size[1])
        self._done: LRUCache[Hashable, bytes] = LRUCache(KEPT)
        self._lock = threading.Lock()

    def read(self, image: str) -> NDArray[np.uint8]:
        """The image of a labeled frame, (H, W, 3); raises `LabelError` if it is missing or damaged."""
        path = self.project.root / image
        try:
            return read_image(path)
        except LabelError as error:
            hint = nearest(path.name, frame_images(path.parent))
            state = "damaged" if path.exists() else "missing"
            raise LabelError(f"the image {image} is {state}{hint}") from error

    def picture(
        self,
        image: str,
        points: NDArray[np.float64],
        *,
        edges: ArrayLike = (),
        rivals: NDArray[np.float64] | None = None,
        close: bool = True,
        keep: bool = True,
    ) -> NDArray[np.uint8]:
        """A picture of a frame with its points, uint8 (H, W, 3); empty if its image can't be read.

        Parameters
        ----------
        image, points : as in `Labels.images`; float (K, 2) px.
        edges, rivals : int (E, 2) between the points, and another scorer's points (K, 2) px.
        close : a close-up of the points instead of the whole frame.
        keep : remember it for the next time.
        """
        key = image, np.asarray(points).tobytes(), b"" if rivals is None else np.asarray(rivals).tobytes(), close
        with self._lock:
            data = self._done.get(key)
        if data is not None:
            return decode_jpeg(data)
        try:
            drawn = pose_picture(self.read(image), points, self.size, edges=edges, rivals=rivals, close=close)
        except LabelError:
            drawn = fitted(np.zeros((1, 1, 3), np.uint8), self.size)
        if not keep:
            return drawn
        data = encode_jpeg(drawn, 90)
        with self._lock:
            self._done[key] = data
        return decode_jpeg(data)

    def forget(self) -> None:
        """Draw everything anew, as after the images changed."""
        with self._lock:
            self._done.clear()
