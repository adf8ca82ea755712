"""Errors known on paper; the report's layout; files that read back to the last digit."""

import json
import math

import numpy as np
import pandas as pd
import pytest

from dlcnb.evaluate import ErrorSummary, Evaluation, bootstrap_ci, errors, summarize

NAN = math.nan


def example(**changes):
    """Snout off by 5, 5, 3, 9 px and tail by 1, -, 2, 2 px; the last two of four frames are test."""
    labels = np.array([[[10, 20], [0, 0]], [[50, 60], [NAN, NAN]], [[5, 5], [7, 7]], [[100, 9], [3, 4]]], float)
    off = np.array([[[3, 4], [1, 0]], [[-3, 4], [5, 5]], [[0, 3], [0, -2]], [[9, 0], [2, 0]]], float)
    fields = {
        "bodyparts": ("snout", "tail"),
        "images": tuple(f"labeled-data/m1/img{i}.png" for i in range(4)),
        "labels": labels,
        "predicted": np.nan_to_num(labels, nan=30.0) + off,
        "likelihood": np.array([[0.9, 0.9], [0.2, 0.1], [1.0, 0.8], [0.3, 0.6]]),
        "is_test": np.array([False, False, True, True]),
        "pcutoff": 0.6,
        "snapshot": "snapshot-200",
        "step": 200,
    }
    return Evaluation(**{**fields, **changes})


# --- numbers


def test_errors_are_distances_and_missing_where_unlabeled():
    np.testing.assert_allclose(example().errors, [[5, 1], [5, NAN], [3, 2], [9, 2]])


def test_errors_refuse_shapes_that_do_not_fit():
    with pytest.raises(ValueError, match="frames, bodyparts, 2"):
        errors(np.zeros((3, 2, 2)), np.zeros((3, 1, 2)))
    with pytest.raises(ValueError, match="frames, bodyparts, 2"):
        errors(np.zeros((3, 2, 3)), np.zeros((3, 2, 3)))


def test_summary_has_mean_true_root_mean_square_and_median():
    assert summarize([[3, 4], [NAN, 8]]) == ErrorSummary(5.0, pytest.approx(math.sqrt(89 / 3)), 4.0, 3)


@pytest.mark.parametrize("nothing", [[], [[NAN, NAN]], np.zeros((0, 4))])
def test_summary_of_nothing(nothing):
    found = summarize(nothing)
    assert found.n == 0
    assert math.isnan(found.mean_px)
    assert found.to_json() == {"mean_px": None, "rms_px": None, "median_px": None, "n": 0}


def test_interval_covers_the_true_mean_about_95_times_in_100():
    rng = np.random.default_rng(1)
    covered = 0
    for k in range(200):
        frame = rng.gamma(4, 0.5, (30, 1)) * rng.uniform(0.7, 1.3, (30, 4))  # mean 2; points of a frame go together
        low, high = bootstrap_ci(frame, seed=k, n=300)
        covered += low <= 2 <= high
    assert 175 <= covered <= 198


def test_interval_resamples_frames_not_points():
    frames = np.repeat(np.random.default_rng(0).uniform(1, 5, (20, 1)), 50, axis=1)
    low, high = bootstrap_ci(frames)
    assert high - low > 0.6  # 1000 independent points would give 0.14


def test_interval_is_repeatable_and_needs_two_frames():
    found = np.random.default_rng(0).uniform(1, 5, (9, 3))
    assert bootstrap_ci(found, seed=3) == bootstrap_ci(found, seed=3)
    assert bootstrap_ci(found, seed=3) != bootstrap_ci(found, seed=4)
    for few in (np.ones((1, 4)), np.full((5, 4), NAN), np.zeros((0, 4))):
        assert all(math.isnan(v) for v in bootstrap_ci(few))


# --- the report


@pytest.mark.parametrize(("since", "said"), [(0, ""), (1, "1 frame labeled since"), (2, "2 frames labeled since")])
def test_frames_labeled_since_the_training_are_told_and_kept(tmp_path, since, said):
    found = example(labeled_since=since)
    found.write(tmp_path)
    again = Evaluation.read(tmp_path)
    assert again.labeled_since == since
    assert again.left_out.startswith(said)
    assert ("labeled since" in found.table()) == bool(said)


def test_steps_of_networks_that_it_goes_on_from_are_kept(tmp_path):
    assert example(step=150).to_json()["steps_behind"] == 150
    found = example(step=150, steps_behind=318)
    found.write(tmp_path)
    assert Evaluation.read(tmp_path).steps_behind == 318


