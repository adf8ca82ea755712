"""States to go on from, for a student who came late: the labels that are missing, a network, the video analyzed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from dlcnb.labels import LabelStore
from dlcnb.labels.journal import Edit
from dlcnb.poses import newest_poses
from dlcnb.project import Project
from dlcnb.run import Run
from dlcnb.teaching.lesson import PREPARED, Lesson

if TYPE_CHECKING:
    from dlcnb.jobs import Job

__all__ = ["fill_labels", "start_analysis", "start_training"]


def fill_labels(lesson: Lesson, project: Project) -> int:
    """Place the bodyparts that a student has not placed in the class's frames; returns how many that were.

    The student's own points stay, and what was marked not visible. The others get their true places, and are known
    as placed for the student: the board and the exercises leave them out.

    Raises
    ------
    ClassError
        The project is not of this lesson.
    """
    missing = np.isnan(lesson.hand_in(project).points).any(-1)  # (T, K); also checks the lesson
    store = LabelStore(project, project.videos[0].stem)
    hidden = dict(zip(store.images, store.hidden, strict=True))
    missing &= ~np.array([hidden.get(image, np.zeros(missing.shape[1], bool)) for image in lesson.images])
    store.apply(
        Edit(lesson.images[t], lesson.bodyparts[k], (float(x), float(y)), origin=PREPARED)
        for t, k in np.argwhere(missing).tolist()
        for x, y in [lesson.truth[t, k]]
    )
    store.save()
    return int(missing.sum())


def start_training(project: Project, **budget: Any) -> Job | None:
    """Start to train on a student's labels, in a worker; None if a trained network is there.

    All labeled frames are trained on: the class's hidden frames are the test.

    Parameters
    ----------
    budget : ``minutes`` or ``steps``, and other settings of `dlcnb.trainset.TrainConfig`.
    """
    from dlcnb import jobs

    if any(Run(run).steps for run in project.runs()):
        return None
    if budget.get("steps"):
        budget["minutes"] = None
    return jobs.start("train", project, config={"train_fraction": project.train_fraction, **budget})


def start_analysis(project: Project) -> Job | None:
    """Start to analyze the lesson's video, in a worker; None if it has poses."""
    from dlcnb import jobs

    try:
        newest_poses(project.videos[0])
        return None
    except FileNotFoundError:
        return jobs.start("analyze", project, videos=[project.videos[0]])
