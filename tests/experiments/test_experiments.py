"""Planning, resuming and the tidy table of experiments; one of them with real (tiny) trainings."""

import json
import shutil

import click
import numpy as np
import pandas as pd
import pytest
from support.experiments import finish
from support.projects import copy_of

from dlcnb import experiments, plots, sampledata
from dlcnb.cli.experiments import KINDS, _report, _setting, _steps
from dlcnb.experiments.results import COLUMNS, summary
from dlcnb.labels import LabelError, Labels
from dlcnb.plots.experiments import INSTEAD, from_random
from dlcnb.project import Project, ProjectError
from dlcnb.run import Run
from dlcnb.trainset import TrainConfig

SMALL = {"batch_size": 1, "crop_size": 64, "input_scale": 0.5, "repeats": 1}  # trainings that are quick


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    arena = sampledata.Arena(seed=0, n_frames=60, size=(120, 160))
    return sampledata.synthetic_project(tmp_path_factory.mktemp("tiny"), n_label=20, arena=arena)


@pytest.fixture
def project(tiny, tmp_path):
    return copy_of(tiny, tmp_path)


class TestPlan:
    def test_a_learning_curve_has_the_fractions_of_the_paper(self, project):
        plan = experiments.plan(project, "learning-curve", steps=5, repeats=2)
        assert [t.name for t in plan.trials[:5]] == ["0.05-0", "0.1-0", "0.2-0", "0.5-0", "0.8-0"]  # 1 % is no frame
        assert len(plan.trials) == 10
        configs = [TrainConfig.from_dict(t.settings) for t in plan.trials]
        assert {c.steps for c in configs} == {5}
        assert [c.train_fraction for c in configs[:5]] == [0.05, 0.1, 0.2, 0.5, 0.8]
        assert {c.split_seed for c in configs[5:]} == {1}
        assert plan.folder == project.root / "dlcnb-experiments" / "learning-curve"

    def test_parts_share_split_and_scale(self, project):
        plan = experiments.plan(project, "parts", steps=5, repeats=1, values=["snout", "tailbase"])
        assert [t.condition for t in plan.trials] == ["all", "snout", "tailbase"]
        configs = [TrainConfig.from_dict(t.settings) for t in plan.trials]
        assert [c.bodyparts for c in configs] == [None, ("snout",), ("tailbase",)]
        assert {c.train_fraction for c in configs} == {0.5}
        assert len({c.input_scale for c in configs}) == 1
        assert configs[0].input_scale is not None

    @pytest.mark.parametrize(
        ("kind", "settings"),
        [
            ("backbone", [{"backbone": "efficientnet-lite0"}, {"backbone": "resnet-50"}]),
            ("epsilon", [{"radius": 5.0}, {"radius": 17.0}]),
            ("initialization", [{"pretrained": True}, {"pretrained": False}]),
            ("folds", [{"folds": 4, "fold": 0}, {"folds": 4, "fold": 3}]),
        ],
    )
    def test_what_differs(self, project, kind, settings):
        found = [t.settings for t in experiments.plan(project, kind, steps=5, repeats=4).trials]
        for wanted in settings:
            assert any(wanted.items() <= one.items() for one in found)

    def test_videos_are_left_out(self, project):
        with pytest.raises(ValueError, match="two or more videos"):
            experiments.plan(project, "videos", steps=5)
        second = project.root / "labeled-data" / "other"
        first = project.labeled_dirs()[0]
        shutil.copytree(first, second)
        for table in second.glob("CollectedData*"):
            table.unlink()
        labels = Labels.read(first)
        images = tuple(name.replace(f"/{first.name}/", "/other/") for name in labels.images)
        Labels(labels.bodyparts, labels.scorer, images, labels.points).write(second)
        plan = experiments.plan(Project.open(project.root), "videos", steps=5)
        assert [t.settings["leave_out"] for t in plan.trials] == ["arena", "other"]

    def test_the_commands_kinds_are_all_kinds(self):
        assert tuple(experiments.KINDS) == KINDS

    def test_values_and_repeats_can_be_added(self, project):
        experiments.plan(project, "epsilon", steps=5, repeats=1, values=[5])
        plan = experiments.plan(project, "epsilon", steps=5, repeats=2, values=[17])
        assert [t.name for t in plan.trials] == ["5-0", "17-0", "17-1"]

    @pytest.mark.parametrize(
        ("arguments", "words"),
        [
            ({"kind": "learnig-curve", "steps": 5}, "did you mean 'learning-curve'"),
            ({"kind": "parts", "steps": 5, "values": ["tailbaes"]}, "did you mean 'tailbase'"),
            ({"kind": "backbone", "steps": 5, "values": ["resnet-52"]}, "did you mean 'resnet-50'"),
            ({"kind": "learning-curve", "steps": 5, "values": [5]}, "0.05 = 5 %"),
            ({"kind": "epsilon"}, "needs an end"),
            ({"kind": "epsilon", "steps": 5, "batchsize": 2}, "did you mean 'batch_size'"),
            ({"kind": "folds", "steps": 5, "repeats": 30}, "20 labeled frames"),
            ({"kind": "epsilon", "steps": 5, "repeats": 0}, "1 or more"),
        ],
    )
    def test_what_can_not_be_is_told_before_anything_is_trained(self, project, arguments, words):
        with pytest.raises(ValueError, match=words):
            experiments.plan(project, **arguments)
        assert not (project.root / "dlcnb-experiments").exists()

    def test_other_settings_need_another_name(self, project):
        experiments.plan(project, "epsilon", steps=5)
        with pytest.raises(ValueError, match=r"begun with steps=5, not 6.*another name"):
            experiments.plan(project, "epsilon", steps=6)
        assert experiments.plan(project, "epsilon", steps=6, name="longer").folder.name == "longer"

    def test_other_labels_need_another_name(self, project):
        experiments.plan(project, "epsilon", steps=5)
        folder = project.labeled_dirs()[0]
        labels = Labels.read(folder)
        labels.points[0, 0] += 3
        labels.write(folder)
        with pytest.raises(ValueError, match="begun with other labels"):
            experiments.plan(project, "epsilon", steps=5)

    def test_nothing_labeled(self, project):
        shutil.rmtree(project.root / "labeled-data")
        with pytest.raises(LabelError, match="no labels"):
            experiments.plan(project, "epsilon", steps=5)


