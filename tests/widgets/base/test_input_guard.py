"""Messages from the browser's side, through the same entry that a page uses."""

import threading

import pytest

from dlcnb.widgets.base.canvas import FrameCanvas
from dlcnb.widgets.base.input_guard import Input


@pytest.fixture
def rig():
    canvas, got = FrameCanvas((48, 64)), []
    return canvas, Input([canvas], ["ArrowLeft", "Shift+Home", "Ctrl+z"], got.append), got


def plain(canvas, **message):
    canvas._handle_custom_msg(message, [])


def key(canvas, name, shift=False, ctrl=False):
    plain(canvas, event="key_down", key=name, shift_key=shift, ctrl_key=ctrl, meta_key=False)


def test_guard_messages_come_through_as_they_are(rig):
    _, channel, got = rig
    message = {"type": "down", "surface": 0, "x": 1.25, "y": 2.5, "button": 2, "shift": True}
    channel.guard._handle_custom_msg(message, [])
    assert got == [message]


def test_without_a_guard_ipycanvas_events_become_the_same_messages(rig):
    canvas, _, got = rig
    plain(canvas, event="mouse_down", x=3, y=4)
    plain(canvas, event="mouse_move", x=5, y=6)
    plain(canvas, event="mouse_wheel", x=0, y=-100)
    plain(canvas, event="mouse_out", x=7, y=8)
    assert [m["type"] for m in got] == ["down", "move", "wheel", "cancel"]
    assert (got[0]["x"], got[0]["y"], got[0]["button"], got[0]["surface"]) == (3, 4, 0, 0)
    assert (got[2]["x"], got[2]["y"], got[2]["dy"]) == (5, 6, -100)


def test_only_the_keys_asked_for(rig):
    canvas, _, got = rig
    key(canvas, "ArrowLeft")
    key(canvas, "Home")
    key(canvas, "Home", shift=True)
    key(canvas, "z", ctrl=True)
    key(canvas, "b")
    assert [m["key"] for m in got] == ["ArrowLeft", "Shift+Home", "Ctrl+z"]


def test_with_a_guard_ipycanvas_events_are_ignored(rig):
    canvas, channel, got = rig
    channel.guard.attached = 1
    plain(canvas, event="mouse_down", x=3, y=4)
    key(canvas, "ArrowLeft")
    assert not got


class TestDelivery:
    @pytest.fixture
    def page(self, rig, monkeypatch):
        """The messages that ask a page about frames; the page is there and has the first."""
        _, channel, _ = rig
        asked = []
        monkeypatch.setattr(channel.guard, "send", asked.append)
        monkeypatch.setattr(channel, "ack_seconds", 60)
        channel.guard.attached = 1
        channel.sent()
        channel.guard._handle_custom_msg({"type": "ack", "arrived": 1, "ago": 0.0}, [])
        return asked

    def wait_for_the_second(self, channel, *ahead):
        """Let ``ready`` wait until the page has the second frame, and no longer."""
        thread = threading.Thread(target=channel.ready, args=ahead)
        thread.start()
        thread.join(0.05)
        assert thread.is_alive()
        channel.guard._handle_custom_msg({"type": "ack", "arrived": 2, "ago": 0.0}, [])
        thread.join(10)
        assert not thread.is_alive()

    def test_nothing_waits_or_is_asked_where_no_page_is(self, rig, monkeypatch):
        _, channel, _ = rig
        monkeypatch.setattr(channel.guard, "send", pytest.fail)
        channel.ready()
        channel.sent()
        channel.ready()

    def test_the_next_frame_waits_until_the_page_has_this_one(self, rig, page):
        _, channel, got = rig
        channel.ready()
        channel.sent()
        self.wait_for_the_second(channel)
        assert page == [{"type": "frame", "id": 1, "wait": 0.0}, {"type": "frame", "id": 2, "wait": 0.0}]
        assert not got

    def test_what_has_no_picture_is_asked_about_now_and_then(self, rig, page, monkeypatch):
        _, channel, _ = rig
        monkeypatch.setattr(channel, "light_seconds", 60)
        for _ in range(3):
            channel.sent(light=True)
        assert [m["id"] for m in page] == [1]
        monkeypatch.setattr(channel, "light_seconds", 0)
        channel.sent(light=True)
        assert [m["id"] for m in page] == [1, 2]
        self.wait_for_the_second(channel)

    def test_playback_may_run_some_frames_ahead(self, rig, page):
        _, channel, _ = rig
        for _ in range(3):
            channel.ready(3)  # returns at once, or this test hangs
            channel.sent()
        self.wait_for_the_second(channel, 2)

    def test_playback_on_a_page_that_is_late_goes_on_waiting(self, rig, page, monkeypatch):
        """Else ever more frames are on their way, and a page draws later ones below the poses of earlier ones."""
        _, channel, _ = rig
        for _ in range(3):
            channel.sent()
        monkeypatch.setattr(channel, "ack_seconds", 0.01)
        channel.ready(2)
        assert not channel._client
        monkeypatch.setattr(channel, "ack_seconds", 60)
        thread = threading.Thread(target=channel.ready, args=(2,))
        thread.start()
        thread.join(0.2)
        assert thread.is_alive()
        channel.guard._handle_custom_msg({"type": "ack", "arrived": 2, "ago": 0.0}, [])
        thread.join(10)
        assert not thread.is_alive()

    def test_a_page_that_went_away_is_waited_for_once(self, rig, page, monkeypatch):
        _, channel, _ = rig
        channel.sent()
        monkeypatch.setattr(channel, "ack_seconds", 0.01)
        channel.ready()
        monkeypatch.setattr(channel, "ack_seconds", 60)
        channel.sent()
        channel.ready()  # returns at once, or this test hangs
        channel.guard._handle_custom_msg({"type": "move", "surface": 0, "x": 0, "y": 0}, [])
        assert channel._client
