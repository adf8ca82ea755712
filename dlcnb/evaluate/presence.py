"""Is it there at all? How well the likelihood tells frames that show a bodypart from frames that don't."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dlcnb.evaluate.roc import auc, best_cutoff, share_of
from dlcnb.evaluate.summary import number

if TYPE_CHECKING:
    from dlcnb.evaluate.core import Evaluation

__all__ = ["Presence", "presence", "presence_json", "presence_text"]


@dataclass(frozen=True)
class Presence:
    """One bodypart: the likelihood in frames where it is labeled, against frames where it is not visible.

    Attributes
    ----------
    bodypart : str
    shown, absent : int
        Frames in which it is labeled, and labeled frames in which it is not.
    auc : float
        Chance that a frame that shows it has more likelihood than one that does not; NaN if one kind is missing.
    misses, false_alarms : float
        Share of the shown frames below the pcutoff, and of the others at or above it; NaN of nothing.
    suggested_pcutoff : float or None
        Where both shares together are smallest; None with fewer than five frames of one kind, or if the likelihood
        tells nothing.
    """

    bodypart: str
    shown: int
    absent: int
    auc: float
    misses: float
    false_alarms: float
    suggested_pcutoff: float | None

    def to_json(self) -> dict[str, Any]:
        """The same as a dict without the name; NaN becomes None."""
        shares = {name: number(getattr(self, name)) for name in ("auc", "misses", "false_alarms")}
        return {"shown": self.shown, "absent": self.absent, **shares, "suggested_pcutoff": self.suggested_pcutoff}


def presence(evaluation: Evaluation, frames: NDArray[np.bool_] | None = None) -> tuple[Presence, ...]:
    """`Presence` of each of the K bodyparts.

    Frames without any label tell nothing (nobody may have looked at them) and are left out.

    Parameters
    ----------
    evaluation : Evaluation
    frames : numpy.ndarray, optional
        (N,) bool, the frames to count; by default the test frames, or all if there are none.
    """
    shown = np.isfinite(evaluation.labels).all(axis=2)  # (N, K)
    counted = shown.any(axis=1) & (evaluation.judged if frames is None else frames)
    found = []
    for k, part in enumerate(evaluation.bodyparts):
        likelihood = evaluation.likelihood[:, k]
        known = counted & np.isfinite(likelihood)
        here, away = likelihood[known & shown[:, k]], likelihood[known & ~shown[:, k]]
        misses, alarms = share_of(here < evaluation.pcutoff), share_of(away >= evaluation.pcutoff)
        found.append(Presence(part, len(here), len(away), auc(here, away), misses, alarms, best_cutoff(here, away)))
    return tuple(found)


def presence_json(evaluation: Evaluation) -> dict[str, Any]:
    """Presence in ``evaluate --json``.

    Returns
    -------
    dict
        ``on`` ("test", or "all" where there are no test frames), ``auc`` (mean over the bodyparts that are missing in
        some frames; None without such), ``bodyparts`` (`Presence.to_json` by name).
    """
    found = presence(evaluation)
    areas = [one.auc for one in found if np.isfinite(one.auc)]
    return {
        "on": "test" if evaluation.is_test.any() else "all",
        "auc": float(np.mean(areas)) if areas else None,
        "bodyparts": {one.bodypart: one.to_json() for one in found},
    }


def presence_text(report: dict[str, Any], pcutoff: float) -> str:
    """Lines for people, one per bodypart that is missing in some frames; "" if there is none.

    Parameters
    ----------
    report : what `presence_json` gives.
    pcutoff : of the evaluation.
    """
    rows = [(name, one) for name, one in report["bodyparts"].items() if one["auc"] is not None]
    if not rows:
        return ""
    wide = max(len(name) for name, _ in rows)
    lines = [
        f"Is a bodypart there? Its likelihood in frames that show it against frames that don't ({report['on']} frames)"
    ]
    for name, one in rows:
        suggested = one["suggested_pcutoff"]
        better = "" if suggested is None else f"; suggested pcutoff {suggested:g}"
        lines.append(
            f"  {name:<{wide}}  AUC {one['auc']:.2f}; pcutoff {pcutoff:g} "
            f"misses {one['misses']:.0%} of {one['shown']}, "
            f"false alarms in {one['false_alarms']:.0%} of {one['absent']}{better}"
        )
    return "\n".join(lines)
