"""Run a notebook as a learner does: all cells, then the ones that wait again, after the work that they wait for."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Mapping
from contextlib import AbstractContextManager, suppress
from pathlib import Path
from types import TracebackType
from typing import Any

import nbformat
import psutil
from nbclient import NotebookClient

from dlcnb.teaching.ready import AGAIN

ROOT = Path(__file__).parents[2]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
TIMEOUT = 1200  # s for a cell
TRAINING = re.compile(r"crop_size=\d+, batch_size=\d+(, train_fraction=[\d.]+)?(, input_scale=[\d.]+)?")


def first_cell(path: Path) -> str:
    """The code of a notebook's first cell."""
    return str(next(cell.source for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"))


def smaller(code: str) -> str:
    """A cell that trains as many steps as in the notebook, on half the pixels and half the frames a step."""
    return TRAINING.sub(r"crop_size=96, batch_size=4\1, input_scale=0.75", code)


class Book(AbstractContextManager["Book"]):
    """A notebook in a kernel of its own, in a folder of its own; what it trains is small (also by ``DLCNB_SMALL``).

    Parameters
    ----------
    name : the beginning of its file's name, such as "00".
    folder : where it is copied to, and run.
    whole : as large as for a learner.
    """

    def __init__(self, name: str, folder: Path, whole: bool = False) -> None:
        (path,) = (path for path in NOTEBOOKS if path.name.startswith(name))
        shutil.copy(path, folder)
        self.notebook = nbformat.read(folder / path.name, as_version=4)
        for cell in () if whole else self.notebook.cells:
            cell.source = smaller(cell.source)
        self.client = NotebookClient(
            self.notebook, timeout=TIMEOUT, kernel_name="python3", resources={"metadata": {"path": str(folder)}}
        )
        paths = [str(ROOT), str(ROOT / "tests"), os.environ.get("PYTHONPATH", "")]
        made = {"DLCNB_HEADLESS": "1", "PYTHONPATH": os.pathsep.join(paths), "TMPDIR": str(folder)}
        made |= {} if whole else {"DLCNB_SMALL": "1"}
        self.folder, self._env = folder, {**os.environ, **made}
        self._running = self.client.setup_kernel(env=self._env)

    def __enter__(self) -> Book:
        self._running.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for process in psutil.process_iter(["cmdline"]):  # a training goes on without its notebook
            if any(str(self.folder) in word for word in process.info["cmdline"] or ()):
                with suppress(psutil.NoSuchProcess):
                    process.kill()
        self._running.__exit__(kind, error, trace)

    def run_all(self) -> None:
        """Run all cells from the top; an error in one is raised."""
        for index, cell in enumerate(self.notebook.cells):
            self.client.execute_cell(cell, index)

    def waiting(self) -> list[str]:
        """The ids of the cells that wait for a person."""
        return [cell.id for cell in self.notebook.cells if AGAIN in self.said(cell.id)]

    def said(self, cell_id: str) -> str:
        """What a cell has printed, and its values as text."""
        outputs = self._cell(cell_id)[1].get("outputs", [])
        return "".join(out.get("text") or out.get("data", {}).get("text/plain", "") for out in outputs)

    def kinds(self, cell_id: str) -> set[str]:
        """The MIME types of what a cell shows."""
        outputs = self._cell(cell_id)[1].get("outputs", [])
        return {kind for out in outputs for kind in out.get("data", {})}

    def do(self, code: str) -> str:
        """Run code that is not in the notebook; returns what it printed."""
        cell = nbformat.v4.new_code_cell(code)
        self.notebook.cells.append(cell)  # and it stays, as what it shows may be brought up to date later
        self.client.execute_cell(cell, len(self.notebook.cells) - 1)
        return "".join(out.get("text", "") for out in cell.outputs)

    def go_on(self, work: Mapping[str, str]) -> None:
        """Run the cells that wait again, from the top, each after its ``work`` ({id of the cell: code})."""
        assert set(work) <= set(self.waiting())
        for cell_id in self.waiting():
            if cell_id in work:
                self.do(work[cell_id])
            index, cell = self._cell(cell_id)
            self.client.execute_cell(cell, index)
            assert AGAIN not in self.said(cell_id), f"{cell_id} waits still: {self.said(cell_id)}"

    def _cell(self, cell_id: str) -> tuple[int, Any]:
        return next((n, cell) for n, cell in enumerate(self.notebook.cells) if cell.id == cell_id)
