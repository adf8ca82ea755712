"""Figures of movement and posture: postures over time, skeletons, speed, bones."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.collections import LineCollection
from numpy.typing import ArrayLike, NDArray

from dlcnb import trajectories
from dlcnb.plots.figure import Drawn, DrawnPair, axes_for, named
from dlcnb.plots.series import colors, legend, limits, over_time, plane, shown, thinned, title, upright, when
from dlcnb.project import edges_of
from dlcnb.render import body_lines, palette

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from dlcnb.poses import Poses
    from dlcnb.project import Skeleton


__all__ = ["bones", "postures", "skeletons", "speed"]

PAST, FUTURE, BODY = (0.34, 0.71, 0.91), (0.0, 0.62, 0.45), (0.8, 0.47, 0.65)  # the paper's cyan, green and magenta


def postures(  # noqa: PLR0913
    poses: Poses,
    frame: int,
    *,
    bodypart: str | None = None,
    skeleton: Skeleton | ArrayLike | None = None,
    past: int = 30,
    future: int = 30,
    every: int = 6,
    both: bool = False,
    image: NDArray[np.uint8] | None = None,
    pcutoff: float = 0.6,
    ax: Axes | None = None,
) -> Drawn:
    """Where a bodypart came from and goes to, with the body's postures on the way (paper, Fig. 3).

    Parameters
    ----------
    poses, frame : the poses, and the present frame, whose posture is drawn black.
    bodypart : whose path is drawn; the first if None.
    skeleton : or edges (E, 2); the outline around all bodyparts if None or without edges.
    past, future : frames before (cyan) and after (green) that the path is drawn of.
    every, both : a posture is drawn (magenta, paler the longer ago) for each so many frames of the past; for each so
        many of the future, too (green).
    image, pcutoff : uint8 (H, W, 3), of which the part around what is drawn is shown; less likely points are left out.
    """
    if not 0 <= frame < len(poses):
        raise IndexError(f"frame {frame}: there are poses of frames 0 to {len(poses) - 1}")
    fig, ax = axes_for(ax, (6, 5))
    points, k = shown(poses, pcutoff), _index(poses, bodypart)
    _below(ax, image, poses.unit)
    first, end = max(0, frame - past), min(frame + 1 + future, len(points))
    ago = np.arange(frame - every, first - 1, -every) if every > 0 else np.empty(0, int)
    later = np.arange(frame + every, end, every) if both and every > 0 else ago[:0]
    _bodies(ax, points, (ago, frame, later), skeleton)
    _way(ax, points[first:end, k], frame - first, (past, future))
    ax.set(**plane(poses), title=f"{named(poses.bodyparts[k])} around frame {frame}")
    _show(ax, np.concatenate([points[first:end, k], points[[*ago, frame, *later]].reshape(-1, 2)]), poses.unit)
    ax.legend(loc="upper left", bbox_to_anchor=(1.01, 1), frameon=False, fontsize="small")
    return fig, ax


def skeletons(
    poses: Poses,
    skeleton: Skeleton | ArrayLike | None,
    frames: Sequence[int] | NDArray[np.int64] | None = None,
    *,
    centre: str | None = None,
    towards: str | None = None,
    pcutoff: float = 0.6,
    ax: Axes | None = None,
) -> Drawn:
    """Poses as skeletons, coloured by time (paper, Fig. 7F).

    Parameters
    ----------
    poses, skeleton : the skeleton, or edges (E, 2).
    frames : which to draw; 40 spread over the recording if None.
    centre : a bodypart that is put at (0, 0) in every pose, to compare postures; as in the frame if None.
    towards : another one, that is turned to lie straight above it: postures in the body's own frame.
    pcutoff : points of a likelihood below it are not drawn.
    """
    fig, ax = axes_for(ax, (6, 5))
    spread = np.unique(np.linspace(0, len(poses) - 1, 40).astype(int)) if len(poses) else np.empty(0, int)
    rows = spread if frames is None else np.asarray(frames)
    points = _turned(shown(poses, pcutoff)[rows], poses, centre, towards)
    edges = edges_of(skeleton)
    lines = points[:, edges].reshape(-1, 2, 2)
    whole = np.isfinite(lines).all(axis=(1, 2))
    time = np.repeat(rows, len(edges))[whole]
    bundle = LineCollection(list(lines[whole]), array=time, cmap="viridis", linewidths=1, alpha=0.8)
    ax.add_collection(bundle)
    for k, color in enumerate(colors(poses)):
        ax.plot(*points[:, k].T, "o", color=color, ms=3.5, mew=0, label=named(poses.bodyparts[k]), zorder=3)
    if whole.any():
        fig.colorbar(bundle, ax=ax, label="frame", shrink=0.6)
    where = ("" if centre is None else f" around the {named(centre)}") + (f", {named(towards)} up" if towards else "")
    ax.set(**plane(poses), title=title(f"Skeletons{where}", pcutoff, poses))
    ax.autoscale_view()
    upright(ax)
    ax.legend(frameon=False, fontsize="small", markerscale=2)
    return fig, ax


def speed(poses: Poses, times: ArrayLike | None = None, pcutoff: float = 0.6, *, ax: Axes | None = None) -> Drawn:
    """Speed of each bodypart over time.

    Parameters
    ----------
    poses : dlcnb.poses.Poses
        Smoothed ones, or jitter looks like speed.
    times : array_like, optional
        (T,) seconds; then the speed is in px/s (cm/s), else in px per frame.
    pcutoff : float
        Points of a likelihood below it are left out.
    ax : matplotlib.axes.Axes, optional
    """
    fig, ax = axes_for(ax, (9, 3.2))
    at, unit = when(poses, times)
    values = trajectories.speed(shown(poses, pcutoff), times=times)
    over_time(ax, poses, at, values)
    ax.set(xlabel=unit, ylabel=f"speed ({poses.unit}/{'s' if times is not None else 'frame'})", xlim=limits(at))
    ax.set_ylim(bottom=0)
    ax.set_title(title("Speed", pcutoff, poses))
    legend(ax, poses)
    return fig, ax


def bones(
    poses: Poses,
    skeleton: Skeleton | ArrayLike | None,
    times: ArrayLike | None = None,
    pcutoff: float = 0.6,
    *,
    ax: Sequence[Axes] | None = None,
) -> DrawnPair:
    """Length (above) and direction (below) of each bone over time.

    Parameters
    ----------
    poses, skeleton : the skeleton, or edges (E, 2).
    times : (T,) seconds; frame numbers if None.
    pcutoff : points of a likelihood below it are left out.

    Returns (figure, array of the two axes); directions in degrees, 0 to the right, 90 down, as y runs in images.
    """
    fig, axes = axes_for(ax, (9, 5), 2)
    at, unit = when(poses, times)
    edges, points = edges_of(skeleton), shown(poses, pcutoff)
    lengths, angles = trajectories.bone_lengths(points, edges), np.degrees(trajectories.bone_angles(points, edges))
    for e, ((a, b), color) in enumerate(zip(edges, palette(len(edges)) / 255, strict=True)):
        name = named(f"{poses.bodyparts[a]}–{poses.bodyparts[b]}")
        axes[0].plot(*thinned(at, lengths[:, e]), color=color, lw=0.9, label=name)
        turned = np.abs(np.diff(angles[:, e], prepend=np.nan)) > 180  # no line through the whole plot at ±180°
        axes[1].plot(*thinned(at, np.where(turned, np.nan, angles[:, e])), color=color, lw=0.9, label=name)
    axes[0].set(ylabel=f"length ({poses.unit})", xlim=limits(at), title=title("Bones", pcutoff, poses))
    axes[0].set_ylim(bottom=0)
    axes[1].set(ylabel="direction (°)", xlabel=unit, ylim=(-180, 180), yticks=[-180, -90, 0, 90, 180])
    if len(edges):
        axes[0].legend(loc="upper left", bbox_to_anchor=(1.01, 1), frameon=False, fontsize="small")
    return fig, axes


def _below(ax: Axes, image: NDArray[np.uint8] | None, unit: str) -> None:
    """A frame under what is drawn, if there is one; raises `ValueError` where lengths are not in pixels."""
    if image is None:
        return
    if unit != "px":
        raise ValueError(f"A frame is shown in pixels, but the poses are in {unit}: leave one of them out.")
    ax.imshow(image, zorder=0)
    ax.grid(False)


def _way(ax: Axes, points: NDArray[np.float64], now: int, spans: tuple[int, int]) -> None:
    """The path (n, 2) of a bodypart before, at and after row ``now``; the legend names the frames before and after."""
    before, after = points[:now], points[now + 1 :]
    ax.plot(*before.T, ".", color=PAST, ms=7, mew=0, zorder=3, label=f"{spans[0]} frames before")
    ax.plot(*after.T, ".", color=FUTURE, ms=7, mew=0, zorder=3, label=f"{spans[1]} frames after")
    ax.plot(*points[now], "o", color="black", ms=6, zorder=5)


def _bodies(
    ax: Axes,
    points: NDArray[np.float64],
    rows: tuple[NDArray[np.intp], int, NDArray[np.intp]],
    skeleton: Skeleton | ArrayLike | None,
) -> None:
    """Postures of points (T, K, 2): those of the past and of the future, each paler than the one before, and now's."""
    ago, now, later = rows
    for some, color in ((ago, BODY), (later, FUTURE)):
        for row, alpha in zip(some, np.linspace(0.9, 0.25, len(some)), strict=True):
            lines = list(body_lines(points[row], skeleton))
            ax.add_collection(LineCollection(lines, colors=[(*color, alpha)], linewidths=1.5, zorder=2))
    lines = list(body_lines(points[now], skeleton))
    ax.add_collection(LineCollection(lines, colors="black", linewidths=2, zorder=4, label="now"))


