"""Labels of a video that config.yaml lists no more: they are trained on, as those of an import are, and it is said."""

import pytest
from support.labeling import make_project

from dlcnb.labels import Edit, LabelStore
from dlcnb.project import Project
from dlcnb.trainset import TrainSet


@pytest.fixture
def project(tmp_path):
    project = Project.open(make_project(tmp_path).root)
    for video in ("m1", "m2"):
        store = LabelStore(project, video)
        store.apply([Edit(store.images[0], part, (11.0, 21.0)) for part in project.bodyparts])
        store.save()
    return project


def test_it_is_said(project, caplog):
    del project.config["video_sets"][project.video_keys()[1]]
    project.save()
    assert len(TrainSet.from_project(Project.open(project.root))) == 2
    assert "labels of m2 are trained on although video_sets in config.yaml does not list it" in caplog.text


def test_of_a_template_that_lists_no_video_nothing_is_said(project, caplog):
    project.config["video_sets"]["WILL BE AUTOMATICALLY UPDATED"] = {}
    del project.config["video_sets"][project.video_keys()[1]]
    project.save()
    assert len(TrainSet.from_project(Project.open(project.root))) == 2
    assert "video_sets" not in caplog.text
