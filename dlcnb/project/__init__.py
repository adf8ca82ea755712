"""A DeepLabCut project on disk: create it, open it, know where its files belong, and find what is wrong.

Nothing in a config.yaml is trusted: values are checked when the project is opened, and apart from videos no
path that it names is ever followed.
"""

from dlcnb.project.checks import Finding, doctor
from dlcnb.project.core import Project
from dlcnb.project.names import (
    ProjectError,
    Skeleton,
    edges_of,
    is_stray,
    is_video,
    nearest,
    run_info,
    video_stem,
)

__all__ = [
    "Finding",
    "Project",
    "ProjectError",
    "Skeleton",
    "doctor",
    "edges_of",
    "is_stray",
    "is_video",
    "nearest",
    "run_info",
    "video_stem",
]
