"""The worker's part of an evaluation: predict the labeled frames, write all tables, keep the score-maps."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path

__all__ = ["evaluate", "evaluate_one"]


def evaluate(job, events, stop):
    """Evaluate one snapshot of a run, or all; returns ("done" or "stopped", result)."""
    from dlcnb import backend  # first of all: it sets how many threads MXNet takes
    from dlcnb.backend import runs
    from dlcnb.evaluate import human_px, human_variability
    from dlcnb.project import Project

    options = job["options"]
    project, snapshot = Project.open(job["project"]), options.get("snapshot", "best")
    run = Path(options["run"])
    wanted = runs.snapshots(run) if snapshot == "all" else [snapshot]
    best, _ = runs.find_snapshot(run, "best")  # raises if there is no snapshot at all
    _, bodyparts = runs.read_config(run)
    human = human_variability(project)
    folder, results = project.evaluation_dir(run), {}
    for number, which in enumerate(wanted):
        if stop and results:
            return "stopped", {"all": list(results.values())}
        step, _ = runs.find_snapshot(run, which)
        maps = options.get("maps", True) and step == (best if snapshot == "all" else step)

        def predict(on_maps, which=which):
            return backend.evaluate_run(project, run, which, device=options.get("device", "auto"), on_maps=on_maps)

        evaluation = evaluate_one(predict, folder, (step, bodyparts) if maps else None, human)
        results[evaluation.step] = {**evaluation.to_json(human_px(evaluation, human)), "folder": str(folder)}
        events.step("progress", done=number + 1, total=len(wanted), seconds_left=None, video=None)
    result = results.get(best, next(iter(results.values())))
    return "done", {**result, "all": list(results.values())} if snapshot == "all" else result


def evaluate_one(predict, folder, maps=None, human=None):
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
        evaluation = predict(writer.add if maps else None)
    evaluation.write(folder, human_px(evaluation, human))
    write_details(evaluation, folder, human)
    return evaluation
