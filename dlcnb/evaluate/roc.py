"""How well a number tells two kinds apart: area under the ROC curve, and the cutoff that separates them best."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

__all__ = ["ENOUGH", "auc", "best_cutoff", "share_of"]

LEAST_KEPT = 0.5  # share of the right points, below which a cutoff is no help
ENOUGH = 5  # values of each kind, below which a cutoff would follow single ones


def auc(high: ArrayLike, low: ArrayLike) -> float:
    """Chance that one of ``high`` is larger than one of ``low`` (0.5: they can't be told apart).

    Parameters
    ----------
    high, low : array_like
        (P,) and (N,) values of the kind that should have more, and of the other; finite.

    Returns
    -------
    float
        0..1, equal values count half; NaN if one kind is missing.
    """
    high, low = np.asarray(high, float), np.sort(np.asarray(low, float))
    if not len(high) or not len(low):
        return math.nan
    below, upto = np.searchsorted(low, high, side="left"), np.searchsorted(low, high, side="right")
    return float((below + upto).mean() / 2 / len(low))


def best_cutoff(high: ArrayLike, low: ArrayLike) -> float | None:
    """The cutoff with the most of ``high`` at or above it plus the most of ``low`` below it (Youden's J).

    Parameters
    ----------
    high, low : array_like
        As in `auc`.

    Returns
    -------
    float or None
        In the widest gap between values that is as good as any, with few digits. None if one kind has fewer than
        `ENOUGH` values, if no cutoff is better than none, or if it would lose more than half of ``high``.
    """
    high, low = np.asarray(high, float), np.asarray(low, float)
    if min(len(high), len(low)) < ENOUGH:
        return None
    values, which = np.unique(np.concatenate([high, low]), return_inverse=True)
    highs = np.bincount(which[: len(high)], minlength=len(values)) / len(high)
    lows = np.bincount(which[len(high) :], minlength=len(values)) / len(low)
    gain = np.cumsum(lows - highs)[:-1]  # J of a cutoff between each value and the next
    if not len(gain) or gain.max() <= 0:
        return None
    best = np.flatnonzero(gain >= gain.max() - 1e-12)
    best = best[1 - np.cumsum(highs)[best] >= LEAST_KEPT - 1e-12]
    if not len(best):
        return None
    widest = best[np.argmax(values[best + 1] - values[best])]
    return _short_between(values[widest], values[widest + 1])


def share_of(chosen: ArrayLike) -> float:
    """Share of True values; NaN of nothing."""
    chosen = np.asarray(chosen, bool)
    return float(chosen.mean()) if len(chosen) else math.nan


def _short_between(low: float, high: float) -> float:
    """A number with few digits in ``low < x <= high``, near the middle."""
    middle = float(low + high) / 2
    return next((short for d in range(1, 12) if low < (short := round(middle, d)) <= high), middle)
