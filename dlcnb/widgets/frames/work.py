"""The work behind the frame picker, on threads: choosing, looking at what is chosen, extracting. Nothing prints."""

from __future__ import annotations

import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
from cachetools import LRUCache
from numpy.typing import NDArray

from dlcnb import frames
from dlcnb.labels import LabelError, read_image
from dlcnb.video import DamagedFrameError, VideoReader
from dlcnb.widgets.base.jpeg import encode_jpeg
from dlcnb.widgets.base.task import Stopped
from dlcnb.widgets.gallery.thumbnails import shrunk

if TYPE_CHECKING:
    from dlcnb.project import Project
    from dlcnb.widgets.frames.state import Key, PickingState

__all__ = ["Eyes", "choose", "extract", "inside"]

Crop = tuple[int, int, int, int]  # x1, x2, y1, y2, px

OPEN_READERS = 3


def choose(state: PickingState, project: Project, stop: threading.Event) -> None:
    """Pick ``state.count`` frames of each chosen video, as ``state.how`` says.

    Parameters
    ----------
    state : PickingState
        Its ``progress`` and ``message`` tell how it goes.
    project : Project
        Gives the videos, their crops, and config.yaml's ``start`` and ``stop`` where no range is set.
    stop : threading.Event
        Ends the work; what is picked by then stays.
    """
    videos, new, found = state.chosen_videos, 0, 0
    if not videos:
        raise ValueError("No video is ticked: tick those to choose frames from.")
    how, again = state.how, state.take_next_seed()
    with _busy(state, "choosing"):
        try:
            for number, video in enumerate(videos):
                chosen = _chosen(state, project, video, _Progress(state, stop, number, len(videos)))
                new, found = new + state.add(video, chosen, how), found + len(chosen)
        except Stopped:
            state.message = f"Stopped: {new} frame{'s' * (new != 1)} picked so far."
            return
        state.has_chosen()
        old = found - new
        there = f"; {old} {'was' if old == 1 else 'were'} there already" if old else ""
        picked = f"{new} frame{'s' * (new != 1)} picked{there}." if found else "No frame was picked."
        state.message = f"{picked} Others than before, by the next seed: {state.seed}." if again else picked


def _chosen(state: PickingState, project: Project, video: str, progress: _Progress) -> NDArray[np.int64]:
    start, stop = state.part(video) or (_fraction(project, "start", 0.0), _fraction(project, "stop", 1.0))
    if state.how == "uniform":
        chosen = frames.uniform(state.lengths[video], state.count, start=start, stop=stop, seed=state.seed)
        progress(1, 1)
        return chosen
    with VideoReader(project.video(video)) as reader:
        crop = inside(project.crop(video), reader.size)
        return frames.kmeans(reader, state.count, start=start, stop=stop, seed=state.seed, progress=progress, crop=crop)


def _fraction(project: Project, key: str, default: float) -> float:
    value = project.config.get(key)
    return default if value is None else float(value)


def inside(crop: Crop | None, size: tuple[int, int]) -> Crop | None:
    """A crop cut to the frame; None for the whole frame, or where nothing is left."""
    if crop is None:
        return None
    height, width = size
    x1, x2, y1, y2 = crop
    cut = min(x1, width), min(x2, width), min(y1, height), min(y2, height)
    whole = cut == (0, width, 0, height)
    return None if whole or cut[0] >= cut[1] or cut[2] >= cut[3] else cut


def extract(state: PickingState, project: Project, stop: threading.Event) -> list[Path]:
    """Write the images of what is picked and kept in the chosen videos; returns the paths of the new images.

    Parameters as `choose`. Raises OSError if an image can't be written; those before it stay.
    """
    work = state.work()
    total = sum(map(len, work.values()))
    paths: list[Path] = []
    damaged: list[str] = []
    if not total:
        raise ValueError("There is nothing to extract: pick frames first, and keep some.")
    with _busy(state, "extracting"):
        for video, numbers in work.items():
            for index, path in frames.extracting(project, video, numbers):
                if path is None:
                    damaged.append(f"{index} of {video}")
                    state.set_kept([(video, index)], False)
                else:
                    paths.append(path)
                    state.set_extracted(video, index)
                state.progress = (len(paths) + len(damaged)) / total
                if stop.is_set():
                    break
            if stop.is_set():
                break
        lost = f" Damaged and left out: {', '.join(damaged)}." if damaged else ""
        stopped = "Stopped: " if stop.is_set() else ""
        which = f"{len(paths)} of {total} frame{'s' * (total != 1)} {'is' if len(paths) == 1 else 'are'}"
        state.message = f"{stopped}{which} extracted.{lost}"
        if paths and not state.frames("picked"):
            state.show = "extracted"  # else nothing would be left to be seen
    return paths


