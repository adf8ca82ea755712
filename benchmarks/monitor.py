"""What the training monitor costs the kernel: share of one CPU core while a run's log grows ten times a second.

    python benchmarks/monitor.py [--past 1000 10000 50000] [--seconds 20] [--rate 10]

A real Jupyter kernel shows a TrainingMonitor on a recorded run of so many past steps; this process then writes the
log. Prints one JSON line per length: CPU of the kernel while idle and while following, in percent of one core, the
messages it sent per second, and its resident memory. Nothing but the kernel and the log is involved, no browser.
"""

import argparse
import json
import os
import tempfile
import threading
import time
from pathlib import Path

import numpy as np
import psutil
from jupyter_client.manager import start_new_kernel

from dlcnb import jobs
from dlcnb.jobs.job import claim
from dlcnb.project import Project
from dlcnb.video import VideoWriter

SHOW = """
import sys
from dlcnb import TrainingMonitor
monitor = TrainingMonitor({!r})
monitor.state.show_parts = monitor.state.show_rate = True
assert "mxnet" not in sys.modules
"""


def recorded(folder, past):
    """(project, event log) of a run with ``past`` steps whose worker is this process."""
    with VideoWriter(folder / "mouse.mp4", (48, 64), 25) as video:
        for value in range(5):
            video.write(np.full((48, 64, 3), 40 * value, np.uint8))
    project = Project.create("bench", "ada", [folder / "mouse.mp4"], ["paw", "nose"], parent=folder)
    run = project.new_run(0.95)
    (run / "job.json").write_text('{"kind": "train", "options": {}}')
    claim(run, os.getpid(), 0)
    log = jobs.EventLog(run, steps_per_second=1e9)
    log.write("start")
    for step in range(1, past + 1):
        write(log, step)
    return project, log


def write(log, step):
    """One step of training; a validation every hundred."""
    loss = step**-0.3 * (1 + 0.2 * np.sin(step))
    checked = step % 100 == 0
    log.step(
        step=step, seconds=step / 5, loss=loss, part_loss=0.9 * loss, locref_loss=0.1 * loss, learning_rate=1e-3,
        progress=step / 100000, seconds_left=(100000 - step) / 5, rss_mb=812.5, snapshot=None,
        validation={"mean_px": 500 / step, "n": 9} if checked else None,
        best={"step": step, "val_mean_px": 500 / step} if checked else None,
    )  # fmt: skip


def cpu_share(process, seconds, act=None):
    """CPU of a process in percent of a core over ``seconds``, while ``act(n)`` is called at the n-th tenth."""
    before, began = sum(process.cpu_times()[:2]), time.monotonic()
    pause, count = threading.Event(), 0
    while (now := time.monotonic() - began) < seconds:
        count += 1
        if act:
            act(count)
        pause.wait(max(count * act.interval - now, 0) if act else 0.1)
    return 100 * (sum(process.cpu_times()[:2]) - before) / (time.monotonic() - began)


def measure(past, seconds, rate):
    """One line of the table, as a dict."""
    with tempfile.TemporaryDirectory() as folder:
        project, log = recorded(Path(folder), past)
        manager, client = start_new_kernel()

        def act(n):
            write(log, past + n)

        act.interval = 1 / rate
        try:
            client.execute_interactive(SHOW.format(str(project.root)), timeout=600)
            process = psutil.Process(manager.provisioner.pid)
            idle = cpu_share(process, seconds / 2)
            while client.iopub_channel.msg_ready():
                client.get_iopub_msg(timeout=1)
            busy = cpu_share(process, seconds, act)
            sent = 0
            while client.iopub_channel.msg_ready():
                client.get_iopub_msg(timeout=1)
                sent += 1
            memory = process.memory_info().rss / 2**20
        finally:
            client.stop_channels()
            manager.shutdown_kernel(now=True)
            log.close()
    return {
        "past_steps": past,
        "idle_cpu_percent": round(idle, 2),
        "following_cpu_percent": round(busy, 2),
        "messages_per_second": round(sent / seconds, 1),
        "kernel_rss_mb": round(memory),
    }


def main():
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--past", type=int, nargs="+", default=[1000, 10000, 50000])
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--rate", type=float, default=10)
    options = parser.parse_args()
    for past in options.past:
        print(json.dumps(measure(past, options.seconds, options.rate)), flush=True)


if __name__ == "__main__":
    main()
