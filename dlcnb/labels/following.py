"""Labels that follow: points of a labeled frame carried through the video by optical flow, before there is a network.

A point and its surroundings are found in the next frame by pyramidal Lucas-Kanade, and sought from there back in the
frame before; what comes back tells how the surroundings have moved and turned. So that small errors don't add up, each
frame is also compared with the labeled one, turned alike; how alike they are is the confidence.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from dlcnb.labels.core import frame_index
from dlcnb.labels.corners import image_corners
from dlcnb.labels.errors import LabelError
from dlcnb.video import VideoReader

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dlcnb.project import Project

__all__ = ["LONGEST", "follow", "follow_both", "follow_video", "patch_width"]

Array = NDArray[np.float64]
Image = NDArray[np.uint8]

LONGEST = 300  # frames that points are followed at most
LEVELS = 3  # of the pyramid: a point may move by some 8 patches from one frame to the next
RETURNED = 0.1  # of the patch that the way there and back may miss
ENOUGH = 4  # of the nine points of a patch that must come back, to tell how it moves
ALIKE, LOST = 0.6, 0.3  # correlation with the labeled patch from which it corrects, and below which a point is lost
PULL = 0.5  # share of the correction that is made in each frame
CERTAIN, UNSURE = 1.0, 0.75  # correlations of confidence 1 and 0
CHUNK = 48 << 20  # bytes of grey frames that are held at once to walk backwards
GRID = np.stack(np.meshgrid([-1.0, 0.0, 1.0], [-1.0, 0.0, 1.0]), axis=-1).reshape(-1, 2) / 3
MIDDLE = 4  # of the grid


def patch_width(points: ArrayLike) -> int:
    """Width in px (odd) of the surroundings by which points (K, 2) of one animal are known: a seventh of its extent."""
    found = np.asarray(points, float).reshape(-1, 2)
    found = found[np.isfinite(found).all(axis=1)]
    extent = float(np.hypot(*np.ptp(found, axis=0))) if len(found) > 1 else 0.0
    return int(np.clip(extent / 7 if extent else 17, 11, 61)) | 1


def follow(images: Iterable[Image | None], points: ArrayLike, patch: int | None = None) -> Iterator[Array]:
    """Follow points from the first image through the others.

    Parameters
    ----------
    images : iterable of uint8 (H, W) or (H, W, 3), or None
        Successive frames, the labeled one first; None for a damaged one, which is skipped.
    points : array_like
        (K, 2) px in the first image; NaN = not there.
    patch : int, optional
        Width in px of the surroundings that are compared, odd; by default `patch_width`.

    Yields
    ------
    numpy.ndarray
        float64 (K, 3) for each image, the first included: x, y in px and a confidence from 0 to 1; NaN where a point
        was not there, is lost, or the image is damaged.

    Raises
    ------
    LabelError
        If the first image is damaged.
    """
    followed: _Followed | None = None
    for image in images:
        grey = None if image is None else _grey(image)
        if followed is None:
            if grey is None:
                raise LabelError("expected an undamaged frame to follow points from, found a damaged one")
            followed = _Followed(grey, np.asarray(points, float).reshape(-1, 2), patch or patch_width(points))
        elif grey is not None:
            followed.step(grey)
        yield np.full((len(followed.at), 3), np.nan) if grey is None else followed.values()


def follow_both(ahead: ArrayLike, back: ArrayLike, patch: float) -> Array:
    """One answer from points followed from both ends of a stretch.

    Parameters
    ----------
    ahead, back : array_like
        (T, K, 3) from `follow`, both in the order of time: from the first frame, and from the last.
    patch : float
        Width in px; two answers that are so far apart contradict each other.

    Returns
    -------
    numpy.ndarray
        (T, K, 3): between the two where they agree, else that of the nearer and surer end, with less confidence.
    """
    one, other = np.asarray(ahead, float), np.asarray(back, float)
    share = np.linspace(0, 1, len(one))[:, None]  # (T, 1)
    weights = np.nan_to_num(np.stack([one[..., 2] * (1 - share), other[..., 2] * share])) + 1e-9
    weights *= np.isfinite(np.stack([one[..., 0], other[..., 0]]))
    apart = np.hypot(*np.moveaxis(one[..., :2] - other[..., :2], -1, 0))
    agree = np.exp(-((np.nan_to_num(apart) / patch) ** 2)) * np.isfinite(apart)  # (T, K), 0 where one is missing
    mean = weights[0] / np.maximum(weights.sum(axis=0), 1e-12)
    part = np.where(agree > 0.75, mean, np.round(mean))[..., None]  # how much of the answer is that from the first end
    ends = np.nan_to_num(np.stack([one, other]))
    answer = part * ends[0] + (1 - part) * ends[1]
    alone = np.where(np.isfinite(apart), 0.5, 1.0) * answer[..., 2]
    answer[..., 2] = agree * (1 - (1 - ends[0, ..., 2]) * (1 - ends[1, ..., 2])) + (1 - agree) * alone
    return np.where((weights.sum(axis=0) > 0)[..., None], answer, np.nan)


def follow_video(
    project: Project,
    images: Sequence[str],
    first: ArrayLike,
    last: ArrayLike | None = None,
    stopped: Callable[[], bool] = lambda: False,
) -> dict[str, Array]:
    """Follow the labels of an extracted image through its video to other extracted images.

    Parameters
    ----------
    project, images : ``labeled-data/<video>/<image>`` of one video, by time: the labeled one, then those to be reached.
    first, last : (K, 2) labels of the first image, px of the image (NaN = none), and of the last, if the stretch is to
        be filled from both ends.
    stopped : asked after each frame whether to give up.

    Returns {image: float64 (K, 3)} of the images between: x, y in px of the image, and a confidence; empty if stopped.
    Raises `ProjectError` or `VideoError` if the video is missing or can't be read, `LabelError` if an image's place in
    the video can't be told, or its frame is damaged.
    """
    numbers, corners = [frame_index(image) for image in images], _corners(project, images)
    patch = patch_width(first)
    with VideoReader(project.video(images[0].split("/")[-2])) as video:
        if not 0 <= numbers[0] <= numbers[-1] < len(video):
            raise LabelError(
                f"expected frames of {video.path.name}, which has {len(video)}, found {images[-1]}: is it "
                "another video?"
            )
        ahead = _at(numbers, _until(stopped, video, range(numbers[0], numbers[-1] + 1)), first, corners[0], patch)
        found = ahead
        if last is not None:
            way = _until(stopped, video, range(numbers[-1], numbers[0] - 1, -1))
            back = _at(numbers[::-1], way, last, corners[-1], patch)[::-1]
            found = follow_both(ahead, back, patch) if len(ahead) == len(back) else ahead[:0]
    if len(found) < len(images):
        return {}
    found[..., :2] -= corners[:, None]
    between = slice(1, len(images) if last is None else -1)
    return dict(zip(images[between], found[between], strict=True))


def _corners(project: Project, images: Sequence[str]) -> Array:
    """(left, top) of each image in the video, (n, 2)."""
    folder = project.root / images[0].rsplit("/", 1)[0]
    corners = image_corners(project, folder, [image.rsplit("/", 1)[1] for image in images])
    if not np.isfinite(corners).all():
        image = images[int(np.argmin(np.isfinite(corners).all(axis=1)))]
        raise LabelError(
            f"expected {image} to have the size of its video or of the crop in config.yaml, found another: points "
            "can't be followed to it"
        )
    return corners


def _at(
    numbers: Sequence[int], way: Iterable[tuple[int, Image | None]], points: ArrayLike, corner: Array, patch: int
) -> Array:
    """(n, K, 3) where points are in the numbered frames of a way through the video, in px of the video."""
    wanted, passed, found = set(numbers), list[int](), list[Array]()

    def images() -> Iterator[Image | None]:
        for number, image in way:
            passed.append(number)
            yield image

    for values in follow(images(), np.asarray(points, float) + corner, patch):
        if passed[-1] in wanted:
            found.append(values)
    return np.array(found, float).reshape(len(found), len(np.asarray(points)), 3)


def _until(stopped: Callable[[], bool], video: VideoReader, numbers: range) -> Iterator[tuple[int, Image | None]]:
    """(number, grey image) of frames in this order, which may run backwards, until ``stopped()``."""
    for number, image in _forward(video, numbers) if numbers.step > 0 else _backward(video, numbers):
        if stopped():
            return
        yield number, image


def _forward(video: VideoReader, numbers: range) -> Iterator[tuple[int, Image | None]]:
    for number, image in video.frames(numbers.start, numbers.stop):
        yield number, None if image is None else _grey(image)


def _backward(video: VideoReader, numbers: range) -> Iterator[tuple[int, Image | None]]:
    """A chunk after the other, each decoded forwards."""
    length = max(CHUNK // math.prod(video.size), 1)
    for high in range(numbers.start, numbers.stop, -length):
        low = max(high - length, numbers.stop)
        yield from reversed(list(_forward(video, range(low + 1, high + 1))))


class _Followed:
    """Where the points are, how their surroundings have turned, and how much these look like the labeled ones."""

    def __init__(self, grey: Image, points: Array, patch: int) -> None:
        self.first, self.grey, self.start, self.at, self.patch = grey, grey, points, points.copy(), patch
        self.there = np.isfinite(points).all(axis=1)
        self.turn = np.tile(np.eye(2), (len(points), 1, 1))  # (K, 2, 2) of the surroundings, since the first image
        self.alike = np.ones(len(points))

    def step(self, grey: Image) -> None:
        """Go on to the next frame."""
        which = np.flatnonzero(self.there)
        if len(which):
            old = self.at[which, None] + GRID * self.patch  # (n, 9, 2)
            new, returned = self._there_and_back(grey, old)
            for k, *moved in zip(which, old, new, returned, strict=True):
                self._move(k, *moved)
                self._compare(k, grey)
            edge = np.array(grey.shape[::-1]) - 0.5
            self.there &= ((self.at >= -0.5) & (self.at <= edge)).all(axis=1) & (self.alike >= LOST)
        self.grey = grey

    def values(self) -> Array:
        """(K, 3): x, y, confidence."""
        confidence = np.clip((self.alike - UNSURE) / (CERTAIN - UNSURE), 0, 1)
        return np.where(self.there[:, None], np.column_stack([self.at, confidence]), np.nan)

    def _there_and_back(self, grey: Image, points: Array) -> tuple[Array, NDArray[np.bool_]]:
        """Where points (n, 9, 2) of the frame before lie in this one, and whether each comes back."""
        there, found = self._flow(self.grey, grey, points)
        back, again = self._flow(grey, self.grey, there)
        missed = np.linalg.norm(back - points, axis=-1)
        return there, found & again & (missed <= RETURNED * self.patch)

    def _flow(self, one: Image, other: Image, points: Array) -> tuple[Array, NDArray[np.bool_]]:
        start = points.reshape(-1, 1, 2).astype(np.float32)
        moved, found, _ = cv2.calcOpticalFlowPyrLK(
            one,
            other,
            start,
            start.copy(),
            winSize=(self.patch, self.patch),
            maxLevel=LEVELS,
            criteria=(cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, 30, 0.01),
        )
        return np.asarray(moved, float).reshape(points.shape), np.asarray(found, bool).reshape(points.shape[:-1])

    def _move(self, k: int, old: Array, new: Array, returned: NDArray[np.bool_]) -> None:
        """Move and turn a point as those around it do; where too few come back, as it does itself."""
        if returned.sum() < ENOUGH:
            self.at[k] = new[MIDDLE]
            return
        turn, shift = _similarity(old[returned], new[returned])
        self.at[k] = turn @ self.at[k] + shift
        self.turn[k] = turn @ self.turn[k]

    def _compare(self, k: int, grey: Image) -> None:
        """Note how much a point's surroundings look like the labeled ones, and move it to where they do most."""
        reach = max(self.patch // 4, 2)
        labeled = _cut(self.first, self.start[k], np.linalg.inv(self.turn[k]), self.patch)
        around = _cut(grey, self.at[k], np.eye(2), self.patch + 2 * reach)
        alike = np.asarray(cv2.matchTemplate(around, labeled, cv2.TM_CCOEFF_NORMED), float)  # (2 reach + 1,) * 2
        y, x = np.unravel_index(int(alike.argmax()), alike.shape)
        self.alike[k] = alike[y, x] if np.isfinite(alike[y, x]) else 0.0
        if self.alike[k] > ALIKE:
            self.at[k] += PULL * (np.array([x + _peak(alike[y], int(x)), y + _peak(alike[:, x], int(y))]) - reach)


def _grey(image: Image) -> Image:
    return image if image.ndim == 2 else np.asarray(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), np.uint8)


