"""The whole loop in JupyterLab, in one Studio: a spike, its frame, the queue, the labeler, the csv."""

import csv
import os
import re
from contextlib import suppress
from pathlib import Path

import pytest
from playwright.sync_api import TimeoutError
from support.cells import SPIKE
from support.page import SIZES, barriers, covered, faint, faultless, settle, unseen

from dlcnb.widgets.studio.state import TABS

CELL = SPIKE + "poses.write(project.videos[0])\ns = Studio(project)"
AREA = ".dlcnb-plot-likelihood-0 rect.plotarea_events"
BOX = """selector => { const b = document.querySelector(selector).getBoundingClientRect();
    return [b.left, b.top, b.width, b.height]; }"""

STEPS = ".dlcnb-studio > .widget-tab > .lm-TabBar .lm-TabBar-tab"
TITLES = """steps => [...document.querySelectorAll(steps)].map(one => {
    const label = one.querySelector('.lm-TabBar-tabLabel');
    const cut = label.scrollWidth > label.clientWidth + 1 || label.offsetHeight > one.clientHeight + 1;
    return [Math.round(one.getBoundingClientRect().width), cut, one.title];
})"""
CUT = """() => [...document.querySelectorAll('.dlcnb-overview *, .lm-TabBar-tab, .lm-TabBar-tab *')]
    .filter(one => one.closest('.dlcnb-studio') && one.innerText && one.clientWidth)
    .filter(one => one.scrollWidth > one.clientWidth + 1 || one.scrollHeight > one.clientHeight + 1)
    .map(one => `${one.innerText} (${one.clientWidth} of ${one.scrollWidth} px wide, `
        + `${one.clientHeight} of ${one.scrollHeight} high)`)"""
BUTTONS = """() => { // where each is, whatever it says then
    const all = [...document.querySelectorAll('.dlcnb-studio .dlcnb-row > button')].filter(one => one.offsetWidth);
    for (const one of all) one.dataset.number ??= window.dlcnbCount = (window.dlcnbCount ?? 0) + 1;
    return Object.fromEntries(all.map(one => {
        const { left, top, width, height } = one.getBoundingClientRect();
        return [one.dataset.number, [left, top, width, height].map(Math.round)]; }));
}"""
SEEN = """() => {
    const pane = document.querySelector('.dlcnb-studio > .widget-tab > .widget-tab-contents').getBoundingClientRect();
    const share = ({ top, bottom }) => Math.max(0, Math.min(bottom, pane.bottom, innerHeight) - Math.max(top, pane.top))
        / (bottom - top);
    const of = (selector) => [...document.querySelectorAll(selector)].filter(one => one.offsetWidth ?? 1)
        .map(one => share(one.getBoundingClientRect())).reduce((sum, one) => sum + one, 0);
    return [of('.dlcnb-plot-over-time'), share(document.querySelector('.dlcnb-trajectories .dlcnb canvas')
        .getBoundingClientRect())];
}"""  # plots over time, as a number; share of the video
IN_PANE = """selector => { // wholly in sight?
    const pane = document.querySelector('.dlcnb-studio > .widget-tab > .widget-tab-contents').getBoundingClientRect();
    const { top, bottom, width } = document.querySelector(selector).getBoundingClientRect();
    return width > 0 && top >= pane.top && bottom <= pane.bottom + 1; }"""
HALF = """selector => [...document.querySelectorAll(selector)].filter(one => { // of which something is covered
    const { left, right, top, bottom } = one.getBoundingClientRect(), x = (left + right) / 2;
    return ![top + 2, bottom - 2].every(y => one.contains(document.elementFromPoint(x, y)));
}).map(one => one.innerText)"""
NARROW = (620, 900)  # as beside the file browser in a small window
BOTTOM = """() => { const box = document.querySelector('.dlcnb-bottom').getBoundingClientRect();
    const all = document.querySelectorAll('.dlcnb-bottom > :not(.dlcnb-status), .dlcnb-bottom button');
    const parts = [...all].filter(one => one.offsetWidth);
    return [box.height, ...parts.map(one => one.getBoundingClientRect())
        .map(part => part.top >= box.top - 1 && part.bottom <= box.bottom + 1 && part.right <= box.right + 1)]; }"""
TWO = """
import os
from dlcnb import jobs
from dlcnb.jobs.job import claim
for kind in ("evaluate", "analyze"):
    folder = project.root / "dlcnb-jobs" / f"{kind}-1"
    folder.mkdir(parents=True)
    (folder / "job.json").write_text('{"kind": "%s", "project": "", "options": {}}' % kind)
    claim(folder, os.getpid(), 0)
    log = jobs.EventLog(folder)
    log.write("progress", done=1, total=4, seconds_left=3700)
    log.close()
s.refresh()
"""
ANALYZING = TWO.replace('("evaluate", "analyze")', '("analyze",)')
BAR = """() => [...document.querySelectorAll('.dlcnb-studio .dlcnb-head :is(button, select, .dlcnb-beside-analysis)')]
    .filter(one => one.offsetWidth).map(one => one.getBoundingClientRect())
    .map(({ left, top, width }) => [left, top, width].map(Math.round))"""
