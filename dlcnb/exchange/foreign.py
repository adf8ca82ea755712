"""Labels as another program's file has them: of which frames they are, and where the pixels of these are."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from dlcnb.exchange.common import ExchangeError
from dlcnb.labels.images import USUAL
from dlcnb.project import is_stray, is_video, nearest
from dlcnb.project.names import copied_from, name_problem

__all__ = ["Animals", "Clip", "Foreign", "Pixels", "Places", "folder_names", "image_names", "one_animal"]

Pixels: TypeAlias = Path | Callable[[], NDArray[np.uint8]]
Animals: TypeAlias = Sequence[tuple[str | None, NDArray[np.float64]]]  # (name, points (K, 2)) of each in an image


@dataclass(frozen=True)
class Clip:
    """The labeled frames of one video, or the labeled images of one folder.

    Attributes
    ----------
    name : of the folder in labeled-data; that of the video if there is one.
    points : float64 ``(T, K, 2)``, px of the image, NaN = not there.
    images : T names of images. Of a frame of a video only its number is known: ``numbers``, else None.
    pixels : where those of each image are; empty = in the video.
    video : the video file, if it is there.
    """

    name: str
    points: NDArray[np.float64]
    images: tuple[str, ...] = ()
    numbers: tuple[int, ...] | None = None
    pixels: tuple[Pixels, ...] = ()
    video: Path | None = None


@dataclass(frozen=True)
class Foreign:
    """What a file of another program says.

    Attributes
    ----------
    bodyparts, edges : K names, and the pairs of them that its skeleton joins.
    scorer : None where it doesn't say who labeled.
    clips : `Clip` of each video or folder.
    notes : what was left out, for people.
    """

    bodyparts: tuple[str, ...]
    edges: tuple[tuple[str, str], ...]
    scorer: str | None
    clips: tuple[Clip, ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Places:
    """Where the images and videos that a file names are looked for; ``given``: the folder that the user named."""

    path: Path
    given: Path | None = None

    @property
    def folders(self) -> list[Path]:
        """Folders in which names are looked up, in this order."""
        near = [self.path.parent]
        if self.path.parent.name.lower() in ("annotations", "exports", "labels"):  # the images lie beside that folder
            near.append(near[0].parent)
        bases = [self.given] if self.given is not None else near
        return [folder for base in bases for folder in (base, base / "images", base / "videos")]

    def find(self, name: str) -> Path | None:
        """The file of this name, which may have folders, in any of these places and nowhere else; None = not there."""
        parts = [part for part in re.split(r"[\\/]", name) if part not in ("", ".", "..")]
        for folder in self.folders if parts else []:
            for candidate in (folder.joinpath(*parts[first:]) for first in range(len(parts))):
                if candidate.is_file() and candidate.resolve().is_relative_to(folder.resolve()):
                    return candidate
        return None

    def find_video(self, name: str) -> Path | None:
        """The video of this name without suffix; it may be a link, as those in a project's ``videos`` are."""
        for folder in self.folders:
            files = sorted(folder.iterdir()) if folder.is_dir() else []
            for path in files:
                if path.stem == name and is_video(path) and path.is_file():
                    return path
        return None

    def find_all(self, names: Iterable[str]) -> tuple[Path, ...]:
        """The files of all these names; raises `ExchangeError` if some aren't there."""
        found = {name: self.find(name) for name in names}
        if missing := [name for name, path in found.items() if path is None]:
            raise self.missing(missing, len(found))
        return tuple(path for path in found.values() if path is not None)

    def missing(self, names: Sequence[str], of: int) -> ExchangeError:
        """The error of files that aren't there."""
        where = self.given or self.path.parent
        return ExchangeError(
            f"{self.path}: {len(names)} of the {of} files with its pixels are not there, such as {names[0]}; looked in "
            f"{where}. Give the folder that they are in: --images FOLDER"
        )


def one_animal(
    path: Path, found: Mapping[str, Animals], animal: str | None, count: int
) -> dict[str, NDArray[np.float64]]:
    """The points of one animal in each image.

    Parameters
    ----------
    path : of the file, for messages.
    found : {image: its animals}.
    animal : a name, or a number from 1 in the order of the file; None = there is one only.
    count : K bodyparts; points are ``(K, 2)``, NaN throughout where that animal isn't.

    Raises
    ------
    ExchangeError
        If an image has several and none was chosen, or no image has the one that was.
    """
    several = [image for image, animals in found.items() if len(animals) > 1]
    names = sorted({name for animals in found.values() for name, _ in animals if name})
    if animal is None and several:
        known = f" (a number, or {', '.join(names)})" if names else " (a number: 1 is the first)"
        raise ExchangeError(
            f"{path}: expected one animal in each image, found several in {len(several)} of {len(found)}, such as "
            f"{several[0]}. dlcnb labels one: choose which with --animal{known}"
        )
    chosen: dict[str, NDArray[np.float64]] = {}
    for image, animals in found.items():
        by_name = {name: points for name, points in animals if name}
        numbered = {str(n): points for n, (_, points) in enumerate(animals, 1)}
        points = {**numbered, **by_name}.get(animal or "1")
        chosen[image] = np.full((count, 2), np.nan) if points is None else points
    if found and all(np.isnan(points).all() for points in chosen.values()):
        if animal is None:
            raise ExchangeError(f"{path}: expected images with keypoints, found none with any.")
        hint = nearest(animal, names)
        raise ExchangeError(f"{path}: no image has labels of the animal {animal}{hint or '.'}")
    return chosen


def folder_names(wanted: Sequence[str]) -> list[str]:
    """Names for folders in labeled-data, each another, none that dlcnb passes over; ``wanted`` may be paths."""
    found: dict[str, str] = {}  # by what it is in lower case
    for path in wanted:
        parts = [part for part in re.split(r"[\\/]+", path) if part not in ("", ".", "..")]
        name = _fit(parts[-1] if parts else "images")
        if name.lower() in found:
            name = _fit("_".join(parts))
        if name.endswith("_labeled") or copied_from(name) or is_stray(name):
            name += "_frames"
        _add(found, name, "")
    return list(found.values())


def image_names(wanted: Sequence[str]) -> list[str]:
    """Names for images in one folder, each another, all of them such as dlcnb takes for frames."""
    found: dict[str, str] = {}
    for n, path in enumerate(wanted):
        name = PurePosixPath(PureWindowsPath(path).name)
        suffix = name.suffix if name.suffix.lower() in USUAL else ".png"
        stem = f"image{n:05d}" if _passed_over(name) else name.stem
        _add(found, stem, suffix)
    return list(found.values())


def _passed_over(name: PurePosixPath) -> bool:
    return name.stem.endswith("labeled") or is_stray(name.name) or name_problem(name.name, for_file=True) is not None


def _fit(name: str) -> str:
    return re.sub(r'[<>:"/\\|?*\x00-\x1f]', "_", name).strip(". ") or "images"


def _add(found: dict[str, str], stem: str, suffix: str) -> None:
    """Add a name to others, {lower case: name}, with a number behind it if it is there."""
    name, n = f"{stem}{suffix}", 1
    while name.lower() in found:
        n += 1
        name = f"{stem}_{n}{suffix}"
    found[name.lower()] = name
