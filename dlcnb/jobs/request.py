"""What a worker is asked for: a file in its folder, which says whether to stop for good or to pause."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from dlcnb.files import read_text

__all__ = ["PAUSE", "STOP_FILE", "asked"]

STOP_FILE = "stop"  # its being there asks the worker to stop
PAUSE = "pause"  # what it says where the job is meant to go on later


def asked(folder: str | os.PathLike[str]) -> str | None:
    """What a worker on a folder is asked for: "request" to stop, or "pause"; None if nothing."""
    file = Path(folder) / STOP_FILE
    if not file.exists():
        return None
    with suppress(OSError, ValueError):  # taken back meanwhile, or no text
        return PAUSE if read_text(file).strip() == PAUSE else "request"
    return "request"
