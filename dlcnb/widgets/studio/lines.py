"""The lines of a Studio that are always seen: on top where the project stands, at the bottom what is under way."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import ipywidgets
from PIL import Image, ImageDraw

from dlcnb.widgets.base.closing import close_parts
from dlcnb.widgets.base.html import Html, markup, muted, shortened
from dlcnb.widgets.base.view import button, row
from dlcnb.widgets.studio.state import TABS, Overview

if TYPE_CHECKING:
    from dlcnb.project import Project
    from dlcnb.widgets.studio.activity import Activity

__all__ = ["Lines", "still"]

WORK = {  # one of `TABS` -> what is under way there, and its name in `Activity`
    "Frames": ("choosing frames", "Frames"),
    "Train": ("training", "train"),
    "Evaluate": ("evaluating", "evaluate"),
    "Trajectories": ("analyzing", "analyze"),
    "Refine": ("choosing frames", "Refine"),
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
        self.line = Html(layout=ipywidgets.Layout(flex="1 1 180px", min_width="0"))
        self.next_button = ipywidgets.Button(button_style="primary", layout=ipywidgets.Layout(width="auto"))
        self.next_button.on_click(lambda _: do_next())
        self.other_button = button("", OTHER, lambda: do_next(True), "or")
        reload = button("refresh", "See what was done elsewhere meanwhile", refresh)
        ways = row([self.next_button, self.other_button, reload, gear], tight=True)  # below the line where it is narrow
        ways.layout.flex = "0 1 auto"
        self.top = row([home, self.line, ways])
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
        self.next_button.layout.display = "none" if found.awaited and tab == goal else None
        next_one = f"· {self._under_way(goal)}" if found.awaited else "· next:"
        whole = f"{task}: {found.summary}\n{found.verdict}\n{next_one}"  # where a low pane has no room for it
        self.line.value = markup(
            '<span title="{}"><b>{}</b>: {} {}</span>', whole, task, found.summary, muted(next_one)
        )
        words = words.replace("wait for", "show", 1) if found.awaited else words
        self.next_button.description = words[:1].upper() + words[1:]
        other, instead = found.other_step
        self.other_button.description = f"Or {instead}"
        self.other_button.layout.display = None if instead else "none"
        self.other_button.tooltip = OTHER if other == "Train" else f"Opens {other}: {TABS.get(other, '')}"
        self.next_button.tooltip = OTHER if found.judged_bad and goal == "Train" else f"Opens {goal}: {TABS[goal]}"

    def _under_way(self, tab: str) -> str:
        """What is waited for, and how far it is: "training: 45% · 4:12 left"."""
        words, name = WORK[tab]
        how_far = self._activity.how_far(name)
        return f"{words}: {how_far}" if how_far else f"{words} …"

    def offer(self, frame: int | None) -> None:
        """Offer to extract a frame and correct it; None takes the offer back."""
        self._frame = frame or 0
        self.offer_button.description = f"Extract frame {self._frame}"
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


def still(lines: list[str], below: Image.Image | None) -> Image.Image:
    """Two lines of text, and what is below them, as one picture."""
    width = max(640, below.width if below is not None else 0)
    drawn = Image.new("RGB", (width, 44 + (below.height if below is not None else 0)), "white")
    for n, line in enumerate(lines):
        ImageDraw.Draw(drawn).text((8, 6 + 18 * n), line, "black")
    if below is not None:
        drawn.paste(below, (0, 44))
    return drawn
