"""The worker's part of an export: the network as ONNX."""

from __future__ import annotations

from pathlib import Path

__all__ = ["export"]


def export(job, events, stop):
    """Write ``snapshot-<step>.onnx`` into the run, or into the folder given; returns ("done", result)."""
    from dlcnb import backend  # first of all: it sets how many threads MXNet takes
    from dlcnb.backend.export import export_onnx

    options = job["options"]
    run = Path(options["run"])
    predictor = backend.Predictor(run, options.get("snapshot", "best"), device="cpu")
    output = Path(options.get("folder") or run) / f"snapshot-{predictor.step}.onnx"
    difference = export_onnx(predictor, output)
    return "done", {"output": str(output), "step": predictor.step, "difference": difference}
