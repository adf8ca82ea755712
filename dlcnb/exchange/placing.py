"""Frames of a `Clip` in a project's labeled-data: what they are called there, what is there already, their images."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dlcnb import frames
from dlcnb.exchange.common import ExchangeError
from dlcnb.exchange.foreign import Clip, Pixels
from dlcnb.files import atomic_path, atomic_write, make_folder
from dlcnb.labels import Edit, LabelStore, image_name, image_problem, image_size, read_image
from dlcnb.labels.corners import common_crop
from dlcnb.labels.images import USUAL
from dlcnb.labels.values import Value, value_of
from dlcnb.project import Project
from dlcnb.video import VideoReader

__all__ = ["Placed", "check_place", "edits_of", "place", "write_images"]

_SAME = 1e-3  # px by which two programs' numbers of one label may differ


@dataclass(frozen=True)
class Placed:
    """A clip and the names that its T images have in ``folder``, of which some are there already."""

    clip: Clip
    folder: Path
    images: tuple[str, ...]

    @property
    def new(self) -> list[int]:
        """Rows whose image is not there yet."""
        return [row for row, image in enumerate(self.images) if not (self.folder / image).exists()]


def place(project: Project, clip: Clip) -> Placed:
    """Where a clip's images go. Frames of a video are named as `dlcnb.frames.extract` names them."""
    folder = project.labeled_dir(clip.name)
    if clip.numbers is None:
        return Placed(clip, folder, clip.images)
    length = max(clip.numbers) + 1
    if clip.video is not None:
        with VideoReader(clip.video) as reader:
            if length > len(reader):
                raise ExchangeError(
                    f"{clip.video} has {len(reader)} frames, but there are labels of frame {length - 1}; "
                    "is it another video?"
                )
            length = len(reader)
    present = frames.extracted(folder)
    names = (present[n].name if n in present else image_name(n, length) for n in clip.numbers)
    return Placed(clip, folder, tuple(names))


def check_place(placed: Placed) -> None:
    """Raise `ExchangeError` for an image that can't be read, or that is there already with other pixels."""
    for image, pixels in zip(placed.images, placed.clip.pixels, strict=False):
        path = placed.folder / image
        if isinstance(pixels, Path) and (problem := image_problem(pixels)):
            raise ExchangeError(problem.split(";")[0] + "; nothing was imported")
        if path.exists() and not _looks_like(path, pixels):
            raise ExchangeError(
                f"{path} is there already with another image; nothing was imported. Rename its folder, or import "
                "into another project"
            )


def _looks_like(path: Path, pixels: Pixels) -> bool:
    if isinstance(pixels, Path):
        return path.read_bytes() == pixels.read_bytes() or np.array_equal(read_image(path), read_image(pixels))
    return image_size(path) == pixels().shape[:2]  # one is packed by another program: its values may differ


def edits_of(project: Project, placed: Placed, bodyparts: tuple[str, ...], scorer: str) -> list[Edit]:
    """What the project's labels lack, as edits; a bodypart that a labeled image doesn't show is marked not visible.

    Raises `ExchangeError` where there is another label already.
    """
    store = LabelStore(project, placed.clip.name, scorer) if placed.folder.is_dir() else None
    known = {} if store is None else _values(store)
    edits = []
    for image, points in zip(placed.images, _in_images(project, placed), strict=True):
        full = f"labeled-data/{placed.folder.name}/{image}"
        for part, point in zip(bodyparts, points, strict=True):
            new = None if np.isnan(point).any() else (float(point[0]), float(point[1]))
            old = known.get((full, part))
            if old is None:
                edits.append(Edit(full, part, new, new is not None, "imported"))
            elif new is not None and (old is False or max(abs(old[0] - new[0]), abs(old[1] - new[1])) > _SAME):
                raise ExchangeError(
                    f"{part} in {full} has another label already; nothing was imported. Import the labels as "
                    "another scorer's (--scorer NAME), or into another project"
                )
    return edits


def _values(store: LabelStore) -> dict[tuple[str, str], Value]:
    """{(image, bodypart): value} of all that is labeled."""
    points, hidden = store.points, store.hidden
    return {
        (image, part): value
        for t, image in enumerate(store.images)
        for k, part in enumerate(store.bodyparts)
        if (value := value_of(points[t, k], bool(hidden[t, k]))) is not None
    }


def _in_images(project: Project, placed: Placed) -> NDArray[np.float64]:
    """The points ``(T, K, 2)`` in px of the images: frames of a video may be extracted as crops."""
    crop = common_crop(project, placed.folder) if placed.clip.numbers is not None and not placed.clip.pixels else None
    return placed.clip.points if crop is None else placed.clip.points - (crop[0], crop[2])


def write_images(project: Project, placed: Placed) -> Iterator[Path]:
    """Write the images that are not there yet, one after the other; what there is stays as it is.

    A damaged frame of a video is left out with a warning.
    """
    clip, new = placed.clip, placed.new
    if clip.pixels:
        make_folder(placed.folder)
        for row in new:
            _write_image(placed.folder / placed.images[row], clip.pixels[row])
            yield placed.folder / placed.images[row]
    elif clip.video is not None and clip.numbers is not None:
        numbers = [clip.numbers[row] for row in new]
        yield from (path for _, path in frames.extracting(project, clip.video, numbers) if path)


def _write_image(path: Path, pixels: Pixels) -> None:
    if isinstance(pixels, Path) and pixels.suffix.lower() in USUAL:
        with atomic_path(path) as temporary:
            shutil.copyfile(pixels, temporary)
        return
    import cv2  # here: it takes a while to load

    image = read_image(pixels) if isinstance(pixels, Path) else pixels()
    done, data = cv2.imencode(".png", np.ascontiguousarray(image[..., ::-1]))
    if not done:
        raise ExchangeError(f"{path}: the image can't be encoded as PNG")
    atomic_write(path, data.tobytes())
