"""What is to be said of poses whose network is not good, before anybody believes numbers made from them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from dlcnb.files import read_json

if TYPE_CHECKING:
    from pathlib import Path

    from dlcnb.project import Project

__all__ = ["network_caution"]

_NETWORK = re.compile(r"shuffle(\d+)_?(?:snapshot)?_?(\d+)")
_BAD = ("useless", "poor")


def network_caution(project: Project, scorer: str) -> str:
    """One line on the network that made poses, by its last evaluation.

    Parameters
    ----------
    project : Project
    scorer : str
        Of the poses, or the name of their table.

    Returns
    -------
    str
        Empty if the network is good, was not evaluated, or is not one of the project.
    """
    known = _NETWORK.search(scorer)
    if known is None:
        return ""
    shuffle, step = known.groups()
    found = [path for run in _evaluated(project, shuffle) if (path := run / f"evaluation-{step}.json").is_file()]
    if not found:
        return ""
    try:
        verdict = read_json(max(found, key=lambda path: path.stat().st_mtime))["verdict"]
        level, text = str(verdict["level"]), str(verdict["text"])
    except (OSError, ValueError, LookupError, TypeError):  # what is wrong is told where evaluations are shown
        return ""
    if level == "good" or not text:
        return ""
    little = " These numbers tell little." if level in _BAD else ""
    return f"The network of these poses is {text}.{little}"


def _evaluated(project: Project, shuffle: str) -> list[Path]:
    """Folders of the evaluations of the runs of a number, of all iterations."""
    folders = project.inside("evaluation-results-mxnet").glob("iteration-*/*")
    return [folder for folder in folders if re.search(rf"shuffle{shuffle}$", folder.name)]
