"""The live plots of a training run: losses and learning rate on logarithmic axes, errors in px, best marked."""

from __future__ import annotations

import bqplot
import ipywidgets
import numpy as np

from dlcnb.widgets.base.html import Html, heading, joined, markup

__all__ = ["TrainingCurves", "log_ticks", "ticks"]

LOSS, ERROR, BEST = "#2f87d0", "#0f9d74", "#D55E00"  # told apart by the colour-blind, readable on black and white
HUMAN = "#CC79A7"
TRAIN = LOSS  # error on training frames
PARTS = {  # curve -> words, colour, style
    "part_loss": ("score-maps", "#E69F00", "solid"),
    "locref_loss": ("location refinement", "#CC79A7", "dashed"),
}
EARLIER = ("#8c8c8c", "#56B4E9", "#b2912f", "#9c6ade", "#d98880")  # of the runs beside this one, so many at most
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
    """bqplot figures side by side, or one above the other where the page is narrow: loss, error, learning rate."""

    def __init__(self):
        self._loss_plot = _Plot("loss", bqplot.LogScale())
        self._error_plot = _Plot("error", bqplot.LinearScale())
        self._rate_plot = _Plot("learning rate", bqplot.LogScale())
        self.loss = self._loss_plot.lines(LOSS, opacities=[0.35], stroke_width=1)
        self.smooth = self._loss_plot.lines(LOSS, stroke_width=2.2)
        self.parts = {
            name: self._loss_plot.lines(color, stroke_width=1.8, line_style=style)
            for name, (_, color, style) in PARTS.items()
        }
        self.band = self._error_plot.lines(
            HUMAN, fill="between", fill_colors=[HUMAN], fill_opacities=[0.25], opacities=[0]
        )
        self.human = self._error_plot.lines(HUMAN, stroke_width=1.6, line_style="dashed")
        self.error = self._error_plot.lines(ERROR, marker="circle", marker_size=28, stroke_width=2)
        self.trained = self._error_plot.lines(TRAIN, stroke_width=1.6, line_style="dashed")
        self.best = self._error_plot.dots(BEST)
        self.rate = self._rate_plot.lines(LOSS, stroke_width=2)
        self.earlier = []  # (loss, error) of each earlier run; they stay for later use
        super().__init__(self._boxes(False), layout=ipywidgets.Layout(width="100%"))
        self.add_class("dlcnb-plots")

    def _boxes(self, rate):
        plots = [self._loss_plot, self._error_plot, *([self._rate_plot] if rate else [])]
        return [plot.box for plot in plots]

    def show(self, state):
        """Draw the curves of a `TrainingState`; each is one message to the browser, if it has changed."""
        if (len(self.children) == 3) != state.show_rate:
            self.children = self._boxes(state.show_rate)
        others = list(state.earlier.values())[: len(EARLIER)]
        ends = [each[name][0][-1:] for each in others for name in each]
        last = max([state.step, 1, *np.concatenate([[0], *ends])])
        for plot in (self._loss_plot, self._error_plot, self._rate_plot):
            plot.last = last
        self._show_earlier(others)
        self._show_loss(state, [each["loss"][1] for each in others])
        self._show_error(state, [each["validation"][1] for each in others])
        if state.show_rate:
            self._show_rate(state)

    def _show_loss(self, state, others):
        steps, loss = _positive(*state.curve("loss", POINTS // 2))
        _set(self.loss, steps, loss)
        _set(self.smooth, *state.smooth("loss"))
        drawn = [loss, *others]
        for name, mark in self.parts.items():
            curve = state.smooth(name) if state.show_parts else (np.empty(0), np.empty(0))
            _set(mark, *curve)
            drawn.append(curve[1])
        values = np.concatenate(drawn)
        self._loss_plot.frame(*_decade_parts(values.min(initial=1), values.max(initial=1e-3)))
        parts = joined(_key(color, text) for text, color, _ in PARTS.values()) if state.show_parts else ""
        self._loss_plot.tell("per step, and smoothed" + self._others(state), parts)

    def _show_error(self, state, others):
        steps, error = state.curve("validation", POINTS)
        keep = np.isfinite(error)
        _set(self.error, steps[keep], error[keep])
        trained_steps, trained = state.curve("train_error", POINTS)
        trained_steps, trained = (each[np.isfinite(trained)] for each in (trained_steps, trained))
        _set(self.trained, trained_steps, trained)
        there = state.best_step >= 0
        _set(self.best, *(([state.best_step], [state.best_px]) if there else ([], [])))
        mean, low, high = state.human or (np.nan,) * 3
        across = [0, self._error_plot.last]
        known = state.human is not None
        _set(self.human, across if known else [], [mean, mean] if known else [])
        _set(self.band, [across] * 2 if known else [], [[low] * 2, [high] * 2] if known else [])
        values = np.concatenate([error[keep], trained, *(other[np.isfinite(other)] for other in others)])
        self._error_plot.frame(0, max(values.max(initial=1), high if known else 0) * 1.1)
        best = f"best {state.best_px:.2f} px at step {state.best_step}" if there else "mean in px; none yet"
        keys = _key(ERROR, "validation frames") + _key(TRAIN, "training frames") if len(trained) else ""
        self._error_plot.tell(best, keys + (_key(HUMAN, f"two people differ by {mean:.2f} px") if known else ""))

    def _show_rate(self, state):
        steps, rate = _positive(*state.curve("learning_rate", 400))
        _set(self.rate, steps, rate)
        self._rate_plot.frame(rate.min(initial=1e-2) * 0.8, rate.max(initial=1e-6) * 1.25)
        now = f"{state.learning_rate:.2g} now" if np.isfinite(state.learning_rate) else "none yet"
        self._rate_plot.tell(now)

    def _show_earlier(self, others):
        while len(self.earlier) < len(others):
            look = {"color": EARLIER[len(self.earlier)], "stroke_width": 1.2, "opacities": [0.9]}
            self.earlier.append((self._loss_plot.lines(**look), self._error_plot.lines(**look)))
        for n, marks in enumerate(self.earlier):
            for mark, name in zip(marks, ("loss", "validation"), strict=True):
                _set(mark, *(others[n][name] if n < len(others) else ([], [])))

    def _others(self, state):
        return joined(_key(c, name) for c, name in zip(EARLIER, state.earlier, strict=False))


class _Plot:
    """A figure with a heading, its scales and axes."""

    def __init__(self, title, scale):
        self.title, self.last = title, 1.0
        self.x, self.y = bqplot.LinearScale(min=0, max=1), scale
        upright = {"orientation": "vertical"} if "orientation" in bqplot.Axis.class_traits() else {"side": "left"}
        self.bottom = bqplot.Axis(scale=self.x, label="step", tick_format=",d", grid_lines="none")
        self.left = bqplot.Axis(scale=self.y, tick_format="~g", **upright)
        self.heading = Html(layout=ipywidgets.Layout(margin="0"))
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

    def tell(self, note, key=""):
        """Show a note, and what the colours mean, beside the title."""
        text = heading(self.title, note) + key
        if self.heading.value != text:
            self.heading.value = text

    def frame(self, low, high):
        """Show steps up to ``last`` and values from ``low`` to ``high``."""
        last = _ceiling(self.last)
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


def _key(color, text):
    """What a colour means."""
    dot = markup('<i class="dlcnb-swatch" style="background:{}; margin-left:10px"></i>', color)
    return markup('<span class="dlcnb-muted" style="white-space:nowrap">{}{}</span> ', dot, text)


def _ceiling(last):
    """The end of the axis: a little above ``last``, the same for a while, as each change is a message."""
    grain = 10.0 ** max(np.floor(np.log10(last)) - 1, 0)
    return float(np.ceil(last / grain - 1e-9) * grain) if last >= 100 else float(last)


def _decade_parts(low, high):
    """The range in tenths of a decade, a little larger than low..high."""
    return 10 ** (np.floor(10 * np.log10(low) - 0.4) / 10), 10 ** (np.ceil(10 * np.log10(high) + 0.4) / 10)


def _positive(steps, values):
    keep = values > 0  # NaN is left out too; a logarithmic axis has no zero
    return steps[keep], values[keep]


def _set(mark, x, y):
    x, y = np.asarray(x, np.float32), np.asarray(y, np.float32)
    if np.array_equal(x, mark.x) and np.array_equal(y, mark.y):
        return
    with mark.hold_sync():
        mark.x, mark.y = x, y
