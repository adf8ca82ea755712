"""The live plots of TrajectoryView: series over time in one or two columns, the plane with its trail, histograms."""

from __future__ import annotations

import bqplot
import ipywidgets
import numpy as np

from dlcnb.render import palette
from dlcnb.widgets.base.html import Html, heading
from dlcnb.widgets.base.plot_input import name_plot
from dlcnb.widgets.training.curves import log_ticks, ticks
from dlcnb.widgets.trajectories.state import KINDS

__all__ = ["TrajectoryPlots", "hex_colors"]

NOW, GREY = "#cc2f7b", "#8c8c8c"
UNITS = {"x": "x (px)", "y": "y (px)", "likelihood": "likelihood", "speed": "speed (px/s)"}
MARGIN = {"top": 6, "bottom": 22, "left": 58, "right": 10}
PLANE_MARGIN = {"top": 8, "bottom": 40, "left": 58, "right": 12}
FAINT = 0.35


def hex_colors(count):
    """The bodyparts' colours as text, the same as in all pictures; black becomes a grey seen on black as well."""
    return ["#808080" if (r, g, b) == (0, 0, 0) else f"#{r:02x}{g:02x}{b:02x}" for r, g, b in palette(count).tolist()]


class TrajectoryPlots:
    """All plots of a `TrajectoryState`; ``time_box`` and ``plane_box`` go into the page.

    Names of the plots, as `PlotInput` tells them: ``x-0`` (the first column), ``x-1`` (the second, filtered), and so
    on for each of ``KINDS``; ``plane``, ``step-0`` (x), ``step-1`` (y).
    """

    def __init__(self, state):
        self.state = state
        self.colors = hex_colors(len(state.poses.bodyparts))
        self.x = bqplot.LinearScale(min=0.0, max=1.0)
        self.marker = bqplot.Lines(  # in all plots over time: one message moves all of them
            x=[0, 0], y=[0, 1], scales={"x": self.x, "y": bqplot.LinearScale(min=0, max=1)}, colors=[NOW],
            stroke_width=1.5,
        )  # fmt: skip
        self.over_time = {}
        self._second = None
        self.time_box = ipywidgets.HBox([self._column(0)], layout=ipywidgets.Layout(width="100%", min_width="0"))
        self.plane = _Plane(self.colors)
        self.steps = tuple(_Steps(axis, self.colors) for axis in range(2))
        self.plane_box = ipywidgets.GridBox([self.plane.box, *(plot.box for plot in self.steps)])
        self.plane_box.layout.width = "100%"
        self.plane_box.add_class("dlcnb-plots")

    def _column(self, column):
        made = []
        for kind in KINDS:
            plot = _OverTime(kind, self.x, self.marker, last=kind == KINDS[-1])
            name_plot(plot.figure, f"{kind}-{column}", over_time=True)
            self.over_time[f"{kind}-{column}"] = plot
            made.append(plot.figure)
        title = Html(layout=ipywidgets.Layout(margin="0", height="20px"))
        return ipywidgets.VBox([title, *made], layout=ipywidgets.Layout(flex="1 1 0", min_width="0", width="100%"))

    def _arrange(self, beside):
        """One column or two; the second is made when it is first wanted, as a page of many plots is slow to open."""
        if beside and self._second is None:
            self._second = self._column(1)
        columns = (self.time_box.children[0], *([self._second] if beside else []))
        if self.time_box.children != columns:
            self.time_box.children = columns

    def sources(self, column):
        """What a column of plots draws, of (False: raw, True: filtered)."""
        if self.state.show != "side by side":
            return self.state.sources if column == 0 else ()
        return (bool(column),)

    # --- showing ---

    def show(self):
        """Draw everything."""
        state = self.state
        _ends(self.x, state.start, max(state.stop - 1, state.start + 1))
        beside = state.show == "side by side"
        self._arrange(beside)
        for column in range(1 + beside):
            self.time_box.children[column].children[0].value = self._heading(column)
        where, names = self._time_ticks()
        for kind in KINDS:
            shown = [self.over_time[f"{kind}-{column}"] for column in range(1 + beside)]
            lines = [self._lines(kind, self.sources(column)) for column in range(1 + beside)]
            ends = _range(kind, lines)
            for plot, found in zip(shown, lines, strict=True):
                plot.show(found, ends, where, names, state.pcutoff)
        self.plane.show(state)
        for plot in self.steps:
            plot.show(state)
        self.show_frame()

    def show_frame(self):
        """Draw what depends on the frame only."""
        frame = float(self.state.frame)
        inside = self.state.start <= frame < self.state.stop
        _set(self.marker, *(([frame, frame], [0, 1]) if inside else ([], [])))
        self.plane.show_trail(self.state)

    def _lines(self, kind, sources):
        """[(frames, values, colour, opacity, width)] of a plot."""
        found = []
        for filtered in sources:
            under = len(sources) > 1 and not filtered
            for k in self.state.columns:
                line = self.state.line(kind, k, filtered)
                found.append((*line, self.colors[k], FAINT if under else 1.0))
        return found

    def _heading(self, column):
        sources = self.sources(column)
        words = {(False,): "raw", (True,): self.state.method, (False, True): f"raw (pale) and {self.state.method}"}
        return heading(words[sources], "over time")

    def _time_ticks(self):
        """Frames of the ticks, and their names."""
        state = self.state
        if state.unit == "frames":
            where = np.unique(ticks(state.start, state.stop - 1, 6).astype(int))
            return where, [f"{n:d}" for n in where]
        times = state.times - state.times[0]
        marks = ticks(times[state.start], times[state.stop - 1], 6)
        places = np.interp(marks, times[state.start : state.stop], np.arange(state.start, state.stop))
        return places, [f"{mark + 0.0:.10g} s" for mark in marks]


