"""Poses of the frames of a video: whole frames in batches, the animal followed by crops, or several animals."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator
from contextlib import closing, nullcontext
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from dlcnb import geometry, targets
from dlcnb.backend.dynamic import LOOK_AHEAD, RESET, Dynamic, Follower
from dlcnb.backend.predict import ahead, in_turns
from dlcnb.evaluate import ScoreMapWriter
from dlcnb.machine.processors import core_count
from dlcnb.poses.tracking import check_followed
from dlcnb.video import CroppedVideo, VideoReader

if TYPE_CHECKING:
    from dlcnb.backend.maps import Maps
    from dlcnb.backend.predict import Predictor


__all__ = ["VideoStep", "predict_video", "write_score_maps"]

_CHAINS = 4  # stretches between resets, at most, that are followed by turns: some wait while others keep cores busy


@dataclass(frozen=True)
class VideoStep:
    """Poses of the next frames of a video: ``points (n, K, 2)`` and ``likelihood (n, K)`` from frame ``first`` on.

    With N animals they are ``(n, N, K, 2)`` and ``(n, N, K)``, in no order. Both are NaN in damaged frames. ``done`` of
    ``total`` frames are predicted so far.
    """

    first: int
    points: NDArray[np.float64]
    likelihood: NDArray[np.float64]
    done: int
    total: int


def predict_video(
    predictor: Predictor,
    video: str | Path | VideoReader | CroppedVideo,
    *,
    batch: int = 8,
    start: int = 0,
    stop: int | None = None,
    dynamic: Dynamic | tuple[float, float] | None = None,
    animals: int | None = None,
) -> Iterator[VideoStep]:
    """Predict every frame of a video, or of a part of it.

    Parameters
    ----------
    predictor, video : the network, and a path, a VideoReader, or a `dlcnb.video.CroppedVideo`, of which the network
        sees a part of each frame; points are px of the whole frame all the same.
    batch : frames per pass; the result does not depend on it.
    start, stop : the frames to predict, as in `range`; ``stop=None`` is the end.
    dynamic : `dlcnb.backend.dynamic.Dynamic`, or its ``(threshold, margin)``: follow the animal with a crop, several
        times as fast; ``batch`` then has no meaning. The whole frame is taken wherever the animal is lost.
    animals : N, to find up to so many places of each bodypart; `dlcnb.poses.tracking` makes animals of them. It goes by
        the heights of peaks, so the likelihood is the network's own here; `Predictor.calibrated` takes it afterwards.

    Yields a `VideoStep` for consecutive frames, in order; together they cover the video, or the part.

    Raises `ValueError` if ``dynamic`` and ``animals`` are given both.
    """
    check_followed(dynamic, animals)
    reader = video if isinstance(video, CroppedVideo) else CroppedVideo(video)
    stop = len(reader) if stop is None else stop
    if dynamic is not None:
        dynamic = dynamic if isinstance(dynamic, Dynamic) else Dynamic(*dynamic)
        steps = _followed(predictor, reader, start, stop, dynamic)
    else:
        steps = _in_batches(predictor, reader, (start, stop), batch, animals)
    return _told(predictor, steps, reader.corner, calibrated=predictor.likelihood is not None and animals is None)


def _told(
    predictor: Predictor, steps: Generator[VideoStep, None, None], corner: tuple[int, int], *, calibrated: bool
) -> Iterator[VideoStep]:
    """The steps in px of the frame, with the likelihood calibrated; to follow the animal takes the network's own."""
    with closing(steps):
        for step in steps:
            likelihood = predictor.calibrated(step.likelihood) if calibrated else step.likelihood
            yield replace(step, points=geometry.uncrop(step.points, *corner), likelihood=likelihood)


def write_score_maps(
    predictor: Predictor, video: str | Path | VideoReader, frames: Iterable[int], path: str | Path
) -> None:
    """Write the score-maps of chosen frames of a video, to be read by `dlcnb.evaluate.ScoreMaps`.

    Parameters
    ----------
    predictor : Predictor.
    video : path, or a VideoReader.
    frames : their numbers; each is kept under its number as text, such as "10".
    path : of the file, ``….zip``.

    Raises `IndexError` for a frame that the video does not have, `DamagedFrameError` for one that can't be decoded;
    then nothing is written.
    """
    opened = nullcontext(video) if isinstance(video, VideoReader) else VideoReader(video)
    with opened as reader, ScoreMapWriter(Path(path), predictor.bodyparts) as writer:
        for i in frames:
            maps = predictor.maps([reader.read(i)])
            writer.add(str(i), maps.arrays()[0][0], maps.ratio)


def _in_batches(
    predictor: Predictor, reader: CroppedVideo, stretch: tuple[int, int], batch: int, animals: int | None
) -> Generator[VideoStep, None, None]:
    """Steps of ``batch`` whole frames; the network works on the next while the last is read out."""
    with closing(reader.frames(*stretch)) as frames:
        batches = iter(lambda: list(islice(frames, batch)), [])
        for started in ahead(_start(predictor, one) for one in batches):
            yield _finish(predictor, started, stretch, animals)


