"""What is under way: of each job, and of a widget at work, words, how far it is, and a button that stops it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import ipywidgets

from dlcnb import jobs
from dlcnb.jobs import PAUSE
from dlcnb.run import Run
from dlcnb.widgets.base.follow import JobFollower, News, under_way
from dlcnb.widgets.base.html import Html, muted
from dlcnb.widgets.base.view import button, row, set_class
from dlcnb.widgets.training.state import clock_text

if TYPE_CHECKING:
    from dlcnb.jobs import Job
    from dlcnb.project import Project

__all__ = ["Activity"]

DOING = {"train": "Training", "evaluate": "Evaluating", "analyze": "Analyzing", "suggest": "Suggesting labels"}
OWN = {"analyze": ("Trajectories", "Map", "Refine")}  # tabs that have their own Stop, always in sight
ENDED = {"done": "done", "stopped": "stopped, what was done is kept", "failed": "failed", "lost": "the worker is gone"}
PAUSED = "paused"  # by the button that is then called Resume
CLOCK = "%H:%M"  # of when it ended


class Activity:
    """The newest job of each kind, from wherever it was started, and what the widget of a tab works at by itself.

    Parameters
    ----------
    failed : callable
        Called with what goes wrong while a job is followed.
    turned : callable
        Called without arguments when a job has begun or ended, and when it has saved a snapshot.
    told : callable
        Called without arguments when a job, or the work of a widget, has come further.

    Attributes
    ----------
    box : all of it side by side.
    """

    def __init__(
        self,
        failed: Callable[[Exception], object],
        turned: Callable[[], object],
        told: Callable[[], object] = lambda: None,
    ) -> None:
        self._failed, self._turned, self._told, self._tab = failed, turned, told, ""
        self._lines: dict[str, Line] = {}  # by kind of job; by tab, of widgets
        self._last = ""  # of those that have ended, the one that is still shown
        self._lock = threading.RLock()
        self.box = row([], tight=True)
        self.box.add_class("dlcnb-activity")

    def job_line(self, kind: str) -> JobLine:
        """The line of a kind of jobs."""
        with self._lock:
            if kind not in self._lines:
                self._lines[kind] = JobLine(kind, self._failed, self._turned, lambda: self._changed(kind))
                self.box.children = [line.box for line in self._lines.values()]
            line = self._lines[kind]
        assert isinstance(line, JobLine)  # tabs are not called as kinds are
        return line

    def find(self, project: Project) -> None:
        """Follow what is under way in a project already."""
        runs = [jobs.attach(run) for run in project.runs() if Run(run).job_file.is_file()]
        found = [under_way(project, kind) for kind in DOING if kind != "train"]
        for job in [*found, *runs]:
            if job is not None:
                self.follow(job)

    def follow(self, job: Job) -> None:
        """Show how far a job is, if it is running; no other one of its kind any more."""
        if job.status == "running":
            self.job_line(job.kind).follow(job)

    def show(self, tab: str, words: str, share: float, stop: Callable[[], object]) -> None:
        """Show what the widget of a tab works at; without words it has ended.

        Parameters
        ----------
        tab, words : str
        share : float
            How much is done, 0 to 1.
        stop : callable
            What Stop does.
        """
        with self._lock:
            if tab not in self._lines:
                self._lines[tab] = Line(stop)
                self.box.children = [line.box for line in self._lines.values()]
        self._lines[tab].say(words, share, running=bool(words))
        self._changed(tab)

    def words(self, name: str) -> str:
        """What a kind of job, or the widget of a tab, is at: "Training: 45% · 4:12 left"; empty if at nothing."""
        line = self._lines.get(name)
        return line.words if line is not None and line.running else ""

    def open_tab(self, tab: str) -> None:
        """Leave progress and Stop to the tab that is open, where it has its own; what has ended goes with the last."""
        if tab != self._tab:
            self._tab, self._last = tab, ""
        self._arrange()

    def hear(self, job: Job | None, status: str) -> None:
        """Say, until it has ended, that a job was asked to stop; one that is not followed, and other news, are not."""
        line = self._lines.get(job.kind) if job is not None else None
        if status in ("stopping", "pausing") and job is not None and isinstance(line, JobLine):
            line.hear(job, status)

    def _changed(self, name: str) -> None:
        if not self._lines[name].running:
            self._last = name
        self._arrange()
        self._told()

    def _arrange(self) -> None:
        """Show what is under way, or what ended last; with Stop, and the bar where it is alone."""
        with self._lock:
            running = {name for name, line in self._lines.items() if line.running}
            stoppable = {name for name in running if self._tab not in (name, *OWN.get(name, ()))}
            seen = running or {self._last}
            for name, line in self._lines.items():
                _show(line.box, name in seen)
                _show(line.stop_button, name in stoppable)
                _show(line.progress, name in stoppable and len(running) == 1)
                line.stop_button.description = "Stop" if len(running) == 1 else ""
            set_class(self.box, "dlcnb-idle", not any(self._lines[name].text.value for name in seen if name))

    def close(self) -> None:
        """Follow no more; the jobs go on."""
        for line in self._lines.values():
            line.close()


class Line:
    """Words, progress and Stop of one piece of work, side by side in ``box``.

    Parameters
    ----------
    stop : callable
        What Stop does.
    """

    def __init__(self, stop: Callable[[], object]) -> None:
        self.running, self.words = False, ""
        self.text = Html()
        self.text.add_class("dlcnb-number")
        self.progress = ipywidgets.FloatProgress(min=0, max=1, layout=ipywidgets.Layout(width="140px"))
        self.stop_button = button("stop", "Stop it; what is done so far is kept", stop, "Stop")
        self.box = row([self.text, self.progress, self.stop_button], tight=True)

    def say(self, words: str, share: float | None = None, *, running: bool = True) -> None:
        """Say how it goes; the share that is done is kept where it is None."""
        self.running, self.words, self.text.value = running, words, muted(words)
        if share is not None:
            self.progress.value = share

    def close(self) -> None:
        """There is nothing to close."""


class JobLine(Line):
    """How far the newest job of a kind is, from wherever it was started.

    Parameters
    ----------
    kind : str
    failed, turned
        As of `Activity`.
    told : callable
        Called without arguments after all news.
    """

    def __init__(
        self,
        kind: str,
        failed: Callable[[Exception], object],
        turned: Callable[[], object],
        told: Callable[[], object],
    ) -> None:
        super().__init__(self.stop)
        self._doing, self._failed, self._turned, self._told = DOING.get(kind, kind), failed, turned, told
        self._stopping, self._begun = "", False  # whether it has come further than its start
        self.follower = JobFollower(self._on_news, failed, seconds=0.3)
        self.follower.silent, self.follower.waiting = self._on_silence, self._on_waiting
        self.stop_button.tooltip = f"Stop {self._doing.lower()}; what is done so far is kept"

    def follow(self, job: Job) -> None:
        """Follow a job from its beginning; one that is followed already is not begun anew."""
        if self.follower.following and self.follower.job is not None and self.follower.job.folder == job.folder:
            return
        self._stopping, self._begun, self.progress.value = "", False, 0.0
        self.follower.follow(job)
        self._turned()

    def stop(self) -> None:
        """Ask the job to stop."""
        job = self.follower.job
        if job is not None and self.follower.following:
            try:
                job.stop()
                self.hear(job, "stopping")
            except OSError as error:
                self._failed(error)

    def hear(self, job: Job, status: str) -> None:
        """Say that this job was asked to stop; another one is none of this line's."""
        mine = self.follower.job
        if mine is not None and job.folder == mine.folder:
            self._stopping = status
            self.say(f"{self._doing}: {status} …")
            self._told()

    def _on_news(self, news: News) -> None:
        step = news.last("step") or news.last("progress")
        share = jobs.share(step) or 0.0 if step else None
        if news.ended:
            stopped = news.last("stopped") or {}
            how = PAUSED if stopped.get("reason") == PAUSE else self._ended(news.status)
            self.say(f"{self._doing}: {how} ({time.strftime(CLOCK)})", share, running=False)
        elif self._stopping:
            self.say(f"{self._doing}: {self._stopping} …", share)
        elif step is not None:
            self._begun = True
            left = step.get("seconds_left")
            how_far = f"{share:.0%}" + (f" · {clock_text(left)} left" if left is not None else "")
            self.say(f"{self._doing}: {how_far}", share)
        elif not self._begun or news.last("start"):
            self._begun = False
            self.say(self._starting(), 0.0)
        self._told()
        if news.ended or any(event.get("snapshot") for event in news.events):
            self._turned()

    def _starting(self, seconds: float = 0.0) -> str:
        return f"{self._doing}: starting …" + (f" {seconds:.0f} s" if seconds >= 1 else "")

    def _on_waiting(self, seconds: float) -> None:
        """Count the seconds until it has begun."""
        if not (self._begun or self._stopping):
            self.say(self._starting(seconds))
            self._told()

    def _on_silence(self) -> None:
        """What was said of the time left is not true any more, as the clock goes on."""
        if not self._stopping and self.progress.value:
            self.say(f"{self._doing}: {self.progress.value:.0%}")
            self._told()

    def _ended(self, status: str) -> str:
        """How a job ended; of an analysis that was stopped, what is kept."""
        job = self.follower.job
        words = jobs.kept(job) if status == "stopped" and job is not None and job.kind == "analyze" else ""
        return f"stopped, {words}" if words else ENDED[status]

    def close(self) -> None:
        """Follow no more; the job goes on."""
        self.follower.close()


def _show(widget: ipywidgets.Widget, wanted: bool) -> None:
    display = None if wanted else "none"
    if widget.layout.display != display:
        widget.layout.display = display
