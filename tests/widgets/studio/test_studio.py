"""Studio: the state of a project at a glance, tabs made when they are opened, one labeler for all."""

import json
import os
import re
import shutil
import signal
from contextlib import closing, contextmanager
from dataclasses import replace

import numpy as np
import pytest
from support.projects import copy_of

from dlcnb import Studio, frames, sampledata
from dlcnb.evaluate import Evaluation, write_details
from dlcnb.files import read_json
from dlcnb.jobs import EventLog, attach
from dlcnb.jobs.job import claim
from dlcnb.labels import LabelStore
from dlcnb.labels.journal import Edit
from dlcnb.labels.migrate import rename_bodypart
from dlcnb.outliers import extract, merge
from dlcnb.poses import Poses
from dlcnb.project import Project, Scale, run_info, set_scale
from dlcnb.run import Run
from dlcnb.trainset import TrainConfig
from dlcnb.video import VideoWriter
from dlcnb.widgets.labeler.labeler import Labeler
from dlcnb.widgets.studio.reading import overview
from dlcnb.widgets.studio.state import STEPS, TABS, Overview

SIZE, FRAMES, LABELED = (96, 128), 30, 6


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    arena = sampledata.Arena(seed=0, n_frames=FRAMES, size=SIZE)
    return sampledata.synthetic_project(tmp_path_factory.mktemp("studio"), n_label=LABELED, arena=arena)


@pytest.fixture
def project(made, tmp_path):
    return copy_of(made, tmp_path)


@pytest.fixture
def empty(tmp_path):
    """A project with a video, and nothing done."""
    with VideoWriter(tmp_path / "m.mp4", SIZE, 30) as writer:
        for value in range(8):
            writer.write(np.full((*SIZE, 3), 20 * value, np.uint8))
    return Project.create("reach", "ada", [tmp_path / "m.mp4"], ["paw"], parent=tmp_path)


def analyzed(project):
    points = np.random.default_rng(0).uniform(5, 90, (FRAMES, len(project.bodyparts), 2))
    poses = Poses(project.bodyparts, "DLC_test", points, np.full(points.shape[:2], 0.9))
    poses.write(project.videos[0])
    return poses


def trained(project):
    run = project.new_run(0.8)
    (run / "snapshot-10.params").touch()
    return run


@contextmanager
def held_from_its_start(line):
    """The worker that a line tells of stands still meanwhile, however soon it would end."""

    def hold(change):
        if "starting" in change.new:
            os.kill(line.follower.job.pid, signal.SIGSTOP)

    line.text.observe(hold, "value")
    try:
        yield
    finally:
        line.text.unobserve(hold, "value")
        os.kill(line.follower.job.pid, signal.SIGCONT)


def analyzed_by(project, run):
    """Poses of the first video by a run, as its name and the note beside them tell."""
    poses = analyzed(project)
    for path in project.videos[0].parent.glob(f"{project.videos[0].stem}DLC_test*"):
        path.unlink()
    run = Run(run)
    run.write_config(TrainConfig(steps=10), project.bodyparts)
    run.sign(10)
    info = run_info(run.folder)
    poses.scorer = f"DLC_EfficientnetLite0_{info['task_date']}shuffle{info['shuffle']}_snapshot_10"
    table, _ = poses.write(project.videos[0])
    note = {"key": {"scorer": poses.scorer, "weights": run.verified(10)}}
    table.with_name(f"{table.stem}_meta.json").write_text(json.dumps(note))


def evaluate(project, run):
    """Write an evaluation of two frames: 1 px off in the one trained on, 3.4 px in the other."""
    labels = np.full((2, len(project.bodyparts), 2), 40.0)
    found = Evaluation(
        project.bodyparts, ("labeled-data/a/img0.png", "labeled-data/a/img1.png"), labels,
        labels + np.array([[[1, 0]], [[0, 3.4]]]), np.full(labels.shape[:2], 0.9), np.array([False, True]),
        0.6, "snapshot-10", 10,
    )  # fmt: skip
    found.write(project.evaluation_dir(run))
    write_details(found, project.evaluation_dir(run))


def label(project, images):
    store = LabelStore(project, project.videos[0].stem)
    store.add_images()
    store.apply([Edit(image, part, (50.0, 60.0)) for image in images for part in project.bodyparts])
    store.save()


@pytest.fixture
def studio(project):
    view = Studio(project)
    yield view
    view.close()


def title(view, n):
    """Of a step, with its state."""
    return view.steps.tabs.get_title(n).replace("\N{NO-BREAK SPACE}", " ")


