"""The videos that are chosen: of each its first frame, how long and how large it is, and a button to take it away."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import ipywidgets
import numpy as np
from PIL import Image

from dlcnb.video import DamagedFrameError, VideoError, VideoReader
from dlcnb.widgets.base.canvas import Painter
from dlcnb.widgets.base.closing import close_parts
from dlcnb.widgets.base.html import Html, muted
from dlcnb.widgets.base.jpeg import encode_jpeg
from dlcnb.widgets.base.view import button
from dlcnb.widgets.training.state import clock_text

__all__ = ["ChosenVideos", "facts_of"]

PICTURE = (64, 48)  # px, (width, height) of the place of a first frame
SHARP = 2  # pixels of a first frame for each px of its place


class ChosenVideos(ipywidgets.VBox):
    """A card for each video; pictures and facts come from a thread, as a video may lie on a slow disk.

    Parameters
    ----------
    taken : callable
        Called with the path of a video that is taken away.
    failed : callable
        Called with what goes wrong on the thread.
    hint : str
        What to say while there is none.
    """

    def __init__(self, taken: Callable[[Path], object], failed: Callable[[Exception], object], hint: str) -> None:
        self._taken, self._cards = taken, dict[Path, _Card]()
        self._hint = Html(muted(hint))
        self._painter = Painter(self._look, failed)
        super().__init__([self._hint])
        self.add_class("dlcnb-chosen")

    def set(self, videos: Iterable[Path]) -> None:
        """Show these videos, in their order; what is known of those shown before stays."""
        before = self._cards
        self._cards = {path: before.get(path) or _Card(path, self._taken) for path in videos}
        self.children = list(self._cards.values()) or [self._hint]
        for path in before.keys() - self._cards.keys():
            close_parts(before[path])
            before[path].close()
        if self._cards:
            self._painter.request()

    def _look(self) -> None:
        for card in list(self._cards.values()):
            if not card.looked and card.comm is not None:
                card.look()

    def wait(self, timeout: float = 10.0) -> bool:
        """Block until all videos are looked at; False after ``timeout`` seconds."""
        return self._painter.wait(timeout)

    def close(self) -> None:
        """Stop looking, and take the cards off the page."""
        self._painter.close()
        super().close()


class _Card(ipywidgets.VBox):
    """One video."""

    def __init__(self, path: Path, taken: Callable[[Path], object]) -> None:
        self.path, self.looked = path, False
        width, height = (f"{side}px" for side in PICTURE)
        self.picture = ipywidgets.Image(
            format="jpeg", layout=ipywidgets.Layout(width=width, height=height, flex="0 0 auto", visibility="hidden")
        )
        name = button("times", f"Take {path.name} away", lambda: taken(path), path.name)
        name.add_class("dlcnb-chip")
        self.facts = Html(muted("…"))
        super().__init__([name, ipywidgets.HBox([self.picture, self.facts])])
        self.add_class("dlcnb-card")

    def look(self) -> None:
        """Read the first frame, and what the video is."""
        self.looked = True
        try:
            with VideoReader(self.path) as reader:
                first = _first(reader)
                self.facts.value = muted(facts_of(reader))
        except (VideoError, OSError) as error:  # gone or overwritten since it was chosen
            self.facts.value = muted(str(error))
            return
        if first is not None:
            self.picture.value, self.picture.layout.visibility = first, None


def _first(reader: VideoReader) -> bytes | None:
    """The first frame as a small JPEG; None if it is damaged."""
    try:
        small = Image.fromarray(reader.read(0))
    except DamagedFrameError:
        return None
    small.thumbnail((SHARP * PICTURE[0], SHARP * PICTURE[1]))
    return encode_jpeg(np.asarray(small))


def facts_of(reader: VideoReader) -> str:
    """How long a video is, how large, and how much of it is damaged, as far as that was found: "60 s · 640×480"."""
    seconds, (height, width) = len(reader) / reader.fps, reader.size
    if seconds < 120:
        length = f"{round(seconds, 1 if seconds < 10 else None):g} s"
    else:
        length = f"{clock_text(seconds)} {'h' if seconds >= 3600 else 'min'}"
    damaged = f" · {len(lost)} of {len(reader)} frames are damaged" if (lost := reader.damaged) else ""
    return f"{length} · {width}×{height}{damaged}"
