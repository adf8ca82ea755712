"""dlcnb.labels: DeepLabCut's tables in every style, read without running anything; merging, checking, repairing."""

import os
import shutil
import subprocess

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from PIL import Image
from support.tables import ONE

from dlcnb.labels import LabelError, Labels, check_tables, doctor, frame_index, image_name, read_h5_table
from dlcnb.project import Project

THREE = """\
scorer,,,Ann,Ann,Ann,Ann
bodyparts,,,hand,hand,elbow,elbow
coords,,,x,y,x,y
labeled-data,cam1,img00.png,1.5,2.0,250.05599999999998,4.0
labeled-data,cam1,img07.png,,,7.0,8.0
"""
IMAGES = ("labeled-data/cam1/img00.png", "labeled-data/cam1/img07.png")
POINTS = np.array([[[1.5, 2.0], [250.05599999999998, 4.0]], [[np.nan, np.nan], [7.0, 8.0]]])
CONFIG = "Task: reach\nscorer: Ann\ndate: Mar5\nvideo_sets:\nbodyparts: [hand, elbow]\n"


@pytest.fixture
def folder(tmp_path):
    """labeled-data/cam1 of a small project, with images and a csv of the old style."""
    folder = tmp_path / "reach" / "labeled-data" / "cam1"
    folder.mkdir(parents=True)
    (tmp_path / "reach" / "config.yaml").write_text(CONFIG + f"project_path: {tmp_path / 'reach'}\n")
    (folder / "CollectedData_Ann.csv").write_text(ONE)
    for name in ("img00.png", "img07.png"):
        Image.new("RGB", (400, 20)).save(folder / name)
    return folder


def labels(points=POINTS, images=IMAGES, bodyparts=("hand", "elbow"), scorer="Ann"):
    return Labels(bodyparts, scorer, images, points)


def messages(findings, level):
    return [f.message for f in findings if f.level == level]


# --- names


@pytest.mark.parametrize(("n", "name"), [(1, "img0.png"), (10, "img7.png"), (11, "img07.png"), (1000, "img007.png")])
def test_image_name(n, name):
    index = 0 if n == 1 else 7
    assert image_name(index, n) == name
    assert frame_index(f"labeled-data/cam1/{name}") == index


@pytest.mark.parametrize("name", ["notes.txt", "frame12.png", "2024-05-01.png", "m1/myimg3.png", "img3_copy2.png"])
def test_names_that_neither_dlcnb_nor_deeplabcut_gave_say_no_frame(name):
    with pytest.raises(LabelError, match=rf"such as img0012\.png, found {name}"):
        frame_index(name)


# --- reading


@pytest.mark.parametrize("text", [ONE, THREE, ONE.replace("/", "\\"), "\ufeff" + ONE, ONE.replace("\n", "\r\n")])
def test_read_every_style_of_csv(folder, text):
    (folder / "CollectedData_Ann.csv").write_text(text, "utf-8", newline="")
    read = Labels.read(folder)
    assert (read.scorer, read.bodyparts, read.images) == ("Ann", ("hand", "elbow"), IMAGES)
    np.testing.assert_array_equal(read.points, POINTS)


def test_read_in_the_order_of_the_project(folder):
    read = Labels.read(folder, "Ann", ("elbow", "hand"))
    np.testing.assert_array_equal(read.points, POINTS[:, ::-1])


def test_other_coordinates_and_index_names_are_passed_over(folder):
    columns = pd.MultiIndex.from_product(
        [["Ann"], ["hand", "elbow"], ["x", "y"]], names=["scorer", "bodyparts", "coords"]
    )
    frame = pd.DataFrame(POINTS.reshape(2, 4), index=IMAGES, columns=columns)
    for part in ("hand", "elbow"):
        frame["Ann", part, "likelihood"] = 0.5
    frame.index.name = "image"
    frame.to_csv(folder / "CollectedData_Ann.csv")
    np.testing.assert_array_equal(Labels.read(folder).points, POINTS)


def test_h5_is_read_where_there_is_no_csv(folder):
    labels().write(folder)
    (folder / "CollectedData_Ann.csv").unlink()
    read = Labels.read(folder)
    assert read.images == IMAGES
    np.testing.assert_array_equal(read.points, POINTS)


