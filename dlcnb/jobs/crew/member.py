"""A process of a training by several workers, beside the leader: ``python -m dlcnb.jobs.crew.member ROLE RUN``.

A member trains along; the scheduler and the server are MXNet's.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import socket
import threading
import time
from contextlib import closing
from pathlib import Path

from dlcnb.files import atomic_write
from dlcnb.jobs.crew.lead import CREW_FILE, GRACE, LOOK, environment, own_address
from dlcnb.jobs.job import HEARTBEAT, attach
from dlcnb.jobs.stop import StopRequest
from dlcnb.project import Project
from dlcnb.run import Run

__all__ = []

_log = logging.getLogger(__name__)  # to standard error, whence the command that joined takes it


def _train_along(run: Path) -> None:
    """A member's whole life."""
    from dlcnb import backend
    from dlcnb.trainset import TrainConfig

    crew, job = json.loads((run / CREW_FILE).read_text()), json.loads(Run(run).job_file.read_text())
    host = crew["host"]
    os.environ.update(environment(host, crew["port"], crew["workers"], own_address(host)), DMLC_ROLE="worker")
    sign = run / f"member-{socket.gethostname()}-{os.getpid()}.json"
    atomic_write(sign, json.dumps({"host": socket.gethostname(), "pid": os.getpid()}))
    threading.Thread(target=_watch_leader, args=(run, sign), daemon=True).start()
    try:
        config, resume = job["options"]["config"], bool(job["options"].get("resume"))
        config = config if resume else TrainConfig.from_dict(config)
        steps = backend.train(Project.open(job["project"]), config, run=run, resume=resume, leads=False)
        stop = StopRequest(run / "none")  # signals alone: it is the leader that looks for the file
        with closing(steps):
            for _ in steps:
                if stop:
                    break
    except BaseException:
        _log.exception("This member of the training failed.")
        sign.unlink(missing_ok=True)
        os._exit(1)
    sign.unlink(missing_ok=True)
    os._exit(0)  # MXNet would wait for the leader, which has left in the same way


def _watch_leader(run: Path, sign: Path) -> None:
    """Give signs of life, and leave when the leader has gone."""
    beat = time.monotonic()
    while (status := attach(run).status) == "running":
        time.sleep(LOOK)
        if time.monotonic() - beat > HEARTBEAT and sign.exists():
            beat = time.monotonic()
            os.utime(sign)
    time.sleep(GRACE)  # usually this process ends by itself, after the last step
    _log.warning("The leader has gone (%s).", status)
    sign.unlink(missing_ok=True)
    os._exit(0 if status == "done" else 1)


def _serve(role: str) -> None:
    os.environ["DMLC_ROLE"] = "worker"  # as server MXNet would start its own at import, which unpickles what it is sent
    from dlcnb.backend.crew import serve

    os.environ["DMLC_ROLE"] = role

    parent = os.getppid()
    threading.Thread(target=_outlive, args=(parent,), daemon=True).start()
    serve()


def _outlive(parent: int) -> None:
    """End this process some time after the one that started it has ended."""
    while os.getppid() == parent:
        time.sleep(LOOK)
    time.sleep(GRACE)
    os._exit(1)


def _main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m dlcnb.jobs.crew.member", description="A process of a shared training."
    )
    parser.add_argument("role", choices=["scheduler", "server", "member"])
    parser.add_argument("run", type=Path)
    wanted = parser.parse_args()
    _train_along(wanted.run) if wanted.role == "member" else _serve(wanted.role)


if __name__ == "__main__":
    _main()
