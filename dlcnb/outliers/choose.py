"""A few of many found frames: spread over time, different in looks, or around rare moments."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dlcnb import frames
from dlcnb.video import DamagedFrameError

if TYPE_CHECKING:
    from dlcnb.video import VideoReader


__all__ = ["around", "subsample"]

_COMPARED = 500  # found frames that k-means looks at, at most


def subsample(
    found: ArrayLike,
    count: int,
    *,
    how: str = "kmeans",
    reader: VideoReader | None = None,
    seed: int = 0,
    crop: tuple[int, int, int, int] | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> NDArray[np.int64]:
    """Some of the found frames.

    Parameters
    ----------
    found, count : int (n,) frames, ascending, and how many of them to choose.
    how : "kmeans": frames that look different, as outliers come in runs of nearly the same picture.
        "uniform": spread over the found frames.
    reader, crop, progress : of `dlcnb.frames.kmeans`; the reader is needed for "kmeans" only.
    seed : the same seed gives the same choice.

    Returns int64 (at most ``count``,), ascending.
    """
    found = np.unique(np.asarray(found, np.int64))
    if count < 1:
        raise ValueError(f"count={count}: expected a whole number of at least 1. Say how many frames to choose.")
    if how not in ("kmeans", "uniform"):
        raise ValueError(f"Unknown way to choose frames '{how}'; expected 'kmeans' or 'uniform'.")
    if len(found) <= count:
        return found
    if how == "uniform":
        return found[frames.uniform(len(found), count, seed=seed)]
    if reader is None:
        raise ValueError("k-means compares pictures: give the reader of the video, or choose 'uniform'.")
    step = math.ceil(len(found) / max(_COMPARED, 5 * count))
    chosen = frames.kmeans(_Excerpt(reader, found), count, step=step, seed=seed, crop=crop, progress=progress)
    return found[chosen]


def around(found: ArrayLike, radius: int, n_frames: int) -> NDArray[np.int64]:
    """The found frames and those up to ``radius`` frames before and after, int64, ascending, within the recording."""
    near = np.asarray(found, np.int64)[:, None] + np.arange(-radius, radius + 1)
    near = np.unique(near)
    return near[(near >= 0) & (near < n_frames)]


class _Excerpt:
    """Some frames of a video, read like a video of its own."""

    def __init__(self, reader: VideoReader, numbers: NDArray[np.int64]) -> None:
        self._reader, self._numbers = reader, numbers
        self.path, self.size = reader.path, reader.size

    def __len__(self) -> int:
        return len(self._numbers)

    def frames(
        self, start: int = 0, stop: int | None = None, step: int = 1
    ) -> Iterator[tuple[int, NDArray[np.uint8] | None]]:
        for place in range(start, len(self) if stop is None else stop, step):
            try:
                yield place, self._reader.read(int(self._numbers[place]))
            except DamagedFrameError:
                yield place, None
