"""After a merge, the network of the iteration before is offered to go on from."""

import json

import pytest
from support.projects import copy_of

from dlcnb.jobs.kinds.train import KIND
from dlcnb.jobs.starting import earlier_runs, last_network, minutes_asked, offered, seen_before, steps_behind
from dlcnb.project import Project
from dlcnb.run import Run
from dlcnb.trainset import TrainConfig, TrainSet, choose_split


@pytest.fixture
def merged(arena_project, tmp_path):
    """(a project in iteration 1, the run of iteration 0, which was trained on the first half of the frames)."""
    project = copy_of(arena_project, tmp_path)
    run = Run(project.new_run(0.8))
    run.write_config(TrainConfig(steps=3, backbone="resnet-50", head_width=64), project.bodyparts)
    images = TrainSet.from_project(project).images
    run.write_split({"train": images[: len(images) // 2], "validation": [], "test": []})
    run.snapshot(30).touch()
    project.config["iteration"] = 1
    project.save()
    return Project.open(project.root), run


def test_the_network_before_is_offered_until_there_is_a_new_one(merged):
    project, before = merged
    assert offered(project).folder == last_network(project).folder == before.folder
    assert [run.folder for run in earlier_runs(project)] == [before.folder]
    new = Run(project.new_run(0.8))
    assert offered(project).folder == before.folder  # nothing is trained yet
    new.snapshot(10).touch()
    assert offered(project) is None
    assert last_network(project).folder == new.folder


def test_steps_behind_a_snapshot_count_those_of_the_network_that_it_goes_on_from(merged):
    project, before = merged
    new = Run(project.new_run(0.8))
    new.write_config(TrainConfig(steps=3), project.bodyparts)
    for step in (10, 20):
        new.snapshot(step).touch()
    assert (steps_behind(new), steps_behind(new, 10)) == (20, 10)
    (new.folder / "pose_cfg.yaml").write_text(f"began_from: {before.folder}\n")
    assert (steps_behind(new), steps_behind(new, 10)) == (50, 40)
    beyond = f"/{'x' * 300}/snapshot-30.params"  # no computer can look there, as at a folder that is not one's own
    (new.folder / "pose_cfg.yaml").write_text(f"began_from: {beyond}\n")
    assert steps_behind(new) == 20


def test_runs_of_two_iterations_never_have_one_number(merged):
    project, before = merged
    assert Run(project.new_run(0.8)).shuffle == before.shuffle + 1  # so their tables of poses have two names


def test_last_is_that_network_with_its_shape(merged):
    project, before = merged
    options = KIND.check(project, {"start_from": "last", "steps": 5, "train_fraction": 0.3})
    config = options["config"]
    assert config["start_from"] == str(before.folder)
    assert (config["backbone"], config["head_width"]) == ("resnet-50", 64)
    assert "test frames, so the test" in options["notes"][0]
    other = KIND.check(project, {"start_from": "last", "steps": 5, "head_width": 32})
    assert other["config"]["head_width"] == 32


def test_last_without_a_network_is_refused(arena_project, tmp_path):
    project = copy_of(arena_project, tmp_path)
    with pytest.raises(ValueError, match="no network yet"):
        KIND.check(project, {"start_from": "last", "steps": 5})


def test_test_frames_that_were_trained_on_are_counted(merged):
    project, before = merged
    config = TrainConfig(steps=5, start_from=str(before.folder), train_fraction=0.5)
    images = TrainSet.from_project(project).images
    test = {images[n] for n in choose_split(images, config).test}
    known = set(json.loads(before.split_file.read_text())["train"])
    assert f"trained on {len(test & known)} of the {len(test)} test frames" in seen_before(project, config)
    assert seen_before(project, TrainConfig(steps=5)) is None
    before.write_split({"train": sorted(set(images) - test), "validation": [], "test": []})
    assert seen_before(project, config) is None


def test_the_minutes_that_the_newest_training_was_asked_for(merged):
    project, before = merged
    assert minutes_asked(project) == 0  # its steps were to end it
    before.write_config(TrainConfig(minutes=2.5), project.bodyparts)
    assert minutes_asked(project) == 2.5  # that of the iteration before, as this has none
    written = before.config_file.read_text()
    for damage in (".inf", "1e300", "-1", "long"):
        before.config_file.write_text(written.replace("minutes: 2.5", f"minutes: {damage}"))
        assert minutes_asked(project) == 0
    before.config_file.write_text(written)
    new = Run(project.new_run(0.8))
    new.write_config(TrainConfig(minutes=4, steps=100), project.bodyparts)
    assert minutes_asked(project) == 4
    new.config_file.write_text("minutes: soon")
    assert minutes_asked(project) == 0
    new.config_file.unlink()
    assert minutes_asked(project) == 0
