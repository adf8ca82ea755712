"""PCK, calibration and splits against numbers known on paper or in the limit of many points."""

import json
import math

import numpy as np
import pandas as pd
import pytest

from dlcnb import sampledata
from dlcnb.evaluate import (
    Evaluation,
    calibrate,
    details,
    details_text,
    human_variability,
    keypoint_table,
    over_splits,
    pck_curve,
    pick,
    summarize_splits,
    write_details,
)
from dlcnb.labels import Labels

NAN = math.nan


def evaluation(errors, likelihood=None, is_test=None, pcutoff=0.6, bodyparts=None):
    """An evaluation with these errors (N, K); NaN = unlabeled."""
    errors = np.asarray(errors, float)
    n, k = errors.shape
    labels = np.where(np.isnan(errors)[..., None], NAN, 50.0) + np.zeros((n, k, 2))
    predicted = np.full((n, k, 2), 50.0)
    predicted[..., 0] += np.nan_to_num(errors)
    return Evaluation(
        bodyparts=bodyparts or tuple(f"part{i}" for i in range(k)),
        images=tuple(f"labeled-data/m1/img{i}.png" for i in range(n)),
        labels=labels,
        predicted=predicted,
        likelihood=np.ones((n, k)) if likelihood is None else likelihood,
        is_test=np.ones(n, bool) if is_test is None else is_test,
        pcutoff=pcutoff,
        snapshot="snapshot-10",
        step=10,
    )


class TestPck:
    def test_counts_labeled_points_within_each_distance(self):
        curve = pck_curve([[1, 4], [NAN, 2], [9, 3]], [0.5, 1, 2, 3, 5, 10])
        np.testing.assert_allclose(curve.share, [0, 0.2, 0.4, 0.6, 0.8, 1])
        assert curve.n == 5
        assert curve.at(4) == pytest.approx(0.7)
        assert (curve.low <= curve.share + 1e-12).all()
        assert (curve.high >= curve.share - 1e-12).all()

    def test_area_is_one_for_perfect_points(self):
        assert pck_curve(np.zeros((5, 2))).area == 1
        assert pck_curve(np.full((5, 2), 1e6), [0, 10, 20]).area == 0

    def test_interval_covers_the_true_share_and_frames_go_together(self):
        rng = np.random.default_rng(0)
        covered = 0
        for seed in range(100):
            errors = np.repeat(rng.random((40, 1)), 10, axis=1)  # the points of a frame are one observation
            curve = pck_curve(errors, [0.5, 2], seed=seed, n=300)
            covered += curve.low[0] <= 0.5 <= curve.high[0]
        assert 85 <= covered <= 100

    def test_the_axis_reaches_the_largest_errors_worth_seeing(self):
        assert pck_curve([[1.0, 2.0]]).thresholds_px[-1] == 20
        assert pck_curve(np.full((3, 2), 90.5)).thresholds_px[-1] == 91

    def test_one_huge_error_makes_the_near_distances_no_coarser(self):
        curve = pck_curve([[1.0, 3.0], [7.0, 526.0]])
        assert [curve.at(px) for px in (2, 5, 10, 20)] == [0.25, 0.5, 0.75, 0.75]
        text = details_text(details(evaluation([[1.0, 3.0], [7.0, 526.0]], is_test=[True, True])))
        assert "Of 4 test points, within 2 px: 25%, 5 px: 50%, 10 px: 75%, 20 px: 75%" in text

    def test_nothing_gives_nan_not_an_error(self):
        curve = pck_curve(np.full((3, 2), NAN))
        assert curve.n == 0
        assert np.isnan(curve.share).all()
        assert math.isnan(curve.area)
        json.dumps(curve.to_json(), allow_nan=False)

    def test_wrong_input_is_told(self):
        with pytest.raises(ValueError, match="frames, bodyparts"):
            pck_curve([1, 2])
        with pytest.raises(ValueError, match="rising"):
            pck_curve([[1, 2]], [3, 2])


