"""The error of everything that reads or writes a table of points."""

__all__ = ["TableError"]


class TableError(ValueError):
    """A table that can't be used; the message says where, what was expected, what was found, and the cure."""
