"""Experiments whose trials nobody trained: as quick as done ones, for tests of tables and figures."""

from __future__ import annotations

import csv

import numpy as np

from dlcnb.evaluate import Evaluation
from dlcnb.run import Run
from dlcnb.trainset import TrainConfig, TrainSet, choose_split


def finish(plan, error=2.0, only=None, steps=()):
    """Pretend that the trials were trained: predictions are off by ``error(trial)`` px, on the way by 10 / step."""
    for trial in plan.trials:
        if only is not None and trial.name not in only:
            continue
        config = TrainConfig.from_dict(trial.settings)
        data = TrainSet.from_project(plan.project, config.bodyparts)
        test = np.zeros(len(data), bool)
        test[choose_split(data.images, config).test] = True
        off = error(trial) if callable(error) else error
        predicted = data.points + [off, 0.0]
        shape = data.points.shape[:2]
        rest = np.ones(shape), test, 0.6
        for step in steps:
            then = predicted + [10 / step, 0.0]
            found = Evaluation(data.bodyparts, data.images, data.points, then, *rest, f"snapshot-{step}", step)
            found.write(plan.curve_folder(trial))
        found = Evaluation(data.bodyparts, data.images, data.points, predicted, *rest, "snapshot-5", 5)
        found.write(plan.evaluation_folder(trial))


def log_losses(plan, steps=range(5, 100, 5)):
    """The losses that the trials of a plan would have logged: 10 / step, and the repeat more."""
    for trial in plan.trials:
        run = Run(plan.run_folder(trial))
        run.folder.mkdir(parents=True, exist_ok=True)
        with open(run.stats_file, "w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(("step", "seconds", "loss", "part_loss", "locref_loss"))
            writer.writerows((step, step / 5, 10 / step + trial.repeat, 8 / step, 2 / step) for step in steps)
