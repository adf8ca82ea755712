"""Start work on a project: check the options, choose the folder, launch the worker."""

from __future__ import annotations

import json
import os
from typing import Any

from dlcnb.files import atomic_write
from dlcnb.jobs.job import JOB_FILE, Job, JobError, launch, starting
from dlcnb.jobs.kinds import KINDS
from dlcnb.project import Project, nearest

__all__ = ["start"]


def start(kind: str, project: Project | str | os.PathLike[str], **options: Any) -> Job:
    """Start work in a process of its own.

    Parameters
    ----------
    kind : one of `dlcnb.jobs.kinds.KINDS`: "train", "evaluate", "analyze", "suggest", "export", "trial".
    project : `Project`, or its folder.
    options :
        train: ``config`` (`TrainConfig` or dict; its fields may also be given one by one), ``preset`` (name, for a new
        run), ``run`` (folder; default a new one), ``resume`` (continue ``run``, default the last one, from its last
        snapshot, or from its beginning if it has none; settings left out stay as they were).
        evaluate: ``run`` (default the last), ``snapshot`` ("best", "last", "all" or a step), ``device``, ``maps``
        (keep the score-maps, for `EvaluationView`; default True).
        analyze: ``videos`` (paths), ``run``, ``snapshot``, ``batch``, ``device``, ``engine`` (see `dlcnb.Predictor`),
        ``folder`` (where the tables go; default beside each video), ``again`` (predict again what is there already),
        ``dynamic`` (follow the animal with a crop: ``(threshold, margin)``, or "auto": where that is as good as whole
        frames), ``crop`` (the part of the frames to look at: ``(x1, x2, y1, y2)`` px, or "whole"; default what
        config.yaml crops), ``animals`` (up to so many, in a table for several), ``score_maps`` (numbers of frames whose
        score-maps are kept), ``scheduler`` (address of a Dask scheduler, such as "tcp://host:8786"). An analysis that
        was killed or stopped goes on where it was when it is started again.
        export (the network as ONNX): ``run``, ``snapshot``, ``folder`` (default the run's).
        suggest: ``images`` (``labeled-data/<video>/<image>`` each), ``run``, ``snapshot``, ``device``; what
        was predicted is read by `read_suggestions`.

    Returns
    -------
    Job, running. Raises `JobError` if there is a worker in the folder already, ValueError for an unknown kind or
    a wrong option.
    """
    if kind not in KINDS:
        raise ValueError(f"Unknown kind of job {kind!r}{nearest(kind, KINDS) or '.'} Expected {', '.join(KINDS)}.")
    project = project if isinstance(project, Project) else Project.open(project)
    folder, options = KINDS[kind].prepare(project, options)
    with starting(folder):
        if (folder / JOB_FILE).is_file() and Job(folder).status == "running":
            raise JobError(f"{folder} is being worked on already. Follow it with attach(), or stop it first.")
        about = {"kind": kind, "project": str(project.root), "options": options}
        atomic_write(folder / JOB_FILE, json.dumps(about, indent=1))
        return launch(folder)
