"""The widgets of a Studio as its other widgets see them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dlcnb.widgets.studio.studio import Studio

__all__ = ["LabelerLink", "QueueLink"]


class LabelerLink:
    """The labeler as others see it: made when it is wanted, its tab opened with it."""

    def __init__(self, studio: Studio) -> None:
        self._studio = studio

    @property
    def session(self) -> Any:
        """The labeler's session; None as long as there is no labeler."""
        made = self._studio.widgets.get("Label")
        return made and made.session

    def go_to(self, image: str) -> None:
        """Open an image in the labeler."""
        labeler = self._studio.widget("Label")
        labeler.refresh()
        labeler.go_to(image)
        self._studio.go_to("Label")


class QueueLink:
    """The queue of outlier frames as the trajectories see it."""

    def __init__(self, studio: Studio) -> None:
        self._studio = studio

    def add(self, frame: int) -> None:
        """Put a frame into the queue; its tab stays as it is; correcting it is offered."""
        self._studio.widget("Refine").add(frame)
        self._studio.lines.offer(frame)
