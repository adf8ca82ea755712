"""Names: of bodyparts, videos and runs, and what was meant by a mistyped one."""

from __future__ import annotations

import datetime
import difflib
import os
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dlcnb.files import StrPath, composed

__all__ = [
    "FAILED_START",
    "ProjectError",
    "Skeleton",
    "basename",
    "checked_bodyparts",
    "checked_date",
    "copied_from",
    "edge_of",
    "edges_of",
    "file_problem",
    "folder_name",
    "is_stray",
    "is_video",
    "name_problem",
    "nearest",
    "network_word",
    "run_info",
    "run_root",
    "video_stem",
]


LONGEST = 120  # bytes of a name that becomes a part of file names; most systems allow 255 in all
_NO_FILE = re.compile(r'[<>:"/\\|?*]')
_RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)


class ProjectError(ValueError):
    """A project that can't be created, opened or changed; the message says what was expected."""


def nearest(word: object, choices: Iterable[object]) -> str:
    """Hint at what a mistyped ``word`` meant: ``"; did you mean 'x'?"``, or "" if no choice is close."""
    by_lower = {str(choice).lower(): str(choice) for choice in choices}
    found = difflib.get_close_matches(str(word).lower(), by_lower, 1, 0.7)
    return f"; did you mean '{by_lower[found[0]]}'?" if found else ""


def basename(path: object) -> str:
    """Last part of a path written on any system."""
    return re.split(r"[\\/]", str(path).rstrip("\\/"))[-1]


def is_video(path: object) -> bool:
    """Whether the suffix is a video's; the file need not exist."""
    from dlcnb.video import VIDEO_SUFFIXES  # here, because loading the video library takes a while

    return Path(basename(path)).suffix.lower() in VIDEO_SUFFIXES


def is_stray(path: object) -> bool:
    """Whether a file's name is one that no program gives its data: hidden, or a copy that a file manager made.

    ``._x.png`` (macOS on a foreign disk), ``x - Copy (2).csv`` (Windows), ``x copy.csv`` (macOS), ``x (1).csv`` (a
    browser), ``x~`` (an editor).
    """
    name = basename(path)
    copied = re.search(r" copy( \d+| \(\d+\))?$| \(\d+\)$", Path(name).stem, re.IGNORECASE)
    return name.startswith(".") or name.endswith("~") or copied is not None


def copied_from(folder: str) -> str | None:
    """The name that a folder's is made of, if it says that it is a copy: 'vid1' of ``vid1_backup``, ``vid1 - Copy``."""
    copy = r"([ _.-]+(backup|bak|copy|old|orig|original)[ _.-]*\d*)?( \(\d+\)|~)?"
    match = re.fullmatch(f"(.+?){copy}", folder, re.IGNORECASE)
    return match[1] if match and match[1] != folder else None


def video_stem(video: object) -> str:
    r"""'m3v1' of 'C:\data\m3v1.mp4' or of 'm3v1' itself; raises `ProjectError` for no name at all."""
    name = composed(basename(video))
    stem = Path(name).stem if is_video(name) else name
    if stem in ("", ".", ".."):
        raise ProjectError(f"expected the name of a video, found {str(video)!r}")
    return stem


def name_problem(name: object, *, for_file: bool) -> str | None:
    """What is wrong with a name, or None. Names that end up in file names have stricter rules."""
    if not isinstance(name, str) or not name.strip():
        return "is empty or not text"
    if name != name.strip() or re.search(r"[\x00-\x1f\ud800-\udfff]", name):
        return "begins or ends with a space, or contains a control character"
    if for_file and (_NO_FILE.search(name) or name.strip(".") != name):
        return "has one of <>:\"/\\|?* or a dot at an end, which folder names can't have"
    if for_file and len(name.encode()) > LONGEST:
        return f"takes more than {LONGEST} bytes, too long for a part of file names"
    return None


def file_problem(name: str) -> str | None:
    """What is wrong with the name of a file that comes from another computer, or None."""
    if problem := name_problem(name, for_file=False):
        return problem
    if name.strip(".") != name:
        return "begins or ends with a dot"
    if _RESERVED.fullmatch(name):
        return "is a name that Windows keeps for a device"
    if len(name.encode()) > LONGEST:
        return f"takes more than {LONGEST} bytes, too long: the tables of a video have its name and more"
    if _NO_FILE.search(name) and (os.name == "nt" or "/" in name):
        return "has one of <>:\"/\\|?*, which file names can't have"
    return None


