"""EvaluationView in JupyterLab: plots and gallery to click on, the frame with its score-map, the way to the labeler."""

import pytest

CELL = """
import pathlib, tempfile
import numpy as np
from dlcnb import EvaluationView, Evaluation, Labels, sampledata
from dlcnb.evaluate import ScoreMapWriter, maps_path
arena = sampledata.Arena(seed=0, n_frames=60, size=(120, 160))
project = sampledata.synthetic_project(pathlib.Path(tempfile.mkdtemp()), n_label=30, arena=arena)
labels = Labels.read_project(project)
shape = labels.points.shape[:2]
rng = np.random.default_rng(0)
predicted, likelihood = labels.points + rng.normal(0, 1.5, (*shape, 2)), rng.uniform(0.8, 1, shape)
predicted[4, 0] += [40, 0]
likelihood[4, 0] = 0.2
predicted[8:28:4, 1] += [15, 0]
likelihood[8:28:4, 1] = 0.5
evaluation = Evaluation(labels.bodyparts, labels.images, labels.points, predicted, likelihood,
                        np.arange(30) % 4 == 0, 0.6, "snapshot-100", 100)
folder = project.evaluation_dir(project.new_run(0.75))
evaluation.write(folder)
score = np.full((4, 15, 20), 1e-4)
score[:, 4:7, 8:11] = 0.9
with ScoreMapWriter(maps_path(folder, 100), labels.bodyparts) as writer:
    for image in labels.images:
        writer.add(image, score, (1.0, 1.0))
class Labeler:
    opened = []
    def go_to(self, image):
        self.opened.append(image)
v = EvaluationView(project, labeler=Labeler())
"""
FRAME, GALLERY = ".dlcnb-evaluated-frame canvas", ".dlcnb-gallery canvas"


@pytest.fixture
def view(lab, request):
    lab.open(request.node.name, CELL, "v")
    lab.page.locator(".dlcnb-evaluation .bqplot").first.wait_for()
    lab.page.locator(FRAME).wait_for()
    until_painted(lab, FRAME)
    until_painted(lab, GALLERY)
    return lab


def until_painted(lab, selector):
    """Wait until a canvas shows a picture with light and dark."""
    lab.page.wait_for_function(
        """selector => {
            const canvas = document.querySelector(selector);
            if (!canvas || !canvas.width) return false;
            const data = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
            let low = 255, high = 0;
            for (let i = 0; i < data.length; i += 40) {
                if (!data[i + 3]) continue;
                low = Math.min(low, data[i]); high = Math.max(high, data[i]);
            }
            return high - low > 60;
        }""",
        arg=selector,
    )


def pixels(lab, selector):
    """The canvas as one string, to see that it changed."""
    return lab.page.evaluate("selector => document.querySelector(selector).toDataURL()", selector)


def test_the_legend_of_a_narrow_picture_is_whole(view):
    view.page.locator(".dlcnb-evaluated-frame").evaluate("one => { one.style.width = '320px' }")
    legend = view.page.locator(".dlcnb-evaluated-frame .dlcnb-legend")
    inside = """one => [...one.querySelectorAll('.dlcnb-item')].every(
        (item) => item.getBoundingClientRect().right <= one.getBoundingClientRect().right + 1)"""
    assert legend.locator(".dlcnb-item").count() > 4
    assert legend.evaluate(inside)


def test_a_click_on_a_point_of_the_plot_opens_its_frame(view):
    before = view.ask("v.state.image")
    view.page.locator(".dlcnb-evaluation .bqplot").first.locator(".dot").nth(7).dispatch_event("click")
    view.until(f"v.state.image != {before!r}")
    caption = view.page.locator(".dlcnb-evaluated-frame").get_by_text(view.ask("v.state.image.split('/')[-1]"))
    caption.wait_for()


def test_the_gallery_by_mouse_and_keys(view):
    x, y = view.ask("v.gallery.state.box(2)")
    view.page.locator(GALLERY).click(position={"x": x + 20, "y": y + 20})
    view.until("v.state.image == v.gallery.state.cells[2].key")
    before = pixels(view, FRAME)
    view.page.keyboard.press("ArrowRight")
    view.until("v.state.image == v.gallery.state.cells[3].key")
    view.page.wait_for_function(
        "([selector, before]) => document.querySelector(selector).toDataURL() !== before", arg=[FRAME, before]
    )
    view.page.locator(FRAME).click()
    view.page.keyboard.press("ArrowLeft")
    view.until("v.state.image == v.gallery.state.cells[2].key")


SHARE = """([one, around]) => { // of a canvas, in sight
    const { top, bottom } = document.querySelector(one).getBoundingClientRect();
    const pane = document.querySelector(around).getBoundingClientRect();
    return (Math.min(bottom, pane.bottom) - Math.max(top, pane.top)) / (bottom - top); }"""
IN_STUDIO = (
    CELL
    + """
from dlcnb import Studio
s = Studio(project)
v = s.go_to("Evaluate")
"""
)


