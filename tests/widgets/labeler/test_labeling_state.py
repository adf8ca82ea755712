"""Labeling without pixels: every gesture through `LabelSession`, on a real project."""

import json
import shutil

import numpy as np
import pytest
from support.labeling import BODYPARTS, COUNT

from dlcnb import outliers
from dlcnb.labels import Edit, LabelError, Labels, LabelStore
from dlcnb.poses import Poses
from dlcnb.widgets.labeler.state import MODES, LabelSession

M1 = [f"labeled-data/m1/img{n}.png" for n in range(COUNT)]
M2 = [f"labeled-data/m2/img{n}.png" for n in range(COUNT)]


@pytest.fixture
def session(project):
    made = LabelSession(project)
    made.image_size = (96, 128)
    return made


def label(session, points):
    for point in points:
        session.click(point)


def states(session):
    return [value.state for value in session.values()]


SQUARE = [(10.5, 10.25), (20, 10), (20, 20), (10, 20)]


class TestWhere:
    def test_it_opens_at_the_first_frame_that_is_not_done(self, project):
        first = LabelSession(project)
        assert first.cursor.image == M1[0]
        assert first.cursor.bodypart == "snout"
        label(first, SQUARE)
        assert LabelSession(project).cursor.image == M1[1]

    def test_one_video_only_by_name_or_path(self, project):
        assert LabelSession(project, "m2").images == tuple(M2)
        assert LabelSession(project, [project.video("m2")]).images == tuple(M2)

    def test_a_video_without_frames_is_an_error_that_says_what_to_do(self, project):
        with pytest.raises(LabelError, match="no frames to label of m9: extract some"):
            LabelSession(project, ["m9"])

    def test_stepping_goes_from_video_to_video(self, session):
        session.go_to_edge(True)
        session.step(1)
        assert session.cursor.image == M2[0]
        session.step(-3)
        assert session.cursor.image == M1[3]
        session.step(100)
        session.step(1)
        assert session.cursor.image == M2[-1]
        assert "last frame" in session.message

    def test_go_to_takes_names_and_paths_and_corrects_typing_errors(self, session, project):
        session.go_to(M2[3])
        session.go_to(project.root / M1[4])
        assert session.cursor.image == M1[4]
        with pytest.raises(LabelError, match=r"did you mean 'labeled-data/m1/img"):
            session.go_to("labeled-data/m1/imgg4.png")

    def test_jumps_to_frames_in_a_state(self, session):
        label(session, SQUARE)
        session.step(1)
        session.click((5, 5))
        session.go_to_state("new")
        assert session.cursor.image == M1[2]
        session.go_to_state("in work")
        assert session.cursor.image == M1[1]
        session.go_to_state("new", -1)
        assert session.cursor.image == M2[-1]
        session.go_to_state("done")
        session.go_to_state("done")
        assert session.cursor.image == M1[0]
        assert "no other frame is done" in session.message

    def test_stepping_through_frames_of_one_state(self, session):
        label(session, SQUARE)
        session.go_to(M1[3])
        label(session, SQUARE[:2])
        session.show = "in work"
        session.go_to(M1[0])
        session.step(1)
        assert session.cursor.image == M1[3]
        session.step(1)
        assert "no later frame that is in work" in session.message

    def test_a_new_frame_starts_at_its_first_open_bodypart(self, session):
        session.choose("tailbase")
        session.step(1)
        assert session.cursor.bodypart == "snout"

    def test_bodyparts_go_round(self, session):
        session.step_bodypart(-1)
        assert session.cursor.bodypart == "tailbase"
        session.step_bodypart(2)
        assert session.cursor.bodypart == "leftear"
        with pytest.raises(LabelError, match="did you mean 'snout'"):
            session.choose("snot")


