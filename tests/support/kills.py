"""Programs that die at a chosen call that changes the disk, as by `kill -9`."""

from __future__ import annotations

import os
from collections.abc import Callable

import pytest

__all__ = ["killed", "needs_fork"]

needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")

CALLS = ("replace", "unlink", "mkdir", "fsync", "ftruncate", "write")
KILLED = 9


def killed(work: Callable[[], object], at: int, names: tuple[str, ...] = CALLS) -> bool:
    """Run ``work`` in a process that dies before its ``at``-th call (from 1) of these functions of `os`.

    Returns whether it died; False = it made fewer calls and came to its end. An error in it fails the test.
    """
    pid = os.fork()
    if not pid:
        try:
            _die_at(at, names)
            work()
            os._exit(0)
        finally:
            os._exit(1)
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    assert status in (0, KILLED)
    return status == KILLED


def _die_at(at: int, names: tuple[str, ...]) -> None:
    made = [0]

    def watched(call: Callable[..., object]) -> Callable[..., object]:
        def before(*arguments: object, **more: object) -> object:
            made[0] += 1
            if made[0] == at:
                os._exit(KILLED)
            return call(*arguments, **more)

        return before

    for name in names:
        setattr(os, name, watched(getattr(os, name)))
