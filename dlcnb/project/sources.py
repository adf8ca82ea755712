"""The videos that go into a project: checked, then linked or copied."""

from __future__ import annotations

import logging
import os
import re
import shutil
from collections.abc import Iterable
from pathlib import Path

from dlcnb.files import StrPath, atomic_path, disk_error
from dlcnb.project.names import ProjectError, is_video, nearest

__all__ = ["checked_videos", "is_raw_video", "place"]

log = logging.getLogger(__name__)


def is_raw_video(path: Path) -> bool:
    """Whether this is a video, and none that DeepLabCut or dlcnb drew on."""
    drawn_on = re.search(r"(_labeled|DLC_\w+)$", path.stem)
    return path.is_file() and is_video(path) and path.name[0] != "." and not drawn_on


def checked_videos(videos: StrPath | Iterable[StrPath]) -> dict[Path, tuple[int, int]]:
    """{path: (height, width)}; raises `ProjectError` or `VideoError` before anything is touched."""
    from dlcnb.video import VideoReader

    given = [videos] if isinstance(videos, (str, os.PathLike)) else videos
    paths = [Path(v).expanduser().absolute() for v in given]
    for path in paths:
        if not path.is_file():
            siblings = [p.name for p in path.parent.glob("*")] if path.parent.is_dir() else []
            raise ProjectError(f"no video {path}; check the path{nearest(path.name, siblings)}")
        if not is_video(path):
            raise ProjectError(f"{path} does not look like a video; expected a suffix such as .mp4 or .avi")
        if [p.stem for p in paths].count(path.stem) > 1:
            raise ProjectError(f"two videos are named '{path.stem}'; rename one, as frames are stored by video name")
    sizes = {}
    for path in paths:
        with VideoReader(path) as reader:
            sizes[path] = reader.size
    return sizes


def place(source: Path, folder: Path, copy: bool) -> Path:
    """Link or copy a video into ``folder``; returns the new path."""
    target = folder / source.name
    try:
        folder.mkdir(exist_ok=True)
    except OSError as error:
        raise disk_error(error, target) from error
    if target.exists() and target.samefile(source):
        return target
    if target.is_symlink():  # a broken link, or one to another file of that name
        target.unlink()
    if not copy:
        try:
            target.symlink_to(source.resolve())
            return target
        except OSError as error:
            log.info("no link to %s possible (%s); copying it", source, error)
    with atomic_path(target) as temporary:
        shutil.copyfile(source, temporary)
    return target
