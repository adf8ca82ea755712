"""The job "export": the network as ONNX."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from dlcnb.jobs.events import EventLog
from dlcnb.jobs.kinds.kind import Kind, Result
from dlcnb.jobs.stop import StopRequest
from dlcnb.run import Run

__all__ = ["KIND", "export"]


def export(job: dict[str, Any], _events: EventLog, _stop: StopRequest) -> Result:
    """Write ``snapshot-<step>.onnx`` into the run, or into the folder given; returns ("done", result)."""
    from dlcnb import backend  # first of all: it sets how many threads MXNet takes
    from dlcnb.backend.export import export_onnx

    options = job["options"]
    run = Run(options["run"])
    predictor = backend.Predictor(run, options.get("snapshot", "best"), device="cpu")
    output = Path(options.get("folder") or run) / run.snapshot(predictor.step).with_suffix(".onnx").name
    difference = export_onnx(predictor, output)
    return "done", {"output": str(output), "step": predictor.step, "difference": difference}


KIND = Kind("export", export, frozenset({"run", "snapshot", "folder"}))
