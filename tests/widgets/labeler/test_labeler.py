"""The labeler through its widgets and its input channel; no browser."""

import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from markupsafe import escape
from PIL import Image
from support.labeling import BODYPARTS, COUNT, make_project
from support.widgets import painted, shown

import dlcnb
from dlcnb.labels import Edit, Labels, LabelStore
from dlcnb.widgets import Labeler
from dlcnb.widgets.base.paint import Text
from dlcnb.widgets.labeler.draw import label_things
from dlcnb.widgets.labeler.keeper import Keeper
from dlcnb.widgets.labeler.keys import ACTIONS, KEYS, help_html
from dlcnb.widgets.labeler.scene import scene

M1 = [f"labeled-data/m1/img{n}.png" for n in range(COUNT)]
ZOOM = 5  # canvas px per image px: 640 / 128


@pytest.fixture
def labeler(project):
    yield from painted(Labeler(project))


def message(labeler, **content):
    labeler.input.guard._handle_custom_msg(content, [])


def key(labeler, *names):
    for name in names:
        message(labeler, type="key", key=name, repeat=False)


def frame_of_size(labeler, image, size):
    """Put a grey frame (height, width) in place of an extracted one that was not shown yet."""
    Image.fromarray(np.full((*size, 3), 90, np.uint8)).save(labeler.project.root / image)


def canvas(x, y):
    """Where an image point lies on the whole canvas."""
    return (x + 0.5) * ZOOM, (y + 0.5) * ZOOM


def press(labeler, kind, x, y, **more):
    cx, cy = canvas(x, y)
    message(labeler, type=kind, surface=0, x=cx, y=cy, **{"button": 0, "buttons": 1, "shift": False, **more})


def click(labeler, x, y, **more):
    press(labeler, "down", x, y, **more)
    press(labeler, "up", x, y, **more)


def drag(labeler, start, end, **more):
    press(labeler, "down", *start, **more)
    for t in np.linspace(0, 1, 5)[1:]:
        press(labeler, "move", *(np.array(start) + t * (np.array(end) - start)), **more)
    press(labeler, "up", *end, **more)


def points(labeler):
    return labeler.session.points()


def status(labeler):
    return re.sub("<.*?>", "", labeler.status_line.value)


class TestPointer:
    def test_of_points_on_each_other_the_one_on_top_is_dragged_or_the_current_one(self, labeler):
        for x, y in ((30, 40), (60, 40), (60.3, 40), (20, 20)):
            click(labeler, x, y)
        drag(labeler, (60, 40), (80, 60))
        np.testing.assert_allclose(points(labeler)[1:3], [(60, 40), (80.3, 60)], atol=0.01)
        key(labeler, "Ctrl+z")
        labeler.session.choose(1)
        drag(labeler, (60, 40), (80, 60))
        np.testing.assert_allclose(points(labeler)[1:3], [(80, 60), (60.3, 40)], atol=0.01)

    def test_a_point_in_reach_is_taken_although_another_one_is_just_out_of_it(self, labeler):
        for x, y in ((30, 40), (60 - 8 / ZOOM, 40), (60 + 10 / ZOOM, 40), (20, 20)):
            click(labeler, x, y)
        drag(labeler, (60, 40), (60, 60))
        np.testing.assert_allclose(points(labeler)[1:3], [(60 - 8 / ZOOM, 60), (60 + 10 / ZOOM, 40)], atol=0.01)

    def test_clicks_place_where_they_fall_to_a_fraction_of_a_pixel(self, labeler):
        click(labeler, 30.3, 40.7)
        click(labeler, 60.0, 20.5)
        np.testing.assert_allclose(points(labeler)[:2], [(30.3, 40.7), (60.0, 20.5)])
        assert labeler.session.cursor.bodypart == "rightear"

    def test_clicks_are_as_exact_when_zoomed(self, labeler):
        message(labeler, type="wheel", surface=0, x=100.0, y=300.0, dy=-900.0)
        assert labeler.view.fit.zoom > 2 * ZOOM
        x, y = labeler.view.fit.to_canvas((22.0, 61.0))
        for kind in ("down", "up"):
            message(labeler, type=kind, surface=0, x=x, y=y, button=0)
        np.testing.assert_allclose(points(labeler)[0], (22, 61))

    def test_dragging_a_point_moves_it_by_as_much_as_the_pointer(self, labeler):
        click(labeler, 30, 40)
        drag(labeler, (31, 40.5), (51, 50.5))
        np.testing.assert_allclose(points(labeler)[0], (50, 50))
        assert labeler.session.cursor.bodypart == "leftear"
        key(labeler, "Ctrl+z")
        np.testing.assert_allclose(points(labeler)[0], (30, 40))

    def test_nothing_is_written_while_dragging(self, labeler):
        click(labeler, 30, 40)
        press(labeler, "down", 30, 40)
        press(labeler, "move", 50, 50)
        assert labeler.view.held == (0, (50, 50))
        np.testing.assert_allclose(points(labeler)[0], (30, 40))
        key(labeler, "Escape")
        press(labeler, "up", 50, 50)
        np.testing.assert_allclose(points(labeler)[0], (30, 40))

    def test_a_drag_that_the_browser_cancels_leaves_the_point(self, labeler):
        click(labeler, 30, 40)
        press(labeler, "down", 30, 40)
        press(labeler, "move", 50, 50)
        press(labeler, "cancel", 50, 50)
        press(labeler, "up", 50, 50)
        np.testing.assert_allclose(points(labeler)[0], (30, 40))

    def test_a_point_is_not_dragged_out_of_the_image(self, labeler):
        click(labeler, 30, 40)
        drag(labeler, (30, 40), (-40, 300))
        np.testing.assert_allclose(points(labeler)[0], (-0.5, 95.5))

    def test_a_suggestion_is_corrected_by_very_little(self, labeler):
        hollow = np.array([[20, 30, 0.9], [60, 50, 0.9], [np.nan] * 3, [np.nan] * 3])
        labeler.session.set_suggestions("net", {labeler.session.cursor.image: hollow})
        drag(labeler, (60, 50), (60.4, 50.2))  # 2 canvas px
        np.testing.assert_allclose(points(labeler)[1], (60.4, 50.2))
        assert np.isnan(points(labeler)[0]).all()

    def test_two_bodyparts_may_lie_close_together(self, labeler):
        click(labeler, 30, 40)
        click(labeler, 30.4, 40.2)
        np.testing.assert_allclose(points(labeler)[:2], [(30, 40), (30.4, 40.2)])

    def test_a_click_on_a_point_chooses_it_where_nothing_is_to_be_placed(self, labeler):
        for n in range(4):
            click(labeler, 20 + 20 * n, 30)
        click(labeler, 40.5, 30)
        assert labeler.session.cursor.bodypart == "leftear"
        click(labeler, 100, 80)
        assert "placed already" in status(labeler)
        key(labeler, "d")
        click(labeler, 40, 50)
        click(labeler, 40, 50, shift=True)
        assert labeler.session.cursor.bodypart == "snout"

    def test_dragging_the_picture_pans_and_never_places(self, labeler):
        key(labeler, "+", "+")
        before = labeler.view.fit
        drag(labeler, (60, 40), (50, 35))
        assert labeler.view.fit.left == pytest.approx(before.left - 10 * ZOOM)
        drag(labeler, (60, 40), (70, 45), button=1)
        assert labeler.view.fit == before
        click(labeler, 50, 50, button=2)
        assert labeler.session.state() == "new"

    def test_shift_and_click_on_empty_ground_places_nothing(self, labeler):
        click(labeler, 30, 40, shift=True)
        assert labeler.session.state() == "new"

    def test_a_click_that_takes_the_keys_from_an_editor_places_nothing(self, labeler):
        click(labeler, 30, 40, woke=True)
        assert labeler.session.state() == "new"
        assert "has the keys now" in status(labeler)
        click(labeler, 30, 40)
        np.testing.assert_allclose(points(labeler)[0], (30, 40))

    def test_a_click_reaches_the_disk_through_at_most_ten_calls(self, labeler):
        """Those of dlcnb on the stack when the journal is synced."""
        package, paths = str(Path(dlcnb.__file__).parent), []

        def note(frame, event, called):
            if event == "c_call" and called is os.fsync:
                found = []
                while frame is not None:
                    if frame.f_code.co_filename.startswith(package):
                        found.append(f"{Path(frame.f_code.co_filename).stem}.{frame.f_code.co_name}")
                    frame = frame.f_back
                paths.append(found[::-1])

        press(labeler, "down", 30, 40)
        sys.setprofile(note)
        try:
            press(labeler, "up", 30, 40)
        finally:
            sys.setprofile(None)
        path = next(path for path in paths if "journal.append" in path)
        assert path[0] == "input_guard._from_guard"
        assert len(path) <= 10, path

    def test_two_fingers_zoom_and_move(self, labeler):
        press(labeler, "down", 60, 40, pointer="touch")
        press(labeler, "cancel", 60, 40)
        at = labeler.view.fit.to_image((300, 200))
        message(labeler, type="pinch", surface=0, x=310.0, y=190.0, dx=10.0, dy=-10.0, factor=2.0)
        assert labeler.view.fit.zoom == pytest.approx(2 * ZOOM)
        np.testing.assert_allclose(labeler.view.fit.to_image((310, 190)), at)
        assert labeler.session.state() == "new"

    def test_a_click_beside_the_picture_is_refused_with_a_reason(self, labeler):
        press(labeler, "down", -3, 10)
        press(labeler, "up", -3, 10)
        assert "outside of the image" in status(labeler)
        assert 'role="alert"' in labeler.status_line.value
        click(labeler, 3, 10)
        assert status(labeler) == ""

    def test_a_click_on_the_bar_opens_that_frame(self, labeler):
        x = labeler.bar.width * (3.5 / COUNT)
        message(labeler, type="down", surface=1, x=x, y=5, button=0)
        assert labeler.session.cursor.image == M1[3]


