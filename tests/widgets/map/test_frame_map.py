"""FrameMap: frames cropped around a bodypart on a map, without a browser."""

import numpy as np
import pytest
from traitlets import TraitError

from dlcnb import FrameMap, sampledata
from dlcnb.poses import Poses
from dlcnb.widgets.map.frame_map import MARGIN, SIDE

FRAMES = 40


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    arena = sampledata.Arena(seed=0, n_frames=FRAMES, size=(120, 160))
    project = sampledata.synthetic_project(tmp_path_factory.mktemp("map"), n_label=4, arena=arena)
    points = sampledata.arena_poses(arena)
    likelihood = np.full(points.shape[:2], 0.95)
    likelihood[5, 0] = 0.1
    return project, Poses(project.bodyparts, "DLC_test", points, likelihood)


@pytest.fixture
def view(made):
    project, poses = made
    shown = FrameMap(project, poses=poses)
    yield shown
    shown.close()


@pytest.fixture
def mapped(view):
    view.make()
    assert view.wait()
    return view


def test_before_the_map_is_made_nothing_is_shown(view):
    assert view.wait(10)
    assert "Make the map" in view.note.value
    assert view.canvas.layout.display == "none"  # no empty box in its place
    assert len(np.unique(np.asarray(view.snapshot())[:400, :400])) > 3  # a still picture says so on the map
    view.click(260, 260)
    assert view.player.state.frame == 0


def test_the_map_is_seen_once_it_is_made(mapped):
    assert mapped.canvas.layout.display is None


def test_frames_without_the_bodypart_are_not_on_the_map(mapped):
    assert mapped.state.frames.tolist() == [n for n in range(FRAMES) if n != 5]
    assert mapped.state.marks[:, 0].min() == 0
    assert mapped.state.marks[:, 0].max() == 1
    assert mapped.state.images.shape == (FRAMES - 1, 64, 64, 3)


def test_why_there_are_fewer_frames_than_wanted_is_said(mapped):
    assert f"{FRAMES - 1} of 300 frames around" in mapped.note.value
    part = mapped.state.bodypart
    assert f"(the video has only {FRAMES}; in 1 {part} is below the pcutoff of 0.6)" in mapped.note.value
    mapped.count.value = 4
    mapped.kind.value = "postures"
    assert mapped.wait()
    assert mapped.note.value.split(">")[1].startswith("4 postures, from early")


def test_a_click_shows_the_frame(mapped):
    state = mapped.state
    for place in (0, 12, 30):
        mapped.click(*(MARGIN + state.marks[place, 0] * (SIDE - 2 * MARGIN)))
        assert mapped.player.state.frame == state.frames[place]


def test_a_click_into_the_void_leaves_the_frame(mapped):
    mapped.player.state.go(7)
    corners = [np.array(corner, float) for corner in ((0, 0), (0, 1), (1, 0), (1, 1))]
    away = [np.linalg.norm(mapped.state.marks[:, 0] - corner, axis=1).min() for corner in corners]
    mapped.click(*(MARGIN + corners[int(np.argmax(away))] * (SIDE - 2 * MARGIN)))
    assert (mapped.player.state.frame == 7) == (max(away) > 0.06)


def test_images_on_the_map_do_not_overlap(mapped):
    shown = mapped.state.shown(0.1)
    places = mapped.state.marks[:, 0][shown]
    apart = np.abs(places[:, None] - places[None]).max(axis=-1)
    np.fill_diagonal(apart, 1)
    assert len(shown) > 3
    assert apart.min() >= 0.1


def test_the_ring_is_at_the_frame_nearest_in_time(mapped):
    assert mapped.state.frames[mapped.state.place(5)] in (4, 6)
    mapped.player.state.go(5)
    assert mapped.wait()
    assert "nearest in time to 5" in mapped.note.value


