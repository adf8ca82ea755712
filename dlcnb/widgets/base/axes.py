"""Plots of bqplot as the widgets have them: a heading, round ticks, and messages to the page only where needed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import bqplot
import ipywidgets
import numpy as np
from numpy.typing import ArrayLike, NDArray

from dlcnb.widgets.base.html import Html, Markup, heading, legend, markup, muted

__all__ = [
    "GREY",
    "MARGIN",
    "Line",
    "Plot",
    "key_text",
    "log_ticks",
    "set_ends",
    "set_lines",
    "set_mark",
    "set_ticks",
    "ticks",
]

GREY = "#8c8c8c"
MARGIN = {"top": 10, "bottom": 42, "left": 52, "right": 18}
LEAST, MOST = 3, 8  # ticks of an axis; at most of a logarithmic one

Line = tuple[ArrayLike, ArrayLike, str, float]  # x, y, colour, opacity


def ticks(low: float, high: float, count: int = 5) -> NDArray[np.float64]:
    """Round numbers (1, 2 or 5 times a power of ten apart) in ``low..high``: about ``count``, three at least."""
    if not high > low:
        return np.array([low], float)
    rough = (high - low) / count
    power = 10.0 ** np.floor(np.log10(rough))
    step = power * next(m for m in (1, 2, 5, 10) if m * power >= rough * 0.999)
    found = np.round(np.arange(np.ceil(low / step - 1e-9), np.floor(high / step + 1e-9) + 1) * step, 12)
    return found if len(found) >= LEAST or count > 2 * LEAST else ticks(low, high, count + 1)


def log_ticks(low: float, high: float) -> NDArray[np.float64]:
    """Round numbers in ``low..high`` for a logarithmic axis, at most about eight."""
    powers = np.arange(np.floor(np.log10(low)), np.ceil(np.log10(high)) + 1)
    found = np.empty(0)
    for factors in ((1, 2, 5), (1, 3), (1,)):
        found = np.sort(np.outer(10.0**powers, factors).ravel())
        found = found[(found >= low * 0.999) & (found <= high * 1.001)]
        if len(found) <= MOST:
            return found
    return found[:: -(-len(found) // MOST)]


class Axis(bqplot.Axis):
    """An axis that tells a page the names of its ticks before their places.

    A page writes at new places what it calls them when they arrive, a moment later, over whatever it was told in
    between: after the places, the names would come too late, and numbers or the names of before would stay there.
    """

    def get_state(self, key: Any = None, drop_defaults: bool = False) -> dict[str, Any]:
        """Values for the page, as of any widget; the names of the ticks first."""
        state = super().get_state(key, drop_defaults)
        return {name: state[name] for name in sorted(state, key=lambda name: name != "tick_labels")}


class Plot:
    """A figure with a heading, its scales and axes.

    Parameters
    ----------
    title : str
        Above the figure; empty = no heading (`box` is not needed then).
    x, y : bqplot.Scale, optional
        Linear ones, 0..1, by default.
    labels : (str, str)
        Of the axes.
    formats : (str, str)
        Of the numbers at their ticks, as d3 has them.
    margin : dict
        Px around the plot, for the axes; see `surround`.
    height : int
        Of the plot with what is around it, px.

    Attributes
    ----------
    x, y, bottom, left, figure : parts of bqplot.
    heading : Html
    box : ipywidgets.VBox with the heading and, below, the figure or what is said in its place.
    """

    def __init__(
        self,
        title: str = "",
        *,
        x: Any = None,
        y: Any = None,
        labels: tuple[str, str] = ("", ""),
        formats: tuple[str, str] = ("~g", "~g"),
        margin: Mapping[str, int] = MARGIN,
        height: int = 220,
    ) -> None:
        self.title, self._height = title, height
        self.x = bqplot.LinearScale(min=0.0, max=1.0) if x is None else x
        self.y = bqplot.LinearScale(min=0.0, max=1.0) if y is None else y
        upright = {"orientation": "vertical"} if "orientation" in bqplot.Axis.class_traits() else {"side": "left"}
        offsets = (f"{max(margin['bottom'] - 12, 0)}px", f"{max(margin['left'] - 16, 0)}px")
        self.bottom, self.left = (
            Axis(scale=scale, label=label, label_offset=offset, tick_format=form, grid_lines="none", **more)
            for scale, label, offset, form, more in zip(
                (self.x, self.y), labels, offsets, formats, ({}, upright), strict=True
            )
        )
        self.figure = bqplot.Figure(
            axes=[self.bottom, self.left], fig_margin=dict.fromkeys(MARGIN, 0), padding_x=0, padding_y=0,
            layout=ipywidgets.Layout(width="auto", min_width="0"), animation_duration=0, display_toolbar=False,
        )  # fmt: skip
        self.surround(margin)
        self.heading = Html(layout=ipywidgets.Layout(margin="0"))
        self._empty = Html(layout=ipywidgets.Layout(margin="0"))
        self._empty.add_class("dlcnb-empty")
        self.box = ipywidgets.VBox(
            [self.heading, self.figure], layout=ipywidgets.Layout(min_width="0", overflow="hidden")
        )
        self.tell()

    def surround(self, margin: Mapping[str, int]) -> None:
        """Leave so many px around the plot.

        They lie outside of bqplot's figure: inside of it they would leave a plot that is not shown yet, as in a tab
        that was never opened, less than no room, which browsers call an error.
        """
        sides = [margin[side] for side in ("top", "right", "bottom", "left")]
        layout, around = self.figure.layout, " ".join(f"{px}px" for px in sides)
        if layout.margin != around:
            layout.margin, layout.height = around, f"{self._height - margin['top'] - margin['bottom']}px"

    def lines(self, colors: Sequence[str] = (), **look: Any) -> Any:
        """Add a `bqplot.Lines` without points."""
        more = {"colors": list(colors)} if colors else {}
        return self._add(bqplot.Lines(x=[], y=[], scales={"x": self.x, "y": self.y}, **more, **look))

    def dots(self, color: str, *, scales: Mapping[str, Any] | None = None, **look: Any) -> Any:
        """Add a `bqplot.Scatter` without points; ``scales`` beside those of the axes."""
        scales = {"x": self.x, "y": self.y, **(scales or {})}
        return self._add(bqplot.Scatter(x=[], y=[], scales=scales, colors=[color], **look))

    def _add(self, mark: Any) -> Any:
        self.figure.marks = [*self.figure.marks, mark]
        return mark

    def frame(self, x_ends: tuple[float, float], y_ends: tuple[float, float], counts: tuple[int, int] = (5, 5)) -> None:
        """Show these ranges, with about so many ticks."""
        for scale, axis, ends, count in (
            (self.x, self.bottom, x_ends, counts[0]),
            (self.y, self.left, y_ends, counts[1]),
        ):
            set_ends(scale, *ends)
            set_ticks(axis, log_ticks(*ends) if isinstance(scale, bqplot.LogScale) else ticks(*ends, count))

    def tell(self, note: object = "", key: Markup | str = "") -> None:
        """Show a note, and what the colours mean (see `key_text`), beside the title."""
        text = heading(self.title, note) + key
        if self.heading.value != text:
            self.heading.value = text

    def say_empty(self, words: str) -> None:
        """Say in the figure's place what will be here; empty = show the figure."""
        if words:
            self._empty.value = muted(words)
        wanted = (self.heading, self._empty if words else self.figure)
        if self.box.children != wanted:
            self.box.children = wanted


