"""The worker's part of a training."""

from __future__ import annotations

import dataclasses
import time
from contextlib import closing
from pathlib import Path

import psutil

from dlcnb.jobs.crew.lead import lead
from dlcnb.jobs.memory import shortage

__all__ = ["train", "training_config"]


def train(job, events, stop):
    """Train a network, or go on training it; returns ("done" or "stopped", result)."""
    from dlcnb import backend  # first of all: it sets how many threads MXNet takes
    from dlcnb.backend import runs
    from dlcnb.project import Project

    project, run, options = Project.open(job["project"]), Path(job["folder"]), job["options"]
    config, resume = training_config(run, options)
    if problem := _shortage(project, config):
        events.write("warning", message=problem)
    began, last, warned, ending = time.monotonic(), None, None, "done"
    process = psutil.Process()
    steps = backend.train(project, config, run=run, resume=resume)
    with lead(run, config, events, stop), closing(steps):  # closing saves a snapshot
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


def _shortage(project, config):
    """What to say if the memory may not do for a run; None if it does."""
    from dlcnb.trainset import TrainSet

    data = TrainSet.from_project(project, config.bodyparts)
    size = data.image(0).shape[:2]
    return shortage(config.with_input_scale(size, data.points), size)


def training_config(run, options):
    """``(TrainConfig, resume)`` of a training job's options."""
    from dlcnb.trainset import TrainConfig

    if options.get("resume"):
        return _resumed_config(run, options["config"]), True
    return TrainConfig.from_dict(options["config"]), False


def _resumed_config(run, changes):
    """The configuration of a run with some settings changed; a new budget takes the place of the old one."""
    from dlcnb.backend import runs
    from dlcnb.trainset import TrainConfig

    values = runs.read_config(run)[0].to_dict()
    if changes.get("minutes") or changes.get("steps"):
        values |= {"minutes": None, "steps": None}
    if changes.get("learning_rate"):
        values["schedule"] = None  # which would overrule it
    return TrainConfig.from_dict({**values, **changes})


def _fields(record):
    return {f.name: getattr(record, f.name) for f in dataclasses.fields(record)}
