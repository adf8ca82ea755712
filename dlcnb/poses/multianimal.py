"""Poses of several animals in one video, kept as DeepLabCut keeps them."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from dlcnb.files import StrPath, require_file
from dlcnb.poses.crops import SUPERANIMAL, TRACKERS, crop_corner
from dlcnb.poses.single import Poses, by_frame, found_only, write_frame
from dlcnb.project import nearest
from dlcnb.tables.errors import TableError
from dlcnb.tables.h5 import is_h5, read_h5_table

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["MultiAnimalPoses", "bone_edges", "is_several", "read_poses"]

_COORDS = ("x", "y", "likelihood")
_HEADER = ("scorer", "individuals", "bodyparts", "coords")


@dataclass(eq=False)
class MultiAnimalPoses:
    """Poses of several animals in one video.

    Parameters
    ----------
    individuals : tuple of str (A,)
    bodyparts : tuple of str (K,)
        The same for each.
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
    points: NDArray[np.float64]
    likelihood: NDArray[np.float64]

    def __post_init__(self) -> None:
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

    def __len__(self) -> int:
        return len(self.points)

    def __repr__(self) -> str:
        who = ", ".join(self.individuals)
        return f"MultiAnimalPoses(scorer={self.scorer!r}, {len(self)} frames, individuals={who})"

    def animal(self, name: str) -> Poses:
        """`Poses` of one individual; `TableError` for an unknown name."""
        if name not in self.individuals:
            known = ", ".join(self.individuals)
            raise TableError(f"no individual '{name}'; there are {known}{nearest(name, self.individuals)}")
        a = self.individuals.index(name)
        return Poses(self.bodyparts, self.scorer, self.points[:, a], self.likelihood[:, a])

    def seen(self) -> MultiAnimalPoses:
        """These without the individuals that no frame shows, for which a table may have room; all if none is shown."""
        shown = np.isfinite(self.likelihood).any(axis=(0, 2))
        if shown.all() or not shown.any():
            return self
        names = tuple(name for name, is_shown in zip(self.individuals, shown, strict=True) if is_shown)
        return replace(self, individuals=names, points=self.points[:, shown], likelihood=self.likelihood[:, shown])

    def together(self) -> Poses:
        """All animals as one `Poses`, whose bodyparts are called ``<individual> <bodypart>``, animal by animal."""
        count, names = len(self), tuple(f"{animal} {part}" for animal in self.individuals for part in self.bodyparts)
        points, likelihood = self.points.reshape(count, len(names), 2), self.likelihood.reshape(count, len(names))
        return Poses(names, self.scorer, points, likelihood)

    @classmethod
    def read(cls, path: StrPath) -> MultiAnimalPoses:
        """Read DeepLabCut's h5 or csv of several animals: columns (scorer, individuals, bodyparts, coords).

        Bodyparts that an individual does not have, such as those of ``single``, are NaN. Frames without a row are NaN.
        Nothing in an h5 is unpickled. Raises `TableError` for a table of another kind or a damaged one.
        """
        path = Path(path)
        columns, index, rows = _read(path)
        scorers, individuals, bodyparts = (tuple(dict.fromkeys(column[n] for column in columns)) for n in range(3))
        if len(scorers) != 1:
            raise TableError(f"{path}: expected one scorer in the first row, found {', '.join(scorers) or 'none'}")
        values = by_frame(path, index, rows)
        data = np.full((len(values), len(individuals), len(bodyparts), 3), np.nan)
        for column, (_, individual, part, coord) in enumerate(columns):
            if coord not in _COORDS:
                raise TableError(f"{path}: expected columns {', '.join(_COORDS)}, found {coord!r}")
            data[:, individuals.index(individual), bodyparts.index(part), _COORDS.index(coord)] = values[:, column]
        data = found_only(data)
        points = data[..., :2] + np.array(crop_corner(path) or (0, 0), float)
        return cls(individuals, bodyparts, scorers[0], points, data[..., 2].copy())

    def write(self, video: StrPath, suffix: str = "") -> tuple[Path, Path]:
        """Write DeepLabCut's table of several animals, h5 and csv; arguments, result and errors as `Poses.write`."""
        return write_frame(self.frame(), video, self.scorer, suffix)

    def frame(self, first: int = 0) -> pd.DataFrame:
        """The table, whose rows count from ``first``."""
        import pandas as pd

        names = [[self.scorer], self.individuals, self.bodyparts, _COORDS]
        columns = pd.MultiIndex.from_product(names, names=_HEADER)
        values = np.concatenate([self.points, self.likelihood[..., None]], axis=-1).reshape(len(self), len(columns))
        return pd.DataFrame(values, columns=columns, index=range(first, first + len(self)))


