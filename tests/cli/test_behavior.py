"""The commands of behavior: scale, kinematics, zones, on a small project with poses whose movement is known."""

import json
import os
import re
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from support.commands import run

from dlcnb.cli.results import own_path, with_poses
from dlcnb.poses import MultiAnimalPoses, Poses, find_poses, poses_path
from dlcnb.project import Project, Scale, set_scale
from dlcnb.tables.h5 import read_h5_table
from dlcnb.video import VideoWriter
from dlcnb.zones import Zone, ZoneFile, zones_path

FPS, COUNT, SIZE = 25, 50, (48, 64)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A project of two videos, in both of which the nose moves 50 px/s to the right, the tail 10 px above it."""
    parent = tmp_path_factory.mktemp("behavior")
    for name in ("drug_m1", "saline_m2"):
        with VideoWriter(parent / f"{name}.mp4", SIZE, FPS) as writer:
            for _ in range(COUNT):
                writer.write(np.zeros((*SIZE, 3), np.uint8))
    videos = [parent / "drug_m1.mp4", parent / "saline_m2.mp4"]
    project = Project.create("maze", "ada", videos, ["nose", "tail"], parent=parent, skeleton=[("nose", "tail")])
    nose = np.column_stack([np.arange(COUNT) * 50 / FPS, np.full(COUNT, 20.0)])
    for video in project.videos:
        points = np.stack([nose, nose - (0, 10)], axis=1)
        Poses(("nose", "tail"), "DLC_net", points, np.full((COUNT, 2), 0.9)).write(video)
    return project


@pytest.fixture
def project(made, tmp_path):
    root = tmp_path / made.root.name
    shutil.copytree(made.root, root, symlinks=False)
    return Project.open(root)


def called(*arguments):
    """What a command prints as JSON."""
    return json.loads(run(*arguments, "--json").stdout)


def refused(*arguments):
    """The one line of a command that fails, in this process."""
    line = run(*arguments, code=1).stderr.strip().splitlines()[-1]
    assert line.startswith("dlcnb: error: ")
    return line


@pytest.mark.parametrize(
    ("level", "told"),
    [
        ("useless", "The network of these poses is useless: 40 px off on a 118 px animal. These numbers tell little."),
        ("usable", "The network of these poses is usable: 40 px off on a 118 px animal."),
        ("good", ""),
        (None, ""),
    ],
)
def test_a_network_that_is_not_good_is_told_with_its_numbers(project, level, told):
    video = project.videos[0]
    Poses(("nose",), "DLC_Resnet50_mazeNov28shuffle2_snapshot_400", np.ones((COUNT, 1, 2)), np.ones((COUNT, 1))).write(
        video
    )
    folder = project.evaluation_dir(project.root / "dlc-models-mxnet/iteration-0/mazeNov28-trainset95shuffle2/train")
    folder.mkdir(parents=True)
    verdict = {"verdict": {"level": level, "text": f"{level}: 40 px off on a 118 px animal"}} if level else []
    (folder / "evaluation-400.json").write_text(json.dumps(verdict))
    printed = run("kinematics", project.root, video).stdout
    assert ("The network of these poses" in printed) == bool(told)
    assert called("kinematics", project.root, video)["cautions"] == ([told] if told else [])


def test_scale_and_kinematics_in_cm(project):
    shown = called("scale", project.root, "--line", "0,0,50,0", "--cm", 10)
    assert set(shown["videos"].values()) == {"5 px per cm, from a line of 10 cm"}
    found = called("kinematics", project.root, "--pattern", "{group}_{animal}")
    assert found["unit"] == "cm"
    table = pd.read_csv(project.root / "kinematics.csv")
    assert list(table.columns[:4]) == ["video", "group", "animal", "bodypart"]
    np.testing.assert_allclose(table["mean_speed_cm_s"], 10)
    np.testing.assert_allclose(table["distance_cm"], 10 * (COUNT - 1) / FPS, rtol=1e-5)
    frames = pd.read_csv(found["videos"][0]["outputs"][0])
    np.testing.assert_allclose(frames["nose_tail_length_cm"], 2)
    np.testing.assert_allclose(np.cos(np.radians(frames["nose_heading_deg"])), 1)
    bones = read_h5_table(found["videos"][0]["outputs"][1])
    assert [tuple(c) for c in bones.columns][:2] == [("nose_tail", "length"), ("nose_tail", "orientation")]
    np.testing.assert_allclose(bones.to_numpy()[:, :2], [(10, 270)] * COUNT)
    assert find_poses(project.videos[0]).stem == "drug_m1DLC_net"  # not taken for the tables beside it


def draw(project, video, *zones, size=SIZE):
    file = ZoneFile(zones_path(project, video), size)
    file.read()
    file.write(zones)


HALVES = Zone("left", "rectangle", ((-1, -1), (50, 49))), Zone("right", "rectangle", ((50, -1), (200, 49)))


def test_zones_of_an_experiment(project):
    """The nose is 25 frames left, then right, at 50 px/s = 10 cm/s; group and animal are in a table."""
    called("scale", project.root, "--px-per-cm", 5)
    draw(project, "drug_m1", *HALVES)
    (project.root / "subjects.csv").write_text("video,group,animal,day\ndrug_m1,drug,m1,3\n")
    line = ["zones", project.root, "--copy-from", "drug_m1", "--bodypart", "nose", "--plots"]
    found = called(*line)
    table = pd.read_csv(found["summary"], keep_default_na=False)
    assert list(table.columns[:6]) == ["video", "group", "animal", "day", "bodypart", "zone"]
    assert list(table["group"]) == ["drug", "drug", "", ""]
    assert list(table["zone"]) == ["left", "right"] * 2
    assert list(table["entries"]) == [1] * 4
    np.testing.assert_allclose(table["time_s"], 1)
    np.testing.assert_allclose(table["latency_s"].astype(float), [0, 1, 0, 1])
    np.testing.assert_allclose(table["distance_cm"], 9.8, rtol=1e-5)  # the first and last frame have half a step less
    np.testing.assert_allclose(table["mean_speed_cm_s"], 10)
    each = pd.read_csv(found["stays"])
    assert each[["first_frame", "last_frame", "end_s"]].to_numpy()[:2].tolist() == [[0, 24, 1], [25, 49, 2]]
    assert [path.rsplit("/", 1)[1] for path in found["plots"]] == ["zones-nose.png", "occupancy-nose.png"] * 2


@pytest.mark.parametrize("name", ["zones", "kinematics"])
def test_rows_of_videos_that_are_not_measured_now_stay_and_are_told(project, name):
    draw(project, "drug_m1", *HALVES)
    draw(project, "saline_m2", *HALVES)
    first = called(name, project.root, "drug_m1", "--pattern", "{group}_{animal}")
    assert first["cautions"] == []
    kept = Path(first["summary"]).read_text()
    both = called(name, project.root, "saline_m2", "--pattern", "{group}_{animal}")
    assert Path(both["summary"]).read_text().startswith(kept)
    table = pd.read_csv(both["summary"])
    assert table["video"].unique().tolist() == ["drug_m1", "saline_m2"]
    assert "keeps the rows of other videos as they were measured before: drug_m1." in both["cautions"][0]
    alone = called(name, project.root, "saline_m2", "--pattern", "{group}_m{number}")
    assert pd.read_csv(alone["summary"])["video"].unique().tolist() == ["saline_m2"]
    assert "has no rows of them any more: drug_m1." in alone["cautions"][0]
    saved = kept.replace(",", ";")  # by a spreadsheet of a country that writes 1,5
    Path(first["summary"]).write_text(saved)
    assert "expected a column 'video' and commas between cells, found 'video;" in refused(name, project.root)
    assert Path(first["summary"]).read_text() == saved


def test_rows_say_which_poses_they_are_of(project):
    said = "No video of .* has filtered poses yet; make them: dlcnb filter "
    for name in ("zones", "kinematics"):
        assert re.search(said, refused(name, project.root, "--filtered"))
    first = called("kinematics", project.root)
    path = Path(first["summary"])
    assert set(pd.read_csv(path)["poses"]) == {"drug_m1DLC_net", "saline_m2DLC_net"}
    called("filter", project.root, "drug_m1")
    printed = run("kinematics", project.root, "--filtered").stdout
    assert "Without filtered poses, and left out: saline_m2.mp4 (dlcnb filter)." in printed
    assert "measured in drug_m1DLC_net; now drug_m1DLC_net_filtered took their place." in printed
    table = pd.read_csv(path)
    assert dict(zip(table["video"], table["poses"], strict=True)) == {
        "drug_m1": "drug_m1DLC_net_filtered", "saline_m2": "saline_m2DLC_net",
    }  # fmt: skip
    assert "took their place" not in run("kinematics", project.root, "--filtered").stdout
    table.drop(columns="poses").to_csv(path, index=False)  # as an earlier version wrote it
    called("kinematics", project.root, "drug_m1")
    assert set(pd.read_csv(path)["video"]) == {"drug_m1", "saline_m2"}


def test_rows_of_an_earlier_version_stay(project):
    draw(project, "drug_m1", *HALVES)
    draw(project, "saline_m2", *HALVES)
    path = Path(called("zones", project.root)["summary"])
    pd.read_csv(path).drop(columns="known_s").to_csv(path, index=False)
    called("zones", project.root, "drug_m1")
    table = pd.read_csv(path)
    assert set(table["video"]) == {"drug_m1", "saline_m2"}
    assert table["known_s"].isna().tolist() == (table["video"] == "saline_m2").tolist()


def test_one_clear_line_for_zones_that_do_not_fit(project):
    assert "no zones for drug_m1" in refused("zones", project.root)
    draw(project, "drug_m1", *HALVES, size=(480, 640))
    assert "drawn on frames of 640×480 px" in refused("zones", project.root, "drug_m1")
    draw(project, "saline_m2", Zone("bow", "polygon", ((0, 0), (40, 40), (40, 0), (0, 40))))
    assert "'bow': its edges cross at (20, 20)" in refused("zones", project.root, "saline_m2")
    assert "has zones already" in refused("zones", project.root, "saline_m2", "--copy-from", "drug_m1")
    assert "no scale is known" in refused("zones", project.root, "saline_m2", "--unit", "cm")
    draw(project, "saline_m2")
    zones_path(project, "saline_m2").unlink()
    draw(project, "saline_m2", *HALVES)
    assert "no bodypart 'nos'" in refused("zones", project.root, "saline_m2", "--bodypart", "nos")
    assert not (project.root / "zones.csv").exists()


def test_kinematics_of_several_animals(project):
    video = project.videos[0]
    points = Poses.read(find_poses(video)).points
    both = np.stack([points, points + (0, 5)], axis=1)
    several = MultiAnimalPoses(("ann", "bob"), ("nose", "tail"), "DLC_net", both, np.full(both.shape[:3], 0.9))
    find_poses(video).unlink()
    find_poses(video).unlink()
    several.write(video, "_el")
    found = called("kinematics", project.root, video, "--fps", 30)
    assert [path.rsplit("_el", 1)[1] for path in found["videos"][0]["outputs"]] == [
        "_ann_kinematics.csv", "_bob_kinematics.csv", "_skeleton.h5", "_skeleton.csv",
    ]  # fmt: skip
    assert list(pd.read_csv(found["summary"])["individual"]) == ["ann", "ann", "bob", "bob"]
    bones = read_h5_table(found["videos"][0]["outputs"][2])
    assert [c[0] for c in bones.columns][::3] == ["ann_nose_tail", "bob_nose_tail"]


def test_animals_that_a_table_has_room_for_and_no_frame_shows_are_left_out(project):
    """As DeepLabCut's SuperAnimals write them: as many animals as were allowed, the others filled with -1."""
    video = project.videos[0]
    draw(project, video.stem, *HALVES)
    points = Poses.read(find_poses(video)).points
    four = np.full((len(points), 4, 2, 2), -1.0)
    four[:, 1] = points
    likelihood = np.where(four[..., 0] == -1, -1.0, 0.9)
    names = tuple(f"animal{n}" for n in range(4))
    several = MultiAnimalPoses(names, ("nose", "tail"), "superanimal_quadruped_hrnet_w32", four, likelihood)
    find_poses(video).unlink()
    find_poses(video).unlink()
    several.write(poses_path(video, several.scorer))
    told = "Left out, because no frame of drug_m1.mp4 shows them: animal0, animal2, animal3."
    found = called("kinematics", project.root, video)
    assert [path.rsplit("w32", 1)[1] for path in found["videos"][0]["outputs"]] == [
        "_animal1_kinematics.csv", "_skeleton.h5", "_skeleton.csv",
    ]  # fmt: skip
    assert set(pd.read_csv(found["summary"])["individual"]) == {"animal1"}
    assert told in found["cautions"]
    zones = called("zones", project.root, video)
    assert told in zones["cautions"]
    assert set(pd.read_csv(zones["summary"])["individual"]) == {"animal1"}
    assert told in run("kinematics", project.root, video).stdout
    assert told not in called("kinematics", project.root, video, "--animal", "animal1")["cautions"]


