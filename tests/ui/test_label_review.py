"""Label review, variability and the schema editor in JupyterLab: real mouse, real keys."""

import pytest

PROJECT = """
import pathlib, tempfile
import numpy as np
from dlcnb import Labeler, LabelReview, Labels, Project, SchemaEditor, VariabilityView, VideoWriter, frames
SIZE, PARTS = (240, 320), ("snout", "leftear", "rightear", "tail")
folder = pathlib.Path(tempfile.mkdtemp())
with VideoWriter(folder / "m1.mp4", SIZE, 30) as writer:
    for _ in range(24):
        writer.write(np.full((*SIZE, 3), 90, np.uint8))
project = Project.create("reach", "ada", [folder / "m1.mp4"], PARTS, parent=folder, skeleton=[("snout", "tail")])
images = [p.relative_to(project.root).as_posix() for p in frames.extract(project, "m1", range(24))]
body = np.array([[30.0, 0.0], [18, -9], [18, 9], [-30, 0]])
turn = lambda t: np.array([[np.cos(0.3 * t), np.sin(0.3 * t)], [-np.sin(0.3 * t), np.cos(0.3 * t)]])
points = np.array([body @ turn(t) + (80 + 4 * t, 110) for t in range(24)])
Labels(PARTS, "ben", images, points + (3, 4)).write(project.labeled_dir("m1"))
points[5, [1, 2]] = points[5, [2, 1]]
Labels(PARTS, "ada", images, points).write(project.labeled_dir("m1"))
"""
GALLERY = ".dlcnb-gallery canvas"
CELLS = ".jp-Notebook .jp-Cell"


def opened(lab, request, make, show="w"):
    lab.open(request.node.name, PROJECT, make, show)
    lab.page.locator(GALLERY).wait_for()
    lab.until("w.gallery.input.guard.attached > 0 and w.gallery.input.guard.room > 0 and w.wait(0.5)")
    return lab


def picture(lab, position):
    left, top = lab.ask(f"w.gallery.state.box({position})")
    return lab.on(GALLERY, left + 60, top + 60)


def test_a_click_on_an_odd_frame_opens_it_in_the_labeler(lab, request):
    make = "import ipywidgets\nlabeler = Labeler(project)\nw = LabelReview(project, labeler=labeler)"
    opened(lab, request, make, "ipywidgets.VBox([w, labeler])")
    assert lab.ask("w.gallery.state.cells[0].key") == "labeled-data/m1/img05.png"
    lab.page.mouse.click(*picture(lab, 0))
    lab.until("labeler.session.cursor.image == 'labeled-data/m1/img05.png'")
    for key in ("b", "ArrowRight", "d", "d", "Enter"):
        lab.page.keyboard.press(key)
    second = lab.ask("w.gallery.state.cells[1].key")
    lab.until(f"labeler.session.cursor.image == {second!r}")
    assert lab.page.locator(CELLS).count() == 3


def test_the_filter_shows_the_odd_ones_only(lab, request):
    opened(lab, request, "w = LabelReview(project)")
    lab.page.locator(".dlcnb select").nth(1).select_option("odd")
    lab.until("len(w.gallery.state.cells) == 1 and w.wait(0.5)")
    assert "leftear and rightear look swapped" in lab.page.locator(".dlcnb").first.inner_text()
    lab.page.mouse.click(*picture(lab, 0))
    lab.page.locator(".dlcnb img:visible").wait_for()  # no labeler: the frame is shown larger


def test_two_scorers_compared(lab, request):
    opened(lab, request, "w = VariabilityView(project, 'ada', 'ben')")
    text = lab.page.locator(".dlcnb").first.inner_text()
    assert "ada and ben are" in text
    assert "discs: ada, rings: ben" in text
    assert lab.page.locator(".dlcnb .bqplot rect.bar").count() > 4
    assert lab.page.locator(".dlcnb table tbody tr").count() == 5


@pytest.mark.parametrize("width", [1280, 800])
@pytest.mark.parametrize("make", ["LabelReview(project)", "VariabilityView(project)"])
def test_nothing_hangs_over_the_edge(lab, request, make, width):
    lab.page.set_viewport_size({"width": width, "height": 1300})
    try:
        opened(lab, request, f"w = {make}")
        root = lab.page.locator(".dlcnb").first.bounding_box()
        for made in lab.page.locator(".dlcnb :is(canvas, select, button, .bqplot):visible").all():
            box = made.bounding_box()
            assert box["x"] + box["width"] <= root["x"] + root["width"] + 1
    finally:
        lab.page.set_viewport_size({"width": 1280, "height": 1300})


def test_the_skeleton_by_clicks_applied_and_undone(lab, request):
    lab.open(request.node.name, PROJECT, "w = SchemaEditor(project)", "w")
    lab.page.locator(".dlcnb canvas").wait_for()
    lab.until("w.input.guard.attached > 0 and w.wait(0.5)")
    for part in (1, 2):
        x, y = lab.ask(f"w._places()[w.state.parts[{part}].key]")
        lab.page.mouse.click(*lab.on(".dlcnb canvas", x, y))
    lab.until("len(w.state.edges) == 2")
    name = lab.page.locator(".dlcnb input[type=text]").nth(3)
    name.fill("tailbase")
    name.press("Enter")
    lab.until("w.state.preview() != [] and 'rename tail to tailbase' in w.state.preview()")
    lab.page.get_by_role("button", name="Apply").click()
    lab.until("Project.open(project.root).bodyparts[3] == 'tailbase'")
    edges = [("snout", "tailbase"), ("leftear", "rightear")]  # written after the names
    lab.until(f"list(map(tuple, Project.open(project.root).skeleton.edges)) == {edges}")
    lab.until("not w.undo_button.disabled")
    lab.page.get_by_role("button", name="Undo").click()
    lab.until("Project.open(project.root).bodyparts[3] == 'tail'")
    assert lab.page.locator(CELLS).count() == 3
