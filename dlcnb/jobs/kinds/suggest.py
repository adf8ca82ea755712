"""The job "suggest": points for extracted frames, predicted for whoever labels them; and what it leaves."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dlcnb.files import atomic_write, read_json
from dlcnb.jobs.events import EventLog, plain
from dlcnb.jobs.explain import explain
from dlcnb.jobs.kinds.kind import Kind, Options, Result, with_run
from dlcnb.jobs.stop import StopRequest, at_once
from dlcnb.project import Project

if TYPE_CHECKING:
    from dlcnb.backend import Predictor

__all__ = ["KIND", "SUGGESTIONS_FILE", "read_suggestions", "suggest"]

SUGGESTIONS_FILE = "suggestions.json"
WRITE_SECONDS = 2.0  # how often what there is so far is written
BATCH = 4


def suggest(job: dict[str, Any], events: EventLog, stop: StopRequest) -> Result:
    """Predict the images in ``job["options"]["images"]``; returns ("done" or "stopped", result)."""
    options, project, folder = job["options"], Project.open(job["project"]), Path(job["folder"])
    with at_once(stop):
        from dlcnb import backend

        predictor = backend.Predictor(
            Path(options["run"]), snapshot=options.get("snapshot", "best"), device=options.get("device", "auto")
        )
    images, written = options["images"], time.monotonic()
    found: dict[str, NDArray[np.float64]] = {}
    failed: list[dict[str, str]] = []
    for first in range(0, len(images), BATCH):
        if stop:
            break
        batch = images[first : first + BATCH]
        for size in _by_size(project, batch, events, failed).values():
            points, likelihood = predictor.predict([image for _, image in size])
            values = np.concatenate([points, likelihood[..., None]], axis=2)
            found |= {name: value for (name, _), value in zip(size, values, strict=True)}
        events.step("progress", done=min(first + BATCH, len(images)), total=len(images), seconds_left=None, video=None)
        if time.monotonic() - written > WRITE_SECONDS:
            _write(folder, predictor, found)
            written = time.monotonic()
    _write(folder, predictor, found)
    ended = "stopped" if len(found) + len(failed) < len(images) else "done"
    file = str(folder / SUGGESTIONS_FILE)
    return ended, {"images": len(found), "failed": failed, "snapshot": _name(predictor), "file": file}


def _by_size(
    project: Project, names: Sequence[str], events: EventLog, failed: list[dict[str, str]]
) -> dict[tuple[int, ...], list[tuple[str, NDArray[np.uint8]]]]:
    """{size: [(name, pixels)]} of the images that can be read; the others are told, and added to ``failed``."""
    from dlcnb.labels.images import read_image  # here: OpenCV takes a while to load

    found: dict[tuple[int, ...], list[tuple[str, NDArray[np.uint8]]]] = {}
    for name in names:
        try:
            image = read_image(project.root / name)
        except (ValueError, OSError) as error:
            events.write("warning", message=explain(error), image=name)
            failed.append({"image": name, "message": explain(error)})
        else:
            found.setdefault(image.shape, []).append((name, image))
    return found


def _name(predictor: Predictor) -> str:
    return f"snapshot-{predictor.step}"


def _write(folder: Path, predictor: Predictor, found: Mapping[str, NDArray[np.float64]]) -> None:
    content = {
        "snapshot": _name(predictor),
        "scorer": predictor.scorer,
        "bodyparts": list(predictor.bodyparts),
        "images": {name: plain(value) for name, value in found.items()},
    }
    atomic_write(folder / SUGGESTIONS_FILE, json.dumps(content))


def read_suggestions(
    folder: str | os.PathLike[str], bodyparts: Sequence[str]
) -> tuple[str, dict[str, NDArray[np.float64]]]:
    """What a job "suggest" has found so far.

    Parameters
    ----------
    folder : of the job.
    bodyparts : K names, the order wanted; NaN for those that the network does not know.

    Returns
    -------
    snapshot : str, such as "snapshot-1200"; "" if nothing was found yet.
    images : {image: float64 (K, 3)} of x, y (px) and likelihood.
    """
    path = Path(folder) / SUGGESTIONS_FILE
    if not path.exists():
        return "", {}
    content = read_json(path)
    known = content["bodyparts"]
    images = {}
    for name, rows in content["images"].items():
        rows = np.array(rows, float).reshape(len(known), 3)
        values = np.full((len(bodyparts), 3), np.nan)
        for k, part in enumerate(bodyparts):
            if part in known:
                values[k] = rows[known.index(part)]
        images[name] = values
    return content["snapshot"], images


def _checked(project: Project, options: Options) -> Options:
    """Extracted frames of this project, and no other files."""
    options = with_run(project, options)
    if not options.get("images"):
        raise ValueError("No images to predict were given.")
    for image in options["images"]:
        parts = Path(image).parts
        if len(parts) != 3 or parts[0] != "labeled-data" or ".." in parts or not (project.root / image).is_file():
            raise ValueError(
                f"{image!r}: expected an extracted frame of {project.root}, such as labeled-data/m1/img0.png"
            )
    return options


KIND = Kind("suggest", suggest, frozenset({"images", "run", "snapshot", "device"}), check=_checked, predicts=True)