class _busy:
    """While inside, the state says what is under way."""

    def __init__(self, state: PickingState, task: str) -> None:
        self.state, self.task = state, task

    def __enter__(self) -> None:
        self.state.message, self.state.progress, self.state.task = "", 0.0, self.task

    def __exit__(self, *error: object) -> None:
        self.state.task = "idle"


class _Progress:
    """Tells a state of one video's progress among several, and ends the work when it is to stop."""

    def __init__(self, state: PickingState, stop: threading.Event, number: int, count: int) -> None:
        self.state, self.stop, self.number, self.count = state, stop, number, count

    def __call__(self, done: int, total: int) -> None:
        if self.stop.is_set():
            raise Stopped
        progress = (self.number + done / total) / self.count
        if progress - self.state.progress >= 0.01 or done == total:
            self.state.progress = progress


class _Readers(LRUCache):
    """Open videos by name; one that falls out is closed."""

    def popitem(self) -> tuple[str, VideoReader]:
        video, reader = super().popitem()
        reader.close()
        return video, reader


class Eyes:
    """Looks at the frames of a `PickingState`: keeps their thumbnails, and tells the state what they look like.

    Parameters
    ----------
    state : PickingState
    project : Project
    size : (height, width)
        Of a thumbnail, px.
    """

    def __init__(self, state: PickingState, project: Project, size: tuple[int, int]) -> None:
        self.state, self.project, self.size = state, project, size
        self._thumbnails: dict[Key, bytes] = {}  # (video, index) -> JPEG bytes, b"" = damaged
        self._readers = _Readers(OPEN_READERS)
        self._lock = threading.Lock()
        self._closed = False

    def thumbnail(self, key: Key) -> NDArray[np.uint8] | None:
        """The small picture of a frame, uint8 (H, W, 3); None if it isn't looked at yet, or damaged."""
        data = self._thumbnails.get(key)
        if not data:
            return None
        decoded = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
        return np.ascontiguousarray(decoded[..., ::-1], np.uint8)

    def look(self, seconds: float = 0.3) -> bool:
        """Look at frames that weren't looked at, for about so many seconds; True if some are left."""
        until = time.monotonic() + seconds
        for key in self.state.unseen():
            with self._lock:
                if self._closed:
                    return False
                self._look_at(*key)
            if time.monotonic() > until:
                return bool(self.state.unseen())
        return False

    def _look_at(self, video: str, index: int) -> None:
        crop = self.project.crop(video)
        try:
            image = self._image(video, index)
        except DamagedFrameError:
            image = None
        if image is None:
            self._thumbnails[video, index] = b""
            self.state.set_signature(video, index, None)
            return
        if not self._thumbnails.get((video, index)):
            self._thumbnails[video, index] = encode_jpeg(shrunk(image, self.size))
        height, width, _ = image.shape
        signature = frames.signature(image, inside(crop, (height, width)))
        with self.state.lock:
            if self.project.crop(video) == crop:  # else it is looked at again
                self.state.set_signature(video, index, signature)

    def _image(self, video: str, index: int) -> NDArray[np.uint8]:
        frame = self.state.frame(video, index)
        if frame is not None and frame.extracted:
            path = frames.extracted(self.project.labeled_dir(video)).get(index)
            if path is not None:
                with suppress(LabelError):  # a damaged one is read from the video
                    return read_image(path)
        if video not in self._readers:
            self._readers[video] = VideoReader(self.project.video(video))
        return self._readers[video].read(index)

    def close(self) -> None:
        """Close the videos."""
        with self._lock:
            self._closed = True
            while self._readers:
                self._readers.popitem()
