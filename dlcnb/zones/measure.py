"""What bodyparts did in zones: time, entries, latency, distance, speed; when they were where; a map of the time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dlcnb.trajectories.kinematics import frame_times
from dlcnb.zones.shapes import Zone, ZoneError

__all__ = ["MINIMUM", "Stays", "heat_map", "stays", "zone_table"]

MINIMUM = 0.25  # s that a stay lasts at least
Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Stays:
    """When one bodypart was in one zone: ``frames`` int64 (n, 2), the first of each stay and the first after it."""

    zone: str
    bodypart: str
    frames: NDArray[np.int64]


def stays(there: ArrayLike, times: ArrayLike, minimum: float = MINIMUM) -> NDArray[np.int64]:
    """Stays of a bodypart that was in a zone in some of the frames.

    A stay begins when the zone is entered for at least ``minimum`` seconds, and ends when it is left, or the bodypart
    lost, for as long. What is shorter changes nothing, so a point that jitters over an edge enters once.

    Parameters
    ----------
    there : array_like
        bool (T,)
    times : array_like
        (T,) s, increasing.
    minimum : float
        s; 0 counts every frame.

    Returns
    -------
    numpy.ndarray
        int64 (n, 2): the first frame of each stay, and the first frame after it.

    Examples
    --------
    >>> stays([0, 1, 1, 0, 1, 1, 0, 0, 1], [0, 1, 2, 3, 4, 5, 6, 7, 8], minimum=2)
    array([[1, 6]])
    """
    there = np.asarray(there, bool)
    if not minimum >= 0:
        raise ValueError(f"the shortest stay is a number of seconds from 0, found {minimum}")
    if not len(there):
        return np.empty((0, 2), np.int64)
    begins = _ends(frame_times(len(there), 1.0, times))
    starts = np.concatenate([[0], np.flatnonzero(there[1:] != there[:-1]) + 1])
    last = np.append(starts[1:], len(there))
    long = begins[last] - begins[starts] >= minimum - 1e-9  # times are sums of fractions
    starts, state = starts[long], there[starts[long]]
    changed = np.concatenate([[True], state[1:] != state[:-1]]) if len(state) else np.empty(0, bool)
    starts, state = starts[changed], state[changed]
    after = np.append(starts[1:], len(there))
    return np.stack([starts[state], after[state]], axis=1).astype(np.int64)


def zone_table(
    points: ArrayLike,
    bodyparts: Sequence[str],
    zones: Sequence[Zone],
    times: ArrayLike,
    *,
    measured: ArrayLike | None = None,
    unit: str = "px",
    minimum: float = MINIMUM,
) -> tuple[list[dict[str, Any]], list[Stays]]:
    """Each bodypart in each zone, as a list of rows and the `Stays` of each row.

    A row has ``bodypart``, ``zone``, ``time_s`` (in it, whatever the shortest stay), ``time_share`` (of the time that
    the bodypart is known), ``entries`` (stays; one that begins with the video is one), ``latency_s`` (from the first
    frame to the first stay; NaN = never), ``longest_stay_s``, ``mean_stay_s``, ``distance_px`` (a step from or into the
    zone counts half, one beside a missing point not at all), ``mean_speed_px_s`` (that distance by its time),
    ``known_s`` and ``known_share`` (how long the bodypart is known, of the video's time), ``min_stay_s``.
    Raises `ZoneError` where there are no zones.

    Parameters
    ----------
    points : (T, K, 2) px of the frame; NaN = not there, and then in no zone.
    bodyparts, zones : K names, and zones.
    times : (T,) s, increasing.
    measured : the points in ``unit``, for distances (see `dlcnb.trajectories.tracks`); by default ``points``.
    unit, minimum : "px" or "cm"; s that a stay lasts at least (see `stays`).
    """
    points = np.asarray(points, float)
    way = points if measured is None else np.asarray(measured, float)
    when = frame_times(len(points), 1.0, times)
    if not zones:
        raise ZoneError("there are no zones to measure in; draw some first (Studio: Look, Zones; or ZoneEditor)")
    rows, found = [], []
    for k, bodypart in enumerate(bodyparts):
        one = np.ascontiguousarray(points[:, k])
        weights = _weights(np.ascontiguousarray(way[:, k]), when)
        for zone in zones:
            row, when_there = _in_zone(zone, one, weights, when, unit, minimum)
            rows.append({"bodypart": bodypart, "zone": zone.name, **row})
            found.append(Stays(zone.name, bodypart, when_there))
    return rows, found


def _in_zone(
    zone: Zone, one: Floats, weights: tuple[Floats, Floats, Floats], when: Floats, unit: str, minimum: float
) -> tuple[dict[str, Any], NDArray[np.int64]]:
    """Figures of one bodypart in one zone, and its stays there as (first frame, frame after the last)."""
    known = float(weights[0][np.isfinite(one).all(axis=-1)].sum())
    there = zone.inside(one)
    when_there = stays(there, when, minimum)
    last = {"known_s": known, "known_share": _share(known, weights[0].sum()), "min_stay_s": minimum}
    return {**_row(there, weights, known, unit), **_of_stays(when_there, when), **last}, when_there


def _row(there: NDArray[np.bool_], weights: tuple[Floats, Floats, Floats], known: float, unit: str) -> dict[str, Any]:
    time, way, moving = (float(weight[there].sum()) for weight in weights)
    return {
        "time_s": time,
        "time_share": _share(time, known),
        f"distance_{unit}": way,
        f"mean_speed_{unit}_s": way / moving if moving else np.nan,
    }


def _of_stays(frames: NDArray[np.int64], when: Floats) -> dict[str, Any]:
    begins = _ends(when)
    lengths = begins[frames[:, 1]] - begins[frames[:, 0]] if len(frames) else np.empty(0)
    return {
        "entries": len(frames),
        "latency_s": float(when[frames[0, 0]] - when[0]) if len(frames) else np.nan,
        "longest_stay_s": float(lengths.max()) if len(lengths) else 0.0,
        "mean_stay_s": float(lengths.mean()) if len(lengths) else np.nan,
    }


def _ends(when: Floats) -> Floats:
    """Times (T + 1,) at which frames begin, and the last one ends."""
    last = when[-1] + (when[-1] - when[-2]) if len(when) > 1 else when[-1] + 1.0
    return np.append(when, last)


def _weights(points: Floats, when: Floats) -> tuple[Floats, Floats, Floats]:
    """What each frame adds, (T,) each: seconds; half the steps to it and from it; the time that these took, seconds."""
    share = np.diff(_ends(when)) if len(when) else np.empty(0)
    way, moving = np.zeros(len(when)), np.zeros(len(when))
    steps = np.hypot(*np.diff(points, axis=0).T) if len(points) > 1 else np.empty(0)
    lasted = np.where(np.isnan(steps), 0.0, np.diff(when))
    for whole, part in ((way, np.nan_to_num(steps)), (moving, lasted)):
        whole[:-1] += part / 2
        whole[1:] += part / 2
    return share, way, moving


def _share(part: float, whole: float) -> float:
    return part / whole if whole else float("nan")


def heat_map(
    points: ArrayLike, times: ArrayLike, size: tuple[float, float], bin_px: float = 16.0
) -> tuple[Floats, tuple[float, float, float, float]]:
    """How long one bodypart was where.

    Parameters
    ----------
    points : array_like
        (T, 2) px; NaN = not there.
    times : array_like
        (T,) s.
    size : (height, width)
        Of the frame; what lies outside is left out.
    bin_px : float
        Side of a square.

    Returns
    -------
    seconds : float64 (rows, columns), the first row at the top.
    extent : (left, right, bottom, top) px, as `matplotlib.axes.Axes.imshow` takes it.
    """
    points, when = np.asarray(points, float), frame_times(len(np.asarray(points)), 1.0, times)
    rows, columns = (max(int(np.ceil(side / bin_px)), 1) for side in size)
    share = np.diff(_ends(when)) if len(when) else np.empty(0)
    inside = np.isfinite(points).all(axis=-1)
    down, across = ((points[inside, axis] + 0.5) // bin_px for axis in (1, 0))
    seen = (down >= 0) & (down < rows) & (across >= 0) & (across < columns)
    found = np.zeros((rows, columns))
    np.add.at(found, (down[seen].astype(int), across[seen].astype(int)), share[inside][seen])
    return found, (-0.5, columns * bin_px - 0.5, rows * bin_px - 0.5, -0.5)
