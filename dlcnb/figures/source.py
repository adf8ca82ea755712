"""What a project has that figures can be made of; what is missing is said with the command that makes it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from dlcnb.evaluate import Evaluation, ScoreMaps, human_variability, maps_path
from dlcnb.experiments import Plan, begun
from dlcnb.files import quoted
from dlcnb.poses import MultiAnimalPoses, Poses, find_poses, read_poses
from dlcnb.project import Project, ProjectError
from dlcnb.run import Run
from dlcnb.trajectories import liveliest
from dlcnb.video import VideoReader

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

    from dlcnb.labels.compare import Variability

__all__ = ["Drawing", "MissingDataError", "Recorded", "Source"]


class MissingDataError(ProjectError):
    """A figure can't be made yet; the message says which command makes its data."""


class Drawing(NamedTuple):
    """A figure, the numbers behind it, and what was measured on how many frames and splits, in sentences."""

    figure: Figure
    table: pd.DataFrame
    caption: str


class Recorded(NamedTuple):
    """A video of the project with its poses: times (T,) s, size (height, width) px."""

    video: Path
    poses: Poses
    times: NDArray[np.float64]
    size: tuple[int, int]

    def read(self, frame: int) -> NDArray[np.uint8]:
        """A frame, uint8 (H, W, 3)."""
        with VideoReader(self.video) as reader:
            return reader.read(frame)


@dataclass(frozen=True)
class Source:
    """A project, and what the user chose; what figures share is read once.

    Attributes
    ----------
    project : dlcnb.project.Project
    video : name or path of the video for figures of movement; the first that has poses if None.
    frame : which moment of it they show; the liveliest if None.
    bodypart : the one that is followed; the one that is found most surely if None.
    """

    project: Project
    video: str | None = None
    frame: int | None = None
    bodypart: str | None = None

    # --- networks

    @cached_property
    def run(self) -> Run:
        """The project's last training run."""
        try:
            return Run(self.project.last_run())
        except ProjectError as error:
            raise self.missing("a trained network", "train") from error

    @cached_property
    def evaluation(self) -> Evaluation:
        """The last evaluation of that run, of its best snapshot if that was evaluated."""
        folder = self.run.evaluations
        path = folder / f"evaluation-{(self.run.best or {}).get('step')}.json"
        try:
            return Evaluation.read(path if path.is_file() else folder)
        except FileNotFoundError as error:
            raise self.missing("an evaluation of the last network", "evaluate") from error

    @cached_property
    def maps(self) -> ScoreMaps:
        """Score-maps of that evaluation."""
        path = maps_path(self.run.evaluations, self.evaluation.step)
        if not path.is_file():
            raise self.missing("the score-maps of an evaluation", "evaluate")
        return ScoreMaps(path)

    @cached_property
    def human(self) -> Variability | None:
        """How far apart two people's labels are; None if nobody else labeled the same frames."""
        return human_variability(self.project)

    @property
    def two_people(self) -> Variability:
        """The same, or `MissingDataError`."""
        if self.human is None:
            who = self.project.scorer
            raise MissingDataError(
                f"This figure needs a second person's labels of the same frames as {who}'s: "
                "Labeler(project, scorer='Name') in a notebook writes them."
            )
        return self.human

    def experiment(self, kind: str, *, curve: bool = False) -> Plan:
        """The last experiment of a kind that has a finished trial; with ``curve`` one that kept snapshots."""
        for plan in begun(self.project):
            done = [trial for trial in plan.trials if plan.is_done(trial)]
            kept = [trial for trial in done if any(plan.curve_folder(trial).glob("evaluation-*.json"))]
            if plan.kind == kind and (kept if curve else done):
                return plan
        more = " --at curve" if curve and kind != "curves" else ""
        raise self.missing(f"the experiment {kind}", "experiment", kind, more=f" --minutes 5{more}")

    # --- movement

    @cached_property
    def recorded(self) -> Recorded:
        """The chosen video, or the first that has poses of one animal."""
        for video in [self.project.video(Path(self.video).name)] if self.video else self.project.videos:
            try:
                return self._with(video, read_poses(find_poses(video)))
            except FileNotFoundError:
                continue
        raise self.missing("poses of a video", "analyze", more=f" {self.video or 'VIDEO'}")

    @cached_property
    def several(self) -> tuple[Recorded, MultiAnimalPoses]:
        """The chosen video, or the first, with poses of several animals; those of all together, and apart."""
        for video in [self.project.video(Path(self.video).name)] if self.video else self.project.videos:
            try:
                apart = MultiAnimalPoses.read(find_poses(video, several=True)).seen()
            except FileNotFoundError:
                continue
            return self._with(video, apart.together()), apart
        raise self.missing("poses of several animals", "analyze", more=f" {self.video or 'VIDEO'} --animals 2")

    def _with(self, video: Path, poses: Poses) -> Recorded:
        with VideoReader(video) as reader:
            return Recorded(video, poses.fitted(len(reader)), np.asarray(reader.times, float), reader.size)

    def moment(self, recorded: Recorded, span: int = 30) -> int:
        """The frame that was chosen, or the one around which the animal moved most."""
        count = len(recorded.poses)
        if self.frame is None:
            return liveliest(recorded.poses.masked(self.project.pcutoff), span)
        if not 0 <= self.frame < count:
            raise ProjectError(f"There is no frame {self.frame} in {recorded.video.name}: it has 0 to {count - 1}.")
        return self.frame

    def part(self, poses: Poses) -> str:
        """The chosen bodypart, or the one that is found most surely."""
        if self.bodypart is None:
            share = (poses.likelihood >= self.project.pcutoff).mean(axis=0)
            return poses.bodyparts[int(np.argmax(share))]
        if self.bodypart not in poses.bodyparts:
            raise ProjectError(f"There is no bodypart '{self.bodypart}'; there are {', '.join(poses.bodyparts)}.")
        return self.bodypart

    # --- words

    def missing(self, what: str, *words: str, more: str = "") -> MissingDataError:
        """`MissingDataError` that names a command."""
        return MissingDataError(f"This figure needs {what}: dlcnb {' '.join(words)} {quoted(self.project.root)}{more}")
