"""What a bodypart of a frame can be, and undo and redo of labeling, without limit and across frames."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

__all__ = ["Change", "Done", "History", "Placement", "Point", "same_placement"]

Point = tuple[float, float]  # (x, y), image pixels


@dataclass(frozen=True, slots=True)
class Placement:
    """What one bodypart of one frame is: placed at ``point`` (x, y), not visible, or (the default) open."""

    point: Point | None = None
    visible: bool = True

    @property
    def state(self) -> str:
        """Of 'placed', 'not visible' and 'open' the one."""
        if self.point is not None:
            return "placed"
        return "open" if self.visible else "not visible"


@dataclass(frozen=True, slots=True)
class Change:
    """One bodypart of one frame gets another value; ``copied`` means its hollow point, which is no label yet."""

    image: str
    bodypart: str
    before: Placement
    after: Placement
    copied: bool = False

    def reversed(self) -> Change:
        """The change that takes this one back."""
        return Change(self.image, self.bodypart, self.after, self.before, self.copied)


@dataclass(frozen=True, slots=True)
class Done:
    """A whole frame is called done, or in work again."""

    image: str
    before: bool
    after: bool

    bodypart = ""

    def reversed(self) -> Done:
        """The change that takes this one back."""
        return Done(self.image, self.after, self.before)


class History:
    """Lists of changes that were made together, and how to walk back and forth in them."""

    def __init__(self) -> None:
        self._done: list[tuple[Change | Done, ...]] = []
        self._undone: list[tuple[Change | Done, ...]] = []

    def add(self, changes: Iterable[Change | Done]) -> None:
        """Note what was just done; what had been undone can't be redone any more."""
        self._done.append(tuple(changes))
        self._undone.clear()

    def back(self) -> list[Change | Done] | None:
        """The changes that undo the last step, in order, or None; call `went_back` once they are made."""
        return [change.reversed() for change in reversed(self._done[-1])] if self._done else None

    def forth(self) -> list[Change | Done] | None:
        """The changes that redo the step undone last, or None; call `went_forth` once they are made."""
        return list(self._undone[-1]) if self._undone else None

    def went_back(self) -> None:
        """Move the last step to those that can be redone."""
        self._undone.append(self._done.pop())

    def went_forth(self) -> None:
        """Move the last undone step to those that can be undone."""
        self._done.append(self._undone.pop())

    @property
    def depth(self) -> tuple[int, int]:
        """How many steps can be (undone, redone)."""
        return len(self._done), len(self._undone)


def same_placement(one: Placement, other: Placement, tolerance: float = 1e-6) -> bool:
    """Whether two values agree, points to within ``tolerance`` px (what text and binary tables may differ by)."""
    if one.point is None or other.point is None:
        return one == other
    return all(abs(a - b) <= tolerance for a, b in zip(one.point, other.point, strict=True))
