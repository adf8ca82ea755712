"""Human variability of a project: how far apart two labelings of the same frames are, and who may be wrong."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from dlcnb.geometry import animal_px
from dlcnb.labels.compare import compare_scorers, scorers
from dlcnb.tables.errors import TableError

if TYPE_CHECKING:
    import pandas as pd

    from dlcnb.evaluate.core import Evaluation
    from dlcnb.labels.compare import Variability
    from dlcnb.project import Project


__all__ = ["doubtful_labels", "human_variability"]

FAR = 0.05  # of the animal's size, as in PCK5

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


def doubtful_labels(evaluation: Evaluation, human: Variability) -> pd.DataFrame:
    """Human and network side by side for each point that two people labeled and the network found (paper, Fig. 2G).

    Three placed the same point: who is alone may be wrong. Far apart is what differs by more than five times the usual
    (median) distance of the two people, and by more than 5 % of the animal's size.

    Parameters
    ----------
    evaluation : Evaluation
        Of a network that was trained with the labels of the first of the two.
    human : dlcnb.labels.compare.Variability

    Returns
    -------
    pandas.DataFrame
        A row for each image and bodypart: ``image``, ``bodypart``, ``set``; in px ``human_px`` (first to second label),
        ``network_px`` (network to first), ``other_px`` (network to second); and ``doubt``: "first label",
        "second label" or "labels" (nobody agrees) that may be wrong, "network" where both people agree, or "".
    """
    import pandas as pd

    rows = {image: n for n, image in enumerate(evaluation.images)}
    images = [t for t, image in enumerate(human.images) if image in rows]
    shared = [part for part in evaluation.bodyparts if part in human.bodyparts]
    found = []
    far = max(5 * float(np.nanmedian([*human.distances.ravel(), 0.0])), FAR * animal_px(evaluation.labels))
    for t in images:
        n = rows[human.images[t]]
        for part in shared:
            k, h = evaluation.bodyparts.index(part), human.bodyparts.index(part)
            one, two, net = human.points[0, t, h], human.points[1, t, h], evaluation.predicted[n, k]
            gaps = [float(np.hypot(*(a - b))) for a, b in ((one, two), (net, one), (net, two))]
            if all(np.isfinite(gaps)):
                part_of = "test" if evaluation.is_test[n] else "train"
                found.append((human.images[t], part, part_of, *gaps, _doubt(gaps, far)))
    columns = ["image", "bodypart", "set", "human_px", "network_px", "other_px", "doubt"]
    return pd.DataFrame(found, columns=columns)


def _doubt(gaps: Sequence[float], far: float) -> str:
    """Who may be wrong, by the distances of first to second label, of the network to the first, and to the second."""
    people, first, second = (gap > far for gap in gaps)
    if not people:
        return "network" if first and second else ""
    return "labels" if first and second else "first label" if first else "second label" if second else ""
