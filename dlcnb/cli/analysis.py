"""The command that finds the bodyparts in videos, as a job in a process of its own: analyze."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click

from dlcnb.cli.console import Report, clock, command, project_argument, table, videos_argument
from dlcnb.cli.jobs import run_job
from dlcnb.cli.networks import device_option, networks_of, raw_likelihood_option, shuffle_option, snapshot_of
from dlcnb.cli.results import crop_of, own_path, video_path

if TYPE_CHECKING:
    from dlcnb.cli.console import Console
    from dlcnb.project import Project

__all__ = ["analyze", "describe_analysis"]


@command("analyze", "Find the bodyparts in videos.")
@project_argument
@videos_argument
@click.option(
    "--engine",
    type=click.Choice(["auto", "fp32", "int8", "openvino", "openvino-int8", "onnx"]),
    default="auto",
    show_default=True,
    help="auto: the fastest whose error is within 0.1 px of fp32's, measured once for each snapshot. int8: about twice "
    "as fast as fp32 on a CPU. openvino (if installed): about as fast. openvino-int8 (the same; auto leaves it out): "
    "the fastest for whole frames. onnx (if installed): also on NVIDIA cards that MXNet can't use.",
)
@click.option("--batch", type=click.IntRange(1), default=8, show_default=True, help="Frames per pass.")
@click.option(
    "--dynamic/--no-dynamic",
    default=None,
    help="Follow the animal with a crop, several times as fast.  [default: where the animal is small in the frame, and "
    "the error on labeled frames is within 0.1 px of that in whole frames; never with --scheduler, --ensemble, "
    "--animals]",
)
@click.option(
    "--dynamic-threshold",
    type=click.FloatRange(0, 1, min_open=True),
    help="With --dynamic: likelihood from which a bodypart counts as found.  [default: 0.5]",
)
@click.option(
    "--dynamic-margin", type=click.FloatRange(0), help="With --dynamic: px around the bodyparts.  [default: 10]"
)
@click.option("--crop", help="Look at this part of the frames only: x1,x2,y1,y2 in px.  [default: that of config.yaml]")
@click.option("--whole", is_flag=True, help="Look at whole frames, whatever config.yaml crops.")
@click.option("--animals", type=click.IntRange(2), help="Find up to this many animals; they share one table (_el).")
@click.option(
    "--ensemble",
    metavar="NAMES",
    help="The median of several networks: of an experiment (folds, or learning-curve/0.8), or of shuffles 1,2,3. How "
    "far they lie apart is written beside the table.",
)
@raw_likelihood_option
@click.option("--score-maps", help="Keep the score-maps of these frames (10,20,...) beside the tables.")
@click.option("--snapshot", default="best", show_default=True, help="best, last, or a step.")
@click.option("--out", type=click.Path(file_okay=False), help="Folder for the tables.  [default: beside each video]")
@click.option("--again", is_flag=True, help="Also analyze what was analyzed before.")
@click.option("--scheduler", help="Address of a Dask scheduler (tcp://host:8786) whose workers analyze.")
@shuffle_option
@device_option
def analyze(
    console: Console,
    root: str,
    videos: tuple[str, ...],
    snapshot: str,
    out: str | None,
    shuffle: int | None,
    recursive: bool,
    **more: Any,
) -> Report:
    """Find the bodyparts in every frame of VIDEOS, or folders of them, with PROJECT's network.

    Poses are written as h5 and csv tables, of a video that PROJECT has a link to beside that link. After a crash or a
    stop the same command goes on where it was. A video whose tables are up to date is left alone.
    """
    from dlcnb import jobs
    from dlcnb.project import Project, find_videos

    project = Project.open(root)
    files = find_videos(videos, recursive=recursive)
    given = [video_path(project, video) for video in files]  # all are looked for before any is analyzed
    paths = list(dict.fromkeys(given if out else _own(console, project, given)))
    options = {
        "snapshot": snapshot_of(snapshot),
        "folder": out and Path(out).absolute(),
        "dynamic": _dynamic(more.pop("dynamic"), more.pop("dynamic_threshold"), more.pop("dynamic_margin")),
        "crop": _crop(more.pop("crop"), more.pop("whole")),
        "score_maps": _frame_numbers(more.pop("score_maps")),
        **more,
    }
    options |= networks_of(console, project, shuffle, snapshot, more["ensemble"])
    job = jobs.start("analyze", project, videos=paths, **options)
    return _report(run_job(console, job, describe_analysis), len(paths), project.pcutoff)


def _own(console: Console, project: Project, given: list[Path]) -> list[Path]:
    """The videos as the project has them, so that the tables of each are in one place; where that is, is said."""
    paths = [own_path(project, path) for path in given]
    linked = dict.fromkeys(path for path, before in zip(paths, given, strict=True) if path != before)
    for folder in dict.fromkeys(path.parent for path in linked):
        names = ", ".join(path.name for path in linked if path.parent == folder)
        console.note(f"note: tables of {names} go to {folder}, beside the project's link, as Studio's do")
    return paths


def _report(result: dict[str, Any], count: int, pcutoff: float) -> Report:
    """What was found in how many videos, and what is worth telling of each."""
    rows = [("video", "frames", "frames/s", "engine", "output")]
    rows += [
        (Path(v["video"]).name, v["frames"], f"{v['fps']:.1f}", v["engine"], v["output"]) for v in result["videos"]
    ]
    remarks = [remark for v in result["videos"] for remark in (_remark(v), _unsure(v, pcutoff)) if remark]
    text = "\n".join([table(rows), *remarks])
    failed, problem = result["failed"], None
    if failed:
        told = "; ".join(f["message"] for f in failed)
        problem = f"{len(failed)} of {count} videos could not be analyzed: {told}"
    data = {"videos": result["videos"], **({"failed": failed} if failed else {})}
    return Report(data, text, problem)


def _dynamic(
    wanted: bool | None, threshold: float | None, margin: float | None
) -> tuple[float, float] | Literal["auto"] | None:
    """(threshold, margin) of dynamic cropping; None = whole frames, "auto" = what the job finds best."""
    if wanted:
        return 0.5 if threshold is None else threshold, 10.0 if margin is None else margin
    if threshold is not None or margin is not None:
        raise click.UsageError("--dynamic-threshold and --dynamic-margin go with --dynamic.")
    return "auto" if wanted is None else None


def _crop(text: str | None, whole: bool) -> tuple[int, ...] | Literal["whole"] | None:
    """(x1, x2, y1, y2); None = what config.yaml says."""
    if whole and text is not None:
        raise click.UsageError("--crop and --whole exclude each other.")
    return "whole" if whole else crop_of(text)


def _frame_numbers(text: str | None) -> list[int] | None:
    """Numbers of frames from a text such as "10,20", or None."""
    if text is None:
        return None
    if not all(word.strip().isdigit() for word in text.split(",")):
        raise click.UsageError(f"--score-maps {text}: expected numbers of frames, such as 10,20.")
    return [int(word) for word in text.split(",")]


def _remark(video: dict[str, Any]) -> str | None:
    """What is worth telling of one analyzed video: frames found before, damaged frames."""
    name, damaged, reused = Path(video["video"]).name, video["damaged"], video["reused"]
    words = []
    if reused == video["frames"]:
        words.append("was analyzed before (--again analyzes it once more)")
    elif reused:
        words.append(f"{reused} frames were analyzed before")
    if video["replaced"]:
        words.append(f"replaced an earlier result ({video['replaced']}); --out keeps both")
    if video["crop"]:
        words.append("only x {} to {}, y {} to {} was looked at".format(*video["crop"]))
    if video.get("followed"):
        words.append(f"{video['followed']}; --no-dynamic takes whole frames")
    if "spread" in video:
        words.append(f"median of {video['networks']} networks, their spread in {video['spread']}")
    if "score_maps" in video:
        words.append(f"score-maps in {video['score_maps']}")
    if damaged:
        some = ", ".join(map(str, damaged[:10])) + (" ..." if len(damaged) > 10 else "")
        words.append(f"{len(damaged)} damaged frames have empty rows: {some}")
    return f"{name}: {'; '.join(words)}." if words else None


def _unsure(video: dict[str, Any], pcutoff: float) -> str:
    """What is to be said of bodyparts of an analyzed video that hardly any frame is sure of."""
    from dlcnb.poses import left_out

    return left_out([name for name, top in video.get("top_likelihood", {}).items() if top < pcutoff], pcutoff)


def describe_analysis(event: dict[str, Any]) -> tuple[float, str]:
    """Progress of a "progress" event of an analysis."""
    left = f", {clock(event['seconds_left'])} left" if event.get("seconds_left") is not None else ""
    return event["done"] / max(
        event["total"], 1
    ), f"{Path(event['video']).name}: frame {event['done']} of {event['total']}{left}"
