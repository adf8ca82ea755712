"""Fields that several widgets have: a list to choose from, the pcutoff, the way of a frame to Refine."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import takewhile

import ipywidgets

from dlcnb.widgets.base.quiet import Quiet

__all__ = ["QUEUED", "TO_REFINE", "TO_REFINE_TIP", "offer", "pcutoff_slider", "short_names"]

TO_REFINE = "Add to Refine"  # a button that puts the present frame into the queue of an OutlierQueue
TO_REFINE_TIP = "Put the present frame among the frames to correct, in the step Refine"
LONG = 12  # letters: names that have so much of their beginning in common go without it in a list
QUEUED = "Frame {} is among the frames to correct, in the step Refine."


def offer(
    field: ipywidgets.Dropdown, options: Sequence[tuple[str, str]], chosen: str | None, nothing: str, quiet: Quiet
) -> None:
    """Fill a list, as no gesture of the user.

    Parameters
    ----------
    field : Dropdown
    options : (words, value) each
    chosen : str or None
        The value shown; one that is not among the options shows none of them.
    nothing : str
        What stands there, and can't be pressed, where there are no options.
    quiet : Quiet
        Of who listens to the field.
    """
    offered = list(options) or [(nothing, "")]  # None would be shown as nothing
    values = [value for _, value in offered]
    with quiet:
        if list(field.options) != offered:
            field.options = offered
        field.value = chosen if chosen in values else None if options else ""
    field.disabled = not options


def pcutoff_slider(value: float, width: str) -> ipywidgets.FloatSlider:
    """A slider from 0 to 1 that says what the pcutoff is; ``width`` as CSS says it."""
    made = ipywidgets.FloatSlider(
        min=0,
        max=1,
        step=0.01,
        value=value,
        description="sure from (pcutoff)",
        layout=ipywidgets.Layout(width=width, margin="0"),
    )
    made.style.description_width = "124px"
    made.tooltip = "Points of a likelihood below the pcutoff count as not found"
    made.add_class("dlcnb-own-keys")
    return made


def short_names(names: Sequence[str]) -> list[str]:
    """Names without the beginning, in whole words, that each has in common with another one, if that is long.

    Examples
    --------
    >>> short_names(["openfield_mouse_1.mp4", "openfield_mouse_12.mp4", "wheel.mp4"])
    ['…1.mp4', '…12.mp4', 'wheel.mp4']
    """
    return [_short(name, names) for name in names]


def _short(name: str, names: Sequence[str]) -> str:
    begin = max((_common(name, other) for other in names if other != name), key=len, default="")
    return f"…{name.removeprefix(begin)}" if len(begin) >= LONG else name


def _common(one: str, other: str) -> str:
    """How two names begin, in whole words; of each a word is left."""
    mine, others = (re.findall(r"[^-_ ]*[-_ ]", name) for name in (one, other))
    same = takewhile(lambda pair: pair[0] == pair[1], zip(mine, others, strict=False))
    return "".join(word for word, _ in same)
