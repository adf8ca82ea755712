"""FrameMap: frames on a map, as images or as postures; a click shows the frame (paper, Figs. 3, 7E and 7F)."""

from __future__ import annotations

import cv2
import ipywidgets
import numpy as np
from PIL import Image

from dlcnb.project import Project
from dlcnb.render import body_lines, palette
from dlcnb.video import VideoReader
from dlcnb.widgets.base.canvas import FrameCanvas, Painter, batch
from dlcnb.widgets.base.html import Html, muted
from dlcnb.widgets.base.input_guard import Input
from dlcnb.widgets.base.pictures import beside
from dlcnb.widgets.base.task import Stopped, Task
from dlcnb.widgets.base.view import View, button, row, shown
from dlcnb.widgets.map.state import KINDS, FrameMapState
from dlcnb.widgets.player.player import Player
from dlcnb.widgets.trajectories.view import video_and_poses

__all__ = ["FrameMap"]

ROOT = "dlcnb-frame-map"
SIDE, MARGIN, IMAGE = 520, 32, 46  # px: of the map, around the places on it, of an image on it
PAPER, INK, NOW = (250, 250, 250), (0, 114, 178), (204, 47, 123)
HALO = ((PAPER, 7), (NOW, 3))  # colours and widths of the lines that mark the present frame
REACH = 0.6 * IMAGE / (SIDE - 2 * MARGIN)  # how near a click must be
EMPTY = "Press Make the map: frames are read, cropped and placed so that alike ones lie side by side."


