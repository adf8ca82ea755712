"""The line at the bottom of a Studio: which jobs are under way, and how far."""

import os
import re
from contextlib import closing

import pytest
from support.waiting import until

from dlcnb import jobs
from dlcnb.jobs.job import claim
from dlcnb.widgets.studio.activity import Activity


@pytest.fixture
def job(tmp_path):
    """Makes jobs whose worker is this process."""

    def made(kind):
        folder = tmp_path / kind
        folder.mkdir()
        (folder / "job.json").write_text(f'{{"kind": "{kind}", "project": "", "options": {{}}}}')
        claim(folder, os.getpid(), 0)
        return jobs.attach(folder)

    return made


@pytest.fixture
def activity():
    errors, turns, told = [], [], []
    made = Activity(errors.append, lambda: turns.append(1), lambda: told.append(1))
    made.turns, made.told = turns, told
    yield made
    made.close()
    assert not errors


def write(job, *args, **values):
    with closing(jobs.EventLog(job.folder)) as log:
        log.write(*args, **values)


def text(activity, kind):
    return activity.job_line(kind).text.value


def seen(widget):
    return widget.layout.display != "none"


def test_a_job_after_another_begins_anew(job, activity):
    training, line = job("train"), activity.job_line("train")
    activity.follow(training)
    write(training, "progress", done=1, total=1)
    line.follower.look()
    write(training, "done")
    line.follower.look()
    assert "Training: done" in line.text.value
    assert seen(line.box)
    activity.follow(job("evaluate"))
    assert "Evaluating: starting" in text(activity, "evaluate")
    assert not seen(line.box)


def test_what_has_ended_is_told_with_its_time_until_another_step_is_opened(job, activity):
    training, line = job("train"), activity.job_line("train")
    activity.open_tab("Label")
    activity.follow(training)
    write(training, "done")
    line.follower.look()
    activity.open_tab("Label")  # as after each look at the project
    assert seen(line.box)
    assert re.search(r"Training: done \(\d\d:\d\d\)", line.text.value)
    activity.open_tab("Evaluate")
    assert not seen(line.box)
    assert "dlcnb-idle" in activity.box._dom_classes


def test_two_jobs_at_once_are_both_seen_each_with_its_stop(job, activity):
    training, analysis = job("train"), job("analyze")
    activity.open_tab("Label")
    assert "dlcnb-idle" in activity.box._dom_classes
    for one in (training, analysis):
        activity.follow(one)
    lines = [activity.job_line(kind) for kind in ("train", "analyze")]
    write(training, "step", progress=0.4, seconds_left=90)
    write(analysis, "progress", done=1, total=4)
    for line in lines:
        line.follower.look()
    assert [activity.words(kind) for kind in ("train", "analyze")] == ["Training: 40% · 1:30 left", "Analyzing: 25%"]
    assert all(seen(line.box) and seen(line.stop_button) for line in lines)
    assert not any(seen(line.progress) for line in lines)  # the words say it, and there is little room
    activity.open_tab("Trajectories")  # which has a Stop of its own
    assert [seen(line.stop_button) for line in lines] == [True, False]
    activity.open_tab("Train")  # whose own is scrolled out of sight
    assert [seen(line.stop_button) for line in lines] == [True, True]
    activity.open_tab("Label")
    lines[1].stop_button.click()
    assert (analysis.folder / "stop").is_file() or "stopping" in lines[1].text.value
    assert "Training: 40%" in lines[0].text.value
    assert "dlcnb-idle" not in activity.box._dom_classes
    write(analysis, "stopped")
    lines[1].follower.look()
    assert [seen(line.box) for line in lines] == [True, False]
    assert seen(lines[0].progress)


def test_the_seconds_of_a_start_are_counted_until_it_has_begun(job, activity):
    training, line = job("train"), activity.job_line("train")
    activity.follow(training)
    until(lambda: re.search(r"Training: starting … \d+ s", activity.words("train")))
    write(training, "step", progress=0.1, seconds_left=90)
    until(lambda: "Training: 10%" in activity.words("train"))
    line.follower.waiting(5.0)
    assert "starting" not in activity.words("train")


def test_a_job_that_was_asked_to_stop_says_so_until_it_has(job, activity):
    training, line = job("train"), activity.job_line("train")
    activity.follow(training)
    activity.hear(job("evaluate"), "stopping")  # another one
    activity.hear(training, "running")
    assert "Training: starting" in line.text.value
    activity.hear(training, "stopping")
    for event in ({"event": "start"}, {"event": "progress", "done": 1, "total": 2}):
        write(training, event.pop("event"), **event)
        line.follower.look()
        assert "Training: stopping …" in line.text.value
    assert line.progress.value == 0.5
    write(training, "stopped")
    line.follower.look()
    assert "Training: stopped" in line.text.value
    assert activity.words("train") == ""


def test_a_training_that_was_paused_is_called_paused(job, activity):
    training, line = job("train"), activity.job_line("train")
    activity.follow(training)
    write(training, "stopped", reason="pause")
    line.follower.look()
    assert "Training: paused (" in line.text.value
    assert "stopped" not in line.text.value


def test_a_job_is_told_of_as_it_begins_comes_further_and_ends(job, activity):
    training = job("train")
    activity.follow(training)
    assert len(activity.turns) == 1
    activity.follow(training)  # again: it goes on
    assert len(activity.turns) == 1
    for n, event in enumerate(({"progress": 0.5}, {"progress": 0.6, "snapshot": "snapshot-5.params"}), 1):
        before = len(activity.told)
        write(training, "step", **event)
        activity.job_line("train").follower.look()
        assert len(activity.told) > before
        assert len(activity.turns) == n
    write(training, "done")
    activity.job_line("train").follower.look()
    assert len(activity.turns) == 3


def test_what_a_widget_works_at_is_seen_beside_a_job(job, activity):
    activity.follow(job("train"))
    stopped = []
    activity.show("Frames", "Writing images: 30%", 0.3, lambda: stopped.append(1))
    assert activity.words("Frames") == "Writing images: 30%"
    line = activity._lines["Frames"]
    assert seen(line.box)
    assert seen(activity.job_line("train").box)
    line.stop_button.click()
    assert stopped
    activity.show("Frames", "", 0.0, lambda: None)
    assert activity.words("Frames") == ""
    assert not seen(line.box)


def test_the_time_left_is_not_told_any_longer_by_a_job_that_is_silent(job, activity):
    job, line = job("train"), activity.job_line("train")
    line.follower.patience = 0.0
    activity.follow(job)
    write(job, "step", progress=0.28, seconds_left=345.0)
    line.follower.look()
    until(lambda: "Training: 28%</span>" in text(activity, "train"))
