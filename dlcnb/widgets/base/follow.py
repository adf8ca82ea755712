"""A job followed from a widget: its events, handed over a few times a second by one thread."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dlcnb.jobs import EventReader, attach
from dlcnb.run import JOB_FILE
from dlcnb.widgets.base.task import end_before_python

if TYPE_CHECKING:
    from dlcnb.jobs import Job
    from dlcnb.project import Project

__all__ = ["JobFollower", "News", "under_way"]

SECONDS = 0.1  # between two looks, by default
WAITING = 1.0  # seconds between two calls of who shows how long there are no news
SILENT = 10.0  # seconds without news after which what was told of the time left is no longer true


@dataclass(frozen=True)
class News:
    """What is new about a job.

    Attributes
    ----------
    status : str
        "running", or how the job ended: "done", "stopped", "failed", "lost". It was looked at before the events, so
        that with the end none of them is missing.
    events : list of dict
        The log's events since the news before, in their order; the first news have all there are.
    error : str or None
        Why the job failed or was lost.
    """

    status: str
    events: list[dict[str, Any]]
    error: str | None = None

    @property
    def ended(self) -> bool:
        """Whether these are the last news."""
        return self.status != "running"

    def last(self, kind: str) -> dict[str, Any] | None:
        """The newest event of a kind, such as "progress"; None if there is none."""
        return next((event for event in reversed(self.events) if event["event"] == kind), None)


class JobFollower:
    """Tells a widget what becomes of a job, until the job has ended or another one is followed.

    The job belongs to nobody: whoever attaches to its folder, after a page, a kernel or a computer was restarted, is
    told all of it again.

    Parameters
    ----------
    told : callable
        ``told(news)`` gets `News`: at first at once, on the caller's thread; then, whenever there are any, on the
        follower's thread. One at a time, with `lock` held.
    failed : callable
        ``failed(error)`` gets what ``told``, or reading the job's files, raises on the follower's thread; nothing is
        followed any more then. On the caller's thread it is raised.
    seconds : float
        Between two looks.

    Attributes
    ----------
    job : Job or None
        The one followed last.
    lock : threading.RLock
        Who holds it is told nothing meanwhile.
    also : callable or None
        ``also(job)`` is called with each job that is followed, for whoever keeps an eye on all jobs.
    silent : callable or None
        Called without arguments, as ``told`` is, when there were no news for `patience` seconds; then not before the
        next ones.
    patience : float
    waiting : callable or None
        ``waiting(seconds)`` is called about once a second as long as there are no news, with the time since the job was
        followed.
    """

    waiting: Callable[[float], object] | None = None
    also: Callable[[Job], object] | None = None
    silent: Callable[[], object] | None = None
    patience = SILENT
    _heard = math.inf  # when there were news

    def __init__(
        self, told: Callable[[News], object], failed: Callable[[Exception], object], *, seconds: float = SECONDS
    ) -> None:
        self._told, self._failed, self._seconds = told, failed, seconds
        self.job: Job | None = None
        self.lock = threading.RLock()
        self._reader: EventReader | None = None
        self._ticket: threading.Event | None = None  # of the thread at work; set, or replaced, tells it to end
        self._thread: threading.Thread | None = None
        end_before_python(self)

    @property
    def following(self) -> bool:
        """Whether a job is followed whose end was not told yet."""
        return self._ticket is not None

    def follow(self, job: Job) -> None:
        """Follow a job, and no other one any more; the first news are told before this returns."""
        with self.lock:
            self.stop()
            self.job, self._reader = job, EventReader(job.folder)
            self._ticket = ticket = threading.Event()
            self._began = self._waited = time.monotonic()
            self._look(ticket, first=True)
            if self.also is not None:
                self.also(job)
            if self._ticket is ticket:
                self._thread = threading.Thread(target=self._run, args=(ticket,), name="dlcnb-follower", daemon=True)
                self._thread.start()

    def look(self) -> None:
        """Tell on this thread, now, what there is to be told."""
        with self.lock:
            if self._ticket is not None:
                self._look(self._ticket)

    def wait(self, timeout: float | None = None) -> None:
        """Block until the job has ended and that was told; TimeoutError if it is silent for ``timeout`` seconds."""
        if self.job is not None:
            self.job.wait(timeout)
            self.look()

    def stop(self) -> None:
        """Follow no more; the job goes on. Nothing is told after this returns."""
        with self.lock:
            if self._ticket is not None:
                self._ticket.set()
            self._ticket = None

    close = stop

    def end(self, seconds: float) -> None:
        """Follow no more, and wait for the thread at most so long."""
        self.stop()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(seconds)

    def _run(self, ticket: threading.Event) -> None:
        try:
            while not ticket.wait(self._seconds):
                self._look(ticket)
        except Exception as error:
            self._failed(error)

    def _look(self, ticket: threading.Event, first: bool = False) -> None:
        with self.lock:
            if self._ticket is not ticket:
                return
            try:
                news = self._news()
                if news.ended:
                    self.stop()
                if first or news.ended or news.events:
                    self._heard = time.monotonic()
                    self._told(news)
                elif self.silent is not None and time.monotonic() - self._heard > self.patience:
                    self._heard = math.inf
                    self.silent()
                else:
                    self._wait()
            except Exception:
                if self._ticket is ticket:  # not if another job is followed by now
                    self.stop()
                raise

    def _wait(self) -> None:
        now = time.monotonic()
        if self.waiting is not None and now - self._waited >= WAITING:
            self._waited = now
            self.waiting(now - self._began)

    def _news(self) -> News:
        assert self.job is not None  # `follow` sets both
        assert self._reader is not None
        folder = self.job.folder
        try:
            status, events = self.job.status, self._reader.read()
            error = self.job.error if status != "running" else None
        except OSError:
            if folder.is_dir():
                raise
            status, events, error = "lost", [], None
        if status in ("running", "lost") and not folder.is_dir():
            return News("lost", events, f"The folder of this job is gone: {folder}. It was moved, renamed or deleted.")
        return News(status, events, error)


def under_way(project: Project, kind: str) -> Job | None:
    """The newest job of a kind in the project (but "train", whose folders are runs) if it is running, else None."""
    pattern = f"dlcnb-jobs/{kind}-*/{JOB_FILE}"
    found = [path for path in project.root.glob(pattern) if path.is_file()]
    files = sorted(found, key=lambda path: path.stat().st_mtime)
    job = attach(files[-1].parent) if files else None
    return job if job is not None and job.status == "running" else None
