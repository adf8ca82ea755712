"""VariabilityView: how far apart people place the same bodyparts, the yardstick for a network's error."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import bqplot
import ipywidgets
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from dlcnb.labels import Variability
from dlcnb.project import Project
from dlcnb.render import palette
from dlcnb.widgets.base.axes import Plot, ticks
from dlcnb.widgets.base.html import Html, Markup, heading, markup, table
from dlcnb.widgets.base.input_guard import InputGuard
from dlcnb.widgets.base.jpeg import encode_jpeg
from dlcnb.widgets.base.pictures import stacked
from dlcnb.widgets.base.view import View, button, gesture, shown
from dlcnb.widgets.gallery.gallery_state import Cell
from dlcnb.widgets.gallery.label_pictures import LabelPictures
from dlcnb.widgets.gallery.thumbnails import Gallery
from dlcnb.widgets.review.label_review import legend_html, opener
from dlcnb.widgets.review.review_state import VariabilityState

__all__ = ["VariabilityView"]

PICTURE, LARGE = (138, 184), (480, 640)
WORST = 24
BINS = 20
CELL = '<td title="{}" style="background:rgba(213,94,0,{:.2f})">{}</td>'


class VariabilityView(View):
    """Two scorers' labels of the same frames compared, and everybody's against everybody's.

    Shows mean and root-mean-square distance with 95 % intervals for each bodypart, their histogram, and the frames
    that differ most with both sets of points: discs for the first scorer, rings for the second.

    Parameters
    ----------
    project : Project or path
    first, second : str, optional
        Scorers; by default the project's and the next one who labeled.
    labeler : Labeler, optional
        Opens a frame that is clicked.
    on_select : callable, optional
        Called with the image of a frame that is clicked.

    Raises
    ------
    LabelError
        If fewer than two scorers labeled anything.

    References
    ----------
    Mathis et al., Nature Neuroscience 21, 1281 (2018), Supplementary Fig. 1.
    """

    gallery: Gallery = None  # type: ignore[assignment]  # until all is built
    _listing = False

    def __init__(
        self,
        project: Project | str | Path,
        first: str | None = None,
        second: str | None = None,
        *,
        labeler: Any = None,
        on_select: Callable[[str], object] | None = None,
    ) -> None:
        self.project = project if isinstance(project, Project) else Project.open(project)
        self.state = VariabilityState(self.project, first, second)
        self._opener = opener(labeler, on_select)
        self.pictures, self._large = LabelPictures(self.project, PICTURE), LabelPictures(self.project, LARGE)
        self.guard = InputGuard(surfaces=0)
        self._build()
        both = ipywidgets.HBox([self.table, self._plot.box])
        both.add_class("dlcnb-row")
        both.add_class("dlcnb-top")
        super().__init__(
            [self._controls, self.headline, both, self._heading, self.gallery, self.legend, self.preview]
            + [self.matrix, self.guard]
        )
        self.state.observe(self._on_pair, ["first", "second"])
        self.state.observe(lambda _: self.redraw(), "revision")
        self.redraw()

    # --- what it is made of ---

    def _build(self) -> None:
        names = list(self.state.scorers)
        self.first, self.second = (self._scorer(which, names) for which in ("first", "second"))
        self.reload = button("refresh", "Read everybody's labels again", self.refresh)
        against = Html("against")
        self._controls = ipywidgets.HBox([Html(heading("compare")), self.first, against, self.second, self.reload])
        self._controls.add_class("dlcnb-row")
        self.headline, self.matrix = Html(), Html()
        wide = ipywidgets.Layout(flex="0 0 auto", max_width="100%", overflow="auto hidden", margin="0")
        self.table = Html(layout=wide)
        self._heading, self.legend = Html(), Html()
        self.legend.add_class("dlcnb-legend")
        self.gallery = Gallery(
            self._picture, self.go_to, self.fail, size=PICTURE, columns=4, rows=2, empty="Nothing to compare."
        )
        room = ipywidgets.Layout(display="none", width=f"{LARGE[1]}px", max_width="100%", height="auto")
        self.preview = ipywidgets.Image(format="jpeg", layout=room)
        self._build_plot()

    def _scorer(self, which: str, names: Sequence[str]) -> ipywidgets.Dropdown:
        made = ipywidgets.Dropdown(
            options=names, value=getattr(self.state, which), layout=ipywidgets.Layout(width="150px", margin="0")
        )
        made.tooltip = f"The {which} scorer"
        made.observe(lambda change: self._on_scorer(which, change.new), "value")
        return made

    def _build_plot(self) -> None:
        plot = self._plot = Plot(y=bqplot.LinearScale(min=0), labels=("distance (px)", "points"), formats=("~g", "d"))
        self.bars = bqplot.Bars(x=[0.0], y=[[0]], scales={"x": plot.x, "y": plot.y}, type="stacked", padding=0.05)
        plot.figure.marks = [self.bars]
        plot.box.children = [plot.figure]
        layout = plot.box.layout
        layout.flex, layout.min_width, layout.max_width = "1 1 300px", "280px", "560px"

    # --- gestures ---

    @gesture
    def refresh(self) -> None:
        """Read everybody's labels again."""
        self.pictures.forget()
        self.state.load()

    def _on_scorer(self, which: str, name: str | None) -> None:
        if name is not None and not self._listing:
            setattr(self.state, which, name)

    @shown
    def _on_pair(self, _: object) -> None:
        self.state.compare()

    @shown
    def go_to(self, image: str) -> None:
        """Open a frame where the widget was told to open frames, else show it larger."""
        self.tell("")
        if self._opener is not None:
            self._opener(image)
            return
        first, second = self._points[image]
        self.preview.value = encode_jpeg(self._large.picture(image, first, rivals=second, keep=False), 90)
        self.preview.layout.display = None

    # --- painting ---

    @shown
    def redraw(self) -> None:
        """Bring everything on the page up to date with the state."""
        state, result = self.state, self.state.result
        names = tuple(state.scorers)
        for field, value in ((self.first, state.first), (self.second, state.second)):
            if tuple(field.options) != names:  # somebody new labeled
                self._listing = True
                field.options = names
                self._listing = False
            field.value = value
        self.tell(state.message, "error")
        self._points: dict[Any, NDArray[np.float64]] = {}
        if result is None:
            self.headline.value = self.table.value = self._heading.value = self.legend.value = ""
            self.gallery.set_cells([])
        else:
            self._points = dict(zip(result.images, np.swapaxes(result.points, 0, 1), strict=True))
            self.headline.value = _headline(result)
            self.table.value = _table(result)
            self._heading.value = heading("the frames that differ most", "discs: {}, rings: {}".format(*result.scorers))
            self.legend.value = legend_html(result.bodyparts)
            self.gallery.set_cells([_cell(frame) for frame in result.worst(WORST)])
            self._show_histogram(result)
        self.matrix.value = _matrix(list(state.scorers), *state.matrix()) if len(state.scorers) > 2 else ""

    def _show_histogram(self, result: Variability) -> None:
        edges, counts = self.state.histogram(BINS)
        high = max(float(counts.sum(0).max()), 1.0)
        with self.bars.hold_sync():
            self.bars.x, self.bars.y = (edges[:-1] + edges[1:]) / 2, counts
            self.bars.colors = [f"#{r:02x}{g:02x}{b:02x}" for r, g, b in palette(len(result.bodyparts)).tolist()]
        plot = self._plot
        for scale, axis, end in ((plot.x, plot.bottom, edges[-1]), (plot.y, plot.left, high * 1.05)):
            scale.max = float(end)
            axis.tick_values = ticks(0, end)

    def _picture(self, cell: Cell) -> NDArray[np.uint8] | None:
        points = self._points.get(cell.key)
        return None if points is None else self.pictures.picture(str(cell.key), points[0], rivals=points[1])

    def wait(self, timeout: float = 10.0) -> bool:
        """Block until what was asked for is painted; False after ``timeout`` seconds."""
        return self.gallery.wait(timeout)

    def snapshot(self) -> Image.Image:
        """Errors per bodypart and their histogram above the worst frames, as a `PIL.Image.Image`."""
        below, result = self.gallery.snapshot(), self.state.result
        if result is None:
            return below
        return stacked(_figure(self.state, result, below.width), below)

    def close(self) -> None:
        """Take the widget off the page."""
        if self.gallery is not None:
            self.gallery.close()
        super().close()


