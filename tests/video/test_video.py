"""Clips are encoded here with their frame number drawn in the pixels, so a wrong frame can't pass for the right one."""

import gc
import os
import random
import shutil
import socket
import subprocess
import threading
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace

import av
import cv2
import numpy as np
import pytest
from support.videos import ONE, set_matrix

from dlcnb.video import VIDEO_SUFFIXES, DamagedFrameError, VideoError, VideoReader, VideoWriter
from dlcnb.video.color import Converter
from dlcnb.video.index import upright

BLOCK, COLUMNS, BITS = 32, 4, 12
HEIGHT, WIDTH = BLOCK * BITS // COLUMNS, BLOCK * COLUMNS
B_FRAMES = {"bf": "3", "g": "12", "sc_threshold": "0"}
QUIET = "log-level=none"


@pytest.fixture(autouse=True)
def _own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def drawn(number, size=(HEIGHT, WIDTH)):
    """An image with a number in it: block b is bright where bit b is set."""
    image = np.full((HEIGHT, WIDTH, 3), 60, np.uint8)
    for bit in range(BITS):
        if number >> bit & 1:
            y, x = bit // COLUMNS * BLOCK, bit % COLUMNS * BLOCK
            image[y : y + BLOCK, x : x + BLOCK] = 220
    return image[: size[0], : size[1]]


def seen(image):
    """The number in an image; None stays None."""
    if image is None:
        return None
    middles = image.mean(-1)[BLOCK // 2 :: BLOCK, BLOCK // 2 :: BLOCK].ravel()
    return sum(1 << bit for bit in range(BITS) if middles[bit] > 140)


def encode(path, codec="libx264", n=60, *, pix_fmt="yuv420p", options=None, size=(HEIGHT, WIDTH), **more):
    """Encode n numbered frames; ``ticks`` are their times in units of 1/300 s, ``image`` changes what is drawn."""
    ticks, image = more.get("ticks"), more.get("image", drawn)
    with av.open(str(path), "w", options=more.get("container", {})) as container:
        stream = container.add_stream(codec, rate=more.get("rate", 30), options=options or {})
        stream.height, stream.width, stream.pix_fmt = *size, pix_fmt
        if "max_b" in more:
            stream.codec_context.max_b_frames = more["max_b"]
        for i in range(n):
            array = image(i) if "image" in more else drawn(i, size)
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(array), format="rgb24")
            if ticks is not None:
                frame.pts, frame.time_base = ticks[i], Fraction(1, 300)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


X265 = {"x265-params": f"keyint=12:bframes=3:{QUIET}"}
CLIPS = {
    "plain.mp4": {},
    "b-frames.mp4": {"options": B_FRAMES},
    "open-gop.mp4": {"options": {**B_FRAMES, "x264-params": "open-gop=1:keyint=12:bframes=3"}},
    "gradual-refresh.mp4": {"options": {"x264-params": "intra-refresh=1:keyint=12"}},
    "one-key.mp4": {"options": {"g": "600"}, "n": 90},
    "b-frames.mkv": {"options": B_FRAMES},
    "b-frames.ts": {"options": B_FRAMES},
    "h264-b-frames.avi": {"options": B_FRAMES},
    "fragments.mp4": {"options": B_FRAMES, "container": {"movflags": "frag_keyframe+empty_moov"}},
    "no-timestamps.h264": {"options": B_FRAMES},
    "hevc.mp4": {"codec": "libx265", "options": X265},
    "hevc-open-gop.ts": {"codec": "libx265", "options": {"x265-params": f"open-gop=1:keyint=12:bframes=3:{QUIET}"}},
    "mpeg4.avi": {"codec": "mpeg4"},
    "mpeg4-b-frames.avi": {"codec": "mpeg4", "max_b": 2},
    "mpeg2-b-frames.mpg": {"codec": "mpeg2video", "max_b": 2},
    "mjpeg.avi": {"codec": "mjpeg", "pix_fmt": "yuvj420p"},
    "rgb.avi": {"codec": "rawvideo", "pix_fmt": "bgr24"},
    "vp8-hidden-frames.webm": {"codec": "libvpx", "options": {"auto-alt-ref": "1", "lag-in-frames": "16", "b": "1M"}},
    "vp9.webm": {"codec": "libvpx-vp9", "options": {"cpu-used": "8", "lag-in-frames": "16"}},
    "10-bit.mp4": {"pix_fmt": "yuv420p10le"},
    "4-4-4.mp4": {"pix_fmt": "yuv444p", "options": B_FRAMES},
    "grey.mkv": {"codec": "ffv1", "pix_fmt": "gray"},
    "grey-16-bit.mkv": {"codec": "ffv1", "pix_fmt": "gray16le"},
    "odd.mp4": {"pix_fmt": "yuv444p", "size": (95, 127)},
    "odd.mkv": {"codec": "ffv1", "size": (95, 127)},
    "odd.avi": {"codec": "mpeg4", "size": (95, 127)},
}


