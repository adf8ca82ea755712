"""The curves of a training run, read from its folder."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dlcnb.jobs.events import EventReader
from dlcnb.jobs.job import JOB_FILE, Job
from dlcnb.project import ProjectError
from dlcnb.run import Run

__all__ = ["held_out", "history", "unfinished"]

_CURVES = ("step", "seconds", "loss", "part_loss", "locref_loss", "learning_rate")
_VALIDATION = ("mean_px", "rms_px", "median_px", "train_mean_px")
_LAST = 1 << 53  # no training has as many steps
_UNFINISHED = {"stopped": "was stopped", "failed": "failed", "lost": "was interrupted", "running": "is being trained"}


def unfinished(run: str | Path | Run) -> str | None:
    """What kept a training run from its end, such as "was stopped at step 120"; None if nothing did.

    A run that was not a job (``for step in train(...)``) counts as finished.
    """
    run = Path(run)
    words = _UNFINISHED.get(Job(run).status) if (run / JOB_FILE).exists() else None
    if words is None:
        return None
    steps = [e["step"] for e in EventReader(run).read() if e["event"] == "step" and _has_step(e)]
    return f"{words} at step {steps[-1]}" if steps else f"{words} before its first step"


def history(run: str | Path | Run | list[dict[str, Any]]) -> dict[str, NDArray[Any]]:
    """The curves of a training run.

    They come from its event log, or, where the run was not a job (``for step in train(...)``), from its
    ``learning_stats.csv``. A resumed run repeats the steps after its last snapshot; they replace the first ones.

    Parameters
    ----------
    run : run folder, or a list of events.

    Returns
    -------
    dict of arrays: ``step`` (int), ``seconds``, ``loss``, ``part_loss``, ``locref_loss``, ``learning_rate``
    (float64, one value per logged step); ``validation_step`` (int), ``validation_mean_px``,
    ``validation_rms_px``, ``validation_median_px`` (float64, px, one per validation) and ``validation_train_mean_px``,
    the mean error on as many training frames; ``best_step`` (int) and ``best_mean_px`` (px): the snapshot taken so far
    after each validation; ``validation_frames`` (int, one value): how many are held out. NaN = not known. All empty if
    there is no log yet.
    """
    events = run if isinstance(run, list) else EventReader(Path(run)).read() or _from_table(Path(run))
    steps = _without_superseded(e for e in events if e["event"] == "step" and _has_step(e))
    checked = [e for e in steps if e.get("validation") and isinstance(e["validation"], dict)]
    curves = {name: _column(steps, name) for name in _CURVES}
    curves["validation_step"] = _column(checked, "step")
    for name in _VALIDATION:
        curves[f"validation_{name}"] = _column([e["validation"] for e in checked], name)
    best = [e["best"] for e in checked if _has_step(e.get("best"))]
    curves["best_step"] = _column(best, "step")
    curves["best_mean_px"] = _column(best, "val_mean_px")
    curves["validation_frames"] = np.array([held_out(run)] if steps and not isinstance(run, list) else [], int)
    return curves


def held_out(run: str | Path | Run) -> int:
    """How many frames a run's validation has; 0 where there are none, or it is not known."""
    try:
        return len(Run(run).split["validation"])
    except (ProjectError, OSError):
        return 0


def _from_table(run: Path) -> list[dict[str, Any]]:
    """The rows of ``learning_stats.csv`` as events; none if there is no such file."""
    names = {"val_mean_px": "mean_px", "train_mean_px": "train_mean_px"}
    events = []
    for row in Run(run).statistics():
        checked = {name: row.pop(column) for column, name in names.items() if column in row}
        events.append({**row, "event": "step", "step": int(row["step"]), "validation": checked or None})
    return events


def _has_step(event: Any) -> bool:
    """Whether an event tells its step, a number; one that something else has written is passed over."""
    step = event.get("step") if isinstance(event, dict) else None
    return isinstance(step, int) and 0 <= step < _LAST


def _without_superseded(steps: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    kept: list[dict[str, Any]] = []
    for event in steps:
        while kept and kept[-1]["step"] >= event["step"]:
            kept.pop()
        kept.append(event)
    return kept


def _column(records: list[dict[str, Any]], name: str) -> NDArray[Any]:
    if name == "step":
        return np.array([r["step"] for r in records], int)
    return np.array([_number(r.get(name)) for r in records], float)


def _number(value: Any) -> float:
    """A logged number; NaN for what is none, or too large for one."""
    try:
        return float(value) if isinstance(value, (int, float)) else np.nan
    except OverflowError:
        return np.nan
