"""Which processor a run uses: "auto", "cpu", "gpu(0)"."""

from __future__ import annotations

import re

from dlcnb.backend import mx

__all__ = ["pick_device"]


def pick_device(name="auto"):
    """The MXNet context of a device name.

    "auto" takes the first GPU that this MXNet can use, else the CPU. Raises ValueError if the name is unknown or the
    GPU is not there.
    """
    gpus = mx.context.num_gpus() if mx.runtime.Features().is_enabled("CUDA") else 0
    if name == "auto":
        return mx.gpu(0) if gpus else mx.cpu()
    if name == "cpu":
        return mx.cpu()
    match = re.fullmatch(r"gpu\((\d+)\)", name)
    if match is None:
        raise ValueError(f"Unknown device {name!r}. Expected auto, cpu or gpu(0).")
    if int(match[1]) >= gpus:
        cure = "Use cpu or auto."
        if not mx.runtime.Features().is_enabled("CUDA"):
            cure = "The installed MXNet is the CPU build; on a machine with an NVIDIA GPU install mxnet-cu112==1.9.1."
        raise ValueError(f"Device {name} is not there: MXNet sees {gpus} GPUs. {cure}")
    return mx.gpu(int(match[1]))
