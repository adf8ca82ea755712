"""Changing several files of a project as one, with a backup: all of them or none, and back again.

A change is kept in ``backups/<time>-<what>/``: the files as they were, under their paths in the project, and
``change.json``, which says what was done and how the files were left. While files are being replaced, by the change
itself or by taking it back, ``backups/unfinished`` names it; whoever finds that can take it back entirely.
"""

from __future__ import annotations

import hashlib
import json
import logging
import math
import re
import time
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from dlcnb.files import atomic_path, atomic_write, disk_error, make_folder, quoted
from dlcnb.labels.errors import LabelError
from dlcnb.labels.inside import check_inside, read_plain

__all__ = [
    "Change",
    "change_files",
    "changes",
    "check_finished",
    "done_changes",
    "is_untouched",
    "restore",
    "unfinished",
]

log = logging.getLogger(__name__)

FOLDER, RECORD, MARK = "backups", "change.json", "unfinished"
MOST = 1_000_000  # bytes of a record; a longer one is none of ours
_FILES = re.compile(
    r"config\.yaml|labeled-data/(?!\.)[^/\\\0]+/(CollectedData_[^/\\\0]+\.(csv|h5)|\.dlcnb-journal-[^/\\\0]+\.jsonl)"
)
_DIGEST = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Change:
    """One change of a project's files.

    Attributes
    ----------
    backup : folder with the files as they were.
    what : for people, such as "rename snout to nose".
    time : Unix time, s.
    files : {path in the project: (digest before, digest after)}; None = there was, or is, no such file.
    inverse : (name of a change in `dlcnb.labels.migrate`, its arguments) that does the opposite, or None.
    undone : whether it was taken back.
    made : whether all files were written; False from the first one on until the last.
    undoes : name of the backup of the change that this one took back, or "".
    """

    backup: Path
    what: str
    time: float
    files: Mapping[str, tuple[str | None, str | None]]
    inverse: tuple[str, list[Any]] | None = None
    undone: bool = False
    made: bool = True
    undoes: str = ""

    def _write(self) -> None:
        record = {name: value for name, value in vars(self).items() if name != "backup"}
        atomic_write(self.backup / RECORD, json.dumps(record, indent=1))


def changes(root: Path) -> list[Change]:
    """All changes of a project, oldest first, begun ones too; what isn't as dlcnb writes it is passed over."""
    found = []
    for path in sorted((Path(root) / FOLDER).glob(f"*/{RECORD}")):
        try:
            found.append(_read_record(path))
        except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
            log.warning("%s is passed over: %s", path, error)
    return sorted(found, key=lambda change: change.time)


def done_changes(root: Path) -> list[Change]:
    """The changes that were made, oldest first; ``undone`` also where the opposite change took one back."""
    made = [change for change in changes(root) if change.made]
    opposites = {change.undoes for change in made if change.undoes and not change.undone}
    return [
        replace(change, undone=change.undone or change.backup.name in opposites or bool(change.undoes))
        for change in made
    ]


def unfinished(root: Path) -> Change | None:
    """The change that was interrupted (or is being made by another program just now), or None."""
    if not (name := (read_plain(Path(root) / FOLDER / MARK, MOST) or b"").decode("utf-8", "replace")):
        return None
    return next((change for change in changes(root) if change.backup.name == name), None)


def check_finished(root: Path) -> None:
    """Raise `LabelError` if a change of the project was interrupted."""
    if change := unfinished(root):
        raise LabelError(
            f"a change of {root} was interrupted ({change.what}), or another program is making it just now; "
            f"if no program is, undo the change: dlcnb bodyparts {quoted(root)} undo"
        )


def change_files(
    root: Path,
    new: Mapping[Path, bytes | None],
    what: str,
    inverse: tuple[str, list[Any]] | None = None,
    *,
    undoes: str = "",
) -> Change:
    """Write files, with a backup of what was there: all or none.

    Parameters
    ----------
    root : the project's folder.
    new : {path: bytes, or None to delete it}.
    what : for people; part of the backup's name.
    inverse, undoes : see `Change`.

    Raises `OSError` with a clear message (everything is as it was), `LabelError` if a link leads out of the project.
    """
    root = Path(root)
    for path in [root / FOLDER, *new]:
        check_inside(root, path)
    old = {path: read_plain(path) for path in new}
    new = {path: data for path, data in new.items() if data != old[path]}
    files = {path.relative_to(root).as_posix(): (_digest(old[path]), _digest(data)) for path, data in new.items()}
    change = Change(_backed_up(root, what, old, new), what, time.time(), files, inverse, made=False, undoes=undoes)
    change._write()
    atomic_write(root / FOLDER / MARK, change.backup.name)
    try:
        _put(new)
    except BaseException:
        _put({path: old[path] for path in new if read_plain(path) != old[path]})
        (root / FOLDER / MARK).unlink()
        raise
    change = replace(change, made=True)
    change._write()
    (root / FOLDER / MARK).unlink()
    return change