class TestCalibration:
    def test_a_calibrated_likelihood_lies_on_the_diagonal(self):
        rng = np.random.default_rng(0)
        likelihood = rng.random((20000, 2))
        errors = np.where(rng.random((20000, 2)) < likelihood, 1.0, 30.0)
        found = calibrate(errors, likelihood)
        np.testing.assert_allclose(found.share_right, found.mean_likelihood, atol=0.03)
        assert found.expected_error < 0.01
        assert ((found.low < found.mean_likelihood) & (found.mean_likelihood < found.high)).sum() >= 8
        assert found.suggested_pcutoff == pytest.approx(0.5, abs=0.06)
        assert found.n.sum() == 40000

    def test_the_suggested_pcutoff_separates_right_from_wrong(self):
        found = calibrate([[1, 2, 30, 1, 44]] * 5, [[0.9, 0.8, 0.3, 0.7, 0.2]] * 5)
        assert 0.3 < found.suggested_pcutoff <= 0.7
        assert found.at(found.suggested_pcutoff) == {
            "kept": 0.6,
            "right_kept": 1,
            "wrong_left_out": 1,
            "kept_right": 1,
        }
        assert found.auc == 1

    def test_it_is_short_even_between_close_neighbours(self):
        found = calibrate([[30, 1]] * 5, [[0.99991, 0.99995]] * 5)
        assert 0.99991 < found.suggested_pcutoff <= 0.99995
        assert len(str(found.suggested_pcutoff)) <= 8

    @pytest.mark.parametrize("errors", [[[1.0, 2.0]], [[80.0, 90.0]]])
    def test_no_suggestion_where_no_cutoff_is_better(self, errors):
        found = calibrate(errors * 5, [[0.4, 0.6]] * 5)
        assert found.suggested_pcutoff is None
        assert math.isnan(found.auc)

    @pytest.mark.parametrize(
        ("wrong", "told"), [(0, "no wrong points"), (1, "only 1 wrong point"), (4, "only 4 wrong")]
    )
    def test_a_few_wrong_points_suggest_nothing(self, wrong, told):
        errors, likelihood = [[1.0] * 4] * 19 + [[30.0] * wrong + [1.0] * (4 - wrong)], np.full((20, 4), 0.99)
        likelihood[-1, :wrong] = 0.98
        found = calibrate(errors, likelihood)
        assert found.suggested_pcutoff is None
        assert found.too_few.startswith(told)

    def test_five_of_each_kind_are_enough(self):
        found = calibrate([[1.0] * 5, [30.0] * 5], [[0.9] * 5, [0.3] * 5])
        assert 0.3 < found.suggested_pcutoff <= 0.9
        assert found.too_few == ""

    def test_few_right_points_suggest_nothing_either(self):
        found = calibrate([[1.0] * 2, [30.0] * 2, [30.0] * 2, [30.0] * 2], [[0.9] * 2] + [[0.3] * 2] * 3)
        assert found.suggested_pcutoff is None
        assert found.too_few == "only 2 right points"

    @pytest.mark.parametrize(("sure", "suggests"), [(4, False), (6, True)])
    def test_a_cutoff_that_loses_most_right_points_is_not_suggested(self, sure, suggests):
        right = [0.95] * sure + [0.3] * (10 - sure)  # the wrong ones lie between
        found = calibrate([[1.0] * 10, [30.0] * 10], [right, [0.5] * 10])
        assert (found.suggested_pcutoff is not None) == suggests
        assert ("most of the right ones" in found.why_none) != suggests

    def test_likelihood_that_tells_nothing(self):
        found = calibrate([[1, 30, 1, 30]] * 5, [[0.5, 0.5, 0.5, 0.5]] * 5)
        assert found.auc == 0.5
        assert found.suggested_pcutoff is None

    def test_a_prediction_of_an_absent_bodypart_is_wrong(self):
        errors, likelihood = [[1, NAN], [2, NAN]], [[0.9, 0.1], [0.8, 0.95]]
        found = calibrate(errors, likelihood)
        assert (~found.right).sum() == 2
        assert calibrate(errors, likelihood, absent=False).right.all()

    def test_bins_hold_their_edges(self):
        found = calibrate([[1, 1, 1]], [[0.0, 0.1, 1.0]])
        assert found.n.tolist() == [1, 1, 0, 0, 0, 0, 0, 0, 0, 1]
        json.dumps(found.to_json(), allow_nan=False)

    def test_wrong_input_is_told(self):
        with pytest.raises(ValueError, match="one shape"):
            calibrate([[1, 2]], [[1]])
        with pytest.raises(ValueError, match="above 0"):
            calibrate([[1]], [[1]], epsilon_px=0)


