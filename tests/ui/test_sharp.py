"""Every canvas has as many pixels as a sharp screen shows of it, so that points, lines and words are not blurred."""

import pytest

CELL = """
import pathlib, tempfile
from support.gallery import Stage, everything
stage = Stage(everything(pathlib.Path(tempfile.mkdtemp()), frames=90, size=(120, 160)))
"""
RATIO = 2  # device pixels for each CSS pixel
CANVASES = {  # how many each widget has
    "EvaluationView": 2,
    "FrameMap": 3,
    "FramePicker": 3,
    "LabelReview": 1,
    "Labeler": 2,
    "OutlierQueue": 1,
    "Player": 2,
    "SchemaEditor": 1,
    "TrajectoryView": 2,
    "VariabilityView": 1,
    "ZoneEditor": 1,
}
PIXELS = """() => [...document.querySelectorAll('.jp-OutputArea .dlcnb canvas:not(.bqplot canvas)')].map((one) => {
    const box = one.getBoundingClientRect();
    return [one.width / box.width, one.height / box.height];
})"""  # for each CSS pixel; more do no harm
SHARP = f"([count, ratio]) => ({PIXELS})().flat().filter((one) => one >= 0.97 * ratio).length === 2 * count"


@pytest.fixture(scope="module")
def stage(server, chromium, lab_page):
    """A page of its own on a sharp screen, where one widget after the other is shown."""
    context = chromium.new_context(viewport={"width": 1280, "height": 1000}, device_scale_factor=RATIO)
    made = type(lab_page)(context.new_page(), server)
    made.open("sharp", CELL, "stage.box")
    yield made
    made.close()
    context.close()


@pytest.mark.parametrize("width", [1280, 800])
@pytest.mark.parametrize("name", CANVASES)
def test_a_canvas_has_a_pixel_for_each_of_the_screen(stage, name, width):
    stage.page.set_viewport_size({"width": width, "height": 1000})
    stage.ask(f"stage.show({name!r})")
    stage.page.wait_for_function(f"count => ({PIXELS})().length === count", arg=CANVASES[name])
    stage.page.wait_for_function(SHARP, arg=[CANVASES[name], RATIO])