class TestNetworks:
    def test_those_that_are_done_make_an_ensemble(self, project):
        plan = experiments.plan(project, "learning-curve", steps=5, repeats=2, values=[0.2, 0.5])
        finish(plan, only=("0.2-0", "0.5-0", "0.5-1"))
        folders = [plan.run_folder(t) for t in plan.trials]
        assert experiments.networks(project, "learning-curve") == [folders[0], folders[1], folders[3]]
        assert experiments.networks(project, "learning-curve/0.5") == [folders[1], folders[3]]

    @pytest.mark.parametrize(
        ("name", "told"),
        [
            (
                "learning-curv",
                r"no experiment 'learning-curv'.*did you mean 'learning-curve'.*there are: learning-curve",
            ),
            ("learning-curve/0.3", r"has no condition '0.3'.*it has 0.2, 0.5"),
            ("learning-curve/0.2", r"1 of the 1 runs of learning-curve/0.2 is done, an ensemble needs two"),
        ],
    )
    def test_what_makes_none_is_one_line_with_the_cure(self, project, name, told):
        finish(experiments.plan(project, "learning-curve", steps=5, repeats=1, values=[0.2, 0.5]))
        with pytest.raises(ProjectError, match=told):
            experiments.networks(project, name)


class TestTable:
    def test_is_tidy(self, project):
        plan = experiments.plan(project, "learning-curve", steps=5, repeats=2, values=[0.2, 0.5])
        finish(plan, lambda trial: 4.0 if trial.condition == "0.2" else 2.0)
        table, path, picture = experiments.write_results(plan)
        assert tuple(table.columns) == COLUMNS
        assert len(table) == 4 * 3 * 5  # trials, sets, bodyparts and all of them
        pd.testing.assert_frame_equal(pd.read_csv(path, dtype={"condition": str}), table)
        test = table[(table["set"] == "test") & (table["bodypart"] == "all")]
        assert test["mean_px"].tolist() == pytest.approx([4, 2, 4, 2])
        assert test["trained_frames"].tolist() == [4, 10, 4, 10]
        assert test["n"].tolist() == [64, 40, 64, 40]
        assert picture.stat().st_size > 5000

    def test_shared_frames_were_seen_by_no_condition(self, project):
        plan = experiments.plan(project, "learning-curve", steps=5, repeats=1, values=[0.2, 0.5])
        finish(plan)
        table = experiments.results(plan)
        assert table.query("set == 'shared' and bodypart == 'all'")["n"].tolist() == [40, 40]

    def test_of_an_unfinished_experiment(self, project):
        plan = experiments.plan(project, "epsilon", steps=5, repeats=1)
        assert experiments.results(plan).empty
        assert experiments.write_results(plan)[2] is None
        finish(plan, only=["17-0"])
        assert set(experiments.results(plan)["condition"]) == {"17"}

    def test_summary_has_standard_errors(self, project):
        plan = experiments.plan(project, "folds", steps=5, repeats=4)
        finish(plan, lambda trial: 1.0 + 2 * (trial.repeat % 2))
        (line,) = summary(experiments.results(plan))
        assert line["repeats"] == 4
        assert line["trained_frames"] == 15
        assert line["test"].mean_px == pytest.approx(2)
        assert line["test"].sem_px == pytest.approx(np.std([1, 3, 1, 3], ddof=1) / 2)
        assert "shared" not in line

    def test_summary_of_parts_compares_on_the_same_bodypart(self, project):
        plan = experiments.plan(project, "parts", steps=5, repeats=2, values=["snout"])
        finish(plan, lambda trial: 2.0 if trial.condition == "all" else 3.0)
        full, only = summary(experiments.results(plan))
        assert (full["condition"], only["condition"]) == ("full@snout", "snout only")
        assert (full["test"].mean_px, only["test"].mean_px) == (pytest.approx(2), pytest.approx(3))