def test_another_bodypart_makes_another_map(mapped):
    before = mapped.state.marks[:, 0]
    mapped.bodypart.value = "tailbase"
    mapped.make()
    assert mapped.wait()
    assert len(mapped.state.frames) == FRAMES
    assert mapped.state.marks[:, 0] is not before
    assert "tailbase" in mapped.note.value


def test_a_bodypart_that_is_nowhere_is_said(made):
    project, poses = made
    view = FrameMap(project, poses=Poses(poses.bodyparts, "DLC_test", poses.points, np.zeros(poses.likelihood.shape)))
    view.make()
    assert view.wait()
    assert "at least 4 images" in view.status_line.value
    assert not view.button.disabled
    view.close()


def test_stop_ends_the_reading_and_keeps_the_last_map(mapped):
    before = mapped.state.marks
    mapped.progress.observe(lambda _: mapped.stop_button.click(), "value")
    mapped.button.click()
    assert mapped.wait()
    assert "The map was stopped" in mapped.status_line.value
    assert mapped.state.marks is before
    assert not mapped.button.disabled
    assert mapped.stop_button.layout.display == "none"


@pytest.mark.parametrize("kind", ["postures", "centred"])
def test_a_click_on_a_posture_shows_its_frame(view, kind):
    view.kind.value = kind  # no frame has to be read: it is drawn at once
    assert view.wait()
    state, poses = view.state, view.state.poses
    assert state.marks.shape == (len(state.frames), len(poses.bodyparts), 2)
    assert len(state.frames) == (FRAMES - 1 if kind == "centred" else FRAMES)
    assert view.size.layout.display == "none"
    for place in (3, 20):
        view.click(*(MARGIN + state.marks[place, 1] * (SIDE - 2 * MARGIN)))
        assert view.player.state.frame == state.frames[place]


def test_postures_keep_their_shape(view):
    view.kind.value = "postures"
    assert view.wait()
    points, marks = view.state.poses.points[view.state.frames], view.state.marks
    scale = np.linalg.norm(points[:, 1] - points[:, 2], axis=1) / np.linalg.norm(marks[:, 1] - marks[:, 2], axis=1)
    np.testing.assert_allclose(scale, scale[0])
    assert np.nanmin(marks) >= 0
    assert np.nanmax(marks) <= 1


def test_the_present_posture_is_marked(view):
    view.kind.value = "postures"
    view.player.state.go(12)
    assert view.wait()
    assert "magenta: frame 12" in view.note.value
    before = np.asarray(view.snapshot())
    view.player.state.go(30)
    assert view.wait()
    assert (np.asarray(view.snapshot())[:SIDE, :SIDE] != before[:SIDE, :SIDE]).any()


def test_postures_of_a_bodypart_that_is_nowhere_are_refused(made):
    project, poses = made
    view = FrameMap(project, poses=Poses(poses.bodyparts, "DLC_test", poses.points, np.zeros(poses.likelihood.shape)))
    view.kind.value = "centred"
    assert view.wait()
    assert "likelihood of 0.6 or more" in view.status_line.value
    view.close()


def test_wrong_settings_are_refused(view):
    with pytest.raises(TraitError, match="did you mean 'snout'"):
        view.state.bodypart = "snaut"
    with pytest.raises(TraitError, match="at least 4"):
        view.state.count = 1


def test_the_present_frame_goes_to_the_queue(made):
    class Queue(list):
        add = list.append

    project, poses = made
    view = FrameMap(project, poses=poses, queue=(queue := Queue([None])))
    view.player.state.go(9)
    view.to_queue()
    assert queue[-1] == 9
    assert "frames to correct, in the step Refine" in view.said
    assert view.send.description == "Add to Refine"
    view.close()


def test_its_picture_shows_map_and_frame(mapped):
    picture = np.asarray(mapped.snapshot())
    assert picture.shape[1] > SIDE
    assert len(np.unique(picture[:SIDE, :SIDE].reshape(-1, 3), axis=0)) > 100
