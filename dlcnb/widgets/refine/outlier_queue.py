"""OutlierQueue: frames that the network got wrong, chosen, looked through, extracted for labeling, merged."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import ipywidgets
import numpy as np
from cachetools import LRUCache
from numpy.typing import NDArray
from traitlets import HasTraits

from dlcnb import outliers
from dlcnb.evaluate import network_caution
from dlcnb.labels import Suggestions
from dlcnb.project import Project
from dlcnb.video import DamagedFrameError, VideoReader
from dlcnb.widgets.base.html import Html, joined, markup, muted, notice
from dlcnb.widgets.base.input_guard import InputGuard
from dlcnb.widgets.base.poses_choice import PosesChoice, fitting, video_of
from dlcnb.widgets.base.quiet import Quiet
from dlcnb.widgets.base.task import Stopped, Task
from dlcnb.widgets.base.view import View, button, gesture, row, shown
from dlcnb.widgets.gallery.gallery_state import Cell
from dlcnb.widgets.gallery.label_pictures import edges_of, pose_picture
from dlcnb.widgets.gallery.thumbnails import FINE, Gallery
from dlcnb.widgets.refine.state import CHOOSE, OutlierState, merged_words

if TYPE_CHECKING:
    from PIL import Image

    from dlcnb.poses import Poses
    from dlcnb.widgets.player.player import Player

__all__ = ["OutlierQueue"]

THUMBNAIL = (138, 184)
KEPT = 300  # thumbnails in memory
EMPTY = "Set the threshold, then press Preview."
PURPOSE = (
    "Preview finds frames that the network got wrong (outlier frames), Extract takes them to Label; once corrected, "
    "Merge adds them to the next training."
)
MERGING = ". Merge ends it: until the next training, Train and Evaluate are empty; the network so far stays on the disk"
WHY = "An outlier frame: drag what is wrong, Accept all takes the rest, then Done → next."  # it is opened
NAMES = {  # one of `outliers.HOW` -> what it finds, in few words
    "jump": "a sudden move",
    "uncertain": "a low likelihood",
    "fit": "off the way around it",
    "bone": "an odd length",
    "swap": "left and right swapped",
    "disagree": "networks differ",
    "sure": "all sure, rare poses",
}
MEASURED = {"uncertain": "likelihood", "bone": "as a share", "sure": "likelihood"}  # what a threshold is in, if not px
TIPS = {
    "clear": "Empty the queue, of frames put in by hand, too; what is extracted stays extracted",
    "extract": "Extract the ticked frames, for labeling",
    "merge": "Add the corrected frames to what the next training learns from; that is called the next iteration",
}


class OutlierQueue(View):
    """From poses to the next frames to label.

    Parameters
    ----------
    project, video, poses
        As of `TrajectoryView`.
    labeler : Labeler, optional
        A click on an extracted frame opens it there; anything with ``go_to(image)`` will do.
    player : Player, optional
        Of this video: a click on a frame shows it there.
    """

    gallery: Gallery
    _ready = False  # to be closed

    def __init__(
        self,
        project: Project | str | Path,
        video: str | Path | None = None,
        poses: Poses | str | Path | None = None,
        labeler: Any = None,
        *,
        player: Player | None = None,
    ) -> None:
        self.project = project if isinstance(project, Project) else Project.open(project)
        self.video = video_of(self.project, video)
        self.choice = PosesChoice(self.video, poses, self.set_poses, self.fail, together=False)
        self.labeler, self.player = labeler, player
        self.reader = VideoReader(self.video)
        found = fitting(self.choice.poses, self.reader, self.choice.table)
        self.state = OutlierState(self.project, self.video, found)
        self.task = Task(self.fail, self._busy)
        self._lock, self._quiet, self._asked = threading.RLock(), Quiet(), False
        self._pictures: LRUCache[tuple[int, bool], NDArray[np.uint8]] = LRUCache(KEPT)  # of `_drawn`, on one thread
        self._drawn = self.state.poses
        self._build()
        self.gallery = Gallery(
            self._picture, self._open, self.fail, self._toggle, size=THUMBNAIL, columns=4, rows=3, empty=EMPTY
        )
        choices, numbers, actions = self._rows()
        above = [self.purpose, self.choice.row, self.caution, choices, self.found, numbers, actions]
        super().__init__([*above, self.gallery, InputGuard(surfaces=0)])
        self.add_class("dlcnb-outliers")
        self._ready = True
        self._show_caution()
        self.state.observe(lambda _: self._show(), ["how", "threshold", "count", "choose", "revision"])
        self._show()
        if isinstance(session := getattr(labeler, "session", None), HasTraits):
            session.observe(self._on_saved, "saved")

    def _on_saved(self, change: Any) -> None:
        """Labels were saved in the labeler: it may be something to merge."""
        if change.new == "saved" and self._ready:
            self.refresh()

    def set_poses(self, poses: Poses) -> None:
        """Look for wrong frames in other poses of the video; the queue is emptied."""
        self.task.stop()
        self.task.wait(10)
        self.state.set_poses(fitting(poses, self.reader, None))
        self._show_caution()

    # --- what it is made of ---

    def _build(self) -> None:
        state, layout = self.state, ipywidgets.Layout
        self.how = ipywidgets.Dropdown(
            options=[(f"{how}: {words}", how) for how, words in NAMES.items()],
            value=state.how,
            layout=layout(width="240px"),
        )
        self.how.tooltip = "What counts as wrong"
        self.how.observe(self._quiet.ignored(self._on_how), "value")
        self.threshold = ipywidgets.FloatSlider(
            min=0, max=1, value=0, step=0.01, readout_format=".3g", description="threshold", continuous_update=True,
            layout=layout(width="320px", max_width="100%", margin="0"),
        )  # fmt: skip
        self.threshold.style.description_width = "62px"
        self.threshold.add_class("dlcnb-own-keys")
        self.threshold.observe(self._setter("threshold"), "value")
        self.unit, self.found = Html(), Html()
        self.count = ipywidgets.BoundedIntText(value=state.count, min=1, max=1000, layout=layout(width="68px"))
        self.count.tooltip = "How many frames to choose"
        self.count.observe(self._setter("count"), "value")
        self.choose = ipywidgets.Dropdown(
            options=[("that look different (k-means)", CHOOSE[0]), ("spread over time (uniform)", CHOOSE[1])],
            value=state.choose,
            layout=layout(width="220px"),
        )
        self.choose.tooltip = "Which of the frames found"
        self.choose.observe(self._setter("choose"), "value")
        self.progress = ipywidgets.FloatProgress(min=0, max=1, layout=layout(width="140px", display="none"))
        self.preview = button("eye", "Choose frames and look at them", self.fill, "Preview")
        self.clear = button("times", TIPS["clear"], lambda: self._safely(self.state.clear), "Clear")
        self.extract = button("download", TIPS["extract"], self.extract_frames, "Extract", "124px")
        self.merge = button("code-fork", TIPS["merge"], self.merge_frames, "Merge")
        self.stop_button = button("stop", "Stop choosing; the queue stays as it is", self.task.stop)
        self.stop_button.layout.display = "none"
        self.reload = button("refresh", "See what was labeled and extracted meanwhile", self.refresh)
        self.close_up = ipywidgets.Checkbox(
            value=True, description="close-up", indent=False, layout=layout(width="auto")
        )
        self.close_up.tooltip = "Show the animal instead of the whole frame"
        self.close_up.observe(lambda _: self.gallery.redraw(), "value")
        self.refined = Html()
        self.purpose = Html(muted(PURPOSE))
        self.caution = Html(layout=layout(margin="4px 0 0 0"))

    def _rows(self) -> tuple[ipywidgets.HBox, ipywidgets.HBox, ipywidgets.HBox]:
        choices = row([Html("find"), self.how, self.threshold, self.unit])
        work = [self.preview, self.stop_button, self.clear, self.close_up, self.progress]
        numbers = row([Html("take"), self.count, self.choose, *work])
        return choices, numbers, row([self.extract, self.merge, self.reload, self.refined])

    # --- gestures ---

    @gesture
    def _safely(self, method: Callable[..., object], *arguments: Any) -> None:
        with self._lock:
            method(*arguments)

    def _setter(self, name: str) -> Callable[[Any], None]:
        """An observer of a field that sets a trait of the state."""
        return self._quiet.ignored(lambda change: self._set(name, change.new))

    @gesture
    def _set(self, name: str, value: Any) -> None:
        setattr(self.state, name, value)

    def _on_how(self, change: Any) -> None:
        try:
            self.state.set_how(change.new)
            self.tell("")
        except ValueError as error:
            self._quiet.set(self.how, value=self.state.how)
            self.fail(error)

    def add(self, frame: int) -> None:
        """Put a frame into the queue, such as one found in a `TrajectoryView`."""
        self.state.add(frame)
        self.gallery.state.focus_on(int(frame))

    @gesture
    def fill(self) -> None:
        """Choose frames; returns at once (see `wait`)."""
        self.task.start(self._fill)

    @gesture
    def extract_frames(self) -> None:
        """Extract the ticked frames and hand them, with the machine's labels, to the labeler; returns at once."""
        self.task.start(self._extract)

    @gesture
    def correct(self, frame: int) -> None:
        """Extract the ticked frames if this one is not, and open it in the labeler; returns at once."""
        self.task.start(lambda stop: self._correct(frame, stop))

    def _correct(self, frame: int, stop: threading.Event) -> None:
        if frame not in self.state.images:
            self._extract(stop)
        self._open(frame)

    @gesture
    def refresh(self) -> None:
        """See what was labeled, extracted and evaluated meanwhile."""
        self._asked = False
        self._show_caution()
        self.state.refresh()

    @gesture
    def merge_frames(self) -> None:
        """Begin the next iteration; asks once more if some extracted frames are not labeled."""
        labeled, total = self.state.refined()
        if 0 < labeled < total and not self._asked:
            self._asked = True
            left = total - labeled
            others = "1 extracted frame is" if left == 1 else f"{left} extracted frames are"
            self.tell(
                f"{others} not labeled and will not be trained on. Press Merge again to begin iteration "
                f"{self.project.iteration + 1} all the same."
            )
            return
        self._asked = False
        done = outliers.merge(self.project)
        self.state.refresh()
        self.state.leave_extracted()
        self.tell(merged_words(done))

    def _open(self, frame: int) -> None:
        image = self.state.images.get(frame)
        if self.player is not None:
            self.player.state.go(frame)
        if image is None:
            self.tell(f"Frame {frame}: {self.state.reason(frame)}. Press Extract, above, to correct it in the labeler.")
        elif self.labeler is None:
            self.tell(f"{image} is extracted. Give the queue labeler=Labeler(project) to open it by a click.")
        else:
            self.labeler.go_to(image, why=WHY)
            self.tell(f"{image} is open in the labeler.")

    def _toggle(self, frame: int) -> None:
        self.state.toggle(frame)

    # --- work on a thread ---

    def _busy(self, busy: bool) -> None:
        self.state.doing = "Choosing frames" if busy else ""
        self._show_buttons()
        self.progress.layout.display = None if busy else "none"
        self.stop_button.layout.display, self.progress.value = "none", 0

    def _fill(self, stop: threading.Event) -> None:
        def progress(done: int, total: int) -> None:
            if stop.is_set():
                self.tell("The search was stopped: the queue is as it was.")
                raise Stopped
            self.progress.value = done / max(total, 1)

        self.stop_button.layout.display = None
        self.state.choose_frames(self.reader, progress)
        none = "No new frame is found: move the threshold, or look for something else."
        self.tell("" if {*self.state.frames} - self.state.by_hand else none)

    def _extract(self, _: threading.Event) -> None:
        count = self.state.extract()
        frames = "1 frame is" if count == 1 else f"{count} frames are"
        text = f"{frames} extracted, with the network's labels as suggestions."
        session = getattr(self.labeler, "session", None)
        if session is not None:
            session.add_images()
            found = outliers.suggestions(self.project, self.video)
            session.set_suggestions("", Suggestions([("", session.suggestions), found]))
            text += " Click one to correct it in the labeler."
        self.tell(text)

    # --- painting ---

    def _show_buttons(self) -> None:
        """Let be pressed what can be done; the others say in their tooltips what is missing."""
        busy, lacks = bool(self.state.doing), self.state.lacks
        self.preview.disabled, self.clear.disabled = busy, busy or not self.state.frames
        for name, one in (("extract", self.extract), ("merge", self.merge)):
            one.disabled, one.tooltip = busy or name in lacks, lacks.get(name, TIPS[name])

    def _show_caution(self) -> None:
        """Say what is to be minded about the network that made the poses."""
        self.caution.value = notice(network_caution(self.project, self.state.poses.scorer))
        self.caution.layout.display = None if self.caution.value else "none"

    @shown
    def _show(self) -> None:
        state, scores = self.state, self.state.scores
        self._show_threshold()
        self._quiet.set(self.how, value=state.how)
        found, total = state.n_found, len(state.poses)
        share = markup('<span class="dlcnb-number"><b>{}</b> of {} frames ({:.1%})</span>', found, total, found / total)
        unit = f" {scores.unit}" if scores.unit else ""
        self.unit.value = muted(scores.unit or MEASURED.get(state.how, ""))
        text = muted(f"{outliers.HOW[state.how]}: {state.threshold:.4g}{unit}")
        self.found.value = joined([share, text], " ")
        self.preview.button_style = "primary" if state.stale or not state.frames else ""
        kept = len(state.kept)
        self.extract.description = f"Extract {kept}" if kept else "Extract"
        self.extract.button_style = "primary" if kept else ""
        self._show_buttons()
        labeled, extracted = state.counts
        done = f"{labeled} of {extracted} extracted outlier frames labeled" if extracted else "none extracted yet"
        done += f", in this round of corrections (iteration {self.project.iteration})"
        self.refined.value = muted(done + MERGING * bool(labeled))
        self.gallery.set_cells([self._cell(frame) for frame in state.frames])

    def _cell(self, frame: int) -> Cell:
        state = self.state
        there, corrected = frame in state.images, state.images.get(frame) in state.corrected
        by_hand = "by hand: " * (frame in state.by_hand)
        note = "corrected" if corrected else "extracted" if there else f"{by_hand}{state.reason(frame)}"
        checked = None if there else frame not in state.dropped
        return Cell(frame, f"frame {frame}", note, checked=checked, dim=frame in state.dropped, warn=not there)

    def _picture(self, cell: Cell) -> NDArray[np.uint8] | None:
        frame, close, poses = cell.key, self.close_up.value, self.state.poses
        assert isinstance(frame, int)  # as `_cell` makes them
        if poses is not self._drawn:
            self._pictures.clear()
            self._drawn = poses
        if (frame, close) not in self._pictures:
            try:
                image = self.reader.read(frame)
            except DamagedFrameError:
                return None
            edges, size = edges_of(self.project.skeleton, poses.bodyparts), (FINE * THUMBNAIL[0], FINE * THUMBNAIL[1])
            self._pictures[frame, close] = pose_picture(image, poses.points[frame], size, edges=edges, close=close)
        return self._pictures[frame, close]

    def _show_threshold(self) -> None:
        """Give the slider ends at round numbers, and its value, without a moment at which it does not fit."""
        low, high = self.state.limits()
        step = 10.0 ** np.floor(np.log10(max(high - low, 1e-6) / 200))
        low, high = float(np.floor(low / step) * step), float(np.ceil(high / step) * step)
        slider, value = self.threshold, min(max(self.state.threshold, low), high)
        if (slider.min, slider.max, slider.step) == (low, high, step):
            if slider.value != value:
                self._quiet.set(slider, value=value)
            return
        with self._quiet, slider.hold_sync():
            slider.min, slider.max = min(low, slider.max), max(high, slider.min)
            slider.step, slider.value = step, value
            slider.min, slider.max = low, high

    # --- without a browser ---

    def wait(self, timeout: float = 60.0) -> bool:
        """Block until the work under way is done and painted; False after ``timeout`` seconds."""
        return self.task.wait(timeout) and self.gallery.wait(timeout)

    def snapshot(self) -> Image.Image:
        """The queue as a `PIL.Image.Image`."""
        return self.gallery.snapshot()

    def close(self) -> None:
        """Take the widget off the page."""
        if self._ready:
            self._ready = False
            self.task.stop()
            self.task.wait(10)
            self.gallery.close()
            self.reader.close()
        super().close()
