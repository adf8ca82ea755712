"""The three live plots of an evaluation: errors per bodypart, PCK, and what the likelihood is worth."""

from __future__ import annotations

import bqplot
import ipywidgets
import numpy as np

from dlcnb.widgets.base.html import Html, heading, legend, markup
from dlcnb.widgets.training.curves import log_ticks, ticks

__all__ = ["EvaluationPlots"]

TRAIN, TEST, SURE, HUMAN = "#8c8c8c", "#2f87d0", "#d55e00", "#0f9d74"  # readable on black and white
CHOSEN = "#cc2f7b"
HEIGHT = "240px"
MARGIN = {"top": 10, "bottom": 46, "left": 52, "right": 14}
SMALLEST = 0.1  # px; smaller errors are drawn there, as a logarithmic axis has no zero


class EvaluationPlots(ipywidgets.GridBox):
    """Side by side, or below each other where the page is narrow.

    Parameters
    ----------
    chosen : callable
        Called with (row, k) of a point of the error plot that is clicked.
    """

    def __init__(self, chosen):
        self._chosen = chosen
        self._rows = {TRAIN: np.empty((0, 2), int), TEST: np.empty((0, 2), int)}
        self._build_errors()
        self._build_pck()
        self._build_calibration()
        boxes = [plot.box for plot in (self._errors, self._pck, self._calibration)]
        super().__init__(boxes, layout=ipywidgets.Layout(width="100%"))
        self.add_class("dlcnb-plots")

    # --- what they are made of ---

    def _build_errors(self):
        plot = self._errors = _Plot("errors", bqplot.LogScale(), "", "px")
        self.human_level = plot.lines([HUMAN], stroke_width=1.6, line_style="dashed")
        self.bars = {color: plot.lines([color], stroke_width=4) for color in (TRAIN, TEST)}
        self.dots = {}  # on top, to be clicked
        for color in (TRAIN, TEST):
            self.dots[color] = plot.dots(color, default_size=22, opacities=[0.65], stroke_width=0)
            self.dots[color].interactions = {"click": "select"}
            self.dots[color].selected_style = self.dots[color].unselected_style = {}
            self.dots[color].on_element_click(lambda _, event, c=color: self._on_dot(c, event["data"]["index"]))
        self.ring = plot.dots(CHOSEN, marker="circle", default_size=130, fill=False, stroke=CHOSEN, stroke_width=2.5)

    def _build_pck(self):
        plot = self._pck = _Plot("PCK", bqplot.LinearScale(), "distance from the label, px", ".0%")
        self.band = plot.lines([TEST], fill="between", fill_colors=[TEST], fill_opacities=[0.18], opacities=[0])
        self.curves = {
            name: plot.lines([color], stroke_width=2, line_style=style)
            for name, color, style in (
                ("train", TRAIN, "solid"), ("test", TEST, "solid"), ("sure", SURE, "dashed"), ("human", HUMAN, "dotted")
            )
        }  # fmt: skip

    def _build_calibration(self):
        plot = self._calibration = _Plot("calibration", bqplot.LinearScale(), "likelihood", ".0%")
        self.diagonal = plot.lines([TRAIN], stroke_width=1)
        self.cutoff = plot.lines([SURE], stroke_width=2, line_style="dashed")
        self.intervals = plot.lines([TEST], stroke_width=1.5)
        size = {"size": bqplot.LinearScale(min=0, max=1)}
        self.bins = plot.dots(TEST, default_size=260, scales=size, stroke_width=0)

    def _on_dot(self, color, index):
        if 0 <= index < len(self._rows[color]):
            row, k = self._rows[color][index]
            self._chosen(int(row), int(k))

    # --- showing ---

    def show(self, state):
        """Draw everything about an `EvaluationState`."""
        self._show_errors(state)
        self._show_pck(state)
        self.show_cutoff(state)
        self.show_image(state)

    def show_cutoff(self, state):
        """Draw what depends on the cutoff."""
        self._show_calibration(state)
        curve = state.pck().get("sure")
        _set(self.curves["sure"], *((curve.thresholds_px, curve.share) if curve else ([], [])))

    def show_image(self, state):
        """Mark the points of the image shown."""
        row = state.row
        if row < 0:
            _set(self.ring, [], [])
            return
        errors, shift = state.evaluation.errors[row], 0.2 if state.evaluation.is_test[row] else -0.2
        there = np.flatnonzero(np.isfinite(errors))
        there = [k for k in there if k in state.columns]
        x = [k + shift + _jitter(row, k) for k in there]
        _set(self.ring, x, np.maximum(errors[there], SMALLEST))

    def _show_errors(self, state):
        plot, parts = self._errors, state.bodyparts
        row, k, error = state.points()
        test = state.evaluation.is_test[row] if len(row) else np.zeros(0, bool)
        dim = np.array([part not in (state.bodypart or part, "") for part in parts], bool)
        for color, shift, mine in ((TRAIN, -0.2, ~test), (TEST, 0.2, test)):
            self._rows[color] = np.stack([row[mine], k[mine]], axis=1)
            x = [n + shift + _jitter(r, n) for r, n in self._rows[color]]
            with self.dots[color].hold_sync():
                self.dots[color].opacities = [0.15 if dim[n] else 0.65 for n in k[mine]] or [0.65]
                _set(self.dots[color], x, np.maximum(error[mine], SMALLEST))
        means = state.means() if parts else (np.empty(0), np.empty(0))
        for color, shift, values in zip((TRAIN, TEST), (-0.2, 0.2), means, strict=True):
            there = np.flatnonzero(np.isfinite(values))
            ends = [[n + shift - 0.16, n + shift + 0.16] for n in there]
            _set(self.bars[color], ends, [[max(values[n], SMALLEST)] * 2 for n in there])
        human = state.human_distances()
        level = float(np.nanmean(human)) if human is not None and np.isfinite(human).any() else np.nan
        wide = [-0.5, len(parts) - 0.5]
        _set(self.human_level, *((wide, [level, level]) if np.isfinite(level) else ([], [])))
        largest = max(error.max(initial=1.0), 2.0)
        plot.frame(wide if parts else (0, 1), (max(error.min(initial=SMALLEST), SMALLEST) * 0.8, largest * 1.3))
        plot.bottom.tick_values, plot.bottom.tick_labels = _names(parts)
        plot.tell(_legend({"train": TRAIN, "test": TEST} | ({"human": HUMAN} if np.isfinite(level) else {})))

    def _show_pck(self, state):
        found = state.pck()
        for name in ("train", "test", "human"):
            curve = found.get(name)
            _set(self.curves[name], *((curve.thresholds_px, curve.share) if curve else ([], [])))
        band = found.get("test")
        known = band is not None and np.isfinite(band.low).all()
        edges = (np.stack([band.thresholds_px] * 2), np.stack([band.low, band.high])) if known else ([], [])
        _set(self.band, *edges)
        last = next(iter(found.values())).thresholds_px[-1] if found else 1
        self._pck.frame((0, last), (0, 1.02))
        colors = {"train": TRAIN, "test": TEST, "sure": SURE, "human": HUMAN}
        names = {"sure": "test ≥ pcutoff"}
        self._pck.tell(_legend({names.get(n, n): c for n, c in colors.items() if n in found}))

    def _show_calibration(self, state):
        found = state.calibration()
        self._calibration.frame((0, 1), (0, 1.02))
        _set(self.diagonal, [0, 1], [0, 1])
        if found is None:
            for mark in (self.bins, self.cutoff, self.intervals):
                _set(mark, [], [])
            return
        _set(self.cutoff, [state.pcutoff] * 2, [0, 1])
        filled = found.n > 0
        x, y = found.mean_likelihood[filled], found.share_right[filled]
        with self.bins.hold_sync():
            self.bins.size = np.sqrt(found.n[filled] / max(found.n.max(initial=1), 1)).astype(np.float32) * 0.9 + 0.1
            _set(self.bins, x, y)
        _set(self.intervals, np.stack([x, x], 1), np.stack([found.low[filled], found.high[filled]], 1))
        self._calibration.tell(f"share of points within {state.epsilon_px:g} px")


