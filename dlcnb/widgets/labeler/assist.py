"""Hollow points, which are no labels yet: suggested by a network, followed or copied from other frames."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dlcnb import outliers
from dlcnb.labels import FOLLOWED, Suggestions
from dlcnb.labels.core import frame_number
from dlcnb.labels.following import LONGEST
from dlcnb.widgets.labeler.frames import Frames, locked
from dlcnb.widgets.labeler.history import Change, Placement, Point

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Assistance"]

NEAR = 10  # frames, in which an animal does not go far


class Assistance(Frames):
    """Part of `LabelSession`: hollow points by image, and how they become labels."""

    suggestions = Suggestions()  # replaced, never changed

    def __init__(self) -> None:
        super().__init__()
        self._copies: dict[tuple[str, str], Point] = {}  # (image, bodypart) -> where
        self._offered: tuple[Suggestions, tuple[str, ...], NDArray[np.bool_]] | None = None  # see `_offered_in`

    @locked
    def set_suggestions(self, snapshot: str, suggestions: Mapping[str, ArrayLike]) -> None:
        """Offer predictions, in place of earlier ones; what was followed stays where they say nothing.

        Parameters
        ----------
        snapshot : str
            What predicted, as the labels' origin will say; `Suggestions` name it themselves.
        suggestions : dict or Suggestions
            image -> float (K, 3): x, y and likelihood of each bodypart; NaN = none. Images that are not in the
            session are passed over.

        Raises
        ------
        ValueError
            If an array has another shape.
        """
        offered = Suggestions([(snapshot, suggestions)])
        for image, values in offered.items():
            if values.shape != (len(self.bodyparts), 3):
                raise ValueError(
                    f"suggestions for {image}: expected shape ({len(self.bodyparts)}, 3) for the project's bodyparts, "
                    f"found {values.shape}; use a network that was trained for this project"
                )
        kept, before = self.suggestions.of(FOLLOWED), self._any_hollow()
        self.suggestions = Suggestions([("", kept), ("", offered.only(self._numbers))])
        self.named, self.revision = (), self.revision + 1  # the new ones nobody has looked at
        self._begin_anew(before)

    @locked
    def add_followed(self, found: Mapping[str, ArrayLike]) -> None:
        """Offer points that were followed from labeled frames, as `set_suggestions`; those of other images stay.

        Of an image to which none could be followed, those that were followed there before are gone.
        """
        before = self._any_hollow()
        kept = self.suggestions.only(i for i in self.suggestions if i not in found or not self.is_followed(i))
        reached = {i: values for i, values in found.items() if np.isfinite(values).any()}
        followed = Suggestions([(FOLLOWED, reached)]).only(self._numbers)
        self.suggestions = Suggestions([("", kept), ("", followed)])
        self.named = () if self.cursor.image in found else self.named
        self.revision += 1
        self._begin_anew(before)

    def _any_hollow(self) -> bool:
        return bool(np.isfinite(self.suggested()[0]).any())

    @locked
    def stretch(self) -> tuple[list[str], NDArray[np.float64], NDArray[np.float64] | None]:
        """Where labels can be followed from here.

        From this frame, or the one labeled before if nothing is placed here, to the next labeled one, or as far as
        points are followed.

        Returns
        -------
        images : list of str
            In the order of time, the labeled one first.
        first, last : float64 (K, 2)
            Labels of the first, and of the last one if that is labeled too, else None.

        Raises
        ------
        ValueError
            If there is none.
        """
        here = self.cursor.image
        start = here if np.isfinite(self.points(here)).any() else self.previous_labeled()
        if start is None:
            raise ValueError("There is no labeled frame to follow from: place the points of this one first.")
        images, last = self.ahead(start)
        if len(images) == 1:
            raise ValueError(
                f"No extracted frame lies within the {LONGEST} frames after the labeled one ({Path(start).name}): "
                "label this frame first, or extract some there (dlcnb extract)."
            )
        if len(images) == 2 and last is not None:
            raise ValueError("The frame after this is labeled already: there is nothing to follow to.")
        return images, self.points(start), last

    def ahead(self, image: str) -> tuple[list[str], NDArray[np.float64] | None]:
        """An image and those after it, to the next labeled one or as far as points are followed; labels of that one."""
        images, number = [image], frame_number(image)
        for later in self.by_video[image.split("/")[-2]][self._rows[image] + 1 :]:
            other = frame_number(later)
            if number is None or other is None or not number < other <= number + LONGEST:
                break
            images.append(later)
            if np.isfinite(self.points(later)).any():
                return images, self.points(later)
        return images, None

    def is_untouched(self, image: str) -> bool:
        """Whether a frame has no label, and no hollow points but followed ones."""
        copied = any(name == image for name, _ in self._copies)
        network = image in self.suggestions and not self.is_followed(image)
        return self.state(image) == "new" and not copied and not network

    def is_followed(self, image: str) -> bool:
        """Whether the hollow points of a frame were followed there."""
        return image in self.suggestions and self.suggestions.origin(image) == FOLLOWED

    @property
    def snapshot(self) -> str:
        """Whose suggestions they are."""
        return self.suggestions.networks

    def offer_machine_labels(self) -> None:
        """Offer what networks said of the outlier frames extracted in this iteration, unless others are offered.

        Raises `LabelError` for a damaged table of machine's labels.
        """
        if self.suggestions:
            return
        offered = Suggestions(outliers.suggestions(self.project, video) for video in self.stores)
        if offered:
            self.set_suggestions("", offered)

    def suggested(self, image: str | None = None) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """The hollow points of an image: of its open bodyparts, copied or else suggested ones.

        Returns
        -------
        points, likelihood : float64 (K, 2) and (K,)
            NaN where there is none; what was copied has likelihood 1.
        """
        image = image or self.cursor.image
        found, is_open = np.full((len(self.bodyparts), 3), np.nan), self.open_parts(image)
        offered = self.suggestions  # which another thread may replace
        if image in offered:
            found[is_open] = offered[image][is_open]
        for k in np.flatnonzero(is_open):
            if copied := self._copies.get((image, self.bodyparts[k])):
                found[k] = (*copied, 1.0)
        return found[:, :2], np.where(np.isfinite(found[:, 0]), found[:, 2], np.nan)

    def hollow_rows(self) -> list[int]:
        """Numbers of the frames with hollow points among the frames of this video."""
        store, images = self.store(), self.by_video[self.video]
        found = self._offered_in(images).copy()
        for image, bodypart in [*self._copies]:
            if image.split("/")[-2] == self.video:
                found[self._rows[image], self.bodyparts.index(bodypart)] = True
        found &= np.isnan(store.points).any(axis=2) & ~store.hidden
        return np.flatnonzero(found.any(axis=1)).tolist()

    def _offered_in(self, images: tuple[str, ...]) -> NDArray[np.bool_]:
        """Which bodyparts are suggested in images, bool (n, K); remembered, as it is asked for at each painting."""
        offered = self.suggestions  # which another thread may replace
        if self._offered is None or self._offered[0] is not offered or self._offered[1] is not images:
            nothing = np.full((len(self.bodyparts), 3), np.nan)
            there = np.array([np.isfinite(offered.get(image, nothing)[:, 0]) for image in images])
            self._offered = offered, images, there
        return self._offered[2]

    def shown_points(self, image: str | None = None) -> NDArray[np.float64]:
        """Labels and hollow points of an image (default: the cursor's), float64 (K, 2), NaN = none."""
        points = self.points(image)
        return np.where(np.isfinite(points), points, self.suggested(image)[0])

    def known_points(self) -> NDArray[np.float64]:
        """Where the animal is, as far as it is known: `shown_points`, or else those of a labeled frame just before."""
        points, previous = self.shown_points(), self.previous_labeled()
        return self.points(previous) if np.isnan(points).all() and self._is_near(previous) else points

    def _is_near(self, image: str | None) -> bool:
        """Whether the animal can't have gone far since another frame of this video."""
        here, there = frame_number(self.cursor.image), None if image is None else frame_number(image)
        return here is not None and there is not None and abs(here - there) <= NEAR

    @locked
    def accept(self) -> None:
        """Make the current bodypart's hollow point a label and go to the next one that is open."""
        points, _ = self.suggested()
        if not np.isfinite(points[self.part]).all():
            self.note(f"there is no hollow point of {self.cursor.bodypart} to accept in this frame")
            return
        self._make(self._accepted([self.part], points))
        self._move_on()

    @locked
    def choose_next_open(self) -> None:
        """In the sequential mode, go to the next bodypart that is open, as after a click."""
        if self.mode == "sequential":
            self._move_on()

    @locked
    def accept_all(self) -> None:
        """Make labels of what was copied and of all suggestions of this frame that reach the project's pcutoff.

        The rest is named, and what was named is taken by a second call in the same frame.
        """
        points, _ = self.suggested()
        hollow, named = self.unsure(), self.named
        taken = [k for k in np.flatnonzero(np.isfinite(points[:, 0])) if not hollow[k] or self.bodyparts[k] in named]
        if not (taken or hollow.any()):
            self.note("there is no hollow point to accept in this frame: Suggest, or Copy previous, shows some")
            return
        self._make(self._accepted(taken, points))
        if self.mode == "sequential":
            self.choose(self._first_open(self.cursor.image, self.cursor.bodypart))
        self.named = tuple(self._names(self.unsure()))
        self.note(self._left(len(taken)))

    def _next_open(self, image: str, order: Sequence[int]) -> int | None:
        """The bodypart to place next: the first in ``order`` that is open without a sure hollow point; else any open.

        So that a click is not taken by one that is only to be accepted; but who clicks as the list goes meets all that
        are to be looked at.
        """
        hollow, unplaced = self.suggested(image)[0], self.open_parts(image)
        bare = np.isnan(hollow).any(axis=1) | self.unsure(image)
        for wanted in (unplaced & bare, unplaced):
            if found := [k for k in order if wanted[k]]:
                return found[0]
        return None

    def unsure(self, image: str | None = None) -> NDArray[np.bool_]:
        """Which bodyparts of an image (default: the cursor's) have a hollow point that does not reach the project's
        pcutoff; bool (K,).
        """
        points, likelihood = self.suggested(image)
        return np.isfinite(points).all(axis=1) & ~(likelihood >= self.project.pcutoff)

    @locked
    def _name_only_unsure(self) -> None:
        if self.named:
            unsure = self._names(self.unsure())
            self.named = tuple(name for name in self.named if name in unsure)

    def _names(self, some: NDArray[np.bool_]) -> list[str]:
        return [name for name, one in zip(self.bodyparts, some, strict=True) if one]

    def _left(self, taken: int) -> str:
        """What is open here after ``taken`` points were accepted, and what to do about it; empty if nothing is."""
        unsure = self._names(self.unsure())
        bare = self._names(self.open_parts() & np.isnan(self.suggested()[0][:, 0]))
        parts = [f"{taken or 'none'} accepted"]
        if unsure:
            parts[0] += f", {len(unsure)} left open as unsure"
            cut = f"likelihood below pcutoff {self.project.pcutoff:g}"
            parts.append(f"look at {', '.join(unsure)} ({cut}) and press again to accept what is there")
        if bare:
            parts.append(f"still open, without a suggestion: {', '.join(bare)} (click, or N: not visible)")
        return "; ".join(parts) if unsure or bare else ""

    @locked
    def accept_all_and_go_on(self) -> None:
        """Accept as `accept_all`; where the frame is done then, or was before, open the next one that is not."""
        done, image = self.state() == "done", self.cursor.image
        if not done:
            self.accept_all()
        if self.state() == "done":
            self._go_on()
            if self.cursor.image == image:
                return
            self._brought_to = self.cursor.image
            if not (self.message or done):
                self.note("the frame before is done, its points accepted (Undo takes it back); this is the next")

    def _accepted(self, parts: Sequence[int], points: NDArray[np.float64]) -> dict[Change, str]:
        """The changes that make labels of hollow points, with the origin of each."""
        image, old, made = self.cursor.image, self.values(), dict[Change, str]()
        for k in parts:
            x, y = self.clipped((float(points[k, 0]), float(points[k, 1])))
            copied = (image, self.bodyparts[k]) in self._copies
            change = Change(image, self.bodyparts[k], old[k], Placement((x, y)))
            made[change] = "copied" if copied else self.suggestions.origin(image)
        return made
