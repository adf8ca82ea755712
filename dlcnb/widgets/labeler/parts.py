"""The labeler's controls: header, bar of actions and its two menus, and the box that asks about conflicts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

import ipywidgets
import numpy as np

from dlcnb.widgets.base.html import Html, Markup, joined, markup
from dlcnb.widgets.base.view import button, row, set_class
from dlcnb.widgets.labeler.bar import GAP, HEIGHT
from dlcnb.widgets.labeler.frames import SHOW
from dlcnb.widgets.labeler.history import Point
from dlcnb.widgets.labeler.keys import ACTIONS, GROUPS, MODE_TEXTS, Action, help_html, spoken
from dlcnb.widgets.labeler.state import MODES

if TYPE_CHECKING:
    from dlcnb.labels import Conflict
    from dlcnb.widgets.labeler.screen import Screen
    from dlcnb.widgets.labeler.state import LabelSession
    from dlcnb.widgets.labeler.suggest import Suggester
    from dlcnb.widgets.labeler.view import LabelView

__all__ = ["ConflictBox", "Controls", "Menu", "beside", "saved_html"]

STEPS = {"1 px": "nudge", "0.1 px": "fine"}
ON_THE_BAR = ("undo", "redo", "hide", "copy previous", "accept all", "done next")
SHOW_NAMES = {"all": "all frames", "new": "not looked at", "in work": "in work", "done": "done"}
SAVED = {
    "saved": ("✓ saved", "All edits are in the tables"),
    "unsaved": ("✓ kept", "Every edit is in the journal on disk; the tables follow in seconds"),
    "saving": ("✓ kept", "Every edit is in the journal on disk; the tables are being written"),
    "failed": ("⚠ not saved", "The tables could not be written; every edit is safe in the journal"),
}


MARKS = {  # what is seen in the picture, or the bar below -> (sign, words, more words)
    "ghosts": ("×", "the labeled frame before", f"{ACTIONS['ghost'].text} (G: show or hide them)"),
    "hollow": (
        "○",
        "suggested, not a label yet (?: unsure)",
        "Accept all makes labels of those that reach the project's pcutoff, and pressed again of the unsure ones, too; "
        "Enter of the current one; a click on it places it there, a drag moves it. In the bar of "
        "frames: a frame that has some",
    ),
    "outliers": (
        "▲",
        "outlier frame, below",
        "In the bar of frames: the network was wrong there; Done goes to the next",
    ),
}


def saved_html(state: str) -> Markup:
    """The state of the tables, for the header."""
    text, title = SAVED[state]
    css = f"dlcnb-number dlcnb-saved-{state}"
    return markup('<span role="status" class="{}" title="{}">{}</span>', css, title, text)


def marks_html(names: Iterable[str]) -> Markup:
    """What the marks are that are not labels: these of `MARKS`."""
    seen = [MARKS[name] for name in names]
    lines = joined(markup('<div title="{}"><span>{}</span> {}</div>', more, sign, text) for sign, text, more in seen)
    return markup('<div class="dlcnb-marks">{}</div>', lines) if seen else Markup()


class Menu(ipywidgets.Box):
    """A button that opens and closes a panel, which lies over the picture (see `beside`)."""

    def __init__(self, name: str, tooltip: str, children: Sequence[ipywidgets.Widget]) -> None:
        self.button = button("caret-up", tooltip, self.toggle, name)
        self.panel = ipywidgets.VBox(children, layout=ipywidgets.Layout(display="none"))
        self.panel.add_class("dlcnb-panel")
        for part in (self.button, self.panel):
            part.add_class(f"dlcnb-menu-{name.lower()}")
        super().__init__([self.button])
        self.add_class("dlcnb-menu")

    @property
    def is_open(self) -> bool:
        """Whether the panel is shown."""
        return self.panel.layout.display != "none"

    def toggle(self) -> None:
        """Open or close the panel."""
        self.panel.layout.display = "none" if self.is_open else "flex"

    def close_panel(self) -> bool:
        """Close the panel; True if it was open."""
        was = self.is_open
        self.panel.layout.display = "none"
        return was


class Controls:
    """All controls; ``act(name)`` is called for a button, with the name of an action.

    Attributes
    ----------
    buttons : dict of buttons by the name of their action; ``toggles`` those that stay pressed.
    """

    def __init__(
        self, session: LabelSession, view: LabelView, act: Callable[[str], object], suggester: Suggester
    ) -> None:
        self.session, self.view, self._act, self._suggester = session, view, act, suggester
        plain = [a for name, group in GROUPS.items() if name not in ("show", "fine nudge") for a in group]
        self.buttons = {action.name: self._button(action) for action in plain if action.name != "escape"}
        self.buttons["done next"].button_style = "primary"
        self.buttons["full screen"].add_class("dlcnb-full-screen")
        self.buttons["accept all"].add_class("dlcnb-accept")
        for name in ("done next", "accept all"):
            self.buttons[name].add_class("dlcnb-once")
        self.toggles = {action.name: self._toggle(action) for action in GROUPS["show"]}
        self._build_fields()
        self._build_tones()
        self.menus = (self._suggest_menu(), self._view_menu(), self._more_menu())
        for menu in self.menus:
            menu.button.on_click(lambda _, menu=menu: self._on_menu(menu))

    def _button(self, action: Action) -> ipywidgets.Button:
        text = action.label
        if text and action.name not in ON_THE_BAR:
            text += f"  ({spoken(action.keys[0])})"
        return button(action.icon, action.tooltip, lambda: self._act(action.name), text)

    def _toggle(self, action: Action) -> ipywidgets.ToggleButton:
        made = ipywidgets.ToggleButton(
            value=getattr(self.view, action.name),
            icon=action.icon,
            description=f"{action.label}  ({spoken(action.keys[0])})",
            tooltip=action.tooltip,
        )
        ipywidgets.link((self.view, action.name), (made, "value"))
        return made

    def _build_fields(self) -> None:
        session, layout = self.session, ipywidgets.Layout
        self.video = ipywidgets.Dropdown(options=list(session.stores), layout=layout(width="150px", margin="0"))
        self.video.tooltip = "Video"
        self.number = ipywidgets.BoundedIntText(min=1, max=1, layout=layout(width="64px", margin="0"))
        self.number.tooltip = "Go to this frame"
        self.number.add_class("dlcnb-typed-over")
        self.of, self.saved = Html(), Html(saved_html(session.saved))
        self.of.add_class("dlcnb-number")
        self.mode = ipywidgets.ToggleButtons(options=MODES, tooltips=[MODE_TEXTS[mode] for mode in MODES])
        self.mode.style.button_width = "92px"
        self.mode.add_class("dlcnb-modes")
        ipywidgets.link((session, "mode"), (self.mode, "value"))
        self.show = ipywidgets.Dropdown(
            options=[(SHOW_NAMES[s], s) for s in SHOW], layout=layout(width="116px", margin="0")
        )
        self.show.tooltip = "Frames that the next and previous buttons stop at"
        ipywidgets.link((session, "show"), (self.show, "value"))
        self.step = ipywidgets.ToggleButtons(
            options=list(STEPS), tooltips=["Arrow buttons move by 1 px (Alt+arrows)", "… by 0.1 px (Alt+Shift+arrows)"]
        )
        self.step.style.button_width = "64px"
        self.step.add_class("dlcnb-modes")

    def _build_tones(self) -> None:
        self.sliders = {}
        for name, low, high in (("brightness", -1, 1), ("contrast", 0.2, 5), ("gamma", 0.2, 5)):
            made = ipywidgets.FloatLogSlider if low > 0 else ipywidgets.FloatSlider
            limits = {"min": -0.69, "max": 0.69, "step": 0.02} if low > 0 else {"min": low, "max": high, "step": 0.02}
            wide = ipywidgets.Layout(width="100%", margin="0")
            slider = made(value=getattr(self.view, name), description=name, readout=False, layout=wide, **limits)
            slider.style.description_width = "72px"
            slider.tooltip = f"{name.capitalize()} of the display only"
            slider.add_class("dlcnb-own-keys")
            slider.observe(lambda change, name=name: setattr(self.view, name, change.new), "value")
            self.sliders[name] = slider
        self.reset = button(
            "undo", "Brightness, contrast and gamma as recorded", self._reset_tones, "Picture as recorded"
        )

    def _reset_tones(self) -> None:
        for name, slider in self.sliders.items():
            slider.value = 0.0 if name == "brightness" else 1.0

    def nudge_name(self, direction: str) -> str:
        """The action of an arrow button, by the chosen step."""
        return f"{STEPS[self.step.value]} {direction}"

    def show_asking(self, asking: str) -> None:
        """Let the Done button say whether a second press is awaited."""
        done, states = self.buttons["done next"], [value.state for value in self.session.values()]
        left = states.count("open")
        question = "Really done?" if left == len(states) else f"{left} not visible?"
        done.description = question if asking else ACTIONS["done next"].label
        done.button_style = "warning" if asking else "primary"

    def show_named(self, named: Sequence[str]) -> None:
        """Let the button that accepts say which unsure points its next press takes."""
        accept = self.buttons["accept all"]
        accept.description = f"{len(named)} unsure?" if named else ACTIONS["accept all"].label
        accept.button_style = "warning" if named else ""

    def close_menus(self) -> bool:
        """Close what is open; True if something was."""
        was_open = [menu.close_panel() for menu in self.menus]
        return any(was_open)

    def _on_menu(self, opened: Menu) -> None:
        """Close the others. What is to be seen at work lies over the half of the picture where the points are not."""
        self._suggester.look()
        for menu in self.menus:
            if menu is not opened:
                menu.close_panel()
        if opened is self.menus[0]:  # a press in it closes it: it may hide the animal for that long
            return
        places = self.view.fit.to_canvas(self.session.known_points())[:, 1]
        low = places[np.isfinite(places)] > self.view.canvas_size[0] / 2
        set_class(opened.panel, "dlcnb-high", bool(len(low)) and low.mean() > 0.5)

    # --- where they stand ---

    def header(self) -> ipywidgets.HBox:
        """What is shown, and whether it is saved."""
        way = [self.buttons["previous"], self.number, self.of, self.buttons["next"]]
        tools = row([self.saved, self.buttons["full screen"], self.buttons["help"]], tight=True)
        tools.add_class("dlcnb-tools")
        made = row([self.video, group(way), self.show, tools])
        made.add_class("dlcnb-header")
        return made

    def bar(self) -> ipywidgets.HBox:
        """The actions of every day, and the menus with the rest."""
        b = self.buttons
        groups = [
            [b["undo"], b["redo"]],
            [b["hide"]],
            [b["copy previous"]],
            [self.menus[0], b["accept all"]],
            [b["done next"]],
            self.menus[1:],
        ]
        made = row(map(group, groups))
        made.add_class("dlcnb-actions")
        made.children[-1].add_class("dlcnb-menus")
        return made

    def _suggest_menu(self) -> Menu:
        choices = [self._suggester.button, self.buttons["follow"], self.buttons["accept"]]
        made = Menu(
            "Suggest",
            "Hollow points by a network, or followed from labeled frames",
            [columns(choices), self._suggester.why_not],
        )
        made.panel.add_class("dlcnb-narrow")
        for choice in choices:
            choice.on_click(lambda _: made.close_panel())
        return made

    def show_following(self, busy: bool) -> None:
        """Let the button that follows say what a press does."""
        action, follow = ACTIONS["follow"], self.buttons["follow"]
        follow.description = "Stop following" if busy else f"{action.label}  ({spoken(action.keys[0])})"
        follow.icon = "stop" if busy else action.icon

    def _view_menu(self) -> Menu:
        zoom = [self.buttons[a.name] for a in GROUPS["zoom"]]
        shown = [*self.toggles.values(), self.buttons["context"]]
        return Menu(
            "View",
            "What is shown, zoom, brightness",
            [
                columns(shown),
                columns(zoom),
                columns([*self.sliders.values(), self.reset]),
            ],
        )

    def _more_menu(self) -> Menu:
        rest = ("bodyparts", "done", "copies", "edits", "frames")
        names = [a.name for group in rest for a in GROUPS[group] if a.name not in ON_THE_BAR and a.label]
        nudge = group([Html("nudge"), self.step, *(self.buttons[a.name] for a in GROUPS["nudge"])])
        mode = group([Html("a click"), self.mode])
        return Menu(
            "More",
            "Nudge, modes, copy and paste, go to another frame",
            [mode, nudge, columns([self.buttons[name] for name in ("crosshair", "mode", *names)])],
        )

    @staticmethod
    def help() -> Html:
        """The list of keys, not shown at first."""
        made = Html(help_html(), layout=ipywidgets.Layout(display="none"))
        made.add_class("dlcnb-overlay")
        return made


class ConflictBox(ipywidgets.VBox):
    """Asks which of two points is right; shows itself while there is a question."""

    def __init__(self, resolve: Callable[[Any, str], object], go_to: Callable[[str, str], object]) -> None:
        self._resolve, self._go_to = resolve, go_to
        self.conflict: Conflict | None = None
        self.text = Html()
        self.mine = ipywidgets.Button(description="Keep mine", tooltip="Keep the point of this tab")
        self.theirs = ipywidgets.Button(description="Keep theirs", tooltip="Take the other point")
        self.look = ipywidgets.Button(description="Show", tooltip="Open the frame; both points are marked in it")
        self.mine.on_click(lambda _: self._resolve(self.conflict, "mine"))
        self.theirs.on_click(lambda _: self._resolve(self.conflict, "theirs"))
        self.look.on_click(lambda _: self.conflict and self._go_to(self.conflict.image, self.conflict.bodypart))
        super().__init__([self.text, row([self.mine, self.theirs, self.look])])
        self.add_class("dlcnb-conflict")
        self.layout.display = "none"

    def show(self, conflicts: list[Conflict]) -> None:
        """Ask about the first of these conflicts."""
        self.layout.display = "flex" if conflicts else "none"
        if not conflicts:
            self.conflict = None
            return
        self.conflict = conflict = conflicts[0]
        more = f" ({len(conflicts) - 1} more)" if len(conflicts) > 1 else ""
        mine = _value_text(conflict.mine, conflict.mine_visible)
        theirs = _value_text(conflict.theirs, conflict.theirs_visible)
        self.text.value = markup(
            '<div role="alert"><b>{}</b> in {} was changed here and by {}: mine {}, theirs {}. Which is right?{}</div>',
            *(conflict.bodypart, conflict.image, conflict.whose, mine, theirs, more),
        )


def _value_text(point: Point | None, visible: bool) -> str:
    if point is None:
        return "no point" if visible else "not visible"
    return f"({point[0]:.1f}, {point[1]:.1f})"


def beside(
    screen: Screen, menus: Sequence[Menu], side: Sequence[ipywidgets.Widget], over: ipywidgets.Widget
) -> ipywidgets.Box:
    """The picture, as large as its canvas if there is room, its bar below, and over it the panels of the menus.

    ``side`` is beside it, so that no panel lies over that; ``over`` lies over all.
    """
    canvas, bar, size = screen.canvas, screen.bar, screen.canvas.size
    (height, width), below = size, HEIGHT + GAP
    widest = f"min({width}px, (100cqh - {below}px) * {width / height:.4f})"  # 100cqh: of what is made here
    canvas.layout.max_width = bar.layout.max_width = widest
    picture = ipywidgets.VBox(
        [canvas, bar, *(menu.panel for menu in menus)], layout=ipywidgets.Layout(flex=f"0 1 {widest}")
    )
    picture.add_class("dlcnb-picture")
    column = ipywidgets.VBox(side)
    column.add_class("dlcnb-side")
    high = f"max(160px, min({width}px, 100cqw - 12px - min(170px, 30cqw)) * {height / width:.4f} + {below}px)"
    made = ipywidgets.Box([picture, column, over], layout=ipywidgets.Layout(flex=f"0 1 {high}"))
    made.add_class("dlcnb-columns")
    return made


def group(children: Sequence[ipywidgets.Widget]) -> ipywidgets.HBox:
    """Controls that belong together."""
    made = ipywidgets.HBox(children)
    made.add_class("dlcnb-group")
    return made


def columns(children: Sequence[ipywidgets.Widget]) -> ipywidgets.Box:
    """Controls of a menu, side by side in columns of one width."""
    made = ipywidgets.Box(children)
    made.add_class("dlcnb-choose")
    return made
