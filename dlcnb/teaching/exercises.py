"""Exercises that grade themselves, in words, each with its solution. No server, and nothing leaves the computer.

Each takes an answer (or the project that the student labels in) and says whether it is right, and why. What is asked
is made from seeds, so that everybody has the same question; the numbers of `how_many_frames` were measured.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dlcnb.labels import Labels, LabelStore
from dlcnb.labels.journal import Edit
from dlcnb.project import Project
from dlcnb.sampledata import BODYPARTS, Arena, arena_poses
from dlcnb.teaching.board import HUMAN_PX
from dlcnb.teaching.lesson import Lesson, add_to_card

__all__ = ["EXERCISES", "Exercise", "Verdict", "check", "learning_curve", "odd_labels", "sure_points"]

FEW, NEAR_PX = 5, 3 * HUMAN_PX
# {training frames of the open-field mouse: test error in px after 1,200 steps}, from benchmarks/README.md
CURVE = {1: 5.95, 6: 3.82, 12: 3.43, 23: 3.28, 58: 3.08, 93: 3.00}
ENOUGH = 1.2  # times the error with all frames
LIES_PX, CUTOFF = 10.0, 0.6


@dataclass(frozen=True)
class Verdict:
    """Whether an answer is right, why, and the points that it brings."""

    passed: bool
    words: str
    points: float

    def __str__(self) -> str:
        return f"{'✓' if self.passed else '✗'} {self.words}"


@dataclass(frozen=True)
class Exercise:
    """A question.

    Attributes
    ----------
    name, question : in words, of one or two lines. points : that a right answer brings.
    grade : ``grade(lesson, project, answer)`` gives (right, why).
    solution : ``solution(lesson, project)`` gives a right answer, or does what is asked in the project.
    """

    name: str
    question: str
    points: float
    grade: Callable[[Lesson, Project, Any], tuple[bool, str]]
    solution: Callable[[Lesson, Project], Any]


def check(lesson: Lesson, project: Project, name: str, answer: Any = None) -> Verdict:
    """Grade an exercise, and write its points on the student's card; raises KeyError with the names there are."""
    if name not in EXERCISES:
        raise KeyError(f"no exercise {name!r}; there are: {', '.join(EXERCISES)}")
    exercise = EXERCISES[name]
    passed, why = exercise.grade(lesson, project, answer)
    verdict = Verdict(passed, why, exercise.points if passed else 0.0)
    add_to_card(project, name, verdict.points)
    return verdict


# --- label five frames ---


def _five_frames(lesson: Lesson, project: Project, _: Any) -> tuple[bool, str]:
    found = lesson.hand_in(project)
    given = found.own
    whole = np.flatnonzero(~np.isnan(given).any((1, 2)))
    if len(whole) < FEW:
        placed = "; points placed by a stage count once you have moved them" if found.given.any() else ""
        return False, f"{len(whole)} of your frames have all {given.shape[1]} bodyparts; label {FEW}{placed}."
    given, true = given[whole], lesson.truth[whole]
    away = np.hypot(*np.moveaxis(given - true, -1, 0))  # (n, K)
    typical, worst = np.median(away, axis=0), np.unravel_index(int(np.argmax(away)), away.shape)
    k = int(np.argmax(typical))
    if typical[k] > NEAR_PX:
        return (
            False,
            f"Your {lesson.bodyparts[k]} is typically {typical[k]:.0f} px from the true place; look where others put it.",
        )
    nearest = np.hypot(*np.moveaxis(given[:, :, None] - true[:, None], -1, 0)).argmin(-1)  # (n, K)
    if (other := np.argwhere((nearest != np.arange(len(typical))) & (away > NEAR_PX))).size:
        n, k = other[0].tolist()
        part, there = lesson.bodyparts[k], lesson.bodyparts[nearest[n, k]]
        return False, f"In frame {whole[n] + 1} your {part} lies where the {there} is; left and right are the animal's."
    if away[worst] > 3 * NEAR_PX:
        part, frame = lesson.bodyparts[worst[1]], whole[worst[0]] + 1
        return False, f"In frame {frame} your {part} is {away[worst]:.0f} px off: was it another bodypart?"
    return (
        True,
        f"On average {away.mean():.1f} px from the truth; one person who labels twice differs by {HUMAN_PX} px.",
    )


def _label_five(lesson: Lesson, project: Project) -> None:
    store = LabelStore(project, project.videos[0].stem)
    store.apply(
        Edit(image, part, (float(x), float(y)))
        for image, points in zip(lesson.images[:FEW], lesson.truth, strict=False)
        for part, (x, y) in zip(lesson.bodyparts, points, strict=True)
    )
    store.save()


# --- which labels are wrong? ---


