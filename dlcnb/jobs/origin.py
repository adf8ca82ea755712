"""Which network a table of poses is from: by the note beside it, or else by its name."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dlcnb.files import StrPath, read_json
from dlcnb.jobs.starting import iteration_of
from dlcnb.project import ProjectError, run_info
from dlcnb.project.names import network_word
from dlcnb.run import Run

if TYPE_CHECKING:
    from dlcnb.project import Project

__all__ = ["Origin", "made_by"]

_SCORER = re.compile(r"DLC_(?P<network>[^_]+)_(?P<task_date>.+)shuffle(?P<shuffle>\d+)_snapshot_(?P<step>\d+)")


@dataclass(frozen=True)
class Origin:
    """A network that made poses.

    Attributes
    ----------
    scorer : str
        Its name, as tables have it.
    run : Run or None
        Of the project; None where no run of it, or more than one, can have made them.
    step : int or None
        Of the snapshot; known where the run is.
    """

    scorer: str
    run: Run | None = None
    step: int | None = None

    def __str__(self) -> str:
        if self.run is None:
            return f"the network {self.scorer}"
        return f"the network of shuffle {self.run.shuffle} of iteration {iteration_of(self.run)} (step {self.step})"


def made_by(project: Project, table: StrPath, scorer: str = "") -> tuple[Origin, ...]:
    """The networks that a table of poses is from: one, or each of an ensemble; nothing but small files is read.

    Parameters
    ----------
    project : Project
    table : of poses, not filtered.
    scorer : as the table has it; by default as its name has it.
    """
    table = Path(table)
    key = _note(table)
    listed = key.get("ensemble")
    members = [one for one in listed if isinstance(one, Mapping)] if isinstance(listed, list) else []
    runs = [Run(run) for iteration in range(project.iteration + 1) for run in project.runs(iteration)]
    name = scorer or table.stem[max(table.stem.rfind("DLC_"), 0) :]
    return tuple(_origin(runs, str(one.get("scorer") or name), one.get("weights")) for one in members or [key])


def _note(table: Path) -> Mapping[str, Any]:
    """What dlcnb noted of an analysis; empty where it noted nothing, or that is damaged."""
    try:
        key = read_json(table.with_name(f"{table.stem}_meta.json"))["key"]
    except (OSError, KeyError, TypeError, ValueError):
        return {}
    return key if isinstance(key, dict) else {}


def _origin(runs: Iterable[Run], scorer: str, weights: object) -> Origin:
    """The run whose snapshot has these weights (a checksum); else the only one that can have had it, by its name."""
    match = _SCORER.match(scorer)
    if match is None:
        return Origin(scorer)
    step = int(match["step"])
    named = [run for run in runs if _is_named(run, match)]
    if same := [run for run in named if weights and _checksum(run, step) == weights]:
        return Origin(scorer, same[-1], step)
    able = [run for run in named if max(run.steps, default=0) >= step and not (weights and _checksum(run, step))]
    there = [run for run in able if step in run.steps] or able
    return Origin(scorer, there[0], step) if len(there) == 1 else Origin(scorer)


def _is_named(run: Run, scorer: re.Match[str]) -> bool:
    info = run_info(run.folder)
    if (info["task_date"], info["shuffle"]) != (scorer["task_date"], int(scorer["shuffle"])):
        return False
    try:
        backbone = str(run.settings.get("backbone") or "")
    except ProjectError:
        return False
    return network_word(backbone) == scorer["network"]


def _checksum(run: Run, step: int) -> str:
    """Of a snapshot's weights, as its run noted it; empty where they are gone or it is not known."""
    with suppress(OSError, KeyError, TypeError, ValueError):
        return str(read_json(run.record(step))["sha256"])
    return ""
