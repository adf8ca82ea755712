"""The report of a project, from Studio: one page to keep, print and send, written on a thread and linked."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import ipywidgets

from dlcnb.files import check_writable
from dlcnb.project import Project, ProjectError
from dlcnb.widgets.base.advice import in_studio
from dlcnb.widgets.base.html import Html, heading, joined, markup, muted
from dlcnb.widgets.base.task import Stopped, Task
from dlcnb.widgets.base.view import View, button, gesture, row
from dlcnb.widgets.base.written import address
from dlcnb.widgets.studio.gone import gone
from dlcnb.widgets.studio.lines import still

if TYPE_CHECKING:
    from PIL import Image

__all__ = ["ReportMaker"]

ABOUT = (
    "One page about the project: labels, network, errors, videos, zones, and sentences for a paper's Methods section, "
    "filled in. It opens offline, and prints."
)
BODYPARTS = "All bodyparts, and a csv of them: Zones, at the end of the step Look of Studio, Trajectories"
FIGURES = "Figure, in the step Look of Studio"


class ReportMaker(View):
    """Writes ``report.html`` into the project, and links it; as ``dlcnb report`` does.

    Parameters
    ----------
    project : Project or path
    """

    def __init__(self, project: Project | Path | str) -> None:
        self.project = project if isinstance(project, Project) else Project.open(project)
        self.path = self.project.inside("report.html")
        self.task = Task(self.fail, self._busy)
        self.make_button = button("file-text-o", ABOUT, self.make, "Make the report", button_style="primary")
        self.progress = ipywidgets.FloatProgress(min=0, max=1, layout=ipywidgets.Layout(width="140px"))
        self.doing = Html()
        self.stop_button = button("stop", "Stop; a report that is there stays", self.stop, "Stop")
        self.made, self.left_out = Html(), Html()
        at_work = row([self.progress, self.doing, self.stop_button], tight=True)
        super().__init__([Html(heading("Report", ABOUT)), row([self.make_button, at_work]), self.made, self.left_out])
        self._at_work = at_work
        self._busy(False)
        self.refresh()

    @gesture
    def make(self) -> None:
        """Write the report, in place of the one before."""
        self.tell("")
        self.left_out.value = ""
        self.task.start(self._make)

    @gesture
    def stop(self) -> None:
        """Stop writing; a report that is there stays as it is."""
        self.task.stop()

    def _make(self, stop: threading.Event) -> None:
        from dlcnb.report import Where, gather, write_report  # here: matplotlib takes a while to load

        def tell(share: float, text: str) -> None:
            if stop.is_set():
                raise Stopped
            self.progress.value, self.doing.value = share, muted(f"{share:.0%} · {text}" if text else f"{share:.0%}")

        try:
            facts = gather(self._project_there(), progress=tell)
            write_report(facts, self.path, tell, Where(BODYPARTS, FIGURES, in_studio))
        finally:
            self.refresh()
        lines = joined(markup("<li>{}</li>", in_studio(line)) for line in facts.left_out)
        self.left_out.value = markup("Not in it yet:<ul>{}</ul>", lines) if lines else markup("")

    def _project_there(self) -> Project:
        """The project, read anew; raises what keeps a report from being written there."""
        if lost := gone(self.project):
            raise ProjectError(lost)
        check_writable(self.path)
        return Project.open(self.project.root)

    def _busy(self, working: bool) -> None:
        self.make_button.disabled = working
        self._at_work.layout.display = None if working else "none"

    def refresh(self) -> None:
        """See whether there is a report, and of when."""
        try:
            when = time.strftime("%d %b %H:%M", time.localtime(self.path.stat().st_mtime))
        except OSError:
            self.made.value, self.left_out.value = muted(self._nothing), ""
            return
        seen, name = address(self.path, download=False), self.path.name
        shown = markup('<a href="{}" target="_blank" rel="noopener">Open {}</a>', seen, name) if seen else name
        kept = markup(' · <a href="{}" download="{}">Download</a>', address(self.path), name) if seen else ""
        self.made.value = markup("{}{} · {}", shown, kept, muted(f"of {when}, in {self.path.parent}"))

    @property
    def _nothing(self) -> str:
        return gone(self.project) or "There is no report yet."

    def recheck(self) -> None:
        """Take back what is no longer true, the link to a report that is gone, too."""
        super().recheck()
        self.refresh()

    def wait(self, timeout: float = 60.0) -> bool:
        """Block until what is under way has ended; False after ``timeout`` seconds."""
        return self.task.wait(timeout)

    def snapshot(self) -> Image.Image:
        """What it says, as a `PIL.Image.Image`."""
        return still(["Report", self.path.name if self.path.is_file() else self._nothing], None)

    def close(self) -> None:
        """Stop, and take it off the page."""
        self.task.stop()
        super().close()