class TestOverview:
    def test_the_steps_follow_each_other(self, empty):
        assert overview(empty).next_step[0] == "Frames"
        assert overview(empty).summary == "1 video; no frames extracted"
        frames.extract(empty, empty.videos[0], [0, 3, 5])
        assert overview(empty).next_step == ("Label", "label 3 frames")
        label(empty, ["labeled-data/m/img0.png"])
        assert overview(empty).next_step == ("Label", "label 2 more frames")
        assert overview(empty).summary == "1 video; 1 of 3 frames labeled, few to learn from"
        label(empty, ["labeled-data/m/img3.png", "labeled-data/m/img5.png"])
        assert overview(empty).next_step == ("Train", "train 10 minutes")

    def test_a_project_without_videos_says_how_to_add_one(self, empty):
        empty.config["video_sets"].clear()
        found = overview(empty)
        assert found.videos == 0
        assert found.next_step == ("Frames", "add a video to the project")

    @pytest.mark.parametrize("name", ["events.jsonl", "job.json"])
    @pytest.mark.parametrize("kind", ["train", "analyze"])
    def test_a_folder_in_place_of_a_record_of_a_job_keeps_nothing_from_opening(self, empty, kind, name):
        folder = empty.new_run(0.95) if kind == "train" else empty.root / "dlcnb-jobs" / "analyze-1"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "job.json").write_text(f'{{"kind": "{kind}", "project": "", "options": {{}}}}')
        (folder / name).unlink(missing_ok=True)
        (folder / name).mkdir()
        with closing(Studio(empty)) as view:
            for tab in ("Train", "Trajectories", "Evaluate"):
                view.go_to(tab)
            assert view.wait()
            assert view.line.value

    def test_a_missing_video_is_named(self, empty, tmp_path):
        frames.extract(empty, empty.videos[0], [0, 3])
        os.rename(tmp_path / "m.mp4", tmp_path / "moved.mp4")
        found = overview(empty)
        assert (found.videos, found.missing) == (0, ("m.mp4",))
        assert found.next_step == ("Frames", "put m.mp4 back")
        assert found.summary == "missing: m.mp4; 0 of 2 frames labeled"
        assert found.titles["Videos and frames"] == "Videos and frames !"
        assert "missing: m.mp4" in found.captions["Videos and frames"]
        assert replace(found, videos=1, missing=("m.mp4", "n.mp4")).summary.startswith("1 video; missing: 2 videos;")

    def test_after_training_evaluation_and_analysis(self, project):
        assert overview(project).labeled == overview(project).extracted == LABELED
        run = trained(project)
        assert overview(project).next_step[0] == "Evaluate"
        evaluate(project, run)
        assert overview(project).next_step == ("Trajectories", "analyze 1 video")
        analyzed(project)
        found = overview(project)
        assert found.next_step[0] == "Refine"
        assert found.error_px == pytest.approx(3.4)
        assert found.level == "good"
        short = found.verdict.split(";")[0]
        assert found.summary == f"{LABELED} of {LABELED} frames labeled; {short}; 1 video analyzed"

    @pytest.mark.parametrize("data", [b"", b"\xa8\0", b"[1]"])
    def test_a_damaged_evaluation_counts_as_none(self, project, data):
        run = trained(project)
        evaluate(project, run)
        for path in project.evaluation_dir(run).glob("evaluation-*[0-9].json"):
            path.write_bytes(data)
        assert overview(project).error_px is None

    def test_a_bad_network_leads_back_to_more_labels(self):
        bad = Overview(
            videos=1, analyzed=1, extracted=20, labeled=12, trained=1, evaluated=True, level="useless", steps=900
        )  # fmt: skip
        assert bad.next_step == ("Label", "label 8 more frames")
        full = replace(bad, labeled=20, level="poor")
        assert full.next_step[0] == "Frames"
        assert bad.other_step == full.other_step == ("Train", "train 10 minutes")
        for other in ({"level": "usable"}, {"evaluated": False}, {"training": True}):
            assert replace(bad, **other).other_step == ("", "")

    def test_a_bad_network_is_no_dead_end(self):
        bad = Overview(extracted=20, labeled=12, trained=1, evaluated=True, level="poor", verdict="poor: 38 %; label")
        assert bad.summary.endswith("; poor: 38 %; or see its poses: Look\xa0→\xa0Analyze")
        assert bad.brief == "poor: 38 %; or see its poses: Look\xa0→\xa0Analyze"
        assert bad.beside("Evaluate").brief == "network poor; or see its poses: Look\xa0→\xa0Analyze"
        for other in ({"level": "usable"}, {"analyzed": 1}, {"analyzing": True}, {"training": True}):
            assert "see its poses" not in replace(bad, **other).summary

    def test_a_bad_network_that_was_trained_shortly_is_trained_on_first(self):
        short = Overview(videos=1, extracted=60, labeled=55, trained=1, evaluated=True, level="useless", steps=34)
        assert short.next_step == ("Train", "train 10 minutes")
        assert short.other_step == ("Label", "label 5 more frames")
        assert replace(short, steps=2000).next_step == ("Label", "label 5 more frames")
        done = replace(short, extracted=26, labeled=26, steps=168, level="poor")
        assert done.next_step == ("Train", "train 10 minutes")
        assert done.other_step == ("Frames", "choose more frames to label, different ones")
        assert replace(short, labeled=9).next_step == ("Label", "label 51 more frames")  # too few to learn from

    def test_outliers_are_corrected_merged_and_trained_on(self, project):
        trained(project)
        poses = analyzed(project)
        done = extract(project, project.videos[0], poses, [1, 2])
        images = [f"labeled-data/{path.parent.name}/{path.name}" for path in done.images]
        new = [image for image in images if image not in set(_labeled(project))]
        assert overview(project).next_step == ("Label", f"correct {len(new)} outlier frame{'s' * (len(new) > 1)}")
        label(project, new)
        assert overview(project).next_step[0] == "Refine"
        merge(project)
        found = overview(project)
        assert (found.iteration, found.outliers, found.trained) == (1, 0, 0)
        assert found.next_step == ("Train", "train with the corrected frames\xa0…")

    def test_after_a_merge_there_is_no_evaluation_of_the_network_before(self, studio):
        project = studio.project
        evaluate(project, trained(project))
        assert studio.go_to("Evaluate").state.evaluation is not None
        done = extract(project, project.videos[0], analyzed(project), [1, 2])
        label(project, [f"labeled-data/{path.parent.name}/{path.name}" for path in done.images])
        merge(project)
        studio.go_to("Refine")
        assert studio.go_to("Evaluate") is None
        assert "No network of iteration 1 is trained yet" in studio.steps.panes["Evaluate"].children[0].value

    def test_the_way_back_from_a_merge_is_the_number_in_config_yaml(self, studio):
        project = studio.project
        evaluate(project, trained(project))
        done = extract(project, project.videos[0], analyzed(project), [1, 2])
        label(project, [f"labeled-data/{path.parent.name}/{path.name}" for path in done.images])
        queue = studio.go_to("Refine")
        before = {path: path.read_bytes() for path in project.root.rglob("*") if path.is_file()}
        queue.merge.click()
        assert "Back to the network before: iteration: 0 in config.yaml." in queue.said
        config = project.root / "config.yaml"
        changed = [path for path in project.root.rglob("*") if path.is_file() and path.read_bytes() != before.get(path)]
        assert changed == [config]
        assert studio.go_to("Evaluate") is None
        config.write_text(config.read_text().replace("iteration: 1", "iteration: 0"))
        studio.refresh()
        assert studio.go_to("Evaluate").state.evaluation is not None
        assert overview(studio.project).next_step == ("Refine", "merge 2 corrected frames for the next training")

    def test_the_verdict_is_of_the_newest_network(self, project):
        evaluate(project, trained(project))
        assert overview(project).verdict
        (project.new_run(0.8) / "snapshot-1.params").touch()  # stopped at once
        found = overview(project)
        assert (found.level, found.verdict, found.error_px) == ("", "", None)
        assert "trained for 1 step only, not evaluated" in found.summary

    def test_after_a_merge_nothing_is_said_of_the_network_before(self, project):
        evaluate(project, trained(project))
        project.config["iteration"] = 1
        found = overview(project)
        assert (found.level, found.verdict, found.error_px) == ("", "", None)
        assert found.summary.endswith(
            "iteration 1 (round of corrections) has begun: its network will be trained with the corrected frames, too"
        )
        trained(project)
        assert overview(project).summary.endswith("; iteration 1 (round of corrections)")

    def test_where_there_is_little_room_a_round_is_explained_when_it_begins_alone(self):
        begun = Overview(videos=1, extracted=40, labeled=40, iteration=2)
        assert begun.brief == "iteration 2 (round of corrections) has begun"
        worth = "usable: 72 % of the points are within 5 % of the animal's size (9.0 px); correct"
        later = replace(begun, trained=1, evaluated=True, level="usable", verdict=worth)
        assert later.brief == "usable: 72 % of the points within 5 % (9.0 px); iteration 2"
        assert later.summary.endswith("within 5 % of the animal's size (9.0 px); iteration 2 (round of corrections)")

    def test_one_minute_is_one(self):
        found = Overview(videos=1, extracted=2, labeled=2, minutes=1)
        assert found.next_step == ("Train", "train 1 minute")

    def test_poses_of_an_older_network_are_told_and_analyzed_again(self, project):
        first = trained(project)
        evaluate(project, first)
        analyzed_by(project, first)
        found = overview(project)
        assert (found.older, found.titles["Look"], found.next_step[0]) == (0, "Look 1/1", "Refine")
        second = trained(project)
        found = overview(project)
        assert (found.older, found.renew, found.titles["Look"]) == (1, False, "Look 1/1")  # not judged yet
        assert found.summary.endswith("; 1 video analyzed, by an older network")
        assert found.next_step[0] == "Evaluate"
        evaluate(project, second)
        found = overview(project)
        assert found.next_step == ("Trajectories", "analyze 1 video again with the new network")
        assert found.titles["Look"] == "Look !"
        assert "1 of 1 videos analyzed, by an older network" in found.captions["Look"]
        analyzed_by(project, second)
        assert (overview(project).older, overview(project).next_step[0]) == (0, "Refine")

    @pytest.mark.parametrize("level", ["useless", "usable"])
    def test_a_worse_network_is_not_to_analyze_again(self, project, level):
        first = trained(project)
        evaluate(project, first)
        analyzed_by(project, first)
        second = trained(project)
        evaluate(project, second)
        for path in project.evaluation_dir(second).glob("evaluation-*[0-9].json"):
            report = json.loads(path.read_text())
            path.write_text(json.dumps({**report, "verdict": {"level": level, "text": level}}))
        found = overview(project)
        assert (found.older, found.renew, found.titles["Look"]) == (1, False, "Look 1/1")
        assert found.next_step[1] != "analyze 1 video again with the new network"

    @pytest.mark.parametrize(("off", "worse"), [(2.0, False), (4.0, True)])
    def test_a_network_of_larger_errors_is_not_to_analyze_again(self, project, off, worse):
        first, second = trained(project), trained(project)
        for run, px in ((first, 2.0), (second, off)):
            labels = np.random.default_rng(0).uniform(0, 400, (6, len(project.bodyparts), 2))
            images = tuple(f"labeled-data/a/img{n}.png" for n in range(6))
            found = Evaluation(
                project.bodyparts, images, labels, labels + [px, 0], np.ones(labels.shape[:2]), np.ones(6, bool), 0.6,
                "snapshot-10", 10,
            )  # fmt: skip
            found.write(project.evaluation_dir(run))
        analyzed_by(project, first)
        found = overview(project)
        assert (found.level, found.older, found.renew) == ("good", 1, not worse)

    def test_poses_of_other_programs_are_of_no_older_network(self, project):
        evaluate(project, trained(project))
        analyzed(project)
        assert overview(project).older == 0

    def test_with_frames_enough_a_training_is_the_second_way(self):
        found = Overview(videos=1, extracted=20, labeled=12)
        assert found.next_step == ("Label", "label 8 more frames")
        assert found.other_step == ("Train", "train 10 minutes with the 12 labeled")
        for few in ({"labeled": 9}, {"trained": 1, "evaluated": True}, {"training": True}):
            assert replace(found, **few).other_step == ("", "")

    def test_a_paused_training_is_to_go_on(self, project):
        run = trained(project)
        (run / "job.json").write_text('{"kind": "train"}')
        with closing(EventLog(run)) as events:
            events.write("stopped", reason="pause")
        found = overview(project)
        assert found.next_step == ("Train", "go on with the training")
        assert found.other_step == ("Evaluate", "evaluate the network")
        assert "training paused after 10 steps, not evaluated" in found.summary
        asked = replace(found, evaluating=True)  # for by the other button, which is not pressed again
        assert (asked.awaited, asked.other_step) == ("Evaluate", ("", ""))
        trained(project)  # a newer one
        assert overview(project).next_step[0] == "Evaluate"

    @pytest.mark.parametrize("steps", [10, 400])
    def test_a_training_that_was_stopped_after_few_steps_is_to_go_on(self, project, steps):
        run = trained(project)
        (run / f"snapshot-{steps}.params").touch()
        (run / "job.json").write_text('{"kind": "train"}')
        with closing(EventLog(run)) as events:
            events.write("stopped", reason="request")
        found = overview(project)
        assert found.next_step[0] == ("Train" if steps == 10 else "Evaluate")
        assert found.other_step[0] == ("Evaluate" if steps == 10 else "")
        assert ("training stopped after 10 steps" in found.summary) == (steps == 10)

    def test_steps_of_the_network_that_a_run_goes_on_from_count(self, project):
        first = trained(project)
        (first / "snapshot-246.params").touch()
        second = trained(project)
        for begin, steps in ((first, 256), (first / "snapshot-10.params", 20), ("imagenet", 10), (first / "gone", 10)):
            (second / "pose_cfg.yaml").write_text(f"began_from: {begin}\n")
            assert overview(project).steps == steps
        (second / "pose_cfg.yaml").write_text(f"began_from: {first}\n")
        assert overview(project).doubt == ""

    def test_training_that_is_under_way_is_waited_for(self):
        found = Overview(videos=1, extracted=2, labeled=2, training=True)
        assert found.next_step == ("Train", "wait for the training")
        assert found.awaited == "Train"

    @pytest.mark.parametrize(
        ("before", "under_way"),
        [
            ({"videos": 1}, {"at_work": "Frames"}),
            ({"videos": 1, "extracted": 2, "labeled": 2, "trained": 1}, {"evaluating": True}),
            ({"videos": 1, "extracted": 2, "labeled": 2, "trained": 1, "evaluated": True}, {"analyzing": True}),
            (
                {"videos": 1, "extracted": 2, "labeled": 2, "trained": 1, "evaluated": True, "analyzed": 1},
                {"at_work": "Refine"},
            ),
        ],
        ids=["frames", "evaluation", "analysis", "outliers"],
    )
    def test_what_is_under_way_is_never_asked_for(self, before, under_way):
        wanted = Overview(**before)
        found = replace(wanted, **under_way)
        assert wanted.awaited == ""
        assert found.awaited == found.next_step[0] == wanted.next_step[0]
        assert found.next_step[1].startswith("wait for")

    def test_labels_that_a_network_does_not_know_ask_for_another_training(self, project):
        found = Overview(videos=1, extracted=26, labeled=26, trained=1, steps=900)
        assert replace(found, since=4).next_step[1] == "evaluate the network"
        anew = replace(found, since=12)
        assert anew.next_step == ("Train", "train anew with 12 more frames")
        assert anew.other_step[0] == "Evaluate"
        bad = replace(anew, evaluated=True, level="poor", verdict="poor: 20 px off")
        assert bad.next_step == anew.next_step
        assert replace(bad, training=True).awaited == "Train"
        run = trained(project)
        assert overview(project).since == 0  # it does not say which it has
        names = [f"labeled-data/arena/{path.name}" for path in sorted(project.labeled_dirs()[0].glob("img*.png"))]
        Run(run).write_split({"train": names[:2], "validation": names[2:3], "test": names[3:4]})
        assert overview(project).since == LABELED - 4

    def test_frames_that_no_training_takes_ask_for_none(self, project):
        run = trained(project)
        store = LabelStore(project, "arena")
        _, empty, gone, *others = store.images
        Run(run).write_split({"train": others, "validation": [], "test": []})
        assert overview(project).since == 3
        store.apply([Edit(empty, part, None, False, "hand") for part in project.bodyparts])
        store.save()
        (project.root / gone).unlink()
        assert overview(project).labeled == LABELED
        assert overview(project).since == 1  # the first alone: the second shows nothing, the third can't be read

    def test_what_else_is_under_way_keeps_nobody_from_the_next_step(self):
        found = Overview(videos=1, extracted=4, labeled=2, trained=0, analyzing=True, evaluating=True)
        assert found.next_step == ("Label", "label 2 more frames")
        assert found.awaited == ""

    def test_a_network_of_no_use_leaves_its_step_undone(self):
        done = Overview(videos=1, extracted=20, labeled=20, trained=1, steps=900)
        assert done.titles["Train"] == "Train ✓"
        shortly = replace(done, steps=5)
        useless = replace(done, steps=5, evaluated=True, level="useless", verdict="useless: 80 px off; label more")
        for doubtful, why in ((shortly, "trained for 5 steps only"), (useless, "useless: 80 px off")):
            assert doubtful.titles["Train"] == "Train !"
            assert why in doubtful.captions["Train"]
            assert why in doubtful.summary
        assert replace(useless, level="usable", verdict="usable: 80 %").titles["Train"] == "Train ✓"
        assert replace(useless, training=True).titles["Train"] == "Train …"

    def test_every_step_is_a_tab(self, empty):
        assert overview(empty).next_step[0] in TABS


