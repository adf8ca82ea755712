"""Frame after frame, which animal a bodypart belongs to: by where it was, and by the distances within an animal."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import combinations

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from dlcnb.poses.assembly import Distances, exchange

__all__ = ["Linker"]

_MOVED = 4.0  # squared deviation: no bodypart speaks louder than this for being where it was
_FITS = 9.0  # mean squared deviation up to which a bodypart may belong to an animal
_ROUNDS = 3  # of exchanges among all animals near each other


class Linker:
    """`dlcnb.poses.tracking.link` for one frame after the other, for videos that are longer than memory.

    Parameters
    ----------
    animals : int
        A.
    distances : Distances
        Of K bodyparts.
    body, max_step : float
        Pixels: see `dlcnb.poses.tracking.body_size` and `step_size`.
    max_gap : int
        Frames.
    """

    def __init__(self, animals: int, distances: Distances, *, body: float, max_step: float, max_gap: int = 30) -> None:
        if animals < 1:
            raise ValueError(f"animals={animals}: expected a whole number of at least 1.")
        bodyparts = len(distances.middle)
        self._distances, self._body, self._max_step, self._max_gap = distances, body, max_step, max_gap
        self._last = np.full((animals, bodyparts, 2), np.nan)  # where each bodypart was seen last
        self._pace = np.zeros((animals, bodyparts, 2))  # px per frame, then
        self._unseen = np.full((animals, bodyparts), 10**9)  # frames since

    def step(
        self, points: NDArray[np.float64], likelihood: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Places (N, K, 2) and likelihood (N, K) of the next frame as those of the animals, (A, K, 2) and (A, K)."""
        owner = self._owners(points, likelihood)
        self._new_animals(points, likelihood, owner)
        self._complete(points, owner)
        self._exchange(points, owner)
        found, trust = np.full(self._last.shape, np.nan), np.full(self._unseen.shape, np.nan)
        n, k = np.nonzero(owner >= 0)
        found[owner[n, k], k], trust[owner[n, k], k] = points[n, k], likelihood[n, k]
        self._remember(found)
        return found, trust

    def _owners(self, points: NDArray[np.float64], likelihood: NDArray[np.float64]) -> NDArray[np.int64]:
        """The animal of each place, int (N, K), -1 = nobody's."""
        owner = np.where(np.isnan(points[..., 0]), -2, -1)  # (N, K)
        known = self._unseen <= self._max_gap  # (A, K)
        active = known.any(axis=1)
        if active.any() and (owner == -1).any():
            cost = self._cost(points, known)
            cost[~active] = np.inf
            cost += self._doubt(likelihood)
            for k in np.flatnonzero(np.isfinite(cost).any(axis=(0, 1))):
                for a, n in _assign(cost[:, :, k]):
                    owner[n, k] = a
        return np.where(owner == -2, -1, owner)

    def _cost(self, points: NDArray[np.float64], known: NDArray[np.bool_]) -> NDArray[np.float64]:
        """Distance (A, N, K) px of each place from where each animal's bodypart should be; inf = out of reach."""
        expected, reach = self._expected(known)
        own = np.linalg.norm(points - expected[:, None], axis=-1)
        reach = reach[:, None]
        cost = np.where(own <= reach, own, np.inf)
        centre = _mean(expected)  # (A, 2)
        from_centre = np.linalg.norm(points - centre[:, None, None], axis=-1)  # (A, N, K)
        new = ~known[:, None] & (from_centre <= self._body)  # not seen for long, so near the animal's others
        cost = np.where(new, from_centre, cost)
        if self._last.shape[1] > 1:
            cost[from_centre > 2 * self._body + self._max_step] = np.inf  # torn off
        return cost

    def _expected(self, known: NDArray[np.bool_]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Where the bodyparts should be, px (A, K, 2), NaN if not known, and how far off they may be, px (A, K)."""
        frames = np.minimum(self._unseen + 1, self._max_gap + 1)
        expected = self._last + self._pace * np.minimum(frames, 3)[..., None]
        expected[~known] = np.nan
        return expected, self._max_step * np.sqrt(frames)

    def _complete(self, points: NDArray[np.float64], owner: NDArray[np.int64]) -> None:
        """Give places that nobody owns to animals that lack that bodypart, if they fit; changes ``owner``."""
        free = (owner < 0) & np.isfinite(points[..., 0])
        animals = np.unique(owner[owner >= 0])
        for k in np.flatnonzero(free.any(axis=0)):
            lacking, places = np.setdiff1d(animals, owner[:, k]), np.flatnonzero(free[:, k])
            if len(lacking):
                cost = np.stack([self._distances.fit(_of(points, owner, a), points[places, k], k) for a in lacking])
                cost = np.where(cost <= _FITS, cost, np.inf)  # where NaN, too
                if np.isfinite(cost).any():
                    for a, n in _assign(cost):
                        owner[places[n], k] = lacking[a]

    def _exchange(self, points: NDArray[np.float64], owner: NDArray[np.int64]) -> None:
        """Let animals near each other exchange bodyparts that fit better to the other one; changes ``owner``."""
        expected, reach = self._expected(self._unseen <= self._max_gap)
        near = self._distances.reach
        animals = np.unique(owner[owner >= 0])
        for _ in range(_ROUNDS if near else 0):
            changed = False
            for a, b in combinations(animals.tolist(), 2):
                pair = np.stack([_of(points, owner, a), _of(points, owner, b)])
                if not (np.linalg.norm(pair[0][:, None] - pair[1], axis=-1) <= near).any():
                    continue
                off = np.linalg.norm(pair[:, None] - expected[None, [a, b]], axis=-1) / reach[[a, b]]  # (2, 2, K)
                moved = np.minimum(np.where(np.isnan(off), np.inf, (4 * off) ** 2), _MOVED)
                moved = np.where(np.isnan(pair[:, None, :, 0]), 0, moved)
                goes = exchange(pair, self._distances, moved[0, 0] + moved[1, 1], moved[0, 1] + moved[1, 0])
                if goes.any():
                    column = owner[:, goes]
                    owner[:, goes] = np.where(column == a, b, np.where(column == b, a, column))
                    changed = True
            if not changed:
                return

    def _doubt(self, likelihood: NDArray[np.float64]) -> NDArray[np.float64]:
        """Pixels that unlikely places seem further away, so that of two maxima on an animal the surer one is taken."""
        doubt: NDArray[np.float64] = 0.2 * self._body * (1 - np.nan_to_num(likelihood).clip(0, 1))
        return doubt

    def _new_animals(
        self, points: NDArray[np.float64], likelihood: NDArray[np.float64], owner: NDArray[np.int64]
    ) -> None:
        """Begin (or bring back) animals from groups of places that nobody owns; changes ``owner``."""
        parts = points.shape[1]
        least = -(-parts // 2)
        while True:
            lost = np.flatnonzero(
                (self._unseen > self._max_gap).all(axis=1) & ~np.isin(np.arange(len(self._last)), owner)
            )
            free = (owner == -1) & np.isfinite(points[..., 0])
            if not len(lost) or free.any(axis=0).sum() < least:
                return
            group = self._group(points, likelihood, free)
            owner[tuple(group.T)] = -3  # tried
            if len(group) < least:
                continue
            centre = points[tuple(group.T)].mean(axis=0)
            if self._occupied(points, owner, centre):
                continue
            away = np.linalg.norm(_mean(self._last[lost]) - centre, axis=-1)
            owner[tuple(group.T)] = lost[np.argmin(np.where(np.isnan(away), np.inf, away))]

    def _group(
        self, points: NDArray[np.float64], likelihood: NDArray[np.float64], free: NDArray[np.bool_]
    ) -> NDArray[np.int64]:
        """(n, k) of the surest free place and of the nearest free place of every other bodypart within reach."""
        row, column = np.unravel_index(np.argmax(np.where(free, likelihood, -np.inf)), free.shape)
        best = int(row), int(column)
        group = [best]
        for k in range(points.shape[1]):
            if k != best[1] and free[:, k].any():
                away = np.linalg.norm(points[:, k] - points[best], axis=-1)
                n = int(np.argmin(np.where(free[:, k], away + self._doubt(likelihood[:, k]), np.inf)))
                if away[n] <= 1.5 * self._body:
                    group.append((n, k))
        return np.array(group)

    def _occupied(self, points: NDArray[np.float64], owner: NDArray[np.int64], centre: NDArray[np.float64]) -> bool:
        """Whether an animal of this frame is so near that a group is only a second maximum of it."""
        for a in np.unique(owner[owner >= 0]):
            if np.linalg.norm(points[owner == a].mean(axis=0) - centre) < 0.4 * self._body:
                return True
        return False

    def _remember(self, found: NDArray[np.float64]) -> None:
        seen = np.isfinite(found[..., 0])
        recent = seen & (self._unseen < 3)
        pace = (found - self._last) / (self._unseen + 1)[..., None]
        self._pace[recent] = 0.5 * self._pace[recent] + 0.5 * pace[recent]
        self._pace[seen & ~recent] = 0
        self._unseen = np.where(seen, 0, self._unseen + 1)
        self._last[seen] = found[seen]


def _assign(cost: NDArray[np.float64]) -> Iterable[tuple[int, int]]:
    """Pairs (row, column) of least total cost among as many pairs as possible; inf = never."""
    rows, columns = np.flatnonzero(np.isfinite(cost).any(axis=1)), np.flatnonzero(np.isfinite(cost).any(axis=0))
    part = cost[np.ix_(rows, columns)]
    nearest = part.argmin(axis=1)
    if len(set(nearest.tolist())) == len(nearest):  # each takes its nearest: nothing to settle
        return zip(rows, columns[nearest], strict=True)
    large = 1e6 * (1 + part[np.isfinite(part)].max())
    a, n = linear_sum_assignment(np.where(np.isfinite(part), part, large))
    kept = np.isfinite(part[a, n])
    return zip(rows[a[kept]], columns[n[kept]], strict=True)


def _mean(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mean (A, 2) of the points (A, K, 2) that are there; NaN where none is."""
    there = np.isfinite(points[..., 0])
    count = there.sum(axis=1, keepdims=True)
    total = np.where(there[..., None], points, 0).sum(axis=1)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def _of(points: NDArray[np.float64], owner: NDArray[np.int64], animal: int) -> NDArray[np.float64]:
    """The bodyparts (K, 2) of an animal, NaN where it has none, from places (N, K, 2) and their owners (N, K)."""
    there = owner == animal
    found = points[there.argmax(axis=0), np.arange(points.shape[1])]
    return np.where(there.any(axis=0)[:, None], found, np.nan)
