"""The Studio of a JupyterLab tab: the one of its kernel, made when the tab is opened, found again after a reload."""

from __future__ import annotations

from pathlib import Path

from dlcnb.project import is_video
from dlcnb.widgets.base.folders import working_folder
from dlcnb.widgets.studio.studio import Studio
from dlcnb.widgets.studio.where import is_project

__all__ = ["in_tab", "opened_on"]

_here: list[Studio] = []


def in_tab(target: str = "") -> Studio:
    """The Studio of this kernel; if there is none yet, one that is opened on a path (see `opened_on`)."""
    if _here and _here[-1].comm is not None:
        return _here[-1]
    try:
        _here[:] = [opened_on(target)]
    except Exception as error:  # the door all the same, with what is wrong
        _here[:] = [Studio()]
        _here[-1].fail(error)
    return _here[-1]


def opened_on(target: str = "") -> Studio:
    """A Studio on a project (its folder or config.yaml), on a video, or at the front door.

    A video that lies in a project opens that project; any other one begins a new project. Without a path it is the
    project in whose folder the kernel is, if there is one.
    """
    if not target:
        here = working_folder()
        return Studio(here) if is_project(here) else Studio()
    path = Path(target).expanduser().absolute()
    if path.is_file() and is_video(path):
        around = path.parent.parent
        if is_project(around):
            return Studio(around)
        return Studio(video=path)
    return Studio(path)
