"""What all figures of poses share: colours, the axis of time, and lines of a million points."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dlcnb.plots.figure import FARTHEST, named
from dlcnb.render import palette

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from dlcnb.poses import Poses


__all__ = [
    "MOST",
    "colors",
    "legend",
    "limits",
    "named_parts",
    "outside",
    "over_time",
    "plane",
    "shown",
    "thinned",
    "title",
    "upright",
    "when",
    "within",
]

MOST = 20_000  # points of a line that are drawn; longer recordings are thinned


def colors(poses: Poses) -> NDArray[np.float64]:
    """Colours (K, 3) in 0..1, the same in every figure."""
    return palette(len(poses.bodyparts)) / 255


def named_parts(poses: Poses) -> list[str]:
    """The K bodyparts as matplotlib shows them to the letter."""
    return [named(part) for part in poses.bodyparts]


def shown(poses: Poses, pcutoff: float) -> NDArray[np.float64]:
    """The points (T, K, 2) that are drawn: NaN where they are unlikely, or absurdly far off."""
    points = poses.masked(pcutoff)
    return np.where((np.abs(points) > FARTHEST).any(axis=-1, keepdims=True), np.nan, points)


def outside(points: NDArray[np.float64], size: tuple[int, int]) -> NDArray[np.bool_]:
    """Which points (..., 2) lie beyond the edges of a frame (height, width); not NaN."""
    return ((points < -0.5) | (points > np.array(size[::-1]) - 0.5)).any(axis=-1)


def title(text: str, pcutoff: float, poses: Poses, size: tuple[int, int] | None = None) -> str:
    """A title that says what is not shown; of axes that end with the frame (height, width), if it is given."""
    points = poses.masked(pcutoff)
    if size is None:
        count, where = int((np.abs(points) > FARTHEST).any(axis=-1).sum()), f"beyond {FARTHEST:g} {poses.unit}"
    else:
        count, where = int(outside(points, size).sum()), "outside the frame"
    notes = [f"likelihood ≥ {pcutoff:g}"] * (pcutoff > 0)
    notes += [f"without {count} point{'s' * (count > 1)} {where}"] * (count > 0)
    return f"{text} ({', '.join(notes)})" if notes else text


def legend(ax: Axes, poses: Poses) -> None:
    """The bodyparts' colours beside the axes, large enough to be told apart."""
    handles = ax.get_legend_handles_labels()[0]
    columns = 1 + len(poses.bodyparts) // 20
    legend = ax.legend(
        handles=handles, loc="upper left", bbox_to_anchor=(1.01, 1), frameon=False, fontsize="small", ncols=columns
    )
    for handle in filter(None, legend.legend_handles):
        handle.set(alpha=1)
        if hasattr(handle, "set_markersize"):
            handle.set(markersize=9, linewidth=2)


def when(poses: Poses, times: ArrayLike | None) -> tuple[NDArray[Any], str]:
    """(times or frame numbers (T,), their axis label)."""
    count = len(poses.points)
    if times is None:
        return np.arange(count), "frame"
    times = np.asarray(times, float)
    if times.shape != (count,):
        raise ValueError(f"There are {count} frames, but times has shape {times.shape}; give one time per frame.")
    return times, "time (s)"


def over_time(ax: Axes, poses: Poses, at: NDArray[Any], values: NDArray[np.float64], alpha: float = 1.0) -> None:
    """A line for each bodypart: its values (T, K) over ``at`` (T,)."""
    for k, (name, color) in enumerate(zip(named_parts(poses), colors(poses), strict=True)):
        ax.plot(*thinned(at, values[:, k]), color=color, lw=0.9, alpha=alpha, label=name)


def plane(poses: Poses) -> dict[str, str]:
    """Labels of axes that are a plane, in the unit of the poses."""
    return {"xlabel": f"x ({poses.unit})", "ylabel": f"y ({poses.unit})", "aspect": "equal"}


def upright(ax: Axes) -> None:
    """Let up in the plot be up in the image."""
    if not ax.yaxis_inverted():
        ax.invert_yaxis()


def within(ax: Axes, length: int) -> None:
    """Let the y axis, which is as long as its values need, end where a frame of this many pixels does."""
    low, high = np.clip(np.sort(ax.get_ylim()), -0.5, length - 0.5)
    ax.set_ylim((low, high) if low < high else (-0.5, length - 0.5))


def limits(at: NDArray[Any]) -> tuple[float, float] | None:
    """From the first to the last time (T,), or None where that is no range."""
    return (at[0], at[-1]) if len(at) > 1 and at[-1] > at[0] else None


def thinned(at: NDArray[Any], values: NDArray[np.float64]) -> tuple[NDArray[Any], NDArray[np.float64]]:
    """A line of at most `MOST` points that still shows every extreme; short lines come back as they are."""
    if len(values) <= MOST:
        return at, values
    size = -(-len(values) // (MOST // 2))  # frames per bin; each bin gives its lowest and highest
    whole = np.full(-(-len(values) // size) * size, np.nan)
    whole[: len(values)] = values
    bins = whole.reshape(-1, size)
    missing = np.isnan(bins)
    low = np.where(missing, np.inf, bins).min(axis=1)
    high = np.where(missing, -np.inf, bins).max(axis=1)
    both = np.stack([low, high], axis=1).ravel()
    return np.repeat(at[::size], 2), np.where(np.isfinite(both), both, np.nan)
