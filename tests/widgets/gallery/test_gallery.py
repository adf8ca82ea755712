"""The grid of pictures: its state without pixels, and its canvas without a browser."""

import threading
from contextlib import closing

import numpy as np
import pytest
from support.widgets import frames_sent, shown

from dlcnb.widgets.base.paint import Text
from dlcnb.widgets.gallery.gallery_state import Cell, GalleryState
from dlcnb.widgets.gallery.thumbnails import DARK_TONES, LIGHT_TONES, Gallery, fitted


def cells(n, **more):
    return [Cell(i, f"frame {i}", **more) for i in range(n)]


@pytest.fixture
def state():
    made = GalleryState((60, 80), columns=4, rows=2)
    made.set_cells(cells(19, checked=True))
    return made


class TestState:
    def test_pages_follow_the_focus(self, state):
        assert (state.pages, state.page, list(state.shown)) == (3, 0, list(range(8)))
        state.turn(1)
        assert (state.page, state.focus) == (1, 8)
        state.move(-1)
        assert (state.page, state.focus) == (0, 7)
        state.end()
        assert (state.page, list(state.shown)) == (2, [16, 17, 18])
        state.turn(1)
        assert state.focus == 18
        state.home()
        assert state.page == 0

    def test_rows(self, state):
        state.move_rows(1)
        assert state.focus == 4
        state.move_rows(-1)
        state.move_rows(-1)
        assert state.focus == 0

    def test_what_is_under_a_click(self, state):
        for position in state.shown:
            left, top = state.box(position)
            assert state.at(left + 1, top + 55) == (position, False)
            assert state.at(left + 78, top + 2) == (position, True)
            assert state.at(left + 5, top + 70) == (position, False)  # the caption
        assert state.at(0, 0) == (-1, False)

    def test_without_a_box_there_is_none_to_click(self, state):
        state.set_cells(cells(3))
        left, top = state.box(1)
        assert state.at(left + 78, top + 2) == (1, False)

    def test_the_focus_stays_on_its_picture(self, state):
        state.focus_on(7)
        state.set_cells(cells(19)[3:])
        assert state.focused.key == 7
        state.set_cells(cells(2))
        assert state.focused.key == 1
        state.set_cells([])
        assert (state.focus, state.focused, list(state.shown)) == (-1, None, [])
        for gesture in (state.home, state.end, lambda: state.turn(1), lambda: state.move(1)):
            gesture()
        assert state.focus == -1
        state.set_cells(cells(2))
        assert state.focus == 0

    @pytest.mark.parametrize("width", [50, 100, 300, 900])
    def test_the_columns_fit_the_width(self, state, width):
        state.fit(width)
        assert state.columns >= 1
        assert state.size[1] <= max(width, 96)
        assert 6 <= state.per_page <= 12

    def test_the_rows_fit_the_height_with_the_pager(self, state):
        tall = state.size[0]  # of two rows
        state.fit(400, 2 * tall)
        assert (state.columns, state.rows) == (4, 3)
        state.fit(400, tall)  # less than two rows and the pager
        assert state.rows == 2
        state.fit(400)
        assert state.rows == 2


@pytest.fixture
def gallery():
    opened, toggled, problems = [], [], []
    made = Gallery(
        lambda cell: None if cell.key == 1 else np.full((48, 64, 3), 10 * cell.key, np.uint8),
        opened.append, problems.append, toggled.append, size=(60, 80), columns=4, rows=2,
    )  # fmt: skip
    made.opened, made.toggled, made.problems = opened, toggled, problems
    made.set_cells(cells(10, checked=True))
    yield made
    made.close()


def message(gallery, **content):
    gallery.input.guard._handle_custom_msg(content, [])


