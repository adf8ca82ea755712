"""Train and evaluate the trials of a plan, some at a time, each in a worker process."""

from __future__ import annotations

import time
from collections.abc import Generator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dlcnb.jobs import attach, start
from dlcnb.jobs.job import JOB_FILE
from dlcnb.machine.processors import core_count

if TYPE_CHECKING:
    from dlcnb.experiments.plan import Plan, Trial
    from dlcnb.jobs.job import Job

__all__ = ["Progress", "run"]

_POLL = 0.3  # s


@dataclass(frozen=True)
class Progress:
    """How far an experiment is.

    Attributes
    ----------
    done, total : trials.
    share : 0..1, with what the running trials have done.
    running : names of the running trials.
    finished : name of the trial that has just ended, else None.
    failed : name -> message, of the trials that failed.
    """

    done: int
    total: int
    share: float
    running: tuple[str, ...] = ()
    finished: str | None = None
    failed: dict[str, str] = field(default_factory=dict)


def run(plan: Plan, *, processes: int = 1, retry: bool = True) -> Generator[Progress, None, None]:
    """Do all trials of a plan that are not done.

    Trials that another process works on already are followed, not started again. Leaving the loop (``break``) asks the
    running trials to save a snapshot and stop; the next call resumes them.

    Parameters
    ----------
    plan : Plan.
    processes : trials at a time; they share the cores.
    retry : try trials again that failed in an earlier call.

    Yields
    ------
    Progress
        A few times a second, and whenever a trial ends. A trial that fails does not stop the others.
    """
    waiting = [t for t in plan.trials if not plan.is_done(t) and (retry or not _failure(plan, t))]
    running: dict[str, Job] = {}
    failed: dict[str, str] = {}
    try:
        while waiting or running:
            while waiting and len(running) < processes:
                trial = waiting.pop(0)
                running[trial.name] = _start(plan, trial, processes)
            time.sleep(_POLL)
            for name, job in list(running.items()):
                if job.status != "running":
                    del running[name]
                    if job.status != "done":
                        failed[name] = job.error or "It was stopped before its end."
                    yield _progress(plan, running, failed, name)
            yield _progress(plan, running, failed)
    finally:
        for job in running.values():
            job.stop()
        for job in running.values():
            job.wait()
    yield _progress(plan, {}, failed)


def _progress(plan: Plan, running: dict[str, Job], failed: dict[str, str], finished: str | None = None) -> Progress:
    done, total = sum(map(plan.is_done, plan.trials)), len(plan.trials)
    partly = sum((job.latest or {}).get("progress", 0.0) for job in running.values())
    return Progress(done, total, (done + partly) / max(total, 1), tuple(running), finished, dict(failed))


def _start(plan: Plan, trial: Trial, processes: int) -> Job:
    folder = plan.run_folder(trial)
    if (folder / JOB_FILE).is_file() and (job := attach(folder)).status == "running":
        return job
    threads = max(1, core_count() // processes) if processes > 1 else None
    folders = {"evaluation": plan.evaluation_folder(trial), "curve": plan.curve_folder(trial)}
    options = {"config": trial.settings, "threads": threads, **folders}
    return start("trial", plan.project, run=folder, **options)


def _failure(plan: Plan, trial: Trial) -> bool:
    folder = plan.run_folder(trial)
    return (folder / JOB_FILE).is_file() and attach(folder).status in ("failed", "lost")
