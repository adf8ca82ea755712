"""What is drawn is found again in the pixels."""

import itertools

import cv2
import numpy as np
import pytest

from dlcnb.poses import Poses
from dlcnb.project import Skeleton
from dlcnb.render import draw_pose, label_video, palette
from dlcnb.video import VideoReader, VideoWriter

SIZE = (96, 128)
# Severe colour blindness on linear RGB: Machado, Oliveira and Fernandes, IEEE TVCG 15 (2009), table for severity 1.
EYES = {
    "normal": np.eye(3),
    "protan": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deutan": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    "tritan": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
}


pytestmark = pytest.mark.usefixtures("own_cache")


def lab(colors, eyes):
    """CIELAB (n, 3) of sRGB colours (n, 3) as these eyes see them."""
    c = np.asarray(colors) / 255
    linear = np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4) @ np.asarray(EYES[eyes]).T
    linear = linear.clip(0, 1)
    c = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    return cv2.cvtColor(c[None].astype(np.float32), cv2.COLOR_RGB2LAB)[0]


# --- palette --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("eyes", EYES)
@pytest.mark.parametrize(("n", "distance"), [(2, 80), (4, 20), (8, 16), (12, 8), (20, 3)])
def test_colours_differ_for_all_eyes(eyes, n, distance):
    colors = lab(palette(n), eyes)
    assert min(np.linalg.norm(a - b) for a, b in itertools.combinations(colors, 2)) > distance


@pytest.mark.parametrize("n", [9, 17, 40])
def test_many_colours_run_from_dark_to_light(n):
    assert (np.diff(lab(palette(n), "deutan")[:, 0]) > 0).all()


@pytest.mark.parametrize("n", [0, 1, 8, 9, 100])
def test_palette_gives_n_colours(n):
    assert palette(n).shape == (n, 3)
    assert palette(n).dtype == np.uint8


# --- draw_pose ------------------------------------------------------------------------------------------------------


def blank(value=128):
    return np.full((*SIZE, 3), value, np.uint8)


def centroid(before, after):
    weight = np.abs(after.astype(float) - before).sum(-1)
    y, x = np.indices(weight.shape)
    return np.array([(weight * x).sum(), (weight * y).sum()]) / weight.sum()


@pytest.mark.parametrize("point", [(40.0, 50.0), (40.5, 50.25), (63.9, 20.1), (70.0625, 30.9375)])
@pytest.mark.parametrize("radius", [2.0, 4.8])
def test_a_disc_is_centred_on_its_point(point, radius):
    drawn = draw_pose(blank(), [point], radius=radius, colors=[(255, 255, 255)])
    np.testing.assert_allclose(centroid(blank(), drawn), point, atol=0.12)  # drawn to 1/16 px


def test_a_disc_has_its_colour_and_stands_out_from_any_ground():
    for ground in (0, 128, 255):
        for k, color in enumerate(palette(8)):
            drawn = draw_pose(blank(ground), np.full((1, 2), 50.0), radius=6, colors=[color])
            np.testing.assert_array_equal(drawn[50, 50], color)
            contrast = np.abs(drawn[50].astype(float) - ground).max(axis=-1)
            assert contrast.max() > 80, (ground, k)


def test_the_image_given_is_not_changed_and_the_rest_is_untouched():
    image = np.random.default_rng(0).integers(0, 255, (*SIZE, 3), np.uint8)
    before = image.copy()
    drawn = draw_pose(image, [(20.0, 20.0), (90.0, 60.0)], skeleton=[[0, 1]])
    np.testing.assert_array_equal(image, before)
    np.testing.assert_array_equal(drawn[70:], image[70:])
    assert (drawn != image).any()


def test_what_is_not_there_or_unlikely_is_not_drawn():
    points = np.array([[20.0, 20.0], [np.nan, 30.0], [50.0, 50.0], [90.0, 70.0]])
    likelihood = np.array([0.9, 0.9, 0.3, np.nan])
    drawn = draw_pose(blank(), points, likelihood, pcutoff=0.6, skeleton=[[0, 1], [0, 2], [2, 3]])
    only = draw_pose(blank(), points[:1], radius=None, colors=palette(4)[:1])
    np.testing.assert_array_equal(drawn, only)


