"""What all formats share: the extra they need, checks, and which frame of which video an image is."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from dlcnb.files import atomic_path
from dlcnb.labels import frame_index
from dlcnb.project import ProjectError

if TYPE_CHECKING:
    from types import ModuleType

    from dlcnb.labels import Labels
    from dlcnb.poses import Poses
    from dlcnb.project import Project
    from dlcnb.video import VideoReader


__all__ = ["ExchangeError", "check_length", "image_size", "require", "source_frames", "whole_file"]


class ExchangeError(ValueError):
    """Data that don't fit together or into the format; the message says what was expected."""


def require(extra: str, what: str, *modules: str) -> list[ModuleType]:
    """Import ``modules``; raises an `ImportError` that names the extra to install.

    Parameters
    ----------
    extra : such as "nwb".
    what : what is being done, for the message.
    """
    try:
        return [import_module(module) for module in modules]
    except ImportError as error:
        raise ImportError(
            f"{what} needs {' and '.join(m.replace('_', '-') for m in modules)}, which could not be loaded ({error}). "
            f"Install what it needs with: pip install 'dlcnb[{extra}]'"
        ) from error


def check_length(poses: Poses, reader: VideoReader) -> None:
    """Raise `ExchangeError` if there are more poses than frames: then they are of another video."""
    if len(poses) > len(reader):
        raise ExchangeError(
            f"Expected at most {len(reader)} poses for {reader.path}, found {len(poses)}: they are of another video."
        )


@contextmanager
def whole_file(path: str | Path) -> Iterator[Path]:
    """A temporary path that replaces ``path`` at the end, for writers that go through the HDF5 library.

    HDF5 tells of a full disk in a sentence of its own; it becomes the `OSError` that `atomic_path` knows.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_path(path) as temporary:
        try:
            yield temporary
        except (OSError, RuntimeError) as error:
            if "No space left" in str(error):
                raise OSError(28, "No space left on device", str(path)) from error
            raise


def source_frames(
    labels: Labels, project: Project
) -> dict[str, tuple[Path | None, NDArray[np.int64], NDArray[np.int64]]]:
    """Where labeled images come from.

    Returns
    -------
    dict
        Name of the video -> (path of the video or None if the project has none such, rows of ``labels``, their frame
        numbers); rows and numbers are int arrays ``(n,)``, rising by frame number.
    """
    folders = [image.split("/")[-2] for image in labels.images]
    numbers = np.array([frame_index(image) for image in labels.images], int)
    found = {}
    for name in dict.fromkeys(folders):
        rows = np.flatnonzero([folder == name for folder in folders])
        rows = rows[np.argsort(numbers[rows], kind="stable")]
        try:
            video = project.video(name)
        except ProjectError:
            video = None
        found[name] = (video, rows, numbers[rows])
    return found


def image_size(path: str | Path) -> tuple[int, int]:
    """(height, width) of an image file, upright as it is; raises `ExchangeError` if it can't be read."""
    from dlcnb import labels

    try:
        return labels.image_size(path)
    except (OSError, ValueError) as error:
        raise ExchangeError(f"{path}: expected the image that was labeled, found none ({error}).") from error
