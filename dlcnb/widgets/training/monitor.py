"""TrainingMonitor: start a training run, watch, pause and stop it, and find it again, all through the run's folder."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import ipywidgets
from traitlets import link

from dlcnb import jobs
from dlcnb.jobs.history import held_out
from dlcnb.jobs.starting import earlier_runs, minutes_asked
from dlcnb.project import Project, ProjectError
from dlcnb.run import Run
from dlcnb.widgets.base.compat import Accordion
from dlcnb.widgets.base.follow import JobFollower
from dlcnb.widgets.base.html import Html
from dlcnb.widgets.base.input_guard import InputGuard
from dlcnb.widgets.base.view import NotYet, View, button, gesture, row, shown
from dlcnb.widgets.training.curves import EARLIER, TrainingCurves
from dlcnb.widgets.training.human import tell_human
from dlcnb.widgets.training.preview_strip import PreviewStrip
from dlcnb.widgets.training.recipe import Recipe
from dlcnb.widgets.training.runs import RunChooser, StartOffer, resolved, run_under_way, starts
from dlcnb.widgets.training.settings import SettingsForm, TrainingSettings
from dlcnb.widgets.training.state import TrainingState
from dlcnb.widgets.training.words import TIPS, advice, bar_style, facts, headline, picture

if TYPE_CHECKING:
    from PIL import Image

    from dlcnb.jobs import Job
    from dlcnb.labels.compare import Variability
    from dlcnb.widgets.base.follow import News

__all__ = ["TrainingMonitor"]


class TrainingMonitor(View):
    """Live losses, validation error, predictions on validation frames and time left of a training run.

    The run goes on when the page, the kernel or the connection does not; a new monitor on the same project finds it
    again.

    Parameters
    ----------
    source : Project or path
        A project (or its folder): its runs can be chosen and new ones started; the last one is shown at first.
        A run folder (``…/train``): that run is watched, nothing can be started.

    Attributes
    ----------
    state : TrainingState
        What is known about the run, and what is shown of it.
    settings : TrainingSettings
        What Start starts.
    """

    _iteration = 0  # of the project, when its run was chosen
    _complete = False  # `close` is called where the constructor failed, too
    _painted: tuple[object, ...] | None = None
    _told_recipe = False

    def __init__(self, source: Project | Path | str) -> None:
        self.project, run = resolved(source)
        self.state = TrainingState()
        self.settings = TrainingSettings()
        self.job: Job | None = None
        self._run: Path | None = None
        self.follower = JobFollower(self._take, self.fail)
        self.follower.silent, self._lock = self._on_silence, self.follower.lock
        self.follower.waiting = self._on_waiting
        self._build()
        self.guard = InputGuard(surfaces=0)
        super().__init__(
            [
                self._runs_row, self.offer, self.headline, self.bar, self.facts,
                self._shown_row, self.curves, self.more, self.strip, self.guard,
            ]
        )  # fmt: skip
        self.add_class("dlcnb-training")
        self.state.observe(self._on_message, ["message", "status"])
        self.state.observe(lambda _: self.curves.show(self.state), ["show_parts", "show_rate"])
        self._complete = True
        self.show_run(self.project.last_run() if self.project is not None and self.project.runs() else run)
        self.list_runs()
        if self.project is not None:
            tell_human(self.project, weakref.WeakMethod(self._show_human))

    # --- what it is made of ---

    def _build(self) -> None:
        layout = ipywidgets.Layout
        if self.project is not None:
            self.settings.minutes = minutes_asked(self.project) or self.settings.minutes
        self.form, self.offer = SettingsForm(self.settings), StartOffer(self.settings)
        self.chooser = RunChooser(self.show_run, self._on_compare, self.refresh)
        self.runs, self.refresh_button = self.chooser.dropdown, self.chooser.refresh
        self.start_button, self.pause_button, self.stop_button = (
            button("play", TIPS["start"], self.start, "Start", "108px", button_style="primary"),
            button("pause", TIPS["pause"], self.pause, "Pause", "108px"),
            button("stop", TIPS["stop"], self.stop, "Stop", "108px"),
        )
        buttons = row([self.start_button, self.pause_button, self.stop_button], tight=True)
        buttons.layout.flex_flow = "row nowrap"
        self._runs_row = row(
            [self.form, buttons, row([Html("run (shuffle)"), self.runs, self.refresh_button], tight=True)]
        )
        self._runs_row.add_class("dlcnb-fields")
        self.recipe = Recipe()
        inside = {
            "More settings": ipywidgets.VBox([self.form.advanced, self.offer.fraction]),
            "Compare with other runs": self.chooser.compare,
            "What was decided for this run, and why": self.recipe,
        }
        self.more = Accordion(list(inside.values()), selected_index=None)
        for n, title in enumerate(inside):
            self.more.set_title(n, title)
        self.bar = ipywidgets.FloatProgress(min=0, max=1, layout=layout(width="100%", height="18px", margin="4px 0"))
        self.headline = Html(layout=layout(margin="6px 0 0 0"))
        self.facts, self.advice = Html(), Html(layout=layout(flex="1 1 320px", min_height="44px"))
        self._shown_row = row(
            [
                self._toggle("show_parts", "parts of the loss", "Losses of the score-maps and of their refinement"),
                self._toggle("show_rate", "learning rate", "How far a step goes, over the steps"),
                self.advice,
            ]
        )
        self._shown_row.layout.margin = "6px 0 4px 0"
        self.curves = TrainingCurves()
        self.strip = PreviewStrip(self.state, self.fail)
        if self.project is None:
            for widget in (self.form, self.more, self.start_button):
                widget.layout.display = "none"

    def _toggle(self, trait: str, words: str, tip: str) -> ipywidgets.ToggleButton:
        """A button that shows or hides something."""
        made = ipywidgets.ToggleButton(description=words, tooltip=tip, layout=ipywidgets.Layout(width="140px"))
        link((self.state, trait), (made, "value"))
        return made

    # --- gestures ---

    @gesture
    def start(self) -> None:
        """Start a new run with the settings shown; returns at once."""
        with self._lock:
            self._begin(self.state.reset, **self.settings.options())
        self.list_runs()

    def train_on(self, minutes: float) -> None:
        """Start a run of some minutes with the settings shown; it begins with what the last run has learned."""
        self.list_runs()
        last = next((path for path in self.settings.starts.values() if path), "")
        self.settings.minutes, self.settings.steps, self.settings.start_from = minutes, 0, last
        self.start()

    def go_on(self) -> None:
        """Resume the last run, whichever is shown."""
        last = self._last_run()
        if last is not None and last != self._run:
            self.show_run(last)
        if not self.state.active:
            self.resume()

    def _last_run(self) -> Path | None:
        """The project's newest run that began to train; None if there is none."""
        try:
            return None if self.project is None else self.project.last_run()
        except ProjectError:
            return None

    @gesture
    def resume(self) -> None:
        """Go on with the shown run from its last snapshot, slower if its loss became infinite; returns at once."""
        with self._lock:
            run, rate = self._run, self.state.lower_rate
            slower = {"learning_rate": rate} if rate > 0 else {}
            self._begin(lambda _: setattr(self.state, "status", "starting"), run=run, resume=True, **slower)

    def _begin(self, prepare: Callable[[str], object], **options: Any) -> None:
        """Start a worker and watch it; ``prepare`` brings the state to a status."""
        if self.project is None:
            raise RuntimeError("This monitor shows one run: make it with TrainingMonitor(project) to start others.")
        if self.state.active:
            raise NotYet("A run is under way: stop it before starting another.", lambda: self.state.active)
        project = self.project
        if other := run_under_way(project):
            why = f"Another run is under way ({other}): choose it in the list and stop it first."
            raise NotYet(why, lambda: run_under_way(project) is not None)
        run = self._run
        self.follower.stop()
        prepare("starting")
        self.show()
        try:
            job = jobs.start("train", self.project, **options)
        except Exception:
            if run is not None and options.get("resume"):
                self._watch(jobs.attach(run))
            else:
                self.state.reset()
            self.show()
            raise
        self.state.reset("starting")
        self._watch(job)

    @gesture
    def pause(self) -> None:
        """Stop the run with a snapshot, or go on with it if it is stopped; returns at once."""
        if self.state.active:
            self._end("pausing")
        else:
            self.resume()

    @gesture
    def stop(self) -> None:
        """Ask the run to save a snapshot and stop; returns at once."""
        self._end("stopping")

    def _end(self, status: str) -> None:
        with self._lock:
            if self.job is None or not self.state.active:
                return
            self.job.stop(pause=status == "pausing")
            self.state.status = status
        self.show()

    @gesture
    def refresh(self) -> None:
        """Look for runs again and read the shown one anew."""
        self.list_runs()
        if self._run is not None:
            self.show_run(self._run)

    @gesture
    def show_run(self, run: Path | str | None) -> None:
        """Watch another run: its folder; None shows an empty monitor."""
        with self._lock:
            self.follower.stop()
            self.job, self._run = None, None if run is None else Path(run)
            self._iteration = self.project.iteration if self.project else 0
            self.state.reset()
            if run is not None:
                self._watch(jobs.attach(run))
            else:
                self.strip.watch(None)
                self._show_recipe()
        if self.chooser.boxes:
            self.list_runs()
        self.show()

    def list_runs(self) -> None:
        """Offer the project's runs, the newest first; after a merge, one of before is shown no more."""
        if self.project and self.project.iteration != self._iteration and not self.state.active:
            self.show_run(None)
        found = self.project.runs() if self.project else [self._run] if self._run else []
        found = found[::-1]
        with self._lock:
            earlier = [run.folder for run in earlier_runs(self.project)] if self.project else []
            self.chooser.show(found, self._run, earlier)
            if self.project is not None:
                self.settings.set_starts(starts([*found, *earlier]))
                self.offer.show(self.project)
                self._show_advice()
            self._on_compare()

    @shown
    def _on_compare(self) -> None:
        ticked = self.chooser.ticked()
        if not ticked and not self.state.earlier:
            return
        self.state.set_earlier({name: jobs.history(run) for name, run in ticked[: len(EARLIER)]})
        self.curves.show(self.state)
        if len(ticked) > len(EARLIER):
            self.tell(f"The newest {len(EARLIER)} of the {len(ticked)} chosen runs are shown.")

    def _show_human(self, found: Variability) -> None:
        """Draw how far apart two people's labels are, as a band; called on a thread of its own."""
        with self._lock:
            if self.comm is not None:  # else it was closed meanwhile
                self.state.set_human(found.spread.mean_px, *found.spread.mean_ci95)
                self.curves.show(self.state)

    # --- following ---

    def _watch(self, job: Job) -> None:
        self.job, self._run, self._told_recipe = job, job.folder, False
        self._show_recipe()
        self.follower.follow(job)
        self.strip.watch(job.folder)

    def _take(self, news: News) -> None:
        """Bring the state up to date with the run, on the follower's thread or, at first, on the caller's."""
        before = self.state.status
        with self.state.hold_trait_notifications():
            self.state.apply(news.events)
            if news.ended and self._run is not None:
                paused = news.status == "stopped" and "paused" in (before, self.state.status)
                self.state.status = "paused" if paused else news.status
                self.state.message = news.error or self.state.message
                self.state.snapshots = bool(Run(self._run).steps)
            elif before in ("pausing", "stopping"):
                self.state.status = before
            elif self.job is not None and (asked := self.job.asked):  # by a kernel that is gone, or in another tab
                self.state.status = "pausing" if asked == jobs.PAUSE else "stopping"
            elif not self.state.active:
                self.state.status = "starting"
        if not self._told_recipe and self.state.step:
            self._show_recipe()
        self.show()

    def _on_silence(self) -> None:
        self.state.forget_time_left()
        self.show()

    def _on_waiting(self, seconds: float) -> None:
        self.state.wait(seconds)
        self.show()

    def wait(self, timeout: float | None = None) -> str:
        """Block until the run has ended and return its status: for scripts that must not go on before.

        Raises TimeoutError if the run is silent for ``timeout`` seconds.
        """
        if self.job is None:
            return self.state.status
        self.job.wait(timeout)
        with self._lock:
            self._watch(self.job)
        return self.state.status

    # --- painting ---

    def show(self) -> None:
        """Bring everything on the page up to date with the state."""
        state = self.state
        now = (state.revision, state.status, state.snapshots)
        if now == self._painted:
            return
        self._painted = now
        with self.bar.hold_sync():
            self.bar.value, self.bar.bar_style = state.progress, bar_style(state)
        self.headline.value = headline(state)
        self._show_buttons()
        self.facts.value = facts(state)
        self._show_advice()
        self.curves.show(state)

    def _show_advice(self) -> None:
        """Show what the run warns of and what to do; there is room for it from the beginning, so that nothing moves."""
        self.advice.value = advice(self.state, self.offer.said)
        self.offer.show_caution(self.state.warned if self.state.active else "")
        self.advice.layout.display = "none" if self._run is None and not self.advice.value else None

    def _show_recipe(self) -> None:
        """Show the settings of the run, and why they are what they are, as soon as its worker has written them."""
        settings = self.recipe.show(self._run)
        self._told_recipe = bool(settings)
        self.state.held_out = held_out(self._run) if settings and self._run else 0
        self.form.show_used(settings)

    def _show_buttons(self) -> None:
        state = self.state
        ending = state.status in ("pausing", "stopping")
        self.start_button.disabled = state.active
        self.form.show_for_next(state.active)
        self.stop_button.disabled = not state.active or ending
        self.stop_button.description = "stopping…" if state.status == "stopping" else "Stop"
        resume = state.resumable and self.project is not None
        words = "pausing…" if state.status == "pausing" else "Resume" if resume else "Pause"
        self.pause_button.disabled = ending or not (state.active or resume)
        self.pause_button.description, self.pause_button.icon = words, "forward" if resume else "pause"
        self.pause_button.tooltip = TIPS["resume" if resume else "pause"]
        self.start_button.description = "Start anew" if resume else "Start"
        self.start_button.tooltip = TIPS["anew" if resume else "start"]
        first = resume and self._run == self._last_run()  # of what can be pressed now
        self.pause_button.button_style, self.start_button.button_style = ("primary", "") if first else ("", "primary")
        if resume and state.lower_rate > 0:
            self.pause_button.tooltip = f"Go on from the last good snapshot with learning rate {state.lower_rate:g}"

    def _on_message(self, _: Any) -> None:
        self._show_advice()
        self.tell(self.state.message if self.state.status in ("failed", "lost") else "", "error")

    def snapshot(self) -> Image.Image:
        """The curves and the validation frames as a `PIL.Image.Image`, drawn in the kernel."""
        return picture(self._run, score_maps=self.state.score_maps, zoomed=self.state.zoomed)

    def close(self) -> None:
        """Take the widget off the page; the run goes on."""
        if self._complete:
            self.follower.close()
            self.strip.close()
        super().close()
