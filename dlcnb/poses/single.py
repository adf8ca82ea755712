"""Poses over time: the points and likelihoods of every frame of a video, kept as DeepLabCut keeps them."""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from glob import escape
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from dlcnb.files import StrPath, atomic_path, read_json
from dlcnb.poses.crops import SUPERANIMAL, TRACKERS, crop_corner, note_full_frame
from dlcnb.poses.spread import COORDS, Spread, spread_path
from dlcnb.project import is_stray, is_video
from dlcnb.tables.errors import TableError
from dlcnb.tables.h5 import h5_appender, h5_bytes, is_h5
from dlcnb.tables.table import HEADER, Table, coordinates, read_table

if TYPE_CHECKING:
    import pandas as pd

    from dlcnb.poses.multianimal import MultiAnimalPoses
    from dlcnb.project import Scale

__all__ = [
    "Poses", "by_frame", "find_poses", "found_only", "newest_poses", "other_video", "pose_tables", "poses_path",
    "table_paths", "write_chunks", "write_frame",
]  # fmt: skip

log = logging.getLogger(__name__)

_COORDS = ("x", "y", "likelihood")
_MISCOUNTED = 0.02  # share of its frames by which a video and its poses may differ
_MANY = 10_000  # networks of an ensemble
_ANY_VIDEO, _SPARSE = 500_000, 100  # frames that any table may span; how many for each row of a longer one


def poses_path(video: StrPath, scorer: str, suffix: str = "", folder: StrPath | None = None) -> Path:
    """Where DeepLabCut keeps the poses of a video: ``<video><scorer><suffix>.h5``, beside it or in ``folder``.

    Those of a SuperAnimal have ``_`` before the scorer.
    """
    video, between = Path(video), "_" if f"_{scorer}".startswith(SUPERANIMAL) else ""
    return (video.parent if folder is None else Path(folder)) / f"{video.stem}{between}{scorer}{suffix}.h5"


def find_poses(video: StrPath, folder: StrPath | None = None, filtered: bool = False, *, several: bool = False) -> Path:
    """The newest table of poses of a video, in ``folder`` or beside it; raises FileNotFoundError if there is none.

    With ``several`` it is one of several animals (``_el``, ``_bx``, ``_sk``, or a SuperAnimal's), which
    `dlcnb.poses.read_poses` reads.
    """
    video = Path(video)
    folder = video.absolute().parent if folder is None else Path(folder)
    found = [
        p
        for p in folder.glob(f"{escape(video.stem)}[D_]*")
        if _is_table(p.name[len(video.stem) :], filtered, several) and other_video(p, video) is None
    ]
    if not found:
        what, how = ("filtered poses", "dlcnb filter") if filtered else ("poses", "dlcnb analyze")
        what, how = (f"{what} of several animals", f"{how}{' --animals' * (not filtered)}") if several else (what, how)
        raise FileNotFoundError(
            f"No {what} of {video} in {folder}. Make them first ({how}), or name their folder with --tables."
        )
    return max(found, key=lambda p: (p.stat().st_mtime, p.suffix == ".h5"))


def newest_poses(video: StrPath, folder: StrPath | None = None) -> Path:
    """`find_poses` of one animal, or of several where there is no other table; not filtered."""
    try:
        return find_poses(video, folder)
    except FileNotFoundError:
        try:
            return find_poses(video, folder, several=True)
        except FileNotFoundError:
            pass
        raise


def pose_tables(video: StrPath, folder: StrPath | None = None) -> list[Path]:
    """All tables of poses of a video, of one animal and of several, filtered or not; the newest first.

    Of an h5 and a csv of one name there is the h5. ``folder``: as in `find_poses`.
    """
    video = Path(video)
    folder = video.absolute().parent if folder is None else Path(folder)
    found: dict[str, Path] = {}
    for path in sorted(folder.glob(f"{escape(video.stem)}[D_]*"), key=lambda p: p.suffix):  # csv, then h5
        kinds = ((filtered, several) for filtered in (False, True) for several in (False, True))
        if any(_is_table(path.name[len(video.stem) :], *kind) for kind in kinds) and other_video(path, video) is None:
            found[path.stem] = path
    return sorted(found.values(), key=lambda p: p.stat().st_mtime, reverse=True)


