"""Labels that follow: how long they hold on the synthetic arena, where the truth is known, and what that saves.

    python benchmarks/follow.py [--seeds 0 1] [--gap 15] [--error 5]
    python benchmarks/follow.py --poses VIDEO TABLE

The second takes a real video, and for its truth the poses of a network (h5 or csv of `dlcnb analyze`) where they move
by less than 20 px a frame; the error of the network itself is in the figures then.

Every ``--gap``-th frame is labeled with the truth and followed 100 frames ahead. Prints the frames until the error
passes ``--error`` px (median over labeled frames and bodyparts), what a confidence is worth, and the keys and clicks
per frame where stretches between two labeled frames are filled from both ends, against clicking every point.
"""

import argparse
import itertools
import tempfile
from pathlib import Path

import numpy as np

from dlcnb.labels import follow, follow_both, patch_width
from dlcnb.poses import Poses
from dlcnb.sampledata.arena import Arena
from dlcnb.sampledata.synthetic import make_arena
from dlcnb.video import VideoReader

AHEAD, PCUTOFF, JUMP = 100, 0.6, 20  # frames, likelihood, px a frame


def arena(seed, gap, error, folder):
    truth = make_arena(folder / f"{seed}.mp4", Arena(seed=seed, n_frames=450))
    with VideoReader(folder / f"{seed}.mp4") as video:
        images = [image for _, image in video.frames()]
    measure(f"arena {seed}", ("snout", "left ear", "right ear", "tailbase"), truth, images, gap, error)


def real(video, table, gap, error):
    """The same on a real video, with what a network says without a jump in place of the truth."""
    poses = Poses.read(table)
    with VideoReader(video) as reader:
        images = [image for _, image in itertools.islice(reader.frames(), len(poses))]
    jumps = np.linalg.norm(np.diff(poses.points, axis=0), axis=-1) >= JUMP
    none = np.zeros((1, jumps.shape[1]), bool)
    jumping = np.concatenate([none, jumps]) | np.concatenate([jumps, none])
    truth = np.where(jumping[..., None], np.nan, poses.points)
    print(f"{Path(video).name}: {len(images)} frames, {1 - jumping.mean():.1%} of the points do not jump")
    measure(Path(video).name, poses.bodyparts, truth, images, gap, error)


def measure(name, parts, truth, images, gap, error):
    """Follow from every gap-th frame; a place that is not known (NaN in ``truth``) counts neither way."""
    held, errors, confidence = [], [], []
    for start in range(0, len(images) - AHEAD, gap):
        if np.isnan(truth[start]).any():
            continue  # nobody would begin there
        found = np.array(list(follow(images[start : start + AHEAD + 1], truth[start])))
        away = np.linalg.norm(found[..., :2] - truth[start : start + AHEAD + 1], axis=-1)
        known = np.isfinite(truth[start : start + AHEAD + 1, :, 0])
        passed = ~(away <= error) & known
        held.append(np.where(passed.any(axis=0), passed.argmax(axis=0), AHEAD))
        errors.append(away[known])
        confidence.append(found[..., 2][known])
    each = ", ".join(f"{part} {n:.0f}" for part, n in zip(parts, np.median(held, axis=0), strict=True))
    print(f"{name}: {np.median(held):.0f} frames until {error:g} px ({each}), from {len(held)} frames")
    errors, confidence = np.concatenate(errors), np.concatenate(confidence)
    for low, high in ((0.0, PCUTOFF), (PCUTOFF, 0.8), (0.8, 1.01)):
        within = errors[(confidence >= low) & (confidence < high)] <= error
        print(f"  confidence {low:g} to {min(high, 1):g}: {within.mean():.0%} of {within.size} within {error:g} px")
    fill(truth, images, gap, error)


def fill(truth, images, gap, error):
    """Keys and clicks to label all frames of stretches of which only the ends are labeled by hand."""
    wrong = unsure = count = 0
    for start in range(0, len(images) - gap, gap):
        if np.isnan(truth[[start, start + gap]]).any():
            continue
        stretch = images[start : start + gap + 1]
        ahead = np.array(list(follow(stretch, truth[start])))
        back = np.array(list(follow(stretch[::-1], truth[start + gap])))[::-1]
        found = follow_both(ahead, back, patch_width(truth[start]))[1:-1]
        away = np.linalg.norm(found[..., :2] - truth[start + 1 : start + gap], axis=-1)
        sure = found[..., 2] >= PCUTOFF
        known = np.isfinite(away) | ~sure
        wrong += int((sure & (away > error)).sum())
        unsure += int((~sure).sum())
        count += known.mean(axis=1).sum()
    parts = truth.shape[1]
    keys = 2 + (wrong + unsure) / count  # accept all, done; and a click or drag for each that is wrong or not offered
    print(
        f"  stretches of {gap} filled from both ends: {wrong / count / parts:.1%} sure and wrong, "
        f"{unsure / count / parts:.1%} not sure: {keys:.1f} keys and clicks a frame instead of {parts + 1}"
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", nargs="*", type=int, default=[0, 1])
    parser.add_argument("--gap", type=int, default=15, help="frames from one labeled frame to the next")
    parser.add_argument("--poses", nargs=2, metavar=("VIDEO", "TABLE"), help="a video and its poses, not the arena")
    parser.add_argument("--error", type=float, default=5.0, help="px")
    arguments = parser.parse_args()
    if arguments.poses:
        real(*arguments.poses, arguments.gap, arguments.error)
        return
    with tempfile.TemporaryDirectory() as folder:
        for seed in arguments.seeds:
            arena(seed, arguments.gap, arguments.error, Path(folder))


if __name__ == "__main__":
    main()
