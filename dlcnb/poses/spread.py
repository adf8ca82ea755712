"""Several networks' poses of one video as one: their median, and how far they lie apart.

The spread is kept beside the table of poses, in ``<table>_spread``, so that the table itself stays as DeepLabCut's
readers know it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dlcnb.files import StrPath
from dlcnb.tables.errors import TableError
from dlcnb.tables.table import HEADER

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["COORDS", "Spread", "combine", "spread_path"]

COORDS = ("spread", "networks")


@dataclass(frozen=True, eq=False)
class Spread:
    """How far networks that looked at the same frames lie apart.

    Parameters
    ----------
    bodyparts : tuple of str (K,)
    scorer : str
        The name of the networks together.
    px : array_like
        ``(T, K)`` standard deviation of their points along each axis, pixels; NaN where fewer than two have one.
    networks : array_like
        ``(T, K)``, how many have a point.
    """

    bodyparts: tuple[str, ...]
    scorer: str
    px: NDArray[np.float64]
    networks: NDArray[np.float64]

    def __post_init__(self) -> None:
        shape = (len(self.px), len(self.bodyparts))
        if np.shape(self.px) != shape or np.shape(self.networks) != shape:
            raise TableError(f"expected a spread {shape}, found {np.shape(self.px)} and {np.shape(self.networks)}")

    def __len__(self) -> int:
        return len(self.px)

    def fitted(self, frames: int) -> Spread:
        """The same for so many frames: cut off, or NaN at the end."""
        px, networks = np.full((frames, len(self.bodyparts)), np.nan), np.zeros((frames, len(self.bodyparts)))
        px[: len(self)], networks[: len(self)] = self.px[:frames], self.networks[:frames]
        return replace(self, px=px, networks=networks)

    def frame(self, first: int = 0) -> pd.DataFrame:
        """The table, whose rows count from ``first``."""
        import pandas as pd

        values = np.stack([self.px, self.networks], axis=-1).reshape(len(self), -1)
        columns = pd.MultiIndex.from_product([[self.scorer], self.bodyparts, COORDS], names=HEADER)
        return pd.DataFrame(values, columns=columns, index=range(first, first + len(self)))


def spread_path(table: StrPath) -> Path:
    """Where the spread of a table of poses is kept, of the same kind (h5 or csv); it may not be there."""
    table = Path(table)
    return table.with_name(f"{table.stem}_spread{table.suffix}")


def combine(
    points: ArrayLike, likelihood: ArrayLike
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """The median of several networks, each coordinate and the likelihood by itself, and how far they lie apart.

    Of three or more networks one that is far off does not move the median; of two it is the mean.

    Parameters
    ----------
    points : array_like
        ``(N, T, K, 2)`` px of N networks; NaN = no prediction.
    likelihood : array_like, ``(N, T, K)``

    Returns
    -------
    points : float64 (T, K, 2)
        Pixels; NaN where no network has one.
    likelihood : float64 (T, K)
    spread : float64 (T, K)
        Standard deviation along each axis (mean of both variances, n - 1 in the denominator), pixels; NaN where fewer
        than two networks have a point.
    networks : float64 (T, K)
        How many have one.

    Examples
    --------
    >>> points, likelihood, spread, networks = combine([[[[0, 0]]], [[[2, 0]]], [[[9, 0]]]], [[[1]], [[0.5]], [[0.9]]])
    >>> points[0, 0], likelihood[0, 0], networks[0, 0]
    (array([2., 0.]), 0.9, 3.0)
    """
    places, trust = np.asarray(points, float), np.asarray(likelihood, float)
    if places.ndim != 4 or places.shape[-1] != 2 or trust.shape != places.shape[:-1] or not len(places):
        raise ValueError(
            f"Points (networks, frames, bodyparts, 2) and likelihood (networks, frames, bodyparts) don't fit: "
            f"{places.shape} and {trust.shape}."
        )
    there = np.isfinite(places).all(axis=-1)
    count = there.sum(axis=0)
    places = np.where(there[..., None], places, np.nan)
    return _median(places), _median(np.where(there, trust, np.nan)), _spread(places, count), count.astype(float)


def _spread(places: NDArray[np.float64], count: NDArray[np.intp]) -> NDArray[np.float64]:
    """Standard deviation ``(T, K)`` of points ``(N, T, K, 2)``, of which ``count`` are there; NaN of fewer than two."""
    mean = np.nansum(places, axis=0) / np.maximum(count, 1)[..., None]
    squares = np.nansum((places - mean) ** 2, axis=0).mean(axis=-1)
    return np.where(count > 1, np.sqrt(squares / np.maximum(count - 1, 1)), np.nan)


def _median(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Median over the first axis without NaN; NaN where all are."""
    ordered = np.sort(values, axis=0)  # NaN sorts to the end
    count = np.isfinite(ordered).sum(axis=0, keepdims=True)
    lower = np.take_along_axis(ordered, np.maximum(count - 1, 0) // 2, axis=0)
    upper = np.take_along_axis(ordered, np.minimum(count // 2, len(values) - 1), axis=0)
    return np.asarray(np.where(count > 0, (lower + upper) / 2, np.nan)[0])