def _is_table(rest: str, filtered: bool, several: bool) -> bool:
    """Whether a file is a table of poses of one animal, or of several, by what follows the video in its name.

    DeepLabCut 2.0 wrote ``DeepCut_resnet50_…`` and ``…filtered``, its SuperAnimals write ``_superanimal_…`` for any
    number of animals. Copies that a file manager made don't count.
    """
    tools = rf"DLC|DeepCut_|{SUPERANIMAL}(?!.*DLC_)"  # else of another video, whose name goes on so
    kinds = "_?filtered|_skeleton|_labeled|_kinematics|_spread"
    match = re.fullmatch(rf"({tools}).*?({'|'.join(TRACKERS)})?({kinds})?\.(?:h5|csv)", rest)
    if match is None or is_stray(rest):
        return False
    wanted = ("filtered", "_filtered") if filtered else (None,)
    return (bool(match[2]) or match[1] == SUPERANIMAL) == several and match[3] in wanted


def other_video(table: StrPath, video: StrPath) -> Path | None:
    """The video that a table is of, as is noted beside it, if that is another than ``video``; None = this, or unknown.

    Two videos of one name (mouse.mp4 and mouse.avi) have one name for their tables. A copy, or a video that was moved
    since, is no other.
    """
    table = Path(table)
    try:
        note = read_json(table.with_name(f"{table.stem}_meta.json"))
        other, size = Path(note["result"]["video"]), note["key"]["video"]["bytes"]
        same = not other.is_file() or other.samefile(video) or os.path.getsize(video) == size
    except (OSError, KeyError, TypeError, ValueError):
        return None
    return None if same else other


