"""Frames with what was labeled and found on them, and with score-maps (paper, Fig. 2E, 4B, 6 and 7A)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.collections import LineCollection
from matplotlib.patheffects import withStroke
from numpy.typing import ArrayLike, NDArray

from dlcnb.plots.figure import Drawn, axes_for, named
from dlcnb.project import edges_of
from dlcnb.render import halos, palette

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from dlcnb.project import Skeleton


__all__ = ["pose_on", "score_map_on"]


def pose_on(  # noqa: PLR0913
    image: NDArray[np.uint8],
    points: ArrayLike,
    bodyparts: Sequence[str],
    *,
    likelihood: ArrayLike | None = None,
    labels: ArrayLike | None = None,
    pcutoff: float = 0.6,
    skeleton: Skeleton | ArrayLike | None = None,
    view: float | None = None,
    colors: ArrayLike | None = None,
    ax: Axes | None = None,
) -> Drawn:
    """A frame with a pose: dots are what the network found, + the labels, × what lies below the pcutoff.

    Parameters
    ----------
    image : uint8 (H, W, 3).
    points, likelihood, bodyparts : (K, 2) px, NaN = not there; (K,), sure if None; K names, for the legend.
    labels, pcutoff : (K, 2) px of a person, or None; points of a likelihood below the pcutoff are drawn as ×.
    skeleton : or edges (E, 2), between sure points.
    view : margin in px around the pose, beyond which the frame is cut away; the whole frame if None.
    colors : (K, 3) in 0..1; `dlcnb.render.palette` if None.
    """
    fig, ax = axes_for(ax, (5, 5 * image.shape[0] / image.shape[1] + 0.3))
    points = np.asarray(points, float)
    sure = np.ones(len(points), bool) if likelihood is None else np.asarray(likelihood, float) >= pcutoff
    hues = palette(len(points)) / 255 if colors is None else np.asarray(colors, float)
    _bare(ax, image)
    bones = np.where(sure[:, None], points, np.nan)[edges_of(skeleton)]  # (E, 2, 2)
    whole = bones[np.isfinite(bones).all(axis=(1, 2))]
    ax.add_collection(LineCollection(list(whole), colors="white", linewidths=1, alpha=0.8))
    edges = halos(255 * hues) / 255
    strokes = [[withStroke(linewidth=3.4, foreground=edge)] for edge in edges]
    for point, good, color, edge, stroke, part in zip(points, sure, hues, edges, strokes, bodyparts, strict=True):
        cross = {"marker": "x", "mec": color, "mew": 1.8, "path_effects": stroke}
        look = {"marker": "o", "mec": edge, "mew": 1.0} if good else cross
        ax.plot(*point, ls="", ms=6, color=color, label=named(part), zorder=3, **look)
    known = np.empty((0, 2)) if labels is None else np.asarray(labels, float)
    for point, color, stroke in zip(known, hues, strokes, strict=False):
        ax.plot(*point, "+", ms=11, mew=1.6, color=color, path_effects=stroke, zorder=4)
    _closer(ax, np.concatenate([points[sure], known]), image.shape, view)
    return fig, ax


def score_map_on(
    image: NDArray[np.uint8],
    heat: NDArray[np.float32],
    *,
    name: str = "",
    points: ArrayLike | None = None,
    view: float | None = None,
    ax: Axes | None = None,
) -> Drawn:
    """A score-map over its frame, which is darkened.

    Parameters
    ----------
    image, heat : uint8 (H, W, 3), and (H, W) from 0 to 1, as `dlcnb.evaluate.ScoreMaps.on_frame` gives it.
    name : the title.
    points, view : (n, 2) px, and the margin in px around them; the rest is cut away. The whole frame if None.
    """
    fig, ax = axes_for(ax, (5, 5 * image.shape[0] / image.shape[1] + 0.3))
    _bare(ax, (image * 0.55).astype(np.uint8))
    ax.imshow(heat, cmap="inferno", vmin=0, vmax=1, alpha=np.clip(2.5 * heat, 0, 0.85).astype(float))
    ax.set_title(named(name), fontsize="medium")
    if view is not None and points is not None:
        _closer(ax, np.asarray(points, float), image.shape, view)
    return fig, ax


def _bare(ax: Axes, image: NDArray[np.uint8]) -> None:
    """The frame alone, without axes."""
    ax.grid(False)
    ax.imshow(image)
    ax.set(xticks=[], yticks=[])
    ax.spines[:].set_visible(False)


def _closer(ax: Axes, points: NDArray[np.float64], shape: Sequence[int], margin: float | None) -> None:
    """Show the square around points (n, 2), with a margin in px, as far as the frame goes; all of it if None."""
    points = points[np.isfinite(points).all(axis=-1)]
    if margin is None or not len(points):
        return
    centre = (points.min(axis=0) + points.max(axis=0)) / 2
    half = np.ptp(points, axis=0).max() / 2 + margin
    (left, top), (right, bottom) = np.maximum(centre - half, -0.5), centre + half
    ax.set_xlim(left, min(right, shape[1] - 0.5))
    ax.set_ylim(min(bottom, shape[0] - 0.5), top)
