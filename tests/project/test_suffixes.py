"""What `VideoReader` opens is a video, whatever its suffix."""

import numpy as np
import pytest

from dlcnb.project import Project, is_video
from dlcnb.video import VideoWriter


@pytest.mark.parametrize("suffix", ["m2ts", "3gp", "asf", "264", "mjpg", "qt", "mpv", "mpg", "mkv", "MTS", "webm"])
def test_a_project_takes_it(tmp_path, suffix):
    with VideoWriter(tmp_path / "a.mp4", (48, 64), 30) as writer:
        writer.write(np.zeros((48, 64, 3), np.uint8))
    path = (tmp_path / "a.mp4").rename(tmp_path / f"x.{suffix}")
    assert is_video(path)
    project = Project.create("t", "A", [path], ["a", "b"], parent=tmp_path)
    assert [video.name for video in project.videos] == [path.name]