def set_ends(scale: Any, low: float, high: float) -> None:
    """Give a scale its range."""
    if (scale.min, scale.max) != (float(low), float(high)):
        with scale.hold_sync():
            scale.min, scale.max = float(low), float(high)


def set_ticks(axis: Any, places: ArrayLike, names: Iterable[str] | None = None) -> None:
    """Give an axis its ticks, and other names than their numbers."""
    places = np.asarray(places, float)
    labels = None if names is None else {_key(at): name for at, name in zip(places, names, strict=True)}
    if not np.array_equal(axis.tick_values, places) or (labels is not None and axis.tick_labels != labels):
        with axis.hold_sync():
            axis.tick_values = places
            if labels is not None:
                axis.tick_labels = labels


def _key(value: float) -> str:
    """A number as JavaScript writes it as a key."""
    return f"{value:.0f}" if float(value).is_integer() else repr(float(value))


def set_mark(mark: Any, x: ArrayLike, y: ArrayLike) -> None:
    """Give a mark its points, (N,) or (L, N) each; they are sent if they have changed."""
    x, y = np.asarray(x, np.float32), np.asarray(y, np.float32)
    if np.array_equal(x, mark.x, equal_nan=True) and np.array_equal(y, mark.y, equal_nan=True):
        return
    with mark.hold_sync():
        mark.x, mark.y = x, y


def set_lines(mark: Any, lines: Sequence[Line]) -> None:
    """Draw lines of different lengths by one mark; shorter ones end in a gap."""
    most = max((len(np.asarray(line[0])) for line in lines), default=0)
    most = max(most, 2) if lines else 0  # bqplot takes K lines of one point for one line of K points
    x, y = np.full((2, len(lines), most), np.nan, np.float32)
    for n, (across, up, _, _) in enumerate(lines):
        across, up = np.asarray(across, np.float32), np.asarray(up, np.float32)
        x[n, : len(across)], y[n, : len(up)] = across, up
        if len(across):
            x[n, len(across) :] = across[-1]
    if not np.isfinite(y[:, -1:]).all() or not np.isfinite(x[:, -1:]).all():
        x, y = _closed(x), _closed(y)
    with mark.hold_sync():
        mark.colors = [line[2] for line in lines] or [GREY]
        mark.opacities = [line[3] for line in lines] or [1.0]
        set_mark(mark, x, y)


def _closed(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Lines (L, N) with a gap and then a finite value, which is not drawn: bqplot looks for a place for its label."""
    gap = np.full((len(values), 1), np.nan, np.float32)
    finite = values[np.isfinite(values)]
    return np.hstack([values, gap, np.full_like(gap, finite[0] if len(finite) else 0)])


def key_text(colors: Mapping[str, str]) -> Markup:
    """What colours mean: a swatch and a name for each of {name: colour}."""
    items = legend((color, name) for name, color in colors.items())
    return markup(' <span class="dlcnb-legend dlcnb-muted">{}</span>', items)