def test_report_has_exactly_the_promised_layout():
    report = example().to_json()
    numbers = ["snapshot", "step", "train", "test", "bodyparts", "pcutoff", "test_pcutoff"]
    assert list(report) == [*numbers, "animal_px", "pck5", "verdict", "presence", "labeled_since", "steps_behind"]
    assert list(report["train"]) == ["mean_px", "rms_px", "median_px", "n"]
    assert list(report["test"]) == list(report["test_pcutoff"]) == ["mean_px", "rms_px", "median_px", "n", "ci95"]
    assert report["train"] == {
        "mean_px": pytest.approx(11 / 3),
        "rms_px": pytest.approx(math.sqrt(17)),
        "median_px": 5.0,
        "n": 3,
    }
    assert report["test"]["mean_px"] == 4.0
    assert report["test"]["n"] == 4
    assert report["bodyparts"] == {
        "snout": {"train_mean_px": 5.0, "test_mean_px": 6.0},
        "tail": {"train_mean_px": 1.0, "test_mean_px": 2.0},
    }
    assert report["test_pcutoff"]["n"] == 3
    assert report["test_pcutoff"]["mean_px"] == pytest.approx(7 / 3)
    low, high = report["test"]["ci95"]
    assert 2.4 < low < 4 < high < 5.6


def test_report_without_test_frames_is_json_with_nulls():
    report = example(is_test=np.zeros(4, bool)).to_json()
    assert report["test"] == {"mean_px": None, "rms_px": None, "median_px": None, "n": 0, "ci95": [None, None]}
    json.dumps(report, allow_nan=False)


def test_a_prediction_that_is_not_there_is_no_error():
    predicted = example().predicted.copy()
    predicted[3, 0] = NAN
    assert example(predicted=predicted).to_json()["test"]["n"] == 3


def test_table_for_humans():
    table = example().table()
    rows = {line[:16].strip(): line[16:].split() for line in table.splitlines()[1:]}
    assert rows["snout"] == ["5.00", "6.00", "3.00"]
    assert rows["tail"] == ["1.00", "2.00", "2.00"]
    assert rows["all, mean"] == ["3.67", "4.00", "2.33"]
    assert rows["points"] == ["3", "4", "3"]
    assert rows["frames"] == ["2", "2", "2"]
    assert len({len(line) for line in table.splitlines()[1:]}) == 1  # columns in line
    assert "- " in example(is_test=np.zeros(4, bool)).table()


def test_arrays_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match=r"likelihood must have shape \(4, 2\)"):
        example(likelihood=np.ones((4, 3)))


# --- files


def assert_equal(a, b):
    assert (a.bodyparts, a.images, a.pcutoff, a.snapshot, a.step) == (
        b.bodyparts,
        b.images,
        b.pcutoff,
        b.snapshot,
        b.step,
    )
    for name in ("labels", "predicted", "likelihood", "is_test"):
        np.testing.assert_array_equal(getattr(a, name), getattr(b, name))


def test_files_read_back_to_the_last_digit(tmp_path):
    rng = np.random.default_rng(0)
    written = example(predicted=rng.normal(size=(4, 2, 2)) * np.pi, likelihood=rng.random((4, 2)) / 3)
    report, frames, _ = written.write(tmp_path / "evaluation")
    assert_equal(Evaluation.read(report), written)
    assert_equal(Evaluation.read(tmp_path / "evaluation"), written)
    assert json.loads(report.read_text()) == written.to_json()
    table = pd.read_csv(frames)
    np.testing.assert_allclose(table["tail error"], written.errors[:, 1])
    assert list(table["set"]) == ["train", "train", "test", "test"]


def test_snapshots_share_a_folder_and_deeplabcuts_table(tmp_path):
    folder = tmp_path / "openfieldOct30-trainset50shuffle3"
    example(step=400, snapshot="snapshot-400").write(folder)
    example().write(folder)
    example(pcutoff=0.0).write(folder)  # again: replaces its row
    assert Evaluation.read(folder).step == 400
    assert Evaluation.read(folder / "evaluation-200.json").pcutoff == 0
    table = pd.read_csv(folder / "CombinedEvaluation-results.csv", index_col=0)
    assert list(table.columns) == [
        "Training iterations:",
        "%Training dataset",
        "Shuffle number",
        " Train error(px)",
        " Test error(px)",
        "p-cutoff used",
        "Train error with p-cutoff",
        "Test error with p-cutoff",
    ]
    assert table.to_numpy().tolist() == [[200, 50, 3, 3.67, 4, 0, 3.67, 4], [400, 50, 3, 3.67, 4, 0.6, 3, 2.33]]


def test_reading_nothing_or_rubbish_says_so(tmp_path):
    with pytest.raises(FileNotFoundError, match="dlcnb evaluate"):
        Evaluation.read(tmp_path)
    report, frames, _ = example().write(tmp_path)
    frames.write_text("image,set\na,train\n")
    with pytest.raises(ValueError, match="evaluate again"):
        Evaluation.read(report)
    report.write_text("{")
    with pytest.raises(ValueError, match="evaluate again"):
        Evaluation.read(tmp_path)
