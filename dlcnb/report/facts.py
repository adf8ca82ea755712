"""What a report tells, as plain values; what can't be told is left out, with a line that says what brings it."""

from __future__ import annotations

import platform
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

import numpy as np

import dlcnb
from dlcnb.evaluate import Evaluation, Taken, human_variability
from dlcnb.files import StrPath, quoted
from dlcnb.jobs import attach
from dlcnb.jobs.history import history
from dlcnb.jobs.starting import earlier_runs, iteration_of
from dlcnb.labels.compare import scorers
from dlcnb.labels.current import current_labels
from dlcnb.project import Project, ProjectError
from dlcnb.report.methods import methods
from dlcnb.report.networks import tell_networks
from dlcnb.report.videos import Recorded, recordings, video_facts
from dlcnb.report.zones import Measured, measured
from dlcnb.run import Run

if TYPE_CHECKING:
    from dlcnb.labels.compare import Variability

__all__ = ["Facts", "gather"]

_PACKAGES = ("mxnet", "numpy", "scipy", "av", "pandas")


@dataclass
class Facts:
    """All that a report is made from.

    Attributes
    ----------
    data : dict
        Of plain values: ``project``, ``labels``, ``network``, ``videos``, ``zones``, ``versions``, ``methods``; what is
        not known is None, or an empty list.
    left_out : list of str
        A line for each part that is missing: what, and which command brings it.
    evaluation, human, curves, recorded, zones : what figures are drawn from.
    """

    data: dict[str, Any]
    left_out: list[str] = field(default_factory=list)
    evaluation: Evaluation | None = None
    human: Variability | None = None
    curves: dict[str, Any] | None = None
    recorded: list[Recorded] = field(default_factory=list)
    zones: list[Measured] = field(default_factory=list)


def gather(
    project: Project | StrPath,
    videos: Sequence[str] = (),
    *,
    run: StrPath | None = None,
    tables: StrPath | None = None,
    progress: Callable[[float, str], None] | None = None,
) -> Facts:
    """Collect what is known of a project.

    Parameters
    ----------
    project : the project, or its folder.
    videos : names or paths; by default all of the project.
    run : the training run; by default the last one.
    tables : folder of the poses; by default beside each video.
    progress : function (share 0..1, text), optional.

    Raises
    ------
    ProjectError
        If it is no project, there is no such video, or a run is named that is none. What else is missing or damaged is
        a line of ``left_out``.
    """
    project = project if isinstance(project, Project) else Project.open(project)
    tell = progress or (lambda share, text: None)
    facts = Facts({"project": _project(project), "made": time.strftime("%Y-%m-%d %H:%M")})
    tell(0.0, "reading labels")
    facts.data["labels"] = _labels(project, facts)
    facts.data["network"] = _network(project, run, facts)
    facts.recorded = recordings(project, videos, tables, facts.left_out, tell)
    facts.data["videos"] = [video_facts(one, project.pcutoff) for one in facts.recorded]
    tell_networks(project, facts.data["network"], facts.recorded, facts.data["videos"], facts.left_out)
    facts.zones = measured(project, facts.recorded, facts.left_out)
    facts.data["zones"] = [one.to_json() for one in facts.zones]
    facts.data["versions"] = versions()
    facts.data["methods"] = methods(facts.data)
    return facts


def versions() -> dict[str, str]:
    """{what: its version} of dlcnb, Python, and the packages that the numbers depend on, where they are installed."""
    found = {"dlcnb": dlcnb.__version__, "Python": platform.python_version()}
    for name in _PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return {**found, "system": f"{platform.system()} {platform.machine()}"}


def _project(project: Project) -> dict[str, Any]:
    return {
        "name": project.root.name,
        "folder": str(project.root),
        "task": project.task,
        "scorer": project.scorer,
        "date": project.date,
        "iteration": project.iteration,
        "bodyparts": list(project.bodyparts),
        "bones": len(project.skeleton.edges),
        "pcutoff": project.pcutoff,
        "videos": len(project.videos),
    }


