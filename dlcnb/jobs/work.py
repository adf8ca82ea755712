"""What a worker can do: train, evaluate, analyze, suggest. Each function returns ("done" or "stopped", result)."""

from __future__ import annotations

import dataclasses
import os
import time
import traceback
from contextlib import closing
from pathlib import Path

import numpy as np
import psutil

from dlcnb.jobs.evaluating import evaluate
from dlcnb.jobs.explain import explain
from dlcnb.jobs.suggest import suggest
from dlcnb.jobs.trial import trial

__all__ = ["WORK"]


def _train(job, events, stop):
    from dlcnb import backend  # first of all: it sets how many threads MXNet takes
    from dlcnb.backend import runs
    from dlcnb.project import Project
    from dlcnb.trainset import TrainConfig

    project, run, options = Project.open(job["project"]), Path(job["folder"]), job["options"]
    resume = options.get("resume", False)
    config = _resumed_config(run, options["config"]) if resume else TrainConfig.from_dict(options["config"])
    began, last, warned, ending = time.monotonic(), None, None, "done"
    process = psutil.Process()
    steps = backend.train(project, config, run=run, resume=resume)
    with closing(steps):  # closing saves a snapshot
        for last in steps:
            if last.warning not in (None, warned):
                warned = last.warning
                events.write("warning", message=warned)
            events.step(**_fields(last), rss_mb=process.memory_info().rss / 2**20)
            if stop and last.progress < 1:
                ending = "stopped"
                break
    seconds = time.monotonic() - began
    steps_done = last.step if last else (runs.snapshots(run) or [0])[-1]
    result = {"run": str(run), "steps": steps_done, "seconds": seconds}
    return ending, {**result, "best": runs.read_best(run)}


def _resumed_config(run, changes):
    """The configuration of a run with some settings changed; a new budget takes the place of the old one."""
    from dlcnb.backend import runs
    from dlcnb.trainset import TrainConfig

    values = runs.read_config(run)[0].to_dict()
    if changes.get("minutes") or changes.get("steps"):
        values |= {"minutes": None, "steps": None}
    return TrainConfig.from_dict({**values, **changes})


def _analyze(job, events, stop):
    from dlcnb import backend

    options = job["options"]
    predictor = backend.Predictor(
        Path(options["run"]), snapshot=options.get("snapshot", "best"), device=options.get("device", "auto")
    )
    done, failed = [], []
    for video in options["videos"]:
        if stop:
            break
        try:
            one = _analyze_one(predictor, video, options, events, stop)
        except (ValueError, OSError) as error:
            traceback.print_exc()  # to the worker's log
            events.write("warning", message=explain(error), video=video)
            failed.append({"video": video, "message": explain(error)})
        else:
            done += [one] if one else []
    if failed and not done and not stop:
        raise ValueError("\n".join(f["message"] for f in failed))
    ended = len(done) + len(failed) < len(options["videos"])
    return ("stopped" if ended else "done"), {"videos": done, "failed": failed}


def _analyze_one(predictor, video, options, events, stop):
    """Poses of one video, written; None if the work was stopped before its end."""
    from dlcnb.backend import predict_video
    from dlcnb.poses import Poses, poses_path

    output = poses_path(video, predictor.scorer, folder=options.get("folder"))
    _check_writable(output.parent)
    began, points, likelihood = time.monotonic(), [], []
    with closing(predict_video(predictor, video, batch=options.get("batch", 8))) as steps:
        for step in steps:
            points.append(step.points)
            likelihood.append(step.likelihood)
            left = (time.monotonic() - began) * (step.total / step.done - 1)
            events.step("progress", done=step.done, total=step.total, seconds_left=left, video=video)
            if stop and step.done < step.total:
                return None
    poses = Poses(predictor.bodyparts, predictor.scorer, np.concatenate(points), np.concatenate(likelihood))
    poses.write(output)
    seconds = time.monotonic() - began
    frames = len(poses.points)
    return {
        "video": video,
        "frames": frames,
        "seconds": seconds,
        "fps": frames / seconds,
        "engine": "fp32",
        "output": str(output),
    }


def _check_writable(folder):
    """Find out before the work, not after it, that its result can't be written."""
    folder.mkdir(parents=True, exist_ok=True)
    if not os.access(folder, os.W_OK):
        raise PermissionError(
            f"The tables can't be written to {folder}: no permission. Choose another folder for them."
        )


def _fields(record):
    return {f.name: getattr(record, f.name) for f in dataclasses.fields(record)}


# function(job, events, stop)
WORK = {"train": _train, "evaluate": evaluate, "analyze": _analyze, "trial": trial, "suggest": suggest}
