"""dlcnb.exchange: what is written for other programs, opened again by their own readers."""

import json
import re
import shutil
import sys

import numpy as np
import pytest
from support.projects import copy_of

from dlcnb import Labels, Poses, Project, VideoReader, VideoWriter, exchange
from dlcnb.exchange import ExchangeError, coco
from dlcnb.exchange.nwb_behavior import Behavior
from dlcnb.project import Scale
from dlcnb.trajectories import speed
from dlcnb.zones import Zone

SCORER = "DLC_Net_arenaMar5shuffle1_snapshot_100"


@pytest.fixture(scope="module")
def labels(arena_project):
    """The arena's last labels; one bodypart of the first frame is not visible."""
    labels = Labels.read_project(arena_project).select(slice(-6, None))
    labels.points[0, 1] = np.nan
    return labels


@pytest.fixture
def clip(tmp_path):
    """A video of 12 frames at uneven times."""
    times = np.cumsum([0, 0.04, 0.04, 0.2, 0.04, 0.04, 0.1, 0.04, 0.04, 0.04, 0.3, 0.04])
    with VideoWriter(tmp_path / "vfr.mp4", (64, 96), 25) as writer:
        for k, time in enumerate(times):
            writer.write(np.full((64, 96, 3), 10 * k, np.uint8), time)
    with VideoReader(tmp_path / "vfr.mp4") as reader:
        yield reader


def some_poses(project, count, seed=0):
    """Random poses; frame 3 is damaged."""
    rng = np.random.default_rng(seed)
    points, likelihood = rng.uniform(-1, 60, (count, len(project.bodyparts), 2)), rng.random((count, 4))
    points[3], likelihood[3] = np.nan, np.nan
    return Poses(project.bodyparts, SCORER, points, likelihood)


def without_video(arena_project, labels, folder):
    """(three labels, a project in ``folder`` that has their images, but not their video)."""
    (folder / "labeled-data" / "gone").mkdir(parents=True)
    images = [image.replace("/arena/", "/gone/") for image in labels.images[:3]]
    for old, new in zip(labels.images, images, strict=False):
        (folder / new).write_bytes((arena_project.root / old).read_bytes())
    shutil.copy(arena_project.root / "config.yaml", folder)
    return Labels(labels.bodyparts, labels.scorer, images, labels.points[:3]), Project.open(folder)


# --- NWB


@pytest.fixture
def pynwb():
    pytest.importorskip("ndx_pose", reason="the extra 'nwb' is not installed")
    return pytest.importorskip("pynwb")


def test_nwb_poses(pynwb, arena_project, clip, tmp_path):
    poses = some_poses(arena_project, len(clip))
    path = exchange.write_poses("nwb", tmp_path / "a.nwb", poses, clip, skeleton=arena_project.skeleton, subject="m1")
    assert not pynwb.validate(path=str(path))
    with pynwb.NWBHDF5IO(str(path), "r") as io:
        file = io.read()
        found = file.processing["behavior"]["PoseEstimation"]
        assert found.scorer == SCORER
        assert file.subject.subject_id == "m1"
        assert list(found.skeleton.nodes[:]) == list(poses.bodyparts)
        np.testing.assert_array_equal(found.skeleton.edges[:], arena_project.skeleton.index_edges)
        assert list(found.source_video.external_file[:]) == ["vfr.mp4"]
        assert list(found.source_video.dimension[:]) == [96, 64]
        for k, part in enumerate(poses.bodyparts):
            np.testing.assert_array_equal(found[part].data[:], poses.points[:, k])
            np.testing.assert_array_equal(found[part].confidence[:], poses.likelihood[:, k])
            np.testing.assert_array_equal(found[part].timestamps[:], clip.times)  # the frame rate varies


