"""A verdict in words: what the errors are worth, measured by the size of the animal."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from dlcnb.evaluate.summary import px_text, summarize
from dlcnb.geometry import animal_px
from dlcnb.trainset.cautions import FEW

if TYPE_CHECKING:
    from dlcnb.evaluate.core import Evaluation

__all__ = [
    "FEW_TESTED",
    "LEVELS",
    "SHORT",
    "Verdict",
    "lost_parts",
    "near_words",
    "pck5",
    "trained_shortly",
    "verdict",
]

LEVELS = ("useless", "poor", "usable", "good")
SHORT = 200  # steps of a training, below which time is what is missing
NEAR, FOUND = 0.05, 0.15  # of the animal's size: a point that is right, and one that is found at all
_POOR, _USABLE, _GOOD = 0.2, 0.7, 0.9  # PCK5 from which a network is worth these words
FEW_TESTED = 5  # labeled test frames, below which a verdict is a guess
_PIXELS = (50.0, 15.0, 5.0)  # mean errors up to which one is poor, usable, good, where the animal has no size
_ADVICE = {
    "useless": "label more or train longer",
    "poor": "label more or train longer",
    "usable": "correct its outliers and train again",
}


@dataclass(frozen=True)
class Verdict:
    """What a network is worth: ``level``, one of `LEVELS`, and ``text``, one line that begins with it."""

    level: str
    text: str

    def to_json(self) -> dict[str, str]:
        """The same as a dict."""
        return {"level": self.level, "text": self.text}


def pck5(evaluation: Evaluation, size_px: float | None = None) -> float:
    """Share of the labeled test points whose prediction lies within 5 % of the animal's size.

    Parameters
    ----------
    evaluation : Evaluation
        Without test frames, all its frames count.
    size_px : float, optional
        The animal's size; `animal_px` of the labels if None.

    Returns
    -------
    float
        0..1; NaN without points or without a size.
    """
    size = animal_px(evaluation.labels) if size_px is None else size_px
    labeled, errors = _judged(evaluation)
    if not labeled.any() or not math.isfinite(size):
        return math.nan
    return float((errors[labeled] <= NEAR * size).mean())


def near_words(size_px: float) -> str:
    """How near a point is that is right, on an animal of this size, in words.

    >>> near_words(180.0)
    "5 % of the animal's size (9.0 px)"
    """
    near = NEAR * size_px
    return f"5 % of the animal's size ({px_text(near, 1 if near < 10 else 0)} px)"


def lost_parts(evaluation: Evaluation, size_px: float) -> tuple[str, ...]:
    """Bodyparts that are never found: no labeled test point has its prediction within 15 % of the animal's size.

    One or two test points could be bad luck; then it must be lost on nine of ten training points, too.
    """
    labeled = np.isfinite(evaluation.labels).all(axis=2)
    far = labeled & ~(evaluation.errors <= FOUND * size_px)
    test, lost = evaluation.is_test, []
    for k, part in enumerate(evaluation.bodyparts):
        tested, trained = int(labeled[test, k].sum()), int(labeled[~test, k].sum())
        far_tested, far_trained = int(far[test, k].sum()), int(far[~test, k].sum())
        sure = tested >= 3 or far_trained >= max(1, 0.9 * trained)
        if tested + trained and far_tested == tested and sure and (tested or trained >= 3):
            lost.append(part)
    return tuple(lost)


def trained_shortly(steps: int, labeled: int) -> bool:
    """Whether a bad network is better trained for longer first: after few ``steps``, on enough ``labeled`` frames."""
    return steps < SHORT and labeled >= FEW


def verdict(evaluation: Evaluation, size_px: float | None = None, human_px: float | None = None) -> Verdict:
    """What an evaluated network is worth.

    Parameters
    ----------
    evaluation : Evaluation
    size_px : float, optional
        The animal's size in pixels; `animal_px` of the labels if None.
    human_px : float, optional
        Mean distance in pixels between the labels of two people.

    Returns
    -------
    Verdict
        "good" only where nine of ten test points lie within 5 % of the animal's size, or the mean error is within human
        variability; where the mean is small beside the animal, no bodypart is lost, and there were test frames.
    """
    size = animal_px(evaluation.labels) if size_px is None else float(size_px)
    labeled, errors = _judged(evaluation)
    found = summarize(errors[labeled])
    if not found.n:
        return Verdict("useless", "useless: there is no labeled frame to judge by; label some and evaluate again")
    lost = lost_parts(evaluation, size) if math.isfinite(size) else ()
    human = human_px is not None and found.mean_px <= human_px  # False for NaN, too
    if math.isfinite(size):
        share = pck5(evaluation, size)
        level, reason = _by_size(share, found.mean_px, found.median_px, size, human)
    else:
        level, reason = _by_pixels(found.mean_px, human)
    if level == "good" and (lost or not evaluation.is_test.any()):
        level = "usable"
    if level == "good" and human:
        reason = f"within human variability ({found.mean_px:.1f} px off, two people differ by {human_px:.1f} px)"
    return Verdict(level, f"{level}{_basis(evaluation)}: {'; '.join([reason, *_remarks(evaluation, level, lost)])}")


def _by_size(share: float, mean: float, median: float, size: float, human: bool) -> tuple[str, str]:
    """Level and reason from PCK5, and mean and median error (px) on an animal of ``size`` px."""
    steps = (share >= _POOR and median < size / 4, share >= _USABLE, share >= _GOOD and mean <= size / 10)
    level = LEVELS[next((n for n, passed in enumerate(steps) if not passed), len(steps))]
    if human and median <= size / 10:
        level = "good"
    if level == "useless":
        return level, f"{px_text(mean, 0)} px off on a {px_text(size, 0)} px animal"
    off = f", {px_text(mean, 0)} px off on average" if mean > size / 10 else ""
    return level, f"{share:.0%} of the points are within {near_words(size)}{off}"


def _by_pixels(mean: float, human: bool) -> tuple[str, str]:
    """Level and reason where frames have one label each, and the animal's size is not known."""
    level = LEVELS[sum(mean <= limit for limit in _PIXELS)]
    return "good" if human and level != "useless" else level, f"{px_text(mean, 1)} px off on average"


