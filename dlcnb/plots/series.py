"""What all figures of poses share: colours, the axis of time, and lines of a million points."""

from __future__ import annotations

import numpy as np

from dlcnb.render import palette

__all__ = ["MOST", "colors", "legend", "limits", "thinned", "title", "when"]

MOST = 20_000  # points of a line that are drawn; longer recordings are thinned


def colors(poses):
    """Colours (K, 3) in 0..1, the same in every figure."""
    return palette(len(poses.bodyparts)) / 255


def title(text, pcutoff):
    """A title that says what is not shown."""
    return f"{text} (likelihood ≥ {pcutoff:g})" if pcutoff > 0 else text


def legend(ax, poses):
    """The bodyparts' colours beside the axes, large enough to be told apart."""
    handles = ax.get_legend_handles_labels()[0]
    columns = 1 + len(poses.bodyparts) // 20
    legend = ax.legend(
        handles=handles, loc="upper left", bbox_to_anchor=(1.01, 1), frameon=False, fontsize="small", ncols=columns
    )
    for handle in legend.legend_handles:
        handle.set(alpha=1)
        if hasattr(handle, "set_markersize"):
            handle.set(markersize=9, linewidth=2)


def when(poses, times):
    """(times or frame numbers (T,), their axis label)."""
    count = len(poses.points)
    if times is None:
        return np.arange(count), "frame"
    times = np.asarray(times, float)
    if times.shape != (count,):
        raise ValueError(f"There are {count} frames, but times has shape {times.shape}; give one time per frame.")
    return times, "time (s)"


def limits(at):
    """From the first to the last time (T,), or None where that is no range."""
    return (at[0], at[-1]) if len(at) > 1 and at[-1] > at[0] else None


def thinned(at, values):
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