def test_a_renamed_folder_is_followed(folder):
    renamed = folder.rename(folder.with_name("cam2"))
    assert Labels.read(renamed).images[0] == "labeled-data/cam2/img00.png"
    folder.mkdir()  # now the rows belong to another video that is there
    with pytest.raises(LabelError, match="has the rows of the video cam1; expected rows of cam2"):
        Labels.read(renamed)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (ONE, "", r"is empty; restore it from a copy, or delete it"),
        (ONE, "\n\n", r"is empty"),
        (ONE, "hello\nworld\n", r"expected header rows scorer, bodyparts, coords, found 'hello'"),
        (ONE, ONE.replace(",", ";"), "expected commas between cells, found .;.; save it with them"),
        ("bodyparts,", "individuals,", r"a table of several animals"),
        ("elbow,elbow", "elbow,ebow", r"the column 'y' of the bodypart 'elbow' is missing"),
        ("x,y\nlab", "x,x\nlab", r"two columns for elbow x"),
        (
            "elbow,elbow",
            "elbw,elbw",
            r"the bodypart 'elbow' is missing; the table has hand, elbw; did you mean 'elbw'\?"
            r".*dlcnb bodyparts .*reach add elbow",
        ),
        ("Ann,Ann\n", "Ann,Bob\n", r"expected one scorer in the first row, found Ann, Bob"),
        ("Ann,Ann,Ann,Ann", "Bob,Bob,Bob,Bob", r"expected the scorer 'Ann', found 'Bob'.*rename the file"),
        ("1.5", "left", r"line 4: hand x is 'left'; expected a number or an empty cell"),
        ("1.5", "inf", r"hand in .*img00\.png is \(inf, 2\.0\); expected finite x and y"),
        ("img07", "img00", r"the image labeled-data/cam1/img00\.png is there more than once"),
        (",7.0,8.0", ",7.0", r"line 5: expected 5 cells, found 4; the file may be cut off"),
        ("coords,x,y,x,y", "coords,x,y,x", r"header rows have empty cells or different lengths"),
        ("labeled-data/cam1/img07", "labeled-data/cam9/img07", r"rows of several videos \(cam1, cam9\)"),
        ("labeled-data/cam1/img07.png", "../..", r"expected rows such as labeled-data/cam1"),
        (ONE, "scorer,\0", r"is not a csv table|expected header rows|header rows"),
    ],
)
def test_a_wrong_table_gives_one_clear_error(folder, old, new, message):
    text = ONE.replace(old, new, 1)
    assert text != ONE
    (folder / "CollectedData_Ann.csv").write_text(text)
    with pytest.raises(LabelError, match=message):
        Labels.read(folder, bodyparts=("hand", "elbow"))
    assert (folder / "CollectedData_Ann.csv").read_text() == text
    assert len(messages(check_tables(Project.open(folder.parent.parent)), "error")) == 1


def test_a_table_that_is_no_text(folder):
    (folder / "CollectedData_Ann.csv").write_bytes(b"scorer,\xff\xfe\x00")
    with pytest.raises(LabelError, match="is not a csv table"):
        Labels.read(folder)


@pytest.mark.parametrize("text", [ONE, THREE])
def test_a_table_without_rows_is_no_error(folder, text):
    (folder / "CollectedData_Ann.csv").write_text("".join(text.splitlines(True)[:3]))
    read = Labels.read(folder)
    assert read.points.shape == (0, 2, 2)
    h5_path, csv_path = read.write(folder)
    assert csv_path.read_text() == "".join(text.splitlines(True)[:3])
    assert read_h5_table(h5_path).shape == pd.read_hdf(h5_path).shape == (0, 4)
    csv_path.unlink()
    assert len(Labels.read(folder)) == 0


def test_whose_labels(folder):
    with pytest.raises(LabelError, match=r"no labels by 'An' in .*; there are labels by Ann; did you mean 'Ann'"):
        Labels.read(folder, "An")
    (folder / "CollectedData_Bob.csv").write_text(ONE.replace("Ann", "Bob"))
    with pytest.raises(LabelError, match="has labels by Ann, Bob; say whose"):
        Labels.read(folder)
    assert Labels.read(folder, "Bob").scorer == "Bob"
    (folder.parent / "none").mkdir()
    with pytest.raises(LabelError, match=r"no labels in .*none: expected CollectedData"):
        Labels.read(folder.parent / "none")


