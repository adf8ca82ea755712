"""Labels that follow, in the labeler; no browser."""

import re

import cv2
import numpy as np
import pytest
from support.widgets import painted

from dlcnb import frames
from dlcnb.labels import LabelError, LabelStore
from dlcnb.project import Project
from dlcnb.video import VideoWriter
from dlcnb.widgets import Labeler, SchemaEditor

SIZE, COUNT, PARTS = (96, 128), 13, ("snout", "tail")
START, STEP = np.array([[40.0, 40.0], [60.0, 50.0]]), np.array([2.0, 1.0])  # px, and px a frame


@pytest.fixture(scope="module")
def original(tmp_path_factory):
    """A spotted picture that moves by (2, 1) px a frame; every third frame is extracted."""
    parent = tmp_path_factory.mktemp("moving")
    coarse = np.random.default_rng(5).integers(20, 235, (50, 66), np.uint8)
    spots = cv2.resize(coarse, (264, 200), interpolation=cv2.INTER_CUBIC)
    with VideoWriter(parent / "m1.mp4", SIZE, 30, crf=8) as writer:
        for t in range(COUNT):
            writer.write(np.repeat(spots[40 - t : 136 - t, 60 - 2 * t : 188 - 2 * t, None], 3, axis=2))
    project = Project.create("follow", "ada", [parent / "m1.mp4"], PARTS, parent=parent)
    frames.extract(project, "m1", range(0, COUNT, 3))
    return project.root


@pytest.fixture
def labeler(project):
    yield from painted(Labeler(project))


def key(labeler, *names):
    for name in names:
        labeler.input.guard._handle_custom_msg({"type": "key", "key": name, "repeat": False}, [])


def place(labeler, points):
    for point in points:
        labeler.session.click(tuple(point))


def status(labeler):
    return re.sub("<.*?>", "", labeler.status_line.value)


def follow(labeler):
    key(labeler, "j")
    assert labeler.follower.wait(60)


def test_a_key_carries_the_labels_to_the_frames_ahead_and_a_key_accepts_them(labeler):
    session = labeler.session
    place(labeler, START)
    follow(labeler)
    assert "4 frames have hollow points" in status(labeler)
    for row, image in enumerate(session.images[1:], 1):
        np.testing.assert_allclose(session.suggested(image)[0], START + 3 * row * STEP, atol=0.5)
    assert session.counts()["done"] == 1  # none is a label yet
    key(labeler, "f", "Shift+Enter")
    assert session.state(session.images[1]) == "done"
    assert session.store().origin(session.images[1], "snout") == "followed"
    np.testing.assert_allclose(session.points(session.images[1]), START + 3 * STEP, atol=0.5)


def test_from_a_frame_without_points_the_one_labeled_before_is_followed_up_to_the_next_labeled_one(labeler):
    session = labeler.session
    place(labeler, START)
    session.go_to(session.images[3])
    place(labeler, START + 9 * STEP)
    session.go_to(session.images[2])
    follow(labeler)
    for row in (1, 2):
        points, confidence = session.suggested(session.images[row])
        np.testing.assert_allclose(points, START + 3 * row * STEP, atol=0.5)
        assert confidence.min() > 0.9
    assert np.isnan(session.suggested(session.images[4])[0]).all()


def test_a_network_replaces_what_it_speaks_of_and_leaves_what_was_followed_elsewhere(labeler):
    session = labeler.session
    place(labeler, START)
    follow(labeler)
    session.set_suggestions("snapshot-9", {session.images[1]: np.ones((2, 3))})
    assert session.snapshot == "snapshot-9"
    np.testing.assert_array_equal(session.suggested(session.images[1])[0], np.ones((2, 2)))
    assert np.isfinite(session.suggested(session.images[2])[0]).all()


