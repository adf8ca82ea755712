"""What the likelihood is worth: how often a point of that likelihood is right, and where to put the pcutoff."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dlcnb.evaluate.roc import ENOUGH, auc, best_cutoff, share_of
from dlcnb.evaluate.summary import number

__all__ = ["Calibration", "calibrate"]


@dataclass(frozen=True, eq=False)
class Calibration:
    """Reliability of the likelihood as a predictor of "the error is below ``epsilon_px``".

    A prediction is *right* if it lies closer than ``epsilon_px`` to its label. Where the bodypart was not labeled in a
    labeled frame (it was not visible), every prediction is wrong: the likelihood should be low there too.

    Attributes
    ----------
    epsilon_px : float
    likelihood, right : numpy.ndarray
        (P,) of each point that was compared: its likelihood, and whether it is right (bool).
    edges : numpy.ndarray
        (B + 1,) of the bins of likelihood, 0..1.
    mean_likelihood, share_right, low, high : numpy.ndarray
        (B,) per bin: mean likelihood, share of right points with its 95% interval (Wilson); NaN in an empty bin.
    n : numpy.ndarray
        (B,) points per bin.
    """

    epsilon_px: float
    likelihood: NDArray[np.float64]
    right: NDArray[np.bool_]
    edges: NDArray[np.float64]
    mean_likelihood: NDArray[np.float64]
    share_right: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    n: NDArray[np.int64]

    @property
    def expected_error(self) -> float:
        """Expected calibration error: mean distance of likelihood and share of right points, 0 is best."""
        filled = self.n > 0
        apart = np.abs(self.mean_likelihood - self.share_right)[filled]
        return float((self.n[filled] * apart).sum() / self.n.sum()) if filled.any() else math.nan

    @property
    def auc(self) -> float:
        """Chance that a right point has more likelihood than a wrong one (0.5: it tells nothing); NaN if one kind
        is missing.
        """
        return auc(self.likelihood[self.right], self.likelihood[~self.right])

    def at(self, pcutoff: float) -> dict[str, float]:
        """What a pcutoff does.

        Returns
        -------
        dict
            ``kept`` (share of all points), ``right_kept`` (share of the right ones), ``wrong_left_out`` (share of the
            wrong ones) and ``kept_right`` (share of right points among those kept); NaN of nothing.
        """
        keep, right = self.likelihood >= pcutoff, self.right
        return {
            "kept": share_of(keep),
            "right_kept": share_of(keep[right]),
            "wrong_left_out": share_of(~keep[~right]),
            "kept_right": share_of(right[keep]),
        }

    @property
    def suggested_pcutoff(self) -> float | None:
        """The pcutoff that separates right from wrong points best (Youden's J: the most right points kept plus wrong
        points left out); None with fewer than `ENOUGH` right or wrong points (it would follow single ones), or if no
        cutoff is better than another, or if the best one loses more than half of the right points.
        """
        return best_cutoff(self.likelihood[self.right], self.likelihood[~self.right])

    @property
    def too_few(self) -> str:
        """Which points are too few to suggest a pcutoff, as "only 1 wrong point"; "" where both kinds are enough."""
        counts = {"wrong": int((~self.right).sum()), "right": int(self.right.sum())}
        kind, count = min(counts.items(), key=lambda one: one[1])
        return f"{'only ' * (count > 0)}{count or 'no'} {kind} point{'s' * (count != 1)}" if count < ENOUGH else ""

    @property
    def why_none(self) -> str:
        """Why no pcutoff is suggested; "" where one is."""
        if self.suggested_pcutoff is not None:
            return ""
        if self.too_few:
            return f"{self.too_few}, and it takes {ENOUGH} of each kind"
        return "none tells wrong points from right ones without losing most of the right ones"

    def to_json(self) -> dict[str, Any]:
        """Bins and summaries as plain numbers; NaN becomes None."""
        suggested = self.suggested_pcutoff
        columns = ("edges", "mean_likelihood", "share_right", "low", "high")
        return {
            "epsilon_px": float(self.epsilon_px),
            "n": int(self.n.sum()),
            "n_wrong": int((~self.right).sum()),
            "expected_error": number(self.expected_error),
            "auc": number(self.auc),
            "suggested_pcutoff": suggested,
            "too_few": self.too_few,
            "why_none": self.why_none,
            "at_suggested": None if suggested is None else {k: number(v) for k, v in self.at(suggested).items()},
            "bins": {name: [number(v) for v in getattr(self, name)] for name in columns} | {"n": self.n.tolist()},
        }


def calibrate(
    errors: ArrayLike, likelihood: ArrayLike, *, epsilon_px: float = 5.0, bins: int = 10, absent: bool = True
) -> Calibration:
    """Compare likelihoods with what became of the predictions.

    Parameters
    ----------
    errors : array_like
        (N, K) pixels; NaN = not labeled.
    likelihood : array_like
        (N, K), 0..1.
    epsilon_px : float
        A prediction closer than that to its label is right.
    bins : int
        Equal bins of likelihood.
    absent : bool
        Count predictions of bodyparts that are not labeled as wrong; False leaves them out.

    Returns
    -------
    Calibration
    """
    errors, likelihood = np.asarray(errors, float), np.asarray(likelihood, float)
    if errors.shape != likelihood.shape:
        raise ValueError(f"Errors {errors.shape} and likelihood {likelihood.shape} must be of one shape.")
    if not epsilon_px > 0:
        raise ValueError(f"epsilon_px is a distance above 0 px, not {epsilon_px!r}.")
    used = np.isfinite(likelihood) & (np.isfinite(errors) | bool(absent))
    chance, right = likelihood[used], errors[used] < epsilon_px
    edges = np.linspace(0, 1, bins + 1)
    where = np.clip(np.searchsorted(edges, chance, side="right") - 1, 0, bins - 1)
    n, sure, hits = (np.bincount(where, weights, bins) for weights in (None, chance, right.astype(float)))
    filled = n > 0
    mean, share = (np.divide(sums, n, out=np.full(bins, np.nan), where=filled) for sums in (sure, hits))
    low, high = _wilson(share, n)
    return Calibration(float(epsilon_px), chance, right, edges, mean, share, low, high, n)


def _wilson(
    share: NDArray[np.float64], n: NDArray[Any], z: float = 1.96
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """95% interval of a share of ``n``; NaN where n is 0."""
    n = np.where(n > 0, n, np.nan)
    centre = (share + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z * np.sqrt(share * (1 - share) / n + z**2 / (4 * n**2)) / (1 + z**2 / n)
    return centre - half, centre + half
