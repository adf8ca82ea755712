"""Commands for a project's life: new, add-videos, extract, doctor."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from dlcnb.cli.console import Report, choice_option, command, project_argument, videos_argument
from dlcnb.files import quoted

if TYPE_CHECKING:
    from dlcnb.cli.console import Console
    from dlcnb.project import Finding, Project

__all__ = ["add_videos", "doctor", "extract", "new"]


@command("new", "Make a project from videos.")
@click.argument("task")
@click.option("--scorer", required=True, help="Who labels.")
@click.option("--bodyparts", required=True, help="Names, separated by commas: snout,leftear,tailbase.")
@click.option("--skeleton", default="", help="Edges to draw, separated by commas: snout-leftear,leftear-tailbase.")
@click.option("--parent", type=click.Path(), default=".", show_default=True, help="Folder to make the project in.")
@click.option("--copy", is_flag=True, help="Copy the videos instead of linking them.")
@videos_argument
def new(  # noqa: PLR0913
    console: Console,
    task: str,
    scorer: str,
    bodyparts: str,
    skeleton: str,
    parent: str,
    copy: bool,
    videos: tuple[str, ...],
    recursive: bool,
) -> Report:
    """Make a project called TASK from one or more VIDEOS, or folders of them."""
    from dlcnb.project import Project, find_videos

    parts = [part.strip() for part in bodyparts.split(",") if part.strip()]
    edges = [edge(text, parts) for text in skeleton.split(",") if text.strip()]
    found = find_videos(videos, recursive=recursive)
    project = Project.create(task, scorer, found, parts, parent=parent, skeleton=edges, copy_videos=copy)
    text = f"Made {project.root}\nNext: dlcnb extract {quoted(project.root)}"
    return Report({"project": project.root, "videos": project.videos, "bodyparts": parts}, text)


def edge(text: str, parts: Sequence[str]) -> tuple[str, str]:
    """The two bodyparts of "a-b"; their own names may hold hyphens."""
    from dlcnb.project import ProjectError, edge_of

    try:
        return edge_of(text, parts)
    except ProjectError as error:
        raise click.BadParameter(str(error).removeprefix("skeleton: "), param_hint="--skeleton") from None


@command("add-videos", "Add videos to a project.")
@project_argument
@click.option("--copy", is_flag=True, help="Copy the videos instead of linking them.")
@videos_argument
def add_videos(console: Console, root: str, copy: bool, videos: tuple[str, ...], recursive: bool) -> Report:
    """Add VIDEOS, or folders of them, to PROJECT."""
    from dlcnb.project import Project, find_videos

    project = Project.open(root)
    there = set(project.videos)
    placed = project.add_videos(find_videos(videos, recursive=recursive), copy=copy)
    text = "\n".join(f"{'Already there:' if path in there else 'Added'} {path}" for path in placed)
    added = [path for path in placed if path not in there]
    return Report({"project": project.root, "videos": placed, "added": added}, text)


@command("extract", "Choose frames to label.")
@project_argument
@choice_option(
    "--how",
    ["kmeans", "uniform"],
    help="kmeans: frames that look different. uniform: at random over time.",
)
@click.option("--count", type=click.IntRange(1), help="Frames per video.  [default: numframes2pick of config.yaml]")
@click.option("--start", type=click.FloatRange(0, 1), help="From here on (0 to 1).  [default: that of config.yaml]")
@click.option("--stop", type=click.FloatRange(0, 1), help="Up to here (0 to 1).  [default: that of config.yaml]")
@click.option("--whole", is_flag=True, help="Compare whole frames, not only the part that config.yaml crops.")
@click.option("--seed", type=int, default=0, show_default=True, help="The same seed chooses the same frames.")
@click.option("--video", "only", multiple=True, help="Only this video (name or path); may be repeated.")
def extract(console: Console, root: str, only: Any, **options: Any) -> Report:
    """Choose frames of PROJECT's videos and write them to labeled-data, ready to label.

    Frames are written whole, or cut like the images that are there already if those are the video's crop; a crop in
    config.yaml says which part of them is compared (kmeans).
    """
    from dlcnb.project import Project, missing_words

    project = Project.open(root)
    videos = [project.video(name) for name in only] or project.videos
    lost = "" if only else missing_words(project)
    if lost and not videos:
        raise ValueError(lost)
    if not videos:
        raise ValueError(f"{project.root} has no videos. Add some: dlcnb add-videos {quoted(project.root)} VIDEO")
    stems = [video.stem for video in videos]
    if twins := [str(video) for video in videos if stems.count(video.stem) > 1]:
        raise ValueError(
            f"{' and '.join(twins)} have the same name, and frames are kept by that name. Rename all but one."
        )
    options["count"] = options["count"] or project.frames_to_pick
    for key, value in zip(("start", "stop"), project.part_to_pick, strict=True):
        options[key] = value if options[key] is None else options[key]
    found = [_extract_one(console, project, video, **options) for video in videos]
    lines = [_extracted_text(one, options["count"]) for one in found]
    text = "\n".join([*lines, *filter(None, [lost]), f"Next: label them: dlcnb studio {quoted(project.root)}"])
    return Report({"project": project.root, "videos": found}, text)


def _extract_one(
    console: Console, project: Project, video: Path, *, how: str, count: int, seed: int, whole: bool, **part: Any
) -> dict[str, Any]:
    from dlcnb import frames
    from dlcnb.video import VideoReader

    with VideoReader(video) as reader:
        if how == "uniform":
            crop, indices = None, frames.uniform(len(reader), count, seed=seed, **part)
        else:

            def progress(done: int, total: int) -> None:
                console.progress(done / max(total, 1), f"{video.name}: comparing frames")

            crop = None if whole else project.crop(video, reader.size)
            indices = frames.kmeans(reader, count, seed=seed, progress=progress, crop=crop, **part)
    console.clear()
    folder = project.labeled_dir(video)
    before = len(frames.extracted(folder))
    frames.extract(project, video, indices)
    total = len(frames.extracted(folder))
    found = {"video": video, "frames": indices, "folder": folder, "new": total - before, "total": total}
    return {**found, **part, "crop": crop}


def _extracted_text(one: dict[str, Any], count: int) -> str:
    fewer = f" (the video has no {count} different frames)" if len(one["frames"]) < count else ""
    chosen = f"{len(one['frames'])} frame{'s' * (len(one['frames']) != 1)} of {one['video'].name} chosen{fewer}"
    if (one["start"], one["stop"]) != (0, 1):
        chosen += f" from {one['start']:g} to {one['stop']:g} of its length"
    if one["crop"]:
        chosen += f", compared within x {one['crop'][0]} to {one['crop'][1]}, y {one['crop'][2]} to {one['crop'][3]}"
    return f"{chosen}, {one['new']} of them new; {one['total']} in {one['folder']}"


@command("doctor", "Check a project or the installation.")
@click.argument("project", required=False, type=click.Path())
@click.option("--repair", is_flag=True, help="Repair what can be repaired without losing anything.")
def doctor(console: Console, project: str | None, repair: bool) -> Report:
    """Check PROJECT (or, without it, the installation) and say what to do about each finding."""
    from dlcnb import checkup

    findings = checkup.doctor(project, repair=repair) if project else list(_check_installation())
    signs = {"ok": "ok     ", "warning": "warning", "error": "ERROR  "}
    lines = []
    for f in findings:
        lines.append(f"{signs[f.level]}  {f.message}{' (repaired)' if f.repaired else ''}")
        if f.cure and not f.repaired:
            lines.append(f"         → {f.cure}")
    bad = [f for f in findings if f.level == "error" and not f.repaired]
    problem = f"{len(bad)} of {len(findings)} checks failed: {bad[0].message}" if bad else None
    return Report({"findings": findings, "ok": not bad}, "\n".join(lines), problem)


def _check_installation() -> Iterator[Finding]:
    """Findings about this machine: Python, the video library, MXNet (loaded in a process of its own), Jupyter."""
    from dlcnb.project import Finding

    yield Finding("ok", f"Python {sys.version.split()[0]} at {sys.executable}")
    yield from _check_network()
    for module, what, level, name in (
        ("av", "videos", "error", "av"),
        ("ipycanvas", "the widgets", "error", "ipycanvas"),
        ("jupyterlab", "dlcnb lab; not needed in another Jupyter", "warning", "'dlcnb[lab]'"),
    ):
        there = importlib.util.find_spec(module) is not None
        yield Finding("ok" if there else level, f"{module} ({what})", "" if there else f"pip install {name}")
    writable = Path.cwd()
    yield Finding("ok", f"Working folder {writable}")


def _check_network() -> Iterator[Finding]:
    """Findings about MXNet, loaded in a process of its own, and the GPUs: which it can use, and why not the others."""
    from dlcnb.project import Finding

    code = (
        "import json, dlcnb.backend as b; from dlcnb.backend.devices import Machine; m = Machine(); "
        "print(json.dumps([b.mx.__version__, m.with_cuda, [[g.name, m.problem(n)] for n, g in enumerate(m.gpus)]]))"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    if found.returncode != 0:
        words = found.stderr.strip().splitlines()[-1] if found.stderr.strip() else "MXNet can't be loaded"
        cure = (
            "Labeling and plotting work without it. Linux: apt install libgomp1 libquadmath0 if a library is missing."
        )
        yield Finding("error", words, cure)
        return
    version, with_cuda, gpus = json.loads(found.stdout)
    yield Finding("ok", f"MXNet {version}, the {'CUDA' if with_cuda else 'CPU'} build")
    for number, (name, problem) in enumerate(gpus):
        what = f"gpu({number}), {name}"
        yield Finding("warning", f"{what}, can't be used", problem) if problem else Finding("ok", what)
    if not gpus:
        yield Finding("ok", "No NVIDIA GPU: the CPU is used")
