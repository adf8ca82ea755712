"""Choosing videos: of the computer where the kernel runs, from the one where the browser is, or of its camera."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import ipywidgets

from dlcnb.files import TEMPORARY
from dlcnb.project import missing_words
from dlcnb.project.sources import check_twins, checked_videos, is_raw_video
from dlcnb.video import VIDEO_SUFFIXES, VideoReader
from dlcnb.widgets.base.camera import Camera
from dlcnb.widgets.base.folders import FolderBrowser
from dlcnb.widgets.base.html import Html, notice
from dlcnb.widgets.base.task import Task
from dlcnb.widgets.base.upload import Upload
from dlcnb.widgets.base.view import View, button, gesture, row
from dlcnb.widgets.studio.chosen import ChosenVideos

if TYPE_CHECKING:
    from dlcnb.project import Project

__all__ = ["AddVideos", "VideoChooser"]


class VideoChooser(View):
    """Videos as rows to press, those that are chosen beside them, an upload, and the camera.

    Parameters
    ----------
    changed : callable
        Called without arguments when one is chosen or taken away.
    folder : path, optional
        Where to begin to look.

    Attributes
    ----------
    videos : list of Path
        Those chosen, in their order.
    """

    def __init__(self, changed: Callable[[], object] = lambda: None, folder: str | Path | None = None) -> None:
        self._changed = changed
        self.videos: list[Path] = []
        self._uploads: Path | None = None
        nothing = "No video here: look into another folder, or upload one."
        self.chosen = ChosenVideos(self.toggle, self.fail, "Press the videos in the list that you want to use.")
        self.browser = FolderBrowser(
            is_raw_video, self.toggle, folder=folder, icon="film", nothing=nothing, beside=self.chosen
        )
        self.upload = Upload(
            self._folder, self.choose, self.fail, accept=VIDEO_SUFFIXES, label="Upload videos from your computer"
        )
        self.camera: Camera | None = None
        self.unfold = button("camera", "Record a clip with this computer's camera", self.toggle_camera, "Record a clip")
        self.lens = ipywidgets.VBox()
        super().__init__([self.browser, row([self.upload, self.unfold], tight=True), self.lens])

    @property
    def uploaded(self) -> list[Path]:
        """Those of the chosen ones that were uploaded: a project takes a copy, as they don't stay where they are."""
        return [path for path in self.videos if self._uploads is not None and path.parent == self._uploads]

    def _folder(self) -> Path:
        """Where uploads wait until the project is made."""
        if self._uploads is None:
            self._uploads = Path(tempfile.mkdtemp(prefix=f"{TEMPORARY}uploads-"))
        return self._uploads

    @gesture
    def toggle_camera(self) -> None:
        """Show the camera; if it is shown, turn it off."""
        if self.camera is not None:
            self.camera.close()
            self.camera = None
        else:
            self.camera = Camera(self._folder, self._on_clip, self.fail)
        self.lens.children = [] if self.camera is None else [self.camera]

    def _on_clip(self, clip: Path) -> None:
        """A clip was recorded: choose it, and turn the camera off."""
        self.choose(clip)
        self.toggle_camera()
        if clip in self.videos:
            with VideoReader(clip) as reader:
                self.tell(f"{clip.name} is recorded and chosen: {len(reader)} frames, {reader.times[-1]:.0f} seconds.")

    @gesture
    def toggle(self, path: Path) -> None:
        """Choose a video, or take it away."""
        if path in self.videos:
            self._set([other for other in self.videos if other != path])
        else:
            self.choose(path)

    @gesture
    def choose(self, path: str | Path) -> None:
        """Choose a video: one that can't be read, or has the name of another, is refused."""
        self.tell("")
        path = Path(path).absolute()
        checked_videos(path)  # of the others only the names count: there may be many, on a slow disk
        check_twins([*self.videos, path])
        self._set([*self.videos, path])

    def _set(self, videos: list[Path]) -> None:
        self.videos = videos
        self.chosen.set(videos)
        self.browser.mark(videos)
        self._changed()

    def clear(self) -> None:
        """Choose none, and remove what was uploaded: projects have copies."""
        self._set([])
        if self._uploads is not None:
            shutil.rmtree(self._uploads, ignore_errors=True)
            self._uploads = None

    def close(self) -> None:
        """Take it off the page; uploads that no project took are removed."""
        if self.comm is not None:
            self.upload.close()
            self.chosen.close()
            if self.camera is not None:
                self.camera.close()
            self.clear()
        super().close()


class AddVideos(View):
    """A button that unfolds a `VideoChooser`, and adds what is chosen to a project.

    Parameters
    ----------
    project : Project
    added : callable
        Called without arguments when videos were added.
    """

    def __init__(self, project: Project, added: Callable[[], object]) -> None:
        self.project, self._added = project, added
        self.task = Task(self.fail, self._busy)
        around = project.videos[0].resolve().parent if project.videos else None
        if around and around.is_relative_to(project.root.resolve()):
            around = None
        self.chooser = VideoChooser(self._show, around)
        self.unfold = button("plus", "More videos for this project", self.toggle, "Add videos")
        self.add_button = button("check", "Link them into the project; uploads are copied", self.add, "Add")
        self.add_button.button_style = "primary"
        self.missing = Html()
        super().__init__([self.missing, row([self.unfold, self.add_button], tight=True), self.chooser])
        self.show_chooser(not project.videos)
        self.refresh()

    def refresh(self) -> None:
        """Say which videos are missing."""
        self.missing.value = notice(missing_words(self.project), "error")

    def show_chooser(self, wanted: bool) -> None:
        """Unfold it, or fold it."""
        for widget in (self.chooser, self.add_button):
            widget.layout.display = None if wanted else "none"
        self.unfold.icon = "minus" if wanted else "plus"
        self._show()

    def toggle(self) -> None:
        """Unfold it if it is folded, fold it if not."""
        self.show_chooser(self.chooser.layout.display == "none")

    def _show(self) -> None:
        count = len(self.chooser.videos)
        self.add_button.description = f"Add {count} video{'s' * (count != 1)}" if count else "Add"
        self.add_button.disabled = not count or self.task.running

    def _busy(self, busy: bool) -> None:
        self.add_button.disabled = busy or not self.chooser.videos

    @gesture
    def add(self) -> None:
        """Add what is chosen; returns at once, as uploads are copied."""
        self.task.start(lambda _: self._add())

    def _add(self) -> None:
        uploaded = self.chooser.uploaded
        linked = [path for path in self.chooser.videos if path not in uploaded]
        if linked:
            self.project.add_videos(linked)
        if uploaded:
            self.project.add_videos(uploaded, copy=True)
        self.chooser.clear()
        self.show_chooser(False)
        self._added()

    def close(self) -> None:
        """Take it off the page."""
        self.chooser.close()
        super().close()
