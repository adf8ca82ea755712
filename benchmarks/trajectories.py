"""Filters of trajectories on a long recording: processor seconds, and how near they come to the truth.

    python benchmarks/trajectories.py [--frames 1000000] [--bodyparts 4] [--repeat 3]

The same points go through dlcnb's median, Savitzky-Golay and Kalman filters and through SciPy's `medfilt` (what
DeepLabCut uses) and `savgol_filter`, in one process; the best of the repeats counts. The truth is the synthetic mouse,
with a pixel of noise and a jump of about 60 px in one of a hundred points. Then the time of an outlier count for
another threshold, of a redraw of `TrajectoryView` in the kernel (without the page), and of linking two animals.
"""

import argparse
import time

import numpy as np
import scipy.signal

from dlcnb import trajectories
from dlcnb.outliers import score
from dlcnb.poses import Poses
from dlcnb.poses.tracking import link
from dlcnb.sampledata import Arena, arena_poses
from dlcnb.widgets.trajectories.plots import TrajectoryPlots
from dlcnb.widgets.trajectories.state import TrajectoryState


def recording(frames, bodyparts, seed=0):
    """(truth (T, K, 2), noisy points, likelihood): a minute of the mouse, there and back again."""
    rng = np.random.default_rng(seed)
    minute = arena_poses(Arena(seed=seed, n_frames=1800))
    loop = np.concatenate([minute, minute[::-1]])
    truth = np.resize(loop, (frames, *loop.shape[1:]))[:, np.arange(bodyparts) % loop.shape[1]]
    points, likelihood = truth + rng.normal(0, 1, truth.shape), np.full(truth.shape[:2], 0.97)
    jumps = rng.uniform(size=likelihood.shape) < 0.01
    points[jumps] += rng.normal(0, 60, (jumps.sum(), 2))
    likelihood[jumps] = rng.uniform(0.05, 0.9, jumps.sum())
    return truth, points, likelihood


def best(repeat, function):
    """(processor seconds of the quickest call, its result)."""
    found = []
    for _ in range(repeat):
        start = time.process_time()
        result = function()
        found.append(time.process_time() - start)
    return min(found), result


def redraws(poses, repeat=20):
    """Wall seconds of a `TrajectoryView`'s first drawing in the kernel, and the median of so many zooms and pans."""
    state = TrajectoryState(poses, np.arange(len(poses)) / 30)
    plots = TrajectoryPlots(state)
    times = []
    for number in range(repeat + 1):
        start = time.perf_counter()
        plots.show()
        times.append(time.perf_counter() - start)
        state.frame = len(poses) // 3
        state.zoom(1.5) if number % 2 else state.pan(0.1 if state.zoomed else 0)
    return times[0], float(np.median(times[1:]))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--frames", type=int, default=1_000_000)
    parser.add_argument("--bodyparts", type=int, default=4)
    parser.add_argument("--repeat", type=int, default=3)
    options = parser.parse_args()
    truth, points, likelihood = recording(options.frames, options.bodyparts)
    flat = points.reshape(len(points), -1)

    def medfilt():
        return np.stack([scipy.signal.medfilt(series, 5) for series in flat.T], axis=1).reshape(points.shape)

    ways = {
        "scipy.signal.medfilt, window 5": medfilt,
        "median_filter, window 5": lambda: trajectories.median_filter(points, 5),
        "scipy.signal.savgol_filter, 7, 3": lambda: scipy.signal.savgol_filter(points, 7, 3, axis=0),
        "savgol_filter, 7, 3": lambda: trajectories.savgol_filter(points, 7, 3),
        "kalman_smooth, robust=0": lambda: trajectories.kalman_smooth(points, likelihood, robust=0).points,
        "kalman_smooth": lambda: trajectories.kalman_smooth(points, likelihood).points,
    }
    print(f"{options.frames:,} frames, {options.bodyparts} bodyparts, best of {options.repeat}")
    print(f"{'':34s}{'CPU s':>8s}{'× medfilt':>11s}{'RMS error px':>14s}")
    reference = None
    for name, function in ways.items():
        seconds, found = best(options.repeat, function)
        reference = reference or seconds
        error = np.sqrt(np.nanmean((found - truth) ** 2))
        print(f"{name:34s}{seconds:8.2f}{seconds / reference:11.1f}{error:14.2f}", flush=True)
    poses = Poses(tuple(f"part{k}" for k in range(options.bodyparts)), "benchmark", points, likelihood)
    seconds, scores = best(1, lambda: score(poses, "jump"))
    scores.count()
    count, _ = best(100, lambda: scores.count(25.0))
    print(f"outliers by jump: {seconds:.2f} s, each further count {1e6 * count:.0f} µs")
    first, further = redraws(poses)
    print(f"drawing in the kernel: {first:.2f} s at first, then {1e3 * further:.0f} ms per zoom or pan")
    two = np.stack([truth[:3000], truth[:3000] + (700, 0)], axis=1)
    seconds, _ = best(1, lambda: link(two, np.ones(two.shape[:-1])))
    print(f"linking two animals: {3000 / seconds:.0f} frames/s")


if __name__ == "__main__":
    main()
