"""What FrameMap shows, as plain traitlets without pixels of the page: frames, and their images or poses on a map."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits
from traitlets import Enum, HasTraits, Int, TraitError, Unicode, validate

from dlcnb import plots
from dlcnb.frames import uniform
from dlcnb.poses import Poses
from dlcnb.project import nearest
from dlcnb.video import VideoReader

__all__ = ["KINDS", "FrameMapState"]

KINDS = {
    "images": "images, alike ones side by side",
    "postures": "postures, where they were",
    "centred": "postures, around the bodypart",
}

_NO_IMAGES = np.empty((0, 1, 1, 3), np.uint8)


class FrameMapState(HasTraits):
    """Frames of a video on a map: cropped around a bodypart and alike ones near each other, or drawn as postures.

    Parameters
    ----------
    poses : Poses
    pcutoff : float
        Below this likelihood the bodypart is not there, and the frame not on the map.

    Attributes
    ----------
    frames : int64 (n,), ascending
    images : uint8 (n, size, size, 3)
        None of them (0, 1, 1, 3) where postures are drawn.
    marks : float64 (n, M, 2)
        Places on the map, from 0 to 1, y downwards: of the image (M = 1), or of the M bodyparts of a posture, which are
        NaN below the pcutoff.
    fewer : str
        Why there are fewer frames than `count`; empty if there are not.
    """

    kind = Enum(list(KINDS), "images", help="What is drawn of a frame, and where; one of `KINDS`.")
    bodypart = Unicode("", help="Around which the frames are cropped.")
    count = Int(300, help="Frames to place, spread over the video; those without the bodypart are left out.")
    size = Int(64, help="Side of the crops, px of the frame.")
    revision = Int(0, help="Counts the maps.")

    def __init__(self, poses: Poses, pcutoff: float = 0.6) -> None:
        self.poses, self.pcutoff, self.fewer = poses, pcutoff, ""
        self._take(np.empty(0, np.int64), _NO_IMAGES, np.empty((0, 1, 2)))
        super().__init__()
        self.bodypart = poses.bodyparts[0]

    def set_poses(self, poses: Poses) -> None:
        """Take other poses of the video; the map is empty until it is made again."""
        before, self.poses = self.bodypart, poses
        self.bodypart = before if before in poses.bodyparts else poses.bodyparts[0]
        self._take(np.empty(0, np.int64), _NO_IMAGES, np.empty((0, 1, 2)))
        self.revision += 1

    @validate("bodypart")
    def _valid_bodypart(self, proposal: Any) -> str:
        if proposal.value not in self.poses.bodyparts:
            raise TraitError(
                f"no bodypart '{proposal.value}' in these poses{nearest(proposal.value, self.poses.bodyparts)}"
            )
        return proposal.value

    @validate("count", "size")
    def _positive(self, proposal: Any) -> int:
        if proposal.value < 4:
            raise TraitError(f"{proposal.trait.name} must be at least 4, not {proposal.value}")
        return proposal.value

    def _take(self, frames: NDArray[np.int64], images: NDArray[np.uint8], marks: NDArray[np.float64]) -> None:
        self.frames, self.images, self.marks = frames, images, marks

    def make(self, reader: VideoReader, progress: Callable[[int, int], None] | None = None, seed: int = 0) -> None:
        """Place the frames: images by t-SNE (as `plots.embed`), which takes seconds to minutes, or postures.

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
        if self.kind == "images":
            self._make_images(reader, chosen, progress, seed)
        else:
            self._make_postures(chosen)
        self.fewer = self._why_fewer(total, chosen)
        self.revision += 1

    def _why_fewer(self, total: int, chosen: NDArray[np.int64]) -> str:
        """What became of the rest of `count` frames, of a video of ``total`` of which some were ``chosen``."""
        unsure = int((~self._there(chosen)).sum())
        damaged = len(chosen) - unsure - len(self.frames)
        who = "every bodypart" if self.kind == "postures" else self.bodypart
        reasons = (
            (self.count > total, f"the video has only {total}"),
            (unsure, f"in {unsure} {who} is below the pcutoff of {self.pcutoff:g}"),
            (damaged, f"{damaged} damaged"),
        )
        return "; ".join(words for found, words in reasons if found)

    def _there(self, chosen: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Which of these frames have the bodypart, or any where whole postures are drawn; bool (n,)."""
        finite = np.isfinite(self.poses.masked(self.pcutoff)[chosen]).all(-1)
        return finite.any(-1) if self.kind == "postures" else finite[:, self.poses.bodyparts.index(self.bodypart)]

    def _make_images(
        self, reader: VideoReader, chosen: NDArray[np.int64], progress: Callable[[int, int], None] | None, seed: int
    ) -> None:
        images, frames = plots.crops(
            reader, self.poses, self.bodypart, chosen, size=self.size, pcutoff=self.pcutoff, progress=progress
        )
        with threadpool_limits(1):  # as many threads as processors would wait for each other, and for the notebook
            positions = plots.embed(images, seed=seed)
        low, extent = positions.min(axis=0), np.ptp(positions, axis=0)
        self._take(frames, images, ((positions - low) / np.where(extent > 0, extent, 1))[:, None])

    def _make_postures(self, chosen: NDArray[np.int64]) -> None:
        k = self.poses.bodyparts.index(self.bodypart)
        points = self.poses.masked(self.pcutoff)[chosen]
        there = self._there(chosen)
        frames, points = chosen[there], points[there]
        if not len(frames):
            raise ValueError(
                f"In none of {len(chosen)} frames {self.bodypart if self.kind == 'centred' else 'a bodypart'} has a "
                f"likelihood of {self.pcutoff:g} or more. Choose another bodypart, or lower the project's pcutoff."
            )
        if self.kind == "centred":
            points = points - points[:, [k]]
        low, high = np.nanmin(points, axis=(0, 1)), np.nanmax(points, axis=(0, 1))
        extent = max((high - low).max(), 1.0)  # the same for x and y: postures keep their shape
        self._take(frames, _NO_IMAGES, 0.5 + (points - (low + high) / 2) / extent)

    def near(self, x: float, y: float, reach: float = 0.05) -> int | None:
        """The frame one of whose marks is nearest to (x, y), 0 to 1; None if none is within ``reach``."""
        away = np.linalg.norm(self.marks - (x, y), axis=-1)
        away = np.where(np.isfinite(away), away, np.inf)
        place = np.unravel_index(int(np.argmin(away)), away.shape) if away.size else None
        return int(self.frames[place[0]]) if place and away[place] <= reach else None

    def place(self, frame: int) -> int | None:
        """Row of the frame on the map that is nearest in time to ``frame``; None without a map."""
        return int(np.argmin(np.abs(self.frames - frame))) if len(self.frames) else None

    def shown(self, side: float, limit: int = 60) -> list[int]:
        """Rows of frames whose images are shown: squares of ``side`` (0 to 1) on their places, none over another."""
        kept: list[int] = []
        positions = self.marks[:, 0]
        for row in plots.spread(positions, min(4 * limit, len(self.frames))).tolist():
            away = np.abs(positions[kept] - positions[row]).max(axis=1)
            if away.min(initial=np.inf) >= side:
                kept.append(row)
        return kept[:limit]