def _labeled(project):
    store = LabelStore(project, project.videos[0].stem)
    return [i for i, state in zip(store.images, store.states, strict=True) if state == "done"]


def told(studio):
    """What the line on top says, without its tooltip."""
    return re.sub(r'title="[^"]*"', "", studio.line.value)


class TestStudio:
    def test_only_the_tab_of_the_next_step_is_made_at_first(self, studio):
        assert studio.tab == "Train"
        assert list(studio.widgets) == ["Train"]
        assert f"{LABELED} of {LABELED} frames labeled" in studio.line.value

    def test_the_line_on_top_leaves_the_verdict_to_the_page_that_tells_it(self, studio):
        run = trained(studio.project)
        evaluate(studio.project, run)
        analyzed_by(studio.project, run)
        studio.refresh()
        assert studio.wait()
        verdict = "3.4 px off on average"
        for level, tabs in (("good", ["Evaluate"]), ("poor", ["Evaluate", "Trajectories", "Refine"])):
            for path in studio.project.evaluation_dir(run).glob("evaluation-*[0-9].json"):
                text = f"{level}, a guess from 1 test frame: {verdict}"
                path.write_text(json.dumps({**json.loads(path.read_text()), "verdict": {"level": level, "text": text}}))
            studio.look()
            assert studio.wait()
            for tab in ("Evaluate", "Trajectories", "Zones", "Refine"):
                studio.go_to(tab)
                assert f"{level}, a guess from 1 test frame" in told(studio)
                assert (verdict in told(studio)) == (tab not in tabs)
                assert verdict in studio.line.value  # the tooltip has all of it
        for view, box in (("Trajectories", "controls"), ("Refine", "")):  # and so has the page
            made = studio.widgets[view]
            assert verdict in (getattr(made, box) if box else made).caution.value

    def test_it_reaches_the_page(self, studio):
        assert studio.comm is not None  # none of ipywidgets' own methods is overridden by one of ours

    @pytest.mark.parametrize("tab", TABS)
    def test_every_tab_opens_on_an_empty_project(self, empty, tab):
        view = Studio(empty)
        view.go_to(tab)
        assert view.tab == tab
        assert view.steps.panes[tab].children
        assert "dlcnb-error" not in view.status_line.value
        view.close()

    @pytest.mark.parametrize("tab", TABS)
    def test_every_tab_opens_on_a_project_under_way(self, studio, tab):
        analyzed(studio.project)
        trained(studio.project)
        assert studio.go_to(tab) is studio.widgets[tab]
        assert studio.snapshot().width >= 640

    def test_a_tab_that_had_nothing_to_show_is_tried_again(self, empty):
        view = Studio(empty)
        assert view.go_to("Label") is None
        assert "no frames to label" in view.steps.panes["Label"].children[0].value
        view.go_to("Frames")
        frames.extract(empty, empty.videos[0], [0])
        assert isinstance(view.go_to("Label"), Labeler)
        view.close()

    def test_frames_that_are_picked_are_extracted_by_the_button_on_top(self, empty):
        view = Studio(empty)
        picker = view.widgets["Frames"]
        picker.state.pick(2)
        picker.state.pick(5)
        assert view.wait()
        assert view.next_button.description == "Extract 2 frames"
        view.next_button.click()
        assert picker.wait()
        assert view.wait()
        assert overview(empty).extracted == 2
        assert view.next_button.description == "Label 2 frames"
        view.close()

    def test_what_is_under_way_has_one_word_and_number_everywhere(self, empty):
        with closing(Studio(empty)) as view:
            picker = view.widgets["Frames"]
            picker.state.task = "extracting"
            assert view.wait()
            for progress, said in ((0.3, "Writing images: 30%"), (0.7, "Writing images: 70%")):
                picker.state.progress = progress
                assert picker._painter.wait(10)
                assert said in view.line.value
                assert said in picker.controls.words.value
                assert said in view.activity._lines["Frames"].text.value

    def test_what_had_nothing_to_show_is_filled_when_there_is_something(self, empty):
        view = Studio(empty)
        view.go_to("Label")
        frames.extract(empty, empty.videos[0], [0])
        view.look()
        assert view.wait()
        assert isinstance(view.steps.panes["Label"].children[0], Labeler)
        view.close()

    def test_a_frame_of_the_queue_is_offered_and_corrected(self, studio):
        analyzed(studio.project)
        view = studio.go_to("Trajectories")
        view.go_to(9)
        view._on_input({"type": "key", "key": "q"})
        assert studio.lines.offer_button.description == "Extract frame 9"
        view.go_to(11)
        view._on_input({"type": "key", "key": "q"})
        assert studio.lines.offer_button.description == "Extract frame 11 and 1 more"
        view.go_to(9)
        view._on_input({"type": "key", "key": "q"})
        studio.lines.offer_button.click()
        assert studio.widgets["Refine"].wait()
        assert set(studio.widgets["Refine"].state.images) >= {9, 11}
        assert studio.tab == "Label"
        assert studio.widgets["Label"].session.cursor.image == studio.widgets["Refine"].state.images[9]
        assert studio.lines.offer_button.layout.display == "none"

    def test_the_labeler_sees_frames_extracted_since(self, studio):
        labeler = studio.go_to("Label")
        studio.go_to("Frames")
        before = len(labeler.session.images)
        frames.extract(studio.project, studio.project.videos[0], [1, 2, 3, 4, 5, 6, 7])
        studio.go_to("Label")
        assert len(labeler.session.images) > before

    def test_a_frame_of_another_tab_opens_in_the_one_labeler(self, studio):
        review = studio.go_to("Check")
        assert "Label" not in studio.widgets
        image = _labeled(studio.project)[2]
        review.labeler.go_to(image)
        assert studio.tab == "Label"
        assert studio.widgets["Label"].session.cursor.image == image
        assert studio.steps.panes["Label"].children == (studio.widgets["Label"],)

    def test_the_loop_from_a_frame_to_its_label(self, studio):
        analyzed(studio.project)
        view = studio.go_to("Trajectories")
        view.go_to(9)
        view.send()
        queue = studio.go_to("Refine")
        assert queue.state.frames == (9,)
        assert queue in studio.steps.panes["Refine"].children
        queue.extract_frames()
        assert queue.wait()
        queue._open(9)
        assert studio.tab == "Label"
        assert studio.widgets["Label"].session.cursor.image == queue.state.images[9]

    def test_a_scale_and_zones_made_meanwhile_are_seen_in_the_trajectories(self, studio):
        analyzed(studio.project)
        view = studio.go_to("Trajectories")
        view.zones.open_button.value = True
        assert view.wait()
        assert view.controls.length.disabled
        editor = studio.go_to("Zones")
        editor.act("preset", "quadrants")
        set_scale(studio.project, Scale.by_number(4.0), editor.video)
        editor.refresh()
        assert studio.go_to("Trajectories") is view
        assert view.wait()
        assert not view.controls.length.disabled
        assert editor.state.zones[0].name in view.zones.table.value
        view.controls.length.value = "cm"
        assert view.wait()
        assert "distance (cm)" in view.zones.table.value

    def test_the_zones_have_a_button_to_their_table(self, studio):
        analyzed(studio.project)
        editor = studio.go_to("Zones")
        editor.act("preset", "quadrants")
        editor.controls.times.click()
        assert studio.tab == "Trajectories"
        view = studio.widgets["Trajectories"]
        assert view.wait()
        assert view.zones.opened
        assert editor.state.zones[0].name in view.zones.table.value
        assert view.input.reveal  # until a page has scrolled there

    def test_a_pcutoff_kept_in_the_evaluation_is_that_of_the_trajectories(self, studio):
        evaluate(studio.project, trained(studio.project))
        analyzed(studio.project)
        shown = studio.go_to("Trajectories")
        view = studio.go_to("Evaluate")
        view.state.pcutoff = 0.25
        studio.go_to("Trajectories")
        assert studio.go_to("Evaluate").state.pcutoff == 0.25  # moved here, and nowhere else
        assert shown.state.pcutoff == studio.project.pcutoff != 0.25
        view.controls.keep.click()
        assert shown.state.pcutoff == 0.25

    def test_the_next_button_opens_its_tab(self, studio):
        evaluate(studio.project, trained(studio.project))
        analyzed(studio.project)
        studio.go_to("Bodyparts")
        assert studio.wait()
        assert studio.next_button.description == "Look for frames that the network got wrong"
        studio.next_button.click()
        assert studio.tab == "Refine"

    def test_the_frame_that_the_network_got_wrong_is_opened(self, project):
        poses, before = analyzed(project), set(_labeled(project))
        done = extract(project, project.videos[0], poses, range(FRAMES - 4, FRAMES))
        images = [f"labeled-data/{path.parent.name}/{path.name}" for path in done.images]
        first, second = [image for image in images if image not in before][:2]
        view = Studio(project)
        session = view.go_to("Label").session
        for tab in ("Label", "Refine"):
            session.go_to(min(before))
            view.go_to(tab)
            view.next_button.click()
            assert (view.tab, session.cursor.image) == ("Label", first)
        session.go_to(second)
        view.next_button.click()
        assert session.cursor.image == second  # one of them already
        label(project, [first])
        session.go_to(first)
        view.refresh()
        assert view.wait()
        view.next_button.click()
        assert session.cursor.image == second
        view.close()

    def test_the_button_says_how_long_it_trains(self, studio):
        assert studio.next_button.description == "Train 10 minutes"
        settings = studio.widgets["Train"].settings
        settings.minutes = 3
        assert studio.wait()
        assert studio.next_button.description == "Train 3 minutes"
        settings.minutes = 0
        assert studio.wait()
        assert studio.next_button.description == "Train a network"

    def test_opened_again_it_offers_the_minutes_that_were_asked_for_last(self, project):
        trained(project)
        run = Run(project.last_run())
        run.write_config(TrainConfig(minutes=3), project.bodyparts)
        assert overview(project).minutes == 3
        view = Studio(project)
        view.go_to("Train")
        assert view.widgets["Train"].form.fields["minutes"].value == 3
        view.close()

    def test_after_a_merge_the_choice_of_what_to_begin_with_is_seen_before_the_training(self, project):
        trained(project)
        project.config["iteration"] = 1
        project.save()
        with closing(Studio(Project.open(project.root))) as view:
            view.go_to("Label")
            assert view.next_button.description == "Train with the corrected frames\xa0…"
            view.next_button.click()
            assert view.tab == "Train"
            monitor = view.widgets["Train"]
            assert monitor.job is None
            assert "trains a new network from the beginning" in view.status_line.value
            assert monitor.offer.layout.display is None
            assert "Go on from the network of iteration 0" in monitor.offer.box.description

    def test_instead_of_labeling_a_bad_network_is_trained_on(self, project, studio):
        run = trained(project)
        bad = replace(studio.overview, extracted=20, trained=1, evaluated=True, level="poor")
        studio.overview = bad
        studio.lines.show(studio.project, bad, "Evaluate")
        assert studio.lines.other_button.layout.display is None
        assert studio.lines.other_button.description == "Or train 10 minutes"
        studio.lines.other_button.click()
        monitor = studio.widgets["Train"]
        assert studio.tab == "Train"
        assert monitor.job is not None, monitor.status_line.value
        monitor.job.stop()
        asked = read_json(monitor.job.folder / "job.json")["options"]["config"]
        assert (asked["start_from"], asked["minutes"]) == (str(run), 10)
        monitor.wait(300)

    def test_the_next_button_does_what_it_says(self, studio):
        trained(studio.project)  # by a snapshot that can't be read
        studio.refresh()
        assert studio.wait()
        assert studio.next_button.description == "Evaluate the network"
        line = studio.activity.job_line("evaluate")
        with held_from_its_start(line):
            studio.next_button.click()
            assert studio.tab == "Evaluate"
            assert line.running
            assert studio.wait()
            assert "Evaluating: starting" in studio.line.value  # and it is asked for no more
            assert studio.next_button.layout.display == "none"
            assert title(studio, 3) == "Evaluate …"
            assert "press Evaluate" not in studio.widgets["Evaluate"].empty.value
        studio.widgets["Evaluate"].wait(300)
        line.follower.wait(300)
        assert "Evaluating: failed" in line.text.value
        assert studio.wait()
        assert studio.next_button.description == "Evaluate the network"
        assert "dlcnb-error" in studio.status_line.value

    def test_a_missing_video_is_told_with_a_cure_that_works(self, empty, tmp_path):
        there, moved = tmp_path / "m.mp4", tmp_path / "moved" / "m.mp4"
        moved.parent.mkdir()
        os.rename(there, moved)
        words = f"The video {there} is missing: put it back, or choose it where it is now (Add videos, in the step"
        with closing(Studio(empty)) as view:
            assert view.next_button.description == "Put m.mp4 back"
            assert words in view.adding.missing.value
            for tab in ("Trajectories", "Zones"):
                view.go_to(tab)
                assert words in view.steps.panes[tab].children[-1].value
            view.next_button.click()
            assert view.tab == "Frames"
            assert words in view.status_line.value
            view.adding.chooser.choose(moved)
            view.adding.add()
            view.adding.task.wait()
            assert view.wait()
            assert view.overview.missing == ()
            assert view.adding.missing.value == ""
            assert "Frames" in view.widgets

    def test_a_missing_video_among_others_is_told_above_the_frames(self, empty, tmp_path):
        shutil.copy(tmp_path / "m.mp4", tmp_path / "n.mp4")
        empty.add_videos([tmp_path / "n.mp4"])
        os.rename(tmp_path / "n.mp4", tmp_path / "moved.mp4")
        with closing(Studio(empty)) as view:
            assert "n.mp4 is missing" in view.adding.missing.value
            os.rename(tmp_path / "moved.mp4", tmp_path / "n.mp4")
            view.refresh()
            assert view.adding.missing.value == ""

    @pytest.mark.parametrize("tab", ["Evaluate", "Trajectories"])
    def test_the_next_button_analyzes_where_nothing_was_analyzed_before(self, project, tab):
        evaluate(project, trained(project))  # of a snapshot that can't be read
        with closing(Studio(project)) as view:
            view.go_to(tab)
            assert view.wait()
            assert view.next_button.description == "Analyze 1 video"
            view.next_button.click()
            assert view.tab == "Trajectories"
            assert view.bar.job is not None
            assert read_json(view.bar.job.folder / "job.json")["options"]["videos"] == [str(project.videos[0])]
            assert view.bar.wait(300)

    def test_the_next_button_says_why_its_tab_has_nothing(self, project):
        with closing(Studio(project)) as view:
            view.overview = replace(view.overview, trained=1)  # which is gone since
            view.do_next()
            assert view.tab == "Evaluate"
            assert "No network is trained yet" in view.status_line.value

    def test_the_steps_tell_their_state(self, studio):
        titles = [title(studio, n) for n in range(len(STEPS))]
        done = f"{LABELED}/{LABELED}"
        assert titles == ["Videos and frames ✓", f"Label {done}", "Train", "Evaluate", "Look", "Refine"]
        trained(studio.project)
        studio.refresh()
        assert studio.wait()
        assert title(studio, 2) == "Train !"
        assert "trained for 10 steps only" in studio.guard.captions[2]
        evaluate(studio.project, studio.project.last_run())
        studio.refresh()
        assert studio.wait()
        assert [title(studio, n) for n in (2, 3)] == ["Train ✓", "Evaluate ✓"]

    def test_a_tab_chosen_by_hand_is_filled(self, studio):
        studio.steps.tabs.selected_index = 1
        assert studio.tab == "Label"
        assert "Label" in studio.widgets
        studio.steps.gear.value = True
        assert studio.tab == "Bodyparts"
        assert studio.steps.tabs.layout.display == "none"
        studio.steps.gear.value = False
        assert studio.tab == "Label"

    def test_labels_are_checked_inside_their_step(self, studio):
        studio.go_to("Check")
        assert studio.steps.tabs.selected_index == 1
        assert studio.steps.panes["Label"].layout.display == "none"
        studio.go_to("Label")
        assert studio.steps.panes["Check"].layout.display == "none"

    def test_what_a_widget_tells_is_seen_at_the_bottom(self, studio):
        studio.go_to("Train").tell("no labels", "error")
        assert "no labels" in studio.status_line.value
        assert studio.widgets["Train"].status_line.layout.display == "none"

    def test_where_the_project_is_stands_at_the_bottom(self, studio):
        assert studio.project.root.name in studio.lines.folder.value

    def test_an_error_goes_when_what_it_complains_of_is_gone(self, studio):
        run = studio.project.new_run(0.8)
        studio.go_to("Evaluate").evaluate()
        assert "There is no network yet" in studio.status_line.value
        studio.look()
        assert studio.wait()
        assert "There is no network yet" in studio.status_line.value
        (run / "snapshot-10.params").touch()
        studio.look()
        assert studio.wait()
        assert studio.status_line.value == ""

    def test_an_error_of_one_tab_is_not_taken_back_by_another(self, studio):
        first, second = studio.go_to("Train"), studio.bar
        second.tell("stopped")
        first.tell("no labels", "error")
        second.tell("")
        assert "no labels" in studio.status_line.value

    def test_an_error_that_comes_again_is_told_again(self, studio):
        studio.project.new_run(0.8)
        view = studio.go_to("Evaluate")
        for _ in range(2):
            view.evaluate()
            assert "There is no network yet" in studio.status_line.value
            studio.go_to("Label")
            assert studio.status_line.value == ""
            studio.go_to("Evaluate")

    def test_why_a_training_failed_is_told_again_in_its_tab(self, studio):
        state = studio.go_to("Train").state
        state.status, state.message = "failed", "the loss became infinite"
        assert "infinite" in studio.status_line.value
        studio.go_to("Label")
        assert "infinite" not in studio.status_line.value
        studio.go_to("Train")
        assert "infinite" in studio.status_line.value

    def test_a_project_that_is_deleted_meanwhile_is_told_wherever_one_works(self, studio):
        studio.go_to("Label")
        shutil.rmtree(studio.project.root)
        told: list[str] = []
        studio.status_line.observe(lambda change: told.append(change.new), "value")
        for act in (studio.widgets["Label"].refresh, lambda: studio.go_to("Train"), studio.do_next):
            studio.tell("")
            act()
            assert "is gone" in studio.status_line.value
            assert "house" in studio.status_line.value
        assert all("is gone" in line for line in told if line)  # not even for a moment something else
        studio.leave()
        assert studio.door is not None

    def test_the_line_on_top_follows_the_labels(self, studio):
        frames.extract(studio.project, studio.project.videos[0], [1, 2, 3, 4, 5, 6, 7])
        labeler = studio.go_to("Label")
        assert studio.wait()
        labels = f"{LABELED} of {len(labeler.session.images)} frames labeled"
        assert labels in studio.line.value
        labeler.session.go_to_state("new")
        labeler.session.finish(sure=True)
        assert labeler.wait()
        assert studio.wait()
        assert f"{LABELED + 1} of {len(labeler.session.images)} frames" in studio.line.value

    def test_the_first_frame_says_what_to_do_and_nothing_is_to_be_pressed_on_top(self, studio):
        for table in studio.project.labeled_dirs()[0].glob("CollectedData*"):
            table.unlink()
        with closing(Studio(studio.project)) as view:
            assert view.tab == "Label"
            assert "Click on snout and then on leftear" in view.status_line.value
            assert view.next_button.layout.display == "none"
            view.go_to("Train")
            assert view.next_button.layout.display is None
            assert view.next_button.description == f"Label {LABELED} frames"

    def test_other_bodyparts_open_everything_anew(self, studio):
        labeler = studio.go_to("Label")
        other = Project.open(studio.project.root)
        other.config["iteration"] = 3
        other.save()
        studio.go_to("Train")
        assert studio.project.iteration == 3
        assert "Label" not in studio.widgets
        assert studio.go_to("Label") is not labeler

    def test_an_unknown_tab_is_refused(self, studio):
        assert studio.go_to("Lable") is None
        assert "There is no tab" in studio.status_line.value

    def test_closing_it_closes_all(self, project):
        view = Studio(project)
        labeler = view.go_to("Label")
        view.close()
        assert labeler.comm is None
        assert not view.widgets


