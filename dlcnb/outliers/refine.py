"""From found frames to new labels: extraction with the machine's labels beside, and the next iteration."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from dlcnb import frames
from dlcnb.files import alone, atomic_path
from dlcnb.labels import LabelStore, frame_index
from dlcnb.labels.core import frame_number
from dlcnb.labels.corners import image_corners
from dlcnb.project import ProjectError
from dlcnb.tables.h5 import h5_bytes
from dlcnb.tables.table import HEADER, Table, coordinates, read_table

if TYPE_CHECKING:
    from dlcnb.poses import Poses
    from dlcnb.project import Project


__all__ = ["Extracted", "Merged", "extract", "machine_labels_path", "merge", "refinement", "suggestions"]

_COORDS = ("x", "y", "likelihood")


@dataclass(frozen=True)
class Extracted:
    """What `extract` wrote: ``images`` (list of Path) and the ``machine_labels`` h5."""

    images: list[Path]
    machine_labels: Path


@dataclass(frozen=True)
class Merged:
    """What `merge` did.

    Attributes
    ----------
    iteration : int
        The new one.
    refined : dict
        {video: number of extracted frames that are labeled now}.
    left : dict
        {video: images that are not, so that nothing is trained on them}.
    """

    iteration: int
    refined: dict[str, int]
    left: dict[str, tuple[str, ...]]


def machine_labels_path(project: Project, video: str | Path, iteration: int | None = None) -> Path:
    """Where DeepLabCut keeps the network's labels of extracted frames: ``machinelabels-iter<N>.h5`` beside them."""
    number = project.iteration if iteration is None else iteration
    return project.labeled_dir(video) / f"machinelabels-iter{number}.h5"


def extract(project: Project, video: str | Path, poses: Poses, found: Iterable[int]) -> Extracted:
    """Extract frames for labeling, and write the machine's labels of them beside, as DeepLabCut does.

    Images that are there stay, so do labels by hand. Frames extracted earlier in this iteration keep their machine's
    labels, brought up to date with these poses. A damaged frame is left out, with a warning.

    Parameters
    ----------
    project, video : a video of the project, by its path or name.
    poses, found : unfiltered poses of this video, and the frames.

    Raises
    ------
    IndexError
        The video or the poses have no such frame.
    OSError
        The folder can't be written.
    ProjectError
        The next iteration has begun elsewhere since the project was opened.
    """
    found = sorted({int(frame) for frame in found})
    if found and not 0 <= found[0] <= found[-1] < len(poses):
        raise IndexError(f"frames {found[0]} to {found[-1]}: there are poses of frames 0 to {len(poses) - 1}")
    _check_iteration(project)  # before any image is written
    images = frames.extract(project, video, found)
    path = machine_labels_path(project, video)
    rows = {frame_index(image.name): image.name for image in images}
    with alone(project.root):  # nobody else extracts or merges meanwhile
        _check_iteration(project)
        if path.exists():
            for image in _rows(read_table(path)):
                frame = frame_number(image)
                if frame is not None and frame < len(poses):
                    rows.setdefault(frame, image)
        if rows:
            _write(project, path, poses, dict(sorted(rows.items())))
    return Extracted(images, path)


def _check_iteration(project: Project) -> None:
    """Raise `ProjectError` if another tab or program has merged since the project was opened."""
    now = type(project).open(project.root).iteration
    if now != project.iteration:
        raise ProjectError(
            f"iteration {now} has begun since this project was opened, in iteration {project.iteration}: outlier "
            "frames belong to the new one. Open the project again, and extract them then"
        )


