"""Leave out unlikely points, smooth, fill short gaps. NaN = not there, everywhere; time is always the first axis."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["fill_gaps", "mask", "median_filter", "savgol_filter"]

_PART = 10_000  # frames that are filtered at a time, so that memory stays small


def mask(points: ArrayLike, likelihood: ArrayLike, pcutoff: float) -> NDArray[np.float64]:
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


def median_filter(points: ArrayLike, window: int = 5) -> NDArray[np.float64]:
    """Running median over time of each coordinate, which removes jumps of up to ``window // 2`` frames.

    The window is centred, and cut short at both ends of the recording. Missing values in it are left out; a missing
    point stays missing (`mask` first, and a jump does not become a guess; `fill_gaps` afterwards, if wanted).

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
    window = _odd(window)
    points = np.asarray(points, float)
    half = window // 2
    out = np.full(points.shape, np.nan)
    for start in range(0, len(points), _PART):
        stop = min(start + _PART, len(points))
        low, high = max(start - half, 0), min(stop + half, len(points))
        ends = [(half - (start - low), half - (high - stop)), *[(0, 0)] * (points.ndim - 1)]
        padded = np.pad(points[low:high], ends, constant_values=np.nan)
        out[start:stop] = _nan_median(np.lib.stride_tricks.sliding_window_view(padded, window, axis=0))
    out[np.isnan(points)] = np.nan
    return out


def savgol_filter(points: ArrayLike, window: int = 7, order: int = 3) -> NDArray[np.float64]:
    """Savitzky-Golay filter over time: in each window a polynomial is fitted, and its value at the centre taken.

    It keeps the height of peaks better than a mean. Every polynomial up to ``order`` comes through unchanged.
    At both ends, and beside missing points, the polynomial is fitted to the points that there are within the window;
    a point with no more than ``order`` others around it stays as it is. A missing point stays missing.

    Parameters
    ----------
    points : (T, ...), time first, evenly spaced; NaN = not there.
    window : odd number of frames, above ``order``.
    order : of the polynomial, from 0.

    Returns (T, ...) float64. Savitzky and Golay, Analytical Chemistry 36, 1627 (1964).
    """
    from scipy.ndimage import correlate1d
    from scipy.signal import savgol_coeffs

    window = _odd(window)
    if order != int(order) or not 0 <= order < window:
        raise ValueError(f"The order must be a whole number from 0 to {window - 1} (below the window), got {order}.")
    points = np.asarray(points, float)
    flat = points.reshape(len(points), int(np.prod(points.shape[1:])))
    there = np.isfinite(flat)
    weights = savgol_coeffs(window, int(order), use="dot")
    out = correlate1d(np.where(there, flat, 0.0), weights, axis=0, mode="constant") if flat.size else flat.copy()
    whole = correlate1d(there.astype(np.int32), np.ones(window, int), axis=0, mode="constant") == window
    for series in range(flat.shape[1]):
        rows = np.flatnonzero(there[:, series] & ~whole[:, series])
        for start in range(0, len(rows), _PART):
            part = rows[start : start + _PART]
            out[part, series] = _local_fit(flat[:, series], part, window // 2, int(order))
    out[~there] = np.nan
    return out.reshape(points.shape)


def fill_gaps(points: ArrayLike, limit: int | None = 10, *, times: ArrayLike | None = None) -> NDArray[np.float64]:
    """Fill gaps of up to ``limit`` frames by straight lines in time between the points on both sides.

    What is there is not changed; longer gaps, and what lies before the first or after the last point, stay missing.
    To fill along a curve, `kalman_smooth` has a limit too.

    Parameters
    ----------
    points : (T, ...), time first; NaN = not there. A last axis of 2 is not special: each coordinate is filled alone.
    limit : longest gap that is filled, in frames; None = any.
    times : (T,) increasing times, for recordings of variable frame rate.

    Returns
    -------
    (T, ...) float64.

    Examples
    --------
    >>> fill_gaps([1.0, np.nan, 3.0, np.nan, np.nan, 6.0], limit=1)
    array([ 1.,  2.,  3., nan, nan,  6.])
    """
    from dlcnb.trajectories.kinematics import frame_times

    if limit is not None and limit < 0:
        raise ValueError(f"The limit is a number of frames from 0 up, or None for any gap; got {limit}.")
    out = np.array(points, float)
    when = frame_times(len(out), 1.0, times)
    flat = out.reshape(len(out), int(np.prod(out.shape[1:])))
    for values in flat.T:  # views of ``out``
        known = np.flatnonzero(np.isfinite(values))
        missing = np.flatnonzero(np.isnan(values))
        after = np.searchsorted(known, missing)
        inside = (after > 0) & (after < len(known))
        missing, after = missing[inside], after[inside]
        if limit is not None:
            short = known[after] - known[after - 1] - 1 <= limit
            missing = missing[short]
        if len(missing):
            values[missing] = np.interp(when[missing], when[known], values[known])
    return flat.reshape(out.shape)


def _odd(window: int) -> int:
    if window != int(window) or window < 1 or window % 2 == 0:
        raise ValueError(f"The window must be an odd number of frames (1, 3, 5 ...), got {window}.")
    return int(window)


def _nan_median(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Median over the last axis without NaN; NaN where all are (no warning, unlike `numpy.nanmedian`)."""
    ordered = np.sort(values, axis=-1)  # NaN sorts to the end
    count = np.isfinite(ordered).sum(axis=-1, keepdims=True)
    lower = np.take_along_axis(ordered, np.maximum(count - 1, 0) // 2, axis=-1)
    upper = np.take_along_axis(ordered, np.minimum(count // 2, values.shape[-1] - 1), axis=-1)
    return np.where(count > 0, (lower + upper) / 2, np.nan)[..., 0]


def _local_fit(values: NDArray[np.float64], rows: NDArray[np.int64], half: int, order: int) -> NDArray[np.float64]:
    """Polynomials fitted to what is there in the windows around ``rows`` (n,), at their centres; float64 (n,)."""
    offsets = np.arange(-half, half + 1)
    at = rows[:, None] + offsets  # (n, window)
    window = np.where((at >= 0) & (at < len(values)), values[at.clip(0, len(values) - 1)], np.nan)
    there = np.isfinite(window)
    basis = (offsets[:, None] / max(half, 1)) ** np.arange(order + 1)  # (window, order + 1)
    weighted = there[:, :, None] * basis
    enough = there.sum(axis=1) > order
    gram = weighted[enough].transpose(0, 2, 1) @ basis
    right = np.einsum("nwo,nw->no", weighted[enough], np.where(there, window, 0.0)[enough])
    out = values[rows].copy()
    if enough.any():
        out[enough] = np.linalg.solve(gram, right[..., None])[:, 0, 0]
    return out
