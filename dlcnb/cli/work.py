"""Commands that run the network, each as a job in a process of its own: train, evaluate, analyze."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click

from dlcnb.cli.console import (
    LocalPath,
    Report,
    clock,
    command,
    counted,
    project_argument,
    run_job,
    table,
    videos_argument,
)
from dlcnb.cli.networks import network_of, networks_of, pick_run
from dlcnb.cli.results import crop_of, video_path
from dlcnb.cli.settings import SettingsCommand, checked_device, given, read_settings
from dlcnb.files import quoted

if TYPE_CHECKING:
    from dlcnb.cli.console import Console
    from dlcnb.evaluate import Evaluation
    from dlcnb.project import Project

__all__ = ["analyze", "describe_analysis", "describe_training", "evaluate", "evaluation_text", "train"]

_raw_likelihood = click.option(
    "--raw-likelihood", is_flag=True, help="The network's own likelihood, not calibrated on validation frames."
)
_shuffle = click.option("--shuffle", type=int, help="Number of the run.  [default: the last]")


_device = click.option(
    "--device", default="auto", show_default=True, callback=checked_device, help="auto, cpu, gpu(0) ..."
)


@command("train", "Train a network on the labels.", cls=SettingsCommand)
@project_argument
@click.option(
    "--preset",
    type=click.Choice(["quick", "workshop", "paper"]),
    help="quick: 10 minutes. workshop: 3. paper: ResNet-50, whole frames, 500,000 steps, for a GPU.",
)
@click.option(
    "--config", "file", type=LocalPath(exists=True, dir_okay=False), help="YAML file of settings; options overrule it."
)
@click.option("--join", is_flag=True, help="Help a training that another machine leads (--kvstore dist_sync).")
@click.option("--resume", is_flag=True, help="Go on with a run from its last snapshot.")
@_shuffle
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
    run = pick_run(project, shuffle) if resume else None
    job = jobs.start("train", project, run=run, resume=resume, preset=preset, config=settings)
    console.note(f"Training in {job.folder}")
    result = run_job(console, job, describe_training)
    text = f"{_trained(result)}\nRun: {result['run']}\nNext: dlcnb evaluate {quoted(project.root)}"
    return Report({name: result[name] for name in ("run", "steps", "seconds", "best", "peak_rss_mb")}, text)


def _trained(result: dict[str, Any]) -> str:
    best = result["best"] or {}
    error = best.get("val_mean_px")
    seen = "" if error is None else f", {error:.2f} px on the frames held out for validation"
    return (
        f"Trained {result['steps']} steps in {clock(result['seconds'])}; best snapshot: step {best.get('step')}{seen}"
    )


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
    from dlcnb.project import nearest, video_stem

    names, stem = [folder.name for folder in project.labeled_dirs()], video_stem(video)
    if stem not in names:
        known = ", ".join(names) or "none"
        raise click.BadParameter(
            f"No labeled frames of {stem}{nearest(stem, names) or '.'} Videos with labeled frames: {known}.",
            param_hint="--leave-out",
        )
    return stem


def _join(project: str, others: Any) -> Report:
    from dlcnb import jobs

    if others:
        raise click.UsageError("--join takes no other settings: the machine that leads has them.")
    run = jobs.join(project)
    return Report({"run": run, "joined": True}, f"Helped to train {run}")


@command("evaluate", "Errors of a network on the labels.")
@project_argument
@click.option("--snapshot", default="best", show_default=True, help="best, last, all, or a step.")
@click.option("--plots", is_flag=True, help="Draw errors, PCK, calibration and differences beside the tables.")
@_raw_likelihood
@_shuffle
@_device
def evaluate(console: Console, root: str, snapshot: str, plots: bool, **options: Any) -> Report:
    """Errors of a network on PROJECT's labels: train and test, per bodypart, with and without the pcutoff."""
    from dlcnb import jobs
    from dlcnb.project import Project

    project = Project.open(root)
    run = network_of(console, project, options.pop("shuffle"), snapshot)
    job = jobs.start("evaluate", project, run=run, snapshot=_snapshot(snapshot), **options)
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


