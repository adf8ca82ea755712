"""The snapshot that a training takes, in words: the best one, or why one of a lower error is not taken."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from dlcnb.evaluate.summary import px_text

__all__ = ["Taken"]


@dataclass(frozen=True)
class Taken:
    """A snapshot that was taken, beside the one with the lowest validation error.

    Attributes
    ----------
    step, lowest_step : int
    px, lowest_px : float
        Their mean validation errors, px.
    frames : int
        Held out for the validation; 0 = not known.

    Examples
    --------
    >>> print(Taken(140, 2.28, 122, 2.14, frames=7))
    taken: 2.28 px at step 140 (2.14 px at step 122 is too close to tell with 7 frames)
    >>> print(Taken(122, 2.14, 122, 2.14))
    best 2.14 px at step 122
    """

    step: int
    px: float
    lowest_step: int
    lowest_px: float
    frames: int = 0

    @classmethod
    def of(cls, step: int, px: float, steps: ArrayLike, errors: ArrayLike, frames: int = 0) -> Taken:
        """That of a step and its error, among the errors (px, NaN = none) of all the steps that were validated."""
        errors = np.asarray(errors, float)
        if np.isnan(errors).all():
            return cls(step, px, step, px, frames)
        lowest = int(np.nanargmin(errors))
        return cls(step, px, int(np.asarray(steps)[lowest]), float(errors[lowest]), frames)

    @classmethod
    def in_history(cls, history: Mapping[str, ArrayLike]) -> Taken | None:
        """That of a training, from its curves as `dlcnb.jobs.history` gives them; None where nothing was validated."""
        names = ("best_step", "best_mean_px", "validation_step", "validation_mean_px", "validation_frames")
        taken, px, steps, errors, frames = (np.asarray(history.get(name, ()), float) for name in names)
        if not len(taken) or np.isnan(px[-1]):
            return None
        return cls.of(int(taken[-1]), float(px[-1]), steps, errors, int(frames[0]) if len(frames) else 0)

    @property
    def is_best(self) -> bool:
        """Whether no snapshot has a lower error, as far as two digits tell."""
        return not self.lowest_px < self.px or px_text(self.lowest_px) == px_text(self.px)

    @property
    def word(self) -> str:
        """What to call the snapshot: best, or taken."""
        return "best" if self.is_best else "taken"

    @property
    def brief(self) -> str:
        """Its error where there is no room for more: "best 2.14 px"."""
        return f"{self.word} {px_text(self.px)} px"

    def __str__(self) -> str:
        if self.is_best:
            return f"{self.brief} at step {self.step}"
        held_out = f" with {self.frames} frame{'s' * (self.frames != 1)}" if self.frames else ""
        lower = f"{px_text(self.lowest_px)} px at step {self.lowest_step} is too close to tell{held_out}"
        return f"taken: {px_text(self.px)} px at step {self.step} ({lower})"
