"""A job as its starter and its followers see it: launch, attach, follow, stop, kill."""

from __future__ import annotations

import json
import logging
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

import psutil

from dlcnb.files import atomic_write, read_json, require_file, share
from dlcnb.jobs.events import ENDINGS, EventLog, EventReader
from dlcnb.jobs.explain import LESS_MEMORY
from dlcnb.jobs.memory import oom_kills
from dlcnb.jobs.request import PAUSE, STOP_FILE, asked
from dlcnb.jobs.waiting import in_a_cell, rest
from dlcnb.labels.inside import open_plain
from dlcnb.run import JOB_FILE, LOG_FILE

__all__ = [
    "HEARTBEAT",
    "JOB_FILE",
    "WORKER_FILE",
    "Job",
    "JobError",
    "attach",
    "claim",
    "launch",
    "starting",
]

WORKER_FILE = "worker.json"  # who does it
LOCK_FILE = ".dlcnb-start.lock"  # held while a worker is started
HEARTBEAT = 20.0  # s between the worker's signs of life, which tell followers on other computers

_SIGKILL = 9  # not in Windows' signal module
_POLL = (0.02, 0.25)  # s between looks at the log: at first, at most

log = logging.getLogger(__name__)


class JobError(RuntimeError):
    """A job that can't be started or found."""


def attach(folder: str | os.PathLike[str]) -> Job:
    """The job whose files are in ``folder``, whoever started it, running or not; raises `JobError` if there
    is none.
    """
    folder = Path(folder).resolve()
    if not (folder / JOB_FILE).is_file():
        raise JobError(f"No job in {folder}: it has no {JOB_FILE}. Give the folder of a training run or of dlcnb-jobs.")
    return Job(folder)


@contextmanager
def starting(folder: str | Path) -> Iterator[None]:
    """While the block runs nobody else can start a worker in the folder, nor find out whether there is one."""
    from dlcnb.labels.locks import FileLock  # here: pandas takes a while to load

    with FileLock(Path(folder) / LOCK_FILE, root=folder).held():
        yield


