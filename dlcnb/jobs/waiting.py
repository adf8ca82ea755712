"""Waiting in a notebook's cell while its widgets live.

A kernel does one thing after the other: while a cell waits, no click reaches a widget. `rest` waits by running the
kernel's own event loop inside the cell, and handles what widgets send. All else that comes in, such as the cells behind
this one, is kept until the cell has ended and then handed on in its order.
"""

from __future__ import annotations

import asyncio
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

__all__ = ["in_a_cell", "rest"]

_TICK = 0.05  # s until what came in is looked at
_WIDGETS = ("comm_open", "comm_msg", "comm_close")


def rest(seconds: float) -> None:
    """Wait; in a cell of a notebook the widgets live meanwhile.

    Ctrl-C, or the notebook's Interrupt, ends it with KeyboardInterrupt. Elsewhere (a terminal, another thread, an
    answer to a click, an event loop that isn't Python's own) this is `time.sleep`.
    """
    kernel = _kernel()
    if kernel is None:
        time.sleep(seconds)
        return
    loop = asyncio.get_running_loop()
    until, inbox = loop.time() + seconds, _Inbox.of(kernel)
    with inbox.waiting(), _interruptible() as interrupted, _inside(loop):
        while (left := until - loop.time()) > 0:
            tick = loop.call_later(min(left, _TICK), _nothing)
            loop._run_once()  # type: ignore[attr-defined]  # asyncio has no other way to run a loop in itself
            tick.cancel()
            inbox.answer()
            if interrupted.is_set() or loop._stopping:  # type: ignore[attr-defined]  # the kernel is to end
                raise KeyboardInterrupt


def in_a_cell() -> bool:
    """Whether a cell of a notebook waits here, whose widgets `rest` lets live."""
    return _kernel() is not None


def _kernel() -> Any:
    """The kernel, if a cell of it waits in its main thread and its loop can be run; else None."""
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    kernel = getattr(shell, "kernel", None)
    if kernel is None or threading.current_thread() is not threading.main_thread():
        return None
    try:
        loop = asyncio.get_running_loop()
        request = kernel.get_parent("shell")["header"]["msg_type"]
        _stream(kernel)._recv_callback  # noqa: B018  # a kernel of another make has none
    except (RuntimeError, AttributeError, KeyError, TypeError):
        return None
    return kernel if request == "execute_request" and hasattr(loop, "_run_once") else None


@contextmanager
def _inside(loop: Any) -> Iterator[None]:
    """While the block runs the loop may be run although it runs already: the task that does so steps aside."""
    task, ready = asyncio.current_task(loop), len(loop._ready)
    if task is not None:
        asyncio.tasks._leave_task(loop, task)  # what asyncio does when a task awaits
    try:
        yield
    finally:
        if task is not None:
            asyncio.tasks._enter_task(loop, task)  # what asyncio does when a task awaits
        while len(loop._ready) < ready:  # the loop outside counted them and takes as many
            loop.call_soon(_nothing)


@contextmanager
def _interruptible() -> Iterator[threading.Event]:
    """An event that the first Ctrl-C sets, so that it falls between two messages; a second one ends what runs."""
    interrupted = threading.Event()

    def note(number: int, frame: Any) -> None:
        if interrupted.is_set():
            raise KeyboardInterrupt
        interrupted.set()

    before = signal.signal(signal.SIGINT, note)
    try:
        yield interrupted
    finally:
        signal.signal(signal.SIGINT, before)


class _Inbox:
    """What a kernel is sent while one of its cells waits: for widgets, or to be kept until the cell has ended.

    Parameters
    ----------
    kernel : of ipykernel 6 or 7.
    """

    _open: _Inbox | None = None  # of the cell that runs

    @classmethod
    def of(cls, kernel: Any) -> _Inbox:
        """That of the cell that runs."""
        if cls._open is None:
            cls._open = cls(kernel)
        return cls._open

    def __init__(self, kernel: Any) -> None:
        self._kernel, self.waits = kernel, 0
        self._kept: list[Any] = []
        self._stream = _stream(kernel)
        self._usual = self._stream._recv_callback
        self._came: list[Any] = []
        self._stream.on_recv(self._came.append, copy=False)
        kernel.shell.events.register("post_run_cell", self._ended)

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """While the block runs nothing that was kept is handed on."""
        self.waits += 1
        try:
            yield
        finally:
            self.waits -= 1

    def answer(self) -> None:
        """Handle what widgets sent."""
        came = self._came[:]
        self._came.clear()
        for frames in came:
            if not self._for_a_widget(frames):
                self._kept.append(frames)

    def _for_a_widget(self, frames: Any) -> bool:
        """Whether a message is one of a widget's; if so it is handled, in the name of what sent it."""
        kernel = self._kernel
        if len(frames) == 1:  # ipykernel 7's own "stop aborting"
            return False
        identities, parts = kernel.session.feed_identities(frames, copy=False)
        kind = kernel.session.deserialize(parts, content=False, copy=False)["header"]["msg_type"]
        if kind not in _WIDGETS:
            return False
        message = kernel.session.deserialize(parts, content=True, copy=False)
        cell, asked = _sender(kernel), kernel.get_parent("shell")
        kernel.set_parent(identities, message, channel="shell")
        try:
            kernel.shell_handlers[kind](self._stream, identities, message)
        finally:
            kernel.set_parent(cell, asked, channel="shell")
        return True

    def _ended(self, result: Any) -> None:
        asyncio.get_running_loop().call_soon(self._hand_on)  # when nothing of the cell runs any more

    def _hand_on(self) -> None:
        if self.waits or _Inbox._open is not self:  # a cell that was run by a cell has ended
            return
        _Inbox._open = None
        self._kernel.shell.events.unregister("post_run_cell", self._ended)
        self._stream.on_recv(self._usual, copy=False)
        for frames in self._kept + self._came:
            self._stream._run_callback(self._usual, frames)


def _stream(kernel: Any) -> Any:
    """Where the main thread of a kernel gets its messages."""
    thread = getattr(kernel, "shell_channel_thread", None)  # of ipykernel 7: it takes messages and hands them on
    return thread.manager._shell_channel_to_main.to_stream if thread else kernel.shell_stream


def _sender(kernel: Any) -> Any:
    """Who sent the cell that runs, as a kernel of ipykernel 6 or 7 notes it."""
    if hasattr(kernel, "_shell_parent_ident"):
        return kernel._shell_parent_ident.get()
    return kernel._parent_ident["shell"]


def _nothing() -> None:
    """Wake the loop."""
