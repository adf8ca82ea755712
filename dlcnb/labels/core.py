"""Labels: one point per bodypart per frame, kept as DeepLabCut keeps them."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from dlcnb.files import as_spelled, atomic_path, composed
from dlcnb.labels.errors import LabelError, errors_of_labels
from dlcnb.labels.rows import frame_number, images_of, once, whole_points
from dlcnb.labels.values import SAME
from dlcnb.project import is_stray, nearest
from dlcnb.tables.h5 import h5_bytes
from dlcnb.tables.table import Table, coordinates, csv_text, frame_of, read_table

if TYPE_CHECKING:
    from dlcnb.project import Project

__all__ = [
    "Labels",
    "difference",
    "first_difference",
    "frame_index",
    "frame_number",
    "image_name",
    "table_paths",
]

log = logging.getLogger(__name__)


def image_name(index: int, n_frames: int) -> str:
    """DeepLabCut's name for frame ``index`` of a video of ``n_frames``: zero-padded so that names sort."""
    return f"img{index:0{len(str(max(n_frames - 1, 0)))}d}.png"


def frame_index(image: str | Path) -> int:
    """Frame number from the name of an image; raises `LabelError`.

    >>> frame_index("labeled-data/m4s1/img0012.png")
    12
    """
    number = frame_number(image)
    if number is None:
        raise LabelError(f"expected the name of an extracted frame such as img0012.png, found {image}")
    return number


def table_paths(folder: str | Path) -> dict[str, tuple[Path | None, Path | None]]:
    """{scorer: (csv or None, h5 or None)} of the tables in a folder of labeled frames, without copies of tables."""
    found: dict[str, dict[str, Path]] = {".csv": {}, ".h5": {}}
    for suffix, paths in found.items():
        for path in sorted(Path(folder).glob(f"CollectedData_*{suffix}")):
            if not is_stray(path):
                paths[composed(path.stem.removeprefix("CollectedData_"))] = path
    text, binary = found.values()
    return {scorer: (text.get(scorer), binary.get(scorer)) for scorer in {**text, **binary}}


