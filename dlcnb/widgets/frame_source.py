"""Frames for looking around in a video: what was just seen, and what lies before it, is at hand."""

from __future__ import annotations

import threading
from collections import OrderedDict

from dlcnb.video import DamagedFrameError

__all__ = ["FrameSource"]


class FrameSource:
    """Reads frames through a cache; stepping back decodes a run of frames at once, as a video can only be read forward.

    Parameters
    ----------
    reader : VideoReader
    budget : int
        Bytes of decoded frames to keep.
    """

    def __init__(self, reader, budget=96 * 2**20):
        self.reader = reader
        height, width = reader.size
        self._room = max(budget // (height * width * 3), 4)
        self._back = min(self._room // 2, 16)
        self._cache = OrderedDict()  # frame -> image, or None where it is damaged
        self._last = 0
        self._lock = threading.Lock()

    def read(self, frame):
        """The image of ``frame``, uint8 (H, W, 3); raises what `VideoReader.read` raises."""
        with self._lock:
            if frame not in self._cache:
                self._load(frame)
            self._last = frame
            self._cache.move_to_end(frame)
            image = self._cache[frame]
        if image is None:
            return self.reader.read(frame)  # raises the reader's own error
        return image

    def _load(self, frame):
        back = frame < self._last <= frame + 10
        for index in range(max(frame - self._back + 1, 0) if back else frame, frame + 1):
            try:
                self._keep(index, self.reader.read(index))
            except DamagedFrameError:
                self._keep(index, None)

    def _keep(self, frame, image):
        self._cache[frame] = image
        while len(self._cache) > self._room:
            self._cache.popitem(last=False)
