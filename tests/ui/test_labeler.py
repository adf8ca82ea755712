"""The labeler in JupyterLab: real mouse, real keys, killed kernels; what is on the disk and what the page shows."""

import math
import os
import random
import shutil
import signal

import cv2
import numpy as np
import pytest
from support.networks import add_network
from support.page import SIZES, covered, settle

from dlcnb import frames
from dlcnb.labels import Labels, LabelStore, frame_index
from dlcnb.project import Project
from dlcnb.video import VideoWriter

CANVAS, BAR = ".dlcnb-labeler canvas >> nth=0", ".dlcnb-labeler canvas >> nth=1"
CELLS = ".jp-Notebook .jp-Cell"
ROWS = ".dlcnb-labeler .dlcnb-bodyparts [role=option]"
PANEL = ".dlcnb-labeler .dlcnb-panel:visible"
OPEN = """
import os
from dlcnb import Labeler
p = Labeler({folder!r}{more})
"""
PIXEL = """([x, y]) =>
    document.querySelector('.dlcnb-labeler canvas').getContext('2d').getImageData(x, y, 1, 1).data"""
PATIENCE = 60_000  # ms
SIZE, COUNT, PARTS = (240, 320), 8, ("snout", "leftear", "rightear", "tailbase")
DOTS = [(40.0, 60.0), (90.0, 70.0), (150.0, 120.0), (250.0, 200.0)]


@pytest.fixture(scope="session")
def small_project(tmp_path_factory):
    """A project with eight extracted frames, each with four green dots."""
    parent = tmp_path_factory.mktemp("project")
    with VideoWriter(parent / "m1.mp4", SIZE, 30, crf=5) as writer:
        for number in range(COUNT):
            image = np.full((*SIZE, 3), 90, np.uint8)
            for x, y in DOTS:
                cv2.circle(image, (int(x), int(y)), 3, (0, 220, 0), -1)
            image[:10, : 20 * (number + 1)] = 200
            writer.write(image)
    edges = [("snout", "leftear"), ("snout", "rightear"), ("leftear", "tailbase")]
    project = Project.create("reach", "ada", [parent / "m1.mp4"], PARTS, parent=parent, skeleton=edges)
    frames.extract(project, project.videos[0], range(COUNT))
    return project.root


@pytest.fixture
def root(server, small_project, request):
    """A copy of it where the notebooks are."""
    folder = server.root / request.node.name.split("[")[0]
    shutil.rmtree(folder, ignore_errors=True)
    return shutil.copytree(small_project, folder, symlinks=True)


def open_labeler(lab, root, more=""):
    lab.open(root.name, OPEN.format(folder=root.name, more=more), "p")
    ready(lab)


def ready(lab):
    lab.page.locator(BAR).wait_for()
    lab.until("p.input.guard.attached > 0 and p._painter.wait()")
    lab.page.locator(CANVAS).scroll_into_view_if_needed()


@pytest.fixture
def labeler(lab, root):
    open_labeler(lab, root)
    lab.root = root
    return lab


def at(lab, x, y):
    """Page coordinates of a point of the picture's canvas given in canvas pixels."""
    box = lab.page.locator(CANVAS).bounding_box()
    height, width = lab.ask("list(p.view.canvas_size)")
    return box["x"] + x * box["width"] / width, box["y"] + y * box["height"] / height


def place_of(lab, x, y):
    """Page coordinates of an image point (pixel centres at integers), whatever the zoom."""
    return at(lab, *lab.ask(f"p.view.fit.to_canvas(({x}, {y})).tolist()"))


def click(lab, x, y, grid=None):
    """Click on an image point; ``grid`` rounds to a mouse that only knows such steps of a CSS pixel."""
    place = place_of(lab, x, y)
    if grid:
        place = [round(v / grid) * grid for v in place]
    lab.page.mouse.click(*place)


def ctrl_wheel(lab, dy):
    """Turn the wheel with Ctrl held, which zooms the picture."""
    lab.page.keyboard.down("Control")
    lab.page.mouse.wheel(0, dy)
    lab.page.keyboard.up("Control")


def acknowledged(lab, index, state="placed"):
    """Wait until the page shows a bodypart as placed (or another state)."""
    lab.page.wait_for_function(
        "([rows, index, state]) => document.querySelectorAll(rows)[index]?.dataset.state === state",
        arg=[ROWS.replace(" >> nth=0", ""), index, state],
    )


def stored(root, row=0):
    """What a newly opened store has of a frame, (K, 2)."""
    store = LabelStore(Project.open(root), "m1")
    return store.point(store.images[row])


def placed(lab, row=0):
    return np.array(lab.ask(f"p.session.points(p.session.images[{row}]).tolist()"), float)


# --- exactness ---


@pytest.fixture(scope="module", params=[1, 2])
def sharp_lab(server, chromium, lab_page, request):
    """A page of its own with that many device pixels per CSS pixel."""
    context = chromium.new_context(viewport={"width": 1280, "height": 1300}, device_scale_factor=request.param)
    made = type(lab_page)(context.new_page(), server)
    made.ratio = request.param
    yield made
    made.close()
    context.close()


@pytest.mark.parametrize("width", [1280, 560])
def test_the_experts_points_are_clicked_to_half_a_pixel(sharp_lab, server, openfield_root, width):
    lab, ratio = sharp_lab, sharp_lab.ratio
    folder = server.root / f"openfield-{ratio}-{width}"
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(openfield_root, folder, symlinks=True, ignore=shutil.ignore_patterns("CollectedData*", "videos"))
    expert = Labels.read(openfield_root / "labeled-data/m4s1")
    whole, zoomed = (image for image in expert.images if frame_index(image) in (6, 24))
    lab.page.set_viewport_size({"width": width, "height": 1300})
    open_labeler(lab, folder)
    click_whole(lab, whole, expert.points[expert.images.index(whole)])
    click_zoomed(lab, zoomed, expert.points[expert.images.index(zoomed)])
    lab.page.keyboard.press("Control+s")
    lab.until("p.session.saved == 'saved'")
    mine = Labels.read(folder / "labeled-data/m4s1")
    for image in (whole, zoomed):
        errors = np.abs(mine.points[mine.images.index(image)] - expert.points[expert.images.index(image)])
        assert errors.max() <= 0.5, errors