class TestKeys:
    def test_frames_bodyparts_and_modes(self, labeler):
        key(labeler, "d", "d", "ArrowRight", "a")
        assert labeler.session.cursor.image == M1[2]
        key(labeler, "s", "s", "w", "ArrowDown", "ArrowUp")
        assert labeler.session.cursor.bodypart == "leftear"
        key(labeler, "m")
        assert labeler.controls.mode.value == labeler.session.mode == "quick"
        key(labeler, "End", "Home", "Shift+ArrowRight")
        assert labeler.session.cursor.image == M1[1]

    def test_nudges_by_keys_and_by_buttons(self, labeler):
        click(labeler, 30, 40)
        key(labeler, "w", "Alt+ArrowRight", "Alt+Shift+ArrowUp")
        np.testing.assert_allclose(points(labeler)[0], (31, 39.9))
        labeler.controls.buttons["nudge left"].click()
        labeler.controls.step.value = "0.1 px"
        labeler.controls.buttons["nudge down"].click()
        np.testing.assert_allclose(points(labeler)[0], (30, 40))

    def test_edits_by_keys(self, labeler):
        click(labeler, 30, 40)
        key(labeler, "n", "w", "w", "Backspace")
        assert [value.state for value in labeler.session.values()] == ["open", "not visible", "open", "open"]
        key(labeler, "Ctrl+z", "f", "f", "Ctrl+z", "Ctrl+Z")
        assert labeler.session.state() == "done"
        key(labeler, "Ctrl+c", "d", "Ctrl+v", "Enter")
        np.testing.assert_allclose(points(labeler)[0], (30, 40))
        key(labeler, "Ctrl+z", "Ctrl+z", "p", "Enter")
        np.testing.assert_allclose(points(labeler)[0], (30, 40))

    def test_what_is_shown_can_be_switched_off_by_key_and_by_button(self, labeler):
        for name in ("loupe", "ghost", "skeleton", "names", "labels"):
            before = getattr(labeler.view, name)
            key(labeler, *ACTIONS[name].keys)
            assert labeler.controls.toggles[name].value is getattr(labeler.view, name) is not before
            labeler.controls.toggles[name].value = before
            assert getattr(labeler.view, name) is before

    def test_help_lists_every_key_and_goes_away(self, labeler):
        assert labeler.help.layout.display == "none"
        key(labeler, "?")
        assert labeler.help.layout.display is None
        assert all(escape(action.text) in help_html() for action in ACTIONS.values())
        key(labeler, "Escape")
        assert labeler.help.layout.display == "none"

    def test_every_key_has_a_button_with_a_tooltip_that_names_it(self, labeler):
        fine = {name for name in ACTIONS if name.startswith("fine ")} | {"escape"}
        assert {*labeler.controls.buttons, *labeler.controls.toggles} == {*ACTIONS} - fine
        for name, made in {**labeler.controls.buttons, **labeler.controls.toggles}.items():
            assert made.tooltip == ACTIONS[name].tooltip
        assert all(ACTIONS[action].keys for action in KEYS.values())

    def test_digits_choose_bodyparts(self, labeler):
        key(labeler, "3", "9")
        assert labeler.session.cursor.bodypart == "rightear"

    def test_menus_open_above_and_close_by_escape_or_on_the_picture(self, labeler):
        _, view, more = labeler.controls.menus
        view.button.click()
        more.button.click()
        key(labeler, "Escape")
        assert not view.is_open
        assert not more.is_open
        more.button.click()
        click(labeler, 30, 40)
        assert not more.is_open
        assert np.isnan(points(labeler)).all()  # it closes the menu and does nothing else
        click(labeler, 30, 40)
        np.testing.assert_allclose(points(labeler)[0], (30, 40))

    def test_done_asks_on_its_button(self, labeler):
        done = labeler.controls.buttons["done next"]
        done.click()
        assert (done.description, labeler.session.cursor.image) == ("Really done?", M1[0])
        done.click()
        assert (done.description, labeler.session.cursor.image) == ("Done → next", M1[1])
        assert labeler.session.state(M1[0]) == "done"
        click(labeler, 30, 40)
        done.click()
        assert labeler.session.state(M1[1]) == "done"  # what it does to open bodyparts was said already

    def test_zoom_and_pan_by_keys(self, labeler):
        key(labeler, "+", "Ctrl+ArrowLeft")
        assert labeler.view.zoomed
        key(labeler, "0")
        assert not labeler.view.zoomed


