"""What a new training may begin with: the network that was trained last, such as that of the iteration before."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dlcnb.project import ProjectError
from dlcnb.run import Run

if TYPE_CHECKING:
    from dlcnb.project import Project
    from dlcnb.trainset import TrainConfig

__all__ = [
    "KEPT",
    "LAST",
    "WHY",
    "earlier_runs",
    "few_frames",
    "fraction_to_begin_with",
    "iteration_of",
    "last_network",
    "minutes_asked",
    "offered",
    "seen_before",
    "shape_of",
    "steps_behind",
]

_ABSURD = 1e6  # minutes that nobody has asked for
LAST = "last"  # as start_from: the network that was trained last
KEPT = ("backbone", "head_width", "intermediate")  # settings that a network has to share with the one it goes on from
WHY = (
    "it knows the animal already, so the training time goes into the frames that it got wrong; on test frames that it "
    "was trained on, its error looks too good"
)


def earlier_runs(project: Project) -> Iterator[Run]:
    """Runs of the iterations before this one that have a snapshot, the newest first."""
    for iteration in range(project.iteration - 1, -1, -1):
        yield from (run for run in map(Run, reversed(project.runs(iteration))) if run.steps)


def last_network(project: Project) -> Run | None:
    """The last run that has a snapshot, of this iteration or of those before; None if there is none."""
    here = [run for run in map(Run, reversed(project.runs())) if run.steps]
    return next(iter(here), None) or next(earlier_runs(project), None)


def offered(project: Project) -> Run | None:
    """The network to go on from after merging: that of an earlier iteration, while this one has none; else None."""
    found = last_network(project)
    return None if found is None or iteration_of(found) == project.iteration else found


def minutes_asked(project: Project) -> float:
    """Minutes that the newest training was asked to take; 0 if there is none, or if its steps were to end it."""
    newest = next(iter([*map(Run, reversed(project.runs())), *earlier_runs(project)]), None)
    try:
        asked = 0.0 if newest is None else newest.settings.get("minutes")
    except ProjectError:
        return 0.0
    return float(asked) if isinstance(asked, (int, float)) and 0 < asked < _ABSURD else 0.0


def iteration_of(run: Run) -> int:
    """Number of the iteration that a run belongs to."""
    return int(run.folder.parent.parent.name.removeprefix("iteration-"))


def steps_behind(run: Run, step: int | None = None) -> int:
    """Steps of training behind a run's snapshot (the last one), with those of networks that it goes on from; 0: none.

    A network that is no longer there counts as none.
    """
    total, step = 0, max(run.steps, default=0) if step is None else step
    seen: set[Path] = set()
    while step and run.folder not in seen:
        total += step
        seen.add(run.folder)
        run, step = _gone_on_from(run)
    return total


def _gone_on_from(run: Run) -> tuple[Run, int]:
    """The run whose network a run began with, and the step of that; 0 if it began with none."""
    try:
        path = Path(str(run.settings.get("began_from") or ""))
        if path.is_dir():
            return Run(path), Run(path).find("best")[0]
        found = re.fullmatch(r"snapshot-(\d+)\.params", path.name)
        return Run(path.parent), int(found[1]) if found and path.is_file() else 0
    except (ProjectError, OSError):  # or it lies where one may not look, as in another one's home
        return run, 0


def shape_of(run: Run) -> dict[str, Any]:
    """Settings of a run that a network which goes on from it must share; empty if they can't be read."""
    try:
        config = run.config
    except ProjectError:
        return {}
    return {name: value for name in KEPT if (value := getattr(config, name)) is not None}


def few_frames(project: Project, train_fraction: float) -> str:
    """What to say before a training on few frames, or with few to test on; empty if there are enough.

    ``train_fraction``: as in `dlcnb.TrainConfig`. A damaged table of labels is told by the training.
    """
    from dlcnb.labels.current import current_labels  # here: pandas and OpenCV take a while to load
    from dlcnb.trainset import TrainConfig, split
    from dlcnb.trainset.cautions import few_labels, few_to_test

    if words := few_labels(project):
        return words
    try:
        parts = split(len(current_labels(project, finished=True).images), train_fraction, seed=0)
    except ValueError:
        return ""
    config = TrainConfig(steps=1, train_fraction=train_fraction)
    return few_to_test(len(parts.train), len(parts.test), config) or ""


def fraction_to_begin_with(project: Project) -> tuple[float, str]:
    """(training fraction that a new training begins with, why it is not the project's own; empty if it is).

    It is another one where the project's own would hold too few frames out to test the network.
    """
    from dlcnb.labels.current import current_labels  # here: pandas and OpenCV take a while to load
    from dlcnb.trainset import TrainConfig, split
    from dlcnb.trainset.cautions import few_to_test, fraction_that_tests

    own = project.train_fraction
    try:
        frames = len(current_labels(project, finished=True).images)
        parts = split(frames, own, seed=0)
    except ValueError:
        return own, ""
    other = min(own, fraction_that_tests(frames))
    if other == own or few_to_test(len(parts.train), len(parts.test), TrainConfig(steps=1, train_fraction=own)) is None:
        return own, ""
    held_out = len(split(frames, other, seed=0).test)
    return other, (
        f"The training fraction is {other:g} in place of the project's {own:g}, so that {held_out} of the {frames} "
        f"labeled frames test the network, not {len(parts.test)}. Another one that is typed here stays the project's."
    )


def seen_before(project: Project, config: TrainConfig) -> str | None:
    """What to say if a training will be tested on frames that the network it goes on from was trained on."""
    from dlcnb.trainset import TrainSet, choose_split  # here: pandas and OpenCV take a while to load

    if config.start_from is None:
        return None
    images = TrainSet.from_project(project, config.bodyparts).images
    run = Run(config.start_from)
    try:
        known = {*(run if run.folder.is_dir() else Run(run.folder.parent)).split["train"]}
        test = [images[n] for n in choose_split(images, config).test]
    except (ProjectError, ValueError):
        return None
    seen = len(known.intersection(test))
    if not seen:
        return None
    return (
        f"The network that this training starts from was trained on {seen} of the {len(test)} test frames, so the test "
        "error will look too good. For an honest error, start from the ImageNet weights, or look at a new video."
    )