def click_whole(lab, image, points):
    """Click on these points of a frame that is seen whole."""
    lab.ask(f"p.go_to({image!r})")
    for k, point in enumerate(points):
        click(lab, *point)
        acknowledged(lab, k)


def click_zoomed(lab, image, points):
    """Click on these points of a frame, each brought into view, with a mouse that knows whole device pixels only."""
    lab.ask(f"p.go_to({image!r})")
    lab.until("p.session.part == 0 and p._painter.wait()")
    lab.page.mouse.click(*place_of(lab, *points[0]), button="right")  # the wheel zooms once it has the focus
    ctrl_wheel(lab, -900)
    lab.until("p.view.zoomed and p._painter.wait()")
    for k, (x, y) in enumerate(points):
        lab.ask(f"p.view.pan(*(300 - c for c in p.view.fit.to_canvas(({x}, {y})).tolist()))")
        click(lab, x, y, grid=1 / lab.ratio)
        acknowledged(lab, k)


def test_dots_found_in_a_screenshot_are_labeled_where_they_are(labeler):
    """Without a word of the labeler about where its picture lies."""
    labeler.page.locator(CANVAS).click(button="right")
    ctrl_wheel(labeler, -300)
    labeler.until("p.view.zoomed and p._painter.wait()")
    labeler.ask("[p.view.toggle('loupe'), p._painter.wait()] and 0")
    box = labeler.page.locator(CANVAS).bounding_box()
    left, top = (math.ceil(box[name]) for name in ("x", "y"))  # a screenshot has whole pixels
    clip = {"x": left, "y": top, "width": math.floor(box["width"]) - 1, "height": math.floor(box["height"]) - 1}
    data = np.frombuffer(labeler.page.screenshot(clip=clip), np.uint8)
    picture = cv2.imdecode(data, cv2.IMREAD_COLOR).astype(int)
    green = ((picture[..., 1] - picture[..., 0] > 80) & (picture[..., 1] - picture[..., 2] > 80)).astype(np.uint8)
    count, _, stats, centres = cv2.connectedComponentsWithStats(green)
    seen = [centres[n] for n in range(1, count) if stats[n, cv2.CC_STAT_AREA] > 60]
    inside = [c for c in seen if 20 < c[0] < picture.shape[1] - 20 and 20 < c[1] < picture.shape[0] - 20]
    assert inside
    for k, (x, y) in enumerate(inside):
        labeler.page.mouse.click(left + x + 0.5, top + y + 0.5)
        acknowledged(labeler, k)
        point = placed(labeler)[k]
        assert np.linalg.norm(np.array(DOTS) - point, axis=1).min() < 0.5


# --- gestures and keys ---


def test_labeling_a_frame_by_mouse_and_keys(labeler):
    page = labeler.page
    for k, dot in enumerate(DOTS[:3]):
        click(labeler, *dot)
        acknowledged(labeler, k)
    page.keyboard.press("n")
    acknowledged(labeler, 3, "not visible")
    np.testing.assert_allclose(placed(labeler)[:3], DOTS[:3], atol=0.02)
    assert labeler.ask("p.session.state()") == "done"
    page.mouse.move(*place_of(labeler, *DOTS[0]))
    page.mouse.down()
    page.mouse.move(*place_of(labeler, 60, 80), steps=8)
    page.mouse.up()
    labeler.until("abs(p.session.points()[0] - (60, 80)).max() < 0.05")
    page.keyboard.press("Alt+ArrowLeft")
    page.keyboard.press("Alt+Shift+ArrowDown")
    labeler.until("abs(p.session.points()[0] - (59, 80.1)).max() < 0.05")
    page.keyboard.press("Backspace")
    acknowledged(labeler, 0, "open")


LATE = """() => {  // as on a page that is busy for longer than anywidget waits
    window.patience = AbortSignal.timeout;
    AbortSignal.timeout = () => {
        const controller = new AbortController();
        Promise.resolve().then(() => controller.abort());
        return controller.signal;
    };
}"""


def test_a_page_that_was_too_busy_to_start_it_in_time_is_told_what_it_missed_and_all_that_follows(lab, root):
    lab.page.evaluate(LATE)
    try:
        open_labeler(lab, root)
    finally:
        lab.page.evaluate("() => { AbortSignal.timeout = window.patience }")
    click(lab, *DOTS[0])
    acknowledged(lab, 0)
    lab.page.keyboard.press("n")
    acknowledged(lab, 1, "not visible")


def test_undo_and_redo_keys_go_back_through_the_frames(labeler):
    page = labeler.page
    click(labeler, *DOTS[0])
    acknowledged(labeler, 0)
    page.keyboard.press("d")
    labeler.until("p.session.row == 1 and p._painter.wait()")
    click(labeler, *DOTS[1])
    acknowledged(labeler, 0)
    page.keyboard.press("Control+z")
    page.keyboard.press("Control+z")
    labeler.until("p.session.row == 0 and p.session.state() == 'new'")
    page.keyboard.press("Control+Shift+Z")
    page.keyboard.press("Control+Shift+Z")
    labeler.until("p.session.row == 1 and p.session.state() == 'in work'")
    np.testing.assert_allclose(stored(labeler.root, 1)[0], DOTS[1], atol=0.02)


