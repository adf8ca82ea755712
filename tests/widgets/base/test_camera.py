"""The camera's clip, as a page sends it: it arrives as a video of which any frame can be found, or as one line."""

import re
import resource
import signal
from pathlib import Path

import pytest
from support.videos import recorded

from dlcnb.video import VideoReader
from dlcnb.widgets.studio.videos import VideoChooser


@pytest.fixture
def chooser(tmp_path):
    made = VideoChooser(folder=tmp_path)
    made.toggle_camera()
    yield made
    made.close()


def send(camera, name, data):
    """What a page sends for a clip."""
    for message, buffers in (
        ({"type": "begin", "id": "1", "name": name, "size": len(data)}, []),
        ({"type": "piece", "id": "1", "at": 0}, [memoryview(data)]),
        ({"type": "end", "id": "1"}, []),
    ):
        camera._handle_custom_msg(message, buffers)


def test_a_clip_is_chosen_and_the_camera_is_off(chooser, tmp_path):
    recorded(tmp_path / "raw", "libvpx", "webm")
    send(chooser.camera, "clip-1.webm", (tmp_path / "raw").read_bytes())
    (clip,) = chooser.uploaded
    assert clip.name == "clip-1.webm"
    assert [path.name for path in clip.parent.rglob("*.*")] == ["clip-1.webm"]
    with VideoReader(clip) as reader:
        assert abs(int(reader.read(39).mean()) - 5 * 39) < 8
    assert "40 frames, 2 seconds" in chooser.status_line.value
    assert chooser.camera is None
    assert not chooser.lens.children


def test_a_clip_without_a_frame_is_one_line_and_the_camera_stays(chooser):
    send(chooser.camera, "clip-1.webm", b"")
    assert "expected" in chooser.status_line.value
    assert not chooser.videos
    assert chooser.camera in chooser.lens.children


def test_a_clip_that_finds_no_room_is_not_lost(chooser, tmp_path):
    recorded(tmp_path / "raw", "libvpx", "webm")
    data = (tmp_path / "raw").read_bytes()
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(data), before[1]))  # room for what came, not for a table besides
    try:
        send(chooser.camera, "clip-1.webm", data)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)
    kept = re.search(r"is kept in (\S+\.webm)", chooser.status_line.value)
    assert Path(kept[1]).read_bytes() == data


def test_the_button_turns_it_off_again(chooser):
    chooser.unfold.click()
    assert chooser.camera is None
    chooser.unfold.click()
    assert chooser.lens.children == (chooser.camera,)
