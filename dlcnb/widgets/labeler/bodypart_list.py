"""The list of bodyparts beside the picture: colour, state, which one is current."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import anywidget
import numpy as np
import traitlets
from numpy.typing import NDArray

from dlcnb.widgets.base.page import page_code

__all__ = ["BodypartList"]

_HERE = Path(__file__).parent


class BodypartList(anywidget.AnyWidget):
    """A list that can have the keyboard focus; a click on a row calls ``chosen(index)``.

    Parameters
    ----------
    names : list of str
    colors : uint8 (K, 3)
    chosen : callable
    """

    _esm = page_code(_HERE / "bodypart_list.js")
    _css = (_HERE / "labeler.css").read_text(encoding="utf-8")

    names = traitlets.List(traitlets.Unicode()).tag(sync=True)
    colors = traitlets.List(traitlets.Unicode()).tag(sync=True)
    states = traitlets.List(
        traitlets.Unicode(), help="Of 'placed', 'not visible', 'open', 'suggested' one for each."
    ).tag(sync=True)
    current = traitlets.Int(0).tag(sync=True)

    def __init__(self, names: Sequence[str], colors: NDArray[np.uint8], chosen: Callable[[int], object]) -> None:
        super().__init__(names=list(names), colors=[f"rgb({r}, {g}, {b})" for r, g, b in colors])
        self._chosen = chosen
        self.on_msg(self._on_message)

    def show(self, states: Sequence[str], current: int) -> None:
        """Bring it up to date, in one message."""
        with self.hold_sync():
            self.states, self.current = list(states), current

    def _on_message(self, _: Any, content: dict[str, Any], buffers: Any) -> None:
        if content.get("type") == "choose":
            self._chosen(int(content["index"]))
