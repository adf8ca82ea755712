"""The strip of validation frames below the curves."""

from __future__ import annotations

from pathlib import Path

import ipywidgets
from traitlets import link

from dlcnb.widgets.base.canvas import Painter, encode_jpeg
from dlcnb.widgets.base.html import Html, heading
from dlcnb.widgets.training.preview import draw_preview, read_preview

__all__ = ["PreviewStrip"]

MAPS = {"off": "no score-maps", "linear": "score-maps", "log": "score-maps, log"}


class PreviewStrip(ipywidgets.VBox):
    """Validation frames of a run with labels, predictions and score-maps: one JPEG, sent only when it changed.

    Parameters
    ----------
    state : TrainingState
    failed : callable
        Called with exceptions of the painter's thread.
    """

    _painter = None
    _run = _drawn = _preview = None

    def __init__(self, state, failed):
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
        self.picture = ipywidgets.Image(format="jpeg", value=b"", layout=layout(width="100%", max_width="968px"))
        row = ipywidgets.HBox([self.heading, self.score_maps, self.whole])
        row.add_class("dlcnb-row")
        self._content = (row, self.picture)  # on the page only while there is a preview
        super().__init__(layout=layout(width="100%"))
        self._painter = Painter(self._paint, failed)
        link((state, "score_maps"), (self.score_maps, "value"))
        self.whole.observe(lambda change: setattr(state, "zoomed", not change.new), "value")
        state.observe(lambda _: self.redraw(), ["validations", "score_maps", "zoomed"])

    def watch(self, run):
        """Show the validation frames of a run; None: of no run."""
        self._run = None if run is None else Path(run)
        self.redraw()

    def redraw(self):
        """Paint again, soon, on the painter's thread."""
        self._painter.request()

    def wait(self, timeout=10.0):
        """Block until what was asked for is painted; False after ``timeout`` seconds."""
        return self._painter.wait(timeout)

    def _paint(self):
        run, state = self._run, self.state
        key = (run, _stamp(run), state.score_maps, state.zoomed)
        if key == self._drawn:
            return
        if self._drawn is None or key[:2] != self._drawn[:2]:
            self._preview = None if run is None else read_preview(run)
        preview, self._drawn = self._preview, key
        if preview is None or not preview.images:
            self.children = ()
            return
        root = run.parents[3]  # project/dlc-models-mxnet/iteration-N/run/train
        self.picture.value = encode_jpeg(
            draw_preview(preview, root, score_maps=state.score_maps, zoomed=state.zoomed), 88
        )
        self.heading.value = heading("validation frames", f"at step {preview.step} · ○ label · ● prediction")
        self.children = self._content

    def close(self):
        """Stop painting and take the strip off the page."""
        if self._painter is not None:
            self._painter.close()
        super().close()


def _stamp(run):
    """Tells one version of a run's preview from another; None if there is none."""
    try:
        found = (run / "validation.npz").stat() if run is not None else None
    except OSError:
        return None
    return (found.st_mtime_ns, found.st_size) if found else None
