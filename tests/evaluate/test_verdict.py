"""A verdict in words, the animal's size, PCK5, and bodyparts that are never found."""

import math
from dataclasses import replace

import numpy as np
import pytest

from dlcnb.evaluate import Evaluation, animal_px, pck5, verdict
from dlcnb.evaluate.verdict import lost_parts
from dlcnb.geometry import widest_px

NAN = math.nan
SIZE = 118.0


def evaluation(errors, is_test=None, parts=None, size=SIZE):
    """An evaluation with errors (N, K) px of an animal of ``size`` px: its first and last bodypart are so far apart."""
    errors = np.asarray(errors, float)
    n, k = errors.shape
    labels = np.zeros((n, k, 2))
    labels[..., 0] = 100 + np.linspace(0, size, k)
    labels[..., 1] = 200
    predicted = labels.copy()
    predicted[..., 1] += np.nan_to_num(errors)
    labels[np.isnan(errors)] = NAN
    return Evaluation(
        bodyparts=parts or tuple(f"part{i}" for i in range(k)),
        images=tuple(f"labeled-data/m1/img{i}.png" for i in range(n)),
        labels=labels,
        predicted=predicted,
        likelihood=np.ones((n, k)),
        is_test=np.ones(n, bool) if is_test is None else is_test,
        pcutoff=0.6,
        snapshot="snapshot-10",
        step=10,
    )


def mixed(*shares_and_errors, n=40, k=4):
    """Errors (n, k) of which each given share has the given size."""
    values = np.concatenate([np.full(round(share * n * k), error) for share, error in shares_and_errors])
    return np.random.default_rng(0).permutation(values).reshape(n, k)


def test_size_is_the_median_diagonal_of_the_labels():
    labels = np.full((3, 3, 2), NAN)
    labels[0, :2] = [[0, 0], [30, 40]]
    labels[1] = [[0, 0], [3, 4], [1, 1]]
    labels[2, 0] = [7, 7]  # one label is no animal
    assert animal_px(labels) == pytest.approx((50 + 5) / 2)
    assert widest_px(labels) == 50
    assert math.isnan(widest_px(labels[2:]))
    assert math.isnan(animal_px(labels[2:]))
    assert math.isnan(animal_px(labels[:0]))


def test_pck5_counts_labeled_test_points_within_a_twentieth_of_the_animal():
    found = evaluation([[5.8, 6.0], [NAN, 1], [0, 50]], is_test=[True, True, False])
    assert pck5(found, SIZE) == pytest.approx(2 / 3)
    assert pck5(found) == pck5(found, animal_px(found.labels))


def test_pck5_without_test_frames_is_of_all_frames_and_a_missing_prediction_is_wrong():
    found = evaluation([[1, 1], [1, 50]], is_test=[False, False])
    assert pck5(found, SIZE) == 0.75
    found.predicted[0, 0] = NAN
    assert pck5(found, SIZE) == 0.5


@pytest.mark.parametrize(
    ("errors", "level"),
    [
        (mixed((1, 2.0)), "good"),
        (mixed((0.92, 2.0), (0.08, 20.0)), "good"),
        (mixed((0.8, 3.0), (0.2, 20.0)), "usable"),
        (mixed((0.95, 2.0), (0.05, 400.0)), "usable"),  # few, but very far off: 22 px on average
        (mixed((0.5, 5.0), (0.5, 20.0)), "poor"),
        (mixed((0.1, 5.0), (0.9, 200.0)), "useless"),
        (mixed((1, 247.0)), "useless"),
    ],
)
def test_levels(errors, level):
    found = verdict(evaluation(errors), SIZE)
    assert found.level == level
    assert found.text.startswith(f"{level}: ")


def test_the_share_of_near_points_says_how_many_px_near_is():
    text = verdict(evaluation(mixed((0.8, 3.0), (0.2, 20.0))), SIZE).text
    assert text.startswith("usable: 80% of the points are within 5 % of the animal's size (5.9 px)")


def test_useless_says_how_far_off_on_how_large_an_animal_and_what_to_do():
    text = verdict(replace(evaluation(mixed((1, 200.0))), step=900), SIZE).text
    assert text.startswith("useless: 200 px off on a 118 px animal; ")
    assert text.endswith("label more or train longer")


