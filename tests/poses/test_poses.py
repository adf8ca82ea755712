"""dlcnb.poses: DeepLabCut's tables of predictions, both kinds, and what may go wrong in writing and reading them."""

import json
import subprocess

import h5py
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from dlcnb.labels import Labels
from dlcnb.poses import Poses, find_poses, is_several, poses_path, write_chunks
from dlcnb.poses.single import newest_poses, other_video
from dlcnb.tables.errors import TableError

SCORER = "DLC_Resnet50_reachMar5shuffle1_snapshot_100"
PARTS = ("hand", "elbow")


def poses(count=4, seed=0):
    """Random poses; frame 1 is damaged."""
    rng = np.random.default_rng(seed)
    points, likelihood = rng.uniform(0, 640, (count, 2, 2)), rng.random((count, 2))
    if count > 1:
        points[1], likelihood[1] = np.nan, np.nan
    return Poses(PARTS, SCORER, points, likelihood)


def assert_same(one, two):
    assert (one.bodyparts, one.scorer) == (two.bodyparts, two.scorer)
    np.testing.assert_array_equal(one.points, two.points)
    np.testing.assert_array_equal(one.likelihood, two.likelihood)


# --- names


def test_where_poses_go(tmp_path):
    video = tmp_path / "b.v2.mp4"
    assert poses_path(video, "DLC_x") == tmp_path / "b.v2DLC_x.h5"
    assert poses_path(str(video), "DLC_x", "_filtered", tmp_path / "out") == tmp_path / "out" / "b.v2DLC_x_filtered.h5"
    expected = [tmp_path / f"b.v2{SCORER}.h5", tmp_path / f"b.v2{SCORER}.csv"]
    assert list(poses().write(video)) == expected
    assert list(poses().write(poses_path(video, SCORER))) == expected
    assert [p.name for p in poses().write(expected[1], suffix="_filtered")] == [
        f"b.v2{SCORER}_filtered.h5",
        f"b.v2{SCORER}_filtered.csv",
    ]
    assert poses().write(tmp_path / "v1.5")[0].name == "v1.5.h5"


@pytest.mark.parametrize(
    ("name", "filtered"),
    [
        (f"cam1{SCORER}.h5", False),
        (f"cam1{SCORER}_filtered.csv", True),
        ("cam1DeepCut_resnet50_reachMar5shuffle1_50000.h5", False),  # DeepLabCut 2.0
        ("cam1DeepCut_resnet50_reachMar5shuffle1_50000filtered.h5", True),
    ],
)
def test_poses_are_found_by_any_name_that_deeplabcut_gave_them(tmp_path, name, filtered):
    (tmp_path / name).touch()
    assert find_poses(tmp_path / "cam1.mp4", filtered=filtered) == tmp_path / name
    with pytest.raises(FileNotFoundError):
        find_poses(tmp_path / "cam1.mp4", filtered=not filtered)


@pytest.mark.parametrize("tracker", ["el", "bx", "sk"])
def test_tables_of_several_animals_by_every_tracker(tmp_path, tracker):
    (tmp_path / f"cam1{SCORER}_{tracker}.h5").touch()
    assert is_several(find_poses(tmp_path / "cam1.mp4", several=True))
    assert newest_poses(tmp_path / "cam1.mp4").name == f"cam1{SCORER}_{tracker}.h5"


@pytest.mark.parametrize("suffix", [".csv", ".h5"])
def test_a_damaged_table_does_not_hide_the_one_beside_it(tmp_path, suffix, caplog):
    whole = poses(40)
    path = whole.write(tmp_path / "cam1.mp4")[0].with_suffix(suffix)
    path.write_bytes(path.read_bytes()[:-30])
    assert_same(Poses.read(path), whole)
    assert f"{path.stem}{'.h5' if suffix == '.csv' else '.csv'} is read" in caplog.text


