"""The level of each score-map: what is added to its logits so that its heights are probabilities.

The loss over places doesn't see it, and next to that loss the cross-entropy of the cells is small: after some minutes
of training single bodyparts are found where they are, with peaks of 0.05. The level that the cross-entropy would come
to in the end follows from the maps of some examples.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

__all__ = ["levels"]

_MOST = 20.0  # logits; a map that has no disc, or nothing else, has no level
_ROUNDS = 50
_NEAR = 1e-3  # of a logit


def levels(
    logits: Sequence[NDArray[np.floating[Any]]], score: Sequence[NDArray[np.floating[Any]]]
) -> NDArray[np.float32]:
    """The levels at which the cross-entropy between maps and discs is least.

    There the probabilities of all cells sum up to the number of the discs' cells, which is found by halving.

    Parameters
    ----------
    logits : float ``(B, K, h, w)`` of each batch; their sizes may differ.
    score : float ``(B, K, h, w)`` of each, 1 on the discs and 0 elsewhere.

    Returns
    -------
    float32 ``(K,)``; 0 for a bodypart that none of the examples shows.
    """
    parts = score[0].shape[1]
    cells = np.concatenate([np.moveaxis(batch, 1, 0).reshape(parts, -1) for batch in logits], 1).astype(np.float32)
    discs = np.sum([batch.sum((0, 2, 3)) for batch in score], 0)
    low, high = (np.full(len(cells), side, np.float32) for side in (-_MOST, _MOST))
    for _ in range(_ROUNDS):
        middle = (low + high) / 2
        over = expit(cells + middle[:, None]).sum(1) > discs
        low, high = np.where(over, low, middle), np.where(over, middle, high)
        if (high - low).max() < _NEAR:
            break
    return np.where(discs > 0, (low + high) / 2, 0).astype(np.float32)
