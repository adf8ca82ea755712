"""A Kalman smoother: a bodypart moves on at its velocity, which changes at random; each point is a noisy measurement.

The paper names temporal Kalman filtering as the extension of its frame-by-frame predictions (Mathis et al. 2018,
Discussion). The likelihood is the measurement's trust, a missing point is no measurement.

The Rauch-Tung-Striebel recursion (AIAA Journal 3, 1445, 1965; Särkkä, Bayesian Filtering and Smoothing, 2013:
a Kalman filter forward, a correction backward) gives the minimum of one sum of squares.
Here that minimum is found directly: its normal equations have one 2 x 2 block (position, velocity) per measured frame
and touch only neighbours in time, so that a banded Cholesky decomposition solves them in linear time and compiled code.
Frames without a measurement are no unknowns. Between two measured ones the most probable way is the cubic through
both positions and velocities, so that a gap of hours is as well conditioned as none.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dlcnb.trajectories.kinematics import frame_times

__all__ = ["Smoothed", "ensemble_noise", "estimate_noise", "kalman_smooth"]

LEAST_LIKELIHOOD = 0.01  # below it a point is no measurement
_TAIL = 4.0  # degrees of freedom of the noise, if robust: lower = less trust in far points
_LEAST_NOISE = 0.05  # px
_MIDDLE, _UPPER = (50, 0.67449), (90, 1.64485)  # percentiles of |z|, and z there, of the normal distribution
_PRIOR = 4.0  # networks that the usual noise counts for
_FLOOR = 0.1  # likelihood below which a measurement's noise grows no further
_LEAST_WEIGHT = 1e-3  # of a measurement far from where it should be
_REACH = 40.0  # overlap of the parts, so that what they leave out has an influence of e ** -28
_PART = 30_000  # measured frames that are solved at once: small enough for the processor's cache


@dataclass(frozen=True, eq=False)
class Smoothed:
    """What the smoother found; T frames, ``...`` as the points given.

    Attributes
    ----------
    points : float64 (T, ..., 2)
        Pixels; NaN before the first and after the last measurement, and in gaps beyond the limit.
    velocity : float64 (T, ..., 2)
        Pixels per frame (of mean length); NaN where the points are.
    std : float64 (T, ...)
        Standard deviation of the position along each axis, pixels; NaN where the points are.
    deviation : float64 (T, ...)
        How far each measured point lies from where *the other frames* say that it is, pixels. NaN = not measured.
    noise, acceleration : float64 (...)
        The parameters that were used; the noise (T, ...) where each frame has its own.
    """

    points: NDArray[np.float64]
    velocity: NDArray[np.float64]
    std: NDArray[np.float64]
    deviation: NDArray[np.float64]
    noise: NDArray[np.float64]
    acceleration: NDArray[np.float64]


def kalman_smooth(
    points: ArrayLike,
    likelihood: ArrayLike | None = None,
    *,
    noise: ArrayLike | None = None,
    acceleration: ArrayLike | None = None,
    times: ArrayLike | None = None,
    limit: int | None = 10,
    robust: int = 2,
) -> Smoothed:
    """Smooth trajectories with the constant-velocity model, and fill short gaps along it.

    Parameters
    ----------
    points : (T, ..., 2) pixels, time first; NaN = no measurement.
    likelihood : (T, ...) in 0..1. The standard deviation of a measurement is ``noise / likelihood ** 2``, so unsure
        points count little; NaN or next to nothing = no measurement.
    noise, acceleration : standard deviations along each axis, one number or one for each bodypart, estimated if None:
        of a sure measurement (px), and by which the velocity changes from frame to frame (px; smaller is smoother).
        The noise may be ``(T, ...)``, too, as `ensemble_noise` tells.
    times : (T,) increasing times of the frames, for recordings of variable frame rate.
    limit : longest gap that is filled, in frames; None = any. Nothing is filled before the first or behind the last.
    robust : rounds in which measurements far from where others put them lose weight (Student's t noise); 0 = Gaussian.
    """
    points, trust = _checked(points, likelihood)
    shape, when, found = points.shape[1:-1], _in_frames(len(points), times), estimate_noise(points, trust)
    noise = _positive("noise", noise, found[0])
    each = np.broadcast_to(noise, trust.shape)  # (T, ...)
    noise = each if noise.shape == trust.shape and noise.ndim > len(shape) else np.broadcast_to(noise, shape)
    acceleration = np.broadcast_to(_positive("acceleration", acceleration, found[1]), shape)
    places, velocity, std, deviation = (np.full(array.shape, np.nan) for array in (points, points, trust, trust))
    out = Smoothed(places, velocity, std, deviation, noise, acceleration)
    for part in np.ndindex(shape):
        at: Any = (slice(None), *part)
        _smooth_one(
            (points[at], trust[at], when), each[at], acceleration[part], (limit, robust),
            (out.points[at], out.velocity[at], out.std[at], out.deviation[at]),
        )  # fmt: skip
    return out


def _checked(points: ArrayLike, likelihood: ArrayLike | None) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Points (T, ..., 2) and likelihood (T, ...; 1 where none was given) of one shape."""
    places = np.asarray(points, float)
    if places.ndim < 2 or places.shape[-1] != 2:
        raise ValueError(f"Points have the shape (frames, …, 2), found {places.shape}.")
    trust = np.ones(places.shape[:-1]) if likelihood is None else np.asarray(likelihood, float)
    if trust.shape != places.shape[:-1]:
        raise ValueError(f"The likelihood of points {places.shape} is {places.shape[:-1]}, found {trust.shape}.")
    return places, trust


def ensemble_noise(
    points: ArrayLike, likelihood: ArrayLike | None, spread: ArrayLike, networks: ArrayLike
) -> NDArray[np.float64]:
    """The noise of each point of an ensemble's median, from how far its networks lie apart (ensemble Kalman smoothing).

    A spread of few networks is itself a guess: two of them may agree by luck. So its variance is averaged with that of
    `estimate_noise`, which counts like `_PRIOR` networks (as in Smyth, Stat Appl Genet Mol Biol 3, 3, 2004): where all
    agree, a point is trusted somewhat more than usual, where they disagree much less.

    Parameters
    ----------
    points : (T, ..., 2) px, the median.
    likelihood : (T, ...), or None.
    spread : (T, ...) px along each axis; NaN = not known.
    networks : (T, ...), how many it is from.

    Returns
    -------
    numpy.ndarray
        float64 (T, ...) px, for the ``noise`` of `kalman_smooth`.

    Biderman et al., Nature Methods 21, 1316 (2024).
    """
    apart = np.asarray(spread, float)
    known = np.isfinite(apart)
    free = np.where(known, np.maximum(np.asarray(networks, float) - 1, 0), 0)
    usual = np.asarray(estimate_noise(points, likelihood)[0]) ** 2
    variance = (_PRIOR * usual + free * np.where(known, apart, 0.0) ** 2) / (_PRIOR + free)
    return np.asarray(np.sqrt(variance))


def estimate_noise(
    points: ArrayLike, likelihood: ArrayLike | None = None
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The two parameters of the smoother, from the points.

    Of the model's trajectories, fourth differences over time have the variance ``70 r + 8/3 q``, and second
    differences ``x[t + m] - 2 x[t] + x[t - m]`` have ``6 r + 2/3 q m ** 3``, r the variance of the noise and q that of
    the acceleration. r comes from m = 1, q from the shortest m at which movement outweighs the noise. A percentile of
    their size stands for the standard deviation: for r the median, for q the 90th, so that jumps don't count and spells
    of movement do. Of a long recording 20 stretches of 5,000 frames are looked at.

    Parameters
    ----------
    points : array_like
        (T, ..., 2) pixels.
    likelihood : array_like, optional
        (T, ...); points below 0.6 are left out.

    Returns
    -------
    noise : float64 (...)
        Pixels, at least 0.05; 1 if there are too few points.
    acceleration : float64 (...)
        Pixels per frame per frame, at least a hundredth of the noise; 1 if there are too few points.
    """
    found = np.asarray(points, np.float64)
    if likelihood is not None:
        found = np.where(np.asarray(likelihood)[..., None] >= 0.6, found, np.nan)
    found = _stretches(found) if len(found) > 100_000 else found
    second = np.diff(found, 2, axis=0)
    two, four = (_variance(d, *_MIDDLE) for d in (second, np.diff(second, 2, axis=0)))
    r = np.fmax((four - 4 * two) / 46, _LEAST_NOISE**2)
    q = np.full(r.shape, np.nan)
    for m in (1, 2, 4, 8, 16):
        apart = _variance(found[2 * m :] - 2 * found[m:-m] + found[: -2 * m], *_UPPER)
        q = np.where(q >= 9 * r / m**3, q, np.fmax(1.5 * (apart - 6 * r) / m**3, 1e-4 * r))
    few = np.isnan(four)
    return np.sqrt(np.where(few, 1.0, r)), np.sqrt(np.where(few, 1.0, q))


def _stretches(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """20 stretches of 5,000 frames of a long recording (T, ...), 32 rows of NaN apart."""
    starts = np.linspace(0, len(points) - 5000, 20).astype(int)
    rows = (starts[:, None] + np.arange(5032)).ravel().clip(max=len(points) - 1)
    gap = np.tile(np.arange(5032) >= 5000, 20)
    return np.where(gap.reshape(-1, *[1] * (points.ndim - 1)), np.nan, points[rows])


def _in_frames(count: int, times: ArrayLike | None) -> NDArray[np.float64]:
    """Times (T,) in units of the mean distance of two frames, from 0."""
    when = frame_times(count, 1.0, times)
    if times is None or count < 2:
        return when
    return (when - when[0]) * (count - 1) / (when[-1] - when[0])


def _variance(differences: NDArray[np.float64], percent: float, score: float) -> NDArray[np.float64]:
    """Variance (...) along each axis of (T, ..., 2), from a percentile of the sizes; NaN where there are none."""
    flat = np.abs(np.moveaxis(differences, -1, 0)).reshape(2 * len(differences), *differences.shape[1:-1])
    out = np.full(flat.shape[1:], np.nan)
    for part in np.ndindex(out.shape):
        at: Any = (slice(None), *part)
        values = flat[at]
        values = values[np.isfinite(values)]
        if len(values) > 4:
            out[part] = (np.percentile(values, percent) / score) ** 2
    return out


def _positive(name: str, value: ArrayLike | None, guess: NDArray[np.float64]) -> NDArray[np.float64]:
    value = np.asarray(guess if value is None else value, float)
    if not (value > 0).all():
        raise ValueError(f"The {name} is a standard deviation in pixels above 0, got {value}.")
    return value


def _smooth_one(
    series: tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]],
    noise: NDArray[np.float64],
    acceleration: float,
    how: tuple[int | None, int],
    out: tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]],
) -> None:
    """Smooth one bodypart, of noise (T,), into ``out``: points (T, 2), velocity (T, 2), std (T,), deviation (T,)."""
    (points, trust, when), (limit, robust) = series, how
    known = np.flatnonzero(np.isfinite(points).all(axis=-1) & (trust >= LEAST_LIKELIHOOD))
    variance = np.square(noise[known] / np.square(trust[known].clip(_FLOOR, 1)))
    if len(known) == 1:
        out[0][known], out[1][known], out[2][known], out[3][known] = points[known], 0.0, np.sqrt(variance), 0.0
    if len(known) < 2:
        return
    # A frame's influence falls by e within sqrt(2) (r / q) ** 1/4 frames, so parts with some overlap give the same.
    overlap = int(_REACH * (variance.max() / acceleration**2) ** 0.25) + 2
    part = max(_PART, 4 * overlap)
    for start in range(0, len(known), part):
        stop = min(start + part, len(known))
        low, high = max(start - overlap, 0), min(stop + overlap, len(known))
        chain, state, deviation = _solve(
            (points[known[low:high]], variance[low:high], np.diff(when[known[low:high]])), acceleration, robust
        )
        here, there = slice(start - low, stop - low), known[start:stop]
        out[0][there], out[1][there], out[3][there] = state[here, 0], state[here, 1], deviation[here]
        out[2][there] = np.sqrt(chain.variance[here])
        between = np.arange(start, min(stop, len(known) - 1))  # the way from each frame to the next one
        _fill(chain, state, (between - low, known[between], known[between + 1], when, limit), out)


def _solve(
    series: tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]], acceleration: float, robust: int
) -> tuple[_Chain, NDArray[np.float64], NDArray[np.float64]]:
    """(chain, states (n, 2 of position and velocity, 2 of x and y), deviation (n,)) of a run of measured frames."""
    measured, variance, steps = series
    weight = np.ones(len(measured))
    for left in range(robust, -1, -1):
        chain = _Chain(steps, variance / weight, acceleration**2)
        state = chain.solve(measured)
        kept = (1 - chain.variance / chain.noise).clip(1e-9)  # share of the residual that the point itself leaves
        deviation = np.linalg.norm(measured - state[:, 0], axis=-1) / kept
        if left:
            squared = deviation**2 * kept / variance  # of the distance to the prediction of the others, in variances
            weight = ((_TAIL + 2) / (_TAIL + squared)).clip(_LEAST_WEIGHT)
    return chain, state, deviation


class _Chain:
    """Normal equations of n states (position, velocity), ``steps`` (n - 1,) apart in time; q: variance of acceleration.

    All is multiplied by q. Row 2 i of the matrix is the position, 2 i + 1 the velocity of state i.
    """

    def __init__(self, steps: NDArray[np.float64], noise: NDArray[np.float64], q: float) -> None:
        from scipy.linalg import cholesky_banded

        self.steps, self.noise, self.q = steps, noise, q
        bands = self._bands()
        self._factor = cholesky_banded(bands, overwrite_ab=False, check_finite=False)
        backward = np.zeros_like(bands)
        for k in range(4):
            backward[3 - k, k:] = bands[3 - k, k:][::-1]
        backward = cholesky_banded(backward, overwrite_ab=True, check_finite=False)
        # The precision of each state given all states before it, and given all after it: (n,) for pp, pv, vv.
        a, b, c = self._factor[3, 0::2], self._factor[2, 1::2], self._factor[3, 1::2]
        self.past = np.stack([a * a, a * b, b * b + c * c])
        a, b, c = backward[3, 0::2][::-1], backward[2, 1::2][::-1], backward[3, 1::2][::-1]  # velocity first
        self.future = np.stack([b * b + c * c, a * b, a * a])
        own = np.stack([bands[3, 0::2], bands[2, 1::2], bands[3, 1::2]])
        pp, pv, vv = self.past + self.future - own
        self.variance = np.minimum(q * vv / np.maximum(pp * vv - pv * pv, np.finfo(float).tiny), noise)

    def _bands(self) -> NDArray[np.float64]:
        """The upper bands (4, 2 n) of the symmetric matrix, as LAPACK keeps them."""
        d = self.steps
        bands = np.zeros((4, 2 * len(d) + 2))
        position, velocity = bands[3, 0::2], bands[3, 1::2]  # views
        position += self.q / self.noise
        for end in (slice(None, -1), slice(1, None)):
            position[end] += 12 / d**3
            velocity[end] += 4 / d
        mixed = bands[2, 1::2]
        mixed[:-1] += 6 / d**2
        mixed[1:] -= 6 / d**2
        bands[2, 2::2] = -6 / d**2
        bands[1, 2::2] = -12 / d**3
        bands[1, 3::2] = 2 / d
        bands[0, 3::2] = 6 / d**2
        return bands

    def solve(self, measured: NDArray[np.float64]) -> NDArray[np.float64]:
        """States (n, 2, 2) from measurements (n, 2): [:, 0] positions, [:, 1] velocities."""
        from scipy.linalg import cho_solve_banded

        centre = measured.mean(axis=0)
        right = np.zeros((2 * len(measured), 2), order="F")
        right[0::2] = (measured - centre) * (self.q / self.noise)[:, None]
        state = cho_solve_banded((self._factor, False), right, overwrite_b=True, check_finite=False)
        state = state.reshape(len(measured), 2, 2)
        state[:, 0] += centre
        return state

    def joint(self, i: NDArray[np.int64]) -> NDArray[np.float64]:
        """Covariances (m, 4, 4) of position and velocity of states ``i`` (m,) and ``i + 1``."""
        d = self.steps[i]
        precision = np.empty((len(i), 4, 4))
        for (pp, pv, vv), at in ((self.past[:, i], 0), (self.future[:, i + 1], 2)):
            precision[:, at, at], precision[:, at + 1, at + 1] = pp, vv
            precision[:, at, at + 1] = precision[:, at + 1, at] = pv
        between = np.stack([-12 / d**3, 6 / d**2, -6 / d**2, 2 / d], axis=-1).reshape(-1, 2, 2)
        precision[:, :2, 2:], precision[:, 2:, :2] = between, between.transpose(0, 2, 1)
        return self.q * np.linalg.inv(precision)


def _fill(
    chain: _Chain,
    state: NDArray[np.float64],
    place: tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64], NDArray[np.float64], int | None],
    out: tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]],
) -> None:
    """Position, velocity and std in the gaps between measured frames, by the cubic through both ends."""
    row, left, right, when, limit = place  # rows of the chain, frames on both sides
    gaps = np.flatnonzero((right - left > 1) & (right - left - 1 <= (np.inf if limit is None else limit)))
    if not len(gaps):
        return
    row, left, lengths = row[gaps], left[gaps], (right - left - 1)[gaps]
    gap = np.repeat(np.arange(len(gaps)), lengths)  # of each missing frame
    frames = left[gap] + 1 + np.arange(len(gap)) - (np.cumsum(lengths) - lengths)[gap]
    d = chain.steps[row][gap]
    u = (when[frames] - when[left][gap]) / d  # 0..1
    ends = np.concatenate([state[row], state[row + 1]], axis=1)[gap]  # (m, 4, 2)
    hermite = np.stack([(1 + 2 * u) * (1 - u) ** 2, d * u * (1 - u) ** 2, u**2 * (3 - 2 * u), d * u**2 * (u - 1)], -1)
    slope = np.stack([6 * u * (u - 1) / d, (1 - u) * (1 - 3 * u), 6 * u * (1 - u) / d, u * (3 * u - 2)], -1)
    out[0][frames] = np.einsum("mk,mkd->md", hermite, ends)
    out[1][frames] = np.einsum("mk,mkd->md", slope, ends)
    spread = np.einsum("mj,mjk,mk->m", hermite, chain.joint(row)[gap], hermite)
    out[2][frames] = np.sqrt(spread.clip(0) + chain.q * (d * u * (1 - u)) ** 3 / 3)