READABLE = """selector => { // contrast of a button's words
    const { color, backgroundColor } = getComputedStyle(document.querySelector(selector));
    const [ink, ground] = [color, backgroundColor].map(one => one.match(/[\\d.]+/g).map(Number));
    const light = ([r, g, b]) => [r, g, b].map(v => v / 255)
        .map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
        .reduce((sum, v, n) => sum + v * [0.2126, 0.7152, 0.0722][n], 0);
    const seen = ink.slice(0, 3).map((v, n) => v * (ink[3] ?? 1) + ground[n] * (1 - (ink[3] ?? 1)));
    const [low, high] = [light(seen), light(ground)].sort((a, b) => a - b);
    return (high + 0.05) / (low + 0.05); }"""
HEADER = """() => ['.dlcnb-overview', '.dlcnb-studio > .widget-tab'].flatMap(one => {
    const { top, height } = document.querySelector(one).getBoundingClientRect();
    return [top, height]; })"""
SCROLLED = """() => Math.max(...[...document.querySelectorAll('.dlcnb-studio .widget-tab-contents, '
    + '.dlcnb-studio .widget-tab-contents *')].filter(one => one.offsetWidth).map(one => one.scrollTop))"""
OFF = "() => [...document.querySelectorAll('.dlcnb-studio :disabled')].some(one => one.offsetWidth)"
PICTURE = """() => document.querySelector('.dlcnb-labeler canvas').getBoundingClientRect().width
    / document.querySelector('.dlcnb-studio').getBoundingClientRect().width"""


@pytest.fixture
def studio(lab, request):
    before = lab.page.viewport_size
    lab.open(request.node.name, CELL, "s")
    lab.page.locator(".dlcnb-studio").wait_for()
    yield lab
    lab.page.set_viewport_size(before)


def tab(lab, step, name):
    """Choose a step of the work, as "Label 4/4"; what is open then is called ``name``."""
    labels = lab.page.locator(".dlcnb-studio .lm-TabBar-tabLabel")
    labels.filter(has_text=re.compile(rf"^{step}\b")).click()
    lab.until(f"s.tab == {name!r} and {name!r} in s.widgets")


def box(lab, selector):
    lab.page.locator(selector).first.scroll_into_view_if_needed()
    return lab.page.evaluate(BOX, selector)


def click_label(studio):
    """Click on the labeler's picture, where the frame's point (40, 50) is."""
    studio.until("s.widgets['Label'].input.guard.attached and s.widgets['Label'].wait(0.5)")
    studio.page.locator(".dlcnb-labeler canvas").first.wait_for()
    x, y = studio.ask("s.widgets['Label'].view.fit.to_canvas(np.array([40.0, 50.0])).tolist()")
    canvas = studio.ask("s.widgets['Label'].view.canvas_size")
    left, top, width, height = box(studio, ".dlcnb-labeler canvas")
    studio.page.mouse.click(left + x / canvas[1] * width, top + y / canvas[0] * height)


def test_in_a_narrow_panel_every_step_can_be_pressed(studio):
    studio.page.set_viewport_size({"width": 460, "height": 900})
    tabs = studio.page.locator(".dlcnb-studio > .widget-tab > .lm-TabBar .lm-TabBar-tab")
    widths = tabs.evaluate_all("all => all.map(one => one.getBoundingClientRect().width)")
    assert len(widths) == 6
    assert min(widths) > 36
    tabs.nth(4).click()
    studio.page.locator(".dlcnb-head .widget-toggle-button", has_text="Report").click()
    studio.until("s.tab == 'Report'")
    tabs.first.click()
    studio.until("s.tab == 'Frames'")


def test_the_whole_loop_from_a_spike_to_the_csv(studio):
    tab(studio, "Look", "Trajectories")
    studio.page.locator(".dlcnb-plot-likelihood-0 path.line").nth(1).wait_for(state="attached")
    studio.until("s.widgets['Trajectories'].input.attached and s.widgets['Trajectories'].wait(0.5)")
    left, top, width, height = box(studio, AREA)
    studio.page.mouse.click(left + 71 / 119 * width, top + (1 - 0.08 / 1.06) * height)
    studio.until("s.widgets['Trajectories'].player.state.frame == 71")
    studio.page.get_by_role("button", name="Add to Refine").click()
    studio.until("'Refine' in s.widgets and s.widgets['Refine'].state.frames == (71,)")

    tab(studio, "Refine", "Refine")
    studio.page.get_by_role("button", name="Extract 1").click()
    studio.until("71 in s.widgets['Refine'].state.images and s.widgets['Refine'].wait(0.5)")
    left, top, width, height = box(studio, ".dlcnb-outliers canvas")
    studio.page.mouse.click(left + 60 / 800 * width, top + 60)

    studio.until("s.tab == 'Label' and s.widgets['Label'].session.cursor.image.endswith('img071.png')")
    click_label(studio)
    studio.until(
        "s.widgets['Label'].session.saved == 'saved' and s.widgets['Label'].session.history.back() is not None"
    )
    path = studio.ask("str(next(project.labeled_dir('arena').glob('CollectedData_*.csv')))")
    with open(path) as file:
        (line,) = [row for row in csv.reader(file) if any(cell.endswith("img071.png") for cell in row)]
    place = [float(cell) for cell in line if cell.replace(".", "").isdigit()][:2]
    assert place == pytest.approx([40, 50], abs=1.5)


