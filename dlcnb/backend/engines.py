"""What computes a network: MXNet, in fp32 with fused operators or in int8, or ONNX Runtime (OpenVINO: `openvino`).

An engine has one method, ``run(images)``: uint8 ``(B, H, W, 3)``, resized already -> a function that waits for the
result and gives ``score (B, K, h, w)``, probabilities, and ``locref (B, K, 2, h, w)``. The maps may be larger than
those of the images, by what was padded to the right and below.
"""

from __future__ import annotations

import ctypes
import logging
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from importlib import util
from itertools import cycle
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from cachetools import LRUCache
from mxnet.base import _LIB, check_call
from mxnet.gluon import SymbolBlock
from numpy.typing import NDArray

from dlcnb.backend import mx
from dlcnb.backend.devices import CUDA, ONNX_GPU, pick_card
from dlcnb.backend.network import PoseNet, to_tensor
from dlcnb.machine.processors import core_count

if TYPE_CHECKING:
    import mxnet

    from dlcnb.backend.inputs import Normalized, Pixels


__all__ = [
    "ENGINES",
    "SHAPES",
    "Engine",
    "MxEngine",
    "MxStreams",
    "OnnxEngine",
    "Result",
    "fused",
    "has_onnxruntime",
    "padded",
    "recent",
    "split_maps",
    "symbol_block",
]

Result = Callable[[], tuple[NDArray[np.float32], NDArray[np.float32]]]  # waits; gives score and locref
ENGINES = ("fp32", "int8", "openvino", "openvino-int8", "onnx", "auto")
SHAPES = 5  # of images that are kept ready
_STREAMS = 4  # at most; each has a copy of the network and of its memory
_FIRST_STREAM = 8  # number of MXNet's CPU that the first stream takes; those before are for training
_SMALL = 320  # px: the larger side of images that go in batches …
_TOGETHER = 4  # … of this many

log = logging.getLogger(__name__)


class Engine(Protocol):
    """What computes maps, see the module."""

    def run(self, images: NDArray[np.uint8]) -> Result:
        """Start on a batch."""
        ...


