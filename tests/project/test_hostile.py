"""A project from somebody else: its files can't lead out of it, fill the memory, or keep the program waiting."""

import os

import pytest
from support.labeling import make_project

from dlcnb.project import Project, ProjectError, doctor
from dlcnb.video import VideoWriter

CONFIG = "Task: reach\nscorer: Ann\ndate: Mar5\nvideo_sets:\nbodyparts: [hand, elbow]\n"


@pytest.fixture
def root(tmp_path):
    """A project without videos."""
    root = tmp_path / "reach"
    (root / "labeled-data").mkdir(parents=True)
    (root / "config.yaml").write_text(CONFIG)
    return root


@pytest.fixture
def outside(tmp_path):
    """A folder that is none of the project's."""
    folder = tmp_path / "outside"
    folder.mkdir()
    return folder


def video(path):
    with VideoWriter(path, (16, 16), 25) as writer:
        import numpy as np

        writer.write(np.zeros((16, 16, 3), np.uint8))
    return path


# --- config.yaml

BOMB = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]\n" for i in range(1, 10)
)
MERGES = "b0: &b0 {k0: 1}\n" + "".join(
    f"b{i}: &b{i} {{<<: [{', '.join([f'*b{i - 1}'] * 9)}], k{i}: 1}}\n" for i in range(1, 10)
)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (CONFIG + BOMB, "aliases"),
        (BOMB + CONFIG.replace("[hand, elbow]", "*a9"), "aliases"),
        (CONFIG + MERGES, "aliases"),
        (CONFIG + "x: &x [*x]\n", "aliases"),
        (CONFIG + "x: *nowhere\n", "YAML"),
        (CONFIG + "x: " + "[" * 5000 + "]" * 5000, "can't be read"),
        (CONFIG + "numframes2pick: 1" + "0" * 5000, "can't be read"),
        (CONFIG + "# " + "x" * (11 << 20), "larger than 10 MB"),
        (CONFIG.replace("video_sets:", "video_sets: {a.mp4: {crop: '0, 1" + "0" * 5000 + ", 0, 3'}}"), "expected crop"),
    ],
    ids=["bomb", "bomb of bodyparts", "merged", "in itself", "undefined", "deep", "long number", "large", "long crop"],
)
def test_a_config_that_never_ends_is_one_clear_error(root, text, message):
    (root / "config.yaml").write_text(text)
    with pytest.raises(ProjectError, match=message) as caught:
        Project.open(root)
    assert len(str(caught.value)) < 1000


def test_aliases_that_mean_something_are_read(root):
    (root / "config.yaml").write_text(CONFIG.replace("bodyparts: [hand, elbow]", "x: &x [hand, elbow]\nbodyparts: *x"))
    assert Project.open(root).bodyparts == ("hand", "elbow")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no pipes among its files")
def test_a_pipe_in_place_of_the_config_is_not_waited_for(root):
    (root / "config.yaml").unlink()
    os.mkfifo(root / "config.yaml")
    with pytest.raises(ProjectError, match="expected a file, found a pipe"):
        Project.open(root)


# --- links


def test_nothing_is_written_or_read_through_links_that_lead_out(root, outside):
    (root / "labeled-data" / "cam1").symlink_to(outside)
    for name in ("evaluation-results-mxnet", "dlc-models-mxnet"):
        (root / name).symlink_to(outside)
    project = Project.open(root)
    run = root / "dlc-models-mxnet" / "iteration-0" / "reachMar5-trainset95shuffle1" / "train"
    for use in (
        lambda: project.labeled_dir("cam1"),
        project.labeled_dirs,
        project.runs,
        lambda: project.new_run(0.95),
        lambda: project.evaluation_dir(run),
    ):
        with pytest.raises(ProjectError, match="leads out of the project"):
            use()
    assert list(outside.iterdir()) == []
    assert sum("leads out of the project" in f.message for f in doctor(root)) == 3


def test_a_config_that_is_a_link_is_not_written_through(root, outside):
    (root / "config.yaml").rename(outside / "config.yaml")
    (root / "config.yaml").symlink_to(outside / "config.yaml")
    project = Project.open(root)
    project.config["pcutoff"] = 0.1
    with pytest.raises(ProjectError, match="leads out of the project"):
        project.save()
    assert (outside / "config.yaml").read_text() == CONFIG


def test_a_link_inside_the_project_and_one_to_the_project_are_followed(root, tmp_path):
    (root / "frames").mkdir()
    (root / "labeled-data" / "cam1").symlink_to(root / "frames")
    (tmp_path / "link").symlink_to(root)
    assert [p.name for p in Project.open(tmp_path / "link").labeled_dirs()] == ["cam1"]


