"""Bodyparts that a network in training does not find are named, not too early, and taken back once they are found."""

import numpy as np
import pytest

from dlcnb.evaluate.missed import MissedParts

NAN = np.nan
FAR = np.array([[2.0, 40, 50], [1, 30, NAN]])


@pytest.fixture
def missed():
    return MissedParts(("nose", "ear", "tail"), 100.0)


@pytest.mark.parametrize(("step", "progress"), [(49, 0.9), (500, 0.3)])
def test_nothing_is_said_early(missed, step, progress):
    assert missed.tell(FAR, step, progress) is None


def test_what_is_not_found_is_named_and_taken_back(missed):
    said = missed.tell(FAR, 50, 0.34)
    assert said.startswith("After 34% of the training the network has not found ear, tail yet")
    assert "frames that show them" in said
    assert missed.tell(FAR, 60, 0.5) is None
    near = FAR.copy()
    near[:, 1] = 3
    assert missed.tell(near, 70, 0.6) == "Found by now, after 60% of the training: ear. Not yet: tail."
    assert missed.tell(FAR, 80, 0.7) is None  # lost again: it was named
    assert missed.tell(FAR, 85, 1.0).startswith("At the end of the training the network has not found ear, tail (")
    assert missed.tell(np.zeros((2, 3)), 90, 1.0) == "Found by now, after 100% of the training: ear, tail."


def test_one_is_it_and_an_unknown_size_tells_nothing(missed):
    assert "frames that show it," in missed.tell(np.array([[1.0, 50, 1]]), 50, 1.0)
    assert MissedParts(("nose",), NAN).tell(np.array([[50.0]]), 50, 1.0) is None


def test_after_a_few_steps_that_are_all_of_them_it_is_said_too(missed):
    assert missed.tell(FAR, 18, 1.0).startswith("At the end of the training the network has not found ear, tail (")


def test_at_the_end_nothing_is_said_of_what_may_still_come(missed):
    said = missed.tell(FAR, 50, 1.0)
    assert said.startswith("At the end of the training the network has not found ear, tail (errors over")
    assert "If that stays so" not in said
    assert "Label more frames that show them" in said