class TestTwoAtOnce:
    """Two people, or two tabs, with the same project open."""

    @pytest.fixture
    def second(self, studio):
        view = Studio(studio.project.root)
        yield view
        view.close()

    def test_what_one_labels_the_other_shows(self, studio, second):
        first = studio.go_to("Label")
        other = second.go_to("Label")
        image, part = first.session.images[0], studio.project.bodyparts[0]
        for labeler in (first, other):
            labeler.go_to(image)
        first.session.place((11.0, 12.0), part)
        assert first.wait()
        other.refresh()
        np.testing.assert_allclose(other.session.points(image)[0], (11.0, 12.0))
        other.session.place((21.0, 22.0), part)
        assert other.wait()
        first.refresh()
        np.testing.assert_allclose(first.session.points(image)[0], (21.0, 22.0))

    def test_what_one_labels_the_other_counts(self, studio, second):
        frames.extract(studio.project, studio.project.videos[0], [1, 2])
        first, other = studio.go_to("Label"), second.go_to("Label")
        assert second.wait()
        assert f"{LABELED} of {LABELED + 2} frames" in second.line.value
        first.session.go_to_state("new")
        first.session.finish(sure=True)
        assert first.wait()
        other.refresh()
        assert second.wait()
        assert f"{LABELED + 1} of {LABELED + 2} frames" in second.line.value
        assert "changed elsewhere" in second.status_line.value

    def test_closing_one_leaves_the_other_at_work(self, studio, second):
        labeler = studio.go_to("Label")
        second.go_to("Label")
        second.close()
        labeler.session.go_to_state("new")
        studio.go_to("Train")
        assert studio.go_to("Label") is labeler

    def test_bodyparts_that_one_renames_reach_the_other(self, studio, second):
        second.go_to("Label")
        rename_bodypart(studio.project, studio.project.bodyparts[0], "nose")
        assert second.go_to("Label").session.bodyparts[0] == "nose"


