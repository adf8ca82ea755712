"""Changing several files of a project as one, with a backup: all of them or none, and back again.

A change is kept in ``backups/<time>-<what>/``: the files as they were, under their paths in the project, and
``change.json``, which says what was done and how the files were left.
"""

from __future__ import annotations

import hashlib
import json
import time
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

from dlcnb.files import atomic_path, atomic_write, disk_error
from dlcnb.labels.errors import LabelError

__all__ = [
    "Change",
    "change_files",
    "changes",
    "check_finished",
    "is_untouched",
    "mark_undone",
    "restore",
    "unfinished",
]

FOLDER, RECORD, MARK = "backups", "change.json", "unfinished"


@dataclass(frozen=True)
class Change:
    """One change of a project's files.

    Attributes
    ----------
    backup : folder with the files as they were.
    what : for people, such as "rename snout to nose".
    time : Unix time, s.
    files : {path in the project: (digest before, digest after)}; None = there was, or is, no such file.
    inverse : (name of a function in `dlcnb.labels.migrate`, its arguments) that does the opposite, or None.
    undone : whether it was taken back.
    """

    backup: Path
    what: str
    time: float
    files: dict
    inverse: tuple | None = None
    undone: bool = False

    def _write(self):
        record = {"what": self.what, "time": self.time, "files": self.files, "inverse": self.inverse}
        atomic_write(self.backup / RECORD, json.dumps({**record, "undone": self.undone}, indent=1))


def changes(root):
    """All changes of a project, oldest first; what can't be read among the backups is passed over."""
    found = []
    for path in sorted((Path(root) / FOLDER).glob(f"*/{RECORD}")):
        try:
            record = json.loads(path.read_bytes())
            record["files"] = {name: tuple(digests) for name, digests in record["files"].items()}
            found.append(Change(path.parent, **record))
        except (OSError, ValueError, TypeError, KeyError, AttributeError):
            continue
    return sorted(found, key=lambda change: change.time)


def unfinished(root):
    """The change that was interrupted (or is being made by another program just now), or None."""
    try:
        name = (Path(root) / FOLDER / MARK).read_text()
    except OSError:
        return None
    return next((change for change in changes(root) if change.backup.name == name), None)


def check_finished(root):
    """Raise `LabelError` if a change of the project was interrupted."""
    if (Path(root) / FOLDER / MARK).exists() and (change := unfinished(root)):
        raise LabelError(
            f"a change of {root} was interrupted ({change.what}), or another program is making it just now; "
            f"if none is, take it back: dlcnb bodyparts {root} undo"
        )


def change_files(root, new, what, inverse=None):
    """Write files, with a backup of what was there: all or none.

    Parameters
    ----------
    root : the project's folder.
    new : {path: bytes, or None to delete it}.
    what : for people; part of the backup's name.
    inverse : see `Change`.

    Returns
    -------
    Change

    Raises
    ------
    OSError
        With a clear message; everything is as it was.
    """
    root = Path(root)
    old = {path: _read(path) for path in new}
    new = {path: data for path, data in new.items() if data != old[path]}
    files = {path.relative_to(root).as_posix(): (_digest(old[path]), _digest(data)) for path, data in new.items()}
    change = Change(_free_folder(root, what), what, time.time(), files, inverse)
    for path in new:
        if old[path] is not None:
            _write(change.backup / path.relative_to(root), old[path])
    change._write()
    atomic_write(root / FOLDER / MARK, change.backup.name)
    try:
        _put(new)
    except BaseException:
        _put({path: old[path] for path in new if _read(path) != old[path]})
        (root / FOLDER / MARK).unlink()
        mark_undone(replace(change, what=f"{what} (failed)"))
        raise
    (root / FOLDER / MARK).unlink()
    return change


def restore(root, change):
    """Put the files of a change back as they were, all or none; errors as `change_files`.

    A file that nobody changed yet, or that only grew (a journal, after an interruption), stays as it is.
    """
    root, old = Path(root), {}
    for name, (before, _after) in change.files.items():
        data, now = _read(change.backup / name) if before else None, _read(root / name)
        if _digest(data) != before:
            raise LabelError(f"the backup {change.backup / name} was changed or is damaged; nothing was put back")
        if now != data and not (data and now and now.startswith(data)):
            old[root / name] = data
    _put(old)
    mark_undone(change)
    (root / FOLDER / MARK).unlink(missing_ok=True)


def mark_undone(change):
    """Note that a change was taken back."""
    replace(change, undone=True)._write()


def is_untouched(root, change):
    """Whether nobody changed the files since the change."""
    return all(_digest(_read(Path(root) / name)) == after for name, (_before, after) in change.files.items())


def _put(new):
    """Write files and delete those whose data is None; nothing is moved into place before all are written."""
    with ExitStack() as stack:
        for path, data in new.items():
            if data is not None:
                path.parent.mkdir(parents=True, exist_ok=True)
                stack.enter_context(atomic_path(path)).write_bytes(data)
    for path, data in new.items():
        if data is None:
            path.unlink(missing_ok=True)


def _free_folder(root, what):
    name = f"{time.strftime('%Y%m%d-%H%M%S')}-{'-'.join(what.split())[:80]}".replace("/", "_").replace("\\", "_")
    folder, n = root / FOLDER / name, 1
    while True:
        try:
            folder.mkdir(parents=True)
            return folder
        except FileExistsError:
            folder, n = root / FOLDER / f"{name}-{n}", n + 1
        except OSError as error:
            raise disk_error(error, folder) from error


def _write(path, data):
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise disk_error(error, path) from error
    atomic_write(path, data)


def _read(path):
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None


def _digest(data):
    return None if data is None else hashlib.sha256(data).hexdigest()
