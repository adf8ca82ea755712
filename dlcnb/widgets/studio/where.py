"""Where projects are, and where a new one may be made."""

from __future__ import annotations

import os
from pathlib import Path

from dlcnb.widgets.base.folders import working_folder

__all__ = ["is_project", "place_to_write", "project_around"]


def is_project(path: Path) -> bool:
    """Whether a path is a project's folder, or its config.yaml."""
    return path.name in ("config.yaml", "config.yml") if path.is_file() else (path / "config.yaml").is_file()


def project_around(folder: Path) -> Path | None:
    """The outermost project that a folder lies in, or is; None if there is none."""
    around = [*reversed(folder.parents), folder]
    return next((path for path in around if is_project(path) and (path / "labeled-data").is_dir()), None)


def place_to_write(folder: str | Path | None) -> Path:
    """Where a new project may be made: here if one may write here, else at home; beside a project, never inside."""
    here = Path(folder or working_folder()).absolute()
    if around := project_around(here):
        here = around.parent
    return here if os.access(here, os.W_OK) else Path.home()
