"""Choosing frames worth labeling, and extracting them as images into the project."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Protocol, TypeAlias

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from dlcnb.files import StrPath, atomic_write, disk_error, make_folder
from dlcnb.labels import frame_images, image_name
from dlcnb.labels.core import frame_number
from dlcnb.labels.corners import common_crop
from dlcnb.project import Project
from dlcnb.video import DamagedFrameError, VideoError, VideoReader

__all__ = [
    "FrameSource",
    "alike",
    "differences",
    "extract",
    "extracted",
    "extracting",
    "kmeans",
    "near_duplicates",
    "signature",
    "uniform",
]

MAX_COMPARED = 5000  # frames that k-means looks at, however long the video
FEATURE_WIDTH = 30  # px, as DeepLabCut's
SIGNATURE_WIDTH = 64  # px
ALIKE = 0.5  # frames are near-duplicates if they differ by less than this share of what the frames usually differ by
NOISE = 12  # grey levels; less is never a difference
logger = logging.getLogger(__name__)

_Crop: TypeAlias = tuple[int, int, int, int]
Frames: TypeAlias = Iterator[tuple[int, NDArray[np.uint8] | None]]


class FrameSource(Protocol):
    """What frames are chosen from: a `VideoReader`, or anything that gives frames as it does."""

    @property
    def path(self) -> Path: ...  # noqa: D102
    @property
    def size(self) -> tuple[int, int]: ...  # noqa: D102
    def __len__(self) -> int: ...
    def frames(self, start: int = ..., stop: int | None = ..., step: int = ...) -> Frames: ...  # noqa: D102


def uniform(n_frames: int, count: int, *, start: float = 0.0, stop: float = 1.0, seed: int = 0) -> NDArray[np.int64]:
    """Choose frames at random, spread over the whole video: one from each of ``count`` equal stretches.

    Parameters
    ----------
    n_frames : int
        Length of the video.
    count : int
        How many to choose.
    start, stop : float
        The part of the video to choose from, as fractions 0 to 1.
    seed : int
        The same seed gives the same frames.

    Returns
    -------
    int64 (count,)
        Distinct frames, ascending; all frames of the part where it has fewer than ``count``.

    Raises
    ------
    ValueError
        If ``count`` is not positive or the part is empty.
    """
    first, last = _part(n_frames, count, start, stop)
    count = min(count, last - first)
    edges = first + np.arange(count + 1) * (last - first) // count  # each stretch has at least one frame
    return np.random.default_rng(seed).integers(edges[:-1], edges[1:])


def kmeans(  # noqa: PLR0913
    reader: FrameSource,
    count: int,
    *,
    start: float = 0.0,
    stop: float = 1.0,
    step: int | None = None,
    seed: int = 0,
    progress: Callable[[int, int], object] | None = None,
    crop: _Crop | None = None,
) -> NDArray[np.int64]:
    """Choose frames that look different: cluster the frames by appearance and take one from each cluster.

    As DeepLabCut does, frames are compared in grey, ``FEATURE_WIDTH`` px wide, less the mean frame. Memory does not
    grow with the video. Damaged frames are passed over.
    Returns distinct frames, int64 (count,), ascending: all undamaged ones of the part where it has fewer. Raises
    `ValueError` if ``count`` or ``step`` is not positive or the part is empty, `VideoError` if no frame can be decoded.
    Nath, Mathis et al., Nature Protocols 14, 2152 (2019), "Frame extraction".

    Parameters
    ----------
    reader, count : the video, and how many frames to choose.
    start, stop : the part of the video to choose from, as fractions 0 to 1.
    step : compare every ``step``-th frame; by default all, or as many as ``MAX_COMPARED`` in a longer video.
    seed : the same seed gives the same frames.
    progress : called as ``progress(done, total)`` while frames are compared; what it raises ends the choice.
    crop : (x1, x2, y1, y2) px, ends excluded: compare only this part, so that what happens elsewhere doesn't count.
    """
    first, last = _part(len(reader), count, start, stop)
    if step is not None and step < 1:
        raise ValueError(f"step={step}: expected a whole number of at least 1. Give 1 to compare every frame.")
    step = step or math.ceil((last - first) / max(MAX_COMPARED, 2 * count))
    step = max(1, min(step, (last - first) // count))
    numbers, features = _compared(reader, range(first, last, step), count, progress, crop)
    if len(numbers) <= count:
        return numbers
    return np.sort(numbers[_one_per_cluster(features - features.mean(0), count, seed)])


def extract(project: Project, video: StrPath, indices: Iterable[int]) -> list[Path]:
    """Write frames of a video as images for labeling, ``labeled-data/<video>/img<frame>.png``.

    What is there already is neither renamed nor written again. A damaged frame is left out, with a warning.

    Parameters
    ----------
    project : Project
    video : path-like
        A video of the project, by its path or name.
    indices : sequence of int
        Frames. Whole frames are written, whatever crop the project has, so that labels are in full-frame coordinates;
        only where all images that are there show the video's crop, as DeepLabCut extracts them, the same is cut out.

    Returns
    -------
    list of Path
        The images, in the order of ``indices``.

    Raises
    ------
    IndexError
        If the video has no such frame; then nothing is written.
    OSError
        If the folder can't be written.
    """
    wanted = [int(index) for index in indices]
    written = dict(extracting(project, video, wanted))
    return [image for index in wanted if (image := written[index])]


def extracting(project: Project, video: StrPath, indices: Iterable[int]) -> Iterator[tuple[int, Path | None]]:
    """`extract` one frame after the other; stop whenever you like, what is written stays.

    Yields
    ------
    (int, Path or None)
        Each frame once, ascending, and its image; None if the frame is damaged.
    """
    folder = project.labeled_dir(video)
    path = Path(video) if Path(video).is_file() else project.video(video)
    with VideoReader(path) as reader:
        wanted = [_inside(reader, index) for index in indices]
        present, crop = extracted(folder), common_crop(project, folder)
        if crop:
            logger.warning("frames are cut to x %d to %d, y %d to %d, as all images in %s are", *crop, folder)
        for index in sorted(set(wanted)):
            image = folder / image_name(index, len(reader))
            image = image if image.exists() else present.get(index, image)
            yield index, image if image.exists() or _write_frame(reader, index, image, crop) else None


def extracted(folder: StrPath) -> dict[int, Path]:
    """{frame number: image} of what is in a folder of labeled frames, whatever zeros the names have."""
    found: dict[int, Path] = {}
    for name in frame_images(Path(folder)):
        if (number := frame_number(name)) is not None:  # a name that someone else gave says nothing
            found.setdefault(number, Path(folder) / name)
    return found


def signature(image: NDArray[np.uint8], crop: _Crop | None = None) -> NDArray[np.float32]:
    """What `near_duplicates` compares of a frame.

    Parameters
    ----------
    image : uint8 (H, W, 3)
    crop : (x1, x2, y1, y2), optional
        Only this part of it (px, ends excluded).

    Returns
    -------
    float32 (n,)
        Grey levels of the frame, ``SIGNATURE_WIDTH`` px wide, less their median (the brightness of the scene).
    """
    small = _small_grey(image, SIGNATURE_WIDTH, crop).astype(np.float32).ravel()
    return np.asarray(small - np.median(small))


def near_duplicates(signatures: Sequence[NDArray[np.float32]] | NDArray[np.float32]) -> NDArray[np.int64]:
    """Which frames look like an earlier one, so that labeling both would teach little.

    Two frames are as different as their most different spot, so that a small animal on a large ground counts. They
    are near-duplicates if that is less than ``ALIKE`` of what these frames usually differ by, or mere noise.

    Parameters
    ----------
    signatures : sequence of float32 (n,), or array (T, n)
        Of frames of one video (`signature`), those to keep in any case first.

    Returns
    -------
    int64 (T,)
        Position of the first frame that it resembles, -1 = none. That one is no near-duplicate itself.
    """
    of_all = np.asarray(signatures, np.float32)
    apart = np.zeros((len(of_all),) * 2, np.float32)
    for i in range(1, len(of_all)):
        apart[i, :i] = apart[:i, i] = differences(of_all[i], of_all[:i])
    return alike(apart)


def differences(one: NDArray[np.float32], others: ArrayLike) -> NDArray[np.float32]:
    """How much a signature (n,) differs from others (T, n): grey levels at the most different spot, float32 (T,)."""
    return np.asarray(np.abs(np.asarray(others, np.float32) - one).max(axis=1))


def alike(apart: NDArray[np.float32]) -> NDArray[np.int64]:
    """`near_duplicates` from the `differences` of all pairs, a symmetric (T, T) array."""
    twin = np.full(len(apart), -1)
    if len(apart) < 2:
        return twin
    limit = max(NOISE, ALIKE * float(np.median(apart[np.tril_indices(len(apart), -1)])))
    for i in range(1, len(apart)):
        same = np.flatnonzero((apart[i, :i] < limit) & (twin[:i] < 0))
        if len(same):
            twin[i] = same[0]
    return twin


def _part(n_frames: int, count: int, start: float, stop: float) -> tuple[int, int]:
    """First frame and end (exclusive) of a part of a video given by fractions."""
    if count < 1:
        raise ValueError(f"count={count}: expected a whole number of at least 1. Say how many frames to choose.")
    if not 0 <= start < stop <= 1:
        raise ValueError(
            f"start={start}, stop={stop}: expected fractions of the video with 0 <= start < stop <= 1. "
            "Correct them (in config.yaml, if they come from there)."
        )
    first, last = math.floor(n_frames * start), math.ceil(n_frames * stop)
    if first >= last:
        raise ValueError(f"start={start}, stop={stop}: no frame of {n_frames} lies between. Widen the range.")
    return first, last


def _small_grey(image: NDArray[np.uint8], width: int, crop: _Crop | None = None) -> NDArray[np.uint8]:
    """A frame (H, W, 3), or its crop, in grey and at most ``width`` px wide, uint8 (h, w)."""
    if crop is not None:
        x1, x2, y1, y2 = crop
        image = image[y1:y2, x1:x2]
        if not image.size:
            raise ValueError(f"crop {x1}, {x2}, {y1}, {y2} lies outside the frame. Give a part of it.")
    tall, wide = image.shape[:2]
    width = min(width, wide)
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    return np.asarray(cv2.resize(grey, (width, max(1, round(tall * width / wide))), interpolation=cv2.INTER_AREA))


def _compared(
    reader: FrameSource,
    numbers: range,
    count: int,
    progress: Callable[[int, int], object] | None,
    crop: _Crop | None,
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """As `_features`; where too many frames are damaged for ``count`` of them, those between are looked at too."""
    found, features = _features(reader, numbers, progress, crop)
    while len(found) < count and numbers.step > 1:
        numbers = range(numbers.start, numbers.stop, numbers.step // 2)
        found, features = _features(reader, numbers, progress, crop)
    if not len(found):
        raise VideoError(
            f"{reader.path}: expected frames to choose from, found none that can be decoded in {numbers.start} to "
            f"{numbers.stop - 1}. Choose another part of the video."
        )
    return found, features


def _features(
    reader: FrameSource, numbers: range, progress: Callable[[int, int], object] | None, crop: _Crop | None
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Frames small and grey: their numbers (n,) and pixels (n, h * w) float64, without damaged ones."""
    size = _small_grey(np.zeros((*reader.size, 3), np.uint8), FEATURE_WIDTH, crop).size
    found: list[int] = []
    features = np.empty((len(numbers), size))
    for done, (number, image) in enumerate(reader.frames(numbers.start, numbers.stop, numbers.step), start=1):
        if image is not None:
            features[len(found)] = _small_grey(image, FEATURE_WIDTH, crop).ravel()
            found.append(number)
        if progress is not None:
            progress(done, len(numbers))
    return np.array(found, np.int64), features[: len(found)]


