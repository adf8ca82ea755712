"""DeepLabCut's tables of points, csv or h5, as arrays; every way in which one can be wrong is one clear error.

Three header rows (scorer, bodyparts, coords) stand over columns x, y (and likelihood) per bodypart. The index has
one column (``labeled-data/video/img.png``, or a frame number) or three (``labeled-data``, ``video``, ``img.png``).
"""

from __future__ import annotations

import csv
import io
import re
from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from math import nan
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dlcnb.files import StrPath, alike, composed, quoted, require_file
from dlcnb.project import nearest
from dlcnb.tables.errors import TableError
from dlcnb.tables.h5 import is_h5, read_h5_table

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "Table",
    "cell_text",
    "coordinates",
    "csv_line",
    "csv_text",
    "frame_of",
    "read_table",
    "row_cells",
]

HEADER = ("scorer", "bodyparts", "coords")
_NOTHING = ("", "na", "n/a", "#n/a", "#na", "<na>", "null", "none", "nan", "-nan")
_SHOWN = 40  # characters of a file in a message


@dataclass(frozen=True)
class Table:
    """What a csv or h5 file says.

    ``columns``: (scorer, bodypart, coord) each. ``index``: one text per row, its levels joined by '/'.
    ``values``: float64 ``(rows, columns)``, NaN where a cell is empty. ``levels``: columns of the index, 1 or 3.
    ``lines``: of a csv, the line on which each row ends, counted from 1.
    """

    path: Path
    columns: tuple[tuple[str, str, str], ...]
    index: tuple[str, ...]
    values: NDArray[np.float64]
    levels: int
    lines: tuple[int, ...] = ()


def read_table(path: StrPath) -> Table:
    """Read a csv or h5 `Table`; raises `TableError`, or `FileNotFoundError`."""
    path = Path(path)
    if is_h5(path):
        return _from_h5(path)
    try:
        require_file(path)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise TableError(f"{path}: {error.strerror}") from error
    return _from_csv(path)


def coordinates(
    table: Table, coords: tuple[str, ...], *, scorer: str | None = None, bodyparts: Sequence[str] | None = None
) -> tuple[str, tuple[str, ...], NDArray[np.float64]]:
    """Pick the named coordinates out of a `Table`.

    Parameters
    ----------
    table, coords : coordinates such as ``("x", "y")``; others in the table are passed over.
    scorer : whom the table must be of; None = anyone.
    bodyparts : those to pick, in this order; None = all of the table.

    Returns
    -------
    scorer : str
    bodyparts : tuple of str
    values : float64 ``(rows, bodyparts, coords)``, NaN = not there.

    Raises `TableError` for another or several scorers, missing bodyparts, missing or doubled columns.
    """
    found = tuple(dict.fromkeys(column[0] for column in table.columns))
    if len(found) != 1:
        raise TableError(f"{table.path}: expected one scorer in the first row, found {', '.join(found) or 'none'}")
    if scorer is not None and composed(found[0]) != composed(scorer):
        raise TableError(
            f"{table.path}: expected the scorer '{scorer}', found '{found[0]}' in its first row; "
            f"correct the first row, or rename the file to ..._{found[0]}"
        )
    where = {}
    for k, (_, part, coord) in enumerate(table.columns):
        if (part, coord) in where:
            raise TableError(f"{table.path}: two columns for {part} {coord}; remove one")
        where[part, coord] = k
    present = tuple(dict.fromkeys(part for part, _ in where))
    parts = present if bodyparts is None else tuple(bodyparts)
    _check_parts(table.path, parts, present, where, coords)
    picked = table.values[:, [where[part, coord] for part in parts for coord in coords]]
    return scorer or found[0], parts, picked.reshape(len(table.values), len(parts), len(coords))


def _adding(path: Path, parts: Sequence[str]) -> str:
    """What else helps where a table of labels lacks bodyparts: they may have been added to config.yaml by hand."""
    if path.parent.parent.name != "labeled-data":
        return ""
    names = " ".join(map(quoted, parts))
    which = "it is a new one" if len(parts) == 1 else "these are new ones"
    return f"; or, if {which}, complete the tables: dlcnb bodyparts {quoted(path.parents[2])} add {names}"


