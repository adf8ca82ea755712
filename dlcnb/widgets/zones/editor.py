"""ZoneEditor: draw zones on a frame, name them, copy them to other videos; tell how many pixels are a centimetre."""

from __future__ import annotations

import math
import threading
from pathlib import Path
from typing import Any, Protocol

import ipywidgets
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from dlcnb.project import Project, ProjectError, Scale, scale_of, set_scale, undo_scale
from dlcnb.video import DamagedFrameError, VideoReader
from dlcnb.widgets.base.canvas import FrameCanvas, Painter, batch, render_view, room
from dlcnb.widgets.base.input_guard import Input
from dlcnb.widgets.base.paint import on_picture
from dlcnb.widgets.base.view import View, gesture, shown
from dlcnb.widgets.base.zoom import canvas_size
from dlcnb.widgets.zones.controls import ZoneControls
from dlcnb.widgets.zones.draw import zone_things
from dlcnb.widgets.zones.keys import KEYS
from dlcnb.widgets.zones.state import HOW, ZoneState
from dlcnb.zones import ZoneError, ZoneFile, copy_zones, zones_path

__all__ = ["ZoneEditor"]

ROOT = "dlcnb-zones"
NO_SCALE = "Not known yet: press Length above the picture, then click both ends of something whose cm you know."
WHEEL_ZOOM = 1.002  # per CSS pixel of wheel travel


class Times(Protocol):
    """What shows the times of a video in its zones, and begins the analysis that they need."""

    def lacks(self, video: Path) -> tuple[str, str]:
        """(why there are none yet, what a button says that changes that); each is empty where there is nothing."""

    def analyze(self, video: Path) -> object:
        """Do what that button says."""

    def show(self, video: Path) -> object:
        """Show them."""