@pytest.mark.parametrize("name", CLIPS)
def test_frame_i_is_frame_i_in_order_and_at_random(tmp_path, name):
    spec = CLIPS[name]
    encode(tmp_path / name, **spec)
    n = spec.get("n", 60)
    with VideoReader(tmp_path / name) as video:
        assert len(video) == n
        assert video.size == spec.get("size", (HEIGHT, WIDTH))
        images = dict(video.frames())
        assert [seen(image) for image in images.values()] == list(range(n))
        for i in random.Random(0).choices(range(n), k=25) + [0, 1, 2, n - 1, n - 2, n - 3]:
            np.testing.assert_array_equal(video.read(i), images[i])
        assert [i for i, image in video.frames(17, 50, 7) if seen(image) == i] == list(range(17, 50, 7))
        assert video.damaged == []
        assert not video.is_vfr
        if not name.endswith("h264"):  # a raw stream has no times; FFmpeg takes it for 25 frames/s
            np.testing.assert_allclose(video.times, np.arange(n) / 30, atol=1.1e-3)
            assert video.fps == pytest.approx(30, rel=1e-3)


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".mov"])
def test_variable_frame_rate_keeps_its_timestamps(tmp_path, suffix):
    steps = np.random.default_rng(0).choice([10, 10, 20, 35, 70], 59)
    ticks = np.concatenate([[0], np.cumsum(steps)])
    path = encode(tmp_path / f"vfr{suffix}", ticks=ticks.tolist(), options=B_FRAMES, rate=300)
    video = VideoReader(path)
    assert video.is_vfr
    np.testing.assert_allclose(video.times, ticks / 300, atol=1e-3)
    assert video.fps == pytest.approx(59 * 300 / ticks[-1], rel=1e-3)
    assert [seen(image) for _, image in video.frames()] == list(range(60))
    assert [seen(video.read(i)) for i in (50, 3, 31, 30, 59)] == [50, 3, 31, 30, 59]
    video.close()


def test_more_frames_than_the_clock_can_tell_apart(tmp_path):
    """Matroska counts milliseconds: at 2000 frames/s two frames share each."""
    path = encode(tmp_path / "fast.mkv", rate=2000, options=B_FRAMES)
    with VideoReader(path) as video:
        assert [seen(image) for _, image in video.frames()] == list(range(60))
        assert [seen(video.read(i)) for i in (40, 7, 58)] == [40, 7, 58]
        assert (np.diff(video.times) >= 0).all()
        assert video.fps == pytest.approx(2000, rel=0.03)


def test_frames_before_the_start_of_an_edit_list_do_not_count(tmp_path):
    ticks = [(i - 10) * 10 for i in range(60)]
    path = encode(tmp_path / "edited.mp4", ticks=ticks, options={"g": "60"})
    with VideoReader(path) as video:
        assert len(video) == 50
        assert [seen(image) for _, image in video.frames()] == list(range(10, 60))
        assert seen(video.read(30)) == 40
        assert video.times[0] == 0