class TestCurves:
    def test_the_paper_s_are_planned(self, project):
        plan = experiments.plan(project, "curves", steps=1000)
        assert [t.name for t in plan.trials] == ["0.8-0", "0.8-1", "0.8-2"]
        assert {(t.settings["train_fraction"], t.settings["keep"]) for t in plan.trials} == {(0.8, "curve")}
        assert [found.folder for found in experiments.begun(project)] == [plan.folder]
        assert experiments.begun(project)[0].trials == plan.trials

    def test_the_disk_that_they_take_is_known_before(self, project):
        few = experiments.plan(project, "curves", steps=100, name="few")  # 10, 20, 50, 100
        many = experiments.plan(project, "curves", steps=1000, name="many")  # and 200, 500, 1000
        assert experiments.disk_mb(many) - experiments.disk_mb(few) == 3 * 3 * 13
        given = experiments.plan(project, "curves", steps=1000, name="given", keep=[100, 1000])
        assert experiments.disk_mb(few) - experiments.disk_mb(given) == 3 * 2 * 13

    def test_the_table_has_a_row_for_each_step(self, project):
        plan = experiments.plan(project, "curves", steps=5, repeats=2)
        finish(plan, lambda trial: 2.0 + trial.repeat, steps=(2, 10))
        _, _, picture = experiments.write_results(plan)
        table = pd.read_csv(plan.folder / "curves.csv")
        test = table[(table["set"] == "test") & (table["bodypart"] == "all")]
        assert test["step"].tolist() == [2, 10, 2, 10]
        assert test["mean_px"].tolist() == pytest.approx([7, 3, 8, 4])
        assert picture.name == "curves.png"

    def test_damaged_evaluations_are_told_and_the_rest_of_the_tables_stands(self, project, caplog):
        plan = experiments.plan(project, "curves", steps=5, repeats=2)
        finish(plan, lambda trial: 2.0 + trial.repeat, steps=(2, 10))
        on_the_way, last = plan.curve_folder(plan.trials[0]), plan.evaluation_folder(plan.trials[1])
        (on_the_way / "evaluation-2.json").write_text("{")
        next(last.glob("evaluation-*-frames.csv")).write_text("x")
        table, _, _ = experiments.write_results(plan)
        assert set(table["repeat"]) == {0}
        way = pd.read_csv(plan.folder / "curves.csv")
        assert {*zip(way["repeat"], way["step"], strict=True)} == {(0, 10), (1, 2), (1, 10)}
        assert caplog.text.count("It is left out.") == 2

    def test_single_splits_are_thin_and_their_mean_is_thick(self, project):
        plan = experiments.plan(project, "curves", steps=5, repeats=2)
        finish(plan, lambda trial: 2.0 + trial.repeat, steps=(2, 10))
        _, ax = plots.curves(experiments.curves(plan))
        found = {line.get_label(): line.get_xydata() for line in ax.lines if not line.get_label().startswith("_")}
        np.testing.assert_allclose(found["test"], [[2, 7.5], [10, 3.5]])
        assert [line.get_linewidth() for line in ax.lines] == [0.8, 0.8, 2.2] * 2
        _, ax = plots.curves(experiments.curves(plan), bodyparts=["snout", "tailbase"])
        assert ax.get_legend_handles_labels()[1] == ["snout", "tailbase"]

    def test_networks_are_told_apart(self, project):
        nets = ["resnet-50", "resnet-101"]
        plan = experiments.plan(project, "backbone", steps=5, repeats=1, keep="curve", values=nets)
        finish(plan, steps=(2, 10))
        _, ax = plots.curves(experiments.curves(plan))
        names = [f"{net}, {part}" for net in nets for part in ("train", "test")]
        assert ax.get_legend_handles_labels()[1] == names

    def test_a_damaged_experiment_is_passed_over(self, project, caplog):
        experiments.plan(project, "curves", steps=5)
        other = experiments.plan(project, "epsilon", steps=5).folder / "experiment.json"
        other.write_text("{")
        assert [plan.kind for plan in experiments.begun(project)] == ["curves"]
        assert "damaged" in caplog.text


