"""What the labeler paints: the picture with its labels, and the bar of frames below; only what has changed."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dlcnb.labels import LabelError
from dlcnb.widgets.base.canvas import batch
from dlcnb.widgets.base.input_guard import Input, InputGuard
from dlcnb.widgets.base.paint import Text
from dlcnb.widgets.labeler.bar import FrameBar
from dlcnb.widgets.labeler.draw import LabelCanvas, label_things, look, loupe_things, picture
from dlcnb.widgets.labeler.scene import Scene, elsewhere, scene

if TYPE_CHECKING:
    from PIL import Image

    from dlcnb.widgets.base.frame_images import FrameImages
    from dlcnb.widgets.labeler.context import Context
    from dlcnb.widgets.labeler.state import LabelSession
    from dlcnb.widgets.labeler.view import LabelView, Pointer

__all__ = ["Screen"]

LETTERS = 13  # px
LABEL = "Picture to label. C shows a crosshair for labeling by keys, question mark shows all keys, Escape leaves."


class Screen:
    """The labeler's two canvases.

    Parameters
    ----------
    session, view : what to show, and how.
    images : where the frames come from.
    colors : uint8 (K, 3), of the bodyparts.
    on_client : callable
        Called when a page shows the canvases, which are empty then.
    """

    def __init__(
        self,
        session: LabelSession,
        view: LabelView,
        images: FrameImages,
        colors: NDArray[np.uint8],
        on_client: Callable[[], object],
    ) -> None:
        self.session, self.view, self.images, self.colors = session, view, images, colors
        self._edges = np.asarray(session.project.skeleton.index_edges, int).reshape(-1, 2)
        self.canvas, self.bar = LabelCanvas(view.canvas_size), FrameBar(view.canvas_size[1])
        self.bar.add_class("dlcnb-framebar")
        self._on_client = on_client
        self._guard: InputGuard | None = None
        self.context: Context | None = None  # plays in place of the frame
        self.marks: list[str] = []  # those of `MARKS` that are seen
        self.pointer: Pointer | None = None  # knows what is under it
        self._forget()
        for canvas in (self.canvas, self.bar):
            canvas.on_client_ready(self.appear)

    def listen(self, keys: Iterable[str], held: Iterable[str], on_message: Callable[[dict[str, Any]], object]) -> Input:
        """The `Input` from both canvases; the releases of the keys ``held`` are told, too."""
        made = Input([self.canvas, self.bar], keys, on_message)
        self._guard = guard = made.guard
        guard.hover = guard.wakes = True
        guard.held = list(held)
        guard.label = LABEL
        made.sharpen(self.appear, self.canvas, self.bar)
        guard.observe(lambda _: self._on_client(), "shown")
        guard.observe(lambda _: self._keep_keys(), "attached")
        made.zooms(self.view)
        return made

    def _keep_keys(self) -> None:
        """Who labels without a mouse can't press on the picture of a page that was loaded again."""
        if self.view.crosshair is not None and self._guard is not None:
            self._guard.send({"type": "focus"})

    def appear(self, *_: Any) -> None:
        """Paint everything anew: the page's canvases are empty."""
        self._forget()
        self._on_client()

    def _forget(self) -> None:
        """Paint everything anew next time."""
        self._loupe: tuple[Any, ...] | None = ()
        self._cells: tuple[Any, ...] = (None, None)

    def paint(self, input: Input) -> tuple[str, str]:
        """Bring the canvases up to date; returns (the image's name, what is wrong with its file or '')."""
        session, view = self.session, self.view
        name, outliers = session.cursor.image, session.outlier_rows()
        image, problem = self._read(name)
        seen, away, ratio = self._scene(), None, self.canvas.ratio
        scale = self._guard.shown if self._guard is not None else 1.0
        seen = replace(seen, letters=round(LETTERS / min(max(scale, 0.4), 1)))  # as high on a small canvas
        if (played := self.context and self.context.picture) and played[0].shape == image.shape:
            image, away = played
            seen = elsewhere(seen, f"{away:+d} frames" if away else "this frame")
        frame = (name, away, view.fit, view.brightness, view.contrast, view.gamma, problem, ratio)
        shown = look(image, view, ratio) if frame != self.canvas.shown else None
        loupe = None if seen.loupe is None else (seen.loupe, seen.loupe_box, frame)
        pictures = shown is not None or loupe != self._loupe
        things = label_things(seen, self.colors)
        if problem:
            middle = view.canvas_size[1] / 2, view.canvas_size[0] / 2
            things.append(Text("this image can't be read", middle, 18, outline=1.5, align="center"))
        input.ready(0 if shown is not None else 1)  # points need not wait for the loupe to arrive
        with batch(self.canvas):
            if shown is not None:
                self.canvas.draw_frame(shown, frame)
            self.canvas.draw(1, things)
            if loupe != self._loupe:
                self.canvas.draw(2, loupe_things(seen, image, view, ratio))
            self._paint_bar(session.store(name).states, outliers, session.row)
        self._loupe = loupe
        self.marks = [name for name in ("ghosts", "hollow") if np.isfinite(getattr(seen, name)).any()]
        self.marks += ["outliers"] * bool(outliers)
        input.sent(light=not pictures)
        return name, problem

    def _scene(self) -> Scene:
        on = (None, None) if self.pointer is None else (self.pointer.under(), self.pointer.placing())
        return scene(self.session, self.view, self._edges, on)

    def _read(self, name: str) -> tuple[NDArray[np.uint8], str]:
        """(pixels, what is wrong with the file or '')."""
        try:
            image, problem = self.images.read(name), ""
            self._sized(name, (image.shape[0], image.shape[1]))
        except LabelError as error:
            self._sized(name, None)
            image, problem = np.full((*self.view.image_size, 3), 64, np.uint8), str(error)
        return image, problem

    def measure(self, name: str) -> None:
        """Let view and session know the size of a frame: keys and clicks may come before its picture is read."""
        self._sized(name, self.images.size(name))

    def _sized(self, name: str, size: tuple[int, int] | None) -> None:
        with self.session.lock:
            if name == self.session.cursor.image:  # else another frame was opened while this one was read
                self.view.set_image_size(size or self.view.image_size)
                self.session.image_size, self.session.unreadable = size, size is None

    def _paint_bar(self, states: tuple[str, ...], outliers: list[int], row: int) -> None:
        cells = states, outliers
        if (cells, row) == self._cells:
            return
        if cells != self._cells[0]:
            self.bar.draw_states(*cells)
        self.bar.draw_place(row, len(states))
        self._cells = cells, row

    def snapshot(self) -> Image.Image:
        """The frame with all that lies over it, drawn in the kernel."""
        image, _ = self._read(self.session.cursor.image)
        return picture(image, self.view, self._scene(), self.colors)
