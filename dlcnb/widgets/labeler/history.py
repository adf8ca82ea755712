"""Undo and redo of labeling, without limit and across frames."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Change", "History", "Mark", "same_mark"]


@dataclass(frozen=True, slots=True)
class Mark:
    """What one bodypart of one frame is: placed at ``point`` (x, y), not visible, or (the default) open."""

    point: tuple[float, float] | None = None
    visible: bool = True

    @property
    def state(self):
        """Of 'placed', 'not visible' and 'open' the one."""
        if self.point is not None:
            return "placed"
        return "open" if self.visible else "not visible"


@dataclass(frozen=True, slots=True)
class Change:
    """One step of work: ``bodypart`` None means that the whole frame was called done (True) or not (False)."""

    image: str
    bodypart: str | None
    before: Mark | bool
    after: Mark | bool

    def reversed(self):
        """The change that takes this one back."""
        return Change(self.image, self.bodypart, self.after, self.before)


class History:
    """Lists of `Change` that were made together, and how to walk back and forth in them."""

    def __init__(self):
        self._done, self._undone = [], []

    def add(self, changes):
        """Note what was just done; what had been undone can't be redone any more."""
        self._done.append(tuple(changes))
        self._undone.clear()

    def back(self):
        """The changes that undo the last step, in order, or None; call `went_back` once they are made."""
        return [change.reversed() for change in reversed(self._done[-1])] if self._done else None

    def forth(self):
        """The changes that redo the step undone last, or None; call `went_forth` once they are made."""
        return list(self._undone[-1]) if self._undone else None

    def went_back(self):
        """Move the last step to those that can be redone."""
        self._undone.append(self._done.pop())

    def went_forth(self):
        """Move the last undone step to those that can be undone."""
        self._done.append(self._undone.pop())

    @property
    def depth(self):
        """How many steps can be (undone, redone)."""
        return len(self._done), len(self._undone)


def same_mark(one, other, tolerance=1e-6):
    """Whether two marks agree, points to within ``tolerance`` px (what text and binary tables may differ by)."""
    if (one.point is None) != (other.point is None):
        return False
    if one.point is None:
        return one.visible == other.visible
    return all(abs(a - b) <= tolerance for a, b in zip(one.point, other.point, strict=True))
