"""What a training may run on, in words."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import ipywidgets

from dlcnb.machine.gpus import Gpu, cuda_build, find_gpus, problem

__all__ = ["device_field", "devices_here", "offered_devices"]

FEW = 2  # GPUs; of more, one may want some, and writes which


@cache
def devices_here() -> tuple[tuple[str, str], ...]:
    """What this computer has, as `offered_devices` says it."""
    return tuple(offered_devices(find_gpus(), cuda_build() is not None))


def offered_devices(gpus: Sequence[Gpu], with_cuda: bool) -> list[tuple[str, str]]:
    """(words, device) to choose from: GPUs that MXNet can use, the processor, and the choice left to the training.

    Parameters
    ----------
    gpus : those of the computer.
    with_cuda : whether the installed MXNet is a CUDA build.
    """
    usable = [(n, gpu) for n, gpu in enumerate(gpus) if problem(gpu, with_cuda) is None]
    cards = [(f"GPU {n}: {gpu.name}", f"gpu({n})") for n, gpu in usable]
    automatic = "automatic: a GPU" if cards else "automatic: the processor"
    choices = [(automatic, "auto"), ("the processor (CPU)", "cpu"), *cards]
    if len(cards) > 1:
        choices.append((f"all {len(cards)} GPUs, a part of each batch on each", ",".join(name for _, name in cards)))
    return choices


def device_field(choices: Sequence[tuple[str, str]], width: str) -> ipywidgets.Dropdown | ipywidgets.Combobox:
    """A list of devices in words; where there are many GPUs, a field to write some of them into."""
    layout = ipywidgets.Layout(width=width)
    if sum(device.startswith("gpu(") and "," not in device for _, device in choices) > FEW:
        return ipywidgets.Combobox(options=[device for _, device in choices], ensure_option=False, layout=layout)
    return ipywidgets.Dropdown(options=list(choices), layout=layout)
