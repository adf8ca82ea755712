"""``dlcnb class``: a student's project, a state to go on from, handing in, and the standings."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from dlcnb.cli.analysis import describe_analysis
from dlcnb.cli.console import LocalPath, Report, command, main, project_argument, table
from dlcnb.cli.jobs import run_job
from dlcnb.cli.work import TrainingLine

if TYPE_CHECKING:
    from dlcnb.cli.console import Console
    from dlcnb.project import Project
    from dlcnb.teaching import Standing

__all__ = ["lessons"]

FOLDER = click.argument("folder", default=".", type=click.Path(file_okay=False))


@main.group("class", short_help="A lesson for a class: start, catch up, hand in, standings.")
def lessons() -> None:
    """A class that labels the same ten frames: each student starts LESSON, catches up if late, and hands in."""


@command("start", "Make a student's project of a lesson.", group=lessons)
@click.argument("lesson")
@click.argument("student")
@FOLDER
def start(console: Console, lesson: str, student: str, folder: str) -> Report:
    """Make STUDENT's project of LESSON in FOLDER, or open it again; equal names of LESSON give equal frames.

    The lesson's notebook is written beside it, with the names filled in, unless it exists already.
    """
    from dlcnb.teaching import Lesson, write_notebook

    made = Lesson(lesson)
    project = made.start(folder, student)
    notebook = write_notebook(project.root.parent, made, student)
    others = made.others(project)
    text = f"{project.root}\nNext: open {notebook} in Jupyter (`dlcnb lab`), and go through it from the top."
    if others:
        text += f"\n'{made.name}' has other frames than {student}'s other lessons here: {', '.join(others)}."
    return Report({"project": project.root, "notebook": notebook, "other_lessons": others}, text)


@command("stage", "Prepare a state to go on from.", group=lessons)
@click.argument("number", metavar="N", type=click.IntRange(1, 3))
@click.argument("lesson")
@click.argument("student")
@FOLDER
@click.option(
    "--minutes",
    type=click.FloatRange(0, min_open=True),
    default=3.0,
    show_default=True,
    help="Training time if there is no network yet.",
)
@click.option("--steps", type=click.IntRange(1), help="Training steps, instead of minutes.")
def stage(console: Console, number: int, lesson: str, student: str, folder: str, **budget: Any) -> Report:
    """Bring STUDENT's project to stage N: 1 = labels done, 2 = network trained, 3 = video analyzed.

    What the student has done is kept; only what is missing is added, even the project and its notebook. Added labels
    are the true places; the board leaves them out.
    """
    from dlcnb.teaching import Lesson, fill_labels, write_notebook

    made = Lesson(lesson)
    project = made.start(folder, student)
    notebook = write_notebook(project.root.parent, made, student)
    done = [f"{fill_labels(made, project)} points added to the labels"]
    if number > 1:
        done.append(_train(console, project, budget))
    if number > 2:
        done.append(_analyze(console, project))
    data = {"project": project.root, "notebook": notebook, "stage": number, "done": done}
    return Report(data, f"{project.root}: {'; '.join(done)}.")


@command("hand-in", "Write a student's file for the board.", group=lessons)
@project_argument
@click.option("--to", "target", required=True, type=click.Path(file_okay=False), help="The class's folder.")
def hand_in(console: Console, root: str, target: str) -> Report:
    """Write PROJECT's labels, points and network's answers into the class's folder, in place of an earlier hand-in."""
    from dlcnb.project import Project

    project = Project.open(root)
    folder = Path(target).absolute()
    one = _lesson_of(project).hand_in(project)
    folder.mkdir(parents=True, exist_ok=True)
    path = one.write(folder)
    return Report({"file": path}, str(path))


@command("board", "Print the standings of a class.", group=lessons)
@click.argument("folder", type=LocalPath(exists=True, file_okay=False))
@click.argument("lesson")
def board(console: Console, folder: str, lesson: str) -> Report:
    """Print who has handed in what for LESSON in FOLDER, how far the class agrees, and what to look at again.

    Files that do not count are named and kept.
    """
    from dlcnb.teaching import Board, Lesson, gather

    made = Lesson(lesson)
    found, problems = gather(folder)
    at = Board(made.name, made.bodyparts, made.images, found, made.hidden)
    problems = [*problems, *at.problems]
    standings = at.standings()
    data = {"standings": [_plain(one) for one in standings], "problems": problems}
    data["spread"] = {part: _or_none(px) for part, px in at.spread.items()}
    return Report(data, "\n".join([_text(standings), *problems]))


def _train(console: Console, project: Project, budget: dict[str, Any]) -> str:
    """Train unless a network is there."""
    from dlcnb.teaching import start_training

    job = start_training(project, **{key: value for key, value in budget.items() if value})
    if job is None:
        return "a trained network is there"
    return f"a network trained in {run_job(console, job, TrainingLine())['steps']} steps"


def _analyze(console: Console, project: Project) -> str:
    """Analyze the lesson's video unless that is done."""
    from dlcnb.teaching import start_analysis

    job = start_analysis(project)
    if job is None:
        return "poses are there"
    run_job(console, job, describe_analysis)
    return "the video analyzed"


def _lesson_of(project: Project) -> Any:
    """The lesson that a student's project says it is of."""
    from dlcnb.files import read_text
    from dlcnb.teaching import ClassError, Lesson
    from dlcnb.teaching.lesson import FILE

    try:
        return Lesson(json.loads(read_text(project.root / FILE))["lesson"])
    except (FileNotFoundError, ValueError, KeyError, TypeError, RecursionError):
        raise ClassError(
            f"{project.root}: expected a project of a lesson, found another; `dlcnb class start` makes one"
        ) from None


def _plain(one: Standing) -> dict[str, Any]:
    numbers = {"apart_px": _or_none(one.apart_px), "network_px": _or_none(one.network_px)}
    counts = {"labeled": one.labeled, "given": one.given, "points": one.score}
    return {"student": one.student, **counts, "advice": list(one.advice), **numbers}


def _or_none(value: float) -> float | None:
    return value if value == value else None


def _text(standings: list[Standing]) -> str:
    if not standings:
        return "Nobody has handed in yet."
    heads = ("student", "labeled", "apart px", "points", "network px")
    rows = [(s.student, s.labeled, _px(s.apart_px), f"{s.score:g}", _px(s.network_px)) for s in standings]
    advice = [f"{one.student}: {words}." for one in standings for words in one.advice]
    given = [f"{s.student}: {s.given} points were placed by a stage and don't count." for s in standings if s.given]
    return "\n".join([table([heads, *rows]), *advice, *given])


def _px(value: float) -> str:
    return f"{value:.1f}" if value == value else "–"
