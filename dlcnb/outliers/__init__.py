"""The way back to the labels: find frames that the network got wrong, choose some, extract them, merge.

scores = score(poses, "jump")           # numbers; scores.count(threshold) is quick
found = scores.found(25)                # frames
chosen = subsample(found, 20, reader=reader)
extract(project, video, poses, chosen)  # images and the machine's labels, for the Labeler
merge(project)                          # after labeling: iteration + 1
"""

from dlcnb.outliers.choose import around, subsample
from dlcnb.outliers.refine import Extracted, Merged, extract, machine_labels_path, merge, refinement, suggestions
from dlcnb.outliers.scores import (
    HOW,
    Scores,
    bone,
    disagree,
    fit,
    jump,
    left_right_pairs,
    score,
    sure,
    swap,
    uncertain,
)

__all__ = [
    "HOW",
    "Extracted",
    "Merged",
    "Scores",
    "around",
    "bone",
    "disagree",
    "extract",
    "fit",
    "jump",
    "left_right_pairs",
    "machine_labels_path",
    "merge",
    "refinement",
    "score",
    "subsample",
    "suggestions",
    "sure",
    "swap",
    "uncertain",
]
