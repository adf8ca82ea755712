"""Commands for the way back to the labels: outliers, merge."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from numpy.typing import NDArray

from dlcnb.cli.console import Report, choice_option, command, project_argument, table
from dlcnb.cli.results import animal_option, is_several, with_poses
from dlcnb.files import quoted

if TYPE_CHECKING:
    import numpy as np

    from dlcnb.cli.console import Console
    from dlcnb.project import Project

__all__ = ["merge", "outliers"]

_HOW = ["jump", "uncertain", "fit", "bone", "swap", "disagree", "sure"]


@command("outliers", "Find frames that the network got wrong.")
@project_argument
@click.argument("video", type=click.Path())
@choice_option(
    "--how",
    _HOW,
    help="jump: moves far in one frame (px). uncertain: low likelihood. fit: far from where frames around say it is "
    "(px). bone: unusual length (share). swap: left and right exchanged (px). disagree: networks of an ensemble do "
    "(px). sure: surely there, for rare behaviour.",
)
@click.option(
    "--threshold",
    type=float,
    help="What counts as wrong.  [default: 20, 0.1, 20, 0.5, 3, 5, 0.9 (for sure), or where the 20 to 200 worst frames "
    "lie if that finds fewer or more, as Refine in Studio]",
)
@click.option("--count", type=click.IntRange(1), default=20, show_default=True, help="Frames to extract.")
@choice_option(
    "--choose",
    ["kmeans", "uniform"],
    help="Which of the frames found: those that look different, or spread over time.",
)
@click.option("--bodyparts", help="Look at these bodyparts only, separated by commas.")
@click.option("--seed", type=int, default=0, show_default=True, help="The same seed chooses the same frames.")
@click.option("--tables", type=click.Path(file_okay=False), help="Folder of the tables.  [default: beside the video]")
@animal_option
@click.option("--dry-run", is_flag=True, help="Find, count and choose; write nothing.")
def outliers(
    console: Console, root: str, video: str, tables: str | None, dry_run: bool, animal: str | None, **options: Any
) -> Report:
    """Find frames of VIDEO that the network got wrong, and extract some of them for labeling.

    The network's labels are written beside (machinelabels), so that the Labeler offers them. Frames that are extracted
    already are not chosen again. When enough are labeled: dlcnb merge, and train again.
    """
    from dlcnb.outliers import extract, score
    from dlcnb.poses import read_poses
    from dlcnb.project import Project
    from dlcnb.video import VideoReader

    _check_threshold(options)
    project = Project.open(root)
    path, poses_file = with_poses(project, video, tables, animal=animal)
    if is_several(poses_file) and animal in (None, "all") and not dry_run:
        raise click.UsageError(f"{poses_file.name} has several animals, labels show one. Choose one: --animal NAME.")
    with VideoReader(path) as reader:
        poses = read_poses(poses_file, animal).within(len(reader), poses_file)
    parts = options["bodyparts"] and [name.strip() for name in options["bodyparts"].split(",")]
    scores = score(poses, options["how"], skeleton=project.skeleton, pcutoff=project.pcutoff, bodyparts=parts)
    threshold = scores.first if options["threshold"] is None else options["threshold"]
    chosen = _choose(console, project, path, scores.found(threshold), options)
    data = {"video": path, "how": scores.how, "threshold": threshold, "unit": scores.unit}
    data |= {"found": scores.count(threshold), "frames": chosen, "images": []}
    data["reasons"] = [scores.reason(frame) for frame in chosen]
    if len(chosen) and not dry_run:
        done = extract(project, path, poses, chosen)
        data |= {"images": done.images, "machine_labels": done.machine_labels}
    return Report({**data, "dry_run": dry_run}, _text(project, data, len(poses), dry_run))


@command("merge", "Begin the next iteration with the refined frames.")
@project_argument
def merge(console: Console, root: str) -> Report:
    """Take the labeled outlier frames of PROJECT into the training data, and begin the next iteration.

    Any subset may be labeled: the others are not trained on.
    """
    from dlcnb.jobs.starting import LAST, WHY, offered
    from dlcnb.outliers import merge as merge_frames
    from dlcnb.project import Project

    project = Project.open(root)
    done = merge_frames(project)
    count, left = sum(done.refined.values()), sum(map(len, done.left.values()))
    others = "1 extracted frame is" if left == 1 else f"{left} extracted frames are"
    rest = f"; {others} not labeled and not trained on" if left else ""
    refined = f"{count} refined frame{'s' * (count != 1)}"
    text = f"{refined}{rest}. Now iteration {done.iteration}.\nNext: dlcnb train {quoted(project.root)}"
    found = offered(project)
    if found is not None:
        text += f" --start-from {LAST}\n(--start-from {LAST} goes on from the previous network: {WHY}.)"
    start = None if found is None else found.folder
    return Report({"iteration": done.iteration, "refined": done.refined, "left": done.left, "start_from": start}, text)


def _check_threshold(options: dict[str, Any]) -> None:
    how, threshold = options["how"], options["threshold"]
    if how in ("uncertain", "sure") and threshold is not None and not 0 <= threshold <= 1:
        raise click.UsageError(f"--threshold {threshold:g}: expected a likelihood, 0 to 1, as for --how {how}.")


def _choose(
    console: Console, project: Project, path: Path, found: NDArray[np.int64], options: dict[str, Any]
) -> NDArray[np.int64]:
    """``count`` of the found frames (n,) that are not extracted yet, ascending."""
    import numpy as np

    from dlcnb.frames import extracted
    from dlcnb.outliers import subsample
    from dlcnb.video import VideoReader

    new = np.setdiff1d(found, list(extracted(project.labeled_dir(path))))

    def progress(done: int, total: int) -> None:
        console.progress(done / total, f"comparing {total} of {len(found)} found frames")

    with VideoReader(path) as reader:
        chosen = subsample(
            new, options["count"], how=options["choose"], reader=reader, seed=options["seed"], progress=progress
        )
    console.clear()
    return chosen


def _text(project: Project, data: dict[str, Any], total: int, dry_run: bool) -> str:
    from dlcnb.outliers import HOW

    unit = " px" if data["unit"] == "px" else ""
    share = f"{data['found']} of {total} frames ({100 * data['found'] / max(total, 1):.1f} %)"
    lines = [f"{share}: {HOW[data['how']]} ({data['threshold']:g}{unit})"]
    if len(data["frames"]):
        rows = [
            ("would extract" if dry_run else "frame", "worst"),
            *zip(map(str, data["frames"]), data["reasons"], strict=True),
        ]
        lines += ["", table(rows), ""]
    if data["images"]:
        lines.append(f"Images and the network's labels: {data['machine_labels'].parent}")
        lines.append(f"Next: label them, then dlcnb merge {quoted(project.root)}")
    elif len(data["frames"]):
        folder, count = project.labeled_dir(data["video"]), len(data["frames"])
        these = "this frame goes" if count == 1 else f"these {count} frames go"
        lines.append(f"A dry run: nothing was written. Without --dry-run {these} to {folder}")
    else:
        lines.append("No new frame to extract." if data["found"] else "Choose another threshold, or another --how.")
    return "\n".join(lines)