@dataclass(eq=False)
class Labels:
    """Labeled frames.

    Parameters
    ----------
    bodyparts : tuple of str
        K names.
    scorer : str
        Who labeled.
    images : tuple of str
        T images as ``labeled-data/<video>/<image>``, with forward slashes, relative to the project.
    points : array_like
        ``(T, K, 2)`` x and y in pixels of the full frame; NaN = not visible or not labeled.

    Raises
    ------
    LabelError
        If the sizes don't fit together, names or images repeat, or a point has only one of x and y.
    """

    bodyparts: tuple[str, ...]
    scorer: str
    images: tuple[str, ...]
    points: NDArray[np.float64]

    def __post_init__(self) -> None:
        self.bodyparts, self.images = tuple(self.bodyparts), tuple(map(str, self.images))
        self.points = np.asarray(self.points, float)
        shape = (len(self.images), len(self.bodyparts), 2)
        if self.points.shape != shape:
            raise LabelError(f"expected points {shape} for (images, bodyparts, x and y), found {self.points.shape}")
        for what, names in (("image", self.images), ("bodypart", self.bodyparts)):
            if twice := sorted({name for name in names if names.count(name) > 1} if len({*names}) < len(names) else ()):
                raise LabelError(f"the {what} {twice[0]} is there more than once; each may have one row of points")
        half = np.isnan(self.points).sum(-1) == 1  # (T, K)
        if half.any() or np.isinf(self.points).any():
            t, k = np.argwhere(half | np.isinf(self.points).any(-1))[0]
            point = tuple(self.points[t, k].tolist())
            raise LabelError(
                f"{self.bodyparts[k]} in {self.images[t]} is {point}; expected finite x and y, or neither of them"
            )

    def __len__(self) -> int:
        return len(self.images)

    def __repr__(self) -> str:
        placed = int((~np.isnan(self.points[..., 0])).sum())
        return f"Labels(scorer={self.scorer!r}, {len(self)} images, {len(self.bodyparts)} bodyparts, {placed} points)"

    @classmethod
    def read(cls, folder: str | Path, scorer: str | None = None, bodyparts: Sequence[str] | None = None) -> Labels:
        """Read the table of one video's labeled frames.

        The csv is read, and of the h5 the frames that the csv lacks. If the two differ, a warning is logged. A point
        with only one of x and y counts as not placed, with a warning.

        Parameters
        ----------
        folder : path
            ``labeled-data/<video>``.
        scorer : str, optional
            Whose table; may be left out if there is only one.
        bodyparts : sequence of str, optional
            Those expected, in the order wanted; None = as in the table.

        Raises
        ------
        LabelError
            If there is no such table, or it is damaged or does not fit.
        """
        folder = Path(folder)
        scorer = _whose(folder, scorer)
        csv_path, h5_path = table_paths(folder)[scorer]
        if csv_path is None or h5_path is None:
            return cls.read_file(csv_path or h5_path or folder, folder.name, scorer, bodyparts)
        return cls.read_file(csv_path, folder.name, scorer, bodyparts)._with_rows_of(csv_path, h5_path)

    def _with_rows_of(self, csv_path: Path, h5_path: Path) -> Labels:
        """These labels of a csv and those of frames that only the h5 beside it has; says if the two differ."""
        try:
            other = Labels.read_file(h5_path, csv_path.parent.name, self.scorer, self.bodyparts)
        except LabelError as error:
            log.warning("%s", error)
            return self
        what = first_difference(self, other)
        if what is None:
            return self
        only = [t for t, image in enumerate(other.images) if image not in set(self.images)]
        more = f"; {len(only)} frames that it lacks are taken from the h5" if only else ""
        log.warning("%s%s", _they_differ(csv_path, h5_path, what), more)
        images = (*self.images, *(other.images[t] for t in only))
        return replace(self, images=images, points=np.concatenate([self.points, other.points[only]]))

    @classmethod
    @errors_of_labels()
    def read_file(
        cls, path: str | Path, video: str, scorer: str | None = None, bodyparts: Sequence[str] | None = None
    ) -> Labels:
        """Read one csv or h5 with labels of the frames in ``labeled-data/<video>``; errors as `read`."""
        table = read_table(path)
        scorer, bodyparts, points = coordinates(table, ("x", "y"), scorer=scorer, bodyparts=bodyparts)
        images = images_of(table, video)  # its errors name the file
        try:
            return cls(tuple(bodyparts), scorer, *once(table, images, whole_points(table, points)))
        except LabelError as error:
            raise LabelError(f"{path}: {error}") from None

    @classmethod
    def read_project(cls, project: Project, scorer: str | None = None) -> Labels:
        """Labels of all videos by the project's scorer (or another); folders without such a table are left out.

        Raises `LabelError` if nobody labeled anything, or if any table does not have the project's bodyparts.
        """
        scorer = scorer or project.scorer
        parts: list[Labels] = []
        others: set[str] = set()
        for folder in project.labeled_dirs():
            tables = table_paths(folder)
            if scorer in tables:
                parts.append(cls.read(folder, scorer, project.bodyparts))
            elif tables:
                others.update(tables)
                log.warning("%s has labels by %s, none by %s", folder, ", ".join(tables), scorer)
        if not parts:
            hint = "; label frames first, in the step Label of Studio"
            if others:
                whose = ", ".join(sorted(others))
                hint = f"; there are labels by {whose}. Label as {scorer}, or enter another scorer in config.yaml"
            raise LabelError(f"no labels by '{scorer}' in {project.root / 'labeled-data'}{hint}")
        images = tuple(image for part in parts for image in part.images)
        return cls(project.bodyparts, scorer, images, np.concatenate([part.points for part in parts]))

    def write(self, folder: str | Path) -> tuple[Path, Path]:
        """Write ``CollectedData_<scorer>.csv`` and ``.h5``; both or neither.

        An existing table keeps its style of index (one column or three); a new one gets three, as DeepLabCut 3
        writes it. Raises `LabelError` if an image lies elsewhere or the existing table has further bodyparts,
        `OSError` with a clear message for a full or read-only disk. Returns the paths (h5, csv).
        """
        folder = Path(folder)
        for image in self.images:
            if PurePosixPath(image).parts[:-1] != ("labeled-data", folder.name):
                raise LabelError(f"{image} can't be written to {folder}; write the labels of each video by itself")
        named = f"CollectedData_{self.scorer}"
        h5_path, csv_path = (as_spelled(folder / f"{named}{suffix}", case=False) for suffix in (".h5", ".csv"))
        levels = self._levels_of_existing(csv_path, h5_path)
        table = self._as_table(csv_path, levels)
        h5_data, text = h5_bytes(frame_of(table)), csv_text(table)
        with atomic_path(h5_path) as h5_new, atomic_path(csv_path) as csv_new:
            h5_new.write_bytes(h5_data)
            csv_new.write_text(text, "utf-8", newline="")
        return h5_path, csv_path

    def merged(self, other: Labels) -> Labels:
        """These labels and another's: frames of either, bodyparts that one left open filled by the other.

        Raises `LabelError` for other scorers or bodyparts, and where both place a bodypart at different points.
        """
        if self.scorer != other.scorer or set(self.bodyparts) != set(other.bodyparts):
            raise LabelError(
                f"only labels of one scorer and the same bodyparts can be merged, found {self.scorer} with "
                f"{', '.join(self.bodyparts)} and {other.scorer} with {', '.join(other.bodyparts)}"
            )
        images = tuple(dict.fromkeys(self.images + other.images))
        where = {image: t for t, image in enumerate(images)}
        points = np.full((len(images), len(self.bodyparts), 2), np.nan)
        points[: len(self)] = self.points
        theirs = other.points[:, [other.bodyparts.index(part) for part in self.bodyparts]]
        for image, new in zip(other.images, theirs, strict=True):
            old = points[where[image]]  # (K, 2)
            conflict = np.abs(old - new).max(-1) > SAME  # NaN compares as no conflict
            if conflict.any():
                part = self.bodyparts[int(np.argmax(conflict))]
                raise LabelError(f"two different points for {part} in {image}; decide which one is right")
            points[where[image]] = np.where(np.isnan(old), new, old)
        return replace(self, images=images, points=points)

    def select(self, which: NDArray[np.bool_] | NDArray[np.int64] | slice) -> Labels:
        """The frames of a boolean mask ``(T,)`` or of an array of indices, as new `Labels`."""
        chosen = np.arange(len(self))[which]
        return replace(self, images=tuple(self.images[t] for t in chosen), points=self.points[chosen].copy())

    @errors_of_labels()
    def _levels_of_existing(self, csv_path: Path, h5_path: Path) -> int:
        """Index columns of the table to be replaced, 3 for a new one; refuses to drop bodyparts from it."""
        path = next((p for p in (csv_path, h5_path) if p.exists()), None)
        if path is None:
            return 3
        table = read_table(path)
        lost = {column[1] for column in table.columns} - set(self.bodyparts)
        if lost:
            raise LabelError(
                f"{path} has the bodyparts {', '.join(sorted(lost))}, which writing only {', '.join(self.bodyparts)} "
                "would delete; move the old table away first if that is meant"
            )
        return table.levels

    def _as_table(self, path: Path, levels: int) -> Table:
        columns = tuple((self.scorer, part, coord) for part in self.bodyparts for coord in "xy")
        return Table(path, columns, self.images, self.points.reshape(len(self), len(columns)), levels)


