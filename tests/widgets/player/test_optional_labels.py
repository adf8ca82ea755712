"""Labels on the player's timeline are an extra: whatever is wrong with them, the video opens, and it is told."""

import numpy as np
import pytest
from support.labeling import make_project

from dlcnb import Player
from dlcnb.labels import Labels, current_labels
from dlcnb.poses import Poses
from dlcnb.project import Project
from dlcnb.widgets.labeler.state import LabelSession


@pytest.fixture
def project(tmp_path):
    return Project.open(make_project(tmp_path, videos=("m1",)).root)


def write(project, scorer, frames):
    images = [f"labeled-data/m1/img{n}.png" for n in frames]
    points = np.ones((len(frames), len(project.bodyparts), 2))
    Labels(project.bodyparts, scorer, images, points).write(project.labeled_dir("m1"))


def test_of_several_scorers_the_projects_own_counts(project):
    write(project, project.scorer, [1, 3])
    write(project, "Bob", [2])
    assert Player(project.videos[0], project=project).state.marks["labeled"].tolist() == [1, 3]


def test_labels_made_meanwhile_are_marked_when_it_is_refreshed(project):
    write(project, project.scorer, [1])
    player = Player(project.videos[0], project=project)
    write(project, project.scorer, [1, 3])
    player.refresh()
    assert player.state.marks["labeled"].tolist() == [1, 3]
    assert "labeled (2)" in player.legend.value
    given = Player(project.videos[0], project=project, labels=Labels.read(project.labeled_dir("m1")))
    write(project, project.scorer, [1])
    given.refresh()
    assert given.state.marks["labeled"].tolist() == [1, 3]


def test_a_label_that_was_undone_leaves_no_labeled_frame(project):
    session = LabelSession(project)
    images = session.images
    for image in images[:2]:
        session.go_to(image)
        session.click((10, 10))
    session.save()
    session.undo()
    session.go_to(images[3])
    session.finish(sure=True)  # nothing is visible there
    session.save()
    assert len(Labels.read(project.labeled_dir("m1"))) == 2  # the row stays, as DeepLabCut's tables have such
    assert Player(project.videos[0], project=project).state.marks["labeled"].tolist() == [0, 3]
    assert current_labels(project).images == images[:1]


def test_rows_without_a_point_of_another_program_are_no_labeled_frames(project):
    points = np.full((2, len(project.bodyparts), 2), np.nan)
    points[1, 0] = 5
    images = tuple(f"labeled-data/m1/img{n}.png" for n in (1, 3))
    labels = Labels(project.bodyparts, project.scorer, images, points)
    labels.write(project.labeled_dir("m1"))
    assert Player(project.videos[0], project=project).state.marks["labeled"].tolist() == [3]
    assert Player(project.videos[0], labels=labels).state.marks["labeled"].tolist() == [3]
    assert current_labels(project).images == images[1:]


def test_labels_by_others_alone(project):
    write(project, "Bob", [2])
    write(project, "Cy", [2])
    assert len(Player(project.videos[0], project=project).state.marks["labeled"]) == 0


def test_labels_beyond_the_end(project):
    write(project, project.scorer, [1, 10, 11])
    player = Player(project.videos[0], project=project)
    assert player.state.marks["labeled"].tolist() == [1]
    assert "2 labeled frames lie beyond the end of this video, which has 6 frames" in player.status_line.value


def test_a_damaged_table(project):
    write(project, project.scorer, [1])
    table = project.labeled_dir("m1") / f"CollectedData_{project.scorer}.csv"
    table.write_text(table.read_text()[:-6])
    player = Player(project.videos[0], project=project)
    assert "may be cut off" in player.status_line.value


def test_poses_of_two_frames_more_than_the_video(project):
    points = np.ones((8, len(project.bodyparts), 2))
    player = Player(project.videos[0], Poses(project.bodyparts, "DLC_net", points, np.ones(points.shape[:2])))
    assert player.state.points.shape == (6, len(project.bodyparts), 2)
    assert "2 poses lie beyond the end of this video and are left out" in player.status_line.value
