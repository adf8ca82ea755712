"""Label review and variability, their state and their widgets; no browser."""

import io

import numpy as np
import pytest
from PIL import Image
from support.widgets import shown

from dlcnb import frames
from dlcnb.labels import LabelError, Labels
from dlcnb.project import Project
from dlcnb.video import VideoWriter
from dlcnb.widgets import Labeler, LabelReview, VariabilityView
from dlcnb.widgets.base.paint import Text
from dlcnb.widgets.gallery.gallery_state import Cell
from dlcnb.widgets.gallery.label_pictures import LabelPictures, close_up, pose_picture
from dlcnb.widgets.review.review_state import ReviewState, VariabilityState

SIZE, PARTS = (240, 320), ("snout", "leftear", "rightear", "tail")
FRAMES = tuple(range(0, 48, 2))  # enough that one swap among them is unusual
GREY = 90


@pytest.fixture(scope="module")
def video(tmp_path_factory):
    path = tmp_path_factory.mktemp("video") / "m1.mp4"
    with VideoWriter(path, SIZE, 30) as writer:
        for _ in range(48):
            writer.write(np.full((*SIZE, 3), GREY, np.uint8))
    return path


def mouse(t):
    """Points of a mouse that walks and turns, (4, 2)."""
    body = np.array([[30.0, 0.0], [18, -9], [18, 9], [-30, 0]])
    angle = 0.3 * t
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    return body @ turn + (80 + 2 * t, 110)


@pytest.fixture
def project(tmp_path, video):
    made = Project.create("reach", "ada", [video], PARTS, parent=tmp_path, skeleton=[("snout", "tail")])
    images = [p.relative_to(made.root).as_posix() for p in frames.extract(made, "m1", FRAMES)]
    points = np.array([mouse(t) for t in FRAMES])
    points[3, [1, 2]] = points[3, [2, 1]]  # ears swapped
    points[5, 3] = (-40, 110)  # outside
    points[7, 0] = np.nan
    Labels(PARTS, "ada", images, points).write(made.labeled_dir("m1"))
    return made


def label(project, scorer, offset, which=slice(None)):
    """Labels of another scorer: the true points, all shifted."""
    mine = Labels.read(project.labeled_dir("m1"), "ada").select(which)
    points = np.array([mouse(int(image[-6:-4])) for image in mine.images]) + offset
    Labels(PARTS, scorer, mine.images, points).write(project.labeled_dir("m1"))