@dataclass(eq=False)
class Poses:
    """Poses of one animal in one video.

    Parameters
    ----------
    bodyparts : tuple of str (K,)
    scorer : str
        The network's name, such as ``DLC_Resnet50_reachMar5shuffle1_snapshot_100``.
    points : array_like
        ``(T, K, 2)`` x and y in pixels of the full frame; NaN = no prediction, as in a damaged frame.
    likelihood : array_like
        ``(T, K)`` from 0 to 1; NaN = no prediction.
    unit : str
        Of the points: "px", or "cm" after `in_cm`, for figures and tables; only pixels can be written.
    spread : dlcnb.poses.Spread, optional
        How far the networks of an ensemble lie apart (``dlcnb analyze --ensemble``); it is read with the points, and
        not written with them.

    Raises
    ------
    TableError
        If the sizes don't fit together or a bodypart is named twice.
    """

    bodyparts: tuple[str, ...]
    scorer: str
    points: NDArray[np.float64]
    likelihood: NDArray[np.float64]
    unit: str = "px"
    spread: Spread | None = None

    def __post_init__(self) -> None:
        self.bodyparts = tuple(self.bodyparts)
        self.points, self.likelihood = np.asarray(self.points, float), np.asarray(self.likelihood, float)
        shape = (len(self.points), len(self.bodyparts))
        if self.points.shape != (*shape, 2) or self.likelihood.shape != shape:
            raise TableError(
                f"expected points (frames, {shape[1]}, 2) and a likelihood (frames, {shape[1]}) for the bodyparts "
                f"{', '.join(self.bodyparts)}, found {self.points.shape} and {self.likelihood.shape}"
            )
        if len(set(self.bodyparts)) != len(self.bodyparts):
            raise TableError(f"a bodypart is named twice: {', '.join(self.bodyparts)}")
        if self.spread is not None and self.spread.px.shape != shape:
            raise TableError(f"expected the spread of {shape[0]} frames, found that of {len(self.spread)}")

    def __len__(self) -> int:
        return len(self.points)

    def __repr__(self) -> str:
        return f"Poses(scorer={self.scorer!r}, {len(self)} frames, bodyparts={', '.join(self.bodyparts)})"

    @classmethod
    def read(cls, path: StrPath, frames: int | None = None) -> Poses:
        """Read an h5 or csv of predictions, by dlcnb or DeepLabCut (one animal).

        Frames without a row, as in a table of part of a video, get NaN, so row ``i`` is always frame ``i``. Points that
        DeepLabCut counted from the corner of a crop are moved to the full frame, with a warning.
        Where it is damaged and the other of an h5 and a csv is not, that is read, with a warning.
        ``frames``: how many the video has; see `fitted`. Nothing in an h5 is unpickled. Raises `TableError` for a table
        of another kind or a damaged one, `FileNotFoundError` if there is none.
        """
        table = _intact(Path(path))
        scorer, bodyparts, values = coordinates(table, _COORDS)
        values = found_only(by_frame(table.path, table.index, values))
        corner = crop_corner(table.path)
        if corner is not None:
            values = values + (*corner, 0)
        poses = cls(bodyparts, scorer, values[..., :2].copy(), values[..., 2].copy())
        poses.spread = _read_spread(table.path, poses)
        return poses if frames is None else poses.fitted(frames, path)

    def write(self, video: StrPath, suffix: str = "") -> tuple[Path, Path]:
        """Write the poses as DeepLabCut does, ``<video><scorer><suffix>.h5`` and ``.csv``; both or neither.

        Parameters
        ----------
        video : path
            The video, beside which the tables go; or a path of `poses_path`, whose name is then kept.
        suffix : str
            Such as ``_filtered``.

        Returns
        -------
        h5, csv : Path

        Raises
        ------
        OSError
            With a clear message for a full or read-only disk; older tables are then unchanged.
        """
        if self.unit != "px":
            raise TableError(f"expected poses in px to write, found {self.unit}; write those that they were made of")
        return write_frame(self.frame(), video, self.scorer, suffix)

    def fitted(self, frames: int, where: StrPath = "the table") -> Poses:
        """These poses for a video of so many frames, as programs count them differently.

        Frames that are lacking at the end get NaN, and rows beyond it are left out, both with a warning that names
        ``where`` the poses are from. More than a few percent is another video: `TableError`.
        """
        differ = len(self) - frames
        if not differ:
            return self
        how = f"{where} has poses of {len(self)} frames, the video has {frames}"
        if abs(differ) > max(_MISCOUNTED * frames, 5):
            raise TableError(f"{how}; are they of another video? Analyze this one (dlcnb analyze)")
        log.warning("%s; %s", how, "the last frames have none" if differ < 0 else "those beyond its end are left out")
        points, likelihood = (
            np.full((frames, *self.points.shape[1:]), np.nan),
            np.full((frames, len(self.bodyparts)), np.nan),
        )
        points[: len(self)], likelihood[: len(self)] = self.points[:frames], self.likelihood[:frames]
        spread = None if self.spread is None else self.spread.fitted(frames)
        return replace(self, points=points, likelihood=likelihood, spread=spread)

    def within(self, frames: int, where: StrPath = "the table") -> Poses:
        """These poses, `fitted` where they are more than a video has frames; fewer may be those of a part of it."""
        return self.fitted(frames, where) if len(self) > frames else self

    def masked(self, pcutoff: float) -> NDArray[np.float64]:
        """Points ``(T, K, 2)``, NaN where the likelihood is below ``pcutoff`` or unknown; a new array."""
        return np.where((self.likelihood >= pcutoff)[..., None], self.points, np.nan)

    def in_cm(self, scale: Scale) -> Poses:
        """These poses with points in centimetres, for figures; new arrays, the likelihood the same."""
        return replace(self, points=scale.to_cm(self.points), unit="cm", spread=None)

    def frame(self, first: int = 0) -> pd.DataFrame:
        """The table, whose rows count from ``first``."""
        import pandas as pd

        values = np.concatenate([self.points, self.likelihood[..., None]], axis=-1)  # (T, K, 3)
        columns = pd.MultiIndex.from_product([[self.scorer], self.bodyparts, _COORDS], names=HEADER)
        index = range(first, first + len(self))
        return pd.DataFrame(values.reshape(len(self), 3 * len(self.bodyparts)), columns=columns, index=index)


def _intact(path: Path) -> Table:
    """A table; of an h5 and a csv the other, with a warning, where this one is damaged."""
    try:
        return read_table(path)
    except TableError as error:
        other = path.with_suffix(".csv" if is_h5(path) else ".h5")
        if not other.is_file():
            raise
        try:
            found = read_table(other)
        except TableError:
            raise error from None
        log.warning("%s. %s is read", error, other.name)
        return found


