"""Frames in memory, and those that are made ready before they are asked for."""

import threading

import numpy as np
import pytest
from support.labeling import make_project

from dlcnb.widgets.base import frame_images
from dlcnb.widgets.base.frame_images import FrameImages


@pytest.fixture
def images(tmp_path):
    made = FrameImages(make_project(tmp_path))
    yield made
    made.close()


@pytest.fixture
def names(images):
    folder = images._project.root
    return [str(path.relative_to(folder)) for path in sorted(folder.glob("labeled-data/m1/*.png"))]


def test_two_that_want_the_same_image_at_once_read_it_once(images, names, monkeypatch):
    began, go, reads = threading.Event(), threading.Event(), []

    def slowly(path):
        reads.append(path)
        began.set()
        assert go.wait(60)
        return real(path)

    real = frame_images.read_image
    monkeypatch.setattr(frame_images, "read_image", slowly)
    got = []
    threads = [threading.Thread(target=lambda: got.append(images.read(names[0]))) for _ in range(2)]
    threads[0].start()
    assert began.wait(60)
    threads[1].start()
    go.set()
    for thread in threads:
        thread.join(60)
    assert len(reads) == 1
    np.testing.assert_array_equal(*got)


class Slow:
    """Notes the images that it is called with; the first call ends when it is told to."""

    def __init__(self):
        self.made, self.began, self.go = [], threading.Event(), threading.Event()

    def __call__(self, name):
        self.began.set()
        assert self.go.wait(60)
        self.made.append(name)


def test_what_is_no_longer_wanted_is_left(images, names):
    slow = Slow()
    images.prepare(names[:3], slow)
    assert slow.began.wait(60)
    images.prepare(names[3:5], slow.made.append)
    slow.go.set()
    assert images._worker.wait(60)
    assert slow.made == [names[0], *names[3:5]]


def test_one_that_cannot_be_read_holds_up_no_other(images, names):
    (images._project.root / names[0]).write_bytes(b"nothing")
    made = []
    images.prepare(names[:2], lambda name: made.append(images.read(name)))
    assert images._worker.wait(60)
    assert len(made) == 1


def test_once_closed_nothing_more_is_made(images, names):
    slow = Slow()
    images.prepare(names[:3], slow)
    assert slow.began.wait(60)
    images.close()
    slow.go.set()
    assert images._worker.wait(60)
    assert slow.made == [names[0]]
