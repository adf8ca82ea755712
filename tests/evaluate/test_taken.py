"""The snapshot that a training took is called best only where no other has a lower error."""

import numpy as np

from dlcnb.cli.work import TrainingLine
from dlcnb.evaluate import Taken
from dlcnb.plots import training

CHECKED = {"validation_step": np.array([50, 122, 140]), "validation_mean_px": np.array([9.0, 2.14, 2.28])}


def history(step, px, frames=7):
    best = {"best_step": np.array([50, step]), "best_mean_px": np.array([9.0, px])}
    return {**CHECKED, **best, "validation_frames": np.array([frames]), "step": np.arange(3), "loss": np.ones(3)}


def test_the_lowest_is_the_best():
    assert str(Taken.in_history(history(122, 2.14))) == "best 2.14 px at step 122"
    assert Taken.in_history(history(122, 2.14)).brief == "best 2.14 px"


def test_where_a_lower_one_is_not_taken_it_is_said_why():
    taken = Taken.in_history(history(140, 2.28))
    assert str(taken) == "taken: 2.28 px at step 140 (2.14 px at step 122 is too close to tell with 7 frames)"
    assert str(Taken.in_history(history(140, 2.28, 1))).endswith("too close to tell with 1 frame)")
    assert taken.brief == "taken 2.28 px"


def test_what_two_digits_do_not_tell_apart_is_the_best():
    assert Taken(140, 2.144, 122, 2.143).is_best


def test_without_a_validation_nothing_is_told():
    assert Taken.in_history({}) is None
    assert Taken.in_history({**CHECKED, "best_step": [3], "best_mean_px": [np.nan]}) is None


def test_the_figure_says_so_too():
    for step, px, word in ((140, 2.28, "taken: 2.28 px at step 140\n(2.14 px at step 122"), (122, 2.14, "best 2.14")):
        labels = [line.get_label() for line in training(history(step, px))[1][1].lines]
        assert any(label.startswith(word) for label in labels)


def test_the_line_of_a_training_in_a_terminal():
    line = TrainingLine()

    def said(step, px, best, best_px):
        event = {"event": "step", "step": step, "progress": 0.5, "seconds_left": 9.0}
        best = {"step": best, "val_mean_px": best_px}
        return line({**event, "validation": {"mean_px": px}, "best": best})[1]

    assert "best 2.14 px" in said(122, 2.14, 122, 2.14)
    assert "taken 2.28 px" in said(140, 2.28, 140, 2.28)
    assert line({"event": "decided"}) is None
