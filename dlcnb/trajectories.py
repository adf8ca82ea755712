"""From poses to clean trajectories: leave out unlikely points, smooth, measure speed. NaN = not there, everywhere."""

from __future__ import annotations

import numpy as np

__all__ = ["mask", "median_filter", "speed"]


def mask(points, likelihood, pcutoff):
    """Points without the unlikely ones.

    Parameters
    ----------
    points : array_like
        (..., K, 2) pixels.
    likelihood : array_like
        (..., K) in 0..1; NaN counts as unlikely.
    pcutoff : float
        Points of a likelihood below it are left out.

    Returns
    -------
    numpy.ndarray
        (..., K, 2) float64 copy, NaN where left out.
    """
    points, likelihood = np.array(points, float), np.asarray(likelihood, float)
    if points.shape != (*likelihood.shape, 2):
        raise ValueError(
            f"Points (…, bodyparts, 2) and likelihood (…, bodyparts) don't fit: {points.shape} and {likelihood.shape}."
        )
    points[~(likelihood >= pcutoff)] = np.nan
    return points


def median_filter(points, window=5):
    """Running median over time of each coordinate, which removes jumps of up to ``window // 2`` frames.

    The window is centred, and cut short at both ends of the recording. Missing values in it are left out; a missing
    point stays missing (`mask` first, and a jump does not become a guess).

    Parameters
    ----------
    points : array_like
        (T, ...), time first; NaN = not there.
    window : int
        Odd number of frames.

    Returns
    -------
    numpy.ndarray
        (T, ...) float64.
    """
    if window != int(window) or window < 1 or window % 2 == 0:
        raise ValueError(f"The window must be an odd number of frames (1, 3, 5 ...), got {window}.")
    points = np.asarray(points, float)
    half = int(window) // 2
    out = np.full(points.shape, np.nan)
    for start in range(0, len(points), 10_000):  # in parts, so that memory stays small
        stop = min(start + 10_000, len(points))
        low, high = max(start - half, 0), min(stop + half, len(points))
        ends = [(half - (start - low), half - (high - stop)), *[(0, 0)] * (points.ndim - 1)]
        padded = np.pad(points[low:high], ends, constant_values=np.nan)
        out[start:stop] = _nan_median(np.lib.stride_tricks.sliding_window_view(padded, int(window), axis=0))
    out[np.isnan(points)] = np.nan
    return out


def _nan_median(values):
    """Median over the last axis without NaN; NaN where all are (no warning, unlike `numpy.nanmedian`)."""
    ordered = np.sort(values, axis=-1)  # NaN sorts to the end
    count = np.isfinite(ordered).sum(axis=-1, keepdims=True)
    lower = np.take_along_axis(ordered, np.maximum(count - 1, 0) // 2, axis=-1)
    upper = np.take_along_axis(ordered, np.minimum(count // 2, values.shape[-1] - 1), axis=-1)
    return np.where(count > 0, (lower + upper) / 2, np.nan)[..., 0]


def speed(points, fps=1.0, *, times=None):
    """Speed along the trajectory, from central differences (one-sided at both ends).

    Parameters
    ----------
    points : array_like
        (T, ..., 2) pixels, time first; NaN = not there.
    fps : float
        Frames per second; with the default the speed is in pixels per frame.
    times : array_like, optional
        (T,) increasing times in seconds, for recordings of variable frame rate; then ``fps`` is not used.

    Returns
    -------
    numpy.ndarray
        (T, ...) pixels per second, never negative; NaN where the point or a neighbour in time is not there, and
        everywhere in a recording of a single frame.
    """
    points = np.asarray(points, float)
    if len(points) < 2:
        return np.full(points.shape[:-1], np.nan)
    velocity = np.gradient(points, _times(len(points), fps, times), axis=0)
    found = np.hypot(velocity[..., 0], velocity[..., 1])
    return np.where(np.isnan(points).any(axis=-1), np.nan, found)


def _times(count, fps, times):
    """Times in seconds: a number (spacing) or (T,); raises `ValueError`."""
    if times is None:
        if not fps > 0:
            raise ValueError(f"fps must be above 0, got {fps}.")
        return 1 / fps
    times = np.asarray(times, float)
    if times.shape != (count,):
        raise ValueError(f"There are {count} frames, but times has shape {times.shape}; give one time per frame.")
    if not (np.diff(times) > 0).all():
        late = int(np.argmin(np.diff(times) > 0)) + 1
        raise ValueError(f"Times must increase from frame to frame; frame {late} is not later than the one before.")
    return times
