"""The strip under a video: where it is labeled, where it is doubtful, where we are."""

from __future__ import annotations

from pathlib import Path

import ipywidgets
import numpy as np
from ipycanvas import MultiCanvas
from PIL import Image, ImageDraw

from dlcnb.labels import Labels, frame_index

__all__ = ["LANES", "Timeline", "labeled_frames", "project_labels", "timeline_image"]

HEIGHT = 42
BACKGROUND = (31, 41, 51)
PLAYHEAD = (255, 255, 255)
LANES = {  # name -> colour (Okabe-Ito, told apart by the colour-blind), from the top down
    "labeled": (86, 180, 233),
    "outliers": (230, 159, 0),
    "low likelihood": (204, 121, 167),
}


def _bars(state, width, lanes):
    """What is to be drawn, as arrays x, y, w, h, colour (n, 3), alpha (n,), one row per bar."""
    rows, tall = [], HEIGHT / len(lanes)
    for lane, (name, color) in enumerate(lanes.items()):
        top = lane * tall + 1
        if name == "low likelihood":
            share = state.low_likelihood(width // 2)
            where = np.flatnonzero(share > 0)
            rows += [(2 * i, top, 2, tall - 2, color, 0.25 + 0.75 * share[i]) for i in where]
        else:
            frames = np.asarray(state.marks.get(name, ()))
            thick = max(2.0, width / state.n_frames)
            left = np.unique(np.round((frames + 0.5) / state.n_frames * width - thick / 2))
            rows += [(x, top, thick, tall - 2, color, 1.0) for x in left]
    if not rows:
        return None
    x, y, w, h, color, alpha = zip(*rows, strict=True)
    return *(np.array(v, float) for v in (x, y, w, h)), np.array(color, np.uint8), np.array(alpha, float)


def _playhead(state, width):
    return (state.frame + 0.5) / state.n_frames * width


class Timeline(MultiCanvas):
    """Layer 0: the marks, drawn when they change. Layer 1: the playhead, drawn with each frame."""

    def __init__(self, width, lanes=LANES):
        self._rows = lanes
        layout = ipywidgets.Layout(width="100%", max_width=f"{width}px", height=f"{HEIGHT}px", flex="0 0 auto")
        super().__init__(2, width=width, height=HEIGHT, layout=layout)

    def draw_marks(self, state):
        """Paint lanes and marks of a `PlayerState` (call within `batch`)."""
        lanes, width = self[0], self.width
        lanes.fill_style = f"rgb{BACKGROUND}"
        lanes.fill_rect(0, 0, width, HEIGHT)
        bars = _bars(state, width, self._rows)
        if bars:
            lanes.fill_styled_rects(*bars)
        lanes.stroke_style = "rgba(255, 255, 255, 0.18)"
        for lane in range(1, len(self._rows)):
            y = round(lane * HEIGHT / len(self._rows)) + 0.5
            lanes.stroke_line(0, y, width, y)

    def draw_playhead(self, state):
        """Paint where we are (call within `batch`)."""
        head, x = self[1], _playhead(state, self.width)
        head.clear()
        head.fill_style = "rgba(0, 0, 0, 0.8)"
        head.fill_rect(x - 2.5, 0, 5, HEIGHT)
        head.fill_style = f"rgb{PLAYHEAD}"
        head.fill_rect(x - 1, 0, 2, HEIGHT)


def timeline_image(state, width, lanes=LANES):
    """The same strip as a PIL image, drawn in the kernel."""
    picture = Image.new("RGB", (width, HEIGHT), BACKGROUND)
    draw = ImageDraw.Draw(picture, "RGBA")
    bars = _bars(state, width, lanes)
    for x, y, w, h, color, alpha in zip(*bars, strict=True) if bars else ():
        draw.rectangle((x, y, x + w - 1, y + h), fill=(*(int(c) for c in color), round(alpha * 255)))
    x = _playhead(state, width)
    draw.rectangle((x - 2, 0, x + 2, HEIGHT), fill=(0, 0, 0, 200))
    draw.rectangle((x - 1, 0, x, HEIGHT), fill=PLAYHEAD)
    return picture


def project_labels(project, video):
    """`Labels` of a video's frames by the project's scorer, or None."""
    folder = project.labeled_dir(video)
    return Labels.read(folder) if any(folder.glob("CollectedData_*")) else None


def labeled_frames(labels, stem):
    """Frame numbers of labeled images of the video ``stem``; a plain list of numbers is returned as it is."""
    if labels is None:
        return ()
    if not isinstance(labels, Labels):
        return labels
    return [frame_index(image) for image in labels.images if Path(image).parent.name == stem]
