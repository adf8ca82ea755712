"""The job "analyze": the poses of videos, found here or on a cluster."""

from __future__ import annotations

import os
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from dlcnb.jobs.analysis.ensemble import Ensemble, checked_runs
from dlcnb.jobs.analysis.local import analyze_video
from dlcnb.jobs.analysis.plan import Progress, each_video, output_path, settings_of
from dlcnb.jobs.events import EventLog
from dlcnb.jobs.kinds.kind import Kind, Options, Result, with_run
from dlcnb.jobs.stop import StopRequest, at_once
from dlcnb.project import Project

__all__ = ["KIND", "analyze"]


def analyze(job: dict[str, Any], events: EventLog, stop: StopRequest) -> Result:
    """Analyze the videos of a job; returns ("done" or "stopped", result)."""
    options = job["options"]
    settings = settings_of(options, Project.open(job["project"]))
    which = {name: options[name] for name in ("snapshot", "device", "engine", "raw_likelihood") if name in options}
    if options.get("scheduler"):
        from dlcnb.jobs.analysis import cluster  # here: what it needs may not be installed

        more = {"folder": options.get("folder"), "events": events, "stop": stop}
        return cluster.run(options["scheduler"], options["run"], options["videos"], settings, **which, **more)

    with at_once(stop):
        from dlcnb import backend

    if options.get("ensemble"):
        with at_once(stop):
            networks = Ensemble(list(map(Path, options["ensemble"])), partial(backend.Predictor, **which))

        def together(video: str) -> dict[str, Any] | None:
            return networks.analyze(video, options.get("folder"), settings, events, stop)

        return each_video(options["videos"], together, events, stop)
    followed = None
    with at_once(stop):  # an engine or crops may have to be measured first
        predictor = backend.Predictor(Path(options["run"]), **which)
        if options.get("dynamic") == "auto" and settings.animals is None:
            dynamic, reason = backend.following(predictor)
            settings, followed = replace(settings, dynamic=dynamic), reason if dynamic else None

    def one(video: str) -> dict[str, Any] | None:
        output = output_path(video, predictor.scorer, settings, options.get("folder"))
        done = analyze_video(predictor, video, output, settings, progress=Progress(events, video, stop), stop=stop)
        if done and options.get("score_maps"):
            done["score_maps"] = str(output.with_name(f"{output.stem}_maps.zip"))
            backend.write_score_maps(predictor, video, options["score_maps"], done["score_maps"])
        return done and {**done, "followed": followed}

    return each_video(options["videos"], one, events, stop)


def _checked(project: Project, options: Options) -> Options:
    """Videos and settings that go together."""
    options = dict(options)
    if options.get("ensemble"):
        options["ensemble"] = checked_runs(options)
        options["run"] = options["ensemble"][0]
    options = with_run(project, options)
    if not options.get("videos"):
        raise ValueError("No videos to analyze were given.")
    options["videos"] = list(dict.fromkeys(os.path.abspath(video) for video in options["videos"]))
    taken: dict[tuple[str, str], str] = {}
    for video in options["videos"]:
        table = (options.get("folder") or os.path.dirname(video), Path(video).stem)
        if table in taken:
            raise ValueError(
                f"{taken[table]} and {video} would write the same table. Analyze them into different folders."
            )
        taken[table] = video
    settings_of(options, project)
    if options.get("score_maps") and options.get("scheduler"):
        raise ValueError("Score-maps are not written by a cluster. Ask for them without a scheduler.")
    return options


_NETWORK = frozenset({"videos", "run", "snapshot", "batch", "device", "engine"})
_HOW = frozenset(
    {"folder", "again", "crop", "dynamic", "animals", "score_maps", "scheduler", "raw_likelihood", "ensemble"}
)
KIND = Kind("analyze", analyze, _NETWORK | _HOW, check=_checked, predicts=True)
