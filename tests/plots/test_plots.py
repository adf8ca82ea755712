"""The figures show the data they are given, the right way up, and leave no trace in pyplot."""

import subprocess
import sys
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image

from dlcnb import plots
from dlcnb.evaluate import Evaluation
from dlcnb.poses import Poses

PARTS = ("snout", "leftear", "tailbase")


def walk(count=300, seed=0):
    """Poses that random-walk; the tailbase is unlikely in the first 50 frames."""
    rng = np.random.default_rng(seed)
    points = 200 + np.cumsum(rng.normal(0, 2, (count, 3, 2)), axis=0)
    likelihood = np.full((count, 3), 0.95)
    likelihood[:50, 2] = 0.1
    return Poses(PARTS, "dlcnb", points, likelihood)


def drawn(fig):
    """The figure as pixels (H, W, 3)."""
    fig.canvas.draw()
    return np.asarray(fig.canvas.buffer_rgba())[..., :3]


def lines(ax):
    """{label: line} of the lines in the legend."""
    return {line.get_label(): line for line in ax.lines if not line.get_label().startswith("_")}


def test_trajectory_shows_likely_points_the_right_way_up():
    poses = walk()
    fig, ax = plots.trajectory(poses, 0.6, size=(480, 640))
    found = lines(ax)
    assert list(found) == list(PARTS)
    np.testing.assert_array_equal(found["snout"].get_xydata(), poses.points[:, 0])
    assert np.isnan(found["tailbase"].get_xydata()[:50]).all()
    assert ax.get_xlim() == (-0.5, 639.5)
    assert ax.get_ylim() == (479.5, -0.5)
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("x (px)", "y (px)")
    assert ax.get_aspect() == 1
    assert drawn(fig).std() > 5


def test_trajectory_without_size_is_the_right_way_up_too():
    _, ax = plots.trajectory(walk())
    assert ax.yaxis_inverted()


def test_coordinates_are_over_seconds_or_frames():
    poses = walk()
    fig, (above, below) = plots.coordinates(poses, np.arange(300) / 30)
    np.testing.assert_array_equal(lines(above)["leftear"].get_ydata(), poses.points[:, 1, 0])
    np.testing.assert_array_equal(lines(below)["leftear"].get_ydata(), poses.points[:, 1, 1])
    assert lines(above)["snout"].get_xdata()[-1] == pytest.approx(299 / 30)
    assert below.yaxis_inverted()
    assert not above.yaxis_inverted()
    assert below.get_xlabel() == "time (s)"
    assert plots.coordinates(poses)[1][1].get_xlabel() == "frame"
    drawn(fig)


def test_times_must_fit_the_frames():
    with pytest.raises(ValueError, match="one time per frame"):
        plots.likelihood(walk(), np.arange(7))


def test_likelihood_shows_all_frames_and_the_cutoff():
    fig, ax = plots.likelihood(walk(), pcutoff=0.4)
    np.testing.assert_array_equal(lines(ax)["tailbase"].get_ydata()[[0, 60]], [0.1, 0.95])
    assert any(set(line.get_ydata()) == {0.4} for line in ax.lines)
    drawn(fig)


def test_histogram_is_of_signed_differences_and_symmetrical():
    poses = walk(2000)
    fig, (left, right) = plots.histogram(poses)
    for d, ax in enumerate((left, right)):
        values, edges, _ = ax.patches[0].get_data()
        np.testing.assert_allclose(edges, -edges[::-1])
        steps = np.diff(poses.points[:, 0, d])
        assert values.sum() == steps.size  # nothing is dropped: neither negative steps nor jumps
        assert values[:40].sum() == (steps < edges[40]).sum() > 500
        tail = ax.patches[2].get_data()[0]
        assert tail.sum() == 2000 - 51  # differences to unlikely points are none
    assert left.get_xlabel() == "Δx between frames (px)"
    drawn(fig)


def test_histogram_counts_jumps_in_the_outermost_bins():
    poses = walk(2000)
    poses.points[1000, 0, 0] += 500
    _, (left, _) = plots.histogram(poses)
    values = left.patches[0].get_data()[0]
    assert values[0] >= 1
    assert values[-1] >= 1
    assert "jumps beyond" in left.get_title()


