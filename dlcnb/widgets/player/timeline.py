"""The strip under a video: where it is labeled, where it is doubtful, where we are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from dlcnb.labels import Labels
from dlcnb.labels.core import frame_number
from dlcnb.widgets.base.canvas import PaintCanvas
from dlcnb.widgets.base.paint import Color, Lines, Rectangles, Thing

if TYPE_CHECKING:
    from dlcnb.widgets.player.state import PlayerState

__all__ = ["LANES", "Timeline", "frame_numbers", "labeled_frames", "lane_things", "playhead_things"]

HEIGHT = 42
BACKGROUND = (31, 41, 51)
PLAYHEAD = (255, 255, 255)
LANES = {  # name -> colour, from the top down; the last is none that a bodypart can have
    "labeled": (86, 180, 233),
    "outliers": (230, 159, 0),
    "low likelihood": (216, 220, 224),
}


def lane_things(state: PlayerState, width: int, lanes: Mapping[str, Color] = LANES) -> list[Thing]:
    """Lanes and marks of a `PlayerState` on a strip ``width`` px wide; ``lanes`` are names and colours."""
    tall, things = HEIGHT / len(lanes), [Rectangles([(0, 0, width, HEIGHT)], BACKGROUND)]
    for lane, (name, color) in enumerate(lanes.items()):
        top = lane * tall + 1
        if name == "low likelihood":
            share = state.low_likelihood(width // 2)
            (where,) = np.nonzero(share)
            left, thick, alpha = 2 * where, 2.0, 0.25 + 0.75 * share[where]
        else:
            frames = np.asarray(state.marks.get(name, ()), float)
            thick, alpha = max(2.0, width / state.n_frames), np.ones(1)
            left = np.unique(np.round((frames + 0.5) / state.n_frames * width - thick / 2))
        boxes = np.column_stack([left, np.tile((top, thick, tall - 2), (len(left), 1))])
        things.append(Rectangles(boxes, color, alpha=alpha))
    lines = [[(0, y), (width, y)] for y in (round(lane * tall) + 0.5 for lane in range(1, len(lanes)))]
    return [*things, Lines(lines, PLAYHEAD, alpha=0.18)]


def playhead_things(state: PlayerState, width: int) -> list[Thing]:
    """Where a `PlayerState` is on a strip ``width`` px wide."""
    x = min(max((state.frame + 0.5) / state.n_frames * width, 2.5), width - 2.5)  # all of it on the strip
    return [
        Rectangles([(x - 2.5, 0, 5, HEIGHT)], (0, 0, 0), alpha=0.8),
        Rectangles([(x - 1, 0, 2, HEIGHT)], PLAYHEAD),
    ]


class Timeline(PaintCanvas):
    """Layer 0: the marks, drawn when they change. Layer 1: the playhead, drawn with each frame."""

    def __init__(self, width: int, lanes: Mapping[str, Color] = LANES) -> None:
        self._lanes = lanes
        super().__init__((HEIGHT, width))
        self.layout.height = f"{HEIGHT}px"

    def draw_marks(self, state: PlayerState) -> None:
        """Paint lanes and marks of a `PlayerState`, unless they are shown already (call within `batch`)."""
        key = state.revision, state.pcutoff
        if key != self.shown:
            self.paint(0, lane_things(state, self.size[1], self._lanes))
            self.shown = key

    def draw_playhead(self, state: PlayerState) -> None:
        """Paint where we are (call within `batch`)."""
        self.paint(1, playhead_things(state, self.size[1]))


def labeled_frames(labels: Labels | Sequence[int] | None, stem: str) -> Sequence[int]:
    """Frame numbers of the images of the video ``stem`` that have a point, where names say them; a list stays as is."""
    if labels is None:
        return ()
    if not isinstance(labels, Labels):
        return labels
    there = np.isfinite(labels.points).any((1, 2))
    images = [image for image, some in zip(labels.images, there, strict=True) if some]
    return frame_numbers([image for image in images if Path(image).parent.name == stem])


def frame_numbers(images: Iterable[str]) -> list[int]:
    """Frame numbers of images, of those whose names say them."""
    numbers = (frame_number(image) for image in images)
    return [number for number in numbers if number is not None]
