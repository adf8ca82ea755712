"""What ZoneEditor can be told, by which keys and buttons."""

from __future__ import annotations

from typing import Any

__all__ = ["BUTTONS", "KEYS", "RARELY", "TOGETHER", "TOOL_WORDS"]

# key: (name of a method of the state, its arguments)
KEYS: dict[str, tuple[Any, ...]] = {
    "v": ("use", "choose"),
    "r": ("use", "rectangle"),
    "e": ("use", "ellipse"),
    "p": ("use", "polygon"),
    "l": ("use", "length"),
    "c": ("use", "corners"),
    "Enter": ("finish",),
    "Escape": ("cancel",),
    "n": ("step", 1),
    "N": ("step", -1),
    "h": ("step_handle", 1),
    "H": ("step_handle", -1),
    "i": ("insert_corner",),
    "Backspace": ("delete",),
    "Delete": ("delete",),
    "Ctrl+a": ("choose_all",),
    "Ctrl+z": ("undo",),
    "Ctrl+Z": ("redo",),
    "Ctrl+y": ("redo",),
    "ArrowLeft": ("nudge", -1, 0),
    "ArrowRight": ("nudge", 1, 0),
    "ArrowUp": ("nudge", 0, -1),
    "ArrowDown": ("nudge", 0, 1),
    "Shift+ArrowLeft": ("nudge", -10, 0),
    "Shift+ArrowRight": ("nudge", 10, 0),
    "Shift+ArrowUp": ("nudge", 0, -10),
    "Shift+ArrowDown": ("nudge", 0, 10),
    ",": ("resize", 1 / 1.05),
    ".": ("resize", 1.05),
    "+": ("zoom", 1.5),
    "-": ("zoom", 1 / 1.5),
    "0": ("reset_view",),
}
TOOL_WORDS = {
    "choose": ("Select", "mouse-pointer", "Select and move zones, and pull their corners (v)"),
    "rectangle": ("Rectangle", "square-o", "Drag from corner to corner, or Enter (r)"),
    "ellipse": ("Ellipse", "circle-o", "Drag from corner to corner, or Enter (e)"),
    "polygon": ("Polygon", "star-o", "Click corner after corner, then the first again, or Enter (p)"),
    "length": ("Length", "arrows-h", "Click both ends of something whose cm you know (l)"),
    "corners": ("Corners", "object-group", "Click the four corners of a rectangle on the ground, around it (c)"),
}
BUTTONS = {  # key: (icon, what it does, word where the icon is not known by everybody)
    "Ctrl+z": ("undo", "Undo (Ctrl+z)", ""),
    "Ctrl+y": ("repeat", "Redo (Ctrl+y)", ""),
    "Delete": ("trash", "Delete the selected zones, or the selected corner (Delete)", ""),
    "n": ("chevron-right", "Select the next zone (n)", "Next zone"),
    "h": ("dot-circle-o", "Select the next corner of the zone (h); arrow keys move it, i inserts one", "Next corner"),
    "Ctrl+a": ("clone", "Select all zones (Ctrl+a), to move and resize them together", "All zones"),
    ",": ("compress", "Smaller by 5 % (,)", "Smaller"),
    ".": ("expand", "Larger by 5 % (.)", "Larger"),
    "-": ("search-minus", "Zoom out (-, or Ctrl+wheel)", ""),
    "+": ("search-plus", "Zoom in (+, or Ctrl+wheel)", ""),
    "0": ("arrows-alt", "Whole frame (0, or double click)", ""),
}
TOGETHER = (("Ctrl+z", "Ctrl+y"), ("Delete",), ("-", "+", "0"))  # below the picture, whatever the width
RARELY = (("n", "h", "Ctrl+a"), (",", "."))  # folded, as the pointer does it, too
