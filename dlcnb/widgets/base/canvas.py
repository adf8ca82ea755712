"""The drawing surface: one message per picture, frames as display-sized JPEG, the latest request wins."""

from __future__ import annotations

import itertools
import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import cv2
import ipywidgets
import numpy as np
from ipycanvas import Canvas, MultiCanvas, hold_canvas
from numpy.typing import NDArray

from dlcnb.geometry import CanvasFit
from dlcnb.widgets.base.closing import close_parts
from dlcnb.widgets.base.paint import Picture, Thing, on_canvas
from dlcnb.widgets.base.task import end_before_python

__all__ = [
    "FrameCanvas",
    "PaintCanvas",
    "PaintedBox",
    "Painter",
    "batch",
    "fineness",
    "render_view",
    "room",
]

log = logging.getLogger(__name__)

_lock = threading.RLock()
NEAREST_FROM = 6.0  # zoomed in further than this, single pixels are shown as squares
MEAN_BELOW = 0.5  # made smaller than this, pixels are averaged, so that none is left out


@contextmanager
def batch(canvas: Canvas | MultiCanvas) -> Iterator[None]:
    """Send everything drawn inside, on any canvas, as one message; if the body raises, send nothing.

    Unlike `ipycanvas.hold_canvas` it is safe from several threads and after an exception, and it names its canvas
    anew each time, without which a reloaded page stays blank for good (ipycanvas#322).
    """
    manager: Any = getattr(canvas, "_canvas_manager", None)
    if not all(hasattr(manager, name) for name in ("_caching", "_current_canvas", "_commands_cache", "_buffers_cache")):
        with _lock, hold_canvas():
            yield
        return
    with _lock:
        before, manager._caching, manager._current_canvas = manager._caching, True, None
        try:
            yield
            if not before:
                manager.flush()
        except BaseException:
            manager._commands_cache, manager._buffers_cache = [], []
            if isinstance(canvas, PaintCanvas):
                canvas.forget()
            raise
        finally:
            manager._caching, manager._current_canvas = before, None  # else it would keep a closed one in memory


def fineness(zoom: float, ratio: float) -> float:
    """How many pixels a picture needs for each px of a canvas: up to ``ratio``, where the image itself is as fine."""
    return ratio if zoom >= NEAREST_FROM else min(ratio, max(1 / zoom, 1.0))


def render_view(
    image: NDArray[np.uint8], fit: CanvasFit, canvas_size: tuple[int, int], ratio: float = 1.0
) -> NDArray[np.uint8]:
    """What a canvas shows of an image.

    Parameters
    ----------
    image : uint8 (H, W, 3)
    fit : geometry.CanvasFit
        Where the image lies on the canvas.
    canvas_size : (height, width)
    ratio : float
        Of the screen: device pixels for each px of the canvas.

    Returns
    -------
    uint8 (height, width, 3), or up to ``ratio`` times as fine (see `fineness`); black where there is no image.
    """
    finer = fineness(fit.zoom, ratio)
    height, width = (round(side * finer) for side in canvas_size)
    fit = CanvasFit(fit.zoom * finer, fit.left * finer, fit.top * finer)
    if fit.zoom >= 1:
        # corner-origin canvas = corner-origin image * zoom + offset; cv2 counts from pixel centres on both sides
        offset = np.array([fit.left, fit.top]) + 0.5 * fit.zoom - 0.5
        matrix = np.array([[fit.zoom, 0, offset[0]], [0, fit.zoom, offset[1]]])
        how = cv2.INTER_NEAREST if fit.zoom >= NEAREST_FROM else cv2.INTER_LINEAR
        return np.asarray(cv2.warpAffine(image, matrix, (width, height), flags=how), np.uint8)
    small_size = max(round(image.shape[1] * fit.zoom), 1), max(round(image.shape[0] * fit.zoom), 1)
    how = cv2.INTER_AREA if fit.zoom < MEAN_BELOW else cv2.INTER_LINEAR
    small = cv2.resize(image, small_size, interpolation=how)
    if small.shape[:2] == (height, width):
        return np.asarray(small, np.uint8)
    matrix = np.array([[1.0, 0, round(fit.left)], [0, 1.0, round(fit.top)]])
    return np.asarray(cv2.warpAffine(small, matrix, (width, height), flags=cv2.INTER_NEAREST), np.uint8)


