"""A video that is not where it should be: how that is told, and what to do, everywhere in the same words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dlcnb.files import quoted
from dlcnb.project.names import basename

if TYPE_CHECKING:
    from dlcnb.project.core import Project

__all__ = ["missing_video", "missing_words"]


def missing_video(project: Project, key: str) -> tuple[str, str]:
    """Of an entry of video_sets whose video is nowhere: what to say, and what to do."""
    place = project.root / "videos" / basename(key)
    place = place.readlink() if place.is_symlink() else place
    back = "put it back" if str(place) == key else f"put it at {place}"
    cure = f"{back}, or choose it where it is now (dlcnb add-videos {quoted(project.root)} VIDEO)"
    return f"The video {key} is missing", cure


def missing_words(project: Project) -> str:
    """Which videos of a project are missing, and what to do, in one line; empty if none is."""
    lost = project.missing_videos
    if not lost:
        return ""
    words, cure = missing_video(project, lost[0])
    more = len(lost) - 1
    too = f" ({more} more video{'s' * (more > 1)} missing, too)" if more else ""
    return f"{words}{too}: {cure}."
