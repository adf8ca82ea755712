"""A browser of the folders on the computer where the kernel runs."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import ipywidgets

from dlcnb.widgets.base.html import Html, muted
from dlcnb.widgets.base.quiet import Quiet
from dlcnb.widgets.base.view import View, button, gesture, row, shown

__all__ = ["Entry", "FolderBrowser", "entries", "working_folder"]

MOST = 60  # rows; the rest is found by typing a part of its name


def working_folder() -> Path:
    """The folder that the kernel works in; home where that one was deleted."""
    try:
        return Path.cwd()
    except FileNotFoundError:
        return Path.home()


@dataclass(frozen=True)
class Entry:
    """A row: a folder to go into, or something to choose."""

    path: Path
    choice: bool


def entries(folder: Path, wanted: Callable[[Path], bool]) -> list[Entry]:
    """What there is to see in a folder: what is ``wanted`` first, then the other folders; each in order of its name.

    Hidden ones are left out. Raises `OSError` if the folder can't be read.
    """
    found = []
    for path in sorted(folder.iterdir(), key=lambda path: path.name.lower()):
        if path.name.startswith("."):
            continue
        try:
            choice = wanted(path)
            if choice or path.is_dir():
                found.append(Entry(path, choice))
        except OSError:  # a folder that may not be looked into
            continue
    return sorted(found, key=lambda entry: not entry.choice)


class FolderBrowser(View):
    """Folders as rows to press, and what can be chosen in them.

    Parameters
    ----------
    wanted : callable
        ``wanted(path)``: whether a path can be chosen (a folder that can is not gone into).
    chosen : callable
        Called with the path of a row that was pressed, or that was typed.
    folder : path, optional
        Where to begin; by default where the kernel is.
    icon : str
        Of what can be chosen.
    nothing : str
        What to say of a folder that has nothing to choose.
    beside : widget, optional
        What stands beside the list, as high as it.

    Attributes
    ----------
    folder : Path
    """

    def __init__(
        self,
        wanted: Callable[[Path], bool],
        chosen: Callable[[Path], object],
        *,
        folder: str | Path | None = None,
        icon: str = "file",
        nothing: str = "",
        beside: ipywidgets.Widget | None = None,
    ) -> None:
        self._wanted, self._chosen, self._icon, self._nothing = wanted, chosen, icon, nothing
        self._quiet, self._rows = Quiet(), dict[Path, ipywidgets.Button]()
        self.folder = Path(folder or working_folder()).expanduser().absolute()
        grows = ipywidgets.Layout(flex="1 1 160px", width="auto", min_width="0")
        self.address = ipywidgets.Text(continuous_update=False, layout=grows)
        self.address.add_class("dlcnb-address")
        self.address.observe(self._quiet.ignored(lambda change: self.go(change.new)), "value")
        self.part = ipywidgets.Text(
            placeholder="filter by name", layout=ipywidgets.Layout(width="130px", flex="0 1 auto")
        )
        self.part.tooltip = "Only names with this in them are listed"
        self.part.observe(self._quiet.ignored(lambda _: self.refresh()), "value")
        up = button("arrow-up", "To the folder above", lambda: self.go(self.folder.parent))
        home = button("home", "To your home folder", lambda: self.go(Path.home()))
        again = button("refresh", "Look into the folder again", self.refresh)
        self.list, self.note = ipywidgets.VBox(), Html()
        inside = ipywidgets.VBox([self.list, self.note])  # as high whatever is in it, so that nothing below moves
        inside.add_class("dlcnb-folders")
        looking = ipywidgets.Box([inside] if beside is None else [inside, beside])
        looking.add_class("dlcnb-looking")
        super().__init__([row([up, home, again, self.address, self.part], tight=True), looking])
        self.refresh()

    @gesture
    def go(self, path: str | Path) -> None:
        """Look into a folder; a path to something that can be chosen chooses it."""
        path = Path(path).expanduser()
        path = path if path.is_absolute() else self.folder / path
        self.tell("")
        if path.exists() and self._wanted(path):
            self._quiet.set(self.address, value=str(self.folder))
            self._chosen(path)
            return
        try:
            if not path.is_dir():
                found = "a file that is none of those" if path.exists() else "nothing of that name"
                raise NotADirectoryError(f"{path}: expected a folder on this computer, found {found}. Check the path.")
            entries(path, self._wanted)
        except PermissionError:
            raise PermissionError(f"You may not look into {path}; ask its owner, or choose another folder.") from None
        finally:
            self._quiet.set(self.address, value=str(self.folder))
        self.folder = Path(os.path.normpath(path))
        self._quiet.set(self.part, value="")
        self.refresh()

    @shown
    def refresh(self) -> None:
        """Look into the folder again."""
        found = entries(self.folder, self._wanted)
        part = self.part.value.strip().lower()
        hits = [entry for entry in found if part in entry.path.name.lower()]
        self._quiet.set(self.address, value=str(self.folder))
        before, self._rows = list(self._rows.values()), {}
        for entry in hits[:MOST]:
            self._rows[entry.path] = self._row(entry)
        self.list.children = list(self._rows.values())
        for old in before:
            old.layout.close()
            old.style.close()
            old.close()
        self.note.value = muted(self._words(found, hits))

    def _row(self, entry: Entry) -> ipywidgets.Button:
        what = "Choose" if entry.choice else "Look into"
        handler = (lambda: self._choose(entry.path)) if entry.choice else (lambda: self.go(entry.path))
        made = button(
            self._icon if entry.choice else "folder", f"{what} {entry.path.name}", handler, entry.path.name, "auto"
        )
        made.add_class("dlcnb-entry")
        if entry.choice:
            made.add_class("dlcnb-choice")
        return made

    @gesture
    def _choose(self, path: Path) -> None:
        self.tell("")
        self._chosen(path)

    def mark(self, chosen: list[Path]) -> None:
        """Show which rows are chosen."""
        for path, made in self._rows.items():
            icon = "check" if path in chosen else self._icon
            if "dlcnb-choice" in made._dom_classes and made.icon != icon:
                made.icon = icon

    def _words(self, found: list[Entry], hits: list[Entry]) -> str:
        if len(hits) > MOST:
            return f"{len(hits) - MOST} more: type a part of the name."
        if found and not hits:
            return "No name here contains this text."
        return "" if any(entry.choice for entry in found) else self._nothing
