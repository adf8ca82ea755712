"""Commands to and from other programs: export (labels, poses, the network) and import (labels)."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from dlcnb.cli.console import LocalPath, Report, command, project_argument, table
from dlcnb.cli.jobs import run_job
from dlcnb.cli.networks import pick_run
from dlcnb.cli.results import animal_option, is_several, with_poses
from dlcnb.exchange import FORMATS
from dlcnb.files import quoted, read_json

if TYPE_CHECKING:
    from dlcnb.cli.console import Console
    from dlcnb.exchange.nwb_behavior import Behavior
    from dlcnb.project import Project

__all__ = ["export", "import_"]


@command("export", "Write labels, poses or a network for other programs.")
@project_argument
@click.argument("videos", nargs=-1, type=LocalPath())
@click.option(
    "--to",
    required=True,
    type=click.Choice([*FORMATS, "onnx"]),
    help="NWB, SLEAP, COCO keypoints; onnx: the network.",
)
@click.option("--out", type=click.Path(file_okay=False), help="Folder for the files.  [default: see above]")
@click.option("--tables", type=click.Path(file_okay=False), help="Folder of the poses.  [default: beside each video]")
@click.option("--filtered", is_flag=True, help="Export what `dlcnb filter` wrote.")
@animal_option
@click.option("--pcutoff", type=click.FloatRange(0, 1), default=0, help="Leave out points of a lower likelihood.")
@click.option("--scorer", help="Whose labels.  [default: the project's scorer]")
@click.option("--snapshot", default="best", show_default=True, help="Of the network: best, last, or a step.")
@click.option("--shuffle", type=int, help="Number of the run with the network.  [default: the last]")
def export(
    console: Console,
    root: str,
    videos: tuple[str, ...],
    to: str,
    out: str | None,
    snapshot: str,
    shuffle: int | None,
    **options: Any,
) -> Report:
    """Write PROJECT's labels, the poses of VIDEOS, or PROJECT's network for other programs.

    With VIDEOS this writes their poses beside their tables (NWB files also have speeds, zones and stays). Without
    VIDEOS it writes the labels into PROJECT/exports; with --to onnx the network into the folder of its run.
    """
    from dlcnb.project import Project

    project = Project.open(root)
    if to == "onnx":
        if videos:
            raise click.UsageError("ONNX holds the network; give no videos with it.")
        return _network(console, project, pick_run(project, shuffle), snapshot, out)
    scorer = options.pop("scorer")
    if not videos:
        return _labels(project, to, out, scorer)
    done: list[dict[str, Any]] = []
    failed: list[dict[str, Any]] = []
    for video in map(Path, videos):
        console.progress(len(done) / len(videos), f"exporting {video.name}")
        try:
            done.append(_poses(project, video, to, out, **options))
        except (ValueError, OSError) as error:
            failed.append({"video": video.absolute(), "message": str(error)})
    problem = None
    if failed:
        messages = "; ".join(f["message"] for f in failed)
        problem = f"{len(failed)} of {len(videos)} videos could not be exported: {messages}"
    rows = [("video", "frames", "output"), *((d["video"].name, d["frames"], d["output"]) for d in done)]
    return Report({"videos": done, **({"failed": failed} if failed else {})}, table(rows) if done else "", problem)


def _poses(project: Project, video: Path, to: str, out: str | None, **options: Any) -> dict[str, Any]:
    from dlcnb import exchange
    from dlcnb.poses import read_poses
    from dlcnb.video import VideoReader

    animal, pcutoff = options["animal"], options["pcutoff"]
    video, found = with_poses(project, video, options["tables"], options["filtered"], animal)
    name = f"{found.stem}_{animal}" if animal else found.stem
    output = (found.parent if out is None else Path(out)) / f"{name}{exchange.FORMATS[to]}"
    skeleton = None if is_several(found) and animal in (None, "all") else project.skeleton
    with VideoReader(video) as reader:
        poses = read_poses(found, animal).fitted(len(reader), found)
        if pcutoff:
            poses = replace(poses, points=poses.masked(pcutoff))
        more: dict[str, Any] = {}
        if to == "nwb":
            more = {"behavior": _behavior(project, video, reader.size, pcutoff), "subject": _subject(project, video)}
        exchange.write_poses(to, output, poses, reader, skeleton=skeleton, **more)
    return {"video": video.absolute(), "frames": len(poses), "output": output.absolute()}


def _behavior(project: Project, video: Path, size: tuple[int, int], pcutoff: float) -> Behavior:
    """What is told of a video beside its poses: speeds, in cm where a scale is known, and its zones."""
    from dlcnb.exchange.nwb_behavior import Behavior
    from dlcnb.project import scale_of
    from dlcnb.zones import read_zones, zones_path

    zones = read_zones(project, video, size) if zones_path(project, video).exists() else ()
    return Behavior(pcutoff or project.pcutoff, zones, scale_of(project, video, size))


def _subject(project: Project, video: Path) -> dict[str, str] | None:
    """The animal of a video in NWB's words, from PROJECT/subjects.csv; None where it has no row, or no animal in it."""
    from dlcnb.exchange.nwb import SUBJECT
    from dlcnb.project import SUBJECTS, read_subjects

    path = project.inside(SUBJECTS)
    known = read_subjects(path).get(video.stem, {}) if path.exists() else {}
    named = {**known, "subject_id": known.get("subject_id") or known.get("animal", "")}
    return {name: named[name] for name in SUBJECT if named.get(name)} if named["subject_id"] else None


