"""How much memory training needs, and how much there is: on this machine, or in its container (Binder)."""

from __future__ import annotations

from pathlib import Path

import psutil

__all__ = ["available_mb", "needed_mb", "shortage"]

_BASE = 420  # MB: Python, MXNet, OpenCV and pandas before the first step
_GROUPS = (  # (limit, use) of control groups, version 2 and 1
    ("memory.max", "memory.current"),
    ("memory/memory.limit_in_bytes", "memory/memory.usage_in_bytes"),
)
# MB for the weights with gradients, moments and average; MB for each megapixel that goes through in a step
_NEEDS = {"efficientnet-lite0": (75, 1250), "resnet-50": (510, 1250), "resnet-101": (890, 1900)}


def available_mb(root="/sys/fs/cgroup"):
    """Memory that a new process can have, MB: what is free, or what its control group leaves if that is less."""
    free = psutil.virtual_memory().available
    for limit, used in _GROUPS:
        try:
            most, now = (int((Path(root) / name).read_text()) for name in (limit, used))
        except (OSError, ValueError):  # no such group, or "max": no limit
            continue
        free = min(free, max(most - now, 0))
    return free / 2**20


def needed_mb(config, size):
    """Estimate of the peak of a training run, MB.

    Parameters
    ----------
    config : TrainConfig with its ``input_scale``.
    size : ``(height, width)`` of the frames, px; matters for whole frames only.
    """
    weights, per_megapixel = _NEEDS[config.backbone]
    if config.crop_size is None:
        pixels = size[0] * size[1] * ((config.input_scale or 1.0) * config.scale_jitter[1]) ** 2
    else:
        pixels = config.batch_size * config.crop_size**2
    return _BASE + weights + per_megapixel * pixels / 2**20


def shortage(config, size):
    """What to say before a run that needs more memory than there is; None if there is enough."""
    needed, there = needed_mb(config, size), available_mb()
    if needed <= there:
        return None
    return (
        f"Training needs about {needed:.0f} MB of memory and {there:.0f} MB are free, so the system may end it. "
        "Close other notebooks, or train with a smaller batch_size or crop_size."
    )
