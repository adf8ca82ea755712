"""A pose drawn on a frame, and whole videos of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from dlcnb.project import edges_of
from dlcnb.video import VideoWriter

if TYPE_CHECKING:
    from pathlib import Path

    from dlcnb.poses import Poses
    from dlcnb.project import Skeleton
    from dlcnb.video import VideoReader


__all__ = ["DARK", "LIGHT", "body_lines", "draw_pose", "halos", "label_video", "palette", "readable"]

# Okabe and Ito's eight colours (https://jfly.uni-koeln.de/color/), those that differ most from each other first; last
# yellow, hard to see on white, and in place of black a grey that shows on black as well.
OKABE_ITO = (
    (0, 114, 178), (213, 94, 0), (86, 180, 233), (204, 121, 167),
    (230, 159, 0), (0, 158, 115), (240, 228, 66), (96, 96, 96),
)  # fmt: skip
# Of the usual perceptual scales, the one whose steps stay furthest apart for colour-blind eyes: inferno, 0.06 to 0.98.
INFERNO = (
    (10, 7, 34), (36, 12, 79), (71, 11, 106), (103, 22, 110), (133, 33, 107), (165, 44, 96), (195, 59, 79),
    (219, 80, 59), (239, 108, 35), (249, 142, 9), (252, 178, 22), (245, 217, 73), (245, 249, 146),
)  # fmt: skip
SUBPIXEL_BITS = 4
DARK, LIGHT = (15, 15, 15), (250, 250, 250)
_LUMINANCE = (0.2126, 0.7152, 0.0722)  # of red, green and blue light, as sRGB defines it
_ON_PAGES = (0.15, 0.29)  # luminances that differ by 3:1 from #212121, and from white


def palette(n: int) -> NDArray[np.uint8]:
    """Colours for n bodyparts that colour-blind people can tell apart as well.

    Parameters
    ----------
    n : int
        How many.

    Returns
    -------
    uint8 (n, 3)
        RGB. Up to 8 from Okabe and Ito's palette, beyond that steps from dark to light, so that neighbours in the list
        have similar colours.
    """
    if n <= len(OKABE_ITO):
        return np.array(OKABE_ITO[:n], np.uint8).reshape(-1, 3)
    scale = np.array(INFERNO, float)
    at = np.linspace(0, len(scale) - 1, n)
    channels = [np.interp(at, np.arange(len(scale)), scale[:, c]) for c in range(3)]
    return np.stack(channels, axis=-1).round().astype(np.uint8)


def halos(colors: ArrayLike) -> NDArray[np.uint8]:
    """Edges for marks of these colours, RGB (n, 3): `DARK` or `LIGHT`, what differs more from the mark.

    One of the two, the mark or its edge, then differs from any ground: from black, white and grey at 3:1 or more.
    """
    luminance = _linear(colors) @ _LUMINANCE
    return np.where(luminance[:, None] < 0.18, LIGHT, DARK).astype(np.uint8)


def readable(colors: ArrayLike) -> NDArray[np.uint8]:
    """The same hues, RGB (n, 3), as thin lines on a page need them: 3:1 or more on white and on the dark theme's grey.

    Lighter ones than that become darker and darker ones lighter; the others stay as they are.
    """
    linear, (least, most) = _linear(colors), _ON_PAGES
    luminance = linear @ _LUMINANCE
    linear *= np.minimum(1.0, most / np.maximum(luminance, 1e-9))[:, None]
    room = 1 / np.maximum(linear.max(axis=1, initial=0), 1e-9)  # up to the purest light of the hue
    linear *= np.clip(least / np.maximum(luminance, 1e-9), 1.0, room.clip(1))[:, None]
    luminance = linear @ _LUMINANCE
    linear += (1 - linear) * (np.maximum(least - luminance, 0) / (1 - luminance))[:, None]
    share = np.where(linear <= 0.0031308, linear * 12.92, 1.055 * linear ** (1 / 2.4) - 0.055)
    return (255 * share).round().astype(np.uint8)


def _linear(colors: ArrayLike) -> NDArray[np.float64]:
    """Shares (n, 3) of light of colours RGB (n, 3)."""
    share = np.asarray(colors, float).reshape(-1, 3) / 255
    return np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)


def draw_pose(  # noqa: PLR0913
    image: NDArray[np.uint8],
    points: ArrayLike,
    likelihood: ArrayLike | None = None,
    *,
    skeleton: Skeleton | ArrayLike | None = None,
    pcutoff: float = 0.0,
    radius: float | None = None,
    colors: ArrayLike | None = None,
    alpha: float | str = 1.0,
) -> NDArray[np.uint8]:
    """Draw a pose on a copy of an image: a disc for each bodypart, lines for the skeleton.

    Returns a new image, uint8 (H, W, 3). Raises `ValueError` if the arrays don't fit together, or
    ``alpha="likelihood"`` comes without a likelihood.

    Parameters
    ----------
    image : uint8 (H, W, 3), RGB; not changed.
    points : float (K, 2), x and y in pixels, drawn to a sixteenth of a pixel; NaN = not there.
    likelihood : float (K,). Bodyparts below ``pcutoff`` (0 to 1), or with NaN, are left out.
    skeleton : Skeleton or int (E, 2): the edges to draw.
    radius : of the discs in pixels; by default a hundredth of the image's shorter side.
    colors : uint8 (K, 3), RGB; by default `palette`.
    alpha : opacity from 0 to 1; ``"likelihood"`` shows sure bodyparts solid and unsure ones faint.
    """
    points, likelihood = _checked(image, points, likelihood)
    drawn = np.ascontiguousarray(image).copy()
    shown = _shown(points, likelihood, pcutoff)
    opacity = _opacity(alpha, likelihood, len(points))
    radius = default_radius(image.shape) if radius is None else radius
    colors = palette(len(points)) if colors is None else np.asarray(colors)
    for a, b in edges_of(skeleton):
        if shown[a] and shown[b]:
            _line(drawn, points[a], points[b], radius, min(opacity[a], opacity[b]))
    for k in np.flatnonzero(shown):
        _disc(drawn, points[k], radius, colors[k], opacity[k])
    return drawn


def label_video(  # noqa: PLR0913
    reader: VideoReader,
    poses: Poses,
    out: str | Path,
    *,
    skeleton: Skeleton | ArrayLike | None = None,
    pcutoff: float = 0.6,
    trail: int = 0,
    alpha: float | str = 1.0,
    keypoints_only: bool = False,
    crop: Sequence[int] | None = None,
    beside: str | Poses | None = None,
) -> Iterator[int]:
    """Write a copy of a video with its poses drawn in.

    Every frame of the video is in it, at its own time; a damaged one is black, so that frame numbers stay the same.

    Parameters
    ----------
    reader, poses : the video, and its `dlcnb.Poses`.
    out : path of the new video (mp4), which appears when it is complete.
    skeleton, pcutoff, alpha : as in `draw_pose`; with ``alpha="likelihood"`` and ``pcutoff=0`` nothing is hidden.
    trail : how many earlier frames' points to draw small.
    keypoints_only : on black instead of the frames: Johansson's point lights.
    crop : (x1, x2, y1, y2) px, ends excluded: the part of the frame to show.
    beside : two pictures side by side: left the plain "frame" or other poses (unfiltered ones, say), right the poses.

    Yields the number of frames done, after each; stopping early leaves no file. Raises `ValueError` if poses or crop
    don't fit the video, `OSError` if the disk is full or read-only.
    """
    pictures: list[_Drawing | None] = [_Drawing(reader, poses, skeleton, pcutoff, trail, alpha)]
    if beside is not None:
        other = None if isinstance(beside, str) else beside
        if other is None and beside != "frame":
            raise ValueError(f"beside={beside!r}: expected 'frame' or poses. Give either, or leave it out.")
        pictures.insert(0, None if other is None else _Drawing(reader, other, skeleton, pcutoff, trail, alpha))
    return _label_frames(reader, out, pictures, keypoints_only, _checked_crop(crop, reader.size))


def default_radius(shape: Sequence[int]) -> float:
    """Radius in pixels of the discs on an image of a shape (H, W, ...)."""
    return max(2.0, 0.01 * min(shape[:2]))


class _Drawing:
    """How the poses of a video are drawn on its frames."""

    def __init__(
        self,
        reader: VideoReader,
        poses: Poses,
        skeleton: Skeleton | ArrayLike | None,
        pcutoff: float,
        trail: int,
        alpha: float | str,
    ) -> None:
        if len(poses.points) != len(reader):
            raise ValueError(
                f"{reader.path.name} has {len(reader)} frames, the poses are of {len(poses.points)}. "
                "Give the poses of this video, or analyze it again."
            )
        self._shown = np.where(_shown(poses.points, poses.likelihood, pcutoff)[..., None], poses.points, np.nan)
        self._likelihood, self._trail, self._alpha = poses.likelihood, trail, alpha
        _opacity(alpha, self._likelihood[:1], len(poses.bodyparts))  # raises at once, not after the first frame
        self._edges, self._colors = edges_of(skeleton), palette(len(poses.bodyparts))
        self._radius = default_radius(reader.size)

    def __call__(self, image: NDArray[np.uint8], i: int) -> NDArray[np.uint8]:
        """The image with the pose of frame i, a new one."""
        image = image.copy()
        for past in range(max(0, i - self._trail), i):
            _small_discs(image, self._shown[past], 0.4 * self._radius, self._colors)
        return draw_pose(
            image, self._shown[i], self._likelihood[i],
            skeleton=self._edges, radius=self._radius, colors=self._colors, alpha=self._alpha,
        )  # fmt: skip


def _label_frames(
    reader: VideoReader,
    out: str | Path,
    pictures: Sequence[_Drawing | None],
    keypoints_only: bool,
    part: tuple[slice, slice],
) -> Iterator[int]:
    """Write the video; ``pictures`` are `_Drawing`s or None (the plain frame) from left to right."""
    timed = reader.is_vfr and bool((np.diff(reader.times) > 2e-5).all())  # the writer tells 1/90000 s apart
    height, width = part[0].stop - part[0].start, part[1].stop - part[1].start
    with VideoWriter(out, (height, len(pictures) * width), reader.fps) as writer:
        for i, image in reader.frames():
            damaged = image is None
            plain = np.zeros((*reader.size, 3), np.uint8) if image is None else image
            ground = np.zeros_like(plain) if keypoints_only else plain
            drawn = [plain if damaged or draw is None else draw(ground, i) for draw in pictures]
            writer.write(np.concatenate([d[part] for d in drawn], axis=1), reader.times[i] if timed else None)
            if i + 1 < len(reader):
                yield i + 1
    yield len(reader)


def _checked_crop(crop: Sequence[int] | None, size: tuple[int, int]) -> tuple[slice, slice]:
    """The part of a frame as slices (rows, columns)."""
    x1, x2, y1, y2 = (0, size[1], 0, size[0]) if crop is None else (int(v) for v in crop)
    if not (0 <= x1 < x2 <= size[1] and 0 <= y1 < y2 <= size[0]):
        raise ValueError(
            f"crop={crop}: expected (x1, x2, y1, y2), 0 <= x1 < x2 <= {size[1]} and 0 <= y1 < y2 <= {size[0]}."
        )
    return slice(y1, y2), slice(x1, x2)


def _checked(
    image: NDArray[np.uint8], points: ArrayLike, likelihood: ArrayLike | None
) -> tuple[NDArray[np.float64], NDArray[np.float64] | None]:
    points = np.asarray(points, float)
    if np.ndim(image) != 3 or np.shape(image)[2] != 3 or image.dtype != np.uint8:
        raise ValueError(f"image: expected uint8 (height, width, 3), found {image.dtype} {np.shape(image)}")
    if points.ndim != 2 or points.shape[1] != 2:
        raise ValueError(f"points: expected shape (bodyparts, 2), found {points.shape}. Give the points of one frame.")
    if likelihood is not None:
        likelihood = np.asarray(likelihood, float)
        if likelihood.shape != points.shape[:1]:
            raise ValueError(f"likelihood: expected shape {points.shape[:1]} as the points', found {likelihood.shape}")
    return points, likelihood


def _shown(points: NDArray[np.float64], likelihood: NDArray[np.float64] | None, pcutoff: float) -> NDArray[np.bool_]:
    """Which points (..., K, 2) are there and likely enough, bool (..., K)."""
    there = np.isfinite(points).all(axis=-1)
    return there if likelihood is None else there & (likelihood >= pcutoff)


def _opacity(alpha: float | str, likelihood: NDArray[np.float64] | None, n: int) -> NDArray[np.float64]:
    """Opacity (n,) of each bodypart."""
    if not isinstance(alpha, str):
        return np.full(n, min(max(float(alpha), 0.0), 1.0))
    if alpha != "likelihood" or likelihood is None:
        raise ValueError(
            f"alpha={alpha!r}: expected a number from 0 to 1, or 'likelihood' together with a likelihood. Give either."
        )
    return np.clip(likelihood, 0.0, 1.0)


def _fixed(value: NDArray[np.float64]) -> tuple[int, ...]:
    """Pixels in OpenCV's fixed-point numbers; far outside the image the exact place does not matter."""
    return tuple(int(round(v)) for v in np.clip(value, -1e5, 1e5) * (1 << SUBPIXEL_BITS))