def numbers(rows):
    return [int(row.image[-6:-4]) // 2 for row in rows]


class TestReviewState:
    def test_the_oddest_come_first(self, project):
        state = ReviewState(project)
        assert set(numbers(state.rows())[:2]) == {3, 5}
        assert len(state.rows()) == len(FRAMES)
        state.order = "by frame"
        assert numbers(state.rows()) == list(range(24))

    def test_filters(self, project):
        state = ReviewState(project)
        state.which = "odd"
        assert set(numbers(state.rows())) == {3, 5}
        state.bodypart = "tail"
        assert numbers(state.rows()) == [5]
        state.which = "incomplete"
        assert numbers(state.rows()) == []
        state.bodypart = "snout"
        assert numbers(state.rows()) == [7]
        state.which = "all"
        assert len(state.rows()) == 23
        state.video = "m1"
        assert len(state.rows()) == 23
        assert (state.count("all"), state.count("odd"), state.count("incomplete")) == (24, 2, 1)

    def test_faults_are_mended_and_taken_back(self, project):
        state = ReviewState(project)
        swapped, outside = (state.row(f"labeled-data/m1/img{2 * n:02d}.png") for n in (3, 5))
        state.mend(swapped.image, swapped.faults[0])
        state.mend(outside.image, next(fault for fault in outside.faults if fault.kind == "outside"))
        points = dict(zip((labels := Labels.read(project.labeled_dir("m1"), "ada")).images, labels.points, strict=True))
        np.testing.assert_allclose(points[swapped.image], mouse(6))
        assert np.isnan(points[outside.image][3]).all()
        assert state.count("odd") == 0
        assert state.take_back() == outside.image
        assert state.take_back() == swapped.image
        assert state.take_back() == ""
        assert state.count("odd") == 2

    def test_a_labeler_for_the_same_scorer_mends_and_can_undo_it(self, project):
        labeler = Labeler(project)
        state = ReviewState(project, labeler=labeler)
        row = state.row("labeled-data/m1/img06.png")
        state.mend(row.image, row.faults[0])
        np.testing.assert_allclose(labeler.session.points(row.image), mouse(6))
        labeler.session.undo()
        np.testing.assert_allclose(labeler.session.points(row.image)[1], mouse(6)[2])
        labeler.close()

    def test_another_scorer(self, project):
        label(project, "ben", 1.0, slice(4))
        state = ReviewState(project, "ben")
        assert len(state.rows()) == 4
        assert list(state.scorers) == ["ada", "ben"]

    def test_nothing_labeled(self, tmp_path, video):
        made = Project.create("reach", "ada", [video], PARTS, parent=tmp_path)
        with pytest.raises(LabelError, match="no labels by 'ada'"):
            ReviewState(made)


class TestVariabilityState:
    def test_two_scorers(self, project):
        label(project, "ben", (3.0, 4.0))
        state = VariabilityState(project)
        assert (state.first, state.second) == ("ada", "ben")
        assert np.nanmedian(state.result.distances) == pytest.approx(5)
        edges, counts = state.histogram(10)
        assert counts.shape == (4, 10)
        assert counts.sum() == np.isfinite(state.result.distances).sum()
        assert edges[0] == 0

    def test_everybody(self, project):
        label(project, "ben", (3.0, 4.0))
        label(project, "cho", (-3.0, -4.0), slice(4))
        label(project, "dan", 0.0, slice(8, None))
        state = VariabilityState(project, "ben", "cho")
        mean, count = state.matrix()
        names = list(state.scorers)
        ben, cho, dan = (names.index(name) for name in ("ben", "cho", "dan"))
        assert mean[ben, cho] == mean[cho, ben] == pytest.approx(10)
        assert count[ben, cho] == 16
        assert np.isnan(mean[cho, dan])
        assert np.isnan(np.diag(mean)).all()

    def test_one_scorer_is_not_enough(self, project):
        with pytest.raises(LabelError, match="needs two scorers"):
            VariabilityState(project)

    def test_nothing_in_common_is_said(self, project):
        label(project, "ben", 1.0, slice(4))
        label(project, "cho", 1.0, slice(8, None))
        state = VariabilityState(project, "ben", "cho")
        assert state.result is None
        assert "none of the 4 frames" in state.message
        state.second = "ben"
        state.compare()
        assert "two different" in state.message


class Opens:
    """Stands where a labeler would."""

    def __init__(self):
        self.seen = []

    def go_to(self, *opened):
        self.seen.append(opened)


@pytest.fixture
def review(project):
    made = LabelReview(project, labeler=Opens())
    yield made
    made.close()


def click(gallery, position):
    left, top = gallery.state.box(position)
    message = {"type": "down", "surface": 0, "button": 0, "x": left + 50, "y": top + 50}
    gallery.input.guard._handle_custom_msg(message, [])


class TestReview:
    def test_cells_say_what_is_odd(self, review):
        notes = {cell.caption: (cell.note, cell.warn) for cell in review.gallery.state.cells}
        assert notes["img06.png"] == ("leftear and rightear look swapped", True)
        assert notes["img10.png"] == ("tail lies outside the image", True)
        assert notes["img14.png"] == ("without snout", False)
        assert "24 of 24" in review.counts.value
        assert "2 odd" in review.counts.value

    def test_a_reason_is_whole_under_its_picture(self, review):
        note = "leftear is not at its usual place among the others (123 × the spread)"
        review.gallery.set_cells([Cell("labeled-data/m1/img06.png", "img06.png", note, warn=True)])
        texts = [thing.text for thing in review.gallery._things() if isinstance(thing, Text)]
        assert " ".join(texts[1:]) == note

    def test_a_click_opens_the_frame(self, review):
        first = review.gallery.state.cells[0].key
        click(review.gallery, 0)
        assert review.labeler.seen == [(first, "tail", "tail lies outside the image")]
        assert first in review.detail.value

    def test_each_fault_has_a_button_that_mends_it(self, review, project):
        keys = [cell.key for cell in review.gallery.state.cells]
        click(review.gallery, keys.index("labeled-data/m1/img06.png"))
        (swap,) = review.fixes.children
        assert swap.description == "Swap leftear and rightear"
        swap.click()
        assert "swapped back" in review.status_line.value
        assert "1 odd" in review.counts.value
        np.testing.assert_allclose(ReviewState(project).row("labeled-data/m1/img06.png").points, mouse(6))
        review.undo.click()
        assert "2 odd" in review.counts.value
        keys = [cell.key for cell in review.gallery.state.cells]
        click(review.gallery, keys.index("labeled-data/m1/img10.png"))
        assert review.fixes.children[0].description == "Delete tail"

    def test_without_a_labeler_it_is_shown_larger(self, project):
        review = LabelReview(project)
        click(review.gallery, 1)
        picture = Image.open(io.BytesIO(review.preview.value))
        assert picture.size == (2 * 640, 2 * 480)  # for sharp screens
        assert review.preview.layout.width == "640px"
        assert review.preview.layout.display is None
        before = review.preview.value
        review.fixes.children[0].click()
        assert review.preview.value != before  # without the fault
        review.undo.click()
        assert review.preview.value == before
        review.close()

    def test_points_are_drawn(self, review):
        picture = shown(review.gallery)
        left, top = review.gallery.state.box(2)
        part = picture[top : top + 138, left : left + 184].astype(int)
        assert (np.abs(part - GREY).max(-1) > 60).sum() > 40
        review.close_up.value = False
        whole = shown(review.gallery)[top : top + 138, left : left + 184].astype(int)
        assert np.abs(whole - part).max() > 60

    def test_filters_are_linked(self, review):
        review.which.value = "odd"
        assert len(review.gallery.state.cells) == 2
        review.bodypart.value = "tail"
        assert [cell.caption for cell in review.gallery.state.cells] == ["img10.png"]
        review.which.value = "incomplete"
        assert review.gallery.state.cells == ()

    def test_labels_changed_elsewhere(self, review, project):
        labels = Labels.read(project.labeled_dir("m1"), "ada")
        labels.points[3, [1, 2]] = labels.points[3, [2, 1]]
        labels.write(project.labeled_dir("m1"))
        review.reload.click()
        assert review.state.count("odd") == 1

    def test_another_scorer_and_back(self, project):
        label(project, "ben", 1.0, slice(4))
        review = LabelReview(project)
        review.scorer.value = "ben"
        assert len(review.gallery.state.cells) == 4
        review.close()

    def test_somebody_new_labels(self, review, project):
        label(project, "ben", 1.0, slice(4))
        review.reload.click()
        assert review.scorer.options == ("ada", "ben")
        assert review.scorer.value == review.state.scorer == "ada"
        view = VariabilityView(project)
        label(project, "cho", 1.0, slice(4))
        view.reload.click()
        assert view.first.options == ("ada", "ben", "cho")
        assert (view.first.value, view.second.value) == ("ada", "ben")
        assert view.status_line.value == ""
        view.close()

    def test_a_missing_image_is_an_empty_picture(self, project):
        (project.labeled_dir("m1") / "img06.png").unlink()
        review = LabelReview(project)
        assert review.wait()
        assert review.status_line.value == ""
        with pytest.raises(LabelError, match="is missing"):
            review.pictures.read("labeled-data/m1/img06.png")
        review.close()

    def test_an_error_while_opening_is_shown(self, project):
        review = LabelReview(project, on_select=lambda image: 1 / 0)
        click(review.gallery, 0)
        assert "division by zero" in review.status_line.value
        review.close()

    def test_snapshot(self, review):
        assert review.snapshot().size == review.gallery.state.size[::-1]


class TestVariability:
    @pytest.fixture
    def view(self, project):
        label(project, "ben", (3.0, 4.0))
        label(project, "cho", 0.0, slice(6))
        made = VariabilityView(project, on_select=[].append)
        yield made
        made.close()

    def test_numbers(self, view):
        assert "ada and ben" in view.headline.value
        assert view.table.value.count("<tr>") == 6
        assert "5.00" in view.table.value
        assert len(view.gallery.state.cells) == 24
        assert "everybody against everybody" in view.matrix.value
        assert view.matrix.value.count("<tr>") == 4

    def test_another_pair(self, view):
        view.first.value = "cho"
        assert "cho and ben are 5.00 px apart" in view.headline.value
        view.second.value = "cho"
        assert "two different" in view.status_line.value
        assert view.gallery.state.cells == ()
        view.second.value = "ada"
        assert view.status_line.value == ""

    def test_both_sets_of_points_are_drawn(self, view):
        picture = shown(view.gallery)
        left, top = view.gallery.state.box(0)
        part = picture[top : top + 138, left : left + 184].astype(int)
        assert (np.abs(part - GREY).max(-1) > 60).sum() > 80

    def test_the_histogram_counts_every_point(self, view):
        assert np.sum(view.bars.y) == np.isfinite(view.state.result.distances).sum()

    def test_snapshot(self, view):
        assert view.snapshot().height > view.gallery.snapshot().height + 200


def test_the_close_up_holds_all_points_and_stays_in_the_frame():
    rng = np.random.default_rng(0)
    for _ in range(100):
        points = rng.uniform(0, (319, 239), (4, 2))
        points[rng.integers(4)] = np.nan
        x1, x2, y1, y2 = close_up(points, SIZE, 4 / 3)
        assert 0 <= x1 < x2 <= 320
        assert 0 <= y1 < y2 <= 240
        there = points[np.isfinite(points[:, 0])]
        assert (there >= (x1 - 0.5, y1 - 0.5)).all()
        assert (there <= (x2 - 0.5, y2 - 0.5)).all()
    assert close_up(np.full((4, 2), np.nan), SIZE, 1) == (0, 320, 0, 240)
    assert close_up([[-50.0, 10.0]], SIZE, 1) == (0, 320, 0, 240)


def test_pictures_are_drawn_once(project, monkeypatch):
    pictures = LabelPictures(project, (120, 160))
    points = mouse(0)
    first = pictures.picture("labeled-data/m1/img00.png", points)
    monkeypatch.setattr(pictures, "read", None)
    assert (pictures.picture("labeled-data/m1/img00.png", points) == first).all()


@pytest.mark.parametrize("size", [(1, 1), (1, 500), (4000, 3)])
def test_a_frame_of_any_shape_has_a_small_picture(size):
    points = np.array([[0, 0], [np.nan, np.nan]])
    for close in (True, False):
        assert pose_picture(np.zeros((*size, 3), np.uint8), points, (64, 96), close=close).shape == (64, 96, 3)
