"""What to say, while a network is trained, of the bodyparts that it does not find."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

__all__ = ["MissedParts"]

_TELL_AT, _LEAST = 1 / 3, 50  # share of the budget, and steps, from which on bodyparts are named
_LOST = 0.15  # of the animal's size: a median error over it


class MissedParts:
    """Names bodyparts that are not found once, and later those of them that are found meanwhile.

    Parameters
    ----------
    bodyparts : list of str
        K names.
    size_px : float
        The animal's size; NaN if it is not known, and nothing is said then.
    """

    def __init__(self, bodyparts: Sequence[str], size_px: float) -> None:
        self._bodyparts, self._far = tuple(bodyparts), _LOST * size_px
        self._named: tuple[str, ...] | None = None

    def lost(self, errors: NDArray[np.float64]) -> list[str]:
        """Names of the bodyparts that are not found, by errors as in `tell`."""
        some = ~np.isnan(errors).all(axis=0)
        return [name for k, name in enumerate(self._bodyparts) if some[k] and np.nanmedian(errors[:, k]) > self._far]

    def tell(self, errors: NDArray[np.float64], step: int, progress: float) -> str | None:
        """What to say; None if there is nothing new.

        Parameters
        ----------
        errors : numpy.ndarray
            (n, K) px; NaN where there is no label.
        step : int
            Of the training.
        progress : float
            Share of its budget that is used up, 0..1.
        """
        if progress < 1 and (progress < _TELL_AT or step < _LEAST):
            return None
        lost = self.lost(errors)
        if self._named is None or (lost and progress >= 1):
            self._named = tuple(lost)
            return self._first(lost, progress) if lost else None
        found = [name for name in self._named if name not in lost]
        if not found:
            return None
        self._named = tuple(name for name in self._named if name in lost)
        rest = f" Not yet: {', '.join(self._named)}." if self._named else ""
        return f"Found by now, after {progress:.0%} of the training: {', '.join(found)}.{rest}"

    def _first(self, lost: Sequence[str], progress: float) -> str:
        them, ended = "it" if len(lost) == 1 else "them", progress >= 1
        when = "At the end" if ended else f"After {progress:.0%}"
        return (
            f"{when} of the training the network has not found {', '.join(lost)}{'' if ended else ' yet'} (errors over "
            f"{_LOST:.0%} of the animal's size). {'Label' if ended else 'If that stays so, label'} more frames that "
            f"show {them}, or train longer."
        )
