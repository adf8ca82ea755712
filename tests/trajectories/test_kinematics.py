"""Movements whose velocity, way and stay are known on paper."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dlcnb.trajectories import acceleration, distance_travelled, occupancy, speed, velocity, visits

NAN = np.nan


def line(count, step=(3.0, 4.0)):
    return np.arange(count)[:, None] * np.array(step)


# --- velocity and speed


def test_speed_of_uniform_motion():
    np.testing.assert_allclose(speed(line(6)), 5)
    np.testing.assert_allclose(speed(line(6), fps=30), 150)
    np.testing.assert_allclose(velocity(line(6), fps=30), np.tile([90, 120], (6, 1)))


def test_speed_on_a_circle_is_radius_times_angular_speed():
    angle = np.linspace(0, 2 * np.pi, 400)
    points = 50 * np.stack([np.cos(angle), np.sin(angle)], axis=-1)
    np.testing.assert_allclose(speed(points, times=angle * 2), 25, rtol=1e-2)
    np.testing.assert_allclose(speed(points, times=angle * 2)[1:-1], 25, rtol=1e-4)


def test_speed_with_uneven_times():
    times = np.array([0, 0.1, 0.15, 0.4, 1.0])
    points = np.stack([times * 6, times * 8], axis=-1)
    np.testing.assert_allclose(speed(points, times=times), 10)


def test_speed_is_missing_beside_missing_points_only():
    points = line(7)
    points[3] = NAN
    np.testing.assert_array_equal(np.isnan(speed(points)), [0, 0, 1, 1, 1, 0, 0])


def test_speed_of_many_bodyparts_and_of_one_frame():
    assert speed(np.zeros((5, 3, 2))).shape == (5, 3)
    assert np.isnan(speed(np.zeros((1, 3, 2)))).all()
    assert speed(np.zeros((0, 3, 2))).shape == (0, 3)


def test_speed_refuses_bad_times():
    with pytest.raises(ValueError, match="one time per frame"):
        speed(line(4), times=[0, 1])
    with pytest.raises(ValueError, match="frame 2 is not later"):
        speed(line(4), times=[0, 1, 1, 2])
    with pytest.raises(ValueError, match="fps"):
        speed(line(4), fps=0)


# --- acceleration


@settings(deadline=None)
@given(st.lists(st.floats(0.01, 1), min_size=3, max_size=20), st.floats(-50, 50))
def test_acceleration_of_a_fall_at_uneven_times(steps, gravity):
    times = np.cumsum(steps)
    points = np.stack([7 * times, 1 + 2 * times + gravity / 2 * times**2], axis=-1)
    found = acceleration(points, times=times)
    np.testing.assert_allclose(found, np.tile([0, gravity], (len(times), 1)), atol=1e-6)


def test_acceleration_is_missing_beside_missing_points_and_in_short_recordings():
    points = line(8)
    points[4] = NAN
    np.testing.assert_array_equal(np.isnan(acceleration(points)[:, 0]), [0, 0, 0, 1, 1, 1, 0, 0])
    assert np.isnan(acceleration(line(2))).all()
    assert acceleration(np.zeros((5, 3, 2)), fps=30).shape == (5, 3, 2)


# --- the way


def test_distance_of_a_line_and_of_a_circle():
    np.testing.assert_allclose(distance_travelled(line(5)), [0, 5, 10, 15, 20])
    angle = np.linspace(0, 2 * np.pi, 2000)
    circle = 10 * np.stack([np.cos(angle), np.sin(angle)], axis=-1)
    assert distance_travelled(circle)[-1] == pytest.approx(20 * np.pi, rel=1e-5)


def test_distance_has_the_steps_as_its_differences_and_skips_missing_points():
    points = np.random.default_rng(0).normal(size=(50, 3, 2))
    points[10, 1] = NAN
    way = distance_travelled(points)
    steps = np.linalg.norm(np.diff(points, axis=0), axis=-1)
    np.testing.assert_allclose(np.diff(way, axis=0), np.nan_to_num(steps))
    assert distance_travelled(np.zeros((0, 3, 2))).shape == (0, 3)


# --- regions


def test_occupancy_adds_up_to_the_length_of_the_recording():
    points = np.random.default_rng(0).uniform(0, 100, (900, 4, 2))
    halves = {"left": (0, 0, 50, 100), "right": [(50, 0), (100, 0), (100, 100), (50, 100)]}
    found = occupancy(points, halves, fps=30)
    np.testing.assert_allclose(found["left"] + found["right"], 30)
    inside = points[..., 0] < 50
    np.testing.assert_allclose(found["left"], inside.sum(axis=0) / 30)


def test_occupancy_counts_the_time_each_frame_lasts():
    points = np.array([[1.0, 1], [9, 9], [1, 1], [NAN, NAN]])
    found = occupancy(points, {"corner": (0, 0, 5, 5)}, times=[0, 1, 4, 6])
    assert found["corner"] == pytest.approx(1 + 2.5)  # the first as long as half the next doubled; then (3 + 2) / 2


@settings(deadline=None)
@given(st.floats(-2, 2), st.floats(-2, 2))
def test_a_point_is_in_a_disc_of_many_corners_if_it_is_near_its_centre(x, y):
    angle = np.linspace(0, 2 * np.pi, 720, endpoint=False)
    disc = np.stack([np.cos(angle), np.sin(angle)], axis=-1)
    radius = np.hypot(x, y)
    if abs(radius - 1) > 1e-4:
        assert (occupancy([[x, y]], {"disc": disc})["disc"] == 1) == (radius < 1)


def test_adjacent_regions_never_share_a_point():
    points = np.stack(np.meshgrid(np.arange(11.0), np.arange(11.0)), axis=-1).reshape(-1, 1, 2)
    a, b = (occupancy(points[:, 0], {"r": r})["r"] for r in ((0, 0, 5, 10), (5, 0, 10, 10)))
    assert a + b == 100  # the right and lower edges belong to what lies beyond


def test_a_region_that_is_none_is_an_error():
    with pytest.raises(ValueError, match="three corners"):
        occupancy(line(3), {"x": [(0, 0), (1, 1)]})


def test_visits_are_stretches_of_frames():
    x = np.array([0, 9, 9, 0, 9, NAN, 9, 9, 9])
    points = np.stack([x, np.ones(9)], axis=-1)
    np.testing.assert_array_equal(visits(points, (5, 0, 20, 5)), [[1, 3], [4, 5], [6, 9]])
    np.testing.assert_array_equal(visits(points, (5, 0, 20, 5), shortest=2), [[1, 3], [6, 9]])
    assert visits(points, (50, 0, 60, 5)).shape == (0, 2)
