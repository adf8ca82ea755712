"""Choice and extraction of frames, on short clips whose scenes are known."""

import logging

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.scenes import SIZE, scene

from dlcnb import frames
from dlcnb.project import Project
from dlcnb.video import VideoError, VideoReader, VideoWriter

SCENES = 5
SCENE_LENGTH = 16


pytestmark = pytest.mark.usefixtures("own_cache")


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    """80 frames: five scenes of 16 frames each."""
    path = tmp_path_factory.mktemp("clip") / "scenes.mp4"
    with VideoWriter(path, SIZE, 30) as writer:
        for i in range(SCENES * SCENE_LENGTH):
            writer.write(scene(i // SCENE_LENGTH, i))
    return path


@pytest.fixture
def reader(clip):
    with VideoReader(clip) as reader:
        yield reader


@pytest.fixture
def project(tmp_path, clip):
    return Project.create("task", "me", [clip], ("nose", "tail"), parent=tmp_path, copy_videos=True)


# --- uniform --------------------------------------------------------------------------------------------------------


@settings(deadline=None)
@given(st.integers(1, 3000), st.integers(1, 400), st.integers(0, 99), st.integers(1, 100), st.integers(0, 5))
def test_uniform_gives_distinct_frames_of_the_part(n, count, start, length, seed):
    start, stop = start / 100, min(1.0, (start + length) / 100)
    first, last = int(np.floor(n * start)), int(np.ceil(n * stop))
    if last <= first:
        return
    chosen = frames.uniform(n, count, start=start, stop=stop, seed=seed)
    assert len(chosen) == min(count, last - first)
    assert (np.diff(chosen) > 0).all()
    assert first <= chosen[0]
    assert chosen[-1] < last


def test_uniform_covers_the_video_and_repeats_by_seed():
    chosen = frames.uniform(1000, 10, seed=4)
    assert (chosen // 100 == np.arange(10)).all()
    np.testing.assert_array_equal(chosen, frames.uniform(1000, 10, seed=4))
    assert (chosen != frames.uniform(1000, 10, seed=5)).any()


def test_every_frame_can_be_chosen():
    """DeepLabCut's own choice of outliers can never take the first frame; here all can come."""
    seen = {int(i) for seed in range(200) for i in frames.uniform(12, 3, seed=seed)}
    assert seen == set(range(12))


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"count": 0}, "expected a whole number of at least 1"),
        ({"start": 0.5, "stop": 0.5}, "expected fractions of the video"),
        ({"start": -0.1}, "expected fractions of the video"),
        ({"stop": 20}, "expected fractions of the video"),
    ],
)
def test_wrong_wishes_are_refused(reader, wrong, message):
    wrong = {"count": 5, **wrong}
    with pytest.raises(ValueError, match=message):
        frames.uniform(100, **wrong)
    with pytest.raises(ValueError, match=message):
        frames.kmeans(reader, **wrong)


# --- k-means --------------------------------------------------------------------------------------------------------


