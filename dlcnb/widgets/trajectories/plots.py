"""The live plots of TrajectoryView: series over time in one or two columns, the plane with its trail, histograms."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import bqplot
import ipywidgets
import numpy as np
from numpy.typing import ArrayLike, NDArray

from dlcnb.render import palette, readable
from dlcnb.widgets.base.axes import (
    GREY,
    Line,
    Plot,
    log_ticks,
    set_ends,
    set_lines,
    set_mark,
    set_ticks,
    ticks,
)
from dlcnb.widgets.base.html import Html, heading, markup, muted
from dlcnb.widgets.base.plot_input import name_plot
from dlcnb.widgets.trajectories.state import KINDS

if TYPE_CHECKING:
    from dlcnb.widgets.trajectories.state import TrajectoryState

__all__ = ["TrajectoryPlots", "few", "hex_colors"]

NOW = "#cc2f7b"
UNITS = {"x": "x ({})", "y": "y ({})", "likelihood": "likelihood", "speed": "speed ({}/s)"}  # of length
MARGIN = {"top": 6, "bottom": 22, "left": 58, "right": 10}
PLANE_MARGIN = {"top": 8, "bottom": 40, "left": 58, "right": 12}
FAINT = 0.5  # of raw lines under filtered ones


def hex_colors(count: int) -> list[str]:
    """The bodyparts' colours as text: those of all pictures, as thin lines need them in light and dark pages."""
    return [f"#{r:02x}{g:02x}{b:02x}" for r, g, b in readable(palette(count)).tolist()]


