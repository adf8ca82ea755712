"""Rows of tables of labels that name their image otherwise than it is called, or twice: nothing of them is lost."""

import re

import numpy as np
import pytest
from PIL import Image
from support.tables import ONE

from dlcnb.labels import LabelError, Labels, LabelStore, doctor
from dlcnb.labels.journal import Edit
from dlcnb.project import Project

CONFIG = "Task: reach\nscorer: Ann\ndate: Mar5\nvideo_sets:\nbodyparts: [hand, elbow]\n"
IMAGES = ("labeled-data/cam1/img00.png", "labeled-data/cam1/img07.png")


@pytest.fixture
def root(tmp_path):
    """A project with two labeled images, and a csv alone."""
    folder = tmp_path / "labeled-data" / "cam1"
    folder.mkdir(parents=True)
    (tmp_path / "config.yaml").write_text(f"{CONFIG}project_path: {tmp_path}\n")
    for name in ("img00.png", "img07.png"):
        Image.new("RGB", (400, 20)).save(folder / name)
    return tmp_path


def written(root, text):
    path = root / "labeled-data" / "cam1" / "CollectedData_Ann.csv"
    path.write_text(text)
    return path.parent


@pytest.mark.parametrize(
    ("old", "new"),
    [(".png", ".jpg"), (".png", ".PNG"), ("img0", "img000"), ("img0", "img"), (r"\S+/img0(\d)\.png", r"\1")],
)
def test_an_image_is_known_by_its_frame(root, old, new):
    folder = written(root, re.sub(old, new, ONE))
    before = Labels.read(folder).points
    assert Labels.read(folder).images == IMAGES
    store = LabelStore(Project.open(root), "cam1")
    assert tuple(store.images) == IMAGES
    store.apply([Edit(IMAGES[1], "hand", (5.0, 6.0))])
    store.save()
    after = Labels.read(folder)
    np.testing.assert_array_equal(after.points[0], before[0])
    np.testing.assert_array_equal(after.points[1], [[5, 6], before[1, 1]])
    assert not [finding for finding in doctor(root, repair=True) if finding.level == "error"]
    assert Labels.read(folder).images == IMAGES


def test_of_two_images_of_one_frame_none_is_taken_for_another(root):
    folder = written(root, ONE.replace("img07.png", "img7.jpeg"))
    (folder / "img7.jpg").write_bytes((folder / "img07.png").read_bytes())
    assert Labels.read(folder).images[1].endswith("img7.jpeg")


@pytest.mark.parametrize(
    "again", ["labeled-data/cam1/img07.png,,,7.0,8.0", "C:\\x\\labeled-data\\cam1\\img07.png,3,4,,"]
)
def test_rows_that_agree_count_once(root, again, caplog):
    folder = written(root, f"{ONE}{again}\n")
    labels = Labels.read(folder)
    assert labels.images == IMAGES
    np.testing.assert_array_equal(labels.points[1, 1], [7, 8])
    assert "several rows of one image agree" in caplog.text
    store = LabelStore(Project.open(root), "cam1")
    store.apply([Edit(IMAGES[1], "elbow", (9.0, 9.0))])
    store.save()
    np.testing.assert_array_equal(Labels.read(folder).points[1, 1], [9, 9])
    assert LabelStore(Project.open(root), "cam1").point(IMAGES[1])[1].tolist() == [9, 9]


def test_rows_that_contradict_each_other_are_refused(root):
    folder = written(root, f"{ONE}labeled-data/cam1/img07.png,,,7.0,9.0\n")
    with pytest.raises(LabelError, match=r"img07\.png is there more than once"):
        Labels.read(folder)


def test_who_labeled_is_said_with_the_cure(root):
    folder = written(root, ONE.replace("Ann", "Bob"))
    (folder / "CollectedData_Ann.csv").rename(folder / "CollectedData_Bob.csv")
    with pytest.raises(LabelError, match=r"labels by Bob\. Label as Ann, or enter another scorer in"):
        Labels.read_project(Project.open(root))


def test_all_bodyparts_that_a_table_lacks_are_in_the_command(root):
    folder = written(root, ONE)
    with pytest.raises(LabelError, match=r"these are new ones, .*: dlcnb bodyparts .* add paw .tail tip"):
        Labels.read(folder, bodyparts=["hand", "paw", "elbow", "tail tip"])
