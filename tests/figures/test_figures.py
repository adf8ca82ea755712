"""The paper's figures from a project's own data: all of them, what their captions say, and what is missing."""

import json
import shutil

import numpy as np
import pandas as pd
import pytest
from support.commands import run
from support.experiments import finish, log_losses
from support.gallery import everything

from dlcnb import experiments, figures, sampledata
from dlcnb.evaluate import Evaluation, doubtful_labels, human_variability
from dlcnb.figures import FIGURES, MissingDataError, Source, draw, figure_names
from dlcnb.project import Project
from dlcnb.run import Run


@pytest.fixture(scope="module")
def rich(tmp_path_factory):
    """A project with data for every figure; to be read only."""
    project = everything(tmp_path_factory.mktemp("rich"), frames=120)
    for kind, more in (
        ("curves", {"repeats": 2}),
        ("learning-curve", {"values": [0.2, 0.5]}),
        ("parts", {"values": ["snout"]}),
        ("backbone", {"values": ["resnet-50", "resnet-101"]}),
        ("epsilon", {"values": [5, 17], "keep": "curve"}),
    ):
        plan = experiments.plan(project, kind, steps=5, **more)
        finish(plan, lambda trial: 2.0 + trial.repeat, steps=(2, 10) if "keep" in more or kind == "curves" else ())
        log_losses(plan)
    return project


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    """A project with labels alone; to be read only."""
    arena = sampledata.Arena(seed=0, n_frames=30, size=(120, 160))
    return sampledata.synthetic_project(tmp_path_factory.mktemp("plain"), n_label=6, arena=arena)


@pytest.fixture(scope="module")
def written(rich, tmp_path_factory):
    folder = tmp_path_factory.mktemp("figures")
    return {one.name: one for one in figures.write(rich, folder=folder)}


def table_of(written, name):
    (path,) = (path for path in written[name].paths if path.suffix == ".csv")
    return pd.read_csv(path, dtype={"condition": str})


def test_each_is_a_picture_with_its_numbers_and_a_caption(written):
    assert list(written) == list(FIGURES)
    assert {name: one.missing for name, one in written.items() if one.missing} == {}
    for name, one in written.items():
        picture, table, caption = one.paths
        assert [path.name for path in one.paths] == [f"{name}.png", f"{name}.csv", f"{name}.txt"]
        assert picture.stat().st_size > 5000
        assert len(pd.read_csv(table)) > 0
        assert one.caption in caption.read_text(encoding="utf-8")
        assert any(letter.isdigit() for letter in one.caption)


def test_captions_say_what_was_measured_on_how_much(written):
    assert "2 splits of the experiment curves, 16 training frames and 16 labeled points on test frames" in (
        written["2C"].caption
    )
    assert "Test error of the last snapshots: 3.50 ± 0.50 px" in written["2C"].caption
    assert "human variability" in written["2C"].caption
    assert "snout 3.50 px" in written["2D"].caption
    assert "0.2 (4 training frames) 3.00 ± 0.58; 0.5 (10 training frames) 3.00 ± 0.58" in written["2F"].caption
    assert "20 frames" in written["S1"].caption
    assert "--at curve" in written["S2A"].caption  # what is missing of it
    assert "at 2 snapshots" in written["S2B"].caption
    assert "tailbase at (0, 0), snout straight above" in written["7F"].caption


def test_the_numbers_behind_are_those_of_the_experiment(rich, written):
    plan = next(plan for plan in experiments.begun(rich) if plan.kind == "curves")
    pd.testing.assert_frame_equal(table_of(written, "2C"), experiments.curves(plan))
    assert set(table_of(written, "2B")["repeat"]) == {0, 1}
    assert len(table_of(written, "7D")) == 120
    assert len(table_of(written, "signed")) == 80


def test_labels_that_may_be_wrong_are_named(written):
    table = table_of(written, "2G")
    odd = table[table["doubt"] != ""].dropna(subset="doubt")
    assert sorted(zip(odd["bodypart"], odd["doubt"], strict=True)) == [
        ("leftear", "first label"),
        ("rightear", "first label"),
        ("snout", "network"),
    ]
    image = odd[odd["bodypart"] == "leftear"]["image"].item()
    assert f"leftear in {image} (first label)" in written["2G"].caption


def test_who_is_alone_may_be_wrong(rich):
    evaluation, human = Source(rich).evaluation, human_variability(rich)
    rows = [evaluation.images.index(image) for image in human.images]
    human.points[1, 7, 0] += 50  # the second person is wrong
    human.points[1, 8, 0] += 50  # … and here the network in another way
    evaluation.predicted[rows[8], 0] -= 50
    human.distances[:] = np.hypot(*np.moveaxis(human.points[1] - human.points[0], -1, 0))
    table = doubtful_labels(evaluation, human)
    snouts = table[table["bodypart"] == "snout"].reset_index(drop=True)
    assert (snouts["doubt"][7], snouts["doubt"][8]) == ("second label", "labels")


