"""The fields and buttons of TrajectoryView."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import ipywidgets

from dlcnb.trajectories import METHODS
from dlcnb.widgets.base.choices import TO_REFINE, TO_REFINE_TIP, pcutoff_slider
from dlcnb.widgets.base.closing import close_parts
from dlcnb.widgets.base.html import Html, notice, swatch
from dlcnb.widgets.base.view import button, row, set_class
from dlcnb.widgets.trajectories.state import SHOW

if TYPE_CHECKING:
    from dlcnb.widgets.trajectories.state import TrajectoryState
    from dlcnb.widgets.trajectories.view import TrajectoryView

__all__ = ["TrajectoryControls"]

METHOD_NAMES = {"median": "median", "savgol": "Savitzky-Golay", "kalman": "Kalman smoother"}


class TrajectoryControls:
    """Rows ``choices`` (what is drawn), ``bodyparts``, ``moves`` (which part of the video, export), ``caution``.

    In a Studio with little room the less used choices are folded: the button ``more`` shows them.

    Parameters
    ----------
    state : TrajectoryState
    view : TrajectoryView
        Whose methods the buttons call.
    colors : list of str
        Of the bodyparts.
    poses : widget
        First of the choices: whose poses.
    """

    def __init__(
        self, state: TrajectoryState, view: TrajectoryView, colors: Sequence[str], poses: ipywidgets.Widget
    ) -> None:
        self.state, self._view = state, view
        self._build_choices(poses)
        self.bodyparts = row([])
        self.bodyparts.add_class("dlcnb-boxes")
        self.caution = Html(layout=ipywidgets.Layout(margin="4px 0 0 0", display="none"))
        self.show_bodyparts(colors)
        self._build_moves()
        state.observe(lambda _: self.show(), ["start", "stop", *self.fields])
        self.show()

    def _build_choices(self, poses: ipywidgets.Widget) -> None:
        state, layout = self.state, ipywidgets.Layout
        self.pcutoff = pcutoff_slider(state.pcutoff, "290px")
        raw = "Raw poses, filtered ones, or both"
        self.show_choice = _dropdown([(name, name) for name in SHOW], state.show, raw, "106px")
        self.method = _dropdown([(METHOD_NAMES.get(m, m), m) for m in METHODS], state.method, "The filter")
        stretches = self.method.layout
        stretches.width, stretches.flex, stretches.max_width, stretches.min_width = None, "1 1 100px", "150px", "0"
        self.unit = _dropdown(["seconds", "frames"], state.unit, "What the axes over time count", "92px")
        self.trail = ipywidgets.BoundedIntText(
            value=state.trail, min=0, max=100_000, layout=layout(width="64px", margin="0")
        )
        self.trail.tooltip = "Frames before and after the present one that the trail shows"
        self.length = _dropdown(
            ["px", "cm"], state.length, "Unit of lengths; cm need a scale (tab Zones, centimetres)", "64px"
        )
        fields = {
            "pcutoff": self.pcutoff, "show": self.show_choice, "method": self.method, "unit": self.unit,
            "length": self.length, "trail": self.trail,
        }  # fmt: skip
        for name, field in fields.items():
            field.observe(partial(self._on_field, name), "value")
        self.fields = fields
        named = [_named("trail", self.trail, "frames"), _named("axis in", self.unit), _named("lengths in", self.length)]
        self.more = ipywidgets.ToggleButton(
            description="More settings", tooltip="pcutoff, trail, units; in a low page, what filters, moves and saves",
            layout=layout(width="auto"),
        )  # fmt: skip
        self.more.add_class("dlcnb-more-button")
        settings = row(named, tight=True)
        settings.add_class("dlcnb-more")
        self.pcutoff.add_class("dlcnb-more-narrow")
        self.method.add_class("dlcnb-more-short")
        shown = _named("show", self.show_choice)
        self.choices = row([poses, shown, self.method, self.more, self.pcutoff, settings])
        self.choices.add_class("dlcnb-folding")
        self.more.observe(lambda change: set_class(self.choices, "dlcnb-opened", change.new), "value")

    def show_bodyparts(self, colors: Sequence[str]) -> None:
        """Offer the bodyparts of the poses, of these colours."""
        before = self.bodyparts.children
        self.boxes: list[tuple[ipywidgets.Widget, ipywidgets.Checkbox]] = []
        for name, color in zip(self.state.poses.bodyparts, colors, strict=True):
            box = ipywidgets.Checkbox(
                value=name in self.state.bodyparts, description=name, indent=False,
                layout=ipywidgets.Layout(width="auto", margin="0 12px 0 0"),
            )  # fmt: skip
            box.tooltip = f"Draw {name}"
            box.observe(lambda _: self._on_boxes(), "value")
            self.boxes.append((Html(swatch(color)), box))
        self.bodyparts.children = [row([dot, box], tight=True) for dot, box in self.boxes]
        close_parts(*before)
        for one in before:
            one.close()

    def _build_moves(self) -> None:
        state = self.state
        act = self._view.act
        self.buttons = {
            "reset": button(
                "arrows-h", "The whole video (0, or double click in a plot)", lambda: act(state.reset), "All"
            ),
            "in": button("search-plus", "Zoom in (+, Ctrl+wheel, or drag over a part)", lambda: act(state.zoom, 2)),
            "out": button("search-minus", "Zoom out (-, or Ctrl+wheel)", lambda: act(state.zoom, 0.5)),
            "left": button("chevron-left", "The part before (PageUp)", lambda: act(state.pan, -0.5)),
            "right": button("chevron-right", "The part after (PageDown)", lambda: act(state.pan, 0.5)),
            "follow": button("crosshairs", "Go to the present frame (f)", lambda: act(state.follow), "Now"),
        }
        self.part = ipywidgets.IntRangeSlider(
            min=0, max=state.n_frames, value=(state.start, state.stop), readout=False, continuous_update=False,
            layout=ipywidgets.Layout(flex="1 1 60px", min_width="60px", max_width="280px", margin="0"),
        )  # fmt: skip
        self.part.tooltip = "First and last frame of the part looked at"
        self.part.add_class("dlcnb-own-keys")
        self.part.observe(lambda change: self._view.act(state.look, *change.new), "value")
        view = self._view
        self.figure = button("picture-o", "Save the part looked at as a figure (PNG)", view.save_figure, "Figure")
        self.csv = button("table", "Save the part looked at as a table (csv)", view.save_csv, "csv")
        self.send = button("share", f"{TO_REFINE_TIP} (q)", view.send, TO_REFINE)
        self.send.add_class("dlcnb-to-refine")
        self.send.layout.display = None if view.queue is not None else "none"
        self.moves = row([*self.buttons.values(), self.part, self.figure, self.csv, self.send])
        self.moves.add_class("dlcnb-moves")

    def warn(self, caution: str) -> None:
        """Say what is to be minded about the network that made the poses; empty = nothing."""
        self.caution.value = notice(caution)
        self.caution.layout.display = None if caution else "none"

    def _on_field(self, name: str, change: Any) -> None:
        self._view.choose(name, change.new)

    def _on_boxes(self) -> None:
        self._view.choose("bodyparts", tuple(box.description for _, box in self.boxes if box.value))

    def show(self) -> None:
        """Bring the fields up to date."""
        state = self.state
        for name, field in self.fields.items():
            if field.value != getattr(state, name):
                field.value = getattr(state, name)
        self.length.disabled = state.scale is None
        self.method.disabled = state.show == "raw"
        if self.part.max != state.n_frames:
            self.part.max = state.n_frames
        if self.part.value != (state.start, state.stop):
            self.part.value = (state.start, state.stop)


def _dropdown(options: Sequence[Any], value: str, tooltip: str, width: str = "120px") -> ipywidgets.Dropdown:
    made = ipywidgets.Dropdown(options=options, value=value, layout=ipywidgets.Layout(width=width, margin="0"))
    made.tooltip = tooltip
    return made


def _named(text: str, field: ipywidgets.Widget, after: str = "") -> ipywidgets.HBox:
    made = row([Html(text), field, *([Html(after)] if after else [])], tight=True)
    made.layout.margin = "0 10px 0 0"
    return made
