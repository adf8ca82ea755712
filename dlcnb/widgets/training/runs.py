"""The runs of a project: which one is shown, and which others beside it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import ipywidgets

from dlcnb import jobs
from dlcnb.jobs.starting import WHY, few_frames, fraction_to_begin_with, iteration_of, offered
from dlcnb.project import Project, ProjectError, run_info
from dlcnb.run import Run
from dlcnb.widgets.base.choices import offer
from dlcnb.widgets.base.html import Html, muted, notice
from dlcnb.widgets.base.quiet import Quiet
from dlcnb.widgets.base.view import button

if TYPE_CHECKING:
    from dlcnb.widgets.training.settings import TrainingSettings

__all__ = ["RunChooser", "StartOffer", "percent", "resolved", "run_name", "run_under_way", "starts", "training_run"]


def run_name(run: Path | str, step: int | str = "") -> str:
    """A run, or its network of a step, in words: ``shuffle 2: 17 frames to train, 2 to validate, 1 to test``.

    Without its split their share is told. What tells apart comes first, as a list shows no more in a narrow page:
    ``shuffle 2, step 500: …``.
    """
    of_step = f", step {step}" if step else ""
    try:
        info = run_info(run)
    except ValueError:
        return f"{Path(run).name}{of_step}"
    name = f"shuffle {info['shuffle']}{of_step}"
    try:
        parts = {part: len(names) for part, names in Run(run).split.items()}
    except ProjectError:
        return f"{name}: {info['train_fraction']:.0%} of the frames to train"
    trained = parts["train"]
    checked = f", {parts['validation']} to validate" if parts["validation"] else ""
    return f"{name}: {trained} frame{'s' * (trained != 1)} to train{checked}, {parts['test']} to test"


def resolved(source: Project | Path | str) -> tuple[Project | None, Path | None]:
    """(project or None, run folder or None) from whatever the user gave."""
    if isinstance(source, Project):
        return source, None
    path = Path(source)
    if Run(path).job_file.is_file() or Run(path).events_file.is_file() or path.name == "train":
        return None, path.resolve()
    return Project.open(path), None


def training_run(project: Project) -> Path | None:
    """The folder of a run of a project that is under way, else None."""
    for run in project.runs():
        if Run(run).job_file.is_file() and jobs.attach(run).status == "running":
            return run
    return None


def run_under_way(project: Project) -> str | None:
    """The name of a run of a project that is under way, else None."""
    run = training_run(project)
    return None if run is None else run_name(run)


def percent(run: Path) -> str:
    """How far a run is, as ``12 %``."""
    steps = [event for event in jobs.EventReader(run).read() if event["event"] == "step"]
    return f"{(jobs.share(steps[-1]) if steps else None) or 0:.0%}"


def starts(runs: Iterable[Path | str | Run]) -> dict[str, str]:
    """What a new run may be fine-tuned from, as {words: path}: the best snapshot of each run, and each other one."""
    found: dict[str, str] = {}
    for before, run in _told_apart([*map(Run, runs)]):
        steps = run.steps
        if steps:
            found[f"{before}{run_name(run.folder)}"] = str(run.folder)
        found |= {f"{before}{run_name(run.folder, n)}": str(run.snapshot(n)) for n in reversed(steps)}
    return found


def _told_apart(runs: Sequence[Run]) -> list[tuple[str, Run]]:
    """(what stands before its name, run) of some runs: their iteration, where they are of several."""
    several = len({run.folder.parent.parent for run in runs}) > 1
    return [(f"iteration {iteration_of(run)}, " if several else "", run) for run in runs]


class StartOffer(ipywidgets.VBox):
    """What is to be minded before a training, and a box to tick after merging: go on from the network before, and why.

    Parameters
    ----------
    settings : TrainingSettings
        Whose ``start_from`` it sets, and whose ``train_fraction`` where nobody did.

    Attributes
    ----------
    fraction : Html
        Why the training fraction is not the project's.
    said : str
        What is to be minded, in words.
    """

    _project: Project | None = None
    said = ""
    _by_hand = False  # whether somebody has set the training fraction

    def __init__(self, settings: TrainingSettings) -> None:
        self._settings, self._path, self._quiet = settings, "", Quiet()
        self.box = ipywidgets.Checkbox(indent=False, layout=ipywidgets.Layout(width="auto"))
        self.box.observe(self._quiet.ignored(self._on_box), "value")
        self._why, self.caution = Html(muted(f"{WHY[0].upper()}{WHY[1:]}.")), Html()
        super().__init__([self.caution, self.box, self._why], layout=ipywidgets.Layout(display="none"))
        settings.observe(lambda _: self._show(), "start_from")
        self.fraction = Html()
        settings.observe(self._quiet.ignored(self._on_fraction), "train_fraction")

    def show(self, project: Project) -> None:
        """Offer the network of an earlier iteration, if there is one, and say of few frames to train or to test on."""
        self._project, run = project, offered(project)
        if not self._by_hand:
            fraction, why = fraction_to_begin_with(project)
            self._quiet.set(self._settings, train_fraction=fraction)
            self._show_fraction(why)
        self.said = caution = few_frames(project, self._settings.train_fraction)
        self.layout.display = None if run is not None or caution else "none"
        self.box.layout.display = self._why.layout.display = "none" if run is None else None
        self.show_caution()
        if run is not None:
            self._path = str(run.folder)
            self.box.description = f"Go on from the network of iteration {iteration_of(run)} ({run_name(run.folder)})"
            self._show()

    def show_caution(self, warned: str = "") -> None:
        """Show it, unless a training that is under way has ``warned`` of other things: then it is of the next one."""
        self.caution.value = notice(self.said if not warned or self.said in warned else "")

    def _show_fraction(self, why: str) -> None:
        self.fraction.value = muted(why)
        self.fraction.layout.display = None if why else "none"

    def _on_fraction(self, change: Any) -> None:
        """One that somebody sets becomes the project's, and is there when it is opened again."""
        if self._project is None:
            return
        self._by_hand, config, told = True, self._project.config, ""
        before = list(config.get("TrainingFraction") or [self._project.train_fraction])
        config["TrainingFraction"] = [change.new, *before[1:]]
        try:
            self._project.save()
        except (ProjectError, OSError) as error:
            config["TrainingFraction"] = before
            told = f"It is not kept: {error}"
        self._show_fraction(told)
        self.show(self._project)

    def _on_box(self, change: Any) -> None:
        self._settings.start_from = self._path if change.new else ""

    def _show(self) -> None:
        self._quiet.set(self.box, value=self._settings.start_from == self._path)


