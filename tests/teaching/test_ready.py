"""What the cells of a course wait for: asked, and said in one sentence."""

from __future__ import annotations

import numpy as np
import pytest

from dlcnb import LabelStore, Project, frames
from dlcnb.labels import Edit
from dlcnb.sampledata import BODYPARTS, Arena, make_arena
from dlcnb.teaching import ready


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A project with a video and nothing else, and its truth."""
    folder = tmp_path_factory.mktemp("ready")
    truth = make_arena(folder / "arena.mp4", Arena(seed=3, n_frames=12, size=(120, 160)))
    return Project.create("arena", "me", [folder / "arena.mp4"], BODYPARTS, parent=folder), truth


QUESTIONS = [
    lambda project: ready.extracted(project, 5),
    lambda project: ready.labeled(project, 5),
    ready.trained,
    ready.evaluated,
    ready.analyzed,
]


@pytest.mark.parametrize("question", QUESTIONS)
def test_without_a_project_each_asks_for_one(question, capsys):
    assert not question(None)
    assert capsys.readouterr().out == f"Waiting for you. Make a project above, or open one, {ready.AGAIN}\n"


def test_what_is_missing_is_said_step_by_step(made, capsys):
    project, truth = made
    assert ready.opened(project)
    assert not ready.extracted(project, 5)
    assert "0 of 5 frames are extracted: choose 5 more" in capsys.readouterr().out
    frames.extract(project, "arena", range(0, 10, 2))
    assert ready.extracted(project, 5)

    store = LabelStore(project, "arena")
    store.add_images()
    mine, hidden = store.images[0], store.images[1]
    store.apply([Edit(mine, part, (1.0, 2.0)) for part in BODYPARTS])
    store.apply([Edit(hidden, "snout", None, visible=False)])
    store.save()
    assert not ready.labeled(project, 5)
    assert "1 of 5 frames are labeled: label 4 more above" in capsys.readouterr().out

    truth = truth.copy()
    truth[4, 0] = np.nan
    assert ready.borrow_labels(project, truth) == 4 * len(BODYPARTS) - 1
    assert ready.labeled(project, 5)
    store.refresh()
    np.testing.assert_array_equal(store.point(mine), [[1, 2]] * 4)  # a person's labels stay
    assert store.hidden[:, 0].tolist() == [False, True, True, False, False]
    np.testing.assert_allclose(store.points[3], truth[6])
    assert ready.borrow_labels(project, truth) == 0

    assert not ready.trained(project)
    assert not ready.evaluated(project)
    assert not ready.analyzed(project)
    assert [line.split(":")[0] for line in capsys.readouterr().out.splitlines()] == [
        "Waiting for you. There is no network yet",
        "Waiting for you. The network is not evaluated yet",
        "Waiting for you. The video is not analyzed yet",
    ]
