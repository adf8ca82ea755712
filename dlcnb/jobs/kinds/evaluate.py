"""The job "evaluate": predict the labeled frames, write all tables, keep the score-maps."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dlcnb.jobs.events import EventLog
from dlcnb.jobs.kinds.kind import Kind, Result
from dlcnb.jobs.starting import steps_behind
from dlcnb.jobs.stop import StopRequest, at_once
from dlcnb.run import Run

if TYPE_CHECKING:
    from dlcnb.evaluate import Evaluation
    from dlcnb.labels.compare import Variability

__all__ = ["KIND", "evaluate", "evaluate_one"]


def evaluate(job: dict[str, Any], events: EventLog, stop: StopRequest) -> Result:
    """Evaluate one snapshot of a run, or all; returns ("done" or "stopped", result)."""
    with at_once(stop):
        from dlcnb import backend  # first of all: it sets how many threads MXNet takes
    from dlcnb.evaluate import human_px, human_variability
    from dlcnb.project import Project

    options = job["options"]
    project, snapshot = Project.open(job["project"]), options.get("snapshot", "best")
    run = Run(options["run"])
    wanted: list[str | int] = [*run.steps] if snapshot == "all" else [snapshot]
    best, _ = run.find("best")  # raises if there is no snapshot at all
    human = human_variability(project)
    folder = project.evaluation_dir(run)
    results: dict[int, dict[str, Any]] = {}
    for number, which in enumerate(wanted):
        if stop and results:
            return "stopped", {"all": list(results.values())}
        step, _ = run.find(which)
        maps = options.get("maps", True) and step == (best if snapshot == "all" else step)

        def tell(done: int, frames: int, before: int = number) -> None:
            total = len(wanted) * frames
            events.step("progress", done=before * frames + done, total=total, seconds_left=None, video=None)

        def predict(on_maps: Callable[..., None] | None, which: str | int = which) -> Evaluation:
            how = {"device": options.get("device", "auto"), "raw_likelihood": options.get("raw_likelihood", False)}
            with at_once(stop):
                found = backend.evaluate_run(project, run.folder, which, **how, on_maps=on_maps, on_frame=tell)
            return replace(found, steps_behind=steps_behind(run, found.step))

        evaluation = evaluate_one(predict, folder, (step, run.bodyparts) if maps else None, human)
        results[evaluation.step] = {**evaluation.to_json(human_px(evaluation, human)), "folder": str(folder)}
    result = results.get(best, next(iter(results.values())))
    return "done", {**result, "all": list(results.values())} if snapshot == "all" else result


def evaluate_one(
    predict: Callable[[Callable[..., None] | None], Evaluation],
    folder: Path,
    maps: tuple[int, Sequence[str]] | None = None,
    human: Variability | None = None,
) -> Evaluation:
    """Write everything about one snapshot into ``folder``.

    Parameters
    ----------
    predict : function (on_maps) -> Evaluation, as `dlcnb.backend.evaluate_run` with the rest given.
    folder : pathlib.Path
    maps : (step, bodyparts), optional
        Keep the score-maps, too.
    human : dlcnb.labels.compare.Variability, optional

    Returns
    -------
    dlcnb.evaluate.Evaluation
    """
    from dlcnb.evaluate import ScoreMapWriter, human_px, maps_path, write_details

    folder.mkdir(parents=True, exist_ok=True)
    with ScoreMapWriter(maps_path(folder, maps[0]), maps[1]) if maps else nullcontext() as writer:
        evaluation = predict(writer.add if writer else None)
    evaluation.write(folder, human_px(evaluation, human))
    write_details(evaluation, folder, human)
    return evaluation


KIND = Kind("evaluate", evaluate, frozenset({"run", "snapshot", "device", "maps", "raw_likelihood"}), predicts=True)
