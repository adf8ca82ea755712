"""A recording of a browser, packed anew so that any frame of it can be found at once."""

from __future__ import annotations

import os
from itertools import count
from pathlib import Path
from typing import Any

import av

from dlcnb.files import StrPath, alone, atomic_path, disk_error
from dlcnb.video.errors import VideoError, open_video
from dlcnb.video.index import demux
from dlcnb.video.reader import VideoReader

__all__ = ["remux"]

_MP4 = ("h264", "hevc", "av1")  # codecs that players expect in an mp4; VP8 and VP9 go into a webm


def remux(source: StrPath, folder: StrPath) -> Path:
    """Copy a video's frames, without encoding them again, into a new file that has a table of them.

    What a browser records is a stream: without its length, and without a table of where frames are. Sound is left out.

    Parameters
    ----------
    source : path-like
        The recording.
    folder : path-like
        Where the new file goes: the source's name, with a number where it is taken, and its container's suffix.

    Returns
    -------
    Path
        The new file; its first and its last frame can be read.

    Raises
    ------
    VideoError
        If there is no frame in it that can be decoded; nothing is written then.
    OSError
        If the disk is full or the folder can't be written.
    """
    source = Path(source)
    container, stream = open_video(source)
    with container:
        suffix = ".mp4" if stream.codec_context.name in _MP4 else ".webm"
        with alone(folder):  # another tab may be about to take the same free name
            target = _free(Path(folder) / f"{source.stem}{suffix}")
            try:
                with atomic_path(target) as temporary, open(temporary, "wb") as file:
                    _copy(container, stream, file, suffix[1:])
            except av.error.FFmpegError as error:
                raise VideoError(
                    f"{source}: expected a recording, found one that is damaged ({error}); record it again"
                ) from error
            except OSError as error:
                raise disk_error(error, target) from error
    _read_ends(target)
    return target


def _read_ends(path: Path) -> None:
    """Read the first and the last frame of a video; one that has none is deleted, and a `VideoError`."""
    try:
        with VideoReader(path) as reader:
            for frame in (0, len(reader) - 1):
                reader.read(frame)
    except VideoError:
        path.unlink()
        raise


def _free(path: Path) -> Path:
    """The path, or with a number behind its name where something is there already."""
    numbered = (path.with_stem(f"{path.stem}-{n}") for n in count(2))
    return path if not os.path.lexists(path) else next(one for one in numbered if not os.path.lexists(one))


def _copy(container: Any, stream: Any, file: Any, form: str) -> None:
    """Copy the packets of a stream into an open file."""
    with av.open(file, "w", format=form) as opened:
        made: Any = opened
        if hasattr(made, "add_stream_from_template"):  # PyAV from 14 on
            copied = made.add_stream_from_template(stream)
        else:
            copied = made.add_stream(template=stream)
        for packet in (one for one in demux(container, stream) if one.dts is not None):
            packet.stream = copied
            made.mux(packet)
