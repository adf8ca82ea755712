"""A scorer's labels of a whole project as they are now, with what is in the journals and not yet in the tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from dlcnb.labels.core import Labels, table_paths
from dlcnb.labels.journal import journals
from dlcnb.labels.store import LabelStore

if TYPE_CHECKING:
    from pathlib import Path

    from dlcnb.project import Project

__all__ = ["current_labels", "labeled_images"]


def current_labels(project: Project, scorer: str | None = None, *, finished: bool = False) -> Labels:
    """All labels by a scorer as they are now: the tables, and what the journals have beyond them.

    Frames without a point are left out: a table may have rows of such.

    Parameters
    ----------
    project : dlcnb.project.Project
    scorer : None = the project's.
    finished : leave out frames that are in work.

    Raises
    ------
    LabelError
        If there are none by this scorer, or a table is damaged or doesn't fit.
    """
    scorer = scorer or project.scorer
    parts: list[Labels] = []
    if not any(scorer in journals(folder) for folder in project.labeled_dirs()):
        return _with_points(Labels.read_project(project, scorer))
    for folder in project.labeled_dirs():
        if scorer in table_paths(folder) or scorer in journals(folder):
            store = LabelStore(project, folder.name, scorer)
            done = np.array([state == "done" or not finished for state in store.states], bool)
            parts.append(_with_points(store.labels.select(done)))
    images = tuple(image for part in parts for image in part.images)
    return Labels(project.bodyparts, scorer, images, np.concatenate([part.points for part in parts]))


def labeled_images(project: Project, video: str | Path, scorer: str | None = None) -> tuple[str, ...]:
    """Images of a video that have a label by a scorer (None = the project's), or are called done.

    A row without a point, such as DeepLabCut's tables have and an undone label leaves, is no label. Raises
    `LabelError` for a damaged table.
    """
    folder, scorer = project.labeled_dir(video), scorer or project.scorer
    if scorer in journals(folder):
        store = LabelStore(project, folder.name, scorer)
        return tuple(image for image, state in zip(store.images, store.states, strict=True) if state != "new")
    return _with_points(Labels.read(folder, scorer)).images if scorer in table_paths(folder) else ()


def _with_points(labels: Labels) -> Labels:
    return labels.select(~np.isnan(labels.points).all((1, 2)))