def _check_parts(
    path: Path, parts: Sequence[str], present: Sequence[str], where: dict[tuple[str, str], int], coords: Sequence[str]
) -> None:
    lacking = [part for part in parts if part not in present]
    for part in parts:
        if part in lacking:
            hint = nearest(part, set(present) - set(parts)) or "."
            if alike(part, present, case=False):  # both look the same
                hint = ", whose accents are made of other characters."
            raise TableError(
                f"{path}: the bodypart '{part}' is missing; the table has {', '.join(present)}{hint} "
                f"Rename its columns, or the bodypart in config.yaml{_adding(path, lacking)}."
            )
        for coord in coords:
            if (part, coord) not in where:
                raise TableError(f"{path}: the column '{coord}' of the bodypart '{part}' is missing")


# --- csv ----------------------------------------------------------------------------------------------------------


def _from_csv(path: Path) -> Table:
    try:
        with open(path, newline="", encoding="utf-8-sig") as file:
            rows = csv.reader(file)
            head = [next(rows, []) for _ in HEADER]
            beyond = _beyond(head)
            levels, columns = _header(path, [row[: len(row) - beyond] for row in head])
            width = levels + len(columns)
            index: list[str] = []
            cells, lines = array("d"), []
            for row in rows:
                if not any(row) or _names_the_index(row, levels, index):
                    continue
                if not any(row[width:]):
                    row = row[:width]
                if len(row) != width:
                    told = f"expected {width} cells, found {len(row)}; the file may be cut off"
                    raise TableError(f"{path}, line {rows.line_num}: {told}")
                index.append(_row_name(row[:levels]))
                lines.append(rows.line_num)
                try:
                    cells.extend([float(cell) if cell else nan for cell in row[levels:]])
                except ValueError:
                    cells.extend(_numbers(path, rows.line_num, columns, row[levels:]))
    except (UnicodeDecodeError, csv.Error) as error:
        raise TableError(f"{path} is not a csv table ({error}); save it as comma-separated UTF-8 text") from error
    values = np.array(cells, float).reshape(len(index), len(columns))
    return Table(path, columns, tuple(index), values, levels, tuple(lines))


def _beyond(head: list[list[str]]) -> int:
    """How many empty columns follow the last one, as spreadsheets save them: those of all three header rows."""
    return min(len(row) - max((n for n, cell in enumerate(row, 1) if cell.strip()), default=0) for row in head)


def _header(path: Path, rows: list[list[str]]) -> tuple[int, tuple[tuple[str, str, str], ...]]:
    """(columns of the index, (scorer, bodypart, coord) of the others) from the first three rows."""
    if any(cell != cell.strip() for cell in rows[0]):  # somebody aligned the cells by spaces
        rows = [[cell.strip() for cell in row] for row in rows]
    if not any(cell.strip("\0") for row in rows for cell in row):
        raise TableError(f"{path} is empty; restore it from a copy, or delete it if there is an h5 beside it")
    names = tuple(row[0].strip() if row else "" for row in rows)
    if ";" in names[0] or "\t" in names[0]:
        cure = "save it with them, and numbers with a decimal point"
        raise TableError(f"{path}: expected commas between cells, found {names[0][6:7]!r}; {cure}")
    if "individuals" in names:
        raise TableError(f"{path} is a table of several animals; only tables of one animal are read")
    if names != HEADER:
        raise TableError(f"{path}: expected header rows {', '.join(HEADER)}, found {', '.join(map(_short, names))}")
    levels = 3 if len(rows[0]) > 2 and not rows[0][1] and not rows[0][2] else 1
    if len({len(row) for row in rows}) != 1 or not all(all(row[levels:]) for row in rows):
        raise TableError(f"{path}: the header rows have empty cells or different lengths; each column needs all three")
    return levels, tuple(zip(*(row[levels:] for row in rows), strict=True))


def _names_the_index(row: list[str], levels: int, index: list[str]) -> bool:
    """Whether this is the row of index names that pandas writes under the header if the index has names."""
    return not index and not any(row[levels:]) and not re.search(r"\.\w+$|\d$", _row_name(row[:levels]))


