"""Splits into train and test, the choice of bodyparts, and settings that don't go together."""

import numpy as np
import pytest

from dlcnb import sampledata
from dlcnb.labels import Labels
from dlcnb.project import ProjectError
from dlcnb.trainset import TrainConfig, TrainSet, choose_split, folds, leave_one_video_out, split

IMAGES = [f"labeled-data/{video}/img{i:03d}.png" for video, n in (("m1", 4), ("m2", 7), ("m3", 2)) for i in range(n)]


def config(**changes):
    return TrainConfig(steps=1, **changes)


def test_each_frame_is_tested_once_in_k_folds():
    found = folds(23, 5, seed=1)
    assert sorted(np.concatenate([f.test for f in found])) == list(range(23))
    for one in found:
        assert len(one.test) in (4, 5)
        assert sorted([*one.train, *one.test]) == list(range(23))
        assert one.fraction == pytest.approx(len(one.train) / 23)
    assert [list(f.test) for f in folds(23, 5, seed=1)] == [list(f.test) for f in found]
    assert [list(f.test) for f in folds(23, 5, seed=2)] != [list(f.test) for f in found]


@pytest.mark.parametrize("k", [0, 1, 8])
def test_folds_need_frames(k):
    with pytest.raises(ValueError, match="7 labeled frames"):
        folds(7, k, seed=0)


def test_each_video_is_left_out_once():
    found = leave_one_video_out(IMAGES)
    assert list(found) == ["m1", "m2", "m3"]
    assert list(found["m2"].test) == list(range(4, 11))
    assert sorted([*found["m3"].train, *found["m3"].test]) == list(range(13))
    with pytest.raises(ValueError, match="two or more videos"):
        leave_one_video_out(IMAGES[:4])


def test_the_configuration_chooses_the_split():
    assert list(choose_split(IMAGES, config(train_fraction=0.5, split_seed=3)).test) == list(split(13, 0.5, 3).test)
    assert list(choose_split(IMAGES, config(folds=4, fold=2, split_seed=3)).test) == list(folds(13, 4, 3)[2].test)
    assert list(choose_split(IMAGES, config(leave_out="m3")).test) == [11, 12]
    with pytest.raises(ValueError, match="did you mean 'm3'"):
        choose_split(IMAGES, config(leave_out="m33"))


def test_smaller_fractions_of_one_seed_are_parts_of_larger_ones():
    small, large = split(50, 0.1, 4), split(50, 0.8, 4)
    assert set(small.train) < set(large.train)
    assert set(large.test) < set(small.test)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"fold": 1}, "needs folds"),
        ({"folds": 1}, "folds >= 2"),
        ({"folds": 3, "fold": 3}, "folds >= 2"),
        ({"folds": 3, "leave_out": "m1"}, "give one of them"),
    ],
)
def test_settings_that_do_not_go_together(wrong, words):
    with pytest.raises(ValueError, match=words):
        config(**wrong)


def test_a_configuration_survives_its_file():
    one = config(folds=4, fold=1, bodyparts=["snout", "tail"])
    assert one.train_fraction == 0.75
    assert TrainConfig.from_dict(one.to_dict()) == one
    assert TrainConfig.from_dict(config().to_dict()) == config()


def test_one_step_may_be_kept():
    assert config(keep=30).keep == config(keep=[30]).keep == (30,)


def test_some_bodyparts_of_the_same_frames(tmp_path):
    arena = sampledata.Arena(seed=0, n_frames=20, size=(120, 160))
    arena_project = sampledata.synthetic_project(tmp_path, n_label=6, arena=arena)
    everything = TrainSet.from_project(arena_project)
    some = TrainSet.from_project(arena_project, ["tailbase", "snout"])
    assert some.bodyparts == ("snout", "tailbase")
    assert some.images == everything.images
    np.testing.assert_array_equal(some.points, everything.points[:, [0, 3]])
    with pytest.raises(ProjectError, match="did you mean 'snout'"):
        TrainSet.from_project(arena_project, ["snoot"])
    with pytest.raises(ProjectError, match="at least one"):
        TrainSet.from_project(arena_project, [])
    TrainSet.from_project(arena_project, learned=everything.bodyparts)
    with pytest.raises(ProjectError, match="learned the bodyparts leftear, snout, "):
        TrainSet.from_project(arena_project, learned=("leftear", "snout", "rightear", "tailbase"))


def test_presets_differ_from_the_defaults_where_they_say():
    paper = TrainConfig.preset("paper", steps=1000)
    assert (paper.backbone, paper.batch_size, paper.crop_size, paper.optimizer) == ("resnet-50", 1, None, "sgd")
    assert paper.steps == 1000
    assert TrainConfig.preset("workshop").minutes == 3
    assert TrainConfig.preset("workshop", steps=5).minutes is None
    assert TrainConfig.from_dict(paper.to_dict()) == paper
    with pytest.raises(ValueError, match="did you mean 'quick'"):
        TrainConfig.preset("quik")


def test_whole_frames_go_one_by_one():
    with pytest.raises(ValueError, match="batch_size must be 1"):
        TrainConfig(steps=1, crop_size=None, batch_size=8)


def test_a_batch_that_would_claim_all_memory_is_refused():
    with pytest.raises(ValueError, match="batch_size must be at most 4096"):
        TrainConfig(steps=1, batch_size=10**9)


def test_rare_bodyparts_get_their_share_and_no_frame_is_left_out(tmp_path):
    points = np.zeros((20, 3, 2))
    points[2:, 1] = np.nan  # shown in two frames
    points[:, 2] = np.nan  # shown in none
    points[19] = np.nan  # a frame that shows nothing
    labels = Labels(("a", "b", "c"), "me", tuple(f"labeled-data/v/img{n:03}.png" for n in range(20)), points)
    shares = TrainSet(tmp_path, labels).shares(np.arange(20))
    assert shares.sum() == pytest.approx(1)
    assert shares[:2].sum() > 0.45  # of what is drawn, half is meant to show b
    assert shares[19] == pytest.approx(0.1 / 20)
    nothing = TrainSet(tmp_path, Labels(("a",), "me", labels.images, np.full((20, 1, 2), np.nan)))
    assert (nothing.shares(np.arange(20)) == 1 / 20).all()


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"bodyparts": 7}, "bodyparts must be a list of names, but is 7"),
        ({"bodyparts": "nose"}, "bodyparts must be a list of names"),
        ({"schedule": "x"}, "schedule must be pairs of step and rate"),
        ({"schedule": [[1, "a"]]}, "schedule must be pairs"),
        ({"weights": 3}, "weights must be a path or a name, but is 3"),
    ],
)
def test_settings_of_another_kind_are_one_clear_line(wrong, told):
    with pytest.raises(ValueError, match=told):
        TrainConfig.from_dict({"steps": 3, **wrong})
