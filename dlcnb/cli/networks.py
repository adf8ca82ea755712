"""Which network, or networks, a command uses, by shuffle or by experiment."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from dlcnb.cli.settings import checked_device

if TYPE_CHECKING:
    from dlcnb.cli.console import Console
    from dlcnb.project import Project

__all__ = [
    "device_option",
    "network_of",
    "networks_of",
    "pick_run",
    "raw_likelihood_option",
    "shuffle_option",
    "snapshot_of",
]

raw_likelihood_option = click.option(
    "--raw-likelihood", is_flag=True, help="The network's own likelihood, not calibrated on validation frames."
)
shuffle_option = click.option("--shuffle", type=int, help="Number of the run.  [default: the last]")
device_option = click.option(
    "--device", default="auto", show_default=True, callback=checked_device, help="auto, cpu, gpu(0) ..."
)


def pick_run(project: Project, shuffle: int | None, *, earlier: bool = True) -> Path:
    """The run with that shuffle, or the last one; raises ValueError if there is none.

    With ``earlier``, a shuffle that this iteration has not is looked for in those before, the newest first.
    """
    from dlcnb.project import run_info

    if shuffle is None:
        return project.last_run()
    iterations = range(0 if earlier else project.iteration, project.iteration + 1)
    runs = {run_info(run)["shuffle"]: run for n in iterations for run in project.runs(n)}
    if shuffle not in runs:
        known = ", ".join(map(str, runs)) or "none"
        raise ValueError(f"{project.root} has no run with shuffle {shuffle}. There are: {known}.")
    return runs[shuffle]


def network_of(console: Console, project: Project, shuffle: int | None, snapshot: str) -> Path:
    """The run to use, which is told; and if it is the last one, but unfinished, which earlier one is finished."""
    from dlcnb import jobs
    from dlcnb.run import Run

    run = Run(pick_run(project, shuffle))
    if snapshot != "all":
        run.find(snapshot_of(snapshot))  # at once, not only in the worker
    best = run.best if snapshot == "best" else None
    step = f" (step {best['step']})" if best else ""
    console.note(f"Network: shuffle {run.shuffle}, snapshot {snapshot}{step}, of {run.folder}")
    if shuffle is None and (problem := jobs.unfinished(run)):
        done = (r for r in map(Run, reversed(project.runs())) if r.steps and not jobs.unfinished(r))
        if earlier := next(done, None):
            number = earlier.shuffle
            console.note(f"note: this run {problem}; shuffle {number} was trained to its end: --shuffle {number}")
    return run.folder


def networks_of(
    console: Console, project: Project, shuffle: int | None, snapshot: str, several: str | None
) -> dict[str, Any]:
    """The options that say which network, or networks, analyze."""
    if several is None:
        return {"run": network_of(console, project, shuffle, snapshot)}
    from dlcnb.experiments import networks

    if shuffle is not None:
        raise click.UsageError("--shuffle names one network, --ensemble several: give one of them.")
    numbers = several.replace(",", " ").split()
    chosen = all(word.isdigit() for word in numbers)
    runs = [pick_run(project, int(n)) for n in numbers] if chosen else networks(project, several)
    console.note(f"Networks: {len(runs)}, snapshot {snapshot}, of {', '.join(run.parent.name for run in runs)}")
    return {"ensemble": runs}


def snapshot_of(text: str) -> str | int:
    """Which snapshot ``--snapshot`` names: a step, or "best" or "last"."""
    return int(text) if text.isdigit() else text
