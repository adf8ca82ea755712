"""Pause and Stop where the kernel dies on the way, or the disk is full: what is told of a real worker is true."""

import contextlib
import json
import os
import re
import shutil
import signal
import sys
from contextlib import closing, suppress

import pytest
from support.kills import EVERY, killed, needs_fork
from support.waiting import until

from dlcnb import sampledata
from dlcnb.jobs.job import attach, launch
from dlcnb.project import Project
from dlcnb.run import Run
from dlcnb.trainset import TrainConfig
from dlcnb.widgets import TrainingMonitor

TIMEOUT = 60
WORKER = """
import sys, threading
from pathlib import Path
from dlcnb.jobs.kinds import KINDS, Kind
from dlcnb.jobs.worker import run

def train(job, events, stop):
    events.step(step=1, seconds=1.0, loss=0.5)
    go = Path(sys.argv[2])
    while not go.exists():  # between two steps, for as long as a test needs
        threading.Event().wait(0.01)
    while not stop:
        threading.Event().wait(0.01)
    (Path(sys.argv[1]) / "snapshot-1.params").touch()
    return "stopped", {"steps": 1}

KINDS["train"] = Kind("train", train)
sys.exit(run(sys.argv[1]))
"""


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    arena = sampledata.Arena(seed=0, n_frames=12, size=(96, 128))
    return sampledata.synthetic_project(tmp_path_factory.mktemp("luck"), n_label=4, arena=arena).root


@pytest.fixture
def begin(tmp_path):
    """begin(project) -> Job of a real worker that trains its first step until ``begin.go`` is there, then till Stop."""
    script, children = tmp_path / "worker.py", []
    script.write_text(WORKER)

    def begin(project):
        run = Run(project.new_run(0.75))
        run.write_config(TrainConfig(steps=9), project.bodyparts)
        text = json.dumps({"kind": "train", "project": str(project.root), "options": {}})
        (run.folder / "job.json").write_text(text)
        return again(attach(run.folder))

    def again(job):
        job = launch(job.folder, [sys.executable, str(script), str(job.folder), str(begin.go)])
        children.append(job._child)
        next(e for e in job.follow(TIMEOUT) if e["event"] == "step")
        return job

    begin.go, begin.again = tmp_path / "go", again
    yield begin
    for child in children:
        if child.code is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(child.pid, signal.SIGKILL)
            child.wait()


def press(root, name):
    """What a kernel does whose user opens Train and presses a button."""
    monitor = TrainingMonitor(root)
    getattr(monitor, f"{name}_button").click()


@pytest.mark.slow
@needs_fork
@pytest.mark.parametrize(("name", "doing", "ended"), [("pause", "pausing", "paused"), ("stop", "stopping", "stopped")])
def test_a_kernel_killed_while_it_asks_leaves_what_the_next_one_tells(made, tmp_path, begin, name, doing, ended):
    project = Project.open(shutil.copytree(made, tmp_path / made.name))
    job, at = begin(project), 1
    while killed(lambda: press(project.root, name), at, EVERY):
        at += 1
        with closing(TrainingMonitor(project)) as monitor:
            asked = (job.folder / "stop").exists()
            assert monitor.state.status == (doing if asked else "running")
            assert monitor.stop_button.disabled == asked
            if asked:
                break
    begin.go.touch()
    with closing(TrainingMonitor(project)) as monitor:
        assert monitor.wait(TIMEOUT) == ended
        assert monitor.pause_button.description == "Resume"
        assert not monitor.pause_button.disabled
        begin.go.unlink()
        job = begin.again(job)
        monitor.refresh()
        assert (job.status, job.asked, monitor.state.status) == ("running", None, "running")


@pytest.fixture
def small(made, tmp_path, mounted):
    """A project on a small disk."""
    with mounted(tmp_path / "small", "size=8m") as disk:
        yield Project.open(shutil.copytree(made, disk / made.name))


def fill(project):
    with suppress(OSError), open(project.root.parent / "filler", "wb", buffering=0) as file:
        while True:
            file.write(bytes(4096))


@pytest.mark.parametrize(("name", "ended"), [("pause", "paused"), ("stop", "stopped")])
def test_on_a_full_disk_the_job_goes_on_and_can_be_asked_again(small, begin, name, ended):
    job = begin(small)
    with closing(TrainingMonitor(small)) as monitor:
        button = getattr(monitor, f"{name}_button")
        fill(small)
        button.click()
        if not (job.folder / "stop").exists():
            assert "stop: the disk is full" in monitor.status_line.value
            assert re.sub("<.*?>", "", monitor.status_line.value).count("cannot write") == 1
            assert monitor.state.status == "running"
            assert not button.disabled
        (small.root.parent / "filler").unlink()
        button.click()
        begin.go.touch()
        until(lambda: monitor.state.status == ended)
        assert job.status == "stopped"
        assert not list(small.root.rglob(".dlcnb-tmp*"))
