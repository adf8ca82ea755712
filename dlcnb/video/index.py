"""The index of a video: every frame's time and place, made once per file by reading its packets."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import av
import numpy as np
from numpy.typing import NDArray

from dlcnb.video.cache import cache_path, read_cache, write_cache
from dlcnb.video.errors import VideoError, open_video, require_file

if TYPE_CHECKING:
    from av import Packet, VideoFrame
    from av.container import InputContainer
    from av.video.codeccontext import VideoCodecContext
    from av.video.stream import VideoStream

__all__ = ["VideoIndex", "decode_in_order", "demux", "load_index", "upright"]

PROBED_FRAMES = 48
logger = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class VideoIndex:
    """Where each of the n frames of a video is, in the order they are shown.

    Two kinds: where the file gives each packet a trustworthy presentation timestamp, frames are known by it; elsewhere
    (``by_order``: H.264 or B-frames in avi, raw streams, repeated timestamps) by their number in the decoder's output.

    Attributes
    ----------
    stamps : int64 (n,)
        Presentation timestamps, strictly increasing; the frame's number if ``by_order``.
    times : float64 (n,)
        Seconds since the first frame, strictly increasing.
    places : int64 (P,)
        What identifies a packet after a seek, by decode order: its timestamp (dts if ``by_order``).
    dts : int64 (P,)
        Decode timestamps by decode order; the presentation timestamp where there is none.
    keys : int64 (M,)
        Positions, in decode order, of the packets decoding can start from. The first is always 0.
    key_frames : int64 (M,)
        For each of them the first frame that it gives whole.
    lost : int64 (L,)
        Frames known to be missing or cut.
    by_order, seekable : bool
        See above; whether decoding can start elsewhere than at the beginning.
    size : int64 (2,)
        Height and width as stored, before rotation.
    matrix : float64 (4,)
        The display matrix (a, b, c, d): a stored pixel (x, y) is shown at (a x + c y, b x + d y).
    tick : float
        The resolution of the timestamps in seconds.
    rate : float
        Frames per second that the file claims, 0 if none.
    """

    stamps: NDArray[np.int64]
    times: NDArray[np.float64]
    places: NDArray[np.int64]
    dts: NDArray[np.int64]
    keys: NDArray[np.int64]
    key_frames: NDArray[np.int64]
    lost: NDArray[np.int64]
    by_order: bool
    seekable: bool
    size: NDArray[np.int64]
    matrix: NDArray[np.float64]
    tick: float
    rate: float

    def __len__(self) -> int:
        return len(self.stamps)

    def key_for(self, frame: int) -> int:
        """Number of the last key from which ``frame`` can be decoded."""
        if not self.seekable:
            return 0
        return max(0, int(np.searchsorted(self.key_frames, frame, side="right")) - 1)

    def frame_at(self, stamp: int | None) -> int | None:
        """The number of the frame with a timestamp, or None."""
        if stamp is None:
            return None
        frame = int(np.searchsorted(self.stamps, stamp))
        return frame if frame < len(self) and self.stamps[frame] == stamp else None


def load_index(path: Path) -> VideoIndex:
    """The index of a video file, from the cache or by reading the file through once.

    Parameters
    ----------
    path : Path
        A video file.

    Returns
    -------
    VideoIndex

    Raises
    ------
    VideoError
        If the file is not a video or no frame of it can be decoded.
    """
    require_file(path)
    names = [field.name for field in fields(VideoIndex)]
    cached = cache_path(path)
    arrays = read_cache(cached, names)
    if arrays is None:
        index = _build(path)
        write_cache(cached, {name: getattr(index, name) for name in names})
    else:
        index = VideoIndex(**arrays)
    if len(index.lost):
        logger.warning(
            "%s: %d of %d frames are damaged or missing, the first is frame %d. They stay empty; the others keep their "
            "numbers.", path, len(index.lost), len(index), index.lost[0],
        )  # fmt: skip
    return index


def demux(container: InputContainer, stream: VideoStream, retries: int = 8) -> Iterator[Packet[VideoStream]]:
    """Packets of a stream in decode order, without empty ones; reading goes on after a damaged stretch."""
    while True:
        try:
            for packet in container.demux(stream):
                if packet.size:
                    yield packet
            return
        except av.error.EOFError:
            return
        except av.error.FFmpegError as error:
            retries -= 1
            logger.debug("demuxing %s: %s", container.name, error)
            if retries < 0:
                return


def upright(image: NDArray[np.uint8], matrix: NDArray[np.float64]) -> NDArray[np.uint8]:
    """Turn or mirror an image ``(H, W, ...)`` by a display matrix (a, b, c, d), to the nearest quarter turn."""
    a, b, c, d = matrix
    if abs(b) > abs(a):
        image = image.swapaxes(0, 1)
        flip_x, flip_y = c < 0, b < 0
    else:
        flip_x, flip_y = a < 0, d < 0
    return np.ascontiguousarray(image[:: -1 if flip_y else 1, :: -1 if flip_x else 1])


# --- building ------------------------------------------------------------------------------------------------------


@dataclass
class _Packets:
    """What the packets of a stream say, in decode order."""

    pts: list[Any]  # int, or None where there is none
    dts: list[Any]
    key: list[bool]
    shown: list[bool]
    corrupt: list[bool]


def _build(path: Path) -> VideoIndex:
    container, stream = open_video(path)
    with container:
        packets = _scan(container, stream)
        table = _table(container, stream)
        in_avi = "avi" in container.format.name
        reorders = bool(stream.codec_context.has_b_frames)
    first, stamps = _probe(path)
    if first is None:
        raise VideoError(
            f"{path}: expected a video, found no frame that can be decoded. It is cut off or damaged; copy it again."
        )
    if _trustworthy(packets, stamps, in_avi and reorders):
        index = _by_timestamp(packets, table, first["tick"])
    else:
        index = _by_order(packets, path, first)
    return VideoIndex(**index, **first)


def _scan(container: InputContainer, stream: VideoStream) -> _Packets:
    """Read all packets of a stream once."""
    found = _Packets([], [], [], [], [])
    hidden = stream.codec_context.name in ("vp8", "libvpx")
    for packet in demux(container, stream):
        found.pts.append(packet.pts)
        found.dts.append(packet.dts)
        found.key.append(packet.is_keyframe)
        found.corrupt.append(packet.is_corrupt)
        # In VP8 a packet may be an invisible reference: bit 4 of its first byte says so.
        found.shown.append(not packet.is_discard and not (hidden and not memoryview(packet)[0] & 0x10))
    return found


def _table(container: InputContainer, stream: VideoStream) -> tuple[NDArray[np.int64], NDArray[np.bool_]] | None:
    """All frames that a file's table announces: decode timestamps int64 (N,) and key flags bool (N,); None without one.

    PyAV shows the table from version 16 on. Before, an mp4 tells at least how many frames it has: then the timestamps
    count from 0 by 1, and `_announced` takes the frame rate for constant.
    """
    entries = getattr(stream, "index_entries", None)
    if entries is None:
        return (np.arange(stream.frames), np.zeros(stream.frames, bool)) if "mov" in container.format.name else None
    if not stream.frames or len(entries) != stream.frames:
        return None
    entries = [(entry.timestamp, entry.is_keyframe) for entry in entries if entry.size]
    return np.array([e[0] for e in entries], np.int64), np.array([e[1] for e in entries], bool)


def _probe(path: Path) -> tuple[dict[str, Any] | None, list[Any]]:
    """Size, display matrix and so on from the first decodable frame (None if there is none), and some timestamps."""
    container, stream = open_video(path)
    first: dict[str, Any] | None = None
    stamps: list[Any] = []
    with container:
        stream.thread_type = "NONE"
        for packet in demux(container, stream):
            try:
                frames = stream.codec_context.decode(packet)
            except av.error.FFmpegError:
                continue
            for frame in frames:
                first = first or _about(frame, stream)
                stamps.append(frame.pts)
            if len(stamps) >= PROBED_FRAMES:
                return first, stamps
        for frame in _flushed(stream.codec_context):
            first = first or _about(frame, stream)
            stamps.append(frame.pts)
    return first, stamps


def _flushed(decoder: VideoCodecContext) -> list[VideoFrame]:
    """The frames that a decoder still holds at the end."""
    try:
        return decoder.decode(None)
    except av.error.FFmpegError:
        return []


def _about(frame: VideoFrame, stream: VideoStream) -> dict[str, Any]:
    matrix = (1.0, 0.0, 0.0, 1.0)
    data = frame.side_data.get("DISPLAYMATRIX")
    if data is not None:
        a, b, _, c, d = np.frombuffer(bytes(cast("Any", data)), np.int32)[:5] / 65536
        matrix = (a, b, c, d)
    elif stream.metadata.get("rotate", "0").lstrip("-").isdigit():
        angle = np.deg2rad(int(stream.metadata.get("rotate", "0")))
        matrix = (np.cos(angle), np.sin(angle), -np.sin(angle), np.cos(angle))
    return {
        "size": np.array([frame.height, frame.width]),
        "matrix": np.array(matrix, float),
        "tick": float(stream.time_base or 0),
        "rate": float(stream.average_rate or 0),
    }


def _trustworthy(packets: _Packets, stamps: list[Any], suspicious: bool) -> bool:
    """Whether packets' timestamps number the frames: present, distinct, in line with what the decoder gives."""
    pts = [p for p, shown in zip(packets.pts, packets.shown, strict=True) if shown]
    dts = [d for d in packets.dts if d is not None]
    known = set(pts)
    if not pts or None in packets.pts or len(known) != len(pts) or len(set(packets.pts)) != len(packets.pts):
        return False
    if any(b < a for a, b in pairwise(dts)) or not known.issuperset(stamps):
        return False
    if any(b <= a for a, b in pairwise(stamps)):
        return False
    # avi has no presentation timestamps: if they are simply counted up although the codec reorders, they mean nothing.
    return not (suspicious and all(b > a for a, b in pairwise(pts)))


