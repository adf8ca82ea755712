"""Whether a left bodypart looks like its right twin: a painted paw, or one of another colour, tells the sides apart.

A mirrored picture would show the paint on the other side, and teach the network to call either paw by either name.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

__all__ = ["LOOKED_AT", "colors_at", "unlike_twins"]

LOOKED_AT = 24  # frames that are enough to tell
_LEAST = 4  # frames with both twins, below which chance may tell them apart
_CLEARLY = 2.0  # times the spread from frame to frame; ears and paws of real mice and flies: below 1
_SEEN = 16.0  # levels of 255


def colors_at(image: NDArray[np.uint8], points: NDArray[np.float64], radius: float) -> NDArray[np.float64]:
    """The mean colour around each point.

    Parameters
    ----------
    image : uint8 ``(H, W, 3)``.
    points : float ``(K, 2)``, px, NaN = not there.
    radius : half the side of the square that is looked at, px.

    Returns
    -------
    float ``(K, 3)``, levels 0 to 255; NaN where there is no point, or none in the image.
    """
    found = np.full((len(points), 3), np.nan)
    for k in np.flatnonzero(np.isfinite(points).all(1)):
        left, top = np.maximum(np.round(points[k] - radius), 0).astype(int)
        right, bottom = np.maximum(np.round(points[k] + radius) + 1, 0).astype(int)
        if (around := image[top:bottom, left:right]).size:
            found[k] = around.reshape(-1, 3).mean(0)
    return found


def unlike_twins(colors: NDArray[np.float64], mirror: NDArray[np.intp], bodyparts: Sequence[str]) -> tuple[str, ...]:
    """Names of the bodyparts whose twin has another colour, in nearly every frame; empty if there is none.

    Parameters
    ----------
    colors : float ``(N, K, 3)`` from `colors_at`, NaN = not there.
    mirror : int ``(K,)``, each bodypart's mirror image (`dlcnb.trainset.sides.mirror_order`).
    bodyparts : K names.
    """
    unlike: list[str] = []
    for k in np.flatnonzero(mirror > np.arange(len(mirror))):
        apart = colors[:, k] - colors[:, mirror[k]]
        apart = apart[np.isfinite(apart).all(1)]
        if len(apart) < _LEAST:
            continue
        mean = apart.mean(0)
        spread = np.sqrt(((apart - mean) ** 2).sum(1).mean())
        if np.linalg.norm(mean) > max(_CLEARLY * spread, _SEEN):
            unlike += [bodyparts[k], bodyparts[mirror[k]]]
    return tuple(unlike)
