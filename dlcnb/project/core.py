"""A DeepLabCut project on disk: create it, open it, and know where each of its files belongs."""

from __future__ import annotations

import datetime
import filecmp
import logging
import os
import re
import secrets
import shutil
from copy import deepcopy
from pathlib import Path

from ruamel.yaml.comments import CommentedMap

from dlcnb.files import TEMPORARY, atomic_path, atomic_write, disk_error
from dlcnb.project.config import check_config, dump_config, new_config, parse_crop, read_config
from dlcnb.project.names import (
    RUN,
    ProjectError,
    Skeleton,
    basename,
    checked_bodyparts,
    is_video,
    nearest,
    run_info,
    run_root,
    video_stem,
)

__all__ = ["Project"]

log = logging.getLogger(__name__)

MODELS, EVALUATIONS = "dlc-models-mxnet", "evaluation-results-mxnet"
_MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]


class Project:
    """A DeepLabCut project; make one with `Project.create` or `Project.open`.

    ``config`` is the live config.yaml (comments and unknown keys included); change it and call `save`.
    """

    def __init__(self, root, config, raw=b""):
        self.root = Path(root)
        self.config = config
        self._raw = raw  # config.yaml as last seen on disk

    def __repr__(self):
        return f"Project({str(self.root)!r})"

    @classmethod
    def create(  # noqa: PLR0913  (DeepLabCut's own arguments)
        cls,
        task,
        scorer,
        videos,
        bodyparts,
        *,
        parent=".",
        skeleton=(),
        copy_videos=False,
        date=None,
        pcutoff=0.6,
    ):
        """Make the folder ``parent/<task>-<scorer>-<YYYY-MM-DD>`` with its config.yaml and videos.

        Videos are linked (copied if ``copy_videos``, or where links are not allowed). ``date`` is a
        `datetime.date`, ISO text, or None for today. All input is checked before anything is written.
        Raises `ProjectError`, `dlcnb.video.VideoError` for an unreadable video, `OSError` for a folder that
        can't be written.
        """
        date = _checked_date(date)
        bodyparts = list(checked_bodyparts(bodyparts if isinstance(bodyparts, str) else list(bodyparts)))
        root = Path(parent).expanduser().absolute() / f"{task}-{scorer}-{date:%Y-%m-%d}"
        config = new_config()
        config["Task"], config["scorer"], config["project_path"] = task, scorer, str(root)
        config["date"] = f"{_MONTHS[date.month - 1]}{date.day}"
        config["bodyparts"], config["pcutoff"] = bodyparts, pcutoff
        config["skeleton"] = [list(edge) for edge in Skeleton(bodyparts, skeleton).edges]
        check_config(config)
        if root.exists():
            raise ProjectError(
                f"{root} exists already: go on with it (dlcnb extract {root}, Project.open), or choose another task"
            )
        sources = _checked_videos(videos)
        building = root.with_name(f"{TEMPORARY}{secrets.token_hex(4)}-{root.name}")
        try:
            for folder in ("videos", "labeled-data", "training-datasets", MODELS):
                (building / folder).mkdir(parents=True)
            for path, size in sources.items():
                placed = _place(path, building / "videos", copy_videos)
                key = path.resolve() if placed.is_symlink() else root / "videos" / path.name
                config["video_sets"][str(key)] = CommentedMap(crop=f"0, {size[1]}, 0, {size[0]}")
            atomic_write(building / "config.yaml", dump_config(config))
            os.rename(building, root)
        except BaseException as error:
            shutil.rmtree(building, ignore_errors=True)
            if isinstance(error, OSError):
                raise disk_error(error, root) from error
            raise
        return cls.open(root)

    @classmethod
    def open(cls, path):
        """Open the project in a folder, or the one of a config.yaml; raises `ProjectError`."""
        path = Path(path).expanduser().absolute()
        path = path if path.suffix in (".yaml", ".yml") else path / "config.yaml"
        return cls(path.parent, *read_config(path))

    def save(self):
        """Write config.yaml, this folder as its ``project_path``; refuses if it changed on disk meanwhile."""
        path = self.root / "config.yaml"
        check_config(self.config)
        if path.exists() and path.read_bytes() != self._raw:
            raise ProjectError(f"{path} was changed by another program since it was opened; open the project again")
        self.config["project_path"] = str(self.root)
        raw = dump_config(self.config)
        if b"\r\n" in self._raw:
            raw = raw.replace(b"\n", b"\r\n")
        atomic_write(path, raw)
        self._raw = raw

    @property
    def task(self):
        """The task, first part of the folder's name."""
        return str(self.config["Task"])

    @property
    def scorer(self):
        """Who labels by default."""
        return str(self.config["scorer"])

    @property
    def date(self):
        """The date in DeepLabCut's short form, such as 'Oct30'."""
        return str(self.config["date"])

    @property
    def bodyparts(self):
        """Names of the bodyparts, in the order of every table."""
        return checked_bodyparts(self.config["bodyparts"])

    @property
    def skeleton(self):
        """The `Skeleton`; edges with unknown bodyparts (a template's leftovers) are left out."""
        parts = self.bodyparts
        edges = [tuple(str(part) for part in edge) for edge in self.config.get("skeleton") or ()]
        return Skeleton(parts, tuple(edge for edge in edges if set(edge) <= set(parts)))

    @property
    def pcutoff(self):
        """Likelihood below which a predicted point is not shown."""
        return float(self._value("pcutoff", 0.6))

    @property
    def iteration(self):
        """How often the training data was refined; part of the runs' path."""
        return int(self._value("iteration", 0))

    @property
    def train_fraction(self):
        """The first ``TrainingFraction``."""
        return float(self._value("TrainingFraction", [0.95])[0])

    def _value(self, key, default):
        value = self.config.get(key)
        return default if value is None else value

    # --- videos and labels

    @property
    def videos(self):
        """Paths of the project's videos that exist, wherever the config thinks they are.

        A video is looked for in ``videos/`` by its name, then at the config's absolute path. Where an entry
        names no video at all (as in DeepLabCut's demo projects), every raw video in ``videos/`` counts.
        """
        found = [self._find(key) for key in self._video_keys()]
        if not all(is_video(key) for key in self._video_keys()):
            found += sorted(p for p in (self.root / "videos").glob("*") if _is_raw_video(p))
        return list(dict.fromkeys(path for path in found if path))

    def video(self, stem):
        """Path of the video of this name, with or without suffix; raises `ProjectError` if there is none."""
        by_stem = {video_stem(path): path for path in self.videos}
        if video_stem(stem) not in by_stem:
            names = ", ".join(by_stem) or "none"
            hint = nearest(video_stem(stem), by_stem)
            raise ProjectError(f"no video '{stem}' in {self.root}; its videos: {names}{hint}")
        return by_stem[video_stem(stem)]

    def crop(self, video):
        """(x1, x2, y1, y2) in pixels, ends excluded: the part of a video to take; None = the whole frame."""
        key = self._video_key(video)
        entry = (self.config["video_sets"] or {}).get(key)
        if not isinstance(entry, dict) or entry.get("crop") is None:
            return None
        return parse_crop(entry["crop"], key)

    def set_crop(self, video, crop):
        """Enter the part of a video to take, (x1, x2, y1, y2) in pixels with ends excluded, in config.yaml.

        Labels and poses stay in full-frame coordinates. Raises `ProjectError` for an unknown video or an empty part.
        """
        path, key = self.video(video), self._video_key(video)
        text = "{}, {}, {}, {}".format(*parse_crop(list(crop), path.name))
        entries = self.config["video_sets"]
        if key is None or not is_video(key):  # a template's entry stands for all videos; this one gets its own
            key = str(path.resolve())
        before = deepcopy(entries)
        if not isinstance(entries.get(key), dict):
            entries[key] = CommentedMap()
        entries[key]["crop"] = text
        try:
            self.save()
        except BaseException:
            self.config["video_sets"] = before
            raise

    def add_videos(self, videos, copy=False):
        """Link (or copy) more videos into the project and enter them in config.yaml; returns their paths.

        Videos that are there already, or copies of them, are skipped; another of the same name is a `ProjectError`.
        """
        taken = {video_stem(path): path for path in self.videos}
        sources = _checked_videos(videos)
        for path in sources:
            other = taken.get(path.stem)
            if other and not (path.samefile(other) or filecmp.cmp(path, other, shallow=False)):
                raise ProjectError(f"the project has a video '{path.stem}' already ({other}); rename {path} first")
        if self.config["video_sets"] is None:
            self.config["video_sets"] = CommentedMap()
        placed, entries = [], {video_stem(key) for key in self._video_keys()}
        for path, size in sources.items():
            placed.append(taken.get(path.stem) or _place(path, self.root / "videos", copy))
            if path.stem not in entries:
                crop = CommentedMap(crop=f"0, {size[1]}, 0, {size[0]}")
                self.config["video_sets"][str(placed[-1].resolve())] = crop
        self.save()
        return placed

    def labeled_dir(self, video):
        """Folder of a video's labeled frames (it may not exist yet); ``video`` is a path or a name."""
        return self.root / "labeled-data" / video_stem(video)

    def labeled_dirs(self):
        """Existing folders of labeled frames, sorted, without DeepLabCut's ``*_labeled`` check pictures."""
        folders = (self.root / "labeled-data").glob("*")
        return sorted(p for p in folders if p.is_dir() and not p.name.endswith("_labeled") and p.name[0] != ".")

    def _video_key(self, video):
        """The entry of config.yaml's video_sets that a video goes by; None = none."""
        entries = list(self.config["video_sets"] or {})
        other = next((key for key in entries if not is_video(key)), None)
        named = {video_stem(key): key for key in entries if is_video(key)}
        return named.get(video_stem(video), other)

    def _video_keys(self):
        return [str(key) for key in self.config["video_sets"] or ()]

    def _find(self, key):
        if not is_video(key):
            return None
        inside, named = self.root / "videos" / basename(key), Path(key)
        if inside.is_file():
            return inside
        return named if named.is_absolute() and named.is_file() else None

    # --- runs and results

    def new_run(self, train_fraction, shuffle=None):
        """Create the ``train`` folder of a new run, as the next free shuffle unless one is given."""
        if not 0 < train_fraction <= 1:
            raise ProjectError(f"the training fraction lies above 0 and is at most 1, found {train_fraction!r}")
        taken = {run_info(run)["shuffle"] for run in self.runs()}
        if shuffle in taken:
            raise ProjectError(f"shuffle {shuffle} exists already; resume it, or leave the shuffle out for a new one")
        shuffle = shuffle or max(taken, default=0) + 1
        percent = round(train_fraction * 100)
        name = f"{self.task}{self.date}-trainset{percent}shuffle{shuffle}"
        run = self._models() / name / "train"
        try:
            run.mkdir(parents=True)
        except FileExistsError:
            raise ProjectError(f"{run} was just created by another program; try again") from None
        except OSError as error:
            raise disk_error(error, run) from error
        return run

    def runs(self):
        """The ``train`` folders of this iteration, sorted by shuffle."""
        found = [run for run in self._models().glob("*/train") if RUN.fullmatch(run.parent.name)]
        return sorted(found, key=lambda run: run_info(run)["shuffle"])

    def last_run(self):
        """The run with the highest shuffle; raises `ProjectError` if nothing was trained yet."""
        if not (runs := self.runs()):
            raise ProjectError(f"no trained network in {self._models()}; train one first (dlcnb train {self.root})")
        return runs[-1]

    def evaluation_dir(self, run):
        """Folder for the evaluation of a run (not created)."""
        run = run_root(run)
        return self.root / EVALUATIONS / run.parent.name / run.name

    def plots_dir(self, video, tables=None):
        """Folder for the plots of a video's poses (not created): in that of the tables if they have one."""
        return Path(tables or self.root / "videos").absolute() / "plot-poses" / video_stem(video)

    def _models(self):
        return self.root / MODELS / f"iteration-{self.iteration}"


