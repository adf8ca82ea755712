"""The two painters agree: what a page shows of a list of things is what Pillow draws of it."""

import base64
import io

import numpy as np
from PIL import Image

SCENE = """
import base64, io
import numpy as np
from PIL import Image
from dlcnb.widgets.base.canvas import FrameCanvas, batch
from dlcnb.widgets.base.paint import Circles, Lines, Picture, Rectangles, Text, on_picture, outlined

rng = np.random.default_rng(0)
ground = np.full((240, 320, 3), (90, 110, 130), np.uint8)
spots = np.stack([np.linspace(20, 300, 8), 60 + 40 * np.sin(np.arange(8))], axis=1) + 0.3
spots[3] = np.nan
colors = rng.integers(0, 255, (8, 3)).astype(np.uint8)
things = [
    Picture(np.full((40, 60, 3), (200, 60, 60), np.uint8), (240, 180)),
    Rectangles([(10, 130, 50.5, 20), (70, 130, 3, 20)], [(86, 180, 233), (230, 159, 0)], alpha=[1, 0.6]),
    Rectangles([(90, 132, 40, 16)], (86, 180, 233), width=3),
    *outlined(Lines(np.stack([spots[:-1], spots[1:]], axis=1), (250, 250, 250), 2.5), margin=1.0, alpha=0.7),
    *outlined(Circles(spots, 5.0, colors), margin=1.5, alpha=0.75),
    *outlined(Circles(spots[:2], 10.0, (250, 250, 250), width=2), margin=1.0),
    Text("left paw", (20, 180), outline=1.5),
    Text("theirs", (160, 200), bold=True, align="center", baseline="top"),
]
canvas = FrameCanvas((240, 320))
def show(*_):
    with batch(canvas):
        canvas.draw_frame(ground)
        canvas.paint(1, things)
canvas.on_client_ready(show)

def still():
    buffer = io.BytesIO()
    on_picture(Image.fromarray(ground), things).save(buffer, "PNG")
    return base64.b64encode(buffer.getvalue()).decode()
"""
SHOWN = "document.querySelector('.jp-OutputArea canvas')"


def picture(png):
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(png))).convert("RGB"), float)


def test_the_page_shows_what_the_still_picture_shows(lab):
    lab.open("paint", SCENE, "canvas")
    lab.page.locator(".jp-OutputArea canvas").wait_for()
    # the last thing drawn is the white text: once it is there, all is
    lab.page.wait_for_function(
        f"() => [...{SHOWN}.getContext('2d').getImageData(130, 195, 60, 25).data].some((v, i) => i % 4 == 2 && v > 240)"
    )
    page = picture(lab.page.evaluate(f"() => {SHOWN}.toDataURL('image/png').split(',')[1]"))
    still = picture(lab.ask("still()"))
    away = np.abs(page - still).max(axis=2)
    shapes = away[:170]  # without the text, whose letters are another font's
    assert (shapes > 48).mean() < 0.004
    assert shapes.mean() < 1.5
    for part in (np.s_[170:190, 20:80], np.s_[198:218, 140:180], np.s_[180:220, 240:300]):
        assert abs(page[part].mean() - still[part].mean()) < 12
