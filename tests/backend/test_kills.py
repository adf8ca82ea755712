"""Training killed at any moment: it always goes on, and ends as if nothing had happened."""

import csv
import os
import random
import signal
import threading

import numpy as np
import pytest
from support.kills import EVERY, killed, needs_fork

from dlcnb import jobs, sampledata
from dlcnb.files import TEMPORARY
from dlcnb.run import Run
from dlcnb.trainset import TrainConfig

pytestmark = [pytest.mark.mxnet, pytest.mark.slow]
STEPS = 60
CONFIG = TrainConfig(
    steps=STEPS,  # a snapshot every third
    crop_size=32,
    batch_size=1,
    input_scale=0.25,
    train_fraction=0.75,
    validation_fraction=0.2,
    device="cpu",
)
MOMENTS = ("start-up", "step", "writing", "any")


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    arena = sampledata.Arena(seed=0, n_frames=30, size=(96, 128))
    return sampledata.synthetic_project(tmp_path_factory.mktemp("killed"), n_label=8, arena=arena)


def arrays(run, suffix):
    """{name: array} of the last snapshot."""
    if suffix == "state.npz":
        with np.load(run / f"snapshot-{STEPS}.{suffix}") as file:
            return dict(file)
    from dlcnb.backend import mx

    return {name: array.asnumpy() for name, array in mx.nd.load(str(run / f"snapshot-{STEPS}.{suffix}")).items()}


def statistics(run):
    """The rows of the table without the times."""
    with open(run / "learning_stats.csv", newline="") as file:
        return [row[:1] + row[2:] for row in csv.reader(file)]


def kill_at(job, moment, luck):
    """SIGKILL a worker at a moment of this kind, or as it ends; returns whether it was still at work."""
    pause, begun = threading.Event(), len(job.events())
    steps = luck.randint(1, 4)
    delay = luck.uniform(0, 3) if moment == "any" else luck.uniform(0, 0.15)  # the kill's own moment

    def reached():
        if moment == "start-up":
            return any(e["event"] == "start" for e in job.events(begun))
        if moment == "writing":
            return any(job.folder.glob(f"{TEMPORARY}*-snapshot-*"))
        return moment == "any" or sum(e["event"] == "step" for e in job.events(begun)) >= steps

    while job.status == "running" and not reached():
        pause.wait(0.001)
    pause.wait(0 if moment == "writing" else delay)
    if job.status == "running":
        os.kill(job.pid, signal.SIGKILL)
    return job.wait(60) == "lost"


def test_kills_leave_the_weights_of_a_run_that_was_not_killed(project, kills):
    whole = jobs.start("train", project, config=CONFIG)
    assert whole.wait(600) == "done"
    luck, killed, job = random.Random(0), 0, jobs.start("train", project, config=CONFIG)
    run = job.folder
    while killed < kills:
        killed += kill_at(job, MOMENTS[killed % len(MOMENTS)], luck)
        if killed < kills and steps_of(run)[-1:] == [STEPS]:  # finished too soon: take back its last snapshots
            for step in steps_of(run)[1:]:
                (run / f"snapshot-{step}.params").unlink()
        job = jobs.start("train", project, run=run, resume=True)
    assert job.wait(600) == "done", job.error
    assert job.result["steps"] == STEPS
    for suffix in ("params", "state.npz"):
        ours, theirs = arrays(run, suffix), arrays(whole.folder, suffix)
        assert set(ours) == set(theirs)
        for name in set(ours) - {"seconds", "run_id"}:
            np.testing.assert_array_equal(ours[name], theirs[name], err_msg=name)
    assert (run / "best.json").read_text() == (whole.folder / "best.json").read_text()
    assert statistics(run) == statistics(whole.folder)
    assert not list(run.glob(f"{TEMPORARY}*-snapshot-*"))


@needs_fork
@pytest.mark.parametrize("again", [False, True])
def test_a_kill_while_a_snapshot_is_written_leaves_none_whose_checksum_is_not_its_own(tmp_path, again):
    from dlcnb.backend import mx
    from dlcnb.backend.runs import save_snapshot

    run, at = Run(tmp_path), 0
    run.write_config(TrainConfig(steps=9), ["nose"])

    def save(step, value):
        save_snapshot(run, step, {"w": mx.nd.full((3,), value)}, {"step": np.array(step)})

    save(1, 1.0)
    while True:
        for path in tmp_path.glob("snapshot-2.*"):
            path.unlink()
        if again:
            save(2, 2.0)
        at += 1
        if not killed(lambda: save(2, 3.0), at, EVERY):
            break
        run.tidy()
        assert [run.verified(step) for step in run.steps]
        assert run.last_state()[0] == run.steps[-1]
    assert at > 6
    assert run.verified(2)


def steps_of(run):
    return sorted(int(p.stem.split("-")[1]) for p in run.glob("snapshot-*.params"))
