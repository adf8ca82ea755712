"""Trajectories whose answers are known on paper, with and without missing points."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.signal import savgol_filter as scipy_savgol

from dlcnb.trajectories import fill_gaps, mask, median_filter, savgol_filter

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


# --- Savitzky-Golay


@settings(deadline=None)
@given(
    st.integers(0, 4).flatmap(
        lambda n: st.tuples(st.just(n), st.lists(st.floats(-2, 2), min_size=n + 1, max_size=n + 1))
    ),
    st.sets(st.integers(0, 39), max_size=25),
)
def test_savgol_leaves_polynomials_of_its_order_as_they_are(polynomial, gone):
    order, factors = polynomial
    values = np.polynomial.Polynomial(factors, domain=[0, 39])(np.arange(40.0))
    values[list(gone)] = NAN
    np.testing.assert_allclose(savgol_filter(values, 7, order), values, atol=1e-9)


def test_savgol_equals_scipys():
    values = np.random.default_rng(0).normal(size=(500, 3, 2))
    expected = scipy_savgol(values, 9, 2, axis=0, mode="interp")
    np.testing.assert_allclose(savgol_filter(values, 9, 2)[4:-4], expected[4:-4], atol=1e-12)


def test_savgol_smooths_and_keeps_missing_missing():
    rng = np.random.default_rng(1)
    truth = 50 * np.sin(np.arange(400) / 20)
    noisy = truth + rng.normal(0, 2, 400)
    noisy[100:110] = noisy[0] = NAN
    out = savgol_filter(noisy, 11, 3)
    np.testing.assert_array_equal(np.isnan(out), np.isnan(noisy))
    assert np.nanstd(out - truth) < 0.6 * np.nanstd(noisy - truth)


def test_savgol_of_nothing_and_of_next_to_nothing():
    assert savgol_filter(np.zeros((0, 4, 2))).shape == (0, 4, 2)
    np.testing.assert_array_equal(savgol_filter([NAN, 3.0, NAN], 7, 3), [NAN, 3.0, NAN])
    np.testing.assert_array_equal(savgol_filter([5.0, 6.0], 1, 0), [5, 6])


@pytest.mark.parametrize(("window", "order"), [(4, 2), (5, 5), (5, -1), (5, 1.5)])
def test_savgol_refuses_what_cannot_be(window, order):
    with pytest.raises(ValueError, match=r"odd|order"):
        savgol_filter(line(9), window, order)


# --- gaps


@settings(deadline=None)
@given(st.sets(st.integers(0, 29), max_size=28), st.integers(0, 30))
def test_filling_a_line_gives_the_line_wherever_a_short_gap_lies_between(gone, limit):
    values = line(30)
    values[list(gone)] = NAN
    out = fill_gaps(values, limit)
    filled = np.isfinite(out[:, 0])
    np.testing.assert_allclose(out[filled], line(30)[filled])
    known = [t for t in range(30) if t not in gone]
    for t in gone:
        before, after = [k for k in known if k < t], [k for k in known if k > t]
        assert filled[t] == bool(before and after and after[0] - before[-1] - 1 <= limit)


def test_filling_follows_the_times_of_the_frames():
    times = np.array([0.0, 1.0, 5.0, 10.0])
    np.testing.assert_allclose(fill_gaps([0.0, NAN, NAN, 20.0], times=times), [0, 2, 10, 20])


def test_filling_leaves_its_input_and_what_is_there():
    points = np.random.default_rng(0).normal(size=(20, 2, 2))
    points[5:8, 0] = NAN
    before = points.copy()
    out = fill_gaps(points, None)
    np.testing.assert_array_equal(points, before)
    np.testing.assert_array_equal(out[~np.isnan(points)], points[~np.isnan(points)])
    assert np.isfinite(out).all()
    assert fill_gaps(np.zeros((0, 3, 2))).shape == (0, 3, 2)
    with pytest.raises(ValueError, match="limit"):
        fill_gaps(points, -1)
