"""The live plots of a training run: losses and learning rate on logarithmic axes, errors in px, the snapshot taken."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import bqplot
import ipywidgets
import numpy as np
from numpy.typing import NDArray

from dlcnb.widgets.base.axes import Plot, key_text, set_mark
from dlcnb.widgets.base.html import markup, swatch
from dlcnb.widgets.training.state import Curve

if TYPE_CHECKING:
    from dlcnb.widgets.training.state import TrainingState

__all__ = ["EARLIER", "TrainingCurves"]

LOSS, ERROR, BEST = "#2f87d0", "#0f9d74", "#D55E00"  # told apart by the colour-blind, readable on black and white
HUMAN = "#CC79A7"
TRAIN = LOSS  # error on training frames
PARTS = {  # curve -> words, colour, style
    "part_loss": ("score-maps", "#E69F00", "solid"),
    "locref_loss": ("location refinement", "#CC79A7", "dashed"),
}
EARLIER = ("#8c8c8c", "#56B4E9", "#b2912f", "#9c6ade", "#d98880")  # of the runs beside this one, so many at most
POINTS = 2000
SOON = {  # what is said in place of a plot without data, while the run goes on and when no step was trained
    "loss": ("The loss of each step appears here once the network has been started.", "No step was trained yet."),
    "error": (
        "The error on validation frames appears here with the first validation.",
        "No validation yet: the error in px on frames that are not trained on appears here.",
    ),
}
NEVER = "Nothing was validated: too few frames were labeled to hold some back, or the training was too short."


class TrainingCurves(ipywidgets.GridBox):
    """bqplot figures side by side, or one above the other where the page is narrow: loss, error, learning rate."""

    def __init__(self) -> None:
        steps: dict[str, Any] = {"labels": ("step", ""), "formats": (",d", "~g")}
        self._loss_plot = Plot("loss", y=bqplot.LogScale(min=1e-3, max=1.0), **steps)
        self._error_plot = Plot("error in px", **steps)
        self._rate_plot = Plot("learning rate", y=bqplot.LogScale(min=1e-4, max=1.0), **steps)
        self._last, self._with_rate = 1.0, False
        self.loss = self._loss_plot.lines([LOSS], opacities=[0.35], stroke_width=1)
        self.smooth = self._loss_plot.lines([LOSS], stroke_width=2.2)
        self.parts = {
            name: self._loss_plot.lines([color], stroke_width=1.8, line_style=style)
            for name, (_, color, style) in PARTS.items()
        }
        error = self._error_plot
        self.band = error.lines([HUMAN], fill="between", fill_colors=[HUMAN], fill_opacities=[0.25], opacities=[0])
        self.human = error.lines([HUMAN], stroke_width=1.6, line_style="dashed")
        self.error = error.lines([ERROR], marker="circle", marker_size=28, stroke_width=2)
        self.trained = error.lines([TRAIN], stroke_width=1.6, line_style="dashed")
        self.best = error.dots(BEST, marker="diamond", default_size=150, stroke="white")
        self.rate = self._rate_plot.lines([LOSS], stroke_width=2)
        self.earlier: list[tuple[Any, Any]] = []  # (loss, error) of each earlier run; they stay for later use
        super().__init__(self._boxes(False), layout=ipywidgets.Layout(width="100%"))
        self.add_class("dlcnb-plots")
        self.add_class("dlcnb-in-line")

    def _boxes(self, rate: bool) -> list[ipywidgets.Widget]:
        plots = [self._loss_plot, self._error_plot, *([self._rate_plot] if rate else [])]
        return [plot.box for plot in plots]

    def show(self, state: TrainingState) -> None:
        """Draw the curves of a `TrainingState`; each is one message to the browser, if it has changed."""
        if state.show_rate != self._with_rate:
            self._with_rate, self.children = state.show_rate, self._boxes(state.show_rate)
        others = list(state.earlier.values())[: len(EARLIER)]
        ends = [each[name][0][-1:] for each in others for name in each]
        self._last = _ceiling(max([state.step, 1, *np.concatenate([[0], *ends])]))
        self._show_earlier(others)
        self._show_loss(state, [each["loss"][1] for each in others])
        self._show_error(state, [each["validation"][1] for each in others])
        if state.show_rate:
            self._show_rate(state)

    def _show_loss(self, state: TrainingState, others: list[NDArray[np.float64]]) -> None:
        steps, loss = _positive(*state.curve("loss", POINTS // 2))
        set_mark(self.loss, steps, loss)
        set_mark(self.smooth, *state.smooth("loss"))
        drawn = [loss, *others]
        for name, mark in self.parts.items():
            curve = state.smooth(name) if state.show_parts else (np.empty(0), np.empty(0))
            set_mark(mark, *curve)
            drawn.append(curve[1])
        values = np.concatenate(drawn)
        self._frame(self._loss_plot, *_decade_parts(values.min(initial=1), values.max(initial=1e-3)))
        beside = dict(zip(state.earlier, EARLIER, strict=False))
        parts = {text: color for text, color, _ in PARTS.values()} if state.show_parts else {}
        self._loss_plot.tell("per step, and smoothed", key_text({**beside, **parts}))
        self._loss_plot.say_empty("" if len(values) else SOON["loss"][not state.active])

    def _show_error(self, state: TrainingState, others: list[NDArray[np.float64]]) -> None:
        (steps, error), (trained_steps, trained) = (
            _known(*state.curve(n, POINTS)) for n in ("validation", "train_error")
        )
        set_mark(self.error, steps, error)
        set_mark(self.trained, trained_steps, trained)
        taken = state.taken
        set_mark(self.best, *(([taken.step], [taken.px]) if taken else ([], [])))
        key = {"validation frames": ERROR, "training frames": TRAIN} if len(trained) else {}
        top = 1.0
        if state.human is None:
            set_mark(self.human, [], [])
            set_mark(self.band, [], [])
        else:
            mean, low, top = state.human
            across = [0, self._last]
            set_mark(self.human, across, [mean, mean])
            set_mark(self.band, [across] * 2, [[low] * 2, [top] * 2])
            key[f"two people differ by {mean:.2f} px"] = HUMAN
        values = np.concatenate([error, trained, *(other[np.isfinite(other)] for other in others)])
        self._frame(self._error_plot, 0, max(values.max(initial=1), top) * 1.1)
        mark = markup("{}{}", swatch(BEST, "dlcnb-swatch-diamond"), taken)
        self._error_plot.tell(mark if taken else "mean over the frames", key_text(key))
        ended = state.step > 0 and not state.active
        self._error_plot.say_empty("" if len(values) else NEVER if ended else SOON["error"][not state.active])

    def _show_rate(self, state: TrainingState) -> None:
        steps, rate = _positive(*state.curve("learning_rate", 400))
        set_mark(self.rate, steps, rate)
        self._frame(self._rate_plot, rate.min(initial=1e-2) * 0.8, rate.max(initial=1e-6) * 1.25)
        self._rate_plot.tell(f"{state.learning_rate:.2g} now" if np.isfinite(state.learning_rate) else "")
        self._rate_plot.say_empty("" if len(rate) else SOON["loss"][not state.active])

    def _show_earlier(self, others: Sequence[Mapping[str, Curve]]) -> None:
        while len(self.earlier) < len(others):
            color = EARLIER[len(self.earlier)]
            loss, error = (
                plot.lines([color], stroke_width=1.2, opacities=[0.9]) for plot in (self._loss_plot, self._error_plot)
            )
            self.earlier.append((loss, error))
        nothing = np.empty(0), np.empty(0)
        for n, marks in enumerate(self.earlier):
            for mark, name in zip(marks, ("loss", "validation"), strict=True):
                set_mark(mark, *(others[n][name] if n < len(others) else nothing))

    def _frame(self, plot: Plot, low: float, high: float) -> None:
        """Show all steps, and values from ``low`` to ``high``."""
        plot.frame((0, self._last), (low, max(high, low * 1.01 + 1e-9)))


def _ceiling(last: float) -> float:
    """The end of the axis: a little above ``last``, the same for a while, as each change is a message."""
    grain = 10.0 ** max(np.floor(np.log10(last)) - 1, 0)
    return float(np.ceil(last / grain - 1e-9) * grain) if last >= 100 else float(last)


def _decade_parts(low: float, high: float) -> tuple[float, float]:
    """The range in tenths of a decade, a little larger than low..high."""
    return 10 ** (np.floor(10 * np.log10(low) - 0.4) / 10), 10 ** (np.ceil(10 * np.log10(high) + 0.4) / 10)


def _positive(steps: NDArray[np.float64], values: NDArray[np.float64]) -> Curve:
    keep = values > 0  # NaN is left out too; a logarithmic axis has no zero
    return steps[keep], values[keep]


def _known(steps: NDArray[np.float64], values: NDArray[np.float64]) -> Curve:
    keep = np.isfinite(values)
    return steps[keep], values[keep]