def test_from_a_spike_to_a_corrected_label_in_three_clicks(studio):
    tab(studio, "Look", "Trajectories")
    studio.page.locator(".dlcnb-plot-likelihood-0 path.line").nth(1).wait_for(state="attached")
    studio.until("s.widgets['Trajectories'].input.attached and s.widgets['Trajectories'].wait(0.5)")
    left, top, width, height = box(studio, AREA)
    studio.page.mouse.click(left + 71 / 119 * width, top + (1 - 0.08 / 1.06) * height)  # 1
    studio.until("s.widgets['Trajectories'].player.state.frame == 71")
    studio.page.keyboard.press("q")
    studio.page.get_by_role("button", name="Extract frame 71").click()  # 2
    studio.until("s.tab == 'Label' and s.widgets['Label'].session.cursor.image.endswith('img071.png')")
    click_label(studio)  # 3
    studio.until("s.widgets['Label'].session.history.back() is not None")


def test_each_step_scrolls_by_itself_and_its_choice_of_panes_stays_in_sight(studio):
    page = studio.page
    page.set_viewport_size({"width": 853, "height": 533})
    tab(studio, "Look", "Trajectories")
    choice = page.locator(".dlcnb-step .widget-toggle-buttons:visible").first
    choice.wait_for()
    page.locator(".dlcnb-plot-likelihood-0 path.line").nth(1).wait_for(state="attached")
    page.locator(".dlcnb-trajectories").hover()
    before = choice.bounding_box()
    page.mouse.wheel(0, 3000)
    page.wait_for_function(f"() => ({SCROLLED})() > 100")
    assert choice.bounding_box() == before
    tab(studio, "Train", "Train")
    page.wait_for_function(f"() => ({SCROLLED})() === 0")
    page.locator('.dlcnb button:has-text("Start"):visible').hover()
    page.mouse.wheel(0, 200)
    page.wait_for_function(f"() => ({SCROLLED})() > 0")
    tab(studio, "Videos", "Frames")
    page.wait_for_function(f"() => ({SCROLLED})() === 0")


QUADRANTS = """
from dlcnb import zones
drawn = zones.quadrants((-0.5, -0.5, 159.5, 119.5))
zones.ZoneFile(zones.zones_path(project, project.videos[0]), (120, 160)).write(drawn)
"""


def test_what_a_button_opens_begins_at_its_top_and_what_one_opens_oneself_where_it_was_left(studio):
    page = studio.page
    page.set_viewport_size({"width": 1280, "height": 600})
    tab(studio, "Look", "Trajectories")
    page.locator(".dlcnb-plot-likelihood-0 path.line").nth(1).wait_for(state="attached")
    page.locator(".dlcnb-trajectories").hover()
    page.mouse.wheel(0, 3000)
    page.wait_for_function(f"() => ({SCROLLED})() > 100")
    tab(studio, "Label", "Label")
    tab(studio, "Look", "Trajectories")
    page.wait_for_function(f"() => ({SCROLLED})() > 100")
    tab(studio, "Label", "Label")
    studio.ask("s.go_to('Trajectories') and None")  # as the button on top does
    page.locator(".dlcnb-trajectories").wait_for()
    page.wait_for_function(f"() => ({SCROLLED})() === 0")


HEAD_OF_ZONES = """() => document.querySelector('.dlcnb-in-zones button').getBoundingClientRect().top
    - document.querySelector('.dlcnb-moves').getBoundingClientRect().bottom"""  # px below what stays in sight


def test_the_plots_are_seen_from_their_top_again_after_the_times_in_zones(studio):
    page = studio.page
    page.set_viewport_size({"width": 1280, "height": 800})
    studio.ask(f"exec({QUADRANTS!r})")
    tab(studio, "Look", "Trajectories")
    page.get_by_text("Zones, centimetres").click()
    for other in ("Postures", "Report"):
        page.get_by_role("button", name="Time in zones").click()
        page.locator(".dlcnb-in-zones").get_by_text("first entry at (s)").wait_for()
        page.wait_for_function(f"() => ({SCROLLED})() > 100 && ({HEAD_OF_ZONES})() >= 0")
        page.locator(".dlcnb-step").get_by_text(other, exact=True).click()
        page.locator(".dlcnb-trajectories").wait_for(state="hidden")
        page.locator(".dlcnb-step").get_by_text("Trajectories", exact=True).click()
        page.locator(".dlcnb-trajectories").wait_for()
        assert not settle(page, ".dlcnb-studio")
        assert page.evaluate(f"() => ({SCROLLED})() === 0")
        page.get_by_text("Zones, centimetres").click()


@pytest.mark.mxnet
@pytest.mark.skipif("DLCNB_LAB_PYTHON" not in os.environ, reason="test_training_monitor.py trains in this JupyterLab")
def test_twenty_steps_of_training_are_seen_to_their_end(studio):
    tab(studio, "Train", "Train")
    for name, value in {"minutes": 0, "steps": 20, "batch_size": 2}.items():
        studio.ask(f"setattr(s.widgets['Train'].settings, {name!r}, {value})")
    studio.page.locator('.dlcnb button:has-text("Start"):visible').click()
    studio.until("s.widgets['Train'].state.status in ('done', 'failed')", patience=240_000)
    assert studio.ask("[s.widgets['Train'].state.status, s.widgets['Train'].state.step]") == ["done", 20]
    studio.page.wait_for_function(
        "() => (document.querySelector('.dlcnb .bqplot path.line')?.getAttribute('d') || '').split('L').length > 10"
    )