@pytest.mark.parametrize(
    "name",
    [
        f"._cam1{SCORER}.h5", f"cam1{SCORER} - Copy.csv", f"cam1{SCORER} (1).h5", f"cam1{SCORER} copy 2.h5",
        f"cam1{SCORER}_el.h5", f"cam1{SCORER}_skeleton.csv", f"cam1{SCORER}_labeled.csv", "cam1Day2DLC_x.h5",
        "cam1Distances.csv", f"cam1{SCORER}.csv~",
        "cam1_superanimal_bird_resnet_50_labeled.csv", "cam1_2_superanimal_bird_resnet_50.h5",
    ],
)  # fmt: skip
def test_stray_files_are_no_poses(tmp_path, name):
    (tmp_path / name).touch()
    for filtered in (False, True):
        with pytest.raises(FileNotFoundError):
            find_poses(tmp_path / "cam1.mp4", filtered=filtered)


# --- how many frames


@pytest.mark.parametrize("frames", [38, 42])
def test_a_frame_or_two_more_or_less_than_the_video(tmp_path, caplog, frames):
    whole = poses(40)
    path, _ = whole.write(tmp_path / "cam1.mp4")
    read = Poses.read(path, frames)
    assert len(read) == frames
    np.testing.assert_array_equal(read.points[:38], whole.points[:38])
    assert np.isnan(read.points[40:]).all()
    assert f"poses of 40 frames, the video has {frames}" in caplog.text


def test_poses_of_another_video(tmp_path):
    path, _ = poses(40).write(tmp_path / "cam1.mp4")
    with pytest.raises(TableError, match="40 frames, the video has 80; are they of another video"):
        Poses.read(path, 80)


# --- the format


def test_the_tables_are_deeplabcuts(tmp_path):
    h5_path, csv_path = poses().write(tmp_path / "cam1.mp4")
    frame = pd.read_hdf(h5_path, "df_with_missing")
    assert frame.columns.names == ["scorer", "bodyparts", "coords"]
    assert list(frame.columns) == [(SCORER, part, coord) for part in PARTS for coord in ("x", "y", "likelihood")]
    assert frame.index.tolist() == [0, 1, 2, 3]
    assert frame.index.dtype.kind == "i"
    np.testing.assert_array_equal(frame[SCORER]["elbow"]["x"], poses().points[:, 1, 0])
    np.testing.assert_array_equal(frame[SCORER]["hand"]["likelihood"], poses().likelihood[:, 0])
    with pd.HDFStore(h5_path, "r") as store:
        assert store.get_storer("df_with_missing").format_type == "table"
    text = csv_path.read_text().splitlines()
    assert text[0] == "scorer" + f",{SCORER}" * 6
    assert text[1:3] == ["bodyparts,hand,hand,hand,elbow,elbow,elbow", "coords,x,y,likelihood,x,y,likelihood"]
    assert text[4] == "1,,,,,,"
    again = pd.read_csv(csv_path, header=[0, 1, 2], index_col=0)
    pd.testing.assert_frame_equal(again, frame, check_names=False)


def test_older_pandas_can_read_what_newer_writes(tmp_path):
    folder = tmp_path / "labeled-data" / "cam1"
    folder.mkdir(parents=True)
    labels = Labels(PARTS, "Ann", ("labeled-data/cam1/img0.png",), np.zeros((1, 2, 2)))
    for path in (poses().write(tmp_path / "cam1.mp4")[0], labels.write(folder)[0]):
        with h5py.File(path) as file:  # the mark that pandas before 3.1 needs, and that 3.1 does not set
            assert file["df_with_missing"].attrs["pandas_version"] == b"0.15.2"


@settings(max_examples=30, deadline=None)
@given(
    values=hnp.arrays(
        float, st.tuples(st.integers(0, 4), st.just(2), st.just(3)), elements=st.floats(allow_infinity=False)
    ),
    names=st.lists(st.text("abÄß,\" '_1", min_size=1).filter(str.strip), min_size=2, max_size=2, unique=True),
)
def test_round_trip(tmp_path_factory, values, names):
    values[..., 2] = np.abs(values[..., 2])  # below 0 is what DeepLabCut 3 did not find
    original = Poses(names, SCORER, values[..., :2], values[..., 2])
    for path in original.write(tmp_path_factory.getbasetemp() / "round.mp4"):
        assert_same(Poses.read(path), original)


