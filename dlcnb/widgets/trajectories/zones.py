"""Zones in TrajectoryView: what the drawn bodyparts did in them, when they were where, and a map of their time."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import ipywidgets
import numpy as np

from dlcnb.files import atomic_path
from dlcnb.project import Project
from dlcnb.trajectories import mask
from dlcnb.widgets.base.advice import in_studio
from dlcnb.widgets.base.html import Html, Markup, heading, joined, markup, muted, table
from dlcnb.widgets.base.quiet import Quiet
from dlcnb.widgets.base.view import button, row
from dlcnb.zones import ZoneError, read_zones, zone_table
from dlcnb.zones.measure import MINIMUM

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from dlcnb.widgets.trajectories.state import TrajectoryState
    from dlcnb.zones import Stays, Zone

__all__ = ["ZONES", "ZonePanel"]

ZONES = "dlcnb-in-zones"  # CSS class of the section
JITTER = "Poses that are not filtered jitter, which makes distances and speeds too large; choose show: filtered, above."

COLUMNS = (  # (head, what it means)
    ("bodypart", ""),
    ("zone", ""),
    ("time in it (s)", "How long the bodypart was in the zone"),
    ("share", "Of the time in which the bodypart is seen, that is, sure enough"),
    ("entries", "How often the zone was entered, and stayed in long enough to count"),
    ("first entry at (s)", "When the zone was first entered, from the beginning of what is looked at; – = never"),
    ("distance ({unit})", "How far the bodypart went inside the zone"),
    ("speed ({unit}/s)", "The mean: that distance by the time that it took"),
    ("seen for", "How long the bodypart is sure enough to be counted, and what share of the time that is"),
)
Found = tuple[list[dict[str, Any]], "list[Stays]"]


class ZonePanel(ipywidgets.VBox):
    """A section that is empty until it is opened; then a table of the part looked at, and two pictures.

    Parameters
    ----------
    project : Project
    video : path
    state : TrajectoryState
    image : callable
        Gives the frame that lies below the map, uint8 (H, W, 3).
    opened : callable
        Called without arguments when the section, or what it shows, is to be painted anew: `show` then.
    saves : callable
        Called without arguments when the table is to be written: `save` then.
    """

    def __init__(
        self,
        project: Project,
        video: Path,
        state: TrajectoryState,
        image: Callable[[], NDArray[np.uint8]],
        opened: Callable[[], object],
        saves: Callable[[], object],
    ) -> None:
        self._project, self._video, self._state, self._image, self._quiet = project, video, state, image, Quiet()
        layout = ipywidgets.Layout
        self.open_button = ipywidgets.ToggleButton(
            description="Zones",
            icon="th-large",
            tooltip="Time, entries and distance in zones",
            layout=layout(width="auto"),
        )
        self.bodypart = ipywidgets.Dropdown(layout=layout(width="150px", margin="0"))
        self.bodypart.tooltip = "The bodypart of the table and the pictures"
        self.every = ipywidgets.Checkbox(
            description="all in the table", indent=False, layout=layout(width="auto", margin="0")
        )
        self.every.tooltip = "All bodyparts that are drawn above, in one table"
        self.minimum = ipywidgets.BoundedFloatText(
            value=MINIMUM, min=0, max=3600, step=0.05, layout=layout(width="72px", margin="0")
        )
        self.minimum.tooltip = "Seconds that a stay lasts at least: a point that jitters over an edge enters once"
        self.csv = button("table", "Save a table of all bodyparts that are drawn above (csv)", saves, "csv")
        shortest = row([Html("stays of at least"), self.minimum, Html("s count")], tight=True)
        chosen = row([Html("bodypart"), self.bodypart, self.every], tight=True)
        shortest.add_class("dlcnb-gap")
        self.fields = row([chosen, shortest, self.csv])
        self.table, self.picture = (
            Html(),
            ipywidgets.Image(format="png", layout=layout(max_width="100%", width="920px", margin="0")),
        )
        self.picture.add_class("dlcnb-sheet")
        self.caption = Html(muted("in which zone the bodypart was when, and a map of its time"))
        for field in (self.open_button, self.bodypart, self.every, self.minimum):
            field.observe(self._quiet.ignored(lambda _: opened()), "value")
        self._head = row([self.open_button])
        super().__init__([self._head], layout=layout(width="100%", min_width="0"))
        self.add_class(ZONES)

    @property
    def opened(self) -> bool:
        """Whether the section is open."""
        return bool(self.open_button.value)

    def show(self) -> None:
        """Measure and draw, if the section is open."""
        inside = [self.fields, self.table, self.caption, self.picture] if self.opened else []
        if self.opened:
            with self._quiet:
                names = self._state.bodyparts
                if tuple(self.bodypart.options) != names:
                    before, self.bodypart.options = self.bodypart.value, names
                    self.bodypart.value = before if before in names else next(iter(names), None)
            self._measure()
        self.children = (self._head, *inside)

    def _measure(self) -> None:
        try:
            zones, (rows, stays) = self.found()
        except ZoneError as error:
            self.table.value = muted(in_studio(str(error)))
            self.picture.layout.display = self.caption.layout.display = "none"
            self.csv.disabled = True
            return
        self.csv.disabled = not rows
        shown = [one for one in rows if self.every.value or one["bodypart"] == self.bodypart.value]
        jitter = muted(JITTER) if shown and self._state.show == "raw" else ""
        self.table.value = joined([_table(shown, self._state.length, self._part(), self.every.value), jitter])
        self.picture.layout.display = self.caption.layout.display = None if rows else "none"
        if rows:
            buffer = io.BytesIO()
            self._figure(zones, stays).savefig(buffer, format="png", dpi=80)
            self.picture.value = buffer.getvalue()

    def _part(self) -> str:
        state = self._state
        return f"frames {state.start} – {state.stop - 1}" if state.zoomed else "the whole video"

    def found(self) -> tuple[tuple[Zone, ...], Found]:
        """The video's zones, and what the drawn bodyparts did in them in the part looked at."""
        state, part = self._state, slice(self._state.start, self._state.stop)
        image = self._image()
        zones = read_zones(self._project, self._video, (image.shape[0], image.shape[1]))
        poses, columns = state.drawn(), state.columns
        points = mask(poses.points[part][:, columns], poses.likelihood[part][:, columns], state.pcutoff)
        return zones, zone_table(
            points, state.bodyparts, zones, state.times[part], measured=state.in_unit(points), unit=state.length,
            minimum=self.minimum.value,
        )  # fmt: skip

    def _figure(self, zones: tuple[Zone, ...], stays: list[Stays]) -> Figure:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure

        from dlcnb import plots

        state, part = self._state, slice(self._state.start, self._state.stop)
        figure = Figure(figsize=(11.5, 4), layout="constrained")
        FigureCanvasAgg(figure)
        left, right = figure.subplots(1, 2, width_ratios=[1.2, 1])
        name = self.bodypart.value or state.bodyparts[0]
        plots.ethogram([stay for stay in stays if stay.bodypart == name], state.times[part], ax=left)
        poses, k = state.drawn(), state.poses.bodyparts.index(name)
        points, image = mask(poses.points[part, k], poses.likelihood[part, k], state.pcutoff), self._image()
        size = image.shape[0], image.shape[1]
        scale = state.scale if state.length == "cm" else None
        plots.occupancy(points, state.times[part], size, zones=zones, image=image, scale=scale, ax=right)
        return figure

    def save(self, path: Path | str | None = None) -> Path:
        """Write the table as csv, by default beside the plots of the video; returns its path."""
        import pandas as pd

        state = self._state
        name = f"{self._video.stem}-zones-{state.start}-{state.stop - 1}.csv"
        target = self._project.plots_dir(self._video) / name if path is None else Path(path)
        target.parent.mkdir(parents=True, exist_ok=True)
        with atomic_path(target) as temporary:
            pd.DataFrame(self.found()[1][0]).to_csv(temporary, index=False, lineterminator="\n", float_format="%.6g")
        return target


