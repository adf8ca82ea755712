"""The pose itself over time: lengths and angles of the skeleton's bones, and angles between them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dlcnb.project import edges_of

if TYPE_CHECKING:
    from dlcnb.project import Skeleton


__all__ = ["bone_angles", "bone_lengths", "joint_angles", "place_bones"]


def bone_lengths(points: ArrayLike, skeleton: Skeleton | ArrayLike) -> NDArray[np.float64]:
    """Length of each bone.

    Parameters
    ----------
    points : array_like
        (..., K, 2) pixels; NaN = not there.
    skeleton : dlcnb.project.Skeleton or array_like
        Or edges (E, 2) as indices of bodyparts.

    Returns
    -------
    numpy.ndarray
        (..., E) pixels; NaN where an end is not there.
    """
    return np.linalg.norm(_bones(points, skeleton), axis=-1)


def bone_angles(points: ArrayLike, skeleton: Skeleton | ArrayLike) -> NDArray[np.float64]:
    """Direction of each bone, from its first bodypart to its second.

    Returns
    -------
    numpy.ndarray
        (..., E) radians from -π to π: 0 to the right, π/2 **down**, as y runs in images. NaN where an end is not there
        or both are at the same place. `numpy.unwrap` makes a continuous turn of it.
    """
    bones = _bones(points, skeleton)
    angles = np.arctan2(bones[..., 1], bones[..., 0])
    return np.where((bones == 0).all(axis=-1), np.nan, angles)


def joint_angles(points: ArrayLike, joints: ArrayLike) -> NDArray[np.float64]:
    """Angle at a bodypart between two others.

    Parameters
    ----------
    points : array_like
        (..., K, 2) pixels; NaN = not there.
    joints : array_like
        (J, 3) indices of bodyparts; the second is where the angle is.

    Returns
    -------
    numpy.ndarray
        (..., J) radians from 0 (folded) to π (stretched); NaN where a point is not there or two are the same.
    """
    points, joints = np.asarray(points, float), np.asarray(joints, int).reshape(-1, 3)
    one, two = (points[..., joints[:, end], :] - points[..., joints[:, 1], :] for end in (0, 2))
    cross = one[..., 0] * two[..., 1] - one[..., 1] * two[..., 0]
    angles = np.abs(np.arctan2(cross, (one * two).sum(axis=-1)))
    return np.where((one == 0).all(axis=-1) | (two == 0).all(axis=-1), np.nan, angles)


def place_bones(start: ArrayLike, lengths: ArrayLike, angles: ArrayLike) -> NDArray[np.float64]:
    """Ends of bones from their starts: the inverse of `bone_lengths` and `bone_angles` together.

    Parameters
    ----------
    start : array_like
        (..., E, 2) pixels.
    lengths, angles : array_like
        (..., E) pixels and radians.

    Returns
    -------
    numpy.ndarray
        (..., E, 2) pixels; NaN where anything is.
    """
    direction = np.stack([np.cos(angles), np.sin(angles)], axis=-1)
    return np.asarray(start, float) + np.asarray(lengths, float)[..., None] * direction


def _bones(points: ArrayLike, skeleton: Skeleton | ArrayLike) -> NDArray[np.float64]:
    """Vectors (..., E, 2) along the bones."""
    points = np.asarray(points, float)
    edges = edges_of(skeleton)
    return points[..., edges[:, 1], :] - points[..., edges[:, 0], :]
