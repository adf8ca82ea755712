"""Pictures on their way to the page and back, as JPEG."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["decode_jpeg", "encode_jpeg"]


def encode_jpeg(image: NDArray[np.uint8], quality: int = 85) -> bytes:
    """A uint8 (H, W, 3) image as JPEG bytes."""
    done, data = cv2.imencode(".jpg", cv2.cvtColor(image, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, quality])
    if not done:
        raise ValueError(f"cannot encode an image of shape {image.shape} as JPEG; expected uint8 (H, W, 3)")
    return data.tobytes()


def decode_jpeg(data: bytes) -> NDArray[np.uint8]:
    """The uint8 (H, W, 3) image of JPEG bytes."""
    image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    return np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2RGB), np.uint8)