def test_the_tables_of_a_linked_video_are_found_by_the_path_of_either(made):
    original = made.root.parent / "drug_m1.mp4"
    assert made.videos[0] != original
    assert made.videos[0].samefile(original)
    for path in (original, made.videos[0], "drug_m1"):
        assert with_poses(made, path, None) == (made.videos[0], find_poses(made.videos[0]))


def test_a_linked_video_has_its_tables_in_one_place(made, tmp_path):
    link, original = made.videos[0], made.root.parent / "drug_m1.mp4"
    assert own_path(made, original) == own_path(made, link) == link
    copied = Path(shutil.copy(original, tmp_path))
    assert own_path(made, copied) == copied  # another file
    poses = Poses.read(find_poses(link))
    written = poses.write(original, "_new")
    try:
        for age, place in ((10, original), (-10, link)):
            for path in written:
                os.utime(path, times=(path.stat().st_atime, find_poses(link).stat().st_mtime + age))
            assert with_poses(made, original, None)[0] == place  # the newest table
        assert own_path(made, original) == link
        kept = {path: path.rename(tmp_path / path.name) for path in pose_files(link)}
        assert own_path(made, original) == original  # as DeepLabCut left them
        for path, moved in kept.items():
            moved.rename(path)
    finally:
        for path in written:
            path.unlink()