class FrameMap(View):
    """Many frames at a glance: click a picture, a point or a posture, and the player shows that frame.

    Either frames are cropped around a bodypart and placed by t-SNE: those that are rare, or wrong, lie by themselves.
    Or their postures are drawn over each other, coloured by time, where they were or around the bodypart.

    Parameters
    ----------
    project : Project or path
    video : path or str, optional
        A video of the project, by its path or name; by default the first one.
    poses : Poses or path, optional
        By default the newest table beside the video.
    player : Player, optional
        Of this video, to show the frames; by default one of its own.
    queue : OutlierQueue, optional
        Of this video: a button puts the present frame there.
    """

    _painter = None

    def __init__(self, project, video=None, poses=None, player=None, *, queue=None):
        self.project = project if isinstance(project, Project) else Project.open(project)
        self.video, poses = video_and_poses(self.project, video, poses)
        self.state = FrameMapState(poses, self.project.pcutoff)
        self._colors = palette(len(poses.bodyparts)).tolist()
        self.queue, self._own_player, self.task = queue, player is None, Task(self.fail, self._busy)
        self.player = player or Player(self.video, poses, project=self.project, width=480)
        self.reader = VideoReader(self.video)
        self._map, self._drawn = None, None
        self._build()
        left = ipywidgets.VBox([self.canvas, self.note, self.input.guard], layout=ipywidgets.Layout(min_width="0"))
        left.add_class(ROOT)
        halves = ipywidgets.GridBox([left, self.player] if self._own_player else [left])
        halves.add_class("dlcnb-halves")
        super().__init__([self._controls, halves])
        self._painter = Painter(self._paint, self.fail)
        self.canvas.on_client_ready(self._on_client)
        self.state.observe(lambda _: self.redraw(), "revision")
        self.player.state.observe(lambda _: self.redraw(), "frame")
        self.tell(EMPTY)
        self.redraw()

    def _build(self):
        state, layout = self.state, ipywidgets.Layout
        self.kind = ipywidgets.Dropdown(
            options=[(text, kind) for kind, text in KINDS.items()],
            value=state.kind,
            layout=layout(width="230px", margin="0"),
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
        self.size.tooltip = "Side of the crops, px of the frame"
        for name in ("kind", "bodypart", "count", "size"):
            getattr(self, name).observe(lambda change, name=name: setattr(state, name, change.new), "value")
        making = "Read the frames and place them; takes seconds to minutes"
        self.button = button("map-o", making, self.make, "Make the map", button_style="primary")
        sending = "Put the present frame into the queue of frames to label"
        self.send = button("share", sending, self.to_queue, "To the queue")
        self.send.layout.display = None if self.queue is not None else "none"
        self.progress = ipywidgets.FloatProgress(min=0, max=1, layout=layout(width="140px", display="none"))
        self.stop_button = button("stop", "Stop reading frames; the last map stays", self.stop)
        self.stop_button.layout.display = "none"
        around, frames, crop = (Html(text) for text in ("around", "frames", "crop (px)"))
        self._of_kind = {"images": (crop, self.size), "centred": (around, self.bodypart)}
        choices = [self.kind, around, self.bodypart, frames, self.count, crop, self.size]
        self._controls = row([*choices, self.button, self.send, self.stop_button, self.progress])
        self.kind.observe(lambda change: self._on_kind(change.new), "value")
        self.canvas = FrameCanvas((SIDE, SIDE))
        self.note = Html()
        self.input = Input([self.canvas], ["ArrowLeft", "ArrowRight"], self._on_input, ROOT)

    # --- gestures ---

    @shown
    def make(self):
        """Read the frames and place them; returns at once (see `wait`)."""
        self.task.start(self._make)

    def _on_kind(self, kind):
        for one in self._of_kind["images"]:
            one.layout.display = None if kind == "images" else "none"
        for one in self._of_kind["centred"]:
            one.layout.display = "none" if kind == "postures" else None
        if kind != "images" and not self.task.running:  # at once, as no frame has to be read
            self.make()

    def stop(self):
        """Stop reading frames; the last map stays."""
        self.task.stop()

    def _make(self, stop):
        def progress(done, total):
            if stop.is_set():
                self.tell("Stopped.")
                raise Stopped
            self.progress.value = done / max(total, 1)
            where = f"Placing {total} frames on the map (t-SNE) …" if done == total else f"Reading {total} frames …"
            self.tell(where)

        self.state.make(self.reader, progress)
        self.tell("")

    def _busy(self, busy):
        self.button.disabled = busy
        self.progress.layout.display = self.stop_button.layout.display = None if busy else "none"
        self.progress.value = 0

    @shown
    def to_queue(self):
        """Put the present frame into the queue of frames to label."""
        self.queue.add(self.player.state.frame)
        self.tell(f"Frame {self.player.state.frame} is in the queue.")

    @shown
    def _on_input(self, message):
        if message["type"] == "down":
            self.click(message["x"], message["y"])
        elif message["type"] == "key":
            self.player.state.step(-1 if message["key"] == "ArrowLeft" else 1)

    def click(self, x, y):
        """Show the frame nearest to a place on the canvas (px) in the player."""
        place = (np.array([x, y]) - MARGIN) / (SIDE - 2 * MARGIN)
        frame = self.state.near(*place, reach=REACH)
        if frame is not None:
            self.player.pause()
            self.player.state.go(frame)

    # --- painting ---

    def redraw(self):
        """Draw again, soon, on the painter's thread."""
        if self._painter is not None:
            self._painter.request()

    def _on_client(self, *_):
        self._drawn = None
        self.redraw()

    def _spots(self):
        """Places of the frames' marks on the canvas, float (n, M, 2)."""
        return MARGIN + self.state.marks * (SIDE - 2 * MARGIN)

    def _picture(self):
        """The map without the present frame's mark, uint8 (SIDE, SIDE, 3)."""
        revision = self.state.revision
        if self._map is None or self._map[0] != revision:
            drawn = np.full((SIDE, SIDE, 3), PAPER, np.uint8)
            if len(self.state.frames):
                (self._draw_images if len(self.state.images) else self._draw_postures)(drawn, self._spots())
            self._map = revision, drawn
        return self._map[1]

    def _draw_images(self, drawn, spots):
        for x, y in np.rint(spots[:, 0]).astype(int).tolist():
            cv2.circle(drawn, (x, y), 3, INK, -1, cv2.LINE_AA)
        for place in self.state.shown((IMAGE + 2) / (SIDE - 2 * MARGIN)):
            _put(drawn, self.state.images[place], spots[place, 0])

    def _draw_postures(self, drawn, spots):
        frames = self.state.frames
        for points, color in zip(spots, _time_colors(frames, len(self.state.poses)), strict=True):
            for start, end in self._lines(points):
                cv2.line(drawn, start, end, color, 1, cv2.LINE_AA)
        for points in spots:
            for point, color in zip(points, self._colors, strict=True):
                if np.isfinite(point).all():
                    cv2.circle(drawn, tuple(np.rint(point).astype(int).tolist()), 2, color, -1, cv2.LINE_AA)

    def _lines(self, points):
        """Ends of the lines of one posture, in whole px; those without a place are left out."""
        lines = body_lines(points, self.project.skeleton)
        return np.rint(lines[np.isfinite(lines).all(axis=(1, 2))]).astype(int).tolist()

    def _mark(self, place):
        """What marks a frame on the map: centres of rings, and ends of lines, in whole px."""
        spots = self._spots()[place]
        return ([np.rint(spots[0]).astype(int).tolist()], []) if len(self.state.images) else ([], self._lines(spots))

    def _paint(self):
        drawn, place = self._picture(), self.state.place(self.player.state.frame)
        with batch(self.canvas):
            if self._drawn is not drawn:
                self.canvas.draw_frame(drawn)
            layer = self.canvas[1]
            layer.clear()
            if place is not None:
                rings, lines = self._mark(place)
                for color, width in HALO:
                    layer.stroke_style, layer.line_width = f"rgb{color}", width
                    for x, y in rings:
                        layer.stroke_circle(x, y, 9)
                    for start, end in lines:
                        layer.stroke_line(*start, *end)
        self._drawn = drawn
        if place is not None:
            self.note.value = muted(self._words(place), "dlcnb-number")

    def _words(self, place):
        state, now = self.state, self.player.state.frame
        frame, what = state.frames[place], "around " + state.bodypart
        apart = "" if frame == now else f" (the nearest in time to {now})"
        if len(state.images):
            return f"{len(state.frames)} frames {what}; ring: frame {frame}{apart}"
        return f"{len(state.frames)} postures, from early (blue) to late (yellow); magenta: frame {frame}{apart}"

    # --- without a browser ---

    def wait(self, timeout=120.0):
        """Block until the map is made and painted; False after ``timeout`` seconds."""
        return self.task.wait(timeout) and self._painter.wait(timeout) and self.player.wait(timeout)

    def snapshot(self):
        """The map beside the frame, as a `PIL.Image.Image`."""
        drawn, place = self._picture().copy(), self.state.place(self.player.state.frame)
        if place is not None:
            rings, lines = self._mark(place)
            for color, width in HALO:
                for ring in rings:
                    cv2.circle(drawn, ring, 9, color, width, cv2.LINE_AA)
                for start, end in lines:
                    cv2.line(drawn, start, end, color, width, cv2.LINE_AA)
        return beside(Image.fromarray(drawn), self.player.snapshot())

    def close(self):
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


def _time_colors(frames, total):
    """Colours of frames by their time, from blue to yellow (viridis), as lists of three numbers."""
    share = np.rint(255 * np.asarray(frames) / max(total - 1, 1)).astype(np.uint8)
    found = cv2.applyColorMap(share[:, None], cv2.COLORMAP_VIRIDIS)[:, 0, ::-1]
    return found.tolist()


def _put(drawn, image, spot):
    """Draw an image of `IMAGE` px, with an edge, around a spot."""
    small = cv2.resize(image, (IMAGE, IMAGE), interpolation=cv2.INTER_AREA)
    cv2.rectangle(small, (0, 0), (IMAGE - 1, IMAGE - 1), INK, 1)
    left, top = np.clip(np.rint(spot - IMAGE / 2).astype(int), 0, SIDE - IMAGE)
    drawn[top : top + IMAGE, left : left + IMAGE] = small