class TestZoomFromFrameToFrame:
    """Frames of 128 x 96 px; what is seen of them is told as (left, top, right, bottom)."""

    def seen(self, labeler):
        height, width = labeler.view.canvas_size
        return [*labeler.view.fit.to_image((0, 0)).tolist(), *labeler.view.fit.to_image((width, height)).tolist()]

    def look_at(self, labeler, x, y, zoom):
        labeler.view.reset_view()
        labeler.view.zoom(zoom, canvas(x, y))

    def place(self, labeler, image, where):
        labeler.session.go_to(image)
        for name, point in zip(BODYPARTS, where, strict=False):
            labeler.session.place(point, name)

    def is_seen(self, labeler, *where):
        left, top, right, bottom = self.seen(labeler)
        return all(left < x < right and top < y < bottom for x, y in where)

    def test_a_click_on_a_point_of_another_bodypart_is_told(self, labeler):
        click(labeler, 60, 50)
        click(labeler, 61, 50)
        assert labeler.session.points()[1].tolist() == [61, 50]
        assert status(labeler) == "leftear lies on snout: Undo takes it back"
        click(labeler, 80, 50)
        assert status(labeler) == ""

    def suggest(self, labeler, values, image=M1[0]):
        labeler.session.set_suggestions("s", {image: [value or [np.nan] * 3 for value in values]})

    def test_a_click_on_a_hollow_point_places_its_own_bodypart(self, labeler):
        self.suggest(labeler, [None, (60, 50, 0.9), (90, 60, 0.3), None])
        assert labeler.session.cursor.bodypart == "snout"
        click(labeler, 90.5, 60)
        assert labeler.session.points()[:3].tolist() == [[pytest.approx(np.nan, nan_ok=True)] * 2] * 2 + [[90.5, 60]]
        assert labeler.session.cursor.bodypart == "tailbase"
        assert not labeler.session.asking
        labeler.session.choose("rightear")
        click(labeler, 60, 50)
        assert labeler.session.points()[1].tolist() == [60, 50]

    @pytest.mark.parametrize("how", ["digit", "list", "key"])
    def test_a_bodypart_that_one_chose_is_placed_also_on_what_is_of_another(self, labeler, how):
        click(labeler, 60, 50)
        self.suggest(labeler, [None, None, (90, 60, 0.9), (30, 30, 0.9)])
        for (x, y), name in (((60, 50), "leftear"), ((90, 60), "tailbase")):
            k = BODYPARTS.index(name)
            if how == "digit":
                key(labeler, str(k + 1))
            elif how == "list":
                labeler.list._handle_custom_msg({"type": "choose", "index": k}, [])
            else:
                labeler.session.choose(k - 1)
                key(labeler, "s")
            press(labeler, "move", x, y)
            assert labeler.pointer.placing() == k
            press(labeler, "down", x, y)
            press(labeler, "move", x + 0.6, y)  # 3 canvas px: a hand is not that steady
            press(labeler, "up", x + 0.6, y)
            assert points(labeler)[k].tolist() == [x, y]
        assert points(labeler)[0].tolist() == [60, 50]
        assert np.isnan(points(labeler)[2]).all()

    def test_undo_leaves_a_bodypart_that_one_chose_chosen_and_the_order_does_not(self, labeler):
        self.suggest(labeler, [None, (60, 50, 0.9), (90, 60, 0.9), None])
        for named in ("1", None):
            if named:
                key(labeler, named)
            click(labeler, 60, 50)
            assert np.isfinite(points(labeler)[:, 0]).tolist() == [bool(named), not named, False, False]
            key(labeler, "Ctrl+z")
            if named:
                click(labeler, 90, 60)
                assert points(labeler)[0].tolist() == [90, 60]
                key(labeler, "Ctrl+z", "d", "a")  # the frame opens anew at the first in order
        assert np.isnan(points(labeler)).all()

    def test_a_label_is_corrected_by_little_while_another_bodypart_is_next(self, labeler):
        click(labeler, 60, 50)
        for k in range(1, 4):  # by 2.5 canvas px each
            press(labeler, "down", 60 + 0.5 * (k - 1), 50)
            press(labeler, "move", 60 + 0.5 * k, 50)
            press(labeler, "up", 60 + 0.5 * k, 50)
            assert points(labeler)[0].tolist() == [60 + 0.5 * k, 50]
        assert np.isnan(points(labeler)[1:]).all()

    def test_a_label_that_was_clicked_is_corrected_by_little(self, labeler):
        click(labeler, 60, 50)
        click(labeler, 90, 60)
        key(labeler, "1")
        press(labeler, "down", 60, 50)
        press(labeler, "move", 60.5, 50)
        press(labeler, "up", 60.5, 50)
        press(labeler, "down", 90, 60)
        press(labeler, "move", 90.5, 60)
        press(labeler, "up", 90.5, 60)
        assert points(labeler)[:2].tolist() == [[60.5, 50], [90.5, 60]]

    def test_what_lies_where_another_one_is_suggested_is_told(self, labeler):
        self.suggest(labeler, [None, (60, 50, 0.9), None, None])
        key(labeler, "1")
        click(labeler, 60, 50)
        assert status(labeler) == "snout lies where leftear is suggested: Undo takes it back"

    def test_a_choice_ends_with_the_frame(self, labeler):
        self.suggest(labeler, [None, None, (60, 50, 0.9), None])
        key(labeler, "2", "d", "a")
        click(labeler, 10, 10)
        click(labeler, 60, 50)
        assert np.isfinite(points(labeler)[:, 0]).tolist() == [True, False, True, False]

    def test_other_hollow_points_leave_the_bodypart_that_the_list_shows(self, labeler):
        self.suggest(labeler, [None, (60, 50, 0.9), (90, 60, 0.9), None])
        assert labeler.session.cursor.bodypart == "snout"
        self.suggest(labeler, [(30, 30, 0.9), None, (90, 60, 0.9), None])
        assert labeler.session.cursor.bodypart == "snout"

    def test_a_bodypart_that_is_placed_already_does_not_take_a_click_on_another(self, labeler):
        click(labeler, 30, 30)
        self.suggest(labeler, [None, (60, 50, 0.9), None, None])
        key(labeler, "1")
        click(labeler, 60, 50)
        assert points(labeler)[:2].tolist() == [[30, 30], [60, 50]]

    def test_a_click_places_what_was_said_when_it_began(self, labeler):
        press(labeler, "down", 90, 60)
        self.suggest(labeler, [None, (60, 50, 0.9), (90, 60, 0.9), None])
        press(labeler, "up", 90, 60)
        assert labeler.session.points()[0].tolist() == [90, 60]  # snout was up
        assert np.isnan(labeler.session.points()[1:]).all()

    def test_late_suggestions_leave_who_has_begun_at_the_bodypart(self, labeler):
        late = [(30, 40, 0.9), (50, 40, 0.9), None, (90, 40, 0.9)]
        key(labeler, "1")
        self.suggest(labeler, late)
        assert labeler.session.cursor.bodypart == "snout"
        labeler.go_to(M1[1], "snout", "look here")
        self.suggest(labeler, late, M1[1])
        assert (labeler.session.cursor.bodypart, status(labeler)) == ("snout", "look here")
        labeler.go_to(M1[2])
        key(labeler, "c", "5", "5")
        self.suggest(labeler, late, M1[2])
        key(labeler, "Enter")
        assert np.isfinite(labeler.session.points()[0]).all()

    def test_in_another_mode_a_point_that_was_covered_is_told_of_the_frame_before(self, labeler):
        click(labeler, 60, 50)
        labeler.session.next_mode()
        labeler.session.choose("tailbase")
        click(labeler, 60, 50)
        assert labeler.session.cursor.image == M1[1]
        assert status(labeler) == "tailbase lies on snout in the frame before: Undo takes it back"

    def test_of_two_hollow_points_on_each_other_the_one_that_is_named_is_placed(self, labeler):
        self.suggest(labeler, [None, (60, 50, 0.9), (60.3, 50, 0.9), None])
        labeler.session.choose("snout")
        press(labeler, "move", 60, 50)
        assert (labeler.pointer.under(), labeler.pointer.placing()) == (2, 2)
        click(labeler, 60, 50)
        assert np.isfinite(labeler.session.points()[:, 0]).tolist() == [False, False, True, False]
        assert status(labeler) == "rightear placed: its hollow point was clicked"

    def test_a_click_beside_it_or_where_the_current_one_is_suggested_too_places_the_current_one(self, labeler):
        self.suggest(labeler, [(40, 40, 0.9), (42, 40, 0.9), (90, 60, 0.9), None])
        labeler.session.choose("snout")
        click(labeler, 41.5, 40)
        assert labeler.session.points()[0].tolist() == [41.5, 40]
        labeler.session.choose("tailbase")
        click(labeler, 95, 60)
        assert labeler.session.points()[3].tolist() == [95, 60]
        labeler.session.next_mode()  # in which a click places one bodypart in all frames
        labeler.session.choose("snout")
        click(labeler, 90, 60)
        assert labeler.session.points(M1[0])[0].tolist() == [90, 60]
        assert np.isnan(labeler.session.points()[1:3]).all()

    def test_the_next_frame_shows_the_animal_by_labels_suggestions_or_ghosts(self, labeler):
        values = np.array([[20, 70, 0.1], [30, 80, 0.1], [np.nan] * 3, [np.nan] * 3])
        labeler.session.set_suggestions("net", {M1[1]: values})
        self.place(labeler, M1[2], [(110, 10)])
        self.place(labeler, M1[0], [(60, 50)])
        self.look_at(labeler, 60, 50, 4)
        zoom = labeler.view.fit.zoom
        for name, where in ((M1[1], (20, 70)), (M1[2], (110, 10)), (M1[0], (60, 50)), (M1[3], (110, 10))):
            labeler.session.go_to(name)
            assert self.is_seen(labeler, where), name
            assert labeler.view.fit.zoom == zoom

    def test_a_frame_of_which_nothing_is_known_is_shown_whole(self, labeler, monkeypatch):
        monkeypatch.setattr("dlcnb.widgets.labeler.assist.NEAR", 1)
        self.place(labeler, M1[0], [(60, 50)])
        self.look_at(labeler, 60, 50, 4)
        labeler.session.go_to(M1[1])
        assert labeler.view.zoomed  # the animal can't be far
        labeler.session.go_to(M1[3])
        assert not labeler.view.zoomed

    def test_it_zooms_out_only_as_far_as_the_whole_animal_needs(self, labeler):
        self.place(labeler, M1[1], [(30, 30), (90, 30)])
        self.place(labeler, M1[0], [(60, 50)])
        self.look_at(labeler, 60, 50, 8)
        zoom = labeler.view.fit.zoom
        labeler.session.go_to(M1[1])
        left, _, right, _ = self.seen(labeler)
        assert self.is_seen(labeler, (30, 30), (90, 30))
        assert right - left < 80
        assert zoom > labeler.view.fit.zoom
        assert labeler.view.zoomed

    def test_nothing_moves_where_the_animal_is_seen_nor_within_a_frame(self, labeler):
        self.place(labeler, M1[1], [(70, 50)])
        self.place(labeler, M1[0], [(2, 50), (60, 50)])  # one at the image's edge
        self.look_at(labeler, -0.5, 50, 1.5)
        before = labeler.view.fit
        for name in (M1[1], M1[0]):
            labeler.session.go_to(name)
            assert labeler.view.fit == before
        labeler.session.place((120, 90), BODYPARTS[2])
        labeler.session.undo()
        assert labeler.view.fit == before
        labeler.view.reset_view()
        labeler.session.go_to(M1[1])
        assert not labeler.view.zoomed

    def test_where_a_click_goes_on_to_the_next_frame_the_bodypart_alone_matters(self, labeler):
        self.place(labeler, M1[0], [(20, 20), (110, 80)])
        labeler.session.mode = "quick"
        labeler.session.choose(0)
        self.look_at(labeler, 20, 20, 5)
        before = labeler.view.fit
        labeler.session.go_to(M1[1])
        assert labeler.view.fit == before


