"""Which processors a run uses: "auto", "cpu", "gpu(0)", "gpu(0),gpu(1)"."""

from __future__ import annotations

import re

from dlcnb.backend import mx

__all__ = ["pick_device", "pick_devices"]


def pick_devices(name="auto"):
    """The MXNet contexts of a device name: one, or several for ``"gpu(0),gpu(1)"``; see `pick_device`."""
    chosen = [pick_device(part.strip()) for part in name.split(",")]
    if len({*map(str, chosen)}) < len(chosen) or len({c.device_type for c in chosen}) > 1:
        raise ValueError(f"Devices {name!r}: expected different devices of one kind, such as gpu(0),gpu(1).")
    return chosen


def pick_device(name="auto"):
    """The MXNet context of a device name.

    "auto" takes the first GPU that this MXNet can use, else the CPU. "cpu(1)" is a second context on the same
    processor, for trying out training on several devices. Raises ValueError if the name is unknown or the GPU is not
    there.
    """
    gpus = mx.context.num_gpus() if mx.runtime.Features().is_enabled("CUDA") else 0
    if name == "auto":
        return mx.gpu(0) if gpus else mx.cpu()
    match = re.fullmatch(r"(cpu|gpu)(?:\((\d+)\))?", name)
    if match is None:
        raise ValueError(f"Unknown device {name!r}. Expected auto, cpu, gpu(0), or several: gpu(0),gpu(1).")
    number = int(match[2] or 0)
    if match[1] == "cpu":
        return mx.cpu(number)
    if number >= gpus:
        cure = "Use cpu or auto."
        if not mx.runtime.Features().is_enabled("CUDA"):
            cure = "The installed MXNet is the CPU build; on a machine with an NVIDIA GPU install mxnet-cu112==1.9.1."
        raise ValueError(f"Device {name} is not there: MXNet sees {gpus} GPUs. {cure}")
    return mx.gpu(number)
