"""The labeler's progress: a cell per frame of the video, and counts over the project."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import ipywidgets
import numpy as np
from ipycanvas import MultiCanvas

from dlcnb.widgets.base.html import Markup, joined, markup, muted

if TYPE_CHECKING:
    from dlcnb.widgets.labeler.state import LabelSession

__all__ = ["HEIGHT", "STATE_COLORS", "FrameBar", "progress_html"]

HEIGHT = 26
BACKGROUND = (31, 41, 51)
STATE_COLORS = {"new": (96, 108, 120), "in work": (230, 159, 0), "done": (86, 180, 233)}


class FrameBar(MultiCanvas):
    """One cell per extracted frame, coloured by its state; layer 1 shows where we are."""

    def __init__(self, width: int) -> None:
        layout = ipywidgets.Layout(width="100%", max_width=f"{width}px", height=f"{HEIGHT}px", flex="0 0 auto")
        super().__init__(2, width=width, height=HEIGHT, layout=layout)

    def draw_states(self, states: Sequence[str]) -> None:
        """Paint the cells (call within `batch`)."""
        cells, count = self[0], len(states)
        cells.fill_style = f"rgb{BACKGROUND}"
        cells.fill_rect(0, 0, self.width, HEIGHT)
        edges = np.arange(count + 1) * self.width / count
        gap = 1.0 if self.width / count >= 4 else 0.0
        colors = np.array([STATE_COLORS[state] for state in states], np.uint8)
        size = np.diff(edges) - gap
        cells.fill_styled_rects(edges[:-1], np.full(count, 5.0), size, np.full(count, HEIGHT - 10.0), colors, 1.0)

    def draw_place(self, row: int, count: int) -> None:
        """Paint where we are (call within `batch`)."""
        here, cell = self[1], self.width / count
        middle, width = (row + 0.5) * cell, max(cell + 2, 6)
        here.clear()
        for grown, color in ((2, "rgba(0, 0, 0, 0.8)"), (0, "white")):
            here.line_width = 2 + grown
            here.stroke_style = color
            here.stroke_rect(middle - width / 2, 2, width, HEIGHT - 4)

    def row_at(self, x: float, count: int) -> int:
        """The frame's number under a position of the bar."""
        return int(min(max(x / self.width * count, 0), count - 1))


def progress_html(session: LabelSession) -> Markup:
    """How much is done, per video (if there are several) and over all."""
    lines = [(video, session.counts(video)) for video in session.stores] if len(session.stores) > 1 else []
    lines.append(("all videos" if lines else session.video, session.counts()))
    return markup('<div class="dlcnb-progress">{}</div>', joined(_line(*line) for line in lines))


def _line(name: str, counts: Mapping[str, int]) -> Markup:
    total = sum(counts.values())
    parts = joined(
        markup('<i style="width:{:.2f}%;background:rgb{}"></i>', 100 * counts[state] / total, STATE_COLORS[state])
        for state in ("done", "in work")
    )
    text = f"{counts['done']} of {total} done" + (f", {counts['in work']} in work" if counts["in work"] else "")
    return markup(
        '<div><span title="{}">{}</span>{}<span class="dlcnb-bar" role="progressbar" aria-valuemin="0" '
        'aria-valuemax="{}" aria-valuenow="{}">{}</span></div>',
        *(name, name, muted(text), total, counts["done"], parts),
    )
