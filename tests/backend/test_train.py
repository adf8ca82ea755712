import itertools
import json

import numpy as np
import pytest

from dlcnb.trainset import TrainConfig

pytestmark = pytest.mark.mxnet
SMALL = {
    "crop_size": 96,
    "batch_size": 2,
    "input_scale": 0.5,
    "train_fraction": 0.75,
    "validation_fraction": 0.2,
}


@pytest.fixture
def project(arena_project, tmp_path):
    """A copy of the synthetic project to train in."""
    import shutil

    from dlcnb import Project

    return Project.open(shutil.copytree(arena_project.root, tmp_path / "project", symlinks=True))


def weights(run, step):
    from dlcnb.backend import mx

    return {n: a.asnumpy() for n, a in mx.nd.load(str(run / f"snapshot-{step}.params")).items()}


def run_steps(project, **settings):
    from dlcnb import train

    config = TrainConfig.from_dict({**SMALL, **settings})
    run = project.new_run(config.train_fraction)
    return run, list(train(project, config, run=run))


def test_loss_falls_and_snapshots_are_left(project):
    run, steps = run_steps(project, steps=40)
    assert [s.step for s in steps] == list(range(1, 41))
    losses = [s.loss for s in steps]
    assert np.mean(losses[-8:]) < 0.7 * np.mean(losses[:8])
    assert steps[-1].progress == 1
    assert steps[-1].validation["n"] > 0
    assert (run / steps[-1].snapshot).exists()
    assert json.loads((run / "best.json").read_text())["step"] == steps[-1].best["step"]
    rows = (run / "learning_stats.csv").read_text().splitlines()
    assert rows[0].startswith("step,seconds,loss")
    assert rows[-1].startswith("40,")


def test_parts_do_not_overlap(project):
    run, _ = run_steps(project, steps=1)
    parts = json.loads((run / "split.json").read_text())
    train, validation, test = (set(parts[k]) for k in ("train", "validation", "test"))
    assert validation
    assert test
    assert not train & validation
    assert not test & (train | validation)


def test_the_same_seed_gives_the_same_weights(project):
    (first, a), (second, b) = (run_steps(project, steps=6) for _ in range(2))
    assert [s.loss for s in a] == [s.loss for s in b]
    for name, array in weights(first, 6).items():
        np.testing.assert_array_equal(array, weights(second, 6)[name])


def test_a_resumed_run_equals_one_that_was_not_stopped(project):
    from dlcnb import train

    whole, _ = run_steps(project, steps=10)
    config = TrainConfig.from_dict({**SMALL, "steps": 10})
    run = project.new_run(config.train_fraction)
    steps = train(project, config, run=run)
    assert [s.step for s in itertools.islice(steps, 5)] == [1, 2, 3, 4, 5]
    steps.close()
    assert [s.step for s in train(project, run=run, resume=True)] == [6, 7, 8, 9, 10]
    for name, array in weights(whole, 10).items():
        np.testing.assert_array_equal(array, weights(run, 10)[name])


def test_breaking_out_saves_a_snapshot(project):
    from dlcnb import train

    config = TrainConfig.from_dict({**SMALL, "steps": 1000})
    run = project.new_run(config.train_fraction)
    for step in train(project, config, run=run):
        if step.step == 3:
            break
    assert (run / "snapshot-3.params").exists()


def test_only_the_budget_may_change_on_resuming(project):
    from dlcnb import train
    from dlcnb.project import ProjectError

    run, _ = run_steps(project, steps=2)
    config = TrainConfig.from_dict({**SMALL, "steps": 4, "learning_rate": 0.5})
    with pytest.raises(ProjectError, match="learning_rate"):
        next(train(project, config, run=run, resume=True))
    longer = TrainConfig.from_dict({**SMALL, "steps": 4})
    assert [s.step for s in train(project, longer, run=run, resume=True)] == [3, 4]


def test_a_diverging_run_says_so(project):
    from dlcnb.backend.train import DivergedError

    with pytest.raises(DivergedError, match="learning_rate="):
        run_steps(project, steps=60, learning_rate=1e6)


def test_missing_imagenet_weights_are_said_once(project):
    _, steps = run_steps(project, steps=2, backbone="resnet-50", batch_size=1)
    assert "ImageNet" in steps[0].warning
    assert steps[1].warning is None
    assert np.isfinite(steps[1].loss)


def test_schedule_warms_up_and_cools_down():
    from dlcnb.backend.train import learning_rate

    config = TrainConfig(steps=100)
    rates = [learning_rate(config, p) for p in np.linspace(0, 1, 101)]
    assert rates[0] < 0.02 * config.learning_rate
    assert max(rates) == pytest.approx(config.learning_rate)
    assert rates[-1] == pytest.approx(0.01 * config.learning_rate)
