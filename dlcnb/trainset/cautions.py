"""What to look at before a training begins: twins that look swapped, too few frames to test on, sizes that differ."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from dlcnb.geometry import animal_px
from dlcnb.labels import LabelError, Labels
from dlcnb.labels.current import current_labels
from dlcnb.labels.suspicion import rank_labels
from dlcnb.trainset.config import TrainConfig
from dlcnb.trainset.sides import mirror_order

if TYPE_CHECKING:
    from dlcnb.project import Project

__all__ = ["FEW", "few_labels", "few_to_test", "fraction_that_tests", "sizes_that_differ", "swapped_twins"]

FEW = 10  # labeled frames; with fewer a network finds little
_JUDGED = 300  # frames whose twins are looked at
_TO_TEST = 5  # frames; with fewer the test error is a matter of luck
_OF_FEW = 0.8  # training fraction where there are too few frames to hold that many out
_TO_SPARE = 4  # times as many labeled frames, from which so many may be held out
_OF_A_VIDEO = 3  # frames, at least, that tell how large the animal is in it
_LARGER = 2.0  # times


def swapped_twins(labels: Labels) -> str | None:
    """What to say of frames whose left and right look exchanged; None if there are none.

    Only bodyparts that are each other's twin by their names are told; other swaps are found by `dlcnb.LabelReview`.
    """
    twins = mirror_order(labels.bodyparts)
    if twins is None or (twins == np.arange(len(twins))).all():
        return None
    pairs = [{name, labels.bodyparts[twin]} for name, twin in zip(labels.bodyparts, twins, strict=True)]
    some = labels.select(np.arange(0, len(labels.images), -(-len(labels.images) // _JUDGED)))
    found = [
        (suspicion.image, fault.bodyparts)
        for suspicion in rank_labels(some)
        for fault in suspicion.faults
        if fault.kind == "swapped" and set(fault.bodyparts) in pairs
    ]
    if not found:
        return None
    names, where = " and ".join(found[0][1]), ", ".join(image for image, _ in found[:3])
    more = f" and {len(found) - 3} more" if len(found) > 3 else ""
    return (
        f"Left and right look swapped ({names}) in {where}{more}: the network would learn both. "
        "Look at these frames (Check the labels, in Studio), and exchange the labels if they are wrong."
    )


def few_labels(project: Project) -> str:
    """What to say before a training on very few frames; empty if there are enough, or their tables are damaged."""
    try:
        count = len(current_labels(project, finished=True).images)
    except LabelError:  # none by this scorer, or a damaged table: a training says which
        return ""
    if count >= FEW:
        return ""
    frames = "1 frame is" if count == 1 else f"{count} frames are"
    return (
        f"Only {frames} labeled: a network learns little from so few, and they can't tell how good it is. "
        "Label 20 or more, as different as they come."
    )


def few_to_test(train: int, test: int, config: TrainConfig) -> str | None:
    """What to say if the test split has so few frames that its error means little; None if it has enough.

    A run that is meant to train on all frames (``train_fraction=1``), or on all videos but one, is none of that.

    Parameters
    ----------
    train, test : frames of the two splits, the validation part included.
    """
    if test >= _TO_TEST or config.train_fraction == 1 or config.leave_out is not None or config.folds is not None:
        return None
    frames = train + test
    if frames == 1:
        have = "The only labeled frame is not held out"
    elif test == 0:
        have = f"None of the {frames} labeled frames is held out"
    else:
        have = f"Only {test} of the {frames} labeled frames {'is' if test == 1 else 'are'} held out"
    return (
        f"{have} to test the network (the training fraction is {config.train_fraction:g}), so that its test error will "
        f"say {'nothing' if test == 0 else 'little'}. {_cure(frames)}"
    )


def _cure(frames: int) -> str:
    """How enough of so many labeled frames are held out to test."""
    if frames < _TO_SPARE * _TO_TEST:
        return "Label more frames."
    fraction = fraction_that_tests(frames)
    return f"Label more frames; or set the training fraction to {fraction:g} (in Studio: Train, More settings)."


def fraction_that_tests(frames: int) -> float:
    """A training fraction that holds enough of so many labeled frames out to test; of few frames, a fifth."""
    return int(100 * (frames - _TO_TEST) / frames) / 100 if frames >= _TO_SPARE * _TO_TEST else _OF_FEW


def sizes_that_differ(points: NDArray[np.float64], videos: Sequence[str]) -> str | None:
    """What to say if the animal is much larger in one video than in another; None if it is not.

    Parameters
    ----------
    points : float ``(N, K, 2)`` px, NaN = not there.
    videos : N names, of the video that each frame is of.
    """
    sizes = {}
    for video in dict.fromkeys(videos):
        mine = np.array([other == video for other in videos])
        size = animal_px(points[mine])
        if mine.sum() >= _OF_A_VIDEO and size > 0:
            sizes[video] = size
    if len(sizes) < 2:
        return None
    small, large = min(sizes, key=sizes.__getitem__), max(sizes, key=sizes.__getitem__)
    if sizes[large] <= _LARGER * sizes[small]:
        return None
    return (
        f"The animal is {sizes[large]:.0f} px large in {large}, {sizes[small]:.0f} px in {small}; all frames are seen "
        "at one scale. Resize the videos to be alike, or train on each kind in a project of its own."
    )
