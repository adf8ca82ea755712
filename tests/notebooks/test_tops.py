"""The top of each notebook: how long it takes, where it opens, and the cell that makes Colab ready."""

from __future__ import annotations

import re
from pathlib import Path

import nbformat
import pytest
from support.books import NOTEBOOKS, ROOT, first_cell

LESSON = ROOT / "teaching" / "lesson.ipynb"


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
class TestTop:
    def test_it_says_how_long_it_takes_everywhere(self, path: Path) -> None:
        top = nbformat.read(path, as_version=4).cells[0].source
        (line,) = re.findall(r"^\| all of it \|(.*)$", top, re.MULTILINE)
        minutes = [int(number) for number in re.findall(r"(\d+) minutes", line)]
        assert len(minutes) == 3  # on a laptop, on Colab, on Binder
        assert minutes == sorted(minutes)
        assert "on a laptop | on Colab | on Binder" in top

    def test_its_badges_open_itself(self, path: Path) -> None:
        top = nbformat.read(path, as_version=4).cells[0].source
        assert f"dlcnb/main?urlpath=lab/tree/notebooks/{path.name})" in top
        assert f"dlcnb/blob/main/notebooks/{path.name})" in top

    def test_it_has_no_output(self, path: Path) -> None:
        cells = nbformat.read(path, as_version=4).cells
        assert not any(cell.get("outputs") or cell.get("execution_count") for cell in cells)


def test_all_begin_with_the_same_cell() -> None:
    assert len({first_cell(path) for path in (*NOTEBOOKS, LESSON)}) == 1
