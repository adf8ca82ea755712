"""Ticks of the plots: round numbers, and never so few that an axis can't be read."""

import numpy as np
import pytest

from dlcnb.widgets.base.axes import Plot, set_ticks, ticks


@pytest.mark.parametrize("count", [3, 5, 6])
@pytest.mark.parametrize("low", [0.0, 0.07, 3.3, 21.0, -8.0])
@pytest.mark.parametrize("span", [0.9, 2.4, 9.9, 12.0, 18.0, 64.0, 470.0])
def test_there_are_three_at_least_and_not_too_many(low, span, count):
    found = ticks(low, low + span, count)
    assert 3 <= len(found) <= count + 4
    assert ((found >= low - 1e-9) & (found <= low + span + 1e-9)).all()
    step = np.diff(found)
    np.testing.assert_allclose(step, step[0])
    leading = float(f"{step[0]:e}".split("e")[0])
    assert min(abs(leading - m) for m in (1, 2, 5)) < 1e-6


def test_a_range_without_length_has_one():
    assert ticks(4.0, 4.0).tolist() == [4.0]


@pytest.mark.parametrize("asked", [["tick_values", "tick_labels"], ["tick_labels", "tick_values"]])
def test_a_page_is_told_the_names_of_ticks_before_their_places(asked):
    axis = Plot().bottom
    set_ticks(axis, [0, 60.0006], ["0 s", "2 s"])
    assert list(axis.get_state(asked)) == ["tick_labels", "tick_values"]