def suggestions(
    project: Project, video: str | Path, iteration: int | None = None
) -> tuple[str, dict[str, NDArray[np.float64]]]:
    """The machine's labels of extracted frames, as the Labeler offers them.

    Parameters
    ----------
    project : dlcnb.project.Project
    video : path-like
        A video of the project, by its path or name.
    iteration : int, optional
        By default the project's.

    Returns
    -------
    scorer : str
        The network; "" if there are none.
    dict
        {'labeled-data/<video>/<image>': float64 (K, 3)}: x, y in px of the image and likelihood of the project's
        bodyparts; NaN for bodyparts that the network does not know.

    Raises
    ------
    TableError
        If the table is damaged.
    """
    path = machine_labels_path(project, video, iteration)
    if not path.exists():
        return "", {}
    table = read_table(path)
    scorer, parts, values = coordinates(table, _COORDS)
    ordered = np.full((len(values), len(project.bodyparts), 3), np.nan)
    for k, part in enumerate(project.bodyparts):
        if part in parts:
            ordered[:, k] = values[:, parts.index(part)]
    folder = path.parent.name
    return scorer, {f"labeled-data/{folder}/{name}": row for name, row in zip(_rows(table), ordered, strict=True)}


def refinement(project: Project, scorer: str | None = None) -> dict[str, dict[str, str]]:
    """How far the extracted frames of this iteration are refined.

    Returns
    -------
    dict
        {video: {image: "new" | "in work" | "done"}} of the videos with machine's labels; images as
        ``labeled-data/<video>/<image>``.
    """
    states = {}
    for folder in project.labeled_dirs():
        path = machine_labels_path(project, folder.name)
        if path.exists():
            store = LabelStore(project, folder.name, scorer)
            known = dict(zip(store.images, store.states, strict=True))
            names = [f"labeled-data/{folder.name}/{name}" for name in _rows(read_table(path))]
            states[folder.name] = {image: known[image] for image in names if image in known}
    return states


def merge(project: Project, scorer: str | None = None) -> Merged:
    """Close this round: the refined frames are part of the training data, and the next ``iteration`` begins.

    Any subset may be refined; what is not is left out of training, and stays in the folder for later. New runs and
    machine's labels then belong to the new iteration.

    Returns
    -------
    Merged

    Raises
    ------
    ProjectError
        If no extracted frame of this iteration is labeled, or config.yaml was changed meanwhile.
    """
    states = refinement(project, scorer)
    if not any(states.values()):
        raise ProjectError(
            f"no outlier frames were extracted in iteration {project.iteration} of {project.root}; "
            "extract some first (dlcnb outliers), or just train again"
        )
    refined = {video: sum(state == "done" for state in found.values()) for video, found in states.items()}
    left = {video: tuple(i for i, state in found.items() if state != "done") for video, found in states.items()}
    if not any(refined.values()):
        count = sum(map(len, left.values()))
        raise ProjectError(f"none of the {count} extracted outlier frames is labeled yet; label some, then merge")
    before = project.iteration
    project.config["iteration"] = before + 1
    try:
        project.save()
    except BaseException:
        project.config["iteration"] = before
        raise
    return Merged(project.iteration, refined, {video: images for video, images in left.items() if images})


def _rows(table: Table) -> list[str]:
    """Names of the images of a table's rows."""
    return [row.replace("\\", "/").rsplit("/", 1)[-1] for row in table.index]


def _write(project: Project, path: Path, poses: Poses, rows: Mapping[int, str]) -> None:
    """Machine's labels of {frame: image name} as h5 and csv, in DeepLabCut's layout; both or neither.

    Like labels they count from the corner of their image, should it be a crop.
    """
    import pandas as pd

    values = np.concatenate([poses.points, poses.likelihood[..., None]], axis=-1)[list(rows)]
    values[..., :2] -= image_corners(project, path.parent, list(rows.values()))[:, None]
    columns = pd.MultiIndex.from_product([[poses.scorer], poses.bodyparts, _COORDS], names=HEADER)
    index = pd.MultiIndex.from_tuples([("labeled-data", path.parent.name, name) for name in rows.values()])
    frame = pd.DataFrame(values.reshape(len(rows), -1), columns=columns, index=index)
    data = h5_bytes(frame)
    with atomic_path(path) as h5_new, atomic_path(path.with_name("machinelabels.csv")) as csv_new:
        h5_new.write_bytes(data)
        frame.to_csv(csv_new, lineterminator="\n")