def launch(folder: str | os.PathLike[str], command: Sequence[str] | None = None) -> Job:
    """Start the worker on a folder whose ``job.json`` is written.

    The worker gets a session of its own, so that neither Ctrl-C nor the end of the kernel or terminal reaches
    it.
    """
    folder = Path(folder).resolve()
    (folder / STOP_FILE).unlink(missing_ok=True)
    first = EventReader(folder).skip()
    with suppress(FileNotFoundError):
        require_file(folder / LOG_FILE)
    handle = open_plain(folder / LOG_FILE, os.O_WRONLY | os.O_APPEND | os.O_CREAT)  # a link may lead anywhere
    with os.fdopen(handle, "ab") as output:
        share(folder / LOG_FILE)
        process = subprocess.Popen(
            command or [sys.executable, "-m", "dlcnb.jobs", str(folder)],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    _CHILDREN[folder] = _Child(process)
    claim(folder, process.pid, first)
    return Job(folder)


def claim(folder: str | os.PathLike[str], pid: int, first: int) -> None:
    """Write down that process ``pid`` works on this folder and that its events begin with number
    ``first``.
    """
    try:
        started = psutil.Process(pid).create_time()
    except psutil.NoSuchProcess:
        started = None  # gone already: its exit code tells why
    record = {
        "pid": pid,
        "started": started,
        "host": socket.gethostname(),
        "first": first,
        "oom_kills": oom_kills(),
    }
    atomic_write(Path(folder) / WORKER_FILE, json.dumps(record))


class Job:
    """One job, known by its folder. Any number of these may look at the same job, from any process.

    Attributes
    ----------
    folder : `Path` with the job's files.
    """

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        self.folder = Path(folder).resolve()
        self._cursor = EventReader(self.folder)  # of `events`
        self._lookout = EventReader(self.folder)  # of `_ending`
        self._worker_began = -1  # the worker about whom the lookout found this:
        self._ended: dict[str, Any] | None = None
        self._latest: dict[str, Any] | None = None

    def __repr__(self) -> str:
        return f"<Job {self.kind} in {self.folder}: {self.status}>"

    def _ipython_display_(self) -> None:
        """In a notebook: a line that follows the job, and keeps a kernel that has nothing else to do from being
        ended as idle.
        """
        from dlcnb.jobs.line import show

        show(self)

    @property
    def kind(self) -> str:
        """What is done: "train", "evaluate" or "analyze"."""
        return str(read_json(self.folder / JOB_FILE)["kind"])

    @property
    def pid(self) -> int | None:
        """Process id of the worker on its computer; None before there was one."""
        return self._worker().get("pid")

    @property
    def status(self) -> str:
        """Of "running", "done", "stopped", "failed" and "lost" (the worker went away without a word) the
        one.
        """
        ending = self._ending()
        if ending is None and not self._alive():
            ending = self._ending()  # it may have ended between the two looks
            return ENDINGS[ending["event"]] if ending else "lost"
        return ENDINGS[ending["event"]] if ending else "running"

    @property
    def result(self) -> dict[str, Any] | None:
        """The dict a finished or stopped job left, else None."""
        return (self._ending() or {}).get("result")

    @property
    def reason(self) -> str | None:
        """Why a stopped job stopped: "request", "pause", the name of a signal, or "killed"; None if it did not."""
        ending = self._ending() or {}
        return ending.get("reason") if ending.get("event") == "stopped" else None

    @property
    def asked(self) -> str | None:
        """What the worker is asked for and has not done yet: "request" to stop, or "pause"; None if nothing."""
        return asked(self.folder) if self.status == "running" else None

    @property
    def error(self) -> str | None:
        """Why the job failed or was lost, in one message; None if it did not."""
        ending = self._ending()
        if ending is None:
            return self._loss() if self.status == "lost" else None
        return ending.get("message") if ending["event"] == "error" else None

    @property
    def latest(self) -> dict[str, Any] | None:
        """The last "step" or "progress" event of this worker; None before the first."""
        self._ending()
        return self._latest

    def events(self, since: int = 0) -> list[dict[str, Any]]:
        """All events from number ``since`` on, those of earlier workers on the same run included."""
        if self._cursor.count != since:
            self._cursor = EventReader(self.folder)
            self._cursor.skip(since)
        return self._cursor.read() if self._cursor.count == since else []

    def follow(self, timeout: float | None = None, *, since: int | None = None) -> Iterator[dict[str, Any]]:
        """The events of this worker, past and to come, until it ends.

        The last one is "done", "stopped" or "error"; for a worker that went away without a word it is an
        "error" that is not in the log, with ``"lost": true``.

        Parameters
        ----------
        timeout : raise TimeoutError if there is no event for this many seconds; None = wait for as long as it
        takes.
        since : number of the first event wanted; default the worker's first.
        """
        seen = self._first() if since is None else since
        pause, quiet_since = _POLL[0], time.monotonic()
        while True:
            alive = self._alive()  # looked at before the events, so that none written before the end is missed
            new = self.events(seen)
            yield from new
            seen += len(new)
            if any(e["event"] in ENDINGS for e in new) and self._ending():
                return
            if not alive:
                if self._ending() is None:
                    yield {"event": "error", "time": time.time(), "message": self._loss(), "lost": True}
                return
            if new:
                pause, quiet_since = _POLL[0], time.monotonic()
            elif timeout is not None and time.monotonic() - quiet_since > timeout:
                raise TimeoutError(f"No event from the worker in {self.folder} for {timeout:g} s.")
            rest(pause)
            pause = min(pause * 1.5, _POLL[1])

    def wait(self, timeout: float | None = None) -> str:
        """Wait until the worker has ended; returns the status. ``timeout`` as in `follow`. In a cell of a notebook a
        line says how far it is, and the widgets live meanwhile.
        """
        if in_a_cell() and self.status == "running":
            self._ipython_display_()
        for _ in self.follow(timeout):
            pass
        return self.status

    def stop(self, wait: bool = False, timeout: float | None = None, *, pause: bool = False) -> str:
        """Ask the worker to stop after the present step and to leave a snapshot (an analysis keeps finished
        videos). ``pause``: for now only, which is what `reason` then says.
        """
        atomic_write(self.folder / STOP_FILE, PAUSE if pause else "")
        return self.wait(timeout) if wait else self.status

    def kill(self) -> str:
        """End the worker at once; what it did since its last snapshot is lost. Returns the status."""
        if self._ending() is not None or not self._alive():
            return self.status
        worker = self._worker()
        if worker["host"] != socket.gethostname():
            raise JobError(f"The worker runs on {worker['host']}: end it there, or ask it to stop with stop().")
        try:
            process = self._child or psutil.Process(worker["pid"])
            _end_group(worker["pid"])
            process.wait()
        except (ProcessLookupError, psutil.NoSuchProcess):
            log.info("Worker %s ended by itself just before it was to be killed.", worker["pid"])
        if self._ending() is None:
            with closing(EventLog(self.folder)) as events:
                events.write("stopped", reason="killed")
        return self.status

    def _first(self) -> int:
        return self._worker().get("first", 0)

    def _ending(self) -> dict[str, Any] | None:
        """The event that ended this worker, or None; looks only at events that it has not looked at yet."""
        start = self._first()
        if self._worker_began != start:
            self._lookout, self._worker_began = EventReader(self.folder), start
            self._ended = self._latest = None
        before = self._lookout.count
        while events := self._lookout.read(1000):
            number = self._lookout.count - len(events)
            if number < before:  # another log took the place of this one
                self._ended = self._latest = None
            before = self._lookout.count
            for event in events[max(start - number, 0) :]:
                if event["event"] in ENDINGS:
                    self._ended = event
                elif event["event"] in ("step", "progress"):
                    self._latest = event
        return self._ended

    def _worker(self) -> dict[str, Any]:
        """What `claim` wrote; empty if there is nothing, or what a power failure left of it."""
        try:
            found = read_json(self.folder / WORKER_FILE)
            whole = {**found, "pid": int(found["pid"]), "first": int(found["first"]), "host": str(found["host"])}
            return whole if found["started"] is None else {**whole, "started": float(found["started"])}
        except FileNotFoundError:
            return {}
        except (OSError, KeyError, TypeError, ValueError) as error:
            log.info("%s is damaged, as by a power failure: %s", self.folder / WORKER_FILE, error)
            return {}

    @property
    def _child(self) -> _Child | None:
        """The worker, if this process started it, else None."""
        child = _CHILDREN.get(self.folder)
        return child if child is not None and child.pid == self.pid else None

    def _alive(self) -> bool:
        child = self._child
        if child is not None:
            return child.code is None
        worker = self._worker()
        if not worker:
            return False
        if worker["host"] != socket.gethostname():
            return time.time() - (self.folder / WORKER_FILE).stat().st_mtime < 6 * HEARTBEAT
        try:
            process = psutil.Process(worker["pid"])
            same = worker["started"] is not None and abs(process.create_time() - worker["started"]) < 2
            return same and process.status() != psutil.STATUS_ZOMBIE
        except psutil.NoSuchProcess:
            return False

    def _loss(self) -> str:
        """Why a worker went away without a word, as far as it can be known."""
        child = self._child
        code = child.code if child else None
        kills = oom_kills()
        if kills is not None and kills > (self._worker().get("oom_kills") or 0):
            cause = f"The system ended the worker: memory ran out. {LESS_MEMORY}"
        elif code == -_SIGKILL:
            cause = f"The worker was killed (signal 9); when nobody did so on purpose, memory ran out. {LESS_MEMORY}"
        elif shutil.disk_usage(self.folder).free < 2**20:
            cause = f"The worker ended: the disk that holds {self.folder} is full. Free some space."
        elif code is not None and code < 0:
            cause = f"The worker was ended by signal {signal.Signals(-code).name}."
        else:
            cause = "The worker is gone without having finished (killed, or its computer was restarted)."
        line = _last_line(self.folder / LOG_FILE)
        return cause + (f" The last line of its log: {line}" if line else "") + f" The log: {self.folder / LOG_FILE}"


class _Child:
    """A worker started by this process: reaped when it ends, whoever still looks at it.

    Attributes
    ----------
    pid : its process id.
    code : exit code, negative for a signal; None while it runs.
    """

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self.pid = process.pid
        self.code: int | None = None
        self._ended = threading.Event()
        threading.Thread(target=self._reap, args=(process,), daemon=True, name="dlcnb-worker-exit").start()

    def _reap(self, process: subprocess.Popen[bytes]) -> None:
        self.code = process.wait()
        self._ended.set()

    def wait(self) -> None:
        """Wait until the worker is gone."""
        self._ended.wait()


_CHILDREN: dict[Path, _Child] = {}  # job folder -> _Child, the workers that this process started


def _end_group(pid: int) -> None:
    """Kill a worker and, where it leads a process group of its own (see `launch`), what it started."""
    if hasattr(os, "killpg") and os.getpgid(pid) == pid:
        os.killpg(pid, signal.SIGKILL)
    else:
        psutil.Process(pid).kill()


def _last_line(path: Path) -> str:
    try:
        require_file(path)
        with open(path, "rb") as f:
            f.seek(max(0, f.seek(0, os.SEEK_END) - 4096))
            lines = f.read().decode(errors="replace").split("\n")
    except OSError:
        return ""
    return next((line.strip() for line in reversed(lines) if line.strip()), "")[:300]
