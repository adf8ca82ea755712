"""Labels of other programs, with their images, into a project: all is checked before anything is written."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

import numpy as np

from dlcnb.exchange.common import ExchangeError
from dlcnb.exchange.foreign import Clip, Foreign, Places
from dlcnb.exchange.placing import Placed, check_place, edits_of, place, write_images
from dlcnb.files import TEMPORARY, StrPath, disk_error, quoted
from dlcnb.labels import Edit, LabelStore
from dlcnb.project import Project, nearest

__all__ = ["READERS", "Imported", "import_labels"]

READERS = {".slp": "slp", ".json": "coco", ".csv": "table", ".h5": "table"}  # suffix -> module from_<name>


@dataclass(frozen=True)
class Imported:
    """What came into a project: how many ``labels`` (points) on how many ``images``, of which ``new`` were written.

    ``notes`` say what was left out.
    """

    project: Project
    made: bool
    scorer: str
    images: int
    new: int
    labels: int
    notes: tuple[str, ...]


def import_labels(
    path: StrPath,
    to: StrPath,
    *,
    scorer: str | None = None,
    animal: str | None = None,
    images: StrPath | None = None,
    copy_videos: bool = False,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Imported:
    """Labels of SLEAP (.slp, .pkg.slp), COCO keypoints (.json) or Lightning Pose (.csv) into a project.

    The images, or the frames of the videos, come along, and so do videos that are there. All is checked before anything
    is written; no label and no image that is there is changed. What was cut off is completed by doing it again.

    Parameters
    ----------
    path : of the file.
    to : the project's folder; it is made, whole or not at all, where there is none yet.
    scorer : whose labels they become; None = the file's own for a new project, else the project's.
    animal : a name, or a number from 1, of the animal to take where images have several.
    images : folder with the images and videos; None = beside the file.
    copy_videos : copy the videos into the project instead of linking them.
    progress : called with the number of images done and their total.

    Raises
    ------
    ExchangeError
        For what can't be read, doesn't fit the project, or contradicts labels that are there.
    ProjectError, LabelError, TableError, VideoError, OSError
        As in opening and writing a project.
    """
    path, root = Path(path).expanduser(), Path(to).expanduser().absolute()
    foreign = _read(path, animal, None if images is None else Path(images).expanduser())
    if (root / "config.yaml").exists():
        return _into(Project.open(root), foreign, scorer, copy_videos, progress)
    if root.exists() and not (root.is_dir() and not any(root.iterdir())):
        raise ExchangeError(f"{root} exists already and is not a project; choose the folder of a project, or a new one")
    return _into_new(root, foreign, scorer, copy_videos, progress)


def _read(path: Path, animal: str | None, images: Path | None) -> Foreign:
    suffix = path.suffix.lower()
    if suffix not in READERS:
        raise ExchangeError(f"{path}: expected one of {', '.join(READERS)}, found '{suffix}'{nearest(suffix, READERS)}")
    if not path.is_file():
        raise ExchangeError(f"no file {path}; check the path")
    if images is not None and not images.is_dir():
        raise ExchangeError(f"no folder {images}; give the one with the images or videos of {path.name}")
    foreign: Foreign = import_module(f"dlcnb.exchange.from_{READERS[suffix]}").read_foreign(
        Places(path, images), animal
    )
    for clip in foreign.clips:
        if np.isinf(clip.points).any():
            raise ExchangeError(f"{path}: expected finite numbers, found an infinite one among those of {clip.name}")
    names = [clip.name.lower() for clip in foreign.clips]
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise ExchangeError(
            f"{path}: two of its videos are called '{twice}'; rename one, because frames are kept by name"
        )
    return foreign


def _into_new(
    root: Path, foreign: Foreign, scorer: str | None, copy_videos: bool, progress: Callable[[int, int], None]
) -> Imported:
    """Make a project beside its place, fill it, and move it there."""
    who = scorer or foreign.scorer
    if not who:
        raise ExchangeError("the file does not say who labeled; give a name: --scorer NAME")
    building = root.with_name(f"{TEMPORARY}{secrets.token_hex(4)}-{root.name}")
    try:
        project = Project.create(
            root.name, who, (), foreign.bodyparts, parent=building, folder=root.name, skeleton=foreign.edges
        )
        done = _into(project, foreign, who, copy_videos, progress)
        if root.exists():
            root.rmdir()  # it is empty
        os.rename(project.root, root)
        building.rmdir()
    except BaseException as error:
        shutil.rmtree(building, ignore_errors=True)
        if isinstance(error, OSError):
            raise disk_error(error, root) from error
        raise
    moved = _moved(Project.open(root), project.root)
    return Imported(moved, True, who, done.images, done.new, done.labels, done.notes)


def _moved(project: Project, old: Path) -> Project:
    """The project, with what its config.yaml says of the folder in which it was made mended."""
    entries = project.config["video_sets"] or {}
    for key in [key for key in entries if Path(key).is_relative_to(old)]:
        entries[str(project.root / Path(key).relative_to(old))] = entries.pop(key)
    project.save()
    return project


def _into(
    project: Project, foreign: Foreign, scorer: str | None, copy_videos: bool, progress: Callable[[int, int], None]
) -> Imported:
    if lacking := [part for part in foreign.bodyparts if part not in project.bodyparts]:
        raise ExchangeError(
            f"the file has the bodypart '{lacking[0]}', which {project.root} lacks"
            f"{nearest(lacking[0], project.bodyparts) or '.'} "
            f"Add it: dlcnb bodyparts {quoted(project.root)} add {quoted(lacking[0])}"
        )
    who = scorer or project.scorer
    work = [_checked(project, clip, foreign.bodyparts, who) for clip in foreign.clips]
    if videos := [clip.video for clip in foreign.clips if clip.video is not None]:
        project.add_videos(videos, copy=copy_videos)
    total, new = sum(len(placed.new) for placed, _ in work), 0
    for placed, _ in work:
        for _ in write_images(project, placed):
            new += 1
            progress(new, total)
    labels = sum(_write_labels(project, placed, edits, who) for placed, edits in work)
    count = sum(len(placed.images) for placed, _ in work)
    return Imported(project, False, who, count, new, labels, foreign.notes)


def _checked(project: Project, clip: Clip, bodyparts: tuple[str, ...], who: str) -> tuple[Placed, list[Edit]]:
    placed = place(project, clip)
    check_place(placed)
    return placed, edits_of(project, placed, bodyparts, who)


def _write_labels(project: Project, placed: Placed, edits: list[Edit], who: str) -> int:
    """Make the edits of one folder, all by one line of its journal; returns the number of points placed."""
    if not placed.folder.is_dir():  # each of its frames was damaged
        return 0
    store = LabelStore(project, placed.clip.name, who)
    there = {*store.images}
    edits = [edit for edit in edits if edit.image in there]
    store.apply(edits)
    store.save()
    return sum(edit.point is not None for edit in edits)
