"""PCK: the share of points that lie within a distance of their label, over that distance."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dlcnb.evaluate.summary import number

__all__ = ["PckCurve", "pck_curve"]

_NEAR = 20.0  # px up to which the curve is fine
_ROWS = 100  # bootstrap samples that are in memory at once


@dataclass(frozen=True, eq=False)
class PckCurve:
    """Percentage of correct keypoints, as a share.

    Attributes
    ----------
    thresholds_px : numpy.ndarray
        (M,) rising distances, pixels.
    share : numpy.ndarray
        (M,) share of the points whose error is at most that, 0..1; NaN without points.
    low, high : numpy.ndarray
        (M,) its 95% interval, from resampling frames; NaN with fewer than two labeled frames.
    n : int
        Points.
    """

    thresholds_px: NDArray[np.float64]
    share: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    n: int

    def at(self, px: float) -> float:
        """The share within ``px`` pixels, between the thresholds by straight lines."""
        return float(np.interp(px, self.thresholds_px, self.share))

    @property
    def area(self) -> float:
        """Mean height of the curve, 0..1: one number that rewards small errors."""
        if not self.n:
            return math.nan
        steps, heights = np.diff(self.thresholds_px), (self.share[1:] + self.share[:-1]) / 2
        return float((steps * heights).sum() / steps.sum())

    def to_json(self) -> dict[str, Any]:
        """Plain lists; NaN becomes None."""
        columns = {name: getattr(self, name) for name in ("thresholds_px", "share", "low", "high")}
        return {name: [number(v) for v in values] for name, values in columns.items()} | {"n": self.n}


def pck_curve(errors: ArrayLike, thresholds_px: ArrayLike | None = None, *, seed: int = 0, n: int = 1000) -> PckCurve:
    """PCK curve of errors.

    Parameters
    ----------
    errors : array_like
        (N, K) pixels; NaN = unlabeled.
    thresholds_px : array_like, optional
        Rising distances; by default 81 from 0 to 20 px, and 80 more up to the 95th percentile of the errors if that is
        more.
    seed, n : int
        Of the bootstrap over frames: its seed and number of resamples.

    Returns
    -------
    PckCurve
    """
    errors = np.asarray(errors, float)
    if errors.ndim != 2:
        raise ValueError(f"Expected errors (frames, bodyparts), found an array of shape {errors.shape}.")
    found = np.isfinite(errors)
    if thresholds_px is None:
        last = max(_NEAR, math.ceil(np.percentile(errors[found], 95))) if found.any() else _NEAR
        thresholds_px = np.linspace(0, _NEAR, 81)  # always: a few large errors make the near ones no coarser
        if last > _NEAR:
            thresholds_px = np.concatenate([thresholds_px, np.linspace(_NEAR, last, 81)[1:]])
    thresholds_px = np.asarray(thresholds_px, float)
    if thresholds_px.ndim != 1 or (np.diff(thresholds_px) <= 0).any():
        raise ValueError("thresholds_px must be a list of rising distances in pixels.")
    some = errors[found.any(axis=1)]
    hits = (some[:, :, None] <= thresholds_px).sum(axis=1)  # (N, M); NaN is no hit
    counts = np.isfinite(some).sum(axis=1)  # (N,)
    nothing = np.full(len(thresholds_px), np.nan)
    share = hits.sum(axis=0) / counts.sum() if len(some) else nothing
    low, high = _interval(hits, counts, seed, n) if len(some) > 1 else (nothing, nothing)
    return PckCurve(thresholds_px, share, low, high, int(counts.sum()))


def _interval(
    hits: NDArray[np.int64], counts: NDArray[np.int64], seed: int, n: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """95% percentile interval (M,), (M,) of ``hits.sum(0) / counts.sum()`` over resampled frames."""
    rng, frames, drawn = np.random.default_rng(seed), len(counts), []
    for first in range(0, n, _ROWS):
        weights = rng.multinomial(frames, np.full(frames, 1 / frames), size=min(_ROWS, n - first))
        drawn.append((weights @ hits) / (weights @ counts)[:, None])
    return tuple(np.percentile(np.concatenate(drawn), [2.5, 97.5], axis=0))
