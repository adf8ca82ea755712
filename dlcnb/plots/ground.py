"""The plane that a map is drawn in: the pixels of a frame or, where a scale is known, centimetres."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from dlcnb.geometry import homography
from dlcnb.project import Scale
from dlcnb.zones import Zone

__all__ = ["Ground"]

_WIDTH = 640  # px of a frame that is seen from straight above
_MOST = 400  # squares across or down such a frame, about
Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Ground:
    """Where a map begins and ends, ``low`` and ``high`` (x, y) in its ``unit``, and the ``side`` of its squares."""

    low: Floats
    high: Floats
    side: float
    scale: Scale | None = None

    @classmethod
    def of_frame(cls, size: tuple[int, int], side: float) -> Ground:
        """A frame (height, width) in pixels."""
        return cls(np.array([-0.5, -0.5]), np.array([size[1] - 0.5, size[0] - 0.5]), side)

    @classmethod
    def in_cm(
        cls, scale: Scale, size: tuple[int, int], points: Floats, zones: Sequence[Zone], side_px: float
    ) -> Ground:
        """A frame in centimetres; of a slanted camera's, what lies about the four corners, points (T, 2) and zones.

        Squares have a round number of centimetres, about as many as ``side_px`` pixels are.
        """
        if scale.px_per_cm is not None:
            low, high = scale.to_cm([(-0.5, -0.5), (size[1] - 0.5, size[0] - 0.5)])
            return cls(low, high, _round(side_px / scale.px_per_cm), scale)
        extent = np.array(scale.size_cm, float)
        seen = scale.to_cm(np.concatenate([points, *(ring for zone in zones for ring in zone.rings())]))
        seen = np.concatenate([seen[np.isfinite(seen).all(axis=1)], [(0, 0), extent]])
        low, high = seen.min(axis=0).clip(-extent, 0), seen.max(axis=0).clip(extent, 2 * extent)
        middle = np.mean(scale.corners, axis=0)
        px = np.hypot(*np.diff(scale.to_cm([middle, middle + (1, 0)]), axis=0)[0])  # cm
        return cls(low, high, _round(max(side_px * px, (high - low).max() / _MOST)), scale)

    @property
    def unit(self) -> str:
        """Of its axes."""
        return "px" if self.scale is None else "cm"

    def places(self, points: ArrayLike) -> Floats:
        """Points (..., 2) in pixels of the frame, in the unit of the map."""
        return np.asarray(points, float) if self.scale is None else self.scale.to_cm(points)

    def seen(self, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """A frame, uint8 (H, W, 3), from ``low`` to ``high``: that of a slanted camera from straight above."""
        if self.scale is None or not self.scale.corners:
            return image
        cm = (self.high - self.low).max() / _WIDTH  # of a pixel
        width, height = np.ceil((self.high - self.low) / cm).astype(int).tolist()
        across, down = self.scale.size_cm or (0.0, 0.0)
        corners = np.array([(0, 0), (across, 0), (across, down), (0, down)])
        matrix = homography(self.scale.corners, (corners - self.low) / cm - 0.5)
        white = (255, 255, 255)
        return np.asarray(cv2.warpPerspective(image, matrix, (width, height), borderValue=white), np.uint8)


def _round(length: float) -> float:
    """The nearest of 1, 2 and 5 times a power of ten."""
    power = 10.0 ** np.floor(np.log10(length))
    return float(min((power, 2 * power, 5 * power, 10 * power), key=lambda one: abs(np.log(one / length))))
