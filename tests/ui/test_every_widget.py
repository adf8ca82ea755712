"""Every widget by itself in JupyterLab: all of it fits, axe-core finds nothing serious, the console no error."""

import re

import pytest
from support.page import SIZES, barriers, faultless, settle, unseen

CELL = """
import pathlib, tempfile
from support.gallery import Stage, everything
stage = Stage(everything(pathlib.Path(tempfile.mkdtemp()), frames=90, size=(120, 160)))
"""
ROOT = ".jp-OutputArea .dlcnb"
OWN = (  # what is other than in Studio, whose test covers the rest
    "ClassBoard",
    "EvaluationView of nothing",
    "FrameMap",
    "LabelReview",
    "Labeler",
    "Player",
    "TrajectoryView",
    "TrajectoryView of two animals",
    "VariabilityView",
)


@pytest.fixture(scope="module")
def stage(notebook):
    notebook.open("every-widget", CELL, "stage.box")
    before = notebook.page.viewport_size
    yield notebook
    notebook.page.set_viewport_size(before)


@pytest.mark.parametrize("name", OWN)
def test_it_fits_and_can_be_used_by_all(stage, name):
    wrong = []
    with faultless(stage.page):
        stage.ask(f"stage.show({name!r})")
        stage.page.locator(ROOT).first.wait_for()
        stage.idle()
        for width, height in SIZES:
            stage.page.set_viewport_size({"width": width, "height": height})
            wrong += [f"{width} x {height}: {line}" for line in settle(stage.page, ROOT)]
        wrong += barriers(stage.page, ROOT)
    assert not wrong


OUTSIDE = """(root) => { // of each table: does its box lie in the widget, and is its last column there, or scrolled to
    const top = document.querySelector(root).getBoundingClientRect(), wrong = [];
    const tables = [...document.querySelectorAll(`${root} table`)].filter((one) => one.offsetWidth);
    if (!tables.length) return ['there is no table'];
    for (const one of tables) {
        const words = one.innerText.slice(0, 40).replaceAll('\\n', ' '), scroller = one.parentElement;
        const over = (box) => box.right > top.right + 1;
        if (over(scroller.getBoundingClientRect())) wrong.push(`the box of "${words}" is cut off`);
        scroller.scrollLeft = 1e6;
        if (over(one.rows[0].lastElementChild.getBoundingClientRect())) wrong.push(`the end of "${words}" is cut off`);
        const scrolls = scroller.scrollLeft > 0;
        if (scrolls && scroller.tabIndex !== 0) wrong.push(`"${words}" can't be scrolled by keys`);
        scroller.scrollLeft = 0;
    }
    return wrong;
}"""


@pytest.mark.parametrize("name", ["ClassBoard", "EvaluationView", "TrajectoryView", "VariabilityView"])
def test_every_column_of_its_tables_is_seen_or_scrolled_to(stage, name):
    stage.ask(f"stage.show({name!r})")
    stage.page.locator(ROOT).first.wait_for()
    if name == "TrajectoryView":
        stage.ask("stage.view.show_zones()")
    stage.page.locator(f"{ROOT} table").first.wait_for()
    wrong = []
    for width, height in (*SIZES, (560, 800)):
        stage.page.set_viewport_size({"width": width, "height": height})
        settle(stage.page, ROOT)
        wrong += [f"{width} x {height}: {line}" for line in stage.page.evaluate(OUTSIDE, ROOT)]
    wrong += barriers(stage.page, ROOT)
    assert not wrong


TOGETHER = {  # a step of Studio, in a window of this size: what is in sight at once
    ("Evaluate", 1280, 800): (".dlcnb-evaluated-frame canvas", ".dlcnb-evaluation .dlcnb-halves .bqplot.figure"),
    ("Trajectories", 1280, 800): (
        *(f".dlcnb-plot-{kind}-0" for kind in ("x", "y", "likelihood", "speed")),
        ".dlcnb-trajectories .dlcnb canvas:first-child",
        ".dlcnb-moves button",
    ),
    ("Train", 853, 533): (".dlcnb-training .bqplot.figure", ".dlcnb-training > .dlcnb-fields button"),
    ("Refine", 853, 533): (".dlcnb-outliers > .dlcnb-row:has(+ .dlcnb-gallery) button",),
}


@pytest.mark.parametrize(("tab", "width", "height"), TOGETHER, ids=str)
def test_what_is_used_together_is_seen_without_scrolling(stage, tab, width, height):
    stage.page.set_viewport_size({"width": width, "height": height})
    stage.ask("stage.show('Studio')")
    stage.ask(f"stage.view.go_to({tab!r}) and None")
    stage.page.locator(".dlcnb-studio").wait_for()
    stage.idle()
    parts = TOGETHER[tab, width, height]
    assert not [*settle(stage.page, ROOT), *unseen(stage.page, ROOT, parts)]


def test_what_takes_frames_stays_in_sight_while_one_scrolls_through_them(stage):
    page, queue, take = stage.page, ".dlcnb-outliers", ".dlcnb-outliers button[title^='Extract']"
    page.set_viewport_size({"width": 853, "height": 533})
    stage.ask("stage.show('Studio')")
    stage.ask("[stage.view.go_to('Refine').add(frame) for frame in range(12, 40)] and None")
    page.locator(take, has_text=re.compile(r"Extract \d")).wait_for()
    page.locator(f"{queue} .dlcnb-gallery").hover()
    page.mouse.wheel(0, 200)
    page.wait_for_function(
        "one => document.querySelector(one).getBoundingClientRect().top"
        " < document.querySelector('.dlcnb-studio .widget-tab-contents').getBoundingClientRect().top - 100",
        arg=queue,
    )
    assert not unseen(page, ROOT, (take,))


BACK = """root => { // to the last control, at the end of what is scrolled
    const one = [...document.querySelectorAll(`${root} :is(button, input, select, [tabindex="0"])`)]
        .filter((one) => one.offsetWidth && !one.disabled && one.tabIndex >= 0).at(-1);
    one.scrollIntoView({ block: 'end' });
    one.focus();
}"""
BEHIND = """([root, row]) => { // what has the focus, and how many px of it lie behind the row; null outside of the root
    const one = document.activeElement, lid = document.querySelector(row);
    if (!one.closest(root)) return null;
    const box = one.getBoundingClientRect(), over = lid.getBoundingClientRect();
    const apart = lid.contains(one) || box.right <= over.left || box.left >= over.right;
    const hidden = apart ? 0 : Math.min(box.bottom, over.bottom) - Math.max(box.top, over.top);
    return [one.innerText || one.title || one.tagName, hidden];
}"""


@pytest.mark.parametrize("size", [(1280, 800), (620, 900)], ids=str)
def test_nothing_that_has_the_focus_lies_behind_the_buttons_that_stay(stage, size):
    page, root, row = stage.page, ".dlcnb-trajectories", ".dlcnb-trajectories > .dlcnb-moves"
    page.set_viewport_size({"width": size[0], "height": size[1]})
    stage.ask("stage.show('Studio')")
    stage.ask("stage.view.go_to('Trajectories') and None")
    page.locator(row).wait_for()
    stage.idle()
    assert not settle(page, ROOT)
    page.evaluate(BACK, root)
    seen = []
    while (now := page.evaluate(BEHIND, [root, row])) is not None:
        seen.append(now)
        page.keyboard.press("Shift+Tab")
    assert len(seen) > 20
    assert not [name for name, hidden in seen if hidden > 1]