def test_where_nothing_can_be_followed_that_is_said(labeler, project):
    session = labeler.session
    key(labeler, "j")
    assert "no labeled frame to follow from" in status(labeler)
    session.go_to(session.images[-1])
    place(labeler, START)
    key(labeler, "j")
    assert "No extracted frame lies within" in status(labeler)
    session.go_to(session.images[-2])
    place(labeler, START)
    key(labeler, "j")
    assert "labeled already" in status(labeler)
    session.go_to(session.images[0])
    place(labeler, START)
    video = project.videos[0]  # the other tests have it too
    kept = video.rename(video.with_suffix(".kept"))
    video.write_bytes(b"no video any more")
    follow(labeler)
    kept.replace(video)
    assert "m1.mp4" in status(labeler)
    assert labeler.controls.buttons["follow"].description.startswith("Follow")


@pytest.mark.parametrize("whose", ["another tab", "the same kernel"])
@pytest.mark.parametrize("change", ["rename", "reorder", "remove"])
def test_bodyparts_changed_while_points_are_followed_lose_and_mix_up_nothing(labeler, project, change, whose):
    session, (snout, tail) = labeler.session, START.tolist()
    place(labeler, START)
    editor = SchemaEditor(session.project if whose == "the same kernel" else Project.open(project.root))
    first = editor.state.parts[0].key
    {"rename": lambda: editor.state.rename(first, "nose"), "reorder": lambda: editor.state.move(first, 1),
     "remove": lambda: editor.state.remove(first)}[change]()  # fmt: skip
    with session.lock:  # so that what was followed is shown afterwards
        key(labeler, "j")
        editor.apply()
        assert labeler.follower.busy
    assert labeler.follower.wait(60)
    told = "changed meanwhile; open the project again (in Studio: the arrows on top). What was labeled until then is"
    assert told in status(labeler)
    assert not session.suggestions
    session.go_to(session.images[1])
    with pytest.raises(LabelError, match="changed meanwhile"):
        place(labeler, START[:1])
    labeler.close()
    store = LabelStore(Project.open(project.root), "m1")
    expected = {"rename": [("nose", snout), ("tail", tail)], "reorder": [("tail", tail), ("snout", snout)]}
    found = list(zip(store.bodyparts, store.point(store.images[0]).tolist(), strict=True))
    assert found == expected.get(change, [("tail", tail)])
    assert all(np.isnan(store.point(image)).all() for image in store.images[1:])
    editor.close()


OFF = np.array([5.0, -4.0])  # px by which a person corrects what was followed


def offered(labeler, row):
    session = labeler.session
    return session.suggested(session.images[row])[0]


def drag(labeler, bodypart, by):
    session = labeler.session
    session.choose(bodypart)
    session.nudge(*by)


@pytest.fixture
def corrected(labeler):
    """The second frame's snout was moved, its tail accepted, and one went on to the third."""
    place(labeler, START)
    follow(labeler)
    key(labeler, "f")
    drag(labeler, "snout", OFF)
    key(labeler, "Shift+Enter", "d")
    assert labeler.follower.wait(60)
    return labeler


def test_a_correction_is_followed_to_the_frames_after_it_when_one_goes_on(corrected):
    for row in (2, 3, 4):
        right = START + 3 * row * STEP
        np.testing.assert_allclose(offered(corrected, row), [right[0] + OFF, right[1]], atol=0.6)
    assert "3 frames have hollow points that follow the corrected ones" in status(corrected)
    assert corrected.session.counts() == {"new": 3, "in work": 0, "done": 2}  # none is a label


def test_what_was_accepted_unchanged_is_not_followed_again(labeler):
    place(labeler, START)
    follow(labeler)
    before = labeler.session.suggestions
    key(labeler, "f", "Shift+Enter", "d")
    assert not labeler.follower.busy
    assert labeler.session.suggestions is before


def test_a_correction_spares_frames_that_were_touched_and_those_of_a_network(labeler):
    session = labeler.session
    place(labeler, START)
    follow(labeler)
    session.set_suggestions("snapshot-9", {session.images[4]: np.ones((2, 3))})
    session.go_to(session.images[2])
    session.choose("tail")
    session.hide()
    session.go_to(session.images[0])
    assert labeler.follower.wait(60)
    assert np.isnan(offered(labeler, 3)[1]).all()
    before = [offered(labeler, row) for row in (2, 4)]
    session.go_to(session.images[1])
    drag(labeler, "snout", OFF)
    key(labeler, "Shift+Enter", "d")
    assert labeler.follower.wait(60)
    np.testing.assert_array_equal([offered(labeler, row) for row in (2, 4)], before)
    np.testing.assert_allclose(offered(labeler, 3)[0], START[0] + 9 * STEP + OFF, atol=0.6)
    assert np.isnan(offered(labeler, 3)[1]).all()  # still not visible before it


