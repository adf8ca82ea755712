"""The frames of a labeling session: what state each is in, and how to move from one to another."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import NDArray
from traitlets import HasTraits, Unicode

from dlcnb import outliers
from dlcnb.files import quoted
from dlcnb.labels import LabelError, LabelStore, frame_images
from dlcnb.labels.journal import stamp
from dlcnb.project import nearest
from dlcnb.widgets.labeler.history import Placement, Point

if TYPE_CHECKING:
    from dlcnb.project import Project

__all__ = ["SHOW", "Cursor", "Frames", "folders", "locked"]

SHOW = ("all", "new", "in work", "done")  # which frames to step through

_Method = TypeVar("_Method", bound=Callable[..., Any])


def locked(method: _Method) -> _Method:
    """Decorate a method of a session: its lock is held meanwhile."""

    @functools.wraps(method)
    def alone(self: Frames, *args: Any, **kwargs: Any) -> Any:
        with self.lock:
            return method(self, *args, **kwargs)

    return alone  # type: ignore[return-value]  # wraps() keeps the signature


class Cursor(HasTraits):
    """Where one works: an image (``labeled-data/<video>/<image>``) and a bodypart."""

    image = Unicode("")
    bodypart = Unicode("")


class Frames:
    """Part of `LabelSession`: its images and the way among them."""

    project: Project
    lock: threading.RLock
    bodyparts: tuple[str, ...]
    stores: dict[str, LabelStore]
    by_video: dict[str, tuple[str, ...]]
    images: tuple[str, ...]
    cursor: Cursor
    outliers: tuple[str, ...] = ()  # images that were extracted as outlier frames in this iteration, in their order
    _tables: tuple[Any, ...] = ()  # that told of them, and of what time they are
    _begun_at: tuple[str, str] = ("", "")  # image and bodypart that one began with when it was opened
    _by_hand: frozenset[tuple[str, str]] = frozenset()  # (image, bodypart) that somebody chose, not the order
    _brought_to = ""  # the image that `accept_all_and_go_on` opened, while nobody has done anything there
    mode: Any  # traits of the session
    revision: Any
    show: Any
    message: Any
    asking: Any
    named: Any
    _make: Callable[..., None]
    _move_on: Callable[[], None]
    _next_open: Callable[[str, Sequence[int]], int | None]
    unsure: Callable[[str | None], NDArray[np.bool_]]
    clipped: Callable[[Point], Point]

    def _index_images(self) -> None:
        self.by_video = {video: store.images for video, store in self.stores.items()}
        self.images = tuple(image for images in self.by_video.values() for image in images)
        self._rows = {image: t for images in self.by_video.values() for t, image in enumerate(images)}
        self._numbers = {image: n for n, image in enumerate(self.images)}

    # --- what is there ---

    def store(self, image: str | None = None) -> LabelStore:
        """The `LabelStore` that has an image (default: the cursor's)."""
        return self.stores[(image or self.cursor.image).split("/")[-2]]

    @property
    def video(self) -> str:
        """Name of the video whose frame is shown."""
        return self.cursor.image.split("/")[-2]

    @property
    def part(self) -> int:
        """Index of the current bodypart."""
        return self.bodyparts.index(self.cursor.bodypart)

    def state(self, image: str | None = None) -> str:
        """Of 'new', 'in work' and 'done' the one for an image (default: the cursor's)."""
        image = image or self.cursor.image
        return self.store(image).state(image)

    def points(self, image: str | None = None) -> NDArray[np.float64]:
        """Labels of an image (default: the cursor's), float64 (K, 2), NaN = none."""
        image = image or self.cursor.image
        return self.store(image).point(image)

    def hidden(self, image: str | None = None) -> NDArray[np.bool_]:
        """Which bodyparts of an image (default: the cursor's) are marked not visible, bool (K,)."""
        image = image or self.cursor.image
        return self.store(image).hidden[self._rows[image]]

    def open_parts(self, image: str | None = None) -> NDArray[np.bool_]:
        """Which bodyparts of an image (default: the cursor's) are open: neither placed nor not visible; bool (K,)."""
        return np.isnan(self.points(image)).any(axis=1) & ~self.hidden(image)

    def values(self, image: str | None = None) -> list[Placement]:
        """The `Placement` of each bodypart of an image (default: the cursor's), a list of K."""
        points, hidden = self.points(image).tolist(), self.hidden(image).tolist()
        return [
            Placement((x, y) if x == x and y == y else None, not unseen)
            for (x, y), unseen in zip(points, hidden, strict=True)
        ]

    def counts(self, video: str | None = None) -> dict[str, int]:
        """``{'new': n, 'in work': n, 'done': n}`` of a video, or of all."""
        stores = self.stores.values() if video is None else [self.stores[video]]
        states = [state for store in stores for state in store.states]
        return {name: states.count(name) for name in SHOW[1:]}

    @property
    def row(self) -> int:
        """Number of the cursor's image among those of its video."""
        return self._rows[self.cursor.image]

    def previous_labeled(self) -> str | None:
        """The nearest frame before this one, of the same video, that has a point; None if there is none."""
        store, row = self.store(), self._rows[self.cursor.image]
        labeled = np.flatnonzero(np.isfinite(store.points[:row, :, 0]).any(axis=1))
        return self.by_video[self.video][labeled[-1]] if len(labeled) else None

    @locked
    def find_outliers(self) -> None:
        """See which frames are outlier frames of this iteration; raises `TableError` for a damaged table of them."""
        paths = [outliers.machine_labels_path(self.project, video) for video in self.stores]
        tables = tuple((path, stamp(path)) for path in paths)
        if tables != self._tables:
            self._tables = tables
            self.outliers = tuple(image for v in self.stores for image in outliers.suggestions(self.project, v)[1])
            self.revision += 1

    def outlier_rows(self) -> list[int]:
        """Numbers of the outlier frames among the frames of this video."""
        return [self._rows[i] for i in self.outliers if i in self._rows and i.split("/")[-2] == self.video]

    # --- moving about ---

    @locked
    def go_to(self, image: str | Path) -> None:
        """Open a frame: its name in the project (``labeled-data/<video>/<image>``) or its path."""
        path = Path(image)
        if path.is_absolute() and path.is_relative_to(self.project.root):
            path = path.relative_to(self.project.root)
        if (name := path.as_posix()) not in self._numbers:
            raise LabelError(
                f"no frame {name} in this labeling session, which has {len(self.images)} frames of "
                f"{', '.join(self.stores)}{nearest(name, self.images)}"
            )
        self._go(name)

    @locked
    def step(self, count: int) -> None:
        """Move by ``count`` frames among those to `show`."""
        here = self._numbers[self.cursor.image]
        shown = [n for n, image in enumerate(self.images) if self.show in ("all", self.state(image))]
        ahead = [n for n in shown if n > here] if count > 0 else [n for n in reversed(shown) if n < here]
        if ahead:
            self._go(self.images[ahead[min(abs(count), len(ahead)) - 1]])
        elif self.show != "all":
            self.note(f"there is no {'later' if count > 0 else 'earlier'} frame that is {_spoken(self.show)}")
        else:
            self.note("this is the last frame" if count > 0 else "this is the first frame")

    @locked
    def go_to_edge(self, last: bool) -> None:
        """Show the first or the last frame of this video."""
        self._go(self.by_video[self.video][-1 if last else 0])

    @locked
    def go_to_number(self, number: int) -> None:
        """Show frame ``number`` (from 0) of this video's extracted frames; a number outside becomes first or last."""
        images = self.by_video[self.video]
        self._go(images[min(max(number, 0), len(images) - 1)])

    @locked
    def go_to_state(self, state: str, direction: int = 1) -> None:
        """Jump to the next (1) or previous (-1) frame in a state, around the end if need be."""
        self._go_to_next({state}, f"no other frame is {_spoken(state)}", direction)

    def _go_to_next(self, states: set[str], otherwise: str, direction: int = 1) -> None:
        here, count = self._numbers[self.cursor.image], len(self.images)
        for n in range(1, count):
            image = self.images[(here + direction * n) % count]
            if self.state(image) in states:
                self._go(image)
                return
        self.note(otherwise)

    def _go_on(self) -> None:
        """Open the next frame that is not done: after an outlier frame the next of those, while there is one."""
        image = self.cursor.image
        left = self._outliers_left() if image in self.outliers else []
        if left:
            self._go(left[0])
            return
        self._go_to_next({"new", "in work"}, "all frames are done")
        if image in self.outliers and self.cursor.image != image:
            self.note("all outlier frames are done (next: Merge, under Refine); this is another frame")

    def _outliers_left(self) -> list[str]:
        """The outlier frames that are not done, those after this one first."""
        here = self.outliers.index(self.cursor.image)
        ordered = (*self.outliers[here + 1 :], *self.outliers[:here])
        return [image for image in ordered if image in self._numbers and self.state(image) != "done"]

    @locked
    def open_video(self, video: str) -> None:
        """Show the first frame of a video that is not done, or its first."""
        row = next((t for t, state in enumerate(self.stores[video].states) if state != "done"), 0)
        self._go(self.by_video[video][row])

    def _go(self, image: str) -> None:
        part = self.cursor.bodypart or self.bodyparts[0]
        if self.mode == "sequential" and image != self.cursor.image:
            part = self._first_open(image, part)
        self.message, self.asking, self.named, self._brought_to = "", "", (), ""
        self._by_hand = frozenset()
        self.cursor.image, self.cursor.bodypart = image, part
        self._begun_at = image, part

    def _first_open(self, image: str, otherwise: str) -> str:
        """The bodypart to begin with in a frame."""
        wanted = self._next_open(image, range(len(self.bodyparts)))
        return otherwise if wanted is None else self.bodyparts[wanted]

    def _begin_anew(self, before: bool) -> None:
        """Choose the first bodypart again, as there are hollow points now, where nobody has done anything since.

        Where there were some ``before`` nobody sees that others have come: what the list said there stays.
        """
        image, part = self.cursor.image, self.cursor.bodypart
        first = part if before else self._first_open(image, part)
        if first != part and (self.mode, self.state(image), self._begun_at) == ("sequential", "new", (image, part)):
            self.message, self._begun_at = "", (image, first)
            self.cursor.bodypart = first

    def begin(self) -> None:
        """Somebody is at work in this frame: no hollow points that come later choose another bodypart."""
        self._begun_at, self._brought_to = ("", ""), ""

    @property
    def by_hand(self) -> bool:
        """Whether somebody chose the current bodypart; else it is the next in order."""
        return (self.cursor.image, self.cursor.bodypart) in self._by_hand

    @locked
    def choose(self, bodypart: str | int, by_hand: bool = False) -> None:
        """Make a bodypart (its name or index) the current one: the next in order, or one that somebody chose."""
        name = bodypart if isinstance(bodypart, str) else self.bodyparts[bodypart]
        if name not in self.bodyparts:
            raise LabelError(f"no bodypart '{name}' in this project{nearest(name, self.bodyparts)}")
        self.message = ""
        self.begin()
        chosen = {(self.cursor.image, name)}
        self._by_hand = self._by_hand | chosen if by_hand else self._by_hand - chosen
        self.cursor.bodypart = name

    @locked
    def step_bodypart(self, count: int) -> None:
        """Make the bodypart ``count`` further down the list the current one, around the end."""
        self.choose((self.part + count) % len(self.bodyparts), by_hand=True)

    def note(self, text: str) -> None:
        """Show a hint; the same one twice is shown twice."""
        self.message = ""
        self.message = text


def folders(project: Project, videos: str | Path | list[str | Path] | None) -> list[Path]:
    """Folders of extracted frames, of all videos or of those given; raises `LabelError` if there are none."""
    listed = [videos] if isinstance(videos, (str, Path)) else videos
    found = project.labeled_dirs() if listed is None else [project.labeled_dir(video) for video in listed]
    full = [folder for folder in dict.fromkeys(found) if frame_images(folder)]
    missing = [folder.name for folder in found if folder not in full]
    if (videos is not None and missing) or not full:
        raise LabelError(
            f"no frames to label of {', '.join(missing) or project.task}: extract some first "
            f"(dlcnb extract {quoted(project.root)})"
        )
    return full


def _spoken(state: str) -> str:
    return "not looked at" if state == "new" else state
