"""Labeled frames in the order in which they are worth a second look.

Bodyparts keep their distances to each other, more or less, and which lies left of which. Where a label breaks with
what is usual in the other frames, it may be wrong: slipped, given to the wrong bodypart, or its left and right swapped.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dlcnb.labels.current import current_labels
from dlcnb.labels.errors import LabelError
from dlcnb.labels.faults import ODD_BONE, Fault, jumps, long_bones, outside, same_places
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
LEAST_TURN = 0.05  # spread of how far three bodyparts turn
FIRM = 2.5  # spreads from no turn from which on the way of turning is usual
OUTSIDE, SWAPPED, SAME_PLACE, JUMP = 100.0, 10.0, 10.0, 6.0  # added to the score


@dataclass(frozen=True)
class Suspicion:
    """How odd the labels of a frame are: 0 = as usual, about 4 = odd; and what may be wrong."""

    image: str
    score: float
    faults: tuple[Fault, ...] = ()

    @property
    def reasons(self) -> tuple[str, ...]:
        """What may be wrong, in words."""
        return tuple(fault.text for fault in self.faults)

    @property
    def bodyparts(self) -> tuple[str, ...]:
        """Which bodyparts that is about, each once."""
        return tuple(dict.fromkeys(part for fault in self.faults for part in fault.bodyparts))


def rank_project(project: Project, scorer: str | None = None) -> list[Suspicion]:
    """`rank_labels` of a project's labels (unsaved edits included), with the sizes of its images."""
    labels = current_labels(project, scorer)
    known = [edge for edge in project.skeleton.edges if set(edge) <= set(labels.bodyparts)]
    edges = np.array([[labels.bodyparts.index(part) for part in edge] for edge in known], int)
    return rank_labels(labels, image_sizes(project, labels.images), edges)


def image_sizes(project: Project, images: Iterable[str]) -> dict[str, Size]:
    """{image: (height, width)} in px of the extracted images that can be opened."""
    sizes: dict[str, Size] = {}
    for image in images:
        with suppress(LabelError):  # `doctor` reports it
            sizes[image] = image_size(project.root / image)
    return sizes


def rank_labels(labels: Labels, sizes: dict[str, Size] | Size | None = None, edges: ArrayLike = ()) -> list[Suspicion]:
    """Labeled frames, the oddest first.

    Parameters
    ----------
    labels : dlcnb.labels.Labels
    sizes : {image: (height, width)} or one (height, width) for all, px; None = not known.
    edges : int (E, 2), the bones of the skeleton as indices of bodyparts.

    Returns
    -------
    list of Suspicion
        One for each frame with a point.
    """
    points, usual = labels.points, _Usual(labels.points)
    bones = np.asarray(edges, int).reshape(-1, 2)
    found = _Found(
        usual.oddness(points),
        same_places(points, usual.pairs),
        *long_bones(points, bones),
        jumps(points, labels.images),
    )
    cost, described = usual.cost(points), []
    for t in np.flatnonzero(~np.isnan(points).all((1, 2))):
        size = sizes.get(labels.images[t]) if isinstance(sizes, dict) else sizes
        swap = usual.swap(points[t], found.oddness[t]) if cost[t] > 1 else None
        faults, score = _judge(labels, t, found, usual.pairs, bones, outside(points[t], size), swap)
        described.append(Suspicion(labels.images[t], score, tuple(faults)))
    return sorted(described, key=lambda s: -s.score)


@dataclass(frozen=True)
class _Found:
    """Of T frames: oddness of K bodyparts, P pairs on one place, oddness and ratio of E bones, jumps of K bodyparts."""

    oddness: Array
    same: NDArray[np.bool_]
    bones: Array
    ratio: Array
    jumps: Array