def test_nwb_has_what_the_animal_did(pynwb, clip, tmp_path):
    """A nose that runs 10 px a frame to the right, from the left half of the frame into the right one, in cm."""
    nose = np.column_stack([np.linspace(0, 90, len(clip)), np.full(len(clip), 20.0)])
    points = np.stack([nose, nose[:, ::-1]], axis=1)
    likelihood = np.ones((len(clip), 2))
    likelihood[2, 1] = 0.1
    poses = Poses(("nose", "left/ear"), SCORER, points, likelihood)
    zone = Zone("right", "rectangle", ((45, -0.5), (95, 63)))
    behavior = Behavior(0.6, [zone], Scale.by_number(10), minimum=0)
    path = exchange.write_poses("nwb", tmp_path / "a.nwb", poses, clip, behavior=behavior, subject="m1")
    assert not pynwb.validate(path=str(path))
    with pynwb.NWBHDF5IO(str(path), "r") as io:
        file = io.read()
        module = file.processing["behavior"]
        found = module["BehavioralTimeSeries"]
        assert found["speed_nose"].unit == "cm/s"
        np.testing.assert_allclose(found["speed_nose"].data[:], speed(nose / 10, times=clip.times))
        np.testing.assert_array_equal(np.isnan(found["speed_left_ear"].data[:]).nonzero()[0], [1, 2, 3])
        np.testing.assert_array_equal(found["speed_left_ear"].timestamps[:], clip.times)
        assert module["zones"]["outline"][0] == zone.polygon.wkt
        stays = file.intervals["zone_stays"].to_dataframe()
        first = np.argmax(nose[:, 0] >= 45)
        assert stays[["zone", "bodypart"]].to_numpy().tolist() == [["right", "nose"]]
        assert stays["start_time"].tolist() == [clip.times[first]]
        assert stays["stop_time"][0] == pytest.approx(2 * clip.times[-1] - clip.times[-2])


def test_nwb_is_what_the_inspector_expects(pynwb, arena_project, clip, tmp_path):
    inspector = pytest.importorskip("nwbinspector", reason="nwbinspector is not installed")
    zones = [Zone("left", "rectangle", ((-0.5, -0.5), (30, 63))), Zone("round", "ellipse", ((30, 5), (60, 50)))]
    mouse = {"subject_id": "m1", "species": "Mus musculus", "sex": "F", "age": "P90D"}
    more = {"behavior": Behavior(0.0, zones, minimum=0), "subject": mouse, "skeleton": arena_project.skeleton}
    path = exchange.write_poses("nwb", tmp_path / "a.nwb", some_poses(arena_project, len(clip)), clip, **more)
    found = list(inspector.inspect_nwbfile(nwbfile_path=str(path)))
    assert found  # it has wishes, such as the experimenter's name
    assert not [m for m in found if m.importance.value > inspector.Importance.BEST_PRACTICE_SUGGESTION.value]


def test_nwb_of_a_steady_video_has_its_rate(pynwb, arena_project, tmp_path):
    with VideoReader(arena_project.videos[0]) as reader:
        path = exchange.write_poses("nwb", tmp_path / "a.nwb", some_poses(arena_project, 10), reader)
        with pynwb.NWBHDF5IO(str(path), "r") as io:
            series = io.read().processing["behavior"]["PoseEstimation"]["snout"]
            assert series.timestamps is None
            assert series.rate == pytest.approx(reader.fps)


def test_nwb_labels(pynwb, arena_project, labels, tmp_path):
    path = exchange.write_labels("nwb", tmp_path / "a.nwb", labels, arena_project)
    assert not pynwb.validate(path=str(path))
    with pynwb.NWBHDF5IO(str(path), "r") as io:
        training = io.read().processing["behavior"]["PoseTraining"]
        frames = training.training_frames.training_frames
        assert len(frames) == len(labels)
        (_, rows, numbers) = exchange.source_frames(labels, arena_project)["arena"]
        for n, (row, number) in enumerate(zip(rows, numbers, strict=True)):
            frame = frames[f"frame_{n:05d}"]
            instance = frame.skeleton_instances.skeleton_instances["skeleton_instance"]
            np.testing.assert_array_equal(instance.node_locations[:], labels.points[row])
            assert int(frame.source_video_frame_index) == number  # beyond 255, too
            assert frame.annotator == "truth"
        assert numbers.max() > 255


def test_nwb_twice_gives_the_same_identifier(pynwb, arena_project, clip, tmp_path):
    seen = set()
    for name in ("a.nwb", "b.nwb"):
        path = exchange.write_poses("nwb", tmp_path / name, some_poses(arena_project, len(clip)), clip)
        with pynwb.NWBHDF5IO(str(path), "r") as io:
            seen.add(io.read().identifier)
    assert len(seen) == 1


def test_nwb_names_may_have_slashes(pynwb, clip, tmp_path):
    points = np.arange(4.0 * len(clip)).reshape(-1, 2, 2)
    poses = Poses(("left/ear", "left_ear"), SCORER, points, np.ones((len(clip), 2)))
    path = exchange.write_poses("nwb", tmp_path / "a.nwb", poses, clip)
    with pynwb.NWBHDF5IO(str(path), "r") as io:
        found = io.read().processing["behavior"]["PoseEstimation"]
        np.testing.assert_array_equal(found["left_ear"].data[:], points[:, 0])
        np.testing.assert_array_equal(found["left_ear_"].data[:], points[:, 1])