class TrajectoryPlots:
    """All plots of a `TrajectoryState`; ``title``, ``time_box`` and ``plane_box`` go into the page.

    Names of the plots, as `PlotInput` tells them: ``x-0`` (the first column), ``x-1`` (the second, filtered), and so
    on for each of ``KINDS``; ``plane``, ``step-0`` (x), ``step-1`` (y).
    """

    def __init__(self, state: TrajectoryState) -> None:
        self.state = state
        self.colors = hex_colors(len(state.poses.bodyparts))
        self.x = bqplot.LinearScale(min=0.0, max=1.0)
        self.marker = bqplot.Lines(  # in all plots over time: one message moves all of them
            x=[0, 0], y=[0, 1], scales={"x": self.x, "y": bqplot.LinearScale(min=0, max=1)}, colors=[NOW],
            stroke_width=1.5,
        )  # fmt: skip
        self.over_time: dict[str, _OverTime] = {}
        self._second: ipywidgets.VBox | None = None
        self._left_out = ""
        self.title = _one_line()
        self.time_box = ipywidgets.HBox([self._column(0)], layout=ipywidgets.Layout(width="100%", min_width="0"))
        self.plane = _Plane(self.colors)
        self.steps = tuple(_Steps(axis, self.colors) for axis in range(2))
        self.plane_box = ipywidgets.GridBox([self.plane.box, *(plot.box for plot in self.steps)])
        self.plane_box.layout.width = "100%"
        self.plane_box.add_class("dlcnb-plots")

    def recolor(self) -> None:
        """Take other colours, as there are other bodyparts."""
        self.colors[:] = hex_colors(len(self.state.poses.bodyparts))

    def _column(self, column: int) -> ipywidgets.VBox:
        made = []
        for kind in KINDS:
            plot = _OverTime(kind, self.x, self.marker)
            name_plot(plot.figure, f"{kind}-{column}", over_time=True)
            self.over_time[f"{kind}-{column}"] = plot
            made.append(plot.figure)
        layout = ipywidgets.Layout(flex="1 1 0", min_width="0", width="100%", overflow="hidden")
        return ipywidgets.VBox([_one_line(), *made], layout=layout)

    def _arrange(self, beside: bool) -> None:
        """One column or two; the second is made when it is first wanted, as a page of many plots is slow to open."""
        if beside and self._second is None:
            self._second = self._column(1)
        columns = (self.time_box.children[0], *([self._second] if beside else []))
        if self.time_box.children != columns:
            self.time_box.children = columns

    def sources(self, column: int) -> tuple[bool, ...]:
        """What a column of plots draws, of (False: raw, True: filtered)."""
        if self.state.show != "side by side":
            return self.state.sources if column == 0 else ()
        return (bool(column),)

    # --- showing ---

    def show(self) -> None:
        """Draw everything."""
        state = self.state
        self._show_units(state.length)
        set_ends(self.x, state.start, max(state.stop - 1, state.start + 1))
        beside = state.show == "side by side"
        self._arrange(beside)
        for column in range(1 + beside):
            title = self.time_box.children[column].children[0]
            title.value = heading(self._words(column)) if beside else ""
            title.layout.display = None if beside else "none"
        where, names = self._time_ticks()
        for kind in KINDS:
            shown = [self.over_time[f"{kind}-{column}"] for column in range(1 + beside)]
            lines = [self._lines(kind, self.sources(column)) for column in range(1 + beside)]
            ends = _range(kind, lines)
            for plot, found in zip(shown, lines, strict=True):
                plot.show(found, ends, where, names, state.pcutoff)
        self._left_out = f" · {gone} points far outside of the frame are not drawn" if (gone := state.outside) else ""
        self.plane.show(state)
        for histogram in self.steps:
            histogram.show(state)
        self.show_frame()

    def _show_units(self, length: str) -> None:
        for plot in self.over_time.values():
            plot.left.label = UNITS[plot.kind].format(length)
        self.plane.bottom.label, self.plane.left.label = f"x ({length})", f"y ({length})"
        for axis, steps in enumerate(self.steps):
            steps.bottom.label = f"Δ{'xy'[axis]} between frames ({length})"

    def show_frame(self) -> None:
        """Draw what depends on the frame only."""
        frame = float(self.state.frame)
        inside = self.state.start <= frame < self.state.stop
        set_mark(self.marker, *(([frame, frame], [0, 1]) if inside else ([], [])))
        self._show_title()
        self.plane.show_trail(self.state)

    def _lines(self, kind: str, sources: Sequence[bool]) -> list[Line]:
        """[(frames, values, colour, opacity, width)] of a plot."""
        found: list[Line] = []
        for filtered in sources:
            under = len(sources) > 1 and not filtered
            for k in self.state.columns:
                line = self.state.line(kind, k, filtered)
                found.append((*line, self.colors[k], FAINT if under else 1.0))
        return found

    def _words(self, column: int) -> str:
        words = {(False,): "raw", (True,): self.state.method, (False, True): f"raw (pale) and {self.state.method}"}
        return words[self.sources(column)]

    def _show_title(self) -> None:
        """Say what the plots over time show, of which part, and which frame is the present one."""
        state = self.state
        times = state.times - state.times[0]
        now = f"{state.frame}".ljust(len(str(state.n_frames - 1)), "\N{FIGURE SPACE}")  # what is behind it stays
        part = f"frames {state.start} – {state.stop - 1}"
        seconds = f"{times[state.start]:.2f} – {times[state.stop - 1]:.2f} s"
        words = state.show if state.show == "side by side" else self._words(0)
        note = muted(f"{seconds} · now {now}{self._left_out}")
        hint = muted(" · drag over a part, or Ctrl+wheel, to zoom", "dlcnb-wide-only")
        self.title.value = markup("<b>{}</b> {} {}{}", words, part, note, hint)

    def _time_ticks(self) -> tuple[NDArray[np.float64] | NDArray[np.int64], list[str]]:
        """Frames of the ticks, and their names."""
        state = self.state
        if state.unit == "frames":
            where = np.unique(ticks(state.start, state.stop - 1, 6).astype(int))
            return where, [f"{n:d}" for n in where]
        times = state.times - state.times[0]
        marks = ticks(times[state.start], times[state.stop - 1], 6)
        places = np.interp(marks, times[state.start : state.stop], np.arange(state.start, state.stop))
        return places, [f"{mark + 0.0:.10g} s" for mark in marks]


class _OverTime(Plot):
    """One series of all bodyparts over time."""

    def __init__(self, kind: str, x: Any, now: Any) -> None:
        self.kind = kind
        y = bqplot.LinearScale(min=0.0, max=1.0, reverse=kind == "y")  # up in the plot is up in the image
        super().__init__(x=x, y=y, labels=("", UNITS[kind].format("px")), margin=MARGIN, height=132)
        self.level = self.lines([GREY], stroke_width=1, line_style="dashed")
        self.curves = self.lines(stroke_width=1.2)
        self.figure.marks = [*self.figure.marks, now]

    def show(
        self, lines: Sequence[Line], ends: tuple[float, float], where: ArrayLike, names: Sequence[str], pcutoff: float
    ) -> None:
        """Draw these lines with this range and these ticks."""
        set_ends(self.y, *ends)
        set_ticks(self.left, few(ticks(*ends, 3)))
        set_ticks(self.bottom, where, names)
        if self.kind == "likelihood":
            set_mark(self.level, [self.x.min, self.x.max], [pcutoff, pcutoff])
        set_lines(self.curves, lines)