class RunChooser:
    """A list of runs to choose from (``dropdown``, ``refresh``), and a check box for each other run (``compare``).

    Parameters
    ----------
    chosen : callable
        Called with the folder (text) of a run that is chosen.
    compared : callable
        Called without arguments when a check box changes.
    refreshed : callable
        Called without arguments when the user asks to look again.
    """

    def __init__(
        self, chosen: Callable[[str], object], compared: Callable[[], object], refreshed: Callable[[], object]
    ) -> None:
        layout = ipywidgets.Layout
        self._chosen, self._compared, self._quiet = chosen, compared, Quiet()
        self.dropdown = ipywidgets.Dropdown(layout=layout(width="400px", max_width="100%", margin="0"))
        self.dropdown.tooltip = "Runs of this project (shuffle 1, 2, …), the newest first"
        self.dropdown.observe(self._quiet.ignored(self._on_run), "value")
        self.refresh = button("refresh", "Look for runs again", refreshed)
        self.compare = ipywidgets.HBox(layout=layout(width="100%"))
        self.compare.add_class("dlcnb-choices")
        self.boxes: dict[str, ipywidgets.Checkbox] = {}  # by folder
        self._others: list[tuple[str, str]] = []  # name, folder
        self._nothing = Html(muted("There is no other run of this project yet."))

    def show(self, runs: Sequence[Path], shown: Path | None, earlier: Sequence[Path] = ()) -> None:
        """Offer these runs (the newest first); ``shown`` is the folder of the one on display, or None.

        Those of ``earlier`` iterations are offered to be compared with.
        """
        options = [(run_name(run), str(run)) for run in runs]
        offer(self.dropdown, options, str(shown), "no run yet", self._quiet)
        every = _told_apart([*map(Run, runs), *map(Run, earlier)])
        named = [(f"{before}{run_name(run.folder)}", str(run.folder)) for before, run in every]
        self._others = [(name, run) for name, run in named if run != str(shown)]
        for name, run in self._others:
            if run not in self.boxes:
                box = ipywidgets.Checkbox(description=name, indent=False, layout=ipywidgets.Layout(width="auto"))
                box.observe(lambda _: self._compared(), "value")
                self.boxes[run] = box
            self.boxes[run].description = name
        wanted = tuple(self.boxes[run] for _, run in self._others) or (self._nothing,)
        if self.compare.children != wanted:
            self.compare.children = wanted

    def ticked(self) -> list[tuple[str, str]]:
        """(name, folder) of the other runs to be shown beside the run on display, the newest first."""
        return [(name, run) for name, run in self._others if self.boxes[run].value]

    def _on_run(self, change: Any) -> None:
        if change.new:
            self._chosen(change.new)
