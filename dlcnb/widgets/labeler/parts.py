"""The labeler's controls: buttons for every key, and the boxes they stand in."""

from __future__ import annotations

import ipywidgets

from dlcnb.widgets.base.html import Html, markup, muted
from dlcnb.widgets.base.view import button, row
from dlcnb.widgets.labeler.frames import SHOW
from dlcnb.widgets.labeler.keys import GROUPS, MODE_TEXTS, help_html
from dlcnb.widgets.labeler.state import MODES

__all__ = ["ConflictBox", "Controls", "saved_html"]

STEPS = {"1 px": "nudge", "0.1 px": "fine"}
TOGETHER = ("show", "fine nudge")  # groups that have toggles, or share their buttons with another
SAVED = {
    "saved": ("✓ saved", "All edits are in the tables"),
    "unsaved": ("… saving soon", "Every edit is in the journal on disk; the tables follow"),
    "saving": ("… saving", "The tables are being written"),
    "failed": ("⚠ not saved", "The tables could not be written; every edit is safe in the journal"),
}


def saved_html(state):
    """The state of the tables, for the header."""
    text, title = SAVED[state]
    css = f"dlcnb-number dlcnb-saved-{state}"
    return markup('<span role="status" class="{}" title="{}">{}</span>', css, title, text)


class Controls:
    """All controls; ``act(name)`` is called for a button, with the name of an action.

    Attributes
    ----------
    buttons : dict of buttons by the name of their action; ``toggles`` those that stay pressed.
    """

    def __init__(self, session, view, act):
        self.session, self.view = session, view
        plain = [a for name, actions in GROUPS.items() if name not in TOGETHER for a in actions]
        self.buttons = {
            a.name: button(a.icon, a.tooltip, lambda name=a.name: act(name)) for a in plain if a.name != "escape"
        }
        self.toggles = {action.name: self._toggle(action) for action in GROUPS["show"]}
        self._build_fields()
        self._build_tones()

    def _toggle(self, action):
        made = ipywidgets.ToggleButton(
            value=getattr(self.view, action.name), icon=action.icon, tooltip=action.tooltip, layout={"width": "36px"}
        )
        made.add_class("dlcnb-toggle")
        ipywidgets.link((self.view, action.name), (made, "value"))
        return made

    def _build_fields(self):
        session, layout = self.session, ipywidgets.Layout
        self.video = ipywidgets.Dropdown(options=list(session.stores), layout=layout(width="180px", margin="0"))
        self.video.tooltip = "Video"
        self.number = ipywidgets.BoundedIntText(min=1, max=1, layout=layout(width="72px", margin="0"))
        self.number.tooltip = "Go to this frame"
        self.of, self.saved = Html(), Html(saved_html(session.saved))
        self.of.add_class("dlcnb-number")
        self.mode = ipywidgets.ToggleButtons(options=MODES, tooltips=[MODE_TEXTS[mode] for mode in MODES])
        self.mode.style.button_width = "104px"
        self.mode.add_class("dlcnb-modes")
        ipywidgets.link((session, "mode"), (self.mode, "value"))
        names = {"all": "all frames", "new": "not looked at", "in work": "in work", "done": "done"}
        self.show = ipywidgets.Dropdown(options=[(names[s], s) for s in SHOW], layout=layout(width="130px", margin="0"))
        self.show.tooltip = "Frames that the next and previous buttons stop at"
        ipywidgets.link((session, "show"), (self.show, "value"))
        self.step = ipywidgets.ToggleButtons(
            options=list(STEPS), tooltips=["Arrow buttons move by 1 px (Alt+arrows)", "… by 0.1 px (Alt+Shift+arrows)"]
        )
        self.step.style.button_width = "72px"
        self.step.add_class("dlcnb-modes")

    def _build_tones(self):
        self.sliders = {}
        for name, low, high in (("brightness", -1, 1), ("contrast", 0.2, 5), ("gamma", 0.2, 5)):
            made = ipywidgets.FloatLogSlider if low > 0 else ipywidgets.FloatSlider
            limits = {"min": -0.69, "max": 0.69, "step": 0.02} if low > 0 else {"min": low, "max": high, "step": 0.02}
            value = getattr(self.view, name)
            slider = made(value=value, description=name, readout=False, **limits)
            slider.layout = ipywidgets.Layout(width="100%", margin="0")
            slider.style.description_width = "72px"
            slider.tooltip = f"{name.capitalize()} of the display only"
            slider.add_class("dlcnb-own-keys")
            slider.observe(lambda change, name=name: setattr(self.view, name, change.new), "value")
            self.sliders[name] = slider
        self.reset = button("undo", "Brightness, contrast and gamma as recorded", self._reset_tones)

    def _reset_tones(self):
        for name, slider in self.sliders.items():
            slider.value = 0.0 if name == "brightness" else 1.0

    def nudge_name(self, direction):
        """The action of an arrow button, by the chosen step."""
        return f"{STEPS[self.step.value]} {direction}"

    # --- where they stand ---

    def header(self):
        """What is shown and how clicks work."""
        frame = group([self.video, self.number, self.of])
        made = row([frame, group([self.mode, self.buttons["mode"]]), group([self.show]), self.saved])
        made.add_class("dlcnb-header")
        return made

    def rows(self, suggester):
        """The rows of buttons under the picture, with that of the `Suggester`."""
        named = {
            name: [self.buttons[a.name] for a in GROUPS[name]] for name in GROUPS if name not in (*TOGETHER, "other")
        }
        return [
            row([group(named["frames"]), group(named["edits"])]),
            row([group(named["bodyparts"]), group(named["copies"]), group(named["suggestions"])]),
            row([group(named["view"]), group([*self.toggles.values()]), group([self.buttons["help"]])]),
            row([group([Html("nudge"), self.step, *named["nudge"]]), suggester.box]),
        ]

    @staticmethod
    def help():
        """The list of keys, not shown at first."""
        return Html(help_html(), layout=ipywidgets.Layout(display="none"))

    def tones(self):
        """The sliders of brightness, contrast and gamma."""
        title = ipywidgets.HBox([Html(muted("display")), self.reset])
        title.layout = ipywidgets.Layout(justify_content="space-between", align_items="center")
        return ipywidgets.VBox([title, *self.sliders.values()])


class ConflictBox(ipywidgets.VBox):
    """Asks which of two points is right; shows itself while there is a question."""

    def __init__(self, resolve, go_to):
        self._resolve, self._go_to = resolve, go_to
        self.conflict = None
        self.text = Html()
        self.mine = ipywidgets.Button(description="Keep mine", tooltip="Keep the point of this tab")
        self.theirs = ipywidgets.Button(description="Keep theirs", tooltip="Take the other point")
        self.look = ipywidgets.Button(description="Show", tooltip="Open the frame; both points are marked in it")
        self.mine.on_click(lambda _: self._resolve(self.conflict, "mine"))
        self.theirs.on_click(lambda _: self._resolve(self.conflict, "theirs"))
        self.look.on_click(lambda _: self._go_to(self.conflict.image, self.conflict.bodypart))
        super().__init__([self.text, row([self.mine, self.theirs, self.look])])
        self.add_class("dlcnb-conflict")
        self.layout.display = "none"

    def show(self, conflicts):
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


def _value_text(point, visible):
    if point is None:
        return "no point" if visible else "not visible"
    return f"({point[0]:.1f}, {point[1]:.1f})"


def group(children):
    """Controls that belong together."""
    made = ipywidgets.HBox(children)
    made.add_class("dlcnb-group")
    return made
