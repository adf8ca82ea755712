"""What an analysis is to do: its settings, the plan for one video, and its tables once all parts are there."""

from __future__ import annotations

import errno
import json
import os
import shutil
import time
import traceback
from dataclasses import dataclass
from pathlib import Path

from dlcnb.files import atomic_write
from dlcnb.jobs.analysis.parts import PART, Parts
from dlcnb.jobs.explain import explain
from dlcnb.poses import poses_path, write_chunks
from dlcnb.poses.tracking import track_chunks
from dlcnb.run import Run

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

_PROGRESS = 0.5  # s between two progress events: hours of video should not make a log of megabytes
_BYTES = 40  # of both tables and the parts, per coordinate: what must be free before a video is begun


@dataclass(frozen=True)
class Settings:
    """How videos are analyzed: ``batch`` frames per pass, ``part`` frames (about) kept at once.

    ``again``: predict all frames again, whatever is there. ``dynamic``: follow the animal with a crop, ``(threshold,
    margin)``; frames then go in groups of a fixed size, and ``batch`` has no meaning. ``animals``: how many there are
    at most; None = one, in a table for one.
    """

    batch: int = 8
    part: int = PART
    again: bool = False
    dynamic: tuple[float, float] | None = None
    animals: int | None = None

    def __post_init__(self):
        if self.dynamic is not None and self.animals is not None:
            raise ValueError("Dynamic cropping follows one animal: give dynamic or animals, not both.")

    def key(self):
        """What poses depend on, as JSON values."""
        found = {"batch": self.batch if self.dynamic is None else None}
        if self.dynamic is not None:
            found["dynamic"] = list(map(float, self.dynamic))
        return found if self.animals is None else {**found, "animals": self.animals}

    def part_size(self):
        """Frames of a part: batches, or stretches of dynamic cropping, never straddle two."""
        if self.dynamic is None:
            unit = self.batch
        else:
            from dlcnb.backend.dynamic import RESET as unit
        return unit * -(-self.part // unit)


DEFAULTS = Settings()


def settings_of(options):
    """The `Settings` that the options of a job name."""
    names = ("batch", "again", "dynamic", "animals")
    return Settings(**{name: options[name] for name in names if options.get(name) is not None})


def output_path(video, scorer, settings, folder=None):
    """Where the table of a video goes; several animals have one of their own (``_el``, as DeepLabCut's)."""
    return poses_path(video, scorer, "" if settings.animals is None else "_el", folder)


def each_video(videos, one, events, stop):
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


def plan(network, reader, output, settings):
    """The `Plan` for a video, by a network as `network_key` tells; raises `OSError` if its tables can't be written."""
    output, state = Path(output), reader.path.stat()
    video = {"bytes": state.st_size, "changed": state.st_mtime, "frames": len(reader)}
    key = {**network, "video": video, **settings.key()}
    values = 3 * len(network["bodyparts"]) * (settings.animals or 1)
    _check_writable(output.parent, values * len(reader) * _BYTES)
    parts = Parts(output, key, len(reader), settings.part_size())
    return Plan(reader.path, output, key, parts)


def network_key(predictor):
    """All of a predictor that poses depend on, as JSON values.

    The digest of the weights is there because two trainings may have snapshots of one name.
    """
    return {
        "scorer": predictor.scorer,
        "bodyparts": list(predictor.bodyparts),
        "weights": Run(predictor.run).verified(predictor.step),
        "input_scale": predictor.config.input_scale,
        "engine": predictor.engine,
    }


def finished(planned):
    """The result of a video whose tables are there and up to date, else None."""
    try:
        meta = _read_meta(planned.output)
        current = meta["key"] == planned.key and meta["tables"] == _state(planned.output)
    except (FileNotFoundError, KeyError, TypeError, ValueError):
        return None
    again = {"video": str(planned.video), "reused": meta["result"]["frames"], "replaced": None}
    return {**meta["result"], **again} if current else None


def finish(planned, reused, seconds):
    """Write the tables of a video whose parts are all there; returns its entry of the result."""
    parts, key = planned.parts, planned.key
    damaged, replaced = parts.damaged(), _replaced(planned)
    began = time.monotonic()
    write_chunks(planned.output, _poses(parts, key), parts.total)
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
    }
    meta = {"key": key, "tables": _state(planned.output), "result": result}
    atomic_write(_meta_path(planned.output), json.dumps(meta, indent=1))
    parts.clear()
    return {**result, "replaced": replaced}


def _replaced(planned):
    """How the tables were made that other settings will overwrite, in words; None if there are none."""
    try:
        key = _read_meta(planned.output)["key"]
        return None if key == planned.key else _in_words(key)
    except (FileNotFoundError, KeyError, TypeError, ValueError):
        return None


def _in_words(key):
    """How tables were made: "engine fp32, whole frames"."""
    how = "whole frames"
    if "dynamic" in key:
        how = "dynamic cropping (threshold {:g}, margin {:g} px)".format(*key["dynamic"])
    if "animals" in key:
        how = f"up to {key['animals']} animals"
    return f"engine {key['engine']}, {how}"


def _poses(parts, key):
    """The poses of all parts, some thousand frames at a time."""
    if "animals" not in key:
        return parts.poses(key["bodyparts"], key["scorer"])
    return track_chunks(parts.chunks(), parts.sample(), key["bodyparts"], key["scorer"], animals=key["animals"])


class Progress:
    """Tells the events how far a video is, at most every `_PROGRESS` seconds until ``stop`` is true."""

    def __init__(self, events, video, stop=False):
        self._events, self._video, self._stop = events, str(video), stop
        self._began, self._next, self._before = time.monotonic(), 0.0, None

    def __call__(self, done, total):
        """``done`` of ``total`` frames are there."""
        now = time.monotonic()
        if self._before is None:
            self._before = done  # about what was there before
        if now < self._next and done < total and not self._stop:
            return
        self._next = now + _PROGRESS
        new = done - self._before
        left = (now - self._began) * (total - done) / new if new > 0 else None
        self._events.step("progress", done=done, total=total, seconds_left=left, video=self._video)


def _read_meta(output):
    return json.loads(_meta_path(output).read_text())


def _meta_path(output):
    return output.with_name(f"{output.stem}_meta.json")


def _state(output):
    """Size and time of both tables, by which it shows if they were changed since."""
    states = [path.stat() for path in (output, output.with_suffix(".csv"))]
    return [[state.st_size, state.st_mtime] for state in states]


def _check_writable(folder, needed):
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