class TestCrosshair:
    TRUTH = ((16.0, 24.0), (36.0, 28.0), (60.0, 48.0), (100.0, 80.0))

    def test_a_number_goes_to_the_middle_of_its_field_and_divides_that_anew(self, labeler):
        key(labeler, "c", "1")
        height, width = labeler.view.image_size
        assert labeler.view.field == pytest.approx((-0.5, -0.5, width / 3 - 0.5, height / 3 - 0.5))
        assert labeler.view.crosshair == pytest.approx((width / 6 - 0.5, height / 6 - 0.5))
        key(labeler, "6", "8")
        left, top, right, bottom = labeler.view.field
        assert (right - left, bottom - top) == pytest.approx((width / 27, height / 27))
        assert (left + 0.5, top + 0.5) == pytest.approx((width * (2 / 9 + 1 / 27), height * (1 / 9 + 2 / 27)))

    def test_small_fields_are_shown_nearer_until_the_point_is_placed(self, labeler):
        whole = labeler.view.fit
        key(labeler, "c", "5", "2", "2")
        assert labeler.view.fit.zoom > 2 * whole.zoom
        corners = np.reshape(labeler.view.field, (2, 2))
        near = labeler.view.fit.to_canvas(corners)
        assert (near >= 0).all()
        assert (near <= labeler.view.canvas_size[::-1]).all()
        at = labeler.view.crosshair
        key(labeler, "Enter")
        assert labeler.view.fit == whole
        assert labeler.session.part == 1
        np.testing.assert_allclose(points(labeler)[0], at)
        key(labeler, "1", "1", "1")
        assert labeler.view.fit != whole
        key(labeler, "0")
        assert labeler.view.fit == whole
        assert labeler.view.field == labeler.view.seen
        key(labeler, "1", "1", "1", "Escape")
        assert labeler.view.fit == whole
        assert labeler.view.field is None

    def test_fields_begin_with_what_is_seen_and_the_zoom_comes_back(self, labeler):
        key(labeler, "+", "+", "+", "c")
        before, (left, top, right, bottom) = labeler.view.fit, labeler.view.seen
        key(labeler, "3")
        assert labeler.view.field == pytest.approx((right - (right - left) / 3, top, right, top + (bottom - top) / 3))
        key(labeler, "3", "3", "3")
        assert labeler.view.fit != before
        key(labeler, "Enter")
        assert labeler.view.fit == before

    def test_the_next_frame_is_divided_as_it_is_seen(self, labeler):
        key(labeler, "+", "+", "+", "+", "c", "1", "1", "1")
        assert labeler.view.zoomed
        key(labeler, "d")
        assert not labeler.view.zoomed  # nothing is known of where the animal is
        assert labeler.view.field == labeler.view.seen

    def test_arrows_show_the_loupe_in_place_of_the_fields_and_a_number_the_fields(self, labeler):
        def seen():
            return scene(labeler.session, labeler.view, np.empty((0, 2), int))

        key(labeler, "c", "1")
        at = labeler.view.crosshair
        assert len(seen().fields) == 9
        assert seen().loupe is None
        key(labeler, "Alt+ArrowRight")
        assert len(seen().fields) == 0
        assert seen().loupe == (at[0] + 1, at[1])
        key(labeler, "7")
        assert len(seen().fields) == 9
        assert labeler.view.crosshair == (at[0] + 1, at[1])

    def test_numbers_keep_to_their_fields_in_a_narrow_picture(self, labeler):
        key(labeler, "c")
        seen = replace(scene(labeler.session, labeler.view, np.empty((0, 2), int)), letters=32)
        narrow = seen.fields * (60 / seen.size[1], 1)
        things = label_things(replace(seen, fields=narrow, size=(seen.size[0], 60)), labeler.colors)
        numbers = [one for one in things if isinstance(one, Text) and one.text.isdigit()]
        assert [one.text for one in numbers] == [*"123456789"]
        for one, (_, (right, bottom)) in zip(numbers, narrow, strict=True):
            assert one.place[0] + 0.6 * one.size <= right
            assert one.place[1] + 0.5 * one.size <= bottom

    def test_what_to_press_is_said_in_the_next_frame_too(self, labeler):
        key(labeler, "c")
        for _ in labeler.session.bodyparts:
            key(labeler, "5", "Enter")
        key(labeler, "f")
        assert labeler.session.cursor.image == M1[1]
        assert status(labeler).startswith("Press the number of the field with snout")
        late = np.full((len(labeler.session.bodyparts), 3), [60, 40, 0.9])
        late[2] = np.nan
        labeler.session.set_suggestions("s", {M1[1]: late})  # when the frame is open already
        assert labeler.session.cursor.bodypart == "rightear"
        assert status(labeler).startswith("Press the number of the field with rightear")

    def test_what_to_press_is_said_until_the_frame_is_labeled(self, labeler):
        key(labeler, "c")
        for bodypart in labeler.session.bodyparts:
            assert f"field with {bodypart}" in status(labeler)
            key(labeler, "5", "Enter")
        assert "F goes on to the next one" in status(labeler)

    def test_it_follows_a_suggestion_that_moves_unless_it_was_moved_itself(self, labeler):
        def suggest(x):
            labeler.session.set_suggestions("best", {M1[0]: np.array([[x, 30, 0.9], *[[np.nan] * 3] * 3])})

        key(labeler, "c")
        suggest(40)
        labeler.session.choose(1)
        labeler.session.choose(0)
        assert labeler.view.crosshair == (40, 30)
        suggest(48)
        assert labeler.view.crosshair == (48, 30)
        key(labeler, "Alt+ArrowRight")
        suggest(60)
        assert labeler.view.crosshair == (49, 30)

    def test_an_arrow_moves_by_a_pixel_at_least(self, labeler):
        key(labeler, "c", *["5"] * 5)
        before = labeler.view.crosshair[0]
        key(labeler, "ArrowRight")
        assert labeler.view.crosshair[0] - before >= 1

    def test_the_mouse_takes_over_where_the_picture_lies_then(self, labeler):
        key(labeler, "c", "5", "5", "5")
        near = labeler.view.fit
        message(labeler, type="down", surface=0, x=100, y=100, button=0, buttons=1, shift=False)
        message(labeler, type="up", surface=0, x=100, y=100, button=0, buttons=0, shift=False)
        assert labeler.view.crosshair is None
        assert labeler.view.field is None
        assert labeler.view.fit == near
        key(labeler, "0", "c", "5", "Enter")
        assert not labeler.view.zoomed

    def test_it_begins_the_next_frame_where_the_bodypart_was(self, labeler):
        for point in self.TRUTH:
            labeler.session.click(point)
        key(labeler, "c", "f")
        assert labeler.view.crosshair == self.TRUTH[0]
        key(labeler, "Alt+ArrowRight", "Enter", "Enter")
        np.testing.assert_allclose(points(labeler)[:2], [(17, 24), (37, 28)])  # moved as the one before was

    def test_in_a_frame_of_another_size_keys_need_not_wait_for_its_picture(self, labeler, monkeypatch):
        frame_of_size(labeler, M1[4], (40, 30))
        monkeypatch.setattr(labeler, "redraw", lambda: None)  # as long as it takes
        key(labeler, "c")
        labeler.session.go_to(M1[4])
        key(labeler, "9", "9", "Enter")
        x, y = labeler.session.points(M1[4])[0]
        assert (x, y) == pytest.approx((30 * 17 / 18 - 0.5, 40 * 17 / 18 - 0.5))

    @pytest.mark.parametrize("damaged", [b"no image", None], ids=["all of it", "its pixels"])
    def test_nothing_is_placed_in_a_picture_that_can_not_be_read(self, labeler, damaged):
        path = labeler.project.root / M1[4]
        path.write_bytes(damaged or path.read_bytes()[:-20])
        labeler.session.go_to(M1[4])
        assert labeler.wait()
        key(labeler, "c", "5", "Enter")
        click(labeler, 20, 20)
        assert np.isnan(labeler.session.points(M1[4])).all()
        assert "nobody sees" in status(labeler)
        labeler.session.go_to(M1[0])
        click(labeler, 20, 20)
        assert np.isfinite(points(labeler)[0]).all()

    def test_it_does_not_stay_outside_of_a_smaller_frame(self, labeler):
        frame_of_size(labeler, M1[4], (40, 30))
        key(labeler, "c", "9", "9")
        labeler.session.go_to(M1[4])
        assert labeler.wait()
        assert labeler.view.crosshair == (29.5, 39.5)
        assert labeler.view.field == labeler.view.seen

    def test_enter_places_nothing_where_the_crosshair_is_out_of_sight(self, labeler):
        key(labeler, "+", "+", "+", "+", "c", *["Ctrl+ArrowRight"] * 6, "Enter")
        assert np.isnan(points(labeler)[0]).all()
        assert labeler.view.sees(labeler.view.crosshair)
        assert "Enter again" in status(labeler)
        key(labeler, "Enter")
        assert np.isfinite(points(labeler)[0]).all()

    def test_the_picture_goes_with_it(self, labeler):
        labeler.session.set_suggestions("best", {M1[0]: np.array([[np.nan] * 3, [125, 90, 0.9], *[[np.nan] * 3] * 2])})
        key(labeler, "+", "+", "+", "+", "c", "s")
        assert labeler.view.crosshair == (125, 90)
        assert labeler.view.sees((125, 90))
        key(labeler, *["Shift+ArrowLeft"] * 10)
        assert labeler.view.sees(labeler.view.crosshair)

    def test_fields_are_cut_where_the_picture_is_zoomed(self, labeler):
        key(labeler, "c", "+", "+")
        assert labeler.view.field == pytest.approx(labeler.view.seen)

    def test_a_sharp_screen_changes_the_pixels_and_not_the_room_of_the_picture(self, labeler):
        canvas = labeler.canvas
        (height, width), room = canvas.size, canvas.layout.max_width
        labeler.input.guard.ratios = [1.5, 1.5]
        assert (canvas.height, canvas.width) == (1.5 * height, 1.5 * width)
        assert canvas.layout.max_width == room

    def test_enter_at_another_place_moves_what_is_placed(self, labeler):
        key(labeler, "c")
        assert f"field with {labeler.session.bodyparts[0]}" in labeler.session.message
        labeler.session.place(self.TRUTH[0], labeler.session.bodyparts[0])
        key(labeler, "w", "s", "Alt+ArrowRight", "Enter")
        np.testing.assert_allclose(points(labeler)[0], np.add(self.TRUTH[0], (1, 0)))

    def test_it_stays_in_the_picture_and_goes_by_escape_or_a_click(self, labeler):
        key(labeler, "c", *["Shift+ArrowLeft"] * 20)
        assert labeler.view.crosshair[0] == -0.5
        key(labeler, "Escape")
        assert labeler.view.crosshair is None
        key(labeler, "c")
        click(labeler, 30, 40)
        assert labeler.view.crosshair is None
        key(labeler, "d")
        assert labeler.session.cursor.image == M1[1]


