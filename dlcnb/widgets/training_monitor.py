"""TrainingMonitor: start a training run, watch it, stop it, and find it again, all through the run's folder."""

from __future__ import annotations

import io
import threading
from pathlib import Path

import ipywidgets
import numpy as np
from PIL import Image

from dlcnb import jobs
from dlcnb.project import Project, run_info
from dlcnb.trainset import BACKBONES
from dlcnb.widgets.curves import TrainingCurves
from dlcnb.widgets.input_guard import InputGuard
from dlcnb.widgets.state import TrainingState, clock_text
from dlcnb.widgets.view import View, shown

__all__ = ["TrainingMonitor"]

POLL_SECONDS = 0.2
STATUS = {  # status of the state -> words, style of the progress bar
    "idle": ("no run yet", ""),
    "starting": ("starting the worker …", "info"),
    "running": ("training", "info"),
    "stopping": ("stopping: saving a snapshot …", "warning"),
    "done": ("finished", "success"),
    "stopped": ("stopped; the snapshot is kept", "warning"),
    "failed": ("failed", "danger"),
    "lost": ("the worker is gone", "danger"),
}


class TrainingMonitor(View):
    """Live loss, validation error and time left of a training run.

    The run goes on when the page, the kernel or the connection does not; a new monitor on the same project finds it
    again.

    Parameters
    ----------
    source : Project or path
        A project (or its folder): its runs can be chosen and new ones started; the last one is shown at first.
        A run folder (``…/train``): that run is watched, nothing can be started.
    """

    _ticket = None  # of the thread that follows the run; another one, or none, tells it to end
    _listing = False

    def __init__(self, source):
        self.project, run = _resolve(source)
        self.state = TrainingState()
        self.job = None
        self._run = None
        self._lock = threading.RLock()
        self._build()
        self.guard = InputGuard(surfaces=0)
        super().__init__([self._settings, self._runs_row, self.headline, self.bar, self.facts, self.curves, self.guard])
        self.state.observe(self._on_message, ["message", "status"])
        if run is None and self.project.runs():
            run = self.project.last_run()
        self.show_run(run)
        self.list_runs()

    # --- what it is made of ---

    def _build(self):
        layout = ipywidgets.Layout
        self.backbone = _field(ipywidgets.Dropdown(options=BACKBONES, layout=layout(width="170px")))
        self.minutes = _field(ipywidgets.BoundedFloatText(value=5, min=0.05, max=10000, step=1, layout=_narrow()))
        fraction = self.project.train_fraction if self.project else 0.95
        self.fraction = _field(
            ipywidgets.BoundedFloatText(value=fraction, min=0.05, max=1, step=0.05, layout=_narrow())
        )
        self.seed = _field(ipywidgets.BoundedIntText(value=0, min=0, max=2**31 - 1, layout=_narrow()))
        self.start_button = ipywidgets.Button(
            description="Start", icon="play", button_style="success", tooltip="Train a new network with these settings"
        )
        self.stop_button = ipywidgets.Button(
            description="Stop", icon="stop", tooltip="Save a snapshot, then stop; training can be resumed from it"
        )
        for made, handler in ((self.start_button, self.start), (self.stop_button, self.stop)):
            made.layout.width = "110px"
            made.on_click(lambda _, handler=handler: handler())
        self._settings = _row(
            [
                _labeled("network", self.backbone),
                _labeled("minutes", self.minutes),
                _labeled("training fraction", self.fraction),
                _labeled("split seed", self.seed),
            ]
        )
        self._build_run()

    def _build_run(self):
        layout = ipywidgets.Layout
        self.runs = ipywidgets.Dropdown(layout=layout(width="240px", margin="0"))
        self.runs.tooltip = "Runs of this project, the newest first"
        self.runs.observe(self._on_run, "value")
        self.refresh_button = ipywidgets.Button(
            icon="refresh", tooltip="Look for runs again", layout=layout(width="36px")
        )
        self.refresh_button.on_click(lambda _: self.refresh())
        self._runs_row = _row([self.start_button, self.stop_button, self.runs, self.refresh_button])
        self.bar = ipywidgets.FloatProgress(min=0, max=1, layout=layout(width="100%", height="18px", margin="4px 0"))
        self.headline = ipywidgets.HTML(layout=layout(margin="6px 0 0 0"))
        self.facts = ipywidgets.HTML()
        self.curves = TrainingCurves()
        if self.project is None:
            self._settings.layout.display = self.start_button.layout.display = "none"

    # --- gestures ---

    @shown
    def start(self):
        """Start a new run with the settings shown; returns at once."""
        with self._lock:
            if self.state.active:
                raise RuntimeError("A run is under way: stop it before starting another.")
            other = self._other_run()
            if other:
                raise RuntimeError(f"Another run is under way ({other}): choose it in the list and stop it first.")
            self._ticket = None
            self.state.reset("starting")
            self.show()
            try:
                job = jobs.start(
                    "train",
                    self.project,
                    backbone=self.backbone.value,
                    minutes=self.minutes.value,
                    train_fraction=self.fraction.value,
                    split_seed=self.seed.value,
                )
            except Exception:
                self.state.reset()
                self.show()
                raise
            self._watch(job)
        self.list_runs()

    @shown
    def stop(self):
        """Ask the run to save a snapshot and stop; returns at once."""
        with self._lock:
            if self.job is None or not self.state.active:
                return
            self.job.stop()
            self.state.status = "stopping"
        self.show()

    @shown
    def refresh(self):
        """Look for runs again and read the shown one anew."""
        self.list_runs()
        if self._run is not None:
            self.show_run(self._run)

    @shown
    def show_run(self, run):
        """Watch another run: its folder; None shows an empty monitor."""
        with self._lock:
            self._ticket, self._run = None, None if run is None else Path(run)
            self.job = None
            self.state.reset()
            if run is not None:
                self._watch(jobs.attach(run))
        self.show()

    def list_runs(self):
        """Offer the project's runs, the newest first."""
        found = self.project.runs() if self.project else [self._run] if self._run else []
        options = [(_run_name(run), str(run)) for run in reversed(found)]
        with self._lock:
            self._listing = True
            try:
                self.runs.options = options
                self.runs.value = str(self._run) if str(self._run) in [value for _, value in options] else None
            finally:
                self._listing = False

    def _on_run(self, change):
        if not self._listing and change.new is not None:
            self.show_run(change.new)

    # --- following ---

    def _watch(self, job):
        self.job, self._run = job, job.folder
        self._ticket = ticket = threading.Event()
        seen = self._take(job, 0)
        if self.state.active:
            threading.Thread(target=self._follow, args=(ticket, seen), name="dlcnb-monitor", daemon=True).start()

    def _follow(self, ticket, seen):
        """Runs on a thread of its own until the run has ended or another one is watched."""
        try:
            while not ticket.wait(POLL_SECONDS):
                with self._lock:
                    if self._ticket is not ticket:
                        return
                    seen = self._take(self.job, seen)
                self.show()
                if not self.state.active:
                    return
        except Exception as error:
            self.fail(error)

    def _take(self, job, seen):
        """Bring the state up to date with the log, of which ``seen`` events are known; returns how many are now."""
        status = job.status  # looked at before the events, so that none before the end is missed
        events = job.events(seen)
        stopping = self.state.status == "stopping"
        with self.state.hold_trait_notifications():
            self.state.apply(events)
            if status != "running":
                self.state.status = status
                self.state.message = job.error or self.state.message
            elif stopping:
                self.state.status = "stopping"
            elif not self.state.active:
                self.state.status = "starting" if status == "running" else status
        return seen + len(events)

    def _other_run(self):
        """The name of a run of this project that is under way, else None."""
        for run in self.project.runs():
            if (run / "job.json").is_file() and jobs.attach(run).status == "running":
                return _run_name(run)
        return None

    def wait(self, timeout=None):
        """Block until the run has ended and return its status: for scripts that must not go on before.

        Raises TimeoutError if the run is silent for ``timeout`` seconds.
        """
        if self.job is None:
            return self.state.status
        self.job.wait(timeout)
        with self._lock:
            self._ticket.set()
            self._watch(self.job)
        self.show()
        return self.state.status

    # --- painting ---

    def show(self):
        """Bring everything on the page up to date with the state."""
        state = self.state
        with self.bar.hold_sync():
            self.bar.value, self.bar.bar_style = state.progress, STATUS[state.status][1]
        self.headline.value = _headline(state)
        self.start_button.disabled = state.active
        self.stop_button.disabled = not state.active or state.status == "stopping"
        self.stop_button.description = "stopping…" if state.status == "stopping" else "Stop"
        self.facts.value = _facts(state)
        self.curves.show(state)

    def _on_message(self, _):
        self.tell(self.state.message, "error" if self.state.status in ("failed", "lost") else "hint")

    def snapshot(self):
        """The curves as a `PIL.Image.Image`, drawn in the kernel with matplotlib."""
        from dlcnb.plots import training  # here: matplotlib takes a second to load

        figure, _ = training(jobs.history(self._run if self._run is not None else []))
        buffer = io.BytesIO()
        figure.savefig(buffer, format="png", dpi=100)
        return Image.open(buffer)

    def close(self):
        """Take the widget off the page; the run goes on."""
        ticket, self._ticket = self._ticket, None
        if ticket is not None:
            ticket.set()
        super().close()


