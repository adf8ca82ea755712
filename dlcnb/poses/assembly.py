"""Which bodyparts belong together: the distances that labels teach, and the exchange of bodyparts between two animals.

Distances hold for any place, direction and mirror image of an animal. A bodypart that went to the wrong one of two
animals makes some of them unlikely in both; of all ways to exchange bodyparts between the two, the likeliest is taken.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["Distances", "exchange"]

_LEAST = 5  # frames that must show two bodyparts, to know how far they are apart
_FLOOR_PX, _FLOOR = 2.0, 0.06  # a spread is at least so many px, and such a share of the distance: networks err, too
_CAP, _USUAL = 16.0, 3.0  # of a squared deviation: no worse than this; what a pair that belongs together may have
_TRIED = 10  # bodyparts for which all exchanges are tried; beyond, the best is searched for


@dataclass(frozen=True, eq=False)
class Distances:
    """How far apart the bodyparts of one animal are.

    Attributes
    ----------
    middle, spread : float64 ``(K, K)`` px
        Median of the distance of two bodyparts, and half the range that the middle 68 % of the distances have. NaN =
        not known, as on the diagonal.
    """

    middle: NDArray[np.float64]
    spread: NDArray[np.float64]

    @classmethod
    def of(cls, points: ArrayLike) -> Distances:
        """Those of labels ``(N, K, 2)`` px, NaN = not there; unknown for pairs that fewer than five frames show."""
        points = np.asarray(points, float)
        return cls._of(np.linalg.norm(points[:, :, None] - points[:, None], axis=-1))

    @classmethod
    def guess(cls, points: ArrayLike) -> Distances:
        """Those of places ``(T, N, K, 2)`` px of several animals, if the nearest ones mostly are of one animal."""
        points = np.asarray(points, float)
        parts = points.shape[2]
        found = np.full((len(points) * points.shape[1], parts, parts), np.nan)
        for k in range(parts):
            apart = np.linalg.norm(points[:, :, k, None, None] - points[:, None], axis=-1)  # (T, N, N, K)
            nearest = np.where(np.isnan(apart), np.inf, apart).min(axis=2, initial=np.inf).reshape(-1, parts)
            found[:, k] = np.where(np.isinf(nearest), np.nan, nearest)
        return cls._of(found)

    @classmethod
    def _of(cls, apart: NDArray[np.float64]) -> Distances:
        """From distances ``(N, K, K)`` px."""
        parts = apart.shape[1]
        middle, spread = np.full((2, parts, parts), np.nan)
        for j, k in np.argwhere(np.isfinite(apart).sum(0) >= _LEAST):
            if j != k:
                there = apart[:, j, k][np.isfinite(apart[:, j, k])]
                low, middle[j, k], high = np.percentile(there, [16, 50, 84])
                spread[j, k] = max((high - low) / 2, _FLOOR_PX, _FLOOR * middle[j, k])
        return cls(middle, spread)

    @classmethod
    def from_dict(cls, values: Mapping[str, Sequence[Sequence[float | None]]]) -> Distances:
        """What `to_dict` gave."""
        return cls(*(np.array(values[name], float) for name in ("middle", "spread")))

    def to_dict(self) -> dict[str, list[list[float | None]]]:
        """As JSON values, to a tenth of a px; None = not known."""
        return {name: _rounded(getattr(self, name)) for name in ("middle", "spread")}

    def completed(self, other: Distances) -> Distances:
        """These, and those of ``other`` where they are not known."""
        known = np.isfinite(self.middle)
        return Distances(np.where(known, self.middle, other.middle), np.where(known, self.spread, other.spread))

    @property
    def reach(self) -> float:
        """No two bodyparts of an animal are further apart, px; 0 where nothing is known."""
        far = self.middle + 3 * self.spread
        return float(np.nanmax(far)) if np.isfinite(far).any() else 0.0

    def deviations(self, points: NDArray[np.float64], others: NDArray[np.float64]) -> NDArray[np.float64]:
        """How unlikely it is that bodyparts belong together: squared deviations of their distances, in spreads.

        Parameters
        ----------
        points, others : ``(..., K, 2)`` px
            Bodyparts, and those that each of them is paired with; NaN = not there.

        Returns
        -------
        float64 ``(..., K, K)``, of each of ``points`` and each of ``others``; NaN where one is not there, or nothing is
        known.
        """
        apart = np.linalg.norm(points[..., :, None, :] - others[..., None, :, :], axis=-1)
        return np.asarray(((apart - self.middle) / self.spread) ** 2)

    def fit(self, points: NDArray[np.float64], place: NDArray[np.float64], k: int) -> NDArray[np.float64]:
        """How badly places ``(N, 2)`` px of bodypart ``k`` fit to an animal ``(K, 2)``.

        Mean squared deviations of their distances ``(N,)``; NaN where the animal has no bodypart of known distance.
        """
        apart = np.linalg.norm(place[:, None] - points, axis=-1)  # (N, K)
        found = np.minimum(((apart - self.middle[k]) / self.spread[k]) ** 2, _CAP)
        there = np.isfinite(found)
        return np.asarray(np.where(there, found, 0).sum(1) / np.where(there.any(1), there.sum(1), np.nan))


def exchange(
    pair: NDArray[np.float64], distances: Distances, staying: NDArray[np.float64], going: NDArray[np.float64]
) -> NDArray[np.bool_]:
    """Which bodyparts two animals should exchange.

    Parameters
    ----------
    pair : float64 ``(2, K, 2)`` px
        The bodyparts that each of them has now; NaN = it has none.
    distances : `Distances`
    staying, going : float64 ``(K,)``
        What speaks against leaving each bodypart where it is, and against exchanging it, as squared deviations: how far
        the two places are from where they were before.

    Returns
    -------
    bool ``(K,)``
    """
    parts = pair.shape[1]
    same = _cost(distances.deviations(pair, pair)).sum(0)
    cross = _cost(distances.deviations(pair, pair[::-1])).sum(0)
    change = (cross - same) * (2 / max(parts - 1, 1))  # (K, K), if one of two bodyparts goes and the other stays
    states = _states(parts) if parts <= _TRIED else _searched(change, going - staying)
    signs = 1.0 - 2 * states
    cost = states @ (going - staying) - 0.25 * np.einsum("sj,jk,sk->s", signs, change, signs)
    best = int(np.argmin(cost))
    return np.asarray(states[best] if cost[best] < cost[0] - 1e-9 else states[0], bool)


def _cost(deviations: NDArray[np.float64]) -> NDArray[np.float64]:
    """Of pairs that are put together: below 0 if they fit, 0 where one of them is missing."""
    return np.asarray(np.nan_to_num(np.minimum(deviations, _CAP) - _USUAL))


@lru_cache(maxsize=8)
def _states(parts: int) -> NDArray[np.float64]:
    """All ways to exchange bodyparts, 0 or 1, ``(2**K, K)``; the first leaves all where they are."""
    return np.asarray((np.arange(2**parts)[:, None] >> np.arange(parts)) & 1, float)


def _searched(change: NDArray[np.float64], going: NDArray[np.float64]) -> NDArray[np.float64]:
    """Good ways to exchange many bodyparts, 0 or 1, ``(n, K)``; the first leaves all where they are.

    Begun where bodyparts agree least, by the leading eigenvectors of ``change``, and improved one by one.
    """
    parts = len(going)
    vectors = np.linalg.eigh(change)[1][:, -3:].T  # signs that make signs @ change @ signs large
    starts = [np.zeros(parts), np.ones(parts), *(vectors > 0).astype(float), *(vectors <= 0).astype(float)]
    return np.array([starts[0], *(_improved(start, change, going) for start in starts)])


def _improved(
    state: NDArray[np.float64], change: NDArray[np.float64], going: NDArray[np.float64]
) -> NDArray[np.float64]:
    state = state.copy()
    for _ in range(4 * len(state)):
        signs = 1 - 2 * state
        gain = signs * going + signs * (change @ signs)  # cost of turning each one alone
        k = int(np.argmin(gain))
        if gain[k] >= -1e-9:
            break
        state[k] = 1 - state[k]
    return state


def _rounded(values: NDArray[np.float64]) -> list[list[float | None]]:
    return [[round(float(v), 1) if np.isfinite(v) else None for v in row] for row in values]