def pose_files(video):
    return list(video.parent.glob(f"{video.stem}DLC*"))


def test_one_clear_line_for_what_is_missing(project, tmp_path):
    assert "no scale is known for drug_m1, saline_m2; set how" in refused("kinematics", project.root, "--unit", "cm")
    twin = tmp_path / "elsewhere" / "drug_m1.mp4"
    twin.parent.mkdir()
    shutil.copy(project.videos[0], twin)
    Poses.read(find_poses(project.videos[0])).write(twin)
    assert "2 videos are named 'drug_m1'" in refused("kinematics", project.root, twin, project.videos[0])
    for table in project.videos[1].parent.glob("saline*DLC*"):
        table.unlink()
    assert "There are no poses of saline_m2.mp4" in refused("kinematics", project.root, "saline_m2")
    assert "does not fit the pattern" in refused("kinematics", project.root, "--pattern", "{a}-{b}")
    assert not (project.root / "kinematics.csv").exists()


def test_poses_are_missing_where_an_analysis_would_write_them(project, tmp_path):
    original = shutil.copy(project.videos[0], tmp_path / "rat.mp4")
    made = Project.create("linked", "ada", [original], ["snout"], parent=tmp_path)
    assert f"no poses of rat.mp4 in {made.root / 'videos'}" in refused("plot", made.root, original)


