"""A likelihood that means what it says: of points with 0.8, eight in ten are right.

The network's own likelihood is the height of a peak. How often peaks of that height are right differs from network to
network, and is learnt from frames that it was not trained on (Platt scaling: a logistic regression on the logit).
"""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dlcnb.files import atomic_write, read_json

__all__ = ["FEWEST", "CalibratedLikelihood", "fit_likelihood"]

FEWEST = 10  # right points, and wrong ones, below which nothing can be learnt
POINTS = 30  # of both together, likewise
WITHIN = 0.1  # of the animal's size: a prediction so near to its label is right
_EDGE = 1e-6  # of a likelihood, which has a logit then


@dataclass(frozen=True)
class CalibratedLikelihood:
    """Turns the height of a peak into the chance that the point is right; higher peaks stay above lower ones.

    Attributes
    ----------
    slope, offset : float
        The chance is ``1 / (1 + exp(-(slope * logit(likelihood) + offset)))``.
    within_px : float
        Distance from the label up to which a point is right.
    right, wrong : int
        Points that it was learnt from; points of bodyparts that are not there are wrong ones.
    """

    slope: float
    offset: float
    within_px: float
    right: int
    wrong: int

    def __post_init__(self) -> None:
        numbers = (self.slope, self.offset, self.within_px)
        if not all(math.isfinite(value) for value in numbers) or self.slope <= 0:
            raise ValueError(f"A calibration needs a slope above 0 and finite numbers, found {numbers}.")

    def __call__(self, likelihood: ArrayLike) -> NDArray[np.float64]:
        """The calibrated likelihood, of the same shape, 0..1; NaN stays NaN."""
        return _chance(likelihood, self.slope, self.offset)

    def write(self, path: str | Path) -> None:
        """Write it as JSON, whole or not at all."""
        atomic_write(Path(path), json.dumps(asdict(self)))

    @classmethod
    def read(cls, path: str | Path) -> CalibratedLikelihood | None:
        """What `write` wrote; None without such a file, `ValueError` if it is damaged."""
        try:
            found = read_json(Path(path))
            slope, offset, within = (float(found[name]) for name in ("slope", "offset", "within_px"))
            return cls(slope, offset, within, int(found["right"]), int(found["wrong"]))
        except FileNotFoundError:
            return None
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            raise ValueError(
                f"{path} is not a calibration of the likelihood that dlcnb wrote ({error}). Delete it (the likelihood "
                "is the network's own then), or choose another snapshot."
            ) from error


def fit_likelihood(errors: ArrayLike, likelihood: ArrayLike, size_px: float) -> CalibratedLikelihood | None:
    """Learn what a likelihood is worth, from frames that the network was not trained on.

    Parameters
    ----------
    errors : array_like
        (N, K) distances from the labels, pixels; NaN = the bodypart is not there, so that any prediction is wrong.
        Frames without any label tell nothing and are left out.
    likelihood : array_like
        (N, K), the network's own, 0..1.
    size_px : float
        The animal's size (`dlcnb.evaluate.animal_px`); a prediction within a tenth of it is right.

    Returns
    -------
    CalibratedLikelihood or None
        None where it could do harm: with fewer than `FEWEST` right or wrong points or `POINTS` in all, without a size,
        if the likelihood tells nothing, or if it is worth no more in frames that were left out of the fit.
    """
    errors, likelihood = np.asarray(errors, float), np.asarray(likelihood, float)
    if errors.shape != likelihood.shape or errors.ndim != 2:
        raise ValueError(f"Expected two arrays (frames, bodyparts), found {errors.shape} and {likelihood.shape}.")
    used = np.isfinite(errors).any(axis=1, keepdims=True) & np.isfinite(likelihood)
    within = WITHIN * size_px
    right = errors[used] <= within
    count = int(right.sum())
    wrong = len(right) - count
    if not math.isfinite(within) or min(count, wrong) < FEWEST or len(right) < POINTS:
        return None
    if not _improves(likelihood[used], right, np.nonzero(used)[0]):
        return None
    slope, offset = _curve(likelihood[used], right)
    return CalibratedLikelihood(slope, offset, within, count, wrong) if slope > 0 else None


def _improves(likelihood: NDArray[np.float64], right: NDArray[np.bool_], frames: NDArray[np.intp]) -> bool:
    """Whether curves fitted without some frames are nearer to what is right there (Brier score) than the likelihood.

    ``likelihood``, ``right`` and ``frames``, the number of the frame, are of one point each.
    """
    from sklearn.model_selection import GroupKFold

    folds = min(5, len(np.unique(frames)))
    if folds < 2:
        return False
    told = np.empty(len(right))
    for others, left_out in GroupKFold(folds).split(likelihood, groups=frames):
        if right[others].all() or not right[others].any():
            return False
        slope, offset = _curve(likelihood[others], right[others])
        told[left_out] = _chance(likelihood[left_out], slope, offset)
    return bool(np.mean((told - right) ** 2) < np.mean((likelihood - right) ** 2))


def _curve(likelihood: NDArray[np.float64], right: NDArray[np.bool_]) -> tuple[float, float]:
    """Slope and offset of the logistic regression."""
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression().fit(_logit(likelihood)[:, None], right)
    return float(model.coef_[0, 0]), float(model.intercept_[0])


def _chance(likelihood: ArrayLike, slope: float, offset: float) -> NDArray[np.float64]:
    return 1 / (1 + np.exp(-(slope * _logit(likelihood) + offset)))


def _logit(likelihood: ArrayLike) -> NDArray[np.float64]:
    chance = np.clip(np.asarray(likelihood, float), _EDGE, 1 - _EDGE)
    return np.log(chance / (1 - chance))
