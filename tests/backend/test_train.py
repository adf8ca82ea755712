import itertools
import json
from contextlib import closing

import numpy as np
import pytest
from support.projects import copy_of

from dlcnb.run import Run
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

    return copy_of(arena_project, tmp_path)


def weights(run, step):
    from dlcnb.backend import mx

    return {n: a.asnumpy() for n, a in mx.nd.load(str(run / f"snapshot-{step}.params")).items()}


def run_steps(project, **settings):
    from dlcnb import train

    config = TrainConfig.from_dict({**SMALL, **settings})
    run = project.new_run(config.train_fraction)
    return run, list(train(project, config, run=run))


@pytest.fixture(scope="module")
def trained(arena_project, tmp_path_factory):
    """(run, its steps) of a training to be read only."""
    return run_steps(copy_of(arena_project, tmp_path_factory.mktemp("trained")), steps=40)


def test_the_time_left_is_never_more_than_the_minutes_leave(arena_project, tmp_path):
    minutes = 0.1
    _, steps = run_steps(copy_of(arena_project, tmp_path), steps=None, minutes=minutes, validate_every=1)
    assert any(step.validation for step in steps)
    assert all(step.seconds_left <= max(60 * minutes - step.seconds, 0) + 0.01 for step in steps)


def test_loss_falls_and_snapshots_are_left(trained):
    run, steps = trained
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


def test_the_best_snapshot_has_the_lowest_error_and_of_equal_ones_is_the_newest():
    from dlcnb.backend.runs import best_of

    best = best_of(None, 10, 4.0)
    assert best == {"step": 10, "val_mean_px": 4.0}
    assert best_of(best, 12, 4.0)["step"] == 12
    assert best_of(best, 12, 4.1)["step"] == 10
    assert best_of(best, 20, float("nan"))["step"] == 10
    assert best_of(best, 12, 3.0) == {"step": 12, "val_mean_px": 3.0}
    assert best_of({"step": 10, "val_mean_px": None}, 20, None) == {"step": 20, "val_mean_px": None}


def test_a_few_held_out_frames_do_not_choose_between_close_snapshots():
    from dlcnb.backend.runs import best_of

    best = {"step": 10, "val_mean_px": 4.0}
    assert best_of(best, 20, 4.9, frames=31) == {"step": 20, "val_mean_px": 4.9}
    assert best_of(best, 20, 5.1, frames=31) == best
    assert best_of(best, 20, 4.9, frames=32) == best
    assert best_of(best, 20, float("nan"), frames=31) == best


def test_parts_do_not_overlap(trained):
    run, _ = trained
    parts = json.loads((run / "split.json").read_text())
    train, validation, test = (set(parts[k]) for k in ("train", "validation", "test"))
    assert validation
    assert test
    assert not train & validation
    assert not test & (train | validation)


def test_a_resumed_run_equals_one_that_was_not_stopped(project):
    from dlcnb import train

    whole, found = run_steps(project, steps=10)
    config = TrainConfig.from_dict({**SMALL, "steps": 10})
    run = project.new_run(config.train_fraction)
    steps = train(project, config, run=run)
    assert [(s.step, s.loss) for s in itertools.islice(steps, 5)] == [(s.step, s.loss) for s in found[:5]]
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


def test_a_run_without_a_snapshot_is_resumed_from_its_beginning(project):
    from dlcnb import train

    run = project.new_run(0.75)
    steps = train(project, TrainConfig.from_dict({**SMALL, "steps": 60}), run=run)
    first = [s.loss for s in itertools.islice(steps, 2)]
    with pytest.raises(KeyboardInterrupt):  # ends the loop without a snapshot, as a kill does
        steps.throw(KeyboardInterrupt)
    assert not list(run.glob("snapshot-*"))
    again = train(project, run=run, resume=True)
    assert [s.loss for s in itertools.islice(again, 2)] == first
    again.close()
    assert (run / "snapshot-2.params").exists()


def test_the_error_on_training_frames_is_told_beside_that_on_validation_frames(trained):
    from dlcnb import jobs

    run, steps = trained
    told = [s.validation["train_mean_px"] for s in steps if s.validation]
    assert np.isfinite(told).all()
    assert told != [s.validation["mean_px"] for s in steps if s.validation]
    np.testing.assert_allclose(jobs.history(run)["validation_train_mean_px"], told)


def test_what_is_not_found_at_the_end_is_told_with_the_last_validation(trained):
    run, steps = trained
    lost = steps[-1].validation["lost"]
    assert lost, "40 steps find nothing yet"
    assert set(lost) <= set(Run(run).bodyparts)
    said = f"At the end of the training the network has not found {', '.join(lost)} (errors"
    assert said in " ".join(step.warning or "" for step in steps)


def test_a_diverged_run_goes_on_with_the_lower_rate_it_offers(project):
    from dlcnb import train
    from dlcnb.backend.train import DivergedError

    config = TrainConfig.from_dict({**SMALL, "steps": 40, "average": 0.0})
    run = project.new_run(config.train_fraction)
    steps = train(project, config, run=run)
    assert len(list(itertools.islice(steps, 2))) == 2
    steps.close()
    too_fast = TrainConfig.from_dict({**config.to_dict(), "learning_rate": 1e30})
    with pytest.raises(DivergedError, match=r"The last good snapshot is 2\. Resume from it") as caught:
        list(train(project, too_fast, run=run, resume=True))
    assert caught.value.offer == {"learning_rate": 3e29}
    assert [p.name for p in run.glob("snapshot-*.params")] == ["snapshot-2.params"]
    slower = TrainConfig.from_dict({**config.to_dict(), "learning_rate": 1e-4, "steps": 4})
    assert [s.step for s in train(project, slower, run=run, resume=True)] == [3, 4]


