"""The player in JupyterLab: real mouse, real keys; what the kernel knows and what the page shows."""

import pytest

VIDEO = """
import numpy as np
from dlcnb import Player, Poses, Skeleton, VideoWriter
from dlcnb.widgets.base.canvas import FrameCanvas, batch
SIZE, N = (240, 320), 90
points = np.tile([[80.0, 180.0], [240.0, 180.0]], (N, 1, 1)) + np.array([[0.25, 0.0]]) * np.arange(N)[:, None, None]
with VideoWriter("numbered.mp4", SIZE, 30, crf=5) as writer:
    for frame in range(N):
        image = np.full((*SIZE, 3), 90, np.uint8)
        for bit in range(7):
            image[:60, bit * 40 : bit * 40 + 40] = 255 * (frame >> bit & 1)
        writer.write(image)
poses = Poses(("snout", "tail"), "net", points, np.tile([0.9, 0.4], (N, 1)))
skeleton = Skeleton(("snout", "tail"), (("snout", "tail"),))
p = Player("numbered.mp4", poses, skeleton=skeleton, labels=[20, 60], width=640)

def lose():  # closed, as by another thread, while it is painted: the page hears of the picture after that
    other = FrameCanvas(SIZE)
    with batch(other):
        other.draw_frame(np.zeros((*SIZE, 3), np.uint8))
        other.close()
"""
FRAME_ON_PAGE = """() => {
    const canvas = document.querySelector('.dlcnb canvas');
    const context = canvas.getContext('2d', { willReadFrequently: true });
    let frame = 0;
    for (let bit = 0; bit < 7; bit++)
        if (context.getImageData(bit * 80 + 40, 40, 1, 1).data[0] > 127) frame |= 1 << bit;
    return frame;
}"""
CANVAS, TIMELINE = ".dlcnb canvas >> nth=0", ".dlcnb canvas >> nth=1"
CELLS = ".jp-Notebook .jp-Cell"


@pytest.fixture
def player(lab, request):
    """The page with a player over a video whose frames say their number."""
    lab.open(request.node.name, VIDEO, "p")
    lab.page.locator(TIMELINE).wait_for()
    lab.until("p.input.guard.attached > 0")
    lab.page.locator(CANVAS).scroll_into_view_if_needed()
    showing(lab, 0)
    return lab


def showing(lab, frame):
    """Wait until kernel and page agree that this frame is shown."""
    lab.until(f"p.state.frame == {frame} and p.wait()")
    lab.page.wait_for_function(f"frame => ({FRAME_ON_PAGE})() === frame", arg=frame)


def test_a_canvas_that_is_closed_while_it_is_painted_leaves_the_others_at_work(player):
    player.ask("lose() and None")
    player.ask("p.state.go(20) and None")
    showing(player, 20)


def pixel(lab, x, y):
    return lab.page.evaluate(
        "([x, y]) => [...document.querySelector('.dlcnb canvas').getContext('2d').getImageData(x, y, 1, 1).data]",
        [x, y],
    )


def at(lab, selector, x, y):
    """Page coordinates of a point of a canvas given in canvas pixels."""
    box = lab.page.locator(selector).bounding_box()
    width, height = lab.page.locator(selector).evaluate("c => [c.width, c.height]")
    return box["x"] + x * box["width"] / width, box["y"] + y * box["height"] / height


def test_keys_move_the_video_and_never_the_notebook(player):
    player.page.locator(CANVAS).click()
    for key in ("b", "a", "d", "d", "x", "ArrowRight", "m", "Shift+ArrowRight", "ArrowLeft"):
        player.page.keyboard.press(key)
    showing(player, 10)
    player.page.keyboard.press("End")
    showing(player, 89)
    player.page.keyboard.press("Home")
    showing(player, 0)
    assert player.page.locator(CELLS).count() == 2


def test_after_a_click_on_a_button_the_keys_still_work_and_no_cell_is_lost(player):
    player.page.locator('.dlcnb button[title*="Next frame"]').click()
    showing(player, 1)
    for key in ("b", "d", "d", "ArrowRight"):
        player.page.keyboard.press(key)
    showing(player, 2)
    assert player.page.locator(CELLS).count() == 2


