"""A cell that waits for a job: it says how far that is, widgets live, the cells behind wait, Interrupt works."""

import json
import queue

import pytest
from jupyter_client.manager import KernelManager
from support.waiting import until

from dlcnb.jobs.job import JOB_FILE, Job

PATIENCE = 60
WORKER = """
import pathlib, sys, time
from dlcnb.jobs.events import EventLog
folder = pathlib.Path(sys.argv[1])
log = EventLog(folder)
while not (folder / "go").exists():
    time.sleep(0.05)
log.write("done", result={})
"""
CELL = """
import pathlib, sys
import ipywidgets
from dlcnb.jobs.job import launch
text = ipywidgets.Text()
text.observe(lambda change: pathlib.Path({folder!r}, change.new).touch(), "value")
job = launch({folder!r}, [sys.executable, "-c", {worker!r}, {folder!r}])
said = []
print(text.comm.comm_id, flush=True)
said.append(job.wait())
"""


@pytest.fixture(scope="module")
def kernel():
    """A kernel for all tests: its manager and a client."""
    manager = KernelManager(kernel_name="python3")
    manager.start_kernel()
    client = manager.client()
    client.start_channels()
    client.wait_for_ready(timeout=PATIENCE)
    yield manager, client
    client.stop_channels()
    manager.shutdown_kernel(now=True)


@pytest.fixture
def waiting(kernel, tmp_path):
    """A cell that waits for a job: ``(manager, client, folder, id of the cell, id of its widget)``."""
    (tmp_path / JOB_FILE).write_text(json.dumps({"kind": "train"}))
    manager, client = kernel
    cell = client.execute(CELL.format(folder=str(tmp_path), worker=WORKER))
    while (message := client.get_iopub_msg(timeout=PATIENCE))["msg_type"] != "stream":
        assert message["msg_type"] != "error", message["content"]
    yield manager, client, tmp_path, cell, message["content"]["text"].strip()
    (tmp_path / "go").touch()
    Job(tmp_path).wait(PATIENCE)


def write(client, widget, text):
    """What a page sends when somebody writes into a text field."""
    data = {"method": "update", "state": {"value": text}, "buffer_paths": []}
    client.shell_channel.send(client.session.msg("comm_msg", {"comm_id": widget, "data": data}))


def reply(client, request):
    """The kernel's reply to a request."""
    try:
        while (found := client.get_shell_msg(timeout=PATIENCE))["parent_header"]["msg_id"] != request:
            pass
    except queue.Empty:
        pytest.fail("the kernel does not answer")
    return found["content"]


@pytest.mark.slow
def test_its_line_is_shown_a_widget_ends_it_and_later_cells_keep_their_order(waiting):
    _, client, folder, cell, widget = waiting
    while (message := client.get_iopub_msg(timeout=PATIENCE))["msg_type"] != "display_data":
        assert message["msg_type"] != "error", message["content"]
    assert message["content"]["data"]["text/plain"].startswith("Training: starting")
    later = [client.execute(f"said.append({n})") for n in range(3)]
    write(client, widget, "seen")
    write(client, widget, "go")
    assert reply(client, cell)["status"] == "ok"
    for request in later:
        assert reply(client, request)["status"] == "ok"
    asked = client.execute("", user_expressions={"said": "said"})
    assert reply(client, asked)["user_expressions"]["said"]["data"]["text/plain"] == "['done', 0, 1, 2]"
    assert (folder / "seen").exists()


@pytest.mark.slow
def test_interrupt_ends_the_waiting_not_the_job(waiting):
    manager, client, folder, cell, _ = waiting
    manager.interrupt_kernel()
    assert reply(client, cell)["ename"] == "KeyboardInterrupt"
    assert Job(folder).status == "running"
    until(lambda: reply(client, client.execute("1"))["status"] == "ok")  # what comes in with the error is aborted
