"""Networks that nobody trained: as quick as trained ones, for tests that look at the work and not at the poses."""

from __future__ import annotations

from pathlib import Path

from dlcnb.project import Project
from dlcnb.run import Run
from dlcnb.trainset import TrainConfig
from support.projects import write_noise


def network_project(parent: Path) -> Project:
    """A new project in the folder ``parent`` with a video of ten frames, two bodyparts and such a network."""
    project = Project.create("arena", "Ann", [write_noise(parent / "first.mp4", 10)], ("snout", "tail"), parent=parent)
    add_network(project)
    return project


def add_network(
    project: Project,
    *,
    backbone: str = "efficientnet-lite0",
    input_scale: float = 0.5,
    seed: int = 4,
    run: Path | None = None,
) -> Path:
    """Give a project a run (in a new folder, or ``run``) with the snapshot ``snapshot-1``; returns its folder.

    Its weights are random, always the same for one seed.
    """
    from dlcnb.backend import mx
    from dlcnb.backend.network import PoseNet

    run = run or project.new_run(0.8)
    Run(run).write_config(TrainConfig(backbone=backbone, steps=1, input_scale=input_scale), project.bodyparts)
    mx.random.seed(seed)
    net = PoseNet(backbone, len(project.bodyparts))
    net.initialize()
    net.save_parameters(str(run / "snapshot-1.params"))
    return run
