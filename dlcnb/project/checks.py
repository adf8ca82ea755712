"""What is wrong with a project's config.yaml and videos, and repairing what a program can repair."""

from __future__ import annotations

import os
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from dlcnb.files import TEMPORARY
from dlcnb.project.core import Project
from dlcnb.project.names import ProjectError, basename, is_video

__all__ = ["Finding", "doctor"]

_LEFTOVER_AGE = 600  # s without a write after which a temporary file belongs to nobody


@dataclass(frozen=True)
class Finding:
    """One result of `doctor`: ``level`` is 'ok', 'warning' or 'error'; ``cure`` says what to do."""

    level: str
    message: str
    cure: str = ""
    repaired: bool = False


def doctor(path, *, repair=False):
    """Check config.yaml, videos and leftover files of a project; returns a list of `Finding`.

    With ``repair`` moved paths are rewritten and leftovers removed. `dlcnb.labels.doctor` adds the tables.
    """
    try:
        project = Project.open(path)
    except ProjectError as error:
        return [Finding("error", str(error), "correct config.yaml in a text editor")]
    findings = [*_check_videos(project)]
    try:
        findings = [*_check_paths(project, repair), *findings, *_check_leftovers(project, repair)]
    except OSError as error:
        findings.append(Finding("error", f"repair failed: {error}", "make the project writable"))
    if not os.access(project.root, os.W_OK):
        findings.append(Finding("warning", f"{project.root} is read-only", "copy the project to change it"))
    dropped = len(project.config.get("skeleton") or ()) - len(project.skeleton.edges)
    if dropped:
        message = f"skeleton: {dropped} edge(s) join unknown bodyparts and are not drawn"
        findings.append(Finding("warning", message, "use the names in bodyparts"))
    return findings or [Finding("ok", f"{project.root}: config.yaml and videos are in order")]


def _check_paths(project, repair):
    entries = project.config["video_sets"] or {}
    moved = {}
    for key in entries:
        found = project._find(str(key))
        if found and not Path(str(key)).exists():
            moved[key] = str(found.resolve())
    stale = str(project.config.get("project_path") or "") != str(project.root)
    if not (moved or stale):
        return
    if repair:
        for key, new in moved.items():
            position = list(entries).index(key)
            entries.insert(position, new, entries.pop(key))
        project.save()
    if stale:
        message = f"project_path in config.yaml is not this folder ({project.root})"
        yield Finding("warning", message, "--repair rewrites it; dlcnb itself does not need it", repair)
    for key, new in moved.items():
        yield Finding("warning", f"video_sets: {key} moved to {new}", "--repair rewrites the entry", repair)


def _check_videos(project):
    from dlcnb.video import VideoError, VideoReader

    for key in project._video_keys():
        if is_video(key) and not project._find(key):
            cure = f"copy it to {project.root / 'videos' / basename(key)}"
            yield Finding("error", f"the video {key} is missing", cure)
        elif not is_video(key):
            yield Finding("warning", f"video_sets: {key!r} names no video", "dlcnb uses what is in videos/ instead")
    for path in project.videos:
        try:
            with VideoReader(path) as reader:
                reader.read(0)
        except (VideoError, IndexError, OSError) as error:
            yield Finding("error", f"the video {path} can't be read: {error}", "replace it with an intact copy")


def _check_leftovers(project, repair):
    for path in sorted(project.root.rglob(f"{TEMPORARY}*")):
        with suppress(FileNotFoundError):  # its writer may have just finished
            if path.is_dir() or time.time() - path.stat().st_mtime < _LEFTOVER_AGE:
                continue
            if repair:
                path.unlink()
            cure = "--repair removes it; it is the rest of an interrupted write"
            yield Finding("warning", f"leftover temporary file {path}", cure, repair)
