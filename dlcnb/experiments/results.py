"""The tidy table of an experiment: a row for each trial, set of frames and bodypart."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dlcnb.evaluate import Evaluation, error_rows, human_variability, summarize_splits
from dlcnb.experiments.curves import curves, read_evaluation
from dlcnb.experiments.plan import Plan, Trial
from dlcnb.files import atomic_write
from dlcnb.project import ProjectError
from dlcnb.run import Run

__all__ = ["COLUMNS", "results", "summary", "write_results"]

COLUMNS = (
    "experiment", "condition", "repeat", "trained_frames", "set", "bodypart", "n",
    "mean_px", "rms_px", "median_px", "pcutoff", "mean_px_pcutoff", "step", "seconds", "began_from",
)  # fmt: skip


def results(plan: Plan) -> pd.DataFrame:
    """What the finished trials of a plan found.

    Parameters
    ----------
    plan : Plan

    Returns
    -------
    pandas.DataFrame
        Columns `COLUMNS`; sets are "train", "test" and, where several conditions share a split, "shared": the test
        frames that no condition of this repeat has been trained on. The bodypart "all" stands for all that the trial
        was trained on. Errors in pixels, NaN = no such points; ``n`` counts points. ``began_from`` is "imagenet",
        "random", "random instead of imagenet" where those weights could not be had, a path, or "unknown".
    """
    finished = [trial for trial in plan.trials if plan.is_done(trial)]
    found = [(trial, read_evaluation(plan.evaluation_folder(trial))) for trial in finished]
    done = [(trial, evaluation) for trial, evaluation in found if evaluation is not None]
    rows = []
    for trial, evaluation in done:
        others = [e for t, e in done if t.repeat == trial.repeat and t.condition != trial.condition]
        sets = {"train": ~evaluation.is_test, "test": evaluation.is_test}
        if others and plan.kind not in ("folds", "videos"):
            sets["shared"] = np.all([_untrained(evaluation, e) for e in [evaluation, *others]], axis=0)
        about = {
            "experiment": plan.kind,
            "condition": trial.condition,
            "repeat": trial.repeat,
            "trained_frames": int(sets["train"].sum()),
            "pcutoff": evaluation.pcutoff,
            "step": evaluation.step,
            "seconds": _seconds(plan.run_folder(trial)),
            "began_from": _began(Run(plan.run_folder(trial)), trial),
        }
        rows += [
            {**about, "set": name, **row} for name, frames in sets.items() for row in error_rows(evaluation, frames)
        ]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def write_results(plan: Plan) -> tuple[pd.DataFrame, Path, Path | None]:
    """Write ``results.csv`` and ``figure.png`` into the experiment's folder.

    The figure shows human variability where another scorer labeled the same frames. Where snapshots on the way were
    evaluated, ``curves.csv`` and ``curves.png`` are written, too; for "curves" that is the figure that is returned.

    Returns
    -------
    tuple
        (table, its path, path of the figure or None where nothing is done yet)
    """
    from dlcnb import plots

    table = results(plan)
    path, picture = plan.folder / "results.csv", plan.folder / "figure.png"
    atomic_write(path, table.to_csv(index=False))
    if table.empty:
        return table, path, None
    human = human_variability(plan.project)
    plots.save(plots.experiment(table, human)[0], picture)
    if not (way := curves(plan)).empty:
        atomic_write(plan.folder / "curves.csv", way.to_csv(index=False))
        drawn = plots.save(plots.curves(way, human)[0], plan.folder / "curves.png")
        picture = drawn if plan.kind == "curves" else picture
    return table, path, picture


def summary(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Mean ± s.e.m. over the repeats for each condition.

    Returns
    -------
    list of dict
        ``condition``, ``trained_frames`` (mean), ``repeats``, and `SplitSummary` of ``train``, ``test`` (and
        ``shared``), in the order of the conditions' first trials. They are over all bodyparts; for "parts" over the
        bodypart alone that two networks are compared on: "full@snout" beside "snout only".
    """
    conditions = list(table["condition"].drop_duplicates())
    if len(table) and table["experiment"].iloc[0] == "parts":
        single = [name for name in conditions if name != "all"]
        wanted = [row for part in single for row in ((f"full@{part}", "all", part), (f"{part} only", part, part))]
    else:
        wanted = [(name, name, "all") for name in conditions]
    chosen = ((name, table[(table["condition"] == c) & (table["bodypart"] == part)]) for name, c, part in wanted)
    return [_condition(name, mine) for name, mine in chosen if len(mine)]


def _condition(name: str, mine: pd.DataFrame) -> dict[str, Any]:
    frames = float(mine.loc[mine["set"] == "train", "trained_frames"].mean())
    splits = {str(one): summarize_splits(rows["mean_px"]) for one, rows in mine.groupby("set")}
    return {"condition": name, "trained_frames": frames, "repeats": mine["repeat"].nunique(), **splits}


def _untrained(evaluation: Evaluation, other: Evaluation) -> NDArray[np.bool_]:
    """(N,) bool: frames of ``evaluation`` that are test frames of ``other``."""
    tested = {name for name, test in zip(other.images, other.is_test, strict=True) if test}
    return np.array([name in tested for name in evaluation.images], bool)


def _began(run: Run, trial: Trial) -> str:
    """Which weights a trial began with, in the words of the table."""
    from dlcnb.plots.experiments import INSTEAD  # here: matplotlib takes a second to load

    try:
        found = str(run.settings.get("began_from", "unknown"))
    except ProjectError:  # damaged or gone: what it found is still worth its row
        return "unknown"
    return INSTEAD if found == "random" and trial.settings.get("pretrained", True) else found


def _seconds(run: Path) -> float:
    """Seconds of training, from the run's statistics; NaN if there are none."""
    rows = list(Run(run).statistics())
    return rows[-1].get("seconds", float("nan")) if rows else float("nan")