def test_a_moment_a_bodypart_and_a_format_are_chosen(rich, tmp_path):
    (one,) = figures.write(rich, ["fig. 3"], folder=tmp_path, formats=("svg", "pdf"), frame=50, bodypart="snout")
    assert "snout in frames 20 to 80" in one.caption
    assert sorted(path.name for path in tmp_path.iterdir()) == ["3.csv", "3.pdf", "3.svg", "3.txt"]
    for name in ("3", "4B"):
        with pytest.raises(ValueError, match="has 0 to 119"):
            draw(rich, name, frame=500)
    with pytest.raises(ValueError, match="no bodypart 'nose'"):
        draw(rich, "3", bodypart="nose")


def test_an_evaluation_without_a_labeled_point_has_no_frame_to_show(rich):
    source = Source(rich)
    source.evaluation.labels[:] = np.nan
    for name in ("2E", "7A"):
        with pytest.raises(MissingDataError, match="a label and a prediction"):
            FIGURES[name].draw(source)


def test_what_fails_does_not_keep_the_others_from_being_made(rich, tmp_path):
    made = {one.name: one for one in figures.write(rich, ["2F", "3"], folder=tmp_path, frame=500)}
    assert len(made["2F"].paths) == 3
    assert (made["3"].paths, made["3"].missing) == ((), "")
    assert "has 0 to 119" in made["3"].failed
    done = run("figures", rich.root, "3", "2F", "--frame", 500, "--out", tmp_path / "again", "--json", code=1)
    assert "figure 3: There is no frame 500" in done.stderr
    assert [one["name"] for one in json.loads(done.stdout)["figures"]] == ["2F"]


def test_what_is_missing_is_said_with_the_command_that_makes_it(plain):
    found = {one.name: one.missing for one in figures.write(plain)}
    assert all(found.values())
    assert not (plain.root / "dlcnb-figures").exists()
    for name, words in {
        "2C": f"dlcnb experiment curves {plain.root} --minutes 5",
        "2E": f"dlcnb train {plain.root}",
        "2F": f"dlcnb experiment learning-curve {plain.root} --minutes 5",
        "3": f"dlcnb analyze {plain.root} VIDEO",
        "4B": f"dlcnb analyze {plain.root} VIDEO --animals 2",
        "S1": "Labeler(project, scorer='Name')",
        "S2A": f"dlcnb experiment backbone {plain.root} --minutes 5",
    }.items():
        assert words in found[name]
    with pytest.raises(MissingDataError, match="dlcnb experiment curves"):
        draw(plain, "2c")


def test_without_an_experiment_the_last_training_is_shown(rich, tmp_path):
    project = Project.open(shutil.copytree(rich.root, tmp_path / "copy"))
    shutil.rmtree(project.root / "dlcnb-experiments")
    training = Run(project.last_run())
    training.stats_file.write_text("step,seconds,loss\n5,1,0.5\n10,2,0.25\n")
    assert "the last training" in draw(project, "2B").caption
    with pytest.raises(MissingDataError, match="experiment curves"):
        draw(project, "2C")
    folder = project.evaluation_dir(training)
    found = Evaluation.read(folder)
    for step in (10, 20):
        changed = {**vars(found), "step": step, "snapshot": f"snapshot-{step}"}
        Evaluation(**changed).write(folder)
    assert sorted(set(draw(project, "2C").table["step"])) == [10, 20, 500]


def test_names_are_those_of_the_paper():
    assert figure_names(["2b", "Fig. 2C", "figure s2d", "2b"]) == ["2B", "2C", "S2B"]
    assert figure_names([]) == list(FIGURES)
    with pytest.raises(ValueError, match="no figure '9'"):
        figure_names(["9"])


class TestCommand:
    def test_makes_what_can_be_made(self, plain, rich, tmp_path):
        out = tmp_path / "new"
        done = json.loads(run("figures", rich.root, "S1", "--out", out, "--json").stdout)
        (one,) = done["figures"]
        assert (one["name"], done["missing"]) == ("S1", {})
        assert one["caption"] in run("figures", rich.root, "S1", "--out", out).stdout
        assert "None can be made yet" in run("figures", plain.root).stdout

    def test_what_was_asked_for_and_is_missing_is_an_error_after_the_rest(self, plain, tmp_path):
        done = run("figures", plain.root, "2C", "--out", tmp_path / "new", code=1)
        assert "figure 2C: This figure needs the experiment curves: dlcnb experiment curves" in done.stderr

    def test_unknown_names_are_wrong_usage(self, plain):
        assert "did you mean '2C'" in run("figures", plain.root, "2CC", code=2).stderr
