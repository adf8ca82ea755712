"""A decoder with a place in the video: it goes on decoding, or seeks, whichever gives the wanted frame sooner."""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import Iterable, Iterator
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING

import av
import numpy as np
from numpy.typing import NDArray

from dlcnb.video.color import Converter
from dlcnb.video.errors import open_video
from dlcnb.video.index import VideoIndex, decode_in_order, demux

if TYPE_CHECKING:
    from av import Packet, VideoFrame
    from av.container import InputContainer
    from av.video.stream import VideoStream

__all__ = ["Decoder"]

SEEK_COST = 12  # about as long as decoding so many frames
WARM_UP_KEYS = 4
logger = logging.getLogger(__name__)


class _RefusedError(Exception):
    """The decoder, running in threads, refused a packet: frames beside the damaged one may have gone with it."""


class Decoder:
    """Decode frames of one video by number. For use by one thread.

    Parameters
    ----------
    path : Path
        The video.
    index : VideoIndex
        Its index.
    keep : int
        How many frames to remember, so that stepping back is quick.
    """

    def __init__(self, path: Path, index: VideoIndex, *, keep: int = 0) -> None:
        self._path, self._index, self._keep = path, index, keep
        self._lost = {int(i) for i in index.lost}
        self._key_frames = {int(i) for i in index.key_frames}
        self._to_rgb = Converter(index)
        self._recent: OrderedDict[int, VideoFrame] = OrderedDict()
        self._by_place = np.argsort(index.places, kind="stable")
        self._container: InputContainer | None = None
        self._stream: VideoStream
        self._threads = "NONE" if index.by_order else "AUTO"
        self._start_key = 0
        # Frames before `passed` are behind; `held` is the next that the decoder gave; those between are damaged.
        self._passed = len(index)
        self._held: tuple[int, VideoFrame | None] = len(index), None
        self._frames: Iterator[tuple[int, VideoFrame | None]] = iter(())

    def image(self, i: int) -> NDArray[np.uint8] | None:
        """As `get`, but an upright RGB image, uint8 (H, W, 3)."""
        frame = self.get(i)
        return None if frame is None else self._to_rgb(frame)

    def get(self, i: int) -> VideoFrame | None:
        """Decode a frame.

        Parameters
        ----------
        i : int
            Number of the frame, inside the video.

        Returns
        -------
        av.VideoFrame or None
            None if the frame is damaged.
        """
        if i in self._lost:
            return None
        if i in self._recent:
            return self._recent[i]
        key = self._index.key_for(i)
        if i < self._passed or int(self._index.key_frames[key]) - self._held[0] > SEEK_COST:
            self._restart(key)
        frame = self._advance(i)
        # Soon after a seek a frame may only lack references (open GOP, gradual refresh): come from further back.
        if frame is None and self._start_key > 0 and key - self._start_key < 2:
            self._restart(max(0, key - WARM_UP_KEYS))
            frame = self._advance(i)
        if frame is None:
            self._lost.add(i)
        return frame

    def close(self) -> None:
        """Close the file."""
        self._frames = iter(())
        self._recent.clear()
        self._passed, self._held = len(self._index), (len(self._index), None)
        if self._container is not None:
            self._container.close()
            self._container = None

    def _advance(self, i: int) -> VideoFrame | None:
        """Decode forward to frame ``i``; None if the decoder leaves it out or marks it as corrupt."""
        while self._held[0] < i:
            self._passed = self._held[0] + 1
            try:
                self._held = next(self._frames, (len(self._index), None))
            except _RefusedError:
                logger.debug("%s: damaged after frame %d, decoding without threads", self._path, self._passed)
                at = self._index.key_for(self._passed)
                self.close()
                self._threads = "NONE"
                self._restart(min(at, self._start_key) if at - self._start_key < 2 else at)
                continue
            if self._keep and self._held[1] is not None:
                self._recent[self._held[0]] = self._held[1]
                if len(self._recent) > self._keep:
                    self._recent.popitem(last=False)
        return self._held[1] if self._held[0] == i else None

    def _restart(self, key: int) -> None:
        """Begin to decode from a key."""
        self._start_key = key
        first = int(self._index.key_frames[key])
        self._passed, self._held = first, (first - 1, None)
        packets = self._packets(key)
        self._frames = self._numbered(first, packets) if self._index.by_order else self._stamped(first, packets)

    def _stamped(self, first: int, packets: Iterable[Packet[VideoStream]]) -> Iterator[tuple[int, VideoFrame | None]]:
        """(number, frame or None if damaged) ascending from frame ``first`` on, numbered by timestamps.

        A damaged key frame takes those with it that build on it, up to the next key frame.
        """
        last, broken = first - 1, False
        for frame in self._decoded(packets):
            number = self._index.frame_at(frame.pts)
            if number is None or number <= last:
                continue
            damaged = frame.is_corrupt or number in self._lost
            if number in self._key_frames:
                broken = damaged
            elif self._skipped_key(last, number):
                broken = True
            last = number
            yield number, None if damaged or broken else frame

    def _skipped_key(self, last: int, number: int) -> bool:
        """Whether a key frame after ``last`` is missing before ``number``; the file's first frame need not be one."""
        keys = self._index.key_frames
        at = int(np.searchsorted(keys, number, side="right")) - 1
        return at > 0 and bool(last < keys[at] < number)

    def _decoded(self, packets: Iterable[Packet[VideoStream]]) -> Iterator[VideoFrame]:
        """Frames as the decoder gives them, passing over what it refuses."""
        decoder = self._stream.codec_context
        for packet in chain(packets, [None]):
            try:
                frames = decoder.decode(packet)
            except av.error.FFmpegError as error:
                if self._threads != "NONE":
                    raise _RefusedError from error
                continue
            yield from frames

    def _numbered(self, first: int, packets: Iterable[Packet[VideoStream]]) -> Iterator[tuple[int, VideoFrame | None]]:
        """As `_stamped`, but counted from the first key frame that the decoder gives."""
        number, begun = first - 1, first == 0
        for frame in decode_in_order(self._stream.codec_context, packets):
            begun = begun or (frame is not None and frame.key_frame)
            if begun:
                number += 1
                yield number, frame

    # --- packets from a key on ---

    def _packets(self, key: int) -> Iterator[Packet[VideoStream]]:
        """Packets in decode order from a key on: by seeking, else from the beginning of the file."""
        position = int(self._index.keys[key])
        if key > 0:
            container = self._container
            if container is None:
                container = self._open()
                self._prime(container)
            for target in self._targets(key):
                sought = self._sought(container, target, position)
                if sought is not None:
                    return sought
            logger.debug("%s: no way to seek to frame %d, reading from the start", self._path, self._passed)
        packets = demux(self._open(), self._stream)
        return packets if key == 0 else self._from(packets, position) or iter(())

    def _open(self) -> InputContainer:
        if self._container is not None:
            self._container.close()
        self._container, self._stream = open_video(self._path)
        self._stream.thread_type = self._threads
        return self._container

    def _prime(self, container: InputContainer) -> None:
        """Show the decoder the first packet: only it tells the version of x264, needed to decode 4:4:4 rightly."""
        for packet in islice(demux(container, self._stream), 1):
            try:
                self._stream.codec_context.decode(packet)
            except av.error.FFmpegError as error:
                logger.debug("%s: the first packet is damaged: %s", self._path, error)

    def _targets(self, key: int) -> Iterator[int]:
        """Timestamps worth seeking to, the best first."""
        index = self._index
        for k in (key, max(0, key - 1), max(0, key - WARM_UP_KEYS)):
            yield int(index.places[index.keys[k]])
            yield int(index.dts[index.keys[k]])

    def _sought(self, container: InputContainer, target: int, position: int) -> Iterator[Packet[VideoStream]] | None:
        """Packets from the one at ``position`` on after seeking, None if the seek went past it."""
        try:
            container.seek(target, stream=self._stream, backward=True)
        except av.error.FFmpegError:
            return None
        self._stream.codec_context.flush_buffers()
        return self._from(demux(container, self._stream), position)

    def _from(self, packets: Iterator[Packet[VideoStream]], position: int) -> Iterator[Packet[VideoStream]] | None:
        """Drop packets up to ``position`` in decode order; None if they begin after it."""
        for packet in packets:
            place = self._position(packet.dts if self._index.by_order else packet.pts)
            if place == position:
                return chain([packet], packets)
            if place is not None and place > position:
                return None
        return None

    def _position(self, stamp: int | None) -> int | None:
        """Position of a packet in decode order, None if it is not in the index."""
        if stamp is None:
            return None
        places = self._index.places
        found = int(np.searchsorted(places, stamp, sorter=self._by_place))
        if found == len(places) or places[self._by_place[found]] != stamp:
            return None
        return int(self._by_place[found])
