"""Analysis of a video from the page: which video, start, how far, stop. The work is done by a worker process."""

from __future__ import annotations

import threading

import ipywidgets

from dlcnb import jobs
from dlcnb.poses import find_poses
from dlcnb.project import snapshots
from dlcnb.widgets.base.view import View, button, row, shown

__all__ = ["AnalysisBar"]

POLL_SECONDS = 0.2


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
    """

    job = _thread = None

    def __init__(self, project, changed=lambda: None):
        self.project, self._changed, self._quiet = project, changed, False
        self._closed = threading.Event()
        layout = ipywidgets.Layout
        self.videos = ipywidgets.Dropdown(layout=layout(width="260px", margin="0"))
        self.videos.tooltip = "Videos of the project; ✓: analysed"
        self.videos.observe(self._on_video, "value")
        starting = "Find the bodyparts in this video with the network that was trained last"
        self.start_button = button("cogs", starting, self.start, "Analyse")
        stopping = "Stop; what is done is kept, and the next Analyse goes on from there"
        self.stop_button = button("stop", stopping, self.stop, "Stop")
        self.progress = ipywidgets.FloatProgress(min=0, max=1, layout=layout(width="140px"))
        self.note = ipywidgets.HTML()
        parts = [ipywidgets.HTML("video"), self.videos, self.start_button, self.stop_button, self.progress, self.note]
        super().__init__([row(parts)])
        self.add_class("dlcnb-analysis")
        self.refresh()

    @property
    def video(self):
        """Path of the video chosen; None where the project has none."""
        return self.videos.value

    @property
    def poses(self):
        """Path of the newest table of poses of the video chosen; None if there is none."""
        try:
            return find_poses(self.video) if self.video else None
        except FileNotFoundError:
            return None

    @shown
    def refresh(self):
        """See which videos the project has and which are analysed."""
        videos, chosen = self.project.videos, self.video
        options = [(f"{'✓ ' if self._is_analysed(video) else ''}{video.name}", video) for video in videos]
        if list(self.videos.options) != options:
            self._quiet = True
            try:
                self.videos.options = options
                self.videos.value = chosen if chosen in videos else next(iter(videos), None)
            finally:
                self._quiet = False
        self._show()

    def _is_analysed(self, video):
        try:
            return bool(find_poses(video))
        except FileNotFoundError:
            return False

    def _on_video(self, _):
        if not self._quiet:
            self._show()
            self._changed()

    @property
    def busy(self):
        """Whether an analysis started here is under way."""
        return self._thread is not None and self._thread.is_alive()

    @shown
    def start(self):
        """Analyse the video chosen; returns at once (see `wait`)."""
        if self.busy:
            raise RuntimeError("An analysis is under way: stop it, or wait until it is done.")
        if self.video is None:
            raise FileNotFoundError(f"{self.project.root} has no video; add one: dlcnb add-videos")
        self.job = jobs.start("analyze", self.project, videos=[self.video], engine="fp32")
        self.tell(f"Analysing {self.video.name} …")
        self._thread = threading.Thread(target=self._follow, name="dlcnb-analysis", daemon=True)
        self._thread.start()
        self._show()

    @shown
    def stop(self):
        """Ask the analysis to stop; what it did is kept."""
        if self.busy:
            self.job.stop()
            self.tell("stopping …")

    def _follow(self):
        """Runs on a thread of its own until the worker has ended."""
        try:
            self._watch()
        except Exception as error:
            self.fail(error)

    def _watch(self):
        seen = 0
        while self.job.status == "running" and not self._closed.wait(POLL_SECONDS):
            events = self.job.events(seen)
            seen += len(events)
            steps = [event for event in events if event["event"] == "progress"]
            if steps:
                self.progress.value = steps[-1]["done"] / max(steps[-1]["total"], 1)
        if self._closed.is_set():
            return
        self._thread, status = None, self.job.status
        self.refresh()
        if status == "done":
            self.tell("")
            self._changed()
        else:
            stopped = f"Stopped. {jobs.kept(self.job)}; press Analyse to go on." if self.job.latest else "Stopped."
            words = stopped if status == "stopped" else self.job.error
            self.tell(words, "hint" if status == "stopped" else "error")

    def _show(self):
        busy, trained = self.busy, any(map(snapshots, self.project.runs()))
        self.progress.layout.display = self.stop_button.layout.display = None if busy else "none"
        self.progress.value = self.progress.value if busy else 0
        self.start_button.disabled = busy or not trained or self.video is None
        table = self.poses
        self.start_button.description = "Analyse again" if table else "Analyse"
        self.start_button.button_style = "" if table or not trained else "success"
        words = table.name if table else "not analysed yet" if trained else "train a network first"
        self.note.value = f'<span class="dlcnb-muted">{words}</span>'

    def wait(self, timeout=None):
        """Block until the analysis started here is done; False after ``timeout`` seconds."""
        thread = self._thread
        if thread is not None:
            thread.join(timeout)
        return not self.busy

    def close(self):
        """Take the widget off the page; an analysis goes on."""
        self._closed.set()
        super().close()
