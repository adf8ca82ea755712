"""What makes a kind of job: its work in the worker, its options, and how they are checked before it starts."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dlcnb.files import make_folder
from dlcnb.jobs.events import EventLog, plain
from dlcnb.jobs.stop import StopRequest
from dlcnb.project import nearest
from dlcnb.run import Run

if TYPE_CHECKING:
    from dlcnb.project import Project

__all__ = ["Kind", "Options", "Result", "with_run"]

Options = dict[str, Any]  # of a job, as JSON values
Result = tuple[str, dict[str, Any]]  # "done" or "stopped", and what the job leaves
Work = Callable[[dict[str, Any], EventLog, StopRequest], Result]


def with_run(project: Project, options: Mapping[str, Any]) -> Options:
    """The options as JSON values without those that are None, with the folder of their run (default the last)."""
    found: Options = plain({name: value for name, value in options.items() if value is not None})
    run = Run(found.get("run") or project.last_run())
    return {**found, "run": str(run.folder.resolve())}


def _new_folder(project: Project, kind: str) -> Path:
    """A new folder for a job in the project's ``dlcnb-jobs``."""
    stem, number = f"{kind}-{time.strftime('%Y%m%d-%H%M%S')}", 0
    while True:
        folder = project.root / "dlcnb-jobs" / (f"{stem}-{number}" if number else stem)
        try:
            make_folder(folder, exist_ok=False)
            return folder
        except FileExistsError:
            number += 1


@dataclass(frozen=True)
class Kind:
    """A kind of job.

    Attributes
    ----------
    name : such as "analyze".
    work : function (job, events, stop) -> ("done" or "stopped", result), called in the worker. ``job`` is the dict of
        job.json with its ``folder``; ``stop`` is true once the job is to stop.
    options : names of the options; None = any, which ``check`` looks through.
    check : function (project, options) -> options, before there is a folder or a worker; raises ValueError.
    place : function (project, options) -> the job's folder, made if need be; None = a new one in ``dlcnb-jobs``.
    predicts : whether the worker is to get ready for predicting alone, as `dlcnb.machine.processors` says.
    """

    name: str
    work: Work
    options: frozenset[str] | None = None
    check: Callable[[Project, Options], Options] = with_run
    place: Callable[[Project, Options], Path] | None = None
    predicts: bool = False

    def prepare(self, project: Project, options: Options) -> tuple[Path, Options]:
        """The job's folder and its checked options; raises ValueError for an unknown or wrong one."""
        for name in options:
            if self.options is not None and name not in self.options:
                raise ValueError(f"Unknown option {name!r} for {self.name}{nearest(name, sorted(self.options)) or '.'}")
        options = self.check(project, options)
        return self.place(project, options) if self.place else _new_folder(project, self.name), options
