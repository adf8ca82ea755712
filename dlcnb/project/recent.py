"""The projects that this user had open last, and under which name, kept in small files of the user's own."""

from __future__ import annotations

import getpass
import json
import logging
from dataclasses import dataclass
from pathlib import Path

from dlcnb.files import StrPath, atomic_write

__all__ = ["Recent", "forget", "last_scorer", "recent_projects", "remember", "remember_scorer", "remembered_length"]

log = logging.getLogger(__name__)

MANY = 20
_LONGEST = 100  # letters of a name


@dataclass(frozen=True)
class Recent:
    """A project that was open once.

    Attributes
    ----------
    root : Path
        Its folder.
    task : str
        As it was then.
    length : str
        Unit that was chosen for lengths last, "px" or "cm"; "" = none was.
    """

    root: Path
    task: str
    length: str = ""

    @property
    def there(self) -> bool:
        """Whether it still lies there."""
        try:
            return (self.root / "config.yaml").is_file()
        except OSError:
            return False


def recent_projects() -> list[Recent]:
    """The projects that were open last, the newest first; those that are gone too."""
    try:
        entries = json.loads(_file().read_text(encoding="utf-8"))
        return [Recent(Path(e["root"]), str(e["task"]), e.get("length", "")) for e in entries]
    except FileNotFoundError:
        return []
    except (OSError, ValueError, TypeError, KeyError, RecursionError) as error:
        log.warning("the list of recent projects could not be read (%s); it begins anew", error)
        return []


def remember(root: StrPath, task: str, length: str | None = None) -> None:
    """Put a project first among the recent ones. Where the file can't be written, the log says so.

    Parameters
    ----------
    root, task, length
        As of `Recent`; a ``length`` of None keeps that of last time.
    """
    first = Recent(Path(root).absolute(), task, length or remembered_length(root))
    _write([first, *(one for one in recent_projects() if one.root != first.root)][:MANY])


def remembered_length(root: StrPath) -> str:
    """Unit that was chosen last for this project's lengths, "px" or "cm"; "" = none was."""
    here = Path(root).absolute()
    return next((one.length for one in recent_projects() if one.root == here and one.length in ("px", "cm")), "")


def forget(*roots: StrPath) -> None:
    """Take projects off the list; nothing of themselves is touched."""
    gone = {Path(root).absolute() for root in roots}
    _write([one for one in recent_projects() if one.root not in gone])


def last_scorer() -> str:
    """Who labels: as `remember_scorer` was told last, else the user's name on this computer.

    The scorer of a project that was opened is none of these: it may be another person's.
    """
    try:
        if told := _file("scorer.txt").read_text(encoding="utf-8").strip()[:_LONGEST]:
            return told
    except (OSError, UnicodeDecodeError):
        pass  # there is none, or none that can be read
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):  # a user without a name, as in a container
        return "me"


def remember_scorer(name: str) -> None:
    """Remember under which name this user labels. Where the file can't be written, the log says so."""
    _keep("scorer.txt", name)


def _write(projects: list[Recent]) -> None:
    entries = [{"root": str(one.root), "task": one.task, "length": one.length} for one in projects]
    _keep("recent.json", json.dumps(entries, indent=1))


def _keep(name: str, text: str) -> None:
    try:
        path = _file(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        atomic_write(path, text)
    except OSError as error:
        log.warning("%s could not be written: %s", name, error)


def _file(name: str = "recent.json") -> Path:
    import platformdirs

    return Path(platformdirs.user_data_dir("dlcnb")) / name