class ZoneEditor(View):
    """Draw zones and measure centimetres on a frame of a video.

    Rectangles, ellipses and polygons with names are kept at once in the project's folder ``zones``; `dlcnb zones`
    measures what bodyparts did in them.

    Parameters
    ----------
    project : Project or path
    video : path or str, optional
        A video of the project, by its path or name; by default the first one.
    width : int, optional
        Width of the picture in px; by default the video's own, at most 720.
    times : optional
        Any object that shows the times of a video in its zones, as Studio's `TimesLink` does; without, there is no
        button for them.
    """

    _painter: Painter | None = None

    def __init__(
        self,
        project: Project | Path | str,
        video: Path | str | None = None,
        *,
        width: int | None = None,
        times: Times | None = None,
    ) -> None:
        self.project = project if isinstance(project, Project) else Project.open(project)
        if not self.project.videos:
            raise FileNotFoundError(f"{self.project.root} has no video yet: add one (dlcnb add-videos).")
        path = self.project.videos[0] if video is None else self.project.video(Path(video).name)
        self._lock, self._misfit, self._times = threading.RLock(), False, times
        self.scale: Scale | None = None
        self._reader = VideoReader(path)
        size = canvas_size(self._reader.size, width, 480, 720)
        self.state = ZoneState(self._reader.size, size, self._keep)
        self.canvas = FrameCanvas(size)
        self.canvas.layout.max_width = room(size, 180)
        self.input = Input([self.canvas], KEYS, self._on_input, ROOT)
        self.input.guard.repeating = ["n", "N", "h", "H"]
        self.input.sharpen(self.redraw, self.canvas)
        self.input.zooms(self.state)
        self.controls = controls = ZoneControls(self, [path.stem for path in self.project.videos])
        controls.times.layout.display = None if times is not None else "none"
        column = ipywidgets.VBox(
            [self.canvas, controls.moves, self.input.guard],
            layout=ipywidgets.Layout(width="100%", max_width=f"{size[1]}px", flex="1 1 310px", overflow="visible"),
        )
        columns = ipywidgets.HBox([column, controls.side])
        columns.add_class("dlcnb-row")
        columns.add_class("dlcnb-top")
        super().__init__([controls.top, controls.tools, columns])
        self.add_class(ROOT)
        self._painter = Painter(self._paint, self.fail)
        self.canvas.on_client_ready(lambda *_: self.redraw())
        self.state.observe(lambda _: self._on_state(), "revision")
        self.state.observe(lambda _: self._ask_name(), "drawn")
        self.state.observe(lambda change: self.tell(change.new), "message")
        self.choose_video(path.stem)

    # --- which video ---

    @property
    def video(self) -> Path:
        """Path of the video whose zones these are."""
        return Path(self._reader.path)

    @gesture
    def choose_video(self, video: str | Path) -> None:
        """Show another video's zones."""
        path, lost = self.project.video(Path(video).name), ""
        with self._lock:
            if path != self.video:
                reader = VideoReader(path)
                self._reader.close()
                self._reader = reader
                lost = "What was measured in the other video was not kept, and is gone." if self.state.ruler else ""
                self.state.frame, self.state.ruler = 0, ()
            self.controls.video.value = path.stem
            self._read()
            if lost and not self.failed:
                self.tell(lost)

    def _read(self) -> None:
        """Read zones and scale of the video; what is wrong with them is shown."""
        self.file = ZoneFile(zones_path(self.project, self.video), self._reader.size)
        self._misfit = False
        problem: ZoneError | None = None
        try:
            zones = self.file.read()
        except ZoneError as error:
            zones, self._misfit, problem = (), True, error
        self.state.load(zones, self._reader.size)
        self.tell("")
        self._read_scale()
        if problem is not None:
            self.fail(problem)

    def _read_scale(self) -> None:
        self._show_times()
        try:
            self.scale = scale_of(self.project, self.video, self._reader.size)
        except ProjectError as error:
            self.scale = None
            self.fail(error)
        self.controls.show_length(self.scale)
        self._on_state()

    def refresh(self) -> None:
        """Read zones and scale again if another program changed them; else what can be undone stays."""
        with self._lock:
            self.project = Project.open(self.project.root)
            if self.file.changed:
                self._read()
            else:
                self._read_scale()

    @shown
    def go(self, frame: int) -> None:
        """Show a frame."""
        self.state.frame = min(max(int(frame), 0), len(self._reader) - 1)
        self._on_state()

    # --- gestures ---

    @gesture
    def act(self, method: str, *arguments: Any) -> None:
        """Call a method of the state by its name; what it raises is shown."""
        with self._lock:
            if method == "use":
                self.state.tool, self.state.message = arguments[0], HOW.get(arguments[0], "")
                self._on_state()
            else:
                self.tell("")  # what was told of an act before
                self.state.message = ""
                getattr(self.state, method)(*arguments)

    @gesture
    def make(self, preset: str, share: float) -> None:
        """Make the zones of a usual arena, one of `PRESETS`; see `ZoneState.preset`."""
        with self._lock:
            shown = self._image()
        self.act("preset", preset, share, shown)

    @gesture
    def grow(self, margin: float) -> None:
        """Make a zone around the selected one, wider by ``margin``: cm where a scale is known, else px."""
        zone, scale = self.state.zone, self.scale
        if zone is not None and scale is not None:
            x, y = zone.centre
            margin /= math.dist(*scale.to_cm([(x, y), (x + 1, y)]))  # cm of a pixel there
            if math.isnan(margin):
                raise ZoneError(f"{zone.name} lies beyond the horizon of the scale's corners: no cm are known there")
        self.act("grow", margin)

    def press_key(self, key: str) -> None:
        """Do what a key does."""
        self.act(*KEYS[key])

    @shown
    def _on_input(self, message: dict[str, Any]) -> None:
        kind, state = message["type"], self.state
        at = message.get("x", 0.0), message.get("y", 0.0)
        with self._lock:
            if kind == "key":
                self.press_key(message["key"])
            elif kind == "wheel":
                state.zoom(WHEEL_ZOOM ** -message["dy"], at)
            elif kind == "pinch":
                state.pinch(message)
            elif kind == "double":
                self._on_double()
            elif kind == "down":
                state.press(at)
            elif kind == "move":
                state.drag(at)
            elif kind == "up":
                state.release()
            elif kind == "cancel":
                state.cancel()

    def _on_double(self) -> None:
        """The second click of a polygon's last corner closes it; beside that, the whole frame is shown."""
        state = self.state
        if state.tool == "polygon" and len(state.draft) > 3:
            state.draft = state.draft[:-1]  # it was placed twice
            state.finish()
        elif state.tool == "choose" and not state.chosen:
            state.reset_view()

    @gesture
    def show_times(self) -> None:
        """Show the video's time in the zones, or begin the analysis that it needs first."""
        if self._times is None:
            return
        if any(self._times.lacks(self.video)):
            self._times.analyze(self.video)
            self._show_times()
        else:
            self._times.show(self.video)

    def _show_times(self) -> None:
        if self._times is not None:
            self.controls.show_times(*self._times.lacks(self.video))

    @shown
    def recheck(self) -> None:
        """See whether there are times in zones by now, and take back an error that is no longer true."""
        super().recheck()
        self._show_times()

    # --- what is kept ---

    def _keep(self) -> None:
        """Write the zones; called after each change."""
        if self._misfit:
            raise ZoneError(
                f"{self.file.path} is not written over, because it could not be read; see above, or delete it"
            )
        self.file.write(self.state.zones)

    @gesture
    def fit_zones(self) -> None:
        """Scale zones that were drawn on frames of another size to this video's, and keep that."""
        with self._lock:
            zones = self.file.read_fitted()
            self.file.write(zones)
            self._read()

    @gesture
    def copy(self, videos: list[str]) -> None:
        """Copy all zones to other videos, scaled to their frames."""
        targets = []
        for name in videos:
            with VideoReader(self.project.video(name)) as reader:
                targets.append((name, reader.size))
        made = copy_zones(self.project, self.video, targets, replace=self.controls.replace.value)
        self.tell(f"Copied to {', '.join(path.stem for path in made)}." if made else "Choose another video to copy to.")

    @gesture
    def measure(self, width_cm: float, height_cm: float | None = None, *, whole: bool = False) -> None:
        """Keep the scale of what was clicked, two ends ``width_cm`` apart or four corners; ``whole``: of all videos."""
        state, size = self.state, self._reader.size
        if state.measured and state.measure == "length":
            found = Scale.by_line(state.ruler, width_cm, size)
        elif state.measured and height_cm is not None:
            found = Scale.by_corners(state.ruler, (width_cm, height_cm), size)
        else:
            raise ProjectError("Measure first: press Length or Corners, and click in the picture.")
        with self._lock:
            set_scale(self.project, found, None if whole else self.video)
            self.scale = scale_of(self.project, self.video, size)
            state.ruler, state.tool = (), "choose"
            self._on_state()
            self.tell(f"Kept: {found}.")

    @gesture
    def undo_scale(self) -> None:
        """Take the last change of the scale back."""
        with self._lock:
            told = undo_scale(self.project)
            self.scale = scale_of(self.project, self.video, self._reader.size)
            self._on_state()
            self.tell(f"Now: {told}.")

    # --- painting ---

    def _ask_name(self) -> None:
        """Let what is typed next be the name of the zone that was drawn."""
        if self.state.zone is not None:
            self.input.guard.send({"type": "name", "value": self.state.zone.name})

    def _on_state(self) -> None:
        scale = NO_SCALE if self.scale is None else str(self.scale)
        self.controls.show_unit("px" if self.scale is None else "cm")
        self.controls.show(scale, len(self._reader), self._misfit)
        self.redraw()

    def redraw(self) -> None:
        """Paint again, soon, on the painter's thread."""
        if self._painter is not None:
            self._painter.request()

    def _seen(self, ratio: float = 1.0) -> NDArray[np.uint8]:
        """The frame as the canvas shows it, uint8 (height, width, 3), or up to ``ratio`` times as fine."""
        with self._lock:
            return render_view(self._image(), self.state.fit, self.state.canvas_size, ratio)

    def _image(self) -> NDArray[np.uint8]:
        """The frame that is shown, uint8 (H, W, 3); grey where it is damaged."""
        try:
            return self._reader.read(self.state.frame)
        except DamagedFrameError:
            return np.full((*self.state.image_size, 3), 64, np.uint8)

    def _paint(self) -> None:
        self.input.ready()
        with self._lock:
            view, things = self._seen(self.canvas.ratio), zone_things(self.state, self.state.fit, self.scale)
        with batch(self.canvas):
            self.canvas.draw_frame(view)
            self.canvas.paint(1, things)
        self.input.sent()

    # --- without a browser ---

    def wait(self, timeout: float = 10.0) -> bool:
        """Block until what was asked for is painted; False after ``timeout`` seconds."""
        return self._painter is None or self._painter.wait(timeout)

    def snapshot(self) -> Image.Image:
        """The frame with its zones, as a `PIL.Image.Image`."""
        return on_picture(Image.fromarray(self._seen()), zone_things(self.state, self.state.fit, self.scale))

    def close(self) -> None:
        """Take the widget off the page and free the video; the zones are kept already."""
        if self._painter is not None:
            self._painter.close()
            self._reader.close()
        super().close()
