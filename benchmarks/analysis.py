"""Frames per second of an analysis, end to end, beside decoding alone.

    python benchmarks/analysis.py PROJECT VIDEO

PROJECT holds a trained network. End to end is what ``dlcnb analyze`` does: decode, predict (fp32), write csv and h5.
"""

import argparse
import tempfile
import time
from pathlib import Path

import numpy as np

from dlcnb import Poses, Predictor, Project, VideoReader, predict_video


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("project")
    parser.add_argument("video")
    arguments = parser.parse_args()
    with VideoReader(arguments.video) as reader:
        began = time.perf_counter()
        frames = sum(1 for _ in reader.frames())
        decoding = frames / (time.perf_counter() - began)
    print(f"decoding alone: {decoding:.1f} frames/s ({frames} frames)", flush=True)
    predictor = Predictor(Project.open(arguments.project).last_run())
    with tempfile.TemporaryDirectory() as folder:
        for batch in (1, 8):
            began = time.perf_counter()
            steps = list(predict_video(predictor, arguments.video, batch=batch))
            points = np.concatenate([s.points for s in steps])
            likelihood = np.concatenate([s.likelihood for s in steps])
            Poses(predictor.bodyparts, predictor.scorer, points, likelihood).write(Path(folder) / "video.mp4")
            speed = frames / (time.perf_counter() - began)
            print(
                f"fp32, batch {batch}: {speed:.1f} frames/s, {decoding / speed:.1f} x slower than decoding", flush=True
            )


if __name__ == "__main__":
    main()
