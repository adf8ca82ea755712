"""Postures in the body's own frame, and moments that are worth a picture."""

import numpy as np
import pytest

from dlcnb.trajectories import body_axis, bone_lengths, in_body_frame, liveliest

BODY = np.array([[0.0, 0.0], [0.0, -40.0], [8.0, -30.0], [-8.0, -30.0]])  # tail, snout (above), right, left


def turned(body, degrees, shift):
    a = np.radians(degrees)
    return body @ np.array([[np.cos(a), np.sin(a)], [-np.sin(a), np.cos(a)]]) + shift


def test_a_posture_comes_back_wherever_the_body_is_and_looks():
    seen = np.stack([turned(BODY, degrees, (degrees, 50.0)) for degrees in (0, 37, 180, 301)])
    np.testing.assert_allclose(in_body_frame(seen, 0, 1), np.broadcast_to(BODY, seen.shape), atol=1e-9)


def test_lengths_stay_and_the_input_too():
    points = np.random.default_rng(0).normal(0, 30, (50, 4, 2))
    before = points.copy()
    edges = [(0, 2), (1, 3)]
    np.testing.assert_allclose(bone_lengths(in_body_frame(points, 3, 0), edges), bone_lengths(points, edges))
    np.testing.assert_array_equal(points, before)


def test_what_is_not_there_stays_away():
    points = np.stack([BODY, BODY, BODY])
    points[0, 2] = np.nan
    points[1, 0] = np.nan
    points[2, 1] = points[2, 0]
    found = in_body_frame(points, 0, 1)
    assert np.isnan(found[0]).any(axis=-1).tolist() == [False, False, True, False]
    assert np.isnan(found[1:]).all()


@pytest.mark.parametrize("way", [1, -1])
def test_the_front_is_where_the_animal_goes_to(way):
    points = BODY + np.arange(30)[:, None, None] * [0.0, -2.0 * way]
    assert body_axis(points) == ((0, 1) if way == 1 else (1, 0))


def test_a_bodypart_that_is_rarely_there_makes_no_axis():
    points = np.concatenate([BODY, [[0.0, 300.0]]]) + np.arange(30)[:, None, None] * [0.0, -2.0]
    points[3:, 4] = np.nan
    assert body_axis(points) == (0, 1)
    with pytest.raises(ValueError, match="two bodyparts"):
        body_axis(np.full((5, 3, 2), np.nan))


def test_the_liveliest_moment_is_where_the_animal_runs():
    x = np.concatenate([np.linspace(0, 10, 100), np.linspace(10, 90, 20), np.linspace(90, 100, 100)])
    points = np.stack([x, np.zeros(220)], axis=-1)[:, None]
    assert 100 <= liveliest(points, 10) <= 120
    points[40] += 1000  # a jump is an error, no movement
    assert 100 <= liveliest(points, 10) <= 120
    points[95:125] = np.nan
    assert not 95 <= liveliest(points, 10) < 125
    assert liveliest(np.empty((0, 1, 2))) == 0