def odd_labels() -> tuple[Labels, dict[int, str]]:
    """(labels of twenty frames, {frame, from 1: what is wrong with it}); three of them have a fault."""
    rng = np.random.default_rng(11)
    arena = Arena(seed=11, n_frames=400)
    points = arena_poses(arena)[:: 400 // 20] + rng.normal(0, 1.0, (20, len(BODYPARTS), 2))
    swapped, slipped, same = (int(n) for n in rng.choice(20, 3, replace=False))
    points[swapped, [1, 2]] = points[swapped, [2, 1]]
    points[slipped, 3] += (70, -40)
    points[same, 0] = points[same, 1]
    images = tuple(f"labeled-data/quiz/img{n:03d}.png" for n in range(20))
    faults = {
        swapped: "the ears are exchanged",
        slipped: "the tail base slipped",
        same: "snout and left ear are one place",
    }
    return Labels(BODYPARTS, "quiz", images, points), {n + 1: why for n, why in faults.items()}


def _which_are_wrong(_: Lesson, __: Project, answer: Any) -> tuple[bool, str]:
    wrong = odd_labels()[1]
    given = _numbers(answer)
    if given is None:
        return False, "Answer with the numbers of the frames, such as [3, 8, 15]."
    if extra := sorted(given - set(wrong)):
        return False, f"Frame {extra[0]} is all right. Look at the distances between bodyparts, frame by frame."
    if missing := set(wrong) - given:
        return False, f"{len(given)} found, {len(missing)} more to find."
    return True, "; ".join(f"frame {n}: {why}" for n, why in sorted(wrong.items())) + "."


# --- how many frames are enough? ---


def learning_curve() -> dict[int, float]:
    """{training frames: test error, px} of the open-field mouse, measured: see benchmarks/README.md."""
    return dict(CURVE)


def _how_many(_: Lesson, __: Project, answer: Any) -> tuple[bool, str]:
    enough, answer = _fewest(), _whole(answer)
    if answer not in CURVE:
        return False, f"Answer with one of {', '.join(map(str, CURVE))}."
    if answer < enough:
        return (
            False,
            f"{answer} frames give {CURVE[answer]:.2f} px, {CURVE[answer] / CURVE[93]:.1f} times what 93 give.",
        )
    if answer > enough:
        return False, f"{answer} is enough, and fewer are, too. What does each label after that bring?"
    gained = CURVE[enough] - CURVE[93]
    return True, f"{enough} frames come near; the labels of {93 - enough} more bring {gained:.2f} px."


def _fewest() -> int:
    return min(frames for frames, error in CURVE.items() if error <= ENOUGH * CURVE[93])


# --- when does the likelihood lie? ---


def sure_points() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(likelihood, error in px), float64 ``(200,)`` each, of a simulated network that takes one ear for the other.

    Where it is lost it says so; where it takes the other ear it is as sure as ever.
    """
    rng = np.random.default_rng(5)
    error, likelihood = np.abs(rng.normal(0, 2.5, 200)), rng.uniform(0.8, 1.0, 200)
    lost, other = np.split(rng.choice(200, 40, replace=False), [28])
    error[lost], likelihood[lost] = rng.uniform(15, 120, len(lost)), rng.uniform(0.0, 0.4, len(lost))
    error[other] = rng.normal(23, 2, len(other))
    return likelihood, error


def _likelihood_lies(_: Lesson, __: Project, answer: Any) -> tuple[bool, str]:
    likelihood, error = sure_points()
    lies = int(((likelihood > CUTOFF) & (error > LIES_PX)).sum())
    answer = _whole(answer)
    if answer is None:
        return False, "Answer with a whole number of points."
    if answer != lies:
        return False, f"It is not {answer}: count those above {CUTOFF} that are more than {LIES_PX:.0f} px off."
    return True, f"{lies} are sure and wrong, on the other ear. Likelihood tells lost from found, not left from right."


def _whole(answer: Any) -> int | None:
    """A whole number as it was answered, None for anything else."""
    if isinstance(answer, (int, np.integer)) and not isinstance(answer, bool):
        return int(answer)
    return None


def _numbers(answer: Any) -> set[int] | None:
    """The whole numbers of an answer, or None."""
    if isinstance(answer, (str, bytes)) or not isinstance(answer, Iterable):
        return None
    given = list(answer)
    return {int(n) for n in given} if given and all(isinstance(n, (int, np.integer)) for n in given) else None


EXERCISES = {
    exercise.name: exercise
    for exercise in (
        Exercise(
            "label five frames",
            f"Label all bodyparts in {FEW} of the class's frames, within about {NEAR_PX:.0f} px of the truth.",
            2,
            _five_frames,
            _label_five,
        ),
        Exercise(
            "which labels are wrong",
            "Twenty frames were labeled, and three have a fault: which (counted from 1)?\n"
            "show_odd_labels() draws them, odd_labels()[0].points has the numbers.",
            3,
            _which_are_wrong,
            lambda *_: list(odd_labels()[1]),
        ),
        Exercise(
            "how many frames are enough",
            f"learning_curve() has the error for numbers of labeled frames.\n"
            f"What is the smallest that comes within {100 * (ENOUGH - 1):.0f} % of the error with all?",
            1,
            _how_many,
            lambda *_: _fewest(),
        ),
        Exercise(
            "when does the likelihood lie",
            f"How many points are surer than {CUTOFF} and more than {LIES_PX:.0f} px off?\n"
            "show_sure_points() draws them, sure_points() has likelihoods and errors.",
            2,
            _likelihood_lies,
            lambda *_: int(((sure_points()[0] > CUTOFF) & (sure_points()[1] > LIES_PX)).sum()),
        ),
    )
}
