"""EvaluationView on a synthetic project with made-up predictions; no browser, no training."""

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image
from support.projects import copy_of
from support.widgets import painted

from dlcnb import sampledata
from dlcnb.evaluate import Evaluation, ScoreMapWriter, maps_path
from dlcnb.labels import Labels
from dlcnb.project import Project
from dlcnb.widgets import EvaluationView
from dlcnb.widgets.base.paint import on_picture
from dlcnb.widgets.evaluation.draw import overlay, thumbnail

SIZE = (120, 160)


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    arena = sampledata.Arena(seed=0, n_frames=40, size=SIZE)
    return sampledata.synthetic_project(tmp_path_factory.mktemp("tiny"), n_label=12, arena=arena)


@pytest.fixture
def project(tiny, tmp_path):
    return copy_of(tiny, tmp_path)


def predictions(project, step=100, off=2.0):
    """An evaluation whose predictions are off by 2 px, and by 40 px for the snout of the fourth frame."""
    labels = Labels.read_project(project)
    predicted = labels.points + [off, 0.0]
    likelihood = np.full(labels.points.shape[:2], 0.95)
    predicted[3, 0] += [40, 0]
    likelihood[3, 0] = 0.2
    is_test = np.arange(len(labels)) % 3 == 0
    arrays = (labels.points, predicted, likelihood, is_test)
    return Evaluation(labels.bodyparts, labels.images, *arrays, 0.6, f"snapshot-{step}", step)


@pytest.fixture
def written(project):
    """The evaluation, written into the folder of a run, with score-maps of half its frames."""
    folder = project.evaluation_dir(project.new_run(0.66))
    evaluation = predictions(project)
    evaluation.write(folder)
    score = np.full((4, 15, 20), 1e-4)
    score[0, 5, 9] = 0.99
    with ScoreMapWriter(maps_path(folder, 100), evaluation.bodyparts) as writer:
        for image in evaluation.images[:6]:
            writer.add(image, score, (1.0, 1.0))
    return evaluation


class Recorder:
    """Stands where a labeler would be."""

    def __init__(self):
        self.opened = []

    def go_to(self, image):
        self.opened.append(image)


@pytest.fixture
def labeler():
    return Recorder()


@pytest.fixture
def view(project, written, labeler):
    yield from painted(EvaluationView(project, labeler=labeler))


class TestShown:
    def test_the_worst_frame_comes_first(self, view, written):
        cells = view.gallery.state.cells
        assert len(cells) == 12
        assert cells[0].key == view.state.image == written.images[3]
        assert cells[0].caption == "snout 42.0 px"
        assert cells[0].warn
        assert "test" in cells[0].note
        assert view.status_line.value == ""

    def test_plots_have_the_data(self, view):
        assert sum(len(dots.x) for dots in view.plots.dots.values()) == 48
        assert view.plots.curves["test"].y[-1] == pytest.approx(15 / 16, abs=0.01)
        assert view.plots.curves["sure"].y[-1] == 1
        assert len(view.plots.ring.x) == 4
        assert view.plots.ring.y.max() == pytest.approx(42)
        assert view.plots.cutoff.x.tolist() == pytest.approx([0.6, 0.6])
        assert view.plots._errors.bottom.tick_labels == {"0": "snout", "1": "leftear", "2": "rightear", "3": "tailbase"}

    def test_the_table_has_mean_interval_and_share(self, view):
        assert "<b>4.50</b>" in view.controls.table.value
        assert "within 5 px" in view.controls.table.value
        assert "94%" in view.controls.table.value

    def test_a_network_that_is_worse_than_the_one_before_is_told_below_the_verdict(self, project, view):
        later = predictions(project, 200, off=5.0)
        later.write(project.evaluation_dir(project.new_run(0.66)))
        view.show_file(view.evaluations()[0])
        assert "Worse" not in view.controls.verdict.value  # four test frames are few
        tested = np.arange(len(later.images)) % 2 == 0
        for run, found in zip(project.runs(), (predictions(project), later), strict=True):
            replace(found, is_test=tested).write(project.evaluation_dir(run))
        view.show_file(view.evaluations()[0])
        words = (
            "Worse than the network before (shuffle 1): 5.0\xa0px off beside 2.0\xa0px, on the 6 test frames of both."
        )
        assert words in view.controls.verdict.value
        view.show_file(view.evaluations()[-1])
        assert "Worse" not in view.controls.verdict.value

    def test_caption_tells_error_and_likelihood(self, view):
        assert "snout 42.0 px" in view.frame_view.caption.value
        assert "p 0.20" in view.frame_view.caption.value

    def test_picture_of_everything(self, view):
        picture = np.asarray(view.snapshot().convert("RGB"))
        assert picture.shape[1] > 1000
        assert picture.std() > 20

    def test_where_no_front_end_is_the_picture_is_shown(self, view, monkeypatch):
        monkeypatch.setenv("DLCNB_HEADLESS", "1")
        assert set(view._repr_mimebundle_()) == {"image/png", "text/plain"}


