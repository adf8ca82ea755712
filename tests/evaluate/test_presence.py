"""Whether the likelihood tells frames that show a bodypart from those that don't."""

import json
import math

import numpy as np
import pytest

from dlcnb.evaluate import Evaluation, details, details_text, presence
from dlcnb.evaluate.presence import presence_json, presence_text
from dlcnb.evaluate.roc import auc, best_cutoff, share_of

NAN = math.nan


def evaluation(shown, likelihood, is_test=None):
    """An evaluation in which ``shown`` (N, K) says what is labeled."""
    shown = np.asarray(shown, bool)
    n, k = shown.shape
    points = np.where(shown[..., None], 10.0, NAN) + np.zeros((n, k, 2))
    points[..., 0] += 30 * np.arange(k)
    return Evaluation(
        bodyparts=tuple("abcdef"[:k]),
        images=tuple(f"labeled-data/m1/img{i}.png" for i in range(n)),
        labels=points,
        predicted=np.nan_to_num(points, nan=5.0),
        likelihood=likelihood,
        is_test=np.ones(n, bool) if is_test is None else is_test,
        pcutoff=0.6,
        snapshot="snapshot-10",
        step=10,
    )


def example():
    """Of two bodyparts the second is missing in two of five frames; the last frame has no label at all."""
    shown = [[1, 1], [1, 1], [1, 1], [1, 0], [1, 0], [0, 0]]
    likelihood = np.array([[0.9, 0.9], [0.9, 0.8], [0.5, 0.3], [0.9, 0.7], [0.9, 0.1], [0.9, 0.99]])
    return evaluation(shown, likelihood)


def test_counts_auc_misses_and_false_alarms():
    always, sometimes = presence(example())
    assert (always.shown, always.absent) == (5, 0)
    assert math.isnan(always.auc)
    assert math.isnan(always.false_alarms)
    assert always.misses == pytest.approx(1 / 5)
    assert always.suggested_pcutoff is None
    assert (sometimes.shown, sometimes.absent) == (3, 2)
    assert sometimes.auc == pytest.approx(5 / 6)  # of 3 x 2 pairs only (0.3, 0.7) is in the wrong order
    assert sometimes.misses == pytest.approx(1 / 3)
    assert sometimes.false_alarms == pytest.approx(1 / 2)
    assert sometimes.suggested_pcutoff is None  # two frames are too few


def test_suggested_pcutoff():
    shown, likelihood = [[1, 1], [1, 0]] * 5, np.array([[0.9, 0.9], [0.9, 0.1]] * 5)
    _, sometimes = presence(evaluation(shown, likelihood))
    assert sometimes.suggested_pcutoff == 0.5
    assert "; suggested pcutoff 0.5" in presence_text(presence_json(evaluation(shown, likelihood)), 0.6)


def test_test_frames_count_or_all_where_there_are_none():
    shown, likelihood = [[1, 1], [1, 0], [1, 0]], np.array([[1, 0.9], [1, 0.1], [1, 0.95]])
    assert presence_json(evaluation(shown, likelihood, [True, True, False]))["auc"] == 1.0
    report = presence_json(evaluation(shown, likelihood, np.zeros(3, bool)))
    assert (report["on"], report["auc"]) == ("all", 0.5)


def test_frames_can_be_chosen():
    found = presence(example(), np.arange(6) < 3)
    assert [(one.shown, one.absent) for one in found] == [(3, 0), (3, 0)]


def test_report_is_json_and_text_tells_only_of_parts_that_are_missing_somewhere():
    report = example().to_json()["presence"]
    json.dumps(report, allow_nan=False)
    assert report["bodyparts"]["a"]["auc"] is None
    text = presence_text(report, 0.6)
    assert "  b  AUC 0.83; pcutoff 0.6 misses 33% of 3, false alarms in 50% of 2\n" in text + "\n"
    assert "  a " not in text
    assert text in details_text(details(example()))
    nothing = presence_json(evaluation(np.ones((3, 2)), np.ones((3, 2))))
    assert nothing["auc"] is None
    assert presence_text(nothing, 0.6) == ""


def test_auc_counts_equal_values_half():
    assert auc([1, 2], [0, 0]) == 1
    assert auc([0, 0], [1, 2]) == 0
    assert auc([1, 1], [1, 1, 1]) == 0.5
    assert math.isnan(auc([], [1]))


def test_best_cutoff_keeps_the_high_and_leaves_out_the_low():
    assert best_cutoff([0.9, 0.8] * 3, [0.1, 0.2] * 3) == 0.5
    assert best_cutoff([0.5] * 6, [0.5] * 5) is None
    assert best_cutoff([0.1] * 5, [0.9] * 5) is None
    assert best_cutoff([], [0.9] * 5) is None
    assert best_cutoff([0.9] * 100, [0.1] * 4) is None


def test_share_of_nothing():
    assert share_of([True, False]) == 0.5
    assert math.isnan(share_of([]))