def test_plots_in_cm_need_a_scale(project):
    assert "no scale is known for drug_m1; set how" in refused("plot", project.root, "drug_m1", "--unit", "cm")
    set_scale(project, Scale.by_number(5))
    (done,) = called("plot", project.root, "drug_m1", "--unit", "cm")["videos"]
    assert [path.rsplit("/", 1)[1] for path in done["plots"]] == [
        "trajectory_cm.png", "plot_cm.png", "plot-likelihood_cm.png", "hist_cm.png",
    ]  # fmt: skip


def test_wrong_usage_of_scale(project):
    for wrong in (["--line", "1,2,3"], ["--line", "1,2,3,4"], ["--cm", 3], ["--px-per-cm", 2, "--undo"]):
        run("scale", project.root, *wrong, code=2)
    assert "above 0" in refused("scale", project.root, "--px-per-cm", -2)
    assert "nothing" in refused("scale", project.root, "--undo") or "no change" in refused(
        "scale", project.root, "--undo"
    )


def test_nwb_has_zones_and_the_animal_of_the_table(project, tmp_path):
    """Speeds in cm/s, stays in the zones, and the mouse that subjects.csv names."""
    pynwb = pytest.importorskip("pynwb", reason="the extra 'nwb' is not installed")
    pytest.importorskip("ndx_pose", reason="the extra 'nwb' is not installed")
    called("scale", project.root, "--px-per-cm", 5)
    draw(project, "drug_m1", *HALVES)
    (project.root / "subjects.csv").write_text("video,animal,species,sex,age\ndrug_m1,m1,Mus musculus,F,P90D\n")
    done = called("export", project.root, *project.videos, "--to", "nwb", "--out", tmp_path)["videos"]
    with pynwb.NWBHDF5IO(done[0]["output"], "r") as io:
        file = io.read()
        assert (file.subject.subject_id, file.subject.species, file.subject.age) == ("m1", "Mus musculus", "P90D")
        behavior = file.processing["behavior"]
        np.testing.assert_allclose(behavior["BehavioralTimeSeries"]["speed_nose"].data[:], 10)
        assert set(file.intervals["zone_stays"]["zone"][:]) == {"left", "right"}
        assert list(behavior["zones"]["zone"][:]) == ["left", "right"]
    with pynwb.NWBHDF5IO(done[1]["output"], "r") as io:  # a video without zones and animal
        file = io.read()
        assert file.subject is None
        assert not file.intervals


def test_zones_that_do_not_fit_stop_the_nwb_file_with_one_line(project, tmp_path):
    pytest.importorskip("ndx_pose", reason="the extra 'nwb' is not installed")
    draw(project, "drug_m1", *HALVES, size=(480, 640))
    line = refused("export", project.root, project.videos[0], "--to", "nwb", "--out", tmp_path)
    assert "the zones were drawn on frames of 640×480 px" in line
    assert not list(tmp_path.glob("*.nwb"))
