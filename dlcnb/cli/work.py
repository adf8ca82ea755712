"""Commands that make and judge a network, each as a job in a process of its own: train, evaluate."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from dlcnb.cli.console import (
    LocalPath,
    Report,
    clock,
    command,
    project_argument,
    table,
)
from dlcnb.cli.jobs import counted, run_job
from dlcnb.cli.networks import device_option, network_of, pick_run, raw_likelihood_option, shuffle_option, snapshot_of
from dlcnb.cli.settings import SettingsCommand, given, read_settings
from dlcnb.files import quoted

if TYPE_CHECKING:
    from dlcnb.cli.console import Console
    from dlcnb.evaluate import Evaluation
    from dlcnb.project import Project

__all__ = ["TrainingLine", "evaluate", "evaluation_text", "train"]


@command("train", "Train a network on the labels.", cls=SettingsCommand)
@project_argument
@click.option(
    "--preset",
    type=click.Choice(["quick", "workshop", "paper"]),
    help="quick: 10 minutes. workshop: 3. paper: ResNet-50, whole frames, 500,000 steps, for a GPU.",
)
@click.option(
    "--config", "file", type=LocalPath(exists=True, dir_okay=False), help="YAML file of settings; options override it."
)
@click.option("--join", is_flag=True, help="Help a training that another machine leads (--kvstore dist_sync).")
@click.option("--resume", is_flag=True, help="Go on with a run from its last snapshot.")
@shuffle_option
def train(
    console: Console,
    root: str,
    preset: str | None,
    file: str | None,
    resume: bool,
    shuffle: int | None,
    join: bool,
    **options: Any,
) -> Report:
    """Train a network on PROJECT's labels.

    Settings whose default is "from the data" are decided from the labels. Each decision is told with its reason, and
    kept in the run's pose_cfg.yaml. Ctrl-C ends a training with a snapshot; --resume goes on.
    """
    from dlcnb import jobs
    from dlcnb.project import Project

    options = given(options)
    if join:
        return _join(root, resume or preset or file or options)
    settings = {**read_settings(file), **options}
    project = Project.open(root)
    if not resume:
        if shuffle is not None:
            raise click.UsageError("--shuffle goes with --resume; a new run takes the next free number.")
        _check_new(project, preset, settings)
        _offer(console, project, settings)
        preset = preset or "quick"
    elif preset:
        raise click.UsageError("--preset is for a new run; a resumed one keeps its settings.")
    run = pick_run(project, shuffle, earlier=False) if resume else None
    job = jobs.start("train", project, run=run, resume=resume, preset=preset, config=settings)
    console.note(f"Training in {job.folder}")
    result = run_job(console, job, TrainingLine())
    text = f"{_trained(result)}\nRun: {result['run']}\nNext: dlcnb evaluate {quoted(project.root)}"
    return Report({name: result[name] for name in ("run", "steps", "seconds", "best", "peak_rss_mb")}, text)


def _trained(result: dict[str, Any]) -> str:
    from dlcnb.evaluate import Taken
    from dlcnb.jobs import history

    taken = Taken.in_history(history(result["run"]))
    step = (result["best"] or {}).get("step")
    which = f"snapshot of step {step}" if taken is None else f"{taken}, on the frames held out for validation"
    return f"Trained {result['steps']} steps in {clock(result['seconds'])}; {which}"


def _offer(console: Console, project: Project, settings: dict[str, Any]) -> None:
    """Tell of the network of the iteration before, which a training after a merge may go on from."""
    from dlcnb.jobs.starting import LAST, WHY, iteration_of, offered

    if "start_from" not in settings and (found := offered(project)) is not None:
        before = iteration_of(found)
        console.note(f"--start-from {LAST} goes on from the network of iteration {before}: {WHY}.")


def _check_new(project: Project, preset: str | None, settings: dict[str, Any]) -> None:
    """Complete the settings of a new run; those that don't go together are wrong usage."""
    from dlcnb.trainset import WEIGHTS_SOURCES, TrainConfig

    weights = settings.get("weights")
    if weights is not None and weights not in WEIGHTS_SOURCES and not Path(weights).exists():
        raise click.BadParameter(
            f"There is no file {weights}. Give one, or {' or '.join(WEIGHTS_SOURCES)}.", param_hint="--weights"
        )
    if "leave_out" in settings:
        settings["leave_out"] = _labeled_video(project, settings["leave_out"])
        if not {"folds", "train_fraction"}.isdisjoint(settings):
            raise click.UsageError("--leave-out, --folds and --train-fraction are three ways to split: give one.")
    elif "folds" in settings and "train_fraction" in settings:
        raise click.UsageError("--folds and --train-fraction are two ways to split: give one.")
    settings.setdefault("train_fraction", project.train_fraction)
    try:
        TrainConfig.preset(preset or "quick", **settings)
    except ValueError as error:
        raise click.UsageError(str(error)) from None


