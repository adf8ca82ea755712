"""Figures of movement show the data they are given, the right way up."""

import numpy as np
import pytest
from matplotlib.collections import LineCollection

from dlcnb import plots
from dlcnb.plots.movement import BODY
from dlcnb.poses import Poses
from dlcnb.project import Skeleton
from dlcnb.sampledata import Arena, arena_poses, render_frame
from dlcnb.sampledata.arena import BODYPARTS, SKELETON
from dlcnb.video import VideoReader, VideoWriter

BONES = Skeleton(BODYPARTS, SKELETON)
ARENA = Arena(seed=2, n_frames=200, size=(240, 320))


pytestmark = pytest.mark.usefixtures("own_cache")


@pytest.fixture
def poses():
    points = arena_poses(ARENA)
    likelihood = np.full(points.shape[:2], 0.95)
    likelihood[50:60, 3] = 0.1
    return Poses(BODYPARTS, "net", points, likelihood)


def drawn(fig):
    fig.canvas.draw()
    return np.asarray(fig.canvas.buffer_rgba())[..., :3]


def lines(ax):
    return {line.get_label(): line for line in ax.lines if not line.get_label().startswith("_")}


def bundles(ax):
    return [c for c in ax.collections if isinstance(c, LineCollection)]


# --- postures and skeletons


def test_postures_show_past_and_future_of_a_bodypart_and_the_body_on_the_way(poses):
    fig, ax = plots.postures(poses, 100, bodypart="leftear", skeleton=BONES, past=20, future=10, every=5)
    k = BODYPARTS.index("leftear")
    found = lines(ax)
    np.testing.assert_array_equal(found["20 frames before"].get_xydata(), poses.points[80:100, k])
    np.testing.assert_array_equal(found["10 frames after"].get_xydata(), poses.points[101:111, k])
    shapes = bundles(ax)
    assert len(shapes) == 4 + 1  # frames 95, 90, 85, 80, and now
    np.testing.assert_array_equal(np.array(shapes[0].get_segments())[0], poses.points[95][list(BONES.index_edges[0])])
    assert tuple(shapes[0].get_colors()[0][:3]) == pytest.approx(BODY)
    assert shapes[0].get_colors()[0][3] > shapes[3].get_colors()[0][3]  # paler the longer ago
    assert ax.yaxis_inverted()
    assert drawn(fig).std() > 5


def test_postures_on_the_frame_and_at_the_ends_of_the_recording(poses):
    fig, ax = plots.postures(poses, 0, image=render_frame(ARENA, 0))
    assert ax.images[0].get_array().shape == (240, 320, 3)
    assert ax.yaxis_inverted()
    seen = poses.points[0]
    assert (ax.get_xlim()[0] < seen[:, 0]).all()
    assert (ax.get_ylim()[0] > seen[:, 1]).all()
    (outline,) = bundles(ax)
    assert len(outline.get_segments()) == 4  # around the bodyparts, without a skeleton
    assert len(lines(ax)["30 frames before"].get_xdata()) == 0
    drawn(fig)
    drawn(plots.postures(poses, 199, skeleton=BONES)[0])
    with pytest.raises(IndexError, match="0 to 199"):
        plots.postures(poses, 200)
    with pytest.raises(ValueError, match="There is no bodypart"):
        plots.postures(poses, 5, bodypart="nose")


def test_skeletons_are_coloured_by_time_and_may_be_centred(poses):
    fig, ax = plots.skeletons(poses, BONES, [10, 55, 90])
    (bundle,) = bundles(ax)
    gone = sum(3 in edge for edge in BONES.index_edges)  # bones of the unlikely tailbase in frame 55
    assert len(bundle.get_segments()) == 3 * len(SKELETON) - gone
    assert set(bundle.get_array()) == {10, 55, 90}
    assert ax.yaxis_inverted()
    drawn(fig)
    fig, ax = plots.skeletons(poses, BONES, centre="snout")
    np.testing.assert_allclose(lines(ax)["snout"].get_xydata(), 0)
    assert len(lines(ax)["leftear"].get_xdata()) == 40
    drawn(fig)
    poses.likelihood[:] = 0
    drawn(plots.skeletons(poses, BONES)[0])


# --- over time


def test_speed_is_per_second_or_per_frame(poses):
    fig, ax = plots.speed(poses, np.arange(200) / 30)
    assert ax.get_ylabel() == "speed (px/s)"
    perframe = lines(plots.speed(poses)[1])["snout"].get_ydata()
    np.testing.assert_allclose(lines(ax)["snout"].get_ydata(), 30 * perframe)
    assert np.isnan(lines(ax)["tailbase"].get_ydata()[49:61]).all()
    drawn(fig)


def test_bones_have_length_and_direction(poses):
    poses.points[:] = np.array([[0, 0], [0, 10], [-10, 0], [3, 4]])
    fig, (above, below) = plots.bones(poses, [(0, 1), (0, 3)])
    assert set(lines(above)) == {"snout–leftear", "snout–tailbase"}
    np.testing.assert_allclose(lines(above)["snout–leftear"].get_ydata(), 10)
    np.testing.assert_allclose(lines(below)["snout–leftear"].get_ydata(), 90)  # down
    assert np.isnan(lines(above)["snout–tailbase"].get_ydata()[50:60]).all()
    drawn(fig)


