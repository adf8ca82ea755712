"""The synthetic arena: exact truth, the same for the same seed; the open-field set: found, fetched, copied."""

import dataclasses
import functools
import hashlib
import http.server
import os
import threading

import cv2
import numpy as np
import pytest

from dlcnb.labels import Labels, frame_index
from dlcnb.poses import Poses
from dlcnb.project import Project
from dlcnb.sampledata import (
    BODYPARTS,
    Arena,
    arena_poses,
    cached_openfield,
    drawing,
    make_arena,
    openfield,
    openfield_path,
    real,
    render_frame,
    synthetic_project,
)
from dlcnb.sampledata.arena import SPINE_LENGTH, floor_box, motion
from dlcnb.sampledata.scenery import FINE, U0, V1, scene
from dlcnb.video import VideoReader

SMALL = Arena(n_frames=24, size=(240, 320), seed=5)


# --- the walk ---------------------------------------------------------------------------------------------------------


def test_same_seed_same_poses_and_frames_whatever_was_drawn_before():
    again = dataclasses.replace(SMALL)
    first = [render_frame(SMALL, i) for i in (3, 20)]
    motion.cache_clear()
    scene.cache_clear()
    np.testing.assert_array_equal(arena_poses(again), arena_poses(SMALL))
    np.testing.assert_array_equal(render_frame(again, 20), first[1])
    np.testing.assert_array_equal(render_frame(again, 3), first[0])


def test_another_seed_is_another_recording():
    other = dataclasses.replace(SMALL, seed=6)
    assert np.abs(arena_poses(other) - arena_poses(SMALL)).max() > 10
    assert not np.array_equal(scene(other).coat, scene(SMALL).coat)


def test_a_longer_recording_begins_like_a_shorter_one():
    longer = dataclasses.replace(SMALL, n_frames=40)
    np.testing.assert_allclose(arena_poses(longer)[:24], arena_poses(SMALL))


@pytest.mark.parametrize("seed", range(4))
def test_animal_stays_on_the_floor_bends_pauses_and_swings_its_head(seed):
    arena = Arena(seed=seed, n_frames=1500)
    points, moving = arena_poses(arena), motion(arena)
    left, top, right, bottom = floor_box(arena)
    assert points.shape == (1500, 4, 2)
    assert (points.min((0, 1)) > (left, top)).all()
    assert (points.max((0, 1)) < (right, bottom)).all()
    straight = np.linalg.norm(moving.spine[:, 0] - moving.spine[:, -1], axis=1) / moving.length
    assert straight.min() < 0.85  # bent
    assert straight.max() > 0.99
    speed = np.linalg.norm(np.diff(points[:, 3], axis=0), axis=1)
    assert (speed < 0.5).mean() > 0.02  # pauses
    assert (speed > 3).mean() > 0.3
    heading = np.unwrap(np.arctan2(*(points[:, 0] - points[:, 3]).T[::-1]))
    assert np.ptp(heading) > np.pi  # turns round
    ears = points[:, 1:3].mean(1)
    swing = np.diff(np.unwrap(np.arctan2(*(points[:, 0] - ears).T[::-1])) - heading)
    assert (np.diff(np.sign(swing)) != 0).mean() > 0.1  # to and fro several times a second


def test_left_ear_is_left_of_the_animal_seen_from_above():
    points = arena_poses(SMALL)
    snout, left, right = points[:, 0], points[:, 1], points[:, 2]
    ahead, across = snout - (left + right) / 2, right - left
    assert (ahead[:, 0] * across[:, 1] - ahead[:, 1] * across[:, 0] > 0).all()  # clockwise, as y points down


# --- the truth is where the pixels are --------------------------------------------------------------------------------


def centroid(weights):
    y, x = np.mgrid[: weights.shape[0], : weights.shape[1]]
    return np.array([(x * weights).sum(), (y * weights).sum()]) / weights.sum()


def spotted(still, u):
    """The scene with a coat that is nothing but a small soft spot on the spine at ``u``."""
    y, x = np.mgrid[: still.coat.shape[0], : still.coat.shape[1]]
    spot = np.exp(-((x / FINE + U0 - u) ** 2 + (y / FINE - V1) ** 2) / (2 * 1.5**2))
    coat = np.zeros_like(still.coat)
    coat[..., 3] = spot
    return dataclasses.replace(still, coat=coat)


@pytest.mark.parametrize(("part", "u"), [(0, 2.0), (3, SPINE_LENGTH)])
def test_a_mark_on_the_coat_is_drawn_at_the_true_position(part, u):
    arena = Arena(n_frames=300, seed=2)
    still, moving, truth = spotted(scene(arena), u), motion(arena), arena_poses(arena)
    for i in range(0, 300, 13):
        low = moving.spine[i].min(0) - 30
        unit = moving.length[i] / SPINE_LENGTH
        coat, _ = drawing._bent_coat(still, moving.spine[i] - low, unit, (220, 220))
        np.testing.assert_allclose(centroid(coat[..., 3]) + low, truth[i, part], atol=0.25)