def split_maps(output: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Maps as the network gives them, float32 ``(B, 3K, h, w)`` with logits -> ``(score, locref)``."""
    parts = output.shape[1] // 3
    score = 1 / (1 + np.exp(-np.clip(output[:, :parts], -60, 60)))
    return score, output[:, parts:].reshape(len(output), parts, 2, *output.shape[2:])


class MxEngine:
    """MXNet on one device, batch by batch.

    Parameters
    ----------
    net : `PoseNet`, which knows how images are normalised and padded.
    device : mxnet.Context
    """

    def __init__(self, net: PoseNet, device: mxnet.Context) -> None:
        self._net, self._device = net, device
        net.hybridize(static_alloc=True)

    def run(self, images: NDArray[np.uint8]) -> Result:
        """See the module; returns at once, MXNet computes behind."""
        output = self._net(to_tensor(images, self._net, self._device, self._net.multiple))
        return lambda: split_maps(output.asnumpy())


class MxStreams:
    """MXNet on the cores of this machine: large images are computed singly, as many at a time as there are streams.

    Two cores that share every convolution of one image wait for each other; with an image each they do not, and it
    takes less memory than a batch. Small images are soon done, and go a few together.

    Parameters
    ----------
    inputs : what it is given of images, see `dlcnb.backend.inputs`.
    block : what computes the maps, a SymbolBlock.
    """

    def __init__(self, inputs: Normalized | Pixels, block: mxnet.gluon.SymbolBlock) -> None:
        cores = core_count()
        count = min(cores, _STREAMS)
        self._streams = cycle([_Stream(inputs, block, _FIRST_STREAM + n, cores // count) for n in range(count)])

    def run(self, images: NDArray[np.uint8]) -> Result:
        """See the module; returns at once, MXNet computes behind."""
        size = _TOGETHER if max(images.shape[1:3]) <= _SMALL else 1
        started = [next(self._streams).run(images[n : n + size]) for n in range(0, len(images), size)]
        return lambda: split_maps(np.concatenate([result() for result in started]))


class _Stream:
    """A network in a thread of its own: MXNet has one for each CPU that it is told of, however many there are.

    It has an executor for every shape of images: one that changes its shape keeps growing. Inputs are used again, too,
    because fresh memory costs as much time as writing to it.

    Parameters
    ----------
    inputs, block : as those of `MxStreams`.
    number : of MXNet's CPU.
    threads : how many cores it takes.
    """

    def __init__(self, inputs: Normalized | Pixels, block: mxnet.gluon.SymbolBlock, number: int, threads: int) -> None:
        self._inputs, self._device = inputs, mx.cpu(number)
        (_, self._symbol), parameters = block._cached_graph, block.collect_params()
        _take_threads(self._device, threads)
        # a copy of the parameters, as oneDNN rearranges them while it computes; all executors have it in common
        arrays = {name: parameter.data() for name, parameter in parameters.items()}
        self._parameters = symbol_block(self._symbol, arrays, self._device, inputs.dtype).collect_params()
        self._kept: LRUCache[Any, Any] = LRUCache(SHAPES)

    def run(self, images: NDArray[np.uint8]) -> Callable[[], NDArray[np.float32]]:
        """Compute a batch behind; returns a function that waits for the network's output ``(B, 3K, h, w)``."""
        executor, idle = recent(self._kept, images.shape, self._executor)
        tensor, values = idle.pop() if idle else self._input(images.shape)
        self._inputs.write(images, values)
        output = executor(tensor)

        def result() -> NDArray[np.float32]:
            found = output.asnumpy()
            idle.append((tensor, values))
            return found

        return result

    def _executor(self, _shape: tuple[int, ...]) -> tuple[mxnet.gluon.SymbolBlock, list[Any]]:
        """(what computes images of one shape, its inputs that are not in use)."""
        block = SymbolBlock(self._symbol, _data(self._inputs.dtype), params=self._parameters)
        block.hybridize(static_alloc=True, static_shape=True)
        return block, []

    def _input(self, shape: tuple[int, ...]) -> tuple[mxnet.nd.NDArray, NDArray[Any]]:
        """An NDArray for images of a shape, and its memory as a NumPy array."""
        dtype = np.dtype(self._inputs.dtype)
        tensor = mx.nd.zeros(self._inputs.shape(shape), ctx=self._device, dtype=dtype)
        tensor.wait_to_read()
        address = ctypes.c_void_p()
        check_call(_LIB.MXNDArrayGetData(tensor.handle, ctypes.byref(address)))
        memory = (ctypes.c_char * (tensor.size * dtype.itemsize)).from_address(address.value)
        return tensor, np.frombuffer(memory, dtype).reshape(tensor.shape)


class _Context(ctypes.Structure):
    """MXNet's Context."""

    _fields_ = (("kind", ctypes.c_int), ("number", ctypes.c_int32))


_CALLBACK = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_void_p)


def _take_threads(device: mxnet.Context, count: int) -> None:
    """Let the thread that computes for one of MXNet's CPUs take ``count`` cores; OpenMP asks each thread for itself."""
    set_threads = _CALLBACK(lambda *_: _LIB.omp_set_num_threads(count))
    context = ctypes.byref(_Context(device.device_typeid, device.device_id))
    name = b"omp_set_num_threads"
    check_call(_LIB.MXEnginePushSync(set_threads, None, None, context, None, 0, None, 0, None, 0, name))
    mx.nd.zeros(1, ctx=device).wait_to_read()  # comes after it; until then the callback must live


def symbol_block(
    symbol: mxnet.sym.Symbol, arrays: Mapping[str, mxnet.nd.NDArray], device: mxnet.Context, dtype: str = "float32"
) -> mxnet.gluon.SymbolBlock:
    """A SymbolBlock of a graph with the input ``data``; ``arrays`` is name -> NDArray of its parameters."""
    block = SymbolBlock(symbol, _data(dtype))
    for name, parameter in block.collect_params().items():
        parameter.grad_req = "null"  # gradients would take as much memory again
        parameter._load_init(arrays[name], device)
    return block


def _data(dtype: str = "float32") -> mxnet.sym.Symbol:
    return mx.sym.var("data", dtype=dtype)


def fused(net: PoseNet, device: mxnet.Context) -> mxnet.gluon.SymbolBlock:
    """A network with its operators fused by oneDNN, as a SymbolBlock (optimize_for fails on skip connections)."""
    symbol = net(_data()).get_backend_symbol("MKLDNN")
    return symbol_block(symbol, {name: p.data(device) for name, p in net.collect_params().items()}, device)


def has_onnxruntime() -> bool:
    """Whether the packages of the extra ``onnx`` are installed."""
    return all(util.find_spec(name) is not None for name in ("onnxruntime", "onnx"))


