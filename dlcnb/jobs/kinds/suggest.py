"""Points for extracted frames, predicted for whoever labels them: the job "suggest" and what it leaves."""

from __future__ import annotations

import json
import time
from pathlib import Path

import numpy as np

from dlcnb.files import atomic_write
from dlcnb.jobs.events import plain
from dlcnb.jobs.explain import explain
from dlcnb.project import Project

__all__ = ["SUGGESTIONS_FILE", "read_suggestions", "suggest"]

SUGGESTIONS_FILE = "suggestions.json"
WRITE_SECONDS = 2.0  # how often what there is so far is written
BATCH = 4


def suggest(job, events, stop):
    """Predict the images in ``job["options"]["images"]``; returns ("done" or "stopped", result)."""
    from dlcnb import backend

    options, project, folder = job["options"], Project.open(job["project"]), Path(job["folder"])
    predictor = backend.Predictor(
        Path(options["run"]), snapshot=options.get("snapshot", "best"), device=options.get("device", "auto")
    )
    images, found, failed, written = options["images"], {}, [], time.monotonic()
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


def _by_size(project, names, events, failed):
    """{size: [(name, pixels)]} of the images that can be read."""
    from dlcnb.labels.images import read_image  # here: OpenCV takes a while to load

    found = {}
    for name in names:
        try:
            image = read_image(project.root / name)
        except (ValueError, OSError) as error:
            events.write("warning", message=explain(error), image=name)
            failed.append({"image": name, "message": explain(error)})
        else:
            found.setdefault(image.shape, []).append((name, image))
    return found


def _name(predictor):
    return f"snapshot-{predictor.step}"


def _write(folder, predictor, found):
    content = {
        "snapshot": _name(predictor),
        "scorer": predictor.scorer,
        "bodyparts": list(predictor.bodyparts),
        "images": {name: plain(value) for name, value in found.items()},
    }
    atomic_write(folder / SUGGESTIONS_FILE, json.dumps(content))


def read_suggestions(folder, bodyparts):
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
    content = json.loads(path.read_text())
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
