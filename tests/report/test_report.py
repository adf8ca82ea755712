"""The report: what it tells is so, what is missing is named with its cure, and nothing of a project becomes HTML."""

import json
import os
import re
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest
from support.commands import run as command
from support.projects import copy_of, write_noise

from dlcnb import plots
from dlcnb.cli.networks import pick_run
from dlcnb.jobs import EventLog
from dlcnb.jobs.job import claim
from dlcnb.poses import Poses, Spread, find_poses, write_chunks
from dlcnb.poses.spread import spread_path
from dlcnb.project import Project, ProjectError
from dlcnb.report import Facts, gather, write_report
from dlcnb.report.methods import methods, references
from dlcnb.report.page import page
from dlcnb.report.parts import zones
from dlcnb.run import Run
from dlcnb.trainset import TrainConfig
from dlcnb.video import VideoReader


class Seen(HTMLParser):
    """The tags of a page and their attributes, and its text."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.open, self.text = [], [], ""
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in ("meta", "img"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data if self.open[-1:] != ["style"] else ""


@pytest.fixture(scope="module")
def facts(told):
    return gather(told)


@pytest.fixture(scope="module")
def seen(facts, tmp_path_factory):
    path = write_report(facts, tmp_path_factory.mktemp("report") / "mine.html")
    return Seen(path.read_text(encoding="utf-8"))


def test_facts_are_those_of_the_project(told, facts):
    labels, network, (video,) = facts.data["labels"], facts.data["network"], facts.data["videos"]
    assert labels["scorers"] == {"truth": 16, "Bob": 6}
    assert labels["variability"]["mean_px"] == pytest.approx(5)
    assert set(labels["points"].values()) == {16}
    assert (network["step"], network["steps"], network["seconds"]) == (90, 100, 50)
    assert network["frames"] == {"train": 10, "validation": 2, "test": 4}
    assert network["evaluation"]["verdict"]["level"] == "good"
    with VideoReader(told.videos[0]) as reader:
        assert video["seconds"] == pytest.approx(len(reader) / reader.fps, rel=1e-3)
        gap = 30 / reader.fps
    assert video["poses"]["sure_share"] == pytest.approx(1 - 30 / (300 * 4))
    assert video["poses"]["all_sure_share"] == pytest.approx(0.9)
    last = video["poses"]["bodyparts"][told.bodyparts[-1]]
    assert (last["longest_gap_s"], last["gap_from_s"]) == pytest.approx((gap, 100 / 30 * gap))
    assert facts.left_out == []


def test_after_a_merge_the_network_is_that_of_the_iteration_before(told, tmp_path):
    project = copy_of(told, tmp_path)
    config = project.root / "config.yaml"
    config.write_text(config.read_text().replace("iteration: 0", "iteration: 1"))
    project = Project.open(project.root)
    found = gather(project)
    assert (found.data["network"]["shuffle"], found.data["network"]["iteration"]) == (1, "0")
    assert found.data["network"]["evaluation"]["verdict"]["level"] == "good"
    assert found.left_out[0].startswith("A network of iteration 1: there is none yet")
    assert "shuffle 1 of iteration 0" in Seen(page(found)).text
    with pytest.raises(
        ProjectError, match=r"no trained network in .*iteration-1; .*use --shuffle 1 \(that of iteration-0\)"
    ):
        project.last_run()
    assert pick_run(project, 1) == project.runs(0)[0]
    with pytest.raises(ValueError, match="no run with shuffle 1"):
        pick_run(project, 1, earlier=False)


@pytest.mark.parametrize(("began", "said"), [("imagenet", False), (None, False), ("…/snapshot-90.params", True)])
def test_the_methods_say_that_an_earlier_network_may_know_test_frames(facts, began, said):
    data = {**facts.data, "network": {**facts.data["network"], "began_from": began}}
    assert ("may have been trained on some of the test frames" in methods(data)) == said
    assert ("the weights of an earlier network" in methods(data)) == said


def test_while_a_network_is_in_training_the_report_is_of_the_one_before(told, tmp_path):
    project = copy_of(told, tmp_path)
    run = Run(project.new_run(0.75))
    run.write_config(TrainConfig(steps=100), project.bodyparts)
    run.snapshot(10).write_bytes(b"weights")
    run.job_file.write_text('{"kind": "train"}')
    log = EventLog(run.folder)
    log.write("start")
    claim(run.folder, os.getpid(), 0)
    found = gather(project)
    assert found.data["network"]["shuffle"] == 1
    assert found.data["network"]["evaluation"]["verdict"]["level"] == "good"
    assert "Network of shuffle 2, iteration 0: it is in training" in found.left_out[0]
    log.write("stopped", reason="request")
    log.close()
    assert "Network of shuffle 2, iteration 0: it is in training" not in gather(project).left_out[0]


def test_the_share_of_near_points_has_its_px_beside_it(facts, seen):
    size = facts.data["network"]["evaluation"]["animal_px"]
    told = f"within 5 % of the animal's size ({0.05 * size:.1f} px)"
    assert told in seen.text


def test_zones_are_in_centimetres(facts):
    (one,) = facts.data["zones"]
    (row,) = one["zones"]
    assert one["unit"] == "cm"
    inside = np.mean(facts.zones[0].points[:, 0] <= facts.zones[0].zones[0].box[2])
    assert row["time_share"] == pytest.approx(inside, abs=0.01)


def test_the_bodypart_that_was_in_the_zones_is_named_and_where_it_is_another_one(facts, seen):
    assert "All numbers are of the snout: the first bodypart of the project that is sure enough" in seen.text
    (one,) = facts.data["zones"]
    several = {**facts.data, "zones": [one, {**one, "video": "b"}, {**one, "video": "c", "bodypart": "tailbase"}]}
    words = Seen(str(zones(several))).text
    assert f"snout in {one['video']}, b; tailbase in c. Compare only videos of one bodypart." in words


def test_the_methods_text_has_the_numbers_and_no_blanks(facts):
    text = facts.data["methods"]
    for words in (
        "16 frames of 1 video were labeled",
        "5.00 px apart",
        "ImageNet",
        "100 steps on 10 frames, with 2 others",
        "step 90",
        "on test frames (16 points",
        "1 video (300 frames",
        "97.5 % were above",
        "8 px per cm",
        "1 zone (left)",
        "distances are of points that were not filtered",
    ):
        assert words in text
    assert not re.search(r"None|nan|\[|\{", text)


def test_the_page_is_whole_and_needs_nothing_from_elsewhere(seen, facts):
    assert seen.open == []
    names = {name for name, _ in seen.tags}
    assert not names & {"script", "link", "iframe", "object", "base", "form"}
    sources = [attrs[key] for _, attrs in seen.tags for key in ("src", "href") if key in attrs]
    assert sources
    assert all(source.startswith(("data:image/png;base64,", "#")) for source in sources)
    ids = {attrs["id"] for _, attrs in seen.tags if "id" in attrs}
    assert {source[1:] for source in sources if source.startswith("#")} <= ids
    assert {"methods", "labels", "network", "videos", "zones", "project"} <= ids
    assert sum(name == "img" for name, _ in seen.tags) == 7
    assert facts.data["methods"] in seen.text
    assert "Frames are seen at half their size." in seen.text


EVIL = '<img src=x onerror="alert(1)">&amp;{0}</style>'


def test_hostile_names_stay_text(facts):
    """Every text of the facts, wherever it is from, turned into HTML and a field of a template."""
    labels = facts.data["labels"]
    named = {*labels["points"], *labels["scorers"], *labels["videos"]}  # keys that are names

    def evil(value, key=""):
        if isinstance(value, dict):
            return {f"{k}{EVIL}" if k in named else k: evil(one, k) for k, one in value.items()}
        if isinstance(value, list):
            return [evil(one) for one in value]
        return value + EVIL if isinstance(value, str) and key != "unit" else value

    found = Seen(page(Facts(evil(facts.data), left_out=[f"Poses: {EVIL}"])))
    assert found.open == []
    assert not [attrs for name, attrs in found.tags if name == "img" or "onerror" in attrs]
    assert found.text.count(EVIL) > 20


def test_an_ensemble_is_told_and_cited(told, tmp_path):
    project = copy_of(told, tmp_path)
    poses = Poses.read(find_poses(project.videos[0]))
    ensemble = replace(poses, scorer="DLC_Ensemble3_arena")
    table, _ = ensemble.write(project.videos[0])
    apart, three = np.full(poses.likelihood.shape, 2.5), np.full(poses.likelihood.shape, 3.0)
    write_chunks(spread_path(table), [Spread(poses.bodyparts, ensemble.scorer, apart, three)], 300)
    found = gather(project)
    assert (found.data["videos"][0]["poses"]["networks"], found.data["videos"][0]["poses"]["spread_px"]) == (3, 2.5)
    assert "The median of the points of 3 networks was taken (they lay 2.50 px apart" in found.data["methods"]
    assert "Biderman" in references(found.data)[1]
    assert len(references({"videos": []})) == 1


def test_errors_of_another_snapshot_and_videos_of_one_network_are_told_apart(facts):
    network, (video,) = facts.data["network"], facts.data["videos"]
    other = {**network, "evaluation": {**network["evaluation"], "step": 60}}
    assert "of its predictions (weights of step 60) from the labels" in methods({**facts.data, "network": other})
    assert "(weights of" not in facts.data["methods"]
    three = {**video, "poses": {**video["poses"], "networks": 3, "spread_px": 2.0}}
    text = methods({**facts.data, "videos": [video, three]})
    assert "The network analyzed 1 video (arena) (300 frames" in text
    assert "of 3 networks was taken (they lay 2.00 px" in text
    assert "They analyzed 1 video (arena) (300 frames" in text
    assert "97.5 % were above" in text


def train_anew(project, iteration=0):
    """Another run of the project, trained after the first: it has the same step, and other weights."""
    config = project.root / "config.yaml"
    config.write_text(config.read_text().replace("iteration: 0", f"iteration: {iteration}"))
    project = Project.open(project.root)
    run = Run(project.new_run(0.75))
    run.write_config(TrainConfig(steps=100), project.bodyparts)
    run.snapshot(90).write_bytes(b"other weights")
    run.sign(90)
    run.write_best(90, 2.0)
    run.write_split(Run(project.runs(0)[0]).split)
    return project


def note(project, run):
    """What an analysis notes beside its table of the first video."""
    table, weights = find_poses(project.videos[0]), Run(run).verified(90)
    key = {"scorer": Poses.read(table).scorer, "weights": weights}
    table.with_name(f"{table.stem}_meta.json").write_text(json.dumps({"key": key}))


@pytest.mark.parametrize("iteration", [0, 1])
def test_poses_of_an_older_network_are_not_told_as_those_of_the_newest(told, tmp_path, iteration):
    project = copy_of(told, tmp_path)
    note(project, project.runs()[0])
    project = train_anew(project, iteration)
    found = gather(project)
    assert found.data["network"]["iteration"] == str(iteration)
    poses = found.data["videos"][0]["poses"]
    assert (poses["told"], poses["ours"]) == (False, True)
    assert poses["made_by"] == ["the network of shuffle 1 of iteration 0 (step 90)"]
    text = found.data["methods"]
    assert "The network analyzed" not in text
    assert (
        "Not the network described above but another one, the network of shuffle 1 of iteration 0 (step 90), analyzed "
        "1 video (300 frames"
    ) in text
    (line,) = (line for line in found.left_out if line.startswith("Poses of "))
    assert line.endswith(f"by the network in this report: dlcnb analyze {project.root} arena.mp4")
    seen = Seen(page(found)).text
    assert seen.count("The poses of arena are not of the network in this report") == 2  # under Methods, under Videos
    assert "(not all by this network)" in seen


@pytest.mark.parametrize("ensemble", [5, True, [1, 2], {"a": 1}, []])
def test_a_damaged_note_beside_the_poses_leaves_their_name(told, tmp_path, ensemble):
    project = copy_of(told, tmp_path)
    table = find_poses(project.videos[0])
    table.with_name(f"{table.stem}_meta.json").write_text(json.dumps({"key": {"ensemble": ensemble}}))
    assert gather(project).data["videos"][0]["poses"]["told"]


def test_poses_are_of_the_network_whose_weights_made_them(told, tmp_path):
    """Two iterations have runs and steps of one name: the checksum noted beside the table tells them apart."""
    project = train_anew(copy_of(told, tmp_path), iteration=1)
    second = project.runs()[0].parent
    second.rename(second.with_name(second.name.replace("shuffle2", "shuffle1")))
    note(project, project.runs()[0])
    found = gather(project)
    assert found.data["videos"][0]["poses"]["told"]
    assert "The network analyzed 1 video" in found.data["methods"]
    assert found.left_out == [line for line in found.left_out if not line.startswith("Poses")]


def test_poses_of_another_tool_are_of_no_network_of_the_project(told, tmp_path):
    project = copy_of(told, tmp_path)
    before = find_poses(project.videos[0])
    poses = Poses.read(before)
    before.unlink()
    before.with_suffix(".h5").unlink()
    replace(poses, scorer="DLC_sleap").write(project.videos[0])
    found = gather(project)
    text = found.data["methods"]
    assert "The network analyzed" not in text
    assert "The poses of 1 video (300 frames" in text
    assert "are not of a network of this project (scorer DLC_sleap)" in text
    assert "are not of the network in this report" in Seen(page(found)).text


def test_one_frame_is_no_plural(facts):
    network = facts.data["network"]
    frames = {"train": 9, "validation": 1, "test": 0}
    assert "on 9 frames, with 1 other held out" in methods({**facts.data, "network": {**network, "frames": frames}})


def test_a_length_is_rounded_before_its_minutes_are_counted(facts):
    (video,) = facts.data["videos"]
    seen = page(Facts({**facts.data, "videos": [{**video, "seconds": 119.97}]}))
    assert "2:00.0" in seen
    assert "1:60" not in seen


def test_an_empty_project_is_told_what_brings_the_rest(tmp_path):
    project = Project.create("new", "Ann", [write_noise(tmp_path / "a.mp4", 5)], ("nose",), parent=tmp_path)
    path = tmp_path / "pages" / "mine.html"
    done = json.loads(command("report", project.root, "--json", "--out", path).stdout)
    assert done["labels"] is done["network"] is done["videos"][0]["poses"] is None
    told = "\n".join(done["left_out"])
    assert "label some, in the step Label of Studio" in told
    assert f"dlcnb train {project.root}" in told
    assert f"dlcnb analyze {project.root} a.mp4" in told
    seen = Seen(path.read_text(encoding="utf-8"))
    assert all(line in seen.text for line in done["left_out"])
    assert "1 bodypart (nose)" in seen.text


def test_what_is_damaged_is_named_and_the_rest_told(told, tmp_path):
    project = copy_of(told, tmp_path)
    run = project.runs()[0]
    next(project.evaluation_dir(run).glob("evaluation-*-frames.csv")).write_text("nonsense")
    Poses(("nose",), "DLC_other", np.zeros((9, 1, 2)), np.ones((9, 1))).write(project.videos[0])
    (project.root / "scale.json").write_text("[]")
    found = gather(project)
    assert found.data["network"]["evaluation"] is None
    assert found.data["labels"]["frames"] == 16
    told = "\n".join(found.left_out)
    assert "Errors and verdict: " in told
    assert "has poses of 9 frames, the video has 300" in told
    assert "Scale: " in told
    assert "Zones of arena: it has no poses yet" in told
    Seen(page(found))


def test_wrong_wishes_are_one_line(told, tmp_path):
    with pytest.raises(ProjectError, match="no video 'nobody'"):
        gather(told, ["nobody"])
    line = command("report", told.root, "--out", tmp_path / "new" / "a.pdf", code=1).stderr.strip().splitlines()[-1]
    assert "A report is an .html file; a.pdf is not" in line
    assert "no run with shuffle 9" in command("report", told.root, "--shuffle", 9, code=1).stderr
    assert list(tmp_path.iterdir()) == []


def test_maps_and_trajectories_are_in_cm_where_a_scale_is_known(facts, monkeypatch):
    drawn = []
    for name in ("trajectory", "occupancy"):
        draw = getattr(plots, name)

        def noted(*args, draw=draw, **kwargs):
            drawn.append(draw(*args, **kwargs))
            return drawn[-1]

        monkeypatch.setattr(plots, name, noted)
    page(facts)
    assert [ax.get_xlabel() for _, ax in drawn] == ["x (cm)", "x (cm)"]