def test_nwb_labels_without_a_video_are_on_the_images(pynwb, arena_project, labels, tmp_path):
    few, project = without_video(arena_project, labels, tmp_path)
    path = exchange.write_labels("nwb", tmp_path / "a.nwb", few, project)
    assert not pynwb.validate(path=str(path))
    with pynwb.NWBHDF5IO(str(path), "r") as io:
        training = io.read().processing["behavior"]["PoseTraining"]
        frames = training.training_frames.training_frames
        source = frames["frame_00000"].source_video
        assert list(source.external_file[:]) == list(few.images)
        assert list(source.dimension[:]) == [640, 480]
        for n in range(3):
            frame = frames[f"frame_{n:05d}"]
            instance = frame.skeleton_instances.skeleton_instances["skeleton_instance"]
            np.testing.assert_array_equal(instance.node_locations[:], few.points[n])
            assert int(frame.source_video_frame_index) == n


def test_nwb_wants_the_video_or_the_images(pynwb, arena_project, labels, tmp_path):
    images = tuple(image.replace("/arena/", "/other/") for image in labels.images)
    other = Labels(labels.bodyparts, labels.scorer, images, labels.points)
    with pytest.raises(ExchangeError, match=r"other.*expected the image that was labeled"):
        exchange.write_labels("nwb", tmp_path / "a.nwb", other, arena_project)
    assert not list(tmp_path.iterdir())


# --- SLEAP


@pytest.fixture
def sleap_io():
    return pytest.importorskip("sleap_io", reason="the extra 'sleap' is not installed")


def test_slp_poses(sleap_io, arena_project, clip, tmp_path):
    poses = some_poses(arena_project, len(clip))
    path = exchange.write_poses("slp", tmp_path / "a.slp", poses, clip, skeleton=arena_project.skeleton)
    found = sleap_io.load_slp(str(path), open_videos=False)
    assert found.skeleton.node_names == list(poses.bodyparts)
    assert found.skeleton.edge_inds == [tuple(edge) for edge in arena_project.skeleton.index_edges.tolist()]
    assert [frame.frame_idx for frame in found] == [n for n in range(len(clip)) if n != 3]
    assert found.video.filename == str(clip.path)
    assert tuple(found.video.shape) == (12, 64, 96, 3)
    for frame in found:
        (instance,) = frame.predicted_instances
        np.testing.assert_array_equal(instance.numpy(), poses.points[frame.frame_idx])
        np.testing.assert_array_equal(instance.points["score"], poses.likelihood[frame.frame_idx])


def test_slp_labels(sleap_io, arena_project, labels, tmp_path):
    path = exchange.write_labels("slp", tmp_path / "a.slp", labels, arena_project)
    found = sleap_io.load_slp(str(path), open_videos=False)
    assert len(found) == len(labels)
    (video, rows, numbers) = exchange.source_frames(labels, arena_project)["arena"]
    assert found.video.filename == str(video)
    for frame, row, number in zip(found, rows, numbers, strict=True):
        (instance,) = frame.user_instances
        assert frame.frame_idx == number
        np.testing.assert_array_equal(instance.numpy(), labels.points[row])


def test_slp_labels_without_a_video_are_on_the_images(sleap_io, arena_project, labels, tmp_path):
    few, project = without_video(arena_project, labels, tmp_path)
    path = exchange.write_labels("slp", tmp_path / "a.slp", few, project)
    found = sleap_io.load_slp(str(path), open_videos=False)
    assert [frame.frame_idx for frame in found] == [0, 1, 2]
    assert [name.split("/")[-2] for name in found.video.filename] == ["gone"] * 3


# --- COCO


def test_coco_labels_are_half_a_pixel_off_and_back(arena_project, labels, tmp_path):
    path = exchange.write_labels("coco", tmp_path / "a.json", labels, arena_project)
    data = json.loads(path.read_text())
    first = np.array(data["annotations"][0]["keypoints"]).reshape(-1, 3)
    np.testing.assert_allclose(first[0], [*(labels.points[0, 0] + 0.5), 2])
    np.testing.assert_array_equal(first[1], [0, 0, 0])
    assert np.array(data["categories"][0]["skeleton"]).min() == 1
    again = coco.read_labels(path, "truth")
    assert (again.bodyparts, again.images) == (labels.bodyparts, labels.images)
    np.testing.assert_allclose(again.points, labels.points)