def difference(folder: Path, scorer: str) -> str | None:
    """How the csv and the h5 of one table differ, or None if they agree."""
    csv_path, h5_path = table_paths(folder)[scorer]
    if csv_path is None or h5_path is None:
        return None
    text, binary = (Labels.read_file(path, folder.name, scorer) for path in (csv_path, h5_path))
    what = first_difference(text, binary)
    return what and _they_differ(csv_path, h5_path, what)


def _they_differ(csv_path: Path, h5_path: Path, what: str) -> str:
    newer = csv_path if csv_path.stat().st_mtime >= h5_path.stat().st_mtime else h5_path
    return f"{csv_path} and its h5 differ ({what}); {newer.name} is newer, the csv is used"


def first_difference(one: Labels, two: Labels) -> str | None:
    """How two tables differ, for people to read, or None if they agree to 1e-6 px."""
    if set(one.bodyparts) != set(two.bodyparts):
        return f"bodyparts {', '.join(one.bodyparts)} and {', '.join(two.bodyparts)}"
    if only := sorted(set(one.images) ^ set(two.images)):
        return f"{len(only)} image(s) only in one of them, such as {only[0]}"
    order = [two.images.index(image) for image in one.images]
    other = two.points[order][:, [two.bodyparts.index(part) for part in one.bodyparts]]
    wrong = ~np.isclose(one.points, other, rtol=0, atol=SAME, equal_nan=True).all(-1)
    if wrong.any():
        t, k = np.argwhere(wrong)[0]
        return f"{int(wrong.sum())} point(s), such as {one.bodyparts[k]} in {one.images[t]}"
    return None


def _whose(folder: Path, scorer: str | None) -> str:
    tables = table_paths(folder)
    if scorer in tables:
        return scorer
    if scorer is None and len(tables) == 1:
        return next(iter(tables))
    if not tables:
        raise LabelError(f"no labels in {folder}: expected CollectedData_<scorer>.csv or .h5")
    if scorer is None:
        raise LabelError(f"{folder} has labels by {', '.join(tables)}; say whose to read")
    raise LabelError(
        f"no labels by '{scorer}' in {folder}; there are labels by {', '.join(tables)}{nearest(scorer, tables)}"
    )
