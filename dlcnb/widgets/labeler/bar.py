"""The labeler's progress: a cell per frame of the video, and counts over the project."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from dlcnb.widgets.base.canvas import PaintCanvas
from dlcnb.widgets.base.html import Markup, joined, markup, muted
from dlcnb.widgets.base.paint import LIGHT, Circles, Polygons, Rectangles, outlined

if TYPE_CHECKING:
    from dlcnb.widgets.labeler.state import LabelSession

__all__ = ["GAP", "HEIGHT", "STATE_COLORS", "FrameBar", "progress_html"]

HEIGHT, GAP = 26, 8  # px: of the bar, and between the picture and it, where a press does nothing
RING = 3.5  # px, its radius
MARK = np.array([[0.0, -5.0], [4.5, 4.0], [-4.5, 4.0]])  # a triangle
BACKGROUND = (31, 41, 51)
STATE_COLORS = {"new": (96, 108, 120), "in work": (230, 159, 0), "done": (86, 180, 233)}


class FrameBar(PaintCanvas):
    """One cell per extracted frame, coloured by its state, some of them marked; layer 1 shows where we are."""

    def __init__(self, width: int) -> None:
        super().__init__((HEIGHT, width))
        self.layout.height, self.layout.margin = f"{HEIGHT}px", f"{GAP}px 0 0"

    def draw_states(self, states: Sequence[str], outliers: Sequence[int] = (), hollow: Sequence[int] = ()) -> None:
        """Paint the cells (call within `batch`).

        Those of the frames numbered in ``outliers`` have a triangle, those in ``hollow`` a ring, as the points of one.
        """
        count, width = len(states), self.size[1]
        edges = np.arange(count + 1) * width / count
        gap = 1.0 if width / count >= 4 else 0.0
        boxes = np.column_stack([edges[:-1], np.full(count, 5.0), np.diff(edges) - gap, np.full(count, HEIGHT - 10.0)])
        colors = np.array([STATE_COLORS[state] for state in states], np.uint8)
        self.paint(0, [Rectangles([(0, 0, width, HEIGHT)], BACKGROUND), Rectangles(boxes, colors)])
        middles = np.column_stack([(edges[:-1] + edges[1:]) / 2, np.full(count, HEIGHT - 5.0)])
        if hollow:
            rings = middles[list(hollow)] - (0, HEIGHT / 2 - 3)
            self.add(0, outlined(Circles(rings, min(RING, max(0.4 * width / count, 1.5)), LIGHT, 1.5)))
        if outliers:
            self.add(0, outlined(Polygons(middles[list(outliers), None] + MARK, LIGHT)))

    def draw_place(self, row: int, count: int) -> None:
        """Paint where we are (call within `batch`)."""
        cell = self.size[1] / count
        middle, width = (row + 0.5) * cell, max(cell + 2, 6)
        here = Rectangles([(middle - width / 2, 2, width, HEIGHT - 4)], (255, 255, 255), width=2)
        self.paint(1, outlined(here, (0, 0, 0), alpha=0.8))

    def row_at(self, x: float, count: int) -> int:
        """The frame's number under a position of the bar."""
        return int(min(max(x / self.size[1] * count, 0), count - 1))


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
    text = f"{counts['done']} of {total} done"
    whole = f"{text}, {counts['in work']} in work (orange in the bar)" if counts["in work"] else text
    return markup(
        '<div title="{}"><span>{}</span>{}<span class="dlcnb-bar" role="progressbar" aria-valuemin="0" '
        'aria-valuemax="{}" aria-valuenow="{}">{}</span></div>',
        *(f"{name}: {whole}", name, muted(text), total, counts["done"], parts),
    )
