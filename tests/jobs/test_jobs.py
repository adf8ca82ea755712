"""Jobs: the event log, a worker's life and its many ends, and the real work."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import tracemalloc
from contextlib import closing

import numpy as np
import psutil
import pytest
from support.projects import copy_of

from dlcnb import jobs
from dlcnb.jobs.events import EventLog, EventReader, plain, share
from dlcnb.jobs.job import HEARTBEAT, WORKER_FILE, launch
from dlcnb.jobs.kinds import KINDS, Kind
from dlcnb.project import ProjectError
from dlcnb.run import Run
from dlcnb.trainset import TrainConfig

COUNTING_WORKER = """
import sys, threading
from dlcnb.jobs.kinds import KINDS, Kind
from dlcnb.jobs.worker import run

def count(job, events, stop):
    options = job["options"]
    if "loads" in options:
        with stop.at_once():
            events.step(step=0)
            threading.Event().wait()  # for something that never comes
    for n in range(options.get("to", 6000)):
        if stop:
            return "stopped", {"steps": n}
        if options.get("fail_at") == n:
            raise {"value": ValueError("the value is wrong"), "memory": MemoryError()}[options["error"]]
        validation = {"mean_px": 10.0 - n, "rms_px": 1.0, "median_px": 1.0, "n": 3} if n % 4 == 0 else None
        events.step(step=n, seconds=n / 10, loss=float("nan"), validation=validation)
        if "to" not in options:
            threading.Event().wait(0.01)  # work
    return "done", {"steps": options["to"]}

KINDS["count"] = Kind("count", count)
sys.exit(run(sys.argv[1]))
"""
TIMEOUT = 60


@pytest.fixture
def begin(tmp_path):
    """begin(**options) -> Job of a real worker process that only counts."""
    script = tmp_path / "counting_worker.py"
    script.write_text(COUNTING_WORKER)
    folder = tmp_path / "job"
    folder.mkdir()
    children = []

    def begin(**options):
        (folder / "job.json").write_text(json.dumps({"kind": "count", "project": str(tmp_path), "options": options}))
        job = launch(folder, begin.command)
        children.append(job._child)
        return job

    begin.command = [sys.executable, str(script), str(folder)]
    yield begin
    for child in children:
        if child.code is None:
            with contextlib.suppress(ProcessLookupError):  # it may end by itself at this very moment
                os.kill(child.pid, signal.SIGKILL)
            child.wait()


def names(events):
    return [e["event"] for e in events]


def first_step(job):
    """Wait for the worker's first step."""
    return next(e for e in job.follow(TIMEOUT) if e["event"] == "step")


# ---- the event log


@pytest.mark.parametrize(
    ("event", "told"),
    [
        ({"progress": 0.25}, 0.25),
        ({"done": 3, "total": 4}, 0.75),
        ({"progress": 1.5}, 1.0),
        ({"progress": None}, None),
        ({"progress": "much"}, None),
        ({"done": 3, "total": 0}, None),
        ({"done": [3], "total": 4}, None),
        ({"progress": float("nan")}, None),
        ({"done": 10**400, "total": 4}, None),
        ({}, None),
    ],
)
def test_how_far_an_event_says_a_job_is(event, told):
    assert share(event) == told


def test_plain_turns_everything_into_json():
    value = {"a": np.float32(1.5), "b": np.array([1.0, np.nan]), "c": float("inf"), "d": (1, None, True), 5: "x"}
    assert plain(value) == {"a": 1.5, "b": [1.0, None], "c": None, "d": [1, None, True], "5": "x"}
    json.dumps(plain(value), allow_nan=False)


def test_steps_are_thinned_but_never_those_that_matter(tmp_path):
    with closing(EventLog(tmp_path, steps_per_second=1e-9)) as log:
        for n in range(100):
            log.step(step=n, validation={"mean_px": 1.0} if n == 50 else None, snapshot="s" if n == 70 else None)
        log.write("done", result={})
    events = EventReader(tmp_path).read()
    assert [e.get("step") for e in events] == [0, 50, 70, 99, None]
    assert events[-1]["event"] == "done"


