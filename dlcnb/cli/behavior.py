"""Commands for behavior in numbers: scale (centimetres) and kinematics."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import numpy as np

from dlcnb.cli.console import LocalPath, Report, command, project_argument, table
from dlcnb.cli.recordings import Recording, chosen, experiment_options, lines_of, subjects, write_experiment
from dlcnb.cli.results import kind_of_poses

if TYPE_CHECKING:
    from dlcnb.cli.console import Console
    from dlcnb.project import Project, Scale

__all__ = ["cautions", "kinematics", "passed_over", "scale"]


@command("scale", "Set how many pixels are one centimetre.")
@project_argument
@click.argument("videos", nargs=-1, type=LocalPath())
@click.option("--px-per-cm", type=float, help="Pixels per centimetre.")
@click.option("--line", help="Two points of a frame, x1,y1,x2,y2 in px, that are --cm apart.")
@click.option(
    "--corners", help="Four corners of a rectangle on the ground, in order: x1,y1,…,x4,y4 in px (slanted camera)."
)
@click.option("--cm", help="Length of --line, or of --corners WIDTHxHEIGHT (first to second corner, second to third).")
@click.option("--remove", is_flag=True, help="Remove the scale.")
@click.option("--undo", is_flag=True, help="Undo the last change.")
def scale(console: Console, root: str, videos: tuple[str, ...], remove: bool, undo: bool, **given: Any) -> Report:
    """Set or show how many pixels are one centimetre, for VIDEOS, or without any for all videos of PROJECT.

    The scale is kept in PROJECT/scale.json. ZoneEditor sets it with two clicks.
    """
    from dlcnb.project import Project, set_scale, undo_scale

    project = Project.open(root)
    ways = [name for name in ("px_per_cm", "line", "corners") if given[name] is not None]
    if len(ways) + remove + undo > 1:
        raise click.UsageError("Give one of --px-per-cm, --line, --corners, --remove, --undo.")
    if undo:
        told = undo_scale(project)
        return Report({"undone": told, **_scales(project)}, f"Undone. {told}")
    if given["cm"] is not None and ways not in (["line"], ["corners"]):
        raise click.UsageError("--cm goes with --line or --corners.")
    if ways or remove:
        for video in videos or (None,):
            set_scale(project, _measured(project, video, ways[0], given) if ways else None, video)
    found = _scales(project)
    rows = [("video", "scale"), *((name, text or "none") for name, text in found["videos"].items())]
    return Report(found, table(rows))


def _measured(project: Project, video: str | None, way: str, given: dict[str, Any]) -> Scale:
    """The scale that the options tell, and the size of the frames that it was measured in."""
    from dlcnb.project import ProjectError, Scale
    from dlcnb.video import VideoReader

    sizes = {}
    for path in [project.video(video)] if video else project.videos:
        with VideoReader(path) as reader:
            sizes[path.name] = reader.size
    if len(set(sizes.values())) > 1:
        told = ", ".join(f"{name} {width}×{height}" for name, (height, width) in sizes.items())
        raise ProjectError(f"the videos have frames of different sizes ({told}); give each its scale by name")
    size = next(iter(sizes.values()), None)
    if way == "px_per_cm":
        return Scale.by_number(given["px_per_cm"], size)
    if given["cm"] is None:
        raise click.UsageError(f"--{way} needs its length: --cm {'40' if way == 'line' else '40x30'}.")
    points = np.reshape(_numbers(f"--{way}", given[way], ",", 4 if way == "line" else 8), (-1, 2))
    lengths = _numbers("--cm", given["cm"].lower(), "x", 1 if way == "line" else 2)
    return Scale.by_line(points, lengths[0], size) if way == "line" else Scale.by_corners(points, lengths, size)


def _numbers(option: str, text: str, between: str, count: int) -> list[float]:
    try:
        found = [float(word) for word in text.split(between)]
    except ValueError:
        found = []
    if len(found) != count or not np.isfinite(found).all():
        raise click.UsageError(f"{option} {text}: expected {count} number{'s' * (count > 1)} with '{between}' between.")
    return found


def _scales(project: Project) -> dict[str, Any]:
    """{"videos": {name: its scale in words, or None}}."""
    from dlcnb.project import scale_of

    found = {path.stem: scale_of(project, path) for path in project.videos}
    return {"videos": {name: None if one is None else str(one) for name, one in found.items()}}


@command("kinematics", "Measure speed, angles and distance.")
@project_argument
@experiment_options
def kinematics(console: Console, root: str, videos: tuple[str, ...], out: str | None, **options: Any) -> Report:
    """Measure movement in VIDEOS, by default in all videos of PROJECT that have poses.

    Beside each table of poses this writes _kinematics.csv (every frame: position, speed, acceleration, heading,
    distance, bones, angles) and DeepLabCut's _skeleton.h5. The csv of the experiment, kinematics.csv in PROJECT, has a
    row for each video and bodypart. Group, animal and day come from PROJECT/subjects.csv (`dlcnb zones --new-subjects`
    makes it).
    """
    from dlcnb.project import Project

    project = Project.open(root)
    pcutoff = project.pcutoff if options["pcutoff"] is None else options["pcutoff"]
    made, without = chosen(project, videos, options)
    known = subjects(project, made, options)
    rows: list[dict[str, Any]] = []
    done: list[dict[str, Any]] = []
    unseen: list[str] = []
    for recording in made:
        console.progress(len(done) / len(made), f"measuring {recording.name}")
        lines, outputs, left = _measure(project, recording, known[recording.name], pcutoff, options)
        rows += lines
        unseen.append(left)
        done.append({"video": recording.video, "scale": recording.scale and str(recording.scale), "outputs": outputs})
    summary = Path(out) if out else project.inside("kinematics.csv")
    others = write_experiment(summary.absolute(), rows, [recording.name for recording in made])
    unit = "cm" if made[0].scale else "px"
    heads = ("video", "bodypart", f"distance {unit}", f"mean {unit}/s", f"max {unit}/s", "known")
    cells = [
        (r["video"], " ".join([r.get("individual", ""), r["bodypart"]]).strip(), f"{r[f'distance_{unit}']:.1f}",
         f"{r[f'mean_speed_{unit}_s']:.2f}", f"{r[f'max_speed_{unit}_s']:.2f}", f"{100 * r['known_share']:.0f} %")
        for r in rows
    ]  # fmt: skip
    minded = [*filter(None, [others, *unseen]), *cautions(project, made, rows, pcutoff)]
    text = "\n".join([table([heads, *cells]), str(summary), *passed_over(without, options["filtered"]), *minded])
    data = {"videos": done, "summary": summary, "unit": unit, "without_poses": without, "cautions": minded}
    return Report(data, text)


def _measure(
    project: Project, made: Recording, known: dict[str, str], pcutoff: float, options: dict[str, Any]
) -> tuple[list[dict[str, Any]], list[Path], str]:
    """(rows of the summary, files written, a line about animals left out) of one recording."""
    import pandas as pd

    from dlcnb.files import atomic_path
    from dlcnb.poses.single import write_frame
    from dlcnb.trajectories import kinematics_table, movement_summary, skeleton_table, tracks

    unit = "cm" if made.scale else "px"
    rows: list[dict[str, Any]] = []
    outputs, bones = [], []
    animals, unseen = made.animals(options["animal"])
    for individual, poses in animals:
        points = tracks(poses, scale=made.scale, pcutoff=pcutoff, gap=options["gap"], times=made.times)
        seen = np.isfinite(tracks(poses, pcutoff=pcutoff)).all(axis=-1)
        frame = kinematics_table(points, poses.bodyparts, made.times, unit=unit, skeleton=project.skeleton)
        animal = f"_{individual}" if individual else ""
        outputs.append(made.table.with_name(f"{made.table.stem}{animal}_kinematics.csv"))
        with atomic_path(outputs[-1]) as temporary:
            frame.to_csv(temporary, index=False, lineterminator="\n", float_format="%.6g")
        if project.skeleton.edges and set(project.skeleton.bodyparts) <= set(poses.bodyparts):
            bones.append(skeleton_table(poses, project.skeleton, individual))
        found = movement_summary(points, poses.bodyparts, made.times, unit=unit, seen=seen)
        rows += lines_of(made, individual, known, found)
    if bones:
        outputs += write_frame(pd.concat(bones, axis=1), made.table.with_suffix(".h5"), "", "_skeleton")
    return rows, outputs, unseen


def cautions(project: Project, made: list[Recording], rows: list[dict[str, Any]], pcutoff: float) -> list[str]:
    """A line about each network that made the poses and is not good, and one about bodyparts that are hardly known."""
    from dlcnb.evaluate import network_caution
    from dlcnb.poses import SELDOM, left_out

    tables = [recording.table.stem.removeprefix(recording.name) for recording in made]
    unsure = left_out((row["bodypart"] for row in rows if row["known_share"] < SELDOM), pcutoff)
    return list(dict.fromkeys(filter(None, (*(network_caution(project, table) for table in tables), unsure))))


def passed_over(without: list[str], filtered: bool) -> list[str]:
    """A line about videos that have no poses, or no filtered ones, if there are any."""
    what, how = kind_of_poses(filtered)
    return [f"Without {what}, and left out: {', '.join(without)} (dlcnb {how})."] if without else []
