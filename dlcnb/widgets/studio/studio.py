"""Studio: all widgets in one tabbed panel, with the state of the project and the next step on top."""

from __future__ import annotations

import threading

import ipywidgets
from PIL import Image, ImageDraw

from dlcnb.labels import Suggestions
from dlcnb.outliers import suggestions
from dlcnb.project import Project
from dlcnb.widgets.base.canvas import Painter
from dlcnb.widgets.base.html import Html, markup, notice
from dlcnb.widgets.base.input_guard import InputGuard
from dlcnb.widgets.base.view import View, button, row, shown
from dlcnb.widgets.evaluation.view import EvaluationView
from dlcnb.widgets.frames.frame_picker import FramePicker
from dlcnb.widgets.labeler.labeler import Labeler
from dlcnb.widgets.map.frame_map import FrameMap
from dlcnb.widgets.refine.outlier_queue import OutlierQueue
from dlcnb.widgets.review.label_review import LabelReview
from dlcnb.widgets.schema.schema_editor import SchemaEditor
from dlcnb.widgets.studio.analysis_bar import AnalysisBar
from dlcnb.widgets.studio.state import TABS, Overview, overview
from dlcnb.widgets.training.monitor import TrainingMonitor
from dlcnb.widgets.trajectories.view import TrajectoryView

__all__ = ["Studio"]

OF_VIDEO = ("Trajectories", "Map", "Refine")  # tabs that show one video, chosen above them


