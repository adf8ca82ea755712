"""As fine as the screen where one looks, coarser while pictures follow each other."""

import math

import pytest
from support.widgets import answered

from dlcnb.widgets.base import sharpness
from dlcnb.widgets.base.canvas import FrameCanvas
from dlcnb.widgets.base.input_guard import Input
from dlcnb.widgets.base.sharpness import Sharpness


class Looked:
    """A canvas of ratio 2 on a page, its sharpness, and how often it asked to be painted again."""

    def __init__(self, monkeypatch):
        self.canvas = FrameCanvas((48, 64))
        self.input = Input([self.canvas], [], lambda message: None)
        self.input.sharpen(lambda: None, self.canvas)
        answered(self.input.guard, monkeypatch)
        self.asked = []
        self.sharpness = Sharpness(self.canvas, self.asked.append)

    def paint(self, what, zoom=0.25, moving=False):
        finer = self.sharpness.finer(what, zoom, self.input, moving)
        self.canvas.shown = what, finer
        self.input.sent()
        return finer


@pytest.fixture
def looked(monkeypatch):
    return Looked(monkeypatch)


@pytest.fixture
def hasty(monkeypatch):
    monkeypatch.setattr(sharpness, "REST", math.inf)


@pytest.fixture
def calm(monkeypatch):
    monkeypatch.setattr(sharpness, "REST", 0.0)


def test_what_follows_quickly_is_coarse_and_painted_again_once_it_stays(looked, hasty):
    looked.paint("before")
    assert [looked.paint(n) for n in range(3)] == [1, 1, 1]
    assert len(looked.asked) == 3
    looked.paint(2)  # a point moved in it: that puts off the other painting, so it is asked for anew
    assert len(looked.asked) == 4


def test_what_stays_is_as_fine_as_the_screen_and_so_is_the_next(looked, hasty, monkeypatch):
    looked.paint(0)
    assert looked.paint(1) == 1
    monkeypatch.setattr(sharpness, "REST", 0.0)
    assert looked.paint(1) == 2
    assert looked.paint(2) == 2


def test_an_emptied_canvas_gets_it_again(looked, calm):
    looked.paint(0)
    looked.canvas.forget()
    assert looked.paint(0) == 2


def test_by_a_slow_way_it_stays_coarse_and_is_asked_for_once(looked, calm):
    looked.input.quick_seconds = 0.0
    assert [looked.paint(n) for n in range(4)] == [2, 2, 1, 1]
    asked = len(looked.asked)
    assert [looked.paint(3) for _ in range(3)] == [1] * 3
    assert len(looked.asked) == asked


def test_one_that_arrives_late_is_made_fine_then(looked, hasty, monkeypatch):
    guard = looked.input.guard
    looked.paint("before")
    looked.input.quick_seconds = 0.0  # all that follow are late
    monkeypatch.setattr(guard, "send", lambda message: None)
    assert looked.paint(0) == 1
    monkeypatch.setattr(sharpness, "REST", 0.0)
    asked = len(looked.asked)
    assert looked.paint(0) == 1
    assert len(looked.asked) == asked
    guard._handle_custom_msg({"type": "ack", "arrived": looked.input._sent, "ago": 0.0}, [])
    assert len(looked.asked) == asked + 1
    assert looked.paint(0) == 2


def test_what_moves_is_coarse_until_it_stops(looked, calm):
    assert [looked.paint(n, moving=True) for n in range(3)] == [1] * 3
    assert not looked.asked
    assert looked.paint(2) == 2


def test_nothing_is_finer_than_the_image(looked, calm):
    assert looked.paint(0, zoom=1.0) == 1
    assert looked.paint(0, zoom=1.0) == 1
    assert not looked.asked
