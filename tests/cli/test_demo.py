"""``dlcnb demo``: the main job, on synthetic and on real data."""

import json
import os
import shutil
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest
from support.commands import run

from dlcnb import Labels, VideoReader, VideoWriter, sampledata
from dlcnb.cli.demo import _fresh_folder, _too_short
from dlcnb.project import Project

TIMEOUT = 900
FRAMES = 100


def demo(*arguments, cwd, **environment):
    """JSON of a demo that runs in a process of its own."""
    line = [sys.executable, "-m", "dlcnb", "demo", "--json", *map(str, arguments)]
    environment = {**os.environ, **environment}
    done = subprocess.run(line, capture_output=True, text=True, timeout=TIMEOUT, cwd=cwd, env=environment)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def shorten(video, count):
    """Keep the first frames of a video, to save time."""
    with VideoReader(video) as reader, VideoWriter(video, reader.size, reader.fps) as writer:
        for _, image in reader.frames(0, count):
            writer.write(image)


def keep_labels(folder, count):
    """Keep the labels of the first frames, to save time."""
    labels = Labels.read(folder)
    Labels(labels.bodyparts, labels.scorer, labels.images[:count], labels.points[:count]).write(folder)


def check_files(report):
    """The project can be opened and everything that was promised is there; returns it."""
    project = Project.open(report["project"])
    assert {Path(p).name for p in report["plots"]} == {"trajectory.png", "plot.png", "plot-likelihood.png", "hist.png"}
    assert all(Path(p).stat().st_size > 1000 for p in report["plots"])
    (analyzed,) = report["analyze"]["videos"]
    assert Path(analyzed["output"]).is_file()
    with VideoReader(report["labeled_video"]) as reader:
        assert len(reader) == analyzed["frames"]
    return project


def test_nothing_is_overwritten(tmp_path):
    first = _fresh_folder(tmp_path / "demo")
    assert first == tmp_path / "demo"
    assert _fresh_folder(tmp_path / "demo") == first  # still empty
    (first / "result").write_text("mine")
    assert _fresh_folder(tmp_path / "demo") == tmp_path / "demo-2"
    (tmp_path / "file").write_text("mine")
    assert _fresh_folder(tmp_path / "file") == tmp_path / "file-2"


def test_a_network_that_had_too_little_time_is_told_with_the_cure(tmp_path):
    (told,) = _too_short(tmp_path, {"step": 18, "verdict": {"level": "useless"}}, "dlcnb")
    assert "useless" in told
    assert "18 steps" in told
    assert told.endswith(f"dlcnb train {tmp_path} --minutes 10")
    assert _too_short(tmp_path, {"step": 400, "verdict": {"level": "good"}}, "dlcnb") == []


@pytest.mark.mxnet
@pytest.mark.slow
def test_the_whole_road_on_synthetic_data(tmp_path, monkeypatch):
    arena = sampledata.Arena(n_frames=FRAMES, size=(240, 320))
    small = partial(sampledata.synthetic_project, n_label=20, arena=arena)
    monkeypatch.setattr(sampledata, "synthetic_project", small)
    monkeypatch.chdir(tmp_path)
    report = json.loads(run("demo", "--json", "--steps", 4, "--out", "d").stdout)
    assert {"project", "evaluate", "analyze", "seconds", "peak_rss_mb"} <= set(report)
    project = check_files(report)
    assert tmp_path / "d" in project.root.parents
    assert report["evaluate"]["test"]["n"] == 4 * len(project.bodyparts)
    assert report["evaluate"]["test"]["mean_px"] > 0
    assert report["peak_rss_mb"] < 2000


@pytest.mark.mxnet
@pytest.mark.slow
def test_the_whole_road_on_real_data(openfield_root, tmp_path):
    copy = Path(shutil.copytree(openfield_root, tmp_path / "data" / openfield_root.name))
    video = copy / "videos" / "m3v1mp4.mp4"
    shorten(video, FRAMES)
    keep_labels(copy / "labeled-data" / "m4s1", 20)
    report = demo("--data", "openfield", "--steps", 4, cwd=tmp_path, DLCNB_DATA=str(tmp_path / "data"))
    project = check_files(report)
    assert project.root.parent == tmp_path / "dlcnb-demo"
    assert report["analyze"]["videos"][0]["frames"] == FRAMES
    assert report["evaluate"]["test"]["n"] == 4 * len(project.bodyparts)
