"""Changing bodyparts, skeleton and scorer as state without pixels: a draft, what it would change, and doing it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import count
from typing import Any

import numpy as np
from traitlets import HasTraits, Int, Unicode

from dlcnb import jobs
from dlcnb.labels import LabelError, current_labels, migrate, scorers
from dlcnb.project import Project
from dlcnb.project.names import checked_bodyparts, name_problem
from dlcnb.run import Run

__all__ = ["DraftPart", "SchemaState"]


@dataclass(frozen=True)
class DraftPart:
    """A bodypart in the draft: ``old`` is its name in the project, None for a new one."""

    key: int
    name: str
    old: str | None


class SchemaState(HasTraits):
    """A draft of a project's bodyparts, skeleton and scorer; nothing on the disk changes before `apply`.

    Parameters
    ----------
    project : Project
    """

    scorer = Unicode("", help="The project's scorer in the draft.")
    revision = Int(0, help="Counts the changes of the draft.")

    def __init__(self, project: Project) -> None:
        super().__init__()
        self.project, self._keys = project, count()
        self.applied = 0  # changes that the last `apply` made, to be undone together
        self.reset()

    def reset(self) -> None:
        """Begin again with the project as it is."""
        self.parts = tuple(DraftPart(next(self._keys), name, name) for name in self.project.bodyparts)
        by_name = {part.name: part.key for part in self.parts}
        self.edges = tuple((by_name[a], by_name[b]) for a, b in self.project.skeleton.edges)
        self.scorer = self.project.scorer
        self._known = scorers(self.project)
        self._labels = {name: current_labels(self.project, name) for name, n in self._known.items() if n}
        self.revision += 1

    # --- the draft ---

    def rename(self, key: int, name: str) -> None:
        """Give a bodypart of the draft another name."""
        name = name.strip()
        self._set([replace(part, name=name) if part.key == key else part for part in self.parts])

    def add(self, name: str) -> None:
        """Add a bodypart behind the others."""
        self._set([*self.parts, DraftPart(next(self._keys), name.strip(), None)])

    def remove(self, key: int) -> None:
        """Take a bodypart out, with its edges."""
        self._set([part for part in self.parts if part.key != key])

    def move(self, key: int, count: int) -> None:
        """Move a bodypart up (-1) or down (1) in the order."""
        parts, at = list(self.parts), [part.key for part in self.parts].index(key)
        to = min(max(at + count, 0), len(parts) - 1)
        parts.insert(to, parts.pop(at))
        self._set(parts)

    def toggle_edge(self, one: int, two: int) -> None:
        """Join two bodyparts of the skeleton, or separate them."""
        if one == two:
            raise LabelError("an edge of the skeleton joins two different bodyparts")
        without = tuple(edge for edge in self.edges if set(edge) != {one, two})
        self.edges = without if len(without) < len(self.edges) else (*self.edges, (one, two))
        self.revision += 1

    def part(self, key: int) -> DraftPart:
        """The `DraftPart` with this key."""
        return next(part for part in self.parts if part.key == key)

    def _set(self, parts: Iterable[DraftPart]) -> None:
        checked_bodyparts([part.name for part in parts])  # raises; the draft stays as it was
        self.parts, keys = tuple(parts), {part.key for part in parts}
        self.edges = tuple(edge for edge in self.edges if set(edge) <= keys)
        self.revision += 1

    # --- what it would change ---

    def steps(self) -> list[tuple[str, tuple[Any, ...]]]:
        """What is to be done, as (name of a function of `dlcnb.labels.migrate`, its arguments) in order."""
        names = [part.name for part in self.parts]
        steps: list[tuple[str, tuple[Any, ...]]] = []
        now = list(self.project.bodyparts)
        gone = [name for name in now if name not in {part.old for part in self.parts}]
        kept = {part.old: part.name for part in self.parts if part.old is not None}
        if gone and not kept:
            raise LabelError("at least one of the old bodyparts has to stay; rename it instead")
        if gone:
            steps.append(("remove_bodyparts", (gone,)))
        now = [name for name in now if name not in gone]
        for old, new in _renames(kept):
            steps.append(("rename_bodypart", (old, new)))
            now[now.index(old)] = new
        added = [part.name for part in self.parts if part.old is None]
        if added:
            steps.append(("add_bodyparts", (added,)))
        if now + added != names:
            steps.append(("reorder_bodyparts", (names,)))
        if self._edges_change(names):
            by_key = {part.key: part.name for part in self.parts}
            steps.append(("set_skeleton", ([(by_key[a], by_key[b]) for a, b in self.edges],)))
        if self.scorer != self.project.scorer:
            steps.append(("rename_scorer", (self.project.scorer, self.scorer)))
        return steps

    def _edges_change(self, names: Sequence[str]) -> bool:
        old = {part.old: part.key for part in self.parts if part.old is not None}
        edges = self.project.skeleton.edges
        stays = tuple((old[a], old[b]) for a, b in edges if a in old and b in old)
        return {frozenset(edge) for edge in stays} != {frozenset(edge) for edge in self.edges}

    def preview(self) -> list[str]:
        """What `apply` would do, a line of text for each change; raises `LabelError` for what can't be done."""
        if problem := name_problem(self.scorer, for_file=True):
            raise LabelError(f"the scorer's name {self.scorer!r} {problem}")
        steps = [(name, args) for name, args in self.steps() if name != "rename_bodypart"]
        lines = [
            f"rename {part.old} to {part.name}" for part in self.parts if part.old is not None and part.old != part.name
        ]
        return lines + [self._line(name, *args) for name, args in steps]

    def _line(self, name: str, *args: Any) -> str:
        if name == "remove_bodyparts":
            lost = ", ".join(f"{part} ({self.placed(part)} points)" for part in args[0])
            return f"remove {lost}; the backup keeps the points"
        if name == "add_bodyparts":
            frames = sum(len(labels) for labels in self._labels.values())
            return f"add {', '.join(args[0])}; {frames} labeled frames will be in work again until it is placed in them"
        if name == "reorder_bodyparts":
            return f"reorder to {', '.join(args[0])}"
        if name == "set_skeleton":
            edges = ", ".join(f"{a}–{b}" for a, b in args[0]) or "none"
            return f"skeleton: {edges}"
        return f"rename the scorer {args[0]} to {args[1]}; the folder of the project keeps its name"

    def caution(self) -> str:
        """What the change means to networks that were trained, or are being trained; empty where it means nothing."""
        names = [part.name for part in self.parts]
        if names == list(self.project.bodyparts):
            return ""
        runs = [Run(run) for run in self.project.runs()]
        if any(jobs.attach(run.folder).status == "running" for run in runs if run.job_file.is_file()):
            return "A training is under way: it ends with the bodyparts that it began with. Train again afterwards."
        if any(run.steps for run in runs):
            return "Networks keep the bodyparts that they were trained for: train again after this change."
        return ""

    def placed(self, bodypart: str) -> int:
        """Number of points of a bodypart (its name in the project), of all scorers."""
        found = 0
        for labels in self._labels.values():
            if bodypart in labels.bodyparts:
                found += int(np.isfinite(labels.points[:, labels.bodyparts.index(bodypart), 0]).sum())
        return found

    def example(self) -> tuple[str | None, dict[int, tuple[float, float]]]:
        """A frame with as many bodyparts as there is: (image, {key: (x, y)} px); (None, {}) without labels."""
        labels = self._labels.get(self.project.scorer) or next(iter(self._labels.values()), None)
        if labels is None or not len(labels):
            return None, {}
        t = int(np.isfinite(labels.points[..., 0]).sum(1).argmax())
        where = dict(zip(labels.bodyparts, labels.points[t].tolist(), strict=True))
        points = {part.key: where[part.old] for part in self.parts if part.old in where}
        return labels.images[t], {key: tuple(point) for key, point in points.items() if point[0] == point[0]}

    # --- doing it ---

    def apply(self) -> int:
        """Change the project as drafted, with a backup; all or nothing. Returns the number of changes."""
        self.preview()
        steps, done = self.steps(), 0
        try:
            for name, args in steps:
                getattr(migrate, name)(self.project, *args)
                done += 1
        except BaseException:
            for _ in range(done):
                migrate.undo_last(self.project)
            raise
        self.applied = done
        self.reset()
        return done

    def undo(self) -> str:
        """Take the last `apply` back, or else the last change of the project; returns what was undone, as text."""
        undone = [migrate.undo_last(self.project) for _ in range(max(self.applied, 1))]
        self.applied = 0
        self.reset()
        return ", ".join(change.what for change in reversed(undone))

    def last_change(self) -> str:
        """What `undo` would take back, as text; empty if there is nothing."""
        made = [change.what for change in migrate.history(self.project) if not change.undone]
        return ", ".join(made[-max(self.applied, 1) :])


def _renames(wanted: dict[str, str]) -> list[tuple[str, str]]:
    """(old, new) one after the other so that no name is ever there twice; a circle goes by way of a free name."""
    left = {old: new for old, new in wanted.items() if old != new}
    taken, order = set(wanted), []
    while left:
        old = next((old for old, new in left.items() if new not in taken), None)
        if old is None:
            old = next(iter(left))
            free = next(f"{old}-{n}" for n in count(2) if f"{old}-{n}" not in taken | set(wanted.values()))
            order.append((old, free))
            left[free] = left.pop(old)
            taken = taken - {old} | {free}
            continue
        new = left.pop(old)
        order.append((old, new))
        taken = taken - {old} | {new}
    return order
