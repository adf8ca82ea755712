"""dlcnb.project: creating and opening projects, paths from anywhere, runs, atomic writes, doctor."""

import datetime
import errno
import os
import shutil
import subprocess
import sys
import time

import av
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dlcnb.files import TEMPORARY, atomic_path, atomic_write
from dlcnb.project import Project, ProjectError, Skeleton, doctor, nearest, run_info
from dlcnb.video import VideoError

CONFIG = """\
# a comment at the top
Task: reach
scorer: Ann
date: Mar5
multianimalproject:

# where it was
project_path: C:\\Users\\Ann\\reach-Ann-2024-03-05
video_sets:
  C:\\Users\\Ann\\reach-Ann-2024-03-05\\videos\\cam 1.mp4:
    crop: 0, 64, 0, 48
bodyparts: # in order
- hand
- 'elbow'
skeleton:
- - hand
  - elbow
pcutoff: 0.4   # low
my_own_key: {a: [1, 2]}   # of our lab
TrainingFraction:
- 0.8
iteration: 2
"""


def make_video(path, frames=4, size=(48, 64)):
    """A small H.264 clip; ``size`` is (height, width)."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25)
        stream.height, stream.width, stream.pix_fmt = *size, "yuv420p"
        for i in range(frames):
            picture = np.full((*size, 3), 8 * i, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode())
    return path


@pytest.fixture
def moved(tmp_path):
    """A project written on Windows, found in another folder."""
    root = tmp_path / "moved"
    (root / "videos").mkdir(parents=True)
    make_video(root / "videos" / "cam 1.mp4")
    (root / "config.yaml").write_text(CONFIG)
    return root


@pytest.fixture
def created(tmp_path):
    source = tmp_path / "raw"
    source.mkdir()
    videos = [make_video(source / "a.mp4"), make_video(source / "b.v2.mp4", size=(32, 80))]
    return Project.create("reach", "Ann", videos, ["hand", "elbow"], parent=tmp_path, skeleton=[("hand", "elbow")])


def edited(root, old, new):
    path = root / "config.yaml"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    return root


# --- create


def test_create_makes_a_project_that_opens(created, tmp_path):
    today = datetime.date.today()
    assert created.root == tmp_path / f"reach-Ann-{today:%Y-%m-%d}"
    again = Project.open(created.root / "config.yaml")
    assert (again.task, again.scorer, again.bodyparts, again.pcutoff) == ("reach", "Ann", ("hand", "elbow"), 0.6)
    assert again.skeleton == Skeleton(("hand", "elbow"), (("hand", "elbow"),))
    assert again.train_fraction == 0.95
    assert again.iteration == 0
    assert [p.name for p in again.videos] == ["a.mp4", "b.v2.mp4"]
    assert all(p.is_symlink() and p.parent == again.root / "videos" for p in again.videos)
    assert again.config["project_path"] == str(again.root)
    assert list(again.config["video_sets"]) == [str(tmp_path / "raw" / n) for n in ("a.mp4", "b.v2.mp4")]
    assert again.crop("a") == (0, 64, 0, 48)
    assert again.crop(again.videos[1]) == (0, 80, 0, 32)


def test_create_copies_and_dates(tmp_path):
    video = make_video(tmp_path / "a.mp4")
    project = Project.create(
        "t", "s", [video], ["x"], parent=tmp_path / "deep" / "er", copy_videos=True, date="2018-10-30"
    )
    assert project.root.name == "t-s-2018-10-30"
    assert project.date == "Oct30"
    assert not project.videos[0].is_symlink()
    assert list(project.config["video_sets"]) == [str(project.root / "videos" / "a.mp4")]
    assert Project.create("t", "s", video, ["x"], parent=tmp_path, date=datetime.date(2024, 3, 5)).date == "Mar5"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"task": "a/b"}, "Task: the name 'a/b' has one of"),
        ({"task": ".."}, "a dot at an end"),
        ({"scorer": " "}, "scorer: the name ' ' is empty"),
        ({"scorer": None}, "has no"),
        ({"bodyparts": []}, "at least one name"),
        ({"bodyparts": "hand"}, "expected a list of at least one name, found 'hand'"),
        ({"bodyparts": ["hand", "hand"]}, "hand given more than once"),
        ({"bodyparts": ["hand", ""]}, "is empty"),
        ({"bodyparts": ["hand\n"]}, "control character"),
        ({"bodyparts": ["hand", None]}, "expected names, found nothing"),
        ({"skeleton": [("hand", "ebow")]}, "did you mean 'elbow'"),
        ({"skeleton": [("hand",)]}, "joins two of"),
        ({"pcutoff": 1.5}, "pcutoff: expected a number from 0 to 1, found 1.5"),
        ({"date": "30.10.2018"}, "date: expected a date such as 2018-10-30"),
        ({"videos": ["nowhere.mp4"]}, "no video"),
    ],
)
def test_create_refuses_bad_input_and_writes_nothing(tmp_path, change, message):
    arguments = {
        "task": "t", "scorer": "s", "videos": [], "bodyparts": ["hand", "elbow"], "skeleton": (), "pcutoff": 0.6,
    } | change  # fmt: skip
    if change.get("scorer", "") is None:
        arguments["scorer"], message = "", "scorer: the name '' is empty"
    with pytest.raises(ProjectError, match=message.replace("(", r"\(")):
        Project.create(**arguments, parent=tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_create_refuses_videos_it_cannot_use(tmp_path):
    (tmp_path / "text.mp4").write_text("no video at all")
    with pytest.raises(VideoError):
        Project.create("t", "s", [tmp_path / "text.mp4"], ["x"], parent=tmp_path)
    (tmp_path / "notes.txt").write_text("x")
    with pytest.raises(ProjectError, match="does not look like a video"):
        Project.create("t", "s", [tmp_path / "notes.txt"], ["x"], parent=tmp_path)
    (tmp_path / "other").mkdir()
    twins = [make_video(tmp_path / "a.mp4"), make_video(tmp_path / "other" / "a.mp4")]
    with pytest.raises(ProjectError, match="two videos are named 'a'"):
        Project.create("t", "s", twins, ["x"], parent=tmp_path)
    with pytest.raises(ProjectError, match=r"did you mean 'a\.mp4'"):
        Project.create("t", "s", [tmp_path / "A.mp5"], ["x"], parent=tmp_path)
    assert {p.name for p in tmp_path.iterdir()} == {"text.mp4", "notes.txt", "other", "a.mp4"}


def test_create_does_not_touch_an_existing_project(created, tmp_path):
    before = (created.root / "config.yaml").read_bytes()
    words = r"exists already: open that project \(dlcnb studio .*or choose another name"
    with pytest.raises(ProjectError, match=words):
        Project.create("reach", "Ann", [], ["other"], parent=tmp_path)
    assert (created.root / "config.yaml").read_bytes() == before


# --- open


def test_open_a_moved_windows_project(moved):
    project = Project.open(moved)
    assert project.videos == [moved / "videos" / "cam 1.mp4"]
    assert project.video("cam 1") == project.video("D:\\x\\cam 1.mp4") == project.videos[0]
    assert project.crop("cam 1") == (0, 64, 0, 48)
    assert project.labeled_dir("C:\\a\\cam 1.mp4") == moved / "labeled-data" / "cam 1"
    assert (project.train_fraction, project.iteration, project.pcutoff) == (0.8, 2, 0.4)
    with pytest.raises(ProjectError, match=r"no video 'cam1' in .*; its videos: cam 1; did you mean 'cam 1'"):
        project.video("cam1")


def test_open_the_real_openfield_project(openfield_root):
    project = Project.open(openfield_root)
    assert (project.task, project.scorer, project.date) == ("openfield", "Pranav", "Oct30")
    assert project.bodyparts == ("snout", "leftear", "rightear", "tailbase")
    assert project.pcutoff == 0.4
    assert project.videos == [openfield_root / "videos" / "m3v1mp4.mp4"]
    assert project.crop("m3v1mp4") == (0, 640, 0, 480)
    assert project.labeled_dirs() == [openfield_root / "labeled-data" / "m4s1"]
    assert project.runs() == []
    assert not any(f.level == "error" for f in doctor(openfield_root))


def test_round_trip_of_the_real_config_changes_only_project_path(openfield_root, tmp_path):
    original = (openfield_root / "config.yaml").read_text()
    (tmp_path / "config.yaml").write_text(original)
    Project.open(tmp_path).save()
    placeholder = "project_path: WILL BE AUTOMATICALLY UPDATED BY DEMO CODE"
    assert (tmp_path / "config.yaml").read_text() == original.replace(placeholder, f"project_path: {tmp_path}")


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_save_keeps_comments_unknown_keys_and_line_ends(moved, newline):
    path = moved / "config.yaml"
    path.write_bytes(CONFIG.replace("\n", newline).encode())
    project = Project.open(moved)
    project.config["pcutoff"] = 0.5
    project.save()
    expected = CONFIG.replace("C:\\Users\\Ann\\reach-Ann-2024-03-05\nvideo", f"{moved}\nvideo").replace("0.4 ", "0.5 ")
    assert path.read_bytes().decode() == expected.replace("\n", newline)


@pytest.mark.parametrize("encoding", ["cp1252", "gbk", "utf-16"])
def test_a_config_in_another_encoding_is_refused_and_stays(moved, encoding):
    raw = CONFIG.replace("of our lab", "für uns" if encoding == "cp1252" else "鼠标").encode(encoding)
    (moved / "config.yaml").write_bytes(raw)
    with pytest.raises(ProjectError, match=r"expected UTF-8 text, found another encoding in line .* save it as UTF-8"):
        Project.open(moved)
    (finding,) = doctor(moved, repair=True)
    assert "UTF-8" in finding.message
    assert (moved / "config.yaml").read_bytes() == raw


def test_a_config_with_a_byte_order_mark_opens(moved):
    (moved / "config.yaml").write_bytes(CONFIG.replace("of our lab", "鼠标").encode("utf-8-sig"))
    assert Project.open(moved).task == "reach"


def test_save_refuses_a_wrong_value_and_foreign_changes(moved):
    project = Project.open(moved)
    project.config["iteration"] = -1
    with pytest.raises(ProjectError, match="iteration: expected a whole number from 0, found -1"):
        project.save()
    project.config["iteration"] = 3
    edited(moved, "scorer: Ann", "scorer: Bob")
    with pytest.raises(ProjectError, match="changed by another program"):
        project.save()
    assert Project.open(moved).scorer == "Bob"


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("bodyparts:", "bodypart:", "the key 'bodyparts' is missing; did you mean 'bodypart'"),
        ("TrainingFraction", "TrainingFracton", "unknown key 'TrainingFracton'; did you mean 'TrainingFraction'"),
        ("pcutoff: 0.4", "pcutoff: low", "pcutoff: expected a number from 0 to 1, found 'low'"),
        ("pcutoff: 0.4", "pcutoff: true", "pcutoff: expected a number"),
        ("iteration: 2", "iteration: two", "iteration: expected a whole number"),
        ("- 0.8", "- 80", "TrainingFraction: expected a list of numbers above 0, at most 1, found"),
        ("- 'elbow'", "- hand", "hand given more than once"),
        ("- 'elbow'", "-", "expected names, found nothing"),
        ("bodyparts: # in order\n- hand\n- 'elbow'", "bodyparts: []", "at least one name"),
        ("bodyparts: # in order\n- hand\n- 'elbow'", "bodyparts: MULTI!", "found 'MULTI!'"),
        ("Task: reach", "Task: ../reach", "Task: the name"),
        ("Task: reach", "Task:", "Task: expected a name, found nothing"),
        ("scorer: Ann", "scorer: [Ann]", "scorer: expected a name, found ['Ann']"),
        ("date: Mar5", "date: {day: 5}", "date: expected a name, found {'day': 5}"),
        ("date: Mar5", "date: a/../../b", "date: the name"),
        ("crop: 0, 64, 0, 48", "crop: 0, 64, 48", "expected crop: x1, x2, y1, y2"),
        ("crop: 0, 64, 0, 48", "crop: 64, 0, 0, 48", "with x1 < x2"),
        ("multianimalproject:", "multianimalproject: true", "only projects of one animal .* --animals N"),
        ("scorer: Ann", "scorer: [Ann", "is not valid YAML: line"),
        ("scorer: Ann", "Task: again", "is not valid YAML"),
    ],
)
def test_a_wrong_config_gives_one_clear_error(moved, old, new, message):
    edited(moved, old, new)
    with pytest.raises(ProjectError, match="config.yaml.*" + message.replace("[", r"\[").replace("(", r"\(")):
        Project.open(moved)
    assert [f.level for f in doctor(moved)] == ["error"]


def test_no_config_or_no_mapping(tmp_path):
    with pytest.raises(ProjectError, match=r"no project in .*: expected a config\.yaml"):
        Project.open(tmp_path)
    (tmp_path / "config.yaml").write_text("")
    with pytest.raises(ProjectError, match="expected keys and values"):
        Project.open(tmp_path)


def test_a_config_of_zeros(tmp_path):
    (tmp_path / "config.yaml").write_bytes(b"\0" * 700)
    with pytest.raises(ProjectError, match=r"config.yaml holds only zeros, as after a power failure\. Restore it"):
        Project.open(tmp_path)


def test_a_python_tag_in_a_config_runs_nothing(moved, tmp_path):
    edited(moved, "my_own_key: {a: [1, 2]}", f"my_own_key: !!python/object/apply:os.mkdir ['{tmp_path / 'evil'}']")
    Project.open(moved)
    assert not (tmp_path / "evil").exists()


def test_paths_stay_inside_the_project(moved):
    project = Project.open(moved)
    for name in ("..", "/", "a/..", ""):
        with pytest.raises(ProjectError, match="expected the name of a video"):
            project.labeled_dir(name)
    assert project.labeled_dir("../../etc").parent == moved / "labeled-data"


def test_a_placeholder_means_the_raw_videos_in_the_folder(moved):
    edited(
        moved, "C:\\Users\\Ann\\reach-Ann-2024-03-05\\videos\\cam 1.mp4", "WILL BE AUTOMATICALLY UPDATED BY DEMO CODE"
    )
    for name in ("cam 1DLC_resnet50_reachMar5shuffle1_500_labeled.mp4", "notes.txt"):
        (moved / "videos" / name).write_bytes(b"")
    project = Project.open(moved)
    assert project.videos == [moved / "videos" / "cam 1.mp4"]
    assert project.crop("cam 1") == (0, 64, 0, 48)


def test_a_template_skeleton_with_other_names_is_left_out(moved):
    edited(moved, "  - elbow", "  - objectA")
    assert Project.open(moved).skeleton.edges == ()
    assert any("unknown bodyparts" in f.message for f in doctor(moved))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("- - hand\n  - elbow", "- - hand", "skeleton: expected a list of pairs of bodyparts, found [['hand']]"),
        ("skeleton:\n- - hand\n  - elbow", "skeleton: hand", "skeleton: expected a list of pairs"),
        ("pcutoff: 0.4", "pcutoff: 0.4\ndotsize: -3", "dotsize: expected a number above 0, found -3"),
        ("pcutoff: 0.4", "pcutoff: 0.4\nalphavalue: half", "alphavalue: expected a number from 0 to 1"),
        ("pcutoff: 0.4", "pcutoff: 0.4\ncolormap: [1, 2]", "colormap: expected the name of a colormap"),
    ],
)
def test_a_value_for_drawing_never_locks_a_project(moved, old, new, message):
    project = Project.open(edited(moved, old, new))
    assert project.skeleton.edges in ((), (("hand", "elbow"),))
    project.config["pcutoff"] = 0.5
    project.save()
    assert any(message in f.message for f in doctor(moved))


def test_numbers_as_names_become_text(moved):
    edited(moved, "- 'elbow'", "- 2")
    assert Project.open(moved).bodyparts == ("hand", "2")


# --- videos


def test_add_videos(created, tmp_path):
    new = make_video(tmp_path / "c.mp4")
    assert created.add_videos([new]) == [created.root / "videos" / "c.mp4"]
    assert created.add_videos(new, copy=True) == [created.root / "videos" / "c.mp4"]  # there already
    again = Project.open(created.root)
    assert [p.name for p in again.videos] == ["a.mp4", "b.v2.mp4", "c.mp4"]
    (tmp_path / "other").mkdir()
    with pytest.raises(ProjectError, match="has a video 'c' already"):
        created.add_videos([make_video(tmp_path / "other" / "c.mp4", frames=2)])


def test_a_video_that_lies_in_the_folder_is_only_entered(created):
    inside = make_video(created.root / "videos" / "d.mp4")
    assert created.add_videos([inside]) == [inside]
    assert str(inside) in Project.open(created.root).config["video_sets"]


def test_labeled_dirs_leave_out_check_pictures(created):
    for name in ("a", "a_labeled", ".ipynb_checkpoints"):
        (created.root / "labeled-data" / name).mkdir()
    assert created.labeled_dirs() == [created.root / "labeled-data" / "a"]
    assert created.labeled_dir("b.v2") == created.labeled_dir(created.videos[1])


# --- runs


def test_runs(created):
    with pytest.raises(ProjectError, match=r"no trained network in .*; train one first \(dlcnb train [^)]*\)$"):
        created.last_run()
    first, second = created.new_run(0.8), created.new_run(0.95)
    assert created.new_run(0.5, shuffle=12).parent.name.endswith("-trainset50shuffle12")
    assert (
        first == created.root / "dlc-models-mxnet" / "iteration-0" / f"reach{created.date}-trainset80shuffle1" / "train"
    )
    assert [run_info(r)["shuffle"] for r in created.runs()] == [1, 2, 12]
    assert created.last_run() == created.runs()[-1]
    assert run_info(second) == {"shuffle": 2, "train_fraction": 0.95, "task_date": f"reach{created.date}"}
    assert run_info(second.parent) == run_info(second)
    assert (
        created.evaluation_dir(first) == created.root / "evaluation-results-mxnet" / "iteration-0" / first.parent.name
    )
    assert created.plots_dir(created.videos[1]) == created.root / "videos" / "plot-poses" / "b.v2"
    with pytest.raises(ProjectError, match="shuffle 12 exists already"):
        created.new_run(0.5, shuffle=12)
    with pytest.raises(ProjectError, match="training fraction"):
        created.new_run(0)
    with pytest.raises(ProjectError, match="expected a run such as"):
        run_info(created.root)


# --- skeleton, names


def test_skeleton_index_edges():
    skeleton = Skeleton(["a", "b", "c"], [["c", "a"]])
    assert skeleton.index_edges.tolist() == [[2, 0]]
    assert Skeleton(("a",)).index_edges.shape == (0, 2)


def test_nearest():
    assert nearest("snuot", ["snout", "tail"]) == "; did you mean 'snout'?"
    assert nearest("SNOUT", ["snout", "tail"]) == "; did you mean 'snout'?"
    assert nearest("xyz", ["snout", "tail"]) == ""


# --- atomic writes


@settings(deadline=None)
@given(data=st.binary(max_size=300))
def test_atomic_write_round_trip(tmp_path_factory, data):
    path = tmp_path_factory.getbasetemp() / "atomic.bin"
    atomic_write(path, data)
    assert path.read_bytes() == data


def test_atomic_path_keeps_the_old_file_on_error(tmp_path):
    path = tmp_path / "x.csv"
    atomic_write(path, "old é")
    path.chmod(0o640)

    def fail():
        with atomic_path(path) as temporary:
            assert temporary.parent == tmp_path
            assert temporary.suffix == ".csv"
            temporary.write_text("half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert path.read_text("utf-8") == "old é"
    assert [p.name for p in tmp_path.iterdir()] == ["x.csv"]
    atomic_write(path, b"new")
    assert path.stat().st_mode & 0o777 == 0o640


def test_atomic_write_follows_links(tmp_path):
    (tmp_path / "link").symlink_to(tmp_path / "real")
    atomic_write(tmp_path / "link", "x")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real").read_text() == "x"


def test_atomic_write_follows_no_link_to_another_folder(tmp_path):
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "real").write_text("precious")
    (tmp_path / "link").symlink_to(tmp_path / "other" / "real")
    (tmp_path / "broken").symlink_to(tmp_path / "other" / "new")
    for name in ("link", "broken"):
        with pytest.raises(OSError, match=r"it is a link to .*other.*Remove the link"):
            atomic_write(tmp_path / name, "x")
    assert [p.name for p in (tmp_path / "other").iterdir()] == ["real"]
    assert (tmp_path / "other" / "real").read_text() == "precious"


def test_atomic_write_to_no_folder(tmp_path):
    with pytest.raises(OSError, match=r"cannot write .*: its folder does not exist\. Nothing was written"):
        atomic_write(tmp_path / "no" / "x", "x")


def test_a_full_disk_leaves_the_old_file(tmp_path, mounted):
    with mounted(tmp_path / "small", "size=32k") as folder:
        atomic_write(folder / "x", b"old")
        with pytest.raises(OSError, match=r"the disk is full\. The old one is unchanged\. Free some") as caught:
            atomic_write(folder / "x", b"n" * 100_000)
        assert caught.value.errno == errno.ENOSPC
        assert (folder / "x").read_bytes() == b"old"
        assert [p.name for p in folder.iterdir()] == ["x"]


def test_a_full_disk_leaves_no_half_project(tmp_path, mounted):
    video = make_video(tmp_path / "a.mp4", frames=30, size=(480, 640))
    with mounted(tmp_path / "small", "size=4k") as folder:
        with pytest.raises(OSError, match=r"cannot write .*t-s.*: the disk is full"):
            Project.create("t", "s", [video], ["x"], parent=folder, copy_videos=True)
        assert list(folder.iterdir()) == []


def test_a_read_only_folder(moved, tmp_path, mounted):
    with mounted(tmp_path / "ro", "size=1m") as folder:
        shutil.copytree(moved, folder, dirs_exist_ok=True)
        subprocess.run(["mount", "-o", "remount,ro", folder], check=True)
        project = Project.open(folder)
        assert len(project.videos) == 1
        project.config["pcutoff"] = 0.1
        with pytest.raises(
            OSError, match=r"cannot write .*config\.yaml: the disk is read-only\. The old one is unchanged"
        ):
            project.save()
        with pytest.raises(OSError, match="the disk is read-only"):
            project.new_run(0.8)
        with pytest.raises(OSError, match="the disk is read-only"):
            Project.create("t", "s", [], ["x"], parent=folder)
        findings = doctor(folder, repair=True)
        assert any("read-only" in f.message for f in findings)
        assert Project.open(folder).pcutoff == 0.4


# --- doctor


def test_doctor_is_content_with_a_new_project(created):
    assert [f.level for f in doctor(created.root)] == ["ok"]


def test_doctor_repairs_moved_paths(moved):
    assert [f.level for f in doctor(moved)] == ["warning", "warning"]
    assert (moved / "config.yaml").read_text() == CONFIG
    assert all(f.repaired for f in doctor(moved, repair=True))
    assert [f.level for f in doctor(moved)] == ["ok"]
    text = (moved / "config.yaml").read_text()
    assert f"  {moved / 'videos' / 'cam 1.mp4'}:\n    crop: 0, 64, 0, 48" in text
    assert "# of our lab" in text


def test_doctor_finds_missing_and_unreadable_videos(moved):
    video = moved / "videos" / "cam 1.mp4"
    video.write_bytes(b"not a video")
    assert any(f.level == "error" and "can't be read" in f.message for f in doctor(moved))
    video.unlink()
    findings = [f for f in doctor(moved) if f.level == "error"]
    assert len(findings) == 1
    assert "is missing" in findings[0].message
    assert str(video) in findings[0].cure


def test_doctor_removes_leftovers_but_not_files_in_use(created):
    old, fresh = (created.root / f"{TEMPORARY}{n}-x.csv" for n in ("old", "new"))
    for path in (old, fresh):
        path.write_text("half")
    os.utime(old, (time.time() - 7200,) * 2)
    (finding,) = doctor(created.root, repair=True)
    assert "leftover" in finding.message
    assert finding.repaired
    assert not old.exists()
    assert fresh.exists()


def test_importing_project_is_light():
    code = "import dlcnb.project, sys; print([m for m in ('av', 'pandas', 'mxnet') if m in sys.modules])"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"


# --- the crop of a video --------------------------------------------------------------------------------------------


def test_set_crop_is_read_again_and_keeps_everything_else(tmp_path):
    make_video(tmp_path / "cam.mp4")
    project = Project.create("reach", "Ann", [tmp_path / "cam.mp4"], ["hand"], parent=tmp_path)
    config = project.root / "config.yaml"
    before = config.read_text().replace("video_sets:", "video_sets: # ours")
    config.write_text(before)
    project = Project.open(project.root)
    project.set_crop("cam", (4, 60, 2, 40))
    assert Project.open(project.root).crop(project.videos[0]) == (4, 60, 2, 40)
    assert config.read_text() == before.replace("crop: 0, 64, 0, 48", "crop: 4, 60, 2, 40")


def test_set_crop_where_a_template_names_no_video(tmp_path):
    make_video(tmp_path / "cam.mp4")
    project = Project.create("reach", "Ann", [tmp_path / "cam.mp4"], ["hand"], parent=tmp_path)
    entries = project.config["video_sets"]
    entries["WILL BE AUTOMATICALLY UPDATED BY DEMO CODE"] = entries.pop(next(iter(entries)))
    project.save()
    project.set_crop("cam", (4, 60, 2, 40))
    assert Project.open(project.root).crop("cam") == (4, 60, 2, 40)
    assert Project.open(project.root).crop("another") == (0, 64, 0, 48)


@pytest.mark.parametrize("crop", [(10, 10, 0, 5), (-1, 5, 0, 5), (0, 5, 0), (0, "x", 0, 5)])
def test_an_impossible_crop_changes_nothing(tmp_path, crop):
    make_video(tmp_path / "cam.mp4")
    project = Project.create("reach", "Ann", [tmp_path / "cam.mp4"], ["hand"], parent=tmp_path)
    before = (project.root / "config.yaml").read_bytes()
    with pytest.raises(ProjectError, match="expected crop"):
        project.set_crop("cam", crop)
    with pytest.raises(ProjectError, match="no video 'camera'"):
        project.set_crop("camera", (0, 5, 0, 5))
    assert (project.root / "config.yaml").read_bytes() == before


def test_a_crop_that_can_t_be_saved_is_taken_back(tmp_path):
    make_video(tmp_path / "cam.mp4")
    project = Project.create("reach", "Ann", [tmp_path / "cam.mp4"], ["hand"], parent=tmp_path)
    other = Project.open(project.root)
    other.set_crop("cam", (1, 50, 1, 40))
    with pytest.raises(ProjectError, match="changed by another program"):
        project.set_crop("cam", (4, 60, 2, 40))
    assert project.crop("cam") == (0, 64, 0, 48)


@pytest.mark.parametrize(
    ("config", "crop"),
    [
        ({}, None),
        ({"cropping": False, "x1": 2, "x2": 30, "y1": 3, "y2": 20}, None),
        ({"cropping": True, "x1": 2, "x2": 30, "y1": 3, "y2": 20}, (2, 30, 3, 20)),
        ({"cropping": True, "x1": 2, "x2": 300, "y1": 3, "y2": 200}, (2, 40, 3, 30)),
        ({"cropping": True}, None),
    ],
)
def test_what_is_to_be_analyzed(tmp_path, config, crop):
    project = Project.create("crop", "Ann", [], ("nose",), parent=tmp_path)
    for name in ("x1", "x2", "y1", "y2"):
        project.config.pop(name, None)
    project.config.update(config)
    assert project.crop_to_analyze(tmp_path / "a.mp4", (30, 40)) == crop
