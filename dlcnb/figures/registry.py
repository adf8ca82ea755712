"""The paper's figures by name, and files of them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dlcnb.figures import movement, networks, people
from dlcnb.figures.source import Drawing, MissingDataError, Source
from dlcnb.files import atomic_write, make_folder
from dlcnb.project import Project, nearest

__all__ = ["FIGURES", "FOLDER", "PaperFigure", "Written", "draw", "figure_names", "write"]

FOLDER = "dlcnb-figures"
FORMATS = ("png", "svg", "pdf")


@dataclass(frozen=True)
class PaperFigure:
    """What a figure shows, the command that makes its data, and the function that draws it."""

    name: str
    shows: str
    needs: str
    draw: Callable[[Source], Drawing]


@dataclass(frozen=True)
class Written:
    """A figure that was written: its files and caption; or what is ``missing`` or has ``failed`` (else "")."""

    name: str
    shows: str
    paths: tuple[Path, ...] = ()
    caption: str = ""
    missing: str = ""
    failed: str = ""


_ALL = (
    PaperFigure("2B", "loss over the steps", "train, or experiment curves", networks.loss),
    PaperFigure("2C", "train and test error over the steps", "experiment curves", networks.error_over_steps),
    PaperFigure("2D", "the same for single bodyparts", "experiment curves", networks.errors_of_parts),
    PaperFigure("2E", "test frames with predictions and score-maps", "evaluate", people.tested_frames),
    PaperFigure("2F", "error over the number of labels", "experiment learning-curve", networks.label_count),
    PaperFigure("2G", "human against network; labels that may be wrong", "evaluate", people.human_and_network),
    PaperFigure("3", "postures over time", "analyze", movement.postures),
    PaperFigure("4A", "trajectory, signed differences of frames", "analyze", movement.way_and_steps),
    PaperFigure("4B", "several animals", "analyze --animals 2", movement.animals),
    PaperFigure("5", "one network for all bodyparts or one for each", "experiment parts", networks.one_or_all),
    PaperFigure("6", "poses on frames in a row", "analyze", movement.strip),
    PaperFigure("7A", "score-maps of single bodyparts", "evaluate", people.score_maps),
    PaperFigure("7B", "trajectories in the plane", "analyze", movement.trajectories),
    PaperFigure("7D", "coordinates over time", "analyze", movement.over_time),
    PaperFigure("7E", "map of cropped frames", "analyze", movement.posture_map),
    PaperFigure("7F", "skeletons in the body's own frame", "analyze", movement.body_frame),
    PaperFigure("S1", "first against second label", "a second person's labels", people.two_labelings),
    PaperFigure("S2A", "networks", "experiment backbone --at curve", networks.backbones),
    PaperFigure("S2B", "radius of the disc", "experiment epsilon --at curve", networks.radii),
    PaperFigure("signed", "predicted minus labeled (not in the paper)", "evaluate", people.signed),
)  # fmt: skip
FIGURES = {one.name: one for one in _ALL}
_ALSO = {"2A": "S1", "7C": "7B", "S1A": "S1", "S1B": "S1", "S1C": "S1", "S2": "S2B", "S2C": "S2B", "S2D": "S2B"}


def figure_names(names: Sequence[str]) -> list[str]:
    """Names as `FIGURES` has them, of "2b", "Fig. 2B" or "S2C"; all of them for none.

    Raises `ValueError` for an unknown one.
    """
    found = []
    for text in names:
        word = re.sub(r"^(figure|fig\.?)\s*", "", text.strip(), flags=re.IGNORECASE)
        name = next((one for one in FIGURES if one.lower() == word.lower()), _ALSO.get(word.upper()))
        if name is None:
            known = ", ".join(FIGURES)
            raise ValueError(
                f"There is no figure {text!r}{nearest(word.upper(), FIGURES) or '.'} Expected some of {known}."
            )
        found.append(name)
    return list(dict.fromkeys(found)) or list(FIGURES)


def draw(project: Project | str | Path, name: str, **chosen: Any) -> Drawing:
    """Draw one figure of the paper from a project's own data.

    Parameters
    ----------
    project : the project, or its folder.
    name : one of `FIGURES`, such as "2C".
    chosen : ``video``, ``frame`` and ``bodypart``, see `Source`.

    Returns
    -------
    Drawing
        figure, table, caption.

    Raises
    ------
    MissingDataError
        There is no data for it yet; the message says which command makes it.
    ValueError
        There is no such figure.
    """
    (name,) = figure_names([name])
    project = project if isinstance(project, Project) else Project.open(project)
    return FIGURES[name].draw(Source(project, **chosen))


def write(
    project: Project | str | Path,
    names: Sequence[str] = (),
    *,
    folder: str | Path | None = None,
    formats: Sequence[str] = ("png",),
    **chosen: Any,
) -> Iterator[Written]:
    """Write figures: ``<name>.png`` and so on, the numbers behind it as ``.csv``, its caption as ``.txt``.

    Parameters
    ----------
    project : the project, or its folder.
    names : some of `FIGURES`; all for none.
    folder : where to; ``dlcnb-figures`` in the project if None.
    formats : of "png", "svg", "pdf".
    chosen : as of `draw`.

    Yields
    ------
    Written
        One for each, in the paper's order; also those whose data is missing, or damaged.
    """
    wrong = [kind for kind in formats if kind not in FORMATS]
    if wrong or not formats:
        raise ValueError(f"Unknown format {', '.join(wrong) or '(none)'}. Expected some of {', '.join(FORMATS)}.")
    project = project if isinstance(project, Project) else Project.open(project)
    source, wanted = Source(project, **chosen), set(figure_names(names))
    folder = project.inside(FOLDER) if folder is None else Path(folder)
    for one in (figure for figure in _ALL if figure.name in wanted):
        try:
            yield _written(one, one.draw(source), folder, formats)
        except MissingDataError as error:
            yield Written(one.name, one.shows, missing=str(error))
        except (KeyError, OSError, ValueError) as error:  # the others shall be made none the less
            yield Written(one.name, one.shows, failed=str(error))


def _written(one: PaperFigure, drawing: Drawing, folder: Path, formats: Sequence[str]) -> Written:
    from dlcnb import plots

    make_folder(folder)
    paths = [plots.save(drawing.figure, folder / f"{one.name}.{kind}") for kind in formats]
    table, caption = folder / f"{one.name}.csv", folder / f"{one.name}.txt"
    atomic_write(table, drawing.table.to_csv(index=False, lineterminator="\n"))
    atomic_write(caption, f"{one.name}: {one.shows}.\n\n{drawing.caption}\n")
    return Written(one.name, one.shows, (*paths, table, caption), drawing.caption)
