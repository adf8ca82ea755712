"""A scorer's files of one folder, the table and the journal, kept in step with memory and with other programs."""

from __future__ import annotations

import logging
import os
import secrets
import socket
import threading
import time
from contextlib import contextmanager
from pathlib import PurePosixPath

import numpy as np

from dlcnb.labels.backups import check_finished
from dlcnb.labels.core import Labels
from dlcnb.labels.errors import LabelError
from dlcnb.labels.inside import check_inside
from dlcnb.labels.journal import PREFIX, Journal, journals
from dlcnb.labels.replay import TABLE, Replay
from dlcnb.labels.table_file import TableFile
from dlcnb.project import Project

__all__ = ["SharedFolder"]

log = logging.getLogger(__name__)

IMAGES = (".png", ".jpg", ".jpeg")
LONG = 1000  # lines after which saving makes the journal short again


class SharedFolder:
    """One folder of labeled frames, one scorer, any number of programs at work in it.

    Attributes
    ----------
    folder, scorer, bodyparts : which and whose.
    me : what the lines written here are signed with.
    replay : `Replay`, all there is to know.
    journal, table : `Journal` and `TableFile`.
    threads : lock to be held while reading several things that belong together.
    """

    def __init__(self, project, folder, scorer):
        check_finished(project.root)
        self._root, self.folder, self.scorer, self.bodyparts = project.root, folder, scorer, project.bodyparts
        self.me = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"
        self.threads, self._saving = threading.RLock(), threading.Lock()
        self.journal = Journal(folder, scorer)
        self.table = TableFile(folder, scorer, self.bodyparts)
        self.replay = Replay(self.bodyparts)
        self._stamps, self._unwritten = None, []  # of the table as last seen; what in it is not in the journal yet
        self._header, self._outdated = None, None
        self.sync()
        self.add_images()

    @property
    def labels(self):
        """Everything placed, as `Labels` (a copy)."""
        with self.threads:
            images = [f"labeled-data/{self.folder.name}/{name}" for name in self.replay.images]
            return Labels(self.bodyparts, self.scorer, images, self.replay.points.copy())

    def lost_table(self):
        """Whether the table is gone, although it had been saved."""
        return self._stamps == (None, None) and not np.isnan(self.replay.table_points).all()

    def add_images(self):
        """Give frames that were extracted since a row; they are 'new'."""
        with self.threads:
            found = self.folder.iterdir() if self.folder.is_dir() else ()
            names = [path.name for path in found if path.suffix.lower() in IMAGES and path.name[0] != "."]
            self.replay.add_images(sorted(names))

    def write(self, line):
        """Append a line to the journal, then let it take effect."""
        check_inside(self._root, self.journal.path)
        with self.journal.lock.held():
            check_finished(self._root)
            self._read_journal()
            if not self.journal.exists:
                self._begin_journal()
            self.replay.apply(self._append(line))

    def _append(self, line):
        """Append a line, behind what was noticed in the table since the last; returns it as written."""
        line = {"time": round(time.time(), 3), "by": self.me, **line}
        seen = [{"time": line["time"], "by": TABLE, "saved": True}] if self.replay.found_save else []
        for kind, cells in self._unwritten:
            entries = [{"image": image, "bodypart": part, "to": value} for image, part, value in cells]
            seen.append({"time": line["time"], "by": TABLE, kind: entries})
        self.journal.append([*seen, line])
        self.replay.found_save, self._unwritten = False, []
        return line

    def _take(self, kind, cells):
        """Take over cells of the table (kind "table") or of the h5 alone ("h5"), to be written with the next line."""
        if cells:
            getattr(self.replay, f"take_{kind}")(cells, time.time())
            self._unwritten = [*self._unwritten, (kind, cells)] if self.journal.exists else []

    def _begin_journal(self):
        """Write what is known into a new journal, unless the project is another one by now."""
        renamed = [path for path in journals(self.folder).values() if self._header and self._is_mine(path)]
        vanished = self._stamps not in (None, (None, None)) and self.table.stamps() == (None, None)
        if renamed or (vanished and not self._header) or Project.open(self._root).bodyparts != self.bodyparts:
            raise self._now_outdated("bodyparts or the scorer")
        self._rewrite_journal()

    def _is_mine(self, path):
        journal = Journal(self.folder, path.name.removeprefix(PREFIX).removesuffix(".jsonl"))
        return any(line.get("journal_id") == self._header.get("journal_id") for line in journal.read()[1][:1])

    @contextmanager
    def alone(self):
        """Keep everybody else from editing and saving meanwhile; all that they did is known."""
        with self._saving, self.journal.saving.held(), self.threads, self.journal.lock.held():
            self.sync()
            yield

    def header(self, **changed):
        """First line of the journal."""
        header = self._header or {"journal_id": secrets.token_hex(8)}
        return {**header, "scorer": self.scorer, "bodyparts": list(self.bodyparts), **changed}

    def _rewrite_journal(self):
        header = self.header()
        self.journal.rewrite(header, self.replay.lines())
        self._header, self._unwritten = header, []

    def sync(self):
        """Take over what other programs wrote; errors as `LabelStore.refresh`."""
        if not self.journal.unchanged() or self.table.stamps() != self._stamps:
            with self.journal.lock.held(create=False):
                self._read_journal()
                self._read_table()

    def _read_journal(self):
        """Let the new lines of the journal take effect."""
        if self._outdated:
            raise LabelError(self._outdated)
        if self.journal.unchanged():
            return
        known = len(self.journal.damage)
        restarted, lines = self.journal.read()
        replay = self.replay
        if restarted:
            self._check_header(lines[0] if lines else {})
            known, replay = 0, Replay(self.bodyparts)
            replay.add_images(self.replay.images)
            replay.add_images(line["image"] for line in lines if "image" in line)  # at once is faster
        for line in lines:
            replay.apply(line)
        if restarted:
            for kind, cells in self._unwritten:
                getattr(replay, f"take_{kind}")(cells, time.time())
            self.replay, self._stamps = replay, None  # look at the table again
        for message in self.journal.damage[known:]:
            log.warning("%s", message)

    def _check_header(self, line):
        header = {key: line[key] for key in ("journal_id", "scorer", "bodyparts") if key in line}
        if self._header and header and self._header["bodyparts"] != header.get("bodyparts"):
            raise self._now_outdated("bodyparts")
        self._header = header or self._header

    def _now_outdated(self, what):
        self._outdated = f"the {what} of {self.folder} changed meanwhile; open the project again"
        return LabelError(self._outdated)

    def _read_table(self):
        """Take over what is new in the table."""
        if (stamps := self.table.stamps()) == self._stamps:
            return
        labels = self.table.read()
        changed = self.replay.changed_in(labels) if labels else []
        self._take("table", changed)
        if self._stamps is None or (stamps[1] != self._stamps[1] and self.table.h5_is_newer(stamps)):
            self._read_h5(labels, changed, stamps)
        self._stamps = stamps
        if labels:
            self._compare_rows({PurePosixPath(image).name for image in labels.images})
        elif self.lost_table():
            log.warning("%s is missing; the journal has its labels, saving writes it anew", self.table.csv)

    def _read_h5(self, labels, changed, stamps):
        """Take over what is new in the h5 where the csv is as it was: some programs write only the h5."""
        other = self.table.read_h5(labels)
        if other is None:
            return
        first, newer = self._stamps is None and not self.journal.exists, self.table.h5_is_newer(stamps)
        use = newer and not changed and not first
        name = (self.table.h5 if newer else self.table.csv).name
        used = "what is new in it is taken over" if use else "the csv is used"
        log.warning("%s and its h5 differ; %s is newer, %s", self.table.csv, name, used)
        if use:
            self._take("h5", self.replay.changed_in(other))

    def _compare_rows(self, rows):
        """Frames whose row is gone from the table: forget them if the image is gone too, else keep their labels."""
        replay, unsaved = self.replay, self.replay.unsaved.any(-1)
        without = {name: t for t, name in enumerate(replay.images) if name not in rows}
        gone = {name for name, t in without.items() if not unsaved[t] and not (self.folder / name).exists()}
        kept = [n for n, t in without.items() if n not in gone and not np.isnan(replay.table_points[t]).all()]
        if kept:
            log.warning("%s lacks rows of %d labeled frames, such as %s", self.table.csv, len(kept), kept[0])
            replay.forget_rows(kept)
        replay.drop_images(gone)

    def save(self):
        """Write the table, both files of it or neither; see `LabelStore.save`."""
        paths = self.table.h5, self.table.csv
        for path in paths:
            check_inside(self._root, path)
        with self._saving:
            with self.threads:
                self.sync()
                if not self._to_save().any() and self._whole():
                    return paths
            with self.journal.saving.held():
                check_finished(self._root)
                self._finish_save(*self.table.write(*self._start_save()))
        return paths

    def _to_save(self):
        """Bool ``(T, K)``: points to be written."""
        return self.replay.unsaved | self.lost_table()

    def _whole(self):
        """Whether the table's two files are there and agree, or there is none yet."""
        return self._stamps == (None, None) or (None not in self._stamps and not self.table.differ)

    def _start_save(self):
        """What to write, noted in the journal, so that nobody takes it for another program's."""
        with self.threads, self.journal.lock.held():
            self._read_journal()
            self._read_table()
            if self.journal.exists:
                self._append({"saving": True})
                self.replay.begin_save()
            return self.labels, self._to_save()

    def _finish_save(self, written, stamps):
        with self.threads, self.journal.lock.held():
            self._read_journal()
            self.replay.end_save()
            self.replay.take_table(self.replay.changed_in(written), time.time())
            self._stamps = stamps
            if not self.journal.exists:
                return
            try:
                if self.journal.length > LONG + 2 * len(self.replay.images) and self.journal.lock.exclusive:
                    self._rewrite_journal()
                else:
                    self._append({"saved": True})
            except OSError as error:
                log.warning("the table is saved; the journal could not be told so: %s", error)
