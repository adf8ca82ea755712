"""The frame picker in JupyterLab: real mouse, real keys."""

import pytest
from support.page import SIZES

PROJECT = """
import pathlib, tempfile
import numpy as np
from dlcnb import FramePicker, Project, VideoWriter
SIZE, N = (240, 320), 60
folder = pathlib.Path(tempfile.mkdtemp())
def picture(frame):
    image = np.full((*SIZE, 3), 90, np.uint8)
    scene = frame // 12
    image[20 + 20 * scene : 80 + 20 * scene, 20 + 50 * scene : 80 + 50 * scene] = (240, 60, 40 * scene)
    return image
for name in ("m1", "m2"):
    with VideoWriter(folder / f"{name}.mp4", SIZE, 30) as writer:
        for frame in range(N):
            writer.write(picture(frame))
project = Project.create("reach", "ada", [folder / "m1.mp4", folder / "m2.mp4"], ["paw"], parent=folder)
w = FramePicker(project, width=640)
"""
PLAYER, TIMELINE, GALLERY = ".dlcnb canvas >> nth=0", ".dlcnb canvas >> nth=1", ".dlcnb-gallery canvas"
CELLS = ".jp-Notebook .jp-Cell"


@pytest.fixture
def picker(lab, request):
    """The page with a picker over two videos of five scenes."""
    lab.open(request.node.name, PROJECT, "w")
    lab.page.locator(GALLERY).wait_for()
    lab.until("w.player.input.guard.attached > 0 and w.gallery.input.guard.attached > 0")
    lab.until("w.input.guard.attached > 0 and w.gallery.input.guard.room > 0")
    settled(lab)
    return lab


def settled(lab):
    lab.until("w.wait(0.5)")


def picked(lab, video="m1", show="picked"):
    return lab.ask(f"w.state.numbers({show!r}, {video!r}).tolist()")


def thumbnail(lab, position, dx=20, dy=50):
    left, top = lab.ask(f"w.gallery.state.box({position})")
    return lab.on(GALLERY, left + dx, top + dy)


