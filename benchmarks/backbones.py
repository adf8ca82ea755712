"""Speed and memory of the networks on open-field frames: training steps and prediction, each in a process of its own.

    python benchmarks/backbones.py [--steps 30] [--frames 40] [--backbones resnet-50 ...]

Training: batches of 8 crops of 256 px and (as the paper trains) single whole frames; weights start at random, which
costs the same. Prediction: frames of 640x480 px at full size, batches of 8, fp32. Memory is the peak of the process.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from itertools import islice

BACKBONES = ("efficientnet-lite0", "resnet-50", "resnet-101")
WHOLE = {"crop_size": None, "batch_size": 1, "scale_jitter": (0.8, 1.2)}
KINDS = {"batch": {}, "frame": WHOLE, "predict": {}}


def measure(kind, backbone, steps, frames):
    """The figures of one network, as a dict; runs in its own process."""
    import numpy as np

    from dlcnb import Predictor, Project, sampledata, train
    from dlcnb.jobs.worker import peak_rss_mb
    from dlcnb.trainset import TrainConfig, TrainSet

    with tempfile.TemporaryDirectory() as parent:
        project = Project.open(sampledata.openfield(parent).root)
        settings = {"steps": 100_000, "backbone": backbone, "pretrained": False, "freeze": 4, "device": "cpu"}
        config = TrainConfig(**settings, **KINDS[kind])
        run = project.new_run(config.train_fraction)
        if kind != "predict":
            made = train(project, config, run=run)
            records = list(islice(made, steps + 3))  # the first three warm up
            times = np.diff([r.seconds for r in records])[2:]
            losses = [r.loss for r in records]
            found = {"loss": [np.mean(losses[:5]), np.mean(losses[-5:])], "seconds": np.median(times)}
        else:
            made = train(project, config, run=run)
            next(made)
            made.close()
            data = TrainSet.from_project(project)
            images = np.stack([data.image(n) for n in range(8)])
            predictor = Predictor(run)
            predictor.predict(images)
            times = []
            for _ in range(max(1, frames // 8)):
                began = time.perf_counter()
                predictor.predict(images)
                times.append((time.perf_counter() - began) / 8)
            found = {"seconds": np.median(times)}
        found["mb"] = peak_rss_mb()
        made.close()
    return {name: np.asarray(value).tolist() for name, value in found.items()}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=30)
    parser.add_argument("--frames", type=int, default=40)
    parser.add_argument("--backbones", nargs="+", default=BACKBONES)
    parser.add_argument("--kind", choices=KINDS, help=argparse.SUPPRESS)
    wanted = parser.parse_args()
    if wanted.kind:
        print(json.dumps(measure(wanted.kind, wanted.backbones[0], wanted.steps, wanted.frames)))
        return
    print(f"load at the start: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    for backbone in wanted.backbones:
        for kind in KINDS:
            line = [sys.executable, __file__, "--kind", kind, "--backbones", backbone]
            line += ["--steps", str(wanted.steps), "--frames", str(wanted.frames)]
            done = subprocess.run(line, check=True, capture_output=True, text=True)
            found = json.loads(done.stdout.splitlines()[-1])
            loss = "  loss {:.3f} -> {:.3f}".format(*found["loss"]) if "loss" in found else ""
            rate = f"{1 / found['seconds']:.2f} {'frames' if kind == 'predict' else 'steps'}/s"
            print(f"{backbone:20s} {kind:8s} {rate:16s} peak {found['mb']:.0f} MB{loss}", flush=True)
    print(f"load at the end: {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main()