class TestModes:
    def test_sequential_places_one_bodypart_after_the_other_and_stays_in_the_frame(self, session):
        label(session, SQUARE)
        assert session.state() == "done"
        assert session.cursor.image == M1[0]
        np.testing.assert_array_equal(session.points(), SQUARE)

    def test_sequential_does_not_move_what_is_placed(self, session):
        label(session, SQUARE)
        session.click((50, 50))
        np.testing.assert_array_equal(session.points(), SQUARE)
        assert "drag it" in session.message

    def test_sequential_passes_over_what_is_placed_or_not_visible(self, session):
        session.choose("leftear")
        session.hide()
        assert session.cursor.bodypart == "rightear"
        session.choose("snout")
        session.click((1, 2))
        assert session.cursor.bodypart == "rightear"

    def test_quick_stays_on_the_bodypart_through_the_frames(self, session):
        session.mode = "quick"
        session.choose("rightear")
        for n in range(2 * COUNT):
            session.click((n, n))
        assert session.cursor.bodypart == "rightear"
        assert all(np.isfinite(session.points(image)[2]).all() for image in M1 + M2)
        assert "last frame" in session.message
        session.click((90, 90))  # moves the point
        np.testing.assert_array_equal(session.points()[2], (90, 90))

    def test_loop_goes_on_with_the_next_bodypart_at_the_first_frame(self, session):
        session.mode = "loop"
        for n in range(2 * COUNT):
            session.click((n, n))
        assert (session.cursor.image, session.cursor.bodypart) == (M1[0], "leftear")

    def test_modes_follow_each_other(self, session):
        seen = []
        for _ in range(4):
            seen.append(session.mode)
            session.next_mode()
        assert seen == [*MODES, MODES[0]]


