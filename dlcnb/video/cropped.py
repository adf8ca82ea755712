"""A part of each frame of a video."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import closing
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dlcnb.video.reader import VideoReader

__all__ = ["CroppedVideo"]


class CroppedVideo:
    """A video of which only a part of each frame is seen.

    Parameters
    ----------
    video : path or VideoReader.
    crop : (x1, x2, y1, y2) px, ends excluded; None = whole frames.

    Attributes
    ----------
    size : (height, width) of the part, px.
    corner : (x, y) px: where its first pixel lies in the frame.

    Raises ValueError if the crop is no part of the frame.
    """

    def __init__(self, video: str | Path | VideoReader, crop: Sequence[int] | None = None) -> None:
        self._reader = video if isinstance(video, VideoReader) else VideoReader(video)
        height, width = self._reader.size
        x1, x2, y1, y2 = crop or (0, width, 0, height)
        if not (0 <= x1 < x2 <= width and 0 <= y1 < y2 <= height):
            raise ValueError(
                f"The crop x {x1} to {x2}, y {y1} to {y2} is not a part of {self._reader.path.name}, whose frames are "
                f"{width}×{height} px. Expected x1,x2,y1,y2 with x1 < x2 <= {width} and y1 < y2 <= {height}."
            )
        self._part = slice(y1, y2), slice(x1, x2)
        self.size, self.corner = (y2 - y1, x2 - x1), (x1, y1)

    def __len__(self) -> int:
        return len(self._reader)

    def frames(self, start: int, stop: int) -> Generator[tuple[int, NDArray[np.uint8] | None], None, None]:
        """Their numbers and pixels ``(H, W, 3)``, as `VideoReader.frames` gives them."""
        with closing(self._reader.frames(start, stop)) as frames:
            for number, image in frames:
                yield number, None if image is None else image[self._part]
