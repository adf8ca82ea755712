"""Bodyparts that hardly any frame is sure of are named."""

import numpy as np

from dlcnb import Poses
from dlcnb.poses import seldom_sure


def poses(likelihood):
    likelihood = np.array(likelihood, float)
    points = np.zeros((*likelihood.shape, 2))
    return Poses(("nose", "tail", "paw"), "DLC_x", points, likelihood)


def test_those_that_are_seldom_above_the_pcutoff_are_named():
    found = poses([[0.05, 0.9, np.nan]] * 30)
    assert seldom_sure(found, 0.4).startswith(
        "Left out, because the likelihood is hardly ever above the pcutoff 0.4: nose, paw."
    )
    assert "nose" not in seldom_sure(found, 0.01)


def test_nothing_is_said_of_those_that_often_are_nor_of_no_frame():
    assert seldom_sure(poses([[0.1, 0.9, 0.9]] * 9 + [[0.9] * 3]), 0.6) == ""
    assert seldom_sure(poses(np.empty((0, 3))), 0.6) == ""
