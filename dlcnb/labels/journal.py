"""The journal of a folder of labeled frames: every edit is in it, on the disk, before it counts as made.

``labeled-data/<video>/.dlcnb-journal-<scorer>.jsonl`` holds one JSON object per line, each closed by a checksum. The
first names the format, the scorer and the bodyparts; one per image tells how it was when the table was last saved;
then come the edits since, in the order in which they were made, by whatever tab or process. Lines are only ever
appended; saving replaces the file by a shorter one that says the same.
"""

from __future__ import annotations

import json
import math
import os
import secrets
import shutil
import zlib
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dlcnb.files import as_spelled, atomic_write, composed, disk_error
from dlcnb.labels.errors import LabelError
from dlcnb.labels.inside import open_plain, read_plain
from dlcnb.labels.locks import FileLock
from dlcnb.labels.values import Value, is_line

Line = dict[str, Any]
Stamp = tuple[int, int, int]

__all__ = ["Edit", "Journal", "Line", "Stamp", "file_locks", "journal_bytes", "journals", "stamp"]

FORMAT = 1
LONGEST = 2**30  # bytes; a longer journal is none of ours
PREFIX = ".dlcnb-journal-"
_SEAL = len(',"crc":"00000000"}')


@dataclass(frozen=True, slots=True)
class Edit:
    """One change of one bodypart in one frame.

    Attributes
    ----------
    image : ``labeled-data/<video>/img0000.png``.
    bodypart : its name.
    point : ``(x, y)`` in px of the full frame: placed. None: not visible, or open (nothing there).
    visible : False with no point = marked not visible.
    origin : "hand", "copied", "suggestion <snapshot>", "followed", "undo"…; kept in the journal.
    """

    image: str
    bodypart: str
    point: tuple[float, float] | None
    visible: bool = True
    origin: str = "hand"

    @property
    def value(self) -> Value:
        """The point, or False (not visible), or None (open); raises `LabelError` for an impossible one."""
        if self.point is None:
            return None if self.visible else False
        try:
            x, y = (float(v) for v in self.point)
        except (TypeError, ValueError):
            x = y = math.nan
        if not (math.isfinite(x) and math.isfinite(y) and self.visible):
            raise LabelError(
                f"{self.bodypart} in {self.image}: expected a point (x, y) in pixels, or None, "
                f"found {self.point!r}{'' if self.visible else ' marked not visible'}"
            )
        return x, y


def journals(folder: str | Path) -> dict[str, Path]:
    """{scorer: path} of the journals in a folder of labeled frames."""
    found = sorted(Path(folder).glob(f"{PREFIX}*.jsonl"))
    return {composed(path.name.removeprefix(PREFIX).removesuffix(".jsonl")): path for path in found}


def file_locks(folder: str | Path, scorer: str) -> tuple[FileLock, FileLock]:
    """The two locks that a scorer's labels in a folder have: for saving, and for the journal; taken in this order."""
    path, root = Path(folder) / f"{PREFIX}{scorer}", Path(folder).parent.parent
    return FileLock(f"{path}.saving.lock", root), FileLock(f"{path}.lock", root)