def test_skeleton_lines_join_their_points():
    points = np.array([[20.0, 20.0], [100.0, 20.0], [60.0, 80.0]])
    skeleton = Skeleton(("a", "b", "c"), (("a", "b"), ("b", "c")))
    drawn = draw_pose(blank(), points, skeleton=skeleton)
    assert drawn[20, 60].mean() > 200  # a-b, light in the middle …
    assert drawn[18:23, 60].min() < 60  # … and dark at the edge
    assert drawn[50, 80].mean() > 200  # b-c
    assert (drawn[50, 40] == 128).all()  # no a-c
    np.testing.assert_array_equal(drawn, draw_pose(blank(), points, skeleton=np.array([[0, 1], [1, 2]])))


def test_opacity_by_number_and_by_likelihood():
    points = np.array([[30.0, 30.0], [90.0, 60.0]])
    colors = [(255, 255, 255), (255, 255, 255)]
    half = draw_pose(blank(100), points, alpha=0.5, colors=colors, radius=5)
    assert half[30, 30, 0] == pytest.approx(178, abs=1)
    by = draw_pose(blank(100), points, [1.0, 0.2], alpha="likelihood", colors=colors, radius=5)
    assert by[30, 30, 0] == 255
    assert by[60, 90, 0] == pytest.approx(131, abs=1)
    np.testing.assert_array_equal(draw_pose(blank(), points, alpha=0.0), blank())


@pytest.mark.parametrize("point", [(-3.0, 40.0), (127.4, 95.4), (-1e9, 1e9), (1e300, 0.0), (-0.5, -0.5)])
def test_points_at_and_outside_the_border(point):
    drawn = draw_pose(blank(), [point, (60.0, 40.0)], skeleton=[[0, 1]])
    assert drawn.shape == blank().shape
    assert (drawn[40, 60] == palette(2)[1]).all()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"image": np.zeros((5, 5))}, "image: expected uint8"),
        ({"points": np.zeros((2, 3))}, "points: expected shape"),
        ({"likelihood": np.zeros(3)}, "likelihood: expected shape"),
        ({"alpha": "likelihood"}, "together with a likelihood"),
        ({"alpha": "strong"}, "expected a number from 0 to 1"),
    ],
)
def test_what_does_not_fit_is_refused(change, message):
    with pytest.raises(ValueError, match=message):
        draw_pose(**{"image": blank(), "points": np.zeros((2, 2)), **change})


# --- label_video ----------------------------------------------------------------------------------------------------


def moving(n):
    """One bright bodypart moving right 2 px a frame, another that is never likely; a Poses."""
    points = np.stack([np.stack([10 + 2.0 * np.arange(n), np.full(n, 40.0)], -1), np.full((n, 2), 80.0)], axis=1)
    return Poses(("a", "b"), "me", points, np.tile([0.9, 0.1], (n, 1)))


@pytest.fixture
def clip(tmp_path):
    with VideoWriter(tmp_path / "clip.mp4", SIZE, 30) as writer:
        for i in range(30):
            writer.write(np.full((*SIZE, 3), 100 + i, np.uint8))
    return tmp_path / "clip.mp4"


def test_labeled_video_shows_the_poses(clip, tmp_path):
    out, poses = tmp_path / "labeled.mp4", moving(30)
    with VideoReader(clip) as reader:
        assert list(label_video(reader, poses, out)) == list(range(1, 31))
    with VideoReader(out) as video:
        assert (len(video), video.size, video.fps) == (30, SIZE, pytest.approx(30))
        for i, image in video.frames():
            ground = np.full((*SIZE, 3), 100 + i, np.uint8)
            changed = np.where(np.abs(image.astype(int) - ground) > 20, image, ground)
            np.testing.assert_allclose(centroid(ground, changed), poses.points[i, 0], atol=1)


def test_a_trail_shows_where_the_bodypart_was(clip, tmp_path):
    with VideoReader(clip) as reader:
        list(label_video(reader, moving(30), tmp_path / "trail.mp4", trail=10))
    with VideoReader(tmp_path / "trail.mp4") as video:
        changed = np.abs(video.read(25).astype(int) - 125).max(-1) > 25
    assert changed[40, 10 + 2 * 16 : 10 + 2 * 25].mean() > 0.8
    assert not changed[40, : 10 + 2 * 14].any()


def test_a_damaged_frame_stays_as_a_black_one(clip, tmp_path):
    class Damaged(VideoReader):
        def frames(self, *part):
            return ((i, None if i == 7 else image) for i, image in super().frames(*part))

    with Damaged(clip) as reader:
        list(label_video(reader, moving(30), tmp_path / "out.mp4"))
    with VideoReader(tmp_path / "out.mp4") as video:
        assert len(video) == 30
        assert video.read(7).max() < 12
        assert video.read(8)[90, 5].mean() == pytest.approx(108, abs=4)


