"""The job "train": a network is trained, or goes on training."""

from __future__ import annotations

import dataclasses
import os
import time
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil

from dlcnb.jobs.crew.lead import lead
from dlcnb.jobs.events import EventLog
from dlcnb.jobs.job import Job, JobError
from dlcnb.jobs.kinds.kind import Kind, Options, Result
from dlcnb.jobs.memory import shortage
from dlcnb.jobs.starting import LAST, last_network, seen_before, shape_of
from dlcnb.jobs.stop import StopRequest
from dlcnb.run import Run

if TYPE_CHECKING:
    from dlcnb.project import Project
    from dlcnb.trainset import TrainConfig

__all__ = ["KIND", "train"]


def train(job: dict[str, Any], events: EventLog, stop: StopRequest) -> Result:
    """Train a network, or go on training it; returns ("done" or "stopped", result)."""
    from dlcnb import backend  # first of all: it sets how many threads MXNet takes
    from dlcnb.project import Project
    from dlcnb.trainset import TrainConfig

    project, run, options = Project.open(job["project"]), Run(job["folder"]), job["options"]
    resume = bool(options.get("resume"))
    config = run.resumed(options["config"]) if resume else TrainConfig.from_dict(options["config"])
    began, last, warned, ending = time.monotonic(), None, None, "done"
    process = psutil.Process()
    steps = backend.train(project, options["config"] if resume else config, run=run.folder, resume=resume)
    try:
        for note in filter(None, [*options.get("notes", ()), _shortage(project, config)]):
            events.write("warning", message=note)
        with lead(run.folder, config, events, stop), closing(steps):  # closing saves a snapshot
            for last in steps:
                for sentence in run.decisions if last.step == 1 else ():
                    events.write("decided", message=sentence)
                if last.warning not in (None, warned):
                    warned = last.warning
                    events.write("warning", message=warned)
                fields = {f.name: getattr(last, f.name) for f in dataclasses.fields(last)}
                events.step(**fields, rss_mb=process.memory_info().rss / 2**20)
                if stop and last.progress < 1:
                    ending = "stopped"
                    break
    except Exception:
        if last is None and not run.steps:
            run.mark_failed_start()
        raise
    done = last.step if last else (run.steps or [0])[-1]
    return ending, {"run": str(run.folder), "steps": done, "seconds": time.monotonic() - began, "best": run.best}


def _shortage(project: Project, config: TrainConfig) -> str | None:
    """What to say if the memory may not do for a run; None if it does."""
    from dlcnb.trainset import TrainSet

    data = TrainSet.from_project(project, config.bodyparts)
    return shortage(data.plan(config).config, data.sizes()[0])


# --- before the worker starts


def _checked(project: Project, options: Options) -> Options:
    """``run``, ``resume``, the whole ``config``, and what is to be told of it; raises if nothing is labeled."""
    from dlcnb.trainset import TrainConfig, TrainSet  # here: pandas and OpenCV take a while to load

    options = dict(options)
    run, resume, preset = (options.pop(name, None) for name in ("run", "resume", "preset"))
    given = options.pop("config", None) or {}
    changes = {**(given.to_dict() if isinstance(given, TrainConfig) else given), **options}
    changes = _absolute(_from_last(project, changes))
    if resume:
        if preset:
            raise ValueError("A preset is for a new run; a resumed one keeps its settings.")
        known = Run(run or project.last_run())
        if known.job_file.is_file() and Job(known.folder).status == "running":
            raise JobError(f"{known.folder} is being trained already. Follow it with attach(), or stop it first.")
        whole = isinstance(given, TrainConfig)
        config = known.resumed(TrainConfig.from_dict(changes) if whole else changes)
        run, before = known.folder, known.config if known.config_file.exists() else config
        learned = known.bodyparts if known.steps else ()
    else:
        config = TrainConfig.preset(preset, **changes) if preset else TrainConfig.from_dict(changes)
        before, learned = TrainConfig.preset(preset) if preset else config, ()
    TrainSet.from_project(project, config.bodyparts, learned=learned)
    notes = [_dropped(before, config), None if resume else seen_before(project, config)]
    return {"run": run, "config": config.to_dict(), "resume": bool(resume), "notes": list(filter(None, notes))}


def _from_last(project: Project, config: dict[str, Any]) -> dict[str, Any]:
    """Settings in which the word `LAST` is the network that was trained last; raises ValueError if there is none."""
    if config.get("start_from") != LAST:
        return config
    run = last_network(project)
    if run is None:
        raise ValueError(f"start_from: this project has no network yet to go on from, expected a path or {LAST!r}.")
    return {**shape_of(run), **config, "start_from": str(run.folder)}


def _dropped(before: TrainConfig, after: TrainConfig) -> str | None:
    """What to say if a learning rate takes the place of a schedule."""
    if before.schedule is None or after.schedule is not None:
        return None
    rates = ", ".join(f"{rate:g} to step {step}" for step, rate in before.schedule)
    return f"The learning rate {after.learning_rate:g} takes the place of the schedule of rates ({rates})."


def _absolute(config: dict[str, Any]) -> dict[str, Any]:
    """Settings with absolute paths, since the worker has another working directory; raises ValueError."""
    from dlcnb.trainset import WEIGHTS_SOURCES

    found = dict(config)
    for name, others in (("weights", WEIGHTS_SOURCES), ("start_from", ())):
        path = config.get(name)
        if not path or path in others:
            continue
        if not os.path.exists(path):
            raise ValueError(f"{name}: there is no {path}. Expected {' or '.join(['a path that exists', *others])}.")
        found[name] = os.path.abspath(path)
    return found


def _place(project: Project, options: Options) -> Path:
    """The folder of the run, which may be a new one; what starts that failed have left makes room for it."""
    run = options.pop("run")
    if run is None:
        for other in map(Run, project.runs()):
            if other.failed_to_start or _never_began(other):
                other.discard()
        run = project.new_run(options["config"]["train_fraction"])
    return Path(run).resolve()


def _never_began(run: Run) -> bool:
    """Whether a worker was killed before the run had a configuration."""
    if run.config_file.exists() or run.steps or not run.job_file.is_file():
        return False
    return Job(run.folder).status in ("failed", "lost")


KIND = Kind("train", train, check=_checked, place=_place)
