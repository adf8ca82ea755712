"""Trajectories whose answers are known on paper, with and without missing points."""

import numpy as np
import pytest

from dlcnb.trajectories import mask, median_filter, speed

NAN = np.nan


def line(count, step=(3.0, 4.0)):
    return np.arange(count)[:, None] * np.array(step)


# --- mask


def test_mask_leaves_out_what_is_below_the_cutoff():
    points = np.arange(12.0).reshape(3, 2, 2)
    out = mask(points, [[0.2, 0.6], [0.59, 1.0], [NAN, 0.7]], 0.6)
    np.testing.assert_array_equal(np.isnan(out[..., 0]), [[1, 0], [1, 0], [1, 0]])
    np.testing.assert_array_equal(out[:, 1], points[:, 1])


def test_mask_does_not_change_its_input():
    points = np.ones((2, 1, 2))
    mask(points, np.zeros((2, 1)), 0.5)
    assert np.isfinite(points).all()


def test_mask_refuses_tables_that_do_not_fit():
    with pytest.raises(ValueError, match="don't fit"):
        mask(np.ones((2, 1, 2)), np.ones((3, 1)), 0.5)


# --- median


def test_median_removes_a_jump_and_keeps_the_rest():
    points = line(20)
    jumped = points.copy()
    jumped[9:11] += 100
    out = median_filter(jumped, 5)
    assert np.abs(out[2:-2] - points[2:-2]).max() <= 8  # at most two steps off
    np.testing.assert_allclose(median_filter(points, 5)[2:-2], points[2:-2])


def test_median_of_window_one_is_the_input():
    points = line(5)
    np.testing.assert_array_equal(median_filter(points, 1), points)


def test_median_window_is_cut_short_at_the_ends_not_filled_with_zeros():
    out = median_filter(np.array([[10.0], [20], [30], [40]]), 3)
    np.testing.assert_array_equal(out[:, 0], [15, 20, 30, 35])


def test_median_leaves_missing_out_and_missing():
    out = median_filter(np.array([1.0, NAN, 3, 100, 5, NAN, NAN, NAN, NAN, NAN, 7]), 5)
    np.testing.assert_array_equal(out, [2, NAN, 4, 5, 5, NAN, NAN, NAN, NAN, NAN, 7])


def test_median_equals_numpys_on_random_data_longer_than_a_part():
    values = np.random.default_rng(0).normal(size=(20_011, 2))
    out = median_filter(values, 7)
    for t in (0, 2, 9_998, 9_999, 10_000, 10_003, 20_010):
        np.testing.assert_allclose(out[t], np.median(values[max(t - 3, 0) : t + 4], axis=0))


def test_median_of_any_shape_and_of_nothing():
    assert median_filter(np.zeros((6, 3, 4, 2)), 3).shape == (6, 3, 4, 2)
    assert median_filter(np.zeros((0, 4, 2)), 3).shape == (0, 4, 2)
    assert median_filter(np.ones((2, 1, 2)), 9).shape == (2, 1, 2)


@pytest.mark.parametrize("window", [0, 4, -1, 2.5])
def test_median_refuses_an_even_window(window):
    with pytest.raises(ValueError, match="odd"):
        median_filter(line(5), window)


def test_median_does_not_change_its_input():
    points = line(9)
    median_filter(points, 3)
    np.testing.assert_array_equal(points, line(9))


# --- speed


def test_speed_of_uniform_motion():
    np.testing.assert_allclose(speed(line(6)), 5)
    np.testing.assert_allclose(speed(line(6), fps=30), 150)


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


def test_speed_refuses_bad_times():
    with pytest.raises(ValueError, match="one time per frame"):
        speed(line(4), times=[0, 1])
    with pytest.raises(ValueError, match="frame 2 is not later"):
        speed(line(4), times=[0, 1, 1, 2])
    with pytest.raises(ValueError, match="fps"):
        speed(line(4), fps=0)
