"""A training shared by several processes: real ones, on this machine, through MXNet's parameter server."""

import json
import os
import signal
import subprocess
import sys

import numpy as np
import pytest
from support.projects import copy_of

from dlcnb import jobs
from dlcnb.trainset import TrainConfig

pytestmark = [pytest.mark.mxnet, pytest.mark.slow]
SMALL = {
    "crop_size": 64,
    "batch_size": 4,
    "input_scale": 0.5,
    "train_fraction": 0.75,
    "validation_fraction": 0.2,
    "pretrained": False,
    "freeze": 0,
}
TIMEOUT = 120
STEPS = 4


@pytest.fixture
def project(arena_project, tmp_path, monkeypatch):
    """A copy of the synthetic project; the workers meet on this machine."""
    monkeypatch.setenv("DMLC_PS_ROOT_URI", "127.0.0.1")
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    return copy_of(arena_project, tmp_path)


@pytest.fixture
def shared(project):
    """shared(**settings) -> (job of the leader, process of one member), both running."""
    started = []

    def start(**settings):
        job = jobs.start("train", project, **{**SMALL, "kvstore": "dist_sync", "workers": 2, **settings})
        line = [sys.executable, "-m", "dlcnb", "train", str(project.root), "--join"]
        member = subprocess.Popen(line, stderr=subprocess.PIPE, text=True, start_new_session=True)
        started.append((job, member))
        return job, member

    yield start
    for job, member in started:
        job.kill()
        if member.poll() is None:
            os.killpg(member.pid, signal.SIGKILL)
        member.communicate()


def first_step(job, member):
    """The first step's event; a member that ends before it fails the test at once."""
    for event in job.follow(TIMEOUT):
        if event["event"] == "step":
            return event
        assert member.poll() is None, member.stderr.read()
    raise AssertionError(job.error)


def weights(run, step):
    from dlcnb.backend import mx

    return {n: a.asnumpy() for n, a in mx.nd.load(str(run / f"snapshot-{step}.params")).items()}


def test_two_workers_train_as_one_does(project, shared):
    from dlcnb import train

    alone = project.new_run(SMALL["train_fraction"])
    loss = [step.loss for step in train(project, TrainConfig(**SMALL, steps=STEPS), run=alone)][-1]
    job, member = shared(steps=STEPS)
    assert job.wait(TIMEOUT) == "done", job.error
    assert member.wait(TIMEOUT) == 0
    run = job.folder
    assert not list(run.glob("member-*"))
    assert not (run / "crew.json").exists()
    last = [e for e in job.events() if e["event"] == "step"][-1]
    assert last["loss"] == pytest.approx(loss, rel=1e-3)
    shared_weights = weights(run, STEPS)
    for name, array in weights(alone, STEPS).items():
        np.testing.assert_allclose(shared_weights[name], array, atol=2e-3, err_msg=name)
    assert [e["step"] for e in job.events() if e["event"] == "step" and e["snapshot"]] == list(range(1, STEPS + 1))


def test_a_stop_reaches_all_workers(shared):
    job, member = shared(steps=100_000)
    first_step(job, member)
    job.stop()
    assert job.wait(TIMEOUT) == "stopped"
    assert member.wait(TIMEOUT) == 0
    assert list(job.folder.glob("snapshot-*.params"))


def test_ctrl_c_of_a_worker_that_joined_ends_all_with_a_snapshot(shared):
    job, member = shared(steps=100_000)
    first_step(job, member)
    os.killpg(member.pid, signal.SIGINT)  # as a terminal does
    assert job.wait(TIMEOUT) == "failed"
    assert "A snapshot is saved" in job.error
    assert member.wait(TIMEOUT) == 130
    assert list(job.folder.glob("snapshot-*.params"))


def test_a_worker_that_dies_ends_the_training_with_a_clear_error(shared):
    job, member = shared(steps=100_000)
    first_step(job, member)
    os.killpg(member.pid, signal.SIGKILL)
    assert job.wait(TIMEOUT) == "failed"
    assert "--resume" in job.error


def test_a_training_that_waits_for_workers_can_be_stopped(project):
    job = jobs.start("train", project, **SMALL, kvstore="dist_sync", workers=2, steps=5)
    said = next(e for e in job.follow(TIMEOUT) if e["event"] == "warning")
    assert "--join" in said["message"]
    job.stop()
    assert job.wait(TIMEOUT) == "stopped"


def test_without_the_parameter_server_the_library_says_how_to_start(project):
    from dlcnb import train

    config = TrainConfig(**SMALL, kvstore="dist_sync", workers=2, steps=5)
    with pytest.raises(ValueError, match="dlcnb train --kvstore dist_sync"):
        next(train(project, config, run=project.new_run(0.75)))


def test_nothing_to_join_is_said(project):
    with pytest.raises(TimeoutError, match="--kvstore dist_sync"):
        jobs.join(project.root, timeout=0.5)


def test_the_server_takes_no_commands(project):
    """MXNet's own server would unpickle what a worker sends as an optimiser."""
    script = (
        "import os, sys; from dlcnb.backend import mx; os.environ['DMLC_ROLE'] = 'worker';"
        "kv = mx.kv.create('dist_sync'); kv._send_command_to_servers(0, sys.argv[1]); print('sent');"
        "kv.init(3, mx.nd.ones(1)); kv.push(3, mx.nd.ones(1)); out = mx.nd.zeros(1); kv.pull(3, out=out);"
        "print(out.asscalar())"
    )
    from dlcnb.jobs.crew import lead as crew

    mark = project.root / "it-ran"
    payload = f"cposix\nsystem\n(S'touch {mark}'\ntR."
    environment = {**os.environ, **crew.environment("127.0.0.1", crew._free_port("127.0.0.1"), 1, "127.0.0.1")}
    helpers = [
        subprocess.Popen([sys.executable, "-m", "dlcnb.jobs.crew.member", role, "."], env=environment)
        for role in ("scheduler", "server")
    ]
    try:
        line = [sys.executable, "-c", script, payload]
        plain = {k: v for k, v in environment.items() if k != "DMLC_ROLE"}
        done = subprocess.run(line, env=plain, capture_output=True, text=True, timeout=TIMEOUT)
        assert done.stdout.split() == ["sent", "1.0"], done.stderr
        assert not mark.exists()
    finally:
        for helper in helpers:
            helper.kill()
            helper.wait()


def test_workers_need_steps_and_a_batch_to_share():
    with pytest.raises(ValueError, match="steps"):
        TrainConfig(kvstore="dist_sync", workers=2, minutes=1)
    with pytest.raises(ValueError, match="batch"):
        TrainConfig(kvstore="dist_sync", workers=9, steps=5, batch_size=8)
    with pytest.raises(ValueError, match="dist_sync"):
        TrainConfig(workers=2, steps=5)
    assert json.dumps(TrainConfig(kvstore="dist_sync", workers=2, steps=5).to_dict())
