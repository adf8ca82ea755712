"""Notebooks with widgets that run where no browser is (nbconvert, CI): no error, and pictures instead."""

import base64
import io

import nbformat
import pytest
from nbclient import NotebookClient
from PIL import Image

SHOWN = ("execute_result", "display_data")  # by ipywidgets 8, by 7
CELLS = [
    """
import pathlib
import numpy as np
from dlcnb import Player, Project, TrainingMonitor, VideoWriter
with VideoWriter("mouse.mp4", (96, 128), 25) as video:
    for value in range(5):
        video.write(np.full((96, 128, 3), 40 * value, np.uint8))
player = Player("mouse.mp4")
player
""",
    "TrainingMonitor(Project.create('reach', 'ada', ['mouse.mp4'], ['paw'], parent='.'))",
]


@pytest.mark.parametrize("variable", ["DLCNB_HEADLESS", "CI"])
def test_a_notebook_without_a_browser_shows_pictures(tmp_path, monkeypatch, variable):
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.setenv(variable, "1")
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in CELLS])
    NotebookClient(notebook, timeout=120, resources={"metadata": {"path": str(tmp_path)}}).execute()
    for cell in notebook.cells:
        (data,) = (output.data for output in cell.outputs if output.output_type in SHOWN)
        assert Image.open(io.BytesIO(base64.b64decode(data["image/png"]))).width >= 400
        assert ("application/vnd.jupyter.widget-view+json" in data) == (variable == "CI")
