"""``dlcnb demo``: the whole road on sample data, in one command."""

from __future__ import annotations

import shutil
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from dlcnb.cli.analysis import describe_analysis
from dlcnb.cli.console import Report, choice_option, clock, command
from dlcnb.cli.jobs import counted, run_job
from dlcnb.cli.results import label, plot_one
from dlcnb.cli.work import TrainingLine, evaluation_text
from dlcnb.files import quoted

if TYPE_CHECKING:
    from dlcnb.cli.console import Console
    from dlcnb.project import Project

__all__ = ["demo"]

_MINUTES = {"synthetic": 3.0, "openfield": 5.0}


@command("demo", "Do everything once on sample data.")
@choice_option(
    "--data",
    ["synthetic", "openfield"],
    help="synthetic: an arena drawn here. openfield: DeepLabCut's mouse (29 MB, fetched unless in DLCNB_DATA).",
)
@click.option(
    "--out",
    type=click.Path(file_okay=False),
    default="dlcnb-demo",
    show_default=True,
    help="A new folder for everything.",
)
@click.option("--minutes", type=click.FloatRange(0, min_open=True), help="Training time.  [default: 3, openfield 5]")
@click.option("--steps", type=click.IntRange(1), help="Training steps, instead of minutes.")
@click.option(
    "--train-fraction",
    type=click.FloatRange(0, 1, min_open=True),
    default=0.8,
    show_default=True,
    help="Share of the frames to train on.",
)
@click.option("--split-seed", type=int, default=0, show_default=True, help="Seed of the split into train and test.")
def demo(
    console: Console,
    data: str,
    out: str,
    minutes: float | None,
    steps: int | None,
    train_fraction: float | None,
    split_seed: int,
) -> Report:
    """Do everything once on sample data: project, labels, training, evaluation, analysis, plots, labeled video.

    Nothing is overwritten: if the folder is not empty, a new one with a number is made.
    """
    from dlcnb import sampledata
    from dlcnb.jobs.worker import peak_rss_mb

    began = time.monotonic()
    peaks: list[float] = []
    folder = _fresh_folder(Path(out).absolute())
    console.note(f"1/5  Making a project with {data} data in {folder}")
    make = sampledata.openfield if data == "openfield" else sampledata.synthetic_project
    with console.waiting("fetching the data" if data == "openfield" else "drawing the video"):
        project = make(folder)
    settings: dict[str, Any] = {"train_fraction": train_fraction, "split_seed": split_seed}
    settings |= {"steps": steps} if steps and not minutes else {"minutes": minutes or _MINUTES[data], "steps": steps}
    _train(console, project, settings, peaks)
    evaluation = _evaluate(console, project, peaks)
    video = project.videos[0]
    analysis = _analyze(console, project, video, peaks)
    console.note("5/5  Plotting the trajectories and drawing the labeled video")
    poses = Path(analysis["videos"][0]["output"])
    with console.waiting("plotting"):
        plots = plot_one(project, video, poses, project.pcutoff)
    labeled = label(console, project, video, poses, project.pcutoff, trail=15)
    numbers = {"seconds": time.monotonic() - began, "peak_rss_mb": peak_rss_mb() + max(peaks)}
    report = {name: value for name, value in evaluation.items() if name not in ("folder", "peak_rss_mb")}
    files = {"labeled_video": labeled["output"], "plots": plots}
    found = {"project": project.root, "evaluate": report, "analyze": {"videos": analysis["videos"]}, **numbers, **files}
    return Report(found, _text(project, evaluation, analysis, files, numbers))


def _fresh_folder(wanted: Path) -> Path:
    """``wanted`` if it is not there yet or empty, else the first free of ``wanted-2``, ``wanted-3`` ..."""
    folder, number = wanted, 1
    while folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        number += 1
        folder = wanted.with_name(f"{wanted.name}-{number}")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _train(console: Console, project: Project, settings: dict[str, Any], peaks: list[float]) -> None:
    from dlcnb import jobs

    job = jobs.start("train", project, config=settings)
    budget = f"{settings['minutes']:g} minutes" if settings.get("minutes") else f"{settings['steps']} steps"
    console.note(f"2/5  Training for {budget} in {job.folder}")
    result = run_job(console, job, TrainingLine())
    peaks.append(result["peak_rss_mb"])
    console.note(f"     {result['steps']} steps in {clock(result['seconds'])}")


def _evaluate(console: Console, project: Project, peaks: list[float]) -> dict[str, Any]:
    from dlcnb import jobs

    console.note("3/5  Evaluating")
    result = run_job(console, jobs.start("evaluate", project), counted("evaluating"))
    peaks.append(result["peak_rss_mb"])
    return result


def _analyze(console: Console, project: Project, video: Path, peaks: list[float]) -> dict[str, Any]:
    from dlcnb import jobs

    console.note(f"4/5  Analyzing {video.name}")
    result = run_job(console, jobs.start("analyze", project, videos=[video]), describe_analysis)
    peaks.append(result["peak_rss_mb"])
    return result


def _text(
    project: Project,
    evaluation: dict[str, Any],
    analysis: dict[str, Any],
    files: Any,
    numbers: dict[str, Any],
) -> str:
    one = analysis["videos"][0]
    program = "dlcnb" if shutil.which("dlcnb") else quoted(Path(sys.executable).with_name("dlcnb"))
    return "\n".join(
        [
            "",
            evaluation_text(evaluation),
            "",
            f"Analyzed       {one['frames']} frames at {one['fps']:.1f} frames/s",
            f"Poses          {one['output']}",
            f"Labeled video  {files['labeled_video']}",
            *(f"Plot           {path}" for path in files["plots"]),
            f"Project        {project.root}",
            "",
            f"Done in {clock(numbers['seconds'])} with at most {numbers['peak_rss_mb']:.0f} MB of memory.",
            *_too_short(project.root, evaluation, program),
            f"The same as a notebook: {program} lab",
        ]
    )


def _too_short(root: Path, evaluation: dict[str, Any], program: str) -> list[str]:
    """A line on a network that is of little use, as it is on a slow or busy computer, and the cure; or none."""
    level = evaluation["verdict"]["level"]
    if level not in ("useless", "poor"):
        return []
    return [
        f"The network is {level}: on this computer, now, its time was enough for {evaluation['step']} steps. "
        f"Give it more: {program} train {quoted(root)} --minutes 10"
    ]
