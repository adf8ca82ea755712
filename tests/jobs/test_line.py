"""A job shows itself in a notebook as a line that follows it."""

import json
import queue
import sys
from contextlib import closing

import pytest
from jupyter_client.manager import KernelManager

from dlcnb.jobs.events import EventLog
from dlcnb.jobs.job import JOB_FILE, Job, launch
from dlcnb.jobs.line import words

WORKER = """
import pathlib, sys, time
from dlcnb.jobs.events import EventLog
folder = pathlib.Path(sys.argv[1])
log = EventLog(folder)
log.write("step", step=5, progress=0.25, seconds_left=75.3)
while not (folder / "go").exists():
    time.sleep(0.05)
log.write("done", result={})
"""
PATIENCE = 60


@pytest.fixture
def folder(tmp_path):
    (tmp_path / JOB_FILE).write_text(json.dumps({"kind": "train"}))
    return tmp_path


def next_shown(client, kind):
    """What the kernel's page is told next of this kind."""
    while True:
        message = client.get_iopub_msg(timeout=PATIENCE)
        if message["msg_type"] == kind:
            return message["content"]


def test_it_says_how_far_it_is_and_how_it_ended(folder):
    job = launch(folder, [sys.executable, "-c", "import sys; sys.stdin.read()"])
    job.wait()
    assert words(job).startswith("Training: interrupted")
    with closing(EventLog(folder)) as log:
        log.write("done", result={})
    assert words(Job(folder)).startswith("Training: done (")


@pytest.mark.slow
def test_the_line_is_updated_while_no_cell_runs_and_tells_the_end(folder):
    manager = KernelManager(kernel_name="python3")
    manager.start_kernel()
    client = manager.client()
    client.start_channels()
    try:
        client.wait_for_ready(timeout=PATIENCE)
        client.execute(
            "import sys; from dlcnb.jobs.job import launch\n"
            f"launch({str(folder)!r}, [sys.executable, '-c', {WORKER!r}, {str(folder)!r}])"
        )
        first = next_shown(client, "display_data")
        assert first["data"]["text/plain"].startswith("Training: ")
        while (line := next_shown(client, "update_display_data"))["data"]["text/plain"].find("25%, 1:15 left") < 0:
            assert line["transient"] == first["transient"]
        (folder / "go").touch()
        while "Training: done" not in next_shown(client, "update_display_data")["data"]["text/plain"]:
            pass
    except queue.Empty:
        pytest.fail("the line was not updated")
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