def _blended(
    image: NDArray[np.uint8],
    low: NDArray[Any],
    high: NDArray[Any],
    opacity: float,
    draw: Callable[[NDArray[np.uint8], NDArray[np.int64]], None],
) -> None:
    """Call ``draw(part, offset)`` on the part of an image between two corners (x, y), and blend it in."""
    height, width = image.shape[:2]
    x1, y1 = (int(max(0, np.floor(v))) for v in low)
    x2, y2 = int(min(width, np.ceil(high[0]) + 1)), int(min(height, np.ceil(high[1]) + 1))
    if x1 >= x2 or y1 >= y2 or opacity <= 0:
        return
    part = image[y1:y2, x1:x2]
    over = np.ascontiguousarray(part).copy()
    draw(over, np.array([x1, y1]))
    part[:] = over if opacity >= 1 else np.rint(part + opacity * (over.astype(float) - part))


def _disc(
    image: NDArray[np.uint8], point: NDArray[np.float64], radius: float, color: NDArray[Any], opacity: float
) -> None:
    """A disc with a thin outline that differs from it, so that it shows on any ground."""
    outline = halos(color)[0]
    outer = radius + max(1.25, 0.2 * radius)

    def draw(part: NDArray[np.uint8], offset: NDArray[np.int64]) -> None:
        centre = _fixed(point - offset)
        for r, c in ((outer, outline), (radius, color)):
            r = int(round(r * (1 << SUBPIXEL_BITS)))
            cv2.circle(part, centre, r, tuple(int(v) for v in c), -1, cv2.LINE_AA, SUBPIXEL_BITS)

    _blended(image, point - outer - 1, point + outer + 1, opacity, draw)


