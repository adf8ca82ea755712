"""A DeepLabCut project on disk: create it, open it, and know where each of its files belongs."""

from __future__ import annotations

import datetime
import filecmp
import os
import secrets
import shutil
from collections.abc import Iterable, Sequence
from copy import deepcopy
from pathlib import Path
from typing import Any

from ruamel.yaml.comments import CommentedMap

from dlcnb.files import TEMPORARY, StrPath, alike, alone, atomic_write, composed, disk_error, make_folder, quoted
from dlcnb.project.config import check_config, cut_crop, dump_config, is_edge, new_config, parse_crop, read_config
from dlcnb.project.names import (
    FAILED_START,
    RUN,
    ProjectError,
    Skeleton,
    basename,
    checked_bodyparts,
    checked_date,
    copied_from,
    folder_name,
    is_video,
    nearest,
    run_info,
    run_root,
    video_stem,
)
from dlcnb.project.sources import checked_videos, is_raw_video, listed_video, named_folder, place

__all__ = ["Project"]

MODELS, EVALUATIONS = "dlc-models-mxnet", "evaluation-results-mxnet"
_MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]


class Project:
    """A DeepLabCut project; make one with `Project.create` or `Project.open`.

    ``config`` is the live config.yaml (comments and unknown keys included); change it and call `save`.
    """

    def __init__(self, root: StrPath, config: Any, raw: bytes = b"") -> None:
        self.root = Path(root)
        self.config = config
        self._raw = raw  # config.yaml as last seen on disk

    def __repr__(self) -> str:
        return f"Project({str(self.root)!r})"

    @classmethod
    def create(  # noqa: PLR0913  (DeepLabCut's own arguments)
        cls,
        task: str,
        scorer: str,
        videos: StrPath | Iterable[StrPath],
        bodyparts: Iterable[str],
        *,
        parent: StrPath = ".",
        folder: str | None = None,
        skeleton: Iterable[Sequence[str]] = (),
        copy_videos: bool = False,
        date: datetime.date | str | None = None,
        pcutoff: float = 0.6,
    ) -> Project:
        """Make the folder ``parent/<task>-<scorer>-<YYYY-MM-DD>`` with its config.yaml and videos.

        ``folder`` is another name for it. Videos are linked (copied if ``copy_videos``, or where links are not
        allowed). ``date`` is a `datetime.date`, ISO text, or None for today. All input is checked before anything is
        written.
        Raises `ProjectError`, `dlcnb.video.VideoError` for an unreadable video, `OSError` for a folder that
        can't be written.
        """
        day = checked_date(date)
        parts = checked_bodyparts(bodyparts if isinstance(bodyparts, str) else list(bodyparts))
        bones = Skeleton(parts, tuple((*edge,) for edge in skeleton))  # type: ignore[misc]  # it checks their lengths
        root = Path(parent).expanduser().absolute() / (folder or folder_name(task, scorer, day))
        config = new_config()
        config["Task"], config["scorer"], config["project_path"] = task, scorer, str(root)
        config["date"] = f"{_MONTHS[day.month - 1]}{day.day}"
        config["bodyparts"], config["pcutoff"] = list(parts), pcutoff
        config["skeleton"] = [list(edge) for edge in bones.edges]
        check_config(config)
        if root.exists():
            raise ProjectError(
                f"{root} exists already: open that project (dlcnb studio {quoted(root)}), or choose another name (task)"
            )
        cls._build(root, config, checked_videos(videos), copy_videos)
        return cls.open(root)

    @staticmethod
    def _build(root: Path, config: Any, sources: dict[Path, tuple[int, int]], copy_videos: bool) -> None:
        """Make a project's folder, whole or not at all."""
        building = root.with_name(f"{TEMPORARY}{secrets.token_hex(4)}-{root.name}")
        try:
            for folder in ("videos", "labeled-data", "training-datasets", MODELS):
                make_folder(building / folder)
            for path, size in sources.items():
                placed = place(path, building / "videos", copy_videos)
                key = path.resolve() if placed.is_symlink() else root / "videos" / path.name
                config["video_sets"][str(key)] = CommentedMap(crop=f"0, {size[1]}, 0, {size[0]}")
            atomic_write(building / "config.yaml", dump_config(config))
            os.rename(building, root)
        except BaseException as error:
            shutil.rmtree(building, ignore_errors=True)
            if isinstance(error, OSError):
                raise disk_error(error, root) from error
            raise

    @classmethod
    def open(cls, path: StrPath) -> Project:
        """Open the project in a folder, or the one of a config.yaml; raises `ProjectError`."""
        path = Path(path).expanduser().absolute()
        path = path if path.suffix in (".yaml", ".yml") else path / "config.yaml"
        return cls(path.parent, *read_config(path))

    def save(self) -> None:
        """Write config.yaml, this folder as its ``project_path``; refuses if it changed on disk meanwhile."""
        path = self.inside("config.yaml")
        check_config(self.config)
        with alone(self.root):
            if path.exists() and path.read_bytes() != self._raw:
                raise ProjectError(f"{path} was changed by another program since it was opened; open the project again")
            self.config["project_path"] = str(self.root)
            raw = dump_config(self.config)
            if b"\r\n" in self._raw:
                raw = raw.replace(b"\n", b"\r\n")
            atomic_write(path, raw)
        self._raw = raw

    @property
    def task(self) -> str:
        """The task, first part of the folder's name."""
        return str(self.config["Task"])

    @property
    def scorer(self) -> str:
        """Who labels by default."""
        return composed(str(self.config["scorer"]))

    @property
    def date(self) -> str:
        """The date in DeepLabCut's short form, such as 'Oct30'."""
        return str(self.config["date"])

    @property
    def bodyparts(self) -> tuple[str, ...]:
        """Names of the bodyparts, in the order of every table."""
        return checked_bodyparts(self.config["bodyparts"])

    @property
    def skeleton(self) -> Skeleton:
        """The `Skeleton`; what joins no two bodyparts (a template's leftovers, a slip) is left out."""
        parts, found = self.bodyparts, self.config.get("skeleton")
        edges = [(str(edge[0]), str(edge[1])) for edge in found if is_edge(edge)] if isinstance(found, list) else []
        return Skeleton(parts, tuple(edge for edge in edges if set(edge) <= set(parts)))

    @property
    def pcutoff(self) -> float:
        """Likelihood below which a predicted point is not shown."""
        return float(self._value("pcutoff", 0.6))

    @property
    def iteration(self) -> int:
        """How often the training data was refined; part of the runs' path."""
        return int(self._value("iteration", 0))

    @property
    def train_fraction(self) -> float:
        """The first ``TrainingFraction``."""
        return float(self._value("TrainingFraction", [0.95])[0])

    @property
    def frames_to_pick(self) -> int:
        """How many frames of a video to choose for labeling (``numframes2pick``)."""
        return int(self._value("numframes2pick", 20))

    @property
    def part_to_pick(self) -> tuple[float, float]:
        """The part of each video to choose them from, as fractions of its length (``start`` and ``stop``)."""
        return float(self._value("start", 0.0)), float(self._value("stop", 1.0))

    def _value(self, key: str, default: Any) -> Any:
        value = self.config.get(key)
        return default if value is None else value

    def inside(self, path: StrPath) -> Path:
        """A path in the project's folder (given from there on, or absolute).

        Raises `ProjectError` if it leads out of that folder, as through a link in a project from somebody else: apart
        from videos nothing is read or written elsewhere.
        """
        path = self.root / path
        real, root = os.path.realpath(path), os.path.realpath(self.root)
        if not Path(real).is_relative_to(root):
            raise ProjectError(f"{path} leads out of the project, to {real}; put the files themselves in its place")
        return path

    # --- videos and labels

    @property
    def videos(self) -> list[Path]:
        """Paths of the project's videos that exist, wherever the config thinks they are.

        A video is looked for in ``videos/`` by its name, then at the config's absolute path. Where an entry
        names no video at all (as in DeepLabCut's demo projects), every raw video in ``videos/`` counts.
        """
        found = [self.find_video(key) for key in self.video_keys()]
        if not all(is_video(key) for key in self.video_keys()):
            found += sorted(p for p in (self.root / "videos").glob("*") if is_raw_video(p))
        return list(dict.fromkeys(path for path in found if path))

    def video(self, stem: StrPath) -> Path:
        """Path of the video of this name, with or without suffix; raises `ProjectError` if there is none."""
        by_stem = {video_stem(path): path for path in self.videos}
        name = alike(str(stem), by_stem) or alike(video_stem(stem), by_stem)  # of Trim.avi.avi it is Trim.avi
        if name is None:
            names = ", ".join(by_stem) or "none"
            raise ProjectError(
                f"no video '{stem}' in {self.root}; its videos: {names}{nearest(video_stem(stem), by_stem)}"
            )
        return by_stem[name]

    def crop(self, video: StrPath, size: tuple[int, int] | None = None) -> tuple[int, int, int, int] | None:
        """(x1, x2, y1, y2) in pixels, ends excluded: the part of a video to take; None = the whole frame.

        With ``size``, (height, width) of the frame, it is cut to that, and None where it is all of it or outside.
        """
        key = self._video_key(video)
        entry = (self.config["video_sets"] or {}).get(key)
        if not isinstance(entry, dict) or entry.get("crop") is None:
            return None
        crop = parse_crop(entry["crop"], str(key))
        return crop if size is None else cut_crop(crop, size)

    def crop_to_analyze(self, video: StrPath, size: tuple[int, int]) -> tuple[int, int, int, int] | None:
        """(x1, x2, y1, y2) in pixels, ends excluded: the part of a video that ``cropping: true`` wants analyzed.

        It is the video's own crop or, where that is the whole frame, config.yaml's x1 to y2. None = the whole frame.
        """
        if not self.config.get("cropping"):
            return None
        sides = [self.config.get(name) for name in ("x1", "x2", "y1", "y2")]
        return self.crop(video, size) or (None if None in sides else cut_crop(parse_crop(sides, "cropping"), size))

    def set_crop(self, video: StrPath, crop: Iterable[int]) -> None:
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

    def add_videos(self, videos: StrPath | Iterable[StrPath], copy: bool = False) -> list[Path]:
        """Link (or copy) more videos into the project and enter them in config.yaml; returns their paths.

        Videos that are there already, or copies of them, are skipped; another of the same name is a `ProjectError`.
        """
        taken = {video_stem(path): path for path in self.videos}
        sources = checked_videos(videos)
        for path in sources:
            other = taken.get(alike(video_stem(path), taken) or "")
            if other and not (path.samefile(other) or filecmp.cmp(path, other, shallow=False)):
                raise ProjectError(f"the project has a video '{path.stem}' already ({other}); rename {path} first")
        if self.config["video_sets"] is None:
            self.config["video_sets"] = CommentedMap()
        placed, entries = [], {video_stem(key) for key in self.video_keys()}
        for path, size in sources.items():
            placed.append(taken.get(alike(video_stem(path), taken) or "") or place(path, self.inside("videos"), copy))
            if alike(video_stem(path), entries) is None:
                crop = CommentedMap(crop=f"0, {size[1]}, 0, {size[0]}")
                self.config["video_sets"][str(placed[-1].resolve())] = crop
        self.save()
        return placed

    def labeled_dir(self, video: StrPath) -> Path:
        """Folder of a video's labeled frames (it may not exist yet); ``video`` is a path or a name.

        A name with the suffix of a video may be that of a folder: frames of ``Trim.avi.avi`` are in ``Trim.avi``.
        A folder whose name is spelled otherwise on the disk (see `dlcnb.files.alike`) is the video's.
        """
        name = str(video)
        named = name == basename(name) and is_video(name) and (self.root / "labeled-data" / name).is_dir()
        plain = self.root / "labeled-data" / (name if named else video_stem(video))
        return self.inside(named_folder(plain, self._own_names))

    def labeled_dirs(self) -> list[Path]:
        """Existing folders of labeled frames, sorted.

        Without DeepLabCut's ``*_labeled`` check pictures, and without copies of other folders (``vid1_backup``); but a
        video may be called that.
        """
        own = self._own_names()
        folders = [p for p in (self.root / "labeled-data").glob("*") if p.is_dir() and p.name[0] != "."]
        names = {p.name for p in folders}
        strange = {name for name in names if alike(name, own) is None}
        passed_over = {name for name in strange if name.endswith("_labeled") or copied_from(name) in names}
        return sorted(self.inside(p) for p in folders if p.name not in passed_over)

    def _own_names(self) -> set[str]:
        """The names of the videos in config.yaml."""
        return {video_stem(key) for key in self.video_keys() if is_video(key)}

    def _video_key(self, video: StrPath) -> Any:
        """The entry of config.yaml's video_sets that a video goes by; None = none."""
        entries = list(self.config["video_sets"] or {})
        if str(video) in entries:
            return str(video)
        other = next((key for key in entries if not is_video(key)), None)
        named = {video_stem(key): key for key in entries if is_video(key)}
        return named.get(alike(video_stem(video), named) or "", other)

    def video_keys(self) -> list[str]:
        """The entries of video_sets in config.yaml as they stand there."""
        return [str(key) for key in self.config["video_sets"] or ()]

    @property
    def missing_videos(self) -> list[str]:
        """The entries of video_sets whose video is nowhere."""
        return [key for key in self.video_keys() if is_video(key) and self.find_video(key) is None]

    def find_video(self, key: str) -> Path | None:
        """Where the video of an entry is, in the project or where the entry says; None = nowhere."""
        return listed_video(self.root, key, self.video_keys()) if is_video(key) else None

    # --- runs and results

    def new_run(self, train_fraction: float, shuffle: int | None = None) -> Path:
        """Create the ``train`` folder of a new run, as the next free shuffle unless one is given.

        Free in all iterations: tables of poses are named by the shuffle, so those of the iteration before stay.
        """
        if not 0 < train_fraction <= 1:
            raise ProjectError(f"the training fraction must be above 0 and at most 1, found {train_fraction!r}")
        taken = {run_info(run)["shuffle"] for run in self.runs()}
        if shuffle in taken:
            raise ProjectError(f"shuffle {shuffle} exists already; resume it, or leave the shuffle out for a new one")
        before = (run_info(run)["shuffle"] for n in range(self.iteration) for run in self.runs(n))
        shuffle = shuffle or max([*taken, *before], default=0) + 1
        percent = round(train_fraction * 100)
        name = f"{self.task}{self.date}-trainset{percent}shuffle{shuffle}"
        run = self._models() / name / "train"
        try:
            make_folder(run, exist_ok=False)
        except FileExistsError:
            raise ProjectError(f"{run} was just created by another program; try again") from None
        except OSError as error:
            raise disk_error(error, run) from error
        return run

    def runs(self, iteration: int | None = None) -> list[Path]:
        """The ``train`` folders of this iteration, or another, sorted by shuffle."""
        models = self._models(iteration)
        found = [self.inside(run) for run in models.glob("*/train") if RUN.fullmatch(run.parent.name)]
        return sorted(found, key=lambda run: run_info(run)["shuffle"])

    def last_run(self) -> Path:
        """The run with the highest shuffle that began to train; raises `ProjectError` if there is none."""
        if not (runs := [run for run in self.runs() if not (run / FAILED_START).exists()]):
            earlier = (run for n in reversed(range(self.iteration)) for run in reversed(self.runs(n)))
            run = next((run for run in earlier if any(run.glob("snapshot-*.params"))), None)
            told = (
                "" if run is None else f", or use --shuffle {run_info(run)['shuffle']} (that of {run.parents[1].name})"
            )
            raise ProjectError(
                f"no trained network in {self._models()}; train one first (dlcnb train {quoted(self.root)}){told}"
            )
        return runs[-1]

    def evaluation_dir(self, run: StrPath) -> Path:
        """Folder for the evaluation of a run (not created)."""
        folder = run_root(run)
        return self.inside(Path(EVALUATIONS) / folder.parent.name / folder.name)

    def plots_dir(self, video: StrPath, tables: StrPath | None = None) -> Path:
        """Folder for the plots of a video's poses (not created): in that of the tables if they have one."""
        folder = Path("plot-poses") / video_stem(video)
        return Path(tables).absolute() / folder if tables else self.inside("videos" / folder)

    def _models(self, iteration: int | None = None) -> Path:
        return self.inside(Path(MODELS) / f"iteration-{self.iteration if iteration is None else iteration}")
