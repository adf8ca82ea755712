"""What the training monitor says in words and numbers, and its still picture."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from dlcnb import jobs
from dlcnb.run import Run
from dlcnb.widgets.base.html import Markup, joined, markup, muted, notice
from dlcnb.widgets.base.pictures import figure_picture, stacked
from dlcnb.widgets.training.preview import draw_preview, read_preview
from dlcnb.widgets.training.state import clock_text

if TYPE_CHECKING:
    from pathlib import Path

    from dlcnb.widgets.training.state import TrainingState

__all__ = ["TIPS", "advice", "bar_style", "facts", "headline", "picture"]

TIPS = {
    "start": "Train a new network with these settings",
    "anew": "Train a new network from the beginning, beside the one shown, which is kept and can still be resumed",
    "pause": "Save a snapshot, then stop for now; Resume goes on from it as if there had been no pause",
    "resume": "Go on with the network shown from its last snapshot: what it has learned is kept",
    "stop": "Save a snapshot, then stop",
}
MEANS = {  # what the numbers are
    "step": "How often the network was corrected, each time by some examples",
    "loss": "How far the network is from what it learns from, as one number; only its fall says something",
    "learning rate": "How far the network is changed at a step",
    "steps per second": "How fast it goes, over the last seconds",
    "best error": "Mean distance in px from the labels of the validation frames, which are not learned from",
    "error, network kept": "Mean distance in px from the labels of the validation frames, of the network that is kept",
    "memory": "Taken by the process that trains",
}
NAMED = 4  # bodyparts that are not found, up to which they are named
STATUS = {  # status of the state -> words, style of the progress bar
    "idle": ("no run yet", ""),
    "starting": ("starting the worker …", "info"),
    "running": ("training", "info"),
    "pausing": ("pausing: saving a snapshot (the network as it is now) …", "warning"),
    "stopping": ("stopping: saving a snapshot (the network as it is now) …", "warning"),
    "done": ("finished", "success"),
    "paused": ("paused; Resume goes on exactly there", "warning"),
    "stopped": ("stopped; the snapshot is kept (the network as it was then)", "warning"),
    "failed": ("failed", "danger"),
    "lost": ("the worker is gone", "danger"),
}


def bar_style(state: TrainingState) -> str:
    """The style of the progress bar; one of a network that does not find everything is not green."""
    return "warning" if state.status == "done" and state.lost else STATUS[state.status][1]


def facts(state: TrainingState) -> Markup:
    """The numbers of a `TrainingState`, as HTML."""
    taken = state.taken
    number = {
        "step": f"{state.step}",
        "loss": _figures(state.loss, ".4f"),
        "learning rate": _figures(state.learning_rate, ".2g"),
        "steps per second": _figures(state.steps_per_second, ".2g"),
        "best error" if taken is None or taken.is_best else "error, network kept": _figures(
            state.best_px, ".2f", " px"
        ),
        "memory": _figures(state.rss_mb, ".0f", " MB"),
    }
    cells = joined(
        markup('<div title="{}">{}<b>{}</b></div>', MEANS[name], muted(name), value) for name, value in number.items()
    )
    return markup('<div class="dlcnb-facts">{}</div>', cells)


def advice(state: TrainingState, said: str) -> Markup:
    """What the run warns of, less what is ``said`` already, and what to do now, as HTML."""
    told = state.message if state.status not in ("failed", "lost") else ""
    warns = told.replace(said, "").strip() if said else told
    return joined(notice(words) for words in (warns, state.suggestion) if words)


def headline(state: TrainingState) -> Markup:
    """How the run goes, as HTML."""
    words = STATUS[state.status][0]
    waited = f" {state.waited:.0f} s" if state.waited >= 1 else ""
    if state.status == "starting":
        words += waited
    elif state.status == "running" and state.waking:
        words = f"starting the network …{waited} (the first step may take a minute)"
    elif state.status in ("pausing", "stopping") and not state.step:
        words = f"{state.status} …"  # there is nothing to save
    elif state.status == "done" and state.lost:
        names = ", ".join(state.lost) if len(state.lost) <= NAMED else f"{len(state.lost)} of the bodyparts"
        words += f"; the network has not found {names}"
    elif state.status == "running":
        left = f" · {clock_text(state.seconds_left)} left" if np.isfinite(state.seconds_left) else ""
        words += f" · {state.progress:.0%}{left}"
    return markup('<b class="dlcnb-number dlcnb-wraps">{}</b>', words)


def _figures(value: float, form: str, unit: str = "") -> str:
    return format(value, form) + unit if np.isfinite(value) else "–"


def picture(run: Path | None, **look: Any) -> Image.Image:
    """A run's curves and validation frames as a `PIL.Image.Image`; ``look`` as for `draw_preview`.

    ``run`` may be None: a picture without curves.
    """
    from dlcnb.plots import training  # here: matplotlib takes a second to load

    figure, _ = training(jobs.history(run if run is not None else []))
    curves = figure_picture(figure, 100)
    preview = read_preview(run) if run is not None else None
    if run is None or preview is None or not preview.images:
        return curves
    frames = Image.fromarray(draw_preview(preview, Run(run).root, **look))
    frames = frames.resize((curves.width, round(frames.height * curves.width / frames.width)), Image.Resampling.LANCZOS)
    return stacked(curves, frames)