class TestEdits:
    def test_a_point_outside_is_refused_and_a_nudge_stops_at_the_edge(self, session):
        with pytest.raises(LabelError, match="outside of the image, which is 128 × 96"):
            session.click((130, 5))
        assert session.state() == "new"
        session.click((127, 5))
        session.choose("snout")
        session.nudge(1, 0.1)
        np.testing.assert_allclose(session.points()[0], (127.5, 5.1))

    def test_delete_and_not_visible(self, session):
        label(session, SQUARE)
        session.delete()
        assert states(session) == ["placed"] * 3 + ["open"]
        assert session.state() == "in work"
        session.hide()
        assert states(session)[3] == "not visible"
        assert session.state() == "done"
        session.hide()
        assert states(session)[3] == "open"

    def test_finish_says_once_that_it_marks_the_rest_not_visible(self, session):
        for image, asked in ((M1[0], True), (M1[1], False)):
            session.go_to(image)
            label(session, SQUARE[:2])
            session.finish()
            assert bool(session.asking) == asked
            assert "rightear, tailbase" in session.message
            if asked:
                session.finish()
            session.undo()
            assert states(session) == ["placed", "placed", "open", "open"]

    def test_finish_marks_the_rest_not_visible_and_takes_that_back(self, session):
        label(session, SQUARE[:2])
        session.finish()
        session.finish()
        assert states(session) == ["placed", "placed", "not visible", "not visible"]
        assert session.state() == "done"
        session.finish()
        assert session.state() == "in work"
        session.finish()
        assert session.state() == "done"

    def test_copies_are_hollow_at_open_bodyparts_until_they_are_accepted(self, session):
        label(session, SQUARE)
        session.go_to(M1[2])
        session.click((70, 70))
        assert session.previous_labeled() == M1[0]
        session.copy_previous()
        assert states(session) == ["placed", "open", "open", "open"]
        np.testing.assert_array_equal(session.suggested()[0][1:], SQUARE[1:])
        np.testing.assert_array_equal(session.shown_points(), [(70, 70), *SQUARE[1:]])
        session.accept_all()
        np.testing.assert_array_equal(session.points(), [(70, 70), *SQUARE[1:]])
        assert session.store().origin(M1[2], "leftear") == "copied"
        assert session.state() == "done"

    def test_pasted_points_are_hollow_too(self, session):
        label(session, SQUARE)
        session.copy()
        session.go_to(M2[0])
        session.copy_previous()
        assert "no labeled frame before" in session.message
        session.paste()
        np.testing.assert_array_equal(session.suggested()[0], SQUARE)
        assert session.state() == "new"

    def test_a_hollow_point_is_touched_accepted_or_dropped_one_by_one(self, session):
        label(session, SQUARE)
        session.step(1)
        session.copy_previous()
        session.nudge(1, 0)
        session.choose("leftear")
        session.delete()
        session.accept()
        np.testing.assert_array_equal(session.suggested()[0], [[np.nan] * 2] * 2 + SQUARE[2:])
        np.testing.assert_array_equal(session.points()[0], (11.5, 10.25))
        assert "no hollow point of leftear" in session.message
        session.choose("rightear")
        session.accept()
        assert states(session) == ["placed", "open", "placed", "open"]

    def test_a_frame_with_hollow_points_is_not_done_without_asking(self, session):
        label(session, SQUARE)
        session.step(1)
        session.copy_previous()
        session.finish()
        assert session.state() == "new"
        assert "4 hollow points are no labels yet" in session.message
        session.finish()
        assert states(session) == ["not visible"] * 4
        session.undo()
        np.testing.assert_array_equal(session.suggested()[0], SQUARE)

    def test_done_on_an_untouched_frame_asks_once(self, session):
        session.finish()
        assert (session.state(), session.asking) == ("new", M1[0])
        assert "nothing is placed" in session.message
        session.step(1)
        session.step(-1)
        session.finish()
        assert session.state() == "new"
        session.finish()
        assert (session.state(), session.asking) == ("done", "")

    def test_done_goes_on_with_the_next_frame_that_is_not(self, session):
        session.go_to(M1[1])
        label(session, SQUARE)
        session.go_to(M1[0])
        session.click((5, 5))
        session.finish_and_go_on()
        session.finish_and_go_on()
        assert session.cursor.image == M1[2]
        assert "not visible in the frame before: leftear" in session.message
        assert session.state(M1[0]) == "done"
        session.finish_and_go_on()
        assert session.cursor.image == M1[2]
        session.finish_and_go_on()
        assert session.cursor.image == M1[3]

    def test_done_right_after_accept_all_has_gone_on_is_of_the_frame_before_and_asks_nothing(self, session):
        hollow = np.column_stack([SQUARE, [0.9] * 4])
        session.set_suggestions("net", dict.fromkeys(M1[:3], hollow))
        session.accept_all_and_go_on()
        assert (session.cursor.image, session.state(M1[0])) == (M1[1], "done")
        session.finish_and_go_on()
        assert (session.cursor.image, session.state(), session.asking) == (M1[1], "new", "")
        assert "the frame before is done already" in session.message
        session.finish_and_go_on()  # which is of this one
        assert session.asking == M1[1]
        assert all(name in session.message for name in BODYPARTS)
        session.accept_all_and_go_on()
        session.begin()  # somebody looks at the third one, and does something there
        session.finish_and_go_on()
        assert session.asking == M1[2]

    def test_done_after_accept_all_asks_only_of_what_is_open_and_names_it(self, session):
        for image, likelihood, asked in ((M1[0], 0.1, "tailbase"), (M1[1], np.nan, "tailbase"), (M1[2], 0.9, "")):
            session.go_to(image)
            session.set_suggestions("net", {image: np.column_stack([SQUARE, [0.9, 0.9, 0.9, likelihood]])})
            session.accept_all()
            session.finish()
            assert session.asking == (image if asked else "")
            assert asked in session.message
            assert "snout" not in session.message

    def test_counts_of_a_video_and_of_all(self, session):
        label(session, SQUARE)
        session.step(1)
        session.click((3, 3))
        assert session.counts("m1") == {"new": COUNT - 2, "in work": 1, "done": 1}
        assert session.counts() == {"new": 2 * COUNT - 2, "in work": 1, "done": 1}


