"""LabelReview: all labeled frames at a glance, the oddest first; a click opens one for correction."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import ipywidgets
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from dlcnb.labels import Fault
from dlcnb.project import Project
from dlcnb.render import palette
from dlcnb.widgets.base.canvas import Painter
from dlcnb.widgets.base.html import Html, Markup, legend, markup, muted
from dlcnb.widgets.base.input_guard import InputGuard
from dlcnb.widgets.base.jpeg import encode_jpeg
from dlcnb.widgets.base.view import View, button, gesture, row, shown
from dlcnb.widgets.gallery.gallery_state import Cell
from dlcnb.widgets.gallery.label_pictures import LabelPictures, edges_of
from dlcnb.widgets.gallery.thumbnails import Gallery
from dlcnb.widgets.review.review_state import ALL, ORDER, WHICH, ReviewRow, ReviewState

__all__ = ["LabelReview", "legend_html", "opener"]

PICTURE = (138, 184)
MOST_FIXES = 4  # buttons
FIX_WORDS = {
    "swap": ("exchange", "Swap {0} and {1}"),
    "delete": ("trash", "Delete {0}"),
    "look": ("search", "Go there"),
}
LARGE = (480, 640)  # of the picture below the gallery where there is no labeler to open a frame in


class LabelReview(View):
    """A gallery of labeled frames with all bodyparts and the skeleton.

    The order tells what to look at first: bodyparts outside the image, left and right swapped, two on one place, one
    that jumps against the frames before and after, or is out of proportion. Each fault is named, with a button that
    mends it.

    Parameters
    ----------
    project : Project or path
    scorer : str, optional
        Whose labels; by default the project's scorer's.
    labeler : Labeler, optional
        Opens a frame that is clicked.
    on_select : callable, optional
        Called with the image (``labeled-data/<video>/<image>``) of a frame that is clicked.

    Raises
    ------
    LabelError
        If nothing is labeled, or a table is damaged.
    """

    _offered: tuple[Any, ...] | None = None  # of what the buttons are
    _loader: Painter = None  # type: ignore[assignment]  # until all is built

    def __init__(
        self,
        project: Project | str | Path,
        *,
        scorer: str | None = None,
        labeler: Any = None,
        on_select: Callable[[str], object] | None = None,
    ) -> None:
        self.project = project if isinstance(project, Project) else Project.open(project)
        self.state = ReviewState(self.project, scorer, labeler)
        self.labeler, self._opener = labeler, opener(labeler, on_select)
        self.pictures = LabelPictures(self.project, PICTURE)
        self._large = LabelPictures(self.project, LARGE)
        self.guard = InputGuard(surfaces=0)
        self._build()
        super().__init__(
            [self._controls, self.counts, self.gallery, self.detail, self.fixes, self.legend, self.preview, self.guard]
        )
        self._loader = Painter(self.state.load, self.fail)
        self.state.observe(self._on_scorer, "scorer")
        self.state.observe(lambda _: self.redraw(), ["video", "bodypart", "which", "order", "revision"])
        self.gallery.state.observe(lambda _: self._tell_focus(), ["focus", "revision"])
        session = getattr(labeler, "session", None)
        if session is not None and session.has_trait("saved"):
            session.observe(self._on_saved, "saved")
        self.redraw()

    # --- what it is made of ---

    def _build(self) -> None:
        state = self.state
        self.scorer = _choice(state, "scorer", list(state.scorers), "Whose labels")
        self.which = _choice(
            state, "which", WHICH, "All labeled frames, those with an odd label, or with a missing one"
        )
        self.video = _choice(state, "video", [ALL, *state.videos], "Frames of which video")
        parts = [ALL, *self.project.bodyparts]
        self.bodypart = _choice(state, "bodypart", parts, "Frames where which bodypart is placed")
        self.order = _choice(state, "order", ORDER, "Which frames come first")
        self.close_up = ipywidgets.Checkbox(
            value=True, description="close-up", indent=False, layout=ipywidgets.Layout(width="auto", margin="0 0 4px 0")
        )
        self.close_up.tooltip = "Show the animal instead of the whole frame"
        self.reload = button("refresh", "Read the labels again", self.refresh)
        fields = {
            "scorer": self.scorer, "frames": self.which, "video": self.video, "bodypart": self.bodypart,
            "order": self.order,
        }  # fmt: skip
        shown_fields = [_labeled(name, field) for name, field in fields.items()]
        self._controls = ipywidgets.HBox([*shown_fields, self.close_up, self.reload])
        self._controls.add_class("dlcnb-row")
        self._controls.add_class("dlcnb-fields")
        self.counts, self.detail, self.legend = Html(), Html(), Html()
        self.fixes = row([])
        self.undo = button("undo", "Undo the last correction", self.take_back, "Undo")
        self.legend.add_class("dlcnb-legend")
        self.legend.value = legend_html(self.project.bodyparts)
        self.gallery = Gallery(
            self._picture,
            self.go_to,
            self.fail,
            size=PICTURE,
            columns=4,
            rows=3,
            lines=3,
            most_lines=6,
            empty="No labeled frame matches these choices.",
        )
        self.close_up.observe(lambda _: self.gallery.redraw(), "value")
        room = ipywidgets.Layout(display="none", width=f"{LARGE[1]}px", max_width="100%", height="auto")
        self.preview = ipywidgets.Image(format="jpeg", layout=room)

    # --- gestures ---

    @gesture
    def go_to(self, image: str) -> None:
        """Open a labeled frame where the widget was told to open frames, a labeler at what is odd."""
        self.gallery.state.focus_on(image)
        self.tell("")
        if self._opener is not None:
            row = self.state.row(image)
            self._opener(image, *((fault.bodyparts[0], fault.text) for fault in (row.faults if row else ())[:1]))
        else:
            self._enlarge(image)

    def _enlarge(self, image: str) -> None:
        """Show a frame below the gallery, where there is no labeler to open it in."""
        if (row := self.state.row(image)) is None:
            self.preview.layout.display = "none"
            return
        edges = edges_of(self.project.skeleton, self.state.labels.bodyparts)
        large = self._large.picture(image, row.points, edges=edges, close=self.close_up.value, keep=False)
        self.preview.value = encode_jpeg(large, 90)
        self.preview.layout.display = None

    @gesture
    def mend(self, image: str, fault: Fault) -> None:
        """Do what mends a fault of a frame: swap, delete, or open the frame."""
        if fault.fix == "look":
            self.go_to(image)
            return
        self.state.mend(image, fault)
        if self._opener is None:
            self._enlarge(image)
        done = "swapped back" if fault.fix == "swap" else "deleted: place it again where it belongs"
        which = " and ".join(fault.bodyparts) if fault.fix == "swap" else fault.bodyparts[0]
        self.tell(f"{which} of {image.rsplit('/', 1)[1]} {done}.")

    @gesture
    def take_back(self) -> None:
        """Undo what was mended last."""
        image = self.state.take_back()
        self.tell(f"{image.rsplit('/', 1)[1]} is as it was." if image else "Nothing was corrected here.")
        if image:
            self.gallery.state.focus_on(image)
            if self._opener is None:
                self._enlarge(image)

    @shown
    def refresh(self) -> None:
        """Read the labels and the images again."""
        self.pictures.forget()
        self.state.load()

    def _on_saved(self, change: Any) -> None:
        if change.new == "saved":
            self._loader.request()

    @shown
    def _on_scorer(self, change: Any) -> None:
        before = self.state.labels.scorer
        try:
            self.state.load()
        except Exception:
            self.state.scorer = before
            raise

    # --- painting ---

    def redraw(self) -> None:
        """Bring the gallery up to date with the state."""
        state, several = self.state, len(self.state.videos) > 1
        rows = state.rows()
        self._rows = {row.image: row for row in rows}
        self._offer(self.video, "video", (ALL, *state.videos))
        self._offer(self.scorer, "scorer", tuple(state.scorers))
        self.gallery.set_cells([self._cell(row, several) for row in rows])
        odd, incomplete = state.count("odd"), state.count("incomplete")
        self.counts.value = markup(
            '<span class="dlcnb-number"><b>{} of {} labeled frames</b> · {} odd · {} with a bodypart not placed</span>',
            *(len(rows), state.count("all"), odd, incomplete),
        )
        self._tell_focus()

    def _offer(self, field: ipywidgets.Dropdown, name: str, options: tuple[str, ...]) -> None:
        """Let a field have other options, without that being a gesture."""
        if tuple(field.options) != options:
            value = getattr(self.state, name)
            with field.hold_trait_notifications():
                field.options = options
                field.value = value if value in options else options[0]

    def _cell(self, row: ReviewRow, several: bool) -> Cell:
        name = row.image.rsplit("/", 1)[1]
        note = row.reasons[0] if row.reasons else ""
        if not note and row.missing:
            note = f"without {', '.join(row.missing)}"
        return Cell(row.image, f"{row.video} · {name}" if several else name, note, warn=bool(row.reasons))

    def _picture(self, cell: Cell) -> NDArray[np.uint8] | None:
        row = self._rows.get(str(cell.key))
        if row is None:
            return None
        edges = edges_of(self.project.skeleton, self.state.labels.bodyparts)
        return self.pictures.picture(row.image, row.points, edges=edges, close=self.close_up.value)

    def _tell_focus(self) -> None:
        cell = self.gallery.state.focused
        row = self._rows.get(str(cell.key)) if cell else None
        if row is None:
            self.detail.value = ""
            self._offer_fixes(None)
            return
        says = list(row.reasons) or ["as usual"]
        if row.missing:
            says.append(f"not placed: {', '.join(row.missing)}")
        self.detail.value = markup("<b>{}</b> · {}", row.image, "; ".join(says))
        self._offer_fixes(row)

    def _offer_fixes(self, row: ReviewRow | None) -> None:
        """Show a button for each way to mend the frame looked at."""
        offered = (row and row.image, row and row.reasons, self.state.mended)
        if offered == self._offered:
            return
        self._offered = offered
        before, made = self.fixes.children, list[ipywidgets.Button]()
        image, faults = (row.image, row.faults[:MOST_FIXES]) if row else ("", ())
        for fault in faults:
            icon, text = FIX_WORDS[fault.fix]
            words = text.format(*fault.bodyparts, *fault.bodyparts)
            if words not in [other.description for other in made]:
                made.append(button(icon, fault.text, partial(self.mend, image, fault), words))
                made[-1].add_class("dlcnb-once")
        self.fixes.children = (*made, self.undo) if self.state.mended else tuple(made)
        for old in before:
            if old is not self.undo:
                old.close()

    def wait(self, timeout: float = 10.0) -> bool:
        """Block until what was asked for is painted; False after ``timeout`` seconds."""
        return self._loader.wait(timeout) and self.gallery.wait(timeout)

    def snapshot(self) -> Image.Image:
        """The page of the gallery as a `PIL.Image.Image`."""
        return self.gallery.snapshot()

    def close(self) -> None:
        """Take the widget off the page."""
        if self._loader is not None:
            self._loader.close()
            self.gallery.close()
        super().close()


def opener(labeler: Any, on_select: Callable[[str], object] | None) -> Callable[..., object] | None:
    """What a click on a frame calls with its image, and (bodypart, why) of what is odd: either, both, or None."""
    if labeler is None and on_select is None:
        return None

    def both(image: str, *odd: tuple[str, str]) -> None:
        if labeler is not None:
            labeler.go_to(image, *itertools.chain(*odd))
        if on_select is not None:
            on_select(image)

    return both


def legend_html(bodyparts: Sequence[str]) -> Markup:
    """The colours of the bodyparts."""
    return legend(zip(palette(len(bodyparts)).tolist(), bodyparts, strict=True))


def _choice(state: Any, name: str, options: Any, tooltip: str) -> ipywidgets.Dropdown:
    """A list that shows a trait of the state and sets it."""
    made = ipywidgets.Dropdown(
        options=options, value=getattr(state, name), layout=ipywidgets.Layout(width="130px", margin="0")
    )
    made.tooltip = tooltip

    def choose(change: Any) -> None:
        if change.new is not None:
            setattr(state, name, change.new)

    made.observe(choose, "value")
    state.observe(lambda change: setattr(made, "value", change.new), name)
    return made


def _labeled(text: str, widget: ipywidgets.Widget) -> ipywidgets.VBox:
    name = Html(muted(text), layout=ipywidgets.Layout(margin="0", height="20px"))
    return ipywidgets.VBox([name, widget], layout=ipywidgets.Layout(margin="0 8px 0 0", overflow="visible"))
