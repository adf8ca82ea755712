"""What kind of processor this machine has, and which of oneDNN's kernels suit it; without loading MXNet."""

from __future__ import annotations

import os
import platform

__all__ = ["kind", "prefer_kernels"]

_CPUINFO = "/proc/cpuinfo"


def kind():
    """The kind of processor, as a text."""
    found = _facts()
    known = " ".join(found[name] for name in ("model name", "cpu family", "model") if name in found)
    return known or platform.processor() or platform.machine()


def prefer_kernels(engine):
    """Let oneDNN use the kernels that suit this processor best; for a process that predicts with one engine only.

    AMD's Zen 4 computes with 512 bits in two halves, so AVX-512 gains nothing there. MXNet's oneDNN 2.4 loses by it: it
    rearranges the data between layers that want it in different orders, and its AVX2 kernels are 1.3 times as fast in
    fp32. int8 and bf16 need what AVX-512 alone has.

    Call it before a network computes: from then on oneDNN holds to its kernels. The environment variable
    ``DNNL_MAX_CPU_ISA`` goes before it.
    """
    found = _facts()
    is_zen_4 = (found.get("vendor_id"), found.get("cpu family")) == ("AuthenticAMD", "25")  # or 3, without AVX-512
    if engine == "fp32" and is_zen_4:
        os.environ.setdefault("DNNL_MAX_CPU_ISA", "AVX2")


def _facts():
    """Name -> text of what Linux says of the first processor; empty elsewhere."""
    found = {}
    try:
        with open(_CPUINFO) as file:
            for line in file:
                name, _, value = line.partition(":")
                found.setdefault(name.strip(), value.strip())
    except OSError:
        pass  # not Linux
    return found
