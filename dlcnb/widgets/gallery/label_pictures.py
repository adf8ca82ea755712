"""Small pictures of labeled frames: the whole frame or a close-up of the animal, with one or two scorers' points."""

from __future__ import annotations

import threading

import cv2
import numpy as np

from dlcnb.labels import LabelError, frame_images, read_image
from dlcnb.project import nearest
from dlcnb.render import draw_pose, palette
from dlcnb.widgets.base.canvas import encode_jpeg
from dlcnb.widgets.gallery.thumbnails import fitted

__all__ = ["LabelPictures", "close_up", "draw_rivals", "edges_of"]

MARGIN = 0.3  # of the extent of the points, around them
LEAST = 96  # px, the sides of a close-up
LIGHT, DARK = (245, 245, 245), (20, 20, 20)
BITS = 4  # of sub-pixel positions in OpenCV


def close_up(points, image_size, aspect):
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
    return tuple(edges)


def edges_of(skeleton, bodyparts):
    """Edges of a `Skeleton` between the bodyparts that are there, int (E, 2) of their positions."""
    known = [edge for edge in skeleton.edges if set(edge) <= set(bodyparts)]
    return np.array([[bodyparts.index(part) for part in edge] for edge in known], int).reshape(-1, 2)


def draw_rivals(image, first, second, radius):
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
    drawn, colors = image.copy(), palette(len(first)).tolist()
    for k, (one, two) in enumerate(zip(first, second, strict=True)):
        if np.isfinite(one).all() and np.isfinite(two).all():
            for width, color in ((4, DARK), (2, LIGHT)):
                cv2.line(drawn, _fixed(one), _fixed(two), color, width, cv2.LINE_AA, BITS)
        if np.isfinite(two).all():
            for width, color in ((4, DARK), (2, colors[k])):
                cv2.circle(drawn, _fixed(two), round((radius + 3) * 2**BITS), color, width, cv2.LINE_AA, BITS)
    return draw_pose(drawn, first, radius=radius)


def _fixed(point):
    return tuple(int(v) for v in np.round(np.asarray(point) * 2**BITS))


class LabelPictures:
    """Pictures of a project's labeled frames, kept as small JPEGs once they are drawn.

    Parameters
    ----------
    project : Project
    size : (height, width)
        Of a picture, px.
    """

    def __init__(self, project, size):
        self.project, self.size = project, tuple(size)
        self._done = {}
        self._lock = threading.Lock()

    def read(self, image):
        """The image of a labeled frame, uint8 (H, W, 3); raises OSError if it is missing or damaged."""
        path = self.project.root / image
        try:
            return read_image(path)
        except LabelError:
            hint = nearest(path.name, frame_images(path.parent))
            state = "damaged" if path.exists() else "missing"
            raise OSError(f"the image {image} is {state}{hint}") from None

    def picture(self, image, points, *, edges=(), rivals=None, close=True):
        """A picture of a frame with its points, uint8 (height, width, 3); empty if its image can't be read.

        Parameters
        ----------
        image : str
            As in `Labels.images`.
        points : (K, 2) array
        edges : int (E, 2), optional
            To draw between the points.
        rivals : (K, 2) array, optional
            Another scorer's points.
        close : bool
            A close-up of the points instead of the whole frame.
        """
        key = image, np.asarray(points).tobytes(), b"" if rivals is None else np.asarray(rivals).tobytes(), close
        with self._lock:
            data = self._done.get(key)
        if data is None:
            data = encode_jpeg(self.draw(image, points, edges, rivals, close), 90)
            with self._lock:
                self._done[key] = data
        return cv2.cvtColor(cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)

    def draw(self, image, points, edges=(), rivals=None, close=True):
        """As `picture`, drawn anew."""
        try:
            whole = self.read(image)
        except OSError:
            return fitted(np.zeros((1, 1, 3), np.uint8), self.size)
        both = points if rivals is None else np.stack([points, rivals])
        height, width = self.size
        x1, x2, y1, y2 = close_up(both, whole.shape[:2], width / height) if close else (0, None, 0, None)
        part = whole[y1:y2, x1:x2]
        zoom = min(height / part.shape[0], width / part.shape[1])
        small = cv2.resize(part, None, fx=zoom, fy=zoom, interpolation=cv2.INTER_AREA if zoom < 1 else cv2.INTER_CUBIC)

        def placed(of):
            return (np.asarray(of, float) - (x1, y1) + 0.5) * zoom - 0.5

        if rivals is None:
            drawn = draw_pose(small, placed(points), skeleton=edges if len(edges) else None, radius=3.5)
        else:
            drawn = draw_rivals(small, placed(points), placed(rivals), 3.5)
        return fitted(drawn, self.size)

    def forget(self):
        """Draw everything anew, as after the images changed."""
        with self._lock:
            self._done.clear()
