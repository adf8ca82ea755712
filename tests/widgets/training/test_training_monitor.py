"""The monitor on recorded and on growing runs; no browser, no training."""

import os
import re
import subprocess
import sys

import numpy as np
import pytest
from markupsafe import Markup
from support.waiting import until

from dlcnb import jobs
from dlcnb.jobs.job import claim
from dlcnb.labels import Labels
from dlcnb.project import Project
from dlcnb.run import Run
from dlcnb.trainset import TrainConfig
from dlcnb.video import VideoWriter
from dlcnb.widgets import TrainingMonitor
from dlcnb.widgets.training import monitor as training_monitor
from dlcnb.widgets.training.curves import POINTS, TrainingCurves
from dlcnb.widgets.training.state import TrainingState


@pytest.fixture
def project(tmp_path):
    with VideoWriter(tmp_path / "mouse.mp4", (48, 64), 25) as video:
        for value in range(5):
            video.write(np.full((48, 64, 3), 40 * value, np.uint8))
    return Project.create("reach", "ada", [tmp_path / "mouse.mp4"], ["paw", "nose"], parent=tmp_path)


@pytest.fixture
def run(project):
    """A run folder whose worker is this process."""
    folder = project.new_run(0.8)
    (folder / "job.json").write_text('{"kind": "train", "project": "", "options": {}}')
    claim(folder, os.getpid(), 0)
    return folder


@pytest.fixture
def log(run):
    events = jobs.EventLog(run, steps_per_second=1e9)
    yield events
    events.close()


def write_steps(log, steps, total=1000):
    for step in steps:
        checked = step % 100 == 0
        log.step(
            step=step,
            seconds=step / 5,
            loss=1 / step,
            part_loss=0.9 / step,
            locref_loss=0.1 / step,
            learning_rate=1e-3,
            progress=step / total,
            seconds_left=(total - step) / 5,
            validation={"mean_px": 500 / step, "rms_px": 600 / step, "median_px": 400 / step, "n": 9}
            if checked
            else None,
            snapshot=f"snapshot-{step}" if checked else None,
            best={"step": step, "val_mean_px": 500 / step} if checked else None,
            rss_mb=812.5,
        )


def end_after_ten_steps(log, run, how, **more):
    log.write("start")
    write_steps(log, range(1, 11))
    (run / "snapshot-10.params").touch()
    log.write(how, **more)


def label(project, frames, scorer="ada", x=10.0):
    """Every bodypart of so many frames, at ``(x, 10)``."""
    folder = project.labeled_dir("mouse")
    folder.mkdir(exist_ok=True)
    images = tuple(f"labeled-data/mouse/img{n:02d}.png" for n in range(frames))
    Labels(("paw", "nose"), scorer, images, np.full((frames, 2, 2), (x, 10.0))).write(folder)


def test_a_training_that_ended_without_a_validation_promises_none():
    state, curves = TrainingState(), TrainingCurves()
    texts = []
    for status, step in (("idle", 0), ("running", 5), ("done", 5)):
        state.status, state.step = status, step
        curves.show(state)
        texts.append(curves._error_plot._empty.value)
    assert "No validation yet" in texts[0]
    assert "with the first validation" in texts[1]
    assert "Nothing was validated" in texts[2]


@pytest.mark.parametrize(
    "bad",
    [
        {"event": "step", "step": "many"},
        {"event": "step"},
        {"event": "step", "step": 7, "validation": 3},
        {"event": "step", "step": 7, "best": {"step": None}},
        {"event": "error", "offer": [1]},
        {"event": ["step"]},
    ],
)
def test_events_of_a_damaged_log_do_not_end_what_is_shown(bad):
    state = TrainingState()
    step = {"event": "step", "loss": 0.1, "validation": {"mean_px": 4.0}}
    state.apply([{**step, "step": 5}, bad, {**step, "step": 10}])
    assert state.step == 10
    assert state.curve("validation")[0].tolist()[-1] == 10


@pytest.fixture
def finished(log, run):
    log.write("start")
    write_steps(log, range(1, 1001))
    log.write("done", result={"run": str(run)})
    return run


@pytest.fixture
def monitor(project):
    made = TrainingMonitor(project)
    yield made
    made.close()