def test_ears_are_drawn_at_the_true_positions():
    arena = Arena(n_frames=300, seed=2)
    still, moving, truth = scene(arena), motion(arena), arena_poses(arena)
    for i in range(0, 300, 13):
        right = drawing._rightward(moving.spine[i])
        for part, side in ((1, -1), (2, 1)):
            ear = drawing._placed_ear(still.ear, truth[i, part], (right, side), 1.0, arena.size)
            np.testing.assert_allclose(centroid(ear[..., 3]), truth[i, part], atol=0.02)


def test_bodyparts_look_like_themselves_in_the_frame():
    arena = Arena(n_frames=200, seed=1, shadow=0, noise=0)
    truth = arena_poses(arena)
    for i in range(0, 200, 25):
        image = cv2.GaussianBlur(render_frame(arena, i), (0, 0), 1).astype(int)
        floor = scene(arena).floor.astype(int)

        def at(point, image=image):
            x, y = np.round(point).astype(int)
            return image[y, x]

        ahead = truth[i, 0] - truth[i, 1:3].mean(0)
        ahead /= np.linalg.norm(ahead)
        assert at(truth[i, 0]).sum() < 0.85 * at(truth[i, 0], floor).sum()  # the snout is darker than the floor,
        assert at(truth[i, 0] - 7 * ahead).sum() < 0.5 * at(truth[i, 0], floor).sum()  # behind it is fur,
        beyond = truth[i, 0] + 6 * ahead
        assert at(beyond).sum() > 0.93 * at(beyond, floor).sum()  # before it is floor
        middle = truth[i, 1:3].mean(0)
        for side in (1, 2):
            assert at(truth[i, side]).sum() > 1.3 * at(middle).sum()  # ears are lighter than the head between them


# --- frames and files -------------------------------------------------------------------------------------------------


def test_frames_have_texture_noise_shadow_and_uneven_light():
    arena = Arena(n_frames=60, seed=3)
    frame = render_frame(arena, 10).astype(float)
    assert frame.shape == (480, 640, 3)
    still = frame - render_frame(arena, 11)
    assert 2 < still[300:440, 30:90].std() < 8  # noise changes from frame to frame
    light = scene(arena).light
    assert light.max() / light.min() > 1.3
    dark = dataclasses.replace(arena, shadow=0.0, noise=0.0)
    change = render_frame(dark, 10).astype(int) - render_frame(dataclasses.replace(arena, noise=0.0), 10)
    assert 300 < (change.max(-1) > 15).sum() < 20000  # the shadow lies beside the animal


def test_bad_parameters_say_what_is_wrong():
    for wrong, word in (({"n_frames": 0}, "n_frames"), ({"fps": 0}, "fps"), ({"size": (10, 640)}, "96 pixels")):
        with pytest.raises(ValueError, match=word):
            Arena(**wrong)
    with pytest.raises(IndexError, match="frames 0 to 23"):
        render_frame(SMALL, 24)


def test_video_has_the_frames_and_returns_the_truth(tmp_path):
    truth = make_arena(tmp_path / "a.mp4", SMALL)
    np.testing.assert_array_equal(truth, arena_poses(SMALL))
    with VideoReader(tmp_path / "a.mp4") as reader:
        assert len(reader) == 24
        assert reader.size == (240, 320)
        assert reader.fps == pytest.approx(30)
        error = np.abs(reader.read(7).astype(int) - render_frame(SMALL, 7))
    assert error.mean() < 4


def test_synthetic_project_is_labeled_with_the_truth(tmp_path):
    parent = tmp_path / "not" / "there yet"
    project = synthetic_project(parent, n_label=6, arena=SMALL, seed=1)
    assert project.bodyparts == BODYPARTS
    assert project.scorer == "truth"
    assert Project.open(project.root).videos == project.videos
    labels = Labels.read_project(project)
    assert len(labels.images) == 6
    truth = Poses.read(project.videos[0].parent / "arenatruth.csv")
    np.testing.assert_allclose(truth.points, arena_poses(SMALL), atol=1e-6)
    indices = [frame_index(name) for name in labels.images]
    np.testing.assert_allclose(labels.points, truth.points[indices], atol=1e-6)
    assert all((project.root / image).is_file() for image in labels.images)
    assert [p.name for p in parent.iterdir()] == [project.root.name]  # nothing left beside it


def test_label_noise_moves_labels_not_the_truth(tmp_path):
    project = synthetic_project(tmp_path, n_label=20, arena=SMALL, label_noise=2.0)
    labels = Labels.read_project(project)
    truth = Poses.read(project.videos[0].parent / "arenatruth.csv").points
    off = labels.points - truth[[frame_index(name) for name in labels.images]]
    assert 1.4 < off.std() < 2.6


