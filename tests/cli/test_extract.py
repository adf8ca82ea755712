"""dlcnb extract: config.yaml says how many frames, from which part, unless options do."""

import json

import numpy as np
import pytest
from click.testing import CliRunner

from dlcnb.cli import main
from dlcnb.project import Project
from dlcnb.video import VideoWriter


def video(path, frames=100):
    with VideoWriter(path, (32, 48), 25) as writer:
        for value in range(frames):
            writer.write(np.full((32, 48, 3), value, np.uint8))
    return path


@pytest.fixture
def project(tmp_path):
    return Project.create("reach", "Ann", video(tmp_path / "cam1.mp4"), ["hand"], parent=tmp_path)


def extract(project, *options):
    """What `dlcnb extract --json` says of the one video."""
    done = CliRunner().invoke(main, ["extract", str(project.root), *map(str, options), "--json"])
    assert done.exit_code == 0, done.output
    (found,) = json.loads(done.stdout)["videos"]
    return found


@pytest.mark.parametrize("how", ["uniform", "kmeans"])
def test_config_says_how_many_frames_from_where(project, how):
    project.config.update(start=0.5, stop=0.6, numframes2pick=5)
    project.save()
    found = extract(project, "--how", how)
    assert len(found["frames"]) == 5
    assert 50 <= min(found["frames"]) <= max(found["frames"]) < 60
    assert (found["start"], found["stop"]) == (0.5, 0.6)


def test_options_go_first(project):
    project.config.update(start=0.5, stop=0.6, numframes2pick=5)
    project.save()
    found = extract(project, "--how", "uniform", "--count", 3, "--start", 0, "--stop", 0.1)
    assert len(found["frames"]) == 3
    assert max(found["frames"]) < 10


def test_the_crop_of_a_video_is_what_is_compared(project):
    assert extract(project, "--count", 2)["crop"] is None  # that of a new project is the whole frame
    project.set_crop("cam1", (8, 40, 0, 32))
    assert extract(project, "--count", 2)["crop"] == [8, 40, 0, 32]
    assert extract(project, "--count", 2, "--whole")["crop"] is None


def test_two_videos_of_one_name_are_refused(project, tmp_path):
    (tmp_path / "other").mkdir()
    (project.root / "videos" / "cam1.mp4").unlink()
    project.config["video_sets"][str(video(tmp_path / "other" / "cam1.mp4", 5))] = {"crop": "0, 48, 0, 32"}
    project.save()
    done = CliRunner().invoke(main, ["extract", str(project.root)])
    assert done.exit_code == 1
    assert "have the same name" in done.output


def test_a_video_that_is_not_there_is_named(project):
    (project.root / "videos" / "cam1.mp4").unlink()
    (project.root.parent / "cam1.mp4").unlink()
    told = CliRunner().invoke(main, ["extract", str(project.root)])
    assert told.exit_code == 1
    assert "cam1.mp4 is missing: put it " in told.stderr