class _Plot:
    """A figure with a heading, its scales and axes."""

    def __init__(self, title, y_scale, x_label, unit):
        self.title = title
        self.x, self.y = bqplot.LinearScale(min=0, max=1), y_scale
        upright = {"orientation": "vertical"} if "orientation" in bqplot.Axis.class_traits() else {"side": "left"}
        self.bottom = bqplot.Axis(
            scale=self.x, label=x_label, label_offset="2.6em", tick_format="~g", grid_lines="none"
        )
        share = unit == ".0%"
        self.left = bqplot.Axis(
            scale=self.y, tick_format=unit if share else "~g", label="" if share else unit, **upright
        )
        self.heading = Html(layout=ipywidgets.Layout(margin="0"))
        self.figure = bqplot.Figure(
            axes=[self.bottom, self.left],
            animation_duration=0,
            fig_margin=MARGIN,
            layout=ipywidgets.Layout(width="100%", height=HEIGHT, min_width="0"),
            padding_x=0,
            padding_y=0,
        )
        self.box = ipywidgets.VBox([self.heading, self.figure], layout=ipywidgets.Layout(min_width="0"))

    def lines(self, colors, **more):
        """Add a curve."""
        return self._add(bqplot.Lines(x=[], y=[], scales={"x": self.x, "y": self.y}, colors=colors, **more))

    def dots(self, color, *, scales=None, **more):
        """Add single marks."""
        scales = {"x": self.x, "y": self.y, **(scales or {})}
        return self._add(bqplot.Scatter(x=[], y=[], scales=scales, colors=[color], **more))

    def tell(self, note):
        """Show a note beside the title."""
        self.heading.value = heading(self.title, note)

    def frame(self, x_ends, y_ends):
        """Show these ranges."""
        marks = log_ticks(*y_ends) if isinstance(self.y, bqplot.LogScale) else ticks(0, 1)
        sides = ((self.x, self.bottom, x_ends, ticks(*x_ends)), (self.y, self.left, y_ends, marks))
        for scale, axis, (low, high), values in sides:
            if (scale.min, scale.max) != (float(low), float(high)):
                with scale.hold_sync():
                    scale.min, scale.max = float(low), float(high)
            if not np.array_equal(axis.tick_values, values):
                axis.tick_values = values

    def _add(self, mark):
        self.figure.marks = [*self.figure.marks, mark]
        return mark


def _names(parts):
    """Ticks of the axis of bodyparts: places, and names (every second, third ... where there are many)."""
    every = max(-(-sum(map(len, parts)) // 44), 1) if parts else 1
    shown = range(0, len(parts), every)
    return np.array(list(shown), float), {f"{k:g}": parts[k] for k in shown}


def _legend(colors):
    return markup('<span class="dlcnb-legend">{}</span>', legend((color, name) for name, color in colors.items()))


def _jitter(row, k):
    """Sideways shift of a point, always the same for the same point, -0.14..0.14."""
    return 0.28 * ((row * 0.6180339887 + k * 0.37) % 1.0 - 0.5)


def _set(mark, x, y):
    x, y = np.asarray(x, np.float32), np.asarray(y, np.float32)
    if np.array_equal(x, mark.x) and np.array_equal(y, mark.y):
        return
    with mark.hold_sync():
        mark.x, mark.y = x, y