def test_drawing_on_given_axes():
    fig = Figure()
    FigureCanvasAgg(fig)
    axes = fig.subplots(2, 2)
    assert plots.trajectory(walk(), ax=axes[0, 0]) == (fig, axes[0, 0])
    assert plots.histogram(walk(), ax=axes[1])[0] is fig
    with pytest.raises(ValueError, match="two axes"):
        plots.histogram(walk(), ax=axes[0, 0])
    drawn(fig)


@pytest.mark.parametrize("count", [1, 2])
def test_poses_of_a_frame_or_two_and_of_none_likely(count):
    poses = walk(count)
    poses.likelihood[:] = 0
    for draw in (plots.trajectory, plots.coordinates, plots.likelihood, plots.histogram):
        assert (drawn(draw(poses)[0]) < 255).any()
    assert np.isnan([line.get_ydata() for line in plots.trajectory(poses)[1].lines]).all()


def test_colors_tell_bodyparts_apart_and_are_the_same_in_every_figure():
    poses = walk()
    ways = [lines(plots.trajectory(poses)[1]), lines(plots.likelihood(poses)[1])]
    colors = [[tuple(np.round(line.get_color(), 3)) for line in way.values()] for way in ways]
    assert colors[0] == colors[1]
    assert len(set(colors[0])) == 3


def test_save_all_writes_deeplabcuts_files(tmp_path):
    paths = plots.save_all(walk(), np.arange(300) / 30, tmp_path / "plot-poses" / "m1", 0.6, size=(480, 640))
    assert [p.name for p in paths] == ["trajectory.png", "plot.png", "plot-likelihood.png", "hist.png"]
    assert sorted(p.name for p in paths[0].parent.iterdir()) == sorted(p.name for p in paths)
    for path in paths:
        with Image.open(path) as image:
            assert image.size[0] > 800
    more = plots.save_all(walk(), None, tmp_path, suffix="_filtered")
    assert more[1].name == "plot_filtered.png"


def test_a_long_recording_is_thinned_but_keeps_its_extremes():
    count = 300_000
    values = np.sin(np.arange(count) / 5e4)
    values[123_457] = 9
    values[200_000:200_100] = np.nan
    when, thin = plots.series.thinned(np.arange(count), values)
    assert len(when) == len(thin) <= plots.series.MOST
    assert np.nanmax(thin) == 9
    assert np.isnan(thin).any()
    assert np.diff(when).min() >= 0


def test_errors_of_train_and_test():
    rng = np.random.default_rng(0)
    labels = rng.uniform(0, 100, (20, 3, 2))
    labels[0, 0] = np.nan
    test = np.arange(20) < 6
    predicted = np.nan_to_num(labels) + np.where(test, 5.0, 1.0)[:, None, None] * [1, 0]
    found = Evaluation(
        PARTS, tuple(map(str, range(20))), labels, predicted, np.ones((20, 3)), test, 0.6, "snapshot-9", 9
    )
    fig, ax = plots.errors(found)
    assert [t.get_text() for t in ax.get_xticklabels()] == [f"{part}\n1.0 / 5.0" for part in PARTS]
    assert ax.get_ylabel() == "distance from the label (px)"
    drawn(fig)
    none = Evaluation(PARTS, ("a",), labels[:1], predicted[:1], np.ones((1, 3)), [False], 0.6, "snapshot-9", 9)
    assert [t.get_text() for t in plots.errors(none)[1].get_xticklabels()][1] == "leftear\n5.0 / –"
    drawn(plots.errors(none)[0])


def test_training_curves_and_the_best_snapshot():
    step = np.arange(10, 110, 10)
    history = {"step": step, "loss": 1 / step, "part_loss": 0.8 / step, "locref_loss": np.full(10, np.nan)}
    history |= {"validation_step": np.array([50, 100]), "validation_mean_px": np.array([9.0, 4.5])}
    history |= {"best_step": np.array([50, 100]), "best_mean_px": np.array([9.0, 4.5])}
    fig, (loss, error) = plots.training(history)
    assert list(lines(loss)) == ["loss", "score-maps"]
    assert "best 4.50 px at step 100" in lines(error)
    drawn(fig)
    drawn(plots.training({})[0])  # nothing yet