MATRICES = {  # display matrix: what has to be done to the upright image to store it
    "none": ((ONE, 0, 0, ONE), lambda a: a),
    "90 clockwise": ((0, ONE, -ONE, 0), lambda a: np.rot90(a, 1)),
    "180": ((-ONE, 0, 0, -ONE), lambda a: np.rot90(a, 2)),
    "90 counter-clockwise": ((0, -ONE, ONE, 0), lambda a: np.rot90(a, -1)),
    "mirrored": ((-ONE, 0, 0, ONE), lambda a: a[:, ::-1]),
    "upside down": ((ONE, 0, 0, -ONE), lambda a: a[::-1]),
    "transposed": ((0, ONE, ONE, 0), lambda a: a.swapaxes(0, 1)),
}


@pytest.mark.parametrize("how", MATRICES)
def test_rotation_flag_is_applied(tmp_path, how):
    matrix, stored = MATRICES[how]
    size = stored(drawn(0)).shape[:2]
    path = encode(tmp_path / "turned.mp4", n=20, size=size, image=lambda i: stored(drawn(i + 1234)))
    set_matrix(path, matrix)
    with VideoReader(path) as video:
        assert video.size == (HEIGHT, WIDTH)
        image = video.read(7)
        assert image.shape == (HEIGHT, WIDTH, 3)
        assert image.flags.c_contiguous
        assert [seen(image) for _, image in video.frames()] == list(range(1234, 1254))


@pytest.mark.parametrize("how", MATRICES)
def test_upright_undoes_what_was_stored(how):
    matrix, stored = MATRICES[how]
    image = np.random.default_rng(0).integers(0, 255, (5, 7, 3), np.uint8)
    np.testing.assert_array_equal(upright(stored(image), np.array(matrix) / ONE), image)


def test_wrong_frame_count_in_the_header(tmp_path):
    path = encode(tmp_path / "count.avi", "mjpeg", pix_fmt="yuvj420p")
    data = bytearray(path.read_bytes())
    at = data.index(b"avih") + 8 + 16
    data[at : at + 4] = (999).to_bytes(4, "little")
    path.write_bytes(data)
    with VideoReader(path) as video:
        assert len(video) == 60


def test_empty_packets_of_a_camera_that_dropped_frames_are_no_frames(tmp_path):
    path = tmp_path / "dropped.avi"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mjpeg", rate=30)
        stream.height, stream.width, stream.pix_fmt = HEIGHT, WIDTH, "yuvj420p"
        for i in range(20):
            frame = av.VideoFrame.from_ndarray(drawn(i), format="rgb24")
            frame.pts = i if i < 10 else i + 5
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    with VideoReader(path) as video:
        assert [seen(image) for _, image in video.frames()] == list(range(20))
        assert video.times[10] - video.times[9] == pytest.approx(6 / 30)


# --- the real clip against other decoders ---------------------------------------------------------------------------


@pytest.fixture
def real_clip(openfield_root):
    return openfield_root / "videos" / "m3v1mp4.mp4"


def test_real_clip_against_opencv(real_clip):
    wanted = sorted(random.Random(1).sample(range(2330), 30) + [0, 2329])
    capture, others = cv2.VideoCapture(str(real_clip)), {}
    for i in range(2330):
        assert capture.grab()
        if i in wanted:
            others[i] = capture.retrieve()[1][..., ::-1]
    assert not capture.grab()
    capture.release()
    random.Random(2).shuffle(wanted)
    with VideoReader(real_clip) as video:
        assert len(video) == 2330
        assert video.size == (480, 640)
        for i in wanted:
            difference = np.abs(video.read(i).astype(int) - others[i])
            assert difference.max() <= 3, f"frame {i}"
        assert video.damaged == []


@pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="needs the ffmpeg command")
def test_real_clip_against_ffmpeg_select(real_clip):
    wanted = [0, 1, 181, 182, 999, 1000, 1172, 1173, 1174, 2018, 2328, 2329]
    select = "+".join(f"eq(n\\,{i})" for i in wanted)
    command = ["ffmpeg", "-v", "error", "-i", real_clip, "-vf", f"select={select}", "-fps_mode", "passthrough"]
    raw = subprocess.run([*command, "-f", "rawvideo", "-pix_fmt", "rgb24", "-"], capture_output=True, check=True).stdout
    others = np.frombuffer(raw, np.uint8).reshape(-1, 480, 640, 3).astype(int)
    assert len(others) == len(wanted)
    with VideoReader(real_clip) as video:
        for i, other in reversed(list(zip(wanted, others, strict=True))):
            assert np.abs(video.read(i) - other).max() <= 3, f"frame {i}"


def test_seeking_in_4_4_4_of_an_old_x264(real_clip):
    """Its decoder must know the encoder's version, told only in the first packet; a bare seek gives wrong pixels."""
    with VideoReader(real_clip) as video, VideoReader(real_clip) as other:
        for i, image in video.frames(980, 1003):
            if i > 984:
                np.testing.assert_array_equal(image, other.read(i))


@pytest.mark.parametrize("colorspace", [1, 2, 5, 6])  # BT.709, not told, and BT.601 by its two names
@pytest.mark.parametrize("color_range", [0, 1, 2])  # not told, limited, full
@pytest.mark.parametrize("pix_fmt", ["yuv444p", "yuv420p", "gray", "rgb24"])
def test_colours_are_those_of_ffmpeg(pix_fmt, colorspace, color_range):
    image = np.random.default_rng(0).integers(0, 256, (96, 126, 3), np.uint8)
    frame = av.VideoFrame.from_ndarray(image, format="rgb24").reformat(format=pix_fmt)
    frame.colorspace, frame.color_range = colorspace, color_range
    converter = Converter(SimpleNamespace(size=image.shape[:2], matrix=(1, 0, 0, 1)))
    expected = frame.to_ndarray(format="rgb24")
    assert np.abs(converter(frame).astype(int) - expected).max() <= (1 if pix_fmt == "yuv444p" else 0)
    assert not np.shares_memory(converter(frame), frame.to_ndarray())


# --- damage ---------------------------------------------------------------------------------------------------------


def packets_of(path):
    with av.open(str(path)) as container:
        return [(p.pos, p.size, p.pts) for p in container.demux(video=0) if p.size]


@pytest.mark.parametrize(
    ("name", "spec"),
    [
        ("x.mp4", {"options": {"g": "20", "bf": "2"}}),
        ("x.avi", {"codec": "mpeg4"}),
        ("x.mkv", {"codec": "libx265", "options": X265}),
    ],
)
def test_a_damaged_frame_never_shifts_the_others(tmp_path, name, spec):
    path = encode(tmp_path / name, **spec)
    packets = packets_of(path)
    shown = sorted(pts for *_, pts in packets)
    victims = sorted(shown.index(packets[k][2]) for k in (16, 17, 45))
    data = bytearray(path.read_bytes())
    for k in (16, 17, 45):
        position, size, _ = packets[k]
        position = data.index(data[position : position + 4], position)
        start = position + (12 if name.endswith("mkv") else 0)
        data[start : position + size] = bytes(position + size - start)
    path.write_bytes(data)
    with VideoReader(path) as video:
        images = [seen(image) for _, image in video.frames()]
        assert len(images) == 60
        assert images[:10] == list(range(10))
        missing = [i for i, number in enumerate(images) if number is None]
        assert set(victims) & set(missing)
        assert set(missing) <= set(range(victims[0] - 4, victims[0] + 24)) | set(range(victims[-1] - 4, 60))
        assert video.damaged == missing
    with VideoReader(path) as video:
        with pytest.raises(DamagedFrameError, match=f"frame {missing[0]} of 60 is damaged") as caught:
            video.read(missing[0])
        assert caught.value.index == missing[0]
        assert seen(video.read(5)) == 5
        assert video.damaged == [missing[0]]