def test_every_step_fits_its_pane_and_can_be_used_by_all(studio):
    wrong = []

    def look(where):
        for width, height in SIZES:
            studio.page.set_viewport_size({"width": width, "height": height})
            lines = settle(studio.page, ".dlcnb-studio")
            lines += unseen(studio.page, ".dlcnb-studio") if where == "Label" else []
            if where == "Label" and (share := studio.page.evaluate(PICTURE)) < 0.35:
                lines.append(f"the picture takes {share:.0%} of the width")
            wrong.extend(f"{where} at {width} x {height}: {line}" for line in lines)
        wrong.extend(f"{where}: {line}" for line in barriers(studio.page, ".dlcnb-studio"))

    with faultless(studio.page):
        for name in TABS:
            studio.ask(f"s.go_to({name!r}) and None")
            studio.until(f"s.tab == {name!r} and s.steps.panes[{name!r}].children")
            look(name)
        studio.ask("s.leave()")
        for way in ("New project", "Open", "Sample data", "Recent"):
            studio.ask(f"s.door.show({way!r})")
            look(way)
    assert not wrong


def test_the_steps_keep_their_places_and_say_what_their_state_means(studio):
    for width, height in (*SIZES, NARROW):
        studio.page.set_viewport_size({"width": width, "height": height})
        studio.ask("s.steps.show_titles({step: step for step in s.overview.titles})")
        studio.page.wait_for_function(
            "steps => document.querySelector(steps).title.includes('choose frames')", arg=STEPS
        )
        before = studio.page.evaluate(TITLES, STEPS)
        titles = {"Videos and frames": "✓", "Label": "100/120", "Train": "!", "Evaluate": "✓", "Look": "10/10",
                  "Refine": "10/20"}  # fmt: skip
        studio.ask(f"s.steps.show_titles({{step: f'{{step}} {{state}}' for step, state in {titles!r}.items()}})")
        studio.page.locator(STEPS, has_text="Train !").wait_for()
        after = studio.page.evaluate(TITLES, STEPS)
        assert [one[0] for one in after] == [one[0] for one in before]
        assert not any(cut for _, cut, _ in after), f"cut off at {width}"
        assert [one[2] for one in after] == [one[2] for one in before]


def test_the_line_on_top_is_as_high_whatever_it_says(studio):
    bad = "replace(s.overview, videos=3, labeled=40, extracted=120, trained=1, evaluated=True, level='poor', verdict="
    bad += "'poor: 38 % of the points on 3 test frames are within 5 % of the animal; label more', analyzed=2"
    words = {  # what stands there -> of which overview
        "Train 10 minutes": "s.overview",
        "Add a video": "replace(s.overview, videos=0)",
        "Training": "replace(s.overview, training=True)",
        "poor: 38 %": f"{bad})",
        "or see its poses": f"replace({bad}), analyzed=0)",
        "has begun": "replace(s.overview, videos=3, labeled=40, extracted=120, outliers=12, refined=12, iteration=12)",
    }
    studio.ask("exec('from dataclasses import replace', globals())")
    for width, height in (*SIZES, NARROW):
        studio.page.set_viewport_size({"width": width, "height": height})
        tops = set()
        for said, one in words.items():
            studio.ask(f"s.lines.show(s.project, {one}, 'Label')")
            studio.page.locator(".dlcnb-overview", has_text=said).wait_for()
            assert not settle(studio.page, ".dlcnb-studio > .dlcnb-overview")
            tops.add(tuple(round(value) for value in studio.page.evaluate(HEADER)))
        assert len(tops) == 1, f"at {width} x {height}: {tops}"


REST = """
from dataclasses import replace
pressed, other = [], s.lines.other_button
other._click_handlers.callbacks.clear()
other.on_click(lambda one: pressed.append(one.description))
halted = replace(s.overview, extracted=20, labeled=20, trained=1, steps=50, halted="stopped")
bad = replace(halted, halted="", evaluated=True, level="poor", verdict="poor: 38 %; label more")
s.lines.show(s.project, halted, "Train")
"""


def offered(studio):
    """The button that offers to evaluate, and where it is."""
    studio.ask(f"exec({REST!r}, globals())")
    evaluate = studio.page.locator(".dlcnb-overview button", has_text="Or evaluate the network")
    evaluate.wait_for()
    return evaluate, evaluate.bounding_box()


def test_a_second_click_does_not_start_what_took_the_place_of_the_first(studio):
    page = studio.page
    _, place = offered(studio)
    page.mouse.move(place["x"] + place["width"] - 12, place["y"] + 12)
    page.mouse.down()
    page.mouse.up()
    studio.until("pressed == ['Or evaluate the network']")
    studio.ask("s.lines.show(s.project, bad, 'Train')")
    after = page.locator(".dlcnb-overview button", has_text="different ones")
    after.wait_for()
    for _ in range(2):  # the first is meant for what was there; the second has been read
        assert studio.ask("len(pressed)") == 1
        page.mouse.down()
        page.mouse.up()
    studio.until("pressed[1:] == ['Or choose more frames to label, different ones']")


