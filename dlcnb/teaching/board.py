"""The class board: who has labeled what, how far the class agrees, what to look at again, and whose network leads."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from dlcnb.project.names import nearest

if TYPE_CHECKING:
    from dlcnb.teaching.hand_in import HandIn

__all__ = ["HUMAN_PX", "Board", "Standing"]

HUMAN_PX = 2.69  # Mathis et al. 2018: one person who labels the same frames twice
FEWEST = 3  # students who placed a bodypart, for the class to have an opinion
OFF = 4.0  # times the usual distance from the class, from which on a label is worth a second look
LEAST_PX = 3.0  # nearer than this nobody is off
SWAP = 0.5  # of the distance that is left once two bodyparts are exchanged


@dataclass(frozen=True)
class Standing:
    """What a student has done.

    Attributes
    ----------
    student : name on the board; a number follows where two typed the same.
    labeled : number of the class's frames with a point of the student's own.
    given : number of points that a stage placed; they are left out of all but the network.
    apart_px : median distance from the rest of the class, px; NaN = nothing to compare.
    advice : what to look at again, a sentence each; empty = nothing.
    score : points of all exercises.
    network_px : mean error of the network on the hidden frames, px; NaN = no network yet, or one without an answer
        for some of their points.
    """

    student: str
    labeled: int
    given: int
    apart_px: float
    advice: tuple[str, ...]
    score: float
    network_px: float


class Board:
    """The work of a class on the same frames.

    Parameters
    ----------
    lesson : name of the lesson; hand-ins of others are left out and named in `problems`.
    bodyparts, images : of the class's frames.
    hand_ins : what students handed in, the newest of each.
    hidden : float64 ``(H, K, 2)``, px, the truth of the hidden frames for the leaderboard; None = no leaderboard.

    Attributes
    ----------
    taken : hand-ins that count. names : their students' names, each once.
    problems : a line for each hand-in that does not count, and for each name that two students typed; the first says
        of which lessons the files are where none is of this one.
    points : float64 ``(S, T, K, 2)``, px, of S students; NaN = not placed, or by a stage.
    """

    def __init__(
        self,
        lesson: str,
        bodyparts: Sequence[str],
        images: Sequence[str],
        hand_ins: Iterable[HandIn],
        hidden: NDArray[np.float64] | None = None,
    ) -> None:
        self.lesson, self.bodyparts, self.images, self.hidden = lesson, tuple(bodyparts), tuple(images), hidden
        self.problems: list[str] = []
        given = list(hand_ins)
        self.taken = [one for one in given if self._fits(one)]
        if (others := sorted({one.lesson for one in given})) and lesson not in others:
            self.problems.insert(
                0, f"no file belongs to the lesson '{lesson}', found files of {', '.join(others)}{nearest(lesson, others)}"
            )
        self.names = self._names()
        shape = (len(self.taken), len(self.images), len(self.bodyparts), 2)
        self.points = np.array([one.own for one in self.taken], float).reshape(shape)

    def _fits(self, one: HandIn) -> bool:
        """Whether a hand-in belongs to this lesson; else says why not."""
        why = None
        if one.lesson != self.lesson:
            why = f"belongs to the lesson '{one.lesson}', this is '{self.lesson}'"
        elif one.bodyparts != self.bodyparts:
            why = f"has the bodyparts {', '.join(one.bodyparts)}, the class has {', '.join(self.bodyparts)}"
        elif one.images != self.images:
            why = "has other frames than the class"
        elif one.predicted is not None and self.hidden is not None and one.predicted.shape != self.hidden.shape:
            why = f"has a network's answer for {len(one.predicted)} hidden frames, there are {len(self.hidden)}"
        if why:
            self.problems.append(f"{one.student}'s file {why}; it was left out and is kept.")
        return why is None

    def _names(self) -> list[str]:
        """A name for each, with a number where two students typed the same."""
        self.taken.sort(key=lambda one: (_counted(one.student), one.key))
        count, seen, names = Counter(one.student for one in self.taken), Counter[str](), []
        for one in self.taken:
            seen[one.student] += 1
            twice = count[one.student] > 1
            names.append(f"{one.student} ({seen[one.student]})" if twice else one.student)
        for name in sorted(name for name, n in count.items() if n > 1):
            self.problems.append(
                f"{count[name]} students call themselves {name}; both are shown. One may type another name."
            )
        return names

    # --- how far the class agrees ---

    @property
    def consensus(self) -> NDArray[np.float64]:
        """Median place of each point over the class, ``(T, K, 2)``, px; NaN where fewer than three placed it."""
        return _middle(self.points)

    @property
    def apart(self) -> NDArray[np.float64]:
        """Distance of each student's points from the median of the *others*, ``(S, T, K)``, px; NaN = unknown."""
        if not len(self.points):
            return np.full(self.points.shape[:-1], np.nan)
        others = np.stack([_middle(np.delete(self.points, s, axis=0), FEWEST - 1) for s in range(len(self.points))])
        return np.hypot(*np.moveaxis(self.points - others, -1, 0))

    @property
    def spread(self) -> dict[str, float]:
        """{bodypart: root mean square over the class of the distance from the median, px}; NaN = fewer than three."""
        away = ((self.points - self.consensus) ** 2).sum(-1)  # (S, T, K)
        known = np.isfinite(away)
        count = known.sum((0, 1))
        total = np.where(known, away, 0).sum((0, 1))
        values = np.sqrt(np.divide(total, count, out=np.full(len(count), np.nan), where=count > 0))
        return dict(zip(self.bodyparts, map(float, values), strict=True))

    # --- who has done what ---

    def standings(self) -> list[Standing]:
        """`Standing` of each student, in the order of `names`."""
        apart = self.apart
        usual = max(float(np.nanmedian(apart)), LEAST_PX / OFF) if np.isfinite(apart).any() else np.nan
        found = []
        for s, one in enumerate(self.taken):
            known = apart[s][np.isfinite(apart[s])]
            found.append(
                Standing(
                    self.names[s],
                    int((~np.isnan(self.points[s, ..., 0])).any(1).sum()),
                    int(one.given.sum()),
                    float(np.median(known)) if known.size else float("nan"),
                    tuple(self._advice(s, apart[s], usual)),
                    float(sum(one.card.values())),
                    self._network(one),
                )
            )
        return found

    def leaders(self) -> list[Standing]:
        """Those whose network has answered, the best first."""
        return sorted((s for s in self.standings() if np.isfinite(s.network_px)), key=lambda s: s.network_px)

    def _network(self, one: HandIn) -> float:
        if one.predicted is None or self.hidden is None:
            return float("nan")
        return float(np.hypot(*np.moveaxis(one.predicted - self.hidden, -1, 0)).mean())

    def _advice(self, s: int, apart: NDArray[np.float64], usual: float) -> Iterable[str]:
        """What a student may look at again: swapped bodyparts first, then what lies far from the class."""
        far = apart > OFF * usual  # False for NaN
        swapped = self._swapped(s, far)
        for (k, other), frames in swapped.items():
            yield f"{self.bodyparts[k]} and {self.bodyparts[other]} may be exchanged in {_frames(frames)}"
        for k, part in enumerate(self.bodyparts):
            rest = [int(t) for t in np.flatnonzero(far[:, k]) if not any(k in p and t in f for p, f in swapped.items())]
            if rest:
                yield f"{part} lies elsewhere than in the rest of the class in {_frames(rest)}"

    def _swapped(self, s: int, far: NDArray[np.bool_]) -> dict[tuple[int, int], list[int]]:
        """{two bodyparts: frames in which each lies where the class has the other}."""
        found: dict[tuple[int, int], list[int]] = {}
        middle = _middle(np.delete(self.points, s, axis=0), FEWEST - 1)
        for t in np.flatnonzero(far.sum(1) >= 2):
            wrong = np.flatnonzero(far[t])
            for i, k in enumerate(wrong):
                for other in wrong[i + 1 :]:
                    mine = self.points[s, t, [k, other]]
                    as_is = np.hypot(*(mine - middle[t, [k, other]]).T).sum()
                    if np.hypot(*(mine - middle[t, [other, k]]).T).sum() < SWAP * as_is:
                        found.setdefault((int(k), int(other)), []).append(int(t))
        return found


def _middle(points: NDArray[np.float64], fewest: int = FEWEST) -> NDArray[np.float64]:
    """Median over students of points ``(S, T, K, 2)``, px; NaN where fewer than ``fewest`` placed one."""
    placed = (~np.isnan(points[..., 0])).sum(0)
    middle = np.full(points.shape[1:], np.nan)
    enough = placed >= fewest
    if enough.any():
        middle[enough] = np.nanmedian(points[:, enough], axis=0)
    return middle


def _counted(name: str) -> list[str | int]:
    """A key to sort names by, in which Student 3 comes before Student 10."""
    return [int(part) if part.isdecimal() else part for part in re.split(r"(\d+)", name.casefold())]


def _frames(numbers: Sequence[int]) -> str:
    """Frames as people count them, from 1."""
    named = ", ".join(str(n + 1) for n in numbers)
    return f"frame{'s' if len(numbers) > 1 else ''} {named}"
