"""Frames per second of an analysis, end to end, of each engine, beside decoding alone and ONNX Runtime.

    python benchmarks/analysis.py PROJECT VIDEO [--engines fp32 int8 openvino] [--batches 1 8] [--frames N] [--resnet]

PROJECT holds a trained network. End to end is what ``dlcnb analyze`` does: decode, predict, write csv and h5; where it
would follow the animal by crops, that way, too. The error is that of ``dlcnb evaluate`` on the test frames. ONNX
Runtime, on the exported network, is what a user would take instead: it gets the same frames from the same reader, and
its maps are read out in the same way. Each engine runs in a process of its own, whose peak memory is told.
``--resnet`` adds ResNet-50 with random weights, for its speed alone.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from dlcnb import Poses, Predictor, Project, VideoReader, evaluate_run, predict_video
from dlcnb.backend import mx
from dlcnb.backend.choice import following
from dlcnb.backend.openvino import has_nncf
from dlcnb.machine.processors import core_count, prepare_to_predict

ENGINES = ("fp32", "int8", "openvino", "openvino-int8", "onnxruntime")


class OnnxRuntime:
    """A Predictor whose network runs in ONNX Runtime."""

    def __init__(self, predictor):
        import onnxruntime

        from dlcnb.backend.export import onnx_model

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = core_count()
        session = onnxruntime.InferenceSession(onnx_model(predictor), options, providers=["CPUExecutionProvider"])

        def run(images):
            found = session.run(["score", "locref"], {"images": images})
            return lambda: found

        predictor._engine.run = run


def analyze(predictor, video, how, frames, folder):
    """Frames/s from the video to the tables."""
    began = time.perf_counter()
    steps = list(predict_video(predictor, video, stop=frames, **how))
    points = np.concatenate([s.points for s in steps])
    likelihood = np.concatenate([s.likelihood for s in steps])
    Poses(predictor.bodyparts, predictor.scorer, points, likelihood).write(Path(folder) / "video.mp4")
    return len(points) / (time.perf_counter() - began), points


def decode(video, frames):
    """Frames/s of decoding alone."""
    began = time.perf_counter()
    return sum(1 for _ in video.frames(0, frames)) / (time.perf_counter() - began)


def random_resnet(run):
    """Weights of no meaning for ResNet-50 in a copy of a run."""
    from dlcnb.backend.network import PoseNet
    from dlcnb.run import Run

    run = Run(run)
    bodyparts = run.bodyparts
    run.write_config(run.config.changed(backbone="resnet-50"), bodyparts)
    mx.random.seed(0)
    net = PoseNet("resnet-50", len(bodyparts))
    net.initialize()
    for path in run.folder.glob("snapshot-*"):
        path.unlink()
    run.best_file.unlink(missing_ok=True)
    net.save_parameters(str(run.snapshot(1)))


def measure(arguments):
    """One engine: a line of JSON for each way to analyze."""
    project, engine = Project.open(arguments.project), arguments.engine
    prepare_to_predict(engine)
    peer = engine == "onnxruntime"
    predictor = Predictor(project.last_run(), "last" if arguments.resnet else "best", engine="fp32" if peer else engine)
    if peer:
        OnnxRuntime(predictor)
    error = None
    if not (peer or arguments.resnet):
        error = evaluate_run(project, engine=engine).to_json()["test"]["mean_px"]
    ways = [{"batch": batch} for batch in arguments.batches]
    if error is not None and (dynamic := following(predictor)[0]):
        ways.append({"dynamic": dynamic})
    with VideoReader(arguments.video) as video, tempfile.TemporaryDirectory() as folder:
        frames = min(arguments.frames, len(video))
        predictor.predict([video.read(0)])
        for how in ways:
            limit = decode(video, frames)
            speed, _ = analyze(predictor, video, how, frames, folder)
            memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
            print(json.dumps([how, speed, limit, error, memory, os.getloadavg()[0]]), flush=True)


def table(arguments, project, network):
    """Run each engine in a process of its own, and print what it tells."""
    reference = {}
    for engine in arguments.engines:
        line = [sys.executable, __file__, str(project), arguments.video, "--engine", engine]
        line += ["--batches", *map(str, arguments.batches), "--frames", str(arguments.frames)]
        line += ["--resnet"] if network == "resnet-50" else []
        done = subprocess.run(line, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=True)
        for how, speed, limit, error, memory, load in map(json.loads, done.stdout.splitlines()):
            reference[engine, str(how)] = speed
            what = f"batch {how['batch']}" if "batch" in how else "following"
            px = f", test error {error:.2f} px" if error is not None else ""
            print(
                f"{network} {engine:11} {what:9} {speed:6.1f} frames/s (decoding alone {limit:.0f}){px}, "
                f"peak {memory:.0f} MB, load {load:.1f}",
                flush=True,
            )
    for (engine, how), speed in reference.items():
        if ("onnxruntime", how) in reference and engine != "onnxruntime":
            print(f"{network} {engine} {how}: {speed / reference['onnxruntime', how]:.2f} x ONNX Runtime")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("project")
    parser.add_argument("video")
    parser.add_argument("--engines", nargs="+", default=[e for e in ENGINES if "openvino" not in e or has_nncf()])
    parser.add_argument("--batches", type=int, nargs="+", default=(1, 8))
    parser.add_argument("--frames", type=int, default=10**9)
    parser.add_argument("--resnet", action="store_true")
    parser.add_argument("--engine", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.engine:
        measure(arguments)
        return
    table(arguments, arguments.project, "default")
    if arguments.resnet:
        import shutil

        with tempfile.TemporaryDirectory() as folder:
            copy = Path(shutil.copytree(arguments.project, Path(folder) / "project", symlinks=True))
            random_resnet(Project.open(copy).last_run())
            table(arguments, copy, "resnet-50")


if __name__ == "__main__":
    main()
