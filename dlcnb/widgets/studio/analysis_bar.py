"""Analysis of a video from the page: which video, start, how far, stop. The work is done by a worker process."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import ipywidgets

from dlcnb import jobs
from dlcnb.poses import newest_poses
from dlcnb.project import missing_words
from dlcnb.run import Run
from dlcnb.widgets.base.advice import in_studio
from dlcnb.widgets.base.choices import short_names
from dlcnb.widgets.base.follow import JobFollower, News, under_way
from dlcnb.widgets.base.html import Html, muted
from dlcnb.widgets.base.quiet import Quiet
from dlcnb.widgets.base.view import NotYet, View, button, gesture, row, shown
from dlcnb.widgets.studio.networks import Older, has_poses, older_poses
from dlcnb.widgets.training.runs import percent, training_run

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from dlcnb.jobs import Job
    from dlcnb.project import Project

__all__ = ["ANYWAY", "AnalysisBar"]

STARTING = "starting the network …"
TIP = "Find the bodyparts in this video with the network that was trained last"
VIDEOS = "Videos of the project; ✓: analyzed"
ANYWAY = "Analyze anyway?"  # what the button says while a second press is awaited
WIDTH = "138px"  # of Analyze, and of Stop in its place, whatever they say


class AnalysisBar(View):
    """A row to choose a video of the project, and to find its poses with the last network.

    The work goes on when the page, the kernel or the connection does not.

    Parameters
    ----------
    project : Project
    changed : callable, optional
        Called without arguments when another video is chosen, and when poses of a video are there.

    Attributes
    ----------
    video : Path or None
        The one chosen.
    asking : bool
        Whether a second press of Analyze is awaited, as a training is under way.
    """

    def __init__(self, project: Project, changed: Callable[[], object] = lambda: None) -> None:
        self.project, self._changed, self._quiet, self.asking = project, changed, Quiet(), False
        self.follower = JobFollower(self._on_news, self._on_failure, seconds=0.2)
        layout = ipywidgets.Layout
        self.videos = ipywidgets.Dropdown(layout=layout(flex="2 1 90px", min_width="0", max_width="420px", margin="0"))
        self.videos.observe(self._quiet.ignored(lambda _: self._on_video()), "value")
        self.start_button = button("cogs", TIP, self.press, "Analyze", WIDTH)
        stopping = "Stop the analysis; the parts that are done are kept, and the next one goes on from there"
        self.stop_button = button("stop", stopping, self.stop, "Stop", WIDTH)
        self.progress = ipywidgets.FloatProgress(min=0, max=1, layout=layout(width="100%", margin="0"))
        self.note = Html()
        beside = ipywidgets.HBox([self.progress, self.note])  # as wide whatever it shows, so that nothing moves
        beside.add_class("dlcnb-beside-analysis")
        super().__init__([row([Html("video"), self.videos, self.start_button, self.stop_button, beside])])
        self.add_class("dlcnb-analysis")
        self.refresh()

    @shown
    def _find(self) -> None:
        """Follow an analysis that was started before: from another page, or a kernel that is gone."""
        if (job := under_way(self.project, "analyze")) is not None:
            self.follower.follow(job)

    @property
    def job(self) -> Job | None:
        """The analysis that is followed, or was last."""
        return self.follower.job

    @property
    def video(self) -> Path | None:
        """Path of the video chosen; None where the project has none."""
        return self.videos.value

    @property
    def open_videos(self) -> list[Path]:
        """The videos that are not analyzed yet; if all are, those of an older network, or else the one chosen."""
        fresh = [video for video in self.project.videos if not has_poses(video)]
        return fresh or [*older_poses(self.project).videos] or [v for v in (self.video,) if v]

    @property
    def poses(self) -> Path | None:
        """Path of the newest table of poses of the video chosen; None if there is none."""
        try:
            return newest_poses(self.video) if self.video else None
        except FileNotFoundError:
            return None

    @shown
    def refresh(self) -> None:
        """See which videos the project has, which are analyzed, and whether an analysis was started elsewhere."""
        self._ask_no_more()
        videos, chosen = self.project.videos, self.video
        names = short_names([video.name for video in videos])
        options = [
            (f"{'✓ ' if has_poses(video) else ''}{name}", video) for name, video in zip(names, videos, strict=True)
        ]
        if list(self.videos.options) != options:
            self._quiet.set(
                self.videos, options=options, value=chosen if chosen in videos else next(iter(videos), None)
            )
        self.show()
        if not self.busy:
            self._find()

    def _on_video(self) -> None:
        self._ask_no_more()
        self.show()
        self._changed()

    @property
    def busy(self) -> bool:
        """Whether an analysis is under way."""
        return self.follower.following

    @gesture
    def press(self) -> None:
        """Analyze the video chosen; while a network is trained, ask first, and do it when pressed again."""
        if self.asking or self.busy or (run := training_run(self.project)) is None:
            self.start()
            return
        self.asking = True
        self.tell(
            f"Training still runs ({percent(run)}): analyze with the network so far? It slows both, and the finished "
            f"network finds better poses. {ANYWAY} does it now."
        )
        self.show()

    def recheck(self) -> None:
        """Take back what is no longer true: an error, or a question about a training that has ended."""
        super().recheck()
        if self.asking and training_run(self.project) is None:
            self._ask_no_more()
            self.show()

    def _ask_no_more(self) -> None:
        if self.asking:
            self.asking = False
            self.tell("")

    @gesture
    def start(self, videos: Sequence[Path] = ()) -> None:
        """Analyze the video chosen, or these; returns at once (see `wait`)."""
        if self.busy:
            raise NotYet("An analysis is under way: stop it, or wait until it is done.", lambda: self.busy)
        if self.video is None:
            no_video = "There is no video yet: add one under Videos and frames."
            raise NotYet(missing_words(self.project) or no_video, lambda: self.video is None)
        wanted, self.asking = list(videos) or [self.video], False
        self.tell(f"Analyzing {', '.join(video.name for video in wanted)}: {STARTING}")
        self.follower.follow(jobs.start("analyze", self.project, videos=wanted, engine="auto", dynamic="auto"))

    @gesture
    def stop(self) -> None:
        """Ask the analysis to stop; the parts that it has done are kept."""
        if self.job is not None and self.busy:
            self.job.stop()
            self.tell("Stopping the analysis …")

    def _on_news(self, news: News) -> None:
        step = news.last("progress")
        if step is not None:
            if STARTING in self.said:
                self.tell("")
            self.progress.value = step["done"] / max(step["total"], 1)
        if not news.ended:
            self.show()
            return
        self.refresh()
        if news.status == "done":
            self.tell(self._how_it_was_done())
            self._changed()
        elif news.status == "stopped":
            kept = jobs.kept(self.job) if self.job is not None else ""
            goes_on = f": {kept}; {self.start_button.description} goes on" if kept else ""
            self.tell(f"The analysis was stopped{goes_on}.")
        else:
            self.tell(news.error or "The analysis ended, and did not say why. Start it again.", "error")

    def _how_it_was_done(self) -> str:
        """What is worth telling of the last analysis: a part of the frames, an animal that was followed."""
        done = (self.job.result or {}).get("videos", []) if self.job is not None else []
        crops = ["only x {} to {}, y {} to {} was looked at".format(*one["crop"]) for one in done if one.get("crop")]
        followed = [one["followed"] for one in done if one.get("followed")]
        words = "; ".join([*crops[:1], *followed[:1]])
        return f"{words[:1].upper()}{words[1:]}." if words else ""

    def _on_failure(self, error: Exception) -> None:
        self.fail(error)
        self.show()

    def show(self) -> None:
        """Bring its buttons and words up to date with what is done and under way."""
        busy, trained = self.busy, self._trained()
        self.videos.tooltip = f"{self.video.name if self.video else ''}\n{VIDEOS}".strip()
        self.progress.layout.display = self.stop_button.layout.display = None if busy else "none"
        self.start_button.layout.display = "none" if busy else None
        self.progress.value = self.progress.value if busy else 0
        missing, training = self.missing(), not busy and training_run(self.project) is not None
        found = older_poses(self.project) if trained and not missing else Older()
        older = found.videos.get(self.video) if self.video else None
        tip = TIP if older is None else f"{TIP}: these poses are of an older one, {older}"
        self.start_button.disabled, self.start_button.tooltip = bool(missing), missing or tip
        there = self.poses is not None  # below, the widget of the video names them
        first = trained and not training and ((older is not None and found.worth) or not there)
        self.start_button.description = ANYWAY if self.asking else "Analyze again" if there else "Analyze"
        self.start_button.button_style = "warning" if self.asking else "primary" if first else ""
        told = "not analyzed yet" if not there else "by an older network" if older is not None else ""
        self.note.value = muted(missing or ("training still runs" if training else told))
        self.note.layout.display = "none" if busy else None

    def missing(self) -> str:
        """Why no analysis can be started now; empty if one can."""
        if self.busy:
            return "under way"
        if self.video is None:
            return in_studio(missing_words(self.project)) or "add a video first"
        if self._trained():
            return ""
        training = training_run(self.project) is not None
        of = f" of iteration {self.project.iteration}" if self.project.iteration else ""
        return "the network is still being trained" if training else f"train a network{of} first"

    def _trained(self) -> bool:
        return any(Run(run).steps for run in self.project.runs())

    def wait(self, timeout: float | None = None) -> bool:
        """Block until the analysis is done; False if it is silent for ``timeout`` seconds."""
        try:
            self.follower.wait(timeout)
        except TimeoutError:
            return False
        return True

    def close(self) -> None:
        """Take the widget off the page; an analysis goes on."""
        self.follower.close()
        super().close()
