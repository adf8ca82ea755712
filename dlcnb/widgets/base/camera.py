"""The camera of the computer where the browser is: a clip of some seconds, which arrives as an upload does."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import traitlets

from dlcnb.video import VideoError, remux
from dlcnb.widgets.base.page import page_code
from dlcnb.widgets.base.upload import Upload

__all__ = ["Camera"]

_HERE = Path(__file__).parent


class Camera(Upload):
    """A preview of the camera, a countdown, and a clip of 5 to 60 seconds; Stop ends it sooner.

    Nothing is recorded before Record is pressed, and nothing leaves the browser but the clip. Where there is no camera
    to be had (none connected, not allowed, a page without https), one line says so and what to do.

    Parameters
    ----------
    folder : callable
        ``folder()`` gives the folder that clips are written to; it is made if need be.
    arrived : callable
        Called with the path of each clip, an mp4 or webm in which every frame can be found.
    failed : callable
        Called with what goes wrong.
    """

    _esm = page_code(_HERE / "pieces.js", _HERE / "camera.js")

    seconds = traitlets.Int(20, min=5, max=60).tag(sync=True)

    def __init__(
        self,
        folder: Callable[[], Path],
        arrived: Callable[[Path], object],
        failed: Callable[[Exception], object],
    ) -> None:
        super().__init__(lambda: folder() / "recorded", self._on_recorded, failed)
        self._taken = arrived

    def _on_recorded(self, raw: Path) -> None:
        """Make a clip of what the browser recorded, a stream without a table, which stays if the disk is full."""
        try:
            clip = remux(raw, raw.parent.parent)
        except VideoError:
            raw.unlink()
            raise
        except OSError as error:
            raise OSError(
                f"{error} What was recorded is kept in {raw}: choose it as a video once there is room."
            ) from error
        raw.unlink()
        self._taken(clip)