class TestPicture:
    def test_the_frame_is_shown_with_its_number(self, labeler):
        for _ in range(3):
            picture = shown(labeler)
            at = [picture[40, ZOOM * (16 * n + 8), 0] for n in range(COUNT)]
            assert int(np.argmax(at)) == labeler.session.row
            key(labeler, "d")

    def test_brightness_contrast_and_gamma_change_the_display_only(self, labeler):
        before = shown(labeler)[300, 300, 0]
        labeler.controls.sliders["brightness"].value = 0.3
        assert shown(labeler)[300, 300, 0] > before + 60
        labeler.controls.sliders["gamma"].value = 0.5
        labeler.controls.sliders["contrast"].value = 2.0
        labeler.controls.reset.click()
        assert abs(int(shown(labeler)[300, 300, 0]) - int(before)) <= 2

    def test_the_list_shows_the_states(self, labeler):
        click(labeler, 30, 40)
        key(labeler, "n")
        assert labeler.wait(60)
        assert labeler.list.states == ["placed", "not visible", "open", "open"]
        assert labeler.list.current == 2
        labeler.list._handle_custom_msg({"type": "choose", "index": 3}, [])
        assert labeler.session.cursor.bodypart == "tailbase"

    def test_progress_counts_frames(self, labeler):
        click(labeler, 30, 40)
        key(labeler, "f", "f", "d")
        click(labeler, 30, 40)
        assert labeler.wait(60)
        assert f"1 of {COUNT} done, 1 in work" in labeler.progress.value
        assert f"1 of {2 * COUNT} done, 1 in work" in labeler.progress.value

    def test_fields_open_frames_and_videos(self, labeler):
        labeler.controls.number.value = 4
        assert labeler.session.cursor.image == M1[3]
        labeler.controls.video.value = "m2"
        assert labeler.wait(60)
        assert labeler.session.video == "m2"
        assert labeler.controls.number.value == 1
        labeler.go_to(M1[5])
        assert labeler.wait(60)
        assert labeler.controls.video.value == "m1"
        assert labeler.controls.number.value == 6

    def test_frames_with_suggestions_are_marked_in_the_bar_while_they_have_some(self, labeler, monkeypatch):
        session, drawn = labeler.session, []
        monkeypatch.setattr(labeler.bar, "draw_states", lambda *cells: drawn.append(cells[2]))
        hollow = [[30, 40, 0.9], [50, 40, 0.9], *[[np.nan] * 3] * 2]
        session.set_suggestions("net", {M1[0]: hollow, M1[2]: hollow, "labeled-data/m2/img1.png": hollow})
        session.add_followed({M1[3]: np.array(hollow), M1[4]: np.full((4, 3), np.nan)})
        assert labeler.wait(60)
        assert drawn[-1] == session.hollow_rows() == [0, 2, 3]
        for name in BODYPARTS[:2]:
            session.place((3, 3), name)
        session.go_to(M1[5])
        assert labeler.wait(60)
        assert drawn[-1] == [2, 3]
        assert "suggested" in labeler.marks.value  # what a ring is, also where this frame has none
        session.go_to(M1[0])
        session.copy()
        session.go_to(M1[5])
        session.paste()
        assert session.hollow_rows() == [2, 3, 5]
        session.open_video("m2")
        assert session.hollow_rows() == [1]

    def test_a_line_says_what_the_marks_are_that_are_seen(self, labeler):
        def says():
            labeler._painter.wait()
            return labeler.marks.value

        assert says() == ""
        click(labeler, 30, 40)
        key(labeler, "d")
        assert "× the labeled frame before" in re.sub(r"<[^>]*>", "", says())
        key(labeler, "g")
        assert says() == ""
        values = np.full((4, 3), np.nan)
        values[2] = 90, 60, 0.9
        labeler.session.set_suggestions("s", {M1[1]: values})
        assert "not a label yet" in says()
        assert "×" in labeler.help.value

    def test_the_snapshot_shows_points_suggestions_and_ghosts(self, labeler):
        plain = np.array(labeler.snapshot()).astype(int)
        click(labeler, 30, 40)
        key(labeler, "d")
        values = np.full((4, 3), np.nan)
        values[2] = 90, 60, 0.9
        labeler.session.set_suggestions("s", {M1[1]: values})
        key(labeler, "s")
        click(labeler, 60, 70)
        for x, y, reach in ((60, 70, 3), (30, 40, 3), (90, 60, 9)):
            cx, cy = map(round, canvas(x, y))
            changed = np.abs(np.array(labeler.snapshot()).astype(int) - plain).sum(axis=2) > 60
            assert changed[cy - reach : cy + reach + 1, cx - reach : cx + reach + 1].any()
        assert changed[200:260].sum() < changed.size / 20

    def test_a_ghost_is_gone_when_its_bodypart_has_a_point_and_unsure_ones_are_marked(self, labeler):
        click(labeler, 30, 40)
        click(labeler, 50, 40)
        key(labeler, "d")
        assert np.isfinite(self.scene(labeler).ghosts[:, 0]).tolist() == [True, True, False, False]
        click(labeler, 35, 45)
        labeler.session.set_suggestions("s", {M1[1]: [[np.nan] * 3, (52, 41, 0.2), (90, 60, 0.9), [np.nan] * 3]})
        seen = self.scene(labeler)
        assert np.isnan(seen.ghosts).all()
        assert seen.unsure.tolist() == [False, True, False, False]
        marks = [one for one in label_things(seen, labeler.colors) if isinstance(one, Text) and one.text == "?"]
        assert [np.hypot(*(one.place - seen.hollow[1])) < 20 for one in marks] == [True]

    def scene(self, labeler):
        return scene(labeler.session, labeler.view, np.empty((0, 2), int))

    def test_a_damaged_image_is_told_and_the_others_work(self, labeler, project):
        (project.root / M1[5]).write_bytes(b"no image")
        key(labeler, "End")
        assert labeler.wait(60)
        assert "is damaged: it is not an image" in status(labeler)
        key(labeler, "a")
        assert shown(labeler)[40, ZOOM * (16 * 4 + 8), 0] > 150
        assert status(labeler) == ""


