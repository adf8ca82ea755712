"""Examples -> weights: `train` is an iterator of `TrainStep` that prints nothing and can be stopped at any step."""

from __future__ import annotations

import os
from collections.abc import Generator

from dlcnb.backend.optimize import learning_rate
from dlcnb.backend.trainer import DivergedError, Trainer, TrainStep
from dlcnb.project import Project
from dlcnb.run import Run
from dlcnb.trainset import TrainConfig

__all__ = ["DivergedError", "TrainStep", "learning_rate", "train"]


def train(
    project: Project,
    config: TrainConfig | None = None,
    *,
    run: str | os.PathLike[str] | None = None,
    resume: bool = False,
    leads: bool = True,
) -> Generator[TrainStep, None, None]:
    """Train a network on the labeled frames of a project.

    Parameters
    ----------
    project : Project.
    config : TrainConfig. When resuming it may be None, or the settings to change (see `dlcnb.run.Run.resumed`).
    run : folder of the run; None makes a new one (or takes the last one, when resuming).
    resume : go on from the last snapshot of ``run``, or begin it anew if it has none yet. A run by ``steps`` that was
        interrupted and resumed ends with the same weights as one that was not (on a CPU).
    leads : False for a process that only shares the work of another one (``kvstore="dist_sync"``): it writes nothing.

    Yields
    ------
    TrainStep
        One for each step. Leaving the loop (``break``) saves a snapshot first.

    Raises
    ------
    DivergedError
        The loss or the weights became infinite or NaN; its ``offer`` has a lower learning rate.
    ProjectError
        Nothing is labeled, the run can't be resumed, or the disk is full.
    """
    made = None
    if run is None and not resume and config is not None:
        run = made = Run(project.new_run(config.train_fraction))
    try:
        yield from _steps(Trainer(project, config, run, resume, leads))
    except Exception:
        if made and not made.steps:
            made.discard()  # else it would be the project's last run
        raise


def _steps(trainer: Trainer) -> Generator[TrainStep, None, None]:
    """The steps of a trainer; one that is left early saves a snapshot."""
    finished = False
    try:
        yield from trainer.steps()
        finished = True
    except GeneratorExit:
        trainer.save()
        finished = True
        raise
    finally:
        trainer.close(wait=finished)