def test_the_last_step_is_written_when_nothing_follows_it(tmp_path):
    with closing(EventLog(tmp_path, steps_per_second=1e-9)) as log:
        for n in range(3):
            log.step(step=n)
    assert [e["step"] for e in EventReader(tmp_path).read()] == [0, 2]
    log.close()  # again, as whoever cleans up does


def test_a_torn_last_line_is_tolerated_and_does_not_spoil_the_next(tmp_path):
    with closing(EventLog(tmp_path)) as log:
        log.write("start")
    with open(tmp_path / "events.jsonl", "ab") as f:
        f.write(b'{"event": "step", "ste')
    reader = EventReader(tmp_path)
    assert names(reader.read()) == ["start"]
    with closing(EventLog(tmp_path)) as log:
        log.write("start")
    assert names(reader.read()) == ["start"]
    assert reader.count == 2
    assert names(EventReader(tmp_path).read()) == ["start", "start"]


def test_a_line_is_read_once_it_is_whole(tmp_path):
    reader = EventReader(tmp_path)
    assert reader.read() == []
    with open(tmp_path / "events.jsonl", "ab", buffering=0) as f:
        f.write(b'{"event": "st')
        assert reader.read() == []
        f.write(b'ep", "step": 1}\n{"event": "done"}\n')
        assert names(reader.read()) == ["step", "done"]
    assert reader.read() == []


def test_events_are_read_in_portions_and_skipped(tmp_path):
    with closing(EventLog(tmp_path, steps_per_second=1e9)) as log:
        for n in range(10):
            log.step(step=n)
    reader = EventReader(tmp_path)
    assert [e["step"] for e in reader.read(3)] == [0, 1, 2]
    assert reader.skip(2) == 5
    assert [e["step"] for e in reader.read(2)] == [5, 6]
    assert reader.skip() == reader.count == 10


def test_following_a_long_log_takes_no_memory(tmp_path):
    with closing(EventLog(tmp_path, steps_per_second=1e9)) as log:
        reader, sizes = EventReader(tmp_path), []
        tracemalloc.start()
        try:
            for n in range(10_000):
                log.step(step=n, loss=1.0, part_loss=0.9, locref_loss=0.1, learning_rate=1e-3)
                if n % 1000 == 999:
                    assert len(reader.read()) == 1000
                    sizes.append(tracemalloc.get_traced_memory()[0])
        finally:
            tracemalloc.stop()
    assert max(sizes[1:]) - sizes[0] < 10_000  # bytes; 9,000 events as dicts would be megabytes


@pytest.mark.parametrize(
    "data", [b"", b"\0" * 60, b'{"pid": 1, "st', b"[1]", b'{"pid": "x", "host": 3}', b'{"pid": 1, "first": null}']
)
@pytest.mark.parametrize("ended", [False, True])
def test_what_a_power_failure_left_of_the_workers_record(tmp_path, data, ended):
    (tmp_path / "job.json").write_text('{"kind": "train"}')
    (tmp_path / "worker.json").write_bytes(data)
    with closing(EventLog(tmp_path)) as log:
        log.write("start")
        if ended:
            log.write("done", result={"steps": 3})
    job = jobs.attach(tmp_path)
    assert job.status == ("done" if ended else "lost")
    assert job.pid is None
    assert (job.result == {"steps": 3}) == ended


def test_a_log_that_was_replaced_is_read_anew(tmp_path):
    path = tmp_path / "events.jsonl"
    path.write_text('{"event": "start"}\n{"event": "step"}\n')
    reader = EventReader(tmp_path)
    assert len(reader.read()) == 2
    path.write_text('{"event": "start"}\n')
    assert names(reader.read()) == ["start"]