def test_a_turning_bone_draws_no_line_from_180_to_minus_180(poses):
    angle = np.linspace(0, 4 * np.pi, 200)
    poses.points[:, 0] = 0
    poses.points[:, 1] = 50 * np.stack([np.cos(angle), np.sin(angle)], axis=-1)
    _, (_, below) = plots.bones(poses, [(0, 1)])
    steps = np.diff(lines(below)["snout–leftear"].get_ydata())
    assert np.nanmax(np.abs(steps)) < 5


# --- the map of postures


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    path = tmp_path_factory.mktemp("map") / "clip.mp4"
    with VideoWriter(path, ARENA.size, 30) as writer:
        for i in range(0, 200, 5):
            writer.write(render_frame(ARENA, i))
    return path


def test_crops_are_centred_on_the_bodypart(clip, poses):
    every = Poses(BODYPARTS, "net", poses.points[::5], poses.likelihood[::5])
    with VideoReader(clip) as reader:
        images, frames = plots.crops(reader, every, "tailbase", range(40), size=41)
        whole = reader.read(int(frames[7]))
    assert set(range(40)) - set(frames) == {10, 11}  # where the tailbase is unlikely
    x, y = np.rint(every.points[frames[7], 3]).astype(int)
    assert images.shape == (38, 41, 41, 3)
    if 20 <= x < 300 and 20 <= y < 220:
        np.testing.assert_array_equal(images[7], whole[y - 20 : y + 21, x - 20 : x + 21])
    with VideoReader(clip) as reader, pytest.raises(ValueError, match="There is no bodypart"):
        plots.crops(reader, every, "nose", [0])


def test_a_crop_beyond_the_border_is_black_there(clip):
    points = np.tile([[-3.0, 5.0]], (40, 1, 1))
    poses = Poses(("a",), "net", points, np.ones((40, 1)))
    with VideoReader(clip) as reader:
        images, _ = plots.crops(reader, poses, "a", [0], size=21)
    assert images[0, :, :13].max() == 0
    assert images[0, :5].max() == 0
    assert images[0, 6:, 14:].max() > 0


def test_alike_images_lie_side_by_side():
    rng = np.random.default_rng(0)
    kinds = rng.integers(0, 255, (3, 12, 12, 3))
    images = np.clip(kinds.repeat(15, axis=0) + rng.normal(0, 8, (45, 12, 12, 3)), 0, 255).astype(np.uint8)
    positions = plots.embed(images, seed=1)
    np.testing.assert_array_equal(positions, plots.embed(images, seed=1))
    kind = np.arange(45) // 15
    for i in range(45):
        near = np.argsort(np.linalg.norm(positions - positions[i], axis=1))[1:6]
        assert (kind[near] == kind[i]).all()
    with pytest.raises(ValueError, match="at least 4"):
        plots.embed(images[:3])
    assert plots.embed(np.zeros((5, 4, 4, 3), np.uint8)).shape == (5, 2)


def test_images_on_the_map_are_far_from_each_other():
    positions = np.random.default_rng(0).normal(size=(300, 2))
    chosen = plots.spread(positions, 12)
    assert len(set(chosen)) == 12
    apart = np.linalg.norm(positions[chosen, None] - positions[chosen], axis=-1)[~np.eye(12, dtype=bool)]
    assert apart.min() > 0.5
    assert list(plots.spread(positions[:2], 5)) == list(plots.spread(positions[:2], 2))
    assert len(plots.spread(np.zeros((0, 2)), 3)) == 0


def test_the_map_shows_all_points_and_some_images():
    rng = np.random.default_rng(0)
    positions, images = rng.normal(size=(50, 2)), rng.integers(0, 255, (50, 10, 10, 3), np.uint8)
    fig, ax = plots.embedding(positions, images, count=6, values=np.arange(50), label="frame")
    np.testing.assert_array_equal(ax.collections[0].get_offsets(), positions)
    assert len(ax.collections[1].get_offsets()) == 6
    assert len([a for a in ax.artists if type(a).__name__ == "AnnotationBbox"]) == 6
    assert drawn(fig).std() > 5
    with pytest.raises(ValueError, match="one for each"):
        plots.embedding(positions, images[:4])


def test_postures_are_drawn_after_the_moment_too_if_wished(poses):
    _, ax = plots.postures(poses, 100, skeleton=BONES, past=20, future=10, every=5, both=True)
    shapes = bundles(ax)
    assert len(shapes) == 4 + 2 + 1  # frames 95 to 80, 105 and 110, and now
    np.testing.assert_array_equal(np.array(shapes[4].get_segments())[0], poses.points[105][list(BONES.index_edges[0])])


def test_skeletons_in_the_body_s_own_frame_look_up(poses):
    _, ax = plots.skeletons(poses, BONES, [10, 100, 150], centre="tailbase", towards="snout", pcutoff=0)
    snout = lines(ax)["snout"].get_xydata()
    length = np.linalg.norm(poses.points[[10, 100, 150], 0] - poses.points[[10, 100, 150], 3], axis=-1)
    np.testing.assert_allclose(snout, np.stack([np.zeros(3), -length], axis=-1), atol=1e-9)
    with pytest.raises(ValueError, match="needs centre"):
        plots.skeletons(poses, BONES, towards="snout")
