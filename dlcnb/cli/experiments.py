"""``dlcnb experiment``: many trainings that differ in one thing, a table and a figure."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import closing
from typing import TYPE_CHECKING, Any

import click

from dlcnb.cli.console import Report, clock, command, project_argument, table

if TYPE_CHECKING:
    from dlcnb.cli.console import Console
    from dlcnb.experiments import Plan, Progress

__all__ = ["KINDS", "experiment"]

_WORTH_TELLING = 200.0  # MB of disk

_VALUES = """What to compare, separated by commas. curves, learning-curve: shares of the frames (0.05,0.2,0.8); parts:
bodyparts; backbone: networks; epsilon: px (9,17,25); initialization: imagenet,random; videos: their names; folds: none.
[default: all that make sense]"""

KINDS = ("curves", "learning-curve", "parts", "backbone", "epsilon", "initialization", "folds", "videos")


@command("experiment", "Train many: learning curve, cross-validation ...")
@click.argument("kind", type=click.Choice(KINDS))
@project_argument
@click.option("--minutes", type=click.FloatRange(0, min_open=True), help="Training time of each run.  [default: 5]")
@click.option("--steps", type=click.IntRange(1), help="Training steps of each run, instead of minutes (reproducible).")
@click.option(
    "--repeats", type=click.IntRange(1), help="How many splits of each condition, or folds.  [default: 3; folds: 5]"
)
@click.option("--values", metavar="A,B,...", help=_VALUES)
@click.option(
    "--at",
    metavar="STEPS",
    help="Keep and evaluate snapshots on the way: at 100,500,1000, or 'curve' for 10, 20, 50, 100, 200, 500 ..."
    "  [default for curves: curve]",
)
@click.option(
    "--jobs", type=click.IntRange(1), default=1, show_default=True, help="Runs at a time; they share the cores."
)
@click.option("--set", "settings", multiple=True, metavar="NAME=VALUE", help="Any training setting; may be repeated.")
@click.option("--name", help="Name of the experiment, so that several of a kind may exist.  [default: its kind]")
def experiment(  # noqa: PLR0913
    console: Console,
    kind: str,
    root: str,
    minutes: float | None,
    steps: int | None,
    repeats: int | None,
    values: str | None,
    at: str | None,
    jobs: int,
    settings: tuple[str, ...],
    name: str | None,
) -> Report:
    """Train many networks on PROJECT that differ in one thing; write one table and one figure.

    \b
    curves          error over the training steps
    learning-curve  error over the number of training frames
    parts           one network for all bodyparts against one for each
    backbone        networks: efficientnet-lite0, resnet-50, resnet-101, resnet-101ws
    epsilon         radius of the score-map's disc, px
    initialization  ImageNet weights against random ones
    folds           k-fold cross-validation
    videos          each video left out once

    Ctrl-C stops; the same command goes on where it stopped. More --repeats and --values can be added later.
    """  # noqa: D301
    from dlcnb import experiments

    chosen: dict[str, Any] = dict(_setting(text) for text in settings)
    if at is not None:
        chosen["keep"] = _steps(at)
    chosen |= {"steps": steps} if steps and not minutes else {"minutes": minutes or 5.0, "steps": steps}
    repeats = repeats or (5 if kind == "folds" else 3)
    compared = [v.strip() for v in values.split(",") if v.strip()] if values else None
    plan = experiments.plan(root, kind, values=compared, repeats=repeats, name=name, **chosen)
    return _run(console, plan, minutes, jobs)


def _run(console: Console, plan: Plan, minutes: float | None, jobs: int) -> Report:
    """Run what is left of an experiment, ``jobs`` trials at a time."""
    from dlcnb import experiments

    left = [trial for trial in plan.trials if not plan.is_done(trial)]
    console.note(f"{len(plan.trials)} runs in {plan.folder}, {len(left)} of them to do{_estimate(left, minutes, jobs)}")
    if left and (kept := experiments.disk_mb(plan)) > _WORTH_TELLING:
        console.note(f"their snapshots will take about {kept / 1000:.1f} GB{_free(plan)}")
    last: Progress | None = None
    with closing(experiments.run(plan, processes=jobs)) as steps_done:
        for last in steps_done:
            console.progress(
                last.share, f"run {min(last.done + 1, last.total)} of {last.total}: {', '.join(last.running)}"
            )
            if last.finished:
                name = last.finished
                console.note(f"warning: {name}: {last.failed[name]}" if name in last.failed else f"{name} is done")
                experiments.write_results(plan)
    return _report(plan, last.failed if last else {})


def _estimate(left: Sequence[Any], minutes: float | None, jobs: int) -> str:
    if not left or not minutes:
        return ""
    return f"; about {clock(60 * minutes * -(-len(left) // jobs))}"


def _free(plan: Plan) -> str:
    """How much room there is, in words."""
    import shutil

    return f" of the {shutil.disk_usage(plan.folder).free / 1e9:,.0f} GB that are free"


def _report(plan: Plan, failed: Mapping[str, str]) -> Report:
    from dlcnb import experiments
    from dlcnb.experiments.results import summary
    from dlcnb.plots.experiments import from_random

    found, path, picture = experiments.write_results(plan)
    lines = summary(found)
    poor = from_random(found)
    sets = [name for name in ("train", "test", "shared") if any(name in line for line in lines)]
    rows = [(plan.kind, "frames", "runs", *(f"{name} px" for name in sets))]
    rows += [
        (
            f"{s['condition']}{' *' * (s['condition'] in poor)}",
            f"{s['trained_frames']:.0f}",
            s["repeats"],
            *(str(s.get(name, "-")) for name in sets),
        )
        for s in lines
    ]
    text = f"{table(rows)}\n\n"
    if poor:
        text += (
            "* began from random weights, because ImageNet's were not available. These errors say little about "
            f"{', '.join(poor)}.\n\n"
        )
    text += f"Table: {path}" + (f"\nFigure: {picture}" if picture else "")
    data = {
        "experiment": plan.kind,
        "folder": plan.folder,
        "table": path,
        "figure": picture,
        "summary": lines,
        "from_random": poor,
    }
    problem = None
    if failed:
        name, message = next(iter(failed.items()))
        problem = f"{len(failed)} of {len(plan.trials)} runs failed; {name}: {message}"
    return Report({**data, "failed": failed}, text, problem)


def _steps(text: str) -> list[int] | str:
    """Steps of "100,500", or the word "curve"."""
    words = [word.strip() for word in text.split(",") if word.strip()]
    if words == ["curve"]:
        return "curve"
    if not words or not all(word.isdigit() and int(word) for word in words):
        raise click.BadParameter(f"{text!r}: expected steps, such as 100,500,1000, or curve.", param_hint="--at")
    return sorted({int(word) for word in words})


def _setting(text: str) -> tuple[str, Any]:
    """("name", value) of "name=value"; the value is read as JSON where it can be."""
    name, equals, value = text.partition("=")
    if not equals:
        raise click.BadParameter(f"{text!r}: expected NAME=VALUE, such as batch_size=4.", param_hint="--set")
    try:
        return name.strip().replace("-", "_"), json.loads(value)
    except ValueError:
        return name.strip().replace("-", "_"), value