class TestFinishedRun:
    def test_a_new_monitor_finds_the_run_and_its_curves(self, finished, monitor):
        assert monitor.state.status == "done"
        assert (monitor.bar.value, monitor.bar.bar_style) == (1, "success")
        assert ">finished<" in monitor.headline.value
        assert monitor.curves.loss.x[-1] == 1000
        assert monitor.curves.error.x.tolist() == list(range(100, 1001, 100))
        assert monitor.curves.best.x.tolist() == [1000]
        assert "0.50 px" in monitor.facts.value
        assert not monitor.start_button.disabled
        assert monitor.stop_button.disabled

    def test_a_snapshot_that_is_not_of_the_lowest_error_is_not_called_the_best(self, finished, log, monitor):
        assert "best 0.50 px at step 1000" in monitor.curves._error_plot.heading.value
        assert "best error" in monitor.facts.value
        Run(finished).write_split({"train": ["a", "b"], "validation": list("cdefghi"), "test": ["j"]})
        Run(finished).write_config(TrainConfig(steps=1100), ["paw", "nose"])
        later = {"validation": {"mean_px": 0.6}, "best": {"step": 1100, "val_mean_px": 0.6}}
        log.step(step=1100, seconds=220, loss=0.1, progress=1.0, **later)
        log.write("done", result={"run": str(finished)})
        monitor.show_run(finished)
        words = "taken: 0.60 px at step 1100 (0.50 px at step 1000 is too close to tell with 7 frames)"
        assert words in monitor.curves._error_plot.heading.value
        assert "error, network kept" in monitor.facts.value
        assert "best error" not in monitor.facts.value

    def test_a_network_that_has_not_found_all_is_not_finished_in_green(self, run, log, monitor):
        log.write("start")
        for step, lost in ((500, ["paw", "nose"]), (1000, ["nose"])):
            checked = {"mean_px": 50.0, "rms_px": 60.0, "median_px": 40.0, "n": 9, "lost": lost}
            log.step(step=step, seconds=step / 5, loss=0.1, progress=step / 1000, validation=checked)
        log.write("done", result={"run": str(run)})
        monitor.show_run(run)
        assert "finished; the network has not found nose<" in monitor.headline.value
        assert monitor.bar.bar_style == "warning"
        monitor.state.reset()
        assert monitor.state.lost == []

    def test_a_run_folder_alone_can_be_watched_but_nothing_started(self, finished):
        monitor = TrainingMonitor(finished)
        assert monitor.state.status == "done"
        assert monitor.start_button.layout.display == "none"

    def test_long_curves_are_thinned(self, log, run, monkeypatch):
        log.write("start")
        write_steps(log, range(1, 9001), total=9000)
        log.write("done")
        monitor = TrainingMonitor(run)
        assert len(monitor.curves.loss.x) <= POINTS
        assert monitor.curves.loss.x[-1] == 9000

    def test_snapshot_is_a_picture_of_the_curves(self, finished, monitor):
        picture = monitor.snapshot()
        assert picture.size[0] >= 400
        assert len(picture.convert("RGB").getcolors(1 << 20)) > 50

    def test_where_no_front_end_is_the_picture_is_shown(self, finished, monitor, monkeypatch):
        monkeypatch.setenv("DLCNB_HEADLESS", "1")
        bundle = monitor._repr_mimebundle_()
        assert set(bundle) == {"image/png", "text/plain"}

    def test_with_a_front_end_it_is_the_widget(self, finished, monitor, monkeypatch):
        monkeypatch.delenv("DLCNB_HEADLESS", raising=False)
        monkeypatch.delenv("CI", raising=False)
        assert "application/vnd.jupyter.widget-view+json" in monitor._repr_mimebundle_()