def test_after_a_short_training_a_longer_one_comes_first_unless_there_are_hardly_any_labels():
    text = verdict(evaluation(mixed((1, 200.0), n=12)), SIZE).text
    assert text.endswith("train longer (it had 10 steps), then label more")
    gone_on = replace(evaluation(mixed((1, 200.0), n=12)), step=150, steps_behind=318)
    assert verdict(gone_on, SIZE).text.endswith("label more or train longer")
    assert verdict(evaluation(mixed((1, 200.0), n=9)), SIZE).text.endswith("label more or train longer")


def test_a_network_that_goes_on_from_another_may_know_test_frames():
    alone = evaluation(mixed((1, 1.0)))
    assert "may know test frames" not in verdict(replace(alone, steps_behind=alone.step), SIZE).text
    found = verdict(replace(alone, steps_behind=alone.step + 500), SIZE)
    assert found.level == "good"
    assert found.text.endswith("it goes on from a network that may know test frames, so the true error may be larger")


def test_within_human_variability():
    found = verdict(evaluation(mixed((0.8, 3.0), (0.2, 10.0))), SIZE, human_px=5.0)
    assert found.level == "good"
    assert found.text == "good: within human variability (4.4 px off, two people differ by 5.0 px)"
    assert verdict(evaluation(mixed((0.8, 3.0), (0.2, 10.0))), SIZE, human_px=4.0).level == "usable"


@pytest.mark.parametrize("human", [None, 3.0, 1000.0, NAN])
def test_247_px_are_never_good(human):
    assert verdict(evaluation(mixed((1, 247.0))), SIZE, human).level == "useless"
    assert verdict(evaluation(mixed((0.5, 1.0), (0.5, 493.0))), SIZE, human).level != "good"
    assert verdict(evaluation(mixed((1, 247.0), k=1)), None, human).level == "useless"


def test_a_bodypart_that_is_never_found_is_named_and_is_not_good():
    errors = np.full((40, 20), 2.0)
    errors[:, 7] = NAN
    errors[:6, 7] = 280
    parts = tuple(f"p{k}" for k in range(7)) + ("rare",) + tuple(f"q{k}" for k in range(12))
    found = verdict(evaluation(errors, parts=parts), SIZE)
    assert found.level == "usable"
    assert "never found: rare" in found.text


def test_one_lost_test_point_is_no_lost_bodypart_if_training_found_it():
    errors, test = np.full((9, 2), 2.0), np.arange(9) == 8
    errors[8, 1] = 100
    assert lost_parts(evaluation(errors, test), SIZE) == ()
    errors[:, 1] = 100
    assert lost_parts(evaluation(errors, test), SIZE) == ("part1",)


def test_few_or_no_test_frames_are_said_and_training_frames_alone_are_never_good():
    few = verdict(evaluation(np.ones((9, 3)), np.arange(9) == 0), SIZE)
    assert few.level == "good"
    assert few.text.startswith("good, a guess from 1 test frame: ")
    none = verdict(evaluation(np.ones((9, 3)), np.zeros(9, bool)), SIZE)
    assert none.level == "usable"
    assert none.text.startswith("usable on the frames it was trained on (there are no test frames): ")


def test_nothing_to_judge():
    assert verdict(evaluation(np.full((3, 2), NAN))).level == "useless"
    assert verdict(evaluation(np.ones((0, 2)))).level == "useless"


def test_one_bodypart_has_no_size_and_is_judged_in_pixels():
    assert [verdict(evaluation(np.full((9, 1), e))).level for e in (3.0, 10.0, 40.0, 200.0)] == [
        "good",
        "usable",
        "poor",
        "useless",
    ]


def test_report_has_size_pck5_and_verdict():
    found = evaluation(mixed((1, 200.0)))
    report = found.to_json()
    assert report["animal_px"] == pytest.approx(SIZE)
    assert report["pck5"] == 0
    assert report["verdict"] == verdict(found).to_json()
    assert found.to_json(human_px=300.0)["verdict"]["level"] == "useless"
