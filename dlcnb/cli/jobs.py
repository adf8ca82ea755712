"""What commands share that follow a job: its progress, Ctrl-C, and how it ended."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable
from types import FrameType
from typing import TYPE_CHECKING, Any

from dlcnb.cli.console import Console, Detached, Interrupted, clock
from dlcnb.files import quoted

if TYPE_CHECKING:
    from dlcnb.jobs.job import Job

__all__ = ["counted", "run_job"]


def counted(words: str) -> Callable[[dict[str, Any]], tuple[float, str]]:
    """What describes events that count to a total, with the time left: ``run_job(console, job, counted("…"))``."""
    began: list[float] = []

    def describe(event: dict[str, Any]) -> tuple[float, str]:
        began[:] = began or [time.monotonic()]
        done, total = event["done"], max(event["total"], 1)
        left = (time.monotonic() - began[0]) * (total / done - 1) if done > 1 else None
        rest = "" if left is None else f", {clock(left)} left"
        return done / total, f"{words}: {done} of {total}{rest}"

    return describe


def run_job(
    console: Console, job: Job, describe: Callable[[dict[str, Any]], tuple[float, str] | None]
) -> dict[str, Any]:
    """Follow a job to its end, with progress; returns the dict of its result.

    Ctrl-C (or SIGTERM) asks the worker to stop with a snapshot; a second one leaves it running and raises `Detached`.

    Parameters
    ----------
    describe : function (event) -> (share done 0..1, text) or None, for "step" and "progress" events.

    Raises
    ------
    Interrupted
        It was stopped by Ctrl-C or SIGTERM; the message says what is kept.
    RuntimeError
        The job failed, was stopped elsewhere, or was lost; the message says why.
    """
    with _Interrupts(console, job) as interrupts, console.waiting("starting the network") as starting:
        for event in job.follow():
            if event["event"] == "warning":
                console.note(f"warning: {event['message']}")
            elif event["event"] == "decided":
                console.note(event["message"])
            elif event["event"] in ("step", "progress") and (shown := describe(event)):
                starting.stop()
                console.progress(*shown)
                console.progress_line(*shown)
    console.clear()
    if job.status != "done":
        if interrupts.number and job.status == "stopped":
            raise Interrupted(_how_it_stopped(job), interrupts.number)
        raise RuntimeError(job.error or _how_it_stopped(job))
    return job.result or {}


def _how_it_stopped(job: Job) -> str:
    from dlcnb.jobs import kept
    from dlcnb.run import Run

    result = job.result or {}
    by = "" if job.reason in (None, "request", "pause", "killed") else f" ({job.reason})"
    if job.kind == "train" and result.get("steps"):
        again = f"dlcnb train {quoted(Run(job.folder).root)} --resume"
        return f"Stopped after step {result['steps']}{by}; a snapshot is saved; `{again}` goes on."
    if job.kind == "analyze" and (words := kept(job)):
        return f"Stopped before the end{by}: {words}; the same command goes on."
    return f"Stopped before the end{by}."


class _Interrupts:
    """While the block runs, Ctrl-C and SIGTERM stop the job, and the second of them only leaves it."""

    def __init__(self, console: Console, job: Job) -> None:
        self._console, self._job = console, job
        self.number = 0  # of the signal that came
        self._before: dict[int, Any] = {}

    def __enter__(self) -> _Interrupts:
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                self._before[number] = signal.signal(number, self._on_signal)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _on_signal(self, number: int, _frame: FrameType | None) -> None:
        if self.number:
            log = self._job.folder / "events.jsonl"
            raise Detached(f"The worker (process {self._job.pid}) goes on by itself. Its log: {log}", number)
        self.number = number
        self._job.stop()
        how = "after this step, with a snapshot" if self._job.kind == "train" else "as soon as it can"
        self._console.note(f"Stopping {how}. Press Ctrl-C again to leave the worker running.")