class TestGallery:
    def test_pictures_lie_in_their_cells(self, gallery):
        picture = shown(gallery)
        assert picture.shape[:2] == gallery.state.size
        for position in (0, 2, 5, 7):
            left, top = gallery.state.box(position)
            assert abs(picture[top + 30, left + 40].astype(int) - 10 * position).max() <= 4
        left, top = gallery.state.box(1)
        assert abs(picture[top + 30, left + 40].astype(int) - LIGHT_TONES.empty).max() <= 4

    @pytest.mark.parametrize(("dark", "tones"), [(False, LIGHT_TONES), (True, DARK_TONES)])
    def test_its_ground_follows_the_theme(self, gallery, dark, tones):
        gallery.input.guard.dark = dark
        assert abs(shown(gallery)[2, 2].astype(int) - tones.ground).max() <= 4
        said = [thing for thing in gallery._things() if isinstance(thing, Text)]
        assert {thing.color for thing in said} <= {tones.text, tones.faint, tones.warn}

    def test_clicks_open_and_toggle(self, gallery):
        left, top = gallery.state.box(3)
        message(gallery, type="down", surface=0, x=left + 20, y=top + 20, button=0)
        message(gallery, type="down", surface=0, x=left + 75, y=top + 5, button=0)
        message(gallery, type="down", surface=0, x=left + 20, y=top + 20, button=2)
        message(gallery, type="down", surface=0, x=1, y=1, button=0)
        assert (gallery.opened, gallery.toggled, gallery.state.focus) == ([3], [3], 3)

    def test_keys(self, gallery):
        for key in ("ArrowRight", "ArrowDown", "Enter", " ", "PageDown", "Delete"):
            message(gallery, type="key", key=key, repeat=False)
        assert (gallery.opened, gallery.toggled) == ([5], [5, 8])

    def test_delete_never_checks(self, gallery):
        gallery.set_cells(cells(3, checked=False))
        message(gallery, type="key", key="Delete", repeat=False)
        message(gallery, type="key", key=" ", repeat=False)
        assert gallery.toggled == [0]

    def test_the_pager(self, gallery):
        assert gallery.wait()
        assert gallery.previous.disabled
        gallery.next.click()
        assert gallery.wait()
        assert "page 2 of 2" in gallery.where.value
        assert gallery.next.disabled
        gallery.set_cells(cells(3))
        assert gallery.wait()
        assert gallery.pager.layout.display == "none"

    def test_a_narrow_page_gets_fewer_columns(self, gallery):
        gallery.input.guard.room = 200
        assert gallery.state.columns == 2
        assert shown(gallery).shape[:2] == gallery.state.size == (gallery.canvas.height, gallery.canvas.width)

    def test_a_sharp_screen_gets_as_many_pixels_and_the_same_clicks(self, gallery):
        gallery.input.guard.ratios = [2.0]
        message(gallery, type="resized")
        assert gallery.wait()
        height, width = gallery.state.size
        assert (gallery.canvas.height, gallery.canvas.width) == (2 * height, 2 * width)
        assert gallery.input.guard.widths == [width]  # in which clicks are told
        gallery.input.guard.room = 200
        assert gallery.wait()
        assert gallery.input.guard.widths == [gallery.state.size[1]] == [gallery.canvas.width / 2]

    def test_a_sharp_screen_gets_sharp_pictures(self, gallery):
        height, width = gallery.state.picture
        rows = np.zeros((2 * height, 2 * width, 3), np.uint8)
        rows[::2] = 200  # finer than a px of the place
        gallery._picture = lambda cell: rows
        gallery.input.guard.ratios = [2.0]
        gallery.redraw()
        left, top = (2 * side for side in gallery.state.box(0))
        column = shown(gallery)[top : top + 2 * height, left + width, 0].astype(int)
        assert np.abs(np.diff(column)).mean() > 100

    def test_pictures_that_stay_are_not_sent_again(self, gallery, monkeypatch):
        assert gallery.wait()
        sent = frames_sent(gallery.canvas, monkeypatch)
        gallery.state.move(1)
        assert gallery.wait()
        assert not sent
        message(gallery, type="resized")  # the page has emptied the canvas
        assert gallery.wait()
        assert len(sent) == 1

    def test_a_page_that_becomes_narrow_while_it_is_painted(self, gallery):
        reading, narrow = threading.Event(), threading.Event()

        def picture(cell):
            reading.set()
            narrow.wait(0.3)  # it can't become so before all pictures are read
            return np.zeros((48, 64, 3), np.uint8)

        gallery._picture = picture
        gallery.redraw()
        assert reading.wait(30)
        gallery.input.guard.room = 200
        narrow.set()
        assert shown(gallery).shape[:2] == gallery.state.size
        assert gallery.problems == []

    def test_a_note_takes_the_lines_that_there_are(self):
        made = Gallery(lambda cell: None, print, print, size=(60, 80), lines=3)
        made.set_cells([Cell(0, "img1.png", "leftear and rightear look swapped")])
        texts = [thing.text for thing in made._things() if isinstance(thing, Text)]
        assert texts[0] == "img1.png"
        assert len(texts) == 3
        assert texts[1].startswith("leftear")
        made.close()

    def test_a_long_note_gets_the_lines_that_it_needs_where_there_may_be_more(self):
        note = "snout is not at its usual place among the others (12 × the spread)"
        with closing(Gallery(lambda cell: None, print, print, size=(60, 110), lines=3, most_lines=9)) as made:
            made.input.guard.room = 400
            made.set_cells([Cell(0, "img1.png", note), Cell(1, "img2.png", "")])
            texts = [thing.text for thing in made._things() if isinstance(thing, Text)]
            assert " ".join(texts[1:-1]) == note
            bottom = max(thing.place[1] for thing in made._things() if isinstance(thing, Text))
            assert bottom < made.state.size[0]
            made.set_cells([Cell(0, "img1.png", "short")])
            assert made.state.lines == 3

    def test_errors_are_handed_on(self, gallery):
        gallery._opened = lambda key: 1 / 0
        message(gallery, type="key", key="Enter", repeat=False)
        assert isinstance(gallery.problems[0], ZeroDivisionError)

    def test_snapshot(self, gallery):
        gallery.set_cells(cells(5, checked=True, note="looks like 3", warn=True))
        picture = gallery.snapshot()
        assert picture.size == gallery.state.size[::-1]
        left, top = gallery.state.box(0)
        caption = np.array(picture)[top + 62 : top + 95, left : left + 80]
        assert caption.max() > 200

    def test_without_cells_it_says_so(self):
        made = Gallery(lambda cell: None, print, print, empty="Nothing yet")
        assert np.array(made.snapshot()).max() > 120
        made.close()


@pytest.mark.parametrize("size", [(48, 64), (200, 30), (30, 200), (1, 1)])
def test_fitted_keeps_the_shape(size):
    image = fitted(np.full((*size, 3), 200, np.uint8), (60, 80))
    assert image.shape == (60, 80, 3)
    filled = (image == 200).all(-1)
    tall, wide = filled.any(1).sum(), filled.any(0).sum()
    assert tall == 60 or wide == 80
    assert abs(tall / wide - size[0] / size[1]) < 0.05 * size[0] / size[1] + 0.1
