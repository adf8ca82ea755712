"""Labeled frames in the order in which they are worth a second look.

Bodyparts keep their distances to each other, more or less, and which lies left of which. Where a label breaks with
what is usual in the other frames, it may be wrong: slipped, given to the wrong bodypart, or its left and right swapped.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from dlcnb.labels.current import current_labels
from dlcnb.labels.errors import LabelError
from dlcnb.labels.images import image_size

if TYPE_CHECKING:
    from dlcnb.labels.core import Labels
    from dlcnb.project import Project

__all__ = ["Suspicion", "image_sizes", "rank_labels", "rank_project"]

Array = NDArray[np.float64]
Size = tuple[int, int]  # (height, width), px

FRAMES = 5  # with fewer nothing is usual
LEAST_SPREAD = 0.1  # of the logarithm of a distance: 10 % is never odd
ODD = 4.0  # times the usual spread, from which on a reason is given
MOST = 8.0  # one distance counts as no odder than this
TURNED = 0.95  # share of frames in which three bodyparts turn the same way, for that to be usual
OUTSIDE, SWAPPED = 100.0, 10.0  # added to the score


@dataclass(frozen=True)
class Suspicion:
    """How odd the labels of a frame are: 0 = as usual, about 4 = odd; why, in words; and which bodyparts."""

    image: str
    score: float
    reasons: tuple[str, ...] = ()
    bodyparts: tuple[str, ...] = ()


def rank_project(project: Project, scorer: str | None = None) -> list[Suspicion]:
    """`rank_labels` of a project's labels (unsaved edits included), with the sizes of its images."""
    labels = current_labels(project, scorer)
    return rank_labels(labels, image_sizes(project, labels.images))


def image_sizes(project: Project, images: Iterable[str]) -> dict[str, Size]:
    """{image: (height, width)} in px of the extracted images that can be opened."""
    sizes: dict[str, Size] = {}
    for image in images:
        with suppress(LabelError):  # `doctor` reports it
            sizes[image] = image_size(project.root / image)
    return sizes


def rank_labels(labels: Labels, sizes: dict[str, Size] | Size | None = None) -> list[Suspicion]:
    """Labeled frames, the oddest first.

    Parameters
    ----------
    labels : dlcnb.labels.Labels
    sizes : {image: (height, width)} or one (height, width) for all, px; None = not known.

    Returns
    -------
    list of Suspicion
        One for each frame with a point.
    """
    points = labels.points
    usual = _Usual(points)
    oddness = usual.oddness(points)  # (T, K)
    cost = usual.cost(points)  # (T,)
    outside = _outside(labels, sizes)
    found = []
    for t in np.flatnonzero(~np.isnan(points).all((1, 2))):
        swap = usual.swap(points[t], oddness[t]) if cost[t] > 1 else None
        found.append(_describe(labels, t, oddness[t], outside[t], swap))
    return sorted(found, key=lambda s: -s.score)


def _describe(
    labels: Labels, t: int, oddness: Array, outside: NDArray[np.bool_], swap: tuple[int, int] | None
) -> Suspicion:
    parts = labels.bodyparts
    reasons: list[str] = []
    involved: list[int] = []
    score = float(np.nanmax(oddness, initial=0.0))
    for k in np.flatnonzero(outside):
        reasons.append(f"{parts[k]} lies outside the image")
        involved.append(k)
        score += OUTSIDE
    if swap:
        reasons.append(f"{parts[swap[0]]} and {parts[swap[1]]} look swapped")
        involved += swap
        score += SWAPPED
    else:
        for k in np.argsort(-np.nan_to_num(oddness)):
            if oddness[k] >= ODD and (not involved or oddness[k] >= score / 2):
                reasons.append(f"{parts[k]} is not at its usual place among the others ({oddness[k]:.0f} × the spread)")
                involved.append(k)
    names = tuple(dict.fromkeys(parts[k] for k in involved))
    return Suspicion(labels.images[t], score, tuple(reasons), names)


def _outside(labels: Labels, sizes: dict[str, Size] | Size | None) -> NDArray[np.bool_]:
    """Bool ``(T, K)``: where a point is outside its image; False where that is not known."""
    outside = np.zeros(labels.points.shape[:2], bool)
    for t, image in enumerate(labels.images):
        size = sizes.get(image) if isinstance(sizes, dict) else sizes
        if size is not None:
            x, y = labels.points[t].T
            outside[t] = (x < -0.5) | (y < -0.5) | (x > size[1] - 0.5) | (y > size[0] - 0.5)  # NaN is not
    return outside


