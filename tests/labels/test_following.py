"""Labels that follow: a picture that moves and turns by known steps, as frames and as a video."""

import cv2
import numpy as np
import pytest

from dlcnb import frames
from dlcnb.labels import LabelError, follow, follow_both, follow_video
from dlcnb.project import Project
from dlcnb.video import VideoError, VideoWriter

SIZE, COUNT = (120, 160), 21
START = np.array([[60.0, 50.0], [90.0, 62.0], [75.0, 80.0]])


def way(t):
    """Affine (2, 3) that takes frame 0 to frame t: 3° and 1.5 px a frame."""
    matrix = cv2.getRotationMatrix2D((75, 64), -3 * t, 1)
    matrix[:, 2] += 1.5 * t, -0.5 * t
    return matrix


def truth(t):
    return np.array([way(t) @ (*point, 1) for point in START])


@pytest.fixture(scope="module")
def moving():
    """Frames of a spotted disc that turns and moves over another ground."""
    rng = np.random.default_rng(3)

    def spots(least, most):
        coarse = rng.integers(least, most, (SIZE[0] // 4, SIZE[1] // 4), np.uint8)
        return cv2.resize(coarse, SIZE[::-1], interpolation=cv2.INTER_CUBIC)

    ground, animal, mask = spots(60, 110), spots(20, 235), np.zeros(SIZE, np.uint8)
    cv2.circle(mask, (75, 64), 38, 255, -1)
    made = []
    for t in range(COUNT):
        over = cv2.warpAffine(mask, way(t), SIZE[::-1]) > 127
        grey = np.where(over, cv2.warpAffine(animal, way(t), SIZE[::-1], flags=cv2.INTER_CUBIC), ground)
        made.append(np.repeat(grey[..., None], 3, axis=2))
    return made


def errors(found):
    return np.array([np.linalg.norm(values[:, :2] - truth(t), axis=1) for t, values in enumerate(found)])


def test_points_stay_where_they_belong_while_the_animal_moves_and_turns(moving):
    found = list(follow(moving, START))
    assert errors(found).max() < 1.5  # after 60° and 30 px
    assert found[-1][:, 2].min() > 0.6
    np.testing.assert_array_equal(found[0], np.column_stack([START, np.ones(3)]))


def test_a_point_that_is_not_there_or_leaves_the_picture_is_nan(moving):
    points = START.copy()
    points[1] = np.nan
    assert all(np.isnan(values[1]).all() for values in follow(moving, points))
    shifted = [np.roll(image, -9 * t, axis=1)[:, : SIZE[1] // 2] for t, image in enumerate(moving[:9])]
    assert np.isnan(list(follow([moving[0][:, :80]] + shifted[1:], [[20.0, 60.0]]))[-1]).all()


def test_what_is_covered_loses_its_confidence(moving):
    covered = [image.copy() for image in moving]
    for t, image in enumerate(covered[10:], 10):
        x, y = truth(t)[0].astype(int)
        cv2.circle(image, (x, y), 12, (128, 128, 128), -1)
    last = list(follow(covered, START))[-1]
    assert not last[0, 2] > 0.3
    assert last[1:, 2].min() > 0.5


def test_a_damaged_frame_is_skipped_and_the_first_must_not_be(moving):
    found = list(follow([*moving[:5], None, *moving[6:]], START))
    assert np.isnan(found[5]).all()
    assert errors(found)[-1].max() < 1.5
    with pytest.raises(LabelError, match="undamaged"):
        next(follow([None, *moving], START))


def test_both_ends_meet_and_where_they_contradict_the_nearer_one_holds():
    ahead = np.tile([[10.0, 10.0, 0.8]], (5, 1, 1))
    back = ahead + (1.0, 0.0, 0.0)
    np.testing.assert_allclose(follow_both(ahead, back, 17)[:, 0, 0], [10, 10.25, 10.5, 10.75, 11], atol=1e-6)
    assert follow_both(ahead, back, 17)[2, 0, 2] > 0.9
    far = follow_both(ahead, ahead + (40, 0, 0), 17)
    np.testing.assert_allclose(far[[0, 1, 3, 4], 0, 0], [10, 10, 50, 50])
    assert far[..., 2].max() < 0.5
    one = follow_both(np.full((5, 1, 3), np.nan), back, 17)
    np.testing.assert_allclose(one[1:], back[1:])


# --- in a project ---


@pytest.fixture(scope="module")
def project(moving, tmp_path_factory):
    parent = tmp_path_factory.mktemp("followed")
    with VideoWriter(parent / "m1.mp4", SIZE, 30, crf=10) as writer:
        for image in moving:
            writer.write(image)
    made = Project.create("follow", "ada", [parent / "m1.mp4"], ("a", "b", "c"), parent=parent)
    frames.extract(made, "m1", [0, 3, 10, 20])
    return made


IMAGES = [f"labeled-data/m1/img{n:02d}.png" for n in (0, 3, 10, 20)]


def test_extracted_frames_are_reached_through_those_between(project):
    found = follow_video(project, IMAGES, START)
    assert list(found) == IMAGES[1:]
    for image, t in zip(IMAGES[1:], (3, 10, 20), strict=True):
        assert np.linalg.norm(found[image][:, :2] - truth(t), axis=1).max() < 2


def test_a_stretch_between_two_labeled_frames_is_filled_from_both(project, monkeypatch):
    monkeypatch.setattr("dlcnb.labels.following.CHUNK", 4 * SIZE[0] * SIZE[1])  # several chunks backwards
    found = follow_video(project, IMAGES, START, truth(20))
    assert list(found) == IMAGES[1:-1]
    both = np.linalg.norm(found[IMAGES[2]][:, :2] - truth(10), axis=1)
    assert both.max() < 1.5
    assert found[IMAGES[2]][:, 2].min() > 0.8


def test_crops_are_followed_in_their_own_pixels(project, tmp_path):
    made = Project.create("crops", "ada", project.videos, ("a", "b", "c"), parent=tmp_path)
    made.set_crop("m1", (20, 150, 10, 110))
    images = [IMAGES[0], IMAGES[2]]
    for path in frames.extract(made, "m1", [0, 10]):
        cv2.imwrite(str(path), cv2.imread(str(path))[10:110, 20:150])
    found = follow_video(made, images, START - (20, 10))
    assert np.linalg.norm(found[images[1]][:, :2] - truth(10) + (20, 10), axis=1).max() < 2


def test_what_can_not_be_followed_is_said(project, tmp_path):
    assert follow_video(project, IMAGES, START, stopped=lambda: True) == {}
    with pytest.raises(LabelError, match="which has 21"):
        follow_video(project, [IMAGES[0], "labeled-data/m1/img99.png"], START)
    made = Project.create("gone", "ada", project.videos, ("a",), parent=tmp_path, copy_videos=True)
    frames.extract(made, "m1", [0, 3])
    made.videos[0].unlink()
    with pytest.raises((VideoError, ValueError), match="m1"):
        follow_video(made, IMAGES[:2], START[:1])
