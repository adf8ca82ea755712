"""A form that makes a project: videos, a name, who labels, the bodyparts."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable
from pathlib import Path

import ipywidgets

from dlcnb.project import Project, ProjectError, edge_of
from dlcnb.project.names import folder_name
from dlcnb.project.recent import last_scorer, remember_scorer
from dlcnb.widgets.base.chips import Chips
from dlcnb.widgets.base.html import Html, heading, muted
from dlcnb.widgets.base.quiet import Quiet
from dlcnb.widgets.base.task import Task
from dlcnb.widgets.base.view import View, button, gesture, row, set_class
from dlcnb.widgets.studio.videos import VideoChooser
from dlcnb.widgets.studio.where import place_to_write, project_around

__all__ = ["PRESETS", "NewProject"]

OWN = "My own"
# what to begin with -> (bodyparts, edges of the skeleton)
PRESETS: dict[str, tuple[str, str]] = {
    "Mouse from above": (
        "snout leftear rightear tailbase",
        "snout-leftear, snout-rightear, leftear-tailbase, rightear-tailbase",
    ),
    "Mouse from above, with tail": (
        "snout leftear rightear center tailbase tailmiddle tailtip",
        "snout-leftear, snout-rightear, leftear-center, rightear-center, center-tailbase, tailbase-tailmiddle, "
        "tailmiddle-tailtip",
    ),
    "Mouse from the side": (
        "snout eye ear forepaw hindpaw tailbase",
        "snout-eye, eye-ear, ear-tailbase",
    ),
    "Fly from above": (
        "head thorax abdomen leftwing rightwing",
        "head-thorax, thorax-abdomen, thorax-leftwing, thorax-rightwing",
    ),
    "Hand": (
        "wrist thumb indexfinger middlefinger ringfinger littlefinger",
        "wrist-thumb, wrist-indexfinger, wrist-middlefinger, wrist-ringfinger, wrist-littlefinger",
    ),
    OWN: ("", ""),
}
ADDING = "or your own: commas between, then Enter"


class NewProject(View):
    """A form for a new project; what is missing or wrong is told in one line below it.

    Parameters
    ----------
    made : callable
        Called with the `Project` once it is there.
    folder : path, optional
        Where to look for videos, and to make the project; by default where the kernel is.
    video : path, optional
        One that is chosen already.
    """

    def __init__(
        self, made: Callable[[Project], object], folder: str | Path | None = None, video: Path | None = None
    ) -> None:
        self._made, self._quiet, self._named = made, Quiet(), False
        self.task = Task(self.fail, self._busy)
        self.videos = VideoChooser(self._on_videos, video.parent if video else folder)
        layout = ipywidgets.Layout(flex="1 1 200px", width="auto", min_width="0")
        self.task_field = ipywidgets.Text(description="Name", placeholder="what it is about", layout=layout)
        self.task_field.observe(self._quiet.ignored(lambda _: self._on_name()), "value")
        self.scorer = ipywidgets.Text(last_scorer(), description="You", layout=layout)
        self.parent = ipywidgets.Text(
            str(place_to_write(folder)), description="Folder", layout=layout, continuous_update=False
        )
        self.root = Html()  # all of it, as a field shows little
        self.root.add_class("dlcnb-root")
        longest = ipywidgets.Layout(flex="0 1 300px", width="auto", min_width="0")  # of its names
        self.preset = ipywidgets.Dropdown(options=list(PRESETS), description="Bodyparts", layout=longest)
        self.preset.observe(self._quiet.ignored(lambda _: self._on_preset()), "value")
        for field in (self.task_field, self.scorer, self.parent, self.preset):
            field.observe(lambda _: self.tell(""), "value")  # what was missing is being filled in
            field.observe(lambda _: self._show_root(), "value")
        self.parent.observe(self._quiet.ignored(lambda _: self._on_parent()), "value")
        self.parts = Chips([], self._on_parts, adding=ADDING)
        self.edges = ipywidgets.Text(description="Skeleton", layout=layout)
        self.edges.tooltip = "Which bodyparts a line joins in pictures, such as snout-tail; the network needs none"
        self.edges.observe(lambda _: self.tell(""), "value")
        making = "Make the project; the videos stay where they are"
        self.create_button = button("check", making, self.create, "Create", button_style="primary")
        fields = ipywidgets.VBox(
            [
                row([self.task_field, self.scorer, self.parent], tight=True),
                row([self.preset, self.parts.field]),
                self.parts,
                row([self.edges]),
                self.root,
            ]
        )
        form = ipywidgets.VBox([Html(heading("Videos")), self.videos, Html(heading("Project")), fields])
        form.add_class("dlcnb-form")  # scrolls where it is higher than its pane; what makes the project stays seen
        super().__init__([form, row([self.create_button])])
        self.add_class("dlcnb-new")
        self._on_preset()
        self._show_root()
        self.parts.offered = True  # nobody has asked for these: one's own are typed in their place
        if video is not None:
            self.videos.choose(video)

    def _on_videos(self) -> None:
        self.tell("")
        if not self._named:
            stem = self.videos.videos[0].stem if self.videos.videos else ""
            self._quiet.set(self.task_field, value=re.sub(r"[^\w]+", "_", stem).strip("_")[:40])
            self._offer_name(True)

    def _on_name(self) -> None:
        self._named = bool(self.task_field.value)
        self._offer_name(not self._named)

    def _offer_name(self, offered: bool) -> None:
        """A name that comes from a video is there to be typed over; one that was typed is not."""
        set_class(self.task_field, "dlcnb-typed-over", offered)

    def _on_parent(self) -> None:
        """A project inside another one would be taken for a part of it: it is made beside that."""
        wanted = Path(self.parent.value.strip() or ".").expanduser().absolute()
        if around := project_around(wanted):
            self._quiet.set(self.parent, value=str(around.parent))
            self.tell(f"{wanted} is inside the project {around.name}: the new one is made beside that.")

    def _show_root(self) -> None:
        """Where the project will be."""
        name = folder_name(self.task_field.value.strip() or "…", self.scorer.value.strip() or "…")
        root = Path(self.parent.value.strip() or ".").expanduser().absolute() / name
        self.root.value = muted(f"will be made in {root}")

    def _on_preset(self) -> None:
        parts, edges = PRESETS[self.preset.value]
        self.parts.set(parts.split())
        self.parts.offered = False
        self.edges.value = edges
        self._show_example()

    def _show_example(self) -> None:
        """What a skeleton of these bodyparts is written like."""
        names = self.parts.names[:3]
        pairs = ", ".join(f"{one}-{other}" for one, other in itertools.pairwise(names))
        self.edges.placeholder = f"none; or {pairs}" if pairs else "none; or pairs of bodyparts"

    def _on_parts(self) -> None:
        """The edges of a bodypart go with it; one's own take the place of a preset that nobody has chosen."""
        self.tell("")
        kept = []
        for text in _split(self.edges.value):
            try:
                edge_of(text, self.parts.names)
                kept.append(text)
            except ProjectError:
                continue
        self.edges.value = ", ".join(kept)
        self._show_example()
        if self.parts.offered:
            offered = self.preset.value
            self._quiet.set(self.preset, value=OWN)
            self.tell(f"Your own bodyparts now. To add to those of {offered!r}, choose that in the list again.")

    def _busy(self, busy: bool) -> None:
        self.create_button.disabled = busy

    @gesture
    def create(self) -> None:
        """Make the project, on a thread, as uploads are copied; what is wrong is told, and nothing is made then."""
        self.tell("")
        if not self.videos.videos:
            raise ProjectError("Which video? Press one in the list above, or upload one.")
        for field, what in ((self.task_field, "a name for the project"), (self.scorer, "your name")):
            if not field.value.strip():
                raise ProjectError(f"Expected {what}, found nothing: write it into the field {field.description!r}.")
        if not self.parts.names:
            raise ProjectError("Which bodyparts? Choose a preset, or write their names into the field beside it.")
        edges = [edge_of(text, self.parts.names) for text in _split(self.edges.value)]
        self.task.start(lambda _: self._create(edges))

    def _create(self, edges: list[tuple[str, str]]) -> None:
        uploaded = self.videos.uploaded
        linked = [path for path in self.videos.videos if path not in uploaded]
        project = Project.create(
            self.task_field.value.strip(), self.scorer.value.strip(), uploaded or linked, self.parts.names,
            parent=self.parent.value.strip() or ".", skeleton=edges, copy_videos=bool(uploaded),
        )  # fmt: skip
        if uploaded and linked:
            project.add_videos(linked)
        remember_scorer(project.scorer)
        self.videos.clear()
        self._made(project)

    def close(self) -> None:
        """Take it off the page; uploads that no project took are removed."""
        self.videos.close()
        super().close()


def _split(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]
