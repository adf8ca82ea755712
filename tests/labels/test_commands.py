"""dlcnb compare and dlcnb bodyparts."""

import json

import pytest
from click.testing import CliRunner

from dlcnb.cli import main
from dlcnb.labels import Edit, LabelStore
from dlcnb.project import Project


def run(*arguments):
    return CliRunner().invoke(main, list(map(str, arguments)))


@pytest.fixture
def shared(project):
    for scorer, shift in (("Ann", 0), ("Bob", 3), ("Cy", 1)):
        store = LabelStore(project, "cam1", scorer)
        images = store.images[8:] if scorer == "Cy" else store.images[:6]
        store.apply([Edit(image, part, (20 + shift, 20)) for image in images for part in store.bodyparts])
    return project


def test_compare(shared):
    found = run("compare", shared.root, "Ann", "Bob")
    assert found.exit_code == 0
    assert "Ann and Bob: 6 frames labeled by both" in found.output
    assert "elbow  3.00  3.00 - 3.00  3.00  3.00 - 3.00       6" in found.output
    data = json.loads(run("compare", shared.root, "--json").stdout)["comparisons"]
    assert [c["scorers"] for c in data] == [["Ann", "Bob"]]  # Cy labeled other frames
    assert data[0]["mean_px"] == data[0]["bodyparts"]["hand"]["rms_px"] == 3
    found = run("compare", shared.root, "Ann", "Cy")
    assert found.exit_code == 1
    assert "label the same frames" in found.output


def test_bodyparts(shared):
    assert "bodyparts: hand, elbow, nose" in run("bodyparts", shared.root).output
    found = run("bodyparts", shared.root, "rename", "hand", "paw")
    assert found.exit_code == 0, found.output
    assert "Done: rename hand to paw, 4 files; backup in" in found.output
    assert run("bodyparts", shared.root, "add", "tail", "--not-visible").exit_code == 0
    assert LabelStore(Project.open(shared.root), "cam1").state("img00.png") == "done"
    assert run("bodyparts", shared.root, "skeleton", "paw-tail", "tail-nose").exit_code == 0
    data = json.loads(run("bodyparts", shared.root, "reorder", "tail", "nose", "elbow", "paw", "--json").stdout)
    assert data["bodyparts"] == ["tail", "nose", "elbow", "paw"]
    assert data["skeleton"] == [["paw", "tail"], ["tail", "nose"]]
    assert run("bodyparts", shared.root, "remove", "elbow").exit_code == 0
    assert run("bodyparts", shared.root, "scorer", "Ann", "Anna").exit_code == 0
    for _ in range(6):
        found = run("bodyparts", shared.root, "undo")
        assert found.exit_code == 0, found.output
    assert Project.open(shared.root).bodyparts == ("hand", "elbow", "nose")
    assert run("bodyparts", shared.root, "undo").exit_code == 1


@pytest.mark.parametrize("words", [["rename", "hand"], ["add"], ["undo", "hand"], ["list", "hand"], ["grow"]])
def test_wrong_usage(project, words):
    found = run("bodyparts", project.root, *words)
    assert found.exit_code == 2
    assert "expected: dlcnb bodyparts PROJECT" in found.output or "is not one of" in found.output
