"""A worker process and its event log: start work beside the notebook, follow it, stop it, find it again.

The worker (``python -m dlcnb.jobs FOLDER``) reads ``FOLDER/job.json``, appends one JSON object per line to
``FOLDER/events.jsonl`` and writes what it prints to ``FOLDER/worker.log``. It belongs to nobody: the end of
the kernel or terminal that started it does not end it, and `attach` follows it from anywhere that sees the
folder. This module never loads MXNet; the worker does.
"""

from dlcnb.jobs.begin import start
from dlcnb.jobs.crew.lead import join
from dlcnb.jobs.events import EventLog, EventReader, share
from dlcnb.jobs.explain import explain, kept
from dlcnb.jobs.history import history, unfinished
from dlcnb.jobs.job import Job, JobError, attach
from dlcnb.jobs.kinds.suggest import read_suggestions
from dlcnb.jobs.request import PAUSE

__all__ = [
    "PAUSE",
    "EventLog",
    "EventReader",
    "Job",
    "JobError",
    "attach",
    "explain",
    "history",
    "join",
    "kept",
    "read_suggestions",
    "share",
    "start",
    "unfinished",
]
