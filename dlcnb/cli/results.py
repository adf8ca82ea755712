"""Commands for what follows an analysis: filter, plot, label-video."""

from __future__ import annotations

import json
import logging
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from dlcnb.cli.console import LocalPath, Report, choice_option, clock, command, project_argument, table
from dlcnb.files import quoted, read_json

if TYPE_CHECKING:
    from dlcnb.cli.console import Console
    from dlcnb.project import Project

__all__ = [
    "animal_option",
    "crop_of",
    "filter_poses",
    "is_several",
    "kind_of_poses",
    "known_bodyparts",
    "label",
    "label_video",
    "own_path",
    "plot",
    "video_path",
    "with_poses",
]

_videos = click.argument("videos", nargs=-1, required=True, type=LocalPath())
_tables = click.option(
    "--tables", type=click.Path(file_okay=False), help="Folder of the tables.  [default: beside each video]"
)
animal_option = click.option("--animal", metavar="NAME", help="Of several animals: the name of one, or all.")
_filtered = click.option("--filtered", is_flag=True, help="Use what `dlcnb filter` wrote.")
_pcutoff = click.option(
    "--pcutoff",
    type=click.FloatRange(0, 1),
    help="Likelihood below which a point is not shown.  [default: the project's]",
)


@command("filter", "Smooth the trajectories.")
@project_argument
@_videos
@choice_option(
    "--method",
    ["median", "savgol", "kalman"],
    help="median: removes jumps. savgol: keeps the height of peaks. kalman: weighs points by their likelihood.",
)
@click.option("--window", type=click.IntRange(1), help="Frames, an odd number.  [default: median 5, savgol 7]")
@click.option("--order", type=click.IntRange(0), default=3, show_default=True, help="Order of savgol's polynomials.")
@click.option(
    "--pcutoff",
    type=click.FloatRange(0, 1),
    default=0.0,
    show_default=True,
    help="First leave out points of a lower likelihood.",
)
@click.option("--gap", type=click.IntRange(0), help="Longest gap to fill, frames.  [default: 0, kalman 10]")
@_tables
def filter_poses(console: Console, root: str, videos: tuple[str, ...], tables: str | None, **options: Any) -> Report:
    """Smooth the trajectories of VIDEOS over time; writes tables that end in _filtered.

    As with DeepLabCut there is one filtered table per video: a second filter replaces it, and says so.
    """
    from dlcnb.project import Project

    project = Project.open(root)
    if options["method"] == "kalman" and options["window"] is not None:
        raise click.UsageError("--window goes with median and savgol; kalman finds its own from the points.")
    done: list[dict[str, Any]] = []
    for video, poses_file in [with_poses(project, video, tables) for video in videos]:
        console.progress(len(done) / len(videos), f"smoothing {video.name}")
        done.append(_filter_one(video, poses_file, tables, options))
    rows = [("video", "frames", "method", "output")]
    rows += [(d["video"].name, d["frames"], d["method"], d["output"]) for d in done]
    replaced = [f"{d['output'].name} replaced an earlier result: {d['replaced']}." for d in done if d["replaced"]]
    return Report({"videos": done}, "\n".join([table(rows), *replaced]))


log = logging.getLogger(__name__)


def _filter_one(video: Path, poses_file: Path, tables: str | None, options: dict[str, Any]) -> dict[str, Any]:
    """Write the filtered table of one video; returns its entry of the report."""
    from dlcnb.files import atomic_write
    from dlcnb.poses import MultiAnimalPoses, Poses, poses_path
    from dlcnb.trajectories import filter_poses
    from dlcnb.video import VideoReader

    several = is_several(poses_file)
    poses: Any = (MultiAnimalPoses if several else Poses).read(poses_file)
    times = None
    if video.is_file():
        with VideoReader(video) as reader:
            times = reader.times if reader.is_vfr and len(reader) == len(poses) else None
    smooth = filter_poses(poses, times=times, **options)
    suffix = "_el_filtered" if several else "_filtered"
    target = poses_path(video, poses.scorer, folder=tables and Path(tables).absolute())
    output = target.with_name(f"{target.stem}{suffix}.h5")
    before = _filtered_by(output)
    smooth.write(target, suffix=suffix)
    made = ", ".join(f"{name} {value}" for name, value in options.items() if value is not None)
    atomic_write(_meta(output), json.dumps({"made": made}))
    found = {"video": video, "frames": len(poses), "method": options["method"], "output": output}
    return {**found, "replaced": before if before != made else None}


def _filtered_by(output: Path) -> str | None:
    """How the filtered table that is there was made, in words; None if there is none."""
    if not output.exists():
        return None
    try:
        return read_json(_meta(output))["made"]
    except (OSError, ValueError, KeyError):
        return "by another program, or an earlier version"


def _meta(output: Path) -> Path:
    return output.with_name(f"{output.stem}_meta.json")


