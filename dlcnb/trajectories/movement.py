"""Movement as tables: each frame of a video, one row per bodypart of it, and DeepLabCut's table of bones."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dlcnb.trajectories.bones import bone_angles, bone_lengths, joint_angles
from dlcnb.trajectories.filters import fill_gaps, mask
from dlcnb.trajectories.kinematics import acceleration, compass, distance_travelled, frame_times, heading, speed

if TYPE_CHECKING:
    import pandas as pd

    from dlcnb.poses import Poses
    from dlcnb.project import Scale, Skeleton

__all__ = ["kinematics_table", "movement_summary", "skeleton_table", "tracks"]


def tracks(
    poses: Poses, *, scale: Scale | None = None, pcutoff: float = 0.0, gap: int = 0, times: ArrayLike | None = None
) -> NDArray[np.float64]:
    """Points that movement is computed from.

    Parameters
    ----------
    poses : dlcnb.poses.Poses
    scale : dlcnb.project.Scale, optional
        Makes centimetres of them.
    pcutoff : float
        Points of a likelihood below it are left out.
    gap : int
        Gaps of up to so many frames are then filled, along straight lines.
    times : array_like, optional
        (T,) seconds.

    Returns
    -------
    numpy.ndarray
        (T, K, 2) px, or cm; NaN = not there.
    """
    points = mask(poses.points, poses.likelihood, pcutoff) if pcutoff > 0 else np.array(poses.points)
    points[np.isnan(points).any(axis=-1)] = np.nan
    if gap:
        points = fill_gaps(points, gap, times=times)
    return points if scale is None else scale.to_cm(points)


def kinematics_table(
    points: ArrayLike,
    bodyparts: tuple[str, ...],
    times: ArrayLike,
    *,
    unit: str = "px",
    skeleton: Skeleton | None = None,
) -> pd.DataFrame:
    """What moves how in each frame.

    Parameters
    ----------
    points, bodyparts : (T, K, 2) in ``unit``, NaN = not there; K names.
    times : (T,) seconds, increasing.
    unit : "px" or "cm", that of the points and of the columns' names.
    skeleton : whose bones, and angles between them, are measured as well.

    Returns
    -------
    pandas.DataFrame
        ``frame``, ``time_s``; of each bodypart ``<name>_x_px``, ``_y_px``, ``_speed_px_s``, ``_acceleration_px_s2``
        (the length of the vector), ``_heading_deg`` and ``_distance_px`` (travelled since the first frame); of each
        bone ``<a>_<b>_length_px`` and ``_angle_deg`` (directions: 0 right, 90 down), and at b
        ``<a>_<b>_<c>_angle_deg``. NaN where a point, or one of its neighbours in time that is needed, is not there.
    """
    import pandas as pd

    points = np.asarray(points, float)
    when = frame_times(len(points), 1.0, times)
    data: dict[str, Any] = {"frame": np.arange(len(points)), "time_s": when - when[:1]}
    for k, name in enumerate(bodyparts):
        one = points[:, k]
        data[f"{name}_x_{unit}"], data[f"{name}_y_{unit}"] = one.T
        data[f"{name}_speed_{unit}_s"] = speed(one, times=when)
        data[f"{name}_acceleration_{unit}_s2"] = np.hypot(*acceleration(one, times=when).T)
        data[f"{name}_heading_deg"] = heading(one, times=when)
        data[f"{name}_distance_{unit}"] = distance_travelled(one)
    if skeleton is not None and set(skeleton.bodyparts) <= set(bodyparts):
        data |= _posture(points[:, [bodyparts.index(part) for part in skeleton.bodyparts]], skeleton, unit)
    return pd.DataFrame(data)


def _posture(points: NDArray[np.float64], skeleton: Skeleton, unit: str) -> dict[str, Any]:
    """Columns of the bones and of the angles between those that meet."""
    found: dict[str, Any] = {}
    lengths, angles = bone_lengths(points, skeleton), compass(bone_angles(points, skeleton))
    for e, (a, b) in enumerate(skeleton.edges):
        found[f"{a}_{b}_length_{unit}"], found[f"{a}_{b}_angle_deg"] = lengths[:, e], angles[:, e]
    for at in skeleton.bodyparts:
        ends = [b if a == at else a for a, b in skeleton.edges if at in (a, b)]
        for a, c in combinations(dict.fromkeys(ends), 2):
            joint = [[skeleton.bodyparts.index(part) for part in (a, at, c)]]
            found[f"{a}_{at}_{c}_angle_deg"] = np.degrees(joint_angles(points, joint)[:, 0])
    return found


def movement_summary(
    points: ArrayLike, bodyparts: tuple[str, ...], times: ArrayLike, *, unit: str = "px", seen: ArrayLike | None = None
) -> list[dict[str, Any]]:
    """The whole video in one row for each bodypart.

    ``points``, ``bodyparts``, ``times`` and ``unit`` are as of `kinematics_table`; ``seen``, bool (T, K), is where a
    point was there before gaps were filled (by default where it is).

    Returns
    -------
    list of dict
        ``bodypart``, ``frames``, ``duration_s``, ``known_share`` (of the frames, before gaps were filled),
        ``filled_frames``, ``distance_px`` (between known neighbours only), ``mean_speed_px_s`` (that distance by the
        time it took), ``median_speed_px_s``, ``max_speed_px_s``, ``mean_acceleration_px_s2``; NaN where nothing is
        known.
    """
    points = np.asarray(points, float)
    when = frame_times(len(points), 1.0, times)
    there = np.isfinite(points).all(axis=-1)
    seen = there if seen is None else np.asarray(seen, bool)
    rows = []
    for k, name in enumerate(bodyparts):
        one = points[:, k]
        known = float(np.diff(when)[there[1:, k] & there[:-1, k]].sum())
        way = float(distance_travelled(one)[-1]) if len(one) else 0.0
        pace, pull = speed(one, times=when), np.hypot(*acceleration(one, times=when).T)
        rows.append({
            "bodypart": name,
            "frames": len(one),
            "duration_s": _duration(when),
            "known_share": float(seen[:, k].mean()) if len(one) else np.nan,
            "filled_frames": int((there[:, k] & ~seen[:, k]).sum()),
            f"distance_{unit}": way,
            f"mean_speed_{unit}_s": way / known if known else np.nan,
            f"median_speed_{unit}_s": _of_known(np.median, pace),
            f"max_speed_{unit}_s": _of_known(np.max, pace),
            f"mean_acceleration_{unit}_s2": _of_known(np.mean, pull),
        })  # fmt: skip
    return rows


def skeleton_table(poses: Poses, skeleton: Skeleton, individual: str = "") -> pd.DataFrame:
    """DeepLabCut's table of bones (``_skeleton.h5``): columns (bone ``<a>_<b>``, length | orientation | likelihood).

    Of one of several animals, the bones are named ``<individual>_<a>_<b>``.

    px; degrees from 0 to 360, 0 to the right and 90 down; the smaller likelihood of both ends. Every frame has values,
    whatever its likelihood, as with DeepLabCut.
    """
    import pandas as pd

    columns: dict[tuple[str, str], Any] = {}
    for a, b in skeleton.edges:
        name = f"{individual}_{a}_{b}" if individual else f"{a}_{b}"
        one, two = poses.bodyparts.index(a), poses.bodyparts.index(b)
        vector = poses.points[:, two] - poses.points[:, one]
        columns[name, "length"] = np.hypot(*vector.T)
        columns[name, "orientation"] = compass(np.arctan2(vector[:, 1], vector[:, 0]))
        columns[name, "likelihood"] = np.minimum(poses.likelihood[:, one], poses.likelihood[:, two])
    return pd.DataFrame(columns, index=range(len(poses)))


def _duration(when: NDArray[np.float64]) -> float:
    """Seconds of a recording; the last frame lasts as long as that before it."""
    return float(when[-1] - when[0] + when[-1] - when[-2]) if len(when) > 1 else 0.0


def _of_known(what: Any, values: NDArray[np.float64]) -> float:
    known = values[np.isfinite(values)]
    return float(what(known)) if len(known) else np.nan