def test_a_notebook_shows_a_figure_once():
    from IPython.core.formatters import DisplayFormatter

    shown, _ = DisplayFormatter().format(plots.trajectory(walk(20))[0])
    assert set(shown) == {"text/plain", "image/png"}


def test_pyplot_is_not_used():
    code = "import dlcnb.plots, sys; print('matplotlib.pyplot' in sys.modules)"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "False"


@pytest.fixture
def evaluation():
    """120 points of three bodyparts, a few of them far off and unlikely."""
    rng = np.random.default_rng(0)
    labels = rng.uniform(0, 100, (40, 3, 2))
    predicted = labels + rng.normal(0, 2, labels.shape)
    likelihood = rng.uniform(0.7, 1, (40, 3))
    predicted[:6, 0] += 50
    likelihood[:6, 0] = 0.2
    images = tuple(f"labeled-data/m1/img{i}.png" for i in range(40))
    return Evaluation(PARTS, images, labels, predicted, likelihood, np.arange(40) < 20, 0.6, "snapshot-9", 9)


def test_pck_of_train_test_and_likely_points(evaluation):
    fig, ax = plots.pck(evaluation)
    found = {name.split(" (")[0]: line for name, line in lines(ax).items()}
    assert list(found) == ["train", "test", "test, likelihood ≥ 0.6"]
    assert found["test"].get_ydata()[-1] == pytest.approx(54 / 60)
    assert found["test, likelihood ≥ 0.6"].get_ydata()[-1] == 1
    assert len(ax.collections) == 1  # the interval
    drawn(fig)


def test_pck_against_human_variability(evaluation):
    human = SimpleNamespace(distances=np.full((9, 3), 1.0), bodyparts=PARTS, scorers=("ada", "bob"))
    found = lines(plots.pck(evaluation, human)[1])
    assert found["human"].get_ydata()[-1] == 1


def test_calibration_shows_both_cutoffs(evaluation):
    fig, ax = plots.calibration(evaluation)
    names = [label for label in lines(ax) if "cutoff" in label or "suggested" in label]
    assert names[0] == "pcutoff 0.6"
    assert 0.2 < float(names[1].split()[1]) <= 0.72
    drawn(fig)


def test_figures_of_an_evaluation_as_files(evaluation, tmp_path):
    paths = plots.save_evaluation(evaluation, tmp_path)
    assert [p.name for p in paths] == [
        f"evaluation-9-{name}.png" for name in ("errors", "pck", "calibration", "differences")
    ]
    assert all(path.stat().st_size > 5000 for path in paths)
    assert not [p for p in tmp_path.iterdir() if p not in paths]


def test_differences_show_the_side_that_points_are_off_to(evaluation):
    moved = replace(evaluation, predicted=evaluation.labels + [3.0, -2.0])
    fig, axes = plots.differences(moved)
    drawn(fig)
    labeled = int(np.isfinite(moved.labels).all(axis=-1).sum())
    for ax, shift in zip(axes, (3.0, -2.0), strict=True):
        counts = [(p.get_xy()[:, 1].max(), p.get_label()) for p in ax.patches]
        assert counts
        assert all(f"mean {shift:+.2f} px" in label for _, label in counts)
        assert max(count for count, _ in counts) <= ax.get_ylim()[1]
        assert ax.get_title().endswith(f"0 of {labeled} points outside")


def test_differences_without_any_label_are_empty_axes(evaluation):
    nothing = replace(evaluation, labels=np.full_like(evaluation.labels, np.nan))
    fig, axes = plots.differences(nothing)
    drawn(fig)
    assert not any(len(ax.patches) for ax in axes)


def test_a_figure_is_written_as_its_ending_says(evaluation, tmp_path):
    fig, _ = plots.differences(evaluation)
    starts = {"png": b"\x89PNG", "svg": b"<?xml", "pdf": b"%PDF"}
    for kind, start in starts.items():
        assert plots.save(fig, tmp_path / f"figure.{kind}").read_bytes().startswith(start)
    with pytest.raises(ValueError, match=r"\.png, \.svg or \.pdf"):
        plots.save(fig, tmp_path / "figure.docx")
