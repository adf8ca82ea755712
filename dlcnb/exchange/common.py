"""What all formats share: the extra they need, checks, and which frame of which video an image is."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from dlcnb.files import atomic_path, make_folder
from dlcnb.labels import LabelError, frame_index
from dlcnb.labels.corners import image_corners, video_shape

if TYPE_CHECKING:
    from types import ModuleType

    from dlcnb.labels import Labels
    from dlcnb.poses import Poses
    from dlcnb.project import Project
    from dlcnb.video import VideoReader


__all__ = ["ExchangeError", "check_length", "image_size", "require", "source_frames", "video_points", "whole_file"]


log = logging.getLogger(__name__)


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
            f"Expected at most {len(reader)} poses for {reader.path}, found {len(poses)}: they belong to another video."
        )


@contextmanager
def whole_file(path: str | Path) -> Iterator[Path]:
    """A temporary path that replaces ``path`` at the end, for writers that go through the HDF5 library.

    HDF5 tells of a full disk in a sentence of its own; it becomes the `OSError` that `atomic_path` knows.
    """
    path = Path(path)
    make_folder(path.parent)
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
        Name of the video -> (path of the video, rows of ``labels``, their frame numbers); rows and numbers are int
        arrays ``(n,)``, rising by frame number. The path is None, and the images are numbered from 0, if the project
        has no such video, or an image is none of its frames: by its name, its number or its size (a warning says so).
    """
    folders = [image.split("/")[-2] for image in labels.images]
    found: dict[str, tuple[Path | None, NDArray[np.int64], NDArray[np.int64]]] = {}
    for name in dict.fromkeys(folders):
        rows = np.flatnonzero([folder == name for folder in folders])
        images = [labels.images[row].split("/")[-1] for row in rows]
        try:
            numbers = _numbers(project, name, images)
        except LabelError as error:
            log.warning("%s; the images take the place of the video", error)
            numbers = None
        if numbers is None:
            found[name] = (None, rows, np.arange(len(rows)))
        else:
            order = np.argsort(numbers, kind="stable")
            found[name] = (project.video(name), rows[order], numbers[order])
    return found


def _numbers(project: Project, name: str, images: Sequence[str]) -> NDArray[np.int64] | None:
    """Frame numbers ``(n,)`` of images of one video, None without a video; `LabelError` for what is no frame of it."""
    folder = project.labeled_dir(name)
    shape = video_shape(project, folder)
    if shape is None:
        return None
    numbers = np.array([frame_index(image) for image in images], np.int64)
    if numbers.max() >= shape[0]:
        raise LabelError(f"{folder} has labels of frame {numbers.max()}, the video {name} has {shape[0]} frames")
    unknown = np.isnan(image_corners(project, folder, images)).any(1)
    if unknown.any():
        image = images[int(np.argmax(unknown))]
        raise LabelError(f"{folder / image} has neither the size of the video {name} nor that of its crop")
    return numbers


def video_points(labels: Labels, project: Project, rows: NDArray[np.int64]) -> NDArray[np.float64]:
    """Points ``(n, K, 2)`` of some labels of one video, px of its full frame; their images may be crops of it."""
    images = [labels.images[row] for row in rows]
    folder = project.labeled_dir(images[0].split("/")[-2])
    corners = image_corners(project, folder, [image.split("/")[-1] for image in images])
    return np.asarray(labels.points[rows] + corners[:, None])


def image_size(path: str | Path) -> tuple[int, int]:
    """(height, width) of an image file, upright as it is; raises `ExchangeError` if it can't be read."""
    from dlcnb import labels

    try:
        return labels.image_size(path)
    except (OSError, ValueError) as error:
        raise ExchangeError(f"{path}: expected the image that was labeled, found none ({error}).") from error
