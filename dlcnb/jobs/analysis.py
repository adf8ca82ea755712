"""The worker's part of an analysis: poses of videos, in parts that survive a crash, then as tables."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
import time
import traceback
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from dlcnb.jobs.explain import explain
from dlcnb.jobs.parts import PART, Parts
from dlcnb.poses import poses_path, write_chunks
from dlcnb.project import atomic_write
from dlcnb.tracking import track_chunks
from dlcnb.video import VideoReader

__all__ = [
    "DEFAULTS",
    "Plan",
    "Progress",
    "Settings",
    "analyze",
    "analyze_video",
    "each_video",
    "finish",
    "finished",
    "network_key",
    "output_path",
    "plan",
    "predict_parts",
    "settings_of",
]

_PROGRESS = 0.5  # s between two progress events: hours of video should not make a log of megabytes
_BYTES = 40  # of both tables and the parts, per coordinate: what must be free before a video is begun


def analyze(job, events, stop):
    """Analyze the videos of a job; returns ("done" or "stopped", result)."""
    options = job["options"]
    settings = settings_of(options)
    which = {name: options[name] for name in ("snapshot", "device", "engine") if name in options}
    if options.get("scheduler"):
        from dlcnb import cluster

        more = {"folder": options.get("folder"), "events": events, "stop": stop}
        return cluster.run(options["scheduler"], options["run"], options["videos"], settings, **which, **more)

    from dlcnb import backend

    predictor = backend.Predictor(Path(options["run"]), **which)

    def one(video):
        output = output_path(video, predictor.scorer, settings, options.get("folder"))
        done = analyze_video(predictor, video, output, settings, progress=Progress(events, video, stop), stop=stop)
        if done and options.get("score_maps"):
            done["score_maps"] = str(output.with_name(f"{output.stem}_maps.zip"))
            backend.write_score_maps(predictor, video, options["score_maps"], done["score_maps"])
        return done

    return each_video(options["videos"], one, events, stop)


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


def analyze_video(predictor, video, output, settings=DEFAULTS, *, progress=None, stop=False):
    """Predict every frame of a video and write its tables.

    Frames are kept in parts as they are predicted, so a run that was killed or stopped goes on where it was, with the
    same tables in the end. A video whose tables are there already, made by this snapshot from the same file with the
    same settings, is not predicted again.

    Parameters
    ----------
    predictor : `dlcnb.Predictor`.
    video : path.
    output : path of the h5 table; the csv and ``…_meta.json`` go beside it.
    settings : `Settings`, optional.
    progress : function (frames done, frames in all), optional; the last call before a stop has the frames it keeps.
    stop : true once the work shall stop.

    Returns
    -------
    dict or None
        ``video, frames, seconds, fps, engine, output, damaged`` (numbers of the damaged frames, whose rows are NaN),
        ``reused`` (frames that were predicted before) and ``replaced`` (how tables of this name were made that are
        there no more, in words, or None); None if it was stopped.

    Raises
    ------
    VideoError, OSError, PartsError
        For a video that can't be read, a disk that is full or read-only, and another process at the same table.
    """
    with VideoReader(video) as reader:
        planned = plan(network_key(predictor), reader, output, settings)
        if not settings.again and (found := finished(planned)):
            return found
        with planned.parts as parts:
            if settings.again:
                parts.clear()
            reused, began = parts.done, time.monotonic()
            if not _predict(predictor, reader, planned, progress, stop):
                return None
            return finish(planned, reused, time.monotonic() - began)


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
    from dlcnb.backend import runs

    digest = hashlib.sha256()
    with open(runs.find_snapshot(predictor.run, predictor.step)[1], "rb") as file:
        for block in iter(lambda: file.read(1 << 20), b""):
            digest.update(block)
    return {
        "scorer": predictor.scorer,
        "bodyparts": list(predictor.bodyparts),
        "weights": digest.hexdigest(),
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


def predict_parts(predictor, reader, stretch, size, how):
    """Predict a stretch of a video and give it in parts, with steps between to tell how far it is.

    Parameters
    ----------
    stretch : (first, stop), where ``first`` is where a part begins.
    size : frames of a part, as `Settings.part_size`.
    how : ``batch``, ``dynamic`` and ``animals`` as `predict_video` takes them, of `Settings.key`.

    Yields
    ------
    (reached, part)
        ``reached`` is the first frame not predicted yet; ``part`` is None, or the arguments of `Parts.add`.
    """
    from dlcnb.backend import predict_video

    begun, end = stretch
    points, likelihood = [], []
    how = {name: how[name] for name in ("batch", "dynamic", "animals") if how.get(name) is not None}
    with closing(predict_video(predictor, reader, start=begun, stop=end, **how)) as steps:
        for step in steps:
            points.append(step.points)
            likelihood.append(step.likelihood)
            reached = step.first + len(step.points)
            part = None
            if reached == end or reached - begun == size:
                damaged = [n for n in reader.damaged if begun <= n < reached]
                part = (begun, np.concatenate(points), np.concatenate(likelihood), damaged)
                points, likelihood, begun = [], [], reached
            yield reached, part


def _predict(predictor, reader, planned, progress, stop):
    """Predict the parts that are missing; False if it was stopped before the end."""
    parts = planned.parts
    for first, end in parts.missing():
        before = parts.done - first
        steps = predict_parts(predictor, reader, (first, end), parts.size, planned.key)
        with closing(steps):
            for reached, part in steps:
                if part:
                    parts.add(*part)
                if progress is not None:
                    progress(before + reached, parts.total)
                if stop and reached < end:
                    if progress is not None:
                        progress(parts.done, parts.total)
                    return False
    return True


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
