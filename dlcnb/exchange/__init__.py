"""Labels and poses for other programs: NWB (ndx-pose), SLEAP (.slp), COCO keypoints.

Each module has ``write_poses(path, poses, reader, ...)`` for the poses of one video and ``write_labels(path, labels,
project)`` for the labeled frames of a project. NWB and SLEAP need an extra (``pip install 'dlcnb[nwb]'``,
``'dlcnb[sleap]'``); without it an `ImportError` says so. The network itself is exported by `dlcnb.backend.export`.
"""

from importlib import import_module

from dlcnb.exchange.common import ExchangeError, source_frames

__all__ = ["FORMATS", "ExchangeError", "source_frames", "write_labels", "write_poses"]

FORMATS = {"nwb": ".nwb", "slp": ".slp", "coco": ".json"}  # format -> suffix of its files


def write_poses(to, path, poses, reader, **options):
    """Write the poses of one video in a format of `FORMATS`; see ``write_poses`` of its module."""
    return _module(to).write_poses(path, poses, reader, **options)


def write_labels(to, path, labels, project):
    """Write the labels of a project in a format of `FORMATS`; see ``write_labels`` of its module."""
    return _module(to).write_labels(path, labels, project)


def _module(to):
    from dlcnb.project import nearest

    if to not in FORMATS:
        raise ExchangeError(f"Unknown format {to!r}{nearest(to, FORMATS)}. Expected one of {', '.join(FORMATS)}.")
    return import_module(f"dlcnb.exchange.{to}")
