"""TrajectoryView in JupyterLab: a click on a spike, a brushed range, keys, filtered beside raw."""

import json

import pytest
from support.cells import SPIKE

CELL = SPIKE + "v = TrajectoryView(project, poses=poses)"
CANVAS = ".dlcnb-trajectories .dlcnb canvas"  # of the player; the plots have some too
AREA = "rect.plotarea_events"


@pytest.fixture
def view(lab, request):
    lab.open(request.node.name, CELL, "v")
    lab.page.locator(".dlcnb-trajectories .dlcnb-plot-step-1").wait_for()
    lab.until("v.input.attached and v._painter.wait(0.5) and v.player.wait(0.5)")
    lab.page.locator(".dlcnb-plot-likelihood-0 path.line").nth(1).wait_for(state="attached")
    return lab


def area(lab, plot):
    """Left, top, width, height of a plot's area on the page, scrolled into view."""
    figure = lab.page.locator(f".dlcnb-plot-{plot}")
    figure.scroll_into_view_if_needed()
    return lab.page.evaluate(
        "selector => { const b = document.querySelector(selector).getBoundingClientRect();"
        " return [b.left, b.top, b.width, b.height]; }",
        f".dlcnb-plot-{plot} {AREA}",
    )


def click(lab, plot, x, y):
    """Click at shares of a plot's area."""
    left, top, width, height = area(lab, plot)
    lab.page.mouse.click(left + x * width, top + y * height)


def picture(lab):
    return lab.page.evaluate("selector => document.querySelector(selector).toDataURL()", CANVAS)


def test_a_click_on_a_spike_shows_that_frame(view):
    before = picture(view)
    click(view, "likelihood-0", 71 / 119, 1 - (0.05 + 0.03) / 1.06)
    view.until("v.player.state.frame == 71")
    view.page.wait_for_function(
        "([selector, before]) => document.querySelector(selector).toDataURL() !== before", arg=[CANVAS, before]
    )
    view.page.locator(".dlcnb-trajectories").get_by_text("now 71").wait_for()


def test_a_brushed_range_is_zoomed_to_and_reset(view):
    left, top, width, height = area(view, "x-0")
    view.page.mouse.move(left + 0.25 * width, top + height / 2)
    view.page.mouse.down()
    view.page.mouse.move(left + 0.5 * width, top + height / 2, steps=4)
    assert view.page.locator(".dlcnb-shade").count() == 1
    view.page.mouse.up()
    view.until("v.state.zoomed")
    start, stop = view.ask("[v.state.start, v.state.stop]")
    assert abs(start - 30) <= 1
    assert abs(stop - 60) <= 2
    assert view.page.locator(".dlcnb-shade").count() == 0
    view.page.mouse.dblclick(left + 0.5 * width, top + height / 2)
    view.until("not v.state.zoomed")


def test_keys_step_and_never_reach_the_notebook(view):
    click(view, "speed-0", 0.5, 0.2)
    view.until("v.state.frame > 40")
    frame = view.ask("v.state.frame")
    view.page.keyboard.press("ArrowRight")
    view.until(f"v.player.state.frame == {frame + 1}")
    cells = "() => window.jupyterapp.shell.currentWidget.content.widgets.length"
    count = view.page.evaluate(cells)
    for key in ("a", "b", "x"):
        view.page.keyboard.press(key)
    view.page.keyboard.press("+")
    view.until("v.state.zoomed")
    assert view.page.evaluate(cells) == count


def test_the_wheel_scrolls_and_zooms_with_ctrl_only_clicked_or_not(view):
    before = view.page.viewport_size
    view.page.set_viewport_size({"width": 1280, "height": 600})
    click(view, "x-0", 0.5, 0.4)
    view.until("v.state.frame > 40")
    left, top, width, height = area(view, "x-0")
    view.page.mouse.move(left + width / 2, top + height / 2)
    view.page.mouse.wheel(0, 30)
    view.page.wait_for_function(
        "([selector, top]) => document.querySelector(selector).getBoundingClientRect().top < top - 20",
        arg=[f".dlcnb-plot-x-0 {AREA}", top],
    )
    assert not view.ask("v.state.zoomed")
    view.page.keyboard.down("Control")
    view.page.mouse.wheel(0, -300)
    view.page.keyboard.up("Control")
    view.until("v.state.zoomed")
    view.page.locator(".dlcnb-trajectories").get_by_text("Ctrl+wheel, to zoom").first.wait_for()
    view.page.set_viewport_size(before)


