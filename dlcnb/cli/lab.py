"""``dlcnb lab``: JupyterLab on a copy of the tutorials."""

from __future__ import annotations

import importlib.util
import os
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

import dlcnb
from dlcnb.cli.console import Report, command

if TYPE_CHECKING:
    from dlcnb.cli.console import Console

__all__ = ["copy_notebooks", "jupyter_command", "lab", "notebooks_folder"]


@command("lab", "Open JupyterLab on the tutorials.")
@click.option(
    "--dir",
    "folder",
    type=click.Path(file_okay=False),
    default="dlcnb-notebooks",
    show_default=True,
    help="Folder for your copies of the tutorials.",
)
@click.option("--port", type=click.IntRange(1, 65535), help="Port of the server.  [default: the first free from 8888]")
@click.option("--no-browser", is_flag=True, help="Don't open a browser; the log shows the address with its token.")
@click.argument("jupyter_options", nargs=-1, type=click.UNPROCESSED)
def lab(console: Console, folder: str, port: int | None, no_browser: bool, jupyter_options: tuple[str, ...]) -> Report:
    """Open JupyterLab on the tutorials.

    They are copied to a folder of yours first; a copy that is there already stays as it is. Options after `--` go on to
    Jupyter: dlcnb lab -- --ip=0.0.0.0
    """
    if hasattr(os, "geteuid") and os.geteuid() == 0 and "--allow-root" not in jupyter_options:
        raise ValueError("Jupyter runs as root only when told to: dlcnb lab -- --allow-root")
    place = Path(folder).absolute()
    notebooks = copy_notebooks(place)
    line = jupyter_command(place, notebooks, port, no_browser) + list(jupyter_options)
    console.show(Report({"folder": place, "notebooks": notebooks, "command": line}, f"Your tutorials are in {place}"))
    sys.stdout.flush()
    os.execv(line[0], line)


def copy_notebooks(folder: Path) -> list[Path]:
    """Copy the tutorials into ``folder`` (made if need be), except those it has; returns the paths of all."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for source in sorted(notebooks_folder().glob("*.ipynb")):
        paths.append(folder / source.name)
        if not paths[-1].exists():
            shutil.copyfile(source, paths[-1])
    return paths


def notebooks_folder() -> Path:
    """Where the tutorials lie: in the installed package, or in the checkout that it runs from."""
    package = Path(dlcnb.__file__).parent
    for folder in (package / "_notebooks", package.parent / "notebooks"):
        if any(folder.glob("*.ipynb")):
            return folder
    raise FileNotFoundError(f"The tutorials are missing from {package}. Install dlcnb again.")


def jupyter_command(
    folder: str | Path, notebooks: Sequence[Path], port: int | None = None, no_browser: bool = False
) -> list[str]:
    """The command line that serves ``folder``, opens the first notebook, and keeps Jupyter's token."""
    line = [sys.executable, "-m", "jupyterlab", f"--ServerApp.root_dir={folder}"]
    line.append(f"--LabApp.default_url=/lab/tree/{notebooks[0].name}")
    if importlib.util.find_spec("dlcnb.cli.lab_server"):  # quicker clicks
        line.append("--ServerApp.jpserver_extensions={'dlcnb.cli.lab_server': True}")
    if port:
        line += [f"--ServerApp.port={port}", "--ServerApp.port_retries=0"]
    return line + (["--no-browser"] if no_browser else [])
