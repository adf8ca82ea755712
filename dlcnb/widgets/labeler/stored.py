"""What a labeling session keeps in tables, and takes in from other tabs and programs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dlcnb.labels import Conflict, LabelStore
from dlcnb.widgets.labeler.assist import Assistance
from dlcnb.widgets.labeler.frames import folders, locked

__all__ = ["Stored"]


class Stored(Assistance):
    """Part of `LabelSession`: its tables, and what others do to them at the same time."""

    scorer: str
    saved: Any  # traits of the session
    taken: Any
    _videos: str | Path | list[str | Path] | None
    _disputes: dict[str, list[Conflict]]

    def save(self) -> None:
        """Write the tables of all videos that have unsaved edits; raises `OSError`, edits stay in the journal."""
        stores = [store for store in self.stores.values() if store.dirty]
        self.saved = "saving" if stores else self.saved
        try:
            for store in stores:
                store.save()
        except BaseException:
            self.saved = "failed"
            raise
        self.saved = self._how_saved()

    def _how_saved(self) -> str:
        return "unsaved" if any(store.dirty for store in self.stores.values()) else "saved"

    def refresh(self, everything: bool = False) -> list[Conflict]:
        """Take in what other tabs and programs changed in this video (or ``everything``); returns the conflicts."""
        for video in list(self.stores) if everything else [self.video]:
            revision, before = self.revision, self._content(video)
            self.stores[video].refresh()
            self._note_conflicts(self.by_video[video][0])
            after = self._content(video)
            if before[1:] != after[1:] or not np.array_equal(before[0], after[0], equal_nan=True):
                with self.lock:  # what is being edited here at this moment is not from elsewhere
                    self.taken += self.revision == revision
                    self.revision += 1
        return self.conflicts

    def _content(self, video: str) -> tuple[NDArray[np.float64], list[Any], tuple[str, ...], list[Conflict]]:
        store = self.stores[video]
        return store.points, store.hidden.tolist(), store.states, list(self._disputes[video])

    @locked
    def resolve(self, conflict: Conflict, keep: str) -> None:
        """End a conflict by keeping ``'mine'`` or ``'theirs'``."""
        self.store(conflict.image).resolve(conflict, keep=keep)
        self.saved = "unsaved"
        self._note_conflicts(conflict.image)
        self.revision += 1

    def _note_conflicts(self, image: str) -> None:
        # kept here, as asking a store would wait for a table that is being written
        video, store = image.split("/")[-2], self.store(image)
        self._disputes[video] = list(store.conflicts)
        if len(store.images) != len(self.by_video[video]):  # another tab labels frames that were extracted since
            self._index_images()

    @property
    def conflicts(self) -> list[Conflict]:
        """Points that were changed here and elsewhere at once, to be resolved."""
        return [conflict for disputes in list(self._disputes.values()) for conflict in disputes]

    @locked
    def add_images(self) -> int:
        """Take in frames that were extracted since, also those of videos that had none before; returns how many."""
        before = len(self.images)
        for folder in folders(self.project, self._videos):
            if folder.name not in self.stores:
                self.stores[folder.name] = LabelStore(self.project, folder.name, self.scorer)
                self._disputes[folder.name] = list(self.stores[folder.name].conflicts)
        for store in self.stores.values():
            store.add_images()
        self._index_images()
        self.find_outliers()
        new = len(self.images) - before
        self.revision += new > 0
        return new
