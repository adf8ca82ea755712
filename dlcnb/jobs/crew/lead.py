"""The processes around a training by several workers: who leads, who joins, and what happens when one goes.

The leader is the worker of the training job. It starts MXNet's scheduler and parameter server beside itself, and
leaves ``crew.json`` in the run's folder. Members find that file, and train along. Everyone watches the others: a
process that waits inside MXNet for one that is gone would wait for ever.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil

from dlcnb.files import atomic_write, quoted
from dlcnb.jobs.job import HEARTBEAT, Job, JobError
from dlcnb.project import Project
from dlcnb.run import Run

if TYPE_CHECKING:
    from dlcnb.jobs.events import EventLog
    from dlcnb.jobs.stop import StopRequest
    from dlcnb.trainset import TrainConfig

__all__ = ["CREW_FILE", "GRACE", "LOOK", "environment", "join", "lead", "own_address"]

CREW_FILE = "crew.json"
LOOK = 1.0  # s between looks at the others
GRACE = 30.0  # s that the others get to end by themselves


# --- the leader


@contextmanager
def lead(run: str | Path, config: TrainConfig, events: EventLog, stop: StopRequest) -> Iterator[None]:
    """While the block runs, others can join the training in the folder ``run``; nothing happens for one worker."""
    if config.kvstore == "device" or config.workers == 1:
        yield
        return
    run = Path(run)
    host = os.environ.get("DMLC_PS_ROOT_URI") or own_address("10.255.255.255")
    port = int(os.environ.get("DMLC_PS_ROOT_PORT") or _free_port(host))
    os.environ.update(environment(host, port, config.workers, host))
    for left in _members(run):
        left.unlink(missing_ok=True)  # of a training that was killed
    line = [sys.executable, "-m", "dlcnb.jobs.crew.member"]
    helpers = [subprocess.Popen([*line, role, str(run)]) for role in ("scheduler", "server")]
    atomic_write(run / CREW_FILE, json.dumps({"host": host, "port": port, "workers": config.workers}))
    project = Run(run).root
    events.write(
        "warning",
        message=f"Waiting for {config.workers - 1} more workers: "
        f"run `dlcnb train {quoted(project)} --join` on each machine.",
    )
    watch = threading.Thread(target=_watch_members, args=(run, config, events, stop, helpers), daemon=True)
    watch.start()
    try:
        yield
    finally:
        (run / CREW_FILE).unlink(missing_ok=True)
        until = time.monotonic() + GRACE
        while _members(run) and time.monotonic() < until:  # they may still fetch the last sums
            time.sleep(0.1)
        for helper in helpers:
            helper.kill()


def _watch_members(
    run: Path, config: TrainConfig, events: EventLog, stop: StopRequest, helpers: list[subprocess.Popen[bytes]]
) -> None:
    """End this worker if a member is gone, or if it is to stop before all have come."""
    seen: dict[Path, tuple[float, float]] = {}
    all_came = False
    while True:
        time.sleep(LOOK)
        members = _members(run)
        all_came = all_came or len(members) >= config.workers - 1
        if stop and not all_came:
            return _end(events, "stopped", helpers, run, reason=stop.reason, result={"run": str(run), "steps": 0})
        lost = [path.name for path in members if not _lives(path, seen)]
        if lost and (run / CREW_FILE).exists():
            message = (
                f"A worker of this training is gone ({', '.join(lost)}). The snapshots are kept: start it again with "
                "--resume, and let the others join again."
            )
            return _end(events, "error", helpers, run, message=message)


def _end(events: EventLog, ending: str, helpers: list[subprocess.Popen[bytes]], run: Path, **fields: Any) -> None:
    """Leave at once, from any thread; MXNet may be waiting for what never comes."""
    events.write(ending, **fields)
    for path in (run / CREW_FILE, *_members(run)):
        path.unlink(missing_ok=True)
    for helper in helpers:
        helper.kill()
    os._exit(0 if ending == "stopped" else 1)


def _members(run: Path) -> list[Path]:
    return sorted(Path(run).glob("member-*.json"))


def _lives(path: Path, seen: dict[Path, tuple[float, float]]) -> bool:
    """Whether a member still gives signs of life; ``seen`` remembers the last one: path -> (its time, when seen)."""
    with suppress(FileNotFoundError, ValueError):
        member, beat = json.loads(path.read_text()), path.stat().st_mtime
        if member["host"] == socket.gethostname():
            return psutil.pid_exists(member["pid"])
        last, when = seen.get(path, (None, 0.0))
        if beat != last:  # the clocks of two machines are never compared
            seen[path] = beat, time.monotonic()
            return True
        return time.monotonic() - when < 6 * HEARTBEAT
    return True  # it has just left, in order


# --- members


def join(place: str | Path, *, timeout: float = 600) -> Path:
    """Train along with the leader of a run, to its end.

    Parameters
    ----------
    place : folder of a run (``…/train``) or of a project, whose runs are looked through for one that waits.
    timeout : s to wait for one.

    Returns
    -------
    Path of the run.

    Raises
    ------
    TimeoutError
        No training waits for workers.
    JobError
        The training failed, or its leader is gone.
    """
    run = _waiting_run(Path(place), timeout)
    line = [sys.executable, "-m", "dlcnb.jobs.crew.member", "member", str(run)]
    with subprocess.Popen(line, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as member:
        try:
            told = member.communicate()[1]
        except KeyboardInterrupt:  # the terminal's Ctrl-C reached it, too: it tells the others before it leaves
            with suppress(subprocess.TimeoutExpired):
                member.wait(GRACE)
            member.kill()
            raise
    if member.returncode:
        words = (told.strip().splitlines() or ["it was ended"])[-1]
        raise JobError(f"This worker of the training in {run} failed: {words}")
    return run


def _waiting_run(place: Path, timeout: float) -> Path:
    runs = [place] if Run(place).job_file.exists() else None
    until = time.monotonic() + timeout
    while time.monotonic() < until:
        for run in reversed(runs or Project.open(place).runs()):
            if (run / CREW_FILE).exists() and Job(run).status == "running":
                return run
        time.sleep(LOOK)
    raise TimeoutError(
        f"No training in {place} waits for workers. Start one: dlcnb train PROJECT --steps N --kvstore dist_sync "
        "--workers 2"
    )


# --- addresses


def environment(host: str, port: int, workers: int, own: str) -> dict[str, str]:
    """What MXNet's processes find each other by; ``own`` is the address of this one's machine."""
    return {
        "DMLC_PS_ROOT_URI": host,
        "DMLC_PS_ROOT_PORT": str(port),
        "DMLC_NUM_WORKER": str(workers),
        "DMLC_NUM_SERVER": "1",
        "DMLC_NODE_HOST": own,
        "DMLC_ROLE": "worker",
    }


def own_address(towards: str) -> str:
    """This machine's address as another one sees it; 127.0.0.1 without a network."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect((towards, 9))  # sends nothing
            return probe.getsockname()[0]
        except OSError:
            return "127.0.0.1"


def _free_port(host: str) -> int:
    with socket.socket() as probe:
        probe.bind((host, 0))
        return probe.getsockname()[1]