class TestGestures:
    def test_a_click_on_a_point_opens_its_frame(self, view, written):
        rows = view.plots._rows["#8c8c8c"]
        index = [tuple(r) for r in rows.tolist()].index((7, 2))
        view.plots.dots["#8c8c8c"]._handle_custom_msg({"event": "element_click", "data": {"index": index}}, [])
        assert view.state.image == written.images[7]
        assert view.gallery.state.focused.key == written.images[7]
        view.wait()
        assert "rightear 2.0 px" in view.frame_view.caption.value

    def test_a_click_in_the_gallery_and_keys(self, view, written):
        left, top = view.gallery.state.box(5)
        view.gallery.input.guard._handle_custom_msg(
            {"type": "down", "surface": 0, "x": left + 9, "y": top + 9, "button": 0}, []
        )
        assert view.state.image == view.gallery.state.cells[5].key
        view.gallery.input.guard._handle_custom_msg({"type": "key", "key": "ArrowRight"}, [])
        assert view.state.image == view.gallery.state.cells[6].key
        view.frame_view.input.guard._handle_custom_msg({"type": "key", "key": "ArrowLeft"}, [])
        assert view.state.image == view.gallery.state.cells[5].key
        assert view.controls.rank.value == "6 of 12"

    def test_fix_this_label_opens_it_in_the_labeler(self, view, labeler, written):
        view.controls.fix.click()
        assert labeler.opened == [written.images[3]]
        assert "open in the labeler" in view.status_line.value

    def test_without_a_labeler_the_button_says_what_to_do(self, project, written):
        view = EvaluationView(project)
        assert view.controls.fix.disabled
        assert "labeler=" in view.controls.fix.tooltip
        view.fix()
        assert "labeler=" in view.status_line.value
        view.close()

    def test_a_mended_label_changes_the_errors(self, view, project, written):
        folder = project.labeled_dirs()[0]
        labels = Labels.read(folder)
        labels.points[3, 0] += [42, 0]
        labels.write(folder)
        view.controls.refresh.click()
        assert view.state.findings()[0].error == pytest.approx(2)
        assert "1 frame was labeled again" in view.status_line.value
        assert view.state.image == written.images[3]  # still looked at

    def test_filters(self, view):
        view.controls.frames.value = "test"
        assert len(view.gallery.state.cells) == 4
        view.controls.bodypart.value = "tailbase"
        assert {cell.caption for cell in view.gallery.state.cells} == {"tailbase 2.0 px"}
        view.controls.epsilon.value = 1
        assert "4 of 4 are 1 px off" in view.controls.heading.value

    def test_one_wrong_point_suggests_no_cutoff(self, view):
        assert view.controls.suggested.description == "no suggestion"
        assert view.controls.suggested.disabled
        assert "it takes 5 of each kind" in view.controls.suggested.tooltip

    def test_the_suggested_cutoff_is_used_and_kept(self, view, project):
        found = predictions(project)
        found.predicted[::3, :2] += [40, 0]
        found.likelihood[::3, :2] = 0.2
        view.state.set_evaluation(found)
        view.state.pcutoff = 0.1
        assert view.controls.pcutoff.value == pytest.approx(0.1)
        assert view.controls.suggested.description.startswith("Try 0.")
        view.controls.suggested.click()
        assert 0.2 < view.state.pcutoff <= 0.95
        assert view.controls.suggested.disabled
        assert Project.open(project.root).pcutoff == 0.6
        view.state.pcutoff = 0.45
        assert view.controls.keep.description == "Keep for the project"
        view.controls.keep.click()
        assert Project.open(project.root).pcutoff == pytest.approx(view.state.pcutoff)
        assert view.controls.keep.disabled

    def test_looking_again_keeps_a_pcutoff_that_was_moved(self, view):
        view.state.pcutoff = 0.25
        view.refresh()
        assert view.state.pcutoff == 0.25

    def test_it_begins_with_the_pcutoff_of_the_project(self, project, written):
        project.config["pcutoff"] = 0.3
        view = EvaluationView(project)
        assert view.state.pcutoff == 0.3
        view.close()

    def test_wheel_and_drag_move_the_picture(self, view):
        frame, send = view.frame_view.frame, view.frame_view.input.guard._handle_custom_msg
        send({"type": "wheel", "surface": 0, "x": 100, "y": 100, "dy": -500}, [])
        assert frame.zoomed
        before = frame.fit
        send({"type": "down", "surface": 0, "x": 100, "y": 100, "button": 0}, [])
        send({"type": "move", "surface": 0, "x": 90, "y": 95}, [])
        assert (frame.fit.left, frame.fit.top) == (before.left - 10, before.top - 5)
        view.frame_view.buttons["0"].click()
        assert not frame.zoomed
        view.frame_view.buttons["z"].click()
        assert frame.zoomed

    def test_score_map(self, view, written):
        plain = np.asarray(view.frame_view.snapshot(), int)
        view.frame_view.score_map.value = "linear"
        bright = np.abs(np.asarray(view.frame_view.snapshot(), int) - plain).sum(axis=2)
        y, x = np.unravel_index(bright.argmax(), bright.shape)
        centre = view.frame_view.frame.fit.to_image([x + 0.5, y + 0.5])
        np.testing.assert_allclose(centre, [9.5 * 8 - 0.5, 5.5 * 8 - 0.5], atol=6)
        view.frame_view.input.guard._handle_custom_msg({"type": "key", "key": "m"}, [])
        assert view.frame_view.score_map.value == "log"
        view.state.show(written.images[9])
        view.frame_view.redraw()
        view.wait()
        assert "no score-map of this frame" in view.frame_view.caption.value


