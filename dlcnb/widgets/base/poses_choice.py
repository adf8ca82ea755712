"""Which poses of a video are looked at: of which network and iteration, and of which of several animals."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import ipywidgets

from dlcnb.poses import MultiAnimalPoses, Poses, is_several, newest_poses, part_looked_at, pose_tables
from dlcnb.widgets.base.choices import short_names
from dlcnb.widgets.base.html import Html, muted
from dlcnb.widgets.base.quiet import Quiet
from dlcnb.widgets.base.view import row, set_class

if TYPE_CHECKING:
    from dlcnb.project import Project
    from dlcnb.video import VideoReader

__all__ = ["PosesChoice", "fitting", "table_names", "video_of"]

ALL = "all animals"
ABOUT = "Poses of this video, the newest first; those of earlier networks (shuffle = run) and iterations, too"

log = logging.getLogger(__name__)


class PosesChoice:
    """Two lists: tables of poses, and, of several animals, those in the one chosen.

    Beside them stands which part of the frames the table was made from, if not from all.

    Parameters
    ----------
    video : Path
    poses : Poses or path, optional
        What is looked at first; None = the newest table of the video that can be read. With `Poses` there is nothing
        to choose.
    changed : callable
        Called with the `Poses` of another choice.
    failed : callable
        Called with an exception, of a table that can't be read or of ``changed``. The choice is then as before.
    together : bool
        Whether all animals may be looked at together; else one at a time, the first at first.
    beside : bool
        Whether it stands beside much else: then a single table, of which there is no choice, is not named.

    Attributes
    ----------
    row : the widget.
    poses : Poses
    table : Path or None
        Where they are from; None if they were given as such.

    Raises
    ------
    FileNotFoundError, TableError
        If there are no poses, or they can't be read.
    """

    def __init__(
        self,
        video: Path,
        poses: Poses | Path | str | None,
        changed: Callable[[Poses], object],
        failed: Callable[[Exception], object],
        *,
        together: bool = True,
        beside: bool = False,
    ) -> None:
        self._video, self._changed, self._failed, self._together = video, changed, failed, together
        self._quiet, self._least = Quiet(), 2 if beside else 1
        self.tables = ipywidgets.Dropdown(layout=ipywidgets.Layout(flex="1 1 150px", min_width="0", margin="0"))
        self.animals = ipywidgets.Dropdown(layout=ipywidgets.Layout(width="150px", margin="0"))
        self.animals.tooltip = "Which of the animals"
        self.part = Html()
        self.row = row([Html("poses"), self.tables, self.animals, self.part], tight=True)
        self.row.add_class("dlcnb-poses")
        self.table: Path | None = None
        if isinstance(poses, Poses):
            self.poses = poses
            self.row.layout.display = "none"
            return
        if poses is None:
            self._take_newest()
        else:
            self._take(Path(poses).absolute(), None)
        self.refresh()
        self.tables.observe(self._quiet.ignored(lambda change: self._choose(change.new, self.animals.value)), "value")
        self.animals.observe(self._quiet.ignored(lambda change: self._choose(self.table, change.new)), "value")

    def refresh(self) -> None:
        """See which tables there are now."""
        if self.table is None:
            return
        tables = pose_tables(self._video, self.table.parent)
        tables = tables if self.table in tables else [self.table, *tables]
        options = list(zip(table_names(tables, self._video), tables, strict=True))
        with self._quiet:
            if list(self.tables.options) != options:
                self.tables.options = options
            self.tables.value = self.table
            self.tables.tooltip = f"{ABOUT}. This one: {self.table.name}"
            if self.animals.options != self._names:
                self.animals.options = self._names
            self.animals.value = self._animal
        named = len(tables) >= self._least
        self.tables.layout.display = None if named else "none"
        self.animals.layout.display = None if self._names else "none"
        set_class(self.row, "dlcnb-of-several", bool(self._names))
        crop = part_looked_at(self.table)
        self.part.value = muted("only x {} to {}, y {} to {} was looked at".format(*crop)) if crop else ""
        self.part.layout.display = None if crop else "none"
        self.row.layout.display = None if named or self._names or crop else "none"

    def _take_newest(self) -> None:
        """Read the newest table that can be read; those before it that can't are told."""
        newest = newest_poses(self._video)
        others = (one for one in pose_tables(self._video, newest.parent) if one != newest)
        tables = [newest, *sorted(others, key=is_several)]  # as `newest_poses` has it, of one animal first
        for n, table in enumerate(tables):
            try:
                self._take(table, None)
                return
            except (OSError, ValueError) as error:
                if n + 1 == len(tables):
                    raise
                log.warning("%s. The next older poses are shown.", str(error).rstrip("."))

    def _take(self, table: Path, animal: str | None) -> None:
        """Read a table, and take that animal, else all of them, or the first."""
        names: tuple[str, ...] = ()
        if is_several(table):
            several = MultiAnimalPoses.read(table).seen()
            names = (*([ALL] if self._together else []), *several.individuals)
            animal = animal if animal in names else names[0]
            poses = several.together() if animal == ALL else several.animal(str(animal))
        else:
            poses, animal = Poses.read(table), None
        self.table, self.poses, self._names, self._animal = table, poses, names, animal

    def _choose(self, table: Path | None, animal: str | None) -> None:
        if table is None:
            return
        before = self.table, self.poses, self._names, self._animal
        try:
            self._take(table, animal)
            self._changed(self.poses)
        except Exception as error:
            self.table, self.poses, self._names, self._animal = before
            self._failed(error)
        self.refresh()


def table_names(tables: Sequence[Path], video: Path) -> list[str]:
    """What tables of poses are called in a list: "step 400 · filtered · 28 Nov 14:30 · shuffle 2".

    What tells them apart comes first, as the list shows no more in a narrow page; what all have in common comes last.
    """
    rests = [table.stem.removeprefix(video.stem).removesuffix("_filtered") for table in tables]
    known = [re.search(r"shuffle(\d+)_?(?:snapshot)?_?(\d+)", rest) for rest in rests]
    foreign = iter(short_names([rest for rest, match in zip(rests, known, strict=True) if not match]))
    columns = [
        [f"shuffle {match[1]}" if match else next(foreign) for match in known],
        [f"step {match[2]}" if match else "" for match in known],
        ["several animals" * is_several(table) for table in tables],
        ["filtered" * table.stem.endswith("_filtered") for table in tables],
        [f"{datetime.fromtimestamp(table.stat().st_mtime):%d %b %H:%M}" for table in tables],
    ]
    if len(tables) > 1:
        columns.sort(key=lambda column: len(set(column)) == 1)
    return [" · ".join(filter(None, parts)) for parts in zip(*columns, strict=True)]


def video_of(project: Project, video: Path | str | None) -> Path:
    """Path of a video from its path or its name in the project; None = the project's first."""
    if video is None:
        if not project.videos:
            raise FileNotFoundError(f"{project.root} has no video yet: add one (dlcnb add-videos).")
        video = project.videos[0]
    path = Path(video)
    return path if path.is_file() else project.video(video)


def fitting(poses: Poses, reader: VideoReader, table: Path | None) -> Poses:
    """Poses without those beyond the end of the video; ``table`` is where they are from, if it is known."""
    return poses.within(len(reader), "the poses" if table is None else table)
