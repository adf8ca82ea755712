"""Around labeling: frames of the video in the place of the frame, names at the pointer, screens with finer pixels."""

import re
import threading
from dataclasses import replace

import numpy as np
import pytest
from support.labeling import BODYPARTS, COUNT
from support.widgets import answered, painted, shown

from dlcnb.widgets import Labeler
from dlcnb.widgets.base.paint import Circles, Polygons, Text
from dlcnb.widgets.labeler.draw import label_things, rendered
from dlcnb.widgets.labeler.pointer_words import pointer_words
from dlcnb.widgets.labeler.scene import loupe_box, scene

ZOOM = 5  # canvas px per image px
NO_EDGES = np.empty((0, 2), int)


@pytest.fixture
def labeler(project):
    yield from painted(Labeler(project))


def message(labeler, **content):
    labeler.input.guard._handle_custom_msg(content, [])


def point_at(labeler, x, y, kind="move", **more):
    message(labeler, type=kind, surface=0, x=(x + 0.5) * ZOOM, y=(y + 0.5) * ZOOM, button=0, **more)


def status(labeler):
    return re.sub("<.*?>", "", labeler.status_line.value)


class TestFramesAround:
    def played(self, labeler):
        """The frames shown in one round, as distances from the frame that is labeled."""
        seen = []
        labeler.context._shown = lambda: seen.append(labeler.context.picture and labeler.context.picture[1])
        labeler.context.start(1)
        assert labeler.context.wait(60)
        return seen

    def test_they_are_played_once_in_order_and_the_frame_is_back(self, labeler):
        labeler.session.go_to("labeled-data/m1/img2.png")
        assert self.played(labeler) == [*range(-2, COUNT - 2), None]

    def test_the_picture_is_that_of_the_video_without_labels(self, labeler):
        labeler.session.click((60, 60))
        own = shown(labeler)
        image = np.full((96, 128, 3), 200, np.uint8)
        labeler.context.picture = image, 3
        labeler.redraw()
        assert abs(int(shown(labeler).mean()) - 200) < 3
        labeler.context.picture = None
        labeler.redraw()
        np.testing.assert_array_equal(shown(labeler), own)

    def test_a_press_while_they_play_places_nothing(self, labeler):
        labeler.input.guard.attached = 1
        message(labeler, type="key", key=" ", repeat=False)
        assert labeler.context.playing
        point_at(labeler, 50, 50, "down")
        point_at(labeler, 50, 50, "up")
        message(labeler, type="release", key=" ")
        assert labeler.context.wait(60)
        assert np.isnan(labeler.session.points()).all()

    def test_a_video_that_is_not_there_is_said_in_one_line(self, labeler, project):
        project.videos[0].unlink()
        project.videos[0].write_bytes(b"nothing")
        labeler.controls.buttons["context"].click()
        assert labeler.context.wait(60)
        assert "m1.mp4" in status(labeler)
        assert labeler.context.picture is None


