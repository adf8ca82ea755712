"""A training run on disk: what it finds, what may change, what it refuses."""

import json
import math

import numpy as np
import pytest

from dlcnb.project import Project, ProjectError
from dlcnb.run import Run
from dlcnb.trainset import TrainConfig, is_kept

PARTS = ("snout", "tailbase")


@pytest.fixture
def project(tmp_path):
    root = tmp_path / "reach-Ann-2026-11-21"
    (root / "labeled-data").mkdir(parents=True)
    (root / "config.yaml").write_text(
        "Task: reach\nscorer: Ann\ndate: Nov21\nvideo_sets: {}\nbodyparts: [snout, tailbase]\nskeleton: []\n"
    )
    return Project.open(root)


@pytest.fixture
def run(project):
    """A run of 100 steps, with three snapshots."""
    run = Run(project.new_run(0.95))
    run.write_config(TrainConfig(steps=100, input_scale=0.5, batch_size=8), PARTS)
    for step in (10, 20, 30):
        leave(run, step)
    return run


def leave(run, step):
    """A snapshot as training leaves it, with a few numbers for weights."""
    np.savez(run.state(step), step=np.array(step))
    run.snapshot(step).write_bytes(bytes(range(step)))
    run.sign(step)


class TestWhereThingsAre:
    def test_a_run_knows_its_project(self, project, run):
        assert run.root == project.root.resolve()
        assert run.project.task == "reach"
        assert run.shuffle == 1
        assert run.name.endswith("-trainset95shuffle1")
        assert run.evaluations == project.evaluation_dir(run.folder)

    def test_a_run_goes_where_a_path_goes(self, run):
        assert Run(run).folder == run.folder
        assert (run.folder / "pose_cfg.yaml").samefile(run.config_file)

    def test_settings_come_back_as_they_were_written(self, run):
        assert run.config == TrainConfig(steps=100, input_scale=0.5, batch_size=8)
        assert run.bodyparts == PARTS

    def test_reasons_stay_with_the_settings(self, run):
        run.write_config(run.config, PARTS, decisions=["Frames are halved: the animal is large."])
        run.write_config(run.config, PARTS)
        assert run.settings["decisions"] == ["Frames are halved: the animal is large."]
        assert run.config.steps == 100

    def test_how_far_the_animal_reaches_stays_with_the_settings(self, run):
        assert math.isnan(run.widest_px)
        run.write_config(run.config, PARTS, widest_px=143.0)
        run.write_config(run.config, PARTS)
        assert run.widest_px == 143.0
        run.write_config(run.config, PARTS, widest_px=150.0)
        assert run.widest_px == 150.0

    def test_a_misspelt_fact_is_an_error(self, run):
        with pytest.raises(TypeError, match="widest_pixels"):
            run.write_config(run.config, PARTS, widest_pixels=143.0)

    @pytest.mark.parametrize("damage", ["far", "-3", "[1]", "true", ".nan"])
    def test_a_damaged_reach_is_an_unknown_one(self, run, damage):
        run.config_file.write_text(f"{run.config_file.read_text()}widest_px: {damage}\n")
        assert math.isnan(run.widest_px)

    def test_a_folder_that_is_no_run_says_so(self, tmp_path):
        with pytest.raises(ProjectError, match=r"no pose_cfg\.yaml"):
            Run(tmp_path).resumed()

    @pytest.mark.parametrize(("name", "read"), [("pose_cfg.yaml", Run.resumed), ("split.json", Run.split.fget)])
    def test_a_damaged_file_is_named(self, run, name, read):
        (run.folder / name).write_text("{ : ]")
        with pytest.raises(ProjectError, match=f"{name} is damaged"):
            read(run)

    def test_the_split_comes_back(self, run):
        parts = {"train": ["a", "b"], "validation": [], "test": ["ü"]}
        run.write_split(parts)
        assert run.split == parts


