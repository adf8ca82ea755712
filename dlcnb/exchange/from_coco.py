"""COCO keypoints read: images, annotations and categories of one JSON; its corner origin is half a pixel off ours."""

from __future__ import annotations

import json
from collections.abc import Iterable
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
    try:
        data = json.loads(read_text(path))
        category = _category(path, data["categories"])
        bodyparts = tuple(map(str, category["keypoints"]))
        edges = tuple((bodyparts[a - 1], bodyparts[b - 1]) for a, b in category.get("skeleton") or () if a > 0 < b)
        names = {image["id"]: str(image["file_name"]) for image in data["images"]}
        animals: dict[str, list[tuple[str | None, NDArray[np.float64]]]] = {name: [] for name in names.values()}
        for annotation in data["annotations"]:
            if annotation.get("keypoints"):
                found = _points(annotation["keypoints"], len(bodyparts))
                if not np.isnan(found).all():
                    animals[names[annotation["image_id"]]].append((None, found))
    except ExchangeError:
        raise
    except (KeyError, IndexError, TypeError, ValueError, AttributeError, RecursionError) as error:
        raise ExchangeError(
            f"{path}: expected COCO keypoints (images, annotations, categories), found another JSON ({error!r})."
        ) from error
    if len(animals) < len(names):
        raise ExchangeError(f"{path}: expected another file_name for each image, found one twice.")
    return bodyparts, edges, one_animal(path, animals, animal, len(bodyparts))


def _category(path: Path, categories: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """The category with keypoints; several must have the same ones."""
    having = [category for category in categories if category.get("keypoints")]
    if not having:
        raise ExchangeError(f"{path}: expected COCO keypoints, found no category that has keypoints (boxes or masks?).")
    if any(category["keypoints"] != having[0]["keypoints"] for category in having):
        names = ", ".join(str(category.get("name")) for category in having)
        raise ExchangeError(f"{path}: expected one set of keypoints, found others for each of {names}; split the file.")
    return having[0]


def _points(keypoints: list[float], count: int) -> NDArray[np.float64]:
    """Points ``(K, 2)`` of an annotation's x, y, visibility; NaN where the visibility is 0."""
    values = np.array(keypoints, float).reshape(count, 3)
    seen = (values[:, 2] > 0) & np.isfinite(values).all(1)
    points = np.full((count, 2), np.nan)
    points[seen] = geometry.from_corner_origin(values[seen, :2])
    return points
