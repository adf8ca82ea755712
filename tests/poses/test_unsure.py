"""Bodyparts that hardly any frame is sure of are named."""

from dataclasses import replace

import numpy as np

from dlcnb import Poses
from dlcnb.poses import TopLikelihood, left_out, seldom_sure


def poses(likelihood):
    likelihood = np.array(likelihood, float)
    points = np.zeros((*likelihood.shape, 2))
    return Poses(("nose", "tail", "paw"), "DLC_x", points, likelihood)


def test_those_that_are_seldom_above_the_pcutoff_are_named():
    found = poses([[0.05, 0.9, np.nan]] * 30)
    assert seldom_sure(found, 0.4).startswith(
        "Left out, because the likelihood is hardly ever above the pcutoff 0.4: nose, paw."
    )
    assert "suggest" not in seldom_sure(found, 0.4)  # an evaluation may well suggest none
    assert "nose" not in seldom_sure(found, 0.01)


def test_nothing_is_said_of_those_that_often_are_nor_of_no_frame():
    assert seldom_sure(poses([[0.1, 0.9, 0.9]] * 9 + [[0.9] * 3]), 0.6) == ""
    assert seldom_sure(poses(np.empty((0, 3))), 0.6) == ""


def test_bodyparts_that_are_seldom_sure_are_counted_while_tables_are_written():
    rng = np.random.default_rng(0)
    likelihood = rng.random((1000, 3)) * [1, 0.61, 0.4]
    likelihood[:100] = np.nan
    found = Poses(("a", "b", "c"), "me", rng.random((1000, 3, 2)), likelihood)
    top = TopLikelihood()
    chunks = [
        replace(found, points=found.points[n : n + 300], likelihood=likelihood[n : n + 300])
        for n in range(0, 1000, 300)
    ]
    assert [len(chunk) for chunk in top.counted(chunks)] == [300, 300, 300, 100]
    for pcutoff in (0.1, 0.4, 0.55, 0.6, 0.9, 0.99):
        names = [name for name, reached in top.reached().items() if reached < pcutoff]
        assert left_out(names, pcutoff) == seldom_sure(found, pcutoff)