def test_choose_drop_and_extract_by_mouse(picker):
    field = picker.page.locator(".dlcnb input[type=number]").first
    field.fill("5")
    field.press("Enter")
    picker.page.get_by_text("m2 (60 frames)").click()
    picker.until("w.state.chosen_videos == ('m1',)")
    picker.page.get_by_role("button", name="Choose").click()
    picker.until("len(w.state.frames('picked')) == 5")
    settled(picker)
    assert sorted(frame // 12 for frame in picked(picker)) == list(range(5))
    picker.page.mouse.click(*thumbnail(picker, 2, 118, 10))
    picker.until("len(w.state.frames('dropped')) == 1")
    settled(picker)
    picker.page.get_by_role("button", name="Extract 4 frames").click()
    picker.until("len(w.state.frames('extracted')) == 4 and w.wait()")
    assert picker.ask("len(list(project.labeled_dir('m1').glob('img*.png')))") == 4
    assert "4 of 4 frames" in picker.page.locator('.dlcnb [role="status"]').last.inner_text()


def test_keys_pick_by_hand_and_never_touch_the_notebook(picker):
    picker.page.locator(PLAYER).click()
    for key in ("b", "Shift+ArrowRight", "p", "d", "d", "Shift+ArrowRight", "i", "a", "Shift+ArrowRight", "o", "x"):
        picker.page.keyboard.press(key)
    picker.until("w.state.ranges['m1'] is not None and w.state.ranges['m1'][1] == 30")
    assert picker.ask("w.state.ranges['m1']") == [20, 30]
    assert picked(picker) == [10]
    settled(picker)
    picker.page.get_by_role("button", name="Pick every").click()
    picker.until("w.state.numbers('picked').tolist() == [10, 20, 30]")
    picker.page.keyboard.press("ArrowLeft")  # after a click on a button the keys work on the picture again
    picker.until("w.player.state.frame == 29")
    assert picker.page.locator(CELLS).count() == 2


def test_the_region_is_drawn_on_the_frame(picker):
    picker.page.locator(PLAYER).click()
    picker.page.keyboard.press("c")
    picker.until("w.player.drawing")
    picker.page.mouse.move(*picker.on(PLAYER, 80, 100))
    picker.page.mouse.down()
    picker.page.mouse.move(*picker.on(PLAYER, 300, 300), steps=5)
    picker.page.mouse.move(*picker.on(PLAYER, 480, 400))
    picker.page.mouse.up()
    picker.until("project.crop('m1') != (0, 320, 0, 240)")
    crop = picker.ask("Project.open(project.root).crop('m1')")
    assert crop == pytest.approx([40, 240, 50, 200], abs=1)
    assert "config.yaml" in picker.page.locator('.dlcnb [role="status"]').last.inner_text()
    assert picker.ask("w.controls.crop.value") == ", ".join(map(str, crop))


def test_the_gallery_has_keys_of_its_own(picker):
    picker.ask("w.state.add('m1', [3, 15, 27, 39], 'hand') and w.state.add('m2', [50], 'hand')")
    settled(picker)
    picker.page.mouse.click(*thumbnail(picker, 1))
    picker.until("w.player.state.frame == 15")
    for key in ("ArrowRight", "Space", "b", "x"):
        picker.page.keyboard.press(key)
    picker.until("len(w.state.frames('dropped')) == 1")
    assert picked(picker, show="dropped") == [27]
    picker.page.keyboard.press("End")
    picker.page.keyboard.press("Enter")
    picker.until("w.state.video == 'm2' and w.player.state.frame == 50")
    picker.until("w.player.input.guard.attached > 0")
    picker.page.keyboard.press("p")
    picker.until("w.state.numbers('picked', 'm2').tolist() == []")
    assert picker.page.locator(CELLS).count() == 2


def test_a_reloaded_page_shows_the_thumbnails_again(picker):
    picker.ask("w.state.add('m1', [3, 30], 'hand')")
    settled(picker)
    picker.reload()
    picker.page.locator(GALLERY).wait_for()
    settled(picker)
    left, top = picker.ask("w.gallery.state.box(0)")
    picker.page.wait_for_function(
        """([selector, x, y]) => {
            const canvas = document.querySelector(selector);
            const [r, g] = canvas?.getContext('2d').getImageData(x, y, 1, 1).data ?? [0, 0];
            return r > 150 && g < 120;
        }""",
        arg=[GALLERY, left + 25, top + 25],
    )
    picker.page.mouse.click(*thumbnail(picker, 1))
    picker.until("w.player.state.frame == 30")


def test_the_ground_of_the_pictures_follows_the_theme(picker):
    picker.ask("w.state.add('m1', [3, 30], 'hand')")
    settled(picker)
    page, corner = picker.page, "c => c.getContext('2d').getImageData(2, 2, 1, 1).data[0]"
    try:
        for dark in (True, False):
            picker.theme(dark)
            page.wait_for_function(
                f"([selector, dark]) => (({corner})(document.querySelector(selector)) < 128) === dark",
                arg=[GALLERY, dark],
            )
    finally:
        picker.theme(False)


@pytest.mark.parametrize("width", [1280, 800])
def test_nothing_hangs_over_the_edge(picker, width):
    picker.ask("w.state.add('m1', range(0, 60, 3), 'hand')")
    picker.page.set_viewport_size({"width": width, "height": 1300})
    try:
        settled(picker)
        picker.until("abs(w.gallery.state.columns * 136 + 8 - w.gallery.input.guard.room) <= 136")
        root = picker.page.locator(".dlcnb").first.bounding_box()
        for selector in (PLAYER, TIMELINE, GALLERY, ".dlcnb .dlcnb-row >> nth=1", ".dlcnb .dlcnb-row >> nth=-1"):
            box = picker.page.locator(selector).bounding_box()
            assert box["x"] + box["width"] <= root["x"] + root["width"] + 1
        scale = picker.page.locator(GALLERY).evaluate("c => c.getBoundingClientRect().width / c.width")
        assert scale > 0.95  # captions stay readable
        for made in picker.page.locator(".dlcnb button:visible").all():
            box = made.bounding_box()
            assert min(box["width"], box["height"]) >= 24
    finally:
        picker.page.set_viewport_size({"width": 1280, "height": 1300})


SEEN = """() => {  // how much of the picture and of the gallery is seen, px
    const root = document.querySelector('.jp-OutputArea .dlcnb');
    root.scrollIntoView({ block: 'start' });
    const pane = [...document.querySelectorAll('.jp-WindowedPanel-outer, .jp-Notebook')]
        .find((one) => one.contains(root)).getBoundingClientRect();
    return [...root.querySelectorAll('canvas')].filter((one) => one.offsetHeight > 50).map((one) => {
        const box = one.getBoundingClientRect();
        return Math.min(box.bottom, pane.bottom) - Math.max(box.top, pane.top);
    });
}"""


@pytest.mark.parametrize("size", SIZES)
def test_something_of_the_video_and_of_the_gallery_is_seen_at_once(picker, size):
    page = picker.page
    try:
        page.set_viewport_size(dict(zip(("width", "height"), size, strict=True)))
        page.wait_for_function(
            f"() => {{ const seen = ({SEEN})(); return seen.length === 2 && seen.every(px => px > 60) }}"
        )
    finally:
        page.set_viewport_size({"width": 1280, "height": 1300})
