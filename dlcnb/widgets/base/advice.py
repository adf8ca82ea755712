"""Advice of the lower rooms, which name commands, in the words of the page: its steps and buttons."""

from __future__ import annotations

import re

__all__ = ["in_studio"]

PLACES = {  # command -> where Studio does the same
    "add-videos": "Add videos, in the step Videos and frames of Studio",
    "analyze": "Analyze, in the step Look of Studio",
    "compare": "the scorer is under the gear of Studio",
    "bodyparts": "the gear of Studio",
    "evaluate": "the step Evaluate of Studio",
    "extract": "the step Videos and frames of Studio",
    "merge": "Merge, in the step Refine of Studio",
    "new": "New project, at Studio's front door",
    "plot": "Figure, in the step Look of Studio",
    "outliers": "the step Refine of Studio",
    "scale": "Look, Zones, centimetres in Studio",
    "studio": "Open, at Studio's front door",
    "train": "the step Train of Studio",
    "zones": "Look, Zones, centimetres in Studio",
}
_ARGUMENTS = r"""(?: (?:'[^']*'|"[^"]*"|\.(?!\s|$)|[^)'",;.`])*)?"""  # up to the end of the clause
_COMMAND = re.compile(rf"(?<!terminal: )`?dlcnb ({'|'.join(PLACES)})\b{_ARGUMENTS}`?")
_OPTIONS = re.compile(r" \(--[^)]*\)|,? or (?:use|name their folder with) --[\w-]+(?: \w+)?(?: \(that of [^)]*\))?")
_SETTING = re.compile(r"\b([a-z]+)_([a-z]+)=")  # learning_rate=0.001


def in_studio(text: str) -> str:
    """A message that names buttons and steps of Studio in place of commands, options and settings of Python.

    What stands behind ``in a terminal:`` stays, as Studio has nothing for it.

    Examples
    --------
    >>> in_studio("no trained network; train one first (dlcnb train '/data/my project')")
    'no trained network; train one first (the step Train of Studio)'
    >>> in_studio("Resume with a lower rate: learning_rate=0.001 (--learning-rate 0.001).")
    'Resume with a lower rate: learning rate 0.001.'
    """
    text = _COMMAND.sub(lambda found: PLACES[found[1]], text)
    return _SETTING.sub(r"\1 \2 ", _OPTIONS.sub("", text))
