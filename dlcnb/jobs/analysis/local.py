"""The analysis of a video on this machine: predicted in parts that survive a crash, then written as tables."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Mapping
from contextlib import closing, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dlcnb.jobs.analysis.plan import DEFAULTS, Plan, finish, finished, network_key, plan
from dlcnb.jobs.stop import Stopped
from dlcnb.video import CroppedVideo, VideoReader

if TYPE_CHECKING:
    from dlcnb.backend import Predictor
    from dlcnb.jobs.analysis.plan import Settings
    from dlcnb.jobs.stop import StopRequest

__all__ = ["analyze_video", "predict_missing", "predict_parts"]


def analyze_video(
    predictor: Predictor,
    video: str | Path,
    output: str | Path,
    settings: Settings = DEFAULTS,
    *,
    progress: Callable[[int, int], None] | None = None,
    stop: StopRequest | bool = False,
) -> dict[str, Any] | None:
    """Predict every frame of a video and write its tables.

    Frames are kept in parts as they are predicted, so a run that was killed or stopped goes on where it was, with the
    same tables in the end. Tables that the same snapshot, file and settings have made already are not made again.

    Parameters
    ----------
    predictor, video, settings : the network, the path of the video, and how to analyze it.
    output : path of the h5 table; the csv and ``…_meta.json`` go beside it.
    progress : function (frames done, frames in all), optional; the last call before a stop has the frames it keeps.
    stop : true once the work shall stop.

    Returns ``{video, frames, seconds, fps, engine, output, damaged (numbers of damaged frames, their rows: NaN), reused
    (frames predicted before), crop (x1, x2, y1, y2, or None), replaced (how earlier tables of this name were made, in
    words, or None), top_likelihood (of each bodypart, what 5 % of the frames reach)}``; None if it was stopped.

    Raises `VideoError` for a video that can't be read, `OSError` for a disk that is full or read-only, `PartsError` for
    another process at the same table.
    """
    with VideoReader(video) as reader:
        planned = plan(network_key(predictor, settings.animals), reader, output, settings)
        if not settings.again and (found := finished(planned)):
            return found
        with planned.parts as parts:
            if settings.again:
                parts.clear()
            reused, began = parts.done, time.monotonic()
            if predict_missing(predictor, reader, planned, progress, stop):
                with suppress(Stopped):
                    return finish(planned, reused, time.monotonic() - began, stop)
    return None


def predict_parts(
    predictor: Predictor, reader: VideoReader, stretch: tuple[int, int], size: int, how: Mapping[str, Any]
) -> Generator[tuple[int, tuple[int, NDArray[np.float64], NDArray[np.float64], list[int]] | None], None, None]:
    """Predict a stretch of a video and give it in parts, with steps between to tell how far it is.

    Parameters
    ----------
    stretch : (first, stop), where ``first`` is where a part begins.
    size : frames of a part, as `Settings.part_size`.
    how : ``batch``, ``dynamic``, ``animals`` and ``crop`` as `predict_video` takes them, of `Settings.key`.

    Yields
    ------
    (reached, part)
        ``reached`` is the first frame not predicted yet; ``part`` is None, or the arguments of `Parts.add`.
    """
    from dlcnb.backend import predict_video

    begun, end = stretch
    points, likelihood = [], []
    seen = CroppedVideo(reader, how.get("crop"))
    how = {name: how[name] for name in ("batch", "dynamic", "animals") if how.get(name) is not None}
    steps = predict_video(predictor, seen, start=begun, stop=end, **how)
    with closing(steps):  # type: ignore[type-var]  # an iterator that has close()
        for step in steps:
            points.append(step.points)
            likelihood.append(step.likelihood)
            reached = step.first + len(step.points)
            part = None
            if reached == end or reached - begun == size:
                damaged = [n for n in reader.damaged if begun <= n < reached]
                part = (begun, np.concatenate(points), np.concatenate(likelihood), damaged)
                points, likelihood, begun = [], [], reached
            yield reached, part


def predict_missing(
    predictor: Predictor,
    reader: VideoReader,
    planned: Plan,
    progress: Callable[[int, int], None] | None,
    stop: StopRequest | bool,
) -> bool:
    """Predict the parts that are missing; False if it was stopped before the end."""
    parts = planned.parts
    for first, end in parts.missing():
        before = parts.done - first
        steps = predict_parts(predictor, reader, (first, end), parts.size, planned.key)
        with closing(steps):
            for reached, part in steps:
                if part:
                    parts.add(*part)
                if progress is not None:
                    progress(before + reached, parts.total)
                if stop and reached < end:
                    if progress is not None:
                        progress(parts.done, parts.total)
                    return False
    return True
