"""What only the user knows of each video: group, animal, day; from a table he fills, or from the videos' names."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from dlcnb.files import StrPath, atomic_write, read_text
from dlcnb.project.names import ProjectError, nearest, video_stem

if TYPE_CHECKING:
    from dlcnb.project.core import Project

__all__ = ["SUBJECTS", "new_subjects", "read_subjects", "subjects_by_pattern"]

SUBJECTS = "subjects.csv"  # beside config.yaml
_COLUMNS = ("video", "group", "animal", "day")


def new_subjects(project: Project) -> Path:
    """Write a table of the project's videos for the user to fill; what a table that is there says is kept."""
    path = project.inside(SUBJECTS)
    known = read_subjects(path) if path.exists() else {}
    columns = list(next(iter(known.values()), dict.fromkeys(_COLUMNS[1:])))
    stems = list(dict.fromkeys([*known, *(video.stem for video in project.videos)]))
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["video", *columns])
    writer.writerows([stem, *(known.get(stem, {}).get(column, "") for column in columns)] for stem in stems)
    atomic_write(path, out.getvalue())
    return path


def read_subjects(path: StrPath) -> dict[str, dict[str, str]]:
    """{name of a video without suffix: {column: text}} of a csv whose first column is ``video``.

    The other columns are the user's own, such as group, animal, day. Comma, semicolon and tab separate (spreadsheets of
    some languages write semicolons). Raises `ProjectError`.
    """
    try:
        text = read_text(path)
    except UnicodeDecodeError:
        raise ProjectError(f"{path}: expected UTF-8 text; save the table as 'CSV UTF-8'") from None
    first = text.split("\n", 1)[0]
    try:
        rows = [row for row in csv.reader(io.StringIO(text), delimiter=max(",;\t", key=first.count)) if any(row)]
    except csv.Error as error:
        raise ProjectError(f"{path}: expected a table with a column 'video', found a damaged one ({error})") from None
    head = [cell.strip() for cell in rows[0]] if rows else []
    if "video" not in head:
        raise ProjectError(
            f"{path}: expected a column 'video', found {', '.join(head) or 'nothing'}{nearest('video', head)}"
        )
    if len(set(head)) < len(head) or "" in head:
        raise ProjectError(f"{path}: each column needs a name of its own, found {', '.join(head)}")
    found: dict[str, dict[str, str]] = {}
    for number, row in enumerate(rows[1:], 2):
        if len(row) > len(head):
            raise ProjectError(f"{path}: expected {len(head)} cells in row {number}, found {len(row)}")
        cells = dict(zip(head, [*map(str.strip, row), *[""] * (len(head) - len(row))], strict=True))
        stem = video_stem(cells.pop("video"))
        if stem in found:
            raise ProjectError(f"{path}: the video '{stem}' has two rows; delete one")
        found[stem] = cells
    return found


def subjects_by_pattern(pattern: str, videos: Iterable[StrPath]) -> dict[str, dict[str, str]]:
    """The same from the videos' names, whose parts a pattern such as ``{group}_{animal}_day{day}`` names.

    Each field takes as little as it can, so that ``{group}_{animal}`` reads 'drug_m1' of ``drug_m1``. Raises
    `ProjectError` for a name that the pattern does not fit, or a pattern without a field.
    """
    pieces = re.split(r"\{(\w+)\}", pattern)
    names = pieces[1::2]
    if not names or len(set(names)) < len(names) or not all(name.isidentifier() and name != "video" for name in names):
        raise ProjectError(
            f"expected a pattern such as {{group}}_{{animal}}_{{day}}, each field once, found {pattern!r}"
        )
    made = "".join(f"(?P<{piece}>.+?)" if n % 2 else re.escape(piece) for n, piece in enumerate(pieces))
    found = {}
    for video in videos:
        stem = video_stem(video)
        match = re.fullmatch(made, stem)
        if match is None:
            raise ProjectError(
                f"the name '{stem}' does not fit the pattern {pattern}; rename it, or fill a table instead"
            )
        found[stem] = match.groupdict()
    return found
