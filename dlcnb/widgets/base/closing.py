"""Closing a widget with all that it is made of: ipywidgets keeps a kernel's widgets until each of them is closed."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

import ipywidgets

__all__ = ["close_parts", "parts_of"]

ROOM = "dlcnb.widgets"
MANY = 1000  # a list longer than this holds data, no widgets


def close_parts(*widgets: ipywidgets.Widget) -> None:
    """Close what these widgets are made of, not themselves; what is closed already stays so."""
    for widget in widgets if not sys.is_finalizing() else ():
        for part in parts_of(widget):
            part.close()


def parts_of(widget: ipywidgets.Widget) -> list[ipywidgets.Widget]:
    """All widgets that a widget is made of, children, layouts, styles, canvases and marks alike, without itself.

    Traits are followed, and attributes too, as a part may be off the page for the moment; but an attribute that
    ``stands_alone``, such as a `View`, belongs to somebody else, or is closed by its owner.
    """
    seen: dict[int, Any] = {}
    waiting: list[Any] = [widget]
    while waiting:
        one = waiting.pop()
        if id(one) not in seen:
            seen[id(one)] = one
            waiting += _held(one)
    return [one for one in seen.values() if isinstance(one, ipywidgets.Widget) and one is not widget]


def _held(one: Any) -> Iterator[Any]:
    """Widgets, and objects of this package, that a widget or object holds."""
    if isinstance(one, ipywidgets.Widget):
        for name in one.trait_names():
            if one.trait_has_value(name):
                yield from filter(_may_hold, _leaves(getattr(one, name)))
    for value in list(getattr(one, "__dict__", {}).values()):
        yield from (leaf for leaf in _leaves(value) if _may_hold(leaf) and not getattr(leaf, "stands_alone", False))


def _leaves(value: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        value = tuple(value.values())
    if not isinstance(value, (list, tuple, set)):
        yield value
    elif len(value) <= MANY:
        for part in list(value):
            yield from _leaves(part)


def _may_hold(value: Any) -> bool:
    """Whether it is an object of ours, or a widget; but for the manager that all canvases of a kernel share."""
    kind = type(value)
    if isinstance(value, ipywidgets.Widget):
        return kind.__name__ != "_CanvasManager"
    return kind.__module__.startswith(ROOM) and kind is not type