class TestRunUnderWay:
    def test_the_curve_grows_with_the_log(self, log, monitor):
        log.write("start")
        write_steps(log, range(1, 11))
        monitor.refresh()
        assert monitor.state.step == 10
        assert monitor.start_button.disabled
        write_steps(log, range(11, 101))
        until(lambda: monitor.curves.best.x.tolist() == [100])
        log.write("done")
        until(lambda: not monitor.start_button.disabled)
        assert monitor.state.status == "done"

    def test_stop_asks_the_worker_and_waits_for_its_snapshot(self, log, run, monitor):
        log.write("start")
        write_steps(log, range(1, 11))
        monitor.refresh()
        monitor.stop_button.click()
        assert (run / "stop").exists()
        assert monitor.stop_button.description == "stopping…"
        assert monitor.stop_button.disabled
        write_steps(log, [11])
        until(lambda: monitor.state.step == 11)
        assert monitor.state.status == "stopping"
        log.write("stopped")
        until(lambda: monitor.stop_button.description == "Stop")
        assert monitor.state.status == "stopped"

    def test_an_error_of_the_worker_is_shown(self, log, monitor):
        log.write("start")
        monitor.refresh()
        log.write("error", message="the loss is <not> finite")
        until(lambda: monitor.state.status == "failed")
        until(lambda: "the loss is &lt;not&gt; finite" in monitor.status_line.value)
        assert 'role="alert"' in monitor.status_line.value

    def test_a_second_run_is_not_started_beside_it(self, log, monitor):
        log.write("start")
        monitor.start_button.click()
        assert "under way" in monitor.status_line.value

    def test_closing_the_widget_leaves_the_run_alone(self, log, run, monitor):
        log.write("start")
        monitor.refresh()
        monitor.close()
        assert not (run / "stop").exists()


class TestPauseAndResume:
    def test_pause_asks_for_a_snapshot_and_then_offers_to_go_on(self, log, run, monitor):
        log.write("start")
        write_steps(log, range(1, 11))
        monitor.refresh()
        monitor.pause_button.click()
        assert (run / "stop").exists()
        assert (monitor.pause_button.description, monitor.pause_button.disabled) == ("pausing…", True)
        assert monitor.stop_button.disabled
        (run / "snapshot-10.params").touch()
        log.write("stopped")
        until(lambda: monitor.pause_button.description == "Resume")
        assert monitor.state.status == "paused"
        assert "paused" in monitor.headline.value
        assert not monitor.pause_button.disabled

    def test_a_stopped_run_is_resumed_by_a_new_monitor_too(self, log, run, monitor, monkeypatch):
        end_after_ten_steps(log, run, "stopped")
        monitor.refresh()
        asked = {}

        def start(kind, project, **options):
            asked.update(options, kind=kind)
            claim(run, os.getpid(), jobs.EventReader(run).skip())
            log.write("start")
            write_steps(log, [11])
            return jobs.attach(run)

        monkeypatch.setattr(training_monitor.jobs, "start", start)
        assert monitor.pause_button.description == "Resume"
        monitor.pause_button.click()
        assert asked == {"kind": "train", "run": run, "resume": True}
        until(lambda: monitor.state.step == 11)
        assert monitor.pause_button.description == "Pause"
        assert monitor.state.curve("loss")[0].tolist() == list(range(1, 12))

    def test_to_resume_is_what_comes_first_while_a_run_is_interrupted(self, log, run, project, monitor, monkeypatch):
        assert (monitor.start_button.button_style, monitor.pause_button.button_style) == ("primary", "")
        end_after_ten_steps(log, run, "stopped", reason="pause")
        monitor.refresh()
        assert "paused" in monitor.headline.value
        assert (monitor.start_button.button_style, monitor.pause_button.button_style) == ("", "primary")
        assert monitor.start_button.description == "Start anew"
        assert "beside the one shown, which is kept" in monitor.start_button.tooltip
        assert "what it has learned is kept" in monitor.pause_button.tooltip
        second = project.new_run(0.5)
        (second / "job.json").write_text('{"kind": "train"}')
        monitor.show_run(second)
        monitor.show_run(run)  # no longer the newest
        assert (monitor.start_button.button_style, monitor.pause_button.button_style) == ("primary", "")
        second.rename(second.parent / "gone")
        monitor.show_run(None)
        asked = {}
        monkeypatch.setattr(training_monitor.jobs, "start", lambda *_, **more: asked.update(more) or jobs.attach(run))
        monitor.go_on()
        assert asked == {"run": run, "resume": True}

    def test_a_diverged_run_is_resumed_with_the_lower_rate_it_offers(self, log, run, monitor, monkeypatch):
        end_after_ten_steps(log, run, "error", message="The loss became infinite.", offer={"learning_rate": 3e-4})
        monitor.refresh()
        assert "learning rate 0.0003" in monitor.advice.value
        asked = {}
        monkeypatch.setattr(training_monitor.jobs, "start", lambda *_, **more: asked.update(more) or jobs.attach(run))
        monitor.pause_button.click()
        assert asked == {"run": run, "resume": True, "learning_rate": 3e-4}

    def test_any_snapshot_of_any_run_can_be_fine_tuned(self, finished, project):
        for step in (20, 100):
            (finished / f"snapshot-{step}.params").touch()
        settings = TrainingMonitor(project).settings
        names = [f"shuffle 1{step}: 80% of the frames to train" for step in ("", ", step 100", ", step 20")]
        assert list(settings.starts)[1:] == names
        assert settings.starts[names[-1]] == str(finished / "snapshot-20.params")

    def test_after_a_merge_the_network_before_is_offered(self, finished, project):
        (finished / "snapshot-20.params").touch()
        assert TrainingMonitor(project).offer.layout.display == "none"
        project.config["iteration"] = project.iteration + 1
        project.save()
        monitor = TrainingMonitor(project)
        assert monitor.offer.layout.display is None
        assert "iteration 0" in monitor.offer.box.description
        monitor.offer.box.value = True
        assert monitor.settings.options()["start_from"] == str(finished)
        monitor.form.fields["start_from"].value = ""
        assert not monitor.offer.box.value

    def test_after_a_merge_an_open_monitor_shows_no_run_of_before(self, log, run, monitor):
        end_after_ten_steps(log, run, "stopped")
        monitor.refresh()
        assert monitor.pause_button.description == "Resume"
        monitor.project.config["iteration"] = 1
        monitor.list_runs()
        assert monitor.state.status == "idle"
        assert monitor.pause_button.description == "Pause"  # nothing would go on with the network of before
        assert monitor.start_button.button_style == "primary"

    def test_when_it_can_not_be_resumed_the_run_stays_on_display(self, log, run, monitor):
        end_after_ten_steps(log, run, "stopped")
        monitor.refresh()
        monitor.pause_button.click()  # nothing is labeled
        assert 'role="alert"' in monitor.status_line.value
        assert (monitor.state.step, monitor.state.status) == (10, "stopped")

    def test_without_a_snapshot_there_is_nothing_to_resume(self, log, monitor):
        log.write("start")
        log.write("stopped")
        monitor.refresh()
        assert (monitor.pause_button.description, monitor.pause_button.disabled) == ("Pause", True)


