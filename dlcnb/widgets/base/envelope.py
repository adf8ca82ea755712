"""Level of detail for series of millions of frames: lowest and highest value per bin, from a pyramid made once."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["Envelope", "extreme_frames"]

FACTOR = 16  # frames per block of the first level, and blocks per block of the next


class Envelope:
    """A series that any part of can be drawn quickly, none of its extremes lost.

    Parameters
    ----------
    values : (T,) array
        NaN = not there.
    """

    def __init__(self, values: ArrayLike) -> None:
        self.values = np.asarray(values, np.float32)
        self._levels = [(1, self.values, self.values)]
        size, low, high = self._levels[0]
        while len(low) > 64 * FACTOR:
            size, low, high = size * FACTOR, _blocks(low, np.fmin), _blocks(high, np.fmax)
            self._levels.append((size, low, high))

    def __len__(self) -> int:
        return len(self.values)

    def between(self, start: float, stop: float, limit: int = 2000) -> tuple[NDArray[np.float64], NDArray[np.float32]]:
        """The frames ``start <= frame < stop`` as a line of at most ``limit`` points (at least 8).

        Returns
        -------
        x : float64 (M,)
            Frames: each one where there are few, else the middles of bins, each twice.
        y : float32 (M,)
            Values; of each bin its lowest and its highest. NaN where nothing is.
        """
        start, stop = max(int(start), 0), min(int(stop), len(self))
        count = stop - start
        if count <= limit:
            return np.arange(start, max(stop, start), dtype=float), self.values[start : max(stop, start)]
        width = -(-count // (limit // 2 - 2))  # frames per bin, at least
        size, low, high = next(level for level in reversed(self._levels) if level[0] * 4 <= width or level[0] == 1)
        step, first, last = -(-width // size), start // size, -(-stop // size)
        edges = np.arange(0, last - first, step)
        both = np.stack([np.fmin.reduceat(low[first:last], edges), np.fmax.reduceat(high[first:last], edges)], axis=1)
        middles = np.clip((first + edges + step / 2) * size, start, stop - 1)
        return np.repeat(middles, 2), both.ravel()


def extreme_frames(x: ArrayLike, y: ArrayLike, limit: int = 2000) -> NDArray[np.int64]:
    """Frames that a path in the plane can be drawn through, of which none lies further out than those chosen.

    Parameters
    ----------
    x, y : (T,) arrays
        NaN = not there.
    limit : int

    Returns
    -------
    int (M,), M <= limit
        Ascending; all of them if there are few, else those of least and greatest x and y in each of equal parts.
    """
    x, y = np.asarray(x), np.asarray(y)
    count = len(x)
    if count <= limit:
        return np.arange(count)
    size = -(-count // (limit // 4))
    chosen = []
    for values in (x, y):
        whole = np.full(-(-count // size) * size, np.nan, np.float32)
        whole[:count] = values
        parts = whole.reshape(-1, size)
        gone = np.isnan(parts)
        offsets = np.arange(len(parts)) * size
        chosen.append(np.where(gone, np.inf, parts).argmin(axis=1) + offsets)
        chosen.append(np.where(gone, -np.inf, parts).argmax(axis=1) + offsets)
    chosen = np.unique(np.concatenate(chosen))
    return chosen[chosen < count]


def _blocks(values: NDArray[np.float32], fewest: np.ufunc) -> NDArray[np.float32]:
    """``fewest`` (fmin or fmax) of each `FACTOR` values in turn; the last block may be shorter."""
    whole = len(values) // FACTOR * FACTOR
    found = values[:whole:FACTOR].copy()
    for i in range(1, FACTOR):
        fewest(found, values[i:whole:FACTOR], out=found)
    return np.append(found, fewest.reduce(values[whole:])) if whole < len(values) else found
