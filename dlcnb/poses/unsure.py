"""What is to be said of bodyparts that hardly any frame is sure of, before they silently miss in what is drawn."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dlcnb.poses.single import Poses

__all__ = ["SELDOM", "left_out", "seldom_sure"]

SELDOM = 0.05  # of the frames


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
        "bodyparts in the video, train longer, or set a lower pcutoff (an evaluation suggests one)."
    )
