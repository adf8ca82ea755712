"""What an animal did, in an NWB file: the speed of each bodypart, zones, and the stays in them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from dlcnb.trajectories import speed, tracks
from dlcnb.zones import Zone, zone_table
from dlcnb.zones.measure import MINIMUM

if TYPE_CHECKING:
    from types import ModuleType

    from dlcnb.poses import Poses
    from dlcnb.project import Scale
    from dlcnb.video import VideoReader

__all__ = ["Behavior", "add_stays", "speed_series", "zones_table"]


@dataclass(frozen=True)
class Behavior:
    """What is told beside the poses of a video.

    Parameters
    ----------
    pcutoff : float
        Points of a likelihood below it don't count.
    zones : sequence of dlcnb.zones.Zone
    scale : dlcnb.project.Scale, optional
        Makes centimetres of pixels.
    minimum : float
        s that a stay in a zone lasts at least.
    """

    pcutoff: float = 0.0
    zones: Sequence[Zone] = ()
    scale: Scale | None = None
    minimum: float = MINIMUM

    @property
    def unit(self) -> str:
        """Of speeds."""
        return "px/s" if self.scale is None else "cm/s"


def speed_series(
    pynwb: ModuleType,
    behavior: Behavior,
    named: tuple[Poses, Sequence[str]],
    reader: VideoReader,
    timing: dict[str, Any],
) -> Any:
    """A BehavioralTimeSeries with the speed of each bodypart; ``named`` are poses and names that HDF5 can have."""
    poses, names = named
    times = np.asarray(reader.times[: len(poses)], float)
    found = speed(tracks(poses, scale=behavior.scale, pcutoff=behavior.pcutoff, times=times), times=times)
    series = [
        pynwb.TimeSeries(
            name=f"speed_{name}",
            description=f"Speed of the bodypart {part}; NaN where a point, or one beside it in time, is missing or "
            f"has a likelihood below {behavior.pcutoff:g}.",
            data=found[:, k],
            unit=behavior.unit,
            **timing,
        )
        for k, (part, name) in enumerate(zip(poses.bodyparts, names, strict=True))
    ]
    return pynwb.behavior.BehavioralTimeSeries(name="BehavioralTimeSeries", time_series=series)


def zones_table(pynwb: ModuleType, zones: Sequence[Zone]) -> Any:
    """A DynamicTable of the zones, with their outlines as WKT."""
    table = pynwb.core.DynamicTable(name="zones", description="Parts of the frame in which stays are counted.")
    table.add_column("zone", "Its name.")
    table.add_column("kind", "rectangle, ellipse or polygon.")
    table.add_column("outline", "Well-known text; px, (0, 0) is the centre of the top-left pixel, y points down.")
    for zone in zones:
        table.add_row(zone=zone.name, kind=zone.kind, outline=zone.polygon.wkt)
    return table


def add_stays(pynwb: ModuleType, file: Any, behavior: Behavior, poses: Poses, reader: VideoReader) -> None:
    """The stays of bodyparts in zones as TimeIntervals ``zone_stays`` of the file; nothing where there are none."""
    times = np.asarray(reader.times[: len(poses)], float)
    points = tracks(poses, pcutoff=behavior.pcutoff, times=times)
    _, found = zone_table(points, poses.bodyparts, behavior.zones, times, minimum=behavior.minimum)
    ends = np.append(times, 2 * times[-1] - times[-2] if len(times) > 1 else times[-1:] + 1.0)
    rows = sorted(
        (float(ends[first]), float(ends[after]), one.zone, one.bodypart)
        for one in found
        for first, after in one.frames.tolist()
    )
    if not rows:
        return
    table = pynwb.epoch.TimeIntervals(
        name="zone_stays",
        description=f"Stays of bodyparts in zones, of at least {behavior.minimum:g} s; points of a likelihood below "
        f"{behavior.pcutoff:g} are in no zone.",
    )
    table.add_column("zone", "Name of the zone, as in the table of zones.")
    table.add_column("bodypart", "Which bodypart was in it.")
    for start, stop, zone, bodypart in rows:
        table.add_interval(start_time=start, stop_time=stop, zone=zone, bodypart=bodypart)
    file.add_time_intervals(table)