class Studio(View):
    """All widgets of a project in one panel.

    A tab makes its widget when it is first opened. What one tab does the others see: a frame extracted here is offered
    for labeling there, a wrong label found in an evaluation opens in the labeler.

    Parameters
    ----------
    project : Project or path

    Attributes
    ----------
    overview : Overview
        The state of the project, as shown on top.
    widgets : dict
        {name of the tab: its widget}, of the tabs opened so far.
    """

    _painter = None

    def __init__(self, project):
        self.project = project if isinstance(project, Project) else Project.open(project)
        self.overview, self.widgets = Overview(), {}
        self._lock = threading.RLock()
        self.bar = AnalysisBar(self.project, self._on_video)
        self._build()
        super().__init__([self._top, self.tabs, InputGuard(surfaces=0)])
        self.add_class("dlcnb-studio")
        self._painter = Painter(self._look, self.fail)
        self.overview = overview(self.project)
        self._show()
        self.tabs.selected_index = list(TABS).index(self.overview.next_step[0])
        self._on_tab()
        self.tabs.observe(lambda _: self._on_tab(), "selected_index")

    def _build(self):
        self.line = Html(layout=ipywidgets.Layout(flex="0 1 auto"))
        self.next_button = ipywidgets.Button(button_style="primary", layout=ipywidgets.Layout(width="auto"))
        self.next_button.on_click(lambda _: self.go_to(self.overview.next_step[0]))
        self.reload = button("refresh", "Look what was done elsewhere meanwhile", self.refresh)
        self._top = row([self.line, self.next_button, self.reload])
        self._panes = {name: ipywidgets.VBox() for name in TABS}
        self.tabs = ipywidgets.Tab(list(self._panes.values()), titles=tuple(TABS))

    # --- tabs ---

    @property
    def tab(self):
        """Name of the tab that is open."""
        return list(TABS)[self.tabs.selected_index]

    @shown
    def go_to(self, tab):
        """Open a tab, by its name; returns its widget."""
        if tab not in TABS:
            raise ValueError(f"There is no tab {tab!r}; the tabs are {', '.join(TABS)}.")
        if tab != self.tab:
            self.tabs.selected_index = list(TABS).index(tab)  # its observer does the rest
        else:
            self._on_tab()
        return self.widgets.get(tab)

    @shown
    def _on_tab(self):
        self.tell("")
        with self._lock:
            self._take_changes()
            made = self.widgets.get(self.tab)
            if made is not None and made in self._panes[self.tab].children:
                self._bring_up_to_date(self.tab)
            else:  # it may have been made for another tab, before its own was opened
                self._fill(self.tab)
        self.look()

    def _fill(self, tab):
        """Make the widget of a tab, or say in its place why that can't be done yet."""
        above = [self.bar] if tab in OF_VIDEO else []
        if above:
            self.bar.refresh()
        try:
            made = self.widget(tab)
        except Exception as error:  # nothing to label yet, say: it is tried again when the tab is opened again
            made = Html(notice(str(error)))
        self._panes[tab].children = [*above, made]

    def widget(self, tab):
        """The widget of a tab, made if it was not before; what that raises is passed on."""
        with self._lock:
            if tab not in self.widgets:
                self.widgets[tab] = getattr(self, f"_make_{tab.lower()}")()
            return self.widgets[tab]

    def _bring_up_to_date(self, tab):
        """Let the widget of a tab see what was done elsewhere."""
        method = {
            "Frames": "refresh",
            "Label": "refresh",
            "Check": "load",
            "Evaluate": "refresh",
            "Refine": "refresh",
        }.get(tab)
        if tab in OF_VIDEO:
            self.bar.refresh()
        if method is not None:
            getattr(self.widgets[tab], method)()

    def _make_frames(self):
        return FramePicker(self.project, on_extracted=lambda _: self.look())

    def _make_label(self):
        offered = Suggestions(suggestions(self.project, folder.name) for folder in self.project.labeled_dirs())
        made = Labeler(self.project, suggestions=(offered.networks, offered) if offered else None)
        made.session.observe(lambda change: change.new == "saved" and self.look(), "saved")
        return made

    def _make_check(self):
        return LabelReview(self.project, labeler=_LabelerDoor(self))

    def _make_train(self):
        made = TrainingMonitor(self.project)
        made.state.observe(lambda _: self.look(), "status")
        return made

    def _make_evaluate(self):
        made = EvaluationView(self.project, labeler=_LabelerDoor(self))
        made.state.observe(lambda _: self.look(), "revision")
        return made

    def _make_trajectories(self):
        return TrajectoryView(self.project, self.bar.video, self._poses(), queue=_QueueDoor(self))

    def _make_map(self):
        return FrameMap(self.project, self.bar.video, self._poses(), queue=_QueueDoor(self))

    def _make_refine(self):
        made = OutlierQueue(self.project, self.bar.video, self._poses(), labeler=_LabelerDoor(self))
        made.state.observe(lambda _: self.look(), "revision")
        return made

    def _make_bodyparts(self):
        return SchemaEditor(self.project, on_changed=self._on_schema)

    def _poses(self):
        if self.bar.poses is None:
            raise FileNotFoundError(
                "This video has no poses yet: train a network, then press Analyze."
                if self.bar.video
                else "The project has no video yet: add one with dlcnb add-videos."
            )
        return self.bar.poses

    # --- what changes ---

    def _on_video(self):
        """Another video is chosen, or one was analyzed: its widgets are made anew."""
        with self._lock:
            for tab in OF_VIDEO:
                self._drop(tab)
            if self.tab in OF_VIDEO:
                self._fill(self.tab)
        self.look()

    def _on_schema(self):
        with self._lock:
            self._renew(Project.open(self.project.root), keep=("Bodyparts",))
        self.look()

    def _take_changes(self):
        """If videos, bodyparts, … were changed elsewhere, open everything anew."""
        fresh = Project.open(self.project.root)
        if _schema(fresh) != _schema(self.project):
            self._renew(fresh)
            self.tell("The project was changed meanwhile: its widgets are opened anew.")

    def _renew(self, project, keep=()):
        self.project = self.bar.project = project
        for tab in TABS:
            if tab not in keep:
                self._drop(tab)
        self.bar.refresh()

    def _drop(self, tab):
        made = self.widgets.pop(tab, None)
        if made is not None:
            self._panes[tab].children = []
            made.close()

    # --- the line on top ---

    @shown
    def refresh(self):
        """Look what was done elsewhere meanwhile."""
        self._on_tab()

    def look(self):
        """Bring the line on top up to date, soon, on a thread."""
        if self._painter is not None:
            self._painter.request()

    def _look(self):
        found = overview(self.project)
        if found != self.overview:
            self.overview = found
            self._show()

    def _show(self):
        tab, words = self.overview.next_step
        self.line.value = markup("<b>{}</b>: {}; next:", self.project.task, self.overview.summary)
        self.next_button.description = words
        self.next_button.tooltip = f"Open the tab {tab}"

    # --- without a browser ---

    def wait(self, timeout=60.0):
        """Block until the line on top is up to date; False after ``timeout`` seconds."""
        return self._painter.wait(timeout)

    def snapshot(self):
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

    def close(self):
        """Take everything off the page; labels are saved, what runs in worker processes goes on."""
        if self._painter is not None:
            self._painter.close()
            with self._lock:
                for tab in list(self.widgets):
                    self._drop(tab)
            self.bar.close()
        super().close()


class _LabelerDoor:
    """The labeler as others see it: made when it is wanted, its tab opened with it."""

    def __init__(self, studio):
        self._studio = studio

    @property
    def session(self):
        """The labeler's session; None as long as there is no labeler."""
        made = self._studio.widgets.get("Label")
        return made and made.session

    def go_to(self, image):
        """Open an image in the labeler."""
        labeler = self._studio.widget("Label")
        labeler.refresh()
        labeler.go_to(image)
        self._studio.go_to("Label")


class _QueueDoor:
    """The queue of outlier frames as the trajectories see it."""

    def __init__(self, studio):
        self._studio = studio

    def add(self, frame):
        """Put a frame into the queue; its tab stays as it is."""
        self._studio.widget("Refine").add(frame)


def _schema(project):
    return project.videos, project.bodyparts, project.skeleton.edges, project.scorer, project.iteration
