"""What some exercises ask about, as pictures, so that they are answered by looking, too."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from dlcnb.render import palette
from dlcnb.sampledata import BODYPARTS, SKELETON
from dlcnb.teaching.exercises import CUTOFF, LIES_PX, odd_labels, sure_points

if TYPE_CHECKING:
    from dlcnb.plots.figure import NotebookFigure

__all__ = ["show_odd_labels", "show_sure_points"]

_SIDE = 220.0  # px of the frame that a picture shows


def show_odd_labels() -> NotebookFigure:
    """The labels of `odd_labels`, frame by frame, numbered from 1; all to the same scale."""
    from dlcnb.plots.figure import figure_of

    points = odd_labels()[0].points  # (20, K, 2)
    figure, colors = figure_of((9, 7.6)), palette(len(BODYPARTS)) / 255
    bones = [[BODYPARTS.index(part) for part in bone] for bone in SKELETON]
    for number, (ax, one) in enumerate(zip(figure.subplots(4, 5).flat, points, strict=True), 1):
        for bone in bones:
            ax.plot(*one[bone].T, color="0.75", zorder=1)
        for part, (x, y), color in zip(BODYPARTS, one, colors, strict=True):
            ax.plot(x, y, "o", color=color, label=part)
        x, y = (one.min(axis=0) + one.max(axis=0)) / 2
        ax.set(xlim=(x - _SIDE / 2, x + _SIDE / 2), ylim=(y + _SIDE / 2, y - _SIDE / 2), xticks=[], yticks=[])
        ax.set_aspect("equal")
        ax.set_title(str(number), fontsize="medium")
    figure.legend(*figure.axes[0].get_legend_handles_labels(), loc="outside upper center", ncols=len(BODYPARTS))
    return figure


def show_sure_points() -> NotebookFigure:
    """Error over likelihood of the points of `sure_points`, and the lines that the question is about."""
    from dlcnb.plots.figure import figure_of, plain

    likelihood, error = sure_points()
    figure = figure_of((9, 5))
    ax = figure.subplots()
    plain(ax)
    ax.plot(likelihood, error, "o", markersize=4, alpha=0.6)
    ax.axvline(CUTOFF, color="black", linestyle=":")
    ax.axhline(LIES_PX, color="black", linestyle=":")
    ax.set(xlabel="likelihood", ylabel="error (px)", xlim=(0, 1.01), ylim=(0, 1.02 * float(np.max(error))))
    return figure
