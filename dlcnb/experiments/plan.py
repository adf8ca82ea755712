"""What an experiment trains: its trials, and the folder that remembers them."""

from __future__ import annotations

import hashlib
import json
import logging
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from dlcnb.files import atomic_write, make_folder, quoted, read_json
from dlcnb.project import Project, ProjectError, nearest
from dlcnb.trainset import BACKBONES, TrainConfig, TrainSet, choose_split, leave_one_video_out

__all__ = ["FOLDER", "KINDS", "PLAN_FILE", "Plan", "Trial", "begun", "networks", "plan"]

log = logging.getLogger(__name__)

FOLDER, PLAN_FILE = "dlcnb-experiments", "experiment.json"
FRACTIONS = (0.01, 0.05, 0.1, 0.2, 0.5, 0.8)  # Fig. 2F
CURVES_FRACTIONS = (0.8,)  # Fig. 2B-D
EPSILONS = (5.0, 10.0, 17.0, 25.0)
NETWORKS = {name: {"backbone": name} for name in BACKBONES} | {
    "resnet-101ws": {"backbone": "resnet-101", "intermediate": True}  # with intermediate supervision
}
STARTS = {"imagenet": {"pretrained": True}, "random": {"pretrained": False}}
KINDS = {
    "curves": "error over the training steps (Fig. 2B-D)",
    "learning-curve": "error over the number of training frames (Fig. 2F)",
    "parts": "one network for all bodyparts against one for each (Fig. 5)",
    "backbone": "networks (Fig. S2A)",
    "epsilon": "radius of the score-map's disc, px (Fig. S2B)",
    "initialization": "ImageNet weights against random ones",
    "folds": "k-fold cross-validation",
    "videos": "each video left out once",
}


@dataclass(frozen=True)
class Trial:
    """One training of an experiment.

    Attributes
    ----------
    condition : what sets it apart from the other trials, as text: "0.05", "snout", "resnet-50".
    repeat : which repetition (split, fold), from 0.
    settings : of `TrainConfig`.
    """

    condition: str
    repeat: int
    settings: dict = field(hash=False)

    @property
    def name(self) -> str:
        """Name of its folder."""
        return f"{re.sub(r'[^0-9A-Za-z._-]+', '_', self.condition)}-{self.repeat}"


@dataclass(frozen=True)
class Plan:
    """An experiment: its kind, its folder (with ``experiment.json``), its project, its trials."""

    kind: str
    folder: Path
    project: Project
    trials: tuple[Trial, ...]

    def run_folder(self, trial: Trial) -> Path:
        """Folder of a trial's training run."""
        return self.folder / trial.name / "train"

    def evaluation_folder(self, trial: Trial) -> Path:
        """Folder of a trial's evaluation; it is there when the trial is done."""
        return self.folder / trial.name / "evaluation"

    def curve_folder(self, trial: Trial) -> Path:
        """Folder of the evaluations of the snapshots that were kept on the way; it may not exist."""
        return self.folder / trial.name / "curve"

    def is_done(self, trial: Trial) -> bool:
        """Whether a trial is trained and evaluated."""
        return any(self.evaluation_folder(trial).glob("evaluation-*.json"))


def plan(
    project: Project | str | Path,
    kind: str,
    *,
    values: Sequence[Any] | None = None,
    repeats: int = 3,
    name: str | None = None,
    **settings: Any,
) -> Plan:
    """Plan an experiment, or take up one that was begun.

    Parameters
    ----------
    project, kind, name : the project, or its folder; one of `KINDS`; of the experiment's folder, default the kind.
    values : what to compare: training fractions ("learning-curve", "curves"), bodyparts ("parts"; "all" is always
        there), networks, radii in px, "imagenet" and "random", or videos (not "folds"); default all that make sense.
    repeats : number of splits of each; of folds for "folds". "videos" has one.
    settings : of `TrainConfig`, for all trials; ``steps`` or ``minutes`` is a must. ``train_fraction`` is 0.5 unless
        given, as in the paper's comparisons. With ``keep`` (always there for "curves") the snapshots on the way are
        evaluated too.

    Returns a plan that has the trials of earlier calls, too: more values and repeats can be added to an experiment.
    Raises `ValueError` for unknown kind, values or settings, or if the experiment of that name was begun with other
    settings or labels; `ProjectError` if nothing is labeled.
    """
    if kind not in KINDS:
        raise ValueError(f"Unknown experiment {kind!r}{nearest(kind, KINDS) or '.'} There are: {', '.join(KINDS)}.")
    if repeats < 1:
        raise ValueError(f"repeats must be 1 or more, not {repeats}.")
    project = project if isinstance(project, Project) else Project.open(project)
    data = TrainSet.from_project(project)
    base = {"train_fraction": 0.5, **({"keep": "curve"} if kind == "curves" else {}), **settings}
    if kind == "parts":  # the choice of the scale looks at the labels, and must not depend on the bodyparts trained
        base["input_scale"] = data.plan(TrainConfig.from_dict(base)).config.input_scale
    trials = [Trial(c, r, {**base, **more}) for c, r, more in _CONDITIONS[kind](data, values, repeats)]
    for trial in trials:
        choose_split(data.images, TrainConfig.from_dict(trial.settings))  # raises before anything is trained
    folder = project.root / FOLDER / (name or kind)
    about = {"kind": kind, "settings": json.loads(json.dumps(base)), "labels": _fingerprint(data)}
    return Plan(kind, folder, project, tuple(_remember(folder, about, trials)))


