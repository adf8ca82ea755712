"""One scorer's table of one folder, changed in place: what isn't edited stays as it was, byte for byte."""

from __future__ import annotations

import codecs
import csv
import hashlib
import itertools
import logging
import shutil
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

import numpy as np
from numpy.typing import NDArray

from dlcnb.files import as_spelled, atomic_path
from dlcnb.labels.core import Labels, first_difference
from dlcnb.labels.errors import LabelError, errors_of_labels
from dlcnb.labels.inside import check_ordinary
from dlcnb.labels.journal import Stamp, stamp
from dlcnb.labels.rows import images_of, once, whole_points
from dlcnb.tables.h5 import h5_bytes
from dlcnb.tables.table import Table, cell_text, coordinates, csv_line, csv_text, frame_of, read_table, row_cells

__all__ = ["Files", "NewTable", "TableFile", "csv_lines", "patched_csv"]

log = logging.getLogger(__name__)

Files = dict[str, str | None]  # digests of the "csv" and the "h5"


class TableFile:
    """``CollectedData_<scorer>.csv`` and ``.h5`` of a folder of labeled frames.

    Attributes
    ----------
    csv, h5 : their paths.
    differ : whether the h5, when last read, held something else than the csv.
    odd : whether nobody took over what it held, so that it is to be kept when it is replaced.
    """

    def __init__(self, folder: str | Path, scorer: str, bodyparts: Iterable[str]) -> None:
        self.folder, self.scorer, self.bodyparts = Path(folder), scorer, tuple(bodyparts)
        named = self.folder / f"CollectedData_{scorer}"
        self.csv, self.h5 = (as_spelled(f"{named}{suffix}", case=False) for suffix in (".csv", ".h5"))
        self.differ = self.odd = False

    def stamps(self) -> tuple[Stamp | None, Stamp | None]:
        """What tells whether the csv and the h5 changed."""
        return stamp(self.csv), stamp(self.h5)

    def digests(self) -> Files:
        """{"csv", "h5"}: the SHA-256 of each, None = there is none."""
        for path in (self.csv, self.h5):
            check_ordinary(path)
        return {path.suffix[1:]: _digest(path.read_bytes()) if path.exists() else None for path in (self.csv, self.h5)}

    @property
    def complete(self) -> bool:
        """Whether both files are there."""
        return self.csv.exists() and self.h5.exists()

    def read(self) -> Labels | None:
        """`Labels` of the csv, else of the h5, else None; raises `LabelError`."""
        for path in (self.csv, self.h5):
            if path.exists():
                check_ordinary(path)
                return Labels.read_file(path, self.folder.name, self.scorer, self.bodyparts)
        return None

    def read_h5(self, text: Labels | None) -> Labels | None:
        """`Labels` of the h5 if it holds something else than ``text``, that of the csv; else None.

        A damaged h5 is logged and counts as different.
        """
        self.differ = False
        if text is None or not self.complete:
            return None
        try:
            check_ordinary(self.h5)
            binary = Labels.read_file(self.h5, self.folder.name, self.scorer, self.bodyparts)
        except LabelError as error:
            log.warning("%s", error)
            self.differ = True
            return None
        self.differ = first_difference(text, binary) is not None
        return binary if self.differ else None

    @errors_of_labels()
    def prepared(self, labels: Labels, which: NDArray[np.bool_]) -> NewTable:
        """The table with points put into it as it stands now; nothing is written.

        Rows are added for images with a point. All else stays, to the text of the numbers.

        Parameters
        ----------
        labels : `Labels`
        which : bool ``(T, K)``, the points to put there; the others are left as the table has them.

        Raises
        ------
        LabelError
            If the table was damaged meanwhile.
        """
        for path in (self.csv, self.h5):
            check_ordinary(path)
        source = next((path for path in (self.csv, self.h5) if path.exists()), None)
        old = read_table(source) if source else _empty(self.csv, labels)
        table, origin, names = _with_new_rows(old, labels)
        _put_points(table, names, labels, which)
        text = patched_csv(old, table, origin) if self.csv.exists() else csv_text(table).encode()
        _, _, points = coordinates(table, ("x", "y"), bodyparts=self.bodyparts)
        return NewTable(
            Labels(self.bodyparts, self.scorer, *once(table, tuple(names), whole_points(table, points))),
            text,
            h5_bytes(frame_of(table)),
        )

    def write(self, new: NewTable) -> tuple[Stamp | None, Stamp | None]:
        """Write a table, both files or neither; returns the `stamps` of what was written.

        Raises `OSError` with a clear message for a full or read-only disk.
        """
        self._keep_odd_h5()
        with atomic_path(self.h5) as h5_new, atomic_path(self.csv) as csv_new:
            h5_new.write_bytes(new.h5)
            csv_new.write_bytes(new.csv)
            stamps = stamp(csv_new), stamp(h5_new)
        self.differ = self.odd = False
        return stamps

    def _keep_odd_h5(self) -> None:
        """Put an h5 that held something else than the csv aside, before it is replaced."""
        if self.odd and self.h5.exists():
            aside = (self.h5.with_name(f"{self.h5.name}.old{n or ''}") for n in itertools.count())
            free = next(path for path in aside if not path.exists())
            with atomic_path(free) as copy:
                shutil.copyfile(self.h5, copy)
            log.warning("%s held other points than the csv; it is kept as %s", self.h5, free.name)


