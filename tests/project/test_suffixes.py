"""What `VideoReader` opens is a video, whatever its suffix; a folder stands for the videos in it."""

import json

import numpy as np
import pytest
from support.commands import run

from dlcnb.project import Project, ProjectError, find_videos, is_video
from dlcnb.video import VideoWriter


@pytest.mark.parametrize(
    "suffix", ["m2ts", "3gp", "asf", "264", "mjpg", "qt", "mpv", "mpg", "mkv", "MTS", "webm", "mod", "divx"]
)
def test_a_project_takes_it(tmp_path, suffix):
    with VideoWriter(tmp_path / "a.mp4", (48, 64), 30) as writer:
        writer.write(np.zeros((48, 64, 3), np.uint8))
    path = (tmp_path / "a.mp4").rename(tmp_path / f"x.{suffix}")
    assert is_video(path)
    project = Project.create("t", "A", [path], ["a", "b"], parent=tmp_path)
    assert [video.name for video in project.videos] == [path.name]


@pytest.mark.parametrize(
    ("name", "cure"),
    [
        ("x.txt", "is a video with a suffix that is no video's; rename it, such as to x.mp4"),
        (".x.mp4", "begins with a dot"),
        ("a\nb.mp4", "has a line break or the like in it; rename it"),
        ("x" * 170 + ".mp4", "is too long, as the tables of a video have its name and more"),
    ],
)
def test_names_that_would_make_trouble_later(tmp_path, name, cure):
    with VideoWriter(tmp_path / "a.mp4", (48, 64), 30) as writer:
        writer.write(np.zeros((48, 64, 3), np.uint8))
    path = (tmp_path / "a.mp4").rename(tmp_path / name)
    told = run("new", "t", "--scorer", "A", "--bodyparts", "a", "--parent", tmp_path / "p", path, code=1).stderr
    assert cure in told
    assert not (tmp_path / "p").exists()


@pytest.fixture
def folder(tmp_path):
    """Videos: two in a folder, one deeper, and what is none."""
    folder = tmp_path / "day1"
    (folder / "late" / ".hidden").mkdir(parents=True)
    with VideoWriter(folder / "b.mp4", (48, 64), 30) as writer:
        writer.write(np.zeros((48, 64, 3), np.uint8))
    data = (folder / "b.mp4").read_bytes()
    for name in (
        "a.MP4",
        "late/c.mp4",
        "b_labeled.mp4",
        "b_labeled_before_adapt.mp4",
        "bDLC_Net_tMar5shuffle1.mp4",
        "._b.mp4",
        "late/.hidden/d.mp4",
    ):
        (folder / name).write_bytes(data)
    (folder / "notes.txt").write_text("no video")
    (folder / "late" / "up").symlink_to(folder)
    return folder


def test_a_folder_stands_for_its_videos(folder):
    a, b, c = folder / "a.MP4", folder / "b.mp4", folder / "late" / "c.mp4"
    assert find_videos([folder]) == [a, b]
    assert find_videos([c, folder, b]) == [c, a, b]
    assert find_videos([folder], recursive=True) == [a, b, c]
    (folder / "empty").mkdir()
    with pytest.raises(ProjectError, match=r"no video in .*empty; expected files .*--recursive"):
        find_videos([folder / "empty"])


def test_the_commands_take_folders(folder, tmp_path):
    common = ["--scorer", "A", "--bodyparts", "a,b", "--parent", tmp_path, "--json"]
    made = json.loads(run("new", "t", *common, folder).stdout)
    assert [path.rsplit("/", 1)[-1] for path in made["videos"]] == ["a.MP4", "b.mp4"]
    added = json.loads(run("add-videos", made["project"], folder, "--recursive", "--json").stdout)["added"]
    assert [path.rsplit("/", 1)[-1] for path in added] == ["c.mp4"]
    assert "no video in" in run("analyze", made["project"], made["project"], code=1).stderr
