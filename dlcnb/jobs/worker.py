"""The worker: runs one job and tells its event log how it goes."""

from __future__ import annotations

import json
import logging
import os
import socket
import sys
import threading
import time
import traceback
import warnings
from contextlib import closing, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from dlcnb.files import is_shared
from dlcnb.jobs.events import EventLog, EventReader
from dlcnb.jobs.explain import explain
from dlcnb.jobs.job import HEARTBEAT, JOB_FILE, WORKER_FILE, Job, claim, starting
from dlcnb.jobs.kinds import KINDS
from dlcnb.jobs.stop import Stopped, StopRequest
from dlcnb.machine.processors import prepare_to_predict

if TYPE_CHECKING:
    from typing import TextIO

__all__ = ["peak_rss_mb", "run"]

NICE = 10  # of 19: how far a worker stands back behind the notebook and other programs

log = logging.getLogger(__name__)


def run(folder: str | Path) -> int:
    """Do the job in ``folder``; returns the exit code: 0 done or stopped, 1 failed. Its errors are in the
    event log.
    """
    folder = Path(folder).resolve()
    stop = StopRequest(folder)
    if not _is_mine(folder):
        return 1
    _sign_of_life(folder / WORKER_FILE)
    _give_way()
    if is_shared(folder.parent):
        os.umask(os.umask(0o077) & 0o007)  # what it writes is the group's, too
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(levelname)s: %(message)s")
    with closing(EventLog(folder)) as events:
        _forward_warnings(events)
        try:
            job = json.loads((folder / JOB_FILE).read_text())
            kind = KINDS[job["kind"]]
            if kind.predicts:
                prepare_to_predict(job["options"].get("engine", "fp32"))
            events.write("start", kind=kind.name, pid=os.getpid(), host=socket.gethostname(), options=job["options"])
            ending, result = kind.work({**job, "folder": str(folder)}, events, stop)
            reason = {"reason": stop.reason} if ending == "stopped" else {}
            events.write(ending, result={**result, "peak_rss_mb": peak_rss_mb()}, **reason)
        except Stopped:
            events.write("stopped", result={"peak_rss_mb": peak_rss_mb()}, reason=stop.reason)
        except KeyboardInterrupt:
            events.write("stopped", reason="interrupted twice, so there is no snapshot of the last steps")
        except BaseException as error:
            traceback.print_exc()
            about = {"type": type(error).__name__, "offer": getattr(error, "offer", None)}
            events.write("error", message=explain(error), **about, traceback=traceback.format_exc())
            return 1
        finally:
            stop.forget()
    return 0


def peak_rss_mb() -> float:
    """The most memory (MB, resident) this process has held so far.

    Linux keeps ``ru_maxrss`` across exec, so a worker would inherit its starter's; VmHWM is its own.
    """
    try:
        with open("/proc/self/status") as f:
            return next(int(line.split()[1]) / 1024 for line in f if line.startswith("VmHWM"))
    except (OSError, StopIteration):
        import resource

        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak / (2**20 if sys.platform == "darwin" else 1024)


def _is_mine(folder: Path) -> bool:
    """Whether this process is to work here; one that was started by hand (on a cluster, for one) says who it is."""
    with starting(folder):
        job = Job(folder)
        if job.pid == os.getpid():
            return True
        if job.status == "running":
            log.error("%s is being worked on already, by process %s: this one leaves.", folder, job.pid)
            return False
        claim(folder, os.getpid(), EventReader(folder).skip())
        return True


def _sign_of_life(path: Path) -> None:
    """Touch the worker's file every `HEARTBEAT` seconds: followers on other computers can't see the
    process.
    """

    def beat() -> None:
        while True:
            time.sleep(HEARTBEAT)
            try:
                os.utime(path)
            except OSError as error:
                log.warning("%s could not be updated, so this job may look as if it had ended: %s", path, error)

    threading.Thread(target=beat, daemon=True, name="dlcnb-sign-of-life").start()


def _give_way() -> None:
    """Let other programs go first: labeling stays fluid while a network trains on all cores.

    Linux groups processes by session and shares the processors between the groups, so the group (which is the worker's
    own, see `launch`) gives way, too.
    """
    if not hasattr(os, "nice"):
        return
    os.nice(max(NICE - os.nice(0), 0))
    if os.getsid(0) == os.getpid():
        with suppress(OSError), open("/proc/self/autogroup", "w") as group:
            group.write(str(NICE))


def _forward_warnings(events: EventLog) -> None:
    """Make dlcnb's own warnings events; all others go to the worker's log."""

    class ToEvents(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            events.write("warning", message=record.getMessage())

    logging.getLogger("dlcnb").addHandler(ToEvents(logging.WARNING))
    show = warnings.showwarning

    def showwarning(
        message: Warning | str,
        category: type[Warning],
        filename: str,
        lineno: int,
        file: TextIO | None = None,
        line: str | None = None,
    ) -> None:
        if issubclass(category, UserWarning) and Path(__file__).parents[1] in Path(filename).parents:
            events.write("warning", message=str(message))
        show(message, category, filename, lineno, file, line)

    warnings.showwarning = showwarning