@pytest.mark.skipif(not hasattr(av.stream.Stream, "index_entries"), reason="PyAV before 16 hides the file's table")
def test_a_damaged_key_frame_takes_those_with_it_that_build_on_it(tmp_path):
    path = encode(tmp_path / "x.mp4", options={"g": "10", "bf": "0", "sc_threshold": "0"})
    position, size, _ = packets_of(path)[20]
    data = bytearray(path.read_bytes())
    data[position : position + size] = bytes(size)
    path.write_bytes(data)
    expected = [None if 20 <= i < 30 else i for i in range(60)]
    with VideoReader(path) as video:
        assert [seen(image) for _, image in video.frames()] == expected
    with VideoReader(path) as video:  # the same at random
        for i in (25, 31, 20, 29, 19, 22):
            if expected[i] is None:
                with pytest.raises(DamagedFrameError):
                    video.read(i)
            else:
                assert seen(video.read(i)) == i


@pytest.mark.parametrize("part", [0.7, 0.8, 0.97])
@pytest.mark.parametrize("bf", ["0", "3"])
def test_a_file_cut_short_keeps_the_numbers_of_what_is_left(tmp_path, part, bf):
    options = {"bf": bf, "g": "12", "x264-params": "b-pyramid=none"}
    path = encode(tmp_path / "cut.mp4", options=options, container={"movflags": "faststart"})
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * part)])
    with VideoReader(path) as video:
        images = [seen(image) for _, image in video.frames()]
        assert len(images) == 60
        assert all(number in (i, None) for i, number in enumerate(images))
        assert images[:6] == list(range(6))
        assert images[-1] is None
        assert video.damaged == [i for i, number in enumerate(images) if number is None]
        np.testing.assert_allclose(video.times, np.arange(60) / 30, atol=1e-6)


@pytest.mark.parametrize("name", ["cut.mkv", "cut.ts", "cut.avi"])
def test_a_file_cut_short_without_a_table_ends_early(tmp_path, name):
    path = encode(tmp_path / name, options={"bf": "0", "g": "12"})
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * 0.7)])
    with VideoReader(path) as video:
        images = [seen(image) for _, image in video.frames()]
        assert 6 < len(images) <= 60
        assert all(number in (i, None) for i, number in enumerate(images))


def write_audio(path):
    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", rate=44100)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
        frame.rate = 44100
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