def test_typing_a_frame_number(player):
    field = player.page.locator(".dlcnb input[type=number]")
    field.fill("47")
    field.press("Enter")
    showing(player, 47)
    field.press("ArrowLeft")  # moves the cursor, not the video
    assert player.ask("p.state.frame") == 47


def test_dragging_the_slider(player):
    handle = player.page.locator(".dlcnb .noUi-handle").first
    box = handle.bounding_box()
    track = player.page.locator(".dlcnb .noUi-base").first.bounding_box()
    player.page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    player.page.mouse.down()
    player.page.mouse.move(track["x"] + track["width"] / 2, box["y"] + box["height"] / 2, steps=12)
    player.page.mouse.up()
    frame = player.until("44 <= p.state.frame <= 46 and p.state.frame")
    showing(player, frame)
    player.page.keyboard.press("ArrowRight")
    showing(player, frame + 1)


def test_clicks_on_the_timeline_catch_marks_and_a_release_outside_ends_the_drag(player):
    player.page.mouse.click(*at(player, TIMELINE, 60.5 / 90 * 640 + 4, 8))
    showing(player, 60)
    player.page.mouse.move(*at(player, TIMELINE, 100, 20))
    player.page.mouse.down()
    player.page.mouse.move(*at(player, TIMELINE, 320, 20))
    showing(player, 45)
    player.page.mouse.move(*at(player, TIMELINE, 500, 150))
    player.page.mouse.up()
    frame = player.until("p.state.frame > 45 and p._scrubbing is False and p.state.frame")
    player.page.mouse.move(*at(player, TIMELINE, 10, 20))
    assert player.ask("p.state.frame") == frame


def test_poses_lie_where_they_belong_and_obey_pcutoff(player):
    snout, tail = player.ask("[p.state.fit.to_canvas(q).tolist() for q in points[0]]")
    grey = [90, 90, 90]
    assert abs(pixel(player, *snout)[0] - grey[0]) + abs(pixel(player, *snout)[2] - grey[2]) > 60
    assert max(abs(c - 90) for c in pixel(player, *tail)[:3]) <= 6
    player.ask("setattr(p.pcutoff, 'value', 0.2)")
    player.page.wait_for_function(
        """([x, y]) => {
            const context = document.querySelector('.dlcnb canvas').getContext('2d');
            return [...context.getImageData(x, y, 1, 1).data].some((v, i) => i < 3 && Math.abs(v - 90) > 40);
        }""",
        arg=tail,
    )


def test_the_wheel_scrolls_the_page_and_zooms_at_the_pointer_with_ctrl(player):
    player.page.mouse.move(*at(player, CANVAS, 160, 360))
    player.page.mouse.wheel(0, -10)
    assert not player.ask("p.state.zoomed")
    player.page.locator(CANVAS).scroll_into_view_if_needed()
    player.page.mouse.click(*at(player, CANVAS, 160, 360))
    before = player.ask("p.state.fit.to_image((160, 360)).tolist()")
    player.page.mouse.wheel(0, -10)
    assert not player.ask("p.state.zoomed")
    player.page.mouse.move(*at(player, CANVAS, 160, 360))
    player.page.keyboard.down("Control")
    player.page.mouse.wheel(0, -400)
    player.page.keyboard.up("Control")
    player.until("p.state.zoomed")
    after = player.ask("p.state.fit.to_image((160, 360)).tolist()")
    assert after == pytest.approx(before, abs=1)
    player.page.mouse.dblclick(*at(player, CANVAS, 160, 360))
    player.until("not p.state.zoomed")


def test_play_runs_to_the_end_and_space_pauses(player):
    player.page.locator(CANVAS).click()
    player.page.keyboard.press("Space")
    player.until("p.state.frame > 5")
    player.page.keyboard.press("Space")
    player.until("not p.state.playing")
    frame = player.ask("p.state.frame")
    showing(player, frame)
    player.page.keyboard.press("Space")
    showing(player, 89)
    assert not player.ask("p.state.playing")


