"""Which network the poses of each video are of: the one that a report tells of, another of the project, or none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dlcnb.files import quoted
from dlcnb.jobs.origin import Origin, made_by
from dlcnb.run import Run

if TYPE_CHECKING:
    from dlcnb.project import Project
    from dlcnb.report.videos import Recorded

__all__ = ["others", "tell_networks"]


def tell_networks(
    project: Project,
    told: Mapping[str, Any] | None,
    recorded: Sequence[Recorded],
    videos: Sequence[dict[str, Any]],
    left_out: list[str],
) -> None:
    """Add to the poses of each video whose they are, and a line to ``left_out`` for those of another network.

    Parameters
    ----------
    project : Project
    told : the network that the report tells of, as `dlcnb.report.Facts` has it; None if it tells of none.
    recorded, videos : of each video what was read, and what is told: its ``poses`` get ``made_by`` (names of networks,
        in words), ``ours`` (whether they are of this project), and ``told`` (whether the report tells of them).
    left_out : lines of what is missing.
    """
    for one, video in zip(recorded, videos, strict=True):
        if one.table is not None and one.poses is not None:
            origins = made_by(project, one.table, one.poses.scorer)
            video["poses"] |= {
                "made_by": [str(origin) for origin in origins],
                "ours": any(_is_ours(project, origin) for origin in origins),
                "told": told is not None and any(_is_told(told, origin) for origin in origins),
            }
    differ = [one.video.name for one, video in zip(recorded, videos, strict=True) if video["poses"] and told
              and not video["poses"]["told"]]  # fmt: skip
    if differ:
        command = " ".join([quoted(project.root), *map(quoted, differ)])
        left_out.append(f"Poses of {', '.join(differ)} by the network in this report: dlcnb analyze {command}")


def others(data: Mapping[str, Any]) -> str:
    """What to say of videos whose poses are of another network than the one told, with the cure; empty if none are."""
    if not data["network"]:
        return ""
    names = [video["video"] for video in data["videos"] if video["poses"] and not video["poses"]["told"]]
    if not names:
        return ""
    return (
        f"The poses of {', '.join(names)} are not of the network in this report: its training and its errors say "
        "nothing about them. Analyze again with that network (dlcnb analyze), and make the report anew."
    )


def _is_ours(project: Project, origin: Origin) -> bool:
    return origin.run is not None or f"{project.task}{project.date}" in origin.scorer


def _is_told(told: Mapping[str, Any], origin: Origin) -> bool:
    return origin.run is not None and _same(Run(told["run"]), origin.run) and origin.step == told["step"]


def _same(one: Run, other: Run) -> bool:
    return Path(one.folder).resolve() == Path(other.folder).resolve()