class TestSplits:
    def test_mean_and_standard_error(self):
        assert str(summarize_splits([2, 4, NAN])) == "3.00 ± 1.00"
        assert str(summarize_splits([2])) == "2.00"
        assert str(summarize_splits([])) == "-"
        assert summarize_splits([2]).to_json() == {"mean_px": 2, "sem_px": None, "n": 1}

    def test_splits_count_alike(self):
        small = evaluation([[2, 4], [9, 9]], is_test=[True, False])
        large = evaluation([[4, 6], [4, 6], [1, 1]], is_test=[True, True, False])
        found = over_splits([small, large])
        assert (found["test"].mean_px, found["test"].sem_px) == (4, 1)
        assert found["train"].mean_px == 5
        assert found["bodyparts"]["part1"].mean_px == 5

    def test_different_bodyparts_are_refused(self):
        with pytest.raises(ValueError, match="2 sets"):
            over_splits([evaluation([[1]]), evaluation([[1]], bodyparts=("tail",))])
        with pytest.raises(ValueError, match="same bodyparts"):
            over_splits([])


class TestDetails:
    @pytest.fixture
    def example(self):
        likelihood = np.array([[0.9, 0.9], [0.2, 0.9], [1.0, 0.8], [0.3, 0.7]])
        return evaluation([[1, 2], [3, NAN], [2, 4], [30, 4]], likelihood, [False, False, True, True])

    def test_sets(self, example):
        np.testing.assert_array_equal(pick(example, "train"), [[1, 2], [3, NAN]])
        np.testing.assert_array_equal(pick(example, "test_pcutoff"), [[2, 4], [NAN, 4]])
        with pytest.raises(ValueError, match="train_pcutoff"):
            pick(example, "validation")

    def test_everything_is_json(self, example, tmp_path):
        report, table = write_details(example, tmp_path)
        found = json.loads(report.read_text())
        assert found == details(example)
        assert found["sets"]["test"]["mean_px"] == 10
        low, high = found["sets"]["test"]["rms_ci95"]
        assert low <= found["sets"]["test"]["rms_px"] <= high
        assert found["bodyparts"]["part0"]["test"]["median_px"] == 16
        assert found["calibration_on"] == "test"
        assert found["human"] is None
        assert list(pd.read_csv(table).columns) == ["Error Type", "part0", "part1"]

    def test_deeplabcuts_table_of_bodyparts(self, example):
        table = keypoint_table(example)
        assert table.loc["Test error (px)"].tolist() == [16, 4]
        assert table.loc["Test error (px) with p-cutoff"].tolist() == [2, 4]
        assert table.loc["Train error (px) with p-cutoff"].tolist() == [1, 2]

    def test_text_for_people(self, example):
        text = details_text(details(example))
        assert "5 px: 75%" in text
        assert "1 of 4 predictions are wrong (5 px off or more" in text
        assert "No other pcutoff is suggested: only 1 wrong point, and it takes 5 of each kind; 0.6 stays" in text

    def test_text_with_a_suggestion(self):
        found = details(evaluation([[1, 2], [3, 20]] * 5, [[0.9, 0.7], [0.8, 0.3]] * 5, is_test=[True] * 10))
        text = details_text(found)
        assert "Suggested pcutoff 0.5: keeps 100% of the right points, leaves out 100% of the wrong ones" in text

    def test_without_test_frames(self, example):
        found = details(evaluation([[1, 2], [3, NAN]], is_test=[False, False]))
        assert found["calibration_on"] == "all"
        assert "1 of 4 predictions" in details_text(found)
        json.dumps(found, allow_nan=False)


class TestHuman:
    @pytest.fixture
    def project(self, tmp_path):
        arena = sampledata.Arena(seed=0, n_frames=20, size=(120, 160))
        return sampledata.synthetic_project(tmp_path, n_label=8, arena=arena)

    def label(self, project, scorer, off, frames=8):
        folder = project.labeled_dirs()[0]
        mine = Labels.read(folder, project.scorer)
        Labels(mine.bodyparts, scorer, mine.images[:frames], mine.points[:frames] + [off, 0]).write(folder)

    def test_nobody_else(self, project):
        assert human_variability(project) is None

    def test_the_other_scorer_with_most_frames(self, project):
        self.label(project, "ada", 3.0)
        self.label(project, "bob", 1.0, frames=2)
        human = human_variability(project)
        assert human.scorers == ("truth", "ada")
        np.testing.assert_allclose(human.distances, 3)

    def test_is_part_of_the_details(self, project):
        self.label(project, "ada", 4.0)
        human = human_variability(project)
        names = tuple(human.bodyparts[1:3])
        found = details(evaluation([[2, 2], [2, NAN]], bodyparts=names), human)
        assert found["human"]["mean_px"] == pytest.approx(4)
        assert list(found["human"]["bodyparts"]) == list(names)
        assert found["human"]["test_ratio"] == pytest.approx(0.5)
        assert "Human variability (truth and ada): 4.00 px mean" in details_text(found)
        json.dumps(found, allow_nan=False)
