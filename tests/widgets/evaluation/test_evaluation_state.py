"""What EvaluationView shows, without a pixel: sorting, sets, cutoffs, curves."""

import math

import numpy as np
import pytest
from traitlets import TraitError

from dlcnb.evaluate import Evaluation
from dlcnb.widgets.evaluation.state import MOST, EvaluationState, FrameState

NAN = math.nan
PARTS = ("snout", "tail")


def evaluation(errors, likelihood=None, is_test=None):
    errors = np.asarray(errors, float)
    n = len(errors)
    labels = np.where(np.isnan(errors)[..., None], NAN, 50.0) + np.zeros((n, 2, 2))
    predicted = np.full((n, 2, 2), 50.0)
    predicted[..., 0] += np.nan_to_num(errors)
    likelihood = np.ones((n, 2)) if likelihood is None else likelihood
    is_test = np.arange(n) % 2 == 0 if is_test is None else is_test
    images = tuple(f"labeled-data/m1/img{i}.png" for i in range(n))
    return Evaluation(PARTS, images, labels, predicted, likelihood, is_test, 0.6, "snapshot-9", 9)


@pytest.fixture
def state():
    made = EvaluationState()
    likelihood = np.array([[0.9, 0.9], [0.9, 0.8], [0.2, 0.9], [0.9, 0.9], [0.9, 0.9]])
    made.set_evaluation(evaluation([[1, 2], [8, NAN], [30, 3], [NAN, NAN], [2, 6]], likelihood))
    return made


def names(findings):
    return [(finding.row, finding.bodypart, finding.error) for finding in findings]


def test_frames_are_sorted_by_their_worst_bodypart(state):
    assert names(state.findings()) == [(2, "snout", 30), (1, "snout", 8), (4, "tail", 6), (0, "tail", 2)]
    assert state.image == "labeled-data/m1/img2.png"


def test_by_set_and_bodypart(state):
    state.frames = "test"
    assert [finding.row for finding in state.findings()] == [2, 4, 0]
    state.frames, state.bodypart = "all", "tail"
    assert names(state.findings()) == [(4, "tail", 6), (2, "tail", 3), (0, "tail", 2)]
    with pytest.raises(TraitError, match="no bodypart"):
        state.bodypart = "wing"
    assert state.bodypart == "tail"


def test_stepping_follows_the_order_and_stops_at_its_ends(state):
    state.step(1)
    assert state.row == 1
    state.step(-5)
    assert state.row == 2
    state.step(99)
    assert state.row == 0


def test_a_click_on_a_point_shows_its_frame(state):
    state.bodypart = "snout"
    state.show_point(4, 1)
    assert (state.row, state.bodypart) == (4, "tail")
    with pytest.raises(ValueError, match="not in this evaluation"):
        state.show("labeled-data/other/img0.png")


def test_table(state):
    train, test, sure = state.summaries()
    assert (train.name, train.mean_px, train.n) == ("train", 8, 1)
    assert test.mean_px == pytest.approx((1 + 2 + 30 + 3 + 2 + 6) / 6)
    assert test.within == pytest.approx(4 / 6)
    assert test.ci95[0] <= test.mean_px <= test.ci95[1]
    assert sure.mean_px == pytest.approx((1 + 2 + 3 + 2 + 6) / 5)
    state.pcutoff = 0.1
    assert state.summaries()[2].mean_px == test.mean_px
    state.epsilon_px = 1.5
    assert state.summaries()[1].within == pytest.approx(1 / 6)


def test_human_variability_is_a_line_and_a_curve(state):
    class Human:
        scorers, bodyparts, distances = ("ada", "bob"), ("tail", "wing"), np.array([[2.0, 90.0], [4.0, 90.0]])

    state.set_evaluation(state.evaluation, Human)
    assert state.summaries()[-1].name == "human (ada and bob)"
    assert state.summaries()[-1].mean_px == 3
    assert state.pck()["human"].n == 2
    state.bodypart = "snout"
    assert state.human_distances() is None
    assert "human" not in state.pck()


def test_moving_the_cutoff_reckons_one_curve_anew(state):
    before = state.pck()
    state.pcutoff = 0.95
    after = state.pck()
    assert after["test"] is before["test"]
    assert "sure" not in after
    assert before["sure"].n == 5


def test_calibration_of_the_bodypart_looked_at(state):
    assert state.calibration().n.sum() == 6
    assert state.calibration().too_few == "only 2 wrong points"
    state.bodypart = "tail"
    assert state.calibration().n.sum() == 3


def test_values_are_kept_in_range(state):
    state.pcutoff = 3
    assert state.pcutoff == 1
    with pytest.raises(TraitError, match="above 0 px"):
        state.epsilon_px = 0


def test_other_labels_keep_what_is_looked_at(state):
    state.bodypart, state.image = "tail", "labeled-data/m1/img0.png"
    state.replace_evaluation(evaluation(np.full((5, 2), 1.0)))
    assert (state.bodypart, state.row) == ("tail", 0)
    assert {finding.error for finding in state.findings()} == {1}


def test_nothing(state):
    state.set_evaluation(None)
    assert (state.image, state.row, state.findings(), state.summaries(), state.pck()) == ("", -1, [], [], {})
    assert state.calibration() is None
    assert len(state.points()[0]) == 0
    state.step(1)


def test_an_evaluation_without_labels_of_a_bodypart(state):
    state.set_evaluation(evaluation([[1, NAN], [2, NAN]]))
    state.bodypart = "tail"
    assert state.findings() == []
    assert "test" not in state.pck()
    assert np.isnan(state.means()[1][1])


def test_many_points_are_thinned_but_the_large_errors_stay():
    errors = np.random.default_rng(0).random((4000, 2)) * 5
    errors[17, 1] = 300
    state = EvaluationState()
    state.set_evaluation(evaluation(errors))
    row, k, error = state.points()
    assert len(row) == len(k) == len(error) == MOST
    assert (17, 1) in set(zip(row.tolist(), k.tolist(), strict=True))
    assert error.min() < 2


def test_looking_at_points_zooms_to_them():
    frame = FrameState((480, 640), (384, 512))
    frame.look_at([[100, 100], [120, 110], [NAN, NAN]])
    on_canvas = frame.fit.to_canvas(np.array([[100, 100], [120, 110]]))
    assert ((on_canvas > 0) & (on_canvas < (512, 384))).all()
    np.testing.assert_allclose(on_canvas.mean(axis=0), (256, 192), atol=3)
    assert frame.zoomed
    frame.look_at([[NAN, NAN]])
    assert not frame.zoomed
    frame.look_at([[1, 1]])
    frame.fit_image((480, 640))
    assert frame.zoomed
    frame.fit_image((100, 100))
    assert not frame.zoomed


def test_a_label_that_may_be_wrong_is_named():
    body = np.array([[50.0, 0], [30, -9], [30, 9], [-50, 0]])
    rng = np.random.default_rng(0)
    labels = np.array([body + rng.normal(0, 1, (4, 2)) + 10 * t for t in range(12)])
    labels[5, [1, 2]] = labels[5, [2, 1]]
    state, images = EvaluationState(), tuple(f"labeled-data/v/img{t:02d}.png" for t in range(12))
    parts, sure = ("snout", "leftear", "rightear", "tail"), np.ones((12, 4))
    state.set_evaluation(Evaluation(parts, images, labels, labels, sure, np.ones(12, bool), 0.6, "snapshot-1", 1))
    assert [fault.text for fault in state.label_faults(images[5])] == ["leftear and rightear look swapped"]
    assert state.label_faults(images[6]) == ()
