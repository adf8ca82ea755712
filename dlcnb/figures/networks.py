"""Figures of trainings: loss and errors over steps, over labels, of networks and radii (2B-D, 2F, 5, S2)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from dlcnb import plots
from dlcnb.evaluate import summarize_splits
from dlcnb.experiments import curves, losses, results
from dlcnb.experiments.curves import COLUMNS, LOSS_COLUMNS, evaluated, step_rows
from dlcnb.experiments.results import summary
from dlcnb.figures.source import Drawing, MissingDataError, Source
from dlcnb.files import quoted
from dlcnb.plots.experiments import from_random
from dlcnb.plots.figure import figure_of

if TYPE_CHECKING:
    from dlcnb.experiments import Plan

__all__ = ["backbones", "error_over_steps", "errors_of_parts", "label_count", "loss", "one_or_all", "radii"]


def loss(source: Source) -> Drawing:
    """2B: training loss over the steps."""
    try:
        plan = source.experiment("curves")
        table = losses(plan)
        what = f"{_splits(table)} of the experiment {plan.folder.name}"
    except MissingDataError:
        rows = [{"experiment": "run", "condition": source.run.name, "repeat": 0, **r} for r in source.run.statistics()]
        table, what = pd.DataFrame(rows, columns=list(LOSS_COLUMNS)), f"the last training, {source.run.name}"
    if table.empty:
        raise source.missing("a training that logged its loss", "experiment", "curves", more=" --minutes 5")
    last = table.groupby("repeat")["loss"].last()
    caption = (
        f"Training loss over the steps, a running mean of nine logged steps; {what}. Thin: single splits, thick: their "
        f"mean. At the end it was {last.mean():.3g} (mean of {_plural(len(last), 'split')})."
    )
    return Drawing(plots.loss(table)[0], table, caption)


def error_over_steps(source: Source) -> Drawing:
    """2C: train and test error over the steps."""
    table, what = _over_steps(source)
    figure, _ = plots.curves(table, source.human)
    return Drawing(figure, table, f"{_caption(table, what)}{_human(source)}")


def errors_of_parts(source: Source) -> Drawing:
    """2D: test error of single bodyparts over the steps."""
    table, what = _over_steps(source)
    parts = [part for part in table["bodypart"].drop_duplicates() if part != "all"]
    parts = [part for part in parts if source.bodypart in (None, part)] or parts
    last = _last(table)
    means = {part: last[last["bodypart"] == part]["mean_px"].mean() for part in parts}
    known = (f"{part} {px:.2f} px" for part, px in means.items() if px == px)
    ends = ", ".join(known) or "unknown, there is no test frame"
    caption = f"{_caption(table, what)} Here the test error of each bodypart; at the end: {ends}.{_human(source)}"
    return Drawing(plots.curves(table, source.human, bodyparts=parts)[0], table, caption)


def label_count(source: Source) -> Drawing:
    """2F: error over the number of training frames."""
    return _experiment(source, "learning-curve", "Mean error over the number of frames that were trained on")


def one_or_all(source: Source) -> Drawing:
    """5: one network for all bodyparts against one for each."""
    what = "One network for all bodyparts (full@…) against networks for a single one, each judged on that bodypart"
    return _experiment(source, "parts", what)


def backbones(source: Source) -> Drawing:
    """S2A: networks side by side, and their curves."""
    return _compared(source, "backbone", "Networks")


def radii(source: Source) -> Drawing:
    """S2B-D: radii of the score-map's disc side by side, and their curves."""
    return _compared(source, "epsilon", "Radius (px) of the disc in which a score-map is 1")


def _compared(source: Source, kind: str, what: str) -> Drawing:
    """Conditions side by side, and beside them their curves where snapshots were kept."""
    drawn = _experiment(source, kind, what)
    plan = source.experiment(kind)
    if (way := curves(plan)).empty:
        command = f"dlcnb experiment {kind} {quoted(source.project.root)} --minutes 5 --at curve --name {kind}-curves"
        more = f" Curves over the steps need snapshots on the way: {command}"
        return drawn._replace(caption=drawn.caption + more)
    figure = figure_of((12, 4))
    left, right = figure.subplots(1, 2)
    plots.experiment(drawn.table, source.human, ax=left)
    plots.curves(way, source.human, ax=right)
    table = pd.concat([drawn.table, way], ignore_index=True)
    more = f" Right: train (dashed) and test error over the steps, at {way['step'].nunique()} snapshots."
    return Drawing(figure, table, drawn.caption + more)


