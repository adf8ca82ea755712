"""Choosing frames as state without pixels: what is picked in which video, kept or dropped, alike, extracted."""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray
from traitlets import Enum, Float, HasTraits, Int, Unicode, observe

from dlcnb.frames import alike, differences
from dlcnb.project import nearest

__all__ = ["HOW", "SHOW", "Key", "PickedFrame", "PickingState"]

Key: TypeAlias = tuple[str, int]  # (video, index)

HOW = {  # way to choose -> what that means
    "k-means": "that look different",
    "uniform": "spread over time",
}
SHOW = {  # which frames are listed -> what that means
    "picked": "picked",
    "to extract": "to be extracted",
    "dropped": "dropped",
    "near-duplicates": "near-duplicates",
    "extracted": "extracted",
    "all": "all",
}


@dataclass(frozen=True)
class PickedFrame:
    """A frame in the list.

    ``origin`` tells who picked it ('k-means', 'uniform', 'hand', 'range'; '' if it was extracted before),
    ``twin`` is the earlier frame of the same video that it looks like, None if there is none.
    """

    video: str
    index: int
    origin: str
    kept: bool = True
    extracted: bool = False
    twin: int | None = None

    @property
    def key(self) -> Key:
        """(video, index), by which the frame is named."""
        return self.video, self.index