def test_a_table_of_part_of_a_video_keeps_its_frame_numbers(tmp_path):
    h5_path, csv_path = poses().write(tmp_path / "cam1.mp4")
    part = pd.read_hdf(h5_path).iloc[[3, 2]]
    part.to_hdf(h5_path, key="df_with_missing", format="table", mode="w")
    part.to_csv(csv_path)
    for path in (h5_path, csv_path):
        read = Poses.read(path)
        assert len(read) == 4
        assert np.isnan(read.points[:2]).all()
        np.testing.assert_array_equal(read.points[2:], poses().points[2:])


def test_a_fixed_h5_is_read_too(tmp_path):
    h5_path, _ = poses().write(tmp_path / "cam1.mp4")
    pd.read_hdf(h5_path).to_hdf(tmp_path / "fixed.h5", key="df_with_missing")
    assert_same(Poses.read(tmp_path / "fixed.h5"), poses())


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("\n0,", "\nfirst,", "expected frame numbers from 0 in the first column, found 'first'"),
        ("\n0,", "\n-1,", "expected frame numbers from 0 in the first column, found '-1'"),
        ("\n0,", "\n2,", "a frame has more than one row"),
        ("\n0,", "\n99999999999,", "expected frame numbers from 0"),
        ("\n0,", "\n99999999,", "row 99999999 lies far beyond the 4 rows of the table"),
        ("likelihood,x", "p,x", "the column 'likelihood' of the bodypart 'hand' is missing"),
        ("\n0,", "\n0,,", "the file may be cut off"),
    ],
)
def test_a_wrong_table_gives_one_clear_error(tmp_path, old, new, message):
    _, path = poses().write(tmp_path / "cam1.mp4")
    path.with_suffix(".h5").unlink()
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    with pytest.raises(TableError, match=message):
        Poses.read(path)


def test_a_table_of_labels_is_no_poses(tmp_path):
    folder = tmp_path / "labeled-data" / "cam1"
    folder.mkdir(parents=True)
    h5_path, _ = Labels(PARTS, "Ann", ("labeled-data/cam1/img0.png",), np.zeros((1, 2, 2))).write(folder)
    with pytest.raises(TableError, match="the column 'likelihood' of the bodypart 'hand' is missing"):
        Poses.read(h5_path)


def test_no_table(tmp_path):
    for name in ("none.h5", "none.csv"):
        with pytest.raises(FileNotFoundError):
            Poses.read(tmp_path / name)


# --- Poses


def test_masked():
    some = Poses(("a",), "s", [[[1, 2]], [[3, 4]], [[5, 6]]], [[0.5], [0.6], [np.nan]])
    np.testing.assert_array_equal(some.masked(0.6), [[[np.nan] * 2], [[3, 4]], [[np.nan] * 2]])
    np.testing.assert_array_equal(some.points, [[[1, 2]], [[3, 4]], [[5, 6]]])


@pytest.mark.parametrize(
    ("points", "likelihood", "parts", "message"),
    [
        (np.zeros((3, 2, 2)), np.zeros((3, 1)), PARTS, r"found \(3, 2, 2\) and \(3, 1\)"),
        (np.zeros((3, 2)), np.zeros((3, 2)), PARTS, r"expected points \(frames, 2, 2\)"),
        (np.zeros((3, 2, 2)), np.zeros((3, 2)), ("a", "a"), "named twice"),
    ],
)
def test_poses_that_do_not_fit(points, likelihood, parts, message):
    with pytest.raises(TableError, match=message):
        Poses(parts, "s", points, likelihood)


# --- disks


def test_a_full_disk_leaves_the_old_tables(tmp_path, mounted):
    with mounted(tmp_path / "small", "size=400k") as disk:
        for path in poses().write(disk / "cam1.mp4"):
            assert path.stat().st_size < 200_000
        before = {p.name: p.read_bytes() for p in disk.iterdir()}
        with pytest.raises(OSError, match=r"cannot write .*: the disk is full\. The old one is unchanged"):
            poses(20_000).write(disk / "cam1.mp4")
        with pytest.raises(OSError, match="the disk is full"):  # enough for the h5, too little for the csv
            poses(2_500).write(disk / "cam1.mp4")
        assert {p.name: p.read_bytes() for p in disk.iterdir()} == before


