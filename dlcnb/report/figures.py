"""The figures of a report, as PNG inside the page."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import matplotlib
import numpy as np

from dlcnb import plots
from dlcnb.video import VideoReader

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from dlcnb.report.facts import Facts
    from dlcnb.report.videos import Recorded
    from dlcnb.report.zones import Measured

__all__ = ["Picture", "network_pictures", "video_pictures", "zone_pictures"]

_DPI = 130


@dataclass(frozen=True)
class Picture:
    """A figure: ``source`` for an ``<img>``, and the text below it."""

    source: str
    caption: str
    wide: bool = False


def network_pictures(facts: Facts) -> Iterator[Picture]:
    """How the network learned, and its errors."""
    if facts.curves is not None and len(facts.curves["step"]):
        yield _picture(
            lambda: plots.training(facts.curves or {})[0],
            "Loss, and error on validation and training frames, over the steps of the training.",
        )
    if facts.evaluation is not None:
        evaluation, human = facts.evaluation, facts.human
        more = "" if human is None else " Dotted: the second person's labels."
        yield _picture(
            lambda: plots.errors(evaluation)[0],
            "Distance of each predicted point from its label; bars are means. Below: mean on train / test frames, px.",
        )
        yield _picture(
            lambda: plots.pck(evaluation, human)[0],
            f"Share of points within a distance of their label, with the 95 % interval on test frames.{more}",
        )


def video_pictures(one: Recorded, pcutoff: float) -> Iterator[Picture]:
    """Where the bodyparts of a video were, and how sure the network was over time."""
    poses = one.poses
    if poses is None or not len(poses):
        return
    yield _picture(
        lambda: plots.trajectory(poses, pcutoff, size=one.size, scale=one.scale)[0],
        f"{one.name}: trajectories, points of a likelihood of at least {pcutoff:g}.",
    )
    yield _picture(
        lambda: plots.likelihood(poses, one.times, pcutoff)[0],
        f"{one.name}: likelihood over time; dashed: the pcutoff {pcutoff:g}.",
        wide=True,
    )


def zone_pictures(one: Measured) -> Iterator[Picture]:
    """Where a bodypart was for how long, and when in which zone."""
    recorded = one.recorded
    image = _first_frame(recorded)
    yield _picture(
        lambda: plots.occupancy(
            one.points, recorded.times, recorded.size, zones=one.zones, image=image, scale=recorded.scale
        )[0],
        f"{recorded.name}: time that {one.bodypart} spent in each place, and the zones.",
    )
    yield _picture(
        lambda: plots.ethogram(one.stays, recorded.times)[0],
        f"{recorded.name}: when {one.bodypart} was in which zone.",
        wide=True,
    )


def _first_frame(recorded: Recorded) -> Any:
    """The first frame of a video, None where it can't be read."""
    try:
        with VideoReader(recorded.video) as reader:
            return np.asarray(reader.read(0))
    except (ValueError, OSError):
        return None


def _picture(draw: Callable[[], Figure], caption: str, *, wide: bool = False) -> Picture:
    buffer = io.BytesIO()
    with matplotlib.rc_context({"agg.path.chunksize": 10_000}):
        draw().savefig(buffer, format="png", dpi=_DPI, facecolor="white", pil_kwargs={"optimize": True})
    return Picture(f"data:image/png;base64,{base64.b64encode(buffer.getvalue()).decode()}", caption, wide)