def read_poses(path: StrPath, animal: str | None = None) -> Poses:
    """Read a table of one animal, or of several (see `is_several`).

    Parameters
    ----------
    path : of the h5 or csv.
    animal : of a table of several, the name of one; "all" or None = all that are seen (`MultiAnimalPoses.together`).

    Raises `TableError` for a damaged table, an unknown animal, or the name of one in a table of one.
    """
    path = Path(path)
    if not is_several(path):
        if animal not in (None, "all"):
            raise TableError(f"{path} is of one animal, expected several to take '{animal}' from. Leave the name out.")
        return Poses.read(path)
    found = MultiAnimalPoses.read(path)
    return found.seen().together() if animal in (None, "all") else found.animal(str(animal))


def is_several(path: StrPath) -> bool:
    """Whether a table of poses is of several animals, by its name: see `TRACKERS`; ``_filtered`` may follow.

    Those of DeepLabCut's SuperAnimals are laid out so, even of one animal.
    """
    name = Path(path).stem.removesuffix("_filtered")
    return name.endswith(TRACKERS) or (SUPERANIMAL in name and "DLC_" not in name.rpartition(SUPERANIMAL)[2])


def bone_edges(bodyparts: Sequence[str], edges: Iterable[tuple[str, str]]) -> NDArray[np.int64]:
    """Edges of a skeleton as places in ``bodyparts``, int ``(E, 2)``; those of each animal of `together`.

    Edges whose bodyparts are not there are left out.
    """
    place = {name: k for k, name in enumerate(bodyparts)}
    found = []
    for one, other in edges:
        for name, k in place.items():
            if name == one or name.endswith(f" {one}"):
                partner = f"{name[: len(name) - len(one)]}{other}"
                if partner in place:
                    found.append((k, place[partner]))
    return np.array(found, np.int64).reshape(-1, 2)


def _read(path: Path) -> tuple[list[tuple[str, ...]], list[str], NDArray[np.float64]]:
    """(columns of four texts, texts that name the rows, values (rows, columns)) of a table of several animals."""
    if is_h5(path):
        frame = read_h5_table(path)
        if frame.columns.nlevels != len(_HEADER):
            raise TableError(f"{path}: expected columns ({', '.join(_HEADER)}), found {tuple(frame.columns.names)}")
        columns = [tuple(map(str, column)) for column in frame.columns.tolist()]
        return columns, list(map(str, frame.index)), frame.to_numpy(dtype=float)
    try:
        require_file(path)
        with open(path, newline="", encoding="utf-8-sig") as file:
            rows = [row for row in csv.reader(file) if row]
        header, rows = rows[: len(_HEADER)], rows[len(_HEADER) :]
        if tuple(row[0] for row in header) != _HEADER:
            raise TableError(f"{path}: expected header rows {', '.join(_HEADER)}, found {[row[0] for row in header]}")
        columns = list(zip(*(row[1:] for row in header), strict=True))
        values = np.array([[float(cell or "nan") for cell in row[1:]] for row in rows]).reshape(len(rows), len(columns))
    except (TableError, FileNotFoundError):
        raise
    except (OSError, csv.Error, ValueError) as error:
        raise TableError(f"{path} is not an intact table of several animals ({error}); it may be cut off") from error
    return columns, [row[0] for row in rows], values
