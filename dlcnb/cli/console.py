"""What all commands share: results as text or JSON, progress on a terminal, one clear line for an error."""

from __future__ import annotations

import functools
import json
import logging
import os
import re
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn

import click

import dlcnb
from dlcnb.files import unhidden

__all__ = [
    "EXAMPLES",
    "Console",
    "Detached",
    "Interrupted",
    "LocalPath",
    "Report",
    "choice_option",
    "clock",
    "command",
    "main",
    "not_a",
    "project_argument",
    "table",
    "videos_argument",
]

_REDRAW = 0.1  # s between two states of the progress line
_JSON_HELP = """Print one JSON object on standard output; where the command fails (exit code 1) it has "error", the line
that is also on standard error."""
EXAMPLES = {"integer": "8", "float": "2.5", "number": "2.5", "list": "0.8,1.2"}  # of values that options take
_LINES = (2.0, 30.0)  # s between two lines of progress in a pipe: at least, at most


class _Main(click.Group):
    """The commands; of what is no number it is said what was expected, what was found, and how to write it."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command that is named."""
        try:
            return super().invoke(ctx)
        except click.BadParameter as error:
            if found := re.fullmatch(r"(.*) is not a valid (integer|float)(?: range)?\.", error.message):
                kind = "whole number" if found[2] == "integer" else "number"
                said = not_a(f"a {kind}", found[1], EXAMPLES[found[2]])
                raise click.BadParameter(said, error.ctx, error.param, error.param_hint) from None
            raise


def not_a(expected: str, found: str, example: str) -> str:
    """What to say of a value that an option can't have."""
    return f"expected {expected}, found {found}; it is written like {example}."


@click.group(cls=_Main, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(dlcnb.__version__, prog_name="dlcnb")
def main() -> None:
    """DeepLabCut in the notebook, from the command line: from a video to trajectories.

    New here? `dlcnb demo` does everything once on sample data, `dlcnb studio` begins with your video,
    `dlcnb lab` opens JupyterLab and brings the tutorials.
    """


@dataclass(frozen=True)
class Report:
    """What a command found: ``data`` for --json, ``text`` for people, ``problem`` if part of it failed."""

    data: dict
    text: str
    problem: str | None = None


class Interrupted(RuntimeError):
    """The command was ended by Ctrl-C or SIGTERM; ``code`` is its exit code, 128 and the number of the signal."""

    def __init__(self, message: str, number: int = signal.SIGINT) -> None:
        super().__init__(message)
        self.code = 128 + number


class Detached(Interrupted):
    """The worker was left to itself by a second Ctrl-C."""


def command(
    name: str, summary: str, cls=click.Command, group: click.Group | None = None
) -> Callable[[Callable[..., Report]], click.Command]:
    """Make a function a command of `main`, or of another group, with a summary of a few words for its list of commands.

    The function is given a `Console` and its options, and returns a `Report`. An exception becomes one line on
    standard error, with --json also ``{"error": message}`` on standard output, and exit code 1; 130 for Ctrl-C.
    """

    def decorate(function: Callable[..., Report]) -> click.Command:
        @(group or main).command(name, short_help=summary, cls=cls)
        @click.option("--json", "as_json", is_flag=True, help=_JSON_HELP)
        @click.option("--debug", is_flag=True, help="Show the whole traceback of an error.")
        @functools.wraps(function)
        def run(as_json: bool, debug: bool, **arguments: Any) -> None:
            _set_up_logging(debug)
            console = Console(as_json)
            try:
                with _ctrl_c():
                    report = function(console, **arguments)
            except (click.ClickException, click.exceptions.Exit):
                raise
            except (Exception, KeyboardInterrupt) as error:
                if debug:
                    raise
                console.fail(_message(error), _code(error))
            console.show(report)

        run.params.sort(key=lambda option: option.name in ("as_json", "debug"))  # these last
        return run

    return decorate


@contextmanager
def _ctrl_c() -> Iterator[None]:
    """Make whatever error follows a Ctrl-C a KeyboardInterrupt.

    One that comes while a library loads may leave half of it behind, whose own error says nothing.
    """
    came = []

    def handle(number: int, frame: FrameType | None) -> None:
        came.append(number)
        signal.default_int_handler(number, frame)

    mine = signal.getsignal(signal.SIGINT) is signal.default_int_handler
    if mine and threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGINT, handle)
    try:
        yield
    except Exception as error:
        if came and not isinstance(error, (Interrupted, click.ClickException, click.exceptions.Exit)):
            raise KeyboardInterrupt from error
        raise
    finally:
        if signal.getsignal(signal.SIGINT) is handle:
            signal.signal(signal.SIGINT, signal.default_int_handler)