class _Plane(Plot):
    """Where the bodyparts were, in the plane, with past and future of the frame."""

    def __init__(self, colors: Sequence[str]) -> None:
        self.colors = colors
        y = bqplot.LinearScale(min=0.0, max=1.0, reverse=True)
        super().__init__("plane", y=y, labels=("x (px)", "y (px)"), margin=PLANE_MARGIN, height=280)
        self.paths = self.lines(stroke_width=1)
        self.future = self.lines(stroke_width=2, line_style="dotted")
        self.past = self.lines(stroke_width=3)
        self.now = self.dots(GREY, default_size=90, stroke="black", stroke_width=1)
        name_plot(self.figure, "plane")
        self.tell("bold: past, dotted: future")

    def show(self, state: TrajectoryState) -> None:
        """Draw the paths."""
        paths = [state.path(k) for k in state.columns]
        set_lines(self.paths, [(*p.T, self.colors[k], 1.0) for p, k in zip(paths, state.columns, strict=True)])
        every = np.concatenate([np.empty((0, 2)), *paths])
        every = every[np.isfinite(every).all(axis=1)]
        low, high = (every.min(axis=0), every.max(axis=0)) if len(every) else (np.zeros(2), np.ones(2))
        (x, y), half = (low + high) / 2, max((high - low).max() * 0.54, 1.0)
        self.frame((x - half * 1.2, x + half * 1.2), (y - half, y + half))

    def show_trail(self, state: TrajectoryState) -> None:
        """Draw past and future of the present frame."""
        trails = [(state.trails(k), self.colors[k]) for k in state.columns] if state.trail else []
        for mark, which in ((self.past, 0), (self.future, 1)):
            set_lines(mark, [(*trail[which].T, color, 1.0) for trail, color in trails])
        points = np.array([trail[0][-1] for trail, _ in trails]).reshape(-1, 2)
        there = np.isfinite(points).all(axis=1)
        with self.now.hold_sync():
            self.now.colors = [c for (_, c), ok in zip(trails, there, strict=True) if ok] or [GREY]
            set_mark(self.now, *points[there].T)


class _Steps(Plot):
    """Histogram of the signed differences of x or y from frame to frame."""

    def __init__(self, axis: int, colors: Sequence[str]) -> None:
        self.axis, self.colors = axis, colors
        super().__init__(
            f"steps in {'xy'[axis]}",
            x=bqplot.LinearScale(min=-5.0, max=5.0),
            y=bqplot.LogScale(min=0.5, max=10.0),
            labels=(f"Δ{'xy'[axis]} between frames (px)", ""),
            formats=("~g", "~s"),
            margin=PLANE_MARGIN,
            height=280,
        )
        self.bars = self.lines(stroke_width=1.5, interpolation="step-after")
        name_plot(self.figure, f"step-{axis}")
        self.tell("frames; click a bar for its frames")

    def show(self, state: TrajectoryState) -> None:
        """Draw the histogram of the part looked at."""
        edges, counts = state.histogram(self.axis)
        top = float(counts.max(initial=2)) * 1.4
        set_ends(self.x, edges[0], edges[-1])
        set_ends(self.y, 0.5, top)
        set_ticks(self.bottom, ticks(edges[0], edges[-1]))
        set_ticks(self.left, log_ticks(1, top))
        heights = np.maximum(np.concatenate([counts, counts[:, -1:]], axis=1), 0.5)
        set_lines(self.bars, [(edges, h, self.colors[k], 1.0) for h, k in zip(heights, state.columns, strict=True)])


def few(places: NDArray[np.float64]) -> NDArray[np.float64]:
    """Of round numbers three at most, which have room beside a plot of 40 px: every second one, the last among them."""
    return places if len(places) <= 3 else few(places[(len(places) + 1) % 2 :: 2])


def _one_line() -> Html:
    made = Html(layout=ipywidgets.Layout(margin="0", height="20px"))
    made.add_class("dlcnb-one-line")
    return made


def _range(kind: str, columns: Sequence[Sequence[Line]]) -> tuple[float, float]:
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
