"""Context while labeling: the frames of the video around the extracted one, played in its place."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from dlcnb.labels import LabelError, frame_index
from dlcnb.labels.corners import image_corners
from dlcnb.video import VideoReader
from dlcnb.widgets.base.task import Task

if TYPE_CHECKING:
    from dlcnb.widgets.labeler.state import LabelSession

__all__ = ["AROUND", "Context"]

AROUND = 15  # frames before and after
SLOWEST, FASTEST = 5.0, 60.0  # frames per second


class Context:
    """Plays the frames around the session's, again and again, until it is stopped.

    Parameters
    ----------
    session : LabelSession
    shown : callable
        Called when another picture is to be shown, or the frame itself again.
    failed : callable
        Called with what went wrong.

    Attributes
    ----------
    picture : (image uint8 (H, W, 3), frames from the session's frame) to be shown instead of it, or None.
    """

    picture: tuple[NDArray[np.uint8], int] | None = None

    def __init__(
        self, session: LabelSession, shown: Callable[[], object], failed: Callable[[Exception], object]
    ) -> None:
        self.session, self._shown = session, shown
        self._task = Task(failed)
        self._reader: VideoReader | None = None

    @property
    def playing(self) -> bool:
        """Whether it plays."""
        return self._task.running

    def start(self, rounds: int | None = None) -> None:
        """Play, so many times or until `stop`; returns at once."""
        if self.playing:
            return
        image = self.session.cursor.image
        self._task.start(lambda stop: self._play(image, rounds, stop))

    def play_once(self) -> None:
        """Play once; stop if it plays."""
        if self.playing:
            self.stop()
        else:
            self.start(1)

    def stop(self) -> None:
        """Show the frame itself again."""
        self._task.stop()

    def wait(self, timeout: float | None = None) -> bool:
        """Block until it plays no more; False after ``timeout`` seconds."""
        return self._task.wait(timeout)

    def close(self) -> None:
        """Stop, and close the video."""
        self._task.end(5.0)
        if self._reader is not None:
            self._reader.close()

    def _play(self, image: str, rounds: int | None, stop: threading.Event) -> None:
        try:
            middle, reader = frame_index(image), self._video(image)
            if not middle < len(reader):
                raise LabelError(
                    f"expected the video of {image} to have frame {middle}, but {reader.path.name} has "
                    f"{len(reader)}: is it another video?"
                )
            frames = range(max(middle - AROUND, 0), min(middle + AROUND + 1, len(reader)))
            cut, rate = self._cut(image, reader), min(max(reader.fps, SLOWEST), FASTEST)
            while not stop.is_set() and rounds != 0:
                self._play_round(reader, frames, middle, cut, rate, stop)
                rounds = None if rounds is None else rounds - 1
        finally:
            self.picture = None
            self._shown()

    def _play_round(
        self,
        reader: VideoReader,
        frames: range,
        middle: int,
        cut: tuple[slice, slice],
        rate: float,
        stop: threading.Event,
    ) -> None:
        due = time.monotonic()
        for number, frame in reader.frames(frames.start, frames.stop):
            if stop.is_set():
                return
            if frame is not None:  # None: it is damaged
                self.picture = frame[cut], number - middle
                self._shown()
            due += 1 / rate
            stop.wait(max(due - time.monotonic(), 0))

    def _video(self, image: str) -> VideoReader:
        """The video of an image, kept open; raises `ProjectError` or `VideoError` if it is missing or can't be read."""
        path = self.session.project.video(image.split("/")[-2])
        if self._reader is None or self._reader.path != path:
            if self._reader is not None:
                self._reader.close()
            self._reader = VideoReader(path)
        return self._reader

    def _cut(self, image: str, reader: VideoReader) -> tuple[slice, slice]:
        """The part of the video's frames that the image shows."""
        project, size = self.session.project, self.session.image_size or reader.size
        folder, name = image.rsplit("/", 1)
        corner = image_corners(project, project.root / folder, [name])[0]
        left, top = (int(side) for side in np.nan_to_num(corner))
        return slice(top, top + size[0]), slice(left, left + size[1])
