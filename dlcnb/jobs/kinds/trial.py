"""The job "trial" of an experiment: train one network, evaluate it, keep what is needed."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dlcnb.jobs.events import EventLog
from dlcnb.jobs.kinds.evaluate import evaluate_one
from dlcnb.jobs.kinds.kind import Kind, Options, Result
from dlcnb.jobs.kinds.train import train
from dlcnb.jobs.stop import StopRequest
from dlcnb.run import Run

if TYPE_CHECKING:
    from dlcnb.evaluate import Evaluation
    from dlcnb.project import Project

__all__ = ["KIND", "trial"]


def trial(job: dict[str, Any], events: EventLog, stop: StopRequest) -> Result:
    """Train (or go on training) and evaluate; returns ("done" or "stopped", result)."""
    options, run = job["options"], Run(job["folder"])
    if options.get("threads"):  # before MXNet is loaded; several trials share the cores
        os.environ["OMP_NUM_THREADS"] = str(options["threads"])
    from dlcnb import backend
    from dlcnb.project import Project

    training = {"config": options["config"], "resume": bool(run.steps)}
    ending, result = train({**job, "options": training}, events, stop)
    if ending != "done":
        return ending, result
    project = Project.open(job["project"])

    def predict(on_maps: Callable[..., None] | None) -> Evaluation:
        return backend.evaluate_run(project, run.folder, "best", on_maps=on_maps)

    evaluation = evaluate_one(predict, Path(options["evaluation"]))
    run.keep_only(evaluation.step)
    return "done", {**result, "test": evaluation.to_json()["test"]}


def _checked(_project: Project, options: Options) -> Options:
    return {**options, "evaluation": str(options["evaluation"]), "run": str(options["run"])}


def _place(_project: Project, options: Options) -> Path:
    folder = Path(options["run"])
    folder.mkdir(parents=True, exist_ok=True)
    return folder


_OPTIONS = frozenset({"run", "config", "evaluation", "threads"})
KIND = Kind("trial", trial, _OPTIONS, check=_checked, place=_place)
