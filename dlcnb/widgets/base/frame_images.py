"""Extracted frames in memory: the last few shown, and those likely to be asked for next."""

from __future__ import annotations

import threading
from collections import OrderedDict

from dlcnb.labels.images import read_image
from dlcnb.widgets.base.canvas import Painter

__all__ = ["FrameImages"]

KEPT = 12  # images; 75 MB at 1920 × 1080


class FrameImages:
    """Reads the images of a project, keeping some.

    Parameters
    ----------
    project : Project
    """

    def __init__(self, project):
        self._project = project
        self._kept = OrderedDict()
        self._lock = threading.Lock()
        self._ahead = ()
        self._worker = Painter(self._fetch, lambda error: None)  # an unreadable frame is told when it is shown

    def read(self, image):
        """The image, uint8 (H, W, 3); raises `LabelError`."""
        with self._lock:
            if image in self._kept:
                self._kept.move_to_end(image)
                return self._kept[image]
        pixels = read_image(self._project.root / image)
        with self._lock:
            self._kept[image] = pixels
            while len(self._kept) > KEPT:
                self._kept.popitem(last=False)
        return pixels

    def prepare(self, images):
        """Read these images on another thread."""
        self._ahead = tuple(images)
        self._worker.request()

    def _fetch(self):
        for image in self._ahead:
            self.read(image)

    def close(self):
        """Forget all images."""
        self._worker.close()
        with self._lock:
            self._kept.clear()
