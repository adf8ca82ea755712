"""The smoother against the textbook's recursion, against lines that it must not bend, and against jumps."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dlcnb.trajectories import estimate_noise, kalman_smooth

NAN = np.nan


def textbook(z, variances, steps, q):
    """Kalman filter and Rauch-Tung-Striebel smoother of one coordinate: states (T, 2) and covariances (T, 2, 2)."""
    means, covariances, predicted, spread = [], [], [], []
    mean, covariance = np.zeros(2), np.diag([1e8, 1e8])
    moves = [np.array([[1, d], [0, 1]]) for d in steps]
    for t, value in enumerate(z):
        if t:
            d = steps[t - 1]
            mean = moves[t - 1] @ mean
            covariance = moves[t - 1] @ covariance @ moves[t - 1].T
            covariance = covariance + q * np.array([[d**3 / 3, d**2 / 2], [d**2 / 2, d]])
        predicted.append(mean)
        spread.append(covariance)
        if np.isfinite(value):
            gain = covariance[:, 0] / (covariance[0, 0] + variances[t])
            mean = mean + gain * (value - mean[0])
            left = np.eye(2) - np.outer(gain, [1, 0])
            covariance = left @ covariance @ left.T + np.outer(gain, gain) * variances[t]
        means.append(mean)
        covariances.append(covariance)
    for t in range(len(z) - 2, -1, -1):
        gain = covariances[t] @ moves[t].T @ np.linalg.inv(spread[t + 1])
        means[t] = means[t] + gain @ (means[t + 1] - predicted[t + 1])
        covariances[t] = covariances[t] + gain @ (covariances[t + 1] - spread[t + 1]) @ gain.T
    return np.array(means), np.array(covariances)


def walk(count, seed=0, acceleration=0.3, noise=2.0, parts=1):
    """(truth, noisy points), (count, parts, 2) each."""
    rng = np.random.default_rng(seed)
    truth = 200 + np.cumsum(np.cumsum(rng.normal(0, acceleration, (count, parts, 2)), 0), 0)
    return truth, truth + rng.normal(0, noise, truth.shape)


@pytest.mark.parametrize("uneven", [False, True])
def test_it_is_the_kalman_smoother_of_the_textbooks(uneven):
    rng = np.random.default_rng(1)
    _, points = walk(200)
    points[40:47] = points[[3, 100, 102]] = NAN
    likelihood = rng.uniform(0.3, 1, (200, 1))
    times = np.cumsum(rng.uniform(0.2, 2, 200)) if uneven else None
    found = kalman_smooth(points, likelihood, noise=2, acceleration=0.3, times=times, robust=0)
    when = np.arange(200.0) if times is None else (times - times[0]) * 199 / (times[-1] - times[0])
    variances = (2 / likelihood[:, 0] ** 2) ** 2
    for d in range(2):
        means, covariances = textbook(points[:, 0, d], variances, np.diff(when), 0.09)
        np.testing.assert_allclose(found.points[:, 0, d], means[:, 0], atol=1e-4)
        np.testing.assert_allclose(found.velocity[:, 0, d], means[:, 1], atol=1e-4)
        np.testing.assert_allclose(found.std[:, 0], np.sqrt(covariances[:, 0, 0]), atol=1e-5)


def test_the_deviation_is_the_distance_to_what_all_other_frames_say():
    _, points = walk(60)
    found = kalman_smooth(points, noise=2, acceleration=0.3, robust=0)
    for t in (7, 30, 52):
        others = points.copy()
        others[t] = NAN
        expected = kalman_smooth(others, noise=2, acceleration=0.3, robust=0).points[t, 0]
        assert found.deviation[t, 0] == pytest.approx(np.linalg.norm(points[t, 0] - expected), rel=1e-6)


@settings(deadline=None, max_examples=40)
@given(
    st.sets(st.integers(1, 58), max_size=50), st.floats(0.1, 20), st.floats(0.01, 10), st.integers(0, 2)
)  # fmt: skip
def test_uniform_motion_comes_through_whatever_is_missing(gone, noise, acceleration, robust):
    line = np.arange(60.0)[:, None, None] * [3, -4] + [10, 900]
    points = line.copy()
    points[sorted(gone)] = NAN
    found = kalman_smooth(points, noise=noise, acceleration=acceleration, limit=None, robust=robust)
    np.testing.assert_allclose(found.points, line, atol=1e-5)
    np.testing.assert_allclose(found.velocity, np.broadcast_to([3, -4], line.shape), atol=1e-5)
    assert (found.std > 0).all()


def test_time_has_no_direction():
    _, points = walk(80, parts=2)
    points[20:24, 1] = NAN
    there, back = (kalman_smooth(p, noise=2, acceleration=0.3) for p in (points, points[::-1]))
    np.testing.assert_allclose(there.points, back.points[::-1], atol=1e-8)
    np.testing.assert_allclose(there.std, back.std[::-1], atol=1e-8)


def test_it_comes_closer_to_the_truth_and_knows_how_close():
    truth, points = walk(5000)
    found = kalman_smooth(points)
    error = found.points - truth
    assert np.sqrt((error**2).mean()) < 0.6 * np.sqrt(((points - truth) ** 2).mean())
    share = (np.abs(error) < 2 * found.std[..., None]).mean()
    assert 0.9 < share < 0.99  # two standard deviations


def test_the_parameters_are_found_from_the_points():
    _, points = walk(20_000, acceleration=0.5, noise=1.5, parts=2)
    points[::100] += 300  # jumps
    noise, acceleration = estimate_noise(points)
    np.testing.assert_allclose(noise, 1.5, rtol=0.35)
    np.testing.assert_allclose(acceleration, 0.5, rtol=0.5)
    noise, acceleration = estimate_noise(np.full((3, 2, 2), 5.0))
    assert noise.shape == (2,)
    assert (noise > 0).all()
    assert (acceleration > 0).all()


def test_a_long_recording_gives_the_same_parameters_as_a_part_of_it():
    _, points = walk(110_000, acceleration=0.01)
    np.testing.assert_allclose(estimate_noise(points)[0], estimate_noise(points[:50_000])[0], rtol=0.05)


def test_a_jump_is_ignored_and_stands_out():
    truth, points = walk(300, noise=0.5)
    points[150] += (80, -60)
    plain, robust = (kalman_smooth(points, noise=0.5, acceleration=0.3, robust=r) for r in (0, 2))
    off = [np.linalg.norm(found.points[145:156] - truth[145:156], axis=-1).max() for found in (plain, robust)]
    assert off[1] < 3 < off[0]
    assert robust.deviation[150, 0] == pytest.approx(100, abs=5)
    assert np.delete(robust.deviation[:, 0], 150).max() < 10


def test_unlikely_points_count_little_and_impossible_ones_not_at_all():
    truth, points = walk(300, noise=0.5)
    likelihood = np.ones((300, 1))
    points[100:103] += 60
    likelihood[100:103] = 0.1
    points[200] += 60
    likelihood[200] = 0.001
    found = kalman_smooth(points, likelihood, noise=0.5, acceleration=0.3, robust=0)
    assert np.linalg.norm(found.points - truth, axis=-1).max() < 3
    assert np.isnan(found.deviation[200, 0])
    assert np.isfinite(found.points[200, 0]).all()


def test_gaps_are_filled_up_to_the_limit_and_never_at_the_ends():
    _, points = walk(100)
    points[:5] = points[20:25] = points[50:56] = points[90:] = NAN
    for limit, filled in ((5, {20, 24}), (6, {20, 24, 50, 55}), (0, set()), (None, {20, 24, 50, 55})):
        found = kalman_smooth(points, limit=limit)
        there = np.isfinite(found.points[:, 0]).all(axis=-1)
        assert not there[:5].any()
        assert not there[90:].any()
        assert set(np.flatnonzero(there & np.isnan(points[:, 0, 0]))) & {20, 24, 50, 55} == filled
        np.testing.assert_array_equal(there, np.isfinite(found.std[:, 0]))
    assert found.std[22, 0] > found.std[19, 0]


def test_a_gap_of_a_million_frames_is_no_harder_than_none():
    points = np.full((1_000_100, 1, 2), NAN)
    points[:50] = np.arange(50.0)[:, None, None] * [2, 0]
    points[-50:] = [7, 7]
    found = kalman_smooth(points, noise=1, acceleration=0.5, robust=0)
    np.testing.assert_allclose(found.points[:50], points[:50], atol=1e-4)
    np.testing.assert_allclose(found.points[-50:], points[-50:], atol=1e-4)
    assert np.isfinite(kalman_smooth(points, noise=1, acceleration=0.5, limit=None).points).all()


def test_parts_of_a_long_recording_join_seamlessly(monkeypatch):
    from dlcnb.trajectories import kalman

    _, points = walk(3000)
    points[::7] = NAN
    points[1000:1010] = NAN
    likelihood = np.random.default_rng(0).uniform(0.05, 1, (3000, 1))
    whole = kalman_smooth(points, likelihood, noise=2, acceleration=1)
    monkeypatch.setattr(kalman, "_PART", 100)
    parts = kalman_smooth(points, likelihood, noise=2, acceleration=1)
    for name in ("points", "velocity", "std", "deviation"):
        np.testing.assert_allclose(getattr(parts, name), getattr(whole, name), atol=1e-6)


def test_nothing_one_and_two_measurements():
    points = np.full((10, 3, 2), NAN)
    points[4, 1] = (5, 6)
    points[2, 2], points[6, 2] = (10, 0), (14, 8)
    found = kalman_smooth(points)
    assert np.isnan(found.points[:, 0]).all()
    np.testing.assert_array_equal(found.points[4, 1], (5, 6))
    assert np.isfinite(found.points[:, 1]).sum() == 2
    np.testing.assert_allclose(found.points[2:7, 2], np.linspace((10, 0), (14, 8), 5), atol=1e-6)
    assert kalman_smooth(np.zeros((0, 3, 2))).points.shape == (0, 3, 2)


def test_each_bodypart_is_smoothed_by_itself_and_the_input_stays():
    _, points = walk(100, parts=3)
    before = points.copy()
    together = kalman_smooth(points.reshape(100, 3, 1, 2), noise=[[1], [2], [3]], acceleration=0.3)
    for k in range(3):
        alone = kalman_smooth(points[:, k], noise=k + 1, acceleration=0.3)
        np.testing.assert_array_equal(together.points[:, k, 0], alone.points)
        np.testing.assert_array_equal(together.std[:, k, 0], alone.std)
    np.testing.assert_array_equal(points, before)


def test_what_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="shape"):
        kalman_smooth(np.zeros((5, 3)))
    with pytest.raises(ValueError, match="likelihood"):
        kalman_smooth(np.zeros((5, 1, 2)), np.ones((4, 1)))
    with pytest.raises(ValueError, match="above 0"):
        kalman_smooth(np.zeros((5, 1, 2)), noise=0)
