"""A scorer's labels of a whole project as they are now, with what is in the journals and not yet in the tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from dlcnb.labels.core import Labels, table_paths
from dlcnb.labels.journal import journals
from dlcnb.labels.store import LabelStore

if TYPE_CHECKING:
    from dlcnb.project import Project

__all__ = ["current_labels"]


def current_labels(project: Project, scorer: str | None = None, *, finished: bool = False) -> Labels:
    """All labels by a scorer as they are now: the tables, and what the journals have beyond them.

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
        return Labels.read_project(project, scorer)
    for folder in project.labeled_dirs():
        if scorer in table_paths(folder) or scorer in journals(folder):
            store = LabelStore(project, folder.name, scorer)
            labeled = ~np.isnan(store.points).all((1, 2))
            if finished:
                labeled &= np.array([state == "done" for state in store.states], bool)
            parts.append(store.labels.select(labeled))
    images = tuple(image for part in parts for image in part.images)
    return Labels(project.bodyparts, scorer, images, np.concatenate([part.points for part in parts]))