class TestUndo:
    def test_everything_can_be_undone_and_redone_across_frames(self, session):
        images = []
        for image in (M1[0], M1[4], M2[2]):
            session.go_to(image)
            label(session, SQUARE)
            session.nudge(0.1, 0)
            session.choose("snout")
            session.delete()
            session.hide()
            session.finish()
            images.append((image, session.points(image), session.values(image), session.state(image)))
        steps = session.history.depth[0]
        for _ in range(steps):
            session.undo()
        assert all(session.state(image) == "new" for image in session.images)
        assert session.cursor.image == M1[0]
        session.undo()
        assert session.message == "nothing to undo"
        for _ in range(steps):
            session.redo()
        for image, points, marks, state in images:
            np.testing.assert_array_equal(session.points(image), points)
            assert session.values(image) == marks
            assert session.state(image) == state
        assert session.history.depth == (steps, 0)

    def test_undo_shows_where_it_was(self, session):
        session.click((1, 1))
        session.go_to(M2[5])
        session.undo()
        assert (session.cursor.image, session.cursor.bodypart) == (M1[0], "snout")

    def test_a_new_edit_ends_redoing(self, session):
        session.click((1, 1))
        session.undo()
        session.click((2, 2))
        session.redo()
        assert session.message == "nothing to redo"
        np.testing.assert_array_equal(session.points()[0], (2, 2))

    def test_one_undo_takes_a_whole_copy_and_its_acceptance_back(self, session):
        label(session, SQUARE)
        session.step(1)
        session.copy_previous()
        session.accept_all()
        session.undo()
        assert session.state(M1[1]) == "new"
        session.undo()
        assert np.isnan(session.suggested()[0]).all()
        assert session.state(M1[0]) == "done"
        session.redo()
        np.testing.assert_array_equal(session.suggested()[0], SQUARE)

    def test_what_another_tab_changed_meanwhile_is_left_alone(self, session, project):
        session.click((1, 1))
        other = LabelStore(project, "m1")
        other.apply([Edit(M1[0], "snout", (9.0, 9.0))])
        session.refresh()
        session.undo()
        np.testing.assert_array_equal(session.points()[0], (9, 9))
        assert "changed elsewhere" in session.message


