"""Several animals with a network for one: maxima of each frame's score-maps, linked over time into identities.

The network marks every snout in a frame (paper, Fig. 4B), but not whose it is. Each bodypart found is given to the
animal whose own bodypart, moving on as it did, would be nearest; all at once by the Hungarian method. Two animals near
each other then exchange those bodyparts that, by the distances that labels teach, fit better to the other one; so what
a touch mixed up heals. What belongs to nobody begins a new animal, or brings back a lost one. Animals look alike: two
that touched may have changed names as a whole.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dlcnb.poses.assembly import Distances
from dlcnb.poses.linker import Linker
from dlcnb.poses.multianimal import MultiAnimalPoses

__all__ = ["body_size", "check_followed", "link", "step_size", "track", "track_chunks"]

_SAMPLED = 400  # frames that the sizes are estimated from


def check_followed(dynamic: object, animals: int | None) -> None:
    """Raise `ValueError` if an analysis is to follow one animal (``dynamic``) and to find several, too."""
    if dynamic is not None and animals is not None:
        raise ValueError("Dynamic cropping follows one animal: give dynamic or animals, not both.")


def track(
    points: ArrayLike,
    likelihood: ArrayLike,
    bodyparts: Sequence[str],
    scorer: str,
    *,
    animals: int | None = None,
    individuals: Sequence[str] | None = None,
    distances: Distances | None = None,
) -> MultiAnimalPoses:
    """`link`, as `MultiAnimalPoses`.

    Parameters
    ----------
    points, likelihood, animals, distances
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
    found, trust = link(points, likelihood, animals, distances=distances)
    names = tuple(individuals or _names(found.shape[1]))
    return MultiAnimalPoses(names, tuple(bodyparts), scorer, found, trust)


def track_chunks(
    chunks: Iterable[tuple[NDArray[np.float64], NDArray[np.float64]]],
    sample: tuple[NDArray[np.float64], NDArray[np.float64]],
    bodyparts: Sequence[str],
    scorer: str,
    *,
    animals: int,
    distances: Distances | None = None,
) -> Iterator[MultiAnimalPoses]:
    """`track` for a video that is longer than memory.

    Parameters
    ----------
    chunks : iterable of (points, likelihood)
        As `link`, of consecutive frames.
    sample : (points, likelihood)
        Of some frames, from which it is estimated how large animals are and how fast.
    bodyparts, scorer, animals, distances
        As `track`.

    Yields
    ------
    dlcnb.poses.multianimal.MultiAnimalPoses
        For each of the chunks.
    """
    body = body_size(sample[0])
    guess = Distances.guess(sample[0])
    known = guess if distances is None else distances.completed(guess)
    linker = Linker(animals, known, body=body, max_step=step_size(sample[0], body))
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
    distances: Distances | None = None,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Give each found bodypart to an animal, frame after frame.

    Parameters
    ----------
    points, likelihood : (T, N, K, 2) px and (T, N, K): up to N places of each bodypart in a frame, in any order, of
        different animals for each bodypart (as `targets.local_maxima` finds them); NaN = no further one.
    animals : A, how many there are; N if None.
    max_step : how far a bodypart may move in a frame, px; estimated if None.
    max_gap : frames for which the place of a bodypart that is not found is remembered.
    body : how far the bodyparts of an animal are apart, px; estimated if None.
    distances : what labels teach; estimated from the places where it isn't known, or None.

    Returns
    -------
    points, likelihood : float64 (T, A, K, 2) and (T, A, K)
        NaN = not found. Row a is the same animal in all frames.
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
    guess = Distances.guess(points[:: max(1, len(points) // _SAMPLED)])
    known = guess if distances is None else distances.completed(guess)
    linker = Linker(animals, known, body=body, max_step=max_step, max_gap=max_gap)
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
