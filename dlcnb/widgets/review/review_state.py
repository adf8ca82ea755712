"""Looking through labels as state without pixels: which labeled frames, in which order, and who differs from whom."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from pathlib import PurePosixPath
from typing import Any

import numpy as np
from numpy.typing import NDArray
from traitlets import Enum, HasTraits, Int, Unicode

from dlcnb.labels import Fault, LabelError, Variability, compare_scorers, rank_project, scorers
from dlcnb.labels.current import current_labels
from dlcnb.labels.replay import frame_order
from dlcnb.project import Project
from dlcnb.widgets.labeler.state import LabelSession

__all__ = ["ALL", "ORDER", "WHICH", "ReviewRow", "ReviewState", "VariabilityState"]

ALL = "all"
WHICH = ("all", "odd", "incomplete")
ORDER = ("oddest first", "by frame")


def labelers(project: Project) -> dict[str, int]:
    """{scorer: number of labeled frames} of those who labeled any."""
    return {name: n for name, n in scorers(project).items() if n}


@dataclass(frozen=True, eq=False)
class ReviewRow:
    """A labeled frame: its points ``(K, 2)`` in px (NaN = not placed), how odd it is, and what may be wrong."""

    image: str
    points: np.ndarray
    score: float
    faults: tuple[Fault, ...]
    missing: tuple[str, ...]

    @property
    def reasons(self) -> tuple[str, ...]:
        """What may be wrong, in words."""
        return tuple(fault.text for fault in self.faults)

    @property
    def bodyparts(self) -> tuple[str, ...]:
        """Which bodyparts that is about."""
        return tuple(part for fault in self.faults for part in fault.bodyparts)

    @property
    def video(self) -> str:
        """The folder of the image."""
        return PurePosixPath(self.image).parent.name


class ReviewState(HasTraits):
    """One scorer's labeled frames, ranked by how odd they are, and which of them to show.

    Parameters
    ----------
    project : Project
    scorer : str, optional
        By default the project's, or whoever labeled if that one did not.
    labeler : Labeler, optional
        In whose ``session`` faults are mended where it labels for the same scorer; by default in one of its own.

    Raises
    ------
    LabelError
        If nobody labeled anything, or the table is damaged.
    """

    scorer = Unicode("")
    video = Unicode(ALL, help="Whose frames to show.")
    bodypart = Unicode(
        ALL, help="Only frames where it is placed (odd: where it is odd; incomplete: where it is missing)."
    )
    which = Enum(WHICH, "all")
    order = Enum(ORDER, ORDER[0])
    revision = Int(0, help="Counts the changes of the labels.")

    def __init__(self, project: Project, scorer: str | None = None, labeler: Any = None) -> None:
        super().__init__()
        self.project = project
        self._labeler = labeler
        self._own_session: LabelSession | None = None
        self._mended: list[LabelSession] = []
        self.scorers = labelers(project)
        self.scorer = scorer or next(iter(self.scorers), project.scorer)
        self.load()

    def load(self) -> None:
        """Read the scorer's labels again, unsaved edits included."""
        self.scorers = labelers(self.project)
        labels = current_labels(self.project, self.scorer)
        points = dict(zip(labels.images, labels.points, strict=True))
        ranked = []
        for odd in rank_project(self.project, self.scorer):
            if odd.image in points:  # else it was labeled between the two readings
                absent = np.isnan(points[odd.image][:, 0])
                missing = tuple(part for part, none in zip(labels.bodyparts, absent, strict=True) if none)
                row = ReviewRow(odd.image, points[odd.image], odd.score, odd.faults, missing)
                ranked.append(row)
        self.labels, self._ranked = labels, ranked
        self.revision += 1

    @property
    def videos(self) -> tuple[str, ...]:
        """The videos with labeled frames."""
        return tuple(dict.fromkeys(row.video for row in self._by_frame()))

    def rows(self) -> list[ReviewRow]:
        """The `ReviewRow`s to show, in their order."""
        rows = self._ranked if self.order == ORDER[0] else self._by_frame()
        return [row for row in rows if self.video in (ALL, row.video) and self._fits(row)]

    def count(self, which: str) -> int:
        """How many frames of all videos are 'all', 'odd' or 'incomplete'."""
        tests = {"all": lambda row: True, "odd": lambda row: row.reasons, "incomplete": lambda row: row.missing}
        return sum(bool(tests[which](row)) for row in self._ranked)

    def row(self, image: str) -> ReviewRow | None:
        """The row of an image; None if it is not labeled."""
        return next((row for row in self._ranked if row.image == image), None)

    # --- mending ---

    def session(self, image: str) -> LabelSession:
        """The session in which this scorer's labels of an image are mended; raises `LabelError`."""
        for session in (getattr(self._labeler, "session", None), self._own_session):
            if isinstance(session, LabelSession) and session.scorer == self.scorer and image in session.images:
                return session
        self._own_session = LabelSession(self.project, scorer=self.scorer)
        return self._own_session

    def mend(self, image: str, fault: Fault) -> None:
        """Swap the two bodyparts of a fault, or delete the first one's point, and read the labels again.

        Raises `LabelError` or OSError, and nothing has changed, if it can't be written.
        """
        session = self.session(image)
        session.go_to(image)
        session.choose(fault.bodyparts[0])
        if fault.fix == "swap":
            session.swap(*fault.bodyparts)
        elif fault.fix == "delete":
            session.delete()
        self._mended.append(session)
        self._keep(session)

    def take_back(self) -> str:
        """Undo what was mended last; returns the image, or "" if nothing was."""
        if not self._mended:
            return ""
        session = self._mended.pop()
        session.undo()
        self._keep(session)
        return session.cursor.image

    @property
    def mended(self) -> int:
        """How many faults were mended and can be taken back."""
        return len(self._mended)

    def _keep(self, session: LabelSession) -> None:
        if session is self._own_session:  # a labeler saves by itself
            session.save()
        self.load()

    def _by_frame(self) -> list[ReviewRow]:
        return sorted(self._ranked, key=lambda row: (row.video, frame_order(row.image)))

    def _fits(self, row: ReviewRow) -> bool:
        if self.which == "odd":
            return bool(row.reasons) and (self.bodypart == ALL or self.bodypart in row.bodyparts)
        if self.which == "incomplete":
            return bool(row.missing) and (self.bodypart == ALL or self.bodypart in row.missing)
        return self.bodypart == ALL or self.bodypart not in row.missing


