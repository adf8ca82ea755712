"""Suggestions of a trained network for a labeling session: predicted by a worker, followed on a thread."""

from __future__ import annotations

import threading

import ipywidgets

from dlcnb import jobs
from dlcnb.widgets.base.html import Html
from dlcnb.widgets.labeler.parts import group

__all__ = ["Suggester"]

POLL_SECONDS = 0.3


class Suggester:
    """A button that starts and stops a job "suggest", and what it found so far in the session.

    Parameters
    ----------
    session : LabelSession
    failed : callable
        Called with what went wrong.
    """

    def __init__(self, session, failed):
        self.session, self._failed = session, failed
        self.job = self._ticket = None
        self.button = ipywidgets.Button(description="Suggest", icon="magic")
        self.button.tooltip = "Let the last trained network suggest points in the frames that are not done"
        self.button.layout = ipywidgets.Layout(width="104px", height="32px", margin="0")
        self.button.on_click(lambda _: self._pressed())
        self.text = Html()
        self.text.add_class("dlcnb-number")
        self.box = group([self.button, self.text])

    @property
    def busy(self):
        """Whether a worker is at it."""
        return self._ticket is not None

    def _pressed(self):
        try:
            if self.busy:
                self.job.stop()
            else:
                self.start()
        except Exception as error:
            self._failed(error)

    def start(self, snapshot="best", run=None):
        """Let a worker predict all frames that are not done, those that come next first; returns at once."""
        session = self.session
        here = session.images.index(session.cursor.image)
        ordered = session.images[here:] + session.images[:here]
        images = [image for image in ordered if session.state(image) != "done"]
        if not images:
            raise ValueError("Every frame is done: there is nothing to suggest.")
        self.job = jobs.start("suggest", session.project, images=images, snapshot=snapshot, run=run)
        self._ticket = ticket = threading.Event()
        self.button.description, self.button.icon = "Stop", "stop"
        self.text.value = "starting the network …"
        threading.Thread(target=self._follow, args=(ticket, self.job), name="dlcnb-suggester", daemon=True).start()

    def _follow(self, ticket, job):
        taken = 0
        try:
            while not ticket.wait(POLL_SECONDS):
                status = job.status  # looked at before the events, so that none before the end is missed
                if latest := job.latest:
                    self.text.value = f"{latest['done']} of {latest['total']} frames"
                taken = self._take(job, taken)
                if status != "running":
                    self._end(job, taken)
                    return
        except Exception as error:
            self._failed(error)
        finally:
            if self._ticket is ticket:
                self._ticket = None
                self.button.description, self.button.icon = "Suggest", "magic"

    def _take(self, job, taken):
        """Offer what there is if it is more than what was ``taken``; returns how many frames it is."""
        snapshot, images = jobs.read_suggestions(job.folder, self.session.bodyparts)
        if len(images) > taken:
            self.session.set_suggestions(snapshot, images)
        return len(images)

    def _end(self, job, taken):
        self.text.value = f"{taken} frames suggested by {self.session.snapshot}" if taken else ""
        if job.error:
            raise RuntimeError(job.error)

    def wait(self, timeout=None):
        """Block until the worker is done, for scripts; raises TimeoutError if it is silent for ``timeout`` seconds."""
        if self.job is not None:
            self.job.wait(timeout)
            self._take(self.job, 0)

    def close(self):
        """Follow no more; the worker ends by itself."""
        if self._ticket is not None:
            self._ticket.set()
