"""What is to be said of bodyparts that hardly any frame is sure of, before they silently miss in what is drawn."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from dlcnb.poses.single import Poses

__all__ = ["SELDOM", "TopLikelihood", "left_out", "seldom_sure"]

SELDOM = 0.05  # of the frames
_BINS = 1000


def seldom_sure(poses: Poses, pcutoff: float) -> str:
    """One line that names the bodyparts which are above the pcutoff in under `SELDOM` of the frames; empty if none."""
    if not len(poses):
        return ""
    sure = (poses.likelihood >= pcutoff).mean(axis=0)
    return left_out([name for name, share in zip(poses.bodyparts, sure, strict=True) if share < SELDOM], pcutoff)


def left_out(bodyparts: Iterable[str], pcutoff: float) -> str:
    """The same line for bodyparts that are known."""
    names = ", ".join(dict.fromkeys(bodyparts))
    if not names:
        return ""
    return (
        f"Left out, because the likelihood is hardly ever above the pcutoff {pcutoff:g}: {names}. If you see these "
        "bodyparts in the video, train longer; or keep a lower pcutoff (Evaluate, or config.yaml), and look whether "
        "the points are right."
    )


class TopLikelihood:
    """What likelihood `SELDOM` of the frames reach, counted while the poses go by, so that no table is read again."""

    def __init__(self) -> None:
        self._bodyparts: tuple[str, ...] = ()
        self._frames, self._counts = 0, np.zeros((0, _BINS + 1), int)

    def counted(self, chunks: Iterable[Poses]) -> Iterator[Poses]:
        """The same poses, of consecutive frames."""
        for poses in chunks:
            self._bodyparts = poses.bodyparts
            self._counts = self._counts if self._frames else np.zeros((len(poses.bodyparts), _BINS + 1), int)
            self._frames += len(poses)
            for counts, likelihood in zip(self._counts, poses.likelihood.T, strict=True):
                counts += _histogram(likelihood)
            yield poses

    def reached(self) -> dict[str, float]:
        """{bodypart: the likelihood in steps of 0.001}; that of `seldom_sure` is below the pcutoff."""
        above = np.cumsum(self._counts[:, ::-1], axis=1)[:, ::-1]  # frames at or above each step
        enough = (above >= SELDOM * max(self._frames, 1)).sum(axis=1) - 1
        return {name: max(int(step), 0) / _BINS for name, step in zip(self._bodyparts, enough, strict=True)}


def _histogram(likelihood: NDArray[np.float64]) -> NDArray[np.int_]:
    """Frames ``(_BINS + 1,)`` by the step that their likelihood ``(T,)`` reaches; those without one (NaN) nowhere."""
    steps = np.floor(likelihood[np.isfinite(likelihood)] * _BINS + 1e-6).astype(int)
    return np.bincount(np.clip(steps, 0, _BINS), minlength=_BINS + 1)
