"""What the rows of a table of labels stand for: images of one folder, each once, with whole points."""

from __future__ import annotations

import logging
import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dlcnb.labels.errors import LabelError
from dlcnb.labels.images import frame_images
from dlcnb.labels.values import SAME
from dlcnb.tables.table import Table

__all__ = ["frame_number", "images_of", "once", "whole_points"]

log = logging.getLogger(__name__)

_EXTRACTED = re.compile(r"(?:^|[\\/])img(\d+)\.\w+$", re.IGNORECASE)
_TUPLE = re.compile(r"""['"]([^'"]*)['"]""")  # the texts in a tuple's text


def frame_number(image: str | Path) -> int | None:
    """Frame number from the name of an image, or None for a name that neither dlcnb nor DeepLabCut gave."""
    match = _EXTRACTED.search(str(image))
    return int(match[1]) if match else None


def images_of(table: Table, video: str) -> tuple[str, ...]:
    """Rows of a table as ``labeled-data/<video>/<image>``, whatever folder name and slash they were written with.

    Rows that pandas wrote as the text of a tuple, ``('labeled-data', 'm4s1', 'img01.png')``, are read, too.
    """
    rows = [re.split(r"[\\/]+", "/".join(_TUPLE.findall(row)) if row.startswith("(") else row) for row in table.index]
    for row, text in zip(rows, table.index, strict=True):
        if {"", ".", ".."} & set(row[-2:]):
            raise LabelError(f"{table.path}: expected rows such as labeled-data/{video}/img0000.png, found {text!r}")
    named = {row[-2] for row in rows if len(row) > 1}
    if len(named) > 1:
        raise LabelError(
            f"{table.path} has rows of several videos ({', '.join(sorted(named))}); give each its own table"
        )
    for other in named - {video}:
        if (table.path.parent.parent / other).is_dir() and table.path.parent.name == video:
            raise LabelError(f"{table.path} has the rows of the video {other}; expected rows of {video}")
        log.info("%s was labeled as %s; its folder was renamed", table.path, other)
    names = _as_there([row[-1] for row in rows], table.path.parent)
    return tuple(f"labeled-data/{video}/{name}" for name in names)


def _as_there(names: Sequence[str], folder: Path) -> list[str]:
    """Names of images, each that is not in the folder as the one image there of the same frame, if there is one.

    Other programs save frames anew as ``img5.jpg`` or ``IMG05.PNG``, give numbers another length, or name a row by its
    frame's number alone.
    """
    there = set(frame_images(folder))
    lacking = {name: int(name) if name.isdecimal() else frame_number(name) for name in names if name not in there}
    frames = defaultdict(list)
    for name in there.difference(names) if lacking else ():
        frames[frame_number(name)].append(name)
    wanted = Counter(lacking.values())
    found = {
        name: frames[number][0]
        for name, number in lacking.items()
        if number is not None and wanted[number] == 1 and len(frames[number]) == 1
    }
    if found:
        log.info("%s: %d rows name their image otherwise, such as %s", folder, len(found), next(iter(found)))
    return [found.get(name, name) for name in names]


def once(
    table: Table, images: tuple[str, ...], points: NDArray[np.float64]
) -> tuple[tuple[str, ...], NDArray[np.float64]]:
    """Images ``(T,)`` and points ``(T, K, 2)`` of a table, with one row of several for an image that agree.

    Rows that contradict each other stay: `Labels` refuses them.
    """
    rows = defaultdict(list)
    for t, image in enumerate(images):
        rows[image].append(points[t])
    twice = [image for image, each in rows.items() if len(each) > 1]
    if not twice or any((np.fmax.reduce(rows[i]) - np.fmin.reduce(rows[i]) > SAME).any() for i in twice):
        return images, points
    log.warning("%s: several rows of one image agree and count once, such as those of %s", table.path, twice[0])
    return tuple(rows), np.array([np.fmax.reduce(each) for each in rows.values()])


def whole_points(table: Table, points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Points ``(T, K, 2)`` of a table, without those of which only x or only y is there; these are told."""
    half = np.isnan(points).sum(-1) == 1  # (T, K)
    if not half.any():
        return points
    rows = sorted({table.index[t] for t, _ in np.argwhere(half)})
    more = f" and {len(rows) - 3} more" if len(rows) > 3 else ""
    log.warning(
        "%s: %d points have only one of x and y and count as not placed, in %s%s; place them in the labeler",
        table.path,
        half.sum(),
        ", ".join(rows[:3]),
        more,
    )
    return np.where(half[..., None], np.nan, points)
