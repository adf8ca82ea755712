"""Whether the folder of an open project is still there."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dlcnb.project import Project

__all__ = ["gone"]


def gone(project: Project | None) -> str:
    """What to say if the folder of an open project is no longer there; empty if it is."""
    if project is None or (project.root / "config.yaml").is_file():
        return ""
    return (
        f"The project in {project.root} is gone: it was moved, renamed or deleted. Put it back, or press the house "
        "on top for other projects."
    )
