"""Still pictures put together, for the widgets' ``snapshot()``."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from typing import Any

from PIL import Image

__all__ = ["beside", "figure_picture", "stacked"]


def beside(*pictures: Image.Image, gap: int = 8) -> Image.Image:
    """Pictures from left to right, tops aligned, ``gap`` px apart on white; a `PIL.Image.Image`."""
    width = sum(picture.width for picture in pictures) + gap * (len(pictures) - 1)
    return _pasted(pictures, (width, max(picture.height for picture in pictures)), lambda p: (p.width + gap, 0))


def stacked(*pictures: Image.Image, gap: int = 0) -> Image.Image:
    """Pictures from top to bottom, left sides aligned, ``gap`` px apart on white; a `PIL.Image.Image`."""
    height = sum(picture.height for picture in pictures) + gap * (len(pictures) - 1)
    return _pasted(pictures, (max(picture.width for picture in pictures), height), lambda p: (0, p.height + gap))


def figure_picture(figure: Any, dpi: int) -> Image.Image:
    """A matplotlib figure as a `PIL.Image.Image`."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=dpi)
    return Image.open(buffer).convert("RGB")


def _pasted(
    pictures: Sequence[Image.Image], size: tuple[int, int], step: Callable[[Image.Image], tuple[int, int]]
) -> Image.Image:
    whole, left, top = Image.new("RGB", size, "white"), 0, 0
    for picture in pictures:
        whole.paste(picture, (left, top))
        right, down = step(picture)
        left, top = left + right, top + down
    return whole
