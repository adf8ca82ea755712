"""Temporary files and folders that a process left behind because it was killed in the midst of writing."""

from __future__ import annotations

import os
import re
import shutil
import time
from contextlib import suppress
from pathlib import Path

from dlcnb.files import TEMPORARY, StrPath

__all__ = ["leftovers", "remove_leftover"]

_AGE = 600  # s without a write after which a temporary file may be nobody's
# a project in the making; videos that were uploaded and wait for their project (uploads-…) are none
_IN_MAKING = re.compile(rf"{re.escape(TEMPORARY)}\w{{8}}(-.+)?")


def leftovers(root: StrPath) -> list[Path]:
    """What interrupted writes left in a project and, of projects that were being made, in the folder it lies in.

    Nothing that was written to in the last ten minutes, and nothing that a process has open now, as one that was
    paused or slept with its computer.
    """
    root = Path(os.path.realpath(root))
    made = (path for path in root.parent.glob(f"{TEMPORARY}*") if _IN_MAKING.fullmatch(path.name) and path.is_dir())
    found = [*root.rglob(f"{TEMPORARY}*"), *made]
    outer = [path for path in found if not any(parent in found for parent in path.parents)]
    old = [path for path in outer if 0 < _written(path) < time.time() - _AGE]
    busy = [Path(name) for name in _open_files()] if old else []
    return sorted(path for path in old if not any(one.is_relative_to(path) for one in busy))


def remove_leftover(path: Path) -> None:
    """Delete one of `leftovers`; of a link the link, never what it leads to. Errors as `OSError`."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _written(path: Path) -> float:
    """When a file, or the newest in a folder, was written (s since 1970); 0 = it is gone, its writer has finished."""
    newest = 0.0
    for each in (path, *(() if path.is_symlink() else path.rglob("*"))):
        with suppress(OSError):
            newest = max(newest, each.lstat().st_mtime)
    return newest


def _open_files() -> set[str]:
    """Paths of the files that processes of this computer have open, as far as this user may know."""
    import psutil  # here, because most projects have nothing to ask about

    found: set[str] = set()
    for process in psutil.process_iter():
        with suppress(psutil.Error, OSError):
            found.update(file.path for file in process.open_files())
    return found
