"""One number for several splits: mean ± standard error of the mean, as the paper gives its errors."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dlcnb.evaluate.summary import number, summarize

if TYPE_CHECKING:
    from dlcnb.evaluate.core import Evaluation


__all__ = ["SplitSummary", "error_rows", "over_splits", "summarize_splits"]


@dataclass(frozen=True)
class SplitSummary:
    """Mean and standard error of the mean over ``n`` splits, pixels; NaN if there are too few."""

    mean_px: float
    sem_px: float
    n: int

    def __str__(self) -> str:
        if not self.n:
            return "-"
        return f"{self.mean_px:.2f} ± {self.sem_px:.2f}" if self.n > 1 else f"{self.mean_px:.2f}"

    def to_json(self) -> dict[str, float | None]:
        """The same as a dict; NaN becomes None."""
        return {"mean_px": number(self.mean_px), "sem_px": number(self.sem_px), "n": self.n}


def summarize_splits(values: ArrayLike) -> SplitSummary:
    """`SplitSummary` of one error per split (pixels); NaN is left out."""
    found = np.asarray(values, float)
    found = found[np.isfinite(found)]
    mean = float(found.mean()) if len(found) else math.nan
    sem = float(found.std(ddof=1) / math.sqrt(len(found))) if len(found) > 1 else math.nan
    return SplitSummary(mean, sem, len(found))


def over_splits(evaluations: Iterable[Evaluation]) -> dict[str, Any]:
    """Errors of several splits (shuffles, folds, videos left out) of one project.

    Parameters
    ----------
    evaluations : list of Evaluation
        One per split, of the same bodyparts.

    Returns
    -------
    dict
        ``train``, ``test`` and ``test_pcutoff``: `SplitSummary` of the splits' mean errors; ``bodyparts``: the test
        errors by name. Splits count alike, whatever their size.

    Raises
    ------
    ValueError
        Without evaluations, or if their bodyparts differ.
    """
    evaluations = list(evaluations)
    names = {e.bodyparts for e in evaluations}
    if len(names) != 1:
        raise ValueError(f"Expected evaluations of the same bodyparts, found {len(names)} sets of them.")

    def mean(errors: NDArray[np.float64], chosen: NDArray[np.bool_], k: int | slice = slice(None)) -> float:
        return summarize(errors[chosen][:, k]).mean_px

    parts = {
        name: summarize_splits([mean(e.errors, e.is_test, k) for e in evaluations])
        for k, name in enumerate(next(iter(names)))
    }
    return {
        "train": summarize_splits([mean(e.errors, ~e.is_test) for e in evaluations]),
        "test": summarize_splits([mean(e.errors, e.is_test) for e in evaluations]),
        "test_pcutoff": summarize_splits([mean(e.sure_errors, e.is_test) for e in evaluations]),
        "bodyparts": parts,
    }


def error_rows(evaluation: Evaluation, frames: NDArray[np.bool_]) -> Iterator[dict[str, Any]]:
    """Errors (px) on some frames, bool (N,), as a row for all bodyparts together and one for each."""
    errors, sure = evaluation.errors[frames], evaluation.sure_errors[frames]
    wanted: list[tuple[str, Any]] = [("all", slice(None)), *((part, k) for k, part in enumerate(evaluation.bodyparts))]
    for name, k in wanted:
        found = summarize(errors[:, k])
        values = {"mean_px": found.mean_px, "rms_px": found.rms_px, "median_px": found.median_px, "n": found.n}
        yield {"bodypart": name, **values, "mean_px_pcutoff": summarize(sure[:, k]).mean_px}