@command("plot", "Plot the trajectories.")
@project_argument
@_videos
@animal_option
@_filtered
@_pcutoff
@_tables
@click.option("--unit", type=click.Choice(["px", "cm"]), default="px", show_default=True, help="cm: see dlcnb scale.")
def plot(
    console: Console,
    root: str,
    videos: tuple[str, ...],
    filtered: bool,
    pcutoff: float,
    **which: Any,
) -> Report:
    """Plot the trajectories of VIDEOS: in the plane, over time, their likelihood, their frame-to-frame steps.

    They go to the folder plot-poses in PROJECT/videos, or in the folder of the tables.
    """
    from dlcnb.project import Project

    project = Project.open(root)
    pcutoff = project.pcutoff if pcutoff is None else pcutoff
    done: list[dict[str, Any]] = []
    for video, poses_file in [
        with_poses(project, video, which["tables"], filtered, which["animal"]) for video in videos
    ]:
        console.progress(len(done) / len(videos), f"plotting {video.name}")
        done.append({"video": video, "plots": plot_one(project, video, poses_file, pcutoff, **which)})
    return Report({"videos": done}, "\n".join(str(path) for d in done for path in d["plots"]))


@command("label-video", "Draw the bodyparts on videos.")
@project_argument
@_videos
@click.option("--trail", type=click.IntRange(0), default=0, show_default=True, help="Past positions to draw, frames.")
@click.option("--fade", is_flag=True, help="Draw unsure bodyparts faintly (with --pcutoff 0: nothing is hidden).")
@click.option("--keypoints-only", is_flag=True, help="Draw on black instead of the frames.")
@click.option("--crop", help="Part of the frame to show: x1,x2,y1,y2 in px.")
@click.option(
    "--beside",
    type=click.Choice(["frame", "raw"]),
    help="Side by side with the plain frame, or (with --filtered) with the poses before filtering.",
)
@animal_option
@_filtered
@_pcutoff
@_tables
def label_video(
    console: Console, root: str, videos: tuple[str, ...], tables: str | None, animal: str | None, **look: Any
) -> Report:
    """Draw the bodyparts on VIDEOS; writes videos that end in _labeled."""
    from dlcnb.poses import find_poses, read_poses
    from dlcnb.project import Project

    project = Project.open(root)
    look["pcutoff"] = project.pcutoff if look["pcutoff"] is None else look["pcutoff"]
    look["alpha"] = "likelihood" if look.pop("fade") else 1.0
    look["crop"] = crop_of(look["crop"])
    raw, filtered = look["beside"] == "raw", look.pop("filtered")
    done: list[dict[str, Any]] = []
    for video, poses_file in [with_poses(project, video, tables, filtered, animal) for video in videos]:
        if raw:
            look["beside"] = read_poses(find_poses(video, tables, several=is_several(poses_file)), animal)
        done.append(label(console, project, video, poses_file, animal=animal, **look))
    rows = [("video", "frames", "seconds", "output")]
    rows += [(d["video"].name, d["frames"], f"{d['seconds']:.1f}", d["output"]) for d in done]
    return Report({"videos": done}, table(rows))


def crop_of(text: str | None) -> tuple[int, ...] | None:
    """Four numbers from "x1,x2,y1,y2", or None."""
    if text is None:
        return None
    words = text.replace(" ", "").split(",")
    if len(words) != 4 or not all(word.isdigit() for word in words):
        raise click.UsageError(f"--crop {text}: expected four numbers of pixels, x1,x2,y1,y2.")
    return tuple(map(int, words))


def known_bodyparts(wanted: tuple[str, ...], there: tuple[str, ...]) -> tuple[str, ...]:
    """The same names, of bodyparts that are there; raises `ProjectError` for one that is not."""
    from dlcnb.project import ProjectError, nearest

    for part in wanted:
        if part not in there:
            raise ProjectError(f"no bodypart '{part}'; there are {', '.join(there)}{nearest(part, there)}")
    return wanted


def plot_one(
    project: Project,
    video: Path,
    poses_file: Path,
    pcutoff: float,
    tables: str | None = None,
    animal: str | None = None,
    unit: str = "px",
) -> list[Path]:
    """Write the plots of one video's poses to the project, or to the folder of the tables; returns their paths."""
    from dlcnb import plots
    from dlcnb.poses import read_poses
    from dlcnb.project import needed_scale
    from dlcnb.video import VideoReader

    with VideoReader(video) as reader:
        times, size = reader.times, reader.size
    suffix = f"_{animal or 'all'}" if is_several(poses_file) else ""
    suffix += "_filtered" if poses_file.stem.endswith("_filtered") else ""
    folder = project.plots_dir(video, tables)
    poses = read_poses(poses_file, animal).fitted(len(times), poses_file)
    if unit == "cm":
        poses, suffix = poses.in_cm(needed_scale(project, video, size)), f"{suffix}_cm"
    return plots.save_all(poses, times, folder, pcutoff, size=size, suffix=suffix)