def _resolve(source):
    """(project or None, run folder or None) from whatever the user gave."""
    if isinstance(source, Project):
        return source, None
    path = Path(source)
    if (path / "job.json").is_file() or (path / "events.jsonl").is_file() or path.name == "train":
        return None, path.resolve()
    return Project.open(path), None


def _facts(state):
    number = {
        "step": f"{state.step}",
        "loss": _figures(state.loss, ".4f"),
        "steps per second": _figures(state.steps_per_second, ".1f"),
        "best error": _figures(state.best_px, ".2f", " px"),
        "memory": _figures(state.rss_mb, ".0f", " MB"),
    }
    cells = (f'<div><span class="dlcnb-muted">{name}</span><b>{value}</b></div>' for name, value in number.items())
    return f'<div class="dlcnb-facts">{"".join(cells)}</div>'


def _headline(state):
    words = STATUS[state.status][0]
    if state.status in ("running", "stopping"):
        left = f" · {clock_text(state.seconds_left)} left" if np.isfinite(state.seconds_left) else ""
        words += f" · {state.progress:.0%}{left}"
    return f'<b class="dlcnb-number">{words}</b>'


def _figures(value, form, unit=""):
    return format(value, form) + unit if np.isfinite(value) else "–"


def _run_name(run):
    try:
        info = run_info(run)
    except ValueError:
        return Path(run).name
    return f"shuffle {info['shuffle']}, {info['train_fraction']:.0%} for training"


def _narrow():
    return ipywidgets.Layout(width="84px")


def _field(widget):
    widget.layout.margin = "0"
    return widget


def _labeled(text, widget):
    """A field with its name above it."""
    name = ipywidgets.HTML(
        f'<span class="dlcnb-muted">{text}</span>', layout=ipywidgets.Layout(margin="0", height="20px")
    )
    return ipywidgets.VBox([name, widget], layout=ipywidgets.Layout(margin="0 8px 0 0", overflow="visible"))


def _row(children):
    row = ipywidgets.HBox(children)
    row.add_class("dlcnb-row")
    return row
