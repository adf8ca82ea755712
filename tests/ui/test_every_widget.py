"""Every widget by itself in JupyterLab: all of it fits, axe-core finds nothing serious, the console no error."""

import pytest
from support.page import SIZES, barriers, faultless, settle

CELL = """
import pathlib, tempfile
from support.gallery import Stage, everything
stage = Stage(everything(pathlib.Path(tempfile.mkdtemp()), frames=90, size=(120, 160)))
"""
ROOT = ".jp-OutputArea .dlcnb"
OWN = (  # what is other than in Studio, whose test covers the rest
    "ClassBoard",
    "EvaluationView of nothing",
    "FrameMap",
    "LabelReview",
    "Labeler",
    "Player",
    "TrajectoryView",
    "TrajectoryView of two animals",
    "VariabilityView",
)


@pytest.fixture(scope="module")
def stage(notebook):
    notebook.open("every-widget", CELL, "stage.box")
    before = notebook.page.viewport_size
    yield notebook
    notebook.page.set_viewport_size(before)


@pytest.mark.parametrize("name", OWN)
def test_it_fits_and_can_be_used_by_all(stage, name):
    wrong = []
    with faultless(stage.page):
        stage.ask(f"stage.show({name!r})")
        stage.page.locator(ROOT).first.wait_for()
        stage.idle()
        for width, height in SIZES:
            stage.page.set_viewport_size({"width": width, "height": height})
            wrong += [f"{width} x {height}: {line}" for line in settle(stage.page, ROOT)]
        wrong += barriers(stage.page, ROOT)
    assert not wrong