def _start(
    predictor: Predictor, batch: list[tuple[int, NDArray[np.uint8] | None]]
) -> tuple[int, int, list[int], Maps | None]:
    """Push the sound frames of a batch into the network without waiting."""
    images = {n: image for n, (_, image) in enumerate(batch) if image is not None}
    sound = list(images)
    maps = predictor.maps(list(images.values())) if images else None
    return batch[0][0], len(batch), sound, maps


def _finish(
    predictor: Predictor,
    started: tuple[int, int, list[int], Maps | None],
    stretch: tuple[int, int],
    animals: int | None,
) -> VideoStep:
    """The step of a batch that was started."""
    first, count, sound, maps = started
    shape = (count, len(predictor.bodyparts)) if animals is None else (count, animals, len(predictor.bodyparts))
    points, likelihood = np.full((*shape, 2), np.nan), np.full(shape, np.nan)
    if maps is not None:
        points[sound], likelihood[sound] = maps.points() if animals is None else _places(maps, animals)
    return VideoStep(first, points, likelihood, first + count - stretch[0], stretch[1] - stretch[0])


def _places(maps: Maps, animals: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Up to so many places of each bodypart: ``(B, N, K, 2)`` px, NaN where there are fewer, and ``(B, N, K)``."""
    found = [targets.local_maxima(*one, count=animals) for one in zip(*maps.arrays(), strict=True)]
    points = np.stack([points for points, _ in found])
    return geometry.unscale(points, maps.ratio), np.stack([likelihood for _, likelihood in found])


def _followed(
    predictor: Predictor, reader: CroppedVideo, start: int, stop: int, dynamic: Dynamic
) -> Generator[VideoStep, None, None]:
    """Steps with the animal followed by crops, from the reset before ``start`` on."""
    begins = range(start - start % RESET, stop, RESET)
    chains = ((begin, min(begin + RESET, stop)) for begin in begins)
    following = (_follow(predictor, reader, dynamic, chain, (start, stop)) for chain in chains)
    return in_turns(following, min(core_count(), _CHAINS))


def _follow(
    predictor: Predictor, reader: CroppedVideo, dynamic: Dynamic, chain: tuple[int, int], stretch: tuple[int, int]
) -> Generator[VideoStep | None, None, None]:
    """Steps from one reset to the next; None whenever the network is at work, and other work may be done meanwhile."""
    (first, end), (start, stop) = chain, stretch
    follower = Follower(reader.size, predictor.config.seen_at, dynamic, predictor.widest_px)
    with closing(reader.frames(first, end)) as frames:
        images = (image for _, image in frames)
        while first < end:
            count = LOOK_AHEAD if follower.crop else 1
            group = list(islice(images, count))
            points, likelihood = yield from _group(predictor, follower, group)
            after = first + len(group)
            if after > start:
                kept = slice(max(start - first, 0), None)
                yield VideoStep(max(first, start), points[kept], likelihood[kept], after - start, stop - start)
            first = after


def _group(
    predictor: Predictor, follower: Follower, images: list[NDArray[np.uint8] | None]
) -> Generator[None, None, tuple[NDArray[np.float64], NDArray[np.float64]]]:
    """Points and likelihood of a group of frames, and on to the next crop; yields None while the network is at work."""
    points = np.full((len(images), len(predictor.bodyparts), 2), np.nan)
    likelihood = np.full(points.shape[:2], np.nan)
    sound = np.array([n for n, image in enumerate(images) if image is not None], int)
    cropped = follower.crop is not None
    if cropped and len(sound):
        points[sound], likelihood[sound] = yield from _in_crop(predictor, follower, [images[n] for n in sound])
    done, moved = 0, False  # so many of the sound frames are done: what they have tells what the others lose
    while done < len(sound):
        if cropped:
            lost = follower.lost(points[sound], likelihood[sound])[done:]
            if not lost.any():
                break
            done += int(lost.argmax())
            if not moved and follower.move(points[sound], likelihood[sound], done):
                moved, rest = True, sound[done:]
                points[rest], likelihood[rest] = yield from _in_crop(predictor, follower, [images[n] for n in rest])
                continue
        maps = predictor.maps([images[sound[done]]])
        yield
        (points[sound[done]],), (likelihood[sound[done]],) = maps.points()
        done += 1
    follower.follow(points, likelihood)
    return points, likelihood


def _in_crop(
    predictor: Predictor, follower: Follower, images: list[NDArray[np.uint8] | None]
) -> Generator[None, None, tuple[NDArray[np.float64], NDArray[np.float64]]]:
    """Points (n, K, 2) and likelihood (n, K) of up to `LOOK_AHEAD` frames, found in a follower's crop."""
    assert follower.crop is not None
    left, top, width, height = follower.crop
    crops = [image[top : top + height, left : left + width] for image in images if image is not None]
    maps = predictor.maps(crops + crops[-1:] * (LOOK_AHEAD - len(crops)))  # always as many: one shape for a size
    yield
    points, likelihood = maps.points()
    return geometry.uncrop(points[: len(crops)], left, top), likelihood[: len(crops)]