class OnnxEngine:
    """ONNX Runtime: on an NVIDIA card, also on those that are too new for MXNet, or on the CPU, in fp32.

    A card computes a batch at once. A CPU computes frames singly, as many at a time as there are cores, so there a
    result does not depend on its batch.

    Parameters
    ----------
    model : bytes of the ONNX model (`dlcnb.backend.export`).
    multiple : that the sides of images must be a multiple of, px.
    device : "cpu"; "gpu(0)"; or "auto": a card that works, else the CPU.

    Attributes
    ----------
    card : number of the NVIDIA card, None = the CPU.

    Raises
    ------
    ImportError
        The packages are missing; the message names the extra.
    ValueError
        The device is unknown, or a card that was asked for does not work; the message says why, and the cure.
    """

    def __init__(self, model: bytes, multiple: int, device: str = "auto") -> None:
        try:
            import onnxruntime
        except ImportError as error:
            raise ImportError(
                f"The engine onnx needs the package onnxruntime, which could not be loaded ({error}). "
                "Install it with: pip install 'dlcnb[onnx]'"
            ) from error
        self._runtime, self._model, self._multiple = onnxruntime, model, multiple
        self.card = pick_card(device, onnxruntime.get_available_providers())
        try:
            self._start()
        except ValueError as error:
            if device != "auto":
                raise
            log.warning("The CPU is used. %s", error)
            self.card = None
            self._start()

    def run(self, images: NDArray[np.uint8]) -> Result:
        """See the module; returns at once."""
        images = padded(images, self._multiple)
        parts = [images] if self.card is not None else [image[None] for image in images]
        started = [self._threads.submit(self._maps, part) for part in parts]

        def result() -> tuple[NDArray[np.float32], NDArray[np.float32]]:
            score, locref = (np.concatenate(one) for one in zip(*(job.result() for job in started), strict=True))
            return score, locref

        return result

    def _maps(self, images: NDArray[np.uint8]) -> list[NDArray[np.float32]]:
        """Score and locref of images, waited for."""
        return list(self._session.run(["score", "locref"], {"images": images}))

    def _start(self) -> None:
        """The session, and the threads that wait for it; ValueError if the card does not compute."""
        options = self._runtime.SessionOptions()
        options.log_severity_level = 3  # errors; what else there is to say is said here
        cores = core_count()
        streams = 1 if self.card is not None else min(cores, _STREAMS)
        options.intra_op_num_threads = max(cores // streams, 1)
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        self._threads = ThreadPoolExecutor(streams)
        if self.card is None:
            self._session = self._runtime.InferenceSession(self._model, options, providers=["CPUExecutionProvider"])
            return
        # crops come in many sizes: to try all ways of cuDNN for each of them takes longer than it saves
        settings = {"device_id": self.card, "cudnn_conv_algo_search": "HEURISTIC"}
        providers = [(CUDA, settings), "CPUExecutionProvider"]
        try:
            self._runtime.preload_dlls()  # CUDA and cuDNN as pip has installed them
            self._session = self._runtime.InferenceSession(self._model, options, providers=providers)
            problem = None if CUDA in self._session.get_providers() else "CUDA or cuDNN could not be loaded"
            self._maps(np.zeros((1, self._multiple, self._multiple, 3), np.uint8))
        except Exception as error:  # ONNX Runtime's own kinds, none of them public
            problem = " ".join(str(error).split())[:200]
        if problem:
            raise ValueError(
                f"ONNX Runtime {self._runtime.__version__} can't compute on gpu({self.card}): {problem}. The driver "
                f"must be for CUDA 12 or 13 (nvidia-smi shows it). Install what is missing: {ONNX_GPU} (docs/gpu.md), "
                "or use the CPU: --device cpu."
            )


def padded(images: NDArray[np.uint8], multiple: int) -> NDArray[np.uint8]:
    """Images with black to the right and below, so that both sides are multiples."""
    height, width = images.shape[1:3]
    below, right = -height % multiple, -width % multiple
    if not (below or right):
        return np.ascontiguousarray(images)
    return np.pad(images, ((0, 0), (0, below), (0, right), (0, 0)))


def recent(kept: LRUCache[Any, Any], key: Any, make: Callable[[Any], Any]) -> Any:
    """The entry of a cache, made if it is missing."""
    if key not in kept:
        kept[key] = make(key)
    return kept[key]