class _OverTime:
    """One series of all bodyparts over time."""

    def __init__(self, kind, x, marker, last):
        self.kind, self.x = kind, x
        self.y = bqplot.LinearScale(min=0.0, max=1.0, reverse=kind == "y")  # up in the plot is up in the image
        scales = {"x": x, "y": self.y}
        self.lines = bqplot.Lines(x=[], y=[], scales=scales, stroke_width=1.2)
        self.level = bqplot.Lines(x=[], y=[], scales=scales, colors=[GREY], stroke_width=1, line_style="dashed")
        self.bottom = bqplot.Axis(scale=x, grid_lines="none", num_ticks=6)
        self.left = bqplot.Axis(scale=self.y, label=UNITS[kind], label_offset="42px", tick_format="~g", **_upright())
        self.figure = bqplot.Figure(
            marks=[self.level, self.lines, marker],
            axes=[self.bottom, self.left],
            animation_duration=0,
            display_toolbar=False,
            fig_margin=MARGIN,
            layout=ipywidgets.Layout(width="100%", height="132px", min_width="0"),
            padding_x=0,
            padding_y=0,
        )

    def show(self, lines, ends, where, names, pcutoff):
        """Draw these lines with this range and these ticks."""
        _ends(self.y, *ends)
        _tick(self.left, ticks(*ends, 3))
        _tick(self.bottom, where, names)
        if self.kind == "likelihood":
            _set(self.level, [self.x.min, self.x.max], [pcutoff, pcutoff])
        _set_lines(self.lines, lines)


class _Plane:
    """Where the bodyparts were, in the plane, with past and future of the frame."""

    def __init__(self, colors):
        self.colors = colors
        self.x, self.y = bqplot.LinearScale(min=0.0, max=1.0), bqplot.LinearScale(min=0.0, max=1.0, reverse=True)
        scales = {"x": self.x, "y": self.y}
        self.paths = bqplot.Lines(x=[], y=[], scales=scales, stroke_width=0.8)
        self.past = bqplot.Lines(x=[], y=[], scales=scales, stroke_width=3)
        self.future = bqplot.Lines(x=[], y=[], scales=scales, stroke_width=2, line_style="dotted")
        self.now = bqplot.Scatter(x=[], y=[], scales=scales, default_size=90, stroke="black", stroke_width=1)
        self.bottom = bqplot.Axis(scale=self.x, label="x (px)", label_offset="30px", tick_format="~g")
        self.left = bqplot.Axis(scale=self.y, label="y (px)", label_offset="42px", tick_format="~g", **_upright())
        for axis in (self.bottom, self.left):
            axis.grid_lines = "none"
        self.figure = bqplot.Figure(
            marks=[self.paths, self.future, self.past, self.now],
            axes=[self.bottom, self.left],
            animation_duration=0,
            display_toolbar=False,
            fig_margin=PLANE_MARGIN,
            layout=ipywidgets.Layout(width="100%", height="280px", min_width="0"),
            padding_x=0,
            padding_y=0,
        )
        name_plot(self.figure, "plane")
        self.box = _titled("plane", "bold: past, dotted: future", self.figure)

    def show(self, state):
        """Draw the paths."""
        paths = [state.path(k) for k in state.columns]
        _set_lines(self.paths, [(*p.T, self.colors[k], FAINT) for p, k in zip(paths, state.columns, strict=True)])
        every = np.concatenate([np.empty((0, 2)), *paths])
        every = every[np.isfinite(every).all(axis=1)]
        low, high = (every.min(axis=0), every.max(axis=0)) if len(every) else (np.zeros(2), np.ones(2))
        middle, half = (low + high) / 2, max((high - low).max() * 0.54, 1.0)
        for scale, axis, m, stretch in ((self.x, self.bottom, middle[0], 1.2), (self.y, self.left, middle[1], 1.0)):
            _ends(scale, m - half * stretch, m + half * stretch)
            _tick(axis, ticks(scale.min, scale.max, 5))

    def show_trail(self, state):
        """Draw past and future of the present frame."""
        trails = [(state.trails(k), self.colors[k]) for k in state.columns] if state.trail else []
        for mark, which in ((self.past, 0), (self.future, 1)):
            _set_lines(mark, [(*trail[which].T, color, 1.0) for trail, color in trails])
        points = np.array([trail[0][-1] for trail, _ in trails]).reshape(-1, 2)
        there = np.isfinite(points).all(axis=1)
        with self.now.hold_sync():
            self.now.colors = [c for (_, c), ok in zip(trails, there, strict=True) if ok] or [GREY]
            _set(self.now, *points[there].T)


