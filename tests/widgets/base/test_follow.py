"""Following a job: all of its events once, in order, on one thread, whatever becomes of the job."""

import os
import shutil
import threading

import pytest
from support.waiting import until

from dlcnb import jobs
from dlcnb.jobs.job import claim
from dlcnb.widgets.base.follow import JobFollower


@pytest.fixture
def job(tmp_path):
    """A job whose worker is this process."""
    folder = tmp_path / "job"
    folder.mkdir()
    (folder / "job.json").write_text('{"kind": "analyze", "project": "", "options": {}}')
    claim(folder, os.getpid(), 0)
    return jobs.attach(folder)


@pytest.fixture
def log(job):
    events = jobs.EventLog(job.folder, steps_per_second=1e9)
    yield events
    events.close()


class Listener:
    """What a widget is told."""

    def __init__(self):
        self.news, self.threads, self.errors = [], [], []
        self.ended, self.failed, self.fed = threading.Event(), threading.Event(), threading.Event()
        self.follower = JobFollower(self.told, self.fail, seconds=0.005)

    def told(self, news):
        self.news.append(news)
        self.threads.append(threading.current_thread())
        if any(event["event"] == "progress" for event in news.events):
            self.fed.set()
        if news.ended:
            self.ended.set()

    def fail(self, error):
        self.errors.append(error)
        self.failed.set()

    @property
    def done(self):
        """The numbers of all progress events that were told."""
        return [event["done"] for news in self.news for event in news.events if event["event"] == "progress"]


@pytest.fixture
def listener():
    made = Listener()
    yield made
    made.follower.close()


def test_the_first_news_come_at_once_and_on_the_callers_thread(job, log, listener):
    log.step("progress", done=1, total=9)
    listener.follower.follow(job)
    assert listener.done == [1]
    assert listener.threads == [threading.current_thread()]
    assert listener.follower.following


def test_every_event_is_told_once_and_in_order_by_one_thread(job, log, listener):
    listener.follower.follow(job)
    for n in range(200):
        log.step("progress", done=n, total=200)
    log.write("done", result={})
    assert listener.ended.wait(30)
    assert listener.done == list(range(200))
    assert listener.news[-1].status == "done"
    assert len(set(listener.threads[1:])) == 1
    assert not listener.follower.following


def test_a_job_that_has_ended_is_told_without_a_thread(job, log, listener):
    log.write("error", message="out of frames")
    listener.follower.follow(job)
    (news,) = listener.news
    assert (news.status, news.error, news.ended) == ("failed", "out of frames", True)
    assert not listener.follower.following


def test_a_folder_that_vanishes_is_a_lost_job(job, log, listener):
    listener.follower.follow(job)
    shutil.rmtree(job.folder)
    assert listener.ended.wait(30)
    assert listener.news[-1].status == "lost"
    assert "is gone" in listener.news[-1].error


def test_after_stop_nothing_is_told(job, log, listener):
    listener.follower.follow(job)
    listener.follower.stop()
    log.write("done")
    listener.follower.look()
    assert len(listener.news) == 1
    listener.follower.end(30)
    assert not listener.follower._thread.is_alive()


def test_another_job_takes_the_place_of_the_first(job, log, listener, tmp_path):
    shutil.copytree(job.folder, tmp_path / "other")
    listener.follower.follow(job)
    listener.follower.follow(jobs.attach(tmp_path / "other"))
    log.step("progress", done=1, total=9)
    (tmp_path / "other" / "stop").touch()  # a stranger's file changes nothing
    listener.follower.look()
    assert listener.done == []
    assert listener.follower.job.folder == tmp_path / "other"


def test_another_follower_is_told_all_of_it_again(job, log, listener):
    log.step("progress", done=1, total=9)
    listener.follower.follow(job)
    again = Listener()
    again.follower.follow(jobs.attach(job.folder))
    assert again.done == listener.done == [1]
    again.follower.close()


def test_wait_tells_the_end_before_it_returns(job, log, listener):
    listener.follower.follow(job)
    log.write("stopped", reason="request")
    listener.follower.wait(30)
    assert listener.news[-1].status == "stopped"


def test_what_the_listener_raises_is_handed_on_and_ends_the_following(job, log):
    failed = threading.Event()
    errors = []

    def told(news):
        if news.events:
            raise RuntimeError("no such plot")

    def fail(error):
        errors.append(str(error))
        failed.set()

    follower = JobFollower(told, fail, seconds=0.005)
    follower.follow(job)
    log.step("progress", done=1, total=9)
    assert failed.wait(30)
    assert errors == ["no such plot"]
    assert not follower.following


def test_who_holds_the_lock_is_told_nothing_meanwhile(job, log, listener):
    listener.follower.follow(job)
    with listener.follower.lock:
        log.step("progress", done=1, total=9)
        assert listener.done == []
    assert listener.fed.wait(30)


def test_a_job_that_is_silent_for_long_is_told_of_once(job, log, listener):
    follower, told = listener.follower, []
    follower.silent, follower.patience = lambda: told.append(len(listener.news)), 0.0
    follower.follow(job)
    log.step("progress", done=1, total=9)
    until(lambda: listener.done == [1])
    until(lambda: told)
    before = len(told)
    follower.look()
    follower.look()
    assert len(told) == before  # not before the next news
    log.step("progress", done=2, total=9)
    until(lambda: len(told) > before)