def test_more_labels_than_frames_is_refused_before_anything_is_written(tmp_path):
    with pytest.raises(ValueError, match="1 to 24"):
        synthetic_project(tmp_path, n_label=25, arena=SMALL)
    assert not list(tmp_path.iterdir())


# --- the open-field set -----------------------------------------------------------------------------------------------


def fake_openfield(folder):
    """A tiny project in the shape of the real one, and its registry text."""
    root = folder / real.NAME
    (root / "labeled-data/m4s1").mkdir(parents=True)
    (root / "videos").mkdir()
    config = "# keep me\nTask: openfield\nscorer: Pranav\ndate: Oct30\nproject_path: WILL BE\nvideo_sets:\n"
    config += "  WILL BE:\n    crop: 0, 320, 0, 240\nbodyparts:\n- snout\n- leftear\n- rightear\n- tailbase\n"
    (root / "config.yaml").write_text(config)
    (root / "labeled-data/m4s1/img0.png").write_bytes(b"\x89PNG")
    make_arena(root / "videos/m3v1mp4.mp4", dataclasses.replace(SMALL, n_frames=2))
    names = [p for p in root.rglob("*") if p.is_file()]
    return {p.relative_to(root).as_posix(): hashlib.sha256(p.read_bytes()).hexdigest() for p in names}


@pytest.fixture
def fake(tmp_path, monkeypatch):
    """A served and registered stand-in; gives (folder that holds it, its registry)."""
    registry = fake_openfield(tmp_path / "data")
    monkeypatch.setattr(real, "_registry", lambda: registry)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr("platformdirs.user_cache_dir", lambda name: str(tmp_path / "cache" / name))
    monkeypatch.delenv("DLCNB_DATA", raising=False)
    return tmp_path / "data", registry


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


@pytest.fixture
def server(fake):
    handler = functools.partial(Quiet, directory=str(fake[0]))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as httpd:
        threading.Thread(target=httpd.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{httpd.server_port}/{real.NAME}/"
        httpd.shutdown()


def test_data_folder_is_used_if_named(fake, monkeypatch, tmp_path):
    monkeypatch.setenv("DLCNB_DATA", str(fake[0]))
    project = openfield(tmp_path / "mine")
    video = project.root / "videos/m3v1mp4.mp4"
    assert project.root == tmp_path / "mine" / real.NAME
    assert project.videos == [video]
    assert list(project.config["video_sets"]) == [str(video)]
    assert project.crop(video) == (0, 320, 0, 240)
    text = (project.root / "config.yaml").read_text()
    assert "# keep me" in text
    assert "WILL BE" not in text
    assert os.access(project.root / "labeled-data/m4s1/img0.png", os.W_OK)
    with pytest.raises(FileExistsError, match="another folder"):
        openfield(tmp_path / "mine")


def test_data_folder_without_the_set_says_so(fake, monkeypatch, tmp_path):
    monkeypatch.setenv("DLCNB_DATA", str(tmp_path))
    with pytest.raises(FileNotFoundError, match=r"DLCNB_DATA is .*unset it"):
        openfield_path()


def test_fetched_once_and_then_from_the_cache(fake, server):
    assert cached_openfield() is None
    path = openfield_path(url=server)
    assert cached_openfield() == path
    assert sorted(p.relative_to(path).as_posix() for p in path.rglob("*") if p.is_file()) == sorted(fake[1])
    assert openfield_path(url="http://127.0.0.1:9/") == path  # nobody answers there


def test_a_changed_file_is_refused(fake, server):
    (fake[0] / real.NAME / "labeled-data/m4s1/img0.png").write_bytes(b"something else")
    with pytest.raises(ConnectionError, match="damaged on the way"):
        openfield_path(url=server)
    assert cached_openfield() is None


def test_offline_says_what_to_do(fake):
    with pytest.raises(ConnectionError, match=r"Connect to the internet.*DLCNB_DATA"):
        openfield_path(url="http://127.0.0.1:9/")


def test_the_list_of_the_real_set_is_whole():
    registry = real._registry()
    assert len(registry) == 120
    assert sum(name.endswith(".png") for name in registry) == 116
    assert all(len(digest) == 64 for digest in registry.values())


@pytest.mark.skipif(not os.environ.get("DLCNB_DATA"), reason="DLCNB_DATA is not set")
def test_the_real_set_is_what_the_list_says(tmp_path):
    root = openfield_path()
    for name, digest in real._registry().items():
        assert hashlib.sha256((root / name).read_bytes()).hexdigest() == digest, name
    project = openfield(tmp_path)
    assert Labels.read_project(project).points.shape == (116, 4, 2)
    with VideoReader(project.videos[0]) as reader:
        assert len(reader) == 2330
