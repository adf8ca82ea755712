"""The figures of a video's poses: in the plane, over time, their likelihood, their steps."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import matplotlib
import numpy as np
from numpy.typing import ArrayLike

from dlcnb.files import atomic_path, make_folder
from dlcnb.plots.figure import Drawn, DrawnPair, axes_for
from dlcnb.plots.ground import Ground
from dlcnb.plots.series import (
    MOST,
    colors,
    legend,
    limits,
    named_parts,
    over_time,
    plane,
    shown,
    title,
    upright,
    when,
    within,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from dlcnb.poses import Poses
    from dlcnb.project import Scale


__all__ = ["coordinates", "histogram", "likelihood", "save_all", "trajectory"]


def trajectory(
    poses: Poses,
    pcutoff: float = 0.6,
    *,
    size: tuple[int, int] | None = None,
    scale: Scale | None = None,
    ax: Axes | None = None,
) -> Drawn:
    """Where each bodypart was: y over x, the right way up (y down, as in the image).

    Parameters
    ----------
    poses : dlcnb.poses.Poses
    pcutoff : float
        Points of a likelihood below it are not drawn.
    size : tuple of int, optional
        (height, width) of the video, where the axes end, and the title counts the points beyond; as far as the points
        go if None.
    scale : dlcnb.project.Scale, optional
        Of the video: the axes are in cm.
    ax : matplotlib.axes.Axes, optional
    """
    fig, ax = axes_for(ax, (7, 5))
    drawn, frame = poses if scale is None else poses.in_cm(scale), size if poses.unit == "px" else None
    points = shown(drawn, pcutoff)
    points = points[:: -(-len(points) // MOST) or 1]
    for name, color, (x, y) in zip(named_parts(poses), colors(poses), np.moveaxis(points, 0, 2), strict=True):
        ax.plot(x, y, color=color, lw=0.5, alpha=0.5)
        ax.plot(x, y, ".", color=color, ms=2.5, mew=0, label=name)
    ax.set(**plane(drawn), title=title("Trajectories", pcutoff, poses, frame))
    if frame is not None:
        in_frame = shown(poses, pcutoff).reshape(-1, 2)
        ground = Ground.of_frame(frame, 1.0) if scale is None else Ground.in_cm(scale, frame, in_frame, (), 1.0)
        (left, top), (right, bottom) = ground.low, ground.high
        ax.set(xlim=(left, right), ylim=(bottom, top))
    else:
        upright(ax)
    legend(ax, poses)
    return fig, ax


def coordinates(
    poses: Poses,
    times: ArrayLike | None = None,
    pcutoff: float = 0.6,
    *,
    size: tuple[int, int] | None = None,
    ax: Sequence[Axes] | None = None,
) -> DrawnPair:
    """Each bodypart over time: x above, y below.

    Parameters
    ----------
    poses : dlcnb.poses.Poses
    times : array_like, optional
        (T,) seconds; frame numbers if None.
    pcutoff : float
        Points of a likelihood below it are not drawn.
    size : tuple of int, optional
        (height, width) of the video: no axis goes beyond it, and the title counts the points that do.
    ax : sequence of two matplotlib.axes.Axes, optional
    """
    fig, axes = axes_for(ax, (9, 5), 2)
    frame = size if poses.unit == "px" else None
    points, (at, unit) = shown(poses, pcutoff), when(poses, times)
    for d, (one, letter) in enumerate(zip(axes, "xy", strict=True)):
        over_time(one, poses, at, points[..., d])
        one.set(ylabel=f"{letter} ({poses.unit})", xlim=limits(at))
        if frame is not None:
            within(one, frame[1 - d])
    axes[0].set_title(title("Coordinates", pcutoff, poses, frame))
    axes[1].set_xlabel(unit)
    upright(axes[1])
    legend(axes[0], poses)
    return fig, axes


def likelihood(poses: Poses, times: ArrayLike | None = None, pcutoff: float = 0.6, *, ax: Axes | None = None) -> Drawn:
    """Likelihood of each bodypart over time, with a line at ``pcutoff``; arguments as `coordinates`."""
    fig, ax = axes_for(ax, (9, 3.2))
    at, unit = when(poses, times)
    over_time(ax, poses, at, poses.likelihood, alpha=0.8)
    ax.axhline(pcutoff, color="0.3", lw=0.9, ls="--", zorder=1)
    ax.set(xlabel=unit, ylabel="likelihood", title="Likelihood (dashed: pcutoff)", xlim=limits(at), ylim=(-0.03, 1.03))
    legend(ax, poses)
    return fig, ax


def histogram(poses: Poses, pcutoff: float = 0.6, *, ax: Sequence[Axes] | None = None) -> DrawnPair:
    """Signed differences from frame to frame in x and y: narrow and symmetrical if tracking is continuous.

    The bins are symmetrical about 0; the outermost ones hold all larger jumps too, and the title counts those.

    Parameters
    ----------
    poses : dlcnb.poses.Poses
    pcutoff : float
        Points of a likelihood below it are left out.
    ax : sequence of two matplotlib.axes.Axes, optional
    """
    fig, axes = axes_for(ax, (9, 3.6), (1, 2))
    steps = np.diff(shown(poses, pcutoff), axis=0)  # (T - 1, K, 2)
    found = np.abs(steps[np.isfinite(steps)])
    least, fine = (5.0, 1) if poses.unit == "px" else (0.5, 10)
    limit = max(least, float(np.ceil(2 * fine * np.percentile(found, 99))) / fine) if found.size else least
    edges = np.linspace(-limit, limit, 82)  # an odd number of bins: one is centred on 0
    highest = 0
    for d, (one, letter) in enumerate(zip(axes, "xy", strict=True)):
        for k, (name, color) in enumerate(zip(named_parts(poses), colors(poses), strict=True)):
            values = steps[:, k, d][np.isfinite(steps[:, k, d])]
            counts, _ = np.histogram(np.clip(values, -limit, limit), edges)
            one.stairs(counts, edges, color=color, lw=1.2, label=name)
            highest = max(highest, int(counts.max()))
        beyond = int((np.abs(steps[..., d]) > limit).sum())
        one.set(xlabel=f"Δ{letter} between frames ({poses.unit})", xlim=(-limit, limit))
        one.set_title(f"Δ{letter} ({beyond} jumps beyond ±{limit:g} {poses.unit})", fontsize="medium")
    for one in axes if found.size else ():
        one.set(yscale="log", ylim=(0.5, 1.5 * highest))  # both at once: they may share the axis
    axes[0].set_ylabel("frames")
    legend(axes[1], poses)
    return fig, axes


def save_all(
    poses: Poses,
    times: ArrayLike | None,
    folder: str | Path,
    pcutoff: float = 0.6,
    *,
    size: tuple[int, int] | None = None,
    suffix: str = "",
) -> list[Path]:
    """Write DeepLabCut's four figures of a video as PNG files.

    Parameters
    ----------
    poses, times, pcutoff, size : as of `coordinates` and `trajectory`.
    folder : made if need be; `Project.plots_dir` is DeepLabCut's place.
    suffix : put behind each name, such as "_filtered".

    Returns
    -------
    list of pathlib.Path
        trajectory.png, plot.png, plot-likelihood.png, hist.png.
    """
    folder = Path(folder)
    make_folder(folder)
    figures = {
        "trajectory": lambda: trajectory(poses, pcutoff, size=size),
        "plot": lambda: coordinates(poses, times, pcutoff, size=size),
        "plot-likelihood": lambda: likelihood(poses, times, pcutoff),
        "hist": lambda: histogram(poses, pcutoff),
    }
    paths = []
    for name, draw in figures.items():
        paths.append(folder / f"{name}{suffix}.png")
        with atomic_path(paths[-1]) as temporary, matplotlib.rc_context({"agg.path.chunksize": 10_000}):
            draw()[0].savefig(temporary, dpi=150)
    return paths
