"""SLEAP's .slp, written through sleap-io. Since its format 1.1 an integer is the centre of a pixel, as in dlcnb."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from dlcnb.exchange.common import check_length, image_size, require, source_frames, video_points, whole_file

if TYPE_CHECKING:
    from types import ModuleType

    from dlcnb.labels import Labels
    from dlcnb.poses import Poses
    from dlcnb.project import Project, Skeleton
    from dlcnb.video import VideoReader


__all__ = ["write_labels", "write_poses"]


def write_labels(path: str | Path, labels: Labels, project: Project) -> Path:
    """Write labels as SLEAP's user instances, on the videos they were taken from.

    Where the project has no such video, the folder of labeled images takes its place. Labels of images that are crops
    are moved to the full frame.

    Parameters
    ----------
    path : of the .slp file.
    labels : `dlcnb.Labels`; frames without any point are left out.
    project : `dlcnb.Project`.
    """
    (sio,) = require("sleap", "Writing .slp files", "sleap_io")
    skeleton, frames = _skeleton(sio, labels.bodyparts, project.skeleton), []
    for path_of_video, rows, numbers in source_frames(labels, project).values():
        images = [str(project.root / labels.images[row]) for row in rows]
        if path_of_video is None:
            video, points = _video(sio, images, len(rows), image_size(images[0])), labels.points[rows]
        else:
            video = _video(sio, str(path_of_video), *_length_and_size(path_of_video))
            points = video_points(labels, project, rows)
        for animal, number in zip(points, numbers, strict=True):
            if np.isfinite(animal).any():
                instance = sio.Instance.from_numpy(animal, skeleton=skeleton)
                frames.append(sio.LabeledFrame(video=video, frame_idx=int(number), instances=[instance]))
    return _save(sio, path, frames, skeleton, labels.scorer)


def write_poses(path: str | Path, poses: Poses, reader: VideoReader, *, skeleton: Skeleton | None = None) -> Path:
    """Write the poses of a video as SLEAP's predicted instances.

    The likelihood of a bodypart is the score of its point, their mean the score of the instance. Frames without any
    point are left out.

    Parameters
    ----------
    path : of the .slp file.
    poses : `dlcnb.Poses`.
    reader : `dlcnb.VideoReader` of the video.
    skeleton : `dlcnb.Skeleton`, optional.
    """
    (sio,) = require("sleap", "Writing .slp files", "sleap_io")
    check_length(poses, reader)
    parts = _skeleton(sio, poses.bodyparts, skeleton)
    video = _video(sio, str(reader.path.absolute()), len(reader), reader.size)
    frames = []
    for number, (points, likelihood) in enumerate(zip(poses.points, poses.likelihood, strict=True)):
        seen = np.isfinite(points).all(-1)
        if seen.any():
            scores = np.where(seen, likelihood, 0.0)
            score = float(scores[seen].mean())
            one = sio.PredictedInstance.from_numpy(points, skeleton=parts, point_scores=scores, score=score)
            frames.append(sio.LabeledFrame(video=video, frame_idx=number, instances=[one]))
    return _save(sio, path, frames, parts, poses.scorer)


def _skeleton(sio: ModuleType, bodyparts: Sequence[str], skeleton: Skeleton | None) -> Any:
    edges = [] if skeleton is None else [list(edge) for edge in skeleton.edges if set(edge) <= set(bodyparts)]
    return sio.Skeleton(nodes=list(bodyparts), edges=edges, name="animal")


def _video(sio: ModuleType, filename: str | list[str], length: int, size: tuple[int, int]) -> Any:
    """A reference to a video, or to a list of images, as SLEAP writes it.

    Its backend is described, not opened, so that sleap-io needs no video plugin.
    """
    common = {"shape": (length, *size, 3), "grayscale": False}
    if isinstance(filename, list):
        sides = {"height_": size[0], "width_": size[1], "channels_": 3}
        backend = {"type": "ImageVideo", "filename": filename[0], "filenames": filename, **sides}
    else:
        backend = {"type": "MediaVideo", "filename": filename, "bgr": True, "dataset": "", "input_format": ""}
    return sio.Video(filename, backend_metadata={**backend, **common}, open_backend=False)


def _length_and_size(path: Path) -> tuple[int, tuple[int, int]]:
    from dlcnb.video import VideoReader

    with VideoReader(path) as reader:
        return len(reader), reader.size


def _save(sio: ModuleType, path: str | Path, frames: list[Any], skeleton: Any, scorer: str) -> Path:
    labels = sio.Labels(labeled_frames=frames, skeletons=[skeleton], provenance={"source": "dlcnb", "scorer": scorer})
    with whole_file(path) as temporary:
        temporary.unlink()  # sleap-io refuses to write into the empty file
        sio.save_slp(labels, str(temporary), embed=False, verbose=False)
    return Path(path)
