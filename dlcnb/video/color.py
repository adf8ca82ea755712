"""Decoded frames as RGB images."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
from av.video.reformatter import VideoReformatter
from numpy.typing import NDArray

from dlcnb.video.index import VideoIndex, upright

if TYPE_CHECKING:
    from av import VideoFrame
    from av.video.plane import VideoPlane

__all__ = ["Converter"]

# Y, U, V of limited range -> R, G, B (ITU-R BT.601), which FFmpeg, too, takes where a file does not say.
_FROM_YUV = np.array([[255 / 219, 0, 1.402], [255 / 219, -0.344136, -0.714136], [255 / 219, 1.772, 0]])
_FROM_YUV[:, 1:] *= 255 / 224
_FROM_YUV = np.column_stack([_FROM_YUV, -_FROM_YUV @ [16, 128, 128]]).astype(np.float32)
_BT601 = (2, 5, 6)  # FFmpeg's numbers of "not told" and of the two names of BT.601
_FULL = 2


class Converter:
    """Makes RGB images of the frames of one video. For use by one thread: FFmpeg's tables are kept between frames.

    Parameters
    ----------
    index : VideoIndex
        Its index.
    """

    def __init__(self, index: VideoIndex) -> None:
        self._size, self._matrix = tuple(int(n) for n in index.size), index.matrix
        self._reformat = VideoReformatter().reformat
        self._yuv = np.empty((*self._size, 3), np.uint8)  # one for all frames: fresh memory costs more than the sums

    def __call__(self, frame: VideoFrame) -> NDArray[np.uint8]:
        """An av.VideoFrame as upright RGB; one that changes size in mid-file is brought to the size of the first."""
        image: Any  # uint8 (H, W, 3); the libraries say less
        same_size = (frame.height, frame.width) == self._size
        if same_size and frame.format.name == "rgb24":
            image = frame.to_ndarray().copy()  # else a view of the frame, which may be remembered
        elif same_size and _is_full_chroma(frame):
            image = cv2.transform(cv2.merge([_pixels(plane) for plane in frame.planes], self._yuv), _FROM_YUV)
        else:
            height, width = self._size
            image = self._reformat(frame, width=width, height=height, format="rgb24").to_ndarray()
        return upright(image, self._matrix)


def _pixels(plane: VideoPlane) -> NDArray[np.uint8]:
    """An av.VideoPlane of a byte per pixel as uint8 (H, W), a view."""
    rows: NDArray[np.uint8] = np.frombuffer(memoryview(plane), np.uint8).reshape(plane.height, plane.line_size)
    return rows[:, : plane.width]


def _is_full_chroma(frame: VideoFrame) -> bool:
    """Whether each pixel has its own colour (4:4:4), in which FFmpeg's conversion takes longer than the decoding."""
    return frame.format.name == "yuv444p" and frame.colorspace in _BT601 and frame.color_range != _FULL
