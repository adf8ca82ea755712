"""The figures of experiments: learning curves (Fig. 2F), specialised networks (Fig. 5), any comparison (Fig. S2)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from dlcnb.evaluate import bootstrap_ci, summarize
from dlcnb.plots.evaluation import HUMAN, TEST, TRAIN
from dlcnb.plots.figure import FARTHEST, Drawn, axes_for, named

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from dlcnb.labels.compare import Variability


__all__ = ["INSTEAD", "comparison", "experiment", "finish_pixels", "from_random", "learning_curve", "parts"]

INSTEAD = "random instead of imagenet"  # in the column began_from, where those weights could not be had

STYLES = {"train": TRAIN, "test": TEST}
_BESIDE = {"train": 0.96, "test": 1.04}  # where single splits lie, as a share of their training frames
_RANDOM = "from random weights"
_TITLES = {
    "backbone": "Networks",
    "epsilon": "Radius of the score-map's disc",
    "initialization": "ImageNet weights against random ones",
    "folds": "Cross-validation",
    "videos": "Each video left out once",
}


def experiment(table: pd.DataFrame, human: Variability | None = None, *, ax: Axes | None = None) -> Drawn:
    """The figure of an experiment, whichever it is.

    Parameters
    ----------
    table : pandas.DataFrame
        As `dlcnb.experiments.results` gives it.
    human : dlcnb.labels.compare.Variability, optional
        Drawn as a line with its 95% interval.
    ax : matplotlib.axes.Axes, optional

    Returns
    -------
    tuple
        (figure, axes)
    """
    kind = table["experiment"].iloc[0]
    draw = {"learning-curve": learning_curve, "parts": parts}.get(kind, comparison)
    fig, ax = draw(table, human, ax=ax)
    if from_random(table):
        ax.set_title(f"{ax.get_title()}\n{_RANDOM}: {named(', '.join(from_random(table)))}", fontsize="medium")
    return fig, ax


def from_random(table: pd.DataFrame) -> list[str]:
    """Conditions that began from random weights in place of ImageNet's: they say little about a network."""
    if "began_from" not in table:
        return []
    found = table.loc[table["began_from"] == INSTEAD, "condition"]
    return [str(condition) for condition in found.drop_duplicates()]


def learning_curve(table: pd.DataFrame, human: Variability | None = None, *, ax: Axes | None = None) -> Drawn:
    """Error over the number of training frames: a cross for each split, dots and a line for their means."""
    fig, ax = axes_for(ax, (5.6, 4))
    whole = table[table["bodypart"] == "all"]
    for name, color in STYLES.items():
        mine = whole[(whole["set"] == name) & whole["mean_px"].notna()]
        if mine.empty:
            continue
        mine = mine.assign(mean_px=mine["mean_px"].clip(upper=FARTHEST))
        beside = mine["trained_frames"] * _BESIDE[name]
        ax.plot(beside, mine["mean_px"], "x", color=color, ms=6, mew=1.2)
        means = mine.groupby("condition")[["trained_frames", "mean_px"]].mean().sort_values("trained_frames")
        ax.plot(means["trained_frames"], means["mean_px"], "o-", color=color, ms=7, lw=1.5, label=name)
    _human(ax, human)
    counts = sorted(whole["trained_frames"].unique())
    ax.set(xscale="log", yscale="log", xlabel="training frames", ylabel="mean error (px)", title="Learning curve")
    ax.set_xticks(counts, [str(n) for n in counts])
    ax.minorticks_off()
    return finish_pixels(fig, ax, None)


def parts(table: pd.DataFrame, human: Variability | None = None, *, ax: Axes | None = None) -> Drawn:
    """Networks for one bodypart beside the network for all, each judged on that bodypart."""
    single = [c for c in table["condition"].drop_duplicates() if c != "all"]
    fig, ax = axes_for(ax, (max(4.5, 2 + 1.4 * len(single)), 4))
    rows, names = [], []
    for part in single:
        rows += [("all", part), (part, part)]
        names += [f"full\n@{named(part)}", f"{named(part)}\nonly"]
    for x, (condition, part) in enumerate(rows):
        _column(ax, x, table[(table["condition"] == condition) & (table["bodypart"] == part)], x == 0)
    ax.set(
        ylabel="mean error (px)", title="One network for all bodyparts, or one for each", xlim=(-0.6, len(rows) - 0.4)
    )
    ax.set_xticks(range(len(rows)), names)
    for x in range(2, len(rows), 2):
        ax.axvline(x - 0.5, color="0.85", lw=1)
    return _finished(fig, ax, human)


