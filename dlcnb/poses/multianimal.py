"""Poses of several animals in one video, kept as DeepLabCut keeps them."""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from dlcnb.files import atomic_path
from dlcnb.poses.single import Poses, poses_path
from dlcnb.project import is_video, nearest
from dlcnb.tables.errors import TableError
from dlcnb.tables.h5 import h5_bytes, is_h5, read_h5_table

__all__ = ["MultiAnimalPoses"]

_COORDS = ("x", "y", "likelihood")
_HEADER = ("scorer", "individuals", "bodyparts", "coords")


@dataclass(eq=False)
class MultiAnimalPoses:
    """Poses of several animals in one video.

    Parameters
    ----------
    individuals : tuple of str
        A names.
    bodyparts : tuple of str
        K names, the same for each.
    scorer : str
        The network's name.
    points : array_like
        ``(T, A, K, 2)`` x and y in pixels of the full frame; NaN = not found.
    likelihood : array_like
        ``(T, A, K)`` from 0 to 1; NaN = not found.

    Raises
    ------
    TableError
        If the sizes don't fit together, or a name is there twice.
    """

    individuals: tuple[str, ...]
    bodyparts: tuple[str, ...]
    scorer: str
    points: np.ndarray
    likelihood: np.ndarray

    def __post_init__(self):
        self.individuals, self.bodyparts = tuple(self.individuals), tuple(self.bodyparts)
        self.points, self.likelihood = np.asarray(self.points, float), np.asarray(self.likelihood, float)
        shape = (len(self.points), len(self.individuals), len(self.bodyparts))
        if self.points.shape != (*shape, 2) or self.likelihood.shape != shape:
            raise TableError(
                f"expected points (frames, {shape[1]} individuals, {shape[2]} bodyparts, 2) and their likelihood, "
                f"found {self.points.shape} and {self.likelihood.shape}"
            )
        for what, names in (("individual", self.individuals), ("bodypart", self.bodyparts)):
            if len(set(names)) != len(names):
                raise TableError(f"the same {what} is named twice: {', '.join(names)}")

    def __len__(self):
        return len(self.points)

    def __repr__(self):
        who = ", ".join(self.individuals)
        return f"MultiAnimalPoses(scorer={self.scorer!r}, {len(self)} frames, individuals={who})"

    def animal(self, name):
        """`Poses` of one individual; `TableError` for an unknown name."""
        if name not in self.individuals:
            known = ", ".join(self.individuals)
            raise TableError(f"no individual '{name}'; there are {known}{nearest(name, self.individuals)}")
        a = self.individuals.index(name)
        return Poses(self.bodyparts, self.scorer, self.points[:, a], self.likelihood[:, a])

    @classmethod
    def read(cls, path):
        """Read DeepLabCut's h5 or csv of several animals: columns (scorer, individuals, bodyparts, coords).

        Bodyparts that an individual does not have, such as those of ``single``, are NaN. Frames without a row are NaN.
        Nothing in an h5 is unpickled. Raises `TableError` for a table of another kind or a damaged one.
        """
        columns, frames, values = _read(Path(path))
        levels = list(zip(*columns, strict=True)) or [(), (), (), ()]
        scorers, individuals, bodyparts = (tuple(dict.fromkeys(level)) for level in levels[:3])
        if len(scorers) != 1:
            raise TableError(f"{path}: expected one scorer in the first row, found {', '.join(scorers) or 'none'}")
        count = int(frames.max(initial=-1)) + 1
        data = np.full((count, len(individuals), len(bodyparts), 3), np.nan)
        for column, (_, individual, part, coord) in enumerate(columns):
            if coord not in _COORDS:
                raise TableError(f"{path}: expected columns {', '.join(_COORDS)}, found {coord!r}")
            place = individuals.index(individual), bodyparts.index(part), _COORDS.index(coord)
            data[(frames, *place)] = values[:, column]
        return cls(individuals, bodyparts, scorers[0], data[..., :2].copy(), data[..., 2].copy())

    def write(self, video, suffix=""):
        """Write DeepLabCut's table of several animals, h5 and csv; arguments, result and errors as `Poses.write`."""
        return _write(self._frame(), video, self.scorer, suffix)

    def _frame(self, first=0):
        """The table, a DataFrame whose rows count from ``first``."""
        import pandas as pd

        names = [[self.scorer], self.individuals, self.bodyparts, _COORDS]
        columns = pd.MultiIndex.from_product(names, names=_HEADER)
        values = np.concatenate([self.points, self.likelihood[..., None]], axis=-1).reshape(len(self), len(columns))
        return pd.DataFrame(values, columns=columns, index=range(first, first + len(self)))


def _write(frame, video, scorer, suffix):
    """Write a table as h5 and csv where `Poses.write` says."""
    path = Path(video)
    if is_video(path):
        path = poses_path(path, scorer)
    base = path.stem if is_h5(path) or path.suffix == ".csv" else path.name
    h5_path, csv_path = (path.with_name(f"{base}{suffix}{kind}") for kind in (".h5", ".csv"))
    data = h5_bytes(frame, "table" if len(frame) else "fixed")  # pandas writes no empty table
    with atomic_path(h5_path) as h5_new, atomic_path(csv_path) as csv_new:
        h5_new.write_bytes(data)
        frame.to_csv(csv_new, lineterminator="\n")
    return h5_path, csv_path


def _read(path):
    """(columns of four texts, frame numbers int64 (rows,), values (rows, columns)) of a table of several animals."""
    if is_h5(path):
        frame = read_h5_table(path)
        if frame.columns.nlevels != len(_HEADER):
            raise TableError(f"{path}: expected columns ({', '.join(_HEADER)}), found {tuple(frame.columns.names)}")
        columns, values = [tuple(map(str, column)) for column in frame.columns], frame.to_numpy(dtype=float)
        return columns, _frame_numbers(path, list(map(str, frame.index))), values
    try:
        with open(path, newline="", encoding="utf-8-sig") as file:
            rows = [row for row in csv.reader(file) if row]
        header = rows[: len(_HEADER)]
        if tuple(row[0] for row in header) != _HEADER:
            raise TableError(f"{path}: expected header rows {', '.join(_HEADER)}, found {[row[0] for row in header]}")
        values = np.array([[float(cell or "nan") for cell in row[1:]] for row in rows[len(_HEADER) :]])
        columns = list(zip(*(row[1:] for row in header), strict=True))
        values = values.reshape(len(rows) - len(_HEADER), len(columns))
    except TableError:
        raise
    except (UnicodeDecodeError, csv.Error, ValueError) as error:
        raise TableError(f"{path} is no intact table of several animals ({error}); it may be cut off") from error
    return columns, _frame_numbers(path, [row[0] for row in rows[len(_HEADER) :]]), values


def _frame_numbers(path, index):
    wrong = [row for row in index if not re.fullmatch(r"\d{1,8}", row)]
    if wrong:
        raise TableError(f"{path}: expected frame numbers from 0 in the first column, found {wrong[0]!r}")
    frames = np.array(list(map(int, index)), np.int64)
    if len(np.unique(frames)) != len(frames):
        raise TableError(f"{path}: a frame has more than one row")
    return frames
