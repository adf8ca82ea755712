"""NWB files with ndx-pose: the poses of a video as PoseEstimation with what the animal did, labels as PoseTraining."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import NAMESPACE_URL, uuid5

import numpy as np
from numpy.typing import NDArray

import dlcnb
from dlcnb.exchange.common import ExchangeError, check_length, image_size, require, source_frames, video_points
from dlcnb.exchange.nwb_behavior import Behavior, add_stays, speed_series, zones_table
from dlcnb.files import atomic_write, make_folder

if TYPE_CHECKING:
    from types import ModuleType

    from dlcnb.labels import Labels
    from dlcnb.poses import Poses
    from dlcnb.project import Project, Skeleton
    from dlcnb.video import VideoReader


__all__ = ["SUBJECT", "write_labels", "write_poses"]

ORIGIN = "(0, 0) is the centre of the top-left pixel of the frame; x points right, y points down."
DEFINITION = "Peak of the bodypart's score-map, 0 to 1."
SUBJECT = ("subject_id", "species", "sex", "age", "strain", "genotype", "weight", "description")  # NWB's words
_REGULAR = 1e-4  # s by which frames may be off a regular clock and still be given as a rate


def write_poses(
    path: str | Path,
    poses: Poses,
    reader: VideoReader,
    *,
    skeleton: Skeleton | None = None,
    session_start: datetime | None = None,
    subject: str | Mapping[str, str] | None = None,
    behavior: Behavior | None = None,
) -> Path:
    """Write the poses of a video as ndx-pose's PoseEstimation in the processing module ``behavior``.

    A video of variable frame rate keeps the time of every frame; otherwise the rate is stored. The video itself is
    referred to by its path relative to the file.

    Parameters
    ----------
    path, poses, reader, skeleton : of the .nwb file, the poses (NaN = no prediction), their video, and the skeleton.
    session_start, subject : with a time zone, default the video file's last change; identifier of the animal, or what
        `SUBJECT` names of it, of which DANDI asks for species, sex and age.
    behavior : what else is told of the animal: speeds, zones, stays. None = the poses alone.

    Raises `ImportError` if pynwb or ndx-pose is missing (the message names the extra), `ExchangeError` if the poses are
    more than the frames.
    """
    pynwb, ndx = require("nwb", "Writing NWB files", "pynwb", "ndx_pose")
    check_length(poses, reader)
    about = f"Poses of {reader.path.name} by {poses.scorer}"
    file = _new_file(pynwb, reader.path, about, session_start, subject)
    bones, source = _skeleton(ndx, poses.bodyparts, skeleton), _source_video(pynwb, reader, path)
    file.add_acquisition(source)
    timing = _timing(reader, len(poses))
    series = _series(ndx, poses, timing)
    content = {"pose_estimation_series": series, "skeleton": bones, "source_video": source}
    module = _behavior(file)
    module.add([_estimation(ndx, poses.scorer, about, **content), ndx.Skeletons(skeletons=[bones])])
    if behavior is not None and len(poses):
        same = timing if "rate" in timing else {"timestamps": series[0]}  # times are stored once
        module.add(_told(pynwb, file, behavior, poses, reader, same))
    return _write(pynwb, file, path)


def _estimation(ndx: Any, scorer: str, about: str, **content: Any) -> Any:
    return ndx.PoseEstimation(
        name="PoseEstimation",
        description=about,
        scorer=scorer,
        source_software="dlcnb",
        source_software_version=dlcnb.__version__,
        **content,
    )


def _told(
    pynwb: Any, file: Any, behavior: Behavior, poses: Poses, reader: VideoReader, timing: dict[str, Any]
) -> list[Any]:
    """What goes beside the poses: speeds, and zones where there are some; their stays are added to the file."""
    more = [speed_series(pynwb, behavior, (poses, _names(poses.bodyparts)), reader, timing)]
    if behavior.zones:
        more.append(zones_table(pynwb, behavior.zones))
        add_stays(pynwb, file, behavior, poses, reader)
    return more


def _series(ndx: ModuleType, poses: Poses, timing: dict[str, Any]) -> list[Any]:
    """A PoseEstimationSeries for each bodypart; times are stored once."""
    series: list[Any] = []
    for k, (part, name) in enumerate(zip(poses.bodyparts, _names(poses.bodyparts), strict=True)):
        one = ndx.PoseEstimationSeries(
            name=name,
            description=f"Position of the bodypart {part}.",
            data=poses.points[:, k],
            confidence=poses.likelihood[:, k],
            confidence_definition=DEFINITION,
            reference_frame=ORIGIN,
            unit="pixels",
            **(timing if k == 0 or "rate" in timing else {"timestamps": series[0]}),
        )
        series.append(one)
    return series


def write_labels(path: str | Path, labels: Labels, project: Project) -> Path:
    """Write labels as ndx-pose's PoseTraining: a TrainingFrame per labeled image, with its video and frame number.

    Where the project has no such video, the labeled images take its place, as external files in their order.

    Parameters
    ----------
    path : of the .nwb file.
    labels : `dlcnb.Labels`; NaN = not visible.
    project : `dlcnb.Project`, which has the videos.

    Raises
    ------
    ExchangeError
        If neither the video nor the labeled images are there: NWB points to the picture.
    """
    pynwb, ndx = require("nwb", "Writing NWB files", "pynwb", "ndx_pose")
    about = f"Labels by {labels.scorer} of the project {project.task}"
    file = _new_file(pynwb, project.root / "config.yaml", about)
    bones = _skeleton(ndx, labels.bodyparts, project.skeleton)
    sources: list[Any] = []
    frames: list[Any] = []
    for name, (video, rows, numbers) in source_frames(labels, project).items():
        if video is None:
            sources.append(_labeled_images(pynwb, name, [project.root / labels.images[row] for row in rows], path))
            places = labels.points[rows]
        else:
            sources.append(_labeled_video(pynwb, video, path))
            places = video_points(labels, project, rows)
        for points, number in zip(places, numbers, strict=True):
            frames.append(_training_frame(ndx, (labels.scorer, points), number, bones, sources[-1], len(frames)))
    training = ndx.PoseTraining(
        training_frames=ndx.TrainingFrames(training_frames=frames),
        source_videos=ndx.SourceVideos(image_series=sources),
    )
    _behavior(file).add([ndx.Skeletons(skeletons=[bones]), training])
    return _write(pynwb, file, path)


def _training_frame(
    ndx: ModuleType, label: tuple[str, NDArray[np.float64]], number: int, bones: Any, source: Any, serial: int
) -> Any:
    """One labeled frame; ``label`` is who labeled it, and the points ``(K, 2)``."""
    scorer, points = label
    instance = ndx.SkeletonInstance(
        id=np.uint64(0), node_locations=points, node_visibility=np.isfinite(points).all(-1), skeleton=bones
    )
    return ndx.TrainingFrame(
        name=f"frame_{serial:05d}",
        annotator=scorer,
        skeleton_instances=ndx.SkeletonInstances(skeleton_instances=[instance]),
        source_video=source,
        source_video_frame_index=np.uint64(number),
    )


def _labeled_video(pynwb: ModuleType, video: Path, path: str | Path) -> Any:
    from dlcnb.video import VideoReader

    with VideoReader(video) as reader:
        return _source_video(pynwb, reader, path)


def _labeled_images(pynwb: ModuleType, name: str, images: list[Path], path: str | Path) -> Any:
    """Labeled images in place of their video, which is not there."""
    height, width = image_size(images[0])
    return pynwb.image.ImageSeries(
        name=re.sub(r"[/:]", "_", name),
        description=f"Labeled frames of the video {name}, which the project lacks; an image each, not in real time.",
        unit="n.a.",
        format="external",
        external_file=[_relative(image, path) for image in images],
        starting_frame=list(range(len(images))),
        dimension=[width, height],
        rate=1.0,
        starting_time=0.0,
        num_samples=len(images),
    )


def _new_file(
    pynwb: ModuleType,
    source: Path,
    about: str,
    session_start: datetime | None = None,
    subject: str | Mapping[str, str] | None = None,
) -> Any:
    """An NWBFile; its identifier and time follow from the source, so that the same export gives the same file."""
    changed = source.stat().st_mtime
    start = session_start or datetime.fromtimestamp(changed, timezone.utc)
    if start.tzinfo is None:
        raise ExchangeError(f"session_start: expected a time with its time zone, found {start.isoformat()}.")
    file = pynwb.NWBFile(
        session_description=about,
        identifier=str(uuid5(NAMESPACE_URL, f"{source.resolve().as_uri()} {changed} {about}")),
        session_start_time=start,
    )
    if subject is not None:
        file.subject = pynwb.file.Subject(**({"subject_id": subject} if isinstance(subject, str) else subject))
    return file


def _skeleton(ndx: ModuleType, bodyparts: Sequence[str], skeleton: Skeleton | None) -> Any:
    edges = np.zeros((0, 2), int) if skeleton is None else skeleton.index_edges
    kind = np.uint8 if len(bodyparts) < 256 else np.uint16
    more = {"edges": edges.astype(kind)} if len(edges) else {}
    return ndx.Skeleton(name="animal", nodes=list(bodyparts), **more)


def _names(bodyparts: Sequence[str]) -> list[str]:
    """Bodyparts as names of HDF5 groups, which may not hold slashes or colons, nor be a dot; still all different."""
    names = []
    for part in bodyparts:
        name = re.sub(r"[/:]|^\.$", "_", part)
        while name in names:
            name += "_"
        names.append(name)
    return names


def _timing(reader: VideoReader, count: int) -> dict[str, Any]:
    """Arguments of a TimeSeries: a rate if frames follow a regular clock, else the time of each."""
    times = reader.times[:count]
    if not reader.is_vfr and np.abs(reader.times - np.arange(len(reader)) / reader.fps).max() < _REGULAR:
        return {"rate": float(reader.fps), "starting_time": 0.0}
    return {"timestamps": times}


def _source_video(pynwb: ModuleType, reader: VideoReader, path: str | Path) -> Any:
    """The video as an external file."""
    timing = _timing(reader, len(reader))
    if "rate" in timing:
        timing["num_samples"] = len(reader)
    return pynwb.image.ImageSeries(
        name=re.sub(r"[/:]", "_", reader.path.stem),
        description="The video that was analyzed.",
        unit="n.a.",
        format="external",
        external_file=[_relative(reader.path, path)],
        starting_frame=[0],
        dimension=[reader.size[1], reader.size[0]],
        **timing,
    )


def _relative(source: Path, path: str | Path) -> str:
    """The path of an external file relative to the NWB file at ``path``, where it lies below; else as it is."""
    try:
        return source.absolute().relative_to(Path(path).absolute().parent).as_posix()
    except ValueError:
        return str(source.absolute())


def _behavior(file: Any) -> Any:
    return file.create_processing_module(name="behavior", description="Poses and behavior of the animal")


def _write(pynwb: ModuleType, file: Any, path: str | Path) -> Path:
    """Write the file in memory first, so that a full disk is met while copying bytes and not inside HDF5."""
    import h5py

    with (
        h5py.File("memory.nwb", "w", driver="core", backing_store=False) as memory,
        pynwb.NWBHDF5IO(file=memory, mode="w") as io,
    ):
        io.write(file)
        memory.flush()
        data = memory.id.get_file_image()
    path = Path(path)
    make_folder(path.parent)
    atomic_write(path, data)
    return path
