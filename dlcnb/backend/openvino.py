"""OpenVINO as an engine (see `dlcnb.backend.engines`), in bf16 where the processor has it, or in int8.

The int8 network is made once from a snapshot by NNCF, with the project's own frames, and kept beside it.
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import util
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np
from cachetools import LRUCache
from numpy.typing import NDArray

from dlcnb.backend.engines import SHAPES, Result, padded, recent
from dlcnb.backend.runs import made_once
from dlcnb.files import atomic_write
from dlcnb.machine.processors import core_count

if TYPE_CHECKING:
    from types import ModuleType


__all__ = ["OpenVinoEngine", "has_nncf", "has_openvino", "load_whole_numbers", "read_onnx", "whole_numbers"]

_CALIBRATING = threading.Lock()
_OF = ("dlcnb", "snapshot_sha256")  # where a copy says which snapshot it was made from


def has_openvino() -> bool:
    """Whether OpenVINO can compute a network: its package and onnx are installed."""
    return all(util.find_spec(name) is not None for name in ("openvino", "onnx"))


def has_nncf() -> bool:
    """Whether all packages of the extra ``openvino`` are installed, that which makes int8 networks, too."""
    return has_openvino() and util.find_spec("nncf") is not None


def _openvino() -> ModuleType:
    """The package; ImportError, which names the extra, if it can't be loaded."""
    try:
        import openvino
    except ImportError as error:
        raise ImportError(
            f"The engine needs the package openvino, which could not be loaded ({error}). "
            "Install it with: pip install 'dlcnb[openvino]'"
        ) from error
    return openvino


class OpenVinoEngine:
    """OpenVINO on the cores of this machine.

    Frames are computed singly, as many at a time as there are cores, so a result does not depend on its batch.

    Parameters
    ----------
    model : the network as OpenVINO's Model, for images of any size.
    multiple : that the sides of images must be a multiple of, px.
    """

    def __init__(self, model: Any, multiple: int) -> None:
        self._core, self._model, self._multiple = _openvino().Core(), model, multiple
        cores = core_count()
        able = self._core.get_property("CPU", "OPTIMIZATION_CAPABILITIES")
        self._settings = {
            "INFERENCE_PRECISION_HINT": "bf16" if "BF16" in able else "f32",
            "PERFORMANCE_HINT": "THROUGHPUT",
            "NUM_STREAMS": cores,
            "INFERENCE_NUM_THREADS": cores,
            "ENABLE_CPU_PINNING": False,
        }
        self._compiled: LRUCache[Any, Any] = LRUCache(SHAPES)

    def run(self, images: NDArray[np.uint8]) -> Result:
        """See `dlcnb.backend.engines`; returns at once."""
        images = padded(images, self._multiple)
        compiled, idle = recent(self._compiled, images.shape[1:], self._compile)
        requests = [idle.pop() if idle else compiled.create_infer_request() for _ in images]
        for request, image in zip(requests, images, strict=True):
            request.start_async({"images": image[None]}, share_inputs=True)

        def result() -> tuple[NDArray[np.float32], NDArray[np.float32]]:
            maps = []
            for request, _image in zip(requests, images, strict=True):
                request.wait()
                maps.append([request.get_tensor(name).data[0].copy() for name in ("score", "locref")])
            idle.extend(requests)
            score, locref = (np.stack(one) for one in zip(*maps, strict=True))
            return score, locref

        return result

    def _compile(self, shape: tuple[int, ...]) -> tuple[Any, list[Any]]:
        """(the model for one image of this shape, requests that are not in use)."""
        model = self._model.clone()
        model.reshape({"images": [1, *shape]})
        return self._core.compile_model(model, "CPU", self._settings), []


def read_onnx(model: bytes) -> Any:
    """The Model of an ONNX model's bytes (`dlcnb.backend.export.onnx_model`)."""
    return _openvino().Core().read_model(model)


def whole_numbers(model: Any, images: NDArray[np.uint8], multiple: int) -> Any:
    """An int8 copy of a Model; the ranges of its activations are taken from images such as the network will see.

    Parameters
    ----------
    model : `read_onnx`'s.
    images : uint8 ``(n, H, W, 3)``.
    multiple : that the sides of images must be a multiple of, px.
    """
    nncf = _nncf()
    # the convolution that makes the maps stays exact: int8 there costs more precision than everywhere else together
    last = [op.get_friendly_name() for op in model.get_ordered_ops() if "Convolution" in op.get_type_name()][-1]
    examples = nncf.Dataset(list(padded(images, multiple)), lambda image: {"images": image[None]})
    with _without_progress():
        return nncf.quantize(model, examples, subset_size=len(images), ignored_scope=nncf.IgnoredScope(names=[last]))


def _nncf() -> ModuleType:
    """The package, without its talk and without telling its makers who uses it."""
    os.environ.setdefault("NNCF_CI", "1")
    import nncf

    nncf.set_log_level(logging.ERROR)
    return nncf


@contextmanager
def _without_progress() -> Iterator[None]:
    """Without the bars that NNCF shows: it has no switch for them, but the console of rich that it writes to has.

    One calibration at a time in a process; what others print there meanwhile is shown.
    """
    import rich

    console = rich.get_console()
    with _CALIBRATING:
        before = console.quiet, console.is_jupyter
        console.quiet, console.is_jupyter = True, False  # in a notebook the bars are a widget
        try:
            yield
        finally:
            console.quiet, console.is_jupyter = before


def load_whole_numbers(snapshot: str | Path, make: Callable[[], Any], digest: str) -> Any:
    """The int8 Model of a snapshot: read if it was made from these weights before, else made (`made_once`).

    Parameters
    ----------
    snapshot : path of ``snapshot-<step>.params``.
    make : callable without arguments that returns the Model of `whole_numbers`.
    digest : checksum (hexadecimal) of the snapshot, which its copy remembers.
    """
    path = Path(snapshot).with_suffix(".openvino-int8.xml")
    return made_once(lambda: _read(path, digest), make, lambda made: _write(made, path, digest))


def _read(path: Path, digest: str) -> Any:
    """A copy; None if it is not there, damaged, or was made from other weights."""
    if not (path.exists() and path.with_suffix(".bin").exists()):
        return None
    try:
        model = _openvino().Core().read_model(path)
        return model if model.get_rt_info(list(_OF)).value == digest else None
    except RuntimeError:
        return None


def _write(model: Any, path: Path, digest: str) -> None:
    """Write the weights first: where the graph is, all is."""
    model.set_rt_info(digest, list(_OF))
    with TemporaryDirectory() as folder:
        made = Path(folder) / path.name
        _openvino().save_model(model, made, compress_to_fp16=False)
        path.unlink(missing_ok=True)
        for each in (path.with_suffix(".bin"), path):
            atomic_write(each, (made.parent / each.name).read_bytes())