def _headline(result: Variability) -> Markup:
    spread, (first, second) = result.spread, result.scorers
    only = f" · only {first}: {result.only[0]}, only {second}: {result.only[1]} frames" if any(result.only) else ""
    return markup(
        "<b>{} and {} are {:.2f} px apart on average</b> "
        "(95 % interval {}), root mean square {:.2f} px ({}) · {} points in {} frames{}",
        *(first, second, spread.mean_px, _interval(spread.mean_ci95), spread.rms_px, _interval(spread.rms_ci95)),
        *(spread.n, len(result.images), only),
    )


def _interval(ends: Sequence[float]) -> str:
    return f"{ends[0]:.2f}–{ends[1]:.2f}" if np.isfinite(ends).all() else "–"


def _table(result: Variability) -> Markup:
    first, second = result.scorers
    head = ["bodypart", "mean px", "95 %", "RMS px", "95 %", "median px", "points"]
    total = tuple(map(sum, zip(*result.one_sided.values(), strict=True)))  # points that only one of them placed
    head += [f"only {first}", f"only {second}"] if any(total) else []
    rows = []
    for part, spread in (*result.by_bodypart.items(), ("all bodyparts", result.spread)):
        single = result.one_sided.get(part, total) if any(total) else ()
        numbers = (
            f"{spread.mean_px:.2f}", _interval(spread.mean_ci95), f"{spread.rms_px:.2f}", _interval(spread.rms_ci95),
            f"{spread.median_px:.2f}", spread.n, *single,
        )  # fmt: skip
        rows.append((part, *("–" if number == "nan" else number for number in numbers)))
    return table(head, rows)


