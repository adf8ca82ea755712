"""JavaScript of our own in the page."""

from __future__ import annotations

from pathlib import Path

__all__ = ["page_code"]

_HERE = Path(__file__).parent


def page_code(*files: Path) -> str:
    """The JavaScript of an anywidget: these files, one after the other, on top of them ``hear``, its ``initialize``."""
    return "\n".join(file.read_text(encoding="utf-8") for file in (_HERE / "hear.js", *files))
