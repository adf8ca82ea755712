"""``dlcnb figures``: the paper's figures, made from a project's own data."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from dlcnb.cli.console import LocalPath, Report, command, project_argument
from dlcnb.cli.results import known_bodyparts

if TYPE_CHECKING:
    from dlcnb.cli.console import Console
    from dlcnb.figures import Written

__all__ = ["figures"]


@command("figures", "Make the paper's figures from your own data.")
@project_argument
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option(
    "--format",
    "formats",
    multiple=True,
    type=click.Choice(["png", "svg", "pdf"]),
    help="May be repeated.  [default: png]",
)
@click.option("--out", type=LocalPath(file_okay=False), help="Folder.  [default: dlcnb-figures in PROJECT]")
@click.option("--video", help="Video of the figures of movement.  [default: the first that has poses]")
@click.option("--frame", type=click.IntRange(0), help="Frame that they show.  [default: where the animal moves most]")
@click.option("--bodypart", help="Bodypart that they follow.  [default: the one with the highest likelihood]")
def figures(
    console: Console,
    root: str,
    names: tuple[str, ...],
    formats: tuple[str, ...],
    out: str | None,
    bodypart: str | None,
    **chosen: object,
) -> Report:
    """Make figures of the paper (Mathis et al. 2018) from the data of PROJECT: those named, or all that can be made.

    \b
    2B loss over the steps            5   one network for all parts, or each
    2C error over the steps           6   poses on frames in a row
    2D the same for bodyparts         7A  score-maps of single bodyparts
    2E test frames with score-maps    7B  trajectories in the plane
    2F error over number of labels    7D  coordinates over time
    2G human against network          7E  map of cropped frames
    3  postures over time             7F  skeletons in the body's frame
    4A trajectory, differences        S1  first against second label
    4B several animals                S2A networks, S2B radius of the disc
    signed  predicted minus labeled (not in the paper)

    Each comes with the numbers behind it (.csv) and a caption (.txt). What a figure still needs is said in a line.
    """  # noqa: D301
    from dlcnb.figures import figure_names, write
    from dlcnb.project import Project

    project = Project.open(root)
    known_bodyparts((bodypart,) if bodypart else (), project.bodyparts)
    try:
        wanted = figure_names(names)
    except ValueError as error:
        raise click.UsageError(str(error)) from None
    done: list[Written] = []
    for one in write(project, wanted, folder=out, formats=formats or ("png",), bodypart=bodypart, **chosen):
        done.append(one)
        console.progress(len(done) / len(wanted), f"figure {one.name}")
    return _report(done, bool(names))


def _report(done: list[Written], asked: bool) -> Report:
    """What was made, with its caption, and what was not: an error if it failed, or the user asked for it by name."""
    made, missing = [one for one in done if one.paths], [one for one in done if one.missing]
    failed = [one for one in done if one.failed]
    lines = [f"{one.name}  {one.paths[0]}\n    {one.caption}" for one in made]
    if missing:
        lines += ["Not yet:" if made else "None can be made yet:", *(f"{one.name}  {one.missing}" for one in missing)]
    data = {
        "figures": [
            {"name": one.name, "shows": one.shows, "caption": one.caption, "paths": list(one.paths)} for one in made
        ],
        "missing": {one.name: one.missing for one in missing},
        "failed": {one.name: one.failed for one in failed},
    }
    lines += [f"{one.name}  failed: {one.failed}" for one in failed]
    wrong = [*failed, *(missing if asked else [])]
    problem = f"figure {wrong[0].name}: {wrong[0].failed or wrong[0].missing}" if wrong else None
    return Report(data, "\n".join(lines), problem)