def _labels(project: Project, facts: Facts) -> dict[str, Any] | None:
    """Who labeled how many frames, of which videos, how often each bodypart; how far two labelings differ."""
    try:
        who = {name: count for name, count in scorers(project).items() if count}
        if not who:
            facts.left_out.append("Labels: nobody has labeled a frame yet; label some, in the step Label of Studio.")
            return None
        labels = current_labels(project, next(iter(who)))
        facts.human = human_variability(project)
    except (ValueError, OSError) as error:
        facts.left_out.append(f"Labels: {error}")
        return None
    if facts.human is None:
        facts.left_out.append(
            "Human variability: no frame was labeled twice; label some as another scorer (dlcnb compare)."
        )
    there = np.isfinite(labels.points).all(axis=-1)
    some = there.any(axis=1)
    per_video = Counter(
        image.replace("\\", "/").split("/")[-2] for image, one in zip(labels.images, some, strict=True) if one
    )
    return {
        "scorers": who,
        "scorer": labels.scorer,
        "frames": int(some.sum()),
        "videos": dict(sorted(per_video.items())),
        "points": dict(zip(labels.bodyparts, map(int, there.sum(axis=0)), strict=True)),
        "variability": None if facts.human is None else facts.human.to_json(),
    }


def _network(project: Project, chosen: StrPath | None, facts: Facts) -> dict[str, Any] | None:
    """How the network was trained, how it learned, and its errors."""
    try:
        run = Run(chosen or project.last_run())
        run.find("best")
        run = run if chosen else _trained_last(project, run, facts)
    except ProjectError as error:
        if chosen:
            raise
        before = next(earlier_runs(project), None)
        if before is None:
            facts.left_out.append(f"Network: {error}")
            return None
        run = before
        facts.left_out.append(
            f"A network of iteration {project.iteration}: there is none yet, the one in this report is the last of "
            f"iteration {iteration_of(run)}; dlcnb train {quoted(project.root)}"
        )
    try:
        found = _trained(run, facts)
    except (ValueError, OSError) as error:
        facts.left_out.append(f"Network: {error}")
        return None
    return {**found, **_errors(run, found["step"], facts)}


def _trained_last(project: Project, last: Run, facts: Facts) -> Run:
    """The last network; while that one is in training the one before, if there is one."""
    if not last.job_file.is_file() or attach(last.folder).status != "running":
        return last
    others = (run for run in map(Run, reversed(project.runs())) if run.folder != last.folder and run.steps)
    before = next(iter([*others, *earlier_runs(project)]), None)
    if before is None:
        return last
    facts.left_out.append(
        f"Network of shuffle {last.shuffle}, iteration {iteration_of(last)}: it is in training; the one in this report "
        f"is that before it, of shuffle {before.shuffle}, iteration {iteration_of(before)}."
    )
    return before


def _trained(run: Run, facts: Facts) -> dict[str, Any]:
    config, split = run.config, run.split
    facts.curves = history(run)
    steps, seconds, taken = facts.curves["step"], facts.curves["seconds"], Taken.in_history(facts.curves)
    return {
        "run": str(run.folder),
        "shuffle": run.shuffle,
        "iteration": run.folder.resolve().parents[1].name.removeprefix("iteration-"),
        "backbone": config.backbone,
        "began_from": run.settings.get("began_from"),
        "step": run.find("best")[0],
        "taken": None if taken is None else str(taken),
        "steps": int(steps[-1]) if len(steps) else run.steps[-1],
        "seconds": float(seconds[-1]) if len(seconds) and np.isfinite(seconds[-1]) else None,
        "batch_size": config.batch_size,
        "input_scale": config.input_scale,
        "learning_rate": None if config.schedule else config.learning_rate,
        "optimizer": config.optimizer,
        "frames": {part: len(names) for part, names in split.items()},
        "validation_px": (run.best or {}).get("val_mean_px"),
        "decisions": run.decisions,
    }


def _errors(run: Run, step: int, facts: Facts) -> dict[str, Any]:
    """``evaluation`` (as `Evaluation.to_json`, or None) and the size of the animal in it."""
    shuffle = f" --shuffle {run.shuffle}"
    try:
        folder = run.evaluations
        best = folder / f"evaluation-{step}.json"
        facts.evaluation = Evaluation.read(best if best.is_file() else folder)
    except FileNotFoundError:
        facts.left_out.append(f"Errors and verdict: dlcnb evaluate {quoted(run.root)}{shuffle}")
        return {"evaluation": None}
    except (ValueError, OSError) as error:
        facts.left_out.append(f"Errors and verdict: {error}")
        return {"evaluation": None}
    if facts.evaluation.step != step:
        facts.left_out.append(
            f"Errors of the best snapshot (step {step}; those below are of step {facts.evaluation.step}): "
            f"dlcnb evaluate {quoted(run.root)}{shuffle}"
        )
    human = None if facts.human is None else facts.human.spread.mean_px
    return {"evaluation": {**facts.evaluation.to_json(human), "left_out": facts.evaluation.left_out}}
