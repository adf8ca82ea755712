"""Poses that DeepLabCut found in a crop of the video: where the crop was, so that they become those of the full frame.

DeepLabCut counts their coordinates from the crop's corner, and says so in ``<table>_meta.pickle`` alone. Tables that
dlcnb writes are in the full frame; beside them lies a ``<table>_meta.json``.
"""

from __future__ import annotations

import io
import logging
import pickle
from pathlib import Path
from typing import Any

from dlcnb.files import atomic_write, read_json, require_file

__all__ = ["SUPERANIMAL", "TRACKERS", "crop_corner", "note_full_frame", "part_looked_at", "tells_of_crop"]

log = logging.getLogger(__name__)

_LARGEST = 20 << 20  # bytes of such a file
TRACKERS = ("_el", "_bx", "_sk", "_ctd")  # how names of tables of several animals end, by what followed them
SUPERANIMAL = "_superanimal_"  # how the scorers of DeepLabCut's ready-made networks begin
_SUFFIXES = ("_filtered", "filtered", *TRACKERS)


class _Inert(dict[Any, Any]):
    """Stands for every object of a class that a pickle names, and does nothing."""

    def __init__(self, *_args: object, **_kwargs: object) -> None:
        super().__init__()

    def __setstate__(self, state: object) -> None:
        pass

    def append(self, item: object) -> None:
        pass

    def extend(self, items: object) -> None:
        pass


class _HarmlessUnpickler(pickle.Unpickler):
    """Builds plain values; whatever else a pickle names is not looked up, and nothing of it runs."""

    def find_class(self, module: str, name: str) -> Any:
        return _Inert

    def persistent_load(self, pid: Any) -> Any:
        return None


def crop_corner(table: Path) -> tuple[int, int] | None:
    """(left, top) in px of the crop that the points of a table of poses are counted from; None = the full frame."""
    if _note(table).exists():
        return None
    for path in _metas(table):
        if (crop := _crop_in(path)) is not None:
            log.warning(
                "%s was made from the crop x %d to %d, y %d to %d; its points are moved to the full frame",
                table, *crop,
            )  # fmt: skip
            return crop[0], crop[2]
    return None


def tells_of_crop(table: Path) -> bool:
    """Whether a note beside a table of poses, or the one that it was filtered from, says what part was analyzed."""
    notes = (_note(table.with_name(f"{stem}.h5")) for stem in _stems(table))
    return bool(_metas(table)) or any(note.exists() for note in notes)


def note_full_frame(table: Path) -> None:
    """Say of a table just written that it is in the full frame, where DeepLabCut's note beside it says otherwise."""
    if not _note(table).exists() and any(_crop_in(path) is not None for path in _metas(table)):
        atomic_write(_note(table), '{"coordinates": "full frame"}')


def part_looked_at(table: Path) -> tuple[int, int, int, int] | None:
    """x1, x2, y1, y2 in px of the part of the frames that dlcnb made a table from; None = all of them, or not known.

    Of a filtered table, the part that the one it was filtered from was made from.
    """
    for stem in _stems(table):
        try:
            note = read_json(_note(table.with_name(f"{stem}.h5")))
            if "key" not in note:
                continue
            x1, x2, y1, y2 = (int(value) for value in note["key"]["crop"])
        except FileNotFoundError:
            continue
        except (OSError, ValueError, LookupError, TypeError):  # whole frames, or a note that is damaged
            return None
        return x1, x2, y1, y2
    return None


def _note(table: Path) -> Path:
    return table.with_name(f"{table.stem}_meta.json")


def _metas(table: Path) -> list[Path]:
    """Where DeepLabCut's notes on a table, and on the one that it was filtered from, may be."""
    return [path for stem in _stems(table) if (path := table.with_name(f"{stem}_meta.pickle")).exists()]


def _stems(table: Path) -> list[str]:
    """Names, without suffix, of a table and of those that it may have been filtered from."""
    stems = [table.stem]
    for suffix in _SUFFIXES:
        stems += [stem.removesuffix(suffix) for stem in stems if stem.endswith(suffix)]
    return list(dict.fromkeys(stems))


def _crop_in(path: Path) -> tuple[int, int, int, int] | None:
    """x1, x2, y1, y2 of the crop that a note of DeepLabCut tells of."""
    try:
        require_file(path)
        if path.stat().st_size > _LARGEST:
            raise ValueError("it is too large")
        data = _HarmlessUnpickler(io.BytesIO(path.read_bytes())).load()["data"]
        if data.get("cropping") is not True:
            return None
        crop = data.get("cropping_parameters")
        if not isinstance(crop, (list, tuple)) or len(crop) != 4:
            raise ValueError("its crop is not four numbers")
        x1, x2, y1, y2 = map(int, crop)
        return x1, x2, y1, y2
    except Exception as error:  # a damaged pickle can raise anything
        log.warning("%s can't be read (%s); if the analysis was cropped, its points are off by the crop", path, error)
        return None
