"""Human variability of a project: how far apart two labelings of the same frames are."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from dlcnb.labels.compare import compare_scorers, scorers
from dlcnb.tables.errors import TableError

if TYPE_CHECKING:
    from dlcnb.labels.compare import Variability
    from dlcnb.project import Project


__all__ = ["human_variability"]

log = logging.getLogger(__name__)


def human_variability(project: Project) -> Variability | None:
    """The project's labels against those of the other scorer who has most frames in common with them.

    Parameters
    ----------
    project : Project

    Returns
    -------
    dlcnb.labels.compare.Variability or None
        None if nobody else labeled any of the same frames.
    """
    found = []
    for other, count in scorers(project).items():
        if other == project.scorer or not count:
            continue
        try:
            found.append(compare_scorers(project, project.scorer, other))
        except TableError as error:
            log.info("No human variability from %s: %s", other, error)
    return max(found, key=lambda one: len(one.images), default=None)
