"""Several networks as one: median and spread by hand, and the table beside the table that nobody stumbles over."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dlcnb.poses import Poses, Spread, combine, find_poses, pose_tables, poses_path, write_chunks
from dlcnb.poses.spread import spread_path
from dlcnb.tables.errors import TableError

NAN = np.nan


def one_point(*places, likelihood=None):
    """What is made of networks that place one bodypart in one frame."""
    points = np.array(places, float)[:, None, None]
    trust = np.ones(points.shape[:-1]) if likelihood is None else np.array(likelihood, float)[:, None, None]
    found, sure, spread, networks = combine(points, trust)
    return (*found[0, 0], sure[0, 0], spread[0, 0], networks[0, 0])


def test_three_networks_by_hand():
    """x 0, 3, 6 and y 0, 0, 3: variances 9 and 3, mean 6; one that is far off does not move the median."""
    assert one_point((0, 0), (3, 0), (6, 3), likelihood=(0.2, 0.9, 0.8)) == (3, 0, 0.8, pytest.approx(6**0.5), 3)
    assert one_point((3, 0), (3, 0), (999, 0))[:2] == (3, 0)


def test_what_a_network_does_not_find_does_not_count():
    assert one_point((1, 1), (NAN, NAN), (3, 5), likelihood=(0.5, NAN, 0.7)) == pytest.approx((2, 3, 0.6, 5**0.5, 2))
    x, y, sure, spread, networks = one_point((1, 2), (NAN, NAN))
    assert (x, y, sure, networks) == (1, 2, 1, 1)
    assert np.isnan(spread)
    assert np.isnan(one_point((NAN, NAN), (NAN, NAN), likelihood=(NAN, NAN))[:4]).all()


@given(st.integers(2, 6), st.integers(0, 2**32 - 1))
@settings(max_examples=30, deadline=None)
def test_it_is_numpys_median_and_deviation(networks, seed):
    rng = np.random.default_rng(seed)
    points, likelihood = rng.normal(0, 50, (networks, 7, 3, 2)), rng.random((networks, 7, 3))
    before = points.copy()
    found, sure, spread, count = combine(points, likelihood)
    np.testing.assert_allclose(found, np.median(points, axis=0))
    np.testing.assert_allclose(sure, np.median(likelihood, axis=0))
    np.testing.assert_allclose(spread**2, points.var(axis=0, ddof=1).mean(axis=-1))
    assert (count == networks).all()
    np.testing.assert_array_equal(points, before)


def test_shapes_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match="don't fit"):
        combine(np.zeros((2, 5, 3, 2)), np.ones((2, 5, 4)))
    with pytest.raises(TableError, match="expected a spread"):
        Spread(("a",), "DLC_x", np.zeros((2, 1)), np.zeros((3, 1)))


@pytest.fixture
def written(tmp_path):
    """(table, its poses, its spread) of a video of five frames."""
    points = np.arange(20.0).reshape(5, 2, 2)
    poses = Poses(("nose", "tail"), "DLC_Ensemble3_x", points, np.full((5, 2), 0.9))
    px = np.arange(10.0).reshape(5, 2)
    px[3, 1] = NAN
    spread = Spread(poses.bodyparts, poses.scorer, px, np.full((5, 2), 3.0))
    table, _ = poses.write(tmp_path / "a.mp4")
    write_chunks(spread_path(table), [spread], 5)
    return table, poses, spread


def test_the_spread_is_read_with_the_poses(written):
    table, poses, spread = written
    for path in (table, table.with_suffix(".csv")):
        found = Poses.read(path)
        np.testing.assert_array_equal(found.points, poses.points)
        np.testing.assert_array_equal(found.spread.px, spread.px)
        np.testing.assert_array_equal(found.spread.networks, spread.networks)
    assert list(found.frame().columns) == list(poses.frame().columns)  # the table is DeepLabCut's
    assert len(found.fitted(4).spread) == 4
    assert np.isnan(found.fitted(7).spread.px[5:]).all()


def test_it_is_not_taken_for_poses(written, tmp_path):
    table, _, _ = written
    video = tmp_path / "a.mp4"
    assert find_poses(video).stem == table.stem == poses_path(video, "DLC_Ensemble3_x").stem
    assert pose_tables(video) == [table]


def test_a_damaged_one_is_named_and_the_poses_are_read(written, caplog):
    table, poses, _ = written
    for path in (spread_path(table), spread_path(table.with_suffix(".csv"))):
        path.write_bytes(b"nonsense")
    found = Poses.read(table)
    assert found.spread is None
    np.testing.assert_array_equal(found.points, poses.points)
    assert "the spread of the networks is left out" in caplog.text


@pytest.mark.parametrize(("px", "networks"), [(np.inf, 3), (-1, 3), (1, np.inf), (1, -2), (1, 1e300)])
def test_numbers_that_no_ensemble_has_are_named_and_the_poses_are_read(written, caplog, px, networks):
    table, poses, spread = written
    strange = Spread(spread.bodyparts, spread.scorer, np.full((5, 2), px), np.full((5, 2), networks))
    write_chunks(spread_path(table), [strange], 5)
    found = Poses.read(table)
    assert found.spread is None
    np.testing.assert_array_equal(found.points, poses.points)
    assert "expected px and counts of networks" in caplog.text


def test_counts_that_are_lacking_are_none(written):
    table, _, spread = written
    write_chunks(spread_path(table), [Spread(spread.bodyparts, spread.scorer, spread.px, spread.networks * NAN)], 5)
    assert not Poses.read(table).spread.networks.any()
