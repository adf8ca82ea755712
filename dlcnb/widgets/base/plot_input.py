"""Input for bqplot figures: clicks and drags anywhere in a plot, wheel and keys, which bqplot itself does not tell."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import anywidget
import traitlets

from dlcnb.widgets.base.page import page_code

__all__ = ["PlotInput", "name_plot"]

_HERE = Path(__file__).parent


class PlotInput(anywidget.AnyWidget):
    """Sends one message per gesture on a figure (see `name_plot`) inside the nearest ancestor of class ``root_class``.

    Put it into the same box as the figures; it shows nothing itself. Messages are dicts with ``type`` and ``plot``:

    - ``click``, ``wheel``: with ``x, y`` (shares of the plot's area, from its upper left corner), its ``width, height``
      in CSS px, and ``dy`` of the wheel (CSS px; down is positive). The wheel is told with Ctrl only: else it scrolls.
    - ``brush``: a drag along x, ``from`` and ``to`` (shares of the width); only on plots over time.
    - ``double``: a double click.
    - ``key``: with ``key``, one of ``grab``, while a plot has the focus. No JupyterLab shortcut fires meanwhile.
    """

    _esm = page_code(_HERE / "plot_input.js")
    _css = (_HERE / "widgets.css").read_text(encoding="utf-8")

    root_class = traitlets.Unicode("dlcnb").tag(sync=True)
    grab = traitlets.List(traitlets.Unicode()).tag(sync=True)
    reveal = traitlets.Unicode(
        "", help="CSS class of what a page is to scroll to, and to keep in sight while it grows; the page empties it."
    ).tag(sync=True)
    attached = traitlets.Int(0, help="How many times a page has attached it.").tag(sync=True)

    def __init__(self, keys: Iterable[str], on_message: Callable[[dict[str, Any]], object], root_class: str) -> None:
        super().__init__(grab=list(keys), root_class=root_class)
        self.on_msg(lambda _, message, buffers: on_message(message))


def name_plot(figure: Any, name: str, over_time: bool = False) -> None:
    """Let `PlotInput` see a `bqplot.Figure`; ``over_time`` plots can be brushed and zoomed by Ctrl+wheel."""
    for css in ("dlcnb-plot", f"dlcnb-plot-{name}", *(["dlcnb-plot-over-time"] if over_time else [])):
        figure.add_class(css)