class TestSuggestions:
    def offer(self, session, likelihood=(0.9, 0.3, 0.95, 0.99)):
        values = np.column_stack([np.array(SQUARE, float), likelihood])
        session.set_suggestions("snapshot-200", dict.fromkeys(M1, values))
        return values

    def test_only_open_bodyparts_are_suggested(self, session):
        values = self.offer(session)
        session.click((50, 50), 0)
        session.choose(1)
        session.hide()
        points, likelihood = session.suggested()
        assert np.isnan(points[:2]).all()
        np.testing.assert_array_equal(points[2:], values[2:, :2])
        assert np.isnan(likelihood[0])
        assert likelihood[3] == 0.99
        assert np.isnan(session.suggested(M2[0])[0]).all()

    def test_accepting_one_makes_it_a_label_with_its_origin(self, session):
        self.offer(session)
        session.choose(0)
        session.accept()
        np.testing.assert_array_equal(session.points()[0], SQUARE[0])
        assert session.store().origin(M1[0], "snout") == "suggestion snapshot-200"
        assert session.cursor.bodypart == "leftear"
        session.undo()
        assert session.state() == "new"

    def test_accepting_all_takes_those_above_pcutoff(self, session):
        self.offer(session)
        session.accept_all_and_go_on()
        assert states(session) == ["placed", "open", "placed", "placed"]
        assert (session.cursor.image, session.cursor.bodypart) == (M1[0], "leftear")
        again = "look at leftear (likelihood below pcutoff 0.6) and press again to accept what is there"
        assert session.message == f"3 accepted, 1 left open as unsure; {again}"
        assert session.named == ("leftear",)
        session.undo()
        assert states(session) == ["open"] * 4
        session.go_to(M2[0])
        session.accept_all()
        assert "no hollow point to accept" in session.message

    def test_a_second_press_accepts_the_unsure_ones_too_and_undo_takes_back_one_press(self, session):
        self.offer(session, (0.9, 0.3, 0.1, 0.99))
        session.accept_all_and_go_on()
        assert states(session) == ["placed", "open", "open", "placed"]
        assert "look at leftear, rightear (likelihood below pcutoff 0.6) and press again" in session.message
        session.accept_all_and_go_on()
        assert (session.state(M1[0]), session.cursor.image) == ("done", M1[1])
        np.testing.assert_array_equal(session.points(M1[0]), SQUARE)
        session.undo()
        assert states(session) == ["placed", "open", "open", "placed"]
        session.undo()
        assert states(session) == ["open"] * 4

    def test_named_are_those_that_are_unsure_still_and_none_of_newer_suggestions(self, session):
        self.offer(session, (0.9, 0.3, 0.1, 0.2))
        session.accept_all()
        assert session.named == ("leftear", "rightear", "tailbase")
        session.place((20.0, 20.0), "rightear")
        assert session.named == ("leftear", "tailbase")
        session.choose("leftear")
        session.hide()
        assert session.named == ("tailbase",)
        session.add_followed({M1[1]: np.full((4, 3), 5.0)})
        assert session.named == ("tailbase",)
        self.offer(session, (0.9, 0.3, 0.1, 0.1))
        assert session.named == ()
        session.accept_all()
        assert session.values()[3].state == "open"  # nobody has looked at it

    def test_where_no_point_is_sure_the_first_press_says_so_and_the_second_takes_all(self, session):
        self.offer(session, (0.1, 0.2, 0.3, 0.4))
        session.accept_all_and_go_on()
        assert states(session) == ["open"] * 4
        assert session.message.startswith("none accepted, 4 left open as unsure; look at snout, leftear")
        session.accept_all_and_go_on()
        assert session.state(M1[0]) == "done"

    def test_the_second_press_counts_in_the_same_frame_only(self, session):
        self.offer(session, (0.1, 0.2, 0.3, 0.4))
        session.accept_all()
        session.step(1)
        session.accept_all()
        assert states(session) == ["open"] * 4
        session.step(-1)
        session.accept_all()
        assert states(session) == ["open"] * 4

    def test_done_names_what_accepts_what_is_shown(self, session):
        self.offer(session, (0.1, 0.2, 0.3, 0.4))
        session.finish()
        assert "4 hollow points are no labels yet: press Accept all" in session.message

    def test_copies_take_the_place_of_no_suggestion(self, session):
        for point in SQUARE:
            session.click(point)
        session.go_to(M1[1])
        values = np.full((4, 3), np.nan)
        values[1] = 5, 6, 0.9
        session.set_suggestions("s", {M1[1]: values})
        session.copy_previous()
        np.testing.assert_array_equal(session.suggested()[0], [SQUARE[0], (5, 6), *SQUARE[2:]])
        session.copy_previous()
        assert "nothing is open that has no hollow point" in session.message

    def test_what_follows_is_told_of_once_after_a_few_frames_by_hand(self, session):
        told = []
        for _ in range(5):
            session.finish(sure=True)
            session.finish_and_go_on()
            told.append("Follow the labels" in session.message)
        assert told == [False, False, True, False, False]

    def test_accepting_all_of_a_frame_goes_on_to_the_next_that_is_not_done(self, session):
        values = np.column_stack([np.array(SQUARE, float), [0.9] * 4])
        values[3] = np.nan
        session.set_suggestions("snapshot-200", {M1[0]: values})
        session.accept_all_and_go_on()
        assert session.cursor.image == M1[0]
        bare = f"still open, without a suggestion: {BODYPARTS[3]} (click, or N: not visible)"
        assert session.message == f"3 accepted; {bare}"
        session.hide()
        assert session.state() == "done"
        self.offer(session)
        session.go_to(M1[1])
        session.click((50, 50))
        session.choose(1)
        session.place((60, 60))
        session.accept_all_and_go_on()
        assert (session.state(M1[1]), session.cursor.image) == ("done", M1[2])
        assert "Undo takes it back" in session.message
        session.undo()
        assert (session.state(M1[1]), session.cursor.image) == ("in work", M1[1])

    def test_what_a_suggestion_lacks_or_doubts_is_to_be_placed_first(self, session):
        values = np.array([[10, 10, 0.9], [20, 20, 0.3], [30, 30, 0.9], [np.nan] * 3])
        session.set_suggestions("s", {M1[1]: values})
        session.go_to(M1[1])
        assert session.part == 1  # its suggestion is unsure
        session.click((50, 50))
        assert session.part == 3  # nothing is offered for it
        session.click((60, 60))
        assert session.part == 0  # as the list goes
        session.set_suggestions("s", {M1[2]: np.where(np.isnan(values), 0.9, values)})
        session.go_to(M1[2])
        assert session.part == 1  # all are offered, and this one is unsure
        session.go_to(M1[1])
        session.set_suggestions("s", {M1[1]: values})
        session.accept_all()
        np.testing.assert_allclose(session.points(), [(10, 10), (50, 50), (30, 30), (60, 60)])

    def test_what_is_suggested_after_a_frame_was_opened_says_where_to_begin_unless_one_has_begun(self, session):
        session.step(1)
        image, part = session.cursor.image, session.bodyparts[0]
        values = np.full((len(session.bodyparts), 3), [20, 20, 0.9])
        values[2] = np.nan
        session.set_suggestions("net", {image: values})
        assert session.part == 2
        session.choose(1)
        values[3], values[2] = np.nan, (30, 30, 0.9)
        session.add_followed({image: values})
        assert session.part == 1
        session.step(1)
        session.step(-1)
        assert session.part == 3
        session.place((5, 5), part)
        session.set_suggestions("net", {})
        assert session.cursor.bodypart == part

    def test_a_suggestion_outside_is_moved_to_the_edge(self, session):
        session.set_suggestions("s", {M1[0]: np.array([[500, -9, 0.9]] + [[np.nan] * 3] * 3)})
        session.choose(0)
        session.accept()
        np.testing.assert_array_equal(session.points()[0], (127.5, -0.5))

    def test_outlier_frames_come_with_the_machines_labels(self, project):
        points = np.broadcast_to(np.array(SQUARE, float), (COUNT, 4, 2))
        poses = Poses(BODYPARTS, "DLC_net_1", points, np.full((COUNT, 4), 0.9))
        outliers.extract(project, project.videos[0], poses, [1])
        session = LabelSession(project)
        session.offer_machine_labels()
        assert list(session.suggestions) == [M1[1]]
        session.go_to(M1[1])
        session.accept()
        assert session.store().origin(M1[1], "snout") == "suggestion DLC_net_1"
        session.set_suggestions("snapshot-200", {M1[0]: np.ones((4, 3))})
        session.offer_machine_labels()
        assert session.snapshot == "snapshot-200"

    def test_from_outlier_frame_to_outlier_frame_and_then_to_the_others(self, project, session):
        for k, chosen in enumerate(([1, 3], [0])):
            poses = Poses(BODYPARTS, "DLC_net_1", np.full((COUNT, 4, 2), 7.0), np.full((COUNT, 4), 0.9))
            outliers.extract(project, project.videos[k], poses, chosen)
        session.add_images()
        assert session.outliers == (M1[1], M1[3], M2[0])
        assert session.outlier_rows() == [1, 3]
        session.go_to(M1[3])
        for following in (M2[0], M1[1], M1[2]):
            session.finish(sure=True)
            session.finish_and_go_on()
            assert session.cursor.image == following
        assert "all outlier frames are done" in session.message
        session.finish(sure=True)
        session.finish_and_go_on()
        assert session.cursor.image == M1[4]
        assert "outlier" not in session.message

    def test_what_done_hid_in_the_last_outlier_frame_is_told_with_it(self, project, session):
        poses = Poses(BODYPARTS, "DLC_net_1", np.full((COUNT, 4, 2), 7.0), np.full((COUNT, 4), 0.9))
        outliers.extract(project, project.videos[0], poses, [1])
        session.find_outliers()
        session.go_to(M1[1])
        session.click((3, 3))
        session.finish_and_go_on()
        session.finish_and_go_on()
        assert session.message.startswith("not visible in the frame before")
        assert "all outlier frames are done" in session.message

    def test_suggestions_of_another_project_are_refused(self, session):
        with pytest.raises(ValueError, match=r"expected shape \(4, 3\)"):
            session.set_suggestions("s", {M1[0]: np.zeros((3, 3))})