def _row_name(levels: list[str]) -> str:
    """The levels of a row's name joined by '/'; those of old DeepLabCut stand in one cell, as Python writes a tuple."""
    levels = [level.strip() for level in levels]
    as_tuple = re.fullmatch(r"\('([^']+)', '([^']+)', '([^']+)'\)", levels[0])
    return "/".join(as_tuple.groups() if as_tuple and len(levels) == 1 else levels)


def _numbers(path: Path, line: int, columns: Sequence[tuple[str, str, str]], cells: Sequence[str]) -> list[float]:
    """The numbers in a row; NaN for what R, pandas and spreadsheets write where there is none."""
    numbers = []
    for (_, part, coord), cell in zip(columns, cells, strict=True):
        try:
            numbers.append(nan if cell.strip().lower() in _NOTHING else float(cell))
        except ValueError:
            told = f"{part} {coord} is {_short(cell)}; expected a number or an empty cell"
            comma = ", and a point for decimals" if "," in cell else ""
            raise TableError(f"{path}, line {line}: {told}{comma}") from None
    return numbers


def _short(text: str) -> str:
    """What a file says, for people to read: its first words, in quotes."""
    return repr(text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…")


# --- h5 -----------------------------------------------------------------------------------------------------------


def _from_h5(path: Path) -> Table:
    frame = read_h5_table(path)
    names = tuple(frame.columns.names)
    if "individuals" in names:
        raise TableError(f"{path} is a table of several animals; only tables of one animal are read")
    if frame.columns.nlevels != len(HEADER):
        found = ", ".join(str(name) for name in names if name is not None) or "others"
        raise TableError(f"{path}: expected columns of {', '.join(HEADER)}, found {found}")
    if frame.index.nlevels not in (1, 3):
        raise TableError(f"{path}: expected an index of one or three columns, found {frame.index.nlevels}")
    if frame.index.nlevels == 3:
        index = tuple(_row_name(list(map(str, row))) for row in frame.index)
    else:
        index = tuple(_row_name([str(row)]) for row in frame.index)
    columns = tuple((str(c[0]), str(c[1]), str(c[2])) for c in frame.columns.tolist())
    values = frame.to_numpy(dtype=float)
    return Table(path, columns, index, values, frame.index.nlevels)


# --- writing ----------------------------------------------------------------------------------------------------------


def csv_text(table: Table, end: str = "\n") -> str:
    """A table as csv, each number by the shortest text that reads back as the same float64."""
    lines = [
        csv_line([name, *[""] * (table.levels - 1), *(column[n] for column in table.columns)], end)
        for n, name in enumerate(HEADER)
    ]
    return "".join(lines + [csv_line(row_cells(table, r), end) for r in range(len(table.index))])


def row_cells(table: Table, r: int) -> list[str]:
    """The texts of row ``r`` of a table."""
    index = table.index[r].split("/") if table.levels == 3 else [table.index[r]]
    return [*index, *map(cell_text, table.values[r])]


def csv_line(cells: Sequence[str], end: str) -> str:
    """Cells as one line of a csv."""
    out = io.StringIO()
    csv.writer(out, lineterminator=end).writerow(cells)
    return out.getvalue()


def cell_text(value: float) -> str:
    """The shortest text that reads back as the same float64; empty for NaN."""
    return "" if value != value else repr(float(value))


def frame_of(table: Table) -> pd.DataFrame:
    """A table as the `pandas.DataFrame` that DeepLabCut keeps in its h5."""
    import pandas as pd

    parts = [row.split("/") if table.levels == 3 else [row] for row in table.index]
    # An empty index of text would be written as a pickle, one of numbers is not.
    arrays: list[Any] = list(zip(*parts, strict=True)) or [np.empty(0, int)] * table.levels
    index = pd.MultiIndex.from_arrays(arrays) if table.levels == 3 else pd.Index(arrays[0])
    return pd.DataFrame(table.values, index=index, columns=pd.MultiIndex.from_tuples(table.columns, names=HEADER))
