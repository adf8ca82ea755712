"""What the widgets show, as plain traitlets without a widget: every gesture is a method here.

Arrays are not traits. A method that changes one raises ``revision``, and views repaint on that.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from traitlets import Bool, Float, HasTraits, Int, TraitError, Unicode, validate

from dlcnb.geometry import far_outside
from dlcnb.widgets.base.zoom import Zoomable

__all__ = ["PlayClock", "PlayerState"]

LONGEST_JUMP = 0.25  # seconds of wall time that playback may skip at once when decoding cannot keep up


class PlayerState(Zoomable, HasTraits):
    """Which frame of a video is shown, how, and what is marked on its timeline.

    Parameters
    ----------
    times : (T,) array
        Time of each frame in seconds, ascending.
    image_size, canvas_size : (height, width)
        Of a video frame and of the drawing surface, in pixels.
    """

    frame = Int(0, help="The frame shown, counted from 0; a number outside the video becomes its first or last frame.")
    playing = Bool(False)
    speed = Float(1.0, help="Playback speed; 1 is the speed of the recording.")
    pcutoff = Float(0.6, help="Bodyparts with a lower likelihood are not drawn.")
    show_poses = Bool(True)
    message = Unicode("", help="An error or a hint for the user; empty when all is well.")
    revision = Int(0, help="Counts the changes of poses, marks and zoom.")

    def __init__(self, times: ArrayLike, image_size: tuple[int, int], canvas_size: tuple[int, int]) -> None:
        self.times = np.asarray(times, float)
        if not len(self.times):
            raise ValueError("a player needs at least one frame, but the video has none")
        self._set_sizes(image_size, canvas_size)
        self.points: NDArray[np.float64] | None = None
        self.likelihood: NDArray[np.float64] | None = None
        self.marks: dict[str, NDArray[np.int64]] = {}
        super().__init__()

    @property
    def n_frames(self) -> int:
        """Number of frames in the video."""
        return len(self.times)

    @property
    def fps(self) -> float:
        """Mean frames per second; 1 for a single frame."""
        span = self.times[-1] - self.times[0]
        return (self.n_frames - 1) / span if span > 0 else 1.0

    @validate("frame")
    def _valid_frame(self, proposal: Any) -> int:
        return int(min(max(proposal.value, 0), self.n_frames - 1))

    @validate("speed")
    def _valid_speed(self, proposal: Any) -> float:
        if not 0 < proposal.value <= 100:
            raise TraitError(f"speed must be above 0 and at most 100, not {proposal.value}")
        return proposal.value

    @validate("pcutoff")
    def _valid_pcutoff(self, proposal: Any) -> float:
        if not 0 <= proposal.value <= 1:
            raise TraitError(f"pcutoff is a likelihood between 0 and 1, not {proposal.value}")
        return proposal.value

    # --- gestures ---

    def step(self, count: int) -> None:
        """Move by ``count`` frames (back when negative); stops playback."""
        self.go(self.frame + count)

    def go(self, frame: int) -> None:
        """Show ``frame`` (clipped to the video); stops playback."""
        self.playing = False
        self.frame = frame

    def home(self) -> None:
        """Show the first frame."""
        self.go(0)

    def end(self) -> None:
        """Show the last frame."""
        self.go(self.n_frames - 1)

    def toggle(self) -> None:
        """Play, or pause; playing again from the last frame starts over."""
        if not self.playing and self.frame == self.n_frames - 1:
            self.frame = 0
        self.playing = not self.playing

    def go_to_mark(self, direction: int) -> None:
        """Show the next (``1``) or previous (``-1``) marked frame, if there is one."""
        frames = np.unique(np.concatenate([np.empty(0, int), *self.marks.values()]))
        ahead = frames[frames > self.frame] if direction > 0 else frames[frames < self.frame][::-1]
        if len(ahead):
            self.go(int(ahead[0]))

    # --- poses and marks ---

    def set_poses(self, points: ArrayLike, likelihood: ArrayLike) -> None:
        """Draw these poses.

        Parameters
        ----------
        points : (T, K, 2) array
            Full-frame pixels; NaN is not drawn.
        likelihood : (T, K) array

        Frames after the last row, as when a part of a video was analyzed, have no pose.
        """
        there, sure = np.asarray(points, float), np.asarray(likelihood, float)
        missing = self.n_frames - len(there)
        if missing < 0:
            raise ValueError(
                f"the poses cover {len(there)} frames but the video has {self.n_frames}: "
                "give the poses that were made from this video"
            )
        self.points = np.concatenate([there, np.full((missing, *there.shape[1:]), np.nan)])
        self.likelihood = np.concatenate([sure, np.full((missing, *sure.shape[1:]), np.nan)])
        self.revision += 1

    def set_marks(self, name: str, frames: ArrayLike) -> None:
        """Mark ``frames`` on the timeline under ``name`` ('labeled', 'outliers'); an empty list takes them away."""
        marked = np.unique(np.asarray(frames, dtype=int))
        outside = marked[(marked < 0) | (marked >= self.n_frames)]
        if len(outside):
            raise ValueError(
                f"{name} frame {outside[0]} is not in the video, which has frames 0 to {self.n_frames - 1}"
            )
        self.marks = {**self.marks, name: marked}
        self.revision += 1

    def visible_points(self) -> NDArray[np.float64]:
        """The shown frame's points, float64 (K, 2), NaN where absent or below ``pcutoff``; (0, 2) without poses.

        Those far outside of the frame are absent.
        """
        if not self.show_poses:
            return np.empty((0, 2))
        return self.points_of(slice(self.frame, self.frame + 1)).reshape(-1, 2)

    def points_of(self, frames: slice) -> NDArray[np.float64]:
        """As `visible_points`, of several frames, float64 (n, K, 2); (0, 2) without poses."""
        if self.points is None or self.likelihood is None:
            return np.empty((0, 2))
        points = self.points[frames]
        gone = ~(self.likelihood[frames] >= self.pcutoff) | far_outside(points, self.image_size)
        return np.where(gone[..., None], np.nan, points)

    @property
    def outside(self) -> int:
        """How many points of the poses are likely enough, and far outside of the frame."""
        if self.points is None or self.likelihood is None:
            return 0
        return int((far_outside(self.points, self.image_size) & (self.likelihood >= self.pcutoff)).sum())

    def low_likelihood(self, bins: int) -> NDArray[np.float64]:
        """Share of bodyparts below ``pcutoff`` in each of ``bins`` equal parts of the video, float64 (bins,)."""
        if self.likelihood is None:
            return np.zeros(bins)
        low = (~(self.likelihood >= self.pcutoff)).mean(axis=1)
        edges = np.linspace(0, self.n_frames, bins + 1)
        first = np.minimum(edges[:-1].astype(int), self.n_frames - 1)
        last = np.maximum(np.ceil(edges[1:]).astype(int), first + 1)
        sums = np.concatenate([[0.0], np.cumsum(low)])
        return (sums[last] - sums[first]) / (last - first)

    # --- the timeline ---

    def frame_at(self, x: float, width: int) -> int:
        """The frame under the position ``x`` of a timeline ``width`` wide."""
        return int(min(max(x / width * self.n_frames, 0), self.n_frames - 1))

    def mark_near(self, x: float, width: int, reach: float = 5) -> int:
        """The marked frame nearest to ``x`` on a timeline ``width`` wide, at most ``reach`` away, else `frame_at`."""
        frames = np.concatenate([np.empty(0, int), *self.marks.values()])
        if len(frames):
            distance = np.abs((frames + 0.5) / self.n_frames * width - x)
            if distance.min() <= reach:
                return int(frames[distance.argmin()])
        return self.frame_at(x, width)

    def time_text(self) -> str:
        """Where we are in time, as ``'0.40 s of 77.63 s'``, counted from the first frame."""
        start = self.times[0]
        return f"{self.times[self.frame] - start:.2f} s of {self.times[-1] - start:.2f} s"


class PlayClock:
    """Which frame is due at a moment of wall time: slow decoding skips a little, then slows down, never runs away."""

    def __init__(self, state: PlayerState, now: float) -> None:
        self.state = state
        self.rebase(now)

    def rebase(self, now: float) -> None:
        """Start counting at the shown frame."""
        self._start, self._time, self._speed = now, self.state.times[self.state.frame], self.state.speed
        self.shown = self.state.frame

    def due(self, now: float) -> int:
        """The frame to show at ``now`` (seconds of a monotonic clock)."""
        if self.state.speed != self._speed or self.state.frame != self.shown:
            self.rebase(now)
        times, frame = self.state.times, self.state.frame
        wanted = self._time + (now - self._start) * self._speed
        after = times[min(frame + 1, self.state.n_frames - 1)]
        furthest = max(times[frame] + LONGEST_JUMP * self._speed, after)
        if wanted > furthest:
            self._start, self._time, wanted = now, furthest, furthest
        self.shown = max(int(np.searchsorted(times, wanted + 1e-9, side="right")) - 1, frame)
        return self.shown

    def wait(self, now: float) -> float | None:
        """Seconds until the frame after the shown one is due; None at the end of the video."""
        after = self.shown + 1
        if after >= self.state.n_frames:
            return None
        return max((self.state.times[after] - self._time) / self._speed - (now - self._start), 0.0)
