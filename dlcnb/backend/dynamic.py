"""Dynamic cropping: only the part of a frame where the animal was found last goes through the network.

Frames go in groups of `LOOK_AHEAD`. The crop of a group follows from the poses of the group before, so it depends on
the frames alone, not on how many are computed at once. Every `RESET` frames the animal is looked for in the whole frame
again, whatever came before: a video analyzed in parts, or stopped and resumed, gives the same poses.

A bodypart that the frame before has and that is not found in the crop any more is looked for in the whole frame. One
that is not there either may come back outside the crop: it is looked for again in the next group, and then after 8, 16,
… frames, up to `RECHECK`; meanwhile the crop holds the place where it would be if it went along with the others. A
bodypart whose likelihood is low for a while, but which does go along, is not lost: for it the whole frame is looked at
every `RECHECK` frames.

Where a bodypart comes near the border of the crop, the rest of the group is seen in a crop that is moved after it.

What lies much farther from the other bodyparts than in any labeled frame is reported, but not followed: it is something
else, and no crop would hold both.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["LOOK_AHEAD", "RESET", "Dynamic", "Follower"]

LOOK_AHEAD = 4  # frames
RESET = 256  # frames; a multiple of LOOK_AHEAD
RECHECK = 32  # frames at most; few would cost speed where a bodypart is never seen
SIDES = (128, 160, 192, 224, 256, 320)  # of the crops, px of the network's input: few, as each shape costs memory
_GRID = 8  # px that a crop moves by
_FAR = 1.5  # times what the animal reaches in labeled frames


@dataclass(frozen=True)
class Dynamic:
    """How to follow the animal, as DeepLabCut's ``dynamic=(True, threshold, margin)``.

    Attributes
    ----------
    threshold : likelihood from which a bodypart counts as found.
    margin : px around the found bodyparts that belong to the crop; where they are going, it reaches further.
    """

    threshold: float = 0.5
    margin: float = 10.0

    def __post_init__(self) -> None:
        if not 0 < self.threshold <= 1:
            raise ValueError(f"The threshold of dynamic cropping must be in 0..1, but is {self.threshold!r}.")
        if not self.margin >= 0:
            raise ValueError(f"The margin of dynamic cropping must be 0 px or more, but is {self.margin!r}.")


class Follower:
    """Chooses crops by the poses found so far.

    Parameters
    ----------
    size : (height, width) of the frames.
    input_scale : by which the network sees them resized.
    dynamic : `Dynamic`.
    widest_px : how far the animal reaches at most in labeled frames; NaN = not known, and then nothing is too far off.

    Attributes
    ----------
    crop : (left, top, width, height) px for the next frames; None = the whole frame.
    """

    def __init__(
        self, size: tuple[int, int], input_scale: float, dynamic: Dynamic, widest_px: float = math.nan
    ) -> None:
        self._size, self._dynamic, self._far = size, dynamic, _FAR * widest_px
        self.crop: tuple[int, int, int, int] | None = None
        self._there: NDArray[np.bool_] | None = None  # bodyparts (K,) that the last frame has
        self._last: NDArray[np.float64] | None = None  # its points (K, 2)
        self._unchecked = 0  # frames with one missing, since the last check
        self._sides = [round(side / input_scale) for side in SIDES]
        self._wait = LOOK_AHEAD  # frames until a missing bodypart is looked for again

    def _forget(self) -> None:
        self.crop, self._there, self._last, self._unchecked = None, None, None, 0

    def lost(self, points: NDArray[np.float64], likelihood: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Whether a bodypart leaves the crop, or is gone that the frame before has, or all are: bool (n,).

        For poses (n, K, 2) and (n, K) of successive frames; those of frames that were looked at whole tell what the
        frames after them can lose.
        """
        gone, leaves = self._losses(points, likelihood)
        return gone | leaves

    def move(self, points: NDArray[np.float64], likelihood: NDArray[np.float64], n: int) -> bool:
        """Put the crop around what frame ``n`` of a group has, if that only leaves the crop; False if not.

        For poses (n, K, 2) and (n, K) of successive frames.
        """
        gone, leaves = self._losses(points, likelihood)
        _, there, _ = self._places(points, likelihood)
        if gone[n] or not leaves[n] or not there[n].all():
            return False
        crop = self._around(points[n][there[n]], np.zeros(2))
        self.crop = crop or self.crop
        return crop is not None

    def _losses(
        self, points: NDArray[np.float64], likelihood: NDArray[np.float64]
    ) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """Whether a bodypart, or all, are gone, and whether one leaves the crop: bool (n,) each."""
        if self.crop is None or self._there is None:
            raise ValueError(
                "There is no crop yet: expected poses that were found in a crop. Call this after a crop was chosen."
            )
        left, top, width, height = self.crop
        low, high = np.array([left, top]), np.array([left + width - 1, top + height - 1])
        low = np.where(low > 0, low + self._dynamic.margin, -np.inf)  # the frame's own border is no limit
        high = np.where(high < np.array(self._size[::-1]) - 1, high - self._dynamic.margin, np.inf)
        found, there, _ = self._places(points, likelihood)
        outside = ((points < low) | (points > high)).any(-1)
        before = np.concatenate([self._there[None], there[:-1]])
        return (before & ~there).any(-1) | ~found.any(-1), ((found | there) & outside).any(-1)

    def _places(
        self, points: NDArray[np.float64], likelihood: NDArray[np.float64]
    ) -> tuple[NDArray[np.bool_], NDArray[np.bool_], NDArray[np.float64]]:
        """What is found, what is there, and where; for poses (n, K, 2) and (n, K) of successive frames.

        ``found`` (n, K): of a high likelihood, and not far off. ``there`` (n, K): these, and unsure ones that go along.
        ``places`` (n, K, 2): of those that are there, and where the others would be if they had gone along; NaN for
        bodyparts that were not there yet. Damaged frames, NaN, have nothing.
        """
        found = self._near(points, likelihood, np.nan_to_num(likelihood) >= self._dynamic.threshold)
        there, places = found.copy(), points.copy()
        was = np.zeros(points.shape[1], bool) if self._there is None else self._there
        last = np.full(points.shape[1:], np.nan) if self._last is None else self._last
        for n, now in enumerate(points):
            both = found[n] & was
            walk = np.median((now - last)[both], axis=0) if both.any() else np.zeros(2)
            if both.any():
                there[n] |= was & (np.linalg.norm(now - last - walk, axis=-1) <= self._dynamic.margin)
            places[n] = last = np.where(there[n, :, None], now, last + walk)
            was = there[n]
        return found, there, places

    def _near(
        self, points: NDArray[np.float64], likelihood: NDArray[np.float64], found: NDArray[np.bool_]
    ) -> NDArray[np.bool_]:
        """Those of ``found`` (n, K) that are not too far from the one that the others are nearest to."""
        away = np.linalg.norm(points[:, :, None] - points[:, None], axis=-1)  # (n, K, K)
        total = np.where(found[:, None], away, 0).sum(-1) / np.where(found, likelihood, 1)  # of two, the likelier one
        middle = np.where(found, total, np.inf).argmin(-1)
        return found & ~(away[np.arange(len(points)), middle] > self._far)

    def follow(self, points: NDArray[np.float64], likelihood: NDArray[np.float64]) -> None:
        """Choose the next crop by the poses (n, K, 2) and (n, K) of a group; NaN in damaged frames."""
        found, there, places = self._places(points, likelihood)
        seen = np.flatnonzero(found.any(-1))
        if not len(seen) or seen[-1] < len(points) - 1:
            self._forget()  # not there at the end
            return
        first, last = seen[[0, -1]]
        both = there[first] & there[last]
        ahead = np.zeros(2)
        if first < last and both.any():
            ahead = (points[last] - points[first])[both].mean(0) * LOOK_AHEAD / (last - first)
        known = ~np.isnan(places[last]).any(-1)
        crop = self._around(places[last][known], ahead) or self._around(places[last][there[last]], ahead)
        self._there, self._last = there[-1], places[-1]
        if found[-1].all():
            self._unchecked, self._wait = 0, LOOK_AHEAD
        else:
            self._unchecked += len(points)
        if self._unchecked >= (RECHECK if there[-1].all() else self._wait):
            self._wait = min(2 * self._wait, RECHECK)
            self._unchecked, crop = 0, None
        self.crop = crop

    def _around(self, places: NDArray[np.float64], ahead: NDArray[np.float64]) -> tuple[int, int, int, int] | None:
        """The smallest crop that holds places (n, 2), and these moved, as far as it lies in the frame; None = all."""
        low = places.min(0) - self._dynamic.margin + np.minimum(ahead, 0)
        high = places.max(0) + self._dynamic.margin + np.maximum(ahead, 0)
        height, width = self._size
        low, high = np.maximum(low, 0), np.minimum(high, [width - 1, height - 1])
        wanted = (high - low).max() + 1 + _GRID
        side = next((side for side in self._sides if side >= wanted), None)
        if side is None or side >= max(height, width):
            return None
        size = np.minimum(side, [width, height])
        corner = np.floor((low + high + 1 - size) / 2 / _GRID + 0.5) * _GRID
        left, top = np.clip(corner, 0, np.array([width, height]) - size).astype(int).tolist()
        return left, top, *size.tolist()