def test_history_replaces_the_steps_that_a_resumed_run_repeats(tmp_path):
    with closing(EventLog(tmp_path, steps_per_second=1e9)) as log:
        log.write("start")
        for n in range(1, 9):
            log.step(step=n, seconds=n, loss=1.0, validation={"mean_px": 9.0} if n == 6 else None)
        log.write("start")
        for n in range(5, 8):
            log.step(
                step=n,
                seconds=n,
                loss=2.0,
                validation={"mean_px": 3.0} if n == 6 else None,
                best={"step": 6, "val_mean_px": 3},
            )
    curves = jobs.history(tmp_path)
    np.testing.assert_array_equal(curves["step"], [1, 2, 3, 4, 5, 6, 7])
    np.testing.assert_array_equal(curves["loss"], [1, 1, 1, 1, 2, 2, 2])
    np.testing.assert_array_equal(curves["validation_step"], [6])
    np.testing.assert_array_equal(curves["validation_mean_px"], [3.0])
    np.testing.assert_array_equal(curves["best_step"], [6])
    assert np.isnan(curves["part_loss"]).all()


def test_history_passes_over_events_that_no_training_writes(tmp_path):
    lines = [
        '{"event": "step", "step": "x"}',
        '{"event": "step", "step": 1%s}' % ("0" * 30),
        '{"event": "step", "step": 1, "validation": 5, "loss": [1]}',
        '{"event": "step", "step": 2, "validation": {"mean_px": "x"}, "best": {"a": 1}, "loss": 1%s}' % ("0" * 400),
        "[" * 99_999,
        '{"event": "step", "step": 3, "loss": 0.5}',
    ]
    (tmp_path / "events.jsonl").write_text("\n".join([*lines, ""]))
    curves = jobs.history(tmp_path)
    np.testing.assert_array_equal(curves["step"], [1, 2, 3])
    np.testing.assert_array_equal(curves["loss"], [np.nan, np.nan, 0.5])
    np.testing.assert_array_equal(curves["validation_mean_px"], [np.nan])
    assert not len(curves["best_step"])


def test_history_of_a_run_that_was_no_job_comes_from_its_table(tmp_path):
    columns = "step,seconds,loss,part_loss,locref_loss,learning_rate,val_mean_px"
    (tmp_path / "learning_stats.csv").write_text(f"{columns}\n10,1.5,0.3,0.2,0.1,0.001,\n20,3,0.2,0.1,0.1,0.001,4.5\n")
    curves = jobs.history(tmp_path)
    np.testing.assert_array_equal(curves["step"], [10, 20])
    np.testing.assert_array_equal(curves["loss"], [0.3, 0.2])
    np.testing.assert_array_equal(curves["validation_step"], [20])
    np.testing.assert_array_equal(curves["validation_mean_px"], [4.5])


def test_history_without_a_log_is_empty(tmp_path):
    assert all(len(curve) == 0 for curve in jobs.history(tmp_path).values())


# ---- a worker's life


def test_a_job_runs_to_its_end(begin):
    job = begin(to=9)
    events = list(job.follow(TIMEOUT))
    assert names(events)[0] == "start"
    assert names(events)[-1] == "done"
    assert {0, 4, 8} <= {e["step"] for e in events if e["event"] == "step"}
    assert events[0]["pid"] == job.pid
    assert job.status == "done"
    assert job.error is None
    assert job.result["steps"] == 9
    assert job.result["peak_rss_mb"] > 5


def test_stop_is_asked_for_by_a_file(begin):
    job = begin()
    first_step(job)
    assert job.status == "running"
    assert job.stop(wait=True, timeout=TIMEOUT) == "stopped"
    assert job.result["steps"] > 0
    assert job.reason == "request"
    job._child.wait()
    assert not (job.folder / "stop").exists()


def test_a_damaged_request_is_one_to_stop(begin):
    job = begin()
    first_step(job)
    (job.folder / "stop").write_bytes(b"\xff\xfe")
    assert job.wait(TIMEOUT) == "stopped"
    assert job.reason == "request"


def test_a_pause_is_told_from_a_stop_for_good(begin):
    job = begin()
    first_step(job)
    job.stop(pause=True)
    assert job.wait(TIMEOUT) == "stopped"
    assert job.reason == "pause"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_is_a_request_to_stop(begin, number):
    job = begin()
    first_step(job)
    os.kill(job.pid, number)
    assert job.wait(TIMEOUT) == "stopped"
    assert job.reason == number.name
    assert "steps" in job.result


