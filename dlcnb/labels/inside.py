"""Files of a project that a stranger may have made: nothing outside it is touched, nothing that hangs is opened."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

from dlcnb.labels.errors import LabelError

__all__ = ["check_inside", "check_ordinary", "open_plain", "read_plain"]

_NO_LINK = getattr(os, "O_NOFOLLOW", 0)
_NO_WAIT = getattr(os, "O_NONBLOCK", 0)  # opening a pipe would wait for somebody at its other end
_BINARY = getattr(os, "O_BINARY", 0)


def check_inside(root: Path, path: Path) -> None:
    """Raise `LabelError` if a link on the way to ``path`` leads out of the folder ``root``, or ``path`` does."""
    real = os.path.realpath(path)
    if not Path(real).is_relative_to(os.path.realpath(root)):
        raise LabelError(
            f"{path} leads out of the project, to {real}; nothing is written there. "
            "Replace the link by a copy of what it leads to"
        )


def check_ordinary(path: Path) -> None:
    """Raise `LabelError` if something is there that is no file, such as a pipe, which would make a reader wait."""
    if path.exists() and not path.is_file():
        raise _no_plain_file(path)


def open_plain(path: str | os.PathLike[str], flags: int, mode: int = 0o666) -> int:
    """Open an ordinary file; returns its handle.

    Raises `LabelError` for a link, a pipe, a device or a folder of that name, else `OSError` as `os.open`.
    """
    try:
        handle = os.open(path, flags | _NO_LINK | _NO_WAIT | _BINARY, mode)
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.EMLINK, errno.ENXIO) or os.path.islink(path) or os.path.isdir(path):
            raise _no_plain_file(path) from error
        raise
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise _no_plain_file(path)
    return handle


def read_plain(path: str | os.PathLike[str], most: int | None = None) -> bytes | None:
    """The bytes of an ordinary file, or None if there is none; errors as `open_plain`, and for over ``most`` bytes."""
    try:
        handle = open_plain(path, os.O_RDONLY)
    except (FileNotFoundError, NotADirectoryError):
        return None
    with open(handle, "rb") as file:
        if most is not None and os.fstat(handle).st_size > most:
            raise LabelError(f"{path} is longer than {most} bytes; dlcnb did not write it; remove it")
        return file.read()


def _no_plain_file(path: str | os.PathLike[str]) -> LabelError:
    return LabelError(f"expected an ordinary file at {path}, found a link, a pipe, a device or a folder; remove it")