def _turned(points: NDArray[np.float64], poses: Poses, centre: str | None, towards: str | None) -> NDArray[np.float64]:
    """Points (n, K, 2) shifted so that ``centre`` is at (0, 0), and turned so that ``towards`` lies above it."""
    if towards is not None:
        if centre is None:
            raise ValueError(f"towards={towards!r} needs centre=…, the bodypart about which the poses are turned.")
        return trajectories.in_body_frame(points, _index(poses, centre), _index(poses, towards))
    return points if centre is None else points - points[:, [_index(poses, centre)]]


def _index(poses: Poses, bodypart: str | None) -> int:
    if bodypart is None:
        return 0
    if bodypart not in poses.bodyparts:
        raise ValueError(f"There is no bodypart '{bodypart}'; there are {', '.join(poses.bodyparts)}.")
    return poses.bodyparts.index(bodypart)


def _show(ax: Axes, points: NDArray[np.float64], unit: str) -> None:
    """Limits around points (n, 2), y down, with 40 px of margin, or 3 cm."""
    margin = 40.0 if unit == "px" else 3.0
    points = points[np.isfinite(points).all(axis=-1)]
    low, high = (points.min(axis=0), points.max(axis=0)) if len(points) else (np.zeros(2), np.ones(2))
    ax.set(xlim=(low[0] - margin, high[0] + margin), ylim=(high[1] + margin, low[1] - margin))
