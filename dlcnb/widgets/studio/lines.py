"""The lines of a Studio that are always seen: on top where the project stands, at the bottom what is under way."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import ipywidgets
from PIL import Image, ImageDraw

from dlcnb.widgets.base.closing import close_parts
from dlcnb.widgets.base.html import Html, markup, muted, shortened
from dlcnb.widgets.base.view import button, row
from dlcnb.widgets.studio.state import LONGEST, STEPS, TABS, Overview

if TYPE_CHECKING:
    from dlcnb.project import Project
    from dlcnb.widgets.studio.activity import Activity

__all__ = ["Lines", "still"]

WORK = {  # one of `TABS` -> what is under way there, and its name in `Activity`
    "Frames": ("Choosing frames", "Frames"),
    "Train": ("Training", "train"),
    "Evaluate": ("Evaluating", "evaluate"),
    "Trajectories": ("Analyzing", "analyze"),
    "Refine": ("Choosing frames", "Refine"),
}
OTHER = "Opens Train, and trains a new network that goes on from what the last one has learned"


class Lines:
    """The two lines.

    Parameters
    ----------
    leave, do_next, refresh : callable
        What the buttons on top do; ``do_next(True)``: what is offered instead of the next step.
    correct : callable
        ``correct(frame)``: what the offer at the bottom does.
    gear : widget
        At the end of the line on top.
    status, activity
        What the line at the bottom holds.

    Attributes
    ----------
    top, bottom : widgets for the page.
    """

    def __init__(
        self,
        leave: Callable[[], object],
        do_next: Callable[..., object],
        refresh: Callable[[], object],
        correct: Callable[[int], object],
        gear: ipywidgets.Widget,
        status: Html,
        activity: Activity,
    ) -> None:
        self._correct, self._frame, self._activity = correct, 0, activity
        home = button("home", "Other projects: open, new, sample data", leave)
        self.line = Html()
        self.line.add_class("dlcnb-standing")
        self.next_button = ipywidgets.Button(button_style="primary", layout=ipywidgets.Layout(width="auto"))
        self.next_button.on_click(lambda _: do_next())
        self.other_button = button("", OTHER, lambda: do_next(True), "or")
        for one in (self.next_button, self.other_button):
            one.add_class("dlcnb-once")
            one.add_class("dlcnb-read")
        reload = button("refresh", "See what was done elsewhere meanwhile", refresh)
        ways = row([self.next_button, self.other_button], tight=True)  # below the line where it is narrow
        ways.add_class("dlcnb-ways-on")
        self.top = row([home, self.line, ways, reload, gear])
        self.top.add_class("dlcnb-overview")
        offering = "Extract what is ticked in Refine, this frame too, and open this one in the labeler"
        self.offer_button = button("download", offering, self._on_offer, "Extract it", button_style="primary")
        self.folder = Html()  # where there is nothing else to tell
        self.folder.add_class("dlcnb-place")
        self.bottom = ipywidgets.HBox([status, self.folder, self.offer_button, activity.box])
        self.bottom.add_class("dlcnb-bottom")
        self._own = [self.folder, self.offer_button, activity.box]
        self.offer(None)

    def show(self, project: Project, found: Overview, tab: str) -> None:
        """Say where a project stands; what the open ``tab`` shows needs no button that opens it, or a second Stop."""
        self._activity.open_tab(tab)
        self.folder.value, task = muted(shortened(f"saved in {project.root}", 60)), project.task
        goal, words = found.next_step
        at_it = found.awaited or (goal == "Label" and found.outliers <= found.refined)  # by oneself, or by a worker
        alone = at_it and tab == goal
        self.next_button.layout.display = "none" if alone else None
        below = self._under_way(goal) if found.awaited else ""  # else the button says what is next
        whole = f"{task}: {found.summary}\n{found.verdict}\n{below or f'next: {words}'}"
        said = found.beside(tab)
        summary = markup(  # the page shows one of the two
            '<span class="dlcnb-whole">{}</span><span class="dlcnb-brief">{}</span>', said.summary, said.brief
        )
        under_way = markup("<br>{}", muted(below)) if below else ""
        name = shortened(task, LONGEST)
        self.line.value = markup('<span title="{}"><b>{}</b>: {}{}</span>', whole, name, summary, under_way)
        words = words.replace("wait for", "show", 1) if found.awaited else words
        goes_on = found.judged_bad and goal == "Train" and not found.many_since
        _say(self.next_button, words, OTHER if goes_on else _opens(goal))
        other, instead = found.other_step
        _say(self.other_button, instead if alone else f"or {instead}", OTHER if other == "Train" else _opens(other))
        self.other_button.layout.display = None if instead else "none"

    def _under_way(self, tab: str) -> str:
        """What is waited for, and how far it is, as below: "Training: 45% · 4:12 left"."""
        words, name = WORK[tab]
        return self._activity.words(name) or f"{words}\N{NO-BREAK SPACE}…"

    def offer(self, frame: int | None, more: int = 0) -> None:
        """Offer to extract a frame, with so many ``more``, and correct it; None takes the offer back."""
        self._frame = frame or 0
        self.offer_button.description = f"Extract frame {self._frame}" + f" and {more} more" * bool(more)
        self.offer_button.layout.display = "none" if frame is None else None

    def _on_offer(self) -> None:
        frame = self._frame
        self.offer(None)
        self._correct(frame)

    def close(self) -> None:
        """Take both off the page, but for the status line, which is not theirs."""
        self.bottom.children = self._own
        close_parts(self.top, self.bottom)
        self.top.close()
        self.bottom.close()


def _opens(tab: str) -> str:
    """Which step a button opens, and what for."""
    return next((f"Opens {step}: {TABS[tab]}" for step, names in STEPS.items() if tab in names), "")


def _say(one: ipywidgets.Button, words: str, tip: str) -> None:
    """Say what a button does; its tooltip has all of the words, for which there is not always room."""
    one.description = words[:1].upper() + words[1:]
    one.tooltip = f"{one.description}\n{tip}"


def still(lines: list[str], below: Image.Image | None) -> Image.Image:
    """Two lines of text, and what is below them, as one picture."""
    width = max(640, below.width if below is not None else 0)
    drawn = Image.new("RGB", (width, 44 + (below.height if below is not None else 0)), "white")
    for n, line in enumerate(lines):
        ImageDraw.Draw(drawn).text((8, 6 + 18 * n), line, "black")
    if below is not None:
        drawn.paste(below, (0, 44))
    return drawn
