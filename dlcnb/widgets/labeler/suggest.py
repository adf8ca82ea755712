"""Suggestions of a trained network for a labeling session: predicted by a worker, followed on a thread."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import ipywidgets

from dlcnb import jobs
from dlcnb.run import Run
from dlcnb.widgets.base.follow import JobFollower, News
from dlcnb.widgets.base.html import Html, muted
from dlcnb.widgets.base.view import NotYet

if TYPE_CHECKING:
    from dlcnb.widgets.labeler.state import LabelSession

__all__ = ["Suggester"]

TIP = "Let the last trained network suggest points in the frames that are not done"


class Suggester:
    """A button that starts and stops a job "suggest", and what it found so far in the session.

    Parameters
    ----------
    session : LabelSession
    failed : callable
        Called with what went wrong.
    """

    def __init__(self, session: LabelSession, failed: Callable[[Exception], None]) -> None:
        self.session, self._failed = session, failed
        self._images: tuple[str, ...] = ()  # with suggestions of this job
        self._follower = JobFollower(self._told, failed, seconds=0.3)
        self.button = ipywidgets.Button(icon="magic")
        self._say_idle()
        self.button.on_click(lambda _: self._pressed())
        self.why_not = Html()  # it can't be pressed
        self.text = Html()
        self.text.add_class("dlcnb-number")
        self.text.add_class("dlcnb-suggested")
        session.observe(lambda _: self._say_left(), "revision")
        self.look()

    @property
    def job(self) -> jobs.Job | None:
        """The job that was started last."""
        return self._follower.job

    @property
    def busy(self) -> bool:
        """Whether a worker is at it."""
        return self._follower.following

    @property
    def lacks(self) -> str:
        """Why there is no network to ask, in words; empty if there is one."""
        project = self.session.project
        if any(Run(run).steps for run in project.runs()):
            return ""
        where = f"Iteration {project.iteration} has no network yet" if project.iteration else "There is no network yet"
        return f"{where}: train one first, under Train"

    def look(self) -> None:
        """See whether there is a network to ask; say what is missing where there is none."""
        why = "" if self.busy else self.lacks
        self.button.disabled, self.button.tooltip = bool(why), why or TIP
        self.why_not.value, self.why_not.layout.display = muted(why), None if why else "none"

    def _pressed(self) -> None:
        try:
            if self.busy and self.job:
                self.job.stop()
            else:
                self.start()
        except Exception as error:
            self._failed(error)

    def _say_idle(self) -> None:
        self.button.description, self.button.icon = "Ask the last network", "magic"

    def _say_left(self) -> None:
        """How many frames with suggestions are still to be looked at, once the worker has ended."""
        if not self.busy:
            left = sum(self.session.state(image) != "done" for image in self._images)
            frames = "1 frame has" if left == 1 else f"{left} frames have"
            self.text.value = f"{frames} points that the network suggests, to be checked" if left else ""

    def start(self, snapshot: str | int = "best", run: Path | None = None) -> None:
        """Let a worker predict all frames that are not done, those that come next first; returns at once."""
        session = self.session
        here = session.images.index(session.cursor.image)
        ordered = session.images[here:] + session.images[:here]
        images = [image for image in ordered if session.state(image) != "done"]
        if not images:
            raise ValueError("Every frame is done: there is nothing to suggest.")
        if run is None and (why := self.lacks):
            raise NotYet(f"{why}.", lambda: bool(self.lacks))
        job = jobs.start("suggest", session.project, images=images, snapshot=snapshot, run=run)
        self._images = ()
        self.button.description, self.button.icon = "Stop the network", "stop"
        self.text.value = "starting the network …"
        self._follower.follow(job)

    def _told(self, news: News) -> None:
        if latest := news.last("progress"):
            self.text.value = f"{latest['done']} of {latest['total']} frames"
        try:
            self._take()
        finally:
            if news.ended:
                self._say_idle()
                self._say_left()
        if news.error:
            self._failed(RuntimeError(news.error))

    def _take(self) -> None:
        """Offer what there is, if it is more than before."""
        if self.job is None:
            return
        snapshot, images = jobs.read_suggestions(self.job.folder, self.session.bodyparts)
        if len(images) > len(self._images):
            self.session.set_suggestions(snapshot, images)
            self._images = tuple(images)

    def wait(self, timeout: float | None = None) -> None:
        """Block until the worker is done, for scripts; raises TimeoutError if it is silent for ``timeout`` seconds."""
        self._follower.wait(timeout)

    def close(self) -> None:
        """Follow no more; the worker ends by itself."""
        self._follower.close()
