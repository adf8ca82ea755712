"""The frame of an evaluation that is looked at: zoomable, with label, prediction and score-map."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, NoReturn

import ipywidgets
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from dlcnb.geometry import far_outside
from dlcnb.labels import LabelError
from dlcnb.render import palette
from dlcnb.widgets.base.canvas import FrameCanvas, PaintedBox, Painter, batch, render_view, room
from dlcnb.widgets.base.html import Html, heading, joined, legend, markup, muted, notice
from dlcnb.widgets.base.input_guard import Input
from dlcnb.widgets.base.paint import Thing, on_picture
from dlcnb.widgets.base.view import button
from dlcnb.widgets.evaluation.draw import blend_map, overlay
from dlcnb.widgets.evaluation.state import FrameState

if TYPE_CHECKING:
    from dlcnb.evaluate import Evaluation, ScoreMaps
    from dlcnb.widgets.evaluation.state import EvaluationState

__all__ = ["FrameView", "NoImages"]

ROOT = "dlcnb-evaluated-frame"
WHEEL_ZOOM = 1.0015  # per CSS pixel of wheel travel
KEYS: dict[str, tuple[Any, ...]] = {  # key -> (name of a method, its arguments)
    "ArrowLeft": ("step", -1),
    "ArrowRight": ("step", 1),
    "+": ("zoom", 1.5),
    "-": ("zoom", 1 / 1.5),
    "0": ("reset_view",),
    "z": ("look",),
    "m": ("next_map",),
}
MARKS = ("+ label", "● prediction", "× prediction below the pcutoff", "line: how far off")
MAPS = {"off": "no score-map", "linear": "score-map", "log": "score-map, log"}


class FrameView(PaintedBox):
    """Shows ``state.image`` of an `EvaluationState`.

    Parameters
    ----------
    state : EvaluationState
    images : object with ``read(name)`` -> uint8 (H, W, 3)
    failed : callable
        Called with exceptions of the painter's thread and of gestures.
    size : (height, width)
        Of the canvas, px.
    """

    _drag_from: tuple[float, float] | None = None

    def __init__(
        self, state: EvaluationState, images: Any, failed: Callable[[Exception], object], size: tuple[int, int]
    ) -> None:
        self.state, self.images, self._failed = state, images, failed
        self.maps: ScoreMaps | None = None  # `ScoreMaps` of the evaluation, if there are any
        self.frame = FrameState(size, size)
        self._lock = threading.RLock()
        self.canvas = FrameCanvas(size)
        self.canvas.layout.max_width = room(size)
        self.input = Input([self.canvas], KEYS, self._on_input, ROOT)
        self.input.sharpen(self.redraw, self.canvas)
        self.input.zooms(self.frame)
        self._build()
        row = ipywidgets.HBox([*self.buttons.values(), self.score_map])
        row.add_class("dlcnb-row")
        layout = ipywidgets.Layout(width="100%", min_width="0", align_items="stretch")
        super().__init__([self.canvas, self.legend, self.caption, row, self.input.guard], layout=layout)
        self.add_class(ROOT)
        self._painter = Painter(self._paint, failed)
        self.canvas.on_client_ready(lambda *_: self.redraw())
        self.frame.observe(lambda _: self.redraw(), ["score_map", "revision"])
        state.observe(lambda _: self.redraw(), ["image", "revision", "bodypart", "pcutoff"])

    def _build(self) -> None:
        about = {
            "ArrowLeft": ("chevron-left", "The worse frame before this (Left)"),
            "ArrowRight": ("chevron-right", "The better frame after this (Right)"),
            "-": ("search-minus", "Zoom out (-, or Ctrl+wheel)"),
            "+": ("search-plus", "Zoom in (+, or Ctrl+wheel)"),
            "z": ("crosshairs", "Zoom to label and prediction (z)"),
            "0": ("arrows-alt", "Whole frame (0, or double click)"),
        }
        self.buttons = {key: button(icon, tip, partial(self._act, key)) for key, (icon, tip) in about.items()}
        self.score_map = ipywidgets.Dropdown(
            options=[(text, name) for name, text in MAPS.items()], layout=ipywidgets.Layout(width="140px", margin="0")
        )
        self.score_map.tooltip = "Score-map of the bodypart looked at (m)"
        self.score_map.observe(lambda change: setattr(self.frame, "score_map", change.new), "value")
        self.caption, self.legend = Html(), Html()
        self.legend.add_class("dlcnb-legend")

    # --- gestures ---

    def _act(self, key: str) -> None:
        name, *arguments = KEYS[key]
        owner = self if hasattr(self, name) else self.frame if hasattr(self.frame, name) else self.state
        try:
            with self._lock:
                getattr(owner, name)(*arguments)
        except Exception as error:
            self._failed(error)

    def step(self, count: int) -> None:
        """Show the frame ``count`` places further in the gallery."""
        self.state.step(count)

    def reveal(self) -> None:
        """Scroll to the frame, unless it is in sight."""
        self.input.guard.send({"type": "reveal"})

    def look(self) -> None:
        """Zoom to the labels and predictions of the bodyparts looked at."""
        row, columns = self.state.row, self.state.columns
        e = self.state.evaluation
        if row >= 0 and e is not None:
            points = np.concatenate([e.labels[row, columns], e.predicted[row, columns]])
            self.frame.look_at(np.clip(points, 0, np.array(self.frame.image_size[::-1]) - 1.0))

    def next_map(self) -> None:
        """Show no score-map, the score-map, its logarithm, in turn."""
        if self.maps is not None:
            names = list(MAPS)
            self.score_map.value = names[(names.index(self.frame.score_map) + 1) % len(names)]

    def _on_input(self, message: dict[str, Any]) -> None:
        kind, frame = message["type"], self.frame
        if kind == "key":
            self._act(message["key"])
            return
        with self._lock:
            if kind == "wheel":
                frame.zoom(WHEEL_ZOOM ** -message["dy"], (message["x"], message["y"]))
            elif kind == "pinch":
                frame.pinch(message)
            elif kind == "double":
                frame.reset_view()
            elif kind in ("down", "up", "cancel"):
                self._drag_from = (message["x"], message["y"]) if kind == "down" else None
            elif kind == "move" and self._drag_from:
                (x, y), self._drag_from = self._drag_from, (message["x"], message["y"])
                frame.pan(message["x"] - x, message["y"] - y)

    # --- painting ---

    def _paint(self) -> None:
        with self._lock:
            view, drawn, note = self._picture(self.canvas.ratio)
        self.input.ready()
        with batch(self.canvas):
            self.canvas.draw_frame(view)
            self.canvas.paint(1, drawn)
        self.input.sent()
        self.caption.value, self.legend.value = self._caption(note), self._legend()

    def _picture(self, ratio: float = 1.0) -> tuple[NDArray[np.uint8], list[Thing], str]:
        """(picture of the canvas's size or up to ``ratio`` times as fine, what lies over it, a problem in words)."""
        state, frame, note = self.state, self.frame, ""
        e, row, columns = state.evaluation, state.row, state.columns
        if row < 0 or e is None:
            blank = np.full((*frame.canvas_size, 3), 40, np.uint8)
            return blank, [], ""
        try:
            image = self.images.read(state.image)
        except LabelError as error:
            image, note = np.full((*frame.image_size, 3), 40, np.uint8), str(error)
        frame.fit_image((image.shape[0], image.shape[1]))
        if frame.score_map != "off" and not note:
            image, note = self._with_map(image)
        labels, predicted = (frame.fit.to_canvas(points[row, columns]) for points in (e.labels, e.predicted))
        sure = e.likelihood[row, columns] >= state.pcutoff
        drawn = overlay(labels, predicted, sure, palette(len(state.bodyparts))[columns])
        return render_view(image, frame.fit, frame.canvas_size, ratio), drawn, note

    def _with_map(self, image: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], str]:
        """The frame with the score-map over it: of the bodypart looked at, or the highest of all."""
        name, size = self.state.image, (image.shape[0], image.shape[1])
        if self.maps is None or name not in self.maps.images:
            return image, "There is no score-map of this frame: evaluate again to make one."
        log = self.frame.score_map == "log"
        parts = [self.state.bodyparts[k] for k in self.state.columns if self.state.bodyparts[k] in self.maps.bodyparts]
        try:
            found = [self.maps.on_frame(name, part, size, log=log) for part in parts]
        except (OSError, ValueError) as error:
            return image, str(error)
        return (blend_map(image, np.max(found, axis=0)), "") if found else (image, "")

    def _caption(self, note: str) -> str:
        state = self.state
        e, row = state.evaluation, state.row
        if row < 0 or e is None:
            return ""
        folder, name = state.image.split("/")[-2:]
        kind = "test" if e.is_test[row] else "train"
        gone = far_outside(e.predicted[row], self.frame.image_size)
        parts = joined((_part_text(e, row, k, bool(gone[k])) for k in state.columns), " · ")
        where = heading(f"{folder}/{name}", kind)
        text = markup('<div class="dlcnb-number" style="white-space:normal">{}<br>{}</div>', where, parts)
        wrong = "; ".join(fault.text for fault in state.label_faults(state.image))
        return text + notice(note, "error") + notice(wrong and f"The label may be wrong: {wrong}", "hint")

    def _legend(self) -> str:
        if self.state.row < 0:
            return ""
        colors = palette(len(self.state.bodyparts))
        parts = legend(zip(colors.tolist(), self.state.bodyparts, strict=True))
        return joined(muted(mark, "dlcnb-item") for mark in MARKS) + parts

    def snapshot(self) -> Image.Image:
        """The picture as a `PIL.Image.Image`, drawn in the kernel."""
        with self._lock:
            view, drawn, _ = self._picture()
        return on_picture(Image.fromarray(view), drawn)

    def close(self) -> None:
        """Stop painting and take the view off the page."""
        super().close()
        self.canvas.close()


def _part_text(evaluation: Evaluation, row: int, k: int, outside: bool) -> str:
    """Error and likelihood of one bodypart, in words, and whether its prediction is far outside of the frame."""
    error, likelihood = evaluation.errors[row, k], evaluation.likelihood[row, k]
    name = evaluation.bodyparts[k]
    far = f"{error:.1f} px" if np.isfinite(error) else "not labeled"
    return markup(
        '<span class="dlcnb-number">{} {} {}</span>',
        name,
        far,
        muted(f"(p {likelihood:.2f}{', outside of the frame' * outside})"),
    )


class NoImages:
    """Stands for the images of an evaluation whose project is not known."""

    def read(self, name: str) -> NoReturn:
        """Raises `LabelError`: there are no images."""
        raise LabelError(f"{name} can't be shown: give the view project=… of this evaluation.")