APART = """() => new Promise((done) => { // frames between the picture and its point, at each moment of playback
    const canvas = document.querySelector('.dlcnb canvas');
    const context = canvas.getContext('2d', { willReadFrequently: true });
    const found = [], seen = new Set();
    const look = () => {
        const frame = (FRAME)();
        const row = context.getImageData(0, 360, 640, 1).data;
        let sum = 0, weight = 0;
        for (let x = 0; x < 640; x++) {
            const colored = Math.max(...row.slice(4 * x, 4 * x + 3)) - Math.min(...row.slice(4 * x, 4 * x + 3)) > 80;
            if (colored) { sum += x + 0.5; weight += 1; }
        }
        if (weight) found.push(frame - ((sum / weight - 1) / 2 - 20) / 3);
        seen.add(frame);
        if (seen.has(89)) done([seen.size, found]);
        else requestAnimationFrame(look);
    };
    look();
})""".replace("FRAME", FRAME_ON_PAGE)


def test_in_playback_the_points_lie_on_the_picture_that_they_belong_to(player):
    """Also on a page that is slow, as where much else is shown."""
    slow = player.page.context.new_cdp_session(player.page)
    slow.send("Emulation.setCPUThrottlingRate", {"rate": 3})
    player.ask(
        "[p.state.set_poses(np.array([[[20.0 + 3 * n, 180]] * 2 for n in range(N)]), np.ones((N, 2))), p.play()]"
    )
    frames, apart = player.page.evaluate(APART)
    slow.send("Emulation.setCPUThrottlingRate", {"rate": 1})
    assert frames > 5
    assert max(abs(one) for one in apart) < 0.5


def test_a_reloaded_page_shows_the_frame_again_and_goes_on(player):
    player.page.locator(CANVAS).click()
    player.page.keyboard.press("Shift+ArrowRight")
    showing(player, 10)
    player.reload()
    player.page.locator(TIMELINE).wait_for()
    showing(player, 10)
    player.page.locator(CANVAS).click()
    player.page.keyboard.press("ArrowRight")
    showing(player, 11)


def test_a_damaged_frame_is_said_in_the_widget(player):
    player.ask("p.reader._decoder._recent.clear() or p.reader._decoder._lost.add(30)")
    player.ask("p.state.go(30)")
    alert = player.page.locator('.dlcnb [role="alert"]')
    alert.wait_for()
    assert "frame 30" in alert.inner_text()
    player.ask("p.state.go(31)")
    showing(player, 31)
    alert.wait_for(state="detached")


@pytest.mark.parametrize("width", [1280, 800])
def test_nothing_hangs_over_the_edge(player, width):
    player.page.set_viewport_size({"width": width, "height": 900})
    try:
        root = player.page.locator(".dlcnb").bounding_box()
        for selector in (CANVAS, TIMELINE, ".dlcnb .dlcnb-row >> nth=0", ".dlcnb .dlcnb-legend"):
            box = player.page.locator(selector).bounding_box()
            assert box["x"] + box["width"] <= root["x"] + root["width"] + 1
        for made in player.page.locator(".dlcnb button").all():
            box = made.bounding_box()
            assert min(box["width"], box["height"]) >= 24
    finally:
        player.page.set_viewport_size({"width": 1280, "height": 1300})


def test_without_the_guard_ipycanvas_events_serve(lab):
    """Where the guard's JavaScript cannot be loaded."""
    lab.open("fallback", VIDEO, "p.children = [child for child in p.children if child is not p.input.guard]\np")
    lab.page.locator(TIMELINE).wait_for()
    showing(lab, 0)
    lab.page.locator(CANVAS).click()
    lab.page.keyboard.press("ArrowRight")
    showing(lab, 1)
    lab.page.keyboard.press("b")
    assert lab.page.locator(CELLS).count() == 2
    lab.page.mouse.click(*at(lab, TIMELINE, 60.5 / 90 * 640 + 4, 8))
    showing(lab, 60)