class TestPointer:
    def texts(self, labeler):
        on = labeler.pointer.under(), labeler.pointer.placing()
        things = label_things(scene(labeler.session, labeler.view, NO_EDGES, *on), labeler.colors)
        return [(thing.text, thing.bold) for thing in things if isinstance(thing, Text)]

    def test_the_bodypart_that_is_up_follows_it(self, labeler):
        point_at(labeler, 60, 60)
        assert self.texts(labeler) == [("place snout", False)]
        message(labeler, type="leave", surface=0)
        assert self.texts(labeler) == []

    def test_over_a_point_that_points_name_is_told_with_its_likelihood_if_it_is_hollow(self, labeler):
        labeler.session.click((40, 40))
        labeler.session.set_suggestions("net", {labeler.session.images[0]: np.full((4, 3), [80, 80, 0.7])})
        point_at(labeler, 40.5, 40)
        assert self.texts(labeler) == [("place leftear on snout", True)]
        point_at(labeler, 80, 80)
        assert self.texts(labeler) == [("place leftear (likelihood 0.70)", True)]
        labeler.session.next_mode()  # in which a click places one bodypart in all frames
        labeler.session.set_suggestions(
            "net", {labeler.session.images[0]: [[np.nan] * 3, [80, 80, 0.7], *[[np.nan] * 3] * 2]}
        )
        labeler.session.choose("tailbase")
        assert self.texts(labeler) == [("place tailbase beside leftear", True)]

    def test_a_bodypart_that_is_chosen_while_the_pointer_rests_is_named_at_once(self, labeler, monkeypatch):
        hollow = [[np.nan] * 3, [80, 80, 0.7], *[[np.nan] * 3] * 2]
        labeler.session.set_suggestions("net", {labeler.session.images[0]: hollow})
        point_at(labeler, 80, 80)
        shown(labeler)
        assert self.texts(labeler) == [("place leftear (likelihood 0.70)", True)]
        drawn = []
        monkeypatch.setattr(labeler.canvas, "draw", lambda layer, things: drawn.extend(things))
        message(labeler, type="key", key="1")  # which was up already
        assert labeler.wait(60)
        assert "place snout beside leftear" in [thing.text for thing in drawn if isinstance(thing, Text)]

    def test_over_the_cross_of_another_bodypart_it_says_which_is_placed_and_which_was_there(self, labeler):
        for point in ((40, 40), (80, 40), (40, 70), (90, 70)):
            labeler.session.click(point)
        labeler.session.step(1)
        point_at(labeler, 90.5, 70)
        assert self.texts(labeler) == [("place snout", False), ("× tailbase before", False)]
        labeler.session.click((90, 70))
        assert self.texts(labeler) == [("place leftear on snout", True), ("× tailbase before", False)]

    def words(self, labeler, x, y):
        """Left, top, right, bottom of what stands at the pointer there, about, in px of the canvas."""
        point_at(labeler, x, y)
        seen = scene(labeler.session, labeler.view, NO_EDGES, labeler.pointer.under(), labeler.pointer.placing())
        (said,) = pointer_words(seen)
        (left, middle), wide = said.place, 0.6 * said.size * len(said.text)
        left -= 0 if said.align == "left" else wide
        return (left, middle - said.size / 2, left + wide, middle + said.size / 2), seen

    def test_words_stand_away_from_the_animal_in_the_canvas_and_beside_the_loupe(self, labeler):
        height, width = labeler.view.canvas_size
        for x, y in ((50, 40), (60, 45), (70, 50), (80, 55)):
            labeler.session.click((x, y))
        for x, y in ((46, 36), (84, 58), (60, 36), (65, 48), (3, 3), (125, 93), (3, 93), (125, 3), (64, 90), (100, 70)):
            (left, top, right, bottom), seen = self.words(labeler, x, y)
            assert 0 <= left < right <= width
            assert 0 <= top < bottom <= height
            points = seen.points
            assert not ((points > (left, top)) & (points < (right, bottom))).all(axis=1).any()
            at, side = np.array(seen.loupe_box[:2]), seen.loupe_box[2]
            assert (np.array((right, bottom)) < at).any() or (np.array((left, top)) > at + side).any()
        assert self.words(labeler, 46, 36)[0][2] < (46 + 0.5) * ZOOM  # left of the pointer, as the animal is right
        assert self.words(labeler, 84, 58)[0][0] > (84 + 0.5) * ZOOM

    def test_long_words_are_whole_in_a_small_picture(self, labeler):
        point_at(labeler, 64, 50)
        seen = scene(labeler.session, labeler.view, NO_EDGES, None, 0)
        seen = replace(seen, letters=29, names=("the tip of the left hind paw", *seen.names[1:]))
        (said,) = pointer_words(seen)
        wide = 0.6 * said.size * len(said.text)
        left = said.place[0] - (0 if said.align == "left" else wide)
        assert 0 <= left <= seen.size[1] - wide

    def test_nothing_is_said_and_magnified_while_the_picture_is_moved(self, labeler):
        labeler.view.zoom(2)
        point_at(labeler, 60, 60, "down", buttons=1)
        point_at(labeler, 60, 61, "move", buttons=1)
        point_at(labeler, 60, 70, "move", buttons=1)
        assert self.texts(labeler) == []
        assert scene(labeler.session, labeler.view, NO_EDGES).loupe is None
        point_at(labeler, 60, 70, "up")
        assert self.texts(labeler) == [("place snout", False)]

    def test_the_loupe_is_in_the_opposite_corner(self, labeler):
        height, width = labeler.view.canvas_size
        for x, y in ((20, 20), (110, 20), (20, 80), (110, 80)):
            point_at(labeler, x, y)
            left, top, side = scene(labeler.session, labeler.view, NO_EDGES).loupe_box
            assert (left < width / 2, top < height / 2) == (x > 64, y > 48)
            assert left + side <= width
            assert top + side <= height

    def test_the_loupe_covers_no_point_nor_the_animal(self):
        none, size = np.full((3, 2), np.nan), (480, 640)
        at = np.array([100.0, 100.0])
        assert loupe_box(at, none, size)[:2] == (466, 306)
        over_one = np.array([[560.0, 400.0], [np.nan, np.nan], [500.0, 330.0]])
        assert loupe_box(at, over_one, size)[:2] == (466, 6)  # the farthest that is free
        around = np.array([[630.0, 470.0], [630.0, 10.0]])  # no point of it in the corners' middle, but all between
        assert loupe_box(at, around, size)[:2] == (6, 306)
        everywhere = np.array([[x, y] for x in (50.0, 550.0) for y in (50.0, 400.0)])
        left, top, side = loupe_box(at, everywhere, size)
        assert not ((at >= (left, top)) & (at <= (left + side, top + side))).all()

    def test_the_loupe_is_smaller_on_a_low_canvas(self):
        none = np.full((1, 2), np.nan)
        assert loupe_box(np.zeros(2), none, (480, 640))[2] == 168
        assert loupe_box(np.zeros(2), none, (300, 640))[2] == 105
        assert loupe_box(np.zeros(2), none, (120, 640))[2] == 96

    def test_neighbours_in_the_list_have_other_shapes(self, labeler):
        for x in (10, 40, 70, 100):
            labeler.session.click((x, 50))
        things = label_things(scene(labeler.session, labeler.view, NO_EDGES), labeler.colors)
        corners = [np.shape(t.corners)[1] for t in things if isinstance(t, Polygons) and np.isfinite(t.corners).all()]
        assert sorted(set(corners)) == [3, 4]
        assert len([t for t in things if isinstance(t, Circles) and np.isfinite(t.centers).all()]) >= 2
        assert len(BODYPARTS) == 4

    def test_the_plain_wheel_zooms_only_what_is_zoomed_already(self, labeler):
        guard = labeler.input.guard
        assert not guard.plain_wheel
        message(labeler, type="wheel", surface=0, x=100.0, y=100.0, dy=-300.0)
        assert guard.plain_wheel
        labeler.view.reset_view()
        assert not guard.plain_wheel