def test_a_difference_between_csv_and_h5_is_said(folder, caplog):
    labels().write(folder)
    Labels.read(folder)
    assert not caplog.messages
    path = folder / "CollectedData_Ann.csv"
    path.write_text(ONE.replace("7.0,8.0", "7.0,9.0"))
    os.utime(folder / "CollectedData_Ann.h5", (1, 1))
    np.testing.assert_array_equal(Labels.read(folder).points[1, 1], [7, 9])
    assert len(caplog.messages) == 1
    assert (
        "differ (1 point(s), such as elbow in labeled-data/cam1/img07.png); CollectedData_Ann.csv is newer"
        in caplog.text
    )


def test_an_unreadable_h5_does_not_hide_the_csv(folder, caplog):
    (folder / "CollectedData_Ann.h5").write_bytes(b"junk")
    np.testing.assert_array_equal(Labels.read(folder).points, POINTS)
    assert "not an intact pandas HDF5 file" in caplog.text


def test_the_real_table(openfield_root):
    folder = openfield_root / "labeled-data" / "m4s1"
    frame = pd.read_hdf(folder / "CollectedData_Pranav.h5")
    pd.testing.assert_frame_equal(read_h5_table(folder / "CollectedData_Pranav.h5"), frame)
    read = Labels.read(folder)
    assert read.images == tuple(frame.index)
    np.testing.assert_array_equal(read.points.reshape(116, 8), frame.to_numpy())
    whole = Labels.read_project(Project.open(openfield_root))
    assert (whole.scorer, len(whole)) == ("Pranav", 116)
    assert not [f for f in doctor(openfield_root) if f.level == "error"]


def test_the_real_table_survives_a_rewrite(openfield_root, tmp_path):
    folder = tmp_path / "labeled-data" / "m4s1"
    folder.mkdir(parents=True)
    original = openfield_root / "labeled-data" / "m4s1" / "CollectedData_Pranav.csv"
    shutil.copyfile(original, folder / original.name)
    Labels.read(folder).write(folder)
    assert (folder / original.name).read_text() == original.read_text()
    expected = pd.read_hdf(original.with_suffix(".h5"))
    pd.testing.assert_frame_equal(pd.read_hdf(folder / "CollectedData_Pranav.h5"), expected)


# --- writing


def test_a_new_table_has_three_index_columns(folder):
    (folder / "CollectedData_Ann.csv").unlink()
    h5_path, csv_path = labels().write(folder)
    assert csv_path.read_text() == THREE
    frame = pd.read_hdf(h5_path)
    assert frame.columns.names == ["scorer", "bodyparts", "coords"]
    assert frame.index[1] == ("labeled-data", "cam1", "img07.png")
    np.testing.assert_array_equal(frame.to_numpy().reshape(2, 2, 2), POINTS)
    pd.testing.assert_frame_equal(
        pd.read_csv(csv_path, header=[0, 1, 2], index_col=[0, 1, 2]), frame, check_names=False
    )


@pytest.mark.parametrize("text", [ONE, THREE])
def test_an_existing_table_keeps_its_style(folder, text):
    (folder / "CollectedData_Ann.csv").write_text(text)
    labels(POINTS + 1).write(folder)
    written = (folder / "CollectedData_Ann.csv").read_text()
    assert written.splitlines()[:3] == text.splitlines()[:3]
    assert pd.read_hdf(folder / "CollectedData_Ann.h5").index.nlevels == (1 if text is ONE else 3)
    labels().write(folder)
    assert (folder / "CollectedData_Ann.csv").read_text() == text


@settings(max_examples=40, deadline=None)
@given(
    points=hnp.arrays(float, (3, 2, 2), elements=st.floats(-1e6, 1e6)),
    hidden=hnp.arrays(bool, (3, 2)),
    names=st.lists(st.text("bcÄß,\" '_1", min_size=1).filter(str.strip), min_size=2, max_size=2, unique=True),
    three=st.booleans(),
    suffix=st.sampled_from([".csv", ".h5"]),
)
def test_round_trip(tmp_path_factory, points, hidden, names, three, suffix):
    folder = tmp_path_factory.mktemp("round") / "labeled-data" / "cam1"
    folder.mkdir(parents=True)
    points[hidden] = np.nan
    if not three:
        (folder / "CollectedData_Ann.csv").write_text("scorer,Ann,Ann\nbodyparts,a,a\ncoords,x,y\n")
        names[0] = "a"
    images = tuple(f"labeled-data/cam1/img{i}.png" for i in range(3))
    labels(points, images, names).write(folder)
    read = Labels.read_file(folder / f"CollectedData_Ann{suffix}", "cam1", "Ann", names)
    assert (read.images, read.bodyparts) == (images, tuple(names))
    np.testing.assert_array_equal(read.points, points)


