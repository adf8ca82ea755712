"""Commands that tests run: in this process, but for training and tracebacks, which are real processes of their own."""

from __future__ import annotations

import logging
import subprocess
import sys
from dataclasses import dataclass

from click.testing import CliRunner

DLCNB = [sys.executable, "-m", "dlcnb"]
TIMEOUT = 300  # s
_WORDS = ("--help", "--version")
_APART = "train"  # as from a shell, with all that lies around a command
_DEBUG = "--debug"  # whose traceback would be this process's own


@dataclass(frozen=True)
class Done:
    """A command that has ended."""

    returncode: int
    stdout: str
    stderr: str


def run(*arguments: object, code: int = 0) -> Done:
    """Run ``dlcnb``; returns it finished, its exit code checked."""
    line = [str(argument) for argument in arguments]
    worded = code or any(word in line for word in _WORDS)
    here = _DEBUG not in line and (worded or line[0] != _APART)
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
