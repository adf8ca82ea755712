"""ipywidgets 7.7 and 8 under one name: the only module that knows where they differ.

Colab's kernel has ipywidgets 7.7 and its pages know no later one; everything else has 8. The widgets are written as for
8, with the containers of here:

- `Tab` and `Accordion` have titles in the words of both: of pages from before 8, and of Colab's, which read 8's
  ``titles`` whatever the kernel has.
- `Shown` shows a widget by what its ``mime`` makes of it. ipywidgets 7 sends that itself, as Colab's hook needs it: it
  sees what is displayed, not what a cell returns.
- ``tooltip`` of a control with a description is 7's ``description_tooltip``.
"""

from __future__ import annotations

from typing import Any

import ipywidgets
import traitlets
from IPython.display import display

__all__ = ["SEVEN", "VIEW", "Accordion", "Shown", "Tab"]

SEVEN = int(ipywidgets.__version__.split(".")[0]) < 8
VIEW = "application/vnd.jupyter.widget-view+json"


class Shown(ipywidgets.VBox):
    """A column whose subclasses have a say in what a page, or a notebook without one, gets of it."""

    def mime(self, data: dict[str, Any]) -> dict[str, Any]:
        """What is shown, by MIME type, made of what ipywidgets shows of itself."""
        return data

    if SEVEN:

        def _repr_mimebundle_(self, **kwargs: Any) -> Any:
            data: dict[str, Any] = {"text/plain": repr(self)}
            if self._view_name is not None:
                data[VIEW] = {"version_major": 2, "version_minor": 0, "model_id": self.model_id}
            return self.mime(data)

        def _ipython_display_(self, **kwargs: Any) -> None:
            display(self._repr_mimebundle_(), raw=True)
            self._handle_displayed(**kwargs)

    else:

        def _repr_mimebundle_(self, **kwargs: Any) -> Any:
            bundle = super()._repr_mimebundle_(**kwargs)
            data, *rest = bundle if isinstance(bundle, tuple) else (bundle,)
            data = None if data is None else self.mime(data)
            return (data, *rest) if rest else data


class _Titled(traitlets.HasTraits):
    """What gives a container of ipywidgets 7 the ``titles`` that one of 8 has."""

    if SEVEN:
        titles = traitlets.Tuple().tag(sync=True)

        def set_title(self, index: int, title: str) -> None:
            """Set the title of a page."""
            super().set_title(index, title)  # type: ignore[misc]  # of the container that this is mixed into
            pages: Any = self
            self.titles = tuple(pages.get_title(n) or "" for n in range(len(pages.children)))


class Tab(_Titled, ipywidgets.Tab):
    """Pages of which one is shown, chosen by the titles above them."""


class Accordion(_Titled, ipywidgets.Accordion):
    """Pages under each other, of which one is open, or none."""


if SEVEN:

    def _tooltip(control: Any) -> str | None:
        return control.description_tooltip

    def _set_tooltip(control: Any, text: str | None) -> None:
        control.description_tooltip = text

    ipywidgets.widgets.widget_description.DescriptionWidget.tooltip = property(_tooltip, _set_tooltip)