class TestFigures:
    def test_learning_curve_has_a_cross_for_each_split(self, project):
        plan = experiments.plan(project, "learning-curve", steps=5, repeats=2, values=[0.1, 0.2, 0.5])
        finish(plan, lambda trial: 1 / float(trial.condition) + trial.repeat)
        _, ax = plots.experiment(experiments.results(plan))
        found = {line.get_label(): line for line in ax.lines if not line.get_label().startswith("_")}
        np.testing.assert_allclose(found["test"].get_xydata(), [[2, 10.5], [4, 5.5], [10, 2.5]])
        assert sum(len(line.get_xdata()) for line in ax.lines if line.get_marker() == "x") == 12
        assert [tick.get_text() for tick in ax.get_xticklabels()] == ["2", "4", "10"]

    def test_parts_compare_the_full_network_with_the_special_one(self, project):
        plan = experiments.plan(project, "parts", steps=5, repeats=2, values=["snout", "tailbase"])
        finish(plan, lambda trial: 2.0 if trial.condition == "all" else 3.0)
        _, ax = plots.experiment(experiments.results(plan))
        names = [tick.get_text() for tick in ax.get_xticklabels()]
        assert names == ["full\n@snout", "snout\nonly", "full\n@tailbase", "tailbase\nonly"]
        means = [line.get_ydata()[0] for line in ax.lines if line.get_marker() == "o"]
        assert means == pytest.approx([2, 2, 3, 3, 2, 2, 3, 3])

    def test_comparison(self, project):
        plan = experiments.plan(project, "epsilon", steps=5, repeats=2)
        finish(plan, lambda trial: 20 / float(trial.condition) + trial.repeat)
        fig, ax = plots.experiment(experiments.results(plan))
        assert [tick.get_text() for tick in ax.get_xticklabels()] == ["5", "10", "17", "25"]
        assert ax.get_xlabel() == "radius (px)"
        fig.canvas.draw()


