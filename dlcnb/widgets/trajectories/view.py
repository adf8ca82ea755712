"""TrajectoryView: poses over time, in the plane and as histograms; a click anywhere shows that frame of the video."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import ipywidgets
import numpy as np
from numpy.typing import NDArray

from dlcnb.evaluate import network_caution
from dlcnb.files import atomic_path, make_folder
from dlcnb.poses import Poses, seldom_sure
from dlcnb.project import Project, ProjectError, Scale, scale_of
from dlcnb.project.recent import remember, remembered_length
from dlcnb.video import DamagedFrameError
from dlcnb.widgets.base.canvas import Painter
from dlcnb.widgets.base.choices import QUEUED
from dlcnb.widgets.base.input_guard import InputGuard
from dlcnb.widgets.base.pictures import beside, figure_picture
from dlcnb.widgets.base.plot_input import PlotInput
from dlcnb.widgets.base.poses_choice import PosesChoice, fitting, video_of
from dlcnb.widgets.base.view import View, gesture, set_class, shown
from dlcnb.widgets.base.written import written
from dlcnb.widgets.player.trail_player import TrailPlayer
from dlcnb.widgets.trajectories.controls import TrajectoryControls
from dlcnb.widgets.trajectories.figure import selected_figure
from dlcnb.widgets.trajectories.plots import TrajectoryPlots
from dlcnb.widgets.trajectories.state import TrajectoryState
from dlcnb.widgets.trajectories.zones import ZONES, ZonePanel

if TYPE_CHECKING:
    from PIL import Image

    from dlcnb.widgets.base.axes import Plot
    from dlcnb.widgets.player.player import Player

__all__ = ["TrajectoryView"]

ROOT = "dlcnb-trajectories"
PLAYER_WIDTH = 480
DIGITS = 4  # behind the point, in the csv: finer than any pose, in cm, px and seconds
PAUSE = 0.1  # s between two drawings of the present frame
WHEEL_ZOOM = 1.002  # per CSS pixel of wheel travel
KEYS: dict[str, tuple[Any, ...]] = {  # key -> (name of a method of the state, its arguments)
    "ArrowLeft": ("step", -1),
    "ArrowRight": ("step", 1),
    "Shift+ArrowLeft": ("step", -10),
    "Shift+ArrowRight": ("step", 10),
    "PageUp": ("pan", -0.5),
    "PageDown": ("pan", 0.5),
    "+": ("zoom", 2.0),
    "-": ("zoom", 0.5),
    "0": ("reset",),
    "f": ("follow",),
}


class TrajectoryView(View):
    """Trajectories to explore.

    Drag over a part of a plot to look at it alone, double-click to see the whole. Click anywhere: on a point of a line
    or in the plane to see its frame, on a bar of a histogram to see the frames in it one after the other.

    Parameters
    ----------
    project : Project or path
    video : path or str, optional
        A video of the project, by its path or name; by default the first one.
    poses : Poses or path, optional
        Unfiltered; by default the newest table beside the video. The others can be chosen, and of several animals all
        or one.
    player : Player, optional
        Of this video, to show the frames; by default one of its own.
    queue : OutlierQueue, optional
        Of this video: a button puts the present frame there.
    """

    _painter: Painter | None = None
    _zones_wanted = False

    def __init__(
        self,
        project: Project | Path | str,
        video: Path | str | None = None,
        poses: Poses | Path | str | None = None,
        player: Player | None = None,
        *,
        queue: Any = None,
    ) -> None:
        self.project = project if isinstance(project, Project) else Project.open(project)
        self.video = video_of(self.project, video)
        self.choice = PosesChoice(self.video, poses, self.set_poses, self.fail)
        self.queue, self._own_player = queue, player is None
        self.player = player or TrailPlayer(self.video, project=self.project, width=PLAYER_WIDTH)
        found = fitting(self.choice.poses, self.player.reader, self.choice.table)
        shown = self.player.state
        self.state = TrajectoryState(found, shown.times, self.project.pcutoff, self._scale(), shown.image_size)
        self.state.length = self._length()
        self._lock, self._all, self._rest = threading.RLock(), True, threading.Event()
        self._of_player: Poses | None = None  # what the player shows
        self.plots = TrajectoryPlots(self.state)
        self.controls = TrajectoryControls(self.state, self, self.plots.colors, self.choice.row)
        self.input = PlotInput([*KEYS, "q"], self._on_input, ROOT)
        self._warn_of(found)
        controls = self.controls
        rows = [controls.caution, controls.choices, controls.moves, controls.bodyparts, self.plots.title]
        self.zones = ZonePanel(self.project, self.video, self.state, self._frame, self._on_zones, self.save_zones)
        super().__init__([*rows, self._halves(), self.plots.plane_box, self.zones, self.input, InputGuard(surfaces=0)])
        self.add_class(ROOT)
        self._painter = Painter(self._paint, self.fail)
        self._connect()
        self._on_frame_of_player()
        self.redraw()

    def _halves(self) -> ipywidgets.Widget:
        if not self._own_player:
            return self.plots.time_box
        self.player.pcutoff.layout.display = "none"  # there is one above
        both = ipywidgets.GridBox([self.plots.time_box, self.player])
        both.add_class("dlcnb-halves")
        self.state.observe(lambda _: _place(both, self.state.show), "show")
        _place(both, self.state.show)
        return both

    def _scale(self) -> Scale | None:
        """The video's scale; one that can't be used counts as none, which ZoneEditor and the commands tell."""
        try:
            return scale_of(self.project, self.video, self.player.state.image_size)
        except ProjectError:
            return None

    def _frame(self) -> NDArray[np.uint8]:
        """The first frame of the video, for pictures of places; grey where it is damaged."""
        try:
            return self.player.reader.read(0)
        except DamagedFrameError:
            return np.full((*self.player.state.image_size, 3), 64, np.uint8)

    def _on_zones(self) -> None:
        self._zones_wanted = True
        if self._painter is not None:
            self._painter.request()

    def show_zones(self) -> None:
        """Open the table of the zones, and scroll to it."""
        self.zones.open_button.value = True
        self.input.reveal = ZONES

    def _connect(self) -> None:
        state, player = self.state, self.player.state
        whole = ["revision", "pcutoff", "bodyparts", "method", "show", "unit", "length", "trail"]
        state.observe(lambda _: self.redraw(), whole)
        state.observe(lambda _: self._on_frame(), "frame")
        state.observe(lambda change: setattr(player, "pcutoff", change.new), "pcutoff")
        state.observe(lambda change: self.tell(change.new), "message")
        self.zones.open_button.observe(lambda change: self.show_zones() if change.new else None, "value")
        player.observe(lambda _: self._on_frame_of_player(), "frame")
        player.observe(lambda change: setattr(state, "pcutoff", change.new), "pcutoff")
        player.pcutoff = state.pcutoff

    def _warn_of(self, poses: Poses) -> None:
        cautions = network_caution(self.project, poses.scorer), seldom_sure(poses, self.project.pcutoff)
        self.controls.warn(" ".join(filter(None, cautions)))

    def set_poses(self, poses: Poses) -> None:
        """Look at other poses of the video."""
        with self._lock:
            self.state.set_poses(fitting(poses, self.player.reader, None))
            self._warn_of(poses)
            self.plots.recolor()
            self.controls.show_bodyparts(self.plots.colors)
        self.redraw()

    def refresh(self) -> None:
        """See which poses, what scale and which zones there are now, and draw everything again."""
        self.project = Project.open(self.project.root)
        self.choice.refresh()
        self.player.refresh()
        with self._lock:
            self._take_scale(self._scale())
            self._warn_of(self.state.poses)  # the network may have been evaluated meanwhile
        self.redraw()

    def _take_scale(self, scale: Scale | None) -> None:
        """Measure centimetres by another scale; without one there are pixels only."""
        state = self.state
        if scale != state.scale:
            state.length, state.scale = "px", scale
            state.length = self._length()
            state.set_poses(state.poses)  # nothing that was measured before is kept
            self.controls.show()

    def _length(self) -> str:
        """The unit that was chosen last; else centimetres, where a scale is known."""
        return (remembered_length(self.project.root) or "cm") if self.state.scale is not None else "px"

    # --- gestures ---

    @gesture
    def act(self, method: Callable[..., object], *arguments: Any) -> None:
        """Call a method of the state; what it raises is shown."""
        with self._lock:
            method(*arguments)

    @gesture
    def choose(self, name: str, value: Any) -> None:
        """Set a trait of the state; what it raises is shown."""
        if getattr(self.state, name) != value:
            setattr(self.state, name, value)
            if name == "length":
                remember(self.project.root, self.project.task, value)

    @gesture
    def send(self) -> None:
        """Put the present frame among those to refine."""
        if self.queue is None:
            raise ValueError("There is no queue: give the view queue=OutlierQueue(project), or use Studio.")
        self.queue.add(self.state.frame)
        self.tell(QUEUED.format(self.state.frame))

    def go_to(self, frame: int) -> None:
        """Show a frame in the player."""
        self.state.frame = frame

    @shown
    def _on_input(self, message: dict[str, Any]) -> None:
        kind, state = message["type"], self.state
        if message.get("key") == "q":
            self.send()
            return
        with self._lock:
            if kind == "key":
                name, *arguments = KEYS[message["key"]]
                getattr(state, name)(*arguments)
            elif kind == "double":
                state.reset()
            elif kind == "brush":
                state.look(state.at(message["from"]), state.at(message["to"]) + 1)
            elif kind == "wheel":
                state.zoom(WHEEL_ZOOM ** -message["dy"], state.at(message["x"]))
            elif kind == "click":
                self._on_click(message)

    def _on_click(self, message: dict[str, Any]) -> None:
        name, state = message["plot"], self.state
        frame: int | None
        state.message = ""
        self.tell("")
        if name == "plane":
            frame = state.near_point(*self._place(self.plots.plane, message))
            if frame is None:
                self.tell("No point in this part reaches the pcutoff.")
        elif name.startswith("step-"):
            axis = int(name[-1])
            frame = state.next_difference(axis, self._place(self.plots.steps[axis], message)[0])
            if frame is None:
                self.tell("There are no frames in this bin.")
        else:
            frame = self._frame_over_time(name, message)
        if frame is not None:
            self.player.pause()
            state.frame = frame

    def _frame_over_time(self, name: str, message: dict[str, Any]) -> int:
        kind, column = name.split("-")
        plot = self.plots.over_time[name]
        at, value = self._place(plot, message)
        scale = (
            message["width"] / max(self.state.stop - 1 - self.state.start, 1),
            message["height"] / (plot.y.max - plot.y.min),
        )
        return self.state.near(kind, at, value, scale, self.plots.sources(int(column)))

    def _place(self, plot: Plot, message: dict[str, Any]) -> tuple[float, float]:
        """The place of a click in the units of a plot."""
        x = plot.x.min + message["x"] * (plot.x.max - plot.x.min)
        share = message["y"] if plot.y.reverse else 1 - message["y"]
        return x, plot.y.min + share * (plot.y.max - plot.y.min)

    def _on_frame(self) -> None:
        frame, player = self.state.frame, self.player.state
        if player.frame != frame and not (player.playing and player.frame > frame):
            player.go(frame)
        if self._painter is not None:
            self._painter.request()

    def _on_frame_of_player(self) -> None:
        if self.player.state.frame < self.state.n_frames:
            self.state.frame = self.player.state.frame

    # --- painting ---

    def redraw(self) -> None:
        """Draw everything again, soon, on the painter's thread."""
        self._all = True
        if self._painter is not None:
            self._painter.request()

    def _paint(self) -> None:
        zones, self._zones_wanted = self._all or self._zones_wanted, False
        self._paint_plots()
        if zones:
            self.zones.show()

    def _paint_plots(self) -> None:
        if not self._all:
            self.plots.show_frame()
            self._rest.wait(PAUSE if self.player.state.playing else 0)
            return
        self._all = False
        slow = self.state.show != "raw" and self.state.n_frames > 50_000
        if slow:
            self.tell(f"Filtering {self.state.n_frames} frames …")
        self._show_in_player()
        self.plots.show()
        if slow:
            self.tell(self.state.message)

    def _show_in_player(self) -> None:
        poses = self.state.drawn()
        if poses is not self._of_player:
            self._of_player = poses
            cutoff = self.state.pcutoff
            self.player.set_poses(poses, self.project.skeleton)
            self.state.pcutoff = cutoff
        if isinstance(self.player, TrailPlayer):
            self.player.set_trail(self.state.trail, self.state.bodyparts)

    # --- export ---

    def export_path(self, suffix: str) -> Path:
        """Where the figure (``.png``) or table (``.csv``) of the part looked at is saved."""
        folder = self.project.plots_dir(self.video)
        return folder / f"{self.video.stem}-frames-{self.state.start}-{self.state.stop - 1}{suffix}"

    @gesture
    def save_csv(self, path: Path | str | None = None) -> Path:
        """Write the bodyparts and the part looked at as csv; returns its path."""
        target = self._target(path, ".csv")
        with atomic_path(target) as temporary:
            self.state.table().round(DIGITS).to_csv(temporary, index=False, lineterminator="\n")
        self.tell(written(target))
        return target

    @gesture
    def save_zones(self) -> None:
        """Write the table of the zones as csv, beside the other tables."""
        self.tell(written(self.zones.save()))

    @gesture
    def save_figure(self, path: Path | str | None = None) -> Path:
        """Write a figure of the bodyparts and the part looked at as PNG; returns its path."""
        from dlcnb.plots import save  # here: matplotlib takes a second to load

        target = save(selected_figure(self.state), self._target(path, ".png"))
        self.tell(written(target))
        return target

    def _target(self, path: Path | str | None, suffix: str) -> Path:
        if not self.state.bodyparts:
            raise ValueError("No bodypart is chosen: tick at least one.")
        target = self.export_path(suffix) if path is None else Path(path)
        make_folder(target.parent)
        return target

    # --- without a browser ---

    def wait(self, timeout: float = 60.0) -> bool:
        """Block until what was asked for is painted; False after ``timeout`` seconds."""
        return (self._painter is None or self._painter.wait(timeout)) and self.player.wait(timeout)

    def snapshot(self) -> Image.Image:
        """The frame, and the plots beside it, as a `PIL.Image.Image`."""
        frame = self.player.snapshot()
        if not self.state.bodyparts:
            return frame
        return beside(figure_picture(selected_figure(self.state), 60), frame)

    def close(self) -> None:
        """Take the widget off the page, with its own player."""
        if self._painter is not None:
            self._painter.close()
            self._rest.set()
            self.input.close()
            if self._own_player:
                self.player.close()
        super().close()


def _place(both: ipywidgets.GridBox, show: str) -> None:
    """Plots beside the video in a narrow page, too, but for two columns of them."""
    set_class(both, "dlcnb-close", show != "side by side")