def room(size: tuple[int, int], least: int = 280) -> str:
    """How wide (CSS) a picture of (height, width) px may be so that it and its buttons are seen at once.

    At most its own width, and as its height leaves room in the window, or in Studio's pane; ``least`` px at least.
    """
    height, width = size
    left = "(100cqh - var(--dlcnb-around, 330px))"  # less what is above and below
    return f"min({width}px, max({least}px, {left} * {width / height:.4f}))"


class PaintCanvas(MultiCanvas):
    """Layers that things are painted on (see `dlcnb.widgets.base.paint`), as wide as the page lets them be.

    What layer 0 shows has a key, ``shown``, so that the same is not sent twice; it is None once a page has emptied it.

    Pictures travel as data URLs in `ipywidgets.Image`s that are used again and again: ipycanvas turns any other format
    into a blob URL that it never frees, some 60 kB of browser memory per frame. A page draws what such an image holds
    when it comes to it; so that this is the picture that belongs to the things around it, the next paintings of a layer
    have images of their own, ``turns`` in all.

    Parameters
    ----------
    size : (height, width)
        px
    layers : int
    """

    turns = 1

    def __init__(self, size: tuple[int, int], layers: int = 2) -> None:
        height, width = size
        layout = ipywidgets.Layout(width="100%", max_width=f"{width}px", height="auto", flex="0 0 auto")
        self._images: dict[tuple[int, int, int], ipywidgets.Image] = {}  # by layer, place among its pictures, and turn
        self._turns: Counter[int] = Counter()  # how often each layer was painted on
        self.size, self.ratio = (height, width), 1.0
        self.shown: Any = None
        super().__init__(layers, width=width, height=height, layout=layout)
        self.on_client_ready(self.forget)

    def forget(self, *_: object) -> None:
        """A page has emptied it: whatever it is to show is sent again."""
        self.shown = None

    def set_ratio(self, ratio: float) -> bool:
        """Have so many pixels for each px of ``size``, in which things are placed all the same; True if that is new.

        The page empties the canvas then: paint again once it tells that this has happened.
        """
        with _lock:
            return self._set_size(self.size, ratio)

    def set_size(self, size: tuple[int, int]) -> bool:
        """Be (height, width) px large, at the same ratio; True if that is new. The page empties the canvas then."""
        self.layout.max_width = f"{size[1]}px"
        with _lock:
            return self._set_size(size, self.ratio)

    def _set_size(self, size: tuple[int, int], ratio: float) -> bool:
        if (size, ratio) == (self.size, self.ratio):
            return False
        self.size, self.ratio = size, ratio
        self.forget()
        with self.hold_sync():
            self.height, self.width = (round(side * ratio) for side in size)
        return True

    def paint(self, layer: int, things: Iterable[Thing]) -> None:
        """Show these things on a layer, and nothing else (call within `batch`)."""
        self[layer].clear()
        self.add(layer, things)

    def add(self, layer: int, things: Iterable[Thing]) -> None:
        """Paint over what is on a layer (call within `batch`)."""
        numbers, turn = itertools.count(), self._turns[layer] % self.turns
        self._turns[layer] += 1

        def image(picture: Picture) -> ipywidgets.Image:
            place = layer, next(numbers), turn
            if place not in self._images:
                self._images[place] = ipywidgets.Image(format="url", value=b"")
            self._images[place].value = picture.url
            return self._images[place]

        self._on_layer(layer, things, image)

    def _on_layer(self, layer: int, things: Iterable[Thing], image: Callable[[Picture], ipywidgets.Image]) -> None:
        """Draw on a layer in px of ``size``, whatever the ratio."""
        if self.ratio == 1:
            on_canvas(self[layer], things, image)
            return
        self[layer].save()
        self[layer].scale(self.width / self.size[1], self.height / self.size[0])
        on_canvas(self[layer], things, image)
        self[layer].restore()

    def close(self) -> None:
        """Close layers and images with the canvas."""
        images = vars(self).get("_images", {}).values()  # none, where it could not be made
        close_parts(self, *images)
        for image in images:
            image.close()
        super().close()