def test_videos_may_lie_elsewhere(root, outside):
    path = video(outside / "cam1.mp4")
    (root / "config.yaml").write_text(
        CONFIG.replace("video_sets:", f"video_sets: {{{path}: {{crop: '0, 16, 0, 16'}}}}")
    )
    assert Project.open(root).videos == [path]


# --- a name is not the thing


def test_two_videos_of_one_name_are_told(root, outside):
    paths = []
    for day in ("dayA", "dayB"):
        (outside / day).mkdir()
        paths.append(video(outside / day / "cam1.mp4"))
    entries = "".join(f"\n  {path}:\n    crop: 0, {8 + n}, 0, 16" for n, path in enumerate(paths))
    (root / "config.yaml").write_text(CONFIG.replace("video_sets:", f"video_sets:{entries}"))
    assert any(f.level == "error" and "2 videos are named 'cam1'" in f.message for f in doctor(root))
    assert [Project.open(root).crop(path) for path in paths] == [(0, 8, 0, 16), (0, 9, 0, 16)]


def test_the_folder_of_a_video_with_two_suffixes(root):
    (root / "videos").mkdir()
    path = video(root / "videos" / "Trim.avi.avi")
    (root / "config.yaml").write_text(CONFIG.replace("video_sets:", f"video_sets: {{{path}: {{}}}}"))
    project = Project.open(root)
    assert project.labeled_dir(path) == root / "labeled-data" / "Trim.avi"
    (root / "labeled-data" / "Trim.avi").mkdir()
    assert project.labeled_dir("Trim.avi") == project.labeled_dirs()[0] == root / "labeled-data" / "Trim.avi"
    assert project.video("Trim.avi") == project.video("Trim.avi.avi") == path


def test_a_video_may_be_called_labeled(root):
    for name in ("trial_labeled", "other_labeled"):
        (root / "labeled-data" / name).mkdir()
    (root / "config.yaml").write_text(CONFIG.replace("video_sets:", "video_sets: {trial_labeled.mp4: {}}"))
    assert [p.name for p in Project.open(root).labeled_dirs()] == ["trial_labeled"]


def test_labels_of_a_video_that_was_taken_out_are_told(root):
    (root / "labeled-data" / "badvid").mkdir()
    (root / "labeled-data" / "badvid" / "CollectedData_Ann.csv").touch()
    assert not any("badvid" in f.message for f in doctor(root))  # no video is listed: all count
    (root / "config.yaml").write_text(CONFIG.replace("video_sets:", "video_sets: {vid1.mp4: {}}"))
    assert any("badvid belongs to no video" in f.message for f in doctor(root))


def test_stray_files_are_passed_over_and_told(root):
    (root / "videos").mkdir()
    path = video(root / "videos" / "cam1.mp4")
    (root / "videos" / "._cam1.mp4").write_bytes(b"of a Mac")
    (root / "labeled-data" / "cam1").mkdir()
    (root / "labeled-data" / "cam1" / "CollectedData_Ann - Copy.csv").touch()
    (root / "config.yaml").write_text(CONFIG.replace("video_sets:", "video_sets: {TEMPLATE: {}}"))
    assert Project.open(root).videos == [path]
    (told,) = (f.message for f in doctor(root) if "passed over" in f.message)
    assert "videos/._cam1.mp4" in told
    assert "CollectedData_Ann - Copy.csv" in told


def test_labels_that_are_not_read_are_told(root):
    for name in ("vid1_labeled", "day1/vid1"):
        (root / "labeled-data" / name).mkdir(parents=True)
        (root / "labeled-data" / name / "CollectedData_Ann.csv").touch()
    told = [f.message for f in doctor(root)]
    assert any("passed over: labeled-data/vid1_labeled" in message for message in told)
    deep = "1 tables of labels lie too deep in labeled-data to be read: labeled-data/day1/vid1/CollectedData_Ann.csv"
    assert deep in told


def test_a_video_that_is_called_like_a_copy_is_none(tmp_path):
    made = make_project(tmp_path, videos=("rat (1)", "rat copy"))
    assert len(Project.open(made.root).videos) == 2
    assert [f.level for f in doctor(made.root)] == ["ok"]


def test_one_video_that_is_listed_twice(tmp_path):
    made = make_project(tmp_path, videos=("m1",))
    made.config["video_sets"]["C:\\data\\m1.mp4"] = {"crop": "0, 128, 0, 96"}
    made.save()
    assert len(Project.open(made.root).videos) == 1
    found = doctor(made.root, repair=True)
    assert [f.cure for f in found if "2 entries are one video, 'm1'" in f.message] == [
        "delete all but one of them from config.yaml"
    ]
    assert not [f for f in found if f.level == "error"]
    assert len(Project.open(made.root).video_keys()) == 2
