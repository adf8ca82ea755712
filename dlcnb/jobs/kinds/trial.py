"""The job "trial" of an experiment: train one network, evaluate it, keep what is needed."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dlcnb.jobs.events import EventLog
from dlcnb.jobs.kinds.evaluate import evaluate_one
from dlcnb.jobs.kinds.kind import Kind, Options, Result
from dlcnb.jobs.kinds.train import train
from dlcnb.jobs.stop import StopRequest
from dlcnb.run import Run
from dlcnb.trainset import is_kept

if TYPE_CHECKING:
    from dlcnb.evaluate import Evaluation
    from dlcnb.project import Project

__all__ = ["KIND", "trial"]


def trial(job: dict[str, Any], events: EventLog, stop: StopRequest) -> Result:
    """Train (or go on training) and evaluate, also snapshots kept on the way; returns ("done" or "stopped", result)."""
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

    def predict(on_maps: Callable[..., None] | None, which: str | int = "best") -> Evaluation:
        return backend.evaluate_run(project, run.folder, which, on_maps=on_maps)

    kept = [step for step in run.steps if is_kept(step, run.config.keep)]
    for step in kept if options.get("curve") else ():
        if stop:
            return "stopped", result
        if not (Path(options["curve"]) / f"evaluation-{step}.json").is_file():
            evaluate_one(partial(predict, which=step), Path(options["curve"]))
    evaluation = evaluate_one(predict, Path(options["evaluation"]))
    run.keep_only(*kept, evaluation.step)
    return "done", {**result, "test": evaluation.to_json()["test"]}


def _checked(_project: Project, options: Options) -> Options:
    paths = {name: str(options[name]) for name in ("run", "evaluation", "curve") if options.get(name)}
    return {**options, **paths}


def _place(_project: Project, options: Options) -> Path:
    folder = Path(options["run"])
    folder.mkdir(parents=True, exist_ok=True)
    return folder


_OPTIONS = frozenset({"run", "config", "evaluation", "curve", "threads"})
KIND = Kind("trial", trial, _OPTIONS, check=_checked, place=_place)
