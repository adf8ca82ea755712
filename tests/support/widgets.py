"""Widgets in tests: made, painted, closed; what their canvas shows."""

import base64
import io

import ipywidgets
import numpy as np
from PIL import Image

from dlcnb.widgets.base.compat import SEVEN


def painted(widget, seconds=60):
    """Yield a widget once it is painted and close it at the end; for ``yield from`` in a fixture."""
    assert widget.wait(seconds)
    yield widget
    widget.close()


def shown(widget, seconds=60):
    """The picture on the frame layer of a widget's canvas, uint8 (H, W, 3)."""
    assert widget.wait(seconds)
    return frame_on(widget.canvas)


def frame_on(canvas):
    """The picture sent last for the lowest layer of a `FrameCanvas`, uint8 (H, W, 3)."""
    image = canvas._images[0, 0, (canvas._turns[0] - 1) % canvas.turns]
    head, data = bytes(image.value).split(b",", 1)
    assert head == b"data:image/jpeg;base64"
    return np.array(Image.open(io.BytesIO(base64.b64decode(data))))


def answered(guard, monkeypatch):
    """Let an input's guard be on a page that tells at once that a frame has arrived, on a screen of ratio 2."""

    def arrived(message):
        if message["type"] == "frame":
            guard._handle_custom_msg({"type": "ack", "arrived": message["id"], "ago": 0.0}, [])

    monkeypatch.setattr(guard, "send", arrived)
    guard.attached, guard.ratios = 1, [2.0] * guard.surfaces


def live_widgets():
    """The widgets that this process has made and not closed: {identity of the model: widget}."""
    return dict(ipywidgets.Widget.widgets if SEVEN else ipywidgets.widgets.widget._instances)


def frames_sent(canvas, monkeypatch):
    """What a `FrameCanvas` sends for its lowest layer from now on: a list of images that grows."""
    sent, add = [], canvas.add

    def noted(layer, things):
        if layer == 0:
            sent.extend(thing.image for thing in things)
        add(layer, things)

    monkeypatch.setattr(canvas, "add", noted)
    return sent