def _table(rows: list[dict[str, Any]], unit: str, part: str, every: bool) -> Markup:
    """Rows of `zone_table` in words: of one bodypart, which the heading names, or of ``every`` one that is drawn."""
    heads = [_head(words.format(unit=unit), tip) for words, tip in (COLUMNS if every else COLUMNS[1:-1])]
    cells = []
    for r in rows:
        numbers = (f"{r['time_s']:.2f}", _known(100 * r["time_share"], ".0f", " %"), r["entries"],
                   _known(r["latency_s"], ".2f"), _known(r[f"distance_{unit}"], ".1f"),
                   _known(r[f"mean_speed_{unit}_s"], ".2f"))  # fmt: skip
        cells.append((r["bodypart"], r["zone"], *numbers, _known_time(r)) if every else (r["zone"], *numbers))
    of_one = "" if every or not rows else f" · {rows[0]['bodypart']}, seen for {_known_time(rows[0])}"
    return heading("in zones", part + of_one) + table(heads, cells)


def _head(words: str, tip: str) -> Markup:
    return markup('<span title="{}">{}</span>', tip, words)


def _known_time(row: dict[str, Any]) -> str:
    """How long the bodypart is known, and what share of the time that is."""
    return f"{row['known_s']:.2f} s ({_known(100 * row['known_share'], '.0f', ' %')})"


def _known(value: float, form: str, after: str = "") -> str:
    return f"{value:{form}}{after}" if np.isfinite(value) else "–"