def test_coco_leaves_out_missing_images_and_says_so(arena_project, labels, tmp_path, caplog):
    project = copy_of(arena_project, tmp_path)
    (project.root / labels.images[2]).unlink()
    (project.root / labels.images[3]).write_bytes(b"no image")
    again = coco.read_labels(exchange.write_labels("coco", tmp_path / "a.json", labels, project), "truth")
    assert again.images == (*labels.images[:2], *labels.images[4:])
    assert re.search(r"2 of 6 labeled images are left out: .*png is missing", caplog.text)
    shutil.rmtree(project.root / "labeled-data")
    with pytest.raises(ExchangeError, match="expected the image that was labeled"):
        exchange.write_labels("coco", tmp_path / "b.json", labels, project)
    assert not (tmp_path / "b.json").exists()


def test_coco_opens_in_pycocotools(arena_project, labels, clip, tmp_path, capsys):
    reader = pytest.importorskip("pycocotools.coco", reason="pycocotools is not installed")
    found = reader.COCO(str(exchange.write_labels("coco", tmp_path / "labels.json", labels, arena_project)))
    assert len(found.getImgIds()) == len(labels)
    (cat,) = found.loadCats(found.getCatIds())
    assert tuple(cat["keypoints"]) == labels.bodyparts
    poses = some_poses(arena_project, len(clip))
    found = reader.COCO(str(exchange.write_poses("coco", tmp_path / "poses.json", poses, clip)))
    assert len(found.getImgIds()) == len(clip)
    assert not found.getAnnIds(imgIds=[3])
    (one,) = found.loadAnns(found.getAnnIds(imgIds=[5]))
    np.testing.assert_allclose(np.reshape(one["keypoints"], (-1, 3))[:, :2], poses.points[5] + 0.5)
    assert one["score"] == pytest.approx(poses.likelihood[5].mean())
    np.testing.assert_allclose(one["keypoint_scores"], poses.likelihood[5])
    x, y, width, height = one["bbox"]
    assert 0 <= x <= x + width <= 96
    assert 0 <= y <= y + height <= 64


@pytest.mark.parametrize("text", ["[]", "{}", "no json", '{"images": [], "annotations": [], "categories": []}'])
def test_coco_of_another_kind_is_refused(text, tmp_path):
    (tmp_path / "a.json").write_text(text)
    with pytest.raises(ExchangeError, match="expected COCO keypoints"):
        coco.read_labels(tmp_path / "a.json", "Ann")


# --- all


@pytest.mark.parametrize("to", exchange.FORMATS)
def test_poses_of_another_video_are_refused(to, arena_project, clip, tmp_path):
    pytest.importorskip({"nwb": "ndx_pose", "slp": "sleap_io"}.get(to, "json"))
    with pytest.raises(ExchangeError, match="at most 12 poses"):
        exchange.write_poses(to, tmp_path / "a", some_poses(arena_project, 13), clip)
    assert [p.name for p in tmp_path.iterdir()] == ["vfr.mp4"]


@pytest.mark.parametrize(("to", "module", "extra"), [("nwb", "pynwb", "nwb"), ("slp", "sleap_io", "sleap")])
def test_a_missing_package_names_the_extra(to, module, extra, arena_project, clip, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(ImportError, match=rf"pip install 'dlcnb\[{extra}\]'"):
        exchange.write_poses(to, tmp_path / "a", some_poses(arena_project, len(clip)), clip)


def test_an_unknown_format_names_the_nearest(clip, tmp_path):
    with pytest.raises(ExchangeError, match="did you mean 'coco'"):
        exchange.write_poses("cocoo", tmp_path / "a", None, clip)


@pytest.mark.parametrize("to", exchange.FORMATS)
def test_a_full_disk_leaves_the_old_file(to, arena_project, tmp_path, mounted):
    pytest.importorskip({"nwb": "ndx_pose", "slp": "sleap_io"}.get(to, "json"))
    poses = some_poses(arena_project, 900)
    with VideoWriter(tmp_path / "long.mp4", (32, 32), 25) as writer:
        for _ in poses.points:
            writer.write(np.zeros((32, 32, 3), np.uint8))
    with mounted(tmp_path / "small", "size=96k") as folder, VideoReader(tmp_path / "long.mp4") as reader:
        path = folder / f"a{exchange.FORMATS[to]}"
        path.write_text("old")
        with pytest.raises(OSError, match=r"disk is full.*The old one is unchanged"):
            exchange.write_poses(to, path, poses, reader)
        assert path.read_text() == "old"
        assert list(folder.iterdir()) == [path]


def test_names_of_bodyparts_are_told_apart_in_nwb():
    from dlcnb.exchange.nwb import _names

    found = _names(["a/b", "a:b", "a_b", ".", "..", "_"])
    assert len(set(found)) == 6
    assert not any("/" in name or ":" in name or name == "." for name in found)
