"""The front door of a Studio: recent projects, a new one, one from a folder, sample data."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable
from pathlib import Path

import ipywidgets
from PIL import Image, ImageDraw

from dlcnb import sampledata
from dlcnb.project import Project
from dlcnb.project.recent import Recent, forget, recent_projects
from dlcnb.widgets.base.folders import FolderBrowser
from dlcnb.widgets.base.html import Html, heading, markup, muted, shortened
from dlcnb.widgets.base.task import Task
from dlcnb.widgets.base.view import View, button, gesture, row, shown
from dlcnb.widgets.studio.new_project import NewProject
from dlcnb.widgets.studio.where import is_project, place_to_write

__all__ = ["WAYS", "FrontDoor"]

WAYS = ("Recent", "New project", "Open", "Sample data")
SAMPLES = {
    "Synthetic arena": "a mouse drawn by the computer, 60 labeled frames with exact truth; made in half a minute",
    "Open-field mouse": "the real mouse of DeepLabCut's paper, 116 labeled frames; 29 MB are fetched once",
}


class FrontDoor(View):
    """Where a Studio without a project begins.

    Parameters
    ----------
    opened : callable
        Called with the `Project` that was made, or the path of the one that was chosen; what it raises is shown here.
    folder : path, optional
        Where to begin to look; by default where the kernel is.
    video : path, optional
        One to make a new project from.
    """

    def __init__(
        self,
        opened: Callable[[Project | Path], object],
        *,
        folder: str | Path | None = None,
        video: Path | None = None,
    ) -> None:
        self._opened, self._folder, self._video = opened, folder, video
        self.task = Task(self.fail, self._busy)
        self.ways = ipywidgets.ToggleButtons(options=list(WAYS))
        self.ways.style.button_width = "auto"
        self.ways.add_class("dlcnb-ways")
        self.pane = ipywidgets.VBox()
        self.pane.add_class("dlcnb-pane")
        self._made: dict[str, View | ipywidgets.VBox] = {}
        super().__init__([Html(markup('<span class="dlcnb-title">dlcnb Studio</span>')), self.ways, self.pane])
        self.add_class("dlcnb-door")
        first = "New project" if video is not None or not recent_projects() else "Recent"
        self.ways.value = first
        self.ways.observe(lambda change: self.show(change.new), "value")
        self.show(first)

    @shown
    def show(self, way: str) -> None:
        """Show one of `WAYS`."""
        self.tell("")
        if way not in self._made or way == "Recent":
            made = {"Recent": self._recent, "New project": self._new, "Open": self._open, "Sample data": self._samples}
            self._made[way] = made[way]()
        self.pane.children = [self._made[way]]
        if self.ways.value != way:
            self.ways.value = way

    def _new(self) -> View:
        return NewProject(self._open_it, self._folder, self._video)

    def _open(self) -> View:
        nothing = "No project here: look into another folder. A project is a folder with a config.yaml."
        return FolderBrowser(is_project, self._open_it, folder=self._folder, icon="paw", nothing=nothing)

    def _recent(self) -> ipywidgets.VBox:
        found = recent_projects()
        if not found:
            words = "The projects that you open will be listed here. To make one from your videos, press New project."
            return ipywidgets.VBox([Html(markup('<div class="dlcnb-empty">{}</div>', words))])
        gone = [one.root for one in found if not one.there]
        rows: list[ipywidgets.Widget] = [self._entry(one) for one in found]
        if len(gone) > 1:
            tip = "Remove all missing projects from this list; nothing on the disk is touched"
            rows.append(button("times", tip, lambda: self._forget(*gone), f"Remove the {len(gone)} that are gone"))
        return ipywidgets.VBox(rows)

    def _entry(self, recent: Recent) -> ipywidgets.HBox:
        tip = f"Open {recent.root}" if recent.there else f"{recent.root} is gone: it was moved, renamed or deleted"
        made = button("paw", tip, lambda: self._open_it(recent.root), recent.task, disabled=not recent.there)
        made.add_class("dlcnb-entry")
        where = Html(muted(shortened(recent.root if recent.there else f"gone from {recent.root.parent}", 70)))
        parts = [made, where]
        if not recent.there:
            parts.append(button("times", "Remove it from this list", lambda: self._forget(recent.root)))
        return row(parts, tight=True)

    def _forget(self, *roots: Path) -> None:
        forget(*roots)
        self.show("Recent")

    def _samples(self) -> ipywidgets.VBox:
        where = f"made in {self._sample_folder()}"
        rows: list[ipywidgets.Widget] = [Html(heading("Projects for trying things out", where))]
        for name, words in SAMPLES.items():
            made = button(
                "flask", f"Make this project and open it: {words}", functools.partial(self.sample, name), name
            )
            made.add_class("dlcnb-entry")
            rows.append(row([made, Html(muted(words))], tight=True))
        return ipywidgets.VBox(rows)

    def _sample_folder(self) -> Path:
        return place_to_write(self._folder) / "dlcnb-samples"

    @gesture
    def sample(self, name: str) -> None:
        """Make one of `SAMPLES`, or find it made already, and open it; returns at once (see `wait`)."""
        self.tell(f"{name} is being made, which may take a minute …")
        self.task.start(lambda stop: self._sample(name, stop))

    def _sample(self, name: str, stop: threading.Event) -> None:
        folder = self._sample_folder()
        pattern = "arena-truth-*" if name == "Synthetic arena" else "openfield-*"
        there = [path for path in sorted(folder.glob(pattern)) if is_project(path)]
        if there:
            made = Project.open(there[-1])
        else:
            made = sampledata.synthetic_project(folder) if name == "Synthetic arena" else sampledata.openfield(folder)
        self.tell("")
        self._opened(made)

    @gesture
    def _open_it(self, project: Project | Path) -> None:
        self.tell("")
        self._opened(project)

    def _busy(self, busy: bool) -> None:
        self.ways.disabled = busy

    def wait(self, timeout: float = 60.0) -> bool:
        """Block until a project that is being made is there; False after ``timeout`` seconds."""
        made = self._made.get("New project")
        return self.task.wait(timeout) and (not isinstance(made, NewProject) or made.task.wait(timeout))

    def snapshot(self) -> Image.Image:
        """The ways in, and the recent projects, as a `PIL.Image.Image`."""
        lines = ["dlcnb Studio", "   ".join(WAYS), *(f"{one.task}   {one.root}" for one in recent_projects())]
        drawn = Image.new("RGB", (640, 16 + 18 * len(lines)), "white")
        for n, line in enumerate(lines):
            ImageDraw.Draw(drawn).text((8, 8 + 18 * n), line, "black")
        return drawn

    def close(self) -> None:
        """Take it off the page; uploads that no project took are removed."""
        for made in self._made.values():
            made.close()
        super().close()
