"""What is wrong with a project's config.yaml and videos, and repairing what a program can repair."""

from __future__ import annotations

import os
import stat
from collections import defaultdict
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dlcnb.files import TEMPORARY, StrPath, is_shared, share
from dlcnb.project.config import drawing_problems, is_edge
from dlcnb.project.core import Project
from dlcnb.project.leftovers import leftovers, remove_leftover
from dlcnb.project.missing import missing_video
from dlcnb.project.names import ProjectError, copied_from, is_stray, is_video, video_stem

__all__ = ["Finding", "doctor"]

_SHOWN = 5  # names of many


@dataclass(frozen=True)
class Finding:
    """One result of `doctor`: ``level`` is 'ok', 'warning' or 'error'; ``cure`` says what to do."""

    level: str
    message: str
    cure: str = ""
    repaired: bool = False


def doctor(path: StrPath, *, repair: bool = False) -> list[Finding]:
    """Check config.yaml, videos and leftover files of a project; returns a list of `Finding`.

    With ``repair`` moved paths are rewritten and leftovers removed. `dlcnb.labels.doctor` adds the tables.
    """
    try:
        project = Project.open(path)
    except ProjectError as error:
        there = any(os.path.isfile(config) for config in (path, os.path.join(path, "config.yaml")))
        return [Finding("error", str(error), "correct config.yaml in a text editor" if there else "")]
    checks = (_check_links, _check_names, _check_videos, _check_drawing, _check_strays)
    findings = [finding for check in checks for finding in check(project)]
    try:
        findings = [*_check_paths(project, repair), *findings, *_check_leftovers(project, repair)]
        findings += _check_sharing(project, repair)
    except (OSError, ProjectError) as error:
        findings.append(Finding("error", f"repair failed: {error}", "make the project writable"))
    if not os.access(project.root, os.W_OK):
        findings.append(Finding("warning", f"{project.root} is read-only", "copy the project to change it"))
    return findings or [Finding("ok", f"{project.root}: config.yaml and videos are in order")]


def _check_paths(project: Project, repair: bool) -> Iterator[Finding]:
    entries: Any = project.config["video_sets"] or {}
    moved: dict[object, str] = {}
    for key in entries:
        found = project.find_video(str(key))
        if found and not Path(str(key)).exists() and str(found.resolve()) not in entries:
            moved[key] = str(found.resolve())
    stale = str(project.config.get("project_path") or "") != str(project.root)
    if not (moved or stale):
        return
    if repair:
        for key, new in moved.items():
            entries.insert(list(entries).index(key), new, entries.pop(key))
        project.save()
    if stale:
        message = f"project_path in config.yaml is not this folder ({project.root})"
        yield Finding("warning", message, "--repair rewrites it; dlcnb itself does not need it", repair)
    for key, new in moved.items():
        yield Finding("warning", f"video_sets: {key} moved to {new}", "--repair rewrites the entry", repair)


def _check_links(project: Project) -> Iterator[Finding]:
    for path in sorted(project.root.rglob("*")):
        if path.is_symlink() and not is_video(path):
            try:
                project.inside(path)
            except ProjectError as error:
                yield Finding("warning", str(error), "nothing outside a project is read or written, apart from videos")


def _check_names(project: Project) -> Iterator[Finding]:
    """Videos that share a name, by which frames are kept, and folders that no video goes by."""
    keys = [key for key in project.video_keys() if is_video(key)]
    named = defaultdict(list)
    for key in keys:
        named[video_stem(key).casefold()].append(key)
    for twins in named.values():
        files = {project.find_video(key) for key in twins}
        if len(twins) > 1 and len(files) == 1 and None not in files:
            message = f"video_sets: {len(twins)} entries are one video, '{video_stem(twins[0])}': {', '.join(twins)}"
            yield Finding("warning", message, "delete all but one of them from config.yaml")
        elif len(twins) > 1:
            stems = list(dict.fromkeys(map(video_stem, twins)))
            message = f"video_sets: {len(twins)} videos are named {' and '.join(map(repr, stems))}: {', '.join(twins)}"
            cure = "rename all but one, because frames and poses are kept by that name"
            apart = len(stems) == len(twins)  # the disk of this computer may tell them apart
            yield Finding("warning" if apart else "error", message, cure)
    with suppress(ProjectError):  # a link that leads out: told by _check_links
        own = {project.labeled_dir(video_stem(key)).name for key in keys}
        for folder in project.labeled_dirs() if keys else ():
            if folder.name not in own and any(folder.glob("CollectedData_*")):
                message = f"{folder} belongs to no video in video_sets; its labels are trained on all the same"
                yield Finding("warning", message, "enter the video, or move the folder away if that is not meant")