def _experiment(source: Source, kind: str, what: str) -> Drawing:
    """The figure of an experiment that has a table of conditions."""
    plan = source.experiment(kind)
    table = results(plan)
    lines = "; ".join(
        f"{line['condition']} ({line['trained_frames']:.0f} training frames) {line['test']}"
        for line in summary(table)
        if "test" in line
    )
    caption = (
        f"{what}: crosses are single splits, dots their mean ± s.e.m. over {_splits(table)}; {_size(table)}. "
        f"Test error, mean in px: {lines}.{_unfinished(plan)}{_random(table)}{_human(source)}"
    )
    return Drawing(plots.experiment(table, source.human)[0], table, caption)


def _over_steps(source: Source) -> tuple[pd.DataFrame, str]:
    """Errors of snapshots, and where they are from: an experiment, or the last run's evaluations of all snapshots."""
    try:
        plan = source.experiment("curves", curve=True)
        table = curves(plan)
        return table, f"{_splits(table)} of the experiment {plan.folder.name}{_unfinished(plan)}"
    except MissingDataError as error:
        try:
            found = list(evaluated(source.run.evaluations))
        except MissingDataError:
            raise error from None
        if len(found) < 2:
            raise
        about = {"experiment": "run", "condition": source.run.name, "repeat": 0}
        rows = [{**about, **row} for one in found for row in step_rows(one)]
        return pd.DataFrame(rows, columns=list(COLUMNS)), f"1 split, the last training ({source.run.name})"


def _last(table: pd.DataFrame) -> pd.DataFrame:
    """Test errors of the last snapshot of each split."""
    tested = table[table["set"] == "test"]
    return tested[tested["step"] == tested.groupby(["condition", "repeat"])["step"].transform("max")]


def _caption(table: pd.DataFrame, what: str) -> str:
    last = _last(table)
    end = summarize_splits(last[last["bodypart"] == "all"]["mean_px"])
    return (
        f"Mean distance between label and prediction over the training steps, at {table['step'].nunique()} snapshots; "
        f"{what}, {_size(table)}. Thin: single splits, thick: their mean. Test error of the last snapshots: {end} px."
    )


def _size(table: pd.DataFrame) -> str:
    """How many frames and points a table of errors is of, in words."""
    whole = table[table["bodypart"] == "all"]
    trained = sorted(whole["trained_frames"].unique())
    frames = f"{trained[0]}" if len(trained) == 1 else f"{trained[0]} to {trained[-1]}"
    points = sorted(whole[whole["set"] == "test"]["n"].unique())
    tested = "no" if not points else f"{points[0]}" if len(points) == 1 else f"{points[0]} to {points[-1]}"
    return f"{frames} training frames and {tested} labeled points on test frames in each"


def _splits(table: pd.DataFrame) -> str:
    return _plural(int(table["repeat"].nunique()), "split")


def _unfinished(plan: Plan) -> str:
    left = sum(not plan.is_done(trial) for trial in plan.trials)
    return f" ({left} of {len(plan.trials)} trainings are not done yet)" if left else ""


def _random(table: pd.DataFrame) -> str:
    poor = from_random(table)
    return f" Began from random weights, because ImageNet's were not available: {', '.join(poor)}." if poor else ""


def _human(source: Source) -> str:
    if source.human is None:
        return ""
    return (
        f" Dotted: human variability, {source.human.spread.mean_px:.2f} px on {len(source.human.images)} frames that "
        f"{' and '.join(source.human.scorers)} both labeled, with its 95 % interval."
    )


def _plural(count: int, word: str) -> str:
    return f"{count} {word}{'s' * (count != 1)}"
