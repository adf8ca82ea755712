"""The board of a rehearsal, checked against what the simulated students did, by another way of counting."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from statistics import median

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dlcnb.poses import newest_poses
from dlcnb.project import Project
from dlcnb.teaching.board import FEWEST, Board
from dlcnb.teaching.exercises import EXERCISES
from dlcnb.teaching.lesson import VIDEO, Lesson
from dlcnb.teaching.pupils import Pupil

__all__ = ["board_mistakes", "lost_points"]

ROUNDED = 0.02  # px; a file has hundredths


def board_mistakes(pupils: Sequence[Pupil], lesson: Lesson, board: Board, final: bool) -> list[str]:
    """What the board shows otherwise than these students' clicks and poses tell, a line each."""
    keys = {one.key: number for number, one in enumerate(board.taken)}
    rows = [keys.get(lesson.hand_in(_project(one, lesson)).key) for one in pupils]
    missing = [f"{one.name} ({one.number}) is missing" for one, row in zip(pupils, rows, strict=True) if row is None]
    if missing or len(board.taken) != len(pupils):
        return [*missing, f"expected {len(pupils)} students, the board has {len(board.taken)}"]
    clicks = [one.clicks(lesson) for one in pupils]
    standings = board.standings()
    found = []
    for n, (one, row) in enumerate(zip(pupils, rows, strict=True)):
        assert row is not None
        shown = standings[row]
        expected: dict[str, tuple[float, float]] = {
            "frames labeled": (float((~np.isnan(clicks[n])).any((1, 2)).sum()), shown.labeled),
            "points given": (float(np.isnan(clicks[n][..., 0]).sum()) if final else 0.0, shown.given),
            "px from the class": (_apart(clicks, n), shown.apart_px),
            "points": (_points(one, final), shown.score),
            "px of the network": (_network(one, lesson) if final else float("nan"), shown.network_px),
        }
        found += [
            f"{board.names[row]}: expected {wanted:.2f} {what}, the board has {got:.2f}"
            for what, (wanted, got) in expected.items()
            if not np.isclose(wanted, got, atol=ROUNDED, equal_nan=True)
        ]
        if final and one.swaps is not None and not any(_names_swap(words, one.swaps) for words in shown.advice):
            found.append(f"{board.names[row]}: exchanged ears in frame {one.swaps + 1}, and the board doesn't say so")
    return found


def lost_points(pupils: Sequence[Pupil], lesson: Lesson) -> int:
    """How many points that students placed are not in their tables on the disk, at their place."""
    lost = 0
    for one in pupils:
        clicks, table = one.clicks(lesson), _table(one, lesson)
        for t, k in np.argwhere(~np.isnan(clicks[..., 0])).tolist():
            lost += not np.allclose(table[t, k], clicks[t, k], atol=1e-6)
    return lost


def _project(pupil: Pupil, lesson: Lesson) -> Project:
    return Project.open(pupil.home / f"{lesson.name}-{pupil.name}")


def _table(pupil: Pupil, lesson: Lesson) -> NDArray[np.float64]:
    """The csv of a student's labels, as pandas reads it, ``(T, K, 2)`` px; NaN = not there."""
    path = _project(pupil, lesson).root / "labeled-data" / VIDEO / f"CollectedData_{pupil.name}.csv"
    if not path.exists():
        return np.full((len(lesson.images), len(lesson.bodyparts), 2), np.nan)
    table = pd.read_csv(path, header=[0, 1, 2], index_col=[0, 1, 2])
    table.index = ["/".join(map(str, row)) for row in table.index]
    return table.reindex(list(lesson.images)).to_numpy(float).reshape(len(lesson.images), -1, 2)


def _apart(clicks: Sequence[NDArray[np.float64]], n: int) -> float:
    """Median distance of a student's points from the median of the others', px; point by point."""
    away = []
    for at in zip(*(np.argwhere(~np.isnan(clicks[n][..., 0])).T), strict=True):
        others = [c[at] for m, c in enumerate(clicks) if m != n and not np.isnan(c[at]).any()]
        if len(others) >= FEWEST - 1:
            x, y = median(p[0] for p in others), median(p[1] for p in others)
            away.append(float(np.hypot(clicks[n][at][0] - x, clicks[n][at][1] - y)))
    return median(away) if away else float("nan")


def _points(pupil: Pupil, final: bool) -> float:
    """What the exercises brought: all of them at the end; labeling only with enough frames of one's own, and right."""
    first, *others = EXERCISES.values()
    labeled = 0.0 if pupil.late or pupil.swaps is not None else first.points
    return labeled + (sum(one.points for one in others) if final else 0.0)


def _network(pupil: Pupil, lesson: Lesson) -> float:
    """Mean error on the hidden frames of the poses on the disk, px."""
    path = newest_poses(_project(pupil, lesson).videos[0])
    table = pd.read_csv(path, header=[0, 1, 2], index_col=0) if path.suffix == ".csv" else pd.read_hdf(path)
    values = np.asarray(table.to_numpy(), float).reshape(len(table), len(lesson.bodyparts), 3)[..., :2]
    away = [np.hypot(*(values[n, k] - lesson.hidden[i, k])) for i, n, k in _places(lesson)]
    return float(np.nanmean(away))


def _places(lesson: Lesson) -> Iterator[tuple[int, int, int]]:
    """(row of the hidden frames, frame of the video, bodypart)."""
    for i, n in enumerate(lesson.frames[1].tolist()):
        for k in range(len(lesson.bodyparts)):
            yield i, n, k


def _names_swap(words: str, frame: int) -> bool:
    parts, _, frames = words.partition(" may be exchanged in ")
    return bool(frames) and "ear" in parts and str(frame + 1) in frames.replace(",", "").split()
