"""What the player can be told, by which keys and buttons."""

from __future__ import annotations

from typing import Any

__all__ = ["BUTTONS", "KEYS"]

KEYS: dict[str, tuple[Any, ...]] = {  # key -> (name of a PlayerState method, its arguments)
    "ArrowLeft": ("step", -1),
    "ArrowRight": ("step", 1),
    "Shift+ArrowLeft": ("step", -10),
    "Shift+ArrowRight": ("step", 10),
    "Home": ("home",),
    "End": ("end",),
    " ": ("toggle",),
    "[": ("go_to_mark", -1),
    "]": ("go_to_mark", 1),
    "+": ("zoom", 1.5),
    "-": ("zoom", 1 / 1.5),
    "0": ("reset_view",),
}
BUTTONS = {  # key -> (icon, tooltip, word), in the order of the row
    "Home": ("fast-backward", "First frame (Home)", ""),
    "Shift+ArrowLeft": ("backward", "Back 10 frames (Shift+Left)", ""),
    "ArrowLeft": ("step-backward", "Previous frame (Left)", ""),
    " ": ("play", "Play or pause (Space)", ""),
    "ArrowRight": ("step-forward", "Next frame (Right)", ""),
    "Shift+ArrowRight": ("forward", "Forward 10 frames (Shift+Right)", ""),
    "End": ("fast-forward", "Last frame (End)", ""),
    "[": ("chevron-left", "Previous marked frame ([)", "Mark"),
    "]": ("chevron-right", "Next marked frame (])", "Mark"),
    "+": ("search-plus", "Zoom in (+, or Ctrl+wheel)", ""),
    "-": ("search-minus", "Zoom out (-, or Ctrl+wheel)", ""),
    "0": ("arrows-alt", "Whole frame (0, or double click)", ""),
}
