"""Choosing frames, without a widget and without a video."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlcnb.widgets.frames.state import PickingState


@pytest.fixture
def state():
    return PickingState({"m1": 100, "m2": 50}, {"m1": [10, 20]})


def look(value):
    """A signature: a flat picture with one spot of a given grey level."""
    signature = np.zeros(12, np.float32)
    signature[3] = value
    return signature


class TestPicking:
    def test_what_is_there_already_stays_as_it_is(self, state):
        state.add("m1", [20, 30], "hand")
        state.set_kept([("m1", 30)], False)
        assert state.add("m1", [10, 20, 30, 40], "k-means") == 1
        assert [(f.index, f.origin, f.kept, f.extracted) for f in state.frames(video="m1")] == [
            (10, "", True, True),
            (20, "", True, True),
            (30, "hand", False, False),
            (40, "k-means", True, False),
        ]

    def test_by_hand_picks_and_takes_back_but_never_an_extracted_frame(self, state):
        state.pick(5)
        assert state.numbers("picked").tolist() == [5]
        state.pick(5)
        state.pick(10)
        assert state.numbers("picked").tolist() == []
        assert state.numbers("extracted").tolist() == [10, 20]

    def test_work_is_what_is_kept_in_the_chosen_videos(self, state):
        state.add("m1", [1, 2, 3], "uniform")
        state.add("m2", [7], "uniform")
        state.toggle(("m1", 2))
        assert {v: n.tolist() for v, n in state.work().items()} == {"m1": [1, 3], "m2": [7]}
        state.set_chosen_videos(["m1"])
        assert list(state.work()) == ["m1"]
        state.toggle(("m1", 2))
        assert state.work()["m1"].tolist() == [1, 2, 3]

    def test_clear_leaves_what_is_extracted(self, state):
        state.add("m1", [1, 2], "uniform")
        state.set_extracted("m1", 1)
        state.clear()
        assert state.numbers().tolist() == [1, 10, 20]

    @pytest.mark.parametrize("indices", [[100], [-1], [5, 1000]])
    def test_a_frame_outside_the_video_is_refused_and_nothing_is_picked(self, state, indices):
        with pytest.raises(ValueError, match="expected 0 to 99"):
            state.add("m1", indices, "hand")
        assert state.numbers("picked").tolist() == []

    def test_an_unknown_video_is_named(self, state):
        with pytest.raises(ValueError, match="no video 'm3'; there are m1, m2"):
            state.add("m3", [1], "hand")

    def test_without_videos_there_is_nothing_to_pick_from(self):
        with pytest.raises(ValueError, match="no video that can be opened"):
            PickingState({})

    @given(st.lists(st.tuples(st.sampled_from(["pick", "drop", "extract", "clear", "add"]), st.integers(0, 99))))
    def test_nothing_extracted_is_ever_lost(self, gestures):
        state = PickingState({"m1": 100}, {"m1": [10, 20]})
        extracted = {10, 20}
        for what, index in gestures:
            if what == "extract":
                state.set_extracted("m1", index)
                extracted.add(index)
            elif what == "drop":
                state.set_kept([("m1", index)], False)
            elif what == "add":
                state.add("m1", [index, (index * 7) % 100], "uniform")
            else:
                getattr(state, what)(*([index] if what == "pick" else []))
            assert set(state.numbers("extracted")) == extracted
            assert not extracted & set(state.numbers("to extract"))


class TestRanges:
    def test_the_ends_of_a_range_in_any_order(self, state):
        state.range_end(40, "first")
        assert state.ranges["m1"] == (40, 99)
        state.range_end(60, "last")
        assert state.ranges["m1"] == (40, 60)
        state.range_end(30, "last")
        assert state.ranges["m1"] == (30, 30)
        state.range_end(80, "first")
        assert state.ranges["m1"] == (80, 80)
        assert state.ranges["m2"] is None

    def test_the_part_to_choose_from(self, state):
        state.set_range(25, 49)
        assert state.part("m1") == (0.25, 0.5)
        assert state.part("m2") is None
        state.clear_range()
        assert state.part("m1") is None

    def test_every_nth_frame_of_it(self, state):
        with pytest.raises(ValueError, match="no range yet"):
            state.pick_range(5)
        state.set_range(18, 33)
        assert state.pick_range(5) == 4
        assert state.numbers("picked").tolist() == [18, 23, 28, 33]
        with pytest.raises(ValueError, match="expected every"):
            state.pick_range(0)

    @pytest.mark.parametrize(("first", "last"), [(-1, 5), (5, 4), (0, 100)])
    def test_an_impossible_range_is_refused(self, state, first, last):
        with pytest.raises(ValueError, match="within 0 to 99"):
            state.set_range(first, last)


class TestNearDuplicates:
    def test_a_picked_frame_gives_way_to_an_extracted_one(self, state):
        state.add("m1", [5, 30, 40], "uniform")
        for index, value in ((5, 101), (10, 100), (20, 200), (30, 0), (40, 103)):
            state.set_signature("m1", index, look(value))
        assert {f.index: f.twin for f in state.frames("near-duplicates")} == {5: 10, 40: 10}

    def test_a_dropped_frame_has_no_duplicates(self, state):
        state.add("m2", [1, 2, 30], "uniform")
        for index, value in ((1, 100), (2, 101), (30, 0)):
            state.set_signature("m2", index, look(value))
        assert [f.key for f in state.frames("near-duplicates")] == [("m2", 2)]
        state.toggle(("m2", 1))
        assert state.frames("near-duplicates") == []
        state.toggle(("m2", 1))
        assert state.drop_duplicates() == 1
        assert state.numbers("to extract", "m2").tolist() == [1, 30]

    def test_frames_of_different_videos_are_not_compared(self, state):
        state.add("m1", [5], "hand")
        state.add("m2", [5], "hand")
        state.set_signature("m1", 5, look(50))
        state.set_signature("m2", 5, look(50))
        assert state.frames("near-duplicates") == []

    def test_what_is_left_to_look_at(self, state):
        state.add("m2", [5], "hand")
        assert state.unseen() == [("m2", 5), ("m1", 10), ("m1", 20)]
        state.set_signature("m2", 5, look(1))
        state.set_signature("m1", 10, None)  # damaged
        assert state.unseen() == [("m1", 20)]
        state.forget_signatures("m2")
        assert state.unseen() == [("m2", 5), ("m1", 20)]

    def test_many_frames(self):
        state = PickingState({"m1": 1000})
        state.add("m1", range(300), "uniform")
        for index in range(300):
            state.set_signature("m1", index, 150 * np.eye(150, dtype=np.float32)[index // 2])
        twins = {f.index: f.twin for f in state.frames("near-duplicates")}
        assert twins == {i: i - 1 for i in range(1, 300, 2)}


def test_every_change_raises_the_revision(state):
    for change in (
        lambda: state.pick(3),
        lambda: state.toggle(("m1", 3)),
        lambda: state.set_range(1, 5),
        state.clear_range,
        lambda: state.set_signature("m1", 3, look(3)),
        lambda: state.set_extracted("m1", 3),
        lambda: state.set_chosen_videos(["m2"]),
    ):
        before = state.revision
        change()
        assert state.revision > before