def _by_timestamp(
    packets: _Packets, table: tuple[NDArray[np.int64], NDArray[np.bool_]] | None, tick: float
) -> dict[str, Any]:
    """The index of a file whose packets carry presentation timestamps."""
    pts, shown = np.array(packets.pts, np.int64), np.array(packets.shown)
    present = np.sort(pts[shown])
    stamps = _announced(present, table[0]) if table is not None and shown.all() else present
    missing = np.union1d(np.setdiff1d(stamps, present), pts[shown & np.array(packets.corrupt)])
    keys = np.union1d([0], np.flatnonzero(_key_flags(packets, table)))
    later = pts[keys[1:]] > np.maximum.accumulate(pts[keys])[:-1]  # a key shown before an earlier one is of no use
    keys = keys[np.concatenate([[True], later])]
    key_frames = np.searchsorted(stamps, pts[keys])
    key_frames[0] = 0
    return {
        "stamps": stamps, "times": (stamps - stamps[0]) * tick, "places": pts,
        "dts": np.array([p if d is None else d for p, d in zip(packets.pts, packets.dts, strict=True)], np.int64),
        "keys": keys, "key_frames": key_frames, "lost": np.searchsorted(stamps, missing),
        "by_order": False, "seekable": True,
    }  # fmt: skip


