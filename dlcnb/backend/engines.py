"""What computes a network: MXNet, in fp32 with fused operators or in int8, or OpenVINO.

An engine has one method, ``run(images)``: uint8 ``(B, H, W, 3)``, resized already -> a function that waits for the
result and gives ``score (B, K, h, w)``, probabilities, and ``locref (B, K, 2, h, w)``. The maps may be larger than
those of the images, by what was padded to the right and below.
"""

from __future__ import annotations

import platform
from collections import OrderedDict
from importlib import util

import numpy as np
from mxnet.gluon import SymbolBlock

from dlcnb.backend import core_count, mx
from dlcnb.backend.network import to_tensor

__all__ = ["ENGINES", "MxEngine", "OpenVinoEngine", "fused", "has_openvino", "processor", "split_maps", "symbol_block"]

ENGINES = ("fp32", "int8", "openvino", "auto")
_SHAPES = 5  # of images that are kept ready


def split_maps(output):
    """Maps as the network gives them, float32 ``(B, 3K, h, w)`` with logits -> ``(score, locref)``."""
    parts = output.shape[1] // 3
    score = 1 / (1 + np.exp(-np.clip(output[:, :parts], -60, 60)))
    return score, output[:, parts:].reshape(len(output), parts, 2, *output.shape[2:])


class MxEngine:
    """MXNet.

    Parameters
    ----------
    net : `PoseNet`, which knows how images are normalised and padded.
    device : mxnet.Context
    block : what computes its maps, if not the net itself: a SymbolBlock. It gets an executor for every shape of input,
        because the memory of one that changes its shape grows.
    """

    def __init__(self, net, device, block=None):
        self._net, self._device, self._block = net, device, block
        self._executors = OrderedDict()
        if block is None:
            net.hybridize(static_alloc=True)

    def run(self, images):
        """See the module; returns at once, MXNet computes behind."""
        tensor = to_tensor(images, self._net, self._device, self._net.multiple)
        output = self._executor(tensor.shape)(tensor)
        return lambda: split_maps(output.asnumpy())

    def _executor(self, shape):
        if self._block is None:
            return self._net
        return _recent(self._executors, shape, self._new_executor)

    def _new_executor(self, _shape):
        inputs, outputs = self._block._cached_graph
        block = SymbolBlock(outputs, inputs, params=self._block.collect_params())
        block.hybridize(static_alloc=True, static_shape=True)
        return block


def symbol_block(symbol, arrays, device):
    """A SymbolBlock of a graph with the input ``data``; ``arrays`` is name -> NDArray of its parameters."""
    block = SymbolBlock(symbol, mx.sym.var("data", dtype="float32"))
    for name, parameter in block.collect_params().items():
        parameter._load_init(arrays[name], device)
    return block


def fused(net, device):
    """A network with its operators fused by oneDNN, as a SymbolBlock (optimize_for fails on skip connections)."""
    symbol = net(mx.sym.var("data", dtype="float32")).get_backend_symbol("MKLDNN")
    return symbol_block(symbol, {name: p.data(device) for name, p in net.collect_params().items()}, device)


def has_openvino():
    """Whether the packages of the extra ``openvino`` are installed."""
    return all(util.find_spec(name) is not None for name in ("openvino", "onnx"))


class OpenVinoEngine:
    """OpenVINO, in bf16 where the processor computes with it, else in fp32.

    Frames are computed singly, as many at a time as there are cores, so a result does not depend on its batch.

    Parameters
    ----------
    model : bytes of the ONNX model (`dlcnb.backend.export`).
    multiple : that the sides of images must be a multiple of, px.

    Raises `ImportError` if the packages are missing; the message names the extra.
    """

    def __init__(self, model, multiple):
        try:
            import openvino
        except ImportError as error:
            raise ImportError(
                f"The engine openvino needs the package openvino, which could not be loaded ({error}). "
                "Install it with: pip install 'dlcnb[openvino]'"
            ) from error
        self._core, self._model, self._multiple = openvino.Core(), model, multiple
        cores = core_count()
        able = self._core.get_property("CPU", "OPTIMIZATION_CAPABILITIES")
        self._settings = {
            "INFERENCE_PRECISION_HINT": "bf16" if "BF16" in able else "f32",
            "PERFORMANCE_HINT": "THROUGHPUT",
            "NUM_STREAMS": cores,
            "INFERENCE_NUM_THREADS": cores,
            "ENABLE_CPU_PINNING": False,
        }
        self._compiled = OrderedDict()

    def run(self, images):
        """See the module; returns at once."""
        images = _padded(images, self._multiple)
        compiled, idle = _recent(self._compiled, images.shape[1:], self._compile)
        requests = [idle.pop() if idle else compiled.create_infer_request() for _ in images]
        for request, image in zip(requests, images, strict=True):
            request.start_async({"images": image[None]}, share_inputs=True)

        def result():
            maps = []
            for request, _image in zip(requests, images, strict=True):
                request.wait()
                maps.append([request.get_tensor(name).data[0].copy() for name in ("score", "locref")])
            idle.extend(requests)
            score, locref = (np.stack(one) for one in zip(*maps, strict=True))
            return score, locref

        return result

    def _compile(self, shape):
        """(the model for one image of this shape, requests that are not in use)."""
        model = self._core.read_model(self._model)
        model.reshape({"images": [1, *shape]})
        return self._core.compile_model(model, "CPU", self._settings), []


def processor():
    """What this machine computes with, as a text: the kind of processor and the number of cores."""
    found = {}
    try:
        with open("/proc/cpuinfo") as file:
            for line in file:
                name, _, value = line.partition(":")
                found.setdefault(name.strip(), value.strip())
    except OSError:
        pass  # not Linux
    kind = " ".join(found[name] for name in ("model name", "cpu family", "model") if name in found)
    return f"{kind or platform.processor() or platform.machine()}, {core_count()} cores"


def _padded(images, multiple):
    """Images with black to the right and below, so that both sides are multiples."""
    height, width = images.shape[1:3]
    below, right = -height % multiple, -width % multiple
    if not (below or right):
        return np.ascontiguousarray(images)
    return np.pad(images, ((0, 0), (0, below), (0, right), (0, 0)))


def _recent(kept, key, make):
    """The entry of an OrderedDict, made if it is missing; those used longest ago are dropped."""
    if key not in kept:
        while len(kept) >= _SHAPES:
            kept.popitem(last=False)
        kept[key] = make(key)
    kept.move_to_end(key)
    return kept[key]
