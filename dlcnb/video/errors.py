"""What can be wrong with a video file, said in one clear message."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING, Any

import av

from dlcnb.files import StrPath

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.video.stream import VideoStream

__all__ = ["DamagedFrameError", "VideoError", "open_video", "require_file"]

ATTACHED_PICTURE = 0x400  # FFmpeg's AV_DISPOSITION_ATTACHED_PIC; PyAV names it from version 14 on
_ANY_METADATA: dict[str, Any] = (
    {"metadata_errors": "replace"} if int(av.__version__.split(".")[0]) < 19 else {}
)  # the habit of 19 on


# What FFmpeg may read a file as: recordings, and sound so that it can be told. None of them opens further files, as
# playlists, slide shows and lists of parts do whatever their names.
_CONTAINERS = (
    "mov,mp4,m4a,3gp,3g2,mj2,avi,matroska,webm,mpeg,mpegts,mpegtsraw,mpegvideo,asf,asf_o,flv,live_flv,kux,mjpeg,mjpeg_2000,"
    "mpjpeg,smjpeg,h261,h263,h264,hevc,vvc,evc,av1,obu,ivf,m4v,ogg,dv,gif,apng,rm,nut,yuv4mpegpipe,mxf,gxf,wtv,nsv,nuv,"
    "vc1,vc1test,dirac,dnxhd,cavsvideo,avs,avs2,avs3,swf,dhav,lxf,mlv,cine,ser,amv,ingenient,r3d,"
    "mp3,wav,w64,flac,aac,ac3,eac3,aiff,amr,ape,caf"
)
_OPTIONS = {"format_whitelist": _CONTAINERS, "protocol_whitelist": "file"}


class VideoError(ValueError):
    """A file that can't be used as a video; the message says what was expected, what was found, and the cure."""


class DamagedFrameError(VideoError):
    """A frame that is in the video's index but can't be decoded.

    Attributes
    ----------
    index : int
        The number of the frame.
    """

    def __init__(self, message: str, index: int) -> None:
        super().__init__(message)
        self.index = index


def open_video(path: StrPath) -> tuple[InputContainer, VideoStream]:
    """Open a video file for demuxing, whatever its name looks like; it leads to no other file and no network.

    Parameters
    ----------
    path : path-like
        A file.

    Returns
    -------
    (av.container.InputContainer, av.video.stream.VideoStream)
        The open file and its first moving video stream (a cover picture is not one).

    Raises
    ------
    VideoError
        If there is no such file, it is not a video, is cut off, has no video in it or a codec that is not known.
    """
    path = Path(path)
    require_file(path)
    try:
        # by its whole path, in which no colon can be taken for that of a URL
        container = av.open(os.path.abspath(path), options=_OPTIONS, **_ANY_METADATA)
    except (av.error.FFmpegError, OSError) as error:
        raise VideoError(f"{path}: expected a video, found {_what_it_is(path, error)}") from error
    for stream in container.streams.video:
        if not _is_cover(stream):
            if stream.codec_context is None:
                container.close()
                raise VideoError(
                    f"{path}: expected a video that FFmpeg can decode, found an unknown codec. "
                    "Convert it to H.264, e.g. ffmpeg -i IN -c:v libx264 -crf 18 OUT.mp4"
                )
            return container, stream
    kinds = sorted({stream.type for stream in container.streams}) or ["nothing"]
    container.close()
    raise VideoError(
        f"{path}: expected a video, found a file with {' and '.join(kinds)} but no moving picture. "
        "Choose the file with the recording itself."
    )


def _is_cover(stream: VideoStream) -> bool:
    """Whether a stream is the cover picture of a music file."""
    disposition = getattr(stream, "disposition", 0)
    return bool(getattr(disposition, "value", disposition) & ATTACHED_PICTURE)


def require_file(path: Path) -> None:
    """Raise `VideoError` unless there is a readable, non-empty file at ``path``."""
    if not path.exists():
        raise VideoError(f"{path}: expected a video, found no such file. Check the path, or that the disk is mounted.")
    if not path.is_file():
        what = "folder" if path.is_dir() else "pipe" if stat.S_ISFIFO(path.stat().st_mode) else "device or socket"
        raise VideoError(f"{path}: expected a video file, found a {what}. Give the path of one video.")
    if not os.access(path, os.R_OK):
        raise VideoError(f"{path}: expected a readable video, found a file you may not read. Change its permissions.")
    if path.stat().st_size == 0:
        raise VideoError(f"{path}: expected a video, found an empty file. Copy the recording again.")


def _what_it_is(path: Path, error: Exception) -> str:
    """Describe a file that FFmpeg can't open, and the cure."""
    with open(path, "rb") as file:
        head = file.read(512)
    if head.startswith(b"version https://git-lfs"):
        return "a Git LFS pointer to one. Fetch the file itself with: git lfs pull"
    if head[4:8] in (b"ftyp", b"mdat", b"wide", b"free") and b"moov" not in _atoms(path):
        return (
            "an mp4 that was cut off: its table of frames (the moov atom) is missing. Copy it again in full; if the "
            "recording itself was interrupted, a tool such as untrunc may rebuild the table."
        )
    if b"\0" not in head and _is_text(head):
        return f"a text file that begins {head[:40].decode(errors='replace')!r}. Choose the recording itself."
    reason = getattr(error, "strerror", None) or str(error)
    return f"a file that FFmpeg can't read ({reason}). Check that it plays, copy it again or convert it to mp4 (H.264)."


def _is_text(data: bytes) -> bool:
    try:
        text = data.decode()
    except UnicodeDecodeError as error:  # a character cut in two by the end of the sample is no objection
        if error.start < len(data) - 3:
            return False
        text = data[: error.start].decode()
    return all(c.isprintable() or c in "\r\n\t\f\ufeff" for c in text)


def _atoms(path: Path) -> list[bytes]:
    """The names of the top-level atoms of an mp4 file (bytes), up to where it is cut."""
    names, size = [], path.stat().st_size
    with open(path, "rb") as file:
        at = 0
        while at + 8 <= size:
            file.seek(at)
            header = file.read(16)
            length, name = int.from_bytes(header[:4], "big"), header[4:8]
            if length == 1:
                length = int.from_bytes(header[8:16], "big")
            names.append(name)
            if length < 8:
                break
            at += length
    return names
