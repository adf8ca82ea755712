"""Error and loss over the training steps, of trials that kept snapshots on the way (paper, Fig. 2B-D)."""

from __future__ import annotations

import logging
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from dlcnb.evaluate import Evaluation, error_rows
from dlcnb.run import NEWEST, Run
from dlcnb.trainset import TrainConfig, kept_steps

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dlcnb.experiments.plan import Plan, Trial

__all__ = ["COLUMNS", "LOSS_COLUMNS", "curves", "disk_mb", "evaluated", "losses", "read_evaluation"]

log = logging.getLogger(__name__)

_ABOUT = ("experiment", "condition", "repeat")
COLUMNS = (*_ABOUT, "trained_frames", "step", "set", "bodypart", "n", "mean_px", "rms_px", "median_px")
LOSS_COLUMNS = (*_ABOUT, "step", "seconds", "loss", "part_loss", "locref_loss")
_WEIGHTS_MB = {"efficientnet-lite0": 13, "resnet-50": 95, "resnet-101": 171}  # a few MB more with many bodyparts
_STEPS_A_MINUTE = 300  # more than two cores do: what is told beforehand shall be enough
_WITH_STATE = 3  # a snapshot that can be resumed takes so many times its weights


def curves(plan: Plan) -> pd.DataFrame:
    """Errors of the snapshots that were kept on the way.

    Parameters
    ----------
    plan : Plan

    Returns
    -------
    pandas.DataFrame
        Columns `COLUMNS`: a row for each trial, step, set ("train", "test") and bodypart ("all" = all together); errors
        in px, NaN = no such points. Empty where no trial kept any.
    """
    rows = [
        {**_about(plan, trial), **row}
        for trial in plan.trials
        for evaluation in evaluated(plan.curve_folder(trial))
        for row in step_rows(evaluation)
    ]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def losses(plan: Plan) -> pd.DataFrame:
    """The losses that the trials logged while training; columns `LOSS_COLUMNS`, NaN = not logged."""
    rows = [{**_about(plan, trial), **row} for trial in plan.trials for row in Run(plan.run_folder(trial)).statistics()]
    return pd.DataFrame(rows, columns=list(LOSS_COLUMNS))


def evaluated(folder: Path) -> Iterator[Evaluation]:
    """The evaluations in a folder, by rising step; a damaged one is told and passed over."""
    found = {
        int(m[1]): path for path in folder.glob("evaluation-*.json") if (m := re.search(r"-(\d+)\.json$", path.name))
    }
    for step in sorted(found):
        if (one := read_evaluation(found[step])) is not None:
            yield one


def read_evaluation(path: Path) -> Evaluation | None:
    """An evaluation, or None where it is damaged, which is told: the others are worth their rows."""
    try:
        return Evaluation.read(path)
    except (OSError, ValueError) as error:
        log.warning("%s It is left out.", str(error).rstrip(".") + ".")
        return None


def step_rows(evaluation: Evaluation) -> Iterator[dict[str, Any]]:
    """Rows of one snapshot: train and test, all bodyparts together and each."""
    for name, frames in (("train", ~evaluation.is_test), ("test", evaluation.is_test)):
        about = {"step": evaluation.step, "set": name, "trained_frames": int((~evaluation.is_test).sum())}
        for row in error_rows(evaluation, frames):
            yield {**about, **row}


def disk_mb(plan: Plan) -> float:
    """About how much disk space an experiment takes, MB: snapshots that are kept, and those of the running trial."""
    configs = [TrainConfig.from_dict(trial.settings) for trial in plan.trials]
    done = sum(_WEIGHTS_MB[config.backbone] * (1 + len(kept_steps(config.keep, _last(config)))) for config in configs)
    return float(done + max(_WEIGHTS_MB[config.backbone] for config in configs) * _WITH_STATE * (NEWEST + 1))


def _last(config: TrainConfig) -> int:
    """The last step of a run, or more."""
    return config.steps or int(_STEPS_A_MINUTE * (config.minutes or 0))


def _about(plan: Plan, trial: Trial) -> dict[str, Any]:
    return {"experiment": plan.kind, "condition": trial.condition, "repeat": trial.repeat}
