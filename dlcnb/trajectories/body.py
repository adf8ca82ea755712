"""Postures in the body's own frame, and the moments of a recording that are worth a picture."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dlcnb.trajectories.filters import median_filter
from dlcnb.trajectories.kinematics import velocity

__all__ = ["body_axis", "in_body_frame", "liveliest"]

_ENOUGH = 2000  # frames that tell which bodyparts are far apart
_JUMP = 7  # frames of the median that jumps are taken out with


def in_body_frame(points: ArrayLike, back: int, front: int) -> NDArray[np.float64]:
    """Turn and shift each posture so that one bodypart lies at (0, 0) and another straight above it.

    Lengths and angles stay as they are; y runs down, as in images, so the front has a negative y.

    Parameters
    ----------
    points : array_like
        (..., K, 2); NaN = not there.
    back, front : int
        Number of the bodypart at (0, 0), and of the one above it.

    Returns
    -------
    numpy.ndarray
        float64 (..., K, 2); NaN where a point, or one of these two, is not there, or both are on one place.

    Examples
    --------
    >>> in_body_frame([[[5, 5], [8, 5], [5, 6]]], 0, 1).round(6).tolist()
    [[[0.0, 0.0], [0.0, -3.0], [1.0, 0.0]]]
    """
    points = np.asarray(points, float)
    moved = points - points[..., [back], :]
    along = moved[..., front, :]
    length = np.hypot(along[..., 0], along[..., 1])
    with np.errstate(invalid="ignore", divide="ignore"):
        up = along / np.where(length > 0, length, np.nan)[..., None]
    x = moved[..., 1] * up[..., None, 0] - moved[..., 0] * up[..., None, 1]
    y = -(moved[..., 0] * up[..., None, 0] + moved[..., 1] * up[..., None, 1])
    x[..., front] *= 0.0  # not the rounding of it
    return np.stack([x, y], axis=-1) + 0.0  # no -0


def body_axis(points: ArrayLike) -> tuple[int, int]:
    """The two bodyparts that are farthest apart, (back, front): the front is where the animal goes to.

    Parameters
    ----------
    points : array_like
        (T, K, 2), K at least 2; NaN = not there.

    Raises
    ------
    ValueError
        No two bodyparts are ever there together.
    """
    found = np.asarray(points, float)
    some = np.unique(np.linspace(0, len(found) - 1, _ENOUGH).astype(int)) if len(found) else np.empty(0, int)
    ahead = velocity(found)[some]
    found = found[some]
    apart = np.linalg.norm(found[:, :, None] - found[:, None], axis=-1)  # (T, K, K)
    known = np.isfinite(apart)
    enough = known.sum(axis=0) > 0.5 * known.sum(axis=0)[~np.eye(found.shape[1], dtype=bool)].max(initial=0)
    middle = np.where(enough, np.nanmedian(np.where(known.any(axis=0), apart, 0.0), axis=0), 0.0)
    if not middle.any():
        raise ValueError("A body's own frame needs two bodyparts that are there together; lower the pcutoff.")
    one, two = (int(k) for k in np.unravel_index(np.argmax(middle), middle.shape))
    forwards = np.nansum(ahead[:, [one, two]].mean(axis=1) * (found[:, two] - found[:, one]))
    return (one, two) if forwards >= 0 else (two, one)


def liveliest(points: ArrayLike, span: int = 30) -> int:
    """The frame around which the bodyparts moved most, of those whose surroundings are best known.

    Parameters
    ----------
    points : array_like
        (T, K, 2); NaN = not there. Jumps of up to three frames are left out.
    span : int
        Frames before and after that are counted.

    Returns
    -------
    int
        Number of the frame; 0 for an empty recording.
    """
    points = np.asarray(points, float)
    if len(points) < 3:
        return 0
    steps = np.linalg.norm(np.diff(median_filter(points, _JUMP), axis=0), axis=-1)  # (T - 1, K)
    fine = np.isfinite(steps)
    window = np.ones(min(2 * span, len(steps)))
    way = np.convolve(np.where(fine, steps, 0.0).sum(axis=1), window, "same")
    known = np.convolve(fine.sum(axis=1), window, "same")
    way = np.where(known >= 0.9 * known.max(), way, -1.0)
    return int(np.argmax(way))
