"""A file that was just written, as a message: a link that opens or downloads it where the server can hand it out."""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import quote

from dlcnb.files import read_json
from dlcnb.widgets.base.html import Markup, markup

__all__ = ["address", "written"]


def written(path: Path) -> Markup:
    """What is told of a file that was written: a link to download it, and where it lies; else its path alone."""
    link = address(path)
    if not link:
        return markup("Saved {}", path)
    return markup(  # in a span, so that it wraps as one text whatever it lies in
        '<span>Saved: <a href="{}" download="{}">download {}</a>, or find it as {}</span>',
        *(link, path.name, path.name, path),
    )


def address(path: Path, *, download: bool = True) -> str:
    """Where the Jupyter server of this kernel hands a file out, to keep it or to see it; empty if it does not.

    It hands out what lies under its root, but for hidden files.
    """
    server = _server()
    inside = _below(Path(server["root_dir"]), path) if server else None
    if inside is None or any(part.startswith(".") for part in inside.parts):
        return ""
    try:
        return f"{server['base_url']}files/{quote(inside.as_posix())}{'?download=1' * download}"
    except UnicodeEncodeError:  # a name that is no text, which the server can't find
        return ""


def _server() -> dict[str, str]:
    """The ``root_dir`` and ``base_url`` of the server that started this kernel; empty if there is none."""
    try:
        from jupyter_core.paths import jupyter_runtime_dir  # what a kernel has, and a plain Python need not have
    except ImportError:
        return {}
    pid = os.environ.get("JPY_PARENT_PID") or os.getppid()
    try:
        found = read_json(Path(jupyter_runtime_dir()) / f"jpserver-{pid}.json")
        return {name: str(found[name]) for name in ("root_dir", "base_url")}
    except (OSError, ValueError, TypeError, KeyError):  # started by something else, as in VS Code
        return {}


def _below(root: Path, path: Path) -> Path | None:
    """The path from ``root`` to a file, as written or without links; None if it lies elsewhere."""
    for way in (os.path.abspath, os.path.realpath):
        whole, top = Path(way(path)), Path(way(root))
        if whole.is_relative_to(top):
            return whole.relative_to(top)
    return None