@dataclass(frozen=True)
class Skeleton:
    """Bodyparts in their order, and the edges to draw between them.

    Raises `ProjectError` for empty or duplicate bodyparts and for edges between unknown ones.
    """

    bodyparts: tuple[str, ...]
    edges: tuple[tuple[str, str], ...] = ()

    def __post_init__(self) -> None:
        parts = checked_bodyparts(self.bodyparts)
        object.__setattr__(self, "bodyparts", parts)
        object.__setattr__(self, "edges", tuple((*edge,) for edge in self.edges))
        for edge in self.edges:
            unknown = [part for part in edge if part not in parts]
            if len(edge) != 2 or unknown:
                hint = nearest(unknown[0], parts) if unknown else ""
                raise ProjectError(f"a skeleton edge joins two of {', '.join(parts)}; found {list(edge)}{hint}")

    @property
    def index_edges(self) -> NDArray[np.int64]:
        """Edges as an int array ``(E, 2)`` of positions in ``bodyparts``."""
        where = {part: k for k, part in enumerate(self.bodyparts)}
        return np.array([[where[a], where[b]] for a, b in self.edges], int).reshape(-1, 2)


def edges_of(skeleton: Skeleton | ArrayLike | None) -> NDArray[np.int64]:
    """Edges as an int array ``(E, 2)``, of a `Skeleton`, an array_like of them, or None."""
    return np.asarray(getattr(skeleton, "index_edges", () if skeleton is None else skeleton), int).reshape(-1, 2)


def edge_of(text: str, parts: Sequence[str]) -> tuple[str, str]:
    """The two bodyparts of "a-b", whose own names may hold hyphens; raises `ProjectError`."""
    text = text.strip()
    for n, letter in enumerate(text):
        first, second = text[:n].strip(), text[n + 1 :].strip()
        if letter == "-" and first in parts and second in parts:
            return first, second
    names = ", ".join(parts) or "none yet"
    raise ProjectError(f"skeleton: expected two of the bodyparts ({names}) joined by a hyphen, found {text!r}")


def checked_bodyparts(parts: object) -> tuple[str, ...]:
    """Bodyparts as a tuple of str; raises `ProjectError`."""
    if isinstance(parts, str) or not isinstance(parts, (list, tuple)) or not parts:
        found = "nothing" if parts is None else repr(parts)
        raise ProjectError(f"bodyparts: expected a list of at least one name, found {found}")
    names = tuple(str(p) if isinstance(p, int) and not isinstance(p, bool) else p for p in parts)
    for name in names:
        if not isinstance(name, str):
            told = "nothing" if name is None else f"{name} that is no text"
            raise ProjectError(f"bodyparts: expected names, found {told}; put it in quotes, such as 'null' or '1.5'")
        if problem := name_problem(name, for_file=False):
            raise ProjectError(f"bodyparts: the name {name!r} {problem}; give each bodypart a plain name")
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise ProjectError(f"bodyparts: {', '.join(twice)} given more than once; each name must differ")
    return names


def folder_name(task: str, scorer: str, day: datetime.date | None = None) -> str:
    """What the folder of a project is called that is made on a day, by default today."""
    return f"{task}-{scorer}-{day or datetime.date.today():%Y-%m-%d}"


def checked_date(date: datetime.date | str | None) -> datetime.date:
    """A `datetime.date` from one, from ISO text, or from None (today); raises `ProjectError`."""
    if date is None or isinstance(date, datetime.date):
        return date or datetime.date.today()
    try:
        return datetime.date.fromisoformat(date)
    except (TypeError, ValueError):
        raise ProjectError(f"date: expected a date such as 2018-10-30, found {date!r}") from None


FAILED_START = "failed-start"  # file in a run that ended in an error before its first step
RUN = re.compile(r"(?P<task_date>.+)-trainset(?P<percent>\d+)shuffle(?P<shuffle>\d+)")


def network_word(backbone: str) -> str:
    """A network in the names of tables, as DeepLabCut writes it.

    >>> network_word("efficientnet-lite0")
    'EfficientnetLite0'
    """
    return "".join(part.capitalize() for part in backbone.split("-"))


def run_root(run: StrPath) -> Path:
    """The run's folder, of which ``train`` is a part."""
    run = Path(run)
    return run.parent if run.name == "train" else run


def run_info(run: StrPath) -> dict[str, Any]:
    """``{"shuffle", "train_fraction", "task_date"}`` from the path of a run."""
    match = RUN.fullmatch(run_root(run).name)
    if not match:
        raise ProjectError(f"expected a run such as …/<Task><date>-trainset95shuffle1/train, found {run}")
    return {
        "shuffle": int(match["shuffle"]),
        "train_fraction": int(match["percent"]) / 100,
        "task_date": match["task_date"],
    }
