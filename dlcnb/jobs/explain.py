"""What went wrong, and what a stop keeps, as the people in front of the screen should read it."""

from __future__ import annotations

import errno
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dlcnb.jobs.job import Job

__all__ = ["LESS_MEMORY", "explain", "kept"]

LESS_MEMORY = (
    "Use a smaller batch size, smaller crops or a smaller network (backbone), or close other programs and notebooks."
)

_FORBIDDEN = (errno.EACCES, errno.EPERM, errno.EROFS)
_NO_MEMORY = ("bad_alloc", "annot allocate memory", "out of memory", "ailed to allocate")


def kept(job: Job) -> str:
    """What a stopped analysis keeps: "512 of 2330 frames of a.mp4 are kept"; "" if it had not begun.

    Frames are kept in parts.
    """
    latest = job.latest
    if not latest or not {"video", "done", "total"} <= latest.keys():
        return ""
    name = Path(latest["video"]).name
    if not latest["done"]:
        return f"nothing of {name} is kept, as its first part was not done"
    return f"{latest['done']} of {latest['total']} frames of {name} are kept"


def explain(error: BaseException) -> str:
    """An exception as one message: what went wrong and what to do."""
    text = str(error).split("\nStack trace")[0].strip()  # MXNet appends its C++ stack, or begins with a place in it
    if text.startswith("Traceback"):
        text = text.splitlines()[-1].partition(": ")[2] or text
    if isinstance(error, MemoryError) or any(words in text for words in _NO_MEMORY):
        return f"Out of memory. {LESS_MEMORY} ({text or type(error).__name__})"
    if isinstance(error, OSError) and error.strerror:
        if error.errno == errno.ENOSPC and not error.strerror.startswith("cannot write"):
            return f"The disk is full: free some space where {error.filename or 'the project'} is."
        if error.errno in _FORBIDDEN and error.filename:
            return f"{error.strerror}: {error.filename}. Choose a place in which you may write, or ask its owner."
        return f"{error.strerror}: {error.filename}" if error.filename else error.strerror
    if isinstance(error, (ValueError, OSError, ImportError, RuntimeError)) and text:
        return text
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
