"""COCO keypoints read: images, annotations and categories of one JSON; its corner origin is half a pixel off ours."""

from __future__ import annotations

import json
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dlcnb import geometry
from dlcnb.exchange.common import ExchangeError
from dlcnb.exchange.foreign import Foreign, Places, one_animal
from dlcnb.exchange.from_table import clips_of_images
from dlcnb.files import read_text

__all__ = ["read_foreign", "read_keypoints"]


def read_foreign(places: Places, animal: str | None) -> Foreign:
    """A COCO keypoint data set as `Foreign`; images without a keypoint are left out.

    Raises `ExchangeError` for what is none, for several animals of which none was chosen, and for missing images.
    """
    bodyparts, edges, points = read_keypoints(places.path, animal)
    placed = {image: found for image, found in points.items() if not np.isnan(found).all()}
    if not placed:
        raise ExchangeError(f"{places.path}: expected images with keypoints, found none with any.")
    clips = clips_of_images(places, list(placed), np.array(list(placed.values())))
    left_out = len(points) - len(placed)
    notes = (f"{left_out} images without a keypoint are left out",) if left_out else ()
    return Foreign(bodyparts, edges, None, clips, notes)


def read_keypoints(
    path: str | Path, animal: str | None = None
) -> tuple[tuple[str, ...], tuple[tuple[str, str], ...], dict[str, NDArray[np.float64]]]:
    """Bodyparts (K), skeleton and {image: points ``(K, 2)``, px, NaN = not there} of a data set.

    ``animal`` is the number, from 1, of the annotation to take where an image has several. Raises `ExchangeError`.
    """
    path = Path(path)
    images, annotations, categories = _lists(path)
    category = _category(path, categories)
    bodyparts = tuple(map(str, category["keypoints"]))
    names = {str(image["id"]): str(image["file_name"]) for image in images if "id" in image and "file_name" in image}
    animals: dict[str, list[tuple[str | None, NDArray[np.float64]]]] = {name: [] for name in names.values()}
    if len(animals) < len(images):
        raise ExchangeError(
            f"{path}: expected an id and a file_name of its own for each image, found {len(animals)} for {len(images)}."
        )
    for annotation in annotations:
        if annotation.get("keypoints"):
            found = _points(path, annotation, len(bodyparts))
            name = names.get(str(annotation.get("image_id")))  # some write numbers as text
            if name is None:
                raise ExchangeError(
                    f"{path}: the annotation {annotation.get('id')!r} is of the image {annotation.get('image_id')!r}, "
                    f"expected one of the {len(names)} in the file. Export it again with all images."
                )
            if not np.isnan(found).all():
                animals[name].append((None, found))
    return bodyparts, _edges(category, bodyparts), one_animal(path, animals, animal, len(bodyparts))


def _lists(path: Path) -> list[list[dict[str, Any]]]:
    """Images, annotations and categories of a file; raises `ExchangeError` for another JSON."""
    wanted = ("images", "annotations", "categories")
    expected = f"{path}: expected COCO keypoints (a JSON with {', '.join(wanted)}), found"
    try:
        data = json.loads(read_text(path))
    except (ValueError, RecursionError) as error:
        raise ExchangeError(f"{expected} no JSON, or half of one ({error}).") from error
    lacking = [key for key in wanted if not isinstance(data, dict) or not isinstance(data.get(key), list)]
    if lacking:
        raise ExchangeError(f"{expected} one without a list of {' and of '.join(lacking)}.")
    if not all(isinstance(each, dict) for key in wanted for each in data[key]):
        raise ExchangeError(f"{expected} other lists.")
    return [data[key] for key in wanted]


def _edges(category: dict[str, Any], bodyparts: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    """The skeleton, whose keypoints count from 1; edges to keypoints that are not there are left out."""
    names, found = dict(enumerate(bodyparts, 1)), []
    with suppress(TypeError, ValueError):
        found = [(names[a], names[b]) for a, b in category.get("skeleton") or () if a in names and b in names]
    return tuple(found)


def _category(path: Path, categories: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """The category with keypoints; several must have the same ones."""
    having = [category for category in categories if isinstance(category.get("keypoints"), list)]
    having = [category for category in having if category["keypoints"]]
    if not having:
        raise ExchangeError(f"{path}: expected COCO keypoints, found no category that has keypoints (boxes or masks?).")
    if any(category["keypoints"] != having[0]["keypoints"] for category in having):
        names = ", ".join(str(category.get("name")) for category in having)
        raise ExchangeError(f"{path}: expected one set of keypoints, found others for each of {names}; split the file.")
    return having[0]


def _points(path: Path, annotation: dict[str, Any], count: int) -> NDArray[np.float64]:
    """Points ``(K, 2)`` of an annotation's x, y, visibility; NaN where the visibility is 0."""
    try:
        values = np.array(annotation["keypoints"], float).reshape(count, 3)
    except (TypeError, ValueError) as error:
        raise ExchangeError(
            f"{path}: expected x, y and visibility of {count} keypoints in the annotation {annotation.get('id')!r}, "
            "found other numbers. Export it again."
        ) from error
    seen = (values[:, 2] > 0) & np.isfinite(values).all(1)
    points = np.full((count, 2), np.nan)
    points[seen] = geometry.from_corner_origin(values[seen, :2])
    return points