def restore(root: Path, change: Change) -> None:
    """Put the files of a change back as they were; interrupted, it is to be done again. Errors as `change_files`.

    A file that nobody changed yet, or that only grew (a journal, after an interruption), stays as it is.
    """
    root = Path(root)
    old: dict[Path, bytes | None] = {}
    for name, (before, _after) in change.files.items():
        for path in (change.backup / name, root / name):
            check_inside(root, path)
        data, now = read_plain(change.backup / name) if before else None, read_plain(root / name)
        if _digest(data) != before:
            raise LabelError(f"the backup {change.backup / name} was changed or is damaged; nothing was put back")
        grew = name.endswith(".jsonl") and data and now and now.startswith(data)
        if now != data and not grew:
            old[root / name] = data
    atomic_write(root / FOLDER / MARK, change.backup.name)
    _put(old)
    replace(change, undone=True)._write()
    (root / FOLDER / MARK).unlink(missing_ok=True)


def is_untouched(root: Path, change: Change) -> bool:
    """Whether nobody changed the files since the change."""
    return all(_digest(read_plain(Path(root) / name)) == after for name, (_before, after) in change.files.items())


def _read_record(path: Path) -> Change:
    """A `Change` from its record; raises an error for one that names other files than a change has."""
    record = json.loads(read_plain(path, MOST) or b"")
    what, when = record["what"], float(record["time"])
    files = {name: (before, after) for name, (before, after) in record["files"].items()}
    if not (isinstance(what, str) and what.isprintable() and math.isfinite(when)):
        raise ValueError("it has no name or no time")
    for name, digests in files.items():
        if not _FILES.fullmatch(name) or ".." in name.split("/"):
            raise ValueError(f"{name!r} is not a file that a change of a project writes")
        if not all(digest is None or _DIGEST.fullmatch(digest) for digest in digests):
            raise ValueError(f"the digest of {name} is damaged")
    inverse = record.get("inverse")
    inverse = None if inverse is None else (str(inverse[0]), list(inverse[1]))
    undone, made = bool(record.get("undone")), bool(record.get("made", True))
    return Change(path.parent, what, when, files, inverse, undone, made, str(record.get("undoes", "")))


def _put(new: Mapping[Path, bytes | None]) -> None:
    """Write files and delete those whose data is None; nothing is moved into place before all are written."""
    with ExitStack() as stack:
        for path, data in new.items():
            if data is not None:
                make_folder(path.parent)
                stack.enter_context(atomic_path(path)).write_bytes(data)
    for path, data in new.items():
        if data is None:
            path.unlink(missing_ok=True)


def _free_folder(root: Path, what: str) -> Path:
    name = f"{time.strftime('%Y%m%d-%H%M%S')}-{'-'.join(what.split())[:80]}".replace("/", "_").replace("\\", "_")
    folder, n = root / FOLDER / name, 1
    while True:
        try:
            make_folder(folder, exist_ok=False)
            return folder
        except FileExistsError:
            folder, n = root / FOLDER / f"{name}-{n}", n + 1
        except OSError as error:
            raise disk_error(error, folder) from error


def _backed_up(root: Path, what: str, old: Mapping[Path, bytes | None], paths: Iterable[Path]) -> Path:
    """Copy files as they were into a new folder of backups; returns the folder."""
    backup = _free_folder(root, what)
    for path in paths:
        if (data := old[path]) is not None:
            copy = backup / path.relative_to(root)
            try:
                make_folder(copy.parent)
            except OSError as error:
                raise disk_error(error, copy) from error
            atomic_write(copy, data)
    return backup


def _digest(data: bytes | None) -> str | None:
    return None if data is None else hashlib.sha256(data).hexdigest()
