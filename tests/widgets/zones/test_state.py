"""Zones under the hand, without pixels: drawn by pointer and by keys, chosen, pulled, named, undone."""

import numpy as np
import pytest

from dlcnb.widgets.zones.state import ZoneState
from dlcnb.zones import Zone, ZoneError

BOX = Zone("box", "rectangle", ((20, 20), (60, 50)))
STAR = Zone("star", "polygon", ((100, 20), (140, 20), (140, 60), (100, 60)))


@pytest.fixture
def kept():
    """What was kept, one after the other."""
    return []


@pytest.fixture
def state(kept):
    made = ZoneState((100, 200), (200, 400), lambda: kept.append(made.zones))
    made.load([BOX, STAR], (100, 200))
    return made


def canvas(x, y):
    """Canvas place of a place in the frame, which is shown twice as large."""
    return 2 * (x + 0.5), 2 * (y + 0.5)


def drawn(state, *places):
    state.press(canvas(*places[0]))
    for place in places[1:]:
        state.drag(canvas(*place))
    state.release()


@pytest.mark.parametrize("kind", ["rectangle", "ellipse"])
def test_a_shape_is_dragged_from_corner_to_corner(state, kept, kind):
    state.tool = kind
    drawn(state, (10, 60), (30, 70), (50, 90))
    zone = state.zone
    assert (zone.name, zone.kind, zone.box) == ("zone 1", kind, (10, 60, 50, 90))
    assert (state.tool, len(kept)) == ("choose", 1)


def test_a_click_alone_makes_no_rectangle(state, kept):
    state.tool = "rectangle"
    drawn(state, (10, 60))
    assert not kept
    assert "Drag from one corner" in state.message


def test_a_polygon_is_clicked_corner_by_corner_and_closed_on_the_first(state):
    state.tool = "polygon"
    for place in ((10, 60), (50, 60), (30, 90)):
        drawn(state, place)
    assert len(state.zones) == 2
    drawn(state, (11, 61))
    assert state.zone.points == ((10, 60), (50, 60), (30, 90))


def test_enter_closes_a_polygon_and_backspace_takes_a_corner_back(state):
    state.tool = "polygon"
    for place in ((10, 60), (50, 60)):
        drawn(state, place)
    state.finish()
    assert "three corners" in state.message
    for place in ((99, 99), (30, 90)):
        drawn(state, place)
        if place == (99, 99):
            state.delete()
    state.finish()
    assert state.zone.points == ((10, 60), (50, 60), (30, 90))


@pytest.mark.parametrize("kind", ["rectangle", "ellipse", "polygon"])
def test_keys_alone_make_a_zone_in_the_middle_and_move_it(state, kind):
    state.tool = kind
    state.finish()
    x1, y1, x2, y2 = state.zone.box
    state.nudge(10, -1)
    assert state.zone.kind == kind
    assert state.zone.box == (x1 + 10, y1 - 1, x2 + 10, y2 - 1)
    state.resize(2)
    assert state.zone.box[2] - state.zone.box[0] == pytest.approx(2 * (x2 - x1))


def test_a_click_chooses_and_a_drag_moves_as_one_change(state, kept):
    drawn(state, (30, 30), (35, 32), (40, 35))
    assert state.zone.box == (30, 25, 70, 55)
    assert len(kept) == 1
    state.undo()
    assert state.zones == (BOX, STAR)
    state.redo()
    assert state.zones[0].box == (30, 25, 70, 55)


def test_a_corner_is_pulled(state):
    state.choose([0])
    drawn(state, (60, 50), (70, 80))
    assert state.zone.box == (20, 20, 70, 80)


def test_a_corner_is_moved_by_keys(state):
    state.choose([1])
    state.step_handle(1)
    state.step_handle(1)
    state.nudge(5, -3)
    assert state.zone.points[1] == (145, 17)
    state.step_handle(-1)
    assert state.handle == 0


def test_corners_are_inserted_and_deleted(state):
    state.choose([1], handle=3)
    state.insert_corner()
    assert state.zone.points[4] == (100, 40)
    state.delete()
    assert state.zone.points == STAR.points
    state.choose([1], handle=0)
    state.delete()
    state.delete()
    assert len(state.zone.points) == 3
    assert "at least three" in state.message


def test_crossing_edges_are_told_at_once(state):
    state.choose([1])
    drawn(state, (100, 20), (160, 40))
    assert "its edges cross" in state.message
    state.undo()
    assert state.message == ""


def test_the_smallest_of_zones_under_the_pointer_is_chosen(state):
    state.load([Zone("all", "rectangle", ((0, 0), (199, 99))), BOX], (100, 200))
    drawn(state, (30, 30))
    assert state.zone == BOX
    drawn(state, (5, 5))
    assert state.zone.name == "all" or state.chosen == (0,)


def test_delete_and_undo(state, kept):
    state.choose_all()
    state.delete()
    assert kept[-1] == ()
    state.undo()
    assert kept[-1] == (BOX, STAR)
    state.undo()
    assert "nothing to undo" in state.message


def test_names_differ(state):
    state.choose([0])
    with pytest.raises(ZoneError, match="'star' already"):
        state.rename("star")
    with pytest.raises(ZoneError, match="needs a name"):
        state.rename("  ")
    state.rename(" home ")
    assert state.zone.name == "home"


def test_an_arena_is_made_in_the_chosen_box(state):
    state.choose([0])
    state.preset("centre and border", 0.5)
    names = [zone.name for zone in state.zones]
    assert names == ["star", "centre", "border"]
    assert state.zones[1].box == (30, 27.5, 50, 42.5)
    state.undo()
    state.choose()
    state.preset("quadrants")
    assert state.zones[2].box == (-0.5, -0.5, 99.5, 49.5)
    state.undo()
    shown = np.full((100, 200, 3), 150, np.uint8)
    shown[:20] = shown[80:] = 0  # black bars
    state.choose()
    state.preset("quadrants", shown=shown)
    assert state.zones[2].box == (-0.5, 19.5, 99.5, 49.5)


def test_an_arena_made_twice_has_names_of_its_own(state):
    state.choose()
    state.preset("quadrants")
    state.choose()
    state.preset("quadrants")
    names = [zone.name for zone in state.zones]
    assert len(set(names)) == len(names)


def test_a_zone_around_an_object(state):
    state.choose([0])
    state.grow(10)
    assert state.zone.name == "near box"
    np.testing.assert_allclose(state.zone.box, (10, 10, 70, 60))


def test_escape_forgets_what_is_begun(state, kept):
    state.choose([0])
    state.press(canvas(30, 30))
    state.drag(canvas(50, 50))
    state.cancel()
    assert state.zones == (BOX, STAR)
    state.tool = "polygon"
    drawn(state, (10, 60))
    state.cancel()
    assert (state.draft, state.tool) == ((), "choose")
    assert not kept


def test_zoomed_in_a_drag_beside_the_zones_pans(state):
    state.zoom(4, (0, 0))
    left = state.fit.left
    state.press((100, 100))
    state.drag((80, 100))
    state.release()
    assert state.fit.left == left - 20
    assert state.zones == (BOX, STAR)
