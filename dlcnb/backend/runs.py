"""A training run's folder: configuration, split, snapshots with the trainer's state, the best one."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
from ruamel.yaml import YAML

from dlcnb.backend import mx
from dlcnb.files import TEMPORARY, atomic_path, atomic_write
from dlcnb.project import ProjectError, snapshots
from dlcnb.trainset import TrainConfig

__all__ = ["find_snapshot", "read_config", "save_snapshot", "snapshots"]

KEPT = 3  # newest snapshots that stay beside the best one
_TIE, _LUCK = 1.05, 1.5
PREVIEWED = 6  # validation frames whose predictions and score-maps are kept for looking at


def write_config(run, config, bodyparts):
    """Write ``pose_cfg.yaml``: the configuration and the names of the K bodyparts, in the order of the maps."""
    with (
        atomic_path(Path(run) / "pose_cfg.yaml") as temporary,
        open(temporary, "w", encoding="utf-8") as file,
    ):
        YAML().dump({"all_joints_names": list(bodyparts), **config.to_dict()}, file)


def read_config(run):
    """``(TrainConfig, bodyparts)`` of a run; raises `ProjectError` if the folder is not a run."""
    path = Path(run) / "pose_cfg.yaml"
    if not path.exists():
        raise ProjectError(f"{run} is not a training run: it has no pose_cfg.yaml. Expected a folder …/train.")
    values = dict(YAML(typ="safe").load(path.read_text(encoding="utf-8")))
    bodyparts = tuple(values.pop("all_joints_names"))
    return TrainConfig.from_dict(values), bodyparts


def read_best(run):
    """``{"step", "val_mean_px"}`` of the best snapshot so far, or None."""
    path = Path(run) / "best.json"
    return json.loads(path.read_text()) if path.exists() else None


def find_snapshot(run, which="best"):
    """``(step, path)`` of a snapshot.

    Parameters
    ----------
    run : folder of the run.
    which : "best" (on the validation part; the last if there was none), "last", or a step.

    Raises `ProjectError` if there is no such snapshot.
    """
    steps = snapshots(run)
    if not steps:
        raise ProjectError(f"No snapshot in {run}. Train first (dlcnb train), or wait for the first snapshot.")
    if which == "best":
        best = read_best(run)
        step = best["step"] if best and best["step"] in steps else steps[-1]
    elif which == "last":
        step = steps[-1]
    else:
        step = int(which) if str(which).isdigit() else -1
        if step not in steps:
            raise ProjectError(f"No snapshot {which!r} in {run}. There are: best, last, {', '.join(map(str, steps))}.")
    return step, Path(run) / f"snapshot-{step}.params"


def save_snapshot(run, step, averaged, state):
    """Write ``snapshot-<step>.params`` (name -> NDArray, what predictions use) and the trainer's ``state`` beside it.

    The state comes first, so a snapshot that can be seen can also be resumed from.
    """
    run = Path(run)
    with atomic_path(run / f"snapshot-{step}.state.npz") as temporary, open(temporary, "wb") as file:
        np.savez(file, **state)
    with atomic_path(run / f"snapshot-{step}.params") as temporary:
        mx.nd.save(str(temporary), averaged)
    return f"snapshot-{step}.params"


def tidy(run):
    """Delete what a worker that was killed in the midst of writing or deleting a snapshot has left."""
    whole = snapshots(run)
    for suffix in ("params", "state.npz"):
        for path in Path(run).glob(f"{TEMPORARY}*-snapshot-*.{suffix}"):
            path.unlink(missing_ok=True)
    for path in Path(run).glob("snapshot-*.state.npz"):
        if int(path.name.split("-")[1].split(".")[0]) not in whole:
            path.unlink(missing_ok=True)


def read_state(run, step):
    """The arrays that `save_snapshot` was given as ``state``."""
    with np.load(Path(run) / f"snapshot-{step}.state.npz", allow_pickle=False) as file:
        return dict(file)


def prune_snapshots(run):
    """Delete all snapshots but the newest few and the best."""
    best = read_best(run) or {}
    for step in snapshots(run)[:-KEPT]:
        if step != best.get("step"):
            for suffix in ("params", "state.npz"):
                (Path(run) / f"snapshot-{step}.{suffix}").unlink(missing_ok=True)


def write_best(run, step, val_mean_px):
    """Remember a snapshot as the best one."""
    atomic_write(Path(run) / "best.json", json.dumps({"step": step, "val_mean_px": val_mean_px}))


def best_of(best, step, mean_px):
    """The best snapshot, ``{"step", "val_mean_px"}``, now that ``step`` has the validation error ``mean_px`` (or None).

    A few held-out frames judge coarsely: a newer snapshot is taken unless the best one is better by more than 5 %; one
    from the first half of the run may be luck, and must be better by half.
    """
    if best is not None and None not in (mean_px, best["val_mean_px"]):
        margin = _LUCK if best["step"] <= step // 2 else _TIE
        if mean_px > margin * best["val_mean_px"]:
            return best
    return {"step": step, "val_mean_px": mean_px}


def write_preview(run, step, images, labels, points, likelihood, score_maps):
    """Write ``validation.npz``: what the network makes of the first validation frames at ``step``.

    It holds ``step``, and for n frames: ``images`` (names), ``labels`` and ``points`` ``(n, K, 2)`` px, ``likelihood``
    ``(n, K)``, ``score_maps`` float16 ``(n, K, h, w)`` (absent if the frames differ in size).
    """
    n = len(images)
    arrays = {"step": step, "images": images, "labels": labels[:n], "points": points[:n], "likelihood": likelihood[:n]}
    if len({score.shape for score in score_maps}) == 1:
        arrays["score_maps"] = np.stack(score_maps).astype(np.float16)
    with atomic_path(Path(run) / "validation.npz") as temporary, open(temporary, "wb") as file:
        np.savez_compressed(file, **arrays)


class StatsFile:
    """``learning_stats.csv``: one row per logged step. A resumed run drops the rows past its snapshot."""

    columns = ("step", "seconds", "loss", "part_loss", "locref_loss", "learning_rate", "val_mean_px", "train_mean_px")

    def __init__(self, run, step):
        path = Path(run) / "learning_stats.csv"
        rows = [self.columns]
        if step and path.exists():
            with open(path, newline="") as file:
                rows += [row for row in list(csv.reader(file))[1:] if len(row) >= 7 and int(row[0]) <= step]
        with atomic_path(path) as temporary, open(temporary, "w", newline="") as file:
            csv.writer(file).writerows(rows)
        self._file = open(path, "a", newline="")  # noqa: SIM115 (closed by close)
        self._writer = csv.writer(self._file)

    def write(self, record):
        """Append a `TrainStep`."""
        checked = record.validation or {}
        values = [getattr(record, name) for name in self.columns[1:-2]]
        errors = [checked.get(name, "") for name in ("mean_px", "train_mean_px")]
        self._writer.writerow([record.step, *(f"{v:.6g}" for v in values), *errors])
        self._file.flush()

    def close(self):
        """Close the file."""
        self._file.close()