def test_no_words_of_the_line_on_top_or_of_the_steps_are_cut(studio):
    often = "replace(s.overview, videos=12, labeled=100, extracted=120, trained=1, evaluated=True, analyzed=10, "
    worth = "verdict='poor: 38 % of the points on 13 test frames are within 5 % of the animal; label more'"
    guess = (
        "verdict='poor, a guess from 1 test frame: 50% of the points are within 5 % of the animal\\'s size (1.4 px)'"
    )
    states = (
        "s.overview",
        f"{often} level='usable', {worth}, outliers=12, refined=5)",
        f"{often} level='poor', {worth}, outliers=12, refined=12)",
        f"{often} level='poor', {worth})",
        f"{often} level='poor', {guess})",
        f"replace({often} level='poor', {guess}), analyzed=0)",
        f"replace({often} level='usable', {worth}), analyzed=12, older=12, renew=True)",
        f"{often} level='usable', {worth}, iteration=12, analyzing=True)",
        f"{often} level='good', {guess}, iteration=1)",
        "replace(s.overview, videos=0, missing=('a_long_name_of_a_video_2026-11-29_cage_12.mp4',))",
        "replace(s.overview, videos=3, labeled=40, extracted=120, outliers=12, refined=12, iteration=12)",
        "replace(s.overview, videos=3, labeled=120, extracted=120, iteration=12)",
        f"{often} level='usable', {worth}, picked=3)",
    )
    studio.ask("exec('from dataclasses import replace', globals())")
    wrong = []
    for width, height in SIZES:
        studio.page.set_viewport_size({"width": width, "height": height})
        for one in states:
            studio.ask(f"[s.lines.show(s.project, {one}, 'Label'), s.steps.show_titles(({one}).titles)]")
            for words in studio.ask(f"list(({one}).titles.values())"):
                studio.page.locator(
                    STEPS, has_text=re.compile("^" + re.escape(words).replace(r"\ ", r"\s") + "$")
                ).wait_for()
            with suppress(TimeoutError):
                studio.page.wait_for_function(f"() => !({CUT})().length", timeout=2_000)
            wrong += [f"{width} x {height}: {line}" for line in studio.page.evaluate(CUT)]
    assert not wrong


def test_a_long_message_is_seen_as_a_whole_where_one_presses_it(studio):
    page, line = studio.page, studio.page.locator(".dlcnb-bottom > .dlcnb-status")
    page.set_viewport_size({"width": 800, "height": 900})
    tab(studio, "Label", "Label")
    studio.ask("s.tell('frames of which some bodyparts are open are left out of every training; ' * 6)")
    line.get_by_text("left out").wait_for()
    cut = "one => one.scrollHeight - one.clientHeight"
    assert line.evaluate(cut) > 20
    line.scroll_into_view_if_needed()
    before = page.locator(".dlcnb-labeler").bounding_box()
    line.click()
    page.wait_for_function(f"() => ({cut})(document.querySelector('.dlcnb-bottom > .dlcnb-status')) <= 0")
    assert page.locator(".dlcnb-labeler").bounding_box() == before
    assert line.bounding_box()["y"] < before["y"] + before["height"]  # over it


@pytest.mark.parametrize(("size", "least"), zip(SIZES, (3.9, 3.8, 0.95), strict=True), ids=str)
def test_plots_of_the_step_look_are_on_the_first_screen(studio, size, least):
    studio.page.set_viewport_size({"width": size[0], "height": size[1]})
    tab(studio, "Look", "Trajectories")
    studio.page.locator(".dlcnb-plot-x-0 .tick").first.wait_for(state="attached")
    assert not settle(studio.page, ".dlcnb-studio")
    studio.page.locator(".dlcnb-studio").evaluate("one => one.closest('.jp-Cell').scrollIntoView({ block: 'start' })")
    plots, video = studio.page.evaluate(SEEN)
    assert plots >= least, f"of the plots over time {plots:.2f} are seen"
    assert video >= 0.25, f"of the video {video:.0%} is seen beside them"


def test_a_frame_all_that_is_plotted_of_it_and_what_takes_it_to_refine_are_seen_at_once(studio):
    page = studio.page
    plots = [f".dlcnb-plot-{kind}-0" for kind in ("x", "y", "likelihood", "speed")]
    send = ".dlcnb-moves > button[title^='Put the present']"
    page.set_viewport_size({"width": 1280, "height": 800})
    tab(studio, "Look", "Trajectories")
    page.locator(f"{plots[-1]} .tick").first.wait_for(state="attached")
    assert not settle(page, ".dlcnb-studio")
    page.locator(".dlcnb-studio").evaluate("one => one.closest('.jp-Cell').scrollIntoView({ block: 'start' })")
    play = ".dlcnb-trajectories .dlcnb button[title^='Play']"
    parts = [*plots, ".dlcnb-trajectories .dlcnb canvas", play, send]
    assert {one: page.evaluate(IN_PANE, one) for one in parts} == dict.fromkeys(parts, True)
    page.locator(".dlcnb-trajectories").hover()
    page.mouse.wheel(0, 150)  # to what moves through the video
    page.wait_for_function(f"() => ({SCROLLED})() > 100")
    parts = [*plots, send]
    assert {one: page.evaluate(IN_PANE, one) for one in parts} == dict.fromkeys(parts, True)
    assert not settle(page, ".dlcnb-studio")


