"""Lightning Pose's labels, and any table of DeepLabCut's, beside the images: CollectedData.csv, one row per image."""

from __future__ import annotations

from collections import Counter
from pathlib import PurePosixPath

import numpy as np
from numpy.typing import NDArray

from dlcnb.exchange.common import ExchangeError
from dlcnb.exchange.foreign import Clip, Foreign, Places, folder_names, image_names
from dlcnb.labels.rows import once, whole_points
from dlcnb.tables.table import coordinates, read_table

__all__ = ["clips_of_images", "read_foreign"]


def read_foreign(places: Places, animal: str | None) -> Foreign:
    """A table whose rows name images (``labeled-data/cam1/img001.png``, or as they lie beside it) as `Foreign`.

    Raises `TableError` for what is no such table, `ExchangeError` for images that aren't there.
    """
    table = read_table(places.path)
    scorer, bodyparts, points = coordinates(table, ("x", "y"))
    if table.index and all(name.isdecimal() for name in table.index):
        raise ExchangeError(
            f"{table.path}: expected labels, whose rows name images, found rows numbered by frame: poses of a video."
        )
    index, points = once(table, table.index, whole_points(table, points))
    placed = ~np.isnan(points).all((1, 2))
    kept = [name for name, there in zip(index, placed, strict=True) if there]
    if not kept:
        raise ExchangeError(f"{table.path}: expected rows with points, found none with any.")
    left_out = len(index) - len(kept)
    notes = (f"{left_out} rows without a point are left out",) if left_out else ()
    return Foreign(bodyparts, (), scorer, clips_of_images(places, kept, points[placed]), notes)


def clips_of_images(places: Places, names: list[str], points: NDArray[np.float64]) -> tuple[Clip, ...]:
    """Images by their path in a file, with points ``(T, K, 2)``, as one `Clip` per folder; errors as `Places`."""
    if twice := next((name for name, count in Counter(names).items() if count > 1), None):
        raise ExchangeError(f"{places.path}: expected one row for each image, found several for {twice}")
    files = places.find_all(names)
    names = [name.replace("\\", "/") for name in names]
    rows: dict[str, list[int]] = {}
    for row, name in enumerate(names):
        rows.setdefault(str(PurePosixPath(name).parent), []).append(row)
    alone = places.path.stem.split("_")[0]  # what images beside the file are called together
    folders = folder_names([alone if folder == "." else folder for folder in rows])
    clips = []
    for folder, which in zip(folders, rows.values(), strict=True):
        images = image_names([PurePosixPath(names[row]).name for row in which])
        pixels = tuple(files[row] for row in which)
        clips.append(Clip(folder, points[which], tuple(images), pixels=pixels, video=places.find_video(folder)))
    return tuple(clips)
