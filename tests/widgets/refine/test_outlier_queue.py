"""OutlierQueue: from poses to extracted frames in the labeler, without a browser."""

import json

import numpy as np
import pytest
from support.projects import copy_of
from support.widgets import painted
from traitlets import TraitError

from dlcnb import Labeler, OutlierQueue, Player, TrajectoryView, sampledata
from dlcnb.labels import LabelStore
from dlcnb.labels.journal import Edit
from dlcnb.outliers import suggestions
from dlcnb.poses import Poses
from dlcnb.project import Project
from dlcnb.widgets.gallery.label_pictures import edges_of, pose_picture
from dlcnb.widgets.refine import outlier_queue
from dlcnb.widgets.refine.outlier_queue import THUMBNAIL
from dlcnb.widgets.refine.state import OutlierState

SIZE, FRAMES = (120, 160), 60
WRONG = (12, 25, 26, 40, 52)


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    arena = sampledata.Arena(seed=0, n_frames=FRAMES, size=SIZE)
    project = sampledata.synthetic_project(tmp_path_factory.mktemp("tiny"), n_label=4, arena=arena)
    points = sampledata.arena_poses(arena)
    likelihood = np.full(points.shape[:2], 0.95)
    for frame in WRONG:
        points[frame, 0] += 40
        likelihood[frame, 0] = 0.05
    Poses(project.bodyparts, "DLC_test", points, likelihood).write(project.videos[0])
    return project


@pytest.fixture
def project(tiny, tmp_path):
    return copy_of(tiny, tmp_path)


@pytest.fixture
def queue(project):
    yield from painted(OutlierQueue(project))


def label(project, image):
    store = LabelStore(project, project.videos[0].stem)
    store.add_images()
    store.apply([Edit(image, part, (50.0, 60.0)) for part in project.bodyparts])
    store.save()


