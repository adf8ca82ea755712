"""Extracted frames in memory: the last few shown, and those likely to be asked for next."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from contextlib import suppress

import numpy as np
from cachetools import LRUCache, cachedmethod
from numpy.typing import NDArray

from dlcnb.labels.errors import LabelError
from dlcnb.labels.images import image_size, read_image
from dlcnb.project import Project
from dlcnb.widgets.base.canvas import Painter

__all__ = ["FrameImages"]

KEPT = 12  # images; 75 MB at 1920 × 1080


class FrameImages:
    """Reads the images of a project, keeping some.

    Parameters
    ----------
    project : Project
    """

    def __init__(self, project: Project) -> None:
        self._project = project
        self._kept: LRUCache[str, NDArray[np.uint8]] = LRUCache(KEPT)
        self._condition = threading.Condition()
        self._ahead: tuple[tuple[str, ...], Callable[[str], object]] = (), self.read
        self._worker = Painter(self._fetch, lambda error: None)

    @cachedmethod(lambda self: self._kept, condition=lambda self: self._condition)
    def read(self, image: str) -> NDArray[np.uint8]:
        """The image, uint8 (H, W, 3); raises `LabelError`."""
        return read_image(self._project.root / image)

    def size(self, image: str) -> tuple[int, int] | None:
        """``(height, width)`` of the image, of which only the header is read; None if it can't be, which is told when
        it is shown.
        """
        try:
            return image_size(self._project.root / image)
        except LabelError:
            return None

    def prepare(self, images: Iterable[str], make: Callable[[str], object]) -> None:
        """Call ``make``, which reads it, with each of these images on another thread, in place of those before."""
        self._ahead = tuple(images), make
        self._worker.request()

    def _fetch(self) -> None:
        images, make = ahead = self._ahead
        for image in images:
            if self._ahead is not ahead:
                return
            with suppress(LabelError):  # one that can't be read is told when it is shown
                make(image)

    def close(self) -> None:
        """Forget all images; nothing more is made ready."""
        self._worker.close()
        self._ahead = (), self.read
        with self._condition:
            self._kept.clear()
