"""FrameMap in JupyterLab: a click on a posture, keys, another kind of map, Stop."""

import pytest
from support.cells import SPIKE
from support.page import settle

CANVAS = ".dlcnb-frame-map canvas"


@pytest.fixture
def shown(lab, request):
    lab.open(request.node.name, SPIKE + "m = FrameMap(project, poses=poses)", "m")
    lab.page.get_by_text("Press Make the map").wait_for()
    assert lab.page.locator(CANVAS).is_hidden()  # no empty box
    lab.until("m.input.guard.attached > 0 and m.wait(0.5)")
    return lab


def choose(lab, kind):
    lab.page.locator(".dlcnb select:visible").first.select_option(
        label=lab.ask(f"dict((v, k) for k, v in m.kind.options)[{kind!r}]")
    )
    lab.until(f"m.state.kind == {kind!r} and len(m.state.frames) and m.wait(0.5)")


def click(lab, place, mark):
    """Click at a mark of a frame on the map."""
    canvas = lab.page.locator(CANVAS)
    canvas.wait_for()
    canvas.scroll_into_view_if_needed()
    box, width = canvas.bounding_box(), canvas.evaluate("c => c.width")
    x, y = lab.ask(f"m._spots()[{place}, {mark}].tolist()")
    lab.page.mouse.click(box["x"] + x * box["width"] / width, box["y"] + y * box["width"] / width)


def test_a_click_on_a_posture_shows_its_frame(shown):
    choose(shown, "centred")
    click(shown, 30, 3)
    frame = shown.ask("int(m.state.frames[30])")
    shown.until(f"m.player.state.frame == {frame}")
    shown.page.locator(".dlcnb-frame-map").get_by_text(f"magenta: frame {frame}").wait_for()
    shown.page.keyboard.press("ArrowRight")
    shown.until(f"m.player.state.frame == {frame + 1}")


def test_images_are_placed_and_clicked(shown):
    shown.page.get_by_role("button", name="Make the map").click()
    shown.until("len(m.state.images) and m.wait(0.5)")
    click(shown, 60, 0)
    frame = shown.ask("int(m.state.frames[60])")
    shown.until(f"m.player.state.frame == {frame}")
    assert shown.page.locator(".dlcnb-frame-map").get_by_text("ring: frame").count() == 1


def test_why_there_are_fewer_frames_than_asked_for_is_in_sight(shown):
    choose(shown, "centred")
    words = shown.page.locator(".dlcnb-frame-map").get_by_text("of 300 postures (the video has only 120")
    words.wait_for()
    assert "is below the pcutoff" in words.inner_text()
    assert not settle(shown.page)
