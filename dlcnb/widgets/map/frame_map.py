"""FrameMap: frames on a map, as images or as postures; a click shows the frame (paper, Figs. 3, 7E and 7F)."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import cv2
import ipywidgets
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from dlcnb.poses import Poses
from dlcnb.project import Project
from dlcnb.render import body_lines, palette
from dlcnb.video import VideoReader
from dlcnb.widgets.base.canvas import FrameCanvas, Painter, batch, room
from dlcnb.widgets.base.choices import QUEUED, TO_REFINE, TO_REFINE_TIP
from dlcnb.widgets.base.html import Html, muted
from dlcnb.widgets.base.input_guard import Input, InputGuard
from dlcnb.widgets.base.paint import Circles, Lines, Picture, Text, Thing, on_picture, outlined
from dlcnb.widgets.base.pictures import beside
from dlcnb.widgets.base.poses_choice import PosesChoice, fitting, video_of
from dlcnb.widgets.base.task import Stopped, Task
from dlcnb.widgets.base.view import View, button, gesture, row, shown
from dlcnb.widgets.map.state import KINDS, FrameMapState
from dlcnb.widgets.player.player import Player

__all__ = ["FrameMap"]

ROOT = "dlcnb-frame-map"
SIDE, MARGIN, IMAGE = 520, 32, 46  # px: of the map, around the places on it, of an image on it
PAPER, INK, NOW = (31, 41, 51), (86, 180, 233), (255, 93, 170)
REACH = 0.6 * IMAGE / (SIDE - 2 * MARGIN)  # how near a click must be
EMPTY = (
    "Press Make the map: pictures of the animal in many frames are placed so that alike ones lie side by side. What is "
    "rare, or wrong, lies by itself; a click on a picture shows its frame."
)


class FrameMap(View):
    """Many frames at a glance: click a picture, a point or a posture, and the player shows that frame.

    Either frames are cropped around a bodypart and placed by t-SNE: those that are rare, or wrong, lie by themselves.
    Or their postures are drawn over each other, coloured by time, where they were or around the bodypart.

    Parameters
    ----------
    project, video, poses, player, queue
        As of `TrajectoryView`; the poses may be filtered ones.
    """

    _painter: Painter = None  # type: ignore[assignment]  # until all is built

    def __init__(
        self,
        project: Project | str | Path,
        video: str | Path | None = None,
        poses: Poses | str | Path | None = None,
        player: Player | None = None,
        *,
        queue: Any = None,
    ) -> None:
        self.project = project if isinstance(project, Project) else Project.open(project)
        self.video = video_of(self.project, video)
        self.choice = PosesChoice(self.video, poses, self.set_poses, self.fail, together=False)
        self.reader = VideoReader(self.video)
        poses = fitting(self.choice.poses, self.reader, self.choice.table)
        self.state = FrameMapState(poses, self.project.pcutoff)
        self._colors = palette(len(poses.bodyparts))
        self.queue, self._own_player, self.task = queue, player is None, Task(self.fail, self._busy)
        self.player = player or Player(self.video, poses, project=self.project, width=480)
        self._map: tuple[int, NDArray[np.uint8]] | None = None
        self._build()
        left = ipywidgets.VBox([self.canvas, self.note, self.input.guard], layout=ipywidgets.Layout(min_width="0"))
        left.add_class(ROOT)
        halves = ipywidgets.GridBox([left, self.player] if self._own_player else [left])
        halves.add_class("dlcnb-halves")
        super().__init__([self.choice.row, self._controls, halves, InputGuard(surfaces=0)])
        self._painter = Painter(self._paint, self.fail)
        self.canvas.on_client_ready(lambda *_: self.redraw())
        self.state.observe(lambda _: self.redraw(), "revision")
        self.player.state.observe(lambda _: self.redraw(), "frame")
        self.redraw()

    def _build(self) -> None:
        state, layout = self.state, ipywidgets.Layout
        self.kind = ipywidgets.Dropdown(
            options=[(text, kind) for kind, text in KINDS.items()],
            value=state.kind,
            layout=layout(width="250px", margin="0"),
        )
        self.kind.tooltip = "What is drawn of the frames, and where"
        parts = list(state.poses.bodyparts)
        self.bodypart = ipywidgets.Dropdown(
            options=parts, value=state.bodypart, layout=layout(width="150px", margin="0")
        )
        self.bodypart.tooltip = "Frames are cropped around it"
        self.count = ipywidgets.BoundedIntText(
            value=state.count, min=4, max=5000, layout=layout(width="72px", margin="0")
        )
        self.count.tooltip = "How many frames, spread over the video"
        self.size = ipywidgets.BoundedIntText(state.size, min=8, max=512, layout=layout(width="64px", margin="0"))
        self.size.tooltip = "How much of the frame each picture shows, in pixels of the video"
        for name in ("kind", "bodypart", "count", "size"):
            getattr(self, name).observe(lambda change, name=name: setattr(state, name, change.new), "value")
        making = "Read the frames and place them; takes seconds to minutes"
        self.button = button("map-o", making, self.make, "Make the map", button_style="primary")
        self.send = button("share", TO_REFINE_TIP, self.to_queue, TO_REFINE)
        self.send.layout.display = None if self.queue is not None else "none"
        self.progress = ipywidgets.FloatProgress(min=0, max=1, layout=layout(width="140px", display="none"))
        self.stop_button = button("stop", "Stop reading frames; the last map stays", self.stop)
        self.stop_button.layout.display = "none"
        around, frames, each, wide = (Html(text) for text in ("around", "frames", "each", "px wide"))
        self._of_kind = {"images": (each, self.size, wide), "centred": (around, self.bodypart)}
        fields = ((around, self.bodypart), (frames, self.count), (each, self.size, wide))
        choices = [row(pair, tight=True) for pair in fields]  # a word stays beside its field
        self._controls = row([self.kind, *choices, self.button, self.send, self.stop_button, self.progress])
        self.kind.observe(lambda change: self._on_kind(change.new), "value")
        self.canvas = FrameCanvas((SIDE, SIDE))
        self.canvas.layout.max_width = room((SIDE, SIDE), 340)
        self.canvas.layout.display = "none"  # until there is a map
        self.note = Html(layout=layout(max_width=f"{SIDE}px"))
        self.input = Input([self.canvas], ["ArrowLeft", "ArrowRight"], self._on_input, ROOT)
        self.input.sharpen(self.redraw, self.canvas)

    def set_poses(self, poses: Poses) -> None:
        """Map the frames by other poses of the video; the map is to be made again."""
        poses = fitting(poses, self.reader, None)
        self.task.stop()
        self.task.wait(10)
        self._colors = palette(len(poses.bodyparts))
        self.state.set_poses(poses)
        self.bodypart.options, self.bodypart.value = list(poses.bodyparts), self.state.bodypart
        if self._own_player:
            self.player.set_poses(poses, self.project.skeleton)
        self.redraw()

    def refresh(self) -> None:
        """See which tables of poses there are now, and draw again."""
        self.choice.refresh()
        self.redraw()

    # --- gestures ---

    @gesture
    def make(self) -> None:
        """Read the frames and place them; returns at once (see `wait`)."""
        self.task.start(self._make)

    def _on_kind(self, kind: str) -> None:
        for one in self._of_kind["images"]:
            one.layout.display = None if kind == "images" else "none"
        for one in self._of_kind["centred"]:
            one.layout.display = "none" if kind == "postures" else None
        if kind != "images" and not self.task.running:  # at once, as no frame has to be read
            self.make()

    def stop(self) -> None:
        """Stop reading frames; the last map stays."""
        self.task.stop()

    def _make(self, stop: threading.Event) -> None:
        def progress(done: int, total: int) -> None:
            if stop.is_set():
                self.tell("The map was stopped: it is as it was.")
                raise Stopped
            self.progress.value = done / max(total, 1)
            where = f"Placing {total} frames on the map (t-SNE) …" if done == total else f"Reading {total} frames …"
            self.tell(where)

        self.state.make(self.reader, progress)
        self.tell("")

    def _busy(self, busy: bool) -> None:
        self.button.disabled = busy
        self.redraw()
        self.progress.layout.display = self.stop_button.layout.display = None if busy else "none"
        self.progress.value = 0

    @gesture
    def to_queue(self) -> None:
        """Put the present frame among those to refine."""
        self.queue.add(self.player.state.frame)
        self.tell(QUEUED.format(self.player.state.frame))

    @shown
    def _on_input(self, message: dict[str, Any]) -> None:
        if message["type"] == "down":
            self.click(message["x"], message["y"])
        elif message["type"] == "key":
            self.player.state.step(-1 if message["key"] == "ArrowLeft" else 1)

    def click(self, x: float, y: float) -> None:
        """Show the frame nearest to a place on the canvas (px) in the player."""
        place = (np.array([x, y]) - MARGIN) / (SIDE - 2 * MARGIN)
        frame = self.state.near(float(place[0]), float(place[1]), REACH)
        if frame is not None:
            self.player.pause()
            self.player.state.go(frame)

    # --- painting ---

    def redraw(self) -> None:
        """Draw again, soon, on the painter's thread."""
        if self._painter is not None:
            self._painter.request()

    def _spots(self) -> NDArray[np.float64]:
        """Places of the frames' marks on the canvas, float (n, M, 2)."""
        return MARGIN + self.state.marks * (SIDE - 2 * MARGIN)

    def _picture(self) -> NDArray[np.uint8]:
        """The map without the present frame's mark, uint8 (SIDE, SIDE, 3)."""
        revision = self.state.revision
        if self._map is None or self._map[0] != revision:
            things: list[Thing] = []
            if len(self.state.frames):
                things = self._images() if len(self.state.images) else self._postures()
            self._map = revision, np.asarray(on_picture(Image.new("RGB", (SIDE, SIDE), PAPER), things))
        return self._map[1]

    def _images(self) -> list[Thing]:
        """A dot for each frame, and the images of those that have room for them."""
        spots = self._spots()[:, 0]
        pictures = [
            _picture(self.state.images[place], spots[place])
            for place in self.state.shown((IMAGE + 2) / (SIDE - 2 * MARGIN))
        ]
        return [Circles(spots, 3.0, INK), *pictures]

    def _postures(self) -> list[Thing]:
        """A posture for each frame: lines of the colour of its time, and a dot for each bodypart."""
        spots, colors = self._spots(), _time_colors(self.state.frames, len(self.state.poses))
        lines = [body_lines(points, self.project.skeleton) for points in spots]
        shades = np.repeat(colors, [len(ends) for ends in lines], axis=0)
        dots = Circles(spots.reshape(-1, 2), 2.0, np.tile(self._colors, (len(spots), 1)))
        return [Lines(np.concatenate(lines), shades), dots]

    def _here(self, place: int | None) -> list[Thing]:
        """What marks the present frame, the row ``place`` of the map: a ring around its image, or its posture.

        Where there is no map yet: what to press.
        """
        if not len(self.state.frames):
            return [Text("Press Make the map.", (SIDE / 2, SIDE / 2), 16, align="center")]
        if place is None:
            return []
        spots = self._spots()[place]
        if len(self.state.images):
            return outlined(Circles(spots, 9.0, NOW, width=3.0), PAPER, margin=2.0)
        return outlined(Lines(body_lines(spots, self.project.skeleton), NOW, 3.0), PAPER, margin=2.0)

    def _paint(self) -> None:
        drawn, place = self._picture(), self.state.place(self.player.state.frame)
        self.canvas.layout.display = None if len(self.state.frames) else "none"
        with batch(self.canvas):
            self.canvas.draw_frame(drawn, self._map and self._map[0])
            self.canvas.paint(1, self._here(place))
        if not len(self.state.frames):
            self.note.value = "" if self.button.disabled else muted(EMPTY)
        elif place is not None:
            self.note.value = muted(self._words(place))

    def _words(self, place: int) -> str:
        state, now = self.state, self.player.state.frame
        frame, what = state.frames[place], "around " + state.bodypart
        apart = "" if frame == now else f" (the nearest in time to {now})"
        wanted, why = (f" of {state.count}", f" ({state.fewer})") if state.fewer else ("", "")
        count = f"{len(state.frames)}{wanted}"
        if len(state.images):
            return f"{count} frames {what}{why}; ring: frame {frame}{apart}"
        return f"{count} postures{why}, from early (blue) to late (yellow); magenta: frame {frame}{apart}"

    # --- without a browser ---

    def wait(self, timeout: float = 120.0) -> bool:
        """Block until the map is made and painted; False after ``timeout`` seconds."""
        return self.task.wait(timeout) and self._painter.wait(timeout) and self.player.wait(timeout)

    def snapshot(self) -> Image.Image:
        """The map beside the frame, as a `PIL.Image.Image`."""
        here = self._here(self.state.place(self.player.state.frame))
        return beside(on_picture(Image.fromarray(self._picture()), here), self.player.snapshot())

    def close(self) -> None:
        """Take the widget off the page, with its own player."""
        if self._painter is not None:
            self.task.stop()
            self.task.wait(10)
            self._painter.close()
            self.canvas.close()
            self.reader.close()
            if self._own_player:
                self.player.close()
        super().close()


def _time_colors(frames: NDArray[np.int64], total: int) -> NDArray[np.uint8]:
    """Colours of frames by their time, from blue to yellow (viridis), (n, 3)."""
    share = np.rint(75 + 180 * np.asarray(frames) / max(total - 1, 1)).astype(np.uint8)  # darker is not seen on `PAPER`
    return np.asarray(cv2.applyColorMap(share[:, None], cv2.COLORMAP_VIRIDIS)[:, 0, ::-1], np.uint8)


def _picture(image: NDArray[np.uint8], spot: NDArray[np.float64]) -> Picture:
    """An image of `IMAGE` px, with an edge, around a spot."""
    small = cv2.resize(image, (IMAGE, IMAGE), interpolation=cv2.INTER_AREA)
    cv2.rectangle(small, (0, 0), (IMAGE - 1, IMAGE - 1), INK, 1)
    left, top = np.clip(np.rint(spot - IMAGE / 2).astype(int), 0, SIDE - IMAGE).tolist()
    return Picture(np.asarray(small, np.uint8), (left, top))