class TestWhatIsShown:
    def test_parts_of_the_loss_and_the_learning_rate_on_demand(self, finished, monitor):
        curves = monitor.curves
        assert len(curves.children) == 2
        assert len(curves.parts["part_loss"].x) == len(curves.rate.x) == 0
        monitor.state.show_parts = monitor.state.show_rate = True
        assert len(curves.children) == 3
        assert curves.parts["locref_loss"].x[-1] == curves.rate.x[-1] == 1000
        assert curves.rate.y.tolist() == pytest.approx([1e-3] * len(curves.rate.x))
        monitor.state.show_parts = False
        assert len(curves.parts["part_loss"].x) == 0

    def test_other_runs_lie_beside_this_one(self, finished, project, monitor):
        second = project.new_run(0.5)
        (second / "job.json").write_text('{"kind": "train"}')
        monitor.runs.value = None
        monitor.refresh()
        monitor.show_run(second)
        box = monitor.chooser.boxes[str(finished)]
        box.value = True
        loss, error = monitor.curves.earlier[0]
        assert loss.x[-1] == error.x[-1] == 1000
        assert monitor.curves.loss.x.tolist() == []
        assert "shuffle 1" in monitor.curves._loss_plot.heading.value
        box.value = False
        assert loss.x.tolist() == []

    def test_human_variability_is_a_band(self, project, monitor):
        label(project, 2)
        label(project, 2, scorer="bob", x=13.0)
        known = TrainingMonitor(project)
        until(lambda: known.state.human is not None)
        until(lambda: known.curves.human.y.tolist() == [3, 3])
        assert np.shape(known.curves.band.y) == (2, 2)
        assert monitor.state.human is None
        known.close()

    def test_few_frames_are_told_once(self, log, run, project):
        label(project, 2)
        before = TrainingMonitor(project)
        assert "Only 2 frames" in before.offer.caution.value
        log.write("start")
        log.write("warning", message=before.offer.said)
        log.write("warning", message="The animal is 90 px large in a, 30 px in b.")
        before.refresh()
        assert "The animal is 90 px large" in before.advice.value
        assert "Only 2 frames" in before.offer.caution.value  # where it was, so that nothing moves
        log.write("warning", message=before.offer.said)
        before.refresh()
        assert before.advice.value == ""
        assert before.advice.layout.display is None  # its place is kept
        log.write("warning", message=f"Only 9 frames to train on. {before.offer.said}")
        before.refresh()
        assert "Only 9 frames to train on." in before.advice.value
        assert "Only 2 frames" not in before.advice.value
        assert "Only 2 frames" in before.offer.caution.value
        assert before.status_line.value == ""
        before.close()

    def test_a_training_begins_with_a_fraction_that_tests_the_network(self, project):
        label(project, 20)
        monitor = TrainingMonitor(project)
        assert monitor.settings.train_fraction == 0.75
        assert "so that 5 of the 20 labeled frames test the network, not 1" in monitor.offer.fraction.value
        assert monitor.offer.caution.value == ""
        assert project.train_fraction == 0.95
        monitor.form.fields["train_fraction"].value = 0.95  # somebody wants that
        assert "Only 1 of the 20 labeled frames is held out to test" in monitor.offer.caution.value
        assert monitor.offer.layout.display is None
        monitor.list_runs()
        assert monitor.settings.train_fraction == 0.95
        monitor.form.fields["train_fraction"].value = 0.5
        assert monitor.offer.caution.value == ""
        monitor.close()
        again = TrainingMonitor(Project.open(project.root))
        assert again.settings.train_fraction == 0.5  # kept
        assert again.offer.fraction.layout.display == "none"
        again.close()

    def test_a_caution_for_the_next_run_waits_until_the_one_under_way_has_ended(self, project, log, monitor):
        label(project, 14)
        monitor.form.fields["train_fraction"].value = 0.9
        monitor.list_runs()
        said = monitor.offer.said
        assert "of the 14 labeled frames" in said
        assert said in Markup(monitor.offer.caution.value).unescape()
        log.write("start")
        log.write("warning", message="Only 1 of the 12 labeled frames is held out")
        monitor.refresh()
        assert monitor.offer.caution.value == ""
        assert "of the 12 labeled frames" in monitor.advice.value
        log.write("stopped", reason="request")
        monitor.refresh()
        assert said in Markup(monitor.offer.caution.value).unescape()

    def test_a_project_changed_elsewhere_keeps_no_fraction_and_says_so(self, project):
        label(project, 20)
        monitor = TrainingMonitor(project)
        config = project.root / "config.yaml"
        config.write_text(config.read_text() + "\n# changed\n")
        monitor.form.fields["train_fraction"].value = 0.6
        assert "was changed by another program" in monitor.offer.fraction.value
        assert monitor.settings.train_fraction == 0.6
        assert project.train_fraction == 0.95  # else the next save would write it
        monitor.close()

    def test_fields_say_that_they_are_for_the_next_run_while_one_is_under_way(self, log, monitor):
        field = monitor.form.fields["minutes"]
        log.write("start")
        monitor.refresh()
        assert field.tooltip.startswith("For the next training; the one under way keeps its own.")
        assert "minutes (next run)" in monitor.form._titles["minutes"].value
        log.write("done")
        monitor.refresh()
        assert "next" not in field.tooltip
        assert "minutes (next run)" not in monitor.form._titles["minutes"].value

    def test_a_silent_run_tells_no_time_left(self, log, monitor):
        log.write("start")
        write_steps(log, [100])
        monitor.refresh()
        assert "left" in monitor.headline.value
        monitor.follower.patience = 0.0
        until(lambda: "left" not in monitor.headline.value)
        assert "training · 10%" in monitor.headline.value

    def test_stopping_early_is_suggested(self, log, monitor):
        log.write("start")
        write_steps(log, range(1, 11))
        for step in range(100, 1000, 100):
            log.step(step=step, seconds=step, loss=1.0, progress=step / 1000, validation={"mean_px": 5.0})
        monitor.refresh()
        assert "has not fallen since step 100" in monitor.advice.value
        assert monitor.advice.layout.display is None
        log.write("done")
        until(lambda: monitor.advice.value == "")
        assert monitor.advice.layout.display is None  # its place is kept

    def test_the_kernel_never_loads_mxnet(self, finished, monitor):
        code = (
            f"import sys; from dlcnb import TrainingMonitor; TrainingMonitor({str(monitor.project.root)!r}).snapshot()"
        )
        code += "; assert 'mxnet' not in sys.modules"
        subprocess.run([sys.executable, "-c", code], check=True)