class TestSources:
    def test_a_project_without_evaluations(self, project):
        view = EvaluationView(project.root)
        assert "press Evaluate" in view.empty.value
        assert view.empty.layout.display is None
        assert {part.layout.display for part in view._found} == {"none"}  # no empty plots, no black picture
        assert view.gallery.state.cells == ()
        assert view.controls.chosen.label == "no evaluation yet"
        view.wait()
        assert view.snapshot().width > 400
        view.close()

    def test_an_evaluation_alone(self, project):
        view = EvaluationView(predictions(project))
        view.wait()
        assert "project=" in view.frame_view.caption.value
        assert view.controls.header.layout.display == "none"
        view.close()
        view = EvaluationView(predictions(project), project=project)
        view.wait()
        assert "project=" not in view.frame_view.caption.value
        view.close()

    def test_other_evaluations_can_be_chosen(self, project, written, view):
        folder = project.evaluation_dir(project.last_run())
        predictions(project, step=300, off=4.0).write(folder)
        view.refresh()
        assert [name for name, _ in view.controls.chosen.options] == [
            "shuffle 1, step 300: 66% of the frames to train", "shuffle 1, step 100: 66% of the frames to train",
        ]  # fmt: skip
        assert view.state.evaluation.step == 100
        view.controls.chosen.value = view.controls.chosen.options[0][1]
        assert view.state.evaluation.step == 300
        assert view.frame_view.maps is None

    def test_after_a_merge_the_verdict_of_before_is_not_shown(self, project, written, view):
        assert view.controls.verdict.value
        project.config["iteration"] = 1
        project.new_run(0.66)  # the next training has begun
        view.refresh()
        assert view.controls.chosen.label == "no evaluation yet"
        assert (view.controls.verdict.value, view.controls.table.value) == ("", "")
        assert view.empty.layout.display is None
        assert view.gallery.state.cells == ()

    def test_a_damaged_evaluation_is_told(self, project, written, view):
        path = project.evaluation_dir(project.last_run()) / "evaluation-100.json"
        path.write_text("{")
        view.refresh()
        assert "evaluate again" in view.status_line.value

    def test_a_missing_image_is_told_in_the_frame(self, project, written):
        (project.root / written.images[7]).unlink()
        view = EvaluationView(project)
        view.state.show(written.images[7])
        view.wait()
        assert "dlcnb-error" in view.frame_view.caption.value
        view.close()

    def test_evaluating_without_a_network_is_told(self, project):
        view = EvaluationView(project)
        assert view.controls.start.disabled
        assert "train one first" in view.controls.start.tooltip
        assert "press Evaluate once a network is trained" in view.empty.value
        view.evaluate()  # from Python
        assert "train one first" in view.status_line.value
        run = project.new_run(0.66)
        (run / "snapshot-10.params").touch()
        view.recheck()
        assert view.status_line.value == ""
        assert not view.controls.start.disabled
        assert view.controls.start.button_style == "primary"
        assert view.controls.start.tooltip.startswith("Predict the labeled frames")
        predictions(project).write(project.evaluation_dir(run))
        view.recheck()
        assert view.controls.start.button_style == ""  # it is done
        assert "press Evaluate." in view.empty.value
        view.close()

    def test_evaluating_before_the_first_snapshot_is_told_at_once(self, project):
        project.new_run(0.66)
        view = EvaluationView(project)
        assert view.controls.start.disabled
        assert "There is no network yet" in view.controls.start.tooltip
        view.evaluate()  # from Python
        assert "There is no network yet" in view.status_line.value
        assert not view.follower.following
        view.close()