def training(project, run, progress=0.12):
    """A run that is under way, by this process."""
    (run / "job.json").write_text('{"kind": "train", "project": "", "options": {}}')
    claim(run, os.getpid(), 0)
    log = EventLog(run)
    log.step("step", step=10, progress=progress)
    return log


class TestAnalysis:
    def test_a_training_that_ends_is_no_longer_said_to_run(self, studio):
        run = trained(studio.project)
        analyzed(studio.project)
        with closing(training(studio.project, run)) as log:
            studio.go_to("Trajectories")
            assert studio.wait()
            assert "training still runs" in studio.bar.note.value
            log.write("done")
            studio.look()  # as the line at the bottom has it do
            assert studio.wait()
            assert "training still runs" not in studio.bar.note.value

    def test_while_a_network_is_trained_it_asks_first(self, studio):
        run = trained(studio.project)
        with closing(training(studio.project, run)) as log:
            studio.refresh()
            assert studio.wait()
            studio.go_to("Trajectories")
            bar = studio.bar
            assert "The training still runs: wait" in studio.steps.panes["Trajectories"].children[-1].value
            assert "training still runs" in bar.note.value
            assert bar.start_button.button_style == ""  # it invites to nothing
            bar.start_button.click()
            assert not bar.busy
            assert "Training still runs (12%): analyze with the network so far?" in studio.status_line.value
            assert (bar.start_button.description, bar.start_button.button_style) == ("Analyze anyway?", "warning")
            log.write("done", result={})
            studio.look()
            assert studio.wait()
            assert bar.start_button.description == "Analyze"  # there is nothing to ask any more
            assert "Training still runs" not in studio.status_line.value

    def test_the_second_press_analyzes_though_a_network_is_trained(self, studio):
        with closing(training(studio.project, trained(studio.project))):
            studio.go_to("Trajectories")
            studio.bar.start_button.click()
            studio.bar.start_button.click()
            assert studio.bar.job.kind == "analyze"
            studio.bar.wait(300)

    def test_times_in_zones_without_poses_stay_there_and_offer_the_analysis(self, studio):
        zones = studio.go_to("Zones")
        times = zones.controls.times
        assert times.disabled
        assert "need an analysis of this video: train a network first" in zones.controls.why_no_times.value
        assert times.tooltip == "Times in zones need an analysis of this video: train a network first."
        trained(studio.project)
        studio.refresh()
        assert studio.wait()
        assert not times.disabled
        assert times.description == "Analyze this video"
        assert "need an analysis of this video first" in zones.controls.why_no_times.value
        times.click()  # by a snapshot that can't be read
        assert studio.tab == "Zones"
        assert studio.bar.job.kind == "analyze"
        studio.bar.wait(300)
        analyzed(studio.project)
        studio.look()
        assert studio.wait()
        assert times.description == "Time in zones\xa0…"
        assert zones.controls.why_no_times.layout.display == "none"
        times.click()
        assert studio.tab == "Trajectories"

    def test_times_in_zones_ask_first_while_a_network_is_trained(self, studio):
        with closing(training(studio.project, trained(studio.project))):
            zones = studio.go_to("Zones")
            zones.controls.times.click()
            assert not studio.bar.busy
            assert zones.controls.times.description == "Analyze anyway?"
            assert "Training still runs (12%)" in studio.status_line.value

    def test_without_a_network_it_can_not_be_started(self, studio):
        studio.go_to("Trajectories")
        assert studio.bar.start_button.disabled
        assert "train a network first" in studio.bar.note.value
        assert studio.bar.start_button.tooltip == "train a network first"
        analyzed(studio.project)  # by a network of an iteration before, which is merged
        studio.bar.refresh()
        assert "DLC_test" in studio.go_to("Trajectories").choice.tables.label  # there, and nowhere else
        assert "DLC_test" not in studio.bar.note.value
        assert studio.bar.start_button.tooltip == "train a network first"
        assert "train a network first" in studio.bar.note.value
        studio.project.config["iteration"] = 1
        studio.bar.refresh()
        assert re.sub("<.*?>", "", studio.bar.note.value) == "train a network of iteration 1 first"
        studio.project.save()
        studio.go_to("Evaluate")
        assert "No network of iteration 1 is trained yet" in studio.steps.panes["Evaluate"].children[-1].value

    def test_one_that_was_started_elsewhere_is_followed(self, studio):
        studio.go_to("Trajectories")
        folder = studio.project.root / "dlcnb-jobs" / "analyze-1"
        folder.mkdir(parents=True)
        (folder / "job.json").write_text('{"kind": "analyze", "project": "", "options": {}}')
        claim(folder, os.getpid(), 0)
        studio.refresh()
        assert studio.wait()
        assert studio.bar.busy
        assert studio.activity.words("analyze") == "Analyzing: starting …"
        assert "An analysis is under way" in studio.steps.panes["Trajectories"].children[-1].value
        with closing(EventLog(folder)) as log:
            log.write("done", result={"videos": []})
        studio.bar.follower.look()
        assert not studio.bar.busy
        assert studio.wait()
        assert "This video has no poses yet" in studio.steps.panes["Trajectories"].children[-1].value

    def test_poses_of_an_older_network_are_named_by_the_bar(self, project):
        first = trained(project)
        evaluate(project, first)
        analyzed_by(project, first)
        with closing(Studio(project)) as view:
            assert "older network" not in view.bar.note.value
            evaluate(project, trained(project))
            view.refresh()
            view.bar.refresh()
            assert "by an older network" in view.bar.note.value
            assert view.bar.start_button.description == "Analyze again"
            assert view.bar.start_button.button_style == "primary"
            assert "an older one, the network of shuffle 1 of iteration 0 (step 10)" in view.bar.start_button.tooltip
            assert view.bar.open_videos == project.videos

    @pytest.mark.parametrize(
        ("done", "words"),
        [
            (512, "512 of 2330 frames of m.mp4 are kept"),
            (0, "nothing of m.mp4 is kept, as its first part was not done"),
        ],
    )
    def test_a_stopped_analysis_is_told_in_one_wording(self, studio, tmp_path, done, words):
        trained(studio.project)
        analyzed(studio.project)
        folder = tmp_path / "job"
        folder.mkdir()
        (folder / "job.json").write_text('{"kind": "analyze"}')
        with closing(EventLog(folder)) as events:
            events.step("progress", done=260, total=2330, seconds_left=9.0, video="m.mp4")
            events.step("progress", done=done, total=2330, seconds_left=9.0, video="m.mp4")
            events.write("stopped", reason="request", result={"videos": []})
        job = attach(folder)
        studio.bar.follower.follow(job)
        line = studio.activity.job_line("analyze")
        line.follow(job)
        studio.bar.wait(60)
        line.follower.wait(60)
        assert f"The analysis was stopped: {words}; Analyze again goes on." in studio.bar.status_line.value
        assert f"stopped, {words}" in line.text.value

    def test_an_analysis_that_fails_says_so(self, studio):
        trained(studio.project)
        studio.go_to("Trajectories")
        assert not studio.bar.start_button.disabled
        told = []
        studio.bar.status_line.observe(lambda change: told.append(change.new), "value")
        studio.bar.start()
        assert "starting the network" in told[0]
        assert studio.bar.wait(300)
        assert "dlcnb-error" in studio.bar.status_line.value
        assert studio.bar.poses is None