def comparison(table: pd.DataFrame, human: Variability | None = None, *, ax: Axes | None = None) -> Drawn:
    """Conditions side by side: a cross for each split or fold, a dot for their mean with its standard error."""
    conditions = list(table["condition"].drop_duplicates())
    fig, ax = axes_for(ax, (max(4.5, 2 + 1.1 * len(conditions)), 4))
    whole = table[table["bodypart"] == "all"]
    for x, condition in enumerate(conditions):
        _column(ax, x, whole[whole["condition"] == condition], x == 0)
    kind = table["experiment"].iloc[0]
    unit = {"epsilon": "radius (px)"}.get(kind, "")
    ax.set(ylabel="mean error (px)", xlabel=unit, title=_TITLES.get(kind, kind), xlim=(-0.6, len(conditions) - 0.4))
    poor = from_random(table)
    names = [named(c) + ("\nfrom random\nweights" if c in poor else "") for c in conditions]
    ax.set_xticks(range(len(conditions)), names)
    return _finished(fig, ax, human)


def _column(ax: Axes, x: float, table: pd.DataFrame, labeled: bool) -> None:
    """Train and test errors of one condition: crosses, and beside them their mean ± s.e.m."""
    for shift, (name, color) in zip((-0.16, 0.16), STYLES.items(), strict=True):
        values = table.loc[table["set"] == name, "mean_px"].dropna().clip(upper=FARTHEST).to_numpy()
        ax.plot(np.full(len(values), x + shift - 0.05), values, "x", color=color, ms=6, mew=1.2)
        if len(values):
            sem = values.std(ddof=1) / np.sqrt(len(values)) if len(values) > 1 else 0
            label = name if labeled else None
            ax.errorbar(x + shift + 0.05, values.mean(), sem, fmt="o", color=color, ms=8, capsize=3, label=label)


def _finished(fig: Figure, ax: Axes, human: Variability | None) -> Drawn:
    _human(ax, human)
    lowest, highest = ax.get_ylim()
    if lowest > 0 and highest / lowest > 30:
        ax.set_yscale("log")
        _pixels(ax)
    else:
        ax.set_ylim(bottom=0)
    _legend(ax)
    return fig, ax


def finish_pixels(fig: Figure, ax: Axes, human: Variability | None) -> Drawn:
    """Add human variability, plain numbers of px and a legend to axes whose y is a logarithmic error."""
    _human(ax, human)
    _pixels(ax)
    _legend(ax)
    return fig, ax


def _legend(ax: Axes) -> None:
    """What the colours are, beside the axes, where it hides no dot."""
    if ax.get_legend_handles_labels()[0]:
        ax.legend(loc="upper left", bbox_to_anchor=(1.01, 1), frameon=False, fontsize="small", handlelength=2.8)


def _human(ax: Axes, human: Variability | None) -> None:
    if human is None:
        return
    mean = summarize(human.distances).mean_px
    ax.axhline(mean, color=HUMAN, lw=1.2, ls=":", label=f"human {mean:.2f} px", zorder=1)
    low, high = bootstrap_ci(human.distances)
    if np.isfinite(low):
        ax.axhspan(low, high, color="0.5", alpha=0.2, lw=0, zorder=0)


def _pixels(ax: Axes) -> None:
    """Plain numbers on a logarithmic axis of pixels."""
    low, high = ax.get_ylim()
    if high < 4 * low:
        ax.set_yscale("linear")
        ax.set_ylim(bottom=0)
        return
    places = [m * 10.0**p for p in range(-2, 5) for m in (1, 2, 5)]
    places = [v for v in places if low <= v <= high]
    ax.set_yticks(places, [f"{v:g}" for v in places])
    ax.minorticks_off()
