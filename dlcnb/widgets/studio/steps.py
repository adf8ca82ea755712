"""The steps of the work as tabs, what is inside each of them, and what is behind the gear."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import ipywidgets

from dlcnb.widgets.base.compat import Tab
from dlcnb.widgets.base.html import Html, heading
from dlcnb.widgets.base.quiet import Quiet
from dlcnb.widgets.base.view import button, row, set_class
from dlcnb.widgets.studio.state import STEPS, TABS

__all__ = ["Steps"]

BEHIND_THE_GEAR = "Bodyparts"
NAMES = {
    "Check": "Check the labels",
    "Map": "Postures",
    "Zones": "Zones, centimetres",
}  # of those that share a step with another


class Steps:
    """Which of `TABS` is open.

    Parameters
    ----------
    opened : callable
        Called without arguments when the user has opened another one.
    beside : {one of `TABS`: widget}
        What stands beside the switch of a step while that one of its panes is open.

    Attributes
    ----------
    panes : {one of `TABS`: its box}
    tabs, gear : widgets for the page; the pane behind the gear takes the place of the tabs.
    closing : its first row, with a button that closes it.
    """

    def __init__(self, opened: Callable[[], object], beside: Mapping[str, ipywidgets.Widget]) -> None:
        self._opened, self._beside, self._quiet = opened, beside, Quiet()
        self.panes = {name: ipywidgets.VBox(layout=ipywidgets.Layout(min_width="0")) for name in TABS}
        for pane in self.panes.values():
            pane.add_class("dlcnb-pane")
        self.panes["Label"].add_class("dlcnb-fills")
        self.panes["Frames"].add_class("dlcnb-picking")
        self.gear = ipywidgets.ToggleButton(
            icon="cog", tooltip="Bodyparts and skeleton: rename, add, remove", layout=ipywidgets.Layout(width="auto")
        )
        self._switches: dict[str, ipywidgets.ToggleButtons] = {}
        self._heads: dict[str, ipywidgets.HBox] = {}
        self.tabs = Tab([self._box(step, names) for step, names in STEPS.items()])
        self.show_titles({step: step for step in STEPS})
        self.behind = self.panes[BEHIND_THE_GEAR]
        self.behind.add_class("dlcnb-behind")
        back = button("times", "Back to the steps of the work", lambda: setattr(self.gear, "value", False), "Close")
        self.closing = row([Html(heading("Bodyparts, skeleton, scorer", "renamed in all files")), back])
        self.closing.add_class("dlcnb-closing")
        self._arrange()
        for widget, trait in (
            (self.tabs, "selected_index"),
            (self.gear, "value"),
            *((one, "value") for one in self._switches.values()),
        ):
            widget.observe(self._quiet.ignored(lambda _: self._on_gesture()), trait)

    def _box(self, step: str, names: tuple[str, ...]) -> ipywidgets.VBox:
        panes = [self.panes[name] for name in names]
        if len(names) == 1:
            return ipywidgets.VBox(panes)
        switch = ipywidgets.ToggleButtons(options=[(NAMES.get(name, name), name) for name in names], value=names[0])
        switch.tooltips = [TABS[name] for name in names]
        switch.style.button_width = "auto"
        self._switches[step] = switch
        head: ipywidgets.Widget = switch
        if any(name in self._beside for name in names):
            head = self._heads[step] = row([switch], tight=True)
            head.add_class("dlcnb-head")
        made = ipywidgets.VBox([head, *panes])
        made.add_class("dlcnb-step")
        return made

    def _on_gesture(self) -> None:
        self._arrange()
        self._opened()

    @property
    def tab(self) -> str:
        """The one of `TABS` that is open."""
        if self.gear.value:
            return BEHIND_THE_GEAR
        step = list(STEPS)[self.tabs.selected_index or 0]
        return self._switches[step].value if step in self._switches else STEPS[step][0]

    def open(self, tab: str) -> None:
        """Open one of `TABS`; ``opened`` is not called."""
        with self._quiet:
            self.gear.value = tab == BEHIND_THE_GEAR
            for n, (step, names) in enumerate(STEPS.items()):
                if tab in names:
                    self.tabs.selected_index = n
                    if step in self._switches:
                        self._switches[step].value = tab
        self._arrange()

    def show_titles(self, titles: Mapping[str, str]) -> None:
        """Show the steps with their state: {step: title}."""
        for n, step in enumerate(STEPS):
            title = step + titles[step].removeprefix(step).replace(" ", "\N{NO-BREAK SPACE}")
            if self.tabs.get_title(n) != title:
                self.tabs.set_title(n, title)

    def _arrange(self) -> None:
        """Hide what is not open: in a step that has two panes, the other one; of tabs and gear, the other one."""
        for step, switch in self._switches.items():
            for name in STEPS[step]:
                _show(self.panes[name], name == switch.value)
            set_class(switch, "dlcnb-beside", switch.value == "Label")
            if step in self._heads:
                beside = self._beside.get(switch.value)
                self._heads[step].children = [switch, *([] if beside is None else [beside])]
        _show(self.tabs, not self.gear.value)
        _show(self.behind, self.gear.value)


def _show(widget: ipywidgets.Widget, wanted: bool) -> None:
    display = None if wanted else "none"
    if widget.layout.display != display:
        widget.layout.display = display