def _line(
    image: NDArray[np.uint8], start: NDArray[np.float64], end: NDArray[np.float64], radius: float, opacity: float
) -> None:
    """A light line with a dark outline."""
    width = max(1, round(0.35 * radius))

    def draw(part: NDArray[np.uint8], offset: NDArray[np.int64]) -> None:
        ends = _fixed(start - offset), _fixed(end - offset)
        for w, c in ((width + 2, DARK), (width, LIGHT)):
            cv2.line(part, *ends, c, w, cv2.LINE_AA, SUBPIXEL_BITS)

    _blended(image, np.minimum(start, end) - width - 2, np.maximum(start, end) + width + 2, opacity, draw)


def _small_discs(
    image: NDArray[np.uint8], points: NDArray[np.float64], radius: float, colors: NDArray[np.uint8]
) -> None:
    """Discs without outline, in place."""
    r = int(round(radius * (1 << SUBPIXEL_BITS)))
    for k in np.flatnonzero(np.isfinite(points).all(axis=-1)):
        color = tuple(int(v) for v in colors[k])
        cv2.circle(image, _fixed(points[k]), r, color, -1, cv2.LINE_AA, SUBPIXEL_BITS)


def body_lines(points: NDArray[np.float64], skeleton: Skeleton | ArrayLike | None) -> NDArray[np.float64]:
    """Lines (n, 2, 2) of one pose ``(K, 2)``: its bones, or without a skeleton the outline around its bodyparts."""
    edges = edges_of(skeleton)
    if len(edges):
        return points[edges]
    points = points[np.isfinite(points).all(axis=-1)]
    if len(points):
        turned = points - points.mean(axis=0)
        points = points[np.argsort(np.arctan2(turned[:, 1], turned[:, 0]))]
    return np.stack([points, np.roll(points, -1, axis=0)], axis=1)
