"""What the labeler can be told, by which keys and buttons."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import Any

from dlcnb.widgets.base.html import Markup, heading, joined, markup

__all__ = ["ACTIONS", "GROUPS", "KEYS", "Action", "help_html", "spoken"]


@dataclass(frozen=True)
class Action:
    """A key and a button: ``owner`` (the labeler, or its session, view, crosshair…) gets ``method(*arguments)``.

    ``label`` is what the button says, ``text`` what the list of keys and the tooltip say.
    """

    name: str
    keys: tuple[str, ...]
    icon: str
    label: str
    text: str
    owner: str
    method: str
    arguments: tuple[Any, ...] = ()

    @property
    def tooltip(self) -> str:
        """What it does, with its keys."""
        return f"{self.text} ({', '.join(map(spoken, self.keys))})"


def _a(name: str, keys: str, icon: str, label: str, text: str, call: str, *arguments: Any) -> Action:
    owner, method = call.split(".")
    return Action(name, tuple(keys.split()), icon, label, text, owner, method, arguments)


GROUPS = {
    "frames": (
        _a("previous", "a ArrowLeft", "step-backward", "", "Previous frame", "session.step", -1),
        _a("next", "d ArrowRight", "step-forward", "", "Next frame", "session.step", 1),
        _a("first", "Home", "fast-backward", "First frame", "First frame of this video", "session.go_to_edge", False),
        _a("last", "End", "fast-forward", "Last frame", "Last frame of this video", "session.go_to_edge", True),
        _a("previous new", "Shift+ArrowLeft", "backward", "Previous new", "Previous frame not looked at",
           "session.go_to_state", "new", -1),
        _a("next new", "Shift+ArrowRight", "forward", "Next new", "Next frame not looked at",
           "session.go_to_state", "new", 1),
        _a("previous in work", "[", "chevron-left", "Previous in work", "Previous frame in work",
           "session.go_to_state", "in work", -1),
        _a("next in work", "]", "chevron-right", "Next in work", "Next frame in work",
           "session.go_to_state", "in work", 1),
    ),
    "edits": (
        _a("undo", "Ctrl+z", "undo", "Undo", "Undo", "session.undo"),
        _a("redo", "Ctrl+Z Ctrl+y", "repeat", "Redo", "Redo", "session.redo"),
        _a("save", "Ctrl+s", "save", "Save now", "Save the tables now", "labeler.save"),
    ),
    "bodyparts": (
        _a("hide", "n", "ban", "Not visible", "Mark the current bodypart as not visible, or undo that",
           "session.hide"),
        _a("delete", "Delete Backspace", "trash", "Delete point", "Delete the current bodypart's point",
           "session.delete"),
        _a("previous bodypart", "w ArrowUp", "arrow-up", "Previous bodypart", "Previous bodypart",
           "session.step_bodypart", -1),
        _a("next bodypart", "s ArrowDown", "arrow-down", "Next bodypart", "Next bodypart",
           "session.step_bodypart", 1),
    ),
    "done": (
        _a("done next", "f", "check", "Done → next",
           "Mark the frame as done (open bodyparts as not visible), and go to the next frame that is not done; while "
           "there are outlier frames to correct, from one to the next",
           "session.finish_and_go_on"),
        _a("finish", "F", "check-square-o", "Done and stay",
           "Mark the frame as done, and stay here; again: back in work",
           "session.finish"),
    ),
    "copies": (
        _a("copy previous", "p", "clone", "Copy previous",
           "Show the points of the previous labeled frame, hollow, at open bodyparts", "session.copy_previous"),
        _a("copy", "Ctrl+c", "copy", "Copy points", "Copy this frame's points", "session.copy"),
        _a("paste", "Ctrl+v", "paste", "Paste points", "Show copied points, hollow, at open bodyparts",
           "session.paste"),
    ),
    "hollow": (
        _a("accept all", "Shift+Enter", "check-square", "Accept all",
           "Accept the hollow points that were copied or reach pcutoff; pressed again, the unsure ones, too. If no "
           "bodypart is open then, go to the next frame that is not done", "session.accept_all_and_go_on"),
        _a("accept", "Enter", "check-circle", "Accept one", "Accept the hollow point of the current bodypart",
           "session.accept"),
        _a("follow", "j", "forward", "Follow the labels",
           "Follow the labels of this frame, or of the previous labeled one, through the next frames of the video, up "
           "to the next labeled one; again: stop", "follower.toggle"),
    ),
    "show": (
        _a("loupe", "l", "search", "Loupe", "Magnify what is under the pointer", "view.toggle", "loupe"),
        _a("ghost", "g", "history", "Ghosts",
           "Faint crosses where the open bodyparts were in the previous labeled frame: to compare; they are not labels",
           "view.toggle", "ghost"),
        _a("skeleton", "k", "share-alt", "Skeleton", "Lines of the skeleton", "view.toggle", "skeleton"),
        _a("names", "t", "font", "Names", "Names beside the points", "view.toggle", "names"),
        _a("labels", "v", "eye", "Points", "Show points at all", "view.toggle", "labels"),
    ),
    "video": (
        _a("context", "Space", "play", "Frames around", "Play the 15 frames before and after, while the key is held",
           "context.play_once"),
        _a("full screen", "x", "expand", "", "Full screen, and back", "labeler.full_screen"),
    ),
    "zoom": (
        _a("zoom out", "-", "search-minus", "Zoom out", "Zoom out, or Ctrl+wheel", "view.zoom", 1 / 1.5),
        _a("zoom in", "+ =", "search-plus", "Zoom in", "Zoom in, or Ctrl+wheel", "view.zoom", 1.5),
        _a("whole", "0 Ctrl+r", "arrows-alt", "Whole frame", "Whole frame", "view.reset_view"),
        _a("pan left", "Ctrl+ArrowLeft", "caret-left", "Left", "Look further left, or drag the picture",
           "labeler.pan", 1, 0),
        _a("pan right", "Ctrl+ArrowRight", "caret-right", "Right", "Look further right", "labeler.pan", -1, 0),
        _a("pan up", "Ctrl+ArrowUp", "caret-up", "Up", "Look further up", "labeler.pan", 0, 1),
        _a("pan down", "Ctrl+ArrowDown", "caret-down", "Down", "Look further down", "labeler.pan", 0, -1),
    ),
    "nudge": (
        _a("nudge left", "Alt+ArrowLeft", "arrow-left", "", "Move the point 1 px left", "labeler.nudge", -1, 0),
        _a("nudge right", "Alt+ArrowRight", "arrow-right", "", "Move the point 1 px right", "labeler.nudge", 1, 0),
        _a("nudge up", "Alt+ArrowUp", "arrow-up", "", "Move the point 1 px up", "labeler.nudge", 0, -1),
        _a("nudge down", "Alt+ArrowDown", "arrow-down", "", "Move the point 1 px down", "labeler.nudge", 0, 1),
    ),
    "fine nudge": (
        _a("fine left", "Alt+Shift+ArrowLeft", "arrow-left", "", "… 0.1 px left", "labeler.nudge", -0.1, 0),
        _a("fine right", "Alt+Shift+ArrowRight", "arrow-right", "", "… 0.1 px right", "labeler.nudge", 0.1, 0),
        _a("fine up", "Alt+Shift+ArrowUp", "arrow-up", "", "… 0.1 px up", "labeler.nudge", 0, -0.1),
        _a("fine down", "Alt+Shift+ArrowDown", "arrow-down", "", "… 0.1 px down", "labeler.nudge", 0, 0.1),
    ),
    "other": (
        _a("crosshair", "c", "crosshairs", "Crosshair for keys",
           "Label without a mouse: the number of a field takes a crosshair there, again and again, arrows move it "
           "(Shift: far, Alt: 1 px), Enter places, 0 shows all fields again", "crosshair.toggle"),
        _a("mode", "m", "random", "Next mode", "Next mode: sequential, quick, loop", "session.next_mode"),
        _a("help", "?", "question", "", "Show all keys", "labeler.toggle_help"),
        _a("escape", "Escape", "times", "Close", "Cancel the drag; close the list of keys, the menu, the crosshair",
           "labeler.escape"),
    ),
}  # fmt: skip
TITLES = {
    "frames": "Frames", "edits": "Edits", "bodyparts": "Bodyparts", "done": "Done", "copies": "Copies",
    "hollow": "Hollow points", "show": "Shown", "video": "Video and screen", "zoom": "Zoom", "nudge": "Nudge",
    "fine nudge": "Nudge finely", "other": "More",
}  # fmt: skip
ACTIONS = {action.name: action for group in GROUPS.values() for action in group}
MODE_TEXTS = {
    "sequential": "A click places the bodypart; then the next open bodypart of this frame is current",
    "quick": "A click places the bodypart; then the next frame is shown, with the same bodypart",
    "loop": "As quick; after the last frame it goes back to the first one with the next bodypart",
}
POINTER_TEXTS = {
    "click": "Place the bodypart that is named at the pointer: the one you chose, wherever that is; else the next in "
    "order, or another one whose suggested point is clicked",
    "drag a point": "Move it",
    "drag": "Move the picture (also with the middle or right button)",
    "Ctrl+wheel": "Zoom to the pointer; zoomed in, the wheel alone does",
    "two fingers": "Zoom and move",
    "Shift+click": "Make the point there the current bodypart",
    "1 to 9": "Make that bodypart of the list the current one; with the crosshair, go to that field",
}
MARK_TEXTS = {
    "● ■ ◆ ▲": "A label; the ring is around the current bodypart",
    "×": "Where the bodypart was in the labeled frame before; not a label (G shows or hides them)",
    "○": "Suggested, not a label yet: accept it, or click where it belongs; in the bar of frames, a frame with some",
    "?": "Beside a suggested point: unsure, its likelihood is below the project's pcutoff",
    "▲": "In the bar of frames: an outlier frame, which the network got wrong",
}
FIRST = (
    "Click on the bodypart that is marked in the list; then the next one is. Not visible passes over one that can't be "
    "seen. Done → next opens the next frame. Nothing needs to be saved. ? or Escape closes this list."
)
PAGE = '<!DOCTYPE html><meta charset="utf-8"><title>Keys of the dlcnb labeler</title><style>{}</style><body>{}'
PRINTED = """body {{ columns: 2; font: 10pt sans-serif; }} section {{ break-inside: avoid; margin-bottom: 8pt; }}
kbd {{ display: inline-block; min-width: 20pt; border: 1px solid #888; border-radius: 2pt; padding: 0 3pt; }}"""
HELD = (" ",)  # keys that do something as long as they are down
REPEATING = ("a", "d", "w", "s", "[", "]")  # those that go on while they are held: from frame to frame, part to part
KEYS = {" " if key == "Space" else key: action.name for action in ACTIONS.values() for key in action.keys}


def spoken(key: str) -> str:
    """A key as people write it: ``Shift+ArrowRight`` -> ``Shift+→``."""
    for name, sign in {"Left": "←", "Right": "→", "Up": "↑", "Down": "↓"}.items():
        key = key.replace(f"Arrow{name}", sign)
    *held, last = key.rsplit("+", 1) if len(key) > 1 else [key]
    if len(last) == 1 and last.isalpha():
        held += ["Shift"] if last.isupper() else []
        last = last.upper()
    return "+".join([*held, last])


def help_html() -> Markup:
    """All keys, and what the pointer does, in groups."""
    groups = {"Marks in the picture": list(MARK_TEXTS.items()), "Mouse, touch and digits": list(POINTER_TEXTS.items())}
    for name, actions in GROUPS.items():
        groups[TITLES[name]] = [(" or ".join(map(spoken, action.keys)), action.text) for action in actions]
    sections = []
    for title, rows in groups.items():
        lines = joined(markup("<div><kbd>{}</kbd> {}</div>", keys, text) for keys, text in rows)
        sections.append(markup("<section>{}{}</section>", heading(title), lines))
    first = markup('<div class="dlcnb-first">{}</div>', FIRST)
    keys = joined([first, *sections])
    page = markup(PAGE, markup(PRINTED), keys).encode()
    link = markup(
        '<a class="dlcnb-print" download="dlcnb-keys.html" href="data:text/html;charset=utf-8;base64,{}">{}</a>',
        *(base64.b64encode(page).decode(), "A page to print"),
    )
    return markup('<div class="dlcnb-keys" role="region" aria-label="Keys">{}{}</div>', link, keys)