@command("analyze", "Find the bodyparts in videos.")
@project_argument
@videos_argument
@click.option(
    "--engine",
    type=click.Choice(["auto", "fp32", "int8", "openvino", "onnx"]),
    default="auto",
    show_default=True,
    help="auto: the fastest whose error is within 0.1 px of fp32's, measured once for each snapshot. int8: about twice "
    "as fast as fp32 on a CPU. openvino (if installed): about as fast. onnx (if installed): also on NVIDIA cards that "
    "MXNet can't use.",
)
@click.option("--batch", type=click.IntRange(1), default=8, show_default=True, help="Frames per pass.")
@click.option(
    "--dynamic/--no-dynamic",
    default=None,
    help="Follow the animal with a crop, several times as fast.  [default: where the animal is small in the frame, and "
    "the error on labeled frames is within 0.1 px of that in whole frames]",
)
@click.option(
    "--dynamic-threshold",
    type=click.FloatRange(0, 1, min_open=True),
    help="With --dynamic: likelihood from which a bodypart is found.  [default: 0.5]",
)
@click.option(
    "--dynamic-margin", type=click.FloatRange(0), help="With --dynamic: px around the bodyparts.  [default: 10]"
)
@click.option("--crop", help="Look at this part of the frames only: x1,x2,y1,y2 in px.  [default: that of config.yaml]")
@click.option("--whole", is_flag=True, help="Look at whole frames, whatever config.yaml crops.")
@click.option("--animals", type=click.IntRange(2), help="Up to so many animals, in a table for several (_el).")
@click.option(
    "--ensemble",
    metavar="NAMES",
    help="The median of several networks: of an experiment (folds, or learning-curve/0.8), or of shuffles 1,2,3. How "
    "far they lie apart goes beside the table.",
)
@_raw_likelihood
@click.option("--score-maps", help="Keep the score-maps of these frames (10,20,...) beside the tables.")
@click.option("--snapshot", default="best", show_default=True, help="best, last, or a step.")
@click.option("--out", type=click.Path(file_okay=False), help="Folder for the tables.  [default: beside each video]")
@click.option("--again", is_flag=True, help="Also predict what is there already.")
@click.option("--scheduler", help="Address of a Dask scheduler (tcp://host:8786) whose workers do it.")
@_shuffle
@_device
def analyze(
    console: Console,
    root: str,
    videos: tuple[str, ...],
    snapshot: str,
    out: str | None,
    shuffle: int | None,
    recursive: bool,
    **more: Any,
) -> Report:
    """Find the bodyparts in every frame of VIDEOS, or folders of them, with PROJECT's network.

    Poses become h5 and csv tables. Started again after a crash or a stop, it goes on where it was. A video whose tables
    are up to date is left alone.
    """
    from dlcnb import jobs
    from dlcnb.project import Project, find_videos

    project = Project.open(root)
    files = find_videos(videos, recursive=recursive)
    paths = [video_path(project, video) for video in files]  # all are looked for before any is analyzed
    options = {
        "snapshot": _snapshot(snapshot),
        "folder": out and Path(out).absolute(),
        "dynamic": _dynamic(more.pop("dynamic"), more.pop("dynamic_threshold"), more.pop("dynamic_margin")),
        "crop": _crop(more.pop("crop"), more.pop("whole")),
        "score_maps": _frame_numbers(more.pop("score_maps")),
        **more,
    }
    options |= networks_of(console, project, shuffle, snapshot, more["ensemble"])
    job = jobs.start("analyze", project, videos=paths, **options)
    result = run_job(console, job, describe_analysis)
    rows = [("video", "frames", "frames/s", "output")]
    rows += [(Path(v["video"]).name, v["frames"], f"{v['fps']:.1f}", v["output"]) for v in result["videos"]]
    text = "\n".join([table(rows), *filter(None, map(_remark, result["videos"]))])
    failed, problem = result["failed"], None
    if failed:
        told = "; ".join(f["message"] for f in failed)
        problem = f"{len(failed)} of {len(paths)} videos could not be analyzed: {told}"
    data = {"videos": result["videos"], **({"failed": failed} if failed else {})}
    return Report(data, text, problem)