def test_keys_never_touch_the_notebook_while_the_labeler_has_the_focus_and_do_when_it_has_not(labeler):
    page = labeler.page
    source = page.locator(CELLS).first.inner_text()
    labels = ("Next frame (", "What is shown", "Undo (")
    starts = [lambda: page.locator(CANVAS).click(button="right"), lambda: page.locator(ROWS).nth(2).click()]
    starts += [lambda t=t: page.locator(f'.dlcnb-labeler button[title*="{t}"]').first.click() for t in labels]
    starts += [lambda: page.locator(".dlcnb-labeler .dlcnb-menu > button", has_text="More").click()]
    starts += [lambda: page.locator(".dlcnb-labeler button", has_text="quick").click()]  # in that menu
    for start in starts:
        start()
        for key in ("b", "a", "d", "d", "z", "j", "k", "m", "y", "0", "0", "i", "i", "c", "v", "Shift+m", "r"):
            page.keyboard.press(key)
        assert page.locator(CELLS).count() == 2
    assert page.locator(CELLS).first.inner_text() == source
    assert page.locator(".jp-Dialog").count() == 0
    page.locator(f"{CELLS} >> nth=0").locator(".jp-InputPrompt").click()
    page.keyboard.press("b")
    page.wait_for_function("cells => document.querySelectorAll(cells).length === 3", arg=CELLS)


def test_the_pointer_over_the_picture_gives_it_the_keys_but_takes_them_from_no_editor(labeler):
    page = labeler.page
    page.locator(CANVAS).hover()
    page.keyboard.press("d")
    labeler.until("p.session.row == 1")
    page.locator(f"{CELLS} >> nth=0").locator(".cm-content").click()
    page.mouse.move(*place_of(labeler, *DOTS[0]))
    page.keyboard.press("End")
    page.keyboard.type("#")
    assert "#" in page.locator(CELLS).first.inner_text()
    click(labeler, *DOTS[0])  # takes the keys, and places nothing
    click(labeler, *DOTS[1])
    acknowledged(labeler, 0)
    np.testing.assert_allclose(stored(labeler.root, 1)[0], DOTS[1], atol=0.5)


def test_caps_lock_changes_no_key(labeler):
    canvas = labeler.page.locator(CANVAS)
    click(labeler, *DOTS[0])
    acknowledged(labeler, 0)
    canvas.dispatch_event("keydown", {"key": "Z", "ctrlKey": True})
    acknowledged(labeler, 0, "open")
    canvas.dispatch_event("keydown", {"key": "z", "ctrlKey": True, "shiftKey": True})
    acknowledged(labeler, 0)


def test_a_menu_that_goes_on_below_shows_so_until_its_end(labeler):
    below = f"{PANEL.removesuffix(':visible')}.dlcnb-more-below:visible"
    labeler.page.locator(".dlcnb-labeler .dlcnb-menu > button", has_text="More").click()
    panel = labeler.page.locator(PANEL)
    panel.evaluate("panel => { panel.style.maxHeight = '132px'; window.dispatchEvent(new Event('resize')); }")
    labeler.page.locator(below).wait_for()
    assert "▾" in panel.evaluate("panel => getComputedStyle(panel, '::after').content")
    panel.evaluate("panel => panel.scrollTo(0, panel.scrollHeight)")
    labeler.page.wait_for_function("() => !document.querySelector('.dlcnb-more-below')")
    labeler.page.keyboard.press("Escape")


SCROLLED = """() => { // how far what is around an open menu is
    let at = [...document.querySelectorAll('.dlcnb-panel')].find(one => one.offsetParent).parentElement, sum = 0;
    for (; at; at = at.parentElement) sum += at.scrollTop;
    return sum; }"""