class Journal:
    """One scorer's journal of one folder, read piece by piece as it grows.

    Attributes
    ----------
    path : its file, which need not exist.
    lock, saving : `FileLock`, to be held while writing the journal, and while saving the table.
    damage : list of str, what in it could not be read.
    """

    def __init__(self, folder: str | Path, scorer: str) -> None:
        self.path = as_spelled(Path(folder) / f"{PREFIX}{scorer}.jsonl", case=False)
        self.damage: list[str] = []
        self.saving, self.lock = file_locks(folder, scorer)
        self._forget()

    def _forget(self) -> None:
        self._generation: str | None = None
        self._stamp: Stamp | None = None
        self._offset = self._line = self._intact = 0

    @property
    def length(self) -> int:
        """Number of lines read or written."""
        return self._line

    @property
    def exists(self) -> bool:
        """Whether the file was there when last read or written, with something in it that could be read."""
        return self._intact > 0

    def unchanged(self) -> bool:
        """Whether the file is as last read or written; costs one look at the folder."""
        return stamp(self.path) == self._stamp

    def read(self) -> tuple[bool, list[Line]]:
        """What is new in the file since the last call.

        Returns
        -------
        restarted : bool
            The file is another one than before: the lines begin anew with the header.
        lines : list of dict
            Those that are intact; the others are named in ``damage``. An unfinished last line is none yet.

        Raises
        ------
        LabelError
            If a newer version of dlcnb wrote it, or it is no ordinary file.
        """
        try:
            handle = open_plain(self.path, os.O_RDONLY)
        except FileNotFoundError:
            self._forget()
            return False, []
        with open(handle, "rb") as file:
            found, size = stamp(self.path), os.fstat(handle).st_size
            if size > LONGEST:
                raise LabelError(f"{self.path} is longer than {LONGEST >> 20} MB, too long for a journal; move it away")
            header = _decode(file.readline()) or {}
            if header.get("journal", FORMAT) > FORMAT:
                raise LabelError(f"{self.path} was written by a newer version of dlcnb; update dlcnb to open it")
            restarted = header.get("generation", "") != self._generation or size < self._offset
            if restarted:
                self._forget()
                self.damage.clear()
            file.seek(self._offset)
            lines = self._parse(file.read())
        if size and not self._line:
            self.damage.append(f"{self.path} holds no complete line; it is written again, a copy is kept")
        self._generation, self._stamp = header.get("generation", ""), found
        return restarted, lines

    def read_anew(self) -> list[Line]:
        """All lines of the file, as `read` gives those of another one."""
        self._forget()
        return self.read()[1]

    def _parse(self, data: bytes) -> list[Line]:
        lines = []
        for raw in data.splitlines(keepends=True):
            line = _decode(raw)
            if line is None and not raw.endswith(b"\n"):
                break  # being written, or the last words of a killed program
            self._offset += len(raw)
            self._line += 1
            if line is not None:
                lines.append(line)
            elif raw.strip():
                self.damage.append(f"{self.path}, line {self._line} is damaged and was passed over")
        self._intact += len(lines)
        return lines

    def append(self, lines: Iterable[Line]) -> None:
        """Write lines (dicts) at the end, as one, and wait until they are on the disk.

        The lock must be held and everything have been read. Raises `OSError` with a clear message for a full or
        read-only disk; the journal is then as before.
        """
        encoded = [*map(_encode, lines)]
        data = b"".join(encoded)
        try:
            self._part()
            with open(open_plain(self.path, os.O_RDWR | os.O_APPEND), "rb+", 0) as file:
                handle = file.fileno()
                size = self._mended_end(handle)
                try:
                    written = 0
                    while written < len(data):
                        written += os.write(handle, data[written:])
                    os.fsync(handle)
                except OSError:
                    if self.lock.exclusive:
                        with suppress(OSError):
                            os.ftruncate(handle, size)
                    raise
                self._stamp = stamp(self.path)
        except OSError as error:
            raise disk_error(error, self.path) from error
        self._offset = size + len(data)
        self._line += len(encoded)
        self._intact += len(encoded)

    def _part(self) -> None:
        """Part the file from others that share its contents (``cp -al``, backups by hard links): they are to stay."""
        if self.lock.exclusive and os.lstat(self.path).st_nlink > 1 and (data := read_plain(self.path)) is not None:
            atomic_write(self.path, data)

    def _mended_end(self, handle: int) -> int:
        """Let the file end with a whole line: what a killed program left unfinished was never acknowledged."""
        size = os.fstat(handle).st_size
        if size > self._offset and self.lock.exclusive:
            os.ftruncate(handle, size := self._offset)
        if size and _byte_before(handle, size) != b"\n":
            os.write(handle, b"\n")
            size += 1
        return size

    def rewrite(self, header: Line, lines: Iterable[Line]) -> None:
        """Replace the file by a header and these lines; all or nothing, errors as `append`.

        A damaged file is kept beside it, with ``.damaged`` behind its name.
        """
        if self.damage:
            with suppress(OSError):
                shutil.copyfile(self.path, f"{self.path}.damaged")
        generation, data = journal_bytes(header, lines)
        atomic_write(self.path, data)
        self._generation, self._stamp = generation, stamp(self.path)
        self._offset, self._line = len(data), data.count(b"\n")
        self._intact = self._line
        self.damage.clear()


def journal_bytes(header: Line, lines: Iterable[Line]) -> tuple[str, bytes]:
    """A new journal: its generation, by which it is told from others of that name, and its bytes."""
    generation = secrets.token_hex(8)
    first = {"journal": FORMAT, **header, "generation": generation}
    return generation, b"".join(map(_encode, [first, *lines]))


def stamp(path: Path) -> Stamp | None:
    """What tells whether a file changed (time, size, inode), or None if there is none."""
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


def _encode(line: Line) -> bytes:
    text = json.dumps(line, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()
    return b'%s,"crc":"%08x"}\n' % (text[:-1], zlib.crc32(text))


def _decode(raw: bytes) -> Line | None:
    """A line's dict, or None if it is not as dlcnb writes it."""
    raw = raw.rstrip(b"\r\n")
    text = raw[:-_SEAL] + b"}"
    if raw[-_SEAL:] != b',"crc":"%08x"}' % zlib.crc32(text):
        return None
    try:
        line = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return line if is_line(line) else None


def _byte_before(handle: int, position: int) -> bytes:
    os.lseek(handle, position - 1, os.SEEK_SET)
    return os.read(handle, 1)
