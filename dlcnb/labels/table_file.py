"""One scorer's table of one folder, changed in place: what isn't edited stays as it was, byte for byte."""

from __future__ import annotations

import codecs
import csv
import logging
import re
from dataclasses import replace
from pathlib import Path, PurePosixPath

import numpy as np

from dlcnb.labels.core import Labels, images_of
from dlcnb.labels.errors import LabelError
from dlcnb.labels.h5 import h5_bytes
from dlcnb.labels.journal import stamp
from dlcnb.labels.tables import Table, cell_text, csv_line, csv_text, frame_of, read_table, row_cells
from dlcnb.project import atomic_path

__all__ = ["TableFile", "patched_csv"]

log = logging.getLogger(__name__)


class TableFile:
    """``CollectedData_<scorer>.csv`` and ``.h5`` of a folder of labeled frames.

    Attributes
    ----------
    csv, h5 : their paths.
    differ : whether the h5, when last read, held something else than the csv.
    """

    def __init__(self, folder, scorer, bodyparts):
        self.folder, self.scorer, self.bodyparts = Path(folder), scorer, tuple(bodyparts)
        self.csv, self.h5 = (self.folder / f"CollectedData_{scorer}{suffix}" for suffix in (".csv", ".h5"))
        self.differ = False

    def stamps(self):
        """What tells whether the csv and the h5 changed."""
        return stamp(self.csv), stamp(self.h5)

    @property
    def complete(self):
        """Whether both files are there."""
        return self.csv.exists() and self.h5.exists()

    def read(self):
        """`Labels` of the csv, else of the h5, else None; raises `LabelError`."""
        for path in (self.csv, self.h5):
            if path.exists():
                return Labels.read_file(path, self.folder.name, self.scorer, self.bodyparts)
        return None

    def read_h5(self):
        """`Labels` of the h5 if there is a csv too and it holds something else, else None; a damaged h5 is logged."""
        self.differ = False
        if not self.complete:
            return None
        try:
            text, binary = self.read(), Labels.read_file(self.h5, self.folder.name, self.scorer, self.bodyparts)
        except LabelError as error:
            log.warning("%s", error)
            self.differ = True
            return None
        where = {image: t for t, image in enumerate(text.images)}
        known = [t for t, image in enumerate(binary.images) if image in where]
        ours = text.points[[where[binary.images[t]] for t in known]]
        close = np.isclose(ours, binary.points[known], rtol=0, atol=1e-6, equal_nan=True)
        self.differ = set(text.images) != set(binary.images) or not close.all()
        return binary if self.differ else None

    def newer(self):
        """The one of the two files that was written last."""
        return self.h5 if self.h5.stat().st_mtime_ns > self.csv.stat().st_mtime_ns else self.csv

    def write(self, labels):
        """Write the frames of ``labels`` that the table has a row for, or that have a point.

        Rows and columns that ``labels`` doesn't know stay; so does the text of every number that isn't changed.
        Both files or neither; raises `OSError` with a clear message for a full or read-only disk, and `LabelError`.
        """
        source = next((path for path in (self.csv, self.h5) if path.exists()), None)
        old = read_table(source) if source else _empty(self.csv, labels)
        table, origin, names = _with_new_rows(old, labels)
        _put_points(table, names, labels)
        text = patched_csv(old, table, origin) if self.csv.exists() else csv_text(table).encode()
        data = h5_bytes(frame_of(table))
        self.folder.mkdir(parents=True, exist_ok=True)
        with atomic_path(self.h5) as h5_new, atomic_path(self.csv) as csv_new:
            h5_new.write_bytes(data)
            csv_new.write_bytes(text)
        self.differ = False


def _empty(path, labels):
    columns = tuple((labels.scorer, part, coord) for part in labels.bodyparts for coord in "xy")
    return Table(path, columns, (), np.empty((0, len(columns))), 3)


def _with_new_rows(old, labels):
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


def _put_points(table, names, labels):
    """Write the points of labels into the values of a table whose rows are ``names``."""
    where = {image: t for t, image in enumerate(labels.images)}
    rows = [r for r, name in enumerate(names) if name in where]
    picked = [where[names[r]] for r in rows]
    for c, (_, part, coord) in enumerate(table.columns):
        if part in labels.bodyparts and coord in ("x", "y"):
            table.values[rows, c] = labels.points[picked, labels.bodyparts.index(part), "xy".index(coord)]


def patched_csv(old, new, origin):
    """The bytes of a csv with other values: rows that are as before are copied as they stand.

    Parameters
    ----------
    old : `Table` as read from the csv.
    new : `Table` of the same columns, as it is to be.
    origin : sequence of int, the row of ``old`` that each row of ``new`` comes from; -1 = a new row.
    """
    with open(old.path, newline="", encoding="utf-8-sig") as file:
        lines = list(file)
    with open(old.path, "rb") as file:
        encoding = "utf-8-sig" if file.read(3) == codecs.BOM_UTF8 else "utf-8"
    end = re.search(r"[\r\n]*$", lines[0])[0] or "\n"
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


def _patched_line(line, old, new, levels):
    cells = next(csv.reader([line]))
    for c in np.flatnonzero((old != new) & ~(np.isnan(old) & np.isnan(new))):
        cells[levels + c] = cell_text(new[c])
    return csv_line(cells, re.search(r"[\r\n]*$", line)[0])
