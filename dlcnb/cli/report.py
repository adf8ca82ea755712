"""``dlcnb report``: a project on one page that opens offline and prints."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from dlcnb.cli.console import LocalPath, Report, command, project_argument
from dlcnb.cli.networks import pick_run

if TYPE_CHECKING:
    from dlcnb.cli.console import Console

__all__ = ["report"]


@command("report", "Write the project on one page, with a Methods text.")
@project_argument
@click.argument("videos", nargs=-1, type=LocalPath())
@click.option("--out", type=LocalPath(dir_okay=False), help="The .html file.  [default: report.html in PROJECT]")
@click.option("--tables", type=click.Path(file_okay=False), help="Folder of the poses.  [default: beside each video]")
@click.option("--shuffle", type=int, help="Number of the run.  [default: the last]")
def report(
    console: Console, root: str, videos: tuple[str, ...], out: str | None, tables: str | None, shuffle: int | None
) -> Report:
    """Write one HTML file about PROJECT: labels, network, errors, VIDEOS (by default all), zones, figures, versions.

    It has no outside links, opens offline and prints, and has the sentences for a paper's Methods section, filled in.
    What the project lacks is left out, and a line names the command that makes it.
    """
    from dlcnb.files import check_writable, make_folder
    from dlcnb.project import Project
    from dlcnb.report import gather, write_report
    from dlcnb.report.page import checked_path

    project = Project.open(root)
    run = None if shuffle is None else pick_run(project, shuffle)
    path = checked_path(out or project.inside("report.html"))
    if out:
        make_folder(path.parent)
    check_writable(path)
    facts = gather(project, videos, run=run, tables=tables, progress=console.progress)
    write_report(facts, path, console.progress)
    console.clear()
    data = {"report": path, **facts.data, "left_out": facts.left_out}
    lines = [f"Report: {path}", *(f"Left out: {line}" for line in facts.left_out)]
    return Report(data, "\n".join(lines))
