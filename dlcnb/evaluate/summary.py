"""Distances between labels and predictions, their summaries and confidence intervals."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["ErrorSummary", "bootstrap_ci", "errors", "number", "px_text", "summarize"]

_MOST = 1e100  # px that an error can be, so that squares and sums stay numbers


def errors(true: ArrayLike, predicted: ArrayLike) -> NDArray[np.float64]:
    """Euclidean distances between labels and predictions.

    Parameters
    ----------
    true, predicted : array_like
        (N, K, 2) in pixels; NaN = not there.

    Returns
    -------
    numpy.ndarray
        (N, K) float64, pixels, at most 1e100; NaN where either is not there.
    """
    true, predicted = np.asarray(true, float), np.asarray(predicted, float)
    if true.shape != predicted.shape or true.shape[-1:] != (2,):
        raise ValueError(
            f"Labels and predictions must be (frames, bodyparts, 2); got shapes {true.shape} and {predicted.shape}."
        )
    with np.errstate(over="ignore"):
        return np.minimum(np.hypot(*np.moveaxis(predicted - true, -1, 0)), _MOST)


@dataclass(frozen=True)
class ErrorSummary:
    """Errors of ``n`` points in pixels: mean (DeepLabCut's "RMSE"), true root mean square, median; NaN if n is 0."""

    mean_px: float
    rms_px: float
    median_px: float
    n: int

    def to_json(self) -> dict[str, float | None]:
        """The same as a dict; NaN becomes None."""
        return {"mean_px": number(self.mean_px), "rms_px": number(self.rms_px)} | {
            "median_px": number(self.median_px),
            "n": self.n,
        }


def summarize(errors: ArrayLike) -> ErrorSummary:
    """`ErrorSummary` of errors (any shape, pixels); NaN is left out."""
    found = np.asarray(errors, float)
    found = found[np.isfinite(found)]
    if not found.size:
        return ErrorSummary(math.nan, math.nan, math.nan, 0)
    rms = float(np.sqrt(np.mean(found**2)))
    return ErrorSummary(float(found.mean()), rms, float(np.median(found)), int(found.size))


def bootstrap_ci(errors: ArrayLike, seed: int = 0, n: int = 2000) -> tuple[float, float]:
    """95% confidence interval of the mean error, from resampling frames (points of one frame go together).

    Parameters
    ----------
    errors : array_like
        (N, K) pixels; NaN = unlabeled.
    seed : int
    n : int
        Resamples.

    Returns
    -------
    tuple of float
        (low, high) percentile interval, pixels; (NaN, NaN) with fewer than two labeled frames.
    """
    errors = np.asarray(errors, float)
    total, count = np.nansum(errors, axis=1), np.isfinite(errors).sum(axis=1)
    total, count = total[count > 0], count[count > 0]
    if len(count) < 2:
        return math.nan, math.nan
    rng = np.random.default_rng(seed)
    means = np.empty(n)
    for k in range(n):  # row by row, so that memory stays small
        drawn = rng.integers(0, len(count), len(count))
        means[k] = total[drawn].sum() / count[drawn].sum()
    low, high = np.percentile(means, [2.5, 97.5])
    return float(low), float(high)


def number(value: float) -> float | None:
    """A float for JSON: None instead of NaN or infinity."""
    return float(value) if math.isfinite(value) else None


def px_text(value: float, digits: int = 2) -> str:
    """Pixels for people: ``12.34``, but ``1e+12`` instead of a line of digits."""
    return f"{value:.{digits}f}" if abs(value) < 1e6 else f"{value:.0e}"
