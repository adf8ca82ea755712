"""A list of things to draw: what Pillow makes of it, and what leaves for the page (see also tests/ui/test_paint)."""

import re

import numpy as np
import pytest
from PIL import Image

from dlcnb.widgets.base.canvas import FrameCanvas, batch
from dlcnb.widgets.base.paint import Circles, Lines, Picture, Polygons, Rectangles, Text, on_picture, outlined

RED, GREEN, NAN = (255, 0, 0), (0, 255, 0), np.nan


def drawn(*things, size=(40, 30)):
    """uint8 (height, width, 3) of things on black."""
    return np.asarray(on_picture(Image.new("RGB", size), things))


def middle(picture):
    """The centre (x, y) of what is red, from the corner of the picture."""
    weight = picture[..., 0].astype(float)
    rows, columns = np.indices(weight.shape) + 0.5
    return (columns * weight).sum() / weight.sum(), (rows * weight).sum() / weight.sum()


class TestStill:
    @pytest.mark.parametrize("center", [(20.0, 15.0), (20.25, 14.5), (20.5, 15.75)])
    def test_a_disc_is_where_it_was_asked_for_to_a_fraction_of_a_pixel(self, center):
        picture = drawn(Circles([center], 5, RED))
        assert middle(picture) == pytest.approx(center, abs=0.13)
        assert picture[..., 0].sum() / 255 == pytest.approx(np.pi * 25, rel=0.04)

    def test_polygons_are_filled_or_outlined_and_those_with_a_missing_corner_left_out(self):
        square = np.array([[10.0, 5.0], [30, 5], [30, 25], [10, 25]])
        filled = drawn(Polygons([square, square + NAN], RED))
        assert middle(filled) == pytest.approx((20, 15), abs=0.13)
        assert filled[..., 0].sum() / 255 == pytest.approx(400, rel=0.04)
        outline = drawn(Polygons([square], RED, width=2))
        assert outline[15, 20].tolist() == [0, 0, 0]
        assert outline[..., 0].sum() / 255 == pytest.approx(160, rel=0.08)

    def test_a_picture_may_take_another_size_than_its_own(self):
        picture = drawn(Picture(np.full((5, 5, 3), 255, np.uint8), (10, 10), size=(20, 10)))
        assert (picture[..., 0] > 127).sum() == 200

    def test_a_ring_is_hollow_and_as_wide_as_asked_for(self):
        picture = drawn(Circles([(20, 15)], 8, RED, width=2))
        assert picture[15, 20].tolist() == [0, 0, 0]
        assert picture[..., 0].sum() / 255 == pytest.approx(np.pi * (81 - 49), rel=0.06)

    def test_lines_keep_their_width_and_place(self):
        picture = drawn(Lines([[(5, 10), (35, 10)]], RED, width=3))
        assert picture[8:13, 20, 0].tolist() == pytest.approx([128, 255, 255, 128, 0], abs=64)
        assert picture[..., 0].sum() / 255 == pytest.approx(30 * 3 + np.pi * 1.5**2, rel=0.08)

    def test_rectangles_filled_and_as_frames(self):
        picture = drawn(Rectangles([(4, 5, 10, 6)], RED))
        assert (picture[5:11, 4:14] == RED).all()
        assert picture[..., 0].sum() == 255 * 60
        frame = drawn(Rectangles([(4, 5, 10, 6)], RED, width=2))
        assert (frame[7:9, 6:12] == 0).all()
        assert (frame[4:6, 3:15] == RED).all()

    def test_what_is_not_there_is_not_drawn(self):
        nothing = [
            Circles([(NAN, 5)], 3, RED),
            Lines([[(1, 1), (NAN, 5)]], RED),
            Rectangles([(1, 1, NAN, 2)], RED),
            Circles(np.empty((0, 2)), 3, RED),
            Lines([], RED),
        ]
        assert not drawn(*nothing).any()

    def test_rows_have_their_own_colours_and_opacity_also_beside_absent_ones(self):
        picture = drawn(Circles([(8, 15), (NAN, NAN), (28, 15)], 4, [RED, RED, GREEN], alpha=[1, 1, 0.5]))
        assert picture[15, 8].tolist() == [255, 0, 0]
        assert picture[15, 28].tolist() == pytest.approx([0, 128, 0], abs=2)

    def test_what_leaves_the_picture_is_cut_off(self):
        assert drawn(Circles([(0, 0)], 5, RED))[..., 0].sum() / 255 == pytest.approx(np.pi * 25 / 4, rel=0.06)
        assert not drawn(Circles([(-50, 1e6)], 5, RED), Lines([[(-9, -9), (-5, 80)]], RED)).any()

    def test_later_things_cover_earlier_ones(self):
        picture = drawn(Circles([(20, 15)], 6, RED), Circles([(20, 15)], 3, GREEN))
        assert picture[15, 20].tolist() == [0, 255, 0]
        assert picture[15, 15].tolist() == [255, 0, 0]

    def test_a_picture_lies_pixel_by_pixel(self):
        image = np.random.default_rng(0).integers(0, 255, (10, 12, 3)).astype(np.uint8)
        assert (drawn(Picture(image, (7, 4)))[4:14, 7:19] == image).all()

    @pytest.mark.parametrize(("align", "first", "last"), [("left", 30, 90), ("right", 0, 30), ("center", 10, 50)])
    def test_text_stands_beside_its_place(self, align, first, last):
        lit = np.flatnonzero(drawn(Text("snout", (30, 15), align=align), size=(90, 30)).any(axis=(0, 2)))
        assert first <= lit.min()
        assert lit.max() < last
        assert len(lit) > 15

    def test_text_has_a_dark_edge_on_a_light_ground(self):
        white = Image.new("RGB", (60, 30), "white")
        assert np.asarray(on_picture(white.copy(), [Text("paw", (5, 15))])).min() == 255
        assert np.asarray(on_picture(white.copy(), [Text("paw", (5, 15), outline=1.5)])).min() < 80

    def test_an_edge_is_seen_on_both_sides(self):
        dark, light = outlined(Lines([[(5, 15), (35, 15)]], RED, width=2), GREEN, margin=2)
        assert (dark.width, light.width) == (6, 2)
        assert drawn(dark, light)[[12, 15, 17], 20].tolist() == [[0, 255, 0], [255, 0, 0], [0, 255, 0]]
        disc, _ = outlined(Circles([(9, 9)], [4.0], RED), margin=1.5)
        assert disc.radius.tolist() == [5.5]


