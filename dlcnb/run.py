"""One training run on disk: what its files are called, which snapshot is which, and what may change when it goes on."""

from __future__ import annotations

import csv
import json
import logging
import math
import os
import re
import secrets
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray
from ruamel.yaml import YAML, YAMLError

from dlcnb.files import TEMPORARY, atomic_path, atomic_write, read_arrays, read_json, read_text, sha256_of
from dlcnb.project import Project, ProjectError, run_info
from dlcnb.project.names import FAILED_START

if TYPE_CHECKING:
    from dlcnb.trainset import TrainConfig

__all__ = ["CHANGEABLE", "EVENTS_FILE", "JOB_FILE", "LOG_FILE", "NO_SETTINGS", "Run"]

JOB_FILE = "job.json"  # what to do, of a run as of any other job
EVENTS_FILE = "events.jsonl"  # what has happened
LOG_FILE = "worker.log"  # what the worker printed
CHANGEABLE = ("minutes", "steps", "learning_rate", "schedule", "device", "kvstore", "workers", "validate_every", "keep")
_LONGEST = 10_000  # letters of a row of statistics
NEWEST = 3  # snapshots that stay beside the best one and those to keep
FACTS = ("decisions", "began_from", "widest_px")  # what pose_cfg.yaml tells beside the settings
NO_SETTINGS = ("all_joints_names", "run_id", *FACTS)

log = logging.getLogger(__name__)


