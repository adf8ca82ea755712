"""What is wrong with a project's labels, and with the project as a whole."""

from __future__ import annotations

import numpy as np
from PIL import Image, UnidentifiedImageError

from dlcnb import project as projects
from dlcnb.labels.backups import unfinished
from dlcnb.labels.core import Labels, difference, table_paths
from dlcnb.labels.errors import LabelError
from dlcnb.project import Finding, Project, ProjectError

__all__ = ["check_tables", "doctor"]

_IMAGES = (".png", ".jpg", ".jpeg")


def doctor(path, *, repair=False):
    """Check a whole project: config.yaml, videos, leftover files, tables of labels and their images.

    Parameters
    ----------
    path : path
        The project's folder or its config.yaml.
    repair : bool
        Rewrite moved paths, remove leftovers, write a missing csv or h5. Points are never changed.

    Returns
    -------
    list of dlcnb.project.Finding
        With one 'ok' if there is nothing to say. Errors in the project are findings, not exceptions.
    """
    findings = projects.doctor(path, repair=repair)
    try:
        project = Project.open(path)
        if change := unfinished(project.root):
            cure = f"dlcnb bodyparts {project.root} undo"
            findings.append(Finding("error", f"a change of the project was interrupted: {change.what}", cure))
        findings += check_tables(project, repair=repair)
    except ProjectError:
        return findings  # reported already
    if any(table_paths(folder) for folder in project.labeled_dirs()):
        fine = Finding("ok", "config.yaml, videos and labels are in order")
    else:
        fine = Finding("ok", "config.yaml and videos are in order; no frame is labeled yet")
    return [f for f in findings if f.level != "ok"] or [fine]


def check_tables(project, *, repair=False):
    """Findings about the labels of an open project: see `doctor`."""
    findings = []
    for folder in project.labeled_dirs():
        tables = table_paths(folder)
        images = sorted(p.name for p in folder.iterdir() if p.suffix.lower() in _IMAGES)
        if project.scorer not in tables and (tables or images):
            whose = f"labels only by {', '.join(tables)}" if tables else f"{len(images)} images and no labels"
            findings.append(Finding("warning", f"{folder} has {whose}", f"label it as {project.scorer}"))
        for scorer in tables:
            findings += _check_table(project, folder, scorer, repair)
    return findings


def _check_table(project, folder, scorer, repair):
    csv_path, h5_path = table_paths(folder)[scorer]
    try:
        labels = Labels.read_file(csv_path or h5_path, folder.name, scorer, project.bodyparts)
    except (LabelError, OSError) as error:
        return [Finding("error", str(error), "correct the table, or move it away and label again")]
    return [*_check_pair(folder, labels, repair), *_check_images(folder, labels)]


def _check_pair(folder, labels, repair):
    csv_path, h5_path = table_paths(folder)[labels.scorer]
    try:
        if csv_path and h5_path:
            if message := difference(folder, labels.scorer):
                yield Finding("warning", message, "move the wrong one of the two away; repair then writes it anew")
            return
        missing = "h5" if csv_path else "csv"
        if repair:
            Labels.read_file(csv_path or h5_path, folder.name, labels.scorer).write(folder)
        message = f"{csv_path or h5_path} has no {missing} beside it"
        yield Finding("warning", message, f"repair writes the {missing}", repair)
    except (LabelError, OSError) as error:
        yield Finding("warning", str(error), "move the file away; repair then writes it anew from the other")


def _check_images(folder, labels):
    missing, damaged, outside = [], [], []
    for image, points in zip(labels.images, labels.points, strict=True):
        path = folder / image.rsplit("/", 1)[-1]
        try:
            with Image.open(path) as picture:
                width, height = picture.size
        except FileNotFoundError:
            missing.append(path.name)
        except (UnidentifiedImageError, OSError):
            damaged.append(path.name)
        else:
            out = (points < -0.5) | (points > (width - 0.5, height - 0.5))  # NaN is inside
            outside += [f"{labels.bodyparts[k]} in {path.name}" for k in np.flatnonzero(out.any(-1))]
    empty = [image for image, points in zip(labels.images, labels.points, strict=True) if np.isnan(points).all()]
    labeled = {image.rsplit("/", 1)[-1] for image in labels.images}
    new = [p.name for p in sorted(folder.iterdir()) if p.suffix.lower() in _IMAGES and p.name not in labeled]
    where = f"{folder} ({labels.scorer})"
    for level, what, names, cure in (
        ("error", "labeled images are missing", missing, "restore them, or remove their rows"),
        ("error", "images can't be opened", damaged, "extract these frames again"),
        ("error", "labels lie outside their image", outside, "correct them in the labeler"),
        ("warning", "images have no row in the table", new, "label them, or delete the images"),
        ("warning", "images have no bodypart placed", empty, "label them; they are not trained on"),
    ):
        if names:
            more = f" and {len(names) - 3} more" if len(names) > 3 else ""
            yield Finding(level, f"{where}: {len(names)} {what}: {', '.join(names[:3])}{more}", cure)
