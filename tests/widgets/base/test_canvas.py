"""Drawing: one message per picture, whatever happens meanwhile; and frames where they belong."""

import re
import threading
import time

import numpy as np
import pytest
from support.widgets import frame_on, frames_sent

from dlcnb.geometry import CanvasFit
from dlcnb.widgets.base.canvas import FrameCanvas, Painter, batch, render_view
from dlcnb.widgets.player.player import PLAY_AHEAD


@pytest.fixture
def canvas():
    made = FrameCanvas((48, 64))
    yield made
    made.close()


@pytest.fixture
def sent(canvas, monkeypatch):
    """The messages that leave for the browser."""
    messages = []
    monkeypatch.setattr(canvas._canvas_manager, "_send_custom", lambda commands, buffers=(): messages.append(commands))
    return messages


class TestBatch:
    def test_all_drawing_is_one_message_that_names_its_canvas(self, canvas, sent):
        for _ in range(2):
            with batch(canvas):
                canvas[0].fill_rect(0, 0, 1, 1)
                canvas[1].fill_rect(0, 0, 1, 1)
        assert len(sent) == 2
        assert [len(message) for message in sent] == [4, 4]  # each: switch, draw, switch, draw

    def test_an_exception_sends_nothing_and_leaves_the_canvas_usable(self, canvas, sent):
        with pytest.raises(ValueError, match="color"), batch(canvas):  # noqa: PT012
            canvas[0].fill_rect(0, 0, 1, 1)
            raise ValueError("no such color")
        assert not sent
        with batch(canvas):
            canvas[0].fill_rect(0, 0, 1, 1)
        assert len(sent) == 1

    def test_nested_batches_leave_together(self, canvas, sent):
        with batch(canvas):
            with batch(canvas):
                canvas[0].fill_rect(0, 0, 1, 1)
            assert not sent
        assert len(sent) == 1

    def test_threads_do_not_mix(self, canvas, sent):
        def draw(count):
            for _ in range(20):
                with batch(canvas):
                    for _ in range(count):
                        canvas[0].fill_rect(0, 0, 1, 1)

        threads = [threading.Thread(target=draw, args=(count,)) for count in (3, 5)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted({len(message) for message in sent}) == [4, 6]
        assert len(sent) == 40

    def test_a_few_image_widgets_are_used_again_and_none_at_once(self, canvas, sent):
        """A page that is late draws what the widget holds by then: not the frame after it."""
        for value in range(2 * canvas.turns):
            with batch(canvas):
                canvas.draw_frame(np.full((48, 64, 3), value, np.uint8))
            assert frame_on(canvas)[0, 0].tolist() == [value] * 3
        named = [re.findall(r"IPY_MODEL_\w+", str(message))[-1] for message in sent]
        assert named[: canvas.turns] == named[canvas.turns :]
        assert len({*named}) == canvas.turns > PLAY_AHEAD


def dot(size, x, y):
    image = np.zeros((*size, 3), np.uint8)
    image[y - 1 : y + 2, x - 1 : x + 2] = 255
    return image


def center_of_light(image):
    light = image[..., 0].astype(float)
    y, x = np.mgrid[: light.shape[0], : light.shape[1]]
    return np.array([(light * x).sum(), (light * y).sum()]) / light.sum()


class TestShown:
    def test_a_frame_is_sent_once_until_a_page_has_emptied_the_canvas(self, canvas, monkeypatch):
        image, sent = np.zeros((48, 64, 3), np.uint8), frames_sent(canvas, monkeypatch)

        def draw(key):
            with batch(canvas):
                canvas.draw_frame(image, key)
            return len(sent)

        assert [draw(key) for key in ("a", "a", "b", "a", None, None)] == [1, 1, 2, 3, 4, 5]
        assert [draw("a"), draw("a")] == [6, 6]
        canvas._canvases[-1]._handle_custom_msg({"event": "client_ready"}, [])
        assert draw("a") == 7
        canvas.set_ratio(2.0)
        assert draw("a") == 8

    def test_an_image_made_for_another_ratio_takes_the_same_room(self, canvas, monkeypatch):
        """As when a second window, of another screen, changes the ratio while a picture is made."""
        drawn, add = [], canvas.add
        monkeypatch.setattr(canvas, "add", lambda layer, things: (drawn.extend(things), add(layer, things)))
        for shape in ((48, 64, 3), (72, 96, 3)):
            with batch(canvas):
                canvas.draw_frame(np.zeros(shape, np.uint8))
        assert [thing.size for thing in drawn] == [None, (64, 48)]

    def test_what_was_not_sent_is_not_shown(self, canvas):
        with pytest.raises(ValueError, match="color"), batch(canvas):  # noqa: PT012
            canvas.draw_frame(np.zeros((48, 64, 3), np.uint8), "a")
            raise ValueError("no such color")
        assert canvas.shown is None


class TestRenderView:
    @pytest.mark.parametrize("zoom", [0.25, 0.5, 1.0, 1.7, 4.0, 8.0])
    def test_the_picture_lies_where_the_vectors_do(self, zoom):
        size, canvas_size = (480, 640), (240, 320)
        fit = CanvasFit.fit(size, canvas_size)
        if zoom > fit.zoom:
            fit = fit.zoomed(zoom / fit.zoom, fit.to_canvas((300.0, 200.0)))
        view = render_view(dot(size, 300, 200), fit, canvas_size)
        assert view.shape == (*canvas_size, 3)
        # a canvas counts from the corner of its first pixel, an array from the pixel's centre
        np.testing.assert_allclose(center_of_light(view) + 0.5, fit.to_canvas((300.0, 200.0)), atol=0.5)

    @pytest.mark.parametrize(("zoom", "times"), [(0.5, 2), (0.25, 2), (0.75, 4 / 3), (2.0, 1), (8.0, 2)])
    def test_a_sharp_screen_gets_what_the_image_has_and_no_more(self, zoom, times):
        size, canvas_size = (480, 640), (120, 160)
        fit = CanvasFit.fit(size, canvas_size)
        fit = fit.zoomed(zoom / fit.zoom, fit.to_canvas((300.0, 200.0)))
        view = render_view(dot(size, 300, 200), fit, canvas_size, 2.0)
        assert view.shape == (round(120 * times), round(160 * times), 3)
        np.testing.assert_allclose((center_of_light(view) + 0.5) / times, fit.to_canvas((300.0, 200.0)), atol=0.5)

    def test_bars_beside_a_picture_of_another_shape_are_black(self):
        view = render_view(np.full((100, 100, 3), 200, np.uint8), CanvasFit.fit((100, 100), (50, 100)), (50, 100))
        assert (view[:, 30:70] == 200).all()
        assert (view[:, :24] == 0).all()
        assert (view[:, 76:] == 0).all()


class TestPainter:
    def test_requests_that_pile_up_become_one(self):
        entered, go_on, calls = threading.Event(), threading.Event(), []

        def paint():
            calls.append(1)
            entered.set()
            assert go_on.wait(10)

        painter = Painter(paint, pytest.fail)
        painter.request()
        assert entered.wait(10)
        for _ in range(50):
            painter.request()
        go_on.set()
        assert painter.wait()
        assert len(calls) == 2

    def test_an_error_is_handed_on_and_the_next_paint_works(self):
        errors, calls = [], []

        def paint():
            calls.append(1)
            if len(calls) == 1:
                raise ValueError("broken frame")

        painter = Painter(paint, errors.append)
        painter.request()
        assert painter.wait()
        painter.request()
        assert painter.wait()
        assert [str(e) for e in errors] == ["broken frame"]
        assert len(calls) == 2

    def test_what_fails_after_it_was_closed_is_not_told(self):
        entered, go_on = threading.Event(), threading.Event()

        def paint():
            entered.set()
            assert go_on.wait(10)
            raise AttributeError("what it painted on is closed")

        painter = Painter(paint, pytest.fail)
        painter.request()
        assert entered.wait(10)
        painter.close()
        go_on.set()
        assert painter.wait()

    def test_an_idle_thread_ends_and_comes_back(self, monkeypatch):
        monkeypatch.setattr(Painter, "idle_seconds", 0.01)
        calls = []
        painter = Painter(lambda: calls.append(threading.current_thread()), pytest.fail)
        painter.request()
        assert painter.wait()
        calls[0].join(10)
        assert not calls[0].is_alive()
        painter.request()
        assert painter.wait()
        assert len(calls) == 2

    def test_what_is_asked_for_later_comes_once_nothing_else_does(self):
        calls = []

        def paint():
            calls.append(time.monotonic())
            if len(calls) == 1:
                painter.request(after=0.3)
                painter.request()  # sooner: in place of the other

        painter = Painter(paint, pytest.fail)
        painter.request()
        assert painter.wait()
        assert len(calls) == 2
        painter.request(after=0.2)
        assert painter.wait()
        assert len(calls) == 3
        assert calls[2] - calls[1] >= 0.2

    def test_what_is_held_is_painted_once_at_the_end(self):
        calls = []
        painter = Painter(lambda: calls.append(1), pytest.fail)
        with painter.hold():
            painter.request()
            with painter.hold():
                painter.request()
            assert not painter.wait(0.1)
            assert not calls
        assert painter.wait()
        assert len(calls) == 1

    def test_an_error_inside_lets_go_of_what_is_held(self):
        calls = []
        painter = Painter(lambda: calls.append(1), pytest.fail)
        painter.request()
        with pytest.raises(ZeroDivisionError), painter.hold():
            1 / 0  # noqa: B018
        assert painter.wait()
        assert calls

    def test_closed_is_closed(self):
        calls = []
        painter = Painter(lambda: calls.append(1), pytest.fail)
        painter.close()
        painter.request()
        assert painter.wait()
        assert not calls
