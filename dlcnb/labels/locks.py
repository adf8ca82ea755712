"""A lock between programs, on a file of its own; it goes back by itself when its holder dies.

The package filelock was tried instead: where a file system has no locks (NFS without its lock service) it waits and
then fails, where this one says so and goes on; and it can't pass over a lock that a reader may not write.
"""

from __future__ import annotations

import errno
import logging
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dlcnb.files import disk_error, share
from dlcnb.labels.inside import check_inside, open_plain

if sys.platform == "win32":
    import msvcrt

    def _try_to_lock(handle: int) -> None:
        msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)

else:
    import fcntl

    def _try_to_lock(handle: int) -> None:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)


__all__ = ["FileLock"]

log = logging.getLogger(__name__)

WAIT = 20.0  # s before another program that holds the lock is an error
_NO_LOCKS = {errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.EINVAL}


class FileLock:
    """A lock that one program (and one object in it) holds at a time.

    Attributes
    ----------
    path : the file to lock. It stays, empty.
    root : folder that no link may lead out of on the way to it.
    exclusive : whether others are kept out now; False where the file system has no locks.
    """

    def __init__(self, path: str | Path, root: str | Path) -> None:
        self.path, self.root = Path(path), Path(root)
        self.exclusive = False
        self._depth = 0

    @contextmanager
    def held(self, create: bool = True) -> Iterator[None]:
        """Hold the lock; may be nested within one thread.

        Without ``create`` (for reading) it is only taken where somebody took it before and this user may, else
        passed over. Raises `OSError` with a clear message for a folder that can't be written, `TimeoutError` if
        another program holds it for long, `LabelError` if its file is a link or none, or lies outside the project.
        """
        if self._depth:
            yield
            return
        handle = self._open(create)
        try:
            self.exclusive = handle is not None and self._lock(handle)
            self._depth = 1
            yield
        finally:
            self._depth, self.exclusive = 0, False
            if handle is not None:
                os.close(handle)  # gives the lock back

    def _open(self, create: bool) -> int | None:
        try:
            if create:
                check_inside(self.root, self.path)
            handle = open_plain(self.path, os.O_RDWR | (os.O_CREAT if create else 0))
            share(self.path)
            return handle
        except OSError as error:
            if create:
                raise disk_error(error, self.path) from error
            return None

    def _lock(self, handle: int) -> bool:
        end, pause = time.monotonic() + WAIT, 0.001
        while True:
            try:
                _try_to_lock(handle)
                return True
            except OSError as error:
                if error.errno in _NO_LOCKS:
                    log.warning("%s: this file system has no locks; label in one tab at a time", self.path.parent)
                    return False
                if time.monotonic() > end:
                    message = f"cannot write to {self.path.parent}: another program has been writing for {WAIT:.0f} s"
                    raise TimeoutError(errno.ETIMEDOUT, f"{message}. End that program, then try again.") from None
            time.sleep(pause)
            pause = min(2 * pause, 0.05)