def test_the_picture_of_zones_and_their_names_are_on_the_first_screen_and_the_picture_stays(studio):
    page = studio.page
    parts = [f".dlcnb-zones {one}" for one in ("canvas", "select[multiple]", ".dlcnb-typed-over input")]
    page.set_viewport_size({"width": 853, "height": 533})
    studio.ask("s.go_to('Zones') and None")
    page.locator(parts[0]).wait_for()
    assert not settle(page, ".dlcnb-studio")
    page.locator(".dlcnb-studio").evaluate("one => one.closest('.jp-Cell').scrollIntoView({ block: 'start' })")
    assert [page.evaluate(IN_PANE, one) for one in parts] == [True, True, True]
    page.get_by_text("More: around a zone").click()
    page.get_by_role("button", name="Larger").scroll_into_view_if_needed()
    assert page.evaluate(f"() => ({SCROLLED})() > 50")
    assert page.evaluate(IN_PANE, parts[0])
    assert not settle(page, ".dlcnb-studio")


def test_a_click_on_what_was_scrolled_below_the_mouse_counts(studio):
    page = studio.page
    evaluate, place = offered(studio)
    evaluate.evaluate("one => { one.style.transform = 'translateY(300px)'; }")
    page.mouse.move(place["x"] + place["width"] - 12, place["y"] + 12)
    evaluate.evaluate("one => { one.style.transform = ''; one.dispatchEvent(new Event('scroll')); }")
    page.mouse.down()
    page.mouse.up()
    studio.until("pressed == ['Or evaluate the network']")


def test_the_tools_of_zones_are_whole_however_far_one_scrolls(studio):
    page = studio.page
    page.set_viewport_size({"width": 800, "height": 900})
    studio.ask("s.go_to('Zones') and None")
    page.locator(".dlcnb-zones canvas").wait_for()
    page.locator(".dlcnb-studio").evaluate("one => one.closest('.jp-Cell').scrollIntoView({ block: 'start' })")
    assert not settle(page, ".dlcnb-studio")
    for by in (20, 40, 60, 1000):
        page.locator(".dlcnb-zones .dlcnb-legend").first.hover()
        page.mouse.wheel(0, by)
        page.wait_for_function(f"by => ({SCROLLED})() >= Math.min(by, 50)", arg=by)
        assert not page.evaluate(HALF, ".dlcnb-zones > .dlcnb-row:nth-child(2) button"), by


@pytest.mark.parametrize("words", ["Analyze this video", "Analyze anyway?"])
def test_what_stands_in_place_of_times_in_zones_has_room(studio, words):
    studio.ask("s.go_to('Zones') and None")
    studio.page.locator(".dlcnb-zones canvas").wait_for()
    for width, height in SIZES:
        studio.page.set_viewport_size({"width": width, "height": height})
        studio.ask(f"s.widgets['Zones'].controls.show_times('An analysis is needed first.', {words!r})")
        studio.page.locator(".dlcnb-zones").get_by_role("button", name=words).wait_for()
        assert not settle(studio.page, ".dlcnb-studio")
    studio.ask("s.widgets['Zones'].controls.show_times('', '')")


def test_in_a_low_page_what_moves_and_saves_folds_with_the_settings(studio):
    page = studio.page
    page.set_viewport_size({"width": 853, "height": 533})
    tab(studio, "Look", "Trajectories")
    page.locator(".dlcnb-plot-speed-0 .tick").first.wait_for(state="attached")
    csv = page.locator(".dlcnb-moves").get_by_role("button", name="csv")
    assert not csv.is_visible()
    assert page.evaluate(IN_PANE, ".dlcnb-to-refine")
    assert not covered(page, ".dlcnb-moves", ".dlcnb-folding > .dlcnb-more-button")
    page.locator(".dlcnb-more-button:visible").click()
    csv.wait_for()
    assert not settle(page, ".dlcnb-studio")


@pytest.mark.parametrize("size", [(853, 533), (800, 700)], ids=str)
def test_keys_in_the_gallery_of_refine_scroll_to_the_frame_that_they_go_to(studio, size):
    page = studio.page
    page.set_viewport_size({"width": size[0], "height": size[1]})
    tab(studio, "Refine", "Refine")
    studio.ask("[s.widgets['Refine'].add(frame) for frame in range(3, 120, 5)] and None")
    canvas = page.locator(".dlcnb-outliers .dlcnb-gallery canvas").first
    studio.until("s.widgets['Refine'].wait(0.5) and s.widgets['Refine'].gallery.state.rows > 1")
    canvas.click(position={"x": 60, "y": 60})
    page.keyboard.press("Home")
    for key, position in (("ArrowDown", "columns"), ("Home", "rows * 0")):
        page.keyboard.press(key)
        state = "s.widgets['Refine'].gallery.state"
        studio.until(f"{state}.focus == {state}.{position}")
        top, bottom = studio.ask(f"{state}.extent({state}.focus)")
        page.wait_for_function(
            """([top, bottom]) => {
                const pane = document.querySelector('.dlcnb-studio > .widget-tab > .widget-tab-contents');
                const row = document.querySelector('.dlcnb-outliers > .dlcnb-row:has(+ .dlcnb-gallery)');
                const box = document.querySelector('.dlcnb-outliers .dlcnb-gallery canvas').getBoundingClientRect();
                const [low, high] = [row.getBoundingClientRect().bottom, pane.getBoundingClientRect().bottom];
                const [from, to] = [top, bottom].map((share) => box.top + share * box.height);
                return to - from > high - low ? from < high && to > low : from >= low - 2 && to <= high + 2; }""",
            arg=[top, bottom],
        )


