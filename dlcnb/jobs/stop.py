"""Whether a worker has been asked to stop."""

from __future__ import annotations

import _thread
import os
import signal
import threading
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from types import FrameType
from typing import TypeVar

from dlcnb.jobs.request import STOP_FILE, asked

__all__ = ["StopRequest", "Stopped", "at_once", "until"]

_LOOK = 0.2  # s between two looks for a request
_AGAIN = 2.0  # s after which an exception that was swallowed (in a __del__, for one) is raised again

T = TypeVar("T")


class Stopped(BaseException):
    """Work was left where it was, since its worker was asked to stop."""


class StopRequest:
    """True once somebody has asked this worker to stop: by the file ``stop``, by SIGTERM or by SIGINT.

    The first signal asks; a second one interrupts (KeyboardInterrupt).

    Attributes
    ----------
    reason : who asked: "request" ("pause", if only for now), or the name of the signal.
    """

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        self._file = Path(folder) / STOP_FILE
        self._signalled = self._at_once = self._mine = False
        self.reason = "request"
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGTERM, signal.SIGINT):
                signal.signal(number, self._on_signal)

    def __bool__(self) -> bool:
        return self._signalled or self._is_asked()

    def _is_asked(self) -> bool:
        """Whether the file is there, and what for."""
        if (reason := asked(self._file.parent)) is None:
            return False
        self.reason = reason
        return True

    def forget(self) -> None:
        """Take the request back, so that the next worker on this folder does not see it."""
        self._file.unlink(missing_ok=True)

    @contextmanager
    def at_once(self) -> Iterator[None]:
        """While the block runs a request raises `Stopped` in it, wherever it is.

        For long work without steps that leaves nothing half-done, such as the loading of a network.
        """
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        over = threading.Event()
        threading.Thread(target=self._watch, args=(over,), daemon=True, name="dlcnb-stop").start()
        try:
            try:
                self._at_once = True
                yield
            finally:
                self._at_once = False
        finally:  # also where it was raised in the line above
            self._at_once = False
            over.set()

    def _watch(self, over: threading.Event) -> None:
        pause = _LOOK
        while not over.wait(pause):
            if self:
                self._mine, pause = True, _AGAIN
                if hasattr(signal, "pthread_kill"):  # also wakes what waits for a lock
                    signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)
                else:
                    _thread.interrupt_main()

    def _on_signal(self, number: int, _frame: FrameType | None) -> None:
        if self._mine:
            self._mine = False
            if self._at_once:
                raise Stopped
            return
        if self._signalled:
            raise KeyboardInterrupt
        self._signalled, self.reason = True, signal.Signals(number).name


def at_once(stop: StopRequest | bool) -> AbstractContextManager[None]:
    """`StopRequest.at_once`; nothing for a bool, of work without a worker."""
    return nullcontext() if isinstance(stop, bool) else stop.at_once()


def until(stop: StopRequest | bool, items: Iterable[T]) -> Iterator[T]:
    """The items, and `Stopped` in place of the next one once ``stop`` is true."""
    for item in items:
        if stop:
            raise Stopped
        yield item