def test_only_the_budget_and_the_learning_rate_may_change_on_resuming(project):
    from dlcnb import train
    from dlcnb.project import ProjectError

    run, _ = run_steps(project, steps=2)
    config = TrainConfig.from_dict({**SMALL, "steps": 4, "batch_size": 3})
    with pytest.raises(ProjectError, match="batch_size"):
        next(train(project, config, run=run, resume=True))
    longer = TrainConfig.from_dict({**SMALL, "steps": 4})
    assert [s.step for s in train(project, longer, run=run, resume=True)] == [3, 4]


def test_a_diverging_run_says_so(project):
    from dlcnb.backend.train import DivergedError

    with pytest.raises(DivergedError, match="learning_rate="):
        run_steps(project, steps=60, learning_rate=1e6)


@pytest.mark.slow
def test_resnet50_without_its_imagenet_weights_says_so_once_and_learns(project):
    from dlcnb import train

    config = TrainConfig.from_dict({**SMALL, "steps": 400, "backbone": "resnet-50", "crop_size": 64})
    with closing(train(project, config, run=project.new_run(config.train_fraction))) as steps:
        found = list(itertools.islice(steps, 16))  # before the first snapshot, which is large
    assert "ImageNet" in found[0].warning
    assert not any(step.warning for step in found[1:])
    losses = [step.loss for step in found]
    assert np.isfinite(losses).all()
    assert np.mean(losses[-4:]) < 0.7 * np.mean(losses[:4])


def test_schedule_warms_up_and_cools_down():
    from dlcnb.backend.train import learning_rate

    config = TrainConfig(steps=100)
    rates = [learning_rate(config, p) for p in np.linspace(0, 1, 101)]
    assert rates[0] < 0.02 * config.learning_rate
    assert max(rates) == pytest.approx(config.learning_rate)
    assert rates[-1] == pytest.approx(0.01 * config.learning_rate)


def test_steps_of_a_schedule_hold_until_their_step():
    from dlcnb.backend.train import learning_rate

    config = TrainConfig(steps=100, schedule=((10, 0.005), (40, 0.02), (70, 0.002)))
    assert [learning_rate(config, 0.5, step) for step in (0, 9, 10, 39, 40, 69, 70, 5000)] == [
        0.005, 0.005, 0.02, 0.02, 0.002, 0.002, 0.002, 0.002,
    ]  # fmt: skip


def test_two_devices_give_the_losses_of_one(project):
    _, one = run_steps(project, steps=5, batch_size=4)  # rounding differs, and grows with every step
    run, two = run_steps(project, steps=5, batch_size=4, device="cpu(0),cpu(1)")
    np.testing.assert_allclose([s.loss for s in two], [s.loss for s in one], rtol=5e-4)
    assert (run / "snapshot-5.params").exists()


def test_more_devices_than_examples_are_refused(project):
    with pytest.raises(ValueError, match="batch_size"):
        run_steps(project, steps=1, batch_size=1, device="cpu(0),cpu(1)")


@pytest.mark.parametrize("optimizer", ["adam", "sgd"])
def test_a_resumed_run_on_two_devices_equals_one_that_was_not_stopped(project, optimizer):
    from dlcnb import train

    settings = {"steps": 6, "device": "cpu(0),cpu(1)", "optimizer": optimizer, "learning_rate": 1e-3}
    whole, _ = run_steps(project, **settings)
    config = TrainConfig.from_dict({**SMALL, **settings})
    run = project.new_run(config.train_fraction)
    steps = train(project, config, run=run)
    assert len(list(itertools.islice(steps, 3))) == 3
    steps.close()
    assert [s.step for s in train(project, run=run, resume=True)] == [4, 5, 6]
    for name, array in weights(whole, 6).items():
        np.testing.assert_array_equal(array, weights(run, 6)[name])


def test_whole_frames_of_different_sizes(project):
    preset = TrainConfig.preset("paper", backbone="efficientnet-lite0", steps=3, input_scale=0.4)
    from dlcnb import train

    run = project.new_run(0.8)
    steps = list(train(project, preset, run=run))
    assert all(np.isfinite(s.loss) for s in steps)
    assert steps[0].learning_rate == 0.005


def test_intermediate_supervision_trains_but_is_not_needed_for_predictions(project, trained):
    from dlcnb import Predictor

    run, steps = run_steps(project, steps=4, intermediate=True)
    assert not any(name.startswith("early") for name in weights(run, 4))
    assert Predictor(run).predict(np.zeros((1, 120, 160, 3), np.uint8))[0].shape == (1, 4, 2)
    plain = trained[1][0]
    assert steps[0].part_loss > plain.part_loss + 0.5


def test_fine_tuning_keeps_what_is_known_of_bodyparts(project):
    from dlcnb import Predictor

    image = np.full((1, 120, 160, 3), 90, np.uint8)
    first, _ = run_steps(project, steps=6, bodyparts=["snout", "tailbase"])
    second, _ = run_steps(project, steps=1, start_from=str(first), learning_rate=1e-9, average=0.0, spatial_weight=0.0)
    before, after = Predictor(first), Predictor(second)
    shared = [after.bodyparts.index(name) for name in before.bodyparts]
    score, locref = (maps[0] for maps in before.maps(image).arrays())
    score_after, locref_after = (maps[0] for maps in after.maps(image).arrays())
    np.testing.assert_allclose(score_after[shared], score, atol=1e-5)
    np.testing.assert_allclose(locref_after[shared], locref, atol=1e-4)


def test_fine_tuning_another_backbone_is_refused(project, trained):
    from dlcnb.project import ProjectError

    first, _ = trained
    with pytest.raises(ProjectError, match="backbone"):
        run_steps(project, steps=1, start_from=str(first), backbone="resnet-50", batch_size=1)
