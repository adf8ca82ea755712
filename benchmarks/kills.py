"""Kills of all that writes to a project: at every call that changes the disk, and at random moments.

    python benchmarks/kills.py [--kills 500] [--seed 0] [--only save undo]

Each operation (edit, save, changes of bodyparts and their undo, extract, merge, import) runs in a process of its own
that dies before, after and half through each such call in turn; then at random moments, ``--kills`` of them over all.
After each kill the project is opened: labels, images and config are as before the operation or as after it (of those
that add files one by one: between the two, and repeating ends them), tables are whole, there are no conflicts, doctor
finds no error, and editing and saving go on. Prints a line per operation and exits with 1 if anything was lost.
"""

import argparse
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from support.kills import EVERY, calls_of, ended, forked, killed
from support.operations import OPERATIONS, check, make, state


def main():
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--kills", type=int, default=500, help="at random moments, in all")
    options.add_argument("--seed", type=int, default=0)
    options.add_argument("--only", nargs="*", default=[], help="operations whose name begins so")
    options = options.parse_args()
    chosen = [o for o in OPERATIONS if not options.only or o.name.startswith(tuple(options.only))]
    luck, lost = random.Random(options.seed), 0
    print(f"{'operation':26s} calls  killed at calls  killed at random  lost")
    with tempfile.TemporaryDirectory() as folder:
        kept = make(Path(folder) / "kept")
        for number, operation in enumerate(chosen):
            count = options.kills // len(chosen) + (number < options.kills % len(chosen))
            lost += one(operation, kept, Path(folder), luck, count)
    print(f"lost: {lost}")
    sys.exit(bool(lost))


def one(operation, kept, folder, luck, count):
    """Kill an operation everywhere; returns how often something was lost."""
    prepared, at_work, faults = folder / "prepared", folder / "work", []
    again(kept, prepared)
    operation.prepare(prepared)
    again(prepared, at_work)
    before = state(at_work)
    began = time.monotonic()
    calls = calls_of(lambda: operation.work(at_work))
    seconds, after = time.monotonic() - began, state(at_work)
    moments = [(at, when) for when in ("before", "half", "after") for at in range(1, len(calls) + 1)]
    died = [0, 0]

    def attempt(what, kill):
        again(prepared, at_work)
        if not kill():
            return False
        try:
            check(operation, at_work, before, after)
        except Exception as error:
            faults.append(f"{what}: {type(error).__name__}: {error}".splitlines()[0][:300])
        return True

    for at, when in moments:
        if when == "half" and calls[at - 1] not in ("write", "write_bytes"):
            continue
        name = f"{when} call {at} ({calls[at - 1]})"
        died[0] += attempt(name, lambda at=at, when=when: killed(lambda: operation.work(at_work), at, EVERY, when))
    tries = 0
    while died[1] < count and tries < 4 * count:
        tries, moment = tries + 1, luck.uniform(0, seconds)
        died[1] += attempt(f"after {moment:.3f} s", lambda m=moment: killed_after(lambda: operation.work(at_work), m))
    print(f"{operation.name:26s} {len(calls):5d} {died[0]:16d} {died[1]:17d} {len(faults):5d}", flush=True)
    for fault in faults[:5]:
        print("   ", fault, flush=True)
    return len(faults)


def killed_after(work, seconds):
    """Run ``work`` in a process that is killed at this moment of it; returns whether it was still at work."""
    pid = forked(work)
    time.sleep(seconds)
    os.kill(pid, signal.SIGKILL)
    status = ended(pid)
    if status not in (0, -signal.SIGKILL):
        raise RuntimeError(f"expected it to work until it was killed, but it ended with {status}")
    return status != 0


def again(source, target):
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(source, target, symlinks=True)


if __name__ == "__main__":
    main()