@pytest.mark.parametrize("asked", ["by a file", "by a signal"])
def test_what_never_looks_for_a_request_is_stopped_at_once(begin, asked):
    job = begin(loads=True)
    first_step(job)
    if asked == "by a file":
        job.stop()
    else:
        os.kill(job.pid, signal.SIGTERM)
    assert job.wait(TIMEOUT) == "stopped"
    assert job.reason == {"by a file": "request", "by a signal": "SIGTERM"}[asked]
    assert names(job.events())[-1] == "stopped"


def test_an_exception_is_one_clear_event(begin):
    job = begin(fail_at=3, error="value", to=9)
    last = list(job.follow(TIMEOUT))[-1]
    assert last["event"] == "error"
    assert job.status == "failed"
    assert job.error == last["message"] == "the value is wrong"
    assert "Traceback" in last["traceback"]
    assert "the value is wrong" in (job.folder / "worker.log").read_text()


def test_lack_of_memory_is_said_as_such(begin):
    job = begin(fail_at=0, error="memory", to=9)
    assert job.wait(TIMEOUT) == "failed"
    assert job.error.startswith("Out of memory. Use a smaller batch")


def test_a_worker_killed_by_the_system_is_lost_and_memory_is_suspected(begin):
    job = begin()
    first_step(job)
    os.kill(job.pid, signal.SIGKILL)
    last = list(job.follow(TIMEOUT))[-1]
    assert last["lost"]
    assert job.status == "lost"
    assert "memory ran out" in job.error
    assert last["message"] == job.error
    assert jobs.attach(job.folder).status == "lost"


def test_kill_ends_the_worker_at_once(begin):
    job = begin()
    first_step(job)
    assert jobs.attach(job.folder).kill() == "stopped"
    assert not psutil.pid_exists(job.pid) or psutil.Process(job.pid).status() == psutil.STATUS_ZOMBIE
    assert job.status == "stopped"
    assert job.reason == "killed"
    assert job.kill() == "stopped"


def test_a_worker_that_cannot_begin_is_lost_with_its_last_words(begin, tmp_path):
    job = begin(to=1)
    job.wait(TIMEOUT)
    broken = launch(job.folder, [sys.executable, "-c", "raise SystemExit('no such thing')"])
    assert broken.wait(TIMEOUT) == "lost"
    assert "no such thing" in broken.error


def test_a_second_worker_on_the_folder_is_followed_from_its_own_start(begin):
    begin(to=3).wait(TIMEOUT)
    again = begin(to=5)
    own = list(again.follow(TIMEOUT))
    assert names(own).count("start") == 1
    assert names(again.events()).count("start") == 2
    assert again.latest["step"] == 4
    assert again.events(len(again.events()) + 1) == []
    assert again.result["steps"] == 5
    assert names(again.follow(TIMEOUT, since=0)).count("start") == 2


def test_silence_raises_a_timeout(begin):
    job = begin(to=1)
    job.wait(TIMEOUT)
    seen = len(job.events())
    (job.folder / WORKER_FILE).write_text(json.dumps({"pid": 1, "host": "elsewhere", "first": seen, "started": 0}))
    with pytest.raises(TimeoutError, match="No event from the worker"):
        list(jobs.attach(job.folder).follow(0.1))


def test_killing_the_starter_leaves_the_worker_running(begin, tmp_path):
    job = begin(to=1)
    job.wait(TIMEOUT)
    (job.folder / "events.jsonl").unlink()
    record = json.loads((job.folder / "job.json").read_text())
    (job.folder / "job.json").write_text(json.dumps({**record, "options": {}}))
    code = f"""
import threading
from dlcnb.jobs.job import launch
print(launch({str(job.folder)!r}, {begin.command!r}).pid, flush=True)
threading.Event().wait()
"""
    starter = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    with starter:
        pid = int(starter.stdout.readline())
        first_step(jobs.attach(job.folder))
        starter.kill()
    seen = jobs.attach(job.folder)
    assert seen.pid == pid
    assert seen.status == "running"
    later = seen.events()[-1]["step"] + 5
    followed = []
    for event in seen.follow(TIMEOUT):
        followed.append(event)
        if event.get("step", -1) >= later:
            seen.stop()
    assert names(followed)[0] == "start"
    assert names(followed)[-1] == "stopped"
    assert followed == list(jobs.attach(job.folder).follow(TIMEOUT)) == seen.events()


