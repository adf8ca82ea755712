"""What a student hands in: a file of a few kB, labels of the class's frames and what else was reached.

It goes into a folder that the class shares, or is downloaded and given to the teacher. It names nobody but as the
student typed it. Two students who typed the same name stay apart: each copy of a lesson has a key of its own.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dlcnb.files import atomic_write, disk_error, unhidden
from dlcnb.labels.errors import LabelError
from dlcnb.labels.inside import read_plain
from dlcnb.project import ProjectError

__all__ = ["SUFFIX", "ClassError", "HandIn", "gather"]

SUFFIX = ".dlcnb-class.json"
FORMAT = "dlcnb class 1"
MOST_BYTES = 2_000_000  # a hand-in has a few kB; what is larger is something else
MOST_POINTS = 100_000  # images times bodyparts
MOST_POINTS_EACH = 1000  # of an exercise
FURTHEST = 1e6  # px; no frame is larger
NAME_LENGTH = 40
KEY = re.compile(r"[0-9a-f]{32}")


class ClassError(ProjectError):
    """A hand-in that can't be taken: says which file, what was expected and what to do."""


@dataclass(frozen=True, eq=False)
class HandIn:
    """The work of one student.

    Attributes
    ----------
    lesson : name of the class's lesson; files of others are refused.
    student : as typed.
    key : 32 hexadecimal digits of the copy of the lesson, which tell two students of one name apart.
    bodyparts : K names. images : T names of the class's frames.
    points : float64 ``(T, K, 2)``, px; NaN = not placed.
    card : {exercise: points reached}.
    predicted : float64 ``(H, K, 2)``, px, the student's network on the H hidden frames; None = no network yet.
    prepared : bool ``(T, K)``, points that a stage placed for the student; None = none.
    """

    lesson: str
    student: str
    key: str
    bodyparts: tuple[str, ...]
    images: tuple[str, ...]
    points: NDArray[np.float64]
    card: dict[str, float] = field(default_factory=dict)
    predicted: NDArray[np.float64] | None = None
    prepared: NDArray[np.bool_] | None = None

    @property
    def given(self) -> NDArray[np.bool_]:
        """Bool ``(T, K)``: points that a stage placed, not the student."""
        none = np.zeros(self.points.shape[:2], bool)
        return none if self.prepared is None else self.prepared & ~np.isnan(self.points[..., 0])

    @property
    def own(self) -> NDArray[np.float64]:
        """Float64 ``(T, K, 2)``, px: the points that the student placed; NaN = not placed, or by a stage."""
        return np.where(self.given[..., None], np.nan, self.points)

    @property
    def file_name(self) -> str:
        """Name of the file, of plain characters and the key, so that no two students write the same one."""
        plain = re.sub(r"[^\w-]+", "-", self.student).strip("-") or "student"
        return f"{plain[:NAME_LENGTH]}-{self.key[:8]}{SUFFIX}"

    def to_text(self) -> str:
        """The file's text: JSON, with a hash that tells whether all of it arrived."""
        content = {
            "format": FORMAT,
            "lesson": self.lesson,
            "student": self.student,
            "key": self.key,
            "bodyparts": list(self.bodyparts),
            "images": list(self.images),
            "points": _listed(self.points),
            "card": self.card,
            "predicted": None if self.predicted is None else _listed(self.predicted),
            "prepared": np.argwhere(self.given).tolist(),
        }
        return json.dumps({**content, "sha256": _digest(content)}) + "\n"

    def write(self, folder: str | Path) -> Path:
        """Write it into a folder, in place of what the same copy handed in before; returns the path."""
        path = Path(folder) / self.file_name
        atomic_write(path, self.to_text())
        return path

    @classmethod
    def read(cls, path: str | Path) -> HandIn:
        """Read a file; raises `ClassError` for anything that no student's copy of a lesson wrote whole."""
        try:
            data = read_plain(path, MOST_BYTES)
        except LabelError:
            name = Path(path).name
            raise ClassError(f"{name}: expected a student's file of a few kB, found one that no lesson wrote") from None
        except OSError as error:
            raise disk_error(error, path) from error
        if data is None:
            raise ClassError(f"{path}: expected a student's file, found none; it may have been moved meanwhile")
        return cls.parse(data, Path(path).name)

    @classmethod
    def parse(cls, data: bytes, name: str) -> HandIn:
        """As `read`, of the file's bytes; ``name`` is for the error."""
        if len(data) > MOST_BYTES:
            raise ClassError(f"{name}: expected a student's file of a few kB, found {len(data) / 1e6:.0f} MB")
        try:
            content = json.loads(data)
            if content["format"] != FORMAT:
                raise ValueError(content["format"])
            found = content.pop("sha256", None)
            expected = _digest(content)
        except (ValueError, KeyError, TypeError, RecursionError):
            half = " or only half of it arrived" if data.lstrip().startswith(b"{") else ""
            raise ClassError(f"{name}: this is not a student's file{half}; download it again from the lesson") from None
        if found != expected:
            raise ClassError(f"{name}: its content is not what the lesson wrote; download it again from the lesson")
        try:
            return cls._made(content)
        except (LookupError, TypeError, ValueError, AttributeError, OverflowError) as error:
            raise ClassError(f"{name}: {error}; download it again from the lesson") from None

    @classmethod
    def _made(cls, content: dict[str, Any]) -> HandIn:
        """A hand-in of a file's content, every value checked."""
        words = {key: _word(content[key], key) for key in ("lesson", "student", "key")}
        bodyparts, images = (tuple(_word(v, key) for v in content[key]) for key in ("bodyparts", "images"))
        if not KEY.fullmatch(words["key"]):
            raise ValueError("key: expected 32 hexadecimal digits")
        points = _array(content["points"], (len(images), len(bodyparts), 2))
        predicted = content["predicted"]
        if predicted is not None:
            predicted = _array(predicted, (len(predicted), len(bodyparts), 2))
        card = {_word(k, "exercise"): float(v) for k, v in content["card"].items()}
        if not all(0 <= v <= MOST_POINTS_EACH for v in card.values()):  # False for NaN
            raise ValueError(f"expected points of exercises from 0 to {MOST_POINTS_EACH}")
        prepared = _marked(content.get("prepared", []), (len(images), len(bodyparts)))
        return cls(**words, bodyparts=bodyparts, images=images, points=points, card=card, predicted=predicted,
                   prepared=prepared)  # fmt: skip


