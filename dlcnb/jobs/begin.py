"""Start work on a project: check the options, choose the folder, launch the worker."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

from dlcnb.files import atomic_write
from dlcnb.jobs.events import plain
from dlcnb.jobs.job import JOB_FILE, Job, JobError, launch
from dlcnb.project import Project, nearest, snapshots

__all__ = ["start"]

_OPTIONS = {
    "train": {"config", "run", "resume"},
    "evaluate": {"run", "snapshot", "device", "maps"},
    "analyze": {
        *("videos", "run", "snapshot", "batch", "device", "engine", "folder", "again", "scheduler"),
        *("dynamic", "animals", "score_maps"),
    },
    "export": {"run", "snapshot", "folder"},
    "suggest": {"images", "run", "snapshot", "device"},
}


def start(kind, project, **options):
    """Start work in a process of its own.

    Parameters
    ----------
    kind : "train", "evaluate", "analyze" or "suggest".
    project : `Project`, or its folder.
    options :
        train: ``config`` (`TrainConfig` or dict; its fields may also be given one by one), ``run`` (folder;
        default a new one), ``resume`` (continue ``run``, default the last one, from its last snapshot, or from its
        beginning if it has none; settings left out stay as they were).
        evaluate: ``run`` (default the last), ``snapshot`` ("best", "last", "all" or a step), ``device``, ``maps``
        (keep the score-maps, for `EvaluationView`; default True).
        analyze: ``videos`` (paths), ``run``, ``snapshot``, ``batch``, ``device``, ``engine`` (see `dlcnb.Predictor`),
        ``folder`` (where the tables go; default beside each video), ``again`` (predict again what is there already),
        ``dynamic`` (follow the animal with a crop: ``(threshold, margin)``), ``animals`` (up to so many, in a table for
        several), ``score_maps`` (numbers of frames whose score-maps are kept),
        ``scheduler`` (address of a Dask scheduler, such as "tcp://host:8786"). An analysis that was killed or stopped
        goes on where it was when it is started again.
        export (the network as ONNX): ``run``, ``snapshot``, ``folder`` (default the run's).
        suggest: ``images`` (``labeled-data/<video>/<image>`` each), ``run``, ``snapshot``, ``device``; what
        was predicted is read by `read_suggestions`.

    Returns
    -------
    Job, running. Raises `JobError` if the run is being trained already, ValueError for an unknown kind or
    option.
    """
    if kind not in _OPTIONS:
        raise ValueError(f"Unknown kind of job {kind!r}{nearest(kind, _OPTIONS)}. Expected {', '.join(_OPTIONS)}.")
    project = project if isinstance(project, Project) else Project.open(project)
    folder, options = _train_options(project, options) if kind == "train" else _options(kind, project, options)
    atomic_write(
        folder / JOB_FILE,
        json.dumps({"kind": kind, "project": str(project.root), "options": options}, indent=1),
    )
    return launch(folder)


def _train_options(project, options):
    """The run folder and the checked options of a training job."""
    from dlcnb.trainset import WEIGHTS_SOURCES, TrainConfig, TrainSet  # here: pandas and OpenCV take a while to load

    options = dict(options)
    run, resume = options.pop("run", None), bool(options.pop("resume", False))
    config = options.pop("config", None) or {}
    config = {**(config.to_dict() if isinstance(config, TrainConfig) else config), **options}
    for name in ("weights", "start_from"):  # the worker has another working directory
        if config.get(name) and not (name == "weights" and config[name] in WEIGHTS_SOURCES):
            config[name] = _existing(name, config[name], WEIGHTS_SOURCES if name == "weights" else ())
    if resume:
        run = Path(run or project.last_run())
        config, resume = _resumed(run, config)
    checked = TrainConfig.from_dict({"steps": 1, **config} if resume else config)
    TrainSet.from_project(project)  # raises before there is an empty run if nothing is labeled
    run = Path(run or project.new_run(checked.train_fraction)).resolve()
    if (run / JOB_FILE).is_file() and Job(run).status == "running":
        raise JobError(f"{run} is being trained already. Follow it with attach(), or stop it first.")
    return run, {"config": plain(config) if resume else checked.to_dict(), "resume": resume}


def _existing(name, path, others):
    """The absolute path that the setting ``name`` gives; raises ValueError if nothing is there."""
    if not os.path.exists(path):
        raise ValueError(f"{name}: there is no {path}. Expected {' or '.join(['a path that exists', *others])}.")
    return os.path.abspath(path)


def _resumed(run, changes):
    """(configuration, whether there is a snapshot to go on from) of a run; without a snapshot it begins anew."""
    if not (run / JOB_FILE).is_file() or snapshots(run):
        return changes, True
    first = json.loads((run / JOB_FILE).read_text())["options"].get("config", {})
    if changes.get("minutes") or changes.get("steps"):
        first |= {"minutes": None, "steps": None}
    return {**first, **changes}, False


def _options(kind, project, options):
    """A new job folder and the checked options of an evaluation or analysis."""
    for name in options:
        if name not in _OPTIONS[kind]:
            raise ValueError(f"Unknown option {name!r} for {kind}{nearest(name, _OPTIONS[kind])}.")
    options = plain({k: v for k, v in options.items() if v is not None})
    options["run"] = str(Path(options.get("run") or project.last_run()).resolve())
    if kind == "analyze":
        if not options.get("videos"):
            raise ValueError("No videos to analyze were given.")
        options["videos"] = list(dict.fromkeys(os.path.abspath(v) for v in options["videos"]))
        _check_names(options["videos"], options.get("folder"))
        _check_how(options)
    if kind == "suggest":
        _check_images(project, options.get("images"))
    return _new_folder(project.root / "dlcnb-jobs", kind), options


def _check_images(project, images):
    """Extracted frames of this project, and no other files."""
    if not images:
        raise ValueError("No images to predict were given.")
    for image in images:
        parts = Path(image).parts
        if len(parts) != 3 or parts[0] != "labeled-data" or ".." in parts or not (project.root / image).is_file():
            raise ValueError(
                f"{image!r}: expected an extracted frame of {project.root}, such as labeled-data/m1/img0.png"
            )


def _check_how(options):
    """Options of an analysis that go together; raises before a worker is started."""
    if options.get("dynamic") is not None and options.get("animals") is not None:
        raise ValueError("Dynamic cropping follows one animal: give dynamic or animals, not both.")
    if options.get("score_maps") and options.get("scheduler"):
        raise ValueError("Score-maps are not written by a cluster. Ask for them without a scheduler.")


def _check_names(videos, folder):
    """Two videos must not write to the same table."""
    taken = {}
    for video in videos:
        table = (folder or os.path.dirname(video), Path(video).stem)
        if table in taken:
            raise ValueError(
                f"{taken[table]} and {video} would write the same table. Analyze them into different folders."
            )
        taken[table] = video


def _new_folder(parent, kind):
    stem, number = f"{kind}-{time.strftime('%Y%m%d-%H%M%S')}", 0
    while True:
        folder = parent / (f"{stem}-{number}" if number else stem)
        try:
            folder.mkdir(parents=True)
            return folder
        except FileExistsError:
            number += 1
