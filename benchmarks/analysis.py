"""Frames per second of an analysis, end to end, beside decoding alone; test error and memory of each engine.

    python benchmarks/analysis.py PROJECT VIDEO

PROJECT holds a trained network. End to end is what ``dlcnb analyze`` does: decode, predict, write csv and h5. Errors
are those of ``dlcnb evaluate`` on the test frames.
"""

import argparse
import resource
import tempfile
import time
from pathlib import Path

import numpy as np

from dlcnb import Poses, Predictor, Project, VideoReader, evaluate_run, predict_video

ENGINES = ("fp32", "int8")


def decode(video):
    """Frames of a video, and frames/s of decoding alone."""
    with VideoReader(video) as reader:
        began = time.perf_counter()
        frames = sum(1 for _ in reader.frames())
    return frames, frames / (time.perf_counter() - began)


def analyze(predictor, video, batch, folder):
    """Frames/s from the video to the tables."""
    began = time.perf_counter()
    steps = list(predict_video(predictor, video, batch=batch))
    points = np.concatenate([s.points for s in steps])
    likelihood = np.concatenate([s.likelihood for s in steps])
    Poses(predictor.bodyparts, predictor.scorer, points, likelihood).write(Path(folder) / "video.mp4")
    return len(points) / (time.perf_counter() - began)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("project")
    parser.add_argument("video")
    parser.add_argument("--batches", type=int, nargs="+", default=(1, 8))
    arguments = parser.parse_args()
    project = Project.open(arguments.project)
    frames, decoding = decode(arguments.video)
    print(f"decoding alone: {decoding:.1f} frames/s ({frames} frames)", flush=True)
    for engine in ENGINES:
        predictor = Predictor(project.last_run(), engine=engine)
        report = evaluate_run(project, engine=engine).to_json()["test"]
        print(
            f"{engine}: test error {report['mean_px']:.2f} px, input scale {predictor.config.input_scale}", flush=True
        )
        for batch in arguments.batches:
            with tempfile.TemporaryDirectory() as folder:
                speed = analyze(predictor, arguments.video, batch, folder)
            print(
                f"{engine}, batch {batch}: {speed:.1f} frames/s, decoding is {decoding / speed:.1f} x as fast",
                flush=True,
            )
    print(f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB")


if __name__ == "__main__":
    main()