def label(
    console: Console,
    project: Project,
    video: Path,
    poses_file: Path,
    pcutoff: float,
    *,
    animal: str | None = None,
    **look: Any,
) -> dict[str, Any]:
    """Write one labeled video beside its poses (``look``: see `render.label_video`); its entry of the report."""
    from dlcnb.poses import Poses, bone_edges, read_poses, seldom_sure
    from dlcnb.render import label_video
    from dlcnb.video import VideoReader

    name = f"{poses_file.stem}_{animal}" if animal else poses_file.stem
    began, out = time.monotonic(), poses_file.with_name(f"{name}_labeled.mp4")
    with VideoReader(video) as reader:
        total = len(reader)
        poses = read_poses(poses_file, animal).fitted(total, poses_file)
        if isinstance(look.get("beside"), Poses):
            look["beside"] = look["beside"].fitted(total)
        if unsure := seldom_sure(poses, pcutoff):
            console.note(f"{video.name}: {unsure}")
        bones = bone_edges(poses.bodyparts, project.skeleton.edges)
        steps = label_video(reader, poses, out, skeleton=bones, pcutoff=pcutoff, **look)
        for done in steps:
            left = (time.monotonic() - began) * (total / max(done, 1) - 1)
            told = done / total, f"drawing {video.name}: frame {done} of {total}, {clock(left)} left"
            console.progress(*told)
            console.progress_line(*told)
    console.clear()
    return {"video": video.absolute(), "output": out, "frames": total, "seconds": time.monotonic() - began}


def is_several(poses_file: Path) -> bool:
    """Whether a table is of several animals, by its name."""
    from dlcnb import poses

    return poses.is_several(poses_file)


def video_path(project: Project, video: str | Path) -> Path:
    """Absolute path of a video, given by its path or by its name in the project; raises ProjectError if not there."""
    from dlcnb.project import ProjectError

    path = Path(video)
    if path.is_file():
        return path.absolute()
    try:
        return project.video(path.name)
    except ProjectError as error:
        raise ProjectError(f"{error}. There is no file {path} either: give a path, or one of these names") from error


def with_poses(
    project: Project, video: str | Path, tables: str | None, filtered: bool = False, animal: str | None = None
) -> tuple[Path, Path]:
    """(path of a video, its newest table of poses); what is missing is said, with the command that makes it.

    With ``animal`` it is the table of several animals; without, that of one, or of several where there is no other.
    """
    from dlcnb.project import ProjectError

    try:
        path = video_path(project, video)
    except ProjectError:
        path = Path(video).absolute()
        try:
            return path, _found(path, tables, filtered, animal)  # the tables may be there without the video
        except FileNotFoundError:
            pass
        raise
    found: list[tuple[Path, Path]] = []
    for place in (path, *_same(project, path)):
        with suppress(FileNotFoundError):
            found.append((place, _found(place, tables, filtered, animal)))
    if found:
        newest = max(found, key=lambda one: one[1].stat().st_mtime)
        _warn_of_crop(project, newest[1])
        return newest
    what, how = kind_of_poses(filtered)
    what += " of several animals" if animal else ""
    where = [*_same(project, path), path][0].parent if tables is None else tables  # where an analysis writes
    other = "another folder" if tables else "their folder"
    raise FileNotFoundError(
        f"There are no {what} of {path.name} in {where}. Make them: dlcnb {how} {quoted(project.root)} {quoted(path)}; "
        f"or name {other} with --tables.{_only_filtered(path, tables, animal) if not filtered else ''}"
    )


def _warn_of_crop(project: Project, table: Path) -> None:
    """Say that a table may count from the corner of the crop in config.yaml, where nothing beside it tells."""
    from dlcnb.poses import tells_of_crop

    if project.config.get("cropping") and not tells_of_crop(table):
        log.warning(
            "%s: nothing beside it says whether it was made from a crop, and config.yaml has cropping: true. "
            "If it was, its points are off by the crop's corner; analyze the video again",
            table,
        )


def _only_filtered(path: Path, tables: str | None, animal: str | None) -> str:
    """What to say of filtered poses that are there, where those that they were made of are not."""
    try:
        return f" There are filtered ones, {_found(path, tables, True, animal).name}: --filtered takes them."
    except FileNotFoundError:
        return ""


def kind_of_poses(filtered: bool) -> tuple[str, str]:
    """(what the poses that a command asks for are called, the command that makes them)."""
    return ("filtered poses", "filter") if filtered else ("poses", "analyze")


def own_path(project: Project, path: Path) -> Path:
    """The path by which a project has a video, beside which Studio leaves its tables; as given if it has it not.

    Where there are tables beside the path given, and none there, as with DeepLabCut, they stay together.
    """
    from dlcnb.poses import pose_tables

    same = [] if path in project.videos else _same(project, path)
    return path if not same or (pose_tables(path) and not pose_tables(same[0])) else same[0]


def _same(project: Project, path: Path) -> list[Path]:
    """Where else the project has this video: a link in its ``videos``, beside which Studio leaves its tables."""
    return [one for one in project.videos if one != path and one.samefile(path)]


def _found(path: Path, tables: str | None, filtered: bool, animal: str | None) -> Path:
    from dlcnb.poses import find_poses

    if animal is None:
        try:
            return find_poses(path, tables, filtered)
        except FileNotFoundError:
            pass
    return find_poses(path, tables, filtered, several=True)
