"""What kind of processor this machine has, and what suits it when a process predicts; without loading MXNet."""

from __future__ import annotations

import os
import platform

__all__ = ["core_count", "kind", "prepare_to_predict"]

_CPUINFO = "/proc/cpuinfo"


def core_count() -> int:
    """Cores this process may use: its affinity, further limited by the cgroup (Binder, Docker, SLURM)."""
    import joblib  # here: it takes a while to load

    return int(joblib.cpu_count())


def kind() -> str:
    """The kind of processor, as a text."""
    found = _facts()
    known = " ".join(found[name] for name in ("model name", "cpu family", "model") if name in found)
    return known or platform.processor() or platform.machine()


def prepare_to_predict(engine: str) -> None:
    """Set what MXNet and oneDNN ask the environment for, in a process that predicts with one engine only.

    MXNet lends its operators 4 scratch memories in turn, and one that has got the same as another waits for it, on
    whatever CPU: with 32 it rarely does (prediction gains some percent; in training they would cost half a GB).

    AMD's Zen 4 computes with 512 bits in two halves, so AVX-512 gains nothing there. MXNet's oneDNN 2.4 loses by it: it
    rearranges the data between layers that want it in different orders, and its AVX2 kernels are 1.3 times as fast in
    fp32. int8 and bf16 need what AVX-512 alone has.

    Call it before a network computes: from then on they hold to what they have read. What the user has set goes first:
    the environment variables ``MXNET_CPU_TEMP_COPY`` and ``DNNL_MAX_CPU_ISA``.
    """
    os.environ.setdefault("MXNET_CPU_TEMP_COPY", "32")
    found = _facts()
    is_zen_4 = (found.get("vendor_id"), found.get("cpu family")) == ("AuthenticAMD", "25")  # or 3, without AVX-512
    if engine == "fp32" and is_zen_4:
        os.environ.setdefault("DNNL_MAX_CPU_ISA", "AVX2")


def _facts() -> dict[str, str]:
    """Name -> text of what Linux says of the first processor; empty elsewhere."""
    found: dict[str, str] = {}
    try:
        with open(_CPUINFO) as file:
            for line in file:
                name, _, value = line.partition(":")
                found.setdefault(name.strip(), value.strip())
    except OSError:
        pass  # not Linux
    return found