class FrameCanvas(PaintCanvas):
    """Layer 0 shows a video frame, the layers above it what lies over it."""

    turns = 6  # more than there are frames on their way in playback

    def picture(self, image: NDArray[np.uint8]) -> Picture:
        """An image (height, width, 3) of the canvas's shape, to fill it."""
        height, width = self.size
        exact = self.ratio == 1 and image.shape[:2] == (self.height, self.width)  # another page may change the ratio
        return Picture(image, size=None if exact else (width, height))

    def draw_frame(self, image: NDArray[np.uint8] | Picture, key: Hashable = None) -> None:
        """Put an image of the canvas's shape, or its `picture`, on layer 0 (call within `batch`).

        Nothing is sent if the image that is ``shown`` has this key.
        """
        if key is not None and key == self.shown:
            return
        self.add(0, [image if isinstance(image, Picture) else self.picture(image)])
        self.shown = key


class Painter:
    """Calls ``paint()`` on a thread of its own after each `request`; requests that pile up become one call.

    The thread ends by itself when nothing is asked for a while, so a forgotten widget costs nothing.

    Parameters
    ----------
    paint : callable
        Called without arguments; what it raises goes to ``failed``.
    failed : callable
        Called with the exception, unless the painter was closed meanwhile.
    """

    idle_seconds = 5.0

    def __init__(self, paint: Callable[[], object], failed: Callable[[Exception], object]) -> None:
        self._paint, self._failed = paint, failed
        self._condition = threading.Condition()
        self._wanted = self._busy = self._alive = self._closed = False
        self._held = 0  # how many are in `hold`
        self._due: float | None = None  # when to paint unless it is asked for sooner, as `time.monotonic` has it
        end_before_python(self)

    def request(self, after: float = 0.0) -> None:
        """Paint soon, or ``after`` some seconds in which nothing else asks for it; returns at once."""
        with self._condition:
            if self._closed:
                return
            if after:
                self._due = time.monotonic() + after
            else:
                self._wanted = True
            if not self._alive:
                self._alive = True
                threading.Thread(target=self._run, name="dlcnb-painter", daemon=True).start()
            self._condition.notify_all()

    @contextmanager
    def hold(self) -> Iterator[None]:
        """Begin no painting inside: what changes in several steps is painted once, at the end."""
        with self._condition:
            self._held += 1
        try:
            yield
        finally:
            with self._condition:
                self._held -= 1
                self._condition.notify_all()

    def wait(self, timeout: float = 10.0) -> bool:
        """Block until all that was requested is painted; False if that took longer than ``timeout`` seconds."""
        with self._condition:
            return self._condition.wait_for(lambda: not (self._wanted or self._busy or self._due), timeout)

    def close(self) -> None:
        """Drop what is still requested and let the thread end."""
        with self._condition:
            self._closed, self._wanted, self._due = True, False, None
            self._condition.notify_all()

    def end(self, seconds: float) -> None:
        """Close, and wait at most so long for what is being painted."""
        self.close()
        self.wait(seconds)

    def _run(self) -> None:
        while self._next():
            try:
                self._paint()
            except Exception as error:
                log.debug("painting failed", exc_info=True)
                if not self._closed:  # else what it painted on is closed, too
                    self._failed(error)
            finally:
                with self._condition:
                    self._busy = False
                    self._condition.notify_all()

    def _next(self) -> bool:
        idle = time.monotonic() + self.idle_seconds
        with self._condition:
            while not ((self._wanted and not self._held) or self._closed):
                left = (self._due or idle) - time.monotonic()
                if left <= 0:
                    break
                self._condition.wait(left)
            self._alive = self._busy = bool(self._wanted or self._due) and not self._closed
            self._wanted, self._due = False, None
            return self._alive


class PaintedBox(ipywidgets.VBox):
    """A part of a widget with a painter of its own, ``_painter``, once all is built."""

    _painter: Painter | None = None

    def redraw(self) -> None:
        """Paint again, soon, on the painter's thread."""
        if self._painter is not None:
            self._painter.request()

    def wait(self, timeout: float = 10.0) -> bool:
        """Block until what was asked for is painted; False after ``timeout`` seconds."""
        return self._painter is None or self._painter.wait(timeout)

    def close(self) -> None:
        """Stop painting and take the box off the page."""
        if self._painter is not None:
            self._painter.close()
        super().close()
