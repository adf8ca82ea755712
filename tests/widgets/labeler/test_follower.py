"""Labels that follow, in the labeler; no browser."""

import re

import cv2
import numpy as np
import pytest
from support.widgets import painted

from dlcnb import frames
from dlcnb.project import Project
from dlcnb.video import VideoWriter
from dlcnb.widgets import Labeler

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
    assert "No extracted frame follows" in status(labeler)
    session.go_to(session.images[-2])
    place(labeler, START)
    key(labeler, "j")
    assert "labeled already" in status(labeler)
    session.go_to(session.images[0])
    place(labeler, START)
    project.videos[0].unlink()
    project.videos[0].write_bytes(b"no video any more")
    follow(labeler)
    assert "m1.mp4" in status(labeler)
    assert labeler.controls.buttons["follow"].description.startswith("Follow")
