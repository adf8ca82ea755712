"""The event log of a job, ``events.jsonl``: one JSON object per line, appended whole, read while it grows."""

from __future__ import annotations

import dataclasses
import json
import logging
import math
import os
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from dlcnb.files import require_file
from dlcnb.labels.inside import open_plain
from dlcnb.run import EVENTS_FILE

__all__ = ["ENDINGS", "EVENTS_FILE", "EventLog", "EventReader", "plain", "share"]

ENDINGS = {"done": "done", "stopped": "stopped", "error": "failed"}  # event -> status of the job it ends

log = logging.getLogger(__name__)


def plain(value: Any) -> Any:
    """Any result as JSON can hold it: dataclasses and arrays become dicts and lists, NaN and infinity become
    None.
    """
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        value = {f.name: getattr(value, f.name) for f in dataclasses.fields(value)}
    if isinstance(value, dict):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, np.ndarray):
        return plain(value.tolist())
    if isinstance(value, (list, tuple)):
        return [plain(v) for v in value]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value if value is None or isinstance(value, (bool, int, float, str)) else str(value)


def share(event: dict[str, Any]) -> float | None:
    """How far a job is by its "step" or "progress" event, 0 to 1; None where a log that is damaged does not tell."""
    try:
        told = float(event["progress"] if "progress" in event else event["done"] / event["total"])
    except (KeyError, TypeError, ValueError, ArithmeticError):
        return None
    return None if math.isnan(told) else min(max(told, 0.0), 1.0)


class EventLog:
    """Appends events to a job's log; each is one ``write`` of one whole line.

    "step" events are thinned to ``steps_per_second``; one with a validation or a snapshot is never dropped,
    nor is the last before the job ends.
    """

    def __init__(self, folder: str | Path, *, steps_per_second: float = 10) -> None:
        self.path = Path(folder) / EVENTS_FILE
        self._interval = 1 / steps_per_second
        self._next_step = 0.0
        self._held: dict[str, Any] | None = None
        self._lock = threading.Lock()  # warnings may come from a decoding thread
        with suppress(FileNotFoundError):
            require_file(self.path)
        handle = open_plain(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)  # a link may lead anywhere
        self._file = os.fdopen(handle, "ab", buffering=0)
        self._torn = _ends_torn(self.path)

    def write(self, event: str, **fields: Any) -> None:
        """Append ``{"event": event, "time": unix seconds, **fields}``. Raises OSError (a full disk, for
        one).
        """
        with self._lock:
            self._append_held()
            self._append({"event": event, "time": time.time(), **plain(fields)})
            if event in ENDINGS:
                os.fsync(self._file.fileno())

    def step(self, event: str = "step", **fields: Any) -> None:
        """Append a "step" or "progress" event, or hold it back if one was written just now."""
        now = time.monotonic()
        record = {"event": event, "time": time.time(), **plain(fields)}
        with self._lock:
            if now < self._next_step and not (record.get("validation") or record.get("snapshot")):
                self._held = record
                return
            self._held = None
            self._append(record)
            self._next_step = now + self._interval

    def close(self) -> None:
        """Close the file, with what was held back if the disk has room; the log can't be written to afterwards."""
        if not self._file.closed:
            with self._lock, suppress(OSError):
                self._append_held()
        self._file.close()

    def _append_held(self) -> None:
        if self._held is not None:
            held, self._held = self._held, None
            self._append(held)

    def _append(self, record: dict[str, Any]) -> None:
        line = ("\n" if self._torn else "") + json.dumps(record) + "\n"
        data, self._torn = line.encode(), True
        while data:
            data = data[self._file.write(data) :]
        self._torn = False


def _ends_torn(path: Path) -> bool:
    """Whether the file ends in an unfinished line (its writer was killed, or the disk was full)."""
    with open(path, "rb") as f:
        if not f.seek(0, os.SEEK_END):
            return False
        f.seek(-1, os.SEEK_END)
        return f.read(1) != b"\n"


class EventReader:
    """The events of a log that may still grow, each given once; only the place in the file is remembered.

    A line without its end is left for later; a line that is no JSON object (its writer was killed) is passed
    over. A log that does not exist (yet) has no events; one that took the place of another is read from its start.

    Attributes
    ----------
    count : how many events were read or skipped so far.
    """

    def __init__(self, folder: str | Path) -> None:
        self.path = Path(folder) / EVENTS_FILE
        self.count = 0
        self._offset = 0

    def read(self, limit: int | None = None) -> list[dict[str, Any]]:
        """The events (list of dicts) that were not read yet, at most ``limit``, in the order they were written."""
        return list(islice(self._events(), limit))

    def skip(self, limit: int | None = None) -> int:
        """Pass over the events that were not read yet, at most ``limit``; returns `count`."""
        for _ in islice(self._events(), limit):
            pass
        return self.count

    def _events(self) -> Iterator[dict[str, Any]]:
        try:
            require_file(self.path)
            file = open(self.path, "rb")  # noqa: SIM115
        except FileNotFoundError:
            return
        except OSError as error:
            if not self.path.is_dir():
                raise
            log.warning("%s is damaged: %s; delete it, or begin a new job", self.path, error.strerror)
            return
        with file:
            if file.seek(0, os.SEEK_END) < self._offset:
                self.count = self._offset = 0
            file.seek(self._offset)
            for line in file:
                if not line.endswith(b"\n"):
                    return
                self._offset += len(line)
                event = _parsed(line)
                if event is not None:
                    self.count += 1
                    yield event


def _parsed(line: bytes) -> dict[str, Any] | None:
    try:
        event = json.loads(line)
    except (ValueError, RecursionError):
        log.debug("Passed over an unreadable line in an event log: %r", line[:80])
        return None
    return event if isinstance(event, dict) and "event" in event else None
