"""The error of everything that has to do with labels."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from dlcnb.files import StrPath
from dlcnb.tables.errors import TableError

__all__ = ["LabelError", "changed_meanwhile", "errors_of_labels"]


class LabelError(TableError):
    """Labels that can't be used or don't fit; the message says where, what was expected, and what to do."""


def changed_meanwhile(what: str, where: StrPath) -> LabelError:
    """What is told of labels of which ``what`` (the bodyparts, say) were changed since they were opened."""
    return LabelError(
        f"the {what} of {where} changed meanwhile; open the project again (in Studio: the arrows on top). What was "
        "labeled until then is kept; this page writes nothing more"
    )


@contextmanager
def errors_of_labels() -> Iterator[None]:
    """Errors of the tables that are read inside are raised as `LabelError`; works as a decorator, too."""
    try:
        yield
    except LabelError:
        raise
    except TableError as error:
        raise LabelError(str(error)) from error