def test_what_is_open_in_a_corrected_frame_stays_and_what_is_not_visible_goes(labeler):
    session = labeler.session
    place(labeler, START)
    follow(labeler)
    tails = [offered(labeler, row)[1] for row in (2, 3, 4)]
    key(labeler, "f")
    drag(labeler, "snout", OFF)
    key(labeler, "d")  # its tail stays hollow
    assert labeler.follower.wait(60)
    np.testing.assert_array_equal([offered(labeler, row)[1] for row in (2, 3, 4)], tails)
    np.testing.assert_allclose(offered(labeler, 2)[0], START[0] + 6 * STEP + OFF, atol=0.6)
    key(labeler, "a")
    session.choose("tail")
    session.hide()
    session.step(1)
    assert labeler.follower.wait(60)
    assert np.isnan([offered(labeler, row)[1] for row in (2, 3, 4)]).all()
    np.testing.assert_allclose(offered(labeler, 4)[0], START[0] + 12 * STEP + OFF, atol=0.6)


def test_undoing_a_correction_brings_back_what_was_followed_without_it(labeler):
    session = labeler.session
    place(labeler, START)
    follow(labeler)
    before = [offered(labeler, row) for row in (1, 2, 3, 4)]
    depth = session.history.depth
    key(labeler, "f")
    drag(labeler, "snout", OFF)
    key(labeler, "d")
    assert labeler.follower.wait(60)
    assert session.history.depth == (depth[0] + 1, 0)  # hollow points are no step of the history
    session.undo()
    assert session.cursor.image == session.images[1]
    session.step(1)
    assert labeler.follower.wait(60)
    np.testing.assert_array_equal([offered(labeler, row) for row in (1, 2, 3, 4)], before)


def test_the_labeled_frame_too_may_be_corrected(labeler):
    session = labeler.session
    place(labeler, START)
    follow(labeler)
    drag(labeler, "tail", OFF)
    key(labeler, "f")
    assert labeler.follower.wait(60)
    np.testing.assert_allclose(offered(labeler, 4), START + 12 * STEP + [[0, 0], OFF], atol=0.6)
    session.go_to(session.images[0])
    session.undo()
    session.step(1)
    assert labeler.follower.wait(60)
    np.testing.assert_allclose(offered(labeler, 4), START + 12 * STEP, atol=0.6)


def test_several_corrections_in_a_row_are_all_followed(labeler):
    session = labeler.session
    place(labeler, START)
    follow(labeler)
    for row, by in ((1, OFF), (3, -OFF)):
        session.go_to(session.images[row])
        drag(labeler, "snout", by)
    session.go_to(session.images[4])
    assert labeler.follower.wait(60)
    np.testing.assert_allclose(offered(labeler, 4)[0], session.points(session.images[3])[0] + 3 * STEP, atol=0.6)
    first, last = (session.points(session.images[row])[0] for row in (1, 3))
    between = offered(labeler, 2)[0]  # the two contradict each other: that of one end
    assert np.linalg.norm(between - [first + 3 * STEP, last - 3 * STEP], axis=1).min() < 0.6


def test_the_button_stops_what_follows_a_correction(labeler):
    session = labeler.session
    place(labeler, START)
    follow(labeler)
    before = [offered(labeler, row) for row in (2, 3, 4)]
    session.go_to(session.images[1])
    drag(labeler, "snout", OFF)
    with session.lock:  # nothing can be offered meanwhile
        session.step(1)
        assert labeler.follower.busy
        assert labeler.controls.buttons["follow"].description == "Stop following"
        labeler.controls.buttons["follow"].click()
    assert labeler.follower.wait(60)
    assert not labeler.follower.busy
    np.testing.assert_array_equal([offered(labeler, row) for row in (2, 3, 4)], before)
    assert "stopped" in status(labeler)
    assert labeler.controls.buttons["follow"].description.startswith("Follow")
