"""Extracted frames on disk: which files in a folder they are, and their pixels, read in one way everywhere."""

from __future__ import annotations

import os
from io import BufferedReader
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from dlcnb.labels.errors import LabelError
from dlcnb.project import is_stray

__all__ = ["frame_images", "image_problem", "image_size", "read_image"]

USUAL = (".png", ".jpg", ".jpeg")  # kinds that every program takes
SUFFIXES = (*USUAL, ".bmp", ".tif", ".tiff", ".webp")
MOST_PIXELS = 100_000_000  # of a frame; a frame of an 8K video has 33 million
_TURNED = (5, 6, 7, 8)  # orientations of EXIF that exchange width and height
_ORIENTATION = 274
_PNG, _JPEG = b"\x89PNG", b"\xff\xd8"
_TAIL = 4096  # bytes in which a file says that it ends


def frame_images(folder: str | Path) -> list[str]:
    """Names of the extracted frames in a folder, sorted.

    Hidden files, copies that a file manager made, and the pictures with drawn labels that DeepLabCut 2.0 put beside
    the frames (``img012labeled.png``) are none.
    """
    try:
        names = os.listdir(folder)
    except (FileNotFoundError, NotADirectoryError):
        return []
    found = (Path(name) for name in names if name.lower().endswith(SUFFIXES) and not is_stray(name))
    return sorted(path.name for path in found if not path.stem.endswith("labeled"))


def read_image(path: str | Path) -> NDArray[np.uint8]:
    """An image file as uint8 (H, W, 3), RGB, upright.

    Of 16 bits per value those are taken that are used: a camera's 10, 12 or 14 bits become as bright as 8.

    Raises
    ------
    LabelError
        If it is missing, damaged, cut off, or larger than any frame of a video.
    """
    import cv2  # here: it takes a while to load

    data = _whole_data(Path(path))
    flags = cv2.IMREAD_ANYDEPTH | cv2.IMREAD_COLOR
    if not data.startswith(_JPEG):  # only cameras' pictures are stored lying
        flags |= cv2.IMREAD_IGNORE_ORIENTATION
    _silence(cv2)
    image: NDArray[Any] | None = cv2.imdecode(np.frombuffer(data, np.uint8), flags)
    if image is None:
        raise _damaged(path) if data.startswith((_PNG, _JPEG)) else _unread(path)
    if image.dtype == np.uint16:
        image = (image >> _spare_bits(image)).astype(np.uint8)
    elif image.dtype != np.uint8:
        image = cv2.imdecode(np.frombuffer(data, np.uint8), flags & ~cv2.IMREAD_ANYDEPTH)
    return np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2RGB), np.uint8)


def _silence(cv2: Any) -> None:
    """Let OpenCV say nothing on what it can't read: that is told here, in words for people."""
    if hasattr(cv2, "setLogLevel"):
        cv2.setLogLevel(0)
    else:  # since OpenCV 5
        cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)


def image_size(path: str | Path) -> tuple[int, int]:
    """(height, width) in px of an image file, upright, as `read_image` gives it; its pixels aren't read.

    Raises `LabelError` as `read_image`, except for damage within the pixels.
    """
    path = Path(path)
    _check_file(path)
    try:
        with open(path, "rb") as file, _opened(file, file.read(4)) as picture:
            width, height = picture.size
            turned = picture.format == "JPEG" and picture.getexif().get(_ORIENTATION) in _TURNED
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise _damaged(path) from error
    if width * height > MOST_PIXELS:
        raise LabelError(
            f"{path} has {width} × {height} pixels, more than a frame of a video; delete it and extract the frame again"
        )
    return (width, height) if turned else (height, width)


def image_problem(path: str | Path) -> str | None:
    """What is wrong with an image file, as `read_image` says it, or None; cheap: of PNG and JPEG pixels aren't read."""
    try:
        image_size(path)
        if not _is_whole(Path(path)):
            return str(_damaged(path))
        with open(path, "rb") as file:
            usual = file.read(4).startswith((_PNG, _JPEG))
        if not usual:
            read_image(path)
    except LabelError as error:
        return str(error)
    return None


def _whole_data(path: Path) -> bytes:
    image_size(path)
    if not _is_whole(path):
        raise _damaged(path)
    try:
        return path.read_bytes()  # as cv2.imread fails on names beyond ASCII on Windows
    except OSError as error:
        raise LabelError(f"{path} can't be read ({error.strerror}); extract this frame again") from error


def _check_file(path: Path) -> None:
    if not path.is_file():
        state = "is not a file" if path.exists() else "is missing"
        cure = "extract this frame again, or take its row out (in a terminal: dlcnb doctor --repair)"
        raise LabelError(f"{path} {state}; {cure}")


def _opened(file: BufferedReader, start: bytes) -> Image.Image:
    """An image of which only the header is read. Pillow's `Image.open` would warn of large ones."""
    from PIL import JpegImagePlugin, PngImagePlugin

    file.seek(0)
    if start == _PNG:
        return PngImagePlugin.PngImageFile(file)
    if start.startswith(_JPEG):
        return JpegImagePlugin.JpegImageFile(file)
    return Image.open(file)


def _is_whole(path: Path) -> bool:
    """Whether a PNG or JPEG file has the mark of its end; True for other kinds."""
    with open(path, "rb") as file:
        start = file.read(4)
        file.seek(max(0, os.fstat(file.fileno()).st_size - _TAIL))
        tail = file.read()
    if start == _PNG:
        return b"IEND" in tail
    return not start.startswith(_JPEG) or b"\xff\xd9" in tail


def _spare_bits(image: NDArray[np.uint16]) -> int:
    """By how many bits values are to be shifted to become 8: 16-bit files often hold 10, 12 or 14."""
    used = int(image.max(initial=0)).bit_length()
    return next(bits - 8 for bits in (8, 10, 12, 14, 16) if used <= bits)


def _unread(path: str | Path) -> LabelError:
    """A picture of a kind that only its header can be read of, such as GIF, whatever the file is called."""
    with Image.open(path) as picture:
        found = picture.format
    return LabelError(f"{path}: expected a PNG or JPEG picture, found {found}; save it as PNG under this name")


def _damaged(path: str | Path) -> LabelError:
    return LabelError(f"{path} is damaged: it is not an image; delete it and extract this frame again")
