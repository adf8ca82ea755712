"""Commands about labels: compare, bodyparts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import click

from dlcnb.cli.console import Report, command, project_argument, table

if TYPE_CHECKING:
    from dlcnb.cli.console import Console
    from dlcnb.project import Project

__all__ = ["bodyparts", "compare"]


@command("compare", "Measure how far apart two people label.")
@project_argument
@click.argument("one", required=False)
@click.argument("two", required=False)
@click.option("--worst", type=click.IntRange(0), default=5, show_default=True, help="Frames to list.")
def compare(console: Console, root: str, one: str, two: str | None, worst: int) -> Report:
    """Distances between the labels of the scorers ONE and TWO in PROJECT, with 95 % intervals: human variability.

    Without TWO, ONE is compared with everybody else; without ONE, the project's scorer is compared.
    """
    from dlcnb.labels import scorers
    from dlcnb.project import Project

    project = Project.open(root)
    known = scorers(project)
    one = one or project.scorer
    others = [two] if two else [name for name, frames in known.items() if name != one and frames]
    if not others:
        raise ValueError(
            f"{project.root} has labels by {', '.join(known) or 'nobody'}; expected two people. Label some of the "
            "same frames as another scorer, in the notebook: Labeler(project, scorer='Name')."
        )
    found = _comparisons(console, project, one, others)
    text = "\n\n".join(_comparison(v, worst) for v in found)
    return Report({"project": project.root, "comparisons": [v.to_json() for v in found]}, text)


def _comparisons(console: Console, project: Project, one: str, others: Sequence[str]) -> Any:
    from dlcnb.labels import LabelError, compare_scorers

    found = []
    for other in others:
        try:
            found.append(compare_scorers(project, one, other))
        except LabelError as error:
            if other == others[-1] and not found:
                raise
            console.note(str(error))
    return found


def _comparison(found: Any, worst: int) -> Any:
    rows = [("px", "mean", "95 %", "rms", "95 %", "points")]
    for name, spread in [("all", found.spread), *found.by_bodypart.items()]:
        rows.append(
            (name, *_pixels(spread.mean_px, spread.mean_ci95), *_pixels(spread.rms_px, spread.rms_ci95), spread.n)
        )
    lines = [
        f"{' and '.join(found.scorers)}: {len(found.images)} frame{'s' * (len(found.images) != 1)} labeled by both",
        table(rows),
    ]
    for frame in found.worst(worst):
        lines.append(f"{frame.image}: {frame.mean_px:.1f} px, {frame.bodypart} {frame.max_px:.1f} px")
    return "\n".join(lines)


def _pixels(value: float, ci: Any) -> tuple[str, str]:
    return f"{value:.2f}", f"{ci[0]:.2f} - {ci[1]:.2f}"


_ACTIONS = {
    "list": "",
    "rename": "OLD NEW",
    "add": "NAME…",
    "remove": "NAME…",
    "reorder": "NAME… (all of them)",
    "skeleton": "NAME-NAME… (edges; none: no skeleton)",
    "scorer": "OLD NEW",
    "undo": "",
}


@command("bodyparts", "Rename, add, remove or reorder bodyparts.")
@project_argument
@click.argument("action", type=click.Choice(list(_ACTIONS)), default="list")
@click.argument("names", nargs=-1)
@click.option("--not-visible", is_flag=True, help="add: not visible in frames that are done; else in work again.")
def bodyparts(console: Console, root: str, action: str, names: tuple[str, ...], not_visible: bool) -> Report:
    """Change the bodyparts of PROJECT in config.yaml, in all tables and journals: all of them or none.

    ACTION is one of: list (the default), rename OLD NEW, add NAME…, remove NAME…, reorder NAME… (all of them),
    skeleton NAME-NAME… (its edges), scorer OLD NEW (rename a scorer), undo (take the last change back). Every change is
    backed up in PROJECT/backups. Networks trained before keep their bodyparts.
    """
    from dlcnb.project import Project

    if (len(names) != 2 if action in ("rename", "scorer") else bool(names) == (action in ("list", "undo"))) and (
        action != "skeleton"
    ):
        raise click.UsageError(f"expected: dlcnb bodyparts PROJECT {action} {_ACTIONS[action]}".rstrip())
    project = Project.open(root)
    change = _change(project, action, names, not_visible) if action != "list" else None
    data = {
        "project": project.root,
        "bodyparts": project.bodyparts,
        "skeleton": project.skeleton.edges,
        "scorer": project.scorer,
        "change": change and {"what": change.what, "backup": change.backup, "files": list(change.files)},
    }
    text = f"bodyparts: {', '.join(project.bodyparts)}\nskeleton: {', '.join(map('-'.join, project.skeleton.edges))}"
    if change:
        done = "Took back" if action == "undo" else "Done"
        files = f"{len(change.files)} file{'s' * (len(change.files) != 1)}"
        text = f"{done}: {change.what}, {files}; backup in {change.backup}\n{text}"
    return Report(data, text)


def _change(project: Project, action: str, names: Sequence[str], not_visible: bool) -> Any:
    from dlcnb.cli.projects import edge
    from dlcnb.labels import migrate

    if action == "add":
        return migrate.add_bodyparts(project, names, hidden=not_visible)
    if action == "skeleton":
        return migrate.set_skeleton(project, [edge(text, project.bodyparts) for text in names])
    if action in ("remove", "reorder"):
        return getattr(migrate, f"{action}_bodyparts")(project, names)
    others: dict[str, Callable[..., Any]]
    others = {"rename": migrate.rename_bodypart, "scorer": migrate.rename_scorer, "undo": migrate.undo_last}
    return others[action](project, *names)