def test_kmeans_takes_one_frame_of_each_scene(reader):
    for seed in range(3):
        chosen = frames.kmeans(reader, SCENES, seed=seed)
        assert (chosen // SCENE_LENGTH).tolist() == list(range(SCENES))


def test_kmeans_repeats_by_seed(reader):
    chosen = frames.kmeans(reader, 12, seed=1)
    np.testing.assert_array_equal(chosen, frames.kmeans(reader, 12, seed=1))
    assert len(np.unique(chosen)) == 12
    assert set(chosen // SCENE_LENGTH) == set(range(SCENES))


@pytest.mark.parametrize("count", [1, 7, 40, 79, 80, 200])
def test_kmeans_gives_as_many_as_there_are(reader, count):
    chosen = frames.kmeans(reader, count)
    assert chosen.dtype == np.int64
    assert len(chosen) == min(count, len(reader))
    assert (np.diff(chosen) > 0).all()


def test_kmeans_keeps_to_its_part(reader):
    chosen = frames.kmeans(reader, 6, start=0.4, stop=0.6)
    assert len(chosen) == 6
    assert set(chosen // SCENE_LENGTH) == {2}


def test_kmeans_compares_every_step_th_frame_but_enough_of_them(reader):
    assert (frames.kmeans(reader, 5, step=4) % 4 == 0).all()
    assert len(frames.kmeans(reader, 30, step=50)) == 30


def test_kmeans_looks_at_a_bounded_number_of_frames(reader, monkeypatch):
    monkeypatch.setattr(frames, "MAX_COMPARED", 20)
    told = []
    chosen = frames.kmeans(reader, 5, progress=lambda done, total: told.append((done, total)))
    assert told == [(i, 20) for i in range(1, 21)]
    assert (chosen // SCENE_LENGTH).tolist() == list(range(SCENES))


def test_kmeans_of_a_still_video(tmp_path):
    with VideoWriter(tmp_path / "still.mp4", SIZE, 30) as writer:
        for _ in range(30):
            writer.write(np.full((*SIZE, 3), 90, np.uint8))
    with VideoReader(tmp_path / "still.mp4") as reader:
        assert len(frames.kmeans(reader, 8)) == 8


class Damaged:
    """A reader some of whose frames can't be decoded."""

    def __init__(self, reader, damaged):
        self.reader, self.lost = reader, set(damaged)
        self.size, self.path = reader.size, reader.path

    def __len__(self):
        return len(self.reader)

    def frames(self, *part):
        return ((i, None if i in self.lost else image) for i, image in self.reader.frames(*part))


def test_kmeans_passes_over_damaged_frames(reader):
    damaged = Damaged(reader, range(0, 80, 4))
    assert not set(frames.kmeans(damaged, 10)) & damaged.lost
    chosen = frames.kmeans(damaged, 15, step=4)  # all the compared ones are damaged, so it looks closer
    assert len(chosen) == 15
    assert not set(chosen) & damaged.lost
    with pytest.raises(VideoError, match="found none that can be decoded"):
        frames.kmeans(Damaged(reader, range(80)), 5)


# --- extraction -----------------------------------------------------------------------------------------------------


def test_extracted_images_are_the_frames(project, clip, reader):
    paths = frames.extract(project, project.videos[0], [40, 3, 79])
    assert [p.relative_to(project.root).as_posix() for p in paths] == [
        "labeled-data/scenes/img40.png",
        "labeled-data/scenes/img03.png",
        "labeled-data/scenes/img79.png",
    ]
    for path, index in zip(paths, (40, 3, 79), strict=True):
        np.testing.assert_array_equal(cv2.imread(str(path))[..., ::-1], reader.read(index))
    assert frames.extract(project, "scenes", np.array([3])) == [paths[1]]


def test_what_is_there_is_neither_written_again_nor_renamed(project):
    folder = project.labeled_dir("scenes")
    folder.mkdir(parents=True)
    (folder / "img03.png").write_bytes(b"mine")
    (folder / "img0005.png").write_bytes(b"of an older, longer numbering")
    (folder / "img_note.png").write_bytes(b"no frame")
    paths = frames.extract(project, "scenes", [3, 5, 6, 6])
    assert [p.name for p in paths] == ["img03.png", "img0005.png", "img06.png", "img06.png"]
    assert (folder / "img03.png").read_bytes() == b"mine"
    assert sorted(p.name for p in folder.iterdir()) == ["img0005.png", "img03.png", "img06.png", "img_note.png"]


def test_a_frame_outside_the_video_writes_nothing(project):
    with pytest.raises(IndexError, match="expected 0 to 79"):
        frames.extract(project, "scenes", [3, 80])
    assert not project.labeled_dir("scenes").exists()


def test_an_unknown_video_is_named(project):
    with pytest.raises(ValueError, match=r"no video 'scene'.*did you mean 'scenes'"):
        frames.extract(project, "scene", [3])


def test_a_damaged_frame_is_left_out_with_a_warning(project, caplog):
    video = project.videos[0]
    data = video.read_bytes()
    with VideoWriter(video, SIZE, 30, crf=30) as writer:
        for i in range(80):
            writer.write(scene(i // SCENE_LENGTH, i))
    data = video.read_bytes()
    moov = data.index(b"moov") - 4
    video.write_bytes(data[: moov - 1000] + bytes(1000) + data[moov:])  # the last frames are zeroed
    with caplog.at_level(logging.WARNING):
        paths = frames.extract(project, video, [5, 79])
    assert [p.name for p in paths] == ["img05.png"]
    assert "frame 79 of 80 is damaged" in caplog.text


def test_a_folder_that_cannot_be_made(project):
    labeled = project.root / "labeled-data"
    if labeled.exists():
        labeled.rmdir()
    labeled.write_text("in the way")
    with pytest.raises(OSError, match="cannot make the folder"):
        frames.extract(project, "scenes", [3])


def test_extracting_goes_one_by_one_and_what_is_written_stays(project):
    work = frames.extracting(project, "scenes", [40, 3, 3])
    index, path = next(work)
    assert (index, path.name) == (3, "img03.png")
    work.close()
    assert sorted(frames.extracted(project.labeled_dir("scenes"))) == [3]
    assert [index for index, _ in frames.extracting(project, "scenes", [40, 3])] == [3, 40]


# --- a part of the frame, and near-duplicates -----------------------------------------------------------------------


def test_kmeans_sees_only_the_crop(reader):
    chosen = frames.kmeans(reader, 2, crop=(0, 45, 0, 45))  # where the square of scene 0 lies, and nothing else
    assert (chosen // SCENE_LENGTH == 0).sum() == 1
    with pytest.raises(ValueError, match="outside the frame"):
        frames.kmeans(reader, 3, crop=(500, 600, 0, 45))


def test_kmeans_ends_when_progress_raises(reader):
    def stop(done, total):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        frames.kmeans(reader, 5, progress=stop)


def test_near_duplicates_are_frames_of_one_scene(reader):
    numbers = [0, 5, 20, 40, 41, 60, 79]
    found = frames.near_duplicates([frames.signature(reader.read(i)) for i in numbers])
    assert found.tolist() == [-1, 0, -1, -1, 3, -1, -1]


def test_near_duplicates_keep_the_first_of_many(reader):
    same = [frames.signature(reader.read(i)) for i in (2, 3, 4, 5)]
    assert frames.near_duplicates(same).tolist() == [-1, 0, 0, 0]
    assert frames.near_duplicates(same[:1]).tolist() == [-1]
    assert frames.near_duplicates([]).tolist() == []


def test_near_duplicates_don_t_mind_brightness_but_mind_a_small_animal():
    ground = np.full((480, 640, 3), 120, np.uint8)
    there, elsewhere = ground.copy(), ground.copy()
    there[100:120, 100:120] = 20
    elsewhere[300:320, 500:520] = 20
    signatures = [frames.signature(image) for image in (ground, ground + np.uint8(30), there, elsewhere)]
    assert frames.near_duplicates(signatures).tolist() == [-1, 0, -1, -1]


def test_near_duplicates_in_a_real_video(openfield_root):
    with VideoReader(next((openfield_root / "videos").glob("*.mp4"))) as video:
        far = [frames.signature(video.read(i)) for i in range(0, 1000, 100)]
        near = frames.signature(video.read(301))
    assert (frames.near_duplicates(far) == -1).all()
    assert frames.near_duplicates([*far, near])[-1] == 3


@pytest.mark.parametrize("crop", [None, (8, 120, 8, 88)])
def test_the_crop_never_changes_what_is_extracted(project, crop, reader):
    if crop:
        project.set_crop("scenes", crop)
    (path,) = frames.extract(project, "scenes", [7])
    np.testing.assert_array_equal(cv2.imread(str(path))[..., ::-1], reader.read(7))
