"""What follows an analysis, on tables of several animals: filter, plot, label-video, outliers, export."""

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from dlcnb import sampledata
from dlcnb.cli.console import main
from dlcnb.exchange import coco
from dlcnb.poses import MultiAnimalPoses, Poses, read_poses
from dlcnb.video import VideoReader

NAMES = ("individual1", "individual2")


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    arena = sampledata.Arena(n_frames=30, size=(96, 128))
    return sampledata.synthetic_project(tmp_path_factory.mktemp("several"), n_label=4, arena=arena)


@pytest.fixture
def tables(project, tmp_path):
    """A folder with the table of two animals, the second 20 px right of the first, which jumps once."""
    points = np.cumsum(np.full((30, 2, 4, 2), 0.5), axis=0) + np.arange(4)[:, None] * 5.0
    points[:, 1, :, 0] += 20
    points[12, 0, 0] += 60
    poses = MultiAnimalPoses(NAMES, project.bodyparts, "DLC_net_7", points, np.full((30, 2, 4), 0.9))
    poses.write(tmp_path / "arena.mp4", suffix="_el")
    return tmp_path


def run(command, project, tables, *options, code=0):
    line = [command, project.root, project.videos[0], "--tables", tables, *options, "--json"]
    done = CliRunner().invoke(main, [str(word) for word in line])
    assert done.exit_code == code, done.output
    return json.loads(done.stdout) if code == 0 else done.output


def test_filter_smooths_each_animal(project, tables):
    (done,) = run("filter", project, tables)["videos"]
    assert done["output"].endswith("DLC_net_7_el_filtered.h5")
    smooth, raw = MultiAnimalPoses.read(done["output"]), MultiAnimalPoses.read(tables / "arenaDLC_net_7_el.h5")
    assert raw.points[12, 0, 0, 0] - smooth.points[12, 0, 0, 0] == pytest.approx(60, abs=1)
    np.testing.assert_allclose(smooth.points[4:-4, 1], raw.points[4:-4, 1])


@pytest.mark.parametrize(("options", "name"), [((), "all"), (("--animal", "individual2"), "individual2")])
def test_plot_of_all_or_one(project, tables, options, name):
    (done,) = run("plot", project, tables, *options)["videos"]
    assert {path.split("/")[-1] for path in done["plots"]} >= {f"trajectory_{name}.png", f"hist_{name}.png"}


def test_labeled_videos_of_all_and_of_one(project, tables):
    (both,) = run("label-video", project, tables)["videos"]
    (one,) = run("label-video", project, tables, "--animal", "individual1")["videos"]
    assert both["output"] != one["output"]
    with VideoReader(both["output"]) as reader, VideoReader(one["output"]) as other:
        assert len(reader) == len(other) == 30
        assert np.abs(reader.read(5).astype(int) - other.read(5)).max() > 50  # the second animal is drawn, too


def test_outliers_of_one_animal(project, tables):
    assert "Choose one: --animal NAME" in run("outliers", project, tables, code=2)
    found = run("outliers", project, tables, "--dry-run")
    assert found["frames"]
    assert found["reasons"][0].startswith("individual1 snout")
    assert run("outliers", project, tables, "--animal", "individual2", "--dry-run")["frames"] == []


def test_export_of_all_and_of_one(project, tables):
    (done,) = run("export", project, tables, "--to", "coco")["videos"]
    parts = json.loads(Path(done["output"]).read_text())["categories"][0]["keypoints"]
    assert parts[4:] == [f"individual2 {part}" for part in project.bodyparts]
    (done,) = run("export", project, tables, "--to", "coco", "--animal", "individual2")["videos"]
    assert coco.read_labels(done["output"], "x").bodyparts == project.bodyparts


def test_a_table_of_one_animal_comes_first_and_an_unknown_name_is_told(project, tables):
    one = Poses(project.bodyparts, "DLC_net_7", np.zeros((30, 4, 2)), np.ones((30, 4)))
    path, _ = one.write(tables / "arena.mp4")
    assert run("export", project, tables, "--to", "coco")["videos"][0]["output"].endswith("DLC_net_7.json")
    assert "did you mean 'individual2'" in run(
        "export", project, tables, "--to", "coco", "--animal", "indiviual2", code=1
    )
    with pytest.raises(ValueError, match="of one animal"):
        read_poses(path, "individual1")
    assert read_poses(path, "all").bodyparts == project.bodyparts
