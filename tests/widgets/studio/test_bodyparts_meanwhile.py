"""Bodyparts that are renamed while the labeler follows points: in the same Studio, and in one of another tab."""

import numpy as np
import pytest
from support.projects import copy_of

from dlcnb import Studio, frames
from dlcnb.labels import Labels, frame_images
from dlcnb.labels.core import frame_number
from dlcnb.project import Project


@pytest.fixture
def studio(arena_project, tmp_path):
    """Of a project with labeled frames, and frames without a label after the first of them."""
    project = copy_of(arena_project, tmp_path)
    labeled = sorted(frame_number(name) for name in frame_images(project.labeled_dirs()[0]))
    frames.extract(project, project.videos[0], [n for n in range(labeled[0] + 1, labeled[0] + 9) if n not in labeled])
    made = Studio(project)
    yield made
    made.close()


@pytest.fixture
def labels(studio):
    """Those that were there before."""
    return Labels.read_project(studio.project)


def rename_while_following(studio, other):
    """Follow in the labeler of one, rename the first bodypart in the other, then let the labeler go on."""
    labeler = studio.go_to("Label")
    labeler.session.go_to(next(i for i in labeler.session.images if labeler.session.state(i) == "done"))
    with labeler.session.lock:
        labeler.follower.start()
        editor = other.go_to("Bodyparts")
        editor.state.rename(editor.state.parts[0].key, "muzzle")
        editor.apply()
        assert labeler.follower.busy
    assert labeler.follower.wait(60)


def check(project, before):
    """Every label is where it was, under the new name; what was followed became none."""
    found = Labels.read_project(Project.open(project.root))
    assert found.bodyparts == ("muzzle", *before.bodyparts[1:])
    assert found.images == before.images
    np.testing.assert_array_equal(found.points, before.points)


def test_in_the_same_studio_the_labeler_is_opened_again(studio, labels):
    rename_while_following(studio, studio)
    assert "1 change made" in studio.status_line.value
    labeler = studio.go_to("Label")
    assert labeler.session.bodyparts[0] == "muzzle"
    assert not labeler.session.suggestions
    assert not studio.failed
    check(studio.project, labels)


def test_in_another_tab_it_is_told_in_one_line_and_the_arrows_on_top_open_it_again(studio, labels):
    other = Studio(studio.project.root)
    rename_while_following(studio, other)
    other.close()
    assert studio.failed
    assert "changed meanwhile; open the project again (in Studio: the arrows on top)" in studio.status_line.value
    studio.refresh()
    assert "The project was changed meanwhile: its widgets are opened again." in studio.status_line.value
    assert studio.widgets["Label"].session.bodyparts[0] == "muzzle"
    check(studio.project, labels)