def _dynamic(
    wanted: bool | None, threshold: float | None, margin: float | None
) -> tuple[float, float] | Literal["auto"] | None:
    """(threshold, margin) of dynamic cropping; None = whole frames, "auto" = what the job finds best."""
    if wanted:
        return 0.5 if threshold is None else threshold, 10.0 if margin is None else margin
    if threshold is not None or margin is not None:
        raise click.UsageError("--dynamic-threshold and --dynamic-margin go with --dynamic.")
    return "auto" if wanted is None else None


def _crop(text: str | None, whole: bool) -> tuple[int, ...] | Literal["whole"] | None:
    """(x1, x2, y1, y2); None = what config.yaml says."""
    if whole and text is not None:
        raise click.UsageError("--crop and --whole exclude each other.")
    return "whole" if whole else crop_of(text)


def _frame_numbers(text: str | None) -> list[int] | None:
    """Numbers of frames from a text such as "10,20", or None."""
    if text is None:
        return None
    if not all(word.strip().isdigit() for word in text.split(",")):
        raise click.UsageError(f"--score-maps {text}: expected numbers of frames, such as 10,20.")
    return [int(word) for word in text.split(",")]


def _remark(video: dict[str, Any]) -> str | None:
    """What is worth telling of one analyzed video: frames found before, damaged frames."""
    name, damaged, reused = Path(video["video"]).name, video["damaged"], video["reused"]
    words = []
    if reused == video["frames"]:
        words.append("was analyzed before (--again does it anew)")
    elif reused:
        words.append(f"{reused} frames were there already")
    if video["replaced"]:
        words.append(f"replaced an earlier result ({video['replaced']}); --out keeps both")
    if video["crop"]:
        words.append("only x {} to {}, y {} to {} was looked at (--whole takes all)".format(*video["crop"]))
    if video.get("followed"):
        words.append(f"{video['followed']}; --no-dynamic takes whole frames")
    if "spread" in video:
        words.append(f"median of {video['networks']} networks, their spread in {video['spread']}")
    if "score_maps" in video:
        words.append(f"score-maps in {video['score_maps']}")
    if damaged:
        some = ", ".join(map(str, damaged[:10])) + (" ..." if len(damaged) > 10 else "")
        words.append(f"{len(damaged)} damaged frames have empty rows: {some}")
    return f"{name}: {'; '.join(words)}." if words else None


def describe_training(event: dict[str, Any]) -> tuple[float, str] | None:
    """Progress of a "step" event."""
    if event["event"] != "step":
        return None
    words = [f"step {event['step']}"]
    if event.get("loss") is not None:
        words.append(f"loss {event['loss']:.4f}")
    best = event.get("best") or {}
    if best.get("val_mean_px") is not None:
        words.append(f"best {best['val_mean_px']:.2f} px")
    words.append(f"{clock(event.get('seconds_left'))} left")
    return event["progress"], ", ".join(words)


def describe_analysis(event: dict[str, Any]) -> tuple[float, str]:
    """Progress of a "progress" event of an analysis."""
    left = f", {clock(event['seconds_left'])} left" if event.get("seconds_left") is not None else ""
    return event["done"] / max(
        event["total"], 1
    ), f"{Path(event['video']).name}: frame {event['done']} of {event['total']}{left}"


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


def _snapshot(text: str) -> str | int:
    return int(text) if text.isdigit() else text
