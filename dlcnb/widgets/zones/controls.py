"""The fields and buttons beside the picture of ZoneEditor."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import ipywidgets

from dlcnb.widgets.base.compat import Accordion
from dlcnb.widgets.base.html import Html, heading, joined, legend, markup, muted
from dlcnb.widgets.base.quiet import Quiet
from dlcnb.widgets.base.view import button, row
from dlcnb.widgets.zones.draw import zone_colors
from dlcnb.widgets.zones.keys import BUTTONS, RARELY, TOGETHER, TOOL_WORDS
from dlcnb.widgets.zones.state import HOW, POINTS
from dlcnb.zones import PRESETS

if TYPE_CHECKING:
    from dlcnb.project import Scale
    from dlcnb.widgets.zones.editor import ZoneEditor

__all__ = ["ZoneControls"]

ALL = "all other videos"
THIS, WHOLE = "this video", "all videos"
TIMES = "Time in zones\N{NO-BREAK SPACE}…"
TIMES_TIP = "Time, entries and distance in these zones: a table and a csv, under Look, Trajectories"
WIDER = {"px": 20.0, "cm": 2.0}  # by how much a zone around another one is wider at first
MORE = "More: around a zone, size, copies"


class ZoneControls:
    """``top`` (video, frame), ``tools`` and ``moves`` above and below the picture, ``side`` beside it.

    Parameters
    ----------
    editor : ZoneEditor
        Whose methods the buttons call.
    videos : list of str
        Names of the project's videos.
    """

    def __init__(self, editor: ZoneEditor, videos: list[str]) -> None:
        self._editor, self._quiet = editor, Quiet()
        self._build_top(videos)
        self._build_zones()
        self._build_presets()
        self._build_copy(videos)
        self._build_scale()
        inside = ipywidgets.VBox([self.rarely, self.around, self.copying])
        self.more = Accordion([inside], selected_index=None)
        self.more.set_title(0, MORE)
        self.side = ipywidgets.VBox(
            [self.zones, self.making, self.scaling, self.more],
            layout=ipywidgets.Layout(
                width="270px", flex="1 1 250px", min_width="0", max_width="480px", overflow="visible"
            ),
        )

    # --- what it is made of ---

    def _build_top(self, videos: list[str]) -> None:
        editor = self._editor
        self.video = ipywidgets.Dropdown(options=videos, layout=_layout("220px"))
        self.video.tooltip = "The video whose zones these are"
        self.video.observe(self._quiet.ignored(lambda change: editor.choose_video(change.new)), "value")
        self.frame = ipywidgets.IntSlider(min=0, max=1, readout=False, layout=_layout("160px"))
        self.frame.tooltip = "The frame that is shown"
        self.frame.add_class("dlcnb-own-keys")
        self.frame.observe(self._quiet.ignored(lambda change: editor.go(change.new)), "value")
        self.number = Html()
        self.number.add_class("dlcnb-number")
        self.again = button(
            "refresh", "Read zones and scale again, as another program may have changed them", editor.refresh
        )
        self.fit = button(
            "arrows-alt", "Scale the zones to the frames of this video", editor.fit_zones, "Fit the zones"
        )
        frame = row([Html("frame"), self.frame, self.number], tight=True)
        self.top = row([Html("video"), self.video, frame, self.again, self.fit])
        self.tool_buttons = {}
        for tool, (word, icon, tooltip) in TOOL_WORDS.items():
            made = ipywidgets.ToggleButton(
                description=word, icon=icon, tooltip=tooltip, layout=ipywidgets.Layout(width="auto")
            )
            made.observe(self._quiet.ignored(partial(self._on_tool, tool)), "value")
            self.tool_buttons[tool] = made
        drawing = [made for tool, made in self.tool_buttons.items() if tool not in POINTS]
        self.tools = row(
            [*drawing, row([Html("centimetres:"), *(self.tool_buttons[tool] for tool in POINTS)], tight=True)]
        )
        self.buttons = {
            key: button(icon, tip, partial(editor.press_key, key), word) for key, (icon, tip, word) in BUTTONS.items()
        }
        self.moves, self.rarely = (
            row(row([self.buttons[key] for key in keys], tight=True) for keys in groups)
            for groups in (TOGETHER, RARELY)
        )
        for group in (*self.moves.children[1:], *self.rarely.children[1:]):
            group.add_class("dlcnb-gap")

    def _build_zones(self) -> None:
        self.list = ipywidgets.SelectMultiple(rows=4, layout=_layout("100%"))
        self.list.layout.height = "76px"  # empty, too, so that nothing below it moves
        self.list.tooltip = "The zones; the selected ones"
        self.list.add_class("dlcnb-own-keys")
        self.list.observe(self._quiet.ignored(self._on_list), "value")
        self.name = ipywidgets.Text(placeholder="name", continuous_update=False, layout=_layout("170px"))
        self.name.tooltip = "Name of the selected zone"
        self.name.add_class("dlcnb-typed-over")
        self.name.observe(self._quiet.ignored(lambda change: self._editor.act("rename", change.new)), "value")
        self.facts, self.why_no_times = Html(), Html()
        self.facts.add_class("dlcnb-legend")
        self.times = button("table", TIMES_TIP, self._editor.show_times, TIMES, "184px")
        named = [row([Html("name"), self.name, self.times]), self.why_no_times, self.facts]
        self.zones = ipywidgets.VBox(
            [Html(heading("zones")), self.list, *named], layout=ipywidgets.Layout(overflow="visible")
        )

    def _build_presets(self) -> None:
        self.preset = ipywidgets.Dropdown(options=list(PRESETS), layout=_layout("150px"))
        self.preset.tooltip = "Zones of usual arenas"
        self.share = ipywidgets.BoundedFloatText(min=0.01, max=0.99, step=0.05, layout=_layout("64px"))
        self.of = Html()
        self.preset.observe(lambda _: self._on_preset(), "value")
        make = button(
            "magic",
            "Make these zones in place of the selected one, or in the picture without its plain borders",
            self._make,
            "Make",
        )
        self.making = ipywidgets.VBox(
            [Html(heading("zones of usual arenas")), row([self.preset, make, row([self.share, self.of], tight=True)])],
            layout=ipywidgets.Layout(overflow="visible"),
        )
        self._on_preset()
        self.margin = ipywidgets.BoundedFloatText(value=WIDER["px"], min=0.1, max=1e5, layout=_layout("70px"))
        self.margin.tooltip = "How far around the selected zone the new one reaches"
        self.margin_unit = Html("px")
        grow = button("bullseye", "Make another zone around the selected one, as around an object",
                      lambda: self._editor.grow(self.margin.value), "Zone around it")  # fmt: skip
        self.around = row([grow, Html("wider by"), self.margin, self.margin_unit])

    def _build_copy(self, videos: list[str]) -> None:
        self.target = ipywidgets.Dropdown(options=[ALL, *videos], layout=_layout("190px"))
        self.target.tooltip = "Where the zones are copied to, scaled to the size of the frames"
        copy = button("copy", "Copy all zones of this video there", lambda: self._editor.copy(self._targets()), "Copy")
        self.replace = ipywidgets.Checkbox(
            description="replace zones that are there", indent=False, layout=_layout("auto")
        )
        self.copying = ipywidgets.VBox(
            [Html(heading("copy to")), row([self.target, copy]), self.replace],
            layout=ipywidgets.Layout(overflow="visible", display=None if len(videos) > 1 else "none"),
        )

    def _build_scale(self) -> None:
        self.scale = Html()
        self.width = ipywidgets.BoundedFloatText(value=40, min=0.01, max=1e5, layout=_layout("76px"))
        self.width.tooltip = "Length in cm; of four corners, from the first to the second"
        self.height = ipywidgets.BoundedFloatText(value=30, min=0.01, max=1e5, layout=_layout("76px"))
        self.height.tooltip = "cm from the second corner to the third"
        self.second = row([Html("×"), self.height, Html("cm")], tight=True)
        self.whose = ipywidgets.Dropdown(options=[THIS, WHOLE], layout=_layout("106px"))
        self.whose.tooltip = "Which videos the scale is for"
        editor = self._editor
        self.set_scale = button("check", "Keep this scale", self._on_scale, "Keep")
        self.drop = button(
            "times", "Forget what is measured and not kept (Esc)", lambda: editor.act("drop_ruler"), "Clear"
        )
        undo = button("undo", "Undo the last change of the scale", editor.undo_scale, "Undo")
        fields = row([self.width, Html("cm"), self.second])
        kept = row([Html("for"), self.whose, self.set_scale, self.drop, undo])
        self.scaling = ipywidgets.VBox(  # the words last, as their length changes and nothing to press is to move
            [Html(heading("centimetres")), fields, kept, self.scale], layout=ipywidgets.Layout(overflow="visible")
        )

    # --- what they do ---

    def _on_list(self, change: Any) -> None:
        self._editor.act("choose", change.new)

    def _on_tool(self, tool: str, _: Any) -> None:
        self._editor.act("use", tool)

    def _on_preset(self) -> None:
        _, words, usual = PRESETS[self.preset.value]
        self.share.layout.display = "none" if usual is None else None
        self.share.tooltip, self.of.value = f"How much {words}", muted(words if usual is not None else "")
        if usual is not None:
            self.share.value = usual

    def _make(self) -> None:
        self._editor.make(self.preset.value, self.share.value)

    def _targets(self) -> list[str]:
        every = [name for name in self.video.options if name != self.video.value]
        return every if self.target.value == ALL else [self.target.value]

    def _on_scale(self) -> None:
        self._editor.measure(self.width.value, self.height.value, whole=self.whose.value == WHOLE)

    # --- what they show ---

    def show(self, scale: str, frames: int, misfit: bool) -> None:
        """Bring the fields up to date: the scale in words, the number of frames, whether zones do not fit."""
        state = self._editor.state
        with self._quiet:
            self.frame.max = max(frames - 1, 1)
            self.frame.value = state.frame
            self.number.value = markup("{} {}", state.frame, muted(f"of {max(frames - 1, 0)}"))
            options = [(zone.name, n) for n, zone in enumerate(state.zones)]
            if list(self.list.options) != options:
                self.list.value = ()  # first: the page can't select what is not in the list any more
                self.list.options = options
            self.list.value = state.chosen
            self.name.value, self.name.disabled = (state.zone.name, False) if state.zone else ("", True)
            for tool, made in self.tool_buttons.items():
                made.value = tool == state.tool
        names = [(color, zone.name) for color, zone in zip(zone_colors(len(state.zones)), state.zones, strict=True)]
        self.facts.value = legend(names) if names else muted("No zone yet: draw one, or press Make.")
        self.scale.value = joined([markup("{}", scale), *map(muted, self._how_to_measure())], markup("<br>"))
        corners = (state.tool if state.tool in POINTS else state.measure) == "corners"
        self.second.layout.visibility = "visible" if corners else "hidden"  # its place is kept: nothing moves
        self.set_scale.disabled, self.drop.disabled = not state.measured, not state.ruler
        self.buttons["Ctrl+z"].disabled, self.buttons["Ctrl+y"].disabled = not state.undoable, not state.redoable
        self.fit.layout.display = None if misfit else "none"

    def show_length(self, scale: Scale | None) -> None:
        """Begin with the centimetres that a scale was measured by."""
        cm = (scale.size_cm or (scale.length_cm, None)) if scale is not None else (None, None)
        for field, length in zip((self.width, self.height), cm, strict=True):
            field.value = length or field.value

    def show_unit(self, unit: str) -> None:
        """Measure in ``unit``, px or cm, how much wider a zone around another one is."""
        if self.margin_unit.value != unit:
            self.margin_unit.value, self.margin.value = unit, WIDER[unit]

    def show_times(self, why: str, words: str) -> None:
        """Show ``why`` there are no times in zones yet, and the ``words`` of a button that changes that, if one can."""
        self.why_no_times.value = muted(why)
        self.why_no_times.layout.display = None if why else "none"
        self.times.description, self.times.icon = words or TIMES, "cogs" if words else "table"
        self.times.disabled, self.times.tooltip = bool(why) and not words, why or TIMES_TIP

    def _how_to_measure(self) -> list[str]:
        """What is to be done with the tool that measures; nothing with another one."""
        state = self._editor.state
        done = len(state.ruler) if state.tool == state.measure else 0
        if state.tool in POINTS:
            return [f"{HOW[state.tool]} ({done} of {POINTS[state.tool]})"]
        if state.ruler:
            return [
                f"Measured ({len(state.ruler)} of {POINTS[state.measure]} points), not kept yet: press Keep or Clear."
            ]
        return []


def _layout(width: str) -> ipywidgets.Layout:
    return ipywidgets.Layout(width=width, margin="0")