def gather(folder: str | Path) -> tuple[list[HandIn], list[str]]:
    """(all hand-ins in a folder, what is wrong with the others, a line for each).

    Of one student's files, as a browser makes of two downloads, the newest counts.
    """
    found: dict[tuple[str, str], HandIn] = {}
    problems = []
    for path in sorted(unhidden(folder, SUFFIX), key=_written):
        try:
            one = HandIn.read(path)
            found[one.student, one.key] = one
        except (ClassError, OSError) as error:
            problems.append(str(error))
    return list(found.values()), problems


def _written(path: Path) -> tuple[int, Path]:
    """When a file was written, and where it is; a file that is gone meanwhile comes first."""
    try:
        return path.lstat().st_mtime_ns, path
    except OSError:
        return 0, path


def _digest(content: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _listed(points: NDArray[np.float64]) -> list[Any]:
    """Points ``(…, 2)`` as lists with a hundredth of a px; None = not placed."""
    rounded = np.round(points, 2)
    return [[None if np.isnan(point).any() else [float(v) for v in point] for point in row] for row in rounded]


def _array(rows: Iterable[Iterable[Any]], shape: tuple[int, int, int]) -> NDArray[np.float64]:
    """The points of `_listed`; raises ValueError for another shape, and for places that no frame has."""
    if math.prod(shape) > 2 * MOST_POINTS:
        raise ValueError(f"expected at most {MOST_POINTS} points")
    values = [
        [(math.nan, math.nan) if point is None else (float(point[0]), float(point[1])) for point in row] for row in rows
    ]
    if len(values) != shape[0] or any(len(row) != shape[1] for row in values):
        raise ValueError(f"expected points of {shape[0]} frames and {shape[1]} bodyparts")
    points = np.array(values, float).reshape(shape)
    if (np.abs(points) > FURTHEST).any():  # False for NaN
        raise ValueError("expected places inside the frames")
    return points


def _marked(pairs: Iterable[Any], shape: tuple[int, int]) -> NDArray[np.bool_]:
    """Bool of a shape, True at the given (frame, bodypart); raises ValueError for places that are none."""
    marked = np.zeros(shape, bool)
    for t, k in pairs:
        if not (type(t) is int and type(k) is int and 0 <= t < shape[0] and 0 <= k < shape[1]):
            raise ValueError(f"prepared: expected pairs of a frame and a bodypart, found {str([t, k])[:NAME_LENGTH]}")
        marked[t, k] = True
    return marked


def _word(value: Any, key: str) -> str:
    """A short text of one line, or ValueError."""
    if not isinstance(value, str) or not value.strip() or len(value) > 20 * NAME_LENGTH or not value.isprintable():
        raise ValueError(f"{key}: expected a short text, found {str(value)[:NAME_LENGTH]!r}")
    return value
