"""A scorer's files of one folder, the table and the journal, kept in step with memory and with other programs."""

from __future__ import annotations

import logging
import os
import secrets
import socket
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dlcnb.labels.backups import check_finished
from dlcnb.labels.core import Labels
from dlcnb.labels.errors import LabelError, changed_meanwhile
from dlcnb.labels.images import frame_images
from dlcnb.labels.inside import check_inside
from dlcnb.labels.journal import PREFIX, Journal, Line, Stamp, journals
from dlcnb.labels.replay import Replay
from dlcnb.labels.table_file import Files, NewTable, TableFile
from dlcnb.labels.values import TABLE, Cell
from dlcnb.project import Project

__all__ = ["SharedFolder"]

log = logging.getLogger(__name__)

Stamps = tuple[Stamp | None, Stamp | None]
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

    def __init__(self, project: Project, folder: Path, scorer: str) -> None:
        check_finished(project.root)
        self._root, self.folder, self.scorer, self.bodyparts = project.root, folder, scorer, project.bodyparts
        self.me = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"
        self.threads, self._saving = threading.RLock(), threading.Lock()
        self.journal = Journal(folder, scorer)
        self.table = TableFile(folder, scorer, self.bodyparts)
        self.replay = Replay(self.bodyparts)
        self._stamps: Stamps | None = None  # of the table as last seen
        self._files: Files = {}  # of the table as last read
        self._unwritten: list[Line] = []  # what was noticed in the table and is not in the journal yet
        self._header: Line | None = None
        self._outdated = ""
        self.sync()
        self.add_images()

    @property
    def labels(self) -> Labels:
        """Everything placed, as `Labels` (a copy)."""
        with self.threads:
            images = tuple(f"labeled-data/{self.folder.name}/{name}" for name in self.replay.images)
            return Labels(self.bodyparts, self.scorer, images, self.replay.points.copy())

    def lost_table(self) -> bool:
        """Whether the table is gone, although it had been saved."""
        return self._stamps == (None, None) and not np.isnan(self.replay.table_points).all()

    def add_images(self) -> None:
        """Give frames that were extracted since a row; they are 'new'."""
        with self.threads:
            self.replay.add_images(frame_images(self.folder))

    def write(self, line: Line) -> None:
        """Append a line to the journal, then let it take effect."""
        check_inside(self._root, self.journal.path)
        with self.journal.lock.held():
            check_finished(self._root)
            if self._read_journal():
                with suppress(LabelError):  # a damaged table keeps nobody from labeling
                    self._read_table()
            if not self.journal.exists:
                self._begin_journal()
            self._append(line)

    def _append(self, line: Line) -> None:
        """Append a line, behind what was noticed in the table since the last, and let it take effect."""
        line = self._signed(line)
        found = self._found_save() if self.replay.found_save else []
        self.journal.append([*found, *self._unwritten, line])
        self.replay.found_save, self._unwritten = False, []
        self.replay.apply(line)

    def _found_save(self) -> list[Line]:
        """Say that a save was found in the table, and which files are there: it may have ended between the two."""
        files = {**self._files, "differ": self.table.differ, "odd": self.table.odd}
        return [{**self._signed(line), "by": TABLE} for line in ({"saved": True}, {"files": files})]

    def _signed(self, line: Line) -> Line:
        return {"time": round(time.time(), 3), "by": self.me, **line}

    def _take(self, kind: str, cells: Sequence[Cell]) -> None:
        """Take over cells of the table (kind "table") or of the h5 alone ("h5"), to be written with the next line."""
        if not cells:
            return
        if not self.journal.exists and kind == "table":
            self.replay.take_table(cells, time.time(), in_journal=False)
            return
        entries = [{"image": image, "bodypart": part, "to": value} for image, part, value in cells]
        self._notice({kind: entries})

    def _notice(self, line: Line) -> None:
        line = {**self._signed(line), "by": TABLE}
        self.replay.apply(line)
        self._unwritten = [*self._unwritten, line] if self.journal.exists else []

    def _begin_journal(self) -> None:
        """Write what is known into a new journal, unless the project is another one by now."""
        renamed = [path for path in journals(self.folder).values() if self._header and self._is_mine(path)]
        vanished = self._stamps not in (None, (None, None)) and self.table.stamps() == (None, None)
        if renamed or (vanished and not self._header) or Project.open(self._root).bodyparts != self.bodyparts:
            raise self._now_outdated("bodyparts or the scorer")
        self._rewrite_journal()

    def _is_mine(self, path: Path) -> bool:
        journal = Journal(self.folder, path.name.removeprefix(PREFIX).removesuffix(".jsonl"))
        return any(line.get("journal_id") == (self._header or {}).get("journal_id") for line in journal.read()[1][:1])

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Keep everybody else from editing and saving meanwhile; all that they did is known."""
        with self._saving, self.journal.saving.held(), self.threads, self.journal.lock.held():
            self.sync()
            yield

    def header(self, **changed: Any) -> Line:
        """First line of the journal."""
        header = self._header or {"journal_id": secrets.token_hex(8)}
        return {**header, "scorer": self.scorer, "bodyparts": list(self.bodyparts), **changed}

    def _rewrite_journal(self) -> None:
        header = self.header()
        self.journal.rewrite(header, self.replay.lines())
        self._header, self._unwritten = header, []

    def sync(self) -> None:
        """Take over what other programs wrote; errors as `LabelStore.refresh`."""
        self._check_current()
        if not self.journal.unchanged() or self.table.stamps() != self._stamps:
            with self.journal.lock.held(create=False):
                self._read_journal()
                self._read_table()

    def _read_journal(self) -> bool:
        """Let the new lines of the journal take effect; whether it was read from its beginning."""
        self._check_current()
        if self.journal.unchanged():
            return False
        known = len(self.journal.damage)
        restarted, lines = self.journal.read()
        if lines and self._unwritten and not restarted:
            # What was noticed in the table is noticed again, behind these lines, as it will stand in the journal.
            restarted, lines = True, self.journal.read_anew()
        replay = self.replay
        if restarted:
            self._check_header(lines[0] if lines else {})
            known, replay = 0, Replay(self.bodyparts)
            replay.add_images(self.replay.images)
            replay.add_images(line["image"] for line in lines if "image" in line)  # at once is faster
        for line in lines:
            replay.apply(line)
        if restarted:
            self.replay, self._stamps, self._unwritten = replay, None, []  # look at the table again
        for message in self.journal.damage[known:]:
            log.warning("%s", message)
        return restarted

    def _check_header(self, line: Line) -> None:
        header: Line = {key: line[key] for key in ("journal_id", "scorer", "bodyparts") if key in line}
        if self._header and header and self._header["bodyparts"] != header.get("bodyparts"):
            raise self._now_outdated("bodyparts")
        self._header = header or self._header

    def _check_current(self) -> None:
        if self._outdated:
            raise LabelError(self._outdated)

    def _now_outdated(self, what: str) -> LabelError:
        error = changed_meanwhile(what, self.folder)
        self._outdated = str(error)
        return error

    def _read_table(self) -> None:
        """Take over what is new in the table."""
        if (stamps := self.table.stamps()) == self._stamps:
            return
        digests, labels = self.table.digests(), self._labels_in_table()
        self._files = digests
        csv_is_known = self.replay.knows("csv", digests["csv"])
        self._take("table", self.replay.changed_in(labels) if labels else [])
        self._read_h5(labels, digests, csv_is_known)
        self._stamps = stamps
        if labels is None and self.lost_table():
            log.warning("%s is missing; the journal has its labels, saving writes it again", self.table.csv)
        if labels or self.lost_table():
            self._compare_rows({PurePosixPath(image).name for image in labels.images} if labels else set())

    def _labels_in_table(self) -> Labels | None:
        try:
            return self.table.read()
        except LabelError as error:
            if self._stamps and Project.open(self._root).bodyparts != self.bodyparts:
                raise self._now_outdated("bodyparts") from error
            raise

    def _read_h5(self, labels: Labels | None, digests: Files, csv_is_known: bool) -> None:
        """Take over what is new in the h5: some programs write only that.

        Times tell nothing (a copied project has any): an h5 that was written here, or seen before, is not new. If the
        csv is as it was and the h5 is not, all in the h5 is new; else only the rows that the csv lacks.
        """
        replay, table = self.replay, self.table
        if replay.agrees(digests):
            table.differ = table.odd = False
            return
        other = table.read_h5(labels)
        if replay.knows("h5", digests["h5"]):
            table.odd = table.differ and bool(replay.files.get("odd"))
        elif other is None or labels is None:
            table.odd = table.differ
        else:
            rows, new = {PurePosixPath(image).name for image in labels.images}, replay.changed_in(other)
            new = new if csv_is_known else [cell for cell in new if cell[0] not in rows]
            table.odd = not csv_is_known
            used = "what is new in the h5 is taken over" if new else "the csv is used"
            log.warning("%s and its h5 differ; %s", table.csv, used)
            self._take("h5", new)
        if not all(replay.knows(kind, digest) for kind, digest in digests.items()):
            self._notice({"files": {**digests, "differ": table.differ, "odd": table.odd}})

    def _compare_rows(self, rows: set[str]) -> None:
        """Frames whose row is gone from the table: forget them if the image is gone too, else keep their labels."""
        replay, unsaved = self.replay, self.replay.unsaved.any(-1)
        without = {name: t for t, name in enumerate(replay.images) if name not in rows}
        gone = {name for name, t in without.items() if not unsaved[t] and not (self.folder / name).exists()}
        kept = [n for n, t in without.items() if n not in gone and not np.isnan(replay.table_points[t]).all()]
        if kept:
            log.warning("%s lacks rows of %d labeled frames, such as %s", self.table.csv, len(kept), kept[0])
            replay.forget_rows(kept)
        replay.drop_images(gone)

    def save(self) -> tuple[Path, Path]:
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
                new = self.table.prepared(*self._start_save())
                self._note({"writing": {**new.digests}})
                self._finish_save(new, self.table.write(new))
        return paths

    def _to_save(self) -> NDArray[np.bool_]:
        """Bool ``(T, K)``: points to be written."""
        return self.replay.unsaved | self.lost_table()

    def _whole(self) -> bool:
        """Whether the table's two files are there and agree, or there is none yet."""
        return self._stamps == (None, None) or (self.table.complete and not self.table.differ)

    def _start_save(self) -> tuple[Labels, NDArray[np.bool_]]:
        """What to write, noted in the journal, so that nobody takes it for another program's."""
        with self.threads, self.journal.lock.held():
            self._read_journal()
            self._read_table()
            if self.journal.exists:
                self._append({"saving": True})
            return self.labels, self._to_save()

    def _note(self, line: Line) -> None:
        """Append a line if there is a journal."""
        with self.threads, self.journal.lock.held():
            self._read_journal()
            if self.journal.exists:
                self._append(line)

    def _finish_save(self, new: NewTable, stamps: Stamps) -> None:
        with self.threads, self.journal.lock.held():
            self._read_journal()
            self.replay.end_save()
            self.replay.take_table(self.replay.changed_in(new.labels), time.time())
            self._stamps = stamps
            if not self.journal.exists:
                return
            try:
                if self.journal.length > LONG + 2 * len(self.replay.images) and self.journal.lock.exclusive:
                    self._rewrite_journal()
                else:
                    self._append({"saved": True})
            except OSError as error:
                log.warning("the table is saved, but the journal could not record that: %s", error)
