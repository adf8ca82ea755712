"""Labels that follow, in the labeler: the points of a labeled frame as hollow points in the frames after it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from dlcnb.labels import follow_video
from dlcnb.widgets.base.task import Task

if TYPE_CHECKING:
    from dlcnb.widgets.labeler.state import LabelSession

__all__ = ["Follower"]


class Follower:
    """Follows labels on a thread of its own.

    Parameters
    ----------
    session : LabelSession
        Whose frame is followed, and to which the hollow points are added.
    failed : callable
        Called with what went wrong.
    busy : callable
        Called with True before it begins and False when it has ended.
    """

    def __init__(
        self, session: LabelSession, failed: Callable[[Exception], object], busy: Callable[[bool], object]
    ) -> None:
        self.session = session
        self._task = Task(failed, busy)

    @property
    def busy(self) -> bool:
        """Whether it is at it."""
        return self._task.running

    def toggle(self) -> None:
        """Start, or stop what is under way."""
        if self.busy:
            self._task.stop()
        else:
            self.start()

    def start(self) -> None:
        """Follow from the session's frame; returns at once. Raises ValueError where there is nothing to follow."""
        images, first, last = self.session.stretch()

        def work(stop: threading.Event) -> None:
            found = follow_video(self.session.project, images, first, last, stop.is_set)
            reached = {image: values for image, values in found.items() if np.isfinite(values).any()}
            self.session.add_followed(reached)
            if not stop.is_set():
                self.session.note(_told(len(reached), len(images) - 1 - (last is not None)))

        self._task.start(work)

    def wait(self, timeout: float | None = None) -> bool:
        """Block until it is done; False after ``timeout`` seconds."""
        return self._task.wait(timeout)

    def close(self) -> None:
        """Give up what is under way."""
        self._task.stop()


def _told(reached: int, wanted: int) -> str:
    if not reached:
        return "no point could be followed to the next extracted frame: it is too far away, or nothing stays in sight"
    count = "1 frame has" if reached == 1 else f"{reached} frames have"
    lost = f"; in {wanted - reached} more all points are lost" if wanted > reached else ""
    how = "D goes on, Shift+Enter accepts the sure ones, a drag corrects"
    return f"{count} hollow points now, no labels yet: {how}{lost}"
