"""Names to add and to take away: a row of chips, and a field for the next ones."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

import ipywidgets

from dlcnb.widgets.base.closing import close_parts
from dlcnb.widgets.base.quiet import Quiet
from dlcnb.widgets.base.view import button

__all__ = ["Chips"]


class Chips(ipywidgets.HBox):
    """A row of names, to which those are added that are typed into its field, commas between them.

    Parameters
    ----------
    names : list of str
        To begin with.
    changed : callable, optional
        Called without arguments when the user has added or taken away one.
    adding : str
        What the field for the next ones says.
    offered : bool
        The names are an offer: the first ones that are typed take their place (it is still set while ``changed`` is
        called then), and with one that is taken away the others are accepted.

    Attributes
    ----------
    names : list of str
    field : widget
        Where the next ones are typed; whoever shows the row puts it beside.
    """

    def __init__(
        self, names: Sequence[str] = (), changed: Callable[[], object] = lambda: None, *, adding: str = "",
        offered: bool = False,
    ) -> None:  # fmt: skip
        self._changed, self._quiet, self.names, self.offered = changed, Quiet(), list[str](), offered
        grows = ipywidgets.Layout(flex="1 1 290px", width="auto", min_width="0")
        self.field = ipywidgets.Text(placeholder=adding, continuous_update=False, layout=grows)
        self.field.observe(self._quiet.ignored(lambda change: self._on_text(change.new)), "value")
        self._shown: list[ipywidgets.Widget] = []
        super().__init__()
        self.add_class("dlcnb-row")
        self.add_class("dlcnb-tight")
        self.add_class("dlcnb-chips")
        self.set(names)

    def set(self, names: Sequence[str]) -> None:
        """Show other names."""
        self.names = list(names)
        before, self._shown = self._shown, [*map(self._chip, self.names)]
        self.children = self._shown
        for old in before:
            close_parts(old)
            old.close()

    def _chip(self, name: str) -> ipywidgets.Button:
        made = button("times", f"Take {name} away", lambda: self._remove(name), name)
        made.add_class("dlcnb-chip")
        return made

    def _remove(self, name: str) -> None:
        self.offered = False
        self.set([other for other in self.names if other != name])
        self._changed()

    def _on_text(self, text: str) -> None:
        new = [" ".join(name.split()) for name in re.split(r"[,;\n]", text) if name.strip()]
        self._quiet.set(self.field, value="")
        if new:
            before = [] if self.offered else self.names
            self.set(list(dict.fromkeys([*before, *new])))
            self._changed()
            self.offered = False
