"""A map of postures: frames cropped around a bodypart, alike ones side by side (paper, Fig. 7E)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.offsetbox import AnnotationBbox, OffsetImage
from numpy.typing import ArrayLike, NDArray

from dlcnb.plots.figure import Drawn, axes_for, named
from dlcnb.video import DamagedFrameError

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from dlcnb.poses import Poses
    from dlcnb.video import VideoReader


__all__ = ["crops", "embed", "embedding", "spread"]


def crops(
    reader: VideoReader,
    poses: Poses,
    bodypart: str,
    frames: ArrayLike,
    *,
    size: int = 64,
    pcutoff: float = 0.6,
    progress: Callable[[int, int], None] | None = None,
) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Cut a square around a bodypart out of frames.

    Parameters
    ----------
    reader, poses, bodypart : the video, its poses, and the bodypart.
    frames : (n,) numbers; those where the bodypart is not there, or which are damaged, are left out.
    size : side of the square in pixels; beyond the frame's border it is black.
    pcutoff : below this likelihood the bodypart is not there.
    progress : called as ``progress(done, total)`` while frames are read.

    Returns
    -------
    images : uint8 (n, size, size, 3)
    frames : int64 (n,)
    """
    if bodypart not in poses.bodyparts:
        raise ValueError(f"There is no bodypart '{bodypart}'; there are {', '.join(poses.bodyparts)}.")
    centres = poses.masked(pcutoff)[:, poses.bodyparts.index(bodypart)]
    frames = np.unique(np.asarray(frames, np.int64))
    wanted = frames[np.isfinite(centres[frames]).all(axis=-1)]
    images, kept = [], []
    for done, frame in enumerate(wanted, start=1):
        try:
            images.append(_square(reader.read(int(frame)), centres[frame], size))
            kept.append(frame)
        except DamagedFrameError:
            continue
        if progress is not None:
            progress(done, len(wanted))
    return np.array(images, np.uint8).reshape(-1, size, size, 3), np.array(kept, np.int64)


def embed(images: ArrayLike, *, perplexity: float = 30.0, seed: int = 0) -> NDArray[np.float64]:
    """Place images on a plane so that alike ones are near: t-SNE of their grey pixels (after PCA to 50 dimensions).

    Parameters
    ----------
    images : array_like
        uint8 (n, h, w, 3).
    perplexity : float
        About how many neighbours an image has; at most a third of the images are taken as such.
    seed : int

    Returns
    -------
    numpy.ndarray
        float64 (n, 2); without unit.

    References
    ----------
    van der Maaten and Hinton, J. Machine Learning Research 9, 2579 (2008).
    """
    from sklearn.decomposition import PCA
    from sklearn.manifold import TSNE

    images = np.asarray(images)
    if len(images) < 4:
        raise ValueError(f"A map needs at least 4 images, found {len(images)}. Choose more frames, or a lower pcutoff.")
    pixels = images.astype(np.float64).mean(axis=-1).reshape(len(images), -1)
    if not pixels.std(axis=0).any():
        return np.zeros((len(images), 2))
    count = min(50, len(images) - 1, pixels.shape[1])
    reduced = PCA(count, random_state=seed).fit_transform(pixels)
    perplexity = min(perplexity, (len(images) - 1) / 3)
    found = TSNE(perplexity=perplexity, init="pca", random_state=seed).fit_transform(reduced)
    return found.astype(np.float64)


def spread(positions: ArrayLike, count: int) -> NDArray[np.int64]:
    """Points that are far from each other: each next one the farthest from all before, from the middle outwards.

    Parameters
    ----------
    positions : array_like
        (n, 2).
    count : int

    Returns
    -------
    numpy.ndarray
        int64 (at most ``count``,) indices.
    """
    positions = np.asarray(positions, float)
    chosen = [int(np.argmin(np.linalg.norm(positions - positions.mean(axis=0), axis=1)))] if len(positions) else []
    away = np.full(len(positions), np.inf)
    while len(chosen) < min(count, len(positions)):
        away = np.minimum(away, np.linalg.norm(positions - positions[chosen[-1]], axis=1))
        chosen.append(int(np.argmax(away)))
    return np.array(chosen[:count], np.int64)


def embedding(
    positions: ArrayLike,
    images: Sequence[NDArray[np.uint8]] | NDArray[np.uint8],
    *,
    count: int = 16,
    values: ArrayLike | None = None,
    label: str = "",
    ax: Axes | None = None,
) -> Drawn:
    """The map, with some of its images on it.

    Parameters
    ----------
    positions : (n, 2), from `embed`.
    images : uint8 (n, h, w, 3).
    count : how many images are shown; their points are red.
    values, label : (n,) numbers that colour the points, such as frame numbers or speed, and what they are.
    """
    positions = np.asarray(positions, float)
    if len(positions) != len(images):
        raise ValueError(f"There are {len(positions)} positions and {len(images)} images; expected one for each.")
    fig, ax = axes_for(ax, (7, 6))
    ax.spines[:].set_visible(False)
    color = {"color": "#0072B2"} if values is None else {"c": np.asarray(values, float), "cmap": "viridis"}
    cloud = ax.scatter(positions[:, 0], positions[:, 1], s=8, alpha=0.6, linewidths=0, **color)
    if values is not None:
        fig.colorbar(cloud, ax=ax, label=named(label), shrink=0.6)
    shown = spread(positions, count)
    ax.scatter(positions[shown, 0], positions[shown, 1], s=22, color="#D55E00", zorder=4)
    middle, extent = (positions.min(axis=0) + positions.max(axis=0)) / 2, np.ptp(positions, axis=0).max() or 1.0
    for i in shown:
        outwards = positions[i] - middle
        length = np.linalg.norm(outwards)
        away = outwards / length if length else np.array([0, 1])
        _pin(ax, images[i], positions[i], positions[i] + away * 0.13 * extent)
    ax.set(xlim=middle[0] + np.array([-0.75, 0.75]) * extent, ylim=middle[1] + np.array([-0.75, 0.75]) * extent)
    ax.set(xticks=[], yticks=[], aspect="equal", title=f"{len(images)} frames, alike ones side by side (t-SNE)")
    return fig, ax


def _square(image: NDArray[np.uint8], centre: NDArray[np.float64], size: int) -> NDArray[np.uint8]:
    """A square (size, size, 3) of an image around a point (x, y), black beyond the border."""
    out = np.zeros((size, size, 3), np.uint8)
    left, top = (int(v) for v in np.rint(np.asarray(centre) - (size - 1) / 2))
    y1, y2, x1, x2 = max(top, 0), min(top + size, image.shape[0]), max(left, 0), min(left + size, image.shape[1])
    if y1 < y2 and x1 < x2:
        out[y1 - top : y2 - top, x1 - left : x2 - left] = image[y1:y2, x1:x2]
    return out


def _pin(ax: Axes, image: NDArray[np.uint8], point: NDArray[np.float64], place: NDArray[np.float64]) -> None:
    """A small picture (h, w, 3) at a place (2,), with a line to its point (2,)."""
    picture = OffsetImage(image, zoom=42 / max(image.shape[:2]))
    line = {"arrowstyle": "-", "color": "#D55E00", "lw": 0.8}
    ax.add_artist(AnnotationBbox(picture, tuple(point), tuple(place), pad=0.1, arrowprops=line))
