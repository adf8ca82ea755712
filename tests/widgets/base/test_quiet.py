"""Our own changes are no gestures; what another thread does meanwhile is one."""

import threading

import ipywidgets
import pytest

from dlcnb.widgets.base.quiet import Quiet


def watched(quiet):
    field, gestures = ipywidgets.IntText(), []
    field.observe(quiet.ignored(lambda change: gestures.append(change.new)), "value")
    return field, gestures


def test_own_changes_are_no_gestures():
    quiet = Quiet()
    field, gestures = watched(quiet)
    assert not quiet
    with quiet:
        assert quiet
        field.value = 1
    assert not quiet
    field.value = 2
    assert gestures == [2]


def test_a_block_inside_another_does_not_end_it():
    quiet = Quiet()
    with quiet:
        with quiet:
            pass
        assert quiet
    assert not quiet


def test_a_block_that_raises_leaves_nothing_behind():
    quiet = Quiet()
    with pytest.raises(KeyError), quiet:
        raise KeyError
    assert not quiet


def test_a_gesture_on_another_thread_is_not_swallowed():
    quiet = Quiet()
    field, gestures = watched(quiet)
    with quiet:
        user = threading.Thread(target=setattr, args=(field, "value", 5))
        user.start()
        user.join()
        field.value = 6
    assert gestures == [5]


def test_two_guards_know_nothing_of_each_other():
    mine, yours = Quiet(), Quiet()
    field, gestures = watched(yours)
    with mine:
        field.value = 1
    assert gestures == [1]


def test_values_are_set_in_their_order():
    quiet, told = Quiet(), []
    field = ipywidgets.Dropdown(options=["a", "b"], value="b")
    field.observe(quiet.ignored(lambda change: told.append(change.new)), "value")
    quiet.set(field, options=["c", "d"], value="d")
    assert field.value == "d"
    assert told == []