class TestPage:
    @pytest.fixture
    def canvas(self):
        made = FrameCanvas((30, 40))
        yield made
        made.close()

    @pytest.fixture
    def sent(self, canvas, monkeypatch):
        messages = []
        send = lambda commands, buffers=(): messages.append((commands, buffers))  # noqa: E731
        monkeypatch.setattr(canvas._canvas_manager, "_send_custom", send)
        return messages

    def test_any_number_of_rows_is_one_command(self, canvas, sent):
        def commands(count):
            with batch(canvas):
                canvas.paint(1, outlined(Circles(np.ones((count, 2)), 3.0, RED)))
            return len(sent.pop()[0])

        assert commands(2) == commands(500)

    def test_what_is_not_there_does_not_leave(self, canvas, sent):
        with batch(canvas):
            canvas.paint(1, [Circles([(NAN, 1), (4, 5)], 3.0, RED)])
        assert len(sent) == 1
        assert np.frombuffer(sent[0][1][0], np.float64).tolist() == [4.0]

    def test_a_canvas_that_became_larger_shows_a_frame_pixel_by_pixel(self, canvas, sent):
        canvas.width, canvas.height = 60, 50
        with batch(canvas):
            canvas.draw_frame(np.zeros((50, 60, 3), np.uint8))
        numbers = re.sub(r"IPY_MODEL_\w+", "", str(sent[-1][0]))
        assert "40" not in numbers  # not the width that it was made with

    def test_pictures_of_a_layer_are_sent_in_the_same_widgets_again(self, canvas, sent):
        image = np.zeros((5, 5, 3), np.uint8)
        for _ in range(3 * canvas.turns):
            with batch(canvas):
                canvas.draw_frame(np.zeros((30, 40, 3), np.uint8))
                canvas.paint(1, [Picture(image), Picture(image, (9, 9))])
        assert len(canvas._images) == 3 * canvas.turns
