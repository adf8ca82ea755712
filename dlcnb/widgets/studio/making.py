"""What makes the widget of each tab of a Studio; what it raises says why there is nothing to show yet."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from dlcnb.labels import Suggestions
from dlcnb.outliers import suggestions
from dlcnb.project import missing_words
from dlcnb.widgets.evaluation.view import EvaluationView
from dlcnb.widgets.frames.frame_picker import FramePicker
from dlcnb.widgets.labeler.labeler import Labeler
from dlcnb.widgets.map.frame_map import FrameMap
from dlcnb.widgets.refine.outlier_queue import OutlierQueue
from dlcnb.widgets.review.label_review import LabelReview
from dlcnb.widgets.schema.schema_editor import SchemaEditor
from dlcnb.widgets.studio.links import LabelerLink, QueueLink, TimesLink
from dlcnb.widgets.studio.next_step import planned
from dlcnb.widgets.studio.report import ReportMaker
from dlcnb.widgets.training.monitor import TrainingMonitor
from dlcnb.widgets.trajectories.view import TrajectoryView
from dlcnb.widgets.zones.editor import ZoneEditor

if TYPE_CHECKING:
    from dlcnb.widgets.base.view import View
    from dlcnb.widgets.studio.studio import Studio

__all__ = ["MAKERS"]


def _frames(studio: Studio) -> View:
    if not studio.project.videos:
        no_video = "The project has no video yet: press one in the list above, then Add."
        raise FileNotFoundError("None of the project's videos is there." if studio.project.missing_videos else no_video)
    made = FramePicker(studio.project, on_extracted=lambda _: studio.look())
    made.controls.stand_back()  # the button on top does the same
    state = made.state
    state.observe(lambda _: studio.activity.show("Frames", state.doing, state.progress, made.stop), "doing")
    state.observe(lambda _: _on_plans(studio), ["revision", "doing"])
    return made


def _label(studio: Studio) -> View:
    project = studio.project
    offered = Suggestions(suggestions(project, folder.name) for folder in project.labeled_dirs())
    made = Labeler(project, suggestions=(offered.networks, offered) if offered else None)
    made.session.observe(lambda change: studio.look() if change.new != "unsaved" else None, ["saved", "taken"])
    return made


def _check(studio: Studio) -> View:
    return LabelReview(studio.project, labeler=LabelerLink(studio))


def _train(studio: Studio) -> View:
    made = TrainingMonitor(studio.project)
    made.state.observe(lambda change: studio.activity.hear(made.job, change.new), "status")
    made.state.observe(lambda _: studio.look(), "status")
    made.settings.observe(lambda _: studio.look(), "minutes")
    return made


def _evaluate(studio: Studio) -> View:
    if not studio.project.runs():
        which = f" of iteration {studio.project.iteration}" if studio.project.iteration else ""
        raise FileNotFoundError(f"No network{which} is trained yet: train one, in the step before.")
    made = EvaluationView(studio.project, labeler=LabelerLink(studio), on_kept=studio.take_pcutoff)
    made.state.observe(lambda _: studio.look(), "revision")
    return made


def _trajectories(studio: Studio) -> View:
    return TrajectoryView(studio.project, studio.bar.video, _poses(studio), queue=QueueLink(studio))


def _zones(studio: Studio) -> View:
    return ZoneEditor(studio.project, _video(studio), times=TimesLink(studio))


def _map(studio: Studio) -> View:
    return FrameMap(studio.project, studio.bar.video, _poses(studio), queue=QueueLink(studio))


def _report(studio: Studio) -> View:
    return ReportMaker(studio.project)


def _refine(studio: Studio) -> View:
    made = OutlierQueue(studio.project, studio.bar.video, _poses(studio), labeler=LabelerLink(studio))
    made.state.observe(lambda _: studio.look(), "revision")
    made.state.observe(lambda _: _on_plans(studio), "doing")
    return made


def _bodyparts(studio: Studio) -> View:
    return SchemaEditor(studio.project, on_changed=studio.take_schema)


def _video(studio: Studio) -> Path:
    """The video that is chosen."""
    if studio.bar.video is None:
        no_video = "The project has no video yet: add one under Videos and frames."
        raise FileNotFoundError(missing_words(studio.project) or no_video)
    return studio.bar.video


def _poses(studio: Studio) -> Path:
    """The poses of the video that is chosen."""
    bar = studio.bar
    if bar.poses is not None:
        return bar.poses
    _video(studio)
    if studio.overview.analyzing:
        raise FileNotFoundError("An analysis is under way. What it finds appears here when it is done.")
    if studio.overview.training and not studio.overview.trained:
        raise FileNotFoundError("The first network is still being trained. When it is there, press Analyze.")
    none = "This video has no poses yet (poses: where each bodypart is in each frame)"
    if studio.overview.training:
        waiting = "The training still runs: wait until it has ended, or press Analyze for those of the network so far."
        raise FileNotFoundError(f"{none}. {waiting}")
    first = "" if studio.overview.trained else "train a network, then "
    raise FileNotFoundError(f"{none}: {first}press Analyze.")


def _on_plans(studio: Studio) -> None:
    """Another number of frames is picked, or the choice of frames begins or ends: the line on top says so."""
    plans = planned(studio.widgets)
    if any(plans[name] != getattr(studio.overview, name) for name in ("picked", "at_work")):
        studio.look()


MAKERS: dict[str, Callable[[Studio], View]] = {  # one of `TABS` -> what makes its widget
    "Frames": _frames,
    "Label": _label,
    "Check": _check,
    "Train": _train,
    "Evaluate": _evaluate,
    "Trajectories": _trajectories,
    "Zones": _zones,
    "Map": _map,
    "Report": _report,
    "Refine": _refine,
    "Bodyparts": _bodyparts,
}