def _one_per_cluster(features: NDArray[np.float64], count: int, seed: int) -> NDArray[np.int64]:
    """Row numbers (count,) of the features (n, d) nearest to the centres of ``count`` clusters.

    Where there are fewer different frames than clusters, the frames least like the chosen ones make up the number.
    """
    from sklearn.cluster import MiniBatchKMeans

    n_clusters = min(count, len(np.unique(features, axis=0)))
    model = MiniBatchKMeans(n_clusters, tol=1e-3, batch_size=256, max_iter=50, n_init=3, random_state=seed)
    cluster = model.fit_predict(features)
    offset = ((features - model.cluster_centers_[cluster]) ** 2).sum(1)
    chosen = []
    for k in range(n_clusters):
        members = np.flatnonzero(cluster == k)
        if len(members):
            chosen.append(int(members[np.argmin(offset[members])]))
    nearest = np.full(len(features), np.inf)  # squared distance to the nearest chosen frame
    for row in chosen:
        nearest = np.minimum(nearest, ((features - features[row]) ** 2).sum(1))
    nearest[chosen] = -1
    while len(chosen) < count:
        row = int(np.argmax(nearest))
        chosen.append(row)
        nearest = np.minimum(nearest, ((features - features[row]) ** 2).sum(1))
        nearest[chosen] = -1
    return np.array(chosen)


def _inside(reader: VideoReader, index: int) -> int:
    if not 0 <= index < len(reader):
        raise IndexError(
            f"frame {index}: expected 0 to {len(reader) - 1} ({reader.path.name} has {len(reader)} frames)"
        )
    return int(index)


def _write_frame(reader: VideoReader, index: int, path: Path, crop: _Crop | None) -> bool:
    """Write one frame, or its crop, as PNG; False if it is damaged."""
    try:
        x1, x2, y1, y2 = crop or (0, reader.size[1], 0, reader.size[0])
        image = reader.read(index)[y1:y2, x1:x2]
    except DamagedFrameError as error:
        logger.warning("%s It is not extracted.", error)
        return False
    try:
        make_folder(path.parent)
    except OSError as error:
        raise disk_error(error, path.parent) from error
    done, data = cv2.imencode(".png", cv2.cvtColor(image, cv2.COLOR_RGB2BGR))
    if not done:
        raise OSError(f"{path}: the image can't be encoded as PNG")
    atomic_write(path, data.tobytes())
    return True
