"""What TrajectoryView shows, as plain traitlets without pixels: bodyparts, part of the video, filter, frame."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from cachetools import LRUCache
from numpy.typing import ArrayLike, NDArray
from traitlets import Enum, Float, HasTraits, Int, TraitError, Tuple, Unicode, validate

from dlcnb.geometry import far_outside
from dlcnb.project import nearest
from dlcnb.trajectories import METHODS, filter_poses, speed
from dlcnb.widgets.base.envelope import Envelope, extreme_frames
from dlcnb.widgets.trajectories.steps import frames_of, histogram

if TYPE_CHECKING:
    import pandas as pd

    from dlcnb.poses import Poses
    from dlcnb.project import Scale

__all__ = ["KINDS", "SHOW", "TrajectoryState"]

KINDS = ("x", "y", "likelihood", "speed")
SHOW = ("raw", "filtered", "both", "side by side")
LEAST = 10  # frames, the shortest part that is zoomed to
SHOWN_AT_FIRST = 8  # bodyparts
KEPT = 96  # series in memory
REACH = 8  # px: a click that near a line means the point of the line
POINTS = 1400  # of a line that reach the browser


class TrajectoryState(HasTraits):
    """Poses over time, and what of them is looked at.

    Parameters
    ----------
    poses : Poses
        Unfiltered.
    times : (T,) array
        Seconds, ascending.
    pcutoff : float
    scale : Scale, optional
        Of the video; without it there are pixels only.
    size : (height, width), optional
        Of its frames, px: points far outside are not drawn.
    """

    frame = Int(0)
    pcutoff = Float(0.6, help="Points of a lower likelihood are not drawn.")
    bodyparts = Tuple(help="Names of those that are drawn.")
    method = Enum(tuple(METHODS), "median")
    show = Enum(SHOW, "raw")
    trail = Int(30, help="Frames before and after the present one that the trail has.")
    start = Int(0, help="First frame of the part looked at.")
    stop = Int(1, help="One after its last frame.")
    unit = Enum(("seconds", "frames"), "seconds")
    length = Enum(("px", "cm"), "px", help="The unit of places and speed.")
    message = Unicode("", help="A hint for the user; empty when all is well.")
    revision = Int(0, help="Counts the changes of the poses and of the part looked at.")

    def __init__(
        self,
        poses: Poses,
        times: ArrayLike,
        pcutoff: float = 0.6,
        scale: Scale | None = None,
        size: tuple[int, int] | None = None,
    ) -> None:
        self.scale, self.size = scale, size
        self._all_times = np.asarray(times, float)
        self._filtered: LRUCache[str, Poses] = LRUCache(1)
        self._series: LRUCache[tuple[Any, ...], Envelope] = LRUCache(KEPT)
        self._whole: dict[tuple[Any, ...], NDArray[np.float32]] = {}
        self._take(poses)
        super().__init__()
        with self.hold_trait_notifications():
            self.pcutoff, self.stop = pcutoff, len(poses)
            self.bodyparts = tuple(poses.bodyparts[:SHOWN_AT_FIRST])

    def _take(self, poses: Poses) -> None:
        if not len(poses) or len(self._all_times) < len(poses):
            raise ValueError(
                f"The poses are of {len(poses)} frames, but the video has {len(self._all_times)}: give poses of this "
                "video."
            )
        self.poses, self.times = poses, self._all_times[: len(poses)]
        for kept in (self._filtered, self._series, self._whole):
            kept.clear()

    def set_poses(self, poses: Poses) -> None:
        """Look at other poses of the video: the bodyparts chosen and the part looked at stay where they can."""
        known, shown, whole = set(self.poses.bodyparts), self.bodyparts, not self.zoomed
        with self.hold_trait_notifications():
            self.bodyparts = ()  # what is painted meanwhile must fit to both
            try:
                self._take(poses)
            except ValueError:
                self.bodyparts = shown
                raise
            same = known == set(poses.bodyparts)
            self.bodyparts = shown if same else tuple(poses.bodyparts[:SHOWN_AT_FIRST])
            self.stop = len(poses) if whole else min(self.stop, len(poses))
            self.start = max(min(self.start, self.stop - LEAST), 0)
            self.frame = min(self.frame, len(poses) - 1)
            self.revision += 1

    @property
    def n_frames(self) -> int:
        """Frames that have poses."""
        return len(self.poses)

    @property
    def columns(self) -> list[int]:
        """Places of the drawn bodyparts in the poses."""
        return [self.poses.bodyparts.index(name) for name in self.bodyparts]

    @property
    def sources(self) -> tuple[bool, ...]:
        """What the first column of plots draws, of (False: raw, True: filtered)."""
        return {"raw": (False,), "filtered": (True,)}.get(self.show, (False, True))

    @property
    def zoomed(self) -> bool:
        """Whether less than the whole is looked at."""
        return (self.start, self.stop) != (0, self.n_frames)

    @validate("frame")
    def _valid_frame(self, proposal: Any) -> int:
        return int(min(max(proposal.value, 0), self.n_frames - 1))

    @validate("pcutoff")
    def _valid_pcutoff(self, proposal: Any) -> float:
        if not 0 <= proposal.value <= 1:
            raise TraitError(f"pcutoff is a likelihood between 0 and 1, not {proposal.value}")
        return proposal.value

    @validate("length")
    def _valid_length(self, proposal: Any) -> str:
        if proposal.value == "cm" and self.scale is None:
            raise TraitError("no scale is known for this video: set it first (dlcnb scale)")
        return proposal.value

    @validate("bodyparts")
    def _valid_bodyparts(self, proposal: Any) -> tuple[str, ...]:
        for name in proposal.value:
            if name not in self.poses.bodyparts:
                raise TraitError(f"These poses have no bodypart {name!r}{nearest(name, self.poses.bodyparts)}")
        return tuple(name for name in self.poses.bodyparts if name in proposal.value)

    # --- which part is looked at ---

    def look(self, start: float, stop: float) -> None:
        """Look at ``start <= frame < stop``, in either order; at least `LEAST` frames, within the video."""
        first, end = sorted((round(start), round(stop)))
        least = min(LEAST, self.n_frames)
        if end - first < least:
            first = (first + end - least) // 2
            end = first + least
        length = min(end - first, self.n_frames)
        first = min(max(first, 0), self.n_frames - length)
        if (first, first + length) != (self.start, self.stop):
            with self.hold_trait_notifications():
                self.start, self.stop = first, first + length
                self.revision += 1

    def zoom(self, factor: float, at: float | None = None) -> None:
        """Look at a part ``factor`` times shorter, the frame ``at`` (default: the present one) staying in place."""
        at = self.frame if at is None else at
        if not self.start <= at < self.stop:
            at = (self.start + self.stop) / 2
        self.look(at - (at - self.start) / factor, at + (self.stop - at) / factor)

    def pan(self, share: float) -> None:
        """Look at the part that is ``share`` of its length further on."""
        moved = round((self.stop - self.start) * share)
        moved = min(max(moved, -self.start), self.n_frames - self.stop)
        self.look(self.start + moved, self.stop + moved)

    def reset(self) -> None:
        """Look at the whole again."""
        self.look(0, self.n_frames)

    def step(self, count: int) -> None:
        """Move by frames."""
        self.frame += count

    def follow(self) -> None:
        """Move the part so that the present frame is in it."""
        if not self.start <= self.frame < self.stop:
            half = (self.stop - self.start) // 2
            start = min(max(self.frame - half, 0), self.n_frames - (self.stop - self.start))
            self.look(start, start + self.stop - self.start)

    # --- what is drawn ---

    def filtered(self) -> Poses:
        """The poses after the chosen filter, made once; slow for long recordings."""
        found = self._filtered.get(self.method)
        if found is None:
            found = self._filtered[self.method] = filter_poses(self.poses, self.method, times=self.times)
        return found

    def drawn(self, filtered: bool | None = None) -> Poses:
        """Raw or filtered poses; ``None`` = those that the trail and the plots in the plane show."""
        filtered = self.show != "raw" if filtered is None else filtered
        return self.filtered() if filtered else self.poses

    def in_unit(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """Points (..., 2) px in the chosen unit of length."""
        return points if self.length == "px" or self.scale is None else self.scale.to_cm(points)

    def measured(self, filtered: bool | None = None) -> Poses:
        """The poses of `drawn` in the chosen unit of length."""
        poses = self.drawn(filtered)
        return poses if self.length == "px" or self.scale is None else poses.in_cm(self.scale)

    def series(self, kind: str, k: int, filtered: bool = False) -> Envelope:
        """The `Envelope` of one of `KINDS` of a bodypart: px, likelihood or px/s (cm, cm/s); NaN below pcutoff."""
        cut = kind != "likelihood"
        key = (kind, k, filtered and self.method, self.pcutoff if cut else None, self.length)
        found = self._series.get(key)
        if found is None:
            values = self._values(kind, k, filtered)
            if cut:
                sure = (self._values("likelihood", k, filtered) >= self.pcutoff) & ~self._outside(k, filtered)
                if kind == "speed":  # of a frame and its neighbours
                    sure[1:-1] = sure[1:-1] & sure[:-2] & sure[2:]
                    sure[[0, -1]] &= sure[[min(1, len(sure) - 1), -min(2, len(sure))]]
                values = np.where(sure, values, np.float32(np.nan))
            found = self._series[key] = Envelope(values)
        return found

    def _values(self, kind: str, k: int, filtered: bool) -> NDArray[np.float32]:
        """A series whatever its likelihood, float32 (T,), kept."""
        key = (kind, k, filtered and self.method, self.length)
        if key not in self._whole:
            poses = self.drawn(filtered)
            points = self.in_unit(poses.points[:, k])
            if kind == "likelihood":
                values = poses.likelihood[:, k]
            elif kind == "speed":
                values = speed(points, times=self.times)
            else:
                values = points[:, "xy".index(kind)]
            if filtered:  # those of another filter are not needed any more
                self._whole = {old: v for old, v in self._whole.items() if old[2] in (False, self.method)}
            self._whole[key] = np.ascontiguousarray(values, np.float32)
        return self._whole[key]

    def _outside(self, k: int, filtered: bool, part: slice = slice(None)) -> NDArray[np.bool_]:
        points = self.drawn(filtered).points[part, k]
        return np.zeros(len(points), bool) if self.size is None else far_outside(points, self.size)

    @property
    def outside(self) -> int:
        """How many points of the drawn bodyparts, in the part looked at, are likely enough and far outside."""
        part, filtered = slice(self.start, self.stop), self.show != "raw"
        sure = self.drawn(filtered).likelihood[part] >= self.pcutoff
        return int(sum((self._outside(k, filtered, part) & sure[:, k]).sum() for k in self.columns))

    def places(self, k: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Two (n,) arrays, x and y in px, of a bodypart in the part looked at, float32, NaN below pcutoff."""
        part, filtered = slice(self.start, self.stop), self.show != "raw"
        x, y = (self.series(kind, k, filtered).values[part] for kind in "xy")
        return x, y

    def line(self, kind: str, k: int, filtered: bool = False) -> tuple[NDArray[np.float64], NDArray[np.float32]]:
        """What of a series is drawn: frames (M,), values (M,), M at most `POINTS`."""
        return self.series(kind, k, filtered).between(self.start, self.stop, POINTS)

    def path(self, k: int) -> NDArray[np.float32]:
        """The way of a bodypart in the plane: float (M, 2) px in order of time, M at most `POINTS`."""
        x, y = self.places(k)
        frames = extreme_frames(x, y, POINTS)
        return np.stack([x[frames], y[frames]], axis=1)

    def trails(self, k: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """(past, future) of a bodypart, px (<= trail + 1, 2) each, both with the present frame."""
        first = max(self.frame - self.trail, 0)
        poses, part = self.drawn(), slice(first, self.frame + self.trail + 1)
        sure = (poses.likelihood[part, k] >= self.pcutoff) & ~self._outside(k, self.show != "raw", part)
        points = self.in_unit(np.where(sure[:, None], poses.points[part, k], np.nan))
        return points[: self.frame - first + 1], points[self.frame - first :]

    def differences(self, k: int, axis: int) -> NDArray[np.float32]:
        """Signed differences (n - 1,) px from frame to frame, in the part looked at; the axis 0 is x, 1 is y."""
        return np.diff(self.places(k)[axis])

    def histogram(self, axis: int) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """Of the drawn bodyparts: edges (B + 1,) px about 0, counts (K, B); the outermost bins hold all beyond."""
        least, fine = (5.0, 1) if self.length == "px" else (0.5, 10)
        return histogram([self.differences(k, axis) for k in self.columns], least, fine)

    # --- from a click to a frame ---

    def at(self, share: float) -> float:
        """The frame (fractional) at a share of the width of a plot over time."""
        return self.start + share * (self.stop - 1 - self.start)

    def near(
        self,
        kind: str,
        at: float,
        value: float,
        scale: tuple[float, float],
        filtered: Sequence[bool] = (False,),
    ) -> int:
        """The frame that a click in a plot over time means: a point of a line within `REACH`, else the frame there.

        Parameters
        ----------
        kind : str
        at, value : float
            The place, in frames and in the plot's unit.
        scale : (float, float)
            CSS px per frame and per unit.
        filtered : sequence of bool
            Which lines are drawn there.
        """
        reach = REACH / scale[0]
        first, last = max(int(at - reach), self.start), min(int(np.ceil(at + reach)) + 1, self.stop)
        across = (np.arange(first, last) - at) * scale[0]
        best, frame = float(REACH), round(at)
        for which in filtered:
            for k in self.columns:
                down = (self.series(kind, k, which).values[first:last] - value) * scale[1]
                distance = np.hypot(across, down)
                if np.isfinite(distance).any() and np.nanmin(distance) <= best:
                    best, frame = float(np.nanmin(distance)), first + int(np.nanargmin(distance))
        return min(max(frame, 0), self.n_frames - 1)

    def near_point(self, x: float, y: float) -> int | None:
        """The frame in which a drawn bodypart was nearest to a place in the plane; None if there is none."""
        best = np.inf
        frame: int | None = None
        for k in self.columns:
            across, down = self.places(k)
            distance = np.hypot(across - x, down - y)
            if np.isfinite(distance).any() and np.nanmin(distance) < best:
                best, frame = float(np.nanmin(distance)), self.start + int(np.nanargmin(distance))
        return frame

    def next_difference(self, axis: int, value: float) -> int | None:
        """The next frame, of those whose step falls into the histogram's bin at ``value`` px; None if there is none.

        Clicked again and again, a bin shows all its frames in turn.
        """
        edges, _ = self.histogram(axis)
        steps = [self.differences(k, axis) for k in self.columns]
        frames = [self.start + n for n in frames_of(steps, edges, value)]
        if not frames:
            return None
        following = next((n for n in frames if n > self.frame), frames[0])
        letter = "xy"[axis]
        self.message = (
            f"Frame {following}: {frames.index(following) + 1} of {len(frames)} with such a step in {letter}. "
            "Click again for the next."
        )
        return following

    # --- out of the widget ---

    def selection(self, filtered: bool = False) -> Poses:
        """The part and the bodyparts looked at, as `Poses`."""
        poses, part, columns = self.measured(filtered), slice(self.start, self.stop), self.columns
        return replace(
            poses,
            bodyparts=self.bodyparts,
            points=poses.points[part][:, columns],
            likelihood=poses.likelihood[part][:, columns],
        )

    def table(self) -> pd.DataFrame:
        """The selection as `pandas.DataFrame`: frame, time_s, and x, y, likelihood, speed of each bodypart.

        Below pcutoff there is a likelihood only. Filtered values are beside the raw ones where they are drawn. Names
        end in the unit, as in `dlcnb.trajectories.kinematics_table`: ``_x_px``, ``_speed_px_s``; ``_cm``, ``_cm_s``.
        """
        from dlcnb.widgets.trajectories.table import selected_table

        return selected_table(self)