class TestState:
    @pytest.fixture
    def state(self, project):
        poses = OutlierQueue(project).state.poses
        return OutlierState(project, project.videos[0], poses)

    def test_the_count_follows_the_threshold(self, state):
        assert state.n_found == len(WRONG)
        state.threshold = 1e6
        assert state.n_found == 0
        state.threshold = -1
        assert state.n_found == np.isfinite(state.scores.worst).sum() >= FRAMES - 1

    def test_another_measure_starts_at_its_usual_threshold(self, state):
        state.set_how("uncertain")
        assert state.threshold == pytest.approx(0.1)
        assert set(state.scores.found(state.threshold)) == set(WRONG)
        assert "snout" in state.reason(WRONG[0])

    def test_a_frame_put_in_by_hand_is_named_what_is_wrong_in_it(self, state):
        points, likelihood = state.poses.points.copy(), np.full(state.poses.likelihood.shape, 0.95)
        points[30:34, 2] += (60, 30)  # and stays there: in between nothing jumps
        parts = state.poses.bodyparts
        state.set_poses(Poses(parts, "x", points, likelihood))
        state.add(32)
        assert state.scores.worst[32] < state.threshold
        assert state.reason(32).startswith(parts[2])
        assert state.reason(32).endswith(("(fit)", "(bone)"))
        assert state.reason(5) == "not found by jump"

    def test_it_begins_where_there_are_frames_to_correct_and_not_most_of_the_video(self, state):
        walk = np.random.default_rng(0).normal(0, 3, (1000, 4, 2)).cumsum(0)
        counts = [len(WRONG)]
        for size in (0.1, 1, 100):  # hardly a jump of 20 px, some, and in almost every frame
            state.set_poses(Poses(state.poses.bodyparts, "x", size * walk, np.full((1000, 4), 0.9)))
            counts.append(state.n_found)
        assert counts[1] == 20
        assert counts[3] == 200
        state.set_how("sure")
        assert state.threshold == state.scores.threshold

    def test_every_measure_has_ends_for_a_slider(self, state):
        for how in ("jump", "uncertain", "fit", "bone", "swap", "sure"):
            state.set_how(how)
            low, high = state.limits()
            assert low <= state.threshold <= high
            assert low < high

    def test_a_measure_that_can_not_be_changes_nothing(self, state):
        state.project.config["skeleton"] = []
        state.threshold = 33
        with pytest.raises(ValueError, match="skeleton"):
            state.set_how("bone")
        assert (state.how, state.threshold) == ("jump", 33)

    def test_what_is_extracted_is_not_chosen_again(self, state, project):
        labeled = set(state.images)
        state.threshold, state.count, state.choose = -1, 1000, "uniform"
        state.choose_frames()
        assert len(labeled) == 4
        assert set(state.frames) == set(np.flatnonzero(np.isfinite(state.scores.worst))) - labeled

    def test_drop_add_and_stale(self, state):
        state.choose = "uniform"
        state.choose_frames()
        assert state.kept == tuple(n for n in WRONG if n not in state.images)
        state.toggle(state.kept[0])
        assert len(state.kept) == len(state.frames) - 1
        state.add(3)
        assert 3 in state.kept
        assert not state.stale
        state.count = 2
        assert state.stale
        state.clear()
        assert state.kept == ()
        with pytest.raises(ValueError, match="press Preview"):
            state.extract()
        with pytest.raises(IndexError, match="frames 0 to 59"):
            state.add(60)
        with pytest.raises(TraitError, match="at least 1"):
            state.count = 0

    def test_a_frame_put_in_by_hand_stays_until_it_is_taken_out_or_extracted(self, state):
        state.choose, state.count = "uniform", 2
        for frame in (40, 3):
            state.add(frame)
        state.choose_frames()
        assert state.frames[:2] == (3, 40)
        assert len(state.frames) == 4
        state.toggle(3)  # taken out
        state.choose_frames()
        assert state.frames[0] == 40
        assert 3 not in state.frames
        state.extract()
        state.choose_frames()
        assert 40 not in state.frames
        state.add(5)
        state.clear()
        state.choose_frames()
        assert 5 not in state.frames