class TestChoosing:
    def test_runs_are_listed_newest_first_and_can_be_chosen(self, finished, project, monitor):
        second = project.new_run(0.5)
        (second / "job.json").write_text('{"kind": "train"}')
        monitor.refresh_button.click()
        names = [name for name, _ in monitor.runs.options]
        assert names == ["shuffle 2: 50% of the frames to train", "shuffle 1: 80% of the frames to train"]
        Run(second).write_split({"train": ["a", "b"], "validation": ["c"], "test": ["d"]})
        monitor.refresh_button.click()
        assert monitor.runs.options[0][0] == "shuffle 2: 2 frames to train, 1 to validate, 1 to test"
        assert monitor.state.status == "done"
        monitor.runs.value = str(second)
        assert monitor.state.status == "lost"
        assert len(monitor.curves.loss.x) == 0
        monitor.runs.value = str(finished)
        assert monitor.curves.loss.x[-1] == 1000

    def test_runs_of_all_iterations_are_offered_to_compare_with(self, finished, project, monitor):
        project.config["iteration"] = 1
        new = project.new_run(0.8)
        (new / "job.json").write_text('{"kind": "train"}')
        Run(finished).snapshot(10).touch()
        monitor.show_run(new)
        monitor.list_runs()
        assert [name for name, _ in monitor.runs.options] == ["shuffle 2: 80% of the frames to train"]
        (box,) = monitor.chooser.compare.children
        assert box.description == "iteration 0, shuffle 1: 80% of the frames to train"
        box.value = True
        assert list(monitor.state.earlier) == [box.description]

    def test_no_run_yet(self, monitor):
        assert monitor.state.status == "idle"
        assert monitor.snapshot().size[0] > 0
        assert (monitor.runs.label, monitor.runs.disabled) == ("no run yet", True)

    def test_what_is_wrong_with_the_project_is_shown(self, monitor):
        monitor.start_button.click()  # nothing is labeled
        assert 'role="alert"' in monitor.status_line.value
        assert monitor.state.status == "idle"
        assert not monitor.start_button.disabled

    def test_settings_reach_the_job(self, monitor, monkeypatch):
        asked = {}

        def start(kind, project, **options):
            asked.update(options, kind=kind)
            raise ValueError("enough")

        monkeypatch.setattr(training_monitor.jobs, "start", start)
        monitor.settings.minutes, monitor.settings.train_fraction, monitor.settings.split_seed = 12, 0.8, 3
        monitor.form.fields["backbone"].value = "resnet-50"
        monitor.start_button.click()
        assert asked == {
            "kind": "train", "backbone": "resnet-50", "minutes": 12, "train_fraction": 0.8, "split_seed": 3
        }  # fmt: skip
        assert "enough" in monitor.status_line.value

    def test_a_folder_that_is_neither(self, tmp_path):
        with pytest.raises(ValueError, match=r"config\.yaml"):
            TrainingMonitor(tmp_path)


