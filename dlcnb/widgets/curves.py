"""The two live plots of a training run: loss on a logarithmic axis, validation error with the best snapshot marked."""

from __future__ import annotations

import bqplot
import ipywidgets
import numpy as np

__all__ = ["TrainingCurves", "log_ticks", "ticks"]

LOSS, ERROR, BEST = "#2f87d0", "#0f9d74", "#D55E00"  # told apart by the colour-blind, readable on black and white
POINTS = 2000
HEIGHT = "220px"
MARGIN = {"top": 10, "bottom": 42, "left": 52, "right": 18}


def ticks(low, high, count=5):
    """Round numbers (1, 2 or 5 times a power of ten apart) in ``low..high``, about ``count`` of them, float64."""
    if not high > low:
        return np.array([low], float)
    rough = (high - low) / count
    power = 10.0 ** np.floor(np.log10(rough))
    step = power * next(m for m in (1, 2, 5, 10) if m * power >= rough * 0.999)
    return np.round(np.arange(np.ceil(low / step - 1e-9), np.floor(high / step + 1e-9) + 1) * step, 12)


def log_ticks(low, high):
    """Round numbers in ``low..high`` for a logarithmic axis, at most about eight, float64."""
    powers = np.arange(np.floor(np.log10(low)), np.ceil(np.log10(high)) + 1)
    for factors in ((1, 2, 5), (1, 3), (1,)):
        found = np.sort(np.outer(10.0**powers, factors).ravel())
        found = found[(found >= low * 0.999) & (found <= high * 1.001)]
        if len(found) <= 8:
            return found
    return found[:: -(-len(found) // 8)]


class TrainingCurves(ipywidgets.GridBox):
    """Two bqplot figures side by side, or one above the other where the page is narrow."""

    def __init__(self):
        self._loss_plot = _Plot("loss", bqplot.LogScale())
        self._error_plot = _Plot("validation error", bqplot.LinearScale())
        self.loss = self._loss_plot.lines(LOSS, opacities=[0.35], stroke_width=1)
        self.smooth = self._loss_plot.lines(LOSS, stroke_width=2.2)
        self.error = self._error_plot.lines(ERROR, marker="circle", marker_size=28, stroke_width=2)
        self.best = self._error_plot.dots(BEST)
        super().__init__([self._loss_plot.box, self._error_plot.box], layout=ipywidgets.Layout(width="100%"))
        self.add_class("dlcnb-plots")

    def show(self, state):
        """Draw the curves of a `TrainingState`; each is one message to the browser."""
        steps, loss = state.curve("loss", POINTS // 2)
        keep = loss > 0  # NaN is left out too; a logarithmic axis has no zero
        steps, loss = steps[keep], loss[keep]
        _set(self.loss, steps, loss)
        _set(self.smooth, steps, np.exp(_running_mean(np.log(loss))))
        last = max(state.step, 1)
        self._loss_plot.frame(last, loss.min(initial=1) * 0.9, loss.max(initial=1e-3) * 1.1)
        steps, error = state.curve("validation", POINTS)
        keep = np.isfinite(error)
        _set(self.error, steps[keep], error[keep])
        there = state.best_step >= 0
        _set(self.best, *(([state.best_step], [state.best_px]) if there else ([], [])))
        self._error_plot.frame(last, 0, error[keep].max(initial=1) * 1.1)
        best = f"best {state.best_px:.2f} px at step {state.best_step}" if there else "mean in px; none yet"
        self._error_plot.tell(best)
        self._loss_plot.tell("per step, and smoothed")


class _Plot:
    """A figure with a heading, its scales and axes."""

    def __init__(self, title, scale):
        self.title = title
        self.x, self.y = bqplot.LinearScale(min=0, max=1), scale
        upright = {"orientation": "vertical"} if "orientation" in bqplot.Axis.class_traits() else {"side": "left"}
        self.bottom = bqplot.Axis(scale=self.x, label="step", tick_format=",d", grid_lines="none")
        self.left = bqplot.Axis(scale=self.y, tick_format="~g", **upright)
        self.heading = ipywidgets.HTML(layout=ipywidgets.Layout(margin="0"))
        layout = ipywidgets.Layout(width="100%", height=HEIGHT, min_width="0")
        self.figure = bqplot.Figure(
            axes=[self.bottom, self.left], animation_duration=0, fig_margin=MARGIN, layout=layout, padding_y=0
        )
        self.box = ipywidgets.VBox([self.heading, self.figure], layout=ipywidgets.Layout(min_width="0"))

    def lines(self, color, **more):
        """Add a curve."""
        return self._add(bqplot.Lines(x=[], y=[], scales={"x": self.x, "y": self.y}, colors=[color], **more))

    def dots(self, color):
        """Add single marks."""
        look = {"colors": [color], "marker": "diamond", "default_size": 150, "stroke": "white"}
        return self._add(bqplot.Scatter(x=[], y=[], scales={"x": self.x, "y": self.y}, **look))

    def tell(self, note):
        """Show a note beside the title."""
        self.heading.value = f'<b>{self.title}</b> <span class="dlcnb-muted">{note}</span>'

    def frame(self, last, low, high):
        """Show steps up to ``last`` and values from ``low`` to ``high``."""
        low, high = float(low), float(max(high, low * 1.01 + 1e-9))
        marks = log_ticks(low, high) if isinstance(self.y, bqplot.LogScale) else ticks(low, high)
        for scale, axis, ends, values in (
            (self.x, self.bottom, (0.0, float(last)), ticks(0, last)),
            (self.y, self.left, (low, high), marks),
        ):
            if (scale.min, scale.max) != ends:
                with scale.hold_sync():
                    scale.min, scale.max = ends
                axis.tick_values = values

    def _add(self, mark):
        self.figure.marks = [*self.figure.marks, mark]
        return mark


def _running_mean(values):
    """Mean over the latest fortieth of the curve at each point, (N,) -> (N,)."""
    width = max(len(values) // 40, 1)
    sums = np.concatenate([[0.0], np.cumsum(values)])
    ends = np.arange(1, len(values) + 1)
    starts = np.maximum(ends - width, 0)
    return (sums[ends] - sums[starts]) / (ends - starts)


def _set(mark, x, y):
    x, y = np.asarray(x, np.float32), np.asarray(y, np.float32)
    if np.array_equal(x, mark.x) and np.array_equal(y, mark.y):
        return
    with mark.hold_sync():
        mark.x, mark.y = x, y
