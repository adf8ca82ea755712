"""What a browser records, packed anew: every frame can be found, or one clear line."""

from concurrent.futures import ThreadPoolExecutor

import av
import numpy as np
import pytest
from support.videos import recorded

from dlcnb.video import VideoError, VideoReader, remux

FRAMES = 40


@pytest.mark.parametrize(("codec", "form"), [("libvpx", "webm"), ("libx264", "mp4")])
def test_every_frame_is_found_at_its_time(tmp_path, codec, form):
    (tmp_path / "raw").mkdir()
    times = recorded(tmp_path / "raw/clip.bin", codec, form)
    path = remux(tmp_path / "raw/clip.bin", tmp_path)
    assert path == tmp_path / f"clip.{form}"
    with VideoReader(path) as reader:
        np.testing.assert_allclose(reader.times, times, atol=0.002)
        for n in (FRAMES - 1, 17, 0, 31):
            assert abs(int(reader.read(n).mean()) - 5 * n) < 8
    with av.open(str(path)) as file:
        assert file.duration / 1e6 == pytest.approx(times[-1], abs=0.15)


@pytest.mark.parametrize("spoil", [lambda data: b"", lambda data: b"<html>not found</html>", lambda data: data[:60]])
def test_what_has_no_frame_is_one_line_and_leaves_nothing(tmp_path, spoil):
    (tmp_path / "raw").mkdir()
    path = tmp_path / "raw/clip.webm"
    recorded(path, "libvpx", "webm")
    path.write_bytes(spoil(path.read_bytes()))
    with pytest.raises(VideoError, match=r"clip\.webm: expected"):
        remux(path, tmp_path)
    assert [one.name for one in tmp_path.iterdir()] == ["raw"]


def test_a_clip_of_that_name_stays(tmp_path):
    (tmp_path / "raw").mkdir()
    recorded(tmp_path / "raw/clip.bin", "libvpx", "webm")
    (tmp_path / "clip.webm").write_bytes(b"mine")
    assert remux(tmp_path / "raw/clip.bin", tmp_path).name == "clip-2.webm"
    assert remux(tmp_path / "raw/clip.bin", tmp_path).name == "clip-3.webm"
    assert (tmp_path / "clip.webm").read_bytes() == b"mine"


def test_two_clips_at_once_of_one_name_are_two_files(tmp_path):
    (tmp_path / "raw").mkdir()
    recorded(tmp_path / "raw/clip.bin", "libvpx", "webm")
    with ThreadPoolExecutor(4) as pool:
        made = list(pool.map(lambda _: remux(tmp_path / "raw/clip.bin", tmp_path), range(4)))
    assert sorted(path.name for path in made) == ["clip-2.webm", "clip-3.webm", "clip-4.webm", "clip.webm"]
