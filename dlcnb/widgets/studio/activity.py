"""What is under way in a worker process: in words, how far, and a button that stops it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import ipywidgets

from dlcnb import jobs
from dlcnb.run import Run
from dlcnb.widgets.base.follow import JobFollower, News, under_way
from dlcnb.widgets.base.html import Html, muted
from dlcnb.widgets.base.view import button, row
from dlcnb.widgets.training.state import clock_text

if TYPE_CHECKING:
    from dlcnb.jobs import Job
    from dlcnb.project import Project

__all__ = ["Activity"]

DOING = {"train": "Training", "evaluate": "Evaluating", "analyze": "Analyzing", "suggest": "Suggesting labels"}
OWN = {"train": ("Train",), "analyze": ("Trajectories", "Map", "Refine")}  # tabs that have their own Stop
ENDED = {"done": "done", "stopped": "stopped, what was done is kept", "failed": "failed", "lost": "the worker is gone"}


class Activity:
    """The newest job of a project, from wherever it was started.

    Parameters
    ----------
    failed : callable
        Called with what goes wrong while a job is followed.
    ended : callable
        Called without arguments when a job has ended.

    Attributes
    ----------
    box : words, progress and Stop side by side.
    """

    def __init__(self, failed: Callable[[Exception], object], ended: Callable[[], object]) -> None:
        self.follower = JobFollower(self._on_news, failed, seconds=0.3)
        self._failed, self._ended, self._kind, self._tab = failed, ended, "", ""
        self._stop_work: Callable[[], object] | None = None
        self._stopping = False
        self.text = Html()
        self.text.add_class("dlcnb-number")
        self.progress = ipywidgets.FloatProgress(min=0, max=1, layout=ipywidgets.Layout(width="140px", display="none"))
        self.stop_button = button("stop", "Stop it; what is done so far is kept", self.stop, "Stop")
        self.stop_button.layout.display = "none"
        self.box = row([self.text, self.progress, self.stop_button], tight=True)

    def find(self, project: Project) -> None:
        """Follow what is under way in a project already."""
        runs = [jobs.attach(run) for run in project.runs() if Run(run).job_file.is_file()]
        found = [under_way(project, kind) for kind in DOING if kind != "train"]
        running = [job for job in [*found, *runs] if job is not None and job.status == "running"]
        if running:
            self.follow(running[-1])

    def follow(self, job: Job) -> None:
        """Show how far a job is, if it is running; this one and no other any more."""
        if job.status == "running":
            self._kind, self._stopping, self.progress.value = DOING.get(job.kind, job.kind), False, 0.0
            self.follower.follow(job)

    def open_tab(self, tab: str) -> None:
        """Leave progress and Stop to the tab that is open, where it has its own."""
        self._tab = tab
        if self.follower.following:
            self._show_controls(True)

    def show(self, words: str, share: float, stop: Callable[[], object]) -> None:
        """Show work of a widget, unless a job is under way; without words it has ended.

        Parameters
        ----------
        words : str
        share : float
            How much is done, 0 to 1.
        stop : callable
            What Stop does.
        """
        if self.follower.following:
            return
        self._stop_work = stop if words else None
        self._show_controls(bool(words))
        self.progress.value, self.text.value = share, muted(words)

    def _show_controls(self, wanted: bool) -> None:
        job = self.follower.job
        there = job is not None and self.follower.following and self._tab in OWN.get(job.kind, ())
        display = None if wanted and not there else "none"
        for widget in (self.progress, self.stop_button):
            if widget.layout.display != display:
                widget.layout.display = display

    def stop(self) -> None:
        """Ask the job, or the widget at work, to stop."""
        if self._stop_work is not None:
            self._stop_work()
            return
        job = self.follower.job
        if job is not None and self.follower.following:
            try:
                job.stop()
                self.hear(job, "stopping")
            except OSError as error:
                self._failed(error)

    def hear(self, job: Job | None, status: str) -> None:
        """Say, until it has ended, that the job that is followed was asked to stop; others, and other news, are not."""
        mine = self.follower.job
        if status not in ("stopping", "pausing") or job is None or mine is None or job.folder != mine.folder:
            return
        self._stopping = True
        self.text.value = muted(f"{self._kind}: {status} …")

    def _on_news(self, news: News) -> None:
        self._stop_work = None
        self._show_controls(not news.ended)
        step = news.last("step") or news.last("progress")
        if news.ended:
            self.text.value = muted(f"{self._kind}: {ENDED[news.status]}")
            self._ended()
        elif self._stopping:
            self.progress.value = _share(step) if step else self.progress.value
        elif step is None:
            if not self.progress.value or news.last("start"):
                self.progress.value = 0.0
                self.text.value = muted(f"{self._kind}: starting the network …")
        else:
            self.progress.value = _share(step)
            left = step.get("seconds_left")
            rest = f" · {clock_text(left)} left" if left is not None else ""
            self.text.value = muted(f"{self._kind}: {self.progress.value:.0%}{rest}")

    def close(self) -> None:
        """Follow no more; the job goes on."""
        self.follower.close()


def _share(step: dict[str, Any]) -> float:
    """How far a job is, 0 to 1, by its "step" or "progress" event."""
    share = step["progress"] if "progress" in step else step.get("done", 0) / max(step.get("total") or 1, 1)
    return min(max(float(share or 0), 0.0), 1.0)
