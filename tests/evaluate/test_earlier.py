"""A network beside the one before it: on the test frames of both, beyond chance, and with a name."""

from dataclasses import replace

import numpy as np
import pytest

from dlcnb.evaluate import Evaluation, before, judging_evaluations, worse
from dlcnb.project import Project
from dlcnb.run import Run

PARTS = ("snout", "tail")


def judged(off, n=8, seed=0, spread=0.5, **more):
    """An evaluation of ``n`` test frames, with predictions ``off`` px off, more or less."""
    labels = np.random.default_rng(3).uniform(0, 400, (n, 2, 2))
    predicted = labels.copy()
    predicted[..., 0] += off + np.random.default_rng(seed).normal(0, spread, (n, 2))
    images = tuple(f"labeled-data/m1/img{i}.png" for i in range(n))
    return Evaluation(PARTS, images, labels, predicted, np.ones((n, 2)), np.ones(n, bool), 0.6, "snapshot-9", 9, **more)


def test_a_larger_error_on_the_same_frames_is_worse_and_a_smaller_one_is_not():
    found = worse(judged(6, seed=1), judged(4))
    assert found.px == pytest.approx(6, abs=0.5)
    assert found.other_px == pytest.approx(4, abs=0.5)
    assert found.frames == 8
    assert worse(judged(4), judged(6, seed=1)) is None
    assert worse(judged(4), judged(4)) is None


def test_what_may_be_chance_is_not_worse():
    now, then = judged(20, spread=6, seed=4), judged(20, spread=6, seed=3)
    assert now.errors.mean() > then.errors.mean() + 0.1
    assert worse(now, then) is None


def test_only_frames_that_both_held_out_count():
    now, then = judged(6, n=12, seed=1), judged(4)
    then = replace(then, images=now.images[4:], labels=now.labels[4:], predicted=now.labels[4:] + [4, 0])
    assert worse(now, then).frames == 8
    assert worse(now, replace(then, is_test=np.arange(8) < 4)) is None  # four frames are few
    assert worse(replace(now, images=tuple(f"other/{n}.png" for n in range(12))), then) is None


def test_a_point_that_one_of_them_lacks_and_bodyparts_of_one_alone_are_left_out():
    now, then = judged(6, seed=1), judged(4)
    then.predicted[:3, 0] = np.nan
    assert worse(now, then).frames == 8
    now.labels[:, 1] = np.nan
    assert worse(now, then).frames == 5
    assert worse(now, replace(then, bodyparts=("tail", "paw"))) is None


def test_a_network_that_may_know_the_frames_is_no_measure():
    assert worse(judged(6), judged(4, steps_behind=30)) is None
    assert worse(judged(6, steps_behind=30), judged(4)) is not None


@pytest.fixture
def project(tmp_path):
    return Project.create("m", "A", (), PARTS, parent=tmp_path)


def test_the_one_before_is_the_last_evaluated_run_before_it_of_this_iteration_or_another(project):
    first, second, third = (project.new_run(0.8) for _ in range(3))
    judged(4).write(project.evaluation_dir(first))
    judged(6, seed=1).write(project.evaluation_dir(third))  # nobody has evaluated the second
    (path,) = judging_evaluations(project, third)
    found = before(project, path)
    assert found.name == "shuffle 1"
    assert found.words(judged(6, seed=1)).startswith("Worse than the network before (shuffle 1): ")
    assert found.words(judged(4)) == ""
    assert before(project, *judging_evaluations(project, first)) is None
    project.config["iteration"] = 1
    project.save()
    run = project.new_run(0.8)
    judged(8, seed=2).write(project.evaluation_dir(run))
    assert before(project, *judging_evaluations(project, run)).name == "iteration 0, shuffle 3"
    assert not judging_evaluations(project, second)


def test_a_damaged_evaluation_is_passed_over_in_silence(project):
    first, second = project.new_run(0.8), project.new_run(0.8)
    for run in (first, second):
        judged(4).write(project.evaluation_dir(run))
    judging_evaluations(project, first)[0].write_text("{")
    assert before(project, *judging_evaluations(project, second)) is None


def test_a_run_is_judged_by_its_best_snapshot_or_a_later_one(project):
    run = Run(project.new_run(0.8))
    folder, early, late = project.evaluation_dir(run.folder), judged(9), replace(judged(4), step=20)
    early.write(folder)
    assert [path.name for path in judging_evaluations(project, run.folder)] == ["evaluation-9.json"]
    for step in (9, 20):
        run.snapshot(step).touch()
    run.best_file.write_text('{"step": 20, "val_mean_px": 4.0}')
    assert not judging_evaluations(project, run.folder)  # it was trained on since
    late.write(folder)
    early.write(folder)  # once more, to compare
    assert [path.name for path in judging_evaluations(project, run.folder)] == ["evaluation-20.json"]
