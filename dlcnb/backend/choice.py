"""The fastest engine for a snapshot on this machine, measured once and kept beside the snapshot."""

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
from dlcnb.backend.engines import has_onnxruntime, has_openvino
from dlcnb.files import atomic_write, read_json
from dlcnb.machine import processors
from dlcnb.machine.gpus import find_gpus
from dlcnb.machine.processors import core_count
from dlcnb.run import Run
from dlcnb.trainset import TrainSet

if TYPE_CHECKING:
    from dlcnb.backend.predict import Predictor


__all__ = ["WORSE", "choose"]

WORSE = 0.1  # px by which the error may be larger than that of fp32
_TIMED, _JUDGED = 8, 32  # frames
_ROUNDS = 3

log = logging.getLogger(__name__)


def choose(
    predictors: Callable[[str], Predictor], run: Path, snapshot: str | Path, digest: str, *, device: str = "cpu"
) -> str:
    """The name of the fastest engine whose error on labeled frames is within `WORSE` of that of fp32.

    MXNet's fp32 and int8 are tried, and OpenVINO and ONNX Runtime where they are installed. What was measured is kept
    in ``snapshot-<step>.engines.json``, for each kind of processor: a second time costs the reading of that file.

    Parameters
    ----------
    predictors : function (name of an engine) -> Predictor.
    run : folder of the run.
    snapshot : path of ``snapshot-<step>.params``.
    digest : its checksum; another snapshot under the same name is measured anew.
    device : that was asked for, "cpu" or "auto": then ONNX Runtime may take a card of this machine.
    """
    snapshot = Path(snapshot)
    path = snapshot.with_suffix(".engines.json")
    installed = {"openvino": has_openvino(), "onnx": has_onnxruntime()}
    others = ("int8", *(name for name, there in installed.items() if there))
    cards = "".join(f", {gpu.name}" for gpu in find_gpus()) if device == "auto" else ""
    machine = f"{processors.kind()}, {core_count()} cores{cards}"
    key = f"{machine}, {' '.join(('fp32', *others))}, dlcnb {dlcnb.__version__}, {digest[:12]}"
    known = _read(path)
    if key not in known:
        known[key] = _measure(predictors, others, run)
        atomic_write(path, json.dumps(known, indent=1))
        log.info("%s: %s", snapshot.name, known[key])
    return known[key]["engine"]


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
    data = TrainSet.from_project(found.project)
    trained = set(found.split["train"])
    order = sorted(range(len(data)), key=lambda n: data.images[n] in trained)[:_JUDGED]
    return [data.image(n) for n in order], data.points[order]


def _read(path: Path) -> dict[str, Any]:
    """What was measured for this snapshot before, by machine."""
    try:
        return dict(read_json(path))
    except (FileNotFoundError, TypeError, ValueError):
        return {}
