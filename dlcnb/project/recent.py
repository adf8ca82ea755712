"""The projects that this user had open last, kept in a small file of the user's own."""

from __future__ import annotations

import getpass
import json
import logging
from dataclasses import dataclass
from pathlib import Path

from dlcnb.files import StrPath, atomic_write

__all__ = ["Recent", "forget", "last_scorer", "recent_projects", "remember"]

log = logging.getLogger(__name__)

MANY = 20


@dataclass(frozen=True)
class Recent:
    """A project that was open once.

    Attributes
    ----------
    root : Path
        Its folder.
    task, scorer : str
        As they were then.
    """

    root: Path
    task: str
    scorer: str = ""

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
        return [Recent(Path(e["root"]), str(e["task"]), str(e.get("scorer", ""))) for e in entries]
    except FileNotFoundError:
        return []
    except (OSError, ValueError, TypeError, KeyError) as error:
        log.warning("the list of recent projects could not be read (%s); it begins anew", error)
        return []


def remember(root: StrPath, task: str, scorer: str = "") -> None:
    """Put a project first among the recent ones. Where the file can't be written, the log says so."""
    first = Recent(Path(root).absolute(), task, scorer)
    _write([first, *(one for one in recent_projects() if one.root != first.root)][:MANY])


def forget(root: StrPath) -> None:
    """Take a project off the list; nothing of itself is touched."""
    gone = Path(root).absolute()
    _write([one for one in recent_projects() if one.root != gone])


def last_scorer() -> str:
    """Who labels: as in the project that was open last, else the user's name on this computer."""
    for one in recent_projects():
        if one.scorer and one.scorer != "truth":  # the sample's
            return one.scorer
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):  # a user without a name, as in a container
        return "me"


def _write(projects: list[Recent]) -> None:
    entries = [{"root": str(one.root), "task": one.task, "scorer": one.scorer} for one in projects]
    try:
        path = _file()
        path.parent.mkdir(parents=True, exist_ok=True)
        atomic_write(path, json.dumps(entries, indent=1))
    except OSError as error:
        log.warning("the list of recent projects could not be written: %s", error)


def _file() -> Path:
    import platformdirs

    return Path(platformdirs.user_data_dir("dlcnb")) / "recent.json"
