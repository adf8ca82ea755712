"""The line at the bottom of a Studio: which job is under way, and how far."""

import os
from contextlib import closing

import pytest

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
    errors = []
    made = Activity(errors.append, lambda: None)
    yield made
    made.close()
    assert not errors


def write(job, *args, **values):
    with closing(jobs.EventLog(job.folder)) as log:
        log.write(*args, **values)


def test_a_job_after_another_begins_anew(job, activity):
    training = job("train")
    activity.follow(training)
    write(training, "progress", done=1, total=1)
    activity.follower.look()
    write(training, "done")
    activity.follower.look()
    assert "Training: done" in activity.text.value
    assert activity.progress.value == 1
    activity.follow(job("evaluate"))
    assert "Evaluating: starting" in activity.text.value
    assert activity.progress.value == 0


def test_a_job_that_was_asked_to_stop_says_so_until_it_has(job, activity):
    training = job("train")
    activity.follow(training)
    activity.hear(job("evaluate"), "stopping")  # another one
    activity.hear(training, "running")
    assert "starting the network" in activity.text.value
    activity.hear(training, "stopping")
    for event in ({"event": "start"}, {"event": "progress", "done": 1, "total": 2}):
        write(training, event.pop("event"), **event)
        activity.follower.look()
        assert "Training: stopping …" in activity.text.value
    assert activity.progress.value == 0.5
    write(training, "stopped")
    activity.follower.look()
    assert "Training: stopped" in activity.text.value
