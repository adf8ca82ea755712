"""Input for the canvases of a widget: an anywidget that owns pointer, wheel and keys, with plain ipycanvas as fallback.

ipycanvas tells no button, no modifier and no release outside the canvas, and Notebook 7 takes its keys (``a`` inserts
a cell, ``x`` cuts one). `InputGuard` has none of these faults. Where its JavaScript does not load, ipycanvas' events
are used instead, translated to the same messages.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anywidget
import traitlets
from ipycanvas import MultiCanvas

from dlcnb.widgets.base.page import page_code

if TYPE_CHECKING:
    from dlcnb.widgets.base.canvas import PaintCanvas

__all__ = ["Input", "InputGuard"]

_HERE = Path(__file__).parent
SLOW = 2  # pictures in a row that take long, from which the way is slow


class InputGuard(anywidget.AnyWidget):
    """Sends one message per gesture within the nearest ancestor that has the CSS class ``root_class``.

    Put it into the same box as the canvases; it shows nothing itself. Messages are dicts with a ``type``:

    - ``down``, ``move``, ``up``, ``cancel``, ``double``, ``wheel``: with ``surface`` (which canvas, in page order),
      ``x, y`` (canvas pixels, fractions kept), the modifiers ``shift ctrl alt meta``, and ``button`` (0 left,
      1 middle, 2 right) or ``dy`` (wheel, CSS pixels; down is positive).
    - ``pinch``: two fingers; also ``dx, dy`` (how far their middle moved) and ``factor`` (how far apart they moved).
      What the first finger began is taken back by a ``cancel``.
    - ``leave``: the pointer left a canvas; only with ``hover``.
    - ``key``: with ``key``, spelled as in ``grab``, once for each press; while it is held again and again where it
      moves, zooms or undoes, or is one of ``repeating``. ``release`` when one of ``held`` is let go.
    - ``resized``: the page has emptied a canvas, as it has another size now.
    - ``dismiss``: something beside an open menu was pressed (see ``menus.js``).
    - ``ack``: nothing but that a frame has arrived.

    Any of them may have ``arrived``, the number of a frame that has, and ``ago``, how many s before.

    No JupyterLab shortcut fires while anything inside has the focus. It takes messages, too: ``{"type": "focus"}``
    gives the first canvas the keys, ``blur`` takes them away, ``fullscreen`` fills the screen, or ends that; ``top``
    scrolls what is open in a Studio to its beginning, ``reveal`` to the first canvas, or to a ``part`` of it
    (from, to: shares of its height), unless that is in sight; ``name`` gives the field that is typed over the keys,
    once it shows the ``value``. And ``frame`` after each, with its ``id`` and how many ms the answer may ``wait``;
    ``waiting`` where it may not any longer.
    """

    _esm = page_code(*(_HERE / f"{name}.js" for name in ("menus", "painting", "arrivals", "typed_over", "input_guard")))
    _css = (_HERE / "widgets.css").read_text(encoding="utf-8")

    root_class = traitlets.Unicode("dlcnb").tag(sync=True)
    surfaces = traitlets.Int(1, help="How many canvases to wait for; those after them are left alone.").tag(sync=True)
    grab = traitlets.List(traitlets.Unicode(), help="Keys to take, as 'ArrowLeft', 'Shift+Home', 'Ctrl+z', ' '.").tag(
        sync=True
    )
    wakes = traitlets.Bool(
        False,
        help="The pointer over a canvas gives it the keys, unless one is typing elsewhere; then a click does, and its "
        "``down`` has ``woke``.",
    ).tag(sync=True)
    hover = traitlets.Bool(False, help="Send moves without a pressed button too.").tag(sync=True)
    measured = traitlets.Bool(False, help="Report ``room``, ``below`` and ``dark``.").tag(sync=True)
    room = traitlets.Int(0, help="Width in CSS px inside the root; 0 = no page has told.").tag(sync=True)
    below = traitlets.Int(
        0, help="CSS px from the root's top to the bottom of the pane of a Studio, before it is scrolled; else 0."
    ).tag(sync=True)
    dark = traitlets.Bool(False, help="Whether JupyterLab has a dark theme.").tag(sync=True)
    widths = traitlets.List(
        traitlets.Int(), help="Of the canvases, in the px that positions are told in; by default their own pixels."
    ).tag(sync=True)
    ratios = traitlets.List(
        traitlets.Float(), help="Device pixels for each px of the canvases that have ``widths``, as a page told."
    ).tag(sync=True)
    shown = traitlets.Float(1.0, help="CSS px that each px of the first canvas takes.").tag(sync=True)
    plain_wheel = traitlets.Bool(
        False, help="The wheel is told where the canvas has the keys; else only with Ctrl, and the page scrolls."
    ).tag(sync=True)
    held = traitlets.List(traitlets.Unicode(), help="Keys of ``grab`` whose release is told, too.").tag(sync=True)
    repeating = traitlets.List(
        traitlets.Unicode(), help="Keys of ``grab`` that go from one thing to the next, again and again while held."
    ).tag(sync=True)
    label = traitlets.Unicode("", help="What the first canvas is, for screen readers.").tag(sync=True)
    captions = traitlets.List(traitlets.Unicode(), help="Tooltips of the tabs of the widget.").tag(sync=True)
    painter = traitlets.Unicode(
        "", help="Model of ipycanvas that draws on all canvases; empty where there is none."
    ).tag(sync=True)
    canvases = traitlets.List(traitlets.Unicode(), help="Models of the canvases.").tag(sync=True)
    attached = traitlets.Int(0, help="How many times a page has attached the guard.").tag(sync=True)


class Input:
    """One stream of messages (see `InputGuard`) from all canvases of a widget, and the delivery of frames.

    Parameters
    ----------
    canvases : list of ipycanvas.MultiCanvas
        In page order.
    keys : list of str
    on_message : callable
        Called with each message, on whatever thread the kernel handles messages.
    root_class : str
        CSS class of the box that the input comes from.
    """

    ack_seconds, quick_seconds, light_seconds = 0.5, 0.15, 0.1

    def __init__(
        self,
        canvases: Sequence[MultiCanvas],
        keys: Iterable[str],
        on_message: Callable[[dict[str, Any]], object],
        root_class: str = "dlcnb",
    ) -> None:
        self.guard = InputGuard(grab=list(keys), surfaces=len(canvases), root_class=root_class)
        painters = (getattr(canvas, "_canvas_manager", None) for canvas in canvases)
        self.guard.painter = next((painter.model_id for painter in painters if painter is not None), "")
        self.guard.canvases = [canvas.model_id for canvas in canvases]
        self._keys, self._on_message = frozenset(keys), on_message
        self._sent, self._arrived = 0, threading.Condition()
        self._acknowledged = 0
        self._patient = False  # whether the page may let its answer to the last frame wait
        self._sent_at = 0.0  # when the last frame left
        self._picture = 0, 0.0  # the last one with a picture that has not arrived, and when it left; 0: none
        self._slow = 0  # how many pictures in a row took long to arrive
        self._then: Callable[[], object] | None = None
        self._client = False
        self._emptied: Callable[[], object] | None = None
        self.guard.on_msg(self._from_guard)
        for surface, canvas in enumerate(canvases):
            self._listen(surface, canvas)

    def sharpen(self, redraw: Callable[[], object], *canvases: PaintCanvas) -> None:
        """Let canvases, the first ones of this input, have as many pixels as the page shows of them.

        ``redraw`` is called, and no message told, when the page has emptied one; they `forget` what they show.
        """

        def follow(change: Any) -> None:
            for canvas, ratio in zip(canvases, change.new, strict=False):  # fewer, while a page is being made
                canvas.set_ratio(ratio)

        def emptied() -> None:
            for canvas in canvases:
                canvas.forget()
            redraw()

        self._emptied, self.guard.widths = emptied, [canvas.size[1] for canvas in canvases]
        self.guard.observe(follow, "ratios")

    def zooms(self, picture: Any) -> None:
        """The wheel zooms a picture (a `Zoomable` with traits) with Ctrl; without, it scrolls the page.

        Zoomed in, the wheel alone does where the canvas has the keys.
        """

        def follow(_: Any = None) -> None:
            self.guard.plain_wheel = picture.zoomed

        picture.observe(follow, "revision")
        follow()

    def listen_keys(self, canvas: MultiCanvas) -> None:
        """Take the keys of a canvas that belongs to a widget inside this one, where the guard does not work."""
        canvas.on_key_down(self._plain_key)

    def ready(self, ahead: int = 0, urgent: bool = True) -> None:
        """Call before sending a frame: wait until a page has all frames but the last ``ahead``.

        At most ``ack_seconds``, and not again before the page's next sign of life, but for frames of a row, of which
        some may be on their way; not at all without a page. If it is not ``urgent``, the page may let its answer wait.
        """

        def there() -> bool:
            return self._acknowledged >= self._sent - ahead

        with self._arrived:
            if not (self._client or ahead):
                return
            if urgent and self._patient and not there():
                self.guard.send({"type": "waiting"})
            self._client = self._arrived.wait_for(there, self.ack_seconds)

    def sent(self, light: bool = False, timed: bool = True, wait: float = 0.0) -> None:
        """Call after sending a frame: ask the page to tell when it has it.

        Of ``light`` ones, which have no picture, at most every ``light_seconds``: each answer delays the next gesture.
        How long the others take tells how quick the way is, if they are ``timed``: those with a whole picture. The page
        may ``wait`` so many seconds for a gesture that takes the answer along.
        """
        if light and time.monotonic() - self._sent_at < self.light_seconds:
            return
        if self.guard.attached:
            with self._arrived:
                self._sent += 1
                self._patient = wait > 0
                self._sent_at = time.monotonic()
                if timed and not light:
                    self._picture = self._sent, self._sent_at
            self.guard.send({"type": "frame", "id": self._sent, "wait": 1000 * wait})

    @property
    def arrived(self) -> bool:
        """Whether the page has all that was sent."""
        with self._arrived:
            return self._acknowledged == self._sent

    @property
    def quick(self) -> bool:
        """Whether pictures arrive soon, so that there is room for a larger one; one that did not may be an accident."""
        return self._slow < SLOW

    def when_arrived(self, call: Callable[[], object]) -> None:
        """Call this once the page has all that was sent, in place of what was to be called then before."""
        with self._arrived:
            arrived = self._acknowledged == self._sent
            self._then = None if arrived else call
        if arrived:
            call()

    def _from_guard(self, _: object, message: dict[str, Any], buffers: object) -> None:
        then = None
        with self._arrived:
            self._client = True
            if "arrived" in message:
                self._acknowledge(int(message["arrived"]), float(message["ago"]))
                if self._acknowledged == self._sent:
                    then, self._then = self._then, None
        if then is not None:
            then()
        if message.get("type") == "ack":
            return
        if message.get("type") == "resized" and self._emptied is not None:
            self._emptied()
        else:
            self._on_message(message)

    def _acknowledge(self, frame: int, ago: float) -> None:
        self._acknowledged = max(self._acknowledged, frame)
        picture, left = self._picture
        if 0 < picture <= self._acknowledged:
            slow = time.monotonic() - ago - left >= self.quick_seconds
            self._slow, self._picture = self._slow + 1 if slow else 0, (0, 0.0)
        self._arrived.notify_all()

    # --- fallback: ipycanvas' own events, used until a guard reports from a page ---

    def _listen(self, surface: int, canvas: MultiCanvas) -> None:
        def pointer(kind: str, **more: Any) -> Callable[[float, float], None]:
            def handler(x: float, y: float) -> None:
                self._plain({"type": kind, "surface": surface, "x": x, "y": y, **more})

            return handler

        where = [0.0, 0.0]
        move = pointer("move", buttons=1)

        def moved(x: float, y: float) -> None:
            where[:] = x, y
            move(x, y)

        canvas.on_mouse_down(pointer("down", button=0))
        canvas.on_mouse_move(moved)
        canvas.on_mouse_up(pointer("up", button=0))
        canvas.on_mouse_out(pointer("cancel"))
        canvas.on_mouse_wheel(
            lambda dx, dy: self._plain({"type": "wheel", "surface": surface, "x": where[0], "y": where[1], "dy": dy})
        )
        canvas.on_key_down(self._plain_key)

    def _plain_key(self, key: str, shift: bool, ctrl: bool, meta: bool) -> None:
        if len(key) == 1:  # whatever Caps Lock says
            key = key.upper() if shift else key.lower()
        name = ("Ctrl+" if ctrl or meta else "") + ("Shift+" if shift and len(key) > 1 else "") + key
        if name in self._keys:
            self._plain({"type": "key", "key": name})

    def _plain(self, message: dict[str, Any]) -> None:
        if not self.guard.attached:
            modifiers = dict.fromkeys(("shift", "ctrl", "alt", "meta"), False)
            self._on_message({**modifiers, **message})
