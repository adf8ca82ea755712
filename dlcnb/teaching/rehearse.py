"""``python -m dlcnb.teaching.rehearse``: a class of simulated students on this machine, before the real one comes."""

from __future__ import annotations

import json
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from dlcnb.machine.processors import core_count
from dlcnb.teaching.lesson import Lesson
from dlcnb.teaching.rehearsal import Report, Stage, rehearse

__all__ = ["main"]

CORES_EACH = 2  # of a training, as deploy/tljh.md has it


@click.command()
@click.option("--students", type=click.IntRange(3), default=30, show_default=True)
@click.option("--minutes", type=click.FloatRange(0), default=3.0, show_default=True, help="Training of each; 0 = none.")
@click.option("--steps", type=click.IntRange(1), help="Training steps of each, instead of minutes.")
@click.option("--at-once", type=click.IntRange(1), help="How many train at the same time.  [default: one for 2 cores]")
@click.option("--lesson", default="rehearsal", show_default=True)
@click.option("--folder", type=click.Path(file_okay=False), help="Keep the students' folders in this one, a new one.")
@click.option("--small", is_flag=True, help="Videos a quarter of the size, to try this command.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def main(
    students: int, minutes: float, steps: int | None, at_once: int | None, lesson: str, folder: str | None,
    small: bool, as_json: bool,
) -> None:  # fmt: skip
    """Let simulated STUDENTS go through the plan of 90 minutes on this machine; tells time, memory and what was lost.

    Each is a process of its own with a home of its own. They label with scattered hands; some are late, some exchange
    ears, two have one name, and one file arrives half. Ends with 1 if anything was lost or the board is wrong.
    """
    budget = {"steps": steps} if steps else {"minutes": minutes} if minutes else None
    with tempfile.TemporaryDirectory(prefix="dlcnb-rehearsal-") as scratch:
        place = Path(folder).absolute() if folder else Path(scratch) / "class"
        if place.exists():
            raise click.ClickException(f"{place} is there already: expected a new folder; give another one.")
        turns = at_once or max(1, core_count() // CORES_EACH)
        stages: list[Stage] = []
        made = Lesson(lesson, size=(240, 320)) if small else Lesson(lesson)
        for record in rehearse(place, made, students, at_once=turns, train=budget):
            if isinstance(record, Report):
                report = record
            else:
                stages.append(record)
                if not as_json:
                    click.echo(_line(record))
    click.echo(json.dumps(_plain(stages, report)) if as_json else _text(report))
    raise SystemExit(bool(report.lost or report.mistakes))


def _line(stage: Stage) -> str:
    words = f"{stage.name:10} {stage.students:3} students {stage.seconds:8.1f} s"
    words += f"   longest wait {stage.waited:7.1f} s, longest work {stage.worked:7.1f} s"
    return "\n".join([words, *(f"  failed: {line}" for line in stage.failed)])


def _text(report: Report) -> str:
    lines = [
        f"{report.students} students in {report.seconds / 60:.1f} minutes, {report.at_once} training at a time",
        f"memory: {report.peak_mb:.0f} MB at most, {report.seat_mb:.0f} MB for one student",
        f"lost: {report.lost} points; mistakes of the board: {len(report.mistakes)}",
        *report.mistakes,
    ]
    if report.network_px:
        best, worst = report.network_px[0], report.network_px[-1]
        lines.append(f"networks: {best:.1f} to {worst:.1f} px on the hidden frames")
    return "\n".join([*lines, *(f"the board says: {line}" for line in dict.fromkeys(report.problems))])


def _plain(stages: list[Stage], report: Report) -> dict[str, Any]:
    return {**asdict(report), "stages": [asdict(stage) for stage in stages], "cores": core_count()}


if __name__ == "__main__":
    main()
