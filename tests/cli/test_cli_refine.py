"""``dlcnb filter``, ``outliers`` and ``merge``."""

import json
from pathlib import Path

import numpy as np
import pytest
from support.commands import run
from support.projects import copy_of

from dlcnb.labels import Edit, LabelStore
from dlcnb.outliers import suggestions
from dlcnb.poses import Poses, poses_path
from dlcnb.run import Run
from dlcnb.video import VideoReader
from dlcnb.widgets.refine.state import OutlierState


def run_json(*arguments):
    return json.loads(run(*arguments, "--json").stdout)


@pytest.fixture
def project(arena_project, tmp_path):
    return copy_of(arena_project, tmp_path)


@pytest.fixture
def analyzed(project, tmp_path):
    """(project, video, folder of the tables): a network that jumps in ten frames and misses some."""
    video, folder = project.videos[0], tmp_path / "tables"
    folder.mkdir()
    with VideoReader(video) as reader:
        count = len(reader)
    points = np.arange(count)[:, None, None] * [1.0, 0.5] + np.arange(len(project.bodyparts))[:, None] * 30.0
    points = points + np.random.default_rng(0).normal(0, 0.3, points.shape)
    likelihood = np.full(points.shape[:2], 0.99)
    points[20:120:10, 1] += 90
    likelihood[20:120:10, 1] = 0.3
    likelihood[60:64, 0] = 0.01
    Poses(project.bodyparts, "DLC_net_7", points, likelihood).write(poses_path(video, "DLC_net_7", folder=folder))
    return project, video, folder


def test_filter_with_each_method(analyzed):
    project, video, folder = analyzed
    raw = Poses.read(poses_path(video, "DLC_net_7", folder=folder))
    for method in ("median", "savgol", "kalman"):
        options = ["--method", method, "--pcutoff", 0.5, "--gap", 3, "--tables", folder]
        (done,) = run_json("filter", project.root, video, *options)["videos"]
        assert done["method"] == method
        smooth = Poses.read(done["output"])
        assert np.nanmax(np.abs(np.diff(smooth.points[:, 1], axis=0))) < 10  # no jump is left
        assert smooth.likelihood[20, 1] > 0.9  # filled between sure points
        assert np.isnan(smooth.points[60:64, 0]).all()  # a gap beyond the limit
        np.testing.assert_array_equal(smooth.likelihood[60:64, 0], raw.likelihood[60:64, 0])
    assert (
        "--window goes with" in run("filter", project.root, video, "--method", "kalman", "--window", 5, code=2).stderr
    )


def test_outliers_are_counted_extracted_labeled_and_merged(analyzed):
    project, video, folder = analyzed
    before = sorted(project.labeled_dir(video).iterdir())
    options = ["--tables", folder, "--count", 4, "--threshold", 20]
    dry = run_json("outliers", project.root, video, *options, "--dry-run")
    assert (dry["how"], dry["threshold"], dry["found"], dry["images"]) == ("jump", 20, 10, [])
    assert len(dry["frames"]) == len(dry["reasons"]) == 4
    assert set(dry["frames"]) <= set(range(20, 120, 10))
    assert sorted(project.labeled_dir(video).iterdir()) == before
    done = run_json("outliers", project.root, video, *options)
    assert done["frames"] == dry["frames"]
    assert len(done["images"]) == 4
    again = run_json("outliers", project.root, video, *options)
    assert not set(again["frames"]) & set(done["frames"])
    scorer, offered = suggestions(project, video)
    assert scorer == "DLC_net_7"
    assert len(offered) == 8
    store = LabelStore(project, video)
    image = next(iter(offered))
    store.apply([Edit(image, part, (5.0, 6.0)) for part in project.bodyparts])
    store.save()
    before = Run(project.new_run(0.8))
    before.snapshot(30).touch()
    merged = run_json("merge", project.root)
    assert merged["iteration"] == 1
    assert merged["start_from"] == str(before.folder)
    assert merged["refined"] == {video.stem: 1}
    assert "no outlier frames" in run("merge", project.root, code=1).stderr


def test_the_threshold_begins_where_refine_begins(analyzed):
    project, video, _ = analyzed
    folder = video.parent / "fast"
    folder.mkdir()
    with VideoReader(video) as reader:
        count = len(reader)
    points = np.random.default_rng(0).normal(60, 30, (count, len(project.bodyparts), 2))  # nearly all steps are long
    poses = Poses(project.bodyparts, "DLC_net_7", np.tile(points, (3, 1, 1))[:count], np.full(points.shape[:2], 0.9))
    poses.write(poses_path(video, "DLC_net_7", folder=folder))
    dry = run_json("outliers", project.root, video, "--tables", folder, "--how", "uncertain", "--dry-run")
    state = OutlierState(project, video, poses)
    state.set_how("uncertain")
    assert dry["threshold"] == pytest.approx(state.threshold) != pytest.approx(0.1)
    assert dry["found"] == state.n_found > 0


