"""Outlier frames on their way to new labels, in files that DeepLabCut reads."""

import numpy as np
import pandas as pd
import pytest
from support.projects import copy_of

from dlcnb.labels import Labels, LabelStore, read_h5_table
from dlcnb.labels.journal import Edit
from dlcnb.outliers import extract, machine_labels_path, merge, refinement, suggestions
from dlcnb.poses import Poses
from dlcnb.project import Project, ProjectError
from dlcnb.video import VideoReader


@pytest.fixture
def project(arena_project, tmp_path):
    """A copy of the synthetic project, to write to."""
    return copy_of(arena_project, tmp_path)


@pytest.fixture
def poses(project):
    with VideoReader(project.videos[0]) as reader:
        count = len(reader)
    rng = np.random.default_rng(0)
    shape = (count, len(project.bodyparts))
    return Poses(project.bodyparts, "DLC_net_1", rng.uniform(0, 100, (*shape, 2)), rng.uniform(0, 1, shape))


def unlabeled(project, count):
    """Frames that are not extracted yet."""
    there = {p.name for p in project.labeled_dir(project.videos[0]).glob("img*.png")}
    numbers = [i for i in range(200) if not any(int(name[3:-4]) == i for name in there)]
    return numbers[:: len(numbers) // count][:count]


def test_frames_are_extracted_with_the_machines_labels_beside(project, poses):
    video, found = project.videos[0], unlabeled(project, 5)
    before = Labels.read_project(project)
    done = extract(project, video, poses, found[::-1])
    assert [int(p.name[3:-4]) for p in done.images] == found
    assert all(p.exists() for p in done.images)
    assert done.machine_labels.name == "machinelabels-iter0.h5"
    table = pd.read_hdf(done.machine_labels, "df_with_missing")
    assert table.columns.names == ["scorer", "bodyparts", "coords"]
    assert list(table.index) == [("labeled-data", video.stem, p.name) for p in done.images]
    part = project.bodyparts[1]
    np.testing.assert_array_equal(table["DLC_net_1", part, "x"], poses.points[found, 1, 0])
    np.testing.assert_array_equal(table["DLC_net_1", part, "likelihood"], poses.likelihood[found, 1])
    text = pd.read_csv(done.machine_labels.with_name("machinelabels.csv"), header=[0, 1, 2], index_col=[0, 1, 2])
    np.testing.assert_allclose(text.to_numpy(), table.to_numpy())
    np.testing.assert_array_equal(Labels.read_project(project).points, before.points)  # labels by hand are untouched


def test_a_second_extraction_adds_to_the_first_and_brings_it_up_to_date(project, poses):
    video, found = project.videos[0], unlabeled(project, 6)
    extract(project, video, poses, found[:4])
    newer = Poses(poses.bodyparts, "DLC_net_2", poses.points + 1, poses.likelihood)
    extract(project, video, newer, found[3:])
    table = read_h5_table(machine_labels_path(project, video))
    assert len(table) == 6
    assert {column[0] for column in table.columns} == {"DLC_net_2"}
    np.testing.assert_array_equal(table.to_numpy()[:, 0], newer.points[found, 0, 0])


def test_suggestions_are_what_the_labeler_takes(project, poses):
    video, found = project.videos[0], unlabeled(project, 3)
    assert suggestions(project, video) == ("", {})
    fewer = Poses(
        poses.bodyparts[::-1][:2], poses.scorer, poses.points[:, ::-1][:, :2], poses.likelihood[:, ::-1][:, :2]
    )
    done = extract(project, video, fewer, found)
    scorer, offered = suggestions(project, video)
    assert scorer == "DLC_net_1"
    assert list(offered) == [f"labeled-data/{video.stem}/{p.name}" for p in done.images]
    values = offered[f"labeled-data/{video.stem}/{done.images[1].name}"]
    assert values.shape == (len(project.bodyparts), 3)
    np.testing.assert_array_equal(values[-2:, :2], poses.points[found[1], -2:])
    np.testing.assert_array_equal(values[-2:, 2], poses.likelihood[found[1], -2:])
    assert np.isnan(values[:-2]).all()  # bodyparts that this network does not know


def test_frames_beyond_the_poses_are_refused_before_anything_is_written(project, poses):
    folder = project.labeled_dir(project.videos[0])
    before = sorted(folder.iterdir())
    with pytest.raises(IndexError, match="there are poses of frames 0 to"):
        extract(project, project.videos[0], poses, [1, len(poses)])
    assert sorted(folder.iterdir()) == before


def test_merging_begins_the_next_iteration_with_any_subset_refined(project, poses):
    video, found = project.videos[0], unlabeled(project, 3)
    with pytest.raises(ProjectError, match="no outlier frames"):
        merge(project)
    done = extract(project, video, poses, found)
    names = [f"labeled-data/{video.stem}/{p.name}" for p in done.images]
    assert refinement(project) == {video.stem: dict.fromkeys(names, "new")}
    with pytest.raises(ProjectError, match="none of the 3"):
        merge(project)
    store = LabelStore(project, video)
    store.apply([Edit(names[0], part, (10.0 + k, 20.0)) for k, part in enumerate(project.bodyparts)])
    store.apply([Edit(names[1], project.bodyparts[0], (10.0, 20.0))])
    store.save()
    assert list(refinement(project)[video.stem].values()) == ["done", "in work", "new"]
    merged = merge(project)
    assert merged.iteration == project.iteration == Project.open(project.root).iteration == 1
    assert merged.refined == {video.stem: 1}
    assert merged.left == {video.stem: tuple(names[1:])}
    assert names[0] in Labels.read_project(project).images
    assert machine_labels_path(project, video).name == "machinelabels-iter1.h5"
    assert suggestions(project, video) == ("", {})
    assert len(suggestions(project, video, iteration=0)[1]) == 3
    assert project.new_run(0.8).parent.parent.name == "iteration-1"
