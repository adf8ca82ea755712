"""The filters on whole `Poses`, as the command line and the widgets apply them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dlcnb.project import nearest
from dlcnb.trajectories.filters import fill_gaps, mask, median_filter, savgol_filter
from dlcnb.trajectories.kalman import LEAST_LIKELIHOOD, ensemble_noise, kalman_smooth

if TYPE_CHECKING:
    from dlcnb.poses import MultiAnimalPoses, Poses


__all__ = ["METHODS", "filter_poses"]

AnyPoses = TypeVar("AnyPoses", "Poses", "MultiAnimalPoses")
# {method: (usual window or None, usual gap to fill)}, in frames
METHODS = {"median": (5, 0), "savgol": (7, 0), "kalman": (None, 10)}


def filter_poses(
    poses: AnyPoses,
    method: str = "median",
    *,
    window: int | None = None,
    order: int = 3,
    pcutoff: float = 0.0,
    gap: int | None = None,
    times: ArrayLike | None = None,
) -> AnyPoses:
    """Smooth the points of poses over time.

    Parameters
    ----------
    poses : of one animal, or `dlcnb.poses.MultiAnimalPoses`.
    method : "median" removes jumps (as DeepLabCut), "savgol" keeps peaks high, "kalman" weighs points by likelihood,
        those of an ensemble by how far its networks lie apart.
    window, order : odd number of frames, of "median" (5) and "savgol" (7), and of the polynomials of "savgol".
    pcutoff : points of a likelihood below it are left out first.
    gap : longest gap to fill, in frames; by default 10 for "kalman", else 0. "median" and "savgol" fill along straight
        lines, "kalman" along its curve.
    times : (T,) seconds, for recordings of variable frame rate; "median" and "savgol" use them only to fill gaps.

    Returns poses as given; the likelihood is the network's, but in filled gaps it lies on a straight line between those
    at both ends. Raises `ValueError` for an unknown method, or a window or order that can't be.
    """
    if method not in METHODS:
        raise ValueError(f"There is no filter '{method}'; expected {', '.join(METHODS)}{nearest(method, METHODS)}")
    usual_window, usual_gap = METHODS[method]
    gap = usual_gap if gap is None else gap
    points = mask(poses.points, poses.likelihood, pcutoff) if pcutoff > 0 else poses.points
    if method == "kalman":
        likelihood, noise = _trust(poses)
        smooth = kalman_smooth(points, likelihood, noise=noise, limit=gap, times=times).points
    else:
        window = usual_window or 1 if window is None else window
        smooth = median_filter(points, window) if method == "median" else savgol_filter(points, window, order)
        smooth = fill_gaps(smooth, gap, times=times)
    there = np.isfinite(points).all(axis=-1)
    filled = np.isfinite(smooth).all(axis=-1) & ~there
    between = fill_gaps(np.where(there, poses.likelihood, np.nan), None, times=times)
    return replace(poses, points=smooth, likelihood=np.where(filled, between, poses.likelihood))


def _trust(poses: Poses | MultiAnimalPoses) -> tuple[NDArray[np.float64], NDArray[np.float64] | None]:
    """The likelihood of each point (T, K), and its noise (T, K) px; None = one noise for all, as the points tell.

    Of an ensemble the spread stands for the noise, in place of the likelihood: together they would count the same doubt
    twice. Only next to no likelihood at all still means that there is no point.
    """
    apart = getattr(poses, "spread", None)
    if apart is None:
        return poses.likelihood, None
    there = np.where(poses.likelihood >= LEAST_LIKELIHOOD, 1.0, 0.0)
    return there, ensemble_noise(poses.points, there, apart.px, apart.networks)