class TestKeeping:
    def test_every_edit_is_on_disk_at_once_and_the_table_after_saving(self, session, project):
        label(session, SQUARE)
        assert session.saved == "unsaved"
        np.testing.assert_array_equal(LabelStore(project, "m1").point(M1[0]), SQUARE)
        assert not (project.labeled_dir("m1") / "CollectedData_ada.csv").exists()
        session.save()
        assert session.saved == "saved"
        labels = Labels.read(project.labeled_dir("m1"))
        np.testing.assert_array_equal(labels.points[0], SQUARE)
        assert labels.bodyparts == BODYPARTS

    def test_an_edit_made_here_while_others_are_looked_for_is_not_from_elsewhere(self, session, project, monkeypatch):
        store = session.stores["m1"]
        refresh = store.refresh

        def meanwhile():
            session.click((3, 3))
            return refresh()

        monkeypatch.setattr(store, "refresh", meanwhile)
        session.refresh()
        assert session.taken == 0
        assert np.isfinite(session.points()[0]).all()
        LabelStore(project, "m1").apply([Edit(M1[1], "snout", (9.0, 8.0))])
        monkeypatch.undo()
        session.refresh()
        assert session.taken == 1

    def test_two_sessions_see_each_other(self, session, project):
        other = LabelSession(project)
        before = session.revision
        session.refresh()
        assert session.revision == before
        other.click((7, 8))
        session.refresh()
        assert session.revision > before
        np.testing.assert_array_equal(session.points()[0], (7, 8))

    @pytest.mark.parametrize(("keep", "point"), [("mine", (1.25, 1)), ("theirs", (9, 9))])
    def test_a_conflict_is_shown_until_it_is_resolved(self, session, project, keep, point):
        session.click((1, 1))
        session.save()
        path = project.labeled_dir("m1") / "CollectedData_ada.csv"
        table = path.read_text().splitlines()
        session.place((1.25, 1), "snout")
        path.write_text("\n".join([*table[:3], table[3].replace("1.0,1.0", "9.0,9.0"), *table[4:], ""]))
        (conflict,) = session.refresh()
        assert (conflict.image, conflict.bodypart) == (M1[0], "snout")
        assert (conflict.mine, conflict.theirs) == ((1.25, 1), (9, 9))
        session.resolve(conflict, keep)
        assert session.conflicts == []
        np.testing.assert_allclose(session.points()[0], point)

    def test_frames_extracted_meanwhile_are_taken_in(self, session, project):
        folder = project.labeled_dir("m1")
        shutil.copy(folder / "img5.png", folder / "img7.png")
        session.add_images()
        session.go_to("labeled-data/m1/img7.png")
        session.click((3, 3))
        assert session.state() == "in work"

    def test_the_journal_names_origins(self, session, project):
        session.click((1, 1))
        session.undo()
        (journal,) = project.labeled_dir("m1").glob(".dlcnb-journal*.jsonl")
        lines = [json.loads(line) for line in journal.read_text().splitlines()]
        assert [edit["origin"] for line in lines for edit in line.get("edits", ())] == ["hand", "undo"]

    def test_two_scorers_do_not_meet(self, session, project):
        other = LabelSession(project, scorer="grace")
        other.click((5, 5))
        session.refresh()
        assert session.state() == "new"
