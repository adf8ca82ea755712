"""What the labels of a project look like: sizes, spacing, directions, which bodyparts show how often.

Everything is measured on the labels alone, in px of the frames and as shares of the animal's size, so that it does not
depend on how a camera was set up.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dlcnb.geometry import animal_px

__all__ = ["Survey", "directions", "looks_mirrored", "spacing", "survey"]

_ROUNDS = 8  # of fitting the mean posture; it changes little after three
_TURNS = 30.0  # degrees of spread from which on an animal counts as one that turns round


@dataclass(frozen=True)
class Survey:
    """Facts about N labeled frames of K bodyparts.

    Attributes
    ----------
    frames : N.
    frame_sizes : int ``(N, 2)``, ``(height, width)`` of each frame, px.
    animal_px : median diagonal of the labels' bounding box, px; NaN if no frame has two labels.
    spacing_px : how near a bodypart's nearest neighbour is, px: a quarter of them are nearer. NaN for one bodypart.
    shown : float ``(K,)``, share of the frames that show each bodypart.
    counts : int ``(K,)``, in how many frames.
    turn : degrees; how far the animal's direction spreads around its mean, 0..180 (`directions`). NaN if the labels
        have no direction (one bodypart).
    mirror : int ``(K,)``, each bodypart's mirror image, where the labels agree with it; None where mirrored frames
        would be wrong, or of a kind that never occurs.
    """

    frames: int
    frame_sizes: NDArray[np.int_]
    animal_px: float
    spacing_px: float
    shown: NDArray[np.float64]
    counts: NDArray[np.int_]
    turn: float
    mirror: NDArray[np.intp] | None


def survey(
    points: NDArray[np.float64], frame_sizes: Sequence[tuple[int, int]], mirror: NDArray[np.intp] | None
) -> Survey:
    """Look at labels.

    Parameters
    ----------
    points : float ``(N, K, 2)`` px, NaN = not there.
    frame_sizes : N times ``(height, width)``, px.
    mirror : int ``(K,)``, each bodypart's mirror image by its name (`dlcnb.trainset.sides.mirror_order`), or None.
    """
    there = ~np.isnan(points).any(-1)
    turns = directions(points)
    turn = float(np.rad2deg(_spread(turns)))
    allowed = mirror if mirror is not None and looks_mirrored(points, mirror, turn) else None
    return Survey(
        frames=len(points),
        frame_sizes=np.array(frame_sizes, int).reshape(-1, 2),
        animal_px=animal_px(points),
        spacing_px=spacing(points),
        shown=there.mean(0) if len(points) else np.zeros(points.shape[1]),
        counts=there.sum(0),
        turn=turn,
        mirror=allowed,
    )


def spacing(points: NDArray[np.float64]) -> float:
    """Distance to the nearest other bodypart that a quarter of all labels fall below, px; NaN if none has another."""
    distance = np.linalg.norm(points[:, :, None] - points[:, None], axis=-1)
    parts = np.arange(points.shape[1])
    distance[:, parts, parts] = np.nan
    nearest = np.fmin.reduce(distance, -1, initial=np.inf).ravel()
    nearest = nearest[np.isfinite(nearest)]
    return float(np.percentile(nearest, 25)) if len(nearest) else float("nan")


def directions(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """How far each frame's posture is turned from the mean posture, radians ``(N,)``; NaN with fewer than two labels.

    The mean posture is found by turning and scaling all postures onto it (generalized Procrustes analysis, Gower 1975)
    and averaging.
    """
    return _aligned(points, _mean_posture(points))[0]


def looks_mirrored(points: NDArray[np.float64], mirror: NDArray[np.intp], turn: float) -> bool:
    """Whether mirrored frames look like frames of this animal: same postures, in directions that occur.

    Views from the side, contours and two views in one picture don't: their mirror images are never seen.

    Parameters
    ----------
    points : float ``(N, K, 2)`` px, NaN = not there.
    mirror : int ``(K,)``, each bodypart's mirror image.
    turn : degrees; the spread of directions in ``points``.
    """
    mean = _mean_posture(points)
    flipped = (points * [-1.0, 1.0])[:, mirror]
    _, real = _aligned(points, mean)
    turned, mirrored = _aligned(flipped, mean)
    if not (np.isfinite(real).any() and np.isfinite(mirrored).any()):
        return False
    if np.nanmedian(mirrored) > 1.25 * np.nanmedian(real) + 0.02:
        return False
    return bool(turn >= _TURNS or np.nanmedian(np.abs(np.rad2deg(turned))) <= _TURNS)


def _mean_posture(points: NDArray[np.float64]) -> NDArray[np.complex128]:
    """The mean posture, complex ``(K,)`` around 0 and of unit size; NaN where a bodypart never shows."""
    postures = _normed(points)
    mean = postures[np.argmax(np.isfinite(postures).sum(1))] if len(postures) else np.full(points.shape[1], np.nan)
    for _ in range(_ROUNDS):
        turned = postures * np.exp(-1j * _angles(postures, mean))[:, None]
        count = np.isfinite(turned).sum(0)
        mean = np.where(count > 0, np.nansum(turned, 0) / np.maximum(count, 1), np.nan)
        size = np.sqrt(np.nanmean(np.abs(mean) ** 2)) if np.isfinite(mean).any() else 1.0
        mean = mean / (size or 1.0)
    return mean


def _normed(points: NDArray[np.float64]) -> NDArray[np.complex128]:
    """Postures as complex ``(N, K)``, around their centre and of unit size; NaN with fewer than two labels."""
    z = points[..., 0] + 1j * points[..., 1]
    count = np.isfinite(z).sum(1)
    centred = z - (np.nansum(z, 1) / np.maximum(count, 1))[:, None]
    size = np.sqrt(np.nansum(np.abs(centred) ** 2, 1) / np.maximum(count, 1))
    known = (count >= 2) & (size > 0)
    return np.where(known[:, None], centred / np.where(known, size, 1.0)[:, None], np.nan)


def _angles(postures: NDArray[np.complex128], mean: NDArray[np.complex128]) -> NDArray[np.float64]:
    """The turn that takes the mean posture to each posture, radians ``(N,)``; NaN where nothing is in common."""
    product = postures * np.conj(mean)
    return np.where(np.isfinite(product).any(1), np.angle(np.nansum(product, 1)), np.nan)


def _aligned(
    points: NDArray[np.float64], mean: NDArray[np.complex128]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Turn (radians) and misfit (share of the size) of each frame's posture against the mean posture; ``(N,)`` each."""
    postures = _normed(points)
    angles = _angles(postures, mean)
    away = np.abs(postures * np.exp(-1j * angles)[:, None] - mean) ** 2
    count = np.isfinite(away).sum(1)
    misfit = np.sqrt(np.nansum(away, 1) / np.maximum(count, 1))
    return angles, np.where(count >= 2, misfit, np.nan)


def _spread(angles: NDArray[np.float64]) -> float:
    """Circular standard deviation (radians) of angles, at most pi; NaN without any."""
    angles = angles[np.isfinite(angles)]
    if not len(angles):
        return float("nan")
    length = min(1.0, abs(np.exp(1j * angles).mean()))
    return float(min(np.pi, np.sqrt(-2 * np.log(length)))) if length > 0 else float(np.pi)