class _Steps:
    """Histogram of the signed differences of x or y from frame to frame."""

    def __init__(self, axis, colors):
        self.axis, self.colors = axis, colors
        self.x, self.y = bqplot.LinearScale(min=-5.0, max=5.0), bqplot.LogScale(min=0.5, max=10.0)
        scales = {"x": self.x, "y": self.y}
        self.lines = bqplot.Lines(x=[], y=[], scales=scales, stroke_width=1.5, interpolation="step-after")
        label = f"Δ{'xy'[axis]} between frames (px)"
        self.bottom = bqplot.Axis(scale=self.x, label=label, label_offset="30px", tick_format="~g", grid_lines="none")
        self.left = bqplot.Axis(scale=self.y, tick_format="~s", **_upright())
        self.figure = bqplot.Figure(
            marks=[self.lines],
            axes=[self.bottom, self.left],
            animation_duration=0,
            display_toolbar=False,
            fig_margin=PLANE_MARGIN,
            layout=ipywidgets.Layout(width="100%", height="280px", min_width="0"),
            padding_x=0,
            padding_y=0,
        )
        name_plot(self.figure, f"step-{axis}")
        self.box = _titled(f"steps in {'xy'[axis]}", "frames; click a bar for its frames", self.figure)

    def show(self, state):
        """Draw the histogram of the part looked at."""
        edges, counts = state.histogram(self.axis)
        top = float(counts.max(initial=2)) * 1.4
        _ends(self.x, edges[0], edges[-1])
        _ends(self.y, 0.5, top)
        _tick(self.bottom, ticks(edges[0], edges[-1], 5))
        _tick(self.left, log_ticks(1, top))
        heights = np.maximum(np.concatenate([counts, counts[:, -1:]], axis=1), 0.5)
        _set_lines(self.lines, [(edges, h, self.colors[k], 1.0) for h, k in zip(heights, state.columns, strict=True)])


def _titled(title, note, figure):
    above = Html(heading(title, note), layout=ipywidgets.Layout(margin="0"))
    return ipywidgets.VBox([above, figure], layout=ipywidgets.Layout(min_width="0"))


def _upright():
    return {"orientation": "vertical"} if "orientation" in bqplot.Axis.class_traits() else {"side": "left"}


def _range(kind, columns):
    """(low, high) of the values in all columns of plots of one kind."""
    if kind == "likelihood":
        return -0.03, 1.03
    values = np.concatenate([np.empty(0), *(line[1] for lines in columns for line in lines)])
    values = values[np.isfinite(values)]
    if not len(values):
        return 0.0, 1.0
    low, high = (0.0 if kind == "speed" else float(values.min())), float(values.max())
    edge = max((high - low) * 0.05, 0.5)
    return low - (0 if kind == "speed" else edge), high + edge


def _ends(scale, low, high):
    low, high = float(low), float(high)
    if (scale.min, scale.max) != (low, high):
        with scale.hold_sync():
            scale.min, scale.max = low, high


def _tick(axis, where, names=None):
    if not np.array_equal(axis.tick_values, where) or (names is not None and axis.tick_labels is None):
        with axis.hold_sync():
            axis.tick_values = np.asarray(where, float)
            if names is not None:
                axis.tick_labels = {_key(at): name for at, name in zip(where, names, strict=True)}


def _key(value):
    """A number as JavaScript writes it as a key."""
    value = float(value)
    return f"{value:.0f}" if value.is_integer() else repr(value)


def _set_lines(mark, lines):
    """Draw lines [(x, y, colour, opacity)] of different lengths by one mark; shorter ones end in NaN."""
    most = max((len(line[0]) for line in lines), default=0)
    most = max(most, 2) if lines else 0  # bqplot takes K lines of one point for one line of K points
    x, y = np.full((2, len(lines), most), np.nan, np.float32)
    for n, line in enumerate(lines):
        x[n, : len(line[0])], y[n, : len(line[1])] = line[0], line[1]
        if len(line[0]):
            x[n, len(line[0]) :] = line[0][-1]
    with mark.hold_sync():
        mark.colors = [line[2] for line in lines] or [GREY]
        mark.opacities = [line[3] for line in lines] or [1.0]
        _set(mark, x, y)


def _set(mark, x, y):
    x, y = np.asarray(x, np.float32), np.asarray(y, np.float32)
    if np.array_equal(x, mark.x, equal_nan=True) and np.array_equal(y, mark.y, equal_nan=True):
        return
    with mark.hold_sync():
        mark.x, mark.y = x, y
