"""Writing videos: whole or not at all."""

from contextlib import ExitStack
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from dlcnb.project import atomic_path
from dlcnb.video.errors import VideoError

__all__ = ["VideoWriter"]


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

    def __init__(self, path, size, fps, *, crf=20):
        self.path = Path(path)
        self.size = (int(size[0]), int(size[1]))
        self.frames = 0
        _require_sensible(self.path, self.size, fps)
        with ExitStack() as stack:
            temporary = stack.enter_context(atomic_path(self.path))
            file = stack.enter_context(open(temporary, "wb"))
            self._container = av.open(file, "w", format=_FORMATS[self.path.suffix.lower()])
            stack.push(self._abandon)
            self._stream = self._add_stream(fps, crf)
            self._stack = stack.pop_all()

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        if error is None:
            self.close()
        elif self._stack is not None:
            stack, self._stack = self._stack, None
            stack.__exit__(kind, error, trace)

    def write(self, image):
        """Append a frame.

        Parameters
        ----------
        image : uint8 (H, W, 3)
            RGB, of the writer's size.
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
        frame.pts = self.frames
        frame.time_base = self._tick
        with self._guarded():
            self._container.mux(self._stream.encode(frame))
        self.frames += 1

    def close(self):
        """Finish the video and move it to its place; more than once does no harm."""
        if self._stack is None:
            return
        with self._guarded():
            if not self.frames:
                raise VideoError(f"{self.path}: expected at least one frame, found none. Nothing was written.")
            self._container.mux(self._stream.encode(None))
            self._container.close()
        stack, self._stack = self._stack, None
        stack.close()

    def _add_stream(self, fps, crf):
        rate = Fraction(fps).limit_denominator(100_000)
        self._tick = 1 / rate
        stream = self._container.add_stream("libx264", rate=rate, options={"crf": str(crf), "preset": "veryfast"})
        height, width = self.size
        stream.height, stream.width = height + height % 2, width + width % 2
        stream.pix_fmt = "yuv420p"
        return stream

    def _guarded(self):
        """A block whose errors remove the temporary file."""
        return _OnError(self)

    def _abandon(self, kind, error, trace):
        """Close the container after an error, whose own message matters more than what closing may say."""
        if kind is not None:
            try:
                self._container.close()
            except (av.error.FFmpegError, OSError, ValueError):
                pass
        return False


class _OnError:
    """Gives an error inside the block to the writer's stack, which removes the temporary file and tells the cause."""

    def __init__(self, writer):
        self._writer = writer

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        if error is not None:
            self._writer.__exit__(kind, error, trace)
        return False


_FORMATS = {".mp4": "mp4", ".m4v": "mp4", ".mov": "mov", ".mkv": "matroska", ".avi": "avi"}


def _require_sensible(path, size, fps):
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