def test_a_read_only_disk_leaves_the_old_tables(tmp_path, mounted):
    with mounted(tmp_path / "ro", "size=1m") as disk:
        h5_path, _ = poses().write(disk / "cam1.mp4")
        subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
        with pytest.raises(OSError, match=r"cannot write .*cam1.*: the disk is read-only\. The old one is unchanged"):
            poses(seed=1).write(disk / "cam1.mp4")
        with pytest.raises(OSError, match=r"the disk is read-only\. Nothing was written"):
            poses().write(disk / "cam2.mp4")
        assert_same(Poses.read(h5_path), poses())


def test_tables_in_chunks_are_those_in_one_go(tmp_path):
    whole = poses(30)
    Poses.write(whole, tmp_path / "whole.h5")
    chunks = (Poses(PARTS, SCORER, whole.points[a : a + 7], whole.likelihood[a : a + 7]) for a in range(0, 30, 7))
    h5_path, csv_path = write_chunks(tmp_path / "cam1.mp4", chunks, 30)
    assert h5_path == tmp_path / f"cam1{SCORER}.h5"
    assert csv_path.read_bytes() == (tmp_path / "whole.csv").read_bytes()
    assert_same(Poses.read(h5_path), whole)
    pd.testing.assert_frame_equal(pd.read_hdf(h5_path), pd.read_hdf(tmp_path / "whole.h5"))
    with h5py.File(h5_path) as file:
        assert file["df_with_missing"].attrs["pandas_version"] == b"0.15.2"


def test_too_few_chunks_write_nothing(tmp_path):
    with pytest.raises(TableError, match="expected 9 frames"):
        write_chunks(tmp_path / "cam1.mp4", iter([poses(4)]), 9)
    assert not list(tmp_path.iterdir())


def test_chunks_on_a_full_disk_leave_the_old_tables(tmp_path, mounted):
    with mounted(tmp_path / "small", "size=200k") as folder:
        poses(10).write(folder / "a.h5")
        before = {p.name: p.read_bytes() for p in folder.iterdir()}
        with pytest.raises(OSError, match=r"disk is full\. The old one is unchanged"):
            write_chunks(folder / "a.h5", (poses(200, seed) for seed in range(50)), 10_000)
        assert {p.name: p.read_bytes() for p in folder.iterdir()} == before


def test_poses_of_a_part_of_the_video_stay_a_part_and_no_more_than_it(caplog):
    whole = poses(22)
    assert whole.within(200) is whole
    assert_same(whole.within(20, "vid1.h5"), Poses(PARTS, SCORER, whole.points[:20], whole.likelihood[:20]))
    assert "vid1.h5 has poses of 22 frames, the video has 20; those beyond its end are left out" in caplog.text


# --- videos of one name


def noted(video, folder):
    """A table in ``folder``, with the note that says it is of ``video``."""
    path, _ = poses().write(poses_path(video, SCORER, folder=folder))
    note = {"result": {"video": str(video)}, "key": {"video": {"bytes": video.stat().st_size}}}
    path.with_name(f"{path.stem}_meta.json").write_text(json.dumps(note))
    return path


def test_poses_of_another_video_of_one_name_are_not_taken(tmp_path):
    mine, other = tmp_path / "mouse.mp4", tmp_path / "mouse.avi"
    mine.write_bytes(b"one")
    other.write_bytes(b"another")
    table = noted(other, tmp_path)
    assert find_poses(other).stem == table.stem
    assert other_video(table, mine) == other
    with pytest.raises(FileNotFoundError, match=r"No poses of .*mouse\.mp4"):
        find_poses(mine)


def test_a_copy_and_a_video_that_was_moved_are_no_other(tmp_path):
    first, moved = tmp_path / "mouse.mp4", tmp_path / "elsewhere" / "mouse.mp4"
    first.write_bytes(b"one")
    moved.parent.mkdir()
    moved.write_bytes(b"one")
    table = noted(first, tmp_path)
    assert other_video(table, moved) is None
    first.unlink()
    moved.write_bytes(b"another")
    assert other_video(table, moved) is None


@pytest.mark.parametrize("note", ["", "[]", "{}", '{"result": {"video": 5}, "key": {"video": {}}}'])
def test_a_note_that_says_nothing_stops_nothing(tmp_path, note):
    video = tmp_path / "mouse.mp4"
    video.write_bytes(b"one")
    table = noted(video, tmp_path)
    table.with_name(f"{table.stem}_meta.json").write_text(note)
    assert find_poses(video).stem == table.stem
