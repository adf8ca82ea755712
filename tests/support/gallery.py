"""A project in which every widget has something to show, and how each is made: for tests of all widgets."""

import os
import tempfile
from dataclasses import replace

import ipywidgets
import numpy as np

import dlcnb
from dlcnb import sampledata
from dlcnb.evaluate import Evaluation, ScoreMapWriter, maps_path, write_details
from dlcnb.jobs import EventLog
from dlcnb.jobs.job import claim
from dlcnb.labels import Labels
from dlcnb.poses import MultiAnimalPoses, Poses
from dlcnb.project import Scale, set_scale
from dlcnb.teaching import HandIn, Lesson
from dlcnb.widgets import ClassBoard, Player, VariabilityView
from dlcnb.zones import ZoneFile, centre_and_border, zones_path

STEPS, LABELED = 1000, 20  # of the run that is shown; frames
ANIMALS = ("mouse1", "mouse2")


def everything(folder, frames=300, size=(240, 320)):
    """A project in ``folder``: labels of two people, a run under way, an evaluation, poses of one animal and of two."""
    arena = sampledata.Arena(seed=3, n_frames=frames, size=size)
    project = sampledata.synthetic_project(folder, n_label=LABELED, arena=arena)
    rng = np.random.default_rng(0)
    labels = Labels.read_project(project)
    _two_people(project, labels, rng)
    run = project.new_run(0.75)
    _train(run)
    _evaluate(project, run, labels, rng)
    _analyze(project, sampledata.arena_poses(arena), rng)
    set_scale(project, Scale.by_number(size[1] / 40))
    zones = ZoneFile(zones_path(project, project.videos[0]), size)
    zones.read()
    zones.write(centre_and_border((0.1 * size[1], 0.1 * size[0], 0.9 * size[1], 0.9 * size[0])))
    return project


def _two_people(project, labels, rng):
    """A second person's labels, and two swapped ears in the first one's."""
    other = labels.points + rng.normal(0, 1.2, labels.points.shape)
    folder = project.labeled_dirs()[0]
    replace(labels, scorer="ben", points=other).write(folder)
    points = labels.points.copy()
    points[5, [1, 2]] = points[5, [2, 1]]
    replace(labels, points=points).write(folder)


def _train(run):
    """The log of a training that this process would be at."""
    (run / "job.json").write_text('{"kind": "train"}')
    claim(run, os.getpid(), 0)
    log, rng = EventLog(run, steps_per_second=1e9), np.random.default_rng(1)
    log.write("start")
    for step in range(5, 700, 5):
        loss = 0.09 * np.exp(-step / 160) + 0.012 + 0.002 * rng.standard_normal()
        checked = step % 50 == 0
        error = 40 * np.exp(-step / 150) + 3.4
        log.step(
            step=step, seconds=step / 5, loss=loss, part_loss=0.8 * loss, locref_loss=0.2 * loss, learning_rate=1e-3,
            progress=step / STEPS, seconds_left=(STEPS - step) / 5, snapshot=None, rss_mb=812.5,
            validation={"mean_px": error, "n": 5} if checked else None,
            best={"step": step, "val_mean_px": error} if checked else None,
        )  # fmt: skip
    log.close()


def _evaluate(project, run, labels, rng):
    shape = labels.points.shape[:2]
    predicted, likelihood = labels.points + rng.normal(0, 1.5, (*shape, 2)), rng.uniform(0.85, 1, shape)
    predicted[4, 0] += (40, 0)
    likelihood[4, 0] = 0.2
    (run / "snapshot-500.params").touch()
    found = Evaluation(
        labels.bodyparts, labels.images, labels.points, predicted, likelihood,
        np.arange(len(labels.images)) % 4 == 0, 0.6, "snapshot-500", 500,
    )  # fmt: skip
    folder = project.evaluation_dir(run)
    found.write(folder)
    write_details(found, folder)
    with ScoreMapWriter(maps_path(folder, 500), labels.bodyparts) as writer:
        for image in labels.images:
            writer.add(image, np.full((len(labels.bodyparts), 15, 20), 1e-4), (1.0, 1.0))


def _analyze(project, points, rng):
    likelihood = rng.uniform(0.9, 1, points.shape[:2])
    found = points + rng.normal(0, 0.8, points.shape)
    found[71, 0] += 45
    likelihood[71, 0] = 0.05
    Poses(project.bodyparts, "DLC_EfficientnetLite0_arenashuffle1_500", found, likelihood).write(project.videos[0])
    both = np.stack([points, points[::-1]], axis=1)
    sure = np.full(both.shape[:3], 0.95)
    several = MultiAnimalPoses(ANIMALS, project.bodyparts, "DLC_EfficientnetLite0_arenashuffle2_500", both, sure)
    several.write(project.videos[0], "_el")


def make(name, project):
    """A widget of the project, by the name of its class; or one of the two below, which need more."""
    if name == "Player":
        return Player(project.videos[0], project=project)
    if name == "VariabilityView":
        return VariabilityView(project, "truth", "ben")
    if name == "TrajectoryView of two animals":
        poses = next(path for path in sorted(project.videos[0].parent.glob("*_el.h5")))
        return dlcnb.TrajectoryView(project, poses=poses)
    if name == "EvaluationView of nothing":
        folder = tempfile.mkdtemp(dir=project.root.parent)
        empty = sampledata.synthetic_project(folder, n_label=4, arena=sampledata.Arena(n_frames=30, size=(120, 160)))
        (empty.new_run(0.75) / "snapshot-50.params").touch()
        return dlcnb.EvaluationView(empty)
    if name == "ClassBoard":
        return ClassBoard(class_folder(project), Lesson("monday"))
    return getattr(dlcnb, name)(project)


def class_folder(project):
    """The folder of a class in which three students have labeled, one of them badly."""
    folder, lesson, rng = project.root.parent / "class", Lesson("monday"), np.random.default_rng(2)
    folder.mkdir(exist_ok=True)
    for n, (student, spread) in enumerate({"Ada": 1.0, "Ben": 2.0, "Cleo": 9.0}.items()):
        points = lesson.truth + rng.normal(0, spread, lesson.truth.shape)
        HandIn("monday", student, f"{n:032x}", lesson.bodyparts, lesson.images, points).write(folder)
    return folder


class Stage:
    """One place on a page that shows one widget after the other."""

    def __init__(self, project):
        self.project, self.view = project, None
        self.box = ipywidgets.VBox(layout=ipywidgets.Layout(width="100%"))

    def show(self, name):
        """Show a widget in place of the one before."""
        before, self.view = self.view, make(name, self.project)
        self.box.children = [self.view]
        if before is not None:
            before.close()