def begun(project: Project | str | Path) -> list[Plan]:
    """The experiments of a project that were begun, the last one first; what can't be read is passed over."""
    project = project if isinstance(project, Project) else Project.open(project)
    files = sorted((project.root / FOLDER).glob(f"*/{PLAN_FILE}"), key=lambda path: path.stat().st_mtime, reverse=True)
    found = []
    for path in files:
        try:
            stored = read_json(path)
            trials = tuple(Trial(**trial) for trial in stored["trials"])
            found.append(Plan(str(stored["kind"]), path.parent, project, trials))
        except (KeyError, TypeError, ValueError) as error:
            log.warning("%s is damaged, and passed over: %s", path, error)
    return found


def networks(project: Project | str | Path, name: str) -> list[Path]:
    """The runs of an experiment that are trained and evaluated, for an ensemble.

    Parameters
    ----------
    project : the project, or its folder.
    name : of the experiment, or with a condition: ``folds``, ``learning-curve/0.8``.

    Raises
    ------
    ProjectError
        If there is no such experiment or condition, or less than two of its runs are done.
    """
    plans = {found.folder.name: found for found in begun(project)}
    experiment, _, condition = name.partition("/")
    if experiment not in plans:
        known = ", ".join(plans) or "none"
        raise ProjectError(
            f"there is no experiment {experiment!r} to make an ensemble of{nearest(experiment, plans)}; there are: "
            f"{known}. Make one (dlcnb experiment folds), or name shuffles such as 1,2,3"
        )
    found = plans[experiment]
    conditions = dict.fromkeys(trial.condition for trial in found.trials)
    if condition and condition not in conditions:
        raise ProjectError(
            f"the experiment {experiment} has no condition {condition!r}{nearest(condition, conditions)}; "
            f"it has {', '.join(conditions)}"
        )
    wanted = [trial for trial in found.trials if condition in ("", trial.condition)]
    done = [found.run_folder(trial) for trial in wanted if found.is_done(trial)]
    if len(done) < 2:
        raise ProjectError(
            f"{len(done)} of the {len(wanted)} runs of {name} {'is' if len(done) == 1 else 'are'} done, an ensemble "
            f"needs two; go on with it: dlcnb experiment {found.kind} {quoted(found.project.root)}"
        )
    return done


def _fractions(data: TrainSet, values: Sequence[Any] | None, repeats: int) -> list[tuple[str, int, dict[str, Any]]]:
    values = _numbers(values or FRACTIONS, "training fractions such as 0.05,0.2,0.8")
    for value in values:
        if not 0 < value < 1:
            raise ValueError(f"A training fraction must lie between 0 and 1 (0.05 = 5 %), not {value!r}.")
    enough = [v for v in values if round(v * len(data)) >= 1]
    if not enough:
        raise ProjectError(f"None of the fractions {values} of {len(data)} labeled frames leaves one to train on.")
    return _times(repeats, {f"{v:g}": {"train_fraction": v} for v in enough})


def _curves(data: TrainSet, values: Sequence[Any] | None, repeats: int) -> list[tuple[str, int, dict[str, Any]]]:
    return _fractions(data, values or CURVES_FRACTIONS, repeats)