def _remarks(evaluation: Evaluation, level: str, lost: tuple[str, ...]) -> list[str]:
    """What else is to be said, and what to do."""
    remarks = [f"never found: {', '.join(lost)}"] if lost else []
    if evaluation.steps_behind > evaluation.step and evaluation.is_test.any():
        remarks.append("it goes on from a network that may know test frames, so the true error may be larger")
    labeled = np.isfinite(evaluation.labels).all(axis=2).any(axis=1)
    steps = evaluation.steps_behind or evaluation.step
    if level in ("useless", "poor") and trained_shortly(steps, int(labeled.sum())):
        return [*remarks, f"train longer (it had {steps} steps), then label more"]
    return [*remarks, _ADVICE[level]] if level in _ADVICE else remarks


def _basis(evaluation: Evaluation) -> str:
    """What the judgement stands on, where that is not much; it follows the level, so that no line cuts it off."""
    tested = int(np.isfinite(evaluation.labels).all(axis=2).any(axis=1)[evaluation.is_test].sum())
    if not tested:
        return " on the frames it was trained on (there are no test frames)"
    return f", a guess from {tested} test frame{'s' * (tested > 1)}" if tested < FEW_TESTED else ""


def _judged(evaluation: Evaluation) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    """Which points are labeled, and the errors, (N', K) of the test frames or of all where there are none.

    A labeled point without a prediction is infinitely far off.
    """
    frames = evaluation.judged
    labeled = np.isfinite(evaluation.labels).all(axis=2)[frames]
    errors = evaluation.errors[frames]
    return labeled, np.where(labeled & np.isnan(errors), np.inf, errors)