def _check_videos(project: Project) -> Iterator[Finding]:
    from dlcnb.video import VideoError, VideoReader

    missing = project.missing_videos
    for key in project.video_keys():
        if key in missing:
            yield Finding("error", *missing_video(project, key))
        elif not is_video(key):
            yield Finding("warning", f"video_sets: {key!r} names no video", "dlcnb uses what is in videos/ instead")
    for path in project.videos:
        try:
            with VideoReader(path) as reader:
                reader.read(0)
        except (VideoError, IndexError, OSError) as error:
            yield Finding("error", f"the video {path} can't be read: {error}", "replace it with an intact copy")


def _check_drawing(project: Project) -> Iterator[Finding]:
    for problem in drawing_problems(project.config):
        yield Finding("warning", f"{problem}; what is wrong is left out of drawings", "correct it in config.yaml")
    edges = project.config.get("skeleton")
    pairs = [edge for edge in edges if is_edge(edge)] if isinstance(edges, list) else []
    dropped = len(pairs) - len(project.skeleton.edges)
    if dropped:
        message = f"skeleton: {dropped} edge(s) join unknown bodyparts and are not drawn"
        yield Finding("warning", message, "use the names in bodyparts")


def _check_strays(project: Project) -> Iterator[Finding]:
    """Files that were passed over: hidden ones and copies beside data."""
    folders = (project.root / name for name in ("videos", "labeled-data"))
    found = [path for folder in folders for path in sorted(folder.rglob("*")) if path.is_file() and is_stray(path)]
    known = {".DS_Store", *(path.name for path in project.videos)}  # a video may be called "rat (1)"
    strays = [path for path in found if not path.name.startswith((".dlcnb", TEMPORARY)) and path.name not in known]
    with suppress(ProjectError):  # a link that leads out: told by _check_links
        used = set(project.labeled_dirs())
        there = (path for path in sorted((project.root / "labeled-data").glob("*")) if path.is_dir())
        unused = [path for path in there if path not in used]
        strays += [path for path in unused if copied_from(path.name) or any(path.glob("CollectedData_*"))]
    if strays:
        message = f"{len(strays)} file(s) or folder(s) are hidden or copies and passed over: {_few(project, strays)}"
        yield Finding("warning", message, "delete them, or give those that are meant another name")
    if deep := sorted((project.root / "labeled-data").glob("*/*/**/CollectedData_*")):
        message = f"{len(deep)} tables of labels lie too deep in labeled-data to be read: {_few(project, deep)}"
        yield Finding("warning", message, "move their folders, named as the videos, into labeled-data itself")


def _few(project: Project, paths: list[Path]) -> str:
    """The first of some paths in the project."""
    names = ", ".join(str(path.relative_to(project.root)) for path in paths[:_SHOWN])
    return f"{names} and {len(paths) - _SHOWN} more" if len(paths) > _SHOWN else names


def _check_sharing(project: Project, repair: bool) -> Iterator[Finding]:
    """Files that some of a project's accounts can't write; ``repair`` gives the group the right to one's own."""
    paths = [path for path in (project.root, *sorted(project.root.rglob("*"))) if not path.is_symlink()]
    found = {path: path.stat() for path in paths}
    owners = {state.st_uid for state in found.values()}
    if not is_shared(project.root):
        if len(owners) > 1:
            cure = f"chmod -R g+rwX {project.root}; find {project.root} -type d -exec chmod g+s {{}} +"
            message = f"{project.root} has files of {len(owners)} accounts, and is not a folder that a group shares"
            yield Finding("warning", message, f"give it the group that all are in (chgrp -R GROUP), then {cure}")
        return
    closed = [path for path, state in found.items() if not state.st_mode & stat.S_IWGRP]
    if closed:
        if repair:
            for path in closed:
                share(path)
        left = [path for path in closed if not path.stat().st_mode & stat.S_IWGRP]
        message = f"{len(closed)} file(s) can be written by their owner only, such as {closed[0]}"
        yield Finding(
            "warning", message, "their owner has to run dlcnb doctor --repair, or chmod g+rw", repair and not left
        )


def _check_leftovers(project: Project, repair: bool) -> Iterator[Finding]:
    for path in leftovers(project.root):
        message = f"leftover temporary {'folder' if path.is_dir() else 'file'} {path}"
        cure = "--repair removes it; it is the rest of an interrupted write"
        try:
            if repair:
                remove_leftover(path)
            yield Finding("warning", message, cure, repair)
        except OSError as error:
            yield Finding("warning", message, f"it can't be removed here ({error.strerror}); its owner can")
