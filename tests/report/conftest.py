"""A project of which all is known: labels by two people, a run, its evaluation, poses, a scale and zones."""

import numpy as np
import pytest
from support.projects import copy_of

from dlcnb.evaluate import Evaluation
from dlcnb.labels import Labels
from dlcnb.poses import Poses, find_poses, read_poses
from dlcnb.project import Scale, set_scale
from dlcnb.run import Run
from dlcnb.trainset import TrainConfig
from dlcnb.video import VideoReader
from dlcnb.zones import Zone, ZoneFile, zones_path

STEP, LOST = 90, slice(100, 130)


@pytest.fixture(scope="module")
def told(arena_project, tmp_path_factory):
    """That project, to be read only; the tail is lost in the frames of `LOST`."""
    project = copy_of(arena_project, tmp_path_factory.mktemp("told"))
    labels = Labels.read_project(project)
    folder = project.labeled_dirs()[0]
    Labels(labels.bodyparts, "Bob", labels.images[:6], labels.points[:6] + (3.0, 4.0)).write(folder)
    add_run(project, labels)
    add_poses(project)
    set_scale(project, Scale.by_number(8.0))
    video = project.videos[0]
    with VideoReader(video) as reader:
        height, width = reader.size
    file = ZoneFile(zones_path(project, video), (height, width))
    file.read()
    file.write([Zone("left", "rectangle", ((-0.5, -0.5), (width / 2, height - 0.5)))])
    return project


def add_run(project, labels):
    """A run of which the files are there, but no weights worth the name, and its evaluation."""
    run = Run(project.new_run(0.75))
    decided = ["Frames are seen at half their size."]
    run.write_config(TrainConfig(steps=100), project.bodyparts, decisions=decided, began_from="imagenet")
    run.snapshot(STEP).write_bytes(b"weights")
    run.write_best(STEP, 3.0)
    images = list(labels.images)
    run.write_split({"train": images[:10], "validation": images[10:12], "test": images[12:]})
    rows = [f"{step},{step / 2},{1 / step},{100 / step if step % 30 == 0 else ''}" for step in range(10, 101, 10)]
    run.stats_file.write_text("\n".join(["step,seconds,loss,val_mean_px", *rows]))
    off = np.random.default_rng(0).normal(0, 1.5, labels.points.shape)
    sure = np.full(labels.points.shape[:2], 0.9)
    tested = np.arange(len(labels)) >= 12
    Evaluation(
        bodyparts=labels.bodyparts, images=labels.images, labels=labels.points, predicted=labels.points + off,
        likelihood=sure, is_test=tested, pcutoff=0.6, snapshot=f"snapshot-{STEP}", step=STEP,
    ).write(run.evaluations)  # fmt: skip


def add_poses(project):
    """The truth as poses, without the tail for a while."""
    video = project.videos[0]
    truth = read_poses(video.with_name("arenatruth.h5"))
    likelihood = np.full(truth.likelihood.shape, 0.95)
    likelihood[LOST, -1] = 0.1
    scorer = f"DLC_EfficientnetLite0_{project.task}{project.date}shuffle1_snapshot_{STEP}"
    Poses(truth.bodyparts, scorer, truth.points, likelihood).write(video)
    assert find_poses(video)