def test_a_recycled_pid_is_not_taken_for_the_worker(begin):
    job = begin(to=1)
    job.wait(TIMEOUT)
    worker = json.loads((job.folder / WORKER_FILE).read_text())
    seen = len(job.events())
    other = {**worker, "pid": os.getpid(), "started": worker["started"] - 3600, "first": seen}
    (job.folder / WORKER_FILE).write_text(json.dumps(other))
    assert jobs.attach(job.folder).status == "lost"
    (job.folder / WORKER_FILE).write_text(json.dumps({**other, "started": psutil.Process().create_time()}))
    assert jobs.attach(job.folder).status == "running"


def test_a_worker_on_another_computer_is_known_by_its_signs_of_life(begin):
    job = begin(to=1)
    job.wait(TIMEOUT)
    path = job.folder / WORKER_FILE
    elsewhere = {"pid": 1, "started": 0, "host": "elsewhere", "first": len(job.events())}
    path.write_text(json.dumps(elsewhere))
    remote = jobs.attach(job.folder)
    assert remote.status == "running"
    with pytest.raises(jobs.JobError, match="runs on elsewhere"):
        remote.kill()
    old = path.stat().st_mtime - 100 * HEARTBEAT
    os.utime(path, (old, old))
    assert remote.status == "lost"


def test_a_worker_started_by_hand_says_who_it_is(begin):
    begin(to=1).wait(TIMEOUT)
    subprocess.run(begin.command, check=True)
    job = jobs.attach(begin.command[-1])
    assert job.status == "done"
    assert job.pid == [e for e in job.events() if e["event"] == "start"][-1]["pid"]


def test_a_worker_started_by_hand_where_one_works_leaves(begin):
    job = begin()
    first_step(job)
    second = subprocess.run(begin.command, capture_output=True, text=True)
    assert second.returncode == 1
    assert f"by process {job.pid}" in second.stderr
    assert job.status == "running"
    job.stop(wait=True, timeout=TIMEOUT)
    assert names(job.events()).count("start") == 1


def test_of_two_resumes_at_once_one_starts(arena_project, tmp_path):
    project = copy_of(arena_project, tmp_path)
    run = Run(project.new_run(0.8))
    run.write_config(TrainConfig(steps=100_000, train_fraction=0.8), project.bodyparts)
    code = "import sys; from dlcnb import jobs; print(jobs.start('train', sys.argv[1], resume=True).pid)"
    line = [sys.executable, "-c", code, str(project.root)]
    both = [subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(2)]
    ended = [process.communicate(timeout=TIMEOUT) for process in both]
    job = jobs.attach(run.folder)
    job.kill()
    assert sorted(process.returncode for process in both) == [0, 1]
    assert [int(pid) for pid, _ in ended if pid] == [job.pid]
    assert any("already" in errors for _, errors in ended)


# ---- kinds of jobs


def test_a_new_kind_is_one_entry(monkeypatch, tmp_path, arena_project):
    def checked(_project, options):
        return {"to": int(options["to"])}

    kind = Kind("count", lambda *_: ("done", {}), frozenset({"to"}), check=checked, place=lambda *_: tmp_path)
    monkeypatch.setitem(KINDS, kind.name, kind)
    assert KINDS["count"].prepare(arena_project, {"to": "3"}) == (tmp_path, {"to": 3})
    with pytest.raises(ValueError, match="Unknown option 'too' for count; did you mean 'to'"):
        KINDS["count"].prepare(arena_project, {"too": 3})
    with pytest.raises(ValueError, match="Unknown kind of job 'cuont'; did you mean 'count'"):
        jobs.start("cuont", arena_project)


