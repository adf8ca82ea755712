"""Labels that follow, in the labeler: the points of a labeled frame as hollow points in the frames after it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from dlcnb.labels import FOLLOWED, Suggestions, follow_video
from dlcnb.labels.errors import changed_meanwhile
from dlcnb.project import Project
from dlcnb.widgets.base.task import Task

if TYPE_CHECKING:
    from dlcnb.widgets.labeler.state import LabelSession

__all__ = ["Follower"]

MOVED = 0.01  # px that a point is corrected by at least


class Follower:
    """Follows labels on a thread of its own, and again from a frame that was corrected since.

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
        self.session, self._failed = session, failed
        self._task = Task(failed, busy)
        self._working = False  # what follows is shared by the threads, under the session's lock
        self._due = list[str]()  # corrected frames that are still to be followed from, the newest last
        self._newer = False  # one more is due since one was begun
        self._passed = dict[str, NDArray[np.float64]]()  # image -> its points when followed from or through
        self._before = dict[str, Suggestions]()  # corrected frame -> what was followed without the correction

    @property
    def busy(self) -> bool:
        """Whether it is at it."""
        return self._working

    def toggle(self) -> None:
        """Start, or stop what is under way."""
        if self.busy:
            self._task.stop()
        else:
            self.start()

    def start(self) -> None:
        """Follow from the session's frame; returns at once. Raises ValueError where there is nothing to follow."""
        images, first, last = self.session.stretch()
        self._passed[images[0]] = self.session.shown_points(images[0])

        def work(stop: threading.Event) -> None:
            found = follow_video(self.session.project, images, first, last, stop.is_set)
            self._show(found)
            if not stop.is_set():
                reached = sum(bool(np.isfinite(values).any()) for values in found.values())
                self.session.note(_told(reached, len(found)))

        with self.session.lock:
            self.session.note("following the labels … (J stops it)")
            self._work(work)

    def left(self, image: str) -> None:
        """The session went on from a frame: if its points are others than those that were followed, do so anew."""
        with self.session.lock:
            if (passed := self._passed.get(image)) is None:
                return
            now = self.session.shown_points(image)
            if np.allclose(now, passed, rtol=0, atol=MOVED, equal_nan=True):
                return
            self._passed[image] = now
            self._due = [other for other in self._due if other != image] + [image]
            self._newer = True
            if not self._working:
                self._work(lambda stop: None)

    def wait(self, timeout: float | None = None) -> bool:
        """Block until it is done; False after ``timeout`` seconds."""
        return self._task.wait(timeout)

    def close(self) -> None:
        """Give up what is under way."""
        self._task.stop()

    def _work(self, first: Callable[[threading.Event], object]) -> None:
        """Do this, then what is due by then, on the thread; the session's lock is held."""
        self._task.wait()  # for a thread that has ended but for its farewell, which needs no lock

        def work(stop: threading.Event) -> None:
            try:
                first(stop)
                while image := self._next(stop):
                    self._anew(image, stop)
            except Exception as error:
                self._failed(error)
                with self.session.lock:
                    self._due.clear()
                    self._working = False

        self._task.start(work)
        self._working = True

    def _next(self, stop: threading.Event) -> str | None:
        with self.session.lock:
            if stop.is_set() and self._due:
                self._due.clear()
                self.session.note("stopped: later frames keep their hollow points from before the correction")
            self._working, self._newer = bool(self._due), False
            return self._due.pop() if self._due else None

    def _anew(self, image: str, stop: threading.Event) -> None:
        """Follow from a corrected frame, first to the next one, and change what nobody has touched.

        Of bodyparts that are open in the corrected frame, what was followed without the correction stays.
        """
        session = self.session
        with session.lock:
            images, last = session.ahead(image)
            labels, is_open = session.points(image), session.open_parts(image)[:, None]
            before = self._before.setdefault(image, session.suggestions.of(FOLLOWED))
            if not any(session.is_followed(other) for other in images):
                return
        nothing, there = np.full((len(labels), 3), np.nan), list[str]()
        for reach in dict.fromkeys((2, len(images))):
            found = {}  # as it is where its points were undone
            if np.isfinite(labels).any():
                end = last if reach == len(images) else None
                found = follow_video(session.project, images[:reach], labels, end, lambda: self._give_up(stop))
            with session.lock:
                if self._give_up(stop):
                    self._due.insert(0, image)  # after what is newer
                    return
                there = [other for other in images[1:reach] if session.is_untouched(other)]
                self._show({
                    other: np.where(is_open, before.get(other, nothing), found.get(other, nothing)) for other in there
                })  # fmt: skip
        self._tell(images[1:-1] if last is not None else images[1:], there)

    def _tell(self, passed: list[str], there: list[str]) -> None:
        """Say what changed; what frames on the way say of bodyparts that are not visible holds after them again."""
        with self.session.lock:
            for image in passed:
                if image in self._passed and self.session.hidden(image).any():
                    self._before.pop(image, None)
                    self._due = [image, *(other for other in self._due if other != image)]
            changed = sum(map(self.session.is_followed, there))
            if changed and not self.session.message:
                self.session.note(f"{_frames(changed)} hollow points that follow the corrected ones now")

    def _check_bodyparts(self) -> None:
        """Of bodyparts that were changed in another tab meanwhile no point could become a label."""
        root = self.session.project.root
        if Project.open(root).bodyparts != self.session.bodyparts:
            raise changed_meanwhile("bodyparts", root)

    def _give_up(self, stop: threading.Event) -> bool:
        return stop.is_set() or self._newer

    def _show(self, found: dict[str, NDArray[np.float64]]) -> None:
        """Offer what was found, and remember what frames were gone through with; `LabelError` for other bodyparts."""
        with self.session.lock:
            self._check_bodyparts()
            self.session.add_followed(found)
            for image, values in found.items():
                self._passed[image] = values[:, :2]
                self._before.pop(image, None)


def _told(reached: int, wanted: int) -> str:
    if not reached:
        return "no point could be followed to the next extracted frame: it is too far away, or nothing stays in sight"
    lost = f"; in {wanted - reached} more all points are lost" if wanted > reached else ""
    how = "Accept all takes the sure ones of a frame, pressed again those with ?, and goes on; drag what is off"
    return f"{_frames(reached)} hollow points now, no labels yet: {how}{lost}"


def _frames(count: int) -> str:
    return "1 frame has" if count == 1 else f"{count} frames have"