class Run:
    """The folder of a training run, ``…/<Task><date>-trainset<F>shuffle<k>/train``; read only as needed.

    Anything that takes a path takes a run, too.

    Parameters
    ----------
    folder : of the run; it may be empty yet.
    """

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        self.folder = Path(folder)
        self.config_file = self.folder / "pose_cfg.yaml"
        self.split_file = self.folder / "split.json"
        self.best_file = self.folder / "best.json"
        self.stats_file = self.folder / "learning_stats.csv"
        self.preview_file = self.folder / "validation.npz"
        self.job_file = self.folder / JOB_FILE
        self.events_file = self.folder / EVENTS_FILE
        self.log_file = self.folder / LOG_FILE

    def __fspath__(self) -> str:
        return str(self.folder)

    def __repr__(self) -> str:
        return f"Run({str(self.folder)!r})"

    # --- where it belongs

    @property
    def root(self) -> Path:
        """Folder of the run's project."""
        return self.folder.resolve().parents[3]

    @property
    def project(self) -> Project:
        """The run's project, opened anew."""
        return Project.open(self.root)

    @property
    def shuffle(self) -> int:
        """Number of the run among those of its project and iteration."""
        return int(run_info(self.folder)["shuffle"])

    @property
    def name(self) -> str:
        """Name of the run's folder, ``<Task><date>-trainset<F>shuffle<k>``."""
        return self.folder.resolve().parent.name

    @property
    def evaluations(self) -> Path:
        """Folder of the run's evaluations; it may not exist yet."""
        return self.project.evaluation_dir(self.folder)

    # --- settings

    @property
    def settings(self) -> dict[str, Any]:
        """All of pose_cfg.yaml; raises `ProjectError` if it is not there or can't be read."""
        try:
            return dict(YAML(typ="safe").load(read_text(self.config_file)))
        except FileNotFoundError:
            raise ProjectError(
                f"{self.folder} is not a training run: it has no {self.config_file.name}. Expected a folder …/train."
            ) from None
        except (YAMLError, UnicodeDecodeError, TypeError, ValueError, RecursionError) as error:
            raise self._unreadable(self.config_file, "Put a copy of it there, or train again") from error

    @property
    def config(self) -> TrainConfig:
        """What the run was trained with; raises `ProjectError`."""
        from dlcnb.trainset import TrainConfig  # here: pandas and OpenCV take a while to load

        values = {key: value for key, value in self.settings.items() if key not in NO_SETTINGS}
        try:
            return TrainConfig.saved(values)
        except (TypeError, ValueError) as error:
            raise ProjectError(f"{self.config_file}: {error}") from error

    @property
    def bodyparts(self) -> tuple[str, ...]:
        """Names of the K bodyparts, in the order of the score-maps."""
        return tuple(self._texts("all_joints_names"))

    @property
    def decisions(self) -> list[str]:
        """Why the settings that were left open are as they are, in sentences (`dlcnb.trainset.plan`)."""
        return self._texts("decisions")

    @property
    def widest_px(self) -> float:
        """The longest diagonal of a posture that was trained on, px (`dlcnb.geometry.widest_px`); NaN = not known."""
        found: Any = self.settings.get("widest_px")
        return float(found) if type(found) in (int, float) and found > 0 else math.nan

    def _texts(self, name: str) -> list[str]:
        """A setting that is a list of texts; empty where there is none, raises `ProjectError` for another value."""
        found = self.settings.get(name) or []
        if not isinstance(found, list):
            raise ProjectError(f"{self.config_file}: expected a list as {name}, found {str(found)[:40]}; correct it")
        return list(map(str, found))

    def write_config(
        self,
        config: TrainConfig,
        bodyparts: Sequence[str],
        *,
        decisions: Sequence[str] = (),
        began_from: str = "",
        widest_px: float = 0.0,
    ) -> None:
        """Write pose_cfg.yaml: settings, bodyparts, and `FACTS`; those not given, or empty, stay as they were."""
        before = self.settings if self.config_file.exists() else {}
        facts = dict(zip(FACTS, (list(decisions), began_from, widest_px), strict=True))
        told = {name: value for name in FACTS if (value := facts[name] or before.get(name))}
        own = {"all_joints_names": list(bodyparts), "run_id": before.get("run_id") or secrets.token_hex(8)}
        with atomic_path(self.config_file) as temporary, open(temporary, "w", encoding="utf-8") as file:
            YAML().dump({**own, **config.to_dict(), **told}, file)
        (self.folder / FAILED_START).unlink(missing_ok=True)
        if "run_id" not in before:
            for step in self.steps:  # of a version that kept no checksums
                self.sign(step)

    def resumed(self, changes: TrainConfig | Mapping[str, Any] | None = None) -> TrainConfig:
        """The configuration with which this run goes on.

        A new budget takes the place of the old one, a learning rate that of a schedule (`dlcnb.trainset.merged`).

        Parameters
        ----------
        changes : the settings to change; or a whole configuration, where None stands for whatever the run has.

        Raises
        ------
        ProjectError
            There are snapshots, and a setting that shaped their weights (all but `CHANGEABLE`) differs from the run's.
        """
        from dlcnb.trainset import TrainConfig

        if isinstance(changes, TrainConfig) and not (self.config_file.exists() or self.job_file.exists()):
            return changes
        stored = self._begun_with()
        wanted = stored.changed(**stored.wanted(changes))
        if self.steps:
            before, after = stored.to_dict(), wanted.to_dict()
            for key in (key for key in before if key not in CHANGEABLE and before[key] != after[key]):
                raise ProjectError(
                    f"The run in {self.folder} was started with {key}={before[key]!r}, not {after[key]!r}. Resume it "
                    "with the same settings (only budget, learning rate and devices may change), or start a new run."
                )
        return wanted

    def _begun_with(self) -> TrainConfig:
        """The settings of a run, which it may have been killed before it wrote down itself."""
        from dlcnb.trainset import TrainConfig

        if self.config_file.exists() or not self.job_file.exists():
            return self.config
        try:
            return TrainConfig.from_dict(read_json(self.job_file)["options"].get("config", {}))
        except (KeyError, TypeError, ValueError) as error:
            raise self._unreadable(self.job_file, "Start a new run") from error

    # --- snapshots

    @property
    def steps(self) -> list[int]:
        """Steps of the complete snapshots, rising."""
        found = (re.fullmatch(r"snapshot-(\d+)\.params", path.name) for path in self.folder.glob("snapshot-*.params"))
        return sorted(int(match[1]) for match in found if match)

    def snapshot(self, step: int) -> Path:
        """Path of the weights of a step, whether they are there or not."""
        return self.folder / f"snapshot-{step}.params"

    def state(self, step: int) -> Path:
        """Path of what the trainer needs beside the weights to go on from a step."""
        return self.folder / f"snapshot-{step}.state.npz"

    def likelihood(self, step: int) -> Path:
        """Path of what the likelihood of a step is worth (`dlcnb.evaluate.CalibratedLikelihood`); it may not exist."""
        return self.folder / f"snapshot-{step}.likelihood.json"

    def find(self, which: str | int = "best") -> tuple[int, Path]:
        """``(step, path)`` of a snapshot; raises `ProjectError` if it does not exist.

        Parameters
        ----------
        which : "best" (on the validation part; the last if there was none), "last", or a step.
        """
        steps = self.steps
        if not steps:
            raise ProjectError(f"No snapshot in {self.folder}. Train first (dlcnb train), or wait for the first one.")
        step = int(which) if str(which).isdigit() else -1
        if which == "last":
            step = steps[-1]
        elif which == "best":
            best = self.best
            step = best["step"] if best and best["step"] in steps else steps[-1]
        if step not in steps:
            raise ProjectError(f"No snapshot {which!r} in {self.folder}. There are: best, last, {str(steps)[1:-1]}.")
        return step, self.snapshot(step)

    @property
    def best(self) -> dict[str, Any] | None:
        """``{"step", "val_mean_px"}`` of the best snapshot so far (px, None = not validated); None if there is none."""
        try:
            found = read_json(self.best_file)
            mean_px = found["val_mean_px"]
            return {"step": int(found["step"]), "val_mean_px": None if mean_px is None else float(mean_px)}
        except FileNotFoundError:
            return None
        except (KeyError, TypeError, ValueError, OverflowError):
            log.warning("%s is damaged: the last snapshot is taken for the best.", self.best_file)
            return None

    def write_best(self, step: int, val_mean_px: float | None) -> None:
        """Remember a snapshot as the best one."""
        atomic_write(self.best_file, json.dumps({"step": step, "val_mean_px": val_mean_px}))

    def sign(self, step: int, path: str | os.PathLike[str] | None = None) -> None:
        """Note the checksum of a snapshot's weights, which lie at ``path`` until they are complete."""
        checksum = sha256_of(path or self.snapshot(step))
        atomic_write(self.record(step), json.dumps({"sha256": checksum, "run_id": self.settings.get("run_id")}))

    def verified(self, step: int) -> str:
        """Checksum of a snapshot; raises `ProjectError` if it is not the one noted (if the run's version noted any)."""
        path, found = self.snapshot(step), sha256_of(self.snapshot(step))
        signed = sorted(self.folder.glob("snapshot-*.meta.json"))
        try:
            record = read_json(self.record(step))
            noted, owner = str(record["sha256"]), record.get("run_id")
        except FileNotFoundError:
            noted, owner = ("" if signed else found), None
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise self._unreadable(self.record(step), "Choose another snapshot") from error
        if noted != found or owner not in (None, self.settings.get("run_id")):
            others = ", ".join(map(str, (n for n in self.steps if n != step))) or "none: train again"
            raise ProjectError(
                f"{path} is damaged, or belongs to another training: its checksum is not the one in this run's record. "
                f"Put back the right file, or choose another snapshot (there are: {others})."
            )
        return found

    def record(self, step: int) -> Path:
        """Path of the checksum of a snapshot, noted when it was written; it may not exist."""
        return self.folder / f"snapshot-{step}.meta.json"

    def last_state(self) -> tuple[int, dict[str, NDArray[Any]]]:
        """``(step, arrays by name)`` of the last snapshot to resume from; a damaged one is named and passed over."""
        for step in reversed(self.steps):
            try:
                return step, self._own_state(step, read_arrays(self.state(step)))
            except (OSError, KeyError, TypeError, ValueError) as error:
                log.warning("%s is damaged (%s): training goes on from the snapshot before.", self.state(step), error)
        raise ProjectError(
            f"No snapshot of {self.folder} can be resumed from: what the trainer left beside them is gone or damaged. "
            "Start a new run; with --start-from (start_from=…) it begins from these weights."
        )

    def _own_state(self, step: int, state: dict[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        """The state, if it is of this run and step; else a ValueError. Versions before did not write whose it is."""
        owner = str(state.pop("run_id", ""))
        if owner not in ("", self.settings.get("run_id")) or int(state["step"]) != step:
            raise ValueError("it belongs to another training, or to another step")
        return state

    def tidy(self) -> None:
        """Delete what a worker that was killed in the midst of writing or deleting a snapshot has left."""
        whole = self.steps
        for path in self.folder.glob(f"{TEMPORARY}*-snapshot-*"):  # only its own: an int8 network may be in the making
            if re.search(r"-snapshot-\d+\.(params|state\.npz|meta\.json)$", path.name):
                path.unlink(missing_ok=True)
        for suffix in ("state.npz", "meta.json", "likelihood.json"):
            for path in self.folder.glob(f"snapshot-*.{suffix}"):
                if path.name.removeprefix("snapshot-").removesuffix(f".{suffix}") not in map(str, whole):
                    path.unlink(missing_ok=True)

    def prune(self, keep: Sequence[int] | str | None = None) -> None:
        """Delete all snapshots but the newest few, the best, and those to ``keep`` (see `dlcnb.trainset.is_kept`).

        Of those to keep only the weights stay, a third of a snapshot; the newest and the best can be resumed from.
        """
        from dlcnb.trainset import is_kept

        best = (self.best or {}).get("step")
        old = [step for step in self.steps[:-NEWEST] if step != best]
        self._delete(step for step in old if not is_kept(step, keep))
        for step in old:
            self.state(step).unlink(missing_ok=True)

    def keep_only(self, *steps: int) -> None:
        """Keep the weights of these snapshots, and nothing to resume from: dozens of runs would fill the disk."""
        self._delete(other for other in self.steps if other not in steps)
        for step in steps:
            self.state(step).unlink(missing_ok=True)

    def _delete(self, steps: Iterable[int]) -> None:
        """Delete snapshots and what was made from them, except an exported network."""
        for step in list(steps):
            self.snapshot(step).unlink(missing_ok=True)  # first: what it leaves is tidied up
            for path in self.folder.glob(f"snapshot-{step}.*"):
                if path.suffix != ".onnx":
                    path.unlink(missing_ok=True)

    # --- what else it leaves

    @property
    def split(self) -> dict[str, list[str]]:
        """Names of the frames of the parts "train", "validation" and "test"; raises `ProjectError`."""
        try:
            parts = read_json(self.split_file)
            return {part: list(parts[part]) for part in ("train", "validation", "test")}
        except FileNotFoundError:
            raise ProjectError(
                f"{self.folder} does not say what it was trained on: it has no {self.split_file.name}. "
                "Choose another run, or train again."
            ) from None
        except (KeyError, TypeError, ValueError) as error:
            raise self._unreadable(self.split_file, "Choose another run, or train again") from error

    def write_split(self, parts: Mapping[str, Sequence[str]]) -> None:
        """Remember which frames are trained on, and which are kept for validation and test."""
        atomic_write(self.split_file, json.dumps({part: list(names) for part, names in parts.items()}, indent=1))

    def statistics(self) -> Iterator[dict[str, float]]:
        """Rows of learning_stats.csv by column, without empty cells; none if there is no such file."""
        try:
            text = read_text(self.stats_file, errors="replace")
        except FileNotFoundError:
            return
        for row in csv.DictReader(line for line in text.splitlines() if len(line) < _LONGEST):
            with suppress(ValueError):  # a row that something else has written into is passed over
                found = {name: float(value) for name, value in row.items() if name and value}
                if math.isfinite(found.get("step", math.nan)):
                    yield found

    # --- starts that failed

    @property
    def failed_to_start(self) -> bool:
        """Whether the run ended in an error before its first step."""
        return (self.folder / FAILED_START).exists()

    def mark_failed_start(self) -> None:
        """Keep a run that has learned nothing from ever being the project's last one; its log can still be read."""
        (self.folder / FAILED_START).touch()

    def discard(self) -> None:
        """Delete the whole run."""
        shutil.rmtree(self.folder, ignore_errors=True)
        if self.folder.name == "train" and self.folder.parent.is_dir() and not any(self.folder.parent.iterdir()):
            self.folder.parent.rmdir()

    def _unreadable(self, path: Path, cure: str) -> ProjectError:
        return ProjectError(f"{path} is damaged: it can't be read. {cure}.")
