"""The level of the score-maps: heights that are probabilities, whatever level a map was left at."""

import numpy as np
import pytest
from scipy.special import expit

from dlcnb.backend.level import levels

pytestmark = pytest.mark.mxnet


def maps(level, size, noise=1.0, seed=0):
    """Logits ``(4, 1, *size)`` whose disc lies 9 above the rest, and the disc."""
    score = np.zeros((4, 1, *size), np.float32)
    score[:, :, 5:8, 4:7] = 1
    return np.random.default_rng(seed).normal(level, noise, score.shape) + 9 * score, score


@pytest.mark.parametrize("level", [-18.0, -6.0, 3.0])
def test_a_map_of_any_level_gets_heights_that_sum_up_to_its_discs(level):
    logits, score = maps(level, (16, 20))
    (found,) = levels([logits], [score])
    heights = expit(logits + found)
    assert heights.sum() == pytest.approx(score.sum(), rel=0.01)
    assert heights[score > 0].mean() > 0.8
    assert heights[score == 0].mean() < 0.01


def test_batches_of_different_sizes_count_together():
    one, other = maps(-6.0, (16, 20)), maps(-6.0, (24, 12), seed=1)
    (found,) = levels([one[0], other[0]], [one[1], other[1]])
    assert sum(expit(logits + found).sum() for logits, _ in (one, other)) == pytest.approx(2 * one[1].sum(), rel=0.01)


def test_a_bodypart_that_never_shows_stays_as_it_is():
    logits, score = maps(-6.0, (16, 20))
    assert levels([logits], [np.zeros_like(score)]).tolist() == [0.0]


def test_a_young_network_is_sure_of_all_its_bodyparts_alike(trained):
    from dlcnb import Predictor
    from dlcnb.trainset import TrainSet

    project, run = trained
    data, predictor = TrainSet.from_project(project), Predictor(run, raw_likelihood=True)
    _, heights = predictor.predict([data.image(n) for n in range(len(data))])
    assert (np.median(heights, 0) > 0.1).all()  # without a level it is 0.02
