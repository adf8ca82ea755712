"""Figures of labeled frames: predictions and score-maps, people against the network (2E, 2G, 7A, S1, signed)."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from dlcnb import plots
from dlcnb.evaluate import doubtful_labels, summarize
from dlcnb.figures.source import Drawing, MissingDataError, Source
from dlcnb.labels import read_image
from dlcnb.plots.figure import figure_of, named

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dlcnb.evaluate import Evaluation

__all__ = ["human_and_network", "score_maps", "signed", "tested_frames", "two_labelings"]

_SHOWN = 2  # frames
_VIEW = 40.0  # px around the animal


def tested_frames(source: Source) -> Drawing:
    """2E: test frames with labels, predictions and score-maps."""
    evaluation, maps = source.evaluation, source.maps
    chosen = _typical(evaluation)
    figure = figure_of((8, 3.8 * len(chosen)))
    axes = np.atleast_2d(figure.subplots(len(chosen), 2))
    for (left, right), n in zip(axes, chosen, strict=True):
        name, points = evaluation.images[n], evaluation.predicted[n]
        image = read_image(source.project.root / name)
        about = {"likelihood": evaluation.likelihood[n], "labels": evaluation.labels[n], "pcutoff": evaluation.pcutoff}
        plots.pose_on(image, points, evaluation.bodyparts, **about, view=_VIEW, ax=left)
        mean = summarize(evaluation.errors[n]).mean_px
        left.set_title(f"{named(PurePosixPath(name).stem)}: {mean:.2f} px", fontsize="medium")
        heat = np.max(
            [maps.on_frame(name, part, (image.shape[0], image.shape[1])) for part in evaluation.bodyparts], axis=0
        )
        around = np.concatenate([points[about["likelihood"] >= evaluation.pcutoff], evaluation.labels[n]])
        plots.score_map_on(image, heat, name="score-maps", points=around, view=_VIEW, ax=right)
    axes[0, 0].legend(fontsize="x-small", framealpha=0.7)
    test = summarize(evaluation.errors[evaluation.judged])
    kind = "test" if evaluation.is_test.any() else "training"
    caption = (
        f"{len(chosen)} {kind} frames with labels (+), predictions (dots; × below the pcutoff {evaluation.pcutoff:g}) "
        f"and score-maps, the highest of all bodyparts. They are those at a third and two thirds of the frames in the "
        f"order of their mean error, not the best ones. All {int(evaluation.judged.sum())} {kind} frames: "
        f"{test.mean_px:.2f} px (mean of {test.n} points); {evaluation.snapshot}."
    )
    return Drawing(figure, _points(evaluation, chosen), caption)


def score_maps(source: Source) -> Drawing:
    """7A: score-maps of single bodyparts, as they are and logarithmic."""
    evaluation, maps = source.evaluation, source.maps
    n = _typical(evaluation)[0]
    name = evaluation.images[n]
    image = read_image(source.project.root / name)
    order = np.argsort(np.nan_to_num(evaluation.likelihood[n], nan=-1.0))
    parts = [evaluation.bodyparts[k] for k in dict.fromkeys((int(order[-1]), int(order[0])))]  # surest, least sure
    parts = [source.bodypart] if source.bodypart in evaluation.bodyparts else parts
    figure = figure_of((10.5, 3.6 * len(parts)))
    axes = np.atleast_2d(figure.subplots(len(parts), 3))
    for row, part in zip(axes, parts, strict=True):
        k = evaluation.bodyparts.index(part)
        around = np.concatenate([evaluation.predicted[n], evaluation.labels[n]])
        one = evaluation.predicted[n, [k]], evaluation.bodyparts[k : k + 1]
        label, sure = evaluation.labels[n, [k]], evaluation.likelihood[n, [k]]
        plots.pose_on(image, *one, labels=label, likelihood=sure, pcutoff=evaluation.pcutoff, ax=row[0])
        row[0].set_title(f"{named(part)}, likelihood {sure[0]:.2f}", fontsize="medium")
        for ax, log in zip(row[1:], (False, True), strict=True):
            heat = maps.on_frame(name, part, (image.shape[0], image.shape[1]), log=log)
            plots.score_map_on(image, heat, name="log score-map" if log else "score-map", points=around, ax=ax)
    caption = (
        f"Score-maps of {' and '.join(parts)} on {name}, as they are and logarithmic (black is a probability of 1e-5): "
        f"they show which other places the network considered. + is the label, the dot the prediction (× below the "
        f"pcutoff {evaluation.pcutoff:g}); {evaluation.snapshot}."
    )
    return Drawing(figure, _points(evaluation, [n], parts), caption)


def human_and_network(source: Source) -> Drawing:
    """2G: human and network, point by point; labels that may be wrong are named."""
    human, evaluation = source.two_people, source.evaluation
    table = doubtful_labels(evaluation, human)
    odd = table[table["doubt"].str.contains("label")].sort_values("human_px", ascending=False)
    names = ", ".join(f"{row[1]} in {row[0]} ({row[2]})" for row in odd[["image", "bodypart", "doubt"]].to_numpy()[:10])
    worst = f"Labels that may be wrong: {names}." if names else "No label is far from the other person and the network."
    caption = (
        f"Distance of the network from {human.scorers[0]}'s label over that of {human.scorers[1]}, for {len(table)} "
        f"points of {table['image'].nunique()} frames ({_share(table)}), {evaluation.snapshot}. Below the line the "
        f"network is nearer than the second person. {worst} {int((table['doubt'] == 'network').sum())} points of the "
        "network are far from labels on which both people agree."
    )
    return Drawing(plots.against_human(table)[0], table, caption)


def two_labelings(source: Source) -> Drawing:
    """S1: first against second label."""
    human = source.two_people
    rows = [
        (image, part, *human.points[1, t, k] - human.points[0, t, k], human.distances[t, k])
        for t, image in enumerate(human.images)
        for k, part in enumerate(human.bodyparts)
        if np.isfinite(human.distances[t, k])
    ]
    table = pd.DataFrame(rows, columns=["image", "bodypart", "dx_px", "dy_px", "distance_px"])
    spread = human.spread
    low, high = spread.mean_ci95
    within = float((table["distance_px"] < 5).mean()) if len(table) else float("nan")
    caption = (
        f"Labels of {human.scorers[1]} against those of {human.scorers[0]} on {len(human.images)} frames: mean "
        f"{spread.mean_px:.2f} px (95 % interval {low:.2f} to {high:.2f}, over frames), median {spread.median_px:.2f} "
        f"px, of {spread.n} points; {within:.0%} are less than 5 px apart. The paper has 2.69 ± 0.1 px of 4,320 points."
    )
    return Drawing(plots.agreement(human)[0].figure, table, caption)


def signed(source: Source) -> Drawing:
    """Predicted minus labeled, x and y."""
    evaluation = source.evaluation
    table = _points(evaluation, range(len(evaluation.images)))
    tested = table[table["set"] == "test"]
    means = ", ".join(f"{axis} {tested[f'd{axis}_px'].mean():+.2f} px" for axis in "xy") if len(tested) else "none"
    caption = (
        f"Predicted minus labeled x and y of {len(table.dropna())} points, train ({(~evaluation.is_test).sum()} "
        f"frames) and test ({evaluation.is_test.sum()} frames) apart; means of the test points: {means}. "
        f"{evaluation.snapshot}."
    )
    return Drawing(plots.differences(evaluation)[0], table, caption)


def _typical(evaluation: Evaluation) -> list[int]:
    """Frames to show: of the test frames (or all) by rising mean error those at a third and at two thirds.

    Raises `MissingDataError` where no frame has both a label and a prediction of a bodypart.
    """
    frames = np.flatnonzero(evaluation.judged & np.isfinite(evaluation.errors).any(axis=1))
    if not len(frames):
        raise MissingDataError(
            f"It needs a frame with a label and a prediction of one bodypart; {evaluation.snapshot} was evaluated on "
            "none. Label more frames, and evaluate again."
        )
    means = np.array([summarize(evaluation.errors[n]).mean_px for n in frames])
    order = frames[np.argsort(means, kind="stable")]
    places = [len(order) * (k + 1) // (_SHOWN + 1) for k in range(_SHOWN)]
    return list(dict.fromkeys(int(order[place]) for place in places if place < len(order)))


def _points(evaluation: Evaluation, frames: Iterable[int], parts: list[str] | None = None) -> pd.DataFrame:
    """Labels and predictions of some frames, a row for each bodypart."""
    rows = []
    for n in frames:
        for k, part in enumerate(evaluation.bodyparts):
            if parts is None or part in parts:
                label, found = evaluation.labels[n, k], evaluation.predicted[n, k]
                about = (evaluation.images[n], "test" if evaluation.is_test[n] else "train", part)
                rows.append((*about, *label, *found, evaluation.likelihood[n, k], *found - label))
    columns = ["image", "set", "bodypart", "label_x", "label_y", "x", "y", "likelihood", "dx_px", "dy_px"]
    return pd.DataFrame(rows, columns=columns)


def _share(table: pd.DataFrame) -> str:
    counts = table["set"].value_counts()
    return ", ".join(f"{counts[name]} {name}" for name in ("train", "test") if name in counts)
