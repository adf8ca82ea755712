"""The worker's part of an analysis: the poses of videos, here or on a cluster."""

from __future__ import annotations

from pathlib import Path

from dlcnb.jobs.analysis.local import analyze_video
from dlcnb.jobs.analysis.plan import Progress, each_video, output_path, settings_of

__all__ = ["analyze"]


def analyze(job, events, stop):
    """Analyze the videos of a job; returns ("done" or "stopped", result)."""
    options = job["options"]
    settings = settings_of(options)
    which = {name: options[name] for name in ("snapshot", "device", "engine") if name in options}
    if options.get("scheduler"):
        from dlcnb.jobs.analysis import cluster  # here: what it needs may not be installed

        more = {"folder": options.get("folder"), "events": events, "stop": stop}
        return cluster.run(options["scheduler"], options["run"], options["videos"], settings, **which, **more)

    from dlcnb import backend

    predictor = backend.Predictor(Path(options["run"]), **which)

    def one(video):
        output = output_path(video, predictor.scorer, settings, options.get("folder"))
        done = analyze_video(predictor, video, output, settings, progress=Progress(events, video, stop), stop=stop)
        if done and options.get("score_maps"):
            done["score_maps"] = str(output.with_name(f"{output.stem}_maps.zip"))
            backend.write_score_maps(predictor, video, options["score_maps"], done["score_maps"])
        return done

    return each_video(options["videos"], one, events, stop)
