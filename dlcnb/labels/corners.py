"""Where in the video labeled images lie: DeepLabCut extracts crops, and labels count from the corner of their image."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from dlcnb.labels.errors import LabelError
from dlcnb.labels.images import frame_images, image_size
from dlcnb.project import ProjectError
from dlcnb.video import VideoError, VideoReader

if TYPE_CHECKING:
    from dlcnb.project import Project

__all__ = ["common_crop", "image_corners", "video_shape"]


def video_shape(project: Project, folder: Path) -> tuple[int, tuple[int, int]] | None:
    """Frames and (height, width) of the video of a folder of labeled frames, or None if there is none to be read."""
    try:
        with VideoReader(project.video(folder.name)) as video:
            return len(video), video.size
    except (ProjectError, VideoError, OSError):
        return None


def image_corners(project: Project, folder: Path, images: Sequence[str]) -> NDArray[np.float64]:
    """(left, top) px in the video of images of one folder of labeled frames, float64 ``(n, 2)``.

    (0, 0) for whole frames, and where there is no video to compare with; the corner of the video's crop in config.yaml
    for images of its size; NaN for images of another size. A missing or damaged image counts as the others do.

    Parameters
    ----------
    project : dlcnb.project.Project
    folder : ``labeled-data/<video>``.
    images : names of n files in it.
    """
    shape = video_shape(project, folder)
    if shape is None:
        return np.zeros((len(images), 2))
    crop = project.crop(folder.name, shape[1])
    known = {image: corner for image in images if (corner := _corner(folder / image, shape[1], crop)) is not None}
    shared = set(known.values()) or {(0.0, 0.0)}
    usual = shared.pop() if len(shared) == 1 else (np.nan, np.nan)
    return np.array([known.get(image, usual) for image in images], float).reshape(-1, 2)


def common_crop(project: Project, folder: Path) -> tuple[int, int, int, int] | None:
    """(x1, x2, y1, y2) px of the crop that all images of a folder of labeled frames show; None = not all show one."""
    images, shape = frame_images(folder), video_shape(project, folder)
    crop = project.crop(folder.name, shape[1]) if shape else None
    if crop is None or shape is None or not images:
        return None
    return crop if {_corner(folder / image, shape[1], crop) for image in images} == {(crop[0], crop[2])} else None


def _corner(path: Path, size: tuple[int, int], crop: tuple[int, int, int, int] | None) -> tuple[float, float] | None:
    """(left, top) px of an image in a video of ``size``, NaN if it fits neither; None if the image can't be read."""
    try:
        found = image_size(path)
    except LabelError:
        return None
    if found == size:
        return 0.0, 0.0
    if crop and found == (crop[3] - crop[2], crop[1] - crop[0]):
        return float(crop[0]), float(crop[2])
    return np.nan, np.nan
