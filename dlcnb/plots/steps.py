"""Loss and errors over the training steps of several splits (paper, Fig. 2B-D; of several networks, Fig. S2)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from dlcnb.plots.evaluation import TEST, TRAIN
from dlcnb.plots.experiments import finish_pixels
from dlcnb.plots.figure import FARTHEST, Drawn, axes_for, named
from dlcnb.render import palette

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from numpy.typing import ArrayLike

    from dlcnb.labels.compare import Variability


__all__ = ["curves", "loss"]

_HIGHEST_LOSS = 1e30  # matplotlib's logarithmic axes end at 1e300
Line = tuple[str, object, str, "pd.DataFrame"]  # name, colour, style, rows


def curves(
    table: pd.DataFrame,
    human: Variability | None = None,
    *,
    bodyparts: Sequence[str] | None = None,
    ax: Axes | None = None,
) -> Drawn:
    """Train and test error over the steps: faint lines for single splits, thick ones for their means.

    Parameters
    ----------
    table : pandas.DataFrame
        As `dlcnb.experiments.curves` gives it. Where it has several conditions, each has its colour; dashed is train.
    human : dlcnb.labels.compare.Variability, optional
        Drawn as a line with its 95% interval.
    bodyparts : sequence of str, optional
        Test errors of these, each in its colour, instead of those of all together.
    ax : matplotlib.axes.Axes, optional
    """
    fig, ax = axes_for(ax, (6, 4))
    for name, color, style, rows in _by_bodypart(table, bodyparts) if bodyparts else _by_condition(table):
        _splits(ax, rows.assign(mean_px=rows["mean_px"].clip(upper=FARTHEST)), "mean_px", name, color, style)
    ax.set(xlabel="training steps", ylabel="mean error (px)", yscale="log", title="Error over training")
    _steps(ax, table)
    return finish_pixels(fig, ax, human)


def loss(table: pd.DataFrame, *, ax: Axes | None = None) -> Drawn:
    """Training loss over the steps, smoothed: a faint line for each split, a thick one for their mean.

    Parameters
    ----------
    table : pandas.DataFrame
        As `dlcnb.experiments.losses` gives it.
    ax : matplotlib.axes.Axes, optional
    """
    fig, ax = axes_for(ax, (6, 4))
    conditions = list(table["condition"].drop_duplicates())
    colors = palette(len(conditions)) / 255
    for condition, color in zip(conditions, colors, strict=True):
        mine = table[table["condition"] == condition]
        smooth = mine.assign(loss=mine["loss"].clip(upper=_HIGHEST_LOSS))
        smooth["loss"] = smooth.groupby("repeat")["loss"].transform(lambda one: one.rolling(9, 1, center=True).mean())
        _splits(ax, smooth, "loss", condition if len(conditions) > 1 else "mean", color, "-")
    ax.set(xlabel="training steps", ylabel="loss", yscale="log", title="Loss")
    _steps(ax, table)
    if ax.get_legend_handles_labels()[0]:
        ax.legend(loc="upper left", bbox_to_anchor=(1.01, 1), frameon=False, fontsize="small")
    return fig, ax


def _by_condition(table: pd.DataFrame) -> Iterator[Line]:
    whole = table[table["bodypart"] == "all"]
    conditions = list(whole["condition"].drop_duplicates())
    for condition, hue in zip(conditions, palette(len(conditions)) / 255, strict=True):
        for part, color in (("train", TRAIN), ("test", TEST)):
            rows = whole[(whole["condition"] == condition) & (whole["set"] == part)]
            if len(conditions) == 1:
                yield part, color, "-", rows
            else:
                yield f"{condition}, {part}", hue, "--" if part == "train" else "-", rows


def _by_bodypart(table: pd.DataFrame, bodyparts: Sequence[str]) -> Iterator[Line]:
    first = table["condition"].iloc[0] if len(table) else ""
    for part, color in zip(bodyparts, palette(len(bodyparts)) / 255, strict=True):
        mine = (table["bodypart"] == part) & (table["condition"] == first) & (table["set"] == "test")
        yield part, color, "-", table[mine]


def _splits(ax: Axes, rows: pd.DataFrame, column: str, name: str, color: object, style: str) -> None:
    """A faint line for each repeat, and their mean at the steps that all of them have."""
    rows = rows[np.isfinite(rows[column])]
    if rows.empty:
        return
    wide = rows.pivot_table(index="step", columns="repeat", values=column)
    if wide.shape[1] > 1:
        for repeat in wide:
            one = wide[repeat].dropna()
            ax.plot(one.index, one, style, color=color, lw=0.8, alpha=0.45)
        wide = wide.dropna()
    ax.plot(wide.index, wide.mean(axis=1), style, color=color, lw=2.2, label=named(name), marker=_mark(wide.index))


def _mark(steps: ArrayLike) -> str:
    return "o" if len(np.asarray(steps)) <= 20 else ""


def _steps(ax: Axes, table: pd.DataFrame) -> None:
    """A logarithmic axis of steps where they span more than two decades, with plain numbers."""
    steps = table["step"]
    if len(steps) and steps.min() > 0 and steps.max() > 30 * steps.min():
        ax.set_xscale("log")
    ax.xaxis.set_major_formatter("{x:,.0f}")
