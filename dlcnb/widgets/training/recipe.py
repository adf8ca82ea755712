"""What was decided for a run, and why."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from dlcnb.project import ProjectError
from dlcnb.run import Run
from dlcnb.widgets.base.html import Html, joined, markup, muted

__all__ = ["Recipe"]

NONE_YET = "The settings of a run appear here once it has begun, each with its reason."


class Recipe(Html):
    """The reasons for the settings of a run, as a list."""

    def show(self, run: Path | None) -> dict[str, Any]:
        """Say them of a run, as soon as its worker has written them; returns its settings, none before."""
        try:
            settings = {} if run is None else Run(run).settings
        except (ProjectError, OSError):  # there are none yet
            settings = {}
        listed = joined(markup("<li>{}</li>", reason) for reason in settings.get("decisions") or ())
        self.value = markup("<ul>{}</ul>", listed) if listed else muted(NONE_YET)
        return settings
