"""No name and no number breaks a figure, and none of them warns."""

import io
import math
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from dlcnb import plots
from dlcnb.evaluate import Evaluation, details, details_text
from dlcnb.plots.figure import named
from dlcnb.poses import Poses

NAMES = (r"$\frac$", "a$b", "^{_", "_x", "100%", "\\", "猫", "<b>x</b>", "two\nlines")
EXTREMES = (None, 1e9, 1e300, 1.7e308)
EDGES = [[0, 1], [1, 2]]


def ink(fig):
    """How many pixels of the saved figure are not white."""
    fig.savefig(picture := io.BytesIO(), format="png", dpi=40)
    return int((np.asarray(Image.open(picture).convert("L")) < 255).sum())


def poses(extreme):
    points = np.random.default_rng(0).uniform(0, 400, (60, len(NAMES), 2))
    if extreme:
        points[5, 0], points[7, 1], points[9, 2, 0] = extreme, -extreme, math.inf
    return Poses(NAMES, "DLC$\\x$", points, np.ones((60, len(NAMES))))


def evaluation(extreme):
    rng = np.random.default_rng(0)
    labels = rng.uniform(0, 400, (12, len(NAMES), 2))
    predicted = labels + rng.normal(0, 2, labels.shape)
    if extreme:
        predicted[3, 0], labels[4, 1], predicted[5, 2] = extreme, extreme, -extreme
    images = [f"labeled-data/$x/img{i}.png" for i in range(12)]
    likelihood, test = rng.random((12, len(NAMES))), np.arange(12) > 5
    return Evaluation(NAMES, images, labels, predicted, likelihood, test, 0.6, r"snapshot-$\frac$", 5)


def trials(kind, extreme):
    rows = [
        {"experiment": kind, "condition": condition, "set": which, "bodypart": part, "mean_px": px, "trained_frames": n}
        for condition, n in ((NAMES[0], 10), (NAMES[1], 100), ("all", 1000))
        for which in ("train", "test")
        for part in ("all", *NAMES[:2])
        for px in (3.0, extreme or 4.0, math.nan)
    ]
    return pd.DataFrame(rows)


@pytest.mark.parametrize("extreme", EXTREMES)
@pytest.mark.parametrize(
    "draw",
    [
        plots.trajectory,
        plots.coordinates,
        plots.likelihood,
        plots.histogram,
        plots.speed,
        lambda p: plots.bones(p, EDGES),
        lambda p: plots.postures(p, 5, bodypart=NAMES[0], skeleton=EDGES),
        lambda p: plots.skeletons(p, EDGES, centre=NAMES[0]),
    ],
)
def test_figures_of_poses(draw, extreme):
    assert ink(draw(poses(extreme))[0])


@pytest.mark.parametrize("extreme", EXTREMES)
@pytest.mark.parametrize("draw", [plots.errors, plots.pck, plots.calibration])
def test_figures_of_an_evaluation(draw, extreme):
    assert ink(draw(evaluation(extreme))[0])


@pytest.mark.parametrize("extreme", EXTREMES)
def test_numbers_of_an_evaluation_stay_numbers_and_lines_stay_short(extreme):
    found = evaluation(extreme)
    report = found.to_json()
    assert report["test"]["n"] == 6 * len(NAMES)
    assert math.isfinite(report["test"]["rms_px"])
    for text in (found.table(), details_text(details(found)), report["verdict"]["text"]):
        assert max(map(len, text.splitlines())) < 250


@pytest.mark.parametrize("extreme", EXTREMES)
@pytest.mark.parametrize("kind", ["learning-curve", "parts", "folds", "epsilon"])
def test_figures_of_experiments(kind, extreme):
    one_frame = SimpleNamespace(distances=np.array([[1.0, 2.0]]))
    assert ink(plots.experiment(trials(kind, extreme), one_frame)[0])


@pytest.mark.parametrize("kind", ["learning-curve", "folds"])
def test_an_experiment_without_any_result_has_an_empty_figure(kind):
    table = trials(kind, None)
    fig, ax = plots.experiment(table.assign(mean_px=math.nan))
    assert ink(fig)
    assert not any(np.isfinite(np.asarray(line.get_ydata(), float)).any() for line in ax.lines)


@pytest.mark.parametrize("kind", ["learning-curve", "parts", "folds"])
def test_experiment_figures_keep_dots_and_legend_apart(kind):
    fig, ax = plots.experiment(trials(kind, None))
    fig.canvas.draw()
    assert ax.get_legend().get_window_extent().x0 >= ax.get_window_extent().x1
    crosses = {x for line in ax.lines if line.get_marker() == "x" for x in line.get_xdata()}
    means = {x for line in ax.lines if line.get_marker() == "o" for x in line.get_xdata()}
    assert crosses
    assert means
    assert not crosses & means


@pytest.mark.parametrize("extreme", EXTREMES)
def test_training_curves(extreme):
    px = extreme or 2.0
    history = {"step": np.arange(5), "loss": np.array([1, 2, 3, px, 4.0])}
    checks = {"validation_step": np.array([0, 1, 3_000_000]), "validation_mean_px": np.array([3.0, px, 1.0])}
    fig, axes = plots.training({**history, **checks, "best_step": [1], "best_mean_px": [px]})
    assert axes[1].lines[0].get_xdata()[-1] == 3_000_000
    assert ink(fig)


def test_names_are_shown_to_the_letter():
    fig, ax = plots.trajectory(poses(None))
    fig.canvas.draw()
    assert [text.get_text().strip() for text in ax.get_legend().get_texts()] == [named(name).strip() for name in NAMES]
    assert named("ear") == "ear"


def test_what_is_absurdly_far_is_left_out_and_said():
    _, ax = plots.trajectory(poses(1e9))
    assert "without 3 points beyond 1e+06 px" in ax.get_title()
    assert ax.get_xlim()[1] < 1000
    assert "beyond" not in plots.trajectory(poses(None))[1].get_title()


def test_axes_end_with_the_frame_and_what_is_beyond_is_counted():
    points = np.random.default_rng(0).uniform(10, 90, (50, 1, 2))
    points[[3, 30], 0] = (-400, 50), (20, 9000)
    far = Poses(("snout",), "x", points, np.ones((50, 1)))
    _, (above, below) = plots.coordinates(far, size=(120, 160))
    assert above.get_ylim()[0] == -0.5
    assert 90 <= above.get_ylim()[1] < 159.5  # no larger than it must be
    assert max(below.get_ylim()) == 119.5
    assert below.yaxis_inverted()
    for ax in (above, plots.trajectory(far, size=(120, 160))[1]):
        assert "without 2 points outside the frame" in ax.get_title()
    assert "outside" not in plots.coordinates(far)[1][0].get_title()


def test_histograms_peak_is_within_the_axes_though_y_is_stiller_than_x():
    points = np.random.default_rng(0).normal(0, 20, (500, 2, 2))
    points[..., 1] = 7
    _, axes = plots.histogram(Poses(("a", "b"), "x", points, np.ones((500, 2))))
    for ax in axes:
        assert ax.get_ylim()[1] > max(patch.get_data().values.max() for patch in ax.patches)
