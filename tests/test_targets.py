import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dlcnb import targets

SIZE = (120, 160)
inside = st.tuples(st.floats(-0.5, SIZE[1] - 0.5), st.floats(-0.5, SIZE[0] - 0.5))


@settings(deadline=None)
@given(st.lists(inside, min_size=1, max_size=4), st.sampled_from([3.0, 8.5, 17.0]), st.sampled_from([0, 1]))
def test_decode_undoes_encode(points, radius, vote):
    points = np.array(points)[None]
    score, locref = targets.encode(points, SIZE, radius=radius)
    found, likelihood = targets.decode(score, locref, vote=vote)
    np.testing.assert_allclose(found, points, atol=1e-3)
    assert (likelihood == 1).all()


@settings(deadline=None)
@given(inside, inside)
def test_local_maxima_find_both_animals(first, second):
    if np.abs(np.subtract(first, second)).max() < 60:
        return
    points = np.array([first, second])[None, :, None]  # (1, 2 animals, 1 bodypart, 2)
    score, locref = targets.encode(points, SIZE, radius=12.0)
    found, likelihood = targets.local_maxima(score[0], locref[0], count=3)
    assert (likelihood[:, 0] > 0).sum() == 2
    order = np.argsort(found[:2, 0, 0] + 1e-3 * found[:2, 0, 1])
    expected = points[0, :, 0]
    expected = expected[np.argsort(expected[:, 0] + 1e-3 * expected[:, 1])]
    np.testing.assert_allclose(found[order, 0], expected, atol=1e-3)
    assert np.isnan(found[2]).all()


def test_a_missing_bodypart_has_an_empty_map():
    score, locref = targets.encode(np.full((1, 2, 2), np.nan), SIZE)
    assert score.sum() == 0
    assert np.abs(locref).sum() == 0


def test_a_label_outside_the_crop_leaves_no_trace():
    score, _ = targets.encode(np.array([[[-30.0, 40.0]]]), SIZE, radius=17.0)
    assert score.sum() == 0


def test_disc_has_the_papers_radius():
    score, _ = targets.encode(np.array([[[83.5, 59.5]]]), SIZE, radius=17.0)
    rows, columns = np.nonzero(score[0, 0])
    distance = np.hypot(targets.cell_centers(20)[columns] - 83.5, targets.cell_centers(15)[rows] - 59.5)
    assert distance.max() <= 17
    assert len(rows) == pytest.approx(np.pi * (17 / 8) ** 2, abs=4)


def test_grid_covers_sizes_that_are_no_multiple_of_the_stride():
    assert targets.grid_size((121, 160)) == (16, 20)
    points = np.array([[[159.0, 120.4]]])
    found, _ = targets.decode(*targets.encode(points, (121, 160)))
    np.testing.assert_allclose(found, points, atol=1e-3)


def test_decode_of_an_empty_map_is_finite():
    points, likelihood = targets.decode(np.zeros((1, 1, 4, 4)), np.zeros((1, 1, 2, 4, 4)))
    assert np.isfinite(points).all()
    assert likelihood.max() == 0
