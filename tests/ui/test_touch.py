"""Every widget on a screen that is touched: what one presses is large enough for a finger, and all of it fits."""

import pytest
from support.page import settle

import dlcnb.widgets
from dlcnb.widgets.studio.state import TABS

CELL = """
import pathlib, tempfile
from support.gallery import Stage, everything
stage = Stage(everything(pathlib.Path(tempfile.mkdtemp()), frames=90, size=(120, 160)))
"""
ROOT = ".jp-OutputArea .dlcnb"
DOOR = ("New project", "Open", "Sample data", "Recent")
SMALL = """(root) => { // what is less than 32 px high, or wide
    const PRESSED = 'button, select, input, textarea, .lm-TabBar-tab, .noUi-touch-area, '
        + '[role=tab], [role=option], [role=button]';
    const whole = (one) => (one.matches('[type=checkbox], [type=radio]') && one.closest('label')) || one;
    return [...document.querySelector(root).querySelectorAll(PRESSED)]
        .filter((one) => one.checkVisibility({ visibilityProperty: true, opacityProperty: true }))
        .map((one) => [one, whole(one).getBoundingClientRect()])
        .filter(([, { width, height }]) => width && height && Math.min(width, height) < 31.5)
        .map(([one, { width, height }]) => {
            const name = one.innerText || one.title || one.getAttribute('aria-label') || one.className;
            return `${one.tagName} "${name.slice(0, 40)}": ${width.toFixed(0)} x ${height.toFixed(0)}`;
        });
}"""


@pytest.fixture(scope="module")
def touched(server, chromium, lab_page):
    context = chromium.new_context(viewport={"width": 853, "height": 533}, has_touch=True, is_mobile=True)
    lab = type(lab_page)(context.new_page(), server)
    lab.open("touched", CELL, "stage.box")
    assert lab.page.evaluate("() => matchMedia('(pointer: coarse)').matches")
    yield lab
    lab.close()
    context.close()


def wrong(lab):
    """What is too small, and what does not fit."""
    lab.page.locator(ROOT).first.wait_for()
    lab.idle()
    return [*lab.page.evaluate(SMALL, ROOT), *settle(lab.page, ROOT)]


@pytest.mark.parametrize("name", sorted({*dlcnb.widgets.__all__, "EvaluationView of nothing"} - {"Studio"}))
def test_what_is_pressed_is_large_enough_for_a_finger_and_fits(touched, name):
    touched.ask(f"stage.show({name!r})")
    assert not wrong(touched)


def test_in_studio_and_at_its_front_door_too(touched):
    touched.ask("stage.show('Studio')")
    found = {}
    for tab in TABS:
        touched.ask(f"stage.view.go_to({tab!r}) and None")
        touched.until(f"stage.view.tab == {tab!r}")
        found |= {f"{tab}: {line}": line for line in wrong(touched)}
    touched.ask("stage.view.leave()")
    for way in DOOR:
        touched.ask(f"stage.view.door.show({way!r})")
        found |= {f"{way}: {line}": line for line in wrong(touched)}
    assert not list(found)