def test_the_wheel_at_the_end_of_a_menu_leaves_the_page_where_it_is(labeler):
    page, panel = labeler.page, labeler.page.locator(PANEL)
    page.set_viewport_size({"width": 853, "height": 533})
    try:
        assert not settle(page, ".dlcnb-labeler")
        page.locator(".dlcnb-labeler .dlcnb-menu button", has_text="More").click()
        panel.wait_for()
        before = page.evaluate(SCROLLED)
        lid = panel.bounding_box()
        page.mouse.move(lid["x"] + lid["width"] / 2, lid["y"] + lid["height"] / 2)
        page.mouse.wheel(0, 3000)
        page.wait_for_function(
            """() => { const menu = [...document.querySelectorAll('.dlcnb-panel')].find(one => one.offsetParent);
                return menu.scrollTop + menu.clientHeight > menu.scrollHeight - 2; }"""
        )
        page.evaluate("() => { window.over = 0; addEventListener('wheel', () => window.over++, true); }")
        for turn in range(1, 9):
            page.mouse.move(lid["x"] + lid["width"] / 2 + 4 * turn, lid["y"] + lid["height"] / 2)  # a turn of its own
            page.mouse.wheel(0, 100)
            page.wait_for_function("turn => window.over >= turn", arg=turn)
        page.evaluate("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
        assert page.evaluate(SCROLLED) == before
    finally:
        page.set_viewport_size({"width": 1280, "height": 1300})


def test_every_button_has_a_tooltip_and_is_large_enough(labeler):
    for menu in ("View", "More"):
        labeler.page.locator(".dlcnb-labeler .dlcnb-menu > button", has_text=menu).click()
        labeler.page.locator(".dlcnb-labeler .dlcnb-panel:visible").wait_for()
        made = labeler.page.locator(".dlcnb-labeler button:visible").evaluate_all(
            "all => all.map(b => [b.offsetWidth, b.offsetHeight, b.title || b.innerText.trim()])"
        )
        assert len(made) > 10
        assert all(min(width, height) >= 32 and words for width, height, words in made), made
        labeler.page.keyboard.press("Escape")


def test_a_menu_closes_by_escape_and_by_a_press_elsewhere_and_the_keys_go_back(labeler):
    page = labeler.page
    more, panel = page.locator(".dlcnb-labeler .dlcnb-menu button", has_text="More"), page.locator(PANEL)
    focused = "one => one.contains(document.activeElement)"
    elsewhere = (page.locator(ROWS).nth(1), page.locator(".jp-InputPrompt").first, page.locator(".dlcnb-status").first)
    for place in elsewhere:
        more.click()
        panel.wait_for()
        place.click()
        panel.wait_for(state="hidden")
    more.click()
    page.locator(f"{PANEL} button", has_text="0.1 px").focus()
    page.keyboard.press("Escape")
    panel.wait_for(state="hidden")
    assert page.locator(CANVAS).evaluate(focused)
    more.focus()
    page.keyboard.press("Enter")  # by keys alone: into the menu, and back to its button
    panel.wait_for()
    page.wait_for_function("() => document.activeElement.closest('.dlcnb-menu-more.dlcnb-panel')")
    assert more.get_attribute("aria-expanded") == "true"
    page.keyboard.press("Escape")
    panel.wait_for(state="hidden")
    assert more.evaluate(focused)
    assert more.get_attribute("aria-expanded") == "false"


@pytest.mark.parametrize("how", ["mouse", "touch"])
def test_a_press_that_closes_a_menu_does_nothing_else(labeler, how):
    page, panel = labeler.page, labeler.page.locator(PANEL)
    touch = page.context.new_cdp_session(page)

    def press(x, y):
        if how == "mouse":
            page.mouse.click(x, y)
            return
        for kind, points in (("touchStart", [{"x": x, "y": y}]), ("touchEnd", [])):
            touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    bar = page.locator(BAR).bounding_box()
    for name in ("Suggest", "View", "More"):
        for place in (place_of(labeler, *DOTS[0]), (bar["x"] + bar["width"] * 0.9, bar["y"] + bar["height"] / 2)):
            page.locator(".dlcnb-labeler .dlcnb-menu button", has_text=name).click()
            panel.wait_for()
            press(*place)
            panel.wait_for(state="hidden")
            assert np.isnan(placed(labeler)).all()
            assert labeler.ask("(p.session.row, p.session.history.depth)") == [0, [0, 0]]
    page.mouse.move(*place_of(labeler, *DOTS[2]))  # and what comes after it is heard
    labeler.until(f"p.view.pointer and abs(p.view.fit.to_image(p.view.pointer) - {DOTS[2]}).max() < 1")
    press(*place_of(labeler, *DOTS[0]))
    acknowledged(labeler, 0)
    np.testing.assert_allclose(placed(labeler)[0], DOTS[0], atol=0.5)
    press(bar["x"] + bar["width"] * 0.9, bar["y"] + bar["height"] / 2)
    labeler.until("p.session.row == 7")


def test_another_menu_takes_the_place_of_one(labeler):
    for name in (
        "Suggest",
        "View",
        "More",
    ) * 4:  # by messages of two widgets, which JupyterLab may hand over in any order
        labeler.page.locator(".dlcnb-labeler .dlcnb-menu button", has_text=name).click()
        labeler.page.locator(f".dlcnb-menu-{name.lower()}.dlcnb-panel").wait_for()
        labeler.until("sum(menu.is_open for menu in p.controls.menus) == 1")
        labeler.page.wait_for_function(
            "() => [...document.querySelectorAll('.dlcnb-panel')].filter(one => one.offsetParent).length === 1"
        )


def test_all_of_it_is_seen_at_once(labeler):
    try:
        for size in SIZES:
            seen_at_once(labeler.page, *size)
    finally:
        labeler.page.set_viewport_size({"width": 1280, "height": 1300})


@pytest.mark.parametrize("known", ["label", "ghost"])
@pytest.mark.parametrize("menu", ["View", "More"])
def test_a_menu_leaves_most_of_the_picture_in_sight(labeler, menu, known):
    page, panel = labeler.page, labeler.page.locator(PANEL)
    seen = {}
    labeler.ask("p.session.place((150, 180)) and None")  # in the lower half
    if known == "ghost":
        labeler.ask("p.session.step(1)")
    try:
        for width, height in SIZES:
            page.set_viewport_size({"width": width, "height": height})
            assert not settle(page, ".dlcnb-labeler")
            page.locator(".dlcnb-labeler .dlcnb-menu button", has_text=menu).click()
            panel.wait_for()
            panel.and_(page.locator(".dlcnb-high")).wait_for()
            picture, lid = page.locator(CANVAS).bounding_box(), panel.bounding_box()
            across, down = (
                max(min(one[at] + one[long] for one in (picture, lid)) - max(picture[at], lid[at]), 0) / picture[long]
                for at, long in (("x", "width"), ("y", "height"))
            )
            seen[width] = 1 - across * down
            page.keyboard.press("Escape")
            panel.wait_for(state="hidden")
    finally:
        page.set_viewport_size({"width": 1280, "height": 1300})
    assert seen[1280] == 1
    assert min(seen.values()) > 0.4, seen


def test_what_suggests_opens_at_its_button_wherever_the_animal_is(labeler):
    page, panel = labeler.page, labeler.page.locator(PANEL)
    opener = page.locator(".dlcnb-labeler .dlcnb-menu button", has_text="Suggest")
    try:
        for width, height in SIZES:
            page.set_viewport_size({"width": width, "height": height})
            for place in ((150, 30), (150, 180)):
                labeler.ask(f"p.session.place({place}) and None")
                assert not settle(page, ".dlcnb-labeler")
                opener.click()
                panel.wait_for()
                lid, below, picture = (one.bounding_box() for one in (panel, opener, page.locator(CANVAS)))
                if below["y"] < picture["y"] + picture["height"]:  # the bar stands beside the picture
                    assert abs(lid["x"] + lid["width"] - picture["x"] - picture["width"]) < 3
                    page.keyboard.press("Escape")
                    continue
                assert lid["x"] - 2 < below["x"] < lid["x"] + lid["width"] - below["width"] + 2, width
                assert 0 <= below["y"] - lid["y"] - lid["height"] < 60, width
                page.keyboard.press("Escape")
                panel.wait_for(state="hidden")
    finally:
        page.set_viewport_size({"width": 1280, "height": 1300})


NARROW = (620, 900)  # as beside the file browser in a small window
TWO_LINES = "not visible in the frame before: " + ", ".join(PARTS) + " (Undo takes it back). " * 3
PLACES = """() => {  // of all that is pressed, in the labeler
    const root = document.querySelector('.dlcnb-labeler'), top = root.getBoundingClientRect().top;
    return [...root.querySelectorAll('button, canvas, [role=option]')].filter(one => one.offsetWidth)
        .map(one => one.getBoundingClientRect()).map(({ x, y, width, height }) => [x, y - top, width, height]);
}"""


def test_a_long_message_covers_nothing_and_moves_nothing(labeler):
    page = labeler.page
    try:
        for width, height in (*SIZES, NARROW):
            page.set_viewport_size({"width": width, "height": height})
            labeler.ask("p.tell('')")
            settle(page, ".dlcnb-labeler")
            before = page.evaluate(PLACES)
            labeler.ask(f"p.tell({TWO_LINES!r})")
            page.locator(".dlcnb-status .dlcnb-hint").first.wait_for()
            assert not covered(page, ".dlcnb-labeler", ".dlcnb-labeler > .dlcnb-status > *"), width
            assert page.evaluate(PLACES) == before, width
    finally:
        page.set_viewport_size({"width": 1280, "height": 1300})


@pytest.mark.mxnet
def test_nothing_jumps_when_the_network_is_asked_and_answers(labeler, root):
    page = labeler.page
    add_network(Project.open(root))
    try:
        for width, height in (SIZES[0], SIZES[-1]):
            page.set_viewport_size({"width": width, "height": height})
            settle(page, ".dlcnb-labeler")
            before = page.evaluate(PLACES)
            page.locator(".dlcnb-labeler .dlcnb-menu button", has_text="Suggest").click()
            page.locator(f"{PANEL} button", has_text="Ask the last network").click()
            page.locator(PANEL).wait_for(state="hidden")
            page.locator(".dlcnb-suggested", has_text="network").wait_for()
            assert page.evaluate(PLACES) == before, width
            labeler.until("not p.suggester.busy and p._painter.wait()", patience=4 * PATIENCE)
            page.locator(".dlcnb-suggested", has_text="8 frames have points").wait_for()
            assert page.evaluate(PLACES) == before, width
            said, side = (page.locator(f".dlcnb-{name}").bounding_box() for name in ("suggested", "side"))
            assert said["y"] + 16 < side["y"] + side["height"], width  # its first line, at least
    finally:
        page.set_viewport_size({"width": 1280, "height": 1300})


def test_the_bar_of_frames_is_seen_in_a_narrow_page(labeler):
    page = labeler.page
    try:
        for width, height in (NARROW, (500, 900), (560, 620)):
            page.set_viewport_size({"width": width, "height": height})
            settle(page, ".dlcnb-labeler")
            page.locator(".dlcnb-labeler").evaluate("root => root.scrollIntoView({ block: 'start' })")
            columns, bar = (page.locator(part).bounding_box() for part in (".dlcnb-labeler > .dlcnb-columns", BAR))
            inside(bar, columns, f"bar at {width} x {height}")
            inside(page.locator(CANVAS).bounding_box(), columns, f"picture at {width} x {height}")
            assert page.locator(CANVAS).bounding_box()["width"] > 150
    finally:
        page.set_viewport_size({"width": 1280, "height": 1300})


def seen_at_once(page, width, height):
    page.set_viewport_size({"width": width, "height": height})
    assert not settle(page, ".dlcnb-labeler")
    page.locator(".dlcnb-labeler").evaluate("root => root.scrollIntoView({ block: 'start' })")
    root = page.locator(".dlcnb-labeler").bounding_box()
    parts = [CANVAS, BAR, *(f".dlcnb-labeler .dlcnb-{name}" for name in ("bodyparts", "progress", "status"))]
    pane = page.locator(".jp-Notebook").first.bounding_box()
    for part in [*parts, ".dlcnb-labeler button:visible", ".dlcnb-labeler select:visible"]:
        for made in page.locator(part).all():
            inside(made.bounding_box(), root, part)
            inside(made.bounding_box(), pane, part)
    for menu in page.locator(".dlcnb-labeler .dlcnb-menu button").all():
        menu.click()
        panel = page.locator(PANEL)
        panel.wait_for()
        inside(panel.bounding_box(), root, "menu")
        assert not covers(panel.bounding_box(), page.locator(".dlcnb-labeler .dlcnb-bodyparts").bounding_box())
        page.keyboard.press("Escape")
        panel.wait_for(state="hidden")


def covers(one, other):
    """Whether a part of a box lies over another."""
    return all(
        min(one[at] + one[long], other[at] + other[long]) - max(one[at], other[at]) > 1
        for at, long in (("x", "width"), ("y", "height"))
    )


def inside(box, room, name):
    assert room["x"] - 1 <= box["x"], name
    assert box["x"] + box["width"] <= room["x"] + room["width"] + 1, name
    assert room["y"] - 1 <= box["y"], name
    assert box["y"] + box["height"] <= room["y"] + room["height"] + 1, name


GAP = """() => { // between the picture and the bar of frames: how high, and what is pressed there
    const all = [...document.querySelectorAll('.dlcnb-labeler canvas')];
    const [picture, bar] = all.map(one => one.getBoundingClientRect());
    const at = document.elementFromPoint(bar.left + 0.8 * bar.width, (picture.bottom + bar.top) / 2);
    return [bar.top - picture.bottom, at.tagName]; }"""


def test_a_press_just_below_the_picture_opens_no_other_frame(labeler):
    page = labeler.page
    try:
        for width, height in (*SIZES, NARROW):
            page.set_viewport_size({"width": width, "height": height})
            assert not settle(page, ".dlcnb-labeler")
            page.locator(BAR).scroll_into_view_if_needed()
            gap, pressed = page.evaluate(GAP)
            assert gap >= 8, width
            assert pressed != "CANVAS"
            box = page.locator(BAR).bounding_box()
            page.mouse.click(box["x"] + 0.8 * box["width"], box["y"] - gap / 2)
            page.keyboard.press("s")  # the keys still are the picture's
            labeler.until("p.session.cursor.bodypart != 'snout'")
            assert labeler.ask("p.session.row") == 0
            labeler.ask("p.session.choose('snout')")
    finally:
        page.set_viewport_size({"width": 1280, "height": 1300})


def test_touch_places_and_two_fingers_zoom(labeler):
    session = labeler.page.context.new_cdp_session(labeler.page)

    def touch(kind, *points):
        fingers = [{"x": x, "y": y, "id": n} for n, (x, y) in enumerate(points)]
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": fingers})

    spot = place_of(labeler, *DOTS[0])
    touch("touchStart", spot)
    touch("touchEnd")
    acknowledged(labeler, 0)
    np.testing.assert_allclose(placed(labeler)[0], DOTS[0], atol=0.5)
    (ax, ay), (bx, by) = place_of(labeler, 100, 100), place_of(labeler, 140, 100)
    touch("touchStart", (ax, ay))
    touch("touchStart", (ax, ay), (bx, by))
    for step in range(1, 11):
        touch("touchMove", (ax - 4 * step, ay), (bx + 4 * step, by))
    touch("touchEnd")
    labeler.until("p.view.fit.zoom > 2.5")
    assert labeler.ask("[value.state for value in p.session.values()]") == ["placed", "open", "open", "open"]


def test_the_loupe_is_where_no_point_is_and_goes_when_the_pointer_leaves(labeler):
    page = labeler.page
    labeler.ask("p.session.place((300, 200)) and None")  # in the corner opposite to the pointer
    labeler.ask("globals().update(scene=__import__('dlcnb.widgets.labeler.scene', fromlist=['x']).scene)")
    page.mouse.move(*place_of(labeler, *DOTS[2]))
    labeler.until("p.view.pointer is not None and p._painter.wait()")
    left, top, side = labeler.ask("scene(p.session, p.view, p.screen._edges).loupe_box")
    scale = labeler.ask("p.canvas.ratio")
    corner = [round((left + side / 2 + 8) * scale), round((top + side / 2 + 8) * scale)]  # beside the cross-hair
    page.wait_for_function(f"at => {{ const [r, g] = ({PIXEL})(at); return g - r > 60; }}", arg=corner)
    page.mouse.move(5, 5)
    labeler.until("p.view.pointer is None")
    page.wait_for_function(f"at => {{ const [r, g] = ({PIXEL})(at); return g - r < 30; }}", arg=corner)


def test_a_press_is_not_kept_waiting_by_the_move_to_it(labeler):
    labeler.ask("globals().update(got=[], heard=p.input._on_message)")
    labeler.ask("setattr(p.input, '_on_message', lambda m: (got.append((m['type'], m.get('buttons'))), heard(m)))")
    x, y = at(labeler, 100, 80)
    labeler.page.locator(CANVAS).evaluate(
        """(canvas, [clientX, clientY]) => {
            const tell = (name, more) => canvas.dispatchEvent(
                new PointerEvent(name, { clientX, clientY, bubbles: true, pointerId: 1, ...more }));
            canvas.setPointerCapture = () => {}; // which there is none of for made-up pointers
            tell('pointermove');
            tell('pointerdown', { buttons: 1 });
            tell('pointermove', { buttons: 1 });
            tell('pointerup');
        }""",
        [x, y],
    )
    labeler.until("got and got[-1][0] == 'up'")
    assert labeler.ask("got") == [["down", None], ["move", 1], ["up", None]]
    assert np.isfinite(placed(labeler)[0]).all()


def test_the_plain_wheel_scrolls_the_page_until_the_picture_is_zoomed(labeler):
    page = labeler.page
    page.mouse.move(*place_of(labeler, *DOTS[0]))
    prevented = """window.wheels = [];
        window.addEventListener('wheel', (e) => setTimeout(() => window.wheels.push(e.defaultPrevented)), true)"""
    page.evaluate(f"() => {{ {prevented} }}")
    page.mouse.wheel(0, 1)
    page.wait_for_function("() => window.wheels.length === 1")
    ctrl_wheel(labeler, -300)
    labeler.until("p.view.zoomed and p.input.guard.plain_wheel")
    page.mouse.wheel(0, -100)
    page.wait_for_function("() => window.wheels.length === 3")
    assert page.evaluate("() => window.wheels") == [False, True, True]


def test_frames_around_play_while_a_key_is_held_and_the_frame_is_back(labeler):
    page = labeler.page
    page.locator(CANVAS).hover()
    page.keyboard.down(" ")
    labeler.until("p.context.picture is not None")
    page.keyboard.up(" ")
    labeler.until("not p.context.playing and p.context.picture is None and p._painter.wait()")


HOLLOW = (
    "p.session.set_suggestions('snapshot-9', {{one: [[x, y, 0.99] for x, y in {dots}] for one in p.session.images}})"
)


def test_a_key_that_is_held_completes_one_frame(labeler):
    page = labeler.page
    labeler.ask(HOLLOW.format(dots=DOTS))
    page.locator(CANVAS).hover()
    page.keyboard.down("Shift")
    for _ in range(6):  # all but the first are repetitions
        page.keyboard.down("Enter")
    page.keyboard.up("Enter")
    page.keyboard.up("Shift")
    labeler.until("p.session.row == 1")
    for _ in range(4):  # those go on from frame to frame
        page.keyboard.down("d")
    page.keyboard.up("d")
    labeler.until("p.session.row == 5")
    for _ in range(6):
        page.keyboard.down("f")
    page.keyboard.up("f")
    labeler.until("p.session.asking == p.session.cursor.image and p.session.row == 5")
    assert np.isfinite(placed(labeler)).all()
    assert labeler.ask("[p.session.state(one) for one in p.session.images]") == ["done", *["new"] * (COUNT - 1)]


@pytest.mark.parametrize("name", ["Accept all", "Done → next"])
def test_a_double_click_completes_one_frame(labeler, name):
    labeler.ask(HOLLOW.format(dots=DOTS))
    page, named = labeler.page, labeler.page.locator(".dlcnb-labeler .dlcnb-actions button", has_text=name)
    if name == "Accept all":
        named.dblclick()
    else:
        labeler.ask("p.session.accept_all()")
        named.dblclick()
    labeler.until("p.session.row == 1")
    page.locator(CANVAS).hover()
    page.keyboard.press("d")  # what was pressed before has been heard by then
    labeler.until("p.session.row == 2")
    states = labeler.ask("[p.session.state(one) for one in p.session.images]")
    assert states == ["done", *["new"] * (COUNT - 1)]
    assert not labeler.ask("p.session.asking")


def test_full_screen_by_a_key_and_back_with_as_many_pixels_as_it_shows(labeler):
    page = labeler.page
    page.locator(CANVAS).hover()
    page.keyboard.press("x")
    page.wait_for_function("() => document.fullscreenElement?.classList.contains('dlcnb-labeler')")
    labeler.until("p.canvas.ratio > 1 and p._painter.wait()")
    click(labeler, *DOTS[0])
    acknowledged(labeler, 0)
    np.testing.assert_allclose(placed(labeler)[0], DOTS[0], atol=0.5)
    page.keyboard.press("x")
    page.wait_for_function("() => !document.fullscreenElement")
    assert page.locator(CELLS).count() == 2  # Lab has not cut one


def test_tab_and_escape_leave_the_picture(labeler):
    page = labeler.page
    in_picture = "() => document.activeElement === document.querySelector('.dlcnb-labeler canvas')"
    for key in ("Escape", "Tab"):
        page.locator(CANVAS).click(button="right")
        page.wait_for_function(in_picture)
        page.keyboard.press(key)
        page.wait_for_function(f"() => !({in_picture})()")


# --- nothing is lost ---


def test_a_reloaded_page_shows_the_labels_again_and_goes_on(labeler):
    page = labeler.page
    page.keyboard.press("Escape")
    page.locator(CANVAS).click(button="right")
    page.keyboard.press("d")
    labeler.until("p.session.row == 1")
    click(labeler, *DOTS[0])
    acknowledged(labeler, 0)
    labeler.reload()
    ready(labeler)
    acknowledged(labeler, 0)
    x, y = labeler.ask(f"p.view.fit.to_canvas({DOTS[0]}).tolist()")
    page.wait_for_function(f"at => {{ const [r, g, b] = ({PIXEL})(at); return b - g > 40; }}", arg=[x, y])
    assert page.locator(".dlcnb-labeler input[type=number]").first.input_value() == "2"
    click(labeler, *DOTS[1])
    acknowledged(labeler, 1)
    np.testing.assert_allclose(stored(labeler.root, 1)[:2], DOTS[:2], atol=0.5)


def test_a_number_of_a_frame_is_typed_over_and_enter_gives_the_picture_its_keys(labeler):
    page = labeler.page
    page.locator(CANVAS).click(button="right")
    page.keyboard.press("d")
    labeler.until("p.session.row == 1")
    page.locator(".dlcnb-labeler input[type=number]").first.click()
    page.keyboard.type("3")
    page.keyboard.press("Enter")
    labeler.until("p.session.row == 2")
    click(labeler, *DOTS[0])
    acknowledged(labeler, 0)


@pytest.fixture
def rough_lab(server, chromium, lab_page, root):
    """A page of its own, of which JupyterLab's own complaints about lost kernels don't count."""
    context = chromium.new_context(viewport={"width": 1280, "height": 1300})
    made = type(lab_page)(context.new_page(), server)
    made.root = root
    open_labeler(made, root)
    yield made
    made.close()
    context.close()


def test_killed_kernels_lose_nothing_that_was_shown(rough_lab, kills):
    """Each time: click, nudge, delete at random, and SIGKILL at a random moment; then open again and look."""
    rng, labeler = random.Random(0), rough_lab
    page, known = labeler.page, {}
    for kill in range(kills):
        pid = labeler.ask("os.getpid()")
        row = kill % COUNT
        labeler.ask(f"p.session.go_to_number({row})")
        for _ in range(rng.randint(1, 4)):
            part = labeler.ask("p.session.part")
            if known.get((row, part)) is not None:
                page.locator(CANVAS).click(button="right")  # a widget just opened has no focus
                page.keyboard.press("Backspace")
                acknowledged(labeler, part, "open")
                known[row, part] = None
            spot = rng.uniform(20, 300), rng.uniform(20, 220)
            click(labeler, *spot)
            acknowledged(labeler, part)
            known[row, part] = spot
        part = labeler.ask("p.session.part")
        page.mouse.click(*at(labeler, 5, 5))  # this one is not waited for
        known.pop((row, part), None)
        page.wait_for_timeout(rng.choice([0, 5, 30, 200, 1300]))
        os.kill(pid, signal.SIGKILL)
        for (frame, k), spot in known.items():
            point = stored(labeler.root, frame)[k]
            assert np.isnan(point).all() if spot is None else np.abs(point - spot).max() < 0.5, (kill, frame, k)
        revive(labeler)
    labeler.until("p.session.saved == 'saved'")
    table = Labels.read(labeler.root / "labeled-data/m1")
    for (frame, k), spot in known.items():
        if spot is not None:
            row = table.images.index(labeler.ask(f"p.session.images[{frame}]"))
            assert np.abs(table.points[row, k] - spot).max() < 0.5, (frame, k)


def revive(lab):
    """Give the notebook a new kernel, whether or not JupyterLab has noticed the loss, and run it."""
    lab.page.evaluate(
        """async () => {
            const { sessionContext } = window.jupyterapp.shell.currentWidget.context;
            const change = () => sessionContext.changeKernel({ name: 'python3' });
            await change().catch(change);  // the server refuses while it starts the dead kernel again by itself
        }"""
    )
    lab.idle()
    dialog = lab.page.locator(".jp-Dialog button.jp-mod-accept")
    while dialog.count():  # "the kernel appears to have died"
        dialog.first.click()
    lab.do("notebook:run-all-cells")
    lab.idle()
    lab.until("os.getpid() and p._painter.wait()")
    ready(lab)


BLIND = """
from dlcnb.widgets.labeler.keeper import Keeper
Keeper.look_seconds = 1e6  # does not look for changes, so that both place the same bodypart unknowingly
"""


def test_two_tabs_lose_nothing_and_ask_when_they_disagree(lab, root, server, chromium):
    lab.close()  # a kernel of its own, which `BLIND` changes
    context = chromium.new_context(viewport={"width": 1280, "height": 1300})
    tabs = [lab, type(lab)(context.new_page(), server)]
    for tab in tabs:
        tab.open(root.name, BLIND + OPEN.format(folder=root.name, more=""), "p")
        ready(tab)
    click(tabs[0], *DOTS[0])
    acknowledged(tabs[0], 0)
    click(tabs[1], *DOTS[3])
    box = tabs[1].page.locator(".dlcnb-conflict")
    box.wait_for()
    assert "snout" in box.inner_text()
    for n, tab in ((0, tabs[0]), (1, tabs[1])):
        tab.ask(f"p.session.go_to_number({n + 2})")
        for k in range(2):
            click(tab, *DOTS[k])
            acknowledged(tab, k)
    box.locator("button", has_text="Keep theirs").click()
    box.wait_for(state="hidden")
    for tab in tabs:
        tab.close()
    context.close()
    np.testing.assert_allclose(stored(root)[0], DOTS[0], atol=0.5)
    for row in (2, 3):
        np.testing.assert_allclose(stored(root, row)[:2], DOTS[:2], atol=0.5)


def test_suggestions_are_hollow_and_accepted_by_keys(labeler):
    labeler.ask(
        "p.session.set_suggestions('snapshot-9', {i: [[40, 60, 0.9], [90, 70, 0.3], [150, 120, 0.95], [250, 200, 0.8]]"
        " for i in p.session.images})"
    )
    acknowledged(labeler, 0, "suggested")
    labeler.page.locator(CANVAS).click(button="right")
    labeler.page.keyboard.press("1")  # the unsure one is up
    labeler.page.keyboard.press("Enter")
    acknowledged(labeler, 0)
    labeler.page.keyboard.press("Shift+Enter")
    acknowledged(labeler, 3)
    acknowledged(labeler, 1, "suggested")
    np.testing.assert_allclose(stored(labeler.root)[[0, 2, 3]], [DOTS[0], DOTS[2], DOTS[3]])


OUTLIERS = """
import numpy as np
from dlcnb import Poses, outliers
from dlcnb.project import Project
p = Project.open({folder!r})
dots = np.broadcast_to({dots}, (8, 4, 2)).astype(float)
outliers.extract(p, p.videos[0], Poses(p.bodyparts, "DLC_net", dots, np.full((8, 4), 0.9)), [1, 4, 6])
"""
DONE = ".dlcnb-labeler .dlcnb-actions button.mod-primary, .dlcnb-labeler .dlcnb-actions button.mod-warning"
LIGHTS = """([bar, places]) => places.map(([x, y]) => Math.min(...document.querySelectorAll(bar)[1].getContext('2d')
    .getImageData(x, y, 1, 1).data.slice(0, 3)))"""  # how light these pixels of the bar are


def test_after_an_outlier_frame_comes_the_next_one_and_the_bar_of_frames_marks_them(lab, root):
    lab.open(root.name, OUTLIERS.format(folder=root.name, dots=DOTS) + OPEN.format(folder=root.name, more=""), "p")
    ready(lab)
    page, here = lab.page, "p.session.cursor.image[-5]"
    cell = lab.ask("p.bar.width / 8")
    lights = page.evaluate(LIGHTS, [".dlcnb-labeler canvas", [[round((n + 0.5) * cell), 22] for n in range(8)]])
    assert [n for n, light in enumerate(lights) if light > 200] == [1, 4, 6]
    assert "outlier frame" in page.locator(".dlcnb-labeler .dlcnb-marks").inner_text()
    page.locator(CANVAS).click(button="right")
    page.keyboard.press("End")
    lab.ask("p.go_to('labeled-data/m1/img4.png') and None")
    page.keyboard.press("Shift+Enter")
    lab.until(f"{here} == '6'")
    page.locator(DONE).click()  # it is taken for the frame before
    page.locator(".dlcnb-status", has_text="the frame before is done already").wait_for()
    page.locator(DONE).click()  # it asks, as hollow points would be passed over
    lab.until("p.session.asking")
    page.locator(DONE).click()
    lab.until(f"{here} == '1'")
    page.keyboard.press("Shift+Enter")
    lab.until(f"{here} == '2'")
    page.locator(".dlcnb-status", has_text="all outlier frames are done").wait_for()


def test_a_frame_takes_five_clicks_or_one_key_where_suggestions_are_right(labeler):
    page = labeler.page
    for k, dot in enumerate(DOTS):
        click(labeler, *dot)
        acknowledged(labeler, k)
    page.get_by_role("button", name="Done → next").click()
    labeler.until("p.session.row == 1 and p._painter.wait()")
    values = [[x, y, 0.95] for x, y in DOTS]
    labeler.ask(f"p.session.set_suggestions('snapshot-9', {{p.session.images[1]: {values}}})")
    acknowledged(labeler, 3, "suggested")
    page.keyboard.press("Shift+Enter")
    labeler.until("p.session.row == 2")
    assert labeler.ask("[p.session.state(image) for image in p.session.images[:2]]") == ["done", "done"]
    np.testing.assert_allclose([stored(labeler.root, row) for row in (0, 1)], [DOTS, DOTS], atol=0.5)
