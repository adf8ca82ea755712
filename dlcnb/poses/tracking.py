"""Several animals with a network for one: maxima of each frame's score-maps, linked over time into identities.

The network marks every snout in a frame (paper, Fig. 4B), but not whose it is. Here each bodypart found is given to
the animal whose own bodypart, moving on as it did, would be nearest; all at once by the Hungarian method. What belongs
to nobody begins a new animal, or brings back a lost one. Good enough for a few animals that hardly touch: after a touch
two of them may have changed names.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import linear_sum_assignment

from dlcnb.poses.multianimal import MultiAnimalPoses

__all__ = ["Linker", "body_size", "link", "step_size", "track", "track_chunks"]

_SAMPLED = 400  # frames that the sizes are estimated from


def track(
    points: ArrayLike,
    likelihood: ArrayLike,
    bodyparts: Sequence[str],
    scorer: str,
    *,
    animals: int | None = None,
    individuals: Sequence[str] | None = None,
    max_gap: int = 30,
) -> MultiAnimalPoses:
    """`link`, as `MultiAnimalPoses`.

    Parameters
    ----------
    points, likelihood, animals, max_gap
        As `link`.
    bodyparts : sequence of str
        K names.
    scorer : str
        The network.
    individuals : sequence of str, optional
        Names of the animals; "individual1", "individual2" … (as DeepLabCut's) if None.

    Returns
    -------
    dlcnb.poses.multianimal.MultiAnimalPoses
    """
    if individuals is not None:
        animals = len(individuals)
    found, trust = link(points, likelihood, animals, max_gap=max_gap)
    names = tuple(individuals or _names(found.shape[1]))
    return MultiAnimalPoses(names, tuple(bodyparts), scorer, found, trust)


def track_chunks(
    chunks: Iterable[tuple[NDArray[np.float64], NDArray[np.float64]]],
    sample: tuple[NDArray[np.float64], NDArray[np.float64]],
    bodyparts: Sequence[str],
    scorer: str,
    *,
    animals: int,
    max_gap: int = 30,
) -> Iterator[MultiAnimalPoses]:
    """`track` for a video that is longer than memory.

    Parameters
    ----------
    chunks : iterable of (points, likelihood)
        As `link`, of consecutive frames.
    sample : (points, likelihood)
        Of some frames, from which it is estimated how large animals are and how fast.
    bodyparts, scorer, animals, max_gap
        As `track`.

    Yields
    ------
    dlcnb.poses.multianimal.MultiAnimalPoses
        For each of the chunks.
    """
    body = body_size(sample[0])
    linker = Linker(animals, len(bodyparts), body=body, max_step=step_size(sample[0], body), max_gap=max_gap)
    for points, likelihood in chunks:
        found, trust = _linked(linker, points, likelihood, animals)
        yield MultiAnimalPoses(_names(animals), tuple(bodyparts), scorer, found, trust)


def _names(animals: int) -> tuple[str, ...]:
    return tuple(f"individual{n}" for n in range(1, animals + 1))


def link(
    points: ArrayLike,
    likelihood: ArrayLike,
    animals: int | None = None,
    *,
    max_step: float | None = None,
    max_gap: int = 30,
    body: float | None = None,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Give each found bodypart to an animal, frame after frame.

    Parameters
    ----------
    points : array_like
        (T, N, K, 2) px: up to N places of each bodypart in a frame, in any order, of different animals for each
        bodypart (as `targets.local_maxima` finds them); NaN = no further one.
    likelihood : array_like
        (T, N, K).
    animals : int, optional
        A, how many there are; N if None.
    max_step : float, optional
        How far a bodypart may move in a frame, px; estimated if None.
    max_gap : int
        Frames for which the place of a bodypart that is not found is remembered.
    body : float, optional
        How far the bodyparts of an animal are apart, px; estimated if None.

    Returns
    -------
    points : float64 (T, A, K, 2)
        NaN = not found. Row a is the same animal in all frames.
    likelihood : float64 (T, A, K)
        NaN where the points are.
    """
    points, likelihood = np.asarray(points, float), np.asarray(likelihood, float)
    if points.ndim != 4 or points.shape != (*likelihood.shape, 2):
        raise ValueError(
            f"Expected points (frames, animals, bodyparts, 2) and their likelihood, found {points.shape} and "
            f"{likelihood.shape}."
        )
    animals = points.shape[1] if animals is None else animals
    body = body_size(points) if body is None else body
    max_step = step_size(points, body) if max_step is None else max_step
    linker = Linker(animals, points.shape[2], body=body, max_step=max_step, max_gap=max_gap)
    return _linked(linker, points, likelihood, animals)


def _linked(
    linker: Linker, points: NDArray[np.float64], likelihood: NDArray[np.float64], animals: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Points (T, A, K, 2) and likelihood (T, A, K) of the animals in the next frames."""
    places = np.full((len(points), animals, *points.shape[2:]), np.nan)
    trust = np.full(places.shape[:-1], np.nan)
    for t in range(len(points)):
        places[t], trust[t] = linker.step(points[t], likelihood[t])
    return places, trust


def body_size(points: ArrayLike) -> float:
    """How far the bodyparts of one animal are apart, px, from places (T, N, K, 2); 0 for a single bodypart.

    The median over found bodyparts of the distance to the nearest place of that other bodypart which is furthest.
    """
    points = np.asarray(points, float)
    points = points[:: max(1, len(points) // _SAMPLED)]
    far = []
    for k in range(points.shape[2]):
        others = [j for j in range(points.shape[2]) if j != k]
        if others:
            apart = np.linalg.norm(
                points[:, :, k, None, None] - points[:, None, :, others], axis=-1
            )  # (T, N, N, K - 1)
            nearest = np.nanmin(np.where(np.isnan(apart), np.inf, apart), axis=2)
            nearest[np.isinf(nearest)] = np.nan
            whole = np.isfinite(nearest).all(axis=-1)
            far.append(nearest[whole].max(axis=-1, initial=0))
    sizes = np.concatenate(far) if far else np.empty(0)
    return float(np.median(sizes)) if len(sizes) else 0.0


def step_size(points: ArrayLike, body: float) -> float:
    """How far a bodypart may move in a frame, px, from places (T, N, K, 2): generous, so only jumps are further."""
    points = np.asarray(points, float)
    starts = np.unique(np.linspace(0, max(len(points) - 2, 0), _SAMPLED).astype(int))
    steps = []
    for t in starts[starts + 1 < len(points)]:
        apart = np.linalg.norm(points[t + 1, None] - points[t, :, None], axis=-1)  # (N, N, K)
        nearest = np.where(np.isnan(apart), np.inf, apart).min(axis=1, initial=np.inf)
        steps.append(nearest[np.isfinite(nearest)])
    lengths = np.concatenate(steps) if steps else np.empty(0)
    usual = float(np.percentile(lengths, 90)) if len(lengths) else 0.0
    return max(10.0, 0.5 * body, 4 * usual)


class Linker:
    """`link` for one frame after the other, for videos that are longer than memory.

    Parameters
    ----------
    animals, bodyparts : int
        A and K.
    body, max_step : float
        Pixels: see `body_size` and `step_size`.
    max_gap : int
        Frames.
    """

    def __init__(self, animals: int, bodyparts: int, *, body: float, max_step: float, max_gap: int = 30) -> None:
        if animals < 1:
            raise ValueError(f"animals={animals}: expected a whole number of at least 1.")
        self._body, self._max_step, self._max_gap = body, max_step, max_gap
        self._last = np.full((animals, bodyparts, 2), np.nan)  # where each bodypart was seen last
        self._pace = np.zeros((animals, bodyparts, 2))  # px per frame, then
        self._unseen = np.full((animals, bodyparts), 10**9)  # frames since

    def step(
        self, points: NDArray[np.float64], likelihood: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Places (N, K, 2) and likelihood (N, K) of the next frame as those of the animals, (A, K, 2) and (A, K)."""
        owner = self._owners(points, likelihood)
        self._new_animals(points, likelihood, owner)
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
        frames = np.minimum(self._unseen + 1, self._max_gap + 1)[..., None]
        expected = self._last + self._pace * np.minimum(frames, 3)
        expected[~known] = np.nan
        own = np.linalg.norm(points - expected[:, None], axis=-1)
        reach = self._max_step * np.sqrt(frames[..., 0])[:, None]
        cost = np.where(own <= reach, own, np.inf)
        centre = _mean(expected)  # (A, 2)
        from_centre = np.linalg.norm(points - centre[:, None, None], axis=-1)  # (A, N, K)
        new = ~known[:, None] & (from_centre <= self._body)  # not seen for long, so near the animal's others
        cost = np.where(new, from_centre, cost)
        if self._last.shape[1] > 1:
            cost[from_centre > 2 * self._body + self._max_step] = np.inf  # torn off
        return cost

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
