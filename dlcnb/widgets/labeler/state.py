"""Labeling as state without pixels: where one is, what is placed, what a click or a key does to it."""

from __future__ import annotations

import threading

import numpy as np
from traitlets import Enum, HasTraits, Int, Unicode

from dlcnb.labels import Edit, LabelError, LabelStore
from dlcnb.project import Project
from dlcnb.widgets.labeler.assist import Assistance
from dlcnb.widgets.labeler.frames import SHOW, Cursor, Frames, folders
from dlcnb.widgets.labeler.history import Change, History, Mark, same_mark

__all__ = ["MODES", "SHOW", "Cursor", "LabelSession"]

MODES = ("sequential", "quick", "loop")


class LabelSession(Frames, Assistance, HasTraits):
    """One scorer's labels of some videos of a project, with undo, modes and suggestions.

    Every edit is in the journal on disk when the method that made it returns; the tables follow with `save`.
    Methods may be called from any thread.

    Parameters
    ----------
    project : Project or path
    videos : list of paths or names, optional
        Whose extracted frames to label; by default all that have any.
    scorer : str, optional
        Who labels; by default the project's scorer.

    Attributes
    ----------
    images : all images, video after video; ``by_video`` the same for each.
    cursor : `Cursor`, where one works.

    Raises
    ------
    LabelError
        If there is no frame to label, or a table is damaged.
    OSError
        If an edit can't be written; then nothing has changed.
    """

    mode = Enum(MODES, "sequential", help="What a click does after placing: next bodypart, or next frame.")
    show = Enum(SHOW, "all", help="The frames that `step` stops at.")
    saved = Enum(("saved", "unsaved", "saving", "failed"), "saved", help="Whether the tables have all edits.")
    message = Unicode("", help="A hint for the user; empty when there is none.")
    revision = Int(0, help="Counts the changes of labels, suggestions and conflicts.")

    def __init__(self, project, videos=None, scorer=None):
        super().__init__()
        self.project = project if isinstance(project, Project) else Project.open(project)
        self.scorer = scorer or self.project.scorer
        self.bodyparts = tuple(self.project.bodyparts)
        self.lock = threading.RLock()
        self.cursor, self.history = Cursor(), History()
        self.image_size = None  # (height, width) of the cursor's image, once a view knows it
        self._clipboard = None
        self._videos = videos
        self.stores = {
            folder.name: LabelStore(self.project, folder.name, self.scorer) for folder in folders(self.project, videos)
        }
        self.saved = self._how_saved()
        self._index_images()
        self._disputes = {video: list(store.conflicts) for video, store in self.stores.items()}
        self.go_to(next((i for i in self.images if self.state(i) != "done"), self.images[0]))

    # --- labeling ---

    def next_mode(self):
        """Change to the next mode."""
        self.mode = MODES[(MODES.index(self.mode) + 1) % len(MODES)]

    def click(self, point):
        """Place the current bodypart at (x, y) and move on as the mode says.

        In the sequential mode a bodypart that is placed already stays where it is: drag it, or delete it first.
        """
        bodypart = self.cursor.bodypart
        if self.mode == "sequential" and self.marks()[self.part].state == "placed":
            self._note(f"{bodypart} is placed already: drag it to move it, or choose another bodypart")
            return
        self.place(point)
        self._move_on()

    def place(self, point, bodypart=None, origin="hand"):
        """Put a bodypart (default: the current one) at (x, y), image pixels, and make it the current one.

        Raises `LabelError` if that is outside of the image.
        """
        self._check_inside(point)
        if bodypart is not None:
            self.choose(bodypart)
        self._mark([(self.cursor.bodypart, Mark(tuple(map(float, point))))], origin)

    def nudge(self, dx, dy):
        """Move the current bodypart by (dx, dy) pixels, up to the edge of the image."""
        point = self.marks()[self.part].point
        if point is None:
            self._note(f"{self.cursor.bodypart} is not placed")
            return
        self.place(self.clipped((point[0] + dx, point[1] + dy)))

    def delete(self):
        """Take the current bodypart's point or its 'not visible' away."""
        if self.marks()[self.part].state == "open":
            self._note(f"{self.cursor.bodypart} is not placed")
        else:
            self._mark([(self.cursor.bodypart, Mark())])

    def hide(self):
        """Mark the current bodypart as not visible and move on, or take that back."""
        unseen = self.marks()[self.part].state == "not visible"
        self._mark([(self.cursor.bodypart, Mark(visible=unseen))])
        if not unseen:
            self._move_on()

    def finish(self):
        """Call the frame done, its open bodyparts not visible; a frame that is done goes back in work."""
        image, done = self.cursor.image, self.state() == "done"
        parts = [name for name, mark in zip(self.bodyparts, self.marks(), strict=True) if mark.state == "open"]
        if parts and not done:
            self._mark([(name, Mark(visible=False)) for name in parts])
        else:
            self._apply([Change(image, None, done, not done)])

    def copy(self):
        """Remember this frame's points."""
        self._clipboard = self.marks()
        self._note(f"{sum(mark.point is not None for mark in self._clipboard)} points copied")

    def paste(self):
        """Put the points remembered by `copy` where bodyparts are open."""
        self._fill(self._clipboard, "nothing copied yet: Ctrl+C copies the points of a frame")

    def copy_previous(self):
        """Put the points of the previous labeled frame where bodyparts are open."""
        image = self.previous_labeled()
        self._fill(image and self.marks(image), "no labeled frame before this one in the video")

    def _fill(self, marks, nothing):
        if not marks:
            self._note(nothing)
            return
        pairs = zip(self.bodyparts, marks, self.marks(), strict=True)
        new = [(name, Mark(mark.point)) for name, mark, mine in pairs if mark.point and mine.state == "open"]
        self._mark(new, "copied") if new else self._note("no open bodypart to fill")

    def _move_on(self):
        if self.mode == "sequential":
            states = [mark.state for mark in self.marks()]
            later = [k % len(states) for k in range(self.part + 1, self.part + len(states))]
            following = next((k for k in later if states[k] == "open"), None)
            if following is not None:
                self.choose(following)
        elif self._numbers[self.cursor.image] < len(self.images) - 1:
            self.step(1)
        elif self.mode == "loop" and self.part < len(self.bodyparts) - 1:
            self.step_bodypart(1)
            self._go(self.images[0])
        else:
            self._note("this was the last frame")

    # --- edits, undo, redo ---

    def _mark(self, marks, origin="hand"):
        """Give bodyparts of the cursor's image their new marks, as one step of the history."""
        image, old = self.cursor.image, self.marks()
        changes = [Change(image, name, old[self.bodyparts.index(name)], new) for name, new in marks]
        self._apply([change for change in changes if change.before != change.after], origin)

    def _apply(self, changes, origin="hand"):
        if changes:
            self._write(changes, origin)
            self.history.add(changes)

    def _write(self, changes, origin):
        with self.lock:
            for image in dict.fromkeys(change.image for change in changes):
                mine = [change for change in changes if change.image == image]
                self.store(image).apply([_edit(change, origin) for change in mine if change.bodypart is not None])
                for change in mine:
                    if change.bodypart is None:
                        self.store(image).set_done(image, change.after)
                self._note_conflicts(image)
            self.message, self.saved = "", "unsaved"
            self.revision += 1

    def undo(self):
        """Take the last step back, wherever it was, and show it."""
        self._travel(self.history.back(), self.history.went_back, "nothing to undo")

    def redo(self):
        """Do again what was undone last."""
        self._travel(self.history.forth(), self.history.went_forth, "nothing to redo")

    def _travel(self, changes, moved, nothing):
        if changes is None:
            self._note(nothing)
            return
        still = [change for change in changes if self._holds(change)]
        if still:
            self._write(still, "undo")
        moved()
        self.cursor.image = changes[-1].image
        self.cursor.bodypart = changes[-1].bodypart or self.cursor.bodypart
        if len(still) < len(changes):
            self._note("a point was changed elsewhere meanwhile and was left as it is")

    def _holds(self, change):
        """Whether what a change starts from is still there."""
        if change.bodypart is None:
            return (self.state(change.image) == "done") == change.before
        return same_mark(self.marks(change.image)[self.bodyparts.index(change.bodypart)], change.before)

    # --- the image's edge ---

    def inside(self, point):
        """Whether (x, y) lies in the image; always, as long as its size is not known."""
        return self.image_size is None or tuple(self.clipped(point)) == tuple(point)

    def clipped(self, point):
        """(x, y), or the nearest point in the image."""
        if self.image_size is None:
            return tuple(point)
        height, width = self.image_size
        return min(max(point[0], -0.5), width - 0.5), min(max(point[1], -0.5), height - 0.5)

    def _check_inside(self, point):
        if not self.inside(point):
            height, width = self.image_size
            raise LabelError(f"({point[0]:.0f}, {point[1]:.0f}) is outside of the image, which is {width} × {height}")

    # --- keeping ---

    def save(self):
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

    def _how_saved(self):
        return "unsaved" if any(store.dirty for store in self.stores.values()) else "saved"

    def refresh(self, everything=False):
        """Take in what other tabs and programs changed in this video (or ``everything``); returns the conflicts."""
        for video in list(self.stores) if everything else [self.video]:
            before = self._content(video)
            self.stores[video].refresh()
            self._note_conflicts(self.by_video[video][0])
            after = self._content(video)
            if before[1:] != after[1:] or not np.array_equal(before[0], after[0], equal_nan=True):
                self.revision += 1
        return self.conflicts

    def _content(self, video):
        store = self.stores[video]
        return store.points, store.hidden.tolist(), store.states, list(self._disputes[video])

    def resolve(self, conflict, keep):
        """End a conflict by keeping ``'mine'`` or ``'theirs'``."""
        with self.lock:
            self.store(conflict.image).resolve(conflict, keep=keep)
            self.saved = "unsaved"
            self._note_conflicts(conflict.image)
            self.revision += 1

    def _note_conflicts(self, image):
        # kept here, as asking a store would wait for a table that is being written
        video, store = image.split("/")[-2], self.store(image)
        self._disputes[video] = list(store.conflicts)
        if len(store.images) != len(self.by_video[video]):  # another tab labels frames that were extracted since
            self._index_images()

    @property
    def conflicts(self):
        """Points that were changed here and elsewhere at once, to be resolved."""
        return [conflict for disputes in list(self._disputes.values()) for conflict in disputes]

    def add_images(self):
        """Take in frames that were extracted since, also those of videos that had none before; returns how many."""
        with self.lock:
            before = len(self.images)
            for folder in folders(self.project, self._videos):
                if folder.name not in self.stores:
                    self.stores[folder.name] = LabelStore(self.project, folder.name, self.scorer)
                    self._disputes[folder.name] = list(self.stores[folder.name].conflicts)
            for store in self.stores.values():
                store.add_images()
            self._index_images()
            new = len(self.images) - before
            if new:
                self.revision += 1
            return new


def _edit(change, origin):
    mark = change.after
    return Edit(change.image, change.bodypart, mark.point, mark.point is not None or mark.visible, origin)
