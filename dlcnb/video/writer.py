"""Writing videos: whole or not at all."""

from __future__ import annotations

from contextlib import ExitStack
from fractions import Fraction
from pathlib import Path
from types import TracebackType

import av
import numpy as np
from av.video.stream import VideoStream
from numpy.typing import NDArray

from dlcnb.files import StrPath, atomic_path
from dlcnb.video.errors import VideoError

__all__ = ["VideoWriter"]

FINE_TICK = Fraction(1, 90_000)  # s, for frames with times of their own


class VideoWriter:
    """Write an H.264 video (yuv420p, which every player and browser shows).

    It goes to a temporary file, which is moved over ``path`` by `close`. After an error, or if the ``with`` block is
    left by one, nothing is left behind and an older file is unchanged.

    Parameters
    ----------
    path : path-like
        The file; its suffix sets the container (mp4, mov, mkv, avi).
    size : (int, int)
        Height and width of the images in pixels. Odd ones are padded to even by repeating the bottom or right edge.
    fps : float
        Frames per second.
    crf : int
        Quality, 0 (lossless) to 51 (worst); 18 looks like the original.

    Raises
    ------
    OSError
        If the disk is full or the folder can't be written (here or by `write` or `close`).
    VideoError
        If the container is unknown or the size or rate makes no video.
    """

    def __init__(self, path: StrPath, size: tuple[int, int], fps: float, *, crf: int = 20) -> None:
        self.path = Path(path)
        self.size = (int(size[0]), int(size[1]))
        self.frames = 0
        _require_sensible(self.path, self.size, fps)
        with ExitStack() as stack:
            temporary = stack.enter_context(atomic_path(self.path))
            file = stack.enter_context(open(temporary, "wb"))
            self._container = av.open(file, "w", format=_FORMATS[self.path.suffix.lower()])
            stack.push(self._abandon)
            self._stream: VideoStream | None = None
            self._rate, self._crf, self._last = Fraction(fps).limit_denominator(100_000), crf, -1
            self._stack: ExitStack | None = stack.pop_all()

    def __enter__(self) -> VideoWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            self.close()
        elif self._stack is not None:
            stack, self._stack = self._stack, None
            stack.__exit__(kind, error, trace)

    def write(self, image: NDArray[np.uint8], time: float | None = None) -> None:
        """Append a frame.

        Parameters
        ----------
        image : uint8 (H, W, 3)
            RGB, of the writer's size.
        time : float, optional
            When it is shown, in seconds; later than the frame before. For a variable frame rate, with every frame;
            without it frames follow each other at ``fps``.

        Raises
        ------
        ValueError
            If the image has another size or type or the times don't ascend.
        OSError
            If the disk is full.
        """
        image = np.asarray(image)
        if image.shape != (*self.size, 3) or image.dtype != np.uint8:
            raise ValueError(
                f"{self.path.name}: expected a uint8 image of shape {(*self.size, 3)}, found {image.dtype} "
                f"{image.shape}. Convert it, or open the writer with the images' size."
            )
        if self._stack is None:
            raise VideoError(f"{self.path}: the video is closed. Write frames before close().")
        height, width = self.size
        if height % 2 or width % 2:
            image = np.pad(image, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")
        frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(image), format="rgb24")
        if self._stream is None:
            self._tick = 1 / self._rate if time is None else FINE_TICK
            self._stream = self._add_stream()
        frame.pts, frame.time_base = self._stamp(time), self._tick
        with _OnError(self):
            self._container.mux(self._stream.encode(frame))
        self.frames += 1
        self._last = frame.pts

    def close(self) -> None:
        """Finish the video and move it to its place; more than once does no harm."""
        if self._stack is None:
            return
        with _OnError(self):
            if self._stream is None:
                raise VideoError(f"{self.path}: expected at least one frame, found none. Nothing was written.")
            self._container.mux(self._stream.encode(None))
            self._container.close()
        stack, self._stack = self._stack, None
        stack.close()

    def _add_stream(self) -> VideoStream:
        options = {"crf": str(self._crf), "preset": "veryfast"}
        stream = self._container.add_stream("libx264", rate=self._rate, options=options)
        height, width = self.size
        stream.height, stream.width = height + height % 2, width + width % 2
        stream.pix_fmt = "yuv420p"
        stream.codec_context.time_base = self._tick
        return stream

    def _stamp(self, time: float | None) -> int:
        """The timestamp of the next frame in ticks."""
        if (time is None) != (self._tick != FINE_TICK):
            raise ValueError(
                f"{self.path.name}: expected a time with every frame or with none. Give all or leave them out."
            )
        stamp = self.frames if time is None else round(time / self._tick)
        if stamp <= self._last:
            raise ValueError(
                f"{self.path.name}: expected a time after {float(self._last * self._tick):.6f} s, found {time}. "
                "Write frames in the order in which they are shown."
            )
        return stamp

    def _abandon(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        """Close the container after an error, whose own message matters more than what closing may say."""
        if kind is not None:
            try:
                self._container.close()
            except (av.error.FFmpegError, OSError, ValueError):
                pass
        return False


class _OnError:
    """Gives an error inside the block to the writer's stack, which removes the temporary file and tells the cause."""

    def __init__(self, writer: VideoWriter) -> None:
        self._writer = writer

    def __enter__(self) -> _OnError:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None:
            self._writer.__exit__(kind, error, trace)


_FORMATS = {".mp4": "mp4", ".m4v": "mp4", ".mov": "mov", ".mkv": "matroska", ".avi": "avi"}


def _require_sensible(path: Path, size: tuple[int, int], fps: float) -> None:
    if path.suffix.lower() not in _FORMATS:
        raise VideoError(
            f"{path}: expected a name that ends in {', '.join(_FORMATS)}, found {path.suffix or 'no suffix'!r}. "
            "Give the video one of these suffixes."
        )
    if min(size) < 2 or not np.isfinite(fps) or fps <= 0:
        raise VideoError(
            f"{path}: expected a size of at least 2x2 pixels and a positive frame rate, found {size[0]}x{size[1]} at "
            f"{fps}. Give the (height, width) of the images and their frames per second."
        )
