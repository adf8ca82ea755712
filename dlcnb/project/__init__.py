"""A DeepLabCut project on disk: create it, open it, know where its files belong, and find what is wrong.

Nothing in a config.yaml is trusted: values are checked when the project is opened, and apart from videos no
path that it names is ever followed.
"""

from dlcnb.project.checks import Finding, doctor
from dlcnb.project.core import Project
from dlcnb.project.missing import missing_words
from dlcnb.project.names import (
    ProjectError,
    Skeleton,
    edge_of,
    edges_of,
    is_stray,
    is_video,
    nearest,
    run_info,
    video_stem,
)
from dlcnb.project.scale import Scale, needed_scale, scale_of, set_scale, undo_scale
from dlcnb.project.sources import find_videos
from dlcnb.project.subjects import SUBJECTS, new_subjects, read_subjects, subjects_by_pattern

__all__ = [
    "SUBJECTS",
    "Finding",
    "Project",
    "ProjectError",
    "Scale",
    "Skeleton",
    "doctor",
    "edge_of",
    "edges_of",
    "find_videos",
    "is_stray",
    "is_video",
    "missing_words",
    "nearest",
    "needed_scale",
    "new_subjects",
    "read_subjects",
    "run_info",
    "scale_of",
    "set_scale",
    "subjects_by_pattern",
    "undo_scale",
    "video_stem",
]
