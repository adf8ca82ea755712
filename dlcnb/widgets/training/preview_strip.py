"""The strip of validation frames below the curves."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import ipywidgets
from traitlets import link

from dlcnb.run import Run
from dlcnb.widgets.base.canvas import PaintedBox, Painter
from dlcnb.widgets.base.closing import close_parts
from dlcnb.widgets.base.html import Html, heading
from dlcnb.widgets.base.jpeg import encode_jpeg
from dlcnb.widgets.training.preview import draw_preview, preview_size, read_preview

if TYPE_CHECKING:
    from dlcnb.widgets.training.preview import Preview
    from dlcnb.widgets.training.state import TrainingState

__all__ = ["PreviewStrip"]

FINE = 2  # pixels for each px of the picture, for sharp screens
MAPS = {"off": "no score-maps", "linear": "score-maps", "log": "score-maps, log"}


class PreviewStrip(PaintedBox):
    """Validation frames of a run with labels, predictions and score-maps: one JPEG, sent only when it changed.

    Parameters
    ----------
    state : TrainingState
    failed : callable
        Called with exceptions of the painter's thread.
    """

    children: tuple[ipywidgets.Widget, ...]
    _run: Path | None = None
    _drawn: tuple[object, ...] | None = None
    _preview: Preview | None = None

    def __init__(self, state: TrainingState, failed: Callable[[Exception], object]) -> None:
        self.state = state
        layout = ipywidgets.Layout
        self.heading = Html(layout=layout(margin="0"))
        self.score_maps = ipywidgets.Dropdown(
            options=[(text, name) for name, text in MAPS.items()], layout=layout(width="150px", margin="0")
        )
        self.score_maps.tooltip = "Score-maps over the frames; the logarithm shows what else the network thought of"
        self.whole = ipywidgets.ToggleButton(
            description="whole frames",
            tooltip="Show all of each frame, not the animal alone",
            layout=layout(width="120px"),
        )
        self.picture = ipywidgets.Image(format="jpeg", value=b"", layout=layout(width="100%"))
        row = ipywidgets.HBox([self.heading, self.score_maps, self.whole])
        row.add_class("dlcnb-row")
        self._content: tuple[ipywidgets.Widget, ...] = (row, self.picture)  # on the page only while there is a preview
        super().__init__(layout=layout(width="100%"))
        self._painter = Painter(self._paint, failed)
        link((state, "score_maps"), (self.score_maps, "value"))
        self.whole.observe(lambda change: setattr(state, "zoomed", not change.new), "value")
        state.observe(lambda _: self.redraw(), ["validations", "score_maps", "zoomed"])

    def watch(self, run: Path | str | None) -> None:
        """Show the validation frames of a run; None: of no run."""
        self._run = None if run is None else Path(run)
        self.redraw()

    def _paint(self) -> None:
        run, state = self._run, self.state
        key = (run, _stamp(run), state.score_maps, state.zoomed)
        if key == self._drawn:
            return
        if self._drawn is None or key[:2] != self._drawn[:2]:
            self._preview = None if run is None else read_preview(run)
        preview, self._drawn = self._preview, key
        if run is None or preview is None or not preview.images:
            self.children = ()
            return
        root = Run(run).root
        drawn = draw_preview(preview, root, score_maps=state.score_maps, zoomed=state.zoomed, fine=FINE)
        self.picture.layout.max_width = f"{preview_size(preview)[1]}px"
        self.picture.value = encode_jpeg(drawn, 85)
        self.heading.value = heading("validation frames", f"at step {preview.step} · ○ label · ● prediction")
        self.children = self._content

    def close(self) -> None:
        """Stop painting and take the strip off the page."""
        if self._painter is not None:
            self._painter.close()
            close_parts(self, *self._content)
            for part in self._content:  # not on the page while there is no preview
                part.close()
        super().close()


def _stamp(run: Path | None) -> tuple[int, int] | None:
    """Tells one version of a run's preview from another; None if there is none."""
    try:
        found = Run(run).preview_file.stat() if run is not None else None
    except OSError:
        return None
    return (found.st_mtime_ns, found.st_size) if found else None
