"""What goes to the page and back: pictures are put together once, and a gesture tells that one has arrived."""

import pytest

CELL = """
import ipywidgets, numpy as np
from dlcnb.widgets.base.canvas import FrameCanvas, batch
from dlcnb.widgets.base.input_guard import Input
from dlcnb.widgets.base.paint import Rectangles

got = []
canvas = FrameCanvas((240, 320), layers=3)
input = Input([canvas], ["d"], got.append)
box = ipywidgets.VBox([canvas, input.guard]).add_class("dlcnb")

def paint(value):
    with batch(canvas):
        canvas.draw_frame(np.full((240, 320, 3), value, np.uint8))
        for layer in (1, 2):
            canvas.paint(layer, [Rectangles([(20 * layer, 20, 10, 10)], (255, 255, 255))])
"""
COUNTED = """() => {
  window.composed = 0;
  const draw = CanvasRenderingContext2D.prototype.drawImage;
  CanvasRenderingContext2D.prototype.drawImage = function (...what) {
    draw.apply(this, what);
    if (this.canvas.isConnected) window.composed += 1;
  };
}"""
GREY = """([x, value]) => Math.abs(
  document.querySelector('.dlcnb canvas').getContext('2d').getImageData(x, 25, 1, 1).data[0] - value) < 3"""


@pytest.fixture
def painted(lab):
    lab.open("way", CELL, "box")
    lab.page.locator(".dlcnb canvas").wait_for()
    lab.until("input.guard.attached > 0")
    lab.ask("paint(60)")
    lab.page.wait_for_function(GREY, arg=[5, 60])
    return lab


def test_layers_are_laid_over_each_other_once(painted):
    painted.page.evaluate(COUNTED)
    for value in (120, 180):
        painted.ask(f"paint({value})")
        painted.page.wait_for_function(GREY, arg=[5, value])
        assert painted.page.evaluate(GREY, [25, 255])
        assert painted.page.evaluate(GREY, [45, 255])
    assert painted.page.evaluate("composed") == 2


def test_a_gesture_tells_that_a_frame_has_arrived(painted):
    painted.ask("input.sent(wait=600)")
    painted.page.locator(".dlcnb canvas").click()
    for _ in range(50):  # the first may come before the frame
        painted.page.keyboard.press("d")
        if painted.ask("input.arrived"):
            return
    pytest.fail("no key took along that the frame has arrived")


def test_without_a_gesture_the_page_tells_it_by_itself(painted):
    painted.ask("input.sent(wait=0.05)")
    painted.until("input.arrived")
    assert not painted.ask("any(m['type'] == 'key' for m in got)")
