"""Programs that die at a chosen call that changes the disk, as by `kill -9`."""

from __future__ import annotations

import os
import pathlib
import shutil
import traceback
from collections.abc import Callable
from typing import Any

import pytest

__all__ = ["EVERY", "calls_of", "ended", "forked", "killed", "needs_fork"]

needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")

CALLS = ("replace", "unlink", "mkdir", "fsync", "ftruncate", "write")
EVERY = (*CALLS, "rename", "rmdir", "link", "symlink", "write_bytes", "copyfile")
_WRITES = ("write", "write_bytes")  # that can be done by half
KILLED = 9
_Watch = Callable[[str, Callable[..., Any], tuple[Any, ...], dict[str, Any]], Any]


def killed(work: Callable[[], object], at: int, names: tuple[str, ...] = CALLS, when: str = "before") -> bool:
    """Run ``work`` in a process that dies at its ``at``-th call (from 1) of these functions that change the disk.

    ``when``: "before" the call, "after" it, or "half" through what it writes (else before it). Returns whether it
    died; False = it made fewer calls and came to its end. An error in it fails the test.
    """
    made = [0]

    def watch(name: str, call: Callable[..., Any], arguments: tuple[Any, ...], more: dict[str, Any]) -> Any:
        made[0] += 1
        if made[0] != at:
            return call(*arguments, **more)
        if when == "half" and name in _WRITES:
            call(arguments[0], arguments[1][: len(arguments[1]) // 2])
        elif when == "after":
            call(*arguments, **more)
        os._exit(KILLED)

    status = ended(forked(work, names, watch))
    assert status in (0, KILLED)
    return status == KILLED


def calls_of(work: Callable[[], object], names: tuple[str, ...] = EVERY) -> list[str]:
    """The calls that change the disk that ``work`` makes, in a process of its own that comes to its end."""
    read, write = os.pipe()
    tell = os.write

    def watch(name: str, call: Callable[..., Any], arguments: tuple[Any, ...], more: dict[str, Any]) -> Any:
        tell(write, f"{name} ".encode())
        return call(*arguments, **more)

    pid = forked(work, names, watch)
    os.close(write)
    with open(read, "rb") as pipe:
        made = pipe.read().decode().split()
    assert ended(pid) == 0
    return made


def forked(work: Callable[[], object], names: tuple[str, ...] = (), watch: _Watch | None = None) -> int:
    """Do ``work`` in a process of its own, whose calls ``names`` ``watch`` sees; returns its number."""
    pid = os.fork()
    if pid:
        return pid
    try:
        if watch:
            _put_in_place(names, watch)
        work()
        os._exit(0)
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(1)


def ended(pid: int) -> int:
    """Wait for the end of a process of `forked`; returns its exit code, 0 if the work came to its end."""
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def _put_in_place(names: tuple[str, ...], watch: _Watch) -> None:
    homes = {"write_bytes": pathlib.Path, "copyfile": shutil}

    def watched(name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        return lambda *arguments, **more: watch(name, call, arguments, more)

    for name in names:
        home = homes.get(name, os)
        setattr(home, name, watched(name, getattr(home, name)))
