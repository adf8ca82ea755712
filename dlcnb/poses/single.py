"""Poses over time: the points and likelihoods of every frame of a video, kept as DeepLabCut keeps them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from glob import escape
from pathlib import Path

import numpy as np

from dlcnb.files import atomic_path
from dlcnb.project import is_video
from dlcnb.tables.errors import TableError
from dlcnb.tables.h5 import h5_appender, h5_bytes, is_h5
from dlcnb.tables.table import HEADER, coordinates, read_table

__all__ = ["Poses", "find_poses", "poses_path", "write_chunks"]

_COORDS = ("x", "y", "likelihood")


def poses_path(video, scorer, suffix="", folder=None):
    """Where DeepLabCut keeps the poses of a video: ``<video><scorer><suffix>.h5``, beside it or in ``folder``."""
    video = Path(video)
    return (video.parent if folder is None else Path(folder)) / f"{video.stem}{scorer}{suffix}.h5"


def find_poses(video, folder=None, filtered=False):
    """The newest table of poses of a video, in ``folder`` or beside it; raises FileNotFoundError if there is none."""
    video = Path(video)
    folder = video.absolute().parent if folder is None else Path(folder)
    tables = [path for path in folder.glob(f"{escape(video.stem)}DLC*") if path.suffix in (".h5", ".csv")]
    pictured = ("_skeleton", "_labeled", "_el")
    found = [p for p in tables if not p.stem.endswith(pictured) and p.stem.endswith("_filtered") == filtered]
    if not found:
        what, how = ("filtered poses", "dlcnb filter") if filtered else ("poses", "dlcnb analyze")
        raise FileNotFoundError(
            f"No {what} of {video} in {folder}. Make them first ({how}), or name their folder with --tables."
        )
    return max(found, key=lambda p: (p.stat().st_mtime, p.suffix == ".h5"))


@dataclass(eq=False)
class Poses:
    """Poses of one animal in one video.

    Parameters
    ----------
    bodyparts : tuple of str
        K names.
    scorer : str
        The network's name, such as ``DLC_Resnet50_reachMar5shuffle1_snapshot_100``.
    points : array_like
        ``(T, K, 2)`` x and y in pixels of the full frame; NaN = no prediction, as in a damaged frame.
    likelihood : array_like
        ``(T, K)`` from 0 to 1; NaN = no prediction.

    Raises
    ------
    TableError
        If the sizes don't fit together or a bodypart is named twice.
    """

    bodyparts: tuple[str, ...]
    scorer: str
    points: np.ndarray
    likelihood: np.ndarray

    def __post_init__(self):
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

    def __len__(self):
        return len(self.points)

    def __repr__(self):
        return f"Poses(scorer={self.scorer!r}, {len(self)} frames, bodyparts={', '.join(self.bodyparts)})"

    @classmethod
    def read(cls, path):
        """Read an h5 or csv of predictions, by dlcnb or DeepLabCut (one animal).

        Frames without a row, as in a table of part of a video, get NaN, so row ``i`` is always frame ``i``.
        Nothing in an h5 is unpickled. Raises `TableError` for a table of another kind or a damaged one,
        `FileNotFoundError` if there is none.
        """
        table = read_table(path)
        scorer, bodyparts, values = coordinates(table, _COORDS)
        frames = _frame_numbers(table)
        if not np.array_equal(frames, np.arange(len(frames))):
            sparse, values = values, np.full((frames.max() + 1, *values.shape[1:]), np.nan)
            values[frames] = sparse
        return cls(bodyparts, scorer, values[..., :2].copy(), values[..., 2].copy())

    def write(self, video, suffix=""):
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
        h5_path, csv_path = _table_paths(video, self.scorer, suffix)
        frame = self._frame()
        data = h5_bytes(frame, "table" if len(self) else "fixed")  # pandas writes no empty table
        with atomic_path(h5_path) as h5_new, atomic_path(csv_path) as csv_new:
            h5_new.write_bytes(data)
            frame.to_csv(csv_new, lineterminator="\n")
        return h5_path, csv_path

    def masked(self, pcutoff):
        """Points ``(T, K, 2)``, NaN where the likelihood is below ``pcutoff`` or unknown; a new array."""
        return np.where((self.likelihood >= pcutoff)[..., None], self.points, np.nan)

    def _frame(self, first=0):
        import pandas as pd

        values = np.concatenate([self.points, self.likelihood[..., None]], axis=-1)  # (T, K, 3)
        columns = pd.MultiIndex.from_product([[self.scorer], self.bodyparts, _COORDS], names=HEADER)
        index = range(first, first + len(self))
        return pd.DataFrame(values.reshape(len(self), 3 * len(self.bodyparts)), columns=columns, index=index)


def write_chunks(path, chunks, total):
    """Write the tables of one video from its parts, so that a long video never lies in memory as a whole.

    They hold what ``write`` of the poses writes, and raise the same errors.

    Parameters
    ----------
    path : as in `Poses.write`.
    chunks : iterable of Poses, or of MultiAnimalPoses
        Of consecutive frames, from 0 on; at least one.
    total : int
        Frames in all.

    Returns
    -------
    h5, csv : Path
    """
    chunks = iter(chunks)
    chunk, first = next(chunks), 0
    h5_path, csv_path = _table_paths(path, chunk.scorer)
    with atomic_path(h5_path) as h5_new, atomic_path(csv_path) as csv_new:
        with h5_appender(h5_new) as append, open(csv_new, "w", encoding="utf-8", newline="") as csv_file:
            while chunk is not None:
                frame = chunk._frame(first)
                append(frame)
                frame.to_csv(csv_file, lineterminator="\n", header=first == 0)
                first, chunk = first + len(chunk), next(chunks, None)
        if first != total:
            raise TableError(f"expected {total} frames for {h5_path}, found {first}")
    return h5_path, csv_path


def _table_paths(video, scorer, suffix=""):
    """(h5, csv) of the poses of a video, or of a path of `poses_path`."""
    path = Path(video)
    if is_video(path):
        path = poses_path(path, scorer)
    base = path.stem if is_h5(path) or path.suffix == ".csv" else path.name
    return tuple(path.with_name(f"{base}{suffix}{kind}") for kind in (".h5", ".csv"))


def _frame_numbers(table):
    """The index of a table as int64 frame numbers; raises `TableError` if it is anything else."""
    wrong = [row for row in table.index if not re.fullmatch(r"\d{1,8}", row)]
    if wrong:
        message = f"{table.path}: expected frame numbers from 0 in the first column, found {wrong[0]!r}"
        raise TableError(f"{message}; is it a table of labels?")
    frames = np.array(list(map(int, table.index)), np.int64)
    if len(np.unique(frames)) != len(frames):
        raise TableError(f"{table.path}: a frame has more than one row")
    return frames