def _labels(project: Project, to: str, out: str | None, scorer: str | None) -> Report:
    from dlcnb import exchange
    from dlcnb.labels import LabelError, current_labels

    labels = current_labels(project, scorer)
    if not labels.images:
        raise LabelError(
            f"no frame in {project.root} has a label by '{labels.scorer}'; label frames first (dlcnb studio)"
        )
    folder = project.root / "exports" if out is None else Path(out)
    output = folder.absolute() / f"CollectedData_{labels.scorer}{exchange.FORMATS[to]}"
    exchange.write_labels(to, output, labels, project)
    count = len(read_json(output)["images"]) if to == "coco" else len(labels)  # those that are missing are left out
    return Report({"output": output, "images": count}, f"{count} labeled image{'s' * (count != 1)}: {output}")


def _network(console: Console, project: Project, run: Path, snapshot: str, out: str | None) -> Report:
    from dlcnb import jobs

    which: str | int = int(snapshot) if snapshot.isdigit() else snapshot
    folder = None if out is None else Path(out).absolute()
    result = run_job(console, jobs.start("export", project, run=run, snapshot=which, folder=folder), lambda event: None)
    checked = "not checked: onnxruntime is not installed"
    if result["difference"] is not None:
        checked = f"checked with ONNX Runtime, largest difference {result['difference']:.1g}"
    data = {name: result[name] for name in ("output", "step", "difference")}
    return Report(data, f"{result['output']} ({checked})")


@command("import", "Take labels from SLEAP, COCO or Lightning Pose.")
@click.argument("file", type=LocalPath(exists=True, dir_okay=False))
@click.option(
    "--to",
    required=True,
    metavar="PROJECT",
    type=click.Path(),
    help="Folder of the project; it is made if it does not exist.",
)
@click.option(
    "--scorer", help="Whose labels they become.  [default: the project's scorer; for a new project that of FILE]"
)
@click.option(
    "--animal", help="Where images show several animals: take this one, by name (SLEAP's track) or number (from 1)."
)
@click.option(
    "--images",
    type=LocalPath(exists=True, file_okay=False),
    help="Folder with the images or videos.  [default: where FILE says, or beside it]",
)
@click.option("--copy", is_flag=True, help="Copy the videos instead of linking them.")
def import_(console: Console, file: str, to: str, copy: bool, **options: Any) -> Report:
    """Take the labels of FILE, with their images, into a project.

    FILE is SLEAP's (.slp, .pkg.slp), COCO keypoints (.json), or a table beside its images, as Lightning Pose keeps it
    (CollectedData.csv). A new project gets the file's bodyparts and skeleton; an old one must have the bodyparts.
    Nothing in the project is changed. If the import is interrupted, the same command completes it.
    """
    from dlcnb.exchange import import_labels

    def progress(done: int, total: int) -> None:
        console.progress(done / max(total, 1), f"image {done} of {total}")

    done = import_labels(file, to, copy_videos=copy, progress=progress, **options)
    root = done.project.root
    data = {
        "project": root,
        "made": done.made,
        "scorer": done.scorer,
        "bodyparts": done.project.bodyparts,
        "images": done.images,
        "new_images": done.new,
        "labels": done.labels,
        "notes": done.notes,
    }
    what = f"{done.labels} new labels by {done.scorer}, {done.images} images"
    lines = [f"{'Made' if done.made else 'Added to'} {root}: {what}"]
    lines += [note[0].upper() + note[1:] + "." for note in done.notes]
    return Report(data, "\n".join([*lines, f"Next: dlcnb train {quoted(root)}"]))
