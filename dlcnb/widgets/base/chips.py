"""Names to add and to take away: a row of chips, and a field for the next ones."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

import ipywidgets

from dlcnb.widgets.base.quiet import Quiet
from dlcnb.widgets.base.view import button

__all__ = ["Chips"]


class Chips(ipywidgets.HBox):
    """A row of names; in the field, commas are between them, as a name may have blanks.

    Parameters
    ----------
    names : list of str
        To begin with.
    changed : callable, optional
        Called without arguments when the user has added or taken away one.
    adding : str
        What the field for the next ones says; without it there is none.

    Attributes
    ----------
    names : list of str
    """

    def __init__(
        self, names: Sequence[str] = (), changed: Callable[[], object] = lambda: None, *, adding: str = ""
    ) -> None:
        self._changed, self._quiet, self.names = changed, Quiet(), list[str]()
        self.field = ipywidgets.Text(
            placeholder=adding, continuous_update=False, layout=ipywidgets.Layout(width="150px")
        )
        self.field.observe(self._quiet.ignored(lambda change: self._on_text(change.new)), "value")
        self._adding = bool(adding)
        self._shown: list[ipywidgets.Widget] = []
        super().__init__()
        self.add_class("dlcnb-row")
        self.add_class("dlcnb-tight")
        self.add_class("dlcnb-chips")
        self.set(names)

    def set(self, names: Sequence[str]) -> None:
        """Show other names."""
        self.names = list(names)
        before, self._shown = self._shown, [*map(self._chip, self.names), *([self.field] if self._adding else [])]
        self.children = self._shown
        for old in before:
            if old is not self.field:
                old.layout.close()
                old.style.close()
                old.close()

    def _chip(self, name: str) -> ipywidgets.Button:
        made = button("times", f"Take {name} away", lambda: self._remove(name), name)
        made.add_class("dlcnb-chip")
        return made

    def _remove(self, name: str) -> None:
        self.set([other for other in self.names if other != name])
        self._changed()

    def _on_text(self, text: str) -> None:
        new = [" ".join(name.split()) for name in re.split(r"[,;\n]", text) if name.strip()]
        self._quiet.set(self.field, value="")
        if new:
            self.set(list(dict.fromkeys([*self.names, *new])))
            self._changed()
