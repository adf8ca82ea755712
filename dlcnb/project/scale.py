"""Centimetres: how many pixels of a video's frames are one, for the project or for one video.

They are kept in ``scale.json`` beside config.yaml, not in it, as newer versions of DeepLabCut refuse a config with a
key that they don't know. ``project`` and ``videos`` hold what was measured, ``before`` what `undo_scale` brings back.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dlcnb.files import StrPath, alone, atomic_write, quoted, read_text
from dlcnb.geometry import homography, perspective
from dlcnb.project.names import ProjectError, video_stem

if TYPE_CHECKING:
    from dlcnb.project.core import Project

__all__ = ["SCALES", "Scale", "needed_scale", "scale_of", "scaled_videos", "set_scale", "undo_scale"]

SCALES = "scale.json"  # beside config.yaml
_REMEMBERED = 20  # changes that can be undone
_LEAST, _MOST = 1e-9, 1e9  # cm, px or px per cm of anything that a camera sees
_FORM: dict[str, type] = {"project": dict, "videos": dict, "before": list}
Pair: TypeAlias = tuple[float, float]


@dataclass(frozen=True)
class Scale:
    """What was measured in a frame; make one with `by_number`, `by_line` or `by_corners`.

    Parameters
    ----------
    px_per_cm : float, optional
        Pixels of one centimetre, the same everywhere in the frame.
    ends : two of (x, y), optional
        Pixels that are ``length_cm`` apart.
    corners : four of (x, y), optional
        Pixels of the corners of a rectangle on the ground, in order around it; for a camera that looks from the side.
    length_cm : float, optional
    size_cm : (float, float), optional
        From the first corner to the second, and from the second to the third.
    frame_size : (height, width), optional
        Of the frames that it was measured in.

    Raises
    ------
    ProjectError
        If it can't be.
    """

    px_per_cm: float | None = None
    ends: tuple[Pair, ...] = ()
    length_cm: float | None = None
    corners: tuple[Pair, ...] = ()
    size_cm: Pair | None = None
    frame_size: tuple[int, int] | None = None

    def __post_init__(self) -> None:
        numbers = [self.px_per_cm, self.length_cm, *(self.size_cm or ())]
        if not all(number is None or _LEAST < number < _MOST for number in numbers):
            found = ", ".join(f"{number:g}" for number in numbers if number is not None)
            raise ProjectError(f"a scale needs lengths above 0 cm, found {found}")
        if self.ends and self.px_per_cm is None:
            raise ProjectError("the two ends of a known length are one point: choose two points of the frame")
        if self.corners:
            self._matrix()
            if not _goes_around(self.corners):
                raise ProjectError("the corners of a scale are no rectangle's: choose its four in order around it")

    @classmethod
    def by_number(cls, px_per_cm: float, frame_size: tuple[int, int] | None = None) -> Scale:
        """So many pixels are one centimetre."""
        return cls(float(px_per_cm), frame_size=frame_size)

    @classmethod
    def by_line(cls, ends: ArrayLike, length_cm: float, frame_size: tuple[int, int] | None = None) -> Scale:
        """Two points (2, 2) px of the frame are so many centimetres apart."""
        points = _pairs(ends, 2)
        px = math.dist(*points)
        number = px / length_cm if length_cm > 0 and px > 0 else None
        return cls(number, points, float(length_cm), frame_size=frame_size)

    @classmethod
    def by_corners(
        cls, corners: ArrayLike, size_cm: Iterable[float], frame_size: tuple[int, int] | None = None
    ) -> Scale:
        """Four points (4, 2) px are the corners of a rectangle of ``size_cm``; its first corner becomes (0, 0)."""
        one, two = map(float, size_cm)
        return cls(corners=_pairs(corners, 4), size_cm=(one, two), frame_size=frame_size)

    def to_cm(self, points: ArrayLike) -> NDArray[np.float64]:
        """Points (..., 2) in pixels of the frame as centimetres; NaN stays NaN.

        What lies on or beyond the horizon of a slanted camera is not on the ground, and NaN.
        """
        if self.px_per_cm is not None:
            return np.asarray(points, float) / self.px_per_cm
        matrix, points = self._matrix(), np.asarray(points, float)
        points = np.where(np.isfinite(points), points, np.nan)  # infinite ones are nowhere, too
        side = points @ matrix[2, :2] + 1.0
        here = np.mean(self.corners, axis=0) @ matrix[2, :2] + 1.0
        seen = np.where((side * np.sign(here) > 1e-9)[..., None], points, np.nan)
        return perspective(seen, matrix)

    def _matrix(self) -> NDArray[np.float64]:
        across, down = self.size_cm or (0.0, 0.0)
        try:
            return homography(self.corners, [(0, 0), (across, 0), (across, down), (0, down)])
        except (ValueError, OverflowError, np.linalg.LinAlgError):
            raise ProjectError(
                "the corners of a scale lie on a line, or two of them at one place: choose the four of a rectangle, "
                "in order"
            ) from None

    def __str__(self) -> str:
        if self.corners:
            across, down = self.size_cm or (0.0, 0.0)
            return f"four corners of {across:g} × {down:g} cm"
        of = f", from a line of {self.length_cm:g} cm" if self.length_cm is not None else ""
        return f"{self.px_per_cm:.4g} px per cm{of}"

    def entry(self) -> dict[str, Any]:
        """What is kept of it."""
        kept: dict[str, Any] = {}
        if self.corners:
            kept = {"corners": [list(p) for p in self.corners], "size_cm": list(self.size_cm or ())}
        elif self.ends:
            kept = {"line": [list(p) for p in self.ends], "length_cm": self.length_cm}
        else:
            kept = {"px_per_cm": self.px_per_cm}
        return kept | ({"frame_size": list(self.frame_size)} if self.frame_size else {})

    @classmethod
    def from_entry(cls, entry: Any, where: str) -> Scale:
        """The scale of an `entry`; raises `ProjectError` that says ``where``."""
        try:
            frame = None
            if "frame_size" in entry:
                height, width = map(int, entry["frame_size"])
                frame = height, width
            if "corners" in entry:
                return cls.by_corners(entry["corners"], entry["size_cm"], frame)
            if "line" in entry:
                return cls.by_line(entry["line"], entry["length_cm"], frame)
            return cls.by_number(entry["px_per_cm"], frame)
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            why = (
                str(error) if isinstance(error, ProjectError) else "expected px_per_cm, line and length_cm, or corners"
            )
            raise ProjectError(f"{SCALES}, {where}: {why}; set the scale again (dlcnb scale)") from None


def scale_of(project: Project, video: StrPath, frame_size: tuple[int, int] | None = None) -> Scale | None:
    """The scale of a video: its own, or else the project's; None = none is known.

    Parameters
    ----------
    project : Project
    video : path or name
    frame_size : (height, width), optional
        Of the video. A scale that was measured in frames of another size is a `ProjectError`.
    """
    kept, stem = _kept(project), video_stem(video)
    own = kept["videos"].get(stem)
    entry, where = (own, f"video {stem}") if own is not None else (kept["project"], "project")
    if entry is None:
        return None
    scale = Scale.from_entry(entry, where)
    if frame_size and scale.frame_size and tuple(frame_size) != scale.frame_size:
        (height, width), (tall, wide) = scale.frame_size, frame_size
        raise ProjectError(
            f"the scale ({where}) was measured in frames of {width}×{height} px, {stem} has {wide}×{tall}; "
            f"set one for this video: dlcnb scale {quoted(project.root)} {quoted(stem)} --px-per-cm N"
        )
    return scale


def needed_scale(project: Project, video: StrPath, frame_size: tuple[int, int] | None = None) -> Scale:
    """The scale of a video, as `scale_of`; a `ProjectError` with the cure where none is known."""
    found = scale_of(project, video, frame_size)
    if found is None:
        stem = video_stem(video)
        raise ProjectError(
            f"no scale is known for {stem}; set how many pixels are 1 cm: "
            f"dlcnb scale {quoted(project.root)} {quoted(stem)} --px-per-cm N, or use --unit px"
        )
    return found


def scaled_videos(project: Project) -> tuple[str, ...]:
    """Names of the videos that have a scale of their own; `ProjectError` if the file is damaged."""
    return tuple(_kept(project)["videos"])


def set_scale(project: Project, scale: Scale | None, video: StrPath | None = None) -> None:
    """Keep the scale of a video, or with None for ``video`` that of the project; ``scale`` None takes it away."""
    name = None if video is None else video_stem(project.video(video))

    def change(kept: dict[str, Any]) -> None:
        was = kept["project"] if name is None else kept["videos"].get(name)
        kept["before"] = [*kept["before"], {"video": name, "was": was}][-_REMEMBERED:]
        _put(kept, name, None if scale is None else scale.entry())

    _change(project, change)


def undo_scale(project: Project) -> str:
    """Bring back what was before the last `set_scale`; returns what is now, in words. ProjectError if there is none."""
    told = []

    def change(kept: dict[str, Any]) -> None:
        if not kept["before"]:
            raise ProjectError("there is no change of the scale to undo")
        *kept["before"], last = kept["before"]
        name, was = last["video"], last["was"]
        _put(kept, name, was)
        whose = f"video {name}" if name else "project"
        told.append(f"{whose}: {Scale.from_entry(was, whose) if was else 'no scale'}")

    _change(project, change)
    return told[0]


def _kept(project: Project) -> dict[str, Any]:
    """What the file keeps, whole."""
    path = project.inside(SCALES)
    try:
        found = json.loads(read_text(path))
        fits = _fits(found)
    except FileNotFoundError:
        found, fits = {}, True
    except (ValueError, RecursionError):
        found, fits = {}, False
    if not fits:
        raise ProjectError(f"{path}: expected {', '.join(_FORM)} as JSON; delete the file and set the scale again")
    return {
        "project": found.get("project") or None,
        "videos": dict(found.get("videos") or {}),
        "before": list(found.get("before") or []),
    }


def _fits(found: Any) -> bool:
    """Whether this is what `_change` keeps; the scales themselves are checked where they are asked for."""
    if not isinstance(found, dict) or not all(isinstance(found.get(k) or kind(), kind) for k, kind in _FORM.items()):
        return False
    return all(
        isinstance(one, dict) and "was" in one and isinstance(one.get("video", 0), str | None)
        for one in found.get("before") or ()
    )


def _put(kept: dict[str, Any], name: str | None, entry: Any) -> None:
    if name is None:
        kept["project"] = entry
    elif entry is None:
        kept["videos"].pop(name, None)
    else:
        kept["videos"][name] = entry


def _change(project: Project, change: Callable[[dict[str, Any]], object]) -> None:
    """Change what is kept, on the disk as well; while nobody else does."""
    path = project.inside(SCALES)
    with alone(project.root):
        kept = _kept(project)
        change(kept)
        atomic_write(path, json.dumps(kept, indent=1, ensure_ascii=False) + "\n")


def _goes_around(corners: tuple[Pair, ...]) -> bool:
    """Whether four corners lie in order around what they enclose, as a camera sees those of a rectangle."""
    sides = np.diff([*corners, *corners[:2]], axis=0)
    turns = sides[:-1, 0] * sides[1:, 1] - sides[:-1, 1] * sides[1:, 0]
    return bool((turns > 0).all() or (turns < 0).all())


def _pairs(points: ArrayLike, count: int) -> tuple[Pair, ...]:
    found = np.asarray(points, float)
    if found.shape != (count, 2) or not (np.abs(found) < _MOST).all():
        raise ProjectError(f"expected {count} points (x, y) in pixels, found {found.tolist()}")
    return tuple((float(x), float(y)) for x, y in found)
