"""Named faults of labels: what looks wrong in a frame, which bodyparts it is about, and how it can be mended."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

import numpy as np
from numpy.typing import NDArray

from dlcnb.labels.core import frame_number

__all__ = ["FIXES", "Fault", "jumps", "long_bones", "outside", "same_places"]

Array = NDArray[np.float64]

FIXES = {"outside": "delete", "swapped": "swap", "one place": "delete", "proportion": "look", "jump": "look"}
FRAMES = 5  # with fewer nothing is usual
ONE_PLACE, CLOSEST = 0.1, 0.25  # of the usual distance of two bodyparts; of that of the two that are closest
LEAST_SPREAD = 0.1  # of the logarithm of a bone's length
ODD_BONE = 6.0  # times the usual spread
NEAR = 30  # frames of the video to a neighbour that tells where a bodypart should be
ODD_JUMP, LEAST_JUMP = 5.0, 0.25  # times what three quarters of all keep to; of the animal's size


@dataclass(frozen=True)
class Fault:
    """One thing that looks wrong in a labeled frame.

    Attributes
    ----------
    kind : str
        'outside', 'swapped', 'one place', 'proportion' (not as far from the others as usual) or 'jump'.
    bodyparts : tuple of str
        Which it is about; for 'one place' the one to delete comes first.
    text : str
        What it is, for people to read.
    """

    kind: str
    bodyparts: tuple[str, ...]
    text: str

    @property
    def fix(self) -> str:
        """What mends it: 'swap' the two bodyparts, 'delete' the first one's point, or 'look' at the frame."""
        return FIXES[self.kind]


def outside(points: Array, size: tuple[int, int] | None) -> NDArray[np.bool_]:
    """Which points (K, 2) are outside an image of (height, width), bool (K,); none where the size is not known."""
    if size is None:
        return np.zeros(len(points), bool)
    x, y = points.T
    return (x < -0.5) | (y < -0.5) | (x > size[1] - 0.5) | (y > size[0] - 0.5)  # NaN is not


def same_places(points: Array, pairs: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Where two bodyparts (pairs: int (P, 2)) of points (T, K, 2) px are on one place though usually apart: (T, P)."""
    apart = np.linalg.norm(points[:, pairs[:, 0]] - points[:, pairs[:, 1]], axis=-1)
    usual, odd = _usual(apart), long_bones(points, pairs)[0] >= ODD_BONE  # paws that pass each other are not
    closest = np.nanmin(usual, initial=np.inf) if np.isfinite(usual).any() else 0.0
    return odd & (apart < np.fmax(np.minimum(ONE_PLACE * usual, CLOSEST * closest), 0.5))  # NaN is not


def long_bones(points: Array, edges: NDArray[np.int64]) -> tuple[Array, Array]:
    """How odd the lengths of bones are against their distribution over all frames.

    Parameters
    ----------
    points : (T, K, 2) px
    edges : int (E, 2) of bodyparts

    Returns
    -------
    odd, ratio : (T, E)
        The length in usual spreads from the usual one, and by which factor; 0 and 1 where unknown.
    """
    length = np.linalg.norm(points[:, edges[:, 0]] - points[:, edges[:, 1]], axis=-1)
    logs = np.log(np.maximum(length, 1.0))
    away = logs - _usual(logs)
    spread = np.maximum(1.4826 * _usual(np.abs(away)), LEAST_SPREAD)
    return np.nan_to_num(np.abs(away) / spread), np.exp(np.nan_to_num(away))


def jumps(points: Array, images: Sequence[str]) -> Array:
    """How far points are from where the labeled frames before and after them in the video have them.

    Parameters
    ----------
    points : (T, K, 2) px
    images : T names ``labeled-data/<video>/<image>``

    Returns
    -------
    (T, K)
        In px where that is far more than usual and than the animal's size allows, else 0.
    """
    found = np.full(points.shape[:2], np.nan)
    steps = np.full((len(images), 1), np.nan)
    neighbours = _neighbours(images)
    for before, t, after in neighbours:
        start, here, end = (frame_number(images[n]) or 0 for n in (before, t, after))
        share = (here - start) / (end - start)
        found[t] = np.linalg.norm(points[t] - (1 - share) * points[before] - share * points[after], axis=-1)
        steps[t] = np.sqrt((here - start) * (end - here))
    rate = found / steps
    if np.isfinite(rate).any(axis=1).sum() < FRAMES:
        return np.zeros(points.shape[:2])
    known = np.isfinite(rate).any(axis=0)
    usual = np.full(points.shape[1], np.nan)
    usual[known] = np.nanpercentile(rate[:, known], 75, axis=0)
    far = rate > ODD_JUMP * np.maximum(usual, 0.05)
    for before, t, after in neighbours:  # what jumps makes its neighbours seem half as far off
        far[t] &= ~(found[t] < 1.5 * np.fmax(found[before], found[after]))
    return np.where(far & (found > LEAST_JUMP * _size(points)), found, 0.0)


def _neighbours(images: Sequence[str]) -> list[tuple[int, int, int]]:
    """(before, frame, after), indices of images of one video with both neighbours near."""
    places = []
    for t, image in enumerate(images):
        if (number := frame_number(image)) is not None:
            places.append((PurePosixPath(image).parent.name, number, t))
    places.sort()
    return [
        (one[2], two[2], three[2])
        for one, two, three in zip(places, places[1:], places[2:], strict=False)
        if one[0] == three[0] and 0 < two[1] - one[1] <= NEAR and 0 < three[1] - two[1] <= NEAR
    ]


def _size(points: Array) -> float:
    """The animal's usual extent in px; 0 for a single bodypart."""
    several = points[np.isfinite(points[..., 0]).sum(axis=1) > 1]
    if not len(several):
        return 0.0
    extent = np.nanmax(several, axis=1) - np.nanmin(several, axis=1)
    return float(np.median(np.hypot(*extent.T)))


def _usual(values: Array) -> Array:
    """The median of each column of (T, P), (P,); NaN where fewer than `FRAMES` are known."""
    usual = np.full(values.shape[1], np.nan)
    enough = np.isfinite(values).sum(axis=0) >= FRAMES
    if enough.any():
        usual[enough] = np.nanmedian(values[:, enough], axis=0)
    return usual