class TestDrawing:
    def test_signs(self):
        labels, predicted = np.array([[10, 10], [50, 50], [np.nan] * 2]), np.array([[12, 10], [60, 50], [80, 80.0]])
        sure, colors = np.array([True, False, True]), np.full((3, 3), 200, np.uint8)
        drawn = overlay(labels.astype(float), predicted, sure, colors)
        picture = np.asarray(on_picture(Image.new("RGB", (100, 100)), drawn)).max(axis=2)
        assert picture[80, 80] == picture[10, 12] == 200  # discs of sure predictions
        assert picture[50, 44] == picture[44, 50] == 200  # the arms of a label
        assert min(picture[53, 63], picture[47, 63]) > 150  # and of an unlikely prediction
        assert picture[50, 55] > 150  # the line between the two
        assert picture[30, 30] == 0

    def test_a_thumbnail_holds_label_and_prediction(self):
        image = np.zeros((480, 640, 3), np.uint8)
        picture = thumbnail(image, [10, 20], [500, 300], True, (255, 0, 0), (96, 128))
        red = np.argwhere(picture[..., 0].astype(int) - picture[..., 1] > 100)
        assert np.ptp(red[:, 1]) > 120
        assert picture.shape == (2 * 96, 2 * 128, 3)  # for sharp screens
        far = thumbnail(np.full_like(image, 90), [10, 20], [90_000, -70_000], True, (255, 0, 0), (96, 128))
        assert (far.max(axis=2) > 0).mean() > 0.1  # the frame is still seen
        assert thumbnail(image, [np.nan] * 2, [np.nan] * 2, True, (255, 0, 0), (96, 128)).max() == 0