def test_write_refuses_to_lose_a_bodypart(folder):
    with pytest.raises(LabelError, match="has the bodyparts elbow, which writing only hand would delete"):
        labels(POINTS[:, :1], bodyparts=("hand",)).write(folder)
    assert (folder / "CollectedData_Ann.csv").read_text() == ONE


def test_write_refuses_images_of_other_videos(folder):
    with pytest.raises(LabelError, match="write the labels of each video by itself"):
        labels(images=("labeled-data/cam1/img00.png", "labeled-data/cam2/img00.png")).write(folder)


def test_a_full_disk_leaves_the_old_tables(tmp_path, mounted):
    with mounted(tmp_path / "small", "size=200k") as disk:
        folder = disk / "labeled-data" / "cam1"
        folder.mkdir(parents=True)
        labels().write(folder)
        before = {p.name: p.read_bytes() for p in folder.iterdir()}
        images = tuple(f"labeled-data/cam1/img{i:04d}.png" for i in range(2000))
        with pytest.raises(OSError, match=r"cannot write .*: the disk is full\. The old one is unchanged"):
            labels(np.random.default_rng(0).random((2000, 2, 2)), images).write(folder)
        assert {p.name: p.read_bytes() for p in folder.iterdir()} == before
        assert len(Labels.read(folder)) == 2


def test_a_read_only_disk_leaves_the_old_tables(folder, tmp_path, mounted):
    with mounted(tmp_path / "ro", "size=1m") as disk:
        shutil.copytree(folder.parent.parent, disk, dirs_exist_ok=True)
        subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
        with pytest.raises(OSError, match=r"cannot write .*CollectedData_Ann.*: the disk is read-only"):
            labels(POINTS + 1).write(disk / "labeled-data" / "cam1")
        assert (disk / "labeled-data" / "cam1" / "CollectedData_Ann.csv").read_text() == ONE
        assert any("read-only" in f.message for f in doctor(disk, repair=True))


def test_write_to_a_folder_that_is_not_there(tmp_path):
    with pytest.raises(OSError, match="its folder does not exist"):
        labels().write(tmp_path / "labeled-data" / "cam1")


# --- Labels


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"points": POINTS[:1]}, r"expected points \(2, 2, 2\)"),
        ({"images": (IMAGES[0],) * 2}, "there more than once"),
        ({"bodyparts": ("hand", "hand")}, "the bodypart hand is there more than once"),
        ({"points": np.where(np.arange(8).reshape(2, 2, 2) == 1, np.nan, POINTS)}, r"hand in .* is \(1\.5, nan\)"),
        ({"points": np.full((2, 2, 2), np.inf)}, "expected finite x and y"),
    ],
)
def test_labels_that_do_not_fit(change, message):
    with pytest.raises(LabelError, match=message):
        labels(**change)


def test_select():
    by_mask, by_index = labels().select(np.array([False, True])), labels().select([1])
    for chosen in (by_mask, by_index):
        assert chosen.images == IMAGES[1:]
        np.testing.assert_array_equal(chosen.points, POINTS[1:])
    by_index.points[:] = 0
    assert np.isnan(POINTS[1, 0]).all()


def test_merged():
    new = labels([[[5, 6], [7, 8]], [[1, 2], [np.nan] * 2]], ("labeled-data/cam1/img09.png", IMAGES[1]))
    both = labels().merged(labels(new.points[:, ::-1], new.images, ("elbow", "hand")))
    assert both.images == (*IMAGES, "labeled-data/cam1/img09.png")
    np.testing.assert_array_equal(both.points, [POINTS[0], [[1, 2], [7, 8]], [[5, 6], [7, 8]]])
    with pytest.raises(LabelError, match=r"two different points for elbow in labeled-data/cam1/img00\.png"):
        labels().merged(labels(POINTS + [[0, 0], [0, 1]]))
    with pytest.raises(LabelError, match="only labels of one scorer"):
        labels().merged(labels(scorer="Bob"))