@pytest.mark.parametrize(
    ("kind", "options", "message"),
    [
        ("analyze", {}, "No videos"),
        ("analyze", {"videos": ["a/m.mp4", "b/m.avi"], "folder": "out"}, "would write the same table"),
        ("analyze", {"videos": ["m.mp4"], "dynamic": (0.5, 10), "animals": 2}, "follows one animal"),
        ("analyze", {"videos": ["m.mp4"], "score_maps": [1], "scheduler": "tcp://h:1"}, "not written by a cluster"),
        ("suggest", {"images": ["../secret/img0.png"]}, "expected an extracted frame"),
        ("export", {"engine": "int8"}, "Unknown option 'engine' for export"),
    ],
)
def test_what_a_kind_cannot_do_is_said_before_it_starts(arena_project, kind, options, message):
    with pytest.raises(ValueError, match=message):
        jobs.start(kind, arena_project, run="r", **options)


def test_a_misspelt_bodypart_is_told_before_there_is_a_run(arena_project):
    with pytest.raises(ProjectError, match="no bodypart 'snot'; did you mean 'snout'"):
        jobs.start("train", arena_project, steps=1, bodyparts=["snot"])
    assert arena_project.runs() == []


def test_a_learning_rate_with_a_preset_is_trained_at_and_said(arena_project):
    prepared = KINDS["train"].check(arena_project, {"preset": "paper", "learning_rate": 1e-4})
    assert (prepared["config"]["learning_rate"], prepared["config"]["schedule"]) == (1e-4, None)
    assert prepared["notes"] == [
        "The learning rate 0.0001 takes the place of the schedule of rates (0.005 to step 10000, 0.02 to step 430000, "
        "0.002 to step 730000, 0.001 to step 1030000)."
    ]


def test_a_new_training_clears_what_failed_starts_have_left(arena_project, tmp_path):
    project = copy_of(arena_project, tmp_path)
    failed = Run(project.new_run(0.8))
    failed.mark_failed_start()
    options = KINDS["train"].check(project, {"steps": 1, "train_fraction": 0.8})
    assert KINDS["train"].place(project, options) == failed.folder.resolve()  # its number is free again
    assert not list(failed.folder.iterdir())


def test_many_followers_see_the_same(begin):
    job = begin(to=200)
    seen = {}

    def follow(name):
        seen[name] = list(jobs.attach(job.folder).follow(TIMEOUT))

    threads = [threading.Thread(target=follow, args=(n,)) for n in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen[0] == seen[1] == seen[2] == job.events()


def test_a_folder_without_a_job_is_refused(tmp_path):
    with pytest.raises(jobs.JobError, match=r"has no job\.json"):
        jobs.attach(tmp_path)


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (ValueError("expected a, found b"), "expected a, found b"),
        (KeyError("x"), "KeyError: 'x'"),
        (RuntimeError("std::bad_alloc\nStack trace:\n  [bt] 0x7f"), "Out of memory"),
        (
            RuntimeError('Traceback (…):\n  File "a.h", line 7\nMXNetError: Failed to allocate CPU Memory'),
            "Out of memory",
        ),
        (RuntimeError('Traceback (…):\n  File "a.h", line 7\nMXNetError: Check failed: x'), "Check failed: x"),
        (OSError(28, "No space left on device", "/d/x.csv"), "The disk is full: free some space where /d/x.csv is."),
        (PermissionError(13, "Permission denied", "d"), "Permission denied: d. Choose a place in which you may write"),
        (FileNotFoundError(2, "No such file or directory", "a.mp4"), "No such file or directory: a.mp4"),
    ],
)
def test_errors_are_explained(error, message):
    assert jobs.explain(error).startswith(message)


def test_a_full_disk_is_said_as_such(tmp_path):
    with open("/dev/full", "ab", buffering=0) as full, closing(EventLog(tmp_path)) as log:
        own, log._file = log._file, full
        with pytest.raises(OSError, match="No space left") as caught:
            log.write("start")
        log._file = own
        log.write("start")  # after space was made
    assert "disk is full" in jobs.explain(caught.value)
    assert names(EventReader(tmp_path).read()) == ["start"]