class PickingState(HasTraits):
    """Which frames of a project's videos are picked for labeling.

    A frame of a video is nothing, picked (kept or dropped), or extracted; extracted ones are never touched again.
    Methods may be called from any thread.

    Parameters
    ----------
    lengths : dict of str to int
        The videos and their numbers of frames.
    extracted : dict of str to collection of int, optional
        What is extracted already.
    """

    video = Unicode("", help="The video that is looked at.")
    how = Enum(tuple(HOW), "k-means", help="How `choose` picks.")
    count = Int(20, help="How many frames to choose from each video.")
    seed = Int(0, help="The same seed makes the same choice.")
    show = Enum(tuple(SHOW), "picked", help="Which frames are listed.")
    task = Enum(("idle", "choosing", "extracting"), "idle")
    progress = Float(0.0, help="Of the task, 0 to 1.")
    doing = Unicode("", help="The task and its progress, in words; empty when nothing is under way.")
    message = Unicode("", help="What came of the last task; empty when there is nothing to say.")
    revision = Int(0, help="Counts the changes of the lists.")

    def __init__(self, lengths: Mapping[str, int], extracted: Mapping[str, Collection[int]] | None = None) -> None:
        if not lengths:
            raise ValueError("the project has no video that can be opened; add one (dlcnb add-videos)")
        super().__init__()
        self.lock = threading.RLock()
        self.lengths = dict(lengths)
        self.chosen_videos = tuple(self.lengths)  # those that `choose` and `extract` work on
        self.ranges: dict[str, tuple[int, int] | None] = dict.fromkeys(self.lengths)  # (first, last), both included
        self._frames: dict[str, dict[int, PickedFrame]] = {video: {} for video in self.lengths}
        self._looks = {video: _Looks() for video in self.lengths}
        self._twins: dict[str, dict[int, int] | None] = {video: {} for video in self.lengths}  # None = to be found anew
        for video, numbers in (extracted or {}).items():
            self._frames[video].update({int(n): PickedFrame(video, int(n), "", extracted=True) for n in numbers})
        self._chosen: tuple[Any, ...] | None = None  # what was asked for the last time
        self.video = next(iter(self.lengths))
        if any(self._frames.values()):
            self.show = "extracted"  # else nothing would be seen

    @observe("task", "progress")
    def _say(self, _: Any) -> None:
        words = {"choosing": "Choosing frames", "extracting": "Writing images"}.get(self.task)
        self.doing = f"{words}: {self.progress:.0%}" if words else ""

    # --- what is there ---

    def frames(self, show: str = "all", video: str | None = None) -> list[PickedFrame]:
        """The `PickedFrame`s of all videos (or one), by video and number, as ``show`` says (one of ``SHOW``)."""
        test = {
            "all": lambda f: True,
            "picked": lambda f: not f.extracted,
            "to extract": lambda f: f.kept and not f.extracted,
            "dropped": lambda f: not f.kept,
            "near-duplicates": lambda f: f.twin is not None,
            "extracted": lambda f: f.extracted,
        }[show]
        with self.lock:
            videos = self.lengths if video is None else [video]
            found = [self.frame(v, n) for v in videos for n in sorted(self._frames[v])]
        return [frame for frame in found if frame is not None and test(frame)]

    def frame(self, video: str, index: int) -> PickedFrame | None:
        """One `PickedFrame`; None if it is neither picked nor extracted."""
        with self.lock:
            frame = self._frames[self._known(video)].get(int(index))
            if frame is None:
                return None
            twin = self._find_twins(video).get(frame.index) if frame.kept else None
            return PickedFrame(video, frame.index, frame.origin, frame.kept, frame.extracted, twin)

    def numbers(self, show: str = "all", video: str | None = None) -> NDArray[np.int64]:
        """Frame numbers of one video (default the shown one), int64 (n,)."""
        return np.array([frame.index for frame in self.frames(show, video or self.video)], np.int64)

    def work(self) -> dict[str, NDArray[np.int64]]:
        """{video: frame numbers} to extract from the chosen videos, without empty ones."""
        numbers = {video: self.numbers("to extract", video) for video in self.chosen_videos}
        return {video: found for video, found in numbers.items() if len(found)}

    @property
    def waiting(self) -> int:
        """How many frames of the chosen videos are picked and kept, and not extracted."""
        with self.lock:
            there = [frame for video in self.chosen_videos for frame in self._frames[video].values()]
        return sum(frame.kept and not frame.extracted for frame in there)

    def part(self, video: str) -> tuple[float, float] | None:
        """The part of a video to choose from as fractions (start, stop), None where no range is set."""
        if (ends := self.ranges[video]) is None:
            return None
        first, last = ends
        return first / self.lengths[video], (last + 1) / self.lengths[video]

    @property
    def nothing(self) -> str:
        """What to say where no frame is listed."""
        there = sum(len(self.numbers("extracted", video)) for video in self.lengths)
        if self.show not in ("picked", "all"):
            return f"No frame is listed here (shown: {SHOW[self.show]})."
        them = "1 frame is" if there == 1 else f"{there} frames are"
        done = f"{them} extracted; to add some, " if there else "Nothing picked yet: "
        return f"{done}choose frames above, or press p on a frame of the video."

    # --- picking ---

    def add(self, video: str, indices: ArrayLike | Iterable[int], origin: str) -> int:
        """Pick frames; those that are picked or extracted already stay as they are. Returns how many are new."""
        with self.lock:
            there, n = self._frames[self._known(video)], self.lengths[video]
            wanted = np.unique(np.asarray(indices, np.int64))
            outside = wanted[(wanted < 0) | (wanted >= n)]
            if len(outside):
                raise ValueError(f"{video} has no frame {outside[0]}: expected 0 to {n - 1}")
            new = {int(i): PickedFrame(video, int(i), origin) for i in wanted if int(i) not in there}
            there.update(new)
            if new:
                self._changed(video)
        if new and self.show == "extracted":
            self.show = "picked"
        return len(new)

    def pick(self, index: int) -> None:
        """Pick a frame of the shown video by hand; a picked one is taken back, an extracted one stays."""
        frame = self.frame(self.video, index)
        if frame is None:
            self.add(self.video, [index], "hand")
        elif not frame.extracted:
            with self.lock:
                del self._frames[self.video][frame.index]
                self._changed(self.video)

    def set_kept(self, keys: Iterable[Key], kept: bool) -> None:
        """Keep or drop picked frames, given as (video, index); extracted ones stay."""
        with self.lock:
            for video, index in keys:
                frame = self._frames[self._known(video)].get(int(index))
                if frame is not None and not frame.extracted and frame.kept != kept:
                    self._frames[video][frame.index] = PickedFrame(video, frame.index, frame.origin, kept)
                    self._changed(video)

    def toggle(self, key: Key) -> None:
        """Keep what is dropped, drop what is kept."""
        frame = self.frame(*key)
        if frame is not None:
            self.set_kept([key], not frame.kept)

    def drop_duplicates(self) -> int:
        """Drop the picked frames that look like an earlier one; returns how many."""
        keys = [frame.key for frame in self.frames("near-duplicates") if not frame.extracted]
        self.set_kept(keys, False)
        return len(keys)

    def clear(self) -> None:
        """Take back all that is picked and not extracted."""
        with self.lock:
            for video, there in self._frames.items():
                if any(not frame.extracted for frame in there.values()):
                    self._frames[video] = {n: frame for n, frame in there.items() if frame.extracted}
                    self._changed(video)

    # --- choosing ---

    def take_next_seed(self) -> bool:
        """Raise the seed if the last choice was the very same, so that another one comes of it; True if it was."""
        again = self._chosen == self._asked()
        if again:
            self.seed += 1
        return again

    def has_chosen(self) -> None:
        """What is set now has been done."""
        self._chosen = self._asked()

    def _asked(self) -> tuple[Any, ...]:
        return self.chosen_videos, tuple(self.ranges.items()), self.how, self.count, self.seed

    # --- ranges ---

    def range_end(self, index: int, which: str) -> None:
        """Set one end of the shown video's range: ``which`` is 'first' or 'last'; the other end gives way."""
        first, last = self.ranges[self.video] or (0, self.lengths[self.video] - 1)
        first, last = (index, max(index, last)) if which == "first" else (min(first, index), index)
        self.set_range(first, last)

    def set_range(self, first: int, last: int) -> None:
        """Limit choosing in the shown video to the frames ``first`` to ``last`` (both included)."""
        n = self.lengths[self.video]
        if not 0 <= first <= last < n:
            raise ValueError(f"expected a range of frames within 0 to {n - 1}, found {first} to {last}")
        self.ranges[self.video] = (int(first), int(last))
        self.revision += 1

    def clear_range(self) -> None:
        """Choose from all of the shown video again."""
        self.ranges[self.video] = None
        self.revision += 1

    def pick_range(self, every: int) -> int:
        """Pick every ``every``-th frame of the shown video's range; returns how many are new."""
        if (ends := self.ranges[self.video]) is None:
            raise ValueError("there is no range yet: go to its first and last frame and mark them")
        if every < 1:
            raise ValueError(f"expected every 1st, 2nd, … frame of the range, found {every}")
        first, last = ends
        return self.add(self.video, range(first, last + 1, every), "range")

    # --- what the worker tells ---

    def set_chosen_videos(self, videos: Iterable[str]) -> None:
        """The videos that `choose` and `extract` work on."""
        ticked = {self._known(video) for video in videos}
        self.chosen_videos = tuple(video for video in self.lengths if video in ticked)
        self.revision += 1

    def unseen(self) -> list[Key]:
        """(video, index) of the frames without a signature, the picked ones first."""
        with self.lock:
            frames = [f for f in self.frames() if f.index not in self._looks[f.video].seen]
        return [f.key for f in sorted(frames, key=lambda f: f.extracted)]

    def set_signature(self, video: str, index: int, signature: NDArray[np.float32] | None) -> None:
        """Tell what a frame looks like (`dlcnb.frames.signature`); None = it is damaged."""
        with self.lock:
            self._looks[self._known(video)].add(int(index), signature)
            self._changed(video)

    def forget_signatures(self, video: str) -> None:
        """Look at all frames of a video again, as after another crop."""
        with self.lock:
            self._looks[self._known(video)] = _Looks()
            self._changed(video)

    def set_extracted(self, video: str, index: int) -> None:
        """Tell that a frame's image is there."""
        with self.lock:
            frame = self._frames[self._known(video)].get(int(index))
            origin = frame.origin if frame else ""
            self._frames[video][int(index)] = PickedFrame(video, int(index), origin, extracted=True)
            self._changed(video)

    def _changed(self, video: str) -> None:
        self._twins[video] = None
        self.revision += 1

    def _find_twins(self, video: str) -> dict[int, int]:
        """{frame: the earlier one that it resembles}; extracted ones come first, as a picked one gives way to them."""
        if (twins := self._twins[video]) is None:
            looks = self._looks[video]
            kept = [f for f in self._frames[video].values() if f.kept and f.index in looks.rows]
            kept.sort(key=lambda f: (not f.extracted, f.index))
            earlier = alike(looks.apart([f.index for f in kept]))
            twins = {f.index: kept[t].index for f, t in zip(kept, earlier, strict=True) if t >= 0}
            self._twins[video] = twins
        return twins

    def _known(self, video: str) -> str:
        if video not in self.lengths:
            raise ValueError(
                f"there is no video '{video}'; there are {', '.join(self.lengths)}{nearest(video, self.lengths)}"
            )
        return video


