"""The two live plots of a training run: loss on a logarithmic axis, validation error with the best snapshot marked."""

from __future__ import annotations

import bqplot
import ipywidgets
import numpy as np

__all__ = ["TrainingCurves"]

LOSS, ERROR, BEST = "#0072B2", "#009E73", "#D55E00"  # Okabe-Ito
POINTS = 2000
HEIGHT = "230px"


class TrainingCurves(ipywidgets.GridBox):
    """Two bqplot figures side by side, or one above the other where the page is narrow."""

    def __init__(self):
        self._loss = bqplot.LogScale()
        self._error = bqplot.LinearScale(min=0)
        self.loss = self._lines(self._loss, LOSS)
        self.error = self._lines(self._error, ERROR, marker="circle")
        self.best = bqplot.Scatter(
            x=[], y=[], scales=self.error.scales, colors=[BEST], marker="diamond", default_size=150, stroke="white"
        )
        figures = [
            _figure("loss", [self.loss], "loss"),
            _figure("validation error (px)", [self.error, self.best], "validation error, mean in px"),
        ]
        super().__init__(figures, layout=ipywidgets.Layout(width="100%"))
        self.add_class("dlcnb-plots")

    def show(self, state):
        """Draw the curves of a `TrainingState`; each is one message to the browser."""
        for lines, name in ((self.loss, "loss"), (self.error, "validation")):
            steps, values = state.curve(name, POINTS)
            keep = values > 0  # NaN is left out too; a logarithmic axis has no zero
            _set(lines, steps[keep], values[keep])
        there = state.best_step >= 0
        _set(self.best, *(([state.best_step], [state.best_px]) if there else ([], [])))
        note = f" · best {state.best_px:.2f} at step {state.best_step}" if there else ""
        self.children[1].title = "validation error (px)" + note

    @staticmethod
    def _lines(scale, color, **more):
        scales = {"x": bqplot.LinearScale(min=0), "y": scale}
        return bqplot.Lines(x=[], y=[], scales=scales, colors=[color], stroke_width=1.8, marker_size=28, **more)


def _figure(title, marks, label):
    scales = marks[0].scales
    upright = {"orientation": "vertical"} if "orientation" in bqplot.Axis.class_traits() else {"side": "left"}
    log = isinstance(scales["y"], bqplot.LogScale)
    axes = [
        bqplot.Axis(scale=scales["x"], label="step", num_ticks=5, tick_format="~s", grid_lines="none"),
        bqplot.Axis(scale=scales["y"], num_ticks=4, tick_format=".1e" if log else ".3~g", **upright),
    ]
    figure = bqplot.Figure(
        marks=marks,
        axes=axes,
        title=title,
        animation_duration=0,
        fig_margin={"top": 34, "bottom": 44, "left": 58, "right": 18},
        layout=ipywidgets.Layout(width="100%", height=HEIGHT, min_width="0"),
    )
    figure.tooltip = label
    return figure


def _set(mark, x, y):
    x, y = np.asarray(x, np.float32), np.asarray(y, np.float32)
    if np.array_equal(x, mark.x) and np.array_equal(y, mark.y):
        return
    with mark.hold_sync():
        mark.x, mark.y = x, y
