"""What is fastest for a snapshot on this machine, measured once and kept beside it: the engine, and crops or not."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

import dlcnb
from dlcnb import geometry
from dlcnb.backend.dynamic import Dynamic, Follower
from dlcnb.backend.engines import has_onnxruntime
from dlcnb.backend.openvino import has_openvino
from dlcnb.files import atomic_write, read_json
from dlcnb.labels import LabelError
from dlcnb.machine import processors
from dlcnb.machine.gpus import find_gpus
from dlcnb.machine.processors import core_count
from dlcnb.project import ProjectError
from dlcnb.run import Run
from dlcnb.trainset import TrainSet

if TYPE_CHECKING:
    from dlcnb.backend.predict import Predictor


__all__ = ["WORSE", "choose", "following"]

WORSE = 0.1  # px by which the error may be larger than that of fp32
_TIMED, _JUDGED = 8, 32  # frames
_ROUNDS = 3
_SMALL = 1 / 3  # of a frame's pixels, at most, are in the crops for which the animal is followed
_MARGIN = 10.0  # px of the network's input

log = logging.getLogger(__name__)


def choose(
    predictors: Callable[[str], Predictor], run: Path, snapshot: str | Path, digest: str, *, device: str = "cpu"
) -> str:
    """The name of the fastest engine whose error on labeled frames is within `WORSE` of that of fp32.

    MXNet's fp32 and int8 are tried, and OpenVINO and ONNX Runtime where they are installed (OpenVINO's int8 is not: in
    whole frames it is the fastest, in crops that follow an animal it is slower than MXNet's). What was measured is kept
    in ``snapshot-<step>.engines.json``, for each kind of processor: a second time costs the reading of that file.

    Parameters
    ----------
    predictors : function (name of an engine) -> Predictor.
    run : folder of the run.
    snapshot : path of ``snapshot-<step>.params``.
    digest : its checksum; another snapshot under the same name is measured anew.
    device : that was asked for, "cpu" or "auto": then ONNX Runtime may take a card of this machine.
    """
    installed = {"openvino": has_openvino(), "onnx": has_onnxruntime()}
    others = ("int8", *(name for name, there in installed.items() if there))
    cards = "".join(f", {gpu.name}" for gpu in find_gpus()) if device == "auto" else ""
    machine = f"{processors.kind()}, {core_count()} cores{cards}"
    key = f"{machine}, {' '.join(('fp32', *others))}, dlcnb {dlcnb.__version__}, {digest[:12]}"
    try:
        names = ("fp32", *others)
        found = _once(
            Path(snapshot), key, lambda: _measure(predictors, others, run), lambda kept: kept["engine"] in names
        )
        return str(found["engine"])
    except (LabelError, ProjectError) as error:
        log.warning("The engine is fp32, because other engines can't be compared with it on labeled frames: %s", error)
        return "fp32"


def following(predictor: Predictor) -> tuple[tuple[float, float] | None, str]:
    """Whether to follow the animal by crops: ``dynamic`` of `dlcnb.backend.predict_video`, and why, in words.

    It is followed where a crop around it has a third of a frame's pixels or less and the error on labeled frames, seen
    in crops that are as far off as a margin allows, is within `WORSE` of that in whole frames. A bodypart counts as
    found from half of the likelihood on that 95 % of the labeled ones have, at most 0.5: in other videos a network is
    less sure, and what isn't found leaves the crop. What was measured is kept beside the snapshot.
    """
    margin = float(round(_MARGIN / predictor.config.seen_at))
    run = Run(predictor.run)
    key = f"following, {predictor.engine}, dlcnb {dlcnb.__version__}, {run.verified(predictor.step)[:12]}"
    try:
        found = _once(run.snapshot(predictor.step), key, lambda: _compare(predictor, margin), _are_numbers)
    except (LabelError, ProjectError) as error:
        reason = f"whole frames, because crops can't be compared with them on labeled frames: {error}"
        log.info("%s", reason)
        return None, reason
    share, px, whole = f"{100 * found['pixels']:.0f} %", found["mean_px"], found["whole_mean_px"]
    errors = f"{px:.2f} px, in whole frames {whole:.2f} px"
    if found["pixels"] > _SMALL:
        return None, f"whole frames, because crops around the animal would have {share} of their pixels"
    if not px <= whole + WORSE:
        return None, f"whole frames, because the error on labeled frames is larger in crops: {errors}"
    reason = f"the animal was followed with a crop of {share} of the pixels (error on labeled frames {errors})"
    return (found["threshold"], margin), reason


def _once(
    snapshot: Path, key: str, measure: Callable[[], dict[str, Any]], sound: Callable[[dict[str, Any]], bool]
) -> dict[str, Any]:
    """What was measured for a snapshot under a key, before (if that is ``sound``: the file may be anybody's) or now."""
    path = snapshot.with_suffix(".engines.json")
    known = _read(path)
    try:
        kept = sound(known[key])
    except (KeyError, TypeError):
        kept = False
    if not kept:
        known[key] = measure()
        log.info("%s: %s", snapshot.name, known[key])
        try:
            atomic_write(path, json.dumps(known, indent=1))
        except OSError as error:  # a full disk, a folder of somebody else: no reason to analyze nothing
            log.warning("What was measured could not be kept, and will be measured again: %s", error)
    found: dict[str, Any] = known[key]
    return found


def _are_numbers(kept: dict[str, Any]) -> bool:
    """Whether what was kept is as `_compare` makes it."""
    numbers = all(isinstance(kept[name], (int, float)) for name in ("threshold", "pixels", "mean_px", "whole_mean_px"))
    return numbers and 0 < kept["threshold"] <= 1


def _compare(predictor: Predictor, margin: float) -> dict[str, float]:
    """Labeled frames in crops: ``threshold`` of likelihood, share of ``pixels``, ``mean_px``, ``whole_mean_px``."""
    images, labels = _frames(predictor.run)
    found = [predictor.maps([image]).points() for image in images]
    dynamic = Dynamic(_sure(np.concatenate([likelihood for _, likelihood in found]), labels), margin)
    rng = np.random.default_rng(0)
    pixels, cropped = [], []
    for image, (points, likelihood) in zip(images, found, strict=True):
        follower = Follower((image.shape[0], image.shape[1]), predictor.config.seen_at, dynamic, predictor.widest_px)
        follower.follow(points + rng.uniform(-margin, margin, 2), likelihood)
        share = 1.0
        if follower.crop:
            share, points = _in_crop(predictor, image, follower, points)
        pixels.append(share)
        cropped.append(points[0])
    whole = [points[0] for points, _ in found]
    errors = [float(np.nanmean(np.linalg.norm(np.array(each) - labels, axis=-1))) for each in (cropped, whole)]
    measured = {"pixels": float(np.mean(pixels)), "mean_px": errors[0], "whole_mean_px": errors[1]}
    return {"threshold": dynamic.threshold, **measured}


def _sure(likelihood: NDArray[np.float64], labels: NDArray[np.float64]) -> float:
    """From what likelihood on a bodypart counts as found, by ``(N, K)`` of labeled frames; labels ``(N, K, 2)`` px."""
    there = likelihood[np.isfinite(labels).all(-1)]
    return float(np.clip(np.percentile(there, 5) / 2, 0.05, 0.5)) if len(there) else 0.5


def _in_crop(
    predictor: Predictor, image: NDArray[np.uint8], follower: Follower, whole: NDArray[np.float64]
) -> tuple[float, NDArray[np.float64]]:
    """Share of pixels of a follower's crop, and the points ``(1, K, 2)`` px found there; ``whole`` if one left it."""
    left, top, width, height = follower.crop or (0, 0, image.shape[1], image.shape[0])
    share = width * height / (image.shape[0] * image.shape[1])
    found, likelihood = predictor.maps([image[top : top + height, left : left + width]]).points()
    points = geometry.uncrop(found, left, top)
    if follower.lost(points, likelihood)[0]:
        return share + 1, whole
    return share, points


def _measure(predictors: Callable[[str], Predictor], others: Sequence[str], run: Path) -> dict[str, Any]:
    """``{"engine", "frames_per_second": {name: float}, "mean_px": {name: float}}``."""
    images, points = _frames(run)
    speed, error = {}, {}
    for name in ("fp32", *others):
        predictor = predictors(name)
        found = np.concatenate([predictor.predict([image])[0] for image in images])
        error[name] = float(np.nanmean(np.linalg.norm(found - points, axis=-1)))
        speed[name] = _speed(predictor, images[:_TIMED])
    good = [name for name in speed if error[name] <= error["fp32"] + WORSE]
    return {"engine": max(good, key=speed.__getitem__), "frames_per_second": speed, "mean_px": error}


def _speed(predictor: Predictor, images: Sequence[NDArray[np.uint8]]) -> float:
    """Frames per second, the best of some rounds."""
    alike = [image for image in images if image.shape == images[0].shape]
    best = np.inf
    for _ in range(_ROUNDS + 1):  # the first one prepares
        began = time.perf_counter()
        predictor.predict(alike)
        best = min(best, time.perf_counter() - began)
    return len(alike) / best


def _frames(run: Path) -> tuple[list[NDArray[np.uint8]], NDArray[np.float64]]:
    """Labeled frames, as far as possible such that the network was not trained on, and their labels."""
    found = Run(run)
    data = TrainSet.from_project(found.project, found.bodyparts)
    trained = set(found.split["train"])
    order = sorted(range(len(data)), key=lambda n: data.images[n] in trained)[:_JUDGED]
    parts = [data.bodyparts.index(name) for name in found.bodyparts]  # as the network has them
    return [data.image(n) for n in order], data.points[order][:, parts]


def _read(path: Path) -> dict[str, Any]:
    """What was measured for this snapshot before, by machine."""
    try:
        return dict(read_json(path))
    except (OSError, TypeError, ValueError):
        return {}