def _similarity(old: Array, new: Array) -> tuple[Array, Array]:
    """The turn with scale (2, 2) and the shift (2,) that take points (n, 2) nearest to others."""
    before, after = old.mean(axis=0), new.mean(axis=0)
    a, b = old - before, new - after
    size = max(float((a**2).sum()), 1e-9)
    cosine = float((a * b).sum()) / size
    sine = float((a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]).sum()) / size
    if cosine**2 + sine**2 < 0.25:  # it does not shrink so fast: the flow was wrong
        cosine, sine = 1.0, 0.0
    turn = np.array([[cosine, -sine], [sine, cosine]])
    return turn, after - turn @ before


def _cut(image: Image, middle: Array, turn: Array, side: int) -> Image:
    """A square of an image around a place, through a turn (2, 2), uint8 (side, side)."""
    matrix = np.column_stack([turn, middle - turn @ np.full(2, (side - 1) / 2)])
    how = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    cut = cv2.warpAffine(image, matrix, (side, side), flags=how, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(cut, np.uint8)


def _peak(line: Array, at: int) -> float:
    """How far the top of a parabola through three values lies from the middle one, -0.5 to 0.5; 0 at an edge."""
    if not 0 < at < len(line) - 1:
        return 0.0
    left, middle, right = (float(value) for value in line[at - 1 : at + 2])
    bend = left - 2 * middle + right
    return 0.5 * (left - right) / bend if bend < 0 else 0.0
