"""A command on less machine than this one: so many GB and cores, enforced; prints the time and the memory that it took.

    python benchmarks/confined.py --gb 2 --cores 1 -- pytest tests/notebooks/test_tour.py

What Binder gives to a session is 2 GB and one core. The memory is that of a control group, as there, of version 1 or
2, so this needs root and Linux; a process that passes the limit is killed by the kernel, which is counted. What Linux
keeps of files is within the limit and gives way; the memory that is printed is without it. Without that right it ends;
with --if-allowed the command then runs without limits, and a line says so.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

MB = 2**20
ROOT = Path("/sys/fs/cgroup")
SECONDS = 0.2  # between two looks


class Group:
    """A control group with a limit of its memory, for this process's children; removed by ``close``.

    Raises
    ------
    OSError : without the right to make one.
    """

    def __init__(self, limit: int) -> None:
        self.second = (ROOT / "cgroup.controllers").exists()
        self.folder = (ROOT if self.second else ROOT / "memory") / f"dlcnb-{os.getpid()}"
        if self.second:
            (ROOT / "cgroup.subtree_control").write_text("+memory")
        self.folder.mkdir()
        self._write("memory.max" if self.second else "memory.limit_in_bytes", limit)
        swap = "memory.swap.max" if self.second else "memory.memsw.limit_in_bytes"
        if (self.folder / swap).exists():
            self._write(swap, 0 if self.second else limit)

    def _write(self, name: str, value: int) -> None:
        (self.folder / name).write_text(str(value))

    def _read(self, name: str) -> dict[str, int]:
        lines = (line.split() for line in (self.folder / name).read_text().splitlines())
        return {key: int(value) for key, value in lines}

    def enter(self) -> None:
        """Put this process into the group."""
        self._write("cgroup.procs", os.getpid())

    def used(self) -> int:
        """Bytes in use now, without what is kept of files."""
        found = self._read("memory.stat")
        return found["anon"] + found["shmem"] if self.second else found["total_rss"] + found["total_shmem"]

    def kills(self) -> int:
        """How many processes were killed for memory."""
        return self._read("memory.events" if self.second else "memory.oom_control")["oom_kill"]

    def close(self) -> None:
        """End what the command has left running, and remove the group."""
        while pids := (self.folder / "cgroup.procs").read_text().split():
            for pid in pids:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(int(pid), signal.SIGKILL)
            time.sleep(SECONDS)
        self.folder.rmdir()


def run(group: Group, command: list[str], cores: list[int]) -> tuple[int, int, int]:
    """Run a command in a group, on some cores: its exit status, the most bytes used, and how often it was killed."""

    def confine() -> None:
        group.enter()
        os.sched_setaffinity(0, cores)

    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended"))  # not without the group
    most = 0
    try:
        process = subprocess.Popen(command, preexec_fn=confine)
        while process.poll() is None:
            most = max(most, group.used())
            time.sleep(SECONDS)
        return process.returncode, most, group.kills()
    finally:
        group.close()


def main() -> None:
    """Run the command, print the figures, and end as it ended; with 1 if something was killed for memory."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--gb", type=float, default=2.0)
    options.add_argument("--cores", type=int, default=1)
    options.add_argument("--if-allowed", action="store_true", help="without that right, run it all the same")
    options.add_argument("command", nargs="+")
    chosen = options.parse_args()
    try:
        group = Group(int(chosen.gb * 2**30))
    except OSError as error:
        why = f"Expected the right to make a control group of memory, got: {error}."
        if not chosen.if_allowed:
            sys.exit(f"{why} Run this as root, on Linux.")
        print(f"{why} This runs without a limit.", flush=True)
        os.execvp(chosen.command[0], chosen.command)
    cores = sorted(os.sched_getaffinity(0))[-chosen.cores :]
    began = time.monotonic()
    status, most, kills = run(group, chosen.command, cores)
    seconds = time.monotonic() - began
    print(f"{seconds:.0f} s on {len(cores)} core(s); at most {most / MB:.0f} MB of {chosen.gb:g} GB; killed: {kills}")
    sys.exit(status or bool(kills))


if __name__ == "__main__":
    main()
