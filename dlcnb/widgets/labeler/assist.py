"""Suggestions of a trained network for the frames to label: shown, accepted or passed over."""

from __future__ import annotations

import numpy as np

from dlcnb import outliers
from dlcnb.widgets.labeler.history import Mark

__all__ = ["Assistance"]


class Assistance:
    """Part of `LabelSession`: predictions by image, and how they become labels."""

    suggestions = {}  # noqa: RUF012  (replaced, never changed)
    snapshot = ""  # whose suggestions they are

    def set_suggestions(self, snapshot, suggestions):
        """Offer predictions, in place of earlier ones.

        Parameters
        ----------
        snapshot : str
            What predicted, as the labels' origin will say.
        suggestions : dict
            image -> float (K, 3): x, y and likelihood of each bodypart; NaN = none. Images that are not in the
            session are passed over.
        """
        kept = {}
        for image, values in suggestions.items():
            values = np.asarray(values, float)
            if values.shape != (len(self.bodyparts), 3):
                raise ValueError(
                    f"suggestions for {image}: expected shape ({len(self.bodyparts)}, 3) for the project's bodyparts, "
                    f"found {values.shape}; use a network that was trained for this project"
                )
            if image in self._numbers:
                kept[image] = values
        self.suggestions, self.snapshot = kept, snapshot
        self.revision += 1

    def offer_machine_labels(self):
        """Offer what networks said of the outlier frames extracted in this iteration, unless others are offered.

        Raises `LabelError` for a damaged table of machine's labels.
        """
        if self.suggestions:
            return
        found = [outliers.suggestions(self.project, video) for video in self.stores]
        networks = dict.fromkeys(network for network, images in found if images)
        if networks:
            self.set_suggestions(
                ", ".join(networks), {i: values for _, images in found for i, values in images.items()}
            )

    def suggested(self, image=None):
        """(points (K, 2), likelihood (K,)) offered for the open bodyparts of an image; NaN where there is none."""
        image = image or self.cursor.image
        values = np.full((len(self.bodyparts), 3), np.nan)
        if image in self.suggestions:
            is_open = [mark.state == "open" for mark in self.marks(image)]
            values[is_open] = self.suggestions[image][is_open]
        return values[:, :2], np.where(np.isfinite(values[:, 0]), values[:, 2], np.nan)

    def accept(self):
        """Make the current bodypart's suggestion a label and go to the next one that is suggested."""
        points, _ = self.suggested()
        point = points[self.part]
        if not np.isfinite(point).all():
            self._note(f"no suggestion for {self.cursor.bodypart} in this frame")
            return
        self._mark([(self.cursor.bodypart, Mark(self._within(point)))], f"suggestion {self.snapshot}")
        self._move_on()

    def accept_all(self):
        """Make labels of all suggestions of this frame that are as likely as the project's pcutoff asks."""
        points, likelihood = self.suggested()
        good = np.isfinite(points).all(axis=1) & (likelihood >= self.project.pcutoff)
        marks = [(self.bodyparts[k], Mark(self._within(points[k]))) for k in np.flatnonzero(good)]
        if not marks:
            self._note(f"no suggestion above pcutoff {self.project.pcutoff:g} in this frame")
            return
        self._mark(marks, f"suggestion {self.snapshot}")
        if self.mode == "sequential":
            states = [mark.state for mark in self.marks()]
            self.choose(states.index("open") if "open" in states else self.part)

    def _within(self, point):
        return tuple(map(float, self.clipped(point)))
