"""The worker's part of an experiment: train one network, evaluate it, keep what is needed."""

from __future__ import annotations

import os
from pathlib import Path

from dlcnb.jobs.kinds.evaluate import evaluate_one
from dlcnb.jobs.kinds.train import train

__all__ = ["trial"]


def trial(job, events, stop):
    """Train (or go on training) and evaluate; returns ("done" or "stopped", result)."""
    options, run = job["options"], Path(job["folder"])
    if options.get("threads"):  # before MXNet is loaded; several trials share the cores
        os.environ["OMP_NUM_THREADS"] = str(options["threads"])
    from dlcnb import backend
    from dlcnb.backend import runs
    from dlcnb.project import Project

    begun = bool(runs.snapshots(run))
    ending, result = train({**job, "options": {"config": options["config"], "resume": begun}}, events, stop)
    if ending != "done":
        return ending, result
    project = Project.open(job["project"])

    def predict(on_maps):
        return backend.evaluate_run(project, run, "best", on_maps=on_maps)

    evaluation = evaluate_one(predict, Path(options["evaluation"]))
    _tidy(run, evaluation.step)
    return "done", {**result, "test": evaluation.to_json()["test"]}


def _tidy(run, step):
    """Keep the evaluated snapshot's weights alone: dozens of runs would fill the disk."""
    for path in [*run.glob("snapshot-*.params"), *run.glob("snapshot-*.state.npz")]:
        if path.name != f"snapshot-{step}.params":
            path.unlink()