class LocalPath(click.Path):
    """A path on this machine; one of Windows on another system is wrong usage, with a hint."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The path as it is, or as `click.Path` makes it."""
        if os.name != "nt" and re.match(r"[A-Za-z]:|\\\\", str(value)) and not os.path.exists(value):
            self.fail(
                f"{value!r} is a Windows path, which this machine does not know. Give the path under which the file is "
                "seen here (on WSL C:\\data is /mnt/c/data; a network share is mounted somewhere).",
                param,
                ctx,
            )
        return super().convert(value, param, ctx)


class ProjectPath(LocalPath):
    """The path of a project; for one that is not there those that are in the current folder are named."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The path as it is."""
        path = super().convert(value, param, ctx)
        if not os.path.exists(path):
            here = [found.parent.name for found in unhidden(Path(), "/config.yaml")]
            told = ", ".join(here[:8]) + ", …" * (len(here) > 8)
            there = (
                f"in this folder there are: {told}" if here else "in this folder there is none (dlcnb demo makes one)"
            )
            self.fail(
                f"{value!r} does not exist: expected a project's folder, with its config.yaml; {there}.", param, ctx
            )
        return path


def project_argument(function: Callable[..., Any]) -> Callable[..., Any]:
    """The argument PROJECT: a project's folder, or its config.yaml."""
    return click.argument("root", metavar="PROJECT", type=ProjectPath())(function)


def videos_argument(function: Callable[..., Any]) -> Callable[..., Any]:
    """The argument VIDEOS, files or folders of them, and its option --recursive."""
    function = click.option("--recursive", is_flag=True, help="Take the videos in subfolders, too.")(function)
    return click.argument("videos", nargs=-1, required=True, type=LocalPath())(function)


def choice_option(name: str, choices: Sequence[str], *, help: str) -> Callable[..., Any]:
    """An option that is one of these words; the first is the default."""
    return click.option(name, type=click.Choice(choices), default=choices[0], show_default=True, help=help)


