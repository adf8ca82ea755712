"""Which processors a run uses: "auto", "cpu", "gpu(0)", "gpu(0),gpu(1)"; and in which precision."""

from __future__ import annotations

import logging
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from dlcnb.backend import mx
from dlcnb.machine import gpus

if TYPE_CHECKING:
    import mxnet


__all__ = ["CUDA", "ONNX_GPU", "Machine", "choose", "low_precision", "pick_card", "pick_device", "pick_devices"]

CUDA = "CUDAExecutionProvider"  # ONNX Runtime's name of NVIDIA cards
ONNX_GPU = "pip uninstall -y onnxruntime && pip install 'dlcnb[onnx-gpu]'"

log = logging.getLogger(__name__)


class Machine:
    """What the choice of a device depends on.

    Attributes
    ----------
    with_cuda : whether this MXNet is a CUDA build.
    counted : how many GPUs it sees.
    gpus : list of `dlcnb.machine.gpus.Gpu`, as the driver lists them.
    """

    def __init__(
        self, with_cuda: bool | None = None, counted: int | None = None, found: list[gpus.Gpu] | None = None
    ) -> None:
        self.with_cuda = mx.runtime.Features().is_enabled("CUDA") if with_cuda is None else with_cuda
        self.counted = counted if counted is not None else mx.context.num_gpus() if self.with_cuda else 0
        self.gpus = gpus.find_gpus() if found is None else found
        if len(self.gpus) < self.counted:  # no tool that lists them: trust MXNet
            self.gpus = [*self.gpus, *[gpus.Gpu("NVIDIA GPU", None)] * (self.counted - len(self.gpus))]

    def problem(self, number: int) -> str | None:
        """Why GPU ``number`` can't be used, and the cure; None if it can."""
        gpu = self.gpus[number] if number < len(self.gpus) else None
        return gpus.problem(gpu, self.with_cuda, counted=number < self.counted)

    def usable(self) -> list[int]:
        """Numbers of the GPUs that can be used."""
        return [n for n in range(len(self.gpus)) if self.problem(n) is None]


def choose(name: str, machine: Machine) -> tuple[str, int]:
    """``(kind, number)`` of a device name, "cpu" or "gpu"; raises ValueError if it is unknown or can't be used."""
    if name == "auto":
        usable = machine.usable()
        return ("gpu", usable[0]) if usable else ("cpu", 0)
    kind, number = _parsed(name)
    if kind == "gpu" and (problem := machine.problem(number)):
        raise ValueError(f"Device {name} can't be used. {problem}")
    return kind, number


def pick_devices(name: str = "auto") -> list[mxnet.Context]:
    """The MXNet contexts of a device name: one, or several for ``"gpu(0),gpu(1)"``; see `pick_device`."""
    chosen = [pick_device(part.strip()) for part in name.split(",")]
    if len({*map(str, chosen)}) < len(chosen) or len({c.device_type for c in chosen}) > 1:
        raise ValueError(f"Devices {name!r}: expected different devices of one kind, such as gpu(0),gpu(1).")
    return chosen


def pick_device(name: str = "auto") -> mxnet.Context:
    """The MXNet context of a device name.

    "auto" takes the first GPU that this MXNet can use, else the CPU (and a GPU that goes unused is a warning).
    "cpu(1)" is a second context on the same processor, for trying out training on several devices. Raises ValueError
    if the name is unknown or the GPU can't be used; the message says why, and the cure.
    """
    machine = Machine()
    kind, number = choose(name, machine)
    if name == "auto" and kind == "cpu" and machine.gpus:
        log.warning("The CPU is used. %s", machine.problem(0))
    return mx.gpu(number) if kind == "gpu" else mx.cpu(number)


def pick_card(name: str, providers: Sequence[str], found: Sequence[gpus.Gpu] | None = None) -> int | None:
    """Number of the NVIDIA card that ONNX Runtime is to compute on, None = the CPU.

    Parameters
    ----------
    name : "auto", "cpu" or "gpu(0)".
    providers : what the installed ONNX Runtime can compute on (``onnxruntime.get_available_providers()``).
    found : the cards of this machine; default what the driver lists.

    Raises ValueError if the name is unknown, or the card can't be used; the message says why, and the cure.
    """
    cards = gpus.find_gpus() if found is None else found
    if name == "auto":
        return 0 if cards and CUDA in providers else None
    kind, number = _parsed(name)
    if kind == "cpu":
        return None
    if number >= len(cards):
        raise ValueError(f"Device {name} can't be used. {gpus.problem(None, with_cuda=False)}")
    if CUDA not in providers:
        raise ValueError(
            f"Device {name} can't be used with the engine onnx: the installed ONNX Runtime is the CPU build. "
            f"Install the one for NVIDIA cards: {ONNX_GPU}"
        )
    return number


def _parsed(name: str) -> tuple[str, int]:
    """``(kind, number)`` of the name of one device; ValueError if it is none."""
    match = re.fullmatch(r"(cpu|gpu)(?:\((\d+)\))?", name)
    if match is None:
        raise ValueError(f"Unknown device {name!r}. Expected auto, cpu, gpu(0), or several: gpu(0),gpu(1).")
    return match[1], int(match[2] or 0)


def low_precision(precision: str, devices: Sequence[mxnet.Context], machine: Machine | None = None) -> str | None:
    """MXNet's name of the half precision that a run computes in, or None for single precision.

    Parameters
    ----------
    precision : "fp32"; "fp16", for GPUs; or "auto": fp16 where the GPUs have tensor cores.
    devices : the contexts of the run.

    Raises ValueError for "fp16" on a CPU.
    """
    on_gpus = all(c.device_type == "gpu" for c in devices)
    if precision == "fp16" and not on_gpus:
        raise ValueError('precision="fp16" is for GPUs: on a CPU half precision is slower than single. Use "fp32".')
    if precision == "auto" and on_gpus:
        found = (machine or Machine()).gpus
        capabilities = [found[c.device_id].capability for c in devices]
        on_gpus = all(c is not None and c >= gpus.TENSOR_CORES for c in capabilities)
    return "float16" if precision != "fp32" and on_gpus else None
