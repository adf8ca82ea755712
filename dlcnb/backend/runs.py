"""What a trainer leaves in a run's folder: weights beside its own state, and a row for each logged step."""

from __future__ import annotations

import csv
import errno
import logging
import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from dlcnb.backend import mx
from dlcnb.files import atomic_path, read_text

if TYPE_CHECKING:
    from dlcnb.backend.trainer import TrainStep
    from dlcnb.run import Run

__all__ = ["StatsFile", "best_of", "made_once", "save_arrays", "save_snapshot"]

T = TypeVar("T")
log = logging.getLogger(__name__)

_ENOUGH = 32  # held-out frames that can tell close snapshots apart
_CLOSE = 1.25  # times the best snapshot's error: fewer frames can't tell whether that is worse


def made_once(read: Callable[[], T | None], make: Callable[[], T], write: Callable[[T], None]) -> T:
    """An int8 network that ``read`` finds beside its snapshot; where it gives None, made now and written there.

    Where it can't be written (a full disk, somebody else's folder) a warning says so, and it is used all the same.
    """
    found = read()
    if found is None:
        found = make()
        try:
            write(found)
        except (OSError, RuntimeError) as error:  # RuntimeError: a full disk in OpenVINO's words
            log.warning("the int8 network is not kept, and made again next time: %s", error)
    return found


def save_arrays(path: str | os.PathLike[str], arrays: Mapping[str, Any]) -> None:
    """`mx.nd.save` (name -> NDArray), which raises `OSError` where MXNet tells of a full disk in words of its own."""
    try:
        mx.nd.save(os.fspath(path), dict(arrays))
    except mx.MXNetError as error:
        size = sum(array.size * np.dtype(array.dtype).itemsize for array in arrays.values())
        full = shutil.disk_usage(Path(path).parent).free < size
        raise OSError(errno.ENOSPC if full else errno.EIO, "MXNet could not write it", os.fspath(path)) from error


def save_snapshot(run: Run, step: int, weights: Mapping[str, Any], state: Mapping[str, NDArray[Any]]) -> str:
    """Write the weights of a step (name -> NDArray, which predictions use) and the trainer's state; returns the name.

    The state and the checksum come first, so a snapshot that can be seen can also be resumed from. One of this step
    that is there (its state was damaged, so that the step was made again) goes before that: it would have a checksum
    that is not its own if the process died in between.
    """
    run.snapshot(step).unlink(missing_ok=True)
    with atomic_path(run.state(step)) as temporary, open(temporary, "wb") as file:
        np.savez(file, run_id=np.array(run.settings.get("run_id") or ""), **state)
    with atomic_path(run.snapshot(step)) as temporary:
        save_arrays(temporary, weights)
        run.sign(step, temporary)
    return run.snapshot(step).name


def best_of(best: dict[str, Any] | None, step: int, mean_px: float | None, frames: int = _ENOUGH) -> dict[str, Any]:
    """The best snapshot, ``{"step", "val_mean_px"}``, now that ``step`` has the validation error ``mean_px`` (or None).

    It is the one with the lowest error, of equal ones the newer. Where fewer than 32 ``frames`` are held out, luck
    would choose between close ones: there it is the newest whose error is not a quarter above that of the best before.
    """
    if best is None or mean_px is None or best["val_mean_px"] is None:
        return {"step": step, "val_mean_px": mean_px}
    limit = best["val_mean_px"] * (1 if frames >= _ENOUGH else _CLOSE)
    return {"step": step, "val_mean_px": mean_px} if mean_px <= limit else best


class StatsFile:
    """``learning_stats.csv``: one row per logged step. A resumed run drops the rows past its snapshot."""

    columns = ("step", "seconds", "loss", "part_loss", "locref_loss", "learning_rate", "val_mean_px", "train_mean_px")

    def __init__(self, run: Run, step: int) -> None:
        rows: list[Sequence[str]] = [self.columns]
        if step and run.stats_file.exists():
            text = read_text(run.stats_file, errors="replace").replace("\0", "")
            kept = (row for row in csv.reader(text.splitlines()) if len(row) >= 7)
            rows += [row for row in kept if row[0].isdigit() and int(row[0]) <= step]
        with atomic_path(run.stats_file) as temporary, open(temporary, "w", newline="") as file:
            csv.writer(file).writerows(rows)
        self._file = open(run.stats_file, "a", newline="")  # noqa: SIM115 (closed by close)
        self._writer = csv.writer(self._file)

    def write(self, record: TrainStep) -> None:
        """Append a step."""
        checked = record.validation or {}
        values = [getattr(record, name) for name in self.columns[1:-2]]
        errors = [checked.get(name, "") for name in ("mean_px", "train_mean_px")]
        self._writer.writerow([record.step, *(f"{v:.6g}" for v in values), *errors])
        self._file.flush()

    def close(self) -> None:
        """Close the file."""
        self._file.close()