class TestFinePixels:
    def test_the_canvas_has_the_screens_pixels_and_places_stay_as_they_are(self, labeler):
        before = labeler.snapshot()
        labeler.input.guard.ratios = [2.0, 2.0]
        message(labeler, type="resized")
        assert labeler.wait(60)
        assert (labeler.canvas.width, labeler.canvas.height) == (2 * 128 * ZOOM, 2 * 96 * ZOOM)
        assert labeler.input.guard.widths == [128 * ZOOM] * 2
        point_at(labeler, 30.3, 40.7, "down")
        point_at(labeler, 30.3, 40.7, "up")
        np.testing.assert_allclose(labeler.session.points()[0], (30.3, 40.7))
        assert labeler.snapshot().size == before.size

    def test_a_frame_is_sent_as_fine_as_it_is_and_no_finer(self, labeler, monkeypatch):
        answered(labeler.input.guard, monkeypatch)
        message(labeler, type="resized")
        assert shown(labeler).shape[:2] == labeler.view.canvas_size  # the frame has fewer pixels than the canvas
        labeler.view.zoom(8)
        assert shown(labeler).shape[0] == 2 * labeler.view.canvas_size[0]  # its pixels are seen as squares

    def test_by_a_slow_way_no_more_is_sent(self, labeler, monkeypatch):
        monkeypatch.setattr(labeler.input, "quick_seconds", 0.0)
        answered(labeler.input.guard, monkeypatch)
        message(labeler, type="resized")
        for _ in range(3):
            labeler.view.zoom(4)
            last = shown(labeler).shape[0]
        assert last == labeler.view.canvas_size[0]


class TestAhead:
    """Pictures of the frames around the present one are made before they are asked for."""

    @pytest.fixture
    def made(self, labeler, monkeypatch):
        """The threads that have made pictures, since all were made that are wanted; a small one counts as large."""
        labeler.wait(60)
        monkeypatch.setattr("dlcnb.widgets.labeler.screen.LARGE", 0)
        labeler.canvas.forget()
        labeler.redraw()
        labeler.wait(60)
        labeler.images._worker.wait(60)
        threads = []

        def noted(image, look):
            threads.append(threading.current_thread())
            return rendered(image, look)

        monkeypatch.setattr("dlcnb.widgets.labeler.screen.rendered", noted)
        return threads

    def test_the_next_frame_is_there_at_once(self, labeler, made):
        labeler.images.close()  # of what is only read, nothing is left, and nothing more is made ahead
        before = shown(labeler)
        message(labeler, type="key", key="d")
        after = shown(labeler)
        assert not made
        assert not np.array_equal(before, after)

    def test_a_frame_is_never_shown_in_the_tones_of_before(self, labeler, made):
        before = shown(labeler)
        labeler.view.brightness = 0.5
        message(labeler, type="key", key="d")
        bright = shown(labeler)
        assert made
        labeler.view.brightness = 0.0
        assert bright.mean() > shown(labeler).mean() + 50
        message(labeler, type="key", key="a")
        np.testing.assert_array_equal(shown(labeler), before)


def test_escape_closes_what_is_open_first_and_then_leaves_the_picture(labeler, monkeypatch):
    sent = []
    monkeypatch.setattr(labeler.input.guard, "send", sent.append)
    for key in ("c", "Escape"):
        message(labeler, type="key", key=key, repeat=False)
    assert {"type": "blur"} not in sent
    message(labeler, type="key", key="Escape", repeat=False)
    assert {"type": "blur"} in sent
