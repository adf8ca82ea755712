"""Loading MXNet 1.9.1, the last release, beside a NumPy and a Python that are younger.

It predates NumPy 1.24, NumPy 2 and Python 3.12. It is given the few names it misses, once, and told how many threads it
may use (left alone, it takes half the cores).
"""

from __future__ import annotations

import os
import sys
import types
import warnings
from importlib import import_module, util
from typing import Any

import numpy as np

from dlcnb.machine import gpus
from dlcnb.machine.processors import core_count

__all__ = ["mx"]

_REMOVED_FROM_NUMPY = {
    "bool": np.bool_,
    "PZERO": 0.0,
    "NZERO": -0.0,
    "NINF": -np.inf,
    "PINF": np.inf,
    "Inf": np.inf,
    "Infinity": np.inf,
    "infty": np.inf,
    "NAN": np.nan,
    "NaN": np.nan,
    "float_": np.float64,
    "int0": np.intp,
}
_RENAMED_IN_NUMPY = {
    "sometrue": "any",
    "alltrue": "all",
    "product": "prod",
    "cumproduct": "cumprod",
    "round_": "round",
    "row_stack": "vstack",
    "trapz": "trapezoid",
    "in1d": "isin",
    "msort": "sort",
    "asfarray": "asarray",
}
_FINANCE = ("mirr", "npv", "pmt", "ppmt", "pv", "rate")


def _complete_numpy() -> None:
    """Give NumPy back the names that MXNet 1.9.1 looks up at import."""
    for name, value in _REMOVED_FROM_NUMPY.items():
        if name not in np.__dict__:
            setattr(np, name, value)
    if "trapezoid" in np.__dict__:  # NumPy 2
        for old, new in _RENAMED_IN_NUMPY.items():
            if old not in np.__dict__:
                setattr(np, old, getattr(np, new))
        for name in _FINANCE:
            if name not in np.__dict__:
                setattr(np, name, _gone)


def _gone(*_args: Any, **_kwargs: Any) -> None:
    raise AttributeError("NumPy has dropped its financial functions.")


def _complete_distutils() -> None:
    """Python 3.12 dropped distutils; MXNet compares versions with its LooseVersion."""
    if util.find_spec("distutils") is not None:
        return

    class LooseVersion(tuple):
        __slots__ = ()

        def __new__(cls, text: object) -> LooseVersion:
            return super().__new__(cls, (int(p) for p in str(text).split(".") if p.isdigit()))

    package, module = types.ModuleType("distutils"), types.ModuleType("distutils.version")
    for name in ("LooseVersion", "StrictVersion"):
        setattr(module, name, LooseVersion)
    package.__dict__["version"] = module
    sys.modules.update({"distutils": package, "distutils.version": module})


def _load_mxnet() -> Any:
    os.environ.setdefault("OMP_NUM_THREADS", str(core_count()))
    # copies by one thread: a team of them, started from Python's thread, would spin beside the one of the network
    os.environ.setdefault("MXNET_CPU_PARALLEL_SIZE", str(2**30))
    # Threads that share a layer wait for each other hundreds of times a step. To spin until then, as is usual, takes
    # the time of whom they wait for where other programs have some of the cores.
    if "OMP_WAIT_POLICY" not in os.environ:
        os.environ.setdefault("GOMP_SPINCOUNT", "1000")
    os.environ.setdefault("CUDA_DEVICE_ORDER", "PCI_BUS_ID")  # gpu(0) is the first that nvidia-smi lists
    build = gpus.cuda_build()
    if build:
        gpus.preload_cuda()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        _complete_numpy()
        _complete_distutils()
        try:
            return import_module("mxnet")
        except (ImportError, OSError) as error:  # OSError: a library that libmxnet needs is missing
            raise ImportError(
                f"The network needs MXNet 1.9.1, which could not be loaded ({error}). "
                f"{gpus.explain_import(str(error), build)}"
            ) from error


mx = _load_mxnet()
