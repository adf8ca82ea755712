"""Videos and projects that tests make for themselves."""

from __future__ import annotations

import os
import shutil
import stat
from pathlib import Path

import numpy as np

from dlcnb.project import Project
from dlcnb.video import VideoWriter


def copy_of(project: Project, parent: Path) -> Project:
    """A copy of a project in the folder ``parent``, to write to; its videos are linked."""
    return Project.open(shutil.copytree(project.root, parent / project.root.name, symlinks=True))


def write_noise(
    path: Path, count: int, *, seed: int = 0, times: list[float] | None = None, size: tuple[int, int] = (64, 96)
) -> Path:
    """A video of noise that moves by a pixel a frame; ``times`` in seconds, by default 30 frames/s."""
    still = np.random.default_rng(seed).integers(0, 256, (*size, 3), dtype=np.uint8)
    with VideoWriter(path, size, 30) as writer:
        for frame in range(count):
            writer.write(np.roll(still, frame, 1), None if times is None else times[frame])
    return path


def tree(folder: Path) -> dict[str, object]:
    """All that lies in a folder: {path: bytes of a file, target of a link, or kind and mode of anything else}."""
    found: dict[str, object] = {}
    for path in sorted(folder.rglob("*")):
        name, mode = str(path.relative_to(folder)), path.lstat().st_mode
        if stat.S_ISLNK(mode):
            found[name] = os.readlink(path)
        else:
            found[name] = path.read_bytes() if stat.S_ISREG(mode) else oct(mode)
    return found
