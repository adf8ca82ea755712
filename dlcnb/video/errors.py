"""What can be wrong with a video file, said in one clear message."""

import os
from pathlib import Path

import av

__all__ = ["DamagedFrameError", "VideoError", "open_video", "require_file"]

ATTACHED_PICTURE = 0x400  # FFmpeg's AV_DISPOSITION_ATTACHED_PIC; PyAV names it from version 14 on
_ANY_METADATA = {"metadata_errors": "replace"} if int(av.__version__.split(".")[0]) < 19 else {}  # the habit of 19 on


class VideoError(ValueError):
    """A file that can't be used as a video; the message says what was expected, what was found, and the cure."""


class DamagedFrameError(VideoError):
    """A frame that is in the video's index but can't be decoded.

    Attributes
    ----------
    index : int
        The number of the frame.
    """

    def __init__(self, message, index):
        super().__init__(message)
        self.index = index


def open_video(path):
    """Open a video file for demuxing.

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
        container = av.open(os.fspath(path), **_ANY_METADATA)
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


def _is_cover(stream):
    """Whether a stream is the cover picture of a music file."""
    disposition = getattr(stream, "disposition", 0)
    return bool(getattr(disposition, "value", disposition) & ATTACHED_PICTURE)


def require_file(path):
    """Raise `VideoError` unless there is a readable, non-empty file at ``path``."""
    if not path.exists():
        raise VideoError(f"{path}: expected a video, found no such file. Check the path, or that the disk is mounted.")
    if not path.is_file():
        raise VideoError(f"{path}: expected a video file, found a folder. Give the path of one video.")
    if not os.access(path, os.R_OK):
        raise VideoError(f"{path}: expected a readable video, found a file you may not read. Change its permissions.")
    if path.stat().st_size == 0:
        raise VideoError(f"{path}: expected a video, found an empty file. Copy the recording again.")


def _what_it_is(path, error):
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


def _is_text(data):
    try:
        text = data.decode()
    except UnicodeDecodeError as error:  # a character cut in two by the end of the sample is no objection
        if error.start < len(data) - 3:
            return False
        text = data[: error.start].decode()
    return all(c.isprintable() or c in "\r\n\t\f\ufeff" for c in text)


def _atoms(path):
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