class TestRecipe:
    def test_what_was_decided_is_told_with_its_reasons(self, finished, monitor):
        assert "appear here once it has begun" in monitor.recipe.value
        config = TrainConfig(steps=1000, batch_size=4)
        Run(finished).write_config(config, ["paw", "nose"], decisions=["batch_size 4: frames are <large>."])
        monitor.refresh()
        assert "batch_size 4: frames are &lt;large&gt;." in monitor.recipe.value
        assert "this run: 4" in monitor.form._used["batch_size"].value

    def test_until_the_first_step_the_network_is_being_started(self, log, monitor):
        log.write("start")
        monitor.refresh()
        assert "starting the network" in monitor.headline.value
        monitor.state.status = "stopping"
        monitor.show()
        assert "stopping …" in monitor.headline.value  # there is no snapshot to be saved yet
        assert "%" not in monitor.headline.value
        monitor.state.status = "running"
        assert "once the network has been started" in monitor.curves._loss_plot.box.children[1].value
        write_steps(log, [1])
        until(lambda: "training" in monitor.headline.value)
        until(lambda: monitor.curves._loss_plot.box.children[1] is monitor.curves._loss_plot.figure)
        log.write("start")  # it goes on
        until(lambda: "starting the network" in monitor.headline.value)
        write_steps(log, [2])
        until(lambda: "training" in monitor.headline.value)

    def test_how_long_one_has_waited_for_the_first_step_is_counted(self, log, monitor):
        log.write("start")
        monitor.refresh()
        until(lambda: re.search(r"starting the network … \d+ s", monitor.headline.value))
        write_steps(log, [1])
        until(lambda: "training" in monitor.headline.value)
        assert "starting" not in monitor.headline.value
