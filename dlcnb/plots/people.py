"""Figures of two people's labels: beside each other (paper, Fig. S1), and beside the network (Fig. 2G)."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import TYPE_CHECKING

import numpy as np

from dlcnb.evaluate import summarize
from dlcnb.plots.evaluation import TEST, TRAIN
from dlcnb.plots.figure import Drawn, DrawnPair, axes_for, figure_of, named, plain
from dlcnb.render import palette

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    from matplotlib.axes import Axes

    from dlcnb.labels.compare import Variability


__all__ = ["against_human", "agreement"]

_LEAST = 0.05  # px: what is nearer is drawn here, as a logarithmic axis has no 0
_NAMED = 6  # images that are named in the figure


def agreement(human: Variability, *, ax: Sequence[Axes] | None = None) -> DrawnPair:
    """Second against first label: x and y differences (left), distances (middle), mean of each bodypart (right).

    Drawn are the 99% nearest to each other, so that a few far off don't squeeze the rest; the titles count the others.

    Parameters
    ----------
    human : dlcnb.labels.compare.Variability
    ax : sequence of three matplotlib.axes.Axes, optional
    """
    axes = figure_of((10.5, 3.6)).subplots(1, 3, width_ratios=[1, 1, 0.8]) if ax is None else np.asarray(ax, object)
    for one in axes:
        plain(one)
    signed = human.points[1] - human.points[0]  # (T, K, 2)
    known = human.distances[np.isfinite(human.distances)]
    reach = max(1.01 * float(np.percentile(known, 99)) if len(known) else 0.0, 0.5)
    beyond = int((known > reach).sum())
    for k, (part, color) in enumerate(zip(human.bodyparts, palette(len(human.bodyparts)) / 255, strict=True)):
        axes[0].plot(*signed[:, k].T, ".", ms=5, mew=0, alpha=0.6, color=color, label=named(part))
        mean = summarize(human.distances[:, k]).mean_px
        axes[2].barh(k, mean if np.isfinite(mean) else 0.0, color=color)
    axes[0].set(xlim=(-reach, reach), ylim=(reach, -reach), xlabel="Δx (px)", ylabel="Δy (px)", aspect="equal")
    axes[0].set_title(f"second - first label ({beyond} outside)", fontsize="medium")
    axes[0].legend(frameon=False, fontsize="x-small", loc="upper left", handletextpad=0.1)
    axes[1].hist(known, np.linspace(0, reach, 41), color="0.55")
    axes[1].set(xlabel="distance (px)", ylabel="points", xlim=(0, reach))
    whole = summarize(human.distances)
    axes[1].set_title(f"{whole.n} points, mean {whole.mean_px:.2f} px ({beyond} outside)", fontsize="medium")
    axes[2].set_yticks(range(len(human.bodyparts)), [named(part) for part in human.bodyparts])
    axes[2].invert_yaxis()
    axes[2].set(xlabel="mean distance (px)")
    axes[2].set_title("each bodypart", fontsize="medium")
    return axes[0].figure, axes


def against_human(table: pd.DataFrame, *, ax: Axes | None = None) -> Drawn:
    """Distance of the network from the label over that of a second person, a dot for each point.

    Parameters
    ----------
    table : pandas.DataFrame
        As `dlcnb.evaluate.doubtful_labels` gives it; what may be wrong is circled, and named with its image.
    ax : matplotlib.axes.Axes, optional
    """
    fig, ax = axes_for(ax, (6.2, 4.8))
    shown = table.assign(x=table["human_px"].clip(_LEAST), y=table["network_px"].clip(_LEAST))
    for part, color in (("train", TRAIN), ("test", TEST)):
        mine = shown[shown["set"] == part]
        if len(mine):
            ax.plot(mine["x"], mine["y"], "o", ms=4, mew=0, alpha=0.6, color=color, label=f"{part} ({len(mine)})")
    ends = [_LEAST, max(shown[["x", "y"]].max().max() if len(shown) else 1.0, 1.0) * 1.5]
    ax.plot(ends, ends, color="0.75", lw=1, zorder=0)
    for doubt, color in zip(("first label", "second label", "labels", "network"), palette(5)[1:] / 255, strict=True):
        mine = shown[shown["doubt"] == doubt]
        if len(mine):
            label = f"{doubt} may be wrong ({len(mine)})"
            ax.plot(mine["x"], mine["y"], "o", ms=9, mfc="none", mec=color, mew=1.5, label=label)
    odd = shown[shown["doubt"].isin(["first label", "second label", "labels"])]
    for image, mine in list(odd.sort_values("human_px", ascending=False).groupby("image", sort=False))[:_NAMED]:
        text = named(f"{PurePosixPath(str(image)).stem} {', '.join(mine['bodypart'])}")
        place = float(mine["x"].iloc[0]), float(mine["y"].iloc[0])
        ax.annotate(text, place, xytext=(-8, 8), textcoords="offset points", fontsize="x-small", ha="right")
    ax.set(xscale="log", yscale="log", xlabel="second person's distance from the label (px)")
    ax.set(ylabel="network's distance from the label (px)", title="Human and network, point by point")
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_major_formatter("{x:g}")
    ax.legend(loc="upper left", bbox_to_anchor=(1.01, 1), frameon=False, fontsize="small")
    return fig, ax
