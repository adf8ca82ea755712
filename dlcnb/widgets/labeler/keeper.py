"""Autosave: tables are written shortly after an edit, and changes from elsewhere are looked for, on one thread."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

from dlcnb.widgets.base.task import end_before_python

__all__ = ["Keeper"]

log = logging.getLogger(__name__)


class Keeper:
    """Calls ``save()`` some time after `save_soon`, and ``look()`` every few seconds while somebody is at work.

    Its thread ends by itself when nothing is due and nobody has touched the widget for a while.

    Parameters
    ----------
    save, look : callable
        Called without arguments.
    failed : callable
        Called with what they raise.
    """

    save_seconds = 1.0  # after the last edit,
    longest_seconds = 8.0  # but at the latest so long after the first
    retry_seconds = 10.0
    look_seconds = 2.0
    awake_seconds = 120.0

    def __init__(
        self, save: Callable[[], object], look: Callable[[], object], failed: Callable[[Exception], object]
    ) -> None:
        self._save, self._look, self._failed = save, look, failed
        self._condition = threading.Condition()
        self._due: float | None = None  # when to save, at the latest at `_deadline`
        self._deadline: float | None = None
        self._next_look: float | None = None
        self._until = 0.0
        self._alive = self._closed = self._busy = False
        end_before_python(self)

    def touch(self) -> None:
        """Somebody is at work: keep looking for changes from elsewhere for a while."""
        now = time.monotonic()
        with self._condition:
            if now > self._until:  # after a pause, at once
                self._next_look = now
            self._until = now + self.awake_seconds
            self._wake()

    def save_soon(self, seconds: float | None = None) -> None:
        """Save when no more edits come, or within ``seconds`` if that is earlier."""
        now = time.monotonic()
        with self._condition:
            if seconds is None:
                self._deadline = self._deadline or now + self.longest_seconds
                self._due = min(now + self.save_seconds, self._deadline)
            else:
                self._due = min(self._due or now + seconds, now + seconds)
            self._wake()

    def wait(self, timeout: float = 60.0) -> bool:
        """Block until nothing is to be saved; False after ``timeout`` seconds."""
        with self._condition:
            return self._condition.wait_for(lambda: self._due is None and not self._busy, timeout)

    def close(self) -> None:
        """Let the thread end; what was due is not saved any more."""
        with self._condition:
            self._closed, self._due = True, None
            self._condition.notify_all()

    def end(self, seconds: float) -> None:
        """Close, and wait at most so long for a save that is under way; the journal has all edits."""
        self.close()
        self.wait(seconds)

    def _wake(self) -> None:
        if not (self._alive or self._closed):
            self._alive = True
            threading.Thread(target=self._run, name="dlcnb-keeper", daemon=True).start()
        self._condition.notify_all()

    def _run(self) -> None:
        while (task := self._next()) is not None:
            try:
                task()
            except Exception as error:
                log.debug("keeping failed", exc_info=True)
                self._failed(error)
                if task == self._save:
                    self.save_soon(self.retry_seconds)
            finally:
                with self._condition:
                    self._busy = False
                    self._condition.notify_all()

    def _next(self) -> Callable[[], object] | None:
        """Wait for the next thing to do; None when the thread may end."""
        with self._condition:
            while not self._closed:
                now = time.monotonic()
                if self._due is not None and self._due <= now:
                    self._due = self._deadline = None
                    self._busy = True
                    return self._save
                if self._next_look is not None and self._next_look <= now <= self._until:
                    self._next_look, self._busy = now + self.look_seconds, True
                    return self._look
                self._next_look = self._next_look if (self._next_look or 0) > now else now + self.look_seconds
                if self._due is None and now > self._until:
                    break
                times = [t for t in (self._due, self._next_look) if t is not None]
                self._condition.wait(max(min(times) - now, 0.001))
            self._alive = False
            return None
