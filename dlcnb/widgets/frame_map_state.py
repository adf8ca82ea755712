"""What FrameMap shows, as plain traitlets without pixels of the page: frames, their crops, their places on the map."""

from __future__ import annotations

import numpy as np
from threadpoolctl import threadpool_limits
from traitlets import HasTraits, Int, TraitError, Unicode, validate

from dlcnb import plots
from dlcnb.frames import uniform
from dlcnb.project import nearest

__all__ = ["FrameMapState"]


class FrameMapState(HasTraits):
    """Frames of a video cropped around a bodypart, and a map on which alike ones are near each other.

    Parameters
    ----------
    poses : Poses
    pcutoff : float
        Below this likelihood the bodypart is not there, and the frame not on the map.

    Attributes
    ----------
    frames : int64 (n,), ascending
    images : uint8 (n, size, size, 3)
    positions : float64 (n, 2)
        From 0 to 1, y downwards; no unit.
    """

    bodypart = Unicode("", help="Around which the frames are cropped.")
    count = Int(300, help="Frames to place, spread over the video; those without the bodypart are left out.")
    size = Int(64, help="Side of the crops, px of the frame.")
    revision = Int(0, help="Counts the maps.")

    def __init__(self, poses, pcutoff=0.6):
        self.poses, self.pcutoff = poses, pcutoff
        self._take(np.empty(0, np.int64), np.empty((0, 1, 1, 3), np.uint8), np.empty((0, 2)))
        super().__init__()
        self.bodypart = poses.bodyparts[0]

    @validate("bodypart")
    def _valid_bodypart(self, proposal):
        if proposal.value not in self.poses.bodyparts:
            raise TraitError(
                f"no bodypart '{proposal.value}' in these poses{nearest(proposal.value, self.poses.bodyparts)}"
            )
        return proposal.value

    @validate("count", "size")
    def _positive(self, proposal):
        if proposal.value < 4:
            raise TraitError(f"{proposal.trait.name} must be at least 4, not {proposal.value}")
        return proposal.value

    def _take(self, frames, images, positions):
        self.frames, self.images, self.positions = frames, images, positions

    def make(self, reader, progress=None, seed=0):
        """Read the frames and place them (t-SNE, as `plots.embed`); takes seconds to minutes.

        Parameters
        ----------
        reader : VideoReader
        progress : callable, optional
            ``progress(done, total)`` while frames are read; ``progress(total, total)`` before they are placed.

        Raises
        ------
        ValueError
            If the bodypart is there in fewer than 4 frames.
        """
        total = min(len(self.poses), len(reader))
        chosen = uniform(total, min(self.count, total), seed=seed)
        images, frames = plots.crops(
            reader, self.poses, self.bodypart, chosen, size=self.size, pcutoff=self.pcutoff, progress=progress
        )
        with threadpool_limits(1):  # as many threads as processors would wait for each other, and for the notebook
            positions = plots.embed(images, seed=seed)
        low, extent = positions.min(axis=0), np.ptp(positions, axis=0)
        self._take(frames, images, (positions - low) / np.where(extent > 0, extent, 1))
        self.revision += 1

    def near(self, x, y, reach=0.05):
        """The frame whose place is nearest to (x, y), 0 to 1; None if none is within ``reach``."""
        if not len(self.frames):
            return None
        away = np.linalg.norm(self.positions - (x, y), axis=1)
        place = int(np.argmin(away))
        return int(self.frames[place]) if away[place] <= reach else None

    def place(self, frame):
        """Row of the frame on the map that is nearest in time to ``frame``; None without a map."""
        return int(np.argmin(np.abs(self.frames - frame))) if len(self.frames) else None

    def shown(self, side, limit=60):
        """Rows of frames whose images are shown: squares of ``side`` (0 to 1) on their places, none over another."""
        kept = []
        for row in plots.spread(self.positions, min(4 * limit, len(self.frames))).tolist():
            away = np.abs(self.positions[kept] - self.positions[row]).max(axis=1)
            if away.min(initial=np.inf) >= side:
                kept.append(row)
        return kept[:limit]
