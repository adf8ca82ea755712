"""Extracted frames as arrays."""

from __future__ import annotations

import cv2
import numpy as np

from dlcnb.labels.errors import LabelError

__all__ = ["read_image"]


def read_image(path):
    """An image file as uint8 (H, W, 3), RGB; raises `LabelError` if it is missing or damaged."""
    try:
        data = np.fromfile(path, np.uint8)  # cv2.imread fails on names beyond ASCII on Windows
    except OSError as error:
        raise LabelError(f"{path} can't be read ({error.strerror}); extract this frame again") from error
    image = cv2.imdecode(data, cv2.IMREAD_COLOR) if len(data) else None
    if image is None:
        raise LabelError(f"{path} is damaged, it is no image; delete it and extract this frame again")
    return cv2.cvtColor(image, cv2.COLOR_BGR2RGB)