def test_filtered_beside_raw(view):
    view.page.locator(".dlcnb-trajectories select:visible").first.select_option("side by side")
    view.until("v.state.show == 'side by side' and v._painter.wait(0.5)")
    view.page.locator(".dlcnb-plot-likelihood-1").wait_for(state="visible")
    click(view, "likelihood-1", 30 / 119, 0.5)
    view.until("v.player.state.frame == 30")


def test_a_click_in_the_plane_shows_when_the_animal_was_there(view):
    x, y = view.ask(
        "[(points[20, 1, 0] - v.plots.plane.x.min) / (v.plots.plane.x.max - v.plots.plane.x.min),"
        " (points[20, 1, 1] - v.plots.plane.y.min) / (v.plots.plane.y.max - v.plots.plane.y.min)]"
    )
    click(view, "plane", x, y)
    distance = "np.linalg.norm(points[v.player.state.frame] - points[20, 1], axis=1).min()"
    view.until(f"v.player.state.frame > 0 and {distance} < 3")


def test_the_table_of_zones_shows_how_long_the_bodypart_is_known(view):
    view.ask("poses.likelihood.__setitem__((slice(30, None), 0), 0.01)")  # of the first one a quarter is known
    view.ask(
        "[f.read() or f.write(zones.quadrants((-0.5, -0.5, 159.5, 119.5)))"
        " for zones in [__import__('dlcnb.zones').zones]"
        " for f in [zones.ZoneFile(zones.zones_path(project, v.video), (120, 160))]] and None"
    )
    view.page.get_by_role("button", name="Zones").click()
    view.page.locator(".dlcnb-in-zones").get_by_text("(25 %)").wait_for()
    table = view.page.locator(".dlcnb-table", has_text="first entry at (s)")
    assert table.locator("tbody tr").count() == 4
    view.page.get_by_text("all in the table").click()
    table.locator("tbody tr", has_text="(25 %)").first.wait_for()


def test_what_the_button_of_the_zones_opens_is_scrolled_to(view):
    before = view.page.viewport_size
    view.page.set_viewport_size({"width": 1280, "height": 600})
    view.page.evaluate("document.querySelector('.dlcnb-trajectories').scrollIntoView()")
    assert view.page.locator(".dlcnb-in-zones").evaluate("one => one.getBoundingClientRect().top") > 600
    for _ in range(2):
        view.ask("v.show_zones()")
        view.page.wait_for_function(
            """() => {
                const { top, bottom } = document.querySelector('.dlcnb-in-zones').getBoundingClientRect();
                return document.querySelector('.dlcnb-in-zones .dlcnb-muted') &&
                    top >= 0 && (bottom <= innerHeight || top < 200);
            }"""
        )
        view.until("v.input.reveal == ''")
        view.page.evaluate("document.querySelector('.dlcnb-trajectories').scrollIntoView()")
    view.page.set_viewport_size(before)


def await_times(lab):
    """Wait until the page shows the times that it was told; returns them."""
    lab.until("v._painter.wait(0.5)")
    names = lab.ask("v.plots._time_ticks()[1]")
    lab.page.wait_for_function(
        "names => [...document.querySelectorAll('.dlcnb-plot-x-0 .axis')].some(axis => JSON.stringify("
        "[...axis.querySelectorAll('.tick')].map(tick => [tick.getBoundingClientRect().left, tick.textContent])"
        ".sort((a, b) => a[0] - b[0]).map(tick => tick[1])) === names)",
        arg=json.dumps(names, separators=(",", ":")),
    )
    return names


@pytest.mark.parametrize("rate", [30, 30.0003])
def test_the_times_are_right_after_frames_a_zoom_and_all(lab, rate):
    lab.open(f"times-{rate}", f"{CELL}\nv.state.times = v.state._all_times = np.arange(120) / {rate}\nv.redraw()", "v")
    lab.until("v.input.attached and v._painter.wait(0.5)")
    unit = lab.page.locator("select[title='What the axes over time count']")
    for _ in range(3):
        for wanted in ("frames", "seconds"):
            unit.select_option(wanted)
            lab.until(f"v.state.unit == '{wanted}'")
            names = await_times(lab)
            assert names[-1].endswith(" s") == (wanted == "seconds")
        left, top, width, height = area(lab, "x-0")
        lab.page.mouse.move(left + width / 2, top + height / 2)
        lab.page.keyboard.down("Control")
        lab.page.mouse.wheel(0, -500)
        lab.page.keyboard.up("Control")
        lab.until("v.state.zoomed")
        await_times(lab)
        lab.page.locator(".dlcnb-trajectories button[title^='The whole video']").click()
        lab.until("not v.state.zoomed")
        await_times(lab)
