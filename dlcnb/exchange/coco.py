"""COCO keypoints: one JSON of images, annotations and the category with its keypoints and skeleton.

COCO counts from the top-left corner of the image, dlcnb from the centre of the top-left pixel; the half pixel between
them is added here and taken off by `read_labels`.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dlcnb import geometry
from dlcnb.exchange.common import ExchangeError, check_length, image_size
from dlcnb.exchange.from_coco import read_keypoints
from dlcnb.files import atomic_path, make_folder
from dlcnb.labels import Labels, image_name

if TYPE_CHECKING:
    from dlcnb.poses import Poses
    from dlcnb.project import Project, Skeleton
    from dlcnb.video import VideoReader


__all__ = ["read_labels", "write_labels", "write_poses"]

CATEGORY = 1
log = logging.getLogger(__name__)


def write_labels(path: str | Path, labels: Labels, project: Project) -> Path:
    """Write labels as a COCO keypoint data set.

    Parameters
    ----------
    path : of the JSON file.
    labels : `dlcnb.Labels`; a bodypart without a point gets visibility 0.
    project : `dlcnb.Project`; ``file_name`` of the images is relative to its folder.

    Images that are missing or damaged are left out with a warning.

    Raises
    ------
    ExchangeError
        If none of the labeled images is there.
    """
    images, annotations = [], []
    sizes, problems = _sizes(labels, project)
    if problems and not sizes:
        raise ExchangeError(problems[0])
    if problems:
        log.warning("%d of %d labeled images are left out: %s", len(problems), len(labels), problems[0])
    for number, (image, points) in enumerate(zip(labels.images, labels.points, strict=True), 1):
        if (size := sizes.get(image)) is None:
            continue
        images.append({"id": number, "file_name": image, "height": size[0], "width": size[1]})
        if np.isfinite(points).any():
            annotations.append(_annotation(number, points, size))
    about = f"Labels by {labels.scorer}, project {project.task}"
    return _write(path, about, images, annotations, _category(labels.bodyparts, project.skeleton))


def write_poses(path: str | Path, poses: Poses, reader: VideoReader, *, skeleton: Skeleton | None = None) -> Path:
    """Write the poses of a video as a COCO keypoint data set, one image per frame.

    The images are named ``<video>/img<frame>.png``, as `dlcnb extract` names them, and have a ``frame_number``. An
    annotation has the mean likelihood as ``score`` and those of the bodyparts as ``keypoint_scores``. Frames without
    any point have no annotation.

    Parameters
    ----------
    path : of the JSON file.
    poses : `dlcnb.Poses`.
    reader : `dlcnb.VideoReader` of the video.
    skeleton : `dlcnb.Skeleton`, optional.
    """
    check_length(poses, reader)
    height, width = reader.size
    images, annotations = [], []
    for frame, (points, likelihood) in enumerate(zip(poses.points, poses.likelihood, strict=True)):
        name = f"{reader.path.stem}/{image_name(frame, len(reader))}"
        images.append({"id": frame, "file_name": name, "height": height, "width": width, "frame_number": frame})
        seen = np.isfinite(points).all(-1)
        if seen.any():
            scores = np.where(seen, likelihood, 0.0)
            more = {"score": float(scores[seen].mean()), "keypoint_scores": _plain(scores)}
            annotations.append({**_annotation(frame, points, reader.size), "id": frame + 1, **more})
    about = f"Poses by {poses.scorer} in {reader.path.name}"
    return _write(path, about, images, annotations, _category(poses.bodyparts, skeleton))


def read_labels(path: str | Path, scorer: str) -> Labels:
    """Labels from a COCO keypoint data set with one animal per image.

    Parameters
    ----------
    path : of a JSON file as `write_labels` writes it.
    scorer : who labeled; COCO does not say.

    Raises
    ------
    ExchangeError
        If the file is no such data set, or an image has several animals.
    """
    parts, _, found = read_keypoints(path)
    return Labels(parts, scorer, tuple(found), np.array([*found.values()]).reshape(-1, len(parts), 2))


def _sizes(labels: Labels, project: Project) -> tuple[dict[str, tuple[int, int]], list[str]]:
    """{image: (height, width)} of labeled images that can be read, and what is wrong with the others."""
    sizes, problems = {}, []
    for image in labels.images:
        try:
            sizes[image] = image_size(project.root / image)
        except ExchangeError as error:
            problems.append(str(error))
    return sizes, problems


def _annotation(image: int, points: NDArray[np.float64], size: tuple[int, int]) -> dict[str, Any]:
    """The annotation of one animal ``points (K, 2)`` in an image of ``size (height, width)``."""
    corner = geometry.to_corner_origin(points)
    seen = np.isfinite(corner).all(-1)
    keypoints = np.column_stack([np.where(seen[:, None], corner, 0.0), np.where(seen, 2, 0)])
    low = np.clip(corner[seen].min(0), 0, (size[1], size[0]))
    high = np.clip(corner[seen].max(0), 0, (size[1], size[0]))
    width, height = high - low
    return {
        "id": image,
        "image_id": image,
        "category_id": CATEGORY,
        "keypoints": [v if n % 3 < 2 else int(v) for n, v in enumerate(keypoints.ravel().tolist())],
        "num_keypoints": int(seen.sum()),
        "bbox": _plain([*low, width, height]),
        "area": float(width * height),
        "iscrowd": 0,
    }


def _category(bodyparts: Sequence[str], skeleton: Skeleton | None) -> dict[str, Any]:
    edges = [] if skeleton is None else (skeleton.index_edges + 1).tolist()  # COCO counts keypoints from 1
    return {"id": CATEGORY, "name": "animal", "supercategory": "animal", "keypoints": [*bodyparts], "skeleton": edges}


def _plain(values: Iterable[float]) -> list[float]:
    return [float(v) for v in values]


def _write(
    path: str | Path,
    about: str,
    images: list[dict[str, Any]],
    annotations: list[dict[str, Any]],
    category: dict[str, Any],
) -> Path:
    data = {"info": {"description": about}, "images": images, "annotations": annotations, "categories": [category]}
    path = Path(path)
    make_folder(path.parent)
    with atomic_path(path) as temporary, open(temporary, "w", encoding="utf-8") as file:
        json.dump(data, file, allow_nan=False)
    return path