def test_outliers_among_poses_of_more_frames_than_the_video_has(analyzed):
    project, video, folder = analyzed
    table = poses_path(video, "DLC_net_7", folder=folder)
    poses = Poses.read(table)
    rows = [*range(len(poses)), 0, 0]
    Poses(poses.bodyparts, poses.scorer, poses.points[rows], poses.likelihood[rows]).write(table)
    options = ["--tables", folder, "--how", "uncertain", "--threshold", 1, "--count", len(rows)]
    done = run_json("outliers", project.root, video, *options)
    assert max(done["frames"]) < len(poses)


def test_outliers_by_each_way(analyzed):
    project, video, folder = analyzed
    found = {}
    for how, threshold in {"uncertain": 0.1, "fit": 20, "bone": 0.5, "swap": 3}.items():
        options = ["--how", how, "--threshold", threshold, "--tables", folder, "--dry-run"]
        report = run_json("outliers", project.root, video.stem, *options)
        found[how] = report["found"]
    assert found["uncertain"] == 4
    assert found["fit"] == 10
    assert "leftear" in run("outliers", project.root, video, "--tables", folder, "--dry-run").stdout
    text = run("outliers", project.root, video, "--tables", folder, "--threshold", 9e9).stdout
    assert text.startswith("0 of ")
    assert "(9e+09 px)" in text
    wrong = run("outliers", project.root, video, "--how", "uncertain", "--threshold", 20, code=2).stderr
    assert "0 to 1" in wrong
    wrong = run("outliers", project.root, video, "--tables", folder, "--bodyparts", "leftera", code=1)
    assert "did you mean 'leftear'" in wrong.stderr


def test_a_dry_run_says_that_nothing_is_written(analyzed):
    project, video, folder = analyzed
    text = run("outliers", project.root, video, "--tables", folder, "--count", 3, "--dry-run").stdout
    assert "nothing was written" in text
    assert "would extract" in text
    assert "Next: label" not in text


def test_filtering_says_what_it_replaced(analyzed):
    project, video, folder = analyzed
    first = run("filter", project.root, video.stem, "--tables", folder)
    assert "replaced" not in first.stdout
    assert str(folder / f"{video.stem}DLC_net_7_filtered.h5") in first.stdout
    assert "replaced" not in run("filter", project.root, video, "--tables", folder).stdout
    other = run("filter", project.root, video, "--tables", folder, "--method", "savgol")
    assert "replaced an earlier result: method median" in other.stdout
    for meta in folder.glob("*_meta.json"):
        meta.unlink()
    (done,) = run_json("filter", project.root, video, "--tables", folder, "--method", "kalman")["videos"]
    assert "another program" in done["replaced"]


def test_plots_go_beside_the_tables(analyzed):
    project, video, folder = analyzed
    (done,) = run_json("plot", project.root, video, "--tables", folder)["videos"]
    assert {Path(plot).parent for plot in done["plots"]} == {folder / "plot-poses" / video.stem}


@pytest.mark.parametrize("name", ["filter", "plot", "label-video", "outliers"])
def test_a_missing_video_and_a_missing_analysis_are_named(analyzed, name):
    project, video, _ = analyzed
    missing = run(name, project.root, "nobody.mp4", code=1).stderr
    assert "no video 'nobody.mp4'" in missing
    assert video.stem in missing
    new = run(name, project.root, video.name, code=1).stderr
    assert f"dlcnb analyze {project.root} {video}" in new
    if name in ("plot", "label-video"):
        assert f"dlcnb filter {project.root}" in run(name, project.root, video, "--filtered", code=1).stderr


def test_poses_that_may_be_of_a_crop_are_told(analyzed):
    project, video, folder = analyzed
    line = ["filter", project.root, video, "--tables", folder]
    assert "made from a crop" not in run(*line).stderr
    project.config["cropping"] = True
    project.save()
    assert "nothing beside it says whether it was made from a crop" in " ".join(run(*line).stderr.split())
    (folder / f"{video.stem}DLC_net_7_meta.json").write_text("{}")
    assert "made from a crop" not in run(*line).stderr


def test_filtered_poses_alone_are_told(analyzed, tmp_path):
    project, video, _ = analyzed
    name = f"{video.stem}DLC_net_arenaMar5shuffle1_snapshot_1_filtered.csv"
    (tmp_path / name).touch()
    told = run("plot", project.root, video, "--tables", tmp_path, code=1).stderr
    assert f"There are filtered ones, {name}: --filtered takes them" in told