def test_networks_that_lacked_their_imagenet_weights_are_told_everywhere(project):
    values = ["efficientnet-lite0", "resnet-50"]
    plan = experiments.plan(project, "backbone", steps=5, repeats=1, values=values)
    finish(plan)
    for trial, began in zip(plan.trials, ("imagenet", "random"), strict=True):
        config, run = TrainConfig.from_dict(trial.settings), Run(plan.run_folder(trial))
        run.folder.mkdir(parents=True)
        run.write_config(config, project.bodyparts, began_from=began)
    table = experiments.results(plan)
    assert set(table.loc[table["condition"] == "resnet-50", "began_from"]) == {INSTEAD}
    _, ax = plots.experiment(table)
    assert [tick.get_text() for tick in ax.get_xticklabels()] == [values[0], "resnet-50\nfrom random\nweights"]
    report = _report(plan, {})
    assert report.data["from_random"] == ["resnet-50"]
    assert "resnet-50 *" in report.text
    assert "* began from random weights" in report.text


def test_random_weights_that_were_asked_for_are_no_lack(project):
    plan = experiments.plan(project, "initialization", steps=5, repeats=1)
    finish(plan)
    for trial in plan.trials:
        config, run = TrainConfig.from_dict(trial.settings), Run(plan.run_folder(trial))
        run.folder.mkdir(parents=True)
        run.write_config(config, project.bodyparts, began_from=trial.condition)
    assert from_random(experiments.results(plan)) == []


@pytest.mark.mxnet
def test_an_experiment_is_interrupted_and_goes_on(project):
    settings = {"steps": 4, "values": [0.2, 0.5], **SMALL}
    plan = experiments.plan(project, "learning-curve", **settings)
    for progress in experiments.run(plan):
        if progress.finished:
            break  # the second one is stopped as it starts
    assert progress.done == 1
    assert not progress.failed
    (first,) = plan.evaluation_folder(plan.trials[0]).glob("evaluation-?.json")
    before = first.stat().st_mtime
    again = experiments.plan(project, "learning-curve", **settings)
    *_, last = experiments.run(again, processes=2)
    assert (last.done, last.total, last.share, last.failed) == (2, 2, 1.0, {})
    assert first.stat().st_mtime == before
    best = [Run(again.run_folder(trial)).best["step"] for trial in again.trials]
    assert set(experiments.results(again)["step"]) == set(best)
    for trial, step in zip(again.trials, best, strict=True):
        assert Run(again.run_folder(trial)).steps == [step]  # the evaluated snapshot alone is kept
    assert project.runs() == []  # they don't get in the way of the project's own runs


@pytest.mark.mxnet
def test_a_trial_that_fails_is_told_and_the_others_go_on(project):
    settings = {"steps": 2, "values": [5, 17], "keep": [1, 2], **SMALL}
    plan = experiments.plan(project, "epsilon", **settings)
    (plan.run_folder(plan.trials[0]) / "pose_cfg.yaml").mkdir(parents=True)  # can't be written
    *_, last = experiments.run(plan)
    assert list(last.failed) == ["5-0"]
    assert plan.is_done(plan.trials[1])
    assert set(experiments.curves(plan)["step"]) == {
        1,
        2,
    }  # of the snapshots on the way
    left = Run(plan.run_folder(plan.trials[1]))
    assert left.steps == [1, 2]
    assert not list(left.folder.glob("*.state.npz"))


def test_settings_of_the_command_line():
    assert _setting("batch-size=4") == ("batch_size", 4)
    assert _setting("device=cpu") == ("device", "cpu")
    assert _setting("scale_jitter=[0.5, 1.5]") == ("scale_jitter", [0.5, 1.5])
    assert json.dumps(_setting("pretrained=false")[1]) == "false"
    assert _steps("1000, 100") == [100, 1000]
    assert _steps("curve") == "curve"
    with pytest.raises(click.BadParameter, match="expected steps"):
        _steps("often")
