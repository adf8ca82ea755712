"""Commands that tests run: in this process where nothing but words comes of it, else as real processes."""

from __future__ import annotations

import logging
import subprocess
import sys
from dataclasses import dataclass

from click.testing import CliRunner

DLCNB = [sys.executable, "-m", "dlcnb"]
TIMEOUT = 300  # s
_WORDS = ("--help", "--version")
_APART = ("--debug",)  # whose traceback would be this process's own


@dataclass(frozen=True)
class Done:
    """A command that has ended."""

    returncode: int
    stdout: str
    stderr: str


def run(*arguments: object, code: int = 0) -> Done:
    """Run ``dlcnb``; returns it finished, its exit code checked. Help and errors need no process of their own."""
    line = [str(argument) for argument in arguments]
    here = (code or any(word in line for word in _WORDS)) and not any(word in line for word in _APART)
    done = _here(line) if here else _apart(line)
    assert done.returncode == code, done.stderr
    return done


def _here(line: list[str]) -> Done:
    from dlcnb.cli import main

    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    try:
        found = CliRunner().invoke(main, line, prog_name="dlcnb")
    finally:
        root.handlers[:] = handlers  # a command sets up its own, which end with it
        root.setLevel(level)
    if found.exception is not None and not isinstance(found.exception, SystemExit):
        raise found.exception
    return Done(found.exit_code, found.stdout, found.stderr)


def _apart(line: list[str]) -> Done:
    done = subprocess.run([*DLCNB, *line], capture_output=True, text=True, timeout=TIMEOUT, stdin=subprocess.DEVNULL)
    return Done(done.returncode, done.stdout, done.stderr)
