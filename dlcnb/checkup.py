"""Everything that is wrong with a project: labels and videos, and the scales and zones that were drawn on them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from dlcnb import labels
from dlcnb.files import StrPath, alike, quoted
from dlcnb.project import Finding, Project, ProjectError, scale_of
from dlcnb.project.names import is_stray, video_stem
from dlcnb.project.scale import SCALES, scaled_videos
from dlcnb.video import VideoError, VideoReader
from dlcnb.zones import ZoneError, ZoneFile, check_zones, zones_path
from dlcnb.zones.store import FOLDER

__all__ = ["doctor"]


def doctor(path: StrPath, *, repair: bool = False) -> list[Finding]:
    """Check a whole project: config.yaml, videos, leftover files, tables of labels and their images, scales, zones.

    Parameters
    ----------
    path : path
        The project's folder or its config.yaml.
    repair : bool
        Rewrite moved paths, remove leftovers, write a missing csv or h5, take out rows whose image is missing or
        damaged (`dlcnb bodyparts PROJECT undo` brings them back). Points, scales and zones are never changed.

    Returns
    -------
    list of dlcnb.project.Finding
        With one 'ok' if there is nothing to say. Errors in the project are findings, not exceptions.
    """
    findings = labels.doctor(Path(path), repair=repair)
    try:
        project = Project.open(path)
    except ProjectError:
        return findings  # reported already
    drawn = [*_check_scales(project), *_check_zones(project)]
    return [*(one for one in findings if one.level != "ok"), *drawn] if drawn else findings


def _check_scales(project: Project) -> Iterator[Finding]:
    """Findings about scale.json."""
    try:
        own = scaled_videos(project)
    except (OSError, ProjectError) as error:
        yield Finding("error", str(error))
        return
    for name in sorted({*own} - _names(project)):
        cure = f"dlcnb add-videos {quoted(project.root)}, or take the entry out of the file"
        yield Finding("warning", f"{SCALES} has a scale of {name}, which is not a video of the project", cure)
    told = set()
    for video in project.videos:
        try:
            if scale_of(project, video) is not None:
                scale_of(project, video, _size(video))
        except ProjectError as error:
            if str(error) not in told:  # that of the project is one for all
                yield Finding("error", str(error))
            told.add(str(error))


def _check_zones(project: Project) -> Iterator[Finding]:
    """Findings about the files of zones."""
    known = _names(project)
    for video in project.videos:
        try:
            path = zones_path(project, video)
            if not os.path.lexists(path):
                continue
            size = _size(video)
            if size is None:
                ZoneFile(path, (1, 1)).read_fitted()  # whether they are zones can be told without the video
            else:
                check_zones(ZoneFile(path, size).read(), size, str(path))
        except (OSError, ProjectError, ZoneError) as error:
            yield Finding("error", str(error))
    for path in sorted((project.root / FOLDER).glob("*.geojson")):
        if alike(path.stem, known) is None and not is_stray(path):
            cure = f"dlcnb add-videos {quoted(project.root)}, give the file its video's name, or delete it"
            yield Finding("warning", f"{path} has zones of {path.stem}, which is not a video of the project", cure)


def _names(project: Project) -> set[str]:
    """Names of the project's videos, missing ones too."""
    return {video_stem(video) for video in (*project.video_keys(), *project.videos)}


def _size(video: Path) -> tuple[int, int] | None:
    """(height, width) of a video's frames; None if it can't be read, which is reported elsewhere."""
    try:
        with VideoReader(video) as reader:
            return reader.size
    except (VideoError, OSError):
        return None