def _judge(
    labels: Labels,
    t: int,
    found: _Found,
    pairs: NDArray[np.int64],
    bones: NDArray[np.int64],
    beyond: NDArray[np.bool_],
    swap: tuple[int, int] | None,
) -> tuple[list[Fault], float]:
    """The faults of frame ``t``, the plainest first, and its score."""
    names, odd = labels.bodyparts, found.oddness[t]
    score = float(np.nanmax(odd, initial=0.0)) + OUTSIDE * int(beyond.sum()) + SWAPPED * bool(swap)
    faults = [Fault("outside", (names[k],), f"{names[k]} lies outside the image") for k in np.flatnonzero(beyond)]
    if swap:
        one, two = (names[k] for k in swap)
        faults.append(Fault("swapped", (one, two), f"{one} and {two} look swapped"))
    for k, other in pairs[found.same[t]]:
        if swap and {k, other} & set(swap):
            continue
        one, two = (names[n] for n in ((k, other) if odd[k] >= odd[other] else (other, k)))
        faults.append(Fault("one place", (one, two), f"{one} is at the same place as {two}"))
        score += SAME_PLACE
    named = {part for fault in faults for part in fault.bodyparts}
    for k in np.flatnonzero(found.jumps[t]):
        if names[k] not in named:
            far = f"{found.jumps[t, k]:.0f} px from where the labeled frames before and after have it"
            faults.append(Fault("jump", (names[k],), f"{names[k]} is {far}"))
            score += JUMP
    named |= {part for fault in faults for part in fault.bodyparts}
    if not swap:
        faults += _proportions(names, odd, score, named)
    named |= {part for fault in faults for part in fault.bodyparts}
    for e in np.flatnonzero(found.bones[t] >= ODD_BONE):
        ends = tuple(names[k] for k in bones[e])
        if not named & set(ends):
            faults.append(
                Fault("proportion", ends, f"{' to '.join(ends)} is {found.ratio[t, e]:.1f} × as long as usual")
            )
            score = max(score, float(found.bones[t, e]))
    return faults, score


def _proportions(names: Sequence[str], odd: Array, score: float, named: set[str]) -> list[Fault]:
    """Bodyparts that are too near to the others, or too far."""
    faults: list[Fault] = []
    for k in np.argsort(-np.nan_to_num(odd)):
        if odd[k] >= ODD and names[k] not in named and (not (named or faults) or odd[k] >= score / 2):
            text = f"{names[k]} is not at its usual place among the others ({odd[k]:.0f} × the spread)"
            faults.append(Fault("proportion", (names[k],), text))
    return faults


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
        self.turn = self._usual_turns(self._areas(points))

    def _logs(self, points: Array) -> Array:
        """Logarithms of the distances of all pairs, ``(T, P)``."""
        apart = points[:, self.pairs[:, 0]] - points[:, self.pairs[:, 1]]
        return np.log(np.maximum(np.hypot(*np.moveaxis(apart, -1, 0)), 1.0))

    def _areas(self, points: Array) -> Array:
        """How far three bodyparts turn, and which way, ``(T, Q)``: twice the area by the longer side squared."""
        a, b, c = (points[:, self.triples[:, n]] for n in range(3))
        one, two = b - a, c - a
        area = one[..., 0] * two[..., 1] - one[..., 1] * two[..., 0]
        return area / np.maximum(np.maximum((one**2).sum(-1), (two**2).sum(-1)), 1e-9)

    def _turns(self, points: Array) -> Array:
        """+1 or -1 ``(T, Q)`` for the way in which three bodyparts turn, 0 where they are in line or missing."""
        areas = np.nan_to_num(self._areas(points))
        return np.where(np.abs(areas) > 0.1, np.sign(areas), 0)

    @staticmethod
    def _usual_turns(areas: Array) -> Array:
        """+1 or -1 ``(Q,)`` where three bodyparts usually turn that way, 0 where they turn as they like.

        Usual is what nearly all frames do, or what lies some spreads from no turn at all: frames with swapped
        bodyparts, a third of all at most, change neither the middle nor the spread, which is wide where an animal
        rolls over.
        """
        turn, enough = np.zeros(areas.shape[1]), np.isfinite(areas).sum(0) >= FRAMES
        if enough.any():
            middle = np.nanmedian(areas[:, enough], axis=0)
            spread = np.maximum(1.4826 * np.nanmedian(np.abs(areas[:, enough] - middle), axis=0), LEAST_TURN)
            share = np.nanmean(np.sign(areas[:, enough]), axis=0)  # -1 to 1
            firm = (np.abs(middle) >= FIRM * spread) | (np.abs(share) >= 2 * TURNED - 1)
            turn[enough] = np.where(firm, np.sign(middle), 0)
        return turn

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
