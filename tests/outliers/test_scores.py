"""Errors put into clean trajectories are found, and nothing else."""

import numpy as np
import pytest

from dlcnb.labels import Labels
from dlcnb.outliers import HOW, left_right_pairs, score
from dlcnb.poses import Poses, Spread
from dlcnb.project import Project, Skeleton
from dlcnb.sampledata.arena import BODYPARTS, SKELETON, Arena, arena_poses

NAN = np.nan
BONES = Skeleton(BODYPARTS, SKELETON)


@pytest.fixture(scope="module")
def truth():
    return arena_poses(Arena(seed=4, n_frames=600))


@pytest.fixture
def poses(truth):
    """The synthetic mouse, tracked well by three networks: half a pixel of noise, sure."""
    points = truth + np.random.default_rng(0).normal(0, 0.5, truth.shape)
    size = points.shape[:2]
    spread = Spread(BODYPARTS, "net", np.full(size, 0.5), np.full(size, 3.0))
    return Poses(BODYPARTS, "net", points, np.full(size, 0.95), spread=spread)


def exchange(poses, rows):
    left, right = BODYPARTS.index("leftear"), BODYPARTS.index("rightear")
    poses.points[rows, left], poses.points[rows, right] = poses.points[rows, right], poses.points[rows, left].copy()


@pytest.mark.parametrize("how", HOW)
def test_good_tracking_has_no_outliers(poses, how):
    found = score(poses, how, skeleton=BONES)
    assert found.count() == (600 if how == "sure" else 0)
    assert found.values.shape[0] == 600
    assert found.how == how


def test_a_jump_is_counted_for_the_unlikely_frame(poses):
    poses.points[100, 0] += 50
    found = score(poses, "jump")
    assert set(found.found()) == {100, 101}  # there and back, as DeepLabCut counts
    poses.likelihood[100, 0] = 0.2
    assert set(score(poses, "jump").found()) == {100}
    poses.points[0, 1] += 50
    poses.likelihood[0, 1] = 0.1
    assert set(score(poses, "jump").found()) == {0, 100}  # the first frame may be one too


def test_uncertain_frames(poses):
    poses.likelihood[[7, 9], 2] = 0.05
    poses.likelihood[11] = NAN  # a damaged frame: there is nothing to label
    found = score(poses, "uncertain")
    assert set(found.found()) == {7, 9}
    assert found.count(0.96) == 599
    assert found.reason(7) == f"{BODYPARTS[2]}: 0.05"
    assert found.reason(11) == ""


def test_fit_finds_excursions_of_several_frames_and_no_quick_animal(poses):
    poses.points[200:204, 1] += (40, 30)
    poses.points[300:] += np.minimum(np.arange(300), 10)[:, None, None] * [4.0, 0]  # a leap that accelerates smoothly
    found = score(poses, "fit")
    assert set(range(200, 204)) <= set(found.found())
    assert len(set(found.found()) - set(range(196, 208))) == 0
    assert found.reason(200).startswith(BODYPARTS[1])


def test_bones_of_wrong_length(poses):
    part = BODYPARTS.index("tailbase")
    poses.points[50, part] += 300
    poses.points[51, part] = NAN
    found = score(poses, "bone", skeleton=BONES)
    assert set(found.found()) == {50}
    assert found.names[0] == "-".join(SKELETON[0])
    with pytest.raises(ValueError, match="no skeleton"):
        score(poses, "bone")


def test_swapped_ears_are_found_however_long_they_are_swapped(poses):
    exchange(poses, slice(100, 160))
    exchange(poses, [300])
    found = score(poses, "swap")
    assert found.names == ("leftear/rightear",)
    assert set(found.found()) == {*range(100, 160), 300}


def test_without_a_third_bodypart_the_moment_of_swapping_is_found(poses):
    exchange(poses, slice(100, 160))
    ears = [BODYPARTS.index(name) for name in ("leftear", "rightear")]
    alone = Poses(("leftear", "rightear"), "net", poses.points[:, ears], poses.likelihood[:, ears])
    assert set(score(alone, "swap").found()) == {100, 160}


