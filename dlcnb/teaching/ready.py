"""What the cells of a course wait for: a person's work. Each asks whether it is there, and says what to do if not.

So "Run all" ends without an error, and labels nothing for anybody: a cell that waits says so, and is run again later.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from dlcnb.frames import extracted as images_of
from dlcnb.jobs import attach
from dlcnb.labels import Edit, LabelStore, frame_index
from dlcnb.poses import newest_poses
from dlcnb.project import Project
from dlcnb.run import Run

__all__ = ["AGAIN", "analyzed", "borrow_labels", "evaluated", "extracted", "labeled", "once", "opened", "trained"]

AGAIN = "then run this cell again."


def once(there: object, what: str, say: Callable[[str], object] = print) -> bool:
    """Whether something is there; if not, a sentence tells ``what`` to do before the cell is run again.

    Parameters
    ----------
    there : true in the sense of Python once a person has done it.
    what : to do, without a full stop: "Press Start above".
    say : what the sentence is given to.
    """
    if not there:
        say(f"Waiting for you. {what}, {AGAIN}")
    return bool(there)


def opened(project: Project | None) -> bool:
    """Whether there is a project, with a video; all others here ask that, too."""
    made = once(project is not None, "Make a project above, or open one")
    return made and project is not None and once(project.videos, "Add a video to your project above")


def extracted(project: Project | None, frames: int) -> bool:
    """Whether so many frames are extracted for labeling, of all videos together."""
    if project is None:
        return opened(project)
    found = sum(len(images_of(folder)) for folder in project.labeled_dirs())
    return once(found >= frames, f"{_of(found, frames)} extracted: choose {frames - found} more and extract them above")


def labeled(project: Project | None, frames: int, scorer: str | None = None) -> bool:
    """Whether so many frames are done, of all videos together: each bodypart placed, or marked as not visible.

    Parameters
    ----------
    project : whose labels.
    frames : how many are waited for.
    scorer : by whom; None = the project's scorer.

    Raises
    ------
    LabelError
        A table of labels is damaged.
    """
    if project is None:
        return opened(project)
    found = 0
    for folder in project.labeled_dirs():
        store = LabelStore(project, folder.name, scorer)
        store.refresh()  # they may have been placed in another tab
        found += store.states.count("done")
    return once(found >= frames, f"{_of(found, frames)} labeled: label {frames - found} more above")


def trained(project: Project | None, runs: int = 1) -> bool:
    """Whether so many networks have learned something, and none of them is being trained any more."""
    if project is None:
        return opened(project)
    found = [run for run in project.runs() if Run(run).steps]
    if any(Run(run).job_file.is_file() and attach(run).status == "running" for run in project.runs()):
        return once(False, "The training is under way: wait until it has ended")
    which = "There is no network yet" if runs == 1 else f"{len(found)} of {runs} networks are there"
    return once(len(found) >= runs, f"{which}: press Start above, wait until the training has ended")


def evaluated(project: Project | None) -> bool:
    """Whether the last network was evaluated."""
    if project is None:
        return opened(project)
    runs = [run for run in project.runs() if Run(run).steps]
    found = runs and any(project.evaluation_dir(runs[-1]).glob("evaluation-*[0-9].json"))
    return once(found, "The network is not evaluated yet: press Evaluate above")


def analyzed(project: Project | None) -> bool:
    """Whether there are poses of the project's first video."""
    if project is None:
        return opened(project)
    try:
        found = bool(project.videos and newest_poses(project.videos[0]))
    except FileNotFoundError:
        found = False
    return once(found, "The video is not analyzed yet: press Analyze above, wait until it is done")


def borrow_labels(project: Project, truth: NDArray[np.float64], scorer: str | None = None) -> int:
    """Let an expert place what is open in the extracted frames of the project's first video.

    What a person has placed, or marked as not visible, stays.

    Parameters
    ----------
    project : to label in.
    truth : ``(T, K, 2)``, px, where the bodyparts are in each frame of the video; NaN = not visible.
    scorer : in whose name; None = the project's scorer.

    Returns
    -------
    int
        How many bodyparts the expert placed or marked.
    """
    video = project.videos[0].stem
    store = LabelStore(project, video, scorer)
    store.add_images()
    edits = [
        _edit(image, part, truth[frame_index(image), k])
        for image, placed, hidden in zip(store.images, store.points, store.hidden, strict=True)
        for k, part in enumerate(store.bodyparts)
        if np.isnan(placed[k]).any() and not hidden[k]
    ]
    store.apply(edits)
    store.save()
    return len(edits)


def _edit(image: str, part: str, point: NDArray[np.float64]) -> Edit:
    if np.isnan(point).any():
        return Edit(image, part, None, visible=False, origin="expert")
    return Edit(image, part, (float(point[0]), float(point[1])), origin="expert")


def _of(found: int, wanted: int) -> str:
    return f"{found} of {wanted} frames are"
