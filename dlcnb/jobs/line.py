"""A job as a line in a notebook that keeps itself up to date, and its kernel alive.

A server that ends kernels and sessions without activity (Binder after ten minutes) sees none in a kernel whose training
runs in a process of its own. What the line sends is activity.
"""

from __future__ import annotations

import atexit
import threading
from typing import TYPE_CHECKING, Any

from dlcnb.jobs.events import share

if TYPE_CHECKING:
    from dlcnb.jobs.job import Job

__all__ = ["show", "words"]

LOOK, ALIVE = 2.0, 30.0  # s between two looks at the job; after which the same line is sent again
NAMES = {"train": "Training", "evaluate": "Evaluation", "analyze": "Analysis", "suggest": "Suggestions"}
ENDED = {"done": "done", "stopped": "stopped", "failed": "failed", "lost": "interrupted"}

_leaving = threading.Event()
atexit.register(_leaving.set)


def words(job: Job) -> str:
    """What a job is, how far, how long it still takes, and where: "Training: 34 %, 1:20 left (…/train)"."""
    kind = job.kind
    return f"{NAMES.get(kind, kind.capitalize())}: {_state(job)} ({job.folder})"


def show(job: Job) -> None:
    """Display the line in the cell that runs, and update it until the job has ended or the kernel does."""
    from IPython import get_ipython
    from IPython.display import display

    handle = display({"text/plain": words(job)}, raw=True, display_id=True)
    kernel = getattr(get_ipython(), "kernel", None)
    if kernel is None or job.status != "running":
        return
    its_own = type(job)(job.folder)  # the reader's place in the log is not shared by threads
    threading.Thread(target=_update, args=(its_own, handle), name="dlcnb-job-line", daemon=True).start()


def _update(job: Job, handle: Any) -> None:
    shown, quiet = "", 0.0
    while not _leaving.wait(LOOK):
        running, line = job.status == "running", words(job)
        quiet += LOOK
        if line != shown or quiet >= ALIVE:
            handle.update({"text/plain": line}, raw=True)
            shown, quiet = line, 0.0
        if not running:
            return


def _state(job: Job) -> str:
    status = job.status
    if status != "running":
        return f"{ENDED[status]}. {job.error}" if job.error else ENDED[status]
    latest = job.latest or {}
    if (done := share(latest)) is None:
        return "starting"
    left = latest.get("seconds_left")
    return f"{done:.0%}" + (f", {_clock(left)} left" if left is not None else "")


def _clock(seconds: float) -> str:
    """75.3 -> "1:15", 4000 -> "1:06:40"."""
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"