@dataclass(frozen=True)
class NewTable:
    """A table about to be written: what it says, and the bytes of its two files."""

    labels: Labels
    csv: bytes
    h5: bytes

    @property
    def digests(self) -> Files:
        """As `TableFile.digests` once it is written."""
        return {"csv": _digest(self.csv), "h5": _digest(self.h5)}


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _empty(path: Path, labels: Labels) -> Table:
    columns = tuple((labels.scorer, part, coord) for part in labels.bodyparts for coord in "xy")
    return Table(path, columns, (), np.empty((0, len(columns))), 3)


def _with_new_rows(old: Table, labels: Labels) -> tuple[Table, list[int], list[str]]:
    """Give a table rows for the labeled images that it lacks, each before the first that sorts behind it.

    Returns the new `Table`, the row of ``old`` that each of its rows comes from (-1 = new), and its images.
    """
    video = labels.images[0].split("/")[1] if labels.images else old.path.parent.name
    names = list(images_of(old, video))
    prefix = old.index[0].rpartition("/")[0] if old.index else ""
    index, origin, present = list(old.index), list(range(len(names))), set(names)
    for image, points in zip(labels.images, labels.points, strict=True):
        if image not in present and not np.isnan(points).all():
            at = next((t for t, name in enumerate(names) if name > image), len(names))
            names.insert(at, image)
            index.insert(at, f"{prefix}/{PurePosixPath(image).name}" if prefix else image)
            origin.insert(at, -1)
    values = np.vstack([old.values, np.full((1, len(old.columns)), np.nan)])[origin]
    return replace(old, index=tuple(index), values=values), origin, names


def _put_points(table: Table, names: Sequence[str], labels: Labels, which: NDArray[np.bool_]) -> None:
    """Write points of labels where ``which`` ``(T, K)`` into the values of a table whose rows are ``names``."""
    rows = defaultdict(list)
    for r, name in enumerate(names):
        rows[name].append(r)
    column = {(part, coord): c for c, (_, part, coord) in enumerate(table.columns)}
    for t, k in np.argwhere(which):
        for r in rows[labels.images[t]]:
            for n, coord in enumerate("xy"):
                table.values[r, column[labels.bodyparts[k], coord]] = labels.points[t, k, n]


def patched_csv(old: Table, new: Table, origin: Sequence[int]) -> bytes:
    """The bytes of a csv with other values: rows that are as before are copied as they stand.

    Parameters
    ----------
    old : `Table` as read from the csv.
    new : `Table` of the same columns, as it is to be.
    origin : sequence of int, the row of ``old`` that each row of ``new`` comes from; -1 = a new row.
    """
    lines, end, encoding = csv_lines(old.path)
    if any(len(next(csv.reader([lines[n - 1]]))) != old.levels + len(old.columns) for n in old.lines):
        return csv_text(new, end).encode(encoding)  # a cell with a line break in it
    first = old.lines[0] - 1 if old.lines else len(lines)
    ends = [*(n - 1 for n in old.lines[1:]), len(lines)]
    chunks = [lines[n - 1 : stop] for n, stop in zip(old.lines, ends, strict=True)]
    out = lines[:first]
    for r, source in enumerate(origin):
        chunk = [csv_line(row_cells(new, r), end)] if source < 0 else list(chunks[source])
        if source >= 0 and not np.array_equal(old.values[source], new.values[r], equal_nan=True):
            chunk[0] = _patched_line(chunk[0], old.values[source], new.values[r], old.levels)
        if out and chunk and not out[-1].endswith(("\r", "\n")):
            out[-1] += end
        out += chunk
    return "".join(out).encode(encoding)


def csv_lines(path: Path) -> tuple[list[str], str, str]:
    """A csv's lines with their ends, the end of the first, and the encoding ("utf-8-sig" or "utf-8")."""
    with open(path, newline="", encoding="utf-8-sig") as file:
        lines = list(file)
    with open(path, "rb") as file:
        encoding = "utf-8-sig" if file.read(3) == codecs.BOM_UTF8 else "utf-8"
    return lines, _line_end(lines[0]) or "\n", encoding


def _line_end(line: str) -> str:
    return line[len(line.rstrip("\r\n")) :]


def _patched_line(line: str, old: NDArray[np.float64], new: NDArray[np.float64], levels: int) -> str:
    cells = next(csv.reader([line]))
    for c in np.flatnonzero((old != new) & ~(np.isnan(old) & np.isnan(new))):
        cells[levels + c] = cell_text(new[c])
    return csv_line(cells, _line_end(line))