class _Looks:
    """What the frames of one video look like, and how much they differ, found once per pair."""

    def __init__(self) -> None:
        self.seen: set[int] = set()  # frames looked at, damaged ones too
        self.rows: dict[int, int] = {}  # frame -> row of the arrays
        self._signatures = np.empty((0, 0), np.float32)
        self._apart = np.empty((0, 0), np.float32)

    def add(self, index: int, signature: NDArray[np.float32] | None) -> None:
        self.seen.add(index)
        if signature is None or index in self.rows:
            return
        n = len(self.rows)
        if n == len(self._apart):
            self._grow(max(2 * n, 64), len(signature))
        apart = differences(signature, self._signatures[:n]) if n else np.empty(0, np.float32)
        self._signatures[n] = signature
        self._apart[n, :n] = self._apart[:n, n] = apart
        self.rows[index] = n

    def apart(self, indices: Iterable[int]) -> NDArray[np.float32]:
        """Differences of all pairs of some frames, float32 (n, n)."""
        rows = [self.rows[index] for index in indices]
        return self._apart[np.ix_(rows, rows)]

    def _grow(self, size: int, width: int) -> None:
        n = len(self.rows)
        signatures, apart = np.zeros((size, width), np.float32), np.zeros((size, size), np.float32)
        if n:
            signatures[:n], apart[:n, :n] = self._signatures[:n], self._apart[:n, :n]
        self._signatures, self._apart = signatures, apart
