"""What is wrong with a project's labels, and with the project as a whole."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np

from dlcnb import project as projects
from dlcnb.files import quoted
from dlcnb.labels import migrate
from dlcnb.labels.backups import unfinished
from dlcnb.labels.core import Labels, difference, frame_number, table_paths
from dlcnb.labels.corners import common_crop, video_shape
from dlcnb.labels.errors import LabelError
from dlcnb.labels.images import SUFFIXES, frame_images, image_problem, image_size
from dlcnb.project import Finding, Project, ProjectError

__all__ = ["check_tables", "doctor"]


def doctor(path: str | Path, *, repair: bool = False) -> list[Finding]:
    """Check config.yaml, videos, leftover files, tables of labels and their images; `dlcnb.checkup.doctor` checks all.

    Parameters
    ----------
    path : path
        The project's folder or its config.yaml.
    repair : bool
        Rewrite moved paths, remove leftovers, write a missing csv or h5, take out rows whose image is missing or
        damaged (`dlcnb bodyparts PROJECT undo` brings them back). Points are never changed.

    Returns
    -------
    list of dlcnb.project.Finding
        With one 'ok' if there is nothing to say. Errors in the project are findings, not exceptions.
    """
    findings = projects.doctor(path, repair=repair)
    try:
        project = Project.open(path)
        if change := unfinished(project.root):
            cure = f"dlcnb bodyparts {quoted(project.root)} undo"
            findings.append(Finding("error", f"a change of the project was interrupted: {change.what}", cure))
        findings += check_tables(project, repair=repair and change is None)
    except ProjectError:
        return findings  # reported already
    except LabelError as error:
        findings.append(Finding("error", str(error), "do what it says"))
    if any(table_paths(folder) for folder in project.labeled_dirs()):
        fine = Finding("ok", "config.yaml, videos and labels are in order")
    else:
        fine = Finding("ok", "config.yaml and videos are in order; no frame is labeled yet")
    return [f for f in findings if f.level != "ok"] or [fine]


def check_tables(project: Project, *, repair: bool = False) -> list[Finding]:
    """Findings about the labels of an open project: see `doctor`."""
    findings: list[Finding] = []
    for folder in project.labeled_dirs():
        tables, images = table_paths(folder), frame_images(folder)
        if project.scorer not in tables and (tables or images):
            whose = f"labels only by {', '.join(tables)}" if tables else f"{len(images)} images and no labels"
            findings.append(Finding("warning", f"{folder} has {whose}", f"label it as {project.scorer}"))
        for scorer in tables:
            findings += _check_table(project, folder, scorer, repair)
        findings += [*_check_sizes(project, folder, images), *_drawn(folder)]
    return findings


def _check_table(project: Project, folder: Path, scorer: str, repair: bool) -> list[Finding]:
    try:
        labels = Labels.read(folder, scorer, project.bodyparts)
    except (LabelError, OSError) as error:
        return [Finding("error", str(error), "correct the table, or move it away and label again")]
    findings = [*_check_pair(folder, labels, repair), *_check_rows(project, folder, labels)]
    return [*findings, *_check_images(project, folder, labels, repair)]


def _check_pair(folder: Path, labels: Labels, repair: bool) -> Iterator[Finding]:
    csv_path, h5_path = table_paths(folder)[labels.scorer]
    try:
        if csv_path and h5_path:
            if message := difference(folder, labels.scorer):
                yield Finding("warning", message, "move the wrong one of the two away; repair then writes it again")
            return
        missing, there = "h5" if csv_path else "csv", csv_path or h5_path or folder
        if repair:
            Labels.read_file(there, folder.name, labels.scorer).write(folder)
        yield Finding("warning", f"{there} has no {missing} beside it", f"repair writes the {missing}", repair)
    except (LabelError, OSError) as error:
        yield Finding("warning", str(error), "move the file away; repair then writes it again from the other")


def _check_images(project: Project, folder: Path, labels: Labels, repair: bool) -> Iterator[Finding]:
    """Images that are missing, damaged or not labeled, and labels outside of theirs."""
    outside: list[str] = []
    missing: list[str] = []
    damaged: list[str] = []
    for image, points in zip(labels.images, labels.points, strict=True):
        path = folder / image.rsplit("/", 1)[-1]
        if image_problem(path):
            (damaged if path.exists() else missing).append(path.name)
            continue
        height, width = image_size(path)
        out = (points < -0.5) | (points > (width - 0.5, height - 0.5))  # NaN is inside
        outside += [f"{labels.bodyparts[k]} in {path.name}" for k in np.flatnonzero(out.any(-1))]
    where = f"{folder} ({labels.scorer})"
    if missing or damaged:
        yield from _unreadable(project, folder, labels.scorer, (missing, damaged), repair)
    if outside:
        yield _finding("error", where, "labels lie outside their image", outside, "correct them in the labeler")


def _unreadable(
    project: Project, folder: Path, scorer: str, images: tuple[list[str], list[str]], repair: bool
) -> Iterator[Finding]:
    """Findings about images that are missing, and that are damaged; their rows are taken out."""
    cure, taken = "restore them, or let repair take out their rows; they are not trained on", False
    if repair:
        try:
            migrate.remove_frames(project, folder, scorer, {name for names in images for name in names})
            cure, taken = f"their rows are taken out; to undo that: dlcnb bodyparts {quoted(project.root)} undo", True
        except (LabelError, OSError) as error:
            cure = f"their rows could not be taken out: {error}"
    for what, names in zip(("labeled images are missing", "images can't be opened"), images, strict=True):
        if names:
            yield _finding("error", f"{folder} ({scorer})", what, names, cure, taken)


def _check_rows(project: Project, folder: Path, labels: Labels) -> Iterator[Finding]:
    """Images without a row, rows without a point, rows beyond the end of the video."""
    where = f"{folder} ({labels.scorer})"
    labeled = {image.rsplit("/", 1)[-1] for image in labels.images}
    new = [name for name in frame_images(folder) if name not in labeled]
    if new:
        yield _finding("warning", where, "images have no row in the table", new, "label them, or delete the images")
    empty = [image for image, points in zip(labels.images, labels.points, strict=True) if np.isnan(points).all()]
    if empty:
        cure = "label them; they are not trained on"
        yield _finding("warning", where, "images have no bodypart placed", empty, cure)
    video = video_shape(project, folder)
    if video and (beyond := [*_beyond(labels.images, video[0])]):
        cure = "is the video another one than the one that was labeled? Then give it back its name"
        yield _finding("warning", where, f"labels lie beyond the end of the video ({video[0]} frames)", beyond, cure)


def _beyond(images: Iterable[str], n_frames: int) -> Iterator[str]:
    for image in images:
        if (frame_number(image) or 0) >= n_frames:
            yield image.rsplit("/", 1)[-1]


def _check_sizes(project: Project, folder: Path, images: Sequence[str]) -> Iterator[Finding]:
    """Images that differ in size from each other, or from the video: they show a crop, labels count from its corner."""
    sizes = {image_size(folder / name) for name in images if image_problem(folder / name) is None}
    found = ", ".join(f"{width} × {height}" for height, width in sorted(sizes))
    cure = "extract all frames of a video whole, or all with the same crop"
    if len(sizes) > 1:
        yield Finding("warning", f"{folder} has images of different sizes ({found} px): some are crops", cure)
    elif sizes and (video := video_shape(project, folder)) and video[1] not in sizes:
        height, width = video[1]
        message = f"{folder} has images of {found} px, the video {width} × {height}: labels count from a crop's corner"
        known = "they fit its crop in config.yaml, whose corner is taken into account in exports and for new frames"
        cure = known if common_crop(project, folder) else "extract these frames whole, and label them again"
        yield Finding("warning", message, cure)


def _drawn(folder: Path) -> Iterator[Finding]:
    """Pictures with drawn labels, as DeepLabCut 2.0 put them beside the frames."""
    drawn = [path.name for path in sorted(folder.glob("img*labeled.*")) if path.suffix.lower() in SUFFIXES]
    if drawn:
        cure = "delete them; they are DeepLabCut's pictures with labels drawn on"
        yield _finding("warning", str(folder), "pictures are passed over by their names", drawn, cure)


def _finding(level: str, where: str, what: str, names: Sequence[str], cure: str, repaired: bool = False) -> Finding:
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return Finding(level, f"{where}: {len(names)} {what}: {', '.join(names[:3])}{more}", cure, repaired)
