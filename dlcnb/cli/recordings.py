"""The recordings of an experiment as the commands of behavior need them: poses, times, scale, what the user knows."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import numpy as np
from numpy.typing import NDArray

from dlcnb.cli.console import LocalPath
from dlcnb.cli.results import is_several, kind_of_poses, with_poses
from dlcnb.files import quoted, read_text

if TYPE_CHECKING:
    import pandas as pd

    from dlcnb.poses import Poses
    from dlcnb.project import Project, Scale

__all__ = ["Recording", "chosen", "experiment_options", "lines_of", "subjects", "write_experiment"]

_ADDED = ("poses", "known_s")  # columns that tables of an earlier version lack
_OPTIONS = (
    click.argument("videos", nargs=-1, type=LocalPath()),
    click.option("--out", type=LocalPath(dir_okay=False), help="The csv of the experiment.  [default: in PROJECT]"),
    click.option("--filtered", is_flag=True, help="Use what `dlcnb filter` wrote."),
    click.option("--animal", metavar="NAME", help="Of several animals, only this one.  [default: each]"),
    click.option(
        "--pcutoff",
        type=click.FloatRange(0, 1),
        help="Likelihood below which a point is not there.  [default: the project's]",
    ),
    click.option("--gap", type=click.IntRange(0), default=0, show_default=True, help="Longest gap to fill, frames."),
    click.option(
        "--unit",
        type=click.Choice(["px", "cm"]),
        help="Unit of lengths.  [default: cm where each video has a scale (dlcnb scale), else px]",
    ),
    click.option(
        "--fps", type=click.FloatRange(0, min_open=True), help="Frame rate of videos whose files are not here."
    ),
    click.option("--subjects", type=LocalPath(exists=True), help="Table of group, animal, day …, by video (csv)."),
    click.option("--pattern", help="Read them from the names of the videos instead, such as {group}_{animal}_{day}."),
    click.option(
        "--tables", type=click.Path(file_okay=False), help="Folder of the poses.  [default: beside each video]"
    ),
)


def experiment_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """What commands take that make one csv of many videos."""
    for option in reversed(_OPTIONS):
        function = option(function)
    return function


@dataclass(frozen=True)
class Recording:
    """One video with its poses: ``individual`` is "" where the table is of one animal."""

    video: Path
    table: Path
    size: tuple[int, int] | None
    times: NDArray[np.float64]
    scale: Scale | None
    several: bool

    @property
    def name(self) -> str:
        """The video's name without suffix, by which rows of tables are told apart."""
        return self.video.stem

    def animals(self, only: str | None) -> tuple[list[tuple[str, Poses]], str]:
        """([(name, or "" where there is one animal only, `Poses`)], a line about animals that no frame shows).

        These are left out, unless ``only`` asks for one of them by its name.
        """
        from dlcnb.poses import MultiAnimalPoses, Poses

        if not self.several:
            return [("", Poses.read(self.table).fitted(len(self.times), self.table))], ""
        found = MultiAnimalPoses.read(self.table)
        seen = found.seen().individuals
        names = seen if only in (None, "all") else (str(only),)
        unseen = ", ".join(name for name in found.individuals if name not in seen) if names is seen else ""
        line = f"Left out, because no frame of {self.video.name} shows them: {unseen}." if unseen else ""
        return [(name, found.animal(name).fitted(len(self.times), self.table)) for name in names], line


def chosen(project: Project, videos: tuple[str, ...], options: dict[str, Any]) -> tuple[list[Recording], list[str]]:
    """(what was asked for, names of videos of the project that were passed over, as they have no poses).

    Without names these are all videos of the project that have poses. Raises `ProjectError`, `FileNotFoundError` for
    what is missing, or for two videos of one name.
    """
    from dlcnb.project import ProjectError

    found, without = [], []
    for video in videos or tuple(map(str, project.videos)):
        try:
            found.append(with_poses(project, video, options["tables"], options["filtered"], options["animal"]))
        except FileNotFoundError:
            if videos:
                raise
            without.append(Path(video).name)
    if not found:
        what, how = kind_of_poses(options["filtered"])
        raise FileNotFoundError(
            f"No video of {project.root} has {what} yet; make them: dlcnb {how} {quoted(project.root)} VIDEO"
        )
    stem, count = Counter(video.stem for video, _ in found).most_common(1)[0]
    if count > 1:
        both = ", ".join(str(video) for video, _ in found if video.stem == stem)
        raise ProjectError(
            f"{count} videos are named '{stem}' ({both}); rename all but one, because rows go by that name"
        )
    made = [_recording(project, video, table, options["fps"]) for video, table in found]
    return _in_unit(project, made, options["unit"]), without


def _recording(project: Project, video: Path, table: Path, fps: float | None) -> Recording:
    from dlcnb.poses import read_poses
    from dlcnb.project import scale_of
    from dlcnb.video import VideoReader

    several = is_several(table)
    if video.is_file():
        with VideoReader(video) as reader:
            times, size = np.asarray(reader.times, float), reader.size
        return Recording(video, table, size, times, scale_of(project, video, size), several)
    if fps is None:
        raise FileNotFoundError(
            f"{video} is not here, so the times of its frames are unknown; give its frame rate: --fps N"
        )
    times = np.arange(len(read_poses(table))) / fps
    return Recording(video, table, None, times, scale_of(project, video), several)


