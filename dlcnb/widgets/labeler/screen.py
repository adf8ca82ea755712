"""What the labeler paints: the picture with its labels, and the bar of frames below; only what has changed."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from cachetools import LRUCache, cachedmethod
from numpy.typing import NDArray

from dlcnb.labels import LabelError
from dlcnb.widgets.base.canvas import batch
from dlcnb.widgets.base.input_guard import Input, InputGuard
from dlcnb.widgets.base.paint import Picture, Text
from dlcnb.widgets.base.sharpness import Sharpness
from dlcnb.widgets.labeler.bar import FrameBar
from dlcnb.widgets.labeler.draw import LabelCanvas, label_things, loupe_things, picture, rendered
from dlcnb.widgets.labeler.scene import Scene, elsewhere, scene

if TYPE_CHECKING:
    from PIL import Image

    from dlcnb.widgets.base.frame_images import FrameImages
    from dlcnb.widgets.labeler.context import Context
    from dlcnb.widgets.labeler.state import LabelSession
    from dlcnb.widgets.labeler.view import LabelView, Look, Pointer

__all__ = ["Screen"]

LETTERS = 13  # px
AHEAD = 5  # pictures: this one, and two on each side
LARGE = 3_000_000  # values of an image from which its picture is made ahead: that of a smaller one takes a few ms
PATIENCE = 0.5  # s that a picture may take to the page and finer ones are sent: a point is placed the better
ANSWER = 0.06  # s that the page's answer may wait for the next gesture
LABEL = "Picture to label. C shows a crosshair for labeling by keys, question mark shows all keys, Escape leaves."


class Screen:
    """The labeler's two canvases.

    Parameters
    ----------
    session, view : what to show, and how.
    images : where the frames come from.
    colors : uint8 (K, 3), of the bodyparts.
    redraw : callable
        Paints again; called when a page shows the canvases, which are empty then, and with a number of seconds.
    """

    def __init__(
        self,
        session: LabelSession,
        view: LabelView,
        images: FrameImages,
        colors: NDArray[np.uint8],
        redraw: Callable[..., object],
    ) -> None:
        self.session, self.view, self.images, self.colors = session, view, images, colors
        self._edges = np.asarray(session.project.skeleton.index_edges, int).reshape(-1, 2)
        self.canvas, self.bar = LabelCanvas(view.canvas_size), FrameBar(view.canvas_size[1])
        self.bar.add_class("dlcnb-framebar")
        self._redraw, self._sharpness = redraw, Sharpness(self.canvas, redraw)
        self._guard: InputGuard | None = None
        self.context: Context | None = None  # plays in place of the frame
        self.marks: list[str] = []  # those of `MARKS` that are seen
        self.pointer: Pointer | None = None  # knows what is under it
        self._ahead: LRUCache[tuple[str, Look], Picture] = LRUCache(AHEAD)
        self._condition = threading.Condition()
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
        made.quick_seconds = PATIENCE
        guard.observe(lambda _: self._redraw(), "shown")
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
        self._redraw()

    def _forget(self) -> None:
        """Paint everything anew next time."""
        self._loupe: tuple[Any, ...] | None = ()
        self._what: tuple[Any, ...] = (None,)
        self._cells: tuple[Any, ...] = (None, None)

    def paint(self, input: Input) -> tuple[str, str]:
        """Bring the canvases up to date; returns (the image's name, what is wrong with its file or '')."""
        session, view = self.session, self.view
        name, marked = session.cursor.image, (session.outlier_rows(), session.hollow_rows())
        image, problem = self._read(name)
        image, seen, away = self._played(image)
        what, still = (name, away, problem, view.look()), away is None and not problem
        look = view.look(self._sharpness.finer(what, view.fit.zoom, input, away is not None))
        frame, shown = (*what, look.ratio), None
        if frame != self.canvas.shown:
            shown = self._made(name, look) if still else self._picture(image, look)
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
                self.canvas.draw(2, loupe_things(seen, image, look))
            self._paint_bar(session.store(name).states, marked, session.row)
        new = shown is not None and still and (name != self._what[0] or what == self._what)
        self._loupe, self._what = loupe, what
        there = {name: np.isfinite(getattr(seen, name)).any() for name in ("ghosts", "hollow")}
        there |= {"outliers": bool(marked[0]), "hollow": there["hollow"] or bool(marked[1])}
        self.marks = [name for name, one in there.items() if one]
        input.sent(light=not pictures, timed=shown is not None, wait=ANSWER if away is None else 0.0)
        if new:
            self._prepare(image, look, input)
        return name, problem

    def _played(self, image: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], Scene, int | None]:
        """(image, what lies over it, None); while the context plays, another image, and how many frames it is away."""
        scale = self._guard.shown if self._guard is not None else 1.0
        seen = replace(self._scene(), letters=round(LETTERS / min(max(scale, 0.4), 1)))  # as high on a small canvas
        played = self.context and self.context.picture
        if not played or played[0].shape != image.shape:
            return image, seen, None
        image, away = played
        return image, elsewhere(seen, f"{away:+d} frames" if away else "this frame"), away

    def _prepare(self, image: NDArray[np.uint8], look: Look, input: Input) -> None:
        """Read the frames around this one on another thread; make pictures of large ones, once the page has this."""
        images, row = self.session.by_video[self.session.video], self.session.row
        around = [*images[row + 1 : row + 3], *reversed(images[max(row - 2, 0) : row])]

        def make(name: str) -> None:
            input.ready(urgent=False)
            self._made(name, look)

        self.images.prepare(around, make if image.size >= LARGE else self.images.read)

    @cachedmethod(
        lambda self: self._ahead, key=lambda self, name, look: (name, look), condition=lambda self: self._condition
    )
    def _made(self, name: str, look: Look) -> Picture:
        return self._picture(self.images.read(name), look)

    def _picture(self, image: NDArray[np.uint8], look: Look) -> Picture:
        picture = self.canvas.picture(rendered(image, look))
        _ = picture.url  # the work is done here, which may be ahead
        return picture

    def _scene(self) -> Scene:
        on = () if self.pointer is None else (self.pointer.under(), self.pointer.placing())
        return scene(self.session, self.view, self._edges, *on)

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

    def _paint_bar(self, states: tuple[str, ...], marked: tuple[list[int], list[int]], row: int) -> None:
        cells = states, *marked
        if (cells, row) == self._cells:
            return
        if cells != self._cells[0]:
            self.bar.draw_states(*cells)
        self.bar.draw_place(row, len(states))
        self._cells = cells, row

    def snapshot(self) -> Image.Image:
        """The frame with all that lies over it, drawn in the kernel."""
        image, _ = self._read(self.session.cursor.image)
        return picture(image, self.view.look(), self._scene(), self.colors)
