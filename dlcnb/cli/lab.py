"""``dlcnb lab`` and ``dlcnb studio``: JupyterLab where you are, and dlcnb's own tab in it."""

from __future__ import annotations

import errno
import importlib.util
import os
import shutil
import socket
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

import click

import dlcnb
from dlcnb.cli.console import Report, command

if TYPE_CHECKING:
    from dlcnb.cli.console import Console

__all__ = ["copy_notebooks", "jupyter_command", "lab", "notebooks_folder", "studio", "studio_address"]


port_option = click.option(
    "--port", type=click.IntRange(1, 65535), help="Port of the server.  [default: the first free from 8888]"
)
browser_option = click.option(
    "--no-browser", is_flag=True, help="Don't open a browser; the log shows the address with its token."
)
rest_argument = click.argument("jupyter_options", nargs=-1, type=click.UNPROCESSED)


@command("lab", "Open JupyterLab in this folder, with the tutorials.")
@click.option(
    "--dir",
    "folder",
    type=click.Path(file_okay=False),
    default="dlcnb-notebooks",
    show_default=True,
    help="Folder for your copies of the tutorials.",
)
@port_option
@browser_option
@rest_argument
def lab(console: Console, folder: str, port: int | None, no_browser: bool, jupyter_options: tuple[str, ...]) -> Report:
    """Open JupyterLab in this folder, where your videos are.

    Begin with its card "dlcnb Studio". The tutorials are copied to a folder of their own (--dir) first; a copy that
    is there already stays as it is. Options after `--` are passed to Jupyter: dlcnb lab -- --ip=0.0.0.0
    """
    _check_jupyter(jupyter_options, port)
    place = Path(folder).absolute()
    notebooks = copy_notebooks(place)
    line = jupyter_command(Path.cwd(), "/lab", port, no_browser) + list(jupyter_options)
    text = f"JupyterLab opens {Path.cwd()}; your tutorials are in {place}"
    return _become(console, Report({"folder": place, "notebooks": notebooks, "command": line}, text))


@command("studio", "Open Studio in JupyterLab, in a tab of its own.")
@click.argument("project", required=False)
@port_option
@browser_option
@rest_argument
def studio(
    console: Console, project: str | None, port: int | None, no_browser: bool, jupyter_options: tuple[str, ...]
) -> Report:
    """Open Studio on PROJECT (its folder or config.yaml), or on a video; without one, at its front door.

    Studio is a tab of JupyterLab, which is started in this folder, or beside the project. Options after `--` are passed
    to Jupyter: dlcnb studio my-project -- --ip=0.0.0.0
    """
    if project and project.startswith("--"):  # what follows `--` where no project is named
        jupyter_options = (project, *jupyter_options)
        project = None
    _check_jupyter(jupyter_options, port)
    target = _target(project) if project else None
    here = Path.cwd() if target is None or target.is_relative_to(Path.cwd()) else target.parent
    line = jupyter_command(here, studio_address(target), port, no_browser) + list(jupyter_options)
    return _become(console, Report({"project": target, "command": line}, f"Studio opens {target or here}"))


def _target(project: str) -> Path:
    """What a Studio is to be opened on, checked before a server is started for it."""
    from dlcnb.project import Project, is_video

    path = Path(project).expanduser().absolute()
    return path if path.is_file() and is_video(path) else Project.open(path).root


def _check_jupyter(jupyter_options: Sequence[str], port: int | None) -> None:
    if importlib.util.find_spec("jupyterlab") is None:
        raise ValueError(
            "JupyterLab is not installed. Install it: pip install 'dlcnb[lab]'. "
            "Where another Jupyter is (VS Code, a hub, Colab), open the notebooks in that."
        )
    if hasattr(os, "geteuid") and os.geteuid() == 0 and "--allow-root" not in jupyter_options:
        raise ValueError("Jupyter runs as root only when told to: run this again with -- --allow-root at its end")
    if port is not None and _taken(port):
        raise ValueError(
            f"Port {port} is in use by another program, a JupyterLab maybe that runs already: go on in that, give "
            "another --port, or leave it out for the first that is free."
        )


def _taken(port: int) -> bool:
    """Whether another program listens at a port of this computer."""
    with socket.socket() as asked:
        if os.name != "nt":  # where it would mean something else
            asked.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # one that was left a moment ago is free
        try:
            asked.bind(("127.0.0.1", port))
        except OSError as error:
            return error.errno == errno.EADDRINUSE
    return False


def _become(console: Console, report: Report) -> Report:
    """Say what is going to be, and be Jupyter from now on."""
    console.show(report)
    sys.stdout.flush()
    os.environ["PATH"] = os.pathsep.join(filter(None, [str(Path(sys.executable).parent), os.environ.get("PATH")]))
    line = report.data["command"]
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


def studio_address(target: Path | None) -> str:
    """The address, from the server's root, that opens a Studio (see `dlcnb.cli.lab_server`)."""
    return "/dlcnb/" + (quote(str(target), safe="") if target else "")


def jupyter_command(folder: str | Path, address: str, port: int | None = None, no_browser: bool = False) -> list[str]:
    """The command line that serves ``folder``, opens an address of the server, and keeps Jupyter's token."""
    line = [sys.executable, "-m", "jupyterlab", f"--ServerApp.root_dir={folder}", f"--LabApp.default_url={address}"]
    line.append(f"--LabApp.extra_labextensions_path={Path(dlcnb.__file__).parent / 'labextensions'}")
    line.append("--ServerApp.jpserver_extensions={'dlcnb.cli.lab_server': True}")  # quicker clicks, /dlcnb/
    if os.name != "nt":  # a login shell, Jupyter's default, may forget where dlcnb is
        line.append(f"--ServerApp.terminado_settings={{'shell_command': [{os.environ.get('SHELL') or 'sh'!r}]}}")
    if port:
        line += [f"--ServerApp.port={port}", "--ServerApp.port_retries=0"]
    return line + (["--no-browser"] if no_browser else [])
