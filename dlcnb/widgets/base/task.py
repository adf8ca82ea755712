"""Work that a widget does on a thread while the page stays alive, and that can be stopped."""

from __future__ import annotations

import atexit
import threading
import weakref
from collections.abc import Callable
from typing import Protocol

__all__ = ["Stopped", "Task", "end_before_python"]

END_SECONDS = 5.0


class Ending(Protocol):
    """What can be asked to end within some seconds."""

    def end(self, seconds: float) -> None:
        """End, waiting at most so long."""


_at_work: weakref.WeakSet[Ending] = weakref.WeakSet()


def end_before_python(worker: Ending) -> None:
    """Call ``worker.end(seconds)`` before the interpreter ends; it waits for its thread at most so long.

    A thread that comes back from OpenCV or FFmpeg while Python is going down takes the whole process with it.
    """
    _at_work.add(worker)


@atexit.register
def _end() -> None:
    for worker in list(_at_work):
        worker.end(END_SECONDS)


class Stopped(Exception):
    """The user stopped a task; what is done stays."""


class Task:
    """One piece of work at a time, on a thread.

    Parameters
    ----------
    failed : callable
        ``failed(error)`` gets what the work raises; `Stopped` is no failure.
    busy : callable, optional
        ``busy(True)`` before the work begins and ``busy(False)`` when it has ended.
    """

    def __init__(self, failed: Callable[[Exception], object], busy: Callable[[bool], object] = lambda _: None) -> None:
        self._failed, self._busy = failed, busy
        self._thread: threading.Thread | None = None
        self._stop, self._lock = threading.Event(), threading.Lock()
        end_before_python(self)

    @property
    def running(self) -> bool:
        """Whether work is under way."""
        return self._thread is not None and self._thread.is_alive()

    def start(self, work: Callable[[threading.Event], object]) -> None:
        """Run ``work(stop)`` on a thread; ``stop`` is an Event that it should heed. RuntimeError if some is running."""
        with self._lock:
            if self.running:
                raise RuntimeError("Something is under way: wait for it, or stop it first.")
            self._stop = stop = threading.Event()
            self._thread = threading.Thread(target=self._run, args=(work, stop), name="dlcnb-task", daemon=True)
            self._busy(True)
            self._thread.start()

    def _run(self, work: Callable[[threading.Event], object], stop: threading.Event) -> None:
        try:
            work(stop)
        except Stopped:
            pass
        except Exception as error:
            self._failed(error)
        finally:
            self._busy(False)

    def stop(self) -> None:
        """Ask the work to end soon; returns at once."""
        self._stop.set()

    def end(self, seconds: float) -> None:
        """Stop, and wait at most so long."""
        self.stop()
        self.wait(seconds)

    def wait(self, timeout: float | None = None) -> bool:
        """Block until the work has ended; False after ``timeout`` seconds."""
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(timeout)
        return not self.running