class TestSnapshots:
    def test_they_are_found_by_what_they_are(self, run):
        run.write_best(20, 3.5)
        assert run.steps == [10, 20, 30]
        assert [run.find(which)[0] for which in ("best", "last", 10, "10")] == [20, 30, 10, 10]
        with pytest.raises(ProjectError, match="best, last, 10, 20, 30"):
            run.find(15)

    def test_copies_beside_a_snapshot_are_none(self, run):
        (run.folder / "snapshot-40.int8-pixels.params").touch()
        (run.folder / "snapshot-50.params.tmp").touch()
        assert run.steps == [10, 20, 30]

    def test_a_damaged_best_is_named_and_the_last_taken(self, run, caplog):
        run.best_file.write_text('{"step": ')
        assert run.find("best")[0] == 30
        assert "best.json is damaged" in caplog.text

    def test_pruning_keeps_the_newest_the_best_and_those_to_keep(self, run):
        for step in (40, 50, 60):
            leave(run, step)
        (run.folder / "snapshot-30.int8-pixels.params").touch()
        (run.folder / "snapshot-30.onnx").touch()
        run.write_best(10, 1.0)
        run.prune(keep=[20])
        assert run.steps == [10, 20, 40, 50, 60]
        assert [path.name for path in run.folder.glob("snapshot-30*")] == ["snapshot-30.onnx"]
        states = [step for step in run.steps if run.state(step).exists()]
        assert states == [10, 40, 50, 60]  # 20 is kept for its weights

    def test_a_curve_is_kept_at_about_equal_distances(self):
        assert [n for n in range(1, 1200) if is_kept(n, "curve")] == [10, 20, 50, 100, 200, 500, 1000]
        assert not is_kept(10, None)

    def test_tidying_leaves_whole_snapshots_alone(self, run):
        run.snapshot(30).unlink()
        for step in (10, 20, 30):
            run.likelihood(step).touch()
        (run.folder / ".dlcnb-tmp-1-snapshot-40.params").touch()
        run.tidy()
        left = {path.name for path in run.folder.glob("*snapshot-*")}
        suffixes = ("params", "state.npz", "meta.json", "likelihood.json")
        assert left == {f"snapshot-{n}.{suffix}" for n in (10, 20) for suffix in suffixes}


