"""The error of everything that reads or writes a table of points."""


class LabelError(ValueError):
    """A table that can't be used, or labels that don't fit; the message says where, what was expected, what to do."""