def _parts(data: TrainSet, values: Sequence[Any] | None, repeats: int) -> list[tuple[str, int, dict[str, Any]]]:
    values = [v for v in values or data.bodyparts if v != "all"]
    for value in values:
        _check(value, data.bodyparts, "bodypart")
    return _times(repeats, {"all": {}, **{v: {"bodyparts": [v]} for v in values}})


def _choices(choices: Mapping[str, dict[str, Any]], what: str) -> Callable[..., list[tuple[str, int, dict[str, Any]]]]:
    def conditions(
        _data: TrainSet, values: Sequence[Any] | None, repeats: int
    ) -> list[tuple[str, int, dict[str, Any]]]:
        for value in values or ():
            _check(value, choices, what)
        return _times(repeats, {v: choices[v] for v in values or choices})

    return conditions


def _radii(_data: TrainSet, values: Sequence[Any] | None, repeats: int) -> list[tuple[str, int, dict[str, Any]]]:
    radii = _numbers(values or EPSILONS, "radii in px such as 9,17,25")
    return _times(repeats, {f"{radius:g}": {"radius": radius} for radius in radii})


def _numbers(values: Sequence[Any], what: str) -> list[float]:
    try:
        return [float(value) for value in values]
    except ValueError:
        raise ValueError(f"The values are {what}, not {', '.join(map(str, values))}.") from None


def _folds(_data: TrainSet, values: Sequence[Any] | None, repeats: int) -> list[tuple[str, int, dict[str, Any]]]:
    if values:
        raise ValueError("The experiment folds takes no values; the number of folds is its number of repeats.")
    if repeats < 2:
        raise ValueError(f"Cross-validation needs 2 folds or more, not {repeats}.")
    return [(f"{repeats}-fold", k, {"folds": repeats, "fold": k}) for k in range(repeats)]


def _videos(data: TrainSet, values: Sequence[Any] | None, _repeats: int) -> list[tuple[str, int, dict[str, Any]]]:
    known = leave_one_video_out(data.images)
    for value in values or ():
        _check(value, known, "video")
    return [(v, 0, {"leave_out": v}) for v in values or known]


_CONDITIONS = {
    "curves": _curves,
    "learning-curve": _fractions,
    "parts": _parts,
    "backbone": _choices(NETWORKS, "network"),
    "epsilon": _radii,
    "initialization": _choices(STARTS, "initialization"),
    "folds": _folds,
    "videos": _videos,
}


def _times(repeats: int, conditions: Mapping[str, dict[str, Any]]) -> list[tuple[str, int, dict[str, Any]]]:
    """Each condition with each split; the splits come first, so that an unfinished experiment is balanced."""
    return [(c, r, {**more, "split_seed": r}) for r in range(repeats) for c, more in conditions.items()]


def _check(value: Any, known: Iterable[str], what: str) -> None:
    if value not in known:
        raise ValueError(
            f"Unknown {what} {value!r}{nearest(str(value), known) or '.'} Expected some of {', '.join(known)}."
        )


def _remember(folder: Path, about: dict[str, Any], trials: list[Trial]) -> list[Trial]:
    """Write the plan down; returns its trials, those of earlier calls first."""
    path = folder / PLAN_FILE
    known = []
    if path.is_file():
        stored = read_json(path)
        known = [Trial(**trial) for trial in stored.pop("trials")]
        for key in about:
            if stored[key] != about[key]:
                raise ValueError(
                    f"The experiment in {folder} was begun with {_difference(key, stored, about)}. "
                    "Give the same to go on with it, or another name to begin a new one."
                )
    names = {trial.name for trial in known}
    trials = [*known, *(trial for trial in trials if trial.name not in names)]
    make_folder(folder)
    atomic_write(path, json.dumps({**about, "trials": [asdict(t) for t in trials]}, indent=1) + "\n")
    return trials


def _difference(key: str, stored: dict[str, Any], about: dict[str, Any]) -> str:
    if key == "labels":
        return "other labels: they have changed since"
    if key == "settings":
        keys = sorted({*stored[key], *about[key]})
        key = next(k for k in keys if stored["settings"].get(k) != about["settings"].get(k))
        stored, about = stored["settings"], about["settings"]
    return f"{key}={stored.get(key)!r}, not {about.get(key)!r}"


def _fingerprint(data: TrainSet) -> str:
    """Changes with any label."""
    return hashlib.sha256(json.dumps([data.images, data.bodyparts]).encode() + data.points.tobytes()).hexdigest()[:16]
