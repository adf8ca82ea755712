"""A frame of a common size, labeled in JupyterLab by somebody who has no mouse, or can't use one."""

import numpy as np
import pytest

CELL = """
import pathlib, tempfile
from dlcnb import Studio, sampledata
from dlcnb.labels import frame_index
arena = sampledata.Arena(seed=0, n_frames=60, size=(480, 640))
project = sampledata.synthetic_project(pathlib.Path(tempfile.mkdtemp()), n_label=4, arena=arena)
for table in project.root.glob("labeled-data/*/CollectedData*"):
    table.unlink()
s = Studio(project)
"""
TRUTH = "sampledata.arena_poses(arena)[frame_index(s.widgets['Label'].session.cursor.image)].tolist()"
HEIGHT, WIDTH = 480, 640
PX = 4.5  # four numbers leave a field of 7.9 x 5.9 px, whose corner is 4.9 px from its middle


@pytest.fixture
def studio(lab, request):
    """Studio on frames without labels, which opens at the labeler; the picture has the keys."""
    lab.open(request.node.name, CELL, "s")
    lab.page.locator(".dlcnb-studio").wait_for()
    lab.until("s.tab == 'Label' and s.widgets['Label'].input.guard.attached and s.widgets['Label'].wait(0.5)")
    lab.page.locator(".dlcnb-labeler canvas").first.focus()  # as Tab does
    return lab


def numbers(point):
    """The fields that somebody presses to come to a point (x, y) of the frame: thirds of thirds, as they are seen."""
    for n in range(4):
        column, row = (
            int((at + 0.5) / side * 3 ** (n + 1)) % 3 for at, side in zip(point, (WIDTH, HEIGHT), strict=True)
        )
        yield str(3 * row + column + 1)


def press(studio, keys):
    """Press keys one by one, each when the page shows what the one before did."""
    for key in keys:
        studio.page.keyboard.press(key)
        studio.until("s.widgets['Label'].wait(0.5)")


def test_a_first_frame_is_labeled_by_less_than_thirty_keys(studio):
    truth = np.array(studio.ask(TRUTH))
    keys = ["c", *(key for point in truth for key in (*numbers(point), "Enter"))]
    press(studio, keys)
    labels = np.array(studio.ask("s.widgets['Label'].session.points().tolist()"))
    assert np.abs(labels - truth).max() < PX
    assert studio.ask("s.widgets['Label'].session.state()") == "done"
    assert len(keys) <= 30


def test_the_keys_go_on_after_the_page_was_loaded_again(studio):
    (snout, ear, *_) = studio.ask(TRUTH)
    press(studio, ["c", *numbers(snout), "Enter"])
    studio.reload()
    studio.until("s.widgets['Label'].input.guard.attached and s.widgets['Label'].wait(0.5)")
    studio.page.wait_for_function("() => document.activeElement.closest('.dlcnb-labeler canvas')")
    press(studio, [*numbers(ear), "Enter"])
    labels = np.array(studio.ask("s.widgets['Label'].session.points().tolist()"))
    assert np.abs(labels[:2] - [snout, ear]).max() < PX
