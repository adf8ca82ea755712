"""The lesson's notebook, for one student."""

from __future__ import annotations

import json
from pathlib import Path

import dlcnb
from dlcnb.files import atomic_write
from dlcnb.teaching.lesson import Lesson

__all__ = ["write_notebook"]

LESSON, STUDENT = 'Lesson("monday")', 'lesson.start(".", "me")'  # in its first cells, for each to fill in


def write_notebook(folder: str | Path, lesson: Lesson, student: str) -> Path:
    """Write the lesson's notebook into the folder that the student's project lies in; one that is there stays.

    The names of lesson and student are filled in.
    """
    path = Path(folder) / f"{lesson.name}-{student}.ipynb"
    if path.exists():
        return path
    content = json.loads(_source().read_text(encoding="utf-8"))
    for cell in content["cells"]:
        if cell["cell_type"] == "code":
            cell["source"] = [
                line.replace(LESSON, f"Lesson({lesson.name!r})").replace(STUDENT, f'lesson.start(".", {student!r})')
                for line in cell["source"]
            ]
    atomic_write(path, json.dumps(content, indent=1, ensure_ascii=False) + "\n")
    return path


def _source() -> Path:
    """Where the notebook lies: in the installed package, or in the checkout that it runs from."""
    package = Path(dlcnb.__file__).parent
    for path in (package / "_teaching/lesson.ipynb", package.parent / "teaching/lesson.ipynb"):
        if path.is_file():
            return path
    raise FileNotFoundError(f"The lesson's notebook is missing from {package}. Install dlcnb again.")
