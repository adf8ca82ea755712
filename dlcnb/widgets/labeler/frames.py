"""The frames of a labeling session: what state each is in, and how to move from one to another."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from traitlets import HasTraits, Unicode

from dlcnb.labels import LabelError
from dlcnb.project import nearest
from dlcnb.widgets.labeler.history import Mark

__all__ = ["SHOW", "Cursor", "Frames", "folders"]

SHOW = ("all", "new", "in work", "done")  # which frames to step through
IMAGE_SUFFIXES = (".png", ".jpg", ".jpeg")


class Cursor(HasTraits):
    """Where one works: an image (``labeled-data/<video>/<image>``) and a bodypart."""

    image = Unicode("")
    bodypart = Unicode("")


class Frames:
    """Part of `LabelSession`: its images and the way among them."""

    def _index_images(self):
        self.by_video = {video: store.images for video, store in self.stores.items()}
        self.images = tuple(image for images in self.by_video.values() for image in images)
        self._rows = {image: t for images in self.by_video.values() for t, image in enumerate(images)}
        self._numbers = {image: n for n, image in enumerate(self.images)}

    # --- what is there ---

    def store(self, image=None):
        """The `LabelStore` that has an image (default: the cursor's)."""
        return self.stores[(image or self.cursor.image).split("/")[-2]]

    @property
    def video(self):
        """Name of the video whose frame is shown."""
        return self.cursor.image.split("/")[-2]

    @property
    def part(self):
        """Index of the current bodypart."""
        return self.bodyparts.index(self.cursor.bodypart)

    def state(self, image=None):
        """Of 'new', 'in work' and 'done' the one for an image (default: the cursor's)."""
        image = image or self.cursor.image
        return self.store(image).state(image)

    def points(self, image=None):
        """Labels of an image (default: the cursor's), float64 (K, 2), NaN = none."""
        image = image or self.cursor.image
        return self.store(image).point(image)

    def hidden(self, image=None):
        """Which bodyparts of an image (default: the cursor's) are marked not visible, bool (K,)."""
        image = image or self.cursor.image
        return self.store(image).hidden[self._rows[image]]

    def marks(self, image=None):
        """The `Mark` of each bodypart of an image (default: the cursor's), a list of K."""
        points, hidden = self.points(image), self.hidden(image)
        return [
            Mark(tuple(map(float, point)) if np.isfinite(point).all() else None, not unseen)
            for point, unseen in zip(points, hidden, strict=True)
        ]

    def counts(self, video=None):
        """``{'new': n, 'in work': n, 'done': n}`` of a video, or of all."""
        stores = self.stores.values() if video is None else [self.stores[video]]
        states = [state for store in stores for state in store.states]
        return {name: states.count(name) for name in SHOW[1:]}

    @property
    def row(self):
        """Number of the cursor's image among those of its video."""
        return self._rows[self.cursor.image]

    def previous_labeled(self):
        """The nearest frame before this one, of the same video, that has a point; None if there is none."""
        store, row = self.store(), self._rows[self.cursor.image]
        labeled = np.flatnonzero(np.isfinite(store.points[:row, :, 0]).any(axis=1))
        return self.by_video[self.video][labeled[-1]] if len(labeled) else None

    # --- moving about ---

    def go_to(self, image):
        """Open a frame: its name in the project (``labeled-data/<video>/<image>``) or its path."""
        name = _image_name(self.project, image)
        if name not in self._numbers:
            raise LabelError(
                f"no frame {name} in this labeling session, which has {len(self.images)} frames of "
                f"{', '.join(self.stores)}{nearest(name, self.images)}"
            )
        self._go(name)

    def step(self, count):
        """Move by ``count`` frames among those to `show`."""
        here = self._numbers[self.cursor.image]
        shown = [n for n, image in enumerate(self.images) if self.show in ("all", self.state(image))]
        ahead = [n for n in shown if n > here] if count > 0 else [n for n in reversed(shown) if n < here]
        if ahead:
            self._go(self.images[ahead[min(abs(count), len(ahead)) - 1]])
        elif self.show != "all":
            self._note(f"no {'later' if count > 0 else 'earlier'} frame that is {self.show}")
        else:
            self._note("this is the last frame" if count > 0 else "this is the first frame")

    def go_to_edge(self, last):
        """Show the first or the last frame of this video."""
        self._go(self.by_video[self.video][-1 if last else 0])

    def go_to_number(self, number):
        """Show frame ``number`` (from 0) of this video's extracted frames; a number outside becomes first or last."""
        images = self.by_video[self.video]
        self._go(images[min(max(number, 0), len(images) - 1)])

    def go_to_state(self, state, direction=1):
        """Jump to the next (1) or previous (-1) frame in a state, around the end if need be."""
        here, count = self._numbers[self.cursor.image], len(self.images)
        for n in range(1, count):
            image = self.images[(here + direction * n) % count]
            if self.state(image) == state:
                self._go(image)
                return
        self._note(f"no other frame is {'not looked at' if state == 'new' else state}")

    def open_video(self, video):
        """Show the first frame of a video that is not done, or its first."""
        row = next((t for t, state in enumerate(self.stores[video].states) if state != "done"), 0)
        self._go(self.by_video[video][row])

    def _go(self, image):
        part = self.cursor.bodypart or self.bodyparts[0]
        if self.mode == "sequential" and image != self.cursor.image:
            states = [mark.state for mark in self.marks(image)]
            part = self.bodyparts[states.index("open")] if "open" in states else part
        self.message = ""
        self.cursor.image, self.cursor.bodypart = image, part

    def choose(self, bodypart):
        """Make a bodypart (its name or index) the current one."""
        name = bodypart if isinstance(bodypart, str) else self.bodyparts[bodypart]
        if name not in self.bodyparts:
            raise LabelError(f"no bodypart '{name}' in this project{nearest(name, self.bodyparts)}")
        self.message = ""
        self.cursor.bodypart = name

    def step_bodypart(self, count):
        """Make the bodypart ``count`` further down the list the current one, around the end."""
        self.choose((self.part + count) % len(self.bodyparts))

    def _note(self, text):
        self.message = ""  # the same hint twice is shown twice
        self.message = text


def folders(project, videos):
    """Folders of extracted frames, of all videos or of those given."""
    found = project.labeled_dirs() if videos is None else [project.labeled_dir(video) for video in _listed(videos)]
    full = [folder for folder in dict.fromkeys(found) if _has_images(folder)]
    missing = [folder.name for folder in found if folder not in full]
    if (videos is not None and missing) or not full:
        raise LabelError(
            f"no frames to label of {', '.join(missing) or project.task}: extract some first "
            f"(dlcnb extract {project.root})"
        )
    return full


def _listed(videos):
    return [videos] if isinstance(videos, (str, Path)) else videos


def _has_images(folder):
    return folder.is_dir() and any(path.suffix.lower() in IMAGE_SUFFIXES for path in folder.iterdir())


def _image_name(project, image):
    """``labeled-data/<video>/<image>`` from a name or a path."""
    path = Path(image)
    if path.is_absolute() and path.is_relative_to(project.root):
        path = path.relative_to(project.root)
    return path.as_posix()
