"""The lesson of a class: the same ten frames for everybody to label, and hidden ones that networks are compared on.

A lesson is made from its name alone, so that nothing needs to be handed out: each student's computer makes the same
video. Its animal is the synthetic arena's, whose true places are known.
"""

from __future__ import annotations

import json
import tempfile
import uuid
import zlib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dlcnb import frames
from dlcnb.files import atomic_write, read_text, unhidden
from dlcnb.labels import LabelStore, image_name
from dlcnb.poses import Poses, newest_poses
from dlcnb.project import Project
from dlcnb.project.names import name_problem
from dlcnb.sampledata import BODYPARTS, SKELETON, Arena, arena_poses, make_arena
from dlcnb.teaching.hand_in import KEY, MOST_POINTS_EACH, ClassError, HandIn

__all__ = ["Lesson"]

FRAMES, LABELED, HIDDEN = 300, 10, 10
VIDEO = "arena"
FILE, CARD = "class.json", "class-card.json"  # in the student's project
PREPARED = "prepared"  # origin of a label that a stage placed


@dataclass(frozen=True)
class Lesson:
    """A class's lesson; equal names give equal videos and frames.

    Attributes
    ----------
    name : of the lesson, such as "monday"; everybody of the class gives the same. "Monday " is the same lesson.
    size : (height, width) of the video, px.
    """

    name: str
    size: tuple[int, int] = (480, 640)

    def __post_init__(self) -> None:
        if isinstance(self.name, str):
            object.__setattr__(self, "name", self.name.strip().casefold())
        if problem := name_problem(self.name, for_file=True):
            raise ClassError(f"the lesson's name {self.name!r} {problem}; give it a plain one, such as monday")

    # --- what everybody has in common ---

    @property
    def arena(self) -> Arena:
        """What the video shows."""
        return Arena(seed=zlib.crc32(self.name.encode()), n_frames=FRAMES, size=self.size)

    @property
    def bodyparts(self) -> tuple[str, ...]:
        """The K bodyparts to label."""
        return BODYPARTS

    @cached_property
    def frames(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """(the frames that everybody labels, the hidden ones), int64, ascending, none in both."""
        chosen = frames.uniform(FRAMES, LABELED + HIDDEN)
        return chosen[::2], chosen[1::2]

    @cached_property
    def images(self) -> tuple[str, ...]:
        """The frames that everybody labels, as the projects name them."""
        return tuple(f"labeled-data/{VIDEO}/{image_name(int(n), FRAMES)}" for n in self.frames[0])

    @cached_property
    def truth(self) -> NDArray[np.float64]:
        """True points ``(T, K, 2)`` of the frames that everybody labels, px."""
        return arena_poses(self.arena)[self.frames[0]]

    @cached_property
    def hidden(self) -> NDArray[np.float64]:
        """True points ``(H, K, 2)`` of the hidden frames, px."""
        return arena_poses(self.arena)[self.frames[1]]

    # --- one student ---

    def start(self, folder: str | Path, student: str) -> Project:
        """The student's project in a folder: made, or opened again where it is already.

        Raises `ClassError` if the folder has the project of another lesson, or the name can't be a scorer's.
        """
        student = student.strip()
        if problem := name_problem(student, for_file=True):
            raise ClassError(f"the name {student!r} {problem}; type a plain one, it need not be your real name")
        root = Path(folder).expanduser().absolute() / f"{self.name}-{student}"
        if root.exists():
            project = Project.open(root)
            self._known(project)
            return project
        root.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".dlcnb-tmp-", dir=root.parent) as making:
            video = Path(making) / f"{VIDEO}.mp4"
            make_arena(video, self.arena)
            made = Project.create(
                self.name,
                student,
                [video],
                BODYPARTS,
                parent=making,
                folder=root.name,
                skeleton=SKELETON,
                copy_videos=True,
            )
            made.config["TrainingFraction"] = [1.0]  # the hidden frames are the test
            made.save()
            frames.extract(made, made.videos[0], self.frames[0])
            content = {"lesson": self.name, "student": student, "key": uuid.uuid4().hex}
            atomic_write(made.root / FILE, json.dumps(content) + "\n")
            made.root.rename(root)
        return Project.open(root)

    def others(self, project: Project) -> list[str]:
        """Names of the other lessons that the same student has projects of in the same folder."""
        mine, found = self._known(project), []
        for path in unhidden(project.root.parent, f"/{FILE}"):
            content = _read(path)
            if content.get("student") == mine["student"] and isinstance(content.get("lesson"), str):
                found.append(content["lesson"])
        return [name for name in dict.fromkeys(found) if name != self.name]

    def hand_in(self, project: Project) -> HandIn:
        """What a student has reached so far: labels, points of exercises, the network's answer on the hidden frames."""
        content = self._known(project)
        store = LabelStore(project, VIDEO)
        points = np.full((len(self.images), len(self.bodyparts), 2), np.nan)
        prepared = np.zeros(points.shape[:2], bool)
        there = set(store.images) if store.labels.bodyparts == self.bodyparts else set()
        for t, image in enumerate(self.images):
            if image in there:
                points[t] = store.point(image)
                prepared[t] = [store.origin(image, part) == PREPARED for part in self.bodyparts]
        return HandIn(
            self.name,
            content["student"],
            content["key"],
            self.bodyparts,
            self.images,
            points,
            card(project),
            self._predicted(project),
            prepared,
        )

    def _known(self, project: Project) -> dict[str, str]:
        """What the project says of itself; raises `ClassError` if it is not of this lesson."""
        content = _read(project.root / FILE)
        if content.get("lesson") != self.name or not {"student", "key"} <= set(content):
            found = f"the lesson '{content['lesson']}'" if "lesson" in content else "no lesson"
            raise ClassError(
                f"{project.root} belongs to {found}, expected '{self.name}'; start the lesson in another folder"
            )
        student, key = content["student"], content["key"]
        if not (isinstance(student, str) and isinstance(key, str) and KEY.fullmatch(key)):
            raise ClassError(
                f"{project.root / FILE}: expected a student's name and a key of 32 hexadecimal digits; "
                "start the lesson in another folder"
            )
        return content

    def _predicted(self, project: Project) -> NDArray[np.float64] | None:
        """The newest poses of the video on the hidden frames, ``(H, K, 2)`` px; None before an analysis."""
        try:
            poses = Poses.read(newest_poses(project.videos[0]), FRAMES)
        except FileNotFoundError:
            return None
        if poses.bodyparts != self.bodyparts:
            return None
        return poses.points[self.frames[1]]


def card(project: Project) -> dict[str, float]:
    """{exercise: points reached} of a project; what no exercise gives is left out."""
    found = _read(project.root / CARD)
    return {name: float(n) for name, n in found.items() if isinstance(n, (int, float)) and 0 <= n <= MOST_POINTS_EACH}


def add_to_card(project: Project, exercise: str, points: float) -> None:
    """Write down what an exercise brought; fewer points than before change nothing."""
    before = card(project)
    if points > before.get(exercise, -1.0):
        atomic_write(project.root / CARD, json.dumps({**before, exercise: points}, indent=1) + "\n")


def _read(path: Path) -> dict[str, Any]:
    """A JSON file's object; empty where there is none, raises `ClassError` for a damaged one."""
    try:
        content = json.loads(read_text(path))
    except FileNotFoundError:
        return {}
    except (ValueError, RecursionError):
        content = None
    if not isinstance(content, dict):
        raise ClassError(f"{path} is damaged; remove it, the labels are kept elsewhere")
    return content
