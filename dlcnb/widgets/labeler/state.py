"""Labeling as state without pixels: where one is, what is placed, what a click or a key does to it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
from traitlets import Enum, HasTraits, Int, Tuple, Unicode

from dlcnb.geometry import nearest_in
from dlcnb.labels import Edit, LabelError, LabelStore
from dlcnb.project import Project
from dlcnb.widgets.labeler.frames import SHOW, Cursor, folders, locked
from dlcnb.widgets.labeler.history import Change, Done, History, Placement, Point, same_placement
from dlcnb.widgets.labeler.stored import Stored

__all__ = ["MODES", "SHOW", "Cursor", "LabelSession"]

MODES = ("sequential", "quick", "loop")
FEW = 3  # frames that are labeled by hand before what follows them is told of


class LabelSession(Stored, HasTraits):
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
    asking = Unicode("", help="The image of which `finish` asked whether it is really done; empty after any edit.")
    named = Tuple(help="Unsure bodyparts of this frame that `accept_all` has named: a second call takes them.")
    _told_of_open = False  # that Done marks open bodyparts as not visible
    revision = Int(0, help="Counts the changes of labels, hollow points and conflicts.")
    taken = Int(0, help="Counts the changes that were taken over from elsewhere.")

    def __init__(
        self,
        project: Project | str | Path,
        videos: str | Path | list[str | Path] | None = None,
        scorer: str | None = None,
    ) -> None:
        self.lock = threading.RLock()
        super().__init__()
        self.project = project if isinstance(project, Project) else Project.open(project)
        self.scorer = scorer or self.project.scorer
        self.bodyparts = tuple(self.project.bodyparts)
        self.cursor, self.history = Cursor(), History()
        self.image_size: tuple[int, int] | None = None  # (height, width) of the cursor's image, once a view knows it
        self.unreadable = False  # whether a view could not show the cursor's image
        self._clipboard: list[Placement] = []
        self.observe(lambda _: self._name_only_unsure(), "revision")
        self._videos = videos
        self.stores = {f.name: LabelStore(self.project, f.name, self.scorer) for f in folders(self.project, videos)}
        self.saved = self._how_saved()
        self._index_images()
        self._disputes = {video: list(store.conflicts) for video, store in self.stores.items()}
        self.go_to(next((i for i in self.images if self.state(i) != "done"), self.images[0]))

    # --- labeling ---

    @locked
    def next_mode(self) -> None:
        """Change to the next mode."""
        self.mode = MODES[(MODES.index(self.mode) + 1) % len(MODES)]

    def click(self, point: Point, part: int | None = None) -> None:
        """Place a bodypart (its index; None: the current one) at (x, y), image pixels, and move on as the mode says.

        In the sequential mode a bodypart that is placed already stays there. Raises `LabelError` outside of the image.
        """
        with self.lock:
            if part is not None and part != self.part:
                self.choose(part)
            image, bodypart, before = self.cursor.image, self.cursor.bodypart, self.values()[self.part]
            if self.mode == "sequential" and before.state == "placed":
                self.note(f"{bodypart} is placed already: drag it to move it, or choose another bodypart")
                return
            self._check_inside(point)
            self._make({Change(image, bodypart, before, Placement(point)): "hand"})
            self._move_on()

    @locked
    def place(self, point: Point, bodypart: str | None = None, origin: str = "hand") -> None:
        """Put a bodypart (default: the current one) at (x, y), image pixels, and make it the current one.

        Raises `LabelError` if that is outside of the image.
        """
        self._check_inside(point)
        if bodypart is not None:
            self.choose(bodypart)
        self._set({self.cursor.bodypart: Placement((float(point[0]), float(point[1])))}, origin)

    @locked
    def nudge(self, dx: float, dy: float) -> None:
        """Move the current bodypart by (dx, dy) pixels, up to the image's edge; a hollow point becomes a label."""
        x, y = self.shown_points()[self.part].tolist()
        if x != x:
            self.note(f"{self.cursor.bodypart} is not placed")
            return
        self.place(self.clipped((x + dx, y + dy)))

    @locked
    def delete(self) -> None:
        """Take the current bodypart's point or its 'not visible' away, or the hollow point that was copied."""
        image, bodypart = self.cursor.image, self.cursor.bodypart
        copied = self._copies.get((image, bodypart))
        if self.values()[self.part].state != "open":
            self._set({bodypart: Placement()})
        elif copied:
            self._make({Change(image, bodypart, Placement(copied), Placement(), copied=True): ""})
        else:
            self.note(f"{bodypart} is not placed")

    @locked
    def swap(self, one: str, other: str) -> None:
        """Give two bodyparts of the cursor's image each other's point, as one step of the history."""
        values = dict(zip(self.bodyparts, self.values(), strict=True))
        self._set({one: values[other], other: values[one]})

    @locked
    def hide(self) -> None:
        """Mark the current bodypart as not visible and move on, or take that back."""
        unseen = self.values()[self.part].state == "not visible"
        self._set({self.cursor.bodypart: Placement(visible=unseen)})
        if not unseen:
            self._move_on()

    @locked
    def finish(self, sure: bool = False) -> None:
        """Call the frame done, its open bodyparts not visible; a frame that is done goes back in work.

        Where nothing is placed, or hollow points would be passed over, the first call asks and a second one means it
        (as does ``sure``). Of bodyparts that are open in a frame with points it asks once in a session.
        """
        image, done = self.cursor.image, self.state() == "done"
        left = [n for n, value in zip(self.bodyparts, self.values(), strict=True) if value.state == "open"]
        parts = [] if done else left
        if self.asking != image and not sure and parts and (question := self._doubt(parts)):
            self.note(question)
            self.asking, self._told_of_open = image, True
        elif parts:
            self._set({name: Placement(visible=False) for name in parts})
            self.note(f"not visible in this frame: {', '.join(parts)} (Undo takes it back)")
        else:
            self._make({Done(image, done, not done): ""})

    def _doubt(self, parts: list[str]) -> str:
        """What speaks against calling the frame done, as a question; empty if nothing does."""
        hollow = int(np.isfinite(self.suggested()[0][:, 0]).sum())
        again = f"press Done again to mark {', '.join(parts)} as not visible"
        if hollow:
            them = f"{hollow} hollow point{' is no label' if hollow == 1 else 's are no labels'} yet"
            return f"{them}: press Accept all, or drag what is off, or {again}"
        if len(parts) == len(self.bodyparts):
            return f"nothing is placed in this frame: {again}"
        return "" if self._told_of_open else f"{len(parts)} open: {again} (asked only once; Undo takes it back)"

    @locked
    def finish_and_go_on(self) -> None:
        """Call the frame done, as `finish`, and open the next one that is not, of outlier frames the next of those."""
        self.message = ""
        if self._brought_to == self.cursor.image:  # it is the frame before that is meant
            self._brought_to = ""
            self.note("the frame before is done already; this is the next one")
            return
        if self.state() != "done":
            self.finish()
        if self.state() == "done":
            image, told = self.cursor.image, self.message.replace("this frame", "the frame before")
            self._go_on()
            if self.cursor.image != image:
                self.note("; ".join(filter(None, [told, self.message or self._tip()])))

    def _tip(self) -> str:
        """Once, when a few frames are labeled by hand, how the next ones need less; empty else."""
        by_hand = not self.suggestions and self.counts()["done"] == FEW
        return "Suggest, below, and Follow the labels offers points in the next frames" if by_hand else ""

    @locked
    def copy(self) -> None:
        """Remember this frame's points."""
        self._clipboard = self.values()
        self.note(f"{sum(value.point is not None for value in self._clipboard)} points copied")

    @locked
    def paste(self) -> None:
        """Show the points remembered by `copy` where bodyparts are open and have no hollow point, as hollow ones.

        They are no labels before they are accepted.
        """
        self._fill(self._clipboard, "nothing copied yet: Ctrl+C copies the points of a frame")

    @locked
    def copy_previous(self) -> None:
        """Show the points of the previous labeled frame where bodyparts are open and bare, hollow as by `paste`."""
        image = self.previous_labeled()
        self._fill(self.values(image) if image else [], "there is no labeled frame before this one in the video")

    def _fill(self, values: list[Placement], nothing: str) -> None:
        if not values:
            self.note(nothing)
            return
        image, bare = self.cursor.image, self.open_parts() & np.isnan(self.suggested()[0][:, 0])
        changes: dict[Change | Done, str] = {}
        for name, value, empty in zip(self.bodyparts, values, bare, strict=True):
            if value.point and empty:
                before = Placement(self._copies.get((image, name)))
                changes[Change(image, name, before, Placement(value.point), copied=True)] = ""
        self._make(changes)
        count = len(changes)
        self.note(
            f"{count} hollow point{'' if count == 1 else 's'}, no labels yet: drag what moved; "
            "Accept all makes labels of all and goes on, Enter of one"
            if count else "nothing is open that has no hollow point: there is nothing to fill"
        )  # fmt: skip

    def _move_on(self) -> None:
        if self.mode == "sequential":
            count = len(self.bodyparts)
            later = [k % count for k in range(self.part + 1, self.part + count)]
            if (following := self._next_open(self.cursor.image, later)) is not None:
                self.choose(following)
        elif self._numbers[self.cursor.image] < len(self.images) - 1:
            self.step(1)
        elif self.mode == "loop" and self.part < len(self.bodyparts) - 1:
            self.step_bodypart(1)
            self._go(self.images[0])
        else:
            self.note("this was the last frame")

    # --- edits, undo, redo ---

    def _set(self, values: dict[str, Placement], origin: str = "hand") -> None:
        """Give bodyparts of the cursor's image other values, as one step of the history."""
        image, old = self.cursor.image, dict(zip(self.bodyparts, self.values(), strict=True))
        self._make({Change(image, name, old[name], new): origin for name, new in values.items()})

    def _make(self, changes: Mapping[Change | Done, str], *, remember: bool = True) -> None:
        """Make changes, each with the origin of its label: on the disk first, then here; as one step of the history."""
        changes = {change: origin for change, origin in changes.items() if change.before != change.after}
        if not changes:
            return
        edits = [(c, origin) for c, origin in changes.items() if isinstance(c, Change) and not c.copied]
        for image in dict.fromkeys(change.image for change, _ in edits):
            self.store(image).apply([_edit(change, origin) for change, origin in edits if change.image == image])
        for change in changes:
            if isinstance(change, Done):
                self.store(change.image).set_done(change.image, change.after)
            elif change.copied:
                self._copies.pop((change.image, change.bodypart), None)
                if change.after.point:
                    self._copies[change.image, change.bodypart] = change.after.point
            self._note_conflicts(change.image)
        if remember:
            self.history.add(changes)
        self.message = self.asking = self._brought_to = ""
        if edits or any(isinstance(change, Done) for change in changes):
            self.saved = "unsaved"
        self.revision += 1

    @locked
    def undo(self) -> None:
        """Take the last step back, wherever it was, and show it."""
        self._travel(self.history.back(), self.history.went_back, "nothing to undo")

    @locked
    def redo(self) -> None:
        """Do again what was undone last."""
        self._travel(self.history.forth(), self.history.went_forth, "nothing to redo")

    def _travel(self, changes: list[Change | Done] | None, moved: Callable[[], None], nothing: str) -> None:
        if changes is None:
            self.note(nothing)
            return
        still = [change for change in changes if self._holds(change)]
        self._make(dict.fromkeys(still, "undo"), remember=False)
        moved()
        self.message, self.named = "", ()
        self.cursor.image = changes[-1].image
        self.cursor.bodypart = changes[-1].bodypart or self.cursor.bodypart
        if len(still) < len(changes):
            self.note("a point was changed elsewhere meanwhile and was left as it is")

    def _holds(self, change: Change | Done) -> bool:
        """Whether what a change starts from is still there."""
        if isinstance(change, Done):
            return (self.state(change.image) == "done") == change.before
        if change.copied:
            return Placement(self._copies.get((change.image, change.bodypart))) == change.before
        return same_placement(self.values(change.image)[self.bodyparts.index(change.bodypart)], change.before)

    # --- the image's edge ---

    @property
    def placed(self) -> bool:
        """Whether the current bodypart is placed."""
        return bool(np.isfinite(self.points()[self.part, 0]))

    def inside(self, point: Point) -> bool:
        """Whether (x, y) lies in the image; always, as long as its size is not known."""
        return self.clipped(point) == (point[0], point[1])

    def clipped(self, point: Point) -> Point:
        """(x, y), or the nearest point in the image."""
        return point if self.image_size is None else nearest_in(point, self.image_size)

    def _check_inside(self, point: Point) -> None:
        if self.unreadable:
            name = self.cursor.image.rsplit("/", 1)[-1]
            raise LabelError(f"{name} can't be read: nothing is placed in a picture that nobody sees; extract it again")
        if self.image_size is not None and not self.inside(point):
            height, width = self.image_size
            raise LabelError(f"({point[0]:.0f}, {point[1]:.0f}) is outside of the image, which is {width} × {height}")


def _edit(change: Change, origin: str) -> Edit:
    value = change.after
    return Edit(change.image, change.bodypart, value.point, value.point is not None or value.visible, origin)