class TestQueue:
    def test_preview_keeps_and_marks_a_frame_put_in_by_hand(self, queue):
        queue.add(3)
        queue.count.value = 2
        queue.preview.click()
        assert queue.wait()
        first, *others = queue.gallery.state.cells
        assert (first.key, first.checked) == (3, True)
        assert first.note == "by hand: not found by jump"
        assert len(others) == 2
        assert not any("by hand" in cell.note for cell in others)

    def test_preview_shows_chosen_frames_with_reasons(self, queue):
        assert "<b>5</b> of 60" in queue.found.value
        queue.count.value = 3
        queue.preview.click()
        assert queue.wait()
        cells = queue.gallery.state.cells
        assert len(cells) == 3
        assert "px" in cells[0].note
        assert cells[0].checked
        assert queue.extract.description == "Extract 3"
        assert np.asarray(queue.snapshot()).std() > 10

    def test_the_pictures_show_the_animal_close_up_or_the_whole_frame(self, queue):
        queue.count.value = 1
        queue.preview.click()
        assert queue.wait()
        (cell,) = queue.gallery.state.cells
        near = queue._picture(cell)
        assert near.shape == (2 * THUMBNAIL[0], 2 * THUMBNAIL[1], 3)  # fine enough for sharp screens
        queue.close_up.value = False
        assert queue.wait()
        whole = queue._picture(cell)
        image, points = queue.reader.read(cell.key), queue.state.poses.points[cell.key]
        edges = edges_of(queue.project.skeleton, queue.state.poses.bodyparts)
        for made, close in ((near, True), (whole, False)):
            assert (made == pose_picture(image, points, near.shape[:2], edges=edges, close=close)).all()
        assert (near != whole).any()

    def test_pictures_are_of_the_poses_that_are_chosen(self, queue):
        queue.add(12)
        assert queue.wait()
        (cell,) = queue.gallery.state.cells
        before, poses = queue._picture(cell), queue.state.poses
        queue.set_poses(Poses(poses.bodyparts, "other", poses.points + 20, poses.likelihood))
        assert (queue._picture(cell) != before).any()

    def test_a_picture_that_is_drawn_while_other_poses_come_is_not_kept_for_them(self, queue, monkeypatch):
        queue.add(12)
        assert queue.wait()
        (cell,), poses = queue.gallery.state.cells, queue.state.poses
        before, fitting = queue._picture(cell), outlier_queue.fitting

        def slowly(*about):
            queue._picture(cell)  # as the painter does on its thread
            return fitting(*about)

        monkeypatch.setattr(outlier_queue, "fitting", slowly)
        queue.set_poses(Poses(poses.bodyparts, "other", poses.points + 20, poses.likelihood))
        assert (queue._picture(cell) != before).any()

    def test_the_threshold_says_what_it_is_in(self, queue):
        assert "px" in queue.unit.value
        queue.how.value = "uncertain"
        assert "likelihood" in queue.unit.value

    def test_the_slider_counts_while_it_moves(self, queue):
        queue.threshold.value = queue.threshold.max
        assert "<b>0</b> of 60" in queue.found.value
        queue.how.value = "uncertain"
        assert "<b>5</b> of 60" in queue.found.value
        assert queue.threshold.value == pytest.approx(0.1)
        assert queue.threshold.max <= 1

    def test_an_impossible_measure_is_told(self, queue):
        queue.project.config["skeleton"] = []
        queue.how.value = "bone"
        assert "skeleton" in queue.status_line.value
        assert queue.how.value == queue.state.how == "jump"

    def test_dropped_frames_are_not_extracted(self, queue, project):
        queue.choose.value = "uniform"
        queue.preview.click()
        queue.wait()
        dropped = queue.state.kept[0]
        queue.gallery.input.guard._handle_custom_msg({"type": "key", "key": " "}, [])
        assert dropped in queue.state.dropped
        queue.extract.click()
        queue.wait()
        assert dropped not in queue.state.images
        assert "extracted" in queue.status_line.value
        folder = project.labeled_dir(project.videos[0])
        assert len(list(folder.glob("img*.png"))) == len(queue.state.images)

    def test_stop_leaves_the_queue_as_it_was(self, queue):
        queue.add(3)
        queue.count.value = 2
        queue.progress.observe(lambda _: queue.stop_button.click(), "value")
        queue.preview.click()
        assert queue.wait()
        assert "The search was stopped" in queue.status_line.value
        assert queue.state.frames == (3,)
        assert not queue.preview.disabled

    def test_nothing_to_extract_is_told(self, queue):
        queue.extract.click()
        queue.wait()
        assert "press Preview" in queue.status_line.value

    def test_from_the_spike_to_the_table(self, queue, project):
        """Found in the trajectories, sent to the queue, extracted, corrected in the labeler, merged."""
        labeler, view = Labeler(project), TrajectoryView(project, queue=queue)
        queue.labeler = labeler
        frame = next(n for n in WRONG if n not in queue.state.images)
        view.go_to(frame)
        view.controls.send.click()
        assert queue.state.kept == (frame,)
        queue.extract.click()
        queue.wait()
        image = queue.state.images[frame]
        queue.gallery._opened(frame)
        assert labeler.session.cursor.image == image
        assert "drag what is wrong" in labeler.session.message
        offered, _ = labeler.session.suggested()
        np.testing.assert_allclose(offered, queue.state.poses.points[frame])
        assert suggestions(project, project.videos[0])[0] == "DLC_test"
        label(project, image)
        queue.reload.click()
        assert "1 of 1 extracted outlier frames labeled" in queue.refined.value
        queue.merge.click()
        assert Project.open(project.root).iteration == 1
        assert "1 corrected frame is merged: the next training learns from it, too" in queue.status_line.value
        assert "(iteration 1 has begun)" in queue.status_line.value
        view.close()
        labeler.close()

    def test_merging_asks_again_when_frames_are_left(self, queue, project):
        queue.preview.click()
        queue.wait()
        queue.extract.click()
        queue.wait()
        frame = next(n for n in queue.state.frames)
        label(project, queue.state.images[frame])
        queue.merge.click()
        assert "Press Merge again" in queue.status_line.value
        assert Project.open(project.root).iteration == 0
        queue.merge.click()
        assert Project.open(project.root).iteration == 1

    def test_merging_without_labels_is_told(self, queue):
        queue.merge.click()
        assert "no outlier frames were extracted" in queue.status_line.value

    def test_what_can_not_be_done_yet_says_what_is_missing(self, queue, project):
        assert queue.extract.disabled
        assert "Preview" in queue.extract.tooltip
        assert queue.merge.disabled
        assert "nothing to merge" in queue.merge.tooltip
        queue.preview.click()
        queue.wait()
        assert not queue.extract.disabled
        assert queue.extract.tooltip == "Extract the ticked frames, for labeling"
        for frame in queue.state.frames:
            queue.state.toggle(frame)
        assert "tick some" in queue.extract.tooltip
        queue.state.toggle(queue.state.frames[0])
        queue.extract.click()
        queue.wait()
        assert queue.merge.disabled
        assert "is labeled yet" in queue.merge.tooltip
        label(project, queue.state.images[queue.state.frames[0]])
        queue.refresh()
        assert not queue.merge.disabled

    def test_a_frame_that_is_labeled_in_its_labeler_can_be_merged(self, project):
        labeler = Labeler(project)
        queue = OutlierQueue(project, labeler=labeler)
        frame = next(n for n in WRONG if n not in queue.state.images)
        queue.add(frame)
        queue.extract.click()
        queue.wait()
        labeler.refresh()
        labeler.go_to(queue.state.images[frame])
        assert queue.merge.disabled
        labeler.session.finish(sure=True)
        assert labeler.wait()
        assert not queue.merge.disabled
        queue.close()
        labeler.close()

    def test_what_was_merged_leaves_the_queue(self, queue, project):
        queue.preview.click()
        queue.wait()
        first, *others = queue.state.kept
        for frame in others:
            queue.state.toggle(frame)
        queue.extract.click()
        queue.wait()
        label(project, queue.state.images[first])
        queue.refresh()
        assert first in queue.state.frames
        assert {cell.key: cell.note for cell in queue.gallery.state.cells}[first] == "corrected"
        queue.merge.click()
        assert first not in queue.state.frames
        assert list(queue.state.frames) == others

    def test_it_says_what_it_is_for_and_what_the_network_is_worth(self, queue, project):
        assert "Preview finds frames that the network got wrong" in queue.purpose.value
        assert queue.caution.layout.display == "none"
        run = project.new_run(0.8)
        folder = project.evaluation_dir(run)
        folder.mkdir(parents=True)
        verdict = {"level": "useless", "text": "useless: 80 px off on a 60 px animal"}
        (folder / "evaluation-50.json").write_text(json.dumps({"verdict": verdict}))
        seen = queue.state.poses
        queue.set_poses(Poses(seen.bodyparts, "DLC_mxnet_arenaDec1shuffle1_50", seen.points, seen.likelihood))
        assert "useless: 80 px off" in queue.caution.value
        assert queue.caution.layout.display is None

    def test_a_click_shows_the_frame_in_the_player(self, project):
        player = Player(project.videos[0])
        queue = OutlierQueue(project, player=player)
        queue.add(25)
        queue.gallery._opened(25)
        assert player.state.frame == 25
        assert "Frame 25" in queue.status_line.value
        queue.close()
        player.close()
