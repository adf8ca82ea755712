"""Labels while they are made: one folder, one scorer, every edit on disk before it shows, other tabs' edits merged."""

from __future__ import annotations

import logging
import os
import secrets
import socket
import threading
import time
from dataclasses import dataclass
from pathlib import PurePosixPath

import numpy as np

from dlcnb.labels.core import Labels, table_paths
from dlcnb.labels.errors import LabelError
from dlcnb.labels.journal import Edit, Journal, journals
from dlcnb.labels.replay import TABLE, Replay, same
from dlcnb.labels.table_file import TableFile
from dlcnb.project.names import name_problem

__all__ = ["Conflict", "LabelStore", "current_labels"]

log = logging.getLogger(__name__)

IMAGES = (".png", ".jpg", ".jpeg")


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

    def __init__(self, project, video, scorer=None):
        self.folder = project.labeled_dir(video)
        self.scorer = str(scorer or project.scorer)
        self.bodyparts = project.bodyparts
        self._check_scorer()
        self._me = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"
        self._threads = threading.RLock()
        self._journal = Journal(self.folder, self.scorer)
        self._table = TableFile(self.folder, self.scorer, self.bodyparts)
        self._replay, self._stamps, self._rows, self._unwritten = Replay(self.bodyparts), None, set(), []
        self._known = set()
        self.refresh()
        self._known = set(self.conflicts)
        self.add_images()

    def __repr__(self):
        return f"LabelStore({str(self.folder)!r}, {self.scorer!r}, {len(self.images)} images)"

    def _check_scorer(self):
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
    def images(self):
        """T images as ``labeled-data/<video>/img0000.png``, sorted by frame number."""
        return tuple(map(self._full, self._replay.images))

    @property
    def points(self):
        """float64 ``(T, K, 2)``, px of the full frame, NaN = not placed (a copy)."""
        return self._replay.points.copy()

    @property
    def hidden(self):
        """Bool ``(T, K)``: marked not visible (a copy)."""
        return self._replay.hidden.copy()

    @property
    def states(self):
        """'new' (nothing there), 'in work' or 'done' for each image."""
        return tuple(self._replay.state(t) for t in range(len(self._replay.images)))

    def point(self, image):
        """The points of one image, float64 ``(K, 2)``, NaN = not placed; raises `LabelError` for an unknown image."""
        return self._replay.points[self._replay.row(_name(image))].copy()

    def state(self, image):
        """'new', 'in work' or 'done'."""
        return self._replay.state(self._replay.row(_name(image)))

    def origin(self, image, bodypart):
        """Where a value comes from ("hand", "copied", "suggestion …", "table"), or None if nothing is there."""
        t, k = self._replay.where(_name(image), bodypart)
        mark = self._replay.marks.get((_name(image), bodypart))
        return mark.origin if mark and self._replay.value(t, k) is not None else None

    @property
    def labels(self):
        """Everything placed, as `Labels` (a copy)."""
        with self._threads:
            return Labels(self.bodyparts, self.scorer, self.images, self.points)

    @property
    def dirty(self):
        """Whether the table on disk lacks something; the journal has it in any case."""
        with self._threads:
            replay = self._replay
            lacking = self._placed() - self._rows
            missing = bool(self._rows) and not self._table.complete
            return bool(replay.unsaved.any() or lacking or missing or (self._rows and self._table.differ))

    def _placed(self):
        """Names of the images with a point."""
        return {self._replay.images[t] for t in np.flatnonzero(~np.isnan(self._replay.points).all((1, 2)))}

    @property
    def damage(self):
        """What in the journal could not be read, as texts; the rest of it is used."""
        return tuple(self._journal.damage)

    @property
    def conflicts(self):
        """Conflicts that nobody decided yet; list of `Conflict`."""
        with self._threads:
            found = []
            for (name, part), rivals in self._replay.rivals.items():
                value = self._replay.value(*self._replay.where(name, part))
                holder = self._replay.marks.get((name, part))
                found += [self._conflict(name, part, (value, holder), rival) for rival in rivals]
            return found

    def _conflict(self, name, part, held, rival):
        mine, theirs = (rival, held) if rival[1].by == self._me else (held, rival)
        return Conflict(
            self._full(name),
            part,
            mine[0] or None,
            theirs[0] or None,
            self._whose(theirs[1]),
            mine[0] is not False,
            theirs[0] is not False,
        )

    def _whose(self, mark):
        if mark is None or mark.by == TABLE:
            return f"another program, in {self._table.csv.name}"
        if mark.by == self._me:
            return "this tab, earlier"
        host, pid, *_ = mark.by.split(":")
        return f"another tab ({host}, process {pid}, {time.strftime('%d %b %H:%M', time.localtime(mark.time))})"

    def _full(self, name):
        return f"labeled-data/{self.folder.name}/{name}"

    # --- changes

    def apply(self, edits):
        """Make edits: all are on the disk before any of them shows.

        Raises `LabelError` for an unknown image or bodypart or an impossible point, `OSError` with a clear message if
        the journal can't be written (full or read-only disk); nothing is changed then.
        """
        edits = list(edits)
        if not edits:
            return
        with self._threads:
            before, entries = {}, []
            for edit in edits:
                key, value = (_name(edit.image), edit.bodypart), _value(edit)
                seen = before.get(key, self._replay.value(*self._replay.where(*key)))
                before[key] = value
                entries.append({"image": key[0], "bodypart": key[1], "to": value, "from": seen, "origin": edit.origin})
            self._write({"edits": entries})

    def set_done(self, image, done):
        """Say that a frame is finished, or that it is not; errors as `apply`."""
        with self._threads:
            self._replay.row(_name(image))
            self._write({"done": {_name(image): bool(done)}})

    def _write(self, line):
        """Append a line to the journal, then let it take effect."""
        line = {"time": round(time.time(), 3), "by": self._me, **line}
        with self._journal.locked():
            self._catch_up()
            if not self._journal.exists:
                self._rewrite_journal()
            table = [{"image": i, "bodypart": p, "to": v} for i, p, v in self._unwritten]
            seen = [{"time": line["time"], "by": TABLE, "table": table}] if table else []
            self._journal.append([*seen, line])
            self._unwritten = []
            self._replay.apply(line)

    def _rewrite_journal(self):
        header = {"scorer": self.scorer, "bodyparts": self.bodyparts}
        self._journal.rewrite(header, self._replay.lines())
        self._unwritten = []

    def resolve(self, conflict, keep):
        """Decide a conflict: ``keep`` is 'mine' or 'theirs'.

        Raises `LabelError` if it was decided otherwise or edited meanwhile; `OSError` as `apply`.
        """
        if keep not in ("mine", "theirs"):
            raise ValueError(f"keep={keep!r}: expected 'mine' or 'theirs'")
        point, visible = getattr(conflict, keep), getattr(conflict, f"{keep}_visible")
        edit = Edit(conflict.image, conflict.bodypart, point, visible, "resolved")
        with self._threads:
            self.refresh()
            if conflict in self.conflicts:
                self.apply([edit])
                return
            t, k = self._replay.where(_name(conflict.image), conflict.bodypart)
            if not same(self._replay.value(t, k), _value(edit)):
                raise LabelError(
                    f"{conflict.bodypart} in {conflict.image} was changed or decided elsewhere meanwhile; "
                    "look at it again"
                )

    def add_images(self):
        """Give frames that were extracted since a row; they are 'new'."""
        with self._threads:
            found = self.folder.iterdir() if self.folder.is_dir() else ()
            names = [path.name for path in found if path.suffix.lower() in IMAGES and path.name[0] != "."]
            self._replay.add_images(sorted(names))

    # --- what others change

    def refresh(self):
        """Take over what other tabs and programs changed since; cheap if nothing did (three looks at the folder).

        Returns
        -------
        list of Conflict
            Those that are new since the last call; `conflicts` has all.

        Raises
        ------
        LabelError
            If the table, as another program left it, can't be read or doesn't fit; what was there stays.
        """
        with self._threads:
            if not (self._journal.unchanged() and self._table.stamps() == self._stamps):
                with self._journal.locked(create=False):
                    self._catch_up()
            now = self.conflicts
            new = [conflict for conflict in now if conflict not in self._known]
            self._known = set(now)
            return new

    def _catch_up(self):
        damaged = len(self._journal.damage)
        restarted, lines = self._journal.read()
        if restarted:
            images = self._replay.images
            self._replay, self._stamps, self._unwritten = Replay(self.bodyparts), None, []
            self._replay.add_images(images)
            damaged = 0
        for line in lines:
            self._replay.apply(line)
        for message in self._journal.damage[damaged:]:
            log.warning("%s", message)
        if (stamps := self._table.stamps()) != self._stamps:
            self._take_table(stamps)

    def _take_table(self, stamps):
        labels = self._table.read()
        first = self._stamps is None and not self._journal.exists
        changed = self._replay.changed_in(labels) if labels else []
        if self._stamps is None or self._stamps[1] != stamps[1]:
            changed = self._take_h5(changed, first)
        self._rows = {_name(image) for image in labels.images} if labels else set()
        if labels is None and not np.isnan(self._replay.table_points).all():
            log.warning("%s is missing; its labels are kept in the journal, saving writes it anew", self._table.csv)
            self._rows = self._placed()
        self._replay.take_table(changed, time.time())
        self._unwritten += changed if self._journal.exists else []
        self._stamps = stamps

    def _take_h5(self, changed, first):
        """What changed in the h5 where the csv did not: some programs write only the h5."""
        other = self._table.read_h5()
        if other is None:
            return changed
        newer = self._table.newer()
        use = newer == self._table.h5 and not changed and not first
        used = "its new points are taken over" if use else "the csv is used"
        log.warning("%s and its h5 differ; %s is newer, %s", self._table.csv, newer.name, used)
        return self._replay.changed_in(other) if use else changed

    def save(self):
        """Write the table, both files of it or neither; returns their paths (h5, csv).

        What isn't edited stays as it was, byte for byte in the csv. What another program wrote into the table since is
        merged first. Raises `OSError` with a clear message for a full or read-only disk (the old table stays, the
        journal has the edits), `LabelError` for a table that another program damaged.
        """
        with self._threads:
            if not self.dirty and self._journal.unchanged() and self._table.stamps() == self._stamps:
                return self._table.h5, self._table.csv
            with self._journal.locked():
                self._catch_up()
                if self.dirty:
                    self._table.write(self.labels)
                    self._rows = {_name(image) for image in self._table.read().images}
                self._replay.saved()
                self._stamps = self._table.stamps()
                self._compact()
        return self._table.h5, self._table.csv

    def _compact(self):
        if not (self._journal.exists and self._journal.replaceable):
            return
        try:
            self._rewrite_journal()
        except OSError as error:
            log.warning("the table is saved, but the journal stays long: %s", error)


