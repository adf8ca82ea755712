"""What every widget of dlcnb has: a still picture of itself, a line for errors, handlers that never fail silently."""

from __future__ import annotations

import base64
import functools
import io
import logging
import os
from collections.abc import Callable, Iterable
from typing import Any

import ipywidgets
from PIL import Image

from dlcnb.jobs.explain import explain
from dlcnb.widgets.base.closing import close_parts
from dlcnb.widgets.base.compat import VIEW, Shown
from dlcnb.widgets.base.html import Html, notice
from dlcnb.widgets.base.place import headless

__all__ = ["NotYet", "View", "button", "gesture", "row", "set_class", "shown"]

log = logging.getLogger(__name__)


class NotYet(RuntimeError):
    """Something that can't be done before something else is; its message goes when that is.

    Parameters
    ----------
    message : str
    still : callable
        Whether what has to be done before is still to be done.
    """

    def __init__(self, message: str, still: Callable[[], bool]) -> None:
        super().__init__(message)
        self.still = still


def button(
    icon: str, tooltip: str, handler: Callable[[], object], text: str = "", width: str | None = None, **more: Any
) -> ipywidgets.Button:
    """A button; ``handler`` takes no arguments. Without a ``width`` (CSS) it is as wide as its text, or an icon."""
    layout = ipywidgets.Layout(width=width or ("auto" if text else "36px"))
    made = ipywidgets.Button(description=text, icon=icon, tooltip=tooltip, layout=layout, **more)
    made.on_click(lambda _: handler())
    return made


def row(children: Iterable[ipywidgets.Widget], tight: bool = False) -> ipywidgets.HBox:
    """Controls side by side, wrapping where there is no room."""
    made = ipywidgets.HBox([*children])
    made.add_class("dlcnb-row")
    if tight:
        made.add_class("dlcnb-tight")
    return made


def set_class(widget: ipywidgets.DOMWidget, name: str, wanted: bool) -> None:
    """Give a widget a CSS class, or take it away."""
    if wanted:
        widget.add_class(name)
    else:
        widget.remove_class(name)


def shown(method: Callable[..., Any]) -> Callable[..., Any]:
    """Decorate a handler of a `View`: what it raises is shown in the widget."""

    @functools.wraps(method)
    def handler(self, *args: Any, **kwargs: Any) -> Any:
        try:
            return method(self, *args, **kwargs)
        except Exception as error:
            self.fail(error)

    return handler


def gesture(method: Callable[..., Any]) -> Callable[..., Any]:
    """Decorate what a user does: as `shown`, and an error of what was tried before goes."""
    handler = shown(method)

    @functools.wraps(method)
    def tried(self, *args: Any, **kwargs: Any) -> Any:
        if self.failed:
            self.tell("")
        return handler(self, *args, **kwargs)

    return tried


class View(Shown):
    """Base of the widgets: a column with a status line at its end. What stands alone defines ``snapshot()``."""

    stands_alone = True  # what holds it does not own it
    _closing = False
    said, _kind = "", ""  # what the status line says, and its kind
    _still: Callable[[], bool] | None = None  # whether what the status line complains of is still so; None: not known

    def __init__(self, children: Iterable[ipywidgets.Widget] = (), **kwargs: Any) -> None:
        self.status_line = Html()
        self.status_line.add_class("dlcnb-status")
        layout = ipywidgets.Layout(width="100%", align_items="stretch")
        super().__init__([*children, self.status_line], layout=layout, **kwargs)
        self.add_class("dlcnb")

    def __repr__(self) -> str:
        project = getattr(self, "project", None)
        return f"<{type(self).__name__}{f' of {project.root}' if project is not None else ''}>"

    def refresh(self) -> None:
        """Look again at what may have changed meanwhile, on disk or elsewhere, and show it."""
        self.redraw()

    def redraw(self) -> None:
        """Paint again, soon."""

    def snapshot(self) -> Image.Image:
        """The widget as a `PIL.Image.Image`, drawn in the kernel; one that is only ever a part of others has none."""
        raise TypeError(
            f"Expected a widget with a picture, found the part {type(self).__name__}: show the widget it belongs to."
        )

    def close(self) -> None:
        """Take the widget off the page, with all that it is made of."""
        self._closing = True
        if self.comm is not None:  # else it is closed already
            close_parts(self)
        super().close()

    def fail(self, error: BaseException) -> None:
        """Show an exception in the widget (and keep its traceback in the log), unless the widget is closed."""
        log.info("shown in %s: %s", type(self).__name__, error, exc_info=error)
        if self._closing:
            return
        self.tell(explain(error) if isinstance(error, OSError) else str(error) or type(error).__name__, "error")
        self._still = error.still if isinstance(error, NotYet) else None

    def tell(self, message: str, kind: str = "hint") -> None:
        """Show a message in the status line: ``kind`` is 'hint' or 'error'; an empty message clears it."""
        self._still, self.said, self._kind = None, message, kind if message else ""
        line = notice(message, kind, scrolls=True)
        if self.status_line.value != line:
            self.status_line.value = line

    @property
    def failed(self) -> bool:
        """Whether the status line shows an error."""
        return self._kind == "error"

    def recheck(self) -> None:
        """Take back what is no longer true, an error first of all."""
        if self._still is not None and not self._still():
            self.tell("")

    def mime(self, data: dict[str, Any]) -> dict[str, Any]:
        """What is shown: without a page, the still picture."""
        if headless():
            buffer = io.BytesIO()
            self.snapshot().save(buffer, "PNG")
            data["image/png"] = base64.b64encode(buffer.getvalue()).decode()
            if os.environ.get("DLCNB_HEADLESS"):
                data.pop(VIEW, None)
        return data
