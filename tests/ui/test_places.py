"""Where else widgets are shown: Notebook 7 and Voila, on JupyterLab's server, whose address is like that of a hub."""

import numpy as np
import pytest
from support.waiting import until

from dlcnb.labels import Labels
from dlcnb.project import Project

nbformat = pytest.importorskip("nbformat")
pytest.importorskip("notebook", reason="Notebook 7 is not installed (pip install dlcnb[test])")
pytest.importorskip("voila", reason="Voila is not installed (pip install dlcnb[test])")

CELL = """
from dlcnb import Labeler, frames, sampledata
arena = sampledata.Arena(seed=0, n_frames=30, size=(120, 160))
project = sampledata.synthetic_project({folder!r}, n_label=2, arena=arena)
frames.extract(project, project.videos[0], [5])
p = Labeler(project)
p.session.go_to_state("new")
p
"""
IDLE = "window.jupyterapp?.shell?.currentWidget?.context?.sessionContext?.session?.kernel?.status === 'idle'"


def labeled(project):
    """How many points are on the disk."""
    return np.isfinite(Labels.read_project(project).points).all(axis=-1).sum()


@pytest.mark.parametrize(("place", "address"), [("notebook", "notebooks"), ("voila", "voila/render")])
def test_a_click_is_a_label_on_the_disk(server, chromium, place, address):
    folder = server.root / place
    folder.mkdir()
    notebook = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell(CELL.format(folder=str(folder)))],
        metadata={"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}},
    )
    nbformat.write(notebook, server.root / f"{place}.ipynb")
    context = chromium.new_context(viewport={"width": 1280, "height": 1000})
    page = context.new_page()
    page.set_default_timeout(120_000)
    page.goto(f"{server.url}/{address}/{place}.ipynb?token={server.token}")
    if place == "notebook":
        page.wait_for_function(IDLE)
        page.evaluate("window.jupyterapp.commands.execute('notebook:run-all-cells')")
    canvas = page.locator(".dlcnb-labeler canvas[data-lm-suppress-shortcuts]").first
    canvas.wait_for()
    page.locator(".dlcnb-labeler .dlcnb-bodyparts [role=option]").first.wait_for()
    project = Project.open(next(folder.rglob("config.yaml")))
    before = labeled(project)
    box = canvas.bounding_box()
    page.mouse.click(box["x"] + 0.3 * box["width"], box["y"] + 0.4 * box["height"])
    until(lambda: labeled(project) == before + 1, 120)
    context.close()
