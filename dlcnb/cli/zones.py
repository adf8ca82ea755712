"""The command of zones: time, entries, latency, distance and speed in each, for a whole experiment."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import numpy as np

from dlcnb.cli.behavior import cautions, passed_over
from dlcnb.cli.console import Report, command, project_argument, table
from dlcnb.cli.recordings import Recording, chosen, experiment_options, lines_of, subjects, write_experiment
from dlcnb.cli.results import known_bodyparts
from dlcnb.zones.measure import MINIMUM

if TYPE_CHECKING:
    from dlcnb.cli.console import Console
    from dlcnb.project import Project
    from dlcnb.zones import Stays, Zone

__all__ = ["zones"]


@command("zones", "Measure time in zones, entries, latency, distance.")
@project_argument
@experiment_options
@click.option(
    "--bodypart", "parts", multiple=True, metavar="NAME", help="Only this one; may be repeated.  [default: all]"
)
@click.option(
    "--min-stay",
    type=click.FloatRange(0),
    default=MINIMUM,
    show_default=True,
    help="Shortest stay, in seconds; a shorter way out does not end a stay.",
)
@click.option("--plots", is_flag=True, help="Draw the stays over time, and a map of the time, for each bodypart.")
@click.option(
    "--copy-from", metavar="VIDEO", help="First copy the zones of this video to VIDEOS, scaled to their frames."
)
@click.option("--replace", is_flag=True, help="With --copy-from: replace zones that VIDEOS have.")
@click.option("--new-subjects", is_flag=True, help="Only write PROJECT/subjects.csv, to fill in group, animal, day.")
def zones(console: Console, root: str, videos: tuple[str, ...], out: str | None, **options: Any) -> Report:
    """Measure what bodyparts did in the zones of VIDEOS, by default of all videos of PROJECT that have poses.

    Zones are drawn with ZoneEditor and lie in PROJECT/zones, a GeoJSON file for each video. This writes zones.csv (a
    row for each video, bodypart and zone) and zones-stays.csv (each stay, from when to when) into PROJECT.
    """
    from dlcnb.project import Project, new_subjects

    project = Project.open(root)
    if options["new_subjects"]:
        path = new_subjects(project)
        return Report({"subjects": path}, f"{path}: fill in group, animal, day; more columns are welcome.")
    if options["copy_from"]:
        _copy(project, videos, options)
    made, without = chosen(project, videos, options)
    known = subjects(project, made, options)
    drawn = {recording.name: _drawn(project, recording) for recording in made}
    rows: list[dict[str, Any]] = []
    stays: list[dict[str, Any]] = []
    plots: list[Path] = []
    unseen: list[str] = []
    for n, recording in enumerate(made):
        console.progress(n / len(made), f"measuring {recording.name}")
        one = _Measured(project, recording, drawn[recording.name], known[recording.name], options)
        rows, stays, plots = rows + one.rows, stays + one.stays, plots + one.plots
        unseen.append(one.unseen)
    summary = Path(out).absolute() if out else project.inside("zones.csv")
    each = summary.with_name(f"{summary.stem}-stays.csv")
    names = [recording.name for recording in made]
    minded = list(filter(None, [write_experiment(summary, rows, names), *unseen]))
    write_experiment(each, stays, names)
    unit = "cm" if made[0].scale else "px"
    data = {"summary": summary, "stays": each, "unit": unit, "videos": names}
    pcutoff = project.pcutoff if options["pcutoff"] is None else options["pcutoff"]
    minded += cautions(project, made, rows, pcutoff)
    text = "\n".join(
        [_text(rows, unit), *map(str, [summary, each, *plots]), *passed_over(without, options["filtered"]), *minded]
    )
    return Report({**data, "plots": plots, "without_poses": without, "cautions": minded}, text)


def _copy(project: Project, videos: tuple[str, ...], options: dict[str, Any]) -> None:
    from dlcnb.cli.results import video_path
    from dlcnb.video import VideoReader
    from dlcnb.zones import copy_zones, zones_path

    targets = []
    for path in [video_path(project, video) for video in videos] or project.videos:
        if not videos and not options["replace"] and zones_path(project, path).exists():
            continue  # of all videos, those that have none yet
        with VideoReader(path) as reader:
            targets.append((path, reader.size))
    copy_zones(project, options["copy_from"], targets, replace=options["replace"])


def _drawn(project: Project, made: Recording) -> tuple[Zone, ...]:
    """The zones of a recording, checked, before anything is measured."""
    from dlcnb.zones import ZoneError, read_zones

    if made.size is None:
        raise ZoneError(f"{made.video} is not here, and zones need the size of its frames; put the video back")
    return read_zones(project, made.video, made.size)


class _Measured:
    """``rows`` of the summary, ``stays`` and ``plots`` of one recording; ``unseen``: a line about animals left out."""

    def __init__(
        self,
        project: Project,
        made: Recording,
        drawn: tuple[Zone, ...],
        known: dict[str, str],
        options: dict[str, Any],
    ) -> None:
        from dlcnb.trajectories import tracks
        from dlcnb.zones import zone_table

        self._project, self._made, self._drawn, self._options = project, made, drawn, options
        self.rows: list[dict[str, Any]] = []
        self.stays: list[dict[str, Any]] = []
        self.plots: list[Path] = []
        pcutoff = project.pcutoff if options["pcutoff"] is None else options["pcutoff"]
        animals, self.unseen = made.animals(options["animal"])
        for individual, poses in animals:
            parts = known_bodyparts(options["parts"], poses.bodyparts) or poses.bodyparts
            points = tracks(poses, pcutoff=pcutoff, gap=options["gap"], times=made.times)
            points = points[:, [poses.bodyparts.index(part) for part in parts]]
            measured = points if made.scale is None else made.scale.to_cm(points)
            unit = "px" if made.scale is None else "cm"
            rows, found = zone_table(
                points, parts, drawn, made.times, measured=measured, unit=unit, minimum=options["min_stay"]
            )
            self.rows += lines_of(made, individual, known, rows)
            self.stays += lines_of(made, individual, known, [row for one in found for row in self._lines(one)])
            if options["plots"]:
                self._draw(individual, parts, points, found)

    def _lines(self, one: Stays) -> list[dict[str, Any]]:
        """A row for each stay."""
        times = self._made.times - self._made.times[:1]
        ends = np.append(times, 2 * times[-1] - times[-2] if len(times) > 1 else 1.0)
        return [
            {"bodypart": one.bodypart, "zone": one.zone, "first_frame": first, "last_frame": after - 1,
             "start_s": ends[first], "end_s": ends[after], "duration_s": ends[after] - ends[first]}
            for first, after in one.frames.tolist()
        ]  # fmt: skip

    def _draw(self, individual: str, parts: tuple[str, ...], points: np.ndarray, found: list[Stays]) -> None:
        from dlcnb import plots
        from dlcnb.video import VideoReader

        made = self._made
        folder = self._project.plots_dir(made.video, self._options["tables"])
        with VideoReader(made.video) as reader:
            image, size = reader.read(0), reader.size
        for k, part in enumerate(parts):
            of_part = found[k * len(self._drawn) : (k + 1) * len(self._drawn)]
            name = "_".join(filter(None, [individual, part])).replace("/", "_").replace("\\", "_")
            figure, _ = plots.ethogram(of_part, made.times)
            self.plots.append(plots.save(figure, folder / f"zones-{name}.png"))
            figure, _ = plots.occupancy(
                points[:, k], made.times, size, zones=self._drawn, image=image, scale=made.scale
            )
            self.plots.append(plots.save(figure, folder / f"occupancy-{name}.png"))


def _text(rows: list[dict[str, Any]], unit: str) -> str:
    heads = ("video", "bodypart", "zone", "time s", "of known s", "entries", "latency s", f"distance {unit}",
             f"mean {unit}/s")  # fmt: skip
    cells = [
        (r["video"], " ".join([r.get("individual", ""), r["bodypart"]]).strip(), r["zone"], f"{r['time_s']:.2f}",
         f"{r['known_s']:.2f}", r["entries"], *(f"{r[key]:.2f}" if r[key] == r[key] else "–"
                         for key in ("latency_s", f"distance_{unit}", f"mean_speed_{unit}_s")))
        for r in rows
    ]  # fmt: skip
    return table([heads, *cells])
