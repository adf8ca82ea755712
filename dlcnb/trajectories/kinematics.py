"""How the bodyparts move: velocity, speed, acceleration, the way they went, and where they were."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["acceleration", "distance_travelled", "frame_times", "heading", "occupancy", "speed", "velocity", "visits"]


def velocity(points: ArrayLike, fps: float = 1.0, *, times: ArrayLike | None = None) -> NDArray[np.float64]:
    """Velocity along the trajectory, from central differences (one-sided at both ends).

    Parameters
    ----------
    points : array_like
        (T, ..., 2) pixels, time first; NaN = not there.
    fps : float
        Frames per second; with the default the velocity is in pixels per frame.
    times : array_like, optional
        (T,) increasing times in seconds, for recordings of variable frame rate; then ``fps`` is not used.

    Returns
    -------
    numpy.ndarray
        (T, ..., 2) pixels per second; NaN where the point or a neighbour in time is not there, and everywhere in a
        recording of a single frame.
    """
    points = np.asarray(points, float)
    if len(points) < 2:
        return np.full(points.shape, np.nan)
    found = np.gradient(points, frame_times(len(points), fps, times), axis=0)
    gone = np.isnan(points).any(axis=-1)
    gone[1:] |= np.isnan(points[:-1]).any(axis=-1)
    gone[:-1] |= np.isnan(points[1:]).any(axis=-1)
    found[gone] = np.nan
    return found


def speed(points: ArrayLike, fps: float = 1.0, *, times: ArrayLike | None = None) -> NDArray[np.float64]:
    """Length of the `velocity`: (T, ...) pixels per second, never negative; arguments and NaN as there.

    >>> speed([[0, 0], [3, 4], [6, 8]], fps=30)
    array([150., 150., 150.])
    """
    found = velocity(points, fps, times=times)
    return np.hypot(found[..., 0], found[..., 1])


def heading(points: ArrayLike, fps: float = 1.0, *, times: ArrayLike | None = None) -> NDArray[np.float64]:
    """Direction of the `velocity`: (T, ...) degrees from 0 to 360; arguments as there.

    0 is to the right, 90 **down**, as y runs in images (and as DeepLabCut counts). NaN also where nothing moves.

    >>> heading([[0, 0], [1, 0], [2, 0]])
    array([0., 0., 0.])
    """
    found = velocity(points, fps, times=times)
    return np.where((found == 0).all(axis=-1), np.nan, compass(np.arctan2(found[..., 1], found[..., 0])))


def compass(radians: ArrayLike) -> NDArray[np.float64]:
    """Directions as degrees from 0 to below 360."""
    angles = np.degrees(radians) % 360
    return np.where(angles >= 360, 0.0, angles)  # that of a tiny negative angle


def acceleration(points: ArrayLike, fps: float = 1.0, *, times: ArrayLike | None = None) -> NDArray[np.float64]:
    """Acceleration along the trajectory, exact for uniform acceleration.

    From each point and its two neighbours in time; the first and the last frame take their neighbour's value.

    Parameters
    ----------
    points, fps, times
        As `velocity`.

    Returns
    -------
    numpy.ndarray
        (T, ..., 2) pixels per second squared; NaN where one of the three points is not there, and everywhere in a
        recording of less than three frames.
    """
    points = np.asarray(points, float)
    when = frame_times(len(points), fps, times)
    out = np.full(points.shape, np.nan)
    if len(points) < 3:
        return out
    steps = np.diff(when).reshape(-1, *[1] * (points.ndim - 1))
    slopes = np.diff(points, axis=0) / steps  # (T - 1, ..., 2)
    out[1:-1] = np.diff(slopes, axis=0) / (0.5 * (steps[1:] + steps[:-1]))
    out[0], out[-1] = out[1], out[-2]
    out[np.isnan(points).any(axis=-1)] = np.nan
    return out


def distance_travelled(points: ArrayLike) -> NDArray[np.float64]:
    """Way that each bodypart has gone since the first frame; its differences are the steps.

    Jitter of resting bodyparts adds up, so smooth first. A step from or to a missing point counts as none; where that
    matters, `fill_gaps` first.

    Parameters
    ----------
    points : array_like
        (T, ..., 2) pixels, time first; NaN = not there.

    Returns
    -------
    numpy.ndarray
        (T, ...) pixels, 0 in the first frame, never falling, never NaN.
    """
    points = np.asarray(points, float)
    steps = np.nan_to_num(np.linalg.norm(np.diff(points, axis=0), axis=-1))
    out = np.zeros(points.shape[:-1])
    np.cumsum(steps, axis=0, out=out[1:])
    return out


def occupancy(
    points: ArrayLike, regions: Mapping[str, ArrayLike], *, times: ArrayLike | None = None, fps: float = 1.0
) -> dict[str, NDArray[np.float64]]:
    """Time that bodyparts spent in regions of the frame.

    Each frame counts for half of the time to the frame before and half of that to the next, so that all frames
    together are the length of the recording.

    Parameters
    ----------
    points : array_like
        (T, ..., 2) pixels, time first; a point that is not there (NaN) is in no region.
    regions : dict
        {name: (N, 2) corners of a polygon in pixels} or {name: (x1, y1, x2, y2) of a rectangle}; regions may overlap.
        A point on the left or upper edge is inside, one on the right or lower edge is not.
    times, fps
        As `velocity`.

    Returns
    -------
    dict
        {name: (...) seconds}, or frames with the default ``fps``.
    """
    points = np.asarray(points, float)
    when = frame_times(len(points), fps, times)
    share = np.zeros(len(points))
    if len(points) > 1:
        half = np.diff(when) / 2
        share[:-1] += half
        share[1:] += half
        share[[0, -1]] *= 2  # what the first and last frame last beyond the recording is not known: as long as inside
    elif len(points):
        share[:] = 1 / fps
    return {name: np.tensordot(share, inside(points, corners), 1) for name, corners in regions.items()}


def visits(points: ArrayLike, region: ArrayLike, *, shortest: int = 1) -> NDArray[np.int64]:
    """When one bodypart was in a region, as stretches of frames.

    Parameters
    ----------
    points : array_like
        (T, 2) pixels; NaN = in no region.
    region : array_like
        As in `occupancy`.
    shortest : int
        Stretches of fewer frames are left out.

    Returns
    -------
    numpy.ndarray
        int64 (n, 2): the first frame of each stretch, and the first frame after it.
    """
    there = np.concatenate([[False], inside(points, region), [False]])
    edges = np.flatnonzero(there[1:] != there[:-1]).reshape(-1, 2)
    return edges[edges[:, 1] - edges[:, 0] >= shortest]


def inside(points: ArrayLike, region: ArrayLike) -> NDArray[np.bool_]:
    """Which points (..., 2) lie in a region (see `occupancy`), bool (...)."""
    points, region = np.asarray(points, float), np.asarray(region, float)
    if region.shape == (4,):
        x1, y1, x2, y2 = region
        region = np.array([(x1, y1), (x2, y1), (x2, y2), (x1, y2)])
    if region.ndim != 2 or region.shape[1] != 2 or len(region) < 3 or not np.isfinite(region).all():
        raise ValueError(
            f"A region is (x1, y1, x2, y2) or at least three corners (N, 2) in pixels, found shape {region.shape}."
        )
    x, y = points[..., 0], points[..., 1]
    odd = np.zeros(x.shape, bool)
    for (x1, y1), (x2, y2) in zip(region, np.roll(region, -1, axis=0), strict=True):
        if y1 != y2:  # a horizontal edge is met by no horizontal ray
            crossed = (y1 <= y) != (y2 <= y)
            odd ^= crossed & (x >= x1 + (y - y1) * (x2 - x1) / (y2 - y1))
    return odd


def frame_times(count: int, fps: float, times: ArrayLike | None) -> NDArray[np.float64]:
    """Times of the frames in seconds, (T,) float64; raises `ValueError` unless they fit and increase."""
    if times is None:
        if not fps > 0:
            raise ValueError(f"fps must be above 0, got {fps}.")
        return np.arange(count) / fps
    times = np.asarray(times, float)
    if times.shape != (count,):
        raise ValueError(f"There are {count} frames, but times has shape {times.shape}; give one time per frame.")
    if not (np.diff(times) > 0).all():
        late = int(np.argmin(np.diff(times) > 0)) + 1
        raise ValueError(f"Times must increase from frame to frame; frame {late} is not later than the one before.")
    return times
