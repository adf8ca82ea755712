"""What can be said of a bodypart in a frame, where it comes from, and how both stand in a journal."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

__all__ = ["SAME", "TABLE", "Cell", "Source", "Value", "cells_of", "close", "is_line", "plain", "same", "value_of"]

TABLE = "table"  # the author of what stands in a table and in no journal
SAME = 1e-6  # px; what text and binary may differ by

Value: TypeAlias = "tuple[float, float] | Literal[False] | None"
"""A point ``(x, y)`` in px of the full frame; False = marked not visible; None = open."""

Cell: TypeAlias = "tuple[str, str, Value]"  # image (its name without folder), bodypart, value


@dataclass(frozen=True, slots=True)
class Source:
    """Where a value comes from: its origin, when (Unix time, s), and by which program."""

    origin: str
    time: float
    by: str


def same(one: Value | Sequence[float], two: Value | Sequence[float]) -> bool:
    """Whether two values are the same."""
    if isinstance(one, (tuple, list)) and isinstance(two, (tuple, list)):
        return max(abs(one[0] - two[0]), abs(one[1] - two[1])) <= SAME
    return one is two


def close(one: NDArray[np.float64], two: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Where points ``(..., 2)`` are the same; NaN is the same as NaN."""
    return np.isclose(one, two, rtol=0, atol=SAME, equal_nan=True).all(-1)


def value_of(point: NDArray[np.float64], hidden: bool) -> Value:
    """The value of a point ``(2,)``, NaN = none."""
    if hidden:
        return False
    return None if np.isnan(point[0]) else (float(point[0]), float(point[1]))


def plain(value: Any) -> Value:
    """A value out of JSON."""
    return (float(value[0]), float(value[1])) if isinstance(value, (list, tuple)) else value


def cells_of(entries: Sequence[dict[str, Any]]) -> list[Cell]:
    """The cells that a line of a journal names."""
    return [(entry["image"], entry["bodypart"], plain(entry["to"])) for entry in entries]


# --- lines of a journal, which a stranger may have written


def is_line(line: Any) -> bool:
    """Whether a line of a journal is one that dlcnb could have written; kinds that it doesn't know are."""
    try:
        return isinstance(line, dict) and all(check(line[key], line) for key, check in _CHECKS.items() if key in line)
    except (KeyError, TypeError, ValueError, OverflowError, AttributeError):
        return False


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def _is_value(value: Any) -> bool:
    if isinstance(value, list):
        return len(value) == 2 and all(map(_is_number, value))
    return value is None or value is False


def _is_image(name: Any) -> bool:
    return isinstance(name, str) and re.fullmatch(r"[^./\\\x00-\x1f][^/\\\x00-\x1f]*", name) is not None


def _are_edits(edits: Any, line: dict[str, Any]) -> bool:
    known = all(_is_value(edit["from"]) and isinstance(edit.get("origin", ""), str) for edit in edits)
    return known and isinstance(line["by"], str) and _are_cells(edits, line)


def _are_cells(cells: Any, line: dict[str, Any]) -> bool:
    return (
        isinstance(cells, list)
        and _is_number(line["time"])
        and all(_is_image(c["image"]) and isinstance(c["bodypart"], str) and _is_value(c["to"]) for c in cells)
    )


def _is_frame(image: Any, line: dict[str, Any]) -> bool:
    parts = line["parts"].items()
    return (
        _is_image(image)
        and isinstance(line["done"], bool)
        and all(isinstance(part, str) and _is_entry(entry) for part, entry in parts)
    )


def _is_entry(entry: dict[str, Any]) -> bool:
    values = [entry["is"], *(entry[key] for key in ("table", "h5") if key in entry)]
    rivals = [(value, _is_source(*source)) for value, *source in entry.get("rivals", [])]
    past = all(isinstance(point, list) for point in entry.get("past", []))
    values += [*(value for value, _ in rivals), *entry.get("past", [])]
    source = _is_source(entry.get("origin", ""), entry.get("time", 0), entry.get("by", ""))
    return source and past and all(map(_is_value, values)) and all(fits for _, fits in rivals)


def _is_source(origin: Any, time: Any, by: Any) -> bool:
    return isinstance(origin, str) and _is_number(time) and isinstance(by, str)


def _are_done(done: Any, line: dict[str, Any]) -> bool:
    if "image" in line:  # of a frame, checked there
        return isinstance(done, bool)
    return all(_is_image(image) and isinstance(value, bool) for image, value in done.items())


def _are_files(files: Any, _line: dict[str, Any]) -> bool:
    return all(digest is None or isinstance(digest, (str, bool)) for digest in files.values())


def _is_header(version: Any, line: dict[str, Any]) -> bool:
    texts = [line.get(key, "") for key in ("generation", "journal_id", "scorer")] + line.get("bodyparts", [])
    return isinstance(version, int) and all(isinstance(text, str) for text in texts)


_CHECKS = {
    "journal": _is_header,
    "image": _is_frame,
    "edits": _are_edits,
    "done": _are_done,
    "table": _are_cells,
    "h5": _are_cells,
    "files": _are_files,
    "writing": _are_files,
}