def _matrix(names: Sequence[str], mean: NDArray[np.float64], count: NDArray[np.int64]) -> Markup:
    """Everybody against everybody; the darker, the farther apart."""
    top = np.nanmax(mean, initial=0.0) or 1.0
    rows = []
    for i, name in enumerate(names):
        cells = []
        for j in range(len(names)):
            known = np.isfinite(mean[i, j])
            share = 0.45 * mean[i, j] / top if known else 0.0
            text = f"{mean[i, j]:.2f}" if known else ("" if i == j else "–")
            tip = f"{count[i, j]} points" if known else ("" if i == j else "no frame in common")
            cells.append(markup(CELL, tip, share, text))
        rows.append((name, *cells))
    return heading("everybody against everybody", "mean distance, px") + table(["", *names], rows)


def _cell(frame: Any) -> Cell:
    name = "/".join(frame.image.split("/")[1:])
    return Cell(frame.image, name, f"{frame.mean_px:.1f} px; {frame.bodypart} {frame.max_px:.1f}")


def _figure(state: VariabilityState, result: Variability, width: int) -> Image.Image:
    """Histogram and means with their intervals, drawn with matplotlib, as a `PIL.Image.Image` about ``width`` wide."""
    from matplotlib.figure import Figure  # here: matplotlib takes a second to load

    figure = Figure(figsize=(width / 100, 2.8), layout="constrained")
    left, right = figure.subplots(1, 2)
    edges, counts = state.histogram(BINS)
    colors, bottom = palette(len(result.bodyparts)) / 255, np.zeros(BINS)
    for part, color, count in zip(result.bodyparts, colors, counts, strict=True):
        left.bar(edges[:-1], count, np.diff(edges), bottom, align="edge", color=color, label=part)
        bottom = bottom + count
    left.set_xlabel("distance (px)")
    left.set_ylabel("points")
    for k, (part, spread) in enumerate(result.by_bodypart.items()):
        right.plot(spread.mean_ci95, (k, k), color=colors[k], lw=3)
        right.plot(spread.mean_px, k, "o", color=colors[k], label=part)
    right.set_yticks(range(len(result.bodyparts)), result.bodyparts)
    right.invert_yaxis()
    right.set_xlabel("mean distance with 95 % interval (px)")
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=100)
    return Image.open(buffer)
