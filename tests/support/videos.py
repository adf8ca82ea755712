"""Videos as phones and browsers make them."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

from dlcnb.sampledata import Arena, render_frame
from dlcnb.video import VideoWriter

ONE = 1 << 16  # in a display matrix


def set_matrix(path: Path, matrix: tuple[int, int, int, int]) -> None:
    """Write a display matrix (a, b, c, d) into the track header of an mp4."""
    data = bytearray(path.read_bytes())
    at = data.index(b"tkhd") + 44
    for place, value in zip((0, 4, 12, 16), matrix, strict=True):
        data[at + place : at + place + 4] = value.to_bytes(4, "big", signed=True)
    path.write_bytes(data)


def recorded(path: Path, codec: str, form: str, n: int = 40) -> NDArray[np.float64]:
    """A stream as a browser gives it: written in one go, without a length and without a table, at uneven times.

    Frame i is grey of value 5 i; returns the frames' times since the first, s.
    """
    times = np.cumsum(np.random.default_rng(1).integers(20, 60, n))
    how = {"live": "1"} if form == "webm" else {"movflags": "frag_keyframe+empty_moov"}
    with av.open(path, "w", format=form, options=how) as to:
        stream = to.add_stream(codec, rate=30, options={"g": "10"})
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        stream.codec_context.time_base = Fraction(1, 1000)
        for i, time in enumerate(times):
            frame = av.VideoFrame.from_ndarray(np.full((48, 64, 3), 5 * i, np.uint8), format="rgb24")
            frame.pts, frame.time_base = int(time), Fraction(1, 1000)
            to.mux(stream.encode(frame))
        to.mux(stream.encode(None))
    return (times - times[0]) / 1000


def phone_clip(path: Path, arena: Arena) -> None:
    """The arena as a phone films it: stored on its side with a note to turn it, at uneven times."""
    height, width = arena.size
    pauses = np.random.default_rng(0).uniform(0.02, 0.06, arena.n_frames)
    with VideoWriter(path, (width, height), arena.fps) as writer:
        for index, time in enumerate(np.cumsum(pauses) - pauses[0]):
            writer.write(np.ascontiguousarray(np.rot90(render_frame(arena, index))), time)
    set_matrix(path, (0, ONE, -ONE, 0))
