"""The videos of a report: how long, how sharp in time, and what their poses are worth."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dlcnb.files import StrPath, quoted
from dlcnb.poses import Poses, newest_poses, read_poses
from dlcnb.project import Project, Scale, scale_of
from dlcnb.trajectories.kinematics import frame_times
from dlcnb.video import VideoReader

__all__ = ["Recorded", "longest_gap", "recordings", "video_facts"]


@dataclass(eq=False)
class Recorded:
    """One video: its frames (``size`` is (height, width), ``times`` (T,) in s), its scale, and its poses, if any."""

    video: Path
    size: tuple[int, int]
    times: NDArray[np.float64]
    fps: float
    is_vfr: bool
    scale: Scale | None = None
    table: Path | None = None
    poses: Poses | None = None

    @property
    def name(self) -> str:
        """Its name without suffix."""
        return self.video.stem


def recordings(
    project: Project,
    videos: Sequence[str],
    tables: StrPath | None,
    left_out: list[str],
    tell: Callable[[float, str], None],
) -> list[Recorded]:
    """The videos that can be read, with their poses; a line in ``left_out`` for what is missing or damaged."""
    named = [Path(v).absolute() if Path(v).is_file() else project.video(v) for v in videos]
    found, without = [], []
    paths = list(dict.fromkeys(named)) or project.videos
    for n, path in enumerate(paths):
        tell(0.1 + 0.5 * n / len(paths), f"reading the poses of {path.name}")
        try:
            one = _recorded(project, path, left_out)
        except (ValueError, OSError) as error:
            left_out.append(f"Video {path.name}: {error}")
            continue
        found.append(one)
        try:
            one.table = newest_poses(path, tables)
            one.poses = read_poses(one.table).fitted(len(one.times), one.table)
        except FileNotFoundError:
            without.append(path.name)
        except (ValueError, OSError) as error:
            left_out.append(f"Poses of {path.name}: {error}")
    if without:
        command = " ".join([quoted(project.root), *map(quoted, without)])
        left_out.append(f"Poses of {', '.join(without)}: dlcnb analyze {command}")
    return found


def _recorded(project: Project, path: Path, left_out: list[str]) -> Recorded:
    with VideoReader(path) as reader:
        one = Recorded(path, reader.size, np.asarray(reader.times, float), float(reader.fps), reader.is_vfr)
    try:
        one.scale = scale_of(project, path, one.size)
    except ValueError as error:
        left_out.append(f"Scale: {error}")
    return one


def video_facts(one: Recorded, pcutoff: float) -> dict[str, Any]:
    """What is told of one video, as plain values; ``poses`` is None where it has none."""
    ends = _ends(one.times)
    return {
        "video": one.name,
        "frames": len(one.times),
        "seconds": float(ends[-1] - ends[0]),
        "fps": one.fps,
        "is_vfr": one.is_vfr,
        "size": list(one.size),
        "scale": None if one.scale is None else str(one.scale),
        "poses": None if one.poses is None else _quality(one.poses, one.times, pcutoff) | {"table": str(one.table)},
    }


def _quality(poses: Poses, times: NDArray[np.float64], pcutoff: float) -> dict[str, Any]:
    """How sure the points are, bodypart by bodypart, and where they are lost for long."""
    with np.errstate(invalid="ignore"):
        sure = (poses.likelihood >= pcutoff) & np.isfinite(poses.points).all(axis=-1)  # (T, K)
    gaps = [longest_gap(sure[:, k], times) for k in range(len(poses.bodyparts))]
    parts = {
        name: {"sure_share": _share(sure[:, k]), "longest_gap_s": gaps[k][0], "gap_from_s": gaps[k][1]}
        for k, name in enumerate(poses.bodyparts)
    }
    return {
        "scorer": poses.scorer,
        "sure_share": _share(sure),
        "all_sure_share": _share(sure.all(axis=1)),
        "empty_frames": int(np.isnan(poses.points).all(axis=(1, 2)).sum()),
        "bodyparts": parts,
        **_ensemble(poses),
    }


def _ensemble(poses: Poses) -> dict[str, Any]:
    """How many networks the poses are the median of, and how far these lie apart; 1 and None for one network."""
    if poses.spread is None or not len(poses):
        return {"networks": 1, "spread_px": None}
    known = poses.spread.px[np.isfinite(poses.spread.px)]
    return {
        "networks": int(poses.spread.networks.max()),
        "spread_px": float(np.median(known)) if len(known) else None,
    }


def longest_gap(sure: NDArray[np.bool_], times: NDArray[np.float64]) -> tuple[float, float | None]:
    """(length in s, when it begins in s from the first frame) of the longest time in which a bodypart is not sure.

    Parameters
    ----------
    sure : bool (T,)
    times : (T,) s of the frames.

    Examples
    --------
    >>> import numpy as np
    >>> longest_gap(np.array([True, False, False, True]), np.array([0.0, 0.5, 1.0, 1.5]))
    (1.0, 0.5)
    """
    edges = np.flatnonzero(np.diff(np.concatenate([[True], sure, [True]]).astype(np.int8)))
    first, after = edges[0::2], edges[1::2]
    if not len(first):
        return 0.0, None
    ends = _ends(times)
    lengths = ends[after] - ends[first]
    worst = int(np.argmax(lengths))
    return float(lengths[worst]), float(ends[first[worst]] - ends[0])


def _ends(times: NDArray[np.float64]) -> NDArray[np.float64]:
    """Times (T + 1,) at which frames begin, and the last one ends."""
    when = frame_times(len(times), 1.0, times)
    last = 2 * when[-1] - when[-2] if len(when) > 1 else when[-1:].sum() + 1.0
    return np.append(when, last)


def _share(values: NDArray[np.bool_]) -> float | None:
    return float(values.mean()) if values.size else None