def _in_unit(project: Project, made: list[Recording], unit: str | None) -> list[Recording]:
    """The recordings, with a scale if the unit is to be cm, without one if it is px."""
    from dataclasses import replace

    from dlcnb.project import ProjectError

    lacking = [r.name for r in made if r.scale is None]
    if unit == "cm" and lacking:
        raise ProjectError(
            f"no scale is known for {', '.join(lacking)}; set how many pixels are 1 cm: "
            f"dlcnb scale {quoted(project.root)} {lacking[0]} --px-per-cm N, or use --unit px"
        )
    if unit == "px" or lacking:
        return [replace(r, scale=None) for r in made]
    return made


def subjects(project: Project, made: list[Recording], options: dict[str, Any]) -> dict[str, dict[str, str]]:
    """{name of a video: {column: what the user knows of it}}; the columns are the same for all."""
    from dlcnb.project import SUBJECTS, ProjectError, nearest, read_subjects, subjects_by_pattern

    if options["subjects"] and options["pattern"]:
        raise click.UsageError("Give --subjects or --pattern, not both.")
    names = [r.name for r in made]
    if options["pattern"]:
        return subjects_by_pattern(options["pattern"], names)
    path = Path(options["subjects"] or project.inside(SUBJECTS))
    if not path.exists():
        return {name: {} for name in names}
    known = read_subjects(path)
    if options["subjects"] and (lacking := [name for name in names if name not in known]):
        raise ProjectError(f"{path} has no row of the video '{lacking[0]}'{nearest(lacking[0], known)}; add one")
    columns = list(next(iter(known.values()), {}))
    return {name: known.get(name, dict.fromkeys(columns, "")) for name in names}


def lines_of(
    made: Recording, individual: str, known: dict[str, str], rows: list[dict[str, Any]]
) -> list[dict[str, Any]]:
    """Rows of one animal of a recording, with what they belong to in front, and the table they are from at the end."""
    first = {"video": made.name, **known}
    animal = {"individual": individual} if made.several else {}
    return [{**first, **animal, **row, "poses": made.table.stem} for row in rows]


def write_experiment(path: Path, rows: list[dict[str, Any]], measured: Collection[str]) -> str | None:
    """Write the csv of an experiment, whole or not at all; the rows that it has of other videos stay.

    Rows of the same videos are replaced; that they were of other poses (filtered or not, another network) is said.

    Parameters
    ----------
    path : of the csv.
    rows : its lines, each with the name of its ``video``.
    measured : names of all videos that were measured; some may have no rows.

    Returns what is to be said of the rows that it had, or None.
    """
    import pandas as pd

    from dlcnb.files import atomic_path

    frame = pd.DataFrame(rows)
    if "individual" in frame:  # of some of the videos only
        frame["individual"] = frame["individual"].fillna("")
    text = frame.to_csv(index=False, lineterminator="\n", float_format="%.6g")
    before, new, notes = _before(path), _cells(text), []
    if before is not None:
        same = before["video"].isin(list(measured))
        notes += _replaced(path.name, before[same], new)
        if not same.all():
            text, note = _joined(path.name, before[~same], new, text)
            notes.append(note)
    with atomic_path(path) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="")
    return " ".join(notes) or None


def _before(path: Path) -> pd.DataFrame | None:
    """The lines that an experiment's csv has already, as text; None if there are none.

    Raises `ProjectError` for one that is written otherwise, such as by a spreadsheet.
    """
    from dlcnb.project import ProjectError

    try:
        found = _cells(text := read_text(path, errors="replace"))
    except (OSError, ValueError):
        return None
    if len(found) and "video" not in found:
        head = text.split("\n", 1)[0].strip()[:40]
        raise ProjectError(
            f"{path}: expected a column 'video' and commas between cells, found {head!r}; save it so, or move it away"
        )
    return found if len(found) else None


def _replaced(name: str, old: pd.DataFrame, new: pd.DataFrame) -> list[str]:
    """What is to be said of rows of the same videos that were measured in other poses; nothing if they were not."""
    if "poses" not in old or "poses" not in new:
        return []
    gone, now = [list(dict.fromkeys(cells["poses"])) for cells in (old, new)]
    other = [table for table in gone if table and table not in now]
    return [f"{name} had rows measured in {', '.join(other)}; now {', '.join(now)} took their place."] if other else []


def _cells(text: str) -> pd.DataFrame:
    """The cells of a csv as they are written."""
    import pandas as pd

    return pd.read_csv(io.StringIO(text), dtype=str, keep_default_na=False) if text.strip() else pd.DataFrame()


def _joined(name: str, others: pd.DataFrame, new: pd.DataFrame, text: str) -> tuple[str, str]:
    """The csv with the lines of other videos, if they have the same columns, and what is to be said of it."""
    import pandas as pd

    videos = ", ".join(others["video"].unique())
    advice = "Without names of videos all are measured, in one way; --out writes elsewhere."
    lacking = [name for name in _ADDED if name not in others and (name in new or name == "poses")]
    others = others.assign(**dict.fromkeys(lacking, ""))
    if len(new) and {*new} - {"individual"} != {*others} - {"individual"}:
        return text, f"{name} had other columns for other videos, and has no rows of them any more: {videos}. {advice}"
    columns = list(others if "individual" in others or not len(new) else new)
    both = pd.concat([others, new])[columns].fillna("")
    note = f"{name} keeps the rows of other videos as they were measured before: {videos}. {advice}"
    return both.to_csv(index=False, lineterminator="\n"), note