class _Usual:
    """What is usual in labels ``(T, K, 2)``: distances between bodyparts, and how three of them turn."""

    def __init__(self, points: Array) -> None:
        n_parts = points.shape[1]
        self.pairs = np.array(list(combinations(range(n_parts), 2)), int).reshape(-1, 2)
        self.triples = np.array(list(combinations(range(min(n_parts, 30)), 3)), int).reshape(-1, 3)
        logs = self._logs(points)  # (T, P)
        enough = np.isfinite(logs).sum(0) >= FRAMES
        self.middle, self.spread = np.full(len(self.pairs), np.nan), np.full(len(self.pairs), np.nan)
        if enough.any():
            self.middle[enough] = np.nanmedian(logs[:, enough], axis=0)
            deviation = np.abs(logs[:, enough] - self.middle[enough])
            self.spread[enough] = np.maximum(1.4826 * np.nanmedian(deviation, axis=0), LEAST_SPREAD)
        turns = self._turns(points)  # (T, Q)
        known = np.maximum((turns != 0).sum(0), 1)
        share = turns.sum(0) / known  # -1..1
        self.turn = np.where((known >= FRAMES) & (np.abs(share) >= 2 * TURNED - 1), np.sign(share), 0)

    def _logs(self, points: Array) -> Array:
        """Logarithms of the distances of all pairs, ``(T, P)``."""
        apart = points[:, self.pairs[:, 0]] - points[:, self.pairs[:, 1]]
        return np.log(np.maximum(np.hypot(*np.moveaxis(apart, -1, 0)), 1.0))

    def _turns(self, points: Array) -> Array:
        """+1 or -1 ``(T, Q)`` for the way in which three bodyparts turn, 0 where they are in line or missing."""
        a, b, c = (points[:, self.triples[:, n]] for n in range(3))
        one, two = b - a, c - a
        area = one[..., 0] * two[..., 1] - one[..., 1] * two[..., 0]
        extent = np.maximum((one**2).sum(-1), (two**2).sum(-1))
        with np.errstate(invalid="ignore"):
            return np.where(np.abs(area) > 0.1 * extent, np.sign(area), 0)

    def _z(self, points: Array) -> Array:
        return np.minimum(np.abs(self._logs(points) - self.middle) / self.spread, 2 * MOST)

    def oddness(self, points: Array) -> Array:
        """How odd each bodypart's distances to the others are, ``(T, K)``, in usual spreads (median); 0 = unknown."""
        z, found = self._z(points), np.zeros(points.shape[:2])
        for k in range(points.shape[1]):
            mine = z[:, (self.pairs == k).any(1)]
            some = np.isfinite(mine).any(1)
            found[some, k] = np.nanmedian(mine[some], axis=1)
        return found

    def cost(self, points: Array) -> Array:
        """How odd whole frames are, ``(T,)``: mean oddness of distances, and the share of wrong turns."""
        z = np.minimum(self._z(points), MOST)
        known = np.isfinite(z)
        far = np.where(known, z, 0).sum(1) / np.maximum(known.sum(1), 1)
        turns = self._turns(points)
        judged = (turns != 0) & (self.turn != 0)
        wrong = (judged & (turns != self.turn)).sum(1) / np.maximum(judged.sum(1), 1)
        return far + MOST * wrong

    def swap(self, points: Array, oddness: Array) -> tuple[int, int] | None:
        """The two bodyparts (k, l) that a frame ``(K, 2)`` would look far more usual with exchanged, or None."""
        placed = np.flatnonzero(~np.isnan(points[:, 0]))
        candidates = list(combinations(placed[np.argsort(-oddness[placed], kind="stable")][:12], 2))
        if not candidates:
            return None
        trials = np.repeat(points[None], len(candidates) + 1, axis=0)
        for trial, (k, other) in zip(trials[1:], candidates, strict=True):
            trial[[k, other]] = trial[[other, k]]
        cost = self.cost(trials)
        best = int(np.argmin(cost[1:]))
        if cost[0] - cost[1 + best] > 1 and cost[1 + best] < 0.5 * cost[0]:
            one, two = sorted(map(int, candidates[best]))
            return one, two
        return None
