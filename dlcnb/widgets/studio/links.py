"""The widgets of a Studio as its other widgets see them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dlcnb.widgets.studio.analysis_bar import ANYWAY
from dlcnb.widgets.studio.networks import has_poses

if TYPE_CHECKING:
    from pathlib import Path

    from dlcnb.widgets.studio.studio import Studio

__all__ = ["LabelerLink", "QueueLink", "TimesLink"]


class LabelerLink:
    """The labeler as others see it: made when it is wanted, its tab opened with it."""

    def __init__(self, studio: Studio) -> None:
        self._studio = studio

    @property
    def session(self) -> Any:
        """The labeler's session; None as long as there is no labeler."""
        made = self._studio.widgets.get("Label")
        return made and made.session

    def go_to(self, image: str, bodypart: str = "", why: str = "") -> None:
        """Open an image in the labeler, at a bodypart, and say why."""
        labeler = self._studio.widget("Label")
        labeler.refresh()
        labeler.go_to(image, bodypart, why)
        self._studio.go_to("Label")


class QueueLink:
    """The queue of outlier frames as the trajectories see it."""

    def __init__(self, studio: Studio) -> None:
        self._studio = studio

    def add(self, frame: int) -> None:
        """Put a frame into the queue; its tab stays as it is; correcting it is offered."""
        queue = self._studio.widget("Refine")
        queue.add(frame)
        self._studio.lines.offer(frame, len(queue.state.kept) - 1)


class TimesLink:
    """The time in the zones of a video, as the editor of zones sees it, and the analysis that it needs."""

    def __init__(self, studio: Studio) -> None:
        self._studio = studio

    def lacks(self, video: Path) -> tuple[str, str]:
        """(why there are no times of a video yet, what a button says that begins their analysis); empty: nothing."""
        bar = self._studio.bar
        if has_poses(video):
            return "", ""
        if bar.busy:
            return "Times in zones appear when the analysis is done.", ""
        if missing := bar.missing():
            return f"Times in zones need an analysis of this video: {missing}.", ""
        words = ANYWAY if bar.asking and bar.video == video else "Analyze this video"
        return "Times in zones need an analysis of this video first.", words

    def analyze(self, video: Path) -> None:
        """Begin it; the zones stay in sight."""
        self._studio.bar.videos.value = video
        self._studio.bar.press()

    def show(self, video: Path) -> None:
        """Show them, in their section of the trajectories."""
        if video in self._studio.project.videos:
            self._studio.bar.videos.value = video
        if (view := self._studio.go_to("Trajectories")) is not None:
            view.show_zones()
