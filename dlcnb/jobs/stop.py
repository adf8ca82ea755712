"""Whether a worker has been asked to stop."""

from __future__ import annotations

import os
import signal
import threading
from pathlib import Path
from types import FrameType

from dlcnb.jobs.job import STOP_FILE

__all__ = ["StopRequest"]


class StopRequest:
    """True once somebody has asked this worker to stop: by the file ``stop``, by SIGTERM or by SIGINT.

    The first signal asks; a second one interrupts (KeyboardInterrupt).

    Attributes
    ----------
    reason : who asked: "request", or the name of the signal.
    """

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        self._file = Path(folder) / STOP_FILE
        self._signalled = False
        self.reason = "request"
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGTERM, signal.SIGINT):
                signal.signal(number, self._on_signal)

    def __bool__(self) -> bool:
        return self._signalled or self._file.exists()

    def forget(self) -> None:
        """Take the request back, so that the next worker on this folder does not see it."""
        self._file.unlink(missing_ok=True)

    def _on_signal(self, number: int, _frame: FrameType | None) -> None:
        if self._signalled:
            raise KeyboardInterrupt
        self._signalled, self.reason = True, signal.Signals(number).name
