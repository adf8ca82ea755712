"""A copy of a folder of labeled frames, as people make them before they change something, is passed over and told."""

import shutil

import pytest
from support.labeling import make_project

from dlcnb import frames
from dlcnb.labels import Edit, LabelStore, doctor
from dlcnb.project import Project
from dlcnb.trainset import TrainSet


@pytest.fixture
def project(tmp_path):
    project = Project.open(make_project(tmp_path, videos=("m1",)).root)
    store = LabelStore(project, "m1")
    store.apply([Edit(image, part, (11.0, 21.0)) for image in store.images[:3] for part in project.bodyparts])
    store.save()
    return project


@pytest.mark.parametrize("name", ["m1_backup", "m1 - Copy", "m1 - Copy (2)", "m1 copy", "m1.old", "m1_bak2", "m1 (1)"])
def test_a_copy_is_passed_over_and_told(project, name):
    folder = project.labeled_dir("m1")
    shutil.copytree(folder, folder.with_name(name))
    assert project.labeled_dirs() == [folder]
    assert len(TrainSet.from_project(project)) == 3
    told = [finding.message for finding in doctor(project.root) if "passed over" in finding.message]
    assert len(told) == 1
    assert f"labeled-data/{name}" in told[0]


@pytest.mark.parametrize("name", ["m1_night", "m1old", "m2_backup", "backup"])
def test_another_name_is_a_folder_of_its_own(project, name):
    folder = project.labeled_dir("m1").with_name(name)
    folder.mkdir()
    assert folder in project.labeled_dirs()


def test_a_video_may_be_called_that(project):
    folder = project.labeled_dir("m1").with_name("m1_backup")
    folder.mkdir()
    project.config["video_sets"]["/videos/m1_backup.mp4"] = {"crop": "0, 128, 0, 96"}
    assert folder in project.labeled_dirs()


@pytest.mark.parametrize("suffix", [".jpg", ".jpeg", ".JPG"])
def test_a_frame_that_is_there_under_another_suffix_is_not_extracted_again(project, suffix):
    folder = project.labeled_dir("m1")
    image = folder / "img2.png"
    image.rename(image.with_suffix(suffix))
    assert frames.extract(project, "m1", [2]) == [image.with_suffix(suffix)]
    assert not image.exists()


def test_a_folder_that_ends_in_labeled_is_a_videos_own_if_it_is_called_that(project):
    folder = project.labeled_dir("m1").with_name("trial_labeled")
    folder.mkdir()
    assert folder not in project.labeled_dirs()
    project.config["video_sets"]["/videos/trial_labeled.mp4"] = {"crop": "0, 128, 0, 96"}
    assert folder in project.labeled_dirs()
