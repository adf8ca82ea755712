"""EvaluationView: how good a network is, and on which frames it errs: plots, a gallery sorted by error, one frame."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import ipywidgets
import numpy as np
from PIL import Image

from dlcnb import jobs
from dlcnb.evaluate import Before, Evaluation, ScoreMaps, before, human_variability, maps_path
from dlcnb.labels import LabelError, current_labels
from dlcnb.project import Project
from dlcnb.widgets.base.compat import Accordion
from dlcnb.widgets.base.follow import JobFollower, under_way
from dlcnb.widgets.base.frame_images import FrameImages
from dlcnb.widgets.base.html import Html
from dlcnb.widgets.base.input_guard import InputGuard
from dlcnb.widgets.base.pictures import beside, stacked
from dlcnb.widgets.base.quiet import Quiet
from dlcnb.widgets.base.view import NotYet, View, gesture, shown
from dlcnb.widgets.evaluation.controls import Controls, summary_table, why_not
from dlcnb.widgets.evaluation.draw import plots_picture
from dlcnb.widgets.evaluation.frame import FrameView, NoImages
from dlcnb.widgets.evaluation.plots import EvaluationPlots
from dlcnb.widgets.evaluation.state import EvaluationState
from dlcnb.widgets.evaluation.thumbnails import THUMBNAIL, Thumbnails
from dlcnb.widgets.gallery.thumbnails import Gallery

if TYPE_CHECKING:
    from dlcnb.widgets.base.follow import News

__all__ = ["EvaluationView"]

CANVAS = (384, 512)
PURPOSE = "Here you see how far the network is off, and on which frames most."
STARTING = "The network starts, then it predicts the labeled frames …"
NONE_YET = f"{PURPOSE} Nothing is evaluated yet"
UNDER_WAY = f"{PURPOSE} It is evaluated now; what is found appears here."


class EvaluationView(View):
    """Errors of a network on the labeled frames, and the frames themselves, the worst first.

    Parameters
    ----------
    source : Project, path or Evaluation
        A project (or its folder): its evaluations can be chosen and new ones made. An `Evaluation`: that one.
    project : Project, optional
        Where the images of an `Evaluation` lie.
    labeler : optional
        Any object with ``go_to(image)``, such as a `Labeler`: "Fix this label" calls it.
    on_kept : callable, optional
        Called with a pcutoff that has become the project's.
    """

    _path: Path | None = None
    _seen: Path | None = None  # what was shown last, whose pcutoff stays
    _complete = False  # `close` is called where the constructor failed, too

    def __init__(
        self,
        source: Project | Evaluation | Path | str,
        *,
        project: Project | None = None,
        labeler: Any = None,
        on_kept: Callable[[float], object] | None = None,
    ) -> None:
        self.project, evaluation = _resolve(source, project)
        self.labeler, self._on_kept = labeler, on_kept
        self.follower = JobFollower(self._on_news, self._on_failure)
        self.state = EvaluationState()
        self.images: FrameImages | NoImages = FrameImages(self.project) if self.project else NoImages()
        self._lock, self._quiet = threading.RLock(), Quiet()
        self._thumbnails = Thumbnails(self.state, self.images)
        self.plots = EvaluationPlots(self._on_point)
        self.frame_view = FrameView(self.state, self.images, self.fail, CANVAS)
        self.gallery = Gallery(self._thumbnails.picture, self._open, self.fail, size=THUMBNAIL, columns=4, rows=3)
        self.controls = Controls(self.state, self, startable=evaluation is None)
        self.guard = InputGuard(surfaces=0)
        self.empty, self._found = Html(), (self.controls.row, self._halves(), self._details())
        self.empty.add_class("dlcnb-empty")
        super().__init__(
            [
                self.controls.header, self.empty, self.controls.verdict, self.controls.table, *self._found, self.guard,
            ]
        )  # fmt: skip
        self.add_class("dlcnb-evaluation")
        self._complete = True
        self._connect()
        if evaluation is not None:
            self.show_evaluation(evaluation)
        else:
            self.refresh()
            self._find()

    def recheck(self) -> None:
        """See whether there is a network by now, and take back an error that is no longer true."""
        super().recheck()
        self._show_start()

    def _show_start(self) -> None:
        """Show whether an evaluation can be started, or is under way."""
        why, running = why_not(self.project), self.follower.following
        self.controls.busy(running, why)
        none_yet = f"{NONE_YET}: press Evaluate{' once a network is trained' if why else ''}."
        self.empty.value = UNDER_WAY if running else none_yet

    @shown
    def _find(self) -> None:
        """Follow an evaluation that was started before: from another page, or a kernel that is gone."""
        if self.project is not None and (job := under_way(self.project, "evaluate")) is not None:
            self.follower.follow(job)

    def _halves(self) -> ipywidgets.GridBox:
        layout = ipywidgets.Layout(min_width="0")
        frame = ipywidgets.VBox([self.controls.fix_row, self.frame_view], layout=layout)
        made = ipywidgets.GridBox([frame, self.controls.gallery_box(self.plots.errors_box, self.gallery)])
        made.add_class("dlcnb-halves")
        return made

    def _details(self) -> Accordion:
        """PCK and calibration, folded away; they go to the page when they are unfolded."""
        inside = ipywidgets.VBox()
        made = Accordion([inside], selected_index=None)
        made.set_title(0, "Details: PCK, and what the likelihood is worth")

        def unfold(_: Any) -> None:
            inside.children = [self.plots.details_box]

        made.observe(unfold, "selected_index")
        return made

    def _connect(self) -> None:
        state = self.state
        state.observe(lambda _: self._show_all(), ["revision", "frames", "bodypart", "epsilon_px"])
        state.observe(lambda _: self._show_cutoff(), "pcutoff")
        state.observe(lambda _: self._show_image(), "image")
        self.gallery.state.observe(self._quiet.ignored(lambda _: self._on_focus()), "focus")

    # --- choosing and making evaluations ---

    def evaluations(self) -> list[Path]:
        """Paths of the project's evaluations (json), the newest run and the last step first."""
        if self.project is None:
            return []
        found: list[Path] = []
        for run in reversed(self.project.runs()):
            steps = {
                int(m[1]): path
                for path in self.project.evaluation_dir(run).glob("evaluation-*.json")
                if (m := re.fullmatch(r"evaluation-(\d+)\.json", path.name))
            }
            found += [steps[step] for step in sorted(steps, reverse=True)]
        return found

    @gesture
    def refresh(self) -> None:
        """Look for evaluations, and take up labels that have changed since the one shown was made."""
        found = self.evaluations()
        with self._lock:
            left = self._path is not None and not found  # the last one, by a merge or by another program
            if self._path not in found:
                self._path = found[0] if found else None
            if left:
                self._forget()
        self.controls.list_evaluations(found, self._path)
        self._show_start()
        if self._path is not None:
            self.show_file(self._path)
        elif self.state.evaluation is not None and self.project is not None:
            self._take_up_labels()
        elif self.state.evaluation is None:
            self._show_all()

    def _forget(self) -> None:
        """Show no evaluation, as the one shown is not of the present iteration any more."""
        self._seen, self.frame_view.maps = None, None
        self.tell("")
        self.state.set_evaluation(None)

    @gesture
    def show_file(self, path: Path | str) -> None:
        """Show an evaluation of the project: the path of its json file."""
        path = Path(path)
        evaluation = Evaluation.read(path)
        self._path = path
        self.frame_view.maps, damage = None, None
        try:
            self.frame_view.maps = ScoreMaps(maps_path(path.parent, evaluation.step))
        except FileNotFoundError:
            pass
        except (OSError, ValueError) as error:  # what they lie over is shown all the same
            damage = error
        again, self._seen = path == self._seen, path
        than = None if self.project is None else before(self.project, path)
        self.show_evaluation(evaluation, self.state.pcutoff if again else None, than)
        self._take_up_labels()
        if damage is not None:
            self.fail(damage)

    def show_evaluation(self, evaluation: Evaluation, pcutoff: float | None = None, than: Before | None = None) -> None:
        """Show an `Evaluation`, with this pcutoff, else the project's or its own, and whether it is worse ``than``."""
        self._thumbnails.forget()
        human = human_variability(self.project) if self.project is not None else None
        if pcutoff is None and self.project is not None:
            pcutoff = self.project.pcutoff
        self.tell(f"{evaluation.left_out}." if evaluation.left_out else "")
        self.state.set_evaluation(evaluation, human, pcutoff, than)

    def _take_up_labels(self) -> None:
        """Compare the predictions with the labels as they are now."""
        before = self.state.evaluation
        if before is None or self.project is None:
            return
        try:
            after = before.with_labels(current_labels(self.project))
        except LabelError as error:
            self.fail(error)
            return
        changed = ~np.isclose(before.labels, after.labels, equal_nan=True).all(axis=(1, 2))
        if changed.any():
            self._thumbnails.forget()
            self.state.replace_evaluation(after)
            frames = "1 frame was" if changed.sum() == 1 else f"{changed.sum()} frames were"
            self.tell(
                f"{frames} labeled again since this evaluation; the errors shown are those of the present labels."
            )

    @gesture
    def evaluate(self) -> None:
        """Evaluate the last run's best snapshot in a process of its own; returns at once (see `wait`)."""
        if self.project is None:
            raise RuntimeError("There is no project to evaluate in: make this view with EvaluationView(project).")
        if self.follower.following:
            raise NotYet("An evaluation is under way already.", lambda: self.follower.following)
        if why := why_not(self.project):
            raise NotYet(why, lambda: bool(why_not(self.project)))
        self.follower.follow(jobs.start("evaluate", self.project))

    def _on_news(self, news: News) -> None:
        self._show_start()
        if not news.ended:
            self.tell("" if news.last("progress") else STARTING)
        elif (done := news.last("done")) is not None:
            result = done["result"]
            self._path = Path(result["folder"]) / f"evaluation-{result['step']}.json"
            self.tell("")
            self.refresh()
        else:
            self.fail(RuntimeError(news.error or "The evaluation was stopped before its end."))

    def _on_failure(self, error: Exception) -> None:
        self._show_start()
        self.fail(error)

    # --- gestures ---

    @gesture
    def fix(self) -> None:
        """Open the image shown in the labeler."""
        if self.labeler is None:
            raise RuntimeError("No labeler: make this view with labeler=Labeler(project).")
        if self.state.image:
            self.labeler.go_to(self.state.image)
            self.tell(f"{self.state.image} is open in the labeler. Press the refresh button here when it is corrected.")

    @gesture
    def use_suggested(self) -> None:
        """Move the pcutoff here to the suggested one; the project's stays."""
        calibration = self.state.calibration()
        if calibration is not None and calibration.suggested_pcutoff is not None:
            self.state.pcutoff = calibration.suggested_pcutoff

    @gesture
    def keep_pcutoff(self) -> None:
        """Make the pcutoff the project's: analyses, plots and videos use it from then on."""
        if self.project is None:
            raise RuntimeError("There is no project to keep the pcutoff: make this view with project=….")
        self.project.config["pcutoff"] = round(self.state.pcutoff, 6)
        self.project.save()
        self.controls.show_cutoff()
        if self._on_kept is not None:
            self._on_kept(self.project.pcutoff)
        self.tell(f"The project's pcutoff is now {self.state.pcutoff:.4g}: trajectories, plots and videos use it.")

    @gesture
    def _open(self, image: str) -> None:
        self.state.show(image)
        self.frame_view.reveal()

    @gesture
    def _on_point(self, row: int, k: int) -> None:
        self.state.show_point(row, k)
        self.frame_view.reveal()

    @gesture
    def _on_focus(self) -> None:
        cell = self.gallery.state.focused
        if cell is not None:
            self.state.show(str(cell.key))

    # --- painting ---

    @shown
    def _show_all(self) -> None:
        nothing, found = self.state.evaluation is None, self.state.findings()
        self.empty.layout.display = None if nothing else "none"
        for part in self._found:
            part.layout.display = "none" if nothing else None
        with self._lock, self._quiet:
            self.gallery.set_cells(self._thumbnails.cells(found))
            self.gallery.state.focus_on(self.state.image)
        self.controls.show(found)
        self.plots.show(self.state)
        self._show_table()

    @shown
    def _show_cutoff(self) -> None:
        self.controls.show_cutoff()
        self.plots.show_cutoff(self.state)
        self._thumbnails.forget()
        self.gallery.redraw()
        self._show_table()

    @shown
    def _show_image(self) -> None:
        self.gallery.state.focus_on(self.state.image)
        self.plots.show_image(self.state)
        self.controls.show_image()

    def _show_table(self) -> None:
        self.controls.table.value = summary_table(self.state.summaries(), self.state.epsilon_px)

    # --- without a browser ---

    def wait(self, timeout: float = 60.0) -> bool:
        """Block until a running evaluation is over and everything is painted; False after ``timeout`` seconds."""
        self.follower.wait(timeout)
        return self.frame_view.wait(timeout) and self.gallery.wait(timeout)

    def snapshot(self) -> Image.Image:
        """The plots above, the gallery and the frame below, as a `PIL.Image.Image`."""
        lower = beside(self.gallery.snapshot(), self.frame_view.snapshot())
        if self.state.evaluation is None:
            return lower
        return stacked(plots_picture(self.state.evaluation, self.state, lower.width), lower)

    def close(self) -> None:
        """Take the widget off the page; a running evaluation goes on."""
        if self._complete:
            for part in (self.follower, self.frame_view, self.gallery):
                part.close()
            if isinstance(self.images, FrameImages):
                self.images.close()
        super().close()


def _resolve(
    source: Project | Evaluation | Path | str, project: Project | None
) -> tuple[Project | None, Evaluation | None]:
    """(Project or None, Evaluation or None) from whatever the user gave."""
    if isinstance(source, Evaluation):
        return project, source
    return (source if isinstance(source, Project) else Project.open(source)), None
