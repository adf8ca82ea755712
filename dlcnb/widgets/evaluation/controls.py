"""The fields and buttons of EvaluationView, and its table of errors."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import ipywidgets
import numpy as np

from dlcnb.evaluate import judging_evaluations
from dlcnb.project import ProjectError
from dlcnb.project.core import MODELS
from dlcnb.run import Run
from dlcnb.widgets.base.choices import offer, pcutoff_slider
from dlcnb.widgets.base.html import Html, Markup, heading, markup, swatch, table
from dlcnb.widgets.base.quiet import Quiet
from dlcnb.widgets.base.view import button, row
from dlcnb.widgets.evaluation.state import FRAMES
from dlcnb.widgets.training.runs import run_name

if TYPE_CHECKING:
    from dlcnb.evaluate import Verdict
    from dlcnb.project import Project
    from dlcnb.widgets.evaluation.state import EvaluationState, Finding, Summary
    from dlcnb.widgets.evaluation.view import EvaluationView

__all__ = ["Controls", "summary_table", "verdict_line", "why_not"]

SUGGESTED = "Moves the pcutoff, in this view only, to the value that separates right from wrong points best"
KEEP = "Make this the project's pcutoff: trajectories, plots and videos use it from then on"
EVALUATIONS = "Evaluations of this project, the newest run first"
START = "Predict the labeled frames of the last run with its best snapshot"
HEADS = {  # of the table -> what they are
    "errors in px": "Distances between prediction and label",
    "mean": "Mean distance; DeepLabCut calls it RMSE",
    "95 % interval": "Where the mean would lie in 95 of 100 such sets of frames",
    "r.m.s.": "Root of the mean squared distance: large errors weigh more",
    "median": "Half of the points are nearer than this",
    "points": "How many labeled bodyparts were compared",
}
LEVEL_COLORS = {"useless": "#d32f2f", "poor": "#d32f2f", "usable": "#b8860b", "good": "#0f9d74"}


class Controls:
    """Header (which evaluation), row (what of it), and the buttons that belong to the frame shown.

    Parameters
    ----------
    state : EvaluationState
    view : EvaluationView
        Whose methods the buttons call.
    startable : bool
        Whether there is a project whose evaluations can be chosen and made.
    """

    def __init__(self, state: EvaluationState, view: EvaluationView, startable: bool) -> None:
        self.state, self._view = state, view
        self._quiet = Quiet()
        self._ranks: dict[str, int] = {}
        self.verdict = Html(layout=ipywidgets.Layout(margin="4px 0 0 0"))
        self.table = Html(layout=ipywidgets.Layout(margin="4px 0"))
        self.table.add_class("dlcnb-errors")
        self._build_header(startable)
        self._build_row()
        self._build_fix()

    def _build_header(self, startable: bool) -> None:
        layout = ipywidgets.Layout
        self.chosen = ipywidgets.Dropdown(layout=layout(flex="0 1 460px", width="auto", min_width="0", margin="0"))
        self.chosen.observe(self._quiet.ignored(self._on_chosen), "value")
        self.chosen.observe(lambda _: self._name_chosen(), "label")
        self._name_chosen()
        self.refresh = button("refresh", "Look for new evaluations and changed labels", self._view.refresh)
        self.start = button("play", START, self._view.evaluate, "Evaluate", "120px", button_style="primary")
        self.header = row(
            [Html("run (shuffle)", layout=layout(flex="0 0 auto")), self.chosen, self.refresh, self.start]
            if startable
            else []
        )
        self.header.layout.flex_flow = "row nowrap"
        self.header.layout.display = None if startable else "none"

    def _build_row(self) -> None:
        layout, state = ipywidgets.Layout, self.state
        self.frames = ipywidgets.ToggleButtons(options=FRAMES, value=state.frames, layout=layout(margin="0"))
        self.frames.style.button_width = "56px"
        self.frames.tooltips = ["Both", "Frames that the training held out", "Frames that were trained on"]
        self.bodypart = ipywidgets.Dropdown(options=[("all bodyparts", "")], layout=layout(width="150px", margin="0"))
        self.pcutoff = pcutoff_slider(state.pcutoff, "290px")
        self.suggested = ipywidgets.Button(layout=layout(width="118px"), tooltip=SUGGESTED)
        self.suggested.on_click(lambda _: self._view.use_suggested())
        self.keep = button("save", KEEP, self._view.keep_pcutoff, "Keep for the project")
        self.epsilon = ipywidgets.BoundedFloatText(
            value=state.epsilon_px, min=0.1, max=1000, step=1, layout=layout(width="68px", margin="0")
        )
        self.epsilon.tooltip = "A prediction closer than this to its label is right"
        fields = {"frames": self.frames, "bodypart": self.bodypart, "pcutoff": self.pcutoff, "epsilon_px": self.epsilon}
        for name, widget in fields.items():
            widget.observe(self._quiet.ignored(partial(self._to_state, name)), "value")
        right = ipywidgets.HBox([Html("right: error <"), self.epsilon, Html("px")])
        cut = ipywidgets.HBox([self.pcutoff, self.suggested, self.keep])
        for box in (right, cut):
            box.add_class("dlcnb-row")
            box.add_class("dlcnb-tight")
        cut.add_class("dlcnb-cut")
        self.row = row([self.frames, self.bodypart, cut, right])
        self.row.add_class("dlcnb-looked-at")

    def _build_fix(self) -> None:
        self.fix = ipywidgets.Button(
            description="Fix this label", icon="pencil", button_style="primary", layout=ipywidgets.Layout(width="130px")
        )
        there = self._view.labeler is not None
        self.fix.tooltip = "Open this frame in the labeler" if there else "Make the view with labeler=Labeler(project)"
        self.fix.on_click(lambda _: self._view.fix())
        self.rank = Html()
        self.rank.add_class("dlcnb-number")
        self.fix_row = row([self.fix, self.rank])

    def gallery_box(self, errors: ipywidgets.Widget, gallery: ipywidgets.Widget) -> ipywidgets.VBox:
        """The plot of errors, and the gallery with its heading."""
        self.heading = Html()
        return ipywidgets.VBox([errors, self.heading, gallery], layout=ipywidgets.Layout(min_width="0"))

    # --- gestures ---

    def _to_state(self, name: str, change: Any) -> None:
        if getattr(self.state, name) != change.new:
            try:
                setattr(self.state, name, change.new)
            except Exception as error:
                self._view.fail(error)

    def _name_chosen(self) -> None:
        """Say in the tooltip what is chosen, for which there is not always room."""
        self.chosen.tooltip = f"{self.chosen.label or ''}\n{EVALUATIONS}".strip()

    def _on_chosen(self, change: Any) -> None:
        if change.new:
            self._view.show_file(change.new)

    # --- showing ---

    def list_evaluations(self, paths: Sequence[Path], chosen: Path | None) -> None:
        """Offer these evaluations."""
        options = [(_name(path), str(path)) for path in paths]
        offer(self.chosen, options, str(chosen), "no evaluation yet", self._quiet)

    def busy(self, running: bool, why_not: str = "") -> None:
        """Show that an evaluation is under way, or over; ``why_not``: why none can be started, empty if one can."""
        self.start.disabled, self.start.tooltip = running or bool(why_not), why_not or START
        self.start.description = "evaluating…" if running else "Evaluate"
        self.start.button_style = "" if why_not or evaluated(self._view.project) else "primary"

    def show(self, findings: Sequence[Finding]) -> None:
        """Bring the fields up to date; ``findings`` are what the gallery shows."""
        state, options = self.state, [("all bodyparts", ""), *((part, part) for part in self.state.bodyparts)]
        if list(self.bodypart.options) != options:
            self._quiet.set(self.bodypart, options=options)
        self._quiet.set(self.bodypart, value=state.bodypart)
        self._quiet.set(self.frames, value=state.frames)
        self._quiet.set(self.epsilon, value=state.epsilon_px)
        many = sum(finding.error >= state.epsilon_px for finding in findings)
        off = f"the worst first; {many} of {len(findings)} are {state.epsilon_px:g} px off or more"
        self.heading.value = heading("frames by error", off)
        self._ranks = {finding.image: n for n, finding in enumerate(findings)}
        self.verdict.value = verdict_line(self.state.verdict(), self.state.worse())
        self.show_cutoff()
        self.show_image()

    def show_cutoff(self) -> None:
        """Bring the pcutoff and its suggestion up to date."""
        self._quiet.set(self.pcutoff, value=self.state.pcutoff)
        found = self.state.calibration()
        best = found.suggested_pcutoff if found is not None else None
        self.suggested.description = "no suggestion" if best is None else f"Try {best:.2f} here"
        why = found.why_none if found is not None else ""
        self.suggested.tooltip = f"No other pcutoff is suggested: {why}" if why else SUGGESTED
        self.suggested.disabled = best is None or abs(best - self.state.pcutoff) < 1e-9
        project = self._view.project
        kept = project is not None and abs(project.pcutoff - self.state.pcutoff) < 1e-6
        self.keep.description = "The project's pcutoff" if kept else "Keep for the project"
        self.keep.disabled = kept or project is None or self.state.evaluation is None

    def show_image(self) -> None:
        """Say which of the frames is shown."""
        rank = self._ranks.get(self.state.image)
        self.rank.value = "" if rank is None else f"{rank + 1} of {len(self._ranks)}"
        self.fix.disabled = self._view.labeler is None or not self.state.image


def why_not(project: Project | None) -> str:
    """Why the last network of a project can't be evaluated; empty if it can."""
    if project is None:
        return ""
    try:
        trained = Run(project.last_run()).steps
    except ProjectError:
        return "There is no network to evaluate yet: train one first."
    return "" if trained else "There is no network yet: evaluate when the training has saved its first snapshot."


