"""The thumbnails of an evaluation: each frame around its worst bodypart, with how far off that is."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from cachetools import LRUCache
from numpy.typing import NDArray

from dlcnb.labels import LabelError
from dlcnb.render import palette
from dlcnb.widgets.evaluation.draw import thumbnail
from dlcnb.widgets.evaluation.state import EvaluationState, Finding
from dlcnb.widgets.gallery.gallery_state import Cell

__all__ = ["THUMBNAIL", "Thumbnails"]

THUMBNAIL = (90, 120)
KEPT = 400  # in memory


class Thumbnails:
    """The cells of a gallery, and their pictures.

    Parameters
    ----------
    state : EvaluationState
    images : object with ``read(name)`` -> uint8 (H, W, 3)
    """

    def __init__(self, state: EvaluationState, images: Any) -> None:
        self._state, self._images = state, images
        self._findings: dict[str, Finding] = {}
        self._made: LRUCache[tuple[str, int], NDArray[np.uint8]] = LRUCache(KEPT)

    def forget(self) -> None:
        """The predictions, the labels or the pcutoff have changed: all are drawn anew."""
        self._made.clear()

    def cells(self, findings: Iterable[Finding]) -> list[Cell]:
        """The cells of these frames, which `picture` knows from then on."""
        self._findings = {finding.image: finding for finding in findings}
        return [self._cell(finding) for finding in self._findings.values()]

    def _cell(self, finding: Finding) -> Cell:
        name = finding.image.split("/")[-1].removesuffix(".png")
        kind = "test" if finding.is_test else "train"
        bad = finding.error >= self._state.epsilon_px
        return Cell(finding.image, f"{finding.bodypart} {finding.error:.1f} px", f"{kind} · {name}", warn=bad)

    def picture(self, cell: Cell) -> NDArray[np.uint8] | None:
        """The picture of a cell, uint8 (H, W, 3); None if there is none."""
        finding, e = self._findings.get(str(cell.key)), self._state.evaluation
        if finding is None or e is None:
            return None
        row, k = finding.row, finding.k
        made = self._made.get((finding.image, k))
        if made is None:
            try:
                image = self._images.read(finding.image)
            except LabelError:
                return None
            sure, color = e.likelihood[row, k] >= self._state.pcutoff, palette(len(e.bodyparts))[k]
            made = thumbnail(image, e.labels[row, k], e.predicted[row, k], sure, color, THUMBNAIL)
            self._made[finding.image, k] = made
        return made
