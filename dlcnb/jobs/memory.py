"""How much memory training needs, and how much there is: on this machine, or in its container (Binder)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

if TYPE_CHECKING:
    from dlcnb.trainset import TrainConfig

__all__ = ["available_mb", "needed_mb", "oom_kills", "shortage"]

_BASE = 420  # MB: Python, MXNet, OpenCV and pandas before the first step
_GROUPS = (  # folder of a control group's memory, (limit, use): version 2 and 1
    ("", "memory.max", "memory.current"),
    ("memory", "memory.limit_in_bytes", "memory.usage_in_bytes"),
)
_EVENTS = ("memory.events", "memory.oom_control")  # where a group counts the processes killed in it
# MB for the weights with gradients, moments and average; MB for each megapixel that goes through in a step
_NEEDS = {"efficientnet-lite0": (75, 1250), "resnet-50": (510, 1250), "resnet-101": (890, 1900)}


def available_mb(root: str | Path = "/sys/fs/cgroup", own: str | Path = "/proc/self/cgroup") -> float:
    """Memory that a new process can have, MB: what is free, or what its control groups leave if that is less.

    Files that the system keeps in memory don't count, as it drops them where they are in the way.
    """
    free = psutil.virtual_memory().available
    for folder, limit, used in _groups(root, own):
        try:
            most, now = (int((folder / name).read_text()) for name in (limit, used))
        except (OSError, ValueError):  # no such group, or "max": no limit
            continue
        free = min(free, max(most - now + _cached(folder), 0))
    return free / 2**20


def oom_kills(root: str | Path = "/sys/fs/cgroup", own: str | Path = "/proc/self/cgroup") -> int | None:
    """How many processes of this control group the system has killed for lack of memory; None = not known."""
    for folder, *_ in _groups(root, own):
        for name in _EVENTS:
            if (count := _entry(folder / name, "oom_kill")) is not None:
                return count
    return None


def _groups(root: str | Path, own: str | Path) -> Iterator[tuple[Path, str, str]]:
    """(folder, limit, use) of the control groups this process is in, the innermost first."""
    try:
        lines = [line.split(":", 2)[1:] for line in Path(own).read_text().splitlines()]
    except OSError:
        lines = []
    for kind, limit, used in _GROUPS:
        base = Path(root) / kind
        path = next((path for names, path in lines if kind in names.split(",")), "/").lstrip("/")
        inner = base / path
        for folder in (inner, *inner.parents):
            if folder.is_relative_to(base):
                yield folder, limit, used


def _cached(folder: Path) -> int:
    """Bytes of files in memory that a group can do without."""
    stat = folder / "memory.stat"
    return _entry(stat, "total_inactive_file") or _entry(stat, "inactive_file") or 0


def _entry(path: Path, name: str) -> int | None:
    try:
        return int(dict(line.split() for line in path.read_text().splitlines())[name])
    except (OSError, KeyError, ValueError):
        return None


def needed_mb(config: TrainConfig, size: tuple[int, int]) -> float:
    """Estimate of the peak of a training run, MB.

    Parameters
    ----------
    config : TrainConfig with its ``input_scale``.
    size : ``(height, width)`` of the frames, px; matters for whole frames only.
    """
    weights, per_megapixel = _NEEDS.get(config.backbone, _NEEDS["resnet-50"])  # of a new one nobody has measured it
    if config.crop_size is None:
        pixels = size[0] * size[1] * ((config.input_scale or 1.0) * (config.scale_jitter or (1.0, 1.0))[1]) ** 2
    else:
        height, width = config.crop_shape
        pixels = (config.batch_size or 1) * height * width
    return _BASE + weights + per_megapixel * pixels / 2**20


def shortage(config: TrainConfig, size: tuple[int, int]) -> str | None:
    """What to say before a run that needs more memory than there is; None if there is enough."""
    needed, there = needed_mb(config, size), available_mb()
    if needed <= there:
        return None
    return (
        f"Training needs about {needed:.0f} MB of memory and {there:.0f} MB are free, so the system may end it. "
        "Close other notebooks, or train with a smaller batch size or crop size."
    )