def test_pairs_are_known_by_their_names():
    parts = ("snout", "leftear", "tail", "rightear", "paw_left", "paw_right", "lefteye")
    assert left_right_pairs(parts) == [(1, 3), (4, 5)]
    lone = Poses(("snout", "tail"), "net", np.zeros((3, 2, 2)), np.ones((3, 2)))
    with pytest.raises(ValueError, match="left"):
        score(lone, "swap")


def test_sure_frames_of_chosen_bodyparts(poses):
    poses.likelihood[:, 0] = 0.1
    poses.likelihood[40:45, 0] = 0.97
    assert list(score(poses, "sure", bodyparts=[BODYPARTS[0]]).found()) == [40, 41, 42, 43, 44]
    assert score(poses, "sure", bodyparts=BODYPARTS[1:]).count() == 600


@pytest.mark.parametrize("how", ["jump", "uncertain"])
def test_counts_for_any_threshold_are_those_of_the_frames(poses, how):
    rng = np.random.default_rng(0)
    poses.points += rng.normal(0, 20, poses.points.shape)
    poses.likelihood[:] = rng.uniform(0, 1, poses.likelihood.shape)
    poses.points[30] = poses.likelihood[30] = NAN
    found = score(poses, how)
    low, high = found.limits()
    for threshold in [*np.linspace(low, high, 13), low - 1, high + 1]:
        assert found.count(threshold) == len(found.found(threshold))
    for count in (0, 1, 17, 500, 10_000):
        assert found.count(found.threshold_for(count)) == min(
            count, found.count(low - 1 if how == "jump" else high + 1)
        )


def test_of_many_that_are_equally_unsure_all_are_found(poses):
    poses.likelihood[:] = 0.9
    poses.likelihood[:50, 1] = 0.02
    found = score(poses, "uncertain")
    assert found.count(found.threshold_for(20)) == 50
    assert found.count(found.threshold_for(0)) == 0
    poses.points[:] = poses.points[0]  # nothing moves: no frame jumps more than the others
    still = score(poses, "jump")
    assert still.count(still.threshold_for(20)) == 0


def test_some_bodyparts_only(poses):
    poses.points[100, 0] += 50
    poses.points[200, 3] += 50
    assert set(score(poses, "jump", bodyparts=[BODYPARTS[3]]).found()) == {200, 201}
    assert score(poses, "bone", skeleton=BONES, bodyparts=SKELETON[0]).names == ("-".join(SKELETON[0]),)
    with pytest.raises(ValueError, match="did you mean 'snout'"):
        score(poses, "fit", bodyparts=["snoot"])


def test_an_unknown_way_is_an_error_and_not_an_empty_result(poses):
    with pytest.raises(ValueError, match="did you mean 'jump'"):
        score(poses, "jmup")


def test_poses_of_nothing_find_nothing():
    blank, zeros = np.full((20, 4), NAN), np.zeros((0, 4))
    apart = Spread(BODYPARTS, "net", blank, np.zeros((20, 4)))
    empty = Poses(BODYPARTS, "net", np.full((20, 4, 2), NAN), blank, spread=apart)
    none = Poses(BODYPARTS, "net", np.zeros((0, 4, 2)), zeros, spread=Spread(BODYPARTS, "net", zeros, zeros))
    for how in HOW:
        for poses in (empty, none):
            found = score(poses, how, skeleton=BONES)
            assert found.count() == len(found.found()) == 0
            assert found.limits() == (0, 1)


def test_the_poses_stay_as_they_are(poses):
    before = poses.points.copy(), poses.likelihood.copy()
    for how in HOW:
        score(poses, how, skeleton=BONES).worst[:] = 0
    np.testing.assert_array_equal(poses.points, before[0])
    np.testing.assert_array_equal(poses.likelihood, before[1])


def test_swapped_ears_of_the_real_mouse(openfield_root):
    labels = Labels.read_project(Project.open(openfield_root))
    poses = Poses(labels.bodyparts, "expert", labels.points, np.isfinite(labels.points[..., 0]).astype(float))
    assert list(score(poses, "swap").found()) == [102]  # the expert took left for right there, once
    rows = np.arange(0, 100, 6)
    left, right = (labels.bodyparts.index(name) for name in ("leftear", "rightear"))
    poses.points[rows, left], poses.points[rows, right] = poses.points[rows, right], poses.points[rows, left].copy()
    assert set(score(poses, "swap").found()) == {*rows, 102}