def evaluated(project: Project | None) -> bool:
    """Whether the last network of a project, which is trained, was evaluated as it is now."""
    return project is not None and bool(judging_evaluations(project, project.last_run()))


def verdict_line(found: Verdict | None, worse: str = "") -> Markup | str:
    """A `Verdict` as HTML: its first word in bold, with a colour; below it what else is ``worse``."""
    if found is None:
        return ""
    level, _, reason = found.text.partition(":")
    words = markup("{}<b>{}</b>:{}", swatch(LEVEL_COLORS[found.level]), level, reason)
    more = markup("<br>{}", worse) if worse else ""
    return markup('<div role="status" class="dlcnb-verdict">{}{}</div>', words, more)


def summary_table(lines: Sequence[Summary], epsilon_px: float) -> Markup | str:
    """The `Summary` lines as an HTML table."""
    if not lines:
        return ""
    *first, last = HEADS.items()
    right = f"within {epsilon_px:g} px", "Share of points that count as right"
    heads = [markup('<span title="{}">{}</span>', tip, head) for head, tip in (*first, right, last)]
    rows = []
    for line in lines:
        low, high = line.ci95
        interval = f"{low:.2f} – {high:.2f}" if np.isfinite(low) else "–"
        within = f"{line.within:.0%}" if np.isfinite(line.within) else "–"
        mean = markup("<b>{}</b>", _px(line.mean_px))
        rows.append((line.name, mean, interval, _px(line.rms_px), _px(line.median_px), within, line.n))
    return table(heads, rows)


def _px(value: float) -> str:
    return f"{value:.2f}" if np.isfinite(value) else "–"


def _name(path: Path) -> str:
    """What the list calls an evaluation: "shuffle 1, step 500: 17 frames to train, 2 to validate, 1 to test"."""
    root, iteration, name = path.parents[3], path.parents[1].name, path.parent.name
    return run_name(root / MODELS / iteration / name / "train", path.stem.split("-")[-1])