def _read_spread(table: Path, poses: Poses) -> Spread | None:
    """The spread beside a table of poses; None where there is none, or one that does not fit (a warning says so)."""
    path = spread_path(table)
    if not path.exists():
        return None
    try:
        found = read_table(path)
        _, _, values = coordinates(found, COORDS, scorer=poses.scorer, bodyparts=poses.bodyparts)
        values = by_frame(path, found.index, values)
        px, networks = values[..., 0], np.where(np.isnan(values[..., 1]), 0.0, values[..., 1])
        if (px < 0).any() or np.isinf(px).any() or not ((networks >= 0) & (networks < _MANY)).all():
            raise TableError(
                f"{path}: expected px and counts of networks, found other numbers; analyze the video again"
            )
        return Spread(poses.bodyparts, poses.scorer, px, networks).fitted(len(poses))
    except (TableError, OSError) as error:
        log.warning("the spread of the networks is left out: %s", error)
        return None


def write_chunks(
    path: StrPath, chunks: Iterable[Poses] | Iterable[MultiAnimalPoses] | Iterable[Spread], total: int
) -> tuple[Path, Path]:
    """Write the tables of one video from its parts, so that a long video never lies in memory as a whole.

    They hold what ``write`` of the poses writes, and raise the same errors.

    Parameters
    ----------
    path : as in `Poses.write`.
    chunks : iterable of Poses, of MultiAnimalPoses, or of Spread
        Of consecutive frames, from 0 on; at least one.
    total : int
        Frames in all.

    Returns
    -------
    h5, csv : Path
    """
    coming: Iterator[Poses | MultiAnimalPoses | Spread] = iter(chunks)
    chunk: Poses | MultiAnimalPoses | Spread | None
    chunk, first = next(coming), 0
    h5_path, csv_path = table_paths(path, chunk.scorer)
    with atomic_path(h5_path) as h5_new, atomic_path(csv_path) as csv_new:
        with h5_appender(h5_new) as append, open(csv_new, "w", encoding="utf-8", newline="") as csv_file:
            while chunk is not None:
                frame = chunk.frame(first)
                append(frame)
                frame.to_csv(csv_file, lineterminator="\n", header=first == 0)
                first, chunk = first + len(chunk), next(coming, None)
        if first != total:
            raise TableError(f"expected {total} frames for {h5_path}, found {first}")
    return h5_path, csv_path


def write_frame(frame: pd.DataFrame, video: StrPath, scorer: str, suffix: str) -> tuple[Path, Path]:
    """Write a table as h5 and csv where `Poses.write` says, both or neither; returns their paths."""
    h5_path, csv_path = table_paths(video, scorer, suffix)
    data = h5_bytes(frame, "table" if len(frame) else "fixed")  # pandas writes no empty table
    with atomic_path(h5_path) as h5_new, atomic_path(csv_path) as csv_new:
        h5_new.write_bytes(data)
        frame.to_csv(csv_new, lineterminator="\n")
    note_full_frame(h5_path)
    return h5_path, csv_path


def table_paths(video: StrPath, scorer: str, suffix: str = "") -> tuple[Path, Path]:
    """(h5, csv) of the poses of a video, or of a path of `poses_path`."""
    path = Path(video)
    if is_video(path):
        path = poses_path(path, scorer)
    base = path.stem if is_h5(path) or path.suffix == ".csv" else path.name
    return path.with_name(f"{base}{suffix}.h5"), path.with_name(f"{base}{suffix}.csv")


def found_only(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Values ``(..., 3)`` of x, y and likelihood, NaN where that is below 0: DeepLabCut 3 fills with -1."""
    return np.where(values[..., 2:] < 0, np.nan, values)


def by_frame(path: Path, index: Sequence[str], values: NDArray[np.float64]) -> NDArray[np.float64]:
    """The rows ``(rows, ...)`` of a table at the places of their frames ``(T, ...)``; NaN in those without a row.

    ``index``: what names each row. Raises `TableError` if that is no frame number, there twice, or absurdly high.
    """
    for row in index:
        if not re.fullmatch(r"\d{1,8}", row):
            raise TableError(
                f"{path}: expected frame numbers from 0 in the first column, found {row!r}; is it a table of labels?"
            )
    frames = np.array(list(map(int, index)), np.int64)
    if len(np.unique(frames)) != len(frames):
        raise TableError(f"{path}: a frame has more than one row")
    if np.array_equal(frames, np.arange(len(frames))):
        return values
    count = int(frames.max()) + 1
    if count > max(_ANY_VIDEO, _SPARSE * len(frames)):
        raise TableError(f"{path}: row {count - 1} lies far beyond the {len(frames)} rows of the table; correct it")
    whole = np.full((count, *values.shape[1:]), np.nan)
    whole[frames] = values
    return whole
