"""What an `Overview` says of a project, read from its folders."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from dlcnb.evaluate import judging_evaluations
from dlcnb.frames import extracted
from dlcnb.jobs import attach
from dlcnb.jobs.starting import minutes_asked, steps_behind
from dlcnb.labels import LabelStore
from dlcnb.outliers import refinement
from dlcnb.project.names import basename
from dlcnb.run import Run
from dlcnb.widgets.base.follow import under_way
from dlcnb.widgets.studio import networks
from dlcnb.widgets.studio.state import LONGER, Overview

if TYPE_CHECKING:
    from dlcnb.project import Project

__all__ = ["overview"]


def overview(project: Project) -> Overview:
    """The `Overview` of a project; reads its folders, nothing of its videos.

    Raises
    ------
    LabelError
        If a table of labels is damaged.
    """
    frames = {name: one for folder in project.labeled_dirs() for name, one in _frames(project, folder).items()}
    counts = Counter(state for state, _ in frames.values())
    examples = [name for name, (state, shown) in frames.items() if state == "done" and shown]
    refined = [state for found in refinement(project).values() for state in found.values()]
    runs = project.runs()
    trained = [run for run in runs if Run(run).steps]
    report = networks.last_report(project, trained[-1]) if trained else {}
    worth, steps = report.get("verdict") or {}, steps_behind(Run(trained[-1])) if trained else 0
    training = any(Run(run).job_file.is_file() and attach(run).status == "running" for run in runs)
    older = networks.older_poses(project)
    return Overview(
        videos=len(project.videos),
        missing=tuple(map(basename, project.missing_videos)),
        analyzed=sum(networks.has_poses(video) for video in project.videos),
        extracted=len(frames),
        labeled=counts["done"],
        in_work=counts["in work"],
        trained=len(trained),
        since=networks.labeled_since(project, trained[-1], examples) if trained else 0,
        training=training,
        older=0 if training else len(older.videos),
        renew=older.worth and not training,
        evaluating=under_way(project, "evaluate") is not None,
        analyzing=under_way(project, "analyze") is not None,
        evaluated=bool(trained) and bool(judging_evaluations(project, trained[-1])),
        error_px=networks.error_px(report),
        level=worth.get("level", ""),
        verdict=worth.get("text", ""),
        outliers=len(refined),
        refined=refined.count("done"),
        iteration=project.iteration,
        minutes=minutes_asked(project) or LONGER,
        steps=steps,
        halted=networks.halted(trained[-1], steps) if trained and trained[-1] == runs[-1] else "",
    )


def _frames(project: Project, folder: Path) -> dict[str, tuple[str, bool]]:
    """Of the extracted frames of a folder the state, and whether a bodypart is placed; unknown ones are 'new'."""
    store = LabelStore(project, folder.name)
    known = dict(zip(store.images, zip(store.states, np.isfinite(store.points).any((1, 2)), strict=True), strict=True))
    names = {f"labeled-data/{folder.name}/{image.name}": ("new", False) for image in extracted(folder).values()}
    return {**names, **known}