def click_last_in_sight(lab, around):
    """Turn the wheel until the end of the gallery is in sight, and click there; where its top and the frame's were."""
    page = lab.page
    page.locator(GALLERY).hover(force=True)
    for _ in range(40):
        box, pane = page.locator(GALLERY).bounding_box(), page.locator(around).bounding_box()
        if box["y"] + box["height"] <= pane["y"] + pane["height"]:
            break
        page.mouse.wheel(0, 40)
        page.wait_for_timeout(30)
    width, height = page.locator(GALLERY).evaluate("c => [c.clientWidth, c.clientHeight]")
    before = page.locator(FRAME).bounding_box()["y"]
    page.mouse.click(box["x"] + 60 / width * box["width"], box["y"] + (height - 60) / height * box["height"])
    lab.until("v.state.image != v.state.findings()[0].image")
    return before


@pytest.mark.parametrize("size", [(1280, 800), (800, 900)], ids=str)
def test_in_studio_the_frame_stays_beside_the_gallery_that_chooses_it(lab, size):
    lab.page.set_viewport_size(dict(zip(("width", "height"), size, strict=True)))
    try:
        lab.open("studio", IN_STUDIO, "s")
        until_painted(lab, FRAME)
        until_painted(lab, GALLERY)
        around = ".dlcnb-studio > .widget-tab > .widget-tab-contents"
        lab.page.locator(".dlcnb-studio").evaluate("one => one.closest('.jp-Cell').scrollIntoView()")
        assert lab.page.evaluate(SHARE, [FRAME, around]) > 0.95  # on the first screen
        before = click_last_in_sight(lab, around)
        assert lab.page.evaluate(SHARE, [FRAME, around]) > 0.95
        assert lab.page.locator(FRAME).bounding_box()["y"] == before
    finally:
        lab.page.set_viewport_size({"width": 1280, "height": 1300})


def test_in_a_notebook_the_frame_is_scrolled_to_when_its_thumbnail_is_clicked(view):
    around = ".jp-NotebookPanel-notebook"
    view.page.set_viewport_size({"width": 700, "height": 600})
    try:
        click_last_in_sight(view, around)
        view.page.wait_for_function(f"all => ({SHARE})(all) > 0.95", arg=[FRAME, around])
    finally:
        view.page.set_viewport_size({"width": 1280, "height": 1300})


def test_fix_this_label_calls_the_labeler(view):
    view.page.locator('.dlcnb-evaluation button:has-text("Fix this label")').click()
    assert view.until("v.labeler.opened") == [view.ask("labels.images[4]")]


def test_a_score_map_lies_over_the_frame(view):
    before = pixels(view, FRAME)
    view.page.locator(FRAME).click()
    view.page.keyboard.press("m")
    view.until("v.frame_view.score_map.value == 'linear'")
    view.page.wait_for_function(
        "([selector, before]) => document.querySelector(selector).toDataURL() !== before", arg=[FRAME, before]
    )


def test_the_suggested_cutoff_moves_the_line(view):
    view.page.get_by_text("Details: PCK").click()
    line = view.page.locator(".dlcnb-evaluation .bqplot").nth(2).locator("path.line").nth(1)
    line.wait_for(state="attached")
    before = line.get_attribute("d")
    view.page.locator('.dlcnb-evaluation button:has-text("Try ")').click()
    view.until("v.state.pcutoff != 0.6")
    view.page.wait_for_function(
        "before => document.querySelectorAll('.dlcnb-evaluation .bqplot')[2].querySelectorAll('path.line')[1]"
        ".getAttribute('d') !== before",
        arg=before,
    )


def test_keys_never_reach_the_notebook(view):
    view.page.locator(FRAME).click()
    for key in ("b", "a", "d", "d", "x"):
        view.page.keyboard.press(key)
    view.page.locator(".dlcnb-evaluation .bqplot").first.locator(".dot").first.click(force=True)
    view.page.keyboard.press("b")
    assert view.page.locator(".jp-Notebook .jp-Cell").count() == 2


def test_a_reloaded_page_shows_everything_again(view):
    view.reload()
    view.page.locator(".dlcnb-evaluation .bqplot").first.wait_for()
    until_painted(view, FRAME)
    until_painted(view, GALLERY)


def test_nothing_hangs_over_the_edge(view):
    try:
        for width in (1280, 800):
            view.page.set_viewport_size({"width": width, "height": 900})
            assert_nothing_hangs_over(view.page)
    finally:
        view.page.set_viewport_size({"width": 1280, "height": 1300})


def assert_nothing_hangs_over(page):
    page.wait_for_function(
        """() => {
            const right = document.querySelector('.dlcnb-evaluation').getBoundingClientRect().right + 1;
            const parts = document.querySelectorAll('.dlcnb-evaluation canvas, .dlcnb-evaluation .bqplot');
            return [...parts].every(part => part.getBoundingClientRect().right <= right);
        }"""
    )
    root = page.locator(".dlcnb-evaluation").bounding_box()
    found = page.locator(".dlcnb-evaluation .bqplot, .dlcnb-evaluation button, .dlcnb-evaluation canvas")
    for box in (made.bounding_box() for made in found.all() if made.is_visible()):
        assert box["x"] + box["width"] <= root["x"] + root["width"] + 1
        assert min(box["width"], box["height"]) >= 24
