"""Memory of an analysis over many hours of video.

    python benchmarks/long_video.py PROJECT [--hours 10] [--fps 30] [--size 32x32] [--engine fp32]

PROJECT holds a trained network. Its poses mean nothing on the generated video, whose frames are small so that a million
of them take minutes; what memory grows with is the number of frames. Prints the worker's resident memory at every tenth
of the video, and its peak while the tables are written.
"""

import argparse
import tempfile
import time
from pathlib import Path

import numpy as np
import psutil

from dlcnb import Poses, jobs
from dlcnb.project import Project
from dlcnb.video import VideoWriter


def make_video(path, size, count, fps):
    """A bright square that goes round."""
    height, width = size
    side = max(min(size) // 8, 2)
    with VideoWriter(path, size, fps, crf=35) as writer:
        for n in range(count):
            image = np.full((height, width, 3), 60, np.uint8)
            top, left = (int((0.5 + 0.4 * f(n / 50)) * (s - side)) for f, s in ((np.sin, height), (np.cos, width)))
            image[top : top + side, left : left + side] = 220
            writer.write(image)


def resident(worker):
    """MB of a process; 0 when it has ended."""
    try:
        return worker.memory_info().rss / 2**20
    except psutil.NoSuchProcess:
        return 0.0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("project", type=Path)
    parser.add_argument("--hours", type=float, default=10)
    parser.add_argument("--fps", type=float, default=30)
    parser.add_argument("--size", default="32x32", metavar="HxW")
    parser.add_argument("--engine", default="fp32")
    options = parser.parse_args()
    count = round(options.hours * 3600 * options.fps)
    with tempfile.TemporaryDirectory() as folder:
        video = Path(folder) / "long.mp4"
        began = time.monotonic()
        make_video(video, tuple(int(n) for n in options.size.split("x")), count, options.fps)
        print(f"{count} frames, {options.hours:g} h, written in {time.monotonic() - began:.0f} s", flush=True)
        began, tenths, last = time.monotonic(), iter(range(1, 11)), 0.0
        job = jobs.start("analyze", Project.open(options.project), videos=[video], engine=options.engine)
        worker, due = psutil.Process(job.pid), next(tenths)
        for event in job.follow():
            last = resident(worker) or last
            while event["event"] == "progress" and due and event["done"] >= due * event["total"] / 10:
                print(f"{due * 10:3d} % after {time.monotonic() - began:.0f} s: {last:.0f} MB", flush=True)
                due = next(tenths, None)
        peak = job.events()[-1]["result"]["peak_rss_mb"]
        (table,) = Path(folder).glob("*.h5")
        print(f"{job.status} after {time.monotonic() - began:.0f} s, {len(Poses.read(table))} rows, peak {peak:.0f} MB")


if __name__ == "__main__":
    main()