def test_a_variable_frame_rate_is_kept(tmp_path):
    times = np.array([0, 0.04, 0.08, 0.3, 0.34, 0.9, 1.0, 1.04])
    with VideoWriter(tmp_path / "vfr.mp4", SIZE, 10) as writer:
        for i, time in enumerate(times):
            writer.write(blank(10 * i), time)
    with VideoReader(tmp_path / "vfr.mp4") as reader:
        list(label_video(reader, moving(8), tmp_path / "out.mp4"))
    with VideoReader(tmp_path / "out.mp4") as video:
        np.testing.assert_allclose(video.times, times, atol=1e-4)


def test_stopping_early_leaves_no_file(clip, tmp_path):
    with VideoReader(clip) as reader:
        steps = label_video(reader, moving(30), tmp_path / "out.mp4")
        assert [next(steps), next(steps)] == [1, 2]
        steps.close()
    assert [p.name for p in tmp_path.iterdir()] == ["clip.mp4"]


def test_poses_of_another_video_are_refused_at_once(clip, tmp_path):
    with VideoReader(clip) as reader, pytest.raises(ValueError, match=r"clip.mp4 has 30 frames, the poses are of 29"):
        label_video(reader, moving(29), tmp_path / "out.mp4")
    assert not (tmp_path / "out.mp4").exists()


def last_frame(path):
    with VideoReader(path) as video:
        assert len(video) == 30
        return video.read(29).astype(int)


def test_likelihood_is_opacity(clip, tmp_path):
    poses = moving(30)
    poses.points[:, 1] = (100, 80)
    poses.likelihood[:] = (1.0, 0.25)
    with VideoReader(clip) as reader:
        list(label_video(reader, poses, tmp_path / "out.mp4", pcutoff=0, alpha="likelihood"))
    change = np.abs(last_frame(tmp_path / "out.mp4") - 129).max(-1)
    assert 15 < change[76:85, 96:105].max() < 0.6 * change[36:45, 64:73].max()


def test_keypoints_only_are_on_black(clip, tmp_path):
    with VideoReader(clip) as reader:
        list(label_video(reader, moving(30), tmp_path / "out.mp4", keypoints_only=True))
    image = last_frame(tmp_path / "out.mp4")
    assert image[60:, :].max() < 12
    assert image[36:45, 64:73].max() > 80


def test_a_part_of_the_frame(clip, tmp_path):
    with VideoReader(clip) as reader:
        list(label_video(reader, moving(30), tmp_path / "out.mp4", crop=(40, 120, 20, 60)))
    image = last_frame(tmp_path / "out.mp4")
    assert image.shape == (40, 80, 3)
    ground = np.full(image.shape, 129)
    changed = np.where(np.abs(image - 129) > 20, image, ground)
    np.testing.assert_allclose(centroid(ground, changed), (68 - 40, 40 - 20), atol=1)


def test_side_by_side_with_the_frame_or_with_other_poses(clip, tmp_path):
    other = moving(30)
    other.points[:, 0] += (0, 30)
    with VideoReader(clip) as reader:
        for name, beside in (("frame", "frame"), ("poses", other)):
            list(label_video(reader, moving(30), tmp_path / f"{name}.mp4", beside=beside))
    plain, both = last_frame(tmp_path / "frame.mp4"), last_frame(tmp_path / "poses.mp4")
    assert plain.shape == both.shape == (SIZE[0], 2 * SIZE[1], 3)
    shown = [np.abs(image - 129).max(-1) > 25 for image in (plain, both)]
    assert not shown[0][:, : SIZE[1]].any()
    assert shown[0][40, SIZE[1] + 68]
    assert shown[1][70, 68]
    assert not shown[1][40, 68]
    assert shown[1][40, SIZE[1] + 68]


def test_what_can_not_be_drawn_is_refused_at_once(clip, tmp_path):
    out = tmp_path / "out.mp4"
    with VideoReader(clip) as reader:
        for options, message in (
            ({"crop": (0, 200, 0, 20)}, "crop"),
            ({"beside": "raw"}, "beside"),
            ({"alpha": "faint"}, "alpha"),
            ({"beside": moving(3)}, "the poses are of 3"),
        ):
            with pytest.raises(ValueError, match=message):
                label_video(reader, moving(30), out, **options)