class VariabilityState(HasTraits):
    """How far apart scorers place the same bodyparts: two of them in detail, everybody against everybody as a matrix.

    Parameters
    ----------
    project : Project
    first, second : str, optional
        Who to compare; by default the first two who labeled.

    Raises
    ------
    LabelError
        If fewer than two scorers labeled anything.
    """

    first = Unicode("")
    second = Unicode("")
    message = Unicode("", help="Why there is nothing to show; empty when there is.")
    revision = Int(0, help="Counts the changes of the results.")

    def __init__(self, project: Project, first: str | None = None, second: str | None = None) -> None:
        super().__init__()
        self.project = project
        self.result: Variability | None = None
        self.scorers = labelers(self.project)
        if len(self.scorers) < 2:
            who = ", ".join(self.scorers) or "nobody"
            raise LabelError(
                f"comparing needs two scorers who labeled the same frames; labeled by {who}. "
                "Label them again under another name (in a notebook: Labeler(project, scorer='…'))."
            )
        names = list(self.scorers)
        self.first = first or next(name for name in names if name != second)
        self.second = second or next(name for name in names if name != self.first)
        self.compare()

    def load(self) -> None:
        """Read everybody's labels again."""
        self.scorers = labelers(self.project)
        self.compare()

    def compare(self) -> None:
        """Compare the two again."""
        try:
            if self.first == self.second:
                raise LabelError("choose two different scorers")
            self.result, self.message = compare_scorers(self.project, self.first, self.second), ""
        except LabelError as error:
            self.result, self.message = None, str(error)
        self.revision += 1

    def matrix(self) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """Everybody against everybody: float64 (S, S) mean distance in px and int (S, S) points compared.

        The scorers are in the order of ``scorers``; NaN where two have no frame in common, and on the diagonal.
        """
        names = list(self.scorers)
        mean, count = np.full((len(names),) * 2, np.nan), np.zeros((len(names),) * 2, int)
        for i, j in combinations(range(len(names)), 2):
            try:
                distances = compare_scorers(self.project, names[i], names[j]).distances
            except LabelError:
                continue
            known = distances[np.isfinite(distances)]
            if known.size:
                mean[i, j] = mean[j, i] = known.mean()
                count[i, j] = count[j, i] = known.size
        return mean, count

    def histogram(self, bins: int = 20) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """Distances per bodypart: edges float64 (bins + 1,) in px and counts int (K, bins).

        The last bin also holds what is farther than the 99th percentile, so that one slip hides nothing.
        """
        if self.result is None:
            raise LabelError(self.message)
        distances = self.result.distances
        known = distances[np.isfinite(distances)]
        end = max(float(np.percentile(known, 99)) * 1.05, 1.0) if known.size else 1.0
        edges = np.linspace(0, end, bins + 1)
        parts = (np.minimum(column[np.isfinite(column)], end) for column in distances.T)
        return edges, np.array([np.histogram(part, edges)[0] for part in parts]).reshape(-1, bins)
