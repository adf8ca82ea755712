"""Player: look through a video frame by frame, or play it, with poses on top and a timeline of what is marked."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import ipywidgets
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from dlcnb.geometry import CanvasFit
from dlcnb.labels import LabelError, labeled_images
from dlcnb.poses import Poses, bone_edges, read_poses
from dlcnb.project import Project, Skeleton
from dlcnb.render import palette
from dlcnb.video import DamagedFrameError, VideoReader
from dlcnb.widgets.base.canvas import FrameCanvas, Painter, batch, render_view, room
from dlcnb.widgets.base.choices import pcutoff_slider
from dlcnb.widgets.base.html import Html, markup, muted
from dlcnb.widgets.base.input_guard import Input
from dlcnb.widgets.base.paint import Thing, on_picture
from dlcnb.widgets.base.pictures import stacked
from dlcnb.widgets.base.poses_choice import PosesChoice
from dlcnb.widgets.base.quiet import Quiet
from dlcnb.widgets.base.sharpness import Sharpness
from dlcnb.widgets.base.view import View, button, row, shown
from dlcnb.widgets.base.zoom import canvas_size
from dlcnb.widgets.player.draw import legends, pose_things, problem_text
from dlcnb.widgets.player.keys import BUTTONS, KEYS
from dlcnb.widgets.player.state import PlayClock, PlayerState
from dlcnb.widgets.player.timeline import (
    HEIGHT,
    LANES,
    Timeline,
    frame_numbers,
    labeled_frames,
    lane_things,
    playhead_things,
)

__all__ = ["Player"]

SPEEDS = (0.1, 0.25, 0.5, 1.0, 2.0, 4.0)
READOUT_SECONDS = 0.1  # the slider and the numbers follow playback this often
PLAY_AHEAD = 3  # frames on their way while playing, so that a slow connection costs lag, not frames; else one
WHEEL_ZOOM = 1.0015  # per CSS pixel of wheel travel


class Player(View):
    """Frame browsing and playback.

    Parameters
    ----------
    video : path or VideoReader
    poses : Poses or path, optional
        Drawn on the frames; the path of a table that DeepLabCut or dlcnb wrote. With a path the video's other tables
        can be chosen, and of several animals all or one.
    project : Project, optional
        Gives skeleton, pcutoff and the frames that are labeled.
    labels : Labels or frame numbers, optional
        The labeled frames, if not the project's.
    outliers : frame numbers, optional
    skeleton : Skeleton, optional
        If not the project's.
    width : int, optional
        Width of the picture in px; by default the video's own, at most 960.
    """

    lanes = LANES  # of the timeline: name -> colour

    _painter: Painter = None  # type: ignore[assignment]  # until all is built
    _ticket = None  # of the thread that plays; another one, or none, tells it to end
    _drag_from = None
    _scrubbing = False

    def __init__(
        self,
        video: str | Path | VideoReader,
        poses: Poses | str | Path | None = None,
        *,
        project: Project | None = None,
        labels: Any = None,
        outliers: Sequence[int] = (),
        skeleton: Skeleton | None = None,
        width: int | None = None,
    ) -> None:
        self._opened = not isinstance(video, VideoReader)
        self.reader = video if isinstance(video, VideoReader) else VideoReader(video)
        self.state = PlayerState(self.reader.times, self.reader.size, canvas_size(self.reader.size, width, 480, 960))
        self.bodyparts: tuple[str, ...] = ()
        self._edges, self._colors = np.empty((0, 2), int), np.empty((0, 3), np.uint8)
        self._lock, self.quiet, self._told = threading.RLock(), Quiet(), 0.0
        self._text_width = 2 * len(f"{np.ptp(self.state.times):.2f}") + len(" s of  s")
        self._build()
        super().__init__([*self._rows, self.input.guard])
        self._painter = Painter(self._paint, self.fail)
        self._sharpness = Sharpness(self.canvas, self._painter.request)
        self._connect()
        self._load(poses, project, labels, skeleton)
        if "outliers" in self.lanes:
            self.state.set_marks("outliers", outliers)
        self._legend()
        self.redraw()

    # --- what it is made of ---

    def _build(self) -> None:
        state, layout = self.state, ipywidgets.Layout
        height, width = state.canvas_size
        self.canvas, self.timeline = FrameCanvas((height, width)), Timeline(width, self.lanes)
        self.input = Input([self.canvas, self.timeline], KEYS, self._on_input)
        self.input.guard.repeating = ["[", "]"]
        self.input.sharpen(self._on_client, self.canvas, self.timeline)
        self.input.zooms(state)
        self.slider = ipywidgets.IntSlider(
            min=0, max=max(state.n_frames - 1, 1), readout=False, layout=layout(flex="1 1 0", margin="0 8px")
        )
        self.slider.style.description_width = "0"
        self.number = ipywidgets.BoundedIntText(min=0, max=state.n_frames - 1, layout=layout(width="88px", margin="0"))
        self.number.tooltip = "Go to this frame"
        self.readout = Html()
        self.readout.add_class("dlcnb-number")
        self.speed = ipywidgets.Dropdown(
            options=[(f"{s:g}×", s) for s in SPEEDS], value=1.0, layout=layout(width="72px", margin="0")
        )
        self.speed.tooltip = "Playback speed"
        self.poses_box = ipywidgets.Checkbox(
            value=True, description="poses", indent=False, layout=layout(width="auto", margin="0 8px 0 0")
        )
        self.pcutoff = pcutoff_slider(0.0, "280px")
        self.legend = Html()
        self.legend.add_class("dlcnb-legend")
        self.buttons = {key: button(icon, tip, partial(self._act, key), w) for key, (icon, tip, w) in BUTTONS.items()}
        self._rows = self._arranged(width)

    def _arranged(self, width: int) -> list[ipywidgets.Widget]:
        frame_label, self._where = Html("frame"), ipywidgets.HBox([self.slider])
        moves = [self.buttons[key] for key in list(BUTTONS)[:7]]
        groups = [row([self.buttons[key] for key in keys], tight=True) for keys in ("[]", "-+0")]
        for group in groups:  # which stay together where there is no room
            group.add_class("dlcnb-gap")
        self._pose_box = ipywidgets.HBox([self.poses_box, self.pcutoff], layout=ipywidgets.Layout(overflow="visible"))
        self._pose_box.add_class("dlcnb-gap")
        where = row([frame_label, self.number, self.readout, self._pose_box])
        column = ipywidgets.VBox(
            [self.canvas, self.timeline, self._where, row([*moves, self.speed, *groups]), where],
            layout=ipywidgets.Layout(width="100%", max_width=f"{max(width, 520)}px", align_items="flex-start"),
        )
        for part in (self.canvas, self.timeline, self._where):
            part.layout.width, part.layout.max_width = "100%", room(self.state.canvas_size)
        return [column, self.legend]

    def _connect(self) -> None:
        self.canvas.on_client_ready(self._on_client)
        self.timeline.on_client_ready(self._on_client)
        self.slider.observe(self._on_slider, "value")
        self.number.observe(self._on_slider, "value")
        self.speed.observe(lambda change: setattr(self.state, "speed", change.new), "value")
        self.poses_box.observe(lambda change: setattr(self.state, "show_poses", change.new), "value")
        self.pcutoff.observe(self._on_pcutoff, "value")
        self.state.observe(self._on_playing, "playing")
        self.state.observe(lambda _: self.redraw(), ["frame", "revision", "pcutoff", "show_poses", "playing"])

    def _load(
        self, poses: Poses | str | Path | None, project: Project | None, labels: Any, skeleton: Skeleton | None
    ) -> None:
        if project is not None:
            self.state.pcutoff = project.pcutoff
            skeleton = skeleton or project.skeleton
        self._project = project if labels is None else None  # whose labels are shown
        if "labeled" in self.lanes:
            self._mark_labeled(labels, project)
        if isinstance(poses, (str, Path)):
            show = partial(self.set_poses, skeleton=skeleton)
            self.choice = PosesChoice(Path(self.reader.path), poses, show, self.fail, beside=True)
            self._rows[0].children = [*self._rows[0].children, self.choice.row]
            poses = self.choice.poses
        self.set_poses(poses, skeleton)

    def _mark_labeled(self, labels: Any, project: Project | None) -> None:
        """Mark the labeled frames; those of the project are an extra, and what is wrong with them is only told."""
        stem, n_frames = Path(self.reader.path).stem, self.state.n_frames
        if labels is not None or project is None:
            self.state.set_marks("labeled", labeled_frames(labels, stem))
            return
        try:
            frames = np.asarray(frame_numbers(labeled_images(project, self.reader.path)), int)
        except LabelError as error:
            self.fail(error)
            return
        self.state.set_marks("labeled", frames[frames < n_frames])
        if beyond := int((frames >= n_frames).sum()):
            self.tell(f"{beyond} labeled frames lie beyond the end of this video, which has {n_frames} frames")

    def refresh(self) -> None:
        """See again which frames of the project are labeled."""
        if self._project is not None and "labeled" in self.lanes:
            self._mark_labeled(None, self._project)
            self._legend()
        self.redraw()

    def set_poses(self, poses: Poses | str | Path | None, skeleton: Skeleton | None = None) -> None:
        """Draw other poses (`Poses` or the path of a table; None = none), with the edges of a `Skeleton`."""
        self._pose_box.layout.display = "none" if poses is None else None
        if poses is None:
            return
        found = poses if isinstance(poses, Poses) else read_poses(poses)
        poses = found.within(self.state.n_frames, "the poses" if isinstance(poses, Poses) else poses)
        if poses is not found:
            self.tell(f"{len(found) - len(poses)} poses lie beyond the end of this video and are left out")
        self.bodyparts = tuple(poses.bodyparts)
        self._colors = palette(len(self.bodyparts))
        self._edges = bone_edges(self.bodyparts, getattr(skeleton, "edges", ()))
        self.state.set_poses(poses.points, poses.likelihood)
        self.pcutoff.value = self.state.pcutoff
        self._legend()

    def _legend(self) -> None:
        self.legend.value = legends(self.lanes, self.state.marks, self.bodyparts, self._colors, self.state.outside)

    # --- gestures to the state ---

    @shown
    def _act(self, key: str) -> None:
        name, *arguments = KEYS[key]
        with self._lock:
            getattr(self.state, name)(*arguments)

    @shown
    def _on_input(self, message: dict[str, Any]) -> None:
        kind, surface = message["type"], message.get("surface")
        if kind == "key":
            self._act(message["key"])
        elif surface == 1:
            self._on_timeline(kind, message["x"], self.timeline.size[1])
        elif kind == "wheel":
            self.state.zoom(WHEEL_ZOOM ** -message["dy"], (message["x"], message["y"]))
        elif kind == "pinch":
            self.state.pinch(message)
        elif kind == "double":
            self.state.reset_view()
        elif kind in ("down", "up", "cancel"):
            self._drag_from = (message["x"], message["y"]) if kind == "down" else None
        elif kind == "move" and self._drag_from:
            (x, y), self._drag_from = self._drag_from, (message["x"], message["y"])
            self.state.pan(message["x"] - x, message["y"] - y)

    def _on_timeline(self, kind: str, x: float, width: int) -> None:
        if kind == "down":
            self._scrubbing = True
            with self._lock:
                self.state.go(self.state.mark_near(x, width))
        elif kind == "move" and self._scrubbing:
            with self._lock:
                self.state.go(self.state.frame_at(x, width))
        elif kind in ("up", "cancel"):
            self._scrubbing = False

    @shown
    def _on_slider(self, change: Any) -> None:
        if not self.quiet and change.new != self.state.frame:
            with self._lock:
                self.state.go(change.new)

    def _on_pcutoff(self, change: Any) -> None:
        self.state.pcutoff = change.new

    def _on_playing(self, change: Any) -> None:
        self.buttons[" "].icon = "pause" if change.new else "play"
        if change.new:
            self._ticket = ticket = object()
            threading.Thread(target=self._play, args=(ticket,), name="dlcnb-player", daemon=True).start()

    def _on_client(self, *_: object) -> None:
        """Paint anew: a page shows the canvases, or has emptied them."""
        if self._painter is not None:
            self.redraw()

    # --- playing ---

    def _play(self, ticket: object) -> None:
        clock = PlayClock(self.state, time.monotonic())
        while self.state.playing and self._ticket is ticket:
            wait = clock.wait(time.monotonic())
            if wait is None:
                self.state.playing = False
                break
            time.sleep(min(wait, 0.2))
            with self._lock:
                if self.state.playing and self._ticket is ticket:
                    self.state.frame = clock.due(time.monotonic())
            self._painter.wait(1.0)

    def play(self) -> None:
        """Start playing; returns at once."""
        with self._lock:
            if not self.state.playing:
                self.state.toggle()

    def pause(self) -> None:
        """Stop playing."""
        self.state.playing = False

    # --- painting ---

    def redraw(self) -> None:
        """Paint again, soon, on the painter's thread."""
        self._painter.request()

    def _paint(self) -> None:
        state = self.state
        what = (state.frame, state.fit)
        finer = self._sharpness.finer(what, state.fit.zoom, self.input, state.playing)
        view, things, problem = self._seen(finer)
        self.input.ready(PLAY_AHEAD if state.playing else 0)
        with batch(self.canvas):
            self.canvas.draw_frame(view, (*what, finer))
            self.canvas.paint(1, things)
            self.timeline.draw_marks(state)
            self.timeline.draw_playhead(state)
        self.input.sent()
        self._tell_frame(problem)

    def _seen(self, ratio: float = 1.0) -> tuple[NDArray[np.uint8], list[Thing], str]:
        """The frame as the canvas shows it, uint8 (height, width, 3), what lies over it, and what is wrong with it."""
        state = self.state
        frame, fit, problem = state.frame, state.fit, ""
        try:
            image = self.reader.read(frame)
        except DamagedFrameError as error:
            image, problem = np.full((*state.image_size, 3), 64, np.uint8), str(error)
        things = self.things(fit)
        if problem:
            things.append(problem_text(f"frame {frame} is damaged", state.canvas_size))
        return render_view(image, fit, state.canvas_size, ratio), things, problem

    def things(self, fit: CanvasFit) -> list[Thing]:
        """What lies over the frame where ``fit`` puts it on the canvas."""
        return pose_things(fit.to_canvas(self.state.visible_points()), self._edges, self._colors)

    def _tell_frame(self, problem: str) -> None:
        state, now = self.state, time.monotonic()
        if state.playing and now - self._told < READOUT_SECONDS:
            return
        self._told = now
        with self.quiet:
            self.slider.value = self.number.value = state.frame
            text = state.time_text().rjust(self._text_width, "\N{FIGURE SPACE}")  # nothing beside it moves in playback
            self.readout.value = markup("of {} {} {}", state.n_frames - 1, muted("·"), text)
        state.message = problem
        self.tell(problem, "error")

    # --- without a browser ---

    def wait(self, timeout: float = 10.0) -> bool:
        """Block until what was asked for is painted; False after ``timeout`` seconds."""
        return self._painter.wait(timeout)

    def snapshot(self) -> Image.Image:
        """The picture with its poses, and the timeline below, as a `PIL.Image.Image`."""
        view, things, _ = self._seen()
        picture = on_picture(Image.fromarray(view), things)
        strip = Image.new("RGB", (picture.width, HEIGHT))
        on_picture(strip, lane_things(self.state, strip.width, self.lanes))
        return stacked(picture, on_picture(strip, playhead_things(self.state, strip.width)))

    def close(self) -> None:
        """Stop playing, free the video if this widget opened it, and take the widget off the page."""
        self._ticket = None
        if self._painter is not None:
            self._painter.close()
            if self._opened:
                self.reader.close()
        super().close()