def test_read_project(folder, caplog):
    project = Project.open(folder.parent.parent)
    second, third = folder.with_name("cam2"), folder.with_name("cam3")
    for other in (second, third):
        other.mkdir()
    (second / "CollectedData_Ann.csv").write_text(
        THREE.replace("cam1", "cam2").replace("hand,hand,elbow,elbow", "elbow,elbow,hand,hand")
    )
    (third / "CollectedData_Bob.csv").write_text(ONE.replace("Ann", "Bob").replace("cam1", "cam3"))
    read = Labels.read_project(project)
    assert read.bodyparts == ("hand", "elbow")
    assert read.images == (*IMAGES, *(image.replace("cam1", "cam2") for image in IMAGES))
    np.testing.assert_array_equal(read.points, np.concatenate([POINTS, POINTS[:, ::-1]]))
    assert "has labels by Bob, none by Ann" in caplog.text
    with pytest.raises(LabelError, match=r"no labels by 'Cy' in .*; there are labels by Ann, Bob"):
        Labels.read_project(project, "Cy")
    (second / "CollectedData_Ann.csv").write_text(ONE.replace("cam1", "cam2").replace("elbow", "tail"))
    with pytest.raises(LabelError, match=r"cam2/CollectedData_Ann\.csv: the bodypart 'elbow' is missing"):
        Labels.read_project(project)


# --- doctor


def test_doctor_writes_the_missing_table(folder):
    root = folder.parent.parent
    (finding,) = doctor(root)
    assert "has no h5 beside it" in finding.message
    assert not (folder / "CollectedData_Ann.h5").exists()
    assert doctor(root, repair=True)[0].repaired
    assert [f.level for f in doctor(root)] == ["ok"]
    (folder / "CollectedData_Ann.csv").unlink()
    assert "has no csv beside it" in doctor(root, repair=True)[0].message
    assert (folder / "CollectedData_Ann.csv").read_text() == ONE


def test_doctor_on_images_and_points(folder):
    labels(POINTS + [[0, 0], [200, 0]]).write(folder)
    (folder / "img00.png").unlink()
    Image.new("RGB", (400, 20)).save(folder / "img99.png")
    (folder / "img07.png").write_bytes(b"no picture")
    findings = doctor(folder.parent.parent)
    text = "\n".join(messages(findings, "error"))
    assert "1 labeled images are missing: img00.png" in text
    assert "1 images can't be opened: img07.png" in text
    assert "1 images have no row in the table: img99.png" in "".join(messages(findings, "warning"))
    for name in ("img00.png", "img07.png"):
        Image.new("RGB", (400, 20)).save(folder / name)
    assert "labels lie outside their image: elbow in img00.png" in "".join(
        messages(doctor(folder.parent.parent), "error")
    )


def test_doctor_on_differences_and_bad_h5(folder):
    labels().write(folder)
    csv_path, h5_path = folder / "CollectedData_Ann.csv", folder / "CollectedData_Ann.h5"
    csv_path.write_text(ONE.replace("1.5", "1.75"))
    os.utime(csv_path, (1, 1))
    (finding,) = doctor(folder.parent.parent, repair=True)
    assert "differ" in finding.message
    assert "CollectedData_Ann.h5 is newer" in finding.message
    assert "1.75" in csv_path.read_text()
    h5_path.write_bytes(b"junk")
    (finding,) = doctor(folder.parent.parent)
    assert "not an intact pandas HDF5 file" in finding.message


def test_doctor_on_unlabeled_folders_and_broken_projects(folder, tmp_path):
    (folder / "CollectedData_Ann.csv").unlink()
    (finding,) = doctor(folder.parent.parent)
    assert "has 2 images and no labels" in finding.message
    assert [f.level for f in doctor(tmp_path)] == ["error"]


def test_half_a_point_is_not_placed_and_told(folder, caplog):
    path = folder / "CollectedData_Ann.csv"
    path.write_text(ONE.replace("1.5,", ","))
    found = Labels.read(folder)
    assert np.isnan(found.points[0, 0]).all()
    assert not np.isnan(found.points[0, 1]).any()
    assert "1 points have only one of x and y and count as not placed" in caplog.text


def test_rows_written_as_tuples(folder):
    path = folder / "CollectedData_Ann.csv"
    for name in ("img00.png", "img07.png"):
        row = f"\"('labeled-data', 'cam1', '{name}')\""
        path.write_text(path.read_text().replace(f"labeled-data/cam1/{name}", row))
    found = Labels.read(folder)
    assert found.images == IMAGES
    np.testing.assert_array_equal(found.points, POINTS)