class TestChecksums:
    def test_what_was_written_is_trusted(self, run):
        assert len(run.verified(30)) == 64

    def test_one_flipped_bit_is_refused(self, run):
        data = bytearray(run.snapshot(20).read_bytes())
        data[7] ^= 1
        run.snapshot(20).write_bytes(data)
        with pytest.raises(ProjectError, match=r"snapshot-20.params is damaged.*10, 30"):
            run.verified(20)

    @pytest.mark.parametrize("with_record", [True, False])
    def test_a_snapshot_of_another_run_is_refused(self, project, run, with_record):
        other = Run(project.new_run(0.95))
        other.write_config(run.config, PARTS)
        leave(other, 40)
        for path in other.folder.glob("snapshot-40.*" if with_record else "snapshot-40.params"):
            (run.folder / path.name).write_bytes(path.read_bytes())
        with pytest.raises(ProjectError, match="belongs to another training"):
            run.verified(40)

    def test_runs_of_versions_without_checksums_are_taken_up(self, run):
        for path in run.folder.glob("*.meta.json"):
            path.unlink()
        text = run.config_file.read_text().splitlines(keepends=True)
        run.config_file.write_text("".join(line for line in text if "run_id" not in line))
        run.verified(20)
        run.write_config(run.config, PARTS)
        run.snapshot(20).write_bytes(b"other")
        with pytest.raises(ProjectError, match="damaged"):
            run.verified(20)

    def test_a_damaged_state_is_named_and_the_one_before_taken(self, run, caplog):
        whole = run.state(30).read_bytes()
        run.state(30).write_bytes(whole[: len(whole) // 2])
        assert run.last_state()[0] == 20
        assert "snapshot-30.state.npz is damaged" in caplog.text

    @pytest.mark.parametrize("of", [{"run_id": np.array("another"), "step": np.array(30)}, {"step": np.array(646)}])
    def test_the_state_of_another_training_is_not_gone_on_with(self, run, caplog, of):
        np.savez(run.state(30), **of)
        assert run.last_state()[0] == 20
        assert "another training" in caplog.text

    def test_a_state_that_says_whose_it_is(self, run):
        np.savez(run.state(30), run_id=np.array(run.settings["run_id"]), step=np.array(30))
        step, state = run.last_state()
        assert step == 30
        assert set(state) == {"step"}

    def test_without_any_state_there_is_a_way_out(self, run):
        for step in run.steps:
            run.state(step).write_bytes(b"PK")
        with pytest.raises(ProjectError, match="--start-from"):
            run.last_state()


class TestResuming:
    def test_without_changes_it_goes_on_as_it_was(self, run):
        assert run.resumed() == run.config

    def test_a_new_budget_takes_the_place_of_the_old_one(self, run):
        config = run.resumed({"minutes": 3.0})
        assert (config.minutes, config.steps) == (3.0, None)

    def test_a_learning_rate_takes_the_place_of_a_schedule(self, run):
        run.write_config(TrainConfig.preset("paper"), PARTS)
        config = run.resumed({"learning_rate": 1e-4})
        assert (config.learning_rate, config.schedule) == (1e-4, None)

    def test_what_shaped_the_weights_stays(self, run):
        with pytest.raises(ProjectError, match="started with batch_size=8, not 3"):
            run.resumed({"batch_size": 3})
        with pytest.raises(ProjectError, match="batch_size"):
            run.resumed(TrainConfig(steps=100, batch_size=3))

    def test_none_in_a_whole_configuration_is_what_the_run_has(self, run):
        assert run.resumed(TrainConfig(steps=200)).input_scale == 0.5

    def test_before_the_first_snapshot_everything_may_change(self, run):
        for step in run.steps:
            run.snapshot(step).unlink()
        assert run.resumed({"batch_size": 3}).batch_size == 3

    def test_a_run_that_never_wrote_its_settings_begins_with_those_of_its_job(self, project):
        run = Run(project.new_run(0.95))
        job = {"kind": "train", "options": {"config": TrainConfig(steps=7).to_dict()}}
        run.job_file.write_text(json.dumps(job))
        assert run.resumed({"batch_size": 2}).steps == 7

    def test_presets_follow_the_same_rule(self):
        config = TrainConfig.preset("paper", learning_rate=1e-4, minutes=2.0)
        assert (config.schedule, config.learning_rate, config.steps, config.minutes) == (None, 1e-4, None, 2.0)
        assert TrainConfig.preset("paper").schedule


class TestFailedStarts:
    def test_one_is_never_the_last_run(self, project, run):
        failed = Run(project.new_run(0.95))
        failed.mark_failed_start()
        assert failed.failed_to_start
        assert project.last_run() == run.folder
        failed.discard()
        assert project.runs() == [run.folder]
        assert not failed.folder.parent.exists()

    def test_one_that_begins_after_all_is_a_run_again(self, project, run):
        run.mark_failed_start()
        run.write_config(run.config, PARTS)
        assert project.last_run() == run.folder


@pytest.mark.parametrize(
    "text", ['{"step": Infinity, "val_mean_px": 1}', '{"step": 5, "val_mean_px": "<b>"}', "[" * 99_999]
)
def test_a_damaged_note_of_the_best_snapshot_is_passed_over(run, text):
    run.best_file.write_text(text)
    assert run.best is None


def test_settings_of_a_stranger_are_one_line(run):
    run.config_file.write_text("decisions: 5\nall_joints_names: abc\n")
    for ask in (lambda: run.decisions, lambda: run.bodyparts):
        with pytest.raises(ProjectError, match="expected a list as"):
            ask()
    run.config_file.write_text("[" * 50_000)
    with pytest.raises(ProjectError, match="can't be read"):
        _ = run.settings


def test_statistics_leave_out_what_is_not_known(run):
    run.stats_file.write_text("step,loss,val_mean_px\n10,0.5,\n20,0.25,3.5\n")
    assert list(run.statistics()) == [{"step": 10, "loss": 0.5}, {"step": 20, "loss": 0.25, "val_mean_px": 3.5}]


@pytest.mark.parametrize(
    "junk", [b"a\n\xff\xfe\0\0\n", b"a,b\nx,y,z,1,2\n", b"step,loss\nten,0.5\n,\n1e999,1\n", b"x" * 200_000]
)
def test_statistics_that_something_else_has_written_are_passed_over(run, junk):
    run.stats_file.write_bytes(junk)
    assert list(run.statistics()) == []


@pytest.mark.parametrize(("key", "value"), [("batch_size", "many"), ("rotation", [1]), ("seed", True)])
def test_a_setting_that_is_no_number_is_named(run, key, value):
    settings = run.config_file.read_text()
    kept = [line for line in settings.splitlines() if not line.startswith(f"{key}:")]
    run.config_file.write_text("\n".join([*kept, f"{key}: {json.dumps(value)}", ""]))
    with pytest.raises(ProjectError, match=f"{key} must be a number"):
        _ = run.config
