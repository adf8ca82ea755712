"""Few of many, always found ones, and different ones."""

import numpy as np
import pytest

from dlcnb.outliers import around, subsample
from dlcnb.video import VideoReader, VideoWriter

pytestmark = pytest.mark.usefixtures("own_cache")


@pytest.fixture(scope="module")
def scenes(tmp_path_factory):
    """A video of four scenes of 25 frames each."""
    path = tmp_path_factory.mktemp("scenes") / "scenes.mp4"
    rng = np.random.default_rng(0)
    pictures = rng.integers(0, 255, (4, 8, 8, 3), np.uint8).repeat(8, axis=1).repeat(8, axis=2)
    with VideoWriter(path, (64, 64), 25) as writer:
        for i in range(100):
            writer.write(pictures[i // 25])
    return path


def test_kmeans_takes_a_frame_of_each_scene_among_the_found_ones(scenes):
    found = np.concatenate([np.arange(0, 20), [30], [55, 56], np.arange(80, 100)])
    with VideoReader(scenes) as reader:
        chosen = subsample(found, 4, reader=reader)
        assert list(chosen // 25) == [0, 1, 2, 3]
        assert set(chosen) <= set(found)
        np.testing.assert_array_equal(chosen, subsample(found, 4, reader=reader))


def test_uniform_spreads_over_the_found_frames():
    found = np.concatenate([np.arange(100), [5000, 9000]])
    chosen = subsample(found, 10, how="uniform", seed=3)
    assert len(chosen) == 10
    assert set(chosen) <= set(found)
    assert chosen[0] < 15
    assert chosen[-1] > 80


def test_fewer_found_than_wanted_are_all_taken():
    np.testing.assert_array_equal(subsample([9, 3, 3], 5), [3, 9])
    assert len(subsample([], 5)) == 0


def test_what_cannot_be_chosen_is_refused():
    with pytest.raises(ValueError, match="whole number"):
        subsample([1, 2], 0)
    with pytest.raises(ValueError, match="kmeans"):
        subsample([1, 2, 3], 2, how="best")
    with pytest.raises(ValueError, match="reader"):
        subsample([1, 2, 3], 2)


def test_frames_around_rare_moments():
    np.testing.assert_array_equal(around([1, 50, 52], 2, 54), [0, 1, 2, 3, 48, 49, 50, 51, 52, 53])
    assert len(around([], 3, 10)) == 0