def _key_flags(packets: _Packets, table: tuple[NDArray[np.int64], NDArray[np.bool_]] | None) -> NDArray[np.bool_]:
    """Which packets (P,) are key frames: as they say themselves or, where damage keeps them from it, the table."""
    flags = np.array(packets.key)
    if table is not None and packets.dts == table[0][: len(flags)].tolist():
        flags |= table[1][: len(flags)]
    return flags


def _announced(present: NDArray[np.int64], table: NDArray[np.int64]) -> NDArray[np.int64]:
    """Presentation timestamps of all frames that a file's table announces, some of which were cut off.

    Where frames are reordered, the table's decode timestamps are the presentation timestamps, later by a few places.
    """
    absent = len(table) - len(present)
    if absent <= 0:
        return present
    constant = max(1, int(np.median(np.diff(present)))) if len(present) > 1 else 1
    delay = int(np.searchsorted(table, present[0]))
    ladders: tuple[NDArray[np.int64], ...] = (
        np.concatenate([table[delay:], table[-1] + constant * np.arange(1, delay + 1)]),
        present[0] + constant * np.arange(len(table)),
    )
    for stamps in ladders:
        if np.isin(present, stamps).all() and (np.diff(stamps) > 0).all():
            return stamps
    return np.concatenate([present, present[-1] + constant * np.arange(1, absent + 1)])


def _by_order(packets: _Packets, path: Path, about: dict[str, Any]) -> dict[str, Any]:
    """The index of a file whose timestamps don't number the frames: by decoding it all."""
    stamps: list[Any] = []
    keys: list[int] = []
    lost: list[int] = []
    container, stream = open_video(path)
    with container:
        stream.thread_type = "NONE"
        for number, frame in enumerate(decode_in_order(stream.codec_context, demux(container, stream))):
            stamps.append(None if frame is None else frame.pts)
            if frame is None or frame.is_corrupt:
                lost.append(number)
            elif frame.key_frame:
                keys.append(number)
    count = len(stamps)
    places, seekable = _order_places(packets, len(keys))
    starts = np.flatnonzero(packets.key) if seekable else np.array([0])
    key_frames = np.array(keys if seekable else [0], np.int64)
    if starts[0] != 0:
        starts, key_frames = np.concatenate([[0], starts]), np.concatenate([[0], key_frames])
    key_frames[0] = 0
    return {
        "stamps": np.arange(count), "times": _order_times(stamps, about), "places": places, "dts": places,
        "keys": starts, "key_frames": key_frames, "lost": np.array(lost, np.int64),
        "by_order": True, "seekable": seekable,
    }  # fmt: skip


def decode_in_order(decoder: VideoCodecContext, packets: Iterable[Packet[VideoStream]]) -> Iterator[VideoFrame | None]:
    """Frames as a decoder (without threads, so repeatable) gives them, None for each packet that it refuses."""
    for packet in packets:
        try:
            yield from decoder.decode(packet)
        except av.error.FFmpegError:
            yield None
    yield from _flushed(decoder)


def _order_places(packets: _Packets, n_keys: int) -> tuple[NDArray[np.int64], bool]:
    """Decode timestamps as places (P,), and whether one can seek by them."""
    dts = packets.dts
    if None in dts or any(b <= a for a, b in pairwise(dts)):
        return np.arange(len(dts)), False
    return np.array(dts, np.int64), 0 < n_keys == sum(packets.key)


def _order_times(stamps: list[Any], about: dict[str, Any]) -> NDArray[np.float64]:
    """Seconds from timestamps (a list, None where unknown) if they are complete and in order, else from the rate."""
    if None not in stamps and all(b >= a for a, b in pairwise(stamps)):
        return np.asarray((np.array(stamps, np.int64) - stamps[0]) * about["tick"])
    return np.asarray(np.arange(len(stamps)) / (about["rate"] or 25.0))