class Console:
    """Standard error for people, standard output for results: text, or one JSON object."""

    def __init__(self, as_json: bool = False) -> None:
        self._as_json = as_json
        self._terminal = sys.stderr.isatty()
        self._drawn = False
        self._next = 0.0
        self._told = 0.0, time.monotonic()  # share and time of the last line in a pipe

    def note(self, text: str) -> None:
        """One line for people."""
        self.clear()
        click.echo(text, err=True)

    def progress(self, share: float, text: str) -> None:
        """Redraw the progress line; ``share`` is 0..1. Nothing is shown unless standard error is a terminal."""
        now = time.monotonic()
        if not self._terminal or (now < self._next and share < 1):
            return
        self._next, self._drawn = now + _REDRAW, True
        filled = round(24 * min(max(share, 0), 1))
        click.echo(f"\r\x1b[K{'█' * filled}{'░' * (24 - filled)} {100 * share:3.0f} %  {text}", nl=False, err=True)

    def progress_line(self, share: float, text: str) -> None:
        """Where `progress` shows nothing: a line at every tenth or so, and at least every half minute.

        With --json standard error stays quiet.
        """
        (told, when), now = self._told, time.monotonic()
        fewest, most = _LINES
        if self._terminal or self._as_json or share >= 1 or now - when < fewest:
            return
        if int(10 * share) > int(10 * told) or now - when >= most:
            self._told = share, now
            self.note(f"{100 * share:3.0f} %  {text}")

    def waiting(self, words: str) -> Waiting:
        """For work that can't tell its share: ``with console.waiting("plotting"):`` tells how long it has run."""
        return Waiting(self, words)

    def tick(self, seconds: float, words: str) -> None:
        """Redraw a line without a share; in a pipe (not with --json) a new one now and then."""
        if self._terminal:
            self._drawn = True
            click.echo(f"\r\x1b[K{words} … {clock(seconds)}", nl=False, err=True)
        elif not self._as_json and seconds % _LINES[1] < 1 <= seconds:
            self.note(f"{words} … {clock(seconds)}")

    def clear(self) -> None:
        """Take the progress line away."""
        if self._drawn:
            click.echo("\r\x1b[K", nl=False, err=True)
            self._drawn = False

    def fail(self, message: str, code: int = 1) -> NoReturn:
        """One line on standard error, with --json the same as {"error": ...} on standard output; then it exits."""
        message = _one_line(message)
        if self._as_json:
            click.echo(json.dumps({"error": message}))
        self._leave(message, code)

    def _leave(self, message: str, code: int = 1) -> NoReturn:
        self.note(f"dlcnb: error: {message}")
        sys.exit(code)

    def show(self, report: Report) -> None:
        """Print a report; a problem in it is an error after the output, with --json in the same object."""
        from dlcnb.jobs.events import plain

        self.clear()
        problem = _one_line(report.problem) if report.problem else None
        data = {**report.data, "error": problem} if problem else report.data
        if text := json.dumps(plain(data)) if self._as_json else report.text:
            click.echo(text)
        if problem:
            self._leave(problem)


class Waiting:
    """Tells every second how long something has run, until the block, or `stop`, ends it."""

    def __init__(self, console: Console, words: str) -> None:
        self._console, self._words, self._ended = console, words, threading.Event()
        self._thread = threading.Thread(target=self._run, name="dlcnb-waiting", daemon=True)

    def __enter__(self) -> Waiting:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """Tell no more."""
        if not self._ended.is_set():
            self._ended.set()
            self._thread.join()
            self._console.clear()

    def _run(self) -> None:
        seconds = 0
        while not self._ended.wait(1):
            seconds += 1
            self._console.tick(seconds, self._words)


def clock(seconds: float | None) -> str:
    """75.3 -> "1:15", 4000 -> "1:06:40"; "" for None."""
    if seconds is None:
        return ""
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"


def table(rows: Iterable[Sequence[Any]]) -> str:
    """Rows of cells, the first of them heads, as aligned text: numbers to the right; the first column, and words, left.

    (The head of a column of long paths would be out of sight on the right.)
    """
    columns = list(zip(*([str(cell) for cell in row] for row in rows), strict=True))
    for n, column in enumerate(columns):
        width, left = (
            max(map(len, column)),
            not n or all(cell[:1].isalpha() or cell[:1] in "/\\" for cell in column[1:]),
        )
        columns[n] = tuple(cell.ljust(width) if left else cell.rjust(width) for cell in column)
    return "\n".join("  ".join(row).rstrip() for row in zip(*columns, strict=True))


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _message(error: BaseException) -> str:
    if isinstance(error, KeyboardInterrupt):  # nothing is loaded for it, as it may have come while that was
        return "Interrupted."
    from dlcnb.jobs.explain import explain

    return str(error) if isinstance(error, Interrupted) else explain(error)


def _code(error: BaseException) -> int:
    if isinstance(error, KeyboardInterrupt):
        return 128 + signal.SIGINT
    return error.code if isinstance(error, Interrupted) else 1


def _set_up_logging(debug: bool) -> None:
    logging.basicConfig(
        level=logging.DEBUG if debug else logging.WARNING,
        format="%(levelname)s: %(message)s",
        stream=sys.stderr,
        force=True,
    )
