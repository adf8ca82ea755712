"""Our own changes of traits and fields, told from the user's gestures."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Any

from traitlets import HasTraits

__all__ = ["Quiet"]


class Quiet(threading.local):
    """Marks what the code itself changes, so that its observers don't take it for a gesture.

    Only changes on the same thread are marked: a gesture that another thread delivers meanwhile stays one. A block
    may lie inside another, and one that raises leaves nothing behind.

    Examples
    --------
    >>> import ipywidgets
    >>> quiet, field, gestures = Quiet(), ipywidgets.IntText(), []
    >>> field.observe(quiet.ignored(lambda change: gestures.append(change.new)), "value")
    >>> with quiet:
    ...     field.value = 1
    >>> quiet.set(field, value=2)
    >>> field.value = 3
    >>> gestures
    [3]
    """

    _depth = 0

    def __enter__(self) -> Quiet:
        self._depth += 1
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._depth -= 1

    def __bool__(self) -> bool:
        """Whether this thread is changing things by itself now."""
        return self._depth > 0

    def ignored(self, observer: Callable[[Any], object]) -> Callable[[Any], None]:
        """An observer that is not called for our own changes."""

        @functools.wraps(observer)
        def gesture(change: Any) -> None:
            if not self:
                observer(change)

        return gesture

    def set(self, target: HasTraits, **values: Any) -> None:
        """Give a widget or state other values, in their order (of a list: ``options`` before ``value``)."""
        with self:
            for name, value in values.items():
                setattr(target, name, value)
