"""What the labeler can be told, by which keys and buttons."""

from __future__ import annotations

from dataclasses import dataclass

from dlcnb.widgets.base.html import joined, markup

__all__ = ["ACTIONS", "KEYS", "Action", "help_html"]


@dataclass(frozen=True)
class Action:
    """A key and a button: ``owner`` ('session', 'view' or 'labeler') gets ``method(*arguments)``."""

    name: str
    keys: tuple[str, ...]
    icon: str
    text: str
    owner: str
    method: str
    arguments: tuple = ()

    @property
    def tooltip(self):
        """What it does, with its keys."""
        return f"{self.text} ({', '.join(map(spoken, self.keys))})"


def _session(name, keys, icon, text, method, *arguments):
    return Action(name, tuple(keys.split()), icon, text, "session", method, arguments)


def _view(name, keys, icon, text, method, *arguments):
    return Action(name, tuple(keys.split()), icon, text, "view", method, arguments)


def _own(name, keys, icon, text, method, *arguments):
    return Action(name, tuple(keys.split()), icon, text, "labeler", method, arguments)


GROUPS = {
    "frames": (
        _session("first", "Home", "fast-backward", "First frame of this video", "go_to_edge", False),
        _session("previous in work", "[", "chevron-left", "Previous frame in work", "go_to_state", "in work", -1),
        _session(
            "previous new", "Shift+ArrowLeft", "backward", "Previous frame not looked at", "go_to_state", "new", -1
        ),
        _session("previous", "a ArrowLeft", "step-backward", "Previous frame", "step", -1),
        _session("next", "d ArrowRight", "step-forward", "Next frame", "step", 1),
        _session("next new", "Shift+ArrowRight", "forward", "Next frame not looked at", "go_to_state", "new", 1),
        _session("next in work", "]", "chevron-right", "Next frame in work", "go_to_state", "in work", 1),
        _session("last", "End", "fast-forward", "Last frame of this video", "go_to_edge", True),
    ),
    "edits": (
        _session("undo", "Ctrl+z", "undo", "Undo", "undo"),
        _session("redo", "Ctrl+Z Ctrl+y", "repeat", "Redo", "redo"),
        _own("save", "Ctrl+s", "save", "Save the tables now", "save"),
    ),
    "bodyparts": (
        _session("previous bodypart", "w ArrowUp", "arrow-up", "Previous bodypart", "step_bodypart", -1),
        _session("next bodypart", "s ArrowDown", "arrow-down", "Next bodypart", "step_bodypart", 1),
        _session("delete", "Backspace Delete", "trash", "Delete the current bodypart's point", "delete"),
        _session("hide", "n", "ban", "Mark the current bodypart as not visible, or take that back", "hide"),
        _session("finish", "f", "check", "Frame done: open bodyparts are not visible; again: back in work", "finish"),
    ),
    "copies": (
        _session(
            "copy previous", "p", "clone", "Copy the points of the previous labeled frame to open ones", "copy_previous"
        ),
        _session("copy", "Ctrl+c", "copy", "Copy this frame's points", "copy"),
        _session("paste", "Ctrl+v", "paste", "Paste points to open bodyparts", "paste"),
    ),
    "suggestions": (
        _session("accept", "Enter", "check-circle", "Accept the suggestion for the current bodypart", "accept"),
        _session("accept all", "Shift+Enter", "check-double", "Accept all suggestions above pcutoff", "accept_all"),
    ),
    "view": (
        _view("zoom out", "-", "search-minus", "Zoom out, or wheel", "zoom", 1 / 1.5),
        _view("zoom in", "+ =", "search-plus", "Zoom in, or wheel", "zoom", 1.5),
        _view("whole", "0 Ctrl+r", "arrows-alt", "Whole frame", "reset_view"),
        _own("pan left", "Ctrl+ArrowLeft", "caret-left", "Look further left, or drag the picture", "pan", 1, 0),
        _own("pan right", "Ctrl+ArrowRight", "caret-right", "Look further right", "pan", -1, 0),
        _own("pan up", "Ctrl+ArrowUp", "caret-up", "Look further up", "pan", 0, 1),
        _own("pan down", "Ctrl+ArrowDown", "caret-down", "Look further down", "pan", 0, -1),
    ),
    "nudge": (
        _own("nudge left", "Alt+ArrowLeft", "arrow-left", "Move the point 1 px left", "nudge", -1, 0),
        _own("nudge right", "Alt+ArrowRight", "arrow-right", "Move the point 1 px right", "nudge", 1, 0),
        _own("nudge up", "Alt+ArrowUp", "arrow-up", "Move the point 1 px up", "nudge", 0, -1),
        _own("nudge down", "Alt+ArrowDown", "arrow-down", "Move the point 1 px down", "nudge", 0, 1),
    ),
    "fine nudge": (
        _own("fine left", "Alt+Shift+ArrowLeft", "arrow-left", "… 0.1 px left", "nudge", -0.1, 0),
        _own("fine right", "Alt+Shift+ArrowRight", "arrow-right", "… 0.1 px right", "nudge", 0.1, 0),
        _own("fine up", "Alt+Shift+ArrowUp", "arrow-up", "… 0.1 px up", "nudge", 0, -0.1),
        _own("fine down", "Alt+Shift+ArrowDown", "arrow-down", "… 0.1 px down", "nudge", 0, 0.1),
    ),
    "show": (
        _view("loupe", "l", "search", "Magnify what is under the pointer", "toggle", "loupe"),
        _view("ghost", "g", "ghost", "Points of the previous labeled frame, as crosses", "toggle", "ghost"),
        _view("skeleton", "k", "project-diagram", "Lines of the skeleton", "toggle", "skeleton"),
        _view("names", "t", "font", "Names beside the points", "toggle", "names"),
        _view("labels", "v", "eye", "Show points at all", "toggle", "labels"),
    ),
    "other": (
        _session("mode", "m", "random", "Next mode: sequential, quick, loop", "next_mode"),
        _own("help", "?", "question", "Show all keys", "toggle_help"),
        _own("escape", "Escape", "times", "Give up the drag, close the help", "escape"),
    ),
}
ACTIONS = {action.name: action for group in GROUPS.values() for action in group}
MODE_TEXTS = {
    "sequential": "A click places the bodypart, then the next open one of this frame is up",
    "quick": "A click places the bodypart, then the same bodypart of the next frame is up",
    "loop": "As quick; after the last frame it goes on with the next bodypart at the first",
}


