"""Which processors a run uses: "auto", "cpu", "gpu(0)", "gpu(0),gpu(1)"; and in which precision."""

from __future__ import annotations

import ctypes
import logging
import os
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from mxnet.base import _LIB, check_call

from dlcnb.backend import mx
from dlcnb.machine import gpus
from dlcnb.machine.processors import core_count

if TYPE_CHECKING:
    import mxnet


__all__ = [
    "FIRST_STREAM",
    "Machine",
    "choose",
    "low_precision",
    "pick_device",
    "pick_devices",
    "share_cores",
    "take_threads",
]

# Numbers of MXNet's CPUs, which has a thread for each that it is told of: 0 is for all else.
_FIRST_SHARE, _SHARES = 4, 4  # those that share a step of training, at most
FIRST_STREAM = 8  # those of streams that predict

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
    match = re.fullmatch(r"(cpu|gpu)(?:\((\d+)\))?", name)
    if match is None:
        raise ValueError(f"Unknown device {name!r}. Expected auto, cpu, gpu(0), or several: gpu(0),gpu(1).")
    kind, number = match[1], int(match[2] or 0)
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


def share_cores(device: mxnet.Context, name: str, examples: int) -> list[mxnet.Context]:
    """The contexts that a step of training is shared by: on a CPU one for each core, each with some of the examples.

    Cores that share every layer wait for each other at its end, hundreds of times a step, and where other programs take
    one of them, the rest spin. With examples of their own they meet once a step.

    Parameters
    ----------
    device : what `pick_device` made of ``name``.
    name : of the device; "cpu(0)" keeps all cores at the same examples.
    examples : of a step.
    """
    cores = _threads()
    count = min(cores, _SHARES, examples)
    if device.device_type != "cpu" or name not in ("auto", "cpu") or count < 2:
        return [device]
    devices = [mx.cpu(_FIRST_SHARE + n) for n in range(count)]
    for one in devices:
        take_threads(one, cores // count)
    return devices


def _threads() -> int:
    """How many threads MXNet was told to take when it was loaded."""
    first = os.environ.get("OMP_NUM_THREADS", "").split(",")[0].strip()
    return int(first) if first.isdecimal() else core_count()


class _Context(ctypes.Structure):
    """MXNet's Context."""

    _fields_ = (("kind", ctypes.c_int), ("number", ctypes.c_int32))


_CALLBACK = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_void_p)


def take_threads(device: mxnet.Context, count: int) -> None:
    """Let the thread that computes for one of MXNet's CPUs take ``count`` cores; OpenMP asks each thread for itself."""
    set_threads = _CALLBACK(lambda *_: _LIB.omp_set_num_threads(count))
    context = ctypes.byref(_Context(device.device_typeid, device.device_id))
    name = b"omp_set_num_threads"
    check_call(_LIB.MXEnginePushSync(set_threads, None, None, context, None, 0, None, 0, None, 0, name))
    mx.nd.zeros(1, ctx=device).wait_to_read()  # comes after it; until then the callback must live
