"""The calibrated likelihood: what it says comes true, in order, and it is kept in a file."""

import math

import numpy as np
import pytest

from dlcnb.evaluate import CalibratedLikelihood, calibrate, fit_likelihood
from dlcnb.evaluate.likelihood import FEWEST, POINTS

NAN = math.nan


def overconfident(n=2000, seed=0):
    """(errors, likelihood) (n, 2): a network whose peaks of 0.9 are right in half of the cases."""
    rng = np.random.default_rng(seed)
    chance = rng.uniform(0.02, 0.98, (n, 2))
    right = rng.random((n, 2)) < chance
    logit = np.log(chance / (1 - chance))
    return np.where(right, 2.0, 60.0), 1 / (1 + np.exp(-(1.7 * logit + 2.2)))


def test_what_it_says_comes_true():
    errors, likelihood = overconfident()
    fitted = fit_likelihood(errors[:1000], likelihood[:1000], 100.0)
    raw = calibrate(errors[1000:], likelihood[1000:], epsilon_px=10).expected_error
    told = calibrate(errors[1000:], fitted(likelihood[1000:]), epsilon_px=10).expected_error
    assert raw > 0.15
    assert told < 0.04
    assert fitted(0.9) == pytest.approx(0.5, abs=0.05)
    assert (fitted.right + fitted.wrong, fitted.within_px) == (2000, 10.0)


def test_order_is_kept_ends_are_finite_and_nan_stays():
    fitted = fit_likelihood(*overconfident(), 100.0)
    values = np.array([0.0, 1e-9, 0.1, 0.5, 0.9, 1.0, NAN])
    found = fitted(values)
    assert (np.diff(found[:-1]) >= 0).all()
    assert (found[:-1] > 0).all()
    assert (found[:-1] < 1).all()
    assert np.isnan(found[-1])
    assert fitted(np.full((3, 4), 0.5)).shape == (3, 4)


def test_a_bodypart_that_is_not_there_counts_as_wrong_and_frames_without_labels_do_not_count():
    errors = np.array([[1.0, NAN]] * 20 + [[NAN, NAN]] * 50)
    likelihood = np.array([[0.9, 0.8]] * 10 + [[0.8, 0.3]] * 10 + [[0.99, 0.99]] * 50)
    fitted = fit_likelihood(errors, likelihood, 100.0)
    assert (fitted.right, fitted.wrong) == (20, 20)


def test_too_few_points_no_size_or_a_senseless_likelihood_give_none():
    errors, likelihood = overconfident(100)
    assert fit_likelihood(np.zeros((100, 2)), likelihood, 100.0) is None  # nothing is wrong
    assert fit_likelihood(errors[: FEWEST // 2 - 1], likelihood[: FEWEST // 2 - 1], 100.0) is None
    assert fit_likelihood(errors, likelihood, NAN) is None
    assert fit_likelihood(errors, 1 - likelihood, 100.0) is None
    assert fit_likelihood(errors[: POINTS // 2], likelihood[: POINTS // 2], 100.0) is not None
    assert fit_likelihood(errors[: POINTS // 2 - 1], likelihood[: POINTS // 2 - 1], 100.0) is None
    with pytest.raises(ValueError, match="frames, bodyparts"):
        fit_likelihood(errors, likelihood[:5], 100.0)


def test_what_would_do_harm_is_not_fitted():
    rng = np.random.default_rng(0)
    honest = rng.uniform(0.02, 0.98, (25, 4))
    right = rng.random(honest.shape) < honest
    assert fit_likelihood(np.where(right, 2.0, 60.0), honest, 100.0) is None  # it is as good as it gets
    errors, likelihood = np.full((12, 12), 2.0), np.full((12, 12), 0.4)
    errors[3], likelihood[3] = 60.0, 0.3
    assert fit_likelihood(errors, likelihood, 100.0) is None  # all that is wrong is in one frame
    errors[4], likelihood[4] = 60.0, 0.3
    assert fit_likelihood(errors, likelihood, 100.0) is not None


def test_file(tmp_path):
    path = tmp_path / "snapshot-10.likelihood.json"
    assert CalibratedLikelihood.read(path) is None
    fitted = fit_likelihood(*overconfident(), 100.0)
    fitted.write(path)
    assert CalibratedLikelihood.read(path) == fitted


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"slope": -1, "offset": 0, "within_px": 5, "right": 9, "wrong": 9}'])
def test_a_damaged_file_is_named(tmp_path, text):
    path = tmp_path / "snapshot-10.likelihood.json"
    path.write_text(text)
    with pytest.raises(ValueError, match=r"snapshot-10\.likelihood\.json.*Delete it"):
        CalibratedLikelihood.read(path)
