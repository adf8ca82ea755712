"""The three live plots of an evaluation: errors per bodypart, PCK, and what the likelihood is worth."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import bqplot
import ipywidgets
import numpy as np

from dlcnb.geometry import animal_px
from dlcnb.widgets.base.axes import MARGIN, Plot, key_text, log_ticks, set_ends, set_mark, set_ticks

if TYPE_CHECKING:
    from dlcnb.widgets.evaluation.state import EvaluationState

__all__ = ["EvaluationPlots"]

TRAIN, TEST, SURE, HUMAN = "#8c8c8c", "#2f87d0", "#d55e00", "#0f9d74"  # readable on black and white
CHOSEN = "#cc2f7b"
SMALLEST = 0.1  # px; smaller errors are drawn there, as a logarithmic axis has no zero
ANIMALS = 4.0  # sizes of the animal that PCK is drawn for, at most
CROWDED = 40  # letters on the axis of bodyparts, beyond which the names stand aslant
MOST = 26  # names on it; beyond it every second, third, ... is there
LONGEST = 14  # letters of a name there
NOTHING = np.empty(0), np.empty(0)
EMPTY = "Nothing is evaluated yet."


class EvaluationPlots:
    """The plots of an `EvaluationState`.

    Parameters
    ----------
    chosen : callable
        Called with (row, k) of a point of the error plot that is clicked.

    Attributes
    ----------
    errors_box : the plot of errors.
    details_box : PCK and calibration, side by side, or below each other where the page is narrow.
    """

    def __init__(self, chosen: Callable[[int, int], object]) -> None:
        self._chosen = chosen
        self._rows = {TRAIN: np.empty((0, 2), int), TEST: np.empty((0, 2), int)}
        self._build_errors()
        self._build_pck()
        self._build_calibration()
        self._plots = (self._errors, self._pck, self._calibration)
        self.errors_box = self._errors.box
        self.details_box = ipywidgets.GridBox([plot.box for plot in self._plots[1:]])
        self.details_box.layout.width = "100%"
        self.details_box.add_class("dlcnb-plots")

    # --- what they are made of ---

    def _build_errors(self) -> None:
        plot = self._errors = Plot("errors", y=bqplot.LogScale(min=SMALLEST, max=10.0), labels=("", "px"), height=200)
        self.human_level = plot.lines([HUMAN], stroke_width=1.6, line_style="dashed")
        self.bars = {color: plot.lines([color], stroke_width=4) for color in (TRAIN, TEST)}
        self.dots: dict[str, Any] = {}  # on top, to be clicked
        for color in (TRAIN, TEST):
            self.dots[color] = plot.dots(color, default_size=22, opacities=[0.65], stroke_width=0)
            self.dots[color].interactions = {"click": "select"}
            self.dots[color].selected_style = self.dots[color].unselected_style = {}
            self.dots[color].on_element_click(lambda _, event, c=color: self._on_dot(c, event["data"]["index"]))
        self.ring = plot.dots(CHOSEN, marker="circle", default_size=130, fill=False, stroke=CHOSEN, stroke_width=2.5)

    def _build_pck(self) -> None:
        plot = self._pck = Plot("PCK", labels=("distance from the label, px", ""), formats=("~g", ".0%"), height=240)
        self.band = plot.lines([TEST], fill="between", fill_colors=[TEST], fill_opacities=[0.18], opacities=[0])
        self.curves = {
            name: plot.lines([color], stroke_width=2, line_style=style)
            for name, color, style in (
                ("train", TRAIN, "solid"), ("test", TEST, "solid"), ("sure", SURE, "dashed"), ("human", HUMAN, "dotted")
            )
        }  # fmt: skip

    def _build_calibration(self) -> None:
        plot = self._calibration = Plot("calibration", labels=("likelihood", ""), formats=("~g", ".0%"), height=240)
        self.diagonal = plot.lines([TRAIN], stroke_width=1)
        self.cutoff = plot.lines([SURE], stroke_width=2, line_style="dashed")
        self.intervals = plot.lines([TEST], stroke_width=1.5)
        size = {"size": bqplot.LinearScale(min=0, max=1)}
        self.bins = plot.dots(TEST, default_size=260, scales=size, stroke_width=0)

    def _on_dot(self, color: str, index: int) -> None:
        if 0 <= index < len(self._rows[color]):
            row, k = self._rows[color][index]
            self._chosen(int(row), int(k))

    # --- showing ---

    def show(self, state: EvaluationState) -> None:
        """Draw everything about an `EvaluationState`."""
        self._show_errors(state)
        self._show_pck(state)
        self.show_cutoff(state)
        self.show_image(state)
        for plot in self._plots:  # last: names that reach a page while it makes an axis are lost
            plot.say_empty("" if state.evaluation is not None else EMPTY)

    def show_cutoff(self, state: EvaluationState) -> None:
        """Draw what depends on the cutoff."""
        self._show_calibration(state)
        curve = state.pck().get("sure")
        set_mark(self.curves["sure"], *((curve.thresholds_px, curve.share) if curve else NOTHING))

    def show_image(self, state: EvaluationState) -> None:
        """Mark the points of the image shown."""
        row, evaluation = state.row, state.evaluation
        if row < 0 or evaluation is None:
            set_mark(self.ring, [], [])
            return
        errors, shift = evaluation.errors[row], 0.2 if evaluation.is_test[row] else -0.2
        there = [k for k in state.columns if np.isfinite(errors[k])]
        x = [k + shift + _jitter(row, k) for k in there]
        set_mark(self.ring, x, np.maximum(errors[there], SMALLEST))

    def _show_errors(self, state: EvaluationState) -> None:
        plot, parts = self._errors, state.bodyparts
        row, k, error = state.points()
        test = np.zeros(0, bool) if state.evaluation is None else state.evaluation.is_test[row]
        dim = np.array([part not in (state.bodypart or part, "") for part in parts], bool)
        for color, shift, mine in ((TRAIN, -0.2, ~test), (TEST, 0.2, test)):
            self._rows[color] = np.stack([row[mine], k[mine]], axis=1)
            x = [n + shift + _jitter(r, n) for r, n in self._rows[color]]
            with self.dots[color].hold_sync():
                self.dots[color].opacities = [0.15 if dim[n] else 0.65 for n in k[mine]] or [0.65]
                set_mark(self.dots[color], x, np.maximum(error[mine], SMALLEST))
        means = state.means() if parts else (np.empty(0), np.empty(0))
        for color, shift, values in zip((TRAIN, TEST), (-0.2, 0.2), means, strict=True):
            there = np.flatnonzero(np.isfinite(values))
            ends = [[n + shift - 0.16, n + shift + 0.16] for n in there]
            set_mark(self.bars[color], ends, [[max(values[n], SMALLEST)] * 2 for n in there])
        human = state.human_distances()
        level = float(np.nanmean(human)) if human is not None and np.isfinite(human).any() else np.nan
        wide = [-0.5, len(parts) - 0.5]
        set_mark(self.human_level, *((wide, [level, level]) if np.isfinite(level) else ([], [])))
        low, high = max(error.min(initial=SMALLEST), SMALLEST) * 0.8, max(error.max(initial=1.0), 2.0) * 1.3
        set_ends(plot.x, *(wide if parts else (0, 1)))
        set_ends(plot.y, low, high)
        set_ticks(plot.left, log_ticks(low, high))
        _name_bodyparts(plot, parts)
        plot.tell(key=key_text({"train": TRAIN, "test": TEST} | ({"human": HUMAN} if np.isfinite(level) else {})))

    def _show_pck(self, state: EvaluationState) -> None:
        found = state.pck()
        for name in ("train", "test", "human"):
            curve = found.get(name)
            set_mark(self.curves[name], *((curve.thresholds_px, curve.share) if curve else NOTHING))
        band = found.get("test")
        if band is not None and np.isfinite(band.low).all():
            set_mark(self.band, np.stack([band.thresholds_px] * 2), np.stack([band.low, band.high]))
        else:
            set_mark(self.band, [], [])
        last = next(iter(found.values())).thresholds_px[-1] if found else 1
        size = np.nan if state.evaluation is None else animal_px(state.evaluation.labels)
        last = min(last, max(ANIMALS * size, 20)) if np.isfinite(size) else last
        self._pck.frame((0, last), (0, 1.02))
        colors = {"train": TRAIN, "test": TEST, "sure": SURE, "human": HUMAN}
        names = {"sure": "test ≥ pcutoff"}
        self._pck.tell(key=key_text({names.get(n, n): c for n, c in colors.items() if n in found}))

    def _show_calibration(self, state: EvaluationState) -> None:
        found = state.calibration()
        self._calibration.frame((0, 1), (0, 1.02))
        set_mark(self.diagonal, [0, 1], [0, 1])
        if found is None:
            for mark in (self.bins, self.cutoff, self.intervals):
                set_mark(mark, [], [])
            return
        set_mark(self.cutoff, [state.pcutoff] * 2, [0, 1])
        filled = found.n > 0
        x, y = found.mean_likelihood[filled], found.share_right[filled]
        with self.bins.hold_sync():
            self.bins.size = np.sqrt(found.n[filled] / max(found.n.max(initial=1), 1)).astype(np.float32) * 0.9 + 0.1
            set_mark(self.bins, x, y)
        set_mark(self.intervals, np.stack([x, x], 1), np.stack([found.low[filled], found.high[filled]], 1))
        self._calibration.tell(f"share of points within {state.epsilon_px:g} px")


def _name_bodyparts(plot: Plot, parts: Sequence[str]) -> None:
    """Names, not numbers, on the lower axis: aslant where there are many, every second, third ... beyond `MOST`."""
    every = max(-(-len(parts) // MOST), 1)
    shown = range(0, len(parts), every)
    names = [name if len(name) <= LONGEST else f"{name[: LONGEST - 1]}…" for name in parts]
    aslant = sum(len(names[k]) + 1 for k in shown) > CROWDED
    longest = max((len(names[k]) for k in shown), default=0)
    with plot.bottom.hold_sync():
        plot.bottom.tick_rotate = -45 if aslant else 0
        plot.bottom.tick_style = {"text-anchor": "end" if aslant else "middle"}
        set_ticks(plot.bottom, list(shown), [names[k] for k in shown])
    margin = {**MARGIN, "bottom": max(MARGIN["bottom"], round(5 * longest) + 18) if aslant else MARGIN["bottom"]}
    plot.surround(margin)


def _jitter(row: int, k: int) -> float:
    """Sideways shift of a point, always the same for the same point, -0.14..0.14."""
    return 0.28 * ((row * 0.6180339887 + k * 0.37) % 1.0 - 0.5)