def _keys():
    """Key -> name of an action; with Caps Lock on, letters do the same."""
    found = {}
    for action in ACTIONS.values():
        for key in action.keys:
            found[key] = action.name
            if len(key) == 1 and key.islower():
                found.setdefault(key.upper(), action.name)
    return found


KEYS = _keys()


def spoken(key):
    """A key as people write it: ``Shift+ArrowRight`` -> ``Shift+→``."""
    for name, sign in {"Left": "←", "Right": "→", "Up": "↑", "Down": "↓"}.items():
        key = key.replace(f"Arrow{name}", sign)
    if key.startswith("Ctrl+") and len(key) == 6 and key[-1].isalpha():
        key = "Ctrl+Shift+" + key[-1] if key[-1].isupper() else "Ctrl+" + key[-1].upper()
    return key.upper() if len(key) == 1 else key


def help_html():
    """All keys, and what the pointer does, as a list."""
    pointer = {
        "click": "Place the current bodypart",
        "drag a point": "Move it",
        "drag": "Move the picture (also with the middle or right button)",
        "wheel": "Zoom to the pointer",
        "two fingers": "Zoom and move",
        "Shift+click": "Make the point there the current bodypart",
    }
    rows = list(pointer.items())
    rows += [(" or ".join(map(spoken, action.keys)), action.text) for action in ACTIONS.values()]
    cells = joined(markup("<div><kbd>{}</kbd> {}</div>", keys, text) for keys, text in rows)
    return markup('<div class="dlcnb-keys" role="region" aria-label="Keys">{}</div>', cells)