@pytest.mark.parametrize(
    ("step", "name", "grow", "words"),
    [
        ("Look", "Trajectories", "v.go_to(119)", "now 119"),
        ("Videos and frames", "Frames", "[v.state.set_range(3, 110), v.state.pick_range(10)]", "Extract 11 frames"),
    ],
    ids=["a frame", "picked frames"],
)
def test_no_button_moves_when_a_number_beside_it_grows(studio, step, name, grow, words):
    tab(studio, step, name)
    for size in SIZES:
        studio.page.set_viewport_size({"width": size[0], "height": size[1]})
        settle(studio.page, ".dlcnb-studio")
        studio.ask(f"s.widgets[{name!r}].wait(5)")
        before = studio.page.evaluate(BUTTONS)
        assert len(before) > 10
        studio.ask(f"[{grow} for v in [s.widgets[{name!r}]]] and None")
        studio.page.locator(".dlcnb-studio").get_by_text(words).filter(visible=True).first.wait_for()
        studio.ask(f"s.widgets[{name!r}].wait(5)")
        assert {one: box for one, box in studio.page.evaluate(BUTTONS).items() if one in before} == before, size
        studio.ask(f"[v.go_to(0) if {name!r} == 'Trajectories' else v.state.clear() for v in [s.widgets[{name!r}]]]")


def test_the_list_of_poses_is_one_line(studio):
    for name in ("Trajectories", "Map", "Refine"):
        studio.ask(f"s.go_to({name!r}) and None")
        poses = studio.page.locator(".dlcnb-poses").filter(visible=True)
        poses.wait_for()
        assert poses.bounding_box()["height"] < 45, name


def test_terms_of_deeplabcut_have_a_plain_word_in_sight(studio):
    terms = {
        "Frames": "seed (chance)",
        "Train": "run (shuffle)",
        "Trajectories": "sure from (pcutoff)",
        "Refine": "round of corrections (iteration 0)",
    }
    for name, words in terms.items():
        studio.ask(f"s.go_to({name!r}) and None")
        studio.page.locator(".dlcnb-studio").get_by_text(words).filter(visible=True).first.wait_for()
    chosen = studio.page.locator(".dlcnb-outliers option:checked", has_text="jump: a sudden move")
    chosen.wait_for(state="attached")


def test_two_jobs_at_once_fit_the_line_at_the_bottom(studio):
    before = studio.page.evaluate(BOTTOM)[0]
    studio.ask(f"exec({TWO!r}, globals())")
    for words in ("Evaluating: 25%", "Analyzing: 25%"):
        studio.page.locator(".dlcnb-bottom", has_text=words).wait_for()
    for width, height in (*SIZES, NARROW):
        studio.page.set_viewport_size({"width": width, "height": height})
        assert not settle(studio.page, ".dlcnb-studio")
        height, *inside = studio.page.evaluate(BOTTOM)
        assert height == before <= 36
        assert all(inside)
        assert studio.page.locator(".dlcnb-bottom button:visible").count() == 2
    studio.page.locator(".dlcnb-bottom button:visible").first.click()
    studio.page.locator(".dlcnb-bottom", has_text="stopping").wait_for()
    studio.ask("s.close()")


def test_nothing_beside_an_analysis_moves_when_it_starts(studio):
    def bars():
        for width, height in SIZES:
            studio.page.set_viewport_size({"width": width, "height": height})
            settle(studio.page, ".dlcnb-studio")
            yield studio.page.evaluate(BAR)

    studio.ask("s.go_to('Trajectories') and None")
    studio.page.locator(".dlcnb-analysis button:visible", has_text="Analyze").wait_for()
    before = list(bars())
    assert len(before[0]) == 7  # four parts of the step, a list, Analyze, and what is told beside it
    studio.ask(f"exec({ANALYZING!r}, globals())")
    studio.page.locator(".dlcnb-analysis button:visible", has_text="Stop").wait_for()
    assert list(bars()) == before
    studio.ask("s.close()")


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_what_is_to_be_pressed_next_can_be_read(studio, dark):
    studio.theme(dark)
    try:
        for style in ("primary", "warning"):
            studio.ask(f"s.next_button.set_trait('button_style', {style!r})")
            studio.page.locator(f".dlcnb-overview .mod-{style}").first.wait_for()
            settle(studio.page, ".dlcnb-overview")
            assert studio.page.evaluate(READABLE, f".dlcnb-overview .mod-{style}") >= 4.5, style
    finally:
        studio.theme(False)


