"""A project's files with other bodyparts or another scorer, as bytes: nothing is written here."""

from __future__ import annotations

import copy
import csv
from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from ruamel.yaml.comments import CommentedSeq

from dlcnb.labels.errors import LabelError, errors_of_labels
from dlcnb.labels.rows import images_of
from dlcnb.labels.table_file import csv_lines, patched_csv
from dlcnb.project.config import check_config, dump_config
from dlcnb.tables.h5 import h5_bytes, is_h5
from dlcnb.tables.table import HEADER, Table, csv_line, frame_of, read_table

if TYPE_CHECKING:
    from pathlib import Path

    from dlcnb.project import Project

__all__ = ["config_bytes", "rewritten", "without_rows"]


def config_bytes(project: Project, **changed: Any) -> bytes:
    """config.yaml with other values, its comments and line ends kept; raises `ProjectError` for impossible ones."""
    config = copy.deepcopy(project.config)
    for key, value in changed.items():
        if isinstance(value, list) and isinstance(config.get(key), list):
            _replace_items(config[key], value)
        else:
            config[key] = value
    check_config(config)
    raw, old = dump_config(config), (project.root / "config.yaml").read_bytes()
    return raw.replace(b"\n", b"\r\n") if b"\r\n" in old else raw


def _replace_items(sequence: CommentedSeq, items: list[Any]) -> None:
    """Other items in a list of the config: what stands behind the last one (comments, empty lines) stays there."""
    behind = _comments_at_end(sequence)
    sequence.clear()
    sequence.ca.items.clear()
    sequence.extend([_flow(item) if isinstance(item, list) else item for item in items])
    if behind is not None and items:
        sequence.ca.items[len(items) - 1] = behind


def _comments_at_end(sequence: CommentedSeq) -> Any:
    while len(sequence):
        if (found := sequence.ca.items.get(len(sequence) - 1)) is not None:
            return found
        if not isinstance(sequence[-1], CommentedSeq):
            break
        sequence = sequence[-1]
    return None


def _flow(items: list[Any]) -> CommentedSeq:
    """A list written as [a, b]."""
    sequence = CommentedSeq(items)
    sequence.fa.set_flow_style()
    return sequence


@errors_of_labels()
def rewritten(
    path: Path,
    *,
    columns: Sequence[tuple[str, str | None]] | None = None,
    drop: Collection[str] = (),
    scorer: str | None = None,
) -> bytes:
    """The bytes of a table (csv or h5) with other bodyparts or another scorer.

    Parameters
    ----------
    path : ``CollectedData_<scorer>.csv`` or ``.h5``.
    columns : list of (new name, old name or None for a new one, which is empty unless the table has it).
    drop : names of bodyparts to leave out; others that the project doesn't know stay, at the end.
    scorer : the new scorer.

    Raises
    ------
    LabelError
        If the table is damaged or lacks a bodypart.
    """
    table = read_table(path)
    order, heads = _order(table, columns, drop) if columns else (range(len(table.columns)), table.columns)
    heads = tuple((scorer or who, part, coord) for who, part, coord in heads)
    if is_h5(path):
        padded = np.column_stack([table.values, np.full(len(table.values), np.nan)])
        return h5_bytes(frame_of(replace(table, columns=heads, values=padded[:, list(order)])))
    return _csv_bytes(table, list(order), heads)


def without_rows(path: Path, images: Collection[str]) -> bytes:
    """The bytes of a table (csv or h5) without the rows of images (their names); errors as `rewritten`."""
    with errors_of_labels():
        table = read_table(path)
    keep = [t for t, row in enumerate(images_of(table, path.parent.name)) if row.rsplit("/", 1)[-1] not in images]
    kept = replace(table, index=tuple(table.index[t] for t in keep), values=table.values[keep])
    return h5_bytes(frame_of(kept)) if is_h5(path) else patched_csv(table, kept, keep)


def _order(
    table: Table, columns: Sequence[tuple[str, str | None]], drop: Collection[str]
) -> tuple[list[int], list[tuple[str, str, str]]]:
    """For each new column the old one's position (-1 = empty), and the new columns' heads."""
    order, heads, who = [], [], table.columns[0][0]
    for name, old in columns:
        mine = [c for c, column in enumerate(table.columns) if column[1] == (old or name)]
        if old and not mine:
            raise LabelError(f"{table.path}: the bodypart '{old}' is missing; add it to the table first")
        order += mine or [-1, -1]
        heads += [(who, name, table.columns[c][2]) for c in mine] or [(who, name, "x"), (who, name, "y")]
    rest = [c for c, column in enumerate(table.columns) if c not in order and column[1] not in drop]
    return [*order, *rest], [*heads, *(table.columns[c] for c in rest)]


def _csv_bytes(table: Table, order: list[int], heads: Sequence[tuple[str, str, str]]) -> bytes:
    """The csv with its columns in another order, under other heads; the text of every number stays."""
    lines, end, encoding = csv_lines(table.path)
    out = []
    for n, row in enumerate(csv.reader(lines)):
        index, cells = row[: table.levels], [*row[table.levels :], ""]
        if n < len(HEADER):
            out.append(csv_line([*index, *(head[n] for head in heads)], end))
        elif any(row):
            cells += [""] * (len(table.columns) + 1 - len(cells))
            out.append(csv_line([*index, *(cells[c] for c in order)], end))
    return "".join(out).encode(encoding)
