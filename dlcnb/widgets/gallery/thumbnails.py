"""Gallery: a grid of pictures on one canvas, with captions, check boxes, pages, mouse and keys."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import cv2
import ipywidgets
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from dlcnb.widgets.base.canvas import FrameCanvas, PaintedBox, Painter, batch
from dlcnb.widgets.base.html import Html
from dlcnb.widgets.base.input_guard import Input
from dlcnb.widgets.base.paint import Color, Lines, Rectangles, Text, Thing, font, on_picture
from dlcnb.widgets.base.view import button
from dlcnb.widgets.gallery.gallery_state import CHECK, LINE, Cell, GalleryState

__all__ = ["DARK_TONES", "FINE", "LIGHT_TONES", "Gallery", "fitted", "shrunk"]

ROOT = "dlcnb-gallery"
EMPTY = (52, 63, 74)  # around an image that has another shape than its place
ON_PICTURE = (235, 238, 241)  # what is drawn on a picture
FONT_PX = 12
FINE = 2  # pixels of a picture for each px of its place, for sharp screens
WIDER = 0.85  # a page's letters may be wider than those by which a text is measured
KEYS: dict[str, tuple[Any, ...]] = {  # key -> (name of a GalleryState method, its arguments)
    "ArrowLeft": ("move", -1),
    "ArrowRight": ("move", 1),
    "ArrowUp": ("move_rows", -1),
    "ArrowDown": ("move_rows", 1),
    "PageUp": ("turn", -1),
    "PageDown": ("turn", 1),
    "Home": ("home",),
    "End": ("end",),
}
OWN_KEYS = ("Enter", " ", "Delete", "Backspace")


@dataclass(frozen=True)
class Tones:
    """The colours of a gallery, for a light or a dark page; ``empty`` is around an image of another shape."""

    ground: Color
    empty: Color
    text: Color
    warn: Color
    faint: Color
    focus: Color


DARK_TONES = Tones((31, 41, 51), EMPTY, (235, 238, 241), (240, 180, 60), (150, 160, 170), (86, 180, 233))
LIGHT_TONES = Tones((243, 244, 245), (222, 225, 228), (33, 33, 33), (145, 75, 0), (90, 96, 102), (25, 118, 210))


def shrunk(image: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.uint8]:
    """An image as large as fits into (height, width), uint8 (H, W, 3)."""
    zoom = min(size[0] / image.shape[0], size[1] / image.shape[1])
    tall, wide = (max(round(side * zoom), 1) for side in image.shape[:2])
    how = cv2.INTER_AREA if zoom < 1 else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(image, (wide, tall), interpolation=how), np.uint8)


def fitted(image: NDArray[np.uint8], size: tuple[int, int], around: Color = EMPTY) -> NDArray[np.uint8]:
    """An image in the middle of a picture of another size, as large as fits.

    Parameters
    ----------
    image : uint8 (H, W, 3)
    size : (height, width)
    around : RGB
        Where there is no image.

    Returns
    -------
    uint8 (height, width, 3)
    """
    (height, width), small = size, shrunk(image, size)
    tall, wide = small.shape[:2]
    out = np.full((height, width, 3), around, np.uint8)
    top, left = (height - tall) // 2, (width - wide) // 2
    out[top : top + tall, left : left + wide] = small
    return out


class Gallery(PaintedBox):
    """A grid of pictures in as many columns as the page has room for.

    Parameters
    ----------
    picture : callable
        ``picture(cell)`` gives the uint8 (H, W, 3) image of a `Cell`, at best `FINE` times as large as its place, or
        None while there is none; called on the painter's thread.
    opened : callable
        Called with the key of a cell that is clicked, or Enter is pressed on.
    failed : callable
        Called with what ``picture`` and the other callables raise.
    toggled : callable, optional
        Called with the key of a cell whose check box is clicked (or Space is pressed on, or Delete while checked).
    size : (height, width)
        Of a picture, px.
    columns, rows, lines : int
        See `GalleryState`.
    most_lines : int
        Of text under a picture, where a note needs more than ``lines``.
    empty : str
        Said when there are no cells; an attribute too.
    """

    def __init__(  # noqa: PLR0913
        self,
        picture: Callable[[Cell], NDArray[np.uint8] | None],
        opened: Callable[[Any], object],
        failed: Callable[[Exception], object],
        toggled: Callable[[Any], object] | None = None,
        *,
        size: tuple[int, int] = (120, 160),
        columns: int = 4,
        rows: int = 3,
        lines: int = 2,
        most_lines: int = 0,
        empty: str = "",
    ) -> None:
        self.state = GalleryState(size, columns, rows, lines)
        self._picture, self._opened, self._failed, self._toggled = picture, opened, failed, toggled
        self.empty, self._lines = empty, (lines, max(lines, most_lines))
        self._lock = threading.RLock()
        self.canvas = FrameCanvas(self.state.size)
        self.input = Input([self.canvas], [*KEYS, *OWN_KEYS], self._on_input, ROOT)
        self.input.guard.measured = True
        self.input.sharpen(self.redraw, self.canvas)
        self.input.guard.observe(lambda _: self._fit(), ["room", "below"])
        self.input.guard.observe(lambda _: self.redraw(), "dark")
        self._build_pager()
        layout = ipywidgets.Layout(width="100%", align_items="stretch", overflow="hidden")
        super().__init__([self.canvas, self.pager, self.input.guard], layout=layout)
        self.add_class(ROOT)
        self._painter = Painter(self._paint, failed)
        self.canvas.on_client_ready(lambda *_: self.redraw())
        self.state.observe(lambda _: self.redraw(), ["focus", "revision"])
        self.redraw()

    def _build_pager(self) -> None:
        turn = self.state.turn
        self.previous = button("chevron-left", "Previous page (PageUp)", lambda: self._safely(turn, -1))
        self.next = button("chevron-right", "Next page (PageDown)", lambda: self._safely(turn, 1))
        self.where = Html()
        self.where.add_class("dlcnb-number")
        self.pager = ipywidgets.HBox([self.previous, self.next, self.where])
        self.pager.add_class("dlcnb-row")

    def set_cells(self, cells: Iterable[Cell]) -> None:
        """Show other `Cell`s, under all of them as many lines as the longest note needs, if it may have them."""
        shown, (least, most) = tuple(cells), self._lines
        with self._lock:
            needed = least if least == most else max((1 + len(_noted(cell, self.state)) for cell in shown), default=0)
            self.state.lines, before = min(max(needed, least), most), self.state.lines
            self.state.set_cells(shown)
        if self.state.lines != before and self.input.guard.room:
            self._fit()

    def _fit(self) -> None:
        guard = self.input.guard
        self._safely(self.state.fit, guard.room, guard.below)

    @property
    def tones(self) -> Tones:
        """The colours that suit the page."""
        return DARK_TONES if self.input.guard.dark else LIGHT_TONES

    # --- gestures ---

    def _safely(self, method: Callable[..., object], *arguments: Any) -> None:
        try:
            with self._lock:
                method(*arguments)
        except Exception as error:
            self._failed(error)

    def _on_input(self, message: dict[str, Any]) -> None:
        if message["type"] == "key":
            self._safely(self._on_key, message["key"])
        elif message["type"] == "down" and message.get("button", 0) == 0:
            self._safely(self._on_click, message["x"], message["y"])

    def _on_key(self, key: str) -> None:
        cell = self.state.focused
        if key in KEYS:
            name, *arguments = KEYS[key]
            getattr(self.state, name)(*arguments)
            self._reveal()
        elif cell is None:
            return
        elif key == "Enter":
            self._opened(cell.key)
        elif self._toggled and cell.checked is not None and (key == " " or cell.checked):
            self._toggled(cell.key)

    def _reveal(self) -> None:
        """Scroll to the cell with the focus, unless it is in sight."""
        if self.state.focused is not None:
            self.input.guard.send({"type": "reveal", "part": self.state.extent(self.state.focus)})

    def _on_click(self, x: float, y: float) -> None:
        position, on_check = self.state.at(x, y)
        if position < 0:
            return
        self.state.focus = position
        act = self._toggled if on_check and self._toggled else self._opened
        act(self.state.cells[position].key)

    # --- painting ---

    def _paint(self) -> None:
        with self._lock:
            state = self.state
            mosaic, things, size = self._mosaic(self.canvas.ratio), self._things(), state.size
            pages, page, count = state.pages, state.page, len(state.cells)
        self.input.ready()
        if self.canvas.set_size(size):
            self.input.guard.widths = [size[1]]
        with batch(self.canvas):
            self.canvas.draw_frame(mosaic, (mosaic.shape, hash(mosaic.tobytes())))
            self.canvas.paint(1, things)
        self.input.sent()
        self.previous.disabled, self.next.disabled = page == 0, page == pages - 1
        self.pager.layout.display = None if pages > 1 else "none"
        self.where.value = f"page {page + 1} of {pages} · {count} pictures"

    def _mosaic(self, ratio: float = 1.0) -> NDArray[np.uint8]:
        """All pictures of the page on their ground, uint8 (height, width, 3), or up to `FINE` times as fine."""
        state, ratio, tones = self.state, min(ratio, FINE), self.tones
        whole = np.full((*(round(side * ratio) for side in state.size), 3), tones.ground, np.uint8)
        height, width = (round(side * ratio) for side in state.picture)
        for position in state.shown:
            left, top = (round(side * ratio) for side in state.box(position))
            cell = state.cells[position]
            image = self._picture(cell)
            image = np.full((1, 1, 3), tones.empty, np.uint8) if image is None else image
            picture = fitted(image, (height, width), tones.empty)
            if cell.dim:
                picture = (0.3 * picture + 0.7 * np.array(tones.ground)).astype(np.uint8)
            whole[top : top + height, left : left + width] = picture
        return whole

    def _things(self) -> list[Thing]:
        """What is drawn on top: the frame around the focus, captions, check boxes."""
        state, tones = self.state, self.tones
        things: list[Thing] = []
        height, width = state.picture
        for position in state.shown:
            cell, (left, top) = state.cells[position], state.box(position)
            if position == state.focus:
                things.append(Rectangles([(left - 2, top - 2, width + 4, height + 4)], tones.focus, width=3))
            y = top + height + 2 + LINE / 2
            caption, color = _shortened(cell.caption, width), tones.faint if cell.dim else tones.text
            things.append(Text(caption, (left + 2, y), FONT_PX, color))
            if cell.note and state.lines > 1:
                color = tones.warn if cell.warn and not cell.dim else tones.faint
                lines = _noted(cell, state)
                kept = [*lines[: state.lines - 2], " ".join(lines[state.lines - 2 :])]
                for n, line in enumerate(filter(None, kept), 1):
                    things.append(Text(_shortened(line, width, end=True), (left + 2, y + n * LINE), FONT_PX, color))
            if cell.checked is not None:
                things += _check_box(left + width - CHECK + 4, top + 4, cell.checked)
        if not state.cells and self.empty:
            things += _wrapped(self.empty, state.size, tones.faint)
        return things

    def snapshot(self) -> Image.Image:
        """The page, drawn in the kernel."""
        with self._lock:
            return on_picture(Image.fromarray(self._mosaic()), self._things())

    def close(self) -> None:
        """Stop painting and take the gallery off the page."""
        super().close()
        self.canvas.close()


def _wrapped(text: str, size: tuple[int, int], color: Color) -> list[Thing]:
    """Text in the middle of a ground of (height, width) px, in as many lines as it needs."""
    lines = _lines(text, size[1] - 32)
    top = size[0] / 2 - LINE * (len(lines) - 1) / 2
    return [Text(line, (16, top + n * LINE), FONT_PX, color) for n, line in enumerate(lines)]


def _noted(cell: Cell, state: GalleryState) -> list[str]:
    """The lines of a cell's note."""
    return _lines(cell.note, state.picture[1] - 4) if cell.note else []


def _lines(text: str, width: float) -> list[str]:
    """Words of a text in lines that fit into ``width`` px."""
    letters, lines = font(FONT_PX), [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".strip()
        if not lines[-1] or letters.getlength(longer) <= WIDER * width:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines


TICK = ((4, 10), (9, 15), (16, 5))  # of a check box


def _check_box(left: float, top: float, on: bool) -> list[Thing]:
    box = [(left, top, CHECK - 8, CHECK - 8)]
    made: list[Thing] = [Rectangles(box, (20, 28, 36), alpha=0.85), Rectangles(box, ON_PICTURE, width=1.5)]
    if on:
        corners = np.array(TICK, float) + (left, top)
        made.append(Lines(np.stack([corners[:-1], corners[1:]], axis=1), ON_PICTURE, 2.5))
    return made


def _shortened(text: str, width: int, end: bool = False) -> str:
    """Text that fits into ``width`` px, its beginning given up (the end of a video name tells more), or its end."""
    letters, room = font(FONT_PX), WIDER * (width - 4)
    if letters.getlength(text) <= room:
        return text
    while text and letters.getlength(text + "…") > room:
        text = text[:-1] if end else text[1:]
    return text + "…" if end else "…" + text
