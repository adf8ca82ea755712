"""Steps of bodyparts from frame to frame: how often which, and in which frames."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

__all__ = ["BINS", "frames_of", "histogram"]

BINS = 81  # odd, so that one is centred on 0
ENOUGH = 20_000  # steps of a bodypart by which the range is chosen

Steps = Sequence[NDArray[np.float32]]  # of each bodypart, from one frame to the next; NaN = not known


def histogram(steps: Steps, least: float, fine: int) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Edges (B + 1,) about 0, and counts (K, B) of the steps of K bodyparts; the outermost bins hold all beyond.

    Parameters
    ----------
    steps : K arrays.
    least : the outermost edge is at least there.
    fine : the outermost edge is a multiple of ``1 / fine``.
    """
    known = [v[np.isfinite(v)] for v in steps]
    far = np.abs(np.concatenate([v[:: 1 + len(v) // ENOUGH] for v in known])) if known else np.empty(0)
    limit = max(least, float(np.ceil(2 * fine * np.percentile(far, 99))) / fine) if len(far) else least
    edges = np.linspace(-limit, limit, BINS + 1)
    counts = [np.histogram(np.clip(v, -limit, limit), BINS, (-limit, limit))[0] for v in known]  # sorts nothing
    return edges, np.array(counts).reshape(-1, BINS)


def frames_of(steps: Steps, edges: NDArray[np.float64], value: float) -> list[int]:
    """Frames, rising, whose step falls into the bin at ``value``; step 0 leads to frame 1."""
    b = min(max(int(np.searchsorted(edges, value, side="right")) - 1, 0), BINS - 1)
    low = -np.inf if b == 0 else edges[b]
    high = np.inf if b == BINS - 1 else edges[b + 1]
    found: set[int] = set()
    for each in steps:
        with np.errstate(invalid="ignore"):
            found.update((np.flatnonzero((each >= low) & (each < high)) + 1).tolist())
    return sorted(found)
