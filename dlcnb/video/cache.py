"""Indexes of videos, kept for the user between sessions."""

from __future__ import annotations

import hashlib
import io
import logging
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from platformdirs import user_cache_dir

from dlcnb.files import atomic_write, read_arrays

__all__ = ["cache_path", "read_cache", "write_cache"]

VERSION = 2  # of what is in an index; older ones are made anew
KEPT_INDEXES = 500
logger = logging.getLogger(__name__)


def cache_path(video: Path) -> Path:
    """Where the index of a video is kept; another place once the file has changed."""
    state = video.stat()
    name = f"{VERSION}|{video.resolve()}|{state.st_size}|{state.st_mtime_ns}"
    return Path(user_cache_dir("dlcnb")) / "video-index" / f"{hashlib.sha256(os.fsencode(name)).hexdigest()[:32]}.npz"


def read_cache(path: Path, names: Iterable[str]) -> dict[str, Any] | None:
    """{name: array or scalar} of a cached index, None if there is none or it is unusable."""
    try:
        arrays = read_arrays(path)
        values = {name: arrays[name] for name in names}
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError) as error:
        logger.debug("ignoring the cached index %s: %s", path, error)
        return None
    return {name: value if value.ndim else value.item() for name, value in values.items()}


def write_cache(path: Path, values: Mapping[str, Any]) -> None:
    """Keep an index for the next time, where the cache folder can be written; forget the oldest of many."""
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **values)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        atomic_write(path, buffer.getvalue())
        kept = sorted(path.parent.glob("*.npz"), key=lambda p: p.stat().st_mtime)
        for old in kept[:-KEPT_INDEXES]:
            old.unlink(missing_ok=True)
    except OSError as error:
        logger.debug("the index of the video isn't cached: %s", error)