BAD = {
    "text": (lambda p: p.write_text("frame,x,y\n0,1.5,2.5\n" * 20), "found a text file that begins 'frame,x,y"),
    "empty": (lambda p: p.write_bytes(b""), "found an empty file"),
    "noise": (lambda p: p.write_bytes(bytes(range(256)) * 20), "found a file that FFmpeg can't read"),
    "missing": (lambda p: None, "found no such file"),
    "folder": (lambda p: p.mkdir(), "found a folder"),
    "audio": (write_audio, "found a file with audio but no moving picture"),
    "no moov": (lambda p: p.write_bytes(encode(p).read_bytes()[:2000]), "found an mp4 that was cut off"),
    "lfs": (lambda p: p.write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\n"), "git lfs pull"),
}


@pytest.mark.parametrize("kind", BAD)
def test_what_is_no_video_gives_one_clear_error(tmp_path, kind):
    make, message = BAD[kind]
    path = tmp_path / "clip.mp4"
    make(path)
    with pytest.raises(VideoError, match=r"expected a .*video.*, found") as caught:
        VideoReader(path)
    assert message in str(caught.value)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_video_of_which_only_the_table_is_left(tmp_path):
    path = encode(tmp_path / "head.mp4", container={"movflags": "faststart"})
    data = path.read_bytes()
    path.write_bytes(data[: data.index(b"mdat") + 40])
    with pytest.raises(VideoError, match="no frame that can be decoded"):
        VideoReader(path)


@pytest.mark.parametrize(("codec", "pix_fmt"), [("png", "rgb24"), ("rawvideo", "bgr24")])
def test_images_may_be_drawn_on(tmp_path, codec, pix_fmt):
    with VideoReader(encode(tmp_path / "a.avi", codec, n=10, pix_fmt=pix_fmt)) as video:
        for image in (video.read(5), dict(video.frames())[5]):
            image[:] = 0
        assert [seen(video.read(i)) for i in (5, 4, 5)] == [5, 4, 5]


def test_numbers_outside_the_video(tmp_path):
    with VideoReader(encode(tmp_path / "a.mp4", n=10)) as video:
        for i in (-1, 10):
            with pytest.raises(IndexError, match="expected 0 to 9"):
                video.read(i)
        for wrong in ((0, 11), (-1, 5), (0, 5, 0), (0, 5, -1)):
            with pytest.raises(ValueError, match="expected 0 <= start"):
                video.frames(*wrong)
        assert list(video.frames(10)) == []
        assert list(video.frames(5, 3)) == []


# --- threads and the cache ------------------------------------------------------------------------------------------


def decoding_threads():
    return [t for t in threading.enumerate() if t.name == "dlcnb-decode"]


def test_dropping_the_iterator_ends_its_thread(tmp_path):
    with VideoReader(encode(tmp_path / "a.mp4", options=B_FRAMES)) as video:
        frames = video.frames()
        assert not decoding_threads()
        next(frames)
        assert len(decoding_threads()) == 1
        del frames
        gc.collect()
        assert not decoding_threads()
        for i, _ in video.frames():
            if i == 5:
                break
        gc.collect()
        assert not decoding_threads()


def test_closing_the_reader_ends_its_iterators(tmp_path):
    video = VideoReader(encode(tmp_path / "a.mp4"))
    frames, other = video.frames(), video.frames()
    next(frames)
    next(other)
    video.close()
    assert not decoding_threads()
    with pytest.raises(VideoError, match="found a closed one"):
        next(frames)
    with pytest.raises(VideoError, match="found a closed one"):
        video.read(0)
    other.close()


def test_what_goes_wrong_in_the_thread_reaches_the_caller(tmp_path):
    path = encode(tmp_path / "a.mp4")
    video = VideoReader(path)
    frames = video.frames()
    path.unlink()
    with pytest.raises(VideoError, match="no such file"):
        next(frames)
    assert not decoding_threads()
    video.close()


def test_reading_from_several_threads(tmp_path):
    wrong = []
    with VideoReader(encode(tmp_path / "a.mp4", options=B_FRAMES)) as video:

        def work(seed):
            wrong.extend(i for i in random.Random(seed).choices(range(60), k=30) if seen(video.read(i)) != i)

        threads = [threading.Thread(target=work, args=(seed,)) for seed in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert wrong == []


def test_a_video_in_a_folder_whose_name_is_no_text_is_read(tmp_path):
    folder = tmp_path / os.fsdecode(b"jos\xe9")  # of an old archive
    folder.mkdir()
    path = encode(folder / "m.mp4", n=4)
    assert len(VideoReader(path)) == len(VideoReader(path)) == 4  # the second by the cache


def test_the_index_is_cached_until_the_file_changes(tmp_path):
    path = encode(tmp_path / "a.mp4", n=20)
    with VideoReader(path) as first:
        times = first.times
    cached = list((tmp_path / "cache").rglob("*.npz"))
    if os.name == "posix" and cached:  # elsewhere the cache has another home
        cached[0].write_bytes(b"spoilt")
    with VideoReader(path) as again:
        np.testing.assert_array_equal(again.times, times)
        assert seen(again.read(13)) == 13
    with VideoReader(path) as again:
        assert seen(again.read(19)) == 19
    os.utime(encode(path, n=30), ns=(1, 1))
    with VideoReader(path) as other:
        assert len(other) == 30


def test_a_cache_that_cannot_be_written_is_no_obstacle(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    with VideoReader(encode(tmp_path / "a.mp4", n=10)) as video:
        assert len(video) == 10


def test_times_cannot_be_changed_by_accident(tmp_path):
    with VideoReader(encode(tmp_path / "a.mp4", n=10)) as video, pytest.raises(ValueError, match="read-only"):
        video.times[0] = 1


def test_suffixes_are_lower_case_with_a_dot():
    assert all(suffix == suffix.lower() and suffix.startswith(".") for suffix in VIDEO_SUFFIXES)


# --- writing --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["out.mp4", "out.mov", "out.mkv", "out.avi"])
def test_written_frames_are_read_again(tmp_path, name):
    with VideoWriter(tmp_path / name, (HEIGHT, WIDTH), 29.97) as writer:
        for i in range(40):
            writer.write(drawn(i))
        assert not (tmp_path / name).exists()
    with VideoReader(tmp_path / name) as video:
        assert [seen(image) for _, image in video.frames()] == list(range(40))
        assert video.fps == pytest.approx(29.97, rel=1e-3)
    with av.open(str(tmp_path / name)) as container:
        context = container.streams.video[0].codec_context
        assert (context.name, context.pix_fmt) == ("h264", "yuv420p")


def test_times_of_frames_are_kept(tmp_path):
    times = np.cumsum(np.random.default_rng(0).uniform(0.01, 0.2, 40))
    with VideoWriter(tmp_path / "vfr.mp4", (HEIGHT, WIDTH), 30) as writer:
        for i, time in enumerate(times):
            writer.write(drawn(i), time - times[0])
        with pytest.raises(ValueError, match="expected a time after"):
            writer.write(drawn(40), 0.5)
        with pytest.raises(ValueError, match="a time with every frame or with none"):
            writer.write(drawn(40))
    with VideoReader(tmp_path / "vfr.mp4") as video:
        assert video.is_vfr
        np.testing.assert_allclose(video.times, times - times[0], atol=2e-5)
        assert [seen(image) for _, image in video.frames()] == list(range(40))


def test_odd_sizes_are_padded(tmp_path):
    with VideoWriter(tmp_path / "odd.mp4", (95, 127), 30, crf=1) as writer:
        writer.write(drawn(4095, (95, 127)))
    with VideoReader(tmp_path / "odd.mp4") as video:
        image = video.read(0)
        assert image.shape == (96, 128, 3)
        assert image[-1, -1, 0] == pytest.approx(220, abs=6)


def left_in(folder):
    return sorted(p.name for p in folder.iterdir() if p.name != "cache")


def test_an_error_leaves_nothing_behind_and_the_old_file_alone(tmp_path):
    path = encode(tmp_path / "a.mp4", n=10)
    before = path.read_bytes()

    def fail():
        with VideoWriter(path, (HEIGHT, WIDTH), 30) as writer:
            writer.write(drawn(1))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert left_in(tmp_path) == ["a.mp4"]
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    ("image", "found"),
    [
        (np.zeros((HEIGHT, WIDTH), np.uint8), "uint8"),
        (np.zeros((HEIGHT, WIDTH, 3)), "float64"),
        (drawn(0)[:-1], "uint8"),
    ],
)
def test_a_wrong_image_is_refused(tmp_path, image, found):
    writer = VideoWriter(tmp_path / "a.mp4", (HEIGHT, WIDTH), 30)
    writer.write(drawn(3))
    with pytest.raises(ValueError, match=f"expected a uint8 image of shape .*found {found}"):
        writer.write(image)
    writer.close()  # what was right is kept
    with VideoReader(tmp_path / "a.mp4") as video:
        assert len(video) == 1


def test_wrong_names_sizes_and_rates_are_refused(tmp_path):
    for name, size, fps in (("a.txt", (96, 128), 30), ("a.mp4", (0, 128), 30), ("a.mp4", (96, 128), 0)):
        with pytest.raises(VideoError, match="expected a"):
            VideoWriter(tmp_path / name, size, fps)
    with pytest.raises(VideoError, match="expected at least one frame"):
        VideoWriter(tmp_path / "a.mp4", (96, 128), 30).close()
    with pytest.raises(OSError, match="folder does not exist"):
        VideoWriter(tmp_path / "none" / "a.mp4", (96, 128), 30)
    assert left_in(tmp_path) == []


def test_closing_twice_and_writing_after(tmp_path):
    writer = VideoWriter(tmp_path / "a.mp4", (96, 128), 30)
    writer.write(drawn(0))
    writer.close()
    writer.close()
    with pytest.raises(VideoError, match="closed"):
        writer.write(drawn(1))


@pytest.fixture
def small_disk(tmp_path):
    """A disk of 256 kB, where this user may mount one."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount, umount = shutil.which("mount"), shutil.which("umount")
    if (
        not mount
        or subprocess.run([mount, "-t", "tmpfs", "-o", "size=256k", "tmpfs", folder], capture_output=True).returncode
    ):
        pytest.skip("needs the right to mount a tmpfs")  # fmt: skip
    yield folder
    subprocess.run([umount, folder], check=True)


def test_a_full_disk_gives_one_clear_error(small_disk):
    noise = np.random.default_rng(0)

    def fill():
        with VideoWriter(small_disk / "big.mp4", (240, 320), 30, crf=1) as writer:
            for _ in range(60):
                writer.write(noise.integers(0, 255, (240, 320, 3), np.uint8))

    with pytest.raises(OSError, match=r"cannot write .*the disk is full. Nothing was written. Free some space"):
        fill()
    assert left_in(small_disk) == []


# --- nothing but the file itself


def _plain(path, frames=3):
    with VideoWriter(path, (16, 16), 25) as writer:
        for value in range(frames):
            writer.write(np.full((16, 16, 3), 40 * value, np.uint8))
    return path


@pytest.mark.parametrize("name", ["2018-10-30T12:00:00.mp4", "rec_12:30.mp4", "-i.mp4", "file:inner.mp4", "a%03d.mp4"])
def test_a_name_like_a_url_is_only_a_name(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    _plain(tmp_path / "inner.mp4", 5)
    _plain(tmp_path / "plain.mp4").rename(tmp_path / name)
    for path in (name, tmp_path / name):
        with VideoReader(path) as reader:
            assert len(reader) == 3


def test_a_path_like_a_url_asks_nobody(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        path = Path(f"http:/127.0.0.1:{server.getsockname()[1]}") / "x.mp4"
        path.parent.mkdir(parents=True)
        _plain(tmp_path / "plain.mp4").rename(path)
        with VideoReader(path) as reader:
            assert len(reader) == 3
        with pytest.raises(BlockingIOError):
            server.accept()


PLAYLISTS = {
    "hls": "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n{video}\n#EXT-X-ENDLIST\n",
    "concat": "ffconcat version 1.0\nfile '{name}'\n",
    "dash": '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static"><Period>'
    "<AdaptationSet><Representation><BaseURL>{video}</BaseURL></Representation></AdaptationSet></Period></MPD>",
    "sdp": "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video 5004 RTP/AVP 96\n",
}


@pytest.mark.parametrize("name", ["list.mp4", "list.m3u8", "list.ts"])
@pytest.mark.parametrize("kind", PLAYLISTS)
def test_a_playlist_opens_no_other_file(tmp_path, kind, name):
    other = _plain(tmp_path / "other.mp4")
    path = tmp_path / name
    path.write_text(PLAYLISTS[kind].format(video=other, name=other.name))
    with pytest.raises(VideoError, match="expected a video, found a text file that begins"):
        VideoReader(path)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no pipes among its files")
def test_a_pipe_in_place_of_a_video_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "x.mp4")
    with pytest.raises(VideoError, match="expected a video file, found a pipe"):
        VideoReader(tmp_path / "x.mp4")
