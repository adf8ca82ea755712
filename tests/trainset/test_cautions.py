"""dlcnb.trainset.cautions: what is said of labels before a training begins."""

import re

import numpy as np
import pytest
from support.projects import copy_of

from dlcnb import TrainConfig
from dlcnb.labels import Labels
from dlcnb.trainset import split
from dlcnb.trainset.cautions import FEW, few_labels, few_to_test, sizes_that_differ, swapped_twins

NAMES = ("snout", "leftear", "rightear", "leftpaw", "rightpaw", "tailbase")
MOUSE = np.array([[60.0, 0], [40, -20], [40, 20], [0, -25], [0, 25], [-60, 0]])


def mice(count, size=1.0, seed=0):
    """Labels of mice from above, in any direction: float (count, 6, 2) px."""
    rng = np.random.default_rng(seed)
    angle = rng.uniform(-np.pi, np.pi, count)
    turns = np.stack([np.cos(angle), -np.sin(angle), np.sin(angle), np.cos(angle)], -1).reshape(count, 2, 2)
    bodies = size * (MOUSE + rng.normal(0, 2, (count, *MOUSE.shape)))
    return np.einsum("nij,nkj->nki", turns, bodies) + rng.uniform(150, 450, (count, 1, 2))


def labels(points):
    return Labels(NAMES, "ann", tuple(f"labeled-data/m/img{n:04d}.png" for n in range(len(points))), points)


def test_few_labels_are_told_before_a_training(arena_project, tmp_path):
    project = copy_of(arena_project, tmp_path)
    found = Labels.read_project(project)
    some = found.select(np.arange(3))
    for folder in project.labeled_dirs():
        for path in folder.glob("CollectedData_*"):
            path.unlink()
        some.write(folder)
    assert "Only 3 frames are labeled" in few_labels(project)
    found.select(np.arange(FEW)).write(project.labeled_dirs()[0])
    assert few_labels(project) == ""


def test_swapped_twins_are_named_with_their_frames():
    points = mice(40)
    points[[7, 21]] = points[[7, 21]][:, [0, 2, 1, 3, 4, 5]]
    said = swapped_twins(labels(points))
    assert "leftear and rightear" in said
    assert "img0007.png" in said
    assert "img0021.png" in said


def test_of_good_labels_and_of_a_swap_that_is_none_of_twins_nothing_is_said():
    points = mice(40)
    assert swapped_twins(labels(points)) is None
    points[5] = points[5][[5, 1, 2, 3, 4, 0]]  # snout and tail
    assert swapped_twins(labels(points)) is None


def test_names_without_sides_have_no_twins():
    plain = Labels(tuple("abcdef"), "ann", labels(mice(20)).images, mice(20))
    assert swapped_twins(plain) is None


@pytest.mark.parametrize(
    ("train", "test", "words"),
    [
        (11, 1, "Only 1 of the 12 labeled frames is held out"),
        (10, 0, "None of the 10 labeled frames is held out to test"),
    ],
)
def test_a_split_with_hardly_a_test_frame_is_told(train, test, words):
    said = few_to_test(train, test, TrainConfig(steps=1))
    assert words in said
    assert "0.95" in said
    assert said.endswith("Label more frames.")
    assert "--" not in said  # as it is read in widgets, too


@pytest.mark.parametrize("frames", [20, 37, 60])
def test_the_training_fraction_that_is_advised_holds_enough_out(frames):
    said = few_to_test(frames - 1, 1, TrainConfig(steps=1))
    fraction = float(re.search(r"training fraction to ([\d.]+)", said)[1])
    test = len(split(frames, fraction, 0).test)
    assert few_to_test(frames - test, test, TrainConfig(steps=1, train_fraction=fraction)) is None
    assert test < frames / 2


@pytest.mark.parametrize(
    "settings", [{"train_fraction": 1.0}, {"folds": 5}, {"leave_out": "m"}], ids=["all", "folds", "video"]
)
def test_who_chose_otherwise_is_not_told(settings):
    assert few_to_test(11, 1, TrainConfig(steps=1, **settings)) is None
    assert few_to_test(80, 20, TrainConfig(steps=1)) is None


@pytest.mark.parametrize(("size", "told"), [(3.0, True), (1.3, False)])
def test_videos_with_animals_of_different_sizes_are_told(size, told):
    points = np.concatenate([mice(10), mice(10, size)])
    said = sizes_that_differ(points, ["near"] * 10 + ["far"] * 10)
    assert bool(said) == told
    assert not told or ("far" in said and "near" in said)


def test_one_frame_does_not_tell_how_large_the_animal_is_in_a_video():
    assert sizes_that_differ(np.concatenate([mice(10), mice(1, 3.0)]), ["a"] * 10 + ["b"]) is None
