"""FramePicker: choose frames by k-means, uniformly or by hand, look at them, and extract those worth labeling."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import ipywidgets

from dlcnb.frames import extracted
from dlcnb.project import Project, video_stem
from dlcnb.project.config import parse_crop
from dlcnb.video import VideoError, VideoReader
from dlcnb.widgets.base.canvas import Painter
from dlcnb.widgets.base.input_guard import Input
from dlcnb.widgets.base.pictures import stacked
from dlcnb.widgets.base.task import Task
from dlcnb.widgets.base.view import View, gesture, shown
from dlcnb.widgets.frames import work
from dlcnb.widgets.frames.controls import Controls
from dlcnb.widgets.frames.player import PickingPlayer
from dlcnb.widgets.frames.state import PickingState
from dlcnb.widgets.gallery.gallery_state import Cell
from dlcnb.widgets.gallery.thumbnails import FINE, Gallery

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from PIL import Image

    from dlcnb.widgets.frames.state import Key, PickedFrame
    from dlcnb.widgets.frames.work import Crop

__all__ = ["FramePicker"]

THUMBNAIL = (96, 128)  # two beside each other, where the picture is beside them in a page of 800 px
KEYS = {"p": "pick_shown", "i": "range_first", "o": "range_last", "c": "toggle_drawing"}


class FramePicker(View):
    """Choose frames worth labeling and extract them into the project.

    What is extracted already is never renamed, written again or removed. Images are whole frames whatever region of
    interest is drawn, so labels are in full-frame coordinates.

    Parameters
    ----------
    project : Project or path
    videos : list of paths or names, optional
        Of the project; by default all.
    width : int, optional
        Of the video's picture, px; by default its own, at most 640.
    on_extracted : callable, optional
        Called with the list of images after an extraction.
    """

    _ready = False  # to be painted, and to be closed

    def __init__(
        self,
        project: Project | str | Path,
        videos: Sequence[str | Path] | None = None,
        *,
        width: int | None = None,
        on_extracted: Callable[[list[Path]], object] | None = None,
    ) -> None:
        self.project = project if isinstance(project, Project) else Project.open(project)
        lengths, there, problems = _survey(self.project, videos)
        self.state = PickingState(lengths, there)
        self.state.count = int(self.project.config.get("numframes2pick") or 20)
        self._width, self._on_extracted = width, on_extracted
        self._lock = threading.RLock()
        self.task = Task(self.fail)
        self.eyes = work.Eyes(self.state, self.project, (FINE * THUMBNAIL[0], FINE * THUMBNAIL[1]))
        self.controls = Controls(self.state, self)
        self.gallery = Gallery(self._thumbnail, self.go_to, self.fail, self.toggle, size=THUMBNAIL)
        self.input = Input([], KEYS, self._on_key)
        self.player = self._made_player()
        self._player_box = ipywidgets.VBox([self.player], layout=ipywidgets.Layout(width="100%"))
        top, by_hand, heading = self.controls.rows
        halves = ipywidgets.Box(
            [ipywidgets.VBox([self._player_box, by_hand]), ipywidgets.VBox([heading, self.gallery])]
        )
        halves.add_class("dlcnb-halves")
        halves.add_class("dlcnb-close")
        super().__init__([top, halves, self.input.guard])
        self.children = [top, self.status_line, halves, self.input.guard]  # what came of it, where it was asked for
        self._looker = Painter(self._look, self.fail)
        self._painter = Painter(self._paint, self.fail)
        self._ready = True
        self.state.observe(self._on_video, "video")
        self.state.observe(self._on_message, "message")
        self.state.observe(lambda _: self.redraw(), ["revision", "show", "task", "progress"])
        if problems:
            self.tell(" ".join(problems), "error")
        self.redraw()

    # --- gestures ---

    @gesture
    def choose(self) -> None:
        """Choose frames from the ticked videos as the controls say; returns at once (see `wait`)."""
        self.tell("")
        self.task.start(lambda stop: work.choose(self.state, self.project, stop))

    @gesture
    def extract(self) -> None:
        """Write the images of all frames that are picked and kept; returns at once (see `wait`)."""
        self.tell("")
        self.task.start(self._extract)

    @gesture
    def choose_and_extract(self) -> None:
        """Choose frames as the controls say, and extract them; returns at once (see `wait`)."""
        self.tell("")
        self.task.start(self._choose_and_extract)

    def _choose_and_extract(self, stop: threading.Event) -> None:
        work.choose(self.state, self.project, stop)
        if not stop.is_set():
            self._extract(stop)

    def _extract(self, stop: threading.Event) -> None:
        paths = work.extract(self.state, self.project, stop)
        if self._on_extracted and paths:
            self._on_extracted(paths)

    @gesture
    def refresh(self) -> None:
        """See frames that were extracted elsewhere meanwhile."""
        for video, length in self.state.lengths.items():
            for index in extracted(self.project.labeled_dir(video)):
                frame = self.state.frame(video, index)
                if index < length and (frame is None or not frame.extracted):
                    self.state.set_extracted(video, index)
        self.redraw()

    @shown
    def stop(self) -> None:
        """End the choice or the extraction; what is done stays."""
        self.task.stop()

    @shown
    def go_to(self, key: Key) -> None:
        """Show a frame, given as (video, index), in the player."""
        video, index = key
        self.state.video = video
        self.player.state.go(index)

    @shown
    def toggle(self, key: Key) -> None:
        """Keep a dropped frame, given as (video, index), or drop a kept one."""
        self.state.toggle(key)

    @shown
    def pick_shown(self) -> None:
        """Pick the frame that the player shows, or take it back."""
        frame = self.state.frame(self.state.video, self.player.state.frame)
        if frame is not None and frame.extracted:
            self.tell(f"Frame {frame.index} is extracted already; it stays.")
            return
        self.state.pick(self.player.state.frame)
        self.gallery.state.focus_on((self.state.video, self.player.state.frame))

    @shown
    def range_first(self) -> None:
        """Begin the range at the frame that the player shows."""
        self.state.range_end(self.player.state.frame, "first")

    @shown
    def range_last(self) -> None:
        """End the range at the frame that the player shows."""
        self.state.range_end(self.player.state.frame, "last")

    @shown
    def toggle_drawing(self) -> None:
        """Let a drag over the picture draw the region of interest, or move the picture again."""
        self.player.set_drawing(not self.player.drawing)
        self.redraw()

    @gesture
    def set_crop(self, crop: Crop | str | None) -> None:
        """Set the shown video's region of interest: (x1, x2, y1, y2) or that as text; None = the whole frame."""
        video, (height, width) = self.state.video, self.player.reader.size
        if crop is None:
            crop = (0, width, 0, height)
        crop = parse_crop(crop, f"the region of {video}")
        if crop[1] > width or crop[3] > height:
            raise ValueError(f"the frames of {video} are {width} px wide and {height} px high; {crop} reaches beyond")
        if crop != self.project.crop(video):
            self.project.set_crop(video, crop)
            self.state.forget_signatures(video)
        self.player.set_crop(crop)
        self.player.set_drawing(False)
        self.tell(
            f"The region of {video} is saved in config.yaml. Images and coordinates stay those of the whole frame."
        )
        self.redraw()

    @gesture
    def call(self, method: Callable[..., Any], *arguments: Any) -> Any:
        """Call a method of the state; what it raises is shown."""
        self.tell("")
        return method(*arguments)

    def _on_message(self, change: Any) -> None:
        if change.new:
            self.tell(change.new)

    def _thumbnail(self, cell: Cell) -> NDArray[np.uint8] | None:
        return self.eyes.thumbnail(cell.key)

    def _on_key(self, message: dict[str, Any]) -> None:
        if message["type"] == "key":
            getattr(self, KEYS[message["key"]])()

    @shown
    def _on_video(self, _: Any) -> None:
        with self._lock:
            before, self.player = self.player, self._made_player()
            self._player_box.children = [self.player]
            before.close()
        self.redraw()

    def _made_player(self) -> PickingPlayer:
        path = self.project.video(self.state.video)
        with VideoReader(path) as reader:
            size = reader.size
        crop = work.inside(self.project.crop(path), size)
        width = self._width or min(max(size[1], 480), 640)
        made = PickingPlayer(path, crop=crop, on_crop=self.set_crop, width=width)
        made.state.observe(lambda _: self.redraw(), "frame")
        self.input.listen_keys(made.canvas)
        return made

    # --- painting ---

    def redraw(self) -> None:
        """Bring everything on the page up to date with the state, soon, on a thread."""
        if self._ready:
            self._painter.request()

    def _paint(self) -> None:
        state = self.state
        with self._lock:
            player = self.player
        lists = {show: state.numbers(show) for show in ("to extract", "extracted")}
        ends = state.ranges[state.video] or ()
        player.mark(picked=lists["to extract"], extracted=lists["extracted"], ends_of_the_range=list(ends))
        self.gallery.empty = state.nothing
        self.gallery.set_cells([self._cell(frame) for frame in state.frames(state.show)])
        self.controls.show(player)
        if state.unseen():
            self._looker.request()

    def _cell(self, frame: PickedFrame) -> Cell:
        several = len(self.state.lengths) > 1
        caption = f"{frame.video} · {frame.index}" if several else f"frame {frame.index}"
        if not frame.kept:
            note = "dropped"
        elif frame.twin is not None:
            note = f"looks like {frame.twin}"
        else:
            note = "extracted" if frame.extracted else frame.origin
        box = None if frame.extracted else frame.kept
        return Cell(frame.key, caption, note, box, not frame.kept, frame.twin is not None)

    def _look(self) -> None:
        left = self.eyes.look()
        self.gallery.redraw()
        if left:
            self._looker.request()

    def wait(self, timeout: float = 60.0) -> bool:
        """Block until all work is done and painted; False after ``timeout`` seconds."""
        until = time.monotonic() + timeout
        while time.monotonic() < until:
            left = until - time.monotonic()
            done = self.task.wait(left) and self._painter.wait(left) and self._looker.wait(left)
            if done and not self.state.unseen() and self._painter.wait(0) and self._looker.wait(0):
                return self.gallery.wait(left) and self.player.wait(left)
        return False

    def snapshot(self) -> Image.Image:
        """The player above the page of thumbnails as a `PIL.Image.Image`."""
        return stacked(self.player.snapshot(), self.gallery.snapshot(), gap=8)

    def close(self) -> None:
        """Stop all work and take the widget off the page."""
        if self._ready:
            self._ready = False
            self.task.stop()
            self.task.wait(5)
            for part in (self._painter, self._looker, self.eyes, self.player, self.gallery):
                part.close()
        super().close()


def _survey(
    project: Project, videos: Sequence[str | Path] | None
) -> tuple[dict[str, int], dict[str, list[int]], list[str]]:
    """({video: number of frames}, {video: extracted frames}, what is wrong with some) of a project's videos."""
    paths = project.videos if videos is None else [project.video(Path(v).name) for v in videos]
    lengths: dict[str, int] = {}
    there: dict[str, list[int]] = {}
    problems: list[str] = []
    for path in paths:
        name = video_stem(path)
        try:
            with VideoReader(path) as reader:
                lengths[name] = len(reader)
                if lost := reader.damaged:
                    problems.append(
                        f"{path.name}: {len(lost)} of {len(reader)} frames are damaged or missing, the first is frame "
                        f"{lost[0]}. They are left out; if the video was not copied in full, copy it again."
                    )
        except VideoError as error:
            problems.append(str(error))
            continue
        there[name] = [index for index in extracted(project.labeled_dir(name)) if index < lengths[name]]
    if problems and not lengths:
        raise VideoError(" ".join(problems))
    return lengths, there, problems