def _checked_date(date):
    """A `datetime.date` from one, from ISO text, or from None (today)."""
    if date is None or isinstance(date, datetime.date):
        return date or datetime.date.today()
    try:
        return datetime.date.fromisoformat(date)
    except (TypeError, ValueError):
        raise ProjectError(f"date: expected a date such as 2018-10-30, found {date!r}") from None


def _is_raw_video(path):
    """Whether this is a video, and none that DeepLabCut or dlcnb drew on."""
    return path.is_file() and is_video(path) and not re.search(r"(_labeled|DLC_\w+)$", path.stem)


def _checked_videos(videos):
    """{path: (height, width)}; raises `ProjectError` or `VideoError` before anything is touched."""
    from dlcnb.video import VideoReader

    paths = [Path(v).expanduser().absolute() for v in ([videos] if isinstance(videos, (str, Path)) else videos)]
    for path in paths:
        if not path.is_file():
            raise ProjectError(f"no video {path}; check the path{nearest(path.name, _siblings(path))}")
        if not is_video(path):
            raise ProjectError(f"{path} does not look like a video; expected a suffix such as .mp4 or .avi")
        if [p.stem for p in paths].count(path.stem) > 1:
            raise ProjectError(f"two videos are named '{path.stem}'; rename one, as frames are stored by video name")
    sizes = {}
    for path in paths:
        with VideoReader(path) as reader:
            sizes[path] = reader.size
    return sizes


def _siblings(path):
    return [p.name for p in path.parent.glob("*")] if path.parent.is_dir() else []


def _place(source, folder, copy):
    """Link or copy a video into ``folder``; returns the new path."""
    target = folder / source.name
    try:
        folder.mkdir(exist_ok=True)
    except OSError as error:
        raise disk_error(error, target) from error
    if target.exists() and target.samefile(source):
        return target
    if target.is_symlink():  # a broken link, or one to another file of that name
        target.unlink()
    if not copy:
        try:
            target.symlink_to(source.resolve())
            return target
        except OSError as error:
            log.info("no link to %s possible (%s); copying it", source, error)
    with atomic_path(target) as temporary:
        shutil.copyfile(source, temporary)
    return target
