"""What OutlierQueue shows, as plain traitlets without pixels: what counts as wrong, which frames are in the queue."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from traitlets import Enum, Float, HasTraits, Int, TraitError, Unicode, validate

from dlcnb import outliers
from dlcnb.frames import extracted

if TYPE_CHECKING:
    from dlcnb.poses import Poses
    from dlcnb.project import Project
    from dlcnb.video import VideoReader

__all__ = ["CHOOSE", "OutlierState", "merged_words"]

CHOOSE = ("kmeans", "uniform")
ELSE = ("jump", "fit", "uncertain", "swap", "bone")  # of a frame that was put in by hand; what names one bodypart first


class OutlierState(HasTraits):
    """Frames of a video that look wrong, and those of them that are to be extracted.

    Parameters
    ----------
    project : Project
    video : Path
    poses : Poses
        Unfiltered.
    """

    how = Enum(tuple(outliers.HOW), "jump")
    threshold = Float(20.0)
    count = Int(20, help="How many frames to choose.")
    choose = Enum(CHOOSE, "kmeans")
    doing = Unicode("", help="What is done to the queue now, in words; empty when nothing is.")
    message = Unicode("", help="A hint for the user; empty when all is well.")
    revision = Int(0, help="Counts the changes of the queue and of what is extracted.")

    def __init__(self, project: Project, video: Path, poses: Poses) -> None:
        super().__init__()
        self.project, self.video, self.poses = project, video, poses
        self.frames: tuple[int, ...] = ()  # the queue, those put in by hand first,
        self.by_hand: frozenset[int] = frozenset()  # which stay until they are extracted or dropped,
        self.dropped: frozenset[int] = frozenset()  # and those of it that are not wanted
        self.counts = 0, 0  # as `refined` said when it was looked last,
        self.corrected: frozenset[str] = frozenset()  # and the images that are labeled
        self.images: dict[int, str] = {}  # frame -> its name in the project, of extracted frames
        self.made_for: tuple[Any, ...] | None = None  # what the queue was chosen by
        self._scores: dict[str, outliers.Scores] = {}
        self.threshold = self.scores.first
        self.refresh()

    def set_poses(self, poses: Poses) -> None:
        """Look at other poses of the video, from the first threshold, with an empty queue."""
        self.poses, self._scores = poses, {}
        self.threshold = self.scores.first
        self.clear()

    @validate("how")
    def _valid_how(self, proposal: Any) -> str:
        self._score(proposal.value)  # raises where the project has no bones, no left and right
        return proposal.value

    @validate("count")
    def _valid_count(self, proposal: Any) -> int:
        if proposal.value < 1:
            raise TraitError(f"at least 1 frame must be chosen, not {proposal.value}")
        return proposal.value

    def _score(self, how: str) -> outliers.Scores:
        if how not in self._scores:
            found = outliers.score(
                self.poses, how, skeleton=self.project.skeleton, pcutoff=self.project.pcutoff
            )  # fmt: skip
            self._scores[how] = found
        return self._scores[how]

    # --- what is found ---

    @property
    def scores(self) -> outliers.Scores:
        """The `outliers.Scores` of ``how``."""
        return self._score(self.how)

    @property
    def n_found(self) -> int:
        """Frames that the threshold finds; quick."""
        return self.scores.count(self.threshold)

    @property
    def settings(self) -> tuple[str, float, int, str]:
        """What the queue depends on."""
        return self.how, self.threshold, self.count, self.choose

    @property
    def stale(self) -> bool:
        """Whether the queue was chosen by other settings."""
        return self.made_for not in (None, self.settings)

    @property
    def waiting(self) -> frozenset[int]:
        """Frames put in by hand that are neither dropped nor extracted."""
        return self.by_hand - self.dropped - {*self.images}

    @property
    def kept(self) -> tuple[int, ...]:
        """Frames of the queue that are neither dropped nor extracted."""
        return tuple(n for n in self.frames if n not in self.dropped and n not in self.images)

    def set_how(self, how: str) -> None:
        """Look for something else, from its first threshold; a `ValueError` changes nothing."""
        scores = self._score(how)
        with self.hold_trait_notifications():
            self.how, self.threshold = how, scores.first

    def limits(self) -> tuple[float, float]:
        """Ends of the threshold's slider."""
        low, high = self.scores.limits()
        usual = self.scores.threshold
        if low == high and usual != low:
            return low, low + 1e-6
        return min(low, usual), max(high, usual)

    def new_frames(self) -> NDArray[np.int64]:
        """Frames that the threshold finds and that are not extracted, int64."""
        return np.setdiff1d(self.scores.found(self.threshold), list(self.images))

    # --- the queue ---

    def choose_frames(
        self, reader: VideoReader | None = None, progress: Callable[[int, int], None] | None = None
    ) -> None:
        """Fill the queue with ``count`` of the new frames; k-means reads them from the video.

        Frames put in by hand stay, beside the ``count``, until they are extracted or dropped.
        """
        crop = self.project.crop(self.video)
        settings, found = self.settings, np.setdiff1d(self.new_frames(), list(self.waiting))
        chosen = outliers.subsample(
            found, self.count, how=self.choose, reader=reader, crop=crop, progress=progress
        ) if len(found) else found  # fmt: skip
        self.by_hand = self.waiting  # as it is now: one may have been put in while k-means read
        self.dropped, self.made_for = frozenset(), settings
        self._queue(map(int, chosen))

    def add(self, frame: int) -> None:
        """Put one frame into the queue."""
        frame = int(frame)
        if not 0 <= frame < len(self.poses):
            raise IndexError(f"frame {frame}: there are poses of frames 0 to {len(self.poses) - 1}")
        self.by_hand |= {frame}
        self.dropped -= {frame}
        self._queue(self.frames)

    def _queue(self, frames: Iterable[int]) -> None:
        """Let these be the queue, behind the frames put in by hand."""
        self.frames = (*sorted(self.by_hand), *sorted({*frames} - self.by_hand))
        self.revision += 1

    def toggle(self, frame: int) -> None:
        """Drop a frame from the queue, or take it back."""
        self.dropped ^= {frame}
        self.revision += 1

    def clear(self) -> None:
        """Empty the queue."""
        self.frames, self.by_hand, self.dropped, self.made_for = (), frozenset(), frozenset(), None
        self.revision += 1

    def leave_extracted(self) -> None:
        """Let the queue have only what is not extracted: the rest was merged."""
        self.by_hand -= {*self.images}
        self._queue(n for n in self.frames if n not in self.images)

    def reason(self, frame: int) -> str:
        """What is wrong in a frame, in words; if nothing is by this measure, by the first other one that finds it."""
        limits = [self.threshold, *([self.made_for[1]] if self.made_for and self.made_for[0] == self.how else [])]
        if any(_finds(self.scores, frame, limit) for limit in limits):
            return self.scores.reason(frame)
        for how in ELSE:
            found = self._known(how)
            if found is not None and _finds(found, frame, found.threshold):
                return f"{found.reason(frame)} ({how})"
        return f"not found by {self.how}"

    def _known(self, how: str) -> outliers.Scores | None:
        """The scores of a measure; None if the project has no bones, no left and right."""
        try:
            return self._score(how)
        except ValueError:
            return None

    @property
    def lacks(self) -> dict[str, str]:
        """Why "extract" and "merge" can't be done, and what to do first; without those that can be done."""
        labeled, extracted = self.counts
        found = {}
        if not self.frames:
            found["extract"] = "There is nothing to extract yet: press Preview first"
        elif not self.kept:
            found["extract"] = "All frames of the queue are extracted or not ticked: tick some, or press Preview again"
        if not extracted:
            found["merge"] = (
                "There is nothing to merge yet: extract frames that look wrong, and correct them under Label"
            )
        elif not labeled:
            found["merge"] = f"None of the extracted frames ({extracted}) is labeled yet: correct some under Label"
        return found

    def extract(self) -> int:
        """Extract the kept frames, with the machine's labels beside; returns how many."""
        kept = self.kept
        if not kept:
            raise ValueError("There is nothing to extract: press Preview, or take dropped frames back.")
        done = outliers.extract(self.project, self.video, self.poses, kept)
        self.refresh()
        return len(done.images)

    def refresh(self) -> None:
        """See which frames are extracted, and how many of them are labeled."""
        self.counts = self.refined()
        folder = self.project.labeled_dir(self.video)
        self.images = {n: f"labeled-data/{folder.name}/{image.name}" for n, image in extracted(folder).items()}
        self.revision += 1

    def refined(self) -> tuple[int, int]:
        """(labeled, all) extracted outlier frames of this iteration, in all videos."""
        states = {i: state for found in outliers.refinement(self.project).values() for i, state in found.items()}
        self.corrected = frozenset(image for image, state in states.items() if state == "done")
        return len(self.corrected), len(states)


def merged_words(done: outliers.Merged) -> str:
    """What a merge did, what comes next, and the way back: it changes the number of the iteration alone."""
    frames = sum(done.refined.values())
    return (
        f"{frames} corrected frame{'s are' if frames != 1 else ' is'} merged: the next training learns from "
        f"{'them' if frames != 1 else 'it'}, too (iteration {done.iteration} has begun). Next: train again. Back "
        f"to the network before: iteration: {done.iteration - 1} in config.yaml."
    )


def _finds(scores: outliers.Scores, frame: int, threshold: float) -> bool:
    """Whether a threshold finds the frame; a frame of which nothing can be said is never found."""
    worst = scores.worst[frame]
    return bool(worst > threshold if scores.above else worst < threshold)