def _labeled_video(project: Project, video: str) -> str:
    from dlcnb.files import alike
    from dlcnb.project import nearest, video_stem

    names, stem = [folder.name for folder in project.labeled_dirs()], video_stem(video)
    if (found := alike(stem, names)) is None:
        known = ", ".join(names) or "none"
        raise click.BadParameter(
            f"No labeled frames of {stem}{nearest(stem, names) or '.'} Videos with labeled frames: {known}.",
            param_hint="--leave-out",
        )
    return found


def _join(project: str, others: Any) -> Report:
    from dlcnb import jobs

    if others:
        raise click.UsageError("--join takes no other settings: the machine that leads has them.")
    run = jobs.join(project)
    return Report({"run": run, "joined": True}, f"Helped to train {run}")


@command("evaluate", "Measure a network's errors on the labels.")
@project_argument
@click.option("--snapshot", default="best", show_default=True, help="best, last, all, or a step.")
@click.option("--plots", is_flag=True, help="Draw errors, PCK, calibration and differences beside the tables.")
@raw_likelihood_option
@shuffle_option
@device_option
def evaluate(console: Console, root: str, snapshot: str, plots: bool, **options: Any) -> Report:
    """Measure a network's errors on PROJECT's labels: train and test, per bodypart, with and without the pcutoff.

    Frames labeled since the training are left out.
    """
    from dlcnb import jobs
    from dlcnb.project import Project

    project = Project.open(root)
    run = network_of(console, project, options.pop("shuffle"), snapshot)
    job = jobs.start("evaluate", project, run=run, snapshot=snapshot_of(snapshot), **options)
    result = run_job(console, job, counted("evaluating"))
    result |= _more(result)
    text = evaluation_text(result)
    if plots:
        result["plots"] = _plot_evaluation(project, result)
        text += "".join(f"\nPlot: {path}" for path in result["plots"])
    if "all" in result:
        rows = [("step", "train px", "test px")]
        rows += [
            (r["step"], *(f"{r[part]['mean_px'] or float('nan'):.2f}" for part in ("train", "test")))
            for r in result["all"]
        ]
        text = f"{table(rows)}\n\n{text}"
    return Report({name: value for name, value in result.items() if name != "peak_rss_mb"}, text)


class TrainingLine:
    """Tells of the "step" events of one training, in their order, how far it is: (share done 0..1, text), or None."""

    def __init__(self) -> None:
        self._checked: dict[int, float] = {}  # step -> validation error, px

    def __call__(self, event: dict[str, Any]) -> tuple[float, str] | None:
        """What to show after an event; None if it is no step."""
        from dlcnb.evaluate import Taken

        if event["event"] != "step":
            return None
        if (px := (event.get("validation") or {}).get("mean_px")) is not None:
            self._checked[event["step"]] = px
        words = [f"step {event['step']}"]
        if event.get("loss") is not None:
            words.append(f"loss {event['loss']:.4f}")
        best = event.get("best") or {}
        if best.get("val_mean_px") is not None:
            checked = [*self._checked], [*self._checked.values()]
            words.append(Taken.of(best["step"], best["val_mean_px"], *checked).brief)
        words.append(f"{clock(event.get('seconds_left'))} left")
        return event["progress"], ", ".join(words)


def evaluation_text(result: dict[str, Any]) -> str:
    """The table of errors of an evaluation and what else it found, from the result of its job."""
    from dlcnb.evaluate import details_text

    table = _evaluation(result).table()
    return f"{table}\n{details_text(_details(result))}\nFiles: {result['folder']}"


def _evaluation(result: dict[str, Any]) -> Evaluation:
    from dlcnb.evaluate import Evaluation

    return Evaluation.read(Path(result["folder"]) / f"evaluation-{result['step']}.json")


def _details(result: dict[str, Any]) -> dict[str, Any]:
    return json.loads((Path(result["folder"]) / f"evaluation-{result['step']}-details.json").read_text())


def _more(result: dict[str, Any]) -> dict[str, Any]:
    """The parts of the details that fit into a report: PCK at a few distances, calibration, human variability."""
    import numpy as np

    found = _details(result)
    curve, calibration = found["pck"]["test"], found["calibration"]
    at = (
        {px: float(np.interp(px, curve["thresholds_px"], curve["share"])) for px in (2, 5, 10, 20)}
        if curve["n"]
        else {}
    )
    return {
        "test_pck": at,
        "calibration": {name: value for name, value in calibration.items() if name != "bins"},
        "human": found["human"],
    }


def _plot_evaluation(project: Project, result: dict[str, Any]) -> list[Path]:
    from dlcnb.evaluate import human_variability
    from dlcnb.plots import save_evaluation

    return save_evaluation(_evaluation(result), result["folder"], human_variability(project))
