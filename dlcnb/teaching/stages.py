"""States to go on from, for a student who came late: the labels that are missing."""

from __future__ import annotations

import numpy as np

from dlcnb.labels import LabelStore
from dlcnb.labels.journal import Edit
from dlcnb.project import Project
from dlcnb.teaching.lesson import Lesson

__all__ = ["fill_labels"]


def fill_labels(lesson: Lesson, project: Project) -> int:
    """Place the bodyparts that a student has not placed in the class's frames; returns how many that were.

    The student's own points stay, and what was marked not visible. The others get their true places.

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
        Edit(lesson.images[t], lesson.bodyparts[k], (float(lesson.truth[t, k, 0]), float(lesson.truth[t, k, 1])))
        for t, k in np.argwhere(missing).tolist()
    )
    store.save()
    return int(missing.sum())
