"""The videos that go into a project: checked, then linked or copied."""

from __future__ import annotations

import logging
import os
import re
import shutil
from collections.abc import Callable, Iterable
from pathlib import Path

from dlcnb.files import StrPath, alike, as_spelled, atomic_path, composed, disk_error, make_folder, unhidden
from dlcnb.project.names import ProjectError, basename, is_video, nearest, video_stem

__all__ = ["check_twins", "checked_videos", "find_videos", "is_raw_video", "listed_video", "named_folder", "place"]

log = logging.getLogger(__name__)

_LONGEST = 160  # bytes of a video's name: with DLC_Resnet50_<Task>…_filtered_meta.json most systems allow 255


def is_raw_video(path: Path) -> bool:
    """Whether this is a video, and none that DeepLabCut or dlcnb drew on."""
    drawn_on = re.search(r"(_labeled(_before_adapt|_after_adapt)?|DLC_\w+)$", path.stem)
    return path.is_file() and is_video(path) and path.name[0] != "." and not drawn_on


def listed_video(root: Path, key: str, keys: Iterable[str]) -> Path | None:
    """Where the video of an entry of config.yaml is: in the project's ``videos/``, or where the entry says; else None.

    It may be spelled otherwise on the disk (see `dlcnb.files.alike`), unless that is the name of another of the entries
    ``keys``.
    """
    for path in (root / "videos" / basename(key), Path(key)):
        found = as_spelled(path) if path.is_absolute() else path
        if not path.is_absolute() or not found.is_file():
            continue
        if found == path or composed(found.name) not in {composed(basename(other)) for other in keys if other != key}:
            return found
    return None


def named_folder(plain: Path, names: Callable[[], set[str]]) -> Path:
    """The folder of a video, as the disk spells it, unless it is that of another of the videos ``names`` gives."""
    folder = as_spelled(plain)
    if folder != plain and composed(folder.name) in (known := names()) - {alike(plain.name, known)}:
        return plain
    return folder


def find_videos(paths: Iterable[StrPath], *, recursive: bool = False) -> list[Path]:
    """Videos: files as they are given, and of a folder all that are in it, sorted by name; each once.

    Hidden files and videos that dlcnb or DeepLabCut drew on are passed over. With ``recursive`` folders in a folder
    are looked through, too, but no links to others. Raises `ProjectError` for a folder without a video.
    """
    found: list[Path] = []
    for path in (Path(given).expanduser() for given in paths):
        if not path.is_dir():
            found.append(path)
            continue
        inside = sorted(p for folder in _folders(path, recursive) for p in folder.iterdir() if is_raw_video(p))
        if not inside:
            deeper = "" if recursive else "; with --recursive those in its folders count, too"
            raise ProjectError(f"no video in {path}; expected files with suffixes such as .mp4 or .avi{deeper}")
        found += inside
    return list(dict.fromkeys(found))


def _folders(path: Path, recursive: bool) -> list[Path]:
    """A folder and, if wanted, all within it, without hidden ones."""
    if not recursive:
        return [path]
    found = []
    for folder, names, _ in os.walk(path):
        names[:] = [name for name in names if name[0] != "."]
        found.append(Path(folder))
    return found


def checked_videos(videos: StrPath | Iterable[StrPath]) -> dict[Path, tuple[int, int]]:
    """{path: (height, width)}; raises `ProjectError` or `VideoError` before anything is touched."""
    from dlcnb.video import VideoReader

    given = [videos] if isinstance(videos, (str, os.PathLike)) else videos
    paths = [Path(v).expanduser().absolute() for v in given]
    for path in paths:
        if not path.is_file():
            siblings = [p.name for p in unhidden(path.parent)] if path.parent.is_dir() else []
            others = [name for name in siblings if name != path.name]  # a folder or a pipe of that very name
            raise ProjectError(f"no video {path}; check the path{nearest(path.name, others)}")
        _check_name(path)
    check_twins(paths)
    sizes = {}
    for path in paths:
        with VideoReader(path) as reader:
            sizes[path] = reader.size
    return sizes


def check_twins(paths: Iterable[Path]) -> None:
    """Raise `ProjectError` if two videos would be one by their names; none of them is opened."""
    by_name: dict[str, Path] = {}
    for path in paths:
        name = video_stem(path).casefold()
        if name in by_name:
            named = " and ".join(f"'{stem}'" for stem in dict.fromkeys([by_name[name].stem, path.stem]))
            raise ProjectError(
                f"two videos are named {named}; rename one, because frames are stored by video name, and not every "
                "system tells upper from lower case"
            )
        by_name[name] = path


def _check_name(path: Path) -> None:
    """Raise `ProjectError` for a name by which a file would not be taken for a video, or not be seen, later on."""
    from dlcnb.video import VideoError, VideoReader

    if path.name.startswith("."):
        raise ProjectError(f"the name of {path} begins with a dot: such files are hidden, and passed over; rename it")
    if any(ord(letter) < ord(" ") for letter in path.name):
        raise ProjectError(f"the name of {str(path)!r} has a line break or the like in it; rename it")
    if len(os.fsencode(path.name)) > _LONGEST:
        raise ProjectError(
            f"the name of {path} is too long, as the tables of a video have its name and more; rename it, to at most "
            f"{_LONGEST} letters"
        )
    if is_video(path):
        return
    cure = "does not look like a video; expected a suffix such as .mp4 or .avi"
    try:
        VideoReader(path).close()
        cure = f"is a video with a suffix that is no video's; rename it, such as to {path.stem}.mp4"
    except VideoError:
        pass
    raise ProjectError(f"{path} {cure}")


def place(source: Path, folder: Path, copy: bool) -> Path:
    """Link or copy a video into ``folder``; returns the new path."""
    target = folder / source.name
    try:
        make_folder(folder)
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
