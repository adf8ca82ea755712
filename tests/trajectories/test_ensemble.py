"""Ensemble Kalman smoothing against the truth: a mouse in the arena, seen by networks whose errors are known."""

from dataclasses import replace

import numpy as np
import pytest

from dlcnb.outliers import score
from dlcnb.poses import Poses, Spread, combine
from dlcnb.sampledata import Arena
from dlcnb.sampledata.arena import truth
from dlcnb.trajectories import ensemble_noise, estimate_noise, filter_poses, kalman_smooth

NETWORKS, HARD = 5, slice(200, 260)
PARTS = ("snout", "leftear", "rightear", "tailbase")


@pytest.fixture(scope="module")
def seen():
    """(truth (T, K, 2), points (N, T, K, 2), poses of the ensemble); for two seconds they are six times less exact.

    Each network is also far off now and then, by itself: once in a hundred points.
    """
    places = truth(Arena(seed=3, n_frames=600))
    rng = np.random.default_rng(0)
    deviation = np.full((600, 1, 1), 1.5)
    deviation[HARD] = 9.0
    points = places + rng.normal(0, 1, (NETWORKS, *places.shape)) * deviation
    astray = rng.random(points.shape[:-1]) < 0.01
    points[astray] += rng.uniform(-80, 80, (int(astray.sum()), 2))
    found, likelihood, px, networks = combine(points, np.full(points.shape[:-1], 0.9))
    spread = Spread(PARTS, "DLC_Ensemble5_arena", px, networks)
    return places, points, Poses(PARTS, spread.scorer, found, likelihood, spread=spread)


def error(points, places):
    return float(np.linalg.norm(points - places, axis=-1).mean())


def test_the_median_smoothed_by_the_spread_is_nearest_to_the_truth(seen):
    places, points, poses = seen
    single = [error(one, places) for one in points]
    smooth = filter_poses(poses, "kalman")
    plain = filter_poses(replace(poses, spread=None), "kalman")
    best_single = min(error(kalman_smooth(one, np.full(one.shape[:-1], 0.9)).points, places) for one in points)
    assert error(poses.points, places) < 0.6 * min(single)
    assert error(smooth.points, places) < error(poses.points, places)
    assert error(smooth.points, places) < error(plain.points, places)
    assert error(smooth.points, places) < best_single
    assert error(smooth.points[HARD], places[HARD]) < 0.9 * error(plain.points[HARD], places[HARD])


def test_the_spread_stands_in_place_of_the_likelihood(seen):
    poses = seen[2]
    doubtful = np.random.default_rng(1).uniform(0.02, 1, poses.likelihood.shape)
    doubtful[300, 2] = 0.0  # no point at all
    found = filter_poses(replace(poses, likelihood=doubtful), "kalman").points
    points = poses.points.copy()
    points[300, 2] = np.nan
    expected = filter_poses(replace(poses, points=points), "kalman").points
    np.testing.assert_allclose(found, expected, atol=0.05)


def test_frames_in_which_networks_disagree_are_found(seen):
    places, points, poses = seen
    found = score(poses, "disagree")
    wrong = np.linalg.norm(points - places, axis=-1).max(axis=(0, 2)) > 8
    wrong[HARD] = True
    assert wrong[found.found()].all()
    assert found.worst[HARD].min() > 5
    assert found.unit == "px"


def test_one_network_cannot_disagree(seen):
    with pytest.raises(ValueError, match="dlcnb analyze --ensemble"):
        score(replace(seen[2], spread=None), "disagree")


def test_the_noise_is_between_the_usual_one_and_the_spread(seen):
    """By the formula: 4 parts of the usual variance, n - 1 of the spread's; where nothing is known the usual one."""
    _, _, poses = seen
    usual = estimate_noise(poses.points, poses.likelihood)[0]
    px, networks = np.full((600, 4), 10.0), np.full((600, 4), 5.0)
    px[0], networks[1], px[2] = np.nan, 1, 0.0
    noise = ensemble_noise(poses.points, poses.likelihood, px, networks)
    np.testing.assert_allclose(noise[:2], np.stack([usual, usual]))
    np.testing.assert_allclose(noise[2], usual / np.sqrt(2))
    np.testing.assert_allclose(noise[3] ** 2, (usual**2 + 100) / 2)


def test_the_same_noise_for_each_frame_is_that_noise(seen):
    _, _, poses = seen
    whole = kalman_smooth(poses.points, noise=[1.0, 2.0, 3.0, 4.0], acceleration=0.5)
    each = kalman_smooth(poses.points, noise=np.tile([1.0, 2.0, 3.0, 4.0], (600, 1)), acceleration=0.5)
    np.testing.assert_array_equal(whole.points, each.points)
    assert (whole.noise.shape, each.noise.shape) == ((4,), (600, 4))


def test_a_series_of_one_bodypart_may_have_a_noise_for_each_frame():
    line = np.stack([np.arange(50.0), np.zeros(50)], axis=1)
    noise = np.ones(50)
    line[20], noise[20] = (20, 30), 1e6
    found = kalman_smooth(line, noise=noise, acceleration=0.1, robust=0)
    np.testing.assert_allclose(found.points[20], (20, 0), atol=1e-3)