def test_a_message_that_is_longer_than_its_place_is_scrolled_to_by_keys(studio):
    page, message = studio.page, studio.page.locator(".dlcnb-bottom .dlcnb-hint")
    try:
        page.set_viewport_size({"width": NARROW[0], "height": NARROW[1]})
        studio.ask(f"s.tell({'what is to be said is long, ' * 30!r})")
        message.wait_for()
        assert not barriers(page, ".dlcnb-bottom")
        message.focus()
        page.keyboard.press("End")
        page.wait_for_function("() => document.querySelector('.dlcnb-bottom > .dlcnb-status').scrollTop > 50")
        assert message.get_attribute("title").startswith("what is to be said")
    finally:
        page.set_viewport_size({"width": 1280, "height": 1300})
        studio.ask("s.tell('')")


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_what_can_not_be_pressed_now_can_be_read(studio, dark):
    studio.theme(dark)
    try:
        for name in ("Frames", "Train", "Trajectories", "Refine"):
            studio.ask(f"s.go_to({name!r}) and None")
            studio.until(f"s.tab == {name!r} and s.steps.panes[{name!r}].children")
            studio.page.wait_for_function(OFF)
            assert not faint(studio.page, ".dlcnb-studio")
    finally:
        studio.theme(False)


def test_plots_in_steps_that_were_never_seen_leave_no_error(lab):
    with faultless(lab.page):
        lab.open("unseen", CELL + "\ns.go_to('Trajectories'), s.go_to('Frames')", "s")
        lab.page.locator(".dlcnb-plot-speed-0 .tick").first.wait_for(state="attached")
    assert not lab.page.locator(AREA).is_visible()
    tab(lab, "Look", "Trajectories")
    lab.page.wait_for_function(f"() => document.querySelector('{AREA}').getBoundingClientRect().width > 100")


def test_a_file_just_written_is_downloaded_by_its_link(lab):
    lab.open("written", CELL.replace("mkdtemp()", "mkdtemp(dir=pathlib.Path.cwd())"), "s")  # below the server's root
    lab.page.locator(".dlcnb-studio").wait_for()
    tab(lab, "Look", "Trajectories")
    for name, suffix, follow in (("csv", ".csv", "Enter"), ("Figure", ".png", "click")):
        lab.page.locator(".dlcnb-moves").get_by_role("button", name=name).click()
        link = lab.page.locator(".dlcnb-bottom").get_by_role("link", name=suffix)
        link.wait_for()
        words = lab.page.locator(".dlcnb-bottom .dlcnb-hint > *")
        assert words.count() == 1  # it wraps as one text
        assert "underline" in link.evaluate("one => getComputedStyle(one).textDecorationLine")
        with lab.page.expect_download() as downloads:
            link.press(follow) if follow == "Enter" else link.click()
        saved = Path(lab.ask(f"str(s.widgets['Trajectories'].export_path({suffix!r}))"))
        assert downloads.value.suggested_filename == saved.name
        assert Path(downloads.value.path()).read_bytes() == saved.read_bytes()
    assert not barriers(lab.page, ".dlcnb-bottom")


def test_keys_reach_the_labeler_inside_the_panel(studio):
    tab(studio, "Label", "Label")
    studio.until("s.widgets['Label'].input.guard.attached and s.widgets['Label'].wait(0.5)")
    before = studio.ask("s.widgets['Label'].session.cursor.image")
    left, top, _, _ = box(studio, ".dlcnb-labeler .dlcnb-framebar")
    studio.page.mouse.click(left + 3, top + 5)
    studio.page.keyboard.press("ArrowRight")
    studio.until(f"s.widgets['Label'].session.cursor.image != {before!r}")


def test_the_lines_on_top_and_at_the_bottom_are_always_seen(studio):
    for step, name in (("Train", "Train"), ("Look", "Trajectories"), ("Label", "Label")):
        tab(studio, step, name)
        inside = studio.page.evaluate(
            """() => { const box = one => document.querySelector(one).getBoundingClientRect();
            const [whole, top, bottom] = ['.dlcnb-studio', '.dlcnb-overview', '.dlcnb-bottom'].map(box);
            return top.top >= whole.top && bottom.bottom <= whole.bottom + 1 && bottom.top > top.bottom; }"""
        )
        assert inside


def test_a_long_message_of_the_labeler_covers_no_button(studio):
    studio.ask("s.go_to('Label') and None")
    studio.until("s.tab == 'Label' and 'Label' in s.widgets")
    words = "not visible in the frame before: snout, leftear, rightear (Undo takes it back). " * 3
    for width, height in (*SIZES, NARROW):
        studio.page.set_viewport_size({"width": width, "height": height})
        settle(studio.page, ".dlcnb-studio")
        studio.ask(f"s.widgets['Label'].tell({words!r})")
        studio.page.locator(".dlcnb-bottom .dlcnb-hint").wait_for()
        assert not covered(studio.page, ".dlcnb-labeler", ".dlcnb-bottom > .dlcnb-status .dlcnb-hint"), width


def test_a_kernel_that_was_restarted_leaves_a_grey_view(studio):
    studio.page.evaluate(
        "async () => { await window.jupyterapp.shell.currentWidget.context.sessionContext.session.kernel.restart() }"
    )
    studio.page.wait_for_function(
        """() => { const studio = document.querySelector('.dlcnb-studio');
        return studio && getComputedStyle(studio, '::before').content.includes('Run the cell again')
            && getComputedStyle(studio.querySelector('.dlcnb-overview')).pointerEvents === 'none'; }"""
    )
