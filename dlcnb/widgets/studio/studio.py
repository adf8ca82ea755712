"""Studio: all widgets of a project in one panel that leads through the work, step by step."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dlcnb.project import Project
from dlcnb.project.recent import remember
from dlcnb.widgets.base.advice import in_studio
from dlcnb.widgets.base.canvas import Painter
from dlcnb.widgets.base.closing import close_parts
from dlcnb.widgets.base.follow import JobFollower
from dlcnb.widgets.base.html import Html, markup
from dlcnb.widgets.base.input_guard import InputGuard
from dlcnb.widgets.base.view import NotYet, View, set_class, shown
from dlcnb.widgets.studio.activity import Activity
from dlcnb.widgets.studio.analysis_bar import AnalysisBar
from dlcnb.widgets.studio.door import FrontDoor
from dlcnb.widgets.studio.gone import gone
from dlcnb.widgets.studio.lines import Lines, still
from dlcnb.widgets.studio.making import MAKERS
from dlcnb.widgets.studio.next_step import do_next, planned
from dlcnb.widgets.studio.reading import overview
from dlcnb.widgets.studio.state import TABS, Overview
from dlcnb.widgets.studio.steps import Steps
from dlcnb.widgets.studio.videos import AddVideos

if TYPE_CHECKING:
    from PIL import Image

__all__ = ["Studio"]

# what looks again when it is opened again
LOOKING_AGAIN = ("Frames", "Label", "Check", "Evaluate", "Trajectories", "Zones", "Refine", "Report")
BESIDE = ("Trajectories", "Map")  # what shows one video, chosen beside what opens these
OF_VIDEO = (*BESIDE, "Refine")  # or above it
MOMENT = "One moment …"  # in place of an empty page


class Studio(View):
    """All widgets of a project in one panel; without a project, the front door.

    Its tabs are the steps of the work, each with its state: videos and frames, label, train, evaluate, look, refine.
    The line on top says how far the project is, what its network is worth and what comes next; the button beside it
    does that. The line at the bottom tells what is under way, from wherever it was started, and stops it.

    A widget is made when it is first opened. What is done in one the others see: a frame extracted here is offered for
    labeling there, a wrong label found in an evaluation opens in the labeler.

    Parameters
    ----------
    project : Project or path, optional
        Without one it begins at the front door: recent projects, a new one, one of the folders, sample data.
    video : path, optional
        At the front door, a video to make a new project from.

    Attributes
    ----------
    project : Project or None
    door : FrontDoor or None
        As long as no project is open.
    overview : Overview
        The state of the project, as shown on top.
    widgets : dict
        {name: widget} of those opened so far; the names are those that `go_to` takes.
    """

    _painter: Painter | None = None

    def __init__(self, project: Project | Path | str | None = None, *, video: Path | str | None = None) -> None:
        self.project: Project = None  # type: ignore[assignment]  # at the front door, where nothing asks for it
        self.door: FrontDoor | None = None
        self.overview = Overview()
        self.widgets: dict[str, Any] = {}
        self._lock = threading.RLock()
        self.guard = InputGuard(surfaces=0)
        super().__init__()
        self.add_class("dlcnb-studio")
        if project is None:
            self._to_the_door(Path(video).absolute() if video is not None else None)
        else:
            self.open_project(project)

    def _to_the_door(self, video: Path | None = None) -> None:
        self.door = FrontDoor(self.open_project, video=video)
        self.children = [self.door, self.guard, self.status_line]

    def open_project(self, project: Project | Path | str) -> None:
        """Open a project, in place of what is open; what that raises is passed on, and nothing is changed then."""
        opened = project if isinstance(project, Project) else Project.open(project)
        found = overview(opened)
        with self._lock:
            self.tell(MOMENT)
            self._leave()
            self.project, self.overview = opened, found
            remember(opened.root, opened.task)
            self._build()
            self._painter = Painter(self._look, self.fail)
            self._join(self.bar)
            self._join(self.adding)
            self.activity.find(opened)
            self._show()
            self.steps.open(self.overview.next_step[0])
            self.children = [self.lines.top, self.steps.tabs, self.steps.behind, self.guard, self.lines.bottom]
        self._on_tab()

    def _build(self) -> None:
        self.activity = Activity(self.fail, self.look, self._show)
        self.bar = AnalysisBar(self.project, self._on_video)
        self.adding = AddVideos(self.project, self.take_schema)
        self.steps = Steps(self._on_tab, dict.fromkeys(BESIDE, self.bar))
        self.lines = Lines(
            self.leave, self.do_next, self.refresh, self._correct, self.steps.gear, self.status_line, self.activity
        )
        self.line, self.next_button = self.lines.line, self.lines.next_button

    @shown
    def leave(self) -> None:
        """Back to the front door; labels are saved, what runs in worker processes goes on."""
        with self._lock:
            if self.project is None:  # there already
                return
            task, found = self.project.task, self.overview
            under_way = {"training": found.training, "evaluation": found.evaluating, "analysis": found.analyzing}
            self.tell(MOMENT)
            self._leave()
            self._to_the_door()
            if at_work := " and ".join(name for name, is_on in under_way.items() if is_on):
                self.tell(f"Still under way in {task}: {at_work}. Open it again to see how far that is.")

    def _leave(self) -> None:
        """Close what is open, project or front door."""
        self.children = [self.guard, self.status_line]
        if self._painter is not None:
            self._painter.close()
            self.activity.close()
            for tab in list(self.widgets):
                self._drop(tab)
            self.bar.close()
            self.adding.close()
            self.lines.close()
            for part in (self.steps.tabs, self.steps.behind, self.steps.closing):
                close_parts(part)
                part.close()
        if self.door is not None:
            self.door.close()
        self._painter, self.door, self.project = None, None, None  # type: ignore[assignment]  # as in __init__
        self.tell("")

    # --- tabs ---

    @property
    def tab(self) -> str:
        """Name of what is open, one of those that `go_to` takes."""
        return self.steps.tab

    @shown
    def go_to(self, tab: str) -> Any:
        """Open one of "Frames", "Label", "Check", "Train", … by its name, at its top; returns its widget."""
        if tab not in TABS:
            raise ValueError(f"There is no tab {tab!r}; the tabs are {', '.join(TABS)}.")
        self._check_open()
        if tab != self.tab:
            self.steps.open(tab)
            self.guard.send({"type": "top"})
        self._on_tab()
        return self.widgets.get(tab)

    @shown
    def do_next(self, other: bool = False) -> None:
        """Do what the button beside the line on top says, or the ``other`` one."""
        self._check_open()
        do_next(self, other)

    def _check_open(self) -> None:
        if self.project is None:
            raise NotYet("No project is open yet: open one, or make one.", lambda: self.project is None)

    @shown
    def _on_tab(self) -> None:
        self.tell("")
        self.lines.offer(None)
        tab = self.tab
        with self._lock:
            made = self.widgets.get(tab)
            if made is not None:
                made.recheck()  # also where the project is gone, which is told next
            self._take_changes()
            made = self.widgets.get(tab)
            if made is not None and made in self.steps.panes[tab].children:
                self._bring_up_to_date(tab)
            else:  # it may have been made for another tab, before its own was opened
                self._fill(tab)
        if tab == "Label" and tab in self.widgets:
            self.widgets[tab].focus()
        if tab == "Train" and tab in self.widgets:
            self._hear(self.widgets[tab])  # what it says is true as long as this run is shown
        self._show()
        self.look()

    def _fill(self, tab: str) -> None:
        """Make the widget of a tab, or say in its place why that can't be done yet."""
        above: list[Any] = {"Frames": [self.adding], "Bodyparts": [self.steps.closing]}.get(tab, [])
        if tab in OF_VIDEO:
            self.bar.refresh()
            above = [] if tab in BESIDE else [self.bar]
        try:
            made = self.widget(tab)
        except Exception as error:  # nothing to label yet, say: it is tried again when the tab is opened again
            words = f"Here you {TABS[tab]}."
            made = Html(markup('<div role="status" class="dlcnb-empty">{}<br>{}</div>', words, in_studio(str(error))))
        self.steps.panes[tab].children = [*above, made]

    def widget(self, tab: str) -> Any:
        """The widget of a tab, made if it was not before; what that raises is passed on."""
        with self._lock:
            if tab not in self.widgets:
                self.widgets[tab] = made = MAKERS[tab](self)
                self._join(made)
            return self.widgets[tab]

    def _join(self, made: Any) -> None:
        """Let what a widget tells, and the jobs that it starts, be seen at the bottom."""
        made.status_line.layout.display = "none"
        made.status_line.observe(lambda change: self._hear(made, change.old), "value")
        follower = getattr(made, "follower", None)
        if isinstance(follower, JobFollower):
            follower.also = self.activity.follow
            if follower.job is not None and follower.following:
                self.activity.follow(follower.job)
        self._hear(made)

    def _hear(self, made: View, before: str | None = None) -> None:
        """Show what a widget tells; one that takes back what it told ``before`` leaves what others told."""
        if made.said or self.status_line.value == before:
            self.tell(made.said, "error" if made.failed else "hint")

    def tell(self, message: str, kind: str = "hint") -> None:
        """Show a message at the bottom; where the project's folder is gone, that is told in place of an error."""
        super().tell((gone(self.project) or message) if kind == "error" else message, kind)

    def _bring_up_to_date(self, tab: str) -> None:
        """Let the widget of a tab see what was done elsewhere."""
        if tab in OF_VIDEO:
            self.bar.refresh()
        if tab == "Evaluate" and not self.project.runs():  # a merge has begun the next iteration
            self._drop(tab)
            self._fill(tab)
        elif tab in LOOKING_AGAIN:
            self.widgets[tab].refresh()
        elif tab == "Train":
            self.widgets[tab].list_runs()

    # --- what changes ---

    def _on_video(self) -> None:
        """Another video is chosen, or one was analyzed: its widgets are made anew."""
        with self._lock:
            for tab in OF_VIDEO:
                self._drop(tab)
            if self.tab in OF_VIDEO:
                self._fill(self.tab)
        self.look()

    def take_pcutoff(self, pcutoff: float) -> None:
        """The project has another pcutoff: what is open shows it."""
        if "Trajectories" in self.widgets:
            self.widgets["Trajectories"].choose("pcutoff", pcutoff)
        self._drop("Map")

    def take_schema(self) -> None:
        """Videos or bodyparts have changed: everything is opened anew."""
        with self._lock:
            self._renew(Project.open(self.project.root), keep=("Bodyparts",))
            if self.tab != "Bodyparts":
                self._fill(self.tab)
        self.look()

    @shown
    def _correct(self, frame: int) -> None:
        self.widget("Refine").correct(frame)

    def _take_changes(self) -> None:
        """If videos, bodyparts, … were changed elsewhere, open everything anew."""
        fresh = Project.open(self.project.root)
        if _schema(fresh) != _schema(self.project):
            self._renew(fresh)
            self.tell("The project was changed meanwhile: its widgets are opened again.")

    def _renew(self, project: Project, keep: Sequence[str] = ()) -> None:
        self.project = self.bar.project = self.adding.project = project
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
        if self.door is None:
            self._on_tab()

    def look(self) -> None:
        """Bring the line on top up to date, soon, on a thread."""
        if self._painter is not None:
            self._painter.request()

    def _look(self) -> None:
        project = self.project
        for made in [*self.widgets.values(), self.bar]:
            made.recheck()
        found = replace(overview(project), **planned(self.widgets))
        if found.training or found.evaluating or found.analyzing:
            self.activity.find(project)  # started elsewhere, it may be
        if found == self.overview:
            return
        with self._lock:
            if self.project is not project:  # left, or opened anew, meanwhile
                return
            self.overview = found
            self._show()
            self.bar.show()
            if self.tab not in self.widgets:  # there was nothing to show; there may be now
                self._fill(self.tab)

    def _show(self) -> None:
        self.adding.refresh()
        self.lines.show(self.project, self.overview, self.tab)
        self.steps.show_titles(self.overview.titles)
        self.guard.captions = list(self.overview.captions.values())
        set_class(self, "dlcnb-grows", self.tab == "Train")

    # --- without a browser ---

    def wait(self, timeout: float = 60.0) -> bool:
        """Block until the line on top is up to date; False after ``timeout`` seconds."""
        return self._painter is None or self._painter.wait(timeout)

    def snapshot(self) -> Image.Image:
        """The line on top, and the open tab's widget, as a `PIL.Image.Image`."""
        if self.door is not None:
            return self.door.snapshot()
        below = self.widgets[self.tab].snapshot() if self.tab in self.widgets else None
        found = self.overview
        return still([f"{self.project.task}: {found.summary}", f"next: {found.next_step[1]}"], below)

    def close(self) -> None:
        """Take everything off the page; labels are saved, what runs in worker processes goes on."""
        if self.comm is not None:
            with self._lock:
                self._leave()
        super().close()


def _schema(project: Project) -> tuple[Any, ...]:
    """What the widgets of a project are made from; if it changes, they are made anew."""
    return project.videos, project.bodyparts, project.skeleton.edges, project.scorer, project.iteration
