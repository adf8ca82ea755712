"""Studio on a screen that is touched: what one presses is large enough for a finger."""

import pytest

CELL = """
import pathlib, tempfile
from dlcnb import Studio, sampledata
s = Studio(sampledata.synthetic_project(pathlib.Path(tempfile.mkdtemp()), n_label=12))
"""
SMALL = """() => [...document.querySelectorAll('.dlcnb-studio :is(button, select, [type=text], [type=number])')]
    .filter(one => one.offsetWidth)
    .map(one => [one.innerText || one.title || one.className, one.getBoundingClientRect()])
    .filter(([, { height }]) => height < 31.5)
    .map(([name, { height }]) => `${name.slice(0, 40)}: ${height}`)"""


@pytest.fixture
def touched(server, chromium, lab_page, request):
    context = chromium.new_context(viewport={"width": 853, "height": 533}, has_touch=True, is_mobile=True)
    lab = type(lab_page)(context.new_page(), server)
    lab.open(request.node.name, CELL, "s")
    lab.page.locator(".dlcnb-studio").wait_for()
    yield lab
    lab.close()
    context.close()


def test_what_is_pressed_in_studio_is_large_enough_for_a_finger(touched):
    assert touched.page.evaluate("() => matchMedia('(pointer: coarse)').matches")
    small = {}
    for tab in ("Frames", "Label", "Check", "Train", "Evaluate", "Zones", "Map", "Report", "Refine"):
        touched.ask(f"s.go_to({tab!r}) and None")
        touched.until(f"s.tab == {tab!r}")
        touched.page.locator(".dlcnb-studio button:visible").first.wait_for()
        small |= {f"{tab}: {line}": line for line in touched.page.evaluate(SMALL)}
    assert not list(small)
