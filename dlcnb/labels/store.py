"""Labels while they are made: one folder, one scorer, every edit on disk before it shows, other tabs' edits merged."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from dlcnb.labels.core import table_paths
from dlcnb.labels.errors import LabelError
from dlcnb.labels.journal import Edit, journals
from dlcnb.labels.shared import SharedFolder
from dlcnb.labels.values import TABLE, Source, Value, same
from dlcnb.project.names import name_problem

if TYPE_CHECKING:
    from dlcnb.labels.core import Labels
    from dlcnb.labels.replay import Replay
    from dlcnb.project import Project

__all__ = ["Conflict", "LabelStore"]


@dataclass(frozen=True)
class Conflict:
    """A bodypart that was changed in two places, by people who did not see each other's change.

    Attributes
    ----------
    image, bodypart : which.
    mine, theirs : ``(x, y)`` in px, or None where it is not placed.
    whose : who made the other change, for people to read.
    mine_visible, theirs_visible : False where it is marked not visible.
    """

    image: str
    bodypart: str
    mine: tuple[float, float] | None
    theirs: tuple[float, float] | None
    whose: str
    mine_visible: bool = True
    theirs_visible: bool = True


class LabelStore:
    """The labels of one video's extracted frames by one scorer, ready to be edited.

    Any number of tabs and programs may have the same folder open: each sees the others' edits on `refresh`. All
    methods may be called from any thread.

    Parameters
    ----------
    project : dlcnb.project.Project
    video : the video, or the name of its folder in labeled-data.
    scorer : whose labels; None = the project's scorer. Nobody else's table or journal is ever touched.

    Attributes
    ----------
    folder : ``labeled-data/<video>``. scorer : str. bodyparts : K names.

    Raises
    ------
    LabelError
        If the table is damaged or doesn't fit the project, or the scorer can't be one.
    """

    def __init__(self, project: Project, video: str | Path, scorer: str | None = None) -> None:
        self.folder = project.labeled_dir(video)
        self.scorer = str(scorer or project.scorer)
        self.bodyparts = project.bodyparts
        self._check_scorer()
        self._shared = SharedFolder(project, self.folder, self.scorer)
        self._known = set(self.conflicts)

    def __repr__(self) -> str:
        return f"LabelStore({str(self.folder)!r}, {self.scorer!r}, {len(self.images)} images)"

    def _check_scorer(self) -> None:
        if problem := name_problem(self.scorer, for_file=True):
            raise LabelError(f"the scorer {self.scorer!r} {problem}; choose another name")
        others = {*table_paths(self.folder), *journals(self.folder)} - {self.scorer}
        if twin := next((other for other in others if other.lower() == self.scorer.lower()), None):
            raise LabelError(
                f"{self.folder} has labels by '{twin}'; '{self.scorer}' differs from it only in upper and lower case, "
                "and some systems would mix up their files. Choose another name, or exactly that one."
            )

    # --- what is there

    @property
    def _replay(self) -> Replay:
        return self._shared.replay

    def _name(self, image: str) -> str:
        """Name of an image without its folder; raises `LabelError` for one of another folder."""
        name = PurePosixPath(image).name
        if image not in (name, self._full(name)):
            raise LabelError(f"{image} is not in {self.folder}; expected an image such as {self._full('img0000.png')}")
        return name

    @property
    def images(self) -> tuple[str, ...]:
        """T images as ``labeled-data/<video>/img0000.png``, sorted by frame number."""
        return tuple(map(self._full, self._replay.images))

    @property
    def points(self) -> NDArray[np.float64]:
        """float64 ``(T, K, 2)``, px of the full frame, NaN = not placed (a copy)."""
        return self._replay.points.copy()

    @property
    def hidden(self) -> NDArray[np.bool_]:
        """Bool ``(T, K)``: marked not visible (a copy)."""
        return self._replay.hidden.copy()

    @property
    def states(self) -> tuple[str, ...]:
        """'new' (nothing there), 'in work' or 'done' for each image."""
        return tuple(self._replay.state(t) for t in range(len(self._replay.images)))

    def point(self, image: str) -> NDArray[np.float64]:
        """The points of one image, float64 ``(K, 2)``, NaN = not placed; raises `LabelError` for an unknown image."""
        return self._replay.points[self._replay.row(self._name(image))].copy()

    def state(self, image: str) -> str:
        """'new', 'in work' or 'done'."""
        return self._replay.state(self._replay.row(self._name(image)))

    def origin(self, image: str, bodypart: str) -> str | None:
        """Where a value comes from ("hand", "copied", "suggestion …", "table"), or None if nothing is there."""
        t, k = self._replay.where(self._name(image), bodypart)
        source = self._replay.sources.get((self._name(image), bodypart))
        return source.origin if source and self._replay.value(t, k) is not None else None

    @property
    def labels(self) -> Labels:
        """Everything placed, as `Labels` (a copy)."""
        return self._shared.labels

    @property
    def dirty(self) -> bool:
        """Whether the table on disk lacks something; the journal has it in any case."""
        with self._shared.threads:
            return bool(self._replay.unsaved.any() or self._shared.lost_table())

    @property
    def damage(self) -> tuple[str, ...]:
        """What in the journal could not be read, as texts; the rest of it is used."""
        return tuple(self._shared.journal.damage)

    @property
    def conflicts(self) -> list[Conflict]:
        """Conflicts that nobody decided yet; list of `Conflict`."""
        with self._shared.threads:
            found = []
            for (name, part), rivals in self._replay.rivals.items():
                value = self._replay.value(*self._replay.where(name, part))
                holder = self._replay.sources.get((name, part))
                found += [self._conflict(name, part, (value, holder), rival) for rival in rivals]
            return found

    def _conflict(
        self, name: str, part: str, held: tuple[Value, Source | None], rival: tuple[Value, Source]
    ) -> Conflict:
        mine: tuple[Value, Source | None]
        theirs: tuple[Value, Source | None]
        mine, theirs = (rival, held) if rival[1].by == self._shared.me else (held, rival)
        return Conflict(
            self._full(name),
            part,
            mine[0] or None,
            theirs[0] or None,
            self._whose(theirs[1]),
            mine[0] is not False,
            theirs[0] is not False,
        )

    def _whose(self, source: Source | None) -> str:
        if source is None or source.by == TABLE:
            return f"another program, in {self._shared.table.csv.name}"
        if source.by == self._shared.me:
            return "this tab, earlier"
        host, pid, *_ = source.by.split(":")
        return f"another tab ({host}, process {pid}, {time.strftime('%d %b %H:%M', time.localtime(source.time))})"

    def _full(self, name: str) -> str:
        return f"labeled-data/{self.folder.name}/{name}"

    # --- changes

    def apply(self, edits: Iterable[Edit]) -> None:
        """Make edits: all are on the disk before any of them shows.

        Raises `LabelError` for an unknown image or bodypart or an impossible point, `OSError` with a clear message if
        the journal can't be written (full or read-only disk); nothing is changed then.
        """
        edits = list(edits)
        if not edits:
            return
        with self._shared.threads:
            before: dict[tuple[str, str], Value] = {}
            entries = []
            for edit in edits:
                key, value = (self._name(edit.image), edit.bodypart), edit.value
                seen = before.get(key, self._replay.value(*self._replay.where(*key)))
                before[key] = value
                entries.append({"image": key[0], "bodypart": key[1], "to": value, "from": seen, "origin": edit.origin})
            self._shared.write({"edits": entries})

    def set_done(self, image: str, done: bool) -> None:
        """Say that a frame is finished, or that it is not; errors as `apply`."""
        with self._shared.threads:
            self._replay.row(self._name(image))
            self._shared.write({"done": {self._name(image): bool(done)}})

    def add_images(self) -> None:
        """Give frames that were extracted since a row; they are 'new'."""
        self._shared.add_images()

    def resolve(self, conflict: Conflict, keep: str) -> None:
        """Decide a conflict: ``keep`` is 'mine' or 'theirs'.

        Raises `LabelError` if it was decided otherwise or edited meanwhile; `OSError` as `apply`.
        """
        if keep not in ("mine", "theirs"):
            raise ValueError(f"keep={keep!r}: expected 'mine' or 'theirs'")
        point, visible = getattr(conflict, keep), getattr(conflict, f"{keep}_visible")
        edit = Edit(conflict.image, conflict.bodypart, point, visible, "resolved")
        with self._shared.threads:
            self._shared.sync()
            if conflict in self.conflicts:
                self.apply([edit])
                return
            t, k = self._replay.where(self._name(conflict.image), conflict.bodypart)
            if not same(self._replay.value(t, k), edit.value):
                raise LabelError(
                    f"{conflict.bodypart} in {conflict.image} was changed or decided elsewhere meanwhile; "
                    "look at it again"
                )

    # --- what others change

    def refresh(self) -> list[Conflict]:
        """Take over what other tabs and programs changed since; cheap if nothing did (three looks at the folder).

        Returns
        -------
        list of Conflict
            Those that are new since the last call; `conflicts` has all.

        Raises
        ------
        LabelError
            If the table, as another program left it, can't be read or doesn't fit, or the project's bodyparts were
            changed; what was there stays.
        """
        with self._shared.threads:
            self._shared.sync()
            now = self.conflicts
            new = [conflict for conflict in now if conflict not in self._known]
            self._known = set(now)
            return new

    def save(self) -> tuple[Path, Path]:
        """Write the table, both files of it or neither; returns their paths (h5, csv).

        What isn't edited stays as it was, byte for byte in the csv. What another program wrote into the table since is
        merged first. Edits may be made meanwhile. Raises `OSError` with a clear message for a full or read-only disk
        (the old table stays, the journal has the edits), `LabelError` for a table that another program damaged.
        """
        return self._shared.save()
