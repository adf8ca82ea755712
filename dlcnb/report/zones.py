"""What a report tells of zones: time, entries, latency and way of the first bodypart that is seen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dlcnb.project import Project
from dlcnb.report.videos import Recorded
from dlcnb.trajectories import tracks
from dlcnb.zones import Stays, Zone, read_zones, zone_table, zones_path

__all__ = ["Measured", "measured"]


@dataclass(eq=False)
class Measured:
    """Zones of one video, ``points`` (T, 2) px of one bodypart, and what it did there (``rows`` of `zone_table`)."""

    recorded: Recorded
    bodypart: str
    zones: tuple[Zone, ...]
    points: NDArray[np.float64]
    rows: list[dict[str, Any]]
    stays: list[Stays]

    @property
    def unit(self) -> str:
        """Of lengths: cm where a scale is known."""
        return "px" if self.recorded.scale is None else "cm"

    def to_json(self) -> dict[str, Any]:
        """The same as plain values, without the points."""
        return {"video": self.recorded.name, "bodypart": self.bodypart, "unit": self.unit, "zones": self.rows}


def measured(project: Project, recorded: list[Recorded], left_out: list[str]) -> list[Measured]:
    """The zones of all videos that have some; a line in ``left_out`` for those that can't be measured."""
    found = []
    for one in recorded:
        if not zones_path(project, one.video).exists():
            continue
        if one.poses is None or not len(one.poses):
            left_out.append(f"Zones of {one.name}: it has no poses yet (dlcnb analyze).")
            continue
        try:
            found.append(_measured(project, one))
        except (ValueError, OSError) as error:
            left_out.append(f"Zones: {error}")
    return found


def _measured(project: Project, one: Recorded) -> Measured:
    assert one.poses is not None
    zones = read_zones(project, one.video, one.size)
    likelihood = np.nan_to_num(one.poses.likelihood).mean(axis=0)
    seen = np.flatnonzero(likelihood >= project.pcutoff)
    best = int(seen[0] if len(seen) else likelihood.argmax())  # the first of the project, as in tables, if it is seen
    part = one.poses.bodyparts[best]
    points = tracks(one.poses, pcutoff=project.pcutoff, times=one.times)[:, [best]]
    way, unit = (points, "px") if one.scale is None else (one.scale.to_cm(points), "cm")
    rows, stays = zone_table(points, [part], zones, one.times, measured=way, unit=unit)
    return Measured(one, part, zones, points[:, 0], rows, stays)