class TestKeeping:
    def test_the_tables_follow_by_themselves(self, labeler, project):
        click(labeler, 30, 40)
        np.testing.assert_allclose(LabelStore(project, "m1").point(M1[0])[0], (30, 40))
        assert labeler.wait(60)
        np.testing.assert_allclose(Labels.read(project.labeled_dir("m1")).points[0, 0], (30, 40))
        assert "✓ saved" in labeler.controls.saved.value

    def test_kept_is_said_of_what_is_in_the_journal_and_saved_of_what_is_in_the_tables(self, labeler, project):
        folder, told = project.labeled_dir("m1"), []

        def hear(change):
            words = re.sub("<.*?>", "", change.new)
            in_journal = any('"snout"' in path.read_text() for path in folder.glob(".dlcnb-journal*.jsonl"))
            told.append((words, in_journal, (folder / "CollectedData_ada.csv").exists()))

        labeler.controls.saved.observe(hear, "value")
        click(labeler, 30, 40)
        assert told[:1] == [("✓ kept", True, False)]
        assert labeler.wait(60)
        assert told[1:] == [("✓ kept", True, False), ("✓ saved", True, True)]  # while the tables are written, and after
        click(labeler, 31, 41)
        assert told[3:4] == [("✓ kept", True, True)]  # the tables are those of before

    def test_closing_saves(self, project):
        made = Labeler(project)
        click(made, 30, 40)
        made.close()
        np.testing.assert_allclose(Labels.read(project.labeled_dir("m1")).points[0, 0], (30, 40))

    def test_opening_saves_what_a_killed_kernel_left_in_the_journal(self, project):
        folder = project.labeled_dir("m1")
        LabelStore(project, "m1").apply([Edit(M1[0], "snout", (9.0, 8.0))])
        assert not list(folder.glob("CollectedData*"))
        made = Labeler(project)
        assert made.wait(60)
        np.testing.assert_allclose(Labels.read(folder).points[0, 0], (9, 8))
        assert "✓ saved" in made.controls.saved.value
        made.close()

    def test_opening_what_is_saved_writes_nothing(self, labeler, project):
        assert not list(project.labeled_dir("m1").glob("CollectedData*"))

    def test_a_python_that_ends_does_not_crash_and_loses_nothing(self, project):
        """Threads of the labeler may be in OpenCV just then."""
        script = (
            "import sys; from dlcnb import Labeler; made = Labeler(sys.argv[1]);"
            "made.session.place((30.0, 40.0)); made.session.step(1)"
        )
        done = subprocess.run([sys.executable, "-c", script, str(project.root)], capture_output=True, text=True)
        assert (done.returncode, done.stderr) == (0, "")
        np.testing.assert_allclose(LabelStore(project, "m1").point(M1[0])[0], (30, 40))

    def test_a_failed_save_is_told_and_tried_again(self, labeler, project, monkeypatch):
        monkeypatch.setattr(Keeper, "retry_seconds", 0.05)
        folder = project.labeled_dir("m1")
        (folder / "CollectedData_ada.csv").mkdir()
        click(labeler, 30, 40)
        key(labeler, "Ctrl+s")
        with labeler._keeper._condition:
            assert labeler._keeper._condition.wait_for(lambda: labeler.session.saved == "failed", 60)
        assert "not saved" in labeler.controls.saved.value
        (folder / "CollectedData_ada.csv").rmdir()
        assert labeler.wait(60)
        assert labeler.session.saved == "saved"
        assert status(labeler) == ""

    def test_what_another_tab_does_is_noticed(self, labeler, project, monkeypatch):
        monkeypatch.setattr(Keeper, "look_seconds", 0.05)
        LabelStore(project, "m1").apply([Edit(M1[0], "snout", (9.0, 8.0))])
        key(labeler, "l")
        with labeler._keeper._condition:
            assert labeler._keeper._condition.wait_for(lambda: "changed elsewhere" in status(labeler), 60)
        assert labeler.session.state() == "in work"
        np.testing.assert_allclose(points(labeler)[0], (9, 8))

    def test_a_conflict_is_asked_about_and_decided(self, labeler, project):
        click(labeler, 30, 40)
        labeler.session.save()
        table = project.labeled_dir("m1") / "CollectedData_ada.csv"
        text = table.read_text()
        drag(labeler, (30, 40), (35, 45))
        table.write_text(text.replace("30.0,40.0", "70.0,60.0"))
        labeler.session.refresh()
        assert labeler.wait(60)
        box = labeler.conflict_box
        assert box.layout.display == "flex"
        assert "(35.0, 45.0), theirs (70.0, 60.0)" in box.text.value
        key(labeler, "d")
        box.look.click()
        assert labeler.session.cursor.image == M1[0]
        box.theirs.click()
        assert labeler.wait(60)
        np.testing.assert_allclose(points(labeler)[0], (70, 60))
        assert box.layout.display == "none"


