"""Labels and poses for other programs, and labels from them: NWB (ndx-pose), SLEAP (.slp), COCO keypoints, tables.

Each module has ``write_poses(path, poses, reader, ...)`` for the poses of one video and ``write_labels(path, labels,
project)`` for the labeled frames of a project. NWB and SLEAP need an extra (``pip install 'dlcnb[nwb]'``,
``'dlcnb[sleap]'``); without it an `ImportError` says so. The network itself is exported by `dlcnb.backend.export`.

A new format is a module with these two functions, and an entry in `FORMATS`.

`import_labels` goes the other way: a module ``from_<format>`` reads what another program's file says, and is listed in
`dlcnb.exchange.importing.READERS` by the suffix of its files.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

import lazy_loader

if TYPE_CHECKING:
    from pathlib import Path
    from types import ModuleType

    from dlcnb.exchange.common import ExchangeError, source_frames
    from dlcnb.exchange.importing import Imported, import_labels
    from dlcnb.labels import Labels
    from dlcnb.poses import Poses
    from dlcnb.project import Project
    from dlcnb.video import VideoReader

__all__ = [
    "FORMATS",
    "ExchangeError",
    "Imported",
    "import_labels",
    "source_frames",
    "write_labels",
    "write_poses",
]

FORMATS = {"nwb": ".nwb", "slp": ".slp", "coco": ".json"}  # format -> suffix of its files


_LAZY = {"common": ["ExchangeError", "source_frames"], "importing": ["Imported", "import_labels"]}

# on first use: commands that only name the formats start sooner
__getattr__, __dir__, _ = lazy_loader.attach(__name__, submod_attrs=_LAZY)


def write_poses(to: str, path: str | Path, poses: Poses, reader: VideoReader, **options: Any) -> Path:
    """Write the poses of one video in a format of `FORMATS`; see ``write_poses`` of its module."""
    written: Path = _module(to).write_poses(path, poses, reader, **options)
    return written


def write_labels(to: str, path: str | Path, labels: Labels, project: Project) -> Path:
    """Write the labels of a project in a format of `FORMATS`; see ``write_labels`` of its module."""
    written: Path = _module(to).write_labels(path, labels, project)
    return written


def _module(to: str) -> ModuleType:
    from dlcnb.exchange.common import ExchangeError
    from dlcnb.project import nearest

    if to not in FORMATS:
        raise ExchangeError(f"Unknown format {to!r}{nearest(to, FORMATS) or '.'} Expected one of {', '.join(FORMATS)}.")
    return import_module(f"dlcnb.exchange.{to}")
