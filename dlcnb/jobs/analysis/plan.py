"""What an analysis is to do: its settings, the plan for one video, and its tables once all parts are there."""

from __future__ import annotations

import errno
import json
import logging
import os
import shutil
import time
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from dlcnb.evaluate import CalibratedLikelihood
from dlcnb.files import atomic_write, read_json
from dlcnb.jobs.analysis.parts import PART, Parts
from dlcnb.jobs.explain import explain
from dlcnb.jobs.stop import Stopped, until
from dlcnb.labels import LabelError, Labels
from dlcnb.poses import TopLikelihood, poses_path, write_chunks
from dlcnb.poses.assembly import Distances
from dlcnb.poses.single import other_video
from dlcnb.poses.tracking import check_followed, track_chunks
from dlcnb.project.config import parse_crop
from dlcnb.run import Run

if TYPE_CHECKING:
    from dlcnb.backend import Predictor
    from dlcnb.jobs.events import EventLog
    from dlcnb.jobs.stop import StopRequest
    from dlcnb.project import Project
    from dlcnb.video import VideoReader

__all__ = [
    "DEFAULTS",
    "Plan",
    "Progress",
    "Settings",
    "each_video",
    "finish",
    "finished",
    "network_key",
    "output_path",
    "plan",
    "settings_of",
]

log = logging.getLogger(__name__)

_PROGRESS = 0.5  # s between two progress events: hours of video should not make a log of megabytes
_BYTES = 40  # of both tables and the parts, per coordinate: what must be free before a video is begun


