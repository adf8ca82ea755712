"""Reading frames: any one at random, or many in order from a background thread."""

from __future__ import annotations

import logging
import queue
import threading
import weakref
from collections.abc import Generator
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from dlcnb.files import StrPath
from dlcnb.video.decoder import Decoder
from dlcnb.video.errors import DamagedFrameError, VideoError
from dlcnb.video.index import VideoIndex, load_index

__all__ = ["VideoReader"]

QUEUED_BYTES = 64 << 20
KEPT_BYTES = 64 << 20
logger = logging.getLogger(__name__)


class VideoReader:
    """A video whose frame ``i`` is always the same frame: the one shown i-th.

    On first sight the file's packets are read through once for an index of timestamps, which is cached for the user.

    Parameters
    ----------
    path : path-like
        A video file of any kind that FFmpeg reads.

    Attributes
    ----------
    path : Path
    size : (int, int)
        Height and width in pixels, upright (a rotation flag is applied).
    times : float64 (n,)
        Seconds since the first frame, from the file's timestamps; exact for variable frame rates too.
    fps : float
        Mean frames per second.
    is_vfr : bool
        Whether the frame rate varies, so that ``i / fps`` is not the time of frame ``i``.

    Raises
    ------
    VideoError
        If the file is missing, not a video, cut off, or without a decodable frame.

    Examples
    --------
    >>> with VideoReader("mouse.mp4") as video:           # doctest: +SKIP
    ...     image = video.read(1000)
    ...     for index, image in video.frames(step=10):
    ...         if image is not None:                     # None: the frame is damaged
    ...             print(index, image.mean())
    """

    def __init__(self, path: StrPath) -> None:
        self.path = Path(path)
        self._lock = threading.RLock()
        self._decoder: Decoder | None = None
        self._closed = False
        self._stops: weakref.WeakSet[_Ahead] = weakref.WeakSet()
        self._index = _load(self.path)
        self._damaged = {int(i) for i in self._index.lost}
        self.size = _upright_size(self._index)
        self.times = self._index.times.copy()
        self.times.flags.writeable = False
        self.fps = _mean_rate(self.times, self._index.rate)
        self.is_vfr = _varies(self.times, self._index.tick)

    def __len__(self) -> int:
        return len(self._index)

    def __repr__(self) -> str:
        return f"VideoReader({str(self.path)!r}: {len(self)} frames, {self.size[1]}x{self.size[0]}, {self.fps:.4g} fps)"

    def __enter__(self) -> VideoReader:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def damaged(self) -> list[int]:
        """Numbers of the damaged frames met so far, ascending (list of int)."""
        with self._lock:
            return sorted(self._damaged)

    def read(self, i: int) -> NDArray[np.uint8]:
        """One frame; quick for the one after the last, or near it.

        Parameters
        ----------
        i : int
            Number of the frame, 0 to ``len(self) - 1``.

        Returns
        -------
        uint8 (H, W, 3)
            RGB.

        Raises
        ------
        IndexError
            If there is no such frame.
        DamagedFrameError
            If the frame is there but can't be decoded.
        """
        i = self._checked(i)
        with self._lock:
            self._require_open()
            if self._decoder is None:
                self._decoder = Decoder(self.path, self._index, keep=_kept(self.size))
            image = self._decode(self._decoder, i)
        if image is None:
            raise DamagedFrameError(
                f"{self.path}: frame {i} of {len(self)} is damaged and can't be decoded. Choose another frame; "
                "the rest keep their numbers.", i,
            )  # fmt: skip
        return image

    def frames(
        self, start: int = 0, stop: int | None = None, step: int = 1
    ) -> Generator[tuple[int, NDArray[np.uint8] | None], None, None]:
        """Frames in order, decoded in a background thread a few frames ahead of the caller.

        Parameters
        ----------
        start, stop, step : int
            As in `range`; ``stop=None`` is the end. ``step`` is positive.

        Returns
        -------
        iterator of (int, uint8 (H, W, 3) or None)
            The frame's number and RGB image, None where the frame is damaged. Dropping or closing the iterator ends the
            thread.

        Raises
        ------
        ValueError
            If ``start`` or ``stop`` lies outside the video or ``step`` is not positive.
        """
        stop = len(self) if stop is None else stop
        if step < 1 or not 0 <= start <= len(self) or not 0 <= stop <= len(self):
            raise ValueError(
                f"frames({start}, {stop}, {step}): expected 0 <= start, stop <= {len(self)} (the length of "
                f"{self.path.name}) and a positive step. Give a range inside the video."
            )
        self._require_open()
        return self._stream(range(start, stop, step))

    def close(self) -> None:
        """Close the file and end background threads; reading is then an error."""
        with self._lock:
            self._closed = True
            if self._decoder is not None:
                self._decoder.close()
                self._decoder = None
            streams = list(self._stops)
        for stream in streams:
            stream.stop()

    def _checked(self, i: int) -> int:
        if not -1 < i < len(self):
            raise IndexError(f"frame {i}: expected 0 to {len(self) - 1} ({self.path.name} has {len(self)} frames)")
        return int(i)

    def _require_open(self) -> None:
        if self._closed:
            raise VideoError(f"{self.path}: expected an open video, found a closed one. Open it again.")

    def _decode(self, decoder: Decoder, i: int) -> NDArray[np.uint8] | None:
        """Frame ``i`` as an upright RGB image, or None and a note if it is damaged."""
        image = decoder.image(i)
        if image is not None:
            return image
        with self._lock:
            if i not in self._damaged:
                self._damaged.add(i)
                logger.warning("%s: frame %d is damaged", self.path, i)
        return None

    def _stream(self, numbers: range) -> Generator[tuple[int, NDArray[np.uint8] | None], None, None]:
        """Yield (number, image) from a thread that decodes ahead."""
        height, width = self.size
        ahead = int(np.clip(QUEUED_BYTES // (3 * height * width), 2, 16))
        worker = _Ahead(self, numbers, ahead)
        self._stops.add(worker)
        try:
            for i in numbers:
                image = worker.next()
                if image is _CLOSED:
                    self._require_open()
                yield i, image
        finally:
            worker.stop()


_CLOSED = object()


class _Ahead:
    """A thread that decodes ``numbers`` of a reader into a bounded queue."""

    def __init__(self, reader: VideoReader, numbers: range, ahead: int) -> None:
        self._queue: queue.Queue[Any] = queue.Queue(ahead)
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(reader, numbers), name="dlcnb-decode", daemon=True)
        self._thread.start()

    def next(self) -> Any:
        """The next image, None if it is damaged, `_CLOSED` if stopped; raises what the thread raised."""
        item = self._queue.get()
        if isinstance(item, BaseException):
            raise item
        return item

    def stop(self) -> None:
        """End the thread and wait for it; more than once does no harm."""
        self._stopped.set()
        while self._thread.is_alive():
            try:  # makes room, in case the thread waits for it
                self._queue.get_nowait()
            except queue.Empty:
                self._thread.join(0.02)
        while not self._queue.empty():
            self._queue.get_nowait()
        self._queue.put(_CLOSED)

    def _run(self, reader: VideoReader, numbers: range) -> None:
        decoder = None
        try:
            decoder = Decoder(reader.path, reader._index)
            for i in numbers:
                image = reader._decode(decoder, i)
                if self._stopped.is_set():
                    return
                self._queue.put(image)
        except Exception as error:  # handed over: the caller raises it
            self._queue.put(error)
        finally:
            if decoder is not None:
                decoder.close()


def _load(path: Path) -> VideoIndex:
    """The index of a video, by its path; a missing file and the like are told by opening it."""
    try:
        return load_index(path)
    except av.error.FFmpegError as error:
        raise VideoError(
            f"{path}: expected a video, found one that FFmpeg can't read ({error}). Copy it again."
        ) from error


def _kept(size: tuple[int, int]) -> int:
    """How many decoded frames to remember for stepping back, within some tens of MB."""
    return int(np.clip(KEPT_BYTES // (2 * size[0] * size[1]), 4, 64))


def _upright_size(index: VideoIndex) -> tuple[int, int]:
    height, width = (int(n) for n in index.size)
    a, b = index.matrix[:2]
    return (width, height) if abs(b) > abs(a) else (height, width)


def _mean_rate(times: NDArray[np.float64], claimed: float) -> float:
    """Frames per second (float); what the file claims where there is only one frame."""
    if len(times) > 1 and times[-1] > 0:
        return float((len(times) - 1) / times[-1])
    return float(claimed or 25.0)


def _varies(times: NDArray[np.float64], tick: float) -> bool:
    """Whether steps differ by more than a tenth (and the clock's resolution), or drift by half a frame."""
    if len(times) < 3:
        return False
    steps = np.diff(times)
    usual = float(np.median(steps))
    mean = times[-1] / (len(times) - 1)
    uneven = np.abs(steps - usual).max() > max(0.1 * usual, 1.5 * tick)
    drift = np.abs(times - mean * np.arange(len(times))).max()
    return bool(uneven or drift > max(0.5 * mean, 1.5 * tick))