class TestSuggestions:
    def test_in_a_larger_frame_they_are_accepted_where_they_are_before_its_picture_is_read(self, labeler, monkeypatch):
        frame_of_size(labeler, M1[4], (300, 400))
        there = [[350, 250, 0.9], [10, 20, 0.9], [380, 20, 0.9], [30, 290, 0.9]]
        labeler.session.set_suggestions("best", {M1[4]: np.array(there, float)})
        monkeypatch.setattr(labeler, "redraw", lambda: None)  # as long as it takes
        labeler.session.go_to(M1[4])
        key(labeler, "Shift+Enter")
        np.testing.assert_array_equal(labeler.session.points(M1[4]), np.array(there)[:, :2])

    def offer(self, labeler):
        values = np.array([[30, 40, 0.9], [50, 40, 0.2], [70, 40, 0.95], [90, 40, 0.7]])
        labeler.session.set_suggestions("snapshot-10", dict.fromkeys(M1, values))

    def test_keys_accept_and_dragging_corrects(self, labeler):
        self.offer(labeler)
        assert labeler.wait(60)
        assert labeler.list.states == ["suggested"] * 4
        labeler.session.choose("snout")
        key(labeler, "Enter")
        drag(labeler, (50, 40), (55, 45))
        np.testing.assert_allclose(points(labeler)[:2], [(30, 40), (55, 45)])
        key(labeler, "Shift+Enter")
        np.testing.assert_allclose(labeler.session.points(M1[0])[2:], [(70, 40), (90, 40)])
        assert labeler.session.cursor.image == M1[1]
        store = labeler.session.store()
        origins = [store.origin(M1[0], part) for part in BODYPARTS]
        assert origins == ["suggestion snapshot-10", "hand", "suggestion snapshot-10", "suggestion snapshot-10"]

    def test_accepting_all_goes_on_where_the_last_point_was_placed_by_hand(self, labeler):
        self.offer(labeler)
        for x in (30, 50, 70, 90):
            click(labeler, x + 1, 42)
        assert labeler.session.cursor.image == M1[0]
        assert labeler.session.state() == "done"
        key(labeler, "Shift+Enter")
        assert labeler.session.cursor.image == M1[1]
        assert status(labeler) == ""

    def test_without_a_trained_network_that_is_said(self, labeler):
        ask, suggester = labeler.suggester.button, labeler.suggester
        assert ask.disabled
        assert ask.tooltip in suggester.why_not.value
        assert ask.tooltip == "There is no network yet: train one first, under Train"
        ask.click()
        assert ask.tooltip in status(labeler)
        assert not suggester.busy
        (labeler.session.project.new_run(0.8) / "snapshot-1.params").touch()
        suggester.look()
        assert not ask.disabled
        assert suggester.why_not.layout.display == "none"

    def test_after_a_drag_the_next_click_places_what_is_open(self, labeler):
        for n, x in enumerate((20, 40, 60)):
            labeler.session.place((x, 30), BODYPARTS[n])
        labeler.session.go_to(M1[1])
        labeler.session.place((90, 50), BODYPARTS[3])
        labeler.session.copy_previous()
        assert labeler.wait(60)
        labeler.session.choose(BODYPARTS[3])
        for x in (40, 60):
            drag(labeler, (x, 30), (x, 50))
        click(labeler, 20, 50)
        np.testing.assert_allclose(points(labeler), [(20, 50), (40, 50), (60, 50), (90, 50)])

    def test_a_damaged_table_of_machines_labels_is_said_and_labeling_goes_on(self, project):
        (project.labeled_dir("m1") / "machinelabels-iter0.h5").write_bytes(b"nothing")
        made = Labeler(project)
        assert "machinelabels-iter0.h5" in status(made)
        made.session.click((10, 10))
        assert np.isfinite(made.session.points()[0]).all()
        made.close()

    def test_a_dict_of_suggestions_can_be_given(self, project):
        made = Labeler(project, "m1", suggestions=("mine", {M1[0]: np.ones((4, 3))}))
        assert made.session.snapshot == "mine"
        assert np.isfinite(made.session.suggested()[0]).all()
        made.close()


def test_canvas_and_frames_of_any_shape(tmp_path):
    project = make_project(tmp_path, ("tall",), size=(200, 120), count=2)
    made = Labeler(project, width=300)
    assert made.wait(60)
    assert (made.canvas.width, made.canvas.height) == (300, 500)
    assert made.snapshot().size == (300, 500)
    made.close()


def test_frames_of_another_size_are_shown_whole(labeler, project):
    path = project.root / "labeled-data/m2/img4.png"
    Image.fromarray(np.full((50, 200, 3), 120, np.uint8)).save(path)
    labeler.go_to(path)
    assert labeler.wait(60)
    assert labeler.view.image_size == (50, 200)
    assert not labeler.view.zoomed
    x, y = labeler.view.fit.to_canvas((190, 40))
    for kind in ("down", "up"):
        message(labeler, type=kind, surface=0, x=x, y=y, button=0)
    np.testing.assert_allclose(points(labeler)[0], (190, 40))