@dataclass(frozen=True)
class Settings:
    """How videos are analyzed: ``batch`` frames per pass, ``part`` frames (about) kept at once.

    ``again``: predict all frames again, whatever is there. ``dynamic``: follow the animal with a crop, ``(threshold,
    margin)``; frames then go in groups of a fixed size, and ``batch`` has no meaning. ``animals``: how many there are
    at most; None = one, in a table for one. ``crop``: function (video, size) -> the part of its frames to look at, (x1,
    x2, y1, y2) px, or None; without it whole frames.
    """

    batch: int = 8
    part: int = PART
    again: bool = False
    dynamic: tuple[float, float] | None = None
    animals: int | None = None
    crop: Callable[[Path, tuple[int, int]], Sequence[int] | None] | None = None

    def __post_init__(self) -> None:
        check_followed(self.dynamic, self.animals)

    def key(self, reader: VideoReader) -> dict[str, Any]:
        """What the poses of a video depend on, as JSON values."""
        found: dict[str, Any] = {"batch": self.batch if self.dynamic is None else None}
        if self.dynamic is not None:
            found["dynamic"] = list(map(float, self.dynamic))
        if self.crop is not None and (crop := self.crop(reader.path, reader.size)):
            found["crop"] = list(crop)
        return found if self.animals is None else {**found, "animals": self.animals}

    def part_size(self) -> int:
        """Frames of a part: batches, or stretches of dynamic cropping, never straddle two."""
        if self.dynamic is None:
            unit = self.batch
        else:
            from dlcnb.backend.dynamic import RESET as unit
        return unit * -(-self.part // unit)


DEFAULTS = Settings()


def settings_of(options: Mapping[str, Any], project: Project) -> Settings:
    """The `Settings` that the options of a job name; what config.yaml crops is cropped, unless they say otherwise."""
    names = ("batch", "again", "dynamic", "animals")
    given = {name: options[name] for name in names if options.get(name) not in (None, "auto")}
    crop = options.get("crop")
    if crop is None:
        return Settings(**given, crop=project.crop_to_analyze)
    return Settings(**given, crop=None if crop == "whole" else lambda _video, _size: parse_crop(crop, "crop"))


def output_path(video: str | Path, scorer: str, settings: Settings, folder: str | Path | None = None) -> Path:
    """Where the table of a video goes; several animals have one of their own (``_el``, as DeepLabCut's)."""
    return poses_path(video, scorer, "" if settings.animals is None else "_el", folder)


def each_video(
    videos: Sequence[str], one: Callable[[str], dict[str, Any] | None], events: EventLog, stop: StopRequest
) -> tuple[str, dict[str, Any]]:
    """Do ``one(video)`` for each video; a bad one does not keep the rest from being done.

    Parameters
    ----------
    one : function (video) -> dict for the result, or None if it was stopped.

    Returns
    -------
    ("done" or "stopped", {"videos": dicts, "failed": [{"video", "message"}]}). Raises ValueError if all failed.
    """
    done, failed = [], []
    for video in videos:
        if stop:
            break
        try:
            found = one(video)
        except Stopped:
            break
        except (ValueError, OSError) as error:
            traceback.print_exc()  # to the worker's log
            failed.append({"video": video, "message": explain(error)})
            if len(videos) > 1:  # else it is the error of the job
                events.write("warning", message=explain(error), video=video)
        else:
            done += [found] if found else []
    if failed and not done and not stop:
        raise ValueError("\n".join(f["message"] for f in failed))
    ended = len(done) + len(failed) < len(videos)
    return ("stopped" if ended else "done"), {"videos": done, "failed": failed}


@dataclass(frozen=True)
class Plan:
    """What is to be done for one video: ``key`` is all that its poses depend on, ``parts`` what there is of them."""

    video: Path
    output: Path
    key: dict
    parts: Parts


def plan(network: Mapping[str, Any], reader: VideoReader, output: str | Path, settings: Settings) -> Plan:
    """The `Plan` for a video, by a network as `network_key` tells.

    Raises `OSError` if its tables can't be written, or would take the place of those of another video.
    """
    output, state = Path(output), reader.path.stat()
    if other := other_video(output, reader.path):
        raise FileExistsError(
            f"{output} has the poses of another video of that name, {other}; rename one of the two, or choose another "
            "folder for these tables (--out)"
        )
    video = {"bytes": state.st_size, "changed": state.st_mtime, "frames": len(reader)}
    key = {**network, "video": video, **settings.key(reader)}
    values = 3 * len(network["bodyparts"]) * (settings.animals or 1)
    _check_writable(output.parent, values * len(reader) * _BYTES)
    parts = Parts(output, key, len(reader), settings.part_size())
    return Plan(reader.path, output, key, parts)


def network_key(predictor: Predictor, animals: int | None = None) -> dict[str, Any]:
    """All of a predictor that poses depend on, as JSON values; for several ``animals`` what labels teach, too.

    The digest of the weights is there because two trainings may have snapshots of one name.
    """
    found: dict[str, Any] = {
        "scorer": predictor.scorer,
        "bodyparts": list(predictor.bodyparts),
        "weights": Run(predictor.run).verified(predictor.step),
        "input_scale": predictor.config.input_scale,
        "engine": predictor.engine,
    }
    if animals is not None:
        found["distances"] = _distances(Run(predictor.run).project, predictor.bodyparts).to_dict()
    known = predictor.likelihood
    return found if known is None else {**found, "likelihood": asdict(known)}


def _distances(project: Project, bodyparts: Sequence[str]) -> Distances:
    """How far apart the bodyparts of a network are in the labels of its project; unknown without labels."""
    points = np.full((0, len(bodyparts), 2), np.nan)
    try:
        labels = Labels.read_project(project)
    except (LabelError, OSError) as error:
        log.warning("The labels can't tell which bodyparts belong to one animal: %s", error)
    else:
        points = np.full((len(labels), len(bodyparts), 2), np.nan)
        known = [k for k, name in enumerate(bodyparts) if name in labels.bodyparts]
        points[:, known] = labels.points[:, [labels.bodyparts.index(bodyparts[k]) for k in known]]
    return Distances.of(points)


def finished(planned: Plan) -> dict[str, Any] | None:
    """The result of a video whose tables are there and up to date, else None."""
    try:
        meta = _read_meta(planned.output)
        current = meta["key"] == planned.key and meta["tables"] == _state(planned.output)
    except (FileNotFoundError, KeyError, TypeError, ValueError):
        return None
    again = {"video": str(planned.video), "reused": meta["result"]["frames"], "replaced": None}
    return {**meta["result"], **again} if current else None


def finish(planned: Plan, reused: int, seconds: float, stop: StopRequest | bool = False) -> dict[str, Any]:
    """Write the tables of a video whose parts are all there; returns its entry of the result.

    Raises `dlcnb.jobs.stop.Stopped` once ``stop`` is true; then the parts are there still, and no table is new.
    """
    parts, key = planned.parts, planned.key
    damaged, replaced = parts.damaged(), _replaced(planned)
    began, top = time.monotonic(), TopLikelihood()
    poses = _poses(parts, key) if "animals" in key else top.counted(_poses(parts, key))
    write_chunks(planned.output, until(stop, poses), parts.total)
    seconds += time.monotonic() - began
    result = {
        "video": str(planned.video),
        "frames": parts.total,
        "seconds": seconds,
        "fps": (parts.total - reused) / seconds if seconds else 0.0,
        "engine": key["engine"],
        "output": str(planned.output),
        "damaged": damaged,
        "reused": reused,
        "crop": key.get("crop"),
        "top_likelihood": top.reached(),
    }
    kept = {**result, "video": str(planned.video.absolute())}
    meta = {"key": key, "tables": _state(planned.output), "result": kept}
    atomic_write(_meta_path(planned.output), json.dumps(meta, indent=1))
    parts.clear()
    return {**result, "replaced": replaced}


def _replaced(planned: Plan) -> str | None:
    """How the tables were made that other settings will overwrite, in words; None if there are none."""
    try:
        key = _read_meta(planned.output)["key"]
        return None if key == planned.key else _in_words(key, planned.key)
    except (FileNotFoundError, KeyError, TypeError, ValueError):
        return None


def _in_words(key: Mapping[str, Any], new: Mapping[str, Any]) -> str:
    """How tables were made: "engine fp32, whole frames", and of the likelihood if it is another now."""
    how = "whole frames"
    if "dynamic" in key:
        how = "dynamic cropping (threshold {:g}, margin {:g} px)".format(*key["dynamic"])
    if "animals" in key:
        how = f"up to {key['animals']} animals"
    if "crop" in key:
        how += ", x {} to {}, y {} to {}".format(*key["crop"])
    if key.get("likelihood") != new.get("likelihood"):
        how += f", {'calibrated' if 'likelihood' in key else 'raw'} likelihood"
    return f"engine {key['engine']}, {how}"


def _poses(parts: Parts, key: Mapping[str, Any]) -> Iterator[Any]:
    """The poses of all parts, some thousand frames at a time."""
    if "animals" not in key:
        return parts.poses(key["bodyparts"], key["scorer"])
    tracked = track_chunks(
        parts.chunks(), parts.sample(), key["bodyparts"], key["scorer"], animals=key["animals"],
        distances=Distances.from_dict(key["distances"]),
    )  # fmt: skip
    if "likelihood" not in key:
        return tracked
    curve = CalibratedLikelihood(**key["likelihood"])  # only now: animals are told apart by the heights of peaks
    return (replace(poses, likelihood=curve(poses.likelihood)) for poses in tracked)


class Progress:
    """Tells the events how far a video is, at most every `_PROGRESS` seconds until ``stop`` is true."""

    def __init__(self, events: EventLog, video: str | Path, stop: StopRequest | bool = False) -> None:
        self._events, self._video, self._stop = events, str(video), stop
        self._began, self._next = time.monotonic(), 0.0
        self._before: int | None = None  # frames that were there at first

    def __call__(self, done: int, total: int) -> None:
        """``done`` of ``total`` frames are there."""
        now = time.monotonic()
        if self._before is None:
            self._before = done
        if now < self._next and done < total and not self._stop:
            return
        self._next = now + _PROGRESS
        new = done - self._before
        left = (now - self._began) * (total - done) / new if new > 0 else None
        self._events.step("progress", done=done, total=total, seconds_left=left, video=self._video)


def _read_meta(output: Path) -> dict[str, Any]:
    return dict(read_json(_meta_path(output)))


def _meta_path(output: Path) -> Path:
    return output.with_name(f"{output.stem}_meta.json")


def _state(output: Path) -> list[list[float]]:
    """Size and time of both tables, by which it shows if they were changed since."""
    states = [path.stat() for path in (output, output.with_suffix(".csv"))]
    return [[state.st_size, state.st_mtime] for state in states]


def _check_writable(folder: Path, needed: int) -> None:
    """Find out before the work, not after it, that its result can't be written."""
    folder.mkdir(parents=True, exist_ok=True)
    if not os.access(folder, os.W_OK):
        raise PermissionError(
            f"The tables can't be written to {folder}: no permission. Choose another folder for them."
        )
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise OSError(
            errno.ENOSPC,
            f"cannot write the tables to {folder}: the disk is full. They need about {needed / 1e6:.1f} MB, "
            f"{free / 1e6:.1f} MB are free. Free some space, or choose another folder for them.",
        )