def current_labels(project, scorer=None, *, finished=False):
    """All labels by a scorer as they are now: the tables, and what the journals have beyond them.

    Parameters
    ----------
    project : dlcnb.project.Project
    scorer : None = the project's.
    finished : leave out frames that are in work.

    Raises
    ------
    LabelError
        If there are none by this scorer, or a table is damaged or doesn't fit.
    """
    scorer, parts = scorer or project.scorer, []
    if not any(scorer in journals(folder) for folder in project.labeled_dirs()):
        return Labels.read_project(project, scorer)
    for folder in project.labeled_dirs():
        if scorer in table_paths(folder) or scorer in journals(folder):
            store = LabelStore(project, folder.name, scorer)
            labeled = ~np.isnan(store.points).all((1, 2))
            if finished:
                labeled &= [state == "done" for state in store.states]
            parts.append(store.labels.select(labeled))
    images = tuple(image for part in parts for image in part.images)
    return Labels(project.bodyparts, scorer, images, np.concatenate([part.points for part in parts]))


def _name(image):
    return PurePosixPath(image).name


def _value(edit):
    """The value that an edit sets; raises `LabelError`."""
    if edit.point is None:
        return None if edit.visible else False
    try:
        x, y = (float(v) for v in edit.point)
    except (TypeError, ValueError):
        x = y = np.nan
    if not (np.isfinite(x) and np.isfinite(y) and edit.visible):
        raise LabelError(
            f"{edit.bodypart} in {edit.image}: expected a point (x, y) in pixels, or None, "
            f"found {edit.point!r}{'' if edit.visible else ' marked not visible'}"
        )
    return x, y
