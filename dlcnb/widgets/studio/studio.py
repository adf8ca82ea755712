"""Studio: all widgets of a project in one panel that leads through the work, step by step."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import ipywidgets
from PIL import Image, ImageDraw

from dlcnb.labels import Suggestions
from dlcnb.outliers import suggestions
from dlcnb.project import Project
from dlcnb.widgets.base.canvas import Painter
from dlcnb.widgets.base.follow import JobFollower
from dlcnb.widgets.base.html import Html, markup, muted
from dlcnb.widgets.base.input_guard import InputGuard
from dlcnb.widgets.base.view import View, button, row, shown
from dlcnb.widgets.evaluation.view import EvaluationView
from dlcnb.widgets.frames.frame_picker import FramePicker
from dlcnb.widgets.labeler.labeler import Labeler
from dlcnb.widgets.map.frame_map import FrameMap
from dlcnb.widgets.refine.outlier_queue import OutlierQueue
from dlcnb.widgets.review.label_review import LabelReview
from dlcnb.widgets.schema.schema_editor import SchemaEditor
from dlcnb.widgets.studio.activity import Activity
from dlcnb.widgets.studio.analysis_bar import AnalysisBar
from dlcnb.widgets.studio.state import TABS, Overview, overview
from dlcnb.widgets.studio.steps import Steps
from dlcnb.widgets.training.monitor import TrainingMonitor
from dlcnb.widgets.trajectories.view import TrajectoryView

__all__ = ["Studio"]

LOOKING_AGAIN = ("Frames", "Label", "Check", "Evaluate", "Refine")  # when they are opened again
OF_VIDEO = ("Trajectories", "Map", "Refine")  # what shows one video, chosen above it


class Studio(View):
    """All widgets of a project in one panel.

    Its tabs are the steps of the work, each with its state: videos and frames, label, train, evaluate, look, refine.
    The line on top says how far the project is, what its network is worth and what comes next; the button beside it
    does that. The line at the bottom tells what is under way, from wherever it was started, and stops it.

    A widget is made when it is first opened. What is done in one the others see: a frame extracted here is offered for
    labeling there, a wrong label found in an evaluation opens in the labeler.

    Parameters
    ----------
    project : Project or path

    Attributes
    ----------
    overview : Overview
        The state of the project, as shown on top.
    widgets : dict
        {name: widget} of those opened so far; the names are those that `go_to` takes.
    """

    _painter: Painter | None = None

    def __init__(self, project: Project | Path | str) -> None:
        self.project = project if isinstance(project, Project) else Project.open(project)
        self.overview = Overview()
        self.widgets: dict[str, Any] = {}
        self._lock = threading.RLock()
        self.activity = Activity(self.fail, self.look)
        self.bar = AnalysisBar(self.project, self._on_video)
        self.steps = Steps(self._on_tab)
        self._build()
        super().__init__()
        bottom = ipywidgets.HBox([self.status_line, self.activity.box])
        bottom.add_class("dlcnb-bottom")
        self.children = [self._top, self.steps.tabs, self.steps.behind, self.guard, bottom]
        self.add_class("dlcnb-studio")
        self._painter = Painter(self._look, self.fail)
        self._join(self.bar)
        self.activity.find(self.project)
        self.overview = overview(self.project)
        self._show()
        self.steps.open(self.overview.next_step[0])
        self._on_tab()

    def _build(self) -> None:
        self.guard = InputGuard(surfaces=0)
        self.line = Html(layout=ipywidgets.Layout(flex="1 1 0", min_width="0"))
        self.next_button = ipywidgets.Button(button_style="primary", layout=ipywidgets.Layout(width="auto"))
        self.next_button.on_click(lambda _: self.do_next())
        self.reload = button("refresh", "Look what was done elsewhere meanwhile", self.refresh)
        self._top = row([self.line, self.next_button, self.reload, self.steps.gear])
        self._top.add_class("dlcnb-overview")

    # --- tabs ---

    @property
    def tab(self) -> str:
        """Name of what is open, one of those that `go_to` takes."""
        return self.steps.tab

    @shown
    def go_to(self, tab: str) -> Any:
        """Open one of "Frames", "Label", "Check", "Train", … by its name; returns its widget."""
        if tab not in TABS:
            raise ValueError(f"There is no tab {tab!r}; the tabs are {', '.join(TABS)}.")
        self.steps.open(tab)
        self._on_tab()
        return self.widgets.get(tab)

    @shown
    def do_next(self) -> None:
        """Do what the button beside the line on top says."""
        tab, _ = self.overview.next_step
        made = self.go_to(tab)
        if tab == "Train" and made is not None and not self.overview.training:
            made.start()
        elif tab == "Evaluate" and made is not None:
            made.evaluate()
        elif tab == "Trajectories":
            self.bar.start(self.bar.open_videos)

    @shown
    def _on_tab(self) -> None:
        self.tell("")
        tab = self.tab
        with self._lock:
            self._take_changes()
            made = self.widgets.get(tab)
            if made is not None and made in self.steps.panes[tab].children:
                self._bring_up_to_date(tab)
            else:  # it may have been made for another tab, before its own was opened
                self._fill(tab)
        self.look()

    def _fill(self, tab: str) -> None:
        """Make the widget of a tab, or say in its place why that can't be done yet."""
        above = [self.bar] if tab in OF_VIDEO else []
        if above:
            self.bar.refresh()
        try:
            made = self.widget(tab)
        except Exception as error:  # nothing to label yet, say: it is tried again when the tab is opened again
            made = Html(markup('<div role="status" class="dlcnb-empty">{}<br>{}</div>', _here(tab), error))
        self.steps.panes[tab].children = [*above, made]

    def widget(self, tab: str) -> Any:
        """The widget of a tab, made if it was not before; what that raises is passed on."""
        with self._lock:
            if tab not in self.widgets:
                self.widgets[tab] = made = getattr(self, f"_make_{tab.lower()}")()
                self._join(made)
            return self.widgets[tab]

    def _join(self, made: Any) -> None:
        """Let what a widget tells, and the jobs that it starts, be seen at the bottom."""
        made.status_line.layout.display = "none"
        made.status_line.observe(lambda change: setattr(self.status_line, "value", change.new), "value")
        follower = getattr(made, "follower", None)
        if isinstance(follower, JobFollower):
            follower.also = self.activity.follow
            if follower.job is not None and follower.following:
                self.activity.follow(follower.job)
        if made.status_line.value:
            self.status_line.value = made.status_line.value

    def _bring_up_to_date(self, tab: str) -> None:
        """Let the widget of a tab see what was done elsewhere."""
        if tab in OF_VIDEO:
            self.bar.refresh()
        if tab in LOOKING_AGAIN:
            self.widgets[tab].refresh()

    def _make_frames(self) -> View:
        return FramePicker(self.project, on_extracted=lambda _: self.look())

    def _make_label(self) -> View:
        offered = Suggestions(suggestions(self.project, folder.name) for folder in self.project.labeled_dirs())
        made = Labeler(self.project, suggestions=(offered.networks, offered) if offered else None)
        made.session.observe(lambda change: self.look() if change.new == "saved" else None, "saved")
        return made

    def _make_check(self) -> View:
        return LabelReview(self.project, labeler=_LabelerDoor(self))

    def _make_train(self) -> View:
        made = TrainingMonitor(self.project)
        made.state.observe(lambda _: self.look(), "status")
        return made

    def _make_evaluate(self) -> View:
        made = EvaluationView(self.project, labeler=_LabelerDoor(self))
        made.state.observe(lambda _: self.look(), "revision")
        return made

    def _make_trajectories(self) -> View:
        return TrajectoryView(self.project, self.bar.video, self._poses(), queue=_QueueDoor(self))

    def _make_map(self) -> View:
        return FrameMap(self.project, self.bar.video, self._poses(), queue=_QueueDoor(self))

    def _make_refine(self) -> View:
        made = OutlierQueue(self.project, self.bar.video, self._poses(), labeler=_LabelerDoor(self))
        made.state.observe(lambda _: self.look(), "revision")
        return made

    def _make_bodyparts(self) -> View:
        return SchemaEditor(self.project, on_changed=self._on_schema)

    def _poses(self) -> Path:
        if self.bar.poses is None:
            raise FileNotFoundError(
                "This video has no poses yet: train a network, then press Analyze."
                if self.bar.video
                else "The project has no video yet: add one with dlcnb add-videos."
            )
        return self.bar.poses

    # --- what changes ---

    def _on_video(self) -> None:
        """Another video is chosen, or one was analyzed: its widgets are made anew."""
        with self._lock:
            for tab in OF_VIDEO:
                self._drop(tab)
            if self.tab in OF_VIDEO:
                self._fill(self.tab)
        self.look()

    def _on_schema(self) -> None:
        with self._lock:
            self._renew(Project.open(self.project.root), keep=("Bodyparts",))
        self.look()

    def _take_changes(self) -> None:
        """If videos, bodyparts, … were changed elsewhere, open everything anew."""
        fresh = Project.open(self.project.root)
        if _schema(fresh) != _schema(self.project):
            self._renew(fresh)
            self.tell("The project was changed meanwhile: its widgets are opened anew.")

    def _renew(self, project: Project, keep: Sequence[str] = ()) -> None:
        self.project = self.bar.project = project
        for tab in TABS:
            if tab not in keep:
                self._drop(tab)
        self.bar.refresh()

    def _drop(self, tab: str) -> None:
        made = self.widgets.pop(tab, None)
        if made is not None:
            self.steps.panes[tab].children = []
            made.close()

    # --- the line on top ---

    @shown
    def refresh(self) -> None:
        """Look what was done elsewhere meanwhile."""
        self._on_tab()

    def look(self) -> None:
        """Bring the line on top up to date, soon, on a thread."""
        if self._painter is not None:
            self._painter.request()

    def _look(self) -> None:
        found = overview(self.project)
        if found != self.overview:
            self.overview = found
            self._show()

    def _show(self) -> None:
        tab, words = self.overview.next_step
        self.line.value = markup("<b>{}</b>: {} {}", self.project.task, self.overview.summary, muted("· next:"))
        self.next_button.description = words[:1].upper() + words[1:]
        self.next_button.tooltip = f"Opens {tab}: {TABS[tab]}"
        self.steps.show_titles(self.overview.titles)

    # --- without a browser ---

    def wait(self, timeout: float = 60.0) -> bool:
        """Block until the line on top is up to date; False after ``timeout`` seconds."""
        return self._painter is None or self._painter.wait(timeout)

    def snapshot(self) -> Image.Image:
        """The line on top, and the open tab's widget, as a `PIL.Image.Image`."""
        lines = [f"{self.project.task}: {self.overview.summary}", f"next: {self.overview.next_step[1]}"]
        below = self.widgets[self.tab].snapshot() if self.tab in self.widgets else None
        width = max(640, below.width if below is not None else 0)
        drawn = Image.new("RGB", (width, 44 + (below.height if below is not None else 0)), "white")
        for n, line in enumerate(lines):
            ImageDraw.Draw(drawn).text((8, 6 + 18 * n), line, "black")
        if below is not None:
            drawn.paste(below, (0, 44))
        return drawn

    def close(self) -> None:
        """Take everything off the page; labels are saved, what runs in worker processes goes on."""
        if self._painter is not None:
            self._painter.close()
            self.activity.close()
            with self._lock:
                for tab in list(self.widgets):
                    self._drop(tab)
            self.bar.close()
        super().close()


class _LabelerDoor:
    """The labeler as others see it: made when it is wanted, its tab opened with it."""

    def __init__(self, studio: Studio) -> None:
        self._studio = studio

    @property
    def session(self) -> Any:
        """The labeler's session; None as long as there is no labeler."""
        made = self._studio.widgets.get("Label")
        return made and made.session

    def go_to(self, image: str) -> None:
        """Open an image in the labeler."""
        labeler = self._studio.widget("Label")
        labeler.refresh()
        labeler.go_to(image)
        self._studio.go_to("Label")


class _QueueDoor:
    """The queue of outlier frames as the trajectories see it."""

    def __init__(self, studio: Studio) -> None:
        self._studio = studio

    def add(self, frame: int) -> None:
        """Put a frame into the queue; its tab stays as it is."""
        self._studio.widget("Refine").add(frame)


def _schema(project: Project) -> tuple[Any, ...]:
    return project.videos, project.bodyparts, project.skeleton.edges, project.scorer, project.iteration


def _here(tab: str) -> str:
    """What will be in a tab, for where it is empty."""
    return f"Here you {TABS[tab]}."
